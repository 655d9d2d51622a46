// SPDX-License-Identifier: GPL-2.0
/*
 * Copy engine that serves any pair of devices: dm-kcopyd reads and writes,
 * on the devices directly below the two targets.
 */
#include <linux/dm-io.h>
#include <linux/dm-kcopyd.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "copy.h"

/* Of one call, of which many are in flight: what a deadline may be late by. */
#define KCOPYD_MAX_SECTORS	(SZ_1M >> SECTOR_SHIFT)

DECLARE_DM_KCOPYD_THROTTLE_WITH_MODULE_PARM(copy_throttle,
					    "Percentage of time for copies");

static struct dm_kcopyd_client *kcopyd_client;

struct kcopyd_cmd {
	struct dm_bpio_copy *copy;
	u64 at;
	u64 length;
};

static void kcopyd_done(int read_err, unsigned long write_err, void *context)
{
	struct kcopyd_cmd *cmd = context;
	struct dm_bpio_copy *copy = cmd->copy;
	u64 at = cmd->at, length = cmd->length;

	kfree(cmd);
	/* One bit per destination; neither says more than "failed". */
	dm_bpio_copy_end(copy, &dm_bpio_engine_kcopyd,
			 read_err || write_err ? STATUS_UNSUCCESSFUL :
						 STATUS_SUCCESS,
			 at, length);
}

static bool kcopyd_can(const struct dm_bpio_copy *copy,
		       const struct dm_bpio_leaf *src,
		       const struct dm_bpio_leaf *dst)
{
	return src->may_kcopyd && dst->may_kcopyd;
}

static void kcopyd_copy(struct dm_bpio_copy *copy, u64 at,
			const struct dm_bpio_leaf *src,
			const struct dm_bpio_leaf *dst, sector_t nr_sectors)
{
	struct dm_io_region from = {
		.bdev = src->bdev,
		.sector = src->sector,
		.count = nr_sectors,
	};
	struct dm_io_region to = {
		.bdev = dst->bdev,
		.sector = dst->sector,
		.count = nr_sectors,
	};
	u64 length = (u64)nr_sectors << SECTOR_SHIFT;
	struct kcopyd_cmd *cmd;

	if (!dm_bpio_copy_begin(copy, at, length))
		return;
	cmd = kmalloc(sizeof(*cmd), GFP_NOIO);
	if (!cmd) {
		dm_bpio_copy_end(copy, &dm_bpio_engine_kcopyd,
				 STATUS_INSUFFICIENT_RESOURCES, at, 0);
		return;
	}
	cmd->copy = copy;
	cmd->at = at;
	cmd->length = length;
	if (copy->fua)
		copy->need_flush = true;
	dm_kcopyd_copy(kcopyd_client, &from, 1, &to, 0, kcopyd_done, cmd);
}

const struct dm_bpio_copy_engine dm_bpio_engine_kcopyd = {
	.name = "kcopyd",
	.stat = BPIO_STAT_BYTES_KCOPYD,
	.can = kcopyd_can,
	.max_sectors = KCOPYD_MAX_SECTORS,
	.copy = kcopyd_copy,
};

/* Return: 0 or a negative errno. */
int dm_bpio_kcopyd_init(void)
{
	kcopyd_client = dm_kcopyd_client_create(&dm_kcopyd_throttle);
	return PTR_ERR_OR_ZERO(kcopyd_client);
}

void dm_bpio_kcopyd_exit(void)
{
	dm_kcopyd_client_destroy(kcopyd_client);
}
