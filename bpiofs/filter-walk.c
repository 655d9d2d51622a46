// SPDX-License-Identifier: GPL-2.0
/*
 * The walk: pre-operation callbacks down, the file system, post-operation
 * callbacks up (protocol section 7).  Nothing here locks; an operation that
 * nobody registered for costs one load.
 *
 * What a callback does wrong is logged once per filter and kind, and put
 * right: no filter can end the walk of another.
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "bpiofs.h"
#include "trace.h"

/* What a filter can do wrong. */
enum flt_complaint {
	FLT_BAD_PREOP_STATUS,
	FLT_BAD_POSTOP_STATUS,
	FLT_BAD_COMPLETION,
	FLT_BAD_FINAL_STATUS,
};

static const char *const complaints[] = {
	[FLT_BAD_PREOP_STATUS] = "returned an unknown pre-operation status",
	[FLT_BAD_POSTOP_STATUS] = "returned an unknown post-operation status",
	[FLT_BAD_COMPLETION] = "completed an operation that cannot be completed",
	[FLT_BAD_FINAL_STATUS] = "left an operation with a pending status",
};

/* The part of the data that filters substitute. */
struct flt_rw {
	struct iov_iter *iter;
	loff_t pos;
	bool append;
};

/* One instance in one walk. */
struct flt_slot {
	void *completion_context;
	bool post;		/* its post-operation callback is to be called */
	struct flt_rw above;	/* what those above it see */
	struct flt_rw own;	/* what it put there */
};

#define FLT_INLINE_SLOTS 4

/**
 * struct flt_walk - one operation on its way
 * @data: what callbacks are given
 * @in_preop: a pre-operation callback runs: flt_veto_bypass_io() is allowed
 * @op: operation
 * @objects: who and what, but for the filter and the instance
 * @stack: held for as long as the walk
 * @first: entry to begin with
 * @next: entry after the last whose pre-operation callback was called
 * @slots: by entry
 * @inline_slots: for few filters
 */
struct flt_walk {
	struct flt_callback_data data;
	bool in_preop;
	enum flt_op op;
	struct flt_related_objects objects;
	struct flt_stack *stack;
	unsigned int first;
	unsigned int next;
	struct flt_slot *slots;
	struct flt_slot inline_slots[FLT_INLINE_SLOTS];
};

static const u8 major_of_op[FLT_OP_NR] = {
	[FLT_OP_CREATE] = IRP_MJ_CREATE,
	[FLT_OP_CLOSE] = IRP_MJ_CLOSE,
	[FLT_OP_READ] = IRP_MJ_READ,
	[FLT_OP_WRITE] = IRP_MJ_WRITE,
	[FLT_OP_SET_INFORMATION] = IRP_MJ_SET_INFORMATION,
	[FLT_OP_FILE_SYSTEM_CONTROL] = IRP_MJ_FILE_SYSTEM_CONTROL,
	[FLT_OP_CLEANUP] = IRP_MJ_CLEANUP,
};

static void complain(struct flt_filter *filter, enum flt_complaint what)
{
	if (!test_and_set_bit(what, &filter->complained))
		pr_warn("bpiofs: filter %s %s\n", filter->driver_name,
			complaints[what]);
}

static bool somebody_registered(struct super_block *sb, enum flt_op op)
{
	return READ_ONCE(bpiofs_vol(sb)->filters.ops) & BIT(op);
}

/*
 * Return: whether there is anybody to call; then @walk has to be ended.  With
 * @below only instances below that one are called (M-7).
 */
static bool begin_walk(struct flt_walk *walk, enum flt_op op,
		       struct dentry *dentry, struct file *file,
		       const struct flt_instance *below)
{
	struct flt_stack *stack;
	unsigned int nr;

	if (likely(!somebody_registered(dentry->d_sb, op)))
		return false;
	stack = bpiofs_filters_get(bpiofs_vol(dentry->d_sb));
	if (!stack)
		return false;
	nr = stack->nr_list[op];
	memset(walk, 0, offsetof(struct flt_walk, inline_slots));
	while (below && walk->first < nr &&
	       flt_altitude_compare(stack->list[op][walk->first]
					    .instance->altitude,
				    below->altitude) >= 0)
		walk->first++;
	if (walk->first == nr) {
		bpiofs_filters_put(stack);
		return false;
	}
	walk->op = op;
	walk->stack = stack;
	walk->next = walk->first;
	walk->data.major = major_of_op[op];
	walk->objects.dentry = dentry;
	walk->objects.inode = d_inode(dentry);
	walk->objects.file = file;
	walk->slots = walk->inline_slots;
	/* An operation cannot fail for the number of filters. */
	if (nr > FLT_INLINE_SLOTS)
		walk->slots = kcalloc(nr, sizeof(*walk->slots),
				      GFP_KERNEL | __GFP_NOFAIL);
	else
		memset(walk->inline_slots, 0, sizeof(walk->inline_slots));
	return true;
}

