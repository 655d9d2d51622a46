#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: load and unload, in use and a hundred times over
# quick: stock
# needs: nvme>=1 module=dm-bpio
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/storage.sh"

modprobe dm-mod
unload_modules
insmod "$BPIO_MODULES/dm-bpio.ko"
new_dm t "0 65536 bpio /dev/nvme0n1 0"
check "rmmod under a table is refused" expect_status 1 rmmod dm_bpio 2>/dev/null
dmsetup remove t
exec {fd}<>/dev/bpio
check "rmmod under an open /dev/bpio is refused" \
	expect_status 1 rmmod dm_bpio 2>/dev/null
exec {fd}>&-
check "rmmod" rmmod dm_bpio

cycles() {
	local i

	for i in $(seq 100); do
		insmod "$BPIO_MODULES/dm-bpio.ko" || return
		if [ $((i % 10)) = 0 ]; then
			dmsetup create t --table "0 65536 bpio /dev/nvme0n1 0" ||
				return
			dmsetup suspend t && dmsetup resume t &&
				dmsetup remove t || return
		fi
		rmmod dm_bpio || return
	done
}
check "100 times" cycles
check "/dev/bpio is gone" test ! -e /dev/bpio
finish
