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

#include "altitude.h"
#include "bpioctl.h"
#include "cp.h"
#include "enable.h"
#include "lib/status.h"
#include "names.h"
#include "ok.h"

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

/* It could be bypassed, and something holds it up. */
static void test_suspended_state(void)
{
	struct state_report report = {
		.path = "v",
		.state = BYPASS_SUPPORTED,
		.suspended_by = { suspension_find("pause"),
				  suspension_find("veto") },
		.suspended_by_nr = 1,
		.out_flags = FSBPIO_OUTFL_COMPATIBLE_STORAGE_DRIVER,
	};
	static const char one[] =
		"BypassIo on \"v\" is partially supported\n"
		"    Volume stack bypass is disabled (bpiofs.ko)\n"
		"      Reason:  The volume is paused (VOLUME_STACK_PAUSE).\n"
		"    Storage Type:   NVMe\n"
		"    Storage Driver: BypassIo compatible\n"
		"    Driver Name:    nvme.ko\n";
	static const char two[] =
		"BypassIo on \"v\" is partially supported\n"
		"    Volume stack bypass is disabled (bpiofs.ko)\n"
		"      Reason:  The volume is paused (VOLUME_STACK_PAUSE). "
		"A veto was withdrawn, and the volume has not been resumed.\n"
		"    Storage Type:   NVMe\n"
		"    Storage Driver: BypassIo compatible\n"
		"    Driver Name:    nvme.ko\n";
	static const struct {
		const char *word, *effective;
	} words[] = {
		{ "pause", "partial" },	    { "veto", "partial" },
		{ "suspend", "partial" },   { "disable", "partial" },
		{ "mount", "traditional" },
	};
	char wanted[128];
	char *text;
	size_t i;

	put_units(report.info.storage_driver_name,
		  &report.info.storage_driver_name_len, "nvme.ko");
	same_state(&print_text, &report, one, "state: suspended");
	report.verbose = true;
	same_state(&print_text, &report, one, "state: suspended, verbose");
	report.suspended_by_nr = 2;
	same_state(&print_text, &report, two, "state: suspended twice");

	report.suspended_by_nr = 1;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		report.suspended_by[0] = suspension_find(words[i].word);
		snprintf(wanted, sizeof(wanted),
			 "\"state\":\"supported\",\"effective\":\"%s\","
			 "\"suspended_by\":[\"%s\"]",
			 words[i].effective, words[i].word);
		text = printed_state(&print_json, &report);
		ok(strstr(text, wanted), words[i].word);
		free(text);
	}
	ok(!suspension_find("stream_pause"), "not a word of a volume");
	ok(!suspension_find(""), "no word");
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
		"\"effective\":\"traditional\",\"suspended_by\":[],"
		"\"op_status\":{\"value\":\"0xC0FFEE00\",\"name\":null,\"win32\":null,\"text\":null},"
		"\"failing_driver_name_len\":7,\"failing_driver_name\":\"wof.sys\","
		"\"failure_reason_len\":52,"
		"\"failure_reason\":\"\\u001bhe specified minifilter does not support bypass IO.\"}\n",
		"state: JSON keeps what text hides");
}

/*
 * Every status that a veto may carry, as the state prints it: codes and texts
 * of the protocol's section 5.
 */
