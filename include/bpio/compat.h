/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only home of version tests and feature probes.  Callers use one name
 * and never an #if.
 */
#ifndef _BPIO_COMPAT_H
#define _BPIO_COMPAT_H

#include <linux/version.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/exportfs.h>
#include <linux/fileattr.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/splice.h>
#include <linux/workqueue.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/hex.h>
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* How a file system or device was opened, for block ioctl methods. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define BPIO_BLK_MODE_READ	BLK_OPEN_READ
#else
#define BPIO_BLK_MODE_READ	FMODE_READ
#endif

/* Head of a rq_end_io_fn. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define BPIO_RQ_END_IO(fn, rq, status) \
	enum rq_end_io_ret fn(struct request *rq, blk_status_t status, \
			      const struct io_comp_batch *bpio_batch)
#else
#define BPIO_RQ_END_IO(fn, rq, status) \
	enum rq_end_io_ret fn(struct request *rq, blk_status_t status)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define bpio_blk_rq_map_kern(rq, buf, len, gfp) \
	blk_rq_map_kern(rq, buf, len, gfp)
#else
#define bpio_blk_rq_map_kern(rq, buf, len, gfp) \
	blk_rq_map_kern((rq)->q, rq, buf, len, gfp)
#endif

#ifdef __BIG_ENDIAN
#error "the protocol structures are little endian; a big-endian port is open"
#endif

/* Internals that only the KUnit module may use. */
#if IS_ENABLED(CONFIG_KUNIT)
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define BPIO_EXPORT_FOR_KUNIT(sym) EXPORT_SYMBOL_NS_GPL(sym, "BPIO_KUNIT")
#define BPIO_IMPORT_KUNIT() MODULE_IMPORT_NS("BPIO_KUNIT")
#else
#define BPIO_EXPORT_FOR_KUNIT(sym) EXPORT_SYMBOL_NS_GPL(sym, BPIO_KUNIT)
#define BPIO_IMPORT_KUNIT() MODULE_IMPORT_NS(BPIO_KUNIT)
#endif
#else
#define BPIO_EXPORT_FOR_KUNIT(sym)
#endif

/* May the caller change the file as its owner or by CAP_FOWNER? */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define bpio_owner_or_capable(file) \
	inode_owner_or_capable(file_mnt_idmap(file), file_inode(file))
#else
#define bpio_owner_or_capable(file) \
	inode_owner_or_capable(file_mnt_user_ns(file), file_inode(file))
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif

/* struct file_lock got a common part with struct file_lease. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define bpio_fl_list		c.flc_list
#define bpio_fl_owner(fl)	((const void *)(fl)->c.flc_owner)
#define bpio_fl_is_write(fl)	((fl)->c.flc_type == F_WRLCK)
#else
#define bpio_fl_list		fl_list
#define bpio_fl_owner(fl)	((const void *)(fl)->fl_owner)
#define bpio_fl_is_write(fl)	((fl)->fl_type == F_WRLCK)
#endif

/* "xfs: fix SEEK_HOLE/DATA for regions with active COW extents" is not in it. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define BPIO_XFS_SEEK_PASSES_DATA true
#else
#define BPIO_XFS_SEEK_PASSES_DATA false
#endif

/* Identity mapping argument of inode operations and VFS helpers. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define bpio_idmap mnt_idmap
#define bpio_nop_idmap (&nop_mnt_idmap)
#define bpio_idmap_member(name) name##_mnt_idmap
#else
#define bpio_idmap user_namespace
#define bpio_nop_idmap (&init_user_ns)
#define bpio_idmap_member(name) name##_mnt_userns
#endif

/* Types that allow idmapped mounts may have super blocks that don't. */
#ifdef SB_I_NOIDMAP
#define BPIO_SB_I_NOIDMAP SB_I_NOIDMAP
#else
#define BPIO_SB_I_NOIDMAP 0
#endif

/*
 * Access control lists left the extended attributes for inode operations of
 * their own in 6.2.  BPIO_ACL_OPS() lists these where they are.
 */
#include <linux/posix_acl.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include <linux/posix_acl_xattr.h>
#define BPIO_ACL_OPS(get, set) .get_acl = (get), .set_acl = (set),
#define bpio_get_acl(idmap, dentry, type) \
	vfs_get_acl(idmap, dentry, posix_acl_xattr_name(type))
