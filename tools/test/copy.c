// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the copy engine of libbpio.  No kernel module: the ioctl below does
 * what the rules ask of one (protocol 9.1, 9.2), with files in memory, unless a
 * script tells it to fail.  Clock, pread, pwrite,
 * fcntl and copy_file_range are scripted too.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/bpio.h"
#include "ok.h"

#define KIB	   1024u
#define MIB	   (1024u * KIB)
#define SECTOR	   512u
#define MAX_CALLS  64
#define MAX_TOKENS 64

/* ---- a kernel ---------------------------------------------------------- */

struct call {
	uint32_t code;
	uint64_t offset;
	uint64_t length;
	uint64_t transfer_offset;
	uint64_t size; /* of the file */
};

struct token {
	int fd;
	uint64_t offset;
	uint64_t length;
};

static struct {
	struct call calls[MAX_CALLS];
	unsigned int calls_nr;
	struct token tokens[MAX_TOKENS];
	unsigned int tokens_nr;
	/* The script: which request of this code fails, from 1 on. */
	uint32_t fail_code;
	unsigned int fail_at;
	unsigned int fail_times;
	unsigned int fail_every; /* not 0: all but each nth instead */
	int32_t then;		 /* not 0: status of the last that fails */
	int32_t status;		 /* with 0, nothing moves */
	int error;
	uint64_t garbage; /* bytes that the failing write leaves */
	uint64_t read_limit;
	uint64_t write_limit;
	bool dry; /* moves no data */
	unsigned int seen;
	/* of pwrite() and copy_file_range() */
	uint64_t room;
	int range_error; /* of copy_file_range(), from range_good on */
	uint64_t range_good;
	uint64_t range_limit;
	unsigned int ranges_nr;
	uint64_t direct; /* descriptors that are O_DIRECT, by bit */
	unsigned int unaligned;
	time_t now;
} kernel;

static void reset(void)
{
	time_t now = kernel.now;

	memset(&kernel, 0, sizeof(kernel));
	kernel.room = UINT64_MAX;
	kernel.now = now;
	bpio_copy_forget();
}

static void forget_calls(void)
{
	kernel.calls_nr = 0;
	kernel.tokens_nr = 0;
	kernel.seen = 0;
}

static void fail(uint32_t code, unsigned int at, unsigned int times,
		 int32_t status)
{
	kernel.fail_code = code;
	kernel.fail_at = at;
	kernel.fail_times = times;
	kernel.status = status;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){ .tv_sec = kernel.now };
	return 0;
}

static bool is_direct(int fd)
{
	return fd >= 0 && fd < 64 && kernel.direct >> fd & 1;
}

/* Sectors and nothing else, as most file systems have it. */
static bool may_transfer(int fd, const void *data, size_t length, off_t at)
{
	if (!is_direct(fd) ||
	    !(((uintptr_t)data | length | (uint64_t)at) % SECTOR))
		return true;
	kernel.unaligned++;
	errno = EINVAL;
	return false;
}

int fcntl(int fd, int command, ...)
{
	va_list ap;
	int argument;
	long result;

	va_start(ap, command);
	argument = va_arg(ap, int);
	va_end(ap);
	if (command == F_SETFL && fd < 64) {
		kernel.direct &= ~(1ull << fd);
		if (argument & O_DIRECT)
			kernel.direct |= 1ull << fd;
		argument &= ~O_DIRECT;
	}
	result = syscall(SYS_fcntl, fd, command, argument);
	if (command == F_GETFL && result >= 0 && is_direct(fd))
		result |= O_DIRECT;
	return (int)result;
}

ssize_t pread(int fd, void *data, size_t length, off_t at)
{
	if (!may_transfer(fd, data, length, at))
		return -1;
	return syscall(SYS_pread64, fd, data, length, at);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at)
{
	if (!may_transfer(fd, data, length, at))
		return -1;
	/* Whole sectors, as direct writes have it. */
	if (length > 299520)
		length = 299520;
	if (length > kernel.room)
		length = kernel.room;
	if (!length) {
		errno = ENOSPC;
		return -1;
	}
	kernel.room -= length;
	return syscall(SYS_pwrite64, fd, data, length, at);
}

/* Within one file system, up to the end of the source. */
ssize_t copy_file_range(int from, off_t *in, int to, off_t *out, size_t length,
			unsigned int flags)
{
	struct stat a;
	struct stat b;
	ssize_t n;
	char *data;

	kernel.ranges_nr++;
	errno = kernel.range_error;
	if (errno && (uint64_t)*in >= kernel.range_good)
		return -1;
	errno = EXDEV;
	if (flags || fstat(from, &a) || fstat(to, &b) || a.st_dev != b.st_dev)
		return -1;
	if (kernel.range_limit && length > kernel.range_limit)
		length = kernel.range_limit;
	if (length > kernel.room)
		length = kernel.room;
	errno = ENOSPC;
	if (!length)
		return -1;
	data = malloc(length);
	if (!data)
		abort();
	n = syscall(SYS_pread64, from, data, length, *in);
	if (n > 0 && syscall(SYS_pwrite64, to, data, n, *out) != n)
		abort();
	free(data);
	if (n > 0) {
		kernel.room -= (uint64_t)n;
		*in += n;
		*out += n;
	}
	return n;
}

