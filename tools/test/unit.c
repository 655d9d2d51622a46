// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of libbpio and of the pure parts of bpioctl.  No kernel module: the
 * ioctl below stands in for one.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpioctl.h"
#include "enable.h"
#include "names.h"

static unsigned int tests;
static unsigned int failures;

static void ok(bool passed, const char *name)
{
	tests++;
	failures += !passed;
	printf("%s - %s\n", passed ? "ok" : "not ok", name);
}

static void same_text(const char *got, const char *wanted, const char *name)
{
	bool same = got && !strcmp(got, wanted);

	ok(same, name);
	if (!same)
		printf("# got:\n%s\n# wanted:\n%s\n", got ? got : "(null)",
		       wanted);
}

/* ---- a kernel that does as it is told ---------------------------------- */

static struct {
	struct bpio_control seen;
	unsigned char input[1024];
	int error;
	int32_t status;
	uint32_t information;
	unsigned char output[1024];
} kernel;

int ioctl(int fd, unsigned long request, ...)
{
	struct bpio_control *control;
	uint32_t length;
	va_list ap;

	(void)fd;
	va_start(ap, request);
	control = va_arg(ap, struct bpio_control *);
	va_end(ap);
	if (request != BPIO_IOC_CONTROL)
		abort();
	kernel.seen = *control;
	if (control->input_length)
		memcpy(kernel.input, (void *)(uintptr_t)control->input,
		       control->input_length);
	if (kernel.error) {
		errno = kernel.error;
		return -1;
	}
	length = kernel.information < control->output_length ?
			 kernel.information :
			 control->output_length;
	/* An odd kernel fills the output of a failed request too. */
	if (length)
		memcpy((void *)(uintptr_t)control->output, kernel.output,
		       length);
	control->status = kernel.status;
	control->information = kernel.information;
	return 0;
}

static void kernel_says(int error, int32_t status, uint32_t information)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.error = error;
	kernel.status = status;
	kernel.information = information;
}

static void put_units(uint16_t *units, uint16_t *length, const char *ascii)
{
	*length = (uint16_t)strlen(ascii);
	while (*ascii)
		*units++ = (unsigned char)*ascii++;
}

static void object(struct fs_bpio_results *results, int32_t status,
		   const char *driver, const char *reason)
{
	memset(results, 0, sizeof(*results));
	results->op_status = status;
	put_units(results->failing_driver_name,
		  &results->failing_driver_name_len, driver);
	put_units(results->failure_reason, &results->failure_reason_len,
		  reason);
}

/* ---- printing ---------------------------------------------------------- */

static char *printed_state(const struct printer *print,
			   const struct state_report *report)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	print->state(to, report);
	fclose(to);
	return text;
}

static void same_state(const struct printer *print,
		       const struct state_report *report, const char *wanted,
		       const char *name)
{
	char *text = printed_state(print, report);

	same_text(text, wanted, name);
	free(text);
}

