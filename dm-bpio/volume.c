// SPDX-License-Identifier: GPL-2.0
/*
 * The registry: one volume per mapped device that has, or had, a ``bpio``
 * target; which targets are live; what suspend and resume mean to the gates.
 * It refuses to know who may object to what (bypass.c).
 */
#include <linux/blkdev.h>
#include <linux/slab.h>
#include "dm-bpio.h"
#include "trace.h"

/* Guards the registry, topology and state of all volumes: see dm-bpio.h. */
DEFINE_MUTEX(dm_bpio_lock);
LIST_HEAD(dm_bpio_volumes);
/*
 * The list changes under both locks.  With this one alone a copy, which is
 * inside a source_gate that dm_bpio_lock's holder may be draining, looks up.
 */
static DEFINE_SPINLOCK(dm_bpio_registry_lock);

static struct workqueue_struct *dm_bpio_wq;

static void dm_bpio_volume_destroy(struct dm_bpio_volume *vol)
{
	dm_bpio_marker_volume_exit(vol);
	dm_bpio_tokens_volume_exit(vol);
	bpio_range_lock_exit(&vol->ranges);
	bpio_gate_destroy(&vol->source_gate);
	bpio_gate_destroy(&vol->pub.gate);
	mutex_destroy(&vol->client_lock);
	mutex_destroy(&vol->lock);
	free_percpu(vol->pub.stats);
	kfree(vol->pub.map);
	kfree(vol);
}

static void dm_bpio_volume_free_work(struct work_struct *work)
{
	dm_bpio_volume_destroy(container_of(work, struct dm_bpio_volume,
					    free_work));
}

static void dm_bpio_volume_reask_work(struct work_struct *work)
{
	struct dm_bpio_volume *vol =
		container_of(work, struct dm_bpio_volume, reask_work);

	dm_bpio_reask(vol);
	dm_bpio_volume_release(vol);
}

/* The caller holds a reference to @vol. */
static void dm_bpio_volume_queue_reask(struct dm_bpio_volume *vol)
{
	dm_bpio_volume_hold(vol);
	if (!queue_work(dm_bpio_wq, &vol->reask_work))
		dm_bpio_volume_release(vol);
}

static struct dm_bpio_volume *dm_bpio_volume_alloc(struct mapped_device *md)
{
	struct gendisk *disk = dm_disk(md);
	struct dm_bpio_volume *vol;

	vol = kzalloc(sizeof(*vol), GFP_KERNEL);
	if (!vol)
		return NULL;
	vol->pub.stats = alloc_percpu(struct bpio_stats);
	if (!vol->pub.stats)
		goto err_vol;
	if (bpio_gate_init(&vol->pub.gate,
			   BIT(BPIO_GATE_IDLE) | BIT(BPIO_GATE_SUSPENDED)))
		goto err_stats;
	if (bpio_gate_init(&vol->source_gate, BIT(BPIO_GATE_SUSPENDED)))
		goto err_gate;
	if (dm_bpio_tokens_volume_init(vol))
		goto err_source_gate;

	strscpy(vol->pub.bdev_name, disk->disk_name,
		sizeof(vol->pub.bdev_name));
	atomic_set(&vol->nr_tokens, 0);
	atomic_set(&vol->nr_markers, 0);
	atomic_set(&vol->nr_watched, 0);
	bpio_range_lock_init(&vol->ranges, dm_bpio_write_submit);
	sema_init(&vol->host_room, DM_BPIO_HOST_MAX_INFLIGHT);
	kref_init(&vol->ref);
	INIT_WORK(&vol->free_work, dm_bpio_volume_free_work);
	INIT_WORK(&vol->reask_work, dm_bpio_volume_reask_work);
	INIT_LIST_HEAD(&vol->list);
	vol->devt = disk_devt(disk);
	vol->md = md;
	INIT_LIST_HEAD(&vol->targets);
	INIT_LIST_HEAD(&vol->incoming);
	mutex_init(&vol->lock);
	mutex_init(&vol->client_lock);
	spin_lock_init(&vol->fault_lock);
	dm_bpio_marker_volume_init(vol);
	return vol;

err_source_gate:
	bpio_gate_destroy(&vol->source_gate);
err_gate:
	bpio_gate_destroy(&vol->pub.gate);
err_stats:
	free_percpu(vol->pub.stats);
err_vol:
	kfree(vol);
	return NULL;
}

/**
 * dm_bpio_volume_lookup - find a volume in the registry
 * @devt: of a mapped device
 *
 * Context: dm_bpio_lock held.
 * Return: the volume, without a reference; NULL.
 */
struct dm_bpio_volume *dm_bpio_volume_lookup(dev_t devt)
{
	struct dm_bpio_volume *vol;

