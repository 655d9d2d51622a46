// SPDX-License-Identifier: GPL-2.0
/*
 * The state model of BypassIO (protocol 6.0-6.4) as plain functions on plain
 * structures.  It refuses to know files, locks and I/O: bypass.c does those.
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <bpio/compat.h>
#include <bpio/storage.h>
#include "state.h"

static const char *const why_names[] = {
	[BPIOFS_WHY_NONE] = "none",
	[BPIOFS_WHY_NOT_ENABLED] = "not_enabled",
	[BPIOFS_WHY_CACHED_IO] = "cached_io",
	[BPIOFS_WHY_FILTER_BLOCKED] = "filter_blocked",
	[BPIOFS_WHY_STREAM_PAUSED] = "stream_paused",
	[BPIOFS_WHY_CACHED_USERS] = "cached_users",
	[BPIOFS_WHY_SPARSE] = "sparse",
	[BPIOFS_WHY_VOLUME_PAUSED] = "volume_paused",
	[BPIOFS_WHY_STORAGE_VETO] = "storage_veto",
	[BPIOFS_WHY_GATE_CLOSED] = "gate_closed",
	[BPIOFS_WHY_LAYOUT_CHANGING] = "layout_changing",
	[BPIOFS_WHY_NOT_MAPPED] = "not_mapped",
	[BPIOFS_WHY_NOT_ALIGNED] = "not_aligned",
	[BPIOFS_WHY_NOT_EXCLUSIVE] = "not_exclusive",
	[BPIOFS_WHY_NO_MEMORY] = "no_memory",
	[BPIOFS_WHY_IO_ERROR] = "io_error",
};

/**
 * bpiofs_path_name - the word that traces and tools show for a path
 * @path: enum bpiofs_path, below BPIOFS_PATH_NR
 *
 * Return: a static string.
 */
const char *bpiofs_path_name(enum bpiofs_path path)
{
	static const char *const names[] = {
		[BPIOFS_PATH_FULL] = "full",
		[BPIOFS_PATH_PARTIAL] = "partial",
		[BPIOFS_PATH_TRADITIONAL] = "traditional",
	};

	static_assert(ARRAY_SIZE(names) == BPIOFS_PATH_NR);
	return names[path];
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_path_name);

/**
 * bpiofs_why_name - the word that counters and tools show for a reason
 * @why: enum bpiofs_why, below BPIOFS_WHY_NR
 *
 * Return: a static string.
 */
const char *bpiofs_why_name(enum bpiofs_why why)
{
	static_assert(ARRAY_SIZE(why_names) == BPIOFS_WHY_NR);
	return why_names[why];
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_why_name);

/**
 * bpiofs_suspension_name - the word that tools show for a suspension
 * @suspension: enum bpiofs_suspension, below BPIOFS_SUSPENDED_NR
 *
 * Return: a static string.
 */
const char *bpiofs_suspension_name(enum bpiofs_suspension suspension)
{
	static const char *const names[] = {
		[BPIOFS_SUSPENDED_PAUSE] = "pause",
		[BPIOFS_SUSPENDED_VETO] = "veto",
		[BPIOFS_SUSPENDED_SUSPEND] = "suspend",
		[BPIOFS_SUSPENDED_DISABLE] = "disable",
		[BPIOFS_SUSPENDED_MOUNT] = "mount",
	};

	static_assert(ARRAY_SIZE(names) == BPIOFS_SUSPENDED_NR);
	return names[suspension];
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_suspension_name);

/**
 * bpiofs_check_manage_bypass_io - is a FSCTL_MANAGE_BYPASS_IO well formed?
 * @input: at least @input_length bytes; not looked at when that is short
 * @input_length: bytes
 * @output_length: bytes
 *
 * R-FS-5, in the order of the rule: lengths, operation, flags, reserved.
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_BUFFER_SIZE or
 * STATUS_INVALID_PARAMETER.
 */
