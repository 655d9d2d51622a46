// SPDX-License-Identifier: GPL-2.0
/*
 * Writes to what tokens stand for.  By default the tokens die; with ``on_write
 * preserve`` their data is copied aside first.  Either way the write then waits
 * for commands that are reading the data.  Owns the reserve, the writes that
 * wait for it, and their order (W0 to W3 at the top of token-store.c).  Which
 * tokens a write outdates, and which a piece serves, is decided by token-store.c;
 * what a piece is, by reserve.c.
 *
 * A write that needs it waits in a queue of its target, a bio as well as a copy
 * that writes past map().  One work takes all of the queue, copies the chunks
 * concerned aside at the same time, each once, tells the tokens, and lets the
 * writes go that nothing is left to do for; it goes on until all have gone.
 *
 * Whatever fails costs tokens and never a write: no room, no memory, an I/O
 * error.  So nothing here waits for memory that a write might have to free
 * first.  The work queue and the dm-kcopyd client, with what they keep for bad
 * times, are the target's own: a bpio target may lie below, or hold the
 * reserve, and this one waits for its writes.
 *
 * The reserve's contents are worth nothing without the tokens, which end with
 * the table: nothing about them is kept on the device.
 */
#include <linux/bio.h>
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/dm-io.h>
#include <linux/dm-kcopyd.h>
#include <linux/slab.h>
#include "dm-bpio.h"

/* Chunks on their way aside at a time. */
#define PRESERVE_BATCH		32
/* Tokens that are issued all the time do not hold up a write for ever. */
#define PRESERVE_RESTARTS_MAX	16

/* A chunk that is being copied aside. */
struct preserve_job {
	struct dm_bpio_preserve *preserve;
	u64 start, last;
	u64 seq;
	struct bpio_piece *piece;
	enum bpio_stat failed;		/* BPIO_STAT_NR: did not, or wait */
};

/**
 * struct dm_bpio_preserve - a target that preserves
 * @target: target
 * @dev: of the reserve
 * @reserve: the reserve
 * @list: in preserve_targets
 * @kcopyd: copies aside
 * @wq: runs @work
 * @work: takes @writes
 * @lock: @writes; _bh
 * @writes: that wait, &struct dm_bpio_write
 * @done: one per copy that has ended
 * @nr_jobs: of @jobs; @work's own
 * @jobs: of one round
 */
struct dm_bpio_preserve {
	struct dm_bpio *target;
	struct dm_dev *dev;
	struct dm_bpio_reserve *reserve;
	struct list_head list;
	struct dm_kcopyd_client *kcopyd;
	struct workqueue_struct *wq;
	struct work_struct work;
	spinlock_t lock;		/* @writes */
	struct list_head writes;
	struct completion done;
	unsigned int nr_jobs;
	struct preserve_job jobs[PRESERVE_BATCH];
};

/* Every target that preserves, of any table: no two share a reserve. */
static LIST_HEAD(preserve_targets);
static DEFINE_MUTEX(preserve_lock);

/* ---- the reserve --------------------------------------------------------- */

static void reserve_release(struct kref *ref)
{
	struct dm_bpio_reserve *reserve =
		container_of(ref, struct dm_bpio_reserve, ref);

	kvfree(reserve->slots.map);
	kfree(reserve);
}

static struct dm_bpio_reserve *reserve_alloc(struct block_device *bdev,
					     sector_t start, u64 nr_slots)
{
	struct dm_bpio_reserve *reserve;

	reserve = kzalloc(sizeof(*reserve), GFP_KERNEL);
	if (!reserve)
		return NULL;
	kref_init(&reserve->ref);
	spin_lock_init(&reserve->lock);
	reserve->bdev = bdev;
	reserve->start = start;
	reserve->slots.nr = nr_slots;
	reserve->slots.map = kvcalloc(BITS_TO_LONGS(nr_slots), sizeof(long),
				      GFP_KERNEL);
	if (!reserve->slots.map) {
		kfree(reserve);
		return NULL;
	}
	return reserve;
}

