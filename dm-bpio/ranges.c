// SPDX-License-Identifier: GPL-2.0
/*
 * Range arithmetic of the copy manager.  Owns: aligning, clipping, coverage of
 * a token by its ranges, and cutting a copy into commands that a device takes.
 * Pure: knows no bio, no device and no lock.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <bpio/compat.h>
#include "ranges.h"

/**
 * bpio_is_aligned - is a byte quantity a multiple of a block size
 * @value: bytes
 * @granularity: bytes, a power of two
 *
 * Rules OR-10, OR-11, OW-7, DS-7.
 */
bool bpio_is_aligned(u64 value, u32 granularity)
{
	return !(value & (granularity - 1));
}
BPIO_EXPORT_FOR_KUNIT(bpio_is_aligned);

/**
 * bpio_align_up - round up to a block size: BlockAlign() of protocol 9
 * @value: bytes
 * @granularity: bytes, a power of two
 *
 * Return: the multiple; the greatest one that 64 bits hold when @value is
 * beyond it.
 */
u64 bpio_align_up(u64 value, u32 granularity)
{
	u64 mask = granularity - 1;

	if (value > U64_MAX - mask)
		return ~mask;
	return (value + mask) & ~mask;
}
BPIO_EXPORT_FOR_KUNIT(bpio_align_up);

/**
 * bpio_align_down - round down to a block size
 * @value: bytes
 * @granularity: bytes, a power of two
 */
u64 bpio_align_down(u64 value, u32 granularity)
{
	return value & ~(u64)(granularity - 1);
}
BPIO_EXPORT_FOR_KUNIT(bpio_align_down);

/**
 * bpio_ranges_overlap - do two ranges share a unit
 * @a: start of the first
 * @a_length: its length; 0 overlaps nothing
 * @b: start of the second
 * @b_length: its length
 *
 * Holds for ranges that end beyond 64 bits, too.
 */
bool bpio_ranges_overlap(u64 a, u64 a_length, u64 b, u64 b_length)
{
	if (!a_length || !b_length)
		return false;
	return a < b ? b - a < a_length : a - b < b_length;
}
BPIO_EXPORT_FOR_KUNIT(bpio_ranges_overlap);

/**
 * bpio_run_clip - cut a run to a window of the token's data
 * @run: run, its length and offset not beyond 64 bits together
 * @offset: start of the window, bytes into the token's data
 * @length: length of the window
 *
 * All quantities are multiples of 512 bytes.
 *
 * Return: false when nothing is left; @run is undefined then.
 */
bool bpio_run_clip(struct bpio_run *run, u64 offset, u64 length)
{
	u64 head = 0;

	if (!bpio_ranges_overlap(run->offset, run->length, offset, length))
		return false;
	if (run->offset < offset)
		head = offset - run->offset;
	run->offset += head;
	run->length -= head;
	if (run->source != BPIO_RUN_ZERO)
		run->source += head >> 9;
	run->length = min(run->length, length - (run->offset - offset));
	return true;
}
BPIO_EXPORT_FOR_KUNIT(bpio_run_clip);

/**
 * bpio_run_follows - does one run continue another, in data and in place
 * @a: first run
 * @b: the one that may follow
 */
bool bpio_run_follows(const struct bpio_run *a, const struct bpio_run *b)
{
	if (a->offset + a->length != b->offset)
		return false;
	if (a->source == BPIO_RUN_ZERO || b->source == BPIO_RUN_ZERO)
		return a->source == b->source;
	return a->source + (a->length >> 9) == b->source;
}
BPIO_EXPORT_FOR_KUNIT(bpio_run_follows);

/**
 * bpio_runs_merge - join runs that continue their predecessor
 * @runs: runs sorted by offset; changed in place
 * @nr: their number
 *
 * Return: the number of runs left.
 */
unsigned int bpio_runs_merge(struct bpio_run *runs, unsigned int nr)
{
	unsigned int to = 0, i;

	if (!nr)
		return 0;
	for (i = 1; i < nr; i++) {
		if (bpio_run_follows(&runs[to], &runs[i]))
			runs[to].length += runs[i].length;
		else
			runs[++to] = runs[i];
	}
	return to + 1;
}
BPIO_EXPORT_FOR_KUNIT(bpio_runs_merge);

