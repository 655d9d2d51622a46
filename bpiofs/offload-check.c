// SPDX-License-Identifier: GPL-2.0
/*
 * The checks of FSCTL_OFFLOAD_READ and FSCTL_OFFLOAD_WRITE that look at
 * numbers only, in the order of protocol 9.1 and 9.2.  Pure.
 */
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <bpio/compat.h>
#include "offload-check.h"

static bool aligned(u64 value, u32 sector)
{
	return IS_ALIGNED(value, sector);
}

/* OR-11, OW-7: a sector multiple, or ending exactly at the end of the file */
static bool length_ok(u64 offset, u64 length, u32 sector, u64 file_size)
{
	u64 end;

	return aligned(length, sector) ||
	       (!check_add_overflow(offset, length, &end) && end == file_size);
}

/**
 * bpiofs_check_offload_read - OR-9 to OR-13
 * @in: at least @input_length bytes; not looked at when that is short
 * @input_length: bytes
 * @output_length: bytes
 * @sector: logical sector size of the volume, bytes, a power of two
 * @file_size: bytes
 *
 * Return: STATUS_SUCCESS, STATUS_BUFFER_TOO_SMALL or
 * STATUS_INVALID_PARAMETER.
 */
s32 bpiofs_check_offload_read(const struct fsctl_offload_read_input *in,
			      u32 input_length, u32 output_length, u32 sector,
			      u64 file_size)
{
	u64 end;

	if (input_length < sizeof(*in) ||
	    output_length < sizeof(struct fsctl_offload_read_output))
		return STATUS_BUFFER_TOO_SMALL;
	if (!aligned(in->file_offset, sector))
		return STATUS_INVALID_PARAMETER;
	if (!length_ok(in->file_offset, in->copy_length, sector, file_size))
		return STATUS_INVALID_PARAMETER;
	if (in->size != sizeof(*in))
		return STATUS_INVALID_PARAMETER;
	if (check_add_overflow(in->file_offset, in->copy_length, &end))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_check_offload_read);

/**
 * bpiofs_check_offload_write - OW-6 to OW-9
 * @in: at least @input_length bytes; not looked at when that is short
 * @input_length: bytes
 * @output_length: bytes
 * @sector: logical sector size of the volume, bytes, a power of two
 * @file_size: bytes
 *
 * Return: STATUS_SUCCESS, STATUS_BUFFER_TOO_SMALL or
 * STATUS_INVALID_PARAMETER.
 */
s32 bpiofs_check_offload_write(const struct fsctl_offload_write_input *in,
			       u32 input_length, u32 output_length, u32 sector,
			       u64 file_size)
{
	u64 end;

	if (input_length < sizeof(*in) ||
	    output_length < sizeof(struct fsctl_offload_write_output))
		return STATUS_BUFFER_TOO_SMALL;
	if (!aligned(in->file_offset, sector))
		return STATUS_INVALID_PARAMETER;
	if (!length_ok(in->file_offset, in->copy_length, sector, file_size))
		return STATUS_INVALID_PARAMETER;
	if (!aligned(in->transfer_offset, sector))
		return STATUS_INVALID_PARAMETER;
	if (in->size != sizeof(*in))
		return STATUS_INVALID_PARAMETER;
	if (check_add_overflow(in->file_offset, in->copy_length, &end))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_check_offload_write);

/**
 * bpiofs_trim_offload_read - OR-19 to OR-21: what of a request holds data
 * @offset: FileOffset, bytes, a multiple of @sector
 * @length: in: CopyLength, bytes, above 0; out: what the token stands for, a
 *	multiple of @sector
 * @sector: logical sector size of the volume, bytes
 * @file_size: bytes
 * @vdl: valid data length, bytes, at most @file_size
 * @all_zero: out: OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE
 * @no_data: out: all of it lies beyond the valid data: a zero token
 *
 * Return: STATUS_SUCCESS or STATUS_END_OF_FILE.
 */
s32 bpiofs_trim_offload_read(u64 offset, u64 *length, u32 sector,
			     u64 file_size, u64 vdl, bool *all_zero,
			     bool *no_data)
{
	*all_zero = false;
	*no_data = false;
	if (offset >= file_size)
		return STATUS_END_OF_FILE;
	if (offset >= vdl) {
		*all_zero = true;
		*no_data = true;
		*length = min(ALIGN(*length, (u64)sector),
			      ALIGN(file_size, (u64)sector) - offset);
		return STATUS_SUCCESS;
	}
	if (*length > vdl - offset) {
		*all_zero = true;
		*length = vdl - offset;
	}
	*length = ALIGN(*length, (u64)sector);
	return STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_trim_offload_read);

/**
 * bpiofs_trim_offload_write - OW-14, OW-16 to OW-18: where a write may go
 * @offset: FileOffset, bytes, a multiple of @sector
 * @length: in: CopyLength, bytes, above 0; out: trimmed to the end of the file
 *	rounded up to a sector, a multiple of @sector
 * @sector: logical sector size of the volume, bytes
 * @file_size: bytes
 * @vdl: valid data length, bytes, at most @file_size
 * @conflict: a byte-range lock stands against it; OW-15 lies in between
 * @max_size: largest file of the volume, bytes
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER,
 * STATUS_FILE_LOCK_CONFLICT or STATUS_END_OF_FILE.
 */
s32 bpiofs_trim_offload_write(u64 offset, u64 *length, u32 sector,
			      u64 file_size, u64 vdl, bool conflict,
			      u64 max_size)
{
	if (offset > max_size || *length > max_size - offset)
		return STATUS_INVALID_PARAMETER;
	if (conflict)
		return STATUS_FILE_LOCK_CONFLICT;
	if (offset >= file_size)
		return STATUS_END_OF_FILE;
	if (offset > vdl)
		return STATUS_INVALID_PARAMETER;
	*length = min(ALIGN(*length, (u64)sector),
		      ALIGN(file_size, (u64)sector) - offset);
	return STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_trim_offload_write);

/**
 * bpiofs_trim_to_token - OW-23: what of a write the token can fill
 * @transfer_offset: bytes into the token's data
 * @length: in: bytes wanted, above 0; out: trimmed to the token's end
 * @token_length: bytes the token stands for
 *
 * Return: STATUS_SUCCESS or STATUS_INVALID_PARAMETER.
 */
s32 bpiofs_trim_to_token(u64 transfer_offset, u64 *length, u64 token_length)
{
	if (transfer_offset >= token_length)
		return STATUS_INVALID_PARAMETER;
	*length = min(*length, token_length - transfer_offset);
	return STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_trim_to_token);
