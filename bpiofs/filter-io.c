// SPDX-License-Identifier: GPL-2.0
/*
 * What a filter asks of the file system by itself: I/O and control codes that
 * only those below it see (M-7), extended attributes, counts.
 */
#include <linux/file.h>
#include <linux/uio.h>
#include <linux/xattr.h>
#include "bpiofs.h"

/**
 * flt_get_bypass_io_open_count - FsRtlGetBypassIoOpenCount
 * @inode: any
 *
 * Context: any.
 * Return: enabled opens of the file; 0 for what cannot be enabled.
 */
u32 flt_get_bypass_io_open_count(const struct inode *inode)
{
	if (inode->i_sb->s_type != &bpiofs_type)
		return 0;
	return READ_ONCE(container_of(inode, const struct bpiofs_inode,
				      vfs_inode)->state.open_count);
}
EXPORT_SYMBOL_GPL(flt_get_bypass_io_open_count);

/**
 * flt_fs_control - send a control code
 * @objects: of the callback; with an open file
 * @top: to the top of the stack, so the sender sees it too; else to those
 *	below the instance
 * @code: FSCTL_*
 * @input: 8-byte aligned, or NULL when @input_length is 0
 * @input_length: bytes
 * @output: 8-byte aligned; zeroed first; or NULL when @output_length is 0
 * @output_length: bytes
 * @information: out, or NULL: bytes returned
 *
 * The sender counts as kernel mode, and access rights are not looked at.  No
 * lock that a callback for the same file takes may be held (R-FS-67).
 *
 * Context: process context, may sleep.
 * Return: the NTSTATUS of the request; STATUS_INVALID_HANDLE without a file.
 */
s32 flt_fs_control(const struct flt_related_objects *objects, bool top,
		   u32 code, const void *input, u32 input_length,
		   void *output, u32 output_length, u32 *information)
{
	struct bpio_request req = {
		.code = code,
		.kernel_mode = true,
		.input = input,
		.input_length = input_length,
		.output = output,
		.output_length = output_length,
		.device_fd = -1,
		.status = STATUS_SUCCESS,
	};

	if (!objects->file || !bpiofs_file(objects->file))
		return STATUS_INVALID_HANDLE;
	if (output_length)
		memset(output, 0, output_length);
	bpiofs_filtered_fsctl(objects->file, &req,
			      top ? NULL : objects->instance);
	if (information)
		*information = req.information;
	return req.status;
}
EXPORT_SYMBOL_GPL(flt_fs_control);

/* ---- reads and writes --------------------------------------------------------- */

/* The open file below, or one opened for the occasion. */
static struct file *get_lower(const struct flt_related_objects *objects,
			      fmode_t mode)
{
	struct bpiofs_volume *vol = bpiofs_vol(objects->inode->i_sb);
	struct path path = {
		.mnt = vol->lower_mnt,
		.dentry = bpiofs_lower_dentry(objects->dentry),
	};
	const struct cred *caller;
	struct file *lower;

	if (objects->file && bpiofs_file(objects->file)) {
		lower = bpiofs_file(objects->file)->lower;
		/* a read is ours to make, whatever the caller may */
		if (mode == FMODE_READ || lower->f_mode & FMODE_WRITE)
			return get_file(lower);
	}
	caller = bpiofs_mounter_begin(vol);
	lower = dentry_open(&path, O_RDWR | O_LARGEFILE | O_NOATIME,
			    current_cred());
	bpiofs_mounter_end(caller);
	return lower;
}

static void init_iocb(struct kiocb *iocb, struct file *lower, loff_t pos)
{
	init_sync_kiocb(iocb, lower);
	iocb->ki_flags &= ~(IOCB_DIRECT | IOCB_APPEND | IOCB_NOWAIT);
	iocb->ki_pos = pos;
}

static ssize_t read_lower(struct inode *inode, struct file *lower,
			  struct iov_iter *iter, loff_t pos)
{
	struct kiocb iocb;

	init_iocb(&iocb, lower, pos);
	return lower->f_op->read_iter(&iocb, iter);
}

static ssize_t write_lower(struct inode *inode, struct file *lower,
			   struct iov_iter *iter, loff_t pos)
{
	struct bpiofs_volume *vol = bpiofs_vol(inode->i_sb);
	struct kiocb iocb;
	ssize_t ret;

	ret = bpiofs_writer_begin(vol);
	if (ret)
		return ret;
	init_iocb(&iocb, lower, pos);
	bpiofs_write_begin(BPIOFS_I(inode));
	ret = lower->f_op->write_iter(&iocb, iter);
	bpiofs_write_end(BPIOFS_I(inode));
	bpiofs_writer_end(vol);
	bpiofs_copy_attr(inode);
	return ret;
}

/**
 * flt_start_write - a filter is going to take a lock and to write under it
 * @objects: of the callback
 *
 * The file system keeps freezes out before it calls a filter's callbacks for
 * writes and for changes of the size.  Where a filter writes from elsewhere
 * and under the same lock, this has to come before the lock, or a freeze
 * deadlocks.
 *
 * Context: process context; waits while the file system below is frozen.
 * Return: 0, to be followed by flt_end_write(), or -ENOMEM.
 */
int flt_start_write(const struct flt_related_objects *objects)
{
	return bpiofs_writer_begin(bpiofs_vol(objects->inode->i_sb));
}
EXPORT_SYMBOL_GPL(flt_start_write);

