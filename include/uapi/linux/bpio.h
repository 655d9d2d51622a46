/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * BypassIO and offloaded data transfer (ODX) for Linux: user-space ABI.
 *
 * One ioctl, BPIO_IOC_CONTROL, carries a Windows control code with its input
 * and output buffers.  On an open file or directory of a bpiofs mount it takes
 * the FSCTL_* codes (the root directory of the mount is the volume handle); on
 * /dev/bpio it takes the IOCTL_* codes, aimed at the block device device_fd.
 * The ioctl returns 0 whenever the request was processed; the verdict is the
 * NTSTATUS in bpio_control.status.
 *
 * Structures keep the names and layouts of the Windows headers (ntifs.h,
 * ntddstor.h, MS-FSCC 2.3.41-2.3.44) in kernel case.  All integers are little
 * endian, except the two big-endian byte arrays that open an offload token.
 */
#ifndef _UAPI_LINUX_BPIO_H
#define _UAPI_LINUX_BPIO_H

#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#if defined(__cplusplus)
#define __BPIO_ASSERT(expr) static_assert(expr, #expr)
#else
#define __BPIO_ASSERT(expr) _Static_assert(expr, #expr)
#endif
#define __BPIO_SIZE(type, size) __BPIO_ASSERT(sizeof(struct type) == (size))
#define __BPIO_AT(type, field, at) \
	__BPIO_ASSERT(offsetof(struct type, field) == (at))

#define __bpio_aligned_s64 __s64 __attribute__((aligned(8)))

/* ---- the carrier ------------------------------------------------------- */

/**
 * struct bpio_control - one control code with its buffers
 * @code: FSCTL_* or IOCTL_*
 * @flags: 0 or BPIO_CONTROL_KERNEL_MODE
 * @input: user pointer, may be 0 when @input_length is 0
 * @output: user pointer, may be 0 when @output_length is 0; may overlap @input
 * @input_length: bytes, at most BPIO_CONTROL_MAX_LENGTH
 * @output_length: bytes, at most BPIO_CONTROL_MAX_LENGTH
 * @device_fd: on /dev/bpio an open block device, elsewhere -1
 * @status: out: NTSTATUS of the request
 * @information: out: bytes returned
 * @reserved: must be 0
 */
struct bpio_control {
	__u32 code;
	__u32 flags;
	__aligned_u64 input;
	__aligned_u64 output;
	__u32 input_length;
	__u32 output_length;
	__s32 device_fd;
	__s32 status;
	__u32 information;
	__u32 reserved;
};

__BPIO_SIZE(bpio_control, 48);
__BPIO_AT(bpio_control, input, 8);
__BPIO_AT(bpio_control, device_fd, 32);
__BPIO_AT(bpio_control, information, 40);

/* Treat the sender as kernel mode; needs CAP_SYS_ADMIN. */
#define BPIO_CONTROL_KERNEL_MODE	0x1
#define BPIO_CONTROL_MAX_LENGTH		65536

#define BPIO_IOC_CONTROL _IOWR(0xBB, 0x01, struct bpio_control)

/* ---- control codes ----------------------------------------------------- */

#define BPIO_METHOD_BUFFERED	0
#define BPIO_FILE_ANY_ACCESS	0
#define BPIO_FILE_READ_ACCESS	1
#define BPIO_FILE_WRITE_ACCESS	2
#define BPIO_CTL_CODE(dev, fn, method, access) \
	((__u32)(dev) << 16 | (access) << 14 | (fn) << 2 | (method))
/* The access right that the handle must have: bits 14 and 15 of a code. */
#define BPIO_CTL_ACCESS(code)	(((code) >> 14) & 3)

#define FSCTL_SET_COMPRESSION			0x0009C040
#define FSCTL_SET_ENCRYPTION			0x000900D7
#define FSCTL_MANAGE_BYPASS_IO			0x00090448
#define FSCTL_OFFLOAD_READ			0x00094264
#define FSCTL_OFFLOAD_WRITE			0x00098268
#define IOCTL_STORAGE_MANAGE_BYPASS_IO		0x002D08C0
#define IOCTL_STORAGE_QUERY_PROPERTY		0x002D1400
#define IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES 0x002D9404

