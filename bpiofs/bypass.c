// SPDX-License-Identifier: GPL-2.0
/*
 * The file system role of BypassIO: FSCTL_MANAGE_BYPASS_IO with its eight
 * operations (protocol 6.1-6.4), and the storage leg's requests.  What an
 * operation does to the counts is decided in state.c; how a read then goes is
 * read.c's business.
 */
#include <linux/seq_file.h>
#include "bpiofs.h"
#include "trace.h"

/*
 * Wait until no bypassed read of the stream is in flight.  A read raises
 * i_dio_count, or takes the lower inode's lock shared, then looks at the state,
 * and holds i_dio_count until it has completed: with the state changed before, it
 * sees that or is waited for.  Meanwhile the lock keeps others from coming.
 */
static void drain_stream(struct bpiofs_inode *bi)
{
	struct bpio_gate *partial =
		&bpiofs_vol(bi->vfs_inode.i_sb)->partial_gate;

	/* those that skip the filters, of all streams: they are few */
	bpio_gate_close(partial, BPIO_GATE_DRAIN);
	bpio_gate_open(partial, BPIO_GATE_DRAIN);
	inode_lock(bi->lower);
	/* the state, then the count; pairs with enter_read() in read.c */
	smp_mb();
	inode_dio_wait(bi->lower);
	inode_unlock(bi->lower);
}

/**
 * bpiofs_storage_driver - the storage driver of a mount
 * @vol: volume
 * @name: out: file name of the driver at the very bottom, NUL-terminated
 * @size: room in @name, bytes
 *
 * Context: process context, may sleep.
 * Return: whether it is BypassIO-compatible.
 */
bool bpiofs_storage_driver(struct bpiofs_volume *vol, char *name, size_t size)
{
	if (vol->stg)
		return bpio_storage_driver(vol->bdev, name, size);
	strscpy(name, vol->no_stg_driver, size);
	return vol->state.stg_compatible;
}

/* The storage stack, or the verdict on a device that is no bpio volume. */
static void ask_storage(struct bpiofs_volume *vol, u32 operation,
			struct bpio_results *results)
{
	s32 status;

	lockdep_assert_held(&vol->storage_lock);
	if (!vol->stg) {
		*results = vol->no_stg_results;
		return;
	}
	status = bpio_volume_control(vol->stg, operation, results);
	if (bpio_status_ok(status))
		return;
	/* R-FS-14: by the name that was seen by the mounter. */
	bpio_results_set(results, STATUS_NO_BYPASSIO_DRIVER_SUPPORT,
			 vol->no_stg_driver,
			 "The storage stack does not answer BypassIO requests");
}

/* Bits of enum bpio_gate_reason. */
static unsigned int gate_closed(const struct bpiofs_volume *vol)
{
	return vol->stg ? READ_ONCE(vol->stg->gate.closed) : 0;
}

/* The gate is closed for a pause while the state has a reason for one. */
static void let_go(struct bpiofs_volume *vol)
{
	lockdep_assert_held(&vol->state_lock);
	if (!vol->state.vol_paused && gate_closed(vol) & BIT(BPIO_GATE_PAUSED))
		bpio_volume_resume(vol->stg);
}

/*
 * Asking and remembering are one step under storage_lock, so that the last to
 * ask is the last to remember.
 */
static void remember_verdict(struct bpiofs_volume *vol,
			     const struct bpio_results *results)
{
	lockdep_assert_held(&vol->storage_lock);
	mutex_lock(&vol->state_lock);
	bpiofs_state_verdict(&vol->state, results);
	let_go(vol);
	mutex_unlock(&vol->state_lock);
}

static void to_fs_results(struct fs_bpio_results *to,
			  const struct bpio_results *from)
{
	BUILD_BUG_ON(sizeof(*to) != sizeof(*from));
	memcpy(to, from, sizeof(*to));
}