/**
 * dm_bpio_piece_free - a piece serves no token any more
 * @piece: not in its volume's tree
 *
 * Context: any but hard interrupt.
 */
void dm_bpio_piece_free(struct bpio_piece *piece)
{
	struct dm_bpio_reserve *reserve = piece->reserve;

	spin_lock_bh(&reserve->lock);
	bpio_slots_give(&reserve->slots, piece->slot);
	spin_unlock_bh(&reserve->lock);
	kfree(piece);
	kref_put(&reserve->ref, reserve_release);
}

/* Return: NULL, and *failed says why. */
static struct bpio_piece *piece_alloc(struct dm_bpio_reserve *reserve,
				      enum bpio_stat *failed)
{
	struct bpio_piece *piece;

	*failed = BPIO_STAT_PRESERVE_FAILED;
	piece = kzalloc(sizeof(*piece),
			GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN);
	if (!piece)
		return NULL;
	spin_lock_bh(&reserve->lock);
	piece->slot = bpio_slots_take(&reserve->slots);
	spin_unlock_bh(&reserve->lock);
	if (piece->slot == reserve->slots.nr) {
		*failed = BPIO_STAT_PRESERVE_FULL;
		kfree(piece);
		return NULL;
	}
	kref_get(&reserve->ref);
	piece->reserve = reserve;
	return piece;
}

/* ---- one round ----------------------------------------------------------- */

/* Note a chunk that has to be copied aside.  Return: false: another time. */
static bool preserve_want(struct dm_bpio_preserve *preserve,
			  struct dm_bpio_write *write)
{
	const struct dm_target *ti = preserve->target->ti;
	struct preserve_job *job = preserve->jobs;
	u64 start, last;

	bpio_chunk(write->at, ti->begin, ti->len, &start, &last);
	while (job < &preserve->jobs[preserve->nr_jobs] && job->start != start)
		job++;
	if (job == &preserve->jobs[PRESERVE_BATCH])
		return false;
	if (job == &preserve->jobs[preserve->nr_jobs])
		preserve->nr_jobs++;
	job->preserve = preserve;
	job->start = start;
	job->last = last;
	/* The copy has not begun: the greatest number is the right one. */
	job->seq = write->seq;
	write->at = last + 1;
	return true;
}

/* W2, W3 */
static void preserve_let_go(struct dm_bpio_preserve *preserve,
			    struct dm_bpio_write *write)
{
	struct bio *bio = write->bio;

	list_del(&write->list);
	if (!bio) {
		complete(write->done);
		return;
	}
	if (!bpio_range_admit(&preserve->target->vol->ranges, bio))
		return;
	dm_bpio_remap(preserve->target, bio);
	submit_bio_noacct(bio);
}

static void preserve_give_up(struct dm_bpio_preserve *preserve, u64 start,
			     u64 last, enum bpio_stat why)
{
	struct dm_bpio_volume *vol = preserve->target->vol;

	bpio_stat_add(&vol->pub, why,
		      dm_bpio_tokens_give_up(vol, start, last));
}

/* Let those go that may, and note what the others need. */
static void preserve_look(struct dm_bpio_preserve *preserve,
			  struct list_head *writes)
{
	struct dm_bpio_volume *vol = preserve->target->vol;
	struct dm_bpio_write *write, *next;
	struct blk_plug plug;
	enum dm_bpio_write_needs needs;
	bool wait;

	blk_start_plug(&plug);
	list_for_each_entry_safe(write, next, writes, list) {
		if (write->restarts > PRESERVE_RESTARTS_MAX)
			preserve_give_up(preserve, write->start, write->last,
					 BPIO_STAT_PRESERVE_FAILED);
		wait = false;
		while ((needs = dm_bpio_tokens_outdated(vol, write))) {
			cond_resched();
			if (needs == DM_BPIO_WRITE_MORE)
				continue;
			wait = true;
			if (!preserve_want(preserve, write))
				break;
		}
		if (!wait)
			preserve_let_go(preserve, write);
	}
	blk_finish_plug(&plug);
}

