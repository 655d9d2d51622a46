/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of bpioctl share: the table row of a command, its parsed
 * arguments, and the ways to say why something did not work.
 */
#ifndef BPIOCTL_H
#define BPIOCTL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/bpio.h"
#include "print.h"

/* Exit codes */
#define DONE   0 /* processed, and met what was asked */
#define FAILED 1 /* refused or failed */
#define USAGE  2

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Options that a command can take; --json goes with every one. */
#define OPT_VERBOSE	    0x001
#define OPT_SKIP_STORAGE    0x002
#define OPT_HOLD	    0x004
#define OPT_OFFSET	    0x008
#define OPT_LENGTH	    0x010
#define OPT_BLOCK_SIZE	    0x020
#define OPT_TTL		    0x040
#define OPT_TRANSFER_OFFSET 0x080
#define OPT_TOKEN	    0x100
#define OPT_WATCH	    0x200
#define OPT_VOLUME	    0x400
#define OPT_ALTITUDE	    0x800
#define OPT_INSTANCE	    0x1000
#define OPT_RECURSIVE	    0x2000

struct args {
	const struct printer *print;
	bool verbose;
	bool skip_storage;
	double hold; /* seconds, negative = not asked for */
	uint64_t offset;
	uint64_t length; /* UINT64_MAX = to the end of the file */
	uint64_t block_size;
	uint32_t ttl_ms;
	uint64_t transfer_offset;
	const char *token;
	unsigned int watch; /* seconds, 0 = once */
	const char *volume;
	const char *altitude;
	const char *instance;
	bool recursive;
	char **operands;
	int operands_nr;
};

/**
 * struct command - one row of the command table
 * @group: first word
 * @name: second word, NULL when the group is the command
 * @operands: their names, for people
 * @help: what it does, one line
 * @options: OPT_* that it takes
 * @required: OPT_* that it cannot do without
 * @operands_min: how many operands
 * @operands_max: how many operands
 * @operation: for its handler: the operation that the request carries
 * @run: handler; returns an exit code
 */
struct command {
	const char *group;
	const char *name;
	const char *operands;
	const char *help;
	unsigned int options;
	unsigned int required;
	int operands_min;
	int operands_max;
	uint32_t operation;
	int (*run)(const struct command *command, const struct args *args);
};

/* cmd-bypassio.c */
int bypassio_state(const struct command *command, const struct args *args);
int bypassio_operation(const struct command *command, const struct args *args);

/* cmd-read.c */
int bypassio_read(const struct command *command, const struct args *args);
/* Which path took how much, from two looks at a volume's counters. */
void read_compare(struct path_counts *counts, const struct counters *before,
		  const struct counters *after);
/* The same from the counters of one open, or with @prefix of its stream. */
void read_counted(struct path_counts *counts, const struct counters *counters,
		  const char *prefix);

/* cmd-offload.c */
int offload_read(const struct command *command, const struct args *args);
int offload_write(const struct command *command, const struct args *args);
int offload_token(const struct command *command, const struct args *args);

/* cmd-storage.c */
int storage_operation(const struct command *command, const struct args *args);
int storage_descriptor(const struct command *command, const struct args *args);

/* cmd-stats.c */
int stats(const struct command *command, const struct args *args);

/* cmd-crypt.c */
int crypt_file(const struct command *command, const struct args *args);

/* cmd-filter.c */
int filter_list(const struct command *command, const struct args *args);
int filter_instances(const struct command *command, const struct args *args);
int filter_attach(const struct command *command, const struct args *args);
int filter_detach(const struct command *command, const struct args *args);

/* cmd-cp.c */
int cp(const struct command *command, const struct args *args);

/* complain.c: one line on standard error; every one returns FAILED */
int complain(const char *what, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int complain_errno(const char *what, const char *doing, int err);
/* @detail may be NULL. */
int complain_status(const char *what, int32_t status, const char *detail);
/* The status of a request on an open file: may be that of another fs. */
int complain_request(int fd, const char *path, int32_t status);
int complain_veto(const char *what, const char *consequence,
		  const struct fs_bpio_results *objection);

/* open.c: handles; all return a descriptor, or -1 after a complaint */
int open_query(const char *path);
int open_bypass(const char *path);
int open_change(const char *path);
int open_plain(const char *path, int flags);

/* size.c */
bool parse_size(const char *text, uint64_t *size);

#endif /* BPIOCTL_H */