/* Not vfs_set_acl(): the ids in @acl have been mapped. */
#define bpio_set_acl(idmap, dentry, acl, type) \
	set_posix_acl(idmap, dentry, type, acl)
#else
#define BPIO_ACL_OPS(get, set)
#define bpio_get_acl(idmap, dentry, type) ERR_PTR(-EOPNOTSUPP)
#define bpio_set_acl(idmap, dentry, acl, type) (-EOPNOTSUPP)
#endif

/* The peer below has them cached. */
static inline void bpio_dont_cache_acl(struct inode *inode)
{
#ifdef CONFIG_FS_POSIX_ACL
	inode->i_acl = ACL_DONT_CACHE;
	inode->i_default_acl = ACL_DONT_CACHE;
#endif
}

/* How much of its first vector the iterator of a bio has behind it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define bpio_bvec_done bi_offset
#else
#define bpio_bvec_done bi_bvec_done
#endif

/* Have a bio read into what a bvec iterator names; the iterator stays. */
static inline void bpio_bio_set_bvec(struct bio *bio, struct iov_iter *iter)
{
	bio->bi_io_vec = (struct bio_vec *)iter->bvec;
	bio->bi_vcnt = iter->nr_segs;
	bio->bi_iter.bpio_bvec_done = iter->iov_offset;
	bio->bi_iter.bi_size = iov_iter_count(iter);
	/* neither its pages nor its vector are the bio's to release */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	bio_set_flag(bio, BIO_NO_PAGE_REF);
#endif
	bio_set_flag(bio, BIO_CLONED);
}

/*
 * bpio_bio_get_pages - add pages of an iterator to a bio, whole blocks only
 *
 * bi_bdev of @bio is set.  bio_iov_iter_get_pages() became one more argument in
 * 6.18 and another later, and is not exported in 7.2.
 *
 * Return: 0, @iter is that much further; -EINVAL for memory that the device
 * cannot reach, -EFAULT.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
static inline int bpio_bio_get_pages(struct bio *bio, struct iov_iter *iter)
{
	const bool pin = iov_iter_extract_will_pin(iter);
	struct block_device *bdev = bio->bi_bdev;
	iov_iter_extraction_t flags = 0;
	struct page *pages[16], **p = pages;
	struct bio_vec *last;
	unsigned int nr, i, length, trim;
	ssize_t got = 0;
	size_t offset;

	if (iov_iter_is_bvec(iter)) {
		bpio_bio_set_bvec(bio, iter);
		iov_iter_advance(iter, bio->bi_iter.bi_size);
		return 0;
	}
	if (blk_queue_pci_p2pdma(bdev_get_queue(bdev)))
		flags |= ITER_ALLOW_P2PDMA;
	if (pin)
		bio_set_flag(bio, BIO_PAGE_PINNED);
	while (iov_iter_count(iter) && bio->bi_vcnt < bio->bi_max_vecs) {
		nr = min_t(unsigned int, ARRAY_SIZE(pages),
			   bio->bi_max_vecs - bio->bi_vcnt);
		got = iov_iter_extract_pages(iter, &p, nr * PAGE_SIZE, nr,
					     flags, &offset);
		if (got <= 0)
			break;
		/* one vector for each, so that each is released once */
		for (i = 0; got; i++, got -= length, offset = 0) {
			length = min_t(size_t, got, PAGE_SIZE - offset);
			__bio_add_page(bio, pages[i], length, offset);
			if (offset & bdev_dma_alignment(bdev))
				goto misaligned;
		}
	}
	trim = bio->bi_iter.bi_size & (bdev_logical_block_size(bdev) - 1);
	iov_iter_revert(iter, trim);
	bio->bi_iter.bi_size -= trim;
	while (trim) {
		last = &bio->bi_io_vec[bio->bi_vcnt - 1];
		if (trim < last->bv_len) {
			last->bv_len -= trim;
			break;
		}
		trim -= last->bv_len;
		if (pin)
			unpin_user_page(last->bv_page);
		bio->bi_vcnt--;
	}
	if (bio->bi_vcnt)
		return 0;
	return got < 0 ? got : -EFAULT;

misaligned:
	for (got -= length, i++; got > 0; i++, got -= PAGE_SIZE)
		if (pin)
			unpin_user_page(pages[i]);
	bio_release_pages(bio, false);
	bio->bi_vcnt = 0;
	bio->bi_iter.bi_size = 0;
	return -EINVAL;
}
#else
#define bpio_bio_get_pages(bio, iter) bio_iov_iter_get_pages(bio, iter)
#endif

