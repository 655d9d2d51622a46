// SPDX-License-Identifier: GPL-2.0
/*
 * Which tokens stand for which sectors, by age: a search finds what a list of
 * all ranges would, and is bounded however many there are.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <bpio/compat.h>
#include "token-tree.h"

#define NR_RANGES	200
#define SECTORS		256
#define ROUNDS		3000

struct tree_test {
	struct rb_root tree;
	struct bpio_token_range ranges[NR_RANGES];
	bool in[NR_RANGES];
};

static bool matches(const struct bpio_token_range *range, u64 start, u64 last,
		    u64 oldest, u64 newest)
{
	return range->start <= last && range->last >= start &&
	       range->born >= oldest && range->born <= newest;
}

/* The lowest start of all that match; U64_MAX: none does. */
static u64 model_first(const struct tree_test *t, u64 start, u64 last,
		       u64 oldest, u64 newest)
{
	u64 first = U64_MAX;
	unsigned int i;

	for (i = 0; i < NR_RANGES; i++)
		if (t->in[i] &&
		    matches(&t->ranges[i], start, last, oldest, newest))
			first = min(first, t->ranges[i].start);
	return first;
}

static void random_steps_follow_a_model(struct kunit *test)
{
	struct tree_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int step;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->tree = RB_ROOT;
	prandom_seed_state(&rnd, 6);
	for (step = 0; step < ROUNDS; step++) {
		unsigned int i = prandom_u32_state(&rnd) % NR_RANGES;
		struct bpio_token_range *range = &t->ranges[i], *found;
		u64 start = prandom_u32_state(&rnd) % SECTORS;
		u64 last = start + prandom_u32_state(&rnd) % 16;
		u64 oldest, newest, first;

		if (t->in[i]) {
			bpio_token_tree_del(&t->tree, range);
		} else {
			range->start = start;
			range->last = last;
			range->born = prandom_u32_state(&rnd) % 16 ?
				prandom_u32_state(&rnd) % 32 : BPIO_BORN_NEVER;
			bpio_token_tree_add(&t->tree, range);
		}
		t->in[i] = !t->in[i];

		start = prandom_u32_state(&rnd) % SECTORS;
		last = start + prandom_u32_state(&rnd) % 32;
		oldest = prandom_u32_state(&rnd) % 32;
		newest = step % 3 ? oldest + prandom_u32_state(&rnd) % 8 :
				    BPIO_BORN_NEVER;
		first = model_first(t, start, last, oldest, newest);
		found = bpio_token_tree_find(&t->tree, start, last, oldest,
					     newest);
		KUNIT_ASSERT_EQ_MSG(test, found ? found->start : U64_MAX, first,
				    "step %u", step);
		if (found)
			KUNIT_ASSERT_TRUE_MSG(test,
					      matches(found, start, last,
						      oldest, newest),
					      "step %u", step);
	}
}

static void search_of_an_empty_tree(struct kunit *test)
{
	struct rb_root tree = RB_ROOT;

	KUNIT_EXPECT_NULL(test, bpio_token_tree_find(&tree, 0, U64_MAX, 0,
						     BPIO_BORN_NEVER));
}

/* Of many tokens for the same sectors the one of another age is found. */
static void age_is_found_among_many(struct kunit *test)
{
	const unsigned int nr = 20000;
	struct bpio_token_range *ranges, *found;
	struct rb_root tree = RB_ROOT;
	unsigned int i;

	ranges = kvcalloc(nr, sizeof(*ranges), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ranges);
	for (i = 0; i < nr; i++) {
		ranges[i].last = 127;
		ranges[i].born = i == nr / 3 ? 7 : 5;
		bpio_token_tree_add(&tree, &ranges[i]);
	}
	found = bpio_token_tree_find(&tree, 8, 15, 6, BPIO_BORN_NEVER);
	KUNIT_EXPECT_PTR_EQ(test, found, &ranges[nr / 3]);
	KUNIT_EXPECT_NULL(test, bpio_token_tree_find(&tree, 8, 15, 8, 9));
	KUNIT_EXPECT_NULL(test, bpio_token_tree_find(&tree, 8, 15, 0, 4));
	kvfree(ranges);
}

/*
 * Old tokens that overlap, and new ones that do not, side by side: the answer is
 * one that overlaps, after bounded work.
 */
static void search_ends_among_what_looks_alike(struct kunit *test)
{
	const unsigned int nr = 20000;
	struct bpio_token_range *ranges, *found;
	struct rb_root tree = RB_ROOT;
	unsigned int i;

	ranges = kvcalloc(nr, sizeof(*ranges), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ranges);
	for (i = 0; i < nr; i++) {
		ranges[i].start = i;
		ranges[i].last = i & 1 ? i : U64_MAX;
		ranges[i].born = i & 1 ? 9 : 1;
		bpio_token_tree_add(&tree, &ranges[i]);
	}
	found = bpio_token_tree_find(&tree, nr, U64_MAX, 5, BPIO_BORN_NEVER);
	KUNIT_ASSERT_NOT_NULL(test, found);
	KUNIT_EXPECT_GE(test, found->last, (u64)nr);
	KUNIT_EXPECT_LT(test, found->start, 4096ULL);
	kvfree(ranges);
}

static struct kunit_case token_tree_cases[] = {
	KUNIT_CASE(random_steps_follow_a_model),
	KUNIT_CASE(search_of_an_empty_tree),
	KUNIT_CASE(age_is_found_among_many),
	KUNIT_CASE(search_ends_among_what_looks_alike),
	{}
};

static struct kunit_suite token_tree_suite = {
	.name = "dm_bpio_token_tree",
	.test_cases = token_tree_cases,
};

kunit_test_suites(&token_tree_suite);
