// SPDX-License-Identifier: GPL-2.0
/*
 * The bypass read: from the open file straight to the queue of the device at
 * the bottom, past the lower file system, every dm layer and every filter.
 *
 * What keeps it honest:
 * - the lower i_rwsem is held shared from the look at the state until the last
 *   bio is submitted, and it or i_dio_count until it has completed, as the lower
 *   file system's own direct reads do: truncate, hole punch and extent moves
 *   wait for both, and so do the stream's pause and DISABLE;
 * - the volume's gate is held per bio: pauses, vetoes and dm suspends close it
 *   and wait;
 * - what fails is read again on the traditional path.
 *
 * Three ways: read_alone() for a reader who waits for one bio with few pages,
 * everything on his stack; read_by_one() for one who does not wait, and one
 * bio; submit_range() for all others.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>
#include "bpiofs.h"
#include "trace.h"

/* One bio.  The first of a read also stands for the read as a whole. */
struct read_bio {
	/* of the read; in its first bio */
	struct kiocb *iocb;
	void *waiter;			/* task; NULL: asynchronous, or done */
	atomic_t ref;			/* bios not completed */
	int error;
	ssize_t size;
	bool sync;
	bool dirty;			/* pages of user space */

	/* of this bio */
	struct read_bio *first;
	struct bpiofs_volume *vol;
	struct inode *lower;
	loff_t pos;
	bool moved;			/* not read: its blocks may be moving */
	struct bvec_iter start;
	struct work_struct work;
	struct bio bio;			/* last: the bio set's front pad */
};

/* So many pages at most does read_alone() take. */
#define ALONE_VECS	4

static struct bio_set read_bios;
static struct workqueue_struct *read_wq;

static inline void count_in(struct bpiofs_stats __percpu *stats,
			    enum bpiofs_path path, enum bpiofs_why why,
			    size_t bytes)
{
	this_cpu_inc(stats->reads[path]);
	this_cpu_add(stats->bytes[path], bytes);
	if (why != BPIOFS_WHY_NONE)
		this_cpu_inc(stats->reasons[why]);
}

/* The same for an open, in process context only. */
static inline void count_in_own(struct bpiofs_stats *stats,
				enum bpiofs_path path, enum bpiofs_why why,
				size_t bytes)
{
	stats += get_cpu();
	stats->reads[path]++;
	stats->bytes[path] += bytes;
	if (why != BPIOFS_WHY_NONE)
		stats->reasons[why]++;
	put_cpu();
}

/* For the mount, and for the open when it was ever enabled. */
static inline void count_read(struct file *file, enum bpiofs_path path,
			      enum bpiofs_why why, size_t bytes)
{
	struct bpiofs_stats *own;

	/* pairs with the release of whoever enabled it first */
	own = smp_load_acquire(&bpiofs_file(file)->stats);
	count_in(bpiofs_vol(file_inode(file)->i_sb)->stats, path, why, bytes);
	if (own)
		count_in_own(own, path, why, bytes);
}

/* A read by the full path; @iocb still tells where it began. */
static inline void count_full(struct kiocb *iocb, struct bpiofs_inode *bi,
			      size_t length, ssize_t size)
{
	struct bpio_volume *stg = bpiofs_vol(bi->vfs_inode.i_sb)->stg;

	count_read(iocb->ki_filp, BPIOFS_PATH_FULL, BPIOFS_WHY_NONE, length);
	bpio_stat_add(stg, BPIO_STAT_BYPASSED_READS, 1);
	bpio_stat_add(stg, BPIO_STAT_BYPASSED_BYTES, length);
	trace_bpiofs_read(&bi->vfs_inode, iocb->ki_pos, size, "full", "none");
}

/* A bio that was counted as bypassed was not.  Process context. */
static void uncount(struct read_bio *rb)
{
	/* Who is told to come back is counted when he does. */
	const unsigned int reads = rb->bio.bi_status == BLK_STS_AGAIN;
	struct bpiofs_stats *own =
		READ_ONCE(bpiofs_file(rb->first->iocb->ki_filp)->stats);
	const size_t bytes = rb->start.bi_size;

	this_cpu_sub(rb->vol->stats->reads[BPIOFS_PATH_FULL], reads);
	this_cpu_sub(rb->vol->stats->bytes[BPIOFS_PATH_FULL], bytes);
	if (own) {
		own += get_cpu();
		own->reads[BPIOFS_PATH_FULL] -= reads;
		own->bytes[BPIOFS_PATH_FULL] -= bytes;
		put_cpu();
	}
	this_cpu_sub(rb->vol->stg->stats->count[BPIO_STAT_BYPASSED_READS],
		     reads);
	this_cpu_sub(rb->vol->stg->stats->count[BPIO_STAT_BYPASSED_BYTES],
		     bytes);
}

