// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-verify unmap [-s SECONDS] FILE
 *
 * One thread removes the pages of a mapping of FILE with MADV_REMOVE, another
 * unmaps it at a random moment and reads FILE through the bypass at once.  Where
 * the first thread still had the mapping, a read after it has ended must show
 * zeros: the kernel punches the hole after it has let go of the mapping, so the
 * mapping, and all that is known by it, may be gone by then.  The remover runs
 * only when nothing else does, so that others come in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "verify.h"

#define LENGTH 65536

static void *mapping;
static atomic_bool begun, stop;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void spin(double us)
{
	const double end = now_us() + us;

	while (now_us() < end && !atomic_load(&stop))
		;
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *remover(void *arg)
{
	int *result = arg;

	run_on(1);
	atomic_store(&begun, true);
	*result = madvise(mapping, LENGTH, MADV_REMOVE);
	return NULL;
}

/* Takes the remover's processor away now and then. */
static void *disturber(void *arg)
{
	unsigned int seed = 1;

	run_on(1);
	while (!atomic_load(&stop)) {
		usleep((useconds_t)rand_r(&seed) % 400 + 20);
		spin(6000);
	}
	return arg;
}

static void read_all(int fd, char *buffer)
{
	if (pread(fd, buffer, LENGTH, 0) != LENGTH)
		die("read: %s", strerror(errno));
}

static void start_idle(pthread_t *thread, int *result)
{
	struct sched_param lowest = { .sched_priority = 0 };
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_IDLE);
	pthread_attr_setschedparam(&attr, &lowest);
	if (pthread_create(thread, &attr, remover, result))
		die("no thread");
	pthread_attr_destroy(&attr);
}

/* Return: 1 when the pages were removed in time, else 0. */
static int try_once(const char *path, int writer, int reader, char *data,
		    char *buffer, unsigned int *seed)
{
	int fd, result = -1;
	pthread_t thread;

	memset(data, 'S', LENGTH);
	if (pwrite(writer, data, LENGTH, 0) != LENGTH)
		die("write: %s", strerror(errno));
	read_all(reader, buffer);
	fd = open(path, O_RDWR);
	mapping = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapping == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	close(fd);

	atomic_store(&begun, false);
	start_idle(&thread, &result);
	while (!atomic_load(&begun))
		sched_yield();
	spin(rand_r(seed) % 1500);
	munmap(mapping, LENGTH);
	read_all(reader, buffer);
	pthread_join(thread, NULL);
	if (result)
		return 0;
	read_all(reader, buffer);
	memset(data, 0, LENGTH);
	if (memcmp(buffer, data, LENGTH))
		die("what was removed is still read");
	return 1;
}

int unmap(int argc, char **argv)
{
	unsigned int trials = 0, removed = 0, seed = 1;
	int opt, reader, writer;
	char *data, *buffer;
	pthread_t thread;
	double end = 5e6;

	while ((opt = getopt(argc, argv, "s:")) != -1) {
		if (opt != 's')
			die("unmap [-s SECONDS] FILE");
		end = (double)number(optarg) * 1e6;
	}
	if (argc - optind != 1)
		die("unmap [-s SECONDS] FILE");
	writer = open(argv[optind], O_RDWR | O_CREAT | O_DIRECT, 0600);
	reader = open(argv[optind], O_RDONLY | O_DIRECT);
	if (writer < 0 || reader < 0)
		die("%s: %s", argv[optind], strerror(errno));
	if (posix_memalign((void **)&data, 4096, LENGTH) ||
	    posix_memalign((void **)&buffer, 4096, LENGTH))
		die("no memory");
	if (enable_bypass(reader, argv[optind]))
		die("%s: BypassIO is refused", argv[optind]);
	run_on(0);
	if (pthread_create(&thread, NULL, disturber, NULL))
		die("no thread");
	end += now_us();
	do {
		removed += (unsigned int)try_once(argv[optind], writer, reader,
						  data, buffer, &seed);
		trials++;
	} while (now_us() < end);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	printf("unmap: %u trials, removed in %u\n", trials, removed);
	return removed ? 0 : 1;
}
