#!/bin/bash
# purpose: an encrypted file's data, by every way in, against a model
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
# needs: module=bpio-flt-crypt prog=bpio-model prog=python3
# timeout: 300
# shellcheck disable=SC2154,SC2016 # $tmp of lib.sh; programs
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/crypt.sh
. "$(dirname "$0")/crypt.sh"

# A seed of one's own: BPIO_SEED=n.
seed=${BPIO_SEED-$RANDOM}

# The program's file is closed meanwhile.
write_remount() {
	cat >"$tmp/remount" <<-END
	umount $tmp/v &&
	mount -t bpiofs -o bypassio=manual $(volume v) $tmp/v &&
	echo bpio-flt-crypt >$(volume_dir v)/attach
	END
}

model() {
	local text=$1

	shift
	check "$fs: $text" bpio-model -s "$seed" -x "sh $tmp/remount" "$@" \
		"$tmp/v/m"
}

models() {
	local rounds=3

	[ -z "${BPIO_QUICK-}" ] || rounds=1
	write_remount
	cd /
	model "random operations on an encrypted file" -e -n $((500 / scale)) \
		-r "$rounds"
	model "on a short one" -e -n $((700 / scale)) -r "$rounds" -m 9000
	model "on one that is converted in between" -c -n $((400 / scale)) \
		-r "$rounds"
	model "on a short one of that kind" -c -n $((700 / scale)) \
		-r "$rounds" -m 5000
	cd "$tmp/v"
}

# What lies on the device is something else; what was written is read again.
ciphertext() {
	head -c 100003 <(yes 'This is clear text.') >"$tmp/text"
	cp "$tmp/text" text
	cp "$tmp/text" plain
	quietly text "$encrypt"
	check "$fs: encrypted: the same above" cmp text "$tmp/text"
	cp "$tmp/text" later
	: >later
	quietly later "$encrypt"
	cat "$tmp/text" >later
	check "$fs: written to an encrypted file: the same above" \
		cmp later "$tmp/text"
	remount_crypt
	check "$fs: after a mount too" cmp text "$tmp/text"
	check "$fs: and that" cmp later "$tmp/text"
	lower eval 'for f in text later plain; do
		cp "$f" "$tmp/below.$f"
		getfattr --absolute-names -n trusted.bpio.crypt -e hex "$f" \
			>"$tmp/mark.$f" 2>&1 || true
	done'
	check_equal "$fs: below, a plain file's lines are all there" 5000 \
		"$(grep -ac 'clear text' "$tmp/below.plain")"
	check_equal "$fs: of an encrypted one's none" "0 0" \
		"$(grep -ac 'clear text' "$tmp/below.text" || true) $(grep -ac \
			'clear text' "$tmp/below.later" || true)"
	# Every block of 16 bytes once: it repeats above every 80.
	check_equal "$fs: no block of it is like another" 0 "$(head -c 100000 \
		"$tmp/below.text" | od -An -v -tx1 -w16 | sort | uniq -d | wc -l)"
	check_equal "$fs: two files of the same text have nothing in common" 0 \
		"$({ head -c 100000 "$tmp/below.text"
		head -c 100000 "$tmp/below.later"; } |
		od -An -v -tx1 -w16 | sort | uniq -d | wc -l)"
	check_equal "$fs: the same length" "100003 100003" \
		"$(stat -c %s "$tmp/below.text") $(stat -c %s text)"
	quietly text "$decrypt"
	check "$fs: decrypted: the same above" cmp text "$tmp/text"
	lower eval 'cmp text "$tmp/text" &&
		! getfattr -n trusted.bpio.crypt text 2>/dev/null'
	ok "$fs: and below, without a mark"
}

