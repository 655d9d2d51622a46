// SPDX-License-Identifier: GPL-2.0
/*
 * Those words of dmsetup that tests use again and again, in their plain forms;
 * TOOL_NOT_MINE for all else, before anything was done.  As dmsetup does where
 * no udev runs, it makes and removes the nodes of /dev/mapper.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "dm.h"
#include "tools.h"

#define TRIES 100

struct request {
	int names_nr;
	char **names; /* what is no option */
	const char *table;
	bool retry;
	uint32_t flags;
};

static int fails(const char *what, const char *name)
{
	fprintf(stderr, "device-mapper: %s ioctl on %s failed: %s\n", what,
		name, strerror(errno));
	fprintf(stderr, "Command failed.\n");
	return 1;
}

static void node_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, "/dev/mapper/%s", name);
}

static void make_node(const struct dm_ioctl *io)
{
	const dev_t dev = makedev(dm_major(io), dm_minor(io));
	char path[DM_NAME_LEN + 16];
	struct stat st;

	node_path(io->name, path, sizeof(path));
	if (!lstat(path, &st)) {
		if (S_ISBLK(st.st_mode) && st.st_rdev == dev)
			return;
		unlink(path);
	}
	if (mknod(path, S_IFBLK | 0600, dev))
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
}

/* Lines "START LENGTH TYPE WORDS...".  Return: 0 or -1: not understood. */
static int add_table(struct dm_ioctl *io, char *table)
{
	char *line, *save;
	size_t at = 0;

	for (line = strtok_r(table, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		uint64_t start, length;
		char type[DM_MAX_TYPE_NAME];
		int words = 0;

		while (isspace((unsigned char)*line))
			line++;
		if (!*line)
			continue;
		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %15s %n", &start,
			   &length, type, &words) < 3)
			return -1;
		if (dm_add_target(io, &at, start, length, type,
				  words ? line + words : ""))
			return -1;
	}
	return at ? 0 : -1;
}

static int load(const char *name, const char *table)
{
	struct dm_ioctl *io = dm_new(name, 0);
	char *copy = strdup(table);
	int ret = -1, error;

	if (io && copy && add_table(io, copy)) {
		fprintf(stderr, "%s: not a table\n", table);
		errno = EINVAL;
	} else if (io && copy) {
		ret = dm_do(io, DM_TABLE_LOAD);
	}
	error = errno;
	free(copy);
	free(io);
	errno = error;
	return ret;
}

static int resume(const char *name)
{
	struct dm_ioctl *io;

	if (dm_request(name, DM_DEV_SUSPEND, 0, &io))
		return fails("resume", name);
	make_node(io);
	free(io);
	return 0;
}

static int create(const struct request *r)
{
	const char *name = r->names[0];

	if (r->names_nr != 1 || !r->table)
		return TOOL_NOT_MINE;
	if (dm_request(name, DM_DEV_CREATE, 0, NULL))
		return fails("create", name);
	if (load(name, r->table)) {
		fails("reload", name);
	} else if (!resume(name)) {
		return 0;
	}
	dm_request(name, DM_DEV_REMOVE, 0, NULL);
	return 1;
}

static int do_load(const struct request *r)
{
	if (r->names_nr != 1 || !r->table)
		return TOOL_NOT_MINE;
	return load(r->names[0], r->table) ? fails("reload", r->names[0]) : 0;
}

static int do_clear(const struct request *r)
{
	if (r->names_nr != 1)
		return TOOL_NOT_MINE;
	return dm_request(r->names[0], DM_TABLE_CLEAR, 0, NULL) ?
		       fails("clear", r->names[0]) :
		       0;
}

static int suspend(const struct request *r)
{
	if (r->names_nr != 1)
		return TOOL_NOT_MINE;
	if (dm_request(r->names[0], DM_DEV_SUSPEND, DM_SUSPEND_FLAG | r->flags,
		       NULL))
		return fails("suspend", r->names[0]);
	return 0;
}

static int do_resume(const struct request *r)
{
	return r->names_nr == 1 ? resume(r->names[0]) : TOOL_NOT_MINE;
}

static int do_remove(const struct request *r)
{
	char path[DM_NAME_LEN + 16];
	int i, tries;

	for (i = 0; i < r->names_nr; i++) {
		tries = r->retry ? TRIES : 1;
		while (dm_request(r->names[i], DM_DEV_REMOVE, 0, NULL)) {
			if (errno != EBUSY || !--tries)
				return fails("remove", r->names[i]);
			usleep(50000);
		}
		node_path(r->names[i], path, sizeof(path));
		unlink(path);
	}
	return r->names_nr ? 0 : TOOL_NOT_MINE;
}

