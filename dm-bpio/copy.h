/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One copy on its way: what copy.c, its engines and who starts it share.
 */
#ifndef _DM_BPIO_COPY_H
#define _DM_BPIO_COPY_H

#include <linux/completion.h>
#include <linux/workqueue.h>
#include "dm-bpio.h"

/* Commands of one copy in flight; more gains nothing (findings: 8 to 16). */
#define DM_BPIO_COPY_DEPTH	32
/* Source ranges of one command, when MSRC allows more. */
#define DM_BPIO_COPY_CMD_RANGES	64

/**
 * struct dm_bpio_leaf - sectors of a volume, where they end up
 * @target: lowest bpio target that maps them
 * @bdev: device below @target
 * @sector: first sector on @bdev
 * @nr_sectors: sectors up to the end of the mapping
 * @limits: what Copy may do there: a table line's, else the device's own
 * @may_nvme: all layers allow NVMe Copy
 * @may_kcopyd: all layers allow the host engine
 */
struct dm_bpio_leaf {
	struct dm_bpio *target;
	struct block_device *bdev;
	sector_t sector;
	sector_t nr_sectors;
	struct bpio_copy_limits limits;
	bool may_nvme;
	bool may_kcopyd;
};

/* Source runs of one destination range, on their way to NVMe Copy. */
struct dm_bpio_nvme_batch {
	struct dm_bpio_leaf dst;
	u64 at;			/* bytes into the copy */
	unsigned int nr;
	sector_t nr_sectors;
	struct bpio_lba_run runs[BPIO_TOKEN_MAX_RANGES];
	struct bpio_lba_run cmd[DM_BPIO_COPY_CMD_RANGES];	/* scratch */
};

/* A lower volume that cannot be suspended meanwhile. */
struct dm_bpio_copy_layer {
	struct dm_bpio_volume *vol;
	int passing;		/* of vol->passing, when written to; else -1 */
};

/**
 * struct dm_bpio_copy - a token's data on its way to sectors of a volume
 * @work: of a marker bio: runs the copy; may sleep, for as long as the
 *	commands need
 * @vol: destination
 * @target: the target that @bio is for, live while @bio is; NULL: to be looked
 *	up, inside @vol->source_gate
 * @bio: the marker bio, completed last; NULL for a copy without one (DSM)
 * @marker: its marker, told of the result
 * @pos: of @bio in the marker
 * @length: bytes
 * @dst: where to: offset is bytes into the copy, ascending from 0 without gaps;
 *	source is the first sector of @vol
 * @nr_dst: their number
 * @one: @dst of a marker bio
 * @token: where the data comes from; held by the marker or by the caller
 * @token_offset: bytes into the token's data
 * @source_gate_held: the token's volume cannot be suspended meanwhile
 * @layers: lower volumes that a command in flight passes by
 * @nr_layers: their number; 0 while a bio is in flight
 * @bios_in_flight: there may be some
 * @nr_inflight: commands whose completion was not waited for yet
 * @started: end of the last command that was submitted, bytes into the copy
 * @good: no command before this failed, or was not submitted; bytes into the
 *	copy
 * @fua: of the destination
 * @need_flush: FUA was asked for and an engine ran that has none
 * @has_deadline: no command is submitted after @deadline
 * @deadline: jiffies
 * @nvme_failed: the device failed a Copy command
 * @again: a part was preserved between its look-up and its command
 * @done: one per completed command
 * @status: first failure; NTSTATUS
 * @nvme: batch under construction
 */
struct dm_bpio_copy {
	struct work_struct work;
	struct dm_bpio_volume *vol;
	struct dm_bpio *target;
	struct bio *bio;
	struct bpio_marker *marker;
	u64 pos;
	u64 length;
	const struct bpio_run *dst;
	unsigned int nr_dst;
	struct bpio_run one;
	struct bpio_token *token;
	u64 token_offset;
	bool source_gate_held;
	bool bios_in_flight;
	struct dm_bpio_copy_layer layers[2 * DM_BPIO_MAX_DEPTH];
	unsigned int nr_layers;
	unsigned int nr_inflight;
	u64 started;
	atomic64_t good;
	bool fua;
	bool need_flush;
	bool has_deadline;
	bool nvme_failed;
	bool again;
	unsigned long deadline;
	struct completion done;
	s32 status;
	struct dm_bpio_nvme_batch nvme;
};

/**
 * struct dm_bpio_copy_engine - moves data from a source to a destination
 * @name: as in the status line
 * @stat: counts its bytes, at the destination volume
 * @can: may it serve this pair; @src NULL: zeros
 * @copy: start to move up to @nr_sectors from @place, which lies at @src, to
 *	@dst, @at bytes into the copy; each command ends by dm_bpio_copy_end();
 *	returns the number of sectors taken
 * @flush: start what @copy has gathered
 *
 * @copy and @flush run in the copy's work and may sleep.
 */
struct dm_bpio_copy_engine {
	const char *name;
	enum bpio_stat stat;
	bool (*can)(const struct dm_bpio_copy *copy,
		    const struct dm_bpio_leaf *src,
		    const struct dm_bpio_leaf *dst);
	sector_t (*copy)(struct dm_bpio_copy *copy, u64 at,
			 const struct dm_bpio_place *place,
			 const struct dm_bpio_leaf *src,
			 const struct dm_bpio_leaf *dst, sector_t nr_sectors);
	void (*flush)(struct dm_bpio_copy *copy);
};

extern const struct dm_bpio_copy_engine dm_bpio_engine_nvme;
extern const struct dm_bpio_copy_engine dm_bpio_engine_host;
extern const struct dm_bpio_copy_engine dm_bpio_engine_zero;
extern const struct dm_bpio_copy_engine dm_bpio_engine_literal;

/* copy.c */
blk_status_t dm_bpio_copy_start(struct dm_bpio *target, struct bio *bio,
				struct bpio_marker *marker, u64 pos,
				struct bpio_token *token, u64 token_offset);
bool dm_bpio_copy_begin(struct dm_bpio_copy *copy, u64 at, u64 length);
s32 dm_bpio_copy_hold(struct dm_bpio_copy *copy, struct dm_bpio_hold *holds,
		      unsigned int nr);
void dm_bpio_copy_wait(struct dm_bpio_copy *copy);
void dm_bpio_copy_end(struct dm_bpio_copy *copy,
		      const struct dm_bpio_copy_engine *engine, s32 status,
		      u64 at, u64 length);
s32 dm_bpio_copy_ranges(struct dm_bpio_volume *vol, const struct bpio_run *dst,
			unsigned int nr_dst, u64 length,
			struct bpio_token *token, u64 token_offset,
			unsigned long deadline, u64 *copied);
s32 dm_bpio_offload_write_fault(struct dm_bpio_volume *vol, u64 *length);
void dm_bpio_leaf_below(struct dm_bpio_leaf *leaf, struct dm_bpio *target,
			sector_t sector, sector_t nr_sectors);

/* Exported by nvme-core, declared in a private header of its own. */
void nvme_init_request(struct request *req, struct nvme_command *cmd);

/* copy-nvme.c */
void dm_bpio_nvme_target_init(struct dm_bpio *target);
void dm_bpio_nvme_target_exit(struct dm_bpio *target);
bool dm_bpio_nvme_usable(struct dm_bpio *target);

/* copy-host.c */
int dm_bpio_copy_host_init(void);
void dm_bpio_copy_host_exit(void);

/* marker.c */
void dm_bpio_marker_copied(struct bpio_marker *marker, u64 pos, u64 length,
			   sector_t sector, s32 status);

#endif /* _DM_BPIO_COPY_H */