/* The samples of fsutil output, with the names of their drivers. */
static void test_state_texts(void)
{
	struct state_report report = {
		.path = "c:\\",
		.out_flags = FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER,
	};

	put_units(report.info.storage_driver_name,
		  &report.info.storage_driver_name_len, "nvme.ko");
	report.state = BYPASS_SUPPORTED;
	same_state(&print_text, &report,
		   "BypassIo on \"c:\\\" is currently supported.\n"
		   "    Storage Type:   NVMe\n"
		   "    Storage Driver: BypassIo compatible\n"
		   "    Driver Name:    nvme.ko\n",
		   "state: supported");

	report.state = BYPASS_PARTIAL;
	object(&report.objection, STATUS_NOT_SUPPORTED_WITH_ENCRYPTION,
	       "fvevol.sys", "BitLocker Drive Encryption is enabled.");
	same_state(&print_text, &report,
		   "BypassIo on \"c:\\\" is partially supported\n"
		   "    Volume stack bypass is disabled (fvevol.sys)\n"
		   "    Storage Type:   NVMe\n"
		   "    Storage Driver: BypassIo compatible\n"
		   "    Driver Name:    nvme.ko\n",
		   "state: partial");
	report.verbose = true;
	report.out_flags = 0;
	same_state(
		&print_text, &report,
		"BypassIo on \"c:\\\" is partially supported\n"
		"    Volume stack bypass is disabled (fvevol.sys)\n"
		"      Status:  495 (The specified operation is not supported while encryption is enabled on the target object)\n"
		"      Reason:  BitLocker Drive Encryption is enabled.\n"
		"    Storage Type:   NVMe\n"
		"    Storage Driver: Not BypassIo compatible\n"
		"    Driver Name:    nvme.ko\n",
		"state: partial, verbose, incompatible storage driver");

	report.state = BYPASS_NOT_SUPPORTED;
	object(&report.objection, STATUS_BYPASSIO_FLT_NOT_SUPPORTED, "wof.sys",
	       "The specified minifilter does not support bypass IO.");
	same_state(
		&print_text, &report,
		"BypassIo on \"c:\\\" is not currently supported.\n"
		"Status: 506 (At least one minifilter does not support bypass IO)\n"
		"Driver: wof.sys\n"
		"Reason: The specified minifilter does not support bypass IO.\n",
		"state: not supported, verbose changes nothing");

	report.objection.op_status = (int32_t)0xC0FFEE00;
	report.objection.failure_reason[0] = 0x1B;
	same_state(
		&print_text, &report,
		"BypassIo on \"c:\\\" is not currently supported.\n"
		"Status: 317 (NTSTATUS 0xC0FFEE00)\n"
		"Driver: wof.sys\n"
		"Reason: ?he specified minifilter does not support bypass IO.\n",
		"state: unknown status, reason with an escape character");
	same_state(
		&print_json, &report,
		"{\"path\":\"c:\\\\\",\"state\":\"not_supported\","
		"\"op_status\":{\"value\":\"0xC0FFEE00\",\"name\":null,\"win32\":null,\"text\":null},"
		"\"failing_driver_name_len\":7,\"failing_driver_name\":\"wof.sys\","
		"\"failure_reason_len\":52,"
		"\"failure_reason\":\"\\u001bhe specified minifilter does not support bypass IO.\"}\n",
		"state: JSON keeps what text hides");
}

static void test_long_names(void)
{
	/* What the kernel claims beyond the arrays must not be shown. */
	struct {
		struct fs_bpio_results results;
		uint16_t beyond[64];
	} hostile;
	char name[DRIVER_NAME_SIZE];
	char reason[FAILURE_REASON_SIZE];
	size_t i;

	for (i = 0; i < BPIO_FAILURE_REASON_CHARS; i++)
		hostile.results.failure_reason[i] = 'r';
	for (i = 0; i < BPIO_DRIVER_NAME_CHARS; i++)
		hostile.results.failing_driver_name[i] = 'd';
	memset(hostile.beyond, 'X', sizeof(hostile.beyond));
	hostile.results.failing_driver_name_len = UINT16_MAX;
	hostile.results.failure_reason_len = UINT16_MAX;
	driver_name(hostile.results.failing_driver_name,
		    hostile.results.failing_driver_name_len, name);
	failure_reason(&hostile.results, reason);
	ok(strlen(name) == 32 && strspn(name, "d") == 32,
	   "names: a driver name ends with its array");
	ok(strlen(reason) == 128 && strspn(reason, "r") == 128,
	   "names: a reason ends with its array");
}

/* ---- statuses ---------------------------------------------------------- */

