// SPDX-License-Identifier: GPL-2.0
/*
 * Where the next data of a lower file begins, also where its file system does
 * not know.
 *
 * In XFS before Linux 6.9 blocks that are reserved for copies on write, and
 * cover a hole, make SEEK_DATA pass over data behind that hole.  Who takes the
 * answer for a hole loses data.  XFS knows its extents all the same: FIEMAP
 * counts them, and from within an extent SEEK_DATA is right.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <bpio/compat.h>
#include "bpiofs.h"

/* Return: extents that lie in the range, in part at least, or an errno. */
static long count_extents(struct inode *lower, loff_t from, loff_t to)
{
	struct fiemap_extent_info info = {};
	int ret;

	ret = lower->i_op->fiemap(lower, &info, from, to - from);
	return ret ?: info.fi_extents_mapped;
}

/*
 * The block that the @nth extent from @from on begins in; @from itself when it
 * is the first one that covers it.  Return: @to when it begins later, or an
 * errno.
 */
static loff_t find_extent(struct inode *lower, loff_t from, loff_t to, long nth)
{
	const unsigned int shift = lower->i_blkbits;
	loff_t low = from >> shift;
	loff_t high = (to + i_blocksize(lower) - 1) >> shift;
	long nr;

	nr = count_extents(lower, from, to);
	if (nr < 0)
		return nr;
	if (nr < nth)
		return to;
	/* fewer up to @low, as many up to @high */
	while (high - low > 1) {
		const loff_t mid = low + (high - low) / 2;

		nr = count_extents(lower, from, mid << shift);
		if (nr < 0)
			return nr;
		if (nr < nth)
			low = mid;
		else
			high = mid;
	}
	return max(low << shift, from);
}

/**
 * bpiofs_seek_data - lseek(SEEK_DATA) of a lower file
 * @lower: its position is changed
 * @pos: byte to begin at
 *
 * Context: process context, may sleep; lower i_rwsem not held.
 * Return: first byte of data at or after @pos; -ENXIO: there is none; another
 * negative errno.
 */
loff_t bpiofs_seek_data(struct file *lower, loff_t pos)
{
	struct inode *inode = file_inode(lower);
	const loff_t found = vfs_llseek(lower, pos, SEEK_DATA);
	const loff_t end = found == -ENXIO ? i_size_read(inode) : found;
	loff_t at, next, data;

	if (!BPIO_XFS_SEEK_PASSES_DATA || pos < 0 || end <= pos ||
	    strcmp(inode->i_sb->s_type->name, "xfs"))
		return found;
	for (at = find_extent(inode, pos, end, 1); at < end; at = next) {
		if (at < 0)
			return at;
		next = find_extent(inode, at, end, 2);
		if (next < 0)
			return next;
		data = vfs_llseek(lower, at, SEEK_DATA);
		if (data >= 0 && data < next)
			return data;
		/* unwritten, and nothing of it in the page cache */
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return found;
}
