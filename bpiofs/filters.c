// SPDX-License-Identifier: GPL-2.0
/*
 * The filter manager: who is registered, who is attached where, and the stacks
 * made of that.  How an operation walks a stack is filter-walk.c's business.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "bpiofs.h"
#include "trace.h"

static DEFINE_MUTEX(filters_lock);	/* @filters, their instances */
static LIST_HEAD(filters);
static DECLARE_WAIT_QUEUE_HEAD(instance_gone);
static struct workqueue_struct *filters_wq;

/* FilterSupportedFeaturesMode (M-10). */
static unsigned int features_mode;

/* Mounts, for a change of the mode; under @mounts_lock. */
static DEFINE_MUTEX(mounts_lock);	/* outside flt_volume.lock */
static LIST_HEAD(mounts);

static const u8 op_of_major[] = {
	[IRP_MJ_CREATE] = FLT_OP_CREATE + 1,
	[IRP_MJ_CLOSE] = FLT_OP_CLOSE + 1,
	[IRP_MJ_READ] = FLT_OP_READ + 1,
	[IRP_MJ_WRITE] = FLT_OP_WRITE + 1,
	[IRP_MJ_SET_INFORMATION] = FLT_OP_SET_INFORMATION + 1,
	[IRP_MJ_FILE_SYSTEM_CONTROL] = FLT_OP_FILE_SYSTEM_CONTROL + 1,
	[IRP_MJ_CLEANUP] = FLT_OP_CLEANUP + 1,
};

/**
 * bpiofs_filter_features - the features that a filter counts with
 * @filter: registered filter
 *
 * R-FLT-2: who sees neither reads nor writes has opted in to BypassIO.
 *
 * Return: SUPPORTED_FS_FEATURES_*.
 */
u32 bpiofs_filter_features(const struct flt_filter *filter)
{
	u32 features = filter->registration->supported_features &
		       SUPPORTED_FS_FEATURES_VALID_MASK;

	if (READ_ONCE(features_mode))
		return 0;
	if (!(filter->ops & (BIT(FLT_OP_READ) | BIT(FLT_OP_WRITE))))
		features |= SUPPORTED_FS_FEATURES_BYPASS_IO;
	return features;
}

/* ---- instances ------------------------------------------------------------ */

static void put_instance(struct flt_instance *instance)
{
	if (!refcount_dec_and_test(&instance->ref))
		return;
	free_percpu(instance->stats);
	kfree(instance);
}

/* The filter and the mount may be gone when this returns. */
static void forget_instance(struct flt_instance *instance)
{
	mutex_lock(&filters_lock);
	list_del(&instance->of_filter);
	instance->filter->nr_instances--;
	instance->vol->filters.nr_instances--;
	mutex_unlock(&filters_lock);
	wake_up_all(&instance_gone);
}

/* No callback runs or will; the module is needed for a moment more. */
static void teardown_work(struct work_struct *work)
{
	struct flt_instance *instance =
		container_of(work, struct flt_instance, teardown);
	struct flt_filter *filter = instance->filter;
	struct module *owner = filter->owner;

	if (filter->registration->instance_teardown && !instance->setup_failed)
		filter->registration->instance_teardown(instance);
	bpiofs_filters_drop_streams(instance);
	forget_instance(instance);
	module_put(owner);
	complete_all(&instance->torn_down);
	put_instance(instance);
}

static void drop_user(struct flt_instance *instance)
{
	if (refcount_dec_and_test(&instance->users))
		queue_work(filters_wq, &instance->teardown);
}

/* ---- stacks ----------------------------------------------------------------- */

static void free_stack(struct flt_stack *stack)
{
	percpu_ref_exit(&stack->ref);
	kfree(stack->instance);
	kfree(stack);
}

static void free_stack_work(struct work_struct *work)
{
	struct flt_stack *stack = container_of(work, struct flt_stack, free);
	unsigned int i;

	for (i = 0; i < stack->nr; i++)
		drop_user(stack->instance[i]);
	free_stack(stack);
}

