// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/fs/bpiofs/<volume>/: what a mount is doing, one number per file.
 */
#include <linux/sysfs.h>
#include "bpiofs.h"

static struct kset *bpiofs_kset;

struct attr {
	struct attribute attr;
	ssize_t (*show)(struct bpiofs_volume *vol, const struct attr *attr,
			char *buf);
	ssize_t (*store)(struct bpiofs_volume *vol, const char *buf,
			 size_t size);
	size_t offset;		/* of a counter in struct bpiofs_stats */
};

#define ATTR(_name, _show) \
	static const struct attr attr_##_name = { \
		.attr = { .name = #_name, .mode = 0444 }, \
		.show = _show, \
	}

#define COUNTER(_name, _field) \
	static const struct attr attr_##_name = { \
		.attr = { .name = #_name, .mode = 0444 }, \
		.show = show_counter, \
		.offset = offsetof(struct bpiofs_stats, _field), \
	}

static u64 sum(struct bpiofs_volume *vol, size_t offset)
{
	u64 total = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		total += *(u64 *)((void *)per_cpu_ptr(vol->stats, cpu) +
				  offset);
	return total;
}

static ssize_t show_counter(struct bpiofs_volume *vol, const struct attr *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%llu\n", sum(vol, attr->offset));
}

static ssize_t show_active_count(struct bpiofs_volume *vol,
				 const struct attr *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(vol->state.active_count));
}

static ssize_t show_flags(struct bpiofs_volume *vol, const struct attr *attr,
			  char *buf)
{
	u32 flags;

	mutex_lock(&vol->state_lock);
	flags = bpiofs_out_flags(&vol->state, NULL, FS_BPIO_OP_GET_INFO, 0);
	mutex_unlock(&vol->state_lock);
	return sysfs_emit(buf, "0x%x\n", flags);
}

static ssize_t show_storage_driver(struct bpiofs_volume *vol,
				   const struct attr *attr, char *buf)
{
	char name[BPIO_DRIVER_NAME_CHARS + 1];

	bpiofs_storage_driver(vol, name, sizeof(name));
	return sysfs_emit(buf, "%s\n", name);
}

static ssize_t show_supported_features(struct bpiofs_volume *vol,
				       const struct attr *attr, char *buf)
{
	return sysfs_emit(buf, "0x%x\n", READ_ONCE(vol->filters.features));
}

static ssize_t show_suspended_by(struct bpiofs_volume *vol,
				 const struct attr *attr, char *buf)
{
	unsigned long by = bpiofs_suspended_by(vol);
	ssize_t len = 0;
	unsigned int i;

	for_each_set_bit(i, &by, BPIOFS_SUSPENDED_NR)
		len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "",
				     bpiofs_suspension_name(i));
	return len + sysfs_emit_at(buf, len, "\n");
}

/* Words of a line.  Return: 1 or 2, or -EINVAL for more, none or too long. */
static int two_words(const char *buf, char *first, size_t first_size,
		     char *second, size_t second_size)
{
	char line[FLT_INSTANCE_NAME_MAX + BPIOFS_ALTITUDE_MAX + 2];
	char *rest = line, *word;

	if (strscpy(line, buf, sizeof(line)) < 0)
		return -EINVAL;
	rest = strim(line);
	word = strsep(&rest, " ");
	if (!*word || strscpy(first, word, first_size) < 0)
		return -EINVAL;
	if (!rest)
		return 1;
	rest = skip_spaces(rest);
	if (!second_size || strchr(rest, ' ') ||
	    strscpy(second, rest, second_size) < 0)
		return -EINVAL;
	return 2;
}

static ssize_t store_attach(struct bpiofs_volume *vol, const char *buf,
			    size_t size)
{
	char filter[FLT_FILTER_NAME_MAX], altitude[BPIOFS_ALTITUDE_MAX];
	int words, ret;

	words = two_words(buf, filter, sizeof(filter), altitude,
			  sizeof(altitude));
	if (words < 0 || (words == 2 && !flt_altitude_valid(altitude)))
		return -EINVAL;
	ret = bpiofs_filters_attach(vol, filter, words == 2 ? altitude : NULL);
	return ret ?: size;
}

static ssize_t store_detach(struct bpiofs_volume *vol, const char *buf,
			    size_t size)
{
	char instance[FLT_INSTANCE_NAME_MAX];
	int ret;

	if (two_words(buf, instance, sizeof(instance), NULL, 0) != 1)
		return -EINVAL;
	ret = bpiofs_filters_detach(vol, instance);
	return ret ?: size;
}

static ssize_t show_fallback_reasons(struct bpiofs_volume *vol,
				     const struct attr *attr, char *buf)
{
	ssize_t len = 0;
	int why;

	for (why = BPIOFS_WHY_NONE + 1; why < BPIOFS_WHY_NR; why++)
		len += sysfs_emit_at(buf, len, "%s %llu\n",
				     bpiofs_why_name(why),
				     sum(vol, offsetof(struct bpiofs_stats,
						       reasons[why])));
	return len;
}

static const struct attr attr_attach = {
	.attr = { .name = "attach", .mode = 0200 },
	.store = store_attach,
};

