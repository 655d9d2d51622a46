// SPDX-License-Identifier: GPL-2.0
/*
 * Mounting: the private mount of the lower file system, the super block on top
 * of it, and the end of both.  One super block per block device.
 *
 * The lower file system is mounted before the super block exists, so that no
 * s_umount is held meanwhile, and unmounted in put_super(), so that the device
 * is free when umount(2) returns.
 */
#include <linux/backing-dev.h>
#include <linux/blkdev.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/xattr.h>
#include "bpiofs.h"
#include "mount.h"

/* Flags of mount(2) that mean something to the lower file system. */
#define LOWER_SB_FLAGS \
	(SB_RDONLY | SB_SILENT | SB_SYNCHRONOUS | SB_DIRSYNC | SB_LAZYTIME)

/**
 * struct mounted - a mount, with what only this file knows of it
 * @vol: sb->s_fs_info
 * @dev: the block device; finds the super block
 * @wb_lock: one sync_fs() at a time takes a write-back error over
 * @wb_seen: of the lower super block's s_wb_err, what ours has
 * @bypass: bpiofs_bypass_mount() succeeded
 * @filters: bpiofs_filters_mount() succeeded
 * @sysfs: bpiofs_sysfs_add() succeeded
 * @rcu: frees it
 */
struct mounted {
	struct bpiofs_volume vol;
	dev_t dev;
	struct mutex wb_lock;		/* @wb_seen */
	errseq_t wb_seen;
	bool bypass;
	bool filters;
	bool sysfs;
	struct rcu_head rcu;
};

/*
 * Held from the search for a super block of the device until it can be found;
 * outside every s_umount.
 */
static DEFINE_MUTEX(mount_lock);

static struct mounted *to_mounted(struct super_block *sb)
{
	return container_of(bpiofs_vol(sb), struct mounted, vol);
}

/* ---- the lower mount ---------------------------------------------------- */

static const struct signature {
	const char *type;
	unsigned int offset;
	unsigned int length;
	const char *bytes;
} signatures[] = {
	{ "xfs",	0,	4, "XFSB" },
	/* ext4 mounts the older ones too */
	{ "ext4",	1080,	2, "\x53\xef" },
};

/* Return: the type of file system on the device, NULL, or an error. */
static const char *type_by_signature(const char *source)
{
	const char *type = NULL;
	unsigned int i;
	struct file *file;
	char bytes[4];
	loff_t pos;

	file = filp_open(source, O_RDONLY | O_LARGEFILE, 0);
	if (IS_ERR(file))
		return ERR_CAST(file);
	for (i = 0; i < ARRAY_SIZE(signatures) && !type; i++) {
		const struct signature *s = &signatures[i];

		pos = s->offset;
		if (kernel_read(file, bytes, s->length, &pos) == s->length &&
		    !memcmp(bytes, s->bytes, s->length))
			type = s->type;
	}
	filp_close(file, NULL);
	return type;
}

static int parse_lowerdata(struct fs_context *lower_fc, char *data)
{
	if (lower_fc->ops->parse_monolithic)
		return lower_fc->ops->parse_monolithic(lower_fc, data);
	return generic_parse_monolithic(lower_fc, data);
}