static void stack_release(struct percpu_ref *ref)
{
	struct flt_stack *stack = container_of(ref, struct flt_stack, ref);

	queue_work(filters_wq, &stack->free);
}

/* Return: a stack of all instances, not published; or -ENOMEM. */
static struct flt_stack *build_stack(struct flt_volume *fv)
{
	struct flt_instance *instance;
	unsigned int nr = 0, entries = 0, op;
	struct flt_stack *stack;
	struct flt_entry *entry;

	lockdep_assert_held(&fv->lock);
	list_for_each_entry(instance, &fv->instances, node) {
		nr++;
		entries += hweight32(instance->filter->ops);
	}
	stack = kzalloc(struct_size(stack, entry, entries), GFP_KERNEL);
	if (!stack)
		return ERR_PTR(-ENOMEM);
	stack->instance = kcalloc(nr, sizeof(*stack->instance), GFP_KERNEL);
	if (!stack->instance ||
	    percpu_ref_init(&stack->ref, stack_release, 0, GFP_KERNEL)) {
		kfree(stack->instance);
		kfree(stack);
		return ERR_PTR(-ENOMEM);
	}
	INIT_WORK(&stack->free, free_stack_work);
	stack->features = SUPPORTED_FS_FEATURES_VALID_MASK;
	list_for_each_entry(instance, &fv->instances, node) {
		const u32 features = bpiofs_filter_features(instance->filter);

		stack->instance[stack->nr++] = instance;
		stack->features &= features;
		if (!(features & SUPPORTED_FS_FEATURES_BYPASS_IO) &&
		    !stack->blocker)
			stack->blocker = instance;
	}
	entry = stack->entry;
	for (op = 0; op < FLT_OP_NR; op++) {
		stack->list[op] = entry;
		list_for_each_entry(instance, &fv->instances, node) {
			if (!(instance->filter->ops & BIT(op)))
				continue;
			entry->instance = instance;
			entry->pre = instance->filter->pre[op];
			entry->post = instance->filter->post[op];
			entry++;
		}
		stack->nr_list[op] = entry - stack->list[op];
	}
	return stack;
}

/*
 * Let a filter that has not opted in block all BypassIO of the mount, or no
 * longer (R-FS-87).  Blocking waits for the bypassed reads under way.  Not
 * under state_lock: a partial read may have to wait for a dm device to be
 * resumed, which takes that lock.
 */
static void set_blocked(struct bpiofs_volume *vol, bool blocked)
{
	mutex_lock(&vol->state_lock);
	WRITE_ONCE(vol->state.filter_blocked, blocked);
	mutex_unlock(&vol->state_lock);
	if (blocked) {
		if (vol->stg)
			bpio_gate_close(&vol->stg->gate, BPIO_GATE_FILTER);
		bpio_gate_close(&vol->partial_gate, BPIO_GATE_FILTER);
	} else {
		if (vol->stg)
			bpio_gate_open(&vol->stg->gate, BPIO_GATE_FILTER);
		bpio_gate_open(&vol->partial_gate, BPIO_GATE_FILTER);
	}
}

/* Put @stack, or none, in the place of what is published. */
static void publish(struct bpiofs_volume *vol, struct flt_stack *stack)
{
	struct flt_volume *fv = &vol->filters;
	struct flt_stack *old =
		rcu_dereference_protected(fv->stack, lockdep_is_held(&fv->lock));
	unsigned int i, op, ops = 0;

	for (i = 0; stack && i < stack->nr; i++)
		refcount_inc(&stack->instance[i]->users);
	for (op = 0; stack && op < FLT_OP_NR; op++)
		if (stack->nr_list[op])
			ops |= BIT(op);

	rcu_assign_pointer(fv->stack, stack);
	/* the stack, then the bits that send operations to it */
	smp_wmb();
	WRITE_ONCE(fv->ops, ops);
	WRITE_ONCE(fv->features, stack ? stack->features :
					 SUPPORTED_FS_FEATURES_VALID_MASK);
	if (vol->state.filter_blocked != (stack && stack->blocker))
		set_blocked(vol, stack && stack->blocker);
	if (old)
		percpu_ref_kill(&old->ref);
}

