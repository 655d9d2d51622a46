/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A volume of the tests, by name: its counters and its device-mapper requests.
 * By ioctl, since starting dmsetup costs a guest more than a whole test step.
 */
#ifndef VOLUME_H
#define VOLUME_H

#include <stdint.h>

#define VOLUME_COUNTERS 128

struct volume_counter {
	char key[40];
	char text[32];
	int64_t value;
};

struct volume_counters {
	unsigned int nr;
	struct volume_counter counter[VOLUME_COUNTERS];
};

/* bpio-NAME: words of its status, then files of its mount, if any. */
int volume_count(const char *name, struct volume_counters *counters);
const struct volume_counter *volume_find(const struct volume_counters *counters,
					 const char *key);
/* Return: 0 or -1 with errno. */
int volume_message(const char *name, const char *words);
int volume_suspend(const char *name, int suspend);

/*
 * Load a bpio target of these words into the inactive slot of bpio-NAME, and
 * clear it.  Around the first of both, and nothing else, @begin and @end are
 * called.  Return: 0 or -1 with errno.
 */
int volume_load(const char *name, const char *words, void (*begin)(void),
		void (*end)(void));

#endif /* VOLUME_H */
