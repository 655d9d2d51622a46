// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-verify race [-s SECONDS] [-f FILES] [-t READERS] [-S SEED] [-p] DIR
 *
 * One thread a file changes it in every way that moves, frees or rewrites
 * blocks, knows what the file must hold after each step, and reads it back
 * through an enabled open: that has to be exact.  Readers of other opens run
 * against it meanwhile by every interface: what they get has to be the file's
 * own data of any age, or zeros; never another file's and never a freed
 * block's.  In between, files of foreign data are written and deleted, so that
 * freed blocks are full of it.  -p: VOLUME_STACK_PAUSE and STREAM_PAUSE too.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpio.h>
#include "verify.h"

#define FILE_SECTORS 4096 /* 2 MiB at most */
#define FOREIGN	     900000
#define MAX_FILES    8
#define MAX_READERS  16
#define READ_MAX     (128 << 10)

struct subject {
	unsigned int number;
	uint64_t id;
	char name[2][256];
	int direct, buffered; /* of the changer */
	int reading;	      /* enabled, of the changer */
	uint32_t sectors;     /* size */
	uint32_t generation;
	uint32_t state[FILE_SECTORS]; /* generation, 0: zeros */
	char *buffer;
	unsigned int random;
	uint64_t steps;
	char last[64];
};

static struct subject subjects[MAX_FILES];
static unsigned int subjects_nr = 3, readers_nr = 4, seed = 1;
static double seconds = 10;
static bool pauses;
static atomic_bool stop;
static atomic_uint bad;
static atomic_ulong reads_done, bytes_read;

static void report(const char *who, const char *name, uint64_t at,
		   const char *what, const char *last)
{
	if (atomic_fetch_add(&bad, 1) < 10)
		printf("%s: %s: byte %" PRIu64 ": %s (last step: %s)\n", who,
		       name, at, what, last);
	atomic_store(&stop, true);
}

static uint32_t pick(unsigned int *state, uint32_t below)
{
	return (uint32_t)rand_r(state) % below;
}

static int open_enabled(const char *name, const char *other)
{
	int fd;

	/* it may be between its two names */
	do {
		fd = open(name, O_RDONLY | O_DIRECT);
		if (fd < 0)
			fd = open(other, O_RDONLY | O_DIRECT);
	} while (fd < 0 && errno == ENOENT && !atomic_load(&stop));
	if (fd < 0 && !atomic_load(&stop))
		die("%s: %s", name, strerror(errno));
	if (fd >= 0)
		enable_bypass(fd, name);
	return fd;
}

/* ---- the changer ---------------------------------------------------------- */

static void expect(const struct subject *s, bool ok, const char *what)
{
	if (!ok)
		die("%s: %s: %s", s->name[0], what, strerror(errno));
}

/* Exact, through the bypass. */
static void read_back(struct subject *s, uint32_t first, uint32_t nr)
{
	uint32_t i;
	ssize_t got;

	if (first >= s->sectors)
		return;
	if (nr > s->sectors - first)
		nr = s->sectors - first;
	got = pread(s->reading, s->buffer, (size_t)nr * 512,
		    (off_t)first * 512);
	if (got != (ssize_t)nr * 512) {
		report("read back", s->name[0], (uint64_t)first * 512,
		       got < 0 ? strerror(errno) : "short", s->last);
		return;
	}
	for (i = 0; i < nr; i++) {
		const char *sector = s->buffer + (size_t)i * 512;
		const uint64_t at = (uint64_t)(first + i) * 512;
		const uint32_t want = s->state[first + i];
		enum pattern_verdict verdict =
			pattern_check(sector, 512, s->id, at);

		if (want ? verdict != PATTERN_OK ||
				    pattern_generation(sector) != want :
			   verdict != PATTERN_ZERO) {
			char text[256];

			snprintf(text, sizeof(text),
				 "want generation %" PRIu32 ", got %s", want,
				 pattern_describe(sector, 512));
			report("read back", s->name[0], at, text, s->last);
			return;
		}
	}
}

static void set_state(struct subject *s, uint32_t first, uint32_t nr,
		      uint32_t generation)
{
	while (nr--)
		s->state[first++] = generation;
}

