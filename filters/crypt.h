/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bpio-flt-crypt: what its files share, grouped by .c file.  How files are
 * encrypted is told in crypt-cipher.c; the callbacks begin in crypt-main.c.
 */
#ifndef _CRYPT_H
#define _CRYPT_H

#include <crypto/aes.h>
#include <crypto/skcipher.h>
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <bpio/filter.h>

#define CRYPT_UNIT	4096	/* bytes that are encrypted together */
#define CRYPT_BLOCK	AES_BLOCK_SIZE
#define CRYPT_KEY_SIZE	64
#define CRYPT_NONCE	8

/**
 * struct crypt_stream - what is kept per file: the context of the stream
 * @lock: held from before an operation to after it: shared by reads, by all on
 *	a file that is not encrypted, and by ENABLE on its way down; exclusive
 *	for changes of an encrypted file and for the conversion
 * @offloads: token reads and copies under way below; counted up under @lock,
 *	which they do not hold, as what they lock lies outside it
 * @idle: woken when there are none
 * @vetoing: object to ENABLE and QUERY; set under @lock
 * @encrypted: has the mark; under @lock
 * @transformed: the filter manager knows that
 * @error: why it cannot be used, else 0: -EKEYREJECTED, -EUCLEAN; under @lock
 * @nonce: part of every tweak
 */
struct crypt_stream {
	struct rw_semaphore lock;
	atomic_t offloads;
	wait_queue_head_t idle;
	bool vetoing;
	bool encrypted;
	bool transformed;
	int error;
	u8 nonce[CRYPT_NONCE];
};

/**
 * struct crypt_buffer - part of a file, in memory
 * @stream: the file
 * @base: byte of the file that @data begins with; a multiple of CRYPT_UNIT
 * @data: whole units; one more lies behind them, for what comes out in front
 * @scratch: that one
 * @request: for the cipher
 * @tweak: for the cipher
 * @block: for the cipher
 */
struct crypt_buffer {
	const struct crypt_stream *stream;
	loff_t base;
	u8 *data;
	u8 *scratch;
	struct skcipher_request *request;
	u8 tweak[CRYPT_BLOCK];
	u8 block[CRYPT_BLOCK];
};

/**
 * struct crypt_patch - bytes to be written below
 * @pos: a block of the file
 * @length: bytes, 0: nothing to do
 * @bytes: encrypted
 */
struct crypt_patch {
	loff_t pos;
	unsigned int length;
	u8 bytes[CRYPT_BLOCK];
};

/**
 * struct crypt_job - work that a signal must not cut short
 * @work: runs it
 * @done: it has run
 * @objects: of the callback that waits for it
 * @stream: the file
 * @run: what to do
 * @patch: for one kind of job
 * @encrypt: for another
 * @ret: what @run returned
 */
struct crypt_job {
	struct work_struct work;
	struct completion done;
	const struct flt_related_objects *objects;
	struct crypt_stream *stream;
	int (*run)(struct crypt_job *job);
	union {
		const struct crypt_patch *patch;
		bool encrypt;
	};
	int ret;
};

enum crypt_mark {
	CRYPT_MARK_NONE,
	CRYPT_MARK_ENCRYPTED,
	CRYPT_MARK_CONVERTING,
};

/* Where byte @pos of the file is in the buffer. */
static inline u8 *crypt_at(const struct crypt_buffer *b, loff_t pos)
{
	return b->data + (pos - b->base);
}

static inline struct page *crypt_page_of(const void *p)
{
	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

/* crypt-cipher.c */
int crypt_cipher_init(const char *key);
void crypt_cipher_exit(void);
struct crypt_buffer *crypt_new_buffer(const struct crypt_stream *s,
				      loff_t start, loff_t end);
void crypt_free_buffer(struct crypt_buffer *b);
int crypt_range(struct crypt_buffer *b, bool encrypt, loff_t start, loff_t end);
int crypt_make_check(const struct crypt_stream *s, u8 check[8]);

/* crypt-stream.c */
struct crypt_stream *crypt_get_stream(const struct flt_related_objects *objects);
void crypt_free_stream(void *context);
struct crypt_stream *crypt_enter(const struct flt_related_objects *objects,
				 bool change);
void crypt_leave(struct crypt_stream *s, bool change);
int crypt_write_mark(const struct flt_related_objects *objects,
		     const struct crypt_stream *s, enum crypt_mark mark);

/* crypt-below.c */
int crypt_read_below(const struct flt_related_objects *objects,
		     struct crypt_buffer *b, loff_t start, loff_t end);
int crypt_run_job(struct crypt_job *job);
int crypt_apply(const struct flt_related_objects *objects,
		struct crypt_stream *s, const struct crypt_patch *patch);
int crypt_spoil(const struct flt_related_objects *objects,
		struct crypt_stream *s);

/* crypt-data.c: reads, writes, changes of the size */
int crypt_pre_read(struct flt_callback_data *data,
		   const struct flt_related_objects *objects,
		   void **completion_context);
int crypt_post_read(struct flt_callback_data *data,
		    const struct flt_related_objects *objects,
		    void *completion_context, u32 flags);
int crypt_pre_write(struct flt_callback_data *data,
		    const struct flt_related_objects *objects,
		    void **completion_context);
int crypt_post_write(struct flt_callback_data *data,
		     const struct flt_related_objects *objects,
		     void *completion_context, u32 flags);
int crypt_pre_set_size(struct flt_callback_data *data,
		       const struct flt_related_objects *objects,
		       void **completion_context);
int crypt_post_set_size(struct flt_callback_data *data,
			const struct flt_related_objects *objects,
			void *completion_context, u32 flags);

/* crypt-convert.c */
s32 crypt_control_bypass_io(const struct flt_related_objects *objects,
			    u32 operation);
s32 crypt_status_of(int error);
s32 crypt_set_encryption(const struct flt_callback_data *data,
			 const struct flt_related_objects *objects);

#endif /* _CRYPT_H */