__BPIO_ASSERT(FSCTL_MANAGE_BYPASS_IO ==
	      BPIO_CTL_CODE(0x0009, 0x112, 0, BPIO_FILE_ANY_ACCESS));
__BPIO_ASSERT(FSCTL_OFFLOAD_READ ==
	      BPIO_CTL_CODE(0x0009, 0x099, 0, BPIO_FILE_READ_ACCESS));
__BPIO_ASSERT(FSCTL_OFFLOAD_WRITE ==
	      BPIO_CTL_CODE(0x0009, 0x09A, 0, BPIO_FILE_WRITE_ACCESS));
__BPIO_ASSERT(IOCTL_STORAGE_MANAGE_BYPASS_IO ==
	      BPIO_CTL_CODE(0x002D, 0x230, 0, BPIO_FILE_ANY_ACCESS));
__BPIO_ASSERT(IOCTL_STORAGE_QUERY_PROPERTY ==
	      BPIO_CTL_CODE(0x002D, 0x500, 0, BPIO_FILE_ANY_ACCESS));
__BPIO_ASSERT(IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES ==
	      BPIO_CTL_CODE(0x002D, 0x501, 0, BPIO_FILE_WRITE_ACCESS));

/* ---- FSCTL_MANAGE_BYPASS_IO (ntifs.h) ---------------------------------- */

#define FS_BPIO_OP_ENABLE		1
#define FS_BPIO_OP_DISABLE		2
#define FS_BPIO_OP_QUERY		3
#define FS_BPIO_OP_VOLUME_STACK_PAUSE	4
#define FS_BPIO_OP_VOLUME_STACK_RESUME	5
#define FS_BPIO_OP_STREAM_PAUSE		6
#define FS_BPIO_OP_STREAM_RESUME	7
#define FS_BPIO_OP_GET_INFO		8
#define FS_BPIO_OP_MAX_OPERATION	9

/* fs_bpio_input.in_flags */
#define FSBPIO_INFL_None			0
#define FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY	1

/* fs_bpio_output.out_flags */
#define FSBPIO_OUTFL_None			0
#define FSBPIO_OUTFL_VOLUME_STACK_BYPASS_PAUSED	1
#define FSBPIO_OUTFL_STREAM_BYPASS_PAUSED	2
#define FSBPIO_OUTFL_FILTER_ATTACH_BLOCKED	4
#define FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER	8

#define BPIO_DRIVER_NAME_CHARS		32
#define BPIO_FAILURE_REASON_CHARS	128

struct fs_bpio_input {
	__u32 operation;	/* FS_BPIO_OP_* */
	__u32 in_flags;		/* FSBPIO_INFL_* */
	__aligned_u64 reserved1;
	__aligned_u64 reserved2;
};

__BPIO_SIZE(fs_bpio_input, 24);
__BPIO_AT(fs_bpio_input, reserved1, 0x08);

/* Names and reasons: UTF-16LE, lengths in code units, not terminated. */
struct fs_bpio_results {
	__s32 op_status;	/* 0 or the NTSTATUS of the first objector */
	__u16 failing_driver_name_len;
	__u16 failing_driver_name[BPIO_DRIVER_NAME_CHARS];
	__u16 failure_reason_len;
	__u16 failure_reason[BPIO_FAILURE_REASON_CHARS];
};

__BPIO_SIZE(fs_bpio_results, 328);
__BPIO_AT(fs_bpio_results, failing_driver_name_len, 0x04);
__BPIO_AT(fs_bpio_results, failing_driver_name, 0x06);
__BPIO_AT(fs_bpio_results, failure_reason_len, 0x46);
__BPIO_AT(fs_bpio_results, failure_reason, 0x48);

