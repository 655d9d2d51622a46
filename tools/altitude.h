/* SPDX-License-Identifier: GPL-2.0 */
/* Altitudes: decimal numbers of unlimited precision, as text (protocol M-1). */
#ifndef ALTITUDE_H
#define ALTITUDE_H

#include <stdbool.h>

/* Digits, and a fraction of at least one digit if any. */
bool altitude_valid(const char *text);
/* By value: <0, 0 or >0; "1.0" equals "1.00".  Text ends what is no number. */
int altitude_compare(const char *a, const char *b);

#endif /* ALTITUDE_H */
