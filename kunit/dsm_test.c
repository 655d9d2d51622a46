// SPDX-License-Identifier: GPL-2.0
/*
 * The offload actions of data set management as numbers, against protocol
 * section 10: checks and their order, cutting of range lists, results; CE-8;
 * and the checks of the copy offload descriptor (3.5).
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include "dsm-check.h"

/* ---- DS-1 to DS-11 ------------------------------------------------------ */

enum dsm_field {
	UNCHANGED,
	INPUT_LENGTH,
	OUTPUT_LENGTH,
	USER_MODE,
	STRUCT_SIZE,
	ACTION,
	FLAGS,
	PARAMETERS_AT,
	PARAMETERS_LENGTH,
	RANGES_AT,
	RANGES_LENGTH,
	START,
	LENGTH,
	START_2,
	LENGTH_2,
	TTL,
	TOKEN_OFFSET,
	INCAPABLE,
	SECTOR,
	DEVICE_LENGTH,
	TTL_MAX,
};

struct dsm_change {
	enum dsm_field field;
	u64 value;
};

struct dsm_row {
	const char *name;
	struct dsm_change change[3];
	s32 status;
};

/* Naturally packed, with room for two ranges: 3.5 */
struct dsm_read_buffer {
	struct device_dsm_input in;				/* at 0 */
	struct device_dsm_offload_read_parameters parameters;	/* at 28 */
	u32 pad;
	struct device_dsm_range range[2];			/* at 48 */
};

static_assert(offsetof(struct dsm_read_buffer, parameters) == 28);
static_assert(offsetof(struct dsm_read_buffer, range) == 48);

struct dsm_write_buffer {
	struct device_dsm_input in;				/* at 0 */
	u32 pad;
	struct device_dsm_offload_write_parameters parameters;	/* at 32 */
	struct device_dsm_range range[2];			/* at 560 */
};

static_assert(offsetof(struct dsm_write_buffer, parameters) == 32);
static_assert(offsetof(struct dsm_write_buffer, range) == 560);

struct dsm_request {
	union {
		struct device_dsm_input in;
		struct dsm_read_buffer read;
		struct dsm_write_buffer write;
	};
	u32 input_length;
	u32 output_length;
	bool user_mode;
	struct bpio_dsm_device device;
};

#define GOOD_RANGES { { 4096, 8192 }, { 65536, 512 } }
#define GOOD_DEVICE \
	{ .capable = true, .sector = 512, .length = SZ_1M, .ttl_max_ms = 1000 }

static const struct dsm_request good_read = {
	.read = {
		.in = {
			.size = 28,
			.action = DEVICE_DSM_ACTION_OFFLOAD_READ,
			.parameter_block_offset = 28,
			.parameter_block_length = 16,
			.data_set_ranges_offset = 48,
			.data_set_ranges_length = 32,
		},
		.range = GOOD_RANGES,
	},
	.input_length = sizeof(struct dsm_read_buffer),
	.output_length = 536,
	.device = GOOD_DEVICE,
};

static const struct dsm_request good_write = {
	.write = {
		.in = {
			.size = 28,
			.action = DEVICE_DSM_ACTION_OFFLOAD_WRITE,
			.parameter_block_offset = 32,
			.parameter_block_length = 528,
			.data_set_ranges_offset = 560,
			.data_set_ranges_length = 32,
		},
		.parameters = { .token_offset = 512 },
		.range = GOOD_RANGES,
	},
	.input_length = sizeof(struct dsm_write_buffer),
	.output_length = 16,
	.device = GOOD_DEVICE,
};