static const struct attr attr_detach = {
	.attr = { .name = "detach", .mode = 0200 },
	.store = store_detach,
};

ATTR(active_count, show_active_count);
ATTR(flags, show_flags);
ATTR(storage_driver, show_storage_driver);
ATTR(supported_features, show_supported_features);
ATTR(suspended_by, show_suspended_by);
ATTR(fallback_reasons, show_fallback_reasons);
COUNTER(full_reads, reads[BPIOFS_PATH_FULL]);
COUNTER(full_bytes, bytes[BPIOFS_PATH_FULL]);
COUNTER(partial_reads, reads[BPIOFS_PATH_PARTIAL]);
COUNTER(partial_bytes, bytes[BPIOFS_PATH_PARTIAL]);
COUNTER(traditional_reads, reads[BPIOFS_PATH_TRADITIONAL]);
COUNTER(traditional_bytes, bytes[BPIOFS_PATH_TRADITIONAL]);
COUNTER(copy_offload_bytes, copied[BPIOFS_COPIED_OFFLOAD]);
COUNTER(copy_hole_bytes, copied[BPIOFS_COPIED_HOLE]);
COUNTER(copy_shared_bytes, copied[BPIOFS_COPIED_SHARED]);
COUNTER(copy_splice_bytes, copied[BPIOFS_COPIED_SPLICE]);

static struct attribute *bpiofs_attrs[] = {
	(struct attribute *)&attr_active_count.attr,
	(struct attribute *)&attr_flags.attr,
	(struct attribute *)&attr_storage_driver.attr,
	(struct attribute *)&attr_supported_features.attr,
	(struct attribute *)&attr_suspended_by.attr,
	(struct attribute *)&attr_attach.attr,
	(struct attribute *)&attr_detach.attr,
	(struct attribute *)&attr_fallback_reasons.attr,
	(struct attribute *)&attr_full_reads.attr,
	(struct attribute *)&attr_full_bytes.attr,
	(struct attribute *)&attr_partial_reads.attr,
	(struct attribute *)&attr_partial_bytes.attr,
	(struct attribute *)&attr_traditional_reads.attr,
	(struct attribute *)&attr_traditional_bytes.attr,
	(struct attribute *)&attr_copy_offload_bytes.attr,
	(struct attribute *)&attr_copy_hole_bytes.attr,
	(struct attribute *)&attr_copy_shared_bytes.attr,
	(struct attribute *)&attr_copy_splice_bytes.attr,
	NULL,
};
ATTRIBUTE_GROUPS(bpiofs);

static ssize_t attr_show(struct kobject *kobj, struct attribute *attribute,
			 char *buf)
{
	const struct attr *attr = container_of(attribute, struct attr, attr);

	return attr->show(container_of(kobj, struct bpiofs_volume, kobj), attr,
			  buf);
}

static ssize_t attr_store(struct kobject *kobj, struct attribute *attribute,
			  const char *buf, size_t size)
{
	const struct attr *attr = container_of(attribute, struct attr, attr);

	return attr->store(container_of(kobj, struct bpiofs_volume, kobj), buf,
			   size);
}

static void release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct bpiofs_volume, kobj)->kobj_gone);
}

static const struct sysfs_ops ops = {
	.show = attr_show,
	.store = attr_store,
};

static const struct kobj_type ktype = {
	.default_groups = bpiofs_groups,
	.sysfs_ops = &ops,
	.release = release,
};

/**
 * bpiofs_sysfs_add - show a mount
 * @vol: complete
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno of kobject_init_and_add().
 */
int bpiofs_sysfs_add(struct bpiofs_volume *vol)
{
	int ret;

	init_completion(&vol->kobj_gone);
	vol->kobj.kset = bpiofs_kset;
	ret = kobject_init_and_add(&vol->kobj, &ktype, NULL, "%pg", vol->bdev);
	if (!ret) {
		vol->filters.dir = kobject_create_and_add("instances",
							  &vol->kobj);
		if (!vol->filters.dir)
			ret = -ENOMEM;
	}
	if (ret)
		bpiofs_sysfs_remove(vol);
	return ret;
}

/**
 * bpiofs_sysfs_remove - show a mount no more
 * @vol: bpiofs_sysfs_add() succeeded
 *
 * Context: process context; waits for readers of the files.
 */
void bpiofs_sysfs_remove(struct bpiofs_volume *vol)
{
	kobject_del(&vol->kobj);
	/* pins its parent until the last instance has gone */
	kobject_put(vol->filters.dir);
	kobject_put(&vol->kobj);
	wait_for_completion(&vol->kobj_gone);
}

/**
 * bpiofs_sysfs_init - make /sys/fs/bpiofs
 *
 * Return: 0 or -ENOMEM.
 */
int __init bpiofs_sysfs_init(void)
{
	bpiofs_kset = kset_create_and_add(BPIOFS_NAME, NULL, fs_kobj);
	return bpiofs_kset ? 0 : -ENOMEM;
}

/**
 * bpiofs_sysfs_exit - remove it; no mount is left
 */
void bpiofs_sysfs_exit(void)
{
	kset_unregister(bpiofs_kset);
}
