// SPDX-License-Identifier: GPL-2.0
/*
 * The status table against protocol section 5, and the strings of a verdict
 * against the conventions of section 1.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "dm-bpio.h"

/* ---- section 5 ---------------------------------------------------------- */

struct status_row {
	const char *name;
	s32 status;
	u32 value;
	int error;
};

#define STATUS(_name, _value, _error) \
	{ "STATUS_" #_name, STATUS_##_name, _value, _error }

static const struct status_row statuses[] = {
	STATUS(SUCCESS, 0x00000000, 0),
	STATUS(PENDING, 0x00000103, EINPROGRESS),
	STATUS(BUFFER_OVERFLOW, 0x80000005, EOVERFLOW),
	STATUS(UNSUCCESSFUL, 0xC0000001, EIO),
	STATUS(INFO_LENGTH_MISMATCH, 0xC0000004, EINVAL),
	STATUS(INVALID_HANDLE, 0xC0000008, EBADF),
	STATUS(INVALID_PARAMETER, 0xC000000D, EINVAL),
	STATUS(INVALID_DEVICE_REQUEST, 0xC0000010, ENOTTY),
	STATUS(END_OF_FILE, 0xC0000011, ENODATA),
	STATUS(NONEXISTENT_SECTOR, 0xC0000015, ENXIO),
	STATUS(ACCESS_DENIED, 0xC0000022, EACCES),
	STATUS(BUFFER_TOO_SMALL, 0xC0000023, ERANGE),
	STATUS(DATA_OVERRUN, 0xC000003C, EOVERFLOW),
	STATUS(FILE_LOCK_CONFLICT, 0xC0000054, EAGAIN),
	STATUS(INSUFFICIENT_RESOURCES, 0xC000009A, ENOMEM),
	STATUS(MEDIA_WRITE_PROTECTED, 0xC00000A2, EROFS),
	STATUS(IO_TIMEOUT, 0xC00000B5, ETIMEDOUT),
	STATUS(NOT_SUPPORTED, 0xC00000BB, EOPNOTSUPP),
	STATUS(INVALID_PARAMETER_1, 0xC00000EF, EINVAL),
	STATUS(INVALID_PARAMETER_2, 0xC00000F0, EINVAL),
	STATUS(INVALID_PARAMETER_3, 0xC00000F1, EINVAL),
	STATUS(INVALID_PARAMETER_4, 0xC00000F2, EINVAL),
	STATUS(FILE_DELETED, 0xC0000123, ESTALE),
	STATUS(FILE_CLOSED, 0xC0000128, EBADF),
	STATUS(TOO_LATE, 0xC0000189, ESHUTDOWN),
	STATUS(INVALID_BUFFER_SIZE, 0xC0000206, EMSGSIZE),
	STATUS(VOLUME_DISMOUNTED, 0xC000026E, ENODEV),
	STATUS(BEYOND_VDL, 0xC0000432, EINVAL),
	STATUS(DEVICE_FEATURE_NOT_SUPPORTED, 0xC0000463, EOPNOTSUPP),
	STATUS(DEVICE_UNREACHABLE, 0xC0000464, EXDEV),
	STATUS(INVALID_TOKEN, 0xC0000465, EKEYEXPIRED),
	STATUS(COMPRESSED_FILE_NOT_SUPPORTED, 0xC000047B, EOPNOTSUPP),
	STATUS(DIRECTORY_NOT_SUPPORTED, 0xC000047C, EISDIR),
	STATUS(NOT_SUPPORTED_ON_DAX, 0xC000049A, EOPNOTSUPP),
	STATUS(ENCRYPTED_FILE_NOT_SUPPORTED, 0xC00004C3, EOPNOTSUPP),
	STATUS(SPARSE_FILE_NOT_SUPPORTED, 0xC00004C4, EOPNOTSUPP),
	STATUS(PAGEFILE_NOT_SUPPORTED, 0xC00004C5, ETXTBSY),
	STATUS(VOLUME_NOT_SUPPORTED, 0xC00004C6, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_BYPASSIO, 0xC00004C7, EBUSY),
	STATUS(NO_BYPASSIO_DRIVER_SUPPORT, 0xC00004C8, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_ENCRYPTION, 0xC00004C9, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_COMPRESSION, 0xC00004CA, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_REPLICATION, 0xC00004CB, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_DEDUPLICATION, 0xC00004CC, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_AUDITING, 0xC00004CD, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_MONITORING, 0xC00004CE, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_SNAPSHOT, 0xC00004CF, EOPNOTSUPP),
	STATUS(NOT_SUPPORTED_WITH_VIRTUALIZATION, 0xC00004D0, EOPNOTSUPP),
	STATUS(BYPASSIO_FLT_NOT_SUPPORTED, 0xC00004D2, EOPNOTSUPP),
	STATUS(OFFLOAD_READ_FLT_NOT_SUPPORTED, 0xC000A2A1, EOPNOTSUPP),
	STATUS(OFFLOAD_WRITE_FLT_NOT_SUPPORTED, 0xC000A2A2, EOPNOTSUPP),
	STATUS(OFFLOAD_READ_FILE_NOT_SUPPORTED, 0xC000A2A3, EOPNOTSUPP),
	STATUS(OFFLOAD_WRITE_FILE_NOT_SUPPORTED, 0xC000A2A4, EOPNOTSUPP),
	STATUS(FLT_INTERNAL_ERROR, 0xC01C000A, EIO),
	STATUS(FLT_INSTANCE_ALTITUDE_COLLISION, 0xC01C0011, EEXIST),
	STATUS(FLT_VOLUME_NOT_FOUND, 0xC01C0014, ENODEV),
};

static void status_desc(const struct status_row *row, char *desc)
{
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "5: %s", row->name);
}