static void apply(struct dsm_request *req, const struct dsm_change *change,
		  bool write)
{
	struct device_dsm_range *range = write ? req->write.range :
						 req->read.range;

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
		req->user_mode = true;
		break;
	case STRUCT_SIZE:
		req->in.size = change->value;
		break;
	case ACTION:
		req->in.action = change->value;
		break;
	case FLAGS:
		req->in.flags = change->value;
		break;
	case PARAMETERS_AT:
		req->in.parameter_block_offset = change->value;
		break;
	case PARAMETERS_LENGTH:
		req->in.parameter_block_length = change->value;
		break;
	case RANGES_AT:
		req->in.data_set_ranges_offset = change->value;
		break;
	case RANGES_LENGTH:
		req->in.data_set_ranges_length = change->value;
		break;
	case START:
		range[0].starting_offset = change->value;
		break;
	case LENGTH:
		range[0].length_in_bytes = change->value;
		break;
	case START_2:
		range[1].starting_offset = change->value;
		break;
	case LENGTH_2:
		range[1].length_in_bytes = change->value;
		break;
	case TTL:
		req->read.parameters.time_to_live = change->value;
		break;
	case TOKEN_OFFSET:
		req->write.parameters.token_offset = change->value;
		break;
	case INCAPABLE:
		req->device.capable = false;
		break;
	case SECTOR:
		req->device.sector = change->value;
		break;
	case DEVICE_LENGTH:
		req->device.length = change->value;
		break;
	case TTL_MAX:
		req->device.ttl_max_ms = change->value;
		break;
	}
}

/* The input lies in a buffer of its length, so that KASAN sees a look past it. */
static s32 check(struct kunit *test, const struct dsm_request *req, bool write,
		 struct bpio_dsm *dsm)
{
	const size_t structure = write ? sizeof(req->write) : sizeof(req->read);
	const size_t length = min_t(size_t, req->input_length, SZ_4K);
	void *input = NULL;

	if (length) {
		input = kunit_kzalloc(test, length, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, input);
		memcpy(input, req, min(length, structure));
	}
	return bpio_dsm_check(input, req->input_length, req->output_length,
			      req->user_mode, &req->device, dsm);
}

static void expect_row(struct kunit *test, const struct dsm_row *row,
		       bool write)
{
	struct dsm_request req = write ? good_write : good_read;
	struct bpio_dsm dsm;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row->change); i++)
		apply(&req, &row->change[i], write);
	KUNIT_EXPECT_EQ(test, check(test, &req, write, &dsm), row->status);
	KUNIT_EXPECT_FALSE(test, dsm.forward);
}

