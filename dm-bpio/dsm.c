// SPDX-License-Identifier: GPL-2.0
/*
 * Data set management and properties on /dev/bpio: offload reads and writes of
 * ranges of a device itself (protocol section 10), and the copy offload
 * descriptor (3.5).  It refuses to know what a file system has on the device:
 * a write by this road is a write to the raw device, kept coherent with the
 * device's page cache and with nothing else.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <bpio/carrier.h>
#include <bpio/compat.h>
#include <bpio/token.h>
#include "copy.h"
#include "dsm-check.h"

/* DS-15, CE-10: 4 seconds, "configurable upward only". */
#define DSM_TIMEOUT_MIN_MS	4000
#define DSM_TIMEOUT_MAX_MS	(24 * 3600 * 1000)
/* A write that comes in between kills a token before it is issued. */
#define DSM_MINT_TRIES		3

static unsigned int offload_timeout_ms = DSM_TIMEOUT_MIN_MS;

static int offload_timeout_set(const char *value,
			       const struct kernel_param *param)
{
	return param_set_uint_minmax(value, param, DSM_TIMEOUT_MIN_MS,
				     DSM_TIMEOUT_MAX_MS);
}

static const struct kernel_param_ops offload_timeout_ops = {
	.set = offload_timeout_set,
	.get = param_get_uint,
};

module_param_cb(offload_timeout_ms, &offload_timeout_ops, &offload_timeout_ms,
		0644);
MODULE_PARM_DESC(offload_timeout_ms,
		 "An OffloadWrite stops after that many ms, at least 4000");

/* What is asked about, or of, an open block device. */
struct dsm_target {
	struct address_space *mapping;
	struct block_device *bdev;
	struct dm_bpio_volume *vol;	/* held; NULL: no ``bpio`` */
	struct dm_bpio_rules rules;
	struct bpio_dsm_device device;
};

static void dsm_target_get(struct dsm_target *target, struct file *file)
{
	memset(target, 0, sizeof(*target));
	target->mapping = file->f_mapping;
	target->bdev = I_BDEV(file->f_mapping->host);
	target->vol = dm_bpio_volume_find(target->bdev->bd_dev);
	target->device.capable = target->vol &&
		dm_bpio_volume_rules(target->vol, &target->rules) &&
		target->rules.complete &&
		target->rules.offload != DM_BPIO_OFFLOAD_NONE;
	target->device.sector = bdev_logical_block_size(target->bdev);
	target->device.length = bdev_nr_bytes(target->bdev);
	target->device.ttl_max_ms = target->rules.ttl_max_ms;
}

static void dsm_target_put(struct dsm_target *target)
{
	if (target->vol)
		dm_bpio_volume_release(target->vol);
}

/* ---- actions of others --------------------------------------------------- */

static void dsm_forward_below(struct dm_bpio_volume *vol, unsigned int depth)
{
	const struct dm_bpio *target;

	lockdep_assert_held(&dm_bpio_lock);
	bpio_stat_add(&vol->pub, BPIO_STAT_DSM_FORWARDED, 1);
	list_for_each_entry(target, &vol->targets, list) {
		if (!target->lower || depth >= DM_BPIO_MAX_DEPTH)
			continue;
		bpio_stat_add(&target->lower->pub, BPIO_STAT_DSM_ACTIONS, 1);
		dsm_forward_below(target->lower, depth + 1);
	}
}

/*
 * DS-3: what a layer does not know it passes on, so that one below may.  None
 * does: a bpio layer below knows the same actions, and storage drivers of Linux
 * have no such request.  Return: what the last one says.
 */
static s32 dsm_forward(struct dm_bpio_volume *vol)
{
	if (vol) {
		mutex_lock(&dm_bpio_lock);
		dsm_forward_below(vol, 0);
		mutex_unlock(&dm_bpio_lock);
	}
	return STATUS_INVALID_DEVICE_REQUEST;
}

/* ---- page cache of the device -------------------------------------------- */