KUNIT_ARRAY_PARAM(statuses, statuses, status_desc);

static void status_is_as_specified(struct kunit *test)
{
	const struct status_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, (u32)row->status, row->value);
	KUNIT_EXPECT_EQ(test, BPIO_NT_SEVERITY(row->status), row->value >> 30);
	KUNIT_EXPECT_STREQ(test, bpio_status_name(row->status), row->name);
	KUNIT_EXPECT_EQ(test, bpio_status_to_errno(row->status), -row->error);
}

/* Section 1: success is what is not negative; nothing is lost on the way. */
static void success_is_what_is_not_negative(struct kunit *test)
{
	const struct status_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, bpio_status_ok(row->status),
			row->value < 0x80000000);
	if (row->value >= 0x80000000)
		KUNIT_EXPECT_LT(test, bpio_status_to_errno(row->status), 0);
}

struct unknown_row {
	const char *name;
	u32 value;
	int error;
};

static const struct unknown_row unknowns[] = {
	{ "1: unknown success 0x00000001", 0x00000001, 0 },
	{ "1: unknown success 0x3FFFFFFF", 0x3FFFFFFF, 0 },
	{ "1: unknown information 0x40000000", 0x40000000, 0 },
	{ "1: unknown information 0x7FFFFFFF", 0x7FFFFFFF, 0 },
	{ "1: unknown warning 0x80000000", 0x80000000, -EIO },
	{ "1: unknown warning 0xBFFFFFFF", 0xBFFFFFFF, -EIO },
	{ "1: unknown error 0xC0000000", 0xC0000000, -EIO },
	{ "1: unknown error 0xC00004D1", 0xC00004D1, -EIO },
	{ "1: unknown error 0xFFFFFFFF", 0xFFFFFFFF, -EIO },
};

