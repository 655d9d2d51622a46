// SPDX-License-Identifier: GPL-2.0
/*
 * Where a file's blocks lie: asked of the lower file system by marker reads,
 * remembered per 2 MiB of file.  Knows when that knowledge is void; does not
 * know who reads.
 *
 * A chunk holds what one probe found, and the layout_seq it was found under. The
 * longest run that was found, over any number of chunks, is kept beside them: a
 * file that lies in one piece needs no more.
 * When memory is short chunks are forgotten, those of the inode that has had some
 * for longest first; reads then probe again.
 *
 * Everything that can move or free blocks bumps layout_seq when it begins and
 * when it has ended, so a chunk found before or meanwhile is never used after.
 */
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>
#include <linux/uio.h>
#include <bpio/compat.h>
#include "bpiofs.h"

#define CHUNK_SHIFT	21
#define CHUNK_SIZE	((size_t)SZ_2M)

struct run {
	u32 first_sectors;	/* from the start of the chunk */
	u32 nr_sectors;
	sector_t sector;	/* of the volume */
};

struct chunk {
	struct rcu_head rcu;
	int seq;
	unsigned int nr;
	struct run run[];
};

/* Inodes with chunks, and whoever frees chunks that are not his own. */
static LIST_HEAD(cached_inodes);
static DEFINE_MUTEX(cached_lock);
static atomic_long_t nr_chunks = ATOMIC_LONG_INIT(0);
static struct shrinker *shrinker;

/**
 * bpiofs_extents_init - prepare the extent cache of a new inode
 * @bi: inode
 */
void bpiofs_extents_init(struct bpiofs_inode *bi)
{
	xa_init(&bi->chunks);
	INIT_LIST_HEAD(&bi->cached);
	seqcount_spinlock_init(&bi->long_run_count, &bi->vfs_inode.i_lock);
	memset(&bi->long_run, 0, sizeof(bi->long_run));
	atomic_set(&bi->layout_changers, 0);
	atomic_set(&bi->layout_seq, 0);
	atomic_set(&bi->delayed_seq, 0);
	atomic_set(&bi->delayed_seen, 0);
	atomic_set(&bi->moving_maps, 0);
}

/**
 * bpiofs_extents_destroy - free the extent cache of an inode
 * @bi: inode that nobody can read from any more
 */
void bpiofs_extents_destroy(struct bpiofs_inode *bi)
{
	struct chunk *chunk;
	unsigned long index;

	if (!list_empty_careful(&bi->cached)) {
		mutex_lock(&cached_lock);
		list_del_init(&bi->cached);
		mutex_unlock(&cached_lock);
	}
	xa_for_each(&bi->chunks, index, chunk) {
		kfree(chunk);
		atomic_long_dec(&nr_chunks);
	}
	xa_destroy(&bi->chunks);
}

/**
 * bpiofs_layout_begin - an operation that may move or free blocks begins
 * @bi: inode
 *
 * Until bpiofs_layout_end() reads take the traditional path.  The operation
 * itself takes the lower i_rwsem exclusively and waits for direct I/O, which
 * bypassed reads are counted as: a read is counted first and looks then, so
 * either it sees the change coming or the change waits for it.
 *
 * Context: any.
 */
void bpiofs_layout_begin(struct bpiofs_inode *bi)
{
	atomic_inc(&bi->layout_changers);
	atomic_inc(&bi->layout_seq);
	/*
	 * Both before the change; pairs with the probe's smp_rmb(), and with the
	 * barrier between a read's inode_dio_begin() and its look.
	 */
	smp_mb__after_atomic();
}

/**
 * bpiofs_layout_end - the operation has ended
 * @bi: inode
 *
 * Context: any.
 */
void bpiofs_layout_end(struct bpiofs_inode *bi)
{
	/* the change, then the new number, then the way is free again */
	smp_mb__before_atomic();
	atomic_inc(&bi->layout_seq);
	atomic_dec_return_release(&bi->layout_changers);
}

/**
 * bpiofs_write_begin - a write begins
 * @bi: inode
 *
 * A write adds blocks and converts unwritten ones; that voids nothing, since
 * what is not known as written is probed again.  Only where the lower file
 * system copies on write can it move written blocks.
 *
 * Context: any.
 */
void bpiofs_write_begin(struct bpiofs_inode *bi)
{
	if (bpiofs_vol(bi->vfs_inode.i_sb)->layout_moves)
		bpiofs_layout_begin(bi);
}

