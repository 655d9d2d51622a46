/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to device-mapper, by ioctl: starting dmsetup costs a guest more
 * than a whole test step.
 */
#ifndef DM_H
#define DM_H

#include <linux/dm-ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define DM_ROOM (64 << 10)

/* A request about that device; or NULL with errno.  free() it. */
struct dm_ioctl *dm_new(const char *name, uint32_t flags);
/* Return: 0, the reply being in @io, or -1 with errno. */
int dm_do(struct dm_ioctl *io, unsigned long command);
/* Both; the reply is freed when @reply is NULL. */
int dm_request(const char *name, unsigned long command, uint32_t flags,
	       struct dm_ioctl **reply);
/* Return: 0 or -1 with errno; *@reply, if any, is the reply, to be freed. */
int dm_message(const char *name, uint64_t sector, const char *words,
	       struct dm_ioctl **reply);
/* Appends a target; the first one begins at @at = 0.  Return: 0 or -1. */
int dm_add_target(struct dm_ioctl *io, size_t *at, uint64_t start,
		  uint64_t length, const char *type, const char *words);
unsigned int dm_major(const struct dm_ioctl *io);
unsigned int dm_minor(const struct dm_ioctl *io);

#endif /* DM_H */
