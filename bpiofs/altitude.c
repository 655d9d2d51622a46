// SPDX-License-Identifier: GPL-2.0
/*
 * Altitudes: decimal numbers of unlimited precision, held as strings and
 * compared digit by digit (protocol M-1, M-2).  Pure; nothing is converted,
 * nothing allocated.
 */
#include <linux/ctype.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "altitude.h"

static size_t digits(const char *s)
{
	size_t nr = 0;

	while (isdigit(s[nr]))
		nr++;
	return nr;
}

/**
 * flt_altitude_valid - is this an altitude?
 * @altitude: NUL-terminated, of any length; or NULL, which is none
 *
 * Digits, and optionally one point followed by digits; shorter than
 * BPIOFS_ALTITUDE_MAX.  No sign, exponent or white space (M-1).
 *
 * Return: true when it is one.
 */
bool flt_altitude_valid(const char *altitude)
{
	size_t whole, fraction;

	if (!altitude)
		return false;
	if (strnlen(altitude, BPIOFS_ALTITUDE_MAX) == BPIOFS_ALTITUDE_MAX)
		return false;
	whole = digits(altitude);
	if (!whole)
		return false;
	if (altitude[whole] != '.')
		return !altitude[whole];
	fraction = digits(altitude + whole + 1);
	return fraction && !altitude[whole + 1 + fraction];
}
BPIO_EXPORT_FOR_KUNIT(flt_altitude_valid);

/**
 * flt_altitude_compare - compare two altitudes as numbers
 * @a: valid altitude
 * @b: valid altitude
 *
 * Zeros that do not change the number do not matter: "1.0", "1.00" and "01"
 * are equal, which is a collision (M-2).
 *
 * Return: less than, equal to, or greater than 0.
 */
int flt_altitude_compare(const char *a, const char *b)
{
	size_t whole_a, whole_b;
	int order;

	while (*a == '0')
		a++;
	while (*b == '0')
		b++;
	whole_a = digits(a);
	whole_b = digits(b);
	if (whole_a != whole_b)
		return whole_a < whole_b ? -1 : 1;
	order = memcmp(a, b, whole_a);
	if (order)
		return order;

	a += whole_a;
	b += whole_b;
	if (*a == '.')
		a++;
	if (*b == '.')
		b++;
	for (; *a && *b; a++, b++)
		if (*a != *b)
			return *a - *b;
	/* What is left of one of them counts unless it is zeros. */
	if (a[strspn(a, "0")])
		return 1;
	if (b[strspn(b, "0")])
		return -1;
	return 0;
}
BPIO_EXPORT_FOR_KUNIT(flt_altitude_compare);
