// SPDX-License-Identifier: GPL-2.0
/*
 * FSCTL_SET_ENCRYPTION: encrypts or decrypts an existing file in place, also
 * one that is being read past the filters (R-FLT-10, R-FS-86).
 *
 * The mark says that a conversion is under way before the first byte changes:
 * after a crash the file can neither be read nor written (-EUCLEAN), as nobody
 * knows which part of it is encrypted.  What fails is undone.
 */
#include <linux/bitmap.h>
#include <linux/random.h>
#include "crypt.h"

#define MAX_CHUNK	SZ_256K		/* converted at a time */
#define CHUNK_UNITS	(MAX_CHUNK / CRYPT_UNIT)

/* The units of @which, to be written as they are in @b. */
static int write_units(const struct flt_related_objects *objects,
		       struct crypt_buffer *b, const unsigned long *which,
		       loff_t end)
{
	unsigned int from, to;

	for_each_set_bitrange(from, to, which, CHUNK_UNITS) {
		const loff_t pos = b->base + from * CRYPT_UNIT;
		const loff_t stop = min(end, b->base + to * CRYPT_UNIT);
		ssize_t ret = flt_write_file(objects, crypt_at(b, pos),
					     stop - pos, pos);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int crypt_units(struct crypt_buffer *b, const unsigned long *which,
		       bool encrypt, loff_t end)
{
	unsigned int unit;
	int ret = 0;

	for_each_set_bit(unit, which, CHUNK_UNITS) {
		const loff_t pos = b->base + unit * CRYPT_UNIT;

		ret = crypt_range(b, encrypt, pos, min(end, pos + CRYPT_UNIT));
		if (ret)
			break;
	}
	return ret;
}

/* Return: 0, or an error and nothing has changed; but see spoiled streams. */
static int convert_chunk(const struct flt_related_objects *objects,
			 struct crypt_stream *s, struct crypt_buffer *b,
			 bool encrypt, loff_t end)
{
	DECLARE_BITMAP(which, CHUNK_UNITS) = {};
	loff_t pos;
	int ret;

	ret = crypt_read_below(objects, b, b->base, end);
	if (ret)
		return ret;
	for (pos = b->base; pos < end; pos += CRYPT_UNIT)
		if (memchr_inv(crypt_at(b, pos), 0,
			       min_t(loff_t, CRYPT_UNIT, end - pos)))
			__set_bit((pos - b->base) / CRYPT_UNIT, which);
	ret = crypt_units(b, which, encrypt, end);
	if (ret)
		return ret;
	ret = write_units(objects, b, which, end);
	if (!ret)
		return 0;
	if (crypt_units(b, which, !encrypt, end) ||
	    write_units(objects, b, which, end))
		s->error = -EUCLEAN;
	return ret;
}

/* From the beginning to byte @end.  *done: behind what has been converted. */
static int convert_range(const struct flt_related_objects *objects,
			 struct crypt_stream *s, bool encrypt, loff_t end,
			 loff_t *done)
{
	struct crypt_buffer *b = crypt_new_buffer(s, 0, min_t(loff_t, end,
							      MAX_CHUNK));
	loff_t next;
	int ret = 0;

	if (!b)
		return -ENOMEM;
	for (*done = 0; *done < end; *done = next) {
		next = min_t(u64, (u64)*done + MAX_CHUNK, end);
		b->base = *done;
		ret = convert_chunk(objects, s, b, encrypt, next);
		if (ret)
			break;
		cond_resched();
	}
	crypt_free_buffer(b);
	return ret;
}

/* On the device, before anything else gets there. */
static int put_mark(const struct flt_related_objects *objects,
		    const struct crypt_stream *s, enum crypt_mark mark)
{
	int ret = crypt_write_mark(objects, s, mark);

	return ret ?: flt_flush_file(objects);
}

static int convert_job(struct crypt_job *job)
{
	const struct flt_related_objects *objects = job->objects;
	const loff_t size = i_size_read(objects->inode);
	struct crypt_stream *s = job->stream;
	loff_t done = 0, undone;
	int ret, err;

	ret = put_mark(objects, s, CRYPT_MARK_CONVERTING);
	if (!ret)
		ret = convert_range(objects, s, job->encrypt, size, &done);
	if (!ret)
		ret = flt_flush_file(objects);
	if (!ret)
		ret = put_mark(objects, s,
			       job->encrypt ? CRYPT_MARK_ENCRYPTED :
					      CRYPT_MARK_NONE);
	if (!ret || s->error)
		return ret;

	err = convert_range(objects, s, !job->encrypt, done, &undone);
	if (!err)
		err = flt_flush_file(objects);
	if (!err)
		err = put_mark(objects, s,
			       job->encrypt ? CRYPT_MARK_NONE :
					      CRYPT_MARK_ENCRYPTED);
	if (err)
		s->error = -EUCLEAN;
	return ret;
}

/* To those below this filter, who know what to do (R-FLT-10). */
s32 crypt_control_bypass_io(const struct flt_related_objects *objects,
			    u32 operation)
{
	const struct fs_bpio_input in = { .operation = operation };
	struct fs_bpio_output out;

	return flt_fs_control(objects, false, FSCTL_MANAGE_BYPASS_IO, &in,
			      sizeof(in), &out, sizeof(out), NULL);
}

s32 crypt_status_of(int error)
{
	switch (error) {
	case 0:
		return STATUS_SUCCESS;
	case -ENOMEM:
		return STATUS_INSUFFICIENT_RESOURCES;
	case -EKEYREJECTED:
	case -EPERM:
	case -EACCES:
		return STATUS_ACCESS_DENIED;
	case -EROFS:
		return STATUS_MEDIA_WRITE_PROTECTED;
	case -EBUSY: /* mapped */
		return STATUS_FILE_LOCK_CONFLICT;
	default:
		return STATUS_UNSUCCESSFUL;
	}
}

/*
 * Encrypt or decrypt the whole file; the lock is held exclusively, so nobody
 * reads or writes it through this filter, and no ENABLE is on its way down.
 */
static s32 convert(const struct flt_related_objects *objects,
		   struct crypt_stream *s, bool encrypt)
{
	struct crypt_job job = {
		.objects = objects,
		.stream = s,
		.run = convert_job,
		.encrypt = encrypt,
	};
	s32 status;
	int ret;

	if (encrypt) {
		/* First the veto, then the pause, then the work. */
		WRITE_ONCE(s->vetoing, true);
		if (flt_get_bypass_io_open_count(objects->inode)) {
			status = crypt_control_bypass_io(objects,
							 FS_BPIO_OP_STREAM_PAUSE);
			if (BPIO_NT_SEVERITY(status) == 3)
				goto out;
		}
		get_random_bytes(s->nonce, sizeof(s->nonce));
	}
	if (!s->transformed) {
		ret = flt_set_stream_transformed(objects, true);
		status = crypt_status_of(ret);
		if (ret)
			goto out;
		s->transformed = true;
	}
	ret = crypt_run_job(&job);
	status = crypt_status_of(ret);
	if (!ret)
		s->encrypted = encrypt;
out:
	if (s->error)
		s->encrypted = true;
	if (!s->encrypted) {
		flt_set_stream_transformed(objects, false);
		s->transformed = false;
		WRITE_ONCE(s->vetoing, false);
	}
	return status;
}

/*
 * The lock, exclusively, with freezes kept out and no offload under way.
 * Return: 0 or a negative errno.
 */
static int enter_alone(const struct flt_related_objects *objects,
		       struct crypt_stream *s)
{
	int ret;

	for (;;) {
		ret = wait_event_killable(s->idle, !atomic_read(&s->offloads));
		if (ret)
			return ret;
		ret = flt_start_write(objects);
		if (ret)
			return ret;
		ret = down_write_killable(&s->lock);
		if (ret)
			break;
		if (!atomic_read(&s->offloads))
			return 0;
		up_write(&s->lock);
		flt_end_write(objects);
	}
	flt_end_write(objects);
	return ret;
}

s32 crypt_set_encryption(const struct flt_callback_data *data,
			 const struct flt_related_objects *objects)
{
	const struct encryption_buffer *in = data->fsctl.input;
	s32 status = STATUS_SUCCESS;
	bool encrypt, resume;
	struct crypt_stream *s;

	/* It changes all of the data, and an extended attribute. */
	if (!flt_may_overwrite(objects->file) || IS_IMMUTABLE(objects->inode))
		return STATUS_ACCESS_DENIED;
	if (data->fsctl.input_length < sizeof(*in))
		return STATUS_BUFFER_TOO_SMALL;
	if (in->encryption_operation != FILE_SET_ENCRYPTION &&
	    in->encryption_operation != FILE_CLEAR_ENCRYPTION)
		return STATUS_INVALID_PARAMETER;
	encrypt = in->encryption_operation == FILE_SET_ENCRYPTION;

	s = crypt_get_stream(objects);
	if (IS_ERR(s))
		return crypt_status_of(PTR_ERR(s));
	if (enter_alone(objects, s))
		return STATUS_UNSUCCESSFUL;
	resume = false;
	if (s->error) {
		status = crypt_status_of(s->error);
	} else if (s->encrypted != encrypt) {
		status = convert(objects, s, encrypt);
		resume = !s->encrypted;
	}
	up_write(&s->lock);
	flt_end_write(objects);

	/*
	 * Its QUERY comes to every filter from the top, this one included: no
	 * lock may be held (R-FS-67).
	 */
	if (resume && flt_get_bypass_io_open_count(objects->inode))
		crypt_control_bypass_io(objects, FS_BPIO_OP_STREAM_RESUME);
	return status;
}
