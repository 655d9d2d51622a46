// SPDX-License-Identifier: GPL-2.0
/*
 * bpioctl: BypassIO and offloaded data transfer from the command line.
 *
 * Owns the table of commands and the parsing of their options; what a command
 * does is in cmd-*.c, how it looks in print-*.c.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "altitude.h"
#include "bpioctl.h"

#define JSON_KEY	   'j'
#define DEFAULT_BLOCK_SIZE (1u << 20)
#define MAX_HOLD	   1e9

#define READ_OPTIONS	 (OPT_OFFSET | OPT_LENGTH | OPT_BLOCK_SIZE)
#define TRANSFER_OPTIONS (OPT_OFFSET | OPT_LENGTH | OPT_TOKEN)

/* clang-format off */
#define OPERATION(command_name, code, extra_options, help_text) \
	{ \
		.group = "bypassio", .name = (command_name), \
		.operands = "PATH", .help = (help_text), \
		.options = OPT_SKIP_STORAGE | (extra_options), \
		.operands_min = 1, .operands_max = 1, \
		.operation = (code), .run = bypassio_operation, \
	}
#define STORAGE(command_name, code, help_text) \
	{ \
		.group = "storage", .name = (command_name), \
		.operands = "DEVICE", .help = (help_text), \
		.operands_min = 1, .operands_max = 1, \
		.operation = (code), .run = storage_operation, \
	}
#define CRYPT(command_name, code, help_text) \
	{ \
		.group = "crypt", .name = (command_name), \
		.operands = "FILE", .help = (help_text), \
		.operands_min = 1, .operands_max = 1, \
		.operation = (code), .run = crypt_file, \
	}

static const struct command commands[] = {
	{
		.group = "bypassio", .name = "state", .operands = "PATH...",
		.help = "say whether BypassIO works there, and who is in its way",
		.options = OPT_VERBOSE,
		.operands_min = 1, .operands_max = INT_MAX,
		.run = bypassio_state,
	},
	OPERATION("enable", FS_BPIO_OP_ENABLE, OPT_HOLD,
		  "enable BypassIO on one open of a file"),
	OPERATION("disable", FS_BPIO_OP_DISABLE, 0,
		  "disable BypassIO on one open of a file"),
	OPERATION("query", FS_BPIO_OP_QUERY, 0,
		  "ask whether ENABLE would be vetoed"),
	OPERATION("info", FS_BPIO_OP_GET_INFO, 0,
		  "show the enabled opens and the storage driver of a volume"),
	OPERATION("pause-volume", FS_BPIO_OP_VOLUME_STACK_PAUSE, 0,
		  "stop bypassing the volume and storage stack"),
	OPERATION("resume-volume", FS_BPIO_OP_VOLUME_STACK_RESUME, 0,
		  "bypass the volume and storage stack again"),
	OPERATION("pause-stream", FS_BPIO_OP_STREAM_PAUSE, 0,
		  "stop bypassing for one file"),
	OPERATION("resume-stream", FS_BPIO_OP_STREAM_RESUME, 0,
		  "bypass for one file again"),
	{
		.group = "bypassio", .name = "cat", .operands = "PATH",
		.help = "read a whole file through BypassIO",
		.operands_min = 1, .operands_max = 1,
		.run = bypassio_read,
	},
	{
		.group = "bypassio", .name = "read", .operands = "PATH",
		.help = "read a part of a file through BypassIO",
		.options = READ_OPTIONS,
		.operands_min = 1, .operands_max = 1,
		.run = bypassio_read,
	},
	{
		.group = "offload", .name = "read", .operands = "FILE",
		.help = "get a token for a range of a file",
		.options = TRANSFER_OPTIONS | OPT_TTL, .required = OPT_TOKEN,
		.operands_min = 1, .operands_max = 1,
		.run = offload_read,
	},
	{
		.group = "offload", .name = "write", .operands = "FILE",
		.help = "write the data of a token into a file",
		.options = TRANSFER_OPTIONS | OPT_TRANSFER_OFFSET,
		.required = OPT_TOKEN,
		.operands_min = 1, .operands_max = 1,
		.run = offload_write,
	},
	{
		.group = "offload", .name = "token", .operands = "FILE",
		.help = "show what is in a token file",
		.operands_min = 1, .operands_max = 1,
		.run = offload_token,
	},
	{
		.group = "cp", .operands = "SRC... DST",
		.help = "copy files by token where that works, else as usual",
		.options = OPT_RECURSIVE,
		.operands_min = 2, .operands_max = INT_MAX,
		.run = cp,
	},
	STORAGE("query", BPIO_OP_QUERY,
		"ask the storage layer whether ENABLE would be vetoed"),
	STORAGE("enable", BPIO_OP_ENABLE,
		"enable BypassIO in the storage layer, as a file system does"),
	STORAGE("disable", BPIO_OP_DISABLE,
		"disable BypassIO in the storage layer"),
	{
		.group = "storage", .name = "offload-descriptor",
		.operands = "DEVICE",
		.help = "show the copy offload limits of a device",
		.operands_min = 1, .operands_max = 1,
		.run = storage_descriptor,
	},
	{
		.group = "stats", .operands = "[DEVICE|MOUNT]",
		.help = "show the counters of both modules side by side",
		.options = OPT_WATCH,
		.operands_max = 1,
		.run = stats,
	},
	{
		.group = "filter", .name = "list", .operands = "",
		.help = "list the registered filters",
		.run = filter_list,
	},
	{
		.group = "filter", .name = "instances", .operands = "",
		.help = "list where filters are attached",
		.options = OPT_VOLUME,
		.run = filter_instances,
	},
	{
		.group = "filter", .name = "attach", .operands = "FILTER MOUNT",
		.help = "attach a filter to a mount",
		.options = OPT_ALTITUDE,
		.operands_min = 2, .operands_max = 2,
		.run = filter_attach,
	},
	{
		.group = "filter", .name = "detach", .operands = "FILTER MOUNT",
		.help = "detach a filter from a mount",
		.options = OPT_INSTANCE,
		.operands_min = 2, .operands_max = 2,
		.run = filter_detach,
	},
	CRYPT("encrypt", FILE_SET_ENCRYPTION,
	      "have the encrypting filter encrypt a file"),
	CRYPT("decrypt", FILE_CLEAR_ENCRYPTION,
	      "have the encrypting filter decrypt a file"),
};

