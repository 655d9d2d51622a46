#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: OffloadRead and OffloadWrite: page cache, engines, stacks, block sizes, suspend, races, read-only and mounted devices
# quick: stock
# timeout: 300
# needs: nvme>=3
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

large=/dev/nvme2n1
m=1048576
dev() { echo "/dev/mapper/bpio-$1"; }
# noise VOLUME MIB: new bytes at its start, kept in $tmp/noise
noise() {
	dd if=/dev/urandom of="$tmp/noise" bs=1M count="$2" status=none
	dd if="$tmp/noise" of="$(dev "$1")" bs=1M oflag=direct status=none
}
# holds VOLUME AT LENGTH FROM
holds() {
	dd if="$(dev "$1")" iflag=direct,skip_bytes,count_bytes skip=$(($2)) \
		count=$(($3)) bs=64K status=none |
		cmp -s - <(tail -c +$(($4 + 1)) "$tmp/noise" | head -c $(($3)))
}
# part AT LENGTH: of the noise; tail does not get rid of it all
part() { tail -c +$(($1 + 1)) "$tmp/noise" | head -c "$2" || true; }
# mint VOLUME RANGES...: into $tmp/t
mint() {
	local name=$1

	shift
	bpio-ctl /dev/bpio "device:$(dev "$name")" "$@" kernel dread \
		save:"$tmp/t"
}
# redeem VOLUME WORD...: that token; the last words are ranges and dwrite
redeem() {
	local name=$1

	shift
	bpio-ctl /dev/bpio "device:$(dev "$name")" load:"$tmp/t" "$@"
}

# -- the device's own page cache ---------------------------------------------
make_volume v "$disk"
noise v 2
d=$(dev v)
dd if=/dev/urandom of="$tmp/new" bs=1024 count=1 status=none
exec 7<>"$d"	# a device that nobody has open keeps no pages
head -c 8M "$d" >/dev/null
# 1 KiB, dirty in the cache, in the middle of the source and beside the target
dd if="$tmp/new" of="$tmp/noise" bs=1K seek=10 conv=notrunc status=none
dd if="$tmp/new" of="$d" bs=1K seek=10 conv=notrunc status=none
dd if="$tmp/new" of="$d" bs=512 seek=$((8 * 1024 - 2)) conv=notrunc status=none
mint v range:0:1M >"$tmp/said"
redeem v range:4M:1M kernel dwrite >>"$tmp/said"
check_equal "copied by way of a warm cache" \
	"dwrite status=SUCCESS info=16 copied=$m flags=0" \
	"$(tail -n 1 "$tmp/said")"
check "dirty pages of the source are in" holds v 4*m m 0
check "a cached read sees the new data" \
	cmp -s <(head -c 5M "$d" | tail -c 1M) <(head -c 1M "$tmp/noise")
check "dirty bytes beside the destination, in the same page, stay" \
	cmp -s <(dd if="$d" bs=512 skip=$((8 * 1024 - 2)) count=2 status=none) \
	"$tmp/new"
sync "$d"
check "and what is written back later changes nothing" holds v 4*m m 0
exec 7>&-

# -- engines -------------------------------------------------------------------
answers "without Copy: dm-kcopyd; a token of another volume as well" \
	/dev/bpio device:$d mark:v msg:"fault identify times 1" range:0:1M \
	kernel dread norange range:5M:1M kernel dwrite \
	gain:bytes_nvme:bytes_kcopyd <<-END
dread status=SUCCESS info=536 protected=$m flags=0 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=$m flags=0
gain bytes_nvme=0 bytes_kcopyd=$m
END
check "the bytes are right" holds v 5*m m 0
make_volume w "$disk2" 7
mint v range:0:2M >/dev/null
redeem w mark:w range:3M:2M kernel dwrite gain:bytes_kcopyd >"$tmp/said"
check_equal "to another namespace" "gain bytes_kcopyd=$((2 * m))" \
	"$(tail -n 1 "$tmp/said")"
check "the bytes are right" holds w 3*m 2*m 0
remove_volume w
make_volume w "$disk2" 7 offload nvme
redeem w range:3M:2M kernel dwrite >"$tmp/said"
check_equal "an engine that cannot get there" \
	"dwrite status=DEVICE_UNREACHABLE info=16" "$(cat "$tmp/said")"
remove_volume w

# more than the device can do in a command: not a failure
remove_volume v
make_volume v "$disk" 0 copy_limits 65535 4294967295 255
noise v 2
answers "copy_limits beyond the device's: it refuses, dm-kcopyd goes on" \
	/dev/bpio device:$d mark:v range:0:1M kernel dread norange \
	range:4M:1M kernel dwrite gain:bytes_nvme:bytes_kcopyd \
	show:engine <<-END
