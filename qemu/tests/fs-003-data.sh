#!/bin/bash
# purpose: reads, writes, sizes, mappings, O_DIRECT and splice agree
# fs: ext4 xfs
# quick: stock:ext4
# needs: prog=fio prog=xfs_io
# timeout: 240
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

# what is copied
mib=$((8 / scale))

size_of() { stat -c %s "$1"; }

sizes() {
	printf 12345 >s
	check_equal "$fs: size after write" 5 "$(size_of s)"
	printf 678 >>s
	check_equal "$fs: after append" 8 "$(size_of s)"
	truncate -s 3 s
	check_equal "$fs: after truncate" "3 123" "$(size_of s) $(cat s)"
	truncate -s 10000 s
	check "$fs: grown: zeros" cmp s <(printf 123; head -c 9997 /dev/zero)
	: >s
	check_equal "$fs: after O_TRUNC" 0 "$(size_of s)"
	xfs_io -f -c 'falloc 0 1m' -c 'pwrite -q 4k 4k' s
	check_equal "$fs: fallocate" 1048576 "$(size_of s)"
	xfs_io -c 'falloc -k 1m 1m' s
	check_equal "$fs: fallocate beyond the end, size kept" 1048576 \
		"$(size_of s)"
	xfs_io -c 'fpunch 4k 4k' s
	check "$fs: a punched hole reads zeros" cmp -n 1048576 s /dev/zero
	xfs_io -c 'pwrite -q -S 0x55 512k 4k' -c fsync s
	xfs_io -c 'fcollapse 0 512k' s
	check_equal "$fs: collapse moves the rest" "524288 55" \
		"$(size_of s) $(od -An -tx1 -N1 s | tr -d " ")"
	xfs_io -f -c 'truncate 1m' -c 'pwrite -q 512k 64k' -c fsync hole
	check_equal "$fs: SEEK_DATA" "DATA 524288" \
		"$(xfs_io -r -c 'seek -d 0' hole | tail -1 | tr -s '\t ' ' ')"
	check_equal "$fs: SEEK_HOLE" "HOLE 589824" \
		"$(xfs_io -r -c 'seek -h 512k' hole | tail -1 | tr -s '\t ' ' ')"
	xfs_io -f -d -c 'pwrite -q -b 4k 0 16k' direct
	check_equal "$fs: size after direct writes" 16384 "$(size_of direct)"
	python3 - <<-'END'
	import os
	a = os.open("two", os.O_RDWR | os.O_CREAT)
	b = os.open("two", os.O_RDWR | os.O_APPEND)
	os.write(a, b"0123456789")
	os.write(b, b"abc")
	assert os.fstat(a).st_size == 13
	assert os.lseek(a, 0, os.SEEK_END) == 13
	os.ftruncate(b, 4)
	assert os.lseek(a, -1, os.SEEK_END) == 3 and os.read(a, 9) == b"3"
	assert os.pwritev(a, [b"zz"], 0) == 2 and os.pread(b, 9, 0) == b"zz23"
	assert os.lseek(a, 7, os.SEEK_SET) == 7 and os.read(a, 1) == b""
	END
	ok "$fs: two opens of a file agree"
}

flags() {
	python3 - <<-'END'
	import fcntl, mmap, os
	fd = os.open("setfl", os.O_RDWR | os.O_CREAT)
	def setfl(flags):
	    fcntl.fcntl(fd, fcntl.F_SETFL, flags)
	page = mmap.mmap(-1, 4096)
	page[:] = b"D" * 4096
	setfl(os.O_DIRECT)
	assert os.pwritev(fd, [page], 0) == 4096
	try:
	    os.pwrite(fd, b"odd", 1)
	    raise SystemExit("an unaligned write went with O_DIRECT")
	except OSError as e:
	    assert e.errno == 22
	setfl(0)
	assert os.pwrite(fd, b"odd", 1) == 3
	setfl(os.O_DIRECT)
	assert os.preadv(fd, [page], 0) == 4096
	assert page[:6] == b"DoddDD"
	setfl(os.O_APPEND)
	os.lseek(fd, 0, 0)
	os.write(fd, b"end")
	assert os.fstat(fd).st_size == 4099
	END
	ok "$fs: O_DIRECT and O_APPEND can be turned on and off"
	check_equal "$fs: a direct read sees cached data" same \
		"$(echo same >mix; dd if=mix iflag=direct bs=4k status=none)"
}

mappings() {
	python3 - <<-'END'
	import mmap, os
	fd = os.open("map", os.O_RDWR | os.O_CREAT)
	os.ftruncate(fd, 1 << 20)
	m = mmap.mmap(fd, 1 << 20)
	m[5000:5005] = b"store"
	assert os.pread(fd, 5, 5000) == b"store"
	os.pwrite(fd, b"write", 9000)
	assert m[9000:9005] == b"write"
	m.flush()
	d = os.open("map", os.O_RDONLY | os.O_DIRECT)
	buf = mmap.mmap(-1, 8192)
	assert os.preadv(d, [buf], 4096) == 8192
	assert buf[904:909] == b"store" and buf[4904:4909] == b"write"
	p = mmap.mmap(fd, 4096, mmap.MAP_PRIVATE)
	p[0:4] = b"mine"
	assert os.pread(fd, 4, 0) == bytes(4)
	ro = os.open("map", os.O_RDONLY)
	try:
	    mmap.mmap(ro, 4096, mmap.MAP_SHARED, mmap.PROT_WRITE)
	    raise SystemExit("mapped for writing")
	except PermissionError:
	    pass
	os.unlink("map")
	os.close(fd); os.close(d); os.close(ro)
	m[0:4] = b"late"
	assert m[0:4] == b"late" and m[5000:5005] == b"store"
	END
	ok "$fs: shared and private mappings, after unlink too"
	cp /bin/bash .
	check_equal "$fs: programs run" fine "$(./bash -c 'echo fine')"
}

