#!/bin/bash
# purpose: every change of state at once, against eight bypassed readers
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# smp: 2
# needs: module=bpio-flt-passthru module=bpio-flt-legacy
# timeout: 240
#
# Filters, opted in and not, come and go, the volume is suspended, vetoed and
# paused, streams are paused, opens closed and killed, pages cached: no wrong
# byte, and at the end every count is zero. BPIO_SOAK=SECONDS for longer. Then
# the same changes one by one.
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

seconds=${BPIO_SOAK-8}
load_module bpio-flt-passthru
load_module bpio-flt-legacy
defer unload_module bpio-flt-passthru
defer unload_module bpio-flt-legacy

# doze SECONDS: without starting a program
exec {never}<> <(:)
doze() { read -rt "$1" -u "$never" || true; }

# shellcheck disable=SC2317 # in the background
filters() {
	local vol=$1 n=0

	set +e
	trap - ERR EXIT
	while [ ! -e "$tmp/stop" ]; do
		echo bpio-flt-passthru >"$vol/attach" && n=$((n + 1))
		doze 0.0$((RANDOM % 10))
		echo bpio-flt-legacy >"$vol/attach" && n=$((n + 1))
		doze 0.0$((RANDOM % 10))
		echo bpio-flt-legacy >"$vol/detach"
		doze 0.$((RANDOM % 3))
		echo bpio-flt-passthru >"$vol/detach"
	done 2>/dev/null
	echo $n >"$tmp/filters"
}

# shellcheck disable=SC2317 # in the background
storage() {
	local n=0

	set +e
	trap - ERR EXIT
	while [ ! -e "$tmp/stop" ]; do
		bpio-ctl - mark:v suspend sleep:20 resume sleep:100 \
			msg:"veto 0xC00004CF busy" sleep:50 msg:unveto
		bpio-ctl "$tmp/v" resumev sleep:100 pausev sleep:20 resumev \
			sleep:200
		n=$((n + 1))
	done >/dev/null
	echo $n >"$tmp/storage"
}

# shellcheck disable=SC2317 # in the background
opens() {
	local n=0 pid

	set +e
	trap - ERR EXIT
	while [ ! -e "$tmp/stop" ]; do
		bpio-ctl "$tmp/v/still" enable dup enable read:0:64K close \
			read:0:64K >/dev/null
		command bpio-verify check -e -r -n 100000 "$tmp/v/still" 77 \
			>/dev/null &
		pid=$!
		doze 0.1
		kill -9 $pid
		wait $pid
		n=$((n + 1))
	done 2>/dev/null
	echo $n >"$tmp/opens"
}

none="result=SUCCESS driver= reason="

# settled VOLUME-DIRECTORY
settled() {
	cd "$tmp/v"
	bpio-verify fill other 78 64K
	sync -f .
	rule 87 88 answers "$fs: blocked while the filter is there, no longer" \
		still enable mark:v read:0:4096 gain:full_reads \
		"sh:echo bpio-flt-legacy >$1/attach" read:0:4096 \
		gain:full_reads:traditional_reads:why_filter_blocked \
		show:active_count "sh:echo bpio-flt-legacy >$1/detach" \
		read:0:4096 gain:full_reads:traditional_reads:enables <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $none
	read 4096
	gain full_reads=1
	read 4096
	gain full_reads=1 traditional_reads=1 why_filter_blocked=1
	show active_count=1
	read 4096
	gain full_reads=2 traditional_reads=1 enables=0
	END
	rule 65 answers "$fs: a pause of the volume is one for both opens" \
		still enable open:other enable mark:v pausev read:0:4096 use:0 \
		read:0:4096 gain:partial_reads:full_reads:why_volume_paused \
		show:active_count resumev read:0:4096 use:1 read:0:4096 \
		gain:partial_reads:full_reads <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $none
	enable status=SUCCESS info=352 op=1 flags=8 $none
	pausev status=SUCCESS info=24 op=4 flags=1
	read 4096
	read 4096
	gain partial_reads=2 full_reads=0 why_volume_paused=2
	show active_count=2
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	read 4096
	read 4096
	gain partial_reads=2 full_reads=2
	END
	hold_open h still enable open:other enable
	check_equal "$fs: two opens are enabled" 2 "$(counter v active_count)"
	let_go h -KILL
	rule 40 check_equal "$fs: their program was killed: none is" 0 \
		"$(counter v active_count)"
}

run() {
	local started=()
	local seed=${BPIO_SEED-$((RANDOM + 1))} status=0 vol

	rm -f "$tmp/stop"
	make_volume v "$disk"
	poison "$(volume v)" 64M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	vol=/sys/fs/bpiofs/$(basename "$(readlink -f "$(volume v)")")
	[ -d "$vol" ] || vol=$(echo /sys/fs/bpiofs/dm-*)
	cd "$tmp/v"
	bpio-verify fill still 77 1M
	begin v
	filters "$vol" &
	started+=($!)
	storage &
	started+=($!)
	opens &
	started+=($!)
	until_gained v "full_reads partial_reads traditional_reads
		why_filter_blocked" \
		bpio-verify race -p -s $seconds -f 2 -t 8 -S "$seed" . ||
		status=$?
	touch "$tmp/stop"
	wait "${started[@]}"
	check_equal "$fs: every reader reads the file's own data, seed $seed" \
		0 "$status"
	check_gained "$fs: by every path" v "full_reads>0" \
		"partial_reads>0" "traditional_reads>0" "why_filter_blocked>0"
	note "$fs: $(<"$tmp/filters") attaches, $(<"$tmp/storage")" \
		"suspends, $(<"$tmp/opens") kills; full" \
		"$(gained v full_reads), partial $(gained v partial_reads)," \
		"traditional $(gained v traditional_reads)"
	check "$fs: filters, states of the volume and opens did change" test \
		"$(<"$tmp/filters")" -gt 1 -a "$(<"$tmp/storage")" -gt 0 \
		-a "$(<"$tmp/opens")" -gt 0
	check_equal "$fs: no open is left enabled" 0 "$(counter v active_count)"
	check_equal "$fs: no flag is left" 0x8 "$(<"$vol/flags")"
	check_equal "$fs: no filter is left" "" "$(ls "$vol/instances")"
	settled "$vol"
	cd /
	umount_volume v
	check_equal "$fs: no filter keeps an instance" "0
0" "$(cd /sys/module/bpiofs/filters &&
		cat bpio-flt-passthru/instances bpio-flt-legacy/instances)"
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
