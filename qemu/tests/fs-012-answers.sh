#!/bin/bash
# purpose: odd system calls answer on a mount as on the file system below
# fs: ext4 xfs
# quick: stock
# needs: prog=filefrag prog=dmsetup
#
# lseek() before the start, FIDEDUPERANGE, syncfs() after a failed write-back. In
# make test on both file systems: each answers FIDEDUPERANGE in its own way.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"

disk=/dev/nvme0n1
# of 512 bytes; XFS wants 300 MiB
nr=$((320 << 11))
# shellcheck disable=SC2154 # of lib.sh
mnt=$tmp/mnt
mkdir "$mnt"

# A line for each call: errno, or what it returned.
program() {
	cat >"$tmp/answers.py" <<-'END'
	import ctypes, errno, fcntl, os, struct, subprocess, sys

	libc = ctypes.CDLL(None, use_errno=True)
	libc.lseek64.argtypes = [ctypes.c_int, ctypes.c_longlong, ctypes.c_int]
	libc.lseek64.restype = ctypes.c_longlong

	def answer(got):
	    return str(got) if got >= 0 else errno.errorcode[ctypes.get_errno()]

	def seek():
	    for size in 0, 8192:
	        fd = os.open("s", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
	        os.write(fd, b"x" * size)
	        for pos in -1, -4096, -5000, -(1 << 40), -(1 << 63), 0, 1, 8192:
	            for whence in os.SEEK_DATA, os.SEEK_HOLE:
	                print("seek", size, pos, whence,
	                      answer(libc.lseek64(fd, pos, whence)))
	        # the position is what it was, or what was found last
	        print("position", os.lseek(fd, 0, os.SEEK_CUR))
	        os.close(fd)

	# In the file's own status on a mount, where it tells of one file only.
	def dedupe():
	    for name in "one", "two":
	        with open(name, "wb") as f:
	            f.write(b"d" * 65536)
	    os.sync()
	    one, two = os.open("one", os.O_RDWR), os.open("two", os.O_RDWR)
	    request = bytearray(struct.pack("QQHHIqQQiI", 0, 65536, 1, 0, 0,
	                                    two, 0, 0, 0, 0))
	    try:
	        fcntl.ioctl(one, 0xC0189436, request)
	        status = struct.unpack("QQHHIqQQiI", request)[8]
	    except OSError as e:
	        status = -e.errno
	    print("dedupe", errno.errorcode[-status] if status < 0 else status)
	    os.close(one)
	    os.close(two)

	def table(text):
	    subprocess.run(["dmsetup", "load", "low"], input=text.encode(),
	                   check=True)
	    subprocess.run(["dmsetup", "suspend", "low"], check=True)
	    subprocess.run(["dmsetup", "resume", "low"], check=True)

	def syncs(name, fd):
	    print(name, answer(libc.syncfs(fd)))

	# write-back of the sectors from @first to @end fails
	def failing(disk, nr, first, end):
	    fd = os.open("f", os.O_RDWR)
	    before, other = os.open(".", os.O_RDONLY), os.open("s", os.O_RDONLY)
	    syncs("good", before)
	    table("0 %d linear %s 0\n%d %d error\n%d %d linear %s %d\n" %
	          (first, disk, first, end - first, end, nr - end, disk, end))
	    os.pwrite(fd, b"D" * 65536, 0)
	    syncs("the first", before)
	    syncs("again", before)
	    after = os.open("s", os.O_RDONLY)
	    syncs("opened before", other)
	    syncs("opened after it was told", after)
	    os.pwrite(fd, b"E" * 65536, 0)
	    os.sync()
	    syncs("a second time", after)
	    syncs("the first", before)
	    table("0 %d linear %s 0\n" % (nr, disk))
	    os.pwrite(fd, b"F" * 65536, 0)
	    syncs("good again", before)
	    syncs("and has one error left", other)

	os.chdir(sys.argv[1])
	seek()
	dedupe()
	failing(sys.argv[2], *map(int, sys.argv[3:]))
	END
}

# answers_of TYPE TO: of a fresh file system mounted as that
answers_of() {
	local first end

	dmsetup create low --table "0 $nr linear $disk 0"
	case $fs in
	xfs) mkfs.xfs -q -f -m reflink=1 /dev/mapper/low ;;
	*) mkfs.ext4 -q -F /dev/mapper/low ;;
	esac
	mount -t "$1" /dev/mapper/low "$mnt"
	bpio-verify fill "$mnt/f" 1 1M
	sync -f "$mnt"
	read -r first end < <(filefrag -v -b512 "$mnt/f" |
		awk '$1 == "0:" { print $4 + 0, $5 + 1 }')
	/usr/bin/python3 "$tmp/answers.py" "$mnt" "$disk" $nr "$first" \
		"$end" >"$2" || not_ok "$fs: $1: the program ends early"
	umount "$mnt"
	dmsetup remove --retry low
}

run() {
	answers_of "$fs" "$tmp/below"
	answers_of bpiofs "$tmp/mounted"
	check_equal "$fs: below: an error is reported once to each open file" \
		"0 EIO 0 EIO 0 EIO EIO 0 EIO" \
		"$(grep -vE '^(seek|position|dedupe)' "$tmp/below" |
			awk '{ print $NF }' | xargs)"
	check "$fs: a mount answers the same" \
		diff -u "$tmp/below" "$tmp/mounted"
	check_equal "$fs: before the start there is neither data nor a hole" \
		"20 ENXIO" "$(grep '^seek [0-9]* -' "$tmp/mounted" |
			awk '{ print $NF }' | sort | uniq -c | xargs)"
}

cleanup() {
	cd /
	! mountpoint -q "$mnt" || umount "$mnt"
	! dmsetup info low >/dev/null 2>&1 || dmsetup remove --retry low
}

load_modules
defer unload_modules
defer cleanup
program
for fs in $BPIO_FS; do run; done
finish
