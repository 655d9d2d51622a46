// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-compat FILE: a 32-bit caller, without a C library.  Sends ENABLE, QUERY,
 * GET_INFO, an offload read and DISABLE on one open handle, and one request
 * with a pointer beyond 32 bits.  Exit status 0: all as a 64-bit caller has it;
 * 10 and more: which step was not.
 */
#include <linux/bpio.h>

#define OPEN	 5
#define EXIT	 1
#define IOCTL	 54
#define O_RDWR	 2
#define O_DIRECT 040000

static long call(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return ret;
}

static void quit(int status)
{
	for (;;)
		call(EXIT, status, 0, 0);
}

static unsigned char input[64], output[1024];
static struct bpio_control control;

static void zero(void *at, unsigned int n)
{
	volatile unsigned char *p = at;

	while (n--)
		*p++ = 0;
}

static long request(int fd, __u32 code, __u32 in, __u32 out)
{
	unsigned int i;

	for (i = 0; i < sizeof(output); i++)
		output[i] = 0xa5;
	zero(&control, sizeof(control));
	control.code = code;
	control.input = (unsigned long)input;
	control.output = (unsigned long)output;
	control.input_length = in;
	control.output_length = out;
	control.device_fd = -1;
	control.status = 1;
	return call(IOCTL, fd, (long)BPIO_IOC_CONTROL, (long)&control);
}

static void manage(int fd, __u32 operation, __u32 information, int step)
{
	struct fs_bpio_input *in = (void *)input;
	struct fs_bpio_output *out = (void *)output;

	zero(input, sizeof(input));
	in->operation = operation;
	if (request(fd, FSCTL_MANAGE_BYPASS_IO, 24, 352) || control.status ||
	    control.information != information || out->operation != operation ||
	    output[information] != 0xa5)
		quit(step);
}

void start(long *stack);
void start(long *stack)
{
	struct fsctl_offload_read_input *in = (void *)input;
	struct fsctl_offload_read_output *out = (void *)output;
	int fd;

	if (stack[0] < 2)
		quit(2);
	fd = (int)call(OPEN, stack[2], O_RDWR | O_DIRECT, 0);
	if (fd < 0)
		quit(3);
	manage(fd, FS_BPIO_OP_ENABLE, 352, 10);
	manage(fd, FS_BPIO_OP_QUERY, 352, 11);
	manage(fd, FS_BPIO_OP_GET_INFO, 96, 12);
	if (((struct fs_bpio_output *)output)->get_info.active_bypass_io_count <
	    1)
		quit(13);
	zero(input, sizeof(input));
	in->size = sizeof(*in);
	in->copy_length = 4096;
	if (request(fd, FSCTL_OFFLOAD_READ, sizeof(*in), sizeof(*out)) ||
	    control.status || control.information != sizeof(*out) ||
	    out->transfer_length != 4096)
		quit(14);
	manage(fd, FS_BPIO_OP_DISABLE, 24, 15);
	zero(input, sizeof(input));
	((struct fs_bpio_input *)input)->operation = FS_BPIO_OP_QUERY;
	zero(&control, sizeof(control));
	control.code = FSCTL_MANAGE_BYPASS_IO;
	control.input = (unsigned long)input;
	control.output = 0x100000000ull + (unsigned long)output;
	control.input_length = 24;
	control.output_length = 352;
	control.device_fd = -1;
	if (call(IOCTL, fd, (long)BPIO_IOC_CONTROL, (long)&control) != -14)
		quit(16);
	quit(0);
}

__asm__(".globl _start\n"
	"_start:\n"
	"	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n");
