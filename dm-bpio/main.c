// SPDX-License-Identifier: GPL-2.0
/*
 * dm-bpio: the storage layer of BypassIO and the copy manager of ODX, as the
 * device-mapper target "bpio".  This file brings the parts up in order and
 * takes them down in reverse.
 */
#include <linux/init.h>
#include <linux/module.h>
#include "dm-bpio.h"

static int __init dm_bpio_init(void)
{
	int ret;

	ret = bpio_range_lock_module_init();
	if (ret)
		return ret;
	ret = dm_bpio_volume_init();
	if (ret)
		goto err_range_lock;
	ret = dm_bpio_token_store_init();
	if (ret)
		goto err_volume;
	ret = dm_bpio_marker_init();
	if (ret)
		goto err_token_store;
	ret = dm_bpio_copy_init();
	if (ret)
		goto err_token_store;
	ret = dm_bpio_target_init();
	if (ret)
		goto err_copy;
	ret = dm_bpio_control_init();
	if (ret)
		goto err_target;
	return 0;

err_target:
	dm_bpio_target_exit();
err_copy:
	dm_bpio_copy_exit();
err_token_store:
	dm_bpio_token_store_exit();
err_volume:
	dm_bpio_volume_exit();
err_range_lock:
	bpio_range_lock_module_exit();
	return ret;
}

static void __exit dm_bpio_exit(void)
{
	dm_bpio_control_exit();
	dm_bpio_target_exit();
	dm_bpio_copy_exit();
	dm_bpio_token_store_exit();
	dm_bpio_volume_exit();
	bpio_range_lock_module_exit();
}

module_init(dm_bpio_init);
module_exit(dm_bpio_exit);

MODULE_DESCRIPTION("Device-mapper target for BypassIO and offloaded data transfer");
MODULE_AUTHOR("dm-bpio maintainers");
MODULE_LICENSE("GPL");
