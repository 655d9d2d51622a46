// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-cost [-e ENGINE] [-b BYTES] [-q DEPTH] [-n OPERATIONS] [-r BYTES]
 *	[-o BYTES] [-B] [-w] [-s] [-t] FILE
 *
 * How many instructions one direct I/O costs; see executed.h.  Random places, the
 * same in every run.  One number on standard output: the median of batches, since
 * now and then something else happens in one.
 *
 * -e: sync (the default), aio, uring, fixed (io_uring with registered buffers
 * and files), poll (the same on a polled ring); -b, -q: bytes each, how many at
 * once; -n: how many, in all batches; -r, -o: within so many bytes from there on;
 * -B: enable BypassIO first, and fail unless it is; -w: write; -s: one after the
 * other instead; -t: of the process alone, io_uring's workers included, without
 * what interrupts the machine while it waits for a device; each is a batch.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "control.h"
#include "executed.h"

#define MAX_DEPTH 128
#define WARM_UP	  256

enum engine { SYNC, AIO, URING, FIXED, POLL, ENGINES };

static const char *const names[ENGINES] = { "sync", "aio", "uring", "fixed",
					    "poll" };
static enum engine engine;
static size_t bytes = 4096, depth = 1;
static uint64_t region = 64 << 20, start, at, seed = 88172645463325252ull;
static bool writing, in_order;
static uint8_t *buffer;
static int fd;
static aio_context_t aio;
static struct io_uring ring;

static uint64_t next_place(void)
{
	const uint64_t places = region / bytes;

	if (in_order)
		return start + at++ % places * bytes;
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return start + seed % places * bytes;
}

static void check(int64_t result)
{
	if (result < 0)
		die(writing ? "write" : "read", (int)-result);
	if ((size_t)result != bytes)
		die("it was short", EIO);
}

static void by_aio(unsigned long operations)
{
	struct iocb cbs[MAX_DEPTH] = { 0 }, *list[MAX_DEPTH];
	struct io_event events[MAX_DEPTH];
	size_t i;

	while (operations) {
		for (i = 0; i < depth; i++) {
			list[i] = &cbs[i];
			cbs[i].aio_lio_opcode = writing ? IOCB_CMD_PWRITE :
							  IOCB_CMD_PREAD;
			cbs[i].aio_fildes = (uint32_t)fd;
			cbs[i].aio_buf = (uintptr_t)(buffer + i * bytes);
			cbs[i].aio_nbytes = bytes;
			cbs[i].aio_offset = (int64_t)next_place();
		}
		if (syscall(SYS_io_submit, aio, (long)depth, list) !=
		    (long)depth)
			die("io_submit", errno);
		if (syscall(SYS_io_getevents, aio, (long)depth, (long)depth,
			    events, NULL) != (long)depth)
			die("io_getevents", errno);
		for (i = 0; i < depth; i++)
			check(events[i].res);
		operations -= depth < operations ? depth : operations;
	}
}

static void by_uring(unsigned long operations)
{
	const bool registered = engine != URING;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	size_t i;
	int ret;

	while (operations) {
		for (i = 0; i < depth; i++) {
			uint8_t *to = buffer + i * bytes;
			const uint64_t place = next_place();

			sqe = io_uring_get_sqe(&ring);
			if (!sqe)
				die("io_uring_get_sqe", EAGAIN);
			if (registered && writing)
				io_uring_prep_write_fixed(sqe, 0, to,
							  (unsigned int)bytes,
							  place, 0);
			else if (registered)
				io_uring_prep_read_fixed(sqe, 0, to,
							 (unsigned int)bytes,
							 place, 0);
			else if (writing)
				io_uring_prep_write(sqe, fd, to,
						    (unsigned int)bytes, place);
			else
				io_uring_prep_read(sqe, fd, to,
						   (unsigned int)bytes, place);
			if (registered)
				sqe->flags |= IOSQE_FIXED_FILE;
		}
		ret = io_uring_submit_and_wait(&ring, (unsigned int)depth);
		if (ret < 0)
			die("io_uring_submit", -ret);
		for (i = 0; i < depth; i++) {
			ret = io_uring_wait_cqe(&ring, &cqe);
			if (ret)
				die("io_uring_wait_cqe", -ret);
			check(cqe->res);
			io_uring_cqe_seen(&ring, cqe);
		}
		operations -= depth < operations ? depth : operations;
	}
}

