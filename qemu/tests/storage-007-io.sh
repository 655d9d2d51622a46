#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: what goes through the target lands where the table says
# quick: stock stock-6.12
# needs: nvme>=2 module=dm-bpio
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/storage.sh"

load_modules
# 24 MiB: one and a half of the first piece, over the seam of a spanned table
head -c 25165824 </dev/urandom >"$tmp/data"
new_dm low "0 131072 bpio /dev/nvme0n1 4096"
new_dm span "0 32768 bpio /dev/mapper/low 2048
32768 32768 bpio /dev/nvme1n1 8192"
dd if="$tmp/data" of=/dev/mapper/span bs=1M oflag=direct status=none
dd if=/dev/mapper/span bs=1M count=24 iflag=direct of="$tmp/back" status=none
check "read back" cmp "$tmp/data" "$tmp/back"
dd if=/dev/nvme0n1 bs=512 skip=6144 count=32768 iflag=direct of="$tmp/a" status=none
dd if=/dev/nvme1n1 bs=512 skip=8192 count=16384 iflag=direct of="$tmp/b" status=none
cat "$tmp/a" "$tmp/b" >"$tmp/raw"
check "it lies where the tables say" cmp "$tmp/data" "$tmp/raw"
check "bios are counted" test "$(words span mapped_writes)" -ge 24 -a \
	"$(words span mapped_reads)" -ge 24 -a "$(words low mapped_writes)" -ge 16
blkdiscard -z -o 1048576 -l 1048576 /dev/mapper/span
dd if=/dev/mapper/span bs=1M skip=1 count=1 iflag=direct of="$tmp/z" status=none
check "zeroes" cmp -n 1048576 "$tmp/z" /dev/zero
before=$(words span mapped_writes)
check "discard" blkdiscard -o 2097152 -l 1048576 /dev/mapper/span
check "a discard counts as a write" test "$(words span mapped_writes)" -gt "$before"
check "flush" sync /dev/mapper/span
dd if=/dev/mapper/span bs=1M skip=4 count=20 iflag=direct of="$tmp/z" status=none
check "the rest is as it was" cmp "$tmp/z" "$tmp/data" -i 0:4194304
finish
