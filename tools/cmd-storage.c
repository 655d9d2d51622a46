// SPDX-License-Identifier: GPL-2.0
/* bpioctl storage: the IOCTLs of the storage layer, through /dev/bpio. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bpioctl.h"
#include "names.h"

struct handles {
	int control;
	int device;
};

static int open_handles(const char *device, struct handles *handles)
{
	handles->control = open(BPIO_CONTROL_DEVICE, O_RDWR | O_CLOEXEC);
	if (handles->control < 0)
		return complain(BPIO_CONTROL_DEVICE, "open: %s%s",
				strerror(errno),
				errno == ENOENT ? " (is dm-bpio loaded?)" : "");
	handles->device = open_plain(device, O_RDONLY);
	if (handles->device < 0) {
		close(handles->control);
		return FAILED;
	}
	return DONE;
}

static void close_handles(const struct handles *handles)
{
	close(handles->device);
	close(handles->control);
}

int storage_operation(const struct command *command, const struct args *args)
{
	struct storage_report report = {
		.device = args->operands[0],
		.operation = command->operation,
	};
	/* The storage layer takes changes from kernel mode only. */
	uint32_t flags = report.operation == BPIO_OP_QUERY ?
				 0 :
				 BPIO_CONTROL_KERNEL_MODE;
	const struct bpio_results *results = &report.out.enable;
	struct handles handles;
	int result = FAILED;
	int err;

	if (open_handles(report.device, &handles))
		return FAILED;
	err = bpio_storage_manage_bypass_io(handles.control, handles.device,
					    report.operation, flags,
					    &report.out, &report.reply);
	close_handles(&handles);
	if (err)
		return complain_errno(report.device,
				      storage_operation_name(report.operation),
				      -err);
	args->print->storage(stdout, &report);
	if (bpio_status_is_error(report.reply.status))
		result = complain_status(report.device, report.reply.status,
					 NULL);
	else if (report.operation == BPIO_OP_ENABLE && results->op_status)
		/* struct bpio_results is the same by definition. */
		result = complain_veto(report.device, "refused",
				       (const struct fs_bpio_results *)results);
	else
		result = DONE;
	return result;
}

int storage_descriptor(const struct command *command, const struct args *args)
{
	struct descriptor_report report = { .device = args->operands[0] };
	struct handles handles;
	int err;

	(void)command;
	if (open_handles(report.device, &handles))
		return FAILED;
	err = bpio_storage_copy_offload(handles.control, handles.device,
					&report.out, &report.reply);
	close_handles(&handles);
	if (err)
		return complain_errno(report.device, "QUERY_PROPERTY", -err);
	args->print->descriptor(stdout, &report);
	if (bpio_status_is_error(report.reply.status))
		return complain_status(report.device, report.reply.status,
				       NULL);
	return DONE;
}
