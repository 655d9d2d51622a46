/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private types and prototypes of bpiofs, grouped by .c file.
 *
 * bpiofs is stacked one to one: every super block, inode, dentry and open
 * file has exactly one peer in the file system below, which bpiofs mounts
 * itself and shares with nobody.
 *
 * Locks, outermost first:
 *	bpiofs i_rwsem (VFS)
 *	bpiofs_inode.offload_lock	one token copy per stream at a time
 *	lower freeze protection
 *	locks of filters
 *	lower i_rwsem			taken by the lower file system, or shared
 *					by the bypass look-up
 *	bpiofs_volume.storage_lock	storage requests; before lower i_rwsem
 *	bpiofs_volume.state_lock	BypassIO state; inside storage_lock
 */
#ifndef _BPIOFS_H
#define _BPIOFS_H

#include <linux/bpio.h>
#include <linux/fs.h>
#include <linux/seqlock.h>
#include <linux/fs_parser.h>
#include <linux/fs_stack.h>
#include <linux/kobject.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/xarray.h>
#include <bpio/carrier.h>
#include <bpio/compat.h>
#include <bpio/status.h>
#include <bpio/storage.h>
#include "filters.h"
#include "state.h"

#define BPIOFS_NAME		"bpiofs"
#define BPIOFS_DRIVER_NAME	"bpiofs.ko"
#define BPIOFS_SUPER_MAGIC	0x6270696f	/* "bpio" */

/* What became of a byte of copy_file_range(). */
enum bpiofs_copied {
	BPIOFS_COPIED_OFFLOAD,	/* by a token */
	BPIOFS_COPIED_HOLE,	/* it was, and is, in a hole */
	BPIOFS_COPIED_SHARED,	/* the files share its block */
	BPIOFS_COPIED_SPLICE,	/* by way of the host's memory */
	BPIOFS_COPIED_NR,
};

struct bpiofs_stats {
	u64 reads[BPIOFS_PATH_NR];
	u64 bytes[BPIOFS_PATH_NR];
	u64 reasons[BPIOFS_WHY_NR];
	u64 copied[BPIOFS_COPIED_NR];
} ____cacheline_aligned_in_smp;

/**
 * struct bpiofs_params - mount options
 * @source: path of the block device
 * @lower: file system type, or NULL: told by the signature
 * @lowerdata: options for it, or NULL
 * @bypassio_auto: enable BypassIO on every O_DIRECT open for reading
 * @control_any: R-FS-3 to the letter
 */
struct bpiofs_params {
	char *source;
	char *lower;
	char *lowerdata;
	bool bypassio_auto;
	bool control_any;
};

/**
 * struct bpiofs_volume - one mount; sb->s_fs_info
 * @sb: the bpiofs super block
 * @lower_mnt: the private mount below
 * @lower_sb: its super block
 * @cred: the mounter's credentials; see creds.c
 * @bdev: the block device below the lower file system (lower_sb->s_bdev)
 * @stg: the storage layer, or NULL when @bdev is not a bpio volume or the lower
 *	file system does not take markers
 * @layout_moves: a write below may move written blocks (copy on write)
 * @takes_markers: marker I/O can be used with the lower file system
 * @nowait_whole: a direct read below with IOCB_NOWAIT starts whole or not at all
 * @idmapped: an idmapped mount has been used; see idmap.c
 * @no_stg_results: without @stg: the verdict, asked for at mount with the
 *	rights of the one who mounts
 * @no_stg_driver: without @stg: the storage driver, likewise
 * @stats: counters
 * @vm_ops: see mmap.c; made when first needed
 * @file_ops: likewise, one for each kind of lower file operations
 * @params: mount options
 * @state_lock: guards @state and the stream and open states of the mount
 * @state: BypassIO state of the volume
 * @no_offload_read_until: jiffies until which IsOffloadReadSupported is false;
 *	0: it is true (OR-27)
 * @no_offload_write_until: the same for writes (OW-25)
 * @kobj: /sys/fs/bpiofs/<device>
 * @kobj_gone: completed when nobody uses @kobj any more
 * @filters: filters that are attached
 * @partial_gate: entered by reads that skip the filters but not the volume
 *	stack; see read.c
 * @of_mounts: filters.c's
 * @writers: tasks that hold the lower freeze protection on behalf of what they
 *	call, by pid; see bpiofs_writer_begin()
 * @export_lock: see export.c
 * @storage_lock: serialises what changes @state together with the storage
 *	layer; held over bpio_volume_control(); outside @state_lock, inside
 *	dm-bpio's client_lock; nothing under it waits for I/O or reclaim, see
 *	struct bpio_client_ops
 */
