#!/bin/bash
# purpose: a bypassed read whose memory lies on another volume, and both are suspended
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs
#
# The reader sleeps in a page fault, inside the gate of its volume, until the other
# volume is resumed. To suspend its own volume waits for it, and must not keep the
# other one from being resumed.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

cat >"$tmp/read.py" <<'END'
import ctypes, fcntl, mmap, os, sys
path, memory, length = sys.argv[1], sys.argv[2], int(sys.argv[3])
other = os.open(memory, os.O_RDWR)
area = mmap.mmap(other, length)
fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
print("ready", flush=True)
sys.stdin.read()
print("read", os.preadv(fd, [area], 0))
END

run() {
	local blocks=512 reader suspend resume

	setup_volume v "$fs" "$disk" 0
	umount_volume v
	mount_volume v bypassio=auto
	cd "$tmp/v"
	if make_pieces v "$blocks" "$fs: a read in many bios"; then
		# where it lies is known from now on
		bpio-verify check -e pieces 1
		truncate -s 0 "$tmp/o/memory"
		head -c $((blocks * 4096)) /dev/zero >"$tmp/o/memory"
		sync
		begin v
		[ -p "$tmp/go" ] || mkfifo "$tmp/go"
		exec /usr/bin/python3 "$tmp/read.py" pieces "$tmp/o/memory" \
			$((blocks * 4096)) <"$tmp/go" >"$tmp/said" &
		reader=$!
		exec {go}>"$tmp/go"
		wait_for 60 grep -q ready "$tmp/said"
		echo 1 >/proc/sys/vm/drop_caches
		dmsetup suspend bpio-o
		exec {go}>&-
		wait_for 60 sleeps_in "$reader" filemap_fault ||
			fail "$fs: the reader asks for no memory"
		exec dmsetup suspend bpio-v &
		suspend=$!
		wait_for 60 sleeps_or_ended "$suspend" bpio_gate_drain || true
		check "$fs: to suspend its volume waits for the read" \
			sleeps_in "$suspend" bpio_gate_drain
		exec dmsetup resume bpio-o &
		resume=$!
		check "$fs: to resume the other volume does not" \
			wait_for 60 ended "$resume"
		check "$fs: then its volume is suspended" wait "$suspend"
		check "$fs: and the read has ended" wait "$reader"
		dmsetup resume bpio-v
		check_equal "$fs: all is read" "read $((blocks * 4096))" \
			"$(tail -n 1 "$tmp/said")"
		check "$fs: the bytes are right" cmp pieces "$tmp/o/memory"
		check_gained "$fs: by a bypassed read" v full_reads=1
	fi
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

setup_volume o ext4 "$disk2"
on_each_fs run
finish
