// SPDX-License-Identifier: GPL-2.0
/*
 * BPIO_IOC_CONTROL on files and directories of a mount: the access right that
 * a control code demands, and who handles it.
 */
#include <linux/compat.h>
#include "bpiofs.h"

static int control(void *ctx, struct bpio_request *req)
{
	struct file *file = ctx;
	const u32 access = BPIO_CTL_ACCESS(req->code);

	/* The I/O manager's rule: before anything else looks at it (2). */
	if (((access & BPIO_FILE_READ_ACCESS) &&
	     !(file->f_mode & FMODE_READ)) ||
	    ((access & BPIO_FILE_WRITE_ACCESS) &&
	     !(file->f_mode & FMODE_WRITE))) {
		req->status = STATUS_ACCESS_DENIED;
		return 0;
	}

	switch (req->code) {
	case FSCTL_MANAGE_BYPASS_IO:
		bpiofs_manage_bypass_io(file, req);
		break;
	case FSCTL_OFFLOAD_READ:
		bpiofs_offload_read(file, req);
		break;
	case FSCTL_OFFLOAD_WRITE:
		bpiofs_offload_write(file, req);
		break;
	default:
		req->status = STATUS_INVALID_DEVICE_REQUEST;
	}
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