struct fs_bpio_info {
	__u32 active_bypass_io_count;	/* enabled opens on the volume */
	__u16 storage_driver_name_len;
	__u16 storage_driver_name[BPIO_DRIVER_NAME_CHARS];
	__u16 pad;
};

__BPIO_SIZE(fs_bpio_info, 72);
__BPIO_AT(fs_bpio_info, storage_driver_name_len, 0x04);
__BPIO_AT(fs_bpio_info, storage_driver_name, 0x06);

struct fs_bpio_output {
	__u32 operation;
	__u32 out_flags;	/* FSBPIO_OUTFL_* */
	__aligned_u64 reserved1;
	__aligned_u64 reserved2;
	union {
		struct fs_bpio_results enable;
		struct fs_bpio_results query;
		struct fs_bpio_results volume_stack_resume;
		struct fs_bpio_results stream_resume;
		struct fs_bpio_info get_info;
	};
};

__BPIO_SIZE(fs_bpio_output, 352);
__BPIO_AT(fs_bpio_output, reserved1, 0x08);
__BPIO_AT(fs_bpio_output, enable, 0x18);
__BPIO_AT(fs_bpio_output, get_info, 0x18);

/* Bytes returned, by operation */
#define FS_BPIO_OUTPUT_ENABLE_SIZE		352
#define FS_BPIO_OUTPUT_DISABLE_SIZE		24
#define FS_BPIO_OUTPUT_QUERY_SIZE		352
#define FS_BPIO_OUTPUT_VOLUME_STACK_PAUSE_SIZE	24
#define FS_BPIO_OUTPUT_VOLUME_STACK_RESUME_SIZE	352
#define FS_BPIO_OUTPUT_STREAM_PAUSE_SIZE	24
#define FS_BPIO_OUTPUT_STREAM_RESUME_SIZE	352
#define FS_BPIO_OUTPUT_GET_INFO_SIZE		96

/* ---- IOCTL_STORAGE_MANAGE_BYPASS_IO (ntddstor.h) ----------------------- */

#define BPIO_OP_ENABLE		1
#define BPIO_OP_DISABLE		2
#define BPIO_OP_QUERY		3

#define BPIO_INFL_NONE		0
#define BPIO_OUTFL_NONE		0

struct bpio_input {
	__u32 version;		/* 24 */
	__u32 size;		/* 24 */
	__u32 operation;	/* BPIO_OP_* */
	__u32 in_flags;		/* 0 */
	__aligned_u64 reserved2;
};

__BPIO_SIZE(bpio_input, 24);
__BPIO_AT(bpio_input, operation, 0x08);
__BPIO_AT(bpio_input, reserved2, 0x10);

/* Identical to struct fs_bpio_results. */
struct bpio_results {
	__s32 op_status;
	__u16 failing_driver_name_len;
	__u16 failing_driver_name[BPIO_DRIVER_NAME_CHARS];
	__u16 failure_reason_len;
	__u16 failure_reason[BPIO_FAILURE_REASON_CHARS];
};

__BPIO_SIZE(bpio_results, 328);
__BPIO_AT(bpio_results, failing_driver_name_len, 0x04);
__BPIO_AT(bpio_results, failing_driver_name, 0x06);
__BPIO_AT(bpio_results, failure_reason_len, 0x46);
__BPIO_AT(bpio_results, failure_reason, 0x48);

struct bpio_output {
	__u32 version;		/* 352 */
	__u32 size;		/* 352, or BPIO_OUTPUT_DISABLE_SIZE */
	__u32 operation;
	__u32 out_flags;	/* 0 */
	__aligned_u64 reserved2;
	union {
		struct bpio_results enable;
		struct bpio_results query;
	};
};

__BPIO_SIZE(bpio_output, 352);
__BPIO_AT(bpio_output, operation, 0x08);
__BPIO_AT(bpio_output, reserved2, 0x10);
__BPIO_AT(bpio_output, enable, 0x18);

#define BPIO_OUTPUT_ENABLE_SIZE		352
#define BPIO_OUTPUT_DISABLE_SIZE	24
#define BPIO_OUTPUT_QUERY_SIZE		352

