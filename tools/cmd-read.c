// SPDX-License-Identifier: GPL-2.0
/*
 * bpioctl bypassio cat|read: data to standard output through BypassIO, and on
 * standard error which path it took.  The data is whole whatever the verdict:
 * what is refused a bypass is read the traditional way, and the exit code
 * says so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpioctl.h"
#include "enable.h"
#include "volume.h"

/* Direct I/O is aligned to this where the block size allows it. */
#define ALIGNMENT 4096u
#define SECTOR	  512u

static int write_all(const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain_errno("standard output", "write",
					      errno);
		data += n;
		length -= (size_t)n;
	}
	return DONE;
}

static bool at_end_of_file(int fd, uint64_t offset)
{
	struct stat st;

	return !fstat(fd, &st) && offset >= (uint64_t)st.st_size;
}

/*
 * Reads from the aligned offset before each position, so that any offset,
 * length, tail and short read come out right without a cached read.
 */
static int copy_out(int fd, const struct args *args, char *buffer,
		    uint64_t alignment, struct read_report *report)
{
	uint64_t offset = args->offset;
	uint64_t left = args->length;

	while (left) {
		uint64_t start = offset & ~(alignment - 1);
		uint64_t head = offset - start;
		uint64_t want = args->block_size;
		uint64_t got;
		ssize_t n;

		if (left < want - head)
			want = (head + left + alignment - 1) & ~(alignment - 1);
		if (start > INT64_MAX)
			return DONE;
		n = pread(fd, buffer, want, (off_t)start);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain_errno(report->path, "read", errno);
		report->reads++;
		report->read_bytes += (uint64_t)n;
		if ((uint64_t)n <= head)
			return DONE;
		got = (uint64_t)n - head;
		if (got > left)
			got = left;
		if (write_all(buffer + head, got))
			return FAILED;
		report->bytes += got;
		offset += got;
		left -= got;
		if ((uint64_t)n < want && at_end_of_file(fd, offset))
			return DONE;
	}
	return DONE;
}

/* What @name gained between two looks at the volume. */
static uint64_t gained(const struct counters *before,
		       const struct counters *after, const char *name)
{
	uint64_t was = 0;
	uint64_t now = 0;

	counters_u64(before, name, &was);
	counters_u64(after, name, &now);
	return now > was ? now - was : 0;
}

void read_compare(struct path_counts *counts, const struct counters *before,
		  const struct counters *after)
{
	static const char reasons[] = FALLBACK_REASONS ".";
	char name[64];
	size_t i;

	for (i = 0; i < READ_PATHS; i++) {
		snprintf(name, sizeof(name), "%s_bytes", read_path_names[i]);
		counts->bytes[i] = gained(before, after, name);
		snprintf(name, sizeof(name), "%s_reads", read_path_names[i]);
		counts->reads[i] = gained(before, after, name);
	}
	for (i = 0; i < after->nr; i++) {
		const char *reason = after->list[i].name;
		uint64_t count = gained(before, after, reason);

		if (!count || strncmp(reason, reasons, strlen(reasons)))
			continue;
		snprintf(name, sizeof(name), "%" PRIu64, count);
		counters_add(&counts->fallback_reasons,
			     reason + strlen(reasons), name);
	}
}

void read_counted(struct path_counts *counts, const struct counters *counters,
		  const char *prefix)
{
	char name[64];
	size_t length;
	size_t i;

	for (i = 0; i < READ_PATHS; i++) {
		const char *both;

		snprintf(name, sizeof(name), "%s%s", prefix,
			 read_path_names[i]);
		both = counters_get(counters, name);
		if (both)
			sscanf(both, "%" SCNu64 " %" SCNu64, &counts->reads[i],
			       &counts->bytes[i]);
	}
	length = (size_t)snprintf(name, sizeof(name), "%swhy-", prefix);
	for (i = 0; i < counters->nr; i++)
		if (!strncmp(counters->list[i].name, name, length))
			counters_add(&counts->fallback_reasons,
				     counters->list[i].name + length,
				     counters->list[i].value);
}

