// SPDX-License-Identifier: GPL-2.0
/*
 * Copies: turns a marker bio, or ranges of a volume, into commands of one of
 * the engines, and answers for the result.  Owns the life of a copy and the
 * choice of the engine.  What makes a redemption a point in time (TK-3) is
 * explained in token-store.c.
 *
 * A marker bio's copy runs in a work of its own, which may sleep as long as the
 * commands need; map() only hands over.  Ranges are copied in the caller's
 * context.  Meanwhile nothing that is used can go away: the bio in flight keeps
 * the destination's table, or the destination's source_gate does; source_gate
 * keeps the source's; and the source_gate of every lower bpio volume keeps theirs
 * while a command passes by it.  A copy takes no lock that a suspend holds while
 * it drains these.
 */
#include <linux/delay.h>
#include <linux/mempool.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "copy.h"

#define COPY_POOL_MIN	16

static struct kmem_cache *copy_cache;
static mempool_t *copy_pool;
static struct workqueue_struct *copy_wq;

/* Best first. */
static const struct dm_bpio_copy_engine *const copy_engines[] = {
	&dm_bpio_engine_nvme,
	&dm_bpio_engine_host,
};

/* ---- commands in flight -------------------------------------------------- */

static void copy_not_good(struct dm_bpio_copy *copy, u64 at)
{
	s64 good = atomic64_read(&copy->good);

	while ((u64)good > at &&
	       !atomic64_try_cmpxchg(&copy->good, &good, at))
		;
}

static void copy_fail(struct dm_bpio_copy *copy, s32 status)
{
	cmpxchg(&copy->status, STATUS_SUCCESS, status);
}

/* May another command be submitted?  Return: STATUS_SUCCESS if so. */
static s32 copy_may_go_on(const struct dm_bpio_copy *copy)
{
	s32 status = READ_ONCE(copy->status);

	if (status)
		return status;
	if (!dm_bpio_token_alive(copy->token))
		return STATUS_INVALID_TOKEN;
	if (copy->has_deadline && time_after_eq(jiffies, copy->deadline))
		return STATUS_IO_TIMEOUT;
	/* A marker's copy runs in a worker, which gets none. */
	if (fatal_signal_pending(current))
		return STATUS_UNSUCCESSFUL;
	return STATUS_SUCCESS;
}

/**
 * dm_bpio_copy_begin - a command is about to be submitted
 * @copy: copy
 * @at: where its data lies, bytes into the copy
 * @length: bytes
 *
 * Waits until fewer than DM_BPIO_COPY_DEPTH are in flight.  Restarts the
 * token's inactivity timer (TK-7).
 *
 * Context: the task that runs the copy; sleeps.
 * Return: false when it must not be submitted, nor anything after it.
 */
bool dm_bpio_copy_begin(struct dm_bpio_copy *copy, u64 at, u64 length)
{
	s32 status;

	if (copy->nr_inflight == DM_BPIO_COPY_DEPTH) {
		wait_for_completion_io(&copy->done);
		copy->nr_inflight--;
	}
	status = copy_may_go_on(copy);
	if (status) {
		copy_fail(copy, status);
		copy_not_good(copy, at);
		return false;
	}
	dm_bpio_token_use(copy->token);
	copy->nr_inflight++;
	copy->started = max(copy->started, at + length);
	return true;
}

/**
 * dm_bpio_copy_end - a command has ended
 * @copy: copy; may be gone afterwards
 * @engine: whose command
 * @status: NTSTATUS
 * @at: as given to dm_bpio_copy_begin()
 * @length: bytes moved when it succeeded
 *
 * Context: any, hard interrupt as well.
 */
void dm_bpio_copy_end(struct dm_bpio_copy *copy,
		      const struct dm_bpio_copy_engine *engine, s32 status,
		      u64 at, u64 length)
{
	if (status) {
		copy_fail(copy, status);
		copy_not_good(copy, at);
	} else {
		bpio_stat_add(&copy->vol->pub, engine->stat, length);
	}
	complete(&copy->done);
}

