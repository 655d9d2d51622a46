// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes and names.  Each has exactly one peer below; what may be done is
 * decided there, with the credentials of the caller and the id mapping of the
 * mount, and what has become of an inode is read back from there.
 */
#include <linux/fiemap.h>
#include <linux/fileattr.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/writeback.h>
#include <linux/xattr.h>
#include "bpiofs.h"
#include "mount.h"

/* Flags of inodes that the VFS acts upon, above as below. */
#define COPIED_FLAGS (S_SYNC | S_APPEND | S_IMMUTABLE | S_NOATIME | S_DIRSYNC)

/**
 * bpiofs_copy_attr - make an inode look like its peer
 * @inode: to bring up to date: owner, mode, times, links, flags, size
 *
 * Context: process context; takes i_lock.
 */
void bpiofs_copy_attr(struct inode *inode)
{
	struct inode *lower = bpiofs_lower_inode(inode);

	/* i_lock: of two copies at once, the last one is the newer */
	spin_lock(&inode->i_lock);
	inode->i_mode = lower->i_mode;
	inode->i_uid = lower->i_uid;
	inode->i_gid = lower->i_gid;
	inode->i_blkbits = lower->i_blkbits;
	fsstack_copy_attr_times(inode, lower);
	set_nlink(inode, lower->i_nlink);
	inode_set_flags(inode, lower->i_flags & COPIED_FLAGS, COPIED_FLAGS);
	i_size_write(inode, i_size_read(lower));
	inode->i_blocks = lower->i_blocks;
	spin_unlock(&inode->i_lock);
}

static int test_inode(struct inode *inode, void *lower)
{
	return BPIOFS_I(inode)->lower == lower;
}

static int set_inode(struct inode *inode, void *lower)
{
	BPIOFS_I(inode)->lower = lower;
	inode->i_ino = ((struct inode *)lower)->i_ino;
	return 0;
}

/**
 * bpiofs_iget - find or make the inode above a lower one
 * @sb: super block of bpiofs
 * @lower: inode below; the caller holds a reference, and keeps it
 *
 * Context: process context, may sleep.
 * Return: the inode, with a reference; -ESTALE when @lower is going away,
 * -EREMOTE for a directory that folds case, -ENOMEM.
 */
struct inode *bpiofs_iget(struct super_block *sb, struct inode *lower)
{
	struct inode *inode;

	/* names are compared byte by byte above */
	if (IS_CASEFOLDED(lower))
		return ERR_PTR(-EREMOTE);
	if (!igrab(lower))
		return ERR_PTR(-ESTALE);
	inode = iget5_locked(sb, (unsigned long)lower, test_inode, set_inode,
			     lower);
	if (!inode) {
		iput(lower);
		return ERR_PTR(-ENOMEM);
	}
	if (!bpio_inode_is_new(inode)) {
		iput(lower);
		return inode;
	}

	bpiofs_copy_attr(inode);
	bpio_dont_cache_acl(inode);
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &bpiofs_file_iops;
		inode->i_fop = &bpiofs_file_fops;
		break;
	case S_IFDIR:
		inode->i_op = &bpiofs_dir_iops;
		inode->i_fop = &bpiofs_dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = &bpiofs_symlink_iops;
		break;
	default:
		inode->i_op = &bpiofs_special_iops;
		init_special_inode(inode, lower->i_mode, lower->i_rdev);
		break;
	}
	unlock_new_inode(inode);
	return inode;
}

/* ---- names -------------------------------------------------------------- */

/*
 * Nothing changes below unless somebody else mounts the lower file system too;
 * then at least names that have gone or come there are looked up again.  Not
 * otherwise: each change of ours shows below a moment before it shows here.
 */
static bool changed_below(struct dentry *dentry, struct dentry *lower)
{
	if (likely(atomic_read(&lower->d_sb->s_active) == 1))
		return false;
	return d_unhashed(lower) || (d_really_is_negative(dentry) &&
				     d_really_is_positive(lower));
}

