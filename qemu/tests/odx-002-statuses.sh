#!/bin/bash
# purpose: offload read and write: every status that can be had, in order
# fs: ext4 xfs
# quick: stock:xfs
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

bad_r="oread status=INVALID_PARAMETER info=0"
bad_w="owrite status=INVALID_PARAMETER info=0"
ok64="oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio"

reading() {
	rule 111 112 answers "$fs: OFFLOAD_READ: lengths, alignment, sizes, overflow" \
		a in=31 oread:0:64K out=527 oread:0:64K \
		in=31 out=527 oread:1:64K oread:1:64K oread:511:512 \
		oread:0:513 size=31 oread:0:64K size=33 oread:0:64K \
		oread:0xfffffffffffffe00:1024 \
		oread:512:0xfffffffffffffe00 \
		in=64 out=4096 res1=7 res2=9 oread:0:64K <<-END
	oread status=BUFFER_TOO_SMALL info=0
	oread status=BUFFER_TOO_SMALL info=0
	oread status=BUFFER_TOO_SMALL info=0
	$bad_r
	$bad_r
	$bad_r
	$bad_r
	$bad_r
	$bad_r
	$bad_r
	$ok64
	END
	rule 113 114 116 answers "$fs: length 0 comes before the file's kind; then kind, size" \
		dir oread:0:0 oread:0:64K open:. oread:0:0 open:small \
		oread:0:0 oread:0:512 open:sparse oread:0:0 oread:0:64K \
		open:empty oread:0:512 <<-END
	oread status=SUCCESS info=528 transfer=0 flags=0 token=zero
	oread status=OFFLOAD_READ_FILE_NOT_SUPPORTED info=0
	oread status=INVALID_DEVICE_REQUEST info=0
	oread status=SUCCESS info=528 transfer=0 flags=0 token=zero
	$bad_r
	oread status=SUCCESS info=528 transfer=0 flags=0 token=zero
	oread status=OFFLOAD_READ_FILE_NOT_SUPPORTED info=0
	$bad_r
	END
	bpio-ctl dir oread:0:0 save:"$tmp/t" >/dev/null
	rule 113 check "$fs: the bytes of a zero token" cmp "$tmp/t" <(
		printf '\xff\xff\0\1\0\0\1\xf8'
		head -c 504 /dev/zero
	)
	rule 118 answers "$fs: the end of the file, with a tail of 100 bytes" \
		tail oread:1M:512 oread:0xfffff000:512 oread:1048064:612 \
		oread:1048064:1024 oread:1048576:100 oread:1049088:512 <<-END
	oread status=SUCCESS info=528 transfer=512 flags=1 token=bpio
	oread status=END_OF_FILE info=0
	oread status=SUCCESS info=528 transfer=1024 flags=0 token=bpio
	oread status=SUCCESS info=528 transfer=1024 flags=1 token=bpio
	oread status=SUCCESS info=528 transfer=512 flags=0 token=bpio
	oread status=END_OF_FILE info=0
	END
	rule 118 119 120 121 answers "$fs: beyond the valid data: zeros, without the device" \
		pre mark:v oread:64K:64K oread:0:1M oread:1M:1M oread:2M:512 \
		gain:tokens_issued \
		msg:"fault offload_read times 1 bytes 4096" oread:0:1M <<-END
	oread status=SUCCESS info=528 transfer=65536 flags=1 token=zero
	oread status=SUCCESS info=528 transfer=65536 flags=1 token=bpio
	oread status=SUCCESS info=528 transfer=1048576 flags=1 token=zero
	oread status=END_OF_FILE info=0
	gain tokens_issued=1
	oread status=SUCCESS info=528 transfer=4096 flags=0 token=bpio
	END
	rule 117 answers "$fs: locks: a reader is kept out by exclusive ones of others" \
		a open:a lock:w:4096:4096 use:0 oread:0:4096 oread:0:8192 \
		use:1 oread:0:8192 lock:r:4096:4096 use:0 oread:0:8192 <<-END
	lock 0
	oread status=SUCCESS info=528 transfer=4096 flags=0 token=bpio
	oread status=FILE_LOCK_CONFLICT info=0
	oread status=SUCCESS info=528 transfer=8192 flags=0 token=bpio
	lock 0
	oread status=SUCCESS info=528 transfer=8192 flags=0 token=bpio
	END
	cp a gone
	rule 115 answers "$fs: an unlinked file" gone unlink:gone oread:0:4096 \
		zeroA owrite:0:4096 <<-END
	unlink 0
	oread status=FILE_DELETED info=0
	owrite status=FILE_DELETED info=0
	END
}

