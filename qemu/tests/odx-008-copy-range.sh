#!/bin/bash
# purpose: copy_file_range(2), cp and clones: bytes, who moved them, what is left
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs stock-6.12:ext4
# needs: prog=bpio-model prog=xfs_io module=bpio-flt-passthru
# timeout: 240
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

m=1048576
seed=${BPIO_SEED-$((RANDOM + 1))}

# What cp does where there are no clones.
copy() {
	if [ "$fs" = ext4 ]; then
		cp "$1" "$2"
	else
		xfs_io -ft -c "copy_range $1" "$2"
	fi
}

# How long files are, and whether there is a hole: name, bytes, blocks.
sizes() { stat -c '%n %s %b' "$@"; }

plain() {
	local moved bytes=$((8 * m / scale))

	bpio-verify fill src 1 $bytes
	sync -f .
	begin v
	moved=$(sectors_moved "$disk")
	copy src dst
	sync -f .
	moved=$(($(sectors_moved "$disk") - moved))
	check_gained "$fs: cp moves all of it by NVMe Copy" v \
		bytes_nvme=$bytes bytes_kcopyd=0 bytes_literal=0 \
		copy_offload_bytes=$bytes copy_splice_bytes=0 \
		copy_shared_bytes=0
	check "$fs: $moved sectors by ordinary I/O, of $((bytes >> 9))" \
		test $moved -lt 1024
	check "$fs: the bytes are right" bpio-verify check dst 1
	check "$fs: through the bypass" bpio-verify check -e -E uring dst 1
	check_equal "$fs: no token is left" 0 \
		"$(dmsetup status bpio-v | sed -n 's/.* tokens=\([0-9]*\).*/\1/p')"
	bpio-verify fill small 2 100000
	begin v
	copy small smaller
	check_gained "$fs: a short file is not worth a token" v \
		"copy_$other"_bytes=100000 copy_offload_bytes=0
	check "$fs: its bytes are right" cmp small smaller
	# dirty, and not whole sectors
	head -c 3000001 /dev/urandom >src
	begin v
	copy src dst
	check "$fs: a dirty source, not whole sectors" cmp src dst
	check_gained "$fs: all but the last sector by copy" v \
		copy_offload_bytes=3000001 copy_splice_bytes=0
	head -c 5000000 /dev/urandom >dst
	head -c 4000000 src >"$tmp/want"
	tail -c +3000002 dst >>"$tmp/want"
	xfs_io -c "copy_range src" dst
	check "$fs: into a longer file: the rest of it stays" cmp dst "$tmp/want"
}

holes() {
	rm -f src dst dst2
	bpio-verify fill src 1 4M
	fallocate -p -o 1M -l 1M src
	truncate -s 7M src
	sync -f .
	begin v
	xfs_io -fc "copy_range src" dst
	check_gained "$fs: holes: data is offloaded, holes stay" v \
		copy_offload_bytes=$((3 * m)) copy_hole_bytes=$((4 * m)) \
		copy_splice_bytes=0
	check "$fs: the bytes are right" cmp src dst
	check "$fs: and take no more room: $(sizes src dst | xargs)" \
		test "$(stat -c %b dst)" -le $(($(stat -c %b src) + 16))
	bpio-verify fill dst2 9 8M
	xfs_io -c "copy_range src" dst2
	check "$fs: holes in what was data" cmp -n $((7 * m)) src dst2
	check "$fs: and no more" bpio-verify check -o 7M dst2 9
}

# Fewer bytes than a token's 64 extents in each piece.
fragments() {
	rm -f dst
	make_pieces v 300 "$fs" || return 0
	begin v
	copy pieces dst
	check "$fs: hundreds of extents: the bytes are right" \
		bpio-verify check dst 1
	check_gained "$fs: all of them offloaded" v \
		copy_offload_bytes=$((300 * 4096)) copy_splice_bytes=0
	rm -f pieces others
}

