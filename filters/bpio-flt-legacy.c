// SPDX-License-Identifier: GPL-2.0
/*
 * A minifilter from before BypassIO: it looks at reads and writes and has
 * opted in to nothing.  While it is attached no read of the mount is bypassed
 * (R-FLT-3) and no copy is offloaded (OR-3, OW-1).
 */
#include <bpio/filter.h>

/* Anti-Virus (M-9) */
static char *altitude = "325000";
module_param(altitude, charp, 0444);
MODULE_PARM_DESC(altitude, "where instances go unless told otherwise");

static uint features;
module_param(features, uint, 0444);
MODULE_PARM_DESC(features, "SUPPORTED_FS_FEATURES_*");

static int legacy_pre(struct flt_callback_data *data,
		      const struct flt_related_objects *objects,
		      void **completion_context)
{
	return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static const struct flt_operation_registration operations[] = {
	{ IRP_MJ_READ, legacy_pre },
	{ IRP_MJ_WRITE, legacy_pre },
	{}
};

static struct flt_registration registration = {
	.name = "bpio-flt-legacy",
	.operations = operations,
};

static struct flt_filter *filter;

static int __init legacy_init(void)
{
	registration.altitude = altitude;
	registration.supported_features = features;
	filter = flt_register_filter(&registration);
	return PTR_ERR_OR_ZERO(filter);
}

static void __exit legacy_exit(void)
{
	flt_unregister_filter(filter);
}

module_init(legacy_init);
module_exit(legacy_exit);

MODULE_DESCRIPTION("bpiofs minifilter that has not opted in to BypassIO");
MODULE_LICENSE("GPL");
