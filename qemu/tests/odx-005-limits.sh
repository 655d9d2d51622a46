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
tracefs=/sys/kernel/tracing
event=$tracefs/events/nvme/nvme_setup_cmd/enable
bytes=307200 # 600 blocks

# trace_commands: what the driver sends is in the trace
trace_commands() {
	mountpoint -q $tracefs || {
		mount -t tracefs none $tracefs
		defer umount $tracefs
	}
	defer trace_nothing
	echo 4096 >$tracefs/buffer_size_kb
	echo 1 >$event
}
# shellcheck disable=SC2317 # deferred
trace_nothing() {
	echo 0 >$event
	echo >$tracefs/trace
}

# copies: how many Copy commands there were, and the most ranges of one
copies() {
	local all=0 most=0 ranges

	while read -r ranges; do
		all=$((all + 1))
		ranges=$((16#$ranges + 1))
		[ $ranges -le $most ] || most=$ranges
	done < <(sed -nE 's/.* cmd=\((0x19|nvme_cmd_copy) cdw10=(.. ){8}(..).*/\3/p' \
		$tracefs/trace)
	echo $all $most
}

# limited LIMITS BY-NVME [COMMANDS RANGES]: a file of 600 blocks is copied in so many
# commands, the largest of so many ranges
limited() {
	local limits=$1 text=${1:-of the device}

	make_volume v "$disk" 0 $limits
	make_fs ext4 "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill src 1 $bytes
	bpio-verify fill d 9 $bytes
	echo >$tracefs/trace
	bpio-ctl src mark:v oread:0:$bytes open:d owrite:0:$bytes \
		gain:bytes_nvme:bytes_kcopyd >"$tmp/said"
	[ -z "${3-}" ] || check_equal \
		"$text: Copy commands, the most ranges of one" "$3 $4" "$(copies)"
	check_equal "$text: who copied" \
		"gain bytes_nvme=$2 bytes_kcopyd=$((bytes - $2))" \
		"$(tail -n 1 "$tmp/said")"
	rule 137 check "$text: the bytes are right" bpio-verify check d 1
	remove_volume v
}

trace_commands
limited "" $bytes 30 3
limited "copy_limits 3 5 1" $bytes 120 2
limited "copy_limits 1 1 0" $bytes 600 1
limited "copy_limits 8 9 2" $bytes 67 2
# more than the device can do: it refuses whatever was sent by then
limited "copy_limits 65535 20 0" 0
finish