static uint64_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		abort();
	return (uint64_t)st.st_size;
}

/* Valid data length, and whether there is a hole before it. */
static uint64_t valid_data(int fd, bool *sparse)
{
	off_t data = lseek(fd, 0, SEEK_DATA);
	uint64_t end = 0;

	*sparse = false;
	while (data >= 0) {
		*sparse = *sparse || (uint64_t)data != end;
		end = (uint64_t)lseek(fd, data, SEEK_HOLE);
		data = lseek(fd, (off_t)end, SEEK_DATA);
	}
	return end;
}

static uint64_t sectors(uint64_t length)
{
	return (length + SECTOR - 1) / SECTOR * SECTOR;
}

static int32_t check_range(int fd, uint64_t offset, uint64_t length)
{
	if (offset % SECTOR ||
	    (length % SECTOR && offset + length != size_of(fd)))
		return STATUS_INVALID_PARAMETER;
	return offset < size_of(fd) ? STATUS_SUCCESS : STATUS_END_OF_FILE;
}

static int32_t offload_read(int fd, const struct fsctl_offload_read_input *in,
			    struct fsctl_offload_read_output *out)
{
	uint64_t length = in->copy_length;
	bool sparse;
	uint64_t vdl = valid_data(fd, &sparse);
	int32_t status = check_range(fd, in->file_offset, length);

	if (status)
		return status;
	if (sparse && !kernel.dry)
		return STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	if (in->file_offset + length > vdl && !kernel.dry) {
		length = vdl > in->file_offset ? vdl - in->file_offset : 0;
		out->flags = OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE;
	}
	if (kernel.read_limit && length > kernel.read_limit) {
		length = kernel.read_limit;
		out->flags = 0;
	}
	if (in->file_offset < vdl || kernel.dry) {
		kernel.tokens[kernel.tokens_nr] =
			(struct token){ fd, in->file_offset, length };
		memcpy(&out->token, "BPO\x01\x00\x00\x01\xF8", 8);
		out->token.token_id[0] = (uint8_t)kernel.tokens_nr++;
	} else {
		memcpy(&out->token, "\xFF\xFF\x00\x01\x00\x00\x01\xF8", 8);
		length = in->copy_length;
	}
	out->transfer_length = sectors(length);
	return STATUS_SUCCESS;
}

static void move(int from, uint64_t offset, int to, uint64_t at,
		 uint64_t length)
{
	char *data = calloc(1, length);

	if (!data || syscall(SYS_pread64, from, data, length, offset) < 0 ||
	    syscall(SYS_pwrite64, to, data, length, at) != (long)length)
		abort();
	free(data);
}

static int32_t offload_write(int fd, const struct fsctl_offload_write_input *in,
			     struct fsctl_offload_write_output *out)
{
	const struct token *token = &kernel.tokens[in->token.token_id[0]];
	uint64_t length = in->copy_length;
	bool sparse;
	uint64_t vdl = valid_data(fd, &sparse);
	int32_t status = check_range(fd, in->file_offset, length);

	if (status)
		return status;
	if ((in->file_offset > sectors(vdl) && !kernel.dry) ||
	    in->transfer_offset % SECTOR ||
	    in->transfer_offset >= token->length)
		return STATUS_INVALID_PARAMETER;
	if (length > sectors(token->length) - in->transfer_offset)
		length = sectors(token->length) - in->transfer_offset;
	if (kernel.write_limit && length > kernel.write_limit)
		length = kernel.write_limit;
	if (in->file_offset + length > size_of(fd))
		length = size_of(fd) - in->file_offset;
	if (!kernel.dry)
		move(token->fd, token->offset + in->transfer_offset, fd,
		     in->file_offset, length);
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->length_written = length;
	return STATUS_SUCCESS;
}

static void leave_garbage(int fd, uint64_t at)
{
	char *data;

	if (!kernel.garbage)
		return;
	data = malloc(kernel.garbage);
	if (!data)
		abort();
	memset(data, 'x', kernel.garbage);
	if (syscall(SYS_pwrite64, fd, data, kernel.garbage, at) < 0)
		abort();
	free(data);
}

static bool is_scripted(uint32_t code)
{
	if (code != kernel.fail_code)
		return false;
	kernel.seen++;
	if (kernel.fail_every)
		return kernel.seen % kernel.fail_every;
	if (kernel.then &&
	    kernel.seen == kernel.fail_at + kernel.fail_times - 1)
		kernel.status = kernel.then;
	return kernel.seen >= kernel.fail_at &&
	       kernel.seen < kernel.fail_at + kernel.fail_times;
}

