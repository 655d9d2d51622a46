#!/bin/bash
# purpose: the last block of a file, in part beyond its end, on large sectors
# fs: ext4 xfs
# quick: stock
# needs: nvme>=3
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

enabled="enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= \
reason="

# tail SIZE: its last block is asked for once, and bypassed from then on
tail_of() {
	local size=$1 at got

	at=$((size & ~4095))
	got=$((size - at))
	rm -f f "$tmp/r1"
	bpio-verify fill f 1 $size
	answers "$fs: $size bytes: $got in the last block, bypassed" \
		f enable read:$at:4096 mark:v read:$at:4096:"$tmp/r1" \
		read:$at:4096 read:$at:4096 read:$at:8192 \
		gain:full_reads:traditional_reads:mapped_reads <<-END
	$enabled
	read $got
	read $got
	read $got
	read $got
	read $got
	gain full_reads=4 traditional_reads=0 mapped_reads=0
	END
	check "$fs: its bytes are right" cmp -i 0:$at "$tmp/r1" f
}

run() {
	setup_volume v "$fs" /dev/nvme2n1
	cd "$tmp/v"
	tail_of 1
	tail_of 5000
	tail_of 12287
	tail_of $(((2 << 20) + 100))
	rm -f "$tmp/r1"
	# what is behind the old end
	answers "$fs: made longer: zeros, by the bypass" \
		f enable read:2M:4096 trunc:$(((2 << 20) + 4096)) read:2M:4096 \
		mark:v read:2M:4096:"$tmp/r1" gain:full_reads:traditional_reads <<-END
	$enabled
	read 100
	trunc 0
	read 4096
	read 4096
	gain full_reads=1 traditional_reads=0
	END
	check "$fs: its bytes are right" cmp -i 0:2M "$tmp/r1" f
	check "$fs: zeros" cmp -i 100:0 -n 3996 "$tmp/r1" /dev/zero
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