static void run(unsigned long operations)
{
	switch (engine) {
	case AIO:
		by_aio(operations);
		return;
	case SYNC:
		while (operations--) {
			const off_t place = (off_t)next_place();
			ssize_t ret;

			ret = writing ? pwrite(fd, buffer, bytes, place) :
					pread(fd, buffer, bytes, place);
			check(ret < 0 ? -errno : ret);
		}
		return;
	default:
		by_uring(operations);
	}
}

static void set_up(void)
{
	struct iovec iov = { buffer, depth * bytes };
	int ret;

	if (engine == AIO && syscall(SYS_io_setup, (unsigned int)depth, &aio))
		die("io_setup", errno);
	if (engine < URING)
		return;
	ret = io_uring_queue_init(MAX_DEPTH, &ring,
				  engine == POLL ? IORING_SETUP_IOPOLL : 0);
	if (ret)
		die("io_uring_queue_init", -ret);
	if (engine == URING)
		return;
	ret = io_uring_register_buffers(&ring, &iov, 1);
	if (!ret)
		ret = io_uring_register_files(&ring, &fd, 1);
	if (ret)
		die("io_uring_register", -ret);
}

/* What so many operations cost; none: what it costs to find out. */
static int64_t median(unsigned long batches, unsigned long operations, bool own)
{
	int64_t *costs = calloc(batches, sizeof(*costs)), began, cost;
	struct executed before;
	unsigned long i;

	if (!costs)
		die("memory", ENOMEM);
	for (i = 0; i < batches; i++) {
		if (own) {
			began = executed_by_process();
			run(operations);
			costs[i] = executed_by_process() - began;
		} else {
			executed_begin(&before);
			run(operations);
			costs[i] = executed_since(&before);
		}
	}
	cost = executed_median(costs, batches);
	free(costs);
	return cost;
}

int main(int argc, char **argv)
{
	/* so many that in most of them there is no tick of the timer */
	unsigned long operations = 3000, batches = 60;
	bool bypass = false, own = false;
	int64_t cost;
	int c;

	while ((c = getopt(argc, argv, "e:b:q:n:r:o:Bwst")) != -1) {
		switch (c) {
		case 'e':
			for (engine = 0; engine < ENGINES; engine++)
				if (!strcmp(optarg, names[engine]))
					break;
			break;
		case 'b':
			bytes = number(optarg);
			break;
		case 'q':
			depth = number(optarg);
			break;
		case 'n':
			operations = number(optarg);
			break;
		case 'r':
			region = number(optarg);
			break;
		case 'o':
			start = number(optarg);
			break;
		case 'B':
			bypass = true;
			break;
		case 'w':
			writing = true;
			break;
		case 's':
			in_order = true;
			break;
		case 't':
			own = true;
			break;
		default:
			return 2;
		}
	}
	if (optind != argc - 1 || engine == ENGINES || !depth ||
	    depth > MAX_DEPTH || !bytes || region < bytes || !operations) {
		fprintf(stderr, "bpio-cost: see the head of bench/cost.c\n");
		return 2;
	}
	fd = open(argv[optind], (writing ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (fd < 0)
		die(argv[optind], errno);
	if (posix_memalign((void **)&buffer, 4096, depth * bytes))
		die("memory", ENOMEM);
	memset(buffer, 0x5a, depth * bytes);
	if (bypass)
		manage(fd, FS_BPIO_OP_ENABLE);
	set_up();
	run(WARM_UP);
	if (own)
		batches = operations;
	operations = (operations + batches - 1) / batches;
	cost = median(batches, operations, own) - median(batches, 0, own);
	printf("%" PRId64 "\n", cost / (int64_t)operations);
	return 0;
}