int ioctl(int fd, unsigned long request, ...)
{
	const struct fsctl_offload_write_input *write;
	const struct fsctl_offload_read_input *read;
	struct bpio_control *control;
	struct call *call;
	va_list ap;
	void *out;

	va_start(ap, request);
	control = va_arg(ap, struct bpio_control *);
	va_end(ap);
	if (request != BPIO_IOC_CONTROL || kernel.calls_nr == MAX_CALLS)
		abort();
	read = (const void *)(uintptr_t)control->input;
	write = (const void *)(uintptr_t)control->input;
	out = (void *)(uintptr_t)control->output;
	call = &kernel.calls[kernel.calls_nr++];
	call->code = control->code;
	call->size = size_of(fd);
	if (control->code == FSCTL_OFFLOAD_READ) {
		call->offset = read->file_offset;
		call->length = read->copy_length;
	} else {
		call->offset = write->file_offset;
		call->length = write->copy_length;
		call->transfer_offset = write->transfer_offset;
	}
	control->information = control->output_length;
	if (is_scripted(control->code)) {
		memset(out, 0, control->output_length);
		if (kernel.error) {
			errno = kernel.error;
			return -1;
		}
		control->status = kernel.status;
		leave_garbage(fd, call->offset);
		return 0;
	}
	control->status = control->code == FSCTL_OFFLOAD_READ ?
				  offload_read(fd, read, out) :
				  offload_write(fd, write, out);
	return 0;
}

/* ---- files ------------------------------------------------------------- */

static int empty_file(void)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

/* Of another file system than empty_file(), so another volume. */
static int elsewhere(void)
{
	char path[] = "/tmp/bpio-copy-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path))
		abort();
	return fd;
}

/* No two sectors are the same. */
static void fill(int fd, uint64_t at, uint64_t length)
{
	uint32_t *data = malloc(length + sizeof(*data));
	uint32_t word = (uint32_t)at + 1;
	uint64_t i;

	if (!data)
		abort();
	for (i = 0; i <= length / sizeof(*data); i++) {
		word = word * 1664525 + 1013904223;
		data[i] = word;
	}
	if (syscall(SYS_pwrite64, fd, data, length, at) != (long)length)
		abort();
	free(data);
}

static int full_file(uint64_t length)
{
	int fd = empty_file();

	if (length)
		fill(fd, 0, length);
	return fd;
}

static bool same_until(int a, int b, uint64_t length)
{
	char *left = calloc(1, length + 1);
	char *right = calloc(1, length + 1);
	bool same;

	if (!left || !right)
		abort();
	same = pread(a, left, length, 0) == (ssize_t)length &&
	       pread(b, right, length, 0) == (ssize_t)length &&
	       !memcmp(left, right, length);
	free(left);
	free(right);
	return same;
}

static bool same_file(int a, int b)
{
	return size_of(a) == size_of(b) && same_until(a, b, size_of(a));
}

static uint64_t blocks_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		abort();
	return (uint64_t)st.st_blocks;
}

static bool adds_up(const struct bpio_copy_result *result)
{
	return result->done_length ==
	       result->offloaded_length + result->kernel_length +
		       result->ordinary_length + result->zero_length;
}

/* Copies, with a destination that is not empty; its descriptor or -1. */
static int copied(int from, const struct bpio_copy_options *options,
		  struct bpio_copy_result *result)
{
	int to = empty_file();

	fill(to, 0, 3 * MIB);
	if (bpio_copy_file(from, to, options, result) || !adds_up(result) ||
	    result->done_length != result->length) {
		close(to);
		return -1;
	}
	return to;
}

static bool call_is(unsigned int i, uint32_t code, uint64_t offset,
		    uint64_t length, uint64_t transfer_offset)
{
	const struct call *call = &kernel.calls[i];

	return i < kernel.calls_nr && call->code == code &&
	       call->offset == offset && call->length == length &&
	       call->transfer_offset == transfer_offset;
}

#define READ  FSCTL_OFFLOAD_READ
#define WRITE FSCTL_OFFLOAD_WRITE

/* ---- tests ------------------------------------------------------------- */

static const struct {
	uint64_t length;
	unsigned int calls;
	enum bpio_copy_why why;
	const char *name;
} lengths[] = {
	{ 0, 0, BPIO_COPY_SHORT, "copy: an empty file" },
	{ 1, 0, BPIO_COPY_SHORT, "copy: one byte" },
	{ 262143, 0, BPIO_COPY_SHORT,
	  "(153) copy: 262143 bytes: ordinary (CE-1)" },
	{ 262144, 2, BPIO_COPY_OFFLOADED,
	  "(153) copy: 262144 bytes: offloaded (CE-1)" },
	{ 1000001, 2, BPIO_COPY_OFFLOADED, "copy: not whole sectors" },
	{ 2 * MIB, 2, BPIO_COPY_OFFLOADED,
	  "copy: shorter than what was there" },
	{ 5 * MIB, 2, BPIO_COPY_OFFLOADED, "copy: longer than what was there" },
};

static void test_lengths(void)
{
	struct bpio_copy_result result;
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int from = full_file(lengths[i].length);
		int to;

		reset();
		to = copied(from, NULL, &result);
		ok(to >= 0 && same_file(from, to) &&
			   kernel.calls_nr == lengths[i].calls &&
			   result.why == lengths[i].why &&
			   result.offloaded_length ==
				   (lengths[i].calls ? lengths[i].length : 0),
		   lengths[i].name);
		close(from);
		close(to);
	}
}

