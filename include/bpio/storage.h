/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the storage layer (dm-bpio) offers a file system: the storage leg of
 * BypassIO, the gate and the map that a bypassed read goes through, tokens
 * and marker I/O.  This is the only header that dm-bpio and bpiofs share.
 */
#ifndef _BPIO_STORAGE_H
#define _BPIO_STORAGE_H

#include <linux/blkdev.h>
#include <linux/percpu.h>
#include <linux/percpu-refcount.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/bpio.h>

struct bpio_token;

/* ---- the gate ----------------------------------------------------------- */

/* Why a gate is closed.  It is open when no reason is left. */
enum bpio_gate_reason {
	BPIO_GATE_IDLE,		/* BypassIO is not enabled on the volume */
	BPIO_GATE_PAUSED,	/* VOLUME_STACK_PAUSE */
	BPIO_GATE_SUSPENDED,	/* dm suspend, here or in a layer below */
	BPIO_GATE_VETOED,	/* a layer objects */
	BPIO_GATE_FILTER,	/* a filter has not opted in */
	BPIO_GATE_DRAIN,	/* for a moment: what is inside has to leave */
};

enum bpio_gate_state {
	BPIO_GATE_OPEN,
	BPIO_GATE_DRAINING,	/* closed, and something is still inside */
	BPIO_GATE_EMPTY,	/* closed, and nothing is inside */
};

/**
 * struct bpio_gate - admits I/O, or keeps it out and drains it
 * @ref: one reference per I/O in flight; live while the gate is open
 * @drained: of bpio_gate_drain()
 * @lock: guards the fields below
 * @closed: bits of enum bpio_gate_reason
 * @state: what @ref is good for
 * @nr_drained: how often the gate has become empty
 */
struct bpio_gate {
	struct percpu_ref ref;
	wait_queue_head_t drained;
	spinlock_t lock;	/* @closed, @state, @nr_drained */
	unsigned long closed;
	enum bpio_gate_state state;
	unsigned int nr_drained;
};

int bpio_gate_init(struct bpio_gate *gate, unsigned long closed);
void bpio_gate_destroy(struct bpio_gate *gate);
void bpio_gate_shut(struct bpio_gate *gate, enum bpio_gate_reason reason);
void bpio_gate_drain(struct bpio_gate *gate);
void bpio_gate_close(struct bpio_gate *gate, enum bpio_gate_reason reason);
void bpio_gate_open(struct bpio_gate *gate, enum bpio_gate_reason reason);

/* Context: any; a caller that keeps others from closing it has a lasting answer. */
static inline bool bpio_gate_is_draining(const struct bpio_gate *gate)
{
	return READ_ONCE(gate->state) == BPIO_GATE_DRAINING;
}

/* Context: any.  Return: true when admitted; pair with bpio_gate_leave(). */
static inline bool bpio_gate_enter(struct bpio_gate *gate)
{
	return percpu_ref_tryget_live(&gate->ref);
}

static inline void bpio_gate_leave(struct bpio_gate *gate)
{
	percpu_ref_put(&gate->ref);
}

/* ---- the volume --------------------------------------------------------- */

/* A run of volume sectors and where it lies on the device at the bottom. */
struct bpio_map_entry {
	sector_t start_sectors;
	sector_t nr_sectors;
	struct block_device *bdev;
	sector_t lower_sectors;
};

/* The volume's whole range, ascending, without gaps, at least one entry. */
struct bpio_map {
	unsigned int nr;
	struct bpio_map_entry entry[];
};

enum bpio_stat {
	BPIO_STAT_ENABLES,
	BPIO_STAT_DISABLES,
	BPIO_STAT_QUERIES,
	BPIO_STAT_VETOES,
	BPIO_STAT_BYPASSED_READS,
	BPIO_STAT_BYPASSED_BYTES,
	BPIO_STAT_MAPPED_READS,
	BPIO_STAT_MAPPED_WRITES,
	BPIO_STAT_TOKENS_ISSUED,
	BPIO_STAT_TOKENS_EXPIRED,
	BPIO_STAT_TOKENS_INVALIDATED,
	BPIO_STAT_TOKENS_REFUSED,
	BPIO_STAT_OFFLOAD_READS,
	BPIO_STAT_OFFLOAD_WRITES,
	BPIO_STAT_BYTES_NVME,
	BPIO_STAT_BYTES_KCOPYD,
	BPIO_STAT_BYTES_ZERO,
	BPIO_STAT_BYTES_LITERAL,	/* by way of the host's memory */
	BPIO_STAT_PRESERVED_BYTES,	/* copied to the reserve */
	BPIO_STAT_PRESERVE_FULL,	/* tokens that it had no room for */
	BPIO_STAT_PRESERVE_FAILED,	/* tokens that died of a failed copy */
	BPIO_STAT_DSM_ACTIONS,
	BPIO_STAT_DSM_FORWARDED,
	BPIO_STAT_NR,
};

