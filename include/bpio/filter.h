/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the author of a minifilter includes, and nothing else.
 *
 * A filter registers once and is then attached to mounts by their
 * administrator (`bpioctl filter attach`, or the sysfs file behind it).  Each
 * attachment is an instance, which has an altitude on that mount.  For an
 * operation on a file, pre-operation callbacks run from the highest altitude
 * to the lowest, then the file system does the operation, then post-operation
 * callbacks run from the lowest to the highest (protocol M-3).
 *
 * Every callback runs in the process context of the caller, without a lock of
 * the file system, and may sleep.  Those for WRITE and SET_INFORMATION run
 * inside its freeze protection; see flt_start_write().  What a callback is given is valid until it
 * returns; between the two callbacks of one operation only the completion
 * context is kept.  While an instance is in a callback it cannot go away,
 * even when it detaches itself meanwhile.
 *
 * Differs: on a mount with a filter for READ or WRITE asynchronous requests of
 * that kind are done before they return when a post-operation callback was
 * asked for, and a request that must not wait (IOCB_NOWAIT) fails with
 * -EAGAIN, so that its sender repeats it from where it may.
 * Differs: page faults of a mapping are no READ or WRITE of the filters;
 * see flt_set_stream_transformed().
 * Differs: a detach does not cut operations short, it waits for those that the
 * instance has seen going down.  Their post-operation callbacks are told by
 * FLTFL_POST_OPERATION_DRAINING, but work on the real data, so that a filter
 * that substitutes buffers hands over what it has read (M-8).
 */
#ifndef _BPIO_FILTER_H
#define _BPIO_FILTER_H

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/uio.h>
#include <linux/bpio.h>

struct flt_filter;
struct flt_instance;

/**
 * struct flt_related_objects - who and what a callback is about
 * @filter: the filter called
 * @instance: its instance on this mount
 * @dentry: the file's name in the mount
 * @inode: the file, directory or the root, which is the volume handle
 * @file: the open file; NULL for IRP_MJ_SET_INFORMATION by path.  Before the
 *	file system has done IRP_MJ_CREATE it is not open yet: only its flags
 *	and mode mean something.
 */
struct flt_related_objects {
	struct flt_filter *filter;
	struct flt_instance *instance;
	struct dentry *dentry;
	struct inode *inode;
	struct file *file;
};

/**
 * struct flt_callback_data - one operation on its way down and up
 * @major: IRP_MJ_*
 * @rw: IRP_MJ_READ and IRP_MJ_WRITE.  A pre-operation callback may put its own
 *	iterator and position here, to substitute the buffer; its
 *	post-operation callback finds what it put there.  Others see what it
 *	put: those below while the operation goes down, those above their own.
 * @rw.iter: where from or to
 * @rw.pos: bytes; for a write with @rw.append, the end of the file before it
 * @rw.direct: O_DIRECT: @rw.pos, the length and the memory must be aligned to
 *	the logical block size of the device, the length of a read but for the
 *	end of the file
 * @rw.append: the file system finds the position when it writes; a filter
 *	that clears it gives the position
 * @fsctl: IRP_MJ_FILE_SYSTEM_CONTROL.  Lengths are the caller's and may be
 *	anything, also too short for the code.
 * @fsctl.code: FSCTL_*
 * @fsctl.kernel_mode: the sender is, or counts as, the kernel
 * @fsctl.input: copy of the input, NULL when its length is 0
 * @fsctl.output: zeroed; NULL when its length is 0
 * @set_size: IRP_MJ_SET_INFORMATION
 * @set_size.size: the new end of the file
 * @result: of all operations but IRP_MJ_FILE_SYSTEM_CONTROL: bytes, or 0, or a
 *	negative errno.  Set it before FLT_PREOP_COMPLETE.
 * @status: of IRP_MJ_FILE_SYSTEM_CONTROL: NTSTATUS; never STATUS_PENDING (M-5)
 * @information: bytes of output returned
 */