/**
 * bpiofs_is_sparse - has a file a hole before its valid data length?
 * @file: open regular file
 *
 * Context: process context, may sleep; no lower lock held.
 * Return: architecture 2.5's meaning of sparse.
 */
bool bpiofs_is_sparse(struct file *file)
{
	struct inode *lower = bpiofs_lower_inode(file_inode(file));
	struct file *lf = bpiofs_file(file)->lower;
	const struct path path = bpiofs_lower_path(file_dentry(file));
	loff_t size = i_size_read(lower), hole;
	struct kstat stat = {};

	/*
	 * XFS leaves i_blocks alone.  Without a look at the blocks the search
	 * for a hole would read the whole extent list of a file that has none.
	 */
	if (!vfs_getattr_nosec(&path, &stat, STATX_BLOCKS, 0) &&
	    ((loff_t)stat.blocks << SECTOR_SHIFT) >= size)
		return false;
	/* Data behind a hole: the hole lies before VDL (architecture 2.5). */
	hole = vfs_llseek(lf, 0, SEEK_HOLE);
	return hole >= 0 && hole < size && bpiofs_seek_data(lf, hole) >= 0;
}

/**
 * bpiofs_find_kind - what of a file may stand against BypassIO and ODX
 * @file: open file or directory
 * @kind: out
 *
 * Context: process context, may sleep.
 */
void bpiofs_find_kind(struct file *file, struct bpiofs_kind *kind)
{
	struct inode *inode = file_inode(file);
	struct inode *lower = bpiofs_lower_inode(inode);
	const struct path path = bpiofs_lower_path(file_dentry(file));
	struct kstat stat = {};

	memset(kind, 0, sizeof(*kind));
	kind->volume = bpiofs_is_volume_handle(inode);
	kind->directory = S_ISDIR(inode->i_mode) && !kind->volume;
	kind->dax = IS_DAX(lower);
	kind->swapfile = IS_SWAPFILE(lower) || IS_SWAPFILE(inode);
	kind->encrypted = IS_ENCRYPTED(lower);
	if (!vfs_getattr_nosec(&path, &stat, STATX_BASIC_STATS, 0)) {
		kind->compressed = stat.attributes & STATX_ATTR_COMPRESSED;
		kind->encrypted |= !!(stat.attributes & STATX_ATTR_ENCRYPTED);
	}
	if (S_ISREG(inode->i_mode))
		kind->sparse = bpiofs_is_sparse(file);
}

/* What an open and its stream need to count reads; either may be missing. */
struct counters {
	struct bpiofs_stats *stats, *past;
};

/* Before storage_lock is taken: see struct bpio_client_ops. */
static void alloc_counters(struct file *file, struct counters *counters)
{
	/* without memory for them it goes uncounted */
	if (!READ_ONCE(bpiofs_file(file)->stats))
		counters->stats = kvcalloc(nr_cpu_ids,
					   sizeof(*counters->stats),
					   GFP_KERNEL);
	if (!READ_ONCE(BPIOFS_I(file_inode(file))->past))
		counters->past = kzalloc(sizeof(*counters->past), GFP_KERNEL);
}

static void free_counters(struct counters *counters)
{
	kvfree(counters->stats);
	kfree(counters->past);
}

/* Mark the open, count it, tell storage on 0->1.  (R-FS-22) */
static void enable_open(struct file *file, struct counters *counters,
			struct bpio_results *results)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_file *f = bpiofs_file(file);
	bool first;

	lockdep_assert_held(&vol->storage_lock);
	mutex_lock(&vol->state_lock);
	if (!bi->past)
		swap(bi->past, counters->past);
	if (counters->stats && !f->stats) {
		list_add(&f->of_inode, &bi->opens);
		/* zeroed before a reader can find it */
		smp_store_release(&f->stats, counters->stats);
		counters->stats = NULL;
	}
	first = !f->enabled && bpiofs_state_enable(&vol->state, &bi->state);
	WRITE_ONCE(f->enabled, true);
	*results = vol->state.stg_results;	/* R-FS-13 */
	mutex_unlock(&vol->state_lock);
	if (!first)
		return;

	ask_storage(vol, BPIO_OP_ENABLE, results);
	remember_verdict(vol, results);
}

