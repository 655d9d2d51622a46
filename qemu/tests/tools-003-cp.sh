#!/bin/bash
# purpose: bpioctl cp: bytes, who moved them, what it says of it, what is kept
# fs: ext4 xfs
# quick: stock:xfs
# needs: nvme>=2 prog=setfattr prog=getfattr module=bpio-flt-legacy module=bpio-flt-crypt
# timeout: 400
# shellcheck disable=SC2154 # of the files sourced
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/tools.sh
. "$(dirname "$0")/tools.sh"
# shellcheck source=qemu/tests/crypt.sh
. "$(dirname "$0")/crypt.sh"

m=1048576

# copies TEXT FILE SEED LENGTH: the bytes of bpio-verify, and no more
copies() {
	check "$1: the bytes are right" bpio-verify check "$2" "$3"
	check_equal "$1: and no more" $(($4)) "$(stat -c %s "$2")"
}

plain() {
	local moved

	bpio-verify fill src 1 8M
	head -c 5000000 /dev/urandom >dst
	sync -f .
	begin v
	moved=$(sectors_moved "$disk")
	says "$fs: a file" 0 cp src dst <<-END
	1 file, 8388608 bytes: 8388608 offloaded (NVMe Copy 8388608), 0 by \
read/write
	END
	sync -f .
	moved=$(($(sectors_moved "$disk") - moved))
	check_gained "$fs: by NVMe Copy" v bytes_nvme=$((8 * m)) \
		bytes_kcopyd=0 bytes_literal=0 bytes_zero=0 offload_reads=1 \
		offload_writes=1 copy_offload_bytes=0
	check "$fs: $moved sectors by ordinary I/O, of 16384" \
		test "$moved" -lt 1024
	copies "$fs: a file" dst 1 "8 * m"
	check "$fs: through the bypass" bpio-verify check -e dst 1

	head -c 3000001 /dev/urandom >odd
	begin v
	check "$fs: not whole sectors, dirty" eval \
		'bpioctl cp odd dst | grep -q ": 3000001 offloaded (NVMe Copy 299"'
	check "$fs: the bytes are right" cmp odd dst

	# CE-1
	head -c 262143 /dev/urandom >odd
	begin v
	rule 153 says "$fs: 262143 bytes" 0 cp odd dst <<-END
	1 file, 262143 bytes: 0 offloaded, 262143 by copy_file_range (262143 $way), \
0 by read/write: 1 file (262143): shorter than 262144
	END
	rule 153 check_gained "$fs: no token" v offload_reads=0 bytes_nvme=0
	check "$fs: the bytes are right" cmp odd dst
	printf x >>odd
	begin v
	bpioctl cp odd dst >/dev/null
	rule 153 check_gained "$fs: 262144 bytes: one token" v offload_reads=1 \
		offload_writes=1
	check "$fs: the bytes are right" cmp odd dst

	# CE-4
	bpio-verify fill src 2 1M
	truncate -s 5M src
	says "$fs: zeros at the end" 0 cp src dst <<-END
	1 file, 5242880 bytes: 1048576 offloaded (NVMe Copy 1048576), 0 by \
read/write, 4194304 in holes
	END
	check "$fs: the bytes are right" cmp src dst
	check "$fs: and they take no room" \
		test "$(stat -c %b dst)" -le $(($(stat -c %b src) + 16))
}

holes() {
	rm -f src dst
	bpio-verify fill src 1 4M
	fallocate -p -o 1M -l 1M src
	truncate -s 7M src
	sync -f .
	begin v
	says "$fs: holes" 0 cp src dst <<-END
	1 file, 7340032 bytes: 0 offloaded, 3145728 by copy_file_range (3145728 \
offloaded; NVMe Copy 3145728), 0 by read/write, 4194304 in holes: 1 file (3145728): \
OFFLOAD_READ STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED (0xC000A2A3) of bpiofs.ko
	END
	check_gained "$fs: holes: the kernel offloads the data" v \
		copy_offload_bytes=$((3 * m)) copy_splice_bytes=0 \
		bytes_nvme=$((3 * m))
	check "$fs: the bytes are right" cmp src dst
	check "$fs: and take no more room" \
		test "$(stat -c %b dst)" -le $(($(stat -c %b src) + 16))
}

# OR-23, CE-9
fragments() {
	rm -f dst
	make_pieces v 300 "$fs" || return 0
	begin v
	says "$fs: hundreds of extents" 0 cp pieces dst <<-END
	1 file, 1228800 bytes: 0 offloaded, 1228800 by copy_file_range (1228800 \
offloaded; NVMe Copy 1228800), 0 by read/write: 1 file (1228800): \
OFFLOAD_READ STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED (0xC000A2A3) of bpiofs.ko
	END
	copies "$fs: hundreds of extents" dst 1 "300 * 4096"
	check_gained "$fs: offloaded by the kernel, piece by piece" v \
		copy_offload_bytes=$((300 * 4096)) copy_splice_bytes=0 \
		bytes_nvme=$((300 * 4096))
	rm -f pieces others
}

