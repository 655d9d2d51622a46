// SPDX-License-Identifier: GPL-2.0
/*
 * What IOCTL_STORAGE_MANAGE_BYPASS_IO refuses, and in which order: steps 1 to
 * 7 of protocol section 8.  Each row changes a good request.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include "dm-bpio.h"

enum request_field {
	UNCHANGED,
	INPUT_LENGTH,
	OUTPUT_LENGTH,
	USER_MODE,
	VERSION,
	SIZE,
	OPERATION,
	IN_FLAGS,
	RESERVED2,
};

struct change {
	enum request_field field;
	u64 value;
};

struct request {
	struct bpio_input input;
	u32 input_length;
	u32 output_length;
	bool user_mode;
};

static const struct request good_request = {
	.input = { .version = 24, .size = 24, .operation = BPIO_OP_QUERY },
	.input_length = 24,
	.output_length = 352,
};

static void apply(struct request *req, const struct change *change)
{
	switch (change->field) {
	case UNCHANGED:
		break;
	case INPUT_LENGTH:
		req->input_length = change->value;
		break;
	case OUTPUT_LENGTH:
		req->output_length = change->value;
		break;
	case USER_MODE:
		req->user_mode = change->value;
		break;
	case VERSION:
		req->input.version = change->value;
		break;
	case SIZE:
		req->input.size = change->value;
		break;
	case OPERATION:
		req->input.operation = change->value;
		break;
	case IN_FLAGS:
		req->input.in_flags = change->value;
		break;
	case RESERVED2:
		req->input.reserved2 = change->value;
		break;
	}
}

/* The input lies in a buffer of its length, so that KASAN sees a look past it. */
static s32 check(struct kunit *test, const struct request *req)
{
	const size_t length = min_t(size_t, req->input_length, SZ_4K);
	void *input = NULL;

	if (length) {
		input = kunit_kzalloc(test, length, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, input);
		memcpy(input, &req->input, min(length, sizeof(req->input)));
	}
	return dm_bpio_check_manage_bypass_io(input, req->input_length,
					      req->output_length,
					      req->user_mode);
}

struct check_row {
	const char *name;
	struct change change[3];
	s32 status;
};

