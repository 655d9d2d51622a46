// SPDX-License-Identifier: GPL-2.0
/* Asks device mapper for the status of `bpio` targets. */
#include <errno.h>
#include <libdevmapper.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"

#define TARGET "bpio"

/* The caller says what failed, in its own words. */
static void quiet(int level, const char *file, int line, int dm_errno,
		  const char *format, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)dm_errno;
	(void)format;
}

/* Calls for every bpio target when @counters, and counts them. */
static unsigned int walk(struct dm_task *task, struct counters *counters,
			 unsigned int targets_nr)
{
	unsigned int seen = 0;
	void *next = NULL;

	do {
		uint64_t start;
		uint64_t length;
		char *type = NULL;
		char *words = NULL;
		char prefix[16] = "";

		next = dm_get_next_target(task, next, &start, &length, &type,
					  &words);
		if (!type || strcmp(type, TARGET))
			continue;
		if (targets_nr > 1)
			snprintf(prefix, sizeof(prefix), "%u.", seen);
		if (counters)
			counters_from_words(counters, prefix,
					    words ? words : "");
		seen++;
	} while (next);
	return seen;
}

int counters_from_dm(struct counters *counters, unsigned int major,
		     unsigned int minor)
{
	struct dm_task *task;
	struct dm_info info;
	int err = 0;

	dm_log_with_errno_init(quiet);
	task = dm_task_create(DM_DEVICE_STATUS);
	if (!task)
		return -ENOMEM;
	if (!dm_task_set_major(task, (int)major) ||
	    !dm_task_set_minor(task, (int)minor)) {
		err = -EINVAL;
	} else if (!dm_task_no_flush(task) || !dm_task_run(task) ||
		   !dm_task_get_info(task, &info)) {
		err = dm_task_get_errno(task);
		err = err ? -err : -EIO;
	} else if (!info.exists) {
		err = -ENXIO;
	} else {
		unsigned int targets_nr = walk(task, NULL, 0);

		if (!targets_nr)
			err = -ENODEV;
		walk(task, counters, targets_nr);
	}
	dm_task_destroy(task);
	return err;
}
