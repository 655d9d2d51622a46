// SPDX-License-Identifier: GPL-2.0
/* bpioctl crypt: asks an encrypting filter to encrypt or decrypt a file. */
#include <unistd.h>

#include "bpioctl.h"

int crypt_file(const struct command *command, const struct args *args)
{
	struct crypt_report report = {
		.path = args->operands[0],
		.operation = command->operation,
	};
	int err;
	int fd;

	fd = open_change(report.path);
	if (fd < 0)
		return FAILED;
	err = bpio_set_encryption(fd, report.operation, &report.reply);
	close(fd);
	if (err)
		return complain_errno(report.path, "SET_ENCRYPTION", -err);
	args->print->crypt(stdout, &report);
	if (bpio_status_is_error(report.reply.status))
		return complain_status(report.path, report.reply.status);
	return DONE;
}
