#!/bin/bash
# purpose: multipath heads and protection information: bypassed, copied by dm-kcopyd
# quick: stock debug
# disk: paths 1G,paths=2
# disk: pi 512M,ms=8,pi=1
# timeout: 240
#
# A kernel without NVMe multipath shows each path as a disk of its own, and one
# without block integrity lets the controller insert and strip the protection
# information: there, too, no Copy may be given to a namespace that has it.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

# try TEXT DEVICE ENGINE
try() {
	local text=$1 dev=$2 engine=$3

	make_volume v "$dev"
	# a block that was never written has no right reference tag to read
	poison "$(volume v)" ${volume_mib}M
	make_fs ext4 "$(volume v)"
	mount_volume v
	check_equal "$text: the engine" "$engine" "$(counter v engine)"
	cd "$tmp/v"
	bpio-verify fill src 1 4M
	bpio-verify fill dst 9 4M
	begin v
	check "$text: bypassed reads" bpio-verify check -e src 1
	check_gained "$text: by the full path" v "full_reads>0" partial_reads=0
	bpio-ctl src oread:0:4M open:dst owrite:0:4M >"$tmp/said"
	check_equal "$text: copied" "owrite status=SUCCESS info=16 written=4194304" \
		"$(tail -n 1 "$tmp/said")"
	check_gained "$text: by that engine" v "bytes_$engine=4194304"
	# not from the cache: what is checked is what is on the device
	echo 3 >/proc/sys/vm/drop_caches
	rule 137 check "$text: the bytes are right" bpio-verify check dst 1
}

# The first controller of the disk with two.
first_path() {
	local c serial

	for c in /sys/class/nvme/nvme*; do
		read -r serial <"$c/serial"
		[ "$serial" != paths ] || break
	done
	echo "$c"
}

pi_device=${disk_pi-/dev/nvme1n1}
disk=${disk_paths-$disk}

try "protection information" "$pi_device" kcopyd
if [ -d "/sys/block/${pi_device##*/}/integrity" ]; then
	check_equal "it is checked by the host" 1 \
		"$(cat "/sys/block/${pi_device##*/}/integrity/read_verify")"
fi
remove_volume v

if [ -e /sys/module/nvme_core/parameters/multipath ]; then
	try "two paths" "$disk" kcopyd
	defer eval 'echo 1 >/sys/bus/pci/rescan'
	bpio-verify fill big 5 64M
	bpio-verify fill dst 9 64M
	command bpio-ctl big oread:0:64M open:dst owrite:0:64M >"$tmp/said" 2>&1 &
	echo 1 >"$(first_path)/device/remove"
	wait $!
	check_equal "a path goes away under a copy" \
		"owrite status=SUCCESS info=16 written=67108864" \
		"$(tail -n 1 "$tmp/said")"
	echo 3 >/proc/sys/vm/drop_caches
	check "nothing is lost" bpio-verify check dst 5
	begin v
	check "bypassed reads go on by the other" bpio-verify check -e src 1
	check_gained "by the full path" v "full_reads>0"
	umount_volume v
	check "in order" fsck_volume v ext4
	remove_volume v
else
	try "one of two paths" "$disk" nvme
	remove_volume v
fi
finish
