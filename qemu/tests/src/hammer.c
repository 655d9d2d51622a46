// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-hammer [-S SEED] [-s SECONDS] [-t THREADS] [-k] PATH...
 *
 * Random requests to open files, directories and /dev/bpio (PATHs; of a block
 * device the descriptor goes into device_fd): any code, length, content,
 * pointer and flag, several threads on the same handles.  -k: KERNEL_MODE as
 * well.  Fails when anything is written where it must not be: past
 * `information`, past output_length, or at all when the request failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpio.h>

#define CANARY	    0xA5
#define AREA	    (80 << 10)
#define MAX_FDS	    32
#define MAX_THREADS 16

static int fds[MAX_FDS], devices[MAX_FDS];
static unsigned int fds_nr, devices_nr, seed = 1, threads_nr = 4;
static bool kernel_mode;
static atomic_bool stop;
static atomic_uint bad;
static atomic_ulong requests, carried, succeeded;
static struct storage_offload_token last_token; /* racy on purpose */

static const uint32_t codes[] = {
	FSCTL_MANAGE_BYPASS_IO,	      FSCTL_MANAGE_BYPASS_IO,
	FSCTL_OFFLOAD_READ,	      FSCTL_OFFLOAD_WRITE,
	FSCTL_SET_ENCRYPTION,	      IOCTL_STORAGE_MANAGE_BYPASS_IO,
	IOCTL_STORAGE_QUERY_PROPERTY, IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES,
};

static const uint32_t lengths[] = {
	0,   1,	  8,   15,  16,	 17,   23,   24,   25,	 27,	28,
	31,  32,  33,  95,  96,	 351,  352,  353,  527,	 528,	529,
	543, 544, 545, 560, 592, 1024, 4095, 4096, 4097, 65535, 65536,
};

static const uint64_t numbers[] = {
	0,
	1,
	2,
	3,
	7,
	8,
	9,
	511,
	512,
	513,
	4095,
	4096,
	65536,
	1 << 20,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x7fffffffffffffff,
	0x7ffffffffffff000,
	0x8000000000000000,
	0xfffffffffffff000,
	0xfffffffffffffe00,
	0xffffffffffffffff,
};

struct worker {
	unsigned int random;
	uint8_t *area; /* AREA bytes, then a page that is not there */
	uint8_t *readonly;
};

static uint32_t pick(struct worker *w, uint32_t below)
{
	return (uint32_t)rand_r(&w->random) % below;
}

static uint64_t any(struct worker *w)
{
	switch (pick(w, 4)) {
	case 0:
		return numbers[pick(w, sizeof(numbers) / sizeof(*numbers))];
	case 1:
		return (uint64_t)pick(w, 4096) * 512;
	case 2:
		return pick(w, 16);
	default:
		return (uint64_t)rand_r(&w->random) << 32 |
		       (uint32_t)rand_r(&w->random);
	}
}

static uint64_t small(struct worker *w)
{
	return pick(w, 8) ? (uint64_t)pick(w, 256) * 4096 : any(w);
}