# Holes cost nothing, and are zeros.
sparse() {
	truncate -s 64M sparse
	xfs_io -c 'pwrite -q -S 0x61 32m 8k' -c 'pwrite -q -S 0x62 60m 5' \
		-c fsync sparse
	quietly sparse "$encrypt"
	check "$fs: a sparse file stays sparse" \
		test "$(stat -c %b sparse)" -lt 300
	truncate -s 128M sparse
	xfs_io -c 'pwrite -q -S 0x63 96m 3' -c fsync sparse
	check "$fs: and when it grows" test "$(stat -c %b sparse)" -lt 300
	remount_crypt
	python3 - <<-'END'
	import os
	f = os.open("sparse", os.O_RDONLY)
	def is_at(pos, data):
	    got = os.pread(f, len(data) + 2, pos - 1)
	    assert got == b"\0" + data + b"\0", (pos, got)
	is_at(32 << 20, b"a" * 8192)
	is_at(60 << 20, b"b" * 5)
	is_at(96 << 20, b"c" * 3)
	for pos in (0, 4090, 31 << 20, 64 << 20, (128 << 20) - 65536):
	    assert os.pread(f, 65536, pos) == bytes(65536), pos
	assert os.pread(f, 10, (128 << 20) - 4) == bytes(4)
	END
	ok "$fs: holes are zeros, data is data"
	check_equal "$fs: SEEK_DATA is right" $((32 << 20)) "$(xfs_io -r \
		-c 'seek -d 4k' sparse | awk '$1 == "DATA" { print $2 }')"
	quietly sparse "$decrypt"
	check "$fs: decrypted: still sparse" \
		test "$(stat -c %b sparse)" -lt 300
	rm sparse
}

# Where RLIMIT_FSIZE cuts a block in two.
limits() {
	: >limited
	quietly limited "$encrypt"
	check "$fs: writes end at the size limit, and not in garbage" \
		python3 - <<-'END'
	import errno, os, resource, signal
	signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
	fd = os.open("limited", os.O_RDWR)
	data = bytes(i * 7 & 255 for i in range(4000))
	def limit(n):
	    resource.setrlimit(resource.RLIMIT_FSIZE,
	                       (n, resource.RLIM_INFINITY))
	def too_big(f, *args):
	    try:
	        f(*args)
	    except OSError as e:
	        assert e.errno == errno.EFBIG, e
	        return
	    raise SystemExit("too big a file")
	def is_now(want):
	    got = os.pread(fd, 100000, 0)
	    assert got == want, (len(got), len(want))
	limit(1003)
	assert os.pwrite(fd, data[:2000], 0) == 1003
	is_now(data[:1003])
	too_big(os.pwrite, fd, b"x", 1003)
	too_big(os.ftruncate, fd, 1009)
	is_now(data[:1003])
	assert os.pwrite(fd, b"y" * 10, 998) == 5
	is_now(data[:998] + b"y" * 5)
	limit(resource.RLIM_INFINITY)
	assert os.pwrite(fd, data, 0) == 4000
	limit(1003)
	assert os.pwrite(fd, b"z" * 200, 900) == 92
	too_big(os.pwrite, fd, b"z" * 5, 993)
	want = data[:900] + b"z" * 92 + data[992:]
	is_now(want)
	too_big(os.ftruncate, fd, 4007)
	is_now(want)
	os.ftruncate(fd, 1003)
	is_now(want[:1003])
	END
}

# The file was open, and not read through the filter, when it was attached.
late() {
	cp "$tmp/text" late
	quietly late "$encrypt"
	umount_volume v
	mount_volume v
	cd "$tmp/v"
	fails "$fs: without the filter it does not open" \
		"Required key not available" cat late
	mark save late
	exec 7<>late 8<>plain
	mark restore late
	attach_crypt
	check "$fs: attached: opens that were there see clear text" \
		cmp /proc/self/fd/7 "$tmp/text"
	check "$fs: and of a plain file the same as before" \
		cmp /proc/self/fd/8 "$tmp/text"
	fails "$fs: an instance is enough" "Device or resource busy" \
		bash -c 'echo "bpio-flt-crypt 141000" >"$1"' - \
		"$(volume_dir v)/attach"
	exec 7>&- 8>&-
}

wrong_key() {
	local word

	umount_volume v
	set_key "$key2"
	mount_crypt
	# shellcheck disable=SC2086 # words
	for word in 'cat late' 'dd if=late iflag=direct bs=4k' \
		'dd if=text of=late conv=notrunc status=none' \
		'truncate -s 50 late' 'bpio-ctl late query'; do
		fails "$fs: another key: $word" \
			"$([[ $word == bpio-ctl* ]] && echo EKEYREJECTED ||
				echo 'Key was rejected by service')" $word
	done
	check "$fs: another key: a plain file is read" cmp plain "$tmp/text"
	check "$fs: another key: attributes are there" \
		test "$(stat -c %s late)" = 100003
	cp "$tmp/text" other
	quietly other "$encrypt"
	check "$fs: another key: for files of its own" cmp other "$tmp/text"
	umount_volume v
	set_key "$key1"
	mount_crypt
	check "$fs: the right key again: nothing has changed" \
		cmp late "$tmp/text"
	fails "$fs: and the other file is refused" \
		'Key was rejected by service' cat other
	rm other
}