far() {
	rm -f src
	bpio-verify fill src 1 8M
	# CE-8: what the device names, so eight writes
	setup_volume w "$fs" "$disk2" 0 optimal_transfer 1048576
	begin w
	says "$fs: to another volume" 0 cp "$tmp/v/src" "$tmp/w/far" <<-END
	1 file, 8388608 bytes: 8388608 offloaded (kcopyd 8388608), 0 by \
read/write
	END
	copies "$fs: to another volume" "$tmp/w/far" 1 "8 * m"
	check_gained "$fs: in pieces that it likes" w bytes_nvme=0 \
		bytes_kcopyd=$((8 * m)) offload_writes=8
	cd "$tmp/w"

	# CE-5
	bpio-verify fill src 3 10M
	begin w
	message w fault offload_write status 0xC00000B5 every 5 times 1
	rule 155 says "$fs: a write fails at 40%" 0 cp src dst <<-END
	1 file, 10485760 bytes: 4194304 offloaded (NVMe Copy 10485760), 6291456 \
by copy_file_range (6291456 offloaded), 0 by read/write: 1 file (6291456): \
OFFLOAD_WRITE STATUS_IO_TIMEOUT (0xC00000B5) of dm-bpio.ko
	END
	message w fault clear
	rule 155 copies "$fs: a write fails at 40%" dst 3 "10 * m"
	rule 155 check_gained "$fs: and the kernel goes on there" w \
		bytes_nvme=$((10 * m)) copy_offload_bytes=$((6 * m))
	begin w
	message w fault offload_read status 0xC00000B5 every 3 times 1
	says "$fs: a read fails later" 0 cp src dst <<-END
	1 file, 10485760 bytes: 2097152 offloaded (NVMe Copy 10485760), 8388608 \
by copy_file_range (8388608 offloaded), 0 by read/write: 1 file (8388608): \
OFFLOAD_READ STATUS_IO_TIMEOUT (0xC00000B5) of dm-bpio.ko
	END
	message w fault clear
	copies "$fs: a read fails later" dst 3 "10 * m"
	cd "$tmp/v"
	remove_volume w
	cd "$tmp/v"

	ln src twin
	begin v
	says "$fs: to another file system" 0 cp src twin /run <<-END
	2 files, 16777216 bytes: 0 offloaded, 16777216 by read/write: 1 file \
(8388608): OFFLOAD_WRITE STATUS_INVALID_DEVICE_REQUEST (0xC0000010) \
(not on a bpiofs mount); 1 file (8388608): OFFLOAD_WRITE \
STATUS_INVALID_DEVICE_REQUEST (0xC0000010) (not on a bpiofs mount), \
remembered
	END
	check_gained "$fs: one attempt for both" v offload_reads=1
	check "$fs: to another file system: the bytes are right" cmp src /run/src
	check "$fs: of both files" cmp src /run/twin
	says "$fs: from another file system" 0 cp /run/src dst <<-END
	1 file, 8388608 bytes: 0 offloaded, 8388608 by read/write: 1 file \
(8388608): OFFLOAD_READ STATUS_INVALID_DEVICE_REQUEST (0xC0000010) \
(not on a bpiofs mount)
	END
	copies "$fs: from another file system" dst 1 "8 * m"
	rm -f /run/src /run/twin twin
}

