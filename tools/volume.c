// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the volume behind a path.  By the mount table, not by st_dev: which
 * device number the files of a stacked mount show is the file system's own
 * affair.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "volume.h"

int volume_of_dev(dev_t dev, struct volume *volume)
{
	char link[64];
	char target[PATH_MAX];
	const char *name;
	ssize_t length;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(dev),
		 minor(dev));
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= sizeof(volume->name))
		return -ENAMETOOLONG;
	strcpy(volume->name, name);
	volume->major = major(dev);
	volume->minor = minor(dev);
	return 0;
}

int volume_of_name(const char *name, struct volume *volume)
{
	char path[PATH_MAX];
	FILE *file;
	int err = 0;

	snprintf(path, sizeof(path), "/sys/class/block/%s/dev", name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	snprintf(volume->name, sizeof(volume->name), "%s", name);
	if (fscanf(file, "%u:%u", &volume->major, &volume->minor) != 2)
		err = -EIO;
	fclose(file);
	return err;
}

static int mount_id(int fd)
{
	char path[64];
	char line[256];
	FILE *file;
	int id = -1;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "mnt_id: %d", &id) == 1)
			break;
	fclose(file);
	return id;
}

/* The mount table writes blanks and backslashes as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		unsigned int c;

		if (*text == '\\' && sscanf(text + 1, "%3o", &c) == 1) {
			*to++ = (char)c;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* Source of a bpiofs mount; the caller frees it.  NULL when it is none. */
static char *mount_source(int id)
{
	char *line = NULL;
	char *source = NULL;
	size_t size = 0;
	FILE *file;

	file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		return NULL;
	while (getline(&line, &size, file) > 0) {
		char *rest;

		if (atoi(line) != id)
			continue;
		rest = strstr(line, " - bpiofs ");
		if (!rest)
			break;
		rest += strlen(" - bpiofs ");
		source = strndup(rest, strcspn(rest, " \n"));
		break;
	}
	free(line);
	fclose(file);
	if (source)
		unescape(source);
	return source;
}

int volume_of_fd(int fd, struct volume *volume)
{
	char *source = mount_source(mount_id(fd));
	struct stat st;
	int err;

	if (!source)
		return -ENODEV;
	err = stat(source, &st) ? -errno : 0;
	free(source);
	if (err)
		return err;
	return S_ISBLK(st.st_mode) ? volume_of_dev(st.st_rdev, volume) :
				     -ENOTBLK;
}

int volume_of_path(const char *path, struct volume *volume)
{
	char mapped[PATH_MAX];
	struct stat st;
	int err;
	int fd;

	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && *path && !strchr(path, '/')) {
		if (!volume_of_name(path, volume))
			return 0;
		snprintf(mapped, sizeof(mapped), "/dev/mapper/%s", path);
		fd = open(mapped, O_PATH | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (S_ISBLK(st.st_mode))
		err = volume_of_dev(st.st_rdev, volume);
	else
		err = volume_of_fd(fd, volume);
	close(fd);
	return err;
}

void volume_dir(const struct volume *volume, char dir[PATH_MAX])
{
	snprintf(dir, PATH_MAX, VOLUMES_DIR "/%s", volume->name);
}

void volume_device(const char *name, char device[PATH_MAX])
{
	char path[PATH_MAX];
	char mapped[PATH_MAX] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/block/%s/dm/name", name);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(mapped, sizeof(mapped), file))
			*mapped = '\0';
		fclose(file);
		mapped[strcspn(mapped, "\n")] = '\0';
	}
	if (*mapped) {
		snprintf(device, PATH_MAX, "/dev/mapper/%.*s", NAME_MAX,
			 mapped);
		return;
	}
	snprintf(device, PATH_MAX, "/dev/%s", name);
	/* What is a slash in /dev is an exclamation mark in /sys. */
	while ((device = strchr(device, '!')))
		*device = '/';
}