static void unknown_desc(const struct unknown_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(unknowns, unknowns, unknown_desc);

static void unknown_status_goes_by_severity(struct kunit *test)
{
	const struct unknown_row *row = test->param_value;

	KUNIT_EXPECT_STREQ(test, bpio_status_name(row->value), "STATUS_?");
	KUNIT_EXPECT_EQ(test, bpio_status_to_errno(row->value), row->error);
}

/* ---- from errno --------------------------------------------------------- */

struct errno_row {
	const char *name;
	int error;
	s32 status;
};

#define ERRNO(_error, _status) { #_error " is " #_status, -(_error), _status }

static const struct errno_row errnos[] = {
	{ "0 is STATUS_SUCCESS", 0, STATUS_SUCCESS },
	ERRNO(EIO, STATUS_UNSUCCESSFUL),
	ERRNO(EBADF, STATUS_INVALID_HANDLE),
	ERRNO(EINVAL, STATUS_INVALID_PARAMETER),
	ERRNO(ENOTTY, STATUS_INVALID_DEVICE_REQUEST),
	ERRNO(ENODATA, STATUS_END_OF_FILE),
	ERRNO(ENXIO, STATUS_NONEXISTENT_SECTOR),
	ERRNO(EACCES, STATUS_ACCESS_DENIED),
	ERRNO(EPERM, STATUS_ACCESS_DENIED),
	ERRNO(ERANGE, STATUS_BUFFER_TOO_SMALL),
	ERRNO(EAGAIN, STATUS_FILE_LOCK_CONFLICT),
	ERRNO(ENOMEM, STATUS_INSUFFICIENT_RESOURCES),
	ERRNO(EROFS, STATUS_MEDIA_WRITE_PROTECTED),
	ERRNO(ETIMEDOUT, STATUS_IO_TIMEOUT),
	ERRNO(EOPNOTSUPP, STATUS_NOT_SUPPORTED),
	ERRNO(ESTALE, STATUS_FILE_DELETED),
	ERRNO(ESHUTDOWN, STATUS_TOO_LATE),
	ERRNO(EMSGSIZE, STATUS_INVALID_BUFFER_SIZE),
	ERRNO(ENODEV, STATUS_VOLUME_DISMOUNTED),
	ERRNO(EXDEV, STATUS_DEVICE_UNREACHABLE),
	ERRNO(EKEYEXPIRED, STATUS_INVALID_TOKEN),
	ERRNO(EOVERFLOW, STATUS_BUFFER_OVERFLOW),
	ERRNO(EINTR, STATUS_UNSUCCESSFUL),
	ERRNO(ENOSPC, STATUS_UNSUCCESSFUL),
	ERRNO(EFAULT, STATUS_UNSUCCESSFUL),
	ERRNO(ERESTARTSYS, STATUS_UNSUCCESSFUL),
	ERRNO(MAX_ERRNO, STATUS_UNSUCCESSFUL),
};

static void errno_desc(const struct errno_row *row, char *desc)
{
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "5: %s", row->name);
}

KUNIT_ARRAY_PARAM(errnos, errnos, errno_desc);

static void errno_becomes_status(struct kunit *test)
{
	const struct errno_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, bpio_status_from_errno(row->error), row->status);
}

/* An error never turns into success, and what has a status comes back. */
static void errno_survives_the_round_trip(struct kunit *test)
{
	int error;

	for (error = 1; error <= MAX_ERRNO; error++) {
		s32 status = bpio_status_from_errno(-error);
		int back = bpio_status_to_errno(status);

		KUNIT_EXPECT_LT_MSG(test, back, 0, "errno %d", error);
		if (status != STATUS_UNSUCCESSFUL && error != EPERM)
			KUNIT_EXPECT_EQ_MSG(test, back, -error, "errno %d",
					    error);
	}
}

/* ---- statuses that a person typed --------------------------------------- */

struct word_row {
	const char *word;
	int error;
	u32 value;
};

static const struct word_row words[] = {
	{ "STATUS_SUCCESS", 0, 0 },
	{ "STATUS_NOT_SUPPORTED_WITH_ENCRYPTION", 0, 0xC00004C9 },
	{ "0xC00004C9", 0, 0xC00004C9 },
	{ "0xc00004c9", 0, 0xC00004C9 },
	{ "3221226697", 0, 0xC00004C9 },
	{ "-1073740599", 0, 0xC00004C9 },
	{ "0", 0, 0 },
	{ "4294967295", 0, 0xFFFFFFFF },
	{ "-2147483648", 0, 0x80000000 },
	{ "0x12345", 0, 0x00012345 },
	{ "", -EINVAL, 0 },
	{ "0x", -EINVAL, 0 },
	{ "STATUS_", -EINVAL, 0 },
	{ "STATUS_?", -EINVAL, 0 },
	{ "STATUS_NOT_SUPPORTED_WITH", -EINVAL, 0 },
	{ "status_success", -EINVAL, 0 },
	{ "4294967296", -EINVAL, 0 },
	{ "-2147483649", -EINVAL, 0 },
	{ "0xC00004C9 ", -EINVAL, 0 },
	{ "0xC00004C9x", -EINVAL, 0 },
};