/* Sleep until woken, or a while, without an alarm about hung tasks. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define bpio_io_schedule() io_schedule_timeout(30 * HZ)
#else
#define bpio_io_schedule() blk_io_schedule()
#endif

/*
 * May a device read straight into each segment of an iterator?  From 6.18 on
 * that shows when the pages are added, too late for who wants to know before.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
static inline bool bpio_bdev_iter_is_aligned(struct block_device *bdev,
					     const struct iov_iter *iter)
{
	const unsigned int len_mask = bdev_logical_block_size(bdev) - 1;
	const unsigned int mem_mask = bdev_dma_alignment(bdev);
	struct iov_iter rest = *iter;
	unsigned long at;
	size_t length;

	if (iov_iter_is_discard(iter))
		return true;
	if (iov_iter_is_xarray(iter) || iov_iter_is_folioq(iter))
		return !(iov_iter_alignment(iter) & (mem_mask | len_mask));
	while (iov_iter_count(&rest)) {
		length = iov_iter_single_seg_count(&rest);
		if (!length)	/* an empty segment: a step of 0 leaves it */
			return false;
		if (iov_iter_is_bvec(&rest))
			at = rest.bvec->bv_offset + rest.iov_offset;
		else if (iov_iter_is_kvec(&rest))
			at = (unsigned long)rest.kvec->iov_base +
			     rest.iov_offset;
		else if (iter_is_ubuf(&rest))
			at = (unsigned long)rest.ubuf + rest.iov_offset;
		else
			at = (unsigned long)iter_iov_addr(&rest);
		if (at & mem_mask || length & len_mask)
			return false;
		iov_iter_advance(&rest, length);
	}
	return true;
}
#else
#define bpio_bdev_iter_is_aligned(bdev, iter) bdev_iter_is_aligned(bdev, iter)
#endif

/* Pages of a folio are in a row since 6.18, whatever the memory model. */
#ifdef nth_page
#define bpio_nth_page(page, n) nth_page(page, n)
#else
#define bpio_nth_page(page, n) ((page) + (n))
#endif

/* Of a target's prepare_ioctl(), behind the target. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define BPIO_PREPARE_IOCTL_ARGS \
	struct block_device **bdev, unsigned int cmd, unsigned long arg, \
	bool *forward
#else
#define BPIO_PREPARE_IOCTL_ARGS struct block_device **bdev
#endif

/* Whether the queues of a device can be polled. */
static inline bool bpio_bdev_can_poll(struct block_device *bdev)
{
#ifdef BLK_FEAT_POLL
	return bdev_get_queue(bdev)->limits.features & BLK_FEAT_POLL;
#else
	return test_bit(QUEUE_FLAG_POLL, &bdev_get_queue(bdev)->queue_flags);
#endif
}

/* Open without notifications; from 6.14 on that is no open flag any more. */
#ifdef __FMODE_NONOTIFY
#define BPIO_O_NONOTIFY __FMODE_NONOTIFY
#else
#define BPIO_O_NONOTIFY 0
#endif

/*
 * bpio_open_lower - open the file below an open file of a stacking file system
 *
 * The result pins the upper mount, so nothing mapped or in flight below
 * outlives it, and is shown under the upper path.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#include <linux/backing-file.h>

static inline struct file *bpio_open_lower(struct file *upper, int flags,
					   const struct path *lower)
{
	struct file *file;

	/* The first argument changed within the stable series. */
	file = backing_file_open(_Generic(&backing_file_open,
					  struct file *(*)(const struct path *,
							   int,
							   const struct path *,
							   const struct cred *)
					  : &upper->f_path, default : upper),
				 flags, lower, current_cred());
#ifndef __FMODE_NONOTIFY
	if (!IS_ERR(file))
		file_set_fsnotify_mode(file, FMODE_NONOTIFY);
#endif
	return file;
}
#else
static inline struct file *bpio_open_lower(struct file *upper, int flags,
					   const struct path *lower)
{
	return open_with_fake_path(&upper->f_path, flags,
				   d_inode(lower->dentry), current_cred());
}
#endif