/* The key of an option is its OPT_* bit plus this, clear of characters. */
#define LONG_KEY 0x10000

static const struct {
	unsigned int bit;
	struct argp_option option;
} options[] = {
	{ OPT_VERBOSE,
	  { "verbose", 'v', NULL, 0, "Say why a bypass is partial", 0 } },
	{ OPT_SKIP_STORAGE,
	  { "skip-storage", LONG_KEY + OPT_SKIP_STORAGE, NULL, 0,
	    "Leave the storage stack out of the question", 0 } },
	{ OPT_HOLD,
	  { "hold", LONG_KEY + OPT_HOLD, "SECONDS", 0,
	    "Keep the file open, and so enabled, that long", 0 } },
	{ OPT_OFFSET,
	  { "offset", LONG_KEY + OPT_OFFSET, "BYTES", 0,
	    "Where to begin in the file (default 0)", 0 } },
	{ OPT_LENGTH,
	  { "length", LONG_KEY + OPT_LENGTH, "BYTES", 0,
	    "How much (default: to the end of the file)", 0 } },
	{ OPT_BLOCK_SIZE,
	  { "block-size", LONG_KEY + OPT_BLOCK_SIZE, "BYTES", 0,
	    "How much in one read (default 1M)", 0 } },
	{ OPT_TTL,
	  { "ttl", LONG_KEY + OPT_TTL, "MS", 0,
	    "Life of the token (default: the device's)", 0 } },
	{ OPT_TRANSFER_OFFSET,
	  { "transfer-offset", LONG_KEY + OPT_TRANSFER_OFFSET, "BYTES", 0,
	    "Where to begin in the token's data (default 0)", 0 } },
	{ OPT_TOKEN,
	  { "token", LONG_KEY + OPT_TOKEN, "FILE", 0,
	    "Token file, 512 raw bytes", 0 } },
	{ OPT_WATCH,
	  { "watch", LONG_KEY + OPT_WATCH, "SECONDS", OPTION_ARG_OPTIONAL,
	    "Repeat until interrupted (default every second)", 0 } },
	{ OPT_VOLUME,
	  { "volume", 'v', "MOUNT", 0, "Of this mount only", 0 } },
	{ OPT_ALTITUDE,
	  { "altitude", LONG_KEY + OPT_ALTITUDE, "A", 0,
	    "Where, a decimal number (default: the filter's own)", 0 } },
	{ OPT_INSTANCE,
	  { "instance", LONG_KEY + OPT_INSTANCE, "NAME", 0,
	    "Which, when there are several", 0 } },
	{ OPT_RECURSIVE,
	  { "recursive", 'r', NULL, 0,
	    "Copy directories with all that is in them", 0 } },
};
/* clang-format on */

struct parsing {
	const struct command *command;
	struct args args;
	unsigned int given;
};

static void size_or_error(struct argp_state *state, const char *text,
			  uint64_t *size)
{
	if (!parse_size(text, size))
		argp_error(state, "not a size: %s", text);
}

static double seconds_or_error(struct argp_state *state, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0 ||
	    seconds > MAX_HOLD)
		argp_error(state, "not a number of seconds: %s", text);
	return seconds;
}

static uint32_t u32_or_error(struct argp_state *state, const char *text)
{
	uint64_t value;

	if (!decimal_u64(text, &value) || value > UINT32_MAX)
		argp_error(state, "not a number up to %u: %s", UINT32_MAX,
			   text);
	return (uint32_t)value;
}

static error_t parse_long(unsigned int bit, const char *text,
			  struct argp_state *state)
{
	struct parsing *parsing = state->input;
	struct args *args = &parsing->args;