static const struct {
	int32_t value;
	uint32_t win32;
	const char *name;
} known[] = {
	{ STATUS_SUCCESS, 0, "STATUS_SUCCESS" },
	{ STATUS_INVALID_PARAMETER, 87, "STATUS_INVALID_PARAMETER" },
	{ STATUS_NOT_SUPPORTED, 50, "STATUS_NOT_SUPPORTED" },
	{ STATUS_INVALID_TOKEN, 315, "STATUS_INVALID_TOKEN" },
	{ STATUS_ENCRYPTED_FILE_NOT_SUPPORTED, 489,
	  "STATUS_ENCRYPTED_FILE_NOT_SUPPORTED" },
	{ STATUS_NO_BYPASSIO_DRIVER_SUPPORT, 494,
	  "STATUS_NO_BYPASSIO_DRIVER_SUPPORT" },
	{ STATUS_NOT_SUPPORTED_WITH_AUDITING, 499,
	  "STATUS_NOT_SUPPORTED_WITH_AUDITING" },
	{ STATUS_NOT_SUPPORTED_WITH_MONITORING, 503,
	  "STATUS_NOT_SUPPORTED_WITH_MONITORING" },
	{ STATUS_NOT_SUPPORTED_WITH_VIRTUALIZATION, 505,
	  "STATUS_NOT_SUPPORTED_WITH_VIRTUALIZATION" },
	{ STATUS_BYPASSIO_FLT_NOT_SUPPORTED, 506,
	  "STATUS_BYPASSIO_FLT_NOT_SUPPORTED" },
	{ STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED, 4443,
	  "STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED" },
	{ STATUS_FLT_VOLUME_NOT_FOUND, 0x801F0014,
	  "STATUS_FLT_VOLUME_NOT_FOUND" },
};

static void test_statuses(void)
{
	bool all = true;
	size_t i;

	ok(bpio_statuses_nr == 56, "statuses: as many as linux/bpio.h has");
	for (i = 1; i < bpio_statuses_nr; i++)
		all = all && (uint32_t)bpio_statuses[i - 1].value <
				     (uint32_t)bpio_statuses[i].value;
	ok(all, "statuses: ordered, none twice");
	for (all = true, i = 0; i < bpio_statuses_nr; i++) {
		const struct bpio_status *row = &bpio_statuses[i];
		size_t length = strlen(row->text);

		all = all && bpio_status_find(row->value) == row &&
		      length > 1 && row->text[length - 1] == '.' &&
		      !strncmp(row->name, "STATUS_", 7);
	}
	ok(all, "statuses: each is found, has a name and ends in a period");
	for (all = true, i = 0; i < ARRAY_SIZE(known); i++) {
		const struct bpio_status *row =
			bpio_status_find(known[i].value);

		all = all && row && row->win32 == known[i].win32 &&
		      !strcmp(row->name, known[i].name);
	}
	ok(all, "statuses: names and Win32 codes of the protocol");
	ok(!bpio_status_find((int32_t)0xC00004D1) &&
		   !bpio_status_find(INT32_MIN) &&
		   !strcmp(bpio_status_name(1), "unknown status"),
	   "statuses: one that is not there");
	same_text(bpio_status_find(STATUS_NOT_SUPPORTED_WITH_SNAPSHOT)->text,
		  "The specified operation is not supported while snapshot is"
		  " enabled on the target object.",
		  "statuses: text of a family member");
	ok(bpio_status_is_error(STATUS_NOT_SUPPORTED) &&
		   !bpio_status_is_error(STATUS_BUFFER_OVERFLOW) &&
		   !bpio_status_is_error(STATUS_PENDING),
	   "statuses: a warning is not an error");
}

/* ---- UTF-16 ------------------------------------------------------------ */

static const struct {
	const char *name;
	uint16_t units[8];
	size_t length;
	size_t size;
	const char *wanted;
} utf16[] = {
	{ "not terminated", { 'a', 'b', 'c' }, 2, 16, "ab" },
	{ "empty", { 'a' }, 0, 16, "" },
	{ "two and three bytes",
	  { 0xE9, 0x20AC },
	  2,
	  16,
	  "\xC3\xA9\xE2\x82\xAC" },
	{ "surrogate pair",
	  { 'x', 0xD83D, 0xDE00, 'y' },
	  4,
	  16,
	  "x\xF0\x9F\x98\x80y" },
	{ "lone high surrogate", { 0xD83D, 'y' }, 2, 16, "\xEF\xBF\xBDy" },
	{ "high surrogate at the end",
	  { 'a', 0xD83D, 0xDE00 },
	  2,
	  16,
	  "a\xEF\xBF\xBD" },
	{ "lone low surrogate", { 0xDE00, 'y' }, 2, 16, "\xEF\xBF\xBDy" },
	{ "embedded NUL",
	  { 'a', 0, 'b' },
	  3,
	  16,
	  "a\xEF\xBF\xBD"
	  "b" },
	{ "cut at whole characters", { 'a', 0x20AC, 'b' }, 3, 4, "a" },
	{ "just fits", { 'a', 0x20AC }, 2, 5, "a\xE2\x82\xAC" },
	{ "last BMP character", { 0xFFFF }, 1, 4, "\xEF\xBF\xBF" },
};

