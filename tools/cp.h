/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of `bpioctl cp` share: one command under way. */
#ifndef CP_H
#define CP_H

#include <sys/stat.h>

#include "bpioctl.h"

/* Something in a directory, and what to call it to people. */
struct cp_place {
	int dir; /* descriptor or AT_FDCWD */
	const char *name;
	const char *path;
};

struct cp {
	bool recursive;
	bool bar; /* progress on standard error */
	struct copy_report report;
	struct bpio_copy_options options;
	/* The topmost directory that is written to, once it is known. */
	bool has_root;
	dev_t root_dev;
	ino_t root_ino;
	/* Of the bar: the file, where its copy is, when it was last drawn. */
	const char *path;
	uint64_t started; /* ms */
	uint64_t drawn;
};

/* cmd-cp.c: what each engine moved between two looks at a volume. */
void cp_engines(struct counters *engines, const struct counters *before,
		const struct counters *after);
/* Likewise what copy_file_range() of a mount did. */
void cp_ways(struct counters *ways, const struct counters *before,
	     const struct counters *after);

/* cp-tree.c: all of one SRC; complains and counts what does not work. */
void cp_tree(struct cp *cp, const struct cp_place *from,
	     const struct cp_place *to);

/*
 * cp-attributes.c: owner, mode, extended attributes and times, in this order.
 * Without privilege the owner stays who copies, and the bits that act in his
 * name go.  Return: DONE, or FAILED after a complaint about @path.
 */
int cp_attributes(int from, int to, const struct stat *st, const char *path);
/*
 * The same, without extended attributes, of a link or special file that was just
 * made.  What has taken its name since is left alone.
 */
int cp_attributes_at(const struct cp_place *to, const struct stat *st);

/* cp-why.c: counts the file for the final line. */
void cp_count(struct copy_report *report, const struct bpio_copy_result *result,
	      int from, int to);

/* cp-progress.c */
void cp_bar_begin(struct cp *cp, const char *path);
/* For bpio_copy_options; other than 0 after a signal. */
int cp_progress(void *cp, const struct bpio_copy_result *so_far);
void cp_bar_end(struct cp *cp);
/* Have SIGHUP, SIGINT and SIGTERM end the copy in good order. */
void cp_catch_signals(void);
bool cp_is_interrupted(void);

#endif /* CP_H */
