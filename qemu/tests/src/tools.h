/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs of the tests that a test starts most are one: bpio-ctl by name,
 * and a server that runs any of them without starting it again.
 */
#ifndef TOOLS_H
#define TOOLS_H

/* Status of a request that the server leaves to the program of that name. */
#define TOOL_NOT_MINE 120

struct tool {
	const char *name;
	int (*main)(int argc, char **argv);
	/*
	 * What it can do within the server, without a fork: neither waits nor
	 * leaves anything behind.  Return: -1 if this is none of that, with
	 * nothing printed; else the status.
	 */
	int (*quick)(int argc, char **argv);
};

/* Return: the tool of that name, or NULL. */
const struct tool *tool_find(const char *name);

int ctl_main(int argc, char **argv);
int verify_main(int argc, char **argv);
int dmsetup_main(int argc, char **argv);
int ctl_quick(int argc, char **argv);
int dmsetup_quick(int argc, char **argv);
int log_main(int argc, char **argv);
/* bpio-ctl --serve DIR PID */
int serve_main(int argc, char **argv);

#endif /* TOOLS_H */
