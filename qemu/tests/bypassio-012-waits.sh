#!/bin/bash
# purpose: a bypassed read that waits for its reader's memory keeps nobody waiting
# smp: 2
# releases: all
#
# The memory's pages are made by another thread (userfaultfd), and not before the
# file has been cut shorter, which waits for direct reads that are under way.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

# syscall 323, ENOSYS
/usr/bin/python3 -c 'import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(libc.syscall(323, 0) < 0 and ctypes.get_errno() == 38)' ||
	skip "this kernel has no userfaultfd"

read_into_nothing() { # sync|aio
	/usr/bin/python3 - "$1" file <<-'END'
	import ctypes, fcntl, mmap, os, select, struct, sys, threading, time
	libc = ctypes.CDLL(None, use_errno=True)
	LENGTH = 8192
	engine, path = sys.argv[1:]
	want = open(path + ".want", "rb").read(LENGTH)

	memory = mmap.mmap(-1, LENGTH, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
	address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
	faults = libc.syscall(323, os.O_CLOEXEC | os.O_NONBLOCK)    # userfaultfd
	assert faults >= 0, os.strerror(ctypes.get_errno())
	fcntl.ioctl(faults, 0xc018aa3f, struct.pack("QQQ", 0xaa, 0, 0))   # UFFDIO_API
	# UFFDIO_REGISTER, pages that are missing
	fcntl.ioctl(faults, 0xc020aa00, struct.pack("QQQQ", address, LENGTH, 1, 0))

	fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
	got = []
	def sync():
	    got.append(os.preadv(fd, [memory], 0))
	def aio():
	    context = ctypes.c_ulong()
	    assert libc.syscall(206, 1, ctypes.byref(context)) == 0     # io_setup
	    # struct iocb: data, key, rw_flags, opcode, reqprio, fd, buf, nbytes, offset
	    iocb = ctypes.create_string_buffer(struct.pack(
	        "QIIHhIQQqQII", 0, 0, 0, 0, 0, fd, address, LENGTH, 0, 0, 0, 0))
	    one = ctypes.c_void_p(ctypes.addressof(iocb))
	    assert libc.syscall(209, context, 1, ctypes.byref(one)) == 1   # io_submit
	    event = ctypes.create_string_buffer(32)
	    assert libc.syscall(208, context, 1, 1, event, None) == 1   # io_getevents
	    got.append(struct.unpack("QQqq", event.raw)[2])
	reader = threading.Thread(target={"sync": sync, "aio": aio}[engine])
	reader.start()
	assert select.select([faults], [], [], 20)[0], "it asks for no memory"

	def cut():
	    os.truncate(path, os.stat(path).st_size - 4096)
	cutter = threading.Thread(target=cut)
	began = time.monotonic()
	cutter.start()
	cutter.join(10)
	waited = cutter.is_alive()
	# UFFDIO_ZEROPAGE
	fcntl.ioctl(faults, 0xc020aa04, struct.pack("QQQQ", address, LENGTH, 0, 0))
	reader.join()
	cutter.join()
	assert got == [LENGTH], got
	assert memory[:] == want, "wrong bytes"
	assert not waited, "the truncation waited for the reader's memory"
	print("# the truncation took %d ms" % ((time.monotonic() - began) * 1000))
	END
}

run() {
	local engine

	make_volume v "$disk"
	make_fs "$fs" "$(volume v)"
	mount_volume v bypassio=auto
	cd "$tmp/v"
	bpio-verify fill file 5 1M
	cp file "$tmp/want"
	ln -s "$tmp/want" file.want
	sync -f .
	bpio-verify check -e file 5
	for engine in sync aio; do
		begin v
		check "$fs: $engine: it is cut shorter meanwhile, the bytes are right" \
			read_into_nothing $engine
		check_gained "$fs: $engine: and bypassed all the same" v \
			full_reads=1 full_bytes=8192 traditional_reads=0
	done
	cd /
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs both run
finish
