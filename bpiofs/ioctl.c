// SPDX-License-Identifier: GPL-2.0
/*
 * BPIO_IOC_CONTROL on files and directories of a mount: the access right that
 * a control code demands, and who handles it.
 */
#include <linux/compat.h>
#include "bpiofs.h"

/*
 * No lower file system compresses by this code; but whoever asks about a file
 * that is being bypassed is told so first (R-FS-85).
 */
static void set_compression(struct file *file, struct bpio_request *req)
{
	const __le16 *format = req->input;

	if (req->input_length < sizeof(*format))
		req->status = STATUS_INVALID_PARAMETER;
	else if (le16_to_cpu(*format) == COMPRESSION_FORMAT_NONE)
		req->status = STATUS_SUCCESS;
	else if (READ_ONCE(BPIOFS_I(file_inode(file))->state.open_count))
		req->status = STATUS_NOT_SUPPORTED_WITH_BYPASSIO;
	else
		req->status = STATUS_INVALID_DEVICE_REQUEST;
}

/* Security modules are asked about the lower file, too: see creds.c. */
static void offload(struct file *file, struct bpio_request *req,
		    void (*handler)(struct file *file, struct bpio_request *req))
{
	const struct cred *caller;

	if (bpiofs_caller_begin(bpiofs_vol(file_inode(file)->i_sb), &caller)) {
		req->status = STATUS_INSUFFICIENT_RESOURCES;
		return;
	}
	handler(file, req);
	bpiofs_caller_end(caller);
}

/**
 * bpiofs_fsctl - the file system's part of a control code
 * @file: any open file or directory of the mount
 * @req: the request; status, information and output are filled
 *
 * Context: process context, may sleep.
 */
void bpiofs_fsctl(struct file *file, struct bpio_request *req)
{
	switch (req->code) {
	case FSCTL_MANAGE_BYPASS_IO:
		bpiofs_manage_bypass_io(file, req);
		break;
	case FSCTL_OFFLOAD_READ:
		offload(file, req, bpiofs_offload_read);
		break;
	case FSCTL_OFFLOAD_WRITE:
		offload(file, req, bpiofs_offload_write);
		break;
	case FSCTL_SET_COMPRESSION:
		set_compression(file, req);
		break;
	default:
		/* FSCTL_SET_ENCRYPTION too: a filter's business */
		req->status = STATUS_INVALID_DEVICE_REQUEST;
	}
}

/*
 * The I/O manager's rule, before anything else looks at the request (2).  No
 * directory can be open for writing: an offload request is refused there for
 * what it was sent to (OR-5, OR-15, OW-1, OW-11).
 *
 * Differs: a handle that may only append has no write access; Linux has no
 * right of its own for appending.
 */
static bool has_access(const struct file *file, u32 code)
{
	const u32 access = BPIO_CTL_ACCESS(code);

	if ((code == FSCTL_OFFLOAD_READ || code == FSCTL_OFFLOAD_WRITE) &&
	    !S_ISREG(file_inode(file)->i_mode))
		return true;
	if ((access & BPIO_FILE_READ_ACCESS) && !(file->f_mode & FMODE_READ))
		return false;
	return !(access & BPIO_FILE_WRITE_ACCESS) || flt_may_overwrite(file);
}

static int control(void *ctx, struct bpio_request *req)
{
	struct file *file = ctx;

	if (!has_access(file, req->code)) {
		req->status = STATUS_ACCESS_DENIED;
		return 0;
	}

	bpiofs_filtered_fsctl(file, req, NULL);
	return 0;
}

/**
 * bpiofs_ioctl - ioctl on a file or directory of a mount
 * @file: open file
 * @cmd: BPIO_IOC_CONTROL
 * @arg: user pointer to struct bpio_control
 *
 * Context: process context, may sleep.
 * Return: 0 when the request was processed; -ENOTTY for another @cmd; the
 * carrier's errors, see bpio_control_run().
 */
long bpiofs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != BPIO_IOC_CONTROL)
		return -ENOTTY;
	return bpio_control_run((struct bpio_control __user *)arg, true,
				control, file);
}

/**
 * bpiofs_compat_ioctl - the same for 32-bit callers
 * @file: open file
 * @cmd: BPIO_IOC_CONTROL
 * @arg: 32-bit user pointer; struct bpio_control has no holes
 *
 * Context: process context, may sleep.
 * Return: as bpiofs_ioctl().
 */
long bpiofs_compat_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	return bpiofs_ioctl(file, cmd, (unsigned long)compat_ptr(arg));
}
