// SPDX-License-Identifier: GPL-2.0
/*
 * Scripted faults of the message "fault": which words it takes, and which of
 * the requests that follow are hit.
 */
#include <kunit/test.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "dm-bpio.h"

static struct dm_bpio_volume *new_volume(struct kunit *test)
{
	struct dm_bpio_volume *vol = kunit_kzalloc(test, sizeof(*vol),
						   GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vol);
	spin_lock_init(&vol->fault_lock);
	return vol;
}

/* Sends the words of a message, which blanks separate. */
static int message(struct kunit *test, struct dm_bpio_volume *vol,
		   const char *words)
{
	char *text = kunit_kzalloc(test, strlen(words) + 1, GFP_KERNEL);
	char *argv[16];
	unsigned int argc = 0;

	KUNIT_ASSERT_NOT_NULL(test, text);
	strcpy(text, words);
	while (text && argc < ARRAY_SIZE(argv))
		argv[argc++] = strsep(&text, " ");
	return dm_bpio_fault_message(vol, argc, argv);
}

/* ---- which requests are hit ---------------------------------------------- */

struct hits_row {
	const char *words;	/* of the message */
	const char *hits;	/* a letter a request: 'x' is hit */
};

static const struct hits_row hits[] = {
	{ "copy", "xxxxxxxx" },
	{ "copy times 1", "x......." },
	{ "copy times 3", "xxx....." },
	{ "copy every 1", "xxxxxxxx" },
	{ "copy every 3", "..x..x.." },
	{ "copy every 3 times 2", "..x..x......" },
	{ "copy times 2 every 3", "..x..x......" },
	{ "copy every 9", "........x" },
	{ "token_read delay_ms 1", "........" },
};

