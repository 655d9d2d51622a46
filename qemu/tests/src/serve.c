// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-ctl --serve DIR PID: runs the tools for the shell PID and its children,
 * since starting a program costs a guest more than what it then does.
 *
 * A request is run by a fork of the server, in the working directory of the
 * process that asks, with no other descriptor than its three: nothing of it
 * is left when its answer is there.
 *
 * DIR has SLOTS pairs of FIFOs, ask.N and said.N, and the FIFO "slots", from
 * which a client takes a free N and to which it returns it. Then:
 *
 *   to ask.N     PID of the client, number of words, the words (the first names
 *                the tool); a NUL ends each
 *   from said.N  exit status, lengths of standard output and error: %7d%8d%8d
 *                and a newline; then both
 *
 * And from the FIFO "never" nothing ever comes: for a wait without a program.
 *
 * The server goes into the background once DIR is complete, and ends with PID.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tools.h"

#define SLOTS	  16
#define REQUEST	  (256 << 10)
#define WORDS	  1024
#define OWN_WORDS 2 /* before those of the tool */

struct slot {
	int ask, said;
	char *request;
	size_t used;
	int output[2]; /* standard output and error of its requests */
	pid_t pid;     /* what runs now, or 0 */
	int pidfd;
	int client; /* a pidfd: who asked */
	bool killed;
};

static struct slot slots[SLOTS];
static int free_slots; /* the FIFO */
static int own_stderr;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bpio-ctl --serve: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int make_fifo(const char *dir, const char *name, int nr)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), nr < 0 ? "%s/%s" : "%s/%s.%d", dir, name,
		 nr);
	if (mkfifo(path, 0666))
		die(path);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static void make_slots(const char *dir)
{
	char name[8];
	int i, j;

	if (mkdir(dir, 0700))
		die(dir);
	free_slots = make_fifo(dir, "slots", -1);
	close(make_fifo(dir, "never", -1));
	for (i = 0; i < SLOTS; i++) {
		struct slot *slot = &slots[i];

		slot->ask = make_fifo(dir, "ask", i);
		slot->said = make_fifo(dir, "said", i);
		slot->request = malloc(REQUEST);
		for (j = 0; j < 2; j++)
			slot->output[j] = -1;
		snprintf(name, sizeof(name), "%02d", i);
		if (!slot->request || write(free_slots, name, 2) != 2)
			die(name);
	}
}

/* The words of a request, terminated by NULL; 0: it is not complete. */
static int words_of(struct slot *slot, char **words)
{
	char *at = slot->request, *end = at + slot->used;
	int nr = 0, wanted = OWN_WORDS;

	while (nr < wanted) {
		char *nul = memchr(at, '\0', (size_t)(end - at));

		if (!nul)
			return 0;
		words[nr++] = at;
		at = nul + 1;
		if (nr == OWN_WORDS)
			wanted += atoi(words[1]);
		if (wanted >= WORDS)
			wanted = WORDS - 1;
	}
	words[nr] = NULL;
	return nr;
}

