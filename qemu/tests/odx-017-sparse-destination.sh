#!/bin/bash
# purpose: FSCTL_OFFLOAD_WRITE to files with holes, as clients make them
# fs: ext4 xfs
# quick: stock
# needs: prog=xfs_io
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

m=1048576
odd=$((m + 5))

sparse() { test "$(stat -c %b "$1")" -lt 64; }

# A server makes a file longer by writing its last byte.
extended() {
	bpio-verify fill src 1 $odd
	bpio-ctl src oread:0:$odd save:"$tmp/t" >/dev/null
	xfs_io -ft -c "pwrite -q -S 0 $((odd - 1)) 1" -c fsync dst
	check "$fs: extended by its last byte: nearly all is a hole" sparse dst
	begin v
	answers "$fs: an offload write fills it" dst load:"$tmp/t" \
		owrite:0:$odd <<-END
	owrite status=SUCCESS info=16 written=$odd
	END
	check_gained "$fs: whole blocks by copy" v bytes_nvme=$m
	check "$fs: the bytes are right" cmp src dst
	check_equal "$fs: and no more" $odd "$(stat -c %s dst)"
}

# Between data that stays.
between() {
	bpio-verify fill dst 9 4M
	cat dst >"$tmp/want"
	fallocate -p -o 1M -l 2M dst
	bpio-ctl src oread:0:1M save:"$tmp/t" >/dev/null
	begin v
	answers "$fs: into a hole, from the middle of one block to the next" \
		dst load:"$tmp/t" owrite:0x180200:0x80200 oread:0:64K <<-END
	owrite status=SUCCESS info=16 written=$((0x80200))
	oread status=OFFLOAD_READ_FILE_NOT_SUPPORTED info=0
	END
	check_gained "$fs: whole blocks by copy" v \
		"bytes_nvme>$((0x7efff))"
	dd if=/dev/zero of="$tmp/want" bs=1M seek=1 count=2 conv=notrunc \
		status=none
	dd if=src of="$tmp/want" bs=512 seek=$((0x180200 / 512)) \
		count=$((0x80200 / 512)) conv=notrunc status=none
	check "$fs: the bytes are right, holes and data beside them stay" \
		cmp dst "$tmp/want"
}

run() {
	setup_volume v "$fs" "$disk"
	cd "$tmp/v"
	extended
	between
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