static void disable_open(struct file *file)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_file *f = bpiofs_file(file);
	struct bpio_results results;
	bool last = false;

	mutex_lock(&vol->storage_lock);
	mutex_lock(&vol->state_lock);
	if (f->enabled) {
		WRITE_ONCE(f->enabled, false);
		last = bpiofs_state_disable(&vol->state, &bi->state);
		if (last)
			vol->state.stg_state = BPIOFS_STG_IDLE;
	}
	mutex_unlock(&vol->state_lock);
	if (last) {
		ask_storage(vol, BPIO_OP_DISABLE, &results);
		mutex_lock(&vol->state_lock);
		let_go(vol);
		mutex_unlock(&vol->state_lock);
	}
	mutex_unlock(&vol->storage_lock);
}

static void op_query(struct file *file, const struct fs_bpio_input *in,
		     struct fs_bpio_results *out)
{
	const bool enable = in->operation == FS_BPIO_OP_ENABLE;
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpiofs_file *f = bpiofs_file(file);
	struct bpio_results results = {};
	struct counters counters = {};
	struct bpiofs_veto veto;
	struct bpiofs_kind kind;

	/* An open that is enabled already is not judged again (R-FS-20). */
	if (!enable || !READ_ONCE(f->enabled)) {
		bpiofs_find_kind(file, &kind);
		veto = bpiofs_automatic_veto(&kind, in->operation);
		if (veto.op_status) {		/* R-FS-16 */
			bpio_results_set(&results, veto.op_status,
					 BPIOFS_DRIVER_NAME, veto.reason);
			to_fs_results(out, &results);
			return;
		}
	}

	if (enable)
		alloc_counters(file, &counters);
	mutex_lock(&vol->storage_lock);
	if (enable)
		enable_open(file, &counters, &results);
	else if (!(in->in_flags & FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY))
		ask_storage(vol, BPIO_OP_QUERY, &results);	/* R-FS-42 */
	mutex_unlock(&vol->storage_lock);
	free_counters(&counters);
	to_fs_results(out, &results);
}

static void pause_volume(struct bpiofs_volume *vol)
{
	mutex_lock(&vol->storage_lock);
	mutex_lock(&vol->state_lock);
	vol->state.vol_paused |= BPIOFS_PAUSED_BY_REQUEST;
	if (vol->stg)
		bpio_volume_pause(vol->stg);	/* drains (R-FS-50) */
	mutex_unlock(&vol->state_lock);
	mutex_unlock(&vol->storage_lock);
}

/* Whatever is enabled asks storage again (R-FS-56). */
static void ask_again(struct bpiofs_volume *vol, struct bpio_results *results)
{
	u32 operation;

	lockdep_assert_held(&vol->storage_lock);
	mutex_lock(&vol->state_lock);
	operation = bpiofs_state_resume_operation(&vol->state,
						  gate_closed(vol));
	mutex_unlock(&vol->state_lock);
	if (!operation)
		return;
	ask_storage(vol, operation, results);
	remember_verdict(vol, results);
}

static void resume_volume(struct bpiofs_volume *vol,
			  struct fs_bpio_results *out)
{
	struct bpio_results results = {};

	mutex_lock(&vol->storage_lock);
	mutex_lock(&vol->state_lock);
	vol->state.vol_paused = 0;
	mutex_unlock(&vol->state_lock);
	ask_again(vol, &results);
	/* A veto has closed the gate. */
	mutex_lock(&vol->state_lock);
	let_go(vol);
	mutex_unlock(&vol->state_lock);
	mutex_unlock(&vol->storage_lock);
	to_fs_results(out, &results);
}

