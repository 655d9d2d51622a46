// SPDX-License-Identifier: GPL-2.0
/*
 * Scripted faults for testing clients: reads the message ``fault`` and tells
 * a request whether it is hit.  It refuses to know what a hit does.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <bpio/compat.h>
#include "dm-bpio.h"

/* The options that make sense at a point. */
#define FAULT_STATUS	BIT(0)
#define FAULT_BYTES	BIT(1)
#define FAULT_DELAY	BIT(2)

/* Longer than any client waits, short enough for a typing error. */
#define DM_BPIO_FAULT_DELAY_MAX_MS	60000

static const struct {
	const char *name;
	unsigned int takes;
} dm_bpio_fault_points[DM_BPIO_FAULT_NR] = {
	[DM_BPIO_FAULT_OFFLOAD_READ] = {
		"offload_read", FAULT_STATUS | FAULT_BYTES | FAULT_DELAY },
	[DM_BPIO_FAULT_OFFLOAD_WRITE] = {
		"offload_write", FAULT_STATUS | FAULT_BYTES | FAULT_DELAY },
	[DM_BPIO_FAULT_BYPASS_READ] = { "bypass_read", FAULT_STATUS },
	[DM_BPIO_FAULT_IDENTIFY] = { "identify", 0 },
	[DM_BPIO_FAULT_COPY] = { "copy", FAULT_STATUS | FAULT_DELAY },
	[DM_BPIO_FAULT_TOKEN_READ] = { "token_read", FAULT_DELAY },
};

/**
 * dm_bpio_fault_hit - count a request and say whether a fault hits it
 * @vol: volume
 * @point: which kind of request
 * @hit: out, when hit: status, bytes, has_bytes and delay_ms are what to do
 *
 * Context: any; takes @vol->fault_lock.
 * Return: true when this request is hit.
 */
bool dm_bpio_fault_hit(struct dm_bpio_volume *vol,
		       enum dm_bpio_fault_point point,
		       struct dm_bpio_fault *hit)
{
	struct dm_bpio_fault *fault = &vol->fault[point];
	unsigned long flags;
	bool ret = false;

	if (likely(!READ_ONCE(fault->armed)))
		return false;

	spin_lock_irqsave(&vol->fault_lock, flags);
	if (fault->armed && ++fault->seen >= fault->every) {
		fault->seen = 0;
		*hit = *fault;
		ret = true;
		if (fault->times && !--fault->times) {
			fault->armed = false;
			if (point == DM_BPIO_FAULT_BYPASS_READ)
				WRITE_ONCE(vol->pub.fault_bypass_read, false);
		}
	}
	spin_unlock_irqrestore(&vol->fault_lock, flags);
	return ret;
}
BPIO_EXPORT_FOR_KUNIT(dm_bpio_fault_hit);

/**
 * __bpio_fault_bypass_read - see bpio_fault_bypass_read()
 * @vol: volume
 *
 * Context: any.
 * Return: 0, or the negative errno with which this bypassed read has to fail.
 */
int __bpio_fault_bypass_read(struct bpio_volume *vol)
{
	struct dm_bpio_fault hit;

	if (!dm_bpio_fault_hit(to_dm_bpio(vol), DM_BPIO_FAULT_BYPASS_READ,
			       &hit))
		return 0;
	return bpio_status_to_errno(hit.status) ?: -EIO;
}
EXPORT_SYMBOL_GPL(__bpio_fault_bypass_read);

static void dm_bpio_fault_set(struct dm_bpio_volume *vol, unsigned int point,
			      const struct dm_bpio_fault *fault)
{
	unsigned long flags;

	spin_lock_irqsave(&vol->fault_lock, flags);
	vol->fault[point] = *fault;
	if (point == DM_BPIO_FAULT_BYPASS_READ)
		WRITE_ONCE(vol->pub.fault_bypass_read, fault->armed);
	spin_unlock_irqrestore(&vol->fault_lock, flags);
}

static int dm_bpio_fault_option(struct dm_bpio_fault *fault,
				unsigned int takes, const char *option,
				const char *value)
{
	if (!strcmp(option, "times"))
		return kstrtou64(value, 0, &fault->times) || !fault->times ?
			-EINVAL : 0;
	if (!strcmp(option, "every"))
		return kstrtou64(value, 0, &fault->every) || !fault->every ?
			-EINVAL : 0;
	if (!strcmp(option, "status") && takes & FAULT_STATUS)
		/* A failure, so an error status. */
		return dm_bpio_status_parse(value, &fault->status) ||
		       BPIO_NT_SEVERITY(fault->status) != 3 ? -EINVAL : 0;
	if (!strcmp(option, "bytes") && takes & FAULT_BYTES) {
		fault->has_bytes = true;
		return kstrtou64(value, 0, &fault->bytes);
	}
	if (!strcmp(option, "delay_ms") && takes & FAULT_DELAY)
		return kstrtouint(value, 0, &fault->delay_ms) ||
		       !fault->delay_ms ||
		       fault->delay_ms > DM_BPIO_FAULT_DELAY_MAX_MS ?
			-EINVAL : 0;
	return -EINVAL;
}

/**
 * dm_bpio_fault_message - arm or clear faults
 * @vol: volume
 * @argc: words after ``fault``
 * @argv: ``clear``, or ``<point> [times <n>] [every <n>] [status <ntstatus>]
 *	[bytes <n>] [delay_ms <n>]``
 *
 * A new fault at a point replaces the one before.  Without status, bytes and
 * delay_ms a request fails with STATUS_UNSUCCESSFUL.
 *
 * Context: process context; takes @vol->fault_lock.
 * Return: 0; -EINVAL for words it does not understand, with nothing changed.
 */
int dm_bpio_fault_message(struct dm_bpio_volume *vol, unsigned int argc,
			  char **argv)
{
	struct dm_bpio_fault fault = { .every = 1 };
	unsigned int point, i;

	if (argc == 1 && !strcmp(argv[0], "clear")) {
		for (point = 0; point < DM_BPIO_FAULT_NR; point++)
			dm_bpio_fault_set(vol, point, &fault);
		return 0;
	}
	if (!(argc & 1))
		return -EINVAL;
	for (point = 0; point < DM_BPIO_FAULT_NR; point++)
		if (!strcmp(argv[0], dm_bpio_fault_points[point].name))
			break;
	if (point == DM_BPIO_FAULT_NR)
		return -EINVAL;
	for (i = 1; i < argc; i += 2)
		if (dm_bpio_fault_option(&fault,
					 dm_bpio_fault_points[point].takes,
					 argv[i], argv[i + 1]))
			return -EINVAL;
	if (!fault.status && !fault.has_bytes && !fault.delay_ms)
		fault.status = STATUS_UNSUCCESSFUL;
	fault.armed = true;
	dm_bpio_fault_set(vol, point, &fault);
	return 0;
}
BPIO_EXPORT_FOR_KUNIT(dm_bpio_fault_message);