/* What is attached has changed.  Return: 0 or -ENOMEM, with no effect. */
static int rebuild(struct bpiofs_volume *vol)
{
	struct flt_volume *fv = &vol->filters;
	struct flt_stack *stack = NULL;

	if (!list_empty(&fv->instances)) {
		stack = build_stack(fv);
		if (IS_ERR(stack))
			return PTR_ERR(stack);
	}
	publish(vol, stack);
	return 0;
}

/**
 * bpiofs_filters_get - the stack of a mount as it is now
 * @vol: mount
 *
 * Context: any; takes no lock.
 * Return: a stack, to be given back by bpiofs_filters_put(); NULL when nothing
 * is attached.
 */
struct flt_stack *bpiofs_filters_get(struct bpiofs_volume *vol)
{
	struct flt_stack *stack;

	rcu_read_lock();
	/* One that is dying has been replaced already. */
	do {
		stack = rcu_dereference(vol->filters.stack);
	} while (stack && !percpu_ref_tryget_live(&stack->ref));
	rcu_read_unlock();
	return stack;
}

/**
 * bpiofs_filters_put - the operation has left the stack
 * @stack: of bpiofs_filters_get()
 *
 * Context: any.
 */
void bpiofs_filters_put(struct flt_stack *stack)
{
	percpu_ref_put(&stack->ref);
}

/* ---- attach and detach ------------------------------------------------------ */

static struct flt_filter *find_filter(const char *name)
{
	struct flt_filter *filter;

	lockdep_assert_held(&filters_lock);
	list_for_each_entry(filter, &filters, node)
		if (!strcmp(filter->registration->name, name))
			return filter;
	return NULL;
}

static struct flt_instance *find_instance(struct flt_volume *fv,
					  const char *name)
{
	struct flt_instance *instance;

	lockdep_assert_held(&fv->lock);
	list_for_each_entry(instance, &fv->instances, node)
		if (!strcmp(instance->name, name))
			return instance;
	return NULL;
}

/* An instance that nobody can see yet; pins the filter and its module. */
static struct flt_instance *new_instance(struct bpiofs_volume *vol,
					 const char *name, const char *altitude)
{
	struct flt_instance *instance;
	int ret;

	instance = kzalloc(sizeof(*instance), GFP_KERNEL);
	if (!instance)
		return ERR_PTR(-ENOMEM);
	instance->vol = vol;
	instance->stats = alloc_percpu(struct flt_instance_stats);
	refcount_set(&instance->users, 1);
	refcount_set(&instance->ref, 1);
	INIT_LIST_HEAD(&instance->node);
	INIT_LIST_HEAD(&instance->streams);
	INIT_WORK(&instance->teardown, teardown_work);
	init_completion(&instance->torn_down);
	ret = -ENOMEM;
	if (!instance->stats)
		goto out_free;

	mutex_lock(&filters_lock);
	instance->filter = find_filter(name);
	ret = -ENOENT;
	if (!instance->filter || !try_module_get(instance->filter->owner))
		goto out_unlock;
	if (!altitude)
		altitude = instance->filter->registration->altitude;
	instance->filter->nr_instances++;
	vol->filters.nr_instances++;
	list_add_tail(&instance->of_filter, &instance->filter->instances);
	mutex_unlock(&filters_lock);
	strscpy(instance->altitude, altitude, sizeof(instance->altitude));
	return instance;

out_unlock:
	mutex_unlock(&filters_lock);
out_free:
	put_instance(instance);
	return ERR_PTR(ret);
}