static int revalidate(BPIO_D_REVALIDATE_ARGS struct dentry *dentry,
		      unsigned int flags)
{
	struct dentry *lower = bpiofs_lower_dentry(dentry);

	if (unlikely(changed_below(dentry, lower)))
		return flags & LOOKUP_RCU ? -ECHILD : 0;
	if (!(READ_ONCE(lower->d_flags) & DCACHE_OP_REVALIDATE))
		return 1;
	if (flags & LOOKUP_RCU)
		return -ECHILD;
	return bpio_d_revalidate(lower, flags);
}

static void release(struct dentry *dentry)
{
	dput(bpiofs_lower_dentry(dentry));
}

/*
 * A file opened below carries our path (see bpiofs_open()); the lower file
 * system finds its own dentry this way.
 */
static struct dentry *real_dentry(struct dentry *dentry, BPIO_D_REAL_ARG)
{
	if (bpio_d_real_is_upper(dentry, inode))
		return dentry;
	return bpiofs_lower_dentry(dentry);
}

const struct dentry_operations bpiofs_dentry_ops = {
	.d_revalidate	= revalidate,
	.d_release	= release,
	.d_real		= real_dentry,
};

static struct dentry *lookup(struct inode *dir, struct dentry *dentry,
			     unsigned int flags)
{
	struct dentry *lower;
	struct inode *inode = NULL;

	if (dentry->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	lower = bpio_lookup_unlocked(bpiofs_lower_dentry(dentry->d_parent),
				     &dentry->d_name);
	if (IS_ERR(lower))
		return lower;
	dentry->d_fsdata = lower;	/* release() puts it */
	if (d_really_is_positive(lower))
		inode = bpiofs_iget(dir->i_sb, d_inode(lower));
	if (!d_is_dir(lower))
		return d_splice_alias(inode, dentry);
	/* it may be here already, without a name: see export.c */
	down_read(&bpiofs_vol(dir->i_sb)->export_lock);
	dentry = d_splice_alias(inode, dentry);
	up_read(&bpiofs_vol(dir->i_sb)->export_lock);
	return dentry;
}

/*
 * A change of one name, between begin_change() and end_change(): the lower
 * directory is locked and may be written.
 */
static int begin_change(struct dentry *dentry, struct inode **lower_dir)
{
	struct dentry *parent = bpiofs_lower_dentry(dentry->d_parent);
	struct dentry *lower = bpiofs_lower_dentry(dentry);
	int ret;

	ret = mnt_want_write(bpiofs_vol(dentry->d_sb)->lower_mnt);
	if (ret)
		return ret;
	*lower_dir = d_inode(parent);
	inode_lock_nested(*lower_dir, I_MUTEX_PARENT);
	/* somebody else changed the lower file system, mounted elsewhere */
	if (lower->d_parent != parent || d_unhashed(lower)) {
		inode_unlock(*lower_dir);
		mnt_drop_write(bpiofs_vol(dentry->d_sb)->lower_mnt);
		return -ESTALE;
	}
	return 0;
}

static void end_change(struct dentry *dentry, struct inode *lower_dir)
{
	inode_unlock(lower_dir);
	mnt_drop_write(bpiofs_vol(dentry->d_sb)->lower_mnt);
	bpiofs_copy_attr(d_inode(dentry->d_parent));
}

/* The lower name has just been made: give it its inode here. */
static int instantiate(struct dentry *dentry)
{
	struct dentry *lower = bpiofs_lower_dentry(dentry);
	struct inode *inode;

	/* a file system may leave it to the next look-up to find it */
	if (d_really_is_negative(lower) || d_unhashed(lower)) {
		d_drop(dentry);
		return 0;
	}
	inode = bpiofs_iget(dentry->d_sb, d_inode(lower));
	if (IS_ERR(inode)) {
		d_drop(dentry);
		return PTR_ERR(inode);
	}
	bpiofs_copy_attr(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int create(struct bpio_idmap *idmap, struct inode *dir,
		  struct dentry *dentry, BPIO_CREATE_ARGS)
{
	struct inode *lower_dir;
	int ret;

	ret = begin_change(dentry, &lower_dir);
	if (ret)
		return ret;
	ret = bpio_vfs_create(idmap, lower_dir, bpiofs_lower_dentry(dentry),
			      mode, excl);
	if (!ret)
		ret = instantiate(dentry);
	end_change(dentry, lower_dir);
	return ret;
}

static int mknod(struct bpio_idmap *idmap, struct inode *dir,
		 struct dentry *dentry, umode_t mode, dev_t dev)
{
	struct inode *lower_dir;
	int ret;

	ret = begin_change(dentry, &lower_dir);
	if (ret)
		return ret;
	ret = bpio_vfs_mknod(idmap, lower_dir, bpiofs_lower_dentry(dentry),
			     mode, dev);
	if (!ret)
		ret = instantiate(dentry);
	end_change(dentry, lower_dir);
	return ret;
}

static int symlink(struct bpio_idmap *idmap, struct inode *dir,
		   struct dentry *dentry, const char *target)
{
	struct inode *lower_dir;
	int ret;

	ret = begin_change(dentry, &lower_dir);
	if (ret)
		return ret;
	ret = bpio_vfs_symlink(idmap, lower_dir, bpiofs_lower_dentry(dentry),
			       target);
	if (!ret)
		ret = instantiate(dentry);
	end_change(dentry, lower_dir);
	return ret;
}

static bpio_mkdir_ret mkdir(struct bpio_idmap *idmap, struct inode *dir,
			    struct dentry *dentry, umode_t mode)
{
	struct inode *lower_dir;
	int ret;

	ret = begin_change(dentry, &lower_dir);
	if (ret)
		return bpio_mkdir_result(ret);
	ret = bpio_vfs_mkdir(idmap, lower_dir, bpiofs_lower_dentry(dentry),
			     mode);
	if (!ret)
		ret = instantiate(dentry);
	end_change(dentry, lower_dir);
	return bpio_mkdir_result(ret);
}

static int link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	const struct cred *caller;
	struct inode *lower_dir;
	int ret;

	ret = begin_change(dentry, &lower_dir);
	if (ret)
		return ret;
	ret = bpiofs_allowed_begin(bpiofs_vol(dir->i_sb), &caller);
	if (ret)
		goto out;
	ret = vfs_link(bpiofs_lower_dentry(old), bpio_nop_idmap, lower_dir,
		       bpiofs_lower_dentry(dentry), NULL);
	bpiofs_allowed_end(caller);
	if (!ret) {
		bpiofs_copy_attr(inode);
		ihold(inode);
		d_instantiate(dentry, inode);
	}
out:
	end_change(dentry, lower_dir);
	return ret;
}

/* Also for directories. */
static int remove(struct dentry *dentry, bool is_dir)
{
	struct dentry *lower = bpiofs_lower_dentry(dentry);
	const struct cred *caller;
	struct inode *lower_dir;
	int ret;

	ret = begin_change(dentry, &lower_dir);
	if (ret)
		return ret;
	ret = bpiofs_allowed_begin(bpiofs_vol(dentry->d_sb), &caller);
	if (ret)
		goto out;
	/* one more reference: do not make the lower dentry negative */
	dget(lower);
	if (is_dir)
		ret = bpio_vfs_rmdir(bpio_nop_idmap, lower_dir, lower);
	else
		ret = vfs_unlink(bpio_nop_idmap, lower_dir, lower, NULL);
	dput(lower);
	bpiofs_allowed_end(caller);
	bpiofs_copy_attr(d_inode(dentry));
out:
	end_change(dentry, lower_dir);
	/* and let go of it as soon as nobody has it open */
	if (!ret)
		d_drop(dentry);
	return ret;
}

static int unlink(struct inode *dir, struct dentry *dentry)
{
	return remove(dentry, false);
}

static int rmdir(struct inode *dir, struct dentry *dentry)
{
	return remove(dentry, true);
}

static int rename(struct bpio_idmap *idmap, struct inode *old_dir,
		  struct dentry *old, struct inode *new_dir,
		  struct dentry *new, unsigned int flags)
{
	struct vfsmount *mnt = bpiofs_vol(old->d_sb)->lower_mnt;
	struct dentry *old_parent = bpiofs_lower_dentry(old->d_parent);
	struct dentry *new_parent = bpiofs_lower_dentry(new->d_parent);
	struct dentry *lower_new = bpiofs_lower_dentry(new);
	struct renamedata rd;
	int ret;

	ret = mnt_want_write(mnt);
	if (ret)
		return ret;
	/* one more reference: do not make the lower dentry negative */
	dget(lower_new);
	ret = bpio_start_renaming(&rd, idmap, old_parent,
				  bpiofs_lower_dentry(old), new_parent,
				  lower_new, flags);
	if (!ret) {
		ret = vfs_rename(&rd);
		bpio_end_renaming(&rd, old_parent, new_parent);
	}
	dput(lower_new);

	bpiofs_copy_attr(old_dir);
	if (new_dir != old_dir)
		bpiofs_copy_attr(new_dir);
	bpiofs_copy_attr(d_inode(old));
	if (d_really_is_positive(new))
		bpiofs_copy_attr(d_inode(new));
	mnt_drop_write(mnt);
	return ret;
}

/* A file without a name, below as above. */
static int tmpfile(struct bpio_idmap *idmap, struct inode *dir,
		   struct file *file, umode_t mode)
{
	struct dentry *dentry = file->f_path.dentry;
	const struct path parent = bpiofs_lower_path(dentry->d_parent);
	const struct cred *caller;
	struct inode *inode;
	struct file *lower;
	int ret;

	ret = mnt_want_write(parent.mnt);
	if (ret)
		return ret;
	ret = bpiofs_caller_begin(bpiofs_vol(dir->i_sb), &caller);
	if (ret) {
		mnt_drop_write(parent.mnt);
		return ret;
	}
	/* Whether it may get one is asked of ours. */
	lower = bpio_tmpfile_open(idmap, &parent, mode,
				  O_RDWR | O_LARGEFILE);
	bpiofs_caller_end(caller);
	mnt_drop_write(parent.mnt);
	if (IS_ERR(lower))
		return PTR_ERR(lower);
	inode = bpiofs_iget(dentry->d_sb, file_inode(lower));
	ret = PTR_ERR_OR_ZERO(inode);
	if (!ret) {
		dentry->d_fsdata = dget(lower->f_path.dentry);
		/* d_tmpfile() takes a link away, and would have it written */
		set_nlink(inode, 1);
		d_tmpfile(file, inode);
		sync_inode_metadata(inode, 0);
	}
	fput(lower);
	return finish_open_simple(file, ret);
}

static const char *get_link(struct dentry *dentry, struct inode *inode,
			    struct delayed_call *done)
{
	if (!dentry)
		return ERR_PTR(-ECHILD);
	return vfs_get_link(bpiofs_lower_dentry(dentry), done);
}

/* ---- attributes --------------------------------------------------------- */

static int permission(struct bpio_idmap *idmap, struct inode *inode, int mask)
{
	int ret;

	ret = bpiofs_idmap_used(inode->i_sb, idmap);
	if (ret)
		return ret;
	return inode_permission(idmap, bpiofs_lower_inode(inode), mask);
}

static int getattr(struct bpio_idmap *idmap, const struct path *path,
		   struct kstat *stat, u32 request_mask, unsigned int flags)
{
	struct path lower = bpiofs_lower_path(path->dentry);
	struct super_block *sb = path->dentry->d_sb;
	int ret;

	ret = bpiofs_idmap_used(sb, idmap);
	if (ret)
		return ret;
	/* security modules were asked about our path */
	ret = vfs_getattr_nosec(&lower, stat, request_mask, flags);
	if (ret)
		return ret;
	stat->dev = sb->s_dev;
	stat->uid = vfsuid_into_kuid(make_vfsuid(idmap, sb->s_user_ns,
						 stat->uid));
	stat->gid = vfsgid_into_kgid(make_vfsgid(idmap, sb->s_user_ns,
						 stat->gid));
	bpiofs_copy_attr(d_inode(path->dentry));
	return 0;
}

/* The lower file system checks it all, against attributes that are its own. */
static int set_lower_attr(struct bpio_idmap *idmap, struct dentry *dentry,
			  struct iattr *attr)
{
	struct dentry *lower = bpiofs_lower_dentry(dentry);
	struct inode *inode = d_inode(dentry);
	struct bpiofs_volume *vol = bpiofs_vol(dentry->d_sb);
	const bool resize = attr->ia_valid & ATTR_SIZE;
	struct iattr lower_attr = *attr;
	int ret;

	if (attr->ia_valid & ATTR_FILE)
		lower_attr.ia_file = bpiofs_file(attr->ia_file)->lower;
	/* The mode was made from these; let it be made anew below. */
	if (attr->ia_valid & (ATTR_KILL_SUID | ATTR_KILL_SGID))
		lower_attr.ia_valid &= ~ATTR_MODE;

	ret = bpiofs_want_write(vol);
	if (ret)
		return ret;
	if (resize)
		bpiofs_layout_begin(BPIOFS_I(inode));
	inode_lock(d_inode(lower));
	ret = notify_change(idmap, lower, &lower_attr, NULL);
	inode_unlock(d_inode(lower));
	if (resize)
		bpiofs_layout_end(BPIOFS_I(inode));
	bpiofs_copy_attr(inode);
	bpiofs_drop_write(vol);
	return ret;
}

static int setattr(struct bpio_idmap *idmap, struct dentry *dentry,
		   struct iattr *attr)
{
	int ret;

	ret = bpiofs_idmap_used(dentry->d_sb, idmap);
	if (ret)
		return ret;
	if (attr->ia_valid & ATTR_SIZE)
		return bpiofs_filtered_set_size(idmap, dentry, attr,
						set_lower_attr);
	return set_lower_attr(idmap, dentry, attr);
}

static ssize_t listxattr(struct dentry *dentry, char *list, size_t size)
{
	return vfs_listxattr(bpiofs_lower_dentry(dentry), list, size);
}

static int fileattr_get(struct dentry *dentry, struct bpio_fileattr *fa)
{
	return vfs_fileattr_get(bpiofs_lower_dentry(dentry), fa);
}

/* Some flags change how, and where, a file's blocks are kept. */
static int fileattr_set(struct bpio_idmap *idmap, struct dentry *dentry,
			struct bpio_fileattr *fa)
{
	struct vfsmount *mnt = bpiofs_vol(dentry->d_sb)->lower_mnt;
	struct bpiofs_inode *bi = BPIOFS_I(d_inode(dentry));
	int ret;

	/* R-FS-85 */
	if (fa->flags_valid && fa->flags & FS_COMPR_FL &&
	    READ_ONCE(bi->state.open_count))
		return bpio_status_to_errno(STATUS_NOT_SUPPORTED_WITH_BYPASSIO);
	ret = mnt_want_write(mnt);
	if (ret)
		return ret;
	bpiofs_layout_begin(bi);
	ret = vfs_fileattr_set(idmap, bpiofs_lower_dentry(dentry), fa);
	bpiofs_layout_end(bi);
	bpiofs_copy_attr(&bi->vfs_inode);
	mnt_drop_write(mnt);
	return ret;
}

static int fiemap(struct inode *inode, struct fiemap_extent_info *info,
		  u64 start, u64 length)
{
	struct inode *lower = bpiofs_lower_inode(inode);

	if (!lower->i_op->fiemap)
		return -EOPNOTSUPP;
	return lower->i_op->fiemap(lower, info, start, length);
}

/* Handlers get what is behind their prefix. */
static int xattr_get(const struct xattr_handler *handler,
		     struct dentry *dentry, struct inode *inode,
		     const char *name, void *value, size_t size)
{
	struct dentry *lower = bpiofs_lower_dentry(dentry);

	return __vfs_getxattr(lower, d_inode(lower),
			      xattr_full_name(handler, name), value, size);
}

static int xattr_set(const struct xattr_handler *handler,
		     struct bpio_idmap *idmap, struct dentry *dentry,
		     struct inode *inode, const char *name, const void *value,
		     size_t size, int flags)
{
	struct vfsmount *mnt = bpiofs_vol(dentry->d_sb)->lower_mnt;
	struct dentry *lower = bpiofs_lower_dentry(dentry);
	int ret;

	ret = mnt_want_write(mnt);
	if (ret)
		return ret;
	name = xattr_full_name(handler, name);
	inode_lock(d_inode(lower));
	if (value)
		ret = __vfs_setxattr_locked(idmap, lower, name, value, size,
					    flags, NULL);
	else if (!strcmp(name, XATTR_NAME_CAPS))
		/* a write or a new owner takes them away, no right is needed */
		ret = __vfs_removexattr(idmap, lower, name);
	else
		ret = __vfs_removexattr_locked(idmap, lower, name, NULL);
	inode_unlock(d_inode(lower));
	if (bpiofs_is_mark(name))
		bpiofs_marks_changed(BPIOFS_I(inode));
	bpiofs_copy_attr(inode);
	mnt_drop_write(mnt);
	return ret;
}

/* NFS servers look for this one, to tell that there are such attributes. */
static const struct xattr_handler user_xattr_handler = {
	.prefix	= XATTR_USER_PREFIX,
	.get	= xattr_get,
	.set	= xattr_set,
};

static const struct xattr_handler xattr_handler = {
	.prefix	= "",		/* any */
	.get	= xattr_get,
	.set	= xattr_set,
};

const struct xattr_handler *bpiofs_xattr_handlers[] = {
	&user_xattr_handler,
	&xattr_handler,
	NULL
};

static __maybe_unused struct posix_acl *acl_get(struct bpio_idmap *idmap,
						struct dentry *dentry, int type)
{
	return bpio_get_acl(idmap, bpiofs_lower_dentry(dentry), type);
}

static __maybe_unused int acl_set(struct bpio_idmap *idmap,
				  struct dentry *dentry, struct posix_acl *acl,
				  int type)
{
	struct vfsmount *mnt = bpiofs_vol(dentry->d_sb)->lower_mnt;
	struct dentry *lower = bpiofs_lower_dentry(dentry);
	int ret;

	ret = bpiofs_idmap_used(dentry->d_sb, idmap);
	if (ret)
		return ret;
	ret = mnt_want_write(mnt);
	if (ret)
		return ret;
	inode_lock(d_inode(lower));
	ret = bpio_set_acl(idmap, lower, acl, type);
	inode_unlock(d_inode(lower));
	bpiofs_copy_attr(d_inode(dentry));
	mnt_drop_write(mnt);
	return ret;
}

const struct inode_operations bpiofs_file_iops = {
	.permission	= permission,
	.getattr	= getattr,
	.setattr	= setattr,
	.listxattr	= listxattr,
	BPIO_ACL_OPS(acl_get, acl_set)
	.fileattr_get	= fileattr_get,
	.fileattr_set	= fileattr_set,
	.fiemap		= fiemap,
};

const struct inode_operations bpiofs_dir_iops = {
	.lookup		= lookup,
	.create		= create,
	.link		= link,
	.unlink		= unlink,
	.symlink	= symlink,
	.mkdir		= mkdir,
	.rmdir		= rmdir,
	.mknod		= mknod,
	.rename		= rename,
	.tmpfile	= tmpfile,
	.permission	= permission,
	.getattr	= getattr,
	.setattr	= setattr,
	.listxattr	= listxattr,
	BPIO_ACL_OPS(acl_get, acl_set)
	.fileattr_get	= fileattr_get,
	.fileattr_set	= fileattr_set,
};

const struct inode_operations bpiofs_symlink_iops = {
	.get_link	= get_link,
	.permission	= permission,
	.getattr	= getattr,
	.setattr	= setattr,
	.listxattr	= listxattr,
};

const struct inode_operations bpiofs_special_iops = {
	.permission	= permission,
	.getattr	= getattr,
	.setattr	= setattr,
	.listxattr	= listxattr,
	BPIO_ACL_OPS(acl_get, acl_set)
};
