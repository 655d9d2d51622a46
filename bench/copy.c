// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-copy run DESTINATION COMMAND [ARGUMENT...]
 * bpio-copy raw PASSES BYTES BLOCKS DEVICE SOURCE DESTINATION
 * bpio-copy script BYTES BLOCKS DEVICE SOURCE DESTINATION
 * bpio-copy fill MIB FILE
 * bpio-copy alternate BYTES MIB FILE OTHER
 * bpio-copy compare FILE FILE
 *
 * run: what a command and an fsync(2) of its destination cost the whole machine;
 * raw: what NVMe Copy of one file's blocks to those of another and an fsync(2)
 * cost this process, for it is little next to what a machine does by itself
 * meanwhile.  In instructions, one number on standard output.  raw: commands of at
 * most BYTES, source ranges of at most BLOCKS logical blocks each, one command
 * after the other; all that so many times, the median counts.
 * script: the same commands, as a shell script that gives them to nvme-cli.
 * fill: a file whose sectors are all different.  alternate: blocks for two
 * files, so many bytes for one and so many for the other in turn.  compare:
 * what the device holds of both.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/nvme_ioctl.h>
#include "executed.h"

#define OPCODE_COPY 0x19
#define MAX_RANGES  128 /* what nvme-cli takes, and a command 256 */
#define CHUNK	    (1 << 20)

/* NVM command set, Copy: source range entry, descriptor format 0 */
struct entry {
	uint64_t reserved;
	uint64_t slba;
	uint16_t nlb; /* 0's based */
	uint16_t rest[7];
};

static_assert(sizeof(struct entry) == 32, "as the device wants it");

struct command {
	uint64_t sdlba;
	uint32_t nr;
	struct entry entry[MAX_RANGES];
};

/* Of a file: bytes in it and on the device. */
struct map {
	struct fiemap *extents;
	uint32_t at;
	uint64_t done; /* of the extent */
};

static void __attribute__((noreturn)) die(const char *what, int error)
{
	fprintf(stderr, "bpio-copy: %s: %s\n", what, strerror(error));
	exit(1);
}

static void *allocate(size_t bytes)
{
	void *memory = NULL;

	if (posix_memalign(&memory, 4096, bytes))
		die("memory", ENOMEM);
	memset(memory, 0, bytes);
	return memory;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd < 0)
		die(path, errno);
	return fd;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (!*text || *end || !n) {
		fprintf(stderr, "bpio-copy: %s: not a number\n", text);
		exit(2);
	}
	return n;
}

/* ---- instructions -------------------------------------------------------- */

static struct executed before;

static int run(const char *destination, char **argv)
{
	int status, fd;
	pid_t pid;

	executed_begin(&before);
	pid = vfork();
	if (pid < 0)
		die("vfork", errno);
	if (!pid) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid", errno);
	if (status) {
		fprintf(stderr, "bpio-copy: %s failed\n", argv[0]);
		return 1;
	}
	fd = open_file(destination, O_RDONLY);
	if (fsync(fd))
		die(destination, errno);
	printf("%" PRId64 "\n", executed_since(&before));
	return 0;
}

/* ---- NVMe Copy ----------------------------------------------------------- */

static struct map map_of(int fd, const char *path)
{
	struct fiemap head = { .fm_length = FIEMAP_MAX_OFFSET,
			       .fm_flags = FIEMAP_FLAG_SYNC };
	struct map map = { 0 };
	uint32_t i;

	if (ioctl(fd, FS_IOC_FIEMAP, &head))
		die(path, errno);
	map.extents = allocate(sizeof(head) +
			       head.fm_mapped_extents *
				       sizeof(struct fiemap_extent));
	*map.extents = head;
	map.extents->fm_extent_count = head.fm_mapped_extents;
	if (ioctl(fd, FS_IOC_FIEMAP, map.extents))
		die(path, errno);
	for (i = 0; i < map.extents->fm_mapped_extents; i++) {
		const uint32_t good = FIEMAP_EXTENT_LAST | FIEMAP_EXTENT_MERGED;

		if (map.extents->fm_extents[i].fe_flags & ~good) {
			fprintf(stderr,
				"bpio-copy: %s: flags 0x%x of an extent\n",
				path, map.extents->fm_extents[i].fe_flags);
			exit(1);
		}
	}
	return map;
}

/* The next bytes in one place, at most so many.  Return: their number. */
static uint64_t next_place(struct map *map, uint64_t most, uint64_t *place)
{
	const struct fiemap_extent *extent;
	uint64_t length;

	if (map->at == map->extents->fm_mapped_extents)
		return 0;
	extent = &map->extents->fm_extents[map->at];
	*place = extent->fe_physical + map->done;
	length = extent->fe_length - map->done;
	if (length > most)
		length = most;
	map->done += length;
	if (map->done == extent->fe_length) {
		map->at++;
		map->done = 0;
	}
	return length;
}

/* One command: up to so many bytes of one place in the destination. */
static bool next_command(struct map *from, struct map *to, uint64_t bytes,
			 uint64_t blocks, unsigned int block,
			 struct command *command)
{
	const uint64_t most = blocks * block;
	uint64_t sdlba = 0, left;

	left = next_place(to, bytes, &sdlba);
	command->sdlba = sdlba / block;
	command->nr = 0;
	while (left) {
		uint64_t slba = 0, length;

		if (command->nr == MAX_RANGES)
			die("too many source ranges for a command", E2BIG);
		length = next_place(from, left < most ? left : most, &slba);
		if (!length)
			die("the source is shorter", EINVAL);
		command->entry[command->nr].slba = slba / block;
		command->entry[command->nr++].nlb =
			(uint16_t)(length / block - 1);
		left -= length;
	}
	return command->nr;
}

