// SPDX-License-Identifier: GPL-2.0
/* ENABLE as a client means it: did the open get its bypass? */
#include <sys/stat.h>

#include "bpioctl.h"
#include "enable.h"

static const char *const outcomes[] = {
	[ENABLE_FULL] = "enabled",
	[ENABLE_PARTIAL] = "enabled, partial",
	[ENABLE_SUSPENDED] = "enabled, suspended",
	[ENABLE_REFUSED] = "refused",
	[ENABLE_FAILED] = "failed",
};

enum enable_outcome enable_judge(const struct fs_bpio_output *enabled,
				 int32_t filters_op_status)
{
	if (enabled->enable.op_status && filters_op_status)
		return ENABLE_REFUSED;
	if (enabled->out_flags & (FSBPIO_OUTFL_STREAM_BYPASS_PAUSED |
				  FSBPIO_OUTFL_FILTER_ATTACH_BLOCKED))
		return ENABLE_SUSPENDED;
	if (enabled->enable.op_status ||
	    enabled->out_flags & FSBPIO_OUTFL_VOLUME_STACK_BYPASS_PAUSED)
		return ENABLE_PARTIAL;
	return ENABLE_FULL;
}

/*
 * What filters and the file system think of ENABLE.  QUERY does not tell for a
 * directory or a volume handle, which it spares that veto (R-FS-21, R-FS-41).
 */
static int ask_filters(int fd, const char *path,
		       const struct fs_bpio_results *enabled,
		       int32_t *op_status)
{
	struct fs_bpio_output query;
	struct bpio_reply reply;
	struct stat st;
	int err;

	*op_status = enabled->op_status;
	if (!enabled->op_status || (!fstat(fd, &st) && S_ISDIR(st.st_mode)))
		return DONE;
	err = bpio_manage_bypass_io(fd, FS_BPIO_OP_QUERY,
				    FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY,
				    &query, &reply);
	if (err)
		return complain_errno(path, "QUERY", -err);
	if (bpio_status_is_error(reply.status))
		return complain_request(fd, path, reply.status);
	*op_status = query.query.op_status;
	return DONE;
}

static enum enable_outcome judge(int fd, const char *path,
				 const struct operation_report *report)
{
	const struct fs_bpio_results *objection = &report->out.enable;
	bool paused = report->out.out_flags & FSBPIO_OUTFL_STREAM_BYPASS_PAUSED;
	enum enable_outcome outcome;
	int32_t filters;

	if (bpio_status_is_error(report->reply.status)) {
		complain_request(fd, path, report->reply.status);
		return ENABLE_FAILED;
	}
	if (ask_filters(fd, path, objection, &filters))
		return ENABLE_FAILED;
	outcome = enable_judge(&report->out, filters);
	if (objection->op_status)
		complain_veto(path, outcomes[outcome], objection);
	else if (outcome == ENABLE_SUSPENDED)
		complain(path, "%s: %s", outcomes[outcome],
			 paused ? "the stream is paused" :
				  "a filter without BypassIO is attached");
	else if (outcome == ENABLE_PARTIAL)
		complain(path, "%s: the volume stack is paused",
			 outcomes[outcome]);
	return outcome;
}

enum enable_outcome enable(int fd, const char *path, uint32_t in_flags,
			   struct operation_report *report)
{
	enum enable_outcome outcome;
	int err;

	*report = (struct operation_report){
		.path = path,
		.operation = FS_BPIO_OP_ENABLE,
		.in_flags = in_flags,
		.outcome = outcomes[ENABLE_FAILED],
	};
	err = bpio_manage_bypass_io(fd, FS_BPIO_OP_ENABLE, in_flags,
				    &report->out, &report->reply);
	if (err) {
		complain_errno(path, "ENABLE", -err);
		return ENABLE_FAILED;
	}
	outcome = judge(fd, path, report);
	report->outcome = outcomes[outcome];
	return outcome;
}