static uint64_t alignment_of(uint64_t block_size)
{
	uint64_t largest = block_size & -block_size;

	return largest < ALIGNMENT ? largest : ALIGNMENT;
}

/*
 * bpiofs counts for opens that are enabled, or were: those of another have one
 * path only (protocol 6.0).
 */
static void count_never_enabled(struct read_report *report)
{
	char reads[32];

	snprintf(reads, sizeof(reads), "%" PRIu64, report->reads);
	report->counts.reads[READ_TRADITIONAL] = report->reads;
	report->counts.bytes[READ_TRADITIONAL] = report->read_bytes;
	counters_add(&report->counts.fallback_reasons, "not_enabled", reads);
}

static bool anything_counted(const struct path_counts *counts)
{
	size_t i;

	for (i = 0; i < READ_PATHS; i++)
		if (counts->reads[i])
			return true;
	return false;
}

/* Counts of this open, which nobody else's reads are in.  0 or -errno. */
static int count_open(int fd, struct read_report *report)
{
	struct counters counters = { 0 };
	uint64_t enabled = 1;
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	err = counters_from_fdinfo(&counters, path);
	if (!err) {
		report->scope = READ_SCOPE_OPEN;
		read_counted(&report->counts, &counters, "");
		counters_u64(&counters, "enabled", &enabled);
		if (!enabled && report->reads &&
		    !anything_counted(&report->counts))
			count_never_enabled(report);
		counters_u64(&counters, "stream-opens", &report->stream_opens);
		read_counted(&report->stream, &counters, "stream-");
	}
	counters_free(&counters);
	return err;
}

static int read_counting(int fd, const struct args *args, char *buffer,
			 struct read_report *report)
{
	struct counters before = { 0 };
	struct counters after = { 0 };
	struct volume volume;
	char dir[PATH_MAX];
	int result;
	int err;

	err = volume_of_fd(fd, &volume);
	if (!err) {
		report->volume = volume.name;
		volume_dir(&volume, dir);
		err = counters_from_dir(&before, dir);
	}
	result = copy_out(fd, args, buffer, alignment_of(args->block_size),
			  report);
	/* A kernel that counts by volume only counts others' reads too. */
	if (count_open(fd, report) && !err) {
		err = counters_from_dir(&after, dir);
		if (!err) {
			report->scope = READ_SCOPE_VOLUME;
			read_compare(&report->counts, &before, &after);
		}
	}
	report->unavailable = err == -ENODEV ? "not on a bpiofs mount" :
					       strerror(-err);
	args->print->read(stderr, report);
	counters_free(&report->counts.fallback_reasons);
	counters_free(&report->stream.fallback_reasons);
	counters_free(&before);
	counters_free(&after);
	return result;
}

static int read_file(int fd, const struct args *args,
		     struct read_report *report)
{
	void *buffer;
	int result;
	int err;

	err = posix_memalign(&buffer, ALIGNMENT, args->block_size);
	if (err)
		return complain_errno(report->path, "block size", err);
	result = read_counting(fd, args, buffer, report);
	free(buffer);
	return result;
}

int bypassio_read(const struct command *command, const struct args *args)
{
	struct read_report report = { .path = args->operands[0] };
	struct operation_report enabled;
	enum enable_outcome outcome;
	int result;
	int fd;

	(void)command;
	if (!args->block_size || args->block_size % SECTOR ||
	    args->block_size > 1u << 30) {
		complain("--block-size",
			 "must be a multiple of %u and at most 1G", SECTOR);
		return USAGE;
	}
	fd = open_bypass(report.path);
	if (fd < 0)
		return FAILED;
	outcome = enable(fd, report.path, FSBPIO_INFL_None, &enabled);
	report.outcome = enabled.outcome;
	result = read_file(fd, args, &report);
	close(fd);
	return outcome < ENABLE_REFUSED ? result : FAILED;
}
