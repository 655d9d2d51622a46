/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only home of version tests and feature probes.  Callers use one name
 * and never an #if.
 */
#ifndef _BPIO_COMPAT_H
#define _BPIO_COMPAT_H

#include <linux/version.h>
#include <linux/module.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#ifdef __BIG_ENDIAN
#error "the protocol structures are little endian; a big-endian port is open"
#endif

/* Internals that only the KUnit module may use. */
#if IS_ENABLED(CONFIG_KUNIT)
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define BPIO_EXPORT_FOR_KUNIT(sym) EXPORT_SYMBOL_NS_GPL(sym, "BPIO_KUNIT")
#define BPIO_IMPORT_KUNIT() MODULE_IMPORT_NS("BPIO_KUNIT")
#else
#define BPIO_EXPORT_FOR_KUNIT(sym) EXPORT_SYMBOL_NS_GPL(sym, BPIO_KUNIT)
#define BPIO_IMPORT_KUNIT() MODULE_IMPORT_NS(BPIO_KUNIT)
#endif
#else
#define BPIO_EXPORT_FOR_KUNIT(sym)
#endif

/* May the caller change the file as its owner or by CAP_FOWNER? */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define bpio_owner_or_capable(file) \
	inode_owner_or_capable(file_mnt_idmap(file), file_inode(file))
#else
#define bpio_owner_or_capable(file) \
	inode_owner_or_capable(file_mnt_user_ns(file), file_inode(file))
#endif

/* struct file_lock got a common part with struct file_lease. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define bpio_fl_list		c.flc_list
#define bpio_fl_owner(fl)	((const void *)(fl)->c.flc_owner)
#define bpio_fl_is_write(fl)	((fl)->c.flc_type == F_WRLCK)
#else
#define bpio_fl_list		fl_list
#define bpio_fl_owner(fl)	((const void *)(fl)->fl_owner)
#define bpio_fl_is_write(fl)	((fl)->fl_type == F_WRLCK)
#endif

#endif /* _BPIO_COMPAT_H */
