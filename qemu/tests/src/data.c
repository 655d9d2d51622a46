// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-verify noise, put, part and same: bytes that nobody else writes, and
 * whether a device holds them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "verify.h"

#define CHUNK (1 << 20)
#define BLOCK 4096

static char *buffer(void)
{
	void *p;

	if (posix_memalign(&p, BLOCK, CHUNK + 2 * BLOCK))
		die("no memory");
	return p;
}

static int open_file(const char *path, int mode)
{
	int fd = open(path, mode, 0666);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static uint64_t length_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		die("%s", strerror(errno));
	return (uint64_t)st.st_size;
}

static size_t piece(uint64_t left)
{
	return left < CHUNK ? left : CHUNK;
}

static void read_all(int fd, const char *path, char *to, size_t length,
		     uint64_t at)
{
	ssize_t n = pread(fd, to, length, (off_t)at);

	if (n != (ssize_t)length)
		die("%s: read at %" PRIu64 ": %s", path, at,
		    n < 0 ? strerror(errno) : "short");
}

static void write_all(int fd, const char *path, const char *from, size_t length,
		      uint64_t at)
{
	ssize_t n = pwrite(fd, from, length, (off_t)at);

	if (n != (ssize_t)length)
		die("%s: write at %" PRIu64 ": %s", path, at,
		    n < 0 ? strerror(errno) : "short");
}

/* splitmix64: no two words of a file are alike, nor any of two seeds. */
static uint64_t next_word(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

int data_noise(int argc, char **argv)
{
	uint64_t length, at, state;
	uint64_t *words = (void *)buffer();
	size_t part, i;
	int fd;

	if (argc != 4)
		die("noise FILE BYTES SEED");
	length = number(argv[2]);
	state = number(argv[3]) * 0xd1342543de82ef95ull;
	fd = open_file(argv[1], O_WRONLY | O_CREAT | O_TRUNC);
	for (at = 0; at < length; at += part) {
		part = piece(length - at);
		for (i = 0; i < (part + 7) / 8; i++)
			words[i] = next_word(&state);
		write_all(fd, argv[1], (char *)words, part, at);
	}
	free(words);
	return close(fd);
}

/* Past the page cache, but for an end that is less than a block. */
int data_put(int argc, char **argv)
{
	uint64_t at, from, length, done;
	char *bytes = buffer();
	int in, out, plain = 0;
	size_t part;

	if (argc < 4)
		die("put DEVICE AT FILE [FROM [LENGTH]]");
	in = open_file(argv[3], O_RDONLY);
	at = number(argv[2]);
	from = argc > 4 ? number(argv[4]) : 0;
	length = argc > 5 ? number(argv[5]) : length_of(in) - from;
	out = open_file(argv[1], O_WRONLY | O_DIRECT);
	for (done = 0; done < length; done += part) {
		part = piece(length - done);
		if (part % 512 || (at + done) % 512) {
			fcntl(out, F_SETFL, 0);
			plain = 1;
		}
		read_all(in, argv[3], bytes, part, from + done);
		write_all(out, argv[1], bytes, part, at + done);
	}
	if (plain && fsync(out))
		die("%s: fsync: %s", argv[1], strerror(errno));
	free(bytes);
	close(in);
	return close(out);
}

int data_part(int argc, char **argv)
{
	uint64_t from, length, done;
	char *bytes = buffer();
	int in, out;
	size_t n;

	if (argc != 5)
		die("part FILE FROM LENGTH TO");
	in = open_file(argv[1], O_RDONLY);
	out = open_file(argv[4], O_WRONLY | O_CREAT | O_TRUNC);
	from = number(argv[2]);
	length = number(argv[3]);
	for (done = 0; done < length; done += n) {
		n = piece(length - done);
		read_all(in, argv[1], bytes, n, from + done);
		write_all(out, argv[4], bytes, n, done);
	}
	free(bytes);
	close(in);
	return close(out);
}

/*
 * Return: 0, or 1 and a line that tells the first byte that differs.  The
 * device is read past the page cache, in whole blocks.
 */
int data_same(int argc, char **argv)
{
	uint64_t at, from, length, done;
	char *got = buffer(), *want = buffer();
	int device, file;
	size_t n, skip, whole, i;
	uint64_t end;

	if (argc < 4)
		die("same DEVICE AT FILE [FROM [LENGTH]]");
	device = open_file(argv[1], O_RDONLY | O_DIRECT);
	file = open_file(argv[3], O_RDONLY);
	at = number(argv[2]);
	from = argc > 4 ? number(argv[4]) : 0;
	length = argc > 5 ? number(argv[5]) : length_of(file) - from;
	end = (uint64_t)lseek(device, 0, SEEK_END);
	for (done = 0; done < length; done += n) {
		n = piece(length - done);
		skip = (at + done) % BLOCK;
		whole = (skip + n + BLOCK - 1) / BLOCK * BLOCK;
		if (whole > end - (at + done - skip))
			whole = end - (at + done - skip);
		read_all(device, argv[1], got, whole, at + done - skip);
		read_all(file, argv[3], want, n, from + done);
		if (!memcmp(got + skip, want, n))
			continue;
		for (i = 0; got[skip + i] == want[i];)
			i++;
		printf("%s: byte %" PRIu64 " is not byte %" PRIu64 " of %s\n",
		       argv[1], at + done + i, from + done + i, argv[3]);
		return 1;
	}
	free(got);
	free(want);
	close(device);
	close(file);
	return 0;
}
