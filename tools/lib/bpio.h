/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libbpio: BypassIO and offloaded data transfer from user space.
 *
 * Owns: carrying a request through BPIO_IOC_CONTROL, checking that what came
 * back is whole, the copy engine, and the names, Win32 codes and texts of the
 * statuses.
 * Refuses to know: how anything is shown, and where volumes are mounted.
 *
 * Two results, never mixed: a function returns 0 or a negative errno for the
 * carrier, and fills struct bpio_reply with the NTSTATUS of the request.  A
 * veto is neither: it is a successful request whose output says op_status.
 *
 * A handle that is none, or one of a file system that does not know the ioctl,
 * is a verdict too: the FSCTL functions make EBADF and ENOTTY the status that
 * the protocol has for it (R-FS-4, OR-1, OR-5, OW-1).
 */
#ifndef BPIO_H
#define BPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/bpio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the IOCTL_* codes go. */
#define BPIO_CONTROL_DEVICE "/dev/bpio"

/* Room for n UTF-16 code units as UTF-8 with its terminator. */
#define BPIO_UTF8_SIZE(units) ((units)*3 + 1)

/**
 * struct bpio_reply - verdict of one request
 * @status: NTSTATUS
 * @information: bytes that the kernel says it returned
 */
struct bpio_reply {
	int32_t status;
	uint32_t information;
};

/**
 * bpio_status_is_error() - does this NTSTATUS mean that the request failed?
 * @status: NTSTATUS
 *
 * Return: true for severity 3; the output of such a request is not filled.
 */
static inline bool bpio_status_is_error(int32_t status)
{
	return BPIO_NT_SEVERITY(status) == 3;
}

/**
 * bpio_control() - send one control code with its buffers
 * @fd: open file or directory of a bpiofs mount, or /dev/bpio
 * @code: FSCTL_* or IOCTL_*
 * @flags: 0 or BPIO_CONTROL_KERNEL_MODE
 * @in: input, may be NULL when @in_length is 0
 * @in_length: bytes, at most BPIO_CONTROL_MAX_LENGTH
 * @out: output, may be NULL when @out_length is 0
 * @out_length: bytes, at most BPIO_CONTROL_MAX_LENGTH
 * @device_fd: on /dev/bpio an open block device, elsewhere -1
 * @status: out: NTSTATUS of the request
 * @information: out: bytes returned; may exceed @out_length, the part that
 *	was copied never does
 *
 * The raw door: nothing of the output is checked.
 *
 * Return: 0 when the request was processed, whatever its @status; else
 * -EFAULT, -EINVAL, -ENOTTY (not a bpiofs file, or not /dev/bpio), -EBADF,
 * -EPERM or -ENOMEM.
 */
int bpio_control(int fd, uint32_t code, uint32_t flags, const void *in,
		 uint32_t in_length, void *out, uint32_t out_length,
		 int device_fd, int32_t *status, uint32_t *information);

/**
 * bpio_manage_bypass_io() - FSCTL_MANAGE_BYPASS_IO
 * @fd: open file, directory or mount root of a bpiofs mount
 * @operation: FS_BPIO_OP_*
 * @in_flags: FSBPIO_INFL_*
 * @out: output; all zero when the status is an error
 * @reply: out: status and bytes returned
 *
 * STATUS_NOT_SUPPORTED on another file system, STATUS_INVALID_HANDLE when @fd
 * is no open file.
 *
 * Return: 0, -EFAULT, -EINVAL, -EPERM or -ENOMEM of bpio_control(), or -EPROTO
 * when a successful reply is shorter than its operation demands or answers
 * another operation.
 */
int bpio_manage_bypass_io(int fd, uint32_t operation, uint32_t in_flags,
			  struct fs_bpio_output *out, struct bpio_reply *reply);

