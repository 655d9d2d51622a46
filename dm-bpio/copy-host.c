// SPDX-License-Identifier: GPL-2.0
/*
 * Copy engine that serves any pair of devices: reads into memory and writes
 * from it, on the devices directly below the two targets.  Its name in table
 * and status lines is "kcopyd".
 *
 * dm-kcopyd would do the same, but does not say when it has read.  Here a
 * command stops to hold its source once the data is in memory, so that a write
 * to the source never waits for the destination's device.
 */
#include <linux/blkdev.h>
#include <linux/ktime.h>
#include <linux/mempool.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "copy.h"

/* Bytes of one command, when memory allows: what a deadline may be late by. */
#define HOST_MAX_ORDER		get_order(SZ_256K)
/* Commands for which there is always memory. */
#define HOST_POOL_MIN		4

static unsigned int copy_throttle = 100;
module_param(copy_throttle, uint, 0644);
MODULE_PARM_DESC(copy_throttle,
		 "Percentage of time that a copy by the host may take (1 to 100)");

/**
 * struct host_cmd - one command in flight
 * @copy: copy
 * @at: where its data lies, bytes into the copy
 * @length: bytes
 * @dst: device to write to
 * @dst_sector: first sector there
 * @hold: of the source, until it has been read
 * @page: memory, of @order
 * @order: of @page; 0: from host_pages
 * @status: of the read
 * @work: writes
 * @bio: reads, then writes
 * @bvec: of @bio
 */
struct host_cmd {
	struct dm_bpio_copy *copy;
	u64 at;
	u64 length;
	struct block_device *dst;
	sector_t dst_sector;
	struct dm_bpio_hold hold;
	struct page *page;
	unsigned int order;
	blk_status_t status;
	struct work_struct work;
	struct bio bio;
	struct bio_vec bvec;
};

static struct workqueue_struct *host_wq;
static mempool_t *host_cmds;
static mempool_t *host_pages;

/* ---- memory -------------------------------------------------------------- */

/*
 * Sleeps until fewer than DM_BPIO_HOST_MAX_INFLIGHT commands write to the
 * volume.  Return: a command for @length bytes at most.
 */
static struct host_cmd *host_cmd_alloc(struct dm_bpio_copy *copy, u64 length)
{
	struct host_cmd *cmd;

	down(&copy->vol->host_room);
	cmd = mempool_alloc(host_cmds, GFP_NOIO);
	cmd->copy = copy;
	cmd->order = min_t(u64, get_order(length), HOST_MAX_ORDER);
	for (; cmd->order; cmd->order--) {
		cmd->page = alloc_pages(GFP_NOIO | __GFP_COMP | __GFP_NORETRY |
					__GFP_NOWARN, cmd->order);
		if (cmd->page)
			break;
	}
	if (!cmd->order)
		cmd->page = mempool_alloc(host_pages, GFP_NOIO);
	cmd->length = min_t(u64, length, PAGE_SIZE << cmd->order);
	return cmd;
}

static void host_cmd_free(struct host_cmd *cmd)
{
	struct semaphore *room = &cmd->copy->vol->host_room;

	if (cmd->order)
		__free_pages(cmd->page, cmd->order);
	else
		mempool_free(cmd->page, host_pages);
	mempool_free(cmd, host_cmds);
	up(room);
}

/* ---- commands ------------------------------------------------------------ */

static void host_cmd_end(struct host_cmd *cmd, s32 status)
{
	struct dm_bpio_copy *copy = cmd->copy;
	u64 at = cmd->at, length = cmd->length;

	host_cmd_free(cmd);
	dm_bpio_copy_end(copy, &dm_bpio_engine_host, status, at, length);
}