static void test_requests(void)
{
	struct bpio_copy_options options = { .size = sizeof(options) };
	struct bpio_copy_result result;
	int from = full_file(MIB + 100);
	int to;

	reset();
	kernel.read_limit = 600 * KIB;
	options.chunk_length = 256 * KIB;
	to = copied(from, &options, &result);
	ok(to >= 0 && same_file(from, to) && kernel.calls_nr == 7 &&
		   call_is(0, READ, 0, MIB + 100, 0) &&
		   call_is(1, WRITE, 0, 256 * KIB, 0) &&
		   call_is(2, WRITE, 256 * KIB, 256 * KIB, 256 * KIB) &&
		   call_is(3, WRITE, 512 * KIB, 88 * KIB, 512 * KIB) &&
		   call_is(4, READ, 600 * KIB, 424 * KIB + 100, 0) &&
		   call_is(5, WRITE, 600 * KIB, 256 * KIB, 0) &&
		   call_is(6, WRITE, 856 * KIB, 168 * KIB + 100, 256 * KIB),
	   "copy: a read, writes until it is used up, the next (CE-2)");
	ok(kernel.calls[1].size == 256 * KIB &&
		   kernel.calls[2].size == 512 * KIB &&
		   kernel.calls[3].size == 600 * KIB &&
		   kernel.calls[5].size == 856 * KIB &&
		   kernel.calls[6].size == MIB + 100,
	   "copy: the destination grows with each write");
	close(to);

	reset();
	kernel.write_limit = 100 * KIB;
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.calls_nr == 12 &&
		   result.offloaded_length == MIB + 100 &&
		   call_is(2, WRITE, 100 * KIB, 924 * KIB + 100, 100 * KIB),
	   "copy: short writes are taken up where they ended (TK-11)");
	close(to);

	reset();
	options.flags = BPIO_COPY_NO_OFFLOAD;
	to = copied(from, &options, &result);
	ok(to >= 0 && same_file(from, to) && !kernel.calls_nr &&
		   result.why == BPIO_COPY_UNWANTED &&
		   result.ordinary_length == MIB + 100,
	   "copy: not offloaded when not wanted");
	close(to);
	close(from);
}

static void test_chunks(void)
{
	struct device_copy_offload_descriptor device = { 0 };
	struct bpio_copy_options options = { .size = sizeof(options) };
	struct bpio_copy_result result;
	int from = empty_file();
	int to;

	ok(bpio_copy_chunk_length(&device) == 64 * MIB,
	   "(154) chunk: no optimal size: 64 MiB (CE-8)");
	device.optimal_transfer_count = 512 * (uint64_t)MIB;
	ok(bpio_copy_chunk_length(&device) == 256 * MIB,
	   "(154) chunk: 512 MiB: 256 MiB (CE-8)");
	device.optimal_transfer_count = 32 * MIB;
	ok(bpio_copy_chunk_length(&device) == 32 * MIB,
	   "(154) chunk: 32 MiB (CE-8)");
	device.maximum_transfer_size = MIB;
	ok(bpio_copy_chunk_length(&device) == MIB,
	   "chunk: never above the maximum (CE-8)");

	if (ftruncate(from, 600 * MIB))
		abort();
	reset();
	kernel.dry = true;
	to = copied(from, NULL, &result);
	ok(to >= 0 && kernel.calls_nr == 11 &&
		   call_is(1, WRITE, 0, 64 * MIB, 0) &&
		   call_is(10, WRITE, 576 * (uint64_t)MIB, 24 * MIB,
			   576 * (uint64_t)MIB),
	   "copy: in writes of 64 MiB");
	close(to);
	reset();
	kernel.dry = true;
	options.chunk_length = 512 * (uint64_t)MIB;
	to = copied(from, &options, &result);
	ok(to >= 0 && kernel.calls_nr == 4 &&
		   call_is(1, WRITE, 0, 256 * MIB, 0) &&
		   call_is(3, WRITE, 512 * (uint64_t)MIB, 88 * MIB,
			   512 * (uint64_t)MIB),
	   "copy: in writes of 256 MiB at the most (CE-3)");
	close(to);
	close(from);
}

static void test_zeros(void)
{
	struct bpio_copy_result result;
	int from = full_file(MIB);
	int to;

	if (ftruncate(from, 4 * MIB + 3))
		abort();
	reset();
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.calls_nr == 2 &&
		   result.offloaded_length == MIB &&
		   result.zero_length == 3 * MIB + 3 &&
		   blocks_of(to) == blocks_of(from),
	   "copy: zeros at the end are left out (CE-4)");
	close(to);

	reset();
	fail(WRITE, 1, 1, STATUS_IO_TIMEOUT);
	kernel.garbage = 2 * MIB;
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && result.kernel_length == MIB,
	   "copy: what a failed write left at the end is gone");
	close(to);

	if (ftruncate(from, 0) || ftruncate(from, MIB))
		abort();
	reset();
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.calls_nr == 1 &&
		   result.zero_length == MIB && !blocks_of(to),
	   "copy: nothing but a hole: nothing is written");
	close(to);
	close(from);
}

