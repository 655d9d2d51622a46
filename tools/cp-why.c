// SPDX-License-Identifier: GPL-2.0
/*
 * Adds up what the final line of `bpioctl cp` says: who moved how much, and
 * why not all of it was offloaded.  The reply to an offload request names no
 * driver; here is told what can be known of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cp.h"
#include "filters.h"
#include "names.h"
#include "volume.h"

#define MAX_DRIVER (PATH_MAX - NAME_MAX - 8)

/* The filters of a mount that have not opted in to a kind of request. */
static void filters_without(const struct volume *volume, uint64_t feature,
			    char *names)
{
	struct flt_list list = { 0 };
	size_t length = 0;
	size_t i;

	instances_of_volume(&list, VOLUMES_DIR, volume->name);
	instances_sort(&list);
	for (i = 0; i < list.nr && length < MAX_DRIVER; i++) {
		const struct flt_object *instance = &list.list[i];

		if (flt_number(instance, "features") & feature)
			continue;
		length += (size_t)snprintf(names + length, PATH_MAX - length,
					   "%s%.*s.ko", length ? ", " : "",
					   NAME_MAX,
					   flt_text(instance, "filter"));
	}
	flt_list_free(&list);
}

/* Who says that of a file does not let BypassIO have it either. */
static bool objector(int fd, char *driver)
{
	struct fs_bpio_output out;
	struct bpio_reply reply;
	char name[DRIVER_NAME_SIZE];

	if (bpio_manage_bypass_io(fd, FS_BPIO_OP_QUERY,
				  FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY, &out,
				  &reply) ||
	    bpio_status_is_error(reply.status) || !out.query.op_status)
		return false;
	driver_name(out.query.failing_driver_name,
		    out.query.failing_driver_name_len, name);
	snprintf(driver, PATH_MAX, "%s", name);
	return *name;
}

/* A filter that answers so for a file vetoes BypassIO on it as well. */
static bool may_be_of_filter(int32_t status)
{
	return status == STATUS_NOT_SUPPORTED ||
	       status == STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED ||
	       status == STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED;
}

/* No device-mapper device, or one without a bpio target: bpiofs answers. */
static bool has_target(const struct volume *volume)
{
	struct counters counters = { 0 };
	int err = counters_from_dm(&counters, volume->major, volume->minor);

	counters_free(&counters);
	return err != -ENODEV && err != -ENXIO;
}

/* Is it a decision about the file, which is the file system's? */
static bool is_of_file(int32_t status)
{
	switch (status) {
	case STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED:
	case STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED:
	case STATUS_INVALID_PARAMETER:
	case STATUS_ACCESS_DENIED:
	case STATUS_END_OF_FILE:
	case STATUS_FILE_LOCK_CONFLICT:
	case STATUS_FILE_DELETED:
	case STATUS_MEDIA_WRITE_PROTECTED:
	case STATUS_INVALID_DEVICE_REQUEST:
		return true;
	default:
		return false;
	}
}

static void find_driver(const struct bpio_copy_result *result, int fd,
			char *driver)
{
	struct volume volume;

	*driver = '\0';
	if ((result->why != BPIO_COPY_REFUSED &&
	     result->why != BPIO_COPY_REMEMBERED) ||
	    volume_of_fd(fd, &volume))
		return;
	if (result->status == STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED)
		filters_without(&volume, SUPPORTED_FS_FEATURES_OFFLOAD_READ,
				driver);
	else if (result->status == STATUS_OFFLOAD_WRITE_FLT_NOT_SUPPORTED)
		filters_without(&volume, SUPPORTED_FS_FEATURES_OFFLOAD_WRITE,
				driver);
	else if (may_be_of_filter(result->status) && objector(fd, driver))
		;
	else if (is_of_file(result->status))
		strcpy(driver, "bpiofs.ko");
	else
		strcpy(driver,
		       has_target(&volume) ? "dm-bpio.ko" : "bpiofs.ko");
}

static bool is_same(const struct copy_reason *reason,
		    const struct bpio_copy_result *result)
{
	return reason->why == result->why && reason->code == result->code &&
	       reason->status == result->status &&
	       reason->error == result->error;
}

static struct copy_reason *reason_of(struct copy_report *report,
				     const struct bpio_copy_result *result,
				     int from, int to)
{
	struct copy_reason *reason;
	size_t i;

	for (i = 0; i < report->reasons_nr; i++)
		if (is_same(&report->reasons[i], result))
			return &report->reasons[i];
	/* There are not that many; the last one takes the rest. */
	if (report->reasons_nr == COPY_REASONS)
		return &report->reasons[COPY_REASONS - 1];
	reason = &report->reasons[report->reasons_nr++];
	reason->why = result->why;
	reason->code = result->code;
	reason->status = result->status;
	reason->error = result->error;
	find_driver(result, result->code == FSCTL_OFFLOAD_WRITE ? to : from,
		    reason->driver);
	return reason;
}

void cp_count(struct copy_report *report, const struct bpio_copy_result *result,
	      int from, int to)
{
	struct bpio_copy_result *total = &report->total;
	struct copy_reason *reason;

	total->length += result->length;
	total->done_length += result->done_length;
	total->offloaded_length += result->offloaded_length;
	total->kernel_length += result->kernel_length;
	total->ordinary_length += result->ordinary_length;
	total->zero_length += result->zero_length;
	if (result->why == BPIO_COPY_OFFLOADED)
		return;
	reason = reason_of(report, result, from, to);
	reason->files++;
	reason->bytes += result->kernel_length + result->ordinary_length;
}
