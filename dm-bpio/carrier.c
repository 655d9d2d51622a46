// SPDX-License-Identifier: GPL-2.0
/*
 * The carrier of control codes, BPIO_IOC_CONTROL, for /dev/bpio and for the
 * files of bpiofs.  METHOD_BUFFERED of the Windows headers: one copy in, one
 * copy out, of as many bytes as the request returns.  It refuses to know what
 * a code means.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <bpio/carrier.h>

/**
 * bpio_control_run - carry one control code from user space and back
 * @uc: the caller's struct bpio_control; @uc->status and @uc->information
 *	are written when 0 is returned
 * @volume_side: the file is one of a bpiofs mount, where device_fd must be -1;
 *	on /dev/bpio it is the handler that looks at device_fd
 * @fn: handles the request: sets status, information and output, and returns
 *	0, or a negative errno for a fault of the carrier (device_fd)
 * @ctx: passed to @fn
 *
 * At most min(output_length, information) bytes are copied out, and only when
 * the status is not an error (severity 3).  The caller's input and output may
 * overlap: the input has been copied before the output is written.
 *
 * Context: process context of the caller; may sleep; takes no lock.
 * Return: 0 when the request was processed, whatever its status; -EFAULT for
 * a bad pointer, -EINVAL for unknown flags, a nonzero reserved field, a length
 * over BPIO_CONTROL_MAX_LENGTH or a misused device_fd, -EPERM for
 * BPIO_CONTROL_KERNEL_MODE without CAP_SYS_ADMIN, -ENOMEM, or what @fn says.
 */
int bpio_control_run(struct bpio_control __user *uc, bool volume_side,
		     int (*fn)(void *ctx, struct bpio_request *req),
		     void *ctx)
{
	struct bpio_request req = { .status = STATUS_SUCCESS };
	struct bpio_control control;
	void __user *output;
	void *input = NULL;
	u32 length;
	int ret;

	if (copy_from_user(&control, uc, sizeof(control)))
		return -EFAULT;
	if (control.flags & ~BPIO_CONTROL_KERNEL_MODE || control.reserved)
		return -EINVAL;
	if (control.input_length > BPIO_CONTROL_MAX_LENGTH ||
	    control.output_length > BPIO_CONTROL_MAX_LENGTH)
		return -EINVAL;
	if (volume_side && control.device_fd != -1)
		return -EINVAL;
	if (control.flags & BPIO_CONTROL_KERNEL_MODE && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* Addresses that do not fit a pointer, on 32-bit kernels. */
	if (control.input != (unsigned long)control.input ||
	    control.output != (unsigned long)control.output)
		return -EFAULT;
	/* Nothing may happen for a reply that can never be delivered. */
	output = u64_to_user_ptr(control.output);
	if (!access_ok(output, control.output_length))
		return -EFAULT;

	req.code = control.code;
	req.kernel_mode = control.flags & BPIO_CONTROL_KERNEL_MODE;
	req.input_length = control.input_length;
	req.output_length = control.output_length;
	req.device_fd = control.device_fd;

	if (req.input_length) {
		input = vmemdup_user(u64_to_user_ptr(control.input),
				     req.input_length);
		if (IS_ERR(input))
			return PTR_ERR(input);
		req.input = input;
	}
	if (req.output_length) {
		req.output = kvzalloc(req.output_length, GFP_KERNEL_ACCOUNT);
		if (!req.output) {
			ret = -ENOMEM;
			goto out_input;
		}
	}

	ret = fn(ctx, &req);
	if (ret)
		goto out_output;

	length = min(req.output_length, req.information);
	if (BPIO_NT_SEVERITY(req.status) != 3 && length &&
	    copy_to_user(output, req.output, length)) {
		ret = -EFAULT;
		goto out_output;
	}
	/* The two fields and no more: the rest of the struct is the caller's. */
	if (put_user(req.status, &uc->status) ||
	    put_user(req.information, &uc->information))
		ret = -EFAULT;

out_output:
	kvfree(req.output);
out_input:
	kvfree(input);
	return ret;
}
EXPORT_SYMBOL_GPL(bpio_control_run);
