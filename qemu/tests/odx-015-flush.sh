#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: flushes and FUA go through in their order, whatever tokens live
# quick: stock
# needs: nvme>=2 prog=bpio-replay prog=e2fsck prog=xfs_io prog=perl
# timeout: 240
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/storage.sh
. "$(dirname "$0")/storage.sh"
# shellcheck source=qemu/tests/odx.sh
. "$(dirname "$0")/odx.sh"

sectors=$((volume_mib << 11))
reserve="on_write preserve reserve $disk $((65 << 11)) 131072"

drop() { [ ! -e "/dev/mapper/$1" ] || dmsetup remove --retry "$1"; }

# logged [FEATURE-ARG...]: the volume v with a log of what reaches the disk
# behind it, on the other disk; with "none" the log alone is $d
logged() {
	remove_volume v
	drop log
	dd if=/dev/zero of="$disk2" bs=1M count=1 oflag=direct status=none
	dmsetup create log --table "0 $sectors log-writes $disk $disk2"
	d=/dev/mapper/log
	[ "${1-}" = none ] && return
	make_volume v $d 0 any_storage "$@"
	d=/dev/mapper/bpio-v
}
# finished FILE: what there is in the log; what was in flight at the same time,
# and is in no order, sorted
finished() {
	remove_volume v
	drop log
	bpio-replay "$disk2" | perl -ne 'push @g, $_;
		if (/flush|fua|mark/) { my $end = pop @g;
			print sort(@g), $end; @g = (); }
		END { print sort @g; }' >"$tmp/$1"
}

# a token that what comes writes to
token() { [ "$with" = plain ] || mint t range:0:1M; }
# io OP...: of bpio-ctl on $d, each known to the disk before the next
io() {
	token
	bpio-ctl "$@" >/dev/null
}

# Everything a write can be, by one task.
writes() {
	io $d:d write:0:64K:1
	io $d:ds write:64K:64K:2
	io $d:d fsync
	io $d:d write:0:4K:3 write:128K:256K:4
	io $d:ds write:0:512:5 write:4096:512:6
	io $d:d write:512K:64K:7 fsync write:512K:64K:8
	io $d:bs write:0:128K:9
	io $d:b write:256K:128K:10 fsync
	token
	blkdiscard -z -o 0 -l $k64 $d
	io $d:ds write:960K:64K:11
	io $d:d fsync
}

# The log is the same, entry by entry, with a target between or without.
same_log() {
	local text=$1

	shift
	with=tokens
	[ "$text" != "no token" ] || with=plain
	blkdiscard -z -l ${volume_mib}M "$disk"
	logged "$@"
	begin v
	writes
	check_gained "$text: that was so" v "$gains"
	finished got
	check "$text: the disk sees what it sees without the target" \
		diff "$tmp/want" "$tmp/got"
}

whole() {
	[ "$(stat -c %s "$tmp/m/$1")" = $((300 << 10)) ] &&
		bpio-verify check "$tmp/m/$1" $1
}

# Files, each durable before the next is begun, while the device's tokens die
# or have their data preserved; cut at any flush.
cuts() {
	local text=$1 n=0 first=0 last bad=0 files=0 i

	shift
	blkdiscard -z -l ${volume_mib}M "$disk"
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 "$disk" \
		$((volume_mib << 10))
	dd if="$disk" of="$disk2" bs=1M count=$volume_mib seek=1024 \
		oflag=direct status=none
	with=tokens
	logged "$@"
	mkdir -p "$tmp/m"
	mount -t ext4 $d "$tmp/m"
	begin v
	for i in 1 2 3 4 5 6; do
		mint t range:0:${volume_mib}M
		bpio-verify fill "$tmp/m/$i" $i 300K
		xfs_io -c fsync "$tmp/m/$i"
	done
	umount "$tmp/m"
	check_gained "$text: that was so" v "$gains"
	finished got
	check "$text: commits are flushed and FUA" \
		grep -qzP '\+0 flush\n[0-9]+\+[0-9]+ fua' "$tmp/got"
	dmsetup create again --table "0 $sectors linear $disk2 $((1024 << 11))"
	defer drop again
	while last=$(bpio-replay "$disk2" /dev/mapper/again $first); do
		first=$last
		n=$((n + 1))
		[ "${BPIO_SOAK-}" ] || [ $((n % 3)) -eq 0 ] || continue
		truncate -s 64M /run/cow
		loop=$(losetup -f --show /run/cow)
		dmsetup create cut --table \
			"0 $sectors snapshot /dev/mapper/again $loop N 8"
		mount -t ext4 /dev/mapper/cut "$tmp/m"
		for i in 6 5 4 3 2 1; do
			[ -e "$tmp/m/$i" ] || continue
			# what was begun after it had been told to be durable
			[ $i = 1 ] || whole $((i - 1)) || bad=$((bad + 1))
			files=$((files + 1))
		done
		umount "$tmp/m"
		e2fsck -fn /dev/mapper/cut >"$tmp/said" 2>&1 || {
			bad=$((bad + 1))
			note "$(tail -n 3 "$tmp/said" | tr '\n' ' ')"
		}
		drop cut
		losetup -d "$loop"
		rm -f /run/cow
	done
	drop again
	check_equal "$text: $n flushes, the power cut at some of them: all in order" \
		0 $bad
	check "$text: files were there" test $files -gt 3 -a $n -gt 5
}

# logged_between MARK: sectors that the disk was told to keep from there to the
# next mark
logged_between() {
	perl -ne 'if (/^mark (.*)/) { $on = $1 eq "'$1'"; }
		elsif ($on and /^\d+\+(\d+)/) { $n += $1; }
		END { print $n + 0; }' "$tmp/got"
}

# A copy that has to be durable is, when the write says that it has ended. The
# file is written to in place, and so asks for FUA rather than for a flush.
durable_copy() {
	local how

	logged $reserve
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 $d
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill s 1 1M
	bpio-verify fill d 9 1M
	for how in w ws; do
		bpio-ctl s oread:0:1M save:"$tmp/t" >/dev/null
		sync -f .
		begin v
		dmsetup message log 0 mark $how
		bpio-ctl d:rd$how load:"$tmp/t" owrite:0:1M >"$tmp/said"
		dmsetup message log 0 mark end
		check_equal "a copy to a file opened as $how" \
			"owrite status=SUCCESS info=16 written=$m" \
			"$(cat "$tmp/said")"
		check_gained "by dm-kcopyd" v bytes_kcopyd=$m
	done
	cd /
	finished got
	check "one that is not said to be durable is not" \
		test "$(logged_between w)" -lt $((m / 512))
	check "one that is said to be is" \
		test "$(logged_between ws)" -ge $((m / 512))
}

need_module dm-log-writes dm-snapshot loop
load_modules
defer drop log
with=plain
blkdiscard -z -l ${volume_mib}M "$disk"
logged none
writes
finished want
check "the writes are all that they can be" test \
	"$(grep -c ' fua' "$tmp/want")" -ge 4 -a \
	"$(grep -c ' flush' "$tmp/want")" -ge 8
gains="tokens_issued=0"
same_log "no token"
gains="tokens_invalidated>5"
same_log "tokens that die"
gains="preserved_bytes>500000"
same_log "tokens that are preserved" $reserve
gains="tokens_invalidated>5"
cuts "tokens that die"
gains="preserved_bytes>500000"
cuts "tokens that are preserved" $reserve
durable_copy
finish