static void put(struct subject *s, bool direct, uint32_t first, uint32_t nr)
{
	s->generation++;
	pattern_fill(s->buffer, (size_t)nr * 512, s->id, (uint64_t)first * 512,
		     s->generation);
	expect(s,
	       pwrite(direct ? s->direct : s->buffered, s->buffer,
		      (size_t)nr * 512,
		      (off_t)first * 512) == (ssize_t)nr * 512,
	       "write");
	set_state(s, first, nr, s->generation);
	if (first + nr > s->sectors)
		s->sectors = first + nr;
}

/* No holes, nobody who reads it through the cache. */
static void fill_directly(struct subject *s)
{
	close(s->buffered);
	put(s, true, 0, FILE_SECTORS);
	s->buffered = open(s->name[0], O_RDWR);
	expect(s, s->buffered >= 0, s->name[0]);
}

/* A range in whole blocks, so that every device takes it. */
static void pick_range(struct subject *s, uint32_t limit, uint32_t *first,
		       uint32_t *nr)
{
	*first = pick(&s->random, limit / 8) * 8;
	*nr = (1 + pick(&s->random, 32)) * 8;
	if (*nr > limit - *first)
		*nr = limit - *first;
}

static void foreign_data(struct subject *s)
{
	char name[300];
	size_t length = 256 << 10;
	int fd;

	snprintf(name, sizeof(name), "%s.foreign", s->name[0]);
	fd = open(name, O_RDWR | O_CREAT | O_DIRECT, 0666);
	expect(s, fd >= 0, name);
	pattern_fill(s->buffer, length, FOREIGN + s->id, 0, s->generation);
	expect(s, pwrite(fd, s->buffer, length, 0) == (ssize_t)length, name);
	close(fd);
	unlink(name);
}

static void control(int fd, uint32_t operation)
{
	struct fs_bpio_input in = { .operation = operation };
	struct fs_bpio_output out;
	struct bpio_control c = {
		.code = FSCTL_MANAGE_BYPASS_IO,
		.input = (uintptr_t)&in,
		.input_length = sizeof(in),
		.output = (uintptr_t)&out,
		.output_length = sizeof(out),
		.device_fd = -1,
	};

	if (ioctl(fd, BPIO_IOC_CONTROL, &c) || c.status)
		die("operation %" PRIu32 ": 0x%08x", operation,
		    (unsigned int)c.status);
}

