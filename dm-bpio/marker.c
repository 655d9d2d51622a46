// SPDX-License-Identifier: GPL-2.0
/*
 * Marker I/O: ordinary direct I/O of the file system above, whose payload are
 * folios of ours, tells where a file's blocks lie (read) or says where a
 * token's data has to go (write).  Owns the folios, recognises them in map(),
 * records what arrived.  Does not know how data is copied: copy.c does.
 *
 * A marker's memory must never reach the device: whatever bio carries it and
 * is not what the marker was armed for fails here.
 *
 * What no bio covered is a gap.  For a probe the folios hold a pattern that
 * nobody can guess, so that a gap tells whether the file system left it alone,
 * zeroed it or put literal data there.  For a copy they hold zeros, and a gap
 * is what the caller has to write by other means.
 */
#include <linux/bitmap.h>
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <bpio/compat.h>
#include "copy.h"
#include "dm-bpio.h"

#define MARKER_MAX_ORDER	9	/* 2 MiB */
#define MARKER_MIN_ORDER	4
/* 16 MiB: what ext4 maps at once for a direct write */
#define MARKER_MAX_FOLIOS	8
#define MARKER_MAX_PAGES	(MARKER_MAX_FOLIOS << MARKER_MAX_ORDER)
/* Of each fill, for so long after the last use of any. */
#define MARKER_MAX_IDLE		2
#define MARKER_IDLE_SECONDS	30

enum marker_mode {
	MARKER_IDLE,
	MARKER_PROBE,
	MARKER_COPY,
};

struct marker_folio {
	struct bpio_marker *marker;
	struct page *page;
};

/**
 * struct bpio_marker - folios, as if one after the other, and what came of them
 * @vol: volume in whose map() it is known
 * @list: in @vol->idle_markers while nobody has it
 * @folios: what @vol->markers leads to
 * @nr_folios: their number
 * @order: of each
 * @mode: what bios may carry it; changes only while no I/O is in flight
 * @fill: what the pages in @clean hold
 * @clean: pages whose contents are known to be @fill
 * @token: probe: gets the extents, or NULL; copy: source
 * @token_offset: bytes into the token's data where the marker starts
 * @bvecs: what bpio_marker_iter() points to
 * @used_start: first byte handed out by bpio_marker_iter() since armed
 * @used_end: end of that
 * @lock: the fields below; held by map() and by the copy's work
 * @extents: records; sorted and merged by bpio_marker_disarm()
 * @nr: their number
 * @max: room: one per 512 bytes, and bios do not overlap, so it is enough
 * @status: of the failed copy with the lowest position
 * @status_pos: that position
 * @nr_inflight: copies on their way
 * @rcu: frees it
 */
struct bpio_marker {
	struct dm_bpio_volume *vol;
	struct list_head list;
	struct marker_folio folios[MARKER_MAX_FOLIOS];
	unsigned int nr_folios;
	unsigned int order;
	enum marker_mode mode;
	enum bpio_marker_fill fill;
	DECLARE_BITMAP(clean, MARKER_MAX_PAGES);
	struct bpio_token *token;
	u64 token_offset;
	struct bio_vec bvecs[MARKER_MAX_FOLIOS];
	size_t used_start;
	size_t used_end;

	spinlock_t lock;	/* what follows, while armed */
	struct bpio_extent *extents;
	unsigned int nr;
	unsigned int max;
	s32 status;
	u64 status_pos;
	atomic_t nr_inflight;
	struct rcu_head rcu;
};

static u64 marker_key __ro_after_init;

/* ---- contents ------------------------------------------------------------ */

static size_t folio_bytes(const struct bpio_marker *marker)
{
	return PAGE_SIZE << marker->order;
}

static void *marker_at(const struct bpio_marker *marker, size_t offset)
{
	const struct marker_folio *folio =
		&marker->folios[offset >> (PAGE_SHIFT + marker->order)];

	return page_address(folio->page) +
	       (offset & (folio_bytes(marker) - 1));
}

/* Bytes from @offset to the end of its folio, @length at most. */
static size_t in_folio(const struct bpio_marker *marker, size_t offset,
		       size_t length)
{
	const size_t bytes = folio_bytes(marker);

	return min(length, bytes - (offset & (bytes - 1)));
}