/* Into its place by altitude.  Return: 0, -EEXIST or -ENODEV. */
static int insert_instance(struct flt_volume *fv, struct flt_instance *instance)
{
	struct list_head *place = &fv->instances;
	struct flt_instance *other;

	lockdep_assert_held(&fv->lock);
	if (fv->closing)
		return -ENODEV;
	list_for_each_entry(other, &fv->instances, node) {
		const int order = flt_altitude_compare(other->altitude,
						       instance->altitude);

		if (!order)
			return -EEXIST;	/* M-2 */
		if (order < 0) {
			place = &other->node;
			break;
		}
	}
	strscpy(instance->name, instance->filter->registration->name,
		sizeof(instance->name));
	if (find_instance(fv, instance->name))
		snprintf(instance->name, sizeof(instance->name), "%s@%s",
			 instance->filter->registration->name,
			 instance->altitude);
	list_add_tail(&instance->node, place);
	return 0;
}

/* Out of every stack.  The caller holds a reference of its own if it waits. */
static int detach_locked(struct flt_instance *instance)
{
	struct bpiofs_volume *vol = instance->vol;
	struct list_head *prev = instance->node.prev;
	int ret;

	lockdep_assert_held(&vol->filters.lock);
	list_del_init(&instance->node);
	ret = rebuild(vol);
	if (ret) {
		list_add(&instance->node, prev);
		return ret;
	}
	WRITE_ONCE(instance->detached, true);
	trace_bpiofs_filter(vol->sb, instance->name, instance->altitude, false);
	bpiofs_instance_sysfs_remove(instance);
	drop_user(instance);
	return 0;
}

/**
 * bpiofs_filters_attach - attach a registered filter to a mount
 * @vol: mount
 * @name: name of the filter
 * @altitude: valid, or NULL for the filter's own
 *
 * The caller keeps the mount, its root dentry included, as a write to its files
 * in sysfs does; see withdraw() in super.c.
 *
 * A filter that has not opted in to BypassIO blocks it at once: when this
 * returns no read is bypassed, and none is under way (R-FS-87).
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT: no filter of that name; -EEXIST: the altitude is taken
 * (STATUS_FLT_INSTANCE_ALTITUDE_COLLISION); -ENODEV: the mount is going;
 * -ENOMEM; or what the filter's instance_setup says.
 */
int bpiofs_filters_attach(struct bpiofs_volume *vol, const char *name,
			  const char *altitude)
{
	struct flt_volume *fv = &vol->filters;
	struct flt_related_objects objects = {};
	struct flt_instance *instance;
	int ret = 0;

	instance = new_instance(vol, name, altitude);
	if (IS_ERR(instance))
		return PTR_ERR(instance);
	objects.filter = instance->filter;
	objects.instance = instance;
	objects.dentry = vol->sb->s_root;
	objects.inode = d_inode(vol->sb->s_root);
	if (instance->filter->registration->instance_setup)
		ret = instance->filter->registration->instance_setup(&objects);
	if (ret) {
		/* it has undone what it did: no teardown by the filter */
		instance->setup_failed = true;
		goto out_drop;
	}

	mutex_lock(&fv->lock);
	ret = insert_instance(fv, instance);
	if (!ret) {
		ret = bpiofs_instance_sysfs_add(instance);
		if (!ret) {
			ret = rebuild(vol);
			if (ret)
				bpiofs_instance_sysfs_remove(instance);
		}
		if (ret)
			list_del_init(&instance->node);
	}
	if (!ret)
		trace_bpiofs_filter(vol->sb, instance->name,
				    instance->altitude, true);
	mutex_unlock(&fv->lock);
	if (!ret)
		return 0;

out_drop:
	/* the filter may be looking at it: see some_instance() */
	refcount_inc(&instance->ref);
	drop_user(instance);
	wait_for_completion(&instance->torn_down);
	put_instance(instance);
	return ret;
}

/**
 * bpiofs_filters_detach - detach an instance
 * @vol: mount
 * @name: of the instance
 *
 * Context: process context; waits for the operations that the instance has
 * seen going down, so not from a callback: see flt_detach_instance().
 * Return: 0; -ENOENT: no instance of that name; -EBUSY: a file is open whose
 * data only the instance can read; -ENODEV: the mount is going; -ENOMEM.
 */