static void pause_stream(struct bpiofs_inode *bi)
{
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	bool drain;

	mutex_lock(&vol->state_lock);
	drain = bpiofs_state_pause_stream(&bi->state);
	mutex_unlock(&vol->state_lock);
	if (drain)
		drain_stream(bi);
}

/* A request of our own, from the top.  Return: its NTSTATUS. */
static s32 send_to_top(struct file *file, u32 operation, u32 in_flags,
		       struct fs_bpio_results *results)
{
	const struct fs_bpio_input in = {
		.operation = operation,
		.in_flags = in_flags,
	};
	struct bpio_request req = {
		.code = FSCTL_MANAGE_BYPASS_IO,
		.kernel_mode = true,
		.input = &in,
		.input_length = sizeof(in),
		.output_length = sizeof(struct fs_bpio_output),
		.device_fd = -1,
		.status = STATUS_SUCCESS,
	};
	struct fs_bpio_output *out;

	out = kzalloc(sizeof(*out), GFP_KERNEL);
	if (!out)
		return STATUS_INSUFFICIENT_RESOURCES;
	req.output = out;
	bpiofs_filtered_fsctl(file, &req, NULL);
	*results = out->query;
	kfree(out);
	return req.status;
}

/* R-FS-65, R-FS-66: ask from the top, without storage; then let go. */
static void resume_stream(struct file *file, struct fs_bpio_results *out)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	bool paused;
	u32 pauses;
	s32 status;

	mutex_lock(&vol->state_lock);
	paused = bi->state.stream_paused;
	pauses = bi->state.pauses;
	mutex_unlock(&vol->state_lock);
	if (!paused)
		return;
	status = send_to_top(file, FS_BPIO_OP_QUERY,
			     FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY, out);
	if (!bpio_status_ok(status)) {
		struct bpio_results results = {};

		bpio_results_set(&results, status, BPIOFS_DRIVER_NAME,
				 "The query failed");
		to_fs_results(out, &results);
	}
	if (out->op_status)
		return;
	/* Whoever has asked for a pause since has not been asked about it. */
	mutex_lock(&vol->state_lock);
	if (bi->state.pauses == pauses)
		bi->state.stream_paused = false;
	mutex_unlock(&vol->state_lock);
}

/* Architecture 1.4, control=admin: a pause is a denial of service. */
static bool may_control(struct file *file, u32 operation)
{
	struct inode *inode = file_inode(file);

	if (bpiofs_vol(inode->i_sb)->params.control_any)
		return true;
	switch (operation) {
	case FS_BPIO_OP_VOLUME_STACK_PAUSE:
	case FS_BPIO_OP_VOLUME_STACK_RESUME:
		return capable(CAP_SYS_ADMIN);
	case FS_BPIO_OP_STREAM_PAUSE:
	case FS_BPIO_OP_STREAM_RESUME:
		return (file->f_mode & FMODE_WRITE) ||
		       bpio_owner_or_capable(file);
	default:
		return true;
	}
}

/**
 * bpiofs_suspended_by - what keeps the volume from being bypassed
 * @vol: volume
 *
 * Context: process context, may sleep; takes the state lock.
 * Return: bits of enum bpiofs_suspension.
 */
unsigned int bpiofs_suspended_by(struct bpiofs_volume *vol)
{
	unsigned int by;

	mutex_lock(&vol->state_lock);
	by = bpiofs_state_suspended_by(&vol->state, gate_closed(vol));
	mutex_unlock(&vol->state_lock);
	/* A freeze, as a suspend makes one, holds a reference as well. */
	if (!bpiofs_lower_is_ours(vol) &&
	    vol->lower_sb->s_writers.frozen == SB_UNFROZEN)
		by |= BIT(BPIOFS_SUSPENDED_MOUNT);
	return by;
}

