// SPDX-License-Identifier: GPL-2.0
/*
 * How a file is encrypted: with AES-256-XTS, a unit of CRYPT_UNIT bytes at a
 * time, its number and a nonce of the file being the tweak.  Each block of 16
 * bytes is encrypted alike wherever the file ends.
 *
 * - A block of zeros below is a hole, and is zeros above.
 * - What lies behind the last whole block, up to 15 bytes, is combined with a
 *   key stream that is the same for every version of these bytes.  Weak, but
 *   keeps the length of the file.
 * - Nothing is authenticated.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "crypt.h"

/* Tweaks beside the units' numbers: of key streams, and of the key check. */
#define TWEAK_TAIL	BIT_ULL(63)
#define TWEAK_CHECK	U64_MAX

static struct crypto_skcipher *cipher;

void crypt_free_buffer(struct crypt_buffer *b)
{
	if (!b)
		return;
	skcipher_request_free(b->request);
	kvfree_sensitive(b->data, b->scratch + CRYPT_UNIT - b->data);
	kfree_sensitive(b);
}

/* For bytes @start to @end of the file; zeroed. */
struct crypt_buffer *crypt_new_buffer(const struct crypt_stream *s,
				      loff_t start, loff_t end)
{
	struct crypt_buffer *b = kzalloc(sizeof(*b), GFP_KERNEL);
	size_t size;

	if (!b)
		return NULL;
	b->stream = s;
	b->base = round_down(start, CRYPT_UNIT);
	size = round_up(end - b->base, CRYPT_UNIT);
	b->request = skcipher_request_alloc(cipher, GFP_KERNEL);
	b->data = kvzalloc(size + CRYPT_UNIT, GFP_KERNEL);
	if (!b->request || !b->data) {
		skcipher_request_free(b->request);
		kvfree(b->data);
		kfree(b);
		return NULL;
	}
	b->scratch = b->data + size;
	return b;
}

static int run_cipher(struct crypt_buffer *b, bool encrypt,
		      struct scatterlist *sg, unsigned int length, u64 number)
{
	const __le64 le_number = cpu_to_le64(number);
	DECLARE_CRYPTO_WAIT(wait);

	memcpy(b->tweak, &le_number, 8);
	memcpy(b->tweak + 8, b->stream->nonce, 8);
	skcipher_request_set_callback(b->request,
				      CRYPTO_TFM_REQ_MAY_BACKLOG |
				      CRYPTO_TFM_REQ_MAY_SLEEP,
				      crypto_req_done, &wait);
	skcipher_request_set_crypt(b->request, sg, sg, length, b->tweak);
	return crypto_wait_req(encrypt ? crypto_skcipher_encrypt(b->request) :
					 crypto_skcipher_decrypt(b->request),
			       &wait);
}

/*
 * Whole blocks of one unit, from byte @start to @end of the file.  The cipher
 * begins with the unit, so what lies in front is done too, elsewhere.
 */
static int crypt_unit(struct crypt_buffer *b, bool encrypt, loff_t start,
		      loff_t end)
{
	const unsigned int nr = (end - start) / CRYPT_BLOCK;
	const unsigned int skip = start % CRYPT_UNIT;
	DECLARE_BITMAP(holes, CRYPT_UNIT / CRYPT_BLOCK) = {};
	struct scatterlist sg[2], *last = sg;
	u8 *p = crypt_at(b, start);
	unsigned int i;
	int ret;

	if (!encrypt)
		for (i = 0; i < nr; i++)
			if (!memchr_inv(p + i * CRYPT_BLOCK, 0, CRYPT_BLOCK))
				__set_bit(i, holes);
	sg_init_table(sg, skip ? 2 : 1);
	if (skip)
		sg_set_page(last++, crypt_page_of(b->scratch), skip,
			    offset_in_page(b->scratch));
	sg_set_page(last, crypt_page_of(p), end - start, offset_in_page(p));
	ret = run_cipher(b, encrypt, sg, skip + end - start,
			 start / CRYPT_UNIT);
	if (ret)
		return ret;
	for_each_set_bit(i, holes, nr)
		memset(p + i * CRYPT_BLOCK, 0, CRYPT_BLOCK);
	return 0;
}

/*
 * The @n < CRYPT_BLOCK bytes behind the last whole block, in either direction.
 * Zeros stay zeros, so that a file can grow by a hole; for that what would
 * become zeros stays what it is.
 */
static int crypt_tail(struct crypt_buffer *b, loff_t pos, unsigned int n)
{
	struct scatterlist sg;
	u8 *p = crypt_at(b, pos);
	unsigned int i;
	int ret;

	memset(b->block, 0, CRYPT_BLOCK);
	sg_init_one(&sg, b->block, CRYPT_BLOCK);
	ret = run_cipher(b, true, &sg, CRYPT_BLOCK,
			 TWEAK_TAIL | pos / CRYPT_BLOCK);
	if (ret)
		return ret;
	if (!memchr_inv(p, 0, n) || !memcmp(p, b->block, n))
		return 0;
	for (i = 0; i < n; i++)
		p[i] ^= b->block[i];
	return 0;
}

/* @start is at a block, @end too or at the end of the file. */
int crypt_range(struct crypt_buffer *b, bool encrypt, loff_t start, loff_t end)
{
	const loff_t whole = round_down(end, CRYPT_BLOCK);
	loff_t next;
	int ret;

	for (; start < whole; start = next) {
		next = min_t(u64, whole,
			     round_down(start, CRYPT_UNIT) + (u64)CRYPT_UNIT);
		ret = crypt_unit(b, encrypt, start, next);
		if (ret)
			return ret;
	}
	return whole < end ? crypt_tail(b, whole, end - whole) : 0;
}

/* A value that tells the key, for the nonce of @s. */
int crypt_make_check(const struct crypt_stream *s, u8 check[8])
{
	struct crypt_buffer *b = crypt_new_buffer(s, 0, 0);
	struct scatterlist sg;
	int ret;

	if (!b)
		return -ENOMEM;
	sg_init_one(&sg, b->block, CRYPT_BLOCK);
	ret = run_cipher(b, true, &sg, CRYPT_BLOCK, TWEAK_CHECK);
	memcpy(check, b->block, 8);
	crypt_free_buffer(b);
	return ret;
}

static int set_key(const char *key)
{
	u8 bytes[CRYPT_KEY_SIZE];
	int ret;

	if (strlen(key) != 2 * CRYPT_KEY_SIZE ||
	    hex2bin(bytes, key, CRYPT_KEY_SIZE)) {
		pr_err("key= takes %u hexadecimal digits\n",
		       2 * CRYPT_KEY_SIZE);
		return -EINVAL;
	}
	/* Not with two halves that are the same. */
	crypto_skcipher_set_flags(cipher, CRYPTO_TFM_REQ_FORBID_WEAK_KEYS);
	ret = crypto_skcipher_setkey(cipher, bytes, CRYPT_KEY_SIZE);
	memzero_explicit(bytes, sizeof(bytes));
	return ret;
}

int crypt_cipher_init(const char *key)
{
	int ret;

	cipher = crypto_alloc_skcipher("xts(aes)", 0, 0);
	if (IS_ERR(cipher))
		return PTR_ERR(cipher);
	ret = set_key(key);
	if (ret)
		crypto_free_skcipher(cipher);
	return ret;
}

void crypt_cipher_exit(void)
{
	crypto_free_skcipher(cipher);
}