static s32 host_status(blk_status_t status)
{
	return status ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static void host_submit(struct host_cmd *cmd, struct block_device *bdev,
			sector_t sector, blk_opf_t opf, bio_end_io_t *end_io)
{
	bio_init(&cmd->bio, bdev, &cmd->bvec, 1, opf);
	cmd->bio.bi_iter.bi_sector = sector;
	cmd->bio.bi_private = cmd;
	cmd->bio.bi_end_io = end_io;
	__bio_add_page(&cmd->bio, cmd->page, cmd->length, 0);
	submit_bio(&cmd->bio);
}

static void host_written(struct bio *bio)
{
	blk_status_t status = bio->bi_status;
	struct host_cmd *cmd = bio->bi_private;

	bio_uninit(bio);
	host_cmd_end(cmd, host_status(status));
}

static void host_write(struct work_struct *work)
{
	struct host_cmd *cmd = container_of(work, struct host_cmd, work);

	if (cmd->hold.piece)
		dm_bpio_token_drop_data(cmd->copy->token, &cmd->hold, 1);
	if (cmd->status)
		host_cmd_end(cmd, host_status(cmd->status));
	else
		host_submit(cmd, cmd->dst, cmd->dst_sector, REQ_OP_WRITE,
			    host_written);
}

static void host_read(struct bio *bio)
{
	struct host_cmd *cmd = bio->bi_private;

	cmd->status = bio->bi_status;
	bio_uninit(bio);
	/* Not in hard interrupt for a piece: host_write() does. */
	if (!cmd->hold.piece)
		dm_bpio_token_drop_data(cmd->copy->token, &cmd->hold, 1);
	queue_work(host_wq, &cmd->work);
}

/* ---- the engine ---------------------------------------------------------- */

static bool host_can(const struct dm_bpio_copy *copy,
		     const struct dm_bpio_leaf *src,
		     const struct dm_bpio_leaf *dst)
{
	return src->may_kcopyd && dst->may_kcopyd;
}

/* A share of the time: one command after the other, and a pause after each. */
static void host_pace(struct dm_bpio_copy *copy, ktime_t start)
{
	unsigned int share = clamp(READ_ONCE(copy_throttle), 1U, 100U);
	u64 pause_us;

	if (share == 100)
		return;
	dm_bpio_copy_wait(copy);
	pause_us = ktime_us_delta(ktime_get(), start) * (100 - share) / share;
	schedule_timeout_killable(usecs_to_jiffies(min_t(u64, pause_us,
							 USEC_PER_SEC)));
}

static sector_t host_copy(struct dm_bpio_copy *copy, u64 at,
			  const struct dm_bpio_place *place,
			  const struct dm_bpio_leaf *src,
			  const struct dm_bpio_leaf *dst, sector_t nr_sectors)
{
	struct host_cmd *cmd =
		host_cmd_alloc(copy, (u64)nr_sectors << SECTOR_SHIFT);
	ktime_t start = ktime_get();
	s32 status;

	nr_sectors = cmd->length >> SECTOR_SHIFT;
	if (!dm_bpio_copy_begin(copy, at, cmd->length)) {
		host_cmd_free(cmd);
		return nr_sectors;
	}
	if (copy->fua)
		copy->need_flush = true;
	cmd->at = at;
	cmd->dst = dst->bdev;
	cmd->dst_sector = dst->sector;
	INIT_WORK(&cmd->work, host_write);
	dm_bpio_hold_init(&cmd->hold, place, nr_sectors);
	status = dm_bpio_copy_hold(copy, &cmd->hold, 1);
	if (status)
		host_cmd_end(cmd, status);
	else
		host_submit(cmd, src->bdev, src->sector, REQ_OP_READ,
			    host_read);
	host_pace(copy, start);
	return nr_sectors;
}

const struct dm_bpio_copy_engine dm_bpio_engine_host = {
	.name = "kcopyd",
	.stat = BPIO_STAT_BYTES_KCOPYD,
	.can = host_can,
	.copy = host_copy,
};

/* Return: 0 or -ENOMEM. */
int dm_bpio_copy_host_init(void)
{
	host_wq = alloc_workqueue("bpio_copy_host", WQ_MEM_RECLAIM, 0);
	if (!host_wq)
		return -ENOMEM;
	host_cmds = mempool_create_kmalloc_pool(HOST_POOL_MIN,
						sizeof(struct host_cmd));
	if (!host_cmds)
		goto destroy_wq;
	host_pages = mempool_create_page_pool(HOST_POOL_MIN, 0);
	if (!host_pages)
		goto destroy_cmds;
	return 0;

destroy_cmds:
	mempool_destroy(host_cmds);
destroy_wq:
	destroy_workqueue(host_wq);
	return -ENOMEM;
}

/* No copy is left. */
void dm_bpio_copy_host_exit(void)
{
	destroy_workqueue(host_wq);
	mempool_destroy(host_pages);
	mempool_destroy(host_cmds);
}
