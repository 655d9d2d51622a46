// SPDX-License-Identifier: GPL-2.0
/*
 * Results for people.  The state texts are fsutil's to the letter; everything
 * else is "field: value", the fields by their names in linux/bpio.h.
 */
#include <inttypes.h>
#include <string.h>

#include "names.h"
#include "print.h"

#define LABEL_WIDTH  28
#define VOLUME_WIDTH 37 /* of the column in fltmc's list of instances */

const char *const read_path_names[READ_PATHS] = {
	"full",
	"partial",
	"traditional",
};

static void label(FILE *to, const char *name)
{
	int width = fprintf(to, "%s:", name);

	fprintf(to, "%*s", width < LABEL_WIDTH ? LABEL_WIDTH - width : 1, "");
}

static void text(FILE *to, const char *name, const char *value)
{
	label(to, name);
	fprintf(to, "%s\n", value);
}

static void number(FILE *to, const char *name, uint64_t value)
{
	label(to, name);
	fprintf(to, "%" PRIu64 "\n", value);
}

static void status(FILE *to, const char *name, int32_t value)
{
	label(to, name);
	fprintf(to, "%s (0x%08X)\n", bpio_status_name(value), (uint32_t)value);
}

static void reply(FILE *to, const struct bpio_reply *from)
{
	status(to, "status", from->status);
	number(to, "information", from->information);
}

/* "506 (At least one minifilter does not support bypass IO)", no period. */
static void win32_status(FILE *to, int32_t value)
{
	const struct bpio_status *row = bpio_status_find(value);

	if (!row)
		/* ERROR_MR_MID_NOT_FOUND is what Windows makes of such. */
		fprintf(to, "317 (NTSTATUS 0x%08X)\n", (uint32_t)value);
	else if (row->win32 > UINT16_MAX)
		fprintf(to, "0x%08X (%.*s)\n", row->win32,
			(int)strlen(row->text) - 1, row->text);
	else
		fprintf(to, "%u (%.*s)\n", row->win32,
			(int)strlen(row->text) - 1, row->text);
}

static void state_storage(FILE *to, const struct state_report *report)
{
	char name[DRIVER_NAME_SIZE];

	driver_name(report->info.storage_driver_name,
		    report->info.storage_driver_name_len, name);
	fprintf(to, "    Storage Type:   %s\n", storage_type(name));
	fprintf(to, "    Storage Driver: %s\n",
		report->out_flags & FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER ?
			"BypassIo compatible" :
			"Not BypassIo compatible");
	fprintf(to, "    Driver Name:    %s\n", printable(name));
}

/* A veto that stands has been told already, by its driver and status. */
static void suspensions(FILE *to, const struct state_report *report)
{
	const bool vetoed = report->state == BYPASS_PARTIAL;
	bool any = false;
	unsigned int i;

	for (i = 0; i < report->suspended_by_nr; i++) {
		if (vetoed && !strcmp(report->suspended_by[i]->word, "veto"))
			continue;
		fprintf(to, "%s %s", any ? "" : "      Reason: ",
			report->suspended_by[i]->reason);
		any = true;
	}
	if (any)
		fprintf(to, "\n");
}

/* It could be bypassed, and is not: no status says so, and no driver objects. */
static void state_suspended(FILE *to, const struct state_report *report)
{
	fprintf(to, "BypassIo on \"%s\" is partially supported\n",
		report->path);
	fprintf(to, "    Volume stack bypass is disabled (%s)\n",
		report->suspended_by[0]->driver);
	suspensions(to, report);
}

static void text_state(FILE *to, const struct state_report *report)
{
	const struct fs_bpio_results *objection = &report->objection;
	char driver[DRIVER_NAME_SIZE];
	char reason[FAILURE_REASON_SIZE];

	driver_name(objection->failing_driver_name,
		    objection->failing_driver_name_len, driver);
	failure_reason(objection, reason);
	printable(driver);
	printable(reason);
	switch (report->state) {
	case BYPASS_NOT_SUPPORTED:
		fprintf(to, "BypassIo on \"%s\" is not currently supported.\n",
			report->path);
		fprintf(to, "Status: ");
		win32_status(to, objection->op_status);
		fprintf(to, "Driver: %s\n", driver);
		fprintf(to, "Reason: %s\n", reason);
		return;
	case BYPASS_PARTIAL:
		fprintf(to, "BypassIo on \"%s\" is partially supported\n",
			report->path);
		fprintf(to, "    Volume stack bypass is disabled (%s)\n",
			driver);
		if (report->verbose) {
			fprintf(to, "      Status:  ");
			win32_status(to, objection->op_status);
			fprintf(to, "      Reason:  %s\n", reason);
		}
		suspensions(to, report);
		break;
	case BYPASS_SUPPORTED:
		if (report->suspended_by_nr)
			state_suspended(to, report);
		else
			fprintf(to,
				"BypassIo on \"%s\" is currently supported.\n",
				report->path);
		break;
	}
	state_storage(to, report);
}

