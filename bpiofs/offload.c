// SPDX-License-Identifier: GPL-2.0
/*
 * FSCTL_OFFLOAD_READ and FSCTL_OFFLOAD_WRITE on files (protocol 9.1, 9.2).
 * The lower file system does all allocation, conversion and locking, in
 * ordinary direct reads and writes of marker memory; the storage layer makes
 * tokens of the reads and copies of the writes (architecture: marker I/O).
 *
 * Never trusted: that a marker write which succeeded put the token's data into
 * the file.  What the storage layer did not see as a copy is written again as
 * ordinary data before success is reported, in a worker that no signal can
 * stop half way.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/fsnotify.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include <bpio/token.h>
#include "bpiofs.h"
#include "offload-check.h"

/* PAGE_SIZE of the rules, whatever the machine's is (9). */
#define MIN_FILE_SIZE	4096
#define LITERAL_SIZE	SZ_64K
#define REARM		(180 * HZ)
#define MINT_TRIES	3

/* IsOffload{Read,Write}Supported: false until the time has come. */
static bool flag_is_down(unsigned long *until)
{
	const unsigned long when = READ_ONCE(*until);

	if (!when)
		return false;
	if (time_before(jiffies, when))
		return true;
	WRITE_ONCE(*until, 0);
	return false;
}

/* OR-27, OW-25: the volume does not do it; say so without asking again. */
static s32 note_not_supported(s32 status, unsigned long *until)
{
	if (status == STATUS_NOT_SUPPORTED ||
	    status == STATUS_DEVICE_FEATURE_NOT_SUPPORTED)
		WRITE_ONCE(*until, (jiffies + REARM) ?: 1);
	return status;
}

/* Byte-range locks: POSIX and OFD locks of other owners (2.1.4.10). */
static bool lock_conflict(struct file *file, u64 offset, u64 length,
			  bool exclusive)
{
	const u64 last = offset + length - 1;
	struct file_lock_context *ctx;
	bool conflict = false;
	struct file_lock *fl;

	/* pairs with the cmpxchg_release() of locks_get_lock_context() */
	ctx = smp_load_acquire(&file_inode(file)->i_flctx);
	if (!ctx)
		return false;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(fl, &ctx->flc_posix, bpio_fl_list) {
		const bool own = bpio_fl_owner(fl) == current->files ||
				 bpio_fl_owner(fl) == file;

		if ((u64)fl->fl_end < offset || (u64)fl->fl_start > last)
			continue;
		if (bpio_fl_is_write(fl) ? !own : exclusive) {
			conflict = true;
			break;
		}
	}
	spin_unlock(&ctx->flc_lock);
	return conflict;
}

/*
 * Valid data length: the end of the last data that SEEK_DATA would return; a
 * hole or unwritten tail lies beyond it (architecture 2.5).
 */
static loff_t valid_data_length(struct file *lower, loff_t size)
{
	loff_t end = 0, data = 0;

	while (data >= 0 && data < size) {
		loff_t hole = vfs_llseek(lower, data, SEEK_HOLE);

		if (hole < 0)
			return hole;
		if (hole > data)
			end = min(hole, size);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		data = hole >= size ? size : bpiofs_seek_data(lower, hole);
	}
	return data < 0 && data != -ENXIO ? data : end;
}

/* FS_*_FL of a file on ext2, ext3 or ext4; 0 elsewhere, or when it fails. */
static u32 ext_flags(struct file *file)
{
	struct bpio_fileattr fa = {};

	if (bpiofs_lower_inode(file_inode(file))->i_sb->s_magic !=
	    EXT4_SUPER_MAGIC ||
	    vfs_fileattr_get(bpiofs_lower_dentry(file_dentry(file)), &fa))
		return 0;
	return fa.flags;
}

/**
 * bpiofs_may_copy - is there a point in trying to offload a copy of this file?
 * @file: a regular file
 * @write: as the destination
 *
 * Context: process context, may sleep.
 * Return: false for a volume or a kind of file for which it cannot work.
 */
