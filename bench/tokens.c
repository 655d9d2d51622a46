// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-tokens mint TOKENS OFFSET BYTES DEVICE
 * bpio-tokens scale TOKENS PROBES DEVICE
 *
 * What tokens of 4 KiB of a device cost.
 *
 * mint: make so many, within so many bytes from there on; one number on
 * standard output, nanoseconds of the clock for one.
 *
 * scale: so many tokens live, each of a place of its own; and next to them one
 * more at a time is minted, looked up, redeemed, and killed by a write to its
 * place.  Then batches of tokens expire together, next to those that do not: of
 * all together, or next to few, the cost depends on when the table's worker comes
 * to shrink it.
 * On standard output a line for each: its name, and instructions.  Of one more
 * they are the median of single operations, but for the write that kills: with
 * that is counted what the machine executes in a round and in none of them as a
 * rule, since the memory of a token is freed later.  The rest are means of the
 * whole machine, see executed.h; of an expiry the median, less that of what it
 * executes anyway in that time.
 *
 * What the tokens occupy is the growth of SUnreclaim, VmallocUsed and Percpu in
 * /proc/meminfo: the kernel's objects with what lies between them, and tables.
 * Of few tokens that is the noise of others, and not told.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>
#include "control.h"
#include "executed.h"

#define LENGTH	  4096
#define SLOT	  (2 * LENGTH) /* of a token, and of one more between two */
#define ELSEWHERE (64 << 20)   /* where nothing but writes and copies go */
#define FEW	  1000
#define BATCHES	  25 /* that expire; the table shrinks in some of them */
#define TTL_MAX	  600000
#define SECOND	  1000000000ll

/* Action, its parameters, one range: see protocol 10. */
struct offload_read {
	struct device_dsm_input dsm;
	struct device_dsm_offload_read_parameters parameters;
	uint32_t pad;
	struct device_dsm_range range;
};

struct offload_write {
	struct device_dsm_input dsm;
	uint32_t pad;
	struct device_dsm_offload_write_parameters parameters;
	struct device_dsm_range range;
};

static const char *device;
static int fd, carrier, mapper;
static unsigned long held, probes;
static char buffer[LENGTH] __attribute__((aligned(LENGTH)));

static void mint(uint64_t offset, uint32_t ttl_ms,
		 struct storage_offload_token *token)
{
	const struct offload_read in = {
		.dsm.size = sizeof(in.dsm),
		.dsm.action = DEVICE_DSM_ACTION_OFFLOAD_READ,
		.dsm.parameter_block_offset = offsetof(typeof(in), parameters),
		.dsm.parameter_block_length = sizeof(in.parameters),
		.dsm.data_set_ranges_offset = offsetof(typeof(in), range),
		.dsm.data_set_ranges_length = sizeof(in.range),
		.parameters.time_to_live = ttl_ms,
		.range.starting_offset = (int64_t)offset,
		.range.length_in_bytes = LENGTH,
	};
	struct storage_offload_read_output out;

	expect("OffloadRead",
	       control(carrier, IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES, &in,
		       sizeof(in), &out, sizeof(out), fd),
	       STATUS_SUCCESS);
	*token = out.token;
}

/* Of what the token stands for from @from on. */
static uint32_t redeem(const struct storage_offload_token *token, uint64_t from,
		       uint64_t offset)
{
	struct offload_write in = {
		.dsm.size = sizeof(in.dsm),
		.dsm.action = DEVICE_DSM_ACTION_OFFLOAD_WRITE,
		.dsm.parameter_block_offset = offsetof(typeof(in), parameters),
		.dsm.parameter_block_length = sizeof(in.parameters),
		.dsm.data_set_ranges_offset = offsetof(typeof(in), range),
		.dsm.data_set_ranges_length = sizeof(in.range),
		.parameters.token_offset = from,
		.range.starting_offset = (int64_t)offset,
		.range.length_in_bytes = LENGTH,
	};
	struct storage_offload_write_output out;

	in.parameters.token = *token;
	return control(carrier, IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES, &in,
		       sizeof(in), &out, sizeof(out), fd);
}

