// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings: pages are mapped, read and written back by the lower file, which
 * becomes the mapping's own.  bpiofs only counts the shared ones that can be
 * written to: through these blocks are freed (MADV_REMOVE) or moved (copy on
 * write) without any operation of bpiofs.
 *
 * The lower file is reached by others than bpiofs: MADV_REMOVE calls its
 * fallocate() after it has let go of the mapping, remap_file_pages(2) its mmap().
 * So it has file operations of ours, which announce and count as bpiofs does.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "bpiofs.h"

/* The lower file system's operations, with our count around them. */
struct bpiofs_vm_ops {
	const struct vm_operations_struct *lower;
	struct vm_operations_struct ops;	/* filled once, by kzalloc() */
};

/* The lower file system's operations, with ours for fallocate() and mmap(). */
struct bpiofs_file_ops {
	struct bpiofs_file_ops *next;	/* in bpiofs_volume.file_ops */
	struct bpiofs_volume *vol;
	const struct file_operations *lower;
	struct file_operations ops;
};

static const struct bpiofs_file_ops *ops_of(const struct file *lower)
{
	return container_of(lower->f_op, struct bpiofs_file_ops, ops);
}

static long fallocate_lower(struct file *lower, int mode, loff_t offset,
			    loff_t length)
{
	const struct bpiofs_file_ops *fops = ops_of(lower);
	struct inode *inode = bpiofs_iget(fops->vol->sb, file_inode(lower));
	long ret;

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	bpiofs_layout_begin(BPIOFS_I(inode));
	ret = fops->lower->fallocate(lower, mode, offset, length);
	bpiofs_layout_end(BPIOFS_I(inode));
	bpiofs_copy_attr(inode);
	iput(inode);
	return ret;
}

static void count_mapping(struct vm_area_struct *vma)
{
	struct bpiofs_inode *bi = vma->vm_private_data;

	atomic_inc(&bi->moving_maps);
}

/*
 * The pages are unmapped, what was written through them is dirty now.  The
 * mapping's file still pins the mount and with it the inode.
 */
static void uncount_mapping(struct vm_area_struct *vma)
{
	struct bpiofs_inode *bi = vma->vm_private_data;

	atomic_inc(&bi->delayed_seq);
	/* the new number, then the mapping is gone; see layout_stable */
	smp_mb__before_atomic();
	atomic_dec(&bi->moving_maps);
}

/* Return: operations that count and do what @lower does; NULL for none. */
static const struct vm_operations_struct *
counting_ops(struct bpiofs_volume *vol, const struct vm_operations_struct *lower)
{
	struct bpiofs_vm_ops *new, *vm_ops = READ_ONCE(vol->vm_ops);

	if (!lower || lower->open || lower->close)
		return NULL;
	if (!vm_ops) {
		new = kzalloc(sizeof(*new), GFP_KERNEL);
		if (!new)
			return NULL;
		new->ops = *lower;
		new->ops.open = count_mapping;
		new->ops.close = uncount_mapping;
		new->lower = lower;
		vm_ops = cmpxchg(&vol->vm_ops, NULL, new);
		if (vm_ops)
			kfree(new);
		else
			vm_ops = new;
	}
	return vm_ops->lower == lower ? &vm_ops->ops : NULL;
}

/*
 * The stream above, pinned by the lower file.  NULL: it must not be mapped, since
 * its pages are not what its readers are shown.
 */
static struct bpiofs_inode *mappable(const struct file *lower)
{
	struct inode *inode = bpiofs_iget(ops_of(lower)->vol->sb,
					  file_inode(lower));

	if (IS_ERR(inode))
		return NULL;
	iput(inode);
	return atomic_read(&BPIOFS_I(inode)->transformed) ? NULL :
							   BPIOFS_I(inode);
}

/* A new mapping.  Return: operations that count it, or NULL: its end is untold. */
static const struct vm_operations_struct *
count_new(const struct file *lower, struct bpiofs_inode *bi,
	  const struct vm_operations_struct *ops, const void *private)
{
	atomic_inc(&bi->moving_maps);
	return private ? NULL : counting_ops(ops_of(lower)->vol, ops);
}