static const struct {
	int32_t status;
	const char *text;
} state_lines[] = {
	{ STATUS_COMPRESSED_FILE_NOT_SUPPORTED,
	  "335 (The specified operation is not supported on a compressed file)" },
	{ STATUS_DIRECTORY_NOT_SUPPORTED,
	  "336 (The specified operation is not supported on a directory)" },
	{ STATUS_NOT_SUPPORTED_ON_DAX,
	  "360 (The specified operation is not supported on a DAX volume)" },
	{ STATUS_ENCRYPTED_FILE_NOT_SUPPORTED,
	  "489 (The specified operation is not supported on an encrypted file)" },
	{ STATUS_SPARSE_FILE_NOT_SUPPORTED,
	  "490 (The specified operation is not supported on a sparse file)" },
	{ STATUS_PAGEFILE_NOT_SUPPORTED,
	  "491 (The specified operation is not supported on a pagefile)" },
	{ STATUS_VOLUME_NOT_SUPPORTED,
	  "492 (The specified operation is not supported on a volume)" },
	{ STATUS_NOT_SUPPORTED_WITH_BYPASSIO,
	  "493 (The specified operation is not supported on a BypassIO enabled file)" },
	{ STATUS_NO_BYPASSIO_DRIVER_SUPPORT,
	  "494 (The specified driver does not support BypassIO operations)" },
	{ STATUS_NOT_SUPPORTED_WITH_ENCRYPTION,
	  "495 (The specified operation is not supported while encryption is enabled on the target object)" },
	{ STATUS_NOT_SUPPORTED_WITH_COMPRESSION,
	  "496 (The specified operation is not supported while compression is enabled on the target object)" },
	{ STATUS_NOT_SUPPORTED_WITH_REPLICATION,
	  "497 (The specified operation is not supported while replication is enabled on the target object)" },
	{ STATUS_NOT_SUPPORTED_WITH_DEDUPLICATION,
	  "498 (The specified operation is not supported while deduplication is enabled on the target object)" },
	{ STATUS_NOT_SUPPORTED_WITH_AUDITING,
	  "499 (The specified operation is not supported while auditing is enabled on the target object)" },
	{ STATUS_NOT_SUPPORTED_WITH_MONITORING,
	  "503 (The specified operation is not supported while monitoring is enabled on the target object)" },
	{ STATUS_NOT_SUPPORTED_WITH_SNAPSHOT,
	  "504 (The specified operation is not supported while snapshot is enabled on the target object)" },
	{ STATUS_NOT_SUPPORTED_WITH_VIRTUALIZATION,
	  "505 (The specified operation is not supported while virtualization is enabled on the target object)" },
	{ STATUS_BYPASSIO_FLT_NOT_SUPPORTED,
	  "506 (At least one minifilter does not support bypass IO)" },
	{ STATUS_FLT_INTERNAL_ERROR,
	  "0x801F000A (The filter manager met an internal error)" },
};

static void test_state_lines(void)
{
	struct state_report report = { .path = "f",
				       .state = BYPASS_NOT_SUPPORTED };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(state_lines); i++) {
		int32_t status = state_lines[i].status;
		char wanted[512];
		char name[96];

		object(&report.objection, status, "d.ko", "Why.");
		snprintf(wanted, sizeof(wanted),
			 "BypassIo on \"f\" is not currently supported.\n"
			 "Status: %s\nDriver: d.ko\nReason: Why.\n",
			 state_lines[i].text);
		snprintf(name, sizeof(name), "state: %s",
			 bpio_status_name(status));
		same_state(&print_text, &report, wanted, name);
	}
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

/* R-FS-4, OR-1, OR-5, OW-1: the handle is none, or of another file system. */
static void test_handles(void)
{
	static const struct {
		int error;
		int32_t manage;
		int32_t others;
	} table[] = {
		{ ENOTTY, STATUS_NOT_SUPPORTED, STATUS_INVALID_DEVICE_REQUEST },
		{ EBADF, STATUS_INVALID_HANDLE, STATUS_INVALID_HANDLE },
	};
	struct fsctl_offload_write_output written;
	struct fsctl_offload_read_output read_out;
	struct storage_offload_token token = { 0 };
	struct fs_bpio_output out;
	struct bpio_output storage;
	struct bpio_reply reply;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		int32_t others = table[i].others;
		char name[64];

		kernel_says(table[i].error, 0, 0);
		memset(&reply, 0xAA, sizeof(reply));
		memset(&out, 0xAA, sizeof(out));
		snprintf(name, sizeof(name), "handle: %s is a verdict",
			 strerror(table[i].error));
		ok(!bpio_manage_bypass_io(3, FS_BPIO_OP_QUERY, 0, &out,
					  &reply) &&
			   reply.status == table[i].manage &&
			   !reply.information && !out.query.op_status &&
			   !bpio_offload_read(3, 0, 512, 0, &read_out,
					      &reply) &&
			   reply.status == others &&
			   !read_out.transfer_length &&
			   !bpio_offload_write(3, 0, 512, 0, &token, &written,
					       &reply) &&
			   reply.status == others && !written.length_written &&
			   !bpio_set_encryption(3, FILE_SET_ENCRYPTION,
						&reply) &&
			   reply.status == others,
		   name);
		ok(bpio_storage_manage_bypass_io(3, 4, BPIO_OP_QUERY, 0,
						 &storage,
						 &reply) == -table[i].error,
		   "handle: of the storage layer it is an errno");
	}
	kernel_says(EFAULT, 0, 0);
	ok(bpio_manage_bypass_io(3, FS_BPIO_OP_QUERY, 0, &out, &reply) ==
		   -EFAULT,
	   "handle: any other errno is one");
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

