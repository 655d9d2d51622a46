// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-verify fsx [-S SEED] [-s SECONDS|-n OPERATIONS] [-m BYTES] [-g GOOD] FILE
 *
 * Random operations on one file and on a copy of it in memory, as the exerciser
 * fsx does them: reads and writes, cached, mapped and O_DIRECT, bypassed reads
 * by every interface, changes of the size, holes punched, ranges zeroed,
 * collapsed, inserted, allocated, copied, cloned and deduplicated, pages
 * dropped.  What is read has to be what is in memory; before a difference the
 * last operations are printed.
 *
 * At the end the holes are filled with zeros, so that the file can be bypassed
 * with its blocks as they have come to lie, and GOOD gets what it has to hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include "verify.h"

#define SECTOR	    512u
#define PAGE	    4096u
#define MAX_READS   4u
#define LOG_LINES   40u
#define ENOUGH	    2000u
#define MAX_EXTENTS 8192u /* more than a file of blocks can have */

static const char *path;
static uint8_t *good, *buffer, *zeros;
static size_t size, max_size = 1 << 20, block;
static int cached = -1; /* closed now and then: it holds up the bypass */
static int direct, enabled;
static struct engine *engines[ENGINE_NR];
static struct fiemap *extents;
static uint64_t seed = 1, state;
static unsigned long count, collisions;
static char logged[LOG_LINES][120];

/* ---- chance and words -------------------------------------------------- */

static size_t below(size_t limit)
{
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return limit ? (size_t)((state * 0x2545f4914f6cdd1dull) >> 20) % limit :
		       0;
}

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(logged[count % LOG_LINES], sizeof(logged[0]), format, ap);
	va_end(ap);
}

static void __attribute__((noreturn, format(printf, 1, 2)))
wrong(const char *format, ...)
{
	unsigned long i = count >= LOG_LINES ? count - LOG_LINES + 1 : 0;
	va_list ap;

	for (; i <= count; i++)
		printf("%lu: %s\n", i, logged[i % LOG_LINES]);
	printf("%s: seed %" PRIu64 ": ", path, seed);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	exit(1);
}

/* Mostly short, sometimes a good part of the file. */
static size_t length_below(size_t limit)
{
	size_t length = 1 + below(below(4) ? 65536 : max_size / 2);

	return length < limit ? length : limit;
}

static void compare(const uint8_t *got, size_t length, size_t pos)
{
	size_t i, end;

	if (!memcmp(got, good + pos, length))
		return;
	for (i = 0; got[i] == good[pos + i]; i++)
		;
	for (end = i; end < length && got[end] != good[pos + end]; end++)
		;
	wrong("bytes %zu to %zu are wrong (size %zu): %02x, not %02x", pos + i,
	      pos + end, size, got[i], good[pos + i]);
}

/* ---- the copy in memory ------------------------------------------------ */

/* Bytes that tell by which operation, and for where, they were written. */
static void fill(size_t length, size_t pos)
{
	size_t i;

	for (i = 0; i < length; i++) {
		const uint64_t word = (count + 1) * 0x9e3779b97f4a7c15ull ^
				      (pos + i) / 8 * 0xbf58476d1ce4e5b9ull;

		buffer[i] = (uint8_t)(word >> (pos + i) % 8 * 8);
	}
}

static void grow(size_t end)
{
	if (end > size)
		size = end;
}

static void wrote(size_t length, size_t pos)
{
	memcpy(good + pos, buffer, length);
	grow(pos + length);
}

static void resized(size_t to)
{
	if (to < size)
		memset(good + to, 0, size - to);
	size = to;
}

/* ---- the file ---------------------------------------------------------- */

static int cached_fd(void)
{
	if (cached < 0)
		cached = open(path, O_RDWR);
	if (cached < 0)
		die("%s: %s", path, strerror(errno));
	return cached;
}

static void close_cached(void)
{
	if (cached >= 0)
		close(cached);
	cached = -1;
}

static void open_direct(void)
{
	direct = open(path, O_RDWR | O_DIRECT);
	enabled = open(path, O_RDONLY | O_DIRECT);
	if (direct < 0 || enabled < 0)
		die("%s: %s", path, strerror(errno));
	enable_bypass(enabled, path);
}