s32 bpiofs_check_manage_bypass_io(const struct fs_bpio_input *input,
				  u32 input_length, u32 output_length)
{
	if (input_length < sizeof(*input) ||
	    output_length < sizeof(struct fs_bpio_output))
		return STATUS_INVALID_BUFFER_SIZE;
	if (input->operation < FS_BPIO_OP_ENABLE ||
	    input->operation >= FS_BPIO_OP_MAX_OPERATION)
		return STATUS_INVALID_PARAMETER;
	if (input->in_flags & ~FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY)
		return STATUS_INVALID_PARAMETER;
	if (input->reserved1 || input->reserved2)
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_check_manage_bypass_io);

/**
 * bpiofs_information - bytes returned by an operation (3.1)
 * @operation: FS_BPIO_OP_*
 *
 * Return: 352, 96 or 24.
 */
u32 bpiofs_information(u32 operation)
{
	switch (operation) {
	case FS_BPIO_OP_ENABLE:
	case FS_BPIO_OP_QUERY:
	case FS_BPIO_OP_VOLUME_STACK_RESUME:
	case FS_BPIO_OP_STREAM_RESUME:
		return FS_BPIO_OUTPUT_QUERY_SIZE;
	case FS_BPIO_OP_GET_INFO:
		return FS_BPIO_OUTPUT_GET_INFO_SIZE;
	default:
		return FS_BPIO_OUTPUT_DISABLE_SIZE;
	}
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_information);

/**
 * bpiofs_out_flags - FSBPIO_OUTFL_* after an operation (4.3)
 * @vol: state after the operation
 * @stream: state after the operation; NULL on directory and volume handles
 * @operation: FS_BPIO_OP_*
 * @in_flags: FSBPIO_INFL_*
 *
 * Return: the flags.
 */
u32 bpiofs_out_flags(const struct bpiofs_volume_state *vol,
		     const struct bpiofs_stream_state *stream, u32 operation,
		     u32 in_flags)
{
	u32 flags = 0;
	bool storage;

	if (vol->vol_paused)
		flags |= FSBPIO_OUTFL_VOLUME_STACK_BYPASS_PAUSED;
	if (stream && stream->stream_paused)
		flags |= FSBPIO_OUTFL_STREAM_BYPASS_PAUSED;
	if (vol->filter_blocked)
		flags |= FSBPIO_OUTFL_FILTER_ATTACH_BLOCKED;

	storage = operation == FS_BPIO_OP_ENABLE ||
		  operation == FS_BPIO_OP_GET_INFO ||
		  (operation == FS_BPIO_OP_QUERY &&
		   !(in_flags & FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY));
	if (storage && vol->stg_compatible)
		flags |= FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER;
	return flags;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_out_flags);

/**
 * bpiofs_automatic_veto - does the file system itself object? (6.3)
 * @kind: of the handle's file
 * @operation: FS_BPIO_OP_ENABLE or FS_BPIO_OP_QUERY
 *
 * The order is that of the table in 6.3.  QUERY is not vetoed on a directory
 * or the volume for being one (R-FS-41).
 *
 * Return: op_status 0 when nothing stands against it.
 */
struct bpiofs_veto bpiofs_automatic_veto(const struct bpiofs_kind *kind,
					 u32 operation)
{
	const bool enable = operation == FS_BPIO_OP_ENABLE;

	if (enable && kind->volume)
		return (struct bpiofs_veto){ STATUS_VOLUME_NOT_SUPPORTED,
			"Volume handle not supported" };
	if (enable && kind->directory)
		return (struct bpiofs_veto){ STATUS_DIRECTORY_NOT_SUPPORTED,
			"Directory not supported" };
	if (kind->dax)
		return (struct bpiofs_veto){ STATUS_NOT_SUPPORTED_ON_DAX,
			"DAX volume not supported" };
	if (kind->swapfile)
		return (struct bpiofs_veto){ STATUS_PAGEFILE_NOT_SUPPORTED,
			"Paging file not supported" };
	if (kind->compressed)
		return (struct bpiofs_veto){
			STATUS_COMPRESSED_FILE_NOT_SUPPORTED,
			"Compressed file not supported" };
	if (kind->encrypted)
		return (struct bpiofs_veto){
			STATUS_ENCRYPTED_FILE_NOT_SUPPORTED,
			"Encrypted file not supported" };
	if (kind->sparse)
		return (struct bpiofs_veto){ STATUS_SPARSE_FILE_NOT_SUPPORTED,
			"Sparse file not supported" };
	return (struct bpiofs_veto){ STATUS_SUCCESS, NULL };
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_automatic_veto);