struct bpiofs_volume {
	struct super_block *sb;
	struct vfsmount *lower_mnt;
	struct super_block *lower_sb;
	const struct cred *cred;
	struct block_device *bdev;
	struct bpio_volume *stg;
	bool layout_moves;
	bool takes_markers;
	bool nowait_whole;
	bool idmapped;
	struct bpio_results no_stg_results;
	char no_stg_driver[BPIO_DRIVER_NAME_CHARS + 1];
	struct bpiofs_params params;
	struct bpiofs_stats __percpu *stats;
	struct bpiofs_vm_ops *vm_ops;
	struct bpiofs_file_ops *file_ops;

	struct mutex storage_lock;	/* storage requests */
	struct mutex state_lock;	/* @state */
	struct bpiofs_volume_state state;

	unsigned long no_offload_read_until;
	unsigned long no_offload_write_until;

	struct flt_volume filters;
	struct bpio_gate partial_gate;
	struct list_head of_mounts;
	struct xarray writers;
	struct rw_semaphore export_lock;

	struct kobject kobj;
	struct completion kobj_gone;
};

/* Is the lower file system mounted nowhere else? */
static inline bool bpiofs_lower_is_ours(const struct bpiofs_volume *vol)
{
	return atomic_read(&vol->lower_sb->s_active) == 1;
}

/* Sectors of a file in one run, and where that lies; returned in registers. */
struct bpiofs_run {
	sector_t nr_sectors;
	sector_t sector;		/* of the volume */
};

/* The longest run of a file that is known. */
struct bpiofs_long_run {
	int seq;			/* layout_seq that it was found under */
	sector_t first_sectors;		/* of the file */
	sector_t nr_sectors;
	sector_t sector;		/* of the volume */
};

/**
 * struct bpiofs_inode - one stream
 * @vfs_inode: the inode that the VFS sees
 * @lower: its peer; one reference
 * @state: BypassIO state, under bpiofs_volume.state_lock
 * @cached_opens: opens whose last I/O was cached
 * @layout_changers: operations under way that may move or free blocks; while
 *	there are any, @chunks is not used
 * @layout_seq: bumped when such an operation begins and when it ends; a chunk
 *	is good while its number is this one
 * @delayed_seq: bumped by each write that may move blocks later, at write-back,
 *	and by the end of each mapping counted in @moving_maps
 * @delayed_seen: the @delayed_seq up to which @layout_seq accounts for it
 * @moving_maps: shared writable mappings: blocks can be moved or freed through
 *	them without an operation of bpiofs
 * @chunks: extent cache: file offset / BPIOFS_CHUNK -> struct bpiofs_chunk,
 *	read under RCU; changed under xa_lock
 * @long_run: the longest run in there; changed under i_lock of vfs_inode
 * @long_run_count: for those who read @long_run
 * @cached: in the list of inodes with chunks; see extent.c
 * @judged: what state.sparse was found with; under vfs_inode.i_lock
 * @judged.dense: the size when it is not sparse, else -1; read without the lock,
 *	after @judged.seq, see is_dense()
 * @opens: opens with counters, under bpiofs_volume.state_lock
 * @past: counters of opens that were closed, likewise; NULL: none
 * @flt_streams: what filters keep for it; see filter-streams.c
 * @transformed: filters that change its data
 * @marks_seq: bumped when a mark has changed; see filter-marks.c
 * @unmarked_seq: the @marks_seq that it was found to have no mark with
 * @file_opens: open files of it
 * @offload_lock: one token copy into, or token read from, the stream
 */