static void issue(int device, uint32_t nsid, const struct command *command)
{
	struct nvme_passthru_cmd cmd = {
		.opcode = OPCODE_COPY,
		.nsid = nsid,
		.addr = (uintptr_t)command->entry,
		.data_len = command->nr * (uint32_t)sizeof(struct entry),
		.cdw10 = (uint32_t)command->sdlba,
		.cdw11 = (uint32_t)(command->sdlba >> 32),
		.cdw12 = command->nr - 1,
	};
	int ret = ioctl(device, NVME_IOCTL_IO_CMD, &cmd);

	if (ret < 0)
		die("NVMe Copy", errno);
	if (ret) {
		fprintf(stderr, "bpio-copy: NVMe Copy: status 0x%x\n",
			(unsigned int)ret);
		exit(1);
	}
}

static void print(const char *device, const struct command *command)
{
	uint32_t i;

	/* Numbers of blocks are 0's based there, whatever the manual says. */
	printf("nvme copy %s --sdlba=%" PRIu64, device, command->sdlba);
	for (i = 0; i < command->nr; i++)
		printf("%s%u", i ? "," : " --blocks=", command->entry[i].nlb);
	for (i = 0; i < command->nr; i++)
		printf("%s%" PRIu64, i ? "," : " --slbs=",
		       command->entry[i].slba);
	printf("\n");
}

/* No passes: as a script. */
static int copy(uint64_t passes, char **argv)
{
	const uint64_t bytes = number(argv[0]), blocks = number(argv[1]);
	const int device = open_file(argv[2], O_RDONLY);
	const int source = open_file(argv[3], O_RDONLY);
	const int destination = open_file(argv[4], O_RDWR);
	struct map from = map_of(source, argv[3]);
	struct map to = map_of(destination, argv[4]);
	struct command *command = allocate(sizeof(*command));
	int64_t *costs = allocate((passes + 1) * sizeof(*costs)), began;
	uint64_t pass = 0;
	int nsid, block;

	nsid = ioctl(device, NVME_IOCTL_ID);
	if (nsid <= 0 || ioctl(device, BLKSSZGET, &block))
		die(argv[2], errno);
	if (bytes % (unsigned int)block) {
		fprintf(stderr, "bpio-copy: %s: not whole blocks\n", argv[0]);
		return 2;
	}
	if (!passes)
		printf("exec >/dev/null\n");
	do {
		from.at = to.at = 0;
		from.done = to.done = 0;
		began = executed_by_process();
		while (next_command(&from, &to, bytes, blocks,
				    (unsigned int)block, command)) {
			if (passes)
				issue(device, (uint32_t)nsid, command);
			else
				print(argv[2], command);
		}
		if (passes && fsync(destination))
			die(argv[4], errno);
		costs[pass] = executed_by_process() - began;
	} while (++pass < passes);
	if (passes)
		printf("%" PRId64 "\n", executed_median(costs, passes));
	return 0;
}

/* ---- data ---------------------------------------------------------------- */

static int fill(uint64_t mib, const char *path)
{
	const int fd = open_file(path, O_WRONLY | O_CREAT | O_DIRECT);
	uint64_t *chunk = allocate(CHUNK), n, i, seed = 88172645463325252ull;

	for (i = 0; i < CHUNK / 8; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		chunk[i] = seed;
	}
	for (n = 0; n < mib; n++) {
		for (i = 0; i < CHUNK / 8; i += 512 / 8)
			chunk[i] = n * CHUNK + i;
		if (write(fd, chunk, CHUNK) != CHUNK)
			die(path, errno ? errno : ENOSPC);
	}
	if (fsync(fd))
		die(path, errno);
	return 0;
}

static int alternate(uint64_t bytes, uint64_t mib, char **paths)
{
	const int fds[2] = { open_file(paths[0], O_WRONLY | O_CREAT),
			     open_file(paths[1], O_WRONLY | O_CREAT) };
	uint64_t at, i;

	for (at = 0; at < mib << 20; at += bytes) {
		for (i = 0; i < 2; i++) {
			if (fallocate(fds[i], 0, (off_t)at, (off_t)bytes))
				die(paths[i], errno);
		}
	}
	return 0;
}

static int compare(const char *a, const char *b)
{
	const int fds[2] = { open_file(a, O_RDONLY | O_DIRECT),
			     open_file(b, O_RDONLY | O_DIRECT) };
	char *chunks[2] = { allocate(CHUNK), allocate(CHUNK) };
	ssize_t got[2] = { 1, 1 };
	off_t at = 0;
	int i;

	while (got[0]) {
		for (i = 0; i < 2; i++) {
			got[i] = read(fds[i], chunks[i], CHUNK);
			if (got[i] < 0)
				die(i ? b : a, errno);
		}
		if (got[0] != got[1] ||
		    memcmp(chunks[0], chunks[1], (size_t)got[0])) {
			fprintf(stderr, "%s %s differ in the MiB at %jd\n", a,
				b, (intmax_t)at);
			return 1;
		}
		at += got[0];
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "run") && argc > 3)
		return run(argv[2], argv + 3);
	if (!strcmp(what, "raw") && argc == 8)
		return copy(number(argv[2]), argv + 3);
	if (!strcmp(what, "script") && argc == 7)
		return copy(0, argv + 2);
	if (!strcmp(what, "fill") && argc == 4)
		return fill(number(argv[2]), argv[3]);
	if (!strcmp(what, "alternate") && argc == 6)
		return alternate(number(argv[2]), number(argv[3]), argv + 4);
	if (!strcmp(what, "compare") && argc == 4)
		return compare(argv[2], argv[3]);
	fprintf(stderr, "bpio-copy: see the head of bench/copy.c\n");
	return 2;
}
