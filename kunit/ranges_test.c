// SPDX-License-Identifier: GPL-2.0
/*
 * Range arithmetic: alignment (protocol 9), coverage of a token, and the
 * limits of a Copy command (NVM command set, Copy: MSSRL, MCL, MSRC).
 */
#include <kunit/test.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "ranges.h"

/* ---- align --------------------------------------------------------------- */

struct align_case {
	const char *name;
	u64 value;
	u32 granularity;
	u64 up, down;
};

static const struct align_case align_cases[] = {
	/* BlockAlign() of protocol 9; OR-10, OR-11, OW-7 */
	{ "zero", 0, 512, 0, 0 },
	{ "one", 1, 512, 512, 0 },
	{ "just_below", 511, 512, 512, 0 },
	{ "aligned", 512, 512, 512, 512 },
	{ "just_above", 513, 512, 1024, 512 },
	{ "4k_block_512_is_not_aligned", 512, 4096, 4096, 0 },
	{ "4k_block", 8191, 4096, 8192, 4096 },
	{ "above_32_bits", (1ull << 32) + 1, 512, (1ull << 32) + 512,
	  1ull << 32 },
	{ "last_multiple", U64_MAX - 511, 512, U64_MAX - 511,
	  U64_MAX - 511 },
	{ "end_of_64_bits_saturates", U64_MAX, 512, U64_MAX - 511,
	  U64_MAX - 511 },
	{ "granularity_1", 77, 1, 77, 77 },
};

static void align_desc(const struct align_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(align, align_cases, align_desc);

static void align_rounds_both_ways(struct kunit *test)
{
	const struct align_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, bpio_align_up(c->value, c->granularity), c->up);
	KUNIT_EXPECT_EQ(test, bpio_align_down(c->value, c->granularity),
			c->down);
	KUNIT_EXPECT_EQ(test, bpio_is_aligned(c->value, c->granularity),
			c->value == c->down);
}

/* ---- overlap ------------------------------------------------------------- */

struct overlap_case {
	const char *name;
	u64 a, a_length, b, b_length;
	bool overlap;
};

static const struct overlap_case overlap_cases[] = {
	/* TK-3: a write kills what it overlaps and nothing else */
	{ "same", 8, 8, 8, 8, true },
	{ "inside", 0, 100, 10, 1, true },
	{ "last_unit", 0, 8, 7, 8, true },
	{ "touching", 0, 8, 8, 8, false },
	{ "apart", 0, 8, 16, 8, false },
	{ "empty_inside", 0, 8, 4, 0, false },
	{ "ends_at_64_bits", U64_MAX - 7, 8, U64_MAX, 1, true },
	{ "ends_beyond_64_bits", U64_MAX - 7, 64, U64_MAX, 1, true },
	{ "whole", 0, U64_MAX, 5, 1, true },
};

static void overlap_desc(const struct overlap_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(overlap, overlap_cases, overlap_desc);

static void overlap_found_either_way(struct kunit *test)
{
	const struct overlap_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, bpio_ranges_overlap(c->a, c->a_length, c->b,
						  c->b_length), c->overlap);
	KUNIT_EXPECT_EQ(test, bpio_ranges_overlap(c->b, c->b_length, c->a,
						  c->a_length), c->overlap);
}

/* ---- clip ---------------------------------------------------------------- */

struct clip_case {
	const char *name;
	struct bpio_run in;
	u64 offset, length;
	bool left;
	struct bpio_run out;
};

static const struct clip_case clip_cases[] = {
	/* OR-26: a tail block is cut; OW-23: from TransferOffset on */
	{ "window_holds_all", { 512, 1024, 100 }, 0, 4096, true,
	  { 512, 1024, 100 } },
	{ "head_cut_moves_source", { 0, 4096, 100 }, 1024, 8192, true,
	  { 1024, 3072, 102 } },
	{ "tail_cut_keeps_source", { 0, 4096, 100 }, 0, 512, true,
	  { 0, 512, 100 } },
	{ "both_ends_cut", { 0, 8192, 100 }, 512, 1024, true,
	  { 512, 1024, 101 } },
	{ "zero_run_has_no_source", { 0, 4096, BPIO_RUN_ZERO }, 1024, 512,
	  true, { 1024, 512, BPIO_RUN_ZERO } },
	{ "before", { 0, 512, 100 }, 512, 512, false, { } },
	{ "behind", { 512, 512, 100 }, 0, 512, false, { } },
	{ "empty_window", { 0, 512, 100 }, 0, 0, false, { } },
	{ "endless_zero_token", { 0, U64_MAX - 511, BPIO_RUN_ZERO },
	  1ull << 40, 512, true, { 1ull << 40, 512, BPIO_RUN_ZERO } },
};

