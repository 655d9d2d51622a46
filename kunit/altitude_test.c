// SPDX-License-Identifier: GPL-2.0
/*
 * Altitudes against protocol M-1, M-2 and the ranges of M-9.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "altitude.h"

/* ---- what is an altitude ------------------------------------------------- */

#define SIXTY	"123456789012345678901234567890123456789012345678901234567890"

struct valid_case {
	const char *name;
	const char *altitude;
	bool valid;
};

static const struct valid_case valid_cases[] = {
	{ "M-1: one digit", "0", true },
	{ "M-1: whole number", "385250", true },
	{ "M-1: with a fraction", "325000.3", true },
	{ "M-1: long fraction", "385250.500000000000000000001", true },
	{ "M-1: leading zeros", "0046000", true },
	{ "M-1: zeros of a fraction", "46000.00", true },
	{ "M-1: more than 64 bits", "99999999999999999999999999", true },
	{ "M-1: 63 characters", SIXTY "123", true },
	{ "M-1: 63 characters with a point", SIXTY ".23", true },
	{ "M-1: 64 characters", SIXTY "1234", false },
	{ "M-1: 64 characters with a point", SIXTY ".234", false },
	{ "M-1: 120 characters", SIXTY SIXTY, false },
	{ "M-1: none", NULL, false },
	{ "M-1: empty", "", false },
	{ "M-1: point alone", ".", false },
	{ "M-1: nothing before the point", ".5", false },
	{ "M-1: nothing after the point", "5.", false },
	{ "M-1: two points", "1.2.3", false },
	{ "M-1: two points in a row", "1..3", false },
	{ "M-1: plus", "+1", false },
	{ "M-1: minus", "-1", false },
	{ "M-1: minus behind the point", "1.-1", false },
	{ "M-1: blank before", " 1", false },
	{ "M-1: blank behind", "1 ", false },
	{ "M-1: newline behind", "1\n", false },
	{ "M-1: newline behind a fraction", "1.5\n", false },
	{ "M-1: comma", "1,5", false },
	{ "M-1: hexadecimal", "0x10", false },
	{ "M-1: exponent", "1e5", false },
	{ "M-1: letter in the fraction", "1.5a", false },
	{ "M-1: letters", "top", false },
	{ "M-1: digit of another script", "\u0661", false },
};

static void valid_desc(const struct valid_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(valid, valid_cases, valid_desc);

static void altitude_is_a_decimal_number(struct kunit *test)
{
	const struct valid_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, flt_altitude_valid(c->altitude), c->valid);
}

/* ---- comparison of two --------------------------------------------------- */

struct compare_case {
	const char *name;
	const char *a, *b;
	int order;
};

static const struct compare_case compare_cases[] = {
	{ "M-1: fractions", "325000.3", "325000.7", -1 },
	{ "M-1: fraction below the next number", "325000.7", "325001", -1 },
	{ "M-1: fewer digits are less", "46000", "385250.5", -1 },
	{ "M-1: not as strings", "9", "10", -1 },
	{ "M-1: fraction not as a number", "1.10", "1.9", -1 },
	{ "M-1: longer fraction", "1.5", "1.51", -1 },
	{ "M-1: no fraction", "1", "1.000000001", -1 },
	{ "M-1: zero in the fraction", "1.05", "1.5", -1 },
	{ "M-1: zero", "0", "0.1", -1 },
	{ "M-1: leading zeros do not add", "0009", "10", -1 },
	{ "M-1: zeros behind do not add", "1.4000000", "1.5", -1 },
	{ "M-1: beyond 64 bits", "18446744073709551615",
	  "18446744073709551616", -1 },
	{ "M-1: beyond 128 bits", SIXTY "1", SIXTY "2", -1 },
	{ "M-1: last of many decimals", "1." SIXTY, "1." SIXTY "1", -1 },
	{ "M-2: same", "385250.5", "385250.5", 0 },
	{ "M-2: 1.0 and 1.00", "1.0", "1.00", 0 },
	{ "M-2: whole and .0", "46000", "46000.0", 0 },
	{ "M-2: leading zeros", "046000", "46000", 0 },
	{ "M-2: zeros on both ends", "001.50", "1.5", 0 },
	{ "M-2: zero", "0", "000.000", 0 },
	{ "M-2: .1 and .10 are one", "325000.1", "325000.10", 0 },
	{ "M-9: System, Infrastructure", "19999.9", "20000", -1 },
	{ "M-9: Bottom, System", "29999", "40000", -1 },
	{ "M-9: Copy Protection, Bottom", "49999", "60000", -1 },
	{ "M-9: Security Enhancer, Copy Protection", "69999", "80000", -1 },
	{ "M-9: Open File, Security Enhancer", "89999", "100000", -1 },
	{ "M-9: Physical Quota, Open File", "109999", "120000", -1 },
	{ "M-9: Virtualization, Physical Quota", "129999", "130000", -1 },
	{ "M-9: Encryption, Virtualization", "139999", "140000", -1 },
	{ "M-9: Compression, Encryption", "149999", "160000", -1 },
	{ "M-9: Imaging, Compression", "169999", "170000", -1 },
	{ "M-9: HSM, Imaging", "175000", "180000", -1 },
	{ "M-9: Cluster FS, HSM", "189999", "200000", -1 },
	{ "M-9: System Recovery, Cluster FS", "209999", "220000", -1 },
	{ "M-9: Quota, System Recovery", "229999", "240000", -1 },
	{ "M-9: Content Screener, Quota", "249999", "260000", -1 },
	{ "M-9: Continuous Backup, Content Screener", "269999", "280000", -1 },
	{ "M-9: Replication, Continuous Backup", "289999", "300000", -1 },
	{ "M-9: Anti-Virus, Replication", "309999", "320000", -1 },
	{ "M-9: Undelete, Anti-Virus", "329999", "340000", -1 },
	{ "M-9: Activity Monitor, Undelete", "349999", "360000", -1 },
	{ "M-9: Top, Activity Monitor", "389999", "400000", -1 },
	{ "M-9: Filter, Top", "409999", "420000", -1 },
};