dread status=SUCCESS info=536 protected=$m flags=0 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=$m flags=0
gain bytes_nvme=0 bytes_kcopyd=$m
show engine=kcopyd
END
check "the bytes are right" holds v 4*m m 0
remove_volume v

# -- stacks, spanned volumes, partitions ---------------------------------------
make_volume low "$disk" 32
volume_mib=256 make_volume v "$(dev low)" 8
noise v 2
mint low range:12M:64K >/dev/null	# of where v is written to, below its map()
mv "$tmp/t" "$tmp/low"
mint v range:0:2M >/dev/null
redeem v mark:v range:4M:2M kernel dwrite gain:bytes_nvme >"$tmp/said"
check_equal "two layers: by NVMe Copy" "gain bytes_nvme=$((2 * m))" \
	"$(tail -n 1 "$tmp/said")"
check "the bytes are right" holds v 4*m 2*m 0
mv "$tmp/low" "$tmp/t"
check_equal "the lower layer's token of the place is dead" \
	"dwrite status=INVALID_TOKEN info=16" \
	"$(redeem low range:200M:64K kernel dwrite)"
remove_volume v
remove_volume low

dmsetup create bpio-v <<-END
0 6144 bpio $disk 2048
6144 10240 bpio $disk2 4096
END
live[v]=yes
noise v 2
mint v range:0:2M >/dev/null
redeem v mark:v range:2M:2M kernel dwrite gain:bytes_nvme:bytes_kcopyd \
	>"$tmp/said"
check_equal "a spanned volume, across its joint: an engine for each part" \
	"gain bytes_nvme=$m bytes_kcopyd=$m" "$(tail -n 1 "$tmp/said")"
check "the bytes are right" holds v 2*m 2*m 0
remove_volume v

sfdisk -q "$disk" <<-END
label: gpt
start=$((3 << 11)), size=$((400 << 11))
start=$((403 << 11)), size=$((400 << 11))
END
defer wipefs -qaf "$disk"
wait_for 5 test -e "${disk}p2" || fail "no partition"
make_volume v "${disk}p2" 16
noise v 2
mint v range:0:2M >/dev/null
redeem v mark:v range:4M:2M kernel dwrite gain:bytes_nvme >"$tmp/said"
check_equal "a partition: by NVMe Copy" "gain bytes_nvme=$((2 * m))" \
	"$(tail -n 1 "$tmp/said")"
check "the bytes are right" holds v 4*m 2*m 0
remove_volume v
wipefs -qaf "$disk"

# -- blocks of 4096 bytes -------------------------------------------------------
make_volume v "$disk"
make_volume l $large
noise l 2
answers "4096-byte blocks" /dev/bpio device:"$(dev l)" mark:l range:0:512 \
	kernel dread norange range:512:4K kernel dread norange range:0:1M \
	kernel dread norange range:4M:1M kernel dwrite:512 kernel dwrite \
	gain:bytes_nvme qprop <<-END
dread status=INVALID_PARAMETER info=0
dread status=INVALID_PARAMETER info=0
dread status=SUCCESS info=536 protected=$m flags=0 length=512 token=bpio
dwrite status=INVALID_PARAMETER info=0
dwrite status=SUCCESS info=16 copied=$m flags=0
gain bytes_nvme=$m
qprop status=SUCCESS info=48 version=48 size=48 life=60/600 \
max=$((volume_mib << 20)) optimal=0 ranges=64 \
blocks=$((volume_mib << 8))/0 granularity=1
END
check "the bytes are right" holds l 4*m m 0
# pieces of a block go by way of memory, the rest by an engine
mint l range:0:1M >/dev/null
redeem v mark:v range:1536:512512 kernel dwrite:1024 \
	gain:bytes_kcopyd:bytes_literal >"$tmp/said"
check_equal "from 4096 to 512, from within a block" \
	"gain bytes_kcopyd=507904 bytes_literal=4608" "$(tail -n 1 "$tmp/said")"
check "the bytes are right" holds v 1536 512512 1024
noise v 2
mint v range:512:1K range:64K:66048 range:1M:2560 >/dev/null	# 68 KiB
redeem l range:8M:67584 kernel dwrite >"$tmp/said"
check_equal "from 512 to 4096: no multiple" \
	"dwrite status=INVALID_PARAMETER info=0" "$(tail -n 1 "$tmp/said")"
