// SPDX-License-Identifier: GPL-2.0
/*
 * What filters keep per file, for as long as the inode is in memory and the
 * instance attached.
 */
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include "bpiofs.h"

static struct flt_stream *find_stream(struct bpiofs_inode *bi,
				      const struct flt_instance *instance)
{
	struct flt_stream *stream;

	hlist_for_each_entry_rcu(stream, &bi->flt_streams, of_inode,
				 lockdep_is_held(&instance->vol->filters.streams_lock))
		if (stream->instance == instance)
			return stream;
	return NULL;
}

/**
 * flt_stream_context - what a filter keeps for a file
 * @objects: of the callback
 *
 * Context: in a callback of the instance, any.
 * Return: what flt_set_stream_context() took, else NULL.  It stays at least
 * until the callback returns.
 */
void *flt_stream_context(const struct flt_related_objects *objects)
{
	struct flt_stream *stream;
	void *context = NULL;

	rcu_read_lock();
	stream = find_stream(BPIOFS_I(objects->inode), objects->instance);
	if (stream)
		context = stream->context;
	rcu_read_unlock();
	return context;
}
EXPORT_SYMBOL_GPL(flt_stream_context);

/**
 * flt_set_stream_context - keep something for a file, once
 * @objects: of the callback
 * @context: the filter's; handed to its stream_context_cleanup when the inode
 *	leaves memory or the instance is detached
 *
 * Context: process context, in a callback of the instance.
 * Return: @context; or what is there already, then @context is still the
 * caller's; or -ENOMEM, likewise.
 */
void *flt_set_stream_context(const struct flt_related_objects *objects,
			     void *context)
{
	struct bpiofs_inode *bi = BPIOFS_I(objects->inode);
	struct flt_instance *instance = objects->instance;
	struct flt_volume *fv = &instance->vol->filters;
	struct flt_stream *stream, *there;

	stream = kzalloc(sizeof(*stream), GFP_KERNEL);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->instance = instance;
	stream->inode = bi;
	stream->context = context;
	spin_lock(&fv->streams_lock);
	there = find_stream(bi, instance);
	if (!there) {
		hlist_add_head_rcu(&stream->of_inode, &bi->flt_streams);
		list_add(&stream->of_instance, &instance->streams);
	} else {
		context = there->context;
	}
	spin_unlock(&fv->streams_lock);
	if (there)
		kfree(stream);
	return context;
}
EXPORT_SYMBOL_GPL(flt_set_stream_context);

/**
 * flt_set_stream_transformed - the data below is not the data above
 * @objects: of the callback; the instance keeps a context for the file
 * @transformed: whether this filter changes the data of the file on its way
 *
 * While one does, bpiofs refuses for the file whatever would go past the
 * filters: mappings (-ENODEV) and fallocate() but for FALLOC_FL_KEEP_SIZE
 * (-EOPNOTSUPP).  BypassIO and ODX the filter refuses itself.
 *
 * Context: process context, in a callback of the instance.
 * Return: 0; -ENOENT: the instance keeps no context; -EBUSY: the file is
 * mapped, so it cannot become transformed; -ENODEV: neither can it, since the
 * instance is being detached.
 */
int flt_set_stream_transformed(const struct flt_related_objects *objects,
			       bool transformed)
{
	struct bpiofs_inode *bi = BPIOFS_I(objects->inode);
	struct flt_volume *fv = &objects->instance->vol->filters;
	struct flt_stream *stream;
	int ret = 0;

	spin_lock(&fv->streams_lock);
	stream = find_stream(bi, objects->instance);
	if (!stream) {
		ret = -ENOENT;
	} else if (transformed && !stream->transformed &&
		   mapping_mapped(bi->lower->i_mapping)) {
		ret = -EBUSY;
	} else if (transformed && !stream->transformed &&
		   objects->instance->leaving) {
		ret = -ENODEV;
	} else if (stream->transformed != transformed) {
		stream->transformed = transformed;
		if (transformed)
			atomic_inc(&bi->transformed);
		else
			atomic_dec(&bi->transformed);
	}
	spin_unlock(&fv->streams_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(flt_set_stream_transformed);

static void clean_up(struct flt_stream *stream)
{
	struct flt_instance *instance = stream->instance;
	void (*cleanup)(void *context) =
		instance->filter->registration->stream_context_cleanup;

	if (cleanup)
		cleanup(stream->context);
	kfree_rcu(stream, rcu);
}

/**
 * bpiofs_filters_leave - may an instance go, although files are open?
 * @instance: instance
 * @leave: true: it is going, unless this fails; false: it stays after all
 *
 * Once it is going it can set no stream transformed any more.
 *
 * Context: process context; flt_volume.lock held.
 * Return: 0; -EBUSY: a file is open whose stream it has set transformed.
 */
int bpiofs_filters_leave(struct flt_instance *instance, bool leave)
{
	struct flt_volume *fv = &instance->vol->filters;
	struct flt_stream *stream;
	int ret = 0;

	lockdep_assert_held(&fv->lock);
	spin_lock(&fv->streams_lock);
	if (leave) {
		list_for_each_entry(stream, &instance->streams, of_instance) {
			if (stream->transformed &&
			    atomic_read(&stream->inode->file_opens)) {
				ret = -EBUSY;
				break;
			}
		}
	}
	instance->leaving = leave && !ret;
	spin_unlock(&fv->streams_lock);
	return ret;
}

/**
 * bpiofs_filters_evict - an inode leaves memory
 * @bi: inode that no operation can be on any more
 *
 * Context: process context, maybe of memory reclaim.
 */
void bpiofs_filters_evict(struct bpiofs_inode *bi)
{
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	struct flt_volume *fv = &vol->filters;

	if (likely(hlist_empty(&bi->flt_streams)))
		return;
	for (;;) {
		struct flt_instance *instance;
		struct flt_stream *stream;

		spin_lock(&fv->streams_lock);
		stream = hlist_empty(&bi->flt_streams) ? NULL :
			hlist_entry(bi->flt_streams.first, struct flt_stream,
				    of_inode);
		if (stream) {
			hlist_del_rcu(&stream->of_inode);
			list_del(&stream->of_instance);
			/* the instance waits for its clean-ups */
			atomic_inc(&stream->instance->cleanups);
		}
		spin_unlock(&fv->streams_lock);
		if (!stream)
			break;
		instance = stream->instance;
		clean_up(stream);
		if (atomic_dec_and_test(&instance->cleanups))
			wake_up_var(&instance->cleanups);
	}
}

/**
 * bpiofs_filters_drop_streams - an instance goes
 * @instance: no callback of it runs or will
 *
 * Context: process context, may sleep.
 */
void bpiofs_filters_drop_streams(struct flt_instance *instance)
{
	struct flt_volume *fv = &instance->vol->filters;
	struct flt_stream *stream;

	spin_lock(&fv->streams_lock);
	while ((stream = list_first_entry_or_null(&instance->streams,
						  struct flt_stream,
						  of_instance))) {
		/* on the list: its inode has not been evicted */
		if (stream->transformed)
			atomic_dec(&stream->inode->transformed);
		list_del(&stream->of_instance);
		hlist_del_rcu(&stream->of_inode);
		spin_unlock(&fv->streams_lock);
		clean_up(stream);
		spin_lock(&fv->streams_lock);
	}
	spin_unlock(&fv->streams_lock);
	wait_var_event(&instance->cleanups, !atomic_read(&instance->cleanups));
}
