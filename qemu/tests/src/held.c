// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-verify held [-E ENGINE] [-x COMMAND] [-u COMMAND] FILE ID
 *
 * One bypassed read of the whole of FILE, whose extents take more than one bio.
 * Its memory is missing from HAVE on, and a userfaultfd holds the fault between
 * two bios.  Meanwhile another thread disables BypassIO on the handle, the last
 * one that is enabled; or the shell runs COMMAND, whose last program (exec) or
 * builtin it is that waits.  Once that waits, the COMMAND of -u is run, which has
 * nothing to do with the file and has to succeed.  Then the fault is resolved.  The
 * read has to return every byte of the file, and DISABLE or COMMAND to return after
 * it.
 * The exit status is 77 on a kernel without userfaultfd().
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpio.h>
#include <linux/userfaultfd.h>
#include "verify.h"

#define PAGE	4096
#define HAVE	(256 * PAGE) /* there: as much as one bio takes */
#define SECONDS 60
#define USAGE	"held [-E ENGINE] [-x COMMAND] [-u COMMAND] FILE ID"
#define LOOKS	3 /* in a row: it does not only pass by */

static struct engine *engine;
static struct engine_read whole;
static int fd;
static const char *command; /* instead of DISABLE */
static const char *unrelated;
static atomic_int waiter;   /* thread id */
static atomic_bool returned, read_done;

static void *reader(void *arg)
{
	engine_run(engine, fd, &whole, 1);
	atomic_store(&read_done, true);
	return arg;
}

static void *disable(void *arg)
{
	struct fs_bpio_input in = { .operation = FS_BPIO_OP_DISABLE };
	struct fs_bpio_output out;
	struct bpio_control c = {
		.code = FSCTL_MANAGE_BYPASS_IO,
		.input = (uintptr_t)&in,
		.input_length = sizeof(in),
		.output = (uintptr_t)&out,
		.output_length = sizeof(out),
		.device_fd = -1,
	};

	atomic_store(&waiter, (int)syscall(SYS_gettid));
	if (ioctl(fd, BPIO_IOC_CONTROL, &c) || c.status)
		die("DISABLE: 0x%08x", (unsigned int)c.status);
	atomic_store(&returned, true);
	return arg;
}

static void *run_command(void *arg)
{
	const pid_t pid = fork();
	int status;

	if (!pid) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		die("fork: %s", strerror(errno));
	atomic_store(&waiter, (int)pid);
	if (waitpid(pid, &status, 0) != pid || status)
		die("%s: status %#x", command, (unsigned int)status);
	atomic_store(&returned, true);
	return arg;
}

/* Does the thread wait, for a gate to be left or for the file's lock? */
static bool waits(int thread)
{
	char name[64], stack[4096];
	size_t got;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stack", thread);
	f = fopen(name, "r");
	if (!f && errno == ENOENT)
		return false;
	if (!f)
		die("%s: %s", name, strerror(errno));
	got = fread(stack, 1, sizeof(stack) - 1, f);
	stack[got] = '\0';
	fclose(f);
	return strstr(stack, "bpio_gate_drain") ||
	       strstr(stack, "rwsem_down_write");
}

static void wait_for_waiter(void)
{
	const char *what = command ? command : "DISABLE";
	const struct timespec pause = { .tv_nsec = 10000000 };
	const time_t end = time(NULL) + SECONDS;
	int looks = 0;

	while (looks < LOOKS) {
		looks = atomic_load(&waiter) && waits(atomic_load(&waiter)) ?
				looks + 1 :
				0;
		if (atomic_load(&returned))
			die("%s: did not wait for the read", what);
		if (time(NULL) > end)
			die("%s: neither waits nor returns", what);
		nanosleep(&pause, NULL);
	}
}

static int hold_faults(char *memory, size_t length)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register missing = {
		.range = { (uintptr_t)memory, length },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (faults < 0 && errno == ENOSYS) {
		puts("this kernel has no userfaultfd");
		exit(77);
	}
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) ||
	    ioctl(faults, UFFDIO_REGISTER, &missing))
		die("userfaultfd: %s", strerror(errno));
	return faults;
}