static void get_info(struct bpiofs_volume *vol, struct fs_bpio_info *info)
{
	char name[BPIO_DRIVER_NAME_CHARS + 1];
	struct bpio_results results = {};

	BUILD_BUG_ON(sizeof(info->storage_driver_name) !=
		     sizeof(results.failing_driver_name));
	bpiofs_storage_driver(vol, name, sizeof(name));
	bpio_results_set(&results, 0, name, NULL);
	info->storage_driver_name_len = results.failing_driver_name_len;
	memcpy(info->storage_driver_name, results.failing_driver_name,
	       sizeof(info->storage_driver_name));
	mutex_lock(&vol->state_lock);
	info->active_bypass_io_count = vol->state.active_count;
	mutex_unlock(&vol->state_lock);
}

/**
 * bpiofs_manage_bypass_io - FSCTL_MANAGE_BYPASS_IO
 * @file: any open file or directory of the mount
 * @req: the request; status, information and output are filled
 *
 * Context: process context, may sleep; takes the storage and state locks.
 * Statuses: R-FS-5; STATUS_ACCESS_DENIED by the mount option control=admin.
 */
void bpiofs_manage_bypass_io(struct file *file, struct bpio_request *req)
{
	struct inode *inode = file_inode(file);
	struct bpiofs_volume *vol = bpiofs_vol(inode->i_sb);
	struct bpiofs_stream_state *stream =
		S_ISREG(inode->i_mode) ? &BPIOFS_I(inode)->state : NULL;
	const struct fs_bpio_input *in = req->input;
	struct fs_bpio_output *out = req->output;

	req->status = bpiofs_check_manage_bypass_io(in, req->input_length,
						    req->output_length);
	if (req->status)
		return;
	if (!req->kernel_mode && !may_control(file, in->operation)) {
		req->status = STATUS_ACCESS_DENIED;
		return;
	}

	switch (in->operation) {
	case FS_BPIO_OP_ENABLE:
	case FS_BPIO_OP_QUERY:
		op_query(file, in, &out->query);
		break;
	case FS_BPIO_OP_DISABLE:
		if (stream && READ_ONCE(bpiofs_file(file)->enabled)) {
			disable_open(file);
			drain_stream(BPIOFS_I(inode));	/* R-FS-30 */
		}
		break;
	case FS_BPIO_OP_VOLUME_STACK_PAUSE:
		pause_volume(vol);
		break;
	case FS_BPIO_OP_VOLUME_STACK_RESUME:
		resume_volume(vol, &out->volume_stack_resume);
		break;
	case FS_BPIO_OP_STREAM_PAUSE:
		if (stream)
			pause_stream(BPIOFS_I(inode));
		break;
	case FS_BPIO_OP_STREAM_RESUME:
		if (stream)
			resume_stream(file, &out->stream_resume);
		break;
	case FS_BPIO_OP_GET_INFO:
		get_info(vol, &out->get_info);
		break;
	}

	out->operation = in->operation;
	mutex_lock(&vol->state_lock);
	out->out_flags = bpiofs_out_flags(&vol->state, stream, in->operation,
					  in->in_flags);
	mutex_unlock(&vol->state_lock);
	req->information = bpiofs_information(in->operation);
	trace_bpiofs_control(inode, in->operation, req->status,
			     req->information > FS_BPIO_OUTPUT_GET_INFO_SIZE ?
			     out->query.op_status : 0, out->out_flags,
			     stream ? READ_ONCE(stream->open_count) : 0,
			     READ_ONCE(vol->state.active_count));
}

/**
 * bpiofs_bypass_open - a file or directory was opened
 * @file: its private_data is complete
 *
 * With bypassio=auto an O_DIRECT open for reading is enabled at once; a veto
 * leaves it as it is.
 *
 * Context: process context, may sleep.
 */