/* ---- offload token (ntddstor.h, MS-FSCC 2.1.11) ------------------------ */

#define STORAGE_OFFLOAD_MAX_TOKEN_LENGTH	512
#define STORAGE_OFFLOAD_TOKEN_ID_LENGTH		0x1F8

#define STORAGE_OFFLOAD_TOKEN_TYPE_ZERO_DATA	0xFFFF0001
#define STORAGE_OFFLOAD_TOKEN_TYPE_WELL_KNOWN	0xFFFFFFFF
#define STORAGE_OFFLOAD_PATTERN_ZERO			0x0001
#define STORAGE_OFFLOAD_PATTERN_ZERO_WITH_PROTECTION_INFORMATION 0x0002

struct storage_offload_token {
	__u8 token_type[4];		/* big endian */
	__u8 reserved[2];		/* sent 0, ignored */
	__u8 token_id_length[2];	/* big endian, at most 504 */
	__u8 token_id[STORAGE_OFFLOAD_TOKEN_ID_LENGTH];
};

__BPIO_SIZE(storage_offload_token, 512);
__BPIO_AT(storage_offload_token, token_id_length, 6);
__BPIO_AT(storage_offload_token, token_id, 8);

/* ---- FSCTL_OFFLOAD_READ and FSCTL_OFFLOAD_WRITE (MS-FSCC) -------------- */

#define OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE	0x1

struct fsctl_offload_read_input {
	__u32 size;			/* 32 */
	__u32 flags;			/* sent 0, ignored */
	__u32 token_time_to_live;	/* ms, 0 = default */
	__u32 reserved;			/* sent 0, ignored */
	__aligned_u64 file_offset;	/* bytes, sector multiple */
	__aligned_u64 copy_length;	/* bytes */
};

__BPIO_SIZE(fsctl_offload_read_input, 32);
__BPIO_AT(fsctl_offload_read_input, file_offset, 0x10);

struct fsctl_offload_read_output {
	__u32 size;			/* 528 */
	__u32 flags;			/* OFFLOAD_READ_FLAG_* */
	__aligned_u64 transfer_length;	/* bytes that the token stands for */
	struct storage_offload_token token;
};

__BPIO_SIZE(fsctl_offload_read_output, 528);
__BPIO_AT(fsctl_offload_read_output, transfer_length, 0x08);
__BPIO_AT(fsctl_offload_read_output, token, 16);

struct fsctl_offload_write_input {
	__u32 size;			/* 544 */
	__u32 flags;			/* sent 0, ignored */
	__aligned_u64 file_offset;	/* bytes, sector multiple */
	__aligned_u64 copy_length;	/* bytes, 0 allowed */
	__aligned_u64 transfer_offset;	/* bytes into the token's data */
	struct storage_offload_token token;
};

__BPIO_SIZE(fsctl_offload_write_input, 544);
__BPIO_AT(fsctl_offload_write_input, file_offset, 0x08);
__BPIO_AT(fsctl_offload_write_input, transfer_offset, 0x18);
__BPIO_AT(fsctl_offload_write_input, token, 32);

struct fsctl_offload_write_output {
	__u32 size;			/* 16 */
	__u32 flags;			/* 0 */
	__aligned_u64 length_written;	/* bytes */
};

__BPIO_SIZE(fsctl_offload_write_output, 16);
__BPIO_AT(fsctl_offload_write_output, length_written, 0x08);

/* ---- data set management (ntddstor.h) ---------------------------------- */

#define DEVICE_DSM_ACTION_FLAG_NON_DESTRUCTIVE		0x80000000

