#!/bin/bash
# purpose: nameless files, durability, notifications, leases, quota, overlays
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
# needs: prog=fincore prog=chattr
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

mount_options=(-o lowerdata=usrquota)

ext4_features=(-O "quota,project" -E quotatype=usrquota)

nameless() {
	python3 - <<-'END'
	import ctypes, os, stat
	libc = ctypes.CDLL(None, use_errno=True)
	def link(fd, name):
	    # AT_FDCWD, AT_SYMLINK_FOLLOW
	    if libc.linkat(-100, b"/proc/self/fd/%d" % fd, -100, name, 0x400):
	        raise OSError(ctypes.get_errno(), "linkat")
	os.umask(0o027)
	before = os.listdir(".")
	fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o666)
	st = os.fstat(fd)
	assert st.st_nlink == 0 and stat.S_IMODE(st.st_mode) == 0o640, st
	os.write(fd, b"no name yet")
	assert os.pread(fd, 100, 0) == b"no name yet"
	assert os.listdir(".") == before
	link(fd, b"named")
	assert os.fstat(fd).st_nlink == 1
	assert open("named").read() == "no name yet"
	assert os.stat("named").st_ino == st.st_ino
	os.close(fd)
	fd = os.open(".", os.O_TMPFILE | os.O_EXCL | os.O_RDWR)
	try:
	    link(fd, b"never")
	    raise SystemExit("it got a name")
	except FileNotFoundError:
	    pass
	os.close(fd)
	for i in range(100):
	    fd = os.open(".", os.O_TMPFILE | os.O_WRONLY)
	    os.write(fd, b"x" * 70000)
	    os.close(fd)
	os.unlink("named")
	fd = os.open(".", os.O_TMPFILE | os.O_RDWR)
	os.write(fd, b"durable")
	link(fd, b"durable")
	END
	ok "$fs: O_TMPFILE: nobody sees it, it can be given a name, or not"
	cd /
	umount "$mnt"
	check "$fs: nothing is left of the others" fsck_clean "$fs"
	mount_bpiofs
	cd "$mnt"
	check_equal "$fs: and it is there after a remount" durable \
		"$(cat durable)"
}

flushes() { awk '{ print $16 }' /sys/block/nvme0n1/stat; }

durable() {
	local before how

	for how in oflag=sync oflag=dsync oflag=direct,dsync conv=fsync \
		conv=fdatasync; do
		sync -f .
		before=$(flushes)
		dd if=/dev/zero of=sync bs=64k count=1 status=none "$how"
		check "$fs: dd $how flushes the device's cache" \
			test "$(flushes)" -gt "$before"
	done
	python3 - <<-'END'
	import os
	fd = os.open("rwf", os.O_RDWR | os.O_CREAT)
	flushes = lambda: int(open("/sys/block/nvme0n1/stat").read().split()[15])
	os.sync()
	before = flushes()
	assert os.pwritev(fd, [b"a" * 4096], 0, os.RWF_DSYNC) == 4096
	assert flushes() > before, "RWF_DSYNC"
	before = flushes()
	assert os.pwritev(fd, [b"b" * 4096], 4096, os.RWF_SYNC) == 4096
	assert flushes() > before, "RWF_SYNC"
	assert os.pwritev(fd, [b"c" * 4096], 0, os.RWF_APPEND) == 4096
	assert os.fstat(fd).st_size == 12288
	assert os.pread(fd, 1, 8192) == b"c"
	buf = bytearray(4096)
	assert os.preadv(fd, [buf], 0, os.RWF_NOWAIT) == 4096 and buf == b"a" * 4096
	os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
	try:
	    assert os.preadv(fd, [buf], 0, os.RWF_NOWAIT) == 4096
	except BlockingIOError:
	    pass
	try:
	    os.preadv(fd, [buf], 0, 0x40000000)
	    raise SystemExit("an unknown flag was taken")
	except OSError as e:
	    assert e.errno == 95, e
	END
	ok "$fs: RWF_DSYNC, RWF_SYNC, RWF_APPEND, RWF_NOWAIT, none unknown"
}

# shellcheck disable=SC2317 # called by wait_for
in_page_cache() { [ "$(fincore -nbo PAGES "$1")" -gt 0 ]; }

