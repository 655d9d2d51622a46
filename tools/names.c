// SPDX-License-Identifier: GPL-2.0
/*
 * Names of the protocol's numbers, and its texts made fit to be shown: the
 * kernel relays reasons that anybody may have written.
 */
#include <stdio.h>
#include <string.h>

#include "names.h"

static const char *const operation_names[FS_BPIO_OP_MAX_OPERATION] = {
	[FS_BPIO_OP_ENABLE] = "ENABLE",
	[FS_BPIO_OP_DISABLE] = "DISABLE",
	[FS_BPIO_OP_QUERY] = "QUERY",
	[FS_BPIO_OP_VOLUME_STACK_PAUSE] = "VOLUME_STACK_PAUSE",
	[FS_BPIO_OP_VOLUME_STACK_RESUME] = "VOLUME_STACK_RESUME",
	[FS_BPIO_OP_STREAM_PAUSE] = "STREAM_PAUSE",
	[FS_BPIO_OP_STREAM_RESUME] = "STREAM_RESUME",
	[FS_BPIO_OP_GET_INFO] = "GET_INFO",
};

static const struct {
	uint32_t bit;
	const char *name;
} out_flags[] = {
	{ FSBPIO_OUTFL_VOLUME_STACK_BYPASS_PAUSED,
	  "VOLUME_STACK_BYPASS_PAUSED" },
	{ FSBPIO_OUTFL_STREAM_BYPASS_PAUSED, "STREAM_BYPASS_PAUSED" },
	{ FSBPIO_OUTFL_FILTER_ATTACH_BLOCKED, "FILTER_ATTACH_BLOCKED" },
	{ FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER, "COMPATIBLE_STORAGE_DRIVER" },
};

static const char *const token_kinds[] = {
	[BPIO_TOKEN_ZERO] = "zero token",
	[BPIO_TOKEN_ZERO_PATTERN] = "zero token (pattern form)",
	[BPIO_TOKEN_RESERVED] = "reserved well-known token",
	[BPIO_TOKEN_MALFORMED] = "malformed zero token",
	[BPIO_TOKEN_BPIO] = "dm-bpio token",
	[BPIO_TOKEN_FOREIGN] = "foreign vendor token",
};

/*
 * fsutil prints the bus; here the driver of the controller stands for it.
 * Differs: a driver that is not listed shows as "Unknown".
 */
static const struct {
	const char *prefix;
	const char *type;
} storage_types[] = {
	{ "nvme", "NVMe" },	  { "ahci", "SATA" },
	{ "ata_", "SATA" },	  { "uas", "USB" },
	{ "usb-storage", "USB" }, { "usb_storage", "USB" },
	{ "virtio", "Virtual" },  { "null_blk", "Virtual" },
};

const struct suspension suspended_by_pause = {
	.word = "pause",
	.driver = "bpiofs.ko",
	.reason = "The volume is paused (VOLUME_STACK_PAUSE).",
};

const struct suspension suspended_by_stream_pause = {
	.word = "stream_pause",
	.driver = "bpiofs.ko",
	.reason = "The file is paused (STREAM_PAUSE).",
	.traditional = true,
};

/* Of the whole volume: words of its file suspended_by in sysfs. */
static const struct suspension suspensions[] = {
	{
		.word = "veto",
		.driver = "dm-bpio.ko",
		.reason = "A veto was withdrawn, and the volume has not been "
			  "resumed.",
	},
	{
		.word = "suspend",
		.driver = "dm-bpio.ko",
		.reason = "The device is suspended.",
	},
	{
		.word = "disable",
		.driver = "dm-bpio.ko",
		.reason = "BypassIO was disabled at the device (/dev/bpio).",
	},
	{
		.word = "mount",
		.driver = "bpiofs.ko",
		.reason = "The file system below is mounted elsewhere as well.",
		.traditional = true,
	},
};

