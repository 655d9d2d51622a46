// SPDX-License-Identifier: GPL-2.0
/*
 * The bypass read: from the open file straight to the queue of the device at
 * the bottom, past the lower file system, every dm layer and every filter.
 *
 * What keeps it honest:
 * - i_dio_count of the lower inode is raised, or its i_rwsem held shared, from
 *   before the look at the state until the last bio is submitted, and i_dio_count
 *   is until it has completed, as in the lower file system's own direct reads:
 *   truncate, hole punch and extent moves wait for both, and so do the stream's
 *   pause and DISABLE;
 * - the volume's gate is entered before the first look at the volume's map.  Each
 *   bio holds a reference until it has completed, and a reader that submits more
 *   than one holds another until the last is submitted: pauses, vetoes, DISABLE
 *   and dm suspends close the gate and wait;
 * - what fails is read again on the traditional path.
 *
 * Three ways: read_alone() for a reader who waits for one bio with few pages,
 * everything on his stack; read_by_one() for one who does not wait, and one
 * bio.  Both are for read_at_once(), which takes no lock and gives up when it
 * finds anything in its way.  bypass_read() finds out what that is, does
 * something about it where it can, and reads by submit_range().
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
	bool uncounted;			/* a bio failed: no read by the full path */

	/* of this bio */
	struct read_bio *first;
	struct bpio_gate *gate;
	struct inode *lower;
	loff_t pos;
	unsigned int length;
	unsigned int bvec_done;		/* of its first page, before it began */
	struct work_struct work;
	struct bio bio;			/* last: the bio set's front pad */
};

/* So many pages at most does read_alone() take. */
#define ALONE_VECS	4
/* Runs of a read without an allocation. */
#define FEW_RUNS	8

static struct bio_set read_bios;
static struct workqueue_struct *read_wq;

static inline void count_in(struct bpiofs_stats __percpu *stats,
			    enum bpiofs_path path, enum bpiofs_why why,
			    unsigned int reads, size_t bytes)
{
	this_cpu_add(stats->reads[path], reads);
	this_cpu_add(stats->bytes[path], bytes);
	if (why != BPIOFS_WHY_NONE)
		this_cpu_add(stats->reasons[why], reads);
}

/* The same for an open, in process context only. */
static inline void count_in_own(struct bpiofs_stats *stats,
				enum bpiofs_path path, enum bpiofs_why why,
				unsigned int reads, size_t bytes)
{
	stats += get_cpu();
	stats->reads[path] += reads;
	stats->bytes[path] += bytes;
	if (why != BPIOFS_WHY_NONE)
		stats->reasons[why] += reads;
	put_cpu();
}

/* For the mount, and for the open when it was ever enabled. */
static inline void count_reads(struct file *file, enum bpiofs_path path,
			       enum bpiofs_why why, unsigned int reads,
			       size_t bytes)
{
	struct bpiofs_stats *own;

	/* pairs with the release of whoever enabled it first */
	own = smp_load_acquire(&bpiofs_file(file)->stats);
	count_in(bpiofs_vol(file_inode(file)->i_sb)->stats, path, why, reads,
		 bytes);
	if (own)
		count_in_own(own, path, why, reads, bytes);
}

/* A read by the full path; @iocb still tells where it began. */
static inline void count_full(struct kiocb *iocb, struct bpiofs_file *f,
			      struct bpiofs_volume *vol,
			      struct bpio_volume *stg, size_t length,
			      ssize_t size)
{
	/* pairs with the release of whoever enabled it first */
	struct bpiofs_stats *own = smp_load_acquire(&f->stats);
	struct bpio_stats __percpu *stats = stg->stats;

	count_in(vol->stats, BPIOFS_PATH_FULL, BPIOFS_WHY_NONE, 1, length);
	if (own)
		count_in_own(own, BPIOFS_PATH_FULL, BPIOFS_WHY_NONE, 1, length);
	this_cpu_inc(stats->count[BPIO_STAT_BYPASSED_READS]);
	this_cpu_add(stats->count[BPIO_STAT_BYPASSED_BYTES], length);
	if (trace_bpiofs_read_enabled())
		trace_bpiofs_read(file_inode(iocb->ki_filp), iocb->ki_pos, size,
				  "full", "none");
}

/*
 * Undo count_full() for a bio that failed: its bytes, and the read itself when
 * this is the first of its bios to fail.  Process context.
 * Return: number of reads that no longer count: 0 or 1.
 */
