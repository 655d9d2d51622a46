// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-verify: files whose contents tell where they belong, and reads that
 * check it.
 *
 *   poison PATH [BYTES]            fill a device with what no file may show
 *   fill FILE ID BYTES [GENERATION [OFFSET]]   O_DIRECT, size set at the end
 *   interleave FILE FILE N [SIZE]  N pieces each, of file 1 and 2, in turns
 *   extents FILE N                 the byte where the Nth extent ends
 *   check [OPTION...] FILE ID...   every sector is one of the files' own
 *   noise FILE BYTES SEED          a file of random bytes, always the same
 *   put DEVICE AT FILE [FROM [LENGTH]]   writes that part of the file there
 *   part FILE FROM LENGTH TO       a file of that part of a file
 *   same DEVICE AT FILE [FROM [LENGTH]]  is that part of the file there?
 *   race [OPTION...] DIR           changes against readers, see race.c
 *   move [OPTION...] FILE ID       moved extents under readers, see move.c
 *   fsx [OPTION...] FILE           random operations on one file, see fsx.c
 *   held [OPTION...] FILE ID       a page fault held between two bios, see held.c
 *   unmap [OPTION...] FILE         pages removed through a mapping that goes away,
 *                                  see unmap.c
 *   remap [OPTION...] FILE CLONE   a mapping replaced by remap_file_pages(2), see
 *                                  remap.c
 *
 * check: -e enable BypassIO first; -E sync|vector|aio|uring|fixed|poll; -b BLOCK;
 * -q DEPTH; -r random order and lengths, -n READS of them; -z zeros are good;
 * -c buffered; -o OFFSET -l LENGTH; -g GENERATION at least; -s prints how many
 * sectors belong to whom; -m BYTES the contents begin anew after each of these.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/bpio.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include "tools.h"
#include "verify.h"

#define CHUNK	(1 << 20)
#define MAX_IDS 8

void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "bpio-verify: ");
	vfprintf(stderr, format, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(2);
}

uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end == 'K' || *end == 'M')
		value <<= *end++ == 'K' ? 10 : 20;
	if (*end || end == text)
		die("%s: not a number", text);
	return value;
}

int32_t enable_bypass(int fd, const char *path)
{
	struct fs_bpio_input in = { .operation = FS_BPIO_OP_ENABLE };
	struct fs_bpio_output out = { 0 };
	struct bpio_control control = {
		.code = FSCTL_MANAGE_BYPASS_IO,
		.input = (uintptr_t)&in,
		.input_length = sizeof(in),
		.output = (uintptr_t)&out,
		.output_length = sizeof(out),
		.device_fd = -1,
	};

	if (ioctl(fd, BPIO_IOC_CONTROL, &control))
		die("%s: BPIO_IOC_CONTROL: %s", path, strerror(errno));
	if (control.status)
		die("%s: ENABLE: 0x%08x", path, (unsigned int)control.status);
	return out.enable.op_status;
}

static int poison(int argc, char **argv)
{
	uint64_t length = 0, at = 0;
	struct stat st;
	void *buffer;
	int fd;

	if (argc < 2 || posix_memalign(&buffer, 4096, CHUNK))
		die("poison PATH [BYTES]");
	fd = open(argv[1], O_WRONLY | O_DIRECT);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", argv[1], strerror(errno));
	if (argc > 2)
		length = number(argv[2]);
	else if (!S_ISBLK(st.st_mode))
		length = (uint64_t)st.st_size;
	else if (ioctl(fd, BLKGETSIZE64, &length))
		die("%s: BLKGETSIZE64: %s", argv[1], strerror(errno));
	while (at < length) {
		size_t part = length - at < CHUNK ? length - at : CHUNK;

		pattern_poison(buffer, part, at);
		if (pwrite(fd, buffer, part, (off_t)at) != (ssize_t)part)
			die("%s: write: %s", argv[1], strerror(errno));
		at += part;
	}
	free(buffer);
	return close(fd);
}

