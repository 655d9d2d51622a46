#!/bin/bash
# purpose: who waits for a bypassed read that is under way, and who does not
# fs: ext4 xfs
# quick: stock stock-6.12
# smp: 2
# timeout: 400
# checks: 66
#
# A truncation, STREAM_PAUSE and DISABLE wait until the device has answered, and
# are not overtaken by new reads for ever; no truncation waits for memory that the
# reader has yet to get. What the device reads into memory that is mapped from a
# file gets into that file, whoever writes it back meanwhile.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

delay_ms=1500
slow=$(volume slow)
need_module dm-delay

# slow_table MILLISECONDS: for each read.
slow_table() {
	echo "0 $(blockdev --getsz "$disk") delay $disk 0 $1 $disk 0 0"
}

remove_slow() { [ ! -e $slow ] || dmsetup remove --retry bpio-slow; }

cat >"$tmp/waits.py" <<'END'
import ctypes, fcntl, mmap, os, select, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
LENGTH = 8192
what, engine, path = sys.argv[1:]
now = time.monotonic

class Reader:
    """A direct read of LENGTH bytes at 0, by preadv or libaio, in a thread."""
    def __init__(self, memory=None):
        self.memory = memory or mmap.mmap(-1, LENGTH,
                                          flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
        self.thread = threading.Thread(target=self.run)
    def run(self):
        self.got = {"sync": self.sync, "aio": self.aio}[engine]()
        self.done = now()
    def sync(self):
        return os.preadv(self.fd, [self.memory], 0)
    def aio(self):
        context = ctypes.c_ulong()
        assert libc.syscall(206, 1, ctypes.byref(context)) == 0     # io_setup
        # struct iocb: data, key, rw_flags, opcode, reqprio, fd, buf, nbytes, offset
        iocb = ctypes.create_string_buffer(struct.pack(
            "QIIHhIQQqQII", 0, 0, 0, 0, 0, self.fd, self.address, LENGTH, 0, 0, 0, 0))
        one = ctypes.c_void_p(ctypes.addressof(iocb))
        assert libc.syscall(209, context, 1, ctypes.byref(one)) == 1    # io_submit
        event = ctypes.create_string_buffer(32)
        assert libc.syscall(208, context, 1, 1, event, None) == 1   # io_getevents
        return struct.unpack("QQqq", event.raw)[2]
    def check(self):
        self.thread.join()
        assert self.got == LENGTH, self.got
        assert self.memory[:] == open(path + ".want", "rb").read(LENGTH), "wrong bytes"

def learn():
    """Where the blocks lie: the read after that is of what is known."""
    reader = Reader()
    reader.thread.start()
    reader.check()

def truncate():
    os.truncate(path, os.stat(path).st_size - 4096)

def control(*operations):
    subprocess.run(["bpio-ctl", path, *operations], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)

actions = {"truncate": truncate, "pause": lambda: control("pauses"),
           "disable": lambda: control("enable", "disable")}

def in_time(attempt):
    """On a busy machine it may take some; too slow at each: skipped."""
    for _ in range(5):
        if attempt():
            return
    print("the machine is too slow to tell")
    sys.exit(77)

def waited_for():
    """The action ends after the read, by the device, that had begun before."""
    action = actions[what]
    alone = now()
    action()
    alone = now() - alone
    control("resumes")
    learn()
    reader = Reader()
    reader.thread.start()
    time.sleep(0.7)     # nobody tells when it has reached the device
    began = now()
    action()
    ended = now()
    reader.check()
    control("resumes")
    print("# alone %d ms, now %d ms, the read after %d ms" % (
        alone * 1000, (ended - began) * 1000, (reader.done - began) * 1000))
    if alone > (reader.done - began) / 2 or reader.done - began < 0.3:
        return False
    assert ended >= reader.done - 0.02, "it did not wait"
    return True

def not_overtaken():
    """Reads that overlap, so that there is always one, keep nobody for ever."""
    stop = []
    def read(after):
        time.sleep(after)
        while not stop:
            reader = Reader()
            reader.thread.start()
            reader.check()
            os.close(reader.fd)
    threads = [threading.Thread(target=read, args=(n * 0.6,)) for n in range(4)]
    for t in threads:
        t.start()
    time.sleep(2.5)
    began = now()
    try:
        control("enable", "disable")
        print("# DISABLE took %d ms" % ((now() - began) * 1000))
    finally:
        stop.append(True)
        for t in threads:
            t.join()

def written_back():
    """The pages of another file are written back while the device reads into them."""
    learn()
    fd = os.open("other", os.O_RDWR)
    os.pwrite(fd, bytes(LENGTH), 0)
    os.fsync(fd)
    reader = Reader(mmap.mmap(fd, LENGTH))
    reader.thread.start()
    time.sleep(0.7)
    os.fsync(fd)
    written = now()
    reader.check()
    return reader.done > written

def memory():
    """Pages that another thread makes (userfaultfd), after the truncation."""
    reader = Reader()
    faults = libc.syscall(323, os.O_CLOEXEC | os.O_NONBLOCK)    # userfaultfd
    assert faults >= 0, os.strerror(ctypes.get_errno())
    fcntl.ioctl(faults, 0xc018aa3f, struct.pack("QQQ", 0xaa, 0, 0))     # UFFDIO_API
    # UFFDIO_REGISTER, pages that are missing
    fcntl.ioctl(faults, 0xc020aa00, struct.pack("QQQQ", reader.address, LENGTH, 1, 0))
    reader.thread.start()
    assert select.select([faults], [], [], 20)[0], "it asks for no memory"
    cutter = threading.Thread(target=truncate)
    cutter.start()
    cutter.join(10)
    waited = cutter.is_alive()
    # UFFDIO_ZEROPAGE
    fcntl.ioctl(faults, 0xc020aa04, struct.pack("QQQQ", reader.address, LENGTH, 0, 0))
    reader.check()
    cutter.join()
    assert not waited, "the truncation waited for the reader's memory"

if what in actions:
    in_time(waited_for)
elif what == "written":
    in_time(written_back)
else:
    {"memory": memory, "overtake": not_overtaken}[what]()
END

waits() {
	/usr/bin/python3 "$tmp/waits.py" "$1" "$2" file
}

# waits_case TEXT WHAT ENGINE
waits_case() {
	local status=0

	waits "$2" "$3" >"$tmp/said" 2>&1 || status=$?
	cat "$tmp/said"
	case $status in
	0) ok "$1" ;;
	77) echo "skip - $1: $(tail -n 1 "$tmp/said")" ;;
	*) not_ok "$1" ;;
	esac
}

