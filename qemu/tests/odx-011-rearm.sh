#!/bin/bash
# purpose: what cannot offload is asked again after 180 s or a remount
# quick: stock
# needs: kernel=stock
# vm: --icount=off --nvme 1G --memory 2048
# timeout: 6000
#
# A machine whose clock counts instructions, and jumps to the next timer when it
# has nothing to do: 180 s are over at once.  It jumps as well while it waits for
# the host: a timer of 10 ms keeps that small, and what has to be seen before
# the 180 s are over is looked at again when it came too late.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

no=DEVICE_FEATURE_NOT_SUPPORTED
yes_read="oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio"

# request read|write: the last line of what the request answers.
request() {
	case $1 in
	read) bpio-ctl src oread:0:64K ;;
	write) bpio-ctl src oread:0:64K open:dst owrite:0:64K ;;
	esac | tail -n 1
}

# No program: to load one is to wait for the host.
now() {
	local up

	read -r up _ </proc/uptime
	echo "${up%.*}"
}

# Nothing is waited for, so that it may jump to the end.
nap() {
	kill -STOP $ticker
	sleep "$1"
	kill -CONT $ticker
}

# in_time TEXT EXPECTED BEGIN LOOK: what LOOK says 120 s after BEGIN; returns when
# 186 s are over.
in_time() {
	local text=$1 expected=$2 begin=$3 look=$4 round start begun got age left

	for round in 1 2 3 4 5; do
		start=$(now)
		$begin
		begun=$(now)
		nap 120
		got=$($look)
		age=$(($(now) - start))
		[ $age -lt 180 ] || note "$text: round $round took $age s"
		left=$((begun + 186 - $(now)))
		[ $left -le 0 ] || nap $left
		[ $age -ge 180 ] || break
	done
	[ $age -lt 180 ] || not_ok "$text: five rounds took too long"
	check_equal "$text" "$expected" "$got"
}

# shellcheck disable=SC2317 # called by name
refuse() {
	message v fault "offload_$what" status 0xC0000463
	rule 127 check_equal "$what: the storage's answer" "o$what status=$no info=0" \
		"$(request "$what")"
	rule 127 check_equal "$what: the next one does not get there" \
		"o$what status=NOT_SUPPORTED info=0" "$(request "$what")"
	message v fault clear
}

# The file system's memory of what its volume said.
file_system() {
	local what=$1 answer=$2

	in_time "$what: nor after 120 s" "o$what status=NOT_SUPPORTED info=0" \
		refuse "request $what"
	rule 127 check_equal "$what: after 186 s" "$answer" "$(request "$what")"

	message v fault "offload_$what" status 0xC0000463
	request "$what" >/dev/null
	message v fault clear
	check_equal "$what: told again" \
		"o$what status=NOT_SUPPORTED info=0" "$(request "$what")"
	umount_volume v
	mount_volume v
	cd "$tmp/v"
	rule 127 check_equal "$what: a remount forgets" "$answer" "$(request "$what")"
}

# The copy manager's memory of a device that refused a Copy: it was told that
# one may be larger than the device takes.
# shellcheck disable=SC2317 # called by name
be_refused() {
	check_equal "NVMe Copy at first" nvme "$(counter v engine)"
	bpio-ctl src mark:v oread:0:1M open:dst owrite:0:1M \
		gain:bytes_nvme:bytes_kcopyd >"$tmp/said"
	check_equal "refused: the copy is done without" \
		"gain bytes_nvme=0 bytes_kcopyd=1048576" \
		"$(tail -n 1 "$tmp/said")"
	check_equal "and said so" kcopyd "$(counter v engine)"
}

copy_manager() {
	in_time "also after 120 s" kcopyd be_refused "counter v engine"
	check_equal "after 186 s it may try again" nvme "$(counter v engine)"
}

mkfifo "$tmp/never"
(
	exec 8<>"$tmp/never"
	while :; do read -r -t 0.01 -u 8 || true; done
) &
ticker=$!
defer kill $ticker
setup_volume v ext4 "$disk"
cd "$tmp/v"
bpio-verify fill src 1 64K
bpio-verify fill dst 9 64K
file_system read "$yes_read"
file_system write "owrite status=SUCCESS info=16 written=65536"
check "the bytes are right" bpio-verify check dst 1
remove_volume v

setup_volume v ext4 "$disk" 0 copy_limits 65535 4294967295 0
cd "$tmp/v"
bpio-verify fill src 1 1M
bpio-verify fill dst 9 1M
copy_manager
check "and the bytes are right" bpio-verify check dst 1
finish