static void preserve_copied(int read_err, unsigned long write_err,
			    void *context)
{
	struct preserve_job *job = context;

	if (read_err || write_err)
		job->failed = BPIO_STAT_PRESERVE_FAILED;
	complete(&job->preserve->done);
}

/* W0 */
static void preserve_copy(struct dm_bpio_preserve *preserve)
{
	struct dm_bpio *target = preserve->target;
	struct dm_bpio_reserve *reserve = preserve->reserve;
	struct dm_io_region from = { .bdev = target->dev->bdev };
	struct dm_io_region to = { .bdev = reserve->bdev };
	unsigned int nr = 0, i;
	bool full = false;

	reinit_completion(&preserve->done);
	for (i = 0; i < preserve->nr_jobs; i++) {
		struct preserve_job *job = &preserve->jobs[i];

		job->piece = piece_alloc(reserve, &job->failed);
		/* The first one's tokens die, which makes room for others. */
		if (full && job->failed == BPIO_STAT_PRESERVE_FULL)
			job->failed = BPIO_STAT_NR;
		if (!job->piece) {
			full = true;
			continue;
		}
		job->failed = BPIO_STAT_NR;
		job->piece->start = job->start;
		job->piece->last = job->last;
		job->piece->seq = job->seq;
		from.sector = dm_bpio_lower_sector(target, job->start);
		from.count = job->last - job->start + 1;
		to.sector = reserve->start +
			(sector_t)job->piece->slot * BPIO_CHUNK_SECTORS;
		to.count = from.count;
		nr++;
		dm_kcopyd_copy(preserve->kcopyd, &from, 1, &to, 0,
			       preserve_copied, job);
	}
	while (nr--)
		wait_for_completion_io(&preserve->done);
}

/* W1; a chunk that could not be copied costs who needs it. */
static void preserve_tell(struct dm_bpio_preserve *preserve,
			  struct list_head *writes)
{
	struct dm_bpio_volume *vol = preserve->target->vol;
	struct dm_bpio_write *write;
	bool again = false;
	unsigned int i;

	for (i = 0; i < preserve->nr_jobs; i++) {
		struct preserve_job *job = &preserve->jobs[i];

		if (job->failed == BPIO_STAT_NR && !job->piece) {
			again = true;
			continue;
		}
		if (job->failed == BPIO_STAT_NR) {
			bpio_stat_add(&vol->pub, BPIO_STAT_PRESERVED_BYTES,
				      (job->last - job->start + 1) <<
				      SECTOR_SHIFT);
			if (!dm_bpio_tokens_attach(vol, job->piece))
				dm_bpio_piece_free(job->piece);
			continue;
		}
		if (job->piece)
			dm_bpio_piece_free(job->piece);
		list_for_each_entry(write, writes, list)
			if (write->start <= job->last &&
			    job->start <= write->last)
				preserve_give_up(preserve,
						 max(write->start, job->start),
						 min(write->last, job->last),
						 job->failed);
	}
	if (again)
		list_for_each_entry(write, writes, list)
			write->at = write->start;
	preserve->nr_jobs = 0;
}

static void preserve_work(struct work_struct *work)
{
	struct dm_bpio_preserve *preserve =
		container_of(work, struct dm_bpio_preserve, work);
	LIST_HEAD(writes);

	for (;;) {
		spin_lock_bh(&preserve->lock);
		list_splice_tail_init(&preserve->writes, &writes);
		spin_unlock_bh(&preserve->lock);
		if (list_empty(&writes))
			break;
		preserve_look(preserve, &writes);
		preserve_copy(preserve);
		preserve_tell(preserve, &writes);
	}
}

/* ---- writes -------------------------------------------------------------- */

static void preserve_queue(struct dm_bpio_preserve *preserve,
			   struct dm_bpio_write *write)
{
	spin_lock_bh(&preserve->lock);
	list_add_tail(&write->list, &preserve->writes);
	spin_unlock_bh(&preserve->lock);
	queue_work(preserve->wq, &preserve->work);
}

