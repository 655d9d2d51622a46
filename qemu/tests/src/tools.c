// SPDX-License-Identifier: GPL-2.0
/*
 * main() of bpio-ctl and bpio-verify, which are one file: the name it is
 * started by chooses, bpio-ctl if it is unknown, and `bpio-ctl --serve` runs
 * either for a test.
 */
#include <string.h>
#include "tools.h"

static const struct tool tools[] = {
	{ "bpio-ctl", ctl_main, ctl_quick },
	{ "bpio-verify", verify_main, NULL },
	{ "bpio-log", log_main, NULL },
	{ "dmsetup", dmsetup_main, dmsetup_quick },
};

const struct tool *tool_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (!strcmp(tools[i].name, name))
			return &tools[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	const struct tool *tool;

	if (argc > 1 && !strcmp(argv[1], "--serve"))
		return serve_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "--log"))
		return log_main(argc - 1, argv + 1);
	tool = argc ? tool_find(slash ? slash + 1 : argv[0]) : NULL;
	return tool ? tool->main(argc, argv) : ctl_main(argc, argv);
}
