/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A lock on ranges of a volume, shared by the commands that read a token's data
 * and exclusive for writes: a write that overlaps a holder waits for it.
 */
#ifndef _DM_BPIO_RANGE_LOCK_H
#define _DM_BPIO_RANGE_LOCK_H

#include <linux/bio.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/**
 * struct bpio_range_holder - sectors that a command is reading
 * @rb: in &struct bpio_range_lock.holders
 * @start: first sector of the volume
 * @last: last sector
 * @subtree_last: of the interval tree
 */
struct bpio_range_holder {
	struct rb_node rb;
	u64 start;
	u64 last;
	u64 subtree_last;
};

/**
 * struct bpio_range_lock - holders of ranges, and writes that wait for them
 * @lock: guards @holders and @waiting; innermost, irqsave
 * @holders: interval tree of &struct bpio_range_holder
 * @waiting: write bios, their sector that of the volume
 * @dropped: woken when a holder is dropped
 * @work: gives the bios in @waiting to @submit
 * @submit: submits such a bio, by bpio_range_admit(); process context
 */
struct bpio_range_lock {
	spinlock_t lock;	/* @holders, @waiting */
	struct rb_root_cached holders;
	struct bio_list waiting;
	wait_queue_head_t dropped;
	struct work_struct work;
	void (*submit)(struct bpio_range_lock *ranges, struct bio *bio);
};

int bpio_range_lock_module_init(void);
void bpio_range_lock_module_exit(void);
void bpio_range_lock_init(struct bpio_range_lock *ranges,
			  void (*submit)(struct bpio_range_lock *ranges,
					 struct bio *bio));
void bpio_range_lock_exit(struct bpio_range_lock *ranges);
void bpio_range_hold(struct bpio_range_lock *ranges,
		     struct bpio_range_holder *holder);
void bpio_range_drop(struct bpio_range_lock *ranges,
		     struct bpio_range_holder *holder);
bool bpio_range_is_held(struct bpio_range_lock *ranges, u64 start, u64 last);
bool bpio_range_admit(struct bpio_range_lock *ranges, struct bio *bio);
void bpio_range_defer(struct bpio_range_lock *ranges, struct bio *bio);
void bpio_range_wait(struct bpio_range_lock *ranges, u64 start, u64 last);

#endif /* _DM_BPIO_RANGE_LOCK_H */