static void test_fdinfo(void)
{
	static const char text[] = "pos:\t0\nflags:\t0140000\nmnt_id:\t33\n"
				   "bpio-enabled:\t1\n"
				   "bpio-full:\t3 12288\n"
				   "bpio-partial:\t0 0\n"
				   "bpio-traditional:\t2 18446744073709551615\n"
				   "bpio-why-not_mapped:\t2\n"
				   "bpio-stream-opens:\t5\n"
				   "bpio-stream-full:\t7 28672\n"
				   "bpio-stream-partial:\t1 512\n"
				   "bpio-stream-traditional:\t2 8192\n"
				   "bpio-stream-why-cached_io:\t1\n"
				   "bpio-stream-why-not_mapped:\t2\n";
	char dir[] = "/tmp/bpioctl-unit-XXXXXX";
	char path[sizeof(dir) + 16];
	struct counters counters = { 0 };
	struct path_counts stream = { 0 };
	struct path_counts open = { 0 };
	uint64_t value;

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/fdinfo", dir);
	put_file(dir, "fdinfo", text);
	ok(!counters_from_fdinfo(&counters, path) && counters.nr == 11 &&
		   counters_u64(&counters, "enabled", &value) && value == 1 &&
		   counters_u64(&counters, "stream-opens", &value) &&
		   value == 5 && !counters_get(&counters, "mnt_id"),
	   "fdinfo: lines of bpiofs, and no others");
	read_counted(&open, &counters, "");
	read_counted(&stream, &counters, "stream-");
	ok(open.reads[0] == 3 && open.bytes[0] == 12288 && !open.reads[1] &&
		   open.reads[2] == 2 && open.bytes[2] == UINT64_MAX &&
		   open.fallback_reasons.nr == 1 &&
		   !strcmp(open.fallback_reasons.list[0].name, "not_mapped") &&
		   !strcmp(open.fallback_reasons.list[0].value, "2"),
	   "fdinfo: what this open read");
	ok(stream.reads[0] == 7 && stream.bytes[1] == 512 &&
		   stream.fallback_reasons.nr == 2 &&
		   !strcmp(stream.fallback_reasons.list[0].name, "cached_io"),
	   "fdinfo: what all opens of the file read");
	counters_free(&open.fallback_reasons);
	counters_free(&stream.fallback_reasons);
	counters_free(&counters);
	put_file(dir, "fdinfo", "pos:\t0\nmnt_id:\t33\n");
	ok(counters_from_fdinfo(&counters, path) == -ENODATA && !counters.nr,
	   "fdinfo: of a kernel that does not count opens");
	remove(path);
	ok(counters_from_fdinfo(&counters, path) == -ENOENT,
	   "fdinfo: none at all");
	rmdir(dir);
}

/* Two looks at a volume; a counter that went back, or is new, is no loss. */
static void test_read_statistics(void)
{
	struct counters before = { 0 };
	struct counters after = { 0 };
	struct path_counts counts = { 0 };

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
	read_compare(&counts, &before, &after);
	ok(counts.bytes[0] == 8192 && counts.reads[0] == 2 &&
		   counts.bytes[1] == 512 && !counts.reads[1] &&
		   !counts.bytes[2],
	   "statistics: what each path gained");
	ok(counts.fallback_reasons.nr == 1 &&
		   !strcmp(counts.fallback_reasons.list[0].name, "sparse") &&
		   !strcmp(counts.fallback_reasons.list[0].value, "2"),
	   "statistics: reasons that gained, and no others");
	counters_free(&before);
	counters_free(&after);
	counters_free(&counts.fallback_reasons);
}

/* ---- filters ----------------------------------------------------------- */

static const struct {
	const char *a;
	const char *b;
	int order;
} altitudes[] = {
	{ "325000.3", "325000.7", -1 },
	{ "325000.7", "325001", -1 },
	{ "46000", "385250.5", -1 },
	{ "1.0", "1.00", 0 },
	{ "1", "1.000", 0 },
	{ "007", "7.0", 0 },
	{ "0", "0.0", 0 },
	{ "1.05", "1.5", -1 },
	{ "1.5", "1.50", 0 },
	{ "1.500", "1.51", -1 },
	{ "1.1", "1.09", 1 },
	{ "1.0001", "1", 1 },
	{ "9", "10", -1 },
	{ "18446744073709551617", "18446744073709551616.9", 1 },
	{ "0.00000000000000000000000000000000000000000000000000000001",
	  "0.00000000000000000000000000000000000000000000000000000002", -1 },
	{ "100000000000000000000000000000000000000000000000000000000",
	  "99999999999999999999999999999999999999999999999999999999", 1 },
};

