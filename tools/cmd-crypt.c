// SPDX-License-Identifier: GPL-2.0
/* bpioctl crypt: asks an encrypting filter to encrypt or decrypt a file. */
#include <unistd.h>

#include "bpioctl.h"
#include "volume.h"

/* bpiofs itself does not know the request. */
static int refused(int fd, const char *path, int32_t status)
{
	struct volume volume;

	if (status == STATUS_INVALID_DEVICE_REQUEST &&
	    !volume_of_fd(fd, &volume))
		return complain_status(path, status,
				       "no filter of this mount encrypts it");
	return complain_request(fd, path, status);
}

int crypt_file(const struct command *command, const struct args *args)
{
	struct crypt_report report = {
		.path = args->operands[0],
		.operation = command->operation,
	};
	int result = DONE;
	int err;
	int fd;

	fd = open_change(report.path);
	if (fd < 0)
		return FAILED;
	err = bpio_set_encryption(fd, report.operation, &report.reply);
	if (err) {
		result = complain_errno(report.path, "SET_ENCRYPTION", -err);
	} else {
		args->print->crypt(stdout, &report);
		if (bpio_status_is_error(report.reply.status))
			result = refused(fd, report.path, report.reply.status);
	}
	close(fd);
	return result;
}
