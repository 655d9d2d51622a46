// SPDX-License-Identifier: GPL-2.0
/*
 * copy_file_range(2): by a token of the storage layer where that works, else
 * as the lower file system does it, else by splice.  And the system calls that
 * make files share blocks, which the lower file system does.
 *
 * The tokens live for one piece each and never leave the kernel.
 *
 * Filters have no callback for a copy.  Where one sees reads of the source or
 * writes to the destination, the copy is made of these.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "bpiofs.h"
#include "trace.h"

/* Less is not worth the write-back of the source (CE-1). */
#define MIN_OFFLOAD	SZ_256K
/* A signal or another user of the destination waits for no more (CE-8). */
#define MAX_PIECE	SZ_64M

static const char * const bpiofs_copied_names[] = {
	[BPIOFS_COPIED_OFFLOAD]	= "offload",
	[BPIOFS_COPIED_HOLE]	= "hole",
	[BPIOFS_COPIED_SHARED]	= "shared",
	[BPIOFS_COPIED_SPLICE]	= "splice",
};

/**
 * struct copy - a copy_file_range() under way
 * @in: source
 * @out: destination
 * @pos_in: next byte of @in
 * @pos_out: next byte of @out
 * @left: bytes, up to the end of @in
 * @sector: both positions have to be multiples of it
 * @data_end: there is a hole, or the end, in @in; good while beyond @pos_in
 * @piece: bytes to try next: twice what the last token could take
 * @may_offload: there is enough of it
 * @token: of the piece
 */
struct copy {
	struct file *in;
	struct file *out;
	loff_t pos_in;
	loff_t pos_out;
	size_t left;
	u32 sector;
	loff_t data_end;
	size_t piece;
	bool may_offload;
	struct storage_offload_token token;
};

static struct file *lower_of(struct file *file)
{
	return bpiofs_file(file)->lower;
}

static u32 sector_size(struct file *file)
{
	return bdev_logical_block_size(bpiofs_vol(file_inode(file)->i_sb)->bdev);
}

/* Does nobody but the file systems have to see the data? */
static bool nobody_looks(struct file *in, struct file *out)
{
	return !bpiofs_is_filtered(in, FLT_OP_READ) &&
	       !bpiofs_is_filtered(out, FLT_OP_WRITE) &&
	       !atomic_read(&BPIOFS_I(file_inode(in))->transformed) &&
	       !atomic_read(&BPIOFS_I(file_inode(out))->transformed);
}

static void account(struct copy *copy, enum bpiofs_copied how, ssize_t ret,
		    s32 status)
{
	struct inode *inode = file_inode(copy->out);

	trace_bpiofs_copy(inode, copy->pos_out, ret, bpiofs_copied_names[how],
			  ret < 0 ? bpio_status_from_errno(ret) : status);
	if (ret > 0)
		this_cpu_add(bpiofs_vol(inode->i_sb)->stats->copied[how], ret);
}

static loff_t lower_size(struct file *file)
{
	return i_size_read(bpiofs_lower_inode(file_inode(file)));
}

/*
 * Make a file longer, never shorter.  Its other writers lock the lower inode
 * only, so its size is looked at under that lock.  As a write does, this takes
 * set-user-ID and the like away.
 */
static int extend(struct file *out, loff_t size)
{
	struct iattr attr = { .ia_valid = ATTR_SIZE, .ia_size = size };
	struct dentry *lower = bpiofs_lower_dentry(file_dentry(out));
	struct inode *inode = file_inode(out);
	struct bpiofs_volume *vol = bpiofs_vol(inode->i_sb);
	int ret;

	ret = bpiofs_want_write(vol);
	if (ret)
		return ret;
	bpiofs_layout_begin(BPIOFS_I(inode));
	inode_lock(d_inode(lower));
	if (i_size_read(d_inode(lower)) < size) {
		ret = file_remove_privs(lower_of(out));
		if (!ret)
			ret = notify_change(bpio_nop_idmap, lower, &attr, NULL);
	}
	inode_unlock(d_inode(lower));
	bpiofs_layout_end(BPIOFS_I(inode));
	bpiofs_copy_attr(inode);
	bpiofs_drop_write(vol);
	return ret;
}

/* A hole of the source.  Return: bytes, 0 when it does not work, or an errno. */
static ssize_t copy_hole(struct copy *copy, size_t length)
{
	struct inode *inode = file_inode(copy->out);
	const loff_t end = copy->pos_out + length;
	int ret = 0;

	inode_lock(inode);
	if (copy->pos_out < lower_size(copy->out))
		ret = vfs_fallocate(lower_of(copy->out), FALLOC_FL_PUNCH_HOLE |
				    FALLOC_FL_KEEP_SIZE, copy->pos_out, length);
	if (!ret && end > lower_size(copy->out))
		ret = extend(copy->out, end);
	inode_unlock(inode);
	if (ret == -EOPNOTSUPP)
		return 0;
	account(copy, BPIOFS_COPIED_HOLE, ret ?: length, STATUS_SUCCESS);
	return ret ?: length;
}