static void test_altitudes(void)
{
	static const char *const valid[] = { "0", "42", "385250.5", "1.00",
					     "007" };
	static const char *const wrong[] = { "",      ".",  "1.",  ".5",
					     "1.2.3", "-1", "+1",  "1e5",
					     " 1",    "1 ", "1\n", "0x10" };
	bool all = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(altitudes); i++) {
		int there = altitude_compare(altitudes[i].a, altitudes[i].b);
		int back = altitude_compare(altitudes[i].b, altitudes[i].a);
		char name[192];

		snprintf(name, sizeof(name), "altitude: %s and %s",
			 altitudes[i].a, altitudes[i].b);
		ok((there > 0) - (there < 0) == altitudes[i].order &&
			   (back > 0) - (back < 0) == -altitudes[i].order,
		   name);
	}
	for (i = 0; i < ARRAY_SIZE(valid); i++)
		all = all && altitude_valid(valid[i]);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		all = all && !altitude_valid(wrong[i]);
	ok(all, "altitude: what is one");
}

typedef void list_printer(FILE *to, const struct flt_list *list);

static void same_list(list_printer *print, const struct flt_list *list,
		      const char *wanted, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	print(to, list);
	fclose(to);
	same_text(text, wanted, name);
	free(text);
}

static void make_dir(const char *dir, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (mkdir(path, 0700))
		abort();
}

static void put_value(const char *dir, const char *object, const char *name,
		      const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, object);
	put_file(path, name, text);
}

static void remove_tree(const char *dir)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command))
		abort();
}

static void put_filter(const char *dir, const char *name, const char *altitude,
		       const char *instances)
{
	make_dir(dir, name);
	put_value(dir, name, "altitude", altitude);
	put_value(dir, name, "features", "0xf\n");
	put_value(dir, name, "instances", instances);
}

/* The sample of fltmc's output, and what it does not show. */
static void test_filter_list(void)
{
	char dir[] = "/tmp/bpioctl-unit-XXXXXX";
	struct flt_list list = { 0 };

	if (!mkdtemp(dir))
		abort();
	same_list(
		print_text.filters, &list,
		"Filter Name                     Num Instances    Altitude    Frame\n"
		"------------------------------  -------------  ------------  -----\n",
		"filters: none");
	put_filter(dir, "UCPD", "385250.5\n", "5\n");
	put_filter(dir, "bindflt", "409800\n", "1\n");
	put_filter(dir, "low", "46000\n", "0\n");
	put_filter(dir, "b-same", "325000.30\n", "0\n");
	put_filter(dir, "a-same", "325000.3\n", "0\n");
	put_filter(dir, "between", "325000.7\n", "4294967295\n");
	put_filter(dir, "precise", "1234567.123456789012\n", "2\n");
	put_file(dir, "file", "not a filter\n");
	make_dir(dir, "leaving");
	ok(!filters_collect(&list, dir) && list.nr == 7,
	   "filters: those that are whole");
	filters_sort(&list);
	same_list(
		print_text.filters, &list,
		"Filter Name                     Num Instances    Altitude    Frame\n"
		"------------------------------  -------------  ------------  -----\n"
		"precise                                 2       1234567.1234567890120\n"
		"bindflt                                 1       409800         0\n"
		"UCPD                                    5       385250.5       0\n"
		"between                         4294967295       325000.7       0\n"
		"a-same                                  0       325000.3       0\n"
		"b-same                                  0       325000.30      0\n"
		"low                                     0        46000         0\n",
		"filters: altitude descending, columns of fltmc");
	list.nr = 3;
	same_list(
		print_json.filters, &list,
		"{\"filter\":\"precise\",\"instances\":2,\"altitude\":\"1234567.123456789012\",\"frame\":0,\"supported_features\":15}\n"
		"{\"filter\":\"bindflt\",\"instances\":1,\"altitude\":\"409800\",\"frame\":0,\"supported_features\":15}\n"
		"{\"filter\":\"UCPD\",\"instances\":5,\"altitude\":\"385250.5\",\"frame\":0,\"supported_features\":15}\n",
		"filters: JSON");
	list.nr = 7;
	flt_list_free(&list);
	remove_tree(dir);
	ok(filters_collect(&list, dir) == -ENOENT && !list.nr,
	   "filters: no such directory");
}

static void put_instance(const char *dir, const char *name, const char *filter,
			 const char *altitude, const char *features)
{
	make_dir(dir, name);
	put_value(dir, name, "filter", filter);
	put_value(dir, name, "altitude", altitude);
	put_value(dir, name, "features", features);
	put_value(dir, name, "reads_seen", "1\n");
	put_value(dir, name, "writes_seen", "2\n");
	put_value(dir, name, "fsctls_seen", "3\n");
}

