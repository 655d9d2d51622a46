/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Altitudes of filter instances; pure, see altitude.c.
 */
#ifndef _BPIOFS_ALTITUDE_H
#define _BPIOFS_ALTITUDE_H

#include <linux/types.h>

/* With the terminating NUL. */
#define BPIOFS_ALTITUDE_MAX	64

bool flt_altitude_valid(const char *altitude);
int flt_altitude_compare(const char *a, const char *b);

#endif /* _BPIOFS_ALTITUDE_H */