falls_back() {
	rm -f src dst
	bpio-verify fill src 1 8M
	begin v
	message v fault offload_write bytes 1048576 times 1
	says "$fs: a write ends short" 0 cp src dst <<-END
	1 file, 8388608 bytes: 8388608 offloaded (NVMe Copy 8388608), 0 by \
read/write
	END
	message v fault clear
	copies "$fs: a write ends short" dst 1 "8 * m"
	check_gained "$fs: and is taken up there" v offload_reads=1 \
		offload_writes=2 bytes_nvme=$((8 * m))
	begin v
	message v fault offload_write status 0xC000009A times 1
	says "$fs: the first write fails" 0 cp src dst <<-END
	1 file, 8388608 bytes: 0 offloaded, 8388608 by copy_file_range (8388608 \
offloaded; NVMe Copy 8388608), 0 by read/write: 1 file (8388608): \
OFFLOAD_WRITE STATUS_INSUFFICIENT_RESOURCES (0xC000009A) of dm-bpio.ko
	END
	message v fault clear
	copies "$fs: the first write fails" dst 1 "8 * m"

	mkdir several
	begin v
	message v fault offload_read status 0xC00000BB times 1
	cp src other
	says "$fs: not supported" 0 cp src other several <<-END
	2 files, 16777216 bytes: 0 offloaded, 16777216 by copy_file_range (16777216 \
$way), 0 by read/write: 1 file (8388608): OFFLOAD_READ \
STATUS_NOT_SUPPORTED (0xC00000BB) of dm-bpio.ko; 1 file (8388608): OFFLOAD_READ STATUS_NOT_SUPPORTED \
(0xC00000BB) of dm-bpio.ko, remembered
	END
	message v fault clear
	check_gained "$fs: and asked for once" v offload_reads=1
	copies "$fs: not supported" several/src 1 "8 * m"
	copies "$fs: not supported, the next" several/other 1 "8 * m"
	rm -rf several other
	umount_volume v
	mount_volume v
	cd "$tmp/v"

	bpioctl filter attach bpio-flt-legacy "$tmp/v" >/dev/null
	begin v
	says "$fs: a filter has not opted in" 0 cp src dst <<-END
	1 file, 8388608 bytes: 0 offloaded, 8388608 by copy_file_range (8388608 \
through memory), 0 by read/write: 1 file (8388608): OFFLOAD_READ \
STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED (0xC000A2A1) of bpio-flt-legacy.ko
	END
	bpioctl filter detach bpio-flt-legacy "$tmp/v" >/dev/null
	copies "$fs: a filter has not opted in" dst 1 "8 * m"
	check_gained "$fs: the device is not asked" v offload_reads=0 \
		bytes_nvme=0
}

# A file that only its filter can read; the copy is not one.
ciphered() {
	rm -f src dst
	attach_crypt
	bpio-verify fill src 1 8M
	setfattr -n trusted.too -v yes src
	quietly src "$encrypt"
	says "$fs: an encrypted file" 0 cp src dst <<-END
	1 file, 8388608 bytes: 0 offloaded, 8388608 by copy_file_range (8388608 \
through memory), 0 by read/write: 1 file (8388608): OFFLOAD_READ \
STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED (0xC000A2A3) of bpio-flt-crypt.ko
	END
	# It says nothing of the next file, nor of the volume.
	bpio-verify fill plain 2 8M
	mkdir several
	says "$fs: an encrypted file, then a plain one" 0 \
		cp src plain several <<-END
	2 files, 16777216 bytes: 8388608 offloaded (NVMe Copy 8388608), 8388608 \
by copy_file_range (8388608 through memory), 0 by read/write: 1 file \
(8388608): OFFLOAD_READ \
STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED (0xC000A2A3) of bpio-flt-crypt.ko
	END
	check "$fs: the plain one is right" bpio-verify check several/plain 2
	rm -rf several plain
	remount_crypt
	copies "$fs: an encrypted file" dst 1 "8 * m"
	check "$fs: its copy is not encrypted" is_plain dst
	check_equal "$fs: but has its attributes" yes \
		"$(getfattr --only-values -n trusted.too dst)"
	detach_crypt
}

# What people see of a tree: names, kinds, modes, owners, links, times, and
# the attributes of each.
listing() {
	(cd "$1" && find . -printf '%p %y %m %U:%G %l %T@\n' | sort &&
		getfattr -R -h -d -m '^(user|trusted|system)' . 2>/dev/null)
}

tree() {
	local n

	rm -rf tree copy
	mkdir -p tree/deep/er/still tree/empty
	for n in 1 2 3; do
		bpio-verify fill "tree/deep/file$n" "$n" "${n}M"
		chown "$n:$((n + 1))" "tree/deep/file$n"
		chmod "464$n" "tree/deep/file$n"
		setfattr -n user.number -v "$n" "tree/deep/file$n"
	done
	setfattr -n trusted.too -v yes tree/deep
	echo short >tree/deep/er/short
	setfacl -m u:7:rw tree/deep/er/short 2>/dev/null || true
	touch tree/none
	ln -s ../nowhere tree/empty/link
	chown -h 5:6 tree/empty/link
	mkfifo -m 640 tree/deep/er/fifo
	mknod tree/null c 1 3
	chmod 1777 tree/deep/er
	find tree -depth -exec touch -h -d '2004-03-02 01:02:03.456' {} +
	listing tree >"$tmp/want"
	begin v
	says "$fs: a tree" 0 cp -r tree copy <<-END
	5 files, 6291462 bytes: 6291456 offloaded (NVMe Copy 6291456), 6 by \
copy_file_range (6 $way), 0 by read/write: 2 files (6): shorter than 262144
	END
	check_gained "$fs: a tree: by NVMe Copy" v bytes_nvme=$((6 * m)) \
		offload_reads=3 offload_writes=3
	listing copy >"$tmp/have"
	check "$fs: a tree: all is kept" diff -u "$tmp/want" "$tmp/have"
	check "$fs: a tree: $(grep -c '="' "$tmp/want") attributes" \
		test "$(grep -c '="' "$tmp/want")" -ge 4
	check "$fs: a tree: the bytes are right" diff -r \
		tree/deep copy/deep --exclude fifo
	says "$fs: a tree, in JSON" 0 cp -r --json tree copy <<-END
	{"files":5,"failed":0,"bytes":6291462,"offloaded_bytes":6291456,\
"copy_file_range_bytes":6,"read_write_bytes":0,"hole_bytes":0,\
"engines":{"nvme":6291456},"copy_file_range":{"$word":6},"reasons":[{"why":"short","files":2,\
"bytes":6,"driver":null}]}
	END
	says "$fs: a tree into itself" 1 cp -r tree tree/empty <<-END
	5 files, 6291462 bytes: 6291456 offloaded (NVMe Copy 6291456), 6 by \
copy_file_range (6 $way), 0 by read/write: 2 files (6): shorter than 262144; 1 failed
	! bpioctl: tree/empty/tree: not copied into itself
	END
	rm -rf tree copy
}

