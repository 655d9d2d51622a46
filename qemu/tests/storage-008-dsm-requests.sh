#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: data set management checks its request in the order of protocol 10; the copy offload descriptor
# quick: stock
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

make_volume v "$disk"
d=/dev/mapper/bpio-v
size=$((volume_mib << 20))
good="range:0:64K range:1M:64K"

invalid="status=INVALID_PARAMETER info=0"
rule 145 147 148 answers "a read: what is refused" /dev/bpio device:$d $good mark:v \
	kernel in=27 dread kernel in=75 dread kernel roff=0 rlen=0 dread \
	kernel rlen=0 dread kernel rlen=15 dread kernel rlen=24 dread \
	kernel roff=44 dread kernel poff=0 dread kernel plen=15 dread \
	kernel dread:600001 kernel out=535 dread dread \
	kernel res1=1 dread gain:tokens_issued:offload_reads <<-END
dread $invalid
dread $invalid
dread $invalid
dread $invalid
dread $invalid
dread $invalid
dread $invalid
dread $invalid
dread $invalid
dread $invalid
dread status=BUFFER_TOO_SMALL info=0
dread status=ACCESS_DENIED info=0
dread $invalid
gain tokens_issued=0 offload_reads=0
END
rule 145 146 answers "ranges: zero, unaligned, past the end, negative" /dev/bpio device:$d \
	range:0:0 kernel dread norange range:1:512 kernel dread \
	norange range:0:513 kernel dread \
	norange range:$((size - 512)):512 kernel dread \
	norange range:$((size - 512)):1024 kernel dread \
	norange range:0:512 range:$size:512 kernel dread \
	norange range:-512:512 kernel dread <<-END
dread $invalid
dread $invalid
dread $invalid
dread status=SUCCESS info=536 protected=512 flags=0 length=512 token=bpio
dread status=NONEXISTENT_SECTOR info=0
dread status=NONEXISTENT_SECTOR info=0
dread status=NONEXISTENT_SECTOR info=0
END
rule 145 147 148 answers "a write: what is refused" /dev/bpio device:$d $good zeroA mark:v \
	kernel in=27 dwrite kernel in=587 dwrite kernel rlen=0 dwrite \
	kernel poff=36 dwrite kernel plen=527 dwrite kernel dwrite:513 \
	kernel out=15 dwrite dwrite gain:offload_writes:bytes_zero <<-END
dwrite $invalid
dwrite $invalid
dwrite $invalid
dwrite $invalid
dwrite $invalid
dwrite $invalid
dwrite status=BUFFER_TOO_SMALL info=0
dwrite status=ACCESS_DENIED info=0
gain offload_writes=0 bytes_zero=0
END
# two faults: the earlier one tells (all pairs: KUnit)
answers "order: action, capability, sender, ranges, parameters, output" \
	/dev/bpio device:$d range:1:512 \
	dsm:1 kernel in=27 dsm:1 out=0 dread kernel out=0 dread \
	norange range:$size:512 kernel plen=15 out=0 dread \
	norange range:0:512 kernel plen=15 out=0 dread \
	kernel out=0 dread:600001 <<-END
dsm status=INVALID_DEVICE_REQUEST info=0
dsm $invalid
dread status=ACCESS_DENIED info=0
dread $invalid
dread status=NONEXISTENT_SECTOR info=0
dread $invalid
dread $invalid
END

exec 8<"$d"
answers "the control code wants a descriptor for writing" \
	/dev/bpio device:$d $good devfd=8 kernel dread devfd=8 kernel in=27 \
	dread devfd=8 qprop <<-END
dread status=ACCESS_DENIED info=0
dread status=ACCESS_DENIED info=0
qprop status=SUCCESS info=48 version=48 size=48 life=60/600 max=$size \
optimal=0 ranges=64 blocks=$((size >> 9))/0 granularity=1
END
exec 8<&-

answers "no volume, and no ODX, before the sender is looked at" \
	/dev/bpio device:$disk2 $good dread kernel dread kernel dwrite qprop \
	dsm:0x80000005 dsm:0x19 <<-END
dread status=DEVICE_FEATURE_NOT_SUPPORTED info=0
dread status=DEVICE_FEATURE_NOT_SUPPORTED info=0
dwrite status=DEVICE_FEATURE_NOT_SUPPORTED info=0
qprop status=DEVICE_FEATURE_NOT_SUPPORTED info=0
dsm status=INVALID_DEVICE_REQUEST info=0
dsm status=INVALID_DEVICE_REQUEST info=0
END
make_volume none "$disk2" 0 offload none
answers "offload none" /dev/bpio device:/dev/mapper/bpio-none $good dread \
	kernel dread kernel dwrite qprop qprop:13:1 out=0 qprop:13:1 <<-END
