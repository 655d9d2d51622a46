// SPDX-License-Identifier: GPL-2.0
/*
 * The storage leg of BypassIO: query, enable, disable; who objects and why;
 * forwarding down the stack; the flattened map behind an open gate (protocol
 * 6.6 and 8).  It refuses to know what a file is.
 */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "dm-bpio.h"
#include "trace.h"

static bool dm_bpio_gate_has(const struct dm_bpio_volume *vol,
			     enum bpio_gate_reason reason)
{
	return READ_ONCE(vol->pub.gate.closed) & BIT(reason);
}

static struct gendisk *dm_bpio_disk(const struct dm_bpio *target)
{
	return target->dev->bdev->bd_disk;
}

/* The registered volume right below, whether all of its table is bpio or not. */
static struct dm_bpio_volume *dm_bpio_below_volume(const struct dm_bpio *target)
{
	return dm_bpio_volume_lookup(disk_devt(dm_bpio_disk(target)));
}

/* The volume to which this target forwards; NULL: none, look at ->below. */
static struct dm_bpio_volume *dm_bpio_lower_volume(const struct dm_bpio *target)
{
	struct dm_bpio_volume *lower = dm_bpio_below_volume(target);

	return lower && dm_bpio_volume_complete(lower) ? lower : NULL;
}

/* Is its table ``bpio`` in part only?  @vol may be NULL. */
static bool dm_bpio_is_mixed(const struct dm_bpio_volume *vol)
{
	return vol && !list_empty(&vol->targets) &&
	       !dm_bpio_volume_complete(vol);
}

/* A device that several targets use is asked once. */
static bool dm_bpio_first_of_device(const struct dm_bpio_volume *vol,
				    const struct dm_bpio *target)
{
	const struct dm_bpio *pos;

	list_for_each_entry(pos, &vol->targets, list) {
		if (pos == target)
			return true;
		if (dm_bpio_disk(pos) == dm_bpio_disk(target))
			return false;
	}
	return true;
}

static bool dm_bpio_is_above(const struct dm_bpio_volume *upper,
			     const struct dm_bpio_volume *vol,
			     unsigned int depth)
{
	const struct dm_bpio_volume *lower;
	const struct dm_bpio *target;

	if (depth >= DM_BPIO_MAX_DEPTH)
		return false;
	list_for_each_entry(target, &upper->targets, list) {
		lower = dm_bpio_below_volume(target);
		if (lower == vol ||
		    (lower && dm_bpio_is_above(lower, vol, depth + 1)))
			return true;
	}
	return false;
}

/**
 * dm_bpio_volume_runs_through - does the I/O of one volume reach another?
 * @upper: volume nearer the file system
 * @vol: volume nearer the device, or the same
 *
 * Context: dm_bpio_lock held.
 * Return: true when they are the same, or a live target of @upper, or of a
 * volume below it, lies on @vol.
 */
bool dm_bpio_volume_runs_through(const struct dm_bpio_volume *upper,
				 const struct dm_bpio_volume *vol)
{
	return upper == vol || dm_bpio_is_above(upper, vol, 0);
}

static bool dm_bpio_is_suspended(const struct dm_bpio_volume *vol,
				 unsigned int depth)
{
	const struct dm_bpio_volume *lower;
	const struct dm_bpio *target;

	if (vol->suspended)
		return true;
	if (depth >= DM_BPIO_MAX_DEPTH)
		return false;
	list_for_each_entry(target, &vol->targets, list) {
		lower = dm_bpio_below_volume(target);
		if (lower && dm_bpio_is_suspended(lower, depth + 1))
			return true;
	}
	return false;
}

/**
 * dm_bpio_stack_suspended - is a layer of the stack suspended?
 * @vol: volume
 *
 * Context: dm_bpio_lock held.
 * Return: true when @vol or a volume below it is suspended.
 */
bool dm_bpio_stack_suspended(const struct dm_bpio_volume *vol)
{
	return dm_bpio_is_suspended(vol, 0);
}