/**
 * dm_bpio_copy_hold - keep what a command reads as it is
 * @copy: copy
 * @holds: initialised; until dm_bpio_token_drop_data()
 * @nr: their number
 *
 * The last thing before the command is submitted: after this nothing may be
 * waited for but the device.
 *
 * Context: the task that runs the copy.
 * Return: STATUS_SUCCESS, or the status with which the command ends.
 */
s32 dm_bpio_copy_hold(struct dm_bpio_copy *copy, struct dm_bpio_hold *holds,
		      unsigned int nr)
{
	switch (dm_bpio_token_hold_data(copy->token, holds, nr)) {
	case 0:
		return STATUS_SUCCESS;
	case -EAGAIN:
		copy->again = true;
		return STATUS_UNSUCCESSFUL;
	default:
		return STATUS_INVALID_TOKEN;
	}
}

/**
 * dm_bpio_copy_wait - wait until no command of a copy is in flight
 * @copy: copy
 *
 * Context: the task that runs the copy; sleeps.
 */
void dm_bpio_copy_wait(struct dm_bpio_copy *copy)
{
	while (copy->nr_inflight) {
		wait_for_completion_io(&copy->done);
		copy->nr_inflight--;
	}
}

/*
 * How far the destination is good once no command is in flight: commands are
 * submitted in ascending order, so every one below both has succeeded.
 */
static u64 copy_progress(const struct dm_bpio_copy *copy)
{
	return min_t(u64, copy->started, atomic64_read(&copy->good));
}

static void copy_flush(struct dm_bpio_copy *copy)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(copy_engines); i++)
		if (copy_engines[i]->flush)
			copy_engines[i]->flush(copy);
}

/* ---- where sectors end up ------------------------------------------------ */

/*
 * Keep the table of a lower volume until the copy has ended; when it is
 * written to, past its map(), let those who make a token of it know.
 */
static bool copy_enter_layer(struct dm_bpio_copy *copy,
			     struct dm_bpio_volume *vol, bool write)
{
	struct dm_bpio_copy_layer *layer = copy->layers;
	struct dm_bpio_copy_layer *end = layer + copy->nr_layers;

	while (layer < end && layer->vol != vol)
		layer++;
	if (layer == end) {
		if (copy->nr_layers == ARRAY_SIZE(copy->layers) ||
		    !bpio_gate_enter(&vol->source_gate))
			return false;
		layer->vol = vol;
		layer->passing = -1;
		copy->nr_layers++;
	}
	if (write && layer->passing < 0)
		layer->passing = dm_bpio_pass_begin(vol);
	return true;
}

static void copy_leave_layers(struct dm_bpio_copy *copy)
{
	/* From the bottom up: a target of the layer above holds the volume. */
	while (copy->nr_layers) {
		struct dm_bpio_copy_layer *layer =
			&copy->layers[--copy->nr_layers];

		if (layer->passing >= 0)
			dm_bpio_pass_end(layer->vol, layer->passing);
		bpio_gate_leave(&layer->vol->source_gate);
	}
}

static void leaf_step(struct dm_bpio_leaf *leaf, struct dm_bpio *target,
		      sector_t sector)
{
	sector_t at = sector - target->ti->begin;

	leaf->target = target;
	leaf->bdev = target->dev->bdev;
	leaf->sector = dm_bpio_lower_sector(target, sector);
	leaf->nr_sectors = min(leaf->nr_sectors, target->ti->len - at);
	if (target->offload != DM_BPIO_OFFLOAD_AUTO) {
		if (target->offload != DM_BPIO_OFFLOAD_NVME)
			leaf->may_nvme = false;
		if (target->offload != DM_BPIO_OFFLOAD_KCOPYD)
			leaf->may_kcopyd = false;
	}
}

/* What the table line of the highest target on the way says. */
static enum dm_bpio_offload leaf_offload(const struct dm_bpio_leaf *leaf)
{
	return leaf->target->offload;
}

/**
 * dm_bpio_leaf_below - one level down: the device that a target maps to
 * @leaf: out
 * @target: live target that holds @sector
 * @sector: of the volume
 * @nr_sectors: wanted; cut at the end of the target
 *
 * What copies by the host work on.  They pass through the map() of what is
 * below, which looks after itself.
 *
 * Context: any, while the target is live.
 */
