// SPDX-License-Identifier: GPL-2.0
/*
 * Reads, writes and changes of the size.  A request to an encrypted file goes
 * down with a buffer of this filter in place of the caller's, and over whole
 * blocks; a file that is not encrypted has only its lock held meanwhile.
 */
#include <linux/bvec.h>
#include <linux/sched/signal.h>
#include "crypt.h"

#define MAX_REQUEST	SZ_1M		/* longer ones end short */

/**
 * struct crypt_op - a request to an encrypted file, from its pre- to its
 * post-operation callback
 * @buffer: its data; NULL: none
 * @caller: what @iter is in place of
 * @iter: over @buffer
 * @bvec: of @iter
 * @pos: first byte asked for
 * @length: bytes asked for
 * @start: first byte of @iter
 * @end: behind its last byte
 * @size: of the file, before
 * @after: to be written when the request succeeded
 * @undo: to be written when it failed
 */
struct crypt_op {
	struct crypt_buffer *buffer;
	struct iov_iter *caller;
	struct iov_iter iter;
	struct bio_vec *bvec;
	loff_t pos;
	size_t length;
	loff_t start, end;
	loff_t size;
	struct crypt_patch after, undo;
};

static void free_op(struct crypt_op *op)
{
	crypt_free_buffer(op->buffer);
	kvfree(op->bvec);
	kfree(op);
}

/* The block at @pos of a file of @size bytes, in the clear. */
static int read_block(const struct flt_related_objects *objects,
		      struct crypt_buffer *b, loff_t pos, loff_t size)
{
	const loff_t end = min_t(u64, (u64)pos + CRYPT_BLOCK, size);
	int ret = crypt_read_below(objects, b, pos, end);

	return ret ?: crypt_range(b, false, pos, end);
}

/* Bytes @start to @end of the file, and an iterator over them. */
static struct crypt_op *new_op(struct crypt_stream *s, unsigned int direction,
			       loff_t start, loff_t end)
{
	struct crypt_op *op = kzalloc(sizeof(*op), GFP_KERNEL);
	size_t left = end - start;
	unsigned int nr = 0;
	u8 *p;

	if (!op)
		return NULL;
	op->start = start;
	op->end = end;
	op->buffer = crypt_new_buffer(s, start, end);
	op->bvec = kvmalloc_array(left / PAGE_SIZE + 2, sizeof(*op->bvec),
				  GFP_KERNEL);
	if (!op->buffer || !op->bvec) {
		free_op(op);
		return NULL;
	}
	for (p = crypt_at(op->buffer, start); left;
	     p += op->bvec[nr++].bv_len) {
		struct bio_vec *bv = &op->bvec[nr];

		bv->bv_page = crypt_page_of(p);
		bv->bv_offset = offset_in_page(p);
		bv->bv_len = min(PAGE_SIZE - bv->bv_offset, left);
		left -= bv->bv_len;
	}
	iov_iter_bvec(&op->iter, direction, op->bvec, nr, end - start);
	return op;
}

static int complete_op(struct flt_callback_data *data, ssize_t result)
{
	data->result = result;
	return FLT_PREOP_COMPLETE;
}

int crypt_pre_read(struct flt_callback_data *data,
		   const struct flt_related_objects *objects,
		   void **completion_context)
{
	const size_t length = min_t(size_t, iov_iter_count(data->rw.iter),
				    MAX_REQUEST);
	const loff_t pos = data->rw.pos;
	loff_t size, start, end;
	struct crypt_stream *s;
	struct crypt_op *op;

	if (!S_ISREG(objects->inode->i_mode) || !length)
		return FLT_PREOP_SUCCESS_NO_CALLBACK;
	s = crypt_enter(objects, false);
	if (IS_ERR(s))
		return complete_op(data, PTR_ERR(s));
	if (!s->encrypted)
		return FLT_PREOP_SYNCHRONIZE;

	size = i_size_read(objects->inode);
	if (pos >= size) {
		crypt_leave(s, false);
		return complete_op(data, 0);
	}
	/* Whole blocks, which those of a device are. */
	start = pos;
	end = pos + length;
	if (!data->rw.direct) {
		start = round_down(pos, CRYPT_BLOCK);
		end = min_t(u64, round_up((u64)end, CRYPT_BLOCK), size);
	} else if ((start | end) % CRYPT_BLOCK) {
		crypt_leave(s, false);
		return complete_op(data, -EINVAL);
	}
	op = new_op(s, READ, start, end);
	if (!op) {
		crypt_leave(s, false);
		return complete_op(data, -ENOMEM);
	}
	op->caller = data->rw.iter;
	op->pos = pos;
	op->length = length;
	op->size = size;
	data->rw.iter = &op->iter;
	data->rw.pos = start;
	*completion_context = op;
	return FLT_PREOP_SYNCHRONIZE;
}

