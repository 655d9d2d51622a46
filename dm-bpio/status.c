// SPDX-License-Identifier: GPL-2.0
/*
 * The status table (protocol section 5) and the results structure that
 * carries a verdict.  Pure: no device, no lock, no state.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "dm-bpio.h"

struct bpio_status_row {
	s32 status;
	bool from;		/* this is what the errno becomes */
	int error;
	const char *name;
};

/* ROW: to errno only.  BOTH: also the status that the errno turns into. */
#define ROW(_status, _error) \
	{ .status = _status, .error = _error, .name = #_status }
#define BOTH(_status, _error) \
	{ .status = _status, .from = true, .error = _error, .name = #_status }

static const struct bpio_status_row bpio_status_table[] = {
	BOTH(STATUS_SUCCESS, 0),
	ROW(STATUS_PENDING, EINPROGRESS),
	BOTH(STATUS_BUFFER_OVERFLOW, EOVERFLOW),
	BOTH(STATUS_UNSUCCESSFUL, EIO),
	ROW(STATUS_INFO_LENGTH_MISMATCH, EINVAL),
	BOTH(STATUS_INVALID_HANDLE, EBADF),
	BOTH(STATUS_INVALID_PARAMETER, EINVAL),
	BOTH(STATUS_INVALID_DEVICE_REQUEST, ENOTTY),
	BOTH(STATUS_END_OF_FILE, ENODATA),
	BOTH(STATUS_NONEXISTENT_SECTOR, ENXIO),
	BOTH(STATUS_ACCESS_DENIED, EACCES),
	BOTH(STATUS_BUFFER_TOO_SMALL, ERANGE),
	ROW(STATUS_DATA_OVERRUN, EOVERFLOW),
	BOTH(STATUS_FILE_LOCK_CONFLICT, EAGAIN),
	BOTH(STATUS_INSUFFICIENT_RESOURCES, ENOMEM),
	BOTH(STATUS_MEDIA_WRITE_PROTECTED, EROFS),
	BOTH(STATUS_IO_TIMEOUT, ETIMEDOUT),
	BOTH(STATUS_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_INVALID_PARAMETER_1, EINVAL),
	ROW(STATUS_INVALID_PARAMETER_2, EINVAL),
	ROW(STATUS_INVALID_PARAMETER_3, EINVAL),
	ROW(STATUS_INVALID_PARAMETER_4, EINVAL),
	BOTH(STATUS_FILE_DELETED, ESTALE),
	ROW(STATUS_FILE_CLOSED, EBADF),
	BOTH(STATUS_TOO_LATE, ESHUTDOWN),
	BOTH(STATUS_INVALID_BUFFER_SIZE, EMSGSIZE),
	BOTH(STATUS_VOLUME_DISMOUNTED, ENODEV),
	ROW(STATUS_BEYOND_VDL, EINVAL),
	ROW(STATUS_DEVICE_FEATURE_NOT_SUPPORTED, EOPNOTSUPP),
	BOTH(STATUS_DEVICE_UNREACHABLE, EXDEV),
	BOTH(STATUS_INVALID_TOKEN, EKEYEXPIRED),
	ROW(STATUS_COMPRESSED_FILE_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_DIRECTORY_NOT_SUPPORTED, EISDIR),
	ROW(STATUS_NOT_SUPPORTED_ON_DAX, EOPNOTSUPP),
	ROW(STATUS_ENCRYPTED_FILE_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_SPARSE_FILE_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_PAGEFILE_NOT_SUPPORTED, ETXTBSY),
	ROW(STATUS_VOLUME_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_BYPASSIO, EBUSY),
	ROW(STATUS_NO_BYPASSIO_DRIVER_SUPPORT, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_ENCRYPTION, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_COMPRESSION, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_REPLICATION, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_DEDUPLICATION, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_AUDITING, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_MONITORING, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_SNAPSHOT, EOPNOTSUPP),
	ROW(STATUS_NOT_SUPPORTED_WITH_VIRTUALIZATION, EOPNOTSUPP),
	ROW(STATUS_BYPASSIO_FLT_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_OFFLOAD_WRITE_FLT_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED, EOPNOTSUPP),
	ROW(STATUS_FLT_INTERNAL_ERROR, EIO),
	ROW(STATUS_FLT_INSTANCE_ALTITUDE_COLLISION, EEXIST),
	ROW(STATUS_FLT_VOLUME_NOT_FOUND, ENODEV),
};

static const struct bpio_status_row *bpio_status_find(s32 status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bpio_status_table); i++)
		if (bpio_status_table[i].status == status)
			return &bpio_status_table[i];
	return NULL;
}

/**
 * bpio_status_name - the name of a status, for logs and messages
 * @status: NTSTATUS
 *
 * Context: any.
 * Return: e.g. "STATUS_INVALID_TOKEN"; "STATUS_?" for one that is not in the
 * table.
 */
const char *bpio_status_name(s32 status)
{
	const struct bpio_status_row *row = bpio_status_find(status);

	return row ? row->name : "STATUS_?";
}
EXPORT_SYMBOL_GPL(bpio_status_name);