static void pages_dirty(struct bio *bio)
{
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio) {
		folio_lock(fi.folio);
		folio_mark_dirty(fi.folio);
		folio_unlock(fi.folio);
	}
}

/* Pages are made dirty before the read; write-back may have cleaned some. */
static bool pages_still_dirty(struct bio *bio)
{
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio)
		if (!folio_test_dirty(fi.folio))
			return false;
	return true;
}

/* The last bio has completed.  A synchronous reader drops it by himself. */
static void finish_read(struct read_bio *first)
{
	struct kiocb *iocb = first->iocb;
	ssize_t ret = first->error ?: first->size;

	if (first->sync) {
		struct task_struct *waiter = first->waiter;

		WRITE_ONCE(first->waiter, NULL);
		blk_wake_io_task(waiter);
		return;
	}
	bio_put(&first->bio);
	if (ret >= 0)
		iocb->ki_pos += ret;
	iocb->ki_complete(iocb, ret);
}

/* The data of this bio is in its pages, or first->error is set. */
static void finish_bio(struct read_bio *rb)
{
	struct read_bio *first = rb->first;
	const bool last = atomic_dec_and_test(&first->ref);

	if (rb != first)
		bio_put(&rb->bio);
	if (last)
		finish_read(first);
}

/* Process context: read again what failed, and dirty what was cleaned. */
static void read_bio_work(struct work_struct *work)
{
	struct read_bio *rb = container_of(work, struct read_bio, work);
	struct read_bio *first = rb->first;
	struct bio *bio = &rb->bio;

	if (bio->bi_status)
		uncount(rb);
	if (bio->bi_status == BLK_STS_AGAIN) {
		cmpxchg(&first->error, 0, -EAGAIN);
	} else if (bio->bi_status) {
		struct file *lower =
			bpiofs_file(first->iocb->ki_filp)->lower;
		const size_t length = rb->start.bi_size;
		struct iov_iter iter;
		struct kiocb kiocb;
		ssize_t got;

		iov_iter_bvec(&iter, ITER_DEST, bio->bi_io_vec, bio->bi_vcnt,
			      rb->start.bi_bvec_done + length);
		iov_iter_advance(&iter, rb->start.bi_bvec_done);
		init_sync_kiocb(&kiocb, lower);
		kiocb.ki_flags |= IOCB_DIRECT;
		kiocb.ki_pos = rb->pos;
		got = vfs_iocb_iter_read(lower, &kiocb, &iter);
		if (got < 0)
			cmpxchg(&first->error, 0, got);
		count_read(first->iocb->ki_filp, BPIOFS_PATH_TRADITIONAL,
			   rb->moved ? BPIOFS_WHY_LAYOUT_CHANGING :
				       BPIOFS_WHY_IO_ERROR, got > 0 ? got : 0);
	}
	bio_release_pages(bio, first->dirty);
	finish_bio(rb);
}

static void read_bio_end(struct bio *bio)
{
	struct read_bio *rb = container_of(bio, struct read_bio, bio);
	struct read_bio *first = rb->first;
	struct bpiofs_volume *vol = rb->vol;

	inode_dio_end(rb->lower);
	bpio_gate_leave(&vol->stg->gate);

	if (unlikely(bio->bi_status ||
		     (first->dirty && !pages_still_dirty(bio)))) {
		/*
		 * Refused as it was submitted: io_uring tries again when it is
		 * told by the task that did that.
		 */
		if (bio->bi_status == BLK_STS_AGAIN && in_task()) {
			read_bio_work(&rb->work);
			return;
		}
		INIT_WORK(&rb->work, read_bio_work);
		queue_work(read_wq, &rb->work);
		return;
	}
	bio_release_pages(bio, false);
	finish_bio(rb);
}