static loff_t range_last(const struct device_dsm_range *range)
{
	return range->starting_offset + (loff_t)range->length_in_bytes - 1;
}

/* What was written to the device by way of its cache belongs to the data. */
static int dsm_write_back(const struct dsm_target *target,
			  const struct bpio_dsm *dsm)
{
	unsigned int nr = min_t(unsigned int, dsm->nr_ranges,
				BPIO_TOKEN_MAX_RANGES), i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = filemap_write_and_wait_range(target->mapping,
						   dsm->ranges[i].starting_offset,
						   range_last(&dsm->ranges[i]));
	return ret;
}

/*
 * As for a direct write to the device: nobody is to read old data from pages,
 * or to write it back later.  Pages that cannot be dropped are somebody's, a
 * mounted file system's as a rule.
 */
static int dsm_uncache(const struct dsm_target *target,
		       const struct bpio_dsm *dsm, bool write_back)
{
	int ret = 0;
	unsigned int i;

	for (i = 0; i < dsm->nr_ranges && !ret; i++) {
		loff_t start = dsm->ranges[i].starting_offset;
		loff_t last = range_last(&dsm->ranges[i]);

		if (!target->mapping->nrpages)
			break;
		if (write_back)
			ret = filemap_write_and_wait_range(target->mapping,
							   start, last);
		if (!ret)
			ret = invalidate_inode_pages2_range(target->mapping,
							    start >> PAGE_SHIFT,
							    last >> PAGE_SHIFT);
		if (!write_back)
			ret = 0;
		cond_resched();
	}
	return ret;
}

/* ---- OffloadRead --------------------------------------------------------- */

/*
 * Writes that passed map() before a token had its ranges did not kill it: wait
 * for them.  No interface tells when bios of a device have ended, but this one
 * keeps new ones waiting meanwhile, too.
 */
static void dsm_drain(const struct dsm_target *target)
{
	struct mapped_device *md = dm_get_md(target->bdev->bd_dev);

	if (!md)
		return;
	dm_internal_suspend_fast(md);
	dm_internal_resume_fast(md);
	dm_put(md);
}

static s32 dsm_mint(const struct dsm_target *target, const struct bpio_dsm *dsm,
		    u32 ttl_ms, struct bpio_run *runs,
		    struct storage_offload_read_output *out)
{
	struct bpio_dsm_cursor cursor = {
		.ranges = dsm->ranges,
		.nr = dsm->nr_ranges,
	};
	struct bpio_token *token;
	u64 limit, length;
	unsigned int nr, i;
	s32 status;
	int ret;

	ret = dsm_write_back(target, dsm);
	if (ret)
		return bpio_status_from_errno(ret);
	token = bpio_token_begin(&target->vol->pub, ttl_ms, &status);
	if (!token)
		return status;
	limit = bpio_align_down(bpio_token_limit(token),
				target->device.sector);
	if (!limit) {
		bpio_token_abort(token);
		return STATUS_UNSUCCESSFUL;
	}
	nr = bpio_dsm_next(&cursor, limit, false, runs, BPIO_TOKEN_MAX_RANGES,
			   &length);
	for (i = 0; i < nr; i++)	/* the issue tells what failed */
		dm_bpio_token_add(token, runs[i].offset, runs[i].source,
				  runs[i].length >> SECTOR_SHIFT);
	dsm_drain(target);
	status = bpio_token_issue(token, length, &out->token);
	if (status)
		return status;
	out->length_protected = length;
	out->token_length = sizeof(out->token);
	if (length < dsm->length)
		out->offload_read_flags = STORAGE_OFFLOAD_READ_RANGE_TRUNCATED;
	return STATUS_SUCCESS;
}

/* DS-12 to DS-14 */
static s32 dsm_offload_read(const struct dsm_target *target,
			    const struct bpio_dsm *dsm,
			    struct bpio_request *req)
{
	const struct device_dsm_offload_read_parameters *parameters =
		dsm->parameters;
	struct storage_offload_read_output *out = req->output;
	struct bpio_run *runs;
	unsigned int tries;
	s32 status;