static void row_desc(const struct dsm_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

/* Rows of both actions; what lies elsewhere in a write has its own. */
static const struct dsm_row common_rows[] = {
	{ "good", {}, STATUS_SUCCESS },
	{ "1.1: longer buffers",
	  { { INPUT_LENGTH, 4096 }, { OUTPUT_LENGTH, 4096 } }, STATUS_SUCCESS },
	{ "Size of the header is not judged", { { STRUCT_SIZE, 0 } },
	  STATUS_SUCCESS },

	{ "(145) DS-1: input 27", { { INPUT_LENGTH, 27 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-1: no input", { { INPUT_LENGTH, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: the header alone", { { INPUT_LENGTH, 28 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: the sum does not wrap around",
	  { { PARAMETERS_LENGTH, U32_MAX }, { RANGES_LENGTH, 16 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: ranges end behind the buffer", { { RANGES_LENGTH, 48 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: ranges begin behind the buffer", { { RANGES_AT, 4096 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: ranges at 2^32 - 8", { { RANGES_AT, U32_MAX - 7 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: ranges in the header", { { RANGES_AT, 8 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: parameters in the header", { { PARAMETERS_AT, 24 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: parameters behind the buffer", { { PARAMETERS_AT, 4096 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: one range and a half", { { RANGES_LENGTH, 24 } },
	  STATUS_INVALID_PARAMETER },

	{ "DS-4: not capable", { { INCAPABLE } },
	  STATUS_DEVICE_FEATURE_NOT_SUPPORTED },
	{ "(148) DS-5: user mode", { { USER_MODE } }, STATUS_ACCESS_DENIED },
	{ "(145) DS-6: no offset of ranges", { { RANGES_AT, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "(145) DS-6: no length of ranges", { { RANGES_LENGTH, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-6: ranges of 15 bytes", { { RANGES_LENGTH, 15 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-6: one range of two", { { RANGES_LENGTH, 16 } },
	  STATUS_SUCCESS },
	{ "4.6: the entire device, in place of ranges",
	  { { FLAGS, 1 }, { RANGES_AT, 0 }, { RANGES_LENGTH, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "4.6: the entire device, and ranges", { { FLAGS, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "4.6: other flags", { { FLAGS, 0xfffffffe } }, STATUS_SUCCESS },

	{ "(145) DS-7: start 513", { { START, 513 } }, STATUS_INVALID_PARAMETER },
	{ "(145) DS-7: length 511", { { LENGTH, 511 } }, STATUS_INVALID_PARAMETER },
	{ "(145) DS-7: length 0", { { LENGTH, 0 } }, STATUS_INVALID_PARAMETER },
	{ "DS-7: length 0 of the second", { { LENGTH_2, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-7: blocks of 4096",
	  { { SECTOR, 4096 }, { TOKEN_OFFSET, 0 } }, STATUS_INVALID_PARAMETER },
	{ "DS-7: blocks of 4096, both multiples",
	  { { SECTOR, 4096 }, { LENGTH_2, 4096 }, { TOKEN_OFFSET, 0 } },
	  STATUS_SUCCESS },
	{ "DS-8: to the end", { { START, SZ_1M - 8192 } }, STATUS_SUCCESS },
	{ "(146) DS-8: a sector past it", { { START, SZ_1M - 8192 + 512 } },
	  STATUS_NONEXISTENT_SECTOR },
	{ "(146) DS-8: the second", { { START_2, SZ_1M } },
	  STATUS_NONEXISTENT_SECTOR },
	{ "DS-8: a negative start", { { START, -512ULL } },
	  STATUS_NONEXISTENT_SECTOR },
	{ "DS-8: the sum is 2^64",
	  { { START, 512 }, { LENGTH, -512ULL } }, STATUS_NONEXISTENT_SECTOR },
	{ "DS-7, DS-8: range after range",
	  { { START, SZ_1M }, { LENGTH_2, 1 } }, STATUS_NONEXISTENT_SECTOR },
	{ "DS-7 before DS-8 of one range", { { START, SZ_1M + 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-8: an empty device", { { DEVICE_LENGTH, 0 } },
	  STATUS_NONEXISTENT_SECTOR },

	{ "DS-9: no offset of parameters", { { PARAMETERS_AT, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "(145) DS-9: no parameters", { { PARAMETERS_LENGTH, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-11: no output", { { OUTPUT_LENGTH, 0 } },
	  STATUS_BUFFER_TOO_SMALL },
};

KUNIT_ARRAY_PARAM(common, common_rows, row_desc);

static void both_actions_are_judged(struct kunit *test)
{
	struct dsm_row row = *(const struct dsm_row *)test->param_value;
	unsigned int i;

	expect_row(test, &row, true);
	/* what only a write has */
	for (i = 0; i < ARRAY_SIZE(row.change); i++)
		if (row.change[i].field == TOKEN_OFFSET)
			row.change[i].field = UNCHANGED;
	expect_row(test, &row, false);
}

static const struct dsm_row read_rows[] = {
	{ "DS-2: parameters at 30", { { PARAMETERS_AT, 30 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: parameters at 32", { { PARAMETERS_AT, 32 } },
	  STATUS_SUCCESS },
	{ "DS-2: ranges at 44", { { RANGES_AT, 44 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: input 75", { { INPUT_LENGTH, 75 } },
	  STATUS_INVALID_PARAMETER },
	{ "(145) DS-9: parameters of 15 bytes", { { PARAMETERS_LENGTH, 15 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-9: parameters of 17 bytes", { { PARAMETERS_LENGTH, 17 } },
	  STATUS_SUCCESS },
	{ "DS-10: the longest life", { { TTL, 1000 } }, STATUS_SUCCESS },
	{ "DS-10: a longer one", { { TTL, 1001 } }, STATUS_INVALID_PARAMETER },
	{ "DS-10: no limit", { { TTL, U32_MAX }, { TTL_MAX, 0 } },
	  STATUS_SUCCESS },
	{ "(147) DS-11: output 535", { { OUTPUT_LENGTH, 535 } },
	  STATUS_BUFFER_TOO_SMALL },
};

KUNIT_ARRAY_PARAM(read, read_rows, row_desc);

static void read_is_judged(struct kunit *test)
{
	expect_row(test, test->param_value, false);
}

static const struct dsm_row write_rows[] = {
	{ "DS-2: parameters at 36", { { PARAMETERS_AT, 36 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: ranges at 564", { { RANGES_AT, 564 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-2: input 587", { { INPUT_LENGTH, 587 } },
	  STATUS_INVALID_PARAMETER },
	{ "(145) DS-9: parameters of 527 bytes", { { PARAMETERS_LENGTH, 527 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-9: token offset 513", { { TOKEN_OFFSET, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-19: is the token's affair",
	  { { TOKEN_OFFSET, U64_MAX - 511 } }, STATUS_SUCCESS },
	{ "(147) DS-11: output 15", { { OUTPUT_LENGTH, 15 } },
	  STATUS_BUFFER_TOO_SMALL },
};

KUNIT_ARRAY_PARAM(write, write_rows, row_desc);

static void write_is_judged(struct kunit *test)
{
	expect_row(test, test->param_value, true);
}

/* DS-3: whatever else is wrong behind the layout */
static void unknown_actions_are_forwarded_or_fail(struct kunit *test)
{
	static const struct {
		u32 action;
		s32 status;
	} rows[] = {
		{ DEVICE_DSM_ACTION_NONE, STATUS_INVALID_DEVICE_REQUEST },
		{ DEVICE_DSM_ACTION_TRIM, STATUS_INVALID_DEVICE_REQUEST },
		/* the offload actions with the other class of action */
		{ 0x00000003, STATUS_INVALID_DEVICE_REQUEST },
		{ 0x80000004, STATUS_SUCCESS },
		{ DEVICE_DSM_ACTION_RESET_WRITE_POINTER,
		  STATUS_INVALID_DEVICE_REQUEST },
		{ DEVICE_DSM_ACTION_WRITE_ZEROES,
		  STATUS_INVALID_DEVICE_REQUEST },
		{ DEVICE_DSM_ACTION_VDT_SET, STATUS_INVALID_DEVICE_REQUEST },
		{ 0x7fffffff, STATUS_INVALID_DEVICE_REQUEST },
		{ DEVICE_DSM_ACTION_NOTIFICATION, STATUS_SUCCESS },
		{ DEVICE_DSM_ACTION_ALLOCATION, STATUS_SUCCESS },
		{ DEVICE_DSM_ACTION_GET_PHYSICAL_ADDRESSES, STATUS_SUCCESS },
		{ 0xffffffff, STATUS_SUCCESS },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dsm_request req = good_read;
		struct bpio_dsm dsm;

		req.in.action = rows[i].action;
		req.in.parameter_block_offset = 29;	/* aligned for whom? */
		req.in.parameter_block_length = 1;
		req.in.data_set_ranges_length = 0;
		req.user_mode = true;
		req.device.capable = false;
		req.output_length = 0;
		KUNIT_EXPECT_EQ_MSG(test, check(test, &req, false, &dsm),
				    rows[i].status, "action 0x%x",
				    rows[i].action);
		KUNIT_EXPECT_EQ(test, dsm.forward, !rows[i].status);
	}
}

/* One way to break each rule, in their order. */
static const struct dsm_row read_faults[] = {
	{ "DS-1", { { INPUT_LENGTH, 27 } }, STATUS_INVALID_PARAMETER },
	{ "DS-2", { { RANGES_AT, 4096 } }, STATUS_INVALID_PARAMETER },
	{ "DS-3", { { ACTION, DEVICE_DSM_ACTION_TRIM } },
	  STATUS_INVALID_DEVICE_REQUEST },
	{ "DS-4", { { INCAPABLE } }, STATUS_DEVICE_FEATURE_NOT_SUPPORTED },
	{ "DS-5", { { USER_MODE } }, STATUS_ACCESS_DENIED },
	{ "DS-6", { { RANGES_LENGTH, 0 } }, STATUS_INVALID_PARAMETER },
	{ "DS-7", { { START, 513 } }, STATUS_INVALID_PARAMETER },
	{ "DS-8", { { START_2, SZ_1M } }, STATUS_NONEXISTENT_SECTOR },
	{ "DS-9", { { PARAMETERS_LENGTH, 15 } }, STATUS_INVALID_PARAMETER },
	{ "DS-10", { { TTL, 1001 } }, STATUS_INVALID_PARAMETER },
	{ "DS-11", { { OUTPUT_LENGTH, 535 } }, STATUS_BUFFER_TOO_SMALL },
};

KUNIT_ARRAY_PARAM(read_faults, read_faults, row_desc);

static const struct dsm_row write_faults[] = {
	{ "DS-1", { { INPUT_LENGTH, 27 } }, STATUS_INVALID_PARAMETER },
	{ "DS-2", { { PARAMETERS_AT, 4096 } }, STATUS_INVALID_PARAMETER },
	{ "DS-3", { { ACTION, DEVICE_DSM_ACTION_WRITE_ZEROES } },
	  STATUS_INVALID_DEVICE_REQUEST },
	{ "DS-4", { { INCAPABLE } }, STATUS_DEVICE_FEATURE_NOT_SUPPORTED },
	{ "DS-5", { { USER_MODE } }, STATUS_ACCESS_DENIED },
	{ "DS-6", { { RANGES_LENGTH, 15 } }, STATUS_INVALID_PARAMETER },
	{ "DS-7", { { LENGTH, 0 } }, STATUS_INVALID_PARAMETER },
	{ "DS-8", { { START_2, SZ_1M } }, STATUS_NONEXISTENT_SECTOR },
	{ "DS-9", { { PARAMETERS_LENGTH, 527 } }, STATUS_INVALID_PARAMETER },
	{ "DS-9, token offset", { { TOKEN_OFFSET, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "DS-11", { { OUTPUT_LENGTH, 15 } }, STATUS_BUFFER_TOO_SMALL },
};

KUNIT_ARRAY_PARAM(write_faults, write_faults, row_desc);

/* Two faults: the earlier one wins. */
static void expect_earlier(struct kunit *test, const struct dsm_row *end,
			   bool write)
{
	const struct dsm_row *fault = test->param_value, *later;

	for (later = fault + 1; later < end; later++) {
		struct dsm_request req = write ? good_write : good_read;
		struct bpio_dsm dsm;

		apply(&req, &later->change[0], write);
		apply(&req, &fault->change[0], write);
		KUNIT_EXPECT_EQ_MSG(test, check(test, &req, write, &dsm),
				    fault->status, "against %s", later->name);
		KUNIT_EXPECT_FALSE(test, dsm.forward);
	}
}

static void earlier_read_fault_wins(struct kunit *test)
{
	expect_earlier(test, read_faults + ARRAY_SIZE(read_faults), false);
}

static void earlier_write_fault_wins(struct kunit *test)
{
	expect_earlier(test, write_faults + ARRAY_SIZE(write_faults), true);
}

static void request_is_taken_apart(struct kunit *test)
{
	struct dsm_request req = good_write;
	struct bpio_dsm dsm;

	KUNIT_ASSERT_EQ(test,
			bpio_dsm_check(&req.in, req.input_length,
				       req.output_length, false, &req.device,
				       &dsm),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, dsm.action, DEVICE_DSM_ACTION_OFFLOAD_WRITE);
	KUNIT_EXPECT_PTR_EQ(test, dsm.parameters,
			    (const void *)&req.write.parameters);
	KUNIT_EXPECT_PTR_EQ(test, dsm.ranges,
			    (const struct device_dsm_range *)req.write.range);
	KUNIT_EXPECT_EQ(test, dsm.nr_ranges, 2);
	KUNIT_EXPECT_EQ(test, dsm.length, 8192 + 512);
}

/* ---- DS-12, DS-15: cutting ---------------------------------------------- */

struct cut_row {
	const char *name;
	u64 max_length;
	unsigned int max_runs;
	bool disjoint;
	unsigned int nr_ranges;
	struct device_dsm_range range[4];
	/* what comes out: a command is a row of runs, ended by length 0 */
	struct {
		unsigned int nr;
		u64 length;
		u64 sector[3];		/* of each run */
	} command[5];
};

static const struct cut_row cut_rows[] = {
	{ "one range, no limit in sight", SZ_1M, 64, true, 1, { { 4096, 8192 } },
	  { { 1, 8192, { 8 } } } },
	{ "one range in three", 4096, 64, true, 1, { { 4096, 10240 } },
	  { { 1, 4096, { 8 } }, { 1, 4096, { 16 } }, { 1, 2048, { 24 } } } },
	{ "a range that ends with a command", 4096, 64, true, 2,
	  { { 0, 4096 }, { 65536, 512 } },
	  { { 1, 4096, { 0 } }, { 1, 512, { 128 } } } },
	{ "a command over several ranges, in list order", 4096, 64, true, 3,
	  { { 65536, 1024 }, { 0, 1024 }, { 32768, 4096 } },
	  { { 3, 4096, { 128, 0, 64 } }, { 1, 2048, { 68 } } } },
	{ "at most so many runs", SZ_1M, 2, true, 3,
	  { { 0, 512 }, { 1024, 512 }, { 2048, 512 } },
	  { { 2, 1024, { 0, 2 } }, { 1, 512, { 4 } } } },
	{ "the same range twice: one after the other", SZ_1M, 64, true, 2,
	  { { 0, 1024 }, { 0, 1024 } },
	  { { 1, 1024, { 0 } }, { 1, 1024, { 0 } } } },
	{ "an overlap of one sector, with the first of two", SZ_1M, 64, true, 3,
	  { { 1024, 1024 }, { 8192, 512 }, { 1536, 512 } },
	  { { 2, 1536, { 2, 16 } }, { 1, 512, { 3 } } } },
	{ "neighbours do not overlap", SZ_1M, 64, true, 2,
	  { { 1024, 1024 }, { 2048, 512 } }, { { 2, 1536, { 2, 4 } } } },
	{ "sources may overlap", SZ_1M, 64, false, 2,
	  { { 0, 1024 }, { 0, 1024 } }, { { 2, 2048, { 0, 0 } } } },
	{ "above 32 bits", SZ_4G, 64, true, 1, { { SZ_4G, SZ_4G + 512 } },
	  { { 1, SZ_4G, { SZ_4G >> 9 } }, { 1, 512, { (SZ_4G + SZ_4G) >> 9 } } } },
};

static void cut_desc(const struct cut_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(cut, cut_rows, cut_desc);

static void ranges_are_cut_in_list_order(struct kunit *test)
{
	const struct cut_row *row = test->param_value;
	struct bpio_dsm_cursor cursor = {
		.ranges = row->range,
		.nr = row->nr_ranges,
	};
	unsigned int i, j, nr;
	struct bpio_run run[4];
	u64 length, offset;

	for (i = 0; i < ARRAY_SIZE(row->command); i++) {
		nr = bpio_dsm_next(&cursor, row->max_length, row->disjoint, run,
				   min_t(unsigned int, row->max_runs,
					 ARRAY_SIZE(run)), &length);
		KUNIT_ASSERT_EQ(test, nr, row->command[i].nr);
		KUNIT_EXPECT_EQ(test, length, row->command[i].length);
		for (j = 0, offset = 0; j < nr; j++) {
			KUNIT_EXPECT_EQ(test, run[j].source,
					row->command[i].sector[j]);
			KUNIT_EXPECT_EQ(test, run[j].offset, offset);
			offset += run[j].length;
		}
		KUNIT_EXPECT_EQ(test, offset, length);
	}
}

static void more_than_64_ranges_are_cut(struct kunit *test)
{
	struct device_dsm_range *range;
	struct bpio_dsm_cursor cursor = { .nr = 65 };
	struct bpio_run *run;
	unsigned int i;
	u64 length;

	range = kunit_kcalloc(test, 65, sizeof(*range), GFP_KERNEL);
	run = kunit_kcalloc(test, 64, sizeof(*run), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, range);
	KUNIT_ASSERT_NOT_NULL(test, run);
	for (i = 0; i < 65; i++) {
		range[i].starting_offset = i * 4096;
		range[i].length_in_bytes = 512;
	}
	cursor.ranges = range;
	KUNIT_EXPECT_EQ(test, bpio_dsm_next(&cursor, SZ_1M, true, run, 64,
					    &length), 64);
	KUNIT_EXPECT_EQ(test, length, 64 * 512);
	KUNIT_EXPECT_EQ(test, run[63].source, 63 * 8);
	KUNIT_EXPECT_EQ(test, bpio_dsm_next(&cursor, SZ_1M, true, run, 64,
					    &length), 1);
	KUNIT_EXPECT_EQ(test, run[0].source, 64 * 8);
	KUNIT_EXPECT_EQ(test, bpio_dsm_next(&cursor, SZ_1M, true, run, 64,
					    &length), 0);
}

/* ---- CE-8 --------------------------------------------------------------- */

static void transfers_are_of_the_optimal_size(struct kunit *test)
{
	static const struct {
		u64 optimal, maximum;
		u32 sector;
		u64 size;
	} rows[] = {
		{ 0, 0, 512, SZ_64M },
		{ SZ_512M, 0, 512, SZ_256M },
		{ SZ_256M, 0, 512, SZ_256M },
		{ SZ_256M + 512, 0, 512, SZ_256M },
		{ SZ_32M, 0, 512, SZ_32M },
		{ 512, 0, 512, 512 },
		/* "never above the maximum transfer size" */
		{ 0, SZ_1M, 512, SZ_1M },
		{ SZ_32M, SZ_1M, 512, SZ_1M },
		{ SZ_512M, SZ_128M, 512, SZ_128M },
		{ SZ_32M, SZ_1G, 512, SZ_32M },
		/* a volume whose blocks are larger than those of its first part */
		{ 4096 + 512, 0, 4096, 4096 },
		{ 512, 0, 4096, 4096 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    bpio_dsm_transfer_size(rows[i].optimal,
							   rows[i].maximum,
							   rows[i].sector),
				    rows[i].size, "row %u", i);
}

/* ---- DS-16 to DS-19 ------------------------------------------------------ */

static void token_has_room_or_not(struct kunit *test)
{
	static const struct {
		u64 offset, length, token;
		s32 status;
	} rows[] = {
		{ 0, 4096, 4096, STATUS_SUCCESS },
		{ 512, 3584, 4096, STATUS_SUCCESS },
		{ 512, 4096, 4096, STATUS_DATA_OVERRUN },
		{ 4096, 512, 4096, STATUS_DATA_OVERRUN },
		{ 8192, 512, 4096, STATUS_DATA_OVERRUN },
		{ U64_MAX - 511, 1024, 4096, STATUS_DATA_OVERRUN },
		{ 0, SZ_1G, U64_MAX, STATUS_SUCCESS },	/* zero token */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    bpio_dsm_write_room(rows[i].offset,
							rows[i].length,
							rows[i].token),
				    rows[i].status, "row %u", i);
}

struct result_row {
	const char *name;
	u64 requested, copied;
	s32 stopped;
	s32 status;
	u32 flags;
};

static const struct result_row result_rows[] = {
	{ "all", 4096, 4096, STATUS_SUCCESS, STATUS_SUCCESS, 0 },
	{ "DS-16: stopped by an error after some", 4096, 512,
	  STATUS_UNSUCCESSFUL, STATUS_SUCCESS, 1 },
	{ "DS-16: stopped by the clock after some", 4096, 512,
	  STATUS_IO_TIMEOUT, STATUS_SUCCESS, 1 },
	{ "DS-16: stopped by nothing that is known", 4096, 512, STATUS_SUCCESS,
	  STATUS_SUCCESS, 1 },
	{ "DS-17: an error and nothing", 4096, 0, STATUS_IO_TIMEOUT,
	  STATUS_IO_TIMEOUT, 0 },
	{ "DS-17: nothing, for no reason", 4096, 0, STATUS_SUCCESS,
	  STATUS_UNSUCCESSFUL, 0 },
	{ "DS-17: a warning is no failing status", 4096, 0,
	  STATUS_BUFFER_OVERFLOW, STATUS_UNSUCCESSFUL, 0 },
	{ "(151) DS-18: the token is dead", 4096, 0, STATUS_INVALID_TOKEN,
	  STATUS_INVALID_TOKEN, 2 },
	{ "DS-18: it died after some", 4096, 512, STATUS_INVALID_TOKEN,
	  STATUS_SUCCESS, 3 },
	{ "DS-19: too long", 4096, 0, STATUS_DATA_OVERRUN, STATUS_DATA_OVERRUN,
	  0 },
};

static void result_desc(const struct result_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(result, result_rows, result_desc);

static void write_result_tells_progress(struct kunit *test)
{
	const struct result_row *row = test->param_value;
	struct storage_offload_write_output out;

	memset(&out, 0xff, sizeof(out));
	KUNIT_EXPECT_EQ(test,
			bpio_dsm_write_result(row->requested, row->copied,
					      row->stopped, &out),
			row->status);
	KUNIT_EXPECT_EQ(test, out.offload_write_flags, row->flags);
	KUNIT_EXPECT_EQ(test, out.length_copied, row->copied);
	KUNIT_EXPECT_EQ(test, out.reserved, 0);
}

/* ---- the descriptor ------------------------------------------------------ */

struct query_row {
	const char *name;
	u32 property, type;
	u32 input_length, output_length;
	bool incapable;
	s32 status;
	u32 information;
};

static const struct query_row query_rows[] = {
	{ "all of it", 13, 0, 12, 48, false, STATUS_SUCCESS, 48 },
	{ "a longer buffer", 13, 0, 12, 4096, false, STATUS_SUCCESS, 48 },
	{ "no additional parameters", 13, 0, 8, 48, false, STATUS_SUCCESS,
	  48 },
	{ "the header", 13, 0, 12, 8, false, STATUS_SUCCESS, 8 },
	{ "the header, output 47", 13, 0, 12, 47, false, STATUS_SUCCESS, 8 },
	{ "output 7", 13, 0, 12, 7, false, STATUS_BUFFER_TOO_SMALL, 0 },
	{ "does it exist", 13, 1, 12, 0, false, STATUS_SUCCESS, 0 },
	{ "another question", 13, 2, 12, 48, false, STATUS_NOT_SUPPORTED, 0 },
	{ "another property", 0, 0, 12, 48, false, STATUS_NOT_SUPPORTED, 0 },
	{ "not capable", 13, 0, 12, 48, true,
	  STATUS_DEVICE_FEATURE_NOT_SUPPORTED, 0 },
	{ "input 7", 13, 0, 7, 48, false, STATUS_INFO_LENGTH_MISMATCH, 0 },
	{ "no input", 13, 0, 0, 48, false, STATUS_INFO_LENGTH_MISMATCH, 0 },
	{ "another question, output 7", 13, 3, 12, 7, true,
	  STATUS_NOT_SUPPORTED, 0 },
	{ "not capable, output 7", 13, 0, 12, 7, true,
	  STATUS_BUFFER_TOO_SMALL, 0 },
};

static void query_desc(const struct query_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(query, query_rows, query_desc);

static void query_is_judged(struct kunit *test)
{
	const struct query_row *row = test->param_value;
	const struct storage_property_query query = {
		.property_id = row->property,
		.query_type = row->type,
	};
	u32 information = 77;
	void *input = NULL;

	if (row->input_length) {
		input = kunit_kzalloc(test, row->input_length, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, input);
		memcpy(input, &query, min_t(size_t, row->input_length,
					    sizeof(query)));
	}
	KUNIT_EXPECT_EQ(test,
			bpio_dsm_check_query(input, row->input_length,
					     row->output_length,
					     !row->incapable, &information),
			row->status);
	KUNIT_EXPECT_EQ(test, information, row->information);
}

static struct kunit_case dsm_cases[] = {
	KUNIT_CASE_PARAM(both_actions_are_judged, common_gen_params),
	KUNIT_CASE_PARAM(read_is_judged, read_gen_params),
	KUNIT_CASE_PARAM(write_is_judged, write_gen_params),
	KUNIT_CASE(unknown_actions_are_forwarded_or_fail), /* rules: 152 */
	KUNIT_CASE_PARAM(earlier_read_fault_wins, read_faults_gen_params),
	KUNIT_CASE_PARAM(earlier_write_fault_wins, write_faults_gen_params),
	KUNIT_CASE(request_is_taken_apart),
	KUNIT_CASE_PARAM(ranges_are_cut_in_list_order, cut_gen_params),
	KUNIT_CASE(more_than_64_ranges_are_cut),
	KUNIT_CASE(transfers_are_of_the_optimal_size), /* rules: 154 */
	KUNIT_CASE(token_has_room_or_not),
	KUNIT_CASE_PARAM(write_result_tells_progress, result_gen_params),
	KUNIT_CASE_PARAM(query_is_judged, query_gen_params),
	{}
};

static struct kunit_suite dsm_suite = {
	.name = "dm_bpio_dsm",
	.test_cases = dsm_cases,
};

kunit_test_suite(dsm_suite);