/* Of either kind: for what is not I/O. */
static int any_fd(void)
{
	return below(2) ? cached_fd() : direct;
}

static int set_size(size_t to)
{
	return ftruncate(any_fd(), (off_t)to) ? -errno : 0;
}

static void write_zeros(size_t from, size_t to)
{
	to = (to + SECTOR - 1) / SECTOR * SECTOR;
	if (from < to && pwrite(direct, zeros, to - from, (off_t)from) !=
				 (ssize_t)(to - from))
		wrong("zeros for a hole at %zu: %s", from, strerror(errno));
}

/*
 * So that the file can be bypassed, what else it has where it lies.  Not told
 * by SEEK_HOLE: XFS of Linux 6.1 may pass over data behind a hole with it.
 */
static void fill_holes(void)
{
	const struct fiemap_extent *e;
	size_t at = 0;
	unsigned int i;

	if (!size)
		return;
	memset(extents, 0, sizeof(*extents));
	extents->fm_length = size;
	extents->fm_flags = FIEMAP_FLAG_SYNC;
	extents->fm_extent_count = MAX_EXTENTS;
	if (ioctl(direct, FS_IOC_FIEMAP, extents))
		wrong("FIEMAP: %s", strerror(errno));
	for (i = 0; i < extents->fm_mapped_extents; i++) {
		e = &extents->fm_extents[i];
		if (e->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
			continue;
		write_zeros(at, e->fe_logical);
		at = e->fe_logical + e->fe_length;
	}
	write_zeros(at, size);
	if (ftruncate(direct, (off_t)size) || fsync(direct))
		wrong("ftruncate: %s", strerror(errno));
}

/* ---- operations: 0, NOT_NOW or a negative errno ------------------------ */

#define NOT_NOW 1

static int read_cached(void)
{
	const size_t pos = below(size + 1), length = length_below(max_size);
	const size_t want = length < size - pos ? length : size - pos;
	ssize_t got;

	say("read %zu at %zu of %zu", length, pos, size);
	got = pread(cached_fd(), buffer, length, (off_t)pos);
	if (got < 0)
		return -errno;
	if ((size_t)got != want)
		wrong("%zd bytes of %zu", got, want);
	compare(buffer, want, pos);
	return 0;
}

static int read_mapped(void)
{
	const size_t pos = below(size), length = length_below(size - pos);
	const size_t skip = pos % PAGE;
	size_t i, end = pos + length;
	uint8_t *map;

	if (!size)
		return NOT_NOW;
	say("mapped read %zu at %zu of %zu", length, pos, size);
	map = mmap(NULL, skip + length, PROT_READ, MAP_SHARED, cached_fd(),
		   (off_t)(pos - skip));
	if (map == MAP_FAILED)
		return -errno;
	compare(map + skip, length, pos);
	for (i = skip + length; end == size && i % PAGE; i++)
		if (map[i])
			wrong("%02x behind the end, %zu", map[i], size);
	munmap(map, skip + length);
	return 0;
}

/*
 * A direct read that got @got.  XFS of Linux 6.1, by itself as well, fails one
 * that goes on behind the end of the file with EIO when a write has left blocks
 * there that are reserved and not allocated ("Direct I/O collision with buffered
 * writes!"): what there is has to be readable up to the end.
 */
static ssize_t beyond_end(ssize_t got, int fd, uint8_t *to, size_t length,
			  size_t pos)
{
	const size_t end = (size + SECTOR - 1) / SECTOR * SECTOR;

	if (got != -EIO || pos + length <= end)
		return got;
	collisions++;
	got = pread(fd, to, end - pos, (off_t)pos);
	return got < 0 ? -errno : got;
}

static int read_direct(void)
{
	const size_t pos = below(size / SECTOR + 1) * SECTOR;
	const size_t length = length_below(max_size) / SECTOR * SECTOR + SECTOR;
	const size_t there = size > pos ? size - pos : 0;
	const size_t want = length < there ? length : there;
	ssize_t got;

	say("direct read %zu at %zu of %zu", length, pos, size);
	got = pread(direct, buffer, length, (off_t)pos);
	got = beyond_end(got < 0 ? -errno : got, direct, buffer, length, pos);
	if (got < 0)
		return (int)got;
	if ((size_t)got != want)
		wrong("%zd bytes of %zu", got, want);
	compare(buffer, want, pos);
	return 0;
}

/*
 * Of a polled read that ends before its last byte Linux loses the count, when it
 * was not bypassed and nothing was there to poll for: not beyond the end.
 */
static bool clip_polled(struct engine_read *read)
{
	const size_t there = (size - (size_t)read->offset) / SECTOR * SECTOR;

	if (read->length > there)
		read->length = there;
	return there;
}

/* Several at once, by any interface; now and then without what hinders it. */
static int read_bypassed(void)
{
	const unsigned int nr = 1 + (unsigned int)below(MAX_READS);
	unsigned int kind = (unsigned int)below(ENGINE_NR), i;
	const bool dense = !below(3);
	struct engine_read reads[MAX_READS];
	size_t there, want;

	if (dense || below(2))
		close_cached();
	if (dense)
		fill_holes();
	for (i = 0; i < nr; i++) {
		reads[i].offset = (off_t)(below(size / SECTOR + 1) * SECTOR);
		reads[i].length =
			length_below(max_size - SECTOR) / SECTOR * SECTOR +
			SECTOR;
		if (kind == ENGINE_POLL && !clip_polled(&reads[i]))
			return NOT_NOW;
	}
	for (i = 0; i < nr; i++)
		reads[i].buffer =
			(uint8_t *)engine_pool(engines[kind]) + i * max_size;
	say("%u bypassed reads (%s%s), %zu at %jd of %zu", nr,
	    engine_name((enum engine_kind)kind), dense ? ", no hole" : "",
	    reads[0].length, (intmax_t)reads[0].offset, size);
	engine_run(engines[kind], enabled, reads, nr);
	for (i = 0; i < nr; i++) {
		reads[i].result = beyond_end(reads[i].result, enabled,
					     reads[i].buffer, reads[i].length,
					     (size_t)reads[i].offset);
		if (reads[i].result < 0)
			return (int)reads[i].result;
		there = size > (size_t)reads[i].offset ?
				size - (size_t)reads[i].offset :
				0;
		want = reads[i].length < there ? reads[i].length : there;
		if ((size_t)reads[i].result != want)
			wrong("%zd bytes of %zu at %jd", reads[i].result, want,
			      (intmax_t)reads[i].offset);
		compare(reads[i].buffer, want, (size_t)reads[i].offset);
	}
	return 0;
}

/* All of it: before something moves blocks, that they are known, and after. */
static void look(bool before)
{
	const size_t length = (size + SECTOR - 1) / SECTOR * SECTOR;
	ssize_t got;

	if (before || below(2))
		close_cached();
	if (before)
		fill_holes();
	got = pread(enabled, buffer, length, 0);
	if (got != (ssize_t)size)
		wrong("%s it: %zd bytes of %zu", before ? "before" : "after",
		      got, size);
	compare(buffer, size, 0);
}

static int write_cached(void)
{
	const size_t pos = below(max_size);
	const size_t length = length_below(max_size - pos);

	say("write %zu at %zu of %zu", length, pos, size);
	fill(length, pos);
	if (pwrite(cached_fd(), buffer, length, (off_t)pos) != (ssize_t)length)
		return -errno;
	wrote(length, pos);
	return 0;
}

static int write_mapped(void)
{
	const size_t pos = below(max_size);
	const size_t length = length_below(max_size - pos), skip = pos % PAGE;
	uint8_t *map;
	int ret;

	say("mapped write %zu at %zu of %zu", length, pos, size);
	if (pos + length > size) {
		ret = set_size(pos + length);
		if (ret)
			return ret;
		resized(pos + length);
	}
	map = mmap(NULL, skip + length, PROT_READ | PROT_WRITE, MAP_SHARED,
		   cached_fd(), (off_t)(pos - skip));
	if (map == MAP_FAILED)
		return -errno;
	fill(length, pos);
	memcpy(map + skip, buffer, length);
	wrote(length, pos);
	ret = below(2) && msync(map, skip + length, MS_SYNC) ? -errno : 0;
	munmap(map, skip + length);
	return ret;
}

static int write_direct(void)
{
	const size_t pos = below(max_size / SECTOR) * SECTOR;
	const size_t length =
		(length_below(max_size - pos) + SECTOR - 1) / SECTOR * SECTOR;

	say("direct write %zu at %zu of %zu", length, pos, size);
	fill(length, pos);
	if (pwrite(direct, buffer, length, (off_t)pos) != (ssize_t)length)
		return -errno;
	wrote(length, pos);
	return 0;
}

static int truncate_file(void)
{
	const size_t to = below(4) ? below(max_size) : below(size + 1);
	int ret;

	say("truncate %zu to %zu", size, to);
	ret = set_size(to);
	if (!ret)
		resized(to);
	return ret;
}

static int punch(void)
{
	const size_t pos = below(size), length = length_below(max_size - pos);

	say("punch %zu at %zu of %zu", length, pos, size);
	if (fallocate(any_fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)pos, (off_t)length))
		return -errno;
	memset(good + pos, 0, length);
	return 0;
}

