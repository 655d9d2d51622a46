// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes, offsets and values of the ABI against the protocol's tables.  The
 * header asserts a part of this at compile time; here all of it is named and
 * shows up in the report.
 */
#include <kunit/test.h>
#include <linux/align.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/bpio.h>

/* A number of the ABI and what the protocol says it is. */
struct number {
	const char *name;
	u64 actual;
	u64 expected;
};

static void number_desc(const struct number *n, char *desc)
{
	strscpy(desc, n->name, KUNIT_PARAM_DESC_SIZE);
}

static void expect_number(struct kunit *test)
{
	const struct number *n = test->param_value;

	KUNIT_EXPECT_EQ(test, n->actual, n->expected);
}

/* ---- sizes and alignment (3.1 to 3.5) ----------------------------------- */

#define SIZE(_section, _type, _bytes) \
	{ _section ": sizeof " #_type, sizeof(struct _type), _bytes }

static const struct number sizes[] = {
	SIZE("(1) 3.1", fs_bpio_input, 24),
	SIZE("(1) 3.1", fs_bpio_results, 328),
	SIZE("(1) 3.1", fs_bpio_info, 72),
	SIZE("(1) 3.1", fs_bpio_output, 352),
	SIZE("(2) 3.2", bpio_input, 24),
	SIZE("(2) 3.2", bpio_results, 328),
	SIZE("(2) 3.2", bpio_output, 352),
	SIZE("(3) 3.3", fsctl_offload_read_input, 32),
	SIZE("(3) 3.3", fsctl_offload_read_output, 528),
	SIZE("(3) 3.3", fsctl_offload_write_input, 544),
	SIZE("(3) 3.3", fsctl_offload_write_output, 16),
	SIZE("(4) 3.4", storage_offload_token, 512),
	SIZE("(4) 3.5", device_dsm_input, 28),
	SIZE("(4) 3.5", device_dsm_range, 16),
	SIZE("3.5", device_dsm_output, 36),
	SIZE("(4) 3.5", device_dsm_offload_read_parameters, 16),
	SIZE("(4) 3.5", device_dsm_offload_write_parameters, 528),
	SIZE("(4) 3.5", storage_offload_read_output, 536),
	SIZE("(4) 3.5", storage_offload_write_output, 16),
	SIZE("3.5", device_copy_offload_descriptor, 48),
	SIZE("3.5", storage_property_query, 12),
	SIZE("3.5", storage_descriptor_header, 8),
	SIZE("ntifs.h", encryption_buffer, 8),
	SIZE("carrier", bpio_control, 48),
};

KUNIT_ARRAY_PARAM(sizes, sizes, number_desc);

static void size_is_as_specified(struct kunit *test)
{
	expect_number(test);
}

#define ALIGNMENT(_section, _type, _bytes) \
	{ _section ": alignment of " #_type, __alignof__(struct _type), _bytes }

/* 3.5, natural packing of a request: where the next block starts. */
#define PACKED(_name, _after, _type, _at) \
	{ "3.5: " _name, ALIGN(_after, __alignof__(struct _type)), _at }

static const struct number alignments[] = {
	ALIGNMENT("3.1", fs_bpio_input, 8),
	ALIGNMENT("3.1", fs_bpio_results, 4),
	ALIGNMENT("3.1", fs_bpio_info, 4),
	ALIGNMENT("3.1", fs_bpio_output, 8),
	ALIGNMENT("3.2", bpio_input, 8),
	ALIGNMENT("3.2", bpio_results, 4),
	ALIGNMENT("3.2", bpio_output, 8),
	ALIGNMENT("3.4", storage_offload_token, 1),
	ALIGNMENT("3.5", device_dsm_input, 4),
	ALIGNMENT("3.5", device_dsm_range, 8),
	ALIGNMENT("3.5", device_dsm_output, 4),
	ALIGNMENT("3.5", device_dsm_offload_read_parameters, 4),
	ALIGNMENT("3.5", device_dsm_offload_write_parameters, 8),
	ALIGNMENT("3.5", storage_offload_read_output, 8),
	ALIGNMENT("3.5", storage_offload_write_output, 8),
	PACKED("OffloadRead parameters", sizeof(struct device_dsm_input),
	       device_dsm_offload_read_parameters, 28),
	PACKED("OffloadRead ranges",
	       28 + sizeof(struct device_dsm_offload_read_parameters),
	       device_dsm_range, 48),
	PACKED("OffloadWrite parameters", sizeof(struct device_dsm_input),
	       device_dsm_offload_write_parameters, 32),
	PACKED("OffloadWrite ranges",
	       32 + sizeof(struct device_dsm_offload_write_parameters),
	       device_dsm_range, 560),
};

KUNIT_ARRAY_PARAM(alignments, alignments, number_desc);

static void alignment_is_as_specified(struct kunit *test)
{
	expect_number(test);
}

/* ---- fields ------------------------------------------------------------- */

struct field {
	const char *name;
	size_t offset, size;
	size_t at, bytes;	/* expected */
};

/* Offset and size as the protocol writes them; structure, field */
#define FIELD(_section, _at, _bytes, ...) {				\
	_section ": " #__VA_ARGS__ " at " #_at,				\
	offsetof(struct __VA_ARGS__),					\
	sizeof_field(struct __VA_ARGS__), _at, _bytes }

static const struct field fields[] = {
	FIELD("3.1", 0x00, 4, fs_bpio_input, operation),
	FIELD("3.1", 0x04, 4, fs_bpio_input, in_flags),
	FIELD("3.1", 0x08, 8, fs_bpio_input, reserved1),
	FIELD("3.1", 0x10, 8, fs_bpio_input, reserved2),

	FIELD("3.1", 0x000, 4, fs_bpio_results, op_status),
	FIELD("3.1", 0x004, 2, fs_bpio_results, failing_driver_name_len),
	FIELD("3.1", 0x006, 64, fs_bpio_results, failing_driver_name),
	FIELD("(1) 3.1", 0x046, 2, fs_bpio_results, failure_reason_len),
	FIELD("3.1", 0x048, 256, fs_bpio_results, failure_reason),

	FIELD("3.1", 0x00, 4, fs_bpio_info, active_bypass_io_count),
	FIELD("3.1", 0x04, 2, fs_bpio_info, storage_driver_name_len),
	FIELD("3.1", 0x06, 64, fs_bpio_info, storage_driver_name),
	FIELD("3.1", 0x46, 2, fs_bpio_info, pad),

	FIELD("3.1", 0x00, 4, fs_bpio_output, operation),
	FIELD("3.1", 0x04, 4, fs_bpio_output, out_flags),
	FIELD("3.1", 0x08, 8, fs_bpio_output, reserved1),
	FIELD("3.1", 0x10, 8, fs_bpio_output, reserved2),
	FIELD("(1) 3.1", 0x18, 328, fs_bpio_output, enable),
	FIELD("(1) 3.1", 0x18, 328, fs_bpio_output, query),
	FIELD("(1) 3.1", 0x18, 328, fs_bpio_output, volume_stack_resume),
	FIELD("(1) 3.1", 0x18, 328, fs_bpio_output, stream_resume),
	FIELD("(1) 3.1", 0x18, 72, fs_bpio_output, get_info),

	FIELD("3.2", 0x00, 4, bpio_input, version),
	FIELD("3.2", 0x04, 4, bpio_input, size),
	FIELD("(2) 3.2", 0x08, 4, bpio_input, operation),
	FIELD("3.2", 0x0c, 4, bpio_input, in_flags),
	FIELD("3.2", 0x10, 8, bpio_input, reserved2),

	FIELD("3.2", 0x000, 4, bpio_results, op_status),
	FIELD("3.2", 0x004, 2, bpio_results, failing_driver_name_len),
	FIELD("3.2", 0x006, 64, bpio_results, failing_driver_name),
	FIELD("3.2", 0x046, 2, bpio_results, failure_reason_len),
	FIELD("3.2", 0x048, 256, bpio_results, failure_reason),

	FIELD("3.2", 0x00, 4, bpio_output, version),
	FIELD("3.2", 0x04, 4, bpio_output, size),
	FIELD("(2) 3.2", 0x08, 4, bpio_output, operation),
	FIELD("3.2", 0x0c, 4, bpio_output, out_flags),
	FIELD("3.2", 0x10, 8, bpio_output, reserved2),
	FIELD("(2) 3.2", 0x18, 328, bpio_output, enable),
	FIELD("(2) 3.2", 0x18, 328, bpio_output, query),

	FIELD("3.3", 0x00, 4, fsctl_offload_read_input, size),
	FIELD("3.3", 0x04, 4, fsctl_offload_read_input, flags),
	FIELD("3.3", 0x08, 4, fsctl_offload_read_input, token_time_to_live),
	FIELD("3.3", 0x0c, 4, fsctl_offload_read_input, reserved),
	FIELD("3.3", 0x10, 8, fsctl_offload_read_input, file_offset),
	FIELD("3.3", 0x18, 8, fsctl_offload_read_input, copy_length),

	FIELD("3.3", 0x00, 4, fsctl_offload_read_output, size),
	FIELD("3.3", 0x04, 4, fsctl_offload_read_output, flags),
	FIELD("3.3", 0x08, 8, fsctl_offload_read_output, transfer_length),
	FIELD("(3) 3.3", 0x10, 512, fsctl_offload_read_output, token),

	FIELD("3.3", 0x00, 4, fsctl_offload_write_input, size),
	FIELD("3.3", 0x04, 4, fsctl_offload_write_input, flags),
	FIELD("3.3", 0x08, 8, fsctl_offload_write_input, file_offset),
	FIELD("3.3", 0x10, 8, fsctl_offload_write_input, copy_length),
	FIELD("3.3", 0x18, 8, fsctl_offload_write_input, transfer_offset),
	FIELD("(3) 3.3", 0x20, 512, fsctl_offload_write_input, token),

	FIELD("3.3", 0x00, 4, fsctl_offload_write_output, size),
	FIELD("3.3", 0x04, 4, fsctl_offload_write_output, flags),
	FIELD("3.3", 0x08, 8, fsctl_offload_write_output, length_written),

	FIELD("3.4", 0x000, 4, storage_offload_token, token_type),
	FIELD("3.4", 0x004, 2, storage_offload_token, reserved),
	FIELD("3.4", 0x006, 2, storage_offload_token, token_id_length),
	FIELD("3.4", 0x008, 504, storage_offload_token, token_id),

	FIELD("3.5", 0, 4, device_dsm_input, size),
	FIELD("3.5", 4, 4, device_dsm_input, action),
	FIELD("3.5", 8, 4, device_dsm_input, flags),
	FIELD("3.5", 12, 4, device_dsm_input, parameter_block_offset),
	FIELD("3.5", 16, 4, device_dsm_input, parameter_block_length),
	FIELD("3.5", 20, 4, device_dsm_input, data_set_ranges_offset),
	FIELD("3.5", 24, 4, device_dsm_input, data_set_ranges_length),

	FIELD("3.5", 0, 8, device_dsm_range, starting_offset),
	FIELD("3.5", 8, 8, device_dsm_range, length_in_bytes),

	FIELD("3.5", 0, 4, device_dsm_output, size),
	FIELD("3.5", 4, 4, device_dsm_output, action),
	FIELD("3.5", 8, 4, device_dsm_output, flags),
	FIELD("3.5", 12, 4, device_dsm_output, operation_status),
	FIELD("3.5", 16, 4, device_dsm_output, extended_error),
	FIELD("3.5", 20, 4, device_dsm_output, target_detailed_error),
	FIELD("3.5", 24, 4, device_dsm_output, reserved_status),
	FIELD("3.5", 28, 4, device_dsm_output, output_block_offset),
	FIELD("3.5", 32, 4, device_dsm_output, output_block_length),

	FIELD("3.5", 0, 4, device_dsm_offload_read_parameters, flags),
	FIELD("3.5", 4, 4, device_dsm_offload_read_parameters, time_to_live),
	FIELD("3.5", 8, 8, device_dsm_offload_read_parameters, reserved),

	FIELD("3.5", 0, 4, device_dsm_offload_write_parameters, flags),
	FIELD("3.5", 4, 4, device_dsm_offload_write_parameters, reserved),
	FIELD("3.5", 8, 8, device_dsm_offload_write_parameters, token_offset),
	FIELD("3.5", 16, 512, device_dsm_offload_write_parameters, token),

	FIELD("3.5", 0, 4, storage_offload_read_output, offload_read_flags),
	FIELD("3.5", 4, 4, storage_offload_read_output, reserved),
	FIELD("3.5", 8, 8, storage_offload_read_output, length_protected),
	FIELD("3.5", 16, 4, storage_offload_read_output, token_length),
	FIELD("(4) 3.5", 20, 512, storage_offload_read_output, token),
	FIELD("3.5", 532, 4, storage_offload_read_output, pad),

	FIELD("3.5", 0, 4, storage_offload_write_output, offload_write_flags),
	FIELD("3.5", 4, 4, storage_offload_write_output, reserved),
	FIELD("3.5", 8, 8, storage_offload_write_output, length_copied),

	FIELD("3.5", 0x00, 4, device_copy_offload_descriptor, version),
	FIELD("3.5", 0x04, 4, device_copy_offload_descriptor, size),
	FIELD("3.5", 0x08, 4, device_copy_offload_descriptor,
	      maximum_token_lifetime),
	FIELD("3.5", 0x0c, 4, device_copy_offload_descriptor,
	      default_token_lifetime),
	FIELD("3.5", 0x10, 8, device_copy_offload_descriptor,
	      maximum_transfer_size),
	FIELD("3.5", 0x18, 8, device_copy_offload_descriptor,
	      optimal_transfer_count),
	FIELD("3.5", 0x20, 4, device_copy_offload_descriptor,
	      maximum_data_descriptors),
	FIELD("3.5", 0x24, 4, device_copy_offload_descriptor,
	      maximum_transfer_length_per_descriptor),
	FIELD("3.5", 0x28, 4, device_copy_offload_descriptor,
	      optimal_transfer_length_per_descriptor),
	FIELD("3.5", 0x2c, 2, device_copy_offload_descriptor,
	      optimal_transfer_length_granularity),
	FIELD("3.5", 0x2e, 2, device_copy_offload_descriptor, reserved),

	FIELD("3.5", 0, 4, storage_property_query, property_id),
	FIELD("3.5", 4, 4, storage_property_query, query_type),
	FIELD("3.5", 8, 1, storage_property_query, additional_parameters),
	FIELD("3.5", 9, 3, storage_property_query, pad),
	FIELD("3.5", 0, 4, storage_descriptor_header, version),
	FIELD("3.5", 4, 4, storage_descriptor_header, size),

	FIELD("ntifs.h", 0, 4, encryption_buffer, encryption_operation),
	FIELD("ntifs.h", 4, 1, encryption_buffer, private_data),
	FIELD("ntifs.h", 5, 3, encryption_buffer, pad),

	FIELD("carrier", 0, 4, bpio_control, code),
	FIELD("carrier", 4, 4, bpio_control, flags),
	FIELD("carrier", 8, 8, bpio_control, input),
	FIELD("carrier", 16, 8, bpio_control, output),
	FIELD("carrier", 24, 4, bpio_control, input_length),
	FIELD("carrier", 28, 4, bpio_control, output_length),
	FIELD("carrier", 32, 4, bpio_control, device_fd),
	FIELD("carrier", 36, 4, bpio_control, status),
	FIELD("carrier", 40, 4, bpio_control, information),
	FIELD("carrier", 44, 4, bpio_control, reserved),
};

static void field_desc(const struct field *f, char *desc)
{
	strscpy(desc, f->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(fields, fields, field_desc);

static void field_is_where_specified(struct kunit *test)
{
	const struct field *f = test->param_value;

	KUNIT_EXPECT_EQ(test, f->offset, f->at);
	KUNIT_EXPECT_EQ(test, f->size, f->bytes);
}

/* ---- control codes (section 2) ------------------------------------------ */

struct code {
	const char *name;
	u32 actual;
	u32 value, device, function, access, method;	/* expected */
};

/* METHOD_BUFFERED is 0, METHOD_NEITHER 3. */
#define CODE(_name, ...) { "(5) 2: " #_name, _name, __VA_ARGS__ }

static const struct code codes[] = {
	CODE(FSCTL_MANAGE_BYPASS_IO, 0x00090448, 0x0009, 274, 0),
	CODE(FSCTL_OFFLOAD_READ, 0x00094264, 0x0009, 153, 1),
	CODE(FSCTL_OFFLOAD_WRITE, 0x00098268, 0x0009, 154, 2),
	CODE(IOCTL_STORAGE_MANAGE_BYPASS_IO, 0x002D08C0, 0x002D, 0x230, 0),
	CODE(IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES, 0x002D9404, 0x002D,
	     0x501, 2),
	CODE(IOCTL_STORAGE_QUERY_PROPERTY, 0x002D1400, 0x002D, 0x500, 0),
	CODE(FSCTL_SET_ENCRYPTION, 0x000900D7, 0x0009, 53, 0, 3),
	CODE(FSCTL_SET_COMPRESSION, 0x0009C040, 0x0009, 16, 3),
};

static void code_desc(const struct code *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(codes, codes, code_desc);

static void control_code_is_as_specified(struct kunit *test)
{
	const struct code *c = test->param_value;

	KUNIT_EXPECT_EQ(test, c->actual, c->value);
	KUNIT_EXPECT_EQ(test, c->actual >> 16, c->device);
	KUNIT_EXPECT_EQ(test, c->actual >> 2 & 0xfff, c->function);
	KUNIT_EXPECT_EQ(test, BPIO_CTL_ACCESS(c->actual), c->access);
	KUNIT_EXPECT_EQ(test, c->actual & 3, c->method);
}

/* ---- enumerations, flags and constants (section 4) ---------------------- */

#define VALUE(_section, _name, _value) \
	{ _section ": " #_name, _name, _value }

static const struct number values[] = {
	VALUE("2", BPIO_METHOD_BUFFERED, 0),
	VALUE("2", BPIO_FILE_ANY_ACCESS, 0),
	VALUE("2", BPIO_FILE_READ_ACCESS, 1),
	VALUE("2", BPIO_FILE_WRITE_ACCESS, 2),

	VALUE("carrier", BPIO_CONTROL_KERNEL_MODE, 1),
	VALUE("carrier", BPIO_CONTROL_MAX_LENGTH, 64 * 1024),

	VALUE("3.1", BPIO_DRIVER_NAME_CHARS, 32),
	VALUE("3.1", BPIO_FAILURE_REASON_CHARS, 128),
	VALUE("3.1", FS_BPIO_OUTPUT_ENABLE_SIZE, 352),
	VALUE("3.1", FS_BPIO_OUTPUT_DISABLE_SIZE, 24),
	VALUE("3.1", FS_BPIO_OUTPUT_QUERY_SIZE, 352),
	VALUE("3.1", FS_BPIO_OUTPUT_VOLUME_STACK_PAUSE_SIZE, 24),
	VALUE("3.1", FS_BPIO_OUTPUT_VOLUME_STACK_RESUME_SIZE, 352),
	VALUE("3.1", FS_BPIO_OUTPUT_STREAM_PAUSE_SIZE, 24),
	VALUE("3.1", FS_BPIO_OUTPUT_STREAM_RESUME_SIZE, 352),
	VALUE("3.1", FS_BPIO_OUTPUT_GET_INFO_SIZE, 96),
	VALUE("3.2", BPIO_OUTPUT_ENABLE_SIZE, 352),
	VALUE("3.2", BPIO_OUTPUT_DISABLE_SIZE, 24),
	VALUE("3.2", BPIO_OUTPUT_QUERY_SIZE, 352),

	VALUE("3.4", STORAGE_OFFLOAD_TOKEN_TYPE_ZERO_DATA, 0xFFFF0001),
	VALUE("3.4", STORAGE_OFFLOAD_TOKEN_TYPE_WELL_KNOWN, 0xFFFFFFFF),
	VALUE("3.4", STORAGE_OFFLOAD_PATTERN_ZERO, 1),
	VALUE("3.4", STORAGE_OFFLOAD_PATTERN_ZERO_WITH_PROTECTION_INFORMATION,
	      2),
	VALUE("3.5", STORAGE_DEVICE_COPY_OFFLOAD_PROPERTY, 13),
	VALUE("3.5", STORAGE_PROPERTY_STANDARD_QUERY, 0),
	VALUE("3.5", STORAGE_PROPERTY_EXISTS_QUERY, 1),

	VALUE("4.1", FS_BPIO_OP_ENABLE, 1),
	VALUE("4.1", FS_BPIO_OP_DISABLE, 2),
	VALUE("4.1", FS_BPIO_OP_QUERY, 3),
	VALUE("4.1", FS_BPIO_OP_VOLUME_STACK_PAUSE, 4),
	VALUE("4.1", FS_BPIO_OP_VOLUME_STACK_RESUME, 5),
	VALUE("4.1", FS_BPIO_OP_STREAM_PAUSE, 6),
	VALUE("4.1", FS_BPIO_OP_STREAM_RESUME, 7),
	VALUE("4.1", FS_BPIO_OP_GET_INFO, 8),
	VALUE("4.1", FS_BPIO_OP_MAX_OPERATION, 9),

	VALUE("4.2", FSBPIO_INFL_None, 0),
	VALUE("4.2", FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY, 1),

	VALUE("4.3", FSBPIO_OUTFL_None, 0),
	VALUE("4.3", FSBPIO_OUTFL_VOLUME_STACK_BYPASS_PAUSED, 1),
	VALUE("4.3", FSBPIO_OUTFL_STREAM_BYPASS_PAUSED, 2),
	VALUE("4.3", FSBPIO_OUTFL_FILTER_ATTACH_BLOCKED, 4),
	VALUE("4.3", FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER, 8),

	VALUE("4.4", BPIO_OP_ENABLE, 1),
	VALUE("4.4", BPIO_OP_DISABLE, 2),
	VALUE("4.4", BPIO_OP_QUERY, 3),
	VALUE("4.4", BPIO_INFL_NONE, 0),
	VALUE("4.4", BPIO_OUTFL_NONE, 0),

	VALUE("4.5", OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE, 1),
	VALUE("4.5", STORAGE_OFFLOAD_READ_RANGE_TRUNCATED, 1),
	VALUE("4.5", STORAGE_OFFLOAD_WRITE_RANGE_TRUNCATED, 1),
	VALUE("4.5", STORAGE_OFFLOAD_TOKEN_INVALID, 2),
	VALUE("4.5", STORAGE_OFFLOAD_MAX_TOKEN_LENGTH, 512),
	VALUE("4.5", STORAGE_OFFLOAD_TOKEN_ID_LENGTH, 504),

	VALUE("4.6", DEVICE_DSM_ACTION_FLAG_NON_DESTRUCTIVE, 0x80000000),
	VALUE("4.6", DEVICE_DSM_ACTION_NONE, 0),
	VALUE("4.6", DEVICE_DSM_ACTION_TRIM, 1),
	VALUE("4.6", DEVICE_DSM_ACTION_NOTIFICATION, 0x80000002),
	VALUE("4.6", DEVICE_DSM_ACTION_OFFLOAD_READ, 0x80000003),
	VALUE("4.6", DEVICE_DSM_ACTION_OFFLOAD_WRITE, 0x00000004),
	VALUE("4.6", DEVICE_DSM_ACTION_ALLOCATION, 0x80000005),
	VALUE("4.6", DEVICE_DSM_ACTION_REPAIR, 0x80000006),
	VALUE("4.6", DEVICE_DSM_ACTION_SCRUB, 0x80000007),
	VALUE("4.6", DEVICE_DSM_ACTION_DRT_QUERY, 0x80000008),
	VALUE("4.6", DEVICE_DSM_ACTION_DRT_CLEAR, 0x80000009),
	VALUE("4.6", DEVICE_DSM_ACTION_DRT_DISABLE, 0x8000000A),
	VALUE("4.6", DEVICE_DSM_ACTION_TIERING_QUERY, 0x8000000B),
	VALUE("4.6", DEVICE_DSM_ACTION_MAP, 0x8000000C),
	VALUE("4.6", DEVICE_DSM_ACTION_REGENERATE_PARITY, 0x8000000D),
	VALUE("4.6", DEVICE_DSM_ACTION_NV_CACHE_CHANGE_PRIORITY, 0x8000000E),
	VALUE("4.6", DEVICE_DSM_ACTION_NV_CACHE_EVICT, 0x8000000F),
	VALUE("4.6", DEVICE_DSM_ACTION_TOPOLOGY_ID_QUERY, 0x80000010),
	VALUE("4.6", DEVICE_DSM_ACTION_GET_PHYSICAL_ADDRESSES, 0x80000011),
	VALUE("4.6", DEVICE_DSM_ACTION_SCOPE_REGEN, 0x80000012),
	VALUE("4.6", DEVICE_DSM_ACTION_REPORT_ZONES, 0x80000013),
	VALUE("4.6", DEVICE_DSM_ACTION_OPEN_ZONE, 0x80000014),
	VALUE("4.6", DEVICE_DSM_ACTION_FINISH_ZONE, 0x80000015),
	VALUE("4.6", DEVICE_DSM_ACTION_CLOSE_ZONE, 0x80000016),
	VALUE("4.6", DEVICE_DSM_ACTION_RESET_WRITE_POINTER, 0x00000017),
	VALUE("4.6", DEVICE_DSM_ACTION_GET_RANGE_ERROR_INFO, 0x80000018),
	VALUE("4.6", DEVICE_DSM_ACTION_WRITE_ZEROES, 0x00000019),
	VALUE("4.6", DEVICE_DSM_ACTION_LOST_QUERY, 0x8000001A),
	VALUE("4.6", DEVICE_DSM_ACTION_GET_FREE_SPACE, 0x8000001B),
	VALUE("4.6", DEVICE_DSM_ACTION_CONVERSION_QUERY, 0x8000001C),
	VALUE("4.6", DEVICE_DSM_ACTION_VDT_SET, 0x0000001D),
	VALUE("4.6", DEVICE_DSM_ACTION_QUERY_PREFER_LOCAL_REPAIR, 0x8000001E),
	VALUE("4.6", DEVICE_DSM_FLAG_ENTIRE_DATA_SET_RANGE, 1),

	VALUE("4.7", SUPPORTED_FS_FEATURES_OFFLOAD_READ, 1),
	VALUE("4.7", SUPPORTED_FS_FEATURES_OFFLOAD_WRITE, 2),
	VALUE("4.7", SUPPORTED_FS_FEATURES_QUERY_OPEN, 4),
	VALUE("4.7", SUPPORTED_FS_FEATURES_BYPASS_IO, 8),
	VALUE("4.7", SUPPORTED_FS_FEATURES_VALID_MASK, 0xF),
	VALUE("4.7", STORAGE_SUPPORTED_FEATURES_BYPASS_IO, 1),
	VALUE("4.7", STORAGE_SUPPORTED_FEATURES_MASK, 1),
	VALUE("4.7", FILE_SUPPORTS_BYPASS_IO, 0x800),

	VALUE("4.8", FLT_PREOP_SUCCESS_WITH_CALLBACK, 0),
	VALUE("4.8", FLT_PREOP_SUCCESS_NO_CALLBACK, 1),
	VALUE("4.8", FLT_PREOP_PENDING, 2),
	VALUE("4.8", FLT_PREOP_DISALLOW_FASTIO, 3),
	VALUE("4.8", FLT_PREOP_COMPLETE, 4),
	VALUE("4.8", FLT_PREOP_SYNCHRONIZE, 5),
	VALUE("4.8", FLT_PREOP_DISALLOW_FSFILTER_IO, 6),
	VALUE("4.8", FLT_POSTOP_FINISHED_PROCESSING, 0),
	VALUE("4.8", FLT_POSTOP_MORE_PROCESSING_REQUIRED, 1),
	VALUE("4.8", FLT_POSTOP_DISALLOW_FSFILTER_IO, 2),
	VALUE("4.8", IRP_MJ_CREATE, 0x00),
	VALUE("4.8", IRP_MJ_CLOSE, 0x02),
	VALUE("4.8", IRP_MJ_READ, 0x03),
	VALUE("4.8", IRP_MJ_WRITE, 0x04),
	VALUE("4.8", IRP_MJ_FILE_SYSTEM_CONTROL, 0x0D),
	VALUE("4.8", IRP_MJ_DEVICE_CONTROL, 0x0E),
	VALUE("4.8", IRP_MJ_CLEANUP, 0x12),

	VALUE("ntifs.h", FILE_SET_ENCRYPTION, 1),
	VALUE("ntifs.h", FILE_CLEAR_ENCRYPTION, 2),
};

KUNIT_ARRAY_PARAM(values, values, number_desc);

static void value_is_as_specified(struct kunit *test)
{
	expect_number(test);
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE_PARAM(size_is_as_specified, sizes_gen_params),
	KUNIT_CASE_PARAM(alignment_is_as_specified, alignments_gen_params),
	KUNIT_CASE_PARAM(field_is_where_specified, fields_gen_params),
	KUNIT_CASE_PARAM(control_code_is_as_specified, codes_gen_params),
	KUNIT_CASE_PARAM(value_is_as_specified, values_gen_params),
	{}
};

static struct kunit_suite layout_suite = {
	.name = "bpio_layout",
	.test_cases = layout_cases,
};

kunit_test_suite(layout_suite);