far() {
	rm -f src
	bpio-verify fill src 1 2M
	setup_volume w "$fs" "$disk2"
	begin w
	copy src "$tmp/w/far"
	check "$fs: to another mount: the bytes are right" \
		bpio-verify check "$tmp/w/far" 1
	check_gained "$fs: by dm-kcopyd" w bytes_kcopyd=$((2 * m)) \
		bytes_nvme=0 copy_offload_bytes=$((2 * m)) copy_splice_bytes=0
	begin w
	cp "$tmp/w/far" /run/out
	check "$fs: to another file system: the bytes are right" \
		cmp src /run/out
	rm -f /run/out
	remove_volume w
	cd "$tmp/v"
}

# What can't be offloaded is copied all the same, and the volume says why.
falls_back() {
	rm -f src dst
	bpio-verify fill src 1 8M
	message v fault offload_write status 0xC0000185 times 1
	copy src dst
	message v fault clear
	check "$fs: a write fails: the bytes are right" \
		bpio-verify check dst 1
	rm -f dst
	begin v
	message v fault offload_write bytes 1048576 times 1
	copy src dst
	message v fault clear
	check "$fs: a write ends short: the bytes are right" \
		bpio-verify check dst 1
	rm -f dst
	begin v
	message v fault offload_read status 0xC00000BB times 1
	copy src dst
	message v fault clear
	check "$fs: not supported: the bytes are right" bpio-verify check dst 1
	check_gained "$fs: and that is remembered" v offload_reads=1 \
		copy_offload_bytes=0 "copy_$other"_bytes=$((8 * m))
	umount_volume v
	mount_volume v
	cd "$tmp/v"
	echo "bpio-flt-passthru" >"$(volume_dir v)/attach"
	rm -f dst
	begin v
	copy src dst
	check "$fs: a filter that sees reads and writes: the bytes are right" \
		bpio-verify check dst 1
	check_gained "$fs: and it has seen them" v copy_offload_bytes=0 \
		copy_splice_bytes=$((8 * m))
	echo "bpio-flt-passthru" >"$(volume_dir v)/detach"
}

# No room, no time: short, and nothing is lost or left.
ends_early() {
	local status=0 size

	setup_volume w "$fs" "$disk2"
	touch "$tmp/w/dst"
	head -c $(((volume_mib - 6) * m)) /dev/zero >"$tmp/w/full" || true
	sync -f "$tmp/w"
	rm -f src
	bpio-verify fill src 1 64M
	cp src "$tmp/w/dst" 2>"$tmp/said" || status=$?
	check_equal "$fs: no room: told" "1 1" \
		"$status $(grep -c 'No space left' "$tmp/said")"
	size=$(stat -c %s "$tmp/w/dst")
	check "$fs: and what is there is right: $size bytes" \
		cmp -n "$size" src "$tmp/w/dst"
	umount_volume w
	check "$fs: in order afterwards" fsck_volume w "$fs"
	remove_volume w
	cd "$tmp/v"

	rm -f src dst
	bpio-verify fill src 1 100M
	sync -f .
	message v fault offload_write delay_ms 3000
	xfs_io -ft -c "copy_range src" dst &
	sleep 1
	kill -9 $!
	wait $! || status=$?
	message v fault clear
	size=$(stat -c %s dst)
	check "$fs: killed after $size bytes" test "$size" -lt $((100 * m))
	check "$fs: which are right" cmp -n "$size" src dst
	check_equal "$fs: (killed)" 137 "$status"
	rm -f dst src
}