static void test_instance_list(void)
{
	static const char header[] =
		"Filter                Volume Name                              Altitude        Instance Name       Frame   SprtFtrs  VlStatus\n"
		"--------------------  -------------------------------------  ------------  ----------------------  -----   --------  --------\n";
	char dir[] = "/tmp/bpioctl-unit-XXXXXX";
	struct flt_object sample[2] = {
		{ .name = "CldFlt", .volume = "dm-0", .device = "C:" },
		{ .name = "UCPD - Top Instance",
		  .volume = "dm-12",
		  .device = "/dev/mapper/a-name-that-is-too-long-for-it" },
	};
	struct flt_list list = { sample, 2 };
	char wanted[1024];

	counters_add(&sample[0].values, "filter", "CldFlt");
	counters_add(&sample[0].values, "altitude", "180451");
	counters_add(&sample[0].values, "features", "0xf");
	counters_add(&sample[1].values, "filter", "UCPD");
	counters_add(&sample[1].values, "altitude", "385250.5");
	counters_add(&sample[1].values, "features", "0x8");
	snprintf(
		wanted, sizeof(wanted), "%s%s", header,
		"CldFlt                C:                                        180451     CldFlt                    0     0000000f  \n"
		"UCPD                  /dev/dm-12                                385250.5   UCPD - Top Instance       0     00000008  \n");
	same_list(print_text.instances, &list, wanted,
		  "instances: columns of fltmc, a volume that fits");
	strcpy(sample[1].device, "/dev/mapper/just-as-long-as-its-colum");
	ok(strlen(sample[1].device) == 37, "instances: a name of 37");
	snprintf(
		wanted, sizeof(wanted), "%s%s", header,
		"CldFlt                C:                                        180451     CldFlt                    0     0000000f  \n"
		"UCPD                  /dev/mapper/just-as-long-as-its-colum     385250.5   UCPD - Top Instance       0     00000008  \n");
	same_list(print_text.instances, &list, wanted,
		  "instances: a volume that just fits");
	counters_free(&sample[0].values);
	counters_free(&sample[1].values);

	list = (struct flt_list){ 0 };
	if (!mkdtemp(dir))
		abort();
	make_dir(dir, "no-10");
	make_dir(dir, "no-9");
	make_dir(dir, "no-10/instances");
	make_dir(dir, "no-9/instances");
	make_dir(dir, "no-1");
	put_file(dir, "file", "");
	strcat(strcpy(wanted, dir), "/no-10/instances");
	put_instance(wanted, "b", "b\n", "5\n", "0x1\n");
	put_instance(wanted, "a@0.5", "a\n", "0.5\n", "0xf\n");
	put_instance(wanted, "a", "a\n", "400000\n", "0xf\n");
	strcat(strcpy(wanted, dir), "/no-9/instances");
	put_instance(wanted, "a", "a\n", "30\n", "0x0\n");
	ok(!instances_collect(&list, dir) && list.nr == 4,
	   "instances: of all volumes");
	instances_sort(&list);
	snprintf(
		wanted, sizeof(wanted), "%s%s", header,
		"a                     /dev/no-9                                     30     a                         0     00000000  \n"
		"a                     /dev/no-10                                400000     a                         0     0000000f  \n"
		"a                     /dev/no-10                                     0.5   a@0.5                     0     0000000f  \n"
		"b                     /dev/no-10                                     5     b                         0     00000001  \n");
	same_list(print_text.instances, &list, wanted,
		  "instances: by filter, volume, altitude");
	list.nr = 1;
	same_list(
		print_json.instances, &list,
		"{\"filter\":\"a\",\"volume\":\"no-9\",\"device\":\"/dev/no-9\",\"altitude\":\"30\",\"instance\":\"a\",\"frame\":0,"
		"\"supported_features\":0,\"reads_seen\":1,\"writes_seen\":2,\"fsctls_seen\":3}\n",
		"instances: JSON");
	list.nr = 4;
	flt_list_free(&list);
	ok(!instances_of_volume(&list, dir, "no-9") && list.nr == 1 &&
		   !strcmp(list.list[0].volume, "no-9"),
	   "instances: of one volume");
	flt_list_free(&list);
	ok(instances_of_volume(&list, dir, "no-1") == -ENOENT,
	   "instances: of a volume without filters");
	remove_tree(dir);
}