static int mmap_lower(struct file *lower, struct vm_area_struct *vma)
{
	struct bpiofs_inode *bi = mappable(lower);
	const struct vm_operations_struct *ops;
	int ret;

	if (!bi)
		return -ENODEV;
	ret = ops_of(lower)->lower->mmap(lower, vma);
	if (ret || !(vma->vm_flags & VM_SHARED) ||
	    !(vma->vm_flags & VM_MAYWRITE))
		return ret;
	ops = count_new(lower, bi, vma->vm_ops, vma->vm_private_data);
	if (ops) {
		vma->vm_private_data = bi;
		vma->vm_ops = ops;
	}
	return 0;
}

#ifdef BPIO_MMAP_PREPARE
/* Private mappings are counted as well: that does no harm. */
static int mmap_prepare_lower(struct vm_area_desc *desc)
{
	struct bpiofs_inode *bi = mappable(desc->file);
	const struct vm_operations_struct *ops;
	int ret;

	if (!bi)
		return -ENODEV;
	ret = ops_of(desc->file)->lower->mmap_prepare(desc);
	if (ret)
		return ret;
	ops = count_new(desc->file, bi, desc->vm_ops, desc->private_data);
	if (ops) {
		desc->private_data = bi;
		desc->vm_ops = ops;
	}
	return 0;
}
#endif

static void replace_ops(struct bpiofs_file_ops *fops)
{
	if (fops->lower->fallocate)
		fops->ops.fallocate = fallocate_lower;
	if (fops->lower->mmap)
		fops->ops.mmap = mmap_lower;
#ifdef BPIO_MMAP_PREPARE
	if (fops->lower->mmap_prepare)
		fops->ops.mmap_prepare = mmap_prepare_lower;
#endif
}

/**
 * bpiofs_watch_lower - see every fallocate() and mmap() of a lower file
 * @vol: mount
 * @lower: regular file below, just opened; it pins the mount
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int bpiofs_watch_lower(struct bpiofs_volume *vol, struct file *lower)
{
	struct bpiofs_file_ops *first, *fops, *new;

	/* filled before it is found: pairs with try_cmpxchg() below */
	first = smp_load_acquire(&vol->file_ops);
	for (fops = first; fops; fops = fops->next) {
		if (fops->lower == lower->f_op) {
			lower->f_op = &fops->ops;
			return 0;
		}
	}
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->vol = vol;
	new->lower = lower->f_op;
	new->ops = *lower->f_op;
	replace_ops(new);
	do {
		new->next = first;
	} while (!try_cmpxchg(&vol->file_ops, &first, new));
	lower->f_op = &new->ops;
	return 0;
}

/**
 * bpiofs_mmap - map a file
 * @file: ours
 * @vma: new mapping of it; becomes one of the lower file
 *
 * Every mapping suspends the bypass (R-FS-80), told by the lower inode.  A
 * shared writable one also voids the extent cache when it goes, on every lower
 * file system: it is counted by the lower file, see mmap_lower().  Where its end
 * cannot be told, the file is not bypassed again until its inode is evicted.
 *
 * Context: process context, mmap_lock held for writing: must not wait for
 * anything that touches user memory.
 * Return: 0, -ENODEV, or what the lower file says.
 */
int bpiofs_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct file *lower = bpiofs_file(file)->lower;

	if (!bpio_can_mmap(lower) ||
	    atomic_read(&BPIOFS_I(file_inode(file))->transformed))
		return -ENODEV;
	if (WARN_ON_ONCE(file != vma->vm_file))
		return -EIO;

	bpiofs_use_cached(file);
	vma_set_file(vma, lower);
	return bpio_vfs_mmap(lower, vma);
}

/**
 * bpiofs_mmap_umount - free what mappings and lower files of a mount needed
 * @vol: volume without open files and mappings
 */
void bpiofs_mmap_umount(struct bpiofs_volume *vol)
{
	struct bpiofs_file_ops *fops;

	kfree(vol->vm_ops);
	vol->vm_ops = NULL;
	while ((fops = vol->file_ops)) {
		vol->file_ops = fops->next;
		kfree(fops);
	}
}
