// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of a volume, per cpu, and the module's tracepoints.
 */
#include "dm-bpio.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * dm_bpio_stats_read - add the counters of all cpus up
 * @vol: volume
 * @sum: out
 *
 * Context: any.  A snapshot: counters may advance meanwhile.
 */
void dm_bpio_stats_read(struct dm_bpio_volume *vol, struct bpio_stats *sum)
{
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct bpio_stats *stats =
			per_cpu_ptr(vol->pub.stats, cpu);

		for (i = 0; i < BPIO_STAT_NR; i++)
			sum->count[i] += READ_ONCE(stats->count[i]);
	}
}