/**
 * bpiofs_state_enable - one more open of a stream is enabled (R-FS-8, R-FS-9)
 * @vol: volume
 * @stream: stream
 *
 * Return: true when storage has to be sent BPIO_OP_ENABLE (R-FS-10).
 */
bool bpiofs_state_enable(struct bpiofs_volume_state *vol,
			 struct bpiofs_stream_state *stream)
{
	stream->open_count++;
	return vol->active_count++ == 0;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_state_enable);

/**
 * bpiofs_state_disable - an enabled open of a stream is enabled no more
 * @vol: volume, with at least one enabled open
 * @stream: stream, with at least one enabled open
 *
 * The pause of a stream ends with its last enabled open (R-FS-63), and the
 * pause that a veto made with the last one of the volume: the next ENABLE asks
 * the layer itself.
 *
 * Return: true when storage has to be sent BPIO_OP_DISABLE (R-FS-10).
 */
bool bpiofs_state_disable(struct bpiofs_volume_state *vol,
			  struct bpiofs_stream_state *stream)
{
	if (--stream->open_count == 0)
		stream->stream_paused = false;
	if (--vol->active_count)
		return false;
	vol->vol_paused &= ~BPIOFS_PAUSED_BY_VETO;
	return true;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_state_disable);

/**
 * bpiofs_state_pause_stream - STREAM_PAUSE (R-FS-60, R-FS-61)
 * @stream: stream
 *
 * Return: true when reads in flight have to be drained; false when the
 * request is ignored because nothing is enabled.
 */
bool bpiofs_state_pause_stream(struct bpiofs_stream_state *stream)
{
	if (!stream->open_count)
		return false;
	stream->stream_paused = true;
	stream->pauses++;
	return true;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_state_pause_stream);

/**
 * bpiofs_state_pause_by_veto - a layer begins to object (R-STG-10)
 * @vol: volume
 *
 * Return: true when reads in flight have to be drained; false when storage is
 * not bypassed, so that there is nothing to pause.
 */
bool bpiofs_state_pause_by_veto(struct bpiofs_volume_state *vol)
{
	if (!vol->active_count || vol->stg_state != BPIOFS_STG_ACTIVE)
		return false;
	vol->vol_paused |= BPIOFS_PAUSED_BY_VETO;
	return true;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_state_pause_by_veto);

/**
 * bpiofs_state_verdict - remember what the storage stack said (R-FS-13)
 * @vol: volume with at least one enabled open
 * @results: of ENABLE, or of QUERY while active
 *
 * When no layer objects, the pause that a veto made ends.
 */
void bpiofs_state_verdict(struct bpiofs_volume_state *vol,
			  const struct bpio_results *results)
{
	vol->stg_results = *results;
	vol->stg_state = results->op_status ? BPIOFS_STG_VETOED :
					      BPIOFS_STG_ACTIVE;
	if (!results->op_status)
		vol->vol_paused &= ~BPIOFS_PAUSED_BY_VETO;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_state_verdict);

/**
 * bpiofs_state_resume_operation - what VOLUME_STACK_RESUME asks storage
 * @vol: volume
 * @closed: bits of enum bpio_gate_reason for which its gate is closed; 0
 *	without a storage layer
 *
 * QUERY changes nothing: where storage has to begin again it is ENABLE.
 *
 * Return: BPIO_OP_QUERY, BPIO_OP_ENABLE, or 0 for nothing (R-FS-55, R-FS-56).
 */
