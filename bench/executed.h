/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that the whole machine executes: the program, kernel threads and
 * interrupts.
 *
 * The clock of the machine (qemu -icount shift=0) advances by a nanosecond for
 * each instruction, and by the time waited while its one processor is idle.  The
 * kernel keeps the time from each entry into the idle loop to the interrupt that
 * ends it, in nanoseconds of the same clock, in /proc/timer_list; /proc/stat has
 * the sum in hundredths of a second only.  What is left was executed.
 *
 * With sleep=off waiting is not free, either: the clock leaps to the next timer,
 * over and over, for as long as the device is busy.
 */
#ifndef _BENCH_EXECUTED_H
#define _BENCH_EXECUTED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

struct executed {
	int64_t clock;
	int64_t idle;
};

static inline int64_t executed_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* Of the only processor, which is not idle while it runs this. */
static inline int64_t executed_idle(void)
{
	FILE *list = fopen("/proc/timer_list", "re");
	unsigned int found = 0;
	int64_t sum = 0, n;
	char line[256];

	while (list && fgets(line, sizeof(line), list)) {
		if (sscanf(line, " .idle_sleeptime : %" SCNd64, &n) != 1 &&
		    sscanf(line, " .iowait_sleeptime : %" SCNd64, &n) != 1)
			continue;
		sum += n;
		found++;
	}
	if (list)
		fclose(list);
	if (found != 2) {
		fprintf(stderr, "/proc/timer_list: not the idle time of one "
				"processor\n");
		exit(1);
	}
	return sum;
}

/*
 * What it costs to read the idle time is not counted.  The program is in memory
 * by then: to wait for a page of it between two readings is to be idle in one
 * of them only.
 */
static inline void executed_begin(struct executed *before)
{
	executed_clock();
	executed_idle();
	if (mlockall(MCL_CURRENT)) {
		perror("mlockall");
		exit(1);
	}
	before->idle = executed_idle();
	before->clock = executed_clock();
}

static inline int64_t executed_since(const struct executed *before)
{
	const int64_t passed = executed_clock() - before->clock;

	return passed - (executed_idle() - before->idle);
}

static inline int executed_compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Sorts them.  Most operations are not hit by an interrupt. */
static inline int64_t executed_median(int64_t *costs, unsigned long nr)
{
	qsort(costs, nr, sizeof(*costs), executed_compare);
	return costs[nr / 2];
}

/*
 * By this process alone, the workers that it has in the kernel included: without
 * what goes on while it waits, which is the more the longer that takes.
 */
static inline int64_t executed_by_process(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* What the machine executes in so many nanoseconds in which nobody asks it to. */
static inline int64_t executed_waiting(int64_t nanoseconds)
{
	const struct timespec t = { nanoseconds / 1000000000,
				    nanoseconds % 1000000000 };
	struct executed before;

	executed_begin(&before);
	if (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL)) {
		fprintf(stderr, "clock_nanosleep: interrupted\n");
		exit(1);
	}
	return executed_since(&before);
}

#endif /* _BENCH_EXECUTED_H */
