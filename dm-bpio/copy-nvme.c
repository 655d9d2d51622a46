// SPDX-License-Identifier: GPL-2.0
/*
 * Copy engine for two ranges of one NVMe namespace: the Copy command (NVM
 * command set, Copy).  Owns what is known of the namespace and the limits of
 * its commands.  Data does not pass through the host.
 *
 * The range structure, the opcode and the fields of Identify that matter here
 * are not in linux/nvme.h of all kernels that we build on, so they are here.
 */
#include <linux/blk-mq.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/nvme.h>
#include <linux/nvme_ioctl.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <bpio/compat.h>
#include "copy.h"

#define NVME_OPCODE_COPY		0x19
#define NVME_COPY_FUA			BIT(30)	/* of CDW12 */
#define NVME_ONCS_COPY			BIT(8)
#define NVME_IDENTIFY_BYTES		4096
#define NVME_ID_CTRL_ONCS_AT		520	/* u16 */
#define NVME_ID_CTRL_OCFS_AT		534	/* u16, formats of Copy */
#define NVME_OCFS_FORMAT_0		BIT(0)
#define NVME_ID_NS_FLBAS_AT		26	/* u8, index of the format in use */
#define NVME_ID_NS_FLBAS_INDEX		0xf
#define NVME_ID_NS_DPS_AT		29	/* u8, end-to-end data protection */
#define NVME_ID_NS_DPS_TYPE		0x7
#define NVME_ID_NS_LBAF_AT		128	/* array of u32, the low half MS */
#define NVME_ID_NS_MSSRL_AT		74	/* u16, blocks */
#define NVME_ID_NS_MCL_AT		76	/* u32, blocks */
#define NVME_ID_NS_MSRC_AT		80	/* u8, ranges, 0's based */

/* A device that failed a Copy is asked again after that. */
#define NVME_REFUSED_SECONDS		180

/* Source range entry, descriptor format 0. */
struct nvme_copy_entry {
	__le64 rsvd0;
	__le64 slba;
	__le16 nlb;		/* 0's based */
	__le16 rsvd18;
	__le32 rsvd20;
	__le32 eilbrt;
	__le16 elbat;
	__le16 elbatm;
};

static_assert(sizeof(struct nvme_copy_entry) == 32);

/**
 * struct nvme_copy_cmd - one command in flight
 * @copy: copy
 * @target: of the namespace
 * @at: where its data lies, bytes into the copy
 * @length: bytes
 * @nr: source ranges
 * @holds: of the source ranges, behind @entry
 * @held: they are held
 * @entry: source ranges
 */
struct nvme_copy_cmd {
	struct dm_bpio_copy *copy;
	struct dm_bpio *target;
	u64 at;
	u64 length;
	unsigned int nr;
	bool held;
	struct dm_bpio_hold *holds;
	struct nvme_copy_entry entry[];
};

/* ---- what the device can do ---------------------------------------------- */

/*
 * Identify, by the one door that leads to the admin queue without private
 * structures: the admin ioctl of the disk.  It takes user memory, so borrow two
 * pages of the current process, which is dmsetup.
 */
static int nvme_identify(struct gendisk *disk, u32 nsid, u32 cns, u8 *data)
{
	struct nvme_passthru_cmd cmd = {
		.opcode = nvme_admin_identify,
		.nsid = nsid,
		.data_len = NVME_IDENTIFY_BYTES,
		.cdw10 = cns,
	};
	unsigned long at;
	int ret = -EFAULT;

	if (!current->mm)
		return -EOPNOTSUPP;
	at = vm_mmap(NULL, 0, NVME_IDENTIFY_BYTES + PAGE_SIZE,
		     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(at))
		return (int)at;
	cmd.addr = at;
	if (!copy_to_user((void __user *)(at + NVME_IDENTIFY_BYTES), &cmd,
			  sizeof(cmd)))
		ret = disk->fops->ioctl(disk->part0, BPIO_BLK_MODE_READ,
					NVME_IOCTL_ADMIN_CMD,
					at + NVME_IDENTIFY_BYTES);
	if (!ret && copy_from_user(data, (void __user *)at,
				   NVME_IDENTIFY_BYTES))
		ret = -EFAULT;
	vm_munmap(at, NVME_IDENTIFY_BYTES + PAGE_SIZE);
	return ret > 0 ? -EIO : ret;
}

/*
 * A namespace with a queue of its own.  The bio-based head of a multipath
 * namespace takes no requests; zones have their own order of writes.
 */
