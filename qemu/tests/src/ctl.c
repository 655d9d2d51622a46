// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-ctl PATH[:FLAGS] OP...: a raw client of BPIO_IOC_CONTROL.
 *
 * Runs the operations one after another, on one open handle unless told
 * otherwise, and prints a line for each.  Every request goes with an output
 * buffer full of a known byte: what the kernel wrote beyond `information`, or
 * wrote at all when the request failed, is told as OVERRUN, and the exit
 * status is 3.
 *
 * The words: bpio-ctl --help, from the table at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/bpio.h>
#include "bpio.h"
#include "tools.h"
#include "volume.h"

#define CANARY	    0xA5
#define BUFFER	    (128 << 10)
#define MAX_HANDLES 64
#define MAX_ARGS    24
#define MAX_RANGES  4096

enum pointer {
	POINTER_GOOD,
	POINTER_NULL,
	POINTER_BAD,
	POINTER_READONLY,
	POINTER_EDGE,
};

#define EDGE 4096

/* What the next request does differently. */
static struct {
	long in, out;
	enum pointer inptr, outptr, field;
	bool overlap, failall;
	uint32_t flags, reserved;
	bool has_devfd;
	int devfd;
	uint64_t res1, res2;
	long size, version;
	long roff, rlen, poff, plen;
} next;

static const char *args[MAX_ARGS];
static int args_nr;
static int handles[MAX_HANDLES];
static int handles_nr;
static int fd = -1;
static int device_fd = -1;
static struct storage_offload_token token;
static uint8_t *in_buffer, *out_buffer;
static void *mapping;
static size_t mapping_length;
static int result;
static struct device_dsm_range ranges[MAX_RANGES];
static unsigned int ranges_nr;

static void reset_next(void)
{
	memset(&next, 0, sizeof(next));
	next.in = next.out = next.size = next.version = -1;
	next.roff = next.rlen = next.poff = next.plen = -1;
}

static void __attribute__((noreturn)) usage(const char *what)
{
	fprintf(stderr, "bpio-ctl: %s\n", what);
	exit(2);
}

static uint64_t number(int i, uint64_t otherwise)
{
	char *end;
	uint64_t value;

	if (i >= args_nr)
		return otherwise;
	value = strtoull(args[i], &end, 0);
	if (*end == 'K' || *end == 'M')
		value <<= *end++ == 'K' ? 10 : 20;
	if (*end || end == args[i])
		usage(args[i]);
	return value;
}

static const char *text(int i)
{
	if (i >= args_nr)
		usage("an argument is missing");
	return args[i];
}

static const char *status_name(int32_t status)
{
	static char unknown[16];
	const struct bpio_status *known = bpio_status_find(status);

	if (known)
		return known->name + strlen("STATUS_");
	snprintf(unknown, sizeof(unknown), "0x%08" PRIx32, (uint32_t)status);
	return unknown;
}

/* ---- requests ------------------------------------------------------------ */

struct reply {
	bool carried; /* else an errno was printed */
	int32_t status;
	uint32_t information;
	uint32_t out_length;
};

static size_t written_to(const uint8_t *buffer)
{
	size_t n = BUFFER;

	while (n && buffer[n - 1] == CANARY)
		n--;
	return n;
}

