#!/bin/bash
# purpose: whatever fails and whenever: old data, zeros or the source's data
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs
# timeout: 300
#
# The device is full of poison before. A destination may hold its own old data,
# the token's, or zeros where nothing had been written; never what lay in a
# block before, never another file's and never the memory of a marker.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

bytes=$((4 << 20))

# Files of the source's and of old data, and one that is only preallocated.
prepare() {
	rm -f old new
	bpio-verify fill old 9 $bytes
	fallocate -l $bytes new
}

clean() {
	bpio-verify check old 9 1 && bpio-verify check -z new 1
}

# Scripted: the nth request fails after some bytes, or at once.
scripted() {
	local every at

	for every in 1 2 3; do
		for at in 0 69632; do
			prepare
			bpio-ctl src mark:v msg:"fault offload_write every \
$every bytes $at status STATUS_IO_TIMEOUT" oread:0:$bytes open:old open:new use:1 \
				owrite:0:512K use:2 owrite:0:1M use:1 \
				owrite:512K:1M:512K use:2 owrite:1M:512K:1M \
				use:1 owrite:3M:64K:3M \
				msg:"fault clear" >"$tmp/said"
			grep -q IO_TIMEOUT "$tmp/said" || grep -q \
				"written=$at\$" "$tmp/said" ||
				not_ok "$fs: nothing failed: $(cat "$tmp/said")"
			clean || not_ok "$fs: scripted, every $every at $at"
		done
	done
	ok "$fs: scripted failures leave nothing foreign"
}

# The device refuses each Copy: it is told more than it can do in one.
refused_copies() {
	local n

	make_volume w "$disk2" 0 copy_limits 65535 4294967295 255
	make_fs "$fs" "$(volume w)"
	mount_volume w
	cd "$tmp/w"
	bpio-verify fill src 1 $bytes
	prepare
	bpio-ctl src oread:0:$bytes open:old owrite:0:$bytes open:new \
		owrite:0:$bytes >"$tmp/said"
	note "$fs: $(tr '\n' ';' <"$tmp/said")"
	check "$fs: NVMe Copy refused by the device: nothing foreign" clean
	n=$(grep -c "status=SUCCESS info=16 written=$bytes\$" "$tmp/said") || true
	if [ "$n" = 2 ]; then
		check "$fs: and what was said to be written is" \
			bpio-verify check new 1
	fi
	remove_volume w
	cd "$tmp/v"
}

# counted KEY: since begin?
counted() { [ "$(gained v "$1")" -gt 0 ]; }

# The writer dies in its first request, and in its second, when the first has moved
# all. A pause stands before each of the source's extents, until it was killed.
killed() {
	local key pid status knob

	# ext4 would give either file a place of its own
	knob=/sys/fs/ext4/$(block_name v)/mb_stream_req
	[ ! -e "$knob" ] || echo 100000 >"$knob"
	bpio-verify interleave frag others 16 256K
	bpio-ctl frag oread:0:$bytes save:"$tmp/t" >/dev/null
	for key in offload_writes bytes_nvme; do
		prepare
		begin v
		message v fault copy times 1000 delay_ms 300
		command bpio-ctl old load:"$tmp/t" owrite:0:$bytes open:new \
			owrite:0:$bytes >"$tmp/said" &
		pid=$!
		wait_for 60 counted $key || true
		kill -9 $pid 2>/dev/null || true
		message v fault clear
		status=0
		wait $pid || status=$?
		check_equal "$fs: killed after the first of $key" 137 $status
		check "$fs: killed after the first of $key: nothing foreign" clean
	done
	rm -f frag others
}

