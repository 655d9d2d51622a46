// SPDX-License-Identifier: GPL-2.0
/*
 * Where preserved data lies (TK-3, on_write preserve): places of a reserve,
 * chunks of a target, and which piece is a token's.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "reserve.h"

/* ---- places -------------------------------------------------------------- */

static void slots_are_taken_once_and_come_back(struct kunit *test)
{
	DECLARE_BITMAP(map, 70) = { };
	struct bpio_slots slots = { .map = map, .nr = 70 };
	DECLARE_BITMAP(seen, 70) = { };
	unsigned long i, slot;

	for (i = 0; i < 70; i++) {
		slot = bpio_slots_take(&slots);
		KUNIT_ASSERT_LT(test, slot, 70UL);
		KUNIT_EXPECT_FALSE(test, __test_and_set_bit(slot, seen));
	}
	KUNIT_EXPECT_EQ(test, slots.used, 70UL);
	KUNIT_EXPECT_EQ(test, bpio_slots_take(&slots), 70UL);
	KUNIT_EXPECT_EQ(test, slots.used, 70UL);
	bpio_slots_give(&slots, 3);
	bpio_slots_give(&slots, 69);
	KUNIT_EXPECT_EQ(test, slots.used, 68UL);
	slot = bpio_slots_take(&slots);
	KUNIT_EXPECT_TRUE(test, slot == 3 || slot == 69);
	KUNIT_EXPECT_EQ(test, slot + bpio_slots_take(&slots), 72UL);
	KUNIT_EXPECT_EQ(test, bpio_slots_take(&slots), 70UL);
}

static void slots_of_an_empty_reserve(struct kunit *test)
{
	struct bpio_slots slots = { };

	KUNIT_EXPECT_EQ(test, bpio_slots_take(&slots), 0UL);
}

/* ---- chunks -------------------------------------------------------------- */

struct chunk_case {
	const char *name;
	u64 sector, begin, nr_sectors, start, last;
};

static const struct chunk_case chunk_cases[] = {
	{ "first", 0, 0, 1024, 0, 127 },
	{ "last_sector_of_one", 127, 0, 1024, 0, 127 },
	{ "second", 128, 0, 1024, 128, 255 },
	{ "cut_at_the_end", 1000, 0, 1001, 896, 1000 },
	{ "cut_at_the_beginning", 300, 200, 1024, 256, 383 },
	{ "first_of_a_second_target", 200, 200, 1024, 200, 255 },
	{ "target_within_a_chunk", 10, 8, 8, 8, 15 },
	{ "above_32_bits", (1ull << 32) + 5, 0, 1ull << 40, 1ull << 32,
	  (1ull << 32) + 127 },
};

