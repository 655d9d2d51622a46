// SPDX-License-Identifier: GPL-2.0
/*
 * bpioctl filter: lists filters and their instances as fltmc does, attaches
 * and detaches them.  All of it by the files of bpiofs in sysfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "altitude.h"
#include "bpioctl.h"
#include "volume.h"

/* What one write to a file in sysfs can carry. */
#define MAX_WRITE 4096

/* No directory of filters, or of volumes: no bpiofs. */
static int complain_dir(const char *dir, int err)
{
	if (err == ENOENT)
		return complain(dir, "%s (is bpiofs loaded?)", strerror(err));
	return complain_errno(dir, "read", err);
}

/* A volume that is mounted, or a complaint. */
static int find_volume(const char *path, struct volume *volume,
		       char dir[PATH_MAX])
{
	int err = volume_of_path(path, volume);

	if (err == -ENODEV || err == -ENOTBLK)
		return complain_status(path, STATUS_FLT_VOLUME_NOT_FOUND,
				       "not on a bpiofs mount");
	if (err)
		return complain_errno(path, "find its volume", -err);
	volume_dir(volume, dir);
	if (access(dir, F_OK))
		return complain_status(path, STATUS_FLT_VOLUME_NOT_FOUND,
				       "no bpiofs mount of this device");
	return DONE;
}

int filter_list(const struct command *command, const struct args *args)
{
	struct flt_list filters = { 0 };
	int result = DONE;
	int err;

	(void)command;
	err = filters_collect(&filters, FILTERS_DIR);
	if (err) {
		result = complain_dir(FILTERS_DIR, -err);
	} else {
		filters_sort(&filters);
		args->print->filters(stdout, &filters);
	}
	flt_list_free(&filters);
	return result;
}

int filter_instances(const struct command *command, const struct args *args)
{
	struct flt_list instances = { 0 };
	struct volume volume;
	char dir[PATH_MAX];
	int result = DONE;
	int err;

	(void)command;
	if (args->volume && find_volume(args->volume, &volume, dir))
		return FAILED;
	if (args->volume)
		err = instances_of_volume(&instances, VOLUMES_DIR, volume.name);
	else
		err = instances_collect(&instances, VOLUMES_DIR);
	if (err) {
		result = complain_dir(args->volume ? dir : VOLUMES_DIR, -err);
	} else {
		instances_sort(&instances);
		args->print->instances(stdout, &instances);
	}
	flt_list_free(&instances);
	return result;
}

/*
 * Opened before it is written, since ENOENT of the one says another thing than
 * of the other.  Complains.
 */
static int open_control(const char *path, const char *dir, const char *name)
{
	char file[PATH_MAX];
	int fd;

	if ((size_t)snprintf(file, sizeof(file), "%s/%s", dir, name) >=
	    sizeof(file)) {
		complain_errno(path, name, ENAMETOOLONG);
		return -1;
	}
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		complain_errno(path, name, errno);
	return fd;
}

/* 0 or -errno of the one write. */
static int tell(int fd, const char *text)
{
	size_t length = strlen(text);
	ssize_t written = write(fd, text, length);

	if (written < 0)
		return -errno;
	return (size_t)written == length ? 0 : -EIO;
}

/* Blanks part the words of what the kernel is told. */
static bool is_word(const char *text)
{
	return *text && !text[strcspn(text, " \t\r\n/")];
}

static int not_registered(const char *path, const char *filter)
{
	return complain(path,
			"no filter %s is registered (is its module loaded?)",
			filter);
}

static const struct flt_object *at_altitude(const struct flt_list *instances,
					    const char *altitude)
{
	size_t i;

	for (i = 0; i < instances->nr; i++)
		if (!altitude_compare(flt_text(&instances->list[i], "altitude"),
				      altitude))
			return &instances->list[i];
	return NULL;
}

static int complain_collision(const char *path, const char *altitude,
			      const struct flt_list *instances)
{
	const struct flt_object *there = at_altitude(instances, altitude);
	char detail[PATH_MAX];

	snprintf(detail, sizeof(detail), "%s is at %s",
		 there ? there->name : "somebody", altitude);
	return complain_status(path, STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
			       detail);
}

