// SPDX-License-Identifier: GPL-2.0
/*
 * The offload actions of IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES as numbers:
 * the checks in the order of protocol section 10, how a list of ranges is cut
 * by limits, and what a result looks like.  Pure.
 */
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "dsm-check.h"

/* CE-8, for a target that names no optimal size, and for one that exaggerates */
#define DSM_TRANSFER_DEFAULT	SZ_64M
#define DSM_TRANSFER_MAX	SZ_256M

/* Does a block lie behind the header and inside the buffer? */
static bool block_ok(u32 offset, u32 length, u32 align, u32 input_length)
{
	if (!offset)
		return true;		/* there is none */
	return offset >= sizeof(struct device_dsm_input) &&
	       IS_ALIGNED(offset, align) &&
	       (u64)offset + length <= input_length;
}

/* DS-1, DS-2: the layout of the buffer */
static bool layout_ok(const struct device_dsm_input *in, u32 input_length)
{
	u32 align = 1;		/* of what parameters an unknown action has */

	if (input_length < sizeof(*in) ||
	    sizeof(*in) + (u64)in->parameter_block_length +
	    in->data_set_ranges_length > input_length)
		return false;
	if (in->action == DEVICE_DSM_ACTION_OFFLOAD_READ)
		align = 4;
	else if (in->action == DEVICE_DSM_ACTION_OFFLOAD_WRITE)
		align = 8;
	/* Less than one range is DS-6's affair. */
	if (in->data_set_ranges_length >= sizeof(struct device_dsm_range) &&
	    in->data_set_ranges_length % sizeof(struct device_dsm_range))
		return false;
	return block_ok(in->parameter_block_offset, in->parameter_block_length,
			align, input_length) &&
	       block_ok(in->data_set_ranges_offset, in->data_set_ranges_length,
			8, input_length);
}

/* DS-7, DS-8, range after range */
static s32 check_ranges(struct bpio_dsm *dsm,
			const struct bpio_dsm_device *device)
{
	unsigned int i;

	for (i = 0; i < dsm->nr_ranges; i++) {
		const struct device_dsm_range *range = &dsm->ranges[i];
		u64 start = range->starting_offset, end;

		if (!IS_ALIGNED(start, (u64)device->sector) ||
		    !IS_ALIGNED(range->length_in_bytes, (u64)device->sector) ||
		    !range->length_in_bytes)
			return STATUS_INVALID_PARAMETER;
		/* A negative start is beyond any device. */
		if (check_add_overflow(start, range->length_in_bytes, &end) ||
		    end > device->length)
			return STATUS_NONEXISTENT_SECTOR;
		if (check_add_overflow(dsm->length, range->length_in_bytes,
				       &dsm->length))
			dsm->length = U64_MAX;
	}
	return STATUS_SUCCESS;
}

/**
 * bpio_dsm_check - DS-1 to DS-11
 * @in: @input_length bytes, 8-byte aligned; may be NULL when that is 0
 * @input_length: bytes
 * @output_length: bytes
 * @user_mode: the sender is user mode
 * @device: what the request is held against
 * @dsm: out: where its parts are; valid as long as @in
 *
 * The offset into the token's data has to be a multiple of the sector; that is
 * judged with the size of the parameters (DS-9).
 *
 * Return: STATUS_SUCCESS, also for an action to be forwarded (DS-3);
 * STATUS_INVALID_PARAMETER, STATUS_INVALID_DEVICE_REQUEST,
 * STATUS_DEVICE_FEATURE_NOT_SUPPORTED, STATUS_ACCESS_DENIED,
 * STATUS_NONEXISTENT_SECTOR or STATUS_BUFFER_TOO_SMALL.
 */