static void word_desc(const struct word_row *row, char *desc)
{
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "veto message: \"%s\" is %s",
		  row->word, row->error ? "refused" : "taken");
}

KUNIT_ARRAY_PARAM(words, words, word_desc);

static void word_is_parsed(struct kunit *test)
{
	const struct word_row *row = test->param_value;
	s32 status = 0x5a5a5a5a;

	KUNIT_EXPECT_EQ(test, dm_bpio_status_parse(row->word, &status),
			row->error);
	if (!row->error)
		KUNIT_EXPECT_EQ(test, (u32)status, row->value);
}

/* ---- the strings of a verdict (section 1) -------------------------------- */

/* "a" fill times, then the text; what the last code units have to be. */
struct string_row {
	const char *name;
	unsigned int fill;
	const char *text;
	unsigned int max;	/* 32: driver name, 128: reason */
	unsigned int length;
	unsigned int nr_last;
	u16 last[6];
};

/* U+00E9, U+20AC and U+1F600, the last a pair in UTF-16 */
#define E_ACUTE	"\xc3\xa9"
#define EURO	"\xe2\x82\xac"
#define GRIN	"\xf0\x9f\x98\x80"

static const struct string_row strings[] = {
	{ "driver: empty", 0, "", 32, 0 },
	{ "driver: dm-bpio.ko", 0, "dm-bpio.ko", 32, 10,
	  3, { '.', 'k', 'o' } },
	{ "driver: 31 characters", 31, "", 32, 31, 1, { 'a' } },
	{ "driver: 32 characters fill it", 31, "z", 32, 32,
	  2, { 'a', 'z' } },
	{ "driver: 33 characters are cut to 32", 32, "z", 32, 32,
	  2, { 'a', 'a' } },
	{ "driver: pair fills 31 and 32", 30, GRIN, 32, 32,
	  3, { 'a', 0xd83d, 0xde00 } },
	{ "driver: pair across the edge is left out", 31, GRIN, 32, 31,
	  1, { 'a' } },
	{ "reason: empty", 0, "", 128, 0 },
	{ "reason: one character", 0, "x", 128, 1, 1, { 'x' } },
	{ "reason: 127 characters", 127, "", 128, 127, 1, { 'a' } },
	{ "reason: 128 characters fill it", 127, "z", 128, 128,
	  2, { 'a', 'z' } },
	{ "reason: 129 characters are cut to 128", 128, "z", 128, 128,
	  2, { 'a', 'a' } },
	{ "(7) reason: 200 characters are cut to 128", 200, "", 128, 128,
	  1, { 'a' } },
	{ "reason: 1000 characters are cut to 128", 1000, "", 128, 128,
	  1, { 'a' } },
	{ "reason: two bytes, one unit", 0, "caf" E_ACUTE, 128, 4,
	  2, { 'f', 0x00e9 } },
	{ "reason: three bytes, one unit", 0, "5 " EURO, 128, 3,
	  2, { ' ', 0x20ac } },
	{ "reason: four bytes, two units", 0, GRIN "!", 128, 3,
	  3, { 0xd83d, 0xde00, '!' } },
	{ "reason: U+007F and U+0080", 0, "\x7f\xc2\x80", 128, 2,
	  2, { 0x007f, 0x0080 } },
	{ "reason: U+07FF and U+0800", 0, "\xdf\xbf\xe0\xa0\x80", 128, 2,
	  2, { 0x07ff, 0x0800 } },
	{ "reason: U+D7FF and U+E000, around the surrogates", 0,
	  "\xed\x9f\xbf\xee\x80\x80", 128, 2, 2, { 0xd7ff, 0xe000 } },
	{ "reason: U+40000", 0, "\xf1\x80\x80\x80", 128, 2,
	  2, { 0xd8c0, 0xdc00 } },
	{ "reason: U+10FFFF", 0, "\xf4\x8f\xbf\xbf", 128, 2,
	  2, { 0xdbff, 0xdfff } },
	{ "reason: U+10000", 0, "\xf0\x90\x80\x80", 128, 2,
	  2, { 0xd800, 0xdc00 } },
	{ "reason: U+FFFF is no pair", 0, "\xef\xbf\xbf", 128, 1,
	  1, { 0xffff } },
	{ "reason: length counts units, not bytes", 126, EURO EURO, 128, 128,
	  3, { 'a', 0x20ac, 0x20ac } },
	{ "reason: pair fills 127 and 128", 126, GRIN, 128, 128,
	  3, { 'a', 0xd83d, 0xde00 } },
	{ "reason: pair across the edge is left out", 127, GRIN, 128, 127,
	  1, { 'a' } },
	{ "reason: nothing follows a pair that was left out", 127, GRIN "b",
	  128, 127, 1, { 'a' } },
	{ "reason: pair past the edge", 128, GRIN, 128, 128, 1, { 'a' } },
	{ "reason: one unit of two bytes at the edge", 127, E_ACUTE, 128, 128,
	  2, { 'a', 0x00e9 } },
	{ "not UTF-8: lone continuation byte", 0, "a\x80z", 128, 3,
	  3, { 'a', 0xfffd, 'z' } },
	{ "not UTF-8: cut short by the end", 0, "a\xe2\x82", 128, 3,
	  3, { 'a', 0xfffd, 0xfffd } },
	{ "not UTF-8: cut short by a character", 0, "\xf0\x9fz", 128, 3,
	  3, { 0xfffd, 0xfffd, 'z' } },
	{ "not UTF-8: overlong slash", 0, "\xc0\xaf", 128, 2,
	  2, { 0xfffd, 0xfffd } },
	{ "not UTF-8: overlong NUL", 0, "\xc0\x80z", 128, 3,
	  3, { 0xfffd, 0xfffd, 'z' } },
	{ "not UTF-8: overlong U+007F in two bytes", 0, "\xc1\xbf", 128, 2,
	  2, { 0xfffd, 0xfffd } },
	{ "not UTF-8: overlong U+07FF in three bytes", 0, "\xe0\x9f\xbf",
	  128, 3, 3, { 0xfffd, 0xfffd, 0xfffd } },
	{ "not UTF-8: overlong U+FFFF in four bytes", 0, "\xf0\x8f\xbf\xbf",
	  128, 4, 4, { 0xfffd, 0xfffd, 0xfffd, 0xfffd } },
	{ "not UTF-8: five bytes", 0, "\xf9\x80\x80\x80\x80", 128, 5,
	  5, { 0xfffd, 0xfffd, 0xfffd, 0xfffd, 0xfffd } },
	{ "not UTF-8: surrogate U+D800", 0, "\xed\xa0\x80", 128, 3,
	  3, { 0xfffd, 0xfffd, 0xfffd } },
	{ "not UTF-8: surrogate U+DFFF", 0, "\xed\xbf\xbf", 128, 3,
	  3, { 0xfffd, 0xfffd, 0xfffd } },
	{ "not UTF-8: U+110000", 0, "\xf4\x90\x80\x80", 128, 4,
	  4, { 0xfffd, 0xfffd, 0xfffd, 0xfffd } },
	{ "not UTF-8: bytes FE FF", 0, "\xfe\xff", 128, 2,
	  2, { 0xfffd, 0xfffd } },
};