	runs = kmalloc_array(BPIO_TOKEN_MAX_RANGES, sizeof(*runs), GFP_KERNEL);
	if (!runs)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (tries = 0; tries < DSM_MINT_TRIES; tries++) {
		status = dsm_mint(target, dsm, parameters->time_to_live, runs,
				  out);
		if (status != STATUS_INVALID_TOKEN ||
		    fatal_signal_pending(current))
			break;
	}
	kfree(runs);
	if (!status)
		req->information = sizeof(*out);
	return status;
}

/* ---- OffloadWrite -------------------------------------------------------- */

/* One storage command after another.  Return: NTSTATUS; *copied in any case. */
static s32 dsm_copy(const struct dsm_target *target, const struct bpio_dsm *dsm,
		    struct bpio_token *token, u64 token_offset,
		    unsigned long deadline, u64 *copied)
{
	u64 size = bpio_dsm_transfer_size(target->rules.optimal_transfer,
					  target->rules.max_transfer,
					  target->device.sector);
	struct bpio_dsm_cursor cursor = {
		.ranges = dsm->ranges,
		.nr = dsm->nr_ranges,
	};
	s32 status = STATUS_SUCCESS;
	struct bpio_run *runs;
	unsigned int nr;
	u64 length;

	runs = kmalloc_array(BPIO_TOKEN_MAX_RANGES, sizeof(*runs), GFP_KERNEL);
	if (!runs)
		return STATUS_INSUFFICIENT_RESOURCES;
	while (!status &&
	       (nr = bpio_dsm_next(&cursor, size, true, runs,
				   BPIO_TOKEN_MAX_RANGES, &length))) {
		u64 want = length, moved = 0;
		s32 fault;

		fault = dm_bpio_offload_write_fault(target->vol, &want);
		want = bpio_align_down(want, target->device.sector);
		if (want)
			status = dm_bpio_copy_ranges(target->vol, runs, nr,
						     want, token,
						     token_offset + *copied,
						     deadline, &moved);
		*copied += moved;
		status = status ?: fault;
		if (!status && moved < length)
			status = STATUS_UNSUCCESSFUL;	/* scripted */
		cond_resched();
	}
	kfree(runs);
	return status;
}

/* DS-18, DS-19: the token.  Return: NTSTATUS; *copied in any case. */
static s32 dsm_redeem(const struct dsm_target *target,
		      const struct bpio_dsm *dsm, unsigned long deadline,
		      u64 *copied)
{
	const struct device_dsm_offload_write_parameters *parameters =
		dsm->parameters;
	u64 token_offset = parameters->token_offset;
	struct bpio_token *token;
	s32 status;
	int ret;

	token = bpio_token_find(&parameters->token, &status);
	if (!token)
		return status;
	if (bpio_token_kind(&parameters->token) == BPIO_TOKEN_ZERO)
		token_offset = 0;
	status = bpio_dsm_write_room(token_offset, dsm->length,
				     bpio_token_length(token));
	if (status)
		goto out;
	ret = dsm_uncache(target, dsm, true);
	if (ret) {
		status = bpio_status_from_errno(ret);
		goto out;
	}
	status = dsm_copy(target, dsm, token, token_offset, deadline, copied);
	/* What was read meanwhile.  A page that stays is its user's affair. */
	dsm_uncache(target, dsm, false);
out:
	bpio_token_put(token);
	return status;
}

/* DS-15 to DS-19 */
static s32 dsm_offload_write(const struct dsm_target *target,
			     const struct bpio_dsm *dsm,
			     struct bpio_request *req)
{
	const unsigned long deadline = jiffies +
		msecs_to_jiffies(READ_ONCE(offload_timeout_ms));
	u64 copied = 0;
	s32 status;

