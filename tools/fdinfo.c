// SPDX-License-Identifier: GPL-2.0
/* Reads what bpiofs says of one open file in /proc/<pid>/fdinfo. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"

int counters_from_fdinfo(struct counters *counters, const char *path)
{
	static const char prefix[] = "bpio-";
	size_t before = counters->nr;
	FILE *file = fopen(path, "re");
	char line[256];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');

		if (strncmp(line, prefix, strlen(prefix)) || !value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		counters_add(counters, line + strlen(prefix), value);
	}
	fclose(file);
	return counters->nr > before ? 0 : -ENODATA;
}