void dm_bpio_leaf_below(struct dm_bpio_leaf *leaf, struct dm_bpio *target,
			sector_t sector, sector_t nr_sectors)
{
	leaf->nr_sectors = nr_sectors;
	leaf->may_nvme = true;
	leaf->may_kcopyd = true;
	leaf_step(leaf, target, sector);
}

/*
 * All the way down, to what an NVMe command names.  Such a command passes by
 * the map() of every layer, so their tables are kept in place and, for a
 * destination, their tokens are looked after here.  Return: false when a layer
 * is suspended or the stack is too high: the engine cannot be used.
 */
static bool leaf_bottom(struct dm_bpio_copy *copy, struct dm_bpio_leaf *leaf,
			bool write)
{
	struct dm_bpio *target = leaf->target;
	bool has_limits = false;
	struct dm_bpio_volume *vol;

	for (;;) {
		sector_t sector = leaf->sector;

		if (target->has_copy_limits && !has_limits) {
			leaf->limits.mssrl = target->copy_mssrl;
			leaf->limits.mcl = target->copy_mcl;
			leaf->limits.msrc = target->copy_msrc;
			has_limits = true;
		}
		vol = target->lower;
		if (!vol)
			break;
		if (!copy_enter_layer(copy, vol, write))
			return false;
		target = dm_bpio_volume_target(vol, sector);
		if (!target)
			return false;
		leaf_step(leaf, target, sector);
		if (write && atomic_read(&vol->nr_watched))
			dm_bpio_preserve_target(target, sector,
						leaf->nr_sectors);
	}
	if (!has_limits)
		leaf->limits = target->nvme.limits;
	return bpio_copy_limits_sane(&leaf->limits);
}

/* ---- one copy ------------------------------------------------------------ */

static u32 leaf_block_sectors(const struct dm_bpio_leaf *leaf)
{
	return bdev_logical_block_size(leaf->bdev) >> SECTOR_SHIFT;
}

/* A destination always begins on a block; a token's offset need not. */
static bool leaf_is_aligned(const struct dm_bpio_leaf *leaf)
{
	return bpio_is_aligned(leaf->sector, leaf_block_sectors(leaf));
}

/* As little as leads to where an engine can go on, in blocks of @dst. */
static sector_t literal_sectors(const struct dm_bpio_leaf *src,
				const struct dm_bpio_leaf *dst, bool zero)
{
	u32 block = leaf_block_sectors(dst);
	sector_t head;

	if (zero || leaf_is_aligned(src))
		return dst->nr_sectors;		/* cut to what a call takes */
	head = round_up(src->sector, leaf_block_sectors(src)) - src->sector;
	return min(dst->nr_sectors, max_t(sector_t, round_down(head, block),
					  block));
}

/* Where the byte @done of the copy goes.  Return: false: to no target. */
static bool copy_destination(struct dm_bpio_copy *copy, u64 done,
			     struct dm_bpio_leaf *dst)
{
	const struct bpio_run *run = bpio_runs_find(copy->dst, copy->nr_dst,
						    done);
	struct dm_bpio *target;
	sector_t to;

	if (!run)
		return false;
	to = run->source + ((done - run->offset) >> SECTOR_SHIFT);
	target = copy->target ?: dm_bpio_volume_target(copy->vol, to);
	if (!target)
		return false;
	dm_bpio_leaf_below(dst, target, to,
			   min(run->length - (done - run->offset),
			       copy->length - done) >> SECTOR_SHIFT);
	return true;
}

/*
 * Find what an NVMe command names for @src and @dst.  Return: whether it may be
 * submitted.
 */
static bool copy_find_bottom(struct dm_bpio_copy *copy,
			     const struct dm_bpio_leaf *src,
			     const struct dm_bpio_leaf *dst, sector_t nr,
			     struct dm_bpio_leaf *low_src,
			     struct dm_bpio_leaf *low_dst)
{
	*low_src = *src;
	*low_dst = *dst;
	low_dst->nr_sectors = nr;
	return leaf_bottom(copy, low_src, false) &&
	       leaf_bottom(copy, low_dst, true) &&
	       copy_engines[0]->can(copy, low_src, low_dst);
}

