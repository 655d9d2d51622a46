// SPDX-License-Identifier: GPL-2.0
/*
 * bpio-confined [-l] [-u UID] [-o PATH] DIRECTORY
 *	does in DIRECTORY, which is empty, what programs do with files, and
 *	prints a line for each: its name, "ok" or the error.  -l: with Landlock
 *	first allows itself DIRECTORY and nothing else.  -u: as that user.
 *	-o: a file outside, which a confined program cannot open
 * bpio-confined [-u UID] [-f] fill FILE
 *	makes FILE longer until no block is left, by write(); -f: by
 *	fallocate(); prints nothing
 * bpio-confined [-u UID] suid FILE
 *	prints the mode of FILE, set-user-ID before each, after that user has
 *	changed it in several ways
 *
 * The exit status is 77 when the kernel has no Landlock.
 */
#include <err.h>
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LENGTH (64 << 10)
#define HOLE   (1 << 20)

static char data[LENGTH], back[LENGTH];
static bool failed;

/* Prints how a step went.  Return: it went well. */
static bool step(const char *name, bool good)
{
	const char *error = errno ? strerror(errno) : "wrong result";

	printf("%s: %s\n", name, good ? "ok" : error);
	failed |= !good;
	errno = 0;
	return good;
}

static void landlock(const char *directory)
{
	/* of the first version, and from the second and third what there is */
	static const uint64_t rights[] = { 0x1fff, 0x3fff, 0x7fff };
	struct landlock_ruleset_attr attr = {};
	struct landlock_path_beneath_attr beneath;
	long version, rules;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			  LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1) {
		puts("this kernel has no Landlock");
		exit(77);
	}
	attr.handled_access_fs = rights[version > 3 ? 2 : version - 1];
	rules = syscall(SYS_landlock_create_ruleset, &attr,
			sizeof(attr.handled_access_fs), 0);
	beneath.allowed_access = attr.handled_access_fs;
	beneath.parent_fd = open(directory, O_PATH | O_CLOEXEC);
	if (rules < 0 || beneath.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		    &beneath, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, rules, 0))
		err(1, "Landlock");
	close((int)rules);
	close(beneath.parent_fd);
}

static bool same(int fd, off_t at, const char *want, size_t length)
{
	return pread(fd, back, length, at) == (ssize_t)length &&
	       !memcmp(back, want, length);
}

static void write_and_read(int fd)
{
	step("write", pwrite(fd, data, LENGTH, 0) == LENGTH);
	step("read", same(fd, 0, data, LENGTH));
	step("fsync", !fsync(fd));
	step("fadvise", !posix_fadvise(fd, 0, LENGTH, POSIX_FADV_DONTNEED));
	step("seek", lseek(fd, 0, SEEK_HOLE) == LENGTH);
}

static void map(int fd)
{
	char *shared = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);

	if (!step("map", shared != MAP_FAILED))
		return;
	memcpy(shared + 4096, "mapped", 6);
	step("msync", !msync(shared, LENGTH, MS_SYNC));
	memcpy(data + 4096, "mapped", 6);
	step("mapped write", same(fd, 0, data, LENGTH));
	step("mprotect", !mprotect(shared, 4096, PROT_READ) &&
				 !mprotect(shared, 4096,
					   PROT_READ | PROT_WRITE));
	munmap(shared, LENGTH);
	shared = mmap(NULL, LENGTH, PROT_READ, MAP_PRIVATE, fd, 0);
	step("private map", shared != MAP_FAILED &&
				    !memcmp(shared, data, LENGTH));
	munmap(shared, LENGTH);
}

static void change_size(int fd, const char *name)
{
	step("fallocate", !fallocate(fd, FALLOC_FL_KEEP_SIZE, LENGTH, LENGTH));
	step("punch", !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 LENGTH, LENGTH));
	step("ftruncate", !ftruncate(fd, 2 * LENGTH));
	step("truncate", !truncate(name, LENGTH));
	step("data after all", same(fd, 0, data, LENGTH));
}