bool bpiofs_may_copy(struct file *file, bool write)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpiofs_kind kind;

	if (!vol->stg || flag_is_down(write ? &vol->no_offload_write_until :
					      &vol->no_offload_read_until) ||
	    !bpio_volume_can_offload(vol->stg))
		return false;
	bpiofs_find_kind(file, &kind);
	return !(kind.dax || kind.swapfile || kind.compressed ||
		 kind.encrypted || ext_flags(file) & FS_INLINE_DATA_FL);
}

/* OR-5 to OR-8, OW-2 to OW-5: the volume and the handle. */
static s32 check_volume(struct file *file, bool write, unsigned long *until)
{
	struct inode *inode = file_inode(file);
	struct bpiofs_volume *vol = bpiofs_vol(inode->i_sb);

	if (bpiofs_is_volume_handle(inode) ||
	    !(S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode)))
		return STATUS_INVALID_DEVICE_REQUEST;
	if (write && sb_rdonly(vol->lower_sb))
		return STATUS_MEDIA_WRITE_PROTECTED;
	if (!vol->stg || flag_is_down(until))
		return STATUS_NOT_SUPPORTED;
	return STATUS_SUCCESS;
}

/*
 * OR-15 to OR-17, OW-11 to OW-13.  Differs: a destination may have holes.  Linux
 * has no sparse attribute, and clients extend a file by writing its last byte.
 */
