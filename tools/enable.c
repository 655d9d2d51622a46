// SPDX-License-Identifier: GPL-2.0
/* ENABLE as a client means it: did the open get its bypass? */
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

static enum enable_outcome judge(int fd, const char *path,
				 const struct operation_report *report)
{
	const struct fs_bpio_results *objection = &report->out.enable;
	bool paused = report->out.out_flags & FSBPIO_OUTFL_STREAM_BYPASS_PAUSED;
	struct fs_bpio_output query = { 0 };
	enum enable_outcome outcome;
	struct bpio_reply reply;
	int err;

	if (bpio_status_is_error(report->reply.status)) {
		complain_request(fd, path, report->reply.status);
		return ENABLE_FAILED;
	}
	if (objection->op_status) {
		err = bpio_manage_bypass_io(
			fd, FS_BPIO_OP_QUERY,
			FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY, &query, &reply);
		if (err) {
			complain_errno(path, "QUERY", -err);
			return ENABLE_FAILED;
		}
		if (bpio_status_is_error(reply.status)) {
			complain_request(fd, path, reply.status);
			return ENABLE_FAILED;
		}
	}
	outcome = enable_judge(&report->out, query.query.op_status);
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