cached() {
	bpio-verify fill advice 1 512K
	python3 -c '
import os
fd = os.open("advice", os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)'
	check "$fs: POSIX_FADV_DONTNEED drops the pages" \
		test "$(fincore -nbo PAGES advice)" -eq 0
	python3 -c '
import os
fd = os.open("advice", os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_WILLNEED)'
	check "$fs: POSIX_FADV_WILLNEED reads them" \
		wait_for 10 in_page_cache advice
	python3 - <<-'END'
	import ctypes, os
	libc = ctypes.CDLL(None, use_errno=True)
	fd = os.open("advice", os.O_RDONLY)
	out = os.open("sent", os.O_RDWR | os.O_CREAT)
	left, at = os.fstat(fd).st_size, 0
	while left:
	    n = os.sendfile(out, fd, at, left)
	    at, left = at + n, left - n
	assert open("sent", "rb").read() == open("advice", "rb").read()
	assert libc.readahead(fd, ctypes.c_long(0), 65536) == 0
	END
	ok "$fs: sendfile and readahead"
	python3 - <<-'END'
	import mmap, os, time
	fd = os.open("advice", os.O_RDWR)
	old = os.fstat(fd).st_mtime_ns
	m = mmap.mmap(fd, 4096)
	# the clock of a file system ticks every few milliseconds
	while time.clock_gettime_ns(5) <= old:	# CLOCK_REALTIME_COARSE
	    pass
	m[0] ^= 255
	m.flush()
	assert os.fstat(fd).st_mtime_ns > old
	assert os.pread(fd, 1, 0)[0] == m[0]
	END
	ok "$fs: a write to a mapping counts as a change"
	python3 - "$fs" <<-'END'
	import ctypes, os, struct, sys
	libc = ctypes.CDLL(None, use_errno=True)
	def dio(path):
	    b = ctypes.create_string_buffer(256)
	    # SYS_statx, STATX_DIOALIGN
	    assert libc.syscall(332, -100, path, 0, 0x2000, b) == 0
	    mask, = struct.unpack_from("I", b, 0)
	    return mask & 0x2000, struct.unpack_from("II", b, 152)
	got, align = dio(b"advice")
	assert got and 0 < align[0] <= 4096 and 512 <= align[1] <= 4096, (got, align)
	print("# direct I/O alignment", align)
	END
	ok "$fs: statx tells what direct I/O needs"
}

watched() {
	python3 - <<-'END'
	import ctypes, os, struct
	libc = ctypes.CDLL(None, use_errno=True)
	IN_ACCESS, IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE = 1, 2, 4, 8
	IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 64, 128, 256, 512
	fd = libc.inotify_init1(os.O_NONBLOCK)
	assert libc.inotify_add_watch(fd, b".", 0xfff) > 0
	def events():
	    got, data = [], os.read(fd, 65536)
	    while data:
	        wd, mask, cookie, n = struct.unpack_from("iIII", data)
	        got.append((data[16:16 + n].rstrip(b"\0").decode(), mask & 0xfff))
	        data = data[16 + n:]
	    return got
	with open("w1", "w") as f:
	    f.write("x")
	open("w1").read()
	os.chmod("w1", 0o600)
	os.rename("w1", "w2")
	os.unlink("w2")
	got = events()
	for e in (("w1", IN_CREATE), ("w1", IN_MODIFY), ("w1", IN_CLOSE_WRITE),
	          ("w1", IN_ACCESS), ("w1", IN_ATTRIB), ("w1", IN_MOVED_FROM),
	          ("w2", IN_MOVED_TO), ("w2", IN_DELETE)):
	    assert got.count(e) == 1, (e, got)
	END
	ok "$fs: inotify tells of each"
	python3 - <<-'END'
	import fcntl, os, signal
	open("lease", "w").close()
	told = []
	signal.signal(signal.SIGIO, lambda *a: told.append(1))
	fd = os.open("lease", os.O_RDWR)
	fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
	assert fcntl.fcntl(fd, fcntl.F_GETLEASE) == fcntl.F_WRLCK
	pid = os.fork()
	if pid == 0:
	    try:
	        os.open("lease", os.O_RDONLY | os.O_NONBLOCK)
	    except BlockingIOError:
	        os._exit(0)
	    os._exit(1)
	assert os.waitpid(pid, 0)[1] == 0 and told
	fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
	os.open("lease", os.O_RDONLY | os.O_NONBLOCK)
	fcntl.flock(fd, fcntl.LOCK_EX)
	other = os.open("lease", os.O_RDWR)
	try:
	    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
	    raise SystemExit("two have it locked")
	except BlockingIOError:
	    pass
	END
	ok "$fs: leases break, flock excludes"
}