static void *pointer(enum pointer kind, void *good)
{
	static uint8_t *readonly, *edge;

	switch (kind) {
	case POINTER_NULL:
		return NULL;
	case POINTER_BAD:
		return (void *)(uintptr_t)0xffff888000001000ull;
	case POINTER_READONLY:
		if (!readonly)
			readonly = mmap(NULL, BUFFER, PROT_READ,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return readonly;
	case POINTER_EDGE:
		if (!edge) {
			edge = mmap(NULL, 2 * EDGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			munmap(edge + EDGE, EDGE);
		}
		return edge;
	default:
		return good;
	}
}

/* ---- every allocation in turn -------------------------------------------- */

#define FAIL_NTH "/proc/thread-self/fail-nth"

/* Open before anything is armed: opening allocates. */
static int nth_fd = -1;

static void arm_nth(unsigned int n)
{
	char digits[16];

	if (nth_fd < 0)
		nth_fd = open(FAIL_NTH, O_RDWR);
	snprintf(digits, sizeof(digits), "%u", n);
	if (pwrite(nth_fd, digits, strlen(digits), 0) < 0)
		usage(FAIL_NTH);
}

/* Return: the failure was injected.  Either way none is left armed. */
static bool disarm_nth(void)
{
	char digits[16] = "";

	if (pread(nth_fd, digits, sizeof(digits) - 1, 0) < 0)
		usage(FAIL_NTH);
	arm_nth(0);
	return !atoi(digits);
}

/* Return: what the last one said, which no failure hit. */
static int fail_all(const char *name, struct bpio_control *control)
{
	const struct bpio_control asked = *control;
	unsigned int n, errors = 0, good = 0;
	int ret;

	for (n = 1; n < 1000; n++) {
		*control = asked;
		arm_nth(n);
		ret = ioctl(fd, BPIO_IOC_CONTROL, control);
		if (!disarm_nth())
			break;
		if (ret || bpio_status_is_error(control->status))
			errors++;
		else
			good++;
		if (ret ? errno != ENOMEM :
			  control->status &&
				    control->status !=
					    STATUS_INSUFFICIENT_RESOURCES) {
			printf("%s allocation=%u errno=%s status=%s\n", name, n,
			       ret ? strerrorname_np(errno) : "none",
			       status_name(control->status));
			result = 3;
		}
		memset(out_buffer, CANARY, BUFFER);
	}
	fprintf(stderr, "%s: %u allocations failed: %u errors, %u went on\n",
		name, n - 1, errors, good);
	return ret;
}

/* The request lies in memory that cannot be written to. */
static int send_readonly(const struct bpio_control *control)
{
	static void *page;

	if (!page)
		page = mmap(NULL, EDGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(page, EDGE, PROT_READ | PROT_WRITE);
	memcpy(page, control, sizeof(*control));
	mprotect(page, EDGE, PROT_READ);
	return ioctl(fd, BPIO_IOC_CONTROL, page);
}

static int send_control(const char *name, struct bpio_control *control)
{
	if (next.failall)
		return fail_all(name, control);
	if (next.field == POINTER_READONLY)
		return send_readonly(control);
	return ioctl(fd, BPIO_IOC_CONTROL, control);
}

static struct reply request(const char *name, uint32_t code, uint32_t in_length,
			    uint32_t out_length)
{
	struct bpio_control control = {
		.code = code,
		.flags = next.flags,
		.input_length = next.in >= 0 ? (uint32_t)next.in : in_length,
		.output_length = next.out >= 0 ? (uint32_t)next.out :
						 out_length,
		.device_fd = next.has_devfd ? next.devfd : device_fd,
		.status = 0x5a5a5a5a,
		.information = 0x5a5a5a5a,
		.reserved = next.reserved,
	};
	struct reply reply = { .out_length = control.output_length };
	uint8_t *out = next.overlap ? in_buffer + 8 : out_buffer;
	size_t wrote, allowed;

	memset(out_buffer, CANARY, BUFFER);
	control.input = (uintptr_t)pointer(next.inptr, in_buffer);
	control.output = (uintptr_t)pointer(next.outptr, out);
	if (send_control(name, &control)) {
		printf("%s errno=%s", name, strerrorname_np(errno));
		if (written_to(out_buffer)) {
			printf(" OVERRUN");
			result = 3;
		}
		printf("\n");
		return reply;
	}
	reply.carried = true;
	reply.status = control.status;
	reply.information = control.information;
	printf("%s status=%s info=%" PRIu32, name, status_name(reply.status),
	       reply.information);
	if (next.overlap) {
		memcpy(out_buffer, out, BUFFER / 2);
		memset(out_buffer + BUFFER / 2, CANARY, BUFFER / 2);
		return reply;
	}
	wrote = written_to(out_buffer);
	allowed = reply.information < reply.out_length ? reply.information :
							 reply.out_length;
	if (bpio_status_is_error(reply.status))
		allowed = 0;
	if (wrote > allowed) {
		printf(" OVERRUN=%zu", wrote);
		result = 3;
	} else if (wrote < allowed && next.outptr == POINTER_GOOD) {
		printf(" wrote=%zu", wrote);
	}
	return reply;
}

/* True when there is an output to show; else the line has been ended. */
static bool has_output(const struct reply *reply)
{
	if (!reply->carried)
		return false;
	if (bpio_status_is_error(reply->status) || next.outptr) {
		printf("\n");
		return false;
	}
	return true;
}

static void print_text(const char *key, const void *units, unsigned int length,
		       unsigned int max)
{
	char utf8[BPIO_UTF8_SIZE(BPIO_FAILURE_REASON_CHARS)];
	const uint16_t *tail = units;
	unsigned int i;

	if (length > max) {
		printf(" %s=TOO_LONG", key);
		result = 3;
		return;
	}
	bpio_utf16_to_utf8(units, length, utf8, sizeof(utf8));
	printf(" %s=%s", key, utf8);
	for (i = length; i < max; i++) {
		if (tail[i]) {
			printf(" TAIL_NOT_ZERO");
			result = 3;
			return;
		}
	}
}

static void print_results(const struct fs_bpio_results *r)
{
	struct fs_bpio_results copy;

	memcpy(&copy, r, sizeof(copy));
	printf(" result=%s", status_name(copy.op_status));
	print_text("driver", copy.failing_driver_name,
		   copy.failing_driver_name_len, BPIO_DRIVER_NAME_CHARS);
	print_text("reason", copy.failure_reason, copy.failure_reason_len,
		   BPIO_FAILURE_REASON_CHARS);
}

static void manage(const char *name, uint32_t operation, uint32_t in_flags)
{
	struct fs_bpio_input in = {
		.operation = operation,
		.in_flags = in_flags,
		.reserved1 = next.res1,
		.reserved2 = next.res2,
	};
	const struct fs_bpio_output *out = (const void *)out_buffer;
	struct reply reply;

	memset(in_buffer, 0, BUFFER);
	memcpy(in_buffer, &in, sizeof(in));
	reply = request(name, FSCTL_MANAGE_BYPASS_IO, sizeof(in), sizeof(*out));
	if (!has_output(&reply))
		return;
	printf(" op=%" PRIu32 " flags=%" PRIu32, out->operation,
	       out->out_flags);
	if (out->reserved1 || out->reserved2) {
		printf(" RESERVED_NOT_ZERO");
		result = 3;
	}
	if (reply.information >= 352) {
		print_results(&out->query);
	} else if (reply.information >= 96) {
		printf(" count=%" PRIu32, out->get_info.active_bypass_io_count);
		print_text("driver", out->get_info.storage_driver_name,
			   out->get_info.storage_driver_name_len,
			   BPIO_DRIVER_NAME_CHARS);
	}
	printf("\n");
}

static void storage(const char *name, uint32_t operation, uint32_t in_flags)
{
	struct bpio_input in = {
		.version = next.version >= 0 ? (uint32_t)next.version :
					       sizeof(in),
		.size = next.size >= 0 ? (uint32_t)next.size : sizeof(in),
		.operation = operation,
		.in_flags = in_flags,
		.reserved2 = next.res2,
	};
	const struct bpio_output *out = (const void *)out_buffer;
	struct reply reply;

	memset(in_buffer, 0, BUFFER);
	memcpy(in_buffer, &in, sizeof(in));
	reply = request(name, IOCTL_STORAGE_MANAGE_BYPASS_IO, sizeof(in),
			sizeof(*out));
	if (!has_output(&reply))
		return;
	printf(" version=%" PRIu32 " size=%" PRIu32 " op=%" PRIu32
	       " flags=%" PRIu32,
	       out->version, out->size, out->operation, out->out_flags);
	if (reply.information >= 352)
		print_results((const void *)&out->query);
	printf("\n");
}

static const char *token_kind(void)
{
	struct bpio_token decoded;

	bpio_token_decode(&token, &decoded);
	switch (decoded.kind) {
	case BPIO_TOKEN_ZERO:
		return "zero";
	case BPIO_TOKEN_BPIO:
		return "bpio";
	default:
		return "other";
	}
}

static void offload_read(uint64_t offset, uint64_t length, uint32_t ttl)
{
	struct fsctl_offload_read_input in = {
		.size = next.size >= 0 ? (uint32_t)next.size : sizeof(in),
		.flags = (uint32_t)next.res1,
		.token_time_to_live = ttl,
		.reserved = (uint32_t)next.res2,
		.file_offset = offset,
		.copy_length = length,
	};
	const struct fsctl_offload_read_output *out = (const void *)out_buffer;
	struct reply reply;

	memset(in_buffer, 0, BUFFER);
	memcpy(in_buffer, &in, sizeof(in));
	reply = request("oread", FSCTL_OFFLOAD_READ, sizeof(in), sizeof(*out));
	if (!has_output(&reply))
		return;
	token = out->token;
	printf(" transfer=%" PRIu64 " flags=%" PRIu32 " token=%s",
	       (uint64_t)out->transfer_length, out->flags, token_kind());
	if (out->size != sizeof(*out)) {
		printf(" size=%" PRIu32, out->size);
		result = 3;
	}
	printf("\n");
}

static void offload_write(uint64_t offset, uint64_t length, uint64_t transfer)
{
	struct fsctl_offload_write_input in = {
		.size = next.size >= 0 ? (uint32_t)next.size : sizeof(in),
		.flags = (uint32_t)next.res1,
		.file_offset = offset,
		.copy_length = length,
		.transfer_offset = transfer,
		.token = token,
	};
	const struct fsctl_offload_write_output *out = (const void *)out_buffer;
	struct reply reply;

	memset(in_buffer, 0, BUFFER);
	memcpy(in_buffer, &in, sizeof(in));
	reply = request("owrite", FSCTL_OFFLOAD_WRITE, sizeof(in),
			sizeof(*out));
	if (!has_output(&reply))
		return;
	printf(" written=%" PRIu64, (uint64_t)out->length_written);
	if (out->size != sizeof(*out) || out->flags) {
		printf(" size=%" PRIu32 " flags=%" PRIu32, out->size,
		       out->flags);
		result = 3;
	}
	printf("\n");
}

/* ---- data set management ------------------------------------------------- */

static void add_ranges(void)
{
	uint64_t start = number(1, 0), nr = number(3, 1);

	for (; nr--; start += number(4, number(2, 0))) {
		if (ranges_nr == MAX_RANGES)
			usage("too many ranges");
		ranges[ranges_nr].starting_offset = (int64_t)start;
		ranges[ranges_nr++].length_in_bytes = number(2, 0);
	}
}

static uint32_t chosen(long given, uint32_t otherwise)
{
	return given >= 0 ? (uint32_t)given : otherwise;
}

/* The parts lie where natural packing puts them, whatever is said of them. */
static struct reply data_set(const char *name, uint32_t action,
			     const void *parameters, uint32_t length,
			     uint32_t at, uint32_t out_length)
{
	const uint32_t ranges_at = (at + length + 7) & ~7u;
	const uint32_t ranges_length = ranges_nr * sizeof(ranges[0]);
	struct device_dsm_input in = {
		.size = chosen(next.size, sizeof(in)),
		.action = action,
		.flags = (uint32_t)next.res1,
		.parameter_block_offset = chosen(next.poff, length ? at : 0),
		.parameter_block_length = chosen(next.plen, length),
		.data_set_ranges_offset =
			chosen(next.roff, ranges_nr ? ranges_at : 0),
		.data_set_ranges_length = chosen(next.rlen, ranges_length),
	};

	memset(in_buffer, 0, BUFFER);
	memcpy(in_buffer, &in, sizeof(in));
	memcpy(in_buffer + at, parameters, length);
	memcpy(in_buffer + ranges_at, ranges, ranges_length);
	return request(name, IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES,
		       ranges_at + ranges_length, out_length);
}

static void data_set_read(uint32_t ttl)
{
	const struct device_dsm_offload_read_parameters parameters = {
		.time_to_live = ttl,
	};
	const struct storage_offload_read_output *out =
		(const void *)out_buffer;
	struct reply reply = data_set("dread", DEVICE_DSM_ACTION_OFFLOAD_READ,
				      &parameters, sizeof(parameters), 28,
				      sizeof(*out));

	if (!has_output(&reply))
		return;
	token = out->token;
	printf(" protected=%" PRIu64 " flags=%" PRIu32 " length=%" PRIu32
	       " token=%s\n",
	       (uint64_t)out->length_protected, out->offload_read_flags,
	       out->token_length, token_kind());
}

static void data_set_write(uint64_t transfer)
{
	const struct device_dsm_offload_write_parameters parameters = {
		.token_offset = transfer,
		.token = token,
	};
	const struct storage_offload_write_output *out =
		(const void *)out_buffer;
	struct reply reply = data_set("dwrite", DEVICE_DSM_ACTION_OFFLOAD_WRITE,
				      &parameters, sizeof(parameters), 32,
				      sizeof(*out));

	if (!has_output(&reply))
		return;
	printf(" copied=%" PRIu64 " flags=%" PRIu32 "\n",
	       (uint64_t)out->length_copied, out->offload_write_flags);
}

static void query_property(uint32_t property, uint32_t type)
{
	const struct storage_property_query in = {
		.property_id = property,
		.query_type = type,
	};
	const struct device_copy_offload_descriptor *out =
		(const void *)out_buffer;
	struct reply reply;

	memset(in_buffer, 0, BUFFER);
	memcpy(in_buffer, &in, sizeof(in));
	reply = request("qprop", IOCTL_STORAGE_QUERY_PROPERTY, sizeof(in),
			sizeof(*out));
	if (!has_output(&reply))
		return;
	if (reply.information >= 8)
		printf(" version=%" PRIu32 " size=%" PRIu32, out->version,
		       out->size);
	if (reply.information >= sizeof(*out))
		printf(" life=%" PRIu32 "/%" PRIu32 " max=%" PRIu64
		       " optimal=%" PRIu64 " ranges=%" PRIu32 " blocks=%" PRIu32
		       "/%" PRIu32 " granularity=%u",
		       out->default_token_lifetime, out->maximum_token_lifetime,
		       (uint64_t)out->maximum_transfer_size,
		       (uint64_t)out->optimal_transfer_count,
		       out->maximum_data_descriptors,
		       out->maximum_transfer_length_per_descriptor,
		       out->optimal_transfer_length_per_descriptor,
		       out->optimal_transfer_length_granularity);
	printf("\n");
}

static void raw(void)
{
	const uint32_t code = (uint32_t)number(1, 0);
	const uint32_t in = (uint32_t)number(2, 0);
	const uint32_t out = (uint32_t)number(3, 0);
	const char *hex = args_nr > 4 ? args[4] : "";
	struct reply reply;
	unsigned int byte;
	size_t i;

	memset(in_buffer, 0, BUFFER);
	for (i = 0; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		in_buffer[i++] = (uint8_t)byte;
	reply = request("raw", code, in, out);
	if (!has_output(&reply))
		return;
	printf(" output=");
	for (i = 0; i < reply.information && i < reply.out_length; i++)
		printf("%02x", out_buffer[i]);
	printf("\n");
}

/* ---- tokens -------------------------------------------------------------- */

static void token_file(const char *path, bool save)
{
	FILE *f = fopen(path, save ? "w" : "r");
	size_t nr = 0;

	if (f && save)
		nr = fwrite(&token, sizeof(token), 1, f);
	else if (f)
		nr = fread(&token, sizeof(token), 1, f);
	if (nr != 1)
		usage(path);
	fclose(f);
}

static void token_well_known(uint32_t type, int pattern_at)
{
	uint8_t *bytes = (uint8_t *)&token;
	int i;

	memset(&token, 0, sizeof(token));
	for (i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(type >> (24 - 8 * i));
	if (pattern_at)
		bytes[pattern_at + 1] = STORAGE_OFFLOAD_PATTERN_ZERO;
	if (!pattern_at || pattern_at == 8) {
		token.token_id_length[0] = 0x01;
		token.token_id_length[1] = 0xf8;
	}
}

/* ---- files --------------------------------------------------------------- */

static int open_path(const char *path, const char *flags)
{
	bool direct = false, plain = false, r = false, w = false;
	struct stat st;
	int mode = 0;

	for (; flags && *flags; flags++) {
		switch (*flags) {
		case 'r':
			r = true;
			break;
		case 'w':
			w = true;
			break;
		case 'd':
			direct = true;
			break;
		case 'b':
			plain = true;
			break;
		case 's':
			mode |= O_DSYNC;
			break;
		case 'a':
			mode |= O_APPEND;
			break;
		case 'c':
			mode |= O_CREAT;
			break;
		case 't':
			mode |= O_TRUNC;
			break;
		default:
			usage("unknown flag of an open");
		}
	}
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		plain = !direct;
		if (!S_ISDIR(st.st_mode) && !r && !w)
			r = w = true;
		else if (!w)
			r = true;
	} else if (!r && !w) {
		r = w = true;
	}
	if (!plain)
		mode |= O_DIRECT;
	mode |= r && w ? O_RDWR : w ? O_WRONLY : O_RDONLY;
	return open(path, mode, 0666);
}

static void new_handle(int new_fd, const char *path)
{
	if (new_fd < 0) {
		printf("open %s errno=%s\n", path, strerrorname_np(errno));
		exit(1);
	}
	if (handles_nr == MAX_HANDLES)
		usage("too many handles");
	handles[handles_nr++] = new_fd;
	fd = new_fd;
}

static void said(const char *what, long ret)
{
	if (ret < 0)
		printf("%s errno=%s\n", what, strerrorname_np(errno));
	else
		printf("%s %ld\n", what, ret);
}

static void read_file(off_t offset, size_t length, const char *to, int flags)
{
	struct iovec iov = { .iov_len = length };
	void *buffer;
	ssize_t got;

	if (posix_memalign(&buffer, 4096, length + 4096))
		usage("no memory");
	iov.iov_base = buffer;
	got = preadv2(fd, &iov, 1, offset, flags);
	said("read", got);
	if (to && got >= 0) {
		FILE *f = fopen(to, "w");

		if (!f || fwrite(buffer, 1, (size_t)got, f) != (size_t)got)
			usage(to);
		fclose(f);
	}
	free(buffer);
}

static void write_file(off_t offset, size_t length, int byte)
{
	void *buffer;

	if (posix_memalign(&buffer, 4096, length))
		usage("no memory");
	memset(buffer, byte, length);
	said("write", pwrite(fd, buffer, length, offset));
	free(buffer);
}

static void map_file(size_t length)
{
	mapping_length = length;
	mapping = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
	if (mapping == MAP_FAILED) {
		said("mmap", -1);
		exit(1);
	}
	printf("mmap %d\n", *(volatile uint8_t *)mapping);
}

static void remove_pages(off_t offset, size_t length)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			offset);

	if (at == MAP_FAILED) {
		said("remove", -1);
		return;
	}
	said("remove", madvise(at, length, MADV_REMOVE));
	munmap(at, length);
}

static void lock_file(char kind, off_t offset, off_t length)
{
	struct flock lock = {
		.l_type = kind == 'r' ? F_RDLCK :
			  kind == 'w' ? F_WRLCK :
					F_UNLCK,
		.l_whence = SEEK_SET,
		.l_start = offset,
		.l_len = length,
	};

	said("lock", fcntl(fd, F_OFD_SETLK, &lock));
}

/* ---- volumes -------------------------------------------------------------- */

static char volume[64];
static struct volume_counters marked;

static void count(const char *name, struct volume_counters *counters)
{
	if (volume_count(name, counters))
		usage(name);
}

static void print_counters(const struct volume_counters *now)
{
	unsigned int i;

	for (i = 0; i < now->nr; i++)
		printf("%s=%s\n", now->counter[i].key, now->counter[i].text);
}

static void print_gains(bool gain)
{
	struct volume_counters now;
	int i;

	count(volume, &now);
	printf("%s", args[0]);
	for (i = 1; i < args_nr; i++) {
		const struct volume_counter *c, *before;
		char key[40];
		size_t n = strlen(args[i]);
		const bool some = args[i][n - 1] == '+';

		snprintf(key, sizeof(key), "%.*s", (int)(n - some), args[i]);
		c = volume_find(&now, key);
		before = volume_find(&marked, key);
		if (!c || (gain && !before))
			usage(key);
		if (!gain)
			printf(" %s=%s", key, c->text);
		else if (some && c->value > before->value)
			printf(" %s=some", key);
		else
			printf(" %s=%" PRId64, key, c->value - before->value);
	}
	printf("\n");
}

static void await_gain(const char *key)
{
	const struct volume_counter *before = volume_find(&marked, key);
	struct volume_counters now;
	int left;

	if (!before)
		usage(key);
	for (left = 3000; left; left--) {
		count(volume, &now);
		if (volume_find(&now, key)->value > before->value)
			return;
		usleep(10000);
	}
	printf("await %s: never\n", key);
}

static unsigned int load_nth;
static bool load_hit;

static void load_begin(void)
{
	arm_nth(load_nth);
}

static void load_end(void)
{
	load_hit = disarm_nth();
}

static void load_all(const char *words)
{
	unsigned int errors = 0;
	int ret;

	for (load_nth = 1; load_nth < 10000; load_nth++) {
		ret = volume_load(volume, words, load_begin, load_end);
		if (!load_hit)
			break;
		if (ret)
			errors++;
		/* a path that cannot be looked up may be said not to be there */
		if (ret && errno != ENOMEM && errno != ENODEV) {
			printf("load allocation=%u errno=%s\n", load_nth,
			       strerrorname_np(errno));
			result = 3;
		}
	}
	if (ret)
		said("load", -1);
	fprintf(stderr, "load: %u allocations failed: %u errors, %u went on\n",
		load_nth - 1, errors, load_nth - 1 - errors);
}

static void hold(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT, 0666));
	pause();
}