static bool nvme_is_namespace(struct block_device *bdev)
{
	struct gendisk *disk = bdev->bd_disk;
	struct device *parent = disk_to_dev(disk)->parent;

	return parent && parent->class && !strcmp(parent->class->name, "nvme") &&
	       disk->fops->ioctl && queue_is_mq(bdev_get_queue(bdev)) &&
	       !bdev_is_zoned(bdev);
}

/*
 * Metadata and protection information would have to be copied along, by rules
 * of their own.  Asked of the device: a kernel without block integrity has the
 * controller strip and insert them, and knows of none.
 */
static bool nvme_has_metadata(const u8 *id_ns)
{
	const u8 format = id_ns[NVME_ID_NS_FLBAS_AT] & NVME_ID_NS_FLBAS_INDEX;

	return (id_ns[NVME_ID_NS_DPS_AT] & NVME_ID_NS_DPS_TYPE) ||
	       get_unaligned_le16(id_ns + NVME_ID_NS_LBAF_AT + 4 * format);
}

/**
 * dm_bpio_nvme_target_init - learn whether a target's device can copy
 * @target: constructed, its device open
 *
 * Context: process context of dmsetup, with CAP_SYS_ADMIN; sleeps.
 */
void dm_bpio_nvme_target_init(struct dm_bpio *target)
{
	struct block_device *bdev = target->dev->bdev;
	struct gendisk *disk = bdev->bd_disk;
	struct dm_bpio_nvme *nvme = &target->nvme;
	u8 *data;
	int ret;

	if (!nvme_is_namespace(bdev))
		return;
	data = kmalloc(NVME_IDENTIFY_BYTES, GFP_KERNEL);
	if (!data)
		return;
	ret = disk->fops->ioctl(disk->part0, BPIO_BLK_MODE_READ, NVME_IOCTL_ID,
				0);
	if (ret <= 0)
		goto out;
	nvme->nsid = ret;
	if (nvme_identify(disk, 0, NVME_ID_CNS_CTRL, data) ||
	    !(get_unaligned_le16(data + NVME_ID_CTRL_ONCS_AT) &
	      NVME_ONCS_COPY) ||
	    !(get_unaligned_le16(data + NVME_ID_CTRL_OCFS_AT) &
	      NVME_OCFS_FORMAT_0))
		goto out;
	if (nvme_identify(disk, nvme->nsid, NVME_ID_CNS_NS, data) ||
	    nvme_has_metadata(data))
		goto out;
	nvme->limits.mssrl = get_unaligned_le16(data + NVME_ID_NS_MSSRL_AT);
	nvme->limits.mcl = get_unaligned_le32(data + NVME_ID_NS_MCL_AT);
	nvme->limits.msrc = data[NVME_ID_NS_MSRC_AT];
	if (!bpio_copy_limits_sane(&nvme->limits))
		goto out;
	/* Not linked: dm-bpio works, and loads, without an NVMe driver. */
	nvme->init_request = symbol_get(nvme_init_request);
	nvme->capable = nvme->init_request;
out:
	kfree(data);
}

/* Undo dm_bpio_nvme_target_init(), also when it was never called. */
void dm_bpio_nvme_target_exit(struct dm_bpio *target)
{
	if (target->nvme.init_request)
		symbol_put(nvme_init_request);
	target->nvme.init_request = NULL;
	target->nvme.capable = false;
}

/* May @target, which lies on a namespace, be given Copy commands now? */
bool dm_bpio_nvme_usable(struct dm_bpio *target)
{
	unsigned long refused = READ_ONCE(target->nvme.refused_until);

	if (!target->nvme.capable)
		return false;
	if (!refused)
		return true;
	if (!time_after(jiffies, refused))
		return false;
	/* Forgotten, so that it does not come back when jiffies wraps. */
	cmpxchg(&target->nvme.refused_until, refused, 0);
	return true;
}

/* ---- commands ------------------------------------------------------------ */

static s32 nvme_status(blk_status_t status)
{
	/* Invalid Opcode and Invalid Field, among few others */
	if (status == BLK_STS_NOTSUPP)
		return STATUS_NOT_SUPPORTED;
	return status ? bpio_status_from_errno(blk_status_to_errno(status)) :
			STATUS_SUCCESS;
}

/*
 * Is that the device's word on the command?  It may say that it has no Copy,
 * or has none of this size: a table's copy_limits may be beyond its own, and
 * the block layer turns Command Size Limit Exceeded into an I/O error.
 */
static bool nvme_refused(blk_status_t status)
{
	return status == BLK_STS_NOTSUPP || status == BLK_STS_TARGET ||
	       status == BLK_STS_IOERR;
}