void bpiofs_bypass_open(struct file *file)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct fs_bpio_results *results;

	if (!vol->params.bypassio_auto || !S_ISREG(file_inode(file)->i_mode) ||
	    !(file->f_flags & O_DIRECT) || !(file->f_mode & FMODE_READ))
		return;
	results = kzalloc(sizeof(*results), GFP_KERNEL);
	if (!results)
		return;
	send_to_top(file, FS_BPIO_OP_ENABLE, 0, results);
	kfree(results);
}

static void add_words(struct bpiofs_stats *sum, const struct bpiofs_stats *stats)
{
	const u64 *from = (const u64 *)stats;
	u64 *to = (u64 *)sum;
	unsigned int i;

	for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void add_stats(struct bpiofs_stats *sum,
		      const struct bpiofs_stats *stats)
{
	int cpu;

	for_each_possible_cpu(cpu)
		add_words(sum, &stats[cpu]);
}

/* The counters of an open live on in those of its stream. */
static void retire_stats(struct file *file)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_file *f = bpiofs_file(file);

	mutex_lock(&vol->state_lock);
	list_del(&f->of_inode);
	if (bi->past)
		add_stats(bi->past, f->stats);
	mutex_unlock(&vol->state_lock);
	kvfree(f->stats);
}

/**
 * bpiofs_bypass_release - the last reference to an open file goes
 * @file: its lower file is still open
 *
 * An implicit DISABLE (R-FS-7).  No read of it can be in flight.
 *
 * Context: process context, may sleep.
 */
void bpiofs_bypass_release(struct file *file)
{
	bpiofs_use_direct(file);
	if (bpiofs_file(file)->enabled)
		disable_open(file);
	if (bpiofs_file(file)->stats)
		retire_stats(file);
}

static void show_stats(struct seq_file *m, const char *prefix,
		       const struct bpiofs_stats *stats)
{
	int i;

	for (i = 0; i < BPIOFS_PATH_NR; i++)
		seq_printf(m, "bpio-%s%s:\t%llu %llu\n", prefix,
			   bpiofs_path_name(i), stats->reads[i],
			   stats->bytes[i]);
	for (i = BPIOFS_WHY_NONE + 1; i < BPIOFS_WHY_NR; i++)
		if (stats->reasons[i])
			seq_printf(m, "bpio-%swhy-%s:\t%llu\n", prefix,
				   bpiofs_why_name(i), stats->reasons[i]);
}

/**
 * bpiofs_show_fdinfo - what BypassIO did for an open, and for its stream
 * @m: /proc/<pid>/fdinfo/<fd>
 * @file: regular file of a mount
 *
 * Of opens that are or were enabled: reads and bytes by path, and reads by
 * the reason why they were not bypassed.
 *
 * Context: process context, may sleep; takes the state lock.
 */
void bpiofs_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_file *f = bpiofs_file(file), *other;
	struct bpiofs_stats *own, *all;

	own = kcalloc(2, sizeof(*own), GFP_KERNEL);
	if (!own)
		return;
	all = own + 1;
	mutex_lock(&vol->state_lock);
	if (f->stats)
		add_stats(own, f->stats);
	list_for_each_entry(other, &bi->opens, of_inode)
		add_stats(all, other->stats);
	if (bi->past)
		add_words(all, bi->past);
	seq_printf(m, "bpio-enabled:\t%u\n", f->enabled);
	show_stats(m, "", own);
	seq_printf(m, "bpio-stream-opens:\t%u\n", bi->state.open_count);
	show_stats(m, "stream-", all);
	mutex_unlock(&vol->state_lock);
	kfree(own);
}

/* See struct bpio_client_ops for what these three must not wait for. */
static void client_pause(void *client)
{
	struct bpiofs_volume *vol = client;
	struct bpio_results results = {};

	mutex_lock(&vol->storage_lock);
	mutex_lock(&vol->state_lock);
	if (bpiofs_state_pause_by_veto(&vol->state))
		bpio_volume_pause(vol->stg);	/* drains (R-STG-10) */
	mutex_unlock(&vol->state_lock);
	if (READ_ONCE(vol->state.active_count)) {
		ask_storage(vol, BPIO_OP_QUERY, &results);
		remember_verdict(vol, &results);
	}
	mutex_unlock(&vol->storage_lock);
}