/* Counters of two rounds, a line each side, instances below. */
static void test_stats(void)
{
	struct flt_object instances[2] = { { .name = "flt" },
					   { .name = "flt" } };
	struct stats_report before = {
		.volume = "dm-1",
		.device = "/dev/mapper/v",
		.instances = { &instances[0], 1 },
	};
	struct stats_report now = {
		.volume = "dm-1",
		.device = "/dev/mapper/v",
		.instances = { &instances[1], 1 },
		.before = &before,
	};
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	counters_add(&before.dm_bpio, "enables", "1");
	counters_add(&now.dm_bpio, "enables", "4");
	counters_add(&before.bpiofs, "full_reads", "7");
	counters_add(&now.bpiofs, "full_reads", "7");
	counters_add(&now.bpiofs, "fallback_reasons.cached_io", "2");
	counters_add(&instances[0].values, "altitude", "385250.5");
	counters_add(&instances[0].values, "reads_seen", "10");
	counters_add(&instances[1].values, "altitude", "385250.5");
	counters_add(&instances[1].values, "filter", "flt");
	counters_add(&instances[1].values, "reads_seen", "12");
	counters_add(&instances[1].values, "writes_seen", "5");
	print_text.stats(to, &now);
	print_json.stats(to, &now);
	fclose(to);
	same_text(
		text,
		"/dev/mapper/v (dm-1)\n"
		"  dm-bpio                                   bpiofs                                             \n"
		"  enables                          4 (+3)   full_reads                                        7\n"
		"                                            fallback_reasons.cached_io                        2\n"
		"  instance                         altitude         reads_seen        writes_seen        fsctls_seen\n"
		"  flt                              385250.5            12 (+2)                  5                   \n"
		"{\"volume\":\"dm-1\",\"device\":\"/dev/mapper/v\",\"dm_bpio\":{\"enables\":4},"
		"\"bpiofs\":{\"full_reads\":7,\"fallback_reasons.cached_io\":2},"
		"\"instances\":[{\"filter\":\"flt\",\"volume\":\"\",\"device\":\"\",\"altitude\":\"385250.5\",\"instance\":\"flt\",\"frame\":0,"
		"\"supported_features\":0,\"reads_seen\":12,\"writes_seen\":5,\"fsctls_seen\":0}]}\n",
		"stats: side by side, gains, instances");
	free(text);
	counters_free(&before.dm_bpio);
	counters_free(&before.bpiofs);
	counters_free(&now.dm_bpio);
	counters_free(&now.bpiofs);
	counters_free(&instances[0].values);
	counters_free(&instances[1].values);
}

/* What stands on standard error after bypassio cat. */
static void test_read_texts(void)
{
	struct read_report report = {
		.path = "f",
		.outcome = "enabled",
		.bytes = 10000,
		.reads = 3,
		.scope = READ_SCOPE_OPEN,
		.volume = "dm-0",
		.counts = { { 2, 0, 1 }, { 8192, 0, 1808 }, { 0 } },
		.stream_opens = 2,
		.stream = { { 4, 1, 1 }, { 16384, 512, 1808 }, { 0 } },
	};
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	counters_add(&report.counts.fallback_reasons, "not_aligned", "1");
	print_text.read(to, &report);
	print_json.read(to, &report);
	report.scope = READ_SCOPE_VOLUME;
	print_text.read(to, &report);
	report.scope = READ_SCOPE_NONE;
	report.unavailable = "not on a bpiofs mount";
	print_text.read(to, &report);
	fclose(to);
	same_text(
		text,
		"f: 10000 bytes in 3 reads, BypassIO enabled\n"
		"path                 reads             bytes   (this open)\n"
		"full                     2              8192\n"
		"partial                  0                 0\n"
		"traditional              1              1808\n"
		"fallback                 1  not_aligned\n"
		"{\"path\":\"f\",\"outcome\":\"enabled\",\"bytes\":10000,\"reads\":3,\"volume\":\"dm-0\",\"counts_of\":\"open\","
		"\"full_bytes\":8192,\"full_reads\":2,\"partial_bytes\":0,\"partial_reads\":0,\"traditional_bytes\":1808,\"traditional_reads\":1,"
		"\"fallback_reasons\":{\"not_aligned\":1},"
		"\"stream\":{\"opens\":2,\"full_bytes\":16384,\"full_reads\":4,\"partial_bytes\":512,\"partial_reads\":1,"
		"\"traditional_bytes\":1808,\"traditional_reads\":1,\"fallback_reasons\":{}}}\n"
		"f: 10000 bytes in 3 reads, BypassIO enabled\n"
		"path                 reads             bytes   (whole volume dm-0 meanwhile)\n"
		"full                     2              8192\n"
		"partial                  0                 0\n"
		"traditional              1              1808\n"
		"fallback                 1  not_aligned\n"
		"f: 10000 bytes in 3 reads, BypassIO enabled\n"
		"no statistics by path: not on a bpiofs mount\n",
		"read: statistics of the open, of the volume, none");
	free(text);
	counters_free(&report.counts.fallback_reasons);
}

