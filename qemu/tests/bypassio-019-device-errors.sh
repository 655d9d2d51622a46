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

run() {
	local engine

	setup_volume v "$fs" "$disk"
	cd "$tmp/v"
	bpio-verify fill a 1 1M
	sync
	for engine in sync aio uring fixed; do
		# so that where it lies is known, and nothing else is read
		bpio-verify check -e -E "$engine" a 1
		begin v
		echo 1 >"$inject/times"
		check "$fs: one command fails: the bytes are right: $engine" \
			bpio-verify check -e -E "$engine" -q 8 -b 16K a 1
		# adjacent reads that were one command fail together
		check_gained "$fs: it is read again, traditionally: $engine" v \
			"why_io_error>0" "why_io_error<9" "full_reads>30"
	done
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
on_each_fs run
finish
