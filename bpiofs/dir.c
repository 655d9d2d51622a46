// SPDX-License-Identifier: GPL-2.0
/*
 * Open directories: listed by the lower file system, at positions that are
 * its own.
 */
#include "bpiofs.h"
#include "open.h"

static int iterate(struct file *file, struct dir_context *ctx)
{
	struct file *lower = bpiofs_file(file)->lower;
	const struct cred *caller;
	int ret;

	/* the caller's keys decrypt names */
	ret = bpiofs_caller_begin(bpiofs_vol(file_inode(file)->i_sb), &caller);
	if (ret)
		return ret;
	/* f_pos_lock of our file keeps others away from both positions */
	lower->f_pos = ctx->pos;
	ret = iterate_dir(lower, ctx);
	bpiofs_caller_end(caller);
	return ret;
}

static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	struct file *lower = bpiofs_file(file)->lower;
	loff_t ret;

	lower->f_pos = file->f_pos;
	ret = vfs_llseek(lower, offset, whence);
	if (ret >= 0)
		file->f_pos = lower->f_pos;
	return ret;
}

const struct file_operations bpiofs_dir_fops = {
	.open		= bpiofs_open,
	.release	= bpiofs_release,
	.iterate_shared	= iterate,
	.llseek		= llseek,
	.read		= generic_read_dir,
	.fsync		= bpiofs_fsync,
	.unlocked_ioctl	= bpiofs_ioctl,
	.compat_ioctl	= bpiofs_compat_ioctl,
};
