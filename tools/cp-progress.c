// SPDX-License-Identifier: GPL-2.0
/* Shows how far a copy is, and lets it be interrupted. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cp.h"
#include "names.h"

#define INTERVAL_MS 100
#define NAME_WIDTH  32
#define MIB	    1048576.0

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/*
 * For good: the copy ends with the piece under way, and a second signal has
 * nothing to add.
 */
static void catch (int number)
{
	const struct sigaction action = { .sa_handler = interrupt };
	struct sigaction old;

	/* As of nohup, or of a job in the background. */
	if (!sigaction(number, NULL, &old) && old.sa_handler == SIG_IGN)
		return;
	sigaction(number, &action, NULL);
}

void cp_catch_signals(void)
{
	catch (SIGHUP);
	catch (SIGINT);
	catch (SIGTERM);
	/* Messages that cannot be read are no reason to end a copy. */
	signal(SIGPIPE, SIG_IGN);
}

bool cp_is_interrupted(void)
{
	return interrupted;
}

static uint64_t milliseconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now))
		return 0;
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void cp_bar_begin(struct cp *cp, const char *path)
{
	cp->path = path;
	cp->started = milliseconds();
	cp->drawn = cp->started;
}

static void draw(const struct cp *cp, const struct bpio_copy_result *so_far,
		 uint64_t now)
{
	size_t length = strlen(cp->path);
	char name[NAME_WIDTH + 1];
	double done = (double)so_far->done_length;
	double ms = now > cp->started ? (double)(now - cp->started) : 1;

	/* The end of a path tells more. */
	snprintf(name, sizeof(name), "%s",
		 cp->path + (length > NAME_WIDTH ? length - NAME_WIDTH : 0));
	fprintf(stderr, "\r\033[K%-*s %3.0f%% %10.1f MiB %8.1f MiB/s",
		NAME_WIDTH, printable(name),
		so_far->length ? 100 * done / (double)so_far->length : 100.0,
		done / MIB, done / MIB / (ms / 1000));
	fflush(stderr);
}

int cp_progress(void *argument, const struct bpio_copy_result *so_far)
{
	struct cp *cp = argument;
	uint64_t now;

	if (cp->bar) {
		now = milliseconds();
		if (now - cp->drawn >= INTERVAL_MS) {
			cp->drawn = now;
			draw(cp, so_far, now);
		}
	}
	return interrupted;
}

void cp_bar_end(struct cp *cp)
{
	if (cp->bar && cp->drawn != cp->started)
		fputs("\r\033[K", stderr);
	cp->path = NULL;
}