#define DEVICE_DSM_ACTION_NONE				0x00000000
#define DEVICE_DSM_ACTION_TRIM				0x00000001
#define DEVICE_DSM_ACTION_NOTIFICATION			0x80000002
#define DEVICE_DSM_ACTION_OFFLOAD_READ			0x80000003
#define DEVICE_DSM_ACTION_OFFLOAD_WRITE			0x00000004
#define DEVICE_DSM_ACTION_ALLOCATION			0x80000005
#define DEVICE_DSM_ACTION_REPAIR			0x80000006
#define DEVICE_DSM_ACTION_SCRUB				0x80000007
#define DEVICE_DSM_ACTION_DRT_QUERY			0x80000008
#define DEVICE_DSM_ACTION_DRT_CLEAR			0x80000009
#define DEVICE_DSM_ACTION_DRT_DISABLE			0x8000000A
#define DEVICE_DSM_ACTION_TIERING_QUERY			0x8000000B
#define DEVICE_DSM_ACTION_MAP				0x8000000C
#define DEVICE_DSM_ACTION_REGENERATE_PARITY		0x8000000D
#define DEVICE_DSM_ACTION_NV_CACHE_CHANGE_PRIORITY	0x8000000E
#define DEVICE_DSM_ACTION_NV_CACHE_EVICT		0x8000000F
#define DEVICE_DSM_ACTION_TOPOLOGY_ID_QUERY		0x80000010
#define DEVICE_DSM_ACTION_GET_PHYSICAL_ADDRESSES	0x80000011
#define DEVICE_DSM_ACTION_SCOPE_REGEN			0x80000012
#define DEVICE_DSM_ACTION_REPORT_ZONES			0x80000013
#define DEVICE_DSM_ACTION_OPEN_ZONE			0x80000014
#define DEVICE_DSM_ACTION_FINISH_ZONE			0x80000015
#define DEVICE_DSM_ACTION_CLOSE_ZONE			0x80000016
#define DEVICE_DSM_ACTION_RESET_WRITE_POINTER		0x00000017
#define DEVICE_DSM_ACTION_GET_RANGE_ERROR_INFO		0x80000018
#define DEVICE_DSM_ACTION_WRITE_ZEROES			0x00000019
#define DEVICE_DSM_ACTION_LOST_QUERY			0x8000001A
#define DEVICE_DSM_ACTION_GET_FREE_SPACE		0x8000001B
#define DEVICE_DSM_ACTION_CONVERSION_QUERY		0x8000001C
#define DEVICE_DSM_ACTION_VDT_SET			0x0000001D
#define DEVICE_DSM_ACTION_QUERY_PREFER_LOCAL_REPAIR	0x8000001E

#define DEVICE_DSM_FLAG_ENTIRE_DATA_SET_RANGE		0x00000001

#define STORAGE_OFFLOAD_READ_RANGE_TRUNCATED		0x1
#define STORAGE_OFFLOAD_WRITE_RANGE_TRUNCATED		0x1
#define STORAGE_OFFLOAD_TOKEN_INVALID			0x2

struct device_dsm_input {
	__u32 size;			/* 28 */
	__u32 action;			/* DEVICE_DSM_ACTION_* */
	__u32 flags;			/* DEVICE_DSM_FLAG_* */
	__u32 parameter_block_offset;	/* bytes from here, 0 = none */
	__u32 parameter_block_length;
	__u32 data_set_ranges_offset;	/* bytes from here, 0 = none */
	__u32 data_set_ranges_length;
};

__BPIO_SIZE(device_dsm_input, 28);
__BPIO_AT(device_dsm_input, data_set_ranges_offset, 20);

struct device_dsm_range {
	__bpio_aligned_s64 starting_offset;	/* bytes, sector multiple */
	__aligned_u64 length_in_bytes;
};

__BPIO_SIZE(device_dsm_range, 16);

struct device_dsm_output {
	__u32 size;			/* 36 */
	__u32 action;
	__u32 flags;
	__u32 operation_status;
	__u32 extended_error;
	__u32 target_detailed_error;
	__u32 reserved_status;
	__u32 output_block_offset;
	__u32 output_block_length;
};

__BPIO_SIZE(device_dsm_output, 36);

struct device_dsm_offload_read_parameters {
	__u32 flags;			/* 0 */
	__u32 time_to_live;		/* ms */
	__u32 reserved[2];
};