struct bpiofs_inode {
	struct inode vfs_inode;
	struct inode *lower;
	struct bpiofs_stream_state state;
	atomic_t cached_opens;
	atomic_t layout_changers;
	atomic_t layout_seq;
	atomic_t delayed_seq;
	atomic_t delayed_seen;
	atomic_t moving_maps;
	struct xarray chunks;
	seqcount_spinlock_t long_run_count;
	struct bpiofs_long_run long_run;
	struct list_head cached;
	struct {
		int seq;
		blkcnt_t blocks;
		loff_t size;
		loff_t dense;
	} judged;
	struct list_head opens;
	struct bpiofs_stats *past;
	struct hlist_head flt_streams;
	atomic_t transformed;
	atomic_t marks_seq;
	int unmarked_seq;
	atomic_t file_opens;
	struct mutex offload_lock;	/* one token at a time */
};

/**
 * struct bpiofs_file - one open; file->private_data
 * @lower: the open file below, O_NOATIME, same flags otherwise
 * @enabled: BypassIO is enabled on this open; written under state_lock
 * @cached: counted in bpiofs_inode.cached_opens
 * @stats: counters since it was first enabled, by CPU; else NULL.  No percpu
 *	memory: its allocator searches, the longer the more there are
 * @of_inode: in bpiofs_inode.opens
 */
struct bpiofs_file {
	struct file *lower;
	bool enabled;
	bool cached;
	struct bpiofs_stats *stats;
	struct list_head of_inode;
};

