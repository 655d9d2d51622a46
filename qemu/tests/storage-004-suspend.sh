#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: dm suspend pauses this volume and those above, resume asks again, a reload changes the map
# quick: stock debug
# needs: nvme>=2 module=dm-bpio
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/storage.sh"

load_modules
states() { echo "$(words high bypass paused) $(words low bypass paused)"; }
high_is() { [ "$(words high bypass)" = "$1" ]; }
settled() { [ "$(states)" = "$1" ]; }
# The stack is asked again by a worker.
check_settles() {
	wait_for 10 settled "$2" || true
	check_equal "$1" "$2" "$(states)"
}

new_dm low "0 131072 bpio /dev/nvme0n1 0"
new_dm high "0 65536 bpio /dev/mapper/low 2048"
check_equal "ENABLE" clean "$(enable high | verdict)"
check_settles "at first" "active 0 active 0"

queries=$(words high queries)
dmsetup suspend high
check_settles "suspend of the upper" "active 1 active 0"
dmsetup resume high
check_settles "resume" "active 0 active 0"
check_equal "it asked once" 1 $(($(words high queries) - queries))
queries=$(words high queries)
dmsetup suspend low
check_settles "suspend of the lower pauses the upper" "active 1 active 1"
check_equal "QUERY of a suspended stack answers" clean \
	"$(query high | verdict)"
dmsetup suspend high
dmsetup resume low
check_settles "the upper is still suspended" "active 1 active 0"
dmsetup resume high
check_settles "both resumed" "active 0 active 0"

# a veto that comes during the suspend
dmsetup suspend high
dmsetup message low 0 veto 0xC00004C9 late
dmsetup resume high
check_settles "vetoed while suspended" "vetoed 0 vetoed 0"
dmsetup message low 0 unveto
dmsetup suspend high
dmsetup resume high
check_settles "the next resume asks again" "active 0 active 0"
check_equal "ENABLE sets all right" clean "$(enable high | verdict)"
check_settles "all active" "active 0 active 0"

# reloads
reload_dm low "0 131072 bpio /dev/nvme1n1 0"
check_settles "another device below" "active 0 active 0"
reload_dm low "0 131072 linear /dev/nvme1n1 0"
wait_for 10 high_is vetoed || true
check_equal "linear below: vetoed" vetoed "$(words high bypass)"
check_equal "linear below: no volume" status=NOT_SUPPORTED \
	"$(query low | cut -d' ' -f2)"
reload_dm low "0 65536 bpio /dev/nvme0n1 0
65536 65536 bpio /dev/nvme1n1 0"
check_settles "bpio again, in two pieces" "active 0 active 0"
reload_dm low "0 65536 bpio /dev/nvme0n1 0
65536 65536 error"
wait_for 10 high_is vetoed || true
check_equal "a mixed table below: vetoed" vetoed "$(words high bypass)"
reload_dm low "0 131072 bpio /dev/nvme0n1 0"
check_settles "whole again" "active 0 active 0"

# tables that never come up
dmsetup load low --table "0 131072 bpio /dev/nvme1n1 0"
dmsetup clear low
check_settles "an inactive table that is dropped" "active 0 active 0"
dmsetup suspend low
dmsetup load low --table "0 131072 bpio /dev/nvme1n1 0"
dmsetup clear low
dmsetup resume low
check_settles "dropped while suspended" "active 0 active 0"

disable high >/dev/null
for _ in {1..8}; do
	enable high >/dev/null &
	enabler=$!
	dmsetup suspend low
	dmsetup suspend high
	dmsetup resume high &
	resumer=$!
	dmsetup resume low
	wait $enabler
	wait $resumer
done
check_settles "a storm ends active" "active 0 active 0"
dmsetup remove high
check_equal "the lower is left alone" "0" "$(words low paused)"
finish
