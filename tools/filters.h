/* SPDX-License-Identifier: GPL-2.0 */
/* Registered filters and their instances, as bpiofs publishes them. */
#ifndef FILTERS_H
#define FILTERS_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"

#define FILTERS_DIR "/sys/module/bpiofs/filters"

/* A filter, or an instance of one. */
struct flt_object {
	char name[NAME_MAX + 1];
	/* Of an instance: the block device, by the kernel's name and by /dev. */
	char volume[NAME_MAX + 1];
	char device[PATH_MAX];
	struct counters values; /* its files */
};

struct flt_list {
	struct flt_object *list;
	size_t nr;
};

/*
 * All add to a list, which stays usable when they fail.  Return: 0 or -errno;
 * an object that goes away meanwhile is left out.
 */
int filters_collect(struct flt_list *list, const char *filters_dir);
/* Of one volume, "dm-0". */
int instances_of_volume(struct flt_list *list, const char *volumes_dir,
			const char *volume);
int instances_collect(struct flt_list *list, const char *volumes_dir);
void flt_list_free(struct flt_list *list);

/* Altitude descending. */
void filters_sort(struct flt_list *list);
/* By filter, volume, altitude descending. */
void instances_sort(struct flt_list *list);

/* NULL when there is none of that name. */
const struct flt_object *flt_find(const struct flt_list *list,
				  const char *name);
/* "" and 0 when it has no such value. */
const char *flt_text(const struct flt_object *object, const char *name);
uint64_t flt_number(const struct flt_object *object, const char *name);

#endif /* FILTERS_H */