static const struct check_row check_rows[] = {
	{ "good: QUERY", {}, STATUS_SUCCESS },
	{ "good: ENABLE", { { OPERATION, 1 } }, STATUS_SUCCESS },
	{ "good: DISABLE", { { OPERATION, 2 } }, STATUS_SUCCESS },
	{ "good: longer buffers (1.1)",
	  { { INPUT_LENGTH, 4096 }, { OUTPUT_LENGTH, 4096 } }, STATUS_SUCCESS },
	{ "good: lengths of 32 bits",
	  { { INPUT_LENGTH, U32_MAX }, { OUTPUT_LENGTH, U32_MAX } },
	  STATUS_SUCCESS },

	{ "step 1: ENABLE from user mode",
	  { { USER_MODE, 1 }, { OPERATION, 1 } }, STATUS_ACCESS_DENIED },
	{ "step 1: DISABLE from user mode",
	  { { USER_MODE, 1 }, { OPERATION, 2 } }, STATUS_ACCESS_DENIED },
	{ "step 1: QUERY from user mode is allowed",
	  { { USER_MODE, 1 } }, STATUS_SUCCESS },
	{ "step 1: no other operation from user mode",
	  { { USER_MODE, 1 }, { OPERATION, 4 } }, STATUS_INVALID_PARAMETER },
	{ "step 1: ENABLE from user mode, input ends behind Operation",
	  { { USER_MODE, 1 }, { OPERATION, 1 }, { INPUT_LENGTH, 12 } },
	  STATUS_ACCESS_DENIED },
	{ "step 1: input too short for an Operation",
	  { { USER_MODE, 1 }, { OPERATION, 1 }, { INPUT_LENGTH, 11 } },
	  STATUS_INFO_LENGTH_MISMATCH },
	{ "step 1: no input at all from user mode",
	  { { USER_MODE, 1 }, { INPUT_LENGTH, 0 } },
	  STATUS_INFO_LENGTH_MISMATCH },

	{ "(106) step 2: input 23", { { INPUT_LENGTH, 23 } },
	  STATUS_INFO_LENGTH_MISMATCH },
	{ "step 2: input 1", { { INPUT_LENGTH, 1 } },
	  STATUS_INFO_LENGTH_MISMATCH },
	{ "step 2: input 0", { { INPUT_LENGTH, 0 } },
	  STATUS_INFO_LENGTH_MISMATCH },
	{ "step 2: input 25 is enough", { { INPUT_LENGTH, 25 } },
	  STATUS_SUCCESS },

	{ "(107) step 3: output 351", { { OUTPUT_LENGTH, 351 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "step 3: output 0", { { OUTPUT_LENGTH, 0 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "step 3: output 24 is not enough for DISABLE",
	  { { OPERATION, 2 }, { OUTPUT_LENGTH, 24 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "step 3: output 353 is enough", { { OUTPUT_LENGTH, 353 } },
	  STATUS_SUCCESS },

	{ "(108) step 4: Version 23", { { VERSION, 23 } }, STATUS_INVALID_PARAMETER },
	{ "step 4: Version 25", { { VERSION, 25 } }, STATUS_INVALID_PARAMETER },
	{ "step 4: Version 0", { { VERSION, 0 } }, STATUS_INVALID_PARAMETER },
	{ "step 4: Version 352", { { VERSION, 352 } },
	  STATUS_INVALID_PARAMETER },

	{ "step 5: Size 23", { { SIZE, 23 } }, STATUS_INFO_LENGTH_MISMATCH },
	{ "step 5: Size 0", { { SIZE, 0 } }, STATUS_INFO_LENGTH_MISMATCH },
	{ "step 5: Size 25 of input 24", { { SIZE, 25 } },
	  STATUS_INFO_LENGTH_MISMATCH },
	{ "step 5: Size 0xFFFFFFFF", { { SIZE, U32_MAX } },
	  STATUS_INFO_LENGTH_MISMATCH },
	{ "step 5: Size 25 of input 25",
	  { { SIZE, 25 }, { INPUT_LENGTH, 25 } }, STATUS_SUCCESS },
	{ "step 5: Size 24 of input 32", { { INPUT_LENGTH, 32 } },
	  STATUS_SUCCESS },

	{ "(108) step 6: Operation 0", { { OPERATION, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "(108) step 6: Operation 4", { { OPERATION, 4 } },
	  STATUS_INVALID_PARAMETER },
	{ "step 6: Operation 8, GET_INFO of the other interface",
	  { { OPERATION, 8 } }, STATUS_INVALID_PARAMETER },
	{ "step 6: Operation 0xFFFFFFFF", { { OPERATION, U32_MAX } },
	  STATUS_INVALID_PARAMETER },

	{ "(108) step 7: InFlags 1", { { IN_FLAGS, 1 } }, STATUS_INVALID_PARAMETER },
	{ "step 7: InFlags 0x80000000", { { IN_FLAGS, 0x80000000 } },
	  STATUS_INVALID_PARAMETER },
	{ "(108) step 7: Reserved2 1", { { RESERVED2, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "step 7: Reserved2 1 << 63", { { RESERVED2, BIT_ULL(63) } },
	  STATUS_INVALID_PARAMETER },
};

static void check_row_desc(const struct check_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(check, check_rows, check_row_desc);

static void request_is_judged(struct kunit *test)
{
	const struct check_row *row = test->param_value;
	struct request req = good_request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row->change); i++)
		apply(&req, &row->change[i]);
	KUNIT_EXPECT_EQ(test, check(test, &req), row->status);
}

/* In the order of the steps. */
static const struct check_row faults[] = {
	{ "step 1: ENABLE from user mode",
	  { { USER_MODE, 1 }, { OPERATION, 1 } }, STATUS_ACCESS_DENIED },
	{ "(106) step 2: input 23", { { INPUT_LENGTH, 23 } },
	  STATUS_INFO_LENGTH_MISMATCH },
	{ "(107) step 3: output 351", { { OUTPUT_LENGTH, 351 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "(108) step 4: Version 23", { { VERSION, 23 } }, STATUS_INVALID_PARAMETER },
	{ "step 5: Size 23", { { SIZE, 23 } }, STATUS_INFO_LENGTH_MISMATCH },
	{ "step 5: Size 25", { { SIZE, 25 } }, STATUS_INFO_LENGTH_MISMATCH },
	{ "(108) step 6: Operation 0", { { OPERATION, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "(108) step 6: Operation 4", { { OPERATION, 4 } },
	  STATUS_INVALID_PARAMETER },
	{ "(108) step 7: InFlags 1", { { IN_FLAGS, 1 } }, STATUS_INVALID_PARAMETER },
	{ "(108) step 7: Reserved2 1", { { RESERVED2, 1 } },
	  STATUS_INVALID_PARAMETER },
};

KUNIT_ARRAY_PARAM(faults, faults, check_row_desc);

/* Two faults cannot both be made when they are in the same field. */
static bool overlap(const struct check_row *a, const struct check_row *b)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(a->change); i++)
		for (j = 0; j < ARRAY_SIZE(b->change); j++)
			if (a->change[i].field &&
			    a->change[i].field == b->change[j].field)
				return true;
	return false;
}

static void earlier_fault_wins(struct kunit *test)
{
	const struct check_row *fault = test->param_value, *later;
	unsigned int i;

	for (later = fault + 1; later < faults + ARRAY_SIZE(faults); later++) {
		struct request req = good_request;

		if (overlap(fault, later))
			continue;
		for (i = 0; i < ARRAY_SIZE(fault->change); i++) {
			apply(&req, &fault->change[i]);
			apply(&req, &later->change[i]);
		}
		KUNIT_EXPECT_EQ_MSG(test, check(test, &req), fault->status,
				    "against %s", later->name);
	}
}

static struct kunit_case control_cases[] = {
	KUNIT_CASE_PARAM(request_is_judged, check_gen_params),
	KUNIT_CASE_PARAM(earlier_fault_wins, faults_gen_params),
	{}
};

static struct kunit_suite control_suite = {
	.name = "dm_bpio_control",
	.test_cases = control_cases,
};

kunit_test_suite(control_suite);