static int fill(int argc, char **argv)
{
	uint64_t id, length, offset, at, end, generation;
	size_t limit = CHUNK;
	void *buffer;
	int fd;

	if (argc < 4 || posix_memalign(&buffer, 4096, CHUNK))
		die("fill FILE ID BYTES [GENERATION [OFFSET]]");
	id = number(argv[2]);
	length = number(argv[3]);
	generation = argc > 4 ? number(argv[4]) : 1;
	offset = argc > 5 ? number(argv[5]) : 0;
	fd = open(argv[1], O_RDWR | O_CREAT | O_DIRECT, 0666);
	if (fd < 0)
		die("%s: %s", argv[1], strerror(errno));
	end = offset + ((length + 4095) & ~4095ull);
	for (at = offset; at < end;) {
		size_t part = end - at < limit ? end - at : limit;
		ssize_t n;

		pattern_fill(buffer, part, id, at, generation);
		n = pwrite(fd, buffer, part, (off_t)at);
		if (n < 0 && errno == ENOSPC && limit > 4096) {
			limit /= 2; /* to the last block */
			continue;
		}
		if (n <= 0 || n % 4096)
			die("%s: write: %s", argv[1],
			    n < 0 ? strerror(errno) : "short");
		at += (uint64_t)n;
	}
	if (argc <= 5 && ftruncate(fd, (off_t)length))
		die("%s: ftruncate: %s", argv[1], strerror(errno));
	if (fsync(fd))
		die("%s: fsync: %s", argv[1], strerror(errno));
	free(buffer);
	return close(fd);
}

/* Two files, a piece of this and a piece of that: none joins its neighbour. */
static int interleave(int argc, char **argv)
{
	size_t size = argc > 4 ? number(argv[4]) : 4096;
	uint64_t nr, at;
	void *buffer;
	int i, fds[2];

	if (argc < 4 || posix_memalign(&buffer, 4096, size))
		die("interleave FILE FILE N [SIZE]");
	nr = number(argv[3]);
	for (i = 0; i < 2; i++) {
		fds[i] = open(argv[1 + i], O_RDWR | O_CREAT | O_DIRECT, 0666);
		if (fds[i] < 0)
			die("%s: %s", argv[1 + i], strerror(errno));
	}
	for (at = 0; at < nr * size; at += size) {
		for (i = 0; i < 2; i++) {
			pattern_fill(buffer, size, (uint64_t)i + 1, at, 1);
			if (pwrite(fds[i], buffer, size, (off_t)at) !=
			    (ssize_t)size)
				die("%s: write: %s", argv[1 + i],
				    strerror(errno));
		}
	}
	fsync(fds[0]);
	free(buffer);
	close(fds[1]);
	return close(fds[0]);
}

/* Where the Nth run of blocks ends that lie in a row on the device. */
static int extents(int argc, char **argv)
{
	const unsigned int room = 1000;
	struct fiemap *map;
	uint64_t next = 0;
	unsigned int i, n = 0, wanted;
	int fd;

	if (argc < 3)
		die("extents FILE N");
	wanted = (unsigned int)number(argv[2]);
	map = calloc(1, sizeof(*map) + room * sizeof(map->fm_extents[0]));
	fd = open(argv[1], O_RDONLY);
	if (!map || fd < 0)
		die("%s: %s", argv[1], strerror(errno));
	map->fm_length = FIEMAP_MAX_OFFSET;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = room;
	if (ioctl(fd, FS_IOC_FIEMAP, map))
		die("%s: FIEMAP: %s", argv[1], strerror(errno));
	for (i = 0; i < map->fm_mapped_extents; i++) {
		const struct fiemap_extent *e = &map->fm_extents[i];

		if (i && e->fe_physical != next && n++ == wanted - 1) {
			printf("%" PRIu64 "\n", (uint64_t)e->fe_logical);
			return close(fd);
		}
		if (!i)
			n = 0;
		next = e->fe_physical + e->fe_length;
	}
	fprintf(stderr, "%s: %u extents\n", argv[1], n + 1);
	close(fd);
	return 1;
}

struct check {
	const char *path;
	uint64_t ids[MAX_IDS], sectors[MAX_IDS], zeros;
	unsigned int ids_nr;
	bool zero_ok;
	uint64_t generation, modulus;
	unsigned int bad;
};

static void check_buffer(struct check *c, const char *buffer, size_t length,
			 uint64_t offset)
{
	size_t at, part;
	unsigned int i;

	for (at = 0; at < length; at += part) {
		enum pattern_verdict verdict = PATTERN_BAD;
		const char *sector = buffer + at;

		part = length - at < PATTERN_SECTOR ? length - at :
						      PATTERN_SECTOR;
		for (i = 0; i < c->ids_nr; i++) {
			verdict = pattern_check(sector, part, c->ids[i],
						(offset + at) % c->modulus);
			if (verdict != PATTERN_BAD)
				break;
		}
		if (verdict == PATTERN_OK &&
		    (part < 32 ||
		     pattern_generation(sector) >= c->generation)) {
			c->sectors[i]++;
			continue;
		}
		if (verdict == PATTERN_ZERO && c->zero_ok) {
			c->zeros++;
			continue;
		}
		if (c->bad++ < 5)
			printf("%s: byte %" PRIu64 ": %s\n", c->path,
			       offset + (uint64_t)at,
			       pattern_describe(sector, part));
	}
}

