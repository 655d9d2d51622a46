/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private types and prototypes of dm-bpio, grouped by .c file.
 */
#ifndef _DM_BPIO_H
#define _DM_BPIO_H

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <bpio/storage.h>
#include <bpio/status.h>
#include "range-lock.h"
#include "ranges.h"
#include "reserve.h"
#include "token-tree.h"

struct nvme_command;

#define DM_MSG_PREFIX "bpio"
#define DM_BPIO_DRIVER_NAME "dm-bpio.ko"

enum dm_bpio_offload {
	DM_BPIO_OFFLOAD_NONE,
	DM_BPIO_OFFLOAD_AUTO,
	DM_BPIO_OFFLOAD_NVME,
	DM_BPIO_OFFLOAD_KCOPYD,
};

/* One ``fault`` of the message interface; see fault.c. */
enum dm_bpio_fault_point {
	DM_BPIO_FAULT_OFFLOAD_READ,
	DM_BPIO_FAULT_OFFLOAD_WRITE,
	DM_BPIO_FAULT_BYPASS_READ,
	DM_BPIO_FAULT_IDENTIFY,
	DM_BPIO_FAULT_COPY,
	DM_BPIO_FAULT_TOKEN_READ,
	DM_BPIO_FAULT_NR,
};

struct dm_bpio_fault {
	bool armed;
	u64 times;		/* hits left; 0 = no limit */
	u64 every;		/* each nth request; 1 = all */
	u64 seen;		/* requests since it was armed */
	s32 status;		/* NTSTATUS to fail with; 0 = end short */
	u64 bytes;		/* done before the failure */
	bool has_bytes;
	unsigned int delay_ms;
};

/* A veto reason is kept as UTF-8: up to three bytes for a code unit. */
#define DM_BPIO_REASON_BYTES (3 * BPIO_FAILURE_REASON_CHARS + 1)
/* Module file names are longer than what the protocol has room for. */
#define DM_BPIO_NAME_BYTES (MODULE_NAME_LEN + sizeof(".ko"))
/* bpio layers above each other; the walk is recursive */
#define DM_BPIO_MAX_DEPTH 8
/* commands of copy-host.c that write to one volume: 16 MiB of memory */
#define DM_BPIO_HOST_MAX_INFLIGHT 64

/* What a marker's memory holds: for a probe, for a copy. */
enum bpio_marker_fill {
	BPIO_MARKER_PATTERN,
	BPIO_MARKER_ZERO,
	BPIO_NR_MARKER_FILLS
};

/*
 * struct dm_bpio_volume - per mapped device; outlives table reloads
 *
 * Found by dev_t; created by the first constructor of a table for the device,
 * freed with the last reference (targets, file systems, tokens).  It is in the
 * registry while it has users (targets, file systems), so that an entry of the
 * registry always has a mapped device.
 *
 * Locks, outermost first:
 *	@client_lock: @client_ops while a client operation runs, so that a
 *		client is not left while it is being called; sleeps.
 *	dm_bpio_lock: the registry and all of the topology and state below
 *		up to @veto_reason, of all volumes; sleeps.  Taken with
 *		md->suspend_lock held, so no allocation under it may wait for
 *		I/O (GFP_NOIO).  Gates are shut under it, never drained.
 *	@lock: @targets changes under this one too; sleeps.
 *	@pub.gate, @source_gate: a spinlock each, inside bpio_gate_*().
 *	@fault_lock: @fault.
 *	@token_lock: @token_ranges and what follows it; spinlock, _bh.
 *	@ranges: a spinlock inside bpio_range_*(), irqsave.
 * Client operations are called with none of them held but @client_lock.
 * Inside @source_gate the list @targets is stable; dm_bpio_lock, whose holder
 * may be draining it, is not to be taken there.
 */
struct dm_bpio_volume {
	struct bpio_volume pub;

	/*
	 * map() reads this one, and nothing else of tokens and markers: tokens
	 * that are live or under construction, reads of their data, and armed
	 * markers.  One sum, so that a read is seen after its token has died.
	 */
	atomic_t nr_watched;
	atomic_t nr_tokens;	/* live or under construction */
	atomic_t nr_markers;	/* armed */

	struct kref ref;
	struct work_struct free_work;
	struct work_struct reask_work;	/* holds a reference while queued */
	struct list_head list;	/* dm_bpio_volumes */
	unsigned int users;
	dev_t devt;
	struct mapped_device *md;	/* valid while @users */

