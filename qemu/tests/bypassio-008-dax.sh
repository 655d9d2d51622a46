#!/bin/bash
# purpose: files on a DAX volume: refused, and read all the same
# fs: ext4 xfs
# quick: stock
# needs: kernel=stock
# vm: --nvme 64M --memory 2048 --append memmap=400M!1G
# timeout: 240
#
# Persistent memory is made of RAM, by memmap=.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

pmem=/dev/pmem0
none="result=NO_BYPASSIO_DRIVER_SUPPORT driver=nd_pmem.ko"

# mount_pmem lower-options
mount_pmem() {
	mkdir -p "$tmp/p"
	mount -t bpiofs -o "lower=$fs,lowerdata=\"$1\"" $pmem "$tmp/p"
	cd "$tmp/p"
}

umount_pmem() {
	cd /
	umount "$tmp/p"
}

run() {
	local veto="result=NOT_SUPPORTED_ON_DAX driver=bpiofs.ko \
reason=DAX volume not supported"

	case $fs in
	ext4) mkfs.ext4 -q -F -b 4096 $pmem ;;
	xfs) mkfs.xfs -q -f -b size=4096 -m reflink=0 $pmem ;;
	esac
	mount_pmem dax=always
	cp "$tmp/data" file
	sync -f .
	rule 31 33 answers "$fs: on a DAX volume: ENABLE, QUERY" file enable query \
		query:1 enable info disable read:0:64K:"$tmp/r1" <<-END
	enable status=SUCCESS info=352 op=1 flags=0 $veto
	query status=SUCCESS info=352 op=3 flags=0 $veto
	query status=SUCCESS info=352 op=3 flags=0 $veto
	enable status=SUCCESS info=352 op=1 flags=0 $veto
	info status=SUCCESS info=96 op=8 flags=0 count=0 driver=nd_pmem.ko
	disable status=SUCCESS info=24 op=2 flags=0
	read 65536
	END
	check "$fs: its data is read" cmp "$tmp/data" "$tmp/r1"
	umount_pmem

	# the volume is to blame, not the device
	mount_pmem dax=never
	check_equal "$fs: without DAX: no such veto" "$none" \
		"$(bpio-ctl file query | grep -o 'result=[^ ]* driver=[^ ]*')"
	umount_pmem
}

modprobe -a libnvdimm nd_e820 nd_pmem
wait_for 10 test -b $pmem || fail "no persistent memory"
head -c 65536 /dev/urandom >"$tmp/data"
on_each_fs run
finish