static int zero(void)
{
	const size_t pos = below(max_size);
	const size_t length = length_below(max_size - pos);
	const bool keep = below(2);

	say("zero %zu at %zu of %zu%s", length, pos, size,
	    keep ? ", kept" : "");
	if (fallocate(any_fd(),
		      FALLOC_FL_ZERO_RANGE | (keep ? FALLOC_FL_KEEP_SIZE : 0),
		      (off_t)pos, (off_t)length))
		return -errno;
	memset(good + pos, 0, length);
	if (!keep)
		grow(pos + length);
	return 0;
}

static int allocate(void)
{
	const size_t pos = below(max_size);
	const size_t length = length_below(max_size - pos);
	const bool keep = below(2);

	say("allocate %zu at %zu of %zu%s", length, pos, size,
	    keep ? ", kept" : "");
	if (fallocate(any_fd(), keep ? FALLOC_FL_KEEP_SIZE : 0, (off_t)pos,
		      (off_t)length))
		return -errno;
	if (!keep)
		grow(pos + length);
	return 0;
}

static int collapse(void)
{
	const size_t blocks = (size - 1) / block;
	size_t pos, length;

	if (!size || !blocks)
		return NOT_NOW;
	pos = below(blocks) * block;
	length = (1 + below(blocks - pos / block)) * block;
	say("collapse %zu at %zu of %zu", length, pos, size);
	if (fallocate(any_fd(), FALLOC_FL_COLLAPSE_RANGE, (off_t)pos,
		      (off_t)length))
		return -errno;
	memmove(good + pos, good + pos + length, size - pos - length);
	resized(size - length);
	return 0;
}