/* An overlay may have opened @file: its path is not ours then. */
static bool begin_file_walk(struct flt_walk *walk, enum flt_op op,
			    struct file *file)
{
	return unlikely(somebody_registered(file_inode(file)->i_sb, op)) &&
	       begin_walk(walk, op, file_dentry(file), file, NULL);
}

static void end_walk(struct flt_walk *walk)
{
	if (walk->slots != walk->inline_slots)
		kfree(walk->slots);
	bpiofs_filters_put(walk->stack);
}

static bool is_rw(const struct flt_walk *walk)
{
	return walk->op == FLT_OP_READ || walk->op == FLT_OP_WRITE;
}

static struct flt_rw get_rw(const struct flt_walk *walk)
{
	return (struct flt_rw){ walk->data.rw.iter, walk->data.rw.pos,
				walk->data.rw.append };
}

static void set_rw(struct flt_walk *walk, const struct flt_rw *rw)
{
	walk->data.rw.iter = rw->iter;
	walk->data.rw.pos = rw->pos;
	walk->data.rw.append = rw->append;
}

/* The operations of FSCTL_MANAGE_BYPASS_IO that never fail (R-FLT-13). */
static bool is_vetoable(const struct flt_callback_data *data)
{
	const struct fs_bpio_input *in = data->fsctl.input;

	if (data->fsctl.code != FSCTL_MANAGE_BYPASS_IO ||
	    data->fsctl.input_length < sizeof(*in))
		return true;
	return in->operation <= FS_BPIO_OP_ENABLE ||
	       in->operation == FS_BPIO_OP_QUERY ||
	       in->operation >= FS_BPIO_OP_MAX_OPERATION;
}

/* Nobody would ever complete what a filter leaves pending (M-5). */
static void check_final_status(struct flt_walk *walk, struct flt_filter *filter)
{
	struct flt_callback_data *data = &walk->data;

	if (walk->op == FLT_OP_FILE_SYSTEM_CONTROL) {
		if (data->status != STATUS_PENDING)
			return;
		data->status = STATUS_UNSUCCESSFUL;
	} else {
		if (data->result != -EIOCBQUEUED)
			return;
		data->result = -EIO;
	}
	complain(filter, FLT_BAD_FINAL_STATUS);
}

/* May the filter have the last word?  If not, as if it had said nothing. */
static bool accept_completion(struct flt_walk *walk, struct flt_filter *filter)
{
	struct flt_callback_data *data = &walk->data;

	switch (walk->op) {
	case FLT_OP_CLEANUP:
	case FLT_OP_CLOSE:
		complain(filter, FLT_BAD_COMPLETION);
		data->result = 0;
		return false;
	case FLT_OP_FILE_SYSTEM_CONTROL:
		if (!is_vetoable(data)) {
			complain(filter, FLT_BAD_COMPLETION);
			data->status = STATUS_SUCCESS;
			data->information = 0;
			if (data->fsctl.output)
				memset(data->fsctl.output, 0,
				       data->fsctl.output_length);
			return false;
		}
		break;
	default:
		break;
	}
	check_final_status(walk, filter);
	return true;
}

