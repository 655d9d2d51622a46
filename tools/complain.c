// SPDX-License-Identifier: GPL-2.0
/* Says on standard error why something was refused or failed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bpioctl.h"
#include "names.h"
#include "volume.h"

int complain(const char *what, const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "bpioctl: %s: ", what);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return FAILED;
}

int complain_errno(const char *what, const char *doing, int err)
{
	return complain(what, "%s: %s%s", doing, strerror(err),
			err == EPROTO ? " (the kernel's reply is not whole)" :
					"");
}

int complain_status(const char *what, int32_t status, const char *detail)
{
	const struct bpio_status *row = bpio_status_find(status);
	char known[PATH_MAX];
	char win32[11];

	if (!row)
		snprintf(known, sizeof(known), "NTSTATUS 0x%08X",
			 (uint32_t)status);
	else {
		snprintf(win32, sizeof(win32),
			 row->win32 > UINT16_MAX ? "0x%08X" : "%u", row->win32);
		snprintf(known, sizeof(known), "%s (0x%08X, Win32 %s): %s",
			 row->name, (uint32_t)status, win32, row->text);
	}
	if (detail)
		return complain(what, "%s (%s)", known, detail);
	return complain(what, "%s", known);
}

int complain_request(int fd, const char *path, int32_t status)
{
	const char *detail = NULL;
	struct volume volume;

	if ((status == STATUS_NOT_SUPPORTED ||
	     status == STATUS_INVALID_DEVICE_REQUEST) &&
	    volume_of_fd(fd, &volume) == -ENODEV)
		detail = "not on a bpiofs mount";
	return complain_status(path, status, detail);
}

int complain_veto(const char *what, const char *consequence,
		  const struct fs_bpio_results *objection)
{
	char name[DRIVER_NAME_SIZE];
	char reason[FAILURE_REASON_SIZE];

	driver_name(objection->failing_driver_name,
		    objection->failing_driver_name_len, name);
	failure_reason(objection, reason);
	return complain(what, "%s: %s (0x%08X): %s: %s", consequence,
			bpio_status_name(objection->op_status),
			(uint32_t)objection->op_status,
			*name ? printable(name) : "unknown driver",
			*reason ? printable(reason) : "no reason given");
}
