// SPDX-License-Identifier: GPL-2.0
/*
 * The copy engine (protocol 9.4): tokens for as much as possible, and the rest
 * by copy_file_range(), or by read and write.  Trusts no length that the kernel
 * answers further than what was asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"

/* Requests in a row that move nothing (CE-10). */
#define MAX_SAME 4

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int copy_advance(struct copy *copy, uint64_t *how, uint64_t length)
{
	struct bpio_copy_result *result = copy->result;

	*how += length;
	result->done_length += length;
	if (how != &result->zero_length && copy->end < result->done_length)
		copy->end = result->done_length;
	if (copy->options.progress &&
	    copy->options.progress(copy->options.argument, result))
		return -ECANCELED;
	return 0;
}

/* Was it carried out?  Else the result says why not. */
static bool went_well(struct copy *copy, uint32_t code, int err,
		      const struct bpio_reply *reply)
{
	struct bpio_copy_result *result = copy->result;

	if (!err && reply->status == STATUS_SUCCESS)
		return true;
	result->code = code;
	if (err) {
		result->why = BPIO_COPY_FAILED;
		result->error = err;
	} else {
		result->why = BPIO_COPY_REFUSED;
		result->status = reply->status;
	}
	return false;
}

/* One request moved nothing; how often may that be? */
static bool is_stuck(struct copy *copy, uint32_t code, unsigned int *same)
{
	if (++*same < MAX_SAME)
		return false;
	copy->result->why = BPIO_COPY_STUCK;
	copy->result->code = code;
	return true;
}

/*
 * Let the destination end at @end, where the next piece does: a copy that is
 * killed is to be known by its length.  Return: 0 or -errno.
 */
static int set_end(struct copy *copy, uint64_t end)
{
	if (copy->end == end)
		return 0;
	if (ftruncate(copy->to, (off_t)end))
		return -errno;
	copy->end = end;
	return 0;
}

/*
 * All data of a token (CE-2).  Return: 0, where result->why may say that it
 * was not all; or -errno.
 */
static int write_token(struct copy *copy,
		       const struct storage_offload_token *token,
		       uint64_t length, bool *first)
{
	struct bpio_copy_result *result = copy->result;
	unsigned int same = 0;
	uint64_t at = 0;

	while (at < length) {
		uint64_t asked = least(length - at, copy->options.chunk_length);
		struct fsctl_offload_write_output out;
		struct bpio_reply reply;
		uint64_t written;
		int err;

		err = set_end(copy, result->done_length + asked);
		if (err)
			return err;
		err = bpio_offload_write(copy->to, result->done_length, asked,
					 at, token, &out, &reply);
		if (!went_well(copy, FSCTL_OFFLOAD_WRITE, err, &reply)) {
			if (!err)
				copy_remember(copy, *first);
			return 0;
		}
		*first = false;
		/* TK-11: a short one is taken up where it ended. */
		written = least(out.length_written, asked);
		if (!written) {
			if (is_stuck(copy, FSCTL_OFFLOAD_WRITE, &same))
				return 0;
			continue;
		}
		same = 0;
		at += written;
		err = copy_advance(copy, &result->offloaded_length, written);
		if (err)
			return err;
	}
	return 0;
}

/*
 * The source may have become shorter: what it no longer has is not a hole.
 * Return: 0 or -errno.
 */
static int look_at_length(struct copy *copy)
{
	struct bpio_copy_result *result = copy->result;
	struct stat st;

	if (fstat(copy->from, &st))
		return -errno;
	if ((uint64_t)st.st_size < result->length)
		result->length = (uint64_t)st.st_size > result->done_length ?
					 (uint64_t)st.st_size :
					 result->done_length;
	return 0;
}

/* All up to the end is zeros, and needs no room (CE-4). */
static int leave_out_rest(struct copy *copy)
{
	struct bpio_copy_result *result = copy->result;
	int err = look_at_length(copy);

	if (err || result->done_length == result->length)
		return err;
	return copy_advance(copy, &result->zero_length,
			    result->length - result->done_length);
}

