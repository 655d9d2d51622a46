#!/bin/bash
# purpose: a copy beside another writer of its destination, and of a source that
# fs: ext4 xfs
# quick: stock:ext4
#	is truncated meanwhile: nothing is lost, nothing is made up
# needs: prog=xfs_io
# timeout: 300
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

m=1048576
has_gained() { [ "$(gained v "$1")" -gt 0 ]; }

# start_copy POINT FAULT COUNTER [ARG]: of src to dst, $pid; on return it waits
# in the fault.
start_copy() {
	rm -f dst
	message v fault $1 delay_ms 4000 times 1 $2
	begin v
	xfs_io -ft -c "copy_range ${4-} src" dst &
	pid=$!
	wait_for 20 has_gained $3 || fail "no copy has begun"
}

# end_copy TEXT: it has not gone on before what was done meanwhile.
end_copy() {
	check "$1: while the copy waits" kill -0 $pid
	wait $pid
	message v fault clear
}

# The copy fails at first, and goes another way.
beside_a_writer() {
	bpio-verify fill src 1 8M
	sync -f .
	rm -f "$tmp/want"
	truncate -s 1M "$tmp/want"
	head -c 4096 /dev/zero | tr '\0' B >>"$tmp/want"
	truncate -s 4M "$tmp/want"
	cat src >>"$tmp/want"
	start_copy offload_write "status 0xC0000185" offload_writes "-d 4m"
	check_equal "$fs: an offload under way shows no size of its own" 0 \
		"$(stat -c %s dst)"
	xfs_io -c "pwrite -q -S 0x42 1m 4k" -c fsync dst
	end_copy "$fs: another writer before the copy's range"
	check "$fs: its data and the copy are there" cmp dst "$tmp/want"
}

# Into the second half of a file: others write behind its old end.
at_the_end() {
	bpio-verify fill src 1 8M
	sync -f .
	start_copy offload_write "bytes 1048576 status 0xC0000185" \
		offload_writes
	xfs_io -c "pwrite -q -S 0x42 9m 4k" -c fsync dst
	end_copy "$fs: another writer behind the copy's range"
	cp src "$tmp/want"
	truncate -s 9M "$tmp/want"
	head -c 4096 /dev/zero | tr '\0' B >>"$tmp/want"
	check "$fs: its data and the copy are there" cmp dst "$tmp/want"
}

# cut_to SIZE POINT COUNTER WANT: the source has data up to 1 MiB, a hole up to
# 2 MiB, data up to 8 MiB.
cut_to() {
	rm -f src
	bpio-verify fill src 1 8M
	fallocate -p -o 1M -l 1M src
	sync -f .
	cat src >"$tmp/whole"
	start_copy $2 "" $3
	truncate -s $1 src
	end_copy "$fs: the source is cut to $1"
	check_equal "$fs: a short count: no more than there was" "$4" \
		"$(stat -c %s dst)"
	check "$fs: with the bytes that were there" cmp -n "$4" dst "$tmp/whole"
	check_gained "$fs: by tokens" v copy_splice_bytes=0 copy_shared_bytes=0
}

run() {
	setup_volume v "$fs" "$disk"
	cd "$tmp/v"
	beside_a_writer
	at_the_end
	# the first piece, up to the hole, is on its way
	cut_to 0 copy offload_writes $m
	cut_to $((m + 500000)) copy offload_writes $((m + 500000))
	cut_to $((5 * m + 700)) copy offload_writes $((5 * m + 700))
	# it is about to be read
	cut_to $((m - 100)) offload_read offload_reads $((m - 100))
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