static unsigned int uncount(struct read_bio *rb)
{
	const unsigned int reads = !xchg(&rb->first->uncounted, true);
	struct file *file = rb->first->iocb->ki_filp;
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpiofs_stats *own = READ_ONCE(bpiofs_file(file)->stats);
	const size_t bytes = rb->length;

	this_cpu_sub(vol->stats->reads[BPIOFS_PATH_FULL], reads);
	this_cpu_sub(vol->stats->bytes[BPIOFS_PATH_FULL], bytes);
	if (own) {
		own += get_cpu();
		own->reads[BPIOFS_PATH_FULL] -= reads;
		own->bytes[BPIOFS_PATH_FULL] -= bytes;
		put_cpu();
	}
	this_cpu_sub(vol->stg->stats->count[BPIO_STAT_BYPASSED_READS], reads);
	this_cpu_sub(vol->stg->stats->count[BPIO_STAT_BYPASSED_BYTES], bytes);
	return reads;
}

/* Most bios at a glance: one page, and it is dirty. */
static inline bool is_one_dirty_page(const struct bio *bio)
{
	const struct bio_vec *bv = bio->bi_io_vec;

	return bio->bi_vcnt == 1 && bv->bv_offset + bv->bv_len <= PAGE_SIZE &&
	       folio_test_dirty(page_folio(bv->bv_page));
}

static void __pages_dirty(struct bio *bio)
{
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio) {
		if (folio_test_dirty(fi.folio))
			continue;
		folio_lock(fi.folio);
		folio_mark_dirty(fi.folio);
		folio_unlock(fi.folio);
	}
}

static bool __pages_still_dirty(struct bio *bio)
{
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio)
		if (!folio_test_dirty(fi.folio))
			return false;
	return true;
}

/* Before the read, those that are not: pages_still_dirty() looks again. */
static inline void pages_dirty(struct bio *bio)
{
	if (!is_one_dirty_page(bio))
		__pages_dirty(bio);
}

/* Afterwards: write-back may have cleaned some. */
static inline bool pages_still_dirty(struct bio *bio)
{
	return is_one_dirty_page(bio) || __pages_still_dirty(bio);
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
	unsigned int reads = 0;

	if (bio->bi_status)
		reads = uncount(rb);
	if (bio->bi_status == BLK_STS_AGAIN) {
		cmpxchg(&first->error, 0, -EAGAIN);
	} else if (bio->bi_status) {
		struct file *lower =
			bpiofs_file(first->iocb->ki_filp)->lower;
		struct iov_iter iter;
		struct kiocb kiocb;
		ssize_t got;

		iov_iter_bvec(&iter, ITER_DEST, bio->bi_io_vec, bio->bi_vcnt,
			      rb->bvec_done + rb->length);
		iov_iter_advance(&iter, rb->bvec_done);
		init_sync_kiocb(&kiocb, lower);
		kiocb.ki_flags |= IOCB_DIRECT;
		kiocb.ki_pos = rb->pos;
		got = vfs_iocb_iter_read(lower, &kiocb, &iter);
		if (got < 0)
			cmpxchg(&first->error, 0, got);
		count_reads(first->iocb->ki_filp, BPIOFS_PATH_TRADITIONAL,
			    BPIOFS_WHY_IO_ERROR, reads, got > 0 ? got : 0);
	}
	bio_release_pages(bio, first->dirty);
	finish_bio(rb);
}

