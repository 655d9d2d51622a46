#!/bin/bash
# purpose: a file of 1 TiB: enabling costs nothing, reads look up what they touch
# fs: ext4 xfs
# quick: stock
# needs: prog=xfs_io
# disk: huge 1100G
#
# On XFS the file is 64 MiB, cloned until it is 1 TiB: written throughout, in
# thousands of extents, all of them shared. ext4 cannot clone: a file of 256 MiB.
# shellcheck disable=SC2086 # numbers
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

disk=${disk_huge-$disk}
mib=$((1 << 20))
none="result=SUCCESS driver= reason="

known() { cat /sys/module/bpiofs/parameters/extent_chunks; }

sectors_read() {
	local stat

	read -ra stat <"/sys/block/${disk##*/}/stat"
	echo ${stat[2]}
}

shrink() { echo 2 >/proc/sys/vm/drop_caches; }

# right OFFSET LENGTH: are these bytes of the file what they should be?
right() {
	bpio-verify check -e -m $part -b 64K -o "$1" -l "$2" huge 7
}

make_file() {
	local at=$part

	bpio-verify fill huge 7 $part
	while [ "$at" -lt $size ]; do
		xfs_io -c "reflink huge 0 $at $at" huge >/dev/null
		at=$((at * 2))
	done
}

# In as many pieces of 2 MiB, none of them read before.
choose_places() {
	local chunk

	places=()
	while [ ${#places[@]} -lt 24 ]; do
		chunk=$(((RANDOM << 15 | RANDOM) % (size / mib / 2)))
		case " 0 $((size / mib / 2 - 1)) ${places[*]} " in
		*" $chunk "*) ;;
		*) places+=("$chunk") ;;
		esac
	done
}

read_places() {
	local chunk status=0

	for chunk in "${places[@]}"; do
		right $((chunk * 2 * mib + (RANDOM % 16) * 65536)) 131072 ||
			status=1
	done
	return $status
}

both_ends() { right 0 65536 && right $((size - 65536)) 65536; }

# Blocks of its own again: only a look-up of the exact place finds them.
own_blocks() {
	local i at status=0

	for i in 1 3 5 7; do
		at=$((size * i / 8 + 4096))
		bpio-verify fill huge 9 64K $i $at
		bpio-verify check -e -b 64K -o $at -l 64K -g $i huge 9 || status=1
		right $((at - 65536)) 65536 || status=1
		right $((at + 65536)) 65536 || status=1
	done
	# Not to be taken for each other, 128 GiB apart.
	for i in 1 3 5 7; do
		at=$((size * i / 8 + 4096))
		bpio-verify check -e -b 64K -o $at -l 64K -g $i huge 9 || status=1
		right $((at - size / 8)) 65536 || status=1
	done
	return $status
}

run() {
	local args=() before found places

	part=$((256 * mib)) size=$((256 * mib)) volume_mib=400
	if [ "$fs" = xfs ]; then
		part=$((64 * mib)) size=$((mib * mib)) volume_mib=$((1098 << 10))
		args=(-l size=64m -m reflink=1)
	fi
	make_volume v "$disk"
	poison "$(volume v)" 96M
	make_fs "$fs" "$(volume v)" "${args[@]}"
	mount_volume v
	cd "$tmp/v"
	make_file
	check_equal "$fs: its size" $size "$(stat -c %s huge)"
	check "$fs: it has all its blocks" \
		test "$(($(stat -c '%b * %B' huge)))" -ge $size
	# Nothing of it is in memory.
	umount_volume v
	mount_volume v
	cd "$tmp/v"
	exec 7<huge
	before=$(sectors_read)
	answers "$fs: ENABLE and QUERY: allowed, and nothing is looked up" \
		huge mark:v enable query gain:mapped_reads show:bypass <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $none
	query status=SUCCESS info=352 op=3 flags=8 $none
	gain mapped_reads=0
	show bypass=active
	END
	check_equal "$fs: not one sector is read" "$before" "$(sectors_read)"
	hold_open h huge enable
	check_equal "$fs: nothing is known" 0 "$(known)"

	begin v
	check "$fs: both ends" both_ends
	check_gained "$fs: by the full path" v full_bytes=131072 \
		traditional_reads=0 partial_reads=0
	check_equal "$fs: two pieces are known" 2 "$(known)"
	choose_places
	begin v
	check "$fs: 24 places" read_places
	check_gained "$fs: by the full path" v full_bytes=$((24 * 131072)) \
		traditional_reads=0 partial_reads=0
	check_equal "$fs: as many pieces more" 26 "$(known)"
	check "$fs: again" read_places
	check_equal "$fs: no more for that" 26 "$(known)"
	begin v
	check "$fs: 400 reads anywhere" bpio-verify check -e -m $part -E uring \
		-q 8 -r -n 400 -b 16K huge 7
	check_gained "$fs: by the full path" v "full_reads>399" \
		traditional_reads=0 partial_reads=0
	found=$(known)
	note "$fs: $found pieces known of $((size / mib / 2))"
	check "$fs: at most two pieces for each" test "$found" -le 826

	shrink
	check_equal "$fs: memory is short: forgotten" 0 "$(known)"
	begin v
	check "$fs: the same places" read_places
	check_gained "$fs: by the full path" v full_bytes=$((24 * 131072)) \
		traditional_reads=0 partial_reads=0
	# the longest run is kept
	check "$fs: known again, no more than was read" test "$(known)" -le 24
	begin v
	check "$fs: blocks that are written anew, and their neighbours" \
		own_blocks
	check_gained "$fs: by the full path" v full_bytes=$((20 * 65536)) \
		traditional_reads=0 partial_reads=0
	let_go h
	exec 7<&-
	cd /
	umount_volume v
	check_equal "$fs: unmounted: nothing is known" 0 "$(known)"
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
