// SPDX-License-Identifier: GPL-2.0
/*
 * The gate: admits I/O at the cost of one per-cpu reference, or keeps it out
 * and waits for what is inside.  Each reason to be closed is a bit; the gate
 * opens when the last bit is cleared and the last I/O has left.
 *
 * Closing a gate never sleeps, and neither does opening one.  Only draining it
 * does, and takes no lock for that: whoever would end the wait cannot be kept
 * from doing so.
 */
#include <linux/module.h>
#include "dm-bpio.h"

/* Nothing is inside: open the gate if all reasons have been cleared meanwhile. */
static void bpio_gate_release(struct percpu_ref *ref)
{
	struct bpio_gate *gate = container_of(ref, struct bpio_gate, ref);
	unsigned long flags;

	spin_lock_irqsave(&gate->lock, flags);
	if (gate->closed) {
		WRITE_ONCE(gate->state, BPIO_GATE_EMPTY);
	} else {
		WRITE_ONCE(gate->state, BPIO_GATE_OPEN);
		percpu_ref_reinit(&gate->ref);
	}
	gate->nr_drained++;
	wake_up_all(&gate->drained);
	spin_unlock_irqrestore(&gate->lock, flags);
}

/**
 * bpio_gate_init - prepare a gate
 * @gate: gate
 * @closed: bits of enum bpio_gate_reason for which it is closed to begin
 *	with; 0: open
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int bpio_gate_init(struct bpio_gate *gate, unsigned long closed)
{
	init_waitqueue_head(&gate->drained);
	spin_lock_init(&gate->lock);
	gate->closed = closed;
	gate->state = closed ? BPIO_GATE_EMPTY : BPIO_GATE_OPEN;
	gate->nr_drained = 0;
	return percpu_ref_init(&gate->ref, bpio_gate_release,
			       PERCPU_REF_ALLOW_REINIT |
			       (closed ? PERCPU_REF_INIT_DEAD : 0),
			       GFP_KERNEL);
}
EXPORT_SYMBOL_GPL(bpio_gate_init);

/**
 * bpio_gate_destroy - close and drain a gate for good
 * @gate: gate, which nobody will enter, open or close from here on
 *
 * Context: may sleep; waits for what is inside.
 */
void bpio_gate_destroy(struct bpio_gate *gate)
{
	bpio_gate_close(gate, BPIO_GATE_DRAIN);
	percpu_ref_exit(&gate->ref);
}
EXPORT_SYMBOL_GPL(bpio_gate_destroy);

/**
 * bpio_gate_shut - keep I/O out from now on
 * @gate: gate
 * @reason: why; repeating a reason is fine, reasons are not counted
 *
 * Does not wait for what is inside; bpio_gate_drain() does.
 *
 * Context: any.
 */
void bpio_gate_shut(struct bpio_gate *gate, enum bpio_gate_reason reason)
{
	unsigned long flags;

	spin_lock_irqsave(&gate->lock, flags);
	WRITE_ONCE(gate->closed, gate->closed | BIT(reason));
	if (gate->state == BPIO_GATE_OPEN) {
		WRITE_ONCE(gate->state, BPIO_GATE_DRAINING);
		/* Cannot be the last reference: the RCU callback has one. */
		percpu_ref_kill(&gate->ref);
	}
	spin_unlock_irqrestore(&gate->lock, flags);
}
EXPORT_SYMBOL_GPL(bpio_gate_shut);

/**
 * bpio_gate_drain - wait until what was inside has left
 * @gate: gate that the caller has shut
 *
 * Returns when each I/O that was inside as the gate was shut has left, even if
 * the gate has been opened since.
 *
 * Context: may sleep, as long as the I/O takes (the drain of R-FS-50).  The
 * caller holds no lock that this I/O needs, or that the end of what it waits
 * for needs: not dm_bpio_lock.
 */
void bpio_gate_drain(struct bpio_gate *gate)
{
	unsigned int nr;

	spin_lock_irq(&gate->lock);
	nr = gate->nr_drained;
	wait_event_lock_irq(gate->drained,
			    gate->state != BPIO_GATE_DRAINING ||
			    gate->nr_drained != nr,
			    gate->lock);
	spin_unlock_irq(&gate->lock);
}
EXPORT_SYMBOL_GPL(bpio_gate_drain);

/**
 * bpio_gate_close - keep I/O out and wait for what is inside
 * @gate: gate
 * @reason: why; repeating a reason is fine, reasons are not counted
 *
 * Context: as bpio_gate_drain().
 */
void bpio_gate_close(struct bpio_gate *gate, enum bpio_gate_reason reason)
{
	might_sleep();
	bpio_gate_shut(gate, reason);
	bpio_gate_drain(gate);
}
EXPORT_SYMBOL_GPL(bpio_gate_close);

/**
 * bpio_gate_open - take one reason away
 * @gate: gate
 * @reason: no longer holds
 *
 * With the last reason gone the gate opens, at once or, while it still drains,
 * when it is empty.
 *
 * Context: any.
 */
void bpio_gate_open(struct bpio_gate *gate, enum bpio_gate_reason reason)
{
	unsigned long flags;

	spin_lock_irqsave(&gate->lock, flags);
	WRITE_ONCE(gate->closed, gate->closed & ~BIT(reason));
	if (!gate->closed && gate->state == BPIO_GATE_EMPTY) {
		WRITE_ONCE(gate->state, BPIO_GATE_OPEN);
		percpu_ref_reinit(&gate->ref);
	}
	spin_unlock_irqrestore(&gate->lock, flags);
}
EXPORT_SYMBOL_GPL(bpio_gate_open);
