// SPDX-License-Identifier: GPL-2.0
/*
 * Brings bpiofs up, part by part, and takes it down in reverse.
 */
#include <linux/module.h>
#include "bpiofs.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init bpiofs_init(void)
{
	int ret;

	ret = bpiofs_inode_cache_init();
	if (ret)
		return ret;
	ret = bpiofs_extent_cache_init();
	if (ret)
		goto out_inode_cache;
	ret = bpiofs_read_init();
	if (ret)
		goto out_extent_cache;
	ret = bpiofs_sysfs_init();
	if (ret)
		goto out_read;
	ret = bpiofs_filters_init();
	if (ret)
		goto out_sysfs;
	ret = register_filesystem(&bpiofs_type);
	if (ret)
		goto out_filters;
	return 0;

out_filters:
	bpiofs_filters_exit();
out_sysfs:
	bpiofs_sysfs_exit();
out_read:
	bpiofs_read_exit();
out_extent_cache:
	bpiofs_extent_cache_exit();
out_inode_cache:
	bpiofs_inode_cache_exit();
	return ret;
}

static void __exit bpiofs_exit(void)
{
	unregister_filesystem(&bpiofs_type);
	bpiofs_filters_exit();
	bpiofs_sysfs_exit();
	bpiofs_read_exit();
	bpiofs_extent_cache_exit();
	bpiofs_inode_cache_exit();
}

module_init(bpiofs_init);
module_exit(bpiofs_exit);

MODULE_DESCRIPTION("Stacking file system with BypassIO and offloaded copies");
MODULE_ALIAS_FS(BPIOFS_NAME);
MODULE_LICENSE("GPL");