static void read_bio_end(struct bio *bio)
{
	struct read_bio *rb = container_of(bio, struct read_bio, bio);
	struct read_bio *first = rb->first;

	inode_dio_end(rb->lower);
	bpio_gate_leave(rb->gate);

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

/*
 * Look a range up, of at least one sector.  The first @max of its runs go to
 * @runs.  Return: their number, which may be greater; 0: *@missing is the first
 * part that is not known.
 */
static unsigned int range_lookup(struct bpiofs_inode *bi, int seq, loff_t pos,
				 size_t length, struct bpiofs_run *runs,
				 unsigned int max, loff_t *missing)
{
	const sector_t first = pos >> SECTOR_SHIFT;
	const sector_t nr_sectors = length >> SECTOR_SHIFT;
	struct bpiofs_run run;
	unsigned int nr = 0;
	sector_t done;

	for (done = 0; done < nr_sectors; done += run.nr_sectors) {
		run = bpiofs_extent_lookup(bi, seq, first + done,
					   nr_sectors - done);
		if (!run.nr_sectors) {
			*missing = (loff_t)(first + done) << SECTOR_SHIFT;
			return 0;
		}
		if (nr < max)
			runs[nr] = run;
		nr++;
	}
	return nr;
}

/* Probe what is missing; lower i_rwsem not held.  0: worth another look. */
static int probe_missing(struct file *file, loff_t pos, size_t length)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	loff_t last = -1, missing;
	int ret;

	while (!range_lookup(bi, atomic_read(&bi->layout_seq), pos, length,
			     NULL, 0, &missing)) {
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
 * Submit the whole range, which lies in @run.  The caller has held the lower
 * i_rwsem shared since before it looked @run up, and keeps its own gate reference
 * until this returns: the first bio may complete, and the next page fault may
 * sleep, while the map is still needed.  Each bio takes a gate reference of its
 * own.
 *
 * All runs were looked up before the first bio: the read is the file at one
 * moment, although what is known may be probed again under another number.
 * Return: the first bio, or an error when nothing was submitted.
 */
static struct read_bio *submit_range(struct kiocb *iocb, struct iov_iter *iter,
				     struct bpiofs_inode *bi,
				     const struct bpiofs_run *run,
				     size_t length, ssize_t size)
{
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	struct file *file = iocb->ki_filp;
	const bool dirty = user_backed_iter(iter);
	const size_t beyond = iov_iter_count(iter) - length;
	const loff_t end = iocb->ki_pos + length;
	blk_opf_t opf = REQ_OP_READ;
	struct read_bio *first = NULL;
	loff_t pos = iocb->ki_pos;
	sector_t done = 0;		/* of @run */
	bool plugged = false;
	struct blk_plug plug;
	int ret = 0;

	if (iocb->ki_flags & IOCB_ALLOC_CACHE)
		opf |= REQ_ALLOC_CACHE;
	if (iocb->ki_flags & IOCB_NOWAIT)
		opf |= REQ_NOWAIT;
	while (pos < end) {
		sector_t nr = run->nr_sectors - done, lower;
		struct block_device *bdev;
		struct read_bio *rb;
		struct bio *bio;
		size_t part;
		int vecs;

		bdev = bpio_volume_map(vol->stg, run->sector + done, &nr,
				       &lower);
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

		ret = bpio_bio_get_pages(bio, iter);
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

		rb->gate = &vol->stg->gate;
		rb->lower = bi->lower;
		rb->pos = pos;
		rb->length = bio->bi_iter.bi_size;
		rb->bvec_done = bio->bi_iter.bpio_bvec_done;
		pos += rb->length;
		done += rb->length >> SECTOR_SHIFT;
		if (done == run->nr_sectors) {
			run++;
			done = 0;
		}
		/* before the read can complete */
		if (pos == end)
			count_full(iocb, bpiofs_file(file), vol, vol->stg,
				   length, size);
		if (!first) {
			first = rb;
			rb->iocb = iocb;
			rb->sync = is_sync_kiocb(iocb);
			rb->waiter = rb->sync ? current : NULL;
			rb->error = 0;
			rb->size = size;
			rb->dirty = dirty;
			rb->uncounted = false;
			/* ours, so that no completion ends the read early */
			atomic_set(&rb->ref, 2);
		} else {
			atomic_inc(&first->ref);
		}
		rb->first = first;
		/* the caller is inside: it works on a gate that is closing, too */
		percpu_ref_get(&vol->stg->gate.ref);
		inode_dio_begin(bi->lower);
		if (pos < end && !plugged) {
			blk_start_plug(&plug);
			plugged = true;
		}
		submit_bio(bio);
	}
	if (plugged)
		blk_finish_plug(&plug);

	if (!first)
		return ERR_PTR(ret);
	if (ret) {
		cmpxchg(&first->error, 0, ret);
		count_reads(file, BPIOFS_PATH_FULL, BPIOFS_WHY_NONE, 1,
			    pos - (end - length));
	}
	return first;
}

/* Sleep until the completion has cleared *@waiter. */
static void wait_cleared(void **waiter)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (!READ_ONCE(*waiter))
			break;
		bpio_io_schedule();
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
	int ret;

	spin_lock(&bi->vfs_inode.i_lock);
	ret = bi->judged.size == size &&
	      bi->judged.blocks == READ_ONCE(bi->lower->i_blocks) &&
	      bi->judged.seq == atomic_read(&bi->layout_seq) ?
		      bi->state.sparse : -1;
	spin_unlock(&bi->vfs_inode.i_lock);
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
	bi->judged.blocks = blocks;
	bi->judged.size = size;
	WRITE_ONCE(bi->state.sparse, sparse);
	WRITE_ONCE(bi->judged.dense, -1);
	/* the old size is gone before the number changes; see is_dense() */
	smp_wmb();
	WRITE_ONCE(bi->judged.seq, seq);
	/* the new size comes after it */
	smp_wmb();
	if (!sparse && seq == atomic_read(&bi->layout_seq))
		WRITE_ONCE(bi->judged.dense, size);
	spin_unlock(&bi->vfs_inode.i_lock);
}

/*
 * Known not to be sparse, without a lock.  Nobody takes what was found with
 * another layout for what was found with this one: the size is void before the
 * number becomes this one, and who found something with an earlier one, and
 * comes late, leaves none.
 */
static __always_inline bool is_dense(const struct bpiofs_inode *bi,
				     loff_t size)
{
	/* pairs with the barriers of judge_sparse() */
	return smp_load_acquire(&bi->judged.seq) ==
		       atomic_read(&bi->layout_seq) &&
	       READ_ONCE(bi->judged.dense) == size;
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
	struct bpiofs_run few[FEW_RUNS], *runs = few;
	unsigned int nr, max = FEW_RUNS;
	loff_t size, missing;
	struct read_bio *rb;
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
	    !bpio_bdev_iter_is_aligned(vol->bdev, iter))
		return 0;
	*why = BPIOFS_WHY_NONE;
again:
	ret = lock_lower(lower, nowait);
	if (ret)
		goto out;

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
		ret = -EAGAIN;
		if (nowait && !has_cached_opens(bi))
			goto out;
		ret = 0;
		if (!nowait && !dropped && !cached_users_left(bi)) {
			dropped = true;
			goto again;
		}
		*why = BPIOFS_WHY_CACHED_USERS;
		goto out;
	}
	if (unlikely(!bpiofs_layout_stable(bi))) {
		*why = BPIOFS_WHY_LAYOUT_CHANGING;
		goto out_unlock;
	}
	/* Somebody who mounts the lower file system changes it unseen. */
	if (unlikely(!bpiofs_lower_is_ours(vol))) {
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
			ret = -EAGAIN;
			if (nowait)
				goto out;
			ret = 0;
			*why = BPIOFS_WHY_SPARSE;
			if (judged)
				goto out;
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
	nr = range_lookup(bi, seq, pos, length, runs, max, &missing);
	if (unlikely(nr > max)) {
		if (nowait) {
			ret = -EAGAIN;
			goto out_unlock;
		}
		if (runs != few)
			kvfree(runs);
		max = nr;
		runs = kvmalloc_array(max, sizeof(*runs), GFP_KERNEL_ACCOUNT);
		if (!runs) {
			*why = BPIOFS_WHY_NO_MEMORY;
			goto out_unlock;
		}
		/* What was found may be forgotten meanwhile. */
		inode_unlock_shared(lower);
		goto again;
	}
	if (unlikely(!nr)) {
		inode_unlock_shared(lower);
		ret = -EAGAIN;
		if (nowait)
			goto out;
		ret = 0;
		*why = BPIOFS_WHY_NOT_MAPPED;
		if (probed)
			goto out;
		ret = probe_missing(file, pos, length);
		if (ret) {
			if (ret == -ENOMEM)
				*why = BPIOFS_WHY_NO_MEMORY;
			ret = 0;
			goto out;
		}
		probed = true;
		*why = BPIOFS_WHY_NONE;
		goto again;
	}
	if (unlikely(!bpio_gate_enter(&stg->gate))) {
		*why = why_not(vol, bi);
		goto out_unlock;
	}
	if (unlikely(READ_ONCE(stg->fault_bypass_read))) {
		/* one who would be told to come back would count for two */
		if (nowait && !vol->nowait_whole)
			ret = -EAGAIN;
		else if (bpio_fault_bypass_read(stg))
			*why = BPIOFS_WHY_IO_ERROR;
		if (ret || *why != BPIOFS_WHY_NONE) {
			bpio_gate_leave(&stg->gate);
			goto out_unlock;
		}
	}
	size = min_t(loff_t, length, size - pos);
	saved = *iter;
	rb = submit_range(iocb, iter, bi, runs, length, size);
	bpio_gate_leave(&stg->gate);
	inode_unlock_shared(lower);
	if (IS_ERR(rb)) {
		*iter = saved;
		ret = PTR_ERR(rb);
		goto out;
	}

	if (!is_sync_kiocb(iocb)) {
		if (atomic_dec_and_test(&rb->ref))
			finish_read(rb);
		ret = -EIOCBQUEUED;
		goto out;
	}
	if (atomic_dec_and_test(&rb->ref))
		WRITE_ONCE(rb->waiter, NULL);
	ret = wait_read(rb);
	if (ret > 0)
		iocb->ki_pos += ret;
	goto out;

out_unlock:
	inode_unlock_shared(lower);
out:
	if (runs != few)
		kvfree(runs);
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

/* @why: the bypass has been tried, or is not for this read; NONE: neither. */
static noinline ssize_t read_any_way(struct kiocb *iocb, struct iov_iter *to,
				     enum bpiofs_why why)
{
	struct file *file = iocb->ki_filp;
	const size_t count = iov_iter_count(to);
	const bool async = !is_sync_kiocb(iocb);
	const loff_t pos = iocb->ki_pos;
	enum bpiofs_path path = BPIOFS_PATH_TRADITIONAL;
	ssize_t ret;

	if (why == BPIOFS_WHY_NONE) {
		ret = bypass_read(iocb, to, &why);
		if (why == BPIOFS_WHY_NONE)
			return ret;
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
		count_reads(file, path, why, 1,
			    ret > 0 ? ret : ret == -EIOCBQUEUED ? count : 0);
		trace_bpiofs_read(file_inode(file), pos, ret,
				  bpiofs_path_name(path),
				  bpiofs_why_name(why));
	}
	if (async)
		fput(file);
	return ret;
}

/* ---- most reads ----------------------------------------------------------- */

/*
 * A read of one run of the volume that is known, while nobody changes the file or
 * has pages of it.
 */
struct look {
	struct bpiofs_file *f;
	struct bpiofs_inode *bi;
	struct bpiofs_volume *vol;
	struct bpio_volume *stg;
	struct inode *lower;
	loff_t pos;
	size_t length;
};

static __always_inline bool nothing_in_the_way(const struct look *look)
{
	const struct bpiofs_inode *bi = look->bi;
	struct inode *lower = look->lower;
	loff_t size;

	if (unlikely(rwsem_is_locked(&lower->i_rwsem) ||
		     READ_ONCE(bi->state.stream_paused) ||
		     !READ_ONCE(look->f->enabled) ||
		     !bpiofs_layout_settled(bi)))
		return false;
	size = i_size_read(lower);
	/* who has made it longer, by way of the cache, had pages before */
	smp_rmb();
	return likely(!has_cached_users(bi) &&
		      look->pos + look->length <= size &&
		      atomic_read(&look->vol->lower_sb->s_active) == 1 &&
		      (!may_be_sparse(lower, size) ||
		       is_dense(look->bi, size)));
}

/*
 * Raise i_dio_count, then look; who changes something says so first, and then
 * waits for the count.  Nobody is overtaken who waits with the lower i_rwsem held.
 *
 * With the count raised nothing may fault: a fault may wait for a truncation that
 * waits for the count.
 *
 * Return: the device at the bottom, and *@sector on it, with the count raised and
 * inside the gate; NULL: something is in the way.
 */
static __always_inline struct block_device *
enter_read(const struct look *look, sector_t *sector)
{
	const sector_t nr = look->length >> SECTOR_SHIFT;
	struct bpio_volume *stg = look->stg;
	struct block_device *bdev;
	struct bpiofs_run run;

	inode_dio_begin(look->lower);
	/* the count, then the look; pairs with bpiofs_layout_begin() */
	smp_mb__after_atomic();
	if (unlikely(!nothing_in_the_way(look)))
		goto out;
	run = bpiofs_extent_lookup(look->bi,
				   atomic_read(&look->bi->layout_seq),
				   look->pos >> SECTOR_SHIFT, nr);
	if (unlikely(run.nr_sectors < nr))
		goto out;
	if (unlikely(!bpio_gate_enter(&stg->gate)))
		goto out;
	bdev = bpio_volume_map(stg, run.sector, &run.nr_sectors, sector);
	if (likely(bdev && run.nr_sectors == nr &&
		   !READ_ONCE(stg->fault_bypass_read)))
		return bdev;
	bpio_gate_leave(&stg->gate);
out:
	inode_dio_end(look->lower);
	return NULL;
}

static void leave_read(struct inode *lower, struct bpio_gate *gate)
{
	inode_dio_end(lower);
	bpio_gate_leave(gate);
}

static void read_one_end(struct bio *bio)
{
	struct read_bio *rb = container_of(bio, struct read_bio, bio);
	struct kiocb *iocb = rb->iocb;
	const unsigned int length = rb->length;

	if (unlikely(bio->bi_status ||
		     (rb->dirty && !pages_still_dirty(bio)))) {
		atomic_set(&rb->ref, 1);
		rb->error = 0;
		rb->size = length;
		rb->sync = false;
		rb->uncounted = false;
		rb->first = rb;
		rb->pos = iocb->ki_pos;
		read_bio_end(bio);
		return;
	}
	leave_read(rb->lower, rb->gate);
	bio_release_pages(bio, false);
	bio_put(bio);
	iocb->ki_pos += length;
	iocb->ki_complete(iocb, length);
}

/*
 * Asynchronous, and all in one bio.
 * Return: -EIOCBQUEUED; a negative errno, or 0: something is in the way, and
 * nothing of @iter used.
 */
static __always_inline ssize_t read_by_one(struct kiocb *iocb,
					   struct iov_iter *iter,
					   const struct look *look)
{
	const bool user = user_backed_iter(iter);
	const size_t length = look->length;
	const int flags = iocb->ki_flags;
	blk_opf_t opf = REQ_OP_READ;
	struct block_device *bdev;
	struct read_bio *rb;
	sector_t sector;
	struct bio *bio;
	ssize_t ret = 0;

	if (flags & IOCB_ALLOC_CACHE)
		opf |= REQ_ALLOC_CACHE;
	if (flags & IOCB_NOWAIT)
		opf |= REQ_NOWAIT;
	if (iov_iter_is_bvec(iter)) {
		bdev = enter_read(look, &sector);
		if (unlikely(!bdev))
			return 0;
		bio = bio_alloc_bioset(bdev, 0, opf, GFP_KERNEL, &read_bios);
		/* @iter stays: once it is queued nobody looks at it */
		bpio_bio_set_bvec(bio, iter);
	} else {
		bio = bio_alloc_bioset(NULL,
				       bio_iov_vecs_to_alloc(iter, BIO_MAX_VECS),
				       opf, GFP_KERNEL, &read_bios);
		/* has larger blocks, if any; the bio's own is not known yet */
		bio->bi_bdev = look->vol->bdev;
		ret = bpio_bio_get_pages(bio, iter);
		if (unlikely(ret))
			goto out_put;
		if (unlikely(bio->bi_iter.bi_size < length))
			goto out_revert;
		if (user)
			pages_dirty(bio);
		bdev = enter_read(look, &sector);
		if (unlikely(!bdev))
			goto out_revert;
		bio_set_dev(bio, bdev);
	}
	rb = container_of(bio, struct read_bio, bio);
	bio->bi_iter.bi_sector = sector;
	bio->bi_ioprio = iocb->ki_ioprio;
	bio->bi_end_io = read_one_end;
	rb->iocb = iocb;
	rb->dirty = user;
	rb->gate = &look->stg->gate;
	rb->lower = look->lower;
	rb->length = length;
	rb->bvec_done = bio->bi_iter.bpio_bvec_done;
	/* before the read can complete */
	count_full(iocb, look->f, look->vol, look->stg, length, length);
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

out_revert:
	iov_iter_revert(iter, bio->bi_iter.bi_size);
	bio_release_pages(bio, false);
out_put:
	bio_put(bio);
	return ret;
}

static void read_alone_end(struct bio *bio)
{
	struct task_struct *waiter = bio->bi_private;

	WRITE_ONCE(bio->bi_private, NULL);
	blk_wake_io_task(waiter);
}

/*
 * Synchronous, and few pages: all on the stack.
 * Return: as of a read; 0: something is in the way, and nothing of @iter used.
 */
static noinline ssize_t read_alone(struct kiocb *iocb, struct iov_iter *iter,
				   const struct look *look)
{
	struct bio_vec vecs[ALONE_VECS] __uninitialized;
	const size_t length = look->length;
	struct bio bio __uninitialized;
	struct block_device *bdev;
	bool failed = false;
	sector_t sector;
	ssize_t ret;

	if (bio_iov_vecs_to_alloc(iter, ALONE_VECS + 1) > ALONE_VECS)
		return 0;
	bio_init(&bio, NULL, vecs, ALONE_VECS, REQ_OP_READ);
	bio.bi_bdev = look->vol->bdev;	/* as in read_by_one() */
	ret = bpio_bio_get_pages(&bio, iter);
	if (unlikely(ret))
		goto out;
	bdev = NULL;
	if (likely(bio.bi_iter.bi_size == length))
		bdev = enter_read(look, &sector);
	if (unlikely(!bdev)) {
		iov_iter_revert(iter, bio.bi_iter.bi_size);
		goto out_release;
	}
	bio_set_dev(&bio, bdev);
	bio.bi_iter.bi_sector = sector;
	bio.bi_ioprio = iocb->ki_ioprio;
	bio.bi_end_io = read_alone_end;
	bio.bi_private = current;
	if (iocb->ki_flags & IOCB_NOWAIT)
		bio.bi_opf |= REQ_NOWAIT;
	submit_bio(&bio);
	wait_cleared(&bio.bi_private);
	leave_read(look->lower, &look->stg->gate);

	if (likely(!bio.bi_status)) {
		count_full(iocb, look->f, look->vol, look->stg, length, length);
		iocb->ki_pos += length;
		ret = length;
	} else {
		iov_iter_revert(iter, length);
		ret = -EAGAIN;
		failed = bio.bi_status != BLK_STS_AGAIN;
	}
out_release:
	bio_release_pages(&bio, user_backed_iter(iter));
out:
	bio_uninit(&bio);
	if (unlikely(failed))
		return read_any_way(iocb, iter, BPIOFS_WHY_IO_ERROR);
	return ret;
}

/*
 * bpio_bdev_iter_is_aligned(), without a call for a piece of a registered buffer.
 * Caller: the length is aligned.
 */
static inline bool iter_is_aligned(struct block_device *bdev,
				   struct iov_iter *iter)
{
	const struct bio_vec *bvec = iter->bvec;

	if (iov_iter_is_bvec(iter) &&
	    iter->iov_offset + iov_iter_count(iter) <= bvec->bv_len)
		return !((bvec->bv_offset + iter->iov_offset) &
			 bdev_dma_alignment(bdev));
	return bpio_bdev_iter_is_aligned(bdev, iter);
}

/* Return: as of a read; 0: something is in the way, nothing of @iter used. */
static __always_inline ssize_t read_at_once(struct kiocb *iocb,
					    struct iov_iter *iter,
					    struct file *file)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	const struct look look = {
		.f = bpiofs_file(file),
		.bi = bi,
		.vol = vol,
		.stg = vol->stg,
		.lower = bi->lower,
		.pos = iocb->ki_pos,
		.length = iov_iter_count(iter),
	};
	const u32 block = bdev_logical_block_size(vol->bdev);

	if (unlikely(!look.stg || !look.length ||
		     (look.pos | look.length) & (block - 1) ||
		     !iter_is_aligned(vol->bdev, iter)))
		return 0;
	/* a glance, before the memory is asked for; what counts comes after */
	if (!iov_iter_is_bvec(iter) && unlikely(!nothing_in_the_way(&look)))
		return 0;
	if (is_sync_kiocb(iocb)) {
		/* so that @look can stay in registers */
		const struct look copy = look;

		return read_alone(iocb, iter, &copy);
	}
	return read_by_one(iocb, iter, &look);
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
	enum bpiofs_why why = BPIOFS_WHY_NONE;
	ssize_t ret;

	if (iocb->ki_flags & IOCB_DIRECT) {
		bpiofs_use_direct(file);
		if (READ_ONCE(f->enabled)) {
			ret = read_at_once(iocb, to, file);
			if (likely(ret))
				return ret;
		} else {
			why = BPIOFS_WHY_NOT_ENABLED;
		}
	} else {
		bpiofs_use_cached(file);
		why = READ_ONCE(f->enabled) ? BPIOFS_WHY_CACHED_IO :
					      BPIOFS_WHY_NOT_ENABLED;
	}
	return read_any_way(iocb, to, why);
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
