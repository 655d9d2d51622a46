// SPDX-License-Identifier: GPL-2.0
/*
 * Open files: everything but the bypass read is done by the lower file, which
 * was opened with the mounter's label (creds.c).  Data is never cached here;
 * the page cache and the mappings of a file are those of its peer.
 *
 * Nor are writes serialised here: the lower file system locks what it needs,
 * and takes set-user-ID bits and file capabilities away itself.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include "bpiofs.h"
#include "open.h"

/* Access times and notifications are the business of our own inode. */
#define LOWER_OPEN_FLAGS (O_NOATIME | BPIO_O_NONOTIFY)

/* What fcntl(F_SETFL) may change on an open file. */
#define SETFL_FLAGS (O_APPEND | O_NONBLOCK | O_NDELAY | O_DIRECT)

/* ---- open and close ----------------------------------------------------- */

static int open_lower(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct bpiofs_volume *vol = bpiofs_vol(inode->i_sb);
	const struct path path = bpiofs_lower_path(file_dentry(file));
	const struct cred *caller;
	struct bpiofs_file *bf;
	struct file *lower;
	unsigned int flags;
	int ret;

	bf = kzalloc(sizeof(*bf), GFP_KERNEL_ACCOUNT);
	if (!bf)
		return -ENOMEM;
	/* O_TRUNC arrives by setattr() */
	flags = file->f_flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |
				  __O_TMPFILE);
	/* the caller's keys decrypt data */
	ret = bpiofs_caller_begin(vol, &caller);
	if (ret)
		goto out_free;
	lower = bpio_open_lower(file, flags | LOWER_OPEN_FLAGS, &path);
	bpiofs_caller_end(caller);
	if (IS_ERR(lower)) {
		ret = PTR_ERR(lower);
		goto out_free;
	}
	ret = -EINVAL;
	if (S_ISREG(inode->i_mode) &&
	    (!lower->f_op->read_iter || !lower->f_op->write_iter))
		goto out_put;
	if (S_ISREG(inode->i_mode)) {
		ret = bpiofs_watch_lower(vol, lower);
		if (ret)
			goto out_put;
	}

	bf->lower = lower;
	file->private_data = bf;
	/* counted, then the marks are checked; see bpiofs_filters_detach() */
	atomic_inc(&BPIOFS_I(inode)->file_opens);
	file->f_mode |= lower->f_mode & (FMODE_CAN_ODIRECT | FMODE_NOWAIT);
	bpiofs_copy_attr(inode);
	return 0;

out_put:
	fput(lower);
out_free:
	kfree(bf);
	return ret;
}

static void close_lower(struct file *file)
{
	struct bpiofs_file *bf = bpiofs_file(file);

	bpiofs_bypass_release(file);
	atomic_dec(&BPIOFS_I(file_inode(file))->file_opens);
	file->private_data = NULL;
	fput(bf->lower);
	kfree(bf);
}

/**
 * bpiofs_open - open a file or directory, and its peer
 * @inode: ours
 * @file: ours
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOMEM, -EINVAL for a lower file system without read_iter,
 * -ENOKEY for a file whose filter is not attached, what opening the lower file
 * says, or what a filter says.
 */
int bpiofs_open(struct inode *inode, struct file *file)
{
	const bool regular = S_ISREG(inode->i_mode);
	int ret;

	ret = regular ? bpiofs_check_marks(file_dentry(file)) : 0;
	if (!ret)
		ret = bpiofs_filtered_open(file, open_lower, close_lower);
	if (ret)
		return ret;
	/* still there?  Then it has seen the open, and is not detached any more */
	if (regular)
		ret = bpiofs_check_marks(file_dentry(file));
	if (ret)
		bpiofs_filtered_release(file, close_lower);
	else
		bpiofs_bypass_open(file);
	return ret;
}

/**
 * bpiofs_release - the last reference to an open file is gone
 * @inode: ours
 * @file: ours
 *
 * Context: process context, may sleep.
 * Return: 0.
 */
int bpiofs_release(struct inode *inode, struct file *file)
{
	bpiofs_filtered_release(file, close_lower);
	return 0;
}

static int flush(struct file *file, fl_owner_t id)
{
	struct file *lower = bpiofs_file(file)->lower;

	return lower->f_op->flush ? lower->f_op->flush(lower, id) : 0;
}

