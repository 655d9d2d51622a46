/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What super.c and params.c share about a mount under way.
 */
#ifndef _BPIOFS_MOUNT_H
#define _BPIOFS_MOUNT_H

#include "bpiofs.h"

/**
 * struct bpiofs_mount_options - fs_context.fs_private
 * @params: the options
 * @given: bit per option of params.c that was given
 */
struct bpiofs_mount_options {
	struct bpiofs_params params;
	unsigned long given;
};

int bpiofs_parse_monolithic(struct fs_context *fc, void *data);
bool bpiofs_same_params(const struct bpiofs_mount_options *options,
			const struct bpiofs_params *params, bool remount);
void bpiofs_export_mount(struct super_block *sb);
extern const struct xattr_handler *bpiofs_xattr_handlers[];
void bpiofs_free_params(struct bpiofs_params *params);

#endif /* _BPIOFS_MOUNT_H */
