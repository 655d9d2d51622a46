// SPDX-License-Identifier: GPL-2.0
/*
 * The credentials that act below.
 *
 * The lower file lies on a mount without a place in any name space, so a
 * security module that goes by paths (Landlock, AppArmor) refuses it to every
 * confined program.  These modules have decided above, about our path.  So the
 * mounter's credentials open the lower file, as in overlayfs, and the modules
 * look at these when they ask about it.
 *
 * Differs from overlayfs: what the caller may is decided below too.  Set-user-ID
 * is cleared by those without CAP_FSETID, and reserved blocks and quota limits
 * are passed by those with CAP_SYS_RESOURCE.  So plain reads and writes go with
 * the caller's credentials: they pass no hook below.  Where a helper of the VFS
 * asks a security module about the lower file and may change it, or needs the
 * caller's keys, the mounter's credentials get the ids, the groups, the keyrings
 * and no more capabilities than the caller has: bpiofs_caller_begin().
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/key.h>
#include <linux/user_namespace.h>
#include "bpiofs.h"

/* Those that file systems and the VFS ask for. */
static const int file_caps[] = {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
	CAP_FSETID, CAP_LINUX_IMMUTABLE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE,
};

/**
 * bpiofs_creds_mount - keep the credentials of the mounter
 * @vol: being mounted
 *
 * Return: 0 or -ENOMEM.
 */
int bpiofs_creds_mount(struct bpiofs_volume *vol)
{
	vol->cred = prepare_creds();
	return vol->cred ? 0 : -ENOMEM;
}

/**
 * bpiofs_creds_umount - let go of the credentials of the mounter
 * @vol: without open files; bpiofs_creds_mount() need not have succeeded
 */
void bpiofs_creds_umount(struct bpiofs_volume *vol)
{
	if (vol->cred)
		put_cred(vol->cred);
	vol->cred = NULL;
}

/**
 * bpiofs_mounter_begin - act with the mounter's credentials
 * @vol: mount
 *
 * For what neither allocates blocks nor depends on the caller's rights.
 *
 * Context: process context.
 * Return: for bpiofs_mounter_end().
 */
const struct cred *bpiofs_mounter_begin(const struct bpiofs_volume *vol)
{
	return override_creds(vol->cred);
}

/**
 * bpiofs_mounter_end - undo bpiofs_mounter_begin()
 * @old: what it returned
 *
 * Context: process context.
 */
void bpiofs_mounter_end(const struct cred *old)
{
	revert_creds(old);
}

/* fscrypt looks for keys there. */
static void take_keyrings(struct cred *cred, const struct cred *from)
{
#ifdef CONFIG_KEYS
	key_put(cred->session_keyring);
	cred->session_keyring = key_get(from->session_keyring);
	key_put(cred->process_keyring);
	cred->process_keyring = key_get(from->process_keyring);
	key_put(cred->thread_keyring);
	cred->thread_keyring = key_get(from->thread_keyring);
#endif
}

/**
 * bpiofs_caller_begin - act with the caller's rights and the mounter's label
 * @vol: mount
 * @old: out: for bpiofs_caller_end()
 *
 * A capability that a security module denies to the caller is not there either.
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int bpiofs_caller_begin(const struct bpiofs_volume *vol,
			const struct cred **old)
{
	const struct cred *caller = current_cred();
	struct cred *cred;
	unsigned int i;

	/* a copy of the mounter's, with what the security modules keep there */
	*old = override_creds(vol->cred);
	cred = prepare_creds();
	revert_creds(*old);
	if (!cred)
		return -ENOMEM;
	cred->fsuid = caller->fsuid;
	cred->fsgid = caller->fsgid;
	put_group_info(cred->group_info);
	cred->group_info = get_group_info(caller->group_info);
	put_user_ns(cred->user_ns);
	cred->user_ns = get_user_ns(caller->user_ns);
	take_keyrings(cred, caller);
	cred->cap_effective = CAP_EMPTY_SET;
	for (i = 0; i < ARRAY_SIZE(file_caps); i++)
		if (cap_raised(caller->cap_effective, file_caps[i]) &&
		    ns_capable_noaudit(caller->user_ns, file_caps[i]))
			cap_raise(cred->cap_effective, file_caps[i]);
	*old = override_creds(cred);
	return 0;
}

/**
 * bpiofs_caller_end - undo bpiofs_caller_begin()
 * @old: from there
 *
 * Context: process context.
 */
void bpiofs_caller_end(const struct cred *old)
{
	const struct cred *cred = current_cred();

	revert_creds(old);
	put_cred(cred);
}