/* ---- the words ------------------------------------------------------------ */

static const struct {
	const char *name;
	uint32_t operation;
} operations[] = {
	{ "enable", FS_BPIO_OP_ENABLE },
	{ "disable", FS_BPIO_OP_DISABLE },
	{ "query", FS_BPIO_OP_QUERY },
	{ "pausev", FS_BPIO_OP_VOLUME_STACK_PAUSE },
	{ "resumev", FS_BPIO_OP_VOLUME_STACK_RESUME },
	{ "pauses", FS_BPIO_OP_STREAM_PAUSE },
	{ "resumes", FS_BPIO_OP_STREAM_RESUME },
	{ "info", FS_BPIO_OP_GET_INFO },
	{ "senable", BPIO_OP_ENABLE },
	{ "sdisable", BPIO_OP_DISABLE },
	{ "squery", BPIO_OP_QUERY },
};

static uint32_t operation(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(name, operations[i].name))
			return operations[i].operation;
	usage(name);
}

/* Handlers: the word is args[0], what stands behind its colons follows. */

static void do_manage(void)
{
	manage(args[0], operation(args[0]), (uint32_t)number(1, 0));
}

static void do_op(void)
{
	manage("op", (uint32_t)number(1, 0), (uint32_t)number(2, 0));
}

