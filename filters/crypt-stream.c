// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of a file: its mark, an extended attribute that encrypted files
 * carry, and the context with its lock.
 */
#include "crypt.h"

/* Without this filter such a file does not open: see <bpio/filter.h>. */
#define MARK_NAME	FLT_MARK_PREFIX "crypt"
#define MARK_VERSION	1

/**
 * struct mark - value of the extended attribute
 * @version: MARK_VERSION
 * @state: enum crypt_mark
 * @reserved: 0
 * @inode: number of the file's inode: the mark of a copied file is not its own
 * @nonce: part of every tweak
 * @check: tells another key
 */
struct mark {
	__le32 version;
	u8 state;
	u8 reserved[3];
	__le64 inode;
	u8 nonce[CRYPT_NONCE];
	u8 check[8];
};

int crypt_write_mark(const struct flt_related_objects *objects,
		     const struct crypt_stream *s, enum crypt_mark state)
{
	struct mark mark = {
		.version = cpu_to_le32(MARK_VERSION),
		.state = state,
		.inode = cpu_to_le64(objects->inode->i_ino),
	};
	int ret;

	if (state == CRYPT_MARK_NONE) {
		ret = flt_set_ea(objects, MARK_NAME, NULL, 0);
		return ret == -ENODATA ? 0 : ret;
	}
	memcpy(mark.nonce, s->nonce, sizeof(mark.nonce));
	ret = crypt_make_check(s, mark.check);
	if (ret)
		return ret;
	return flt_set_ea(objects, MARK_NAME, &mark, sizeof(mark));
}

/* Return: 0; a negative errno when it cannot be told what @s is. */
static int read_mark(const struct flt_related_objects *objects,
		     struct crypt_stream *s)
{
	struct mark mark;
	u8 check[8];
	ssize_t ret;

	ret = flt_get_ea(objects, MARK_NAME, &mark, sizeof(mark));
	if (ret == -ENODATA || ret == -EOPNOTSUPP)
		return 0;
	if (ret < 0 && ret != -ERANGE)
		return ret;
	s->encrypted = true;
	s->vetoing = true;
	if (ret != sizeof(mark) || le32_to_cpu(mark.version) != MARK_VERSION ||
	    mark.state != CRYPT_MARK_ENCRYPTED ||
	    le64_to_cpu(mark.inode) != objects->inode->i_ino) {
		s->error = -EUCLEAN;
		return 0;
	}
	memcpy(s->nonce, mark.nonce, sizeof(s->nonce));
	ret = crypt_make_check(s, check);
	if (!ret && memcmp(check, mark.check, sizeof(check)))
		s->error = -EKEYREJECTED;
	return ret;
}

/* The context of a regular file, made when it is first needed. */
struct crypt_stream *crypt_get_stream(const struct flt_related_objects *objects)
{
	struct crypt_stream *s = flt_stream_context(objects), *there;
	int ret;

	if (s)
		return s;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	init_rwsem(&s->lock);
	init_waitqueue_head(&s->idle);
	ret = read_mark(objects, s);
	there = ret ? ERR_PTR(ret) : flt_set_stream_context(objects, s);
	if (there != s)
		kfree(s);
	return there;
}

void crypt_free_stream(void *context)
{
	kfree(context);
}

/*
 * Before an operation; crypt_leave() is after it.  With @change it is one that
 * changes the file.  Return: the stream, its lock held; or an error.
 */
struct crypt_stream *crypt_enter(const struct flt_related_objects *objects,
				 bool change)
{
	struct crypt_stream *s = crypt_get_stream(objects);
	int ret;

	if (IS_ERR(s))
		return s;
	/* A conversion may take long. */
	ret = down_read_killable(&s->lock);
	if (ret)
		return ERR_PTR(ret);
	if (change && s->encrypted) {
		up_read(&s->lock);
		ret = down_write_killable(&s->lock);
		if (ret)
			return ERR_PTR(ret);
		if (!s->encrypted)
			downgrade_write(&s->lock);
	}
	ret = s->error;
	if (!ret && s->encrypted && !READ_ONCE(s->transformed)) {
		ret = flt_set_stream_transformed(objects, true);
		WRITE_ONCE(s->transformed, !ret);
	}
	if (!ret)
		return s;
	crypt_leave(s, change);
	return ERR_PTR(ret);
}

void crypt_leave(struct crypt_stream *s, bool change)
{
	if (change && s->encrypted)
		up_write(&s->lock);
	else
		up_read(&s->lock);
}