/*
 * Is another engine worth a try?  After a reset, say, of the controller, whose
 * commands the block layer repeats only when they are its own.  Not after a
 * block that cannot be read: it cannot be read by another engine either.
 */
static bool nvme_may_be_retried(blk_status_t status)
{
	switch (status) {
	case BLK_STS_OK:
	case BLK_STS_RESOURCE:
	case BLK_STS_DEV_RESOURCE:
	case BLK_STS_AGAIN:
	case BLK_STS_MEDIUM:
		return false;
	default:
		return true;
	}
}

static void nvme_copy_end(struct nvme_copy_cmd *cmd, blk_status_t status)
{
	struct dm_bpio_copy *copy = cmd->copy;
	u64 at = cmd->at, length = cmd->length;

	if (nvme_refused(status))
		WRITE_ONCE(cmd->target->nvme.refused_until,
			   (jiffies + NVME_REFUSED_SECONDS * HZ) | 1);
	if (nvme_may_be_retried(status))
		WRITE_ONCE(copy->nvme_failed, true);
	/* The command passes all of the token's pieces by: no hold has one. */
	if (cmd->held)
		dm_bpio_token_drop_data(copy->token, cmd->holds, cmd->nr);
	kfree(cmd);
	dm_bpio_copy_end(copy, &dm_bpio_engine_nvme, nvme_status(status), at,
			 length);
}

static BPIO_RQ_END_IO(nvme_copy_done, rq, status)
{
	struct nvme_copy_cmd *cmd = rq->end_io_data;

	blk_mq_free_request(rq);
	nvme_copy_end(cmd, status);
	return RQ_END_IO_NONE;
}

/* Submit one Copy; @cmd->entry is filled. */
static void nvme_copy_submit(struct nvme_copy_cmd *cmd, u64 dest_lba)
{
	struct block_device *bdev = cmd->target->dev->bdev;
	struct request_queue *q = bdev_get_queue(bdev);
	struct dm_bpio_copy *copy = cmd->copy;
	struct nvme_command c = { };
	u64 at = cmd->at;
	struct request *rq;
	u32 cdw12;
	s32 status;
	int ret;

	c.common.opcode = NVME_OPCODE_COPY;
	c.common.nsid = cpu_to_le32(cmd->target->nvme.nsid);
	c.common.cdw10 = cpu_to_le32(lower_32_bits(dest_lba));
	c.common.cdw11 = cpu_to_le32(upper_32_bits(dest_lba));
	cdw12 = cmd->nr - 1;
	if (copy->fua)
		cdw12 |= NVME_COPY_FUA;
	c.common.cdw12 = cpu_to_le32(cdw12);

	rq = blk_mq_alloc_request(q, REQ_OP_DRV_OUT, 0);
	if (IS_ERR(rq)) {
		nvme_copy_end(cmd, errno_to_blk_status(PTR_ERR(rq)));
		return;
	}
	cmd->target->nvme.init_request(rq, &c);
	status = dm_bpio_copy_hold(copy, cmd->holds, cmd->nr);
	if (status) {
		blk_mq_free_request(rq);
		kfree(cmd);
		dm_bpio_copy_end(copy, &dm_bpio_engine_nvme, status, at, 0);
		return;
	}
	cmd->held = true;
	/* An allocation that starts no I/O does not wait for any. */
	ret = bpio_blk_rq_map_kern(rq, cmd->entry,
				   cmd->nr * sizeof(cmd->entry[0]), GFP_NOIO);
	if (ret) {
		blk_mq_free_request(rq);
		nvme_copy_end(cmd, errno_to_blk_status(ret));
		return;
	}
	rq->end_io = nvme_copy_done;
	rq->end_io_data = cmd;
	blk_execute_rq_nowait(rq, false);
}

static sector_t nvme_sector(const struct dm_bpio_leaf *leaf)
{
	/* Commands go to the namespace, whose partitions they do not know. */
	return leaf->bdev->bd_start_sect + leaf->sector;
}

static unsigned int nvme_lba_shift(const struct dm_bpio_leaf *leaf)
{
	return ilog2(bdev_logical_block_size(leaf->bdev)) - SECTOR_SHIFT;
}

/* Return: a command for @nr source ranges, or NULL. */
static struct nvme_copy_cmd *nvme_cmd_alloc(unsigned int nr)
{
	struct nvme_copy_cmd *cmd;
	size_t entries = struct_size(cmd, entry, nr);

	cmd = kzalloc(entries + nr * sizeof(cmd->holds[0]), GFP_NOIO);
	if (cmd)
		cmd->holds = (void *)cmd + entries;
	return cmd;
}