static uint64_t frame(int pagemap, const char *page)
{
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry),
		  (off_t)((uintptr_t)page / PAGE * sizeof(entry))) !=
	    sizeof(entry))
		die("pagemap: %s", strerror(errno));
	return entry & ((1ull << 55) - 1);
}

/*
 * No two pages in a row in physical memory, so that each takes a vector.  Else
 * one bio would take more than HAVE, and the fault come before the read has
 * begun.  A page that follows another one is there while its substitute is made,
 * so that this is another one.
 */
static void touch(char *memory)
{
	const int pagemap = open("/proc/self/pagemap", O_RDONLY);
	size_t at;
	char *page;

	for (at = 0; at < HAVE; at += PAGE) {
		memory[at] = 0;
		if (!at || frame(pagemap, memory + at) !=
				   frame(pagemap, memory + at - PAGE) + 1)
			continue;
		page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			die("no memory");
		*page = 0;
		if (mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   memory + at) == MAP_FAILED)
			die("mremap: %s", strerror(errno));
	}
	close(pagemap);
}

static void wait_for_fault(int faults)
{
	struct pollfd p = { .fd = faults, .events = POLLIN };
	struct uffd_msg message;

	if (poll(&p, 1, SECONDS * 1000) != 1 ||
	    read(faults, &message, sizeof(message)) != sizeof(message))
		die("the read asks for no memory");
	if (atomic_load(&read_done))
		die("the read ended without its memory");
}

static void check(uint64_t id)
{
	size_t at;

	if (whole.result != (ssize_t)whole.length)
		die("the read returned %zd of %zu bytes", whole.result,
		    whole.length);
	for (at = 0; at < whole.length; at += PATTERN_SECTOR) {
		const char *sector = (char *)whole.buffer + at;

		if (pattern_check(sector, PATTERN_SECTOR, id, at) != PATTERN_OK)
			die("byte %zu: %s", at,
			    pattern_describe(sector, PATTERN_SECTOR));
	}
}

int held(int argc, char **argv)
{
	struct uffdio_zeropage zeros = {};
	pthread_t threads[2];
	struct stat st;
	int kind = ENGINE_SYNC, opt, faults;
	char *memory;

	while ((opt = getopt(argc, argv, "E:x:u:")) != -1) {
		if (opt == 'x')
			command = optarg;
		else if (opt == 'u')
			unrelated = optarg;
		else
			kind = opt == 'E' ? engine_by_name(optarg) : -1;
		if (kind < 0)
			die(USAGE);
	}
	if (argc - optind != 2)
		die(USAGE);
	fd = open(argv[optind], O_RDWR | O_DIRECT);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", argv[optind], strerror(errno));
	if (st.st_size <= HAVE)
		die("%s: too short", argv[optind]);
	if (enable_bypass(fd, argv[optind]))
		die("%s: BypassIO is refused", argv[optind]);

	whole.length = (size_t)st.st_size;
	memory = mmap(NULL, whole.length, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("no memory");
	madvise(memory, whole.length, MADV_NOHUGEPAGE);
	engine = engine_new((enum engine_kind)kind, PAGE);
	/* once, so that where the blocks lie is known */
	whole.buffer = memory;
	engine_run(engine, fd, &whole, 1);
	check(number(argv[optind + 1]));

	madvise(memory, whole.length, MADV_DONTNEED);
	touch(memory);
	faults = hold_faults(memory + HAVE, whole.length - HAVE);
	if (pthread_create(&threads[0], NULL, reader, NULL))
		die("no thread");
	wait_for_fault(faults);
	if (pthread_create(&threads[1], NULL, command ? run_command : disable,
			   NULL))
		die("no thread");
	wait_for_waiter();
	if (unrelated && system(unrelated))
		die("%s: failed, or waited for the read", unrelated);

	zeros.range.start = (uintptr_t)memory + HAVE;
	zeros.range.len = whole.length - HAVE;
	if (ioctl(faults, UFFDIO_ZEROPAGE, &zeros))
		die("UFFDIO_ZEROPAGE: %s", strerror(errno));
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	check(number(argv[optind + 1]));
	return 0;
}