s32 bpio_dsm_check(const struct device_dsm_input *in, u32 input_length,
		   u32 output_length, bool user_mode,
		   const struct bpio_dsm_device *device, struct bpio_dsm *dsm)
{
	const struct device_dsm_offload_write_parameters *write;
	const struct device_dsm_offload_read_parameters *read;
	u32 parameters, output;
	bool is_read;
	s32 status;

	memset(dsm, 0, sizeof(*dsm));
	if (!layout_ok(in, input_length))
		return STATUS_INVALID_PARAMETER;
	dsm->action = in->action;
	is_read = in->action == DEVICE_DSM_ACTION_OFFLOAD_READ;
	if (!is_read && in->action != DEVICE_DSM_ACTION_OFFLOAD_WRITE) {
		if (!(in->action & DEVICE_DSM_ACTION_FLAG_NON_DESTRUCTIVE))
			return STATUS_INVALID_DEVICE_REQUEST;
		dsm->forward = true;
		return STATUS_SUCCESS;
	}
	if (!device->capable)
		return STATUS_DEVICE_FEATURE_NOT_SUPPORTED;
	if (user_mode)
		return STATUS_ACCESS_DENIED;

	/* The flag for the whole device says that there are no ranges (4.6). */
	if (!in->data_set_ranges_offset ||
	    in->data_set_ranges_length < sizeof(*dsm->ranges) ||
	    in->flags & DEVICE_DSM_FLAG_ENTIRE_DATA_SET_RANGE)
		return STATUS_INVALID_PARAMETER;
	dsm->ranges = (const void *)in + in->data_set_ranges_offset;
	dsm->nr_ranges = in->data_set_ranges_length / sizeof(*dsm->ranges);
	status = check_ranges(dsm, device);
	if (status)
		return status;

	parameters = is_read ? sizeof(*read) : sizeof(*write);
	if (!in->parameter_block_offset ||
	    in->parameter_block_length < parameters)
		return STATUS_INVALID_PARAMETER;
	dsm->parameters = (const void *)in + in->parameter_block_offset;
	read = dsm->parameters;
	write = dsm->parameters;
	if (is_read && device->ttl_max_ms &&
	    read->time_to_live > device->ttl_max_ms)
		return STATUS_INVALID_PARAMETER;
	if (!is_read && !IS_ALIGNED(write->token_offset, (u64)device->sector))
		return STATUS_INVALID_PARAMETER;

	output = is_read ? sizeof(struct storage_offload_read_output) :
			   sizeof(struct storage_offload_write_output);
	return output_length < output ? STATUS_BUFFER_TOO_SMALL :
					STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpio_dsm_check);

/**
 * bpio_dsm_next - what of a list of ranges the next command takes
 * @cursor: progress; start with at and done 0
 * @max_length: bytes in one command, at least a sector, a multiple of it
 * @disjoint: end the command before a range that overlaps one that it has:
 *	commands run one after another, the parts of one do not
 * @runs: out: offset is bytes into the command, source the first sector
 * @max_runs: room in @runs, at least 1
 * @length: out: bytes in the command
 *
 * Ranges are taken in list order until a limit is hit (DS-12, DS-15).
 *
 * Return: the number of runs, 0 when all ranges are handed out.
 */
unsigned int bpio_dsm_next(struct bpio_dsm_cursor *cursor, u64 max_length,
			   bool disjoint, struct bpio_run *runs,
			   unsigned int max_runs, u64 *length)
{
	unsigned int nr = 0, i;

	*length = 0;
	while (nr < max_runs && *length < max_length &&
	       cursor->at < cursor->nr) {
		const struct device_dsm_range *range =
			&cursor->ranges[cursor->at];
		u64 start = (u64)range->starting_offset + cursor->done;
		u64 part = min(range->length_in_bytes - cursor->done,
			       max_length - *length);

		for (i = 0; disjoint && i < nr; i++)
			if (bpio_ranges_overlap(runs[i].source << 9,
						runs[i].length, start, part))
				return nr;
		runs[nr].offset = *length;
		runs[nr].length = part;
		runs[nr].source = start >> 9;
		nr++;
		*length += part;
		cursor->done += part;
		if (cursor->done == range->length_in_bytes) {
			cursor->at++;
			cursor->done = 0;
		}
	}
	return nr;
}
BPIO_EXPORT_FOR_KUNIT(bpio_dsm_next);

