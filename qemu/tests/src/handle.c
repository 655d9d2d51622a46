// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-handle make PATH
 *	prints the file handle of PATH
 * bpio-handle open DIRECTORY HANDLE COMMAND...
 *	runs the command with what the handle names, on the mount of the
 *	directory, open as descriptor 9; prints ESTALE when it names nothing
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static union {
	struct file_handle handle;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} h;

static void make(const char *path)
{
	int mount;
	unsigned int i;

	h.handle.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, path, &h.handle, &mount, 0))
		err(1, "%s", path);
	printf("%d:", h.handle.handle_type);
	for (i = 0; i < h.handle.handle_bytes; i++)
		printf("%02x", h.handle.f_handle[i]);
	putchar('\n');
}

static int open_handle(const char *directory, const char *text)
{
	int at = open(directory, O_RDONLY | O_DIRECTORY), fd;
	char *end;

	if (at < 0)
		err(1, "%s", directory);
	h.handle.handle_type = strtol(text, &end, 10);
	for (end++; sscanf(end, "%2hhx",
			   &h.handle.f_handle[h.handle.handle_bytes]) == 1;
	     end += 2)
		if (++h.handle.handle_bytes == MAX_HANDLE_SZ)
			break;
	fd = open_by_handle_at(at, &h.handle, O_RDONLY);
	close(at);
	return fd;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc == 3 && !strcmp(argv[1], "make")) {
		make(argv[2]);
		return 0;
	}
	if (argc < 5 || strcmp(argv[1], "open"))
		errx(2, "usage: bpio-handle make PATH | open DIRECTORY HANDLE COMMAND...");
	fd = open_handle(argv[2], argv[3]);
	if (fd < 0 && errno == ESTALE) {
		puts("ESTALE");
		return 0;
	}
	if (fd < 0 || dup2(fd, 9) < 0)
		err(1, "%s", argv[3]);
	execvp(argv[4], argv + 4);
	err(1, "%s", argv[4]);
}
