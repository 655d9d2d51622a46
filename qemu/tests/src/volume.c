// SPDX-License-Identifier: GPL-2.0
/* A volume of the tests: its counters and its device-mapper requests. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "dm.h"
#include "volume.h"

/* The mapped device of a volume. */
static const char *device(const char *volume)
{
	static char name[DM_NAME_LEN];

	snprintf(name, sizeof(name), "bpio-%s", volume);
	return name;
}

static void add(struct volume_counters *counters, const char *prefix,
		const char *key, const char *text)
{
	struct volume_counter *c = &counters->counter[counters->nr];

	if (counters->nr == VOLUME_COUNTERS) {
		fprintf(stderr, "more than %d counters\n", VOLUME_COUNTERS);
		exit(2);
	}
	snprintf(c->key, sizeof(c->key), "%s%s", prefix, key);
	snprintf(c->text, sizeof(c->text), "%s", text);
	c->value = strtoll(text, NULL, 0);
	counters->nr++;
}

static void add_file(struct volume_counters *counters, const char *disk,
		     const char *file)
{
	char path[128], line[96], key[64], text[32];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/fs/bpiofs/%s/%s", disk, file);
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(file, "fallback_reasons"))
			add(counters, "", file, line);
		else if (sscanf(line, "%63s %31s", key, text) == 2)
			add(counters, "why_", key, text);
	}
	fclose(f);
}

int volume_count(const char *name, struct volume_counters *counters)
{
	static const char *const files[] = {
		"active_count",	      "flags",
		"full_reads",	      "full_bytes",
		"partial_reads",      "partial_bytes",
		"traditional_reads",  "traditional_bytes",
		"copy_offload_bytes", "copy_hole_bytes",
		"copy_shared_bytes",  "copy_splice_bytes",
		"fallback_reasons",
	};
	struct dm_target_spec *spec;
	char path[64], link[256], *word, *save, *value;
	struct dm_ioctl *io;
	ssize_t n;
	size_t i;

	counters->nr = 0;
	if (dm_request(device(name), DM_TABLE_STATUS, DM_NOFLUSH_FLAG, &io))
		return -1;
	spec = (void *)((char *)io + io->data_start);
	for (word = strtok_r((char *)(spec + 1), " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = '\0';
		add(counters, "", word, value);
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", dm_major(io),
		 dm_minor(io));
	free(io);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -1;
	link[n] = '\0';
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		add_file(counters, strrchr(link, '/') + 1, files[i]);
	return 0;
}

const struct volume_counter *volume_find(const struct volume_counters *counters,
					 const char *key)
{
	unsigned int i;

	for (i = 0; i < counters->nr; i++)
		if (!strcmp(counters->counter[i].key, key))
			return &counters->counter[i];
	return NULL;
}

int volume_message(const char *name, const char *words)
{
	return dm_message(device(name), 0, words, NULL);
}

int volume_suspend(const char *name, int suspend)
{
	return dm_request(device(name), DM_DEV_SUSPEND,
			  suspend ? DM_SUSPEND_FLAG : 0, NULL);
}

int volume_load(const char *name, const char *words, void (*begin)(void),
		void (*end)(void))
{
	struct dm_ioctl *io = dm_new(device(name), 0), *now;
	int fd = open("/dev/mapper/control", O_RDWR);
	const struct dm_target_spec *spec;
	int ret = -1, error;
	size_t at = 0;

	if (!io || fd < 0 ||
	    dm_request(device(name), DM_TABLE_STATUS, DM_NOFLUSH_FLAG, &now))
		return -1;
	spec = (void *)((char *)now + now->data_start);
	dm_add_target(io, &at, 0, spec->length, "bpio", words);
	begin();
	ret = ioctl(fd, DM_TABLE_LOAD, io);
	error = errno;
	end();
	if (!ret)
		dm_request(device(name), DM_TABLE_CLEAR, 0, NULL);
	close(fd);
	free(now);
	free(io);
	errno = error;
	return ret;
}
