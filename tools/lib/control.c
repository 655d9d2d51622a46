// SPDX-License-Identifier: GPL-2.0
/*
 * Carries requests through BPIO_IOC_CONTROL and checks that a reply is whole
 * before anyone reads it.  Knows layouts, not meanings.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bpio.h"

/* The largest sector by which a length may be rounded up at end of file. */
#define MAX_SECTOR_LENGTH 65536

int bpio_control(int fd, uint32_t code, uint32_t flags, const void *in,
		 uint32_t in_length, void *out, uint32_t out_length,
		 int device_fd, int32_t *status, uint32_t *information)
{
	struct bpio_control control = {
		.code = code,
		.flags = flags,
		.input = (uintptr_t)in,
		.output = (uintptr_t)out,
		.input_length = in_length,
		.output_length = out_length,
		.device_fd = device_fd,
	};

	if (ioctl(fd, BPIO_IOC_CONTROL, &control) < 0)
		return -errno;
	*status = control.status;
	*information = control.information;
	return 0;
}

/*
 * A request whose output is one structure of which at least @need bytes must
 * have come back.  @out is all zero wherever the kernel did not fill it.
 */
static int request(int fd, uint32_t code, uint32_t flags, const void *in,
		   uint32_t in_length, void *out, uint32_t out_length,
		   uint32_t need, int device_fd, struct bpio_reply *reply)
{
	int err;

	memset(out, 0, out_length);
	err = bpio_control(fd, code, flags, in, in_length, out, out_length,
			   device_fd, &reply->status, &reply->information);
	if (err)
		return err;
	if (bpio_status_is_error(reply->status))
		memset(out, 0, out_length);
	else if (reply->information < need)
		return -EPROTO;
	return 0;
}

/*
 * What the I/O manager and a file system without the ioctl have to say, in
 * the words of the protocol.
 */
static int verdict(int err, int32_t unknown, struct bpio_reply *reply)
{
	if (err != -ENOTTY && err != -EBADF)
		return err;
	reply->status = err == -ENOTTY ? unknown : STATUS_INVALID_HANDLE;
	reply->information = 0;
	return 0;
}

/* Both offload requests answer with a length that is at most what was asked. */
static bool length_is_absurd(uint64_t answered, uint64_t asked)
{
	return answered > asked && answered - asked >= MAX_SECTOR_LENGTH;
}

static uint32_t fs_bpio_output_size(uint32_t operation)
{
	switch (operation) {
	case FS_BPIO_OP_DISABLE:
	case FS_BPIO_OP_VOLUME_STACK_PAUSE:
	case FS_BPIO_OP_STREAM_PAUSE:
		return FS_BPIO_OUTPUT_DISABLE_SIZE;
	case FS_BPIO_OP_GET_INFO:
		return FS_BPIO_OUTPUT_GET_INFO_SIZE;
	default:
		return sizeof(struct fs_bpio_output);
	}
}

int bpio_manage_bypass_io(int fd, uint32_t operation, uint32_t in_flags,
			  struct fs_bpio_output *out, struct bpio_reply *reply)
{
	struct fs_bpio_input in = {
		.operation = operation,
		.in_flags = in_flags,
	};
	int err;

	err = request(fd, FSCTL_MANAGE_BYPASS_IO, 0, &in, sizeof(in), out,
		      sizeof(*out), fs_bpio_output_size(operation), -1, reply);
	err = verdict(err, STATUS_NOT_SUPPORTED, reply);
	if (err)
		return err;
	if (!bpio_status_is_error(reply->status) && out->operation != operation)
		return -EPROTO;
	return 0;
}

int bpio_offload_read(int fd, uint64_t file_offset, uint64_t copy_length,
		      uint32_t time_to_live_ms,
		      struct fsctl_offload_read_output *out,
		      struct bpio_reply *reply)
{
	struct fsctl_offload_read_input in = {
		.size = sizeof(in),
		.token_time_to_live = time_to_live_ms,
		.file_offset = file_offset,
		.copy_length = copy_length,
	};
	int err;

	err = request(fd, FSCTL_OFFLOAD_READ, 0, &in, sizeof(in), out,
		      sizeof(*out), sizeof(*out), -1, reply);
	err = verdict(err, STATUS_INVALID_DEVICE_REQUEST, reply);
	if (err)
		return err;
	return length_is_absurd(out->transfer_length, copy_length) ? -EPROTO :
								     0;
}

int bpio_offload_write(int fd, uint64_t file_offset, uint64_t copy_length,
		       uint64_t transfer_offset,
		       const struct storage_offload_token *token,
		       struct fsctl_offload_write_output *out,
		       struct bpio_reply *reply)
{
	struct fsctl_offload_write_input in = {
		.size = sizeof(in),
		.file_offset = file_offset,
		.copy_length = copy_length,
		.transfer_offset = transfer_offset,
		.token = *token,
	};
	int err;

	err = request(fd, FSCTL_OFFLOAD_WRITE, 0, &in, sizeof(in), out,
		      sizeof(*out), sizeof(*out), -1, reply);
	err = verdict(err, STATUS_INVALID_DEVICE_REQUEST, reply);
	if (err)
		return err;
	return length_is_absurd(out->length_written, copy_length) ? -EPROTO : 0;
}

int bpio_storage_manage_bypass_io(int control_fd, int device_fd,
				  uint32_t operation, uint32_t flags,
				  struct bpio_output *out,
				  struct bpio_reply *reply)
{
	struct bpio_input in = {
		.version = sizeof(in),
		.size = sizeof(in),
		.operation = operation,
	};
	uint32_t need = operation == BPIO_OP_DISABLE ?
				BPIO_OUTPUT_DISABLE_SIZE :
				sizeof(*out);
	int err;

	err = request(control_fd, IOCTL_STORAGE_MANAGE_BYPASS_IO, flags, &in,
		      sizeof(in), out, sizeof(*out), need, device_fd, reply);
	if (err)
		return err;
	if (!bpio_status_is_error(reply->status) && out->operation != operation)
		return -EPROTO;
	return 0;
}

int bpio_storage_copy_offload(int control_fd, int device_fd,
			      struct device_copy_offload_descriptor *out,
			      struct bpio_reply *reply)
{
	struct storage_property_query in = {
		.property_id = STORAGE_DEVICE_COPY_OFFLOAD_PROPERTY,
		.query_type = STORAGE_PROPERTY_STANDARD_QUERY,
	};

	return request(control_fd, IOCTL_STORAGE_QUERY_PROPERTY, 0, &in,
		       sizeof(in), out, sizeof(*out), sizeof(*out), device_fd,
		       reply);
}

int bpio_set_encryption(int fd, uint32_t operation, struct bpio_reply *reply)
{
	struct encryption_buffer in = {
		.encryption_operation = operation,
	};
	int err;

	err = bpio_control(fd, FSCTL_SET_ENCRYPTION, 0, &in, sizeof(in), NULL,
			   0, -1, &reply->status, &reply->information);
	return verdict(err, STATUS_INVALID_DEVICE_REQUEST, reply);
}