int crypt_post_read(struct flt_callback_data *data,
		    const struct flt_related_objects *objects,
		    void *completion_context, u32 flags)
{
	struct crypt_stream *s = flt_stream_context(objects);
	struct crypt_op *op = completion_context;
	loff_t reached = 0;
	size_t copied;
	int ret;

	if (op && data->result > 0) {
		reached = op->start + data->result;
		ret = -EIO;
		if (reached % CRYPT_BLOCK == 0 || reached == op->size)
			ret = crypt_range(op->buffer, false, op->start,
					  reached);
		if (ret)
			data->result = ret;
	}
	crypt_leave(s, false);
	if (!op)
		return FLT_POSTOP_FINISHED_PROCESSING;

	/* Without the lock, as this may wait for the caller's memory. */
	reached = min_t(u64, reached, (u64)op->pos + op->length);
	if (data->result > 0 && reached <= op->pos) {
		data->result = 0;
	} else if (data->result > 0) {
		copied = copy_to_iter(crypt_at(op->buffer, op->pos),
				      reached - op->pos, op->caller);
		data->result = copied ?: -EFAULT;
	}
	free_op(op);
	return FLT_POSTOP_FINISHED_PROCESSING;
}

/*
 * The last block of a file that grows or shrinks, of which there were
 * @old_length bytes and will be @length: encrypted differently when it is, or
 * becomes, less than a whole one.  Below, a file grows by zeros.
 */
static int recode(const struct flt_related_objects *objects,
		  struct crypt_stream *s, loff_t pos, unsigned int old_length,
		  unsigned int length, struct crypt_patch *new,
		  struct crypt_patch *old)
{
	struct crypt_buffer *b = crypt_new_buffer(s, pos, pos + CRYPT_BLOCK);
	int ret;

	if (!b)
		return -ENOMEM;
	ret = crypt_read_below(objects, b, pos, pos + old_length);
	if (ret || !memchr_inv(crypt_at(b, pos), 0, old_length))
		goto out;
	if (old) {
		old->pos = pos;
		old->length = length;
		memcpy(old->bytes, crypt_at(b, pos), old_length);
	}
	ret = crypt_range(b, false, pos, pos + old_length);
	if (!ret)
		ret = crypt_range(b, true, pos, pos + length);
	if (ret)
		goto out;
	new->pos = pos;
	new->length = length;
	memcpy(new->bytes, crypt_at(b, pos), length);
out:
	crypt_free_buffer(b);
	return ret;
}

/*
 * What the file system would do itself, were the bytes of a block not in need
 * of each other: end the write at the limits, else fail.
 */
static int limit_write(const struct flt_related_objects *objects, loff_t size,
		       loff_t pos, size_t *length)
{
	u64 limit = objects->inode->i_sb->s_maxbytes;
	u64 end;

	if (!(objects->file->f_flags & O_LARGEFILE))
		limit = min_t(u64, limit, MAX_NON_LFS);
	limit = min_t(u64, limit, rlimit(RLIMIT_FSIZE));
	end = min_t(u64, (u64)pos + *length, limit);
	if (end < size && min_t(u64, round_up(end, CRYPT_BLOCK), size) > limit)
		end = round_down(end, CRYPT_BLOCK);
	if (end <= pos) {
		if (rlimit(RLIMIT_FSIZE) == limit)
			send_sig(SIGXFSZ, current, 0);
		return -EFBIG;
	}
	*length = end - pos;
	return 0;
}

/* The caller's data with what there is around it, encrypted. */
static int fill_write(const struct flt_related_objects *objects,
		      struct crypt_op *op)
{
	const loff_t end = op->pos + op->length;
	const loff_t last = round_down(end, CRYPT_BLOCK);
	struct crypt_buffer *b = op->buffer;
	int ret = 0;

	if (op->start < op->pos && op->start < op->size)
		ret = read_block(objects, b, op->start, op->size);
	if (!ret && end < op->end &&
	    (last != op->start || op->start == op->pos))
		ret = read_block(objects, b, last, op->size);
	if (ret)
		return ret;
	if (!copy_from_iter_full(crypt_at(b, op->pos), op->length, op->caller))
		return -EFAULT;
	ret = crypt_range(b, true, op->start, op->end);
	if (ret)
		iov_iter_revert(op->caller, op->length);
	return ret;
}

static struct crypt_op *new_write(struct flt_callback_data *data,
				  const struct flt_related_objects *objects,
				  struct crypt_stream *s)
{
	const loff_t size = i_size_read(objects->inode);
	const loff_t pos = data->rw.append ? size : data->rw.pos;
	const loff_t tail = round_down(size, CRYPT_BLOCK);
	size_t length = min_t(size_t, iov_iter_count(data->rw.iter),
			      MAX_REQUEST);
	loff_t start, end;
	struct crypt_op *op;
	int ret;

	ret = limit_write(objects, size, pos, &length);
	if (ret)
		return ERR_PTR(ret);
	start = round_down(pos, CRYPT_BLOCK);
	end = pos + length;
	if (data->rw.direct && (pos | end) % CRYPT_BLOCK)
		return ERR_PTR(-EINVAL);
	if (end % CRYPT_BLOCK && end < size)
		end = min_t(u64, round_up((u64)end, CRYPT_BLOCK), size);
	op = new_op(s, WRITE, start, end);
	if (!op)
		return ERR_PTR(-ENOMEM);
	op->caller = data->rw.iter;
	op->pos = pos;
	op->length = length;
	op->size = size;
	if (tail < size && tail < start)
		ret = recode(objects, s, tail, size - tail, CRYPT_BLOCK,
			     &op->after, NULL);
	if (!ret)
		ret = fill_write(objects, op);
	if (!ret)
		return op;
	free_op(op);
	return ERR_PTR(ret);
}

