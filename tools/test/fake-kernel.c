// SPDX-License-Identifier: GPL-2.0
/*
 * A preloaded ioctl() that answers BPIO_IOC_CONTROL by the plot named in
 * BPIO_FAKE, so that bpioctl runs whole without a kernel module.  Every
 * request goes to BPIO_FAKE_LOG as "code operation in_flags flags".  In the plot
 * "plants", a special file becomes a link to BPIO_FAKE_VICTIM; in "timeless", no
 * file gets its times.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/bpio.h"

int ioctl(int fd, unsigned long request, ...);

static const char *plot(void)
{
	const char *name = getenv("BPIO_FAKE");

	return name ? name : "supported";
}

static bool plot_is(const char *name)
{
	return !strcmp(plot(), name);
}

static void put(uint16_t *units, uint16_t *length, const char *ascii)
{
	*length = (uint16_t)strlen(ascii);
	while (*ascii)
		*units++ = (unsigned char)*ascii++;
}

static void veto(struct fs_bpio_results *results, int32_t status,
		 const char *driver, const char *reason)
{
	results->op_status = status;
	put(results->failing_driver_name, &results->failing_driver_name_len,
	    driver);
	put(results->failure_reason, &results->failure_reason_len, reason);
}

static void manage(struct bpio_control *control)
{
	const struct fs_bpio_input *in =
		(const void *)(uintptr_t)control->input;
	struct fs_bpio_output *out = (void *)(uintptr_t)control->output;
	bool skip = in->in_flags & FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY;

	memset(out, 0, sizeof(*out));
	out->operation = in->operation;
	out->out_flags = FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER;
	control->information = 352;
	switch (in->operation) {
	case FS_BPIO_OP_GET_INFO:
		control->information = 96;
		out->get_info.active_bypass_io_count = 3;
		put(out->get_info.storage_driver_name,
		    &out->get_info.storage_driver_name_len, "nvme.ko");
		break;
	case FS_BPIO_OP_DISABLE:
	case FS_BPIO_OP_VOLUME_STACK_PAUSE:
	case FS_BPIO_OP_STREAM_PAUSE:
		control->information = 24;
		break;
	default:
		if (plot_is("partial") && !skip)
			veto(&out->query, STATUS_NOT_SUPPORTED_WITH_SNAPSHOT,
			     "dm-bpio.ko", "A snapshot exists.");
		if (plot_is("vetoed"))
			veto(&out->query, STATUS_SPARSE_FILE_NOT_SUPPORTED,
			     "bpiofs.ko", "Sparse file not supported");
		break;
	}
	if (plot_is("unsupported"))
		control->status = STATUS_NOT_SUPPORTED;
	if (plot_is("short"))
		control->information = 20;
}

/* Data of the last token, where it is one of this process. */
static int source = -1;
static uint64_t source_offset;

static void move(int fd, const struct fsctl_offload_write_input *in)
{
	char data[4096];
	uint64_t at = 0;

	while (source >= 0 && at < in->copy_length) {
		uint64_t left = in->copy_length - at;
		ssize_t n = pread(
			source, data, left < sizeof(data) ? left : sizeof(data),
			(off_t)(source_offset + in->transfer_offset + at));

		if (n <= 0 || pwrite(fd, data, (size_t)n,
				     (off_t)(in->file_offset + at)) != n)
			abort();
		at += (uint64_t)n;
	}
}

/* Plots in which signals come; tokens are short in them. */
static bool has_signals(void)
{
	return plot_is("interrupts") || plot_is("insists") ||
	       plot_is("hangs up") || plot_is("killed");
}

static void send_signals(uint32_t code)
{
	static unsigned int writes;

	if (plot_is("interrupts") && code == FSCTL_OFFLOAD_READ)
		raise(SIGTERM);
	if (plot_is("hangs up"))
		raise(SIGHUP);
	if (plot_is("insists")) {
		raise(SIGHUP);
		raise(SIGINT);
		raise(SIGINT);
		raise(SIGPIPE);
		raise(SIGTERM);
	}
	if (code == FSCTL_OFFLOAD_WRITE && ++writes == 2 && plot_is("killed"))
		raise(SIGKILL);
}

static void offload(int fd, struct bpio_control *control)
{
	send_signals(control->code);
	if (plot_is("unsupported")) {
		control->status = STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED;
	} else if (plot_is("dies") && control->code == FSCTL_OFFLOAD_WRITE) {
		control->status = STATUS_INVALID_TOKEN;
	} else if (control->code == FSCTL_OFFLOAD_READ) {
		const struct fsctl_offload_read_input *in =
			(const void *)(uintptr_t)control->input;
		struct fsctl_offload_read_output *out =
			(void *)(uintptr_t)control->output;

		memset(out, 0, sizeof(*out));
		out->size = sizeof(*out);
		out->transfer_length = plot_is("partial") ? 512 :
							    in->copy_length;
		if (has_signals())
			out->transfer_length = 131072;
		source = fd;
		source_offset = in->file_offset;
		memcpy(&out->token, "BPO\x01\x00\x00\x01\xF8", 8);
		control->information = sizeof(*out);
	} else {
		const struct fsctl_offload_write_input *in =
			(const void *)(uintptr_t)control->input;
		struct fsctl_offload_write_output *out =
			(void *)(uintptr_t)control->output;

		memset(out, 0, sizeof(*out));
		out->size = sizeof(*out);
		out->length_written = plot_is("partial") ? 512 :
							   in->copy_length;
		control->information = sizeof(*out);
		if (!plot_is("partial"))
			move(fd, in);
	}
}

static void record(const struct bpio_control *control)
{
	const char *path = getenv("BPIO_FAKE_LOG");
	const uint32_t *in = (const void *)(uintptr_t)control->input;
	FILE *log = path ? fopen(path, "a") : NULL;

	if (!log)
		return;
	fprintf(log, "%08x %u %u %u\n", control->code, in[0], in[1],
		control->flags);
	fclose(log);
}

/* Another user of the directory is quick. */
int mknodat(int dir, const char *name, mode_t mode, dev_t dev)
{
	long err = syscall(SYS_mknodat, dir, name, mode, dev);

	if (!err && plot_is("plants") &&
	    (unlinkat(dir, name, 0) ||
	     symlinkat(getenv("BPIO_FAKE_VICTIM"), dir, name)))
		abort();
	return (int)err;
}

int futimens(int fd, const struct timespec times[2])
{
	if (plot_is("timeless")) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_utimensat, fd, NULL, times, 0);
}

int ioctl(int fd, unsigned long request, ...)
{
	struct bpio_control *control;
	void *argument;
	va_list ap;

	va_start(ap, request);
	argument = va_arg(ap, void *);
	va_end(ap);
	if (request != BPIO_IOC_CONTROL)
		return (int)syscall(SYS_ioctl, fd, request, argument);
	if (plot_is("enotty")) {
		errno = ENOTTY;
		return -1;
	}
	control = argument;
	record(control);
	control->status = STATUS_SUCCESS;
	control->information = 0;
	if (control->code == FSCTL_MANAGE_BYPASS_IO)
		manage(control);
	else if (control->code == FSCTL_OFFLOAD_READ ||
		 control->code == FSCTL_OFFLOAD_WRITE)
		offload(fd, control);
	return 0;
}
