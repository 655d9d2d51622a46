// SPDX-License-Identifier: GPL-2.0
/*
 * The gate: who is let in, what a drain waits for, and when it opens again.
 */
#include <kunit/test.h>
#include <bpio/compat.h>
#include <bpio/storage.h>

static struct bpio_gate *make_gate(struct kunit *test, unsigned long closed)
{
	struct bpio_gate *gate;

	gate = kunit_kzalloc(test, sizeof(*gate), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, gate);
	KUNIT_ASSERT_EQ(test, bpio_gate_init(gate, closed), 0);
	return gate;
}

static bool admits(struct bpio_gate *gate)
{
	if (!bpio_gate_enter(gate))
		return false;
	bpio_gate_leave(gate);
	return true;
}

static void gate_opens_without_the_last_reason(struct kunit *test)
{
	struct bpio_gate *gate = make_gate(test, BIT(BPIO_GATE_IDLE) |
						 BIT(BPIO_GATE_SUSPENDED));

	KUNIT_EXPECT_FALSE(test, admits(gate));
	bpio_gate_open(gate, BPIO_GATE_PAUSED);
	bpio_gate_open(gate, BPIO_GATE_IDLE);
	KUNIT_EXPECT_FALSE(test, admits(gate));
	bpio_gate_open(gate, BPIO_GATE_SUSPENDED);
	KUNIT_EXPECT_TRUE(test, admits(gate));
	bpio_gate_destroy(gate);
}

static void reasons_are_not_counted(struct kunit *test)
{
	struct bpio_gate *gate = make_gate(test, 0);

	bpio_gate_close(gate, BPIO_GATE_PAUSED);
	bpio_gate_close(gate, BPIO_GATE_PAUSED);
	bpio_gate_open(gate, BPIO_GATE_PAUSED);
	KUNIT_EXPECT_TRUE(test, admits(gate));
	bpio_gate_open(gate, BPIO_GATE_PAUSED);
	KUNIT_EXPECT_TRUE(test, admits(gate));
	bpio_gate_destroy(gate);
}

static void shut_gate_drains_until_all_have_left(struct kunit *test)
{
	struct bpio_gate *gate = make_gate(test, 0);

	KUNIT_ASSERT_TRUE(test, bpio_gate_enter(gate));
	KUNIT_ASSERT_TRUE(test, bpio_gate_enter(gate));
	bpio_gate_shut(gate, BPIO_GATE_PAUSED);
	KUNIT_EXPECT_FALSE(test, admits(gate));
	bpio_gate_leave(gate);
	synchronize_rcu();
	rcu_barrier();
	KUNIT_EXPECT_TRUE(test, bpio_gate_is_draining(gate));
	bpio_gate_leave(gate);
	bpio_gate_drain(gate);
	KUNIT_EXPECT_FALSE(test, bpio_gate_is_draining(gate));
	KUNIT_EXPECT_FALSE(test, admits(gate));
	bpio_gate_open(gate, BPIO_GATE_PAUSED);
	KUNIT_EXPECT_TRUE(test, admits(gate));
	bpio_gate_destroy(gate);
}

/* A resume does not wait for the drain of a suspend, and is not lost either. */
static void gate_opened_while_it_drains_opens_when_empty(struct kunit *test)
{
	struct bpio_gate *gate = make_gate(test, 0);

	KUNIT_ASSERT_TRUE(test, bpio_gate_enter(gate));
	bpio_gate_shut(gate, BPIO_GATE_SUSPENDED);
	bpio_gate_open(gate, BPIO_GATE_SUSPENDED);
	KUNIT_EXPECT_FALSE(test, admits(gate));
	bpio_gate_leave(gate);
	bpio_gate_drain(gate);
	KUNIT_EXPECT_TRUE(test, admits(gate));
	bpio_gate_destroy(gate);
}

static void gate_shut_once_more_while_it_drains_stays_shut(struct kunit *test)
{
	struct bpio_gate *gate = make_gate(test, 0);

	KUNIT_ASSERT_TRUE(test, bpio_gate_enter(gate));
	bpio_gate_shut(gate, BPIO_GATE_SUSPENDED);
	bpio_gate_open(gate, BPIO_GATE_SUSPENDED);
	bpio_gate_shut(gate, BPIO_GATE_VETOED);
	bpio_gate_leave(gate);
	bpio_gate_drain(gate);
	KUNIT_EXPECT_FALSE(test, admits(gate));
	bpio_gate_open(gate, BPIO_GATE_VETOED);
	KUNIT_EXPECT_TRUE(test, admits(gate));
	bpio_gate_destroy(gate);
}

static void drain_of_an_open_gate_waits_for_nobody(struct kunit *test)
{
	struct bpio_gate *gate = make_gate(test, 0);

	KUNIT_ASSERT_TRUE(test, bpio_gate_enter(gate));
	bpio_gate_drain(gate);
	bpio_gate_leave(gate);
	bpio_gate_destroy(gate);
}

static struct kunit_case gate_cases[] = {
	KUNIT_CASE(gate_opens_without_the_last_reason),
	KUNIT_CASE(reasons_are_not_counted),
	KUNIT_CASE(shut_gate_drains_until_all_have_left),
	KUNIT_CASE(gate_opened_while_it_drains_opens_when_empty),
	KUNIT_CASE(gate_shut_once_more_while_it_drains_stays_shut),
	KUNIT_CASE(drain_of_an_open_gate_waits_for_nobody),
	{}
};

static struct kunit_suite gate_suite = {
	.name = "dm_bpio_gate",
	.test_cases = gate_cases,
};

kunit_test_suites(&gate_suite);