	lockdep_assert_held(&dm_bpio_lock);
	list_for_each_entry(vol, &dm_bpio_volumes, list)
		if (vol->devt == devt)
			return vol;
	return NULL;
}

/**
 * dm_bpio_volume_find - find a volume in the registry and hold it
 * @devt: of a mapped device
 *
 * Context: process context, inside a gate or not; takes a spinlock.
 * Return: the volume, with a reference; NULL when the device has no ``bpio``
 * target.  Whether it is a BypassIO volume is dm_bpio_volume_complete()'s
 * question.
 */
struct dm_bpio_volume *dm_bpio_volume_find(dev_t devt)
{
	struct dm_bpio_volume *vol, *found = NULL;

	spin_lock(&dm_bpio_registry_lock);
	list_for_each_entry(vol, &dm_bpio_volumes, list) {
		if (vol->devt == devt) {
			dm_bpio_volume_hold(vol);
			found = vol;
			break;
		}
	}
	spin_unlock(&dm_bpio_registry_lock);
	return found;
}

/**
 * dm_bpio_volume_create - find or make the volume of a mapped device
 * @md: mapped device, which stays while the caller is a user of the volume
 *
 * Context: may sleep; takes dm_bpio_lock.
 * Return: the volume with a reference and a use, given back by
 * dm_bpio_volume_leave(); NULL when out of memory.
 */
struct dm_bpio_volume *dm_bpio_volume_create(struct mapped_device *md)
{
	dev_t devt = disk_devt(dm_disk(md));
	struct dm_bpio_volume *vol, *new;

	new = dm_bpio_volume_alloc(md);
	if (!new)
		return NULL;

	mutex_lock(&dm_bpio_lock);
	vol = dm_bpio_volume_lookup(devt);
	if (vol) {
		dm_bpio_volume_hold(vol);
	} else {
		vol = new;
		new = NULL;
		spin_lock(&dm_bpio_registry_lock);
		list_add_tail(&vol->list, &dm_bpio_volumes);
		spin_unlock(&dm_bpio_registry_lock);
	}
	vol->users++;
	mutex_unlock(&dm_bpio_lock);

	if (new)
		dm_bpio_volume_destroy(new);
	return vol;
}

/* dm_bpio_lock held; the caller still has its reference. */
static void dm_bpio_volume_unuse(struct dm_bpio_volume *vol)
{
	if (--vol->users)
		return;
	spin_lock(&dm_bpio_registry_lock);
	list_del_init(&vol->list);
	spin_unlock(&dm_bpio_registry_lock);
}

/**
 * dm_bpio_volume_leave - stop using a volume
 * @vol: volume; without users it leaves the registry
 *
 * Context: may sleep; takes dm_bpio_lock.
 */
void dm_bpio_volume_leave(struct dm_bpio_volume *vol)
{
	mutex_lock(&dm_bpio_lock);
	dm_bpio_volume_unuse(vol);
	mutex_unlock(&dm_bpio_lock);
	dm_bpio_volume_release(vol);
}

/**
 * dm_bpio_volume_hold - take another reference
 * @vol: volume to which the caller has one
 *
 * Context: any.
 */
void dm_bpio_volume_hold(struct dm_bpio_volume *vol)
{
	kref_get(&vol->ref);
}

static void dm_bpio_volume_last(struct kref *ref)
{
	struct dm_bpio_volume *vol =
		container_of(ref, struct dm_bpio_volume, ref);

	queue_work(dm_bpio_wq, &vol->free_work);
}

/**
 * dm_bpio_volume_release - give a reference back
 * @vol: volume
 *
 * Context: any; the volume is freed from a workqueue.
 */
void dm_bpio_volume_release(struct dm_bpio_volume *vol)
{
	kref_put(&vol->ref, dm_bpio_volume_last);
}

/**
 * dm_bpio_volume_complete - is it a BypassIO volume?
 * @vol: volume
 *
 * Context: dm_bpio_lock held.
 * Return: true when every target of the live table is ``bpio``.
 */
bool dm_bpio_volume_complete(const struct dm_bpio_volume *vol)
{
	const struct dm_bpio *target;
	sector_t nr_sectors = 0;

	lockdep_assert_held(&dm_bpio_lock);
	list_for_each_entry(target, &vol->targets, list)
		nr_sectors += target->ti->len;
	return nr_sectors && nr_sectors == vol->table_sectors;
}

/**
 * dm_bpio_volume_target - the live target that holds a sector
 * @vol: volume
 * @sector: of the mapped device, 512 bytes each
 *
 * Context: inside @vol->source_gate, where the live targets are stable, or
 * with @vol->lock or dm_bpio_lock held.  Takes no lock.
 * Return: the target; NULL when no ``bpio`` target holds the sector.
 */