/*
 * Commands that pass by the layers below and bios that go through them are never
 * in flight together.  A layer that is being suspended lets no bio through, and
 * waits for the commands that pass by.  If it waited for a copy that waits for
 * its own bio, neither would end.
 */
static bool copy_may_pass_by(struct dm_bpio_copy *copy,
			     const struct dm_bpio_leaf *src,
			     const struct dm_bpio_leaf *dst, sector_t nr,
			     struct dm_bpio_leaf *low_src,
			     struct dm_bpio_leaf *low_dst)
{
	bool may = copy_find_bottom(copy, src, dst, nr, low_src, low_dst);

	if (!may || !copy->nr_layers || !copy->bios_in_flight)
		return may;
	copy_leave_layers(copy);
	dm_bpio_copy_wait(copy);
	copy->bios_in_flight = false;
	return copy_find_bottom(copy, src, dst, nr, low_src, low_dst);
}

/* From here on bios go through the layers: see copy_may_pass_by(). */
static void copy_go_through(struct dm_bpio_copy *copy)
{
	if (copy->nr_layers && !copy->bios_in_flight) {
		copy_flush(copy);
		dm_bpio_copy_wait(copy);
	}
	copy_leave_layers(copy);
	copy->bios_in_flight = true;
}

/*
 * Start to move the piece that @done bytes into the copy begins; @place is the
 * source, dst->nr_sectors the room.  Return: sectors started; 0: no engine may.
 *
 * What lies in a reserve is copied by the host, whatever the tables say of what
 * lies on the volumes.
 */
static sector_t copy_some(struct dm_bpio_copy *copy,
			  const struct dm_bpio_place *place,
			  struct dm_bpio_leaf *dst, u64 done, bool may_nvme)
{
	const struct bpio_run *run = &place->run;
	sector_t nr = min_t(u64, run->length >> SECTOR_SHIFT, dst->nr_sectors);
	enum dm_bpio_offload offload = leaf_offload(dst);
	struct dm_bpio_leaf src = { }, low_src, low_dst;
	u32 block = bdev_logical_block_size(dst->bdev);
	bool zero = run->source == BPIO_RUN_ZERO;
	const struct dm_bpio_copy_engine *engine;
	struct dm_bpio_volume *vol;
	struct dm_bpio *target;

	if (offload == DM_BPIO_OFFLOAD_NONE)
		return 0;
	if (!zero) {
		vol = dm_bpio_token_volume(copy->token);
		target = dm_bpio_volume_target(vol, run->source);
		if (!target)
			return 0;
		dm_bpio_leaf_below(&src, target, run->source, nr);
		if (place->bdev) {
			src.bdev = place->bdev;
			src.sector = place->sector;
		}
		nr = src.nr_sectors;
		block = max(block, bdev_logical_block_size(src.bdev));
	}

	if (!zero && may_nvme && !place->bdev &&
	    copy_may_pass_by(copy, &src, dst, nr, &low_src, &low_dst)) {
		nr = min(low_src.nr_sectors, low_dst.nr_sectors);
		return copy_engines[0]->copy(copy, done, place, &low_src,
					     &low_dst, nr);
	}
	copy_go_through(copy);
	if (!zero && !place->bdev && !copy_engines[1]->can(copy, &src, dst))
		return 0;

	/* Block sizes may differ: an engine takes what is whole at both ends. */
	block >>= SECTOR_SHIFT;
	nr = round_down(nr, block);
	if (!nr || (!zero && !leaf_is_aligned(&src)))
		return dm_bpio_engine_literal.copy(copy, done, place, &src, dst,
						   literal_sectors(&src, dst,
								   zero));
	engine = zero ? &dm_bpio_engine_zero : copy_engines[1];
	return engine->copy(copy, done, place, &src, dst, nr);
}

/* Scripted: some time passes, or it fails, when the place is known. */
static s32 copy_fault(struct dm_bpio_copy *copy)
{
	struct dm_bpio_fault fault;

	if (!dm_bpio_fault_hit(copy->vol, DM_BPIO_FAULT_COPY, &fault))
		return STATUS_SUCCESS;
	if (fault.delay_ms)
		msleep_interruptible(fault.delay_ms);
	return fault.status;
}

