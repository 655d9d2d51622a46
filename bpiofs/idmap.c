// SPDX-License-Identifier: GPL-2.0
/*
 * Idmapped mounts.  The mount below maps nothing, so the mapping of ours is
 * handed down as it is, and applied there once.  Here is what remains: lower
 * file systems that know no mappings, and operations that aren't told theirs.
 */
#include <linux/cred.h>
#include <linux/sched/task.h>
#include <linux/user_namespace.h>
#include "bpiofs.h"

static bool lower_maps_ids(const struct bpiofs_volume *vol)
{
	return (vol->lower_sb->s_type->fs_flags & FS_ALLOW_IDMAP) &&
	       !(vol->lower_sb->s_iflags & BPIO_SB_I_NOIDMAP);
}

/**
 * bpiofs_idmap_mount - no idmapped mounts where the lower file system has none
 * @vol: being mounted
 *
 * Where the kernel cannot be told, bpiofs_idmap_used() is left to refuse.
 */
void bpiofs_idmap_mount(struct bpiofs_volume *vol)
{
	if (!lower_maps_ids(vol))
		vol->sb->s_iflags |= BPIO_SB_I_NOIDMAP;
}

/**
 * __bpiofs_idmap_used - an idmapped mount is being used
 * @vol: mount
 *
 * Context: any, also under RCU.
 * Return: 0, or -EOPNOTSUPP when the lower file system would not apply the
 * mapping, but go on with ids that mean somebody else.
 */
int __bpiofs_idmap_used(struct bpiofs_volume *vol)
{
	if (!lower_maps_ids(vol))
		return -EOPNOTSUPP;
	if (!READ_ONCE(vol->idmapped))
		WRITE_ONCE(vol->idmapped, true);
	return 0;
}

/**
 * bpiofs_allowed_begin - below, let pass what the VFS has allowed above
 * @vol: mount
 * @old: out: for bpiofs_allowed_end()
 *
 * The VFS asks inode operations for a link, the removal of a name and the
 * like when it has checked with the mapping of the mount whether the caller
 * may; which one it was they aren't told.  The helpers for the lower file
 * system check again, without it: they find the rights of the kernel.  Nobody
 * needs that before the first use of an idmapped mount, which permission()
 * sees in time.
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int bpiofs_allowed_begin(struct bpiofs_volume *vol, const struct cred **old)
{
	struct cred *cred;

	*old = NULL;
	if (likely(!READ_ONCE(vol->idmapped)))
		return 0;
	/* not of the caller: a security module may grant that one neither */
	cred = prepare_kernel_cred(&init_task);
	if (!cred)
		return -ENOMEM;
	cred->cap_effective = CAP_EMPTY_SET;
	cap_raise(cred->cap_effective, CAP_DAC_OVERRIDE);
	cap_raise(cred->cap_effective, CAP_FOWNER);
	/* what is reserved, or limited, stays so */
	cred->fsuid = current_fsuid();
	cred->fsgid = current_fsgid();
	if (current_user_ns() == &init_user_ns &&
	    cap_raised(current_cred()->cap_effective, CAP_SYS_RESOURCE))
		cap_raise(cred->cap_effective, CAP_SYS_RESOURCE);
	*old = override_creds(cred);
	return 0;
}

/**
 * bpiofs_allowed_end - undo bpiofs_allowed_begin()
 * @old: from there
 *
 * Context: process context.
 */
void bpiofs_allowed_end(const struct cred *old)
{
	const struct cred *cred = current_cred();

	if (!old)
		return;
	revert_creds(old);
	put_cred(cred);
}
