#!/bin/bash
# purpose: files copied by token, by each engine: bytes, engine, what crossed
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs stock-6.12:ext4
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

bytes=4194304

ok_read() { echo "oread status=SUCCESS info=528 transfer=$1 flags=0 token=bpio"; }
ok_write() { echo "owrite status=SUCCESS info=16 written=$1"; }

# The main job: source and destination on one namespace.
same_namespace() {
	local moved

	rm -f dst
	fallocate -l "$bytes" dst
	sync -f .
	moved=$(sectors_moved "$disk")
	answers "$fs: a token of 4 MiB, written to another file" \
		src mark:v oread:0:$bytes open:dst owrite:0:$bytes \
		gain:bytes_nvme:bytes_kcopyd:bytes_zero:tokens_issued:offload_reads:offload_writes \
		show:engine <<-END
	$(ok_read $bytes)
	$(ok_write $bytes)
	gain bytes_nvme=$bytes bytes_kcopyd=0 bytes_zero=0 tokens_issued=1 \
offload_reads=1 offload_writes=1
	show engine=nvme
	END
	moved=$(($(sectors_moved "$disk") - moved))
	check "$fs: $moved sectors of ordinary I/O, far less than the data" \
		test $moved -lt 1024
	rule 137 check "$fs: the bytes are the source's" bpio-verify check dst 1
	rule 137 check "$fs: also through the cache" bpio-verify check -c dst 1
	rule 137 check "$fs: also through the bypass" bpio-verify check -e -E uring dst 1
	check "$fs: the source is what it was" bpio-verify check src 1
}

one_token() {
	rm -f d1 d2
	bpio-verify fill d1 9 2M
	bpio-verify fill d2 9 2M
	rule 138 answers "$fs: one token, several files, places and parts" \
		src oread:64K:1M save:"$tmp/t" open:d1 owrite:64K:1M open:d2 \
		owrite:64K:512K owrite:576K:256K:512K owrite:832K:512:768K \
		use:0 oread:64K:1M save:"$tmp/t2" <<-END
	$(ok_read 1048576)
	$(ok_write 1048576)
	$(ok_write 524288)
	$(ok_write 262144)
	$(ok_write 512)
	$(ok_read 1048576)
	END
	rule 138 check "$fs: the first file, its other parts untouched" \
		bpio-verify check -o 64K -l 1M d1 1
	check "$fs: before" bpio-verify check -l 64K d1 9
	check "$fs: after" bpio-verify check -o 1088K d1 9
	rule 138 check "$fs: the second" bpio-verify check -o 64K -l 786944 d2 1
	check "$fs: after it, from the next sector" \
		bpio-verify check -o 852480 d2 9
	rule 142 check "$fs: two reads of one range: two tokens" \
		expect_status 1 cmp -s "$tmp/t" "$tmp/t2"
	rule 139 answers "$fs: past the token's end: short, then refused" \
		d2 load:"$tmp/t" owrite:0:64K:1008K owrite:0:64K:1M \
		owrite:0:512:2M <<-END
	$(ok_write 16384)
	owrite status=INVALID_PARAMETER info=0
	owrite status=INVALID_PARAMETER info=0
	END
}

zero_tokens() {
	local kind

	for kind in zeroA zero4 zero8; do
		bpio-verify fill z 9 256K
		rule 135 answers "$fs: zero token $kind" z mark:v $kind \
			owrite:64K:64K:1024M gain:bytes_zero+ <<-END
		$(ok_write 65536)
		gain bytes_zero=some
		END
		rule 135 check "$fs: $kind: zeros" cmp -n 65536 -i 65536:0 z /dev/zero
		check "$fs: $kind: before" bpio-verify check -l 64K z 9
		check "$fs: $kind: after" bpio-verify check -o 128K z 9
	done
}

# Other users of the destination and of the source.
coherent() {
	bpio-verify fill d1 9 1M
	rule 137 answers "$fs: cached and mapped readers of the destination see it" \
		src oread:0:1M open:d1:rb read:0:8192 open:d1:rb mmap:1M \
		peek:8 use:1 open:d1 owrite:0:1M use:1 read:0:1M:"$tmp/r1" \
		peek:8 peek:1048072 <<-END
	$(ok_read 1048576)
	read 8192
	mmap 66
	peek 9
	$(ok_write 1048576)
	read 1048576
	peek 1
	peek 1
	END
	rule 137 check "$fs: the cached reader, all of it" bpio-verify check -c "$tmp/r1" 1
	answers "$fs: what was written to the source by a cached writer" \
		s2:dcrw write:0:64K:70 open:s2:rwb write:4096:4096:71 \
		oread:0:64K open:d1 owrite:0:64K \
		read:0:64K:"$tmp/r1" use:0 read:0:64K:"$tmp/r2" <<-END
	write 65536
	write 4096
	$(ok_read 65536)
	$(ok_write 65536)
	read 65536
	read 65536
	END
	rule 122 check "$fs: is in the token" cmp "$tmp/r1" "$tmp/r2"
	bpio-verify fill d1 9 1M
	rule 125 answers "$fs: O_DSYNC, cached, not O_APPEND: handles of the destination" \
		src oread:0:64K open:d1:wa owrite:0:64K open:d1:ws \
		owrite:64K:64K open:d1:wb owrite:128K:64K sh:"stat -c %s d1" \
		open:d1:r owrite:0:64K open:d1:w oread:0:64K <<-END
	$(ok_read 65536)
	owrite status=ACCESS_DENIED info=0
	$(ok_write 65536)
	$(ok_write 65536)
	1048576
	owrite status=ACCESS_DENIED info=0
	oread status=ACCESS_DENIED info=0
	END
	check "$fs: O_APPEND wrote nothing" bpio-verify check -l 64K d1 9
	check "$fs: the others wrote where they were told" \
		eval "cmp -n 64K -i 64K:0 d1 src && cmp -n 64K -i 128K:0 d1 src"
	check "$fs: the rest is as it was" bpio-verify check -o 192K d1 9
	rule 105 answers "$fs: BypassIO and ODX leave each other alone" \
		src enable mark:v oread:0:64K read:0:4096 open:d1 enable \
		owrite:0:64K read:0:4096 gain:full_reads show:active_count <<-END
	enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= reason=
	$(ok_read 65536)
	read 4096
	enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= reason=
	$(ok_write 65536)
	read 4096
	gain full_reads=2
	show active_count=2
	END
}