shared() {
	rm -f src dst
	bpio-verify fill src 1 4M
	if [ "$fs" = ext4 ]; then
		check "$fs: no clones" \
			eval '! cp --reflink=always src dst 2>/dev/null'
		rm -f dst
		return
	fi
	bpio-verify check -e src 1	# its extents are known
	bpio-ctl src oread:0:4M save:"$tmp/t" >/dev/null
	begin v
	cp --reflink=always src dst
	check_gained "$fs: a clone moves nothing" v bytes_nvme=0 \
		copy_offload_bytes=0 copy_splice_bytes=0
	check "$fs: the bytes are right" bpio-verify check dst 1
	bpio-verify check -e dst 1
	bpio-verify fill new 9 1M
	hold_open h dst enable read:0:1M
	dd if=new of=src bs=1M conv=notrunc oflag=direct status=none
	check "$fs: written to the source: the clone is what it was" \
		bpio-verify check -e -E uring dst 1
	check "$fs: and the source is not" bpio-verify check -e -l 1M src 9
	let_go h
	bpio-verify fill old 7 4M
	check_equal "$fs: a token from before has the old bytes, or is dead" 1 \
		"$(bpio-ctl old load:"$tmp/t" owrite:0:4M |
			grep -cE 'status=(SUCCESS|INVALID_TOKEN)')"
	check "$fs: and no other" eval \
		'bpio-verify check old 1 || bpio-verify check old 7'
	copy dst same
	check "$fs: the same blocks are shared again" \
		xfs_io -c "dedupe dst 0 0 4m" same
	check "$fs: with the same bytes" bpio-verify check -e same 1
}

# A write to shared blocks reserves more than it takes. Where these cover a hole,
# SEEK_DATA of XFS passes over data behind it, before Linux 6.9.
reserved() {
	[ "$fs" = xfs ] || return 0
	rm -f dst same
	bpio-verify fill src 1 1M
	cp --reflink=always src same
	bpio-verify fill src 1 4K 2 0
	xfs_io -c "fpunch 16k 16k" src
	check_equal "$fs: a hole beside reserved blocks: data begins behind it" \
		"DATA 32768" "$(xfs_io -r -c "seek -d 16k" src | tail -n 1 |
			tr -s '\t ' ' ')"
	begin v
	copy src dst
	check "$fs: a copy has what is behind the hole" cmp src dst
	check_gained "$fs: and the hole" v copy_hole_bytes=16384 \
		copy_offload_bytes=$((m - 16384))
	# and blocks that nobody has written: 64 KiB to 96 KiB
	xfs_io -c "fpunch 64k 32k" -c "falloc 64k 32k" src
	check_equal "$fs: unwritten blocks in between: the same" "DATA 98304" \
		"$(xfs_io -r -c "seek -d 64k" src | tail -n 1 | tr -s '\t ' ' ')"
	xfs_io -c "fpunch 32k 32k" src
	# a page of zeros that was read would count as data
	echo 1 >/proc/sys/vm/drop_caches
	check_equal "$fs: a hole and then unwritten blocks: the same" \
		"DATA 98304" "$(xfs_io -r -c "seek -d 16k" src | tail -n 1 |
			tr -s '\t ' ' ')"
	rm dst
	copy src dst
	check "$fs: a copy has what is behind both" cmp src dst
}

by_chance() {
	check "$fs: ranges copied at random" bpio-model -k -s "$seed" \
		-n $((600 / scale)) -r 2 -m 3000000 m
	check "$fs: once more, from the disk" bpio-model -k -s $((seed + 1)) \
		-n $((200 / scale)) -r 2 -m 3000000 -x "echo 3 >/proc/sys/vm/drop_caches" m
}

run() {
	# what is done without tokens
	other=splice
	[ "$fs" = ext4 ] || other=shared
	make_volume v "$disk"
	poison "$(volume v)" 96M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	plain
	holes
	fragments
	far
	shared
	reserved
	by_chance
	# make test: what falls back and ends early, on the stock kernel
	if [ -z "${BPIO_QUICK-}" ] || ! kernel_is_debug; then
		falls_back
		ends_early
	fi
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

load_module bpio-flt-passthru
defer unload_module bpio-flt-passthru
on_each_fs run
finish