/* The final line of bpioctl cp. */
static void test_copy_texts(void)
{
	struct copy_report report = {
		.files = 3,
		.failed = 1,
		.total = { 0, 1000, 600, 200, 150, 50, 0, 0, 0, 0, { 0 } },
		.reasons = {
			{ BPIO_COPY_SHORT, 0, 0, 0, "", 1, 150 },
			{ BPIO_COPY_REFUSED, FSCTL_OFFLOAD_READ,
			  STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED, 0,
			  "bpio-flt-legacy.ko", 2, 200 },
			{ BPIO_COPY_REMEMBERED, FSCTL_OFFLOAD_WRITE,
			  STATUS_DEVICE_UNREACHABLE, 0, "dm-bpio.ko", 1, 7 },
			{ BPIO_COPY_STUCK, FSCTL_OFFLOAD_WRITE, 0, 0, "", 1, 0 },
			{ BPIO_COPY_FAILED, FSCTL_OFFLOAD_READ, 0, -ENOMEM, "",
			  1, 1 },
		},
		.reasons_nr = 5,
	};
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	counters_add(&report.engines, "nvme", "512");
	counters_add(&report.engines, "literal", "88");
	counters_add(&report.engines, "new", "1");
	counters_add(&report.ways, "offload", "150");
	counters_add(&report.ways, "splice", "50");
	counters_add(&report.ways, "new", "2");
	report.ways_known = true;
	print_text.copy(to, &report);
	print_json.copy(to, &report);
	report.failed = 0;
	report.reasons_nr = 0;
	report.total.zero_length = 0;
	report.total.offloaded_length = 0;
	print_text.copy(to, &report);
	counters_free(&report.ways);
	counters_add(&report.ways, "offload", "150");
	report.engines_unavailable = "no bpio target";
	counters_free(&report.engines);
	print_text.copy(to, &report);
	counters_free(&report.ways);
	print_text.copy(to, &report);
	report.total.offloaded_length = 600;
	report.total.kernel_length = 0;
	print_text.copy(to, &report);
	fclose(to);
	same_text(
		text,
		"3 files, 1000 bytes: 600 offloaded (NVMe Copy 512, memory 88, new 1), 200 by copy_file_range (150 offloaded, 50 through memory, 2 new), 150 by read/write, 50 in holes: "
		"1 file (150): shorter than 262144; "
		"2 files (200): OFFLOAD_READ STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED (0xC000A2A1) of bpio-flt-legacy.ko; "
		"1 file (7): OFFLOAD_WRITE STATUS_DEVICE_UNREACHABLE (0xC0000464) of dm-bpio.ko, remembered; "
		"1 file (0): OFFLOAD_WRITE made no progress; "
		"1 file (1): OFFLOAD_READ: Cannot allocate memory; 1 failed\n"
		"{\"files\":3,\"failed\":1,\"bytes\":1000,\"offloaded_bytes\":600,\"copy_file_range_bytes\":200,\"read_write_bytes\":150,\"hole_bytes\":50,"
		"\"engines\":{\"nvme\":512,\"literal\":88,\"new\":1},\"copy_file_range\":{\"offload\":150,\"splice\":50,\"new\":2},\"reasons\":["
		"{\"why\":\"short\",\"files\":1,\"bytes\":150,\"driver\":null},"
		"{\"why\":\"refused\",\"files\":2,\"bytes\":200,\"request\":\"OFFLOAD_READ\",\"status\":{\"value\":\"0xC000A2A1\",\"name\":\"STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED\",\"win32\":4440,"
		"\"text\":\"The copy offload read operation is not supported by a filter.\"},\"driver\":\"bpio-flt-legacy.ko\"},"
		"{\"why\":\"remembered\",\"files\":1,\"bytes\":7,\"request\":\"OFFLOAD_WRITE\",\"status\":{\"value\":\"0xC0000464\",\"name\":\"STATUS_DEVICE_UNREACHABLE\",\"win32\":321,"
		"\"text\":\"The device is unreachable.\"},\"driver\":\"dm-bpio.ko\"},"
		"{\"why\":\"stuck\",\"files\":1,\"bytes\":0,\"request\":\"OFFLOAD_WRITE\",\"driver\":null},"
		"{\"why\":\"failed\",\"files\":1,\"bytes\":1,\"request\":\"OFFLOAD_READ\",\"error\":\"Cannot allocate memory\",\"driver\":null}]}\n"
		"3 files, 1000 bytes: 0 offloaded, 200 by copy_file_range (150 offloaded, 50 through memory, 2 new; NVMe Copy 512, memory 88, new 1), 150 by read/write\n"
		"3 files, 1000 bytes: 0 offloaded, 200 by copy_file_range (150 offloaded), 150 by read/write\n"
		"3 files, 1000 bytes: 0 offloaded, 200 by copy_file_range, 150 by read/write\n"
		"3 files, 1000 bytes: 600 offloaded (engine not known: no bpio target), 150 by read/write\n",
		"cp: the final line");
	free(text);
	counters_free(&report.engines);
}