static bool dm_bpio_stack_enabled(const struct dm_bpio_volume *vol,
				  unsigned int depth)
{
	const struct dm_bpio_volume *lower;
	const struct dm_bpio *target;

	if (!vol->enabled || dm_bpio_gate_has(vol, BPIO_GATE_VETOED))
		return false;
	if (depth >= DM_BPIO_MAX_DEPTH)
		return true;
	list_for_each_entry(target, &vol->targets, list) {
		lower = dm_bpio_lower_volume(target);
		if (lower && !dm_bpio_stack_enabled(lower, depth + 1))
			return false;
	}
	return true;
}

/* ---- the map ------------------------------------------------------------ */

static int dm_bpio_map_append(struct bpio_map **map,
			      const struct bpio_map_entry *new)
{
	unsigned int nr = *map ? (*map)->nr : 0;
	struct bpio_map *bigger;

	if (nr) {
		struct bpio_map_entry *last = &(*map)->entry[nr - 1];

		if (last->bdev == new->bdev &&
		    last->lower_sectors + last->nr_sectors ==
		    new->lower_sectors) {
			last->nr_sectors += new->nr_sectors;
			return 0;
		}
	}
	bigger = krealloc(*map, struct_size(bigger, entry, nr + 1), GFP_NOIO);
	if (!bigger)
		return -ENOMEM;
	bigger->entry[nr] = *new;
	bigger->nr = nr + 1;
	*map = bigger;
	return 0;
}

