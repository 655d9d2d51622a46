#!/bin/bash
# purpose: bypassed reads that the device fails: read again, and told when that fails too
# needs: kernel=debug
# fs: ext4 xfs
# quick: debug:ext4
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

inject=/sys/kernel/debug/${disk##*/}/fault_inject

enabled="enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= reason="

# one_fails ENGINE: of 64 reads
one_fails() {
	begin v
	echo 1 >"$inject/times"
	check "$fs: one command fails: the bytes are right: $1" \
		bpio-verify check -e -E "$1" -q 8 -b 16K a 1
	check_gained "$fs: it is read again, and counts as such: $1" v \
		why_io_error=1 traditional_reads=1 traditional_bytes=16384 \
		full_reads=63 full_bytes=$((63 * 16384)) bypassed_reads=63 \
		bypassed_bytes=$((63 * 16384)) partial_reads=0
}

# One read in 80 commands. Each that fails is read again as soon as a worker runs:
# that may be before the second has failed, and then it fails itself.
pieces() {
	local times attempt

	make_pieces v 80 "$fs: a read in many commands" || return 0
	bpio-verify check pieces 1
	sync
	for times in 1 2; do
		for attempt in 1 2 3 4 5 6; do
			begin v
			bpio-ctl pieces enable read:0:320K \
				sh:"echo $times >$inject/times" \
				read:0:320K:"$tmp/read" >"$tmp/said"
			[ "$(tail -n 1 "$tmp/said")" != "read 327680" ] || break
			note "attempt $attempt: $(tail -n 1 "$tmp/said")"
		done
		check_gained "$fs: $times of 80 fail: one traditional read, and the \
bytes of the others are bypassed" v full_reads=1 traditional_reads=1 why_io_error=1 \
			full_bytes=$(((160 - times) * 4096)) bypassed_reads=1 \
			traditional_bytes=$((times * 4096))
		check "$fs: the bytes are right" cmp "$tmp/read" pieces
	done
	rm pieces others
}

run() {
	local engine

	setup_volume v "$fs" "$disk"
	cd "$tmp/v"
	bpio-verify fill a 1 1M
	# so that where it lies is known, and the disk is asked for nothing else
	bpio-verify check -e a 1
	sync
	for engine in sync aio uring fixed; do one_fails "$engine"; done
	pieces
	answers "$fs: both fail, then neither does" a enable \
		read:0:4096 sh:"echo 2 >$inject/times" read:4096:4096 \
		read:4096:4096 <<-END
	$enabled
	read 4096
	read errno=ENODATA
	read 4096
	END
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

[ -d "$inject" ] || skip "this kernel cannot make NVMe commands fail"
defer sh -c "echo 0 >$inject/probability"
echo 0 >"$inject/times"
echo 0 >"$inject/verbose"
echo 0 >"$inject/space"
# a block that cannot be read
echo 0x281 >"$inject/status"
echo 1 >"$inject/dont_retry"
echo 100 >"$inject/probability"
# a command for each read
nomerges=/sys/block/${disk##*/}/queue/nomerges
defer sh -c "echo $(<"$nomerges") >$nomerges"
echo 2 >"$nomerges"
on_each_fs run
finish
