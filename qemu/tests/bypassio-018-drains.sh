#!/bin/bash
# purpose: whatever suspends the bypass waits for a bypassed read that is under way
# needs: module=bpio-flt-legacy
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

# The device below is suspended while the read is under way, so that it is held
# until told.
hold() { dmsetup suspend --noflush --nolockfs bpio-held; }
go_on() { dmsetup resume bpio-held; }

# Readers, and where they sleep while the device has not answered. exec: the
# program itself, not a function or a shell, is looked at.
by_read() { exec bpio-ctl a enable read:0:8192; }
by_aio() { exec bpio-verify check -e -E aio -q 1 -b 8K -l 8K a 1; }

# waits TEXT SYMBOL COMMAND ARG...: a program
waits() {
	with_reader by_read read_alone "$@"
	check_equal "$fs: $1: the read was carried out" "read 8192" \
		"$(tail -n 1 "$tmp/read")"
}

# waits_for_aio TEXT SYMBOL COMMAND ARG...: a program
waits_for_aio() {
	begin v
	with_reader by_aio read_events "$@"
	check_gained "$fs: $1: the read was bypassed" v full_reads=1 full_bytes=8192
}

# with_reader READER SYMBOL TEXT SYMBOL COMMAND ARG...
with_reader() {
	local start=$1 asleep=$2 text=$3 symbol=$4 reader pid

	shift 4
	hold
	$start >"$tmp/read" 2>&1 &
	reader=$!
	wait_for 60 sleeps_in "$reader" "$asleep" ||
		fail "$fs: no bypassed read is under way"
	exec "$@" >"$tmp/said" 2>&1 &
	pid=$!
	wait_for 60 sleeps_or_ended "$pid" "$symbol" || true
	check "$fs: $text waits for the read" sleeps_in "$pid" "$symbol"
	go_on
	check "$fs: $text: then it succeeds" wait "$pid"
	check "$fs: $text: so does the read" wait "$reader"
}

# A reader that came later sleeps: by the device in read_alone(), else for the lock.
came_later() { sleeps_in "$1" read_alone || sleeps_in "$1" read_any_way; }

# DISABLE waits for the read that began before it, and keeps later ones out until
# then: else reads that overlap keep it for ever.
not_overtaken() {
	local first second pid

	[ -p "$tmp/go" ] || mkfifo "$tmp/go"
	exec bpio-ctl a enable sh:"read go <$tmp/go" read:0:8192 \
		>"$tmp/second" &
	second=$!
	hold
	exec bpio-ctl a enable read:0:8192 >"$tmp/first" &
	first=$!
	wait_for 60 sleeps_in "$first" read_alone ||
		fail "$fs: no bypassed read is under way"
	exec bpio-ctl a enable disable >"$tmp/said" &
	pid=$!
	wait_for 60 sleeps_or_ended "$pid" inode_dio_wait || true
	echo go >"$tmp/go"
	wait_for 60 came_later "$second" || true
	check "$fs: a read that comes while DISABLE waits does not begin" \
		sleeps_in "$second" read_any_way
	go_on
	wait "$pid" "$first" "$second"
	check_equal "$fs: both are carried out" "read 8192 read 8192" \
		"$(tail -qn 1 "$tmp/first" "$tmp/second" | paste -sd ' ')"
}

run() {
	dmsetup create bpio-held --table \
		"0 $((volume_mib << 11)) linear $disk 0"
	live[held]=yes
	defer remove_volume held
	setup_volume v "$fs" /dev/mapper/bpio-held 0 any_storage
	cd "$tmp/v"
	bpio-verify fill a 1 64K
	sync
	# where it lies is known from now on
	bpio-verify check -e a 1

	rule 57 waits VOLUME_STACK_PAUSE bpio_gate_drain bpio-ctl a pausev
	bpio-ctl a resumev >/dev/null
	rule 66 waits STREAM_PAUSE inode_dio_wait bpio-ctl a pauses
	waits "DISABLE of another open" inode_dio_wait \
		bpio-ctl a enable disable
	not_overtaken
	waits "a veto" bpio_gate_drain \
		dmsetup message bpio-v 0 veto STATUS_NOT_SUPPORTED_WITH_SNAPSHOT no
	message v unveto
	waits "a suspend" bpio_gate_drain dmsetup suspend bpio-v
	dmsetup resume bpio-v
	load_module bpio-flt-legacy
	waits "a filter that blocks" bpio_gate_drain \
		sh -c "echo bpio-flt-legacy >$(volume_dir v)/attach"
	echo bpio-flt-legacy >"$(volume_dir v)/detach"
	unload_module bpio-flt-legacy
	waits "a truncation" inode_dio_wait truncate -s 48K a
	rule 66 waits_for_aio "STREAM_PAUSE (aio)" inode_dio_wait bpio-ctl a pauses
	bpio-ctl a resumes >/dev/null
	waits_for_aio "DISABLE of another open (aio)" inode_dio_wait \
		bpio-ctl a enable disable
	waits_for_aio "a truncation (aio)" inode_dio_wait truncate -s 32K a
	check "$fs: the bytes are right" bpio-verify check -e -l 32K a 1
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
	remove_volume held
}

on_each_fs run
finish