/* Return: 0, where result->why may say that there is more; or -errno. */
static int copy_by_token(struct copy *copy)
{
	struct bpio_copy_result *result = copy->result;
	unsigned int same = 0;
	bool first = true;

	while (result->done_length < result->length) {
		uint64_t left = result->length - result->done_length;
		struct fsctl_offload_read_output out;
		struct bpio_token token;
		struct bpio_reply reply;
		uint64_t length;
		bool all_zero;
		int err;

		err = bpio_offload_read(copy->from, result->done_length, left,
					copy->options.time_to_live_ms, &out,
					&reply);
		if (!went_well(copy, FSCTL_OFFLOAD_READ, err, &reply)) {
			if (!err)
				copy_remember(copy, false);
			return 0;
		}
		length = least(out.transfer_length, left);
		all_zero = out.flags &
			   OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE;
		if (!length && !all_zero) {
			if (is_stuck(copy, FSCTL_OFFLOAD_READ, &same))
				return 0;
			continue;
		}
		same = 0;
		bpio_token_decode(&out.token, &token);
		if (!all_zero || token.kind != BPIO_TOKEN_ZERO) {
			err = write_token(copy, &out.token, length, &first);
			if (err)
				return err;
			/* Drop what a write that failed may have left. */
			if (result->why)
				return set_end(copy, result->done_length);
		}
		if (all_zero)
			return leave_out_rest(copy);
	}
	return 0;
}

static int set_up(struct copy *copy, const struct bpio_copy_options *options)
{
	struct stat from;
	struct stat to;
	int flags;

	if (options) {
		if (options->size != sizeof(*options) || options->reserved ||
		    options->flags & ~(uint32_t)BPIO_COPY_NO_OFFLOAD)
			return -EINVAL;
		copy->options = *options;
	}
	if (!copy->options.chunk_length)
		copy->options.chunk_length = BPIO_COPY_CHUNK_LENGTH;
	copy->options.chunk_length =
		least(copy->options.chunk_length, BPIO_COPY_MAX_CHUNK_LENGTH);
	flags = fcntl(copy->from, F_GETFL);
	if (flags < 0 || fstat(copy->from, &from) || fstat(copy->to, &to))
		return -errno;
	/* Before the destination is touched. */
	if ((flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	flags = fcntl(copy->to, F_GETFL);
	if (flags < 0 || flags & O_APPEND)
		return flags < 0 ? -errno : -EINVAL;
	if (!S_ISREG(from.st_mode) || !S_ISREG(to.st_mode) ||
	    (from.st_dev == to.st_dev && from.st_ino == to.st_ino))
		return -EINVAL;
	copy->from_dev = from.st_dev;
	copy->to_dev = to.st_dev;
	copy->by_kernel = !(copy->options.flags & BPIO_COPY_NO_OFFLOAD);
	copy->result->length = (uint64_t)from.st_size;
	return 0;
}

int bpio_copy_file(int from_fd, int to_fd,
		   const struct bpio_copy_options *options,
		   struct bpio_copy_result *result)
{
	struct copy copy = {
		.from = from_fd,
		.to = to_fd,
		.result = result,
	};
	int err;

	memset(result, 0, sizeof(*result));
	err = set_up(&copy, options);
	if (err)
		return err;
	if (ftruncate(to_fd, 0))
		return -errno;
	if (copy.options.flags & BPIO_COPY_NO_OFFLOAD)
		result->why = BPIO_COPY_UNWANTED;
	else if (result->length < BPIO_COPY_MIN_LENGTH)
		result->why = BPIO_COPY_SHORT;
	else if (!copy_is_remembered(&copy))
		err = copy_by_token(&copy);
	if (!err)
		err = copy_ordinary(&copy);
	/* A hole at the end. */
	if (!err)
		err = set_end(&copy, result->length);
	/* What could not be copied is not to be taken for zeros. */
	if (err && ftruncate(to_fd, (off_t)result->done_length))
		err = -errno;
	return err;
}

uint64_t
bpio_copy_chunk_length(const struct device_copy_offload_descriptor *descriptor)
{
	uint64_t length = descriptor->optimal_transfer_count;

	if (!length)
		length = BPIO_COPY_CHUNK_LENGTH;
	length = least(length, BPIO_COPY_MAX_CHUNK_LENGTH);
	if (descriptor->maximum_transfer_size)
		length = least(length, descriptor->maximum_transfer_size);
	return length;
}