/* Down.  Return: false when a filter has completed the operation. */
static bool walk_down(struct flt_walk *walk)
{
	const struct flt_entry *list = walk->stack->list[walk->op];
	const unsigned int nr = walk->stack->nr_list[walk->op];

	for (; walk->next < nr; walk->next++) {
		const struct flt_entry *entry = &list[walk->next];
		struct flt_instance *instance = entry->instance;
		struct flt_slot *slot = &walk->slots[walk->next];
		int ret = FLT_PREOP_SUCCESS_WITH_CALLBACK;

		this_cpu_inc(instance->stats->seen[walk->op]);
		walk->objects.filter = instance->filter;
		walk->objects.instance = instance;
		if (is_rw(walk))
			slot->above = get_rw(walk);
		if (entry->pre) {
			walk->in_preop = true;
			ret = entry->pre(&walk->data, &walk->objects,
					 &slot->completion_context);
			walk->in_preop = false;
		}
		switch (ret) {
		case FLT_PREOP_SUCCESS_WITH_CALLBACK:
		case FLT_PREOP_SYNCHRONIZE:
			slot->post = entry->post;
			break;
		case FLT_PREOP_SUCCESS_NO_CALLBACK:
			break;
		case FLT_PREOP_COMPLETE:
			if (!accept_completion(walk, instance->filter))
				break;
			if (is_rw(walk))
				set_rw(walk, &slot->above);
			return false;
		default:
			complain(instance->filter, FLT_BAD_PREOP_STATUS);
		}
		if (is_rw(walk))
			slot->own = get_rw(walk);
	}
	return true;
}

/* Does anybody want to see the operation come up? */
static bool post_wanted(const struct flt_walk *walk)
{
	unsigned int i;

	for (i = walk->first; i < walk->next; i++)
		if (walk->slots[i].post)
			return true;
	return false;
}

static void walk_up(struct flt_walk *walk)
{
	const struct flt_entry *list = walk->stack->list[walk->op];

	while (walk->next-- > walk->first) {
		const struct flt_entry *entry = &list[walk->next];
		struct flt_instance *instance = entry->instance;
		struct flt_slot *slot = &walk->slots[walk->next];
		u32 flags = 0;

		if (slot->post) {
			walk->objects.filter = instance->filter;
			walk->objects.instance = instance;
			if (is_rw(walk))
				set_rw(walk, &slot->own);
			if (READ_ONCE(instance->detached))
				flags |= FLTFL_POST_OPERATION_DRAINING;
			if (entry->post(&walk->data, &walk->objects,
					slot->completion_context, flags) !=
			    FLT_POSTOP_FINISHED_PROCESSING)
				complain(instance->filter,
					 FLT_BAD_POSTOP_STATUS);
			check_final_status(walk, instance->filter);
		}
		if (is_rw(walk))
			set_rw(walk, &slot->above);
	}
}

/* ---- open and release ------------------------------------------------------- */

/* IRP_MJ_CLEANUP and IRP_MJ_CLOSE: nobody can stop them. */
static void walk_plain(struct file *file, enum flt_op op)
{
	struct flt_walk walk;

	if (!begin_file_walk(&walk, op, file))
		return;
	walk_down(&walk);
	walk_up(&walk);
	end_walk(&walk);
}

/**
 * bpiofs_filtered_release - IRP_MJ_CLEANUP and IRP_MJ_CLOSE
 * @file: ours, its last reference goes
 * @release: the file system's part
 *
 * Context: process context, may sleep.
 */
void bpiofs_filtered_release(struct file *file,
			     void (*release)(struct file *file))
{
	walk_plain(file, FLT_OP_CLEANUP);
	walk_plain(file, FLT_OP_CLOSE);
	release(file);
}

/**
 * bpiofs_filtered_open - IRP_MJ_CREATE
 * @file: ours, being opened
 * @open: the file system's part
 * @release: undoes it
 *
 * Context: process context, may sleep.
 * Return: 0, or the negative errno of a filter or of @open.
 */
int bpiofs_filtered_open(struct file *file, int (*open)(struct file *file),
			 void (*release)(struct file *file))
{
	struct flt_walk walk;
	bool opened = false;
	int ret;

	if (!begin_file_walk(&walk, FLT_OP_CREATE, file))
		return open(file);
	if (walk_down(&walk)) {
		walk.data.result = open(file);
		opened = !walk.data.result;
	} else if (walk.data.result >= 0) {
		/* a filter that opens what it does not have: no */
		walk.data.result = -EIO;
	}
	walk_up(&walk);
	ret = min_t(ssize_t, walk.data.result, 0);
	if (!opened && !ret)
		ret = -EIO;
	end_walk(&walk);
	if (ret && opened)
		bpiofs_filtered_release(file, release);
	return ret;
}

/* ---- reads and writes ------------------------------------------------------- */

/*
 * A synchronous request in place of @iocb, as the filters have left it.  It is
 * the caller's in all but place and time.
 */
