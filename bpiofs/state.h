/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state model of protocol 6.0 and what each operation does to it.
 * Pure: no file, inode, lock or I/O.  The callers hold
 * bpiofs_volume.state_lock.
 */
#ifndef _BPIOFS_STATE_H
#define _BPIOFS_STATE_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/bpio.h>

/* The path of one read (6.0). */
enum bpiofs_path {
	BPIOFS_PATH_FULL,
	BPIOFS_PATH_PARTIAL,
	BPIOFS_PATH_TRADITIONAL,
	BPIOFS_PATH_NR,
};

/* Why a read did not take the full path. */
enum bpiofs_why {
	BPIOFS_WHY_NONE,
	BPIOFS_WHY_NOT_ENABLED,
	BPIOFS_WHY_CACHED_IO,
	BPIOFS_WHY_FILTER_BLOCKED,
	BPIOFS_WHY_STREAM_PAUSED,
	BPIOFS_WHY_CACHED_USERS,
	BPIOFS_WHY_SPARSE,
	BPIOFS_WHY_VOLUME_PAUSED,
	BPIOFS_WHY_STORAGE_VETO,
	BPIOFS_WHY_GATE_CLOSED,
	BPIOFS_WHY_LAYOUT_CHANGING,
	BPIOFS_WHY_NOT_MAPPED,
	BPIOFS_WHY_NOT_ALIGNED,
	BPIOFS_WHY_NOT_EXCLUSIVE,
	BPIOFS_WHY_NO_MEMORY,
	BPIOFS_WHY_IO_ERROR,
	BPIOFS_WHY_NR,
};

enum bpiofs_storage_state {
	BPIOFS_STG_IDLE,
	BPIOFS_STG_ACTIVE,
	BPIOFS_STG_VETOED,
};

/* Why a volume is paused, each a bit; it is paused while any is set. */
enum bpiofs_paused {
	BPIOFS_PAUSED_BY_REQUEST = BIT(0),	/* VOLUME_STACK_PAUSE */
	BPIOFS_PAUSED_BY_VETO = BIT(1),	/* a layer began to object */
};

/* What keeps a volume from being bypassed although it could be, each a bit. */
enum bpiofs_suspension {
	BPIOFS_SUSPENDED_PAUSE,		/* VOLUME_STACK_PAUSE */
	BPIOFS_SUSPENDED_VETO,		/* a veto, even if it was withdrawn */
	BPIOFS_SUSPENDED_SUSPEND,	/* dm suspend, here or below */
	BPIOFS_SUSPENDED_DISABLE,	/* DISABLE by /dev/bpio */
	BPIOFS_SUSPENDED_MOUNT,		/* another mount of the file system */
	BPIOFS_SUSPENDED_NR,
};

/**
 * struct bpiofs_volume_state - BypassIO state of a mount
 * @active_count: enabled opens; ActiveBypassIoCount
 * @vol_paused: bits of enum bpiofs_paused
 * @filter_blocked: a filter that has not opted in is attached
 * @stg_state: what the storage stack says: asked again by VOLUME_STACK_RESUME
 *	and after each change there, so that it is what QUERY says
 * @stg_results: its words
 * @stg_compatible: the storage driver is BypassIO-compatible
 */
struct bpiofs_volume_state {
	u32 active_count;
	unsigned int vol_paused;
	bool filter_blocked;
	enum bpiofs_storage_state stg_state;
	struct bpio_results stg_results;
	bool stg_compatible;
};

/**
 * struct bpiofs_stream_state - BypassIO state of a file
 * @open_count: enabled opens of the file; BypassIoOpenCount
 * @stream_paused: STREAM_PAUSE is in force
 * @sparse: there was a hole before the valid data length when last looked at
 * @pauses: how often STREAM_PAUSE came into force
 */
struct bpiofs_stream_state {
	u32 open_count;
	bool stream_paused;
	bool sparse;
	u32 pauses;
};

/**
 * struct bpiofs_kind - what decides an automatic veto (6.3)
 * @volume: the volume handle
 * @directory: a directory other than the volume handle
 * @dax: on a DAX volume
 * @swapfile: an active paging file
 * @compressed: file attribute
 * @encrypted: file attribute
 * @sparse: has a hole before its valid data length
 */
struct bpiofs_kind {
	bool volume;
	bool directory;
	bool dax;
	bool swapfile;
	bool compressed;
	bool encrypted;
	bool sparse;
};

struct bpiofs_veto {
	s32 op_status;
	const char *reason;
};

const char *bpiofs_path_name(enum bpiofs_path path);
const char *bpiofs_why_name(enum bpiofs_why why);
const char *bpiofs_suspension_name(enum bpiofs_suspension suspension);
s32 bpiofs_check_manage_bypass_io(const struct fs_bpio_input *input,
				  u32 input_length, u32 output_length);
u32 bpiofs_information(u32 operation);
u32 bpiofs_out_flags(const struct bpiofs_volume_state *vol,
		     const struct bpiofs_stream_state *stream, u32 operation,
		     u32 in_flags);
struct bpiofs_veto bpiofs_automatic_veto(const struct bpiofs_kind *kind,
					 u32 operation);
bool bpiofs_state_enable(struct bpiofs_volume_state *vol,
			 struct bpiofs_stream_state *stream);
bool bpiofs_state_disable(struct bpiofs_volume_state *vol,
			  struct bpiofs_stream_state *stream);
bool bpiofs_state_pause_stream(struct bpiofs_stream_state *stream);
bool bpiofs_state_pause_by_veto(struct bpiofs_volume_state *vol);
void bpiofs_state_verdict(struct bpiofs_volume_state *vol,
			  const struct bpio_results *results);
unsigned int bpiofs_state_suspended_by(const struct bpiofs_volume_state *vol,
				       unsigned int closed);
u32 bpiofs_state_resume_operation(const struct bpiofs_volume_state *vol,
				  unsigned int closed);
enum bpiofs_path bpiofs_state_path(const struct bpiofs_volume_state *vol,
				   const struct bpiofs_stream_state *stream,
				   bool enabled, bool direct,
				   bool cached_users, enum bpiofs_why *why);

#endif /* _BPIOFS_STATE_H */
