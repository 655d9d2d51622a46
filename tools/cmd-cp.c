// SPDX-License-Identifier: GPL-2.0
/*
 * bpioctl cp: files and trees, by the copy engine of libbpio.  Where to, in
 * what pieces, and what the counters of the destination's volume say of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cp.h"
#include "volume.h"

#define BYTES "bytes_"

/* 0, the default, where nobody can be asked. */
static uint64_t chunk_length(const struct volume *volume)
{
	struct device_copy_offload_descriptor descriptor;
	struct bpio_reply reply;
	char path[PATH_MAX];
	uint64_t length = 0;
	int control;
	int device;

	volume_device(volume->name, path);
	control = open(BPIO_CONTROL_DEVICE, O_RDWR | O_CLOEXEC);
	device = open(path, O_RDONLY | O_CLOEXEC);
	if (control >= 0 && device >= 0 &&
	    !bpio_storage_copy_offload(control, device, &descriptor, &reply) &&
	    reply.status == STATUS_SUCCESS)
		length = bpio_copy_chunk_length(&descriptor);
	if (device >= 0)
		close(device);
	if (control >= 0)
		close(control);
	return length;
}

/* The volume that DST is on, or will be. */
static int volume_of_destination(const char *path, struct volume *volume)
{
	char *parent;
	char *slash;
	int err;

	err = volume_of_path(path, volume);
	if (err != -ENOENT)
		return err;
	parent = strdup(path);
	if (!parent)
		return -ENOMEM;
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	err = volume_of_path(slash ? parent : ".", volume);
	free(parent);
	return err;
}

/* "bytes_nvme", and of several targets "1.bytes_nvme": "nvme"; else NULL. */
static const char *engine_of(const char *counter)
{
	const char *dot = strrchr(counter, '.');
	const char *word = dot ? dot + 1 : counter;

	return strncmp(word, BYTES, strlen(BYTES)) ? NULL :
						     word + strlen(BYTES);
}

static uint64_t engine_bytes(const struct counters *counters,
			     const char *engine)
{
	uint64_t sum = 0;
	uint64_t value;
	size_t i;

	for (i = 0; i < counters->nr; i++) {
		const char *name = engine_of(counters->list[i].name);

		if (name && !strcmp(name, engine) &&
		    decimal_u64(counters->list[i].value, &value))
			sum += value;
	}
	return sum;
}

void cp_engines(struct counters *engines, const struct counters *before,
		const struct counters *after)
{
	size_t i;

	for (i = 0; i < after->nr; i++) {
		const char *name = engine_of(after->list[i].name);
		uint64_t was;
		uint64_t is;
		char gained[24];

		if (!name || counters_get(engines, name))
			continue;
		was = engine_bytes(before, name);
		is = engine_bytes(after, name);
		if (is <= was)
			continue;
		snprintf(gained, sizeof(gained), "%" PRIu64, is - was);
		counters_add(engines, name, gained);
	}
}

void cp_ways(struct counters *ways, const struct counters *before,
	     const struct counters *after)
{
	static const char *const words[] = { "offload", "shared", "splice",
					     "hole" };
	char gained[24];
	char name[32];
	uint64_t was;
	uint64_t is;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		snprintf(name, sizeof(name), "copy_%s_bytes", words[i]);
		if (!counters_u64(before, name, &was) ||
		    !counters_u64(after, name, &is) || is <= was)
			continue;
		snprintf(gained, sizeof(gained), "%" PRIu64, is - was);
		counters_add(ways, words[i], gained);
	}
}

/* Last part of a path without slashes at its end; "." for the dots and "/". */
static char *base_name(const char *path)
{
	size_t end = strlen(path);
	size_t start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/'; start--)
		;
	if (start == end || !strncmp(path + start, "..", end - start))
		return strdup(".");
	return strndup(path + start, end - start);
}

/* What one SRC became in a destination directory. */
struct made {
	const char *from;
	struct stat source;
	struct stat copy;
};

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int stat_source(const struct cp *cp, const char *from, struct stat *st)
{
	return cp->recursive ? lstat(from, st) : stat(from, st);
}

/*
 * As cp(1): what this command has made is not replaced by another SRC of the
 * same name.  One SRC that is named twice is copied once.  Directories of one
 * name are merged.  Return: false when there is nothing to copy.
 */
static bool may_make(struct cp *cp, const struct made *made, int nr,
		     const char *from, const char *path, const struct stat *old)
{
	struct stat source;
	int i;

	if (stat_source(cp, from, &source))
		return true;
	for (i = 0; i < nr; i++) {
		if (!is_same(&made[i].copy, old))
			continue;
		if (is_same(&made[i].source, &source)) {
			complain(from, "given more than once, copied once");
			return false;
		}
		if (S_ISDIR(old->st_mode))
			continue;
		complain(path, "just copied from %s, not replaced by %s",
			 made[i].from, from);
		cp->report.failed++;
		return false;
	}
	return true;
}

