// SPDX-License-Identifier: GPL-2.0
/*
 * Copies: turns a marker bio into commands of one of the engines, and answers
 * for the result.  Owns the life of a copy, the choice of the engine, and the
 * order of checks that makes a redemption a point in time (TK-3).
 *
 * A copy runs in a work of its own, which may sleep as long as the commands
 * need; map() only hands over.  Meanwhile nothing it uses can go away: the bio
 * in flight keeps the destination's table, source_gate keeps the source's, and
 * the source_gate of every lower bpio volume on the way keeps theirs.  The work
 * takes no lock that a suspend holds while it drains these.
 */
#include <linux/delay.h>
#include <linux/mempool.h>
#include <linux/slab.h>
#include "copy.h"

#define COPY_POOL_MIN	16

static struct kmem_cache *copy_cache;
static mempool_t *copy_pool;
static struct workqueue_struct *copy_wq;

/* Best first. */
static const struct dm_bpio_copy_engine *const copy_engines[] = {
	&dm_bpio_engine_nvme,
	&dm_bpio_engine_kcopyd,
};

/* ---- commands in flight -------------------------------------------------- */

/**
 * dm_bpio_copy_begin - a command is about to be submitted
 * @copy: copy
 *
 * Waits until fewer than DM_BPIO_COPY_DEPTH are in flight.
 *
 * Context: the copy's work; sleeps.
 */
void dm_bpio_copy_begin(struct dm_bpio_copy *copy)
{
	if (copy->nr_inflight == DM_BPIO_COPY_DEPTH) {
		wait_for_completion_io(&copy->done);
		copy->nr_inflight--;
	}
	copy->nr_inflight++;
	copy->submitted = true;
}

/**
 * dm_bpio_copy_end - a command has ended
 * @copy: copy; may be gone afterwards
 * @engine: whose command
 * @status: NTSTATUS
 * @length: bytes moved when it succeeded
 *
 * Context: any, hard interrupt as well.
 */
void dm_bpio_copy_end(struct dm_bpio_copy *copy,
		      const struct dm_bpio_copy_engine *engine, s32 status,
		      u64 length)
{
	if (status)
		cmpxchg(&copy->status, STATUS_SUCCESS, status);
	else
		bpio_stat_add(&copy->target->vol->pub, engine->stat, length);
	complete(&copy->done);
}

static void copy_wait(struct dm_bpio_copy *copy)
{
	while (copy->nr_inflight) {
		wait_for_completion_io(&copy->done);
		copy->nr_inflight--;
	}
}

/* ---- where sectors end up ------------------------------------------------ */

static bool copy_holds_layer(const struct dm_bpio_copy *copy,
			     const struct dm_bpio_volume *vol)
{
	unsigned int i;

	for (i = 0; i < copy->nr_layers; i++)
		if (copy->layers[i] == vol)
			return true;
	return false;
}

/* Keep the table of a lower volume until the copy has ended. */
static bool copy_enter_layer(struct dm_bpio_copy *copy,
			     struct dm_bpio_volume *vol)
{
	if (copy_holds_layer(copy, vol))
		return true;
	if (copy->nr_layers == ARRAY_SIZE(copy->layers) ||
	    !bpio_gate_enter(&vol->source_gate))
		return false;
	copy->layers[copy->nr_layers++] = vol;
	return true;
}

static void copy_leave_layers(struct dm_bpio_copy *copy)
{
	/* From the bottom up: a target of the layer above holds the volume. */
	while (copy->nr_layers)
		bpio_gate_leave(&copy->layers[--copy->nr_layers]->source_gate);
}

static void leaf_step(struct dm_bpio_leaf *leaf, struct dm_bpio *target,
		      sector_t sector)
{
	sector_t at = sector - target->ti->begin;

	leaf->target = target;
	leaf->bdev = target->dev->bdev;
	leaf->sector = target->offset_sectors + at;
	leaf->nr_sectors = min(leaf->nr_sectors, target->ti->len - at);
	if (target->offload != DM_BPIO_OFFLOAD_AUTO) {
		if (target->offload != DM_BPIO_OFFLOAD_NVME)
			leaf->may_nvme = false;
		if (target->offload != DM_BPIO_OFFLOAD_KCOPYD)
			leaf->may_kcopyd = false;
	}
}

/*
 * One level down: the devices that dm-kcopyd works on.  It passes through the
 * map() of what is below, which looks after itself.
 */
static void leaf_below(struct dm_bpio_leaf *leaf, struct dm_bpio *target,
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
		if (!copy_enter_layer(copy, vol))
			return false;
		target = dm_bpio_volume_target(vol, sector);
		if (!target)
			return false;
		leaf_step(leaf, target, sector);
		if (write && atomic_read(&vol->nr_tokens))
			dm_bpio_tokens_invalidate(vol, sector,
						  leaf->nr_sectors);
	}
	if (!has_limits)
		leaf->limits = target->nvme.limits;
	return bpio_copy_limits_sane(&leaf->limits);
}