/* Long enough to be offloaded: the copy punches a hole over the data. */
static void copy_hole(int to)
{
	static const char zeros[LENGTH];
	int hole = open("hole", O_RDWR | O_CREAT, 0644);
	loff_t in = 0, out = LENGTH;

	step("sparse file", hole >= 0 && !ftruncate(hole, HOLE) &&
				    pwrite(to, data, LENGTH, LENGTH) == LENGTH);
	step("copy_file_range of a hole",
	     copy_file_range(hole, &in, to, &out, HOLE, 0) == HOLE &&
		     same(to, LENGTH, zeros, LENGTH) &&
		     same(to, HOLE, zeros, LENGTH));
	step("it is unlinked", !unlink("hole"));
	close(hole);
}

static void copy(int fd)
{
	loff_t in = 0, out = 0;
	int pipes[2], to = open("copy", O_RDWR | O_CREAT, 0644);

	step("create another", to >= 0);
	step("copy_file_range",
	     copy_file_range(fd, &in, to, &out, LENGTH, 0) == LENGTH &&
		     same(to, 0, data, LENGTH));
	copy_hole(to);
	step("sendfile", lseek(to, LENGTH, SEEK_SET) == LENGTH &&
				 lseek(fd, 0, SEEK_SET) == 0 &&
				 sendfile(to, fd, NULL, LENGTH) == LENGTH &&
				 same(to, LENGTH, data, LENGTH));
	in = 0;
	out = 0;
	step("splice", !pipe(pipes) &&
			       splice(fd, &in, pipes[1], NULL, 4096, 0) ==
				       4096 &&
			       splice(pipes[0], NULL, to, &out, 4096, 0) ==
				       4096 &&
			       same(to, 0, data, 4096));
	close(pipes[0]);
	close(pipes[1]);
	close(to);
}

static void names(void)
{
	struct stat st;
	char target[8];
	DIR *dir;
	int n = 0;

	step("link", !link("file", "second"));
	step("rename", !rename("second", "third"));
	step("mkdir", !mkdir("sub", 0755));
	step("rename into", !rename("third", "sub/third"));
	step("symlink", !symlink("file", "soft"));
	step("readlink", readlink("soft", target, sizeof(target)) == 4);
	step("mkfifo", !mkfifo("fifo", 0644));
	step("stat", !stat("sub/third", &st) && st.st_nlink == 2);
	dir = opendir(".");
	step("opendir", dir);
	while (dir && readdir(dir))
		n++;
	step("readdir", n == 7); /* ., .., file, copy, sub, soft, fifo */
	if (dir)
		closedir(dir);
	step("unlink", !unlink("sub/third") && !unlink("soft") &&
			       !unlink("fifo") && !unlink("copy"));
	step("rmdir", !rmdir("sub"));
}

static void attributes(int fd)
{
	char value[8];

	step("chmod", !chmod("file", 0640) && !fchmod(fd, 0600));
	step("utimes", !utimensat(AT_FDCWD, "file", NULL, 0));
	step("setxattr", !setxattr("file", "user.a", "value", 5, 0));
	step("getxattr", getxattr("file", "user.a", value, 8) == 5);
	step("listxattr", listxattr("file", back, LENGTH) >= 7);
	step("removexattr", !removexattr("file", "user.a"));
}

static void nameless(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	struct stat st;

	if (!step("O_TMPFILE", fd >= 0))
		return;
	step("its owner", !fstat(fd, &st) && st.st_uid == geteuid() &&
				  st.st_gid == getegid());
	step("write to it", pwrite(fd, data, LENGTH, 0) == LENGTH);
	/* by descriptor, which root may */
	if (!geteuid())
		step("link it", !linkat(fd, "", AT_FDCWD, "named",
					AT_EMPTY_PATH) &&
					!unlink("named"));
	close(fd);
}

