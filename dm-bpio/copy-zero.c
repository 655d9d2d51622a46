// SPDX-License-Identifier: GPL-2.0
/*
 * Copy engine for what has no source: zero tokens, and the zero ranges of a
 * token (holes and unwritten parts).  Knows no command: the block layer picks
 * Write Zeroes, or zero pages where a device has none.
 */
#include <linux/sizes.h>
#include "copy.h"

/* A call does not return before it is done: what a deadline may be late by. */
#define ZERO_MAX_SECTORS	(SZ_32M >> SECTOR_SHIFT)

static sector_t zero_copy(struct dm_bpio_copy *copy, u64 at,
			  const struct dm_bpio_place *place,
			  const struct dm_bpio_leaf *src,
			  const struct dm_bpio_leaf *dst, sector_t nr_sectors)
{
	sector_t nr = min_t(sector_t, nr_sectors, ZERO_MAX_SECTORS);
	u64 length = (u64)nr << SECTOR_SHIFT;
	int ret;

	if (!dm_bpio_copy_begin(copy, at, length))
		return nr;
	if (copy->fua)
		copy->need_flush = true;
	ret = blkdev_issue_zeroout(dst->bdev, dst->sector, nr,
				   GFP_NOIO, BLKDEV_ZERO_NOUNMAP);
	dm_bpio_copy_end(copy, &dm_bpio_engine_zero,
			 ret ? bpio_status_from_errno(ret) : STATUS_SUCCESS,
			 at, length);
	return nr;
}

const struct dm_bpio_copy_engine dm_bpio_engine_zero = {
	.name = "zero",
	.stat = BPIO_STAT_BYTES_ZERO,
	.copy = zero_copy,
};
