/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The filter manager's own structures: filters, their instances on a mount,
 * and the stack that an operation walks.
 *
 * A stack is built whole and never changed.  An operation holds a reference to
 * the one it began with until its last callback has returned; attaching and
 * detaching publish another one and kill the old, which is freed, and lets go
 * of its instances, when the last operation has left it.  So a walk takes no
 * lock, and a detach from within a callback waits for nothing.
 *
 * Locks, outermost first:
 *	flt_volume.lock		attach and detach on one mount
 *	filters_lock		registered filters and their instance lists
 *	flt_volume.streams_lock	stream contexts
 */
#ifndef _BPIOFS_FILTERS_H
#define _BPIOFS_FILTERS_H

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <bpio/carrier.h>
#include <bpio/filter.h>
#include "altitude.h"

struct bpiofs_volume;
struct bpiofs_inode;

/* IRP_MJ_*, numbered without gaps. */
enum flt_op {
	FLT_OP_CREATE,
	FLT_OP_CLOSE,
	FLT_OP_READ,
	FLT_OP_WRITE,
	FLT_OP_SET_INFORMATION,
	FLT_OP_FILE_SYSTEM_CONTROL,
	FLT_OP_CLEANUP,
	FLT_OP_NR,
};

#define FLT_FILTER_NAME_MAX	29
#define FLT_INSTANCE_NAME_MAX	(FLT_FILTER_NAME_MAX + BPIOFS_ALTITUDE_MAX)

/**
 * struct flt_filter - a registered filter
 * @registration: the author's
 * @owner: pinned by each instance
 * @driver_name: file name of the module, for those who are told of a veto
 * @pre: callbacks by enum flt_op
 * @post: the same
 * @ops: bits of enum flt_op with a callback
 * @complained: bits of enum flt_complaint, each logged once
 * @node: in the list of filters, under filters_lock
 * @instances: of all mounts, under filters_lock
 * @nr_instances: that exist, also those on their way out; under filters_lock
 * @kobj: /sys/module/bpiofs/filters/<name>
 * @kobj_gone: completed when nobody uses @kobj any more
 */
struct flt_filter {
	const struct flt_registration *registration;
	struct module *owner;
	char driver_name[BPIO_DRIVER_NAME_CHARS + 1];
	flt_preop_t pre[FLT_OP_NR];
	flt_postop_t post[FLT_OP_NR];
	unsigned int ops;
	unsigned long complained;
	struct list_head node;
	struct list_head instances;
	unsigned int nr_instances;
	struct kobject kobj;
	struct completion kobj_gone;
};

struct flt_instance_stats {
	u64 seen[FLT_OP_NR];
};

/**
 * struct flt_instance - a filter at an altitude of a mount
 * @filter: filter
 * @vol: mount
 * @name: unique on the mount
 * @altitude: as it was given
 * @context: the filter's
 * @stats: operations seen
 * @detached: in no stack that is published
 * @leaving: sets no stream transformed any more; under flt_volume.streams_lock
 * @setup_failed: its instance_teardown is not called
 * @users: one while attached, one for each stack that holds it, one for who
 *	detaches it by way of its filter; while there is one the mount stays
 * @ref: keeps the memory, not the filter; one of the instance itself
 * @cleanups: stream contexts taken from @streams that are being cleaned up
 * @node: in flt_volume.instances, by descending altitude
 * @of_filter: in flt_filter.instances
 * @streams: stream contexts, under flt_volume.streams_lock
 * @teardown: runs when @users has dropped to zero
 * @torn_down: completed when the filter's module is not needed any more
 * @kobj: instances/<name> of the mount
 * @kobj_gone: completed when nobody uses @kobj any more
 */
struct flt_instance {
	struct flt_filter *filter;
	struct bpiofs_volume *vol;
	char name[FLT_INSTANCE_NAME_MAX];
	char altitude[BPIOFS_ALTITUDE_MAX];
	void *context;
	struct flt_instance_stats __percpu *stats;
	bool detached;
	bool leaving;
	bool setup_failed;
	refcount_t users;
	refcount_t ref;
	atomic_t cleanups;
	struct list_head node;
	struct list_head of_filter;
	struct list_head streams;
	struct work_struct teardown;
	struct completion torn_down;
	struct kobject kobj;
	struct completion kobj_gone;
};

struct flt_entry {
	struct flt_instance *instance;
	flt_preop_t pre;
	flt_postop_t post;
};

