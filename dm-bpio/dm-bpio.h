/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private types and prototypes of dm-bpio, grouped by .c file.
 */
#ifndef _DM_BPIO_H
#define _DM_BPIO_H

#include <linux/device-mapper.h>
#include <linux/interval_tree_generic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include <bpio/storage.h>
#include <bpio/status.h>
#include "ranges.h"

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

/**
 * struct dm_bpio_volume - per mapped device; outlives table reloads
 *
 * Found by dev_t; created by the first constructor of a table for the device,
 * freed with the last reference (targets, file systems, parents, tokens).
 *
 * Locks, outermost first:
 *	@lock: @targets, @state, @results, @veto*, @parents, @client; sleeps.
 *	@pub.gate.lock: inside bpio_gate_open() and bpio_gate_close().
 *	@token_lock: @token_ranges; spinlock, _bh.
 * Client operations and parents are called with none of them held.
 */
struct dm_bpio_volume {
	struct bpio_volume pub;

	/* map() reads these two, and nothing else of tokens and markers. */
	atomic_t nr_tokens;	/* live or under construction */
	atomic_t nr_markers;	/* armed */

	struct kref ref;
	struct list_head list;	/* dm_bpio_volumes */
	dev_t devt;
	struct mapped_device *md;	/* no reference: see volume.c */

	struct mutex lock;
	struct list_head targets;	/* live ones, ascending */
	bool suspended;
	bool enabled;		/* storage leg: ENABLE succeeded */
	struct bpio_results results;	/* last verdict of ENABLE or QUERY */
	bool veto;
	s32 veto_status;
	char veto_reason[BPIO_FAILURE_REASON_CHARS + 1];
	struct list_head parents;	/* volumes whose map runs through us */
	const struct bpio_client_ops *client_ops;
	void *client;

	spinlock_t fault_lock;
	struct dm_bpio_fault fault[DM_BPIO_FAULT_NR];

	spinlock_t token_lock;
	struct rb_root_cached token_ranges;
	struct list_head tokens;	/* not dead, under token_lock */
	struct rb_root token_owners;	/* by uid, under token_lock */
	struct xarray markers;		/* by page frame number of the folio */
	struct bpio_gate source_gate;	/* copies that read from this volume */
	struct list_head idle_markers;	/* under marker_lock */
	spinlock_t marker_lock;
	unsigned int nr_idle_markers;
};

static inline struct dm_bpio_volume *to_dm_bpio(struct bpio_volume *vol)
{
	return container_of(vol, struct dm_bpio_volume, pub);
}

/* What copy-nvme.c knows of the namespace that a target lies on. */
struct dm_bpio_nvme {
	bool capable;		/* the controller has Copy, limits are valid */
	bool refused;		/* it said Invalid Opcode or Invalid Field */
	u32 nsid;
	struct bpio_copy_limits limits;
	void (*init_request)(struct request *req, struct nvme_command *cmd);
};

/**
 * struct dm_bpio - one target of a table
 */
struct dm_bpio {
	struct dm_bpio_volume *vol;
	struct dm_target *ti;
	struct dm_dev *dev;
	sector_t offset_sectors;
	struct list_head list;		/* vol->targets while live */

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
	bool has_copy_limits;
	u32 copy_mssrl, copy_mcl, copy_msrc;
	unsigned int nr_feature_args;

	struct dm_bpio_nvme nvme;	/* copy-nvme.c */
};

/* target.c */
int dm_bpio_target_init(void);
void dm_bpio_target_exit(void);

/* volume.c: the registry */
struct dm_bpio_volume *dm_bpio_volume_create(struct mapped_device *md);
struct dm_bpio_volume *dm_bpio_volume_find(dev_t devt);
void dm_bpio_volume_hold(struct dm_bpio_volume *vol);
void dm_bpio_volume_release(struct dm_bpio_volume *vol);
struct dm_bpio *dm_bpio_volume_target(struct dm_bpio_volume *vol,
				      sector_t sector);

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

/* token-store.c */
int dm_bpio_token_store_init(void);
void dm_bpio_token_store_exit(void);
void dm_bpio_tokens_volume_init(struct dm_bpio_volume *vol);
void dm_bpio_tokens_invalidate(struct dm_bpio_volume *vol, sector_t sector,
			       sector_t nr_sectors);
void dm_bpio_tokens_revoke(struct dm_bpio_volume *vol);
int dm_bpio_token_add(struct bpio_token *token, u64 token_offset,
		      sector_t sector, sector_t nr_sectors);

/* marker.c */
int dm_bpio_marker_init(void);
void dm_bpio_marker_exit(void);
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