static const struct {
	uint32_t code;
	unsigned int at;
	int32_t status;
	int error;
	uint64_t offloaded;
	const char *name;
} refusals[] = {
	{ READ, 1, STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED, 0, 0,
	  "(126) copy: no token, as of 65 extents (CE-9)" },
	{ READ, 3, STATUS_INSUFFICIENT_RESOURCES, 0, 2 * MIB,
	  "copy: a later read fails (CE-5)" },
	{ WRITE, 1, STATUS_INSUFFICIENT_RESOURCES, 0, 0,
	  "copy: the first write fails (CE-5)" },
	{ WRITE, 17, STATUS_IO_TIMEOUT, 0, 2 * MIB,
	  "(155) copy: a write fails at 40% (CE-5)" },
	{ WRITE, 17, STATUS_INVALID_TOKEN, 0, 2 * MIB,
	  "copy: a token dies at 40% (CE-5)" },
	{ WRITE, 2, STATUS_BUFFER_OVERFLOW, 0, 128 * KIB,
	  "copy: a warning is not a success" },
	{ WRITE, 2, STATUS_PENDING, 0, 128 * KIB, "copy: nor is pending" },
	{ READ, 1, 0, EPERM, 0, "copy: the ioctl fails" },
	{ WRITE, 3, 0, ENOMEM, 256 * KIB, "copy: the ioctl fails later" },
};

/* The rest by copy_file_range(), or where that fails by read and write. */
static bool refused(size_t i, int from, int range_error)
{
	struct bpio_copy_options options = {
		.size = sizeof(options),
		.chunk_length = 128 * KIB,
	};
	uint64_t rest = 5 * MIB - refusals[i].offloaded;
	struct bpio_copy_result result;
	bool good;
	int to;

	reset();
	kernel.read_limit = MIB;
	fail(refusals[i].code, refusals[i].at, 1, refusals[i].status);
	kernel.error = refusals[i].error;
	kernel.range_error = range_error;
	/* Right data, wrong data: it must not matter. */
	if (refusals[i].code == WRITE)
		kernel.garbage = 64 * KIB;
	to = copied(from, &options, &result);
	good = to >= 0 && same_file(from, to) && kernel.ranges_nr == 1 &&
	       result.offloaded_length == refusals[i].offloaded &&
	       result.kernel_length == (range_error ? 0 : rest) &&
	       result.ordinary_length == (range_error ? rest : 0) &&
	       result.code == refusals[i].code &&
	       result.why == (refusals[i].error ? BPIO_COPY_FAILED :
						  BPIO_COPY_REFUSED) &&
	       result.status == refusals[i].status &&
	       result.error == -refusals[i].error;
	close(to);
	return good;
}

static void test_refusals(void)
{
	int from = full_file(5 * MIB);
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		ok(refused(i, from, 0) && refused(i, from, EXDEV) &&
			   refused(i, from, EIO),
		   refusals[i].name);
	close(from);
}

static void test_ranges(void)
{
	struct bpio_copy_options options = { .size = sizeof(options) };
	struct bpio_copy_result result;
	int from = full_file(100000);
	int to;

	reset();
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && !kernel.calls_nr &&
		   kernel.ranges_nr == 1 && result.why == BPIO_COPY_SHORT &&
		   result.kernel_length == 100000,
	   "copy: a short file by copy_file_range");
	close(to);
	reset();
	options.flags = BPIO_COPY_NO_OFFLOAD;
	to = copied(from, &options, &result);
	ok(to >= 0 && same_file(from, to) && !kernel.ranges_nr &&
		   result.ordinary_length == 100000,
	   "copy: which is not wanted");
	close(to);
	close(from);
	from = full_file(3 * MIB);
	reset();
	fail(READ, 1, 1, STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED);
	kernel.range_limit = MIB;
	kernel.range_error = ENOMEM;
	kernel.range_good = 2 * MIB;
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.ranges_nr == 3 &&
		   result.kernel_length == 2 * MIB &&
		   result.ordinary_length == MIB,
	   "copy: copy_file_range fails later: read and write from there");
	close(to);
	close(from);
	from = full_file(64 * MIB + 100000);
	reset();
	fail(READ, 1, 1, STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED);
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.ranges_nr == 1,
	   "copy: no rest that is too short for the kernel to offload");
	close(to);
	close(from);
}

static void test_no_progress(void)
{
	struct bpio_copy_result result;
	int from = full_file(MIB);
	int to;

	reset();
	fail(WRITE, 1, 3, STATUS_SUCCESS);
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && result.offloaded_length == MIB,
	   "copy: three writes of nothing in a row are borne (CE-10)");
	close(to);
	reset();
	fail(WRITE, 1, 4, STATUS_SUCCESS);
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.calls_nr == 5 &&
		   result.why == BPIO_COPY_STUCK && result.code == WRITE &&
		   result.kernel_length == MIB,
	   "copy: four are not (CE-10)");
	close(to);
	reset();
	fail(WRITE, 1, 0, STATUS_SUCCESS);
	kernel.fail_every = 4;
	kernel.write_limit = 256 * KIB;
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.calls_nr == 17 &&
		   result.offloaded_length == MIB,
	   "copy: what moves something begins the count anew (CE-10)");
	close(to);
	reset();
	fail(READ, 1, 4, STATUS_SUCCESS);
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.calls_nr == 4 &&
		   result.why == BPIO_COPY_STUCK && result.code == READ,
	   "copy: four reads of nothing are not (CE-10)");
	close(to);
	close(from);
}