/**
 * bpiofs_fsync - write a file or directory back
 * @file: ours
 * @start: first byte
 * @end: last byte
 * @datasync: no more metadata than needed to find the data
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno of the lower file system.
 */
int bpiofs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return vfs_fsync_range(bpiofs_file(file)->lower, start, end, datasync);
}

/*
 * Bring what fcntl() has changed on our file to the lower one.  Only for users
 * of the lower file that look at its flags: reads and writes carry their own.
 */
static struct file *lower_with_flags(struct file *file)
{
	struct file *lower = bpiofs_file(file)->lower;
	const unsigned int flags = READ_ONCE(file->f_flags) & SETFL_FLAGS;

	if (likely((lower->f_flags & SETFL_FLAGS) == flags))
		return lower;
	spin_lock(&lower->f_lock);
	lower->f_flags = (lower->f_flags & ~SETFL_FLAGS) | flags;
	lower->f_iocb_flags = iocb_flags(lower);
	spin_unlock(&lower->f_lock);
	return lower;
}

static void count_use(struct file *file, bool direct)
{
	if (direct)
		bpiofs_use_direct(file);
	else
		bpiofs_use_cached(file);
}

/* ---- reads and writes --------------------------------------------------- */

/**
 * struct lower_io - an asynchronous read or write of the lower file
 * @iocb: the lower file's
 * @orig: ours; holds the open file until its completion
 * @gate: left at the completion, or NULL
 * @ref: one of the submitter, one of the completion
 */
struct lower_io {
	struct kiocb iocb;
	struct kiocb *orig;
	struct bpio_gate *gate;
	refcount_t ref;
};

static void init_lower_iocb(struct kiocb *iocb, struct kiocb *orig)
{
	kiocb_clone(iocb, orig, bpiofs_file(orig->ki_filp)->lower);
	iocb->ki_flags &= ~IOCB_DIO_CALLER_COMP;
	/* Who polls finds bypassed reads only. */
	if (!is_sync_kiocb(orig))
		iocb->ki_flags &= ~(IOCB_HIPRI | IOCB_ALLOC_CACHE);
}

static struct lower_io *alloc_lower_io(struct kiocb *orig)
{
	struct lower_io *io;

	io = kmalloc(sizeof(*io), GFP_KERNEL);
	if (!io)
		return NULL;
	init_lower_iocb(&io->iocb, orig);
	io->orig = orig;
	io->gate = NULL;
	refcount_set(&io->ref, 2);
	return io;
}

static void put_lower_io(struct lower_io *io)
{
	if (refcount_dec_and_test(&io->ref))
		kfree(io);
}

static void read_done(struct kiocb *iocb, long ret)
{
	struct lower_io *io = container_of(iocb, struct lower_io, iocb);
	struct kiocb *orig = io->orig;

	if (io->gate)
		bpio_gate_leave(io->gate);
	orig->ki_pos = iocb->ki_pos;
	put_lower_io(io);
	orig->ki_complete(orig, ret);
}

/* -EIOCBQUEUED: @gate, unless NULL, is left when the read completes. */
static ssize_t lower_read(struct kiocb *iocb, struct iov_iter *to,
			  struct bpio_gate *gate)
{
	const struct file_operations *fops =
		bpiofs_file(iocb->ki_filp)->lower->f_op;
	struct lower_io *io;
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	if (is_sync_kiocb(iocb)) {
		struct kiocb lower_iocb;

		init_lower_iocb(&lower_iocb, iocb);
		ret = fops->read_iter(&lower_iocb, to);
		iocb->ki_pos = lower_iocb.ki_pos;
		return ret;
	}

	/*
	 * XFS may find out that it would have to wait when part of the read is
	 * on its way, and completes it with -EAGAIN: nobody could repeat it.
	 */
	if ((iocb->ki_flags & (IOCB_NOWAIT | IOCB_DIRECT)) ==
	    (IOCB_NOWAIT | IOCB_DIRECT) &&
	    !bpiofs_vol(file_inode(iocb->ki_filp)->i_sb)->nowait_whole)
		return -EAGAIN;

	io = alloc_lower_io(iocb);
	if (!io)
		return -ENOMEM;
	io->iocb.ki_complete = read_done;
	io->gate = gate;
	ret = fops->read_iter(&io->iocb, to);
	if (ret != -EIOCBQUEUED) {
		iocb->ki_pos = io->iocb.ki_pos;
		put_lower_io(io);
	}
	put_lower_io(io);
	return ret;
}