/* ---- one copy ------------------------------------------------------------ */

/* Start to move the run at @pos of the copy.  Return: sectors started, or 0. */
static sector_t copy_some(struct dm_bpio_copy *copy, const struct bpio_run *run,
			  u64 done, bool may_nvme)
{
	sector_t to = copy->sector + (done >> SECTOR_SHIFT);
	sector_t nr = run->length >> SECTOR_SHIFT;
	struct dm_bpio_leaf src = { }, dst = { }, low_src, low_dst;
	struct dm_bpio_volume *vol;
	struct dm_bpio *target;

	leaf_below(&dst, copy->target, to, nr);
	if (run->source == BPIO_RUN_ZERO) {
		if (copy->target->offload == DM_BPIO_OFFLOAD_NONE)
			return 0;
		dm_bpio_engine_zero.copy(copy, NULL, &dst, dst.nr_sectors);
		return dst.nr_sectors;
	}

	vol = dm_bpio_token_volume(copy->token);
	target = dm_bpio_volume_target(vol, run->source);
	if (!target)
		return 0;
	leaf_below(&src, target, run->source, dst.nr_sectors);
	dst.nr_sectors = src.nr_sectors;

	if (may_nvme) {
		low_src = src;
		low_dst = dst;
		if (leaf_bottom(copy, &low_src, false) &&
		    leaf_bottom(copy, &low_dst, true) &&
		    copy_engines[0]->can(copy, &low_src, &low_dst)) {
			nr = min(low_src.nr_sectors, low_dst.nr_sectors);
			copy_engines[0]->copy(copy, &low_src, &low_dst, nr);
			return nr;
		}
	}
	if (!copy_engines[1]->can(copy, &src, &dst))
		return 0;
	copy_engines[1]->copy(copy, &src, &dst, dst.nr_sectors);
	return dst.nr_sectors;
}

/* Move everything; returns when no command is in flight. */
static void copy_all(struct dm_bpio_copy *copy, bool may_nvme)
{
	struct bpio_run run;
	unsigned int i;
	sector_t nr;
	u64 done;

	copy->status = STATUS_SUCCESS;
	for (done = 0; done < copy->length; done += (u64)nr << SECTOR_SHIFT) {
		s32 status = STATUS_SUCCESS;

		/* C1 of token-store.c; again before each command of a batch */
		if (!dm_bpio_token_alive(copy->token))
			status = STATUS_INVALID_TOKEN;
		else if (!dm_bpio_token_run(copy->token,
					    copy->token_offset + done,
					    copy->length - done, &run))
			status = STATUS_DATA_OVERRUN;
		if (status) {
			cmpxchg(&copy->status, STATUS_SUCCESS, status);
			break;
		}
		nr = copy_some(copy, &run, done, may_nvme);
		/* A good token that cannot get here is no fault of ours (TK-9). */
		if (!nr)
			cmpxchg(&copy->status, STATUS_SUCCESS,
				copy->target->offload == DM_BPIO_OFFLOAD_NONE ?
				STATUS_DEVICE_FEATURE_NOT_SUPPORTED :
				STATUS_DEVICE_UNREACHABLE);
		if (READ_ONCE(copy->status))
			break;
		dm_bpio_token_use(copy->token);
	}
	for (i = 0; i < ARRAY_SIZE(copy_engines); i++)
		if (copy_engines[i]->flush)
			copy_engines[i]->flush(copy);
	copy_wait(copy);
}

/*
 * The token died while commands were in flight: what they wrote may be newer
 * than what the token stood for, or another file's.  Wipe it.
 */
