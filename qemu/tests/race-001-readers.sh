#!/bin/bash
# purpose: bypassed readers against truncate, punch, overwrite, extend, rename,
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# smp: 2
# timeout: 240
#
# unlink, cached and mapped users, pauses, suspends, dropped caches and copies
# by token: never another file's data, never a freed block's.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

seconds=${BPIO_SOAK-12}

# shellcheck disable=SC2317 # in the background
disturb() {
	set +e
	trap - ERR EXIT
	while [ ! -e "$tmp/stop" ]; do
		bpio-ctl - mark:v suspend sleep:20 resume sleep:300
		echo 3 >/proc/sys/vm/drop_caches
		bpio-ctl copy-from oread:0:512K open:copy-to owrite:0:512K \
			use:0 write:0:64K:1 >/dev/null
	done
}

run() {
	local seed=${BPIO_SEED-$((RANDOM + 1))} status=0 disturber

	rm -f "$tmp/stop"
	make_volume v "$disk"
	poison "$(volume v)" 128M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill copy-from 800 512K
	bpio-verify fill copy-to 801 512K
	begin v
	disturb >"$tmp/disturbed" 2>&1 &
	disturber=$!
	until_gained v "full_reads partial_reads why_cached_users" \
		bpio-verify race -p -s $seconds -f 3 -t 5 -S "$seed" . ||
		status=$?
	touch "$tmp/stop"
	wait $disturber
	cat "$tmp/disturbed"
	check_equal "$fs: every reader reads the file's own data, seed $seed" \
		0 "$status"
	rule 99 check_gained "$fs: by every path" v "full_reads>0" \
		"partial_reads>0" "traditional_reads>0" "why_cached_users>0"
	note "$fs: full $(gained v full_reads), partial" \
		"$(gained v partial_reads), traditional" \
		"$(gained v traditional_reads)"
	check_equal "$fs: no open is left enabled" 0 "$(counter v active_count)"
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
