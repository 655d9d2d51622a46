/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks and trimming of ODX requests on files; pure, see offload-check.c.
 */
#ifndef _BPIOFS_OFFLOAD_CHECK_H
#define _BPIOFS_OFFLOAD_CHECK_H

#include <linux/types.h>
#include <linux/bpio.h>

s32 bpiofs_check_offload_read(const struct fsctl_offload_read_input *in,
			      u32 input_length, u32 output_length, u32 sector,
			      u64 file_size);
s32 bpiofs_check_offload_write(const struct fsctl_offload_write_input *in,
			       u32 input_length, u32 output_length, u32 sector,
			       u64 file_size);
s32 bpiofs_trim_offload_read(u64 offset, u64 *length, u32 sector,
			     u64 file_size, u64 vdl, bool *all_zero,
			     bool *no_data);
s32 bpiofs_trim_offload_write(u64 offset, u64 *length, u32 sector,
			      u64 file_size, u64 vdl, bool conflict,
			      u64 max_size);
s32 bpiofs_trim_to_token(u64 transfer_offset, u64 *length, u64 token_length);

#endif /* _BPIOFS_OFFLOAD_CHECK_H */
