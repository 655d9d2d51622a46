// SPDX-License-Identifier: GPL-2.0
/*
 * Takes an offload token apart for a person to look at.  Grants nothing and
 * checks no seal: only the issuer can.
 */
#include <endian.h>
#include <string.h>

#include "bpio.h"

/* Layout of a dm-bpio token; everything from here on is its token_id. */
struct vendor_id {
	uint8_t issuer[16];
	uint8_t id[16];
	uint64_t represented_length_le;
	uint8_t hmac[32];
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool is_zero_pattern(uint16_t pattern)
{
	return pattern == STORAGE_OFFLOAD_PATTERN_ZERO ||
	       pattern ==
		       STORAGE_OFFLOAD_PATTERN_ZERO_WITH_PROTECTION_INFORMATION;
}

static enum bpio_token_kind classify(const struct storage_offload_token *raw,
				     struct bpio_token *token)
{
	if (token->type == STORAGE_OFFLOAD_TOKEN_TYPE_ZERO_DATA)
		return token->id_length == STORAGE_OFFLOAD_TOKEN_ID_LENGTH ?
			       BPIO_TOKEN_ZERO :
			       BPIO_TOKEN_MALFORMED;
	if (token->type == STORAGE_OFFLOAD_TOKEN_TYPE_WELL_KNOWN) {
		/* Sources disagree on the place: behind the type, or in the id. */
		token->pattern = be16(raw->reserved);
		if (is_zero_pattern(token->pattern))
			return BPIO_TOKEN_ZERO_PATTERN;
		token->pattern = be16(raw->token_id);
		if (is_zero_pattern(token->pattern))
			return BPIO_TOKEN_ZERO_PATTERN;
		token->pattern = 0;
		return BPIO_TOKEN_RESERVED;
	}
	if (token->type > STORAGE_OFFLOAD_TOKEN_TYPE_ZERO_DATA)
		return BPIO_TOKEN_RESERVED;
	if (token->type == BPIO_TOKEN_TYPE_VENDOR &&
	    token->id_length == STORAGE_OFFLOAD_TOKEN_ID_LENGTH)
		return BPIO_TOKEN_BPIO;
	return BPIO_TOKEN_FOREIGN;
}

void bpio_token_decode(const struct storage_offload_token *raw,
		       struct bpio_token *token)
{
	struct vendor_id vendor;

	memset(token, 0, sizeof(*token));
	token->type = be32(raw->token_type);
	token->id_length = be16(raw->token_id_length);
	token->kind = classify(raw, token);
	if (token->kind != BPIO_TOKEN_BPIO)
		return;
	memcpy(&vendor, raw->token_id, sizeof(vendor));
	memcpy(token->issuer, vendor.issuer, sizeof(token->issuer));
	memcpy(token->id, vendor.id, sizeof(token->id));
	token->represented_length = le64toh(vendor.represented_length_le);
	memcpy(token->hmac, vendor.hmac, sizeof(token->hmac));
}