static void chunk_desc(const struct chunk_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(chunk, chunk_cases, chunk_desc);

static void chunk_is_cut_at_the_target(struct kunit *test)
{
	const struct chunk_case *c = test->param_value;
	u64 start, last;

	bpio_chunk(c->sector, c->begin, c->nr_sectors, &start, &last);
	KUNIT_EXPECT_EQ(test, start, c->start);
	KUNIT_EXPECT_EQ(test, last, c->last);
}

/* ---- pieces -------------------------------------------------------------- */

/* A chunk written to three times, a later one, and one cut in two by targets */
static struct bpio_piece some_pieces[] = {
	{ .start = 256, .last = 383, .seq = 12 },
	{ .start = 0, .last = 127, .seq = 30 },
	{ .start = 0, .last = 127, .seq = 10 },
	{ .start = 0, .last = 127, .seq = 20 },
	{ .start = 512, .last = 599, .seq = 15 },
	{ .start = 600, .last = 639, .seq = 14 },
};

struct next_case {
	const char *name;
	u64 sector, last, born;
	u64 seq;	/* 0: none */
	u64 at;
};

static const struct next_case next_cases[] = {
	{ "born_before_all", 0, 1000, 9, 10, 0 },
	{ "from_within", 100, 1000, 9, 10, 100 },
	{ "last_sector", 127, 127, 9, 10, 127 },
	{ "born_with_the_first", 0, 127, 10, 20, 0 },
	{ "born_between", 5, 127, 15, 20, 5 },
	{ "born_before_the_last", 5, 127, 29, 30, 5 },
	{ "born_after_all", 0, 1000, 30, 0, 1001 },
	{ "a_chunk_that_only_others_have", 0, 300, 11, 20, 0 },
	{ "next_chunk", 128, 1000, 9, 12, 256 },
	{ "not_up_to_it", 128, 255, 9, 0, 256 },
	{ "passes_by_the_older", 130, 1000, 12, 15, 512 },
	{ "passes_by_all_the_older", 130, 400, 12, 0, 401 },
	{ "second_half_of_a_chunk", 620, 1000, 9, 14, 620 },
	{ "first_half_is_ended", 600, 1000, 9, 14, 600 },
	{ "second_half_is_older", 599, 1000, 14, 15, 599 },
	{ "and_serves_not", 600, 1000, 14, 0, 1001 },
	{ "behind_all", 640, 2000, 0, 0, 2001 },
};

static void next_desc(const struct next_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(next, next_cases, next_desc);

static void piece_is_the_first_after_the_tokens_birth(struct kunit *test)
{
	const struct next_case *c = test->param_value;
	struct rb_root pieces = RB_ROOT;
	struct bpio_piece *piece;
	u64 at = c->sector;
	int i;

	for (i = 0; i < ARRAY_SIZE(some_pieces); i++)
		bpio_pieces_add(&pieces, &some_pieces[i]);
	piece = bpio_pieces_next(&pieces, &at, c->last, c->born);
	KUNIT_EXPECT_EQ(test, piece ? piece->seq : 0, c->seq);
	KUNIT_EXPECT_EQ(test, at, c->at);
}

/* A search that passes by many ends early, but always gets on. */
static void search_is_bounded_and_gets_on(struct kunit *test)
{
	const unsigned int nr = 500;
	struct rb_root pieces = RB_ROOT;
	struct bpio_piece *piece, *all;
	unsigned int i, steps = 0;
	u64 at = 0, before;

	all = kunit_kcalloc(test, nr, sizeof(*all), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, all);
	for (i = 0; i < nr; i++) {
		/* targets of one sector each */
		all[i].start = i;
		all[i].last = i;
		all[i].seq = i == nr - 1 ? 10 : 1;
		bpio_pieces_add(&pieces, &all[i]);
	}
	do {
		before = at;
		piece = bpio_pieces_next(&pieces, &at, 10000, 5);
		KUNIT_ASSERT_TRUE(test, piece || at > before);
		steps++;
	} while (!piece && at <= 10000);
	KUNIT_EXPECT_PTR_EQ(test, piece, &all[nr - 1]);
	KUNIT_EXPECT_EQ(test, at, (u64)nr - 1);
	KUNIT_EXPECT_GT(test, steps, 1U);
}

static void newest_piece_of_a_chunk(struct kunit *test)
{
	struct bpio_piece pieces[] = {
		{ .start = 128, .last = 255, .seq = 4 },
		{ .start = 128, .last = 255, .seq = 9 },
		{ .start = 300, .last = 383, .seq = 6 },
	};
	struct rb_root tree = RB_ROOT;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, bpio_pieces_newest(&tree, 128), 0ULL);
	for (i = 0; i < ARRAY_SIZE(pieces); i++)
		bpio_pieces_add(&tree, &pieces[i]);
	KUNIT_EXPECT_EQ(test, bpio_pieces_newest(&tree, 127), 0ULL);
	KUNIT_EXPECT_EQ(test, bpio_pieces_newest(&tree, 128), 9ULL);
	KUNIT_EXPECT_EQ(test, bpio_pieces_newest(&tree, 255), 9ULL);
	KUNIT_EXPECT_EQ(test, bpio_pieces_newest(&tree, 256), 0ULL);
	KUNIT_EXPECT_EQ(test, bpio_pieces_newest(&tree, 383), 6ULL);
	KUNIT_EXPECT_EQ(test, bpio_pieces_before(&pieces[0]), 0ULL);
	KUNIT_EXPECT_EQ(test, bpio_pieces_before(&pieces[1]), 4ULL);
	KUNIT_EXPECT_EQ(test, bpio_pieces_before(&pieces[2]), 0ULL);
}

/* ---- suite --------------------------------------------------------------- */

static struct kunit_case reserve_cases[] = {
	KUNIT_CASE(slots_are_taken_once_and_come_back),
	KUNIT_CASE(slots_of_an_empty_reserve),
	KUNIT_CASE_PARAM(chunk_is_cut_at_the_target, chunk_gen_params),
	KUNIT_CASE_PARAM(piece_is_the_first_after_the_tokens_birth,
			 next_gen_params),
	KUNIT_CASE(search_is_bounded_and_gets_on),
	KUNIT_CASE(newest_piece_of_a_chunk),
	{ }
};

static struct kunit_suite reserve_suite = {
	.name = "dm_bpio_reserve",
	.test_cases = reserve_cases,
};

kunit_test_suites(&reserve_suite);