static s32 check_file(struct file *file, bool write)
{
	const s32 not_supported = write ?
		STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED :
		STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED;
	struct inode *inode = file_inode(file);
	struct bpiofs_kind kind;

	bpiofs_find_kind(file, &kind);
	if (!S_ISREG(inode->i_mode) || kind.dax || kind.swapfile ||
	    kind.compressed || kind.encrypted || (kind.sparse && !write) ||
	    ext_flags(file) & FS_INLINE_DATA_FL)
		return not_supported;
	if (!bpiofs_lower_inode(inode)->i_nlink)
		return STATUS_FILE_DELETED;
	if (i_size_read(bpiofs_lower_inode(inode)) < MIN_FILE_SIZE)
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

/* ---- reading ------------------------------------------------------------ */

/*
 * What a probe did not find on the disk is zeros, or data that is nowhere but
 * in the answer (inline, journalled): a file that cannot be offloaded.
 */
static s32 add_gaps(struct bpio_marker *marker, struct bpio_token *token,
		    u64 token_offset, size_t got, u32 sector)
{
	const struct bpio_extent *extent;
	unsigned int nr = bpio_marker_extents(marker, &extent), i;
	const size_t end = round_up(got, sector);
	size_t at = 0;

	for (i = 0; i <= nr; i++) {
		const size_t next = i < nr ? min_t(size_t, extent[i].pos, end) :
					     end;

		if (at < next) {
			if (!bpio_marker_gap_is_zero(marker, at,
						     min(next, got) - at))
				return STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED;
			if (bpio_token_add_zero(token, token_offset + at,
						next - at))
				return STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED;
		}
		if (i < nr)
			at = max_t(size_t, at, extent[i].pos + extent[i].length);
	}
	return STATUS_SUCCESS;
}

/*
 * Probe [pos, pos + *length) into the token.  With @cut, *length becomes what
 * fits into it, or what there is up to the end of the file.  Return: NTSTATUS.
 */
static s32 probe_range(struct file *lower, struct bpio_marker *marker,
		       struct bpio_token *token, loff_t pos, u64 *length,
		       u32 sector, bool cut)
{
	u64 done = 0;

	while (done < *length) {
		const size_t want = min_t(u64, bpio_marker_size(marker),
					  *length - done);
		struct iov_iter iter;
		struct kiocb kiocb;
		ssize_t got;
		s32 status;
		int ret;

		if (fatal_signal_pending(current))
			return bpio_status_from_errno(-EINTR);
		ret = bpio_marker_arm_probe(marker, token, done);
		if (ret)
			return bpio_status_from_errno(ret);
		bpio_marker_iter(marker, &iter, 0, want);
		init_sync_kiocb(&kiocb, lower);
		kiocb.ki_flags |= IOCB_DIRECT;
		kiocb.ki_pos = pos + done;
		got = vfs_iocb_iter_read(lower, &kiocb, &iter);
		bpio_marker_disarm(marker);
		if (got < 0)
			return bpio_status_from_errno(got);
		/* truncated meanwhile */
		if (cut ? !got : round_up(got, sector) < want)
			return STATUS_END_OF_FILE;
		status = add_gaps(marker, token, done, got, sector);
		done += cut ? got : want;
		if (cut && bpio_token_covered(token) < done) {
			*length = round_down(bpio_token_covered(token),
					     sector);
			return *length ? STATUS_SUCCESS :
					 STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED;
		}
		if (status)
			return status;
		if (cut && got < want) {
			*length = done;
			break;
		}
		cond_resched();
	}
	return STATUS_SUCCESS;
}

static s32 mint(struct file *file, loff_t pos, u64 *length, u32 ttl_ms,
		bool cut, struct storage_offload_token *out)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	struct bpiofs_volume *vol = bpiofs_vol(bi->vfs_inode.i_sb);
	struct address_space *mapping = bi->lower->i_mapping;
	const u32 sector = bdev_logical_block_size(vol->bdev);
	const loff_t last = pos + *length - 1;
	struct bpio_marker *marker;
	struct bpio_token *token;
	s32 status;
	int ret;

	/* OR-22; the direct reads would write back, but not wait for it all */
	ret = filemap_write_and_wait_range(mapping, pos, last);
	if (ret)
		return bpio_status_from_errno(ret);

	token = bpio_token_begin(vol->stg, ttl_ms, &status);
	if (!token)
		return status;
	*length = min(*length, round_down(bpio_token_limit(token), sector));
	if (!*length) {
		bpio_token_abort(token);
		return STATUS_UNSUCCESSFUL;
	}
	marker = bpio_marker_get(vol->stg, false, *length, GFP_KERNEL);
	if (!marker) {
		bpio_token_abort(token);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	status = probe_range(bpiofs_file(file)->lower, marker, token, pos,
			     length, sector, cut);
	bpio_marker_put(marker);
	if (status) {
		bpio_token_abort(token);
		return status;
	}
	/* Writes that were in flight when the token learned its ranges */
	inode_lock(bi->lower);
	inode_dio_wait(bi->lower);
	inode_unlock(bi->lower);
	ret = filemap_fdatawait_range(mapping, pos, last);
	if (ret) {
		bpio_token_abort(token);
		return bpio_status_from_errno(ret);
	}
	return bpio_token_issue(token, round_up(*length, sector), out);
}

/**
 * bpiofs_mint - a token of a range of a file
 * @file: open for reading, on a volume with a storage layer
 * @pos: first byte, a multiple of the sector
 * @length: in: bytes, a multiple of the sector or ending at the end of the
 *	file; out: how many the token stands for; with @cut no more than there
 *	were when they were read, so not always whole sectors
 * @ttl_ms: time to live in ms; 0: the device's default
 * @cut: cut at the 65th extent and at the end of the file, else fail there
 *	(OR-23)
 * @out: out: the token
 *
 * Context: process context, may sleep; takes the stream's offload_lock.
 * Return: NTSTATUS.
 */
s32 bpiofs_mint(struct file *file, loff_t pos, u64 *length, u32 ttl_ms,
		bool cut, struct storage_offload_token *out)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(file));
	const u64 wanted = *length;
	unsigned int tries = 0;
	s32 status;

	/* A write in between kills the token before it is issued. */
	do {
		*length = wanted;
		mutex_lock(&bi->offload_lock);
		status = mint(file, pos, length, ttl_ms, cut, out);
		mutex_unlock(&bi->offload_lock);
	} while (status == STATUS_INVALID_TOKEN && ++tries < MINT_TRIES);
	return note_not_supported(status, &bpiofs_vol(bi->vfs_inode.i_sb)->
						no_offload_read_until);
}

/**
 * bpiofs_offload_read - FSCTL_OFFLOAD_READ
 * @file: open for reading
 * @req: the request; status, information and output are filled
 *
 * Context: process context, may sleep.
 * Statuses: 9.1, in its order.
 */
