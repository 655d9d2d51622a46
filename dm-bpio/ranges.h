/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range arithmetic of the copy manager: align, clip, cover, and the splitting
 * of a copy by a device's limits.  Pure: numbers in, numbers out.
 */
#ifndef _DM_BPIO_RANGES_H
#define _DM_BPIO_RANGES_H

#include <linux/limits.h>
#include <linux/types.h>

/* bpio_run.source of a range that reads as zeros and lies nowhere */
#define BPIO_RUN_ZERO	U64_MAX

/**
 * struct bpio_run - a piece of a token's data and where it lies
 * @offset: bytes into the token's data
 * @length: bytes
 * @source: first sector (512 bytes) of the volume, or BPIO_RUN_ZERO
 */
struct bpio_run {
	u64 offset;
	u64 length;
	u64 source;
};

/**
 * struct bpio_copy_limits - what one Copy command may do (NVM command set)
 * @mssrl: blocks in one source range
 * @mcl: blocks in one command
 * @msrc: source ranges in one command, 0's based
 */
struct bpio_copy_limits {
	u32 mssrl;
	u32 mcl;
	u32 msrc;
};

/* What the command itself can express: NLB is 16 bits, NR 8 bits, 0's based. */
#define BPIO_COPY_MAX_RANGE_LBAS	65536
#define BPIO_COPY_MAX_RANGES		256

/**
 * struct bpio_lba_run - a run of logical blocks of one namespace
 * @lba: first block
 * @nr_lbas: blocks
 * @to_volume: what to add to a sector of the namespace to get the sector of the
 *	volume, modulo 2^64; the same in all parts of a run
 */
struct bpio_lba_run {
	u64 lba;
	u64 nr_lbas;
	u64 to_volume;
};

/**
 * struct bpio_copy_split - cuts a list of source runs into commands
 * @runs: source runs, in the order of the destination
 * @nr_runs: their number
 * @at_run: in progress: current run
 * @at_lba: in progress: blocks of that run already handed out
 */
struct bpio_copy_split {
	const struct bpio_lba_run *runs;
	unsigned int nr_runs;
	unsigned int at_run;
	u64 at_lba;
};

bool bpio_is_aligned(u64 value, u32 granularity);
u64 bpio_align_up(u64 value, u32 granularity);
u64 bpio_align_down(u64 value, u32 granularity);
bool bpio_ranges_overlap(u64 a, u64 a_length, u64 b, u64 b_length);
bool bpio_run_clip(struct bpio_run *run, u64 offset, u64 length);
bool bpio_run_follows(const struct bpio_run *a, const struct bpio_run *b);
unsigned int bpio_runs_merge(struct bpio_run *runs, unsigned int nr);

enum bpio_cover {
	BPIO_COVER_FULL,
	BPIO_COVER_GAP,
	BPIO_COVER_OVERLAP,
};

enum bpio_cover bpio_runs_cover(const struct bpio_run *runs, unsigned int nr,
				u64 length);
const struct bpio_run *bpio_runs_find(const struct bpio_run *runs,
				      unsigned int nr, u64 offset);

bool bpio_copy_limits_sane(struct bpio_copy_limits *limits);
unsigned int bpio_copy_split_next(struct bpio_copy_split *split,
				  const struct bpio_copy_limits *limits,
				  struct bpio_lba_run *out,
				  unsigned int max_out);

#endif /* _DM_BPIO_RANGES_H */