static void do_storage(void)
{
	storage(args[0], operation(args[0]), (uint32_t)number(1, 0));
}

static void do_sop(void)
{
	storage("sop", (uint32_t)number(1, 0), 0);
}

static void do_oread(void)
{
	offload_read(number(1, 0), number(2, 0), (uint32_t)number(3, 0));
}

static void do_owrite(void)
{
	offload_write(number(1, 0), number(2, 0), number(3, 0));
}

static void do_dread(void)
{
	data_set_read((uint32_t)number(1, 0));
}

static void do_dwrite(void)
{
	data_set_write(number(1, 0));
}

static void do_dsm(void)
{
	struct reply reply =
		data_set("dsm", (uint32_t)number(1, 0), "", 0, 28, 64);

	if (has_output(&reply))
		printf("\n");
}

static void do_qprop(void)
{
	query_property((uint32_t)number(1,
					STORAGE_DEVICE_COPY_OFFLOAD_PROPERTY),
		       (uint32_t)number(2, 0));
}

static void do_norange(void)
{
	ranges_nr = 0;
}

static void do_device(void)
{
	device_fd = open(text(1), O_RDWR);
}

static void do_save(void)
{
	token_file(text(1), true);
}

static void do_load(void)
{
	token_file(text(1), false);
}

static void do_zero_a(void)
{
	token_well_known(STORAGE_OFFLOAD_TOKEN_TYPE_ZERO_DATA, 0);
}