owned() {
	touch project
	chattr -p 4711 project
	check_equal "$fs: project id" 4711 "$(lsattr -p project | awk '{ print $1 }')"
	mkdir heirs
	chattr +P -p 4712 heirs
	touch heirs/one
	check_equal "$fs: is inherited" 4712 \
		"$(lsattr -p heirs/one | awk '{ print $1 }')"

	chmod 1777 .
	python3 - "$dev" <<-'END'
	import ctypes, errno, os, struct, sys
	libc = ctypes.CDLL(None, use_errno=True)
	dev, uid = sys.argv[1].encode(), 4711
	# struct if_dqblk: hard and soft limit in KiB blocks
	limit = struct.pack("QQQQQQQQI4x", 1024, 1024, 0, 0, 0, 0, 0, 0, 1)
	Q_GETQUOTA, Q_SETQUOTA = 0x800007, 0x800008
	if libc.quotactl(Q_SETQUOTA << 8, dev, uid, limit):
	    raise OSError(ctypes.get_errno(), "Q_SETQUOTA")
	if os.fork() == 0:
	    os.setgid(4711); os.setuid(uid)
	    fd = os.open("mine", os.O_RDWR | os.O_CREAT)
	    try:
	        for i in range(32):
	            os.pwrite(fd, b"x" * 65536, i << 16)
	        os.fsync(fd)
	    except OSError as e:
	        os._exit(0 if e.errno == errno.EDQUOT else 2)
	    os._exit(1)
	assert os.wait()[1] == 0, "no EDQUOT"
	got = ctypes.create_string_buffer(72)
	os.sync()
	assert libc.quotactl(Q_GETQUOTA << 8, dev, uid, got) == 0
	used = struct.unpack_from("Q", got, 16)[0]
	assert 0 < used <= 1024 << 10, used
	END
	ok "$fs: the lower file system's quota holds"
}

# shellcheck disable=SC2317 # deferred
umount_overlay() {
	! mountpoint -q "$tmp/overlay/mnt" || umount "$tmp/overlay/mnt"
	! mountpoint -q "$tmp/overlay/top" || umount "$tmp/overlay/top"
}

stacked() {
	local o=$tmp/overlay

	modprobe -q overlay || {
		echo "skip - $fs: an overlay: the kernel has none"
		return
	}
	mkdir -p lower "$o/top" "$o/mnt"
	echo below >lower/one
	echo below >lower/two
	cp /bin/bash lower
	mount -t tmpfs tmpfs "$o/top"
	mkdir "$o/top/upper" "$o/top/work"
	mount -t overlay overlay "$o/mnt" \
		-o "lowerdir=lower,upperdir=$o/top/upper,workdir=$o/top/work"
	check_equal "$fs: an overlay shows what is below" below "$(cat "$o/mnt/one")"
	python3 - "$o/mnt/bash" <<-'END'
	import mmap, os, sys
	want = open("/bin/bash", "rb").read()
	fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
	into = mmap.mmap(-1, 65536)
	assert os.preadv(fd, [into], 65536) == 65536
	assert into[:] == want[65536:131072]
	assert mmap.mmap(fd, 0, prot=mmap.PROT_READ)[:] == want
	out = os.open("copy", os.O_RDWR | os.O_CREAT)
	fd = os.open(sys.argv[1], os.O_RDONLY)
	at = 0
	while at < len(want):
	    at += os.sendfile(out, fd, at, len(want) - at)
	assert open("copy", "rb").read() == want
	END
	ok "$fs: read directly, mapped and copied through it"
	check_equal "$fs: a program runs from it" fine \
		"$("$o/mnt/bash" -c 'echo fine')"
	echo above >"$o/mnt/one"
	rm "$o/mnt/two"
	check_equal "$fs: and leaves it as it is" "below below above" \
		"$(cat lower/one lower/two "$o/mnt/one" | xargs)"
	umount_overlay
}

everything() {
	nameless
	durable
	cached
	watched
	owned
	stacked
}

defer umount_overlay
on_each_mount everything
finish
