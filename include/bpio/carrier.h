/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BPIO_IOC_CONTROL as both modules carry it: copy in, check the carrier, run
 * the request, copy out.  It knows buffers and errno, not what a code means.
 */
#ifndef _BPIO_CARRIER_H
#define _BPIO_CARRIER_H

#include <linux/types.h>
#include <linux/bpio.h>

/**
 * struct bpio_request - one control code in kernel memory
 * @code: FSCTL_* or IOCTL_*
 * @kernel_mode: treat the sender as kernel mode; its right to say so has been
 *	checked
 * @input: copy of the caller's input; NULL when @input_length is 0
 * @input_length: bytes, at most BPIO_CONTROL_MAX_LENGTH
 * @output: zeroed; NULL when @output_length is 0; never overlaps @input.
 *	8-byte aligned, as @input is.
 * @output_length: bytes, at most BPIO_CONTROL_MAX_LENGTH
 * @device_fd: descriptor of the device; -1 on the volume side
 * @status: out: NTSTATUS of the request, STATUS_SUCCESS to begin with
 * @information: out: bytes returned, 0 to begin with
 *
 * The handler may write all of @output; what reaches the caller is decided by
 * @status and @information.
 */
struct bpio_request {
	u32 code;
	bool kernel_mode;
	const void *input;
	u32 input_length;
	void *output;
	u32 output_length;
	int device_fd;
	s32 status;
	u32 information;
};

int bpio_control_run(struct bpio_control __user *uc, bool volume_side,
		     int (*fn)(void *ctx, struct bpio_request *req),
		     void *ctx);

#endif /* _BPIO_CARRIER_H */
