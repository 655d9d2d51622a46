// SPDX-License-Identifier: GPL-2.0
/* bpioctl stats: the counters of both modules, side by side. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpioctl.h"
#include "volume.h"

struct round {
	struct stats_report *list;
	size_t nr;
};

/* false when neither module knows the volume. */
static bool collect(const struct volume *volume, struct stats_report *report)
{
	char dir[PATH_MAX];
	bool known;

	memset(report, 0, sizeof(*report));
	strcpy(report->volume, volume->name);
	volume_device(volume->name, report->device);
	volume_dir(volume, dir);
	known = !counters_from_dm(&report->dm_bpio, volume->major,
				  volume->minor);
	if (counters_from_dir(&report->bpiofs, dir))
		return known;
	instances_of_volume(&report->instances, VOLUMES_DIR, volume->name);
	instances_sort(&report->instances);
	return true;
}

static void round_free(struct round *round)
{
	size_t i;

	for (i = 0; i < round->nr; i++) {
		counters_free(&round->list[i].dm_bpio);
		counters_free(&round->list[i].bpiofs);
		flt_list_free(&round->list[i].instances);
	}
	free(round->list);
	round->list = NULL;
	round->nr = 0;
}

static const struct stats_report *find(const struct round *round,
				       const char *volume)
{
	size_t i;

	for (i = 0; i < round->nr; i++)
		if (!strcmp(round->list[i].volume, volume))
			return &round->list[i];
	return NULL;
}

static void show(const struct args *args, const struct volume *volumes,
		 size_t volumes_nr, struct round *now,
		 const struct round *before)
{
	size_t i;

	now->list = calloc(volumes_nr ? volumes_nr : 1, sizeof(*now->list));
	if (!now->list)
		return;
	for (i = 0; i < volumes_nr; i++) {
		struct stats_report *report = &now->list[now->nr];

		if (!collect(&volumes[i], report))
			continue;
		report->before = find(before, report->volume);
		now->nr++;
		args->print->stats(stdout, report);
	}
	fflush(stdout);
}

/* Every block device: which ones are known shows when they are asked. */
static struct volume *all_volumes(size_t *volumes_nr)
{
	struct dirent **entries;
	struct volume *volumes;
	int entries_nr;
	int i;

	*volumes_nr = 0;
	entries_nr = scandir("/sys/class/block", &entries, NULL, versionsort);
	if (entries_nr < 0)
		return NULL;
	volumes = calloc((size_t)entries_nr + 1, sizeof(*volumes));
	for (i = 0; i < entries_nr; i++) {
		if (volumes && entries[i]->d_name[0] != '.' &&
		    !volume_of_name(entries[i]->d_name, &volumes[*volumes_nr]))
			++*volumes_nr;
		free(entries[i]);
	}
	free(entries);
	return volumes;
}

/* One look at @one, or at all there are at the moment. */
static int show_round(const struct args *args, const struct volume *one,
		      struct round *now, const struct round *before)
{
	struct volume *volumes;
	size_t volumes_nr;

	if (one) {
		show(args, one, 1, now, before);
		return now->nr ? DONE :
				 complain(args->operands[0],
					  "no bpio target and no bpiofs mount");
	}
	volumes = all_volumes(&volumes_nr);
	if (!volumes)
		return complain_errno("/sys/class/block", "read", errno);
	show(args, volumes, volumes_nr, now, before);
	free(volumes);
	return DONE;
}

static int show_rounds(const struct args *args, const struct volume *one)
{
	bool clear = isatty(STDOUT_FILENO) && args->print == &print_text;
	struct round before = { 0 };
	struct round now = { 0 };
	int result;

	for (;;) {
		if (args->watch && clear)
			fputs("\033[H\033[J", stdout);
		result = show_round(args, one, &now, &before);
		if (!args->watch || result)
			break;
		sleep(args->watch);
		round_free(&before);
		before = now;
		now = (struct round){ 0 };
	}
	round_free(&before);
	round_free(&now);
	return result;
}

int stats(const struct command *command, const struct args *args)
{
	struct volume one;
	int err;

	(void)command;
	if (!args->operands_nr)
		return show_rounds(args, NULL);
	err = volume_of_path(args->operands[0], &one);
	if (err)
		return complain(
			args->operands[0],
			"neither a block device nor on a bpiofs mount: %s",
			strerror(-err));
	return show_rounds(args, &one);
}