struct flt_callback_data {
	unsigned int major;
	union {
		struct {
			struct iov_iter *iter;
			loff_t pos;
			bool direct;
			bool append;
		} rw;
		struct {
			u32 code;
			bool kernel_mode;
			const void *input;
			u32 input_length;
			void *output;
			u32 output_length;
		} fsctl;
		struct {
			loff_t size;
		} set_size;
	};
	ssize_t result;
	s32 status;
	u32 information;
};

/* Flags of a post-operation callback. */
#define FLTFL_POST_OPERATION_DRAINING	0x1	/* the instance is detached: M-8 */

/**
 * typedef flt_preop_t - pre-operation callback
 * @data: the operation
 * @objects: who and what
 * @completion_context: handed to the post-operation callback of this operation
 *
 * Context: process context, may sleep.
 * Return: FLT_PREOP_SUCCESS_WITH_CALLBACK, or _SYNCHRONIZE, which is the same
 * here: go on, and call me back.  FLT_PREOP_SUCCESS_NO_CALLBACK: go on.
 * FLT_PREOP_COMPLETE: done, with what I put into @data; nobody below is asked
 * and my post-operation callback is not called (M-4, M-5).  Anything else is a
 * bug of the filter, logged once, and counts as _SUCCESS_NO_CALLBACK.
 * IRP_MJ_CLEANUP, IRP_MJ_CLOSE and the operations of FSCTL_MANAGE_BYPASS_IO
 * that cannot be vetoed cannot be completed either: that is logged and the
 * operation goes on (R-FLT-13).
 */
typedef int (*flt_preop_t)(struct flt_callback_data *data,
			   const struct flt_related_objects *objects,
			   void **completion_context);

/**
 * typedef flt_postop_t - post-operation callback
 * @data: the operation with its result, which may be changed
 * @objects: who and what
 * @completion_context: of the pre-operation callback; NULL without one
 * @flags: FLTFL_POST_OPERATION_*
 *
 * A failed IRP_MJ_CREATE may not be made a success.
 *
 * Context: process context, may sleep; the thread of the pre-operation
 * callback.
 * Return: FLT_POSTOP_FINISHED_PROCESSING; anything else is logged once and
 * counts as that.
 */
typedef int (*flt_postop_t)(struct flt_callback_data *data,
			    const struct flt_related_objects *objects,
			    void *completion_context, u32 flags);

/**
 * struct flt_operation_registration - callbacks for one kind of operation
 * @major: IRP_MJ_CREATE, _CLOSE, _READ, _WRITE, _SET_INFORMATION,
 *	_FILE_SYSTEM_CONTROL or _CLEANUP, each at most once
 * @pre: or NULL
 * @post: or NULL.  Without @pre it is called for every operation that was not
 *	completed above (M-6).
 */
struct flt_operation_registration {
	unsigned int major;
	flt_preop_t pre;
	flt_postop_t post;
};

/**
 * struct flt_registration - a filter
 * @name: the module's name without ``.ko``, e.g. "bpio-flt-legacy"; at most
 *	28 characters, no slash, no space.  With ``.ko`` it is the driver name
 *	under which the filter objects.
 * @altitude: configured altitude, used when the administrator names none; a
 *	decimal number like "145000.5" (M-1)
 * @supported_features: SUPPORTED_FS_FEATURES_*
 * @operations: ends with an entry without callbacks
 * @instance_setup: or NULL: a new instance, not called yet.  Return: 0 or the
 *	negative errno with which the attachment fails.
 * @instance_teardown: or NULL: no callback of @instance runs, or will
 * @stream_context_cleanup: frees what flt_set_stream_context() took; the inode
 *	or the instance is going
 *
 * All of it has to stay while the filter is registered.
 */
struct flt_registration {
	const char *name;
	const char *altitude;
	u32 supported_features;
	const struct flt_operation_registration *operations;
	int (*instance_setup)(const struct flt_related_objects *objects);
	void (*instance_teardown)(struct flt_instance *instance);
	void (*stream_context_cleanup)(void *context);
};