static void copy_wipe(struct dm_bpio_copy *copy)
{
	struct dm_bpio_leaf dst = { };

	leaf_below(&dst, copy->target, copy->sector,
		   copy->length >> SECTOR_SHIFT);
	blkdev_issue_zeroout(dst.bdev, dst.sector, dst.nr_sectors, GFP_NOIO,
			     BLKDEV_ZERO_NOUNMAP);
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
	struct dm_bpio *target = copy->target;
	struct dm_bpio_fault fault;
	blk_status_t blk_status;

	/* Scripted: the device never said that it has Copy. */
	copy_all(copy, !dm_bpio_fault_hit(target->vol, DM_BPIO_FAULT_IDENTIFY,
					  &fault));
	/* The device says that it has no Copy after all: once more, without. */
	if (copy->status == STATUS_NOT_SUPPORTED)
		copy_all(copy, false);

	/* C3 of token-store.c: the commands have completed. */
	if (!dm_bpio_token_alive(copy->token)) {
		copy->status = STATUS_INVALID_TOKEN;
		if (copy->submitted)
			copy_wipe(copy);
	} else if (!copy->status && copy->need_flush) {
		int ret = blkdev_issue_flush(target->dev->bdev);

		if (ret)
			copy->status = bpio_status_from_errno(ret);
	}

	copy_leave_layers(copy);
	if (copy->source_gate_held)
		bpio_gate_leave(&dm_bpio_token_volume(copy->token)->source_gate);
	blk_status = copy_blk_status(copy->status);
	dm_bpio_marker_copied(copy->marker, copy->pos, copy->length,
			      copy->sector, copy->status);
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
 * Kills the tokens that the write outdates, which may be @token: then the copy
 * fails.
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
	memset(copy, 0, sizeof(*copy));
	copy->target = target;
	copy->bio = bio;
	copy->marker = marker;
	copy->pos = pos;
	copy->length = bio->bi_iter.bi_size;
	copy->sector = bio->bi_iter.bi_sector;
	copy->token = token;
	copy->token_offset = token_offset;
	init_completion(&copy->done);

	/* Our own table is kept by the bio; the gate may be closing already. */
	if (source && source != target->vol) {
		if (!bpio_gate_enter(&source->source_gate)) {
			mempool_free(copy, copy_pool);
			return BLK_STS_AGAIN;
		}
		copy->source_gate_held = true;
	}
	if (atomic_read(&target->vol->nr_tokens))
		dm_bpio_tokens_invalidate(target->vol, copy->sector,
					  copy->length >> SECTOR_SHIFT);
	INIT_WORK(&copy->work, copy_work);
	queue_work(copy_wq, &copy->work);
	return BLK_STS_OK;
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
	struct dm_bpio_fault fault;

	bpio_stat_add(vol, BPIO_STAT_OFFLOAD_WRITES, 1);
	if (!bpio_volume_can_offload(vol)) {
		*length = 0;
		return STATUS_DEVICE_FEATURE_NOT_SUPPORTED;
	}
	if (!dm_bpio_fault_hit(to_dm_bpio(vol), DM_BPIO_FAULT_OFFLOAD_WRITE,
			       &fault))
		return STATUS_SUCCESS;
	if (fault.delay_ms)
		msleep_interruptible(fault.delay_ms);
	if (fault.has_bytes)
		*length = min(*length, fault.bytes);
	else if (fault.status)
		*length = 0;
	return fault.status;
}
EXPORT_SYMBOL_GPL(bpio_offload_write_begin);

/* ---- reading a token's data ---------------------------------------------- */

static int copy_read_bdev(struct block_device *bdev, sector_t sector,
			  void *buffer, size_t length)
{
	bool is_vmalloc = is_vmalloc_addr(buffer);
	int ret = 0;

	while (length && !ret) {
		unsigned int nr = bio_max_segs(DIV_ROUND_UP(offset_in_page(buffer) +
							    length, PAGE_SIZE));
		struct bio *bio = bio_alloc(bdev, nr, REQ_OP_READ, GFP_NOIO);
		void *start = buffer;

		bio->bi_iter.bi_sector = sector;
		while (length) {
			unsigned int n = min_t(size_t, length, PAGE_SIZE -
					       offset_in_page(buffer));
			struct page *page = is_vmalloc ?
				vmalloc_to_page(buffer) : virt_to_page(buffer);

			if (bio_add_page(bio, page, n,
					 offset_in_page(buffer)) != n)
				break;
			buffer += n;
			length -= n;
		}
		sector += (buffer - start) >> SECTOR_SHIFT;
		ret = submit_bio_wait(bio);
		bio_put(bio);
		if (is_vmalloc)
			invalidate_kernel_vmap_range(start, buffer - start);
	}
	return ret;
}

/*
 * Read from @offset on what lies in one place and can be had in one go: whole
 * blocks straight, a part of a block by way of @bounce, one block.  Inside the
 * source gate.  Return: bytes, or a negative errno.
 */
