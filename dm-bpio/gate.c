// SPDX-License-Identifier: GPL-2.0
/*
 * The gate: admits I/O at the cost of one per-cpu reference, or keeps it out
 * and waits for what is inside.  It refuses to know why it is closed; every
 * reason is a bit, and it opens when none is left.
 */
#include <linux/module.h>
#include "dm-bpio.h"

static void bpio_gate_release(struct percpu_ref *ref)
{
	struct bpio_gate *gate = container_of(ref, struct bpio_gate, ref);

	complete_all(&gate->drained);
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
	mutex_init(&gate->lock);
	init_completion(&gate->drained);
	gate->closed = closed;
	if (closed)
		complete_all(&gate->drained);
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
	mutex_destroy(&gate->lock);
}
EXPORT_SYMBOL_GPL(bpio_gate_destroy);

/**
 * bpio_gate_close - keep I/O out and wait for what is inside
 * @gate: gate
 * @reason: why; repeating a reason is fine, reasons are not counted
 *
 * Context: may sleep; waits for every I/O in flight (the drain of R-FS-50),
 * which must not need a lock that the caller holds.  Takes @gate->lock.
 */
void bpio_gate_close(struct bpio_gate *gate, enum bpio_gate_reason reason)
{
	unsigned long closed;

	mutex_lock(&gate->lock);
	closed = gate->closed;
	WRITE_ONCE(gate->closed, closed | BIT(reason));
	if (!closed) {
		reinit_completion(&gate->drained);
		percpu_ref_kill(&gate->ref);
	}
	/* With the lock held: nobody reopens a gate that is not yet empty. */
	wait_for_completion(&gate->drained);
	mutex_unlock(&gate->lock);
}
EXPORT_SYMBOL_GPL(bpio_gate_close);

/**
 * bpio_gate_open - take one reason away
 * @gate: gate
 * @reason: no longer holds; the gate opens when it was the last one
 *
 * Context: may sleep, for a bpio_gate_close() that still drains.  Takes
 * @gate->lock.
 */
void bpio_gate_open(struct bpio_gate *gate, enum bpio_gate_reason reason)
{
	unsigned long closed;

	mutex_lock(&gate->lock);
	closed = gate->closed;
	WRITE_ONCE(gate->closed, closed & ~BIT(reason));
	if (closed && !gate->closed)
		percpu_ref_reinit(&gate->ref);
	mutex_unlock(&gate->lock);
}
EXPORT_SYMBOL_GPL(bpio_gate_open);