static void results(FILE *to, const struct fs_bpio_results *from)
{
	char driver[DRIVER_NAME_SIZE];
	char reason[FAILURE_REASON_SIZE];

	driver_name(from->failing_driver_name, from->failing_driver_name_len,
		    driver);
	failure_reason(from, reason);
	status(to, "op_status", from->op_status);
	number(to, "failing_driver_name_len", from->failing_driver_name_len);
	text(to, "failing_driver_name", printable(driver));
	number(to, "failure_reason_len", from->failure_reason_len);
	text(to, "failure_reason", printable(reason));
}

static void info(FILE *to, const struct fs_bpio_info *from)
{
	char driver[DRIVER_NAME_SIZE];

	driver_name(from->storage_driver_name, from->storage_driver_name_len,
		    driver);
	number(to, "active_bypass_io_count", from->active_bypass_io_count);
	number(to, "storage_driver_name_len", from->storage_driver_name_len);
	text(to, "storage_driver_name", printable(driver));
}

static void flags(FILE *to, const char *name, uint32_t value)
{
	const char *before = " (";
	const char *flag;
	uint32_t rest = value;

	label(to, name);
	fprintf(to, "0x%08x", value);
	while ((flag = next_out_flag(&rest))) {
		fprintf(to, "%s%s", before, flag);
		before = ", ";
	}
	fprintf(to, "%s\n", value ? ")" : "");
}

static void operation(FILE *to, uint32_t value, const char *name)
{
	label(to, "operation");
	fprintf(to, "%u (%s)\n", value, name);
}

static void text_operation(FILE *to, const struct operation_report *report)
{
	const struct fs_bpio_output *out = &report->out;

	text(to, "path", report->path);
	operation(to, report->operation, operation_name(report->operation));
	number(to, "in_flags", report->in_flags);
	reply(to, &report->reply);
	if (bpio_status_is_error(report->reply.status))
		return;
	flags(to, "out_flags", out->out_flags);
	number(to, "reserved1", out->reserved1);
	number(to, "reserved2", out->reserved2);
	switch (report->operation) {
	case FS_BPIO_OP_ENABLE:
	case FS_BPIO_OP_QUERY:
	case FS_BPIO_OP_VOLUME_STACK_RESUME:
	case FS_BPIO_OP_STREAM_RESUME:
		results(to, &out->query);
		break;
	case FS_BPIO_OP_GET_INFO:
		info(to, &out->get_info);
		break;
	default:
		break;
	}
	if (report->outcome)
		text(to, "outcome", report->outcome);
}

static void text_read(FILE *to, const struct read_report *report)
{
	const struct path_counts *counts = &report->counts;
	size_t i;

	fprintf(to, "%s: %" PRIu64 " bytes in %" PRIu64 " reads, BypassIO %s\n",
		report->path, report->bytes, report->reads, report->outcome);
	if (report->scope == READ_SCOPE_NONE) {
		fprintf(to, "no statistics by path: %s\n", report->unavailable);
		return;
	}
	fprintf(to, "%-12s  %12s  %16s   ", "path", "reads", "bytes");
	if (report->scope == READ_SCOPE_OPEN)
		fprintf(to, "(this open)\n");
	else
		fprintf(to, "(whole volume %s meanwhile)\n", report->volume);
	for (i = 0; i < READ_PATHS; i++)
		fprintf(to, "%-12s  %12" PRIu64 "  %16" PRIu64 "\n",
			read_path_names[i], counts->reads[i], counts->bytes[i]);
	for (i = 0; i < counts->fallback_reasons.nr; i++)
		fprintf(to, "fallback      %12s  %s\n",
			counts->fallback_reasons.list[i].value,
			counts->fallback_reasons.list[i].name);
}

static void offload(FILE *to, const struct offload_report *request)
{
	text(to, "path", request->path);
	text(to, "token", request->token);
	number(to, "file_offset", request->file_offset);
	number(to, "copy_length", request->copy_length);
}

