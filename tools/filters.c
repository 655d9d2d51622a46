// SPDX-License-Identifier: GPL-2.0
/*
 * Collects filters and instances from sysfs: a directory each, a value a file.
 * Knows which of them order a list, and nothing else of what they mean.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "altitude.h"
#include "filters.h"
#include "volume.h"

static struct flt_object *grow(struct flt_list *list)
{
	struct flt_object *grown;

	grown = reallocarray(list->list, list->nr + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	list->list = grown;
	memset(&grown[list->nr], 0, sizeof(*grown));
	return &grown[list->nr];
}

/* @volume is NULL for filters. */
static int add(struct flt_list *list, const char *dir, const char *name,
	       const char *volume)
{
	struct flt_object *object = grow(list);
	char path[PATH_MAX];

	if (!object)
		return -ENOMEM;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	/* A file beside the directories, or gone: no object. */
	if (counters_from_dir(&object->values, path) ||
	    !counters_get(&object->values, "altitude")) {
		counters_free(&object->values);
		return 0;
	}
	snprintf(object->name, sizeof(object->name), "%s", name);
	if (volume) {
		snprintf(object->volume, sizeof(object->volume), "%s", volume);
		volume_device(volume, object->device);
	}
	list->nr++;
	return 0;
}

static int collect(struct flt_list *list, const char *dir, const char *volume)
{
	struct dirent **entries;
	int entries_nr;
	int err = 0;
	int i;

	entries_nr = scandir(dir, &entries, NULL, alphasort);
	if (entries_nr < 0)
		return -errno;
	for (i = 0; i < entries_nr; i++) {
		if (!err && entries[i]->d_name[0] != '.')
			err = add(list, dir, entries[i]->d_name, volume);
		free(entries[i]);
	}
	free(entries);
	return err;
}

int filters_collect(struct flt_list *list, const char *filters_dir)
{
	return collect(list, filters_dir, NULL);
}

int instances_of_volume(struct flt_list *list, const char *volumes_dir,
			const char *volume)
{
	char dir[PATH_MAX];

	if ((size_t)snprintf(dir, sizeof(dir), "%s/%s/instances", volumes_dir,
			     volume) >= sizeof(dir))
		return -ENAMETOOLONG;
	return collect(list, dir, volume);
}

int instances_collect(struct flt_list *list, const char *volumes_dir)
{
	struct dirent **entries;
	int entries_nr;
	int err = 0;
	int i;

	entries_nr = scandir(volumes_dir, &entries, NULL, versionsort);
	if (entries_nr < 0)
		return -errno;
	for (i = 0; i < entries_nr; i++) {
		if (!err && entries[i]->d_name[0] != '.')
			err = instances_of_volume(list, volumes_dir,
						  entries[i]->d_name);
		/* Unmounted meanwhile, or no directory. */
		if (err == -ENOENT || err == -ENOTDIR)
			err = 0;
		free(entries[i]);
	}
	free(entries);
	return err;
}

void flt_list_free(struct flt_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		counters_free(&list->list[i].values);
	free(list->list);
	list->list = NULL;
	list->nr = 0;
}

static int by_altitude(const struct flt_object *a, const struct flt_object *b)
{
	int order = altitude_compare(flt_text(b, "altitude"),
				     flt_text(a, "altitude"));

	return order ? order : strcmp(a->name, b->name);
}

static int compare_filters(const void *a, const void *b)
{
	return by_altitude(a, b);
}

static int compare_instances(const void *a, const void *b)
{
	const struct flt_object *left = a;
	const struct flt_object *right = b;
	int order = strcmp(flt_text(left, "filter"), flt_text(right, "filter"));

	if (!order)
		order = strverscmp(left->volume, right->volume);
	return order ? order : by_altitude(left, right);
}

void filters_sort(struct flt_list *list)
{
	if (list->nr)
		qsort(list->list, list->nr, sizeof(*list->list),
		      compare_filters);
}

void instances_sort(struct flt_list *list)
{
	if (list->nr)
		qsort(list->list, list->nr, sizeof(*list->list),
		      compare_instances);
}

const struct flt_object *flt_find(const struct flt_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (!strcmp(list->list[i].name, name))
			return &list->list[i];
	return NULL;
}

const char *flt_text(const struct flt_object *object, const char *name)
{
	const char *value = counters_get(&object->values, name);

	return value ? value : "";
}

uint64_t flt_number(const struct flt_object *object, const char *name)
{
	/* Features are hexadecimal, with 0x; all else is decimal. */
	const char *value = flt_text(object, name);

	return strtoull(value, NULL, strncmp(value, "0x", 2) ? 10 : 16);
}