/**
 * bpio_offload_read() - FSCTL_OFFLOAD_READ: a token for a range of a file
 * @fd: file open for reading
 * @file_offset: bytes, a multiple of the sector
 * @copy_length: bytes, a multiple of the sector or ending at end of file
 * @time_to_live_ms: life of the token, 0 = the default of the device
 * @out: output; all zero when the status is an error
 * @reply: out: status and bytes returned
 *
 * STATUS_INVALID_DEVICE_REQUEST on another file system, STATUS_INVALID_HANDLE
 * when @fd is no open file.
 *
 * Return: as bpio_manage_bypass_io(); -EPROTO also when the token is said to
 * stand for a sector or more beyond what was asked.
 */
int bpio_offload_read(int fd, uint64_t file_offset, uint64_t copy_length,
		      uint32_t time_to_live_ms,
		      struct fsctl_offload_read_output *out,
		      struct bpio_reply *reply);

/**
 * bpio_offload_write() - FSCTL_OFFLOAD_WRITE: write the data of a token
 * @fd: file open for writing, already as long as the data will need
 * @file_offset: bytes, a multiple of the sector
 * @copy_length: bytes, a multiple of the sector or ending at end of file
 * @transfer_offset: bytes into the token's data, a multiple of the sector
 * @token: as a read gave it, unmodified
 * @out: output; all zero when the status is an error
 * @reply: out: status and bytes returned
 *
 * Statuses of a wrong @fd as of bpio_offload_read().
 *
 * Return: as bpio_manage_bypass_io(); -EPROTO also when a sector or
 * more beyond what was asked is said to be written.
 */
int bpio_offload_write(int fd, uint64_t file_offset, uint64_t copy_length,
		       uint64_t transfer_offset,
		       const struct storage_offload_token *token,
		       struct fsctl_offload_write_output *out,
		       struct bpio_reply *reply);

/**
 * bpio_storage_manage_bypass_io() - IOCTL_STORAGE_MANAGE_BYPASS_IO
 * @control_fd: open BPIO_CONTROL_DEVICE
 * @device_fd: open block device
 * @operation: BPIO_OP_*
 * @flags: BPIO_CONTROL_KERNEL_MODE, which ENABLE and DISABLE need, or 0
 * @out: output; all zero when the status is an error
 * @reply: out: status and bytes returned
 *
 * Return: 0, an errno of bpio_control(), or -EPROTO when a successful reply
 * is shorter than its operation demands or answers another operation.
 */
int bpio_storage_manage_bypass_io(int control_fd, int device_fd,
				  uint32_t operation, uint32_t flags,
				  struct bpio_output *out,
				  struct bpio_reply *reply);

/**
 * bpio_storage_copy_offload() - IOCTL_STORAGE_QUERY_PROPERTY, copy offload
 * @control_fd: open BPIO_CONTROL_DEVICE
 * @device_fd: open block device
 * @out: descriptor; all zero when the status is an error
 * @reply: out: status and bytes returned
 *
 * Return: as bpio_storage_manage_bypass_io().
 */
int bpio_storage_copy_offload(int control_fd, int device_fd,
			      struct device_copy_offload_descriptor *out,
			      struct bpio_reply *reply);

/**
 * bpio_set_encryption() - FSCTL_SET_ENCRYPTION
 * @fd: file on a volume with an encrypting filter
 * @operation: FILE_SET_ENCRYPTION or FILE_CLEAR_ENCRYPTION
 * @reply: out: status and bytes returned
 *
 * STATUS_INVALID_DEVICE_REQUEST also when no filter of the mount takes it;
 * statuses of a wrong @fd as of bpio_offload_read().
 *
 * Return: 0, -EFAULT, -EINVAL, -EPERM or -ENOMEM of bpio_control().
 */
int bpio_set_encryption(int fd, uint32_t operation, struct bpio_reply *reply);

/**
 * struct bpio_status - what is known of one NTSTATUS
 * @value: the status
 * @win32: Win32 code that tools print for it
 * @name: STATUS_*
 * @text: message of the Win32 code, a sentence with its period
 */
struct bpio_status {
	int32_t value;
	uint32_t win32;
	const char *name;
	const char *text;
};

/**
 * bpio_status_find() - look a status up
 * @status: NTSTATUS
 *
 * Return: its row, or NULL when it is not of this protocol.
 */
const struct bpio_status *bpio_status_find(int32_t status);