static void test_utf16(void)
{
	char longest[BPIO_UTF8_SIZE(8)];
	static const uint16_t euros[8] = { 0x20AC, 0x20AC, 0x20AC, 0x20AC,
					   0x20AC, 0x20AC, 0x20AC, 0x20AC };
	char c1[] = "a\xC2\x9B"
		    "b\x7F\xC3\xA9";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(utf16); i++) {
		char name[64];
		char out[16];
		size_t n = bpio_utf16_to_utf8(utf16[i].units, utf16[i].length,
					      out, utf16[i].size);

		snprintf(name, sizeof(name), "utf16: %s", utf16[i].name);
		ok(n == strlen(utf16[i].wanted) &&
			   !strcmp(out, utf16[i].wanted),
		   name);
	}
	ok(bpio_utf16_to_utf8(euros, 8, longest, sizeof(longest)) == 24,
	   "utf16: BPIO_UTF8_SIZE is enough");
	same_text(printable(c1),
		  "a??"
		  "b?\xC3\xA9",
		  "utf16: control characters do not reach a terminal");
}

/* ---- tokens ------------------------------------------------------------ */

static enum bpio_token_kind kind_of(const char *head, size_t length,
				    struct bpio_token *token)
{
	struct storage_offload_token raw = { 0 };

	memcpy(&raw, head, length);
	bpio_token_decode(&raw, token);
	return token->kind;
}

static void test_tokens(void)
{
	static const struct {
		const char *name;
		const char *head;
		size_t length;
		enum bpio_token_kind kind;
	} table[] = {
		{ "zero, form A", "\xFF\xFF\x00\x01\x00\x00\x01\xF8", 8,
		  BPIO_TOKEN_ZERO },
		{ "zero, form A, reserved bytes set",
		  "\xFF\xFF\x00\x01\xAA\x55\x01\xF8", 8, BPIO_TOKEN_ZERO },
		{ "zero, form A, wrong id length",
		  "\xFF\xFF\x00\x01\x00\x00\x01\xF7", 8, BPIO_TOKEN_MALFORMED },
		{ "zero, form B at 4", "\xFF\xFF\xFF\xFF\x00\x01", 6,
		  BPIO_TOKEN_ZERO_PATTERN },
		{ "zero, form B at 8",
		  "\xFF\xFF\xFF\xFF\x00\x00\x00\x00\x00\x02", 10,
		  BPIO_TOKEN_ZERO_PATTERN },
		{ "form B, unknown pattern",
		  "\xFF\xFF\xFF\xFF\x00\x03\x00\x00\x01\x00", 10,
		  BPIO_TOKEN_RESERVED },
		{ "reserved well-known", "\xFF\xFF\x00\x02\x00\x00\x01\xF8", 8,
		  BPIO_TOKEN_RESERVED },
		{ "below the well-known range", "\xFF\xFF\x00\x00", 4,
		  BPIO_TOKEN_FOREIGN },
		{ "foreign vendor", "\x00\x00\x00\x01\x00\x00\x00\x40", 8,
		  BPIO_TOKEN_FOREIGN },
		{ "dm-bpio, wrong id length", "BPO\x01\x00\x00\x01\xF7", 8,
		  BPIO_TOKEN_FOREIGN },
	};
	struct storage_offload_token raw = { 0 };
	struct bpio_token token;
	unsigned char *bytes = (unsigned char *)&raw;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		char name[64];

		snprintf(name, sizeof(name), "token: %s", table[i].name);
		ok(kind_of(table[i].head, table[i].length, &token) ==
			   table[i].kind,
		   name);
	}
	for (i = 0; i < sizeof(raw); i++)
		bytes[i] = (unsigned char)i;
	memcpy(bytes, "BPO\x01\x00\x00\x01\xF8", 8);
	bpio_token_decode(&raw, &token);
	ok(token.kind == BPIO_TOKEN_BPIO && token.type == 0x42504F01 &&
		   token.id_length == 504 && token.issuer[0] == 8 &&
		   token.issuer[15] == 23 && token.id[0] == 24 &&
		   token.id[15] == 39 &&
		   token.represented_length == 0x2F2E2D2C2B2A2928 &&
		   token.hmac[0] == 0x30 && token.hmac[31] == 0x4F,
	   "token: every field of a dm-bpio token");
}

