#!/bin/bash
# purpose: bypassed reads: right bytes past dm and the file system, by every
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs stock-6.12:ext4
# timeout: 240
#
# interface, size, place and layout.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

# no multiple of a sector, and more than a command takes
size=$((4500004 / scale - 3))

# All of it through the bypass, nothing through map(). Once before to learn
# where the blocks lie: those probes are reads through map().
engines() {
	local engine bytes=$(((size + 511) / 512 * 512)) places=$((120 / scale))

	bpio-verify check -e big 1
	sync -f .
	for engine in sync vector aio uring fixed poll; do
		begin v
		check "$fs: $engine: the file is its own" \
			bpio-verify check -e -E "$engine" -q 4 -b 64K big 1
		check_gained "$fs: $engine: all by the full path" v \
			full_bytes=$bytes bypassed_bytes=$bytes \
			bypassed_reads=$(((size + 65535) / 65536)) \
			full_reads=$(((size + 65535) / 65536)) mapped_reads=0 \
			partial_reads=0 traditional_reads=0
		begin v
		check "$fs: $engine: any place and length" \
			bpio-verify check -e -E "$engine" -q 8 -r -n $places \
			-b 128K big 1
		check_gained "$fs: $engine: all by the full path" v \
			full_reads=$places mapped_reads=0 partial_reads=0 \
			traditional_reads=0
		# io_uring is told to come back, which counts for nothing.
		begin v
		check "$fs: $engine: more at once than the device takes" \
			bpio-verify check -e -E "$engine" -q 4 -b 1M big 1
		check_gained "$fs: $engine: all by the full path" v \
			full_reads=$(((size + 1048575) >> 20)) full_bytes=$bytes \
			bypassed_reads=$(((size + 1048575) >> 20)) mapped_reads=0 \
			partial_reads=0 \
			traditional_reads=0
	done
}

# io_uring asks without waiting at first: what has to be found out, or dropped
# from the cache, must not keep it from the bypass.
first_by_uring() {
	local what

	for what in "never read before" "left in the cache"; do
		bpio-verify fill fresh 4 1M
		[ "$what" != "left in the cache" ] || cat fresh >/dev/null
		begin v
		check "$fs: io_uring, $what" \
			bpio-verify check -e -E uring -q 4 -b 64K fresh 4
		check_gained "$fs: all by the full path" v full_bytes=1048576 \
			traditional_reads=0
		rm fresh
	done
	bpio-verify fill fresh 4 1M
	bpio-ctl fresh enable >/dev/null
	answers "$fs: without waiting: not before somebody has looked" fresh \
		enable readnw:0:4096 read:0:4096 readnw:0:4096 <<-END
	enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= reason=
	read errno=EAGAIN
	read 4096
	read 4096
	END
}

sizes() {
	local size

	for size in 1 511 513 4097 65537 2097151 2097153; do
		bpio-verify fill "size$size" 3 "$size"
	done
	begin v
	for size in 1 511 513 4097 65537 2097151 2097153; do
		bpio-verify check -e "size$size" 3 ||
			not_ok "$fs: a file of $size bytes"
	done
	check_gained "$fs: files of odd sizes, read whole" v \
		"full_reads>12" partial_reads=0 traditional_reads=0
	answers "$fs: at and past the end" size513 enable read:0:4096 \
		read:512:4096 read:512:512 read:1024:512 read:1M:4096 \
		read:0:0 <<-END
	enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= reason=
	read 513
	read 1
	read 1
	read 0
	read 0
	read 0
	END
}

# Several extents.
fragmented() {
	bpio-verify interleave left right 40
	note "$fs: $(xfs_io -rc fiemap left | wc -l) lines of extents"
	bpio-verify check -e left 1
	begin v
	check "$fs: a fragmented file, in one read" \
		bpio-verify check -e -b 256K left 1
	check_gained "$fs: by the full path" v full_reads=1 \
		full_bytes=163840 mapped_reads=0 traditional_reads=0
	answers "$fs: without waiting: one extent, or nothing at all" left \
		enable readnw:0:4096 readnw:0:8192 read:0:8192 <<-END
	enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= reason=
	read 4096
	read errno=EAGAIN
	read 8192
	END
	check "$fs: its neighbour, by io_uring" \
		bpio-verify check -e -E uring -b 256K right 2
}

