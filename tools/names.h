/* SPDX-License-Identifier: GPL-2.0 */
/* Names of the protocol's numbers, and its texts made fit to be shown. */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>

#include "lib/bpio.h"

#define DRIVER_NAME_SIZE    BPIO_UTF8_SIZE(BPIO_DRIVER_NAME_CHARS)
#define FAILURE_REASON_SIZE BPIO_UTF8_SIZE(BPIO_FAILURE_REASON_CHARS)

const char *operation_name(uint32_t operation);
const char *storage_operation_name(uint32_t operation);
/* Name of the lowest bit set in *flags, which is cleared; NULL at the end. */
const char *next_out_flag(uint32_t *flags);
/* "OFFLOAD_READ" of its control code. */
const char *request_name(uint32_t code);
/* "NVMe Copy" for "nvme"; an engine that is not known keeps its name. */
const char *engine_name(const char *word);
/* "through memory" for "splice", likewise, of copy_file_range(). */
const char *way_name(const char *word);
const char *token_kind_name(enum bpio_token_kind kind);
/* What fsutil would call the storage behind a driver. */
const char *storage_type(const char *driver);

/* What keeps a volume or a file from being bypassed although it could be. */
struct suspension {
	const char *word; /* of sysfs, and in JSON */
	const char *driver;
	const char *reason;
	bool traditional; /* not even filters are bypassed */
};

extern const struct suspension suspended_by_pause;
extern const struct suspension suspended_by_stream_pause;
/* NULL for a word that is not known. */
const struct suspension *suspension_find(const char *word);
/* Two digits a byte; @out takes 2 * length + 1. */
void hex_string(const uint8_t *bytes, size_t length, char *out);

/* Decode, whatever length the kernel claims. */
void driver_name(const uint16_t *units, uint16_t length,
		 char name[DRIVER_NAME_SIZE]);
void failure_reason(const struct fs_bpio_results *results,
		    char reason[FAILURE_REASON_SIZE]);
/* Replaces what could steer a terminal; in place. */
char *printable(char *utf8);

#endif /* NAMES_H */
