// SPDX-License-Identifier: GPL-2.0
/*
 * Copies without tokens (CE-5): the data of a file, from where tokens ended, by
 * copy_file_range(), which may offload it, and where that fails by read and
 * write.  What SEEK_DATA leaves out is left out.
 *
 * Differs: CE-5 and CE-9 know read and write only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "copy.h"

#define BUFFER_LENGTH (1u << 20)
/* As direct I/O may want its memory, and as it wants its lengths. */
#define BUFFER_ALIGNMENT 65536u
#define BLOCK_LENGTH	 4096u
/*
 * In one go, so that progress is seen.  The last one takes a rest that alone
 * would be too short for the kernel to offload.
 */
#define KERNEL_LENGTH (64u << 20)

/*
 * Pieces up to @end until it does not work.  Return: 0, where copy->by_kernel
 * may be false by then, or -ECANCELED.
 */
static int move_by_kernel(struct copy *copy, uint64_t end)
{
	struct bpio_copy_result *result = copy->result;
	int err = 0;

	while (!err && result->done_length < end) {
		off_t in = (off_t)result->done_length;
		off_t out = in;
		uint64_t length = end - result->done_length;
		ssize_t n;

		if (length >= KERNEL_LENGTH + BPIO_COPY_MIN_LENGTH)
			length = KERNEL_LENGTH;
		n = copy_file_range(copy->from, &in, copy->to, &out, length, 0);
		if (n < 0 && errno == EINTR)
			continue;
		/*
		 * EXDEV between file systems, 0 at the end of the source.
		 * Other errors are met again, and told, by read and write.
		 */
		if (n <= 0) {
			copy->by_kernel = false;
			break;
		}
		err = copy_advance(copy, &result->kernel_length, (uint64_t)n);
	}
	return err;
}

static ssize_t transfer(int fd, bool write, char *data, size_t length, off_t at)
{
	return write ? pwrite(fd, data, length, at) :
		       pread(fd, data, length, at);
}

/*
 * One pread() or pwrite().  What is not aligned for O_DIRECT is done without
 * that flag, which the caller gets back.
 */
static ssize_t transfer_any(int fd, bool write, char *data, size_t length,
			    off_t at)
{
	ssize_t n = transfer(fd, write, data, length, at);
	int flags;
	int err;

	if (n >= 0 || errno != EINVAL)
		return n;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || !(flags & O_DIRECT) ||
	    fcntl(fd, F_SETFL, flags & ~O_DIRECT)) {
		errno = EINVAL;
		return -1;
	}
	n = transfer(fd, write, data, length, at);
	err = errno;
	fcntl(fd, F_SETFL, flags);
	errno = err;
	return n;
}

static int write_all(int fd, char *data, size_t length, off_t at)
{
	while (length) {
		ssize_t n = transfer_any(fd, true, data, length, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		data += n;
		length -= (size_t)n;
		at += n;
	}
	return 0;
}

/*
 * Reads up to @left bytes.  Pieces end at multiples of the buffer, and the last
 * one asks for whole blocks: a direct read of it is possible then.
 */
static ssize_t read_piece(int fd, char *buffer, uint64_t left, off_t at)
{
	uint64_t length = BUFFER_LENGTH - (uint64_t)at % BUFFER_LENGTH;
	uint64_t blocks = (left + BLOCK_LENGTH - 1) & ~(BLOCK_LENGTH - 1ull);
	ssize_t n;

	n = transfer_any(fd, false, buffer, length < blocks ? length : blocks,
			 at);
	return n > 0 && (uint64_t)n > left ? (ssize_t)left : n;
}

static int move_by_hand(struct copy *copy, char *buffer, uint64_t end)
{
	struct bpio_copy_result *result = copy->result;

	while (result->done_length < end && end <= result->length) {
		uint64_t left = end - result->done_length;
		off_t at = (off_t)result->done_length;
		ssize_t n;
		int err;

		n = read_piece(copy->from, buffer, left, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* The source has become shorter: the copy ends there. */
		if (!n) {
			result->length = result->done_length;
			return 0;
		}
		err = write_all(copy->to, buffer, (size_t)n, at);
		if (err)
			return err;
		err = copy_advance(copy, &result->ordinary_length, (uint64_t)n);
		if (err)
			return err;
	}
	return 0;
}

/*
 * The next data of the source, [*data, *hole), from where the copy is.  All of
 * it is data where nobody knows of holes.  Return: 0 or -errno.
 */
static int next_data(const struct copy *copy, uint64_t *data, uint64_t *hole)
{
	const struct bpio_copy_result *result = copy->result;
	off_t at = (off_t)result->done_length;
	off_t found = lseek(copy->from, at, SEEK_DATA);

	*data = result->length;
	*hole = result->length;
	if (found < 0 && errno == ENXIO) {
		/* No more data; or no more file, which a read finds out. */
		if (lseek(copy->from, 0, SEEK_END) < (off_t)result->length)
			*data = result->done_length;
		return 0;
	}
	if (found < 0 && errno == EINVAL) {
		*data = result->done_length;
		return 0;
	}
	if (found < 0)
		return -errno;
	if ((uint64_t)found >= result->length)
		return 0;
	*data = (uint64_t)found;
	found = lseek(copy->from, found, SEEK_HOLE);
	if (found >= 0 && (uint64_t)found < result->length)
		*hole = (uint64_t)found;
	return 0;
}

int copy_ordinary(struct copy *copy)
{
	struct bpio_copy_result *result = copy->result;
	char *buffer;
	int err = 0;

	if (result->done_length == result->length)
		return 0;
	buffer = aligned_alloc(BUFFER_ALIGNMENT, BUFFER_LENGTH);
	if (!buffer)
		return -ENOMEM;
	while (!err && result->done_length < result->length) {
		uint64_t data;
		uint64_t hole;

		err = next_data(copy, &data, &hole);
		if (!err && data > result->done_length)
			err = copy_advance(copy, &result->zero_length,
					   data - result->done_length);
		if (!err && copy->by_kernel)
			err = move_by_kernel(copy, hole);
		if (!err)
			err = move_by_hand(copy, buffer, hole);
	}
	free(buffer);
	return err;
}