# Another namespace, and engines that are told.
engines() {
	bpio-ctl src oread:0:$bytes save:"$tmp/t" >/dev/null
	setup_volume w "$fs" "$disk2"
	cd "$tmp/w"
	fallocate -l "$bytes" far
	answers "$fs: to another namespace" far load:"$tmp/t" mark:w \
		owrite:0:$bytes gain:bytes_nvme:bytes_kcopyd <<-END
	$(ok_write $bytes)
	gain bytes_nvme=0 bytes_kcopyd=$bytes
	END
	check "$fs: the bytes are the source's" bpio-verify check far 1
	remove_volume w

	make_volume w "$disk2" 0 offload nvme
	mount_volume w
	cd "$tmp/w"
	bpio-verify fill far 9 1M
	rule 143 check_equal "$fs: NVMe Copy alone cannot: refused" \
		"owrite status=DEVICE_UNREACHABLE info=0" \
		"$(bpio-ctl far load:"$tmp/t" owrite:0:1M)"
	rule 143 check "$fs: and nothing is written" bpio-verify check far 9
	remove_volume w

	cd "$tmp/v"
}

engine_none() {
	make_volume w "$disk2" 0 offload none
	make_fs "$fs" "$(volume w)"
	mount_volume w
	cd "$tmp/w"
	bpio-verify fill far 9 1M
	answers "$fs: offload none: said by storage once, then remembered" \
		far mark:w show:engine oread:0:64K oread:0:64K \
		load:"$tmp/t" owrite:0:64K owrite:0:64K <<-END
	show engine=none
	oread status=DEVICE_FEATURE_NOT_SUPPORTED info=0
	oread status=NOT_SUPPORTED info=0
	owrite status=DEVICE_FEATURE_NOT_SUPPORTED info=0
	owrite status=NOT_SUPPORTED info=0
	END
	check "$fs: and nothing is written" bpio-verify check far 9
	remove_volume w

	make_volume w "$disk2" 0 offload kcopyd
	mount_volume w
	cd "$tmp/w"
	bpio-verify fill near 1 1M
	answers "$fs: offload kcopyd within a namespace; re-armed by the mount" \
		near mark:w oread:0:1M open:far owrite:0:1M \
		gain:bytes_nvme:bytes_kcopyd show:engine <<-END
	$(ok_read 1048576)
	$(ok_write 1048576)
	gain bytes_nvme=0 bytes_kcopyd=1048576
	show engine=kcopyd
	END
	check "$fs: the bytes are the source's" bpio-verify check far 1
	remove_volume w
	cd "$tmp/v"
}

# A frozen volume keeps offload writes out. Thawed, it has them.
frozen() {
	local pid

	bpio-verify fill d1 9 1M
	answers "$fs: a token, before the volume is frozen" \
		src oread:0:1M save:"$tmp/t" <<-END
	$(ok_read 1048576)
	END
	check "$fs: freezing" fsfreeze -f "$tmp/v"
	command bpio-ctl d1 load:"$tmp/t" owrite:0:1M >"$tmp/got" &
	pid=$!
	check "$fs: frozen: the offload write waits" wait_for 60 kept_out $pid
	check "$fs: frozen: it says nothing" test ! -s "$tmp/got"
	check "$fs: frozen: nothing is written" bpio-verify check d1 9
	check "$fs: thawing" fsfreeze -u "$tmp/v"
	check "$fs: thawed: it succeeds" wait $pid
	check "$fs: thawed: and says so" \
		test "$(cat "$tmp/got")" = "$(ok_write 1048576)"
	check "$fs: thawed: the bytes are the source's" bpio-verify check d1 1
}

run() {
	make_volume v "$disk"
	poison "$(volume v)" 96M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill src 1 $bytes
	same_namespace
	one_token
	zero_tokens
	coherent
	frozen
	engines
	engine_none
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
