#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: on_write preserve: tokens die on one processor while another preserves for the one that lives
# quick: stock
# needs: prog=taskset
# smp: 2
# timeout: 120
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/storage.sh
. "$(dirname "$0")/storage.sh"
# shellcheck source=qemu/tests/odx.sh
. "$(dirname "$0")/odx.sh"

# of the last target
used_by_last() {
	dmsetup status bpio-v | sed -n '$s/.* reserve_used=\([0-9]*\) .*/\1/p'
}

# Tokens die by the dozen while pieces are added for the one that lives: what is
# not theirs stays. Of two targets one preserves, a write to the other kills;
# each of the two has a processor. They stand for everything many times over, so
# that their deaths take a while.
words=()
defer remove_volume v
dmsetup create bpio-v <<END
0 2048 bpio $disk 0
2048 129024 bpio $disk 2048 6 on_write preserve reserve $disk2 0 65536
END
live[v]=yes
noise a 30*m
put a m
ctl range:1M:30M kernel dread:600000 save:"$tmp/t0" >/dev/null
for ((i = 0; i < 60; i++)); do
	words+=(kernel dread:600000)
done
ctl range:0:64K range:1M:30M:63:0 "${words[@]}" >/dev/null
begin v
bpio-ctl $d:d write:1M:15M:1 >/dev/null
taskset 1 bpio-ctl $d:d mark:v show:tokens await:preserved_bytes \
	write:0:4096:2 gain:preserved_bytes >"$tmp/said" &
pid=$!
# it is looking
wait_for 10 grep -q . "$tmp/said"
words=()
for ((i = 0; i < 240; i++)); do
	words+=(write:$((16 * m + i * k64)):64K:1)
done
taskset 2 bpio-ctl $d:d "${words[@]}" >/dev/null
wait $pid
note "when they had died: $(tail -n 1 "$tmp/said")"
check_gained "tokens die while the data of another is preserved" v \
	tokens_invalidated=60 reserve_failed=0 reserve_full=0 \
	preserved_bytes=$((30 * m)) tokens=-60
check_equal "that keeps all its pieces" $((30 * m)) "$(used_by_last)"
redeemed "and its image" t0 a 32*m
ctl mark:v msg:revoke
check_equal "its death empties the reserve" 0 "$(used_by_last)"
remove_volume v
finish
