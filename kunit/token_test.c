// SPDX-License-Identifier: GPL-2.0
/*
 * The 512 bytes of a token: classification and layout, after protocol 3.4.
 */
#include <kunit/test.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include <bpio/token.h>

static const u8 test_uuid[BPIO_TOKEN_UUID_LENGTH] = {
	0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
	0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
};

static const u8 test_id[BPIO_TOKEN_ID_LENGTH] = {
	0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7,
	0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf,
};

struct kind_case {
	const char *name;
	u8 head[12];
	u8 last;		/* byte 511 */
	enum bpio_token_kind kind;
};

static const struct kind_case kind_cases[] = {
	/* 3.4, form A: bytes 0-3 and 6-7 decide */
	{ "(135) form_a_is_zero",
	  { 0xff, 0xff, 0x00, 0x01, 0, 0, 0x01, 0xf8 }, 0, BPIO_TOKEN_ZERO },
	{ "form_a_reserved_bytes_do_not_matter",
	  { 0xff, 0xff, 0x00, 0x01, 0xde, 0xad, 0x01, 0xf8 }, 0,
	  BPIO_TOKEN_ZERO },
	{ "form_a_payload_does_not_matter",
	  { 0xff, 0xff, 0x00, 0x01, 0, 0, 0x01, 0xf8, 1, 2, 3, 4 }, 0xff,
	  BPIO_TOKEN_ZERO },
	{ "form_a_length_0x1f7_is_foreign",
	  { 0xff, 0xff, 0x00, 0x01, 0, 0, 0x01, 0xf7 }, 0,
	  BPIO_TOKEN_FOREIGN },
	{ "form_a_length_0_is_foreign",
	  { 0xff, 0xff, 0x00, 0x01 }, 0, BPIO_TOKEN_FOREIGN },
	{ "form_a_length_little_endian_is_foreign",
	  { 0xff, 0xff, 0x00, 0x01, 0, 0, 0xf8, 0x01 }, 0,
	  BPIO_TOKEN_FOREIGN },
	{ "form_a_type_little_endian_is_foreign",
	  { 0x01, 0x00, 0xff, 0xff, 0, 0, 0x01, 0xf8 }, 0,
	  BPIO_TOKEN_FOREIGN },
	/* 3.4, form B: pattern 1 or 2, at offset 4 or at offset 8 */
	{ "(135) form_b_zero_at_4_is_zero",
	  { 0xff, 0xff, 0xff, 0xff, 0x00, 0x01 }, 0, BPIO_TOKEN_ZERO },
	{ "form_b_zero_with_pi_at_4_is_zero",
	  { 0xff, 0xff, 0xff, 0xff, 0x00, 0x02 }, 0, BPIO_TOKEN_ZERO },
	{ "(135) form_b_zero_at_8_is_zero",
	  { 0xff, 0xff, 0xff, 0xff, 0, 0, 0x01, 0xf8, 0x00, 0x01 }, 0,
	  BPIO_TOKEN_ZERO },
	{ "form_b_zero_with_pi_at_8_is_zero",
	  { 0xff, 0xff, 0xff, 0xff, 0, 0, 0x01, 0xf8, 0x00, 0x02 }, 0,
	  BPIO_TOKEN_ZERO },
	{ "form_b_other_length_is_zero",
	  { 0xff, 0xff, 0xff, 0xff, 0x00, 0x01, 0x00, 0x02 }, 0,
	  BPIO_TOKEN_ZERO },
	{ "form_b_pattern_little_endian_is_foreign",
	  { 0xff, 0xff, 0xff, 0xff, 0x01, 0x00 }, 0, BPIO_TOKEN_FOREIGN },
	{ "form_b_pattern_3_is_foreign",
	  { 0xff, 0xff, 0xff, 0xff, 0x00, 0x03 }, 0, BPIO_TOKEN_FOREIGN },
	{ "form_b_without_pattern_is_foreign",
	  { 0xff, 0xff, 0xff, 0xff, 0, 0, 0x01, 0xf8 }, 0,
	  BPIO_TOKEN_FOREIGN },
	/* 3.4: 0xFFFF0002-0xFFFFFFFF are reserved */
	{ "(136) reserved_type_is_foreign",
	  { 0xff, 0xff, 0x00, 0x02, 0, 0, 0x01, 0xf8 }, 0,
	  BPIO_TOKEN_FOREIGN },
	/* 3.4, vendor format: 0x42504F01 is ours */
	{ "our_type_is_native",
	  { 0x42, 0x50, 0x4f, 0x01, 0, 0, 0x01, 0xf8 }, 0,
	  BPIO_TOKEN_NATIVE },
	{ "our_type_reserved_bytes_are_ignored",
	  { 0x42, 0x50, 0x4f, 0x01, 0xff, 0xff, 0x01, 0xf8 }, 0,
	  BPIO_TOKEN_NATIVE },
	{ "our_type_other_length_is_foreign",
	  { 0x42, 0x50, 0x4f, 0x01, 0, 0, 0x01, 0xf9 }, 0,
	  BPIO_TOKEN_FOREIGN },
	{ "our_type_next_version_is_foreign",
	  { 0x42, 0x50, 0x4f, 0x02, 0, 0, 0x01, 0xf8 }, 0,
	  BPIO_TOKEN_FOREIGN },
	{ "all_zero_bytes_are_foreign", { 0 }, 0, BPIO_TOKEN_FOREIGN },
	{ "other_vendor_is_foreign",
	  { 0x12, 0x34, 0x56, 0x78, 0, 0, 0x01, 0xf8 }, 0,
	  BPIO_TOKEN_FOREIGN },
};