/* Something that resembles the structure of the code, or does not. */
static void contents(struct worker *w, uint32_t code, uint8_t *in)
{
	uint32_t i;

	for (i = 0; i < 640; i++)
		in[i] = pick(w, 3) ? 0 : (uint8_t)rand_r(&w->random);
	if (!pick(w, 10))
		return;
	switch (code) {
	case FSCTL_MANAGE_BYPASS_IO: {
		struct fs_bpio_input s = {
			.operation = pick(w, 10) ? 1 + pick(w, 8) :
						   (uint32_t)any(w),
			.in_flags = pick(w, 10) ? pick(w, 2) : (uint32_t)any(w),
			.reserved1 = pick(w, 20) ? 0 : any(w),
			.reserved2 = pick(w, 20) ? 0 : any(w),
		};
		memcpy(in, &s, sizeof(s));
		break;
	}
	case FSCTL_OFFLOAD_READ: {
		struct fsctl_offload_read_input s = {
			.size = pick(w, 20) ? sizeof(s) : (uint32_t)any(w),
			.flags = (uint32_t)any(w),
			.token_time_to_live = pick(w, 4) ? 0 : (uint32_t)any(w),
			.reserved = (uint32_t)any(w),
			.file_offset = small(w),
			.copy_length = small(w),
		};
		memcpy(in, &s, sizeof(s));
		break;
	}
	case FSCTL_OFFLOAD_WRITE: {
		struct fsctl_offload_write_input s = {
			.size = pick(w, 20) ? sizeof(s) : (uint32_t)any(w),
			.flags = (uint32_t)any(w),
			.file_offset = small(w),
			.copy_length = small(w),
			.transfer_offset = pick(w, 2) ? 0 : small(w),
			.token = last_token,
		};
		if (!pick(w, 4))
			memset(&s.token, pick(w, 256), sizeof(s.token));
		if (!pick(w, 4))
			((uint8_t *)&s.token)[pick(w, 80)] ^= 1 << pick(w, 8);
		memcpy(in, &s, sizeof(s));
		break;
	}
	case IOCTL_STORAGE_MANAGE_BYPASS_IO: {
		struct bpio_input s = {
			.version = pick(w, 20) ? sizeof(s) : (uint32_t)any(w),
			.size = pick(w, 20) ? sizeof(s) : (uint32_t)any(w),
			.operation = pick(w, 10) ? 1 + pick(w, 3) :
						   (uint32_t)any(w),
			.in_flags = pick(w, 20) ? 0 : (uint32_t)any(w),
			.reserved2 = pick(w, 20) ? 0 : any(w),
		};
		memcpy(in, &s, sizeof(s));
		break;
	}
	default:
		for (i = 0; i < 10; i++) {
			uint32_t n = (uint32_t)any(w);

			memcpy(in + 4 * i, &n, 4);
		}
	}
}

static uint32_t length_of(struct worker *w, uint32_t code, bool out)
{
	if (pick(w, 4)) {
		switch (code) {
		case FSCTL_MANAGE_BYPASS_IO:
		case IOCTL_STORAGE_MANAGE_BYPASS_IO:
			return out ? 352 : 24;
		case FSCTL_OFFLOAD_READ:
			return out ? 528 : 32;
		case FSCTL_OFFLOAD_WRITE:
			return out ? 16 : 544;
		}
	}
	if (!pick(w, 30))
		return (uint32_t)any(w);
	return lengths[pick(w, sizeof(lengths) / sizeof(*lengths))];
}

static uint64_t pointer(struct worker *w, uint8_t *good, uint32_t length)
{
	switch (pick(w, 24)) {
	case 0:
		return 0;
	case 1:
		return 0xffff888000001000;
	case 2:
		return 0xffffffffff600000;
	case 3:
		return 0x00007ffffffff000;
	case 4:
		return any(w);
	case 5:
		return (uintptr_t)w->readonly;
	case 6: /* ends on the page that is not there */
		return (uintptr_t)w->area + AREA - length / 2;
	default:
		return (uintptr_t)good;
	}
}

static void complain(const struct bpio_control *c, const char *what, size_t at)
{
	if (atomic_fetch_add(&bad, 1) < 10)
		printf("code 0x%08x in %u out %u status 0x%08x information %u: %s at %zu\n",
		       c->code, c->input_length, c->output_length,
		       (unsigned int)c->status, c->information, what, at);
}

