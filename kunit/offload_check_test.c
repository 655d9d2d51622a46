// SPDX-License-Identifier: GPL-2.0
/*
 * The numeric checks and trimming of FSCTL_OFFLOAD_READ and
 * FSCTL_OFFLOAD_WRITE against protocol 9.1 and 9.2.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include "offload-check.h"

/* ---- OR-9 to OR-13, OW-6 to OW-9 ---------------------------------------- */

enum request_field {
	UNCHANGED,
	INPUT_LENGTH,
	OUTPUT_LENGTH,
	STRUCT_SIZE,
	FLAGS,
	TTL,
	RESERVED,
	FILE_OFFSET,
	COPY_LENGTH,
	TRANSFER_OFFSET,
	TOKEN_BYTE,
	SECTOR,
	FILE_SIZE,
};

struct change {
	enum request_field field;
	u64 value;
};

struct check_row {
	const char *name;
	struct change change[4];
	s32 status;
};

/* A FSCTL_OFFLOAD_READ or FSCTL_OFFLOAD_WRITE and what it is held against. */
struct request {
	union {
		struct fsctl_offload_read_input read;
		struct fsctl_offload_write_input write;
	};
	u32 input_length;
	u32 output_length;
	u32 sector;
	u64 file_size;
};

static const struct request good_read = {
	.read = { .size = 32, .file_offset = 4096, .copy_length = 8192 },
	.input_length = 32,
	.output_length = 528,
	.sector = 512,
	.file_size = 65536,
};

static const struct request good_write = {
	.write = {
		.size = 544,
		.file_offset = 4096,
		.copy_length = 8192,
		.transfer_offset = 512,
	},
	.input_length = 544,
	.output_length = 16,
	.sector = 512,
	.file_size = 65536,
};

static void apply(struct request *req, const struct change *change, bool write)
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
	case STRUCT_SIZE:
		req->read.size = change->value;	/* at 0 in both */
		break;
	case FLAGS:
		req->read.flags = change->value;	/* at 4 in both */
		break;
	case TTL:
		req->read.token_time_to_live = change->value;
		break;
	case RESERVED:
		req->read.reserved = change->value;
		break;
	case FILE_OFFSET:
		if (write)
			req->write.file_offset = change->value;
		else
			req->read.file_offset = change->value;
		break;
	case COPY_LENGTH:
		if (write)
			req->write.copy_length = change->value;
		else
			req->read.copy_length = change->value;
		break;
	case TRANSFER_OFFSET:
		req->write.transfer_offset = change->value;
		break;
	case TOKEN_BYTE:
		memset(&req->write.token, change->value,
		       sizeof(req->write.token));
		break;
	case SECTOR:
		req->sector = change->value;
		break;
	case FILE_SIZE:
		req->file_size = change->value;
		break;
	}
}

/* The input lies in a buffer of its length, so that KASAN sees a look past it. */
static s32 check(struct kunit *test, const struct request *req, bool write)
{
	const size_t structure = write ? sizeof(req->write) : sizeof(req->read);
	const size_t length = min_t(size_t, req->input_length, SZ_4K);
	void *input = NULL;

	if (length) {
		input = kunit_kzalloc(test, length, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, input);
		memcpy(input, req, min(length, structure));
	}
	if (write)
		return bpiofs_check_offload_write(input, req->input_length,
						  req->output_length,
						  req->sector, req->file_size);
	return bpiofs_check_offload_read(input, req->input_length,
					 req->output_length, req->sector,
					 req->file_size);
}

static void expect_check(struct kunit *test, bool write)
{
	const struct check_row *row = test->param_value;
	struct request req = write ? good_write : good_read;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row->change); i++)
		apply(&req, &row->change[i], write);
	KUNIT_EXPECT_EQ(test, check(test, &req, write), row->status);
}

