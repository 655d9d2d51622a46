// SPDX-License-Identifier: GPL-2.0
/*
 * bpioctl bypassio cat|read: data to standard output through BypassIO, and on
 * standard error which path it took.  The data is whole whatever the verdict:
 * what is refused a bypass is read the traditional way, and the exit code
 * says so.
 */
#include <errno.h>
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

void read_compare(struct read_report *report, const struct counters *before,
		  const struct counters *after)
{
	static const char reasons[] = FALLBACK_REASONS ".";
	char name[64];
	size_t i;

	for (i = 0; i < READ_PATHS; i++) {
		snprintf(name, sizeof(name), "%s_bytes", read_path_names[i]);
		report->path_bytes[i] = gained(before, after, name);
		snprintf(name, sizeof(name), "%s_reads", read_path_names[i]);
		report->path_reads[i] = gained(before, after, name);
	}
	for (i = 0; i < after->nr; i++) {
		const char *reason = after->list[i].name;
		uint64_t count = gained(before, after, reason);

		if (!count || strncmp(reason, reasons, strlen(reasons)))
			continue;
		snprintf(name, sizeof(name), "%llu", (unsigned long long)count);
		counters_add(&report->fallback_reasons,
			     reason + strlen(reasons), name);
	}
}

static uint64_t alignment_of(uint64_t block_size)
{
	uint64_t largest = block_size & -block_size;

	return largest < ALIGNMENT ? largest : ALIGNMENT;
}

static int read_enabled(int fd, const struct args *args,
			struct read_report *report)
{
	struct counters before = { 0 };
	struct counters after = { 0 };
	struct volume volume;
	char dir[PATH_MAX];
	void *buffer;
	int result;
	int err;

	err = posix_memalign(&buffer, ALIGNMENT, args->block_size);
	if (err)
		return complain_errno(report->path, "block size", err);
	err = volume_of_fd(fd, &volume);
	if (!err) {
		volume_dir(&volume, dir);
		err = counters_from_dir(&before, dir);
	}
	result = copy_out(fd, args, buffer, alignment_of(args->block_size),
			  report);
	if (!err)
		err = counters_from_dir(&after, dir);
	if (!err) {
		report->volume = volume.name;
		read_compare(report, &before, &after);
	} else {
		report->unavailable = strerror(-err);
	}
	args->print->read(stderr, report);
	counters_free(&report->fallback_reasons);
	counters_free(&before);
	counters_free(&after);
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
	result = read_enabled(fd, args, &report);
	close(fd);
	return outcome < ENABLE_REFUSED ? result : FAILED;
}