/*
 * Move everything from @done on; returns when no command is in flight.  Then
 * copy_progress() is what was moved.
 */
static void copy_all(struct dm_bpio_copy *copy, u64 done, bool may_nvme)
{
	const u64 end = copy->length;
	struct dm_bpio_place place;
	struct dm_bpio_leaf dst;
	sector_t nr;

	copy->status = STATUS_SUCCESS;
	copy->nvme_failed = false;
	copy->again = false;
	copy->bios_in_flight = false;
	copy->started = max(copy->started, done);
	atomic64_set(&copy->good, S64_MAX);
	while (done < end) {
		s32 status = copy_may_go_on(copy);

		if (!status && !dm_bpio_token_run(copy->token,
						  copy->token_offset + done,
						  end - done, &place))
			status = STATUS_DATA_OVERRUN;
		if (!status)
			status = copy_fault(copy);
		memset(&dst, 0, sizeof(dst));
		if (!status && !copy_destination(copy, done, &dst))
			status = STATUS_NONEXISTENT_SECTOR;
		if (!status) {
			nr = copy_some(copy, &place, &dst, done, may_nvme);
			/*
			 * A good token that cannot get here is no fault of
			 * ours (TK-9).
			 */
			if (!nr)
				status = leaf_offload(&dst) ==
						DM_BPIO_OFFLOAD_NONE ?
					STATUS_DEVICE_FEATURE_NOT_SUPPORTED :
					STATUS_DEVICE_UNREACHABLE;
		}
		if (status) {
			copy_fail(copy, status);
			copy_not_good(copy, done);
			break;
		}
		done += (u64)nr << SECTOR_SHIFT;
	}
	copy_flush(copy);
	dm_bpio_copy_wait(copy);
	copy_leave_layers(copy);
}

/*
 * A copy from beginning to end, inside the gates.  Return: NTSTATUS; *moved is
 * how much of the destination is good.
 */
static s32 copy_run(struct dm_bpio_copy *copy, u64 *moved)
{
	struct dm_bpio_fault fault;
	s32 refused = STATUS_SUCCESS;
	bool may_nvme;

	/* Scripted: the device never said that it has Copy. */
	may_nvme = !dm_bpio_fault_hit(copy->vol, DM_BPIO_FAULT_IDENTIFY,
				      &fault);
	init_completion(&copy->done);
	dm_bpio_token_redeem_begin(copy->token);
	*moved = 0;
	for (;;) {
		copy_all(copy, *moved, may_nvme);
		*moved = copy_progress(copy);
		if (copy->again && copy->status == STATUS_UNSUCCESSFUL)
			continue;
		if (!copy->status || !copy->nvme_failed ||
		    !dm_bpio_token_alive(copy->token))
			break;
		/* The device cannot do this Copy: what is left, without. */
		refused = copy->status;
		may_nvme = false;
	}
	/* No other engine may: then the device's word stands. */
	if (copy->status == STATUS_DEVICE_UNREACHABLE && refused &&
	    refused != STATUS_NOT_SUPPORTED)
		copy->status = refused;
	dm_bpio_token_redeem_end(copy->token);
	return copy->status;
}

static blk_status_t copy_blk_status(s32 status)
{
	switch (status) {
	case STATUS_SUCCESS:
		return BLK_STS_OK;
	case STATUS_INSUFFICIENT_RESOURCES:
		return BLK_STS_RESOURCE;
	case STATUS_NOT_SUPPORTED:
	case STATUS_DEVICE_FEATURE_NOT_SUPPORTED:
		return BLK_STS_NOTSUPP;
	default:
		return BLK_STS_IOERR;
	}
}

