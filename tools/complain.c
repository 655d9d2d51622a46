// SPDX-License-Identifier: GPL-2.0
/* Says on standard error why something was refused or failed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bpioctl.h"
#include "names.h"

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
	const char *hint = "";

	if (err == ENOTTY)
		hint = " (not on a bpiofs mount)";
	else if (err == EPROTO)
		hint = " (the kernel's reply is not whole)";
	return complain(what, "%s: %s%s", doing, strerror(err), hint);
}

int complain_status(const char *what, int32_t status)
{
	const struct bpio_status *row = bpio_status_find(status);

	if (!row)
		return complain(what, "NTSTATUS 0x%08X", (uint32_t)status);
	return complain(what, "%s (0x%08X, Win32 %u): %s", row->name,
			(uint32_t)status, row->win32, row->text);
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
