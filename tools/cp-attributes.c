// SPDX-License-Identifier: GPL-2.0
/* Gives a copy the attributes of what it is a copy of. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cp.h"

#define MODE_BITS  07777
#define PRIVILEGES (S_ISUID | S_ISGID)
#define MAX_XATTR  65536
#define MAX_XATTRS 65536

static bool begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

/*
 * One that only the privileged may set, or that belongs to the place and not
 * to the file, is left out where it cannot be set.
 */
static int copy_xattr(int from, int to, const char *name, char *value,
		      const char *path)
{
	ssize_t length;

	/* How a filter keeps the data of this one file. */
	if (begins(name, "trusted.bpio."))
		return DONE;
	length = fgetxattr(from, name, value, MAX_XATTR);
	if (length < 0 && (errno == ENODATA || errno == EPERM))
		return DONE;
	if (length >= 0 && !fsetxattr(to, name, value, (size_t)length, 0))
		return DONE;
	if (!begins(name, "user.") &&
	    (errno == EPERM || errno == EACCES || errno == EOPNOTSUPP))
		return DONE;
	return complain(path, "attribute %s: %s", name, strerror(errno));
}

static int copy_xattrs(int from, int to, const char *path)
{
	char *names = malloc(MAX_XATTRS + MAX_XATTR);
	int result = DONE;
	ssize_t length;
	char *name;

	if (!names)
		return complain_errno(path, "attributes", ENOMEM);
	length = flistxattr(from, names, MAX_XATTRS);
	if (length < 0 && errno != EOPNOTSUPP)
		result = complain_errno(path, "attributes", errno);
	for (name = names; length > 0 && name < names + length;
	     name += strlen(name) + 1)
		if (copy_xattr(from, to, name, names + MAX_XATTRS, path))
			result = FAILED;
	free(names);
	return result;
}

/* Who is not allowed to give a file away keeps it. */
static bool is_forbidden(void)
{
	return errno == EPERM && geteuid();
}

int cp_attributes(int from, int to, const struct stat *st, const char *path)
{
	struct timespec times[] = { st->st_atim, st->st_mtim };
	mode_t mode = st->st_mode & MODE_BITS;
	int result = DONE;

	/* Before the mode: it takes the privileges away. */
	if (fchown(to, st->st_uid, st->st_gid)) {
		if (!is_forbidden())
			result = complain_errno(path, "owner", errno);
		mode &= ~(mode_t)PRIVILEGES;
	}
	if (fchmod(to, mode))
		result = complain_errno(path, "mode", errno);
	if (copy_xattrs(from, to, path))
		result = FAILED;
	if (futimens(to, times))
		result = complain_errno(path, "times", errno);
	return result;
}

/* fchmod() of a descriptor that is O_PATH. */
static int change_mode(int fd, mode_t mode)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode);
}

static int attributes_of(int fd, const struct stat *st, const char *path)
{
	struct timespec times[] = { st->st_atim, st->st_mtim };
	int result = DONE;

	if (fchownat(fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) &&
	    !is_forbidden())
		result = complain_errno(path, "owner", errno);
	/* The umask had its say when it was made. */
	if (!S_ISLNK(st->st_mode) && change_mode(fd, st->st_mode & MODE_BITS))
		result = complain_errno(path, "mode", errno);
	if (utimensat(fd, "", times, AT_EMPTY_PATH))
		result = complain_errno(path, "times", errno);
	return result;
}

int cp_attributes_at(const struct cp_place *to, const struct stat *st)
{
	struct stat made;
	int result;
	int fd;

	fd = openat(to->dir, to->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return complain_errno(to->path, "open", errno);
	if (fstat(fd, &made))
		result = complain_errno(to->path, "stat", errno);
	else if ((made.st_mode ^ st->st_mode) & S_IFMT ||
		 made.st_rdev != st->st_rdev || made.st_nlink != 1)
		result = complain(to->path, "replaced by something else");
	else
		result = attributes_of(fd, st, to->path);
	close(fd);
	return result;
}
