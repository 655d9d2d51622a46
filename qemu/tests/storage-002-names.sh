#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: the driver below is named, and only NVMe is compatible
# quick: stock
# needs: nvme>=2 module=dm-bpio prog=sfdisk
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/storage.sh"

load_modules
none=NO_BYPASSIO_DRIVER_SUPPORT

# below TEXT DRIVER LOWER [ARGUMENTS]: "-" = nobody objects
below() {
	if [ "$2" = - ]; then
		asked "$1" clean "$3" "${4-}"
	else
		rule 47 asked "$1" "$none $2" "$3" "${4-}"
	fi
}

# asked TEXT VERDICT LOWER ARGUMENTS
asked() {
	dmsetup create t --table "0 65536 bpio $3 0 $4"
	check_equal "$1" "$2" "$(query t | verdict)"
	check_equal "$1: ENABLE says the same" "$2" "$(enable t | verdict)"
	if [ "$2" = clean ]; then
		check_equal "$1: active" active "$(words t bypass)"
	else
		check_equal "$1: vetoed" "vetoed 1 1 2" \
			"$(words t bypass enables queries vetoes)"
	fi
	dmsetup remove t
}

# has MODULE [PARAMETER...]: loads it, or skips what is about it
has() {
	modprobe -q "$@" || {
		echo "skip - $1 below: the kernel has none"
		return 1
	}
}

below "NVMe" - /dev/nvme0n1
printf 'label: gpt\n2048,131072\n,\n' | sfdisk -q --no-tell-kernel /dev/nvme1n1
blockdev --rereadpt /dev/nvme1n1
defer sh -c 'wipefs -qa /dev/nvme1n1; blockdev --rereadpt /dev/nvme1n1'
wait_for 10 test -b /dev/nvme1n1p1
below "a partition" - /dev/nvme1n1p1

if has brd rd_nr=1 rd_size=65536; then
	defer rmmod brd
	below "a RAM disk" brd.ko /dev/ram0
	below "a RAM disk, any_storage" - /dev/ram0 "1 any_storage"
fi
if has null_blk gb=1; then
	defer rmmod null_blk
	below "null_blk" null_blk.ko /dev/nullb0
	below "null_blk, any_storage" - /dev/nullb0 "1 any_storage"
fi
if has loop; then
	truncate -s 64M "$tmp/file"
	loop=$(losetup -f --show "$tmp/file")
	defer losetup -d "$loop"
	below "a loop device" loop.ko "$loop"
fi

new_dm linear "0 65536 linear /dev/nvme0n1 0"
below "dm-linear" dm-mod.ko /dev/mapper/linear
below "dm-linear, any_storage" - /dev/mapper/linear "1 any_storage"
if has dm-crypt; then
	new_dm crypt "0 65536 crypt aes-xts-plain64 $(printf %0128d 7) 0 /dev/nvme0n1 131072"
	below "dm-crypt" dm-crypt.ko /dev/mapper/crypt
fi
new_dm mixed "0 32768 bpio /dev/nvme0n1 0
32768 32768 linear /dev/nvme0n1 32768"
check_equal "a mixed table is no volume" "squery status=NOT_SUPPORTED info=0" \
	"$(query mixed)"
below "a mixed table" dm-mod.ko /dev/mapper/mixed

dmsetup create t --table "0 65536 bpio /dev/nvme0n1 0 3 no_bypassio driver_name old.ko"
rule 47 check_equal "a layer that has not opted in" "$none old.ko" \
	"$(query t | verdict)"
dmsetup remove t
finish