	struct list_head targets;	/* of the live table, ascending */
	struct list_head incoming;	/* of the table that is coming up */
	struct dm_table *live_table;	/* the two are compared only */
	struct dm_table *incoming_table;
	sector_t table_sectors;		/* size of @live_table */
	bool suspended;
	bool enabled;		/* storage leg: ENABLE succeeded */
	const struct bpio_client_ops *client_ops;
	void *client;
	unsigned int nr_anonymous;	/* handles without a client */
	bool veto;
	s32 veto_status;
	char veto_driver[BPIO_DRIVER_NAME_CHARS + 1];
	char veto_reason[DM_BPIO_REASON_BYTES];

	struct mutex lock;		/* changes of @targets */
	struct mutex client_lock;	/* around client operations */

	spinlock_t fault_lock;		/* @fault */
	struct dm_bpio_fault fault[DM_BPIO_FAULT_NR];

	spinlock_t token_lock;		/* the next six */
	struct rb_root token_ranges;
	struct rb_root pieces;		/* preserved, of live tokens */
	u64 piece_seq;			/* the last piece that was begun */
	u64 nr_issued;			/* tokens so far, from 1 */
	struct list_head tokens;	/* not dead, under token_lock */
	struct rb_root token_owners;	/* by uid, under token_lock */
	struct bpio_range_lock ranges;	/* reads of tokens' data, and writes */
	struct semaphore host_room;	/* for commands of copy-host.c */
	struct xarray markers;		/* by page frame number of a folio */
	/* copies that read from this volume, or write to it past map() */
	struct bpio_gate source_gate;
	struct srcu_struct passing;	/* copies that write past map() */
	atomic_t nr_passing;		/* their number */
	spinlock_t marker_lock;		/* the next two */
	struct list_head idle_markers[BPIO_NR_MARKER_FILLS];
	unsigned int nr_idle_markers[BPIO_NR_MARKER_FILLS];
	struct delayed_work idle_markers_work;
};

static inline struct dm_bpio_volume *to_dm_bpio(struct bpio_volume *vol)
{
	return container_of(vol, struct dm_bpio_volume, pub);
}

/* What the table line of a volume says of offloads. */
struct dm_bpio_rules {
	bool complete;		/* all of the table is ``bpio`` */
	enum dm_bpio_offload offload;
	u32 ttl_ms, ttl_max_ms;
	u32 max_tokens;
	u64 max_transfer;	/* bytes, 0: no limit */
	u64 optimal_transfer;	/* bytes, 0: none */
};

/**
 * struct dm_bpio_place - where a part of a token's data lies now
 * @run: the part; its source is where it lay when the token was issued
 * @piece: what it was preserved as; NULL: it still lies there
 * @bdev: device of the reserve that holds @piece
 * @sector: first sector on @bdev
 */
struct dm_bpio_place {
	struct bpio_run run;
	struct bpio_piece *piece;
	struct block_device *bdev;
	sector_t sector;
};

/**
 * struct dm_bpio_hold - keeps a part of a token's data as it is during a read
 * @range: sectors of the token's volume
 * @piece: keep this preserved piece instead; or NULL
 */
struct dm_bpio_hold {
	struct bpio_range_holder range;
	struct bpio_piece *piece;
};

/* A hold for the first @nr_sectors of @place, for dm_bpio_token_hold_data(). */
static inline void dm_bpio_hold_init(struct dm_bpio_hold *hold,
				     const struct dm_bpio_place *place,
				     sector_t nr_sectors)
{
	hold->range.start = place->run.source;
	hold->range.last = hold->range.start + nr_sectors - 1;
	hold->piece = place->piece;
}

/**
 * struct dm_bpio_reserve - room for what is preserved
 * @ref: one of the target, one per piece
 * @lock: @slots; innermost, _bh
 * @slots: places, a chunk each
 * @bdev: device; while the target lives
 * @start: first sector
 */
struct dm_bpio_reserve {
	struct kref ref;
	spinlock_t lock;		/* @slots */
	struct bpio_slots slots;
	struct block_device *bdev;
	sector_t start;
};

/**
 * struct dm_bpio_write - a write that waits until what it outdates is preserved
 * @list: in the target's queue
 * @start: first sector of the volume
 * @last: last sector
 * @at: what lies before it has been looked at
 * @seq: number of the piece that the chunk at @at needs
 * @issued: tokens there were when that began
 * @restarts: how often it began anew
 * @bio: to be submitted; NULL: somebody waits for
 * @done: this instead
 */
struct dm_bpio_write {
	struct list_head list;
	u64 start;
	u64 last;
	u64 at;
	u64 seq;
	u64 issued;
	unsigned int restarts;
	struct bio *bio;
	struct completion *done;
};

/* What a write needs before it may be submitted. */
enum dm_bpio_write_needs {
	DM_BPIO_WRITE_NOTHING,
	DM_BPIO_WRITE_CHUNK,	/* a chunk is to be preserved */
	DM_BPIO_WRITE_MORE,	/* another look */
};

