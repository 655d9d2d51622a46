/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the copy engine share: one copy under way. */
#ifndef BPIO_COPY_H
#define BPIO_COPY_H

#include <sys/types.h>

#include "bpio.h"

/**
 * struct copy - one copy under way
 * @from: source
 * @to: destination
 * @from_dev: volume of the source
 * @to_dev: volume of the destination
 * @options: how, complete
 * @result: how far; its done_length is where to go on
 * @end: bytes that @to has; zeros that are left out come on top
 * @by_kernel: copy_file_range() is wanted, and has not failed
 */
struct copy {
	int from;
	int to;
	dev_t from_dev;
	dev_t to_dev;
	struct bpio_copy_options options;
	struct bpio_copy_result *result;
	uint64_t end;
	bool by_kernel;
};

/*
 * copy.c: @length bytes more are right; @how is their share in the result.
 * Return: 0 or -ECANCELED.
 */
int copy_advance(struct copy *copy, uint64_t *how, uint64_t length);

/*
 * copy-ordinary.c: the rest, without a token.  Return: 0 or -errno.
 */
int copy_ordinary(struct copy *copy);

/* copy-memory.c: volumes and pairs that did not work (CE-6, CE-7). */

/* Is there no use in trying?  Then @copy->result says why. */
bool copy_is_remembered(struct copy *copy);
/*
 * Keeps what the refusal in @copy->result means for later files.  @first: it
 * is about the first token write of this copy.
 */
void copy_remember(const struct copy *copy, bool first);

#endif /* BPIO_COPY_H */
