// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-replay LOG TARGET FIRST
 *
 * Does again on TARGET what dm-log-writes has written to LOG, from the entry
 * number FIRST up to and with the next one that flushes: what a disk would hold
 * had the power failed there.  Prints the number of the entry behind it; exits
 * with 1, having done nothing, at the end of the log.
 *
 * bpio-replay LOG
 *
 * Prints a line for each entry: where and how long, in sectors, of what kind,
 * and a sum of the data; or "mark" and its text.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC	     0x6a736677736872ull
#define FLAG_FLUSH   0x1
#define FLAG_FUA     0x2
#define FLAG_DISCARD 0x4
#define FLAG_MARK    0x8
#define CHUNK	     (1 << 20)

/* As in drivers/md/dm-log-writes.c; little endian. */
struct super {
	uint64_t magic;
	uint64_t version;
	uint64_t nr_entries;
	uint32_t sector_size;
};

struct entry {
	uint64_t sector;
	uint64_t nr_sectors;
	uint64_t flags;
	uint64_t data_length;
};

static uint8_t buffer[CHUNK];

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bpio-replay: %s: %s\n", what,
		errno ? strerror(errno) : "no such log");
	exit(2);
}

static void get(int fd, void *to, size_t length, uint64_t at)
{
	if (pread(fd, to, length, (off_t)at) != (ssize_t)length)
		die("read");
}

static void copy(int from, uint64_t from_at, int to, uint64_t to_at,
		 uint64_t length)
{
	while (length) {
		const size_t part = length < CHUNK ? length : CHUNK;

		get(from, buffer, part, from_at);
		if (pwrite(to, buffer, part, (off_t)to_at) != (ssize_t)part)
			die("write");
		from_at += part;
		to_at += part;
		length -= part;
	}
}

/* FNV-1a */
static uint64_t sum(int fd, uint64_t at, uint64_t length)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	size_t i;

	while (length) {
		const size_t part = length < CHUNK ? length : CHUNK;

		get(fd, buffer, part, at);
		for (i = 0; i < part; i++)
			hash = (hash ^ buffer[i]) * 0x100000001b3ull;
		at += part;
		length -= part;
	}
	return hash;
}

static void list(int log, const struct super *super)
{
	uint64_t at = super->sector_size, i;
	struct entry entry;

	for (i = 0; i < super->nr_entries; i++) {
		get(log, &entry, sizeof(entry), at);
		if (entry.flags & FLAG_MARK) {
			const size_t length = entry.data_length < CHUNK ?
						      entry.data_length :
						      CHUNK;

			get(log, buffer, length, at + sizeof(entry));
			printf("mark %.*s\n", (int)length, (char *)buffer);
		}
		at += super->sector_size;
		if (entry.flags & FLAG_MARK)
			continue;
		printf("%" PRIu64 "+%" PRIu64 "%s%s%s", entry.sector,
		       entry.nr_sectors,
		       entry.flags & FLAG_DISCARD ? " discard" : "",
		       entry.flags & FLAG_FLUSH ? " flush" : "",
		       entry.flags & FLAG_FUA ? " fua" : "");
		if (entry.nr_sectors && !(entry.flags & FLAG_DISCARD)) {
			const uint64_t length =
				entry.nr_sectors * super->sector_size;

			printf(" %016" PRIx64, sum(log, at, length));
			at += length;
		}
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	uint64_t at, first, i, applied = 0;
	struct super super;
	struct entry entry;
	int log, target;

	if (argc != 2 && argc != 4) {
		fprintf(stderr, "bpio-replay LOG [TARGET FIRST]\n");
		return 2;
	}
	log = open(argv[1], O_RDONLY);
	if (log < 0)
		die(argv[1]);
	get(log, &super, sizeof(super), 0);
	if (super.magic != MAGIC || super.version != 1)
		die(argv[1]);
	if (argc == 2) {
		list(log, &super);
		return 0;
	}
	target = open(argv[2], O_RDWR);
	if (target < 0)
		die(argv[2]);
	first = strtoull(argv[3], NULL, 0);
	at = super.sector_size;
	for (i = 0; i < super.nr_entries; i++) {
		const bool data = i >= first;

		get(log, &entry, sizeof(entry), at);
		at += super.sector_size;
		if (entry.flags & FLAG_DISCARD) /* what was there may stay */
			continue;
		if (data) {
			copy(log, at, target, entry.sector * super.sector_size,
			     entry.nr_sectors * super.sector_size);
			applied++;
		}
		at += entry.nr_sectors * super.sector_size;
		if (data && entry.flags & (FLAG_FLUSH | FLAG_FUA)) {
			i++;
			break;
		}
	}
	if (!applied)
		return 1;
	if (fsync(target) && errno != EINVAL) /* of /dev/null */
		die("fsync");
	printf("%" PRIu64 "\n", i);
	return 0;
}