static int message(const struct request *r)
{
	char words[DM_ROOM / 2] = "", *end;
	struct dm_ioctl *io;
	uint64_t sector;
	size_t used = 0;
	int i;

	if (r->names_nr < 3)
		return TOOL_NOT_MINE;
	sector = strtoull(r->names[1], &end, 10);
	if (*end)
		return TOOL_NOT_MINE;
	for (i = 2; i < r->names_nr; i++) {
		used += (size_t)snprintf(words + used, sizeof(words) - used,
					 i > 2 ? " %s" : "%s", r->names[i]);
		if (used >= sizeof(words))
			return TOOL_NOT_MINE;
	}
	if (dm_message(r->names[0], sector, words, &io))
		return fails("message", r->names[0]);
	if (io->flags & DM_DATA_OUT_FLAG)
		printf("%s\n", (char *)io + io->data_start);
	free(io);
	return 0;
}

static int status(const struct request *r)
{
	const struct dm_target_spec *spec;
	struct dm_ioctl *io;
	unsigned int i;

	if (r->names_nr != 1)
		return TOOL_NOT_MINE;
	if (dm_request(r->names[0], DM_TABLE_STATUS, r->flags, &io))
		return fails("table", r->names[0]);
	if (io->flags & DM_BUFFER_FULL_FLAG) {
		free(io);
		return TOOL_NOT_MINE;
	}
	spec = (void *)((char *)io + io->data_start);
	for (i = 0; i < io->target_count; i++) {
		printf("%" PRIu64 " %" PRIu64 " %s %s\n",
		       (uint64_t)spec->sector_start, (uint64_t)spec->length,
		       spec->target_type, (const char *)(spec + 1));
		spec = (void *)((char *)io + io->data_start + spec->next);
	}
	free(io);
	return 0;
}

static const struct word {
	const char *name;
	int (*main)(const struct request *r);
	uint32_t flags;
} word_list[] = {
	{ "clear", do_clear, 0 },   { "create", create, 0 },
	{ "load", do_load, 0 },	    { "message", message, 0 },
	{ "reload", do_load, 0 },   { "remove", do_remove, 0 },
	{ "resume", do_resume, 0 }, { "status", status, 0 },
	{ "suspend", suspend, 0 },  { "table", status, DM_STATUS_TABLE_FLAG },
};

/* Names that dmsetup passes on as they are. */
static bool is_plain(const char *name)
{
	return strlen(name) < DM_NAME_LEN &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789#+-.:=@_")] == '\0';
}

static bool parse(struct request *r, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (argv[i][0] != '-' || argv[i][1] != '-')
			r->names[r->names_nr++] = argv[i];
		else if (!strcmp(argv[i], "--table") && i + 1 < argc)
			r->table = argv[++i];
		else if (!strcmp(argv[i], "--retry"))
			r->retry = true;
		else if (!strcmp(argv[i], "--nolockfs"))
			r->flags |= DM_SKIP_LOCKFS_FLAG;
		else if (!strcmp(argv[i], "--noflush"))
			r->flags |= DM_NOFLUSH_FLAG;
		else
			return false;
	}
	return r->names_nr && is_plain(r->names[0]);
}

/* dmsetup status|table NAME */
int dmsetup_quick(int argc, char **argv)
{
	struct request r = { .names_nr = 1, .names = argv + 2 };

	if (argc != 3 || !is_plain(argv[2]))
		return -1;
	if (!strcmp(argv[1], "table"))
		r.flags = DM_STATUS_TABLE_FLAG;
	else if (strcmp(argv[1], "status"))
		return -1;
	return status(&r);
}

int dmsetup_main(int argc, char **argv)
{
	struct request r = { .names = argv + 1 };
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	for (i = 0; i < sizeof(word_list) / sizeof(word_list[0]); i++) {
		if (strcmp(word_list[i].name, name))
			continue;
		r.flags = word_list[i].flags;
		/* Overwrites argv from its start, never ahead of itself. */
		if (!parse(&r, argc - 2, argv + 2))
			return TOOL_NOT_MINE;
		return word_list[i].main(&r);
	}
	return TOOL_NOT_MINE;
}
