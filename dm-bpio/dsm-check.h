/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks, limits and results of the offload actions of data set management;
 * pure, see dsm-check.c.
 */
#ifndef _DM_BPIO_DSM_CHECK_H
#define _DM_BPIO_DSM_CHECK_H

#include <linux/types.h>
#include <linux/bpio.h>
#include "ranges.h"

/**
 * struct bpio_dsm_device - what a request is held against
 * @capable: the device does offloads (DS-4)
 * @sector: logical block, bytes, a power of two
 * @length: size of the device, bytes
 * @ttl_max_ms: longest life of a token, 0: no limit
 */
struct bpio_dsm_device {
	bool capable;
	u32 sector;
	u64 length;
	u32 ttl_max_ms;
};

/**
 * struct bpio_dsm - a request that has been checked
 * @action: DEVICE_DSM_ACTION_*
 * @forward: not for this layer but for the one below; the rest is not set
 * @ranges: in the input buffer
 * @nr_ranges: at least 1
 * @length: their sum, bytes
 * @parameters: in the input buffer, by @action
 */
struct bpio_dsm {
	u32 action;
	bool forward;
	const struct device_dsm_range *ranges;
	unsigned int nr_ranges;
	u64 length;
	const void *parameters;
};

/**
 * struct bpio_dsm_cursor - cuts a list of ranges into commands
 * @ranges: checked, in the order of the list
 * @nr: their number
 * @at: in progress: current range
 * @done: in progress: bytes of that range already handed out
 */
struct bpio_dsm_cursor {
	const struct device_dsm_range *ranges;
	unsigned int nr;
	unsigned int at;
	u64 done;
};

s32 bpio_dsm_check(const struct device_dsm_input *in, u32 input_length,
		   u32 output_length, bool user_mode,
		   const struct bpio_dsm_device *device, struct bpio_dsm *dsm);
unsigned int bpio_dsm_next(struct bpio_dsm_cursor *cursor, u64 max_length,
			   bool disjoint, struct bpio_run *runs,
			   unsigned int max_runs, u64 *length);
u64 bpio_dsm_transfer_size(u64 optimal, u64 maximum, u32 sector);
s32 bpio_dsm_write_room(u64 token_offset, u64 length, u64 token_length);
s32 bpio_dsm_write_result(u64 requested, u64 copied, s32 status,
			  struct storage_offload_write_output *out);
s32 bpio_dsm_check_query(const struct storage_property_query *in,
			 u32 input_length, u32 output_length, bool capable,
			 u32 *information);

#endif /* _DM_BPIO_DSM_CHECK_H */