/* A run of the file, and where it lies on the volume. */
struct run {
	sector_t nr_sectors;
	sector_t sector;
};

/*
 * Is every part of the range known?  Then *@start is its first run.  Else
 * *@missing is the first part that is not.
 */
static bool range_known(struct bpiofs_inode *bi, int seq, loff_t pos,
			size_t length, struct run *start, loff_t *missing)
{
	sector_t file_sector = pos >> SECTOR_SHIFT;
	sector_t left = length >> SECTOR_SHIFT;
	struct run *run = start, next;

	while (left) {
		run->nr_sectors = left;
		if (!bpiofs_extent_lookup(bi, seq, file_sector,
					  &run->nr_sectors, &run->sector)) {
			*missing = (loff_t)file_sector << SECTOR_SHIFT;
			return false;
		}
		file_sector += run->nr_sectors;
		left -= run->nr_sectors;
		run = &next;
	}
	return true;
}

/* Probe what is missing; lower i_rwsem not held.  0: worth another look. */
static int probe_missing(struct file *file, loff_t pos, size_t length)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	loff_t last = -1, missing;
	struct run start;
	int ret;

	while (!range_known(bi, atomic_read(&bi->layout_seq), pos, length,
			    &start, &missing)) {
		/* each probe has to get on, or the data is not there */
		if (missing <= last)
			return -ENODATA;
		last = missing;
		ret = bpiofs_extent_probe(file, missing);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Submit the whole range.  Caller: lower i_rwsem shared, range_known() with
 * @seq and @run, inside the gate, with the reference for the first bio.
 * Consumes that reference.
 * Return: the first bio, or an error when nothing was submitted.
 */
static struct read_bio *submit_range(struct kiocb *iocb, struct iov_iter *iter,
				     struct bpiofs_inode *bi, int seq,
				     struct run run, size_t length,
				     ssize_t size)
{
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	struct file *file = iocb->ki_filp;
	const bool dirty = user_backed_iter(iter);
	const size_t beyond = iov_iter_count(iter) - length;
	const loff_t end = iocb->ki_pos + length;
	blk_opf_t opf = REQ_OP_READ;
	struct read_bio *first = NULL;
	loff_t pos = iocb->ki_pos;
	bool plugged = false;
	struct blk_plug plug;
	int ret = 0;

	if (iocb->ki_flags & IOCB_ALLOC_CACHE)
		opf |= REQ_ALLOC_CACHE;
	if (iocb->ki_flags & IOCB_NOWAIT)
		opf |= REQ_NOWAIT;
	while (pos < end) {
		sector_t nr = run.nr_sectors, lower;
		struct block_device *bdev;
		struct read_bio *rb;
		struct bio *bio;
		bool moved = false;
		size_t part;
		int vecs;

		/*
		 * What was known may have been probed again meanwhile.  Then
		 * the rest is read like what has failed.
		 */
		if (!nr) {
			nr = (end - pos) >> SECTOR_SHIFT;
			moved = !bpiofs_extent_lookup(bi, seq,
						      pos >> SECTOR_SHIFT, &nr,
						      &run.sector);
			if (unlikely(moved))
				run.sector = 0;
		}
		run.nr_sectors = 0;
		bdev = bpio_volume_map(vol->stg, run.sector, &nr, &lower);
		if (WARN_ON_ONCE(!bdev)) {
			ret = -EIO;
			break;
		}
		part = nr << SECTOR_SHIFT;
		iov_iter_truncate(iter, part);
		vecs = bio_iov_vecs_to_alloc(iter, BIO_MAX_VECS);
		bio = bio_alloc_bioset(bdev, vecs, opf, GFP_KERNEL, &read_bios);
		rb = container_of(bio, struct read_bio, bio);
		bio->bi_iter.bi_sector = lower;
		bio->bi_ioprio = iocb->ki_ioprio;
		bio->bi_end_io = read_bio_end;

		ret = bio_iov_iter_get_pages(bio, iter);
		if (ret) {
			bio_put(bio);
			break;
		}
		iov_iter_reexpand(iter, end - pos - bio->bi_iter.bi_size +
				  beyond);
		/*
		 * The first bio may be on its way when the device refuses to
		 * wait for the second: too late to say -EAGAIN.
		 */
		if (unlikely(bio->bi_opf & REQ_NOWAIT &&
			     bio->bi_iter.bi_size < end - pos)) {
			bio_release_pages(bio, false);
			bio_put(bio);
			ret = -EAGAIN;
			break;
		}
		if (dirty)
			pages_dirty(bio);

		rb->vol = vol;
		rb->lower = bi->lower;
		rb->pos = pos;
		rb->moved = moved;
		rb->start = bio->bi_iter;
		pos += bio->bi_iter.bi_size;
		/* before the read can complete */
		if (pos == end)
			count_full(iocb, bi, length, size);
		if (!first) {
			first = rb;
			rb->iocb = iocb;
			rb->sync = is_sync_kiocb(iocb);
			rb->waiter = rb->sync ? current : NULL;
			rb->error = 0;
			rb->size = size;
			rb->dirty = dirty;
			/* ours, so that no completion ends the read early */
			atomic_set(&rb->ref, 2);
		} else {
			percpu_ref_get(&vol->stg->gate.ref);
			atomic_inc(&first->ref);
		}
		rb->first = first;
		inode_dio_begin(bi->lower);
		if (pos < end && !plugged) {
			blk_start_plug(&plug);
			plugged = true;
		}
		if (unlikely(moved))
			bio_io_error(bio);
		else
			submit_bio(bio);
	}
	if (plugged)
		blk_finish_plug(&plug);

	if (!first) {
		bpio_gate_leave(&vol->stg->gate);
		return ERR_PTR(ret);
	}
	if (ret) {
		cmpxchg(&first->error, 0, ret);
		count_read(file, BPIOFS_PATH_FULL, BPIOFS_WHY_NONE,
			   pos - (end - length));
	}
	return first;
}

/*
 * An asynchronous read of one run of the volume, by one bio.  Caller: lower
 * i_rwsem shared, inside the gate.
 * Return: -EIOCBQUEUED, the gate is left when it completes; a negative errno;
 * 0: too much for one bio, nothing of @iter used.
 */
static ssize_t read_by_one(struct kiocb *iocb, struct iov_iter *iter,
			   struct bpiofs_inode *bi, sector_t sector,
			   ssize_t size)
{
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	const size_t length = iov_iter_count(iter);
	sector_t nr = length >> SECTOR_SHIFT, lower;
	const int flags = iocb->ki_flags;
	blk_opf_t opf = REQ_OP_READ;
	struct block_device *bdev;
	struct read_bio *rb;
	struct bio *bio;
	ssize_t ret;

	bdev = bpio_volume_map(vol->stg, sector, &nr, &lower);
	if (unlikely(!bdev || nr < length >> SECTOR_SHIFT))
		return 0;
	if (flags & IOCB_ALLOC_CACHE)
		opf |= REQ_ALLOC_CACHE;
	if (flags & IOCB_NOWAIT)
		opf |= REQ_NOWAIT;
	bio = bio_alloc_bioset(bdev, bio_iov_vecs_to_alloc(iter, BIO_MAX_VECS),
			       opf, GFP_KERNEL, &read_bios);
	bio->bi_iter.bi_sector = lower;
	bio->bi_ioprio = iocb->ki_ioprio;
	bio->bi_end_io = read_bio_end;
	ret = bio_iov_iter_get_pages(bio, iter);
	if (unlikely(ret))
		goto out_put;
	if (unlikely(bio->bi_iter.bi_size < length)) {
		iov_iter_revert(iter, bio->bi_iter.bi_size);
		bio_release_pages(bio, false);
		goto out_put;
	}

	rb = container_of(bio, struct read_bio, bio);
	rb->iocb = iocb;
	rb->error = 0;
	rb->size = size;
	rb->sync = false;
	rb->dirty = user_backed_iter(iter);
	if (rb->dirty)
		pages_dirty(bio);
	atomic_set(&rb->ref, 1);
	rb->first = rb;
	rb->vol = vol;
	rb->lower = bi->lower;
	rb->pos = iocb->ki_pos;
	rb->moved = false;
	rb->start = bio->bi_iter;
	inode_dio_begin(bi->lower);
	/* before the read can complete */
	count_full(iocb, bi, length, size);
	if (flags & IOCB_HIPRI && flags & IOCB_NOWAIT &&
	    bpio_bdev_can_poll(bdev)) {
		/*
		 * Who polls finds it; it cannot complete before, so he must not
		 * wait for others to submit it.  What the device has no room
		 * for, or not in one piece, comes again without NOWAIT, from a
		 * worker that does not poll.
		 */
		bio->bi_opf |= REQ_POLLED;
		submit_bio(bio);
		WRITE_ONCE(iocb->private, bio);
	} else {
		submit_bio(bio);
	}
	return -EIOCBQUEUED;

out_put:
	bio_put(bio);
	return ret;
}

/* Sleep until the completion has cleared *@waiter. */
static void wait_cleared(void **waiter)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (!READ_ONCE(*waiter))
			break;
		blk_io_schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* Wait for a synchronous read.  Return: its bytes, or a negative errno. */
static ssize_t wait_read(struct read_bio *first)
{
	ssize_t ret;

	wait_cleared(&first->waiter);
	ret = first->error ?: first->size;
	bio_put(&first->bio);
	return ret;
}

static void read_alone_end(struct bio *bio)
{
	struct task_struct *waiter = bio->bi_private;

	WRITE_ONCE(bio->bi_private, NULL);
	blk_wake_io_task(waiter);
}

/*
 * A synchronous read of one run of the volume.  Caller: lower i_rwsem shared,
 * and inside the gate, until it returns.
 * Return: @size; a negative errno, perhaps with *@why set; 0: too much for it,
 * nothing of @iter used.
 */
static ssize_t read_alone(struct kiocb *iocb, struct iov_iter *iter,
			  struct bpiofs_inode *bi, sector_t sector,
			  ssize_t size, enum bpiofs_why *why)
{
	struct bpio_volume *stg = bpiofs_vol(bi->vfs_inode.i_sb)->stg;
	const size_t length = iov_iter_count(iter);
	struct bio_vec vecs[ALONE_VECS] __uninitialized;
	sector_t nr = length >> SECTOR_SHIFT, lower;
	struct bio bio __uninitialized;
	struct block_device *bdev;
	ssize_t ret;

	bdev = bpio_volume_map(stg, sector, &nr, &lower);
	if (unlikely(!bdev || nr < length >> SECTOR_SHIFT) ||
	    bio_iov_vecs_to_alloc(iter, ALONE_VECS + 1) > ALONE_VECS)
		return 0;
	bio_init(&bio, bdev, vecs, ALONE_VECS, REQ_OP_READ);
	bio.bi_iter.bi_sector = lower;
	bio.bi_ioprio = iocb->ki_ioprio;
	bio.bi_end_io = read_alone_end;
	bio.bi_private = current;
	if (iocb->ki_flags & IOCB_NOWAIT)
		bio.bi_opf |= REQ_NOWAIT;

	ret = bio_iov_iter_get_pages(&bio, iter);
	if (unlikely(ret))
		goto out;
	if (unlikely(bio.bi_iter.bi_size < length)) {
		iov_iter_revert(iter, bio.bi_iter.bi_size);
		goto out_release;
	}
	submit_bio(&bio);
	wait_cleared(&bio.bi_private);

	if (likely(!bio.bi_status)) {
		count_full(iocb, bi, length, size);
		iocb->ki_pos += size;
		ret = size;
	} else {
		iov_iter_revert(iter, length);
		ret = -EAGAIN;
		if (bio.bi_status != BLK_STS_AGAIN)
			*why = BPIOFS_WHY_IO_ERROR;
	}
out_release:
	bio_release_pages(&bio, user_backed_iter(iter));
out:
	bio_uninit(&bio);
	return ret;
}

static bool has_cached_users(const struct bpiofs_inode *bi)
{
	struct address_space *mapping = bi->lower->i_mapping;

	return READ_ONCE(mapping->nrpages) || mapping_mapped(mapping);
}

static bool has_cached_opens(const struct bpiofs_inode *bi)
{
	return atomic_read(&bi->cached_opens) ||
	       mapping_mapped(bi->lower->i_mapping);
}

/*
 * The cached users of a stream are gone but their pages are still there: make
 * the bypass come back by itself (R-FS-80).
 */
static bool cached_users_left(struct bpiofs_inode *bi)
{
	return has_cached_opens(bi) || bpiofs_drop_cache(bi) != 0;
}

/* The state's own words for a closed gate; see 6.0. */
static enum bpiofs_why why_not(struct bpiofs_volume *vol,
			       struct bpiofs_inode *bi)
{
	enum bpiofs_why why;

	bpiofs_state_path(&vol->state, &bi->state, true, true,
			  has_cached_users(bi), &why);
	return why == BPIOFS_WHY_NONE ? BPIOFS_WHY_GATE_CLOSED : why;
}

/*
 * A file that has become sparse takes the traditional path until it is sparse
 * no more (R-FS-82).  Most files are told at a glance; the others are looked
 * at again when their blocks, size or layout have changed.
 */
static bool may_be_sparse(const struct inode *lower, loff_t size)
{
	return (loff_t)READ_ONCE(lower->i_blocks) << SECTOR_SHIFT < size;
}

/* Return: 1 or 0, or -1 when it has to be looked at. */
static int known_sparse(struct bpiofs_inode *bi, loff_t size)
{
	unsigned int count;
	int ret;

	do {
		count = read_seqcount_begin(&bi->judged.count);
		ret = bi->judged.size == size &&
		      bi->judged.blocks == READ_ONCE(bi->lower->i_blocks) &&
		      bi->judged.seq == atomic_read(&bi->layout_seq) ?
			      READ_ONCE(bi->state.sparse) : -1;
	} while (read_seqcount_retry(&bi->judged.count, count));
	return ret;
}

/* Lower i_rwsem not held: the lower file system may take it. */
static void judge_sparse(struct file *file)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	const int seq = atomic_read(&bi->layout_seq);
	const blkcnt_t blocks = READ_ONCE(bi->lower->i_blocks);
	const loff_t size = i_size_read(bi->lower);
	bool sparse = bpiofs_is_sparse(file);

	spin_lock(&bi->vfs_inode.i_lock);
	write_seqcount_begin(&bi->judged.count);
	bi->judged.seq = seq;
	bi->judged.blocks = blocks;
	bi->judged.size = size;
	WRITE_ONCE(bi->state.sparse, sparse);
	write_seqcount_end(&bi->judged.count);
	spin_unlock(&bi->vfs_inode.i_lock);
}