# is_longer BYTES FILE
is_longer() { [ -e "$2" ] && [ "$(stat -c %s "$2")" -gt "$1" ]; }

stops_halfway() {
	local size status=0

	# Steps of 1 MiB
	setup_volume w "$fs" "$disk2" 0 optimal_transfer 1048576
	head -c $((volume_mib * m)) /dev/zero >"$tmp/w/full" 2>/dev/null || true
	truncate -s -8M "$tmp/w/full"
	sync -f "$tmp/w"
	rm -f src dst
	bpio-verify fill src 1 24M
	bpioctl cp src "$tmp/w/dst" >"$tmp/said" 2>"$tmp/complained" ||
		status=$?
	sed 's/^/# /' "$tmp/said" "$tmp/complained"
	check_equal "$fs: no room: told" "1 1 1" "$status $(grep -c \
		'dst: copy: No space left on device (after' "$tmp/complained") \
$(grep -c '; 1 failed$' "$tmp/said")"
	size=$(stat -c %s "$tmp/w/dst")
	check "$fs: and what is there is right: $size bytes" \
		cmp -n "$size" src "$tmp/w/dst"
	check "$fs: which is some, and not all" \
		test "$size" -gt 0 -a "$size" -lt $((24 * m))
	rm -f "$tmp/w/full" "$tmp/w/dst"
	message w fault offload_write delay_ms 2000
	bpioctl cp src "$tmp/w/dst" >/dev/null 2>"$tmp/complained" &
	wait_for 120 is_longer "$m" "$tmp/w/dst"
	kill $!
	status=0
	wait $! || status=$?
	message w fault clear
	size=$(stat -c %s "$tmp/w/dst")
	check_equal "$fs: interrupted after $size bytes: told" "1 1" \
		"$status $(grep -c "interrupted after $size bytes" \
			"$tmp/complained")"
	check "$fs: which are right" cmp -n "$size" src "$tmp/w/dst"
	check "$fs: and not all" test "$size" -lt $((24 * m))
	rm "$tmp/w/dst"
	message w fault offload_write delay_ms 2000
	bpioctl cp src "$tmp/w/dst" >/dev/null 2>"$tmp/complained" &
	wait_for 120 is_longer "$m" "$tmp/w/dst"
	kill -9 $!
	status=0
	wait $! || status=$?
	message w fault clear
	size=$(stat -c %s "$tmp/w/dst")
	check_equal "$fs: killed after $size bytes" 137 "$status"
	check "$fs: which are right" cmp -n "$size" src "$tmp/w/dst"
	check "$fs: and not all" test "$size" -lt $((24 * m))

	bpioctl cp src "$tmp/w/dst" >/dev/null
	mount -o remount,ro "$tmp/w"
	says "$fs: to a read-only mount" 1 cp src "$tmp/w/new" <<-END
	0 files, 0 bytes: 0 offloaded, 0 by read/write; 1 failed
	! bpioctl: $tmp/w/new: open: Read-only file system
	END
	rm -f src
	says "$fs: from a read-only mount" 0 cp "$tmp/w/dst" dst <<-END
	1 file, 25165824 bytes: 25165824 offloaded (kcopyd 25165824), 0 by \
read/write
	END
	copies "$fs: from a read-only mount" dst 1 "24 * m"
	remove_volume w
	cd "$tmp/v"
	rm -f dst
}

run() {
	# what the kernel does where it does not offload
	word=splice way="through memory"
	[ "$fs" = ext4 ] || word=shared way=shared
	make_volume v "$disk"
	poison "$(volume v)" 96M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	plain
	holes
	rule 126 fragments
	far
	falls_back
	ciphered
	tree
	stops_halfway
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

load_module bpio-flt-legacy
defer unload_module bpio-flt-legacy
on_each_fs run
finish