/* ---- registration and instances ----------------------------------------- */

struct flt_filter *flt_register(struct module *owner,
				const struct flt_registration *registration);
void flt_unregister_filter(struct flt_filter *filter);

#define flt_register_filter(registration) \
	flt_register(THIS_MODULE, registration)

int flt_detach_instance(struct flt_instance *instance);
void flt_set_instance_context(struct flt_instance *instance, void *context);
void *flt_instance_context(const struct flt_instance *instance);
s32 flt_get_supported_features(const struct file *file, u32 *features);

/* ---- BypassIO ------------------------------------------------------------ */

s32 flt_veto_bypass_io(struct flt_callback_data *data,
		       const struct flt_related_objects *objects,
		       s32 operation_status, const char *failure_reason);
u32 flt_get_bypass_io_open_count(const struct inode *inode);
s32 flt_fs_control(const struct flt_related_objects *objects, bool top,
		   u32 code, const void *input, u32 input_length,
		   void *output, u32 output_length, u32 *information);

/* ---- rights ---------------------------------------------------------------- */

/**
 * flt_may_overwrite - may data that a file holds be changed through a handle?
 * @file: open file of a mount
 *
 * A control code that changes data asks for this, not for FMODE_WRITE alone: a
 * handle opened with O_APPEND, and any handle on an append-only file, may add
 * data but not change it.
 *
 * Context: any.
 * Return: true when the handle has write access to existing data.
 */
static inline bool flt_may_overwrite(const struct file *file)
{
	return (file->f_mode & FMODE_WRITE) && !(file->f_flags & O_APPEND) &&
	       !IS_APPEND(file_inode(file));
}

/* ---- I/O that a filter initiates: below itself (M-7) ---------------------- */

ssize_t flt_read_file(const struct flt_related_objects *objects, void *buffer,
		      size_t length, loff_t pos);
ssize_t flt_write_file(const struct flt_related_objects *objects,
		       const void *buffer, size_t length, loff_t pos);
int flt_start_write(const struct flt_related_objects *objects);
int flt_borrow_write(const struct flt_related_objects *objects);
void flt_end_write(const struct flt_related_objects *objects);
int flt_flush_file(const struct flt_related_objects *objects);
ssize_t flt_get_ea(const struct flt_related_objects *objects,
		   const char *name, void *value, size_t size);
int flt_set_ea(const struct flt_related_objects *objects, const char *name,
	       const void *value, size_t size);

/* ---- files that need their filter ----------------------------------------- */

/*
 * The mark of a file whose data is of no use without a filter, as it is encrypted
 * or compressed: an extended attribute FLT_MARK_PREFIX NAME, of any value, on a
 * regular file.  NAME is the filter's, without "bpio-flt-" if it begins so; the
 * mark of bpio-flt-crypt is "trusted.bpio.crypt".  The filter writes and removes
 * it by flt_set_ea(), in the same step in which the data becomes what it is.
 *
 * While that filter is not attached the file system refuses what would read or
 * change the data: opening the file and changing its size, with -ENOKEY as
 * fscrypt does without a key, and says so in the kernel log.  Names and
 * attributes stay usable: the file can be listed, renamed, removed.  Who opens the
 * file after the filter was attached finds it as it was.
 *
 * The filter cannot be detached by the administrator (-EBUSY) while a file is
 * open whose stream it has set transformed.  flt_detach_instance() and
 * flt_unregister_filter() detach all the same: a filter that calls them first
 * sees to its open files.
 */
#define FLT_MARK_PREFIX "trusted.bpio."

/* ---- what a filter keeps per file ----------------------------------------- */

void *flt_set_stream_context(const struct flt_related_objects *objects,
			     void *context);
void *flt_stream_context(const struct flt_related_objects *objects);
int flt_set_stream_transformed(const struct flt_related_objects *objects,
			       bool transformed);

#endif /* _BPIO_FILTER_H */