__BPIO_SIZE(device_dsm_offload_read_parameters, 16);

struct device_dsm_offload_write_parameters {
	__u32 flags;
	__u32 reserved;
	__aligned_u64 token_offset;	/* bytes into the token's data */
	struct storage_offload_token token;
};

__BPIO_SIZE(device_dsm_offload_write_parameters, 528);
__BPIO_AT(device_dsm_offload_write_parameters, token, 16);

struct storage_offload_read_output {
	__u32 offload_read_flags;
	__u32 reserved;
	__aligned_u64 length_protected;	/* bytes */
	__u32 token_length;
	struct storage_offload_token token;
	__u8 pad[4];
};

__BPIO_SIZE(storage_offload_read_output, 536);
__BPIO_AT(storage_offload_read_output, token, 20);

struct storage_offload_write_output {
	__u32 offload_write_flags;
	__u32 reserved;
	__aligned_u64 length_copied;	/* bytes */
};

__BPIO_SIZE(storage_offload_write_output, 16);

/* ---- IOCTL_STORAGE_QUERY_PROPERTY -------------------------------------- */

#define STORAGE_DEVICE_COPY_OFFLOAD_PROPERTY	13
#define STORAGE_PROPERTY_STANDARD_QUERY		0
#define STORAGE_PROPERTY_EXISTS_QUERY		1

struct storage_property_query {
	__u32 property_id;
	__u32 query_type;
	__u8 additional_parameters[1];
	__u8 pad[3];
};

__BPIO_SIZE(storage_property_query, 12);

struct storage_descriptor_header {
	__u32 version;
	__u32 size;
};

__BPIO_SIZE(storage_descriptor_header, 8);

struct device_copy_offload_descriptor {
	__u32 version;				/* 48 */
	__u32 size;				/* 48 */
	__u32 maximum_token_lifetime;		/* s */
	__u32 default_token_lifetime;		/* s */
	__aligned_u64 maximum_transfer_size;	/* bytes */
	__aligned_u64 optimal_transfer_count;	/* bytes */
	__u32 maximum_data_descriptors;
	__u32 maximum_transfer_length_per_descriptor;	/* blocks */
	__u32 optimal_transfer_length_per_descriptor;	/* blocks */
	__u16 optimal_transfer_length_granularity;	/* blocks */
	__u16 reserved;
};

__BPIO_SIZE(device_copy_offload_descriptor, 48);
__BPIO_AT(device_copy_offload_descriptor, maximum_data_descriptors, 0x20);
__BPIO_AT(device_copy_offload_descriptor, reserved, 0x2E);

/* ---- FSCTL_SET_COMPRESSION: its input is one of these, 16 bits ---------- */

#define COMPRESSION_FORMAT_NONE		0
#define COMPRESSION_FORMAT_DEFAULT	1

/* ---- FSCTL_SET_ENCRYPTION ---------------------------------------------- */

#define FILE_SET_ENCRYPTION	1
#define FILE_CLEAR_ENCRYPTION	2

struct encryption_buffer {
	__u32 encryption_operation;	/* FILE_{SET,CLEAR}_ENCRYPTION */
	__u8 private_data[1];
	__u8 pad[3];
};

__BPIO_SIZE(encryption_buffer, 8);

/* ---- feature opt-in bits ----------------------------------------------- */

#define SUPPORTED_FS_FEATURES_OFFLOAD_READ	0x00000001
#define SUPPORTED_FS_FEATURES_OFFLOAD_WRITE	0x00000002
#define SUPPORTED_FS_FEATURES_QUERY_OPEN	0x00000004
#define SUPPORTED_FS_FEATURES_BYPASS_IO		0x00000008
#define SUPPORTED_FS_FEATURES_VALID_MASK	0x0000000F

#define STORAGE_SUPPORTED_FEATURES_BYPASS_IO	0x00000001
#define STORAGE_SUPPORTED_FEATURES_MASK		0x00000001

