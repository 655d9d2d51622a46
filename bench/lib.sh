# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by what runs in the guest: what a machine does by itself, in amounts
# that depend on how long it waits, is kept away from what is measured.

# Half of what an idle machine executes.
calm_machine() {
	echo 0 >/proc/sys/kernel/watchdog
	echo 0 >/proc/sys/vm/compaction_proactiveness
	echo 3600 >/proc/sys/vm/stat_interval
}

# calm_queue DEVICE: no scheduler; and no writeback throttling, which takes the
# time of every I/O, reads too, for a while after each cached write.
calm_queue() {
	local queue=/sys/block/${1##*/}/queue

	echo none >"$queue/scheduler"
	echo 0 >"$queue/wbt_lat_usec"
}
