// SPDX-License-Identifier: GPL-2.0
/*
 * Results for programs: one object a line for each result.  A status is an
 * object {value, name, win32}; numbers are numbers, names those of
 * linux/bpio.h.
 */
#include <json-c/json.h>
#include <string.h>

#include "names.h"
#include "print.h"

static void text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key,
			       value ? json_object_new_string(value) : NULL);
}

static void number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void boolean(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static void hex(struct json_object *object, const char *key,
		const uint8_t *bytes, size_t length)
{
	char digits[2 * STORAGE_OFFLOAD_TOKEN_ID_LENGTH + 1];

	hex_string(bytes, length, digits);
	text(object, key, digits);
}

static void status(struct json_object *object, const char *key, int32_t value)
{
	const struct bpio_status *row = bpio_status_find(value);
	struct json_object *made = json_object_new_object();
	char digits[11];

	snprintf(digits, sizeof(digits), "0x%08X", (uint32_t)value);
	text(made, "value", digits);
	text(made, "name", row ? row->name : NULL);
	json_object_object_add(made, "win32",
			       row ? json_object_new_uint64(row->win32) : NULL);
	text(made, "text", row ? row->text : NULL);
	json_object_object_add(object, key, made);
}

static void reply(struct json_object *object, const struct bpio_reply *from)
{
	status(object, "status", from->status);
	number(object, "information", from->information);
}

static void finish(FILE *to, struct json_object *object)
{
	fprintf(to, "%s\n",
		json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PLAIN |
					JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static void results(struct json_object *object,
		    const struct fs_bpio_results *from)
{
	char driver[DRIVER_NAME_SIZE];
	char reason[FAILURE_REASON_SIZE];

	driver_name(from->failing_driver_name, from->failing_driver_name_len,
		    driver);
	failure_reason(from, reason);
	status(object, "op_status", from->op_status);
	number(object, "failing_driver_name_len",
	       from->failing_driver_name_len);
	text(object, "failing_driver_name", driver);
	number(object, "failure_reason_len", from->failure_reason_len);
	text(object, "failure_reason", reason);
}

static void info(struct json_object *object, const struct fs_bpio_info *from)
{
	char driver[DRIVER_NAME_SIZE];

	driver_name(from->storage_driver_name, from->storage_driver_name_len,
		    driver);
	number(object, "active_bypass_io_count", from->active_bypass_io_count);
	number(object, "storage_driver_name_len",
	       from->storage_driver_name_len);
	text(object, "storage_driver_name", driver);
}

static void out_flags(struct json_object *object, uint32_t value)
{
	struct json_object *names = json_object_new_array();
	const char *flag;
	uint32_t rest = value;

	number(object, "out_flags", value);
	while ((flag = next_out_flag(&rest)))
		json_object_array_add(names, json_object_new_string(flag));
	json_object_object_add(object, "out_flags_names", names);
}

/* The path that a direct read of an enabled open takes now. */
static const char *effective_path(const struct state_report *report)
{
	unsigned int i;

	if (report->state == BYPASS_NOT_SUPPORTED)
		return "traditional";
	for (i = 0; i < report->suspended_by_nr; i++)
		if (report->suspended_by[i]->traditional)
			return "traditional";
	return report->state == BYPASS_PARTIAL || report->suspended_by_nr ?
		       "partial" :
		       "full";
}

static void json_state(FILE *to, const struct state_report *report)
{
	static const char *const states[] = {
		[BYPASS_SUPPORTED] = "supported",
		[BYPASS_PARTIAL] = "partial",
		[BYPASS_NOT_SUPPORTED] = "not_supported",
	};
	struct json_object *object = json_object_new_object();
	struct json_object *words = json_object_new_array();
	char driver[DRIVER_NAME_SIZE];
	unsigned int i;

	for (i = 0; i < report->suspended_by_nr; i++)
		json_object_array_add(
			words,
			json_object_new_string(report->suspended_by[i]->word));
	text(object, "path", report->path);
	text(object, "state", states[report->state]);
	text(object, "effective", effective_path(report));
	json_object_object_add(object, "suspended_by", words);
	if (report->state != BYPASS_SUPPORTED)
		results(object, &report->objection);
	if (report->state != BYPASS_NOT_SUPPORTED) {
		driver_name(report->info.storage_driver_name,
			    report->info.storage_driver_name_len, driver);
		text(object, "storage_type", storage_type(driver));
		boolean(object, "storage_driver_compatible",
			report->out_flags &
				FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER);
		info(object, &report->info);
	}
	finish(to, object);
}

static void json_operation(FILE *to, const struct operation_report *report)
{
	const struct fs_bpio_output *out = &report->out;
	struct json_object *object = json_object_new_object();

	text(object, "path", report->path);
	number(object, "operation", report->operation);
	text(object, "operation_name", operation_name(report->operation));
	number(object, "in_flags", report->in_flags);
	reply(object, &report->reply);
	if (bpio_status_is_error(report->reply.status)) {
		finish(to, object);
		return;
	}
	out_flags(object, out->out_flags);
	number(object, "reserved1", out->reserved1);
	number(object, "reserved2", out->reserved2);
	switch (report->operation) {
	case FS_BPIO_OP_ENABLE:
	case FS_BPIO_OP_QUERY:
	case FS_BPIO_OP_VOLUME_STACK_RESUME:
	case FS_BPIO_OP_STREAM_RESUME:
		results(object, &out->query);
		break;
	case FS_BPIO_OP_GET_INFO:
		info(object, &out->get_info);
		break;
	default:
		break;
	}
	if (report->outcome)
		text(object, "outcome", report->outcome);
	finish(to, object);
}

/* Numbers as numbers, the rest as text. */
static struct json_object *counters_object(const struct counters *counters)
{
	struct json_object *object = json_object_new_object();
	uint64_t value;
	size_t i;

	for (i = 0; i < counters->nr; i++) {
		const struct counter *counter = &counters->list[i];

		if (decimal_u64(counter->value, &value))
			number(object, counter->name, value);
		else
			text(object, counter->name, counter->value);
	}
	return object;
}

static void path_counts(struct json_object *object,
			const struct path_counts *counts)
{
	size_t i;

	for (i = 0; i < READ_PATHS; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%s_bytes", read_path_names[i]);
		number(object, key, counts->bytes[i]);
		snprintf(key, sizeof(key), "%s_reads", read_path_names[i]);
		number(object, key, counts->reads[i]);
	}
	json_object_object_add(object, FALLBACK_REASONS,
			       counters_object(&counts->fallback_reasons));
}

static void json_read(FILE *to, const struct read_report *report)
{
	static const char *const scopes[] = {
		[READ_SCOPE_OPEN] = "open",
		[READ_SCOPE_VOLUME] = "volume",
	};
	struct json_object *object = json_object_new_object();
	struct json_object *stream;

	text(object, "path", report->path);
	text(object, "outcome", report->outcome);
	number(object, "bytes", report->bytes);
	number(object, "reads", report->reads);
	text(object, "volume", report->volume);
	text(object, "counts_of", scopes[report->scope]);
	if (report->scope == READ_SCOPE_NONE)
		text(object, "unavailable", report->unavailable);
	else
		path_counts(object, &report->counts);
	if (report->scope == READ_SCOPE_OPEN) {
		stream = json_object_new_object();
		number(stream, "opens", report->stream_opens);
		path_counts(stream, &report->stream);
		json_object_object_add(object, "stream", stream);
	}
	finish(to, object);
}

static struct json_object *offload(const struct offload_report *request)
{
	struct json_object *object = json_object_new_object();

	text(object, "path", request->path);
	text(object, "token", request->token);
	number(object, "file_offset", request->file_offset);
	number(object, "copy_length", request->copy_length);
	reply(object, &request->reply);
	return object;
}

static void json_offload_read(FILE *to,
			      const struct offload_read_report *report)
{
	struct json_object *object = offload(&report->request);

	if (!bpio_status_is_error(report->request.reply.status)) {
		number(object, "size", report->out.size);
		number(object, "flags", report->out.flags);
		boolean(object, "all_zero_beyond_current_range",
			report->out.flags &
				OFFLOAD_READ_FLAG_ALL_ZERO_BEYOND_CURRENT_RANGE);
		number(object, "transfer_length", report->out.transfer_length);
	}
	finish(to, object);
}

static void json_offload_write(FILE *to,
			       const struct offload_write_report *report)
{
	struct json_object *object = offload(&report->request);

	number(object, "transfer_offset", report->transfer_offset);
	if (!bpio_status_is_error(report->request.reply.status)) {
		number(object, "size", report->out.size);
		number(object, "flags", report->out.flags);
		number(object, "length_written", report->out.length_written);
	}
	finish(to, object);
}

static void json_token(FILE *to, const struct token_report *report)
{
	const struct bpio_token *token = &report->token;
	struct json_object *object = json_object_new_object();

	text(object, "path", report->path);
	text(object, "kind", token_kind_name(token->kind));
	boolean(object, "zero",
		token->kind == BPIO_TOKEN_ZERO ||
			token->kind == BPIO_TOKEN_ZERO_PATTERN);
	number(object, "token_type", token->type);
	number(object, "token_id_length", token->id_length);
	if (token->kind == BPIO_TOKEN_ZERO_PATTERN)
		number(object, "pattern", token->pattern);
	if (token->kind == BPIO_TOKEN_BPIO) {
		hex(object, "issuer", token->issuer, sizeof(token->issuer));
		hex(object, "id", token->id, sizeof(token->id));
		number(object, "represented_length", token->represented_length);
		hex(object, "hmac_sha256", token->hmac, sizeof(token->hmac));
	}
	finish(to, object);
}

static void json_storage(FILE *to, const struct storage_report *report)
{
	const struct bpio_output *out = &report->out;
	struct json_object *object = json_object_new_object();

	text(object, "device", report->device);
	number(object, "operation", report->operation);
	text(object, "operation_name",
	     storage_operation_name(report->operation));
	reply(object, &report->reply);
	if (!bpio_status_is_error(report->reply.status)) {
		number(object, "version", out->version);
		number(object, "size", out->size);
		number(object, "out_flags", out->out_flags);
		number(object, "reserved2", out->reserved2);
		if (report->operation != BPIO_OP_DISABLE)
			/* struct bpio_results is the same by definition. */
			results(object,
				(const struct fs_bpio_results *)&out->query);
	}
	finish(to, object);
}

static void json_descriptor(FILE *to, const struct descriptor_report *report)
{
	const struct device_copy_offload_descriptor *out = &report->out;
	struct json_object *object = json_object_new_object();

	text(object, "device", report->device);
	reply(object, &report->reply);
	if (!bpio_status_is_error(report->reply.status)) {
		number(object, "version", out->version);
		number(object, "size", out->size);
		number(object, "maximum_token_lifetime",
		       out->maximum_token_lifetime);
		number(object, "default_token_lifetime",
		       out->default_token_lifetime);
		number(object, "maximum_transfer_size",
		       out->maximum_transfer_size);
		number(object, "optimal_transfer_count",
		       out->optimal_transfer_count);
		number(object, "maximum_data_descriptors",
		       out->maximum_data_descriptors);
		number(object, "maximum_transfer_length_per_descriptor",
		       out->maximum_transfer_length_per_descriptor);
		number(object, "optimal_transfer_length_per_descriptor",
		       out->optimal_transfer_length_per_descriptor);
		number(object, "optimal_transfer_length_granularity",
		       out->optimal_transfer_length_granularity);
	}
	finish(to, object);
}

static void json_crypt(FILE *to, const struct crypt_report *report)
{
	struct json_object *object = json_object_new_object();

	text(object, "path", report->path);
	text(object, "operation",
	     report->operation == FILE_SET_ENCRYPTION ? "encrypt" : "decrypt");
	reply(object, &report->reply);
	finish(to, object);
}

static struct json_object *copy_reason(const struct copy_reason *reason)
{
	static const char *const whys[] = {
		[BPIO_COPY_OFFLOADED] = "offloaded",
		[BPIO_COPY_SHORT] = "short",
		[BPIO_COPY_REFUSED] = "refused",
		[BPIO_COPY_REMEMBERED] = "remembered",
		[BPIO_COPY_STUCK] = "stuck",
		[BPIO_COPY_FAILED] = "failed",
		[BPIO_COPY_UNWANTED] = "unwanted",
	};
	struct json_object *object = json_object_new_object();

	text(object, "why", whys[reason->why]);
	number(object, "files", reason->files);
	number(object, "bytes", reason->bytes);
	if (reason->code)
		text(object, "request", request_name(reason->code));
	if (reason->why == BPIO_COPY_REFUSED ||
	    reason->why == BPIO_COPY_REMEMBERED)
		status(object, "status", reason->status);
	if (reason->why == BPIO_COPY_FAILED)
		text(object, "error", strerror(-reason->error));
	text(object, "driver", *reason->driver ? reason->driver : NULL);
	return object;
}

static void json_copy(FILE *to, const struct copy_report *report)
{
	const struct bpio_copy_result *total = &report->total;
	struct json_object *object = json_object_new_object();
	struct json_object *reasons = json_object_new_array();
	size_t i;

	number(object, "files", report->files);
	number(object, "failed", report->failed);
	number(object, "bytes", total->done_length);
	number(object, "offloaded_bytes", total->offloaded_length);
	number(object, "copy_file_range_bytes", total->kernel_length);
	number(object, "read_write_bytes", total->ordinary_length);
	number(object, "hole_bytes", total->zero_length);
	if (report->engines_unavailable)
		text(object, "engines_unavailable",
		     report->engines_unavailable);
	else
		json_object_object_add(object, "engines",
				       counters_object(&report->engines));
	if (report->ways_known)
		json_object_object_add(object, "copy_file_range",
				       counters_object(&report->ways));
	for (i = 0; i < report->reasons_nr; i++)
		json_object_array_add(reasons,
				      copy_reason(&report->reasons[i]));
	json_object_object_add(object, "reasons", reasons);
	finish(to, object);
}

static struct json_object *filter_object(const struct flt_object *filter)
{
	struct json_object *object = json_object_new_object();

	text(object, "filter", filter->name);
	number(object, "instances", flt_number(filter, "instances"));
	/* No number type holds every altitude. */
	text(object, "altitude", flt_text(filter, "altitude"));
	number(object, "frame", 0);
	number(object, "supported_features", flt_number(filter, "features"));
	return object;
}

static struct json_object *instance_object(const struct flt_object *instance)
{
	struct json_object *object = json_object_new_object();

	text(object, "filter", flt_text(instance, "filter"));
	text(object, "volume", instance->volume);
	text(object, "device", instance->device);
	text(object, "altitude", flt_text(instance, "altitude"));
	text(object, "instance", instance->name);
	number(object, "frame", 0);
	number(object, "supported_features", flt_number(instance, "features"));
	number(object, "reads_seen", flt_number(instance, "reads_seen"));
	number(object, "writes_seen", flt_number(instance, "writes_seen"));
	number(object, "fsctls_seen", flt_number(instance, "fsctls_seen"));
	return object;
}

static void json_filters(FILE *to, const struct flt_list *filters)
{
	size_t i;

	for (i = 0; i < filters->nr; i++)
		finish(to, filter_object(&filters->list[i]));
}

static void json_instances(FILE *to, const struct flt_list *instances)
{
	size_t i;

	for (i = 0; i < instances->nr; i++)
		finish(to, instance_object(&instances->list[i]));
}

static void json_instance(FILE *to, const struct flt_object *instance)
{
	finish(to, instance_object(instance));
}

static void json_stats(FILE *to, const struct stats_report *report)
{
	struct json_object *object = json_object_new_object();
	struct json_object *instances = json_object_new_array();
	size_t i;

	text(object, "volume", report->volume);
	text(object, "device", report->device);
	json_object_object_add(object, "dm_bpio",
			       counters_object(&report->dm_bpio));
	json_object_object_add(object, "bpiofs",
			       counters_object(&report->bpiofs));
	for (i = 0; i < report->instances.nr; i++)
		json_object_array_add(
			instances, instance_object(&report->instances.list[i]));
	json_object_object_add(object, "instances", instances);
	finish(to, object);
}

const struct printer print_json = {
	.state = json_state,
	.operation = json_operation,
	.read = json_read,
	.offload_read = json_offload_read,
	.offload_write = json_offload_write,
	.token = json_token,
	.storage = json_storage,
	.descriptor = json_descriptor,
	.crypt = json_crypt,
	.copy = json_copy,
	.stats = json_stats,
	.filters = json_filters,
	.instances = json_instances,
	.instance = json_instance,
};
