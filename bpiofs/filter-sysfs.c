// SPDX-License-Identifier: GPL-2.0
/*
 * Filters in sysfs: what is registered in /sys/module/bpiofs/filters/, what is
 * attached in the instances/ directory of each mount.
 */
#include <linux/module.h>
#include <linux/sysfs.h>
#include "bpiofs.h"

static struct kset *filters_kset;

struct filter_attr {
	struct attribute attr;
	ssize_t (*show)(struct flt_filter *filter, char *buf);
};

struct instance_attr {
	struct attribute attr;
	ssize_t (*show)(struct flt_instance *instance, char *buf);
};

#define SHOW(_what, _name, _format, ...) \
	static ssize_t _what##_##_name##_show(struct flt_##_what *_what, \
					      char *buf) \
	{ \
		return sysfs_emit(buf, _format "\n", __VA_ARGS__); \
	} \
	static const struct _what##_attr _what##_attr_##_name = { \
		.attr = { .name = #_name, .mode = 0444 }, \
		.show = _what##_##_name##_show, \
	}

static u64 seen(const struct flt_instance *instance, enum flt_op op)
{
	u64 total = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		total += per_cpu_ptr(instance->stats, cpu)->seen[op];
	return total;
}

SHOW(filter, altitude, "%s", filter->registration->altitude);
SHOW(filter, features, "0x%x", bpiofs_filter_features(filter));
SHOW(filter, instances, "%u", READ_ONCE(filter->nr_instances));

static struct attribute *filter_attrs[] = {
	(struct attribute *)&filter_attr_altitude.attr,
	(struct attribute *)&filter_attr_features.attr,
	(struct attribute *)&filter_attr_instances.attr,
	NULL,
};
ATTRIBUTE_GROUPS(filter);

SHOW(instance, filter, "%s", instance->filter->registration->name);
SHOW(instance, altitude, "%s", instance->altitude);
SHOW(instance, features, "0x%x", bpiofs_filter_features(instance->filter));
SHOW(instance, reads_seen, "%llu", seen(instance, FLT_OP_READ));
SHOW(instance, writes_seen, "%llu", seen(instance, FLT_OP_WRITE));
#define FSCTL FLT_OP_FILE_SYSTEM_CONTROL
SHOW(instance, fsctls_seen, "%llu", seen(instance, FSCTL));

static struct attribute *instance_attrs[] = {
	(struct attribute *)&instance_attr_filter.attr,
	(struct attribute *)&instance_attr_altitude.attr,
	(struct attribute *)&instance_attr_features.attr,
	(struct attribute *)&instance_attr_reads_seen.attr,
	(struct attribute *)&instance_attr_writes_seen.attr,
	(struct attribute *)&instance_attr_fsctls_seen.attr,
	NULL,
};
ATTRIBUTE_GROUPS(instance);

static ssize_t filter_show(struct kobject *kobj, struct attribute *attr,
			   char *buf)
{
	return container_of(attr, struct filter_attr, attr)
		->show(container_of(kobj, struct flt_filter, kobj), buf);
}

static void filter_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct flt_filter, kobj)->kobj_gone);
}

static ssize_t instance_show(struct kobject *kobj, struct attribute *attr,
			     char *buf)
{
	return container_of(attr, struct instance_attr, attr)
		->show(container_of(kobj, struct flt_instance, kobj), buf);
}

static void instance_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct flt_instance, kobj)->kobj_gone);
}

static const struct sysfs_ops filter_ops = { .show = filter_show };
static const struct sysfs_ops instance_ops = { .show = instance_show };

static const struct kobj_type filter_ktype = {
	.default_groups = filter_groups,
	.sysfs_ops = &filter_ops,
	.release = filter_release,
};

static const struct kobj_type instance_ktype = {
	.default_groups = instance_groups,
	.sysfs_ops = &instance_ops,
	.release = instance_release,
};

static void remove_kobj(struct kobject *kobj, struct completion *gone)
{
	kobject_del(kobj);
	kobject_put(kobj);
	wait_for_completion(gone);
}

/**
 * bpiofs_filter_sysfs_add - show a registered filter
 * @filter: filter
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno of kobject_init_and_add().
 */
int bpiofs_filter_sysfs_add(struct flt_filter *filter)
{
	int ret;

	init_completion(&filter->kobj_gone);
	filter->kobj.kset = filters_kset;
	ret = kobject_init_and_add(&filter->kobj, &filter_ktype, NULL, "%s",
				   filter->registration->name);
	if (ret)
		bpiofs_filter_sysfs_remove(filter);
	return ret;
}

/**
 * bpiofs_filter_sysfs_remove - show it no more
 * @filter: bpiofs_filter_sysfs_add() succeeded
 *
 * Context: process context; waits for readers of the files.
 */
void bpiofs_filter_sysfs_remove(struct flt_filter *filter)
{
	remove_kobj(&filter->kobj, &filter->kobj_gone);
}

/**
 * bpiofs_instance_sysfs_add - show an instance
 * @instance: has its name; its mount is shown
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno of kobject_init_and_add().
 */
int bpiofs_instance_sysfs_add(struct flt_instance *instance)
{
	int ret;

	init_completion(&instance->kobj_gone);
	ret = kobject_init_and_add(&instance->kobj, &instance_ktype,
				   instance->vol->filters.dir, "%s",
				   instance->name);
	if (ret)
		bpiofs_instance_sysfs_remove(instance);
	return ret;
}

/**
 * bpiofs_instance_sysfs_remove - show it no more
 * @instance: bpiofs_instance_sysfs_add() succeeded
 *
 * Context: process context; waits for readers of the files.
 */
void bpiofs_instance_sysfs_remove(struct flt_instance *instance)
{
	remove_kobj(&instance->kobj, &instance->kobj_gone);
}

/**
 * bpiofs_filter_sysfs_init - make the directory of filters
 *
 * Return: 0 or -ENOMEM.
 */
int __init bpiofs_filter_sysfs_init(void)
{
	filters_kset = kset_create_and_add("filters", NULL,
					   &THIS_MODULE->mkobj.kobj);
	return filters_kset ? 0 : -ENOMEM;
}

/**
 * bpiofs_filter_sysfs_exit - remove it; no filter is registered
 */
void bpiofs_filter_sysfs_exit(void)
{
	kset_unregister(filters_kset);
}
