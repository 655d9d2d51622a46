#!/bin/bash
# purpose: 4096-byte blocks, partitions, stacked and spanned volumes: both jobs
# quick: stock
# timeout: 240
# needs: nvme>=3
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

large=/dev/nvme2n1

# both WHAT ENGINE: on the mounted volume v
both() {
	cd "$tmp/v"
	bpio-verify fill src 1 3M
	bpio-verify check -e src 1
	begin v
	rule 22 check "$1: bypassed reads: the bytes are right" \
		bpio-verify check -e -E uring -q 4 -b 64K src 1
	rule 22 check_gained "$1: by the full path" v full_bytes=3145728 \
		mapped_reads=0 traditional_reads=0
	bpio-verify fill d 9 3M
	bpio-ctl src mark:v oread:0:3M open:d owrite:0:3M \
		gain:bytes_$2 >"$tmp/said"
	check_equal "$1: copied by $2" "gain bytes_$2=3145728" \
		"$(tail -n 1 "$tmp/said")"
	rule 137 check "$1: the bytes are right" bpio-verify check d 1
	check "$1: the source's too" bpio-verify check -c src 1
}

setup_volume v ext4 $large
both "4096-byte blocks" nvme
rule 112 129 answers "4096-byte blocks: 512 is no multiple, the tail is rounded to 4096" \
	src oread:512:4096 oread:0:512 oread:4096:4096 owrite:512:4096 \
	owrite:0:4096:512 trunc:1000100 oread:999424:676 <<-END
oread status=INVALID_PARAMETER info=0
oread status=INVALID_PARAMETER info=0
oread status=SUCCESS info=528 transfer=4096 flags=0 token=bpio
owrite status=INVALID_PARAMETER info=0
owrite status=INVALID_PARAMETER info=0
trunc 0
oread status=SUCCESS info=528 transfer=4096 flags=0 token=bpio
END
bpio-verify fill tail 1 1000100
check "4096-byte blocks: bypassed reads of an odd size" \
	bpio-verify check -e -b 64K tail 1
remove_volume v

setup_volume v xfs "$disk"
setup_volume w xfs $large
cd "$tmp"
bpio-verify fill v/src 1 1M
bpio-verify fill w/d 9 1M
answers "from 512-byte blocks to 4096-byte blocks and back" \
	v/src mark:w oread:0:1M open:w/d owrite:0:1M gain:bytes_kcopyd \
	oread:0:512K open:v/back:cdrw trunc:1M owrite:0:512K <<-END
oread status=SUCCESS info=528 transfer=1048576 flags=0 token=bpio
owrite status=SUCCESS info=16 written=1048576
gain bytes_kcopyd=1048576
oread status=SUCCESS info=528 transfer=524288 flags=0 token=bpio
trunc 0
owrite status=SUCCESS info=16 written=524288
END
rule 137 check "the bytes are right" bpio-verify check w/d 1
rule 137 check "and back" bpio-verify check -l 512K v/back 1
throttle=/sys/module/dm_bpio/parameters/copy_throttle
check_equal "no throttle at first" 100 "$(<$throttle)"
echo 20 >$throttle
bpio-verify fill w/d 9 1M
answers "throttled: copied all the same" \
	v/src mark:w oread:0:1M open:w/d owrite:0:1M gain:bytes_kcopyd <<-END
oread status=SUCCESS info=528 transfer=1048576 flags=0 token=bpio
owrite status=SUCCESS info=16 written=1048576
gain bytes_kcopyd=1048576
END
echo 100 >$throttle
check "throttled: the bytes are right" bpio-verify check w/d 1
remove_volume w
remove_volume v

sfdisk -q "$disk" <<-END
label: gpt
start=$((3 << 11)), size=$((400 << 11))
start=$((403 << 11)), size=$((400 << 11))
END
defer wipefs -qaf "$disk"
wait_for 5 test -e "${disk}p2" || fail "no partition"
poison "${disk}p1" 400M
setup_volume v ext4 "${disk}p2" 16
both "a partition, 16 MiB in" nvme
check "its neighbour is untouched" test "$(head -c 8 "${disk}p1")" = BDPOISON
remove_volume v

make_volume low "$disk2" 32
setup_volume v ext4 "$(volume low)"
both "two layers" nvme
remove_volume v
remove_volume low

half=$((volume_mib << 10))
dmsetup create bpio-v <<-END
0 $half bpio ${disk}p2 2048
$half $half bpio $disk2 4096
END
live[v]=yes
make_fs ext4 "$(volume v)" -O ^flex_bg
mount_volume v
cd "$tmp/v"
mkdir x y z
for f in x/1 y/2 z/3; do bpio-verify fill $f ${f#*/} 60M; done
begin v
for f in x/1 y/2 z/3; do
	check "spanned: $f: bypassed: the bytes are right" \
		bpio-verify check -e -b 1M $f ${f#*/}
done
check_gained "spanned: by the full path" v full_bytes=$((180 << 20)) \
	traditional_reads=0 partial_reads=0
fallocate -l 60M copy
bpio-ctl z/3 oread:0:60M open:copy owrite:0:60M >"$tmp/said"
check "spanned: copied: $(tr '\n' ';' <"$tmp/said")" bpio-verify check copy 3
remove_volume v
finish
