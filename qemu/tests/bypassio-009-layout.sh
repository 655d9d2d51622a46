#!/bin/bash
# purpose: enabled files that turn sparse, whose extents move, or that someone
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs
# timeout: 240
# needs: prog=xfs_io prog=e4defrag prog=xfs_fsr
#
# wants to compress.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

none="result=SUCCESS driver= reason="
enabled="enable status=SUCCESS info=352 op=1 flags=8 $none"
sparse="flags=8 result=SPARSE_FILE_NOT_SUPPORTED driver=bpiofs.ko \
reason=Sparse file not supported"

# All of it is read the traditional way, not only the hole; what is enabled
# stays so, and comes back when the hole is filled.
turns_sparse() {
	rm -f hole
	bpio-verify fill hole 7 1M
	cp hole "$tmp/want"
	fallocate -p -o 256K -l 128K "$tmp/want"
	sync -f .
	answers "$fs: a hole punched into an enabled file" hole enable open:hole \
		enable use:0 read:0:1M mark:v read:0:1M gain:full_reads \
		punch:256K:128K mark:v read:0:1M:"$tmp/r1" read:768K:64K \
		read:256K:64K use:1 read:0:64K \
		gain:traditional_reads:why_sparse:full_reads:mapped_reads+ \
		show:active_count info <<-END
	$enabled
	$enabled
	read 1048576
	read 1048576
	gain full_reads=1
	punch 0
	read 1048576
	read 65536
	read 65536
	read 65536
	gain traditional_reads=4 why_sparse=4 full_reads=0 mapped_reads=some
	show active_count=2
	info status=SUCCESS info=96 op=8 flags=8 count=2 driver=nvme.ko
	END
	check "$fs: the data is right" cmp "$tmp/want" "$tmp/r1"
	rm -f hole
	bpio-verify fill hole 7 1M
	answers "$fs: sparse: others refused, DISABLE works, filled: as before" \
		hole enable read:0:1M punch:256K:128K open:hole enable query \
		use:0 mark:v read:0:1M write:256K:64K:65 read:0:1M \
		gain:full_reads:why_sparse write:320K:64K:66 mark:v \
		read:0:1M:"$tmp/r2" read:0:1M gain:full_reads+:why_sparse \
		punch:0:64K disable mark:v read:0:1M \
		gain:why_not_enabled:why_sparse show:active_count <<-END
	$enabled
	read 1048576
	punch 0
	enable status=SUCCESS info=352 op=1 $sparse
	query status=SUCCESS info=352 op=3 $sparse
	read 1048576
	write 65536
	read 1048576
	gain full_reads=0 why_sparse=2
	write 65536
	read 1048576
	read 1048576
	gain full_reads=some why_sparse=0
	punch 0
	disable status=SUCCESS info=24 op=2 flags=0
	read 1048576
	gain why_not_enabled=1 why_sparse=0
	show active_count=0
	END
	bpio-verify fill want 7 1M
	{
		head -c 256K want
		head -c 64K /dev/zero | tr '\0' A
		head -c 64K /dev/zero | tr '\0' B
		tail -c +393217 want
	} >"$tmp/want"
	check "$fs: filled: the data is right" cmp "$tmp/want" "$tmp/r2"
	rm -f hole
	bpio-verify fill hole 7 1M
	sync -f .
	answers "$fs: sparse by a write far behind the end, which moves no block" \
		hole enable read:0:4096 read:0:4096 mark:v read:0:4096 \
		gain:full_reads write:4M:64K:65 mark:v read:0:4096 \
		gain:full_reads:why_sparse <<-END
	$enabled
	read 4096
	read 4096
	read 4096
	gain full_reads=1
	write 65536
	read 4096
	gain full_reads=0 why_sparse=1
	END
}

# MADV_REMOVE frees blocks by way of a mapping, which no operation of the mount
# sees.  What is left is no sparse file: the hole is at its end.
removes_pages() {
	rm -f gone thief
	bpio-verify fill gone 8 1M
	sync -f .
	answers "$fs: pages removed through a mapping of an enabled file" \
		gone enable read:0:1M mark:v read:0:1M gain:full_reads \
		remove:512K:512K "sh:bpio-verify fill thief 9 48M; sync -f ." \
		mark:v read:0:1M:"$tmp/r1" read:0:64K:"$tmp/r2" \
		gain:full_reads:why_not_mapped <<-END
	$enabled
	read 1048576
	read 1048576
	gain full_reads=1
	remove 0
	read 1048576
	read 65536
	gain full_reads=1 why_not_mapped=1
	END
	bpio-verify fill want 8 512K
	cp want "$tmp/want"
	truncate -s 1M "$tmp/want"
	check "$fs: their place reads as zeros, whoever has the blocks now" \
		cmp "$tmp/want" "$tmp/r1"
	check "$fs: what is left is bypassed" cmp -n 64K "$tmp/want" "$tmp/r2"
	rm -f gone thief want
}