static void __attribute__((noreturn))
run(struct slot *slot, int argc, char **argv)
{
	const struct tool *tool = tool_find(argv[OWN_WORDS]);
	char cwd[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (dup2(slot->output[0], 1) < 0 || dup2(slot->output[1], 2) < 0)
		_exit(125);
	close_range(3, ~0U, 0);
	/*
	 * A directory that has been removed, or lies below another mount by
	 * now, is still where the client is.
	 */
	snprintf(cwd, sizeof(cwd), "/proc/%s/cwd", argv[0]);
	if (chdir(cwd)) {
		fprintf(stderr, "%s: %s\n", cwd, strerror(errno));
		exit(125);
	}
	if (!tool) {
		fprintf(stderr, "%s: not a tool\n", argv[OWN_WORDS]);
		exit(125);
	}
	exit(tool->main(argc - OWN_WORDS, argv + OWN_WORDS));
}

static void give_back(struct slot *slot)
{
	char nr[8];

	slot->used = 0;
	snprintf(nr, sizeof(nr), "%02d", (int)(slot - slots));
	if (write(free_slots, nr, 2) != 2)
		die("slots");
}

static void start(struct slot *slot, int argc, char **argv)
{
	slot->client = open_pidfd(atoi(argv[0]));
	slot->killed = slot->client < 0;
	if (slot->killed) {
		give_back(slot);
		return;
	}
	slot->pid = fork();
	if (slot->pid < 0)
		die("fork");
	if (!slot->pid)
		run(slot, argc, argv);
	slot->used = 0;
	slot->pidfd = open_pidfd(slot->pid);
	if (slot->pidfd < 0)
		die("pidfd_open");
}

/* What it wrote, as a shell would read it: without any NUL. */
static size_t output(int fd, char **text)
{
	size_t length = (size_t)lseek(fd, 0, SEEK_END), done = 0, i, kept = 0;

	*text = malloc(length + 1);
	if (!*text)
		die("output");
	while (done < length) {
		ssize_t n = pread(fd, *text + done, length - done, (off_t)done);

		if (n <= 0)
			die("output");
		done += (size_t)n;
	}
	for (i = 0; i < length; i++)
		if ((*text)[i])
			(*text)[kept++] = (*text)[i];
	return kept;
}

static void send(struct slot *slot, const char *text, size_t length)
{
	if (write(slot->said, text, length) != (ssize_t)length)
		die("answer");
}

static void answer(struct slot *slot, int status)
{
	char *text[2], head[32];
	size_t length[2];
	int i;

	slot->used = 0;
	for (i = 0; i < 2; i++)
		length[i] = output(slot->output[i], &text[i]);
	/* A pipe holds all of it: the client may never come to read it. */
	if (length[0] + length[1] > 60000)
		fcntl(slot->said, F_SETPIPE_SZ,
		      (int)(length[0] + length[1] + 65536));
	snprintf(head, sizeof(head), "%7d%8zu%8zu\n", status, length[0],
		 length[1]);
	send(slot, head, strlen(head));
	for (i = 0; i < 2; i++) {
		send(slot, text[i], length[i]);
		free(text[i]);
	}
}

static void reap(struct slot *slot)
{
	int status;

	if (waitpid(slot->pid, &status, 0) != slot->pid)
		die("waitpid");
	close(slot->pidfd);
	close(slot->client);
	slot->pid = 0;
	if (slot->killed)
		give_back(slot);
	else
		answer(slot, WIFEXITED(status) ? WEXITSTATUS(status) :
						 128 + WTERMSIG(status));
}

/* Return: it was done here, and answered. */
static bool quick(struct slot *slot, int argc, char **argv)
{
	const struct tool *tool = tool_find(argv[OWN_WORDS]);
	int status;

	if (!tool || !tool->quick)
		return false;
	dup2(slot->output[0], 1);
	dup2(slot->output[1], 2);
	status = tool->quick(argc - OWN_WORDS, argv + OWN_WORDS);
	fflush(stdout);
	dup2(own_stderr, 2);
	dup2(0, 1);
	if (status >= 0)
		answer(slot, status);
	return status >= 0;
}

static void take(struct slot *slot)
{
	char *words[WORDS];
	ssize_t n = read(slot->ask, slot->request + slot->used,
			 REQUEST - slot->used);
	int nr, i;

	if (n <= 0)
		return;
	slot->used += (size_t)n;
	nr = words_of(slot, words);
	if (nr <= OWN_WORDS)
		return;
	for (i = 0; i < 2; i++) {
		if (slot->output[i] < 0)
			slot->output[i] = memfd_create("output", MFD_CLOEXEC);
		if (slot->output[i] < 0 || ftruncate(slot->output[i], 0) ||
		    lseek(slot->output[i], 0, SEEK_SET))
			die("output");
	}
	if (!quick(slot, nr, words))
		start(slot, nr, words);
}

static void __attribute__((noreturn)) serve(int client)
{
	struct pollfd fds[1 + 2 * SLOTS];
	int i;

	for (;;) {
		fds[0] = (struct pollfd){ .fd = client, .events = POLLIN };
		for (i = 0; i < SLOTS; i++) {
			const struct slot *slot = &slots[i];

			fds[1 + i] = (struct pollfd){
				.fd = slot->pid ? slot->pidfd : slot->ask,
				.events = POLLIN,
			};
			fds[1 + SLOTS + i] = (struct pollfd){
				.fd = slot->pid && !slot->killed ?
					      slot->client :
					      -1,
				.events = POLLIN,
			};
		}
		if (poll(fds, 1 + 2 * SLOTS, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[0].revents)
			exit(0);
		for (i = 0; i < SLOTS; i++) {
			/* A killed client takes its request along. */
			if (fds[1 + SLOTS + i].revents) {
				kill(slots[i].pid, SIGKILL);
				slots[i].killed = true;
			}
			if (!fds[1 + i].revents)
				continue;
			if (slots[i].pid)
				reap(&slots[i]);
			else
				take(&slots[i]);
		}
	}
}

int serve_main(int argc, char **argv)
{
	int client, null;
	pid_t pid;

	if (argc != 3) {
		fprintf(stderr, "bpio-ctl --serve DIR PID\n");
		return 2;
	}
	/* Whatever the test has open by now is the test's own. */
	close_range(3, ~0U, 0);
	client = open_pidfd(atoi(argv[2]));
	if (client < 0)
		die(argv[2]);
	make_slots(argv[1]);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid)
		_exit(0);
	/* A test that is told to end still has its cleanups to do. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || chdir("/"))
		die("/dev/null");
	if (null > 2)
		close(null);
	own_stderr = fcntl(2, F_DUPFD_CLOEXEC, 3);
	serve(client);
}