/**
 * bpio_status_to_errno - what a status means to a caller who takes errno only
 * @status: NTSTATUS
 *
 * Context: any.
 * Return: 0 or the negative errno of the table.  A status that is not in the
 * table is -EIO when it is a warning or an error, else 0.
 */
int bpio_status_to_errno(s32 status)
{
	const struct bpio_status_row *row = bpio_status_find(status);

	if (row)
		return -row->error;
	return bpio_status_ok(status) ? 0 : -EIO;
}
EXPORT_SYMBOL_GPL(bpio_status_to_errno);

/**
 * bpio_status_from_errno - what an errno of the kernel means to the protocol
 * @error: 0 or a negative errno
 *
 * Context: any.
 * Return: the status of the table; STATUS_UNSUCCESSFUL for an errno that has
 * none.
 */
s32 bpio_status_from_errno(int error)
{
	unsigned int i;

	if (error == -EPERM)
		return STATUS_ACCESS_DENIED;
	for (i = 0; i < ARRAY_SIZE(bpio_status_table); i++)
		if (bpio_status_table[i].from &&
		    bpio_status_table[i].error == -error)
			return bpio_status_table[i].status;
	return STATUS_UNSUCCESSFUL;
}
EXPORT_SYMBOL_GPL(bpio_status_from_errno);

/**
 * dm_bpio_status_parse - read a status that a person typed
 * @word: a number (0xC00004C9, 3221226697, -1073740599) or a name of the table
 * @status: out
 *
 * Context: any.
 * Return: 0; -EINVAL when @word is neither.
 */
int dm_bpio_status_parse(const char *word, s32 *status)
{
	unsigned int i;
	u32 value;

	for (i = 0; i < ARRAY_SIZE(bpio_status_table); i++) {
		if (!strcmp(word, bpio_status_table[i].name)) {
			*status = bpio_status_table[i].status;
			return 0;
		}
	}
	if (!kstrtou32(word, 0, &value)) {
		*status = value;
		return 0;
	}
	return kstrtos32(word, 0, status) ? -EINVAL : 0;
}

BPIO_EXPORT_FOR_KUNIT(dm_bpio_status_parse);

/* One code point of UTF-8; what is not UTF-8 becomes U+FFFD, byte by byte. */
static u32 bpio_utf8_next(const u8 **at)
{
	const u8 *s = *at;
	unsigned int i, more;
	u32 point, least;

	if (s[0] < 0x80) {
		*at = s + 1;
		return s[0];
	}
	if ((s[0] & 0xe0) == 0xc0) {
		more = 1;
		least = 0x80;
		point = s[0] & 0x1f;
	} else if ((s[0] & 0xf0) == 0xe0) {
		more = 2;
		least = 0x800;
		point = s[0] & 0x0f;
	} else if ((s[0] & 0xf8) == 0xf0) {
		more = 3;
		least = 0x10000;
		point = s[0] & 0x07;
	} else {
		goto bad;
	}
	/* The terminator is no continuation byte, so this cannot run over. */
	for (i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			goto bad;
		point = point << 6 | (s[i] & 0x3f);
	}
	if (point < least || point > 0x10ffff ||
	    (point >= 0xd800 && point < 0xe000))
		goto bad;
	*at = s + 1 + more;
	return point;
bad:
	*at = s + 1;
	return 0xfffd;
}

/*
 * utf8s_to_utf16s() would do but for two things: it gives up at the first
 * byte that is not UTF-8, and a veto must not lose its reason over that; and
 * it needs CONFIG_NLS.
 */
static u16 bpio_string_set(u16 *units, unsigned int max, const char *string)
{
	const u8 *at = (const u8 *)string;
	unsigned int n = 0;

	memset(units, 0, max * sizeof(*units));
	while (at && *at) {
		u32 point = bpio_utf8_next(&at);

		if (point < 0x10000) {
			if (n + 1 > max)
				break;
			units[n++] = point;
		} else {
			/* Never half of a pair. */
			if (n + 2 > max)
				break;
			point -= 0x10000;
			units[n++] = 0xd800 | point >> 10;
			units[n++] = 0xdc00 | (point & 0x3ff);
		}
	}
	return n;
}

/**
 * bpio_results_set - write a verdict
 * @results: all of it is written
 * @op_status: NTSTATUS; 0: nobody objects
 * @driver: file name of the driver that objects, ASCII or UTF-8; NULL: none.
 *	Cut to BPIO_DRIVER_NAME_CHARS code units.
 * @reason: ASCII or UTF-8; NULL: none.  Cut to BPIO_FAILURE_REASON_CHARS.
 *
 * Protocol section 1: lengths count UTF-16 code units, there is no terminator,
 * the tail is zero, over-long strings are cut but not in the middle of a
 * surrogate pair.
 *
 * Context: any.
 */
void bpio_results_set(struct bpio_results *results, s32 op_status,
		      const char *driver, const char *reason)
{
	results->op_status = op_status;
	results->failing_driver_name_len =
		bpio_string_set(results->failing_driver_name,
				BPIO_DRIVER_NAME_CHARS, driver);
	results->failure_reason_len =
		bpio_string_set(results->failure_reason,
				BPIO_FAILURE_REASON_CHARS, reason);
}
EXPORT_SYMBOL_GPL(bpio_results_set);
