// SPDX-License-Identifier: GPL-2.0
/*
 * A lock on ranges of a volume: commands that read a token's data hold their
 * source range until the device has read it, and writes wait for the holders
 * that they overlap.  Knows ranges and bios, and nothing of tokens: whether a
 * range may still be held is decided by token-store.c.
 *
 * A holder waits for nothing but the device that it reads from.  In particular
 * it never waits for a write, so the writes that wait for it always go on.
 */
#include <linux/blkdev.h>
#include <linux/interval_tree_generic.h>
#include <linux/module.h>
#include <bpio/compat.h>
#include "range-lock.h"

static struct workqueue_struct *range_lock_wq;

#define holder_start(holder)	((holder)->start)
#define holder_last(holder)	((holder)->last)
INTERVAL_TREE_DEFINE(struct bpio_range_holder, rb, u64, subtree_last,
		     holder_start, holder_last, static __maybe_unused,
		     holder_tree)

/* Submit what has waited; what a holder overlaps will wait again. */
static void range_lock_work(struct work_struct *work)
{
	struct bpio_range_lock *ranges =
		container_of(work, struct bpio_range_lock, work);
	struct blk_plug plug;
	unsigned int nr;
	struct bio *bio;

	spin_lock_irq(&ranges->lock);
	nr = bio_list_size(&ranges->waiting);
	spin_unlock_irq(&ranges->lock);
	blk_start_plug(&plug);
	while (nr--) {
		spin_lock_irq(&ranges->lock);
		bio = bio_list_pop(&ranges->waiting);
		spin_unlock_irq(&ranges->lock);
		if (bio)
			ranges->submit(ranges, bio);
		cond_resched();
	}
	blk_finish_plug(&plug);
}

/**
 * bpio_range_lock_init - prepare a lock that nobody holds
 * @ranges: lock
 * @submit: submits a bio that has waited, by bpio_range_admit(); process
 *	context
 */
void bpio_range_lock_init(struct bpio_range_lock *ranges,
			  void (*submit)(struct bpio_range_lock *ranges,
					 struct bio *bio))
{
	spin_lock_init(&ranges->lock);
	ranges->holders = RB_ROOT_CACHED;
	bio_list_init(&ranges->waiting);
	init_waitqueue_head(&ranges->dropped);
	INIT_WORK(&ranges->work, range_lock_work);
	ranges->submit = submit;
}
BPIO_EXPORT_FOR_KUNIT(bpio_range_lock_init);

/**
 * bpio_range_lock_exit - the lock goes
 * @ranges: lock that nobody holds and nothing waits for
 *
 * Context: may sleep.
 */
void bpio_range_lock_exit(struct bpio_range_lock *ranges)
{
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&ranges->holders.rb_root));
	flush_work(&ranges->work);
}
BPIO_EXPORT_FOR_KUNIT(bpio_range_lock_exit);

/**
 * bpio_range_hold - hold a range against writes
 * @ranges: lock
 * @holder: the range, its @start and @last set; the caller's until
 *	bpio_range_drop()
 *
 * Does not wait: a write that was submitted before is the caller's to rule out.
 * Between this call and bpio_range_drop() nothing but a read of the range may be
 * waited for.
 *
 * Context: any.
 */
void bpio_range_hold(struct bpio_range_lock *ranges,
		     struct bpio_range_holder *holder)
{
	unsigned long flags;

	spin_lock_irqsave(&ranges->lock, flags);
	holder_tree_insert(holder, &ranges->holders);
	spin_unlock_irqrestore(&ranges->lock, flags);
}
BPIO_EXPORT_FOR_KUNIT(bpio_range_hold);

/**
 * bpio_range_drop - let writes to a range go on
 * @ranges: lock
 * @holder: from bpio_range_hold()
 *
 * Context: any.
 */
void bpio_range_drop(struct bpio_range_lock *ranges,
		     struct bpio_range_holder *holder)
{
	unsigned long flags;