open_files() {
	local free

	echo kept >gone
	exec 7<>gone
	rm gone
	check_equal "$fs: an unlinked open file" "kept 0" \
		"$(cat <&7) $(stat -L -c %h /proc/self/fd/7)"
	echo more >&7
	truncate -s 2 /proc/self/fd/7
	check_equal "$fs: can be changed" 2 "$(stat -L -c %s /proc/self/fd/7)"
	exec 7>&-
	echo first >here
	exec 7<>here
	mkdir -p sub
	mv here sub/there
	echo second >>sub/there
	check_equal "$fs: a file renamed while open" "first second" \
		"$(xargs <&7)"
	exec 7>&-
	mkdir dead
	cd dead
	rmdir ../dead
	check "$fs: nothing is made in a removed directory" \
		python3 -c 'import errno, os
try:
    os.open("x", os.O_CREAT | os.O_WRONLY)
except FileNotFoundError:
    os._exit(0)
os._exit(1)'
	cd "$mnt"
	free=$(stat -f -c %f .)
	xfs_io -f -c "pwrite -q -b 1m 0 $((4 * mib))m" -c fsync big
	rm big
	check "$fs: unlink frees the blocks" wait_for 20 \
		bash -c "[ \$(stat -f -c %f .) -ge $((free - 64)) ]"
}

copies() {
	bpio-verify fill src 1 "${mib}M"
	cp src dst
	check "$fs: cp" cmp src dst
	cp src /tmp/copy.$$
	check "$fs: cp out" cmp src /tmp/copy.$$
	rm /tmp/copy.$$
	# shellcheck disable=SC2002 # splice
	cat src | cat >piped
	check "$fs: through a pipe" cmp src piped
	python3 - "$mib" <<-'END'
	import os, sys
	length = int(sys.argv[1]) << 20
	src, dst = os.open("src", 0), os.open("sent", os.O_WRONLY | os.O_CREAT)
	total = 0
	while n := os.sendfile(dst, src, None, 1 << 20):
	    total += n
	assert total == length
	r, w = os.pipe()
	off = 0
	out = os.open("spliced", os.O_WRONLY | os.O_CREAT)
	while n := os.splice(src, w, 65536, offset_src=off):
	    off += n
	    while n:
	        n -= os.splice(r, out, n)
	assert os.fstat(out).st_size == length
	dst = os.open("ranged", os.O_WRONLY | os.O_CREAT)
	off = 0
	while n := os.copy_file_range(src, dst, 1 << 20, off):
	    off += n
	d = os.open("src", os.O_RDONLY | os.O_DIRECT)
	out = os.open("dsent", os.O_WRONLY | os.O_CREAT)
	off = 0
	while n := os.sendfile(out, d, off, 65536):
	    off += n
	END
	for f in sent spliced ranged dsent; do
		check "$fs: $f" cmp src "$f"
	done
}

# One fio for all: to start it costs more than a job. A job that fails ends with its
# error, and those behind it run. So many bytes, by these engines:
jobs="\
libaio direct: ioengine=libaio direct=1 iodepth=8
io_uring direct: ioengine=io_uring direct=1 iodepth=8
io_uring cached: ioengine=io_uring direct=0 iodepth=8
psync cached: ioengine=psync direct=0 fsync=32
mmap: ioengine=mmap direct=0
pvsync2 nowait: ioengine=pvsync2 direct=1
libaio O_DSYNC: ioengine=libaio direct=1 sync=dsync iodepth=4 number_ios=100"

fio_verify() {
	local name options

	{
		cat <<-END
		[global]
		filename=fio
		size=${mib}m
		rw=randwrite
		bsrange=4k-64k
		blockalign=4k
		verify=crc32c
		do_verify=1
		verify_fatal=1
		verify_state_save=0
		fallocate=none
		unlink=1
		stonewall=1
		END
		while IFS=: read -r name options; do
			printf '[%s]\n' "$name"
			# shellcheck disable=SC2086 # words
			printf '%s\n' $options
		done <<<"$jobs"
	} >"$tmp/jobs"
	fio --output-format=terse --terse-version=3 --output="$tmp/fio" \
		"$tmp/jobs" || sed 's/^/# /' "$tmp/fio"
	# version, fio's, job, group, error
	while IFS=: read -r name _; do
		check "$fs: fio verify: $name" \
			grep -q "^3;[^;]*;$name;[0-9]*;0;" "$tmp/fio"
	done <<<"$jobs"
}

everything() {
	sizes
	flags
	mappings
	open_files
	copies
	fio_verify
}

on_each_mount everything
finish
