// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-verify move [-s SECONDS] [-t READERS] FILE ID
 *
 * Moves the extents of FILE, which it makes, under enabled readers: ranges are
 * collapsed at its start until half of it is gone, then inserted and written
 * again.  After k collapses the file must be the original from its kth piece
 * on, and every single read, whenever it comes, must show one such k all
 * through; of the first piece also zeros, while it has been inserted and not
 * been written.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "verify.h"

#define PIECE	    (16 << 10)
#define PIECES	    64
#define READ_MAX    (256 << 10)
#define MAX_READERS 16

static const char *path;
static uint64_t id;
static unsigned int readers_nr = 4;
static atomic_bool stop;
static atomic_uint bad, ready;
static atomic_ulong reads, moves;

static void *new_buffer(size_t length)
{
	void *buffer;

	if (posix_memalign(&buffer, 4096, length))
		die("no memory");
	return buffer;
}

/* The k of a sector that is not zeros; -1: none. */
static int find_shift(const char *sector, off_t at)
{
	int k;

	for (k = 0; k < PIECES; k++)
		if (pattern_check(sector, PATTERN_SECTOR, id,
				  (uint64_t)at + (uint64_t)k * PIECE) ==
		    PATTERN_OK)
			return k;
	return -1;
}

static bool is_good(const char *buffer, size_t length, off_t offset)
{
	int shift = -1;
	size_t i;

	for (i = 0; i < length; i += PATTERN_SECTOR) {
		const char *sector = buffer + i;
		const off_t at = offset + (off_t)i;

		if (at < PIECE && pattern_check(sector, PATTERN_SECTOR, id,
						0) == PATTERN_ZERO)
			continue;
		if (shift < 0)
			shift = find_shift(sector, at);
		if (shift >= 0 &&
		    pattern_check(sector, PATTERN_SECTOR, id,
				  (uint64_t)at + (uint64_t)shift * PIECE) ==
			    PATTERN_OK)
			continue;
		if (atomic_fetch_add(&bad, 1) < 5)
			printf("%s: byte %lld of a read of %zu at %lld: %s; "
			       "%d pieces are gone at its beginning\n",
			       path, (long long)at, length, (long long)offset,
			       pattern_describe(sector, PATTERN_SECTOR), shift);
		return false;
	}
	return true;
}

static void *reader(void *arg)
{
	unsigned int random = (unsigned int)(uintptr_t)arg;
	char *buffer = new_buffer(READ_MAX);
	int fd = open(path, O_RDONLY | O_DIRECT);

	if (fd < 0 || enable_bypass(fd, path))
		die("%s: not enabled", path);
	atomic_fetch_add(&ready, 1);
	while (!atomic_load(&stop)) {
		const size_t length =
			(1 + (size_t)rand_r(&random) % (READ_MAX >> 12)) << 12;
		const off_t at =
			(off_t)(rand_r(&random) % (PIECES * PIECE >> 12)) << 12;
		ssize_t got = pread(fd, buffer, length, at);

		if (got < 0)
			die("%s: read: %s", path, strerror(errno));
		atomic_fetch_add(&reads, 1);
		if (!is_good(buffer, (size_t)got, at))
			atomic_store(&stop, true);
	}
	close(fd);
	free(buffer);
	return NULL;
}

static void write_piece(int fd, char *buffer, off_t at, unsigned int piece)
{
	pattern_fill(buffer, PIECE, id, (uint64_t)piece * PIECE, 1);
	if (pwrite(fd, buffer, PIECE, at) != PIECE)
		die("%s: write: %s", path, strerror(errno));
}

static void change(int fd, int mode)
{
	if (fallocate(fd, mode, 0, PIECE))
		die("%s: fallocate: %s", path, strerror(errno));
	atomic_fetch_add(&moves, 1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int move(int argc, char **argv)
{
	pthread_t threads[MAX_READERS];
	char *buffer = new_buffer(PIECE);
	double seconds = 5, end;
	unsigned int i, k;
	int fd, opt;

	while ((opt = getopt(argc, argv, "s:t:")) != -1) {
		if (opt == 's')
			seconds = atof(optarg);
		else if (opt == 't')
			readers_nr = (unsigned int)number(optarg);
		else
			die("unknown option");
	}
	if (argc - optind != 2 || readers_nr > MAX_READERS)
		die("move [-s SECONDS] [-t READERS] FILE ID");
	path = argv[optind];
	id = number(argv[optind + 1]);

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0666);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	for (k = 0; k < PIECES; k++)
		write_piece(fd, buffer, (off_t)k * PIECE, k);
	for (i = 0; i < readers_nr; i++)
		if (pthread_create(&threads[i], NULL, reader,
				   (void *)(uintptr_t)(i + 1)))
			die("no thread");
	while (atomic_load(&ready) < readers_nr)
		usleep(1000);

	end = now() + seconds;
	while (!atomic_load(&stop) && now() < end) {
		for (k = 0; k < PIECES / 2; k++)
			change(fd, FALLOC_FL_COLLAPSE_RANGE);
		while (k--) {
			change(fd, FALLOC_FL_INSERT_RANGE);
			write_piece(fd, buffer, 0, k);
		}
	}
	atomic_store(&stop, true);
	for (i = 0; i < readers_nr; i++)
		pthread_join(threads[i], NULL);
	printf("%s: %lu extent moves, %lu reads\n", path, atomic_load(&moves),
	       atomic_load(&reads));
	free(buffer);
	close(fd);
	return atomic_load(&bad) ? 1 : 0;
}