/* As many as there are; process context. */
static void tokens_invalidate_all(struct dm_bpio_volume *vol, sector_t sector,
				  sector_t nr_sectors)
{
	while (!dm_bpio_tokens_invalidate(vol, sector, nr_sectors))
		cond_resched();
}

/**
 * dm_bpio_write_submit - submit a write that has waited
 * @ranges: of the volume
 * @bio: from dm_bpio_preserve_map(); in flight, so the live table stays
 *
 * Context: process; sleeps.
 */
void dm_bpio_write_submit(struct bpio_range_lock *ranges, struct bio *bio)
{
	struct dm_bpio_volume *vol =
		container_of(ranges, struct dm_bpio_volume, ranges);
	struct dm_bpio *target =
		dm_bpio_volume_target(vol, bio->bi_iter.bi_sector);

	if (WARN_ON_ONCE(!target)) {
		bio_io_error(bio);
		return;
	}
	if (!target->preserve)
		tokens_invalidate_all(vol, bio->bi_iter.bi_sector,
				      bio_sectors(bio));
	if (!bpio_range_admit(ranges, bio))
		return;
	dm_bpio_remap(target, bio);
	submit_bio_noacct(bio);
}

/**
 * dm_bpio_preserve_map - a bio is about to write
 * @target: target whose map() got it
 * @bio: a write, discard or the like, its sector that of the mapped device
 *
 * Called when target->vol->nr_watched is not 0.
 *
 * Context: map(); does not sleep.
 * Return: DM_MAPIO_REMAPPED: the caller remaps it; no token stands for what it
 * writes to any more, and no command reads it for one.  DM_MAPIO_SUBMITTED: it
 * is submitted when that is so.
 */
int dm_bpio_preserve_map(struct dm_bpio *target, struct bio *bio)
{
	sector_t sector = bio->bi_iter.bi_sector;
	struct bpio_range_lock *ranges = &target->vol->ranges;
	struct dm_bpio_write *write;

	if (!target->preserve) {
		if (dm_bpio_tokens_invalidate(target->vol, sector,
					      bio_sectors(bio)))
			goto admit;
		/* There are many: dm_bpio_write_submit() goes on. */
		bpio_range_defer(ranges, bio);
		return DM_MAPIO_SUBMITTED;
	}
	write = dm_per_bio_data(bio, sizeof(*write));
	memset(write, 0, sizeof(*write));
	write->start = sector;
	write->last = sector + bio_sectors(bio) - 1;
	write->bio = bio;
	if (dm_bpio_tokens_outdated(target->vol, write)) {
		/* A bio that has not been submitted cannot be polled for. */
		bio_clear_polled(bio);
		preserve_queue(target->preserve, write);
		return DM_MAPIO_SUBMITTED;
	}
admit:
	return bpio_range_admit(ranges, bio) ? DM_MAPIO_REMAPPED :
					       DM_MAPIO_SUBMITTED;
}

/**
 * dm_bpio_preserve_target - sectors of a target are about to be written to
 * @target: live target
 * @sector: of the volume, within @target
 * @nr_sectors: sectors, within @target
 *
 * For writes past map(): when it returns, no token stands for what is there any
 * more, and no command reads it for one.  Between dm_bpio_pass_begin() and
 * dm_bpio_pass_end(), so that no new token does.  Callers look at
 * vol->nr_watched first.
 *
 * Context: process; sleeps; holds no lock that I/O below the target or a
 * suspend of it may need, and no part of a token's data.
 */
void dm_bpio_preserve_target(struct dm_bpio *target, sector_t sector,
			     sector_t nr_sectors)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct dm_bpio_write write = {
		.start = sector,
		.last = sector + nr_sectors - 1,
		.done = &done,
	};

	if (!nr_sectors)
		return;
	if (!target->preserve) {
		tokens_invalidate_all(target->vol, sector, nr_sectors);
	} else if (dm_bpio_tokens_outdated(target->vol, &write)) {
		preserve_queue(target->preserve, &write);
		wait_for_completion_io(&done);
	}
	bpio_range_wait(&target->vol->ranges, write.start, write.last);
}

