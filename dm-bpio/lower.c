// SPDX-License-Identifier: GPL-2.0
/*
 * Who drives a block device that is no ``bpio`` volume: the driver directly
 * below, and the storage driver at the very bottom, by file name.  It refuses
 * to know who asks or why.
 *
 * No exported interface tells which target types a mapped device has or what
 * it lies on, so this asks the device-mapper control node, as dmsetup would.
 * That takes user memory, hence the caller's process context, and
 * CAP_SYS_ADMIN, which whoever loads a table has.  Elsewhere such a device is
 * just "dm-mod.ko", not compatible.
 */
#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/miscdevice.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <bpio/compat.h>
#include "dm-bpio.h"

/* What is looked at: enough for tables of some hundred targets. */
#define DM_BPIO_IOCTL_BYTES	SZ_16K

/*
 * Module names have underscores where file names may have dashes.  Those
 * whose files do have dashes, among the drivers of block devices:
 */
static const char * const dm_bpio_dashed[] = { "dm_", "nvme_", "md_", "xen_" };

static void dm_bpio_module_file(char *name, const char *module)
{
	unsigned int i;

	snprintf(name, DM_BPIO_NAME_BYTES, "%s.ko", module);
	for (i = 0; i < ARRAY_SIZE(dm_bpio_dashed); i++)
		if (!strncmp(module, dm_bpio_dashed[i],
			     strlen(dm_bpio_dashed[i])))
			strreplace(name, '_', '-');
}