/* A redemption that ends once the token is found: nothing lies behind its end. */
static uint32_t look_up(const struct storage_offload_token *token)
{
	return redeem(token, LENGTH, 0);
}

static void write_to(uint64_t offset)
{
	if (pwrite(fd, buffer, LENGTH, (off_t)offset) != LENGTH)
		die("pwrite", errno);
}

/* ---- places -------------------------------------------------------------- */

static uint64_t place_of(unsigned long n)
{
	return ELSEWHERE + (uint64_t)n * SLOT;
}

/* Spread over those that are held, between two of them. */
static uint64_t probe_place(unsigned long n)
{
	const unsigned long stride = held > probes ? held / probes : 1;

	return place_of(n % probes * stride) + LENGTH;
}

static uint64_t elsewhere(unsigned long n)
{
	return (uint64_t)n * 7919 % (ELSEWHERE / LENGTH) * LENGTH;
}

/* ---- the machine --------------------------------------------------------- */

/* Not by dmsetup: to start a program takes time of the tokens' lives. */
static long live_tokens(void)
{
	static struct {
		struct dm_ioctl head;
		char room[4096];
	} request;
	struct dm_ioctl *head = &request.head;
	const char *at;

	memset(&request, 0, sizeof(request));
	head->version[0] = DM_VERSION_MAJOR;
	head->data_size = sizeof(request);
	head->data_start = sizeof(*head);
	snprintf(head->name, sizeof(head->name), "%s", device);
	if (ioctl(mapper, DM_TABLE_STATUS, head))
		die("DM_TABLE_STATUS", errno);
	at = (char *)head + head->data_start + sizeof(struct dm_target_spec);
	at = strstr(at, " tokens=");
	if (!at)
		die("the table's status", EIO);
	return strtol(at + strlen(" tokens="), NULL, 10);
}

static void check_live(unsigned long wanted)
{
	const long live = live_tokens();

	if (live == (long)wanted)
		return;
	fprintf(stderr, "bpio-tokens: %ld live tokens, not %lu\n", live,
		wanted);
	exit(1);
}

/* Once what was freed of late is free. */
static int64_t kernel_memory(void)
{
	int64_t kib, sum = 0;
	char line[256];
	FILE *info;

	executed_waiting(SECOND);
	info = fopen("/proc/meminfo", "re");
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "SUnreclaim: %" SCNd64, &kib) == 1 ||
		    sscanf(line, "VmallocUsed: %" SCNd64, &kib) == 1 ||
		    sscanf(line, "Percpu: %" SCNd64, &kib) == 1)
			sum += kib << 10;
	if (!info || !sum)
		die("/proc/meminfo", EIO);
	fclose(info);
	return sum;
}

static void report(const char *what, int64_t sum, unsigned long times)
{
	printf("%s %" PRId64 "\n", what,
	       (sum + (int64_t)times / 2) / (int64_t)times);
}

/* ---- what is measured ---------------------------------------------------- */

/* Longer than it takes to mint them all and to measure what follows. */
static uint32_t ttl_of_held(void)
{
	const unsigned long ms = 60000 + held / 10;

	return ms < TTL_MAX ? (uint32_t)ms : TTL_MAX;
}

static void mint_held(void)
{
	struct storage_offload_token token;
	unsigned long n;

	for (n = 0; n < held; n++)
		mint(place_of(n), ttl_of_held(), &token);
}

static void hold(void)
{
	struct executed began;
	int64_t cost, memory;

	memory = kernel_memory();
	executed_begin(&began);
	mint_held();
	cost = executed_since(&began);
	memory = kernel_memory() - memory;
	check_live(held);
	if (held < FEW)
		return;
	report("bytes of kernel memory", memory, held);
	report("mint of all", cost, held);
}

enum { MINT, LOOK_UP, REDEEM, KILL, WRITE, CHECK, STEPS };

