// SPDX-License-Identifier: GPL-2.0
/*
 * File handles, for open_by_handle_at(2) and NFS servers.  A handle is the
 * lower file system's own, so that it outlives mounts as that one's do.
 */
#include <linux/exportfs.h>
#include <linux/writeback.h>
#include "bpiofs.h"
#include "mount.h"

static const struct export_operations *lower_ops(struct super_block *sb)
{
	return bpiofs_vol(sb)->lower_sb->s_export_op;
}

/*
 * The dentry above one that the lower file system has decoded; consumes that.
 *
 * A new one is on its inode's list before it knows its peer.  Only a look-up
 * of the directory could take it from there and put it into the tree:
 * export_lock keeps that away.
 */
static struct dentry *dentry_above(struct super_block *sb, struct dentry *lower)
{
	struct bpiofs_volume *vol = bpiofs_vol(sb);
	struct dentry *dentry;
	struct inode *inode;

	if (IS_ERR_OR_NULL(lower))
		return lower;
	inode = bpiofs_iget(sb, d_inode(lower));
	if (IS_ERR(inode)) {
		dput(lower);
		return ERR_CAST(inode);
	}
	down_write(&vol->export_lock);
	dentry = d_obtain_alias(inode);
	if (!IS_ERR(dentry) && !dentry->d_fsdata)
		dentry->d_fsdata = dget(lower);
	up_write(&vol->export_lock);
	dput(lower);
	return dentry;
}

static int encode_fh(struct inode *inode, __u32 *fh, int *max_len,
		     struct inode *parent)
{
	return bpio_encode_inode_fh(bpiofs_lower_inode(inode), (void *)fh,
				    max_len,
				    parent ? bpiofs_lower_inode(parent) : NULL);
}

static struct dentry *fh_to_dentry(struct super_block *sb, struct fid *fid,
				   int fh_len, int fh_type)
{
	struct super_block *lower = bpiofs_vol(sb)->lower_sb;

	return dentry_above(sb, lower_ops(sb)->fh_to_dentry(lower, fid, fh_len,
							    fh_type));
}

static struct dentry *fh_to_parent(struct super_block *sb, struct fid *fid,
				   int fh_len, int fh_type)
{
	struct super_block *lower = bpiofs_vol(sb)->lower_sb;

	if (!lower_ops(sb)->fh_to_parent)
		return NULL;
	return dentry_above(sb, lower_ops(sb)->fh_to_parent(lower, fid, fh_len,
							    fh_type));
}

/* The caller has locked @child; its peer is looked into. */
static struct dentry *get_parent(struct dentry *child)
{
	struct dentry *lower = bpiofs_lower_dentry(child);
	struct dentry *parent;

	inode_lock(d_inode(lower));
	parent = lower_ops(child->d_sb)->get_parent(lower);
	inode_unlock(d_inode(lower));
	return dentry_above(child->d_sb, parent);
}

static int commit_metadata(struct inode *inode)
{
	struct inode *lower = bpiofs_lower_inode(inode);

	if (lower_ops(inode->i_sb)->commit_metadata)
		return lower_ops(inode->i_sb)->commit_metadata(lower);
	return sync_inode_metadata(lower, 1);
}

/* With the lower inode's counter: times alone stand still between two ticks. */
static u64 __maybe_unused fetch_iversion(struct inode *inode)
{
	return bpio_change_attribute(bpiofs_lower_inode(inode));
}

static const struct export_operations export_ops = {
	.encode_fh		= encode_fh,
	.fh_to_dentry		= fh_to_dentry,
	.fh_to_parent		= fh_to_parent,
	.get_parent		= get_parent,
	.commit_metadata	= commit_metadata,
	BPIO_FETCH_IVERSION(fetch_iversion)
};

/**
 * bpiofs_export_mount - offer file handles if the lower file system does
 * @sb: ours, being mounted
 */
void bpiofs_export_mount(struct super_block *sb)
{
	const struct export_operations *ops = lower_ops(sb);

	init_rwsem(&bpiofs_vol(sb)->export_lock);
	if (ops && ops->fh_to_dentry && ops->get_parent)
		sb->s_export_op = &export_ops;
}