/**
 * dm_bpio_preserve - sectors of a volume are about to be written to
 * @vol: volume
 * @sector: first sector
 * @nr_sectors: sectors
 *
 * dm_bpio_preserve_target() for as many targets as there are.
 *
 * Context: as there, inside @vol->source_gate.
 */
void dm_bpio_preserve(struct dm_bpio_volume *vol, sector_t sector,
		      sector_t nr_sectors)
{
	struct dm_bpio *target;
	sector_t nr;

	while (nr_sectors) {
		target = dm_bpio_volume_target(vol, sector);
		if (!target) {
			/* nowhere, and not going to be written to */
			tokens_invalidate_all(vol, sector, nr_sectors);
			break;
		}
		nr = min(nr_sectors,
			 target->ti->begin + target->ti->len - sector);
		dm_bpio_preserve_target(target, sector, nr);
		sector += nr;
		nr_sectors -= nr;
	}
}

/**
 * dm_bpio_preserve_use - how full the reserve is
 * @target: target
 * @used: out: bytes
 * @size: out: bytes; 0: it has none
 *
 * Context: any; takes no lock.
 */
void dm_bpio_preserve_use(const struct dm_bpio *target, u64 *used, u64 *size)
{
	const struct bpio_slots *slots;

	*used = 0;
	*size = 0;
	if (!target->preserve)
		return;
	slots = &target->preserve->reserve->slots;
	*used = (u64)READ_ONCE(slots->used) *
		(BPIO_CHUNK_SECTORS << SECTOR_SHIFT);
	*size = (u64)slots->nr * (BPIO_CHUNK_SECTORS << SECTOR_SHIFT);
}

/* ---- setup --------------------------------------------------------------- */

/* Partitions of a disk overlap as parts of the disk do. */
static bool extents_overlap(struct block_device *a, u64 a_start, u64 a_nr,
			    struct block_device *b, u64 b_start, u64 b_nr)
{
	return a->bd_disk == b->bd_disk &&
	       bpio_ranges_overlap(a->bd_start_sect + a_start, a_nr,
				   b->bd_start_sect + b_start, b_nr);
}

/* Return: NULL, or what is wrong. */
static char *reserve_check(const struct dm_bpio *target,
			   struct block_device *bdev)
{
	u64 start = target->reserve_start, nr = target->reserve_nr;
	u64 size = bdev_nr_sectors(bdev);
	struct block_device *lower = target->dev->bdev;
	u32 block = bdev_logical_block_size(bdev) >> SECTOR_SHIFT;

	if (start > size || nr > size - start)
		return "The reserve must lie within its device";
	if (nr < BPIO_CHUNK_SECTORS)
		return "The reserve must have 128 sectors or more";
	if (block > PAGE_SECTORS)
		return "The logical blocks of the reserve's device must not be larger than a page";
	/* A piece of the last chunk may be as short as that. */
	if (!bpio_is_aligned(target->ti->begin | target->ti->len, block))
		return "The target must begin and end on logical blocks of the reserve's device";
	block = max(block, bdev_logical_block_size(lower) >> SECTOR_SHIFT);
	if (!bpio_is_aligned(start | nr, block))
		return "The reserve must be aligned to the logical blocks of both devices";
	if (extents_overlap(bdev, start, nr, lower, target->offset_sectors,
			    target->ti->len))
		return "The reserve must not overlap the target's own range";
	return NULL;
}

/*
 * No other target may write there; one that a new table replaces does not when
 * the other does.  Return: false when one does.
 */
