// SPDX-License-Identifier: GPL-2.0
/*
 * A minifilter to start from: it has opted in to every feature, is called
 * before and after every operation, changes none, and counts them for each
 * instance.  What it counted is in the kernel log when the instance goes.
 *
 * With BypassIO it sees no uncached read of an enabled open (R-FLT-12); that is
 * what opting in means.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/slab.h>
#include <bpio/filter.h>

/* Activity Monitor (M-9) */
static char *altitude = "385100";
module_param(altitude, charp, 0444);
MODULE_PARM_DESC(altitude, "where instances go unless told otherwise");

static uint features = SUPPORTED_FS_FEATURES_VALID_MASK;
module_param(features, uint, 0444);
MODULE_PARM_DESC(features, "SUPPORTED_FS_FEATURES_*");

/* Of one instance.  Callbacks of many threads run at the same time. */
struct passthru {
	atomic_long_t creates, reads, writes, fsctls, cleanups, closes;
	atomic_long_t failures;
};

static int passthru_pre(struct flt_callback_data *data,
			const struct flt_related_objects *objects,
			void **completion_context)
{
	struct passthru *p = flt_instance_context(objects->instance);

	switch (data->major) {
	case IRP_MJ_CREATE:
		atomic_long_inc(&p->creates);
		break;
	case IRP_MJ_READ:
		atomic_long_inc(&p->reads);
		break;
	case IRP_MJ_WRITE:
		atomic_long_inc(&p->writes);
		break;
	case IRP_MJ_FILE_SYSTEM_CONTROL:
		atomic_long_inc(&p->fsctls);
		break;
	case IRP_MJ_CLEANUP:
		atomic_long_inc(&p->cleanups);
		break;
	case IRP_MJ_CLOSE:
		atomic_long_inc(&p->closes);
		break;
	}
	return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static int passthru_post(struct flt_callback_data *data,
			 const struct flt_related_objects *objects,
			 void *completion_context, u32 flags)
{
	struct passthru *p = flt_instance_context(objects->instance);

	if (data->major == IRP_MJ_FILE_SYSTEM_CONTROL ?
	    BPIO_NT_SEVERITY(data->status) == 3 : data->result < 0)
		atomic_long_inc(&p->failures);
	return FLT_POSTOP_FINISHED_PROCESSING;
}

static const struct flt_operation_registration operations[] = {
	{ IRP_MJ_CREATE, passthru_pre, passthru_post },
	{ IRP_MJ_READ, passthru_pre, passthru_post },
	{ IRP_MJ_WRITE, passthru_pre, passthru_post },
	{ IRP_MJ_FILE_SYSTEM_CONTROL, passthru_pre, passthru_post },
	{ IRP_MJ_CLEANUP, passthru_pre, passthru_post },
	{ IRP_MJ_CLOSE, passthru_pre, passthru_post },
	{}
};

static int passthru_setup(const struct flt_related_objects *objects)
{
	struct passthru *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	flt_set_instance_context(objects->instance, p);
	return 0;
}

/* No callback of the instance runs any more: the counts are final. */
static void passthru_teardown(struct flt_instance *instance)
{
	struct passthru *p = flt_instance_context(instance);

	pr_info("creates=%ld reads=%ld writes=%ld fsctls=%ld cleanups=%ld closes=%ld failures=%ld\n",
		atomic_long_read(&p->creates), atomic_long_read(&p->reads),
		atomic_long_read(&p->writes), atomic_long_read(&p->fsctls),
		atomic_long_read(&p->cleanups), atomic_long_read(&p->closes),
		atomic_long_read(&p->failures));
	kfree(p);
}

static struct flt_registration registration = {
	.name = "bpio-flt-passthru",
	.operations = operations,
	.instance_setup = passthru_setup,
	.instance_teardown = passthru_teardown,
};

static struct flt_filter *filter;

static int __init passthru_init(void)
{
	registration.altitude = altitude;
	registration.supported_features = features;
	filter = flt_register_filter(&registration);
	return PTR_ERR_OR_ZERO(filter);
}

static void __exit passthru_exit(void)
{
	flt_unregister_filter(filter);
}

module_init(passthru_init);
module_exit(passthru_exit);

MODULE_DESCRIPTION("bpiofs minifilter that counts operations");
MODULE_LICENSE("GPL");
