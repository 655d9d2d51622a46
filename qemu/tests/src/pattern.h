/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File contents that tell where they belong: every 512-byte sector names its
 * file, its place in it and a generation.  Knows nothing of I/O.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_SECTOR 512

enum pattern_verdict {
	PATTERN_OK,
	PATTERN_ZERO,
	PATTERN_BAD,
};

void pattern_fill(void *buffer, size_t length, uint64_t id, uint64_t offset,
		  uint64_t generation);
void pattern_poison(void *buffer, size_t length, uint64_t offset);
/*
 * One sector, or the first bytes of one.  The generation is in a word of its
 * own that does not count, so a sector half old, half new is good.
 */
enum pattern_verdict pattern_check(const void *sector, size_t length,
				   uint64_t id, uint64_t offset);
uint64_t pattern_generation(const void *sector);
/* Who a bad sector belongs to; text stays until the next call. */
const char *pattern_describe(const void *sector, size_t length);

#endif /* PATTERN_H */