	parsing->given |= bit;
	switch (bit) {
	case OPT_SKIP_STORAGE:
		args->skip_storage = true;
		break;
	case OPT_HOLD:
		args->hold = seconds_or_error(state, text);
		break;
	case OPT_OFFSET:
		size_or_error(state, text, &args->offset);
		break;
	case OPT_LENGTH:
		size_or_error(state, text, &args->length);
		break;
	case OPT_BLOCK_SIZE:
		size_or_error(state, text, &args->block_size);
		break;
	case OPT_TTL:
		args->ttl_ms = u32_or_error(state, text);
		break;
	case OPT_TRANSFER_OFFSET:
		size_or_error(state, text, &args->transfer_offset);
		break;
	case OPT_TOKEN:
		args->token = text;
		break;
	case OPT_WATCH:
		args->watch = text ? u32_or_error(state, text) : 1;
		if (!args->watch)
			argp_error(state, "--watch needs at least a second");
		break;
	case OPT_ALTITUDE:
		if (!altitude_valid(text))
			argp_error(state, "not an altitude: %s", text);
		args->altitude = text;
		break;
	case OPT_INSTANCE:
		args->instance = text;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void check_required(struct argp_state *state)
{
	const struct parsing *parsing = state->input;
	unsigned int missing = parsing->command->required & ~parsing->given;
	size_t i;

	if (parsing->args.operands_nr < parsing->command->operands_min)
		argp_error(state, "%s is missing", parsing->command->operands);
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].bit & missing)
			argp_error(state, "--%s is missing",
				   options[i].option.name);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	struct args *args = &parsing->args;

	switch (key) {
	case JSON_KEY:
		args->print = &print_json;
		return 0;
	case 'v':
		/* With an argument where it is offered with one. */
		args->volume = text;
		args->verbose = true;
		return 0;
	case 'r':
		args->recursive = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->operands_nr == parsing->command->operands_max)
			argp_error(state, "too many arguments");
		args->operands[args->operands_nr++] = text;
		return 0;
	case ARGP_KEY_END:
		check_required(state);
		return 0;
	default:
		return key >= LONG_KEY ?
			       parse_long((unsigned int)key - LONG_KEY, text,
					  state) :
			       ARGP_ERR_UNKNOWN;
	}
}

static int run(const struct command *command, int argc, char **argv)
{
	struct argp_option offered[ARRAY_SIZE(options) + 2] = { 0 };
	struct parsing parsing = {
		.command = command,
		.args = {
			.print = &print_text,
			.hold = -1,
			.length = UINT64_MAX,
			.block_size = DEFAULT_BLOCK_SIZE,
		},
	};
	const struct argp argp = {
		.options = offered,
		.parser = parse,
		.args_doc = command->operands,
		.doc = command->help,
	};
	size_t nr = 0;
	size_t i;
	int result;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (command->options & options[i].bit)
			offered[nr++] = options[i].option;
	offered[nr] = (struct argp_option){
		"json", JSON_KEY, NULL, 0, "One JSON object a line", 0,
	};
	parsing.args.operands = calloc((size_t)argc, sizeof(char *));
	if (!parsing.args.operands)
		return complain_errno(command->group, "start", ENOMEM);
	argp_parse(&argp, argc, argv, 0, NULL, &parsing);
	result = command->run(command, &parsing.args);
	free(parsing.args.operands);
	if (fflush(stdout) || ferror(stdout))
		result = complain_errno("standard output", "write", errno);
	return result;
}

static void usage(FILE *to)
{
	size_t i;

	fprintf(to, "Usage: bpioctl COMMAND [--json] [OPTION...] ARGUMENT...\n"
		    "BypassIO and offloaded data transfer.\n\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *row = &commands[i];
		int width = fprintf(to, "  %s %s%s%s", row->group,
				    row->name ? row->name : "",
				    row->name ? " " : "", row->operands);

		fprintf(to, "%*s%s\n", width < 38 ? 38 - width : 1, "",
			row->help);
	}
	fprintf(to,
		"\n`bpioctl COMMAND --help' tells its options, bpioctl(8) the rest.\n"
		"Exit code: 0 met what was asked, 1 refused or failed, 2 usage.\n");
}

static const struct command *find(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *row = &commands[i];

		if (strcmp(argv[1], row->group))
			continue;
		if (!row->name || (argc > 2 && !strcmp(argv[2], row->name)))
			return row;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *command;
	char name[64];
	int words;

	argp_err_exit_status = USAGE;
	if (argc == 2 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?"))) {
		usage(stdout);
		return DONE;
	}
	command = argc > 1 ? find(argc, argv) : NULL;
	if (!command) {
		if (argc > 1)
			complain(argv[1], "no such command%s%s",
				 argc > 2 ? ": " : "", argc > 2 ? argv[2] : "");
		usage(stderr);
		return USAGE;
	}
	words = command->name ? 2 : 1;
	snprintf(name, sizeof(name), "bpioctl %s%s%s", command->group,
		 command->name ? " " : "", command->name ? command->name : "");
	argv[words] = name;
	return run(command, argc - words, argv + words);
}
