# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2086,SC2154 # for who sources it; numbers; $tmp
#
# Sourced after storage.sh by the tests of tokens of a device: the volume v, $d,
# of 64 MiB, with or without a reserve, and requests to it.

m=1048576
k64=65536
volume_mib=64
d=/dev/mapper/bpio-v

# preserving LENGTH-KIB [FEATURE-ARG...]: a new volume v; the reserve is beside
# it on the same disk, so that it would show who writes to the wrong place
preserving() {
	local kib=$1

	shift
	remove_volume v
	make_volume v "$disk" 0 on_write preserve reserve "$disk" \
		$((65 << 11)) $((kib * 2)) "$@"
}
# noise FILE BYTES
noise() { head -c $(($2)) /dev/urandom >"$tmp/$1"; }
# part FILE AT LENGTH: of a file of $tmp
part() {
	dd if="$tmp/$1" iflag=skip_bytes,count_bytes skip=$(($2)) \
		count=$(($3)) bs=1M status=none
}
# put FILE AT [DEVICE]: write a file of $tmp there
put() {
	dd if="$tmp/$1" of="${3-$d}" bs=1M oflag=direct,seek_bytes \
		seek=$(($2)) status=none
}
# same FILE AT [FROM LENGTH [DEVICE]]: the device's bytes are that part of it
same() {
	local length=${4-$(stat -c %s "$tmp/$1")}

	cmp -s <(dd if="${5-$d}" iflag=direct,skip_bytes,count_bytes \
		skip=$(($2)) count=$((length)) bs=1M status=none) \
		<(part "$1" "${3-0}" "$length")
}
ctl() { bpio-ctl /dev/bpio "device:$d" "$@"; }
# mint TOKEN RANGE...
mint() {
	local to=$1 said

	shift
	said=$(ctl "$@" kernel dread "save:$tmp/$to")
	[[ $said == *SUCCESS* ]] || fail "mint $*: $said"
}
# redeem TOKEN RANGE...: the status
redeem() {
	local from=$1

	shift
	ctl load:"$tmp/$from" "$@" kernel dwrite |
		sed -n 's/dwrite status=\([^ ]*\).*/\1/p'
}
# redeemed TEXT TOKEN FILE AT: to there, and it is what the file holds
redeemed() {
	local length status

	length=$(stat -c %s "$tmp/$3")
	status=$(redeem "$2" "range:$(($4)):$length")
	if [ "$status" = SUCCESS ]; then
		check "$1" same "$3" "$4"
	else
		not_ok "$1: $status"
	fi
}
used() { counter v reserve_used; }
unused() { [ "$(used)" = 0 ]; }
more() { [ "$(counter v "$1")" -gt "$2" ]; }