static void init_own_iocb(struct kiocb *own, struct kiocb *iocb,
			  const struct flt_callback_data *data)
{
	kiocb_clone(own, iocb, iocb->ki_filp);
	own->ki_complete = NULL;
	own->ki_flags &= ~(IOCB_HIPRI | IOCB_ALLOC_CACHE | IOCB_APPEND);
	if (data->rw.append)
		own->ki_flags |= IOCB_APPEND;
	own->ki_pos = data->rw.pos;
}

static ssize_t filtered_rw(struct kiocb *iocb, struct iov_iter *iter,
			   enum flt_op op,
			   ssize_t (*rw)(struct kiocb *iocb,
					 struct iov_iter *iter))
{
	struct file *file = iocb->ki_filp;
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	const bool async = !is_sync_kiocb(iocb);
	struct flt_walk walk;
	struct kiocb own;
	loff_t start;
	ssize_t ret;

	/* callbacks may sleep */
	if (iocb->ki_flags & IOCB_NOWAIT &&
	    somebody_registered(file_inode(file)->i_sb, op))
		return -EAGAIN;
	if (!begin_file_walk(&walk, op, file))
		return rw(iocb, iter);
	/* an asynchronous request may be over, and the file closed, at any time */
	if (async)
		get_file(file);
	if (op == FLT_OP_WRITE) {
		ret = bpiofs_writer_begin(vol);
		if (ret)
			goto out;
	}

	walk.data.rw.iter = iter;
	walk.data.rw.direct = iocb->ki_flags & IOCB_DIRECT;
	walk.data.rw.append = op == FLT_OP_WRITE &&
			      iocb->ki_flags & IOCB_APPEND;
	start = iocb->ki_pos;
	if (walk.data.rw.append)
		start = i_size_read(bpiofs_lower_inode(file_inode(file)));
	walk.data.rw.pos = start;

	if (!walk_down(&walk)) {
		walk_up(&walk);
		ret = walk.data.result;
		if (ret > 0)
			iocb->ki_pos = start + ret;
	} else if (!post_wanted(&walk) && walk.data.rw.iter == iter &&
		   walk.data.rw.pos == start) {
		/* as it came; it may complete when it likes */
		ret = rw(iocb, iter);
	} else {
		const bool substituted = walk.data.rw.iter != iter;

		init_own_iocb(&own, iocb, &walk.data);
		walk.data.result = rw(&own, walk.data.rw.iter);
		walk_up(&walk);
		ret = walk.data.result;
		if (ret > 0)
			iocb->ki_pos = substituted ? start + ret :
						     own.ki_pos;
	}
	if (op == FLT_OP_WRITE)
		bpiofs_writer_end(vol);
out:
	end_walk(&walk);
	if (async)
		fput(file);
	return ret;
}

/**
 * bpiofs_filtered_read - a read that takes the traditional path
 * @iocb: of our file
 * @to: where to
 *
 * Context: process context; may sleep unless IOCB_NOWAIT.
 * Return: bytes, -EIOCBQUEUED, -EAGAIN when it would have to wait, or what a
 * filter or the lower file system says.
 */
ssize_t bpiofs_filtered_read(struct kiocb *iocb, struct iov_iter *to)
{
	return filtered_rw(iocb, to, FLT_OP_READ, bpiofs_lower_read);
}

/**
 * bpiofs_filtered_write - a write
 * @iocb: of our file
 * @from: where from
 *
 * Context: process context; may sleep unless IOCB_NOWAIT.
 * Return: as bpiofs_filtered_read().
 */
ssize_t bpiofs_filtered_write(struct kiocb *iocb, struct iov_iter *from)
{
	return filtered_rw(iocb, from, FLT_OP_WRITE, bpiofs_lower_write);
}

/**
 * bpiofs_filtered_set_size - a change of a file's size
 * @idmap: of the mount
 * @dentry: ours
 * @attr: with ATTR_SIZE
 * @set: the file system's part
 *
 * Context: process context, i_rwsem held exclusively.
 * Return: 0; -ENOKEY: a filter that the file needs is not attached; or the
 * negative errno of a filter or of @set.
 */
int bpiofs_filtered_set_size(struct bpio_idmap *idmap, struct dentry *dentry,
			     struct iattr *attr,
			     int (*set)(struct bpio_idmap *idmap,
					struct dentry *dentry,
					struct iattr *attr))
{
	struct file *file = attr->ia_valid & ATTR_FILE ? attr->ia_file : NULL;
	struct bpiofs_volume *vol = bpiofs_vol(dentry->d_sb);
	struct flt_walk walk;
	bool walking;
	int ret;

