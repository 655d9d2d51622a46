// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-verify remap [-r ROUNDS] FILE CLONE
 *
 * FILE shares its blocks with CLONE, so that writing to it moves them.  While one
 * thread reads it through the bypass, remap_file_pages(2) replaces a mapping of
 * it again and again, by one that the kernel makes of the lower file.  The data
 * is then changed through the last of them, written back, and the mapping ends:
 * the next read must show what was written.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/fs.h>
#include "verify.h"

#define LENGTH 65536
#define REMAPS 1000

static atomic_bool done;
static char *buffer;
static int direct;

static void read_all(void)
{
	if (pread(direct, buffer, LENGTH, 0) != LENGTH)
		die("read: %s", strerror(errno));
}

static void *reader(void *arg)
{
	while (!atomic_load(&done))
		read_all();
	return arg;
}

static void share_blocks(const char *path, const char *clone)
{
	int from = open(path, O_RDONLY);
	int to = open(clone, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (from < 0 || to < 0 || ioctl(to, FICLONE, from) || fsync(to))
		die("%s: %s", clone, strerror(errno));
	close(from);
	close(to);
}

static void round_of(const char *path, const char *clone, char byte)
{
	pthread_t thread;
	char *map;
	int fd, i;

	share_blocks(path, clone);
	read_all();
	read_all();
	atomic_store(&done, false);
	if (pthread_create(&thread, NULL, reader, NULL))
		die("no thread");
	fd = open(path, O_RDWR);
	map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	close(fd);
	for (i = 0; i < REMAPS; i++)
		if (remap_file_pages(map, LENGTH, 0, 0, MAP_NONBLOCK))
			die("remap_file_pages: %s", strerror(errno));
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	memset(map, byte, LENGTH);
	if (msync(map, LENGTH, MS_SYNC))
		die("msync: %s", strerror(errno));
	munmap(map, LENGTH);
	read_all();
	for (i = 0; i < LENGTH; i++)
		if (buffer[i] != byte)
			die("byte %d is not what was written", i);
}

int remap(int argc, char **argv)
{
	int opt, fd, i, rounds = 3;

	while ((opt = getopt(argc, argv, "r:")) != -1) {
		if (opt != 'r')
			die("remap [-r ROUNDS] FILE CLONE");
		rounds = (int)number(optarg);
	}
	if (argc - optind != 2)
		die("remap [-r ROUNDS] FILE CLONE");
	if (posix_memalign((void **)&buffer, 4096, LENGTH))
		die("no memory");
	memset(buffer, 'a', LENGTH);
	fd = open(argv[optind], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, buffer, LENGTH) != LENGTH || fsync(fd))
		die("%s: %s", argv[optind], strerror(errno));
	close(fd);
	direct = open(argv[optind], O_RDONLY | O_DIRECT);
	if (direct < 0 || enable_bypass(direct, argv[optind]))
		die("%s: no BypassIO", argv[optind]);
	for (i = 0; i < rounds; i++)
		round_of(argv[optind], argv[optind + 1], (char)('b' + i));
	return 0;
}