static int check(int argc, char **argv)
{
	struct engine_read reads[ENGINE_MAX_DEPTH];
	uint64_t offset = 0, length = UINT64_MAX, at, end, left = 0;
	bool enable = false, random_order = false, show = false;
	unsigned int depth = 1, nr = 0, i, count = 0;
	struct check c = { .modulus = 1ull << 63 };
	int kind = ENGINE_SYNC, mode = O_DIRECT;
	size_t block = 256 << 10;
	struct engine *engine;
	struct stat st;
	int fd, opt;

	while ((opt = getopt(argc, argv, "eE:b:q:rn:zco:l:g:m:s")) != -1) {
		switch (opt) {
		case 'e':
			enable = true;
			break;
		case 'E':
			kind = engine_by_name(optarg);
			break;
		case 'b':
			block = number(optarg);
			break;
		case 'q':
			depth = (unsigned int)number(optarg);
			break;
		case 'r':
			random_order = true;
			break;
		case 'n':
			count = (unsigned int)number(optarg);
			break;
		case 'z':
			c.zero_ok = true;
			break;
		case 'c':
			mode = 0;
			break;
		case 'o':
			offset = number(optarg);
			break;
		case 'l':
			length = number(optarg);
			break;
		case 'g':
			c.generation = number(optarg);
			break;
		case 'm':
			c.modulus = number(optarg);
			break;
		case 's':
			show = true;
			break;
		default:
			die("unknown option");
		}
	}
	if (argc - optind < 2 || argc - optind > MAX_IDS + 1 || kind < 0 ||
	    depth < 1 || depth > ENGINE_MAX_DEPTH || block % 512 ||
	    !c.modulus || c.modulus % 512)
		die("check [OPTION...] FILE ID...");
	c.path = argv[optind];
	while (++optind < argc)
		c.ids[c.ids_nr++] = number(argv[optind]);
	fd = open(c.path, O_RDONLY | mode);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", c.path, strerror(errno));
	if (enable)
		enable_bypass(fd, c.path);
	engine = engine_new((enum engine_kind)kind, depth * block);
	end = (uint64_t)st.st_size;
	if (offset > end)
		die("%s: the offset is past its end", c.path);
	if (length < end - offset)
		end = offset + length;
	at = offset;
	if (random_order)
		left = count;
	while (random_order ? left : at < end) {
		for (nr = 0; nr < depth; nr++) {
			struct engine_read *r = &reads[nr];

			if (random_order ? !left : at >= end)
				break;
			r->buffer = (char *)engine_pool(engine) + nr * block;
			r->length = block;
			if (random_order) {
				uint64_t sectors = (end - offset + 511) / 512;

				left--;
				r->length = 512 * (1 + (uint64_t)random() %
							       (block / 512));
				r->offset = (off_t)(offset +
						    512 * ((uint64_t)random() %
							   sectors));
			} else {
				r->offset = (off_t)at;
				at += block;
			}
		}
		engine_run(engine, fd, reads, nr);
		for (i = 0; i < nr; i++) {
			struct engine_read *r = &reads[i];
			uint64_t there = (uint64_t)(st.st_size - r->offset);
			size_t want = r->length < there ? r->length : there;

			if (r->result < 0)
				die("%s: read at %jd: %s", c.path,
				    (intmax_t)r->offset,
				    strerror(-(int)r->result));
			if ((size_t)r->result != want)
				die("%s: read at %jd: %zd bytes of %zu", c.path,
				    (intmax_t)r->offset, r->result, want);
			if (!random_order && end - (uint64_t)r->offset < want)
				want = end - (uint64_t)r->offset;
			check_buffer(&c, r->buffer, want, (uint64_t)r->offset);
		}
	}
	if (show) {
		printf("zero %" PRIu64, c.zeros);
		for (i = 0; i < c.ids_nr; i++)
			printf(" %" PRIu64 ": %" PRIu64, c.ids[i],
			       c.sectors[i]);
		printf("\n");
	}
	if (c.bad)
		printf("%s: %u bad sectors\n", c.path, c.bad);
	engine_free(engine);
	close(fd);
	return c.bad ? 1 : 0;
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} words[] = {
	{ "check", check },    { "extents", extents },
	{ "fill", fill },      { "fsx", fsx },
	{ "held", held },      { "interleave", interleave },
	{ "move", move },      { "noise", data_noise },
	{ "part", data_part }, { "poison", poison },
	{ "put", data_put },   { "race", race },
	{ "remap", remap },    { "same", data_same },
	{ "unmap", unmap },
};

int verify_main(int argc, char **argv)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		die("a word is missing");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].name, argv[1]))
			return words[i].main(argc - 1, argv + 1);
	die("%s: unknown", argv[1]);
}