int bpiofs_filters_detach(struct bpiofs_volume *vol, const char *name)
{
	struct flt_volume *fv = &vol->filters;
	struct flt_instance *instance;
	int ret;

	mutex_lock(&fv->lock);
	instance = fv->closing ? NULL : find_instance(fv, name);
	if (!instance) {
		ret = fv->closing ? -ENODEV : -ENOENT;
		mutex_unlock(&fv->lock);
		return ret;
	}
	ret = bpiofs_filters_leave(instance, true);
	if (ret) {
		mutex_unlock(&fv->lock);
		return ret;
	}
	refcount_inc(&instance->ref);
	ret = detach_locked(instance);
	if (ret)
		bpiofs_filters_leave(instance, false);
	mutex_unlock(&fv->lock);
	if (!ret)
		wait_for_completion(&instance->torn_down);
	put_instance(instance);
	return ret;
}

/**
 * flt_detach_instance - detach an instance of one's own
 * @instance: instance
 *
 * Files that are open stay so, whatever the instance makes of their data.
 * Operations that come from now on do not see it.  Those that it has seen
 * going down it sees coming up, with FLTFL_POST_OPERATION_DRAINING; then its
 * instance_teardown is called.
 *
 * Context: process context, also in a callback of the instance; does not wait
 * for operations.
 * Return: 0; -ENOENT: it is detached already; -ENOMEM.
 */