	ret = bpiofs_check_marks(dentry);
	if (ret)
		return ret;
	walking = begin_walk(&walk, FLT_OP_SET_INFORMATION, dentry, file, NULL);
	/* attached before and after: so it is one of those that are called */
	ret = bpiofs_check_marks(dentry);
	if (!walking)
		return ret ?: set(idmap, dentry, attr);
	if (ret)
		goto out;
	ret = bpiofs_writer_begin(vol);
	if (ret)
		goto out;
	walk.data.set_size.size = attr->ia_size;
	if (walk_down(&walk))
		walk.data.result = set(idmap, dentry, attr);
	walk_up(&walk);
	bpiofs_writer_end(vol);
	ret = min_t(ssize_t, walk.data.result, 0);
out:
	end_walk(&walk);
	return ret;
}

/**
 * bpiofs_filtered_below - a read or write that an instance initiates (M-7)
 * @objects: of the instance; the file may be NULL
 * @op: FLT_OP_READ or FLT_OP_WRITE
 * @lower: open file below, which carries it
 * @iter: kernel memory
 * @pos: bytes
 * @rw: the file system's part
 *
 * Context: process context, may sleep.
 * Return: bytes or a negative errno.
 */
ssize_t bpiofs_filtered_below(const struct flt_related_objects *objects,
			      enum flt_op op, struct file *lower,
			      struct iov_iter *iter, loff_t pos,
			      ssize_t (*rw)(struct inode *inode,
					    struct file *lower,
					    struct iov_iter *iter, loff_t pos))
{
	struct flt_walk walk;
	ssize_t ret;

	if (!begin_walk(&walk, op, objects->dentry, objects->file,
			objects->instance))
		return rw(objects->inode, lower, iter, pos);
	walk.data.rw.iter = iter;
	walk.data.rw.pos = pos;
	if (walk_down(&walk))
		walk.data.result = rw(objects->inode, lower,
				      walk.data.rw.iter, walk.data.rw.pos);
	walk_up(&walk);
	ret = walk.data.result;
	end_walk(&walk);
	return ret;
}

/* ---- control codes ----------------------------------------------------------- */

/*
 * What the filter manager decides by itself: the opt-in to BypassIO (R-FLT-3)
 * and to ODX (OR-3, OW-1).
 * Return: true when it has.
 */
static bool opt_in_missing(struct bpiofs_volume *vol, struct bpio_request *req)
{
	const struct fs_bpio_input *in = req->input;
	struct fs_bpio_output *out = req->output;
	struct flt_stack *stack;
	bool decided = true;

	stack = bpiofs_filters_get(vol);
	if (!stack)
		return false;
	if (req->code == FSCTL_OFFLOAD_READ &&
	    !(stack->features & SUPPORTED_FS_FEATURES_OFFLOAD_READ)) {
		req->status = STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED;
	} else if (req->code == FSCTL_OFFLOAD_WRITE &&
		   !(stack->features & SUPPORTED_FS_FEATURES_OFFLOAD_WRITE)) {
		req->status = STATUS_OFFLOAD_WRITE_FLT_NOT_SUPPORTED;
	} else if (req->code == FSCTL_MANAGE_BYPASS_IO && stack->blocker &&
		   req->input_length >= sizeof(*in) &&
		   (in->operation == FS_BPIO_OP_ENABLE ||
		    in->operation == FS_BPIO_OP_QUERY)) {
		if (req->output_length < sizeof(*out)) {
			req->status = STATUS_INVALID_BUFFER_SIZE;
		} else {
			struct bpio_results results = {};

			bpio_results_set(&results,
					 STATUS_BYPASSIO_FLT_NOT_SUPPORTED,
					 stack->blocker->filter->driver_name,
					 "The specified minifilter does not support bypass IO.");
			BUILD_BUG_ON(sizeof(out->query) != sizeof(results));
			memcpy(&out->query, &results, sizeof(results));
			out->operation = in->operation;
			out->out_flags = FSBPIO_OUTFL_FILTER_ATTACH_BLOCKED;
			req->information = FS_BPIO_OUTPUT_QUERY_SIZE;
		}
	} else {
		decided = false;
	}
	bpiofs_filters_put(stack);
	return decided;
}

/**
 * bpiofs_filtered_fsctl - a control code, through the filters
 * @file: any open file or directory of the mount
 * @req: the request; status, information and output are filled
 * @below: the instance that sends it, to those below it; NULL: from the top
 *
 * Context: process context, may sleep.
 */
