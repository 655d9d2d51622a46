// SPDX-License-Identifier: GPL-2.0
/*
 * A token's data by way of memory: for who wants to read it, and as the copy
 * engine of last resort, for pieces of a block where source and destination
 * have blocks of different sizes.
 */
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "copy.h"

static int literal_io(struct block_device *bdev, blk_opf_t opf, sector_t sector,
		      void *buffer, size_t length)
{
	bool is_vmalloc = is_vmalloc_addr(buffer);
	int ret = 0;

	while (length && !ret) {
		unsigned int nr = bio_max_segs(DIV_ROUND_UP(offset_in_page(buffer) +
							    length, PAGE_SIZE));
		struct bio *bio = bio_alloc(bdev, nr, opf, GFP_NOIO);
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

/* Scripted: some time passes, or it fails, when the place is known. */
static int token_read_fault(struct dm_bpio_volume *vol)
{
	struct dm_bpio_fault fault;

	if (!dm_bpio_fault_hit(vol, DM_BPIO_FAULT_TOKEN_READ, &fault))
		return 0;
	if (fault.delay_ms)
		msleep_interruptible(fault.delay_ms);
	return fault.status ? -EIO : 0;
}

/*
 * Read @length bytes at @head of @leaf, which is @place: whole blocks straight, a
 * part of a block by way of @bounce, one block.  Return: bytes, or a negative
 * errno; -EAGAIN: it was preserved since it was looked up.
 */
static ssize_t token_read_held(struct bpio_token *token,
			       const struct dm_bpio_place *place,
			       const struct dm_bpio_leaf *leaf,
			       unsigned int head, void *buffer, size_t length,
			       void *bounce)
{
	const unsigned int block = bdev_logical_block_size(leaf->bdev);
	struct dm_bpio_hold hold;
	bool whole;
	int ret;

	dm_bpio_hold_init(&hold, place,
			  DIV_ROUND_UP(head + length, SECTOR_SIZE));
	head += (leaf->sector << SECTOR_SHIFT) & (block - 1);
	whole = !head && length >= block;
	length = whole ? round_down(length, block) :
			 min_t(size_t, length, block - head);
	ret = dm_bpio_token_hold_data(token, &hold, 1);
	if (ret)
		return ret;
	ret = literal_io(leaf->bdev, REQ_OP_READ,
			 round_down(leaf->sector, block >> SECTOR_SHIFT),
			 whole ? buffer : bounce, whole ? length : block);
	dm_bpio_token_drop_data(token, &hold, 1);
	if (ret)
		return ret == -EAGAIN || ret == -ESTALE ? -EIO : ret;
	if (!whole)
		memcpy(buffer, bounce + head, length);
	return length;
}

/*
 * Read from @offset on what lies in one place and can be had in one go.  Inside
 * the source gate.  Return: bytes, or a negative errno.
 */
static ssize_t token_read_some(struct bpio_token *token, u64 offset,
			       void *buffer, size_t length, void *bounce)
{
	struct dm_bpio_volume *vol = dm_bpio_token_volume(token);
	unsigned int head = offset & (SECTOR_SIZE - 1);
	struct dm_bpio_leaf leaf = { };
	struct dm_bpio_place place;
	const struct bpio_run *run = &place.run;
	struct dm_bpio *target;
	int ret;

	if (!dm_bpio_token_run(token, offset - head, (u64)head + length,
			       &place))
		return -ENODATA;
	length = min_t(u64, length, run->length - head);
	if (run->source == BPIO_RUN_ZERO) {
		memset(buffer, 0, length);
		return length;
	}
	target = dm_bpio_volume_target(vol, run->source);
	if (!target)
		return -ESTALE;
	dm_bpio_leaf_below(&leaf, target, run->source,
			   DIV_ROUND_UP_ULL(run->length, SECTOR_SIZE));
	if (place.bdev) {
		leaf.bdev = place.bdev;
		leaf.sector = place.sector;
	}
	length = min_t(u64, length,
		       ((u64)leaf.nr_sectors << SECTOR_SHIFT) - head);
	ret = token_read_fault(vol);
	if (ret)
		return ret;

	return token_read_held(token, &place, &leaf, head, buffer, length,
			       bounce);
}

/* Inside the source gate.  Return: NTSTATUS. */
static s32 token_read_all(struct bpio_token *token, u64 token_offset,
			  void *buffer, size_t length, void *bounce)
{
	size_t done = 0;
	ssize_t ret;

	while (done < length) {
		ret = token_read_some(token, token_offset + done, buffer + done,
				      length - done, bounce);
		if (ret == -EAGAIN)
			continue;
		if (ret <= 0)
			return ret == -ENODATA ? STATUS_DATA_OVERRUN :
			       ret == -ESTALE ? STATUS_INVALID_TOKEN :
			       bpio_status_from_errno(ret ?: -EIO);
		done += ret;
	}
	return STATUS_SUCCESS;
}

/* ---- the engine ---------------------------------------------------------- */

static sector_t literal_copy(struct dm_bpio_copy *copy, u64 at,
			     const struct dm_bpio_place *place,
			     const struct dm_bpio_leaf *src,
			     const struct dm_bpio_leaf *dst,
			     sector_t nr_sectors)
{
	sector_t nr = min_t(sector_t, nr_sectors, PAGE_SIZE >> SECTOR_SHIFT);
	size_t length = (size_t)nr << SECTOR_SHIFT;
	s32 status = STATUS_INSUFFICIENT_RESOURCES;
	void *buffer, *bounce;
	int ret;

	if (!dm_bpio_copy_begin(copy, at, length))
		return nr;
	if (copy->fua)
		copy->need_flush = true;
	buffer = (void *)__get_free_page(GFP_NOIO);
	bounce = (void *)__get_free_page(GFP_NOIO);
	if (buffer && bounce)
		status = token_read_all(copy->token, copy->token_offset + at,
					buffer, length, bounce);
	if (!status) {
		ret = literal_io(dst->bdev, REQ_OP_WRITE, dst->sector,
				 buffer, length);
		status = ret ? bpio_status_from_errno(ret) : STATUS_SUCCESS;
	}
	free_page((unsigned long)buffer);
	free_page((unsigned long)bounce);
	dm_bpio_copy_end(copy, &dm_bpio_engine_literal, status, at, length);
	return nr;
}

const struct dm_bpio_copy_engine dm_bpio_engine_literal = {
	.name = "literal",
	.stat = BPIO_STAT_BYTES_LITERAL,
	.copy = literal_copy,
};

/* ---- reading ------------------------------------------------------------- */

/**
 * bpio_token_read - the data that a token stands for
 * @token: from bpio_token_find()
 * @token_offset: bytes into its data
 * @buffer: out: kmalloc'ed or vmalloc'ed; aligned to 512 bytes unless the
 *	range is smaller
 * @length: bytes
 *
 * Waits while the source volume is suspended; after that the token does not
 * expire.  Any range will do; one that is not a multiple of the logical block
 * costs extra reads.
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
	void *bounce;
	int ret;

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
	dm_bpio_token_redeem_begin(token);
	status = token_read_all(token, token_offset, buffer, length, bounce);
	if (vol)
		bpio_gate_leave(&vol->source_gate);
	dm_bpio_token_redeem_end(token);
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