/* ---- sizes ------------------------------------------------------------- */

static const struct {
	const char *text;
	bool valid;
	uint64_t size;
} sizes[] = {
	{ "0", true, 0 },
	{ "4096", true, 4096 },
	{ "0x1000", true, 4096 },
	{ "010", true, 10 },
	{ "256K", true, 262144 },
	{ "1m", true, 1048576 },
	{ "2G", true, 2147483648 },
	{ "1T", true, 1099511627776 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18446744073709551616", false, 0 },
	{ "17179869184G", false, 0 },
	{ "16777216T", false, 0 },
	{ "", false, 0 },
	{ "-1", false, 0 },
	{ "+1", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "1KB", false, 0 },
	{ "1X", false, 0 },
	{ "K", false, 0 },
	{ "0xK", false, 0 },
	{ "1.5G", false, 0 },
};

static void test_sizes(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t size = 0;
		bool valid = parse_size(sizes[i].text, &size);
		char name[64];

		snprintf(name, sizeof(name), "size: \"%s\" is %s",
			 sizes[i].text, sizes[i].valid ? "read" : "refused");
		ok(valid == sizes[i].valid && (!valid || size == sizes[i].size),
		   name);
	}
}

/* ---- requests ---------------------------------------------------------- */

static void test_control(void)
{
	char in[3] = "in";
	char out[5];
	uint32_t information;
	int32_t status;
	int err;

	kernel_says(0, STATUS_BUFFER_OVERFLOW, 5);
	memcpy(kernel.output, "reply", 5);
	err = bpio_control(3, 0x1234, BPIO_CONTROL_KERNEL_MODE, in, 3, out, 5,
			   7, &status, &information);
	ok(!err && kernel.seen.code == 0x1234 && kernel.seen.flags == 1 &&
		   kernel.seen.input_length == 3 &&
		   kernel.seen.output_length == 5 &&
		   kernel.seen.device_fd == 7 && !kernel.seen.reserved &&
		   !memcmp(kernel.input, in, 3),
	   "control: the carrier is filled");
	ok(status == STATUS_BUFFER_OVERFLOW && information == 5 &&
		   !memcmp(out, "reply", 5),
	   "control: verdict and output come back");
	kernel_says(EPERM, 0, 0);
	ok(bpio_control(3, 1, 0, NULL, 0, NULL, 0, -1, &status, &information) ==
		   -EPERM,
	   "control: errno of the carrier");
}