static void clip_desc(const struct clip_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(clip, clip_cases, clip_desc);

static void clip_cuts_to_window(struct kunit *test)
{
	const struct clip_case *c = test->param_value;
	struct bpio_run run = c->in;

	KUNIT_ASSERT_EQ(test, bpio_run_clip(&run, c->offset, c->length),
			c->left);
	if (!c->left)
		return;
	KUNIT_EXPECT_EQ(test, run.offset, c->out.offset);
	KUNIT_EXPECT_EQ(test, run.length, c->out.length);
	KUNIT_EXPECT_EQ(test, run.source, c->out.source);
}

/* ---- merge, cover, find -------------------------------------------------- */

#define CASE_RUNS	4

struct runs_case {
	const char *name;
	struct bpio_run runs[CASE_RUNS];
	unsigned int nr;
	u64 length;
	enum bpio_cover cover;
	unsigned int merged;
};

static const struct runs_case runs_cases[] = {
	/* OR-23: extents count after neighbours are joined; OR-26: no gap */
	{ "one", { { 0, 4096, 8 } }, 1, 4096, BPIO_COVER_FULL, 1 },
	{ "none", { }, 0, 512, BPIO_COVER_GAP, 0 },
	{ "neighbours_join",
	  { { 0, 4096, 8 }, { 4096, 4096, 16 } }, 2, 8192,
	  BPIO_COVER_FULL, 1 },
	{ "fragments_stay",
	  { { 0, 4096, 8 }, { 4096, 4096, 24 } }, 2, 8192,
	  BPIO_COVER_FULL, 2 },
	{ "same_place_twice_stays",
	  { { 0, 4096, 8 }, { 4096, 4096, 8 } }, 2, 8192,
	  BPIO_COVER_FULL, 2 },
	{ "zeros_join",
	  { { 0, 512, BPIO_RUN_ZERO }, { 512, 512, BPIO_RUN_ZERO } }, 2, 1024,
	  BPIO_COVER_FULL, 1 },
	{ "zeros_do_not_join_data",
	  { { 0, 512, 8 }, { 512, 512, BPIO_RUN_ZERO }, { 1024, 512, 9 } }, 3,
	  1536, BPIO_COVER_FULL, 3 },
	{ "gap_at_start", { { 512, 512, 8 } }, 1, 1024, BPIO_COVER_GAP, 1 },
	{ "gap_inside",
	  { { 0, 512, 8 }, { 1024, 512, 10 } }, 2, 1536, BPIO_COVER_GAP, 2 },
	{ "gap_at_end", { { 0, 512, 8 } }, 1, 1024, BPIO_COVER_GAP, 1 },
	{ "overlap",
	  { { 0, 1024, 8 }, { 512, 1024, 32 } }, 2, 1536,
	  BPIO_COVER_OVERLAP, 2 },
	{ "gap_beyond_length_does_not_count",
	  { { 0, 512, 8 }, { 1024, 512, 10 } }, 2, 512, BPIO_COVER_FULL, 2 },
};

static void runs_desc(const struct runs_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(runs, runs_cases, runs_desc);

static void runs_cover_and_merge(struct kunit *test)
{
	const struct runs_case *c = test->param_value;
	struct bpio_run runs[CASE_RUNS];

	memcpy(runs, c->runs, sizeof(runs));
	KUNIT_EXPECT_EQ(test, bpio_runs_cover(runs, c->nr, c->length),
			c->cover);
	KUNIT_EXPECT_EQ(test, bpio_runs_merge(runs, c->nr), c->merged);
	if (c->cover == BPIO_COVER_FULL)
		KUNIT_EXPECT_EQ(test, bpio_runs_cover(runs, c->merged,
						      c->length),
				BPIO_COVER_FULL);
}

static void find_returns_holder(struct kunit *test)
{
	static const struct bpio_run runs[] = {
		{ 0, 512, 8 }, { 512, 1024, 16 }, { 2048, 512, 32 },
	};

	KUNIT_EXPECT_PTR_EQ(test, bpio_runs_find(runs, 3, 0), &runs[0]);
	KUNIT_EXPECT_PTR_EQ(test, bpio_runs_find(runs, 3, 511), &runs[0]);
	KUNIT_EXPECT_PTR_EQ(test, bpio_runs_find(runs, 3, 512), &runs[1]);
	KUNIT_EXPECT_PTR_EQ(test, bpio_runs_find(runs, 3, 1535), &runs[1]);
	KUNIT_EXPECT_NULL(test, bpio_runs_find(runs, 3, 1536));
	KUNIT_EXPECT_PTR_EQ(test, bpio_runs_find(runs, 3, 2559), &runs[2]);
	KUNIT_EXPECT_NULL(test, bpio_runs_find(runs, 3, 2560));
	KUNIT_EXPECT_NULL(test, bpio_runs_find(runs, 0, 0));
}

/* ---- split --------------------------------------------------------------- */

struct split_case {
	const char *name;
	struct bpio_copy_limits limits;
	struct bpio_lba_run runs[CASE_RUNS];
	unsigned int nr;
	unsigned int max_out;
	unsigned int commands;		/* expected */
	unsigned int ranges;		/* expected, of the first command */
	u64 first_lbas;			/* expected, of the first command */
};

static const struct split_case split_cases[] = {
	/* MSSRL, MCL in blocks; MSRC 0's based */
	{ "fits_in_one", { 128, 128, 127 }, { { 1000, 128 } }, 1, 64,
	  1, 1, 128 },
	{ "qemu_defaults_2m_of_512", { 128, 128, 127 }, { { 0, 4096 } }, 1, 64,
	  32, 1, 128 },
	{ "mssrl_cuts_ranges", { 64, 256, 127 }, { { 0, 256 } }, 1, 64,
	  1, 4, 256 },
	{ "mcl_smaller_than_mssrl", { 128, 32, 127 }, { { 0, 128 } }, 1, 64,
	  4, 1, 32 },
	{ "mcl_cuts_a_range_in_two_commands", { 100, 150, 127 },
	  { { 0, 300 } }, 1, 64, 2, 2, 150 },
	{ "msrc_0_is_one_range", { 128, 1024, 0 },
	  { { 0, 8 }, { 100, 8 }, { 200, 8 } }, 3, 64, 3, 1, 8 },
	{ "msrc_1_is_two_ranges", { 128, 1024, 1 },
	  { { 0, 8 }, { 100, 8 }, { 200, 8 } }, 3, 64, 2, 2, 16 },
	{ "several_sources_in_one_command", { 128, 1024, 127 },
	  { { 0, 8 }, { 100, 8 }, { 200, 8 } }, 3, 64, 1, 3, 24 },
	{ "room_of_the_caller_is_a_limit", { 8, 1024, 127 }, { { 0, 64 } }, 1,
	  4, 2, 4, 32 },
	{ "one_block_each", { 1, 1, 0 }, { { 7, 5 } }, 1, 64, 5, 1, 1 },
	{ "beyond_16_bits", { 65536, U32_MAX, 255 }, { { 0, 200000 } }, 1, 64,
	  1, 4, 200000 },
	{ "beyond_32_bits_of_lba", { 128, 128, 127 },
	  { { 1ull << 40, 256 } }, 1, 64, 2, 1, 128 },
	{ "empty_run_is_passed_over", { 128, 128, 127 },
	  { { 5, 0 }, { 9, 8 } }, 2, 64, 1, 1, 8 },
	{ "nothing", { 128, 128, 127 }, { }, 0, 64, 0, 0, 0 },
};

static void split_desc(const struct split_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(split, split_cases, split_desc);

static void split_keeps_limits_and_order(struct kunit *test)
{
	const struct split_case *c = test->param_value;
	struct bpio_copy_split split = { .runs = c->runs, .nr_runs = c->nr };
	struct bpio_lba_run out[64];
	unsigned int commands = 0, nr, i, at = 0;
	u64 at_lba = 0;

	while ((nr = bpio_copy_split_next(&split, &c->limits, out,
					  c->max_out))) {
		u64 lbas = 0;

		KUNIT_EXPECT_LE(test, nr, c->limits.msrc + 1);
		KUNIT_EXPECT_LE(test, nr, c->max_out);
		for (i = 0; i < nr; i++) {
			while (at < c->nr && at_lba == c->runs[at].nr_lbas) {
				at++;
				at_lba = 0;
			}
			KUNIT_ASSERT_LT(test, at, c->nr);
			KUNIT_EXPECT_GT(test, out[i].nr_lbas, 0ull);
			KUNIT_EXPECT_LE(test, out[i].nr_lbas,
					(u64)c->limits.mssrl);
			KUNIT_EXPECT_EQ(test, out[i].lba,
					c->runs[at].lba + at_lba);
			at_lba += out[i].nr_lbas;
			KUNIT_ASSERT_LE(test, at_lba, c->runs[at].nr_lbas);
			lbas += out[i].nr_lbas;
		}
		KUNIT_EXPECT_LE(test, lbas, (u64)c->limits.mcl);
		if (!commands++) {
			KUNIT_EXPECT_EQ(test, nr, c->ranges);
			KUNIT_EXPECT_EQ(test, lbas, c->first_lbas);
		}
		KUNIT_ASSERT_LE(test, commands, 1000u);
	}
	KUNIT_EXPECT_EQ(test, commands, c->commands);
	/* every block was handed out */
	while (at < c->nr && at_lba == c->runs[at].nr_lbas) {
		at++;
		at_lba = 0;
	}
	KUNIT_EXPECT_EQ(test, at, c->nr);
}

struct limits_case {
	const char *name;
	struct bpio_copy_limits in, out;
	bool sane;
};

static const struct limits_case limits_cases[] = {
	{ "defaults_stay", { 128, 128, 127 }, { 128, 128, 127 }, true },
	{ "mssrl_0_cannot_copy", { 0, 128, 127 }, { }, false },
	{ "mcl_0_cannot_copy", { 128, 0, 127 }, { }, false },
	{ "nlb_has_16_bits", { U32_MAX, U32_MAX, 0 },
	  { 65536, U32_MAX, 0 }, true },
	{ "mssrl_bound_by_mcl", { 128, 32, 0 }, { 32, 32, 0 }, true },
	{ "nr_has_8_bits", { 128, 128, 1000 }, { 128, 128, 255 }, true },
};

static void limits_desc(const struct limits_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(limits, limits_cases, limits_desc);

static void limits_made_sane(struct kunit *test)
{
	const struct limits_case *c = test->param_value;
	struct bpio_copy_limits limits = c->in;

	KUNIT_ASSERT_EQ(test, bpio_copy_limits_sane(&limits), c->sane);
	if (!c->sane)
		return;
	KUNIT_EXPECT_EQ(test, limits.mssrl, c->out.mssrl);
	KUNIT_EXPECT_EQ(test, limits.mcl, c->out.mcl);
	KUNIT_EXPECT_EQ(test, limits.msrc, c->out.msrc);
}

static struct kunit_case ranges_cases[] = {
	KUNIT_CASE_PARAM(align_rounds_both_ways, align_gen_params),
	KUNIT_CASE_PARAM(overlap_found_either_way, overlap_gen_params),
	KUNIT_CASE_PARAM(clip_cuts_to_window, clip_gen_params),
	KUNIT_CASE_PARAM(runs_cover_and_merge, runs_gen_params),
	KUNIT_CASE(find_returns_holder),
	KUNIT_CASE_PARAM(split_keeps_limits_and_order, split_gen_params),
	KUNIT_CASE_PARAM(limits_made_sane, limits_gen_params),
	{ }
};

static struct kunit_suite ranges_suite = {
	.name = "dm_bpio_ranges",
	.test_cases = ranges_cases,
};

kunit_test_suites(&ranges_suite);