static struct vfsmount *mount_lower(struct fs_context *fc,
				    const struct bpiofs_params *params)
{
	struct file_system_type *type;
	struct fs_context *lower_fc;
	struct vfsmount *mnt;
	char *data = NULL;
	int ret;

	type = get_fs_type(params->lower);
	if (!type) {
		errorfc(fc, "No file system type '%s'", params->lower);
		return ERR_PTR(-ENODEV);
	}
	if (type == &bpiofs_type || !(type->fs_flags & FS_REQUIRES_DEV)) {
		errorfc(fc, "%s is no file system on a block device",
			params->lower);
		module_put(type->owner);
		return ERR_PTR(-EINVAL);
	}
	/* SB_KERNMOUNT: the last put unmounts at once, not when it suits */
	lower_fc = fs_context_for_mount(type, SB_KERNMOUNT |
					(fc->sb_flags & LOWER_SB_FLAGS));
	module_put(type->owner);
	if (IS_ERR(lower_fc))
		return ERR_CAST(lower_fc);

	ret = bpio_parse_fs_string(lower_fc, "source", fc->source);
	if (!ret && params->lowerdata) {
		/* a type without fs_context keeps the string until it mounts */
		data = kstrdup(params->lowerdata, GFP_KERNEL);
		ret = data ? parse_lowerdata(lower_fc, data) : -ENOMEM;
	}
	if (ret) {
		errorfc(fc, "%s does not take the options in lowerdata",
			params->lower);
		mnt = ERR_PTR(ret);
	} else {
		mnt = fc_mount(lower_fc);
		if (IS_ERR(mnt))
			errorfc(fc, "%s does not mount %s: error %ld",
				params->lower, fc->source, PTR_ERR(mnt));
	}
	put_fs_context(lower_fc);
	kfree(data);
	return mnt;
}

/* Can we stack on what was mounted? */
static int check_lower(struct fs_context *fc, const struct super_block *lower)
{
	if (!lower->s_bdev)
		return invalfc(fc, "%s keeps no single block device",
			       lower->s_type->name);
	if (lower->s_stack_depth + 1 > FILESYSTEM_MAX_STACK_DEPTH)
		return invalfc(fc, "Too many file systems stacked");
	if (IS_CASEFOLDED(d_inode(lower->s_root)))
		return invalfc(fc, "The root directory folds case");
	/* ours is the only reference, unless it was mounted before */
	if (atomic_read(&lower->s_active) != 1) {
		errorfc(fc, "%s is mounted elsewhere", fc->source);
		return -EBUSY;
	}
	return 0;
}

/* ---- life and death ------------------------------------------------------ */

/*
 * Detach the filters and leave sysfs, while the root dentry is still there: an
 * attach hands it to the filter.  A write to a file in sysfs that is under way
 * is waited for, a later one fails with -ENODEV.  So such a write needs no
 * reference to the super block, and cannot be the one that drops the last.
 */
static void withdraw(struct mounted *m)
{
	if (m->filters)
		bpiofs_filters_close(&m->vol);
	if (m->sysfs)
		bpiofs_sysfs_remove(&m->vol);
	m->sysfs = false;
}

/* What put_super() undoes; also after a mount that failed half way. */
static void take_down(struct mounted *m)
{
	struct bpiofs_volume *vol = &m->vol;

	if (m->filters)
		bpiofs_filters_umount(vol);
	m->filters = false;
	if (m->bypass)
		bpiofs_bypass_umount(vol);
	m->bypass = false;
	if (vol->lower_mnt)
		kern_unmount(vol->lower_mnt);
	vol->lower_mnt = NULL;
}

static void free_mounted(struct mounted *m)
{
	take_down(m);
	bpiofs_mmap_umount(&m->vol);
	bpiofs_creds_umount(&m->vol);
	free_percpu(m->vol.stats);
	bpiofs_free_params(&m->vol.params);
	/* a path walk under RCU may look at it: see permission() in inode.c */
	kfree_rcu(m, rcu);
}

static bool is_ext(const char *type)
{
	return !strcmp(type, "ext2") || !strcmp(type, "ext3") ||
	       !strcmp(type, "ext4");
}

/* Takes what the options hold over into the new volume. */
static struct mounted *mount_volume(struct fs_context *fc, dev_t dev)
{
	struct bpiofs_mount_options *options = fc->fs_private;
	struct bpiofs_params *params;
	struct bpiofs_volume *vol;
	struct vfsmount *mnt;
	struct mounted *m;
	int ret = -ENOMEM;

	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->dev = dev;
	mutex_init(&m->wb_lock);
	vol = &m->vol;
	params = &vol->params;
	swap(*params, options->params);

