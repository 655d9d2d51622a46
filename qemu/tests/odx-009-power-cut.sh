#!/bin/bash
# purpose: power cuts during offloaded copies: what the disk holds at each flush
# fs: ext4 xfs
# quick: stock:ext4
# needs: prog=bpio-replay prog=xfs_io
# timeout: 240
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

# dm-log-writes keeps a journal of what reaches the disk, on the other one,
# behind which lies the disk as it was, to be written to again. Its writes are
# those of dm-kcopyd: NVMe Copy would go past it.
m=1048576
cuts=${BPIO_SOAK:+1000}
cuts=${cuts:-6}

drop() { [ ! -e "/dev/mapper/$1" ] || dmsetup remove --retry "$1"; }

set_up() {
	sectors=$((volume_mib << 11))
	make_volume v "$disk"
	poison "$(volume v)" 96M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill src 1 2M
	bpio-verify fill over 9 2M
	fallocate -l 2M "prepared"
	remove_volume v
	dd if="$disk" of="$disk2" bs=1M count=$volume_mib seek=1024 \
		conv=fsync status=none

	dmsetup create log --table "0 $sectors log-writes $disk $disk2"
	defer drop log
	make_volume v /dev/mapper/log 0 any_storage
	mount_volume v
}

# Each of these may be cut anywhere.
work() {
	cd "$tmp/v"
	begin v
	bpio-ctl src oread:0:2M open:over owrite:0:2M open:prepared \
		owrite:0:1M >/dev/null
	sync -f .
	bpio-ctl src oread:0:2M open:prepared owrite:1M:1M:1M >/dev/null
	xfs_io -fc "copy_range src" -c fsync fresh
	xfs_io -fc "copy_range -s 1m -d 1m -l 1m src" part
	check_gained "$fs: offloaded, by way of the log" v \
		bytes_kcopyd=$((7 * m)) bytes_nvme=0 copy_splice_bytes=0
	remove_volume v
	drop log
}

# What there is of a file: sectors of the source, or what they were before.
holds() {
	[ ! -s "$1" ] || bpio-verify check -z "$@"
}

look() {
	local n=0 first=0 last=0 bad=0 all=0 f

	# how many flushes there are, so as to look at some all along
	while last=$(bpio-replay "$disk2" /dev/null $last 2>/dev/null); do
		all=$((all + 1))
	done
	dmsetup create again --table "0 $sectors linear $disk2 $((1024 << 11))"
	defer drop again
	mkdir -p "$tmp/look"
	while last=$(bpio-replay "$disk2" /dev/mapper/again $first); do
		first=$last
		n=$((n + 1))
		[ $((n % ((all + cuts - 1) / cuts))) -eq 0 ] || continue
		truncate -s 64M /run/cow
		loop=$(losetup -f --show /run/cow)
		dmsetup create cut --table \
			"0 $sectors snapshot /dev/mapper/again $loop N 8"
		mount -t "$fs" /dev/mapper/cut "$tmp/look"
		for f in over prepared fresh part; do
			[ ! -e "$tmp/look/$f" ] ||
				holds "$tmp/look/$f" 1 9 >"$tmp/said" || {
				bad=$((bad + 1))
				note "$f: $(tail -n 1 "$tmp/said")"
			}
		done
		bpio-verify check "$tmp/look/src" 1 || bad=$((bad + 1))
		umount "$tmp/look"
		case $fs in
		ext4) e2fsck -fn /dev/mapper/cut ;;
		xfs) xfs_repair -n /dev/mapper/cut ;;
		esac >"$tmp/said" 2>&1 || {
			bad=$((bad + 1))
			note "$(tail -n 3 "$tmp/said" | tr '\n' ' ')"
		}
		drop cut
		losetup -d "$loop"
	done
	rm -f /run/cow
	check "$fs: $n flushes, the power cut at some of them: all in order" \
		test $bad -eq 0 -a $n -gt 5
	mount -t "$fs" /dev/mapper/again "$tmp/look"
	for f in over prepared fresh; do
		check "$fs: and at the end all of $f is there" \
			bpio-verify check "$tmp/look/$f" 1
	done
	umount "$tmp/look"
	drop again
}

run() {
	set_up
	work
	look
}

modprobe -q dm-log-writes || skip "the kernel has no dm-log-writes"
modprobe -a dm-snapshot loop
on_each_fs run
finish