dread status=DEVICE_FEATURE_NOT_SUPPORTED info=0
dread status=DEVICE_FEATURE_NOT_SUPPORTED info=0
dwrite status=DEVICE_FEATURE_NOT_SUPPORTED info=0
qprop status=DEVICE_FEATURE_NOT_SUPPORTED info=0
qprop status=SUCCESS info=0
qprop status=SUCCESS info=0
END
remove_volume none
dmsetup create bpio-mixed <<-END
0 2048 bpio $disk2 0
2048 2048 linear $disk2 2048
END
live[mixed]=yes
answers "a table of which a part is another target" \
	/dev/bpio device:/dev/mapper/bpio-mixed $good kernel dread qprop <<-END
dread status=DEVICE_FEATURE_NOT_SUPPORTED info=0
qprop status=DEVICE_FEATURE_NOT_SUPPORTED info=0
END
dmsetup remove --retry bpio-mixed
unset "live[mixed]"

# DS-3
volume_mib=300 make_volume up "$d" 4
begin v
rule 152 answers "unknown actions: what may change data fails, the rest goes down" \
	/dev/bpio device:/dev/mapper/bpio-up $good mark:v \
	dsm:0 dsm:1 dsm:0x17 dsm:0x19 gain:dsm_actions:dsm_forwarded \
	mark:up dsm:0x19 gain:dsm_actions:dsm_forwarded \
	dsm:0x80000005 kernel dsm:0x80000018 dsm:0x80000004 \
	gain:dsm_actions:dsm_forwarded <<-END
dsm status=INVALID_DEVICE_REQUEST info=0
dsm status=INVALID_DEVICE_REQUEST info=0
dsm status=INVALID_DEVICE_REQUEST info=0
dsm status=INVALID_DEVICE_REQUEST info=0
gain dsm_actions=0 dsm_forwarded=0
dsm status=INVALID_DEVICE_REQUEST info=0
gain dsm_actions=1 dsm_forwarded=0
dsm status=INVALID_DEVICE_REQUEST info=0
dsm status=INVALID_DEVICE_REQUEST info=0
dsm status=INVALID_DEVICE_REQUEST info=0
gain dsm_actions=4 dsm_forwarded=3
END
rule 152 check_gained "the layer below got those, and passed them on" v \
	dsm_actions=3 dsm_forwarded=3
remove_volume up

# 3.5
answers "the descriptor, its header, other questions" /dev/bpio device:$d \
	out=7 qprop out=8 qprop out=47 qprop out=4096 qprop qprop:13:2 \
	qprop:0 in=7 qprop in=8 qprop <<-END
qprop status=BUFFER_TOO_SMALL info=0
qprop status=SUCCESS info=8 version=48 size=48
qprop status=SUCCESS info=8 version=48 size=48
qprop status=SUCCESS info=48 version=48 size=48 life=60/600 max=$size \
optimal=0 ranges=64 blocks=$((size >> 9))/0 granularity=1
qprop status=NOT_SUPPORTED info=0
qprop status=NOT_SUPPORTED info=0
qprop status=INFO_LENGTH_MISMATCH info=0
qprop status=SUCCESS info=48 version=48 size=48 life=60/600 max=$size \
optimal=0 ranges=64 blocks=$((size >> 9))/0 granularity=1
END
remove_volume v
make_volume v "$disk" 0 token_ttl_ms 500 token_ttl_max_ms 2999 \
	max_transfer 1048576 optimal_transfer 65536
answers "the descriptor of a table with limits" /dev/bpio device:$d qprop <<-END
qprop status=SUCCESS info=48 version=48 size=48 life=1/2 max=1048576 \
optimal=65536 ranges=64 blocks=2048/128 granularity=1
END
if command -v bpioctl >/dev/null; then
	bpioctl storage offload-descriptor "$d" >"$tmp/said" || cat "$tmp/said"
	sed 's/^/# /' "$tmp/said"
	check "bpioctl storage offload-descriptor shows it" \
		grep -Eq 'maximum_transfer_size.*1048576' "$tmp/said"
else
	echo "skip - bpioctl storage offload-descriptor: no bpioctl"
fi
remove_volume v
finish
