// SPDX-License-Identifier: GPL-2.0
/* Compares altitudes digit by digit: no number type holds them all. */
#include <string.h>

#include "altitude.h"

#define DIGITS "0123456789"

bool altitude_valid(const char *text)
{
	size_t whole = strspn(text, DIGITS);

	if (!whole || !text[whole])
		return whole;
	return text[whole] == '.' && text[whole + 1] &&
	       !text[whole + 1 + strspn(text + whole + 1, DIGITS)];
}

int altitude_compare(const char *a, const char *b)
{
	size_t a_length;
	size_t b_length;
	int order;

	a += strspn(a, "0");
	b += strspn(b, "0");
	a_length = strspn(a, DIGITS);
	b_length = strspn(b, DIGITS);
	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	order = strncmp(a, b, a_length);
	if (order)
		return order;
	a += a_length + (a[a_length] == '.');
	b += b_length + (b[b_length] == '.');
	for (; *a && *b; a++, b++)
		if (*a != *b)
			return *a < *b ? -1 : 1;
	/* What is left of one of them counts unless it is zeros. */
	if (a[strspn(a, "0")])
		return 1;
	return b[strspn(b, "0")] ? -1 : 0;
}