int crypt_pre_write(struct flt_callback_data *data,
		    const struct flt_related_objects *objects,
		    void **completion_context)
{
	struct crypt_stream *s;
	struct crypt_op *op;

	if (!S_ISREG(objects->inode->i_mode) || !iov_iter_count(data->rw.iter))
		return FLT_PREOP_SUCCESS_NO_CALLBACK;
	s = crypt_enter(objects, true);
	if (IS_ERR(s))
		return complete_op(data, PTR_ERR(s));
	if (!s->encrypted)
		return FLT_PREOP_SYNCHRONIZE;
	op = new_write(data, objects, s);
	if (IS_ERR(op)) {
		crypt_leave(s, true);
		return complete_op(data, PTR_ERR(op));
	}
	data->rw.iter = &op->iter;
	data->rw.pos = op->start;
	data->rw.append = false;
	*completion_context = op;
	return FLT_PREOP_SYNCHRONIZE;
}

/*
 * Did the file grow, although the operation failed?  XFS fills the gap between
 * the end of the file and a write behind it with zeros first, page by page, and
 * the size grows with them.  Then it ends the write of a task that was killed.
 */
static bool has_grown(const struct flt_related_objects *objects,
		      const struct crypt_op *op)
{
	return i_size_read(objects->inode) > op->size;
}

int crypt_post_write(struct flt_callback_data *data,
		     const struct flt_related_objects *objects,
		     void *completion_context, u32 flags)
{
	struct crypt_stream *s = flt_stream_context(objects);
	struct crypt_op *op = completion_context;
	size_t written = 0;

	if (op && data->result > 0) {
		const loff_t reached = op->start + data->result;

		/* A block that is half new and half old is neither. */
		if ((reached % CRYPT_BLOCK && reached != op->end) ||
		    crypt_apply(objects, s, &op->after)) {
			data->result = crypt_spoil(objects, s);
		} else {
			written = min_t(u64, reached,
					(u64)op->pos + op->length) - op->pos;
			data->result = written;
		}
	} else if (op && has_grown(objects, op)) {
		if (crypt_apply(objects, s, &op->after))
			data->result = crypt_spoil(objects, s);
	}
	crypt_leave(s, true);
	if (!op)
		return FLT_POSTOP_FINISHED_PROCESSING;
	iov_iter_revert(op->caller, op->length - written);
	free_op(op);
	return FLT_POSTOP_FINISHED_PROCESSING;
}

/* ---- changes of the size ------------------------------------------------ */

int crypt_pre_set_size(struct flt_callback_data *data,
		       const struct flt_related_objects *objects,
		       void **completion_context)
{
	const loff_t new = data->set_size.size;
	struct crypt_patch cut = {};
	struct crypt_stream *s;
	struct crypt_op *op;
	loff_t size, last;
	int ret;

	if (!S_ISREG(objects->inode->i_mode))
		return FLT_PREOP_SUCCESS_NO_CALLBACK;
	s = crypt_enter(objects, true);
	if (IS_ERR(s))
		return complete_op(data, PTR_ERR(s));
	if (!s->encrypted)
		return FLT_PREOP_SYNCHRONIZE;

	ret = -ENOMEM;
	op = kzalloc(sizeof(*op), GFP_KERNEL);
	if (!op)
		goto out_leave;
	ret = 0;
	size = i_size_read(objects->inode);
	op->size = size;
	last = round_down(min(size, new), CRYPT_BLOCK);
	if (new > size && last < size) {
		ret = recode(objects, s, last, size - last,
			     min_t(u64, new - last, CRYPT_BLOCK), &op->after,
			     NULL);
	} else if (new < size && last < new) {
		ret = recode(objects, s, last,
			     min_t(u64, size - last, CRYPT_BLOCK), new - last,
			     &cut, &op->undo);
		if (!ret)
			ret = crypt_apply(objects, s, &cut);
	}
	if (ret)
		goto out_free;
	*completion_context = op;
	return FLT_PREOP_SYNCHRONIZE;

out_free:
	free_op(op);
out_leave:
	crypt_leave(s, true);
	return complete_op(data, ret);
}

int crypt_post_set_size(struct flt_callback_data *data,
			const struct flt_related_objects *objects,
			void *completion_context, u32 flags)
{
	struct crypt_stream *s = flt_stream_context(objects);
	struct crypt_op *op = completion_context;

	if (op) {
		const bool failed = data->result < 0 && !has_grown(objects, op);

		if (crypt_apply(objects, s, failed ? &op->undo : &op->after))
			data->result = crypt_spoil(objects, s);
		free_op(op);
	}
	crypt_leave(s, true);
	return FLT_POSTOP_FINISHED_PROCESSING;
}
