// SPDX-License-Identifier: GPL-2.0
/* Requests to device-mapper, by ioctl. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "dm.h"

struct dm_ioctl *dm_new(const char *name, uint32_t flags)
{
	struct dm_ioctl *io = calloc(1, DM_ROOM);

	if (!io)
		return NULL;
	io->version[0] = DM_VERSION_MAJOR;
	io->data_size = DM_ROOM;
	io->data_start = sizeof(*io);
	io->flags = flags;
	snprintf(io->name, sizeof(io->name), "%s", name);
	return io;
}

int dm_do(struct dm_ioctl *io, unsigned long command)
{
	int fd = open("/dev/mapper/control", O_RDWR);
	int ret, error;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, command, io);
	error = errno;
	close(fd);
	errno = error;
	return ret;
}

static int finish(struct dm_ioctl *io, unsigned long command,
		  struct dm_ioctl **reply)
{
	int error, ret = io ? dm_do(io, command) : -1;

	error = errno;
	if (!ret && reply)
		*reply = io;
	else
		free(io);
	errno = error;
	return ret;
}

int dm_request(const char *name, unsigned long command, uint32_t flags,
	       struct dm_ioctl **reply)
{
	return finish(dm_new(name, flags), command, reply);
}

int dm_message(const char *name, uint64_t sector, const char *words,
	       struct dm_ioctl **reply)
{
	struct dm_ioctl *io = dm_new(name, 0);
	struct dm_target_msg *msg;

	if (!io)
		return -1;
	msg = (void *)(io + 1);
	msg->sector = sector;
	snprintf(msg->message, DM_ROOM - sizeof(*io) - sizeof(*msg), "%s",
		 words);
	return finish(io, DM_TARGET_MSG, reply);
}

int dm_add_target(struct dm_ioctl *io, size_t *at, uint64_t start,
		  uint64_t length, const char *type, const char *words)
{
	struct dm_target_spec *spec = (void *)((char *)(io + 1) + *at);
	size_t size = (sizeof(*spec) + strlen(words) + 1 + 7) & ~(size_t)7;

	if (sizeof(*io) + *at + size > DM_ROOM)
		return -1;
	*spec = (struct dm_target_spec){
		.sector_start = start,
		.length = length,
		.next = (uint32_t)size,
	};
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", type);
	strcpy((char *)(spec + 1), words);
	*at += size;
	io->target_count++;
	return 0;
}

/* as the kernel's huge_encode_dev() */
unsigned int dm_major(const struct dm_ioctl *io)
{
	return (unsigned int)(io->dev >> 8) & 0xfff;
}

unsigned int dm_minor(const struct dm_ioctl *io)
{
	return (unsigned int)((io->dev & 0xff) | ((io->dev >> 12) & 0xfff00));
}
