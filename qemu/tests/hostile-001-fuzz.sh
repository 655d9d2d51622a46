#!/bin/bash
# purpose: random requests, as root and as nobody: nothing written past an answer
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# smp: 2
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

seed=${BPIO_SEED-$((RANDOM + 1))}

run() {
	setup_volume v "$fs" "$disk"
	setup_volume w "$fs" "$disk2"
	chmod 755 "$tmp" "$tmp/v" "$tmp/w"
	cd "$tmp/v"
	mkdir dir
	bpio-verify fill a 1 1M
	bpio-verify fill b 2 1M
	bpio-verify fill guarded 3 1M
	bpio-verify fill ../w/far 4 1M
	chmod 666 a b ../w/far
	chmod 644 guarded
	check "$fs: root, seed $seed" \
		bpio-hammer -S "$seed" -s 6 -t 4 -k a b dir . ../w/far \
		/dev/bpio "$(volume v)" "$(volume w)" "$disk" /dev/null
	check "$fs: nobody, seed $seed" setpriv --reuid 65534 --clear-groups \
		bpio-hammer -S "$seed" -s 4 -t 4 a b guarded dir . ../w/far
	check "$fs: a file nobody may write is untouched" \
		bpio-verify check guarded 3
	bpio-ctl . resumev >/dev/null
	check_equal "$fs: no open is left enabled" 0 "$(counter v active_count)"
	rm -f a b
	bpio-verify fill a 5 1M
	begin v
	check "$fs: and all works" bpio-verify check -e a 5
	check_gained "$fs: by the full path" v "full_reads>2"
	umount_volume v
	umount_volume w
	check "$fs: in order afterwards" fsck_volume v "$fs"
	check "$fs: so is the other" fsck_volume w "$fs"
	remove_volume w
	remove_volume v
}

on_each_fs run
finish
