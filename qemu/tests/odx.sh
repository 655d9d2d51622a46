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
noises=${BPIO_SEED-$RANDOM}
# noise FILE BYTES: a file of $tmp, like no other; BPIO_SEED gives it again
noise() { bpio-verify noise "$tmp/$1" $(($2)) $((noises++)); }
# part FILE AT LENGTH: of a file of $tmp
part() {
	dd if="$tmp/$1" iflag=skip_bytes,count_bytes skip=$(($2)) \
		count=$(($3)) bs=1M status=none
}
# put FILE AT [DEVICE]: write a file of $tmp there
put() { bpio-verify put "${3-$d}" $(($2)) "$tmp/$1"; }
# same FILE AT [FROM LENGTH [DEVICE]]: the device's bytes are that part of it
same() {
	bpio-verify same "${5-$d}" $(($2)) "$tmp/$1" $((${3-0})) \
		${4+$(($4))}
}
# ctl WORD...: bpio-ctl on /dev/bpio, with v for a device
ctl() { bpio-ctl /dev/bpio "device:$d" "$@"; }
# mint TOKEN RANGE...: of v, into a file of $tmp; fails the test unless it succeeds
mint() {
	local to=$1 said noted

	shift
	ask bpio-ctl /dev/bpio "device:$d" "$@" kernel dread "save:$tmp/$to" ||
		true
	[[ $said == *SUCCESS* ]] || fail "mint $*: $said"
}
# redeem TOKEN RANGE...: the status
redeem() {
	local said noted

	redeem_said "$@"
	echo "$said"
}
# redeem_said TOKEN RANGE...: the same, into $said
redeem_said() {
	local from=$1

	shift
	ask bpio-ctl /dev/bpio "device:$d" load:"$tmp/$from" "$@" kernel \
		dwrite || true
	[[ $said =~ dwrite\ (status=)?([^ ]*) ]] || fail "redeem $*: $said"
	said=${BASH_REMATCH[2]}
}
# redeemed TEXT TOKEN FILE AT: to there, and it is what the file holds
redeemed() {
	local length said noted

	length=$(stat -c %s "$tmp/$3")
	redeem_said "$2" "range:$(($4)):$length"
	if [ "$said" = SUCCESS ]; then
		check "$1" same "$3" "$4"
	else
		not_ok "$1: $said"
	fi
}
# used: bytes of the reserve of v in use
used() { counter v reserve_used; }
# unused: are none in use?
unused() { [ "$(used)" = 0 ]; }
# more KEY N: has that counter of v gone beyond N?
more() { [ "$(counter v "$1")" -gt "$2" ]; }
