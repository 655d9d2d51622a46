#!/bin/bash
# purpose: a read whose memory is missing between two bios, and DISABLE meanwhile
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
# smp: 2
#
# The first bio has completed and the reader sleeps in a page fault: the volume's
# map stays until the reader has submitted its last bio. Other volumes do not wait
# for it, nor for whoever does.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

blocks=512

# What a volume goes through that has nothing to do with the held one.
# shellcheck disable=SC2154 # of lib.sh
cat >"$tmp/unrelated" <<-END
	#!/bin/bash
	set -e
	dmsetup suspend bpio-other
	dmsetup resume bpio-other
	dmsetup create bpio-third --table "0 2048 bpio $disk2 $((1 << 21))"
	dmsetup message bpio-other 0 veto STATUS_NOT_SUPPORTED_WITH_SNAPSHOT no
	dmsetup message bpio-other 0 unveto
	bpio-ctl "$tmp/other/file" enable read:0:4096 disable query
	dmsetup remove bpio-third
	umount "$tmp/other"
	mount -t bpiofs "$(volume other)" "$tmp/other"
END
chmod +x "$tmp/unrelated"

# held_case ENGINE
held_case() {
	local status=0

	begin v
	bpio-verify held -E "$1" -u "timeout 120 $tmp/unrelated" pieces 1 \
		>"$tmp/said" 2>&1 || status=$?
	cat "$tmp/said"
	case $status in
	77) echo "skip - $fs: $1: $(tail -n 1 "$tmp/said")" ;;
	*)
		check_equal "$fs: $1: every byte is read, only DISABLE waits" 0 "$status"
		# once before, once with the fault
		check_gained "$fs: $1: both reads are bypassed" v full_reads=2 \
			full_bytes=$((2 * blocks * 4096)) traditional_reads=0
		check_equal "$fs: $1: no open is left enabled" 0 \
			"$(counter v active_count)"
		;;
	esac
}

run() {
	setup_volume v "$fs" "$disk"
	cd "$tmp/v"
	if make_pieces v "$blocks" "$fs: a read in many bios"; then
		held_case sync
		held_case aio
	fi
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

setup_volume other ext4 "$disk2"
bpio-verify fill "$tmp/other/file" 2 64K
on_each_fs run
finish
