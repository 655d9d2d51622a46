/* SPDX-License-Identifier: GPL-2.0 */
/* Which volume is meant, and where its files in sysfs are. */
#ifndef VOLUME_H
#define VOLUME_H

#include <limits.h>
#include <sys/types.h>

#define VOLUMES_DIR "/sys/fs/bpiofs"

/* A block device, by the name that the kernel gives it: "dm-0". */
struct volume {
	char name[NAME_MAX + 1];
	unsigned int major;
	unsigned int minor;
};

/* All return 0 or -errno. */
int volume_of_dev(dev_t dev, struct volume *volume);
/* The device below the bpiofs mount that an open file is on. */
int volume_of_fd(int fd, struct volume *volume);
/*
 * A block device, or anything on a bpiofs mount; a word that is no path here
 * may be the name of a block device, the kernel's or device mapper's.
 */
int volume_of_path(const char *path, struct volume *volume);
/* By the kernel's name. */
int volume_of_name(const char *name, struct volume *volume);
void volume_dir(const struct volume *volume, char dir[PATH_MAX]);
/* "/dev/mapper/games" for "dm-0", and "/dev/sda" for "sda". */
void volume_device(const char *name, char device[PATH_MAX]);

#endif /* VOLUME_H */
