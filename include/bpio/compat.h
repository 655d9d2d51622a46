/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only home of version tests and feature probes.  Callers use one name
 * and never an #if.
 */
#ifndef _BPIO_COMPAT_H
#define _BPIO_COMPAT_H

#include <linux/version.h>
#include <linux/module.h>

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

#endif /* _BPIO_COMPAT_H */