static void copy_work(struct work_struct *work)
{
	struct dm_bpio_copy *copy = container_of(work, struct dm_bpio_copy,
						 work);
	struct bio *bio = copy->bio;
	blk_status_t blk_status;
	s32 status;
	u64 moved;

	if (atomic_read(&copy->vol->nr_watched))
		dm_bpio_preserve_target(copy->target, copy->one.source,
					copy->length >> SECTOR_SHIFT);
	status = copy_run(copy, &moved);
	if (!status && copy->need_flush) {
		int ret = blkdev_issue_flush(copy->target->dev->bdev);

		if (ret)
			status = bpio_status_from_errno(ret);
	}
	if (copy->source_gate_held)
		bpio_gate_leave(&dm_bpio_token_volume(copy->token)->source_gate);
	blk_status = copy_blk_status(status);
	dm_bpio_marker_copied(copy->marker, copy->pos, copy->length,
			      copy->one.source, status);
	mempool_free(copy, copy_pool);
	/* The bio kept the marker, and with it the token, and the table. */
	bio->bi_status = blk_status;
	bio_endio(bio);
}

/**
 * dm_bpio_copy_start - make a marker write a copy
 * @target: destination
 * @bio: marker bio, its sector that of the mapped device; FUA is honoured
 * @marker: its marker
 * @pos: position in the marker, bytes
 * @token: source; the marker holds a reference
 * @token_offset: bytes into the token's data
 *
 * Kills the tokens that the write outdates, before its first byte, or has what
 * they stand for preserved.  One of them may be @token: then the copy fails.
 *
 * Context: map(); does not sleep.
 * Return: BLK_STS_OK: @bio will be completed; BLK_STS_AGAIN: the source volume
 * is suspended; BLK_STS_RESOURCE.
 */
blk_status_t dm_bpio_copy_start(struct dm_bpio *target, struct bio *bio,
				struct bpio_marker *marker, u64 pos,
				struct bpio_token *token, u64 token_offset)
{
	struct dm_bpio_volume *source = dm_bpio_token_volume(token);
	struct dm_bpio_copy *copy;

	copy = mempool_alloc(copy_pool, GFP_NOWAIT | __GFP_NOWARN);
	if (!copy)
		return BLK_STS_RESOURCE;
	memset(copy, 0, offsetof(struct dm_bpio_copy, nvme.runs));
	copy->vol = target->vol;
	copy->target = target;
	copy->bio = bio;
	copy->fua = bio->bi_opf & REQ_FUA;
	copy->marker = marker;
	copy->pos = pos;
	copy->length = bio->bi_iter.bi_size;
	copy->one.length = copy->length;
	copy->one.source = bio->bi_iter.bi_sector;
	copy->dst = &copy->one;
	copy->nr_dst = 1;
	copy->token = token;
	copy->token_offset = token_offset;

	/* Our own table is kept by the bio; the gate may be closing already. */
	if (source && source != target->vol) {
		if (!bpio_gate_enter(&source->source_gate)) {
			mempool_free(copy, copy_pool);
			return BLK_STS_AGAIN;
		}
		copy->source_gate_held = true;
	}
	INIT_WORK(&copy->work, copy_work);
	queue_work(copy_wq, &copy->work);
	return BLK_STS_OK;
}

/*
 * Into the destination's and the source's gate, waiting while one of them is
 * suspended, as a write by bio would.  Return: NTSTATUS.
 */
static s32 copy_enter_gates(struct dm_bpio_copy *copy)
{
	struct dm_bpio_volume *source = dm_bpio_token_volume(copy->token);

	if (source == copy->vol)
		source = NULL;
	for (;;) {
		s32 status = copy_may_go_on(copy);

		if (status)
			return status;
		if (bpio_gate_enter(&copy->vol->source_gate)) {
			if (!source || bpio_gate_enter(&source->source_gate)) {
				copy->source_gate_held = source;
				return STATUS_SUCCESS;
			}
			bpio_gate_leave(&copy->vol->source_gate);
		}
		schedule_timeout_killable(msecs_to_jiffies(10));
	}
}