static void text_offload_read(FILE *to,
			      const struct offload_read_report *report)
{
	offload(to, &report->request);
	reply(to, &report->request.reply);
	if (bpio_status_is_error(report->request.reply.status))
		return;
	number(to, "size", report->out.size);
	label(to, "flags");
	fprintf(to, "0x%08x%s\n", report->out.flags,
		report->out.flags &
				OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE ?
			" (ALL_ZERO_BEYOND_CURRENT_RANGE)" :
			"");
	number(to, "transfer_length", report->out.transfer_length);
}

static void text_offload_write(FILE *to,
			       const struct offload_write_report *report)
{
	offload(to, &report->request);
	number(to, "transfer_offset", report->transfer_offset);
	reply(to, &report->request.reply);
	if (bpio_status_is_error(report->request.reply.status))
		return;
	number(to, "size", report->out.size);
	label(to, "flags");
	fprintf(to, "0x%08x\n", report->out.flags);
	number(to, "length_written", report->out.length_written);
}

static void hex(FILE *to, const char *name, const uint8_t *bytes, size_t length)
{
	char digits[2 * STORAGE_OFFLOAD_TOKEN_ID_LENGTH + 1];

	hex_string(bytes, length, digits);
	text(to, name, digits);
}

static void text_token(FILE *to, const struct token_report *report)
{
	const struct bpio_token *token = &report->token;

	text(to, "path", report->path);
	text(to, "kind", token_kind_name(token->kind));
	label(to, "token_type");
	fprintf(to, "0x%08X\n", token->type);
	number(to, "token_id_length", token->id_length);
	if (token->kind == BPIO_TOKEN_ZERO_PATTERN)
		number(to, "pattern", token->pattern);
	if (token->kind != BPIO_TOKEN_BPIO)
		return;
	hex(to, "issuer", token->issuer, sizeof(token->issuer));
	hex(to, "id", token->id, sizeof(token->id));
	number(to, "represented_length", token->represented_length);
	hex(to, "hmac_sha256", token->hmac, sizeof(token->hmac));
}

static void text_storage(FILE *to, const struct storage_report *report)
{
	const struct bpio_output *out = &report->out;

	text(to, "device", report->device);
	operation(to, report->operation,
		  storage_operation_name(report->operation));
	reply(to, &report->reply);
	if (bpio_status_is_error(report->reply.status))
		return;
	number(to, "version", out->version);
	number(to, "size", out->size);
	label(to, "out_flags");
	fprintf(to, "0x%08x\n", out->out_flags);
	number(to, "reserved2", out->reserved2);
	if (report->operation != BPIO_OP_DISABLE)
		/* struct bpio_results is the same by definition. */
		results(to, (const struct fs_bpio_results *)&out->query);
}

static void text_descriptor(FILE *to, const struct descriptor_report *report)
{
	const struct device_copy_offload_descriptor *out = &report->out;

	text(to, "device", report->device);
	reply(to, &report->reply);
	if (bpio_status_is_error(report->reply.status))
		return;
	number(to, "version", out->version);
	number(to, "size", out->size);
	number(to, "maximum_token_lifetime", out->maximum_token_lifetime);
	number(to, "default_token_lifetime", out->default_token_lifetime);
	number(to, "maximum_transfer_size", out->maximum_transfer_size);
	number(to, "optimal_transfer_count", out->optimal_transfer_count);
	number(to, "maximum_data_descriptors", out->maximum_data_descriptors);
	number(to, "maximum_transfer_length_per_descriptor",
	       out->maximum_transfer_length_per_descriptor);
	number(to, "optimal_transfer_length_per_descriptor",
	       out->optimal_transfer_length_per_descriptor);
	number(to, "optimal_transfer_length_granularity",
	       out->optimal_transfer_length_granularity);
}

static void text_crypt(FILE *to, const struct crypt_report *report)
{
	text(to, "path", report->path);
	text(to, "operation",
	     report->operation == FILE_SET_ENCRYPTION ? "encrypt" : "decrypt");
	reply(to, &report->reply);
}

/* "3 files", "1 file" */
static void files(FILE *to, uint64_t nr)
{
	fprintf(to, "%" PRIu64 " file%s", nr, nr == 1 ? "" : "s");
}

/* "NVMe Copy 512, memory 88" */
static void engines(FILE *to, const struct copy_report *report)
{
	size_t i;

	for (i = 0; i < report->engines.nr; i++)
		fprintf(to, "%s%s %s", i ? ", " : "",
			engine_name(report->engines.list[i].name),
			report->engines.list[i].value);
}

static void copy_offloaded(FILE *to, const struct copy_report *report)
{
	fprintf(to, "%" PRIu64 " offloaded", report->total.offloaded_length);
	if (!report->total.offloaded_length)
		return;
	if (report->engines_unavailable) {
		fprintf(to, " (engine not known: %s)",
			report->engines_unavailable);
	} else if (report->engines.nr) {
		fputs(" (", to);
		engines(to, report);
		fputc(')', to);
	}
}