/**
 * flt_borrow_write - write on behalf of a task that is inside flt_start_write()
 * @objects: of the callback
 *
 * For a worker, while the task that waits for it is in a callback for a write
 * or a change of the size, or has called flt_start_write().
 *
 * Context: process context.
 * Return: 0, to be followed by flt_end_write(), or -ENOMEM.
 */
int flt_borrow_write(const struct flt_related_objects *objects)
{
	return bpiofs_writer_borrow(bpiofs_vol(objects->inode->i_sb));
}
EXPORT_SYMBOL_GPL(flt_borrow_write);

/**
 * flt_end_write - undo flt_start_write() or flt_borrow_write()
 * @objects: the same
 *
 * Context: process context, the same task.
 */
void flt_end_write(const struct flt_related_objects *objects)
{
	bpiofs_writer_end(bpiofs_vol(objects->inode->i_sb));
}
EXPORT_SYMBOL_GPL(flt_end_write);

/**
 * flt_read_file - read a file as those below the instance show it
 * @objects: of the callback; a regular file, open or not
 * @buffer: kernel memory
 * @length: bytes
 * @pos: byte of the file
 *
 * Through the page cache of the file below.
 *
 * Context: process context, may sleep.
 * Return: bytes, less than @length only at the end of the file; or a negative
 * errno.
 */
ssize_t flt_read_file(const struct flt_related_objects *objects, void *buffer,
		      size_t length, loff_t pos)
{
	struct file *lower = get_lower(objects, FMODE_READ);
	size_t done = 0;
	ssize_t ret = 0;

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	while (done < length) {
		struct kvec kvec = { buffer + done, length - done };
		struct iov_iter iter;

		iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, kvec.iov_len);
		ret = bpiofs_filtered_below(objects, FLT_OP_READ, lower, &iter,
					    pos + done, read_lower);
		if (ret <= 0)
			break;
		done += ret;
	}
	fput(lower);
	return ret < 0 ? ret : done;
}
EXPORT_SYMBOL_GPL(flt_read_file);

/**
 * flt_write_file - write a file below the instance
 * @objects: of the callback; a regular file, open or not
 * @buffer: kernel memory
 * @length: bytes
 * @pos: byte of the file
 *
 * Through the page cache of the file below.
 *
 * Context: process context, may sleep; the file's i_rwsem may be held.
 * Return: @length, or a negative errno when not all of it was written.
 */
ssize_t flt_write_file(const struct flt_related_objects *objects,
		       const void *buffer, size_t length, loff_t pos)
{
	struct file *lower = get_lower(objects, FMODE_WRITE);
	size_t done = 0;
	ssize_t ret = 0;

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	while (done < length) {
		struct kvec kvec = { (void *)buffer + done, length - done };
		struct iov_iter iter;

		iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, kvec.iov_len);
		ret = bpiofs_filtered_below(objects, FLT_OP_WRITE, lower, &iter,
					    pos + done, write_lower);
		if (ret <= 0)
			break;
		done += ret;
	}
	fput(lower);
	if (ret < 0)
		return ret;
	return done == length ? done : -EIO;
}
EXPORT_SYMBOL_GPL(flt_write_file);

/**
 * flt_flush_file - write back what a file has in the cache, and its metadata
 * @objects: of the callback; a regular file, open or not
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int flt_flush_file(const struct flt_related_objects *objects)
{
	struct file *lower = get_lower(objects, FMODE_READ);
	int ret;

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	ret = vfs_fsync(lower, 0);
	fput(lower);
	return ret;
}
EXPORT_SYMBOL_GPL(flt_flush_file);

/* ---- extended attributes ------------------------------------------------------- */

/**
 * flt_get_ea - read an extended attribute of the file below
 * @objects: of the callback
 * @name: with its name space, e.g. "trusted.my-filter"
 * @value: out
 * @size: room in @value, bytes; 0: only ask for the length
 *
 * Without regard to the caller's rights.
 *
 * Context: process context, may sleep.
 * Return: bytes of the value; -ENODATA: there is none; -ERANGE: longer than
 * @size; another negative errno.
 */
ssize_t flt_get_ea(const struct flt_related_objects *objects, const char *name,
		   void *value, size_t size)
{
	struct dentry *lower = bpiofs_lower_dentry(objects->dentry);

	return __vfs_getxattr(lower, d_inode(lower), name, value, size);
}
EXPORT_SYMBOL_GPL(flt_get_ea);

/**
 * flt_set_ea - write or remove an extended attribute of the file below
 * @objects: of the callback
 * @name: with its name space
 * @value: NULL: remove it
 * @size: bytes
 *
 * Without regard to the caller's rights.
 *
 * Context: process context, may sleep; takes the lower i_rwsem.
 * Return: 0 or a negative errno.
 */
int flt_set_ea(const struct flt_related_objects *objects, const char *name,
	       const void *value, size_t size)
{
	struct bpiofs_volume *vol = bpiofs_vol(objects->inode->i_sb);
	struct dentry *lower = bpiofs_lower_dentry(objects->dentry);
	int ret;

	ret = bpiofs_want_write(vol);
	if (ret)
		return ret;
	inode_lock(d_inode(lower));
	if (value)
		ret = __vfs_setxattr(bpio_nop_idmap, lower, d_inode(lower),
				     name, value, size, 0);
	else
		ret = __vfs_removexattr(bpio_nop_idmap, lower, name);
	inode_unlock(d_inode(lower));
	if (bpiofs_is_mark(name))
		bpiofs_marks_changed(BPIOFS_I(objects->inode));
	bpiofs_drop_write(vol);
	return ret;
}
EXPORT_SYMBOL_GPL(flt_set_ea);