/**
 * bpiofs_lower_read - read from the lower file, the traditional way
 * @iocb: of our file; synchronous or not, direct or cached
 * @to: where to
 *
 * Context: process context; does not wait when IOCB_NOWAIT is set.
 * Return: bytes read, -EIOCBQUEUED when @iocb will be completed later, or a
 * negative errno.
 */
ssize_t bpiofs_lower_read(struct kiocb *iocb, struct iov_iter *to)
{
	return lower_read(iocb, to, NULL);
}

/**
 * bpiofs_partial_read - a read that skips the filters only
 * @iocb: of our file, direct
 * @to: where to
 *
 * Context: process context, inside the mount's partial_gate, which it leaves
 * when the read has completed.
 * Return: as bpiofs_lower_read().
 */
ssize_t bpiofs_partial_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct bpio_gate *gate =
		&bpiofs_vol(file_inode(iocb->ki_filp)->i_sb)->partial_gate;
	ssize_t ret;

	ret = lower_read(iocb, to, gate);
	if (ret != -EIOCBQUEUED)
		bpio_gate_leave(gate);
	return ret;
}

/* ---- freeze protection of the lower file system --------------------------- */

/*
 * Filters take their locks inside it.  So it is taken before they are called,
 * and what they call must not take it again: that would wait for a freeze that
 * waits for the caller.  An entry of vol->writers counts how often its task
 * has begun; the asynchronous write that it ends in takes the protection over.
 */
#define WRITER_HANDED_OVER	BIT(0)
#define WRITER_BORROWED		BIT(1)	/* it is another task's */
#define WRITER_ONCE		BIT(2)

static unsigned long writer(struct bpiofs_volume *vol)
{
	if (likely(xa_empty(&vol->writers)))
		return 0;
	return xa_to_value(xa_load(&vol->writers, current->pid) ?:
			   xa_mk_value(0));
}

/* Only the task itself looks at or changes its entry. */
static int set_writer(struct bpiofs_volume *vol, unsigned long value)
{
	return xa_err(xa_store(&vol->writers, current->pid,
			       xa_mk_value(value), GFP_KERNEL));
}

static bool is_writer(struct bpiofs_volume *vol)
{
	const unsigned long value = writer(vol);

	return value && !(value & WRITER_HANDED_OVER);
}

/**
 * bpiofs_writer_begin - the task is going to write below, by way of filters
 * @vol: mount
 *
 * May be nested.
 *
 * Context: process context; waits while the lower file system is frozen.
 * Return: 0 or -ENOMEM.
 */
int bpiofs_writer_begin(struct bpiofs_volume *vol)
{
	const unsigned long value = writer(vol);
	int ret;

	if (!value)
		sb_start_write(vol->lower_sb);
	ret = set_writer(vol, value + WRITER_ONCE);
	if (ret && !value)
		sb_end_write(vol->lower_sb);
	return ret;
}

/**
 * bpiofs_writer_borrow - the task writes on behalf of one that has begun
 * @vol: mount
 *
 * Context: process context, a task that has not begun itself.
 * Return: 0, to be followed by bpiofs_writer_end(), or -ENOMEM.
 */
int bpiofs_writer_borrow(struct bpiofs_volume *vol)
{
	return set_writer(vol, WRITER_ONCE | WRITER_BORROWED);
}

/**
 * bpiofs_writer_end - undo bpiofs_writer_begin() or bpiofs_writer_borrow()
 * @vol: mount
 *
 * Context: process context.
 */
void bpiofs_writer_end(struct bpiofs_volume *vol)
{
	const unsigned long value = writer(vol) - WRITER_ONCE;

	if (value >= WRITER_ONCE) {
		set_writer(vol, value);
		return;
	}
	xa_erase(&vol->writers, current->pid);
	if (!value)
		sb_end_write(vol->lower_sb);
}

/**
 * bpiofs_want_write - mnt_want_write() of the lower mount
 * @vol: mount
 *
 * Context: process context, also inside bpiofs_writer_begin().
 * Return: 0, to be followed by bpiofs_drop_write(), or -EROFS.
 */
int bpiofs_want_write(struct bpiofs_volume *vol)
{
	if (is_writer(vol))
		return sb_rdonly(vol->lower_sb) ? -EROFS : 0;
	return mnt_want_write(vol->lower_mnt);
}

/**
 * bpiofs_drop_write - undo bpiofs_want_write()
 * @vol: mount
 *
 * Context: process context.
 */
