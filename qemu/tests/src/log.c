// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel log as a file.
 *
 *   bpio-ctl --log follow FILE   copies it there line by line, for ever
 *   bpio-log mark FILE           where FILE ends now, in bytes
 *   bpio-log since FILE MARK     the lines that have come since
 *   bpio-log reports FILE MARK PATTERNS EXPECTED   of those, each that matches
 *                                a line of PATTERNS but not EXPECTED, and what
 *                                follows it
 *
 * The follower is a moment late: who looks writes a line of its own and waits
 * until that has arrived.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tools.h"

#define RECORD	   8192
#define WAIT_TRIES 6000
#define TAG	   "bpio-log: "
#define LEVEL	   "<7>" /* of debugging: not on the console */
#define AFTER	   60	 /* lines shown with a report */
#define PATTERNS   256

static int fails(const char *what)
{
	fprintf(stderr, "bpio-log: %s: %s\n", what, strerror(errno));
	return 2;
}

/* "PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT\n", then lines of key=value. */
static void copy_record(FILE *to, char *record)
{
	char *text = strchr(record, ';');
	unsigned long long time = 0;

	if (!text)
		return;
	text[strcspn(text, "\n")] = '\0';
	sscanf(record, "%*u,%*u,%llu", &time);
	fprintf(to, "[%5llu.%06llu] %s\n", time / 1000000, time % 1000000,
		text + 1);
}

static int follow(const char *path)
{
	static char record[RECORD + 1];
	int fd = open("/dev/kmsg", O_RDONLY);
	FILE *to = fopen(path, "w");

	if (fd < 0 || !to)
		return fails(path);
	setvbuf(to, NULL, _IOLBF, 0);
	for (;;) {
		ssize_t n = read(fd, record, RECORD);

		if (n < 0 && errno == EPIPE) {
			fprintf(to, TAG "records were lost\n");
			continue;
		}
		if (n < 0 && errno != EINTR)
			return fails("/dev/kmsg");
		if (n > 0) {
			record[n] = '\0';
			copy_record(to, record);
		}
	}
}

static void print_line(const char *line)
{
	fputs(line, stdout);
}

/*
 * Pass the lines since @from to @show, without those of this program.  Return:
 * where a line of our own is found to end, written to the log just now; 0:
 * never.
 */
static off_t read_on(const char *path, off_t from,
		     void (*show)(const char *line))
{
	static char line[RECORD];
	int kmsg = open("/dev/kmsg", O_WRONLY);
	FILE *file = fopen(path, "r");
	char own[80];
	size_t used = 0;
	int tries = 0;
	off_t at;

	if (!file)
		return 0;
	snprintf(own, sizeof(own), LEVEL TAG "%d %" PRIu64 "\n", getpid(),
		 (uint64_t)time(NULL));
	if (kmsg < 0 || write(kmsg, own, strlen(own)) != (ssize_t)strlen(own)) {
		fclose(file);
		return 0;
	}
	close(kmsg);
	fseeko(file, from, SEEK_SET);
	while (tries < WAIT_TRIES) {
		char *text;

		if (!fgets(line + used, (int)(sizeof(line) - used), file)) {
			clearerr(file);
			usleep(2000);
			tries++;
			continue;
		}
		used = strlen(line);
		if (line[used - 1] != '\n' && used < sizeof(line) - 1)
			continue; /* the rest is still to come */
		used = 0;
		text = strstr(line, "] ");
		text = text ? text + 2 : line;
		if (!strcmp(text, own + strlen(LEVEL))) {
			at = ftello(file);
			fclose(file);
			return at;
		}
		if (show && strncmp(text, TAG, strlen(TAG)))
			show(line);
	}
	fclose(file);
	errno = ETIMEDOUT;
	return 0;
}

static regex_t patterns[PATTERNS];
static unsigned int patterns_nr;
static regex_t *expected;
static unsigned int left; /* lines to show still */

static void add_pattern(const char *text)
{
	if (patterns_nr == PATTERNS ||
	    regcomp(&patterns[patterns_nr++], text, REG_EXTENDED | REG_NOSUB)) {
		fprintf(stderr, "bpio-log: %s: no pattern\n", text);
		exit(2);
	}
}

static bool is_report(const char *line)
{
	unsigned int i;

	if (expected && !regexec(expected, line, 0, NULL, 0))
		return false;
	for (i = 0; i < patterns_nr; i++)
		if (!regexec(&patterns[i], line, 0, NULL, 0))
			return true;
	return false;
}

static void print_report(const char *line)
{
	if (is_report(line))
		left = AFTER + 1;
	if (!left)
		return;
	left--;
	printf("kernel: %s", line);
}

static int reports(const char *path, off_t from, const char *file,
		   const char *expect)
{
	char text[512];
	FILE *f = fopen(file, "r");

	if (!f)
		return fails(file);
	while (fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = '\0';
		add_pattern(text);
	}
	fclose(f);
	if (*expect) {
		add_pattern(expect);
		expected = &patterns[--patterns_nr];
	}
	return read_on(path, from, print_report) ? 0 : fails(path);
}

static off_t end_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_size;
}

int log_main(int argc, char **argv)
{
	const char *word = argc > 2 ? argv[1] : "";
	off_t at = argc > 3 ? (off_t)strtoll(argv[3], NULL, 10) : 0;

	if (argc == 3 && !strcmp(word, "follow"))
		return follow(argv[2]);
	if (argc == 3 && !strcmp(word, "mark")) {
		at = read_on(argv[2], end_of(argv[2]), NULL);
		if (!at)
			return fails(argv[2]);
		printf("%jd\n", (intmax_t)at);
		return 0;
	}
	if (argc == 4 && !strcmp(word, "since"))
		return read_on(argv[2], at, print_line) ? 0 : fails(argv[2]);
	if (argc == 6 && !strcmp(word, "reports"))
		return reports(argv[2], at, argv[4], argv[5]);
	fprintf(stderr, "bpio-log: follow FILE|mark FILE|since FILE MARK|"
			"reports FILE MARK PATTERNS EXPECTED\n");
	return 2;
}