/*
 * The write itself makes the destination longer, as far as data has arrived.
 * Nothing has to be cut off when it fails, so what others have written
 * meanwhile stays.
 *
 * Return: bytes written, 0 when it does not work.
 */
static ssize_t redeem(struct copy *copy, u64 length, s32 *status)
{
	struct inode *inode = file_inode(copy->out);
	struct bpiofs_inode *bi = BPIOFS_I(inode);

	inode_lock(inode);
	mutex_lock(&bi->offload_lock);
	*status = bpiofs_redeem(copy->out, &copy->token, 0, copy->pos_out,
				&length, copy->pos_out + length);
	mutex_unlock(&bi->offload_lock);
	inode_unlock(inode);
	return length;
}

/*
 * Data of the source.  Return: bytes written, less than asked when the source
 * has become shorter; 0 when it does not work.
 */
static ssize_t copy_data(struct copy *copy, size_t length)
{
	struct bpio_token *token;
	s32 status, dead;
	u64 covered;
	ssize_t ret;

	length = min(length, copy->piece);
	/* What is not a whole sector ends the source, or is left to others. */
	if (copy->pos_in + length < lower_size(copy->in))
		length = round_down(length, copy->sector);
	if (!length)
		return 0;
	covered = round_up(length, copy->sector);
	status = bpiofs_mint(copy->in, copy->pos_in, &covered, 0, true,
			     &copy->token);
	if (status) {
		account(copy, BPIOFS_COPIED_OFFLOAD, 0, status);
		return 0;
	}
	covered = min_t(u64, covered, length);
	copy->piece = clamp_t(u64, 2 * covered, MIN_OFFLOAD, MAX_PIECE);

	ret = redeem(copy, covered, &status);
	account(copy, BPIOFS_COPIED_OFFLOAD, ret, status);
	token = bpio_token_find(&copy->token, &dead);
	if (token)
		bpio_token_abort(token);
	return ret;
}

/*
 * Where the next data of the source is; its end when no data follows.  That is
 * taken for a hole only if the file had one size all the time: a file that was
 * truncated and written to meanwhile may have data there.
 *
 * Return: byte; -EAGAIN at the end, or while the file is changing; another
 * negative errno.
 */
static loff_t next_data(struct copy *copy)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(copy->in));
	const int seq = atomic_read(&bi->layout_seq);
	loff_t data, size;
	bool changing;

	/* pairs with bpiofs_layout_begin(), as in a probe */
	smp_rmb();
	changing = atomic_read(&bi->layout_changers);
	size = lower_size(copy->in);
	data = bpiofs_seek_data(lower_of(copy->in), copy->pos_in);
	if (data != -ENXIO)
		return data;
	/* pairs with bpiofs_layout_end() */
	smp_rmb();
	if (changing || seq != atomic_read(&bi->layout_seq) ||
	    size != lower_size(copy->in) || size <= copy->pos_in)
		return -EAGAIN;
	return size;
}

/*
 * One piece: a hole, or data that is offloaded.  Return: bytes, 0 when it does
 * not work for what comes next, or a negative errno.
 */
static ssize_t offload(struct copy *copy)
{
	struct file *lower = lower_of(copy->in);
	loff_t data;

	if (copy->pos_in >= copy->data_end) {
		data = next_data(copy);
		if (data == -EAGAIN)
			return 0;
		if (data < 0)
			return data;
		if (data > copy->pos_in)
			return copy_hole(copy, min_t(u64, copy->left,
						     data - copy->pos_in));
		copy->data_end = vfs_llseek(lower, data, SEEK_HOLE);
		if (copy->data_end < 0)		/* -ENXIO: truncated */
			return copy->data_end == -ENXIO ? 0 : copy->data_end;
	}
	return copy_data(copy, min_t(u64, copy->left,
				     copy->data_end - copy->pos_in));
}

/* The lower file system's own way.  Return: bytes, or 0. */
static ssize_t share(struct copy *copy)
{
	struct inode *out = file_inode(copy->out);
	ssize_t ret;

	if (file_inode(copy->in)->i_sb != out->i_sb)
		return 0;
	bpiofs_layout_begin(BPIOFS_I(out));
	ret = vfs_clone_file_range(lower_of(copy->in), copy->pos_in,
				   lower_of(copy->out), copy->pos_out,
				   copy->left, REMAP_FILE_CAN_SHORTEN);
	bpiofs_layout_end(BPIOFS_I(out));
	bpiofs_copy_attr(out);
	account(copy, BPIOFS_COPIED_SHARED, ret, STATUS_SUCCESS);
	return max_t(ssize_t, ret, 0);
}

static ssize_t copy_by_splice(struct copy *copy, size_t length)
{
	ssize_t ret;

	ret = bpio_splice_copy(copy->in, copy->pos_in, copy->out,
			       copy->pos_out, length);
	account(copy, BPIOFS_COPIED_SPLICE, ret, STATUS_SUCCESS);
	return ret;
}

