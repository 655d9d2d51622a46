// SPDX-License-Identifier: GPL-2.0
/*
 * Files that need their filter: include/bpio/filter.h says what a mark is.  Here
 * it is found, and compared with the filters that are attached.  What a filter
 * stores in it is the filter's business.
 *
 * The attributes of a file are listed when it is first opened.  That it has no
 * mark is remembered while its inode is in memory and no mark is changed.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#include "bpiofs.h"

#define SAMPLE_PREFIX	"bpio-flt-"
/* Most files have one attribute at most, of a security module. */
#define SHORT_LIST	128

/**
 * bpiofs_is_mark - does an extended attribute say that a file needs a filter?
 * @name: with its name space
 *
 * Return: true for a mark.
 */
bool bpiofs_is_mark(const char *name)
{
	return strstarts(name, FLT_MARK_PREFIX) &&
	       name[strlen(FLT_MARK_PREFIX)];
}

/**
 * bpiofs_marks_changed - a mark of a file was written or removed
 * @bi: file
 *
 * Context: any, after the change.
 */
void bpiofs_marks_changed(struct bpiofs_inode *bi)
{
	/* the mark, then the number; pairs with bpiofs_check_marks() */
	smp_mb__before_atomic();
	atomic_inc(&bi->marks_seq);
}

/* @mark: without the prefix. */
static bool is_filter_of(const char *filter, const char *mark)
{
	return !strcmp(filter, mark) ||
	       (strstarts(filter, SAMPLE_PREFIX) &&
		!strcmp(filter + strlen(SAMPLE_PREFIX), mark));
}

static bool is_attached(struct flt_volume *fv, const char *mark)
{
	struct flt_instance *instance;
	bool found = false;

	mutex_lock(&fv->lock);
	list_for_each_entry(instance, &fv->instances, node)
		found |= is_filter_of(instance->filter->registration->name,
				      mark);
	mutex_unlock(&fv->lock);
	return found;
}

/* List the attributes.  Return: bytes of **@list, which may be @room; an errno. */
static ssize_t list_attributes(struct dentry *lower, char *room, char **list)
{
	ssize_t length;

	*list = room;
	length = vfs_listxattr(lower, room, SHORT_LIST);
	while (length == -ERANGE) {
		if (*list != room)
			kvfree(*list);
		*list = room;
		length = vfs_listxattr(lower, NULL, 0);
		/* a size of 0 would ask for the size again */
		if (length <= 0)
			break;
		*list = kvmalloc(length, GFP_KERNEL);
		if (!*list) {
			*list = room;
			return -ENOMEM;
		}
		length = vfs_listxattr(lower, *list, length);
	}
	return length == -EOPNOTSUPP ? 0 : length;
}

/* Return: 1: no mark; 0: all filters are attached; or a negative errno. */
static int check_list(struct dentry *dentry, const char *list, ssize_t length)
{
	struct bpiofs_volume *vol = bpiofs_vol(dentry->d_sb);
	const char *name, *mark;
	int ret = 1;

	for (name = list; name < list + length; name += strlen(name) + 1) {
		if (!bpiofs_is_mark(name))
			continue;
		mark = name + strlen(FLT_MARK_PREFIX);
		if (!is_attached(&vol->filters, mark)) {
			pr_warn_ratelimited("bpiofs: %s: inode %llu (%pd) has the mark %s: attach the filter bpio-flt-%s or %s\n",
					    vol->sb->s_id,
					    (u64)d_inode(dentry)->i_ino, dentry,
					    name, mark, mark);
			return -ENOKEY;
		}
		ret = 0;
	}
	return ret;
}

/**
 * bpiofs_check_marks - are the filters attached that a file needs?
 * @dentry: ours, of a regular file
 *
 * Context: process context, may sleep; takes flt_volume.lock for a marked file.
 * Return: 0; -ENOKEY: one is not; -ENOMEM or another errno when that cannot be
 * told.
 */
int bpiofs_check_marks(struct dentry *dentry)
{
	struct bpiofs_inode *bi = BPIOFS_I(d_inode(dentry));
	const int seq = atomic_read(&bi->marks_seq);
	char room[SHORT_LIST], *list;
	const struct cred *caller;
	ssize_t length;
	int ret;

	if (likely(READ_ONCE(bi->unmarked_seq) == seq))
		return 0;
	/* the number, then the marks; pairs with bpiofs_marks_changed() */
	smp_rmb();
	/* trusted attributes are not listed to everybody */
	caller = bpiofs_mounter_begin(bpiofs_vol(dentry->d_sb));
	length = list_attributes(bpiofs_lower_dentry(dentry), room, &list);
	bpiofs_mounter_end(caller);
	ret = length < 0 ? length : check_list(dentry, list, length);
	if (list != room)
		kvfree(list);
	if (ret <= 0)
		return ret;
	WRITE_ONCE(bi->unmarked_seq, seq);
	return 0;
}
