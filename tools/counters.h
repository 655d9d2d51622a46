/* SPDX-License-Identifier: GPL-2.0 */
/* Named values as the two modules publish them. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counter {
	char *name;
	char *value;
};

struct counters {
	struct counter *list;
	size_t nr;
};

/* What counters_from_dir() calls the count of one reason. */
#define FALLBACK_REASONS "fallback_reasons"

/* Adds nothing when memory is short: a counter less is shown. */
void counters_add(struct counters *counters, const char *name,
		  const char *value);
void counters_free(struct counters *counters);
/* NULL when there is none of that name. */
const char *counters_get(const struct counters *counters, const char *name);
/* false when there is none, or it is not a decimal number. */
bool counters_u64(const struct counters *counters, const char *name,
		  uint64_t *value);
bool decimal_u64(const char *text, uint64_t *value);

/* key=value words; other words count as a key without a value. */
void counters_from_words(struct counters *counters, const char *prefix,
			 const char *words);
/*
 * Every plain file of a directory, by name; the lines "reason count" of
 * FALLBACK_REASONS one by one.  Return: 0 or -errno.
 */
int counters_from_dir(struct counters *counters, const char *dir);
/*
 * What bpiofs says of an open file in /proc/<pid>/fdinfo, without its prefix.
 * Return: 0 or -errno, -ENODATA when it says nothing.
 */
int counters_from_fdinfo(struct counters *counters, const char *path);
/* Status words of the `bpio` targets of a mapped device.  0 or -errno. */
int counters_from_dm(struct counters *counters, unsigned int major,
		     unsigned int minor);

#endif /* COUNTERS_H */