struct bpio_stats {
	u64 count[BPIO_STAT_NR];
};

/**
 * struct bpio_volume - a mapped device whose live table is all ``bpio``
 * @gate: open while bypassed reads are allowed
 * @map: where the volume lies; stable while inside @gate
 * @stats: per-cpu counters
 * @fault_bypass_read: a ``fault bypass_read`` is armed, see
 *	bpio_fault_bypass_read()
 * @bdev_name: name of the mapped device, e.g. "dm-0"
 *
 * dm-bpio embeds it in its own structure; a file system sees this much.
 */
struct bpio_volume {
	struct bpio_gate gate;
	const struct bpio_map *map;
	struct bpio_stats __percpu *stats;
	bool fault_bypass_read;
	char bdev_name[BDEVNAME_SIZE];
};

static inline void bpio_stat_add(struct bpio_volume *vol, enum bpio_stat stat,
				 u64 n)
{
	this_cpu_add(vol->stats->count[stat], n);
}

/**
 * bpio_volume_map - translate volume sectors to the device at the bottom
 * @vol: volume, inside its gate
 * @sector: first sector of the volume, within it
 * @nr_sectors: in: sectors wanted, at least 1; out: sectors of that run
 * @lower: out: first sector on the returned device
 *
 * Context: inside @vol->gate; does not sleep, takes no lock.
 * Return: the block device at the bottom; NULL when @sector is past the end.
 */
static inline struct block_device *
bpio_volume_map(const struct bpio_volume *vol, sector_t sector,
		sector_t *nr_sectors, sector_t *lower)
{
	const struct bpio_map *map = vol->map;
	const struct bpio_map_entry *e = map->entry;
	const struct bpio_map_entry *end = e + map->nr;

	do {
		sector_t at = sector - e->start_sectors;

		if (at < e->nr_sectors) {
			*nr_sectors = min(*nr_sectors, e->nr_sectors - at);
			*lower = e->lower_sectors + at;
			return e->bdev;
		}
	} while (++e < end);
	return NULL;
}

/**
 * struct bpio_client_ops - what a file system lets the storage layer ask
 * @pause: a layer objects from now on: do a VOLUME_STACK_PAUSE for it
 *	(R-STG-10); returns when drained.  May sleep.
 * @resume: an objection was withdrawn: do a VOLUME_STACK_RESUME for it, which
 *	leaves pauses for other reasons alone.  May sleep.
 * @changed: the stack was asked again after a suspend, which may have brought
 *	another table.  May sleep.
 *
 * Each is called after the change, without any dm-bpio lock held but one that
 * keeps the client attached, and asks with bpio_volume_control() what the
 * stack says now.  The caller may be a dm message handler, during which the
 * device cannot complete a suspend: no operation, and no holder of a lock that
 * one takes, waits for I/O of the volume, nor for memory that I/O has to free.
 */
struct bpio_client_ops {
	void (*pause)(void *client);
	void (*resume)(void *client);
	void (*changed)(void *client);
};

struct bpio_volume *bpio_volume_get(struct block_device *bdev,
				    const struct bpio_client_ops *ops,
				    void *client);
void bpio_volume_put(struct bpio_volume *vol);
s32 bpio_volume_control(struct bpio_volume *vol, u32 operation,
			struct bpio_results *results);
void bpio_volume_pause(struct bpio_volume *vol);
void bpio_volume_resume(struct bpio_volume *vol);

s32 bpio_bdev_query(struct block_device *bdev, struct bpio_results *results);
bool bpio_storage_driver(struct block_device *bdev, char *name, size_t size);

