/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 512 bytes of an offload token: what they mean, and nothing about which
 * tokens live.  Pure: the HMAC key and the identities arrive as arguments.
 */
#ifndef _BPIO_TOKEN_H
#define _BPIO_TOKEN_H

#include <linux/types.h>
#include <linux/bpio.h>

#define BPIO_TOKEN_TYPE		0x42504F01	/* "BPO", version 1; big endian */
#define BPIO_TOKEN_UUID_LENGTH	16
#define BPIO_TOKEN_ID_LENGTH	16
#define BPIO_TOKEN_HMAC_LENGTH	32
#define BPIO_TOKEN_SIGNED	48	/* bytes under the HMAC: 0-47 */

enum bpio_token_kind {
	BPIO_TOKEN_ZERO,	/* a zero token, form A or B (3.4) */
	BPIO_TOKEN_NATIVE,	/* our vendor type; still to be looked up */
	BPIO_TOKEN_FOREIGN,	/* another vendor's, or malformed */
};

/* The vendor content of protocol 3.4; offsets from the token's start. */
struct bpio_token_body {
	__u8 type[4];			/* 0x00 BPIO_TOKEN_TYPE, big endian */
	__u8 reserved[2];		/* 0x04 */
	__u8 id_length[2];		/* 0x06 0x01F8, big endian */
	__u8 uuid[BPIO_TOKEN_UUID_LENGTH];	/* 0x08 copy manager */
	__u8 id[BPIO_TOKEN_ID_LENGTH];	/* 0x18 key of the issuer's table */
	__le64 length;			/* 0x28 bytes, informative */
	__u8 hmac[BPIO_TOKEN_HMAC_LENGTH];	/* 0x30 HMAC-SHA256 of 0x00-0x2f */
	__u8 zero[432];			/* 0x50 */
} __packed;

__BPIO_SIZE(bpio_token_body, STORAGE_OFFLOAD_MAX_TOKEN_LENGTH);
__BPIO_AT(bpio_token_body, uuid, 0x08);
__BPIO_AT(bpio_token_body, id, 0x18);
__BPIO_AT(bpio_token_body, length, 0x28);
__BPIO_AT(bpio_token_body, hmac, 0x30);
__BPIO_AT(bpio_token_body, zero, 0x50);

enum bpio_token_kind bpio_token_kind(const struct storage_offload_token *raw);
void bpio_token_zero(struct storage_offload_token *raw);
void bpio_token_encode(struct storage_offload_token *raw, const u8 *uuid,
		       const u8 *id, u64 length);
bool bpio_token_well_formed(const struct storage_offload_token *raw);

#endif /* _BPIO_TOKEN_H */
