/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state model of protocol 6.0 and what each operation does to it.
 * Pure: no file, inode, lock or I/O; the callers hold bpiofs_volume.state_lock.
 */
#ifndef _BPIOFS_STATE_H
#define _BPIOFS_STATE_H

#include <linux/types.h>
#include <linux/bpio.h>

/* The path of one read (6.0). */
enum bpiofs_path {
	BPIOFS_PATH_FULL,
	BPIOFS_PATH_PARTIAL,
	BPIOFS_PATH_TRADITIONAL,
	BPIOFS_PATH_NR,
};

/* Why a read of an enabled open did not take the full path. */
enum bpiofs_why {
	BPIOFS_WHY_NONE,
	BPIOFS_WHY_NOT_ENABLED,
	BPIOFS_WHY_CACHED_IO,		/* the read is not O_DIRECT */
	BPIOFS_WHY_FILTER_BLOCKED,
	BPIOFS_WHY_STREAM_PAUSED,
	BPIOFS_WHY_CACHED_USERS,	/* cached opens, pages or mappings */
	BPIOFS_WHY_VOLUME_PAUSED,
	BPIOFS_WHY_STORAGE_VETO,
	BPIOFS_WHY_GATE_CLOSED,		/* the volume is being suspended */
	BPIOFS_WHY_LAYOUT_CHANGING,
	BPIOFS_WHY_NOT_MAPPED,		/* hole, unwritten or inline */
	BPIOFS_WHY_NOT_ALIGNED,
	BPIOFS_WHY_END_OF_FILE,
	BPIOFS_WHY_NOT_EXCLUSIVE,	/* the lower mount is shared */
	BPIOFS_WHY_NO_MEMORY,
	BPIOFS_WHY_WOULD_BLOCK,
	BPIOFS_WHY_IO_ERROR,		/* repeated on the traditional path */
	BPIOFS_WHY_NR,
};

extern const char *const bpiofs_why_names[BPIOFS_WHY_NR];

enum bpiofs_storage_state {
	BPIOFS_STG_IDLE,
	BPIOFS_STG_ACTIVE,
	BPIOFS_STG_VETOED,
};

struct bpiofs_volume_state {
	u32 active_count;		/* enabled opens */
	bool vol_paused;
	bool filter_blocked;
	enum bpiofs_storage_state stg_state;
	struct bpio_results stg_results;	/* last verdict */
	bool stg_compatible;
};

struct bpiofs_stream_state {
	u32 open_count;			/* BypassIoOpenCount */
	bool stream_paused;
};

#endif /* _BPIOFS_STATE_H */
