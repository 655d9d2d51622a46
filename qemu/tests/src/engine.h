/* SPDX-License-Identifier: GPL-2.0 */
/* Positioned reads by several interfaces of the kernel. */
#ifndef ENGINE_H
#define ENGINE_H

#include <stddef.h>
#include <sys/types.h>

#define ENGINE_MAX_DEPTH 16

enum engine_kind {
	ENGINE_SYNC,   /* pread() */
	ENGINE_VECTOR, /* preadv() of uneven parts */
	ENGINE_AIO,    /* io_submit() */
	ENGINE_URING,  /* io_uring */
	ENGINE_FIXED,  /* io_uring, registered buffers and files */
	ENGINE_POLL,   /* the same on a polled ring */
	ENGINE_NR,
};

struct engine;

struct engine_read {
	void *buffer;
	size_t length;
	off_t offset;
	ssize_t result; /* out: bytes, or a negative errno */
};

int engine_by_name(const char *name);
const char *engine_name(enum engine_kind kind);
/* Buffers for engine_run() lie in the pool, which is page aligned. */
struct engine *engine_new(enum engine_kind kind, size_t pool_length);
void *engine_pool(struct engine *engine);
void engine_free(struct engine *engine);
/* Submits all reads, waits for all.  nr <= ENGINE_MAX_DEPTH. */
void engine_run(struct engine *engine, int fd, struct engine_read *reads,
		unsigned int nr);

#endif /* ENGINE_H */