void bpiofs_drop_write(struct bpiofs_volume *vol)
{
	if (!is_writer(vol))
		mnt_drop_write(vol->lower_mnt);
}

/* ---- writes --------------------------------------------------------------- */

/*
 * Freeze protection of the lower file system.  As the end may come from
 * another thread, lockdep is told that it is given up at once.
 */
static int begin_write(struct kiocb *iocb, struct inode *inode)
{
	struct super_block *lower_sb = file_inode(iocb->ki_filp)->i_sb;
	struct bpiofs_volume *vol = bpiofs_vol(inode->i_sb);

	if (!is_writer(vol)) {
		if (!(iocb->ki_flags & IOCB_NOWAIT))
			sb_start_write(lower_sb);
		else if (!sb_start_write_trylock(lower_sb))
			return -EAGAIN;
		__sb_writers_release(lower_sb, SB_FREEZE_WRITE);
	} else if (!is_sync_kiocb(iocb)) {
		/* an entry that is there: it can't fail */
		set_writer(vol, writer(vol) | WRITER_HANDED_OVER);
		__sb_writers_release(lower_sb, SB_FREEZE_WRITE);
	}
	bpiofs_write_begin(BPIOFS_I(inode));
	return 0;
}

static void end_write(struct kiocb *iocb, struct kiocb *orig)
{
	struct super_block *lower_sb = file_inode(iocb->ki_filp)->i_sb;
	struct inode *inode = file_inode(orig->ki_filp);

	if (!is_sync_kiocb(iocb) || !is_writer(bpiofs_vol(inode->i_sb))) {
		__sb_writers_acquired(lower_sb, SB_FREEZE_WRITE);
		sb_end_write(lower_sb);
	}
	bpiofs_write_end(BPIOFS_I(inode));
	/* what completes elsewhere has not changed the size */
	if (in_task())
		bpiofs_copy_attr(inode);
	orig->ki_pos = iocb->ki_pos;
}

static void write_done(struct kiocb *iocb, long ret)
{
	struct lower_io *io = container_of(iocb, struct lower_io, iocb);
	struct kiocb *orig = io->orig;

	end_write(iocb, orig);
	put_lower_io(io);
	orig->ki_complete(orig, ret);
}

/**
 * bpiofs_lower_write - write to the lower file
 * @iocb: of our file; synchronous or not, direct or cached
 * @from: where from
 *
 * Context: process context; does not wait when IOCB_NOWAIT is set.
 * Return: bytes written, -EIOCBQUEUED when @iocb will be completed later, or a
 * negative errno.
 */
ssize_t bpiofs_lower_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	const struct file_operations *fops = bpiofs_file(file)->lower->f_op;
	struct inode *inode = file_inode(file);
	struct lower_io *io;
	ssize_t ret;

	if (is_sync_kiocb(iocb)) {
		struct kiocb lower_iocb;

		init_lower_iocb(&lower_iocb, iocb);
		ret = begin_write(&lower_iocb, inode);
		if (ret)
			return ret;
		ret = fops->write_iter(&lower_iocb, from);
		end_write(&lower_iocb, iocb);
		return ret;
	}

	io = alloc_lower_io(iocb);
	if (!io)
		return -ENOMEM;
	io->iocb.ki_complete = write_done;
	ret = begin_write(&io->iocb, inode);
	if (ret) {
		kfree(io);
		return ret;
	}
	ret = fops->write_iter(&io->iocb, from);
	if (ret != -EIOCBQUEUED) {
		end_write(&io->iocb, iocb);
		put_lower_io(io);
	}
	put_lower_io(io);
	return ret;
}

static ssize_t write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	if (!iov_iter_count(from))
		return 0;
	count_use(iocb->ki_filp, iocb->ki_flags & IOCB_DIRECT);
	return bpiofs_filtered_write(iocb, from);
}

/**
 * bpiofs_is_filtered - does a filter see this operation, so it has to pass it?
 * @file: ours
 * @op: operation
 *
 * Return: whether an instance registered for it is attached.
 */
bool bpiofs_is_filtered(struct file *file, enum flt_op op)
{
	return READ_ONCE(bpiofs_vol(file_inode(file)->i_sb)->filters.ops) &
	       BIT(op);
}