/* Requests that a copy between two files takes. */
static unsigned int requests(int from, int to, struct bpio_copy_result *result)
{
	forget_calls();
	if (bpio_copy_file(from, to, NULL, result) || !same_file(from, to))
		return UINT_MAX;
	return kernel.calls_nr;
}

static const struct {
	uint32_t code;
	int32_t status;
	const char *name;
} volumes[] = {
	{ READ, STATUS_NOT_SUPPORTED, "memory: not supported to read" },
	{ READ, STATUS_DEVICE_FEATURE_NOT_SUPPORTED, "memory: no feature" },
	{ READ, STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED, "memory: a filter" },
	{ READ, STATUS_INVALID_DEVICE_REQUEST, "memory: no ODX there" },
	{ WRITE, STATUS_NOT_SUPPORTED, "memory: not supported to write" },
	{ WRITE, STATUS_OFFLOAD_WRITE_FLT_NOT_SUPPORTED,
	  "memory: a filter that sees writes" },
};

/* CE-6 */
static void test_volumes(void)
{
	struct bpio_copy_result result;
	int a = full_file(MIB);
	int b = empty_file();
	int c = elsewhere();
	size_t i;

	fill(c, 0, MIB);
	for (i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
		unsigned int tries = volumes[i].code == READ ? 1 : 2;
		bool good;

		reset();
		fail(volumes[i].code, 1, 1, volumes[i].status);
		good = requests(a, b, &result) == tries &&
		       result.why == BPIO_COPY_REFUSED;
		kernel.fail_code = 0;
		kernel.now += 1000000;
		good = good && !requests(a, b, &result) &&
		       result.why == BPIO_COPY_REMEMBERED &&
		       result.code == volumes[i].code &&
		       result.status == volumes[i].status;
		/* The other side of it is still asked. */
		good = good &&
		       requests(volumes[i].code == READ ? c : a,
				volumes[i].code == READ ? b : c, &result) == 2;
		bpio_copy_forget();
		good = good && requests(a, b, &result) == 2 &&
		       result.why == BPIO_COPY_OFFLOADED;
		ok(good, volumes[i].name);
	}
	reset();
	fail(READ, 1, 1, STATUS_FILE_LOCK_CONFLICT);
	i = requests(a, b, &result);
	kernel.fail_code = 0;
	ok(i == 1 && requests(a, b, &result) == 2,
	   "memory: other failures are forgotten");
	close(a);
	close(b);
	close(c);
}

/* CE-7 */
static void test_pairs(void)
{
	static const int32_t statuses[] = { STATUS_DEVICE_UNREACHABLE,
					    STATUS_INVALID_TOKEN };
	struct bpio_copy_options options = {
		.size = sizeof(options),
		.chunk_length = 256 * KIB,
	};
	struct bpio_copy_result result;
	int a = full_file(MIB);
	int b = empty_file();
	int c = elsewhere();
	size_t i;

	for (i = 0; i < 2; i++) {
		bool good;

		reset();
		fail(WRITE, 1, 1, statuses[i]);
		good = requests(a, b, &result) == 2 &&
		       result.why == BPIO_COPY_REFUSED;
		kernel.fail_code = 0;
		kernel.now += 179;
		good = good && !requests(a, b, &result) &&
		       result.why == BPIO_COPY_REMEMBERED &&
		       result.status == statuses[i];
		good = good && requests(a, c, &result) == 2;
		kernel.now += 1;
		good = good && requests(a, b, &result) == 2 &&
		       result.why == BPIO_COPY_OFFLOADED;
		ok(good,
		   i ? "(156) memory: a pair, invalid token: 180 s (CE-7)" :
		       "(156) memory: a pair, unreachable: 180 s (CE-7)");
	}
	reset();
	fail(WRITE, 2, 1, STATUS_INVALID_TOKEN);
	ok(!bpio_copy_file(a, b, &options, &result) && same_file(a, b) &&
		   result.offloaded_length == 256 * KIB &&
		   requests(a, b, &result) == 2,
	   "memory: an invalid token later on is not about the pair (CE-7)");
	reset();
	fail(WRITE, 1, 2, STATUS_SUCCESS);
	kernel.then = STATUS_INVALID_TOKEN;
	i = requests(a, b, &result);
	kernel.fail_code = 0;
	ok(i == 3 && requests(a, b, &result) == 2,
	   "memory: nor is one of the second write (CE-7)");
	close(a);
	close(b);
	close(c);
}