static void programs(const char *directory, const char *outside)
{
	struct stat st;
	int fd;

	if (chdir(directory))
		err(1, "%s", directory);
	if (outside) {
		fd = open(outside, O_RDONLY);
		printf("outside: %s\n", fd < 0 ? strerror(errno) : "ok");
		errno = 0;
	}
	umask(027);
	fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0666);
	step("create", fd >= 0);
	if (fd < 0)
		return;
	step("owner and mode", !fstat(fd, &st) && st.st_uid == geteuid() &&
				       st.st_gid == getegid() &&
				       (st.st_mode & 07777) == 0640);
	write_and_read(fd);
	close(fd);
	fd = open("file", O_RDWR);
	if (!step("open again", fd >= 0))
		return;
	map(fd);
	change_size(fd, "file");
	copy(fd);
	names();
	attributes(fd);
	nameless();
	close(fd);
	fd = open("file", O_WRONLY | O_TRUNC);
	step("O_TRUNC", fd >= 0 && !fstat(fd, &st) && !st.st_size);
	close(fd);
	fd = open("file", O_WRONLY | O_APPEND);
	step("O_APPEND", fd >= 0 && write(fd, data, 10) == 10);
	close(fd);
	step("unlink the file", !unlink("file"));
}

static void fill(const char *name, bool by_fallocate)
{
	const int flags = O_RDWR | O_CREAT;
	int fd = open(name, flags, 0666);
	ssize_t got = LENGTH;
	off_t at = 0;

	if (fd < 0)
		err(1, "%s", name);
	for (; got > 0; at += got)
		if (!by_fallocate)
			got = pwrite(fd, data, LENGTH, at);
		else if (fallocate(fd, 0, at, LENGTH))
			got = -1;
	if (errno != ENOSPC)
		err(1, "%s", name);
	/* and what is less */
	for (got = 512; got > 0; at += got)
		if (!by_fallocate)
			got = pwrite(fd, data, 512, at);
		else if (fallocate(fd, 0, at, 512))
			got = -1;
	if (fsync(fd))
		err(1, "%s", name);
}

static void become(uid_t id)
{
	if (setgroups(0, NULL) || setgid(id) || setuid(id))
		err(1, "user %u", id);
}

/* Return: the change was made. */
static bool change(const char *name, int how)
{
	int pipes[2], fd = open(name, O_RDWR);
	loff_t at = 0;

	if (fd < 0)
		return false;
	switch (how) {
	case 0:
		return pwrite(fd, data, 10, 0) == 10;
	case 1:
		return !fallocate(fd, 0, 0, LENGTH);
	case 2:
		return !fallocate(fd, FALLOC_FL_PUNCH_HOLE |
						  FALLOC_FL_KEEP_SIZE,
				  0, 4096);
	case 3:
		return !pipe(pipes) && write(pipes[1], data, 10) == 10 &&
		       splice(pipes[0], NULL, fd, &at, 10, 0) == 10;
	default:
		return !ftruncate(fd, LENGTH + how);
	}
}

static void suid(const char *name, uid_t user)
{
	static const char *const ways[] = { "write", "fallocate", "punch",
					    "splice", "ftruncate" };
	struct stat st;
	int how, status;
	pid_t pid;

	for (how = 0; how < (int)(sizeof(ways) / sizeof(ways[0])); how++) {
		if (chmod(name, 04777))
			err(1, "%s", name);
		pid = fork();
		if (!pid) {
			if (user)
				become(user);
			_exit(!change(name, how));
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    stat(name, &st))
			err(1, "%s", name);
		printf("%s: %s, %o\n", ways[how], status ? "fails" : "ok",
		       st.st_mode & 07777);
	}
}

int main(int argc, char **argv)
{
	bool confined = false, by_fallocate = false;
	const char *outside = NULL;
	uid_t user = 0;
	int opt, i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < LENGTH; i++)
		data[i] = (char)(i * 7 + i / 4096 + 1);
	while ((opt = getopt(argc, argv, "lfu:o:")) != -1) {
		switch (opt) {
		case 'l':
			confined = true;
			break;
		case 'f':
			by_fallocate = true;
			break;
		case 'u':
			user = (uid_t)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			outside = optarg;
			break;
		default:
			errx(2, "unknown option");
		}
	}
	if (argc - optind == 2 && !strcmp(argv[optind], "suid")) {
		suid(argv[optind + 1], user);
		return 0;
	}
	if (user)
		become(user);
	if (argc - optind == 2 && !strcmp(argv[optind], "fill")) {
		fill(argv[optind + 1], by_fallocate);
		return 0;
	}
	if (argc - optind != 1)
		errx(2, "usage: bpio-confined [-l] [-u UID] [-o PATH] DIRECTORY");
	if (confined)
		landlock(argv[optind]);
	programs(argv[optind], outside);
	return failed;
}