# Ranges are collapsed and inserted under readers.
moves() {
	local rounds

	begin v
	for rounds in {1..10}; do
		check "$fs: every read is the file at one moment, $rounds" \
			bpio-verify move -s 4 -t 4 moved $((100 + rounds))
		[ "$(gained v why_layout_changing)" -eq 0 ] ||
			[ "$(gained v full_reads)" -eq 0 ] || break
	done
	rule 102 check_gained "$fs: traditional while moving" v "why_layout_changing>0" \
		"full_reads>0"
	begin v
	bpio-verify check -e moved $((100 + rounds))
	rule 102 check_gained "$fs: and bypassed afterwards" v why_layout_changing=0 \
		"full_reads>2" traditional_reads=0
}

# The lower file system's own defragmentation, by way of another mount of it.
defragments() {
	local before after cmd other=$tmp/other

	bpio-verify interleave left right 40
	mkdir -p "$other"
	case $fs in
	ext4) cmd="e4defrag $other/left" ;;
	xfs) cmd="xfs_fsr $other/left" ;;
	esac
	before=$(xfs_io -rc "fiemap -v" left | wc -l)
	begin v
	answers "$fs: defragmented under an enabled open" left enable \
		read:0:160K mark:v read:0:160K gain:full_reads \
		"sh:mount -t $fs $(volume v) $other" read:0:4096 \
		read:0:160K:"$tmp/r1" \
		"sh:$cmd >$tmp/log 2>&1" read:0:160K:"$tmp/r2" \
		gain:traditional_reads:why_not_exclusive:full_reads \
		"sh:umount $other" mark:v read:0:160K:"$tmp/r3" \
		gain:full_reads <<-END
	$enabled
	read 163840
	read 163840
	gain full_reads=1
	read 4096
	read 163840
	read 163840
	gain traditional_reads=3 why_not_exclusive=3 full_reads=1
	read 163840
	gain full_reads=1
	END
	after=$(xfs_io -rc "fiemap -v" left | wc -l)
	note "$fs: $before extents, then $after"
	check "$fs: its extents have moved" test "$after" -lt "$before"
	check "$fs: the data is right all the time" cmp "$tmp/r1" "$tmp/r2"
	check "$fs: and through the bypass" cmp "$tmp/r1" "$tmp/r3"
	check "$fs: it is the file's" bpio-verify check -e left 1
}

# What would move extents through the mount itself is not passed on.
move_ioctls() {
	check_equal "$fs: ioctls that move extents" "ENOTTY ENOTTY" \
		"$(/usr/bin/python3 - <<-END
	import errno, fcntl, os, sys
	said = []
	fd = os.open("left", os.O_RDWR)
	other = os.open("right", os.O_RDWR)
	for code in 0xc028660f, 0xc0c0586d:	# EXT4_IOC_MOVE_EXT, XFS_IOC_SWAPEXT
	    try:
	        fcntl.ioctl(fd, code, bytes(192))
	        said.append("taken")
	    except OSError as e:
	        said.append(errno.errorcode[e.errno])
	print(*said)
	END
	)"
}

# attributes FILE LETTERS: those of them that it has.
attributes() { lsattr "$1" | cut -d ' ' -f 1 | tr -dc "$2"; }

compression() {
	rm -f packed
	bpio-verify fill packed 9 64K
	answers "$fs: compressing an active file is refused" packed enable \
		raw:0x9c040:2:0:0200 "sh:chattr +c packed 2>$tmp/err || true" \
		open:packed raw:0x9c040:2:0:0100 use:0 mark:v read:0:64K \
		gain:full_reads show:active_count raw:0x9c040:2:0:0000 disable \
		raw:0x9c040:2:0:0200 open:packed:r raw:0x9c040:2:0:0200 <<-END
	$enabled
	raw status=NOT_SUPPORTED_WITH_BYPASSIO info=0
	raw status=NOT_SUPPORTED_WITH_BYPASSIO info=0
	read 65536
	gain full_reads=1
	show active_count=1
	raw status=SUCCESS info=0 output=
	disable status=SUCCESS info=24 op=2 flags=0
	raw status=INVALID_DEVICE_REQUEST info=0
	raw status=ACCESS_DENIED info=0
	END
	check "$fs: chattr +c: EBUSY" grep -q "Device or resource busy" \
		"$tmp/err"
	check_equal "$fs: the attribute is not set" "" "$(attributes packed c)"
	[ "$fs" != ext4 ] || {
		chattr +c packed
		check_equal "$fs: not active any more: it is set" c \
			"$(attributes packed c)"
		chattr -c packed
	}
}

run() {
	make_volume v "$disk"
	poison "$(volume v)" 64M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	rule 101 turns_sparse
	removes_pages
	moves
	rule 102 defragments
	move_ioctls
	rule 103 compression
	cd /
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