static void copy_tree(struct cp *cp, const char *from, const char *to)
{
	cp->has_root = false;
	cp_tree(cp, &(struct cp_place){ AT_FDCWD, from, from },
		&(struct cp_place){ AT_FDCWD, to, to });
}

static bool is_touched(const struct stat *before, const struct stat *after)
{
	return !is_same(before, after) ||
	       before->st_ctim.tv_sec != after->st_ctim.tv_sec ||
	       before->st_ctim.tv_nsec != after->st_ctim.tv_nsec;
}

/* A copy that has failed may have got its data, only not its attributes. */
static void copy_into(struct cp *cp, const char *from, const char *dir,
		      struct made *made, int *nr)
{
	struct made *one = &made[*nr];
	char *base = base_name(from);
	struct stat old = { 0 };
	char *path = NULL;

	if (!base || asprintf(&path, "%s/%s", dir, base) < 0) {
		complain_errno(from, "copy", ENOMEM);
		cp->report.failed++;
	} else if (lstat(path, &old) ||
		   may_make(cp, made, *nr, from, path, &old)) {
		copy_tree(cp, from, path);
		one->from = from;
		if (!stat_source(cp, from, &one->source) &&
		    !lstat(path, &one->copy) && is_touched(&old, &one->copy))
			++*nr;
	}
	free(path);
	free(base);
}

static void copy_all_into(struct cp *cp, char **from, int nr, const char *dir)
{
	struct made *made = calloc((size_t)nr, sizeof(*made));
	int made_nr = 0;
	int i;

	if (!made) {
		complain_errno(dir, "copy", ENOMEM);
		cp->report.failed += (uint64_t)nr;
		return;
	}
	for (i = 0; i < nr && !cp_is_interrupted(); i++)
		copy_into(cp, from[i], dir, made, &made_nr);
	free(made);
}

static void copy_all(struct cp *cp, const struct args *args)
{
	int last = args->operands_nr - 1;
	const char *to = args->operands[last];
	struct stat st;

	if (!stat(to, &st) && S_ISDIR(st.st_mode)) {
		copy_all_into(cp, args->operands, last, to);
	} else if (last > 1) {
		complain(to, "not a directory");
		cp->report.failed += (uint64_t)last;
	} else {
		copy_tree(cp, args->operands[0], to);
	}
}

/* What the two modules count at the destination. */
struct look {
	int err; /* of counters_from_dm() */
	struct counters engines;
	bool has_ways;
	struct counters ways;
};

static void look_at(struct look *look, const struct volume *volume)
{
	char dir[PATH_MAX];

	look->err =
		counters_from_dm(&look->engines, volume->major, volume->minor);
	volume_dir(volume, dir);
	look->has_ways = !counters_from_dir(&look->ways, dir);
}

static void look_again(struct copy_report *report, struct look *before,
		       const struct volume *volume)
{
	struct look after = { 0 };

	look_at(&after, volume);
	if (before->err == -ENODEV)
		report->engines_unavailable = "no bpio target";
	else if (before->err)
		report->engines_unavailable = strerror(-before->err);
	else if (!after.err)
		cp_engines(&report->engines, &before->engines, &after.engines);
	report->ways_known = before->has_ways && after.has_ways;
	if (report->ways_known)
		cp_ways(&report->ways, &before->ways, &after.ways);
	counters_free(&before->engines);
	counters_free(&before->ways);
	counters_free(&after.engines);
	counters_free(&after.ways);
}

int cp(const struct command *command, const struct args *args)
{
	const char *to = args->operands[args->operands_nr - 1];
	struct cp cp = {
		.recursive = args->recursive,
		.bar = args->print == &print_text && isatty(STDERR_FILENO),
	};
	struct copy_report *report = &cp.report;
	struct look before = { 0 };
	struct volume volume;
	int err;

	(void)command;
	err = volume_of_destination(to, &volume);
	if (err)
		report->engines_unavailable = err == -ENODEV ?
						      "not on a bpiofs mount" :
						      strerror(-err);
	else
		look_at(&before, &volume);
	cp.options = (struct bpio_copy_options){
		.size = sizeof(cp.options),
		.chunk_length = err ? 0 : chunk_length(&volume),
		.progress = cp_progress,
		.argument = &cp,
	};
	cp_catch_signals();
	copy_all(&cp, args);
	/* Between two files: nothing has been told yet. */
	if (cp_is_interrupted() && !report->failed)
		complain("cp", "interrupted");
	if (!err)
		look_again(report, &before, &volume);
	args->print->copy(stdout, report);
	counters_free(&report->engines);
	counters_free(&report->ways);
	return report->failed || cp_is_interrupted() ? FAILED : DONE;
}
