// SPDX-License-Identifier: GPL-2.0
/*
 * Copies whatever a name stands for: files, directories with all that is in
 * them, symbolic links, special files.  By descriptors of directories: what
 * others rename meanwhile leads nowhere else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cp.h"

/*
 * A link is followed where its user has named it, not where it is found, nor
 * with --recursive.
 */
static int follow(const struct cp *cp, const struct cp_place *from)
{
	return !cp->recursive && from->dir == AT_FDCWD ? 0 : O_NOFOLLOW;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int open_at(const struct cp_place *place, int flags)
{
	int fd = openat(place->dir, place->name,
			flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

	if (fd < 0)
		complain_errno(place->path, "open", errno);
	return fd;
}

static int copy_data(struct cp *cp, int from, int to,
		     const struct cp_place *to_place)
{
	struct bpio_copy_result result;
	int err;

	cp_bar_begin(cp, to_place->path);
	err = bpio_copy_file(from, to, &cp->options, &result);
	cp_bar_end(cp);
	cp_count(&cp->report, &result, from, to);
	if (err == -ECANCELED)
		return complain(to_place->path, "interrupted after %llu bytes",
				(unsigned long long)result.done_length);
	if (err)
		return complain(to_place->path, "copy: %s (after %llu bytes)",
				strerror(-err),
				(unsigned long long)result.done_length);
	return DONE;
}

static int copy_opened(struct cp *cp, int from, int to, const struct stat *st,
		       const struct cp_place *from_place,
		       const struct cp_place *to_place)
{
	struct stat old;

	if (fstat(to, &old))
		return complain_errno(to_place->path, "stat", errno);
	if (!S_ISREG(old.st_mode))
		return complain(to_place->path, "not a regular file");
	if (is_same(st, &old))
		return complain(to_place->path, "the same file as %s",
				from_place->path);
	if (copy_data(cp, from, to, to_place))
		return FAILED;
	return cp_attributes(from, to, st, to_place->path);
}

static int copy_file(struct cp *cp, const struct cp_place *from_place,
		     const struct cp_place *to_place)
{
	struct stat st;
	int result = FAILED;
	int from;
	int to;

	from = open_at(from_place, O_RDONLY | follow(cp, from_place));
	if (from < 0)
		return FAILED;
	if (fstat(from, &st)) {
		complain_errno(from_place->path, "stat", errno);
		goto out_from;
	}
	if (!S_ISREG(st.st_mode)) {
		complain(from_place->path, "is no longer a file");
		goto out_from;
	}
	/* In a tree, a link that is in the way leads nobody out of it. */
	to = open_at(to_place,
		     O_WRONLY | O_CREAT |
			     (to_place->dir == AT_FDCWD ? 0 : O_NOFOLLOW));
	if (to < 0)
		goto out_from;
	result = copy_opened(cp, from, to, &st, from_place, to_place);
	if (close(to) && !result)
		result = complain_errno(to_place->path, "close", errno);
	cp->report.files += !result;
out_from:
	close(from);
	return result;
}

/*
 * Is the way free, or made so, for a link or a special file?  Only its like is
 * replaced: nobody loses a file or a device to a link.
 */
static bool make_way(const struct cp_place *from, const struct cp_place *to,
		     const struct stat *st)
{
	struct stat old;

	if (fstatat(to->dir, to->name, &old, AT_SYMLINK_NOFOLLOW))
		return true;
	if (is_same(st, &old)) {
		complain(to->path, "the same file as %s", from->path);
		return false;
	}
	if ((st->st_mode ^ old.st_mode) & S_IFMT) {
		complain(to->path, "in the way, of another kind than %s",
			 from->path);
		return false;
	}
	if (!unlinkat(to->dir, to->name, 0))
		return true;
	complain_errno(to->path, "replace", errno);
	return false;
}

static int copy_link(const struct cp_place *from, const struct cp_place *to,
		     const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t length;

	length = readlinkat(from->dir, from->name, target, sizeof(target));
	if (length < 0)
		return complain_errno(from->path, "read", errno);
	if (length == (ssize_t)sizeof(target))
		return complain_errno(from->path, "read", ENAMETOOLONG);
	target[length] = '\0';
	if (!make_way(from, to, st))
		return FAILED;
	if (symlinkat(target, to->dir, to->name))
		return complain_errno(to->path, "make a link", errno);
	return cp_attributes_at(to, st);
}

static int copy_special(const struct cp_place *from, const struct cp_place *to,
			const struct stat *st)
{
	if (!make_way(from, to, st))
		return FAILED;
	if (mknodat(to->dir, to->name, st->st_mode, st->st_rdev))
		return complain_errno(to->path, "make a special file", errno);
	return cp_attributes_at(to, st);
}

static void copy_entry(struct cp *cp, int from_dir, int to_dir,
		       const char *name, const struct cp_place *from,
		       const struct cp_place *to)
{
	char *from_path = NULL;
	char *to_path = NULL;

	if (asprintf(&from_path, "%s/%s", from->path, name) < 0 ||
	    asprintf(&to_path, "%s/%s", to->path, name) < 0) {
		complain_errno(name, "copy", ENOMEM);
		cp->report.failed++;
	} else {
		cp_tree(cp, &(struct cp_place){ from_dir, name, from_path },
			&(struct cp_place){ to_dir, name, to_path });
	}
	free(from_path);
	free(to_path);
}

static int no_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

static int copy_entries(struct cp *cp, int from_dir, int to_dir,
			const struct cp_place *from, const struct cp_place *to)
{
	struct dirent **entries;
	int nr;
	int i;

	nr = scandirat(from_dir, ".", &entries, no_dots, alphasort);
	if (nr < 0)
		return complain_errno(from->path, "read", errno);
	for (i = 0; i < nr; i++) {
		if (!cp_is_interrupted())
			copy_entry(cp, from_dir, to_dir, entries[i]->d_name,
				   from, to);
		free(entries[i]);
	}
	free(entries);
	return DONE;
}

/* -1 after a complaint. */
static int make_dir(struct cp *cp, const struct stat *st,
		    const struct cp_place *from, const struct cp_place *to)
{
	struct stat made;
	int fd;

	if (mkdirat(to->dir, to->name, 0700) && errno != EEXIST) {
		complain_errno(to->path, "make a directory", errno);
		return -1;
	}
	fd = open_at(to, O_RDONLY | O_DIRECTORY |
				 (to->dir == AT_FDCWD ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return -1;
	if (fstat(fd, &made)) {
		complain_errno(to->path, "stat", errno);
		goto out_close;
	}
	if (is_same(st, &made)) {
		complain(to->path, "the same directory as %s", from->path);
		goto out_close;
	}
	if (!cp->has_root) {
		cp->has_root = true;
		cp->root_dev = made.st_dev;
		cp->root_ino = made.st_ino;
	}
	return fd;
out_close:
	close(fd);
	return -1;
}

static int copy_dir(struct cp *cp, const struct cp_place *from_place,
		    const struct cp_place *to_place)
{
	int result = FAILED;
	struct stat st;
	int from;
	int to;

	from = open_at(from_place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (from < 0)
		return FAILED;
	if (fstat(from, &st)) {
		complain_errno(from_place->path, "stat", errno);
		goto out_from;
	}
	if (cp->has_root && st.st_dev == cp->root_dev &&
	    st.st_ino == cp->root_ino) {
		complain(from_place->path, "not copied into itself");
		goto out_from;
	}
	to = make_dir(cp, &st, from_place, to_place);
	if (to < 0)
		goto out_from;
	result = copy_entries(cp, from, to, from_place, to_place);
	if (cp_attributes(from, to, &st, to_place->path))
		result = FAILED;
	close(to);
out_from:
	close(from);
	return result;
}

void cp_tree(struct cp *cp, const struct cp_place *from,
	     const struct cp_place *to)
{
	struct stat st;
	int result;

	if (fstatat(from->dir, from->name, &st,
		    follow(cp, from) ? AT_SYMLINK_NOFOLLOW : 0)) {
		complain_errno(from->path, "stat", errno);
		cp->report.failed++;
		return;
	}
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		result = copy_file(cp, from, to);
		break;
	case S_IFDIR:
		result = cp->recursive ?
				 copy_dir(cp, from, to) :
				 complain(from->path,
					  "a directory, and no --recursive");
		break;
	case S_IFLNK:
		result = copy_link(from, to, &st);
		break;
	default:
		result = cp->recursive ?
				 copy_special(from, to, &st) :
				 complain(from->path, "not a regular file");
		break;
	}
	cp->report.failed += !!result;
}