/* Words of dmsetup status behind "bytes_". */
static const struct {
	const char *word;
	const char *name;
} engines[] = {
	{ "nvme", "NVMe Copy" },
	{ "kcopyd", "kcopyd" },
	{ "zero", "zeros" },
	{ "literal", "memory" },
};

/* Files of a mount in sysfs, between "copy_" and "_bytes". */
static const struct {
	const char *word;
	const char *name;
} ways[] = {
	{ "offload", "offloaded" },
	{ "shared", "shared" },
	{ "splice", "through memory" },
	{ "hole", "in holes" },
};

const char *request_name(uint32_t code)
{
	switch (code) {
	case FSCTL_OFFLOAD_READ:
		return "OFFLOAD_READ";
	case FSCTL_OFFLOAD_WRITE:
		return "OFFLOAD_WRITE";
	default:
		return "unknown request";
	}
}

const char *engine_name(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (!strcmp(engines[i].word, word))
			return engines[i].name;
	return word;
}

const char *way_name(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].word, word))
			return ways[i].name;
	return word;
}

const char *operation_name(uint32_t operation)
{
	if (operation < FS_BPIO_OP_ENABLE ||
	    operation >= FS_BPIO_OP_MAX_OPERATION)
		return "unknown operation";
	return operation_names[operation];
}

const char *storage_operation_name(uint32_t operation)
{
	/* The storage layer knows the first three, under the same numbers. */
	return operation > BPIO_OP_QUERY ? "unknown operation" :
					   operation_name(operation);
}

const char *next_out_flag(uint32_t *flags)
{
	uint32_t bit = *flags & -*flags;
	size_t i;

	if (!bit)
		return NULL;
	*flags &= ~bit;
	for (i = 0; i < sizeof(out_flags) / sizeof(out_flags[0]); i++)
		if (out_flags[i].bit == bit)
			return out_flags[i].name;
	return "unknown flag";
}

const struct suspension *suspension_find(const char *word)
{
	size_t i;

	if (!strcmp(word, suspended_by_pause.word))
		return &suspended_by_pause;
	for (i = 0; i < sizeof(suspensions) / sizeof(suspensions[0]); i++)
		if (!strcmp(word, suspensions[i].word))
			return &suspensions[i];
	return NULL;
}

const char *token_kind_name(enum bpio_token_kind kind)
{
	return token_kinds[kind];
}

const char *storage_type(const char *driver)
{
	size_t i;

	for (i = 0; i < sizeof(storage_types) / sizeof(storage_types[0]); i++)
		if (!strncmp(driver, storage_types[i].prefix,
			     strlen(storage_types[i].prefix)))
			return storage_types[i].type;
	return "Unknown";
}

void hex_string(const uint8_t *bytes, size_t length, char *out)
{
	size_t i;

	*out = '\0';
	for (i = 0; i < length; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

void driver_name(const uint16_t *units, uint16_t length,
		 char name[DRIVER_NAME_SIZE])
{
	if (length > BPIO_DRIVER_NAME_CHARS)
		length = BPIO_DRIVER_NAME_CHARS;
	bpio_utf16_to_utf8(units, length, name, DRIVER_NAME_SIZE);
}

void failure_reason(const struct fs_bpio_results *results,
		    char reason[FAILURE_REASON_SIZE])
{
	uint16_t length = results->failure_reason_len;

	if (length > BPIO_FAILURE_REASON_CHARS)
		length = BPIO_FAILURE_REASON_CHARS;
	bpio_utf16_to_utf8(results->failure_reason, length, reason,
			   FAILURE_REASON_SIZE);
}

char *printable(char *utf8)
{
	unsigned char *p;

	for (p = (unsigned char *)utf8; *p; p++) {
		if (*p < 0x20 || *p == 0x7F) {
			*p = '?';
		} else if (*p == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0) {
			/* C1 controls take two bytes; so does this. */
			p[0] = '?';
			p[1] = '?';
		}
	}
	return utf8;
}