	bpio_stat_add(&target->vol->pub, BPIO_STAT_OFFLOAD_WRITES, 1);
	if (bdev_read_only(target->bdev))
		status = STATUS_MEDIA_WRITE_PROTECTED;
	else
		status = dsm_redeem(target, dsm, deadline, &copied);
	req->information = sizeof(struct storage_offload_write_output);
	return bpio_dsm_write_result(dsm->length, copied, status, req->output);
}

/**
 * dm_bpio_manage_data_set - IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES
 * @file: an open block device; the right to write has been checked
 * @req: the request; status, information and output are filled
 *
 * Context: process; sleeps.
 * Statuses: protocol section 10, in its order; and, once a write has passed the
 * checks, STATUS_MEDIA_WRITE_PROTECTED for a read-only device and
 * STATUS_UNSUCCESSFUL when somebody holds pages of the ranges in the device's
 * cache.
 */
void dm_bpio_manage_data_set(struct file *file, struct bpio_request *req)
{
	struct dsm_target target;
	struct bpio_dsm dsm;

	dsm_target_get(&target, file);
	if (target.vol)
		bpio_stat_add(&target.vol->pub, BPIO_STAT_DSM_ACTIONS, 1);
	req->status = bpio_dsm_check(req->input, req->input_length,
				     req->output_length, !req->kernel_mode,
				     &target.device, &dsm);
	if (!req->status && dsm.forward)
		req->status = dsm_forward(target.vol);
	else if (!req->status && dsm.action == DEVICE_DSM_ACTION_OFFLOAD_READ)
		req->status = dsm_offload_read(&target, &dsm, req);
	else if (!req->status)
		req->status = dsm_offload_write(&target, &dsm, req);
	dsm_target_put(&target);
}

/* ---- the descriptor ------------------------------------------------------ */

/* Whole seconds that may be asked for; a shorter life shows as one. */
static u32 dsm_seconds(u32 ms)
{
	return max(ms / 1000, 1U);
}

static void dsm_describe(const struct dsm_target *target,
			 struct device_copy_offload_descriptor *out)
{
	const struct dm_bpio_rules *rules = &target->rules;
	const u32 sector = target->device.sector;
	/* No token stands for more than there is, limit or not. */
	const u64 maximum = rules->max_transfer ?: target->device.length;

	out->version = sizeof(*out);
	out->size = sizeof(*out);
	out->maximum_token_lifetime = dsm_seconds(rules->ttl_max_ms);
	out->default_token_lifetime = dsm_seconds(rules->ttl_ms);
	out->maximum_transfer_size = maximum;
	out->optimal_transfer_count = rules->optimal_transfer;
	out->maximum_data_descriptors = BPIO_TOKEN_MAX_RANGES;
	out->maximum_transfer_length_per_descriptor =
		min_t(u64, maximum / sector, U32_MAX);
	out->optimal_transfer_length_per_descriptor =
		min_t(u64, rules->optimal_transfer / sector, U32_MAX);
	out->optimal_transfer_length_granularity =
		min_t(u32, bdev_physical_block_size(target->bdev) / sector,
		      U16_MAX);
}

/**
 * dm_bpio_query_property - IOCTL_STORAGE_QUERY_PROPERTY
 * @file: an open block device
 * @req: the request; status, information and output are filled
 *
 * Context: process; sleeps.
 * Statuses: protocol 3.5; STATUS_INFO_LENGTH_MISMATCH for a query that is cut,
 * STATUS_NOT_SUPPORTED for any other property.
 */
void dm_bpio_query_property(struct file *file, struct bpio_request *req)
{
	struct device_copy_offload_descriptor descriptor = { };
	struct dsm_target target;

	dsm_target_get(&target, file);
	req->status = bpio_dsm_check_query(req->input, req->input_length,
					   req->output_length,
					   target.device.capable,
					   &req->information);
	if (!req->status && req->information) {
		dsm_describe(&target, &descriptor);
		memcpy(req->output, &descriptor, req->information);
	}
	dsm_target_put(&target);
}