int flt_detach_instance(struct flt_instance *instance)
{
	struct flt_volume *fv = &instance->vol->filters;
	int ret = -ENOENT;

	mutex_lock(&fv->lock);
	if (!list_empty(&instance->node))
		ret = detach_locked(instance);
	mutex_unlock(&fv->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(flt_detach_instance);

/**
 * flt_set_instance_context - keep something for an instance
 * @instance: instance
 * @context: the filter's; it frees it in instance_teardown
 *
 * Context: any; in instance_setup, before anybody reads it.
 */
void flt_set_instance_context(struct flt_instance *instance, void *context)
{
	instance->context = context;
}
EXPORT_SYMBOL_GPL(flt_set_instance_context);

/**
 * flt_instance_context - what was kept for an instance
 * @instance: instance
 *
 * Context: any.
 * Return: what flt_set_instance_context() took, else NULL.
 */
void *flt_instance_context(const struct flt_instance *instance)
{
	return instance->context;
}
EXPORT_SYMBOL_GPL(flt_instance_context);

/**
 * flt_get_supported_features - FsRtlGetSupportedFeatures
 * @file: any open file
 * @features: out: AND over all instances of its mount (M-10); not changed on
 *	an error
 *
 * Context: any.
 * Return: STATUS_SUCCESS; STATUS_FLT_INTERNAL_ERROR: not a file of bpiofs.
 */
s32 flt_get_supported_features(const struct file *file, u32 *features)
{
	const struct super_block *sb = file_inode(file)->i_sb;

	if (sb->s_type != &bpiofs_type)
		return STATUS_FLT_INTERNAL_ERROR;
	*features = READ_ONCE(bpiofs_vol(sb)->filters.features);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(flt_get_supported_features);

/* ---- registration ------------------------------------------------------------ */

static bool good_name(const char *name)
{
	const char *c;

	if (!name || !*name || strlen(name) >= FLT_FILTER_NAME_MAX)
		return false;
	for (c = name; *c; c++)
		if (!isgraph(*c) || *c == '/' || *c == '@')
			return false;
	return strcmp(name, ".") && strcmp(name, "..");
}

static int take_operations(struct flt_filter *filter)
{
	const struct flt_operation_registration *o;

	for (o = filter->registration->operations; o && (o->pre || o->post);
	     o++) {
		unsigned int op;

		if (o->major >= ARRAY_SIZE(op_of_major) ||
		    !op_of_major[o->major])
			return -EINVAL;
		op = op_of_major[o->major] - 1;
		if (filter->ops & BIT(op))
			return -EINVAL;
		filter->ops |= BIT(op);
		filter->pre[op] = o->pre;
		filter->post[op] = o->post;
	}
	return 0;
}

/**
 * flt_register - register a filter; see flt_register_filter()
 * @owner: THIS_MODULE, or NULL
 * @registration: stays while the filter is registered
 *
 * Context: process context, may sleep.
 * Return: the filter; -EINVAL: name, altitude, features or operations are not
 * what struct flt_registration says; -EEXIST: the name is taken; -ENOMEM.
 */
struct flt_filter *flt_register(struct module *owner,
				const struct flt_registration *registration)
{
	struct flt_filter *filter;
	int ret = -EINVAL;

	if (!good_name(registration->name) || !registration->altitude ||
	    !flt_altitude_valid(registration->altitude) ||
	    registration->supported_features &
		    ~SUPPORTED_FS_FEATURES_VALID_MASK)
		return ERR_PTR(-EINVAL);
	filter = kzalloc(sizeof(*filter), GFP_KERNEL);
	if (!filter)
		return ERR_PTR(-ENOMEM);
	filter->registration = registration;
	filter->owner = owner;
	INIT_LIST_HEAD(&filter->instances);
	snprintf(filter->driver_name, sizeof(filter->driver_name), "%s.ko",
		 registration->name);
	ret = take_operations(filter);
	if (ret)
		goto out_free;

	mutex_lock(&filters_lock);
	ret = -EEXIST;
	if (find_filter(registration->name))
		goto out_unlock;
	ret = bpiofs_filter_sysfs_add(filter);
	if (ret)
		goto out_unlock;
	list_add_tail(&filter->node, &filters);
	mutex_unlock(&filters_lock);
	return filter;

out_unlock:
	mutex_unlock(&filters_lock);
out_free:
	kfree(filter);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(flt_register);

/*
 * Return: an attached instance of the filter, to be given back by drop_user(), or
 * NULL.  It keeps its mount, which waits for it before it goes.
 */
static struct flt_instance *some_instance(struct flt_filter *filter)
{
	struct flt_instance *instance;

	mutex_lock(&filters_lock);
	list_for_each_entry(instance, &filter->instances, of_filter) {
		if (READ_ONCE(instance->detached) ||
		    !refcount_inc_not_zero(&instance->users))
			continue;
		mutex_unlock(&filters_lock);
		return instance;
	}
	mutex_unlock(&filters_lock);
	return NULL;
}

/**
 * flt_unregister_filter - the filter goes
 * @filter: of flt_register_filter()
 *
 * Detaches its instances.  As they pin the module there are none when it is
 * called on the module's way out.
 *
 * Context: process context, not in a callback; waits for the operations that
 * the filter has seen going down.
 */
void flt_unregister_filter(struct flt_filter *filter)
{
	struct flt_instance *instance;
	int ret;

	mutex_lock(&filters_lock);
	list_del(&filter->node);
	mutex_unlock(&filters_lock);

	while ((instance = some_instance(filter))) {
		/* an attach that has just begun, or no memory: again */
		ret = flt_detach_instance(instance);
		drop_user(instance);
		if (ret)
			schedule_timeout_uninterruptible(1);
	}
	wait_event(instance_gone, !READ_ONCE(filter->nr_instances));
	/* who woke us still holds the lock */
	mutex_lock(&filters_lock);
	mutex_unlock(&filters_lock);
	bpiofs_filter_sysfs_remove(filter);
	kfree(filter);
}
EXPORT_SYMBOL_GPL(flt_unregister_filter);

/* ---- mounts and the module --------------------------------------------------- */

/**
 * bpiofs_filters_mount - a mount that filters can be attached to
 * @vol: its storage layer is known, it is not shown in sysfs yet
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int bpiofs_filters_mount(struct bpiofs_volume *vol)
{
	struct flt_volume *fv = &vol->filters;
	int ret;

	mutex_init(&fv->lock);
	INIT_LIST_HEAD(&fv->instances);
	spin_lock_init(&fv->streams_lock);
	fv->features = SUPPORTED_FS_FEATURES_VALID_MASK;
	xa_init(&vol->writers);
	ret = bpio_gate_init(&vol->partial_gate, 0);
	if (ret)
		return ret;
	mutex_lock(&mounts_lock);
	list_add_tail(&vol->of_mounts, &mounts);
	mutex_unlock(&mounts_lock);
	return 0;
}

/**
 * bpiofs_filters_close - detach what is attached to a mount, for good
 * @vol: no file of it is open
 *
 * Context: process context, may sleep.
 */
void bpiofs_filters_close(struct bpiofs_volume *vol)
{
	struct flt_volume *fv = &vol->filters;
	struct flt_instance *instance;

	mutex_lock(&fv->lock);
	fv->closing = true;
	while ((instance = list_first_entry_or_null(&fv->instances,
						    struct flt_instance,
						    node))) {
		refcount_inc(&instance->ref);
		if (detach_locked(instance)) {
			/* no memory for a smaller stack */
			mutex_unlock(&fv->lock);
			schedule_timeout_uninterruptible(1);
			mutex_lock(&fv->lock);
		} else {
			mutex_unlock(&fv->lock);
			wait_for_completion(&instance->torn_down);
			mutex_lock(&fv->lock);
		}
		put_instance(instance);
	}
	mutex_unlock(&fv->lock);
}

/**
 * bpiofs_filters_umount - undo bpiofs_filters_mount()
 * @vol: closed, and not shown in sysfs any more
 *
 * Context: process context, may sleep.
 */
void bpiofs_filters_umount(struct bpiofs_volume *vol)
{
	struct flt_volume *fv = &vol->filters;

	mutex_lock(&mounts_lock);
	list_del(&vol->of_mounts);
	mutex_unlock(&mounts_lock);
	/* also those that detached themselves, or that somebody else detaches */
	wait_event(instance_gone, !READ_ONCE(fv->nr_instances));
	bpio_gate_destroy(&vol->partial_gate);
	mutex_destroy(&fv->lock);
}

static int set_features_mode(const char *value, const struct kernel_param *kp)
{
	struct bpiofs_volume *vol;
	unsigned int mode;
	int ret;

	ret = kstrtouint(value, 0, &mode);
	if (ret || mode > 1)
		return -EINVAL;
	mutex_lock(&mounts_lock);
	WRITE_ONCE(features_mode, mode);
	list_for_each_entry(vol, &mounts, of_mounts) {
		mutex_lock(&vol->filters.lock);
		if (rebuild(vol))
			ret = -ENOMEM;
		mutex_unlock(&vol->filters.lock);
	}
	mutex_unlock(&mounts_lock);
	return ret;
}

static const struct kernel_param_ops features_mode_ops = {
	.set = set_features_mode,
	.get = param_get_uint,
};

module_param_cb(filter_supported_features_mode, &features_mode_ops,
		&features_mode, 0644);
MODULE_PARM_DESC(filter_supported_features_mode,
		 "1: every filter counts as supporting nothing");

/**
 * bpiofs_filters_init - set up the filter manager
 *
 * Return: 0 or -ENOMEM.
 */
int __init bpiofs_filters_init(void)
{
	int ret;

	filters_wq = alloc_workqueue("bpiofs_filters", WQ_UNBOUND, 0);
	if (!filters_wq)
		return -ENOMEM;
	ret = bpiofs_filter_sysfs_init();
	if (ret)
		destroy_workqueue(filters_wq);
	return ret;
}

/**
 * bpiofs_filters_exit - take it down; no filter and no mount is left
 */
void bpiofs_filters_exit(void)
{
	bpiofs_filter_sysfs_exit();
	destroy_workqueue(filters_wq);
}