	vol->stats = alloc_percpu(struct bpiofs_stats);
	params->source = kstrdup(fc->source, GFP_KERNEL);
	if (!vol->stats || !params->source || bpiofs_creds_mount(vol))
		goto out_free;
	if (!params->lower) {
		const char *type = type_by_signature(fc->source);

		ret = PTR_ERR_OR_ZERO(type);
		if (!ret && !type)
			ret = invalfc(fc, "%s: Unknown signature; name the type with lower=",
				      fc->source);
		if (ret)
			goto out_free;
		ret = -ENOMEM;
		params->lower = kstrdup(type, GFP_KERNEL);
		if (!params->lower)
			goto out_free;
	}

	mnt = mount_lower(fc, params);
	if (IS_ERR(mnt)) {
		ret = PTR_ERR(mnt);
		goto out_free;
	}
	vol->lower_mnt = mnt;
	vol->lower_sb = mnt->mnt_sb;
	vol->bdev = vol->lower_sb->s_bdev;
	vol->layout_moves = !is_ext(params->lower);
	ret = check_lower(fc, vol->lower_sb);
	if (ret)
		goto out_free;
	return m;

out_free:
	free_mounted(m);
	return ERR_PTR(ret);
}

static int fill_super(struct super_block *sb)
{
	struct mounted *m = to_mounted(sb);
	struct bpiofs_volume *vol = &m->vol;
	struct super_block *lower = vol->lower_sb;
	struct inode *root;
	int ret;

	vol->sb = sb;
	m->wb_seen = errseq_sample(&lower->s_wb_err);
	/* atime is left alone: reads are not seen below */
	sb->s_flags |= SB_NOATIME;
	/* a read-only device or lowerdata=ro makes us read-only as well */
	sb->s_flags |= lower->s_flags & (SB_RDONLY | SB_POSIXACL);
	sb->s_magic = BPIOFS_SUPER_MAGIC;
	sb->s_op = &bpiofs_super_ops;
	bpio_set_d_op(sb, &bpiofs_dentry_ops);
	sb->s_xattr = bpiofs_xattr_handlers;
	sb->s_maxbytes = lower->s_maxbytes;
	sb->s_blocksize = lower->s_blocksize;
	sb->s_blocksize_bits = lower->s_blocksize_bits;
	sb->s_time_gran = lower->s_time_gran;
	sb->s_time_min = lower->s_time_min;
	sb->s_time_max = lower->s_time_max;
	sb->s_stack_depth = lower->s_stack_depth + 1;
	snprintf(sb->s_id, sizeof(sb->s_id), "%pg", vol->bdev);
	bpiofs_export_mount(sb);
	bpiofs_idmap_mount(vol);

	ret = bpiofs_bypass_mount(vol);
	if (ret)
		return ret;
	m->bypass = true;
	ret = bpiofs_filters_mount(vol);
	if (ret)
		return ret;
	m->filters = true;

	root = bpiofs_iget(sb, d_inode(vol->lower_mnt->mnt_root));
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	sb->s_root->d_fsdata = dget(vol->lower_mnt->mnt_root);

	ret = bpiofs_sysfs_add(vol);
	if (ret)
		return ret;
	m->sysfs = true;
	sb->s_flags |= SB_ACTIVE;
	return 0;
}

/* Under sb_lock.  A mount is freed only when it cannot be found any more. */
static int same_device(struct super_block *sb, struct fs_context *fc)
{
	return to_mounted(sb)->dev == *(dev_t *)fc->sget_key;
}

/* Makes sget_fc() only look. */
static int not_found(struct super_block *sb, struct fs_context *fc)
{
	return -ENODATA;
}

static int share_super(struct fs_context *fc, struct super_block *sb)
{
	if ((fc->sb_flags ^ sb->s_flags) & SB_RDONLY) {
		errorfc(fc, "%s is mounted already, %s", fc->source,
			sb_rdonly(sb) ? "read-only" : "for writing");
		return -EBUSY;
	}
	if (!bpiofs_same_params(fc->fs_private, &bpiofs_vol(sb)->params,
				false)) {
		errorfc(fc, "%s is mounted already, with other options",
			fc->source);
		return -EBUSY;
	}
	return 0;
}