/* What copy-nvme.c knows of the namespace that a target lies on. */
struct dm_bpio_nvme {
	bool capable;		/* the controller has Copy, limits are valid */
	unsigned long refused_until;	/* jiffies; it failed a Copy */
	u32 nsid;
	struct bpio_copy_limits limits;
	void (*init_request)(struct request *req, struct nvme_command *cmd);
};

/**
 * struct dm_bpio_below - what lies below a target, seen when it was made
 * @driver: file name of the driver directly below, e.g. "dm-crypt.ko"
 * @storage: file name of the storage driver at the very bottom
 * @bottom: the device below is itself the storage device
 * @compatible: the storage driver at the very bottom supports BypassIO
 */
struct dm_bpio_below {
	char driver[DM_BPIO_NAME_BYTES];
	char storage[DM_BPIO_NAME_BYTES];
	bool bottom;
	bool compatible;
};

/*
 * struct dm_bpio - one target of a table
 */
struct dm_bpio {
	struct dm_bpio_volume *vol;
	struct dm_target *ti;
	struct dm_dev *dev;
	sector_t offset_sectors;
	struct list_head list;		/* vol->targets or vol->incoming */
	struct dm_bpio_below below;
	char *feature_args;		/* as given, their number first */

	/* feature arguments; the has_* ones were given on the table line */
	char driver_name[BPIO_DRIVER_NAME_CHARS + 1];
	bool no_bypassio;
	bool any_storage;
	enum dm_bpio_offload offload;
	u32 token_ttl_ms;
	u32 token_ttl_max_ms;
	u32 max_tokens;
	u64 max_transfer;
	u64 optimal_transfer;
	bool on_write_preserve;
	const char *reserve_path;	/* while it is constructed */
	u64 reserve_start, reserve_nr;	/* sectors; 0: none was given */
	bool has_copy_limits;
	u32 copy_mssrl, copy_mcl, copy_msrc;
	unsigned int nr_feature_args;

	struct dm_bpio_preserve *preserve;	/* or NULL: on_write invalidate */
	struct dm_bpio_volume *lower;	/* copy.c: the device below, or NULL */
	struct dm_bpio_nvme nvme;	/* copy-nvme.c */
};

/* Where a sector of the volume, one of @target's, lies on the device below. */
static inline sector_t dm_bpio_lower_sector(const struct dm_bpio *target,
					    sector_t sector)
{
	return target->offset_sectors + dm_target_offset(target->ti, sector);
}

static inline void dm_bpio_remap(const struct dm_bpio *target, struct bio *bio)
{
	bio_set_dev(bio, target->dev->bdev);
	bio->bi_iter.bi_sector =
		dm_bpio_lower_sector(target, bio->bi_iter.bi_sector);
}

/* target.c */
int dm_bpio_target_init(void);
void dm_bpio_target_exit(void);

/* volume.c: the registry */
extern struct mutex dm_bpio_lock;
extern struct list_head dm_bpio_volumes;
int dm_bpio_volume_init(void);
void dm_bpio_volume_exit(void);
struct dm_bpio_volume *dm_bpio_volume_create(struct mapped_device *md);
void dm_bpio_volume_leave(struct dm_bpio_volume *vol);
struct dm_bpio_volume *dm_bpio_volume_find(dev_t devt);
struct dm_bpio_volume *dm_bpio_volume_lookup(dev_t devt);
bool dm_bpio_volume_complete(const struct dm_bpio_volume *vol);
void dm_bpio_volume_hold(struct dm_bpio_volume *vol);
void dm_bpio_volume_release(struct dm_bpio_volume *vol);
struct dm_bpio *dm_bpio_volume_target(struct dm_bpio_volume *vol,
				      sector_t sector);
void dm_bpio_volume_add_target(struct dm_bpio *target);
void dm_bpio_volume_del_target(struct dm_bpio *target);
void dm_bpio_volume_presuspend(struct dm_bpio *target);
void dm_bpio_volume_postsuspend(struct dm_bpio *target);
void dm_bpio_volume_resume(struct dm_bpio *target);

/* bypass.c: the storage leg */
bool dm_bpio_volume_runs_through(const struct dm_bpio_volume *upper,
				 const struct dm_bpio_volume *vol);
bool dm_bpio_stack_suspended(const struct dm_bpio_volume *vol);
void dm_bpio_reask(struct dm_bpio_volume *vol);
int dm_bpio_veto(struct dm_bpio *target, s32 status, const char *reason);
int dm_bpio_unveto(struct dm_bpio *target);

/* lower.c */
void dm_bpio_below_look(struct block_device *bdev,
			struct dm_bpio_below *below);