/* With the engines, unless they are told already. */
static void copy_by_kernel(FILE *to, const struct copy_report *report)
{
	bool with_engines = !report->total.offloaded_length &&
			    report->engines.nr;
	size_t i;

	fprintf(to, ", %" PRIu64 " by copy_file_range",
		report->total.kernel_length);
	if (!report->ways.nr && !with_engines)
		return;
	fputs(" (", to);
	for (i = 0; i < report->ways.nr; i++)
		fprintf(to, "%s%s %s", i ? ", " : "",
			report->ways.list[i].value,
			way_name(report->ways.list[i].name));
	if (with_engines) {
		fputs(report->ways.nr ? "; " : "", to);
		engines(to, report);
	}
	fputc(')', to);
}

static void copy_why(FILE *to, const struct copy_reason *reason)
{
	const char *request = request_name(reason->code);
	char driver[PATH_MAX];

	switch (reason->why) {
	case BPIO_COPY_SHORT:
		fprintf(to, "shorter than %d", BPIO_COPY_MIN_LENGTH);
		break;
	case BPIO_COPY_REFUSED:
	case BPIO_COPY_REMEMBERED:
		fprintf(to, "%s %s (0x%08X)", request,
			bpio_status_name(reason->status),
			(uint32_t)reason->status);
		break;
	case BPIO_COPY_STUCK:
		fprintf(to, "%s made no progress", request);
		break;
	case BPIO_COPY_FAILED:
		fprintf(to, "%s: %s", request, strerror(-reason->error));
		break;
	default:
		fputs("not wanted", to);
	}
	snprintf(driver, sizeof(driver), "%s", reason->driver);
	if (*driver)
		fprintf(to, " of %s", printable(driver));
	else if (reason->status == STATUS_INVALID_DEVICE_REQUEST)
		fputs(" (not on a bpiofs mount)", to);
	if (reason->why == BPIO_COPY_REMEMBERED)
		fputs(", remembered", to);
}

/* One line, whatever happened. */
static void text_copy(FILE *to, const struct copy_report *report)
{
	const struct bpio_copy_result *total = &report->total;
	size_t i;

	files(to, report->files);
	fprintf(to, ", %" PRIu64 " bytes: ", total->done_length);
	copy_offloaded(to, report);
	if (total->kernel_length)
		copy_by_kernel(to, report);
	fprintf(to, ", %" PRIu64 " by read/write", total->ordinary_length);
	if (total->zero_length)
		fprintf(to, ", %" PRIu64 " in holes", total->zero_length);
	for (i = 0; i < report->reasons_nr; i++) {
		const struct copy_reason *reason = &report->reasons[i];

		fputs(i ? "; " : ": ", to);
		files(to, reason->files);
		fprintf(to, " (%" PRIu64 "): ", reason->bytes);
		copy_why(to, reason);
	}
	if (report->failed)
		fprintf(to, "; %" PRIu64 " failed", report->failed);
	fputc('\n', to);
}

/* "123" or, since the round before, "123 (+3)". */
static void gained_text(const char *now, const struct counters *before,
			const char *name, char *out, size_t size)
{
	uint64_t value;
	uint64_t was;

	snprintf(out, size, "%s", now);
	if (before && decimal_u64(now, &value) &&
	    counters_u64(before, name, &was) && value > was)
		snprintf(out, size, "%" PRIu64 " (+%" PRIu64 ")", value,
			 value - was);
	printable(out);
}

static void counter_text(const struct counters *now,
			 const struct counters *before, size_t i, char *out,
			 size_t size)
{
	if (i < now->nr)
		gained_text(now->list[i].value, before, now->list[i].name, out,
			    size);
	else
		*out = '\0';
}

static const char *const seen_names[] = {
	"reads_seen",
	"writes_seen",
	"fsctls_seen",
};

#define SEEN_NR (sizeof(seen_names) / sizeof(seen_names[0]))

static void stats_instances(FILE *to, const struct flt_list *now,
			    const struct flt_list *before)
{
	size_t i;
	size_t k;

	if (!now->nr)
		return;
	fprintf(to, "  %-28s %12s", "instance", "altitude");
	for (k = 0; k < SEEN_NR; k++)
		fprintf(to, " %18s", seen_names[k]);
	fputc('\n', to);
	for (i = 0; i < now->nr; i++) {
		const struct flt_object *instance = &now->list[i];
		const struct flt_object *was =
			before ? flt_find(before, instance->name) : NULL;

		fprintf(to, "  %-28s %12s", instance->name,
			flt_text(instance, "altitude"));
		for (k = 0; k < SEEN_NR; k++) {
			char value[64];

			gained_text(flt_text(instance, seen_names[k]),
				    was ? &was->values : NULL, seen_names[k],
				    value, sizeof(value));
			fprintf(to, " %18s", value);
		}
		fputc('\n', to);
	}
}

