// SPDX-License-Identifier: GPL-2.0
/*
 * The one table of statuses: NTSTATUS, Win32 code, message text.  Values and
 * codes as in MS-ERREF and the public headers.  The texts of 489-506 are those
 * that fsutil is known to print; the others are the customary messages of
 * their Win32 codes.
 *
 * Unverified: Win32 codes of statuses outside 489-506, which are the customary
 * pairing.
 */
#include "status.h"

#define ROW(status, win32_code, message)                         \
	{                                                        \
		.value = STATUS_##status, .win32 = (win32_code), \
		.name = "STATUS_" #status, .text = (message),    \
	}
#define WHILE(what)                                            \
	"The specified operation is not supported while " what \
	" is enabled on the target object."

const struct bpio_status bpio_statuses[] = {
	/* clang-format off */
	ROW(SUCCESS, 0, "The operation completed successfully."),
	ROW(PENDING, 997, "Overlapped I/O operation is in progress."),
	ROW(BUFFER_OVERFLOW, 234, "More data is available."),
	ROW(UNSUCCESSFUL, 31,
	    "A device attached to the system is not functioning."),
	ROW(INFO_LENGTH_MISMATCH, 24,
	    "The program issued a command but the command length is "
	    "incorrect."),
	ROW(INVALID_HANDLE, 6, "The handle is invalid."),
	ROW(INVALID_PARAMETER, 87, "The parameter is incorrect."),
	ROW(INVALID_DEVICE_REQUEST, 1, "Incorrect function."),
	ROW(END_OF_FILE, 38, "Reached the end of the file."),
	ROW(NONEXISTENT_SECTOR, 27,
	    "The drive cannot find the sector requested."),
	ROW(ACCESS_DENIED, 5, "Access is denied."),
	ROW(BUFFER_TOO_SMALL, 122,
	    "The data area passed to a system call is too small."),
	ROW(DATA_OVERRUN, 1117,
	    "The request could not be performed because of an I/O "
	    "device error."),
	ROW(FILE_LOCK_CONFLICT, 33,
	    "The process cannot access the file because another process "
	    "has locked a portion of the file."),
	ROW(INSUFFICIENT_RESOURCES, 1450,
	    "Insufficient system resources exist to complete the "
	    "requested service."),
	ROW(MEDIA_WRITE_PROTECTED, 19, "The media is write protected."),
	ROW(IO_TIMEOUT, 121, "The semaphore timeout period has expired."),
	ROW(NOT_SUPPORTED, 50, "The request is not supported."),
	ROW(INVALID_PARAMETER_1, 87, "The parameter is incorrect."),
	ROW(INVALID_PARAMETER_2, 87, "The parameter is incorrect."),
	ROW(INVALID_PARAMETER_3, 87, "The parameter is incorrect."),
	ROW(INVALID_PARAMETER_4, 87, "The parameter is incorrect."),
	ROW(FILE_DELETED, 5, "Access is denied."),
	ROW(FILE_CLOSED, 6, "The handle is invalid."),
	ROW(TOO_LATE, 19, "The media is write protected."),
	ROW(INVALID_BUFFER_SIZE, 1784,
	    "The supplied user buffer is not valid for the requested "
	    "operation."),
	ROW(VOLUME_DISMOUNTED, 21, "The device is not ready."),
	ROW(BEYOND_VDL, 1289,
	    "The operation occurred beyond the valid data length of the file."),
	ROW(DEVICE_FEATURE_NOT_SUPPORTED, 316,
	    "The device does not support the command feature."),
	ROW(DEVICE_UNREACHABLE, 321, "The device is unreachable."),
	ROW(INVALID_TOKEN, 315, "The token representing the data is invalid."),
	ROW(COMPRESSED_FILE_NOT_SUPPORTED, 335,
	    "The specified operation is not supported on a compressed file."),
	ROW(DIRECTORY_NOT_SUPPORTED, 336,
	    "The specified operation is not supported on a directory."),
	ROW(NOT_SUPPORTED_ON_DAX, 360,
	    "The specified operation is not supported on a DAX volume."),
	ROW(ENCRYPTED_FILE_NOT_SUPPORTED, 489,
	    "The specified operation is not supported on an encrypted file."),
	ROW(SPARSE_FILE_NOT_SUPPORTED, 490,
	    "The specified operation is not supported on a sparse file."),
	ROW(PAGEFILE_NOT_SUPPORTED, 491,
	    "The specified operation is not supported on a pagefile."),
	ROW(VOLUME_NOT_SUPPORTED, 492,
	    "The specified operation is not supported on a volume."),
	ROW(NOT_SUPPORTED_WITH_BYPASSIO, 493,
	    "The specified operation is not supported on a BypassIO "
	    "enabled file."),
	ROW(NO_BYPASSIO_DRIVER_SUPPORT, 494,
	    "The specified driver does not support BypassIO operations."),
	ROW(NOT_SUPPORTED_WITH_ENCRYPTION, 495, WHILE("encryption")),
	ROW(NOT_SUPPORTED_WITH_COMPRESSION, 496, WHILE("compression")),
	ROW(NOT_SUPPORTED_WITH_REPLICATION, 497, WHILE("replication")),
	ROW(NOT_SUPPORTED_WITH_DEDUPLICATION, 498, WHILE("deduplication")),
	ROW(NOT_SUPPORTED_WITH_AUDITING, 499, WHILE("auditing")),
	ROW(NOT_SUPPORTED_WITH_MONITORING, 503, WHILE("monitoring")),
	ROW(NOT_SUPPORTED_WITH_SNAPSHOT, 504, WHILE("snapshot")),
	ROW(NOT_SUPPORTED_WITH_VIRTUALIZATION, 505, WHILE("virtualization")),
	ROW(BYPASSIO_FLT_NOT_SUPPORTED, 506,
	    "At least one minifilter does not support bypass IO."),
	ROW(OFFLOAD_READ_FLT_NOT_SUPPORTED, 4440,
	    "The copy offload read operation is not supported by a filter."),
	ROW(OFFLOAD_WRITE_FLT_NOT_SUPPORTED, 4441,
	    "The copy offload write operation is not supported by a filter."),
	ROW(OFFLOAD_READ_FILE_NOT_SUPPORTED, 4442,
	    "The copy offload read operation is not supported for the file."),
	ROW(OFFLOAD_WRITE_FILE_NOT_SUPPORTED, 4443,
	    "The copy offload write operation is not supported for the file."),
	ROW(FLT_INTERNAL_ERROR, 0x801F000A,
	    "The filter manager met an internal error."),
	ROW(FLT_INSTANCE_ALTITUDE_COLLISION, 0x801F0011,
	    "An instance already exists at this altitude on the volume "
	    "specified."),
	ROW(FLT_VOLUME_NOT_FOUND, 0x801F0014,
	    "The system could not find the volume specified."),
	/* clang-format on */
};

const size_t bpio_statuses_nr =
	sizeof(bpio_statuses) / sizeof(bpio_statuses[0]);

const struct bpio_status *bpio_status_find(int32_t status)
{
	size_t low = 0;
	size_t high = bpio_statuses_nr;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct bpio_status *row = &bpio_statuses[middle];

		if (row->value == status)
			return row;
		if ((uint32_t)row->value < (uint32_t)status)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *bpio_status_name(int32_t status)
{
	const struct bpio_status *row = bpio_status_find(status);

	return row ? row->name : "unknown status";
}
