// SPDX-License-Identifier: GPL-2.0
/*
 * What this filter reads and writes by itself: what is on the disk.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <bpio/compat.h>
#include "crypt.h"

int crypt_read_below(const struct flt_related_objects *objects,
		     struct crypt_buffer *b, loff_t start, loff_t end)
{
	ssize_t ret = flt_read_file(objects, crypt_at(b, start), end - start,
				    start);

	if (ret < 0)
		return ret;
	return ret == end - start ? 0 : -EIO;
}

/* Buffered writes of a task that was killed end early: let another do it. */
static void job_work(struct work_struct *work)
{
	struct crypt_job *job = container_of(work, struct crypt_job, work);

	job->ret = flt_borrow_write(job->objects);
	if (!job->ret) {
		job->ret = job->run(job);
		flt_end_write(job->objects);
	}
	complete(&job->done);
}

int crypt_run_job(struct crypt_job *job)
{
	init_completion(&job->done);
	INIT_WORK_ONSTACK(&job->work, job_work);
	queue_work(bpio_system_wq, &job->work);
	wait_for_completion_state(&job->done, TASK_IDLE);
	destroy_work_on_stack(&job->work);
	return job->ret;
}

static int patch_job(struct crypt_job *job)
{
	const struct crypt_patch *patch = job->patch;
	ssize_t ret;

	ret = flt_write_file(job->objects, patch->bytes, patch->length,
			     patch->pos);
	return ret < 0 ? ret : 0;
}

/* Return: 0, or a negative errno and nothing was written. */
int crypt_apply(const struct flt_related_objects *objects,
		struct crypt_stream *s, const struct crypt_patch *patch)
{
	struct crypt_job job = {
		.objects = objects,
		.stream = s,
		.run = patch_job,
		.patch = patch,
	};

	return patch->length ? crypt_run_job(&job) : 0;
}

static int spoil_job(struct crypt_job *job)
{
	return crypt_write_mark(job->objects, job->stream,
				CRYPT_MARK_CONVERTING);
}

/* Rather no data than wrong data. */
int crypt_spoil(const struct flt_related_objects *objects,
		struct crypt_stream *s)
{
	struct crypt_job job = {
		.objects = objects,
		.stream = s,
		.run = spoil_job,
	};

	pr_warn("%s: inode %llu: the last block could not be written\n",
		objects->inode->i_sb->s_id, (u64)objects->inode->i_ino);
	s->error = -EUCLEAN;
	crypt_run_job(&job);
	return -EIO;
}