void bpiofs_filtered_fsctl(struct file *file, struct bpio_request *req,
			   const struct flt_instance *below)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct flt_walk walk;

	if (opt_in_missing(vol, req))
		return;
	if (!begin_walk(&walk, FLT_OP_FILE_SYSTEM_CONTROL, file_dentry(file),
			file, below)) {
		bpiofs_fsctl(file, req);
		return;
	}
	walk.data.fsctl.code = req->code;
	walk.data.fsctl.kernel_mode = req->kernel_mode;
	walk.data.fsctl.input = req->input;
	walk.data.fsctl.input_length = req->input_length;
	walk.data.fsctl.output = req->output;
	walk.data.fsctl.output_length = req->output_length;
	if (walk_down(&walk)) {
		bpiofs_fsctl(file, req);
		walk.data.status = req->status;
		walk.data.information = req->information;
	}
	walk_up(&walk);
	req->status = walk.data.status;
	req->information = walk.data.information;
	end_walk(&walk);
}

/**
 * flt_veto_bypass_io - object to BypassIO (FltVetoBypassIo)
 * @data: of the pre-operation callback for FSCTL_MANAGE_BYPASS_IO
 * @objects: of the same
 * @operation_status: NTSTATUS of severity error: why
 * @failure_reason: English text, UTF-8, not empty; cut to 128 UTF-16 units
 *
 * Fills the output with @operation_status, the filter's driver name and
 * @failure_reason.  It does not complete the request: on success the filter
 * sets status STATUS_SUCCESS and information FS_BPIO_OUTPUT_QUERY_SIZE and
 * returns FLT_PREOP_COMPLETE; else it completes with what this returned
 * (R-FLT-5).
 *
 * Context: process context, in a pre-operation callback.
 * Return: in the order of the checks of section 7:
 * STATUS_INVALID_PARAMETER_1, _2: @data or @objects is NULL;
 * STATUS_NOT_SUPPORTED: another operation, or not in a pre-operation callback;
 * STATUS_INVALID_PARAMETER_3: @operation_status is no error;
 * STATUS_INVALID_PARAMETER_4: no reason given;
 * STATUS_INVALID_BUFFER_SIZE: the request's input is too short;
 * STATUS_NOT_SUPPORTED: neither ENABLE nor QUERY;
 * STATUS_BUFFER_TOO_SMALL: the request's output is too short.
 */
s32 flt_veto_bypass_io(struct flt_callback_data *data,
		       const struct flt_related_objects *objects,
		       s32 operation_status, const char *failure_reason)
{
	const struct fs_bpio_input *in;
	struct fs_bpio_output *out;
	struct bpio_results results = {};

	if (!data)
		return STATUS_INVALID_PARAMETER_1;
	if (!objects)
		return STATUS_INVALID_PARAMETER_2;
	if (data->major != IRP_MJ_FILE_SYSTEM_CONTROL ||
	    data->fsctl.code != FSCTL_MANAGE_BYPASS_IO ||
	    !container_of(data, struct flt_walk, data)->in_preop)
		return STATUS_NOT_SUPPORTED;
	if (BPIO_NT_SEVERITY(operation_status) != 3)
		return STATUS_INVALID_PARAMETER_3;
	if (!failure_reason || !*failure_reason)
		return STATUS_INVALID_PARAMETER_4;
	in = data->fsctl.input;
	if (data->fsctl.input_length < sizeof(*in))
		return STATUS_INVALID_BUFFER_SIZE;
	if (in->operation != FS_BPIO_OP_ENABLE &&
	    in->operation != FS_BPIO_OP_QUERY)
		return STATUS_NOT_SUPPORTED;
	out = data->fsctl.output;
	if (data->fsctl.output_length < sizeof(*out))
		return STATUS_BUFFER_TOO_SMALL;

	memset(out, 0, sizeof(*out));
	out->operation = in->operation;
	bpio_results_set(&results, operation_status,
			 objects->filter->driver_name, failure_reason);
	memcpy(&out->query, &results, sizeof(results));
	trace_bpio_veto(objects->filter->driver_name, operation_status,
			failure_reason);
	pr_info_ratelimited("bpiofs: %s vetoes BypassIO on %s: status 0x%08x: %s\n",
			    objects->filter->driver_name,
			    objects->inode->i_sb->s_id, (u32)operation_status,
			    failure_reason);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(flt_veto_bypass_io);