void bpiofs_offload_read(struct file *file, struct bpio_request *req)
{
	struct inode *inode = file_inode(file);
	struct bpiofs_volume *vol = bpiofs_vol(inode->i_sb);
	struct bpiofs_inode *bi = BPIOFS_I(inode);
	const struct fsctl_offload_read_input *in = req->input;
	struct fsctl_offload_read_output *out = req->output;
	const u32 sector = bdev_logical_block_size(vol->bdev);
	const loff_t size = i_size_read(bi->lower);
	bool all_zero, no_data;
	u64 length, trimmed;
	loff_t vdl;

	req->status = check_volume(file, false, &vol->no_offload_read_until);
	if (req->status)
		return;
	req->status = bpiofs_check_offload_read(in, req->input_length,
						req->output_length, sector,
						size);
	if (req->status)
		return;
	length = in->copy_length;
	if (!length) {				/* OR-14 */
		bpio_token_zero(&out->token);
		goto done;
	}
	req->status = check_file(file, false);
	if (req->status)
		return;
	if (lock_conflict(file, in->file_offset, length, false)) {
		req->status = STATUS_FILE_LOCK_CONFLICT;
		return;
	}
	vdl = valid_data_length(bpiofs_file(file)->lower, size);
	if (vdl < 0) {
		req->status = bpio_status_from_errno(vdl);
		return;
	}
	req->status = bpiofs_trim_offload_read(in->file_offset, &length,
					       sector, size, vdl, &all_zero,
					       &no_data);
	if (req->status)
		return;
	trimmed = length;
	if (no_data) {				/* OR-20 */
		bpio_token_zero(&out->token);
	} else {
		req->status = bpiofs_mint(file, in->file_offset, &length,
					  in->token_time_to_live, false,
					  &out->token);
		if (req->status)
			return;
	}
	if (all_zero && length == trimmed)	/* OR-26 */
		out->flags = OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE;
	out->transfer_length = length;
done:
	out->size = sizeof(*out);
	req->information = sizeof(*out);
}

/* ---- writing ------------------------------------------------------------ */

/* One offload write, run by a worker: signals cannot stop it half way. */
struct offload_write {
	struct work_struct work;
	struct completion done;
	const struct cred *cred;
	struct file *file;
	struct bpio_token *token;
	struct bpio_marker *marker;
	void *literal;		/* LITERAL_SIZE bytes, when first needed */
	loff_t pos;
	u64 token_offset;
	u64 length;
	loff_t limit;		/* nothing is written at it or beyond */
	u64 written;		/* out */
	s32 status;		/* out */
};

static ssize_t write_lower(struct file *lower, struct iov_iter *iter,
			   loff_t pos, bool direct)
{
	struct kiocb kiocb;

	init_sync_kiocb(&kiocb, lower);
	kiocb.ki_flags &= ~(IOCB_APPEND | IOCB_DIRECT);
	if (direct)
		kiocb.ki_flags |= IOCB_DIRECT;
	kiocb.ki_pos = pos;
	return bpio_vfs_iocb_iter_write(lower, &kiocb, iter);
}

/* Token data by way of memory: parts of a block, and gaps. */
static s32 write_literal(struct offload_write *ow, loff_t pos, u64 token_offset,
			 u64 length)
{
	struct file *lower = bpiofs_file(ow->file)->lower;
	const struct bpiofs_volume *vol =
		bpiofs_vol(file_inode(ow->file)->i_sb);
	const u32 sector = bdev_logical_block_size(vol->bdev);

	if (!ow->literal)
		ow->literal = kvmalloc(LITERAL_SIZE, GFP_KERNEL);
	if (!ow->literal)
		return STATUS_INSUFFICIENT_RESOURCES;
	while (length) {
		const size_t part = min_t(u64, length, LITERAL_SIZE);
		struct kvec vec = { ow->literal, part };
		struct iov_iter iter;
		ssize_t ret;
		s32 status;

		/* the last part of a file may end within a sector */
		status = bpio_token_read(ow->token, token_offset, ow->literal,
					 round_up(part, sector));
		if (status)
			return status;
		iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, part);
		while (iov_iter_count(&iter)) {
			ret = write_lower(lower, &iter, pos, false);
			if (ret < 0)
				return bpio_status_from_errno(ret);
			if (!ret)
				return STATUS_UNSUCCESSFUL;
			pos += ret;
		}
		token_offset += part;
		length -= part;
	}
	return STATUS_SUCCESS;
}