static void test_manage_bypass_io(void)
{
	static const struct {
		uint32_t operation;
		uint32_t information;
	} table[] = {
		{ FS_BPIO_OP_ENABLE, 352 },
		{ FS_BPIO_OP_DISABLE, 24 },
		{ FS_BPIO_OP_QUERY, 352 },
		{ FS_BPIO_OP_VOLUME_STACK_PAUSE, 24 },
		{ FS_BPIO_OP_VOLUME_STACK_RESUME, 352 },
		{ FS_BPIO_OP_STREAM_PAUSE, 24 },
		{ FS_BPIO_OP_STREAM_RESUME, 352 },
		{ FS_BPIO_OP_GET_INFO, 96 },
	};
	struct fs_bpio_output out;
	struct bpio_reply reply;
	bool whole = true;
	bool cut = true;
	bool other = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		uint32_t operation = table[i].operation;

		kernel_says(0, STATUS_SUCCESS, table[i].information);
		memcpy(kernel.output, &operation, sizeof(operation));
		whole = whole &&
			!bpio_manage_bypass_io(3, operation, 1, &out, &reply) &&
			kernel.seen.input_length == 24 &&
			kernel.seen.output_length == 352 &&
			kernel.seen.code == 0x00090448 &&
			kernel.seen.device_fd == -1 &&
			((struct fs_bpio_input *)kernel.input)->in_flags == 1;
		kernel.information--;
		cut = cut && bpio_manage_bypass_io(3, operation, 0, &out,
						   &reply) == -EPROTO;
		kernel.information++;
		kernel.output[0] ^= 8;
		other = other && bpio_manage_bypass_io(3, operation, 0, &out,
						       &reply) == -EPROTO;
	}
	ok(whole, "manage: every operation, bytes returned as documented");
	ok(cut, "manage: a reply that is a byte short is not used");
	ok(other, "manage: a reply to another operation is not used");

	kernel_says(0, STATUS_INVALID_PARAMETER, 352);
	memset(kernel.output, 0xAA, sizeof(kernel.output));
	ok(!bpio_manage_bypass_io(3, 1, 0, &out, &reply) &&
		   reply.status == STATUS_INVALID_PARAMETER && !out.out_flags &&
		   !out.enable.op_status,
	   "manage: nothing is taken from a failed request");
	kernel_says(0, STATUS_SUCCESS, UINT32_MAX);
	kernel.output[0] = FS_BPIO_OP_QUERY;
	ok(!bpio_manage_bypass_io(3, FS_BPIO_OP_QUERY, 0, &out, &reply),
	   "manage: more information than room is bounded by the room");
}

static void test_offload(void)
{
	struct fsctl_offload_write_output written = { .size = 16 };
	struct fsctl_offload_read_output read_out = { .size = 528 };
	struct storage_offload_token token;
	struct fsctl_offload_write_input *in = (void *)kernel.input;
	struct fsctl_offload_read_input *read_in = (void *)kernel.input;
	struct bpio_reply reply;

	memset(&token, 0x5A, sizeof(token));
	kernel_says(0, STATUS_SUCCESS, 528);
	read_out.transfer_length = 8192;
	read_out.token = token;
	memcpy(kernel.output, &read_out, sizeof(read_out));
	ok(!bpio_offload_read(3, 4096, 8000, 500, &read_out, &reply) &&
		   kernel.seen.code == 0x00094264 && read_in->size == 32 &&
		   read_in->token_time_to_live == 500 &&
		   read_in->file_offset == 4096 &&
		   read_in->copy_length == 8000 &&
		   read_out.transfer_length == 8192 &&
		   !memcmp(&read_out.token, &token, sizeof(token)),
	   "offload read: request and reply");
	kernel.information = 527;
	ok(bpio_offload_read(3, 0, 8192, 0, &read_out, &reply) == -EPROTO,
	   "offload read: a token that is a byte short is not used");
	kernel.information = 528;
	ok(!bpio_offload_read(3, 0, 4097, 0, &read_out, &reply),
	   "offload read: a length rounded up to the sector is fine");
	read_out.transfer_length = 1 << 20;
	memcpy(kernel.output, &read_out, sizeof(read_out));
	ok(bpio_offload_read(3, 0, 4096, 0, &read_out, &reply) == -EPROTO,
	   "offload read: more than was asked is not believed");

	kernel_says(0, STATUS_SUCCESS, 16);
	written.length_written = 4096;
	memcpy(kernel.output, &written, sizeof(written));
	ok(!bpio_offload_write(3, 512, 4096, 1024, &token, &written, &reply) &&
		   kernel.seen.code == 0x00098268 && in->size == 544 &&
		   in->file_offset == 512 && in->copy_length == 4096 &&
		   in->transfer_offset == 1024 &&
		   !memcmp(&in->token, &token, sizeof(token)) &&
		   written.length_written == 4096,
	   "offload write: request and reply");
	written.length_written = UINT64_MAX;
	memcpy(kernel.output, &written, sizeof(written));
	ok(bpio_offload_write(3, 0, 4096, 0, &token, &written, &reply) ==
		   -EPROTO,
	   "offload write: more than was asked is not believed");
}