/*
 * Mapping a lower file.  Since 6.17 most file systems implement mmap_prepare()
 * in place of mmap(); vfs_mmap() calls either.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define BPIO_MMAP_PREPARE
#define bpio_can_mmap(file) can_mmap_file(file)
#define bpio_vfs_mmap(file, vma) vfs_mmap(file, vma)
#else
#define bpio_can_mmap(file) (!!(file)->f_op->mmap)
#define bpio_vfs_mmap(file, vma) call_mmap(file, vma)
#endif

/* The system's unbound workqueue.  Work on the old name warns on 7.3. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define bpio_system_wq system_dfl_wq
#else
#define bpio_system_wq system_unbound_wq
#endif

/* What is said of a file by FS_IOC_GETFLAGS and FS_IOC_FSGETXATTR. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define bpio_fileattr file_kattr
#define bpio_set_d_op(sb, ops) set_default_d_op(sb, ops)
#else
#define bpio_fileattr fileattr
#define bpio_set_d_op(sb, ops) ((void)((sb)->s_d_op = (ops)))
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define bpio_parse_fs_string(fc, key, value) \
	vfs_parse_fs_string(fc, key, value)
#else
static inline int bpio_parse_fs_string(struct fs_context *fc, const char *key,
				       const char *value)
{
	return vfs_parse_fs_string(fc, key, value, value ? strlen(value) : 0);
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define bpio_inode_is_new(inode) (inode_state_read_once(inode) & I_NEW)
#else
#define bpio_inode_is_new(inode) ((inode)->i_state & I_NEW)
#endif

/* Looks a name up, its directory not locked; no permissions are checked. */
static inline struct dentry *bpio_lookup_unlocked(struct dentry *dir,
						  const struct qstr *name)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return lookup_noperm_unlocked(&QSTR_LEN(name->name, name->len), dir);
#else
	return lookup_one_len_unlocked(name->name, dir, name->len);
#endif
}

/* vfs_iocb_iter_write() under freeze protection, which it takes since 6.8. */
static inline ssize_t bpio_vfs_iocb_iter_write(struct file *file,
					       struct kiocb *iocb,
					       struct iov_iter *iter)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return vfs_iocb_iter_write(file, iocb, iter);
#else
	ssize_t ret;

	file_start_write(file);
	ret = vfs_iocb_iter_write(file, iocb, iter);
	file_end_write(file);
	return ret;
#endif
}

/* d_revalidate() is told the directory and the name since 6.14. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define BPIO_D_REVALIDATE_ARGS \
	struct inode *bpio_dir, const struct qstr *bpio_name,

static inline int bpio_d_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct dentry *parent = dget_parent(dentry);
	struct name_snapshot name;
	int ret;

	take_dentry_name_snapshot(&name, dentry);
	ret = dentry->d_op->d_revalidate(d_inode(parent), &name.name, dentry,
					 flags);
	release_dentry_name_snapshot(&name);
	dput(parent);
	return ret;
}
#else
#define BPIO_D_REVALIDATE_ARGS

static inline int bpio_d_revalidate(struct dentry *dentry, unsigned int flags)
{
	return dentry->d_op->d_revalidate(dentry, flags);
}
#endif

/* Of create(), behind the name; in 7.3 it is not told whether to be first. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define BPIO_CREATE_ARGS umode_t mode
#else
#define BPIO_CREATE_ARGS umode_t mode, bool excl
#endif

/* Changes of one name; its directory is locked by the caller. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define bpio_vfs_create(idmap, dir, dentry, mode, excl) \
	vfs_create(idmap, dentry, mode, NULL)
#define bpio_vfs_mknod(idmap, dir, dentry, mode, dev) \
	vfs_mknod(idmap, dir, dentry, mode, dev, NULL)
#define bpio_vfs_symlink(idmap, dir, dentry, target) \
	vfs_symlink(idmap, dir, dentry, target, NULL)
#define bpio_vfs_rmdir(idmap, dir, dentry) \
	vfs_rmdir(idmap, dir, dentry, NULL)
#else
#define bpio_vfs_create(idmap, dir, dentry, mode, excl) \
	vfs_create(idmap, dir, dentry, mode, excl)
#define bpio_vfs_mknod(idmap, dir, dentry, mode, dev) \
	vfs_mknod(idmap, dir, dentry, mode, dev)
#define bpio_vfs_symlink(idmap, dir, dentry, target) \
	vfs_symlink(idmap, dir, dentry, target)
#define bpio_vfs_rmdir(idmap, dir, dentry) \
	vfs_rmdir(idmap, dir, dentry)
#endif

/*
 * mkdir() gives back the dentry that it made instead, if it did, since 6.15.
 * bpio_mkdir_ret is what the method returns, made of an errno.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define bpio_mkdir_ret struct dentry *
#define bpio_mkdir_result(ret) ERR_PTR(ret)

static inline int bpio_vfs_mkdir(struct bpio_idmap *idmap, struct inode *dir,
				 struct dentry *dentry, umode_t mode)
{
	/* It consumes a reference to the one and gives one to the other. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	dentry = vfs_mkdir(idmap, dir, dget(dentry), mode, NULL);
	/* and when it fails, it unlocks the directory as well */
	if (IS_ERR(dentry))
		inode_lock_nested(dir, I_MUTEX_PARENT);