static ssize_t token_read_some(struct bpio_token *token, u64 offset,
			       void *buffer, size_t length, void *bounce)
{
	struct dm_bpio_volume *vol = dm_bpio_token_volume(token);
	unsigned int head = offset & (SECTOR_SIZE - 1), block;
	struct dm_bpio_leaf leaf = { };
	struct dm_bpio *target;
	struct bpio_run run;
	int ret;

	if (!dm_bpio_token_run(token, offset - head, (u64)head + length, &run))
		return -ENODATA;
	length = min_t(u64, length, run.length - head);
	if (run.source == BPIO_RUN_ZERO) {
		memset(buffer, 0, length);
		return length;
	}
	target = dm_bpio_volume_target(vol, run.source);
	if (!target)
		return -ESTALE;
	leaf_below(&leaf, target, run.source,
		   DIV_ROUND_UP_ULL(run.length, SECTOR_SIZE));
	length = min_t(u64, length,
		       ((u64)leaf.nr_sectors << SECTOR_SHIFT) - head);

	block = bdev_logical_block_size(leaf.bdev);
	head += (leaf.sector << SECTOR_SHIFT) & (block - 1);
	if (!head && length >= block) {
		length = round_down(length, block);
		ret = copy_read_bdev(leaf.bdev, leaf.sector, buffer, length);
		return ret ?: length;
	}
	length = min_t(size_t, length, block - head);
	ret = copy_read_bdev(leaf.bdev,
			     round_down(leaf.sector, block >> SECTOR_SHIFT),
			     bounce, block);
	if (ret)
		return ret;
	memcpy(buffer, bounce + head, length);
	return length;
}

/**
 * bpio_token_read - the data that a token stands for
 * @token: from bpio_token_find()
 * @token_offset: bytes into its data
 * @buffer: out: kmalloc'ed or vmalloc'ed; aligned to 512 bytes unless the
 *	range is smaller
 * @length: bytes
 *
 * Waits while the source volume is suspended.  Any range will do; one that is
 * not a multiple of the logical block costs extra reads.
 *
 * Context: process; sleeps.
 * Return: STATUS_SUCCESS; STATUS_INVALID_TOKEN when the token died before the
 * read was complete; STATUS_DATA_OVERRUN beyond the token's end; the status of
 * an I/O error.  On failure @buffer holds nothing of use.
 */
s32 bpio_token_read(struct bpio_token *token, u64 token_offset, void *buffer,
		    size_t length)
{
	struct dm_bpio_volume *vol = dm_bpio_token_volume(token);
	s32 status = STATUS_SUCCESS;
	size_t done = 0;
	void *bounce;
	ssize_t ret;

	bounce = kmalloc(PAGE_SIZE, GFP_KERNEL);	/* blocks are no larger */
	if (!bounce)
		return STATUS_INSUFFICIENT_RESOURCES;
	while (vol && !bpio_gate_enter(&vol->source_gate)) {
		ret = bpio_token_wait_source(token);
		if (ret) {
			status = ret == -ESTALE ? STATUS_INVALID_TOKEN :
				 bpio_status_from_errno(ret);
			goto free_bounce;
		}
	}
	while (done < length) {
		ret = token_read_some(token, token_offset + done, buffer + done,
				      length - done, bounce);
		if (ret <= 0) {
			status = ret == -ENODATA ? STATUS_DATA_OVERRUN :
				 ret == -ESTALE ? STATUS_INVALID_TOKEN :
				 bpio_status_from_errno(ret ?: -EIO);
			break;
		}
		done += ret;
	}
	if (vol)
		bpio_gate_leave(&vol->source_gate);
	/* C3 of token-store.c */
	if (!dm_bpio_token_alive(token)) {
		memset(buffer, 0, length);
		status = STATUS_INVALID_TOKEN;
	}
	dm_bpio_token_use(token);
free_bounce:
	kfree(bounce);
	return status;
}
EXPORT_SYMBOL_GPL(bpio_token_read);

/**
 * bpio_token_wait_source - wait until a token's source can be read
 * @token: from bpio_token_find()
 *
 * Context: process; sleeps, a fatal signal ends it.
 * Return: 0: try again; -EINTR; -ESTALE: the token is dead.
 */
int bpio_token_wait_source(struct bpio_token *token)
{
	struct dm_bpio_volume *vol = dm_bpio_token_volume(token);

	while (dm_bpio_token_alive(token)) {
		if (!vol)
			return 0;
		if (bpio_gate_enter(&vol->source_gate)) {
			bpio_gate_leave(&vol->source_gate);
			return 0;
		}
		/* Rare, and as long as an administrator takes: poll. */
		if (fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_killable(msecs_to_jiffies(10));
	}
	return -ESTALE;
}
EXPORT_SYMBOL_GPL(bpio_token_wait_source);

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
		sector = below->offset_sectors + (sector - below->ti->begin);
		leaf = below;
	}
	if (!dm_bpio_nvme_usable(leaf) ||
	    READ_ONCE(target->vol->fault[DM_BPIO_FAULT_IDENTIFY].armed))
		may_nvme = false;
	while (nr_held)
		bpio_gate_leave(&held[--nr_held]->source_gate);
	if (may_nvme)
		return dm_bpio_engine_nvme.name;
	return may_kcopyd ? dm_bpio_engine_kcopyd.name : "none";
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
	ret = dm_bpio_kcopyd_init();
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
	dm_bpio_kcopyd_exit();
	mempool_destroy(copy_pool);
	kmem_cache_destroy(copy_cache);
}