static void test_storage(void)
{
	struct device_copy_offload_descriptor descriptor;
	struct storage_property_query *query = (void *)kernel.input;
	struct bpio_input *in = (void *)kernel.input;
	struct bpio_output out = { .version = 352, .size = 352 };
	struct bpio_reply reply;

	out.operation = BPIO_OP_QUERY;
	kernel_says(0, STATUS_SUCCESS, 352);
	memcpy(kernel.output, &out, sizeof(out));
	ok(!bpio_storage_manage_bypass_io(3, 4, BPIO_OP_QUERY, 0, &out,
					  &reply) &&
		   kernel.seen.code == 0x002D08C0 &&
		   kernel.seen.device_fd == 4 && in->version == 24 &&
		   in->size == 24 && in->operation == 3,
	   "storage: request and reply");
	kernel.information = 24;
	ok(bpio_storage_manage_bypass_io(3, 4, BPIO_OP_QUERY, 0, &out,
					 &reply) == -EPROTO,
	   "storage: a short reply is not used");
	kernel.output[8] = BPIO_OP_DISABLE;
	ok(!bpio_storage_manage_bypass_io(3, 4, BPIO_OP_DISABLE,
					  BPIO_CONTROL_KERNEL_MODE, &out,
					  &reply) &&
		   kernel.seen.flags == BPIO_CONTROL_KERNEL_MODE,
	   "storage: DISABLE answers with 24 bytes");
	kernel_says(0, STATUS_SUCCESS, 48);
	kernel.output[0x2C] = 8;
	ok(!bpio_storage_copy_offload(3, 4, &descriptor, &reply) &&
		   kernel.seen.code == 0x002D1400 && query->property_id == 13 &&
		   query->query_type == 0 &&
		   descriptor.optimal_transfer_length_granularity == 8,
	   "storage: copy offload descriptor");
	kernel.information = 8;
	ok(bpio_storage_copy_offload(3, 4, &descriptor, &reply) == -EPROTO,
	   "storage: the header of a descriptor is not a descriptor");
}

/* ---- what ENABLE means ------------------------------------------------- */

static void test_enable(void)
{
	static const struct {
		const char *name;
		int32_t op_status;
		int32_t filters;
		uint32_t out_flags;
		enum enable_outcome outcome;
	} table[] = {
		{ "no objection", 0, 0, 8, ENABLE_FULL },
		{ "storage objects", STATUS_NOT_SUPPORTED_WITH_SNAPSHOT, 0, 8,
		  ENABLE_PARTIAL },
		{ "volume paused", 0, 0, 1 | 8, ENABLE_PARTIAL },
		{ "stream paused", 0, 0, 2 | 8, ENABLE_SUSPENDED },
		{ "stream paused and storage objects",
		  STATUS_NOT_SUPPORTED_WITH_SNAPSHOT, 0, 2, ENABLE_SUSPENDED },
		{ "filter or file system objects",
		  STATUS_SPARSE_FILE_NOT_SUPPORTED,
		  STATUS_SPARSE_FILE_NOT_SUPPORTED, 8, ENABLE_REFUSED },
		{ "filter not opted in", STATUS_BYPASSIO_FLT_NOT_SUPPORTED,
		  STATUS_BYPASSIO_FLT_NOT_SUPPORTED, 4, ENABLE_REFUSED },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		struct fs_bpio_output out = { .out_flags = table[i].out_flags };
		char name[64];

		out.enable.op_status = table[i].op_status;
		snprintf(name, sizeof(name), "enable: %s", table[i].name);
		ok(enable_judge(&out, table[i].filters) == table[i].outcome,
		   name);
	}
}

/* ---- counters ---------------------------------------------------------- */

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