/**
 * dm_bpio_copy_ranges - copy a token's data straight to sectors of a volume
 * @vol: destination, to which the caller has a reference
 * @dst: where to: offset is bytes into the copy, ascending from 0 without gaps;
 *	source is the first sector of @vol; multiples of its logical block
 * @nr_dst: their number
 * @length: bytes, above 0, at most their sum
 * @token: from bpio_token_find()
 * @token_offset: bytes into the token's data, a multiple of 512
 * @deadline: jiffies; no command is submitted later, and none after a fatal
 *	signal
 * @copied: out: bytes from the first range on that hold the token's data
 *
 * Kills the tokens that the write outdates, before its first byte; one of them
 * may be @token: then nothing is written.  With ``on_write preserve`` what they
 * stand for is preserved instead.  Waits while the destination or the source is
 * suspended.  Does not pass through map(): page caches above are the caller's
 * affair.
 *
 * Context: process; sleeps; takes no lock but waits for gates.
 * Return: STATUS_SUCCESS when all was copied; STATUS_IO_TIMEOUT at @deadline;
 * STATUS_INVALID_TOKEN when the token is dead; STATUS_DATA_OVERRUN,
 * STATUS_NONEXISTENT_SECTOR, STATUS_DEVICE_UNREACHABLE,
 * STATUS_DEVICE_FEATURE_NOT_SUPPORTED, STATUS_INSUFFICIENT_RESOURCES,
 * STATUS_UNSUCCESSFUL or what an engine said.
 */
s32 dm_bpio_copy_ranges(struct dm_bpio_volume *vol, const struct bpio_run *dst,
			unsigned int nr_dst, u64 length,
			struct bpio_token *token, u64 token_offset,
			unsigned long deadline, u64 *copied)
{
	struct dm_bpio_copy *copy;
	unsigned int i;
	int passing;
	s32 status;

	*copied = 0;
	copy = kmem_cache_zalloc(copy_cache, GFP_KERNEL);
	if (!copy)
		return STATUS_INSUFFICIENT_RESOURCES;
	copy->vol = vol;
	copy->length = length;
	copy->dst = dst;
	copy->nr_dst = nr_dst;
	copy->token = token;
	copy->token_offset = token_offset;
	copy->has_deadline = true;
	copy->deadline = deadline;

	status = copy_enter_gates(copy);
	if (status)
		goto out;
	passing = dm_bpio_pass_begin(vol);
	if (atomic_read(&vol->nr_watched))
		for (i = 0; i < nr_dst && dst[i].offset < length; i++)
			dm_bpio_preserve(vol, dst[i].source,
					 min(dst[i].length,
					     length - dst[i].offset) >>
					 SECTOR_SHIFT);
	status = copy_run(copy, copied);
	dm_bpio_pass_end(vol, passing);
	if (copy->source_gate_held)
		bpio_gate_leave(&dm_bpio_token_volume(token)->source_gate);
	bpio_gate_leave(&vol->source_gate);
out:
	kmem_cache_free(copy_cache, copy);
	return status;
}

/**
 * dm_bpio_offload_write_fault - apply a scripted fault to an offload write
 * @vol: destination
 * @length: in: bytes of the request; out: bytes to copy before it ends
 *
 * Context: process; sleeps when the script says so.
 * Return: STATUS_SUCCESS, or the status with which the request ends after
 * *length bytes.
 */
s32 dm_bpio_offload_write_fault(struct dm_bpio_volume *vol, u64 *length)
{
	struct dm_bpio_fault fault;

	if (!dm_bpio_fault_hit(vol, DM_BPIO_FAULT_OFFLOAD_WRITE, &fault))
		return STATUS_SUCCESS;
	if (fault.delay_ms)
		msleep_interruptible(fault.delay_ms);
	if (fault.has_bytes)
		*length = min(*length, fault.bytes);
	else if (fault.status)
		*length = 0;
	return fault.status;
}

/**
 * bpio_offload_write_begin - open an offload write at its destination
 * @vol: destination volume
 * @length: in: bytes of the request; out: bytes to copy before it ends
 *
 * Once per request, before the first marker write: counts it and applies a
 * scripted fault.
 *
 * Context: process; sleeps when the script says so.
 * Return: STATUS_SUCCESS, or the status with which the request ends after
 * *length bytes.
 */
s32 bpio_offload_write_begin(struct bpio_volume *vol, u64 *length)
{
	bpio_stat_add(vol, BPIO_STAT_OFFLOAD_WRITES, 1);
	if (!bpio_volume_can_offload(vol)) {
		*length = 0;
		return STATUS_DEVICE_FEATURE_NOT_SUPPORTED;
	}
	return dm_bpio_offload_write_fault(to_dm_bpio(vol), length);
}
EXPORT_SYMBOL_GPL(bpio_offload_write_begin);