static void text_stats(FILE *to, const struct stats_report *report)
{
	const struct stats_report *before = report->before;
	const struct counters *left = &report->dm_bpio;
	const struct counters *right = &report->bpiofs;
	size_t rows = left->nr > right->nr ? left->nr : right->nr;
	size_t i;

	fprintf(to, "%s (%s)\n", report->device, report->volume);
	fprintf(to, "  %-20s %18s   %-32s %18s\n",
		left->nr ? "dm-bpio" : "dm-bpio: none", "",
		right->nr ? "bpiofs" : "bpiofs: not mounted", "");
	for (i = 0; i < rows; i++) {
		char left_value[512];
		char right_value[512];

		counter_text(left, before ? &before->dm_bpio : NULL, i,
			     left_value, sizeof(left_value));
		counter_text(right, before ? &before->bpiofs : NULL, i,
			     right_value, sizeof(right_value));
		fprintf(to, "  %-20s %18s   %-32s %18s\n",
			i < left->nr ? left->list[i].name : "", left_value,
			i < right->nr ? right->list[i].name : "", right_value);
	}
	stats_instances(to, &report->instances,
			before ? &before->instances : NULL);
}

/* "385250" and ".5" of "385250.5". */
struct split {
	int whole;
	const char *text;
	const char *fraction;
};

static struct split split(const char *altitude)
{
	size_t whole = strcspn(altitude, ".");

	return (struct split){ (int)whole, altitude, altitude + whole };
}

/* fltmc's; filters here are all of frame 0. */
static void text_filters(FILE *to, const struct flt_list *filters)
{
	size_t i;

	fprintf(to,
		"Filter Name                     Num Instances    Altitude    Frame\n"
		"------------------------------  -------------  ------------  -----\n");
	for (i = 0; i < filters->nr; i++) {
		const struct flt_object *filter = &filters->list[i];
		struct split at = split(flt_text(filter, "altitude"));

		fprintf(to, "%-30s  %9u       %6.*s%-9s%u\n", filter->name,
			(unsigned int)flt_number(filter, "instances"), at.whole,
			at.text, at.fraction, 0u);
	}
}

/* A device mapper name that is too long for its column gives way to "dm-0". */
static void text_volume(FILE *to, const struct flt_object *instance)
{
	char plain[NAME_MAX + 6];

	snprintf(plain, sizeof(plain), "/dev/%s", instance->volume);
	fprintf(to, "%-*s", VOLUME_WIDTH,
		strlen(instance->device) > VOLUME_WIDTH ? plain :
							  instance->device);
}

static void text_instances(FILE *to, const struct flt_list *instances)
{
	size_t i;

	fprintf(to,
		"Filter                Volume Name                              Altitude        Instance Name       Frame   SprtFtrs  VlStatus\n"
		"--------------------  -------------------------------------  ------------  ----------------------  -----   --------  --------\n");
	for (i = 0; i < instances->nr; i++) {
		const struct flt_object *instance = &instances->list[i];
		struct split at = split(flt_text(instance, "altitude"));

		fprintf(to, "%-20s  ", flt_text(instance, "filter"));
		text_volume(to, instance);
		fprintf(to, "     %6.*s%-5s%-22s    %u     %08x  %s\n",
			at.whole, at.text, at.fraction, instance->name, 0u,
			(unsigned int)flt_number(instance, "features"), "");
	}
}

static void text_instance(FILE *to, const struct flt_object *instance)
{
	text(to, "filter", flt_text(instance, "filter"));
	text(to, "instance", instance->name);
	text(to, "volume", instance->device);
	text(to, "altitude", flt_text(instance, "altitude"));
	label(to, "supported_features");
	fprintf(to, "0x%08x\n", (unsigned int)flt_number(instance, "features"));
}

const struct printer print_text = {
	.state = text_state,
	.operation = text_operation,
	.read = text_read,
	.offload_read = text_offload_read,
	.offload_write = text_offload_write,
	.token = text_token,
	.storage = text_storage,
	.descriptor = text_descriptor,
	.crypt = text_crypt,
	.copy = text_copy,
	.stats = text_stats,
	.filters = text_filters,
	.instances = text_instances,
	.instance = text_instance,
};