#define FILE_SUPPORTS_BYPASS_IO			0x00000800

/* ---- filter manager values --------------------------------------------- */

#define FLT_PREOP_SUCCESS_WITH_CALLBACK		0
#define FLT_PREOP_SUCCESS_NO_CALLBACK		1
#define FLT_PREOP_PENDING			2
#define FLT_PREOP_DISALLOW_FASTIO		3
#define FLT_PREOP_COMPLETE			4
#define FLT_PREOP_SYNCHRONIZE			5
#define FLT_PREOP_DISALLOW_FSFILTER_IO		6

#define FLT_POSTOP_FINISHED_PROCESSING		0
#define FLT_POSTOP_MORE_PROCESSING_REQUIRED	1
#define FLT_POSTOP_DISALLOW_FSFILTER_IO		2

#define IRP_MJ_CREATE				0x00
#define IRP_MJ_CLOSE				0x02
#define IRP_MJ_READ				0x03
#define IRP_MJ_WRITE				0x04
#define IRP_MJ_SET_INFORMATION			0x06
#define IRP_MJ_FILE_SYSTEM_CONTROL		0x0D
#define IRP_MJ_DEVICE_CONTROL			0x0E
#define IRP_MJ_CLEANUP				0x12

/* ---- NTSTATUS (MS-ERREF 2.3 and public headers) ------------------------- */

#define BPIO_NTSTATUS(value)		((__s32)(value##u))
/* 0 success, 1 informational, 2 warning, 3 error */
#define BPIO_NT_SEVERITY(status)	((__u32)(status) >> 30)