static int lock_lower(struct inode *lower, bool nowait)
{
	if (!nowait)
		inode_lock_shared(lower);
	else if (!inode_trylock_shared(lower))
		return -EAGAIN;
	return 0;
}

/*
 * Return: bytes or errno as a read returns them, with *why NONE; or anything
 * with *why saying why the read has to go another way, nothing of @iter used.
 *
 * A reader who must not wait is told to come back when a look that takes time
 * would make the read a bypassed one; io_uring does so by itself.
 */
static ssize_t bypass_read(struct kiocb *iocb, struct iov_iter *iter,
			   enum bpiofs_why *why)
{
	struct file *file = iocb->ki_filp;
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	const bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	struct bpio_volume *stg = vol->stg;
	struct inode *lower = bi->lower;
	const loff_t pos = iocb->ki_pos;
	struct iov_iter saved;
	loff_t size, missing;
	struct read_bio *rb;
	struct run start;
	bool probed = false;
	bool dropped = false;
	bool judged = false;
	size_t length;
	ssize_t ret;
	u32 block;
	int seq;

	*why = BPIOFS_WHY_STORAGE_VETO;
	if (unlikely(!stg))
		return 0;
	block = bdev_logical_block_size(vol->bdev);
	*why = BPIOFS_WHY_NOT_ALIGNED;
	if (((pos | iov_iter_count(iter)) & (block - 1)) ||
	    !bdev_iter_is_aligned(vol->bdev, iter))
		return 0;
	*why = BPIOFS_WHY_NONE;
again:
	ret = lock_lower(lower, nowait);
	if (ret)
		return ret;