#else
	dentry = vfs_mkdir(idmap, dir, dget(dentry), mode);
#endif
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	dput(dentry);
	return 0;
}
#else
#define bpio_mkdir_ret int
#define bpio_mkdir_result(ret) (ret)
#define bpio_vfs_mkdir(idmap, dir, dentry, mode) \
	vfs_mkdir(idmap, dir, dentry, mode)
#endif

/*
 * bpio_start_renaming - lock the directories of two names, for vfs_rename(@rd)
 *
 * Return: 0; -ESTALE when the names are not there any more, -EINVAL or
 * -ENOTEMPTY when one is above the other, which the VFS has seen to unless
 * somebody else changes the file system.
 */
static inline int bpio_start_renaming(struct renamedata *rd,
				      struct bpio_idmap *idmap,
				      struct dentry *old_parent,
				      struct dentry *old,
				      struct dentry *new_parent,
				      struct dentry *new, unsigned int flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	struct dentry *trap;
#endif
	int ret = 0;

	*rd = (struct renamedata) {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
		.mnt_idmap = idmap,
#else
		.bpio_idmap_member(old) = idmap,
		.bpio_idmap_member(new) = idmap,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
		.old_parent = old_parent,
		.new_parent = new_parent,
#else
		.old_dir = d_inode(old_parent),
		.new_dir = d_inode(new_parent),
#endif
		.flags = flags,
	};
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	ret = start_renaming_two_dentries(rd, old, new);
	/* the one for both; that it is stale is by far the likelier */
	return ret == -EINVAL ? -ESTALE : ret;
#else
	rd->old_dentry = old;
	rd->new_dentry = new;
	trap = lock_rename(old_parent, new_parent);
	if (IS_ERR(trap))
		return PTR_ERR(trap);
	if (old->d_parent != old_parent || new->d_parent != new_parent ||
	    d_unhashed(old) || d_unhashed(new))
		ret = -ESTALE;
	/* The VFS has checked both above; the trees below are the same. */
	else if (trap == old)
		ret = -EINVAL;
	else if (trap == new)
		ret = flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (ret)
		unlock_rename(old_parent, new_parent);
	return ret;
#endif
}

/* What was renamed has another parent by now. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define bpio_end_renaming(rd, old_parent, new_parent) end_renaming(rd)
#else
#define bpio_end_renaming(rd, old_parent, new_parent) \
	unlock_rename(old_parent, new_parent)
#endif

/* An opened lower file leads back to the lower dentry. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define BPIO_D_REAL_ARG enum d_real_type type
#define bpio_d_real_is_upper(dentry, type) false
#else
#define BPIO_D_REAL_ARG const struct inode *inode
#define bpio_d_real_is_upper(dentry, inode) ((inode) == d_inode(dentry))
#endif

/* A direct write may ask its submitter to complete it: not through a stack. */
#ifndef IOCB_DIO_CALLER_COMP
#define IOCB_DIO_CALLER_COMP 0
#endif

/* Reading into a pipe goes through read_iter, or to a file below. */
static inline ssize_t bpio_splice_read(struct file *in, struct file *lower,
				       loff_t *ppos,
				       struct pipe_inode_info *pipe,
				       size_t len, unsigned int flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	if (lower && !(in->f_flags & O_DIRECT))
		return vfs_splice_read(lower, ppos, pipe, len, flags);
	return copy_splice_read(in, ppos, pipe, len, flags);
#else
	return generic_file_splice_read(in, ppos, pipe, len, flags);
#endif
}

