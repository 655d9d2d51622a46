/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NTSTATUS as the protocol uses it: names, and the way to and from errno and
 * the block layer's codes.  One table, in dm-bpio/status.c.
 */
#ifndef _BPIO_STATUS_H
#define _BPIO_STATUS_H

#include <linux/types.h>
#include <linux/bpio.h>

const char *bpio_status_name(s32 status);
int bpio_status_to_errno(s32 status);
s32 bpio_status_from_errno(int error);

/* "Success" of the Windows headers: success and informational. */
static inline bool bpio_status_ok(s32 status)
{
	return status >= 0;
}

#endif /* _BPIO_STATUS_H */