# The source changes, or goes, under the copy.
source_changes() {
	local pid how

	for how in "write:0:1M:77" "punch:0:2M" "trunc:4096"; do
		bpio-verify fill moving 1 $bytes
		prepare
		bpio-ctl moving oread:0:$bytes save:"$tmp/t" >/dev/null
		command bpio-ctl old load:"$tmp/t" owrite:0:$bytes open:new \
			owrite:0:$bytes >"$tmp/said" &
		pid=$!
		sleep "0.0$((RANDOM % 60))"
		bpio-ctl moving "$how" >/dev/null
		bpio-verify fill foreign 7 $bytes
		wait $pid
		rm -f foreign
		# a copy that was under way when the token died is wiped
		if ! bpio-verify check -z old 9 1 ||
			! bpio-verify check -z new 1; then
			not_ok "$fs: $how: $(cat "$tmp/said")"
		fi
		rm -f moving
	done
	ok "$fs: a source that changes meanwhile leaves nothing foreign"
}

# Reads of the source fail below dm-kcopyd.
failing_reads() {
	local knob=/sys/kernel/debug/fail_make_request i

	[ -d $knob ] || {
		echo "skip - $fs: failing reads: a kernel without fault injection"
		return 0
	}
	make_volume w "$disk2"
	make_fs "$fs" "$(volume w)"
	mount_volume w
	cd "$tmp/w"
	bpio-verify fill far 1 $bytes
	bpio-ctl far oread:0:$bytes save:"$tmp/t" >/dev/null
	cd "$tmp/v"
	echo 40 >$knob/probability
	echo 1 >$knob/interval
	echo 0 >$knob/verbose
	for i in 1 2 3; do
		prepare
		echo -1 >$knob/times
		echo 1 >"/sys/block/${disk2##*/}/make-it-fail"
		bpio-ctl old load:"$tmp/t" owrite:0:$bytes open:new \
			owrite:0:$bytes >"$tmp/said"
		echo 0 >"/sys/block/${disk2##*/}/make-it-fail"
		echo 0 >$knob/times
		note "$fs: $(tr '\n' ';' <"$tmp/said")"
		clean || not_ok "$fs: failing reads, round $i"
	done
	echo 0 >$knob/probability
	remove_volume w
	cd "$tmp/v"
	ok "$fs: failing reads of the source leave nothing foreign"
}

# Each allocation of each request fails once: the status, and nothing leaked.
failing_allocations() {
	[ -e /proc/self/fail-nth ] || {
		echo "skip - $fs: failing allocations: no fault injection"
		return 0
	}
	echo 0 >/sys/kernel/debug/failslab/ignore-gfp-wait
	echo 0 >/sys/kernel/debug/failslab/verbose
	echo 0 >/sys/kernel/debug/fail_page_alloc/verbose
	prepare
	answers "$fs: every allocation of every request fails once" \
		src failall query failall enable failall info failall pausev \
		failall resumev failall pauses failall resumes failall disable \
		failall oread:0:1M open:new failall owrite:0:1M <<-END
	query status=SUCCESS info=352 op=3 flags=8 result=SUCCESS driver= reason=
	enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= reason=
	info status=SUCCESS info=96 op=8 flags=8 count=1 driver=nvme.ko
	pausev status=SUCCESS info=24 op=4 flags=1
	resumev status=SUCCESS info=352 op=5 flags=0 result=SUCCESS driver= reason=
	pauses status=SUCCESS info=24 op=6 flags=2
	resumes status=SUCCESS info=352 op=7 flags=0 result=SUCCESS driver= reason=
	disable status=SUCCESS info=24 op=2 flags=0
	oread status=SUCCESS info=528 transfer=1048576 flags=0 token=bpio
	owrite status=SUCCESS info=16 written=1048576
	END
	check "$fs: and the bytes are right" bpio-verify check -l 1M new 1
	check "$fs: nothing foreign" clean
}

run() {
	make_volume v "$disk"
	poison "$(volume v)" 160M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill src 1 $bytes
	scripted
	killed
	source_changes
	refused_copies
	failing_reads
	failing_allocations
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	mount_volume v
	cd "$tmp/v"
	check "$fs: and so is what is on the device" clean
	remove_volume v
}

on_each_fs run
finish
