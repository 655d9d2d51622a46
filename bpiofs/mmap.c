// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings: pages are mapped, read and written back by the lower file, which
 * becomes the mapping's own.  bpiofs only counts the shared ones that can be
 * written to: through these blocks are freed (MADV_REMOVE) or moved (copy on
 * write) without any operation of bpiofs.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "bpiofs.h"

/* The lower file system's operations, with our count around them. */
struct bpiofs_vm_ops {
	const struct vm_operations_struct *lower;
	struct vm_operations_struct ops;	/* filled once, by kzalloc() */
};

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

/**
 * bpiofs_mmap - map a file
 * @file: ours
 * @vma: new mapping of it; becomes one of the lower file
 *
 * Every mapping suspends the bypass (R-FS-80), told by the lower inode.  A
 * shared writable one also voids the extent cache when it goes, on every lower
 * file system: madvise(MADV_REMOVE) frees blocks of the lower file directly.
 * Where its end cannot be told, the file is not bypassed again until its inode
 * is evicted.
 *
 * Context: process context, mmap_lock held for writing: must not wait for
 * anything that touches user memory.
 * Return: 0, -ENODEV, or what the lower file says.
 */
int bpiofs_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	struct file *lower = bpiofs_file(file)->lower;
	const struct vm_operations_struct *ops;
	int ret;

	/* the pages are the lower file's: not what its readers are shown */
	if (!bpio_can_mmap(lower) || atomic_read(&bi->transformed))
		return -ENODEV;
	if (WARN_ON_ONCE(file != vma->vm_file))
		return -EIO;

	bpiofs_use_cached(file);
	vma_set_file(vma, lower);
	ret = bpio_vfs_mmap(lower, vma);
	if (ret || !(vma->vm_flags & VM_SHARED) ||
	    !(vma->vm_flags & VM_MAYWRITE))
		return ret;

	atomic_inc(&bi->moving_maps);
	ops = vma->vm_private_data ? NULL : counting_ops(vol, vma->vm_ops);
	if (ops) {
		vma->vm_private_data = bi;
		vma->vm_ops = ops;
	}
	return 0;
}

/**
 * bpiofs_mmap_umount - free what mappings of a mount needed
 * @vol: volume without open files and mappings
 */
void bpiofs_mmap_umount(struct bpiofs_volume *vol)
{
	kfree(vol->vm_ops);
	vol->vm_ops = NULL;
}