static void compare_desc(const struct compare_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(compare, compare_cases, compare_desc);

static int sign(int order)
{
	return order < 0 ? -1 : order > 0;
}

static void altitudes_compare_as_numbers(struct kunit *test)
{
	const struct compare_case *c = test->param_value;

	KUNIT_EXPECT_TRUE(test, flt_altitude_valid(c->a));
	KUNIT_EXPECT_TRUE(test, flt_altitude_valid(c->b));
	KUNIT_EXPECT_EQ(test, sign(flt_altitude_compare(c->a, c->b)),
			c->order);
	KUNIT_EXPECT_EQ(test, sign(flt_altitude_compare(c->b, c->a)),
			-c->order);
}

/* ---- order of all -------------------------------------------------------- */

/* M-1: @rank is the place in the order; M-2: same rank, same number. */
static const struct {
	const char *altitude;
	int rank;
} ranked[] = {
	{ "0", 0 }, { "0.0", 0 }, { "00", 0 },
	{ "0.01", 1 }, { "0.1", 2 }, { "00.10", 2 },
	{ "1", 3 }, { "1.0", 3 }, { "1.00", 3 }, { "0001", 3 },
	{ "1.01", 4 }, { "1.1", 5 }, { "1.10", 5 }, { "1.9", 6 },
	{ "9", 7 }, { "10", 8 }, { "10.0", 8 },
	{ "46000", 9 }, { "145000.5", 10 },
	{ "325000", 11 }, { "325000.3", 12 }, { "325000.30", 12 },
	{ "325000.7", 13 }, { "325001", 14 }, { "385250.5", 15 },
	{ "429999.999999999999999999999999999999999999999999999999999999", 16 },
	{ "430000", 17 },
	{ "999999999999999999999999999999999999999999999999999999999999999",
	  18 },
};

static void order_is_antisymmetric(struct kunit *test)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(ranked); i++)
		for (j = 0; j < ARRAY_SIZE(ranked); j++) {
			const char *a = ranked[i].altitude;
			const char *b = ranked[j].altitude;
			const int order = sign(flt_altitude_compare(a, b));

			KUNIT_EXPECT_EQ_MSG(test, order,
					    sign(ranked[i].rank -
						 ranked[j].rank),
					    "%s and %s", a, b);
			KUNIT_EXPECT_EQ_MSG(test, order,
					    -sign(flt_altitude_compare(b, a)),
					    "%s and %s", a, b);
		}
}

static bool not_above(size_t i, size_t j)
{
	return flt_altitude_compare(ranked[i].altitude,
				    ranked[j].altitude) <= 0;
}

static void order_is_transitive(struct kunit *test)
{
	size_t i, j, k;

	for (i = 0; i < ARRAY_SIZE(ranked); i++)
		for (j = 0; j < ARRAY_SIZE(ranked); j++)
			for (k = 0; k < ARRAY_SIZE(ranked); k++) {
				if (!not_above(i, j) || !not_above(j, k))
					continue;
				KUNIT_EXPECT_TRUE_MSG(test, not_above(i, k),
						      "%s, %s, %s",
						      ranked[i].altitude,
						      ranked[j].altitude,
						      ranked[k].altitude);
			}
}

static struct kunit_case altitude_cases[] = {
	KUNIT_CASE_PARAM(altitude_is_a_decimal_number, valid_gen_params),
	KUNIT_CASE_PARAM(altitudes_compare_as_numbers, compare_gen_params),
	KUNIT_CASE(order_is_antisymmetric),
	KUNIT_CASE(order_is_transitive),
	{}
};

static struct kunit_suite altitude_suite = {
	.name = "bpiofs_altitude",
	.test_cases = altitude_cases,
};

kunit_test_suite(altitude_suite);