static void test_engines(void)
{
	struct counters before = { 0 };
	struct counters after = { 0 };
	struct counters engines = { 0 };

	counters_from_words(&before, "0.", "bytes_nvme=5 bytes_zero=1");
	counters_from_words(&before, "1.", "bytes_nvme=7 tokens=0");
	counters_from_words(&after, "0.", "bytes_nvme=6 bytes_zero=1");
	counters_from_words(&after, "1.", "bytes_nvme=9 bytes_kcopyd=4 x=1");
	cp_engines(&engines, &before, &after);
	ok(engines.nr == 2 && !strcmp(engines.list[0].name, "nvme") &&
		   !strcmp(engines.list[0].value, "3") &&
		   !strcmp(engines.list[1].name, "kcopyd") &&
		   !strcmp(engines.list[1].value, "4"),
	   "cp: what the engines moved, of all targets");
	counters_free(&before);
	counters_free(&after);
	counters_free(&engines);
}

static void test_ways(void)
{
	struct counters before = { 0 };
	struct counters after = { 0 };
	struct counters ways = { 0 };

	counters_from_words(&before, "",
			    "copy_offload_bytes=5 copy_hole_bytes=1");
	counters_from_words(
		&after, "",
		"copy_offload_bytes=9 copy_hole_bytes=1 copy_splice_bytes=7 x=3");
	cp_ways(&ways, &before, &after);
	ok(ways.nr == 1 && !strcmp(ways.list[0].name, "offload") &&
		   !strcmp(ways.list[0].value, "4"),
	   "cp: what copy_file_range did, as far as the mount counts it");
	counters_free(&before);
	counters_free(&after);
	counters_free(&ways);
}

/* The same reason twice is one; there is an end to it. */
static void test_copy_reasons(void)
{
	static struct copy_report report;
	struct bpio_copy_result result = {
		.length = 10,
		.done_length = 10,
		.ordinary_length = 10,
		.why = BPIO_COPY_SHORT,
	};
	int32_t i;

	cp_count(&report, &result, -1, -1);
	cp_count(&report, &result, -1, -1);
	ok(report.reasons_nr == 1 && report.reasons[0].files == 2 &&
		   report.reasons[0].bytes == 20 &&
		   report.total.ordinary_length == 20,
	   "cp: files of one reason are counted together");
	result.why = BPIO_COPY_OFFLOADED;
	cp_count(&report, &result, -1, -1);
	ok(report.reasons_nr == 1 && report.total.done_length == 30,
	   "cp: no reason needs no reason");
	result.why = BPIO_COPY_REFUSED;
	for (i = 0; i < 2 * COPY_REASONS; i++) {
		result.status = i;
		cp_count(&report, &result, -1, -1);
	}
	ok(report.reasons_nr == COPY_REASONS &&
		   report.total.done_length == 30 + 20 * COPY_REASONS &&
		   report.reasons[COPY_REASONS - 1].files == COPY_REASONS + 2,
	   "cp: more reasons than there is room for");
}

int main(void)
{
	test_state_texts();
	test_suspended_state();
	test_state_lines();
	test_long_names();
	test_statuses();
	test_utf16();
	test_tokens();
	test_sizes();
	test_control();
	test_manage_bypass_io();
	test_offload();
	test_handles();
	test_storage();
	test_enable();
	test_counters();
	test_fdinfo();
	test_read_statistics();
	test_read_texts();
	test_altitudes();
	test_filter_list();
	test_instance_list();
	test_stats();
	test_copy_texts();
	test_engines();
	test_ways();
	test_copy_reasons();
	printf("1..%u\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
