// SPDX-License-Identifier: GPL-2.0
/* bpioctl bypassio: the eight operations, and fsutil's summary of them. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "bpioctl.h"
#include "enable.h"
#include "names.h"
#include "volume.h"

/* One operation that must succeed as a request; complains when it does not. */
static int ask(int fd, const char *path, uint32_t operation, uint32_t in_flags,
	       struct fs_bpio_output *out)
{
	struct bpio_reply reply;
	int err;

	err = bpio_manage_bypass_io(fd, operation, in_flags, out, &reply);
	if (err)
		return complain_errno(path, operation_name(operation), -err);
	if (bpio_status_is_error(reply.status))
		return complain_request(fd, path, reply.status);
	return DONE;
}

static void add_suspension(struct state_report *report,
			   const struct suspension *suspension)
{
	unsigned int i;

	for (i = 0; i < report->suspended_by_nr; i++)
		if (report->suspended_by[i] == suspension)
			return;
	if (suspension && i < SUSPENSIONS)
		report->suspended_by[report->suspended_by_nr++] = suspension;
}

/* QUERY tells who objects; what else is in the way the volume tells. */
static void find_suspensions(int fd, struct state_report *report)
{
	char path[PATH_MAX + sizeof("/suspended_by")];
	struct volume volume;
	char word[32];
	FILE *file;

	if (report->out_flags & FSBPIO_OUTFL_STREAM_BYPASS_PAUSED)
		add_suspension(report, &suspended_by_stream_pause);
	if (!volume_of_fd(fd, &volume)) {
		char dir[PATH_MAX];

		volume_dir(&volume, dir);
		snprintf(path, sizeof(path), "%s/suspended_by", dir);
		file = fopen(path, "re");
		if (file) {
			while (fscanf(file, "%31s", word) == 1)
				add_suspension(report, suspension_find(word));
			fclose(file);
			return;
		}
	}
	/* Without sysfs the flag has to do. */
	if (report->out_flags & FSBPIO_OUTFL_VOLUME_STACK_BYPASS_PAUSED)
		add_suspension(report, &suspended_by_pause);
}

static int state_of(int fd, const char *path, struct state_report *report)
{
	struct fs_bpio_output out;

	if (ask(fd, path, FS_BPIO_OP_QUERY, FSBPIO_INFL_None, &out))
		return FAILED;
	report->state = BYPASS_SUPPORTED;
	if (out.query.op_status) {
		report->state = BYPASS_PARTIAL;
		report->objection = out.query;
		if (ask(fd, path, FS_BPIO_OP_QUERY,
			FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY, &out))
			return FAILED;
		if (out.query.op_status) {
			report->state = BYPASS_NOT_SUPPORTED;
			report->objection = out.query;
			return DONE;
		}
	}
	if (ask(fd, path, FS_BPIO_OP_GET_INFO, FSBPIO_INFL_None, &out))
		return FAILED;
	report->out_flags = out.out_flags;
	report->info = out.get_info;
	find_suspensions(fd, report);
	return DONE;
}

int bypassio_state(const struct command *command, const struct args *args)
{
	int result = DONE;
	int i;

	(void)command;
	for (i = 0; i < args->operands_nr; i++) {
		struct state_report report = {
			.path = args->operands[i],
			.verbose = args->verbose,
		};
		int fd = open_query(report.path);

		if (fd < 0) {
			result = FAILED;
			continue;
		}
		if (state_of(fd, report.path, &report) == DONE)
			args->print->state(stdout, &report);
		else
			result = FAILED;
		close(fd);
	}
	return result;
}

static void hold(double seconds)
{
	struct timespec left = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	fflush(stdout);
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static int enable_path(const struct args *args)
{
	const char *path = args->operands[0];
	struct operation_report report;
	enum enable_outcome outcome;
	int fd = open_bypass(path);

	if (fd < 0)
		return FAILED;
	outcome = enable(fd, path,
			 args->skip_storage ?
				 FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY :
				 FSBPIO_INFL_None,
			 &report);
	if (outcome == ENABLE_FAILED && !report.reply.status) {
		close(fd);
		return FAILED;
	}
	args->print->operation(stdout, &report);
	if (args->hold >= 0 && outcome < ENABLE_REFUSED)
		hold(args->hold);
	close(fd);
	return outcome < ENABLE_REFUSED ? DONE : FAILED;
}

/* A resume that leaves something in the way did not do what was asked. */
static int resumed(const char *path, const struct operation_report *report)
{
	if (report->operation != FS_BPIO_OP_VOLUME_STACK_RESUME &&
	    report->operation != FS_BPIO_OP_STREAM_RESUME)
		return DONE;
	if (!report->out.query.op_status)
		return DONE;
	return complain_veto(path, "not resumed", &report->out.query);
}

int bypassio_operation(const struct command *command, const struct args *args)
{
	const char *path = args->operands[0];
	struct operation_report report = {
		.path = path,
		.operation = command->operation,
		.in_flags = args->skip_storage ?
				    FSBPIO_INFL_SKIP_STORAGE_STACK_QUERY :
				    FSBPIO_INFL_None,
	};
	int result = FAILED;
	int err;
	int fd;

	if (command->operation == FS_BPIO_OP_ENABLE)
		return enable_path(args);
	fd = command->operation == FS_BPIO_OP_STREAM_PAUSE ||
			     command->operation == FS_BPIO_OP_STREAM_RESUME ?
		     open_change(path) :
		     open_query(path);
	if (fd < 0)
		return FAILED;
	err = bpio_manage_bypass_io(fd, report.operation, report.in_flags,
				    &report.out, &report.reply);
	if (err) {
		complain_errno(path, operation_name(report.operation), -err);
	} else {
		args->print->operation(stdout, &report);
		result = bpio_status_is_error(report.reply.status) ?
				 complain_request(fd, path,
						  report.reply.status) :
				 resumed(path, &report);
	}
	close(fd);
	return result;
}