static void step(struct subject *s)
{
	const uint32_t kinds = pauses ? 14 : 12;
	uint32_t first = 0, nr = FILE_SECTORS, to;
	uint32_t kind = pick(&s->random, kinds);

	if (s->sectors < 64)
		kind = 3;
	switch (kind) {
	case 0:
	case 1:
		pick_range(s, s->sectors, &first, &nr);
		snprintf(s->last, sizeof(s->last), "direct %u+%u", first, nr);
		put(s, true, first, nr);
		break;
	case 2:
		pick_range(s, s->sectors, &first, &nr);
		snprintf(s->last, sizeof(s->last), "cached %u+%u", first, nr);
		put(s, false, first, nr);
		if (pick(&s->random, 2))
			fdatasync(s->buffered);
		break;
	case 3: /* append */
		first = s->sectors & ~7u;
		nr = (8 + pick(&s->random, 32)) * 8;
		if (nr > FILE_SECTORS - first)
			nr = FILE_SECTORS - first;
		if (!nr)
			break;
		snprintf(s->last, sizeof(s->last), "append %u+%u", first, nr);
		put(s, pick(&s->random, 2), first, nr);
		break;
	case 4: /* shorter */
		to = pick(&s->random, s->sectors);
		snprintf(s->last, sizeof(s->last), "shorten to %u", to);
		expect(s, !ftruncate(s->direct, (off_t)to * 512), "ftruncate");
		set_state(s, to, FILE_SECTORS - to, 0);
		s->sectors = to;
		break;
	case 5: /* longer, without data */
		to = s->sectors +
		     pick(&s->random, FILE_SECTORS - s->sectors + 1);
		snprintf(s->last, sizeof(s->last), "lengthen %u to %u",
			 s->sectors, to);
		expect(s, !ftruncate(s->direct, (off_t)to * 512), "ftruncate");
		s->sectors = to;
		break;
	case 6:
	case 7: {
		const int mode =
			kind == 6 ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE :
				    FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;

		pick_range(s, s->sectors, &first, &nr);
		if (pick(&s->random, 2) && nr > 16) { /* parts of blocks */
			first++;
			nr -= 2;
		}
		snprintf(s->last, sizeof(s->last), "%s %u+%u",
			 kind == 6 ? "punch" : "zero", first, nr);
		expect(s,
		       !fallocate(s->direct, mode, (off_t)first * 512,
				  (off_t)nr * 512),
		       "fallocate");
		set_state(s, first, nr, 0);
		break;
	}
	case 8: /* preallocate */
		pick_range(s, FILE_SECTORS, &first, &nr);
		snprintf(s->last, sizeof(s->last), "allocate %u+%u", first, nr);
		expect(s,
		       !fallocate(s->direct, FALLOC_FL_KEEP_SIZE,
				  (off_t)first * 512, (off_t)nr * 512),
		       "fallocate");
		break;
	case 9:
		snprintf(s->last, sizeof(s->last), "rename");
		expect(s, !rename(s->name[0], s->name[1]), "rename");
		expect(s, !rename(s->name[1], s->name[0]), "rename");
		break;
	case 10:
		snprintf(s->last, sizeof(s->last), "foreign data");
		foreign_data(s);
		break;
	case 11: /* read by a mapping of a moment */
		snprintf(s->last, sizeof(s->last), "mapped read");
		{
			char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED,
					 s->buffered, 0);

			expect(s, map != MAP_FAILED, "mmap");
			if (pattern_check(map, 512, s->id, 0) == PATTERN_BAD)
				report("mapping", s->name[0], 0,
				       pattern_describe(map, 512), s->last);
			munmap(map, 4096);
		}
		break;
	case 12:
		/* a file that would be bypassed, so that the pause is why not */
		snprintf(s->last, sizeof(s->last), "volume pause");
		fill_directly(s);
		control(s->reading, FS_BPIO_OP_VOLUME_STACK_PAUSE);
		read_back(s, 0, 256);
		control(s->reading, FS_BPIO_OP_VOLUME_STACK_RESUME);
		break;
	case 13:
		snprintf(s->last, sizeof(s->last), "stream pause");
		fill_directly(s);
		control(s->direct, FS_BPIO_OP_STREAM_PAUSE);
		read_back(s, 0, 256);
		control(s->direct, FS_BPIO_OP_STREAM_RESUME);
		break;
	}
	/* around the change, and anywhere */
	read_back(s, first & ~7u, nr + 8 < 256 ? (nr + 15) & ~7u : 256);
	read_back(s, pick(&s->random, s->sectors / 8 + 1) * 8, 64);
	s->steps++;
	/* the cached open makes way for the bypass every other step */
	if (pick(&s->random, 2)) {
		close(s->buffered);
		s->buffered = open(s->name[0], O_RDWR);
		expect(s, s->buffered >= 0, s->name[0]);
	}
}

static void *changer(void *arg)
{
	struct subject *s = arg;

	while (!atomic_load(&stop))
		step(s);
	return NULL;
}

/* ---- the readers ---------------------------------------------------------- */

