// SPDX-License-Identifier: GPL-2.0
/*
 * What this process knows of volumes that cannot offload: one table for both
 * rules, CE-6 (a volume, until told to forget) and CE-7 (a pair, for a while).
 * The oldest entry makes room.
 *
 * A volume is remembered as a source or as a destination, as it was asked: a
 * filter may stand in the way of one and not of the other.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "copy.h"

#define ENTRIES 64

enum subject {
	NOTHING,
	SOURCE,
	DESTINATION,
	PAIR,
};

struct entry {
	enum subject subject;
	dev_t from;   /* of SOURCE and PAIR */
	dev_t to;     /* of DESTINATION and PAIR */
	time_t until; /* of PAIR, seconds */
	uint32_t code;
	int32_t status;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry entries[ENTRIES]; /* by lock, as is next */
static unsigned int next;

/* Goes on while the machine sleeps. */
static time_t seconds(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_BOOTTIME, &now) ? 0 : now.tv_sec;
}

static bool concerns(const struct entry *entry, const struct copy *copy,
		     time_t now)
{
	switch (entry->subject) {
	case SOURCE:
		return entry->from == copy->from_dev;
	case DESTINATION:
		return entry->to == copy->to_dev;
	case PAIR:
		return entry->from == copy->from_dev &&
		       entry->to == copy->to_dev && now < entry->until;
	case NOTHING:
		break;
	}
	return false;
}

bool copy_is_remembered(struct copy *copy)
{
	time_t now = seconds();
	bool found = false;
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; !found && i < ENTRIES; i++) {
		const struct entry *entry = &entries[i];

		if (!concerns(entry, copy, now))
			continue;
		found = true;
		copy->result->why = BPIO_COPY_REMEMBERED;
		copy->result->code = entry->code;
		copy->result->status = entry->status;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static enum subject subject_of(const struct bpio_copy_result *refusal,
			       bool first)
{
	bool write = refusal->code == FSCTL_OFFLOAD_WRITE;

	switch (refusal->status) {
	case STATUS_NOT_SUPPORTED:
	case STATUS_DEVICE_FEATURE_NOT_SUPPORTED:
	case STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED:
	case STATUS_OFFLOAD_WRITE_FLT_NOT_SUPPORTED:
	/* a file system without ODX (OR-5) */
	case STATUS_INVALID_DEVICE_REQUEST:
		return write ? DESTINATION : SOURCE;
	case STATUS_DEVICE_UNREACHABLE:
		return PAIR;
	case STATUS_INVALID_TOKEN:
		return write && first && !refusal->done_length ? PAIR : NOTHING;
	default:
		return NOTHING;
	}
}

void copy_remember(const struct copy *copy, bool first)
{
	struct entry entry = {
		.subject = subject_of(copy->result, first),
		.from = copy->from_dev,
		.to = copy->to_dev,
		.until = seconds() + BPIO_COPY_PAIR_SECONDS,
		.code = copy->result->code,
		.status = copy->result->status,
	};

	if (entry.subject == NOTHING)
		return;
	pthread_mutex_lock(&lock);
	entries[next] = entry;
	next = (next + 1) % ENTRIES;
	pthread_mutex_unlock(&lock);
}

void bpio_copy_forget(void)
{
	pthread_mutex_lock(&lock);
	memset(entries, 0, sizeof(entries));
	next = 0;
	pthread_mutex_unlock(&lock);
}