/* Source range @i of a command is @run, in blocks of 1 << @shift sectors. */
static void nvme_cmd_add(struct nvme_copy_cmd *cmd, unsigned int i,
			 const struct bpio_lba_run *run, unsigned int shift)
{
	struct bpio_range_holder *range = &cmd->holds[i].range;

	cmd->entry[i].slba = cpu_to_le64(run->lba);
	cmd->entry[i].nlb = cpu_to_le16(run->nr_lbas - 1);
	range->start = (run->lba << shift) + run->to_volume;
	range->last = range->start + (run->nr_lbas << shift) - 1;
}

/* Cut the gathered runs into commands and submit them. */
static void nvme_flush(struct dm_bpio_copy *copy)
{
	struct dm_bpio_nvme_batch *batch = &copy->nvme;
	struct bpio_copy_split split = {
		.runs = batch->runs,
		.nr_runs = batch->nr,
	};
	unsigned int shift, nr, i;
	u64 lba, at = batch->at;

	if (!batch->nr)
		return;
	shift = nvme_lba_shift(&batch->dst);
	lba = nvme_sector(&batch->dst) >> shift;
	while ((nr = bpio_copy_split_next(&split, &batch->dst.limits,
					  batch->cmd, ARRAY_SIZE(batch->cmd)))) {
		struct nvme_copy_cmd *cmd;
		u64 nr_lbas = 0, length;

		for (i = 0; i < nr; i++)
			nr_lbas += batch->cmd[i].nr_lbas;
		length = nr_lbas << (shift + SECTOR_SHIFT);
		if (!dm_bpio_copy_begin(copy, at, length))
			break;
		cmd = nvme_cmd_alloc(nr);
		if (!cmd) {
			dm_bpio_copy_end(copy, &dm_bpio_engine_nvme,
					 STATUS_INSUFFICIENT_RESOURCES, at, 0);
			break;
		}
		cmd->copy = copy;
		cmd->target = batch->dst.target;
		cmd->at = at;
		cmd->length = length;
		cmd->nr = nr;
		for (i = 0; i < nr; i++)
			nvme_cmd_add(cmd, i, &batch->cmd[i], shift);
		nvme_copy_submit(cmd, lba);
		lba += nr_lbas;
		at += length;
	}
	batch->nr = 0;
	batch->nr_sectors = 0;
}

static bool nvme_can(const struct dm_bpio_copy *copy,
		     const struct dm_bpio_leaf *src,
		     const struct dm_bpio_leaf *dst)
{
	u32 block = bdev_logical_block_size(dst->bdev);
	sector_t nr = min(src->nr_sectors, dst->nr_sectors);

	return src->may_nvme && dst->may_nvme &&
	       src->bdev->bd_disk == dst->bdev->bd_disk &&
	       dm_bpio_nvme_usable(dst->target) &&
	       bpio_is_aligned((nvme_sector(src) | nvme_sector(dst) | nr) <<
			       SECTOR_SHIFT, block);
}

/* Gather: a command takes several source ranges for one destination range. */
static sector_t nvme_copy(struct dm_bpio_copy *copy, u64 at,
			  const struct dm_bpio_place *place,
			  const struct dm_bpio_leaf *src,
			  const struct dm_bpio_leaf *dst, sector_t nr_sectors)
{
	struct dm_bpio_nvme_batch *batch = &copy->nvme;
	unsigned int shift = nvme_lba_shift(dst);

	if (batch->nr &&
	    (batch->nr == ARRAY_SIZE(batch->runs) ||
	     batch->dst.target != dst->target ||
	     batch->at + ((u64)batch->nr_sectors << SECTOR_SHIFT) != at ||
	     nvme_sector(&batch->dst) + batch->nr_sectors != nvme_sector(dst)))
		nvme_flush(copy);
	if (!batch->nr) {
		batch->dst = *dst;
		batch->at = at;
	}
	batch->runs[batch->nr].lba = nvme_sector(src) >> shift;
	batch->runs[batch->nr].nr_lbas = nr_sectors >> shift;
	batch->runs[batch->nr].to_volume = place->run.source - nvme_sector(src);
	batch->nr++;
	batch->nr_sectors += nr_sectors;
	return nr_sectors;
}

const struct dm_bpio_copy_engine dm_bpio_engine_nvme = {
	.name = "nvme",
	.stat = BPIO_STAT_BYTES_NVME,
	.can = nvme_can,
	.copy = nvme_copy,
	.flush = nvme_flush,
};