writing() {
	bpio-verify fill d 9 1M
	bpio-ctl a oread:0:64K save:"$tmp/t" >/dev/null
	rule 128 129 130 answers "$fs: OFFLOAD_WRITE: lengths, alignment, sizes, overflow" \
		d load:"$tmp/t" in=543 owrite:0:64K out=15 owrite:0:64K \
		in=543 out=15 owrite:1:1 owrite:1:64K owrite:0:513 \
		owrite:0:64K:1 size=543 owrite:0:64K \
		owrite:0xfffffffffffffe00:1024 \
		owrite:0x7ffffffffffff000:64K type:0x12345678 owrite:0:0 \
		in=1024 out=4096 res1=5 owrite:0:0 <<-END
	owrite status=BUFFER_TOO_SMALL info=0
	owrite status=BUFFER_TOO_SMALL info=0
	owrite status=BUFFER_TOO_SMALL info=0
	$bad_w
	$bad_w
	$bad_w
	$bad_w
	$bad_w
	$bad_w
	owrite status=SUCCESS info=16 written=0
	owrite status=SUCCESS info=16 written=0
	END
	rule 132 134 answers "$fs: kinds, size and end of the file" \
		dir:r load:"$tmp/t" owrite:0:64K owrite:0:0 open:.:r \
		owrite:0:64K owrite:0:0 open:a:r owrite:0:64K open:sparse \
		owrite:0:64K open:small owrite:0:512 open:d owrite:1M:512 \
		open:pre owrite:128K:4096 owrite:64K:4096 open:tail \
		owrite:1M:64K sh:"stat -c %s tail" <<-END
	owrite status=OFFLOAD_WRITE_FILE_NOT_SUPPORTED info=0
	owrite status=SUCCESS info=16 written=0
	owrite status=INVALID_DEVICE_REQUEST info=0
	owrite status=INVALID_DEVICE_REQUEST info=0
	owrite status=ACCESS_DENIED info=0
	owrite status=SUCCESS info=16 written=65536
	$bad_w
	owrite status=END_OF_FILE info=0
	$bad_w
	owrite status=SUCCESS info=16 written=4096
	owrite status=SUCCESS info=16 written=512
	1048676
	END
	rule 133 answers "$fs: locks: a writer also by shared ones, its own too" \
		d load:"$tmp/t" open:d lock:r:4096:4096 owrite:0:8192 \
		owrite:8192:4096 lock:w:4096:4096 owrite:0:8192 use:0 \
		owrite:0:8192 owrite:0:4096 <<-END
	lock 0
	owrite status=FILE_LOCK_CONFLICT info=0
	owrite status=SUCCESS info=16 written=4096
	lock 0
	owrite status=SUCCESS info=16 written=8192
	owrite status=FILE_LOCK_CONFLICT info=0
	owrite status=SUCCESS info=16 written=4096
	END
	bpio-verify fill d 9 1M
	rule 136 answers "$fs: tokens that are none" \
		d type:0xFFFF0002 owrite:0:4096 type:0xFFFFFFFF \
		owrite:0:4096 type:0x42504F01 owrite:0:4096 \
		type:0x12345678 owrite:0:4096 load:"$tmp/t" flip:8 \
		owrite:0:4096 load:"$tmp/t" flip:24 owrite:0:4096 \
		load:"$tmp/t" flip:40 owrite:0:4096 load:"$tmp/t" flip:48 \
		owrite:0:4096 load:"$tmp/t" flip:79 owrite:0:4096 \
		load:"$tmp/t" flip:511 owrite:0:4096 load:"$tmp/t" flip:6 \
		owrite:0:4096 load:"$tmp/t" flip:4 flip:5 \
		owrite:64K:4096 zeroA flip:100 owrite:68K:4096 \
		zeroA flip:7 owrite:0:4096 <<-END
	$(for _ in {1..11}; do echo "owrite status=INVALID_TOKEN info=0"; done)
	owrite status=SUCCESS info=16 written=4096
	owrite status=SUCCESS info=16 written=4096
	owrite status=INVALID_TOKEN info=0
	END
	rule 136 check "$fs: none of them wrote" bpio-verify check -l 64K d 9
	umount_volume v
	mount_volume v ro
	cd "$tmp/v"
	check_equal "$fs: a read-only mount: no handle to write with" \
		"open d errno=EROFS" "$(bpio-ctl d:w owrite:0:4096 || true)"
	check_equal "$fs: and reads go on" "$ok64" \
		"$(bpio-ctl a:r oread:0:64K)"
}