	if (unlikely(!READ_ONCE(bpiofs_file(file)->enabled))) {
		*why = BPIOFS_WHY_NOT_ENABLED;
		goto out_unlock;
	}
	if (unlikely(READ_ONCE(bi->state.stream_paused))) {
		*why = why_not(vol, bi);
		goto out_unlock;
	}
	if (unlikely(has_cached_users(bi))) {
		inode_unlock_shared(lower);
		if (nowait && !has_cached_opens(bi))
			return -EAGAIN;
		if (!nowait && !dropped && !cached_users_left(bi)) {
			dropped = true;
			goto again;
		}
		*why = BPIOFS_WHY_CACHED_USERS;
		return 0;
	}
	if (unlikely(!bpiofs_layout_stable(bi))) {
		*why = BPIOFS_WHY_LAYOUT_CHANGING;
		goto out_unlock;
	}
	/* Somebody who mounts the lower file system changes it unseen. */
	if (unlikely(atomic_read(&vol->lower_sb->s_active) != 1)) {
		atomic_inc(&bi->layout_seq);
		*why = BPIOFS_WHY_NOT_EXCLUSIVE;
		goto out_unlock;
	}

	size = i_size_read(lower);
	if (unlikely(may_be_sparse(lower, size))) {
		const int sparse = known_sparse(bi, size);

		if (sparse > 0) {
			*why = BPIOFS_WHY_SPARSE;
			goto out_unlock;
		}
		if (sparse < 0) {
			inode_unlock_shared(lower);
			if (nowait)
				return -EAGAIN;
			*why = BPIOFS_WHY_SPARSE;
			if (judged)
				return 0;
			judge_sparse(file);
			judged = true;
			*why = BPIOFS_WHY_NONE;
			goto again;
		}
	}
	ret = 0;
	if (pos >= size || !iov_iter_count(iter))
		goto out_unlock;
	/*
	 * Who is going to move blocks says so before he waits for our lock: the
	 * number may change from here on, the blocks do not.
	 */
	seq = atomic_read(&bi->layout_seq);
	length = min_t(u64, iov_iter_count(iter), round_up(size - pos, block));
	if (unlikely(!range_known(bi, seq, pos, length, &start, &missing))) {
		inode_unlock_shared(lower);
		if (nowait)
			return -EAGAIN;
		*why = BPIOFS_WHY_NOT_MAPPED;
		if (probed)
			return 0;
		ret = probe_missing(file, pos, length);
		if (ret) {
			if (ret == -ENOMEM)
				*why = BPIOFS_WHY_NO_MEMORY;
			return 0;
		}
		probed = true;
		*why = BPIOFS_WHY_NONE;
		goto again;
	}
	if (unlikely(!bpio_gate_enter(&stg->gate))) {
		*why = why_not(vol, bi);
		goto out_unlock;
	}
	if (unlikely(bpio_fault_bypass_read(stg))) {
		bpio_gate_leave(&stg->gate);
		*why = BPIOFS_WHY_IO_ERROR;
		goto out_unlock;
	}
	size = min_t(loff_t, length, size - pos);
	if (likely(start.nr_sectors == iov_iter_count(iter) >> SECTOR_SHIFT)) {
		ret = is_sync_kiocb(iocb) ?
			      read_alone(iocb, iter, bi, start.sector, size,
					 why) :
			      read_by_one(iocb, iter, bi, start.sector, size);
		if (likely(ret)) {
			if (ret != -EIOCBQUEUED)
				bpio_gate_leave(&stg->gate);
			goto out_unlock;
		}
	}
	saved = *iter;
	rb = submit_range(iocb, iter, bi, seq, start, length, size);
	inode_unlock_shared(lower);
	if (IS_ERR(rb)) {
		*iter = saved;
		return PTR_ERR(rb);
	}