redeem l mark:l range:8M:64K range:9M:4K kernel dwrite \
	gain:bytes_kcopyd:bytes_literal >"$tmp/said"
note "$(cat "$tmp/said")"
check_equal "from 512 to 4096, sources of odd sectors" \
	"dwrite status=SUCCESS info=16 copied=69632 flags=0" \
	"$(head -n 1 "$tmp/said")"
check "first" cmp -s <(dd if="$(dev l)" bs=1K skip=8K count=1 status=none) \
	<(part 512 1024)
check "second" cmp -s \
	<(head -c $((8 * m + 65536)) "$(dev l)" | tail -c $((65536 - 1024))) \
	<(part 65536 $((65536 - 1024)))
check "second and third, in the next range" cmp -s \
	<(head -c $((9 * m + 4096)) "$(dev l)" | tail -c 4096) \
	<(part $((2 * 65536 - 1024)) 1536
		part $m 2560)
remove_volume l

# -- suspend ----------------------------------------------------------------------
# redeeming VOLUME WORD...: redeem in the background, as $pid and into $tmp/said;
# under way on return
redeeming() {
	local name=$1

	shift
	# exec: the program itself is looked at, and killed
	exec bpio-ctl /dev/bpio "device:$(dev "$name")" load:"$tmp/t" "$@" \
		>"$tmp/said" &
	pid=$!
	wait_for 60 sleeps_in $pid dm_bpio_copy_ranges ||
		fail "no offload write is under way"
}
# minting VOLUME RANGE...: mint in the background, as $minter
minting() {
	local name=$1

	shift
	exec bpio-ctl /dev/bpio "device:$(dev "$name")" "$@" kernel dread \
		save:"$tmp/t" >/dev/null &
	minter=$!
}

noise v 2
mint v range:0:1M >/dev/null
dmsetup suspend bpio-v
began=$SECONDS
check_equal "a suspended destination: 4 s, nothing written" \
	"dwrite status=IO_TIMEOUT info=16" \
	"$(redeem v range:4M:1M kernel dwrite)"
check "it took as long" test $((SECONDS - began)) -ge 3
make_volume w "$disk2"
check_equal "a suspended source" "dwrite status=IO_TIMEOUT info=16" \
	"$(redeem w range:4M:1M kernel dwrite)"
# from here on all the time that a slow guest takes
limit=/sys/module/dm_bpio/parameters/offload_timeout_ms
defer sh -c "echo 4000 >$limit"
echo 600000 >$limit
redeeming w range:4M:1M kernel dwrite
kill -9 $pid
check "a killed sender does not wait for it" wait_for 60 ended $pid
dmsetup resume bpio-v
wait $pid 2>/dev/null || true
check_equal "resumed: the token is as good as ever" \
	"dwrite status=SUCCESS info=16 copied=$m flags=0" \
	"$(redeem w range:4M:1M kernel dwrite)"
remove_volume w
dmsetup suspend bpio-v
redeeming v range:4M:1M kernel dwrite
dmsetup resume bpio-v
wait $pid
check_equal "resumed in time" \
	"dwrite status=SUCCESS info=16 copied=$m flags=0" "$(cat "$tmp/said")"
check "the bytes are right" holds v 4*m m 0
dmsetup suspend bpio-v
dmsetup load bpio-v --table "0 $((volume_mib << 11)) bpio $disk2 0"
dmsetup resume bpio-v
check_equal "another table: the token is dead" \
	"dwrite status=INVALID_TOKEN info=16" \
	"$(redeem v range:4M:1M kernel dwrite)"
remove_volume v

# -- what is in flight: it is held by a suspend of the device below ---------------
hold() { dmsetup suspend --noflush bpio-held; }
go_on() { dmsetup resume bpio-held; }
# more NAME KEY N: the counter has gone beyond N
more() { [ "$(counter "$1" "$2")" -gt "$3" ]; }

dmsetup create bpio-held --table "0 $((64 << 11)) linear $disk 0"
live[held]=yes
defer remove_volume held
volume_mib=64 make_volume v "$(dev held)" 0 optimal_transfer 65536
noise v 2
dd if=/dev/urandom of="$tmp/late" bs=64K count=1 status=none
n=$(counter v mapped_writes)
hold
exec dd if="$tmp/late" of="$(dev v)" bs=64K seek=64 oflag=direct status=none &
pid=$!
wait_for 60 more v mapped_writes "$n" || fail "nothing is written"
minting v range:4M:64K
wait_for 60 sleeps_or_ended $minter dm_wait_for_completion || true
check "a token waits for a write in flight" \
	sleeps_in $minter dm_wait_for_completion