static void do_zero_4(void)
{
	token_well_known(STORAGE_OFFLOAD_TOKEN_TYPE_WELL_KNOWN, 4);
}

static void do_zero_8(void)
{
	token_well_known(STORAGE_OFFLOAD_TOKEN_TYPE_WELL_KNOWN, 8);
}

static void do_type(void)
{
	token_well_known((uint32_t)number(1, 0), 0);
}

static void do_flip(void)
{
	((uint8_t *)&token)[number(1, 0) % sizeof(token)] ^= 0x10;
}

static void do_open(void)
{
	new_handle(open_path(text(1), args_nr > 2 ? args[2] : NULL), args[1]);
}

static void do_use(void)
{
	fd = handles[number(1, 0) % MAX_HANDLES];
}

static void do_dup(void)
{
	new_handle(dup(fd), "dup");
}

static void do_close(void)
{
	close(fd);
}

static void do_read(void)
{
	read_file((off_t)number(1, 0), number(2, 0),
		  args_nr > 3 ? args[3] : NULL, 0);
}

static void do_readnw(void)
{
	read_file((off_t)number(1, 0), number(2, 0), NULL, RWF_NOWAIT);
}

static void do_write(void)
{
	write_file((off_t)number(1, 0), number(2, 0), (int)number(3, 0));
}