static bool preserve_enlist(struct dm_bpio_preserve *preserve)
{
	const struct dm_bpio *target = preserve->target;
	struct mapped_device *md = dm_table_get_md(target->ti->table);
	const struct dm_bpio_preserve *other;
	bool taken = false;

	mutex_lock(&preserve_lock);
	list_for_each_entry(other, &preserve_targets, list) {
		const struct dm_bpio *o = other->target;

		if (o->ti->table != target->ti->table &&
		    dm_table_get_md(o->ti->table) == md)
			continue;
		if (extents_overlap(preserve->dev->bdev, target->reserve_start,
				    target->reserve_nr, other->dev->bdev,
				    o->reserve_start, o->reserve_nr))
			taken = true;
	}
	if (!taken)
		list_add(&preserve->list, &preserve_targets);
	mutex_unlock(&preserve_lock);
	return !taken;
}

/**
 * dm_bpio_preserve_init - prepare a target to preserve
 * @target: all of its table line is read; its device is open
 *
 * Context: constructor; sleeps.
 * Return: 0, with nothing done unless its line asks for it; or a negative errno
 * with ti->error set.
 */
int dm_bpio_preserve_init(struct dm_bpio *target)
{
	struct dm_target *ti = target->ti;
	struct dm_bpio_preserve *preserve;
	int ret;

	if (!target->on_write_preserve)
		return 0;
	preserve = kzalloc(sizeof(*preserve), GFP_KERNEL);
	if (!preserve) {
		ti->error = "There is no memory for the target";
		return -ENOMEM;
	}
	preserve->target = target;
	INIT_LIST_HEAD(&preserve->writes);
	spin_lock_init(&preserve->lock);
	init_completion(&preserve->done);
	INIT_WORK(&preserve->work, preserve_work);

	ret = dm_get_device(ti, target->reserve_path,
			    dm_table_get_mode(ti->table), &preserve->dev);
	target->reserve_path = NULL;	/* goes with the table line */
	if (ret) {
		ti->error = "The reserve's device cannot be opened";
		goto err_preserve;
	}
	ret = -EINVAL;
	ti->error = reserve_check(target, preserve->dev->bdev);
	if (ti->error)
		goto err_device;
	ret = -EBUSY;
	if (!preserve_enlist(preserve)) {
		ti->error = "The reserve is another target's";
		goto err_device;
	}

	ret = -ENOMEM;
	ti->error = "There is no memory for the reserve";
	preserve->reserve = reserve_alloc(preserve->dev->bdev,
					  target->reserve_start,
					  div_u64(target->reserve_nr,
						  BPIO_CHUNK_SECTORS));
	if (!preserve->reserve)
		goto err_list;
	preserve->wq = alloc_ordered_workqueue("bpio_preserve", WQ_MEM_RECLAIM);
	if (!preserve->wq)
		goto err_reserve;
	preserve->kcopyd = dm_kcopyd_client_create(NULL);
	if (IS_ERR(preserve->kcopyd)) {
		ret = PTR_ERR(preserve->kcopyd);
		goto err_wq;
	}
	ti->error = NULL;
	target->preserve = preserve;
	return 0;

err_wq:
	destroy_workqueue(preserve->wq);
err_reserve:
	kref_put(&preserve->reserve->ref, reserve_release);
err_list:
	mutex_lock(&preserve_lock);
	list_del(&preserve->list);
	mutex_unlock(&preserve_lock);
err_device:
	dm_put_device(ti, preserve->dev);
err_preserve:
	kfree(preserve);
	return ret;
}

/**
 * dm_bpio_preserve_exit - undo dm_bpio_preserve_init()
 * @target: no I/O is left, and no live token has pieces in its reserve
 *
 * A token that is dying may give some back later.
 *
 * Context: destructor; sleeps.
 */
void dm_bpio_preserve_exit(struct dm_bpio *target)
{
	struct dm_bpio_preserve *preserve = target->preserve;

	if (!preserve)
		return;
	destroy_workqueue(preserve->wq);
	dm_kcopyd_client_destroy(preserve->kcopyd);
	mutex_lock(&preserve_lock);
	list_del(&preserve->list);
	mutex_unlock(&preserve_lock);
	kref_put(&preserve->reserve->ref, reserve_release);
	dm_put_device(target->ti, preserve->dev);
	kfree(preserve);
	target->preserve = NULL;
}