static void remove_in(const char *dir, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	remove(path);
}

static void test_counters(void)
{
	char dir[] = "/tmp/bpioctl-unit-XXXXXX";
	char inner[sizeof(dir) + 16];
	struct counters counters = { 0 };
	uint64_t value;

	counters_from_words(&counters, "1.",
			    "bypass=active paused=0 odd a=b=c");
	ok(counters.nr == 4 &&
		   !strcmp(counters_get(&counters, "1.bypass"), "active") &&
		   counters_u64(&counters, "1.paused", &value) && !value &&
		   !strcmp(counters_get(&counters, "1.odd"), "") &&
		   !strcmp(counters_get(&counters, "1.a"), "b=c") &&
		   !counters_u64(&counters, "1.bypass", &value) &&
		   !counters_get(&counters, "bypass"),
	   "counters: status words");
	counters_free(&counters);

	if (!mkdtemp(dir))
		abort();
	snprintf(inner, sizeof(inner), "%s/instances", dir);
	mkdir(inner, 0700);
	put_file(dir, "full_bytes", "18446744073709551615\n");
	put_file(dir, "storage_driver", "nvme.ko\n");
	put_file(dir, FALLBACK_REASONS, "cached_users 3\nstream_paused 0\n");
	put_file(dir, "two_lines", "a\nb\n");
	ok(!counters_from_dir(&counters, dir) && counters.nr == 5 &&
		   counters_u64(&counters, "full_bytes", &value) &&
		   value == UINT64_MAX &&
		   counters_u64(&counters, "fallback_reasons.cached_users",
				&value) &&
		   value == 3 &&
		   !strcmp(counters_get(&counters, "two_lines"), "a b") &&
		   !strcmp(counters_get(&counters, "storage_driver"),
			   "nvme.ko"),
	   "counters: plain files of a directory");
	counters_free(&counters);
	remove_in(dir, "full_bytes");
	remove_in(dir, "storage_driver");
	remove_in(dir, FALLBACK_REASONS);
	remove_in(dir, "two_lines");
	rmdir(inner);
	rmdir(dir);
	ok(counters_from_dir(&counters, dir) == -ENOENT,
	   "counters: no such directory");
}

/* Two looks at a volume; a counter that went back, or is new, is no loss. */
static void test_read_statistics(void)
{
	struct counters before = { 0 };
	struct counters after = { 0 };
	struct read_report report = { 0 };

	counters_add(&before, "full_bytes", "4096");
	counters_add(&before, "full_reads", "1");
	counters_add(&before, "traditional_bytes", "9");
	counters_add(&before, "fallback_reasons.stream_paused", "2");
	counters_add(&before, "fallback_reasons.sparse", "5");
	counters_add(&after, "full_bytes", "12288");
	counters_add(&after, "full_reads", "3");
	counters_add(&after, "partial_bytes", "512");
	counters_add(&after, "traditional_bytes", "0");
	counters_add(&after, "fallback_reasons.stream_paused", "2");
	counters_add(&after, "fallback_reasons.sparse", "7");
	counters_add(&after, "active_count", "4");
	read_compare(&report, &before, &after);
	ok(report.path_bytes[0] == 8192 && report.path_reads[0] == 2 &&
		   report.path_bytes[1] == 512 && !report.path_reads[1] &&
		   !report.path_bytes[2],
	   "statistics: what each path gained");
	ok(report.fallback_reasons.nr == 1 &&
		   !strcmp(report.fallback_reasons.list[0].name, "sparse") &&
		   !strcmp(report.fallback_reasons.list[0].value, "2"),
	   "statistics: reasons that gained, and no others");
	counters_free(&before);
	counters_free(&after);
	counters_free(&report.fallback_reasons);
}

int main(void)
{
	test_state_texts();
	test_long_names();
	test_statuses();
	test_utf16();
	test_tokens();
	test_sizes();
	test_control();
	test_manage_bypass_io();
	test_offload();
	test_storage();
	test_enable();
	test_counters();
	test_read_statistics();
	printf("1..%u\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