/**
 * bpio_status_name() - name of a status
 * @status: NTSTATUS
 *
 * Return: its name, or "unknown status".
 */
const char *bpio_status_name(int32_t status);

/**
 * bpio_utf16_to_utf8() - decode a name or reason
 * @units: UTF-16LE code units as they came, of any alignment
 * @length: units that count
 * @out: UTF-8, always terminated when @out_size > 0
 * @out_size: bytes; BPIO_UTF8_SIZE(@length) is always enough
 *
 * A lone surrogate or an embedded NUL becomes U+FFFD.  What does not fit is
 * left out, whole characters at a time.
 *
 * Return: bytes written without the terminator.
 */
size_t bpio_utf16_to_utf8(const void *units, size_t length, char *out,
			  size_t out_size);

/* Who can read a token. */
enum bpio_token_kind {
	BPIO_TOKEN_ZERO, /* well-known: zeros, the form that is emitted */
	BPIO_TOKEN_ZERO_PATTERN, /* well-known: zeros, by 16-bit pattern */
	BPIO_TOKEN_RESERVED,  /* in the well-known range, without a meaning */
	BPIO_TOKEN_MALFORMED, /* zero data with a wrong id length */
	BPIO_TOKEN_BPIO,      /* issued by dm-bpio */
	BPIO_TOKEN_FOREIGN,   /* some other vendor's */
};

#define BPIO_TOKEN_TYPE_VENDOR 0x42504F01

/**
 * struct bpio_token - a token taken apart
 * @type: token type
 * @id_length: length of the id, bytes
 * @kind: who can read it
 * @pattern: BPIO_TOKEN_ZERO_PATTERN only
 * @issuer: BPIO_TOKEN_BPIO only, as is all below: copy manager UUID
 * @id: key of the issuer's table
 * @represented_length: bytes that the token stands for, informative
 * @hmac: seal of the issuer
 */
struct bpio_token {
	uint32_t type;
	uint16_t id_length;
	enum bpio_token_kind kind;
	uint16_t pattern;
	uint8_t issuer[16];
	uint8_t id[16];
	uint64_t represented_length;
	uint8_t hmac[32];
};

/**
 * bpio_token_decode() - take a token apart
 * @raw: the 512 bytes
 * @token: out
 *
 * Only shows: whether a token is good is for its issuer to say.
 */
void bpio_token_decode(const struct storage_offload_token *raw,
		       struct bpio_token *token);

/* ---- the copy engine --------------------------------------------------- */

/* Shorter files are not worth a token (CE-1). */
#define BPIO_COPY_MIN_LENGTH 262144
/* What one offload write moves, unless the device says otherwise (CE-8). */
#define BPIO_COPY_CHUNK_LENGTH 67108864
/* And what it never exceeds (CE-3). */
#define BPIO_COPY_MAX_CHUNK_LENGTH 268435456
/* How long a pair of volumes is left alone, seconds (CE-7). */
#define BPIO_COPY_PAIR_SECONDS 180

/* Why data of a file was not, or not all, offloaded. */
enum bpio_copy_why {
	BPIO_COPY_OFFLOADED = 0, /* it was */
	BPIO_COPY_SHORT,	 /* the file is below BPIO_COPY_MIN_LENGTH */
	BPIO_COPY_REFUSED,	 /* a request had an error status */
	BPIO_COPY_REMEMBERED,	 /* not tried: of an earlier file */
	BPIO_COPY_STUCK,	 /* four requests in a row moved nothing */
	BPIO_COPY_FAILED,	 /* the ioctl itself failed */
	BPIO_COPY_UNWANTED,	 /* BPIO_COPY_NO_OFFLOAD */
};