/* What no copy covered in [0, length) of the marker is written as data. */
static s32 write_gaps(struct offload_write *ow, loff_t pos, u64 token_offset,
		      size_t length)
{
	const struct bpio_extent *extent;
	unsigned int nr = bpio_marker_extents(ow->marker, &extent), i;
	size_t at = 0;
	s32 status;

	for (i = 0; i <= nr; i++) {
		const size_t next = i < nr ? min_t(size_t, extent[i].pos,
						   length) : length;

		if (at < next) {
			status = write_literal(ow, pos + at, token_offset + at,
					       next - at);
			if (status)
				return status;
		}
		if (i < nr)
			at = max_t(size_t, at, extent[i].pos + extent[i].length);
	}
	return STATUS_SUCCESS;
}

/* Does the lower file system write to the file directly at all? */
static bool writes_directly(struct file *file)
{
	const struct path path = bpiofs_lower_path(file_dentry(file));
	struct kstat stat;

	return !vfs_getattr_nosec(&path, &stat, STATX_DIOALIGN, 0) &&
	       stat.result_mask & STATX_DIOALIGN && stat.dio_mem_align;
}

/*
 * Would the lower file system turn a direct write into a cached one?  Then the
 * marker's memory would be in the file before its data is, so all of it is
 * written as data to begin with.  ext4 does for files with data journalling or
 * indirect blocks (inline data is refused before); where it is a matter of the
 * whole mount, a direct read leaves pages behind.  Where there is nothing to
 * read yet, its alignment of direct I/O tells.
 */
static bool falls_back(struct offload_write *ow)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(ow->file));
	const unsigned int block = i_blocksize(bi->lower);
	const loff_t pos = round_down(ow->pos, block);
	struct file *lower = bpiofs_file(ow->file)->lower;
	const u32 flags = ext_flags(ow->file);
	struct bpio_marker *marker;
	struct iov_iter iter;
	struct kiocb kiocb;
	ssize_t got = 0;

	if (bi->lower->i_sb->s_magic == EXT4_SUPER_MAGIC &&
	    (!(flags & FS_EXTENT_FL) || flags & FS_JOURNAL_DATA_FL))
		return true;
	if (pos >= i_size_read(bi->lower))
		return !writes_directly(ow->file);

	if (filemap_write_and_wait_range(lower->f_mapping, pos,
					 pos + block - 1) ||
	    invalidate_inode_pages2_range(lower->f_mapping, pos >> PAGE_SHIFT,
					  (pos + block - 1) >> PAGE_SHIFT))
		return true;
	/* not the one for the copies, whose memory would have to be zeroed */
	marker = bpio_marker_get(bpiofs_vol(bi->vfs_inode.i_sb)->stg, false,
				 block, GFP_KERNEL);
	if (!marker)
		return true;
	if (!bpio_marker_arm_probe(marker, NULL, 0)) {
		bpio_marker_iter(marker, &iter, 0, block);
		init_sync_kiocb(&kiocb, lower);
		kiocb.ki_flags |= IOCB_DIRECT;
		kiocb.ki_pos = pos;
		/* not by way of the VFS: it may be open for writing only */
		got = lower->f_op->read_iter(&kiocb, &iter);
		bpio_marker_disarm(marker);
	}
	bpio_marker_put(marker);
	return got <= 0 || filemap_range_has_page(lower->f_mapping, pos,
						  pos + block - 1);
}

/*
 * Whole blocks, by copy.  *written says how far the file is good, whatever the
 * status.
 */