u32 bpiofs_state_resume_operation(const struct bpiofs_volume_state *vol,
				  unsigned int closed)
{
	if (!vol->active_count)
		return 0;
	if (vol->stg_state != BPIOFS_STG_ACTIVE ||
	    closed & (BIT(BPIO_GATE_IDLE) | BIT(BPIO_GATE_VETOED)))
		return BPIO_OP_ENABLE;
	return BPIO_OP_QUERY;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_state_resume_operation);

/**
 * bpiofs_state_suspended_by - what keeps the volume from being bypassed
 * @vol: volume
 * @closed: bits of enum bpio_gate_reason for which its gate is closed; 0
 *	without a storage layer
 *
 * While nothing is enabled, storage's objections and an idle gate suspend
 * nothing: the next ENABLE asks.
 *
 * Return: bits of enum bpiofs_suspension but BPIOFS_SUSPENDED_MOUNT, which is
 * not a matter of the state.
 */
unsigned int bpiofs_state_suspended_by(const struct bpiofs_volume_state *vol,
				       unsigned int closed)
{
	const bool active = vol->active_count;
	unsigned int by = 0;

	if (vol->vol_paused & BPIOFS_PAUSED_BY_REQUEST)
		by |= BIT(BPIOFS_SUSPENDED_PAUSE);
	if (vol->vol_paused & BPIOFS_PAUSED_BY_VETO ||
	    (active && closed & BIT(BPIO_GATE_VETOED)))
		by |= BIT(BPIOFS_SUSPENDED_VETO);
	if (closed & BIT(BPIO_GATE_SUSPENDED))
		by |= BIT(BPIOFS_SUSPENDED_SUSPEND);
	/* A refused ENABLE leaves the gate idle as well. */
	if (active && vol->stg_state == BPIOFS_STG_ACTIVE &&
	    closed & BIT(BPIO_GATE_IDLE))
		by |= BIT(BPIOFS_SUSPENDED_DISABLE);
	return by;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_state_suspended_by);

/**
 * bpiofs_state_path - the path of one read (table of 6.0)
 * @vol: volume
 * @stream: stream
 * @enabled: BypassIO is enabled on the open
 * @direct: the read is O_DIRECT
 * @cached_users: the stream has cached opens, pages or mappings
 * @why: out: why it is not the full path, else BPIOFS_WHY_NONE
 *
 * Return: the path.
 */
enum bpiofs_path bpiofs_state_path(const struct bpiofs_volume_state *vol,
				   const struct bpiofs_stream_state *stream,
				   bool enabled, bool direct,
				   bool cached_users, enum bpiofs_why *why)
{
	*why = !enabled ? BPIOFS_WHY_NOT_ENABLED :
	       !direct ? BPIOFS_WHY_CACHED_IO :
	       vol->filter_blocked ? BPIOFS_WHY_FILTER_BLOCKED :
	       stream->stream_paused ? BPIOFS_WHY_STREAM_PAUSED :
	       cached_users ? BPIOFS_WHY_CACHED_USERS :
	       stream->sparse ? BPIOFS_WHY_SPARSE : BPIOFS_WHY_NONE;
	if (*why != BPIOFS_WHY_NONE)
		return BPIOFS_PATH_TRADITIONAL;

	*why = vol->vol_paused ? BPIOFS_WHY_VOLUME_PAUSED :
	       vol->stg_state != BPIOFS_STG_ACTIVE ? BPIOFS_WHY_STORAGE_VETO :
						      BPIOFS_WHY_NONE;
	return *why == BPIOFS_WHY_NONE ? BPIOFS_PATH_FULL :
					 BPIOFS_PATH_PARTIAL;
}
BPIO_EXPORT_FOR_KUNIT(bpiofs_state_path);