/* The pattern: a word tells its position, and the load of the module. */
static u64 marker_word(size_t index)
{
	return marker_key + (index + 1) * 0x9E3779B97F4A7C15ull;
}

static void marker_fill_page(struct bpio_marker *marker, unsigned int page)
{
	size_t index = (size_t)page * (PAGE_SIZE / sizeof(u64)), i;
	u64 *word = marker_at(marker, (size_t)page << PAGE_SHIFT);

	if (marker->fill == BPIO_MARKER_ZERO) {
		clear_page(word);
		return;
	}
	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		word[i] = marker_word(index + i);
}

/* Make sure that a part holds what the mode wants before it is handed out. */
static void marker_prepare(struct bpio_marker *marker, size_t offset,
			   size_t length)
{
	unsigned int page = offset >> PAGE_SHIFT;
	unsigned int end = DIV_ROUND_UP(offset + length, PAGE_SIZE);

	for_each_clear_bit_from(page, marker->clean, end) {
		marker_fill_page(marker, page);
		__set_bit(page, marker->clean);
	}
}

/* Is a part, within one 512-byte block, still the pattern to the last byte? */
static bool marker_untouched(const struct bpio_marker *marker, size_t offset,
			     size_t length)
{
	u64 pattern[SECTOR_SIZE / sizeof(u64)];
	size_t block = round_down(offset, SECTOR_SIZE), i;

	for (i = 0; i < ARRAY_SIZE(pattern); i++)
		pattern[i] = marker_word(block / sizeof(u64) + i);
	return !memcmp(marker_at(marker, offset),
		       (u8 *)pattern + (offset - block), length);
}

/* ---- life ---------------------------------------------------------------- */

static void marker_free_rcu(struct rcu_head *rcu)
{
	struct bpio_marker *marker = container_of(rcu, struct bpio_marker, rcu);
	unsigned int i;

	for (i = 0; i < marker->nr_folios; i++)
		__free_pages(marker->folios[i].page, marker->order);
	kvfree(marker->extents);
	kfree(marker);
}

static void marker_free(struct bpio_marker *marker)
{
	unsigned int i;

	for (i = 0; i < marker->nr_folios; i++)
		xa_erase(&marker->vol->markers,
			 page_to_pfn(marker->folios[i].page));
	/* kvfree() of vmalloc'ed memory is fine in softirq. */
	call_rcu(&marker->rcu, marker_free_rcu);
}

static struct page *alloc_folio(unsigned int order, gfp_t gfp)
{
	return alloc_pages(gfp | __GFP_COMP | __GFP_NORETRY | __GFP_NOWARN,
			   order);
}

/* Return: whether @page, of the marker's order, is one of its folios now. */
static bool add_folio(struct bpio_marker *marker, struct page *page, gfp_t gfp)
{
	struct marker_folio *folio = &marker->folios[marker->nr_folios];

	folio->marker = marker;
	folio->page = page;
	if (xa_err(xa_store(&marker->vol->markers, page_to_pfn(page), folio,
			    gfp))) {
		__free_pages(page, marker->order);
		return false;
	}
	marker->nr_folios++;
	return true;
}

/* Add folios until it can carry @size bytes, as far as there is memory. */
static void marker_grow(struct bpio_marker *marker, u64 size, gfp_t gfp)
{
	const unsigned int had = marker->nr_folios;
	struct bpio_extent *extents;
	struct page *page;

	/* memory was too short for the first one */
	if (marker->order < MARKER_MAX_ORDER)
		return;
	while (marker->nr_folios < MARKER_MAX_FOLIOS &&
	       bpio_marker_size(marker) < size) {
		page = alloc_folio(marker->order, gfp);
		if (!page || !add_folio(marker, page, gfp))
			break;
	}
	if (marker->nr_folios == had)
		return;
	marker->max = bpio_marker_size(marker) >> SECTOR_SHIFT;
	extents = kvmalloc_array(marker->max, sizeof(*extents), gfp);
	if (extents) {
		kvfree(marker->extents);
		marker->extents = extents;
		return;
	}
	while (marker->nr_folios > had) {
		page = marker->folios[--marker->nr_folios].page;
		xa_erase(&marker->vol->markers, page_to_pfn(page));
		__free_pages(page, marker->order);
	}
	marker->max = bpio_marker_size(marker) >> SECTOR_SHIFT;
}