static void do_trunc(void)
{
	said("trunc", ftruncate(fd, (off_t)number(1, 0)));
}

static void do_punch(void)
{
	said("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)number(1, 0), (off_t)number(2, 0)));
}

static void do_remove(void)
{
	remove_pages((off_t)number(1, 0), number(2, 4096));
}

static void do_mmap(void)
{
	map_file(number(1, 4096));
}

static void do_peek(void)
{
	printf("peek %d\n", ((volatile uint8_t *)mapping)[number(1, 0)]);
}

static void do_munmap(void)
{
	said("munmap", munmap(mapping, mapping_length));
}

static void do_lock(void)
{
	lock_file(*text(1), (off_t)number(2, 0), (off_t)number(3, 0));
}

static void do_unlink(void)
{
	said("unlink", unlink(text(1)));
}

static void do_fsync(void)
{
	said("fsync", fsync(fd));
}

static void do_count(void)
{
	struct volume_counters now;

	count(text(1), &now);
	print_counters(&now);
}

static void do_mark(void)
{
	if (args_nr > 1)
		snprintf(volume, sizeof(volume), "%s", args[1]);
	count(volume, &marked);
}

static void do_gain(void)
{
	print_gains(true);
}

static void do_show(void)
{
	print_gains(false);
}

static void do_await(void)
{
	await_gain(text(1));
}

static void do_msg(void)
{
	if (volume_message(volume, text(1)))
		said("msg", -1);
}

static void do_suspend(void)
{
	if (volume_suspend(volume, !strcmp(args[0], "suspend")))
		said(args[0], -1);
}

static void do_loadall(void)
{
	load_all(text(1));
}

static void do_sh(void)
{
	if (system(text(1)))
		usage(text(1));
}

static void do_sleep(void)
{
	usleep((useconds_t)number(1, 0) * 1000);
}

static void do_held(void)
{
	hold(text(1));
}

enum { WHOLE = 1 };   /* all behind the first colon is one argument */
enum { REQUEST = 2 }; /* carried by BPIO_IOC_CONTROL: ends "next only" */

/* All there are, and their help; without a handler it is a heading. */
static const struct word {
	const char *name, *arguments, *help;
	void (*run)(void);
	int flags;
} words[] = {
	{ "Handles", "the last one opened is used", NULL, NULL, 0 },
	{ "open", "PATH[:FLAGS]", "opens one more", do_open, 0 },
	{ "use", "N", "the Nth opened from here on, 0 the first", do_use, 0 },
	{ "dup", "", "a duplicate of the one in use", do_dup, 0 },
	{ "close", "", "closes the one in use", do_close, 0 },

	{ "BypassIO", "FSCTL_MANAGE_BYPASS_IO", NULL, NULL, 0 },
	{ "enable", "[IN_FLAGS]", "ENABLE", do_manage, REQUEST },
	{ "disable", "[IN_FLAGS]", "DISABLE", do_manage, REQUEST },
	{ "query", "[IN_FLAGS]", "QUERY", do_manage, REQUEST },
	{ "pausev", "[IN_FLAGS]", "VOLUME_STACK_PAUSE", do_manage, REQUEST },
	{ "resumev", "[IN_FLAGS]", "VOLUME_STACK_RESUME", do_manage, REQUEST },
	{ "pauses", "[IN_FLAGS]", "STREAM_PAUSE", do_manage, REQUEST },
	{ "resumes", "[IN_FLAGS]", "STREAM_RESUME", do_manage, REQUEST },
	{ "info", "[IN_FLAGS]", "GET_INFO", do_manage, REQUEST },
	{ "op", "OPERATION[:IN_FLAGS]", "any, by number", do_op, REQUEST },

	{ "ODX", "one token is kept: the last one read", NULL, NULL, 0 },
	{ "oread", "OFFSET:LENGTH[:TTL_MS]", "OFFLOAD_READ", do_oread,
	  REQUEST },
	{ "owrite", "OFFSET:LENGTH[:TRANSFER]", "OFFLOAD_WRITE", do_owrite,
	  REQUEST },
	{ "save", "FILE", "writes the token there", do_save, 0 },
	{ "load", "FILE", "takes it from there", do_load, 0 },
	{ "zeroA", "", "the zero token of its own type", do_zero_a, 0 },
	{ "zero4", "", "the well-known one, pattern at byte 4", do_zero_4, 0 },
	{ "zero8", "", "the well-known one, pattern at byte 8", do_zero_8, 0 },
	{ "flip", "BYTE", "changes one bit of that byte", do_flip, 0 },
	{ "type", "VALUE", "a token of that type and nothing else", do_type,
	  0 },

	{ "Storage", "on the handle, or PATH /dev/bpio and device", NULL, NULL,
	  0 },
	{ "device", "PATH", "whom /dev/bpio asks", do_device, 0 },
	{ "senable", "[IN_FLAGS]", "ENABLE", do_storage, REQUEST },
	{ "sdisable", "[IN_FLAGS]", "DISABLE", do_storage, REQUEST },
	{ "squery", "[IN_FLAGS]", "QUERY", do_storage, REQUEST },
	{ "sop", "OPERATION", "any, by number", do_sop, REQUEST },
	{ "qprop", "[PROPERTY[:TYPE]]", "STORAGE_QUERY_PROPERTY", do_qprop,
	  REQUEST },
	{ "range", "START:LENGTH[:NR[:STEP]]",
	  "adds a range, or NR of them, for the words below", add_ranges, 0 },
	{ "norange", "", "forgets them", do_norange, 0 },
	{ "dread", "[TTL_MS]", "offload read of the ranges", do_dread,
	  REQUEST },
	{ "dwrite", "[TRANSFER]", "offload write to the ranges", do_dwrite,
	  REQUEST },
	{ "dsm", "ACTION", "any other action", do_dsm, REQUEST },

	{ "Anything", "by its code", NULL, NULL, 0 },
	{ "raw", "CODE:IN_LENGTH:OUT_LENGTH[:HEX]",
	  "a control code and its input", raw, REQUEST },

	{ "Files", "on the handle", NULL, NULL, 0 },
	{ "read", "OFFSET:LENGTH[:FILE]", "reads, and keeps it there", do_read,
	  0 },
	{ "readnw", "OFFSET:LENGTH", "reads with RWF_NOWAIT", do_readnw, 0 },
	{ "write", "OFFSET:LENGTH:BYTE", "writes that byte", do_write, 0 },
	{ "trunc", "SIZE", "ftruncate", do_trunc, 0 },
	{ "punch", "OFFSET:LENGTH", "a hole", do_punch, 0 },
	{ "remove", "OFFSET[:LENGTH]",
	  "MADV_REMOVE through a mapping of its own", do_remove, 0 },
	{ "mmap", "[LENGTH]", "maps it, and prints the first byte", do_mmap,
	  0 },
	{ "peek", "OFFSET", "prints a byte of the mapping", do_peek, 0 },
	{ "munmap", "", "unmaps it", do_munmap, 0 },
	{ "lock", "r|w|u:OFFSET:LENGTH", "an OFD lock", do_lock, 0 },
	{ "unlink", "PATH", "unlink", do_unlink, 0 },
	{ "fsync", "", "fsync", do_fsync, 0 },

	{ "Volumes", "NAME is the mapped device bpio-NAME", NULL, NULL, 0 },
	{ "count", "NAME", "prints all its counters", do_count, 0 },
	{ "mark", "[NAME]", "remembers them, for the words below", do_mark, 0 },
	{ "gain", "KEY...", "what they gained since; KEY+: \"some\"", do_gain,
	  0 },
	{ "show", "KEY...", "what they are", do_show, 0 },
	{ "await", "KEY", "until it has gained, 30 s at most", do_await, 0 },
	{ "msg", "WORDS", "a device-mapper message", do_msg, 0 },
	{ "suspend", "", "suspends it", do_suspend, 0 },
	{ "resume", "", "resumes it", do_suspend, 0 },
	{ "loadall", "WORDS",
	  "makes a target of them again and again, one allocation failing",
	  do_loadall, WHOLE },

	{ "Else", "", NULL, NULL, 0 },
	{ "sh", "COMMAND", "runs it", do_sh, WHOLE },
	{ "sleep", "MS", "waits so long", do_sleep, 0 },
	{ "held", "FILE", "makes the file, then waits to be killed", do_held,
	  0 },
};

#define WORDS_NR (sizeof(words) / sizeof(words[0]))

enum kind { LONG, U32, U64, POINTER, FLAG, KERNEL, DEVFD };

/* What the next request does differently, and no other. */
static const struct modifier {
	const char *name, *arguments, *help;
	enum kind kind;
	void *field;
} modifiers[] = {
	{ "in", "N", "input length", LONG, &next.in },
	{ "out", "N", "output length", LONG, &next.out },
	{ "inptr", "null|bad", "input", POINTER, &next.inptr },
	{ "outptr", "null|bad|readonly|edge", "output; edge: 4096 bytes",
	  POINTER, &next.outptr },
	{ "field", "readonly", "the request itself", POINTER, &next.field },
	{ "overlap", "", "output within the input", FLAG, &next.overlap },
	{ "failall", "", "again and again, one allocation failing", FLAG,
	  &next.failall },
	{ "flags", "N", "of the request", U32, &next.flags },
	{ "kernel", "", "flags: of kernel mode", KERNEL, NULL },
	{ "reserved", "N", "of the request", U32, &next.reserved },
	{ "devfd", "N", "in place of what device opened", DEVFD, NULL },
	{ "res1", "N", "first reserved field of the input", U64, &next.res1 },
	{ "res2", "N", "second one", U64, &next.res2 },
	{ "size", "N", "size field of the input", LONG, &next.size },
	{ "version", "N", "version field of the input", LONG, &next.version },
	{ "roff", "N", "offset of the ranges", LONG, &next.roff },
	{ "rlen", "N", "length of the ranges", LONG, &next.rlen },
	{ "poff", "N", "offset of the parameters", LONG, &next.poff },
	{ "plen", "N", "length of the parameters", LONG, &next.plen },
};

#define MODIFIERS_NR (sizeof(modifiers) / sizeof(modifiers[0]))

static void print_help(void)
{
	char form[80];
	size_t i;

	printf("bpio-ctl PATH[:FLAGS] WORD[:ARGUMENT...]...\n\n"
	       "Opens PATH (- opens nothing) and does what the words say, one "
	       "after the other.\n"
	       "FLAGS: r w (default: both) d O_DIRECT (default for files) b not "
	       "O_DIRECT s O_DSYNC\na O_APPEND c O_CREAT t O_TRUNC. K and M "
	       "may end a number. OVERRUN, and exit status 3:\nthe kernel "
	       "wrote where it must not.\n");
	for (i = 0; i < WORDS_NR; i++) {
		const struct word *w = &words[i];

		if (!w->run) {
			printf("\n%s%s%s\n", w->name, *w->arguments ? ": " : "",
			       w->arguments);
			continue;
		}
		snprintf(form, sizeof(form),
			 *w->arguments == '[' ? "%s[:%s" :
			 *w->arguments	      ? "%s:%s" :
						"%s%s",
			 w->name, w->arguments + (*w->arguments == '['));
		printf("  %-38s %s\n", form, w->help);
	}
	printf("\nNext request only\n");
	for (i = 0; i < MODIFIERS_NR; i++) {
		const struct modifier *m = &modifiers[i];

		snprintf(form, sizeof(form), *m->arguments ? "%s=%s" : "%s%s",
			 m->name, m->arguments);
		printf("  %-38s %s\n", form, m->help);
	}
}

static enum pointer pointer_kind(const char *name)
{
	static const char *const names[] = {
		[POINTER_NULL] = "null",
		[POINTER_BAD] = "bad",
		[POINTER_READONLY] = "readonly",
		[POINTER_EDGE] = "edge",
	};
	size_t i;

	for (i = POINTER_NULL; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return (enum pointer)i;
	usage(name);
}

static void modify(const struct modifier *m, const char *value)
{
	uint64_t n = value ? strtoull(value, NULL, 0) : 1;

	switch (m->kind) {
	case LONG:
		*(long *)m->field = (long)n;
		break;
	case U32:
		*(uint32_t *)m->field = (uint32_t)n;
		break;
	case U64:
		*(uint64_t *)m->field = n;
		break;
	case POINTER:
		*(enum pointer *)m->field = pointer_kind(value ? value : "");
		break;
	case FLAG:
		*(bool *)m->field = true;
		break;
	case KERNEL:
		next.flags = BPIO_CONTROL_KERNEL_MODE;
		break;
	case DEVFD:
		next.has_devfd = true;
		next.devfd = (int)n;
		break;
	}
}

/* Return: whether it was one of those. */
static bool do_modifier(const char *word)
{
	const size_t length = strcspn(word, "=");
	size_t i;

	for (i = 0; i < MODIFIERS_NR; i++) {
		const char *name = modifiers[i].name;

		if (strlen(name) != length || memcmp(word, name, length))
			continue;
		modify(&modifiers[i], word[length] ? word + length + 1 : NULL);
		return true;
	}
	return false;
}

static const struct word *find_word(const char *word)
{
	const size_t length = strcspn(word, ":");
	size_t i;

	for (i = 0; i < WORDS_NR; i++)
		if (words[i].run && strlen(words[i].name) == length &&
		    !memcmp(word, words[i].name, length))
			return &words[i];
	usage(word);
}

static void do_word(char *word)
{
	const struct word *w;
	char *save, *part;

	if (do_modifier(word))
		return;
	w = find_word(word);
	args_nr = 0;
	for (part = strtok_r(word, ":", &save); part;
	     part = strtok_r(NULL, args_nr && w->flags & WHOLE ? "" : ":",
			     &save)) {
		if (args_nr == MAX_ARGS)
			usage("too many arguments");
		args[args_nr++] = part;
	}
	w->run();
	if (w->flags & REQUEST)
		reset_next();
}

/* bpio-ctl - count:NAME */
int ctl_quick(int argc, char **argv)
{
	struct volume_counters now;

	if (argc != 3 || strcmp(argv[1], "-") ||
	    strncmp(argv[2], "count:", 6) || volume_count(argv[2] + 6, &now))
		return -1;
	print_counters(&now);
	return 0;
}

int ctl_main(int argc, char **argv)
{
	char *flags;
	int i;

	if (argc < 2)
		usage("PATH[:FLAGS] WORD..., or --help");
	if (!strcmp(argv[1], "--help")) {
		print_help();
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	in_buffer = aligned_alloc(4096, 2 * BUFFER);
	out_buffer = aligned_alloc(4096, BUFFER);
	if (!in_buffer || !out_buffer)
		usage("no memory");
	reset_next();
	flags = strrchr(argv[1], ':');
	if (flags)
		*flags++ = '\0';
	if (strcmp(argv[1], "-"))
		new_handle(open_path(argv[1], flags), argv[1]);
	for (i = 2; i < argc; i++)
		do_word(argv[i]);
	fflush(stdout);
	return result;
}