static struct super_block *new_super(struct fs_context *fc, dev_t dev)
{
	struct super_block *sb;
	struct mounted *m;
	int ret;

	m = mount_volume(fc, dev);
	if (IS_ERR(m))
		return ERR_CAST(m);
	fc->s_fs_info = &m->vol;
	sb = sget_fc(fc, NULL, set_anon_super_fc);
	if (IS_ERR(sb)) {
		fc->s_fs_info = NULL;
		free_mounted(m);
		return sb;
	}
	ret = fill_super(sb);
	if (ret) {
		deactivate_locked_super(sb);
		return ERR_PTR(ret);
	}
	return sb;
}

static int get_tree(struct fs_context *fc)
{
	struct super_block *sb;
	dev_t dev;
	int ret;

	if (!fc->source)
		return invalfc(fc, "No block device named");
	ret = lookup_bdev(fc->source, &dev);
	if (ret) {
		errorfc(fc, "%s: Not a block device", fc->source);
		return ret;
	}

	mutex_lock(&mount_lock);
	fc->sget_key = &dev;
	sb = sget_fc(fc, same_device, not_found);
	if (!IS_ERR(sb)) {
		ret = share_super(fc, sb);
		if (ret) {
			deactivate_locked_super(sb);
			sb = ERR_PTR(ret);
		}
	} else if (PTR_ERR(sb) == -ENODATA) {
		sb = new_super(fc, dev);
	}
	fc->sget_key = NULL;
	mutex_unlock(&mount_lock);

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	fc->root = dget(sb->s_root);
	return 0;
}

/*
 * Remount: read-only is a matter of this super block, which all writes pass;
 * the lower file system stays as it was mounted.
 */
static int reconfigure(struct fs_context *fc)
{
	struct super_block *sb = fc->root->d_sb;
	struct bpiofs_volume *vol = bpiofs_vol(sb);

	if (!bpiofs_same_params(fc->fs_private, &vol->params, true))
		return invalfc(fc, "A remount changes ro and rw, no other option");
	if (!(fc->sb_flags & SB_RDONLY) && sb_rdonly(vol->lower_sb)) {
		errorfc(fc, "The lower file system is read-only: unmount first");
		return -EROFS;
	}
	if (fc->sb_flags & SB_RDONLY)
		return sync_filesystem(sb);
	return 0;
}

static void free_context(struct fs_context *fc)
{
	struct bpiofs_mount_options *options = fc->fs_private;

	if (!options)
		return;
	bpiofs_free_params(&options->params);
	kfree(options);
}

static const struct fs_context_operations context_ops = {
	.free			= free_context,
	.parse_param		= bpiofs_parse_param,
	.parse_monolithic	= bpiofs_parse_monolithic,
	.get_tree		= get_tree,
	.reconfigure		= reconfigure,
};

/**
 * bpiofs_init_fs_context - begin a mount
 * @fc: context
 *
 * Return: 0 or -ENOMEM.
 */
int bpiofs_init_fs_context(struct fs_context *fc)
{
	struct bpiofs_mount_options *options;

	options = kzalloc(sizeof(*options), GFP_KERNEL);
	if (!options)
		return -ENOMEM;
	fc->fs_private = options;
	fc->ops = &context_ops;
	return 0;
}

static void kill_sb(struct super_block *sb)
{
	struct mounted *m = to_mounted(sb);

	withdraw(m);
	kill_anon_super(sb);
	free_mounted(m);
}

struct file_system_type bpiofs_type = {
	.owner			= THIS_MODULE,
	.name			= BPIOFS_NAME,
	.init_fs_context	= bpiofs_init_fs_context,
	.parameters		= bpiofs_parameters,
	.kill_sb		= kill_sb,
	.fs_flags		= FS_REQUIRES_DEV | FS_ALLOW_IDMAP,
};

/* ---- super operations --------------------------------------------------- */

static struct kmem_cache *inode_cache;

static struct inode *new_bpiofs_inode(struct super_block *sb)
{
	struct bpiofs_inode *bi;