/**
 * bpiofs_write_end - a write has ended, before its completion is reported
 * @bi: inode
 *
 * Blocks of a cached write move when it is written back; see
 * bpiofs_layout_stable().
 *
 * Context: any.
 */
void bpiofs_write_end(struct bpiofs_inode *bi)
{
	if (!bpiofs_vol(bi->vfs_inode.i_sb)->layout_moves)
		return;
	atomic_inc(&bi->delayed_seq);
	bpiofs_layout_end(bi);
}

/**
 * bpiofs_layout_stable - may the extent cache be used?
 * @bi: inode, its lower i_rwsem held shared or its lower i_dio_count raised
 *
 * Once a page is gone from the cache its blocks are where they will stay, so
 * after cached writes what was known before is voided when no page is left.
 * delayed_seq is read before the pages are counted: a write that slips in
 * behind leaves it different from delayed_seen.
 *
 * Return: false while the layout may change.
 */
bool bpiofs_layout_stable(struct bpiofs_inode *bi)
{
	int seen, now;

	if (atomic_read(&bi->layout_changers) || atomic_read(&bi->moving_maps))
		return false;
	seen = atomic_read(&bi->delayed_seen);
	now = atomic_read(&bi->delayed_seq);
	if (likely(seen == now))
		return true;
	/* delayed_seq first, then the pages; see above */
	smp_mb();
	if (READ_ONCE(bi->lower->i_mapping->nrpages))
		return false;
	atomic_inc(&bi->layout_seq);
	/* fully ordered: who sees delayed_seen sees the new layout_seq */
	atomic_cmpxchg(&bi->delayed_seen, seen, now);
	return true;
}

/**
 * bpiofs_chunk_lookup - the part of bpiofs_extent_lookup() beyond the long run
 * @bi: inode, as there
 * @seq: its layout_seq, as there
 * @file_sector: 512-byte sector of the file
 * @nr_sectors: sectors wanted
 *
 * Context: any; takes no lock.
 * Return: as there.
 */
