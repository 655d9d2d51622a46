#!/bin/bash
# purpose: every Copy command in turn fails, and the device goes under a copy
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# disk: removed 1G
# expects: EXT4-fs error|potential data loss|XFS .* (Shutting|shut) down
# timeout: 300
#
# Whatever happens, the destination holds old data, zeros or the source's, and
# no less of the source's than the answer says. The device is full of poison
# before.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

disk=${disk_removed-$disk}
commands=8
length=$((commands << 16))

written() { sed -n 's/^owrite .*written=//p' "$tmp/said" | grep . || echo 0; }

# As much of d is the source's as was said, and nothing foreign is in it.
promised() {
	local n

	n=$(written)
	bpio-verify check d 9 1 &&
		{ [ "$n" = 0 ] || bpio-verify check -l "$n" d 1; }
}

# What the driver sees of the Nth Copy from now on is a failure.
fail_copy() { # N STATUS
	local dir=/sys/kernel/debug/${disk##*/}/fault_inject

	echo "$2" >"$dir/status"
	echo 1 >"$dir/dont_retry"
	echo 0 >"$dir/verbose"
	echo "$1" >"$dir/space"
	echo 1 >"$dir/times"
	echo 100 >"$dir/probability"
}

# media: reported as it is; field: the device has no such Copy after all, the
# rest goes by dm-kcopyd.
each_copy() {
	local kind=$1 status=$2 n bad=0 whole=0 by_kcopyd=0

	for ((n = 1; n <= commands; n++)); do
		bpio-verify fill d 9 $length
		sync
		fail_copy $n "$status"
		bpio-ctl src mark:v oread:0:$length open:d owrite:0:$length \
			gain:bytes_nvme:bytes_kcopyd >"$tmp/said" 2>&1
		promised || {
			bad=$((bad + 1))
			cat "$tmp/said"
		}
		[ "$(written)" != $length ] || whole=$((whole + 1))
		! grep -q 'bytes_kcopyd=[1-9]' "$tmp/said" ||
			by_kcopyd=$((by_kcopyd + 1))
		# forgets that the device refused
		[ "$kind" = media ] || again
	done
	check_equal "$fs: $kind: old data, zeros or the source's, as promised" \
		0 "$bad"
	case $kind in
	media) n="0 0" ;;
	field) n="$commands $commands" ;;
	esac
	check_equal "$fs: $kind: whole copies, copies finished by dm-kcopyd" \
		"$n" "$whole $by_kcopyd"
}

again() {
	remove_volume v
	make_volume v "$disk" 0 copy_limits 128 128 0
	mount_volume v
	cd "$tmp/v"
}

failing_copies() {
	make_volume v "$disk" 0 copy_limits 128 128 0
	poison "$(volume v)" 64M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill src 1 $length
	bpio-verify fill d 9 $length
	each_copy media 0x281
	each_copy field 0x2
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

pci_device() { readlink -f "/sys/block/${1##*/}/device/device"; }

# Thousands of Copy commands are to come when the device goes: a pause stands
# before each of the source's extents.
removal() {
	local pci pid status=0

	make_volume v "$disk" 0 copy_limits 8 8 0
	poison "$(volume v)" 304M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify interleave src others 16 4M
	bpio-verify fill d 9 64M
	bpio-verify fill still 3 1M
	sync
	message v fault copy times 1000 delay_ms 200
	pci=$(pci_device "$disk")
	command bpio-ctl src oread:0:64M mark:v open:d owrite:0:64M >"$tmp/said" 2>&1 &
	pid=$!
	wait_for 30 some_moved
	echo 1 >"$pci/remove"
	wait $pid || status=$?
	note "$fs: status $status: $(tail -n 1 "$tmp/said")"
	check "$fs: the copy ends, short" \
		test "$(written)" -lt $((64 << 20))
	bpio-ctl still oread:0:64K open:d owrite:0:64K >"$tmp/then" 2>&1 || true
	check "$fs: then nothing is offloaded" \
		expect_status 1 grep -q 'owrite status=SUCCESS' "$tmp/then"
	cd /
	check "$fs: the mount can be left" umount_volume v
	check "$fs: and the volume" remove_volume v
	echo 1 >/sys/bus/pci/rescan
	wait_for 60 test -b "$disk"
	udevadm settle 2>/dev/null || true

	make_volume v "$disk"
	mount_volume v
	cd "$tmp/v"
	check "$fs: back again: the copy was as promised" promised
	check "$fs: other files are untouched" bpio-verify check still 3
	check "$fs: the source too" bpio-verify check src 1
	umount_volume v
	check "$fs: in order" fsck_volume v "$fs"
	remove_volume v
}

# shellcheck disable=SC2317 # by wait_for
some_moved() { [ "$(counter v bytes_nvme)" -gt 1000000 ]; }

if [ -d "/sys/kernel/debug/${disk##*/}/fault_inject" ]; then
	on_each_fs failing_copies
else
	echo "skip - this kernel cannot make NVMe commands fail"
fi
on_each_fs removal
finish