static int insert(void)
{
	const size_t blocks = (max_size - size) / block;
	size_t pos, length;

	if (!size || !blocks)
		return NOT_NOW;
	pos = below((size - 1) / block + 1) * block;
	length = (1 + below(blocks)) * block;
	say("insert %zu at %zu of %zu", length, pos, size);
	if (fallocate(any_fd(), FALLOC_FL_INSERT_RANGE, (off_t)pos,
		      (off_t)length))
		return -errno;
	memmove(good + pos + length, good + pos, size - pos);
	memset(good + pos, 0, length);
	size += length;
	return 0;
}

/* Two ranges that do not meet, the first one within the file. */
static bool pick_ranges(size_t align, size_t *from, size_t *to, size_t *length)
{
	size_t most;

	if (size < align)
		return false;
	*from = below(size / align) * align;
	*to = below(max_size / align) * align;
	*length = length_below(size - *from);
	most = max_size - *to;
	if (*length > most)
		*length = most;
	most = *from > *to ? *from - *to : *to - *from;
	if (*length > most)
		*length = most;
	*length -= *length % align;
	return *length;
}

static int copy(void)
{
	const bool blocks = below(2); /* else O_DIRECT would be refused */
	size_t from, to, length, done;
	loff_t in, out;
	ssize_t ret;

	if (!pick_ranges(blocks ? block : 1, &from, &to, &length))
		return NOT_NOW;
	say("copy %zu from %zu to %zu of %zu", length, from, to, size);
	for (done = 0; done < length; done += (size_t)ret) {
		const int fd = blocks ? any_fd() : cached_fd();

		in = (loff_t)(from + done);
		out = (loff_t)(to + done);
		ret = copy_file_range(fd, &in, fd, &out, length - done, 0);
		if (ret <= 0)
			return ret ? -errno : -EIO;
	}
	memcpy(buffer, good + from, length);
	wrote(length, to);
	return 0;
}