# An emergency remount does not ask who has files open for writing.
turns_read_only() {
	umount_volume v
	mount_volume v
	cd "$tmp/v"
	echo "bpio-test: read-only $$" >/dev/kmsg
	rule 131 answers "$fs: read-only since a file was opened for writing" \
		d zeroA owrite:0:64K \
		sh:"echo u >/proc/sysrq-trigger" \
		sh:"until dmesg | sed '1,/bpio-test: read-only $$/d' |
			grep -q 'ncy Remount'; do sleep 0.1; done" \
		owrite:0:64K <<-END
	owrite status=SUCCESS info=16 written=65536
	owrite status=MEDIA_WRITE_PROTECTED info=0
	END
	umount_volume v
}

# A bearer capability: who has the 512 bytes may write the data where he may
# write; the source's permissions were looked at when the token was made.
bearer() {
	local who=(runuser -u nobody -- "$tmp/ctl")

	cp "$(type -P bpio-ctl)" "$tmp/ctl"
	bpio-verify fill mine 1 64K
	bpio-verify fill theirs 9 64K
	bpio-verify fill shown 9 64K
	bpio-ctl mine oread:0:64K save:"$tmp/bearer" >/dev/null
	chmod 755 "$tmp" .
	chmod 600 mine
	chmod 644 shown "$tmp/bearer"
	chown nobody theirs
	check_equal "$fs: another user: the source cannot be opened" \
		"open mine errno=EACCES" "$("${who[@]}" mine oread:0:64K || true)"
	check_equal "$fs: another user: the token goes where he may write" \
		"owrite status=SUCCESS info=16 written=65536
owrite status=ACCESS_DENIED info=0
oread status=ACCESS_DENIED info=0" \
		"$("${who[@]}" theirs load:"$tmp/bearer" owrite:0:64K \
			open:shown:r owrite:0:64K open:theirs:w oread:0:64K)"
	check "$fs: with the source's data" bpio-verify check theirs 1
	check "$fs: and nowhere else" bpio-verify check shown 9
}

run() {
	make_volume v "$disk"
	poison "$(volume v)" 64M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	mkdir dir
	bpio-verify fill a 1 1M
	bpio-verify fill tail 1 1048676
	bpio-verify fill small 1 4095
	: >empty
	fallocate -l 2M pre
	bpio-verify fill pre 1 64K 1 0
	truncate -s 1M sparse
	bpio-verify fill sparse 1 4096 1 524288
	reading
	bearer
	writing
	turns_read_only
	remove_volume v
}

on_each_fs run
finish