	bi = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);
	if (!bi)
		return NULL;
	/* all but the part that init_inode_once() keeps */
	bi->lower = NULL;
	memset(&bi->state, 0, sizeof(bi->state));
	atomic_set(&bi->cached_opens, 0);
	bi->past = NULL;
	bi->judged.size = -1;
	bi->judged.dense = -1;
	mutex_init(&bi->offload_lock);
	INIT_LIST_HEAD(&bi->opens);
	INIT_HLIST_HEAD(&bi->flt_streams);
	atomic_set(&bi->transformed, 0);
	atomic_set(&bi->marks_seq, 0);
	bi->unmarked_seq = -1;
	atomic_set(&bi->file_opens, 0);
	bpiofs_extents_init(bi);
	return &bi->vfs_inode;
}

static void free_inode(struct inode *inode)
{
	kmem_cache_free(inode_cache, BPIOFS_I(inode));
}

static void evict_inode(struct inode *inode)
{
	struct bpiofs_inode *bi = BPIOFS_I(inode);

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	bpiofs_extents_destroy(bi);
	bpiofs_filters_evict(bi);
	kfree(bi->past);
	/*
	 * The pointer stays: who found the inode under RCU may follow it, both
	 * inodes live for a grace period more.
	 */
	iput(bi->lower);
}

static void put_super(struct super_block *sb)
{
	take_down(to_mounted(sb));
}

/*
 * Write-back fails below, where no open file looks.  The error goes to our super
 * block, so that syncfs() reports it once to each file that was open.  Under the
 * mutex: the second of two callers must find it there as well.
 */
static void take_over_wb_error(struct super_block *sb)
{
	struct mounted *m = to_mounted(sb);
	int err;

	mutex_lock(&m->wb_lock);
	err = errseq_check_and_advance(&m->vol.lower_sb->s_wb_err,
				       &m->wb_seen);
	if (err)
		errseq_set(&sb->s_wb_err, err);
	mutex_unlock(&m->wb_lock);
}

static int sync_fs(struct super_block *sb, int wait)
{
	struct super_block *lower = bpiofs_vol(sb)->lower_sb;
	int ret;

	/* called again, to wait; the lower file system does both at once */
	if (!wait)
		return 0;
	down_read(&lower->s_umount);
	ret = sync_filesystem(lower);
	up_read(&lower->s_umount);
	take_over_wb_error(sb);
	return ret;
}

/* Mapped pages are written below, past our own freeze protection. */
static int freeze_fs(struct super_block *sb)
{
	return bpio_freeze_super(bpiofs_vol(sb)->lower_sb);
}

static int unfreeze_fs(struct super_block *sb)
{
	return bpio_thaw_super(bpiofs_vol(sb)->lower_sb);
}

static int statfs(struct dentry *dentry, struct kstatfs *buf)
{
	const struct path path = bpiofs_lower_path(dentry);
	int ret;

	ret = vfs_statfs(&path, buf);
	if (!ret)
		buf->f_type = BPIOFS_SUPER_MAGIC;
	return ret;
}

const struct super_operations bpiofs_super_ops = {
	.alloc_inode	= new_bpiofs_inode,
	.free_inode	= free_inode,
	.evict_inode	= evict_inode,
	.put_super	= put_super,
	.sync_fs	= sync_fs,
	.freeze_fs	= freeze_fs,
	.unfreeze_fs	= unfreeze_fs,
	.statfs		= statfs,
	.show_options	= bpiofs_show_options,
};

static void init_inode_once(void *inode)
{
	inode_init_once(&((struct bpiofs_inode *)inode)->vfs_inode);
}

/**
 * bpiofs_inode_cache_init - make the cache of inodes
 *
 * Return: 0 or -ENOMEM.
 */
int __init bpiofs_inode_cache_init(void)
{
	inode_cache = kmem_cache_create("bpiofs_inode",
					sizeof(struct bpiofs_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					init_inode_once);
	return inode_cache ? 0 : -ENOMEM;
}

/**
 * bpiofs_inode_cache_exit - free it; no inode is left but under RCU
 */
void bpiofs_inode_cache_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(inode_cache);
}
