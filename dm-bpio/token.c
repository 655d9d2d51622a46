// SPDX-License-Identifier: GPL-2.0
/*
 * The 512 bytes of an offload token: classify, encode, check their form.
 * Pure: which tokens live, and the key of the HMAC, is token-store.c's affair.
 */
#include <linux/string.h>
#include <bpio/compat.h>
#include <bpio/token.h>

/**
 * bpio_token_kind - what a token claims to be
 * @raw: the 512 bytes
 *
 * Protocol 3.4.  Form A of the zero token is told by bytes 0-3 and 6-7 alone,
 * form B by its type and by the pattern at offset 4 or at offset 8; the sources
 * disagree on the place.  Any other well-known type, and form A with an odd
 * length, is nobody's: STATUS_INVALID_TOKEN.
 */
enum bpio_token_kind bpio_token_kind(const struct storage_offload_token *raw)
{
	u32 type = get_unaligned_be32(raw->token_type);
	u16 id_length = get_unaligned_be16(raw->token_id_length);
	u16 pattern;

	switch (type) {
	case STORAGE_OFFLOAD_TOKEN_TYPE_ZERO_DATA:
		return id_length == STORAGE_OFFLOAD_TOKEN_ID_LENGTH ?
			BPIO_TOKEN_ZERO : BPIO_TOKEN_FOREIGN;
	case STORAGE_OFFLOAD_TOKEN_TYPE_WELL_KNOWN:
		pattern = get_unaligned_be16(raw->reserved);
		if (pattern == STORAGE_OFFLOAD_PATTERN_ZERO ||
		    pattern ==
		    STORAGE_OFFLOAD_PATTERN_ZERO_WITH_PROTECTION_INFORMATION)
			return BPIO_TOKEN_ZERO;
		pattern = get_unaligned_be16(raw->token_id);
		if (pattern == STORAGE_OFFLOAD_PATTERN_ZERO ||
		    pattern ==
		    STORAGE_OFFLOAD_PATTERN_ZERO_WITH_PROTECTION_INFORMATION)
			return BPIO_TOKEN_ZERO;
		return BPIO_TOKEN_FOREIGN;
	case BPIO_TOKEN_TYPE:
		return id_length == STORAGE_OFFLOAD_TOKEN_ID_LENGTH ?
			BPIO_TOKEN_NATIVE : BPIO_TOKEN_FOREIGN;
	default:
		return BPIO_TOKEN_FOREIGN;
	}
}
EXPORT_SYMBOL_GPL(bpio_token_kind);

/**
 * bpio_token_zero - write a zero token, form A
 * @raw: the 512 bytes, all of them written
 */
void bpio_token_zero(struct storage_offload_token *raw)
{
	memset(raw, 0, sizeof(*raw));
	put_unaligned_be32(STORAGE_OFFLOAD_TOKEN_TYPE_ZERO_DATA,
			   raw->token_type);
	put_unaligned_be16(STORAGE_OFFLOAD_TOKEN_ID_LENGTH,
			   raw->token_id_length);
}
EXPORT_SYMBOL_GPL(bpio_token_zero);

/**
 * bpio_token_encode - write a token of our own, but for its HMAC
 * @raw: the 512 bytes, all of them written
 * @uuid: 16 bytes, the copy manager
 * @id: 16 bytes, key of the issuer's table
 * @length: bytes that the token stands for
 */
void bpio_token_encode(struct storage_offload_token *raw, const u8 *uuid,
		       const u8 *id, u64 length)
{
	struct bpio_token_body *body = (struct bpio_token_body *)raw;

	memset(body, 0, sizeof(*body));
	put_unaligned_be32(BPIO_TOKEN_TYPE, body->type);
	put_unaligned_be16(STORAGE_OFFLOAD_TOKEN_ID_LENGTH, body->id_length);
	memcpy(body->uuid, uuid, BPIO_TOKEN_UUID_LENGTH);
	memcpy(body->id, id, BPIO_TOKEN_ID_LENGTH);
	body->length = cpu_to_le64(length);
}
BPIO_EXPORT_FOR_KUNIT(bpio_token_encode);

/**
 * bpio_token_well_formed - has a native token the form that we emit
 * @raw: the 512 bytes
 *
 * Everything that can be judged without the HMAC key: the type, the length
 * field and the 432 zero bytes.  Bytes 4-5 are reserved and ignored.
 */
bool bpio_token_well_formed(const struct storage_offload_token *raw)
{
	const struct bpio_token_body *body =
		(const struct bpio_token_body *)raw;

	return bpio_token_kind(raw) == BPIO_TOKEN_NATIVE &&
	       !memchr_inv(body->zero, 0, sizeof(body->zero));
}
BPIO_EXPORT_FOR_KUNIT(bpio_token_well_formed);