/**
 * struct bpio_copy_result - how far a copy is, and who moved what
 * @length: of the source, bytes
 * @done_length: bytes of the destination that are right, from its beginning;
 *	the sum of the four below
 * @offloaded_length: bytes by FSCTL_OFFLOAD_WRITE
 * @kernel_length: bytes by copy_file_range(2), which may offload them too
 * @ordinary_length: bytes by read and write
 * @zero_length: bytes of zeros that were left out: holes, and what follows the
 *	valid data
 * @why: why not all is offloaded
 * @code: FSCTL_OFFLOAD_READ or FSCTL_OFFLOAD_WRITE: which request @why is
 *	about; 0 with BPIO_COPY_OFFLOADED, _SHORT and _UNWANTED
 * @status: NTSTATUS, with BPIO_COPY_REFUSED and _REMEMBERED
 * @error: negative errno, with BPIO_COPY_FAILED
 * @reserved: 0
 */
struct bpio_copy_result {
	uint64_t length;
	uint64_t done_length;
	uint64_t offloaded_length;
	uint64_t kernel_length;
	uint64_t ordinary_length;
	uint64_t zero_length;
	enum bpio_copy_why why;
	uint32_t code;
	int32_t status;
	int32_t error;
	uint64_t reserved[4];
};

/* bpio_copy_options.flags */
#define BPIO_COPY_NO_OFFLOAD 0x1 /* by read and write only */

/**
 * struct bpio_copy_options - how to copy; all zero but @size is the default
 * @size: sizeof(struct bpio_copy_options)
 * @flags: 0 or BPIO_COPY_NO_OFFLOAD
 * @time_to_live_ms: life of the tokens, 0 = the default of the device
 * @reserved: 0
 * @chunk_length: bytes in one offload write, a multiple of the sector of both
 *	volumes; 0 = BPIO_COPY_CHUNK_LENGTH, more than
 *	BPIO_COPY_MAX_CHUNK_LENGTH counts as that much
 * @progress: called after each step, may be NULL; other than 0 ends the copy
 * @argument: for @progress
 */
struct bpio_copy_options {
	uint32_t size;
	uint32_t flags;
	uint32_t time_to_live_ms;
	uint32_t reserved;
	uint64_t chunk_length;
	int (*progress)(void *argument, const struct bpio_copy_result *so_far);
	void *argument;
};

/**
 * bpio_copy_file() - copy the data of a file, by token where that works
 * @from_fd: regular file, open for reading; where its offset is afterwards is
 *	not defined
 * @to_fd: another regular file, open for writing, not for appending; it is
 *	emptied first
 * @options: NULL for the defaults
 * @result: out: filled in any case but -EINVAL
 *
 * The destination grows with each piece, so that a copy whose process is killed
 * is short, unless its last piece was under way.
 *
 * Whatever goes wrong with a token, the rest is copied by copy_file_range(2),
 * and where that fails by read and write (CE-5).  So are files that have no
 * token: short ones, sparse ones, those of many extents.  Holes stay holes.
 *
 * A volume that does not do ODX is not asked again by this process (CE-6), a
 * pair of volumes that does not do it not for BPIO_COPY_PAIR_SECONDS (CE-7).
 *
 * Descriptors may be O_DIRECT.  What read and write cannot do directly, such as
 * the end of a file that is no multiple of its blocks, is done without that
 * flag; it is missing from the open file description meanwhile.
 *
 * May be called by several threads at once, with different files.  Attributes
 * are not copied, nothing is synced.
 *
 * Return: 0; -EINVAL for options or files that are none; -EBADF when a
 * descriptor is none or @from_fd is for writing only; -ECANCELED when @progress
 * said so; else an errno of lseek(2), ftruncate(2), read(2), write(2) or
 * malloc(3).  @to_fd is untouched after the first two, and ends at
 * @result->done_length after the others.
 */
int bpio_copy_file(int from_fd, int to_fd,
		   const struct bpio_copy_options *options,
		   struct bpio_copy_result *result);

/**
 * bpio_copy_chunk_length() - what one offload write to a device should move
 * @descriptor: of bpio_storage_copy_offload() on the destination's device
 *
 * Return: bytes, for @chunk_length of struct bpio_copy_options (CE-8).
 */
uint64_t
bpio_copy_chunk_length(const struct device_copy_offload_descriptor *descriptor);

/**
 * bpio_copy_forget() - ask again those volumes that could not offload
 */
void bpio_copy_forget(void);

#ifdef __cplusplus
}
#endif

#endif /* BPIO_H */
