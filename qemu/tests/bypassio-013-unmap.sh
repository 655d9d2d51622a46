#!/bin/bash
# purpose: mappings that end or are replaced while their file is bypassed
# fs: ext4 xfs
# quick: stock:xfs
# smp: 2
#
# Pages are removed through a mapping that goes away: a few seconds seldom meet the
# moment between its end and the hole; make soak gives it long enough.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

seconds=${BPIO_SOAK-4}

run() {
	setup_volume v "$fs" "$disk"
	begin v
	# shellcheck disable=SC2154 # of lib.sh
	check "$fs: what was removed reads as zeros" \
		bpio-verify unmap -s "$seconds" "$tmp/v/a"
	check_gained "$fs: and the rest was bypassed" v "full_reads>0"
	if [ "$fs" = xfs ]; then
		begin v
		check "$fs: remapped and moved: what was written is read" \
			bpio-verify remap "$tmp/v/b" "$tmp/v/c"
		check_gained "$fs: and reads were bypassed" v "full_reads>0"
	fi
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