# syscall 323, ENOSYS
has_userfaultfd() {
	/usr/bin/python3 -c 'import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(libc.syscall(323, 0) < 0 and ctypes.get_errno() == 38)'
}

faults() {
	local engine

	has_userfaultfd || {
		echo "skip - $fs: this kernel has no userfaultfd"
		return
	}
	for engine in sync aio; do
		begin v
		waits_case "$fs: $engine: a truncation does not wait for its memory" \
			memory $engine
		check_gained "$fs: $engine: it was bypassed all the same" v \
			full_reads=1 full_bytes=8192 traditional_reads=0
	done
}

run() {
	local engine what

	dmsetup create bpio-slow --table "$(slow_table 0)"
	make_volume v $slow 0 any_storage
	make_fs "$fs" "$(volume v)"
	mount_volume v bypassio=auto
	cd "$tmp/v"
	bpio-verify fill file 5 1M
	cp file "$tmp/want"
	ln -s "$tmp/want" file.want
	sync -f .
	bpio-verify check -e file 5
	faults

	dmsetup load bpio-slow --table "$(slow_table $delay_ms)"
	dmsetup resume bpio-slow
	for engine in sync aio; do
		for what in truncate pause disable; do
			waits_case "$fs: $engine: $what waits for the device" \
				$what $engine
		done
	done
	for engine in sync aio; do
		head -c 8192 /dev/zero >other
		sync -f .
		waits_case "$fs: $engine: memory that is written back meanwhile" \
			written $engine
		dd if=other of="$tmp/other" bs=8192 count=1 iflag=direct \
			status=none
		check "$fs: $engine: is written back once more" \
			cmp -n 8192 file.want "$tmp/other"
	done
	begin v
	waits_case "$fs: DISABLE is not overtaken by the reads of others" \
		overtake sync
	check_gained "$fs: which are bypassed" v "full_reads>3"
	dmsetup load bpio-slow --table "$(slow_table 0)"
	dmsetup resume bpio-slow
	cd /
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
	remove_slow
}

defer remove_slow
on_each_fs run
finish