#define STATUS_SUCCESS				BPIO_NTSTATUS(0x00000000)
#define STATUS_PENDING				BPIO_NTSTATUS(0x00000103)
#define STATUS_BUFFER_OVERFLOW			BPIO_NTSTATUS(0x80000005)
#define STATUS_UNSUCCESSFUL			BPIO_NTSTATUS(0xC0000001)
#define STATUS_INFO_LENGTH_MISMATCH		BPIO_NTSTATUS(0xC0000004)
#define STATUS_INVALID_HANDLE			BPIO_NTSTATUS(0xC0000008)
#define STATUS_INVALID_PARAMETER		BPIO_NTSTATUS(0xC000000D)
#define STATUS_INVALID_DEVICE_REQUEST		BPIO_NTSTATUS(0xC0000010)
#define STATUS_END_OF_FILE			BPIO_NTSTATUS(0xC0000011)
#define STATUS_NONEXISTENT_SECTOR		BPIO_NTSTATUS(0xC0000015)
#define STATUS_ACCESS_DENIED			BPIO_NTSTATUS(0xC0000022)
#define STATUS_BUFFER_TOO_SMALL			BPIO_NTSTATUS(0xC0000023)
#define STATUS_DATA_OVERRUN			BPIO_NTSTATUS(0xC000003C)
#define STATUS_FILE_LOCK_CONFLICT		BPIO_NTSTATUS(0xC0000054)
#define STATUS_INSUFFICIENT_RESOURCES		BPIO_NTSTATUS(0xC000009A)
#define STATUS_MEDIA_WRITE_PROTECTED		BPIO_NTSTATUS(0xC00000A2)
#define STATUS_IO_TIMEOUT			BPIO_NTSTATUS(0xC00000B5)
#define STATUS_NOT_SUPPORTED			BPIO_NTSTATUS(0xC00000BB)
#define STATUS_INVALID_PARAMETER_1		BPIO_NTSTATUS(0xC00000EF)
#define STATUS_INVALID_PARAMETER_2		BPIO_NTSTATUS(0xC00000F0)
#define STATUS_INVALID_PARAMETER_3		BPIO_NTSTATUS(0xC00000F1)
#define STATUS_INVALID_PARAMETER_4		BPIO_NTSTATUS(0xC00000F2)
#define STATUS_FILE_DELETED			BPIO_NTSTATUS(0xC0000123)
#define STATUS_FILE_CLOSED			BPIO_NTSTATUS(0xC0000128)
#define STATUS_TOO_LATE				BPIO_NTSTATUS(0xC0000189)
#define STATUS_INVALID_BUFFER_SIZE		BPIO_NTSTATUS(0xC0000206)
#define STATUS_VOLUME_DISMOUNTED		BPIO_NTSTATUS(0xC000026E)
#define STATUS_BEYOND_VDL			BPIO_NTSTATUS(0xC0000432)
#define STATUS_DEVICE_FEATURE_NOT_SUPPORTED	BPIO_NTSTATUS(0xC0000463)
#define STATUS_DEVICE_UNREACHABLE		BPIO_NTSTATUS(0xC0000464)
#define STATUS_INVALID_TOKEN			BPIO_NTSTATUS(0xC0000465)
#define STATUS_COMPRESSED_FILE_NOT_SUPPORTED	BPIO_NTSTATUS(0xC000047B)
#define STATUS_DIRECTORY_NOT_SUPPORTED		BPIO_NTSTATUS(0xC000047C)
#define STATUS_NOT_SUPPORTED_ON_DAX		BPIO_NTSTATUS(0xC000049A)
#define STATUS_ENCRYPTED_FILE_NOT_SUPPORTED	BPIO_NTSTATUS(0xC00004C3)
#define STATUS_SPARSE_FILE_NOT_SUPPORTED	BPIO_NTSTATUS(0xC00004C4)
#define STATUS_PAGEFILE_NOT_SUPPORTED		BPIO_NTSTATUS(0xC00004C5)
#define STATUS_VOLUME_NOT_SUPPORTED		BPIO_NTSTATUS(0xC00004C6)
#define STATUS_NOT_SUPPORTED_WITH_BYPASSIO	BPIO_NTSTATUS(0xC00004C7)
#define STATUS_NO_BYPASSIO_DRIVER_SUPPORT	BPIO_NTSTATUS(0xC00004C8)
#define STATUS_NOT_SUPPORTED_WITH_ENCRYPTION	BPIO_NTSTATUS(0xC00004C9)
#define STATUS_NOT_SUPPORTED_WITH_COMPRESSION	BPIO_NTSTATUS(0xC00004CA)
#define STATUS_NOT_SUPPORTED_WITH_REPLICATION	BPIO_NTSTATUS(0xC00004CB)
#define STATUS_NOT_SUPPORTED_WITH_DEDUPLICATION	BPIO_NTSTATUS(0xC00004CC)
#define STATUS_NOT_SUPPORTED_WITH_AUDITING	BPIO_NTSTATUS(0xC00004CD)
#define STATUS_NOT_SUPPORTED_WITH_MONITORING	BPIO_NTSTATUS(0xC00004CE)
#define STATUS_NOT_SUPPORTED_WITH_SNAPSHOT	BPIO_NTSTATUS(0xC00004CF)
#define STATUS_NOT_SUPPORTED_WITH_VIRTUALIZATION BPIO_NTSTATUS(0xC00004D0)
#define STATUS_BYPASSIO_FLT_NOT_SUPPORTED	BPIO_NTSTATUS(0xC00004D2)
#define STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED	BPIO_NTSTATUS(0xC000A2A1)
#define STATUS_OFFLOAD_WRITE_FLT_NOT_SUPPORTED	BPIO_NTSTATUS(0xC000A2A2)
#define STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED	BPIO_NTSTATUS(0xC000A2A3)
#define STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED	BPIO_NTSTATUS(0xC000A2A4)
#define STATUS_FLT_INTERNAL_ERROR		BPIO_NTSTATUS(0xC01C000A)
#define STATUS_FLT_INSTANCE_ALTITUDE_COLLISION	BPIO_NTSTATUS(0xC01C0011)
#define STATUS_FLT_VOLUME_NOT_FOUND		BPIO_NTSTATUS(0xC01C0014)

#endif /* _UAPI_LINUX_BPIO_H */