/* fault.c: true when this request is hit; *hit says what to do to it */
bool dm_bpio_fault_hit(struct dm_bpio_volume *vol,
		       enum dm_bpio_fault_point point,
		       struct dm_bpio_fault *hit);
int dm_bpio_fault_message(struct dm_bpio_volume *vol, unsigned int argc,
			  char **argv);

/* control.c */
int dm_bpio_control_init(void);
void dm_bpio_control_exit(void);
s32 dm_bpio_check_manage_bypass_io(const struct bpio_input *input,
				   u32 input_length, u32 output_length,
				   bool user_mode);

/* Exported by dm-mod, declared in a private header of its own. */
void dm_internal_suspend_fast(struct mapped_device *md);
void dm_internal_resume_fast(struct mapped_device *md);

/* dsm.c */
struct bpio_request;
void dm_bpio_manage_data_set(struct file *file, struct bpio_request *req);
void dm_bpio_query_property(struct file *file, struct bpio_request *req);

/* status.c */
int dm_bpio_status_parse(const char *word, s32 *status);

/* stats.c */
void dm_bpio_stats_read(struct dm_bpio_volume *vol, struct bpio_stats *sum);

/* token-store.c */
int dm_bpio_token_store_init(void);
void dm_bpio_token_store_exit(void);
int dm_bpio_tokens_volume_init(struct dm_bpio_volume *vol);
void dm_bpio_tokens_volume_exit(struct dm_bpio_volume *vol);
bool dm_bpio_volume_rules(struct dm_bpio_volume *vol,
			  struct dm_bpio_rules *rules);
int dm_bpio_pass_begin(struct dm_bpio_volume *vol);
void dm_bpio_pass_end(struct dm_bpio_volume *vol, int passing);
bool dm_bpio_tokens_invalidate(struct dm_bpio_volume *vol, sector_t sector,
			       sector_t nr_sectors);
void dm_bpio_tokens_revoke(struct dm_bpio_volume *vol);
enum dm_bpio_write_needs dm_bpio_tokens_outdated(struct dm_bpio_volume *vol,
						 struct dm_bpio_write *write);
bool dm_bpio_tokens_attach(struct dm_bpio_volume *vol,
			   struct bpio_piece *piece);
unsigned int dm_bpio_tokens_give_up(struct dm_bpio_volume *vol, u64 start,
				    u64 last);
int dm_bpio_token_add(struct bpio_token *token, u64 token_offset,
		      sector_t sector, sector_t nr_sectors);
struct bpio_token *dm_bpio_token_hold(struct bpio_token *token);
struct dm_bpio_volume *dm_bpio_token_volume(const struct bpio_token *token);
bool dm_bpio_token_alive(const struct bpio_token *token);
void dm_bpio_token_use(struct bpio_token *token);
void dm_bpio_token_redeem_begin(struct bpio_token *token);
void dm_bpio_token_redeem_end(struct bpio_token *token);
int dm_bpio_token_hold_data(struct bpio_token *token,
			    struct dm_bpio_hold *holds, unsigned int nr);
void dm_bpio_token_drop_data(struct bpio_token *token,
			     struct dm_bpio_hold *holds, unsigned int nr);
bool dm_bpio_token_run(const struct bpio_token *token, u64 offset, u64 length,
		       struct dm_bpio_place *place);

/* preserve.c; without a reserve the tokens that a write outdates die */
int dm_bpio_preserve_init(struct dm_bpio *target);
void dm_bpio_preserve_exit(struct dm_bpio *target);
void dm_bpio_preserve_use(const struct dm_bpio *target, u64 *used, u64 *size);
void dm_bpio_write_submit(struct bpio_range_lock *ranges, struct bio *bio);
int dm_bpio_preserve_map(struct dm_bpio *target, struct bio *bio);
void dm_bpio_preserve_target(struct dm_bpio *target, sector_t sector,
			     sector_t nr_sectors);
void dm_bpio_preserve(struct dm_bpio_volume *vol, sector_t sector,
		      sector_t nr_sectors);
void dm_bpio_piece_free(struct bpio_piece *piece);

/* marker.c */
int dm_bpio_marker_init(void);
void dm_bpio_marker_volume_init(struct dm_bpio_volume *vol);
void dm_bpio_marker_volume_exit(struct dm_bpio_volume *vol);
int dm_bpio_marker_map(struct dm_bpio *target, struct bio *bio);

/* copy.c; target_init is the last step of a constructor (process context) */
struct dm_bpio_copy;
int dm_bpio_copy_init(void);
void dm_bpio_copy_exit(void);
void dm_bpio_copy_target_init(struct dm_bpio *target);
void dm_bpio_copy_target_exit(struct dm_bpio *target);
const char *dm_bpio_copy_engine_name(struct dm_bpio *target);

#endif /* _DM_BPIO_H */
