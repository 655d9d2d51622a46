/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs count by; each is one file.
 */
#ifndef BPIO_TEST_OK_H
#define BPIO_TEST_OK_H

#include <stdbool.h>
#include <stdio.h>

static unsigned int tests;
static unsigned int failures;

static void ok(bool passed, const char *name)
{
	tests++;
	failures += !passed;
	printf("%s - %s\n", passed ? "ok" : "not ok", name);
}

#endif /* BPIO_TEST_OK_H */