/* One more token at a time.  Return: what a round costs. */
static int64_t rounds(int64_t *costs[STEPS])
{
	struct storage_offload_token token;
	struct executed before;
	int64_t t[STEPS + 1];
	unsigned long n;
	unsigned int i;

	executed_begin(&before);
	for (n = 0; n < probes; n++) {
		t[MINT] = executed_clock();
		mint(probe_place(n), ttl_of_held(), &token);
		t[LOOK_UP] = executed_clock();
		expect("look-up", look_up(&token), STATUS_DATA_OVERRUN);
		t[REDEEM] = executed_clock();
		expect("redeem", redeem(&token, 0, elsewhere(n)),
		       STATUS_SUCCESS);
		t[KILL] = executed_clock();
		write_to(probe_place(n));
		t[WRITE] = executed_clock();
		write_to(elsewhere(n));
		t[CHECK] = executed_clock();
		expect("dead", look_up(&token), STATUS_INVALID_TOKEN);
		t[STEPS] = executed_clock();
		for (i = 0; i < STEPS; i++)
			costs[i][n] = t[i + 1] - t[i];
	}
	return executed_since(&before) / (int64_t)probes;
}

static void one_more(void)
{
	static const char *const names[STEPS] = {
		"mint",
		"look-up",
		"redemption",
		"write that kills one",
		"write elsewhere",
	};
	int64_t *costs[STEPS], median[STEPS], later;
	unsigned int i;

	for (i = 0; i < STEPS; i++) {
		costs[i] = calloc(probes, sizeof(**costs));
		if (!costs[i])
			die("memory", ENOMEM);
	}
	rounds(costs); /* what lies below allocates, and never again */
	later = rounds(costs);
	for (i = 0; i < STEPS; i++) {
		median[i] = executed_median(costs[i], probes);
		later -= median[i];
		free(costs[i]);
	}
	median[KILL] += later;
	for (i = 0; i < CHECK; i++)
		report(names[i], median[i], 1);
	check_live(held);
}

/* The wheel of timers is late by an eighth at most. */
static int64_t until_expired(uint32_t ttl_ms)
{
	return ttl_ms * (SECOND / 1000) * 5 / 4;
}

static void expire_probes(void)
{
	const uint32_t ttl_ms = 500;
	struct storage_offload_token token;
	int64_t costs[BATCHES], idle[BATCHES];
	unsigned long n;
	int i;

	for (i = 0; i < BATCHES; i++) {
		for (n = 0; n < probes; n++)
			mint(probe_place(n), ttl_ms, &token);
		check_live(held + probes);
		costs[i] = executed_waiting(until_expired(ttl_ms));
		check_live(held);
		idle[i] = executed_waiting(until_expired(ttl_ms));
	}
	report("expiry",
	       executed_median(costs, BATCHES) - executed_median(idle, BATCHES),
	       probes);
}

static void scale(void)
{
	hold();
	one_more();
	if (held >= FEW)
		expire_probes();
}

static void mint_many(unsigned long tokens, uint64_t offset, uint64_t region)
{
	struct storage_offload_token token;
	const int64_t began = executed_clock();
	unsigned long n;

	for (n = tokens; n--;)
		mint(offset + (uint64_t)n * LENGTH % region, TTL_MAX, &token);
	printf("%" PRId64 "\n", (executed_clock() - began) / (int64_t)tokens);
}

static int open_file(const char *path, int flags)
{
	const int file = open(path, flags | O_CLOEXEC);

	if (file < 0)
		die(path, errno);
	return file;
}

static void open_all(const char *path)
{
	const char *slash = strrchr(path, '/');

	device = slash ? slash + 1 : path;
	fd = open_file(path, O_RDWR | O_DIRECT);
	carrier = open_file("/dev/bpio", O_RDWR);
	mapper = open_file("/dev/mapper/control", O_RDWR);
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "mint") && number(argv[2]) &&
	    number(argv[4]) >= LENGTH) {
		open_all(argv[5]);
		mint_many(number(argv[2]), number(argv[3]), number(argv[4]));
		return 0;
	}
	held = argc == 5 ? number(argv[2]) : 0;
	probes = argc == 5 ? number(argv[3]) : 0;
	if (!held || !probes || strcmp(argv[1], "scale")) {
		fprintf(stderr,
			"bpio-tokens: see the head of bench/tokens.c\n");
		return 2;
	}
	open_all(argv[4]);
	scale();
	return 0;
}