static int clone(void)
{
	struct file_clone_range range = { .src_fd = any_fd() };
	size_t from, to, length;

	if (!pick_ranges(block, &from, &to, &length))
		return NOT_NOW;
	say("clone %zu from %zu to %zu of %zu", length, from, to, size);
	range.src_offset = from;
	range.src_length = length;
	range.dest_offset = to;
	if (ioctl(any_fd(), FICLONERANGE, &range))
		return -errno;
	memcpy(buffer, good + from, length);
	wrote(length, to);
	return 0;
}

static int dedupe(void)
{
	struct {
		struct file_dedupe_range head;
		struct file_dedupe_range_info info;
	} range = { 0 };
	size_t from, to, length;

	if (!pick_ranges(block, &from, &to, &length))
		return NOT_NOW;
	say("dedupe %zu at %zu and %zu of %zu", length, from, to, size);
	memcpy(buffer, good + from, length);
	if (pwrite(cached_fd(), buffer, length, (off_t)to) != (ssize_t)length)
		return -errno;
	wrote(length, to);
	range.head.src_offset = from;
	range.head.src_length = length;
	range.head.dest_count = 1;
	range.info.dest_fd = any_fd();
	range.info.dest_offset = to;
	if (ioctl(any_fd(), FIDEDUPERANGE, &range))
		return -errno;
	if (range.info.status == FILE_DEDUPE_RANGE_DIFFERS)
		wrong("equal ranges differ");
	/* how Linux 6.1 says that the file system can't */
	return range.info.status == -EINVAL ? -EOPNOTSUPP : range.info.status;
}

static int sync_file(void)
{
	int ret;

	say("sync");
	ret = below(2) ? fsync(any_fd()) : fdatasync(any_fd());
	return ret ? -errno : 0;
}

/* The pages of this file; rarely all there are, and what is known of layouts.
 */
static int drop(void)
{
	const char what = (char)('1' + below(3));
	int fd, ret = 0;

	say("drop pages");
	if (below(8))
		return -posix_fadvise(any_fd(), 0, 0, POSIX_FADV_DONTNEED);
	say("drop caches %c", what);
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd < 0 || write(fd, &what, 1) != 1)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

static int reopen(void)
{
	struct stat st;

	say("close and open");
	close_cached();
	close(direct);
	close(enabled);
	open_direct();
	if (fstat(direct, &st))
		return -errno;
	if ((size_t)st.st_size != size)
		wrong("size %jd, not %zu", (intmax_t)st.st_size, size);
	return 0;
}

static struct operation {
	const char *name;
	int (*run)(void);
	unsigned int weight;
	bool changes; /* the file */
	bool unknown; /* to this file system */
	unsigned long done;
} operations[] = {
	{ "read", read_cached, 8, false, false, 0 },
	{ "mapread", read_mapped, 6, false, false, 0 },
	{ "directread", read_direct, 8, false, false, 0 },
	{ "bypassread", read_bypassed, 16, false, false, 0 },
	{ "write", write_cached, 8, true, false, 0 },
	{ "mapwrite", write_mapped, 6, true, false, 0 },
	{ "directwrite", write_direct, 8, true, false, 0 },
	{ "truncate", truncate_file, 4, true, false, 0 },
	{ "punch", punch, 4, true, false, 0 },
	{ "zero", zero, 4, true, false, 0 },
	{ "allocate", allocate, 3, true, false, 0 },
	{ "collapse", collapse, 3, true, false, 0 },
	{ "insert", insert, 3, true, false, 0 },
	{ "copy", copy, 4, true, false, 0 },
	{ "clone", clone, 4, true, false, 0 },
	{ "dedupe", dedupe, 2, true, false, 0 },
	{ "sync", sync_file, 3, false, false, 0 },
	{ "drop", drop, 3, false, false, 0 },
	{ "open", reopen, 3, false, false, 0 },
};