struct bpiofs_run bpiofs_chunk_lookup(struct bpiofs_inode *bi, int seq,
				      sector_t file_sector, sector_t nr_sectors)
{
	const u32 at = file_sector & ((CHUNK_SIZE >> SECTOR_SHIFT) - 1);
	struct bpiofs_run found = {};
	const struct chunk *chunk;
	unsigned int low, high;

	rcu_read_lock();
	chunk = xa_load(&bi->chunks,
			file_sector >> (CHUNK_SHIFT - SECTOR_SHIFT));
	low = 0;
	high = chunk && chunk->seq == seq ? chunk->nr : 0;
	while (low < high) {
		const unsigned int mid = low + (high - low) / 2;
		const struct run *run = &chunk->run[mid];

		if (at < run->first_sectors) {
			high = mid;
		} else if (at - run->first_sectors >= run->nr_sectors) {
			low = mid + 1;
		} else {
			const u32 skip = at - run->first_sectors;

			found.nr_sectors = min_t(sector_t, nr_sectors,
						 run->nr_sectors - skip);
			found.sector = run->sector + skip;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/* Join a run of the file to the long one.  Return: false: it does not touch. */
static bool long_run_join(struct bpiofs_long_run *to, sector_t first,
			  const struct run *run)
{
	if (first == to->first_sectors + to->nr_sectors &&
	    run->sector == to->sector + to->nr_sectors) {
		to->nr_sectors += run->nr_sectors;
	} else if (first + run->nr_sectors == to->first_sectors &&
		   run->sector + run->nr_sectors == to->sector) {
		to->first_sectors = first;
		to->sector = run->sector;
		to->nr_sectors += run->nr_sectors;
	} else {
		return false;
	}
	return true;
}

/* Go on into the chunk behind the long run, or that before it. */
static bool long_run_grow(struct bpiofs_inode *bi, struct bpiofs_long_run *to,
			  bool behind)
{
	const sector_t mask = (CHUNK_SIZE >> SECTOR_SHIFT) - 1;
	const struct chunk *chunk;
	const struct run *run;
	sector_t at = to->first_sectors;

	if (behind)
		at += to->nr_sectors;
	else if (at)
		at--;
	else
		return false;
	chunk = xa_load(&bi->chunks, at >> (CHUNK_SHIFT - SECTOR_SHIFT));
	if (!chunk || chunk->seq != to->seq || !chunk->nr)
		return false;
	run = &chunk->run[behind ? 0 : chunk->nr - 1];
	return long_run_join(to, (at & ~mask) + run->first_sectors, run);
}

/* Lengthen the long run by what a new chunk adds, or find a longer one. */
static void remember_long_run(struct bpiofs_inode *bi,
			      const struct chunk *chunk, loff_t chunk_pos)
{
	const sector_t start = chunk_pos >> SECTOR_SHIFT;
	struct bpiofs_long_run new = { .seq = chunk->seq };
	unsigned int i;

	rcu_read_lock();
	spin_lock(&bi->vfs_inode.i_lock);
	if (bi->long_run.seq == chunk->seq)
		new = bi->long_run;
	for (i = 0; i < chunk->nr; i++) {
		const struct run *run = &chunk->run[i];
		const sector_t first = start + run->first_sectors;

		if (!long_run_join(&new, first, run) &&
		    run->nr_sectors > new.nr_sectors) {
			new.first_sectors = first;
			new.sector = run->sector;
			new.nr_sectors = run->nr_sectors;
		}
	}
	while (long_run_grow(bi, &new, true) || long_run_grow(bi, &new, false))
		;
	write_seqcount_begin(&bi->long_run_count);
	bi->long_run = new;
	write_seqcount_end(&bi->long_run_count);
	spin_unlock(&bi->vfs_inode.i_lock);
	rcu_read_unlock();
}

/*
 * Make the chunks of an inode known to the shrinker.  If it has just found that
 * there are none it forgets the inode until the next probe, no harm done.
 */
static void remember_inode(struct bpiofs_inode *bi)
{
	if (!list_empty_careful(&bi->cached))
		return;
	mutex_lock(&cached_lock);
	if (list_empty(&bi->cached))
		list_add_tail(&bi->cached, &cached_inodes);
	mutex_unlock(&cached_lock);
}

static unsigned long count_chunks(struct shrinker *unused,
				  struct shrink_control *control)
{
	return atomic_long_read(&nr_chunks) ?: SHRINK_EMPTY;
}

/* The inodes stay while cached_lock is held: eviction takes it. */
static unsigned long scan_chunks(struct shrinker *unused,
				 struct shrink_control *control)
{
	unsigned long freed = 0, index;
	struct bpiofs_inode *bi;
	struct chunk *chunk;

	if (!mutex_trylock(&cached_lock))
		return SHRINK_STOP;
	while (freed < control->nr_to_scan) {
		bi = list_first_entry_or_null(&cached_inodes,
					      struct bpiofs_inode, cached);
		if (!bi)
			break;
		xa_for_each(&bi->chunks, index, chunk) {
			if (freed >= control->nr_to_scan)
				break;
			chunk = xa_erase(&bi->chunks, index);
			if (!chunk)
				continue;
			kfree_rcu(chunk, rcu);
			atomic_long_dec(&nr_chunks);
			freed++;
		}
		if (xa_empty(&bi->chunks))
			list_del_init(&bi->cached);
		else
			list_move_tail(&bi->cached, &cached_inodes);
	}
	mutex_unlock(&cached_lock);
	return freed ?: SHRINK_STOP;
}

/* Probe one marker's worth; append its runs.  Return: bytes read, or errno. */
static ssize_t probe(struct file *lower, struct bpio_marker *marker,
		     loff_t chunk_pos, size_t offset, u32 sector,
		     struct chunk **chunk, unsigned int *room)
{
	const size_t want = min(bpio_marker_size(marker), CHUNK_SIZE - offset);
	const struct bpio_extent *extent;
	unsigned int nr, i;
	struct iov_iter iter;
	struct kiocb kiocb;
	ssize_t got;
	int ret;

	ret = bpio_marker_arm_probe(marker, NULL, 0);
	if (ret)
		return ret;
	bpio_marker_iter(marker, &iter, 0, want);
	init_sync_kiocb(&kiocb, lower);
	kiocb.ki_flags |= IOCB_DIRECT;
	kiocb.ki_pos = chunk_pos + offset;
	got = vfs_iocb_iter_read(lower, &kiocb, &iter);
	bpio_marker_disarm(marker);
	if (got <= 0)
		return got;

	nr = bpio_marker_extents(marker, &extent);
	if ((*chunk)->nr + nr > *room) {
		const unsigned int more = (*chunk)->nr + nr;
		struct chunk *bigger;

		bigger = krealloc(*chunk, struct_size(bigger, run, more),
				  GFP_KERNEL);
		if (!bigger)
			return -ENOMEM;
		*chunk = bigger;
		*room = more;
	}
	for (i = 0; i < nr; i++) {
		struct run *run = &(*chunk)->run[(*chunk)->nr];
		u64 length;

		if (extent[i].pos >= got)
			break;
		/*
		 * Records cover the whole block of the file system at the end
		 * of the file.  The device reads whole sectors of its own.
		 */
		length = min_t(u64, extent[i].length,
			       round_up(got - extent[i].pos, sector));
		run->first_sectors = (offset + extent[i].pos) >> SECTOR_SHIFT;
		run->nr_sectors = length >> SECTOR_SHIFT;
		run->sector = extent[i].sector;
		(*chunk)->nr++;
	}
	return got;
}

/**
 * bpiofs_extent_probe - ask the lower file system where part of a file lies
 * @file: open file of a volume with a storage layer, open for reading
 * @pos: byte of the file; the 2 MiB around it are probed
 *
 * Context: process context, may sleep; no lower lock held.
 * Return: 0; -EAGAIN while the layout is changing; -ENOMEM; what the lower
 * read says.
 */
int bpiofs_extent_probe(struct file *file, loff_t pos)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	struct file *lower = bpiofs_file(file)->lower;
	const loff_t chunk_pos = round_down(pos, CHUNK_SIZE);
	const u32 sector = bdev_logical_block_size(vol->bdev);
	const struct cred *caller;
	struct bpio_marker *marker;
	struct chunk *chunk, *old;
	unsigned int room = 2;
	size_t done = 0;
	ssize_t got;
	int seq, ret;

	seq = atomic_read(&bi->layout_seq);
	/* pairs with bpiofs_layout_begin() */
	smp_rmb();
	if (atomic_read(&bi->layout_changers))
		return -EAGAIN;

	marker = bpio_marker_get(vol->stg, false, CHUNK_SIZE, GFP_KERNEL);
	if (!marker)
		return -ENOMEM;
	chunk = kmalloc(struct_size(chunk, run, room), GFP_KERNEL);
	if (!chunk) {
		ret = -ENOMEM;
		goto out_marker;
	}
	chunk->nr = 0;
	chunk->seq = seq;
	do {
		caller = bpiofs_mounter_begin(vol);
		got = probe(lower, marker, chunk_pos, done, sector, &chunk,
			    &room);
		bpiofs_mounter_end(caller);
		if (got < 0) {
			ret = got;
			goto out_chunk;
		}
		done += got;
	} while (got == bpio_marker_size(marker) && done < CHUNK_SIZE);

	remember_long_run(bi, chunk, chunk_pos);
	old = xa_store(&bi->chunks, chunk_pos >> CHUNK_SHIFT, chunk,
		       GFP_KERNEL);
	ret = xa_err(old);
	if (ret)
		goto out_chunk;
	if (old)
		kfree_rcu(old, rcu);
	else
		atomic_long_inc(&nr_chunks);
	remember_inode(bi);
	bpio_marker_put(marker);
	return 0;

out_chunk:
	kfree(chunk);
out_marker:
	bpio_marker_put(marker);
	return ret;
}

/**
 * bpiofs_drop_cache - write back and drop the pages of a stream
 * @bi: inode whose cached users are gone
 *
 * Context: process context, may sleep; no lower lock held.
 * Return: 0 when no page is left; -EBUSY; a write-back error.
 */
int bpiofs_drop_cache(struct bpiofs_inode *bi)
{
	struct address_space *mapping = bi->lower->i_mapping;
	int ret;

	ret = filemap_write_and_wait(mapping);
	if (!ret)
		ret = invalidate_inode_pages2(mapping);
	if (!ret && READ_ONCE(mapping->nrpages))
		ret = -EBUSY;
	return ret;
}

static int chunks_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(&nr_chunks));
}

static const struct kernel_param_ops chunks_ops = {
	.get = chunks_get,
};

module_param_cb(extent_chunks, &chunks_ops, NULL, 0444);
MODULE_PARM_DESC(extent_chunks,
		 "pieces of 2 MiB of which it is known where they lie");

/**
 * bpiofs_extent_cache_init - let extent caches shrink
 *
 * Return: 0 or -ENOMEM.
 */
int __init bpiofs_extent_cache_init(void)
{
	shrinker = bpio_shrinker_start("bpiofs-extents", count_chunks,
				       scan_chunks);
	return shrinker ? 0 : -ENOMEM;
}

/**
 * bpiofs_extent_cache_exit - the end of that; no inode is left
 */
void bpiofs_extent_cache_exit(void)
{
	bpio_shrinker_stop(shrinker);
}