	if (!is_sync_kiocb(iocb)) {
		if (atomic_dec_and_test(&rb->ref))
			finish_read(rb);
		return -EIOCBQUEUED;
	}
	if (atomic_dec_and_test(&rb->ref))
		WRITE_ONCE(rb->waiter, NULL);
	ret = wait_read(rb);
	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;

out_unlock:
	inode_unlock_shared(lower);
	return ret;
}

static bool is_partial(enum bpiofs_why why)
{
	return why == BPIOFS_WHY_VOLUME_PAUSED ||
	       why == BPIOFS_WHY_STORAGE_VETO || why == BPIOFS_WHY_GATE_CLOSED;
}

/*
 * Whether the read may skip the filters is looked at again inside the gate, so
 * that who closes it afterwards, or drains it, misses no such read.
 * Return: true: inside; false: *why says why it must not.
 */
static bool enter_partial(struct file *file, bool nowait, enum bpiofs_why *why)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	const loff_t size = i_size_read(bi->lower);
	enum bpiofs_why now;

	if (may_be_sparse(bi->lower, size) && known_sparse(bi, size) < 0 &&
	    !nowait)
		judge_sparse(file);
	if (has_cached_users(bi) && !nowait)
		cached_users_left(bi);
	if (!bpio_gate_enter(&vol->partial_gate)) {
		*why = why_not(vol, bi);
		return false;
	}
	now = READ_ONCE(bpiofs_file(file)->enabled) ? why_not(vol, bi) :
						      BPIOFS_WHY_NOT_ENABLED;
	if (is_partial(now))
		return true;
	bpio_gate_leave(&vol->partial_gate);
	*why = now;
	return false;
}

