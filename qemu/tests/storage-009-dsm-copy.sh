#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: OffloadRead and OffloadWrite of a device's own ranges: bytes, limits, partial progress, dead tokens
# quick: stock
# timeout: 300
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

d=/dev/mapper/bpio-v

# new_volume FEATURE-ARG...: 2 MiB of noise, then what nothing is copied from
new_volume() {
	remove_volume v
	make_volume v "$disk" 0 "$@"
	dd if=/dev/urandom of="$tmp/noise" bs=1M count=2 status=none
	dd if="$tmp/noise" of=$d bs=1M oflag=direct status=none
	head -c 14M /dev/zero | tr '\0' P |
		dd of=$d bs=1M seek=2 oflag=direct iflag=fullblock status=none
}
ctl() { bpio-ctl /dev/bpio "device:$d" "$@"; }
# holds AT LENGTH FROM: the device's bytes there are the noise's from FROM on
holds() {
	dd if=$d iflag=direct,skip_bytes,count_bytes skip=$(($1)) \
		count=$(($2)) bs=64K status=none |
		cmp -s - <(tail -c +$(($3 + 1)) "$tmp/noise" | head -c $(($2)))
}
# all AT LENGTH BYTE: nothing but that byte
all() {
	dd if=$d iflag=direct,skip_bytes,count_bytes skip=$(($1)) \
		count=$(($2)) bs=64K status=none |
		cmp -s - <(head -c $(($2)) /dev/zero | tr '\0' "$3")
}
untouched() { all "$1" "$2" P; }
zeroed() { all "$1" "$2" '\0'; }
m=1048576

new_volume
rule 149 answers "1 MiB by NVMe Copy, past map()" /dev/bpio device:$d mark:v \
	range:0:1M kernel dread norange range:4M:1M kernel dwrite \
	gain:bytes_nvme:bytes_kcopyd:bytes_literal:tokens_issued:offload_reads:offload_writes \
	gain:mapped_reads:mapped_writes <<-END
dread status=SUCCESS info=536 protected=$m flags=0 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=$m flags=0
gain bytes_nvme=$m bytes_kcopyd=0 bytes_literal=0 tokens_issued=1 offload_reads=1 offload_writes=1
gain mapped_reads=0 mapped_writes=0
END
check "the bytes are right" holds 4*m m 0
check "and no others were written" untouched 2*m 2*m
check "nor behind" untouched 5*m m

answers "ranges in list order, at both ends, from within the token" \
	/dev/bpio device:$d \
	range:1M:64K range:0:64K range:512K:512 kernel dread norange \
	range:9M:1K range:8M:64K kernel dwrite:65024 <<-END
dread status=SUCCESS info=536 protected=131584 flags=0 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=66560 flags=0
END
# bytes 65024 on: the last 512 of the first range, then the second, the third
check "end of the first range" holds 9*m 512 m+65024
check "second" holds 9*m+512 512 0
check "second, in the next range" holds 8*m 65024 512
check "third" holds 8*m+65024 512 512*1024
check "the odd sector behind it" untouched 9*m+1024 m-1024
ctl range:1M:64K range:0:64K range:512K:512 kernel dread norange \
	range:11M:512 kernel dwrite:131072 kernel dwrite:131584 \
	kernel dwrite:131072 norange range:12M:1K kernel dwrite:131072 \
	norange range:12M:512 kernel dwrite:0xfffffffffffffe00 >"$tmp/said"
check_equal "DS-19: beyond the token's end, and nothing written" \
	"SUCCESS DATA_OVERRUN SUCCESS DATA_OVERRUN DATA_OVERRUN" \
	"$(sed -n 's/dwrite status=\([^ ]*\) info=16.*/\1/p' "$tmp/said" | xargs)"
check "not a byte" untouched 12*m 1024

# 64 ranges
rule 149 answers "65 ranges are cut to 64, writes take any number" \
	/dev/bpio device:$d range:0:512:65:1024 kernel dread norange \
	range:12M:512:64:4096 kernel dwrite norange \
	range:0:512:64:1024 kernel dread norange \
	range:13M:512:64 kernel dwrite <<-END
