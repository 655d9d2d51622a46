// SPDX-License-Identifier: GPL-2.0
/* Opens what a command works on, the way that disturbs least. */
#include <errno.h>
#include <fcntl.h>

#include "bpioctl.h"

int open_plain(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		complain_errno(path, "open", errno);
	return fd;
}

/*
 * Without O_DIRECT: under the mount option bypassio=auto a direct open is an
 * enabled one, and a question must not change the answer.
 */
int open_query(const char *path)
{
	return open_plain(path, O_RDONLY | O_NONBLOCK);
}

/* Noncached where the path can be; a directory gets its veto all the same. */
int open_bypass(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == EINVAL)
		fd = open_plain(path, O_RDONLY);
	else if (fd < 0)
		complain_errno(path, "open", errno);
	return fd;
}

/* For writing where allowed: that is what the right to pause hangs on. */
int open_change(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? open_query(path) : fd;
}