/**
 * bpiofs_read_iter - read a regular file by the path that its state allows
 * @iocb: kernel I/O control block of the bpiofs file
 * @to: where to
 *
 * Context: process context, may sleep unless IOCB_NOWAIT.
 * Return: bytes read, -EIOCBQUEUED, or what the lower file system says.
 */
ssize_t bpiofs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct bpiofs_file *f = bpiofs_file(file);
	const size_t count = iov_iter_count(to);
	const bool async = !is_sync_kiocb(iocb);
	const loff_t pos = iocb->ki_pos;
	enum bpiofs_path path = BPIOFS_PATH_TRADITIONAL;
	enum bpiofs_why why = BPIOFS_WHY_NOT_ENABLED;
	ssize_t ret;

	if (iocb->ki_flags & IOCB_DIRECT) {
		bpiofs_use_direct(file);
		if (READ_ONCE(f->enabled)) {
			ret = bypass_read(iocb, to, &why);
			if (likely(why == BPIOFS_WHY_NONE))
				return ret;
		}
	} else {
		bpiofs_use_cached(file);
		if (READ_ONCE(f->enabled))
			why = BPIOFS_WHY_CACHED_IO;
	}

	/* an asynchronous read may be over, and the file closed, at any time */
	if (async)
		get_file(file);
	if (is_partial(why) &&
	    enter_partial(file, iocb->ki_flags & IOCB_NOWAIT, &why)) {
		path = BPIOFS_PATH_PARTIAL;
		ret = bpiofs_partial_read(iocb, to);
	} else {
		ret = bpiofs_filtered_read(iocb, to);
	}
	/* -EAGAIN: it will be back */
	if (ret != -EAGAIN) {
		count_read(file, path, why,
			   ret > 0 ? ret : ret == -EIOCBQUEUED ? count : 0);
		trace_bpiofs_read(file_inode(file), pos, ret,
				  bpiofs_path_name(path),
				  bpiofs_why_name(why));
	}
	if (async)
		fput(file);
	return ret;
}

