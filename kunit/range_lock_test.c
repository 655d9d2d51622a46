// SPDX-License-Identifier: GPL-2.0
/*
 * The range lock: which writes wait for which holders, and when they go on
 * (TK-3: the device never reads for a token what was written later).
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "range-lock.h"

#define NR_BIOS		8
#define NR_HOLDERS	16
#define SECTORS		64
#define ROUNDS		4000

struct range_test {
	struct bpio_range_lock ranges;
	struct bio bios[NR_BIOS];
	bool busy[NR_BIOS];		/* has been admitted or waits */
	bool submitted[NR_BIOS];	/* after it has waited */
	struct bpio_range_holder holders[NR_HOLDERS];
	bool held[NR_HOLDERS];
	bool early;			/* one went on though it was held */
};

static bool model_overlaps(const struct range_test *t, const struct bio *bio)
{
	u64 start = bio->bi_iter.bi_sector;
	unsigned int i;

	for (i = 0; i < NR_HOLDERS; i++)
		if (t->held[i] && t->holders[i].start < bio_end_sector(bio) &&
		    start <= t->holders[i].last)
			return true;
	return false;
}

static void note_submitted(struct bpio_range_lock *ranges, struct bio *bio)
{
	struct range_test *t = container_of(ranges, struct range_test, ranges);

	if (!bpio_range_admit(ranges, bio))
		return;
	if (model_overlaps(t, bio))
		t->early = true;
	t->submitted[bio - t->bios] = true;
}

static struct range_test *make_lock(struct kunit *test)
{
	struct range_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	bpio_range_lock_init(&t->ranges, note_submitted);
	return t;
}

static void hold(struct range_test *t, unsigned int i, u64 start, u64 last)
{
	t->holders[i].start = start;
	t->holders[i].last = last;
	bpio_range_hold(&t->ranges, &t->holders[i]);
	t->held[i] = true;
}

static void drop(struct range_test *t, unsigned int i)
{
	t->held[i] = false;
	bpio_range_drop(&t->ranges, &t->holders[i]);
	flush_work(&t->ranges.work);
}

static bool admit(struct range_test *t, unsigned int i, u64 start, u64 last)
{
	struct bio *bio = &t->bios[i];

	bio_init(bio, NULL, NULL, 0, REQ_OP_WRITE);
	bio->bi_iter.bi_sector = start;
	bio->bi_iter.bi_size = (last - start + 1) << SECTOR_SHIFT;
	t->submitted[i] = false;
	return bpio_range_admit(&t->ranges, bio);
}

/* ---- which writes wait --------------------------------------------------- */

struct overlap_case {
	const char *name;
	u64 start, last;
	bool waits;
};

/* against a holder of sectors 100 to 199 */
static const struct overlap_case overlap_cases[] = {
	{ "before", 0, 98, false },
	{ "up_to_it", 0, 99, false },
	{ "its_first_sector", 0, 100, true },
	{ "within", 150, 150, true },
	{ "all_of_it", 0, 300, true },
	{ "the_same", 100, 199, true },
	{ "its_last_sector", 199, 300, true },
	{ "right_behind", 200, 300, false },
};

static void overlap_desc(const struct overlap_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(overlap, overlap_cases, overlap_desc);

static void write_waits_for_a_holder_that_it_overlaps(struct kunit *test)
{
	const struct overlap_case *c = test->param_value;
	struct range_test *t = make_lock(test);

	hold(t, 0, 100, 199);
	KUNIT_EXPECT_EQ(test, bpio_range_is_held(&t->ranges, c->start, c->last),
			c->waits);
	KUNIT_EXPECT_EQ(test, admit(t, 0, c->start, c->last), !c->waits);
	KUNIT_EXPECT_FALSE(test, t->submitted[0]);
	drop(t, 0);
	KUNIT_EXPECT_EQ(test, t->submitted[0], c->waits);
	bpio_range_lock_exit(&t->ranges);
}

static void write_waits_for_the_last_of_its_holders(struct kunit *test)
{
	struct range_test *t = make_lock(test);

	hold(t, 0, 0, 9);
	hold(t, 1, 0, 9);
	hold(t, 2, 10, 19);
	KUNIT_EXPECT_FALSE(test, admit(t, 0, 5, 12));
	KUNIT_EXPECT_FALSE(test, admit(t, 1, 15, 15));
	drop(t, 1);
	KUNIT_EXPECT_FALSE(test, t->submitted[0]);
	drop(t, 2);
	KUNIT_EXPECT_FALSE(test, t->submitted[0]);
	KUNIT_EXPECT_TRUE(test, t->submitted[1]);
	drop(t, 0);
	KUNIT_EXPECT_TRUE(test, t->submitted[0]);
	bpio_range_lock_exit(&t->ranges);
}

static void wait_returns_when_nobody_holds_the_range(struct kunit *test)
{
	struct range_test *t = make_lock(test);

	hold(t, 0, 0, 9);
	bpio_range_wait(&t->ranges, 10, 20);
	drop(t, 0);
	bpio_range_wait(&t->ranges, 0, U64_MAX);
	bpio_range_lock_exit(&t->ranges);
}

/* ---- a model ------------------------------------------------------------- */

/*
 * Holders and writes come and go at random.  A write is admitted
 * if no holder overlaps it, goes on when none does any more, and not before.
 */
static void random_steps_follow_a_model(struct kunit *test)
{
	struct range_test *t = make_lock(test);
	struct rnd_state rnd;
	unsigned int step, i;

	prandom_seed_state(&rnd, 16);
	for (step = 0; step < ROUNDS; step++) {
		u64 start = prandom_u32_state(&rnd) % SECTORS;
		u64 last = start + prandom_u32_state(&rnd) % 8;
		struct bio *bio;

		i = prandom_u32_state(&rnd) % NR_HOLDERS;
		if (t->held[i])
			drop(t, i);
		else
			hold(t, i, start, last);

		i = prandom_u32_state(&rnd) % NR_BIOS;
		bio = &t->bios[i];
		if (!t->busy[i]) {
			bool admitted = admit(t, i, start, last);

			KUNIT_ASSERT_EQ_MSG(test, admitted,
					    !model_overlaps(t, bio),
					    "step %u", step);
			t->busy[i] = !admitted;
		}
		for (i = 0; i < NR_BIOS; i++) {
			if (!t->busy[i])
				continue;
			if (t->submitted[i])
				t->busy[i] = false;
			else
				KUNIT_ASSERT_TRUE_MSG(test,
						      model_overlaps(t, &t->bios[i]),
						      "step %u: write %u waits for nothing",
						      step, i);
		}
	}
	for (i = 0; i < NR_HOLDERS; i++)
		if (t->held[i])
			drop(t, i);
	for (i = 0; i < NR_BIOS; i++)
		KUNIT_EXPECT_TRUE(test, !t->busy[i] || t->submitted[i]);
	KUNIT_EXPECT_FALSE(test, t->early);
	bpio_range_lock_exit(&t->ranges);
}

static struct kunit_case range_lock_cases[] = {
	KUNIT_CASE_PARAM(write_waits_for_a_holder_that_it_overlaps,
			 overlap_gen_params),
	KUNIT_CASE(write_waits_for_the_last_of_its_holders),
	KUNIT_CASE(wait_returns_when_nobody_holds_the_range),
	KUNIT_CASE(random_steps_follow_a_model),
	{}
};

static struct kunit_suite range_lock_suite = {
	.name = "dm_bpio_range_lock",
	.test_cases = range_lock_cases,
};

kunit_test_suites(&range_lock_suite);