static inline struct bpiofs_volume *bpiofs_vol(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct bpiofs_inode *BPIOFS_I(struct inode *inode)
{
	return container_of(inode, struct bpiofs_inode, vfs_inode);
}

static inline struct bpiofs_file *bpiofs_file(const struct file *file)
{
	return file->private_data;
}

static inline struct inode *bpiofs_lower_inode(struct inode *inode)
{
	return BPIOFS_I(inode)->lower;
}

/* A positive or negative dentry's peer; holds a reference in d_fsdata. */
static inline struct dentry *bpiofs_lower_dentry(const struct dentry *dentry)
{
	return dentry->d_fsdata;
}

/* Not file->f_path of an open lower file: that carries ours, or an overlay's. */
static inline struct path bpiofs_lower_path(const struct dentry *dentry)
{
	return (struct path) {
		.mnt = bpiofs_vol(dentry->d_sb)->lower_mnt,
		.dentry = bpiofs_lower_dentry(dentry),
	};
}

/* The root directory of the mount is the volume handle (architecture 1.2). */
static inline bool bpiofs_is_volume_handle(const struct inode *inode)
{
	return inode == d_inode(inode->i_sb->s_root);
}

/* super.c, params.c */
extern struct file_system_type bpiofs_type;
int bpiofs_init_fs_context(struct fs_context *fc);
extern const struct fs_parameter_spec bpiofs_parameters[];
int bpiofs_parse_param(struct fs_context *fc, struct fs_parameter *param);
int bpiofs_show_options(struct seq_file *m, struct dentry *root);
extern const struct super_operations bpiofs_super_ops;
int bpiofs_inode_cache_init(void);
void bpiofs_inode_cache_exit(void);

/* inode.c */
struct inode *bpiofs_iget(struct super_block *sb, struct inode *lower);
void bpiofs_copy_attr(struct inode *inode);
extern const struct inode_operations bpiofs_file_iops;
extern const struct inode_operations bpiofs_dir_iops;
extern const struct inode_operations bpiofs_symlink_iops;
extern const struct inode_operations bpiofs_special_iops;
extern const struct dentry_operations bpiofs_dentry_ops;

/* idmap.c */
void bpiofs_idmap_mount(struct bpiofs_volume *vol);
int __bpiofs_idmap_used(struct bpiofs_volume *vol);
int bpiofs_allowed_begin(struct bpiofs_volume *vol, const struct cred **old);
void bpiofs_allowed_end(const struct cred *old);

static inline int bpiofs_idmap_used(const struct super_block *sb,
				    const struct bpio_idmap *idmap)
{
	if (likely(idmap == bpio_nop_idmap))
		return 0;
	return __bpiofs_idmap_used(bpiofs_vol(sb));
}

/* creds.c */
int bpiofs_creds_mount(struct bpiofs_volume *vol);
void bpiofs_creds_umount(struct bpiofs_volume *vol);
const struct cred *bpiofs_mounter_begin(const struct bpiofs_volume *vol);
void bpiofs_mounter_end(const struct cred *old);
int bpiofs_caller_begin(const struct bpiofs_volume *vol,
			const struct cred **old);
void bpiofs_caller_end(const struct cred *old);

/* file.c */
extern const struct file_operations bpiofs_file_fops;
bool bpiofs_is_filtered(struct file *file, enum flt_op op);
ssize_t bpiofs_lower_read(struct kiocb *iocb, struct iov_iter *to);
ssize_t bpiofs_partial_read(struct kiocb *iocb, struct iov_iter *to);
ssize_t bpiofs_lower_write(struct kiocb *iocb, struct iov_iter *from);

int bpiofs_writer_begin(struct bpiofs_volume *vol);
int bpiofs_writer_borrow(struct bpiofs_volume *vol);
void bpiofs_writer_end(struct bpiofs_volume *vol);
int bpiofs_want_write(struct bpiofs_volume *vol);
void bpiofs_drop_write(struct bpiofs_volume *vol);

/* mmap.c */
int bpiofs_watch_lower(struct bpiofs_volume *vol, struct file *lower);
int bpiofs_mmap(struct file *file, struct vm_area_struct *vma);
void bpiofs_mmap_umount(struct bpiofs_volume *vol);

/* dir.c */
extern const struct file_operations bpiofs_dir_fops;

/* ioctl.c */
void bpiofs_fsctl(struct file *file, struct bpio_request *req);
long bpiofs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long bpiofs_compat_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg);

/* bypass.c: the file system role of BypassIO */
int bpiofs_bypass_mount(struct bpiofs_volume *vol);
void bpiofs_bypass_umount(struct bpiofs_volume *vol);
unsigned int bpiofs_suspended_by(struct bpiofs_volume *vol);
bool bpiofs_storage_driver(struct bpiofs_volume *vol, char *name, size_t size);
void bpiofs_bypass_open(struct file *file);
void bpiofs_bypass_release(struct file *file);
void bpiofs_show_fdinfo(struct seq_file *m, struct file *file);
bool bpiofs_is_sparse(struct file *file);
void bpiofs_find_kind(struct file *file, struct bpiofs_kind *kind);
void bpiofs_manage_bypass_io(struct file *file, struct bpio_request *req);

/* seek.c: where the next data is */
loff_t bpiofs_seek_data(struct file *lower, loff_t pos);

/* extent.c: file range -> volume extents */
int bpiofs_extent_cache_init(void);
void bpiofs_extent_cache_exit(void);
void bpiofs_extents_init(struct bpiofs_inode *bi);
void bpiofs_extents_destroy(struct bpiofs_inode *bi);
void bpiofs_layout_begin(struct bpiofs_inode *bi);
void bpiofs_layout_end(struct bpiofs_inode *bi);
void bpiofs_write_begin(struct bpiofs_inode *bi);
void bpiofs_write_end(struct bpiofs_inode *bi);
bool bpiofs_layout_stable(struct bpiofs_inode *bi);
struct bpiofs_run bpiofs_chunk_lookup(struct bpiofs_inode *bi, int seq,
				      sector_t file_sector,
				      sector_t nr_sectors);