static void *reader(void *arg)
{
	const unsigned int number = (unsigned int)(uintptr_t)arg;
	unsigned int random = seed * 7919 + number;
	struct engine *engine =
		engine_new(number % ENGINE_NR, 4 * (size_t)READ_MAX);
	int fds[MAX_FILES];
	unsigned int i;

	for (i = 0; i < subjects_nr; i++)
		fds[i] = open_enabled(subjects[i].name[0], subjects[i].name[1]);
	while (!atomic_load(&stop)) {
		const struct subject *s = &subjects[pick(&random, subjects_nr)];
		struct engine_read reads[4];
		const unsigned int nr = 1 + pick(&random, 4);

		for (i = 0; i < nr; i++) {
			reads[i].buffer = (char *)engine_pool(engine) +
					  i * (size_t)READ_MAX;
			reads[i].length =
				(1 + pick(&random, READ_MAX / 4096)) * 4096ul;
			reads[i].offset =
				(off_t)pick(&random, FILE_SECTORS / 8) * 4096;
		}
		engine_run(engine, fds[s->number], reads, nr);
		for (i = 0; i < nr; i++) {
			const struct engine_read *r = &reads[i];
			ssize_t at;

			if (r->result < 0) {
				report(engine_name(number % ENGINE_NR),
				       s->name[0], (uint64_t)r->offset,
				       strerror(-(int)r->result), s->last);
				continue;
			}
			atomic_fetch_add(&reads_done, 1);
			atomic_fetch_add(&bytes_read, (size_t)r->result);
			for (at = 0; at < r->result; at += 512) {
				const char *sector = (char *)r->buffer + at;

				if (pattern_check(sector, 512, s->id,
						  (uint64_t)(r->offset + at)) !=
				    PATTERN_BAD)
					continue;
				report(engine_name(number % ENGINE_NR),
				       s->name[0], (uint64_t)(r->offset + at),
				       pattern_describe(sector, 512), s->last);
				break;
			}
		}
		if (!pick(&random, 50)) {
			i = s->number;
			close(fds[i]);
			fds[i] = open_enabled(s->name[0], s->name[1]);
			if (fds[i] < 0)
				break;
		}
	}
	for (i = 0; i < subjects_nr; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	engine_free(engine);
	return NULL;
}

static void subject_init(struct subject *s, unsigned int number,
			 const char *dir)
{
	s->number = number;
	s->id = number + 1;
	s->random = seed + number;
	snprintf(s->name[0], sizeof(s->name[0]), "%s/race%u", dir, number);
	snprintf(s->name[1], sizeof(s->name[1]), "%s/race%u.renamed", dir,
		 number);
	unlink(s->name[0]);
	s->direct = open(s->name[0], O_RDWR | O_CREAT | O_DIRECT, 0666);
	expect(s, s->direct >= 0, "open");
	s->buffered = open(s->name[0], O_RDWR);
	expect(s, s->buffered >= 0, "open");
	s->reading = open_enabled(s->name[0], s->name[1]);
	if (posix_memalign((void **)&s->buffer, 4096, FILE_SECTORS * 512))
		die("no memory");
	put(s, true, 0, FILE_SECTORS / 2);
	strcpy(s->last, "none");
}

int race(int argc, char **argv)
{
	pthread_t changers[MAX_FILES], readers[MAX_READERS];
	uint64_t steps = 0;
	unsigned int i;
	int opt;

	while ((opt = getopt(argc, argv, "s:f:t:S:p")) != -1) {
		switch (opt) {
		case 's':
			seconds = strtod(optarg, NULL);
			break;
		case 'f':
			subjects_nr = (unsigned int)number(optarg);
			break;
		case 't':
			readers_nr = (unsigned int)number(optarg);
			break;
		case 'S':
			seed = (unsigned int)number(optarg);
			break;
		case 'p':
			pauses = true;
			break;
		default:
			die("unknown option");
		}
	}
	if (argc - optind != 1 || !subjects_nr || subjects_nr > MAX_FILES ||
	    readers_nr > MAX_READERS)
		die("race [OPTION...] DIR");
	for (i = 0; i < subjects_nr; i++)
		subject_init(&subjects[i], i, argv[optind]);
	for (i = 0; i < readers_nr; i++)
		if (pthread_create(&readers[i], NULL, reader,
				   (void *)(uintptr_t)i))
			die("no thread");
	for (i = 0; i < subjects_nr; i++)
		if (pthread_create(&changers[i], NULL, changer, &subjects[i]))
			die("no thread");
	for (double left = seconds; left > 0 && !atomic_load(&stop); left -= .1)
		usleep(100000);
	atomic_store(&stop, true);
	for (i = 0; i < subjects_nr; i++)
		pthread_join(changers[i], NULL);
	for (i = 0; i < readers_nr; i++)
		pthread_join(readers[i], NULL);
	for (i = 0; i < subjects_nr; i++) {
		struct subject *s = &subjects[i];

		if (!atomic_load(&bad)) {
			strcpy(s->last, "the end");
			read_back(s, 0, s->sectors);
		}
		steps += s->steps;
		close(s->direct);
		close(s->buffered);
		close(s->reading);
		free(s->buffer);
	}
	printf("seed %u: %" PRIu64 " changes, %lu reads, %lu MiB, %u bad\n",
	       seed, steps, atomic_load(&reads_done),
	       atomic_load(&bytes_read) >> 20, atomic_load(&bad));
	return atomic_load(&bad) ? 1 : 0;
}