/* Return: one with one folio, or NULL. */
static struct bpio_marker *marker_alloc(struct dm_bpio_volume *vol, gfp_t gfp)
{
	struct bpio_marker *marker;
	struct page *page;

	marker = kzalloc(sizeof(*marker), gfp);
	if (!marker)
		return NULL;
	marker->vol = vol;
	spin_lock_init(&marker->lock);
	for (marker->order = MARKER_MAX_ORDER; ; marker->order--) {
		page = alloc_folio(marker->order, gfp);
		if (page)
			break;
		if (marker->order == MARKER_MIN_ORDER)
			goto free_marker;
	}
	marker->max = folio_bytes(marker) >> SECTOR_SHIFT;
	marker->extents = kvmalloc_array(marker->max, sizeof(*marker->extents),
					 gfp);
	if (!marker->extents)
		goto free_page;
	if (!add_folio(marker, page, gfp))
		goto free_extents;
	return marker;

free_extents:
	kvfree(marker->extents);
	goto free_marker;
free_page:
	__free_pages(page, marker->order);
free_marker:
	kfree(marker);
	return NULL;
}

static struct bpio_marker *marker_take_idle(struct dm_bpio_volume *vol,
					    enum bpio_marker_fill fill)
{
	struct bpio_marker *marker;

	spin_lock(&vol->marker_lock);
	marker = list_first_entry_or_null(&vol->idle_markers[fill],
					  struct bpio_marker, list);
	if (marker) {
		list_del_init(&marker->list);
		vol->nr_idle_markers[fill]--;
	}
	spin_unlock(&vol->marker_lock);
	return marker;
}

static void free_idle_markers(struct dm_bpio_volume *vol)
{
	struct bpio_marker *marker;
	unsigned int fill;

	for (fill = 0; fill < BPIO_NR_MARKER_FILLS; fill++)
		while ((marker = marker_take_idle(vol, fill)))
			marker_free(marker);
}

static void idle_markers_work(struct work_struct *work)
{
	free_idle_markers(container_of(to_delayed_work(work),
				       struct dm_bpio_volume,
				       idle_markers_work));
}

/**
 * bpio_marker_get - a marker for I/O on a file of this volume
 * @vol: volume that lies directly below the file system
 * @copy: it is going to be armed by bpio_marker_arm_copy() rather than
 *	bpio_marker_arm_probe()
 * @size: bytes that it is wanted for
 * @gfp: GFP_KERNEL or weaker, sleeping
 *
 * A few are kept by the volume for a while, so that this costs nothing as a
 * rule; what a marker is filled with costs more than all else, so each is used
 * for the same again.
 *
 * Context: may sleep.
 * Return: a marker, not armed, perhaps for less than @size; or NULL.
 */
struct bpio_marker *bpio_marker_get(struct bpio_volume *vol, bool copy,
				    u64 size, gfp_t gfp)
{
	struct dm_bpio_volume *dvol = to_dm_bpio(vol);
	struct bpio_marker *marker;

	marker = marker_take_idle(dvol, copy ? BPIO_MARKER_ZERO :
					       BPIO_MARKER_PATTERN);
	if (!marker)
		marker = marker_alloc(dvol, gfp);
	if (!marker)
		return marker_take_idle(dvol, copy ? BPIO_MARKER_PATTERN :
						     BPIO_MARKER_ZERO);
	if (bpio_marker_size(marker) < size)
		marker_grow(marker, size, gfp);
	return marker;
}
EXPORT_SYMBOL_GPL(bpio_marker_get);

/**
 * bpio_marker_put - give a marker back
 * @marker: disarmed
 *
 * Context: may sleep; before the caller gives back the volume.
 */