static void test_holes(void)
{
	struct bpio_copy_options options = { .size = sizeof(options) };
	struct bpio_copy_result result;
	int from = full_file(MIB);
	int to;

	fill(from, 2 * MIB, MIB);
	if (ftruncate(from, 4 * MIB))
		abort();
	reset();
	to = copied(from, NULL, &result);
	ok(to >= 0 && same_file(from, to) && kernel.calls_nr == 1 &&
		   result.zero_length == 2 * MIB &&
		   result.kernel_length == 2 * MIB &&
		   result.why == BPIO_COPY_REFUSED &&
		   result.status == STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED &&
		   blocks_of(to) == blocks_of(from),
	   "copy: a sparse file: by copy_file_range, holes stay");
	close(to);
	options.flags = BPIO_COPY_NO_OFFLOAD;
	to = copied(from, &options, &result);
	ok(to >= 0 && same_file(from, to) &&
		   result.ordinary_length == 2 * MIB &&
		   blocks_of(to) == blocks_of(from),
	   "copy: a sparse file: by read and write, holes stay");
	close(to);
	to = elsewhere();
	reset();
	ok(!bpio_copy_file(from, to, NULL, &result) && same_file(from, to) &&
		   adds_up(&result) && !result.kernel_length &&
		   result.ordinary_length == 2 * MIB &&
		   blocks_of(to) < 4 * MIB / 512,
	   "copy: a sparse file to another file system");
	close(to);
	close(from);
}

/* O_DIRECT: the source, the destination, both. */
static void test_direct(void)
{
	struct bpio_copy_options options = { .size = sizeof(options) };
	static const char *const names[] = {
		"direct: the source",
		"direct: the destination",
		"direct: both",
		"direct: the source, from within a sector",
		"direct: the destination, from within a sector",
		"direct: both, from within a sector",
	};
	struct bpio_copy_result result;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		int from = full_file(3 * MIB + 1001);
		int to = empty_file();
		uint64_t direct;
		bool good;

		reset();
		direct = (uint64_t)((i % 3 + 1) & 1) << from |
			 (uint64_t)((i % 3 + 1) >> 1) << to;
		kernel.direct = direct;
		options.flags = i < 3 ? BPIO_COPY_NO_OFFLOAD : 0;
		/* The rest begins within a sector. */
		if (i >= 3)
			fail(READ, 1, 1, STATUS_INSUFFICIENT_RESOURCES);
		kernel.range_limit = 100001;
		kernel.range_good = 200000;
		kernel.range_error = EINVAL;
		good = !bpio_copy_file(from, to, &options, &result) &&
		       adds_up(&result) && kernel.direct == direct &&
		       kernel.unaligned <= 10;
		kernel.direct = 0;
		ok(good && same_file(from, to), names[i]);
		close(from);
		close(to);
	}
}

struct watch {
	uint64_t stop_at;
	int cut; /* file that is cut there, or -1 */
	uint64_t cut_to;
	uint64_t last;
	unsigned int calls;
	bool good;
};

static int look(void *argument, const struct bpio_copy_result *so_far)
{
	struct watch *watch = argument;

	watch->calls++;
	watch->good = watch->good && adds_up(so_far) &&
		      so_far->done_length > watch->last;
	watch->last = so_far->done_length;
	if (so_far->done_length < watch->stop_at)
		return 0;
	if (watch->cut < 0)
		return 1;
	if (ftruncate(watch->cut, (off_t)watch->cut_to))
		abort();
	return 0;
}