static void string_desc(const struct string_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(strings, strings, string_desc);

static void string_is_stored(struct kunit *test)
{
	const struct string_row *row = test->param_value;
	const size_t size = row->fill + strlen(row->text) + 1;
	const bool driver = row->max == BPIO_DRIVER_NAME_CHARS;
	char *text = kunit_kzalloc(test, size, GFP_KERNEL);
	struct {
		struct bpio_results results;
		u8 beyond[8];
	} out;
	const u16 *units;
	unsigned int i, length;

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'a', row->fill);
	strscpy(text + row->fill, row->text, size - row->fill);

	memset(&out, 0xee, sizeof(out));
	bpio_results_set(&out.results, STATUS_NOT_SUPPORTED_WITH_AUDITING,
			 driver ? text : "d", driver ? "r" : text);
	KUNIT_EXPECT_EQ(test, out.results.op_status,
			STATUS_NOT_SUPPORTED_WITH_AUDITING);
	if (driver) {
		units = out.results.failing_driver_name;
		length = out.results.failing_driver_name_len;
		KUNIT_EXPECT_EQ(test, out.results.failure_reason_len, 1);
		KUNIT_EXPECT_EQ(test, out.results.failure_reason[0], 'r');
	} else {
		units = out.results.failure_reason;
		length = out.results.failure_reason_len;
		KUNIT_EXPECT_EQ(test, out.results.failing_driver_name_len, 1);
		KUNIT_EXPECT_EQ(test, out.results.failing_driver_name[0], 'd');
	}

	KUNIT_ASSERT_EQ(test, length, row->length);
	for (i = 0; i < row->nr_last; i++)
		KUNIT_EXPECT_EQ(test, units[length - row->nr_last + i],
				row->last[i]);
	for (i = 0; i < min(length, row->fill); i++)
		KUNIT_EXPECT_EQ(test, units[i], 'a');
	for (i = length; i < row->max; i++)	/* the tail is zero */
		KUNIT_EXPECT_EQ(test, units[i], 0);
	for (i = 0; i < sizeof(out.beyond); i++)
		KUNIT_EXPECT_EQ(test, out.beyond[i], 0xee);
}