void bpio_marker_put(struct bpio_marker *marker)
{
	struct dm_bpio_volume *vol = marker->vol;
	const enum bpio_marker_fill fill = marker->fill;

	if (WARN_ON_ONCE(marker->mode != MARKER_IDLE))
		bpio_marker_disarm(marker);
	spin_lock(&vol->marker_lock);
	if (vol->nr_idle_markers[fill] < MARKER_MAX_IDLE) {
		list_add(&marker->list, &vol->idle_markers[fill]);
		vol->nr_idle_markers[fill]++;
		marker = NULL;
	}
	spin_unlock(&vol->marker_lock);
	if (marker)
		marker_free(marker);
	mod_delayed_work(bpio_system_wq, &vol->idle_markers_work,
			 MARKER_IDLE_SECONDS * HZ);
}
EXPORT_SYMBOL_GPL(bpio_marker_put);

/**
 * bpio_marker_size - bytes that one marker I/O can carry
 * @marker: marker
 *
 * Return: 2 to 16 MiB; less, but at least 64 KiB, when memory is short.
 */
size_t bpio_marker_size(const struct bpio_marker *marker)
{
	return marker->nr_folios * folio_bytes(marker);
}
EXPORT_SYMBOL_GPL(bpio_marker_size);

/* ---- use by the file system ---------------------------------------------- */

static int marker_arm(struct bpio_marker *marker, enum marker_mode mode,
		      enum bpio_marker_fill fill, struct bpio_token *token,
		      u64 token_offset)
{
	if (WARN_ON_ONCE(marker->mode != MARKER_IDLE))
		return -EBUSY;
	if (marker->fill != fill)
		bitmap_zero(marker->clean, MARKER_MAX_PAGES);
	marker->fill = fill;
	marker->token = token ? dm_bpio_token_hold(token) : NULL;
	marker->token_offset = token_offset;
	marker->used_start = SIZE_MAX;
	marker->used_end = 0;
	marker->nr = 0;
	marker->status = STATUS_SUCCESS;
	marker->status_pos = U64_MAX;
	/* The bio that carries the marker orders this for map(). */
	marker->mode = mode;
	atomic_inc(&marker->vol->nr_markers);
	atomic_inc(&marker->vol->nr_watched);
	return 0;
}

/**
 * bpio_marker_arm_probe - ask where a range of a file lies
 * @marker: from bpio_marker_get()
 * @token: under construction, gets every extent at once; or NULL
 * @token_offset: bytes into the token's data where the marker's first byte is
 *
 * Afterwards direct reads of the file into bpio_marker_iter() tell.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL when @token is of another volume; -EBUSY when armed.
 */
int bpio_marker_arm_probe(struct bpio_marker *marker, struct bpio_token *token,
			  u64 token_offset)
{
	if (token && WARN_ON_ONCE(dm_bpio_token_volume(token) != marker->vol))
		return -EINVAL;
	return marker_arm(marker, MARKER_PROBE, BPIO_MARKER_PATTERN, token,
			  token_offset);
}
EXPORT_SYMBOL_GPL(bpio_marker_arm_probe);

/**
 * bpio_marker_arm_copy - make writes of the marker copies of a token's data
 * @marker: from bpio_marker_get()
 * @token: from bpio_token_find()
 * @token_offset: bytes into the token's data where the marker's first byte is
 *
 * Afterwards direct writes of bpio_marker_iter() to the file copy.  They fail
 * with -EAGAIN while the source volume is suspended: bpio_token_wait_source(),
 * then try again.  Any other failure: bpio_marker_status() tells more.
 *
 * Context: may sleep.
 * Return: 0; -EBUSY when armed.
 */
int bpio_marker_arm_copy(struct bpio_marker *marker, struct bpio_token *token,
			 u64 token_offset)
{
	return marker_arm(marker, MARKER_COPY, BPIO_MARKER_ZERO, token,
			  token_offset);
}
EXPORT_SYMBOL_GPL(bpio_marker_arm_copy);

/**
 * bpio_marker_iter - the memory of a marker, for one direct I/O
 * @marker: armed; the direction follows
 * @iter: out: an ITER_BVEC, valid until the marker's next iter
 * @offset: bytes into the marker
 * @length: bytes, within the marker
 *
 * Context: any that may take as long as filling 16 MiB.
 */