static ssize_t splice_read(struct file *in, loff_t *ppos,
			   struct pipe_inode_info *pipe, size_t len,
			   unsigned int flags)
{
	const struct cred *caller;
	ssize_t ret;

	count_use(in, in->f_flags & O_DIRECT);
	/* through read_iter() */
	if (in->f_flags & O_DIRECT || bpiofs_is_filtered(in, FLT_OP_READ))
		return bpio_splice_read(in, NULL, ppos, pipe, len, flags);
	caller = bpiofs_mounter_begin(bpiofs_vol(file_inode(in)->i_sb));
	ret = bpio_splice_read(in, bpiofs_file(in)->lower, ppos, pipe, len,
			       flags);
	bpiofs_mounter_end(caller);
	return ret;
}

/* Through write_iter(). */
static ssize_t filtered_splice_write(struct pipe_inode_info *pipe,
				     struct file *out, loff_t *ppos, size_t len,
				     unsigned int flags)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(out)->i_sb);
	ssize_t ret;

	ret = bpiofs_writer_begin(vol);
	if (ret)
		return ret;
	ret = iter_file_splice_write(pipe, out, ppos, len, flags);
	bpiofs_writer_end(vol);
	return ret;
}

/*
 * On the lower file, so that the pipe's lock is taken inside the lower file
 * system's freeze protection, as everywhere; see ovl_splice_write().
 */
static ssize_t splice_write(struct pipe_inode_info *pipe, struct file *out,
			    loff_t *ppos, size_t len, unsigned int flags)
{
	struct inode *inode = file_inode(out);
	struct file *lower = lower_with_flags(out);
	const struct cred *caller;
	ssize_t ret;

	if (bpiofs_is_filtered(out, FLT_OP_WRITE))
		return filtered_splice_write(pipe, out, ppos, len, flags);

	ret = bpiofs_caller_begin(bpiofs_vol(inode->i_sb), &caller);
	if (ret)
		return ret;
	count_use(out, out->f_flags & O_DIRECT);
	bpiofs_write_begin(BPIOFS_I(inode));
	file_start_write(lower);
	ret = iter_file_splice_write(pipe, lower, ppos, len, flags);
	file_end_write(lower);
	bpiofs_write_end(BPIOFS_I(inode));
	bpiofs_copy_attr(inode);
	bpiofs_caller_end(caller);
	return ret;
}

static loff_t llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	struct file *lower = bpiofs_file(file)->lower;
	loff_t ret;

	switch (whence) {
	case SEEK_DATA:
	case SEEK_HOLE:
		/* our position is the one that counts */
		ret = whence == SEEK_DATA ? bpiofs_seek_data(lower, offset) :
					    vfs_llseek(lower, offset, whence);
		if (ret < 0)
			return ret;
		return vfs_setpos(file, ret, inode->i_sb->s_maxbytes);
	default:
		return generic_file_llseek_size(file, offset, whence,
						inode->i_sb->s_maxbytes,
						i_size_read(file_inode(lower)));
	}
}

static long fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	const struct cred *caller;
	int ret;

	/* what a filter makes of the data is not ours to cut or fill up */
	if (atomic_read(&BPIOFS_I(inode)->transformed) &&
	    mode != FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	ret = bpiofs_caller_begin(bpiofs_vol(inode->i_sb), &caller);
	if (ret)
		return ret;
	/* announced by the lower file itself: see bpiofs_watch_lower() */
	ret = vfs_fallocate(bpiofs_file(file)->lower, mode, offset, len);
	bpiofs_caller_end(caller);
	return ret;
}

static int fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	return vfs_fadvise(bpiofs_file(file)->lower, offset, len, advice);
}

const struct file_operations bpiofs_file_fops = {
	.open		= bpiofs_open,
	.release	= bpiofs_release,
	.show_fdinfo	= bpiofs_show_fdinfo,
	.flush		= flush,
	.llseek		= llseek,
	.read_iter	= bpiofs_read_iter,
	.iopoll		= iocb_bio_iopoll,
	.write_iter	= write_iter,
	.splice_read	= splice_read,
	.splice_write	= splice_write,
	.mmap		= bpiofs_mmap,
	.fsync		= bpiofs_fsync,
	.fallocate	= fallocate,
	.fadvise	= fadvise,
	.copy_file_range = bpiofs_copy_file_range,
	.remap_file_range = bpiofs_remap_file_range,
	.unlocked_ioctl	= bpiofs_ioctl,
	.compat_ioctl	= bpiofs_compat_ioctl,
};