static void client_resume(void *client)
{
	struct bpiofs_volume *vol = client;
	struct bpio_results results = {};

	mutex_lock(&vol->storage_lock);
	ask_again(vol, &results);
	mutex_unlock(&vol->storage_lock);
}

static void client_changed(void *client)
{
	struct bpiofs_volume *vol = client;
	char name[BPIO_DRIVER_NAME_CHARS + 1];
	bool compatible;

	/* A reload may have changed what lies below. */
	compatible = bpio_storage_driver(vol->bdev, name, sizeof(name));
	mutex_lock(&vol->state_lock);
	if (vol->state.active_count)
		vol->state.stg_compatible = compatible;
	mutex_unlock(&vol->state_lock);
	client_resume(vol);
}

static const struct bpio_client_ops client_ops = {
	.pause = client_pause,
	.resume = client_resume,
	.changed = client_changed,
};

/* Also as ext2 and ext3, where it is the ext4 driver that serves them. */
static bool lower_is_ext(const struct bpiofs_volume *vol)
{
	const struct file_system_type *type = vol->lower_sb->s_type;

	return !strcmp(type->name, "ext4") ||
	       (type->owner && !strcmp(module_name(type->owner), "ext4"));
}

/*
 * Marker I/O takes a file system that hands the caller's memory to this block
 * device as it is and puts nothing of its own beside it: no checksum, no
 * compression, no second data device, no blocks that move by themselves.
 */
static bool lower_takes_markers(const struct bpiofs_volume *vol)
{
	const char *data = vol->params.lowerdata;

	if (!strcmp(vol->lower_sb->s_type->name, "xfs"))
		return !data || !strstr(data, "rtdev=");
	return lower_is_ext(vol);
}

/**
 * bpiofs_bypass_mount - find the storage layer of a new mount
 * @vol: its lower file system is mounted, bdev is set
 *
 * Without a bpio device below, or with a file system that marker I/O cannot be
 * used with, the mount works all the same: BypassIO is then partial and ODX
 * off (architecture 1.4).
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY when another file system is on the device; -ENOMEM.
 */
int bpiofs_bypass_mount(struct bpiofs_volume *vol)
{
	struct bpio_volume *stg = ERR_PTR(-ENODEV);

	mutex_init(&vol->storage_lock);
	mutex_init(&vol->state_lock);
	vol->takes_markers = lower_takes_markers(vol);
	vol->nowait_whole = lower_is_ext(vol);
	vol->state.stg_compatible =
		bpio_storage_driver(vol->bdev, vol->no_stg_driver,
				    sizeof(vol->no_stg_driver));
	if (vol->takes_markers)
		stg = bpio_volume_get(vol->bdev, &client_ops, vol);
	if (!IS_ERR(stg)) {
		vol->stg = stg;
		return 0;
	}
	if (PTR_ERR(stg) != -ENODEV)
		return PTR_ERR(stg);
	if (vol->takes_markers)
		bpio_bdev_query(vol->bdev, &vol->no_stg_results);
	else
		bpio_results_set(&vol->no_stg_results,
				 STATUS_NO_BYPASSIO_DRIVER_SUPPORT,
				 BPIOFS_DRIVER_NAME,
				 "The lower file system is not supported.");
	return 0;
}

/**
 * bpiofs_bypass_umount - let go of the storage layer
 * @vol: no file of it is open
 *
 * Context: process context, may sleep.
 */
void bpiofs_bypass_umount(struct bpiofs_volume *vol)
{
	if (vol->stg)
		bpio_volume_put(vol->stg);
	vol->stg = NULL;
}
