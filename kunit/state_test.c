// SPDX-License-Identifier: GPL-2.0
/*
 * The state model of BypassIO against protocol 6.0 to 6.4 and 4.3, and what
 * FSCTL_MANAGE_BYPASS_IO refuses.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <bpio/storage.h>
#include "state.h"

/* ---- R-FS-5: a request that is not well formed -------------------------- */

enum request_field {
	UNCHANGED,
	INPUT_LENGTH,
	OUTPUT_LENGTH,
	OPERATION,
	IN_FLAGS,
	RESERVED1,
	RESERVED2,
};

struct request {
	struct fs_bpio_input input;
	u32 input_length;
	u32 output_length;
};

static const struct request good_request = {
	.input = { .operation = FS_BPIO_OP_QUERY },
	.input_length = 24,
	.output_length = 352,
};

struct change {
	enum request_field field;
	u64 value;
};

struct check_row {
	const char *name;
	struct change change[2];
	s32 status;
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
	case OPERATION:
		req->input.operation = change->value;
		break;
	case IN_FLAGS:
		req->input.in_flags = change->value;
		break;
	case RESERVED1:
		req->input.reserved1 = change->value;
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
	return bpiofs_check_manage_bypass_io(input, req->input_length,
					     req->output_length);
}

static const struct check_row check_rows[] = {
	{ "R-FS-5: ENABLE", { { OPERATION, 1 } }, STATUS_SUCCESS },
	{ "R-FS-5: DISABLE", { { OPERATION, 2 } }, STATUS_SUCCESS },
	{ "R-FS-5: QUERY", { { OPERATION, 3 } }, STATUS_SUCCESS },
	{ "R-FS-5: VOLUME_STACK_PAUSE", { { OPERATION, 4 } }, STATUS_SUCCESS },
	{ "R-FS-5: VOLUME_STACK_RESUME", { { OPERATION, 5 } }, STATUS_SUCCESS },
	{ "R-FS-5: STREAM_PAUSE", { { OPERATION, 6 } }, STATUS_SUCCESS },
	{ "R-FS-5: STREAM_RESUME", { { OPERATION, 7 } }, STATUS_SUCCESS },
	{ "R-FS-5: GET_INFO", { { OPERATION, 8 } }, STATUS_SUCCESS },

	{ "(8) R-FS-5: input 23", { { INPUT_LENGTH, 23 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "R-FS-5: input 1", { { INPUT_LENGTH, 1 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "R-FS-5: no input", { { INPUT_LENGTH, 0 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "(9) R-FS-5: output 351", { { OUTPUT_LENGTH, 351 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "R-FS-5: no output", { { OUTPUT_LENGTH, 0 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "R-FS-5: no input, no output",
	  { { INPUT_LENGTH, 0 }, { OUTPUT_LENGTH, 0 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "1.1: output 24 is not enough for DISABLE",
	  { { OPERATION, 2 }, { OUTPUT_LENGTH, 24 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "1.1: output 96 is not enough for GET_INFO",
	  { { OPERATION, 8 }, { OUTPUT_LENGTH, 96 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "1.1: input 25, output 353",
	  { { INPUT_LENGTH, 25 }, { OUTPUT_LENGTH, 353 } }, STATUS_SUCCESS },
	{ "1.1: input 4096, output 4096",
	  { { INPUT_LENGTH, 4096 }, { OUTPUT_LENGTH, 4096 } }, STATUS_SUCCESS },
	{ "1.1: lengths of 32 bits",
	  { { INPUT_LENGTH, U32_MAX }, { OUTPUT_LENGTH, U32_MAX } },
	  STATUS_SUCCESS },

	{ "(13) R-FS-5: Operation 0", { { OPERATION, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "(13) R-FS-5: Operation 9", { { OPERATION, 9 } },
	  STATUS_INVALID_PARAMETER },
	{ "R-FS-5: Operation 0x80000001", { { OPERATION, 0x80000001 } },
	  STATUS_INVALID_PARAMETER },
	{ "(13) R-FS-5: Operation 0xFFFFFFFF", { { OPERATION, U32_MAX } },
	  STATUS_INVALID_PARAMETER },

	{ "4.2: SKIP with QUERY", { { IN_FLAGS, 1 } }, STATUS_SUCCESS },
	{ "4.2: SKIP with ENABLE is ignored",
	  { { IN_FLAGS, 1 }, { OPERATION, 1 } }, STATUS_SUCCESS },
	{ "4.2: SKIP with DISABLE is ignored",
	  { { IN_FLAGS, 1 }, { OPERATION, 2 } }, STATUS_SUCCESS },
	{ "4.2: SKIP with GET_INFO is ignored",
	  { { IN_FLAGS, 1 }, { OPERATION, 8 } }, STATUS_SUCCESS },
	{ "(14) 4.2: InFlags 2", { { IN_FLAGS, 2 } }, STATUS_INVALID_PARAMETER },
	{ "4.2: InFlags 3", { { IN_FLAGS, 3 } }, STATUS_INVALID_PARAMETER },
	{ "4.2: InFlags 0x80000000", { { IN_FLAGS, 0x80000000 } },
	  STATUS_INVALID_PARAMETER },
	{ "4.2: InFlags 2 with DISABLE",
	  { { IN_FLAGS, 2 }, { OPERATION, 2 } }, STATUS_INVALID_PARAMETER },

	{ "(15) R-FS-5: Reserved1 1", { { RESERVED1, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "R-FS-5: Reserved1 1 << 63", { { RESERVED1, BIT_ULL(63) } },
	  STATUS_INVALID_PARAMETER },
	{ "(15) R-FS-5: Reserved2 1", { { RESERVED2, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "R-FS-5: Reserved2 1 << 63", { { RESERVED2, BIT_ULL(63) } },
	  STATUS_INVALID_PARAMETER },
	{ "R-FS-6: Reserved1 1 with DISABLE",
	  { { RESERVED1, 1 }, { OPERATION, 2 } }, STATUS_INVALID_PARAMETER },
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

/* In the order of the rule, a field each. */
static const struct check_row faults[] = {
	{ "(8) R-FS-5: input 23", { { INPUT_LENGTH, 23 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "(9) R-FS-5: output 351", { { OUTPUT_LENGTH, 351 } },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "(13) R-FS-5: Operation 9", { { OPERATION, 9 } },
	  STATUS_INVALID_PARAMETER },
	{ "(14) 4.2: InFlags 2", { { IN_FLAGS, 2 } }, STATUS_INVALID_PARAMETER },
	{ "(15) R-FS-5: Reserved1 1", { { RESERVED1, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "(15) R-FS-5: Reserved2 1", { { RESERVED2, 1 } },
	  STATUS_INVALID_PARAMETER },
};

KUNIT_ARRAY_PARAM(faults, faults, check_row_desc);

static void earlier_fault_wins(struct kunit *test)
{
	const struct check_row *fault = test->param_value, *later;

	for (later = fault + 1; later < faults + ARRAY_SIZE(faults); later++) {
		struct request req = good_request;

		apply(&req, &later->change[0]);
		apply(&req, &fault->change[0]);
		KUNIT_EXPECT_EQ_MSG(test, check(test, &req), fault->status,
				    "against %s", later->name);
	}
}

/* ---- 3.1: bytes returned ------------------------------------------------ */

struct returned_row {
	const char *name;
	u32 operation;
	u32 information;
};

static const struct returned_row returned[] = {
	{ "3.1: ENABLE 352", 1, 352 },
	{ "3.1: DISABLE 24", 2, 24 },
	{ "3.1: QUERY 352", 3, 352 },
	{ "3.1: VOLUME_STACK_PAUSE 24", 4, 24 },
	{ "3.1: VOLUME_STACK_RESUME 352", 5, 352 },
	{ "3.1: STREAM_PAUSE 24", 6, 24 },
	{ "3.1: STREAM_RESUME 352", 7, 352 },
	{ "3.1: GET_INFO 96", 8, 96 },
};

static void returned_desc(const struct returned_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(returned, returned, returned_desc);

static void information_is_by_operation(struct kunit *test)
{
	const struct returned_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, bpiofs_information(row->operation),
			row->information);
}

/* ---- 4.3: out flags ----------------------------------------------------- */

enum {
	VOLUME_PAUSED	= BIT(0),
	FILTER_BLOCKED	= BIT(1),
	COMPATIBLE	= BIT(2),
	STREAM		= BIT(3),	/* the handle is a stream */
	STREAM_PAUSED	= BIT(4),	/* and it is paused */
	SKIP		= BIT(5),	/* in the input's flags */
	OUT_FLAGS_NR	= BIT(6),
};

struct out_flag_row {
	const char *name;
	u32 flag;
	u32 operations;		/* that report it, a bit each */
	u32 needs;		/* all of these */
	u32 skip_operations;	/* that do not report it with SKIP */
};

#define ANY_OPERATION	GENMASK(8, 1)

static const struct out_flag_row out_flags[] = {
	{ "4.3: 1, volume stack paused, every operation",
	  1, ANY_OPERATION, VOLUME_PAUSED, 0 },
	{ "4.3: 2, stream paused, every operation on a stream handle",
	  2, ANY_OPERATION, STREAM | STREAM_PAUSED, 0 },
	{ "4.3: 4, filter attach blocked, every operation",
	  4, ANY_OPERATION, FILTER_BLOCKED, 0 },
	{ "(52 53) 4.3: 8, compatible storage: ENABLE, QUERY without SKIP, GET_INFO",
	  8, BIT(1) | BIT(3) | BIT(8), COMPATIBLE, BIT(3) },
	{ "4.3: no other flag", ~0xfu, 0, 0, 0 },
};

static void out_flag_desc(const struct out_flag_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(out_flags, out_flags, out_flag_desc);

/* Every state, operation and input flag, one flag at a time. */
static void out_flag_is_set_when_specified(struct kunit *test)
{
	const struct out_flag_row *row = test->param_value;
	u32 operation, in;

	for (operation = 1; operation <= 8; operation++) {
		for (in = 0; in < OUT_FLAGS_NR; in++) {
			const struct bpiofs_volume_state vol = {
				.active_count = 1,
				.vol_paused = in & VOLUME_PAUSED,
				.filter_blocked = in & FILTER_BLOCKED,
				.stg_compatible = in & COMPATIBLE,
			};
			const struct bpiofs_stream_state stream = {
				.open_count = 1,
				.stream_paused = in & STREAM_PAUSED,
			};
			bool expected = row->operations & BIT(operation) &&
					(in & row->needs) == row->needs;
			u32 flags;

			if (in & SKIP && row->skip_operations & BIT(operation))
				expected = false;
			flags = bpiofs_out_flags(&vol,
						 in & STREAM ? &stream : NULL,
						 operation,
						 in & SKIP ? 1 : 0);
			KUNIT_EXPECT_EQ_MSG(test, !!(flags & row->flag),
					    expected,
					    "operation %u, state %#x",
					    operation, in);
		}
	}
}

/* 4.3: no other cause of suspension sets a bit; a veto is none of them. */
static void out_flags_know_no_veto(struct kunit *test)
{
	static const struct bpiofs_stream_state stream = { .open_count = 1 };
	struct bpiofs_volume_state vol = { .active_count = 1 };
	u32 operation;

	for (vol.stg_state = BPIOFS_STG_IDLE;
	     vol.stg_state <= BPIOFS_STG_VETOED; vol.stg_state++)
		for (operation = 1; operation <= 8; operation++)
			KUNIT_EXPECT_EQ(test,
					bpiofs_out_flags(&vol, &stream,
							 operation, 0), 0u);
}

/* ---- 6.3: automatic vetoes ---------------------------------------------- */

struct kind_row {
	const char *name;
	s32 status;
	const char *reason;
	bool enable_only;	/* R-FS-41 */
};

/* In the order of 6.3; the index is the bit in kind_of(). */
static const struct kind_row kinds[] = {
	{ "6.3: volume", STATUS_VOLUME_NOT_SUPPORTED,
	  "Volume handle not supported", true },
	{ "6.3: directory", STATUS_DIRECTORY_NOT_SUPPORTED,
	  "Directory not supported", true },
	{ "6.3: DAX", STATUS_NOT_SUPPORTED_ON_DAX,
	  "DAX volume not supported" },
	{ "(30) 6.3: paging file", STATUS_PAGEFILE_NOT_SUPPORTED,
	  "Paging file not supported" },
	{ "6.3: compressed", STATUS_COMPRESSED_FILE_NOT_SUPPORTED,
	  "Compressed file not supported" },
	{ "6.3: encrypted", STATUS_ENCRYPTED_FILE_NOT_SUPPORTED,
	  "Encrypted file not supported" },
	{ "6.3: sparse", STATUS_SPARSE_FILE_NOT_SUPPORTED,
	  "Sparse file not supported" },
	{ "6.3: none of these", STATUS_SUCCESS },
};

#define NR_KINDS	(ARRAY_SIZE(kinds) - 1)

static void kind_desc(const struct kind_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kinds, kinds, kind_desc);

static struct bpiofs_kind kind_of(unsigned int bits)
{
	return (struct bpiofs_kind){
		.volume = bits & BIT(0),
		.directory = bits & BIT(1),
		.dax = bits & BIT(2),
		.swapfile = bits & BIT(3),
		.compressed = bits & BIT(4),
		.encrypted = bits & BIT(5),
		.sparse = bits & BIT(6),
	};
}

/* The kind alone, and with every mixture of others that come later. */
static void expect_veto(struct kunit *test, u32 operation)
{
	const struct kind_row *row = test->param_value;
	unsigned int bits, first, seen = 0;

	for (bits = 0; bits < BIT(NR_KINDS); bits++) {
		const struct bpiofs_kind kind = kind_of(bits);
		struct bpiofs_veto veto;

		for (first = 0; first < NR_KINDS; first++)
			if (bits & BIT(first) &&
			    !(operation == FS_BPIO_OP_QUERY &&
			      kinds[first].enable_only))
				break;
		if (row != &kinds[first])
			continue;
		seen++;
		veto = bpiofs_automatic_veto(&kind, operation);
		KUNIT_EXPECT_EQ_MSG(test, veto.op_status, row->status,
				    "kind %#x", bits);
		if (row->reason)
			KUNIT_EXPECT_STREQ_MSG(test, veto.reason, row->reason,
					       "kind %#x", bits);
		else
			KUNIT_EXPECT_NULL_MSG(test, veto.reason, "kind %#x",
					      bits);
	}
	if (operation == FS_BPIO_OP_QUERY && row->enable_only)
		KUNIT_EXPECT_EQ(test, seen, 0u);
	else
		KUNIT_EXPECT_GT(test, seen, 0u);
}

static void enable_is_vetoed_by_first_kind(struct kunit *test)
{
	expect_veto(test, FS_BPIO_OP_ENABLE);
}

/* R-FS-40, R-FS-41 */
static void query_is_vetoed_by_first_kind(struct kunit *test)
{
	expect_veto(test, FS_BPIO_OP_QUERY);
}

/* ---- counts and pauses: sequences --------------------------------------- */

enum act {
	END,
	ENABLE,
	DISABLE,
	PAUSE,			/* STREAM_PAUSE */
	RESUME,			/* STREAM_RESUME that nobody vetoes */
};

/* An act on stream 0 or 1, its result, and the state that it leaves. */
struct step {
	enum act act;
	unsigned int stream;
	bool result;		/* tell storage; drain */
	u32 open_count;
	u32 active_count;
	bool paused;
};

struct sequence {
	const char *name;
	struct step step[10];
};

static const struct sequence sequences[] = {
	{ "R-FS-8: ENABLE, DISABLE", {
		{ ENABLE, 0, true, 1, 1, false },
		{ DISABLE, 0, true, 0, 0, false } } },
	{ "R-FS-8: two opens of one file", {
		{ ENABLE, 0, true, 1, 1, false },
		{ ENABLE, 0, false, 2, 2, false },
		{ DISABLE, 0, false, 1, 1, false },
		{ DISABLE, 0, true, 0, 0, false } } },
	{ "R-FS-9: opens of two files", {
		{ ENABLE, 0, true, 1, 1, false },
		{ ENABLE, 1, false, 1, 2, false },
		{ ENABLE, 1, false, 2, 3, false },
		{ DISABLE, 0, false, 0, 2, false },
		{ DISABLE, 1, false, 1, 1, false },
		{ DISABLE, 1, true, 0, 0, false } } },
	{ "R-FS-10: storage is told of every 0 to 1 and 1 to 0", {
		{ ENABLE, 0, true, 1, 1, false },
		{ DISABLE, 0, true, 0, 0, false },
		{ ENABLE, 1, true, 1, 1, false },
		{ ENABLE, 0, false, 1, 2, false },
		{ DISABLE, 1, false, 0, 1, false },
		{ DISABLE, 0, true, 0, 0, false },
		{ ENABLE, 0, true, 1, 1, false },
		{ DISABLE, 0, true, 0, 0, false } } },
	{ "R-FS-60: STREAM_PAUSE with nothing enabled leaves nothing", {
		{ PAUSE, 0, false, 0, 0, false },
		{ ENABLE, 0, true, 1, 1, false } } },
	{ "R-FS-60: the stream's count decides, not the volume's", {
		{ ENABLE, 1, true, 1, 1, false },
		{ PAUSE, 0, false, 0, 1, false } } },
	{ "R-FS-61: STREAM_PAUSE is not counted", {
		{ ENABLE, 0, true, 1, 1, false },
		{ PAUSE, 0, true, 1, 1, true },
		{ PAUSE, 0, true, 1, 1, true },
		{ RESUME, 0, true, 1, 1, false } } },
	{ "R-FS-61: pause, resume, pause again", {
		{ ENABLE, 0, true, 1, 1, false },
		{ PAUSE, 0, true, 1, 1, true },
		{ RESUME, 0, true, 1, 1, false },
		{ RESUME, 0, true, 1, 1, false },
		{ PAUSE, 0, true, 1, 1, true } } },
	{ "R-FS-62: other streams are not paused", {
		{ ENABLE, 0, true, 1, 1, false },
		{ ENABLE, 1, false, 1, 2, false },
		{ PAUSE, 0, true, 1, 2, true },
		{ ENABLE, 1, false, 2, 3, false } } },
	{ "R-FS-25: ENABLE does not end a pause", {
		{ ENABLE, 0, true, 1, 1, false },
		{ PAUSE, 0, true, 1, 1, true },
		{ ENABLE, 0, false, 2, 2, true } } },
	{ "R-FS-63: the pause ends with the last enabled open", {
		{ ENABLE, 0, true, 1, 1, false },
		{ ENABLE, 0, false, 2, 2, false },
		{ PAUSE, 0, true, 2, 2, true },
		{ DISABLE, 0, false, 1, 1, true },
		{ DISABLE, 0, true, 0, 0, false },
		{ ENABLE, 0, true, 1, 1, false } } },
	{ "R-FS-63: another file keeps the volume, not the pause", {
		{ ENABLE, 0, true, 1, 1, false },
		{ ENABLE, 1, false, 1, 2, false },
		{ PAUSE, 0, true, 1, 2, true },
		{ DISABLE, 0, false, 0, 1, false } } },
	{ "R-FS-63: the last open of another file ends no pause", {
		{ ENABLE, 0, true, 1, 1, false },
		{ ENABLE, 1, false, 1, 2, false },
		{ PAUSE, 0, true, 1, 2, true },
		{ DISABLE, 1, false, 0, 1, false },
		{ ENABLE, 0, false, 2, 2, true } } },
};

static void sequence_desc(const struct sequence *sequence, char *desc)
{
	strscpy(desc, sequence->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sequences, sequences, sequence_desc);

static void sequence_leads_to_state(struct kunit *test)
{
	const struct sequence *sequence = test->param_value;
	struct bpiofs_stream_state streams[2] = {};
	struct bpiofs_volume_state vol = {};
	const struct step *step;

	for (step = sequence->step; step->act; step++) {
		struct bpiofs_stream_state *stream = &streams[step->stream];
		const int nr = step - sequence->step;
		bool result = true;

		switch (step->act) {
		case ENABLE:
			result = bpiofs_state_enable(&vol, stream);
			break;
		case DISABLE:
			result = bpiofs_state_disable(&vol, stream);
			break;
		case PAUSE:
			result = bpiofs_state_pause_stream(stream);
			break;
		case RESUME:
			stream->stream_paused = false;
			break;
		case END:
			break;
		}
		KUNIT_EXPECT_EQ_MSG(test, result, step->result, "step %d", nr);
		KUNIT_EXPECT_EQ_MSG(test, stream->open_count, step->open_count,
				    "step %d", nr);
		KUNIT_EXPECT_EQ_MSG(test, vol.active_count, step->active_count,
				    "step %d", nr);
		KUNIT_EXPECT_EQ_MSG(test, stream->stream_paused, step->paused,
				    "step %d", nr);
	}
	/* None of these is the volume's, or storage's, business. */
	KUNIT_EXPECT_FALSE(test, vol.vol_paused);
	KUNIT_EXPECT_FALSE(test, vol.filter_blocked);
}

/* R-FS-26: ENABLE tells storage of 0 to 1 in spite of a volume pause. */
static void enable_while_volume_paused_tells_storage(struct kunit *test)
{
	struct bpiofs_volume_state vol = { .vol_paused = true };
	struct bpiofs_stream_state stream = {};

	KUNIT_EXPECT_TRUE(test, bpiofs_state_enable(&vol, &stream));
	KUNIT_EXPECT_TRUE(test, vol.vol_paused);
	KUNIT_EXPECT_TRUE(test, bpiofs_state_disable(&vol, &stream));
	KUNIT_EXPECT_TRUE(test, vol.vol_paused);
}

/* ---- what storage said -------------------------------------------------- */

struct verdict_row {
	const char *name;
	u32 active_count;
	bool vol_paused;
	enum bpiofs_storage_state before;
	u32 resume_operation;	/* what VOLUME_STACK_RESUME asks */
	unsigned int closed;	/* why the gate is */
};

static const struct verdict_row resumes[] = {
	{ "R-FS-55: nothing enabled, idle", 0, false, BPIOFS_STG_IDLE, 0 },
	{ "R-FS-55: nothing enabled, paused", 0, true, BPIOFS_STG_IDLE, 0 },
	{ "R-FS-55: nothing enabled, active before", 0, true,
	  BPIOFS_STG_ACTIVE, 0 },
	{ "R-FS-55: nothing enabled, vetoed before", 0, true,
	  BPIOFS_STG_VETOED, 0 },
	{ "R-FS-56: active, QUERY", 1, false, BPIOFS_STG_ACTIVE,
	  BPIO_OP_QUERY },
	{ "R-FS-56: active and paused, QUERY", 1, true, BPIOFS_STG_ACTIVE,
	  BPIO_OP_QUERY },
	{ "R-FS-56: vetoed, ENABLE", 1, false, BPIOFS_STG_VETOED,
	  BPIO_OP_ENABLE },
	{ "R-FS-56: vetoed and paused, ENABLE", 1, true, BPIOFS_STG_VETOED,
	  BPIO_OP_ENABLE },
	{ "R-FS-56: many opens, vetoed", U32_MAX, false, BPIOFS_STG_VETOED,
	  BPIO_OP_ENABLE },
	{ "R-FS-56: many opens, active", U32_MAX, false, BPIOFS_STG_ACTIVE,
	  BPIO_OP_QUERY },
	{ "R-FS-56: active, suspended, QUERY", 1, false, BPIOFS_STG_ACTIVE,
	  BPIO_OP_QUERY, BIT(BPIO_GATE_SUSPENDED) | BIT(BPIO_GATE_PAUSED) },
	{ "R-STG-7: the gate closed by a veto, ENABLE", 1, false,
	  BPIOFS_STG_ACTIVE, BPIO_OP_ENABLE, BIT(BPIO_GATE_VETOED) },
	{ "R-STG-7: disabled by /dev/bpio, ENABLE", 1, false,
	  BPIOFS_STG_ACTIVE, BPIO_OP_ENABLE, BIT(BPIO_GATE_IDLE) },
	{ "R-FS-55: nothing enabled, idle gate", 0, false, BPIOFS_STG_IDLE, 0,
	  BIT(BPIO_GATE_IDLE) | BIT(BPIO_GATE_VETOED) },
};

static void resume_desc(const struct verdict_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(resumes, resumes, resume_desc);

static void volume_resume_asks_storage(struct kunit *test)
{
	const struct verdict_row *row = test->param_value;
	const struct bpiofs_volume_state vol = {
		.active_count = row->active_count,
		.vol_paused = row->vol_paused,
		.stg_state = row->before,
	};

	KUNIT_EXPECT_EQ(test, bpiofs_state_resume_operation(&vol, row->closed),
			row->resume_operation);
}

/* ---- what pauses, and what suspends ------------------------------------- */

enum act_on_volume { V_ENABLE, V_DISABLE, V_PAUSE, V_RESUME, V_VETO, V_AGREE,
		     V_OBJECT, V_END };

/* R-STG-10, R-FS-55, R-FS-56: one act after the other, and what is paused. */
struct pause_row {
	const char *name;
	struct {
		enum act_on_volume act;
		unsigned int paused;
	} step[8];
};

#define BY_REQUEST	BPIOFS_PAUSED_BY_REQUEST
#define BY_VETO		BPIOFS_PAUSED_BY_VETO

static const struct pause_row pauses[] = {
	{ "a veto pauses what is active, its end resumes", {
		{ V_ENABLE, 0 }, { V_AGREE, 0 }, { V_VETO, BY_VETO },
		{ V_OBJECT, BY_VETO }, { V_AGREE, 0 }, { V_END } } },
	{ "a veto pauses nothing that is not enabled", {
		{ V_VETO, 0 }, { V_ENABLE, 0 }, { V_OBJECT, 0 }, { V_END } } },
	{ "a veto pauses nothing that is vetoed already", {
		{ V_ENABLE, 0 }, { V_OBJECT, 0 }, { V_VETO, 0 }, { V_END } } },
	{ "its end leaves the pause of a user", {
		{ V_ENABLE, 0 }, { V_AGREE, 0 }, { V_PAUSE, BY_REQUEST },
		{ V_VETO, BY_REQUEST | BY_VETO }, { V_AGREE, BY_REQUEST },
		{ V_RESUME, 0 }, { V_END } } },
	{ "a user's RESUME ends both", {
		{ V_ENABLE, 0 }, { V_AGREE, 0 }, { V_PAUSE, BY_REQUEST },
		{ V_VETO, BY_REQUEST | BY_VETO }, { V_RESUME, 0 },
		{ V_OBJECT, 0 }, { V_END } } },
	{ "it ends with the last enabled open", {
		{ V_ENABLE, 0 }, { V_ENABLE, 0 }, { V_AGREE, 0 },
		{ V_VETO, BY_VETO }, { V_DISABLE, BY_VETO },
		{ V_DISABLE, 0 }, { V_END } } },
	{ "R-FS-52: the pause of a user does not", {
		{ V_ENABLE, 0 }, { V_AGREE, 0 }, { V_PAUSE, BY_REQUEST },
		{ V_VETO, BY_REQUEST | BY_VETO }, { V_DISABLE, BY_REQUEST },
		{ V_END } } },
};

static void pause_desc(const struct pause_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pauses, pauses, pause_desc);

static void pause_ends_with_its_reason(struct kunit *test)
{
	static const struct bpio_results no_veto;
	static const struct bpio_results veto = {
		.op_status = STATUS_NOT_SUPPORTED_WITH_SNAPSHOT,
	};
	const struct pause_row *row = test->param_value;
	struct bpiofs_stream_state stream = {};
	struct bpiofs_volume_state vol = {};
	unsigned int i;

	for (i = 0; row->step[i].act != V_END; i++) {
		const unsigned int before = vol.vol_paused;

		switch (row->step[i].act) {
		case V_ENABLE:
			bpiofs_state_enable(&vol, &stream);
			break;
		case V_DISABLE:
			bpiofs_state_disable(&vol, &stream);
			break;
		case V_PAUSE:
			vol.vol_paused |= BY_REQUEST;
			break;
		case V_RESUME:
			vol.vol_paused = 0;
			break;
		case V_VETO:
			KUNIT_EXPECT_EQ_MSG(test,
					    bpiofs_state_pause_by_veto(&vol),
					    vol.vol_paused != before,
					    "step %u", i);
			break;
		case V_AGREE:
			bpiofs_state_verdict(&vol, &no_veto);
			break;
		case V_OBJECT:
			bpiofs_state_verdict(&vol, &veto);
			break;
		case V_END:
			break;
		}
		KUNIT_EXPECT_EQ_MSG(test, vol.vol_paused, row->step[i].paused,
				    "step %u", i);
	}
}

struct suspended_row {
	const char *name;
	u32 active_count;
	unsigned int vol_paused;
	enum bpiofs_storage_state stg_state;
	unsigned int closed;
	unsigned int by;
};

#define GATE(reason)	BIT(BPIO_GATE_##reason)
#define BY(suspension)	BIT(BPIOFS_SUSPENDED_##suspension)

static const struct suspended_row suspended[] = {
	{ "nothing enabled", 0, 0, BPIOFS_STG_IDLE, GATE(IDLE), 0 },
	{ "nothing enabled, no storage layer", 0, 0, BPIOFS_STG_IDLE, 0, 0 },
	{ "nothing enabled, ENABLE refused once", 0, 0, BPIOFS_STG_IDLE,
	  GATE(IDLE) | GATE(VETOED), 0 },
	{ "enabled, open", 1, 0, BPIOFS_STG_ACTIVE, 0, 0 },
	{ "paused, nothing enabled", 0, BY_REQUEST, BPIOFS_STG_IDLE,
	  GATE(IDLE) | GATE(PAUSED), BY(PAUSE) },
	{ "paused, no storage layer", 1, BY_REQUEST, BPIOFS_STG_VETOED, 0,
	  BY(PAUSE) },
	{ "paused by a veto", 1, BY_VETO, BPIOFS_STG_VETOED,
	  GATE(PAUSED) | GATE(VETOED), BY(VETO) },
	{ "paused by a veto that is gone", 1, BY_VETO, BPIOFS_STG_ACTIVE,
	  GATE(PAUSED), BY(VETO) },
	{ "closed by a veto that is gone", 1, 0, BPIOFS_STG_ACTIVE,
	  GATE(VETOED), BY(VETO) },
	{ "ENABLE refused", 1, 0, BPIOFS_STG_VETOED,
	  GATE(IDLE) | GATE(VETOED), BY(VETO) },
	{ "dm suspend", 1, 0, BPIOFS_STG_ACTIVE, GATE(SUSPENDED),
	  BY(SUSPEND) },
	{ "dm suspend, nothing enabled", 0, 0, BPIOFS_STG_IDLE,
	  GATE(IDLE) | GATE(SUSPENDED), BY(SUSPEND) },
	{ "disabled by /dev/bpio", 1, 0, BPIOFS_STG_ACTIVE, GATE(IDLE),
	  BY(DISABLE) },
	{ "all of them", 1, BY_REQUEST | BY_VETO, BPIOFS_STG_ACTIVE,
	  GATE(IDLE) | GATE(PAUSED) | GATE(VETOED) | GATE(SUSPENDED),
	  BY(PAUSE) | BY(VETO) | BY(SUSPEND) | BY(DISABLE) },
};

static void suspended_desc(const struct suspended_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(suspended, suspended, suspended_desc);

static void suspension_is_named(struct kunit *test)
{
	const struct suspended_row *row = test->param_value;
	const struct bpiofs_volume_state vol = {
		.active_count = row->active_count,
		.vol_paused = row->vol_paused,
		.stg_state = row->stg_state,
	};

	KUNIT_EXPECT_EQ(test, bpiofs_state_suspended_by(&vol, row->closed),
			row->by);
}

/* The tools know these words. */
static void every_suspension_has_its_name(struct kunit *test)
{
	static const char *const names[] = { "pause", "veto", "suspend",
					     "disable", "mount" };
	unsigned int i;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(names), (size_t)BPIOFS_SUSPENDED_NR);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_STREQ(test, bpiofs_suspension_name(i), names[i]);
}

/* ---- what is remembered ------------------------------------------------- */

/* R-FS-13: storage's words are kept to the byte, and the last ones count. */
static void verdict_is_remembered(struct kunit *test)
{
	struct bpio_results veto = {
		.op_status = STATUS_NOT_SUPPORTED_WITH_ENCRYPTION,
		.failing_driver_name_len = 2,
		.failing_driver_name = { 'd', 'm' },
		.failure_reason_len = 128,
	};
	static const struct bpio_results no_veto;
	struct bpiofs_volume_state vol = { .active_count = 2 };

	memset(veto.failure_reason, 'r', sizeof(veto.failure_reason));

	bpiofs_state_verdict(&vol, &veto);
	KUNIT_EXPECT_EQ(test, vol.stg_state, BPIOFS_STG_VETOED);
	KUNIT_EXPECT_EQ(test, memcmp(&vol.stg_results, &veto, sizeof(veto)), 0);
	KUNIT_EXPECT_EQ(test, vol.active_count, 2u);

	bpiofs_state_verdict(&vol, &veto);
	KUNIT_EXPECT_EQ(test, vol.stg_state, BPIOFS_STG_VETOED);

	bpiofs_state_verdict(&vol, &no_veto);
	KUNIT_EXPECT_EQ(test, vol.stg_state, BPIOFS_STG_ACTIVE);
	KUNIT_EXPECT_EQ(test, memcmp(&vol.stg_results, &no_veto,
				     sizeof(no_veto)), 0);

	bpiofs_state_verdict(&vol, &veto);
	KUNIT_EXPECT_EQ(test, vol.stg_state, BPIOFS_STG_VETOED);
	KUNIT_EXPECT_EQ(test, vol.active_count, 2u);
}

/* R-FS-15: any OpStatus but 0 is an objection, whatever its severity. */
static void any_op_status_is_an_objection(struct kunit *test)
{
	static const s32 statuses[] = {
		STATUS_NO_BYPASSIO_DRIVER_SUPPORT, STATUS_BUFFER_OVERFLOW,
		STATUS_PENDING,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct bpiofs_volume_state vol = { .active_count = 1 };
		struct bpio_results results = { .op_status = statuses[i] };

		bpiofs_state_verdict(&vol, &results);
		KUNIT_EXPECT_EQ(test, vol.stg_state, BPIOFS_STG_VETOED);
	}
}

/* ---- 6.0: the path of a read -------------------------------------------- */

enum {
	READ_ENABLED		= BIT(0),
	READ_DIRECT		= BIT(1),
	READ_BLOCKED		= BIT(2),
	READ_STREAM_PAUSED	= BIT(3),
	READ_CACHED_USERS	= BIT(4),
	READ_VOLUME_PAUSED	= BIT(5),
	READ_STORAGE_ACTIVE	= BIT(6),
	READ_STORAGE_VETOED	= BIT(7),	/* neither: idle */
	READ_SPARSE		= BIT(8),
	READ_NR			= BIT(9),
};

/*
 * The table, first match: the bits of @mask have to be as in @value.  @nr is
 * the number of combinations that are left for the row.
 */
struct path_row {
	const char *name;
	unsigned int mask, value;
	enum bpiofs_path path;
	enum bpiofs_why why;
	unsigned int nr;
};

static const struct path_row paths[] = {
	{ "6.0: open not enabled", READ_ENABLED, 0,
	  BPIOFS_PATH_TRADITIONAL, BPIOFS_WHY_NOT_ENABLED, 192 },
	{ "6.0, R-FS-2: cached read", READ_DIRECT, 0,
	  BPIOFS_PATH_TRADITIONAL, BPIOFS_WHY_CACHED_IO, 96 },
	{ "6.0, R-FS-87: filter blocked", READ_BLOCKED, READ_BLOCKED,
	  BPIOFS_PATH_TRADITIONAL, BPIOFS_WHY_FILTER_BLOCKED, 48 },
	{ "6.0, R-FS-61: stream paused", READ_STREAM_PAUSED,
	  READ_STREAM_PAUSED,
	  BPIOFS_PATH_TRADITIONAL, BPIOFS_WHY_STREAM_PAUSED, 24 },
	{ "6.0, R-FS-80: cached users", READ_CACHED_USERS, READ_CACHED_USERS,
	  BPIOFS_PATH_TRADITIONAL, BPIOFS_WHY_CACHED_USERS, 12 },
	{ "6.0, R-FS-82: sparse", READ_SPARSE, READ_SPARSE,
	  BPIOFS_PATH_TRADITIONAL, BPIOFS_WHY_SPARSE, 6 },
	{ "6.0, R-FS-51: volume paused", READ_VOLUME_PAUSED,
	  READ_VOLUME_PAUSED,
	  BPIOFS_PATH_PARTIAL, BPIOFS_WHY_VOLUME_PAUSED, 3 },
	{ "6.0, R-FS-11: storage vetoed", READ_STORAGE_VETOED,
	  READ_STORAGE_VETOED,
	  BPIOFS_PATH_PARTIAL, BPIOFS_WHY_STORAGE_VETO, 1 },
	{ "6.0: storage idle", READ_STORAGE_ACTIVE, 0,
	  BPIOFS_PATH_PARTIAL, BPIOFS_WHY_STORAGE_VETO, 1 },
	{ "6.0: else full", 0, 0, BPIOFS_PATH_FULL, BPIOFS_WHY_NONE, 1 },
};

static void path_desc(const struct path_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(paths, paths, path_desc);

static const struct path_row *path_row_of(unsigned int bits)
{
	const struct path_row *row = paths;

	while ((bits & row->mask) != row->value)
		row++;
	return row;
}

/* All combinations that belong to a row of the table. */
static void read_takes_path(struct kunit *test)
{
	const struct path_row *row = test->param_value;
	unsigned int bits, nr = 0;

	for (bits = 0; bits < READ_NR; bits++) {
		const struct bpiofs_volume_state vol = {
			.active_count = 1,
			.vol_paused = bits & READ_VOLUME_PAUSED,
			.filter_blocked = bits & READ_BLOCKED,
			.stg_state = bits & READ_STORAGE_ACTIVE ?
					BPIOFS_STG_ACTIVE :
				     bits & READ_STORAGE_VETOED ?
					BPIOFS_STG_VETOED : BPIOFS_STG_IDLE,
			.stg_compatible = bits & 1,	/* does not matter */
		};
		const struct bpiofs_stream_state stream = {
			.open_count = 1,
			.stream_paused = bits & READ_STREAM_PAUSED,
			.sparse = bits & READ_SPARSE,
		};
		enum bpiofs_why why = BPIOFS_WHY_NR;
		enum bpiofs_path path;

		if (bits & READ_STORAGE_ACTIVE && bits & READ_STORAGE_VETOED)
			continue;
		if (path_row_of(bits) != row)
			continue;
		nr++;
		path = bpiofs_state_path(&vol, &stream, bits & READ_ENABLED,
					 bits & READ_DIRECT,
					 bits & READ_CACHED_USERS, &why);
		KUNIT_EXPECT_EQ_MSG(test, path, row->path, "state %#x", bits);
		KUNIT_EXPECT_EQ_MSG(test, why, row->why, "state %#x", bits);
	}
	KUNIT_EXPECT_EQ(test, nr, row->nr);
}

/* The life of one open, from the first ENABLE to the end (6.2, 6.4). */
static void open_goes_through_all_paths(struct kunit *test)
{
	static const struct bpio_results no_veto;
	static const struct bpio_results veto = {
		.op_status = STATUS_NOT_SUPPORTED_WITH_SNAPSHOT,
	};
	struct bpiofs_volume_state vol = {};
	struct bpiofs_stream_state stream = {};
	enum bpiofs_why why;

#define EXPECT_PATH(_enabled, _cached, _path)				\
	KUNIT_EXPECT_EQ(test, bpiofs_state_path(&vol, &stream, _enabled, \
						true, _cached, &why), _path)

	EXPECT_PATH(false, false, BPIOFS_PATH_TRADITIONAL);
	KUNIT_EXPECT_TRUE(test, bpiofs_state_enable(&vol, &stream));
	EXPECT_PATH(true, false, BPIOFS_PATH_PARTIAL);	/* not asked yet */
	bpiofs_state_verdict(&vol, &veto);		/* R-FS-11 */
	EXPECT_PATH(true, false, BPIOFS_PATH_PARTIAL);
	vol.vol_paused = true;				/* R-FS-51 */
	EXPECT_PATH(true, false, BPIOFS_PATH_PARTIAL);
	vol.vol_paused = false;				/* R-FS-56 */
	KUNIT_EXPECT_EQ(test, bpiofs_state_resume_operation(&vol, 0),
			(u32)BPIO_OP_ENABLE);
	bpiofs_state_verdict(&vol, &no_veto);
	EXPECT_PATH(true, false, BPIOFS_PATH_FULL);
	EXPECT_PATH(false, false, BPIOFS_PATH_TRADITIONAL);	/* R-FS-1 */
	EXPECT_PATH(true, true, BPIOFS_PATH_TRADITIONAL);	/* R-FS-80 */
	EXPECT_PATH(true, false, BPIOFS_PATH_FULL);
	stream.sparse = true;
	EXPECT_PATH(true, false, BPIOFS_PATH_TRADITIONAL);	/* R-FS-82 */
	stream.sparse = false;
	EXPECT_PATH(true, false, BPIOFS_PATH_FULL);
	KUNIT_EXPECT_TRUE(test, bpiofs_state_pause_stream(&stream));
	EXPECT_PATH(true, false, BPIOFS_PATH_TRADITIONAL);	/* R-FS-61 */
	vol.vol_paused = true;
	EXPECT_PATH(true, false, BPIOFS_PATH_TRADITIONAL);
	stream.stream_paused = false;				/* R-FS-66 */
	EXPECT_PATH(true, false, BPIOFS_PATH_PARTIAL);
	vol.vol_paused = false;
	vol.filter_blocked = true;				/* R-FS-87 */
	EXPECT_PATH(true, false, BPIOFS_PATH_TRADITIONAL);
	vol.filter_blocked = false;
	EXPECT_PATH(true, false, BPIOFS_PATH_FULL);
	KUNIT_EXPECT_TRUE(test, bpiofs_state_disable(&vol, &stream));
	EXPECT_PATH(false, false, BPIOFS_PATH_TRADITIONAL);
#undef EXPECT_PATH
}

/* ---- names of reasons --------------------------------------------------- */

struct why_row {
	enum bpiofs_why why;
	const char *name;
};

static const struct why_row whys[] = {
	{ BPIOFS_WHY_NONE, "none" },
	{ BPIOFS_WHY_NOT_ENABLED, "not_enabled" },
	{ BPIOFS_WHY_CACHED_IO, "cached_io" },
	{ BPIOFS_WHY_FILTER_BLOCKED, "filter_blocked" },
	{ BPIOFS_WHY_STREAM_PAUSED, "stream_paused" },
	{ BPIOFS_WHY_CACHED_USERS, "cached_users" },
	{ BPIOFS_WHY_SPARSE, "sparse" },
	{ BPIOFS_WHY_VOLUME_PAUSED, "volume_paused" },
	{ BPIOFS_WHY_STORAGE_VETO, "storage_veto" },
	{ BPIOFS_WHY_GATE_CLOSED, "gate_closed" },
	{ BPIOFS_WHY_LAYOUT_CHANGING, "layout_changing" },
	{ BPIOFS_WHY_NOT_MAPPED, "not_mapped" },
	{ BPIOFS_WHY_NOT_ALIGNED, "not_aligned" },
	{ BPIOFS_WHY_NOT_EXCLUSIVE, "not_exclusive" },
	{ BPIOFS_WHY_NO_MEMORY, "no_memory" },
	{ BPIOFS_WHY_IO_ERROR, "io_error" },
};

/* The tools show these words: they are part of the ABI. */
static void every_reason_has_its_name(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(whys), (size_t)BPIOFS_WHY_NR);
	for (i = 0; i < ARRAY_SIZE(whys); i++)
		KUNIT_EXPECT_STREQ(test, bpiofs_why_name(whys[i].why),
				   whys[i].name);
}

static void every_path_has_its_name(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, (int)BPIOFS_PATH_NR, 3);
	KUNIT_EXPECT_STREQ(test, bpiofs_path_name(BPIOFS_PATH_FULL), "full");
	KUNIT_EXPECT_STREQ(test, bpiofs_path_name(BPIOFS_PATH_PARTIAL),
			   "partial");
	KUNIT_EXPECT_STREQ(test, bpiofs_path_name(BPIOFS_PATH_TRADITIONAL),
			   "traditional");
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(request_is_judged, check_gen_params),
	KUNIT_CASE_PARAM(earlier_fault_wins, faults_gen_params),
	KUNIT_CASE_PARAM(information_is_by_operation, returned_gen_params),
	KUNIT_CASE_PARAM(out_flag_is_set_when_specified, out_flags_gen_params),
	KUNIT_CASE(out_flags_know_no_veto),
	KUNIT_CASE_PARAM(enable_is_vetoed_by_first_kind, kinds_gen_params),
	KUNIT_CASE_PARAM(query_is_vetoed_by_first_kind, kinds_gen_params),
	KUNIT_CASE_PARAM(sequence_leads_to_state, sequences_gen_params),
	KUNIT_CASE(enable_while_volume_paused_tells_storage),
	KUNIT_CASE_PARAM(volume_resume_asks_storage, resumes_gen_params),
	KUNIT_CASE_PARAM(pause_ends_with_its_reason, pauses_gen_params),
	KUNIT_CASE_PARAM(suspension_is_named, suspended_gen_params),
	KUNIT_CASE(every_suspension_has_its_name),
	KUNIT_CASE(verdict_is_remembered),
	KUNIT_CASE(any_op_status_is_an_objection),
	KUNIT_CASE_PARAM(read_takes_path, paths_gen_params),
	KUNIT_CASE(open_goes_through_all_paths),
	KUNIT_CASE(every_reason_has_its_name),
	KUNIT_CASE(every_path_has_its_name),
	{}
};

static struct kunit_suite state_suite = {
	.name = "bpiofs_state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