/* The module of a target type, where it is not "dm-" and its name. */
static void dm_bpio_target_file(char *name, const char *type)
{
	static const struct {
		const char *type, *file;
	} other[] = {
		{ "linear", "dm-mod.ko" },
		{ "striped", "dm-mod.ko" },
		{ "error", "dm-mod.ko" },
		{ "snapshot-origin", "dm-snapshot.ko" },
		{ "snapshot-merge", "dm-snapshot.ko" },
		{ "thin", "dm-thin-pool.ko" },
		{ "raid1", "dm-raid1.ko" },
		{ "mirror", "dm-mirror.ko" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		if (!strcmp(type, other[i].type)) {
			strscpy(name, other[i].file, DM_BPIO_NAME_BYTES);
			return;
		}
	}
	snprintf(name, DM_BPIO_NAME_BYTES, "dm-%s.ko", type);
}

/* ---- the storage device itself ------------------------------------------ */

static bool dm_bpio_dev_is(const struct device *dev, const char *class)
{
	return dev->class && !strcmp(dev->class->name, class);
}

/*
 * The transport of an NVMe controller ("pcie", "tcp") as its sysfs attribute
 * tells: struct nvme_ctrl is private to the driver.
 */
static void dm_bpio_nvme_transport(struct device *ctrl, char *transport,
				   size_t size)
{
	const struct attribute_group **group = ctrl->groups;
	struct attribute **attr;
	char *page;

	transport[0] = '\0';
	page = (char *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return;
	for (; group && *group; group++) {
		for (attr = (*group)->attrs; attr && *attr; attr++) {
			struct device_attribute *da =
				container_of(*attr, struct device_attribute,
					     attr);

			if (strcmp((*attr)->name, "transport") || !da->show)
				continue;
			if (da->show(ctrl, da, page) > 0)
				strscpy(transport, strim(page), size);
		}
	}
	free_page((unsigned long)page);
}

static bool dm_bpio_device_driver_file(const struct device *dev, char *name)
{
	const struct device_driver *driver = READ_ONCE(dev->driver);

	if (!driver)
		return false;
	dm_bpio_module_file(name, driver->owner ? module_name(driver->owner) :
			    driver->name);
	return true;
}

static void dm_bpio_nvme_file(struct device *ctrl, char *name)
{
	char transport[16];
	char module[24];

	dm_bpio_nvme_transport(ctrl, transport, sizeof(transport));
	if (transport[0] && strcmp(transport, "pcie")) {
		snprintf(module, sizeof(module), "nvme-%s", transport);
		dm_bpio_module_file(name, module);
	} else if (!ctrl->parent ||
		   !dm_bpio_device_driver_file(ctrl->parent, name)) {
		dm_bpio_module_file(name, "nvme");
	}
}

/* A path of a multipath head: nvmeScCnN for the head nvmeSnN. */
static int dm_bpio_is_path_of(struct device *dev, const void *data)
{
	unsigned int subsys, ctrl, ns, head_subsys, head_ns;

	return sscanf(data, "nvme%un%u", &head_subsys, &head_ns) == 2 &&
	       sscanf(dev_name(dev), "nvme%uc%un%u", &subsys, &ctrl,
		      &ns) == 3 &&
	       subsys == head_subsys && ns == head_ns &&
	       dev->parent && dm_bpio_dev_is(dev->parent, "nvme");
}

/* Return: the disk is an NVMe namespace; *name is set. */
static bool dm_bpio_nvme_disk(struct gendisk *disk, char *name)
{
	struct device *dev = disk_to_dev(disk), *path;

	if (!dev->parent)
		return false;
	if (dm_bpio_dev_is(dev->parent, "nvme")) {
		dm_bpio_nvme_file(dev->parent, name);
		return true;
	}
	if (!dm_bpio_dev_is(dev->parent, "nvme-subsystem"))
		return false;
	dm_bpio_module_file(name, "nvme");
	path = class_find_device(dev->class, NULL, disk->disk_name,
				 dm_bpio_is_path_of);
	if (path) {
		dm_bpio_nvme_file(path->parent, name);
		put_device(path);
	}
	return true;
}

/* A disk that is neither NVMe nor device-mapper: its controller's driver. */
static void dm_bpio_disk_file(struct gendisk *disk, char *name)
{
	const struct device *dev = disk_to_dev(disk)->parent;

	/* Past the SCSI layer to the host adapter. */
	for (; dev; dev = dev->parent)
		if (!(dev->bus && !strcmp(dev->bus->name, "scsi")) &&
		    dm_bpio_device_driver_file(dev, name))
			return;
	if (disk->fops->owner) {
		dm_bpio_module_file(name, module_name(disk->fops->owner));
		return;
	}
	/* Built in: loop0 is driven by loop. */
	strscpy(name, disk->disk_name, DM_BPIO_NAME_BYTES - sizeof(".ko"));
	name[strcspn(name, "0123456789")] = '\0';
	strlcat(name, ".ko", DM_BPIO_NAME_BYTES);
}

static void dm_bpio_look_disk(struct gendisk *disk, char *name,
			      bool *compatible)
{
	*compatible = false;
	/* A disk that is going away gives its parent up after this lock. */
	mutex_lock(&disk->open_mutex);
	if (disk_live(disk)) {
		*compatible = dm_bpio_nvme_disk(disk, name);
		if (!*compatible)
			dm_bpio_disk_file(disk, name);
	} else {
		strscpy(name, "", DM_BPIO_NAME_BYTES);
	}
	mutex_unlock(&disk->open_mutex);
}

/* ---- mapped devices ----------------------------------------------------- */

static bool dm_bpio_is_dm(dev_t devt)
{
	struct mapped_device *md = dm_get_md(devt);

	if (!md)
		return false;
	dm_put(md);
	return true;
}

/* One DM_* ioctl about @devt; @buffer has DM_BPIO_IOCTL_BYTES. */
static int dm_bpio_dm_ioctl(unsigned int command, dev_t devt,
			    struct dm_ioctl *buffer)
{
	struct file *file;
	unsigned long at;
	int ret;

	if (!current->mm || current->flags & PF_KTHREAD ||
	    !capable(CAP_SYS_ADMIN))
		return -EPERM;

	memset(buffer, 0, DM_BPIO_IOCTL_BYTES);
	buffer->version[0] = DM_VERSION_MAJOR;
	buffer->data_size = DM_BPIO_IOCTL_BYTES;
	buffer->data_start = sizeof(*buffer);
	buffer->dev = huge_encode_dev(devt);
	buffer->flags = DM_NOFLUSH_FLAG;

	file = filp_open("/dev/" DM_DIR "/" DM_CONTROL_NODE,
			 O_RDWR | O_NONBLOCK, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	/* The path is the caller's; what it leads to must be the real one. */
	ret = -ENOTTY;
	if (!S_ISCHR(file_inode(file)->i_mode) ||
	    file_inode(file)->i_rdev != MKDEV(MISC_MAJOR, MAPPER_CTRL_MINOR) ||
	    !file->f_op->unlocked_ioctl)
		goto out_file;
	at = vm_mmap(NULL, 0, DM_BPIO_IOCTL_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(at)) {
		ret = (int)at;
		goto out_file;
	}
	ret = -EFAULT;
	if (copy_to_user((void __user *)at, buffer, DM_BPIO_IOCTL_BYTES))
		goto out_unmap;
	ret = file->f_op->unlocked_ioctl(file, command, at);
	if (!ret && copy_from_user(buffer, (void __user *)at,
				   DM_BPIO_IOCTL_BYTES))
		ret = -EFAULT;
	/* The answer has been in user memory: trust no length in it. */
	if (!ret && (buffer->data_start < sizeof(*buffer) ||
		     buffer->data_start >= DM_BPIO_IOCTL_BYTES))
		ret = -EIO;
out_unmap:
	vm_munmap(at, DM_BPIO_IOCTL_BYTES);
out_file:
	filp_close(file, NULL);
	return ret;
}

/* The first target that is not ours names the device. */
static void dm_bpio_look_table(dev_t devt, struct dm_ioctl *buffer, char *name)
{
	size_t at = 0, room;
	unsigned int i;

	strscpy(name, "dm-mod.ko", DM_BPIO_NAME_BYTES);
	if (dm_bpio_dm_ioctl(DM_TABLE_STATUS, devt, buffer))
		return;
	room = DM_BPIO_IOCTL_BYTES - buffer->data_start;
	for (i = 0; i < buffer->target_count; i++) {
		struct dm_target_spec *spec;

		if (at + sizeof(*spec) > room || !IS_ALIGNED(at, 8))
			return;
		spec = (void *)buffer + buffer->data_start + at;
		spec->target_type[DM_MAX_TYPE_NAME - 1] = '\0';
		if (!i || strcmp(spec->target_type, "bpio"))
			dm_bpio_target_file(name, spec->target_type);
		if (strcmp(spec->target_type, "bpio") || spec->next <= at)
			return;
		at = spec->next;
	}
}

static void dm_bpio_look_bottom(dev_t devt, struct dm_ioctl *buffer,
				char *name, bool *compatible,
				unsigned int depth);

/* The devices of a table: the first incompatible one decides. */
static void dm_bpio_look_deps(dev_t devt, struct dm_ioctl *buffer, char *name,
			      bool *compatible, unsigned int depth)
{
	struct dm_target_deps *deps;
	unsigned int i, nr;
	u64 *devices;

	*compatible = false;
	strscpy(name, "dm-mod.ko", DM_BPIO_NAME_BYTES);
	if (depth >= DM_BPIO_MAX_DEPTH ||
	    dm_bpio_dm_ioctl(DM_TABLE_DEPS, devt, buffer) ||
	    buffer->flags & DM_BUFFER_FULL_FLAG ||
	    buffer->data_start > DM_BPIO_IOCTL_BYTES - sizeof(*deps))
		return;
	deps = (void *)buffer + buffer->data_start;
	nr = deps->count;
	if (!nr || nr > (DM_BPIO_IOCTL_BYTES - buffer->data_start -
			 sizeof(*deps)) / sizeof(deps->dev[0]))
		return;
	/* The buffer is used again further down. */
	devices = kmemdup(deps->dev, nr * sizeof(*devices), GFP_KERNEL);
	if (!devices)
		return;
	for (i = 0; i < nr; i++) {
		dm_bpio_look_bottom(huge_decode_dev(devices[i]), buffer, name,
				    compatible, depth + 1);
		if (!*compatible)
			break;
	}
	kfree(devices);
}

static void dm_bpio_look_bottom(dev_t devt, struct dm_ioctl *buffer,
				char *name, bool *compatible,
				unsigned int depth)
{
	struct bpio_bdev_handle handle;

	if (dm_bpio_is_dm(devt)) {
		dm_bpio_look_deps(devt, buffer, name, compatible, depth);
		return;
	}
	if (bpio_bdev_open(devt, &handle)) {
		*compatible = false;
		strscpy(name, "dm-mod.ko", DM_BPIO_NAME_BYTES);
		return;
	}
	dm_bpio_look_disk(handle.bdev->bd_disk, name, compatible);
	bpio_bdev_close(&handle);
}

/**
 * dm_bpio_below_look - look at the device below
 * @bdev: block device that the caller holds open
 * @below: out
 *
 * For a device-mapper device @below->driver is the module of its target and
 * @below->storage the driver at the bottom, when the caller may know.
 *
 * Context: process context; may sleep; opens files; dm_bpio_lock not held.
 */
void dm_bpio_below_look(struct block_device *bdev, struct dm_bpio_below *below)
{
	dev_t devt = disk_devt(bdev->bd_disk);
	struct dm_ioctl *buffer;

	memset(below, 0, sizeof(*below));
	if (!dm_bpio_is_dm(devt)) {
		below->bottom = true;
		dm_bpio_look_disk(bdev->bd_disk, below->storage,
				  &below->compatible);
		strscpy(below->driver, below->storage, sizeof(below->driver));
		return;
	}
	buffer = kvzalloc(DM_BPIO_IOCTL_BYTES, GFP_KERNEL);
	if (!buffer) {
		strscpy(below->driver, "dm-mod.ko", sizeof(below->driver));
		strscpy(below->storage, "dm-mod.ko", sizeof(below->storage));
		return;
	}
	dm_bpio_look_table(devt, buffer, below->driver);
	dm_bpio_look_deps(devt, buffer, below->storage, &below->compatible, 0);
	kvfree(buffer);
}
