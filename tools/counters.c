// SPDX-License-Identifier: GPL-2.0
/*
 * Collects named values from text: device-mapper status words, sysfs files.
 * Knows none of the names but the one file that holds several values.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counters.h"

#define PAGE 4096

void counters_add(struct counters *counters, const char *name,
		  const char *value)
{
	struct counter *list;
	struct counter new = { .name = strdup(name), .value = strdup(value) };

	list = reallocarray(counters->list, counters->nr + 1, sizeof(*list));
	if (list)
		counters->list = list;
	if (!list || !new.name || !new.value) {
		free(new.name);
		free(new.value);
		return;
	}
	list[counters->nr++] = new;
}

void counters_free(struct counters *counters)
{
	size_t i;

	for (i = 0; i < counters->nr; i++) {
		free(counters->list[i].name);
		free(counters->list[i].value);
	}
	free(counters->list);
	counters->list = NULL;
	counters->nr = 0;
}

const char *counters_get(const struct counters *counters, const char *name)
{
	size_t i;

	for (i = 0; i < counters->nr; i++)
		if (!strcmp(counters->list[i].name, name))
			return counters->list[i].value;
	return NULL;
}

bool decimal_u64(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && !*end;
}

bool counters_u64(const struct counters *counters, const char *name,
		  uint64_t *value)
{
	const char *text = counters_get(counters, name);

	return text && decimal_u64(text, value);
}

void counters_from_words(struct counters *counters, const char *prefix,
			 const char *words)
{
	char *copy = strdup(words);
	char *rest;
	char *word;

	if (!copy)
		return;
	for (word = strtok_r(copy, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		char *value = strchr(word, '=');
		char name[256];

		if (value)
			*value++ = '\0';
		snprintf(name, sizeof(name), "%s%s", prefix, word);
		counters_add(counters, name, value ? value : "");
	}
	free(copy);
}

/* "reason count" lines; a line of another shape keeps what it has. */
static void add_reasons(struct counters *counters, const char *file, char *text)
{
	char *rest;
	char *line;

	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		size_t length = strcspn(line, " \t");
		char name[256];

		snprintf(name, sizeof(name), "%s.%.*s", file, (int)length,
			 line);
		counters_add(counters, name,
			     line + length + strspn(line + length, " \t"));
	}
}

static void add_file(struct counters *counters, int dir_fd, const char *name)
{
	char text[PAGE];
	ssize_t length;
	int fd;

	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length < 0)
		return;
	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	text[length] = '\0';
	if (!strcmp(name, FALLBACK_REASONS)) {
		add_reasons(counters, name, text);
		return;
	}
	/* Several lines become one. */
	while (length--)
		if (text[length] == '\n')
			text[length] = ' ';
	counters_add(counters, name, text);
}

int counters_from_dir(struct counters *counters, const char *dir)
{
	struct dirent **entries;
	int entries_nr;
	int dir_fd;
	int i;

	entries_nr = scandir(dir, &entries, NULL, alphasort);
	if (entries_nr < 0)
		return -errno;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < entries_nr; i++) {
		struct stat st;

		if (dir_fd >= 0 &&
		    !fstatat(dir_fd, entries[i]->d_name, &st,
			     AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode) && st.st_mode & 0444)
			add_file(counters, dir_fd, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (dir_fd < 0)
		return -errno;
	close(dir_fd);
	return 0;
}