dread status=SUCCESS info=536 protected=32768 flags=1 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=32768 flags=0
dread status=SUCCESS info=536 protected=32768 flags=0 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=32768 flags=0
END
dd if=$d bs=256K skip=48 count=1 iflag=direct status=none >"$tmp/scattered"
check "64 scattered sectors" cmp -s "$tmp/scattered" <(perl -e '
	open(F, "<", shift); read(F, $n, 65536);
	print substr($n, 1024 * $_, 512), "P" x 3584 for 0 .. 63' "$tmp/noise")
ctl range:0:1M kernel dread norange range:6M:512:2000 kernel dwrite \
	>"$tmp/said"
check_equal "2000 ranges" "dwrite status=SUCCESS info=16 copied=1024000 flags=0" \
	"$(tail -n 1 "$tmp/said")"
check "the bytes are right" holds 6*m 1024000 0
ctl range:0:2K kernel dread norange range:7M:1K range:7M:1K kernel dwrite \
	>"$tmp/said"
check "a range that comes twice: the later data" holds 7*m 1024 1024

# zero tokens
for form in zeroA zero4 zero8; do
	answers "$form: any length, any offset" /dev/bpio device:$d $form \
		mark:v range:8M:1M kernel dwrite:1M gain:bytes_zero <<-END
	dwrite status=SUCCESS info=16 copied=$m flags=0
	gain bytes_zero=$m
	END
	check "$form: zeros" zeroed 8*m m
done
ctl type:0xffff0002 range:8M:512 kernel dwrite >"$tmp/said"
check_equal "another well-known token" \
	"dwrite status=INVALID_TOKEN info=16" "$(cat "$tmp/said")"

# DS-18
new_volume
rule 151 answers "a dead token: revoked, altered, overwritten, expired" \
	/dev/bpio device:$d mark:v range:0:64K kernel dread msg:revoke \
	norange range:4M:64K kernel dwrite norange range:0:64K kernel dread \
	flip:24 norange range:4M:64K kernel dwrite norange range:0:64K \
	kernel dread sh:"dd if=$tmp/noise of=$d bs=4K count=1 oflag=direct status=none" \
	norange range:4M:64K kernel dwrite norange range:0:64K kernel dread:200 \
	sleep:600 norange range:4M:64K kernel dwrite \
	gain:tokens_expired:bytes_nvme <<-END
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
dwrite status=INVALID_TOKEN info=16
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
dwrite status=INVALID_TOKEN info=16
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
dwrite status=INVALID_TOKEN info=16
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
dwrite status=INVALID_TOKEN info=16
gain tokens_expired=1 bytes_nvme=0
END
check "they wrote nothing" untouched 4*m m
answers "over its own source: dead before the first byte" \
	/dev/bpio device:$d mark:v range:0:1M kernel dread norange \
	range:4M:512K range:512K:512K kernel dwrite gain:bytes_nvme <<-END
dread status=SUCCESS info=536 protected=$m flags=0 length=512 token=bpio
dwrite status=INVALID_TOKEN info=16
gain bytes_nvme=0
END
check "the source is what it was" holds 0 2*m 0
check "and the destination" untouched 4*m m
answers "a write kills other tokens of its destination, no neighbours'" \
	/dev/bpio device:$d mark:v range:5M:64K kernel dread save:"$tmp/a" \
	norange range:5184K:64K kernel dread save:"$tmp/b" norange \
	range:0:64K kernel dread norange range:5M:64K kernel dwrite \
	gain:tokens_invalidated norange range:6M:64K load:"$tmp/a" \
	kernel dwrite load:"$tmp/b" kernel dwrite <<-END
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=65536 flags=0
gain tokens_invalidated=1
dwrite status=INVALID_TOKEN info=16
dwrite status=SUCCESS info=16 copied=65536 flags=0
END

# DS-12
answers "cut by a script" /dev/bpio device:$d mark:v \
	msg:"fault offload_read times 1 bytes 10000" \
	range:0:4K range:1M:64K kernel dread norange range:4M:9728 \
	kernel dwrite <<-END
dread status=SUCCESS info=536 protected=9728 flags=1 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=9728 flags=0
END
check "the first range" holds 4*m 4096 0
check "and a piece of the second" holds 4*m+4096 5632 m
new_volume max_transfer 131072 optimal_transfer 65536
rule 149 answers "max_transfer; optimal_transfer when the life is the default's" \
	/dev/bpio device:$d range:0:1M kernel dread:1000 kernel dread \
	norange range:0:64K kernel dread <<-END
dread status=SUCCESS info=536 protected=131072 flags=1 length=512 token=bpio
dread status=SUCCESS info=536 protected=65536 flags=1 length=512 token=bpio
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
END
answers "a read that fails" /dev/bpio device:$d mark:v range:0:64K \
	msg:"fault offload_read times 1 status STATUS_IO_TIMEOUT" \
	kernel dread kernel dread <<-END
dread status=IO_TIMEOUT info=0
dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
END

# DS-15 to DS-17; each storage command is a request to the script
rule 150 answers "16 commands of 64 KiB, the fourth fails" /dev/bpio device:$d mark:v \
	range:0:128K kernel dread:5000 norange range:4M:64K range:5M:64K \
	kernel dwrite zeroA norange range:4M:1M \
	msg:"fault offload_write every 4 times 1 status STATUS_IO_TIMEOUT" \
	kernel dwrite gain:offload_writes kernel dwrite <<-END
dread status=SUCCESS info=536 protected=131072 flags=0 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=131072 flags=0
dwrite status=SUCCESS info=16 copied=196608 flags=1
gain offload_writes=2
dwrite status=SUCCESS info=16 copied=$m flags=0
END
answers "the first fails; ends after some bytes; ends with nothing" \
	/dev/bpio device:$d mark:v zeroA range:6M:1M \
	msg:"fault offload_write times 1 status STATUS_IO_TIMEOUT" \
	kernel dwrite msg:"fault offload_write times 1 bytes 8192" \
	kernel dwrite msg:"fault offload_write times 1 bytes 100" \
	kernel dwrite <<-END
dwrite status=IO_TIMEOUT info=16
dwrite status=SUCCESS info=16 copied=8192 flags=1
dwrite status=UNSUCCESSFUL info=16
END
check "exactly those bytes" zeroed 6*m 8192
check "and no more" untouched 6*m+8192 m-8192
began=$(date +%s%N)
rule 150 answers "4 s: the commands before count; with none before it is a timeout" \
	/dev/bpio device:$d mark:v zeroA range:8M:1M \
	msg:"fault offload_write every 3 times 1 delay_ms 4200" kernel dwrite \
	msg:"fault offload_write times 1 delay_ms 4200" kernel dwrite \
	msg:"fault clear" kernel dwrite <<-END
dwrite status=SUCCESS info=16 copied=131072 flags=1
dwrite status=IO_TIMEOUT info=16
dwrite status=SUCCESS info=16 copied=$m flags=0
END
note "took $((($(date +%s%N) - began) / 1000000)) ms"
p=/sys/module/dm_bpio/parameters/offload_timeout_ms
check_equal "the 4 s are a parameter" 4000 "$(cat $p)"
for wrong in 3999 0 -1 x; do
	check "$wrong is refused" expect_status 1 bash -c \
		"echo $wrong >$p 2>/dev/null"
done
echo 20000 >$p
defer sh -c "echo 4000 >$p"
answers "more time" /dev/bpio device:$d mark:v zeroA range:8M:1M \
	msg:"fault offload_write every 3 times 1 delay_ms 4200" \
	kernel dwrite <<-END
dwrite status=SUCCESS info=16 copied=$m flags=0
END
rule 150 151 answers "the token dies under way: what was copied counts, flag 2" \
	/dev/bpio device:$d mark:v range:0:128K kernel dread:5000 norange \
	range:10M:64K range:0:64K kernel dwrite <<-END
dread status=SUCCESS info=536 protected=131072 flags=0 length=512 token=bpio
dwrite status=SUCCESS info=16 copied=65536 flags=3
END
check "the bytes are right" holds 10*m 65536 0
check "and its source is whole" holds 0 m 0

# CE-8: the first command ends well, the second fails: LengthCopied is its size
volume_mib=900
for row in 0:67108864 536870912:268435456 33554432:33554432; do
	optimal=${row%:*}
	remove_volume v
	if [ $optimal = 0 ]; then
		make_volume v "$disk"
	else
		make_volume v "$disk" 0 optimal_transfer $optimal
	fi
	ctl mark:v zeroA range:0:600M \
		msg:"fault offload_write every 2 status STATUS_IO_TIMEOUT" \
		kernel dwrite >"$tmp/said"
	rule 154 check_equal "CE-8: optimal_transfer $optimal" \
		"dwrite status=SUCCESS info=16 copied=${row#*:} flags=1" \
		"$(cat "$tmp/said")"
done
remove_volume v
finish
