// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-kunit: the KUnit suites of the pure files, in one module.  The suites
 * announce themselves by kunit_test_suites() in their own files.
 */
#include <linux/module.h>
#include <bpio/compat.h>

MODULE_DESCRIPTION("KUnit suites of dm-bpio and bpiofs");
MODULE_LICENSE("GPL");
BPIO_IMPORT_KUNIT();