/* R-FS-24: no objection is all zeros, whatever was there before. */
static void no_objection_is_all_zeros(struct kunit *test)
{
	static const struct bpio_results zeros;
	struct bpio_results results;

	memset(&results, 0xee, sizeof(results));
	bpio_results_set(&results, STATUS_SUCCESS, NULL, NULL);
	KUNIT_EXPECT_EQ(test, memcmp(&results, &zeros, sizeof(zeros)), 0);

	memset(&results, 0xee, sizeof(results));
	bpio_results_set(&results, STATUS_SUCCESS, "", "");
	KUNIT_EXPECT_EQ(test, memcmp(&results, &zeros, sizeof(zeros)), 0);
}

/* A short verdict leaves nothing of the long one before it. */
static void verdict_replaces_the_one_before(struct kunit *test)
{
	struct bpio_results results, fresh = {};

	bpio_results_set(&results, STATUS_NOT_SUPPORTED_WITH_ENCRYPTION,
			 "a-driver-with-a-long-name.ko",
			 "a reason that has a good many words to it");
	bpio_results_set(&results, STATUS_NOT_SUPPORTED, "b.ko", "short");
	bpio_results_set(&fresh, STATUS_NOT_SUPPORTED, "b.ko", "short");
	KUNIT_EXPECT_EQ(test, memcmp(&results, &fresh, sizeof(fresh)), 0);
}

static struct kunit_case status_cases[] = {
	KUNIT_CASE_PARAM(status_is_as_specified, statuses_gen_params),
	KUNIT_CASE_PARAM(success_is_what_is_not_negative, statuses_gen_params),
	KUNIT_CASE_PARAM(unknown_status_goes_by_severity, unknowns_gen_params),
	KUNIT_CASE_PARAM(errno_becomes_status, errnos_gen_params),
	KUNIT_CASE(errno_survives_the_round_trip),
	KUNIT_CASE_PARAM(word_is_parsed, words_gen_params),
	KUNIT_CASE_PARAM(string_is_stored, strings_gen_params), /* rules: 6 */
	KUNIT_CASE(no_objection_is_all_zeros),
	KUNIT_CASE(verdict_replaces_the_one_before),
	{}
};

static struct kunit_suite status_suite = {
	.name = "bpio_status",
	.test_cases = status_cases,
};

kunit_test_suite(status_suite);