/* The first cached I/O of an open, after its opening or after direct I/O. */
void __bpiofs_use_cached(struct file *file)
{
	if (!xchg(&bpiofs_file(file)->cached, true))
		atomic_inc(&BPIOFS_I(file_inode(file))->cached_opens);
}

/* The first direct I/O of an open after cached I/O, or its end. */
void __bpiofs_use_direct(struct file *file)
{
	if (xchg(&bpiofs_file(file)->cached, false))
		atomic_dec(&BPIOFS_I(file_inode(file))->cached_opens);
}

/**
 * bpiofs_read_init - set up what bypassed reads need
 *
 * Return: 0 or -ENOMEM.
 */
int __init bpiofs_read_init(void)
{
	int ret;

	read_wq = alloc_workqueue("bpiofs_read", WQ_MEM_RECLAIM | WQ_UNBOUND,
				  0);
	if (!read_wq)
		return -ENOMEM;
	ret = bioset_init(&read_bios, BIO_POOL_SIZE,
			  offsetof(struct read_bio, bio),
			  BIOSET_NEED_BVECS | BIOSET_PERCPU_CACHE);
	if (ret)
		destroy_workqueue(read_wq);
	return ret;
}

/**
 * bpiofs_read_exit - take it down; no mount is left
 */
void bpiofs_read_exit(void)
{
	bioset_exit(&read_bios);
	destroy_workqueue(read_wq);
}