/* ---- setup --------------------------------------------------------------- */

/**
 * dm_bpio_copy_engine_name - the engine for a copy within one target
 * @target: target
 *
 * Context: any; takes no lock.
 * Return: "nvme", "kcopyd" or "none", as in the status line.
 */
const char *dm_bpio_copy_engine_name(struct dm_bpio *target)
{
	struct dm_bpio *leaf = target;
	bool may_nvme = true, may_kcopyd = true;
	struct dm_bpio_volume *held[DM_BPIO_MAX_DEPTH], *vol;
	unsigned int nr_held = 0;
	sector_t sector = target->offset_sectors;
	struct dm_bpio *below;

	for (;;) {
		if (leaf->offload != DM_BPIO_OFFLOAD_AUTO) {
			if (leaf->offload != DM_BPIO_OFFLOAD_NVME)
				may_nvme = false;
			if (leaf == target &&
			    leaf->offload != DM_BPIO_OFFLOAD_KCOPYD)
				may_kcopyd = false;
		}
		vol = leaf->lower;
		if (!vol)
			break;
		if (nr_held == ARRAY_SIZE(held) ||
		    !bpio_gate_enter(&vol->source_gate)) {
			may_nvme = false;
			break;
		}
		held[nr_held++] = vol;
		below = dm_bpio_volume_target(vol, sector);
		if (!below) {
			may_nvme = false;
			break;
		}
		sector = dm_bpio_lower_sector(below, sector);
		leaf = below;
	}
	if (!dm_bpio_nvme_usable(leaf) ||
	    READ_ONCE(target->vol->fault[DM_BPIO_FAULT_IDENTIFY].armed))
		may_nvme = false;
	while (nr_held)
		bpio_gate_leave(&held[--nr_held]->source_gate);
	if (may_nvme)
		return dm_bpio_engine_nvme.name;
	return may_kcopyd ? dm_bpio_engine_host.name : "none";
}

/**
 * dm_bpio_copy_target_init - learn how a target can copy
 * @target: constructed, with its device open
 *
 * What lies below is looked up now and not when a copy runs: a suspend drains
 * copies with dm_bpio_lock held.  A volume below that changes its kind later
 * costs the engine, not the copy.
 *
 * Context: constructor, in dmsetup's process; sleeps, takes dm_bpio_lock.
 */
void dm_bpio_copy_target_init(struct dm_bpio *target)
{
	target->lower = dm_bpio_volume_find(target->dev->bdev->bd_dev);
	if (!target->lower)
		dm_bpio_nvme_target_init(target);
}

/* Undo dm_bpio_copy_target_init(); no copy uses the target any more. */
void dm_bpio_copy_target_exit(struct dm_bpio *target)
{
	if (target->lower)
		dm_bpio_volume_release(target->lower);
	target->lower = NULL;
	dm_bpio_nvme_target_exit(target);
}

/* Return: 0 or a negative errno. */
int dm_bpio_copy_init(void)
{
	int ret = -ENOMEM;

	copy_cache = KMEM_CACHE(dm_bpio_copy, 0);
	if (!copy_cache)
		return -ENOMEM;
	copy_pool = mempool_create_slab_pool(COPY_POOL_MIN, copy_cache);
	if (!copy_pool)
		goto destroy_cache;
	copy_wq = alloc_workqueue("bpio_copy", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!copy_wq)
		goto destroy_pool;
	ret = dm_bpio_copy_host_init();
	if (ret)
		goto destroy_wq;
	return 0;

destroy_wq:
	destroy_workqueue(copy_wq);
destroy_pool:
	mempool_destroy(copy_pool);
destroy_cache:
	kmem_cache_destroy(copy_cache);
	return ret;
}

/* No target is left, so no copy is, either. */
void dm_bpio_copy_exit(void)
{
	destroy_workqueue(copy_wq);
	dm_bpio_copy_host_exit();
	mempool_destroy(copy_pool);
	kmem_cache_destroy(copy_cache);
}