static void test_progress(void)
{
	struct watch watch = { UINT64_MAX, -1, 0, 0, 0, true };
	struct bpio_copy_options options = {
		.size = sizeof(options),
		.chunk_length = 256 * KIB,
		.progress = look,
		.argument = &watch,
	};
	struct bpio_copy_result result;
	int from = full_file(4 * MIB);
	int to;

	reset();
	fail(WRITE, 9, 1, STATUS_IO_TIMEOUT);
	kernel.range_limit = MIB;
	kernel.range_error = EXDEV;
	kernel.range_good = 3 * MIB;
	to = copied(from, &options, &result);
	ok(to >= 0 && watch.good && watch.calls == 10 && watch.last == 4 * MIB,
	   "progress: after each step of the three ways");
	close(to);

	to = empty_file();
	reset();
	watch = (struct watch){ MIB, -1, 0, 0, 0, true };
	ok(bpio_copy_file(from, to, &options, &result) == -ECANCELED &&
		   size_of(to) == MIB && same_until(from, to, MIB) &&
		   result.done_length == MIB && kernel.calls_nr == 5,
	   "progress: ends a copy by token");
	reset();
	options.flags = BPIO_COPY_NO_OFFLOAD;
	watch = (struct watch){ MIB, -1, 0, 0, 0, true };
	ok(bpio_copy_file(from, to, &options, &result) == -ECANCELED &&
		   size_of(to) == MIB && same_until(from, to, MIB),
	   "progress: ends an ordinary copy");
	reset();
	options.flags = 0;
	fail(READ, 1, 1, STATUS_INSUFFICIENT_RESOURCES);
	kernel.range_limit = 256 * KIB;
	watch = (struct watch){ MIB, -1, 0, 0, 0, true };
	ok(bpio_copy_file(from, to, &options, &result) == -ECANCELED &&
		   size_of(to) == MIB && same_until(from, to, MIB) &&
		   result.kernel_length == MIB,
	   "progress: ends a copy by copy_file_range");
	options.flags = BPIO_COPY_NO_OFFLOAD;

	reset();
	watch = (struct watch){ 2 * MIB, from, 2 * MIB, 0, 0, true };
	ok(!bpio_copy_file(from, to, &options, &result) &&
		   size_of(to) == 2 * MIB && same_file(from, to) &&
		   result.length == 2 * MIB && result.done_length == 2 * MIB,
	   "copy: a source that becomes shorter: so does the copy");
	close(from);
	from = full_file(4 * MIB);
	reset();
	fail(READ, 1, 1, STATUS_INSUFFICIENT_RESOURCES);
	kernel.range_limit = 256 * KIB;
	options.flags = 0;
	watch = (struct watch){ MIB, from, 2 * MIB, 0, 0, true };
	ok(!bpio_copy_file(from, to, &options, &result) &&
		   size_of(to) == 2 * MIB && same_file(from, to) &&
		   result.kernel_length == 2 * MIB,
	   "copy: a source that becomes shorter under copy_file_range");
	close(from);
	from = full_file(4 * MIB);
	reset();
	options.flags = 0;
	watch = (struct watch){ 2 * MIB, from, 2 * MIB, 0, 0, true };
	fail(WRITE, 9, 1, STATUS_INVALID_TOKEN);
	ok(!bpio_copy_file(from, to, &options, &result) &&
		   size_of(to) == 2 * MIB && same_file(from, to),
	   "copy: a source that becomes shorter under a token");
	close(from);
	from = full_file(4 * MIB);
	reset();
	kernel.read_limit = MIB;
	watch = (struct watch){ 2 * MIB, from, 3 * MIB, 0, 0, true };
	ok(!bpio_copy_file(from, to, &options, &result) &&
		   size_of(to) == 3 * MIB && same_file(from, to) &&
		   result.length == 3 * MIB && !result.zero_length,
	   "copy: a source that becomes shorter has no zeros behind its end");
	close(from);
	close(to);
}

static void test_errors(void)
{
	struct bpio_copy_options options = { .size = sizeof(options) };
	struct bpio_copy_result result;
	char path[64];
	int from = full_file(4 * MIB);
	int to = empty_file();
	int fd;

	reset();
	kernel.room = 1500000;
	fail(READ, 1, 1, STATUS_INSUFFICIENT_RESOURCES);
	ok(bpio_copy_file(from, to, NULL, &result) == -ENOSPC &&
		   result.done_length >= MIB && result.done_length <= 1500000 &&
		   size_of(to) == result.done_length &&
		   same_until(from, to, size_of(to)),
	   "copy: no room: what is there is right");
	reset();
	kernel.room = 1500000;
	options.flags = BPIO_COPY_NO_OFFLOAD;
	ok(bpio_copy_file(from, to, &options, &result) == -ENOSPC &&
		   result.done_length == MIB && size_of(to) == MIB &&
		   same_until(from, to, MIB),
	   "copy: no room, by read and write: no part of a piece stays");
	options.flags = 0;
	reset();
	fail(READ, 1, 1, STATUS_INSUFFICIENT_RESOURCES);
	kernel.room = UINT64_MAX;
	ok(bpio_copy_file(from, from, NULL, &result) == -EINVAL &&
		   size_of(from) == 4 * MIB,
	   "copy: onto itself: refused, nothing is lost");
	ok(bpio_copy_file(from, -1, NULL, &result) == -EBADF &&
		   bpio_copy_file(-1, to, NULL, &result) == -EBADF,
	   "copy: no file");
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	ok(bpio_copy_file(fd, to, NULL, &result) == -EINVAL &&
		   bpio_copy_file(from, fd, NULL, &result) == -EINVAL,
	   "copy: not a regular file");
	close(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ok(bpio_copy_file(from, fd, NULL, &result) == -EINVAL,
	   "copy: a destination that is open for reading only");
	close(fd);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok(bpio_copy_file(fd, from, NULL, &result) == -EBADF &&
		   size_of(from) == 4 * MIB,
	   "copy: a source that is open for writing only");
	close(fd);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ok(bpio_copy_file(from, fd, NULL, &result) == -EINVAL,
	   "copy: a destination that is open for appending");
	close(fd);
	options.size--;
	ok(bpio_copy_file(from, to, &options, &result) == -EINVAL,
	   "copy: options of another size");
	options.size++;
	options.flags = 2;
	ok(bpio_copy_file(from, to, &options, &result) == -EINVAL,
	   "copy: options that nobody knows");
	close(from);
	close(to);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_lengths();
	test_requests();
	test_chunks();
	test_zeros();
	test_refusals();
	test_ranges();
	test_no_progress();
	test_volumes();
	test_pairs();
	test_holes();
	test_direct();
	test_progress();
	test_errors();
	printf("1..%u\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