static void one(struct worker *w)
{
	uint8_t *in = w->area, *out = w->area + 1024 + pick(w, 64);
	const unsigned int room = AREA - 1024 - 64;
	struct bpio_control c = {
		.code = pick(w, 20) ?
				codes[pick(w, sizeof(codes) / sizeof(*codes))] :
				(uint32_t)any(w),
		.device_fd = -1,
	};
	const struct bpio_control asked = c;
	uint32_t allowed = 0, i;
	int fd = fds[pick(w, fds_nr)];
	int ret;

	if (devices_nr && pick(w, 2))
		c.device_fd = devices[pick(w, devices_nr)];
	if (!pick(w, 40))
		c.device_fd = (int)any(w);
	if (kernel_mode && !pick(w, 2))
		c.flags = BPIO_CONTROL_KERNEL_MODE;
	if (!pick(w, 40))
		c.flags = (uint32_t)any(w);
	if (!pick(w, 40))
		c.reserved = (uint32_t)any(w);
	if (!pick(w, 100))
		fd = (int)pick(w, 200);
	contents(w, c.code, in);
	memset(w->area + 640, CANARY, AREA - 640);
	c.input_length = length_of(w, c.code, false);
	c.output_length = length_of(w, c.code, true);
	c.input = pointer(w, in, c.input_length);
	c.output = pointer(w, out, c.output_length);
	c.status = c.information = 0x5a5a5a5a;
	if (c.input == (uintptr_t)in && c.input_length > 640 && pick(w, 4))
		c.input_length = 640;

	ret = ioctl(fd, pick(w, 200) ? BPIO_IOC_CONTROL : any(w), &c);
	atomic_fetch_add(&requests, 1);
	if (!ret) {
		atomic_fetch_add(&carried, 1);
		if (c.status >= 0) {
			atomic_fetch_add(&succeeded, 1);
			allowed = c.information < c.output_length ?
					  c.information :
					  c.output_length;
		}
		if (c.status != 0x5a5a5a5a && c.code == FSCTL_OFFLOAD_READ &&
		    !c.status && c.output == (uintptr_t)out && allowed == 528)
			memcpy(&last_token, out + 16, sizeof(last_token));
	} else if (c.status != 0x5a5a5a5a || c.information != 0x5a5a5a5a) {
		if (errno != ENOTTY)
			complain(&c, "verdict written with an errno",
				 (size_t)errno);
	}
	if (!ret && c.code == asked.code && c.output == (uintptr_t)out &&
	    allowed > 65536)
		complain(&c, "too much information", allowed);
	if (c.output == (uintptr_t)out) {
		for (i = allowed; i < room; i++) {
			if (out[i] != CANARY) {
				complain(&c, "written beyond the answer", i);
				break;
			}
		}
		if (out[-1] != CANARY)
			complain(&c, "written before the answer", 0);
	}
}

static void *work(void *arg)
{
	struct worker w = { .random =
				    seed * 31 + (unsigned int)(uintptr_t)arg };

	w.area = mmap(NULL, AREA + 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	w.readonly =
		mmap(NULL, AREA, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w.area == MAP_FAILED || w.readonly == MAP_FAILED ||
	    munmap(w.area + AREA, 4096))
		exit(2);
	while (!atomic_load(&stop) && !atomic_load(&bad))
		one(&w);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[MAX_THREADS];
	unsigned int seconds = 5, i;
	int opt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt(argc, argv, "S:s:t:k")) != -1) {
		switch (opt) {
		case 'S':
			seed = (unsigned int)atoi(optarg);
			break;
		case 's':
			seconds = (unsigned int)atoi(optarg);
			break;
		case 't':
			threads_nr = (unsigned int)atoi(optarg);
			break;
		case 'k':
			kernel_mode = true;
			break;
		default:
			return 2;
		}
	}
	for (; optind < argc && fds_nr < MAX_FDS - 1; optind++) {
		struct stat st;
		int fd;

		if (stat(argv[optind], &st)) {
			perror(argv[optind]);
			return 2;
		}
		fd = open(argv[optind],
			  S_ISDIR(st.st_mode) ? O_RDONLY :
			  S_ISREG(st.st_mode) ? O_RDWR | O_DIRECT :
						O_RDWR);
		if (fd < 0)
			fd = open(argv[optind], O_RDONLY);
		if (fd < 0) {
			perror(argv[optind]);
			return 2;
		}
		if (S_ISBLK(st.st_mode))
			devices[devices_nr++] = fd;
		else
			fds[fds_nr++] = fd;
	}
	if (!fds_nr || threads_nr > MAX_THREADS)
		return 2;
	printf("seed %u\n", seed);
	for (i = 0; i < threads_nr; i++)
		if (pthread_create(&threads[i], NULL, work,
				   (void *)(uintptr_t)i))
			return 2;
	for (i = 0; i < seconds * 10 && !atomic_load(&bad); i++)
		usleep(100000);
	atomic_store(&stop, true);
	for (i = 0; i < threads_nr; i++)
		pthread_join(threads[i], NULL);
	printf("%lu requests, %lu processed, %lu with success, %u bad\n",
	       atomic_load(&requests), atomic_load(&carried),
	       atomic_load(&succeeded), atomic_load(&bad));
	/* Requests that all fail before they are looked at test nothing. */
	return atomic_load(&bad) || !atomic_load(&succeeded);
}