static void check_row_desc(const struct check_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

#define LAST_SECTOR	(U64_MAX - 511)		/* of 64 bits */

static const struct check_row read_rows[] = {
	{ "good", {}, STATUS_SUCCESS },
	{ "1.1: longer buffers",
	  { { INPUT_LENGTH, 4096 }, { OUTPUT_LENGTH, 4096 } }, STATUS_SUCCESS },
	{ "1: Flags, Reserved and TTL are not looked at",
	  { { FLAGS, U32_MAX }, { RESERVED, U32_MAX }, { TTL, U32_MAX } },
	  STATUS_SUCCESS },

	{ "(111) OR-9: input 31", { { INPUT_LENGTH, 31 } }, STATUS_BUFFER_TOO_SMALL },
	{ "OR-9: no input", { { INPUT_LENGTH, 0 } }, STATUS_BUFFER_TOO_SMALL },
	{ "(111) OR-9: output 527", { { OUTPUT_LENGTH, 527 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "OR-9: no output", { { OUTPUT_LENGTH, 0 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "OR-9: input 33, output 529",
	  { { INPUT_LENGTH, 33 }, { OUTPUT_LENGTH, 529 } }, STATUS_SUCCESS },

	{ "OR-10: FileOffset 0", { { FILE_OFFSET, 0 } }, STATUS_SUCCESS },
	{ "OR-10: FileOffset 511", { { FILE_OFFSET, 511 } },
	  STATUS_INVALID_PARAMETER },
	{ "(112) OR-10: FileOffset 513", { { FILE_OFFSET, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-10: FileOffset 512, sector 512", { { FILE_OFFSET, 512 } },
	  STATUS_SUCCESS },
	{ "OR-10: FileOffset 512, sector 4096",
	  { { FILE_OFFSET, 512 }, { SECTOR, 4096 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-10: FileOffset 4 GiB + 1",
	  { { FILE_OFFSET, SZ_4G + 1 }, { FILE_SIZE, S64_MAX } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-10: no exception for ending at EOF",
	  { { FILE_OFFSET, 100 }, { COPY_LENGTH, 65436 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-10: FileOffset past EOF is not judged here",
	  { { FILE_OFFSET, SZ_1M } }, STATUS_SUCCESS },

	{ "(112) OR-11: CopyLength 513", { { COPY_LENGTH, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-11: CopyLength 1", { { COPY_LENGTH, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-11: CopyLength 512, sector 4096",
	  { { COPY_LENGTH, 512 }, { SECTOR, 4096 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-11: unaligned, ends exactly at EOF",
	  { { COPY_LENGTH, 5904 }, { FILE_SIZE, 10000 } }, STATUS_SUCCESS },
	{ "OR-11: unaligned, ends a byte before EOF",
	  { { COPY_LENGTH, 5903 }, { FILE_SIZE, 10000 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-11: unaligned, ends a byte past EOF",
	  { { COPY_LENGTH, 5905 }, { FILE_SIZE, 10000 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-11: the one byte before EOF",
	  { { COPY_LENGTH, 1 }, { FILE_SIZE, 4097 } }, STATUS_SUCCESS },
	{ "OR-11: ends at EOF, sector 4096",
	  { { COPY_LENGTH, 5904 }, { FILE_SIZE, 10000 }, { SECTOR, 4096 } },
	  STATUS_SUCCESS },
	{ "OR-11: aligned, crosses EOF", { { COPY_LENGTH, SZ_1M } },
	  STATUS_SUCCESS },
	{ "OR-11: ends at EOF of the largest file",
	  { { FILE_OFFSET, S64_MAX & ~511 }, { COPY_LENGTH, 511 },
	    { FILE_SIZE, S64_MAX } }, STATUS_SUCCESS },
	{ "OR-11: a sum that wraps around to EOF is not ending at it",
	  { { FILE_OFFSET, LAST_SECTOR }, { COPY_LENGTH, 512 + 10000 },
	    { FILE_SIZE, 10000 } }, STATUS_INVALID_PARAMETER },

	{ "(112) OR-12: Size 31", { { STRUCT_SIZE, 31 } }, STATUS_INVALID_PARAMETER },
	{ "OR-12: Size 33", { { STRUCT_SIZE, 33 } }, STATUS_INVALID_PARAMETER },
	{ "OR-12: Size 0", { { STRUCT_SIZE, 0 } }, STATUS_INVALID_PARAMETER },
	{ "OR-12: Size 40 of input 40",
	  { { STRUCT_SIZE, 40 }, { INPUT_LENGTH, 40 } },
	  STATUS_INVALID_PARAMETER },

	{ "(112) OR-13: sum is 2^64",
	  { { FILE_OFFSET, LAST_SECTOR }, { COPY_LENGTH, 512 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-13: sum is 2^64 - 512",
	  { { FILE_OFFSET, LAST_SECTOR - 512 }, { COPY_LENGTH, 512 } },
	  STATUS_SUCCESS },
	{ "OR-13: CopyLength 2^64 - 512 at 512",
	  { { FILE_OFFSET, 512 }, { COPY_LENGTH, LAST_SECTOR } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-13: CopyLength 2^64 - 512 at 0",
	  { { FILE_OFFSET, 0 }, { COPY_LENGTH, LAST_SECTOR } },
	  STATUS_SUCCESS },
	{ "OR-13: 2^63 and 2^63",
	  { { FILE_OFFSET, BIT_ULL(63) }, { COPY_LENGTH, BIT_ULL(63) } },
	  STATUS_INVALID_PARAMETER },

	{ "OR-14: CopyLength 0 passes", { { COPY_LENGTH, 0 } },
	  STATUS_SUCCESS },
	{ "OR-14: CopyLength 0, FileOffset unaligned",
	  { { COPY_LENGTH, 0 }, { FILE_OFFSET, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-14: CopyLength 0, Size 31",
	  { { COPY_LENGTH, 0 }, { STRUCT_SIZE, 31 } },
	  STATUS_INVALID_PARAMETER },
	{ "OR-17: a small file is not judged here",
	  { { FILE_OFFSET, 0 }, { COPY_LENGTH, 512 }, { FILE_SIZE, 0 } },
	  STATUS_SUCCESS },
};

KUNIT_ARRAY_PARAM(read, read_rows, check_row_desc);

static void read_request_is_judged(struct kunit *test)
{
	expect_check(test, false);
}

static const struct check_row write_rows[] = {
	{ "good", {}, STATUS_SUCCESS },
	{ "1.1: longer buffers",
	  { { INPUT_LENGTH, 4096 }, { OUTPUT_LENGTH, 4096 } }, STATUS_SUCCESS },
	{ "1: Flags are not looked at", { { FLAGS, U32_MAX } },
	  STATUS_SUCCESS },

	{ "(128) OW-6: input 543", { { INPUT_LENGTH, 543 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "OW-6: input 528, the page's slip", { { INPUT_LENGTH, 528 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "OW-6: no input", { { INPUT_LENGTH, 0 } }, STATUS_BUFFER_TOO_SMALL },
	{ "(128) OW-6: output 15", { { OUTPUT_LENGTH, 15 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "OW-6: no output", { { OUTPUT_LENGTH, 0 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "OW-6: input 545, output 17",
	  { { INPUT_LENGTH, 545 }, { OUTPUT_LENGTH, 17 } }, STATUS_SUCCESS },

	{ "OW-7: FileOffset 0", { { FILE_OFFSET, 0 } }, STATUS_SUCCESS },
	{ "OW-7: FileOffset 511", { { FILE_OFFSET, 511 } },
	  STATUS_INVALID_PARAMETER },
	{ "(129) OW-7: FileOffset 513", { { FILE_OFFSET, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: FileOffset 512, sector 4096",
	  { { FILE_OFFSET, 512 }, { SECTOR, 4096 }, { TRANSFER_OFFSET, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "(129) OW-7: CopyLength 513", { { COPY_LENGTH, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: CopyLength 512, sector 4096",
	  { { COPY_LENGTH, 512 }, { SECTOR, 4096 }, { TRANSFER_OFFSET, 0 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: CopyLength unaligned, ends exactly at EOF",
	  { { COPY_LENGTH, 5904 }, { FILE_SIZE, 10000 } }, STATUS_SUCCESS },
	{ "OW-7: CopyLength unaligned, ends a byte before EOF",
	  { { COPY_LENGTH, 5903 }, { FILE_SIZE, 10000 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: CopyLength unaligned, ends a byte past EOF",
	  { { COPY_LENGTH, 5905 }, { FILE_SIZE, 10000 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: a sum that wraps around to EOF is not ending at it",
	  { { FILE_OFFSET, LAST_SECTOR }, { COPY_LENGTH, 512 + 10000 },
	    { FILE_SIZE, 10000 } }, STATUS_INVALID_PARAMETER },
	{ "OW-7: TransferOffset 0", { { TRANSFER_OFFSET, 0 } },
	  STATUS_SUCCESS },
	{ "(129) OW-7: TransferOffset 1", { { TRANSFER_OFFSET, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: TransferOffset 511", { { TRANSFER_OFFSET, 511 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: TransferOffset 512, sector 4096", { { SECTOR, 4096 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: TransferOffset has no EOF exception",
	  { { TRANSFER_OFFSET, 1808 }, { FILE_SIZE, 10000 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: TransferOffset 2^64 - 512",
	  { { TRANSFER_OFFSET, LAST_SECTOR } }, STATUS_SUCCESS },

	{ "(129) OW-8: Size 543", { { STRUCT_SIZE, 543 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-8: Size 545", { { STRUCT_SIZE, 545 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-8: Size 0", { { STRUCT_SIZE, 0 } }, STATUS_INVALID_PARAMETER },
	{ "OW-8: Size 32, that of a read", { { STRUCT_SIZE, 32 } },
	  STATUS_INVALID_PARAMETER },

	{ "(129) OW-9: sum is 2^64",
	  { { FILE_OFFSET, LAST_SECTOR }, { COPY_LENGTH, 512 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-9: sum is 2^64 - 512",
	  { { FILE_OFFSET, LAST_SECTOR - 512 }, { COPY_LENGTH, 512 } },
	  STATUS_SUCCESS },
	{ "OW-9: CopyLength 2^64 - 512 at 512",
	  { { FILE_OFFSET, 512 }, { COPY_LENGTH, LAST_SECTOR } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-9: TransferOffset does not count",
	  { { TRANSFER_OFFSET, LAST_SECTOR }, { COPY_LENGTH, SZ_64K } },
	  STATUS_SUCCESS },

	{ "OW-10: CopyLength 0 passes, whatever the token",
	  { { COPY_LENGTH, 0 }, { TOKEN_BYTE, 0xa5 } }, STATUS_SUCCESS },
	{ "OW-10: CopyLength 0, TransferOffset unaligned",
	  { { COPY_LENGTH, 0 }, { TRANSFER_OFFSET, 1 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-19: the token is not judged here", { { TOKEN_BYTE, 0xff } },
	  STATUS_SUCCESS },
};

KUNIT_ARRAY_PARAM(write, write_rows, check_row_desc);

static void write_request_is_judged(struct kunit *test)
{
	expect_check(test, true);
}

/*
 * Two faults: the earlier one wins.  All but the first two have the same
 * status, so that these are in fact the checks of OR-9 and OW-6 against all
 * others, and that no two faults make a right.
 */
static const struct check_row read_faults[] = {
	{ "(111) OR-9: input 31", { { INPUT_LENGTH, 31 } }, STATUS_BUFFER_TOO_SMALL },
	{ "(111) OR-9: output 527", { { OUTPUT_LENGTH, 527 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "(112) OR-10: FileOffset 513", { { FILE_OFFSET, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "(112) OR-11: CopyLength 513", { { COPY_LENGTH, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "(112) OR-12: Size 31", { { STRUCT_SIZE, 31 } }, STATUS_INVALID_PARAMETER },
	{ "OR-13: CopyLength 2^64 - 512", { { COPY_LENGTH, LAST_SECTOR } },
	  STATUS_INVALID_PARAMETER },
};

KUNIT_ARRAY_PARAM(read_faults, read_faults, check_row_desc);

static const struct check_row write_faults[] = {
	{ "(128) OW-6: input 543", { { INPUT_LENGTH, 543 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "(128) OW-6: output 15", { { OUTPUT_LENGTH, 15 } },
	  STATUS_BUFFER_TOO_SMALL },
	{ "(129) OW-7: FileOffset 513", { { FILE_OFFSET, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "(129) OW-7: CopyLength 513", { { COPY_LENGTH, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-7: TransferOffset 513", { { TRANSFER_OFFSET, 513 } },
	  STATUS_INVALID_PARAMETER },
	{ "(129) OW-8: Size 543", { { STRUCT_SIZE, 543 } },
	  STATUS_INVALID_PARAMETER },
	{ "OW-9: CopyLength 2^64 - 512", { { COPY_LENGTH, LAST_SECTOR } },
	  STATUS_INVALID_PARAMETER },
};

KUNIT_ARRAY_PARAM(write_faults, write_faults, check_row_desc);

static void expect_earlier(struct kunit *test, const struct check_row *end,
			   bool write)
{
	const struct check_row *fault = test->param_value, *later;

	for (later = fault + 1; later < end; later++) {
		struct request req = write ? good_write : good_read;

		apply(&req, &later->change[0], write);
		apply(&req, &fault->change[0], write);
		KUNIT_EXPECT_EQ_MSG(test, check(test, &req, write),
				    fault->status, "against %s", later->name);
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

/* ---- OR-19 to OR-21: what of a read holds data -------------------------- */

struct trim_read_row {
	const char *name;
	u32 sector;
	u64 file_size, vdl, offset, length;
	s32 status;
	u64 trimmed;
	bool all_zero, no_data;
};

static const struct trim_read_row trim_reads[] = {
	{ "(118) OR-19: FileOffset = FileSize", 512, 8192, 8192, 8192, 512,
	  STATUS_END_OF_FILE },
	{ "OR-19: FileOffset past FileSize", 512, 8192, 8192, SZ_1G, 512,
	  STATUS_END_OF_FILE },
	{ "OR-19: FileOffset = BlockAlign(FileSize)", 512, 8000, 8000, 8192,
	  512, STATUS_END_OF_FILE },
	{ "OR-19: FileOffset = FileSize = 0", 512, 0, 0, 0, 512,
	  STATUS_END_OF_FILE },
	{ "OR-19: before OR-20, no valid data", 512, 8192, 0, 8192, 512,
	  STATUS_END_OF_FILE },
	{ "OR-19: the last sector is data", 512, 8192, 8192, 7680, 512,
	  STATUS_SUCCESS, 512, false, false },
	{ "OR-19: FileOffset 2^64 - 512", 512, S64_MAX, S64_MAX, LAST_SECTOR,
	  511, STATUS_END_OF_FILE },

	{ "(119) OR-20: FileOffset = VDL", 512, 65536, 4096, 4096, 8192,
	  STATUS_SUCCESS, 8192, true, true },
	{ "(119) OR-20: FileOffset past VDL", 512, 65536, 4096, 8192, 8192,
	  STATUS_SUCCESS, 8192, true, true },
	{ "OR-20: FileOffset past an unaligned VDL, same sector after", 512,
	  65536, 4000, 4096, 512, STATUS_SUCCESS, 512, true, true },
	{ "OR-20: no valid data at all", 512, 65536, 0, 0, 65536,
	  STATUS_SUCCESS, 65536, true, true },
	{ "OR-20: cut at FileSize", 512, 65536, 4096, 4096, SZ_1M,
	  STATUS_SUCCESS, 61440, true, true },
	{ "OR-20: cut at BlockAlign(FileSize)", 512, 10000, 4096, 4096, SZ_1M,
	  STATUS_SUCCESS, 6144, true, true },
	{ "OR-20: ends at an unaligned FileSize", 512, 10000, 4096, 4096, 5904,
	  STATUS_SUCCESS, 6144, true, true },
	{ "OR-20: sector 4096, ends at an unaligned FileSize", 4096, 10000,
	  4096, 4096, 5904, STATUS_SUCCESS, 8192, true, true },
	{ "OR-20: CopyLength up to 2^64 - 512", 512, 65536, 0, 0, LAST_SECTOR,
	  STATUS_SUCCESS, 65536, true, true },
	{ "OR-20: the largest file", 512, S64_MAX, 0, 0, LAST_SECTOR,
	  STATUS_SUCCESS, BIT_ULL(63), true, true },

	{ "OR-21: whole file, all of it data", 512, 65536, 65536, 0, 65536,
	  STATUS_SUCCESS, 65536, false, false },
	{ "OR-21: part of the data", 512, 65536, 65536, 4096, 8192,
	  STATUS_SUCCESS, 8192, false, false },
	{ "OR-21: ends exactly at VDL < EOF", 512, 65536, 8192, 4096, 4096,
	  STATUS_SUCCESS, 4096, false, false },
	{ "OR-21: crosses VDL by a sector", 512, 65536, 8192, 4096, 4608,
	  STATUS_SUCCESS, 4096, true, false },
	{ "(120) OR-21: crosses VDL, far", 512, 65536, 8192, 4096, SZ_1M,
	  STATUS_SUCCESS, 4096, true, false },
	{ "OR-21: crosses VDL = EOF", 512, 8192, 8192, 4096, 8192,
	  STATUS_SUCCESS, 4096, true, false },
	{ "OR-21: crosses an unaligned VDL within its sector", 512, 65536,
	  8000, 4096, 4096, STATUS_SUCCESS, 4096, true, false },
	{ "(120) OR-21: crosses an unaligned VDL", 512, 65536, 8000, 4096, 16384,
	  STATUS_SUCCESS, 4096, true, false },
	{ "OR-21: ends a sector before an unaligned VDL's", 512, 65536, 8000,
	  4096, 3584, STATUS_SUCCESS, 3584, false, false },
	{ "OR-21: sector 4096, crosses VDL", 4096, 65536, 5000, 4096, 16384,
	  STATUS_SUCCESS, 4096, true, false },
	{ "OR-21: VDL is a byte past FileOffset", 512, 65536, 4097, 4096, 8192,
	  STATUS_SUCCESS, 512, true, false },
	{ "OR-21: CopyLength up to 2^64 - 512", 512, 65536, 65536, 0,
	  LAST_SECTOR, STATUS_SUCCESS, 65536, true, false },
	{ "OR-21: the sum just below 2^64", 512, 65536, 65536, 512,
	  LAST_SECTOR - 512, STATUS_SUCCESS, 65024, true, false },
	{ "OR-26: an unaligned tail at EOF is rounded up", 512, 10000, 10000,
	  4096, 5904, STATUS_SUCCESS, 6144, false, false },
	{ "OR-26: the one byte before EOF", 512, 4097, 4097, 4096, 1,
	  STATUS_SUCCESS, 512, false, false },
	{ "OR-26: the tail of the largest file", 512, S64_MAX, S64_MAX,
	  S64_MAX & ~511, 511, STATUS_SUCCESS, 512, false, false },
};

static void trim_read_desc(const struct trim_read_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(trim_reads, trim_reads, trim_read_desc);

static void read_is_trimmed(struct kunit *test)
{
	const struct trim_read_row *row = test->param_value;
	/* What the caller left there must not matter. */
	bool all_zero = !row->all_zero, no_data = !row->no_data;
	u64 length = row->length;

	KUNIT_EXPECT_EQ(test,
			bpiofs_trim_offload_read(row->offset, &length,
						 row->sector, row->file_size,
						 row->vdl, &all_zero, &no_data),
			row->status);
	KUNIT_EXPECT_EQ(test, all_zero, row->all_zero);
	KUNIT_EXPECT_EQ(test, no_data, row->no_data);
	if (!row->status)
		KUNIT_EXPECT_EQ(test, length, row->trimmed);
}

/* ---- OW-14 to OW-18: where a write may go ------------------------------- */

struct trim_write_row {
	const char *name;
	u32 sector;
	u64 file_size, vdl, offset, length;
	bool conflict;
	u64 max_size;
	s32 status;
	u64 trimmed;
};

static const struct trim_write_row trim_writes[] = {
	{ "OW-14: ends at the maximum", 512, SZ_1M, SZ_1M, 0, SZ_1M, false,
	  SZ_1M, STATUS_SUCCESS, SZ_1M },
	{ "OW-14: ends a sector past the maximum", 512, SZ_1M, SZ_1M, 512,
	  SZ_1M, false, SZ_1M, STATUS_INVALID_PARAMETER },
	{ "OW-14: starts past the maximum", 512, SZ_1M, SZ_1M, SZ_1M + 512,
	  512, false, SZ_1M, STATUS_INVALID_PARAMETER },
	{ "OW-14: unaligned maximum", 512, SZ_1M, SZ_1M, 0, SZ_1M, false,
	  SZ_1M - 1, STATUS_INVALID_PARAMETER },
	{ "OW-14: CopyLength up to 2^64 - 512", 512, SZ_1M, SZ_1M, 0,
	  LAST_SECTOR, false, S64_MAX, STATUS_INVALID_PARAMETER },
	{ "OW-14: FileOffset 2^64 - 1024", 512, SZ_1M, SZ_1M,
	  LAST_SECTOR - 512, 512, false, S64_MAX, STATUS_INVALID_PARAMETER },
	{ "OW-14: the largest file of all", 512, SZ_1M, SZ_1M, 0,
	  S64_MAX & ~511, false, S64_MAX, STATUS_SUCCESS, SZ_1M },
	{ "OW-14: before OW-15", 512, SZ_1M, SZ_1M, 0, SZ_1M, true,
	  SZ_1M - 512, STATUS_INVALID_PARAMETER },
	{ "OW-14: before OW-16", 512, 4096, 4096, 8192, 512, false, 8192,
	  STATUS_INVALID_PARAMETER },

	{ "OW-15: lock", 512, 65536, 65536, 0, 4096, true, S64_MAX,
	  STATUS_FILE_LOCK_CONFLICT },
	{ "OW-15: before OW-16", 512, 65536, 65536, 65536, 4096, true,
	  S64_MAX, STATUS_FILE_LOCK_CONFLICT },
	{ "OW-15: before OW-17", 512, 65536, 4096, 8192, 4096, true, S64_MAX,
	  STATUS_FILE_LOCK_CONFLICT },

	{ "(132) OW-16: FileOffset = FileSize", 512, 65536, 65536, 65536, 512,
	  false, S64_MAX, STATUS_END_OF_FILE },
	{ "OW-16: FileOffset past FileSize", 512, 65536, 65536, SZ_1G, 512,
	  false, S64_MAX, STATUS_END_OF_FILE },
	{ "OW-16: FileOffset = BlockAlign(FileSize)", 512, 8000, 8000, 8192,
	  512, false, S64_MAX, STATUS_END_OF_FILE },
	{ "OW-16: FileOffset = FileSize = 0", 512, 0, 0, 0, 512, false,
	  S64_MAX, STATUS_END_OF_FILE },
	{ "OW-16: before OW-17", 512, 65536, 4096, 65536, 512, false, S64_MAX,
	  STATUS_END_OF_FILE },

	{ "OW-17: FileOffset = VDL", 512, 65536, 4096, 4096, 512, false,
	  S64_MAX, STATUS_SUCCESS, 512 },
	{ "(132) OW-17: FileOffset a sector past VDL", 512, 65536, 4096, 4608, 512,
	  false, S64_MAX, STATUS_INVALID_PARAMETER },
	{ "OW-17: FileOffset past an unaligned VDL", 512, 65536, 4095, 4096,
	  512, false, S64_MAX, STATUS_INVALID_PARAMETER },
	{ "OW-17: FileOffset 0 of a preallocated file", 512, 65536, 0, 0,
	  65536, false, S64_MAX, STATUS_SUCCESS, 65536 },
	{ "OW-17: the last sector, no valid data", 512, 65536, 0, 65024, 512,
	  false, S64_MAX, STATUS_INVALID_PARAMETER },
	{ "OW-17: a write may cross VDL", 512, 65536, 4096, 0, 65536, false,
	  S64_MAX, STATUS_SUCCESS, 65536 },

	{ "OW-18: ends at FileSize", 512, 65536, 65536, 4096, 61440, false,
	  S64_MAX, STATUS_SUCCESS, 61440 },
	{ "(134) OW-18: crosses FileSize", 512, 65536, 65536, 4096, SZ_1M, false,
	  S64_MAX, STATUS_SUCCESS, 61440 },
	{ "OW-18: crosses FileSize by a sector", 512, 65536, 65536, 65024,
	  1024, false, S64_MAX, STATUS_SUCCESS, 512 },
	{ "OW-18: ends at BlockAlign(FileSize)", 512, 10000, 10000, 4096,
	  6144, false, S64_MAX, STATUS_SUCCESS, 6144 },
	{ "OW-18: ends exactly at an unaligned FileSize", 512, 10000, 10000,
	  4096, 5904, false, S64_MAX, STATUS_SUCCESS, 6144 },
	{ "(134) OW-18: crosses an unaligned FileSize", 512, 10000, 10000, 4096,
	  SZ_1M, false, S64_MAX, STATUS_SUCCESS, 6144 },
	{ "OW-18: sector 4096, crosses an unaligned FileSize", 4096, 10000,
	  10000, 4096, SZ_1M, false, S64_MAX, STATUS_SUCCESS, 8192 },
	{ "OW-18: within the file", 512, 65536, 65536, 4096, 512, false,
	  S64_MAX, STATUS_SUCCESS, 512 },
	{ "OW-18: the tail of the largest file", 512, S64_MAX, S64_MAX,
	  S64_MAX & ~511, 511, false, S64_MAX, STATUS_SUCCESS, 512 },
};

static void trim_write_desc(const struct trim_write_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(trim_writes, trim_writes, trim_write_desc);

static void write_is_trimmed(struct kunit *test)
{
	const struct trim_write_row *row = test->param_value;
	u64 length = row->length;

	KUNIT_EXPECT_EQ(test,
			bpiofs_trim_offload_write(row->offset, &length,
						  row->sector, row->file_size,
						  row->vdl, row->conflict,
						  row->max_size),
			row->status);
	if (!row->status)
		KUNIT_EXPECT_EQ(test, length, row->trimmed);
}

/* ---- both, on every small file ------------------------------------------ */

#define TINY_SECTOR	4
#define TINY_FILE	20

/*
 * Sector by sector: those of [offset, offset + length) that start before
 * @limit.
 */
static u64 sectors_before(u64 offset, u64 length, u64 limit)
{
	u64 at, bytes = 0;

	for (at = offset; at < offset + length && at < limit; at += TINY_SECTOR)
		bytes += TINY_SECTOR;
	return bytes;
}

static void expect_tiny(struct kunit *test, u64 size, u64 vdl, u64 offset,
			u64 length)
{
	const bool beyond = offset + length > vdl;
	bool all_zero, no_data;
	u64 got = length;
	s32 status;

	status = bpiofs_trim_offload_read(offset, &got, TINY_SECTOR, size, vdl,
					  &all_zero, &no_data);
	KUNIT_ASSERT_EQ_MSG(test, status,
			    offset < size ? STATUS_SUCCESS : STATUS_END_OF_FILE,
			    "read of %llu at %llu, VDL %llu, size %llu",
			    length, offset, vdl, size);
	if (!status) {
		const u64 limit = offset < vdl ? vdl : size;

		KUNIT_ASSERT_TRUE_MSG(test,
				      got == sectors_before(offset, length,
							    limit) &&
				      all_zero == beyond &&
				      no_data == (offset >= vdl),
				      "read of %llu at %llu, VDL %llu, size %llu: %llu, %d, %d",
				      length, offset, vdl, size, got, all_zero,
				      no_data);
	}

	got = length;
	status = bpiofs_trim_offload_write(offset, &got, TINY_SECTOR, size,
					   vdl, false, S64_MAX);
	KUNIT_ASSERT_EQ_MSG(test, status,
			    offset >= size ? STATUS_END_OF_FILE :
			    offset > vdl ? STATUS_INVALID_PARAMETER :
					   STATUS_SUCCESS,
			    "write of %llu at %llu, VDL %llu, size %llu",
			    length, offset, vdl, size);
	if (!status)
		KUNIT_ASSERT_EQ_MSG(test, got,
				    sectors_before(offset, length, size),
				    "write of %llu at %llu, VDL %llu, size %llu",
				    length, offset, vdl, size);
}

/* OR-19 to OR-21, OW-16 to OW-18 for every request that OR-11 lets pass */
static void tiny_files_are_trimmed_by_sectors(struct kunit *test)
{
	u64 size, vdl, offset, length;

	for (size = 0; size <= TINY_FILE; size++)
		for (vdl = 0; vdl <= size; vdl++)
			for (offset = 0; offset <= TINY_FILE + TINY_SECTOR;
			     offset += TINY_SECTOR)
				for (length = 1; length <= TINY_FILE + 8;
				     length++)
					if (length % TINY_SECTOR == 0 ||
					    offset + length == size)
						expect_tiny(test, size, vdl,
							    offset, length);
}

/* ---- OW-23: what the token can fill ------------------------------------- */

struct token_row {
	const char *name;
	u64 transfer_offset, length, token_length;
	s32 status;
	u64 trimmed;
};

static const struct token_row token_rows[] = {
	{ "OW-23: all of it", 0, SZ_1M, SZ_1M, STATUS_SUCCESS, SZ_1M },
	{ "OW-23: part of it", 4096, 8192, SZ_1M, STATUS_SUCCESS, 8192 },
	{ "OW-23: up to the end", SZ_1M - 512, 512, SZ_1M, STATUS_SUCCESS,
	  512 },
	{ "(139) OW-23: past the end by a sector", SZ_1M - 512, 1024, SZ_1M,
	  STATUS_SUCCESS, 512 },
	{ "OW-23: past the end from the start", 0, SZ_1M + 512, SZ_1M,
	  STATUS_SUCCESS, SZ_1M },
	{ "(139) OW-23: TransferOffset = length", SZ_1M, 512, SZ_1M,
	  STATUS_INVALID_PARAMETER },
	{ "OW-23: TransferOffset past it", SZ_1G, 512, SZ_1M,
	  STATUS_INVALID_PARAMETER },
	{ "OW-23: a token of nothing", 0, 512, 0, STATUS_INVALID_PARAMETER },
	{ "OW-23: TransferOffset 2^64 - 512", LAST_SECTOR, 512, SZ_1M,
	  STATUS_INVALID_PARAMETER },
	{ "OW-23: the sum wraps around, 512 are left", SZ_1M - 512,
	  LAST_SECTOR, SZ_1M, STATUS_SUCCESS, 512 },
	{ "OW-21: a token without end from the start", 0, LAST_SECTOR,
	  U64_MAX, STATUS_SUCCESS, LAST_SECTOR },
};

static void token_desc(const struct token_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(tokens, token_rows, token_desc);

static void write_is_trimmed_to_token(struct kunit *test)
{
	const struct token_row *row = test->param_value;
	u64 length = row->length;

	KUNIT_EXPECT_EQ(test,
			bpiofs_trim_to_token(row->transfer_offset, &length,
					     row->token_length),
			row->status);
	if (!row->status)
		KUNIT_EXPECT_EQ(test, length, row->trimmed);
}

static struct kunit_case offload_check_cases[] = {
	KUNIT_CASE_PARAM(read_request_is_judged, read_gen_params),
	KUNIT_CASE_PARAM(write_request_is_judged, write_gen_params),
	KUNIT_CASE_PARAM(earlier_read_fault_wins, read_faults_gen_params),
	KUNIT_CASE_PARAM(earlier_write_fault_wins, write_faults_gen_params),
	KUNIT_CASE_PARAM(read_is_trimmed, trim_reads_gen_params),
	KUNIT_CASE_PARAM(write_is_trimmed, trim_writes_gen_params),
	KUNIT_CASE(tiny_files_are_trimmed_by_sectors),
	KUNIT_CASE_PARAM(write_is_trimmed_to_token, tokens_gen_params),
	{}
};

static struct kunit_suite offload_check_suite = {
	.name = "bpiofs_offload_check",
	.test_cases = offload_check_cases,
};

kunit_test_suite(offload_check_suite);
