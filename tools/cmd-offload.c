// SPDX-License-Identifier: GPL-2.0
/*
 * bpioctl offload: one FSCTL_OFFLOAD_READ or FSCTL_OFFLOAD_WRITE, and a look
 * into a token.  A token file is the 512 raw bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpioctl.h"

/* Length as asked for, else to the end of the file. */
static int request_length(int fd, const struct args *args,
			  struct offload_report *request)
{
	struct stat st;

	request->copy_length = args->length;
	if (args->length != UINT64_MAX)
		return DONE;
	if (fstat(fd, &st))
		return complain_errno(request->path, "stat", errno);
	if ((uint64_t)st.st_size <= args->offset)
		return complain(request->path,
				"the offset is at or past its end");
	request->copy_length = (uint64_t)st.st_size - args->offset;
	return DONE;
}

/* A token lets its holder write the data anywhere: for the owner only. */
static int save_token(const char *path,
		      const struct storage_offload_token *token)
{
	int fd = open_plain(path, O_WRONLY | O_CREAT | O_TRUNC);
	ssize_t n;

	if (fd < 0)
		return FAILED;
	n = write(fd, token, sizeof(*token));
	if (n < 0)
		complain_errno(path, "write", errno);
	else if (n != (ssize_t)sizeof(*token))
		complain(path, "written in part only");
	if (close(fd) && n >= 0) {
		complain_errno(path, "close", errno);
		n = -1;
	}
	return n == (ssize_t)sizeof(*token) ? DONE : FAILED;
}

static int load_token(const char *path, struct storage_offload_token *token)
{
	char raw[sizeof(*token) + 1];
	size_t length = 0;
	ssize_t n;
	int fd;

	fd = open_plain(path, O_RDONLY);
	if (fd < 0)
		return FAILED;
	do {
		n = read(fd, raw + length, sizeof(raw) - length);
		if (n > 0)
			length += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		complain_errno(path, "read", errno);
	close(fd);
	if (n < 0)
		return FAILED;
	if (length != sizeof(*token))
		return complain(path, "not a token: a token has %zu bytes",
				sizeof(*token));
	*token = *(const struct storage_offload_token *)(const void *)raw;
	return DONE;
}

static int short_of(const char *path, uint64_t done, uint64_t asked)
{
	if (done >= asked)
		return DONE;
	return complain(path, "short: %" PRIu64 " of %" PRIu64 " bytes", done,
			asked);
}

int offload_read(const struct command *command, const struct args *args)
{
	struct offload_read_report report = {
		.request = {
			.path = args->operands[0],
			.token = args->token,
			.file_offset = args->offset,
		},
	};
	struct offload_report *request = &report.request;
	int result = FAILED;
	int err;
	int fd;

	(void)command;
	fd = open_plain(request->path, O_RDONLY);
	if (fd < 0)
		return FAILED;
	if (request_length(fd, args, request))
		goto out_close;
	err = bpio_offload_read(fd, request->file_offset, request->copy_length,
				args->ttl_ms, &report.out, &request->reply);
	if (err) {
		complain_errno(request->path, "OFFLOAD_READ", -err);
		goto out_close;
	}
	if (bpio_status_is_error(request->reply.status)) {
		args->print->offload_read(stdout, &report);
		complain_request(fd, request->path, request->reply.status);
		goto out_close;
	}
	if (save_token(args->token, &report.out.token))
		goto out_close;
	args->print->offload_read(stdout, &report);
	/* Nothing is missing when all that follows is known to be zero. */
	if (report.out.flags & OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE)
		result = DONE;
	else
		result = short_of(request->path, report.out.transfer_length,
				  request->copy_length);
out_close:
	close(fd);
	return result;
}

int offload_write(const struct command *command, const struct args *args)
{
	struct offload_write_report report = {
		.request = {
			.path = args->operands[0],
			.token = args->token,
			.file_offset = args->offset,
		},
		.transfer_offset = args->transfer_offset,
	};
	struct offload_report *request = &report.request;
	struct storage_offload_token token;
	int result = FAILED;
	int err;
	int fd;

	(void)command;
	if (load_token(args->token, &token))
		return FAILED;
	fd = open_plain(request->path, O_WRONLY);
	if (fd < 0)
		return FAILED;
	if (request_length(fd, args, request))
		goto out_close;
	err = bpio_offload_write(fd, request->file_offset, request->copy_length,
				 report.transfer_offset, &token, &report.out,
				 &request->reply);
	if (err) {
		complain_errno(request->path, "OFFLOAD_WRITE", -err);
		goto out_close;
	}
	args->print->offload_write(stdout, &report);
	if (bpio_status_is_error(request->reply.status))
		result = complain_request(fd, request->path,
					  request->reply.status);
	else
		result = short_of(request->path, report.out.length_written,
				  request->copy_length);
out_close:
	close(fd);
	return result;
}

int offload_token(const struct command *command, const struct args *args)
{
	struct token_report report = { .path = args->operands[0] };
	struct storage_offload_token raw;

	(void)command;
	if (load_token(report.path, &raw))
		return FAILED;
	bpio_token_decode(&raw, &report.token);
	args->print->token(stdout, &report);
	return DONE;
}