/**
 * bpio_dsm_transfer_size - CE-8: how much one storage command moves
 * @optimal: what the target gives, bytes; 0: none
 * @maximum: largest transfer, bytes; 0: no limit
 * @sector: logical block, bytes, a power of two
 *
 * Return: bytes, a multiple of @sector, at least @sector.
 */
u64 bpio_dsm_transfer_size(u64 optimal, u64 maximum, u32 sector)
{
	u64 size = min_t(u64, optimal ?: DSM_TRANSFER_DEFAULT,
			 DSM_TRANSFER_MAX);

	if (maximum)
		size = min(size, maximum);
	return max_t(u64, bpio_align_down(size, sector), sector);
}
BPIO_EXPORT_FOR_KUNIT(bpio_dsm_transfer_size);

/**
 * bpio_dsm_write_room - DS-19: does the token have that much
 * @token_offset: bytes into the token's data
 * @length: bytes wanted
 * @token_length: bytes the token stands for
 *
 * Return: STATUS_SUCCESS or STATUS_DATA_OVERRUN.
 */
s32 bpio_dsm_write_room(u64 token_offset, u64 length, u64 token_length)
{
	if (token_offset > token_length ||
	    length > token_length - token_offset)
		return STATUS_DATA_OVERRUN;
	return STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpio_dsm_write_room);

/**
 * bpio_dsm_write_result - DS-16 to DS-18
 * @requested: bytes
 * @copied: bytes, from the first range on
 * @status: what stopped it, STATUS_SUCCESS when nothing did
 * @out: out: the whole structure
 *
 * Return: the status of the request.
 */
s32 bpio_dsm_write_result(u64 requested, u64 copied, s32 status,
			  struct storage_offload_write_output *out)
{
	memset(out, 0, sizeof(*out));
	out->length_copied = copied;
	if (status == STATUS_INVALID_TOKEN)
		out->offload_write_flags |= STORAGE_OFFLOAD_TOKEN_INVALID;
	if (copied == requested)
		return STATUS_SUCCESS;
	if (copied) {
		out->offload_write_flags |=
			STORAGE_OFFLOAD_WRITE_RANGE_TRUNCATED;
		return STATUS_SUCCESS;
	}
	return BPIO_NT_SEVERITY(status) == 3 ? status : STATUS_UNSUCCESSFUL;
}
BPIO_EXPORT_FOR_KUNIT(bpio_dsm_write_result);

/**
 * bpio_dsm_check_query - IOCTL_STORAGE_QUERY_PROPERTY (protocol 3.5)
 * @in: @input_length bytes; may be NULL when that is 0
 * @input_length: bytes; the additional parameters may be missing
 * @output_length: bytes
 * @capable: the device does offloads
 * @information: out: bytes of the descriptor to return
 *
 * Return: STATUS_SUCCESS, STATUS_INFO_LENGTH_MISMATCH, STATUS_NOT_SUPPORTED,
 * STATUS_BUFFER_TOO_SMALL or STATUS_DEVICE_FEATURE_NOT_SUPPORTED.
 */
s32 bpio_dsm_check_query(const struct storage_property_query *in,
			 u32 input_length, u32 output_length, bool capable,
			 u32 *information)
{
	*information = 0;
	if (input_length < offsetofend(struct storage_property_query,
				       query_type))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (in->property_id != STORAGE_DEVICE_COPY_OFFLOAD_PROPERTY)
		return STATUS_NOT_SUPPORTED;
	if (in->query_type == STORAGE_PROPERTY_EXISTS_QUERY)
		return STATUS_SUCCESS;
	if (in->query_type != STORAGE_PROPERTY_STANDARD_QUERY)
		return STATUS_NOT_SUPPORTED;
	if (output_length < sizeof(struct storage_descriptor_header))
		return STATUS_BUFFER_TOO_SMALL;
	if (!capable)
		return STATUS_DEVICE_FEATURE_NOT_SUPPORTED;
	*information = output_length <
			sizeof(struct device_copy_offload_descriptor) ?
		sizeof(struct storage_descriptor_header) :
		sizeof(struct device_copy_offload_descriptor);
	return STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpio_dsm_check_query);