void bpio_marker_iter(struct bpio_marker *marker, struct iov_iter *iter,
		      size_t offset, size_t length)
{
	const size_t end = offset + length;
	unsigned int nr = 0;
	size_t at, part;

	if (WARN_ON_ONCE(offset > bpio_marker_size(marker) ||
			 length > bpio_marker_size(marker) - offset))
		length = 0;
	marker_prepare(marker, offset, length);
	marker->used_start = min(marker->used_start, offset);
	marker->used_end = max(marker->used_end, offset + length);
	for (at = offset; length && at < end; at += part) {
		struct bio_vec *bvec = &marker->bvecs[nr++];

		part = in_folio(marker, at, end - at);
		bvec->bv_page = virt_to_page(marker_at(marker, at));
		bvec->bv_offset = offset_in_page(at);
		bvec->bv_len = part;
	}
	iov_iter_bvec(iter, marker->mode == MARKER_COPY ? WRITE : READ,
		      marker->bvecs, nr, length);
}
EXPORT_SYMBOL_GPL(bpio_marker_iter);

static int extent_cmp(const void *a, const void *b)
{
	const struct bpio_extent *x = a, *y = b;

	return x->pos < y->pos ? -1 : x->pos > y->pos;
}

static bool extent_follows(const struct bpio_extent *a,
			   const struct bpio_extent *b)
{
	return a->pos + a->length == b->pos &&
	       a->sector + (a->length >> SECTOR_SHIFT) == b->sector;
}

static void marker_sort(struct bpio_marker *marker)
{
	struct bpio_extent *extents = marker->extents;
	unsigned int to = 0, i;

	for (i = 1; i < marker->nr; i++)
		if (extents[i].pos < extents[i - 1].pos)
			break;
	if (i < marker->nr)
		sort(extents, marker->nr, sizeof(*extents), extent_cmp, NULL);
	for (i = 1; i < marker->nr; i++) {
		if (extent_follows(&extents[to], &extents[i]))
			extents[to].length += extents[i].length;
		else
			extents[++to] = extents[i];
	}
	if (marker->nr)
		marker->nr = to + 1;
}

/* The file system may have written to what no bio covered. */
static void marker_forget(struct bpio_marker *marker, size_t start, size_t end)
{
	if (start < end)
		bitmap_clear(marker->clean, start >> PAGE_SHIFT,
			     DIV_ROUND_UP(end, PAGE_SIZE) -
			     (start >> PAGE_SHIFT));
}

/**
 * bpio_marker_disarm - no more marker I/O; the result is complete
 * @marker: armed; the I/O on the file has returned, so no bio is in flight
 *
 * Context: may sleep.
 */
void bpio_marker_disarm(struct bpio_marker *marker)
{
	size_t end = marker->used_start;
	unsigned int i;

	if (WARN_ON_ONCE(marker->mode == MARKER_IDLE))
		return;
	WARN_ON_ONCE(atomic_read(&marker->nr_inflight));
	marker_sort(marker);
	if (marker->mode == MARKER_PROBE) {
		for (i = 0; i < marker->nr; i++) {
			marker_forget(marker, end, marker->extents[i].pos);
			end = marker->extents[i].pos +
			      marker->extents[i].length;
		}
		marker_forget(marker, end, marker->used_end);
	}
	marker->mode = MARKER_IDLE;
	atomic_dec(&marker->vol->nr_watched);
	atomic_dec(&marker->vol->nr_markers);
	if (marker->token)
		bpio_token_put(marker->token);
	marker->token = NULL;
}
EXPORT_SYMBOL_GPL(bpio_marker_disarm);

/**
 * bpio_marker_extents - what was found, or copied
 * @marker: disarmed
 * @extents: out: valid until the marker is armed or given back
 *
 * Probe: where the data lies; the last one may go beyond the end of the file,
 * up to the end of its block.  Copy: what was copied, and nothing else; only
 * what lies here is known not to hold the marker.
 *
 * Return: number of extents; ascending by pos, contiguous neighbours joined.
 */
unsigned int bpio_marker_extents(const struct bpio_marker *marker,
				 const struct bpio_extent **extents)
{
	*extents = marker->extents;
	return marker->nr;
}
EXPORT_SYMBOL_GPL(bpio_marker_extents);

