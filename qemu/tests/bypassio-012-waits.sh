#!/bin/bash
# purpose: the memory of a bypassed read: nobody waits for it, and nothing of it is lost
# fs: ext4 xfs
# quick: stock stock-6.12:xfs debug:ext4
#
# No truncation waits for memory that the reader has yet to get. What the device
# reads into memory that is mapped from a file gets into that file, whoever writes it
# back meanwhile. Who does wait: bypassio-018.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

cat >"$tmp/read.py" <<'END'
import ctypes, fcntl, mmap, os, select, struct, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
LENGTH = 8192
what, engine, path, *more = sys.argv[1:]

class Reader:
    """A direct read of LENGTH bytes at 0, by preadv or libaio, in a thread."""
    def __init__(self, memory=None):
        self.memory = memory or mmap.mmap(-1, LENGTH,
                                          flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
        self.got = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
    def run(self):
        self.got = {"sync": self.sync, "aio": self.aio}[engine]()
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
        os.close(self.fd)
        assert self.got == LENGTH, self.got
        assert self.memory[:] == open(path + ".want", "rb").read(LENGTH), "wrong bytes"

def memory():
    """Pages that another thread makes (userfaultfd), after the truncation."""
    area = mmap.mmap(-1, LENGTH, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    faults = libc.syscall(323, os.O_CLOEXEC | os.O_NONBLOCK)    # userfaultfd
    assert faults >= 0, os.strerror(ctypes.get_errno())
    fcntl.ioctl(faults, 0xc018aa3f, struct.pack("QQQ", 0xaa, 0, 0))     # UFFDIO_API
    # UFFDIO_REGISTER, pages that are missing
    fcntl.ioctl(faults, 0xc020aa00, struct.pack("QQQQ", address, LENGTH, 1, 0))
    reader = Reader(area)
    assert select.select([faults], [], [], 60)[0], "it asks for no memory"
    size = os.stat(path).st_size - 4096
    cutter = threading.Thread(target=os.truncate, args=(path, size))
    cutter.start()
    cutter.join(60)
    waited = cutter.is_alive()
    # UFFDIO_ZEROPAGE
    fcntl.ioctl(faults, 0xc020aa04, struct.pack("QQQQ", address, LENGTH, 0, 0))
    reader.check()
    cutter.join()
    assert not waited, "the truncation waited for the reader's memory"

def written():
    """more: the file that the memory is of, and the device that holds the read."""
    other, held = more
    fd = os.open(other, os.O_RDWR)
    reader = Reader(mmap.mmap(fd, LENGTH))
    with open("/proc/self/task/%d/stack" % reader.thread.native_id) as stack:
        asleep = {"sync": "read_alone", "aio": "read_events"}[engine]
        while asleep not in stack.read():
            assert reader.thread.is_alive(), "the device does not hold it"
            stack.seek(0)
    # without the read's bytes, which have yet to come
    os.fsync(fd)
    assert reader.got is None
    subprocess.run(["dmsetup", "resume", held], check=True)
    reader.check()

{"memory": memory, "written": written}[what]()
END

# read_file WHAT ENGINE [ARG...]
read_file() { /usr/bin/python3 "$tmp/read.py" "$1" "$2" "$tmp/v/file" "${@:3}"; }

# syscall 323, ENOSYS
has_userfaultfd() {
	/usr/bin/python3 -c 'import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(libc.syscall(323, 0) < 0 and ctypes.get_errno() == 38)'
}

memory() {
	local engine

	has_userfaultfd || {
		echo "skip - $fs: this kernel has no userfaultfd"
		return
	}
	for engine in sync aio; do
		begin v
		check "$fs: $engine: a truncation does not wait for its memory" \
			read_file memory "$engine"
		check_gained "$fs: $engine: it was bypassed all the same" v \
			full_reads=1 full_bytes=8192 traditional_reads=0
	done
}

written_back() {
	local engine

	for engine in sync aio; do
		head -c 8192 /dev/zero >"$tmp/o/other"
		sync -f "$tmp/o"
		dmsetup suspend --noflush --nolockfs bpio-held
		begin v
		check "$fs: $engine: memory that is written back meanwhile" \
			read_file written "$engine" "$tmp/o/other" bpio-held
		check_gained "$fs: $engine: was read into by a bypassed read" v \
			full_reads=1 full_bytes=8192
		sync -f "$tmp/o"
		dd if="$tmp/o/other" of="$tmp/other" bs=8192 count=1 \
			iflag=direct status=none
		check "$fs: $engine: and is written back once more" \
			cmp -n 8192 "$tmp/v/file.want" "$tmp/other"
	done
}

run() {
	dmsetup create bpio-held --table \
		"0 $((volume_mib << 11)) linear $disk 0"
	live[held]=yes
	defer remove_volume held
	make_volume v "$(volume held)" 0 any_storage
	make_fs "$fs" "$(volume v)"
	mount_volume v bypassio=auto
	bpio-verify fill "$tmp/v/file" 5 1M
	cp "$tmp/v/file" "$tmp/want"
	ln -s "$tmp/want" "$tmp/v/file.want"
	sync -f "$tmp/v"
	# where it lies is known from now on
	bpio-verify check -e "$tmp/v/file" 5
	memory
	bpio-verify check -e -l 512K "$tmp/v/file" 5
	written_back
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
	remove_volume held
}

setup_volume o ext4 "$disk2"
on_each_fs run
finish
