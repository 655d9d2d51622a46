// SPDX-License-Identifier: GPL-2.0
/* Positioned reads by several interfaces of the kernel. */
#include <errno.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "engine.h"

struct engine {
	enum engine_kind kind;
	void *pool;
	size_t pool_length;
	aio_context_t aio;
	struct io_uring ring;
	int registered; /* the file in the ring's table */
};

static const char *const names[ENGINE_NR] = {
	[ENGINE_SYNC] = "sync",	  [ENGINE_VECTOR] = "vector",
	[ENGINE_AIO] = "aio",	  [ENGINE_URING] = "uring",
	[ENGINE_FIXED] = "fixed", [ENGINE_POLL] = "poll",
};

static void __attribute__((noreturn)) die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(2);
}

int engine_by_name(const char *name)
{
	int i;

	for (i = 0; i < ENGINE_NR; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -1;
}

const char *engine_name(enum engine_kind kind)
{
	return names[kind];
}

struct engine *engine_new(enum engine_kind kind, size_t pool_length)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	struct iovec iov;
	int ret;

	if (!engine || posix_memalign(&engine->pool, 4096, pool_length))
		die("engine", ENOMEM);
	engine->kind = kind;
	engine->pool_length = pool_length;
	engine->registered = -1;
	memset(engine->pool, 0, pool_length);
	if (kind == ENGINE_AIO &&
	    syscall(SYS_io_setup, ENGINE_MAX_DEPTH, &engine->aio))
		die("io_setup", errno);
	if (kind >= ENGINE_URING) {
		ret = io_uring_queue_init(ENGINE_MAX_DEPTH, &engine->ring,
					  kind == ENGINE_POLL ?
						  IORING_SETUP_IOPOLL :
						  0);
		if (ret)
			die("io_uring_queue_init", -ret);
	}
	if (kind >= ENGINE_FIXED) {
		iov.iov_base = engine->pool;
		iov.iov_len = pool_length;
		ret = io_uring_register_buffers(&engine->ring, &iov, 1);
		if (ret)
			die("io_uring_register_buffers", -ret);
	}
	return engine;
}

void *engine_pool(struct engine *engine)
{
	return engine->pool;
}

void engine_free(struct engine *engine)
{
	if (engine->kind == ENGINE_AIO)
		syscall(SYS_io_destroy, engine->aio);
	if (engine->kind >= ENGINE_URING)
		io_uring_queue_exit(&engine->ring);
	free(engine->pool);
	free(engine);
}

static ssize_t read_vector(int fd, const struct engine_read *r)
{
	struct iovec iov[8];
	size_t at = 0, part = 512;
	int n = 0;

	while (at < r->length) {
		size_t len = n == 7 || part > r->length - at ? r->length - at :
							       part;

		iov[n].iov_base = (char *)r->buffer + at;
		iov[n++].iov_len = len;
		at += len;
		part += 1024;
	}
	return preadv(fd, iov, n, r->offset);
}

static void run_sync(struct engine *engine, int fd, struct engine_read *reads,
		     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct engine_read *r = &reads[i];

		r->result = engine->kind == ENGINE_VECTOR ?
				    read_vector(fd, r) :
				    pread(fd, r->buffer, r->length, r->offset);
		if (r->result < 0)
			r->result = -errno;
	}
}

static void run_aio(struct engine *engine, int fd, struct engine_read *reads,
		    unsigned int nr)
{
	struct io_event events[ENGINE_MAX_DEPTH];
	struct iocb iocbs[ENGINE_MAX_DEPTH], *list[ENGINE_MAX_DEPTH];
	unsigned int i, submitted = 0;
	long ret;

	memset(iocbs, 0, sizeof(iocbs));
	for (i = 0; i < nr; i++) {
		iocbs[i].aio_lio_opcode = IOCB_CMD_PREAD;
		iocbs[i].aio_fildes = (uint32_t)fd;
		iocbs[i].aio_buf = (uintptr_t)reads[i].buffer;
		iocbs[i].aio_nbytes = reads[i].length;
		iocbs[i].aio_offset = reads[i].offset;
		iocbs[i].aio_data = i;
		list[i] = &iocbs[i];
	}
	while (submitted < nr) {
		ret = syscall(SYS_io_submit, engine->aio,
			      (long)(nr - submitted), list + submitted);
		if (ret <= 0)
			die("io_submit", errno);
		submitted += (unsigned int)ret;
	}
	ret = syscall(SYS_io_getevents, engine->aio, (long)nr, (long)nr, events,
		      NULL);
	if (ret != (long)nr)
		die("io_getevents", errno);
	for (i = 0; i < nr; i++)
		reads[events[i].data].result = (ssize_t)events[i].res;
}

static void run_uring(struct engine *engine, int fd, struct engine_read *reads,
		      unsigned int nr)
{
	const int fixed = engine->kind >= ENGINE_FIXED;
	struct io_uring_cqe *cqe;
	unsigned int i;
	int ret;

	if (fixed && engine->registered != fd) {
		if (engine->registered >= 0)
			io_uring_unregister_files(&engine->ring);
		ret = io_uring_register_files(&engine->ring, &fd, 1);
		if (ret)
			die("io_uring_register_files", -ret);
		engine->registered = fd;
	}
	for (i = 0; i < nr; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&engine->ring);

		if (fixed) {
			io_uring_prep_read_fixed(sqe, 0, reads[i].buffer,
						 (unsigned int)reads[i].length,
						 (uint64_t)reads[i].offset, 0);
			sqe->flags |= IOSQE_FIXED_FILE;
		} else {
			io_uring_prep_read(sqe, fd, reads[i].buffer,
					   (unsigned int)reads[i].length,
					   (uint64_t)reads[i].offset);
		}
		io_uring_sqe_set_data64(sqe, i);
	}
	ret = io_uring_submit_and_wait(&engine->ring, nr);
	if (ret < 0)
		die("io_uring_submit", -ret);
	for (i = 0; i < nr; i++) {
		ret = io_uring_wait_cqe(&engine->ring, &cqe);
		if (ret)
			die("io_uring_wait_cqe", -ret);
		reads[io_uring_cqe_get_data64(cqe)].result = cqe->res;
		io_uring_cqe_seen(&engine->ring, cqe);
	}
}

void engine_run(struct engine *engine, int fd, struct engine_read *reads,
		unsigned int nr)
{
	switch (engine->kind) {
	case ENGINE_AIO:
		run_aio(engine, fd, reads, nr);
		break;
	case ENGINE_URING:
	case ENGINE_FIXED:
	case ENGINE_POLL:
		run_uring(engine, fd, reads, nr);
		break;
	default:
		run_sync(engine, fd, reads, nr);
	}
}
