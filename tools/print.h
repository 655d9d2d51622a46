/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What there is to show, apart from how: one struct per kind of result, and
 * two printers that know them all.  Nothing here talks to the kernel.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stdio.h>

#include "counters.h"
#include "lib/bpio.h"

enum bypass_state {
	BYPASS_SUPPORTED,
	BYPASS_PARTIAL,
	BYPASS_NOT_SUPPORTED,
};

/* Answer to `bypassio state`: fsutil's, for one path. */
struct state_report {
	const char *path; /* as typed */
	enum bypass_state state;
	bool verbose;
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

/* Where the bytes of a read went; counters are those of the whole volume. */
#define READ_PATHS 3
extern const char *const read_path_names[READ_PATHS];

struct read_report {
	const char *path;
	const char *volume; /* NULL: no statistics, and why */
	const char *unavailable;
	const char *outcome;
	uint64_t bytes;
	uint64_t reads;
	uint64_t path_bytes[READ_PATHS];
	uint64_t path_reads[READ_PATHS];
	struct counters fallback_reasons;
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

struct stats_report {
	const char *volume;
	struct counters dm_bpio;
	struct counters bpiofs;
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
	void (*stats)(FILE *to, const struct stats_report *report);
};

extern const struct printer print_text;
extern const struct printer print_json;

#endif /* PRINT_H */