/**
 * bpio_runs_cover - do runs stand for every byte of a token exactly once
 * @runs: runs sorted by offset
 * @nr: their number
 * @length: bytes that have to be covered, from 0
 *
 * What lies beyond @length does not count.  Rule OR-26: TransferLength is what
 * the token protects, so a hole in the middle cannot be passed over.
 */
enum bpio_cover bpio_runs_cover(const struct bpio_run *runs, unsigned int nr,
				u64 length)
{
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < nr && runs[i].offset < length; i++) {
		if (runs[i].offset < end)
			return BPIO_COVER_OVERLAP;
		if (runs[i].offset > end)
			return BPIO_COVER_GAP;
		end += runs[i].length;
	}
	return end < length ? BPIO_COVER_GAP : BPIO_COVER_FULL;
}
BPIO_EXPORT_FOR_KUNIT(bpio_runs_cover);

/**
 * bpio_runs_find - the run that holds a byte of the token's data
 * @runs: runs sorted by offset, without overlap
 * @nr: their number
 * @offset: bytes into the token's data
 *
 * Return: the run, or NULL when none holds @offset.
 */
const struct bpio_run *bpio_runs_find(const struct bpio_run *runs,
				      unsigned int nr, u64 offset)
{
	unsigned int low = 0, high = nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (offset < runs[mid].offset)
			high = mid;
		else if (offset - runs[mid].offset >= runs[mid].length)
			low = mid + 1;
		else
			return &runs[mid];
	}
	return NULL;
}
BPIO_EXPORT_FOR_KUNIT(bpio_runs_find);

/**
 * bpio_copy_limits_sane - bring limits into what a command can express
 * @limits: in: as Identify or the table line says; out: usable
 *
 * Return: false when the device cannot copy at all (MSSRL or MCL is 0).
 */
bool bpio_copy_limits_sane(struct bpio_copy_limits *limits)
{
	if (!limits->mssrl || !limits->mcl)
		return false;
	limits->mssrl = min_t(u32, limits->mssrl, BPIO_COPY_MAX_RANGE_LBAS);
	limits->mssrl = min(limits->mssrl, limits->mcl);
	limits->msrc = min_t(u32, limits->msrc, BPIO_COPY_MAX_RANGES - 1);
	return true;
}
BPIO_EXPORT_FOR_KUNIT(bpio_copy_limits_sane);

/**
 * bpio_copy_split_next - the source ranges of the next command
 * @split: progress; start with at_run and at_lba 0
 * @limits: after bpio_copy_limits_sane()
 * @out: source ranges of the command, in order
 * @max_out: room in @out, at least 1
 *
 * No range is longer than MSSRL, their sum is at most MCL and their number at
 * most MSRC + 1 (NVM command set, Copy; a controller fails a command that
 * breaks one of them with Command Size Limit Exceeded and may have copied
 * part of it).
 *
 * Return: the number of ranges, 0 when all runs are handed out.
 */
unsigned int bpio_copy_split_next(struct bpio_copy_split *split,
				  const struct bpio_copy_limits *limits,
				  struct bpio_lba_run *out,
				  unsigned int max_out)
{
	u64 left = limits->mcl;
	unsigned int nr = 0;

	max_out = min(max_out, limits->msrc + 1);
	while (left && nr < max_out && split->at_run < split->nr_runs) {
		const struct bpio_lba_run *run = &split->runs[split->at_run];
		u64 nr_lbas = min(run->nr_lbas - split->at_lba, left);

		nr_lbas = min_t(u64, nr_lbas, limits->mssrl);
		if (nr_lbas) {
			out[nr].lba = run->lba + split->at_lba;
			out[nr].to_volume = run->to_volume;
			out[nr++].nr_lbas = nr_lbas;
			left -= nr_lbas;
			split->at_lba += nr_lbas;
		}
		if (split->at_lba == run->nr_lbas) {
			split->at_run++;
			split->at_lba = 0;
		}
	}
	return nr;
}
BPIO_EXPORT_FOR_KUNIT(bpio_copy_split_next);