static s32 write_marker(struct offload_write *ow, loff_t pos, u64 token_offset,
			size_t length, size_t *written)
{
	struct bpiofs_inode *bi = BPIOFS_I(file_inode(ow->file));
	struct iov_iter iter;
	ssize_t ret;
	s32 status;
	int err;

	*written = 0;
	err = bpio_marker_arm_copy(ow->marker, ow->token, token_offset);
	if (err)
		return bpio_status_from_errno(err);
	bpio_marker_iter(ow->marker, &iter, 0, length);
	ret = write_lower(bpiofs_file(ow->file)->lower, &iter, pos, true);
	bpio_marker_disarm(ow->marker);
	status = bpio_marker_status(ow->marker);

	if (ret == length) {
		status = write_gaps(ow, pos, token_offset, length);
		if (!status)
			*written = length;
		return status;
	}
	/*
	 * It ended early.  The lower file system may have fallen back to
	 * cached writes for some of it and left marker memory in its pages:
	 * give them the data that belongs there.
	 */
	if (filemap_range_has_page(bi->lower->i_mapping, pos,
				   pos + length - 1)) {
		s32 gaps = write_gaps(ow, pos, token_offset, length);

		if (!gaps && !status)
			*written = length;
		status = status ?: gaps;
		if (*written)
			return STATUS_SUCCESS;
	} else if (ret > 0) {
		*written = round_down(ret, i_blocksize(bi->lower));
	}
	if (ret == -EAGAIN && !bpio_token_wait_source(ow->token))
		return STATUS_PENDING;	/* the source was suspended: again */
	if (status)
		return status;
	if (ret < 0)
		return bpio_status_from_errno(ret);
	return *written ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static void offload_write_work(struct work_struct *work)
{
	struct offload_write *ow = container_of(work, struct offload_write,
						work);
	struct inode *lower = bpiofs_lower_inode(file_inode(ow->file));
	const struct cred *old = override_creds(ow->cred);
	const unsigned int block = i_blocksize(lower);
	const loff_t end = ow->limit;
	const loff_t whole = falls_back(ow) ? 0 : round_down(end, block);

	while (ow->written < ow->length) {
		const loff_t pos = ow->pos + ow->written;
		const u64 from = ow->token_offset + ow->written;
		const u64 left = ow->length - ow->written;
		size_t part;

		if (!IS_ALIGNED(pos, block) || left < block || pos >= whole) {
			/* as data; nothing goes beyond the end */
			part = whole ? round_up(pos + 1, block) - pos :
				       LITERAL_SIZE;
			part = min_t(u64, part, left);
			ow->status = write_literal(ow, pos, from,
						   min_t(u64, part, end - pos));
			if (ow->status)
				break;
		} else {
			part = min_t(u64, round_down(left, block), whole - pos);
			part = min(part, bpio_marker_size(ow->marker));
			ow->status = write_marker(ow, pos, from, part, &part);
			if (ow->status && ow->status != STATUS_PENDING) {
				ow->written += part;
				break;
			}
		}
		ow->written += part;
		cond_resched();
	}
	revert_creds(old);
	complete(&ow->done);
}

/* Return: NTSTATUS; *length is what was written. */
static s32 write_range(struct file *file, struct bpio_token *token, loff_t pos,
		       u64 token_offset, u64 *length, loff_t limit)
{
	struct inode *inode = file_inode(file);
	struct bpiofs_inode *bi = BPIOFS_I(inode);
	struct offload_write ow = {
		.cred = current_cred(),
		.file = file,
		.token = token,
		.pos = pos,
		.token_offset = token_offset,
		.length = *length,
		.limit = limit,
		.status = STATUS_INSUFFICIENT_RESOURCES,
	};

	*length = 0;
	ow.marker = bpio_marker_get(bpiofs_vol(inode->i_sb)->stg, true,
				    ow.length, GFP_KERNEL);
	if (!ow.marker)
		return ow.status;
	ow.status = STATUS_SUCCESS;
	init_completion(&ow.done);
	INIT_WORK_ONSTACK(&ow.work, offload_write_work);
	bpiofs_write_begin(bi);
	queue_work(bpio_system_wq, &ow.work);
	wait_for_completion(&ow.done);
	bpiofs_write_end(bi);
	destroy_work_on_stack(&ow.work);
	*length = ow.written;
	bpiofs_copy_attr(inode);
	if (ow.written)
		fsnotify_modify(file);
	kvfree(ow.literal);
	bpio_marker_put(ow.marker);
	return ow.status;
}

/**
 * bpiofs_redeem - write a token's data to a file (OW-19 to OW-26)
 * @file: open for writing; inode and stream locked
 * @raw: the token, from anywhere
 * @token_offset: first byte of its data
 * @pos: where to, a multiple of the sector
 * @length: in: bytes, at least 1; out: bytes written
 * @limit: byte of the file; nothing is written at it or beyond.  Where it lies
 *	beyond the end, the file becomes longer, as far as data is written
 *
 * Context: process context, inode_lock() and offload_lock of the stream held;
 * may sleep.
 * Return: STATUS_SUCCESS, also when *@length is less than asked; else NTSTATUS.
 */
s32 bpiofs_redeem(struct file *file, const struct storage_offload_token *raw,
		  u64 token_offset, loff_t pos, u64 *length, loff_t limit)
{
	struct bpiofs_volume *vol = bpiofs_vol(file_inode(file)->i_sb);
	struct bpio_token *token;
	u64 allowed = *length;
	s32 status, fault;

	*length = 0;
	token = bpio_token_find(raw, &status);
	if (!token)
		return status;
	if (bpio_token_kind(raw) == BPIO_TOKEN_ZERO)
		token_offset = 0;		/* OW-21 */
	status = bpiofs_trim_to_token(token_offset, &allowed,
				      bpio_token_length(token));
	if (status)
		goto out;

	fault = bpio_offload_write_begin(vol->stg, &allowed);
	*length = allowed;
	if (allowed)
		status = write_range(file, token, pos, token_offset, length,
				     limit);
	status = status ?: fault;
out:
	bpio_token_put(token);
	if (status && *length)
		return STATUS_SUCCESS;	/* short, and good (DS-16) */
	return note_not_supported(status, &vol->no_offload_write_until);
}

/**
 * bpiofs_offload_write - FSCTL_OFFLOAD_WRITE
 * @file: open for writing
 * @req: the request; status, information and output are filled
 *
 * Context: process context, may sleep.
 * Statuses: 9.2, in its order.
 */
void bpiofs_offload_write(struct file *file, struct bpio_request *req)
{
	struct inode *inode = file_inode(file);
	struct bpiofs_volume *vol = bpiofs_vol(inode->i_sb);
	struct bpiofs_inode *bi = BPIOFS_I(inode);
	const struct fsctl_offload_write_input *in = req->input;
	struct fsctl_offload_write_output *out = req->output;
	const u32 sector = bdev_logical_block_size(vol->bdev);
	u64 length;
	loff_t size, vdl;
	int ret;

	req->status = check_volume(file, true, &vol->no_offload_write_until);
	if (req->status)
		return;
	req->status = bpiofs_check_offload_write(in, req->input_length,
						 req->output_length, sector,
						 i_size_read(bi->lower));
	if (req->status)
		return;
	length = in->copy_length;
	if (!length)				/* OW-10 */
		goto done;

	ret = mnt_want_write_file(file);
	if (ret) {
		req->status = bpio_status_from_errno(ret);
		return;
	}
	/* i_rwsem keeps other writers and truncate of this mount out. */
	inode_lock(inode);
	mutex_lock(&bi->offload_lock);
	size = i_size_read(bi->lower);
	req->status = check_file(file, true);
	if (req->status)
		goto unlock;
	vdl = valid_data_length(bpiofs_file(file)->lower, size);
	if (vdl < 0) {
		req->status = bpio_status_from_errno(vdl);
		goto unlock;
	}
	req->status = bpiofs_trim_offload_write(in->file_offset, &length,
						sector, size, vdl,
						lock_conflict(file,
							      in->file_offset,
							      length, true),
						vol->lower_sb->s_maxbytes);
	if (req->status)
		goto unlock;
	/*
	 * Where the length was rounded up to a sector, the bytes behind the end
	 * are not written: an append may have made them data meanwhile.
	 */
	req->status = bpiofs_redeem(file, &in->token, in->transfer_offset,
				    in->file_offset, &length,
				    min_t(u64, size, in->file_offset +
						     in->copy_length));
unlock:
	mutex_unlock(&bi->offload_lock);
	inode_unlock(inode);
	mnt_drop_write_file(file);
	if (req->status)
		return;
done:
	/* never more than asked, also where the tail was rounded up */
	out->length_written = min(length, in->copy_length);
	out->size = sizeof(*out);
	req->information = sizeof(*out);
}
