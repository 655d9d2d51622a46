#!/bin/bash
# purpose: the lower of two volumes is suspended while a copy on the upper one runs
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs
#
# The copy's bios go through the lower volume, which lets none through once it is
# being suspended, and waits for copies that pass it by. So a copy must not do both.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

# As many ranges as a token has, each a piece, and more pieces than are in flight at
# a time.
blocks=64
length=$((blocks * 4096))

# copying: bios of the copy are on their way through the lower volume
copying() {
	local counts

	read -ra counts <"/sys/block/$(block_name low)/inflight"
	((counts[0] + counts[1]))
}

copy_and_suspend() {
	local copy suspend

	answers "$fs: a token of many ranges" pieces "oread:0:$length" \
		"save:$tmp/token" <<-END
	oread status=SUCCESS info=528 transfer=$length flags=0 token=bpio
	END
	begin v
	dmsetup suspend --noflush --nolockfs bpio-held
	exec bpio-ctl b "load:$tmp/token" "owrite:0:$length" >"$tmp/said" &
	copy=$!
	wait_for 60 copying || fail "$fs: nothing is copied"
	exec dmsetup suspend bpio-low &
	suspend=$!
	wait_for 60 sleeps_or_ended "$suspend" dm_wait_for_completion || true
	dmsetup resume bpio-held
	check "$fs: the lower volume is suspended" wait_for 60 ended "$suspend"
	check "$fs: before the copy has ended" kill -0 "$copy"
	dmsetup resume bpio-low
	check "$fs: the copy ends" wait "$copy"
	check_equal "$fs: with success" \
		"owrite status=SUCCESS info=16 written=$length" \
		"$(tail -n 1 "$tmp/said")"
	check "$fs: the bytes are right" cmp -n "$length" pieces b
	check_gained "$fs: by dm-kcopyd, through the lower volume" v \
		"bytes_kcopyd=$length"
}

run() {
	dmsetup create bpio-held --table \
		"0 $((volume_mib << 11)) linear $disk 0"
	live[held]=yes
	defer remove_volume held
	make_volume low "$(volume held)" 0 any_storage offload kcopyd
	setup_volume v "$fs" "$(volume low)"
	cd "$tmp/v"
	if make_pieces v $((2 * blocks)) "$fs: a copy of many pieces"; then
		bpio-verify fill b 3 "$length"
		sync
		copy_and_suspend
	fi
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
	remove_volume low
	remove_volume held
}

on_each_fs run
finish