int bpiofs_extent_probe(struct file *file, loff_t pos);

/* bpiofs_layout_stable() at a glance: nothing to wait for, nothing to void. */
static inline bool bpiofs_layout_settled(const struct bpiofs_inode *bi)
{
	return !(atomic_read(&bi->layout_changers) |
		 atomic_read(&bi->moving_maps) |
		 (atomic_read(&bi->delayed_seen) ^
		  atomic_read(&bi->delayed_seq)));
}

int bpiofs_drop_cache(struct bpiofs_inode *bi);

/**
 * bpiofs_extent_lookup - where does a sector of the file lie?
 * @bi: inode; bpiofs_layout_stable() was true, and the lock is still held, or
 *	the lower i_dio_count still raised, that it was true under
 * @seq: its layout_seq then
 * @file_sector: 512-byte sector of the file
 * @nr_sectors: sectors wanted
 *
 * Context: any; takes no lock.
 * Return: as many of them as lie in one run; none: it is not known to be written.
 */
static inline struct bpiofs_run
bpiofs_extent_lookup(struct bpiofs_inode *bi, int seq, sector_t file_sector,
		     sector_t nr_sectors)
{
	const struct bpiofs_long_run *run = &bi->long_run;
	sector_t at, left, sector;
	unsigned int count;
	int found;

	do {
		count = read_seqcount_begin(&bi->long_run_count);
		found = run->seq;
		at = file_sector - run->first_sectors;
		left = run->nr_sectors;
		sector = run->sector;
	} while (read_seqcount_retry(&bi->long_run_count, count));
	if (unlikely(found != seq || at >= left))
		return bpiofs_chunk_lookup(bi, seq, file_sector, nr_sectors);
	return (struct bpiofs_run) {
		.nr_sectors = min(nr_sectors, left - at),
		.sector = sector + at,
	};
}

/* read.c: the bypass read */
int bpiofs_read_init(void);
void bpiofs_read_exit(void);
ssize_t bpiofs_read_iter(struct kiocb *iocb, struct iov_iter *to);

/* Each I/O says which kind it is: cached users suspend the bypass (R-FS-80). */
void __bpiofs_use_cached(struct file *file);
void __bpiofs_use_direct(struct file *file);

static inline void bpiofs_use_cached(struct file *file)
{
	if (unlikely(!bpiofs_file(file)->cached))
		__bpiofs_use_cached(file);
}

static inline void bpiofs_use_direct(struct file *file)
{
	if (unlikely(bpiofs_file(file)->cached))
		__bpiofs_use_direct(file);
}

/* offload.c: FSCTL_OFFLOAD_READ and FSCTL_OFFLOAD_WRITE */
void bpiofs_offload_read(struct file *file, struct bpio_request *req);
void bpiofs_offload_write(struct file *file, struct bpio_request *req);
bool bpiofs_may_copy(struct file *file, bool write);
s32 bpiofs_mint(struct file *file, loff_t pos, u64 *length, u32 ttl_ms,
		bool cut, struct storage_offload_token *out);
s32 bpiofs_redeem(struct file *file, const struct storage_offload_token *raw,
		  u64 token_offset, loff_t pos, u64 *length, loff_t limit);

/* copy.c: copy_file_range(2), and what shares blocks */
ssize_t bpiofs_copy_file_range(struct file *in, loff_t pos_in,
			       struct file *out, loff_t pos_out, size_t len,
			       unsigned int flags);
loff_t bpiofs_remap_file_range(struct file *in, loff_t pos_in,
			       struct file *out, loff_t pos_out, loff_t len,
			       unsigned int flags);

/* sysfs.c */
int bpiofs_sysfs_init(void);
void bpiofs_sysfs_exit(void);
int bpiofs_sysfs_add(struct bpiofs_volume *vol);
void bpiofs_sysfs_remove(struct bpiofs_volume *vol);

#endif /* _BPIOFS_H */