struct dm_bpio *dm_bpio_volume_target(struct dm_bpio_volume *vol,
				      sector_t sector)
{
	struct dm_bpio *target;

	list_for_each_entry(target, &vol->targets, list)
		if (sector - target->ti->begin < target->ti->len)
			return target;
	return NULL;
}

/* I/O may go on as far as suspends are concerned: ask, then open. */
static void dm_bpio_volume_wake(struct dm_bpio_volume *vol)
{
	if (dm_bpio_stack_suspended(vol))
		return;
	if (!list_empty(&vol->targets))
		bpio_gate_open(&vol->source_gate, BPIO_GATE_SUSPENDED);
	dm_bpio_volume_queue_reask(vol);
}

/* Different lower devices or offsets, differently cut, or less preserved. */
static bool dm_bpio_volume_differs(const struct list_head *old,
				   const struct list_head *new)
{
	const struct list_head *n = new->next;
	const struct dm_bpio *a, *b;

	list_for_each_entry(a, old, list) {
		if (n == new)
			return true;
		b = list_entry(n, struct dm_bpio, list);
		/* The reserve goes with its table. */
		if (a->preserve)
			return true;
		if (a->ti->begin != b->ti->begin || a->ti->len != b->ti->len ||
		    a->dev->bdev != b->dev->bdev ||
		    a->offset_sectors != b->offset_sectors)
			return true;
		n = n->next;
	}
	return n != new;
}

static void dm_bpio_volume_empty_list(struct list_head *list)
{
	while (!list_empty(list))
		list_del_init(list->next);
}

/**
 * dm_bpio_volume_add_target - a target's table is about to come up
 * @target: of the table that will be live; not yet so
 *
 * Called for every target of the table before dm_bpio_volume_resume() is
 * called for the first, so that the table comes up as a whole.
 *
 * Context: dm's preresume: md->suspend_lock held; takes dm_bpio_lock.
 */
void dm_bpio_volume_add_target(struct dm_bpio *target)
{
	struct dm_bpio_volume *vol = target->vol;
	struct dm_table *table = target->ti->table;

	mutex_lock(&dm_bpio_lock);
	if (list_empty(&target->list)) {
		if (vol->incoming_table != table)
			dm_bpio_volume_empty_list(&vol->incoming);
		vol->incoming_table = table;
		list_add_tail(&target->list, &vol->incoming);
	}
	mutex_unlock(&dm_bpio_lock);
}

/**
 * dm_bpio_volume_resume - the live table takes I/O from now on
 * @target: one target of the live table
 *
 * Makes an incoming table the live one, kills the tokens of every volume
 * whose data now lie elsewhere, and has the stacks concerned asked again,
 * from a workqueue since md->suspend_lock is held here.
 *
 * Context: dm's resume and presuspend_undo: md->suspend_lock held; no I/O has
 * been let in yet.  Takes dm_bpio_lock.
 */
void dm_bpio_volume_resume(struct dm_bpio *target)
{
	struct dm_bpio_volume *vol = target->vol, *pos;
	struct dm_table *table = target->ti->table;
	bool changed = false, moved = false;

	mutex_lock(&dm_bpio_lock);
	if (vol->incoming_table == table) {
		changed = true;
		moved = dm_bpio_volume_differs(&vol->targets, &vol->incoming);
		mutex_lock(&vol->lock);
		dm_bpio_volume_empty_list(&vol->targets);
		list_splice_init(&vol->incoming, &vol->targets);
		mutex_unlock(&vol->lock);
		vol->live_table = table;
		vol->incoming_table = NULL;
		vol->table_sectors = dm_table_get_size(table);
	}
	if (changed || vol->suspended) {
		vol->suspended = false;
		list_for_each_entry(pos, &dm_bpio_volumes, list) {
			if (!dm_bpio_volume_runs_through(pos, vol))
				continue;
			if (moved)
				dm_bpio_tokens_revoke(pos);
			dm_bpio_volume_wake(pos);
		}
		trace_bpio_state(vol->pub.bdev_name, "resume", vol->enabled,
				 vol->pub.gate.closed);
	}
	mutex_unlock(&dm_bpio_lock);
}

/*
 * @vol, or a volume above it, with a gate that still drains.  Those of its own
 * token copies are dm_bpio_volume_postsuspend()'s affair.  Return: with a
 * reference.
 */
static struct dm_bpio_volume *
dm_bpio_volume_draining(const struct dm_bpio_volume *vol)
{
	struct dm_bpio_volume *pos, *found = NULL;

	mutex_lock(&dm_bpio_lock);
	list_for_each_entry(pos, &dm_bpio_volumes, list) {
		if (!bpio_gate_is_draining(&pos->pub.gate) &&
		    (pos == vol || !bpio_gate_is_draining(&pos->source_gate)))
			continue;
		if (!dm_bpio_volume_runs_through(pos, vol))
			continue;
		dm_bpio_volume_hold(pos);
		found = pos;
		break;
	}
	mutex_unlock(&dm_bpio_lock);
	return found;
}