	spin_lock_irqsave(&ranges->lock, flags);
	holder_tree_remove(holder, &ranges->holders);
	if (!bio_list_empty(&ranges->waiting))
		queue_work(range_lock_wq, &ranges->work);
	/* Under the lock, whose holder the last waiter takes once more. */
	wake_up_all(&ranges->dropped);
	spin_unlock_irqrestore(&ranges->lock, flags);
}
BPIO_EXPORT_FOR_KUNIT(bpio_range_drop);

/**
 * bpio_range_is_held - does a holder overlap a range
 * @ranges: lock
 * @start: first sector
 * @last: last sector
 *
 * Context: any.
 */
bool bpio_range_is_held(struct bpio_range_lock *ranges, u64 start, u64 last)
{
	unsigned long flags;
	bool held;

	spin_lock_irqsave(&ranges->lock, flags);
	held = holder_tree_iter_first(&ranges->holders, start, last);
	spin_unlock_irqrestore(&ranges->lock, flags);
	return held;
}
BPIO_EXPORT_FOR_KUNIT(bpio_range_is_held);

/**
 * bpio_range_admit - may a write be submitted
 * @ranges: lock
 * @bio: write, discard or the like of at least one sector, its sector that of
 *	the volume
 *
 * The caller has made sure that nobody begins to hold a part of the range.
 *
 * Context: any.
 * Return: true when no holder overlaps it; false: it is submitted when none
 * does any more.
 */
bool bpio_range_admit(struct bpio_range_lock *ranges, struct bio *bio)
{
	u64 start = bio->bi_iter.bi_sector;
	unsigned long flags;
	bool held;

	/* Empty as a rule; the caller's lock of the tokens orders the load. */
	if (!READ_ONCE(ranges->holders.rb_root.rb_node))
		return true;
	spin_lock_irqsave(&ranges->lock, flags);
	held = holder_tree_iter_first(&ranges->holders, start,
				      start + bio_sectors(bio) - 1);
	if (held) {
		/* A bio that has not been submitted cannot be polled for. */
		bio_clear_polled(bio);
		bio_list_add(&ranges->waiting, bio);
	}
	spin_unlock_irqrestore(&ranges->lock, flags);
	return !held;
}
BPIO_EXPORT_FOR_KUNIT(bpio_range_admit);

/**
 * bpio_range_defer - submit a write from a work
 * @ranges: lock
 * @bio: write whose submission takes longer than its context allows
 *
 * Context: any.
 */
void bpio_range_defer(struct bpio_range_lock *ranges, struct bio *bio)
{
	unsigned long flags;

	bio_clear_polled(bio);
	spin_lock_irqsave(&ranges->lock, flags);
	bio_list_add(&ranges->waiting, bio);
	queue_work(range_lock_wq, &ranges->work);
	spin_unlock_irqrestore(&ranges->lock, flags);
}

/**
 * bpio_range_wait - wait until no holder overlaps a range
 * @ranges: lock
 * @start: first sector
 * @last: last sector
 *
 * For writes that are no bios.  The caller has made sure that nobody begins to
 * hold a part of the range, and holds none itself.
 *
 * Context: process; sleeps as long as the device takes to read.
 */
void bpio_range_wait(struct bpio_range_lock *ranges, u64 start, u64 last)
{
	wait_event(ranges->dropped, !bpio_range_is_held(ranges, start, last));
}
BPIO_EXPORT_FOR_KUNIT(bpio_range_wait);

/* Return: 0 or -ENOMEM. */
int bpio_range_lock_module_init(void)
{
	range_lock_wq = alloc_workqueue("bpio_writes", WQ_MEM_RECLAIM, 0);
	return range_lock_wq ? 0 : -ENOMEM;
}

/* No volume is left. */
void bpio_range_lock_module_exit(void)
{
	destroy_workqueue(range_lock_wq);
}
