/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What there is to show, apart from how: one struct per kind of result, and
 * two printers that know them all.  Nothing here talks to the kernel.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stdio.h>

#include "counters.h"
#include "filters.h"
#include "lib/bpio.h"

enum bypass_state {
	BYPASS_SUPPORTED,
	BYPASS_PARTIAL,
	BYPASS_NOT_SUPPORTED,
};

#define SUSPENSIONS 8

/* Answer to `bypassio state`: fsutil's, for one path. */
struct state_report {
	const char *path; /* as typed */
	enum bypass_state state;
	bool verbose;
	/* What keeps it from being bypassed now; struct suspension is names.h's */
	const struct suspension *suspended_by[SUSPENSIONS];
	unsigned int suspended_by_nr;
	struct fs_bpio_results objection; /* unless supported */
	uint32_t out_flags;		  /* unless not supported, as is info */
	struct fs_bpio_info info;
};

/* One FSCTL_MANAGE_BYPASS_IO with all that came back. */
struct operation_report {
	const char *path;
	uint32_t operation;
	uint32_t in_flags;
	struct bpio_reply reply;
	struct fs_bpio_output out;
	const char *outcome; /* ENABLE: what it means; else NULL */
};

/* Where the bytes of reads went, and why not past everybody. */
#define READ_TRADITIONAL 2
#define READ_PATHS	 3
extern const char *const read_path_names[READ_PATHS];

struct path_counts {
	uint64_t reads[READ_PATHS];
	uint64_t bytes[READ_PATHS];
	struct counters fallback_reasons;
};

/* Whose reads were counted. */
enum read_scope {
	READ_SCOPE_NONE,   /* nobody's: unavailable says why */
	READ_SCOPE_OPEN,   /* of this open */
	READ_SCOPE_VOLUME, /* of the whole volume meanwhile */
};

struct read_report {
	const char *path;
	const char *outcome;
	uint64_t bytes;
	uint64_t reads;
	uint64_t read_bytes; /* with what was read for alignment only */
	enum read_scope scope;
	const char *volume; /* may be NULL */
	const char *unavailable;
	struct path_counts counts;
	/* With READ_SCOPE_OPEN, of all opens of the file since its first. */
	uint64_t stream_opens; /* enabled ones */
	struct path_counts stream;
};

struct offload_report {
	const char *path;
	const char *token; /* file */
	uint64_t file_offset;
	uint64_t copy_length;
	struct bpio_reply reply;
};

struct offload_read_report {
	struct offload_report request;
	struct fsctl_offload_read_output out;
};

struct offload_write_report {
	struct offload_report request;
	uint64_t transfer_offset;
	struct fsctl_offload_write_output out;
};

struct token_report {
	const char *path;
	struct bpio_token token;
};

struct storage_report {
	const char *device;
	uint32_t operation;
	struct bpio_reply reply;
	struct bpio_output out;
};

struct descriptor_report {
	const char *device;
	struct bpio_reply reply;
	struct device_copy_offload_descriptor out;
};

struct crypt_report {
	const char *path;
	uint32_t operation;
	struct bpio_reply reply;
};

/* Why files were not, or not all, offloaded. */
struct copy_reason {
	enum bpio_copy_why why;
	uint32_t code; /* request */
	int32_t status;
	int32_t error;
	char driver[PATH_MAX]; /* who it was, "" when that is not known */
	uint64_t files;
	uint64_t bytes; /* that were copied otherwise */
};

#define COPY_REASONS 32

/* What `cp` copied, all together. */
struct copy_report {
	uint64_t files;	 /* regular ones */
	uint64_t failed; /* files of any kind */
	/* its lengths are sums */
	struct bpio_copy_result total;
	/* "nvme", "kcopyd" ...: bytes that the destination's volume gained */
	struct counters engines;
	const char *engines_unavailable; /* or why that is not known */
	/* "offload", "shared" ...: what copy_file_range() of that mount did */
	struct counters ways;
	bool ways_known;
	struct copy_reason reasons[COPY_REASONS];
	size_t reasons_nr;
};

struct stats_report {
	char volume[NAME_MAX + 1];
	char device[PATH_MAX];
	struct counters dm_bpio;
	struct counters bpiofs;
	struct flt_list instances;
	/* of the round before, NULL in the first */
	const struct stats_report *before;
};

struct printer {
	void (*state)(FILE *to, const struct state_report *report);
	void (*operation)(FILE *to, const struct operation_report *report);
	void (*read)(FILE *to, const struct read_report *report);
	void (*offload_read)(FILE *to,
			     const struct offload_read_report *report);
	void (*offload_write)(FILE *to,
			      const struct offload_write_report *report);
	void (*token)(FILE *to, const struct token_report *report);
	void (*storage)(FILE *to, const struct storage_report *report);
	void (*descriptor)(FILE *to, const struct descriptor_report *report);
	void (*crypt)(FILE *to, const struct crypt_report *report);
	void (*copy)(FILE *to, const struct copy_report *report);
	void (*stats)(FILE *to, const struct stats_report *report);
	/* Lists in the order given. */
	void (*filters)(FILE *to, const struct flt_list *filters);
	void (*instances)(FILE *to, const struct flt_list *instances);
	/* One that was attached or detached. */
	void (*instance)(FILE *to, const struct flt_object *instance);
};

extern const struct printer print_text;
extern const struct printer print_json;

#endif /* PRINT_H */
