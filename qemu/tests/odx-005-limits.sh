#!/bin/bash
# purpose: the namespace's limits of one Copy, and stricter ones, are kept
# quick: stock debug
# timeout: 240
# disk: limits 1G,mssrl=8,mcl=20,msrc=2
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

disk=${disk_limits-$disk}

copies() {
	local limits

	for limits in "" "copy_limits 3 5 1" "copy_limits 1 1 0" \
		"copy_limits 8 9 2" "copy_limits 65535 20 0"; do
		make_volume v "$disk" 0 $limits
		make_fs "$1" "$(volume v)"
		mount_volume v
		cd "$tmp/v"
		bpio-verify fill src 1 300K
		bpio-verify fill d 9 300K
		bpio-ctl src mark:v oread:0:300K open:d owrite:0:300K \
			gain:bytes_nvme:bytes_kcopyd >"$tmp/said"
		# more than the device can do has to be refused by it
		if [ "${limits#*65535}" != "$limits" ]; then
			check "$1: $limits: nothing foreign" \
				bpio-verify check d 9 1
			remove_volume v
			continue
		fi
		check_equal "$1: ${limits:-of the device}: by NVMe Copy" \
			"gain bytes_nvme=307200 bytes_kcopyd=0" \
			"$(tail -n 1 "$tmp/said")"
		rule 137 check "$1: ${limits:-of the device}: the bytes are right" \
			bpio-verify check d 1
		remove_volume v
	done
}

copies ext4
finish