/**
 * bpio_marker_gap_is_zero - did the file system read zeros into a gap
 * @marker: probe, disarmed
 * @offset: bytes into the marker
 * @length: bytes, within what was read and covered by no extent
 *
 * Return: true for a hole, an unwritten range, or literal zeros.
 */
bool bpio_marker_gap_is_zero(const struct bpio_marker *marker, size_t offset,
			     size_t length)
{
	const size_t end = offset + length;
	size_t part;

	for (; offset < end; offset += part) {
		part = in_folio(marker, offset, end - offset);
		if (memchr_inv(marker_at(marker, offset), 0, part))
			return false;
	}
	return true;
}
EXPORT_SYMBOL_GPL(bpio_marker_gap_is_zero);

/**
 * bpio_marker_gap_read - the literal data that the file system put into a gap
 * @marker: probe, disarmed
 * @offset: bytes into the marker
 * @buffer: out: the data, all of it zero when the call fails
 * @length: bytes, within what was read and covered by no extent
 *
 * Return: 0; -EIO when a block still holds the pattern: the file system said
 * that it read it, but did not.  (One byte of data in a block of its own is
 * taken for the pattern once in 256 times: read the file then.)
 */
int bpio_marker_gap_read(const struct bpio_marker *marker, size_t offset,
			 void *buffer, size_t length)
{
	size_t at, end = offset + length, n;

	for (at = offset; at < end; at += n) {
		n = min(end, round_down(at, SECTOR_SIZE) + SECTOR_SIZE) - at;
		if (marker_untouched(marker, at, n)) {
			memset(buffer, 0, length);
			return -EIO;
		}
		memcpy(buffer + (at - offset), marker_at(marker, at), n);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(bpio_marker_gap_read);

/**
 * bpio_marker_status - why a copy failed
 * @marker: disarmed
 *
 * Return: NTSTATUS of the failed copy with the lowest position, or
 * STATUS_SUCCESS when none failed.  A write that found the source suspended
 * (-EAGAIN) counts as none.
 */
s32 bpio_marker_status(const struct bpio_marker *marker)
{
	return marker->status;
}
EXPORT_SYMBOL_GPL(bpio_marker_status);

/* ---- map() --------------------------------------------------------------- */

static blk_status_t marker_record(struct bpio_marker *marker, u64 pos,
				  u64 length, sector_t sector)
{
	struct bpio_extent extent = {
		.pos = pos,
		.length = length,
		.sector = sector,
	};
	blk_status_t status = BLK_STS_OK;

	spin_lock(&marker->lock);
	if (marker->nr &&
	    extent_follows(&marker->extents[marker->nr - 1], &extent))
		marker->extents[marker->nr - 1].length += length;
	else if (marker->nr < marker->max)
		marker->extents[marker->nr++] = extent;
	else	/* only when the file system sends a part twice */
		status = BLK_STS_RESOURCE;
	spin_unlock(&marker->lock);
	return status;
}

/*
 * A copy has ended, from its work.  What is not recorded counts as a gap, so
 * a lack of room is safe here.
 */
void dm_bpio_marker_copied(struct bpio_marker *marker, u64 pos, u64 length,
			   sector_t sector, s32 status)
{
	if (!status) {
		marker_record(marker, pos, length, sector);
	} else {
		spin_lock(&marker->lock);
		if (pos < marker->status_pos) {
			marker->status_pos = pos;
			marker->status = status;
		}
		spin_unlock(&marker->lock);
	}
	atomic_dec(&marker->nr_inflight);
}

/*
 * Is the payload of a bio a marker?  Return: the marker and its position; NULL
 * for none; -EIO when only a part is, or the parts are not in a row.
 *
 * The marker does not go away: a bio in flight that carries its memory is part
 * of I/O by the marker's user.
 */
static struct bpio_marker *marker_of(struct dm_bpio_volume *vol,
				     struct bio *bio, u64 *pos)
{
	struct bpio_marker *marker, *found = NULL;
	struct marker_folio *folio;
	bool first = true;
	struct bvec_iter iter;
	struct bio_vec bvec;
	u64 at, next = 0;

	bio_for_each_bvec(bvec, bio, iter) {
		struct page *page = bpio_nth_page(bvec.bv_page,
						  bvec.bv_offset >> PAGE_SHIFT);

		rcu_read_lock();
		folio = xa_load(&vol->markers,
				page_to_pfn(compound_head(page)));
		rcu_read_unlock();
		marker = folio ? folio->marker : NULL;
		if (!first && marker != found)
			return ERR_PTR(-EIO);
		if (marker) {
			at = ((u64)(page_to_pfn(page) -
				    page_to_pfn(folio->page)) << PAGE_SHIFT) +
			     offset_in_page(bvec.bv_offset);
			if (bvec.bv_len > folio_bytes(marker) - at)
				return ERR_PTR(-EIO);
			at += (folio - marker->folios) * folio_bytes(marker);
			if (first)
				*pos = at;
			else if (at != next)
				return ERR_PTR(-EIO);
			next = at + bvec.bv_len;
		}
		found = marker;
		first = false;
	}
	return found;
}

/**
 * dm_bpio_marker_map - look whether a bio is marker I/O, and do it
 * @target: target whose map() got the bio
 * @bio: bio, its sector that of the mapped device
 *
 * Called when target->vol->nr_markers is not 0.
 *
 * Context: map(); does not sleep.
 * Return: DM_MAPIO_REMAPPED: an ordinary bio, the caller remaps it;
 * DM_MAPIO_SUBMITTED: marker I/O, done, failed or on its way.
 */
int dm_bpio_marker_map(struct dm_bpio *target, struct bio *bio)
{
	struct dm_bpio_volume *vol = target->vol;
	sector_t sector = bio->bi_iter.bi_sector;
	struct bpio_marker *marker;
	u64 pos, length = bio->bi_iter.bi_size;

	if (!bio_has_data(bio))
		return DM_MAPIO_REMAPPED;
	marker = marker_of(vol, bio, &pos);
	if (!marker)
		return DM_MAPIO_REMAPPED;
	bio->bi_status = BLK_STS_IOERR;
	if (IS_ERR(marker))
		goto end;

	if (marker->mode == MARKER_PROBE && bio_op(bio) == REQ_OP_READ) {
		bio->bi_status = marker_record(marker, pos, length, sector);
		/* A token that cannot take it says so when it is issued. */
		if (marker->token && !bio->bi_status)
			dm_bpio_token_add(marker->token,
					  marker->token_offset + pos, sector,
					  length >> SECTOR_SHIFT);
	} else if (marker->mode == MARKER_COPY &&
		   bio_op(bio) == REQ_OP_WRITE) {
		atomic_inc(&marker->nr_inflight);
		bio->bi_status = dm_bpio_copy_start(target, bio, marker, pos,
						    marker->token,
						    marker->token_offset + pos);
		if (!bio->bi_status)
			return DM_MAPIO_SUBMITTED;
		atomic_dec(&marker->nr_inflight);
	} else {
		WARN_ON_ONCE(1);
	}
end:
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

/* ---- setup --------------------------------------------------------------- */

/* Prepare what a volume holds of markers; the rest of it is zeroed. */
void dm_bpio_marker_volume_init(struct dm_bpio_volume *vol)
{
	unsigned int fill;

	xa_init(&vol->markers);
	for (fill = 0; fill < BPIO_NR_MARKER_FILLS; fill++)
		INIT_LIST_HEAD(&vol->idle_markers[fill]);
	spin_lock_init(&vol->marker_lock);
	INIT_DELAYED_WORK(&vol->idle_markers_work, idle_markers_work);
}

/* Free the idle markers of a volume that nobody uses any more. */
void dm_bpio_marker_volume_exit(struct dm_bpio_volume *vol)
{
	cancel_delayed_work_sync(&vol->idle_markers_work);
	free_idle_markers(vol);
	WARN_ON_ONCE(!xa_empty(&vol->markers));
	xa_destroy(&vol->markers);
}

/* Return: 0. */
int dm_bpio_marker_init(void)
{
	marker_key = get_random_u64();
	return 0;
}