#define NR_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void step(void)
{
	struct operation *op = operations;
	size_t total = 0, at;
	unsigned int i;
	bool watched;
	int ret;

	for (i = 0; i < NR_OPERATIONS; i++)
		total += operations[i].weight;
	for (at = below(total); at >= op->weight; op++)
		at -= op->weight;
	if (op->unknown)
		return;
	say("%s", op->name);
	watched = op->changes && !below(3);
	if (watched)
		look(true);
	ret = op->run();
	if (ret == -EOPNOTSUPP && !op->done) {
		op->unknown = true;
		return;
	}
	if (ret == NOT_NOW)
		return;
	if (ret)
		wrong("%s: %s", op->name, strerror(-ret));
	if (watched)
		look(false);
	op->done++;
	count++;
}

/* ---- from the beginning to the end ------------------------------------- */

/* Reads of this file by the full path, by every open there was. */
static unsigned long full_reads(void)
{
	char name[64], line[128];
	unsigned long nr = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", enabled);
	f = fopen(name, "r");
	if (!f)
		die("%s: %s", name, strerror(errno));
	while (fgets(line, sizeof(line), f))
		sscanf(line, "bpio-stream-full: %lu", &nr);
	fclose(f);
	return nr;
}

static void save(const char *name)
{
	const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || write(fd, good, size) != (ssize_t)size || close(fd))
		die("%s: %s", name, strerror(errno));
}

static void prepare(void)
{
	struct stat st;
	unsigned int i;
	int fd;

	good = calloc(1, max_size + PAGE);
	extents = calloc(1, sizeof(*extents) +
				    MAX_EXTENTS * sizeof(struct fiemap_extent));
	if (!good || !extents ||
	    posix_memalign((void **)&buffer, PAGE, max_size + PAGE) ||
	    posix_memalign((void **)&zeros, PAGE, max_size + PAGE))
		die("no memory");
	memset(zeros, 0, max_size + PAGE);
	for (i = 0; i < ENGINE_NR; i++)
		engines[i] =
			engine_new((enum engine_kind)i, MAX_READS * max_size);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	close(fd);
	block = (size_t)st.st_blksize;
	open_direct();
}

/*
 * A busy machine may do little in this time: not before one read was bypassed,
 * unless so many operations are enough to say that none is.
 */
static bool goes_on(const struct timespec *start, double seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((double)(now.tv_sec - start->tv_sec) +
		    1e-9 * (double)(now.tv_nsec - start->tv_nsec) <
	    seconds)
		return true;
	return count < ENOUGH && !full_reads();
}

int fsx(int argc, char **argv)
{
	struct timespec start;
	const char *good_path = NULL;
	unsigned long wanted = 1000;
	double seconds = 0;
	unsigned int i;
	int opt;

	while ((opt = getopt(argc, argv, "S:s:n:m:g:")) != -1) {
		switch (opt) {
		case 'S':
			seed = number(optarg);
			break;
		case 's':
			seconds = strtod(optarg, NULL);
			break;
		case 'n':
			wanted = number(optarg);
			break;
		case 'm':
			max_size = number(optarg);
			break;
		case 'g':
			good_path = optarg;
			break;
		default:
			die("unknown option");
		}
	}
	if (argc - optind != 1 || max_size < 65536 || max_size % 65536 || !seed)
		die("fsx [OPTION...] FILE");
	path = argv[optind];
	state = seed * 0x9e3779b97f4a7c15ull;
	prepare();
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		step();
	} while (seconds > 0 ? goes_on(&start, seconds) : count < wanted);
	fill_holes();
	close_cached();
	printf("%s: seed %" PRIu64
	       ", %lu operations, %lu full reads, %lu collisions behind the end:",
	       path, seed, count, full_reads(), collisions);
	for (i = 0; i < NR_OPERATIONS; i++)
		printf(" %s %lu", operations[i].name, operations[i].done);
	printf("\n");
	if (good_path)
		save(good_path);
	for (i = 0; i < ENGINE_NR; i++)
		engine_free(engines[i]);
	close(direct);
	close(enabled);
	free(good);
	free(extents);
	free(buffer);
	free(zeros);
	return 0;
}
