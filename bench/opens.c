// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-opens HELD STREAMS OPERATIONS DIRECTORY
 *
 * What the operations of BypassIO on one open cost, in instructions of the whole
 * machine, while so many other opens are enabled, of so many files in turn.  The
 * files are DIRECTORY/0 and so on, and are made unless they are there.  On
 * standard output a line for each operation: its name, and the mean of so many.
 *
 * Each time it is another open, of a file that has an enabled one already: the
 * first and the last of a volume ask the storage stack besides.  QUERY is a mean,
 * and so is a round, which has what is freed later in it: the medians of REPEATS
 * of them, since the machine may have something else to do.
 * ENABLE is the median of single ones, since nothing is left to do after it and
 * an interrupt is none of its business.  What the machine executes in a round of
 * open, ENABLE and close, and in none of the three as a rule, is counted with the
 * last close: the memory of an open is freed later.  DISABLE is what a round with
 * it has more; it waits for a grace period of RCU, which costs time, and others
 * instructions.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control.h"
#include "executed.h"

#define WARM_UP 100
#define REPEATS 5

static unsigned long held, streams, operations;
static const char *directory;
static char buffer[4096] __attribute__((aligned(4096)));

static int open_stream(unsigned long n, int flags)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%lu", directory, n % streams);
	fd = open(path, flags | O_DIRECT, 0666);
	if (fd < 0)
		die(path, errno);
	return fd;
}

static void shut(int fd)
{
	if (close(fd))
		die("close", errno);
}

static void make_streams(void)
{
	struct stat st;
	unsigned long n;
	int fd;

	for (n = 0; n < streams; n++) {
		fd = open_stream(n, O_CREAT | O_RDWR);
		if (fstat(fd, &st))
			die("fstat", errno);
		if (!st.st_size &&
		    write(fd, buffer, sizeof(buffer)) != sizeof(buffer))
			die("write", errno);
		shut(fd);
	}
	sync();
}

static void hold(void)
{
	const struct rlimit limit = { held + 64, held + 64 };
	unsigned long n;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE", errno);
	for (n = 0; n < held; n++)
		manage(open_stream(n, O_RDONLY), FS_BPIO_OP_ENABLE);
}

/* As many as are held, and no more but the one that is measured. */
static void check_held(void)
{
	const struct fs_bpio_input in = { .operation = FS_BPIO_OP_GET_INFO };
	struct fs_bpio_output out = { 0 };
	int fd = open(directory, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		die(directory, errno);
	expect("GET_INFO",
	       control(fd, FSCTL_MANAGE_BYPASS_IO, &in, sizeof(in), &out,
		       sizeof(out), -1),
	       STATUS_SUCCESS);
	if (out.get_info.active_bypass_io_count != held) {
		fprintf(stderr, "bpio-opens: %u enabled opens, not %lu\n",
			out.get_info.active_bypass_io_count, held);
		exit(1);
	}
	shut(fd);
}

static void report(const char *what, int64_t cost)
{
	printf("%s %" PRId64 "\n", what, cost);
}

static void query(void)
{
	const int fd = open_stream(0, O_RDONLY);
	struct executed before;
	int64_t costs[REPEATS];
	unsigned long n;
	unsigned int i;

	manage(fd, FS_BPIO_OP_ENABLE);
	for (n = 0; n < WARM_UP; n++)
		manage(fd, FS_BPIO_OP_QUERY);
	for (i = 0; i < REPEATS; i++) {
		executed_begin(&before);
		for (n = 0; n < operations; n++)
			manage(fd, FS_BPIO_OP_QUERY);
		costs[i] = executed_since(&before);
	}
	report("QUERY", executed_median(costs, REPEATS) / (int64_t)operations);
	shut(fd);
}

struct round {
	int64_t opening, enabling, closing; /* medians */
	int64_t all;			    /* median of means of a round */
};

/* Open, ENABLE, DISABLE or not, and the last close. */
static void cycle(int64_t *opening, int64_t *enabling, int64_t *closing,
		  unsigned long n, bool disable)
{
	const int64_t began = executed_clock();
	const int fd = open_stream(n % held, O_RDONLY);
	const int64_t opened = executed_clock();
	int64_t at;

	manage(fd, FS_BPIO_OP_ENABLE);
	at = executed_clock();
	*opening = opened - began;
	*enabling = at - opened;
	if (disable) {
		manage(fd, FS_BPIO_OP_DISABLE);
		at = executed_clock();
	}
	shut(fd);
	*closing = executed_clock() - at;
}

static void cycles(struct round *round, bool disable)
{
	int64_t *opening = calloc(3 * operations, sizeof(*opening)), *enabling,
		*closing;
	struct executed before;
	int64_t all[REPEATS];
	unsigned long n;
	unsigned int i;

	if (!opening)
		die("memory", ENOMEM);
	enabling = opening + operations;
	closing = enabling + operations;
	for (n = 0; n < operations; n++)
		cycle(&opening[n], &enabling[n], &closing[n], n, disable);
	for (i = 0; i < REPEATS; i++) {
		executed_begin(&before);
		for (n = 0; n < operations; n++)
			cycle(&opening[n], &enabling[n], &closing[n], n,
			      disable);
		all[i] = executed_since(&before);
	}
	round->all = executed_median(all, REPEATS) / (int64_t)operations;
	round->opening = executed_median(opening, operations);
	round->enabling = executed_median(enabling, operations);
	round->closing = executed_median(closing, operations);
	free(opening);
}

static void cost_of_round(void)
{
	struct round without, with;
	int64_t later;

	cycles(&without, false);
	cycles(&with, true);
	later = without.all - without.opening - without.enabling -
		without.closing;
	report("ENABLE", without.enabling);
	report("DISABLE",
	       with.all - with.opening - with.enabling - with.closing - later);
	report("last close", without.closing + later);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "bpio-opens: see the head of bench/opens.c\n");
		return 2;
	}
	held = number(argv[1]);
	streams = number(argv[2]);
	operations = number(argv[3]);
	directory = argv[4];
	if (!held || !streams || !operations) {
		fprintf(stderr, "bpio-opens: none is too few\n");
		return 2;
	}
	make_streams();
	hold();
	check_held();
	query();
	cost_of_round();
	check_held();
	return 0;
}
