/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One control code for a file of a bpiofs mount, or by /dev/bpio for a device.
 */
#ifndef _BENCH_CONTROL_H
#define _BENCH_CONTROL_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/bpio.h>

static inline void __attribute__((noreturn)) die(const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(error));
	exit(1);
}

static inline uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (!*text || *end) {
		fprintf(stderr, "%s: %s: not a number\n",
			program_invocation_short_name, text);
		exit(2);
	}
	return n;
}

/* Of a device, as the kernel's own code asks, unless @device is -1. */
static inline uint32_t control(int to, uint32_t code, const void *in,
			       uint32_t in_length, void *out,
			       uint32_t out_length, int device)
{
	struct bpio_control c = {
		.code = code,
		.flags = device >= 0 ? BPIO_CONTROL_KERNEL_MODE : 0,
		.input = (uintptr_t)in,
		.input_length = in_length,
		.output = (uintptr_t)out,
		.output_length = out_length,
		.device_fd = device,
	};

	if (ioctl(to, BPIO_IOC_CONTROL, &c))
		die("BPIO_IOC_CONTROL", errno);
	return (uint32_t)c.status;
}

static inline void expect(const char *what, uint32_t status, uint32_t wanted)
{
	if (status == wanted)
		return;
	fprintf(stderr, "%s: %s: status 0x%08x, not 0x%08x\n",
		program_invocation_short_name, what, status, wanted);
	exit(1);
}

/* One of the operations that answer with a verdict; it has to be a good one. */
static inline void manage(int fd, uint32_t operation)
{
	const struct fs_bpio_input in = { .operation = operation };
	struct fs_bpio_output out = { 0 };

	expect("FSCTL_MANAGE_BYPASS_IO",
	       control(fd, FSCTL_MANAGE_BYPASS_IO, &in, sizeof(in), &out,
		       sizeof(out), -1),
	       STATUS_SUCCESS);
	if (operation == FS_BPIO_OP_ENABLE || operation == FS_BPIO_OP_QUERY)
		expect("the verdict", (uint32_t)out.query.op_status,
		       STATUS_SUCCESS);
}

#endif /* _BENCH_CONTROL_H */
