/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only home of version tests and feature probes.  Callers use one name
 * and never an #if.
 */
#ifndef _BPIO_COMPAT_H
#define _BPIO_COMPAT_H

#include <linux/version.h>
#include <linux/blkdev.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/splice.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
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

/* Have a bio read into what a bvec iterator names; the iterator stays. */
static inline void bpio_bio_set_bvec(struct bio *bio, struct iov_iter *iter)
{
	bio->bi_io_vec = (struct bio_vec *)iter->bvec;
	bio->bi_vcnt = iter->nr_segs;
	bio->bi_iter.bi_bvec_done = iter->iov_offset;
	bio->bi_iter.bi_size = iov_iter_count(iter);
	/* neither its pages nor its vector are the bio's to release */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	bio_set_flag(bio, BIO_NO_PAGE_REF);
#endif
	bio_set_flag(bio, BIO_CLONED);
}

/* Whether the queues of a device can be polled. */
static inline bool bpio_bdev_can_poll(struct block_device *bdev)
{
#ifdef BLK_FEAT_POLL
	return bdev_get_queue(bdev)->limits.features & BLK_FEAT_POLL;
#else
	return test_bit(QUEUE_FLAG_POLL, &bdev_get_queue(bdev)->queue_flags);
#endif
}

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
	/* The first argument changed within the stable series. */
	return backing_file_open(_Generic(&backing_file_open,
					  struct file *(*)(const struct path *,
							   int,
							   const struct path *,
							   const struct cred *)
					  : &upper->f_path, default : upper),
				 flags, lower, current_cred());
}
#else
static inline struct file *bpio_open_lower(struct file *upper, int flags,
					   const struct path *lower)
{
	return open_with_fake_path(&upper->f_path, flags,
				   d_inode(lower->dentry), current_cred());
}
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

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
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