# A conversion that did not end, and the mark of another file.
marks() {
	cp late copy
	lower eval 'mark=$(getfattr -n trusted.bpio.crypt -e hex --only-values \
			late | od -An -v -tx1 | tr -d " \n")
		setfattr -n trusted.bpio.crypt -v "0x$mark" copy
		setfattr -n trusted.bpio.crypt \
			-v "0x${mark:0:8}02${mark:10}" late
		cp late "$tmp/late.lower"'
	fails "$fs: converted in part: no data" 'Structure needs cleaning' \
		cat late
	fails "$fs: converted in part: none is destroyed" \
		'Structure needs cleaning' truncate -s 7 late
	fails "$fs: the mark of another file: no data" \
		'Structure needs cleaning' cat copy
	setfattr -x trusted.bpio.crypt copy
	remount_crypt
	check "$fs: without a mark it is a plain file" cmp copy "$tmp/text"
	lower eval 'cmp late "$tmp/late.lower"'
	rm late copy
}

# XFS fills the gap before such a write with zeros first, so that the file has grown
# when there is no room for the data: its last block is a whole one then.
full() {
	printf '0123456789a' >short
	quietly short "$encrypt"
	check "$fs: a write behind the end, without room: what was there is right" \
		python3 - <<-'END'
	import errno, os
	filler = os.open("filler", os.O_CREAT | os.O_WRONLY)
	size, at = 128 << 20, 0
	while size >= 4096:
	    try:
	        os.posix_fallocate(filler, at, size)
	        at += size
	    except OSError as e:
	        assert e.errno == errno.ENOSPC, e
	        size //= 2
	fd = os.open("short", os.O_RDWR)
	try:
	    os.pwrite(fd, b"x" * 8000000, 50000)
	except OSError as e:
	    assert e.errno == errno.ENOSPC, e
	got = os.pread(fd, 50000, 0)
	print("#", len(got), "bytes")
	assert got[:11] == b"0123456789a" and not any(got[11:]), got[:32]
	END
	rm short filler
}

# Whatever it was at: each byte is the one that belongs there, or zero.
killed() {
	: >killed
	quietly killed "$encrypt"
	check "$fs: killed while it writes, 12 times: no wrong byte" \
		python3 - "$seed" <<-'END'
	import os, random, signal, sys, time
	seed = int(sys.argv[1])
	byte = bytes(i * 7 & 255 | 1 for i in range(400000))
	def write(r, begun):
	    fd = os.open("killed", os.O_RDWR)
	    os.pwrite(fd, byte[:9000], 0)
	    os.write(begun, b"x")
	    while True:
	        size = os.fstat(fd).st_size
	        if r.random() < 0.2 or size > 300000:
	            os.ftruncate(fd, r.randrange(min(size + 50, 300000)))
	        else:
	            pos = r.choice((r.randrange(size + 1), size, size + r.randrange(99)))
	            os.pwrite(fd, byte[pos:pos + r.randrange(1, 9000)], pos)
	def right(got, at):
	    want = byte[at:at + len(got)]
	    return got == want or not any(got) or all(
	        g in (0, w) for g, w in zip(got, want))
	read = 0
	for i in range(1, 13):
	    ready, begun = os.pipe()
	    pid = os.fork()
	    if pid == 0:
	        try:
	            write(random.Random(seed + i), begun)
	        finally:
	            os._exit(1)
	    os.close(begun)
	    assert os.read(ready, 1) == b"x", "nobody writes"
	    os.close(ready)
	    time.sleep(random.random() / 4)
	    os.kill(pid, signal.SIGKILL)
	    assert os.waitpid(pid, 0)[1] == signal.SIGKILL, "it had ended by itself"
	    data = open("killed", "rb").read()
	    read += len(data)
	    for at in range(0, len(data), 4096):
	        assert right(data[at:at + 4096], at), (i, at, len(data))
	assert read > 0
	END
	rm killed
}

run() {
	volume_mib=320
	make_volume v "$disk"
	make_fs "$fs" "$(volume v)"
	mount_crypt
	ciphertext
	late
	wrong_key
	marks
	sparse
	limits
	full
	killed
	models
	umount_volume v
	check "$fs: the file system is in order" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