/* @altitude is the one asked for, or that of the filter when none was. */
static int attach(const struct args *args, const char *altitude, int fd,
		  const char *volume)
{
	const char *filter = args->operands[0];
	const char *path = args->operands[1];
	struct flt_list instances = { 0 };
	const struct flt_object *made;
	char text[MAX_WRITE + 1];
	int result = DONE;
	int err;

	if ((size_t)snprintf(text, sizeof(text), "%s%s%s", filter,
			     args->altitude ? " " : "",
			     args->altitude ? args->altitude : "") >=
	    sizeof(text))
		return complain_errno(path, "attach", E2BIG);
	err = tell(fd, text);
	/* Whom it met there, or what was made. */
	instances_of_volume(&instances, VOLUMES_DIR, volume);
	made = at_altitude(&instances, altitude);
	if (err == -ENOENT)
		result = not_registered(path, filter);
	else if (err == -EEXIST)
		result = complain_collision(path, altitude, &instances);
	else if (err)
		result = complain(path, "attach %s at %s: %s", filter, altitude,
				  strerror(-err));
	else if (made)
		args->print->instance(stdout, made);
	flt_list_free(&instances);
	return result;
}

int filter_attach(const struct command *command, const struct args *args)
{
	const char *filter = args->operands[0];
	const char *path = args->operands[1];
	const struct flt_object *registered;
	struct flt_list filters = { 0 };
	struct volume volume;
	char dir[PATH_MAX];
	int result = FAILED;
	int fd;

	(void)command;
	if (find_volume(path, &volume, dir))
		return FAILED;
	fd = open_control(path, dir, "attach");
	if (fd < 0)
		return FAILED;
	filters_collect(&filters, FILTERS_DIR);
	registered = is_word(filter) ? flt_find(&filters, filter) : NULL;
	if (registered)
		result = attach(args,
				args->altitude ?
					args->altitude :
					flt_text(registered, "altitude"),
				fd, volume.name);
	else
		not_registered(path, filter);
	flt_list_free(&filters);
	close(fd);
	return result;
}

/*
 * The instance named; else the one with the name of its filter; else the only
 * one.  NULL after a complaint.
 */
static const struct flt_object *choose(const struct args *args,
				       const struct flt_list *instances)
{
	const char *filter = args->operands[0];
	const char *path = args->operands[1];
	const char *name = args->instance ? args->instance : filter;
	const struct flt_object *found = flt_find(instances, name);
	size_t others = 0;
	size_t i;

	if (found && !strcmp(flt_text(found, "filter"), filter))
		return found;
	if (args->instance) {
		complain(path, "filter %s has no instance %s here", filter,
			 name);
		return NULL;
	}
	for (i = 0; i < instances->nr; i++) {
		if (strcmp(flt_text(&instances->list[i], "filter"), filter))
			continue;
		found = &instances->list[i];
		others++;
	}
	if (others == 1)
		return found;
	if (others)
		complain(
			path,
			"filter %s has %zu instances here: --instance tells which",
			filter, others);
	else
		complain(path, "filter %s has no instance here", filter);
	return NULL;
}

int filter_detach(const struct command *command, const struct args *args)
{
	const char *path = args->operands[1];
	const struct flt_object *instance;
	struct flt_list instances = { 0 };
	struct volume volume;
	char dir[PATH_MAX];
	int result = FAILED;
	int err = 0;
	int fd;

	(void)command;
	if (find_volume(path, &volume, dir))
		return FAILED;
	fd = open_control(path, dir, "detach");
	if (fd < 0)
		return FAILED;
	instances_of_volume(&instances, VOLUMES_DIR, volume.name);
	instance = choose(args, &instances);
	if (instance)
		err = tell(fd, instance->name);
	if (err) {
		complain(path, "detach %s: %s", instance->name, strerror(-err));
	} else if (instance) {
		args->print->instance(stdout, instance);
		result = DONE;
	}
	flt_list_free(&instances);
	close(fd);
	return result;
}