int __bpio_fault_bypass_read(struct bpio_volume *vol);

/* Return: 0, or the negative errno with which this read has to fail. */
static inline int bpio_fault_bypass_read(struct bpio_volume *vol)
{
	if (likely(!READ_ONCE(vol->fault_bypass_read)))
		return 0;
	return __bpio_fault_bypass_read(vol);
}

void bpio_results_set(struct bpio_results *results, s32 op_status,
		      const char *driver, const char *reason);

/* ---- tokens ------------------------------------------------------------- */

#define BPIO_TOKEN_MAX_RANGES	64	/* OR-23, DS-12 */

/*
 * A token is built, then issued.  A write that is submitted after a range was
 * added and overlaps it kills the token, so the layout that a probe found
 * cannot go stale between the probe and the reply.  A write that was already
 * in flight when its range was added goes unseen: between the last add and
 * bpio_token_issue() the caller waits for the direct writes and the write-back
 * of the file that may be in flight (inode_dio_wait(), filemap_fdatawait()).
 *
 * bpio_token_issue() and bpio_token_abort() both take the caller's reference,
 * whatever they return.
 *
 * bpio_token_limit() is how much of the request a token may stand for
 * (max_transfer, optimal_transfer, a scripted truncation); the caller cuts its length to it
 * before it issues.
 *
 * bpio_offload_write_begin() opens an offload write at its destination, once
 * per request: it counts the request, applies a scripted fault (sleeping for
 * its delay) and may reduce *length.  When it returns an error the caller
 * copies *length bytes, maybe none, and then ends: short with success when
 * bytes were copied (DS-16), else with that status.
 */
struct bpio_token *bpio_token_begin(struct bpio_volume *vol, u32 ttl_ms,
				    s32 *status);
int bpio_token_add_zero(struct bpio_token *token, u64 token_offset,
			u64 length);
s32 bpio_token_issue(struct bpio_token *token, u64 length,
		     struct storage_offload_token *out);
u64 bpio_token_limit(const struct bpio_token *token);
u64 bpio_token_covered(const struct bpio_token *token);
void bpio_token_abort(struct bpio_token *token);

struct bpio_token *bpio_token_find(const struct storage_offload_token *raw,
				   s32 *status);
u64 bpio_token_length(const struct bpio_token *token);
s32 bpio_token_read(struct bpio_token *token, u64 token_offset, void *buffer,
		    size_t length);
int bpio_token_wait_source(struct bpio_token *token);
void bpio_token_put(struct bpio_token *token);

s32 bpio_offload_write_begin(struct bpio_volume *vol, u64 *length);
bool bpio_volume_can_offload(struct bpio_volume *vol);

/* ---- marker I/O --------------------------------------------------------- */

/* One physical run of a probed range. */
struct bpio_extent {
	u64 pos;		/* bytes from the start of the probe */
	u64 length;		/* bytes */
	sector_t sector;	/* of the volume */
};

struct bpio_marker;

struct bpio_marker *bpio_marker_get(struct bpio_volume *vol, bool copy,
				    u64 size, gfp_t gfp);
void bpio_marker_put(struct bpio_marker *marker);
size_t bpio_marker_size(const struct bpio_marker *marker);

/*
 * Arm, do the direct I/O on the file below, disarm, then look at the result.
 * An offset is the position in the marker, so that a bio tells by its pages
 * which part of the range it carries, whatever splitting happened.
 */
int bpio_marker_arm_probe(struct bpio_marker *marker,
			  struct bpio_token *token, u64 token_offset);
int bpio_marker_arm_copy(struct bpio_marker *marker, struct bpio_token *token,
			 u64 token_offset);
void bpio_marker_iter(struct bpio_marker *marker, struct iov_iter *iter,
		      size_t offset, size_t length);
void bpio_marker_disarm(struct bpio_marker *marker);

unsigned int bpio_marker_extents(const struct bpio_marker *marker,
				 const struct bpio_extent **extents);
bool bpio_marker_gap_is_zero(const struct bpio_marker *marker, size_t offset,
			     size_t length);
int bpio_marker_gap_read(const struct bpio_marker *marker, size_t offset,
			 void *buffer, size_t length);
s32 bpio_marker_status(const struct bpio_marker *marker);

#endif /* _BPIO_STORAGE_H */