/* Append where [sector, sector + nr_sectors) of @vol lies, as seen at @at. */
static int dm_bpio_map_range(struct bpio_map **map,
			     const struct dm_bpio_volume *vol, sector_t sector,
			     sector_t nr_sectors, sector_t at,
			     unsigned int depth)
{
	const struct dm_bpio *target;
	int ret = 0;

	if (depth > DM_BPIO_MAX_DEPTH)
		return -ELOOP;
	list_for_each_entry(target, &vol->targets, list) {
		const struct dm_bpio_volume *lower;
		struct bpio_map_entry e;
		sector_t skip = 0;

		if (sector + nr_sectors <= target->ti->begin ||
		    sector >= target->ti->begin + target->ti->len)
			continue;
		if (sector > target->ti->begin)
			skip = sector - target->ti->begin;
		e.start_sectors = at + target->ti->begin + skip - sector;
		e.nr_sectors = min(target->ti->len - skip,
				   sector + nr_sectors -
				   (target->ti->begin + skip));
		e.bdev = target->dev->bdev;
		e.lower_sectors = target->offset_sectors + skip;

		lower = dm_bpio_lower_volume(target);
		if (lower)
			ret = dm_bpio_map_range(map, lower,
						e.lower_sectors +
						get_start_sect(e.bdev),
						e.nr_sectors, e.start_sectors,
						depth + 1);
		else
			ret = dm_bpio_map_append(map, &e);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * The stack agrees: make a map, and clear the reasons that a request clears.
 * Each of these is set and cleared under dm_bpio_lock, so a gate that is closed
 * for one stays closed here, and what it drained cannot come back: the old map has
 * no user.  Context: after dm_bpio_lock_drained().
 */
static int dm_bpio_publish(struct dm_bpio_volume *vol)
{
	const unsigned long stale = BIT(BPIO_GATE_IDLE) |
		BIT(BPIO_GATE_VETOED) | BIT(BPIO_GATE_SUSPENDED);
	struct bpio_map *map = NULL;
	int ret;

	/* Every change of the topology goes through a suspend. */
	if (!(READ_ONCE(vol->pub.gate.closed) & stale))
		return 0;
	ret = dm_bpio_map_range(&map, vol, 0, vol->table_sectors, 0, 0);
	if (!ret && !map)
		ret = -ENXIO;
	if (ret) {
		kfree(map);
		return ret;
	}
	WARN_ON_ONCE(bpio_gate_is_draining(&vol->pub.gate));
	kfree(vol->pub.map);
	vol->pub.map = map;
	bpio_gate_open(&vol->pub.gate, BPIO_GATE_IDLE);
	bpio_gate_open(&vol->pub.gate, BPIO_GATE_VETOED);
	trace_bpio_state(vol->pub.bdev_name, "enabled", true,
			 vol->pub.gate.closed);
	return 0;
}

/* ---- draining ----------------------------------------------------------- */

/* @vol, or a volume below it, whose gate drains; with a reference. */
static struct dm_bpio_volume *
dm_bpio_draining(const struct dm_bpio_volume *vol)
{
	struct dm_bpio_volume *pos;

	list_for_each_entry(pos, &dm_bpio_volumes, list) {
		if (!bpio_gate_is_draining(&pos->pub.gate) ||
		    !dm_bpio_volume_runs_through(vol, pos))
			continue;
		dm_bpio_volume_hold(pos);
		return pos;
	}
	return NULL;
}

/*
 * Take dm_bpio_lock at a moment when no gate of @vol and of what lies below it
 * drains.  The lock is not held while they do: an I/O inside may need the
 * resume, or the removal, of another device.
 */
static void dm_bpio_lock_drained(struct dm_bpio_volume *vol)
{
	struct dm_bpio_volume *pos;

	mutex_lock(&dm_bpio_lock);
	while ((pos = dm_bpio_draining(vol))) {
		mutex_unlock(&dm_bpio_lock);
		bpio_gate_drain(&pos->pub.gate);
		dm_bpio_volume_release(pos);
		mutex_lock(&dm_bpio_lock);
	}
}

/* Wait for what was inside the gates that were shut under dm_bpio_lock. */
static void dm_bpio_drain(struct dm_bpio_volume *vol)
{
	dm_bpio_lock_drained(vol);
	mutex_unlock(&dm_bpio_lock);
}

/* ---- the walk ----------------------------------------------------------- */

static void dm_bpio_object(struct dm_bpio_volume *vol, u32 operation,
			   struct bpio_results *results, s32 status,
			   const char *driver, const char *reason)
{
	bpio_stat_add(&vol->pub, BPIO_STAT_VETOES, 1);
	trace_bpio_veto(vol->pub.bdev_name, operation, status, driver, reason);
	bpio_results_set(results, status, driver, reason);
}

/* Objections of the layer itself, R-STG-4: nobody below sees the request. */
static void dm_bpio_ask_layer(struct dm_bpio_volume *vol, u32 operation,
			      struct bpio_results *results, unsigned int depth)
{
	const struct dm_bpio *target;

	if (vol->veto) {
		dm_bpio_object(vol, operation, results, vol->veto_status,
			       vol->veto_driver, vol->veto_reason);
		return;
	}
	/* R-STG-2 */
	list_for_each_entry(target, &vol->targets, list) {
		if (target->no_bypassio) {
			dm_bpio_object(vol, operation, results,
				       STATUS_NO_BYPASSIO_DRIVER_SUPPORT,
				       target->driver_name,
				       "The layer has not opted in to BypassIO.");
			return;
		}
	}
	if (depth >= DM_BPIO_MAX_DEPTH)
		dm_bpio_object(vol, operation, results,
			       STATUS_NO_BYPASSIO_DRIVER_SUPPORT,
			       DM_BPIO_DRIVER_NAME,
			       "There are too many layers below.");
}

/* What lies below is no bpio volume. */
static void dm_bpio_ask_bottom(struct dm_bpio_volume *vol, u32 operation,
			       const struct dm_bpio *target,
			       struct bpio_results *results)
{
	const struct dm_bpio_below *below = &target->below;

	if (target->any_storage || (below->bottom && below->compatible))
		return;
	dm_bpio_object(vol, operation, results,
		       STATUS_NO_BYPASSIO_DRIVER_SUPPORT, below->driver,
		       below->bottom ?
		       "The storage driver does not support BypassIO." :
		       dm_bpio_is_mixed(dm_bpio_below_volume(target)) ?
		       "The table below has targets other than bpio." :
		       "The layer below has not opted in to BypassIO.");
}

static void dm_bpio_disable_lower(struct dm_bpio_volume *vol,
				  const struct dm_bpio *end,
				  unsigned int depth);

/*
 * R-STG-6: leave the enabled state, clean up, forward; never failed.  The map
 * stays for who is still inside the gate: until the next ENABLE.
 */
static void dm_bpio_disable(struct dm_bpio_volume *vol, unsigned int depth)
{
	bpio_stat_add(&vol->pub, BPIO_STAT_DISABLES, 1);
	vol->enabled = false;
	bpio_gate_shut(&vol->pub.gate, BPIO_GATE_IDLE);
	bpio_gate_open(&vol->pub.gate, BPIO_GATE_VETOED);
	trace_bpio_state(vol->pub.bdev_name, "disabled", false,
			 vol->pub.gate.closed);
	dm_bpio_disable_lower(vol, NULL, depth);
}

/* Forward DISABLE for the targets before @end; NULL: for all of them. */
static void dm_bpio_disable_lower(struct dm_bpio_volume *vol,
				  const struct dm_bpio *end,
				  unsigned int depth)
{
	struct dm_bpio_volume *lower;
	const struct dm_bpio *target;

	if (depth >= DM_BPIO_MAX_DEPTH)
		return;
	list_for_each_entry(target, &vol->targets, list) {
		if (target == end)
			break;
		lower = dm_bpio_lower_volume(target);
		if (lower && dm_bpio_first_of_device(vol, target))
			dm_bpio_disable(lower, depth + 1);
	}
}

/*
 * ENABLE or QUERY, top down (R-STG-4, -5, -7, -8).  @results arrives zeroed.
 * An ENABLE that a layer refuses leaves no layer enabled; a QUERY changes
 * nothing, whatever the answer.  ENABLE: after dm_bpio_lock_drained(), and with
 * dm_bpio_drain() to follow.
 */
static s32 dm_bpio_ask(struct dm_bpio_volume *vol, u32 operation,
		       struct bpio_results *results, unsigned int depth)
{
	bool enable = operation == BPIO_OP_ENABLE;
	struct dm_bpio_volume *lower;
	const struct dm_bpio *target;
	s32 status = STATUS_SUCCESS;

	bpio_stat_add(&vol->pub,
		      enable ? BPIO_STAT_ENABLES : BPIO_STAT_QUERIES, 1);

	dm_bpio_ask_layer(vol, operation, results, depth);
	if (results->op_status)
		goto refused;

	list_for_each_entry(target, &vol->targets, list) {
		if (!dm_bpio_first_of_device(vol, target))
			continue;
		lower = dm_bpio_lower_volume(target);
		if (lower)
			status = dm_bpio_ask(lower, operation, results,
					     depth + 1);
		else
			dm_bpio_ask_bottom(vol, operation, target, results);
		if (status || results->op_status) {
			if (enable)
				dm_bpio_disable_lower(vol, target, depth);
			goto refused;
		}
	}

	if (!enable)
		return STATUS_SUCCESS;
	if (dm_bpio_publish(vol)) {
		dm_bpio_disable_lower(vol, NULL, depth);
		status = STATUS_INSUFFICIENT_RESOURCES;
		goto refused;
	}
	vol->enabled = true;
	return STATUS_SUCCESS;

refused:
	if (enable) {
		/* An earlier ENABLE ends here. */
		bpio_gate_shut(&vol->pub.gate, BPIO_GATE_VETOED);
		vol->enabled = false;
	}
	return status;
}

/**
 * bpio_volume_control - one BPIO_OP_* to the storage stack
 * @vol: volume, from bpio_volume_get()
 * @operation: BPIO_OP_ENABLE, BPIO_OP_DISABLE or BPIO_OP_QUERY
 * @results: out: the verdict of ENABLE and QUERY; op_status 0 when nobody
 *	objects, else the first objector nearest the file system (R-STG-8)
 *
 * ENABLE without an objection opens @vol->gate unless something else keeps it
 * closed; DISABLE closes and drains it.  The enabled state is not counted
 * (R-STG-12).  QUERY changes nothing (R-STG-7).
 *
 * Context: may sleep, on DISABLE and on a refused ENABLE for bypassed reads in
 * flight.  Takes dm_bpio_lock; may be called from a client operation.
 * Return: STATUS_SUCCESS, also for a veto; STATUS_INVALID_PARAMETER for
 * another @operation; STATUS_NOT_SUPPORTED when the device is no BypassIO
 * volume any more; STATUS_INSUFFICIENT_RESOURCES, with nothing enabled.
 */
s32 bpio_volume_control(struct bpio_volume *vol, u32 operation,
			struct bpio_results *results)
{
	struct dm_bpio_volume *v = to_dm_bpio(vol);
	s32 status = STATUS_SUCCESS;

	memset(results, 0, sizeof(*results));
	if (operation < BPIO_OP_ENABLE || operation > BPIO_OP_QUERY)
		return STATUS_INVALID_PARAMETER;

	if (operation == BPIO_OP_ENABLE)
		dm_bpio_lock_drained(v);
	else
		mutex_lock(&dm_bpio_lock);
	if (operation == BPIO_OP_DISABLE)
		dm_bpio_disable(v, 0);
	else if (dm_bpio_volume_complete(v))
		status = dm_bpio_ask(v, operation, results, 0);
	else
		status = STATUS_NOT_SUPPORTED;
	mutex_unlock(&dm_bpio_lock);
	if (operation != BPIO_OP_QUERY)
		dm_bpio_drain(v);
	return status;
}
EXPORT_SYMBOL_GPL(bpio_volume_control);

/* Somebody above has it enabled and will ask for the whole stack. */
static bool dm_bpio_asked_from_above(const struct dm_bpio_volume *vol)
{
	const struct dm_bpio_volume *pos;

	list_for_each_entry(pos, &dm_bpio_volumes, list)
		if (pos->enabled && dm_bpio_is_above(pos, vol, 0))
			return true;
	return false;
}

/* Why a client is called. */
enum dm_bpio_call {
	DM_BPIO_CALL_PAUSE,	/* a layer objects from now on */
	DM_BPIO_CALL_RESUME,	/* it no longer does */
	DM_BPIO_CALL_CHANGED,	/* the stack was asked again by itself */
};

/* dm_bpio_lock not held: the client asks the stack what it says now. */
static void dm_bpio_call_client(struct dm_bpio_volume *vol,
				enum dm_bpio_call call)
{
	const struct bpio_client_ops *ops;
	unsigned int noio;

	/* A suspend may be waiting for us: see struct bpio_client_ops. */
	noio = memalloc_noio_save();
	mutex_lock(&vol->client_lock);
	ops = vol->client_ops;
	if (ops && call == DM_BPIO_CALL_PAUSE)
		ops->pause(vol->client);
	else if (ops && call == DM_BPIO_CALL_RESUME)
		ops->resume(vol->client);
	else if (ops)
		ops->changed(vol->client);
	mutex_unlock(&vol->client_lock);
	memalloc_noio_restore(noio);
}

/**
 * dm_bpio_reask - after a suspend: ask the stack again, from the top
 * @vol: volume that was suspended, or above one that was
 *
 * An enabled volume gets a new map and goes on when no layer objects; else it
 * stays closed (BPIO_GATE_VETOED).  Either way its client is called, which asks
 * for itself: what it remembers is then no older than the change.
 *
 * Context: workqueue; takes dm_bpio_lock, then @vol->client_lock.
 */
void dm_bpio_reask(struct dm_bpio_volume *vol)
{
	struct bpio_results results = {};
	s32 status = STATUS_SUCCESS;
	bool call = false;

	dm_bpio_lock_drained(vol);
	/* Open already: asked from above in the meantime. */
	if (dm_bpio_stack_suspended(vol) ||
	    (!dm_bpio_gate_has(vol, BPIO_GATE_SUSPENDED) &&
	     !dm_bpio_gate_has(vol, BPIO_GATE_VETOED)))
		goto out;

	call = true;
	if (!vol->enabled)
		goto open;
	if (!dm_bpio_volume_complete(vol)) {
		dm_bpio_object(vol, BPIO_OP_QUERY, &results,
			       STATUS_NO_BYPASSIO_DRIVER_SUPPORT,
			       DM_BPIO_DRIVER_NAME,
			       "The table has targets other than bpio.");
	} else if (vol->client_ops || !dm_bpio_asked_from_above(vol)) {
		/* One that is new, or was vetoed, has to be enabled. */
		u32 operation = dm_bpio_stack_enabled(vol, 0) ?
			BPIO_OP_QUERY : BPIO_OP_ENABLE;

		status = dm_bpio_ask(vol, operation, &results, 0);
		/* It is its client's wish, refused or not, until DISABLE. */
		vol->enabled = true;
	}
	if (status || results.op_status || dm_bpio_publish(vol))
		bpio_gate_shut(&vol->pub.gate, BPIO_GATE_VETOED);
open:
	bpio_gate_open(&vol->pub.gate, BPIO_GATE_SUSPENDED);
out:
	mutex_unlock(&dm_bpio_lock);
	dm_bpio_drain(vol);
	if (call)
		dm_bpio_call_client(vol, DM_BPIO_CALL_CHANGED);
}

/* ---- objections by message ---------------------------------------------- */

/*
 * The volumes whose I/O reaches @vol, itself included, each with a reference.
 * Context: dm_bpio_lock held.  Return: their number, or -ENOMEM.
 */
static int dm_bpio_hold_above(struct dm_bpio_volume *vol,
			      struct dm_bpio_volume ***above)
{
	struct dm_bpio_volume *pos;
	int nr = 0, max = 0;

	list_for_each_entry(pos, &dm_bpio_volumes, list)
		max++;
	*above = kcalloc(max, sizeof(**above), GFP_NOIO);
	if (!*above)
		return -ENOMEM;
	list_for_each_entry(pos, &dm_bpio_volumes, list) {
		if (!dm_bpio_volume_runs_through(pos, vol))
			continue;
		dm_bpio_volume_hold(pos);
		(*above)[nr++] = pos;
	}
	return nr;
}

static void dm_bpio_release_above(struct dm_bpio_volume **above, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		dm_bpio_volume_release(above[i]);
	kfree(above);
}

/**
 * dm_bpio_veto - the layer objects from now on
 * @target: the target that got the message; its name is reported
 * @status: NTSTATUS of severity 3
 * @reason: UTF-8, not empty
 *
 * R-STG-10: volumes that have BypassIO enabled through this layer are paused
 * and drained, by their client where they have one, before this returns.
 * The objection stands from before the pause on, so that no ENABLE can slip
 * in between.
 *
 * Context: may sleep; takes dm_bpio_lock and the client_lock of each volume
 * concerned.
 * Return: 0 or -ENOMEM, with nothing changed.
 */
int dm_bpio_veto(struct dm_bpio *target, s32 status, const char *reason)
{
	struct dm_bpio_volume *vol = target->vol, **above;
	int nr, i;

	mutex_lock(&dm_bpio_lock);
	nr = dm_bpio_hold_above(vol, &above);
	if (nr < 0) {
		mutex_unlock(&dm_bpio_lock);
		return nr;
	}
	vol->veto = true;
	vol->veto_status = status;
	strscpy(vol->veto_driver, target->driver_name,
		sizeof(vol->veto_driver));
	strscpy(vol->veto_reason, reason, sizeof(vol->veto_reason));
	mutex_unlock(&dm_bpio_lock);

	for (i = 0; i < nr; i++)
		dm_bpio_call_client(above[i], DM_BPIO_CALL_PAUSE);

	/* And volumes that are enabled without a client. */
	mutex_lock(&dm_bpio_lock);
	for (i = 0; i < nr; i++)
		if (above[i]->enabled && vol->veto)
			bpio_gate_shut(&above[i]->pub.gate, BPIO_GATE_VETOED);
	trace_bpio_state(vol->pub.bdev_name, "veto", vol->enabled,
			 vol->pub.gate.closed);
	mutex_unlock(&dm_bpio_lock);
	for (i = 0; i < nr; i++)
		bpio_gate_drain(&above[i]->pub.gate);
	dm_bpio_release_above(above, nr);
	return 0;
}

/**
 * dm_bpio_unveto - the layer no longer objects
 * @target: a target of the volume
 *
 * R-STG-10: the client of each volume above does a VOLUME_STACK_RESUME for
 * this objection (R-FS-56).  A volume that was enabled without a client stays
 * disabled until the next ENABLE.
 *
 * Context: may sleep; takes dm_bpio_lock and the client_lock of each volume
 * concerned.
 * Return: 0 or -ENOMEM, with nothing changed.
 */
int dm_bpio_unveto(struct dm_bpio *target)
{
	struct dm_bpio_volume *vol = target->vol, **above;
	int nr, i;

	mutex_lock(&dm_bpio_lock);
	nr = dm_bpio_hold_above(vol, &above);
	if (nr >= 0) {
		vol->veto = false;
		trace_bpio_state(vol->pub.bdev_name, "unveto", vol->enabled,
				 vol->pub.gate.closed);
	}
	mutex_unlock(&dm_bpio_lock);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++)
		dm_bpio_call_client(above[i], DM_BPIO_CALL_RESUME);
	dm_bpio_release_above(above, nr);
	return 0;
}

/* ---- file systems ------------------------------------------------------- */

/**
 * bpio_volume_get - attach to the volume of a block device
 * @bdev: block device that the caller holds open until bpio_volume_put()
 * @ops: what the storage layer may ask the caller; NULL: an anonymous handle
 * @client: passed to @ops
 *
 * One volume has one client, or any number of anonymous handles.
 *
 * Context: may sleep; takes client_lock and dm_bpio_lock.
 * Return: the volume; ERR_PTR(-ENODEV) when @bdev is no BypassIO volume, that
 * is, not every target of its live table is ``bpio``; ERR_PTR(-EBUSY) when
 * somebody else is attached.
 */
struct bpio_volume *bpio_volume_get(struct block_device *bdev,
				    const struct bpio_client_ops *ops,
				    void *client)
{
	struct dm_bpio_volume *vol;
	int ret;

	vol = dm_bpio_volume_find(bdev->bd_dev);
	if (!vol)
		return ERR_PTR(-ENODEV);

	mutex_lock(&vol->client_lock);
	mutex_lock(&dm_bpio_lock);
	if (!vol->users || !dm_bpio_volume_complete(vol))
		ret = -ENODEV;
	else if (vol->client_ops || (ops && vol->nr_anonymous))
		ret = -EBUSY;
	else
		ret = 0;
	if (!ret) {
		vol->users++;
		vol->client_ops = ops;
		vol->client = client;
		if (!ops)
			vol->nr_anonymous++;
	}
	mutex_unlock(&dm_bpio_lock);
	mutex_unlock(&vol->client_lock);

	if (ret) {
		dm_bpio_volume_release(vol);
		return ERR_PTR(ret);
	}
	return &vol->pub;
}
EXPORT_SYMBOL_GPL(bpio_volume_get);

/**
 * bpio_volume_put - detach
 * @vol: from bpio_volume_get(), or NULL or an error pointer: nothing
 *
 * A client that leaves BypassIO enabled or paused leaves it disabled and not
 * paused.  When this returns no client operation is running or will be.
 *
 * Context: may sleep; waits for a client operation that is running, so the
 * caller holds no lock that those take.  Takes client_lock and dm_bpio_lock.
 */
void bpio_volume_put(struct bpio_volume *vol)
{
	struct dm_bpio_volume *v;

	if (IS_ERR_OR_NULL(vol))
		return;
	v = to_dm_bpio(vol);
	mutex_lock(&v->client_lock);
	mutex_lock(&dm_bpio_lock);
	if (v->client_ops) {
		v->client_ops = NULL;
		v->client = NULL;
		if (v->enabled)
			dm_bpio_disable(v, 0);
		bpio_gate_open(&vol->gate, BPIO_GATE_PAUSED);
	} else {
		v->nr_anonymous--;
	}
	mutex_unlock(&dm_bpio_lock);
	mutex_unlock(&v->client_lock);
	dm_bpio_drain(v);
	dm_bpio_volume_leave(v);
}
EXPORT_SYMBOL_GPL(bpio_volume_put);

/**
 * bpio_volume_pause - VOLUME_STACK_PAUSE at the storage layer
 * @vol: volume
 *
 * Idempotent, not counted (R-FS-52).
 *
 * Context: may sleep; returns when every bypassed read has ended.
 */
void bpio_volume_pause(struct bpio_volume *vol)
{
	bpio_gate_close(&vol->gate, BPIO_GATE_PAUSED);
	trace_bpio_state(vol->bdev_name, "pause",
			 READ_ONCE(to_dm_bpio(vol)->enabled),
			 READ_ONCE(vol->gate.closed));
}
EXPORT_SYMBOL_GPL(bpio_volume_pause);

/**
 * bpio_volume_resume - undo any number of bpio_volume_pause()
 * @vol: volume
 *
 * Opens the gate unless something else keeps it closed.  It does not ask the
 * stack; the caller does, with bpio_volume_control() (R-FS-56).
 *
 * Context: may sleep.
 */
void bpio_volume_resume(struct bpio_volume *vol)
{
	bpio_gate_open(&vol->gate, BPIO_GATE_PAUSED);
	trace_bpio_state(vol->bdev_name, "resume",
			 READ_ONCE(to_dm_bpio(vol)->enabled),
			 READ_ONCE(vol->gate.closed));
}
EXPORT_SYMBOL_GPL(bpio_volume_resume);

/**
 * bpio_bdev_query - the verdict for a block device that is no volume
 * @bdev: block device for which bpio_volume_get() said -ENODEV
 * @results: out: STATUS_NO_BYPASSIO_DRIVER_SUPPORT naming its driver; of a
 *	table that is ``bpio`` in part, the driver of the first other target
 *
 * Context: process context, may sleep; takes dm_bpio_lock.  The driver of a
 * device-mapper device is known by its target only when the caller has
 * CAP_SYS_ADMIN: ask at mount and remember.
 * Return: STATUS_SUCCESS.
 */
s32 bpio_bdev_query(struct block_device *bdev, struct bpio_results *results)
{
	struct dm_bpio_below *below;
	bool mixed;

	below = kmalloc(sizeof(*below), GFP_KERNEL);
	if (!below) {
		memset(results, 0, sizeof(*results));
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	dm_bpio_below_look(bdev, below);
	mutex_lock(&dm_bpio_lock);
	mixed = dm_bpio_is_mixed(dm_bpio_volume_lookup(bdev->bd_dev));
	mutex_unlock(&dm_bpio_lock);
	bpio_results_set(results, STATUS_NO_BYPASSIO_DRIVER_SUPPORT,
			 below->driver, mixed ?
			 "The table has targets other than bpio." :
			 "The volume has no BypassIO layer (dm-bpio).");
	kfree(below);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(bpio_bdev_query);

/* The first incompatible storage driver below, else the first one. */
static bool dm_bpio_storage_driver(const struct dm_bpio_volume *vol,
				   char *name, size_t size, unsigned int depth)
{
	const struct dm_bpio_volume *lower;
	const struct dm_bpio *target;
	bool compatible = true, first = true;
	char *at = name;
	size_t room = size;

	list_for_each_entry(target, &vol->targets, list) {
		bool ok;

		lower = depth < DM_BPIO_MAX_DEPTH ?
			dm_bpio_lower_volume(target) : NULL;
		ok = lower ? dm_bpio_storage_driver(lower, NULL, 0, depth + 1) :
			target->any_storage || target->below.compatible;
		if (first || (compatible && !ok)) {
			if (lower)
				dm_bpio_storage_driver(lower, at, room,
						       depth + 1);
			else if (at)
				strscpy(at, target->below.storage, room);
		}
		compatible &= ok;
		first = false;
	}
	return compatible && !first;
}

/**
 * bpio_storage_driver - the storage driver at the very bottom
 * @bdev: any block device that the caller holds open
 * @name: out: its file name, e.g. "nvme.ko", NUL-terminated
 * @size: room in @name, bytes; a longer name is cut
 *
 * Context: process context, may sleep; takes dm_bpio_lock.  For device-mapper
 * devices that are no BypassIO volume see bpio_bdev_query().
 * Return: true when it is BypassIO-compatible (R-STG-11: whatever the layers
 * above it say; ``any_storage`` counts as compatible).
 */
bool bpio_storage_driver(struct block_device *bdev, char *name, size_t size)
{
	struct dm_bpio_volume *vol;
	struct dm_bpio_below *below;
	bool ret = false;

	mutex_lock(&dm_bpio_lock);
	vol = dm_bpio_volume_lookup(bdev->bd_dev);
	if (vol && dm_bpio_volume_complete(vol)) {
		ret = dm_bpio_storage_driver(vol, name, size, 0);
		mutex_unlock(&dm_bpio_lock);
		return ret;
	}
	mutex_unlock(&dm_bpio_lock);

	below = kmalloc(sizeof(*below), GFP_KERNEL);
	if (!below) {
		strscpy(name, "", size);
		return false;
	}
	dm_bpio_below_look(bdev, below);
	strscpy(name, below->storage, size);
	ret = below->compatible;
	kfree(below);
	return ret;
}
EXPORT_SYMBOL_GPL(bpio_storage_driver);