go_on
wait $pid
wait $minter
check_equal "it lives" "dwrite status=SUCCESS info=16 copied=65536 flags=0" \
	"$(redeem v range:8M:64K kernel dwrite)"
check "and has the bytes of that write" cmp -s "$tmp/late" \
	<(dd if="$(dev v)" bs=64K skip=128 count=1 iflag=direct status=none)

# the same with a copy past map()
mint v range:0:64K >/dev/null
hold
redeeming v range:6M:64K kernel dwrite
minting v range:6M:64K
wait_for 60 sleeps_or_ended $minter bpio_token_issue || true
check "a token waits for a copy in flight" sleeps_in $minter bpio_token_issue
go_on
wait $pid
wait $minter
check_equal "it lives" "dwrite status=SUCCESS info=16 copied=65536 flags=0" \
	"$(redeem v range:10M:64K kernel dwrite)"
check "and has its bytes" holds v 10*m 65536 0

# a life of 2 s, and a command that takes longer
exec bpio-ctl /dev/bpio "device:$(dev v)" range:0:64K kernel dread:2000 \
	norange range:12M:64K sh:"dmsetup suspend --noflush bpio-held" \
	kernel dwrite sleep:2500 kernel dwrite >"$tmp/said" &
pid=$!
wait_for 60 sleeps_in $pid dm_bpio_copy_ranges || fail "nothing is written"
pause 2.5
go_on
wait $pid
check_equal "no token expires under way, and each does afterwards" \
	"SUCCESS SUCCESS INVALID_TOKEN" \
	"$(sed -n 's/.* status=\([^ ]*\) .*/\1/p' "$tmp/said" | xargs)"
check "the bytes are right" holds v 12*m 65536 0

# the source changes while it is being copied
mint v range:0:64K >/dev/null
n=$(counter v tokens_invalidated)
hold
redeeming v range:14M:64K kernel dwrite
exec bpio-ctl "$(dev v)" write:0:64K:7 >/dev/null &
writer=$!
wait_for 60 more v tokens_invalidated "$n" || true
go_on
wait $pid
wait $writer
check_equal "a source that changes while it is read" \
	"dwrite status=SUCCESS info=16 copied=65536 flags=0" \
	"$(cat "$tmp/said")"
check "the copy is what it was" holds v 14*m 65536 0

# 16 commands, and a suspend during the first
bpio-ctl /dev/bpio "device:$(dev v)" range:1M:1M kernel dread:600000 \
	save:"$tmp/t" >/dev/null
hold
redeeming v range:16M:1M kernel dwrite
exec dmsetup suspend bpio-v &
suspender=$!
wait_for 60 sleeps_in $suspender bpio_gate_drain ||
	fail "the suspend does not wait for the command"
go_on
check "a suspend waits for no more than the command in progress" \
	wait $suspender
before=$(sectors_moved "$disk")
pause 1
check_equal "a suspended volume is written to by nobody" 0 \
	$(($(sectors_moved "$disk") - before))
check "whoever copies waits" sleeps_in $pid dm_bpio_copy_ranges
dmsetup resume bpio-v
wait $pid
check_equal "and goes on" "dwrite status=SUCCESS info=16 copied=$m flags=0" \
	"$(cat "$tmp/said")"
check "the bytes are right" holds v 16*m m m
remove_volume v
remove_volume held

# -- read-only, and in use -----------------------------------------------------------
make_volume v "$disk"
noise v 1
exec 9<>"$(dev v)"
blockdev --setro "$(dev v)"
answers "a device that was made read-only" /dev/bpio devfd=9 zeroA \
	range:0:1M kernel dwrite <<-END
dwrite status=MEDIA_WRITE_PROTECTED info=16
END
exec 9>&-
check "is not written to" holds v 0 m 0
remove_volume v

# A mounted file system holds pages of its super block: refused, not torn.
setup_volume v ext4 "$disk"
bpio-verify fill "$tmp/v/f" 1 1M
before=$(head -c 4K "$(dev v)" | md5sum)
answers "pages that a mounted file system holds" /dev/bpio \
	device:"$(dev v)" zeroA range:0:4K kernel dwrite <<-END
dwrite status=UNSUCCESSFUL info=16
END
check_equal "are not written to" "$before" \
	"$(head -c 4K "$(dev v)" | md5sum)"
umount_volume v
check "in order afterwards" fsck_volume v ext4
remove_volume v
finish