static void kind_desc(const struct kind_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kind_cases, kind_desc);

static void kind_told_by_type_and_length(struct kunit *test)
{
	const struct kind_case *c = test->param_value;
	struct storage_offload_token raw = { };

	memcpy(&raw, c->head, sizeof(c->head));
	((u8 *)&raw)[sizeof(raw) - 1] = c->last;
	KUNIT_EXPECT_EQ(test, bpio_token_kind(&raw), c->kind);
}

/* 3.4: form A is the one to emit */
static void zero_emits_form_a(struct kunit *test)
{
	static const u8 head[] = { 0xff, 0xff, 0, 1, 0, 0, 0x01, 0xf8 };
	struct storage_offload_token raw;

	memset(&raw, 0x5a, sizeof(raw));
	bpio_token_zero(&raw);
	KUNIT_EXPECT_EQ(test, memcmp(&raw, head, sizeof(head)), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(raw.token_id, 0,
					   sizeof(raw.token_id)));
	KUNIT_EXPECT_EQ(test, bpio_token_kind(&raw), BPIO_TOKEN_ZERO);
}

/* 3.4, vendor token content: every field at its offset */
static void encode_places_every_field(struct kunit *test)
{
	static const u8 head[] = { 0x42, 0x50, 0x4f, 0x01, 0, 0, 0x01, 0xf8 };
	static const u8 length[] = { 0x08, 0x07, 0x06, 0x05,
				     0x04, 0x03, 0x02, 0x01 };
	struct storage_offload_token raw;
	const u8 *byte = (const u8 *)&raw;

	memset(&raw, 0x5a, sizeof(raw));
	bpio_token_encode(&raw, test_uuid, test_id, 0x0102030405060708ull);
	KUNIT_EXPECT_EQ(test, memcmp(byte, head, 8), 0);
	KUNIT_EXPECT_EQ(test, memcmp(byte + 0x08, test_uuid, 16), 0);
	KUNIT_EXPECT_EQ(test, memcmp(byte + 0x18, test_id, 16), 0);
	KUNIT_EXPECT_EQ(test, memcmp(byte + 0x28, length, 8), 0);
	/* the HMAC is the store's to fill, the rest is zero */
	KUNIT_EXPECT_NULL(test, memchr_inv(byte + 0x30, 0, 512 - 0x30));
	KUNIT_EXPECT_TRUE(test, bpio_token_well_formed(&raw));
}

struct altered_case {
	const char *name;
	unsigned int from, to;	/* bytes, inclusive */
	bool well_formed;	/* as far as can be told without the key */
};

static const struct altered_case altered_cases[] = {
	/* TK-8: altered in any byte is invalid; 1.8: but for bytes 4-5 */
	{ "(136) type", 0, 3, false },
	{ "reserved_is_ignored", 4, 5, true },
	{ "(136) id_length", 6, 7, false },
	/* what the HMAC covers, and the HMAC */
	{ "signed_is_left_to_the_hmac", 0x08, 0x2f, true },
	{ "hmac_is_left_to_the_store", 0x30, 0x4f, true },
	/* the 432 zero bytes are not under the HMAC */
	{ "(136) zero_tail", 0x50, 0x1ff, false },
};

static void altered_desc(const struct altered_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(altered, altered_cases, altered_desc);

static void altered_byte_noticed(struct kunit *test)
{
	const struct altered_case *c = test->param_value;
	struct storage_offload_token raw;
	unsigned int i, bit;

	bpio_token_encode(&raw, test_uuid, test_id, 4096);
	for (i = c->from; i <= c->to; i++) {
		for (bit = 0; bit < 8; bit++) {
			((u8 *)&raw)[i] ^= 1 << bit;
			KUNIT_EXPECT_EQ_MSG(test, bpio_token_well_formed(&raw),
					    c->well_formed, "byte %u bit %u",
					    i, bit);
			((u8 *)&raw)[i] ^= 1 << bit;
		}
	}
}

/* A zero token is not one of ours to look up. */
static void zero_token_not_native(struct kunit *test)
{
	struct storage_offload_token raw;

	bpio_token_zero(&raw);
	KUNIT_EXPECT_FALSE(test, bpio_token_well_formed(&raw));
}

static struct kunit_case token_cases[] = {
	KUNIT_CASE_PARAM(kind_told_by_type_and_length, kind_gen_params),
	KUNIT_CASE(zero_emits_form_a),
	KUNIT_CASE(encode_places_every_field),
	KUNIT_CASE_PARAM(altered_byte_noticed, altered_gen_params),
	KUNIT_CASE(zero_token_not_native),
	{ }
};

static struct kunit_suite token_suite = {
	.name = "dm_bpio_token",
	.test_cases = token_cases,
};

kunit_test_suites(&token_suite);
