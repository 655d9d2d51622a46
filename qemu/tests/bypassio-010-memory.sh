#!/bin/bash
# purpose: where a file's blocks lie is forgotten when memory is short, and found again
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
#
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

known() {
	local n

	read -r n </sys/module/bpiofs/parameters/extent_chunks
	echo "$n"
}

# of each file; what is known is in pieces of 2 MiB
mib=$((96 / scale))

shrink() { echo 2 >/proc/sys/vm/drop_caches; }

run() {
	local i readers

	make_volume v "$disk"
	poison "$(volume v)" $((240 / scale))M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	# In pieces, so that one long run is not all there is to know.
	bpio-verify interleave left right "$mib" 1M
	hold_open h left enable
	check_equal "$fs: at first nothing is known" 0 "$(known)"
	bpio-verify check -e -b 1M left 1
	check_equal "$fs: $mib MiB read: as many pieces of 2 MiB" $((mib / 2)) "$(known)"
	shrink
	check_equal "$fs: memory is short: forgotten" 0 "$(known)"
	begin v
	check "$fs: the same bytes" bpio-verify check -e -b 1M left 1
	check_gained "$fs: all by the full path" v full_bytes=$((mib << 20)) \
		traditional_reads=0
	check "$fs: known again" test "$(known)" -gt $((mib * 2 / 5))
	readers=()
	for i in left right; do
		command bpio-verify check -e -r -n $((3000 / scale)) -b 64K "$i" 1 2 >"$tmp/$i" 2>&1 &
		readers+=($!)
	done
	while kill -0 "${readers[@]}" 2>/dev/null; do shrink; done
	check "$fs: forgotten over and over under readers" wait "${readers[0]}"
	check "$fs: of both files" wait "${readers[1]}"
	let_go h
	rm left right
	check_equal "$fs: files that are gone" 0 "$(known)"
	cd /
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
