/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What open files have in common, be they directories or not.  In file.c.
 */
#ifndef _BPIOFS_OPEN_H
#define _BPIOFS_OPEN_H

#include <linux/fs.h>

int bpiofs_open(struct inode *inode, struct file *file);
int bpiofs_release(struct inode *inode, struct file *file);
int bpiofs_fsync(struct file *file, loff_t start, loff_t end, int datasync);

#endif /* _BPIOFS_OPEN_H */