/* Return: bytes; 0 at the end of the source; or a negative errno. */
static ssize_t copy_piece(struct copy *copy)
{
	size_t length = min_t(size_t, copy->left, MAX_PIECE);
	u32 off = copy->pos_in & (copy->sector - 1);
	ssize_t ret = 0;

	if (!nobody_looks(copy->in, copy->out))
		return copy_by_splice(copy, length);
	if (off != (copy->pos_out & (copy->sector - 1)))
		off = 0;	/* never in step */
	else if (off)
		length = min_t(size_t, length, copy->sector - off);
	else if (copy->may_offload && bpiofs_may_copy(copy->in, false) &&
		 bpiofs_may_copy(copy->out, true))
		ret = offload(copy);
	if (!ret && !off)
		ret = share(copy);
	return ret ?: copy_by_splice(copy, length);
}

/**
 * bpiofs_copy_file_range - copy within or between files of any mounts
 * @in: source, open for reading
 * @pos_in: first byte
 * @out: destination, open for writing, not for appending
 * @pos_out: first byte
 * @len: bytes, not beyond the end of @in
 * @flags: 0
 *
 * Holes stay holes.  A signal ends it between pieces of at most 64 MiB.
 *
 * Context: process context, may sleep; freeze protection of @out's file system
 * is held.
 * Return: bytes copied, less than @len when the rest failed or a signal came;
 * a negative errno when nothing was copied.
 */
ssize_t bpiofs_copy_file_range(struct file *in, loff_t pos_in,
			       struct file *out, loff_t pos_out, size_t len,
			       unsigned int flags)
{
	const struct cred *caller;
	struct copy *copy;
	size_t done = 0;
	ssize_t ret = 0;

	copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	/* security modules are asked about the lower files, too: creds.c */
	ret = bpiofs_caller_begin(bpiofs_vol(file_inode(out)->i_sb), &caller);
	if (ret)
		goto out_free;
	copy->in = in;
	copy->out = out;
	copy->sector = max(sector_size(in), sector_size(out));
	copy->data_end = 0;
	copy->piece = MAX_PIECE;
	copy->may_offload = len >= MIN_OFFLOAD;
	len = min_t(size_t, len, MAX_RW_COUNT);
	while (done < len) {
		copy->pos_in = pos_in + done;
		copy->pos_out = pos_out + done;
		copy->left = len - done;
		ret = copy_piece(copy);
		if (ret <= 0)
			break;
		done += ret;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	bpiofs_caller_end(caller);
out_free:
	kfree(copy);
	return done ?: ret;
}

static loff_t dedupe(struct file *in, loff_t pos_in, struct file *out,
		     loff_t pos_out, loff_t len, unsigned int flags)
{
	const struct cred *caller;
	loff_t ret;

	/* where the VFS says EINVAL to us, ioctl() on the lower file does not */
	if (!lower_of(out)->f_op->remap_file_range)
		return -EOPNOTSUPP;
	ret = bpiofs_allowed_begin(bpiofs_vol(file_inode(out)->i_sb), &caller);
	if (ret)
		return ret;
	ret = vfs_dedupe_file_range_one(lower_of(in), pos_in, lower_of(out),
					pos_out, len, flags);
	bpiofs_allowed_end(caller);
	return ret;
}

/**
 * bpiofs_remap_file_range - FICLONE, FICLONERANGE, FIDEDUPERANGE
 * @in: source
 * @pos_in: first byte
 * @out: destination, of the same mount
 * @pos_out: first byte
 * @len: bytes, 0: to the end of @in
 * @flags: REMAP_FILE_*
 *
 * The lower file system moves the destination's blocks; no token stands for
 * more than the blocks that it was made of, and these stay what they are until
 * somebody writes to them.
 *
 * Context: process context, may sleep; freeze protection of the file system is
 * held.
 * Return: bytes; -EOPNOTSUPP where the lower file system does not, or when a
 * filter keeps data of its own in one of the files or sees it read or written;
 * other errors of the lower file system.
 */
loff_t bpiofs_remap_file_range(struct file *in, loff_t pos_in,
			       struct file *out, loff_t pos_out, loff_t len,
			       unsigned int flags)
{
	struct inode *inode = file_inode(out);
	const struct cred *caller;
	loff_t ret;

	if (!nobody_looks(in, out))
		return -EOPNOTSUPP;
	ret = bpiofs_caller_begin(bpiofs_vol(inode->i_sb), &caller);
	if (ret)
		return ret;
	bpiofs_layout_begin(BPIOFS_I(inode));
	if (flags & REMAP_FILE_DEDUP)
		ret = dedupe(in, pos_in, out, pos_out, len, flags);
	else
		ret = vfs_clone_file_range(lower_of(in), pos_in, lower_of(out),
					   pos_out, len, flags);
	bpiofs_layout_end(BPIOFS_I(inode));
	bpiofs_copy_attr(inode);
	bpiofs_caller_end(caller);
	return ret;
}