/**
 * struct flt_stack - the instances of a mount at one moment
 * @ref: one for each operation under way; live while published
 * @free: runs when @ref has dropped to zero
 * @features: AND of the effective features (M-10)
 * @blocker: highest instance that has not opted in to BypassIO, or NULL
 * @nr: instances
 * @instance: by descending altitude
 * @list: per operation, those with a callback for it, in the same order
 * @nr_list: entries in each @list
 * @entry: all of the lists
 */
struct flt_stack {
	struct percpu_ref ref;
	struct work_struct free;
	u32 features;
	struct flt_instance *blocker;
	unsigned int nr;
	struct flt_instance **instance;
	struct flt_entry *list[FLT_OP_NR];
	unsigned int nr_list[FLT_OP_NR];
	struct flt_entry entry[];
};

/**
 * struct flt_volume - the filters of one mount; bpiofs_volume.filters
 * @lock: attach and detach
 * @closing: the mount goes; nothing attaches any more
 * @instances: attached, by descending altitude; under @lock
 * @nr_instances: that exist, also those on their way out; under filters_lock
 * @stack: the same for those who walk; NULL when there are none
 * @ops: bits of enum flt_op that somebody registered for
 * @features: AND of the effective features
 * @streams_lock: guards the lists of stream contexts
 * @dir: instances/ in sysfs
 */
struct flt_volume {
	struct mutex lock;		/* attach and detach */
	bool closing;
	struct list_head instances;
	unsigned int nr_instances;
	struct flt_stack __rcu *stack;
	unsigned int ops;
	u32 features;
	spinlock_t streams_lock;	/* lists of stream contexts */
	struct kobject *dir;
};

/* What one filter keeps for one inode. */
struct flt_stream {
	struct rcu_head rcu;
	struct hlist_node of_inode;	/* bpiofs_inode.flt_streams */
	struct list_head of_instance;	/* flt_instance.streams */
	struct flt_instance *instance;
	struct bpiofs_inode *inode;
	void *context;
	bool transformed;
};

/* filters.c */
int bpiofs_filters_init(void);
void bpiofs_filters_exit(void);
int bpiofs_filters_mount(struct bpiofs_volume *vol);
void bpiofs_filters_close(struct bpiofs_volume *vol);
void bpiofs_filters_umount(struct bpiofs_volume *vol);
int bpiofs_filters_attach(struct bpiofs_volume *vol, const char *filter,
			  const char *altitude);
int bpiofs_filters_detach(struct bpiofs_volume *vol, const char *instance);
struct flt_stack *bpiofs_filters_get(struct bpiofs_volume *vol);
void bpiofs_filters_put(struct flt_stack *stack);
u32 bpiofs_filter_features(const struct flt_filter *filter);

/* filter-marks.c */
bool bpiofs_is_mark(const char *name);
void bpiofs_marks_changed(struct bpiofs_inode *bi);
int bpiofs_check_marks(struct dentry *dentry);

/* filter-streams.c */
int bpiofs_filters_leave(struct flt_instance *instance, bool leave);
void bpiofs_filters_evict(struct bpiofs_inode *bi);
void bpiofs_filters_drop_streams(struct flt_instance *instance);

/* filter-sysfs.c */
int bpiofs_filter_sysfs_init(void);
void bpiofs_filter_sysfs_exit(void);
int bpiofs_filter_sysfs_add(struct flt_filter *filter);
void bpiofs_filter_sysfs_remove(struct flt_filter *filter);
int bpiofs_instance_sysfs_add(struct flt_instance *instance);
void bpiofs_instance_sysfs_remove(struct flt_instance *instance);

/* filter-walk.c */
int bpiofs_filtered_open(struct file *file, int (*open)(struct file *file),
			 void (*release)(struct file *file));
void bpiofs_filtered_release(struct file *file,
			     void (*release)(struct file *file));
ssize_t bpiofs_filtered_read(struct kiocb *iocb, struct iov_iter *to);
ssize_t bpiofs_filtered_write(struct kiocb *iocb, struct iov_iter *from);
int bpiofs_filtered_set_size(struct bpio_idmap *idmap, struct dentry *dentry,
			     struct iattr *attr,
			     int (*set)(struct bpio_idmap *idmap,
					struct dentry *dentry,
					struct iattr *attr));
ssize_t bpiofs_filtered_below(const struct flt_related_objects *objects,
			      enum flt_op op, struct file *lower,
			      struct iov_iter *iter, loff_t pos,
			      ssize_t (*rw)(struct inode *inode,
					    struct file *lower,
					    struct iov_iter *iter, loff_t pos));
void bpiofs_filtered_fsctl(struct file *file, struct bpio_request *req,
			   const struct flt_instance *below);

#endif /* _BPIOFS_FILTERS_H */