static void hits_desc(const struct hits_row *row, char *desc)
{
	strscpy(desc, row->words, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hits, hits, hits_desc);

static void request_is_hit_as_told(struct kunit *test)
{
	const struct hits_row *row = test->param_value;
	struct dm_bpio_volume *vol = new_volume(test);
	struct dm_bpio_fault hit;
	const char *c;

	KUNIT_ASSERT_EQ(test, message(test, vol, row->words), 0);
	for (c = row->hits; *c; c++)
		KUNIT_EXPECT_EQ_MSG(test,
				    dm_bpio_fault_hit(vol, DM_BPIO_FAULT_COPY,
						      &hit),
				    *c == 'x', "request %zu", c - row->hits);
}

static void new_fault_replaces_the_one_before(struct kunit *test)
{
	struct dm_bpio_volume *vol = new_volume(test);
	struct dm_bpio_fault hit;

	KUNIT_ASSERT_EQ(test, message(test, vol, "copy every 2"), 0);
	KUNIT_EXPECT_FALSE(test, dm_bpio_fault_hit(vol, DM_BPIO_FAULT_COPY,
						   &hit));
	/* It counts from its own first request. */
	KUNIT_ASSERT_EQ(test, message(test, vol, "copy every 2 times 1"), 0);
	KUNIT_EXPECT_FALSE(test, dm_bpio_fault_hit(vol, DM_BPIO_FAULT_COPY,
						   &hit));
	KUNIT_EXPECT_TRUE(test, dm_bpio_fault_hit(vol, DM_BPIO_FAULT_COPY,
						  &hit));
	/* One that is refused changes nothing. */
	KUNIT_ASSERT_EQ(test, message(test, vol, "copy"), 0);
	KUNIT_EXPECT_EQ(test, message(test, vol, "copy times 0"), -EINVAL);
	KUNIT_EXPECT_TRUE(test, dm_bpio_fault_hit(vol, DM_BPIO_FAULT_COPY,
						  &hit));
	KUNIT_ASSERT_EQ(test, message(test, vol, "clear"), 0);
	KUNIT_EXPECT_FALSE(test, dm_bpio_fault_hit(vol, DM_BPIO_FAULT_COPY,
						   &hit));
}

static void bypassed_reads_are_asked_while_armed(struct kunit *test)
{
	struct dm_bpio_volume *vol = new_volume(test);
	struct dm_bpio_fault hit;

	KUNIT_EXPECT_FALSE(test, vol->pub.fault_bypass_read);
	KUNIT_ASSERT_EQ(test, message(test, vol, "bypass_read times 1"), 0);
	KUNIT_EXPECT_TRUE(test, vol->pub.fault_bypass_read);
	KUNIT_EXPECT_TRUE(test,
			  dm_bpio_fault_hit(vol, DM_BPIO_FAULT_BYPASS_READ,
					    &hit));
	KUNIT_EXPECT_FALSE(test, vol->pub.fault_bypass_read);
	KUNIT_ASSERT_EQ(test, message(test, vol, "bypass_read"), 0);
	KUNIT_ASSERT_EQ(test, message(test, vol, "clear"), 0);
	KUNIT_EXPECT_FALSE(test, vol->pub.fault_bypass_read);
}

/* ---- words --------------------------------------------------------------- */

struct words_row {
	const char *words;
	int error;
	s32 status;		/* what a hit is told, when there is no error */
	u64 bytes;
	unsigned int delay_ms;
};

static const struct words_row words[] = {
	{ "copy", 0, STATUS_UNSUCCESSFUL },
	{ "copy times 18446744073709551615", 0, STATUS_UNSUCCESSFUL },
	{ "offload_read bytes 0", 0, 0, 0 },
	{ "offload_read bytes 0x1000 delay_ms 60000", 0, 0, 4096, 60000 },
	{ "offload_write status 0xC0000022", 0, STATUS_ACCESS_DENIED },
	{ "token_read delay_ms 7", 0, 0, 0, 7 },
	{ "identify", 0, STATUS_UNSUCCESSFUL },

	{ "", -EINVAL },
	{ "nowhere", -EINVAL },
	{ "clear copy", -EINVAL },
	{ "copy times", -EINVAL },
	{ "copy times 0", -EINVAL },
	{ "copy times -1", -EINVAL },
	{ "copy times 1x", -EINVAL },
	{ "copy every 0", -EINVAL },
	{ "copy often 1", -EINVAL },
	{ "copy status 0", -EINVAL },		/* no failure */
	{ "copy status 0x80000005", -EINVAL },	/* a warning */
	{ "copy bytes 1", -EINVAL },		/* not at this point */
	{ "identify status 0xC0000022", -EINVAL },
	{ "bypass_read delay_ms 1", -EINVAL },
	{ "copy delay_ms 0", -EINVAL },
	{ "copy delay_ms 60001", -EINVAL },
};

static void words_desc(const struct words_row *row, char *desc)
{
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "\"%s\"", row->words);
}

KUNIT_ARRAY_PARAM(words, words, words_desc);

static void words_are_understood_or_refused(struct kunit *test)
{
	const struct words_row *row = test->param_value;
	struct dm_bpio_volume *vol = new_volume(test);
	unsigned int point, armed = 0;
	struct dm_bpio_fault hit = { };

	KUNIT_EXPECT_EQ(test, message(test, vol, row->words), row->error);
	for (point = 0; point < DM_BPIO_FAULT_NR; point++)
		armed += dm_bpio_fault_hit(vol, point, &hit);
	KUNIT_EXPECT_EQ(test, armed, row->error ? 0U : 1U);
	KUNIT_EXPECT_EQ(test, hit.status, row->status);
	KUNIT_EXPECT_EQ(test, hit.bytes, row->bytes);
	KUNIT_EXPECT_EQ(test, hit.has_bytes, !!strstr(row->words, "bytes") &&
			!row->error);
	KUNIT_EXPECT_EQ(test, hit.delay_ms, row->delay_ms);
}

/* ---- suite --------------------------------------------------------------- */

static struct kunit_case fault_cases[] = {
	KUNIT_CASE_PARAM(request_is_hit_as_told, hits_gen_params),
	KUNIT_CASE(new_fault_replaces_the_one_before),
	KUNIT_CASE(bypassed_reads_are_asked_while_armed),
	KUNIT_CASE_PARAM(words_are_understood_or_refused, words_gen_params),
	{ }
};

static struct kunit_suite fault_suite = {
	.name = "dm_bpio_fault",
	.test_cases = fault_cases,
};

kunit_test_suites(&fault_suite);