/*
 * What tells NFS clients that an inode has changed, made as nfsd makes it.
 * Since 6.3 nfsd asks getattr() for it.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define BPIO_FETCH_IVERSION(fetch)
static inline u64 bpio_change_attribute(struct inode *inode)
{
	return 0;
}
#else
#include <linux/iversion.h>
#define BPIO_FETCH_IVERSION(fetch) .fetch_iversion = fetch,
static inline u64 bpio_change_attribute(struct inode *inode)
{
	if (!IS_I_VERSION(inode))
		return time_to_chattr(&inode->i_ctime);
	return ((u64)inode->i_ctime.tv_sec << 30) + inode->i_ctime.tv_nsec +
	       inode_query_iversion(inode);
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define bpio_splice_copy(in, pos_in, out, pos_out, len) \
	splice_copy_file_range(in, pos_in, out, pos_out, len)
#else
#define bpio_splice_copy(in, pos_in, out, pos_out, len) \
	generic_copy_file_range(in, pos_in, out, pos_out, len, 0)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define bpio_freeze_super(sb) freeze_super(sb, FREEZE_HOLDER_KERNEL, NULL)
#define bpio_thaw_super(sb) thaw_super(sb, FREEZE_HOLDER_KERNEL, NULL)
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define bpio_freeze_super(sb) freeze_super(sb, FREEZE_HOLDER_KERNEL)
#define bpio_thaw_super(sb) thaw_super(sb, FREEZE_HOLDER_KERNEL)
#else
#define bpio_freeze_super(sb) freeze_super(sb)
#define bpio_thaw_super(sb) thaw_super(sb)
#endif

/*
 * A block device opened by number for a look, without a claim.  The way to do
 * that changed in 6.5, 6.7 and 6.9; the releases between are not supported.
 */
struct bpio_bdev_handle {
	struct block_device *bdev;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	struct file *file;
#endif
};

static inline int bpio_bdev_open(dev_t devt, struct bpio_bdev_handle *handle)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	handle->file = bdev_file_open_by_dev(devt, BLK_OPEN_READ, NULL, NULL);
	if (IS_ERR(handle->file))
		return PTR_ERR(handle->file);
	handle->bdev = file_bdev(handle->file);
#else
	handle->bdev = blkdev_get_by_dev(devt, FMODE_READ, NULL);
	if (IS_ERR(handle->bdev))
		return PTR_ERR(handle->bdev);
#endif
	return 0;
}

static inline void bpio_bdev_close(struct bpio_bdev_handle *handle)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	fput(handle->file);
#else
	blkdev_put(handle->bdev, FMODE_READ);
#endif
}

/* A file without a name, opened for the kernel. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define bpio_tmpfile_open(idmap, dir, mode, flags) \
	kernel_tmpfile_open(idmap, dir, mode, flags, current_cred())
#else
#define bpio_tmpfile_open(idmap, dir, mode, flags) \
	vfs_tmpfile_open(idmap, dir, mode, flags, current_cred())
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define bpio_encode_inode_fh(inode, fid, max_len, parent) \
	exportfs_encode_inode_fh(inode, fid, max_len, parent, 0)
#else
#define bpio_encode_inode_fh(inode, fid, max_len, parent) \
	exportfs_encode_inode_fh(inode, fid, max_len, parent)
#endif

/* Shrinkers are allocated by their owners before 6.7. */
#include <linux/shrinker.h>
#include <linux/slab.h>

static inline struct shrinker *
bpio_shrinker_start(const char *name,
		    unsigned long (*count)(struct shrinker *shrinker,
					   struct shrink_control *control),
		    unsigned long (*scan)(struct shrinker *shrinker,
					  struct shrink_control *control))
{
	struct shrinker *shrinker;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker = shrinker_alloc(0, "%s", name);
#else
	shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
#endif
	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_register(shrinker);
#else
	if (register_shrinker(shrinker, "%s", name)) {
		kfree(shrinker);
		return NULL;
	}
#endif
	return shrinker;
}

static inline void bpio_shrinker_stop(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

/* __assign_str() takes the field alone since 6.10. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define bpio_assign_str(field, src) __assign_str(field)
#else
#define bpio_assign_str(field, src) __assign_str(field, src)
#endif

#endif /* _BPIO_COMPAT_H */