/**
 * dm_bpio_volume_presuspend - a suspend begins: pause and drain the bypass
 * @target: one target of the live table
 *
 * Here and in every volume above, whose bypassed reads and token copies do
 * not pass through map() of the device that is being suspended.
 *
 * The gates are shut under dm_bpio_lock and drained without it: what is inside
 * may wait for another device that is suspended, whose resume takes the lock.
 *
 * Context: dm's presuspend: md->suspend_lock held; I/O still flows.  Waits
 * for bypassed reads, and for token copies of the volumes above.  Takes
 * dm_bpio_lock.
 */
void dm_bpio_volume_presuspend(struct dm_bpio *target)
{
	struct dm_bpio_volume *vol = target->vol, *pos;

	mutex_lock(&dm_bpio_lock);
	if (!vol->suspended) {
		vol->suspended = true;
		list_for_each_entry(pos, &dm_bpio_volumes, list) {
			if (!dm_bpio_volume_runs_through(pos, vol))
				continue;
			bpio_gate_shut(&pos->pub.gate, BPIO_GATE_SUSPENDED);
			if (pos != vol)
				bpio_gate_shut(&pos->source_gate,
					       BPIO_GATE_SUSPENDED);
		}
		trace_bpio_state(vol->pub.bdev_name, "suspend", vol->enabled,
				 vol->pub.gate.closed);
	}
	mutex_unlock(&dm_bpio_lock);

	while ((pos = dm_bpio_volume_draining(vol))) {
		bpio_gate_drain(&pos->pub.gate);
		if (pos != vol)
			bpio_gate_drain(&pos->source_gate);
		dm_bpio_volume_release(pos);
	}
}

/**
 * dm_bpio_volume_postsuspend - all I/O has ended: keep token copies out too
 * @target: one target of the live table
 *
 * Not earlier: a marker write in flight through map() needs its source.
 *
 * Context: dm's postsuspend: md->suspend_lock held.  Waits for copies that
 * read from the volume, or write to it past map().
 */
void dm_bpio_volume_postsuspend(struct dm_bpio *target)
{
	bpio_gate_close(&target->vol->source_gate, BPIO_GATE_SUSPENDED);
}

/**
 * dm_bpio_volume_del_target - a target is being destroyed
 * @target: of a table that is no longer live, or never was
 *
 * When it was the last one of a table that no other ``bpio`` table replaced,
 * tokens of the volume and of those above die and their stacks are asked
 * again.  Gives the target's use of the volume back.
 *
 * Context: dm's dtr; may sleep; takes dm_bpio_lock.
 */
void dm_bpio_volume_del_target(struct dm_bpio *target)
{
	struct dm_bpio_volume *vol = target->vol, *pos;
	bool gone = false;

	mutex_lock(&dm_bpio_lock);
	if (!list_empty(&target->list)) {
		if (target->preserve && target->ti->table == vol->live_table)
			dm_bpio_tokens_revoke(vol);
		mutex_lock(&vol->lock);
		list_del_init(&target->list);
		mutex_unlock(&vol->lock);
		gone = target->ti->table == vol->live_table &&
			list_empty(&vol->targets);
	}
	if (list_empty(&vol->incoming))
		vol->incoming_table = NULL;
	if (gone) {
		vol->live_table = NULL;
		vol->table_sectors = 0;
		vol->suspended = false;
		list_for_each_entry(pos, &dm_bpio_volumes, list) {
			if (!dm_bpio_volume_runs_through(pos, vol))
				continue;
			dm_bpio_tokens_revoke(pos);
			dm_bpio_volume_wake(pos);
		}
	}
	dm_bpio_volume_unuse(vol);
	mutex_unlock(&dm_bpio_lock);
	dm_bpio_volume_release(vol);
}

/**
 * dm_bpio_volume_init - prepare the registry
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int dm_bpio_volume_init(void)
{
	dm_bpio_wq = alloc_workqueue("dm_bpio", WQ_UNBOUND, 0);
	return dm_bpio_wq ? 0 : -ENOMEM;
}

/**
 * dm_bpio_volume_exit - wait until the last volume has been freed
 *
 * Context: module exit; no target, file system or token is left.
 */
void dm_bpio_volume_exit(void)
{
	destroy_workqueue(dm_bpio_wq);
	/* A volume that was just freed had idle markers, which RCU frees. */
	rcu_barrier();
	WARN_ON(!list_empty(&dm_bpio_volumes));
}
