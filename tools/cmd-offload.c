// SPDX-License-Identifier: GPL-2.0
/*
 * bpioctl offload: one FSCTL_OFFLOAD_READ or FSCTL_OFFLOAD_WRITE, and a look
 * into a token.  A token file is the 512 raw bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpioctl.h"

/* Length as asked for, else to the end of the file; @st: out. */
static int request_length(int fd, const struct args *args,
			  struct offload_report *request, struct stat *st)
{
	if (fstat(fd, st))
		return complain_errno(request->path, "stat", errno);
	request->copy_length = args->length;
	if (args->length != UINT64_MAX)
		return DONE;
	if ((uint64_t)st->st_size <= args->offset)
		return complain(request->path,
				"the offset is at or past its end");
	request->copy_length = (uint64_t)st->st_size - args->offset;
	return DONE;
}

/*
 * May a token replace the file at @path?  Only a regular file of the caller
 * that is empty, as mktemp(1) makes it, or has the length of a token, and never
 * the source.  Symbolic links are not followed.
 *
 * Return: DONE, also when there is no such file, or FAILED after a complaint.
 */
static int check_replaced(const char *path, const char *source_path,
			  const struct stat *source)
{
	const off_t token_length = sizeof(struct storage_offload_token);
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? DONE :
					 complain_errno(path, "stat", errno);
	if (st.st_dev == source->st_dev && st.st_ino == source->st_ino)
		return complain(path, "not replaced: the same file as %s",
				source_path);
	if (!S_ISREG(st.st_mode))
		return complain(path, "not replaced: not a regular file");
	if (st.st_uid != geteuid())
		return complain(path, "not replaced: owned by user %ju",
				(uintmax_t)st.st_uid);
	if (st.st_size && st.st_size != token_length)
		return complain(path,
				"not replaced: %jd bytes, a token file has %jd",
				(intmax_t)st.st_size, (intmax_t)token_length);
	return DONE;
}

/* Return: DONE, or FAILED after a complaint about @path. */
static int write_token(int fd, const char *path,
		       const struct storage_offload_token *token)
{
	ssize_t n;

	/* A default ACL of the directory may grant more than asked for. */
	if (fchmod(fd, 0600))
		return complain_errno(path, "mode", errno);
	n = write(fd, token, sizeof(*token));
	if (n < 0)
		return complain_errno(path, "write", errno);
	if (n != (ssize_t)sizeof(*token))
		return complain(path, "written in part only");
	return DONE;
}

/*
 * A token lets its holder read the data, so its file is a new one, for the
 * owner only.  A file that it replaces may be open elsewhere, or have another
 * name or mode.
 */
static int save_token(const char *path, const char *source_path,
		      const struct stat *source,
		      const struct storage_offload_token *token)
{
	char *replacement = NULL;
	const char *made = path;
	int result;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0 && errno == EEXIST) {
		if (check_replaced(path, source_path, source))
			return FAILED;
		if (asprintf(&replacement, "%s.XXXXXX", path) < 0)
			return complain_errno(path, "replace", ENOMEM);
		made = replacement;
		fd = mkostemp(replacement, O_CLOEXEC);
	}
	if (fd < 0) {
		result = complain_errno(path, "open", errno);
		goto out_free;
	}
	result = write_token(fd, path, token);
	if (close(fd) && !result)
		result = complain_errno(path, "close", errno);
	if (!result && replacement && rename(replacement, path))
		result = complain_errno(path, "replace", errno);
	if (result)
		unlink(made);
out_free:
	free(replacement);
	return result;
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
	struct stat source;
	int result = FAILED;
	int err;
	int fd;

	(void)command;
	fd = open_plain(request->path, O_RDONLY);
	if (fd < 0)
		return FAILED;
	/* Before a token is made that could not be kept. */
	if (request_length(fd, args, request, &source) ||
	    check_replaced(args->token, request->path, &source))
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
	if (save_token(args->token, request->path, &source, &report.out.token))
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
	struct stat st;
	int result = FAILED;
	int err;
	int fd;

	(void)command;
	if (load_token(args->token, &token))
		return FAILED;
	fd = open_plain(request->path, O_WRONLY);
	if (fd < 0)
		return FAILED;
	if (request_length(fd, args, request, &st))
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