# What is not bypassed: other opens, cached reads, writes, after DISABLE.
not_bypassed() {
	bpio-ctl big enable open:big read:0:4096 use:0 read:0:4096 \
		disable read:0:4096 >/dev/null
	begin v
	bpio-ctl big enable open:big read:0:4096 >/dev/null
	rule 19 check_gained "$fs: another open of the file: traditional" v \
		full_reads=0 traditional_reads=1 why_not_enabled=1 mapped_reads=1
	begin v
	bpio-ctl big enable disable read:0:4096 >/dev/null
	rule 54 check_gained "$fs: after DISABLE: traditional" v \
		full_reads=0 traditional_reads=1 why_not_enabled=1
	begin v
	bpio-ctl big:b enable read:0:4096 >/dev/null
	rule 23 check_gained "$fs: a cached read: traditional" v \
		full_reads=0 traditional_reads=1 why_cached_io=1
	begin v
	answers "$fs: a write on an enabled open" scratch:dcrw write:0:8192:65 \
		enable write:0:4096:66 read:0:4096 <<-END
	write 8192
	enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= reason=
	write 4096
	read 4096
	END
	rule 24 check_gained "$fs: goes through map(), the read after it not" v \
		"mapped_writes>1" full_reads=1
	bpio-ctl scratch enable read:0:8192:"$tmp/read" >/dev/null
	{
		head -c 4096 /dev/zero | tr '\0' B
		head -c 4096 /dev/zero | tr '\0' A
	} >"$tmp/want"
	check "$fs: and sees what was written" cmp "$tmp/want" "$tmp/read"
	begin v
	check_equal "$fs: not aligned for the device: refused as below" \
		"read errno=EINVAL" \
		"$(bpio-ctl big enable read:1:4096 | tail -n 1)"
	check_gained "$fs: and not bypassed" v full_reads=0
}

# A device whose requests end when somebody polls for them, and not before. The
# file is of whole blocks: Linux 6.1 forgets the bytes of a polled read that ends
# at once and short.
polled() {
	local dir=/sys/kernel/config/nullb/nullb0 size=$((4521984 / scale))

	[ -d "$dir" ] || {
		modprobe null_blk nr_devices=0
		defer rmmod null_blk
		mountpoint -q /sys/kernel/config ||
			mount -t configfs configfs /sys/kernel/config
		mkdir "$dir"
		defer rmdir "$dir"
		echo $volume_mib >"$dir/size"
		echo 1 >"$dir/memory_backed"
		echo 1 >"$dir/poll_queues"
	}
	echo 1 >"$dir/power"
	make_volume p /dev/nullb0 0 any_storage
	make_fs "$fs" "$(volume p)"
	mount_volume p
	cd "$tmp/p"
	bpio-verify fill big 1 $size
	bpio-verify check -e big 1
	begin p
	check "$fs: a polled device, by a polled ring" \
		bpio-verify check -e -E poll -q 4 -b 64K big 1
	check_gained "$fs: all by the full path" p \
		full_bytes=$size mapped_reads=0 traditional_reads=0
	check "$fs: any place and length" \
		bpio-verify check -e -E poll -q 8 -r -n $((120 / scale)) \
		-b 128K big 1
	check "$fs: the same traditionally" \
		bpio-verify check -E poll -q 4 -b 64K big 1
	umount_volume p
	remove_volume p
	echo 0 >"$dir/power"
}

run() {
	make_volume v "$disk"
	poison "$(volume v)" 64M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill big 1 $size
	rule 22 engines
	first_by_uring
	sizes
	fragmented
	not_bypassed
	cd /
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
on_each_fs polled
finish
