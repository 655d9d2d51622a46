#!/bin/bash
# purpose: what suspends a stream's bypass, and that it comes back
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# timeout: 240
#
# Cached users, mappings, holes, unwritten ranges, sparse files, failing
# bypassed reads; bypassio=auto. An encrypted file cannot be opened: its key
# would have to be added below. KUnit has that row of the table.
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

enabled="enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= \
reason="

cached() {
	rule 99 answers "$fs: a cached reader suspends the bypass until it closes" \
		a enable mark:v read:0:4096 open:a:rb read:0:4096 use:0 \
		read:0:4096 gain:full_reads:why_cached_users show:active_count \
		use:1 close use:0 read:0:4096 \
		gain:full_reads:why_cached_users <<-END
	$enabled
	read 4096
	read 4096
	read 4096
	gain full_reads=1 why_cached_users=1
	show active_count=1
	read 4096
	gain full_reads=2 why_cached_users=1
	END
	rule 100 answers "$fs: a mapping does, until it is gone, not only its descriptor" \
		a enable mark:v open:a:rb mmap:8192 close use:0 read:0:4096 \
		gain:full_reads:why_cached_users munmap read:0:4096 \
		gain:full_reads <<-END
	$enabled
	mmap 66
	read 4096
	gain full_reads=0 why_cached_users=1
	munmap 0
	read 4096
	gain full_reads=1
	END
	answers "$fs: what a cached writer wrote is read, cached or not" \
		w:dcrw write:0:64K:65 enable read:0:4096 open:w:rwb \
		write:8192:4096:66 use:0 read:8192:4096:"$tmp/r1" use:1 close \
		use:0 mark:v read:8192:4096:"$tmp/r2" gain:full_reads <<-END
	write 65536
	$enabled
	read 4096
	write 4096
	read 4096
	read 4096
	gain full_reads=1
	END
	head -c 4096 /dev/zero | tr '\0' B >"$tmp/want"
	check "$fs: while it is open" cmp "$tmp/want" "$tmp/r1"
	check "$fs: and through the bypass afterwards" cmp "$tmp/want" "$tmp/r2"
	begin v
	dd if=a of=/dev/null bs=64K status=none
	check "$fs: a file that was read by dd" bpio-verify check -e a 1
	check_gained "$fs: is bypassed" v "full_reads>3" why_cached_users=0
}

holes() {
	rm -f hole
	truncate -s 1M hole
	bpio-verify fill hole 5 64K 1 0
	bpio-verify fill hole 5 64K 1 524288
	truncate -s 1M hole
	rule 29 33 answers "$fs: a sparse file: vetoed on ENABLE and QUERY" \
		hole enable query query:1 info disable mark:v read:0:4096 <<-END
	enable status=SUCCESS info=352 op=1 flags=8 \
result=SPARSE_FILE_NOT_SUPPORTED driver=bpiofs.ko reason=Sparse file not \
supported
	query status=SUCCESS info=352 op=3 flags=8 \
result=SPARSE_FILE_NOT_SUPPORTED driver=bpiofs.ko reason=Sparse file not \
supported
	query status=SUCCESS info=352 op=3 flags=0 \
result=SPARSE_FILE_NOT_SUPPORTED driver=bpiofs.ko reason=Sparse file not \
supported
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	disable status=SUCCESS info=24 op=2 flags=0
	read 4096
	END
	# made sparse, or not written to, after ENABLE
	rm -f late
	bpio-verify fill late 6 1M
	begin v
	answers "$fs: a hole punched under an enabled open" late enable \
		read:0:1M punch:64K:128K mark:v read:0:1M:"$tmp/r1" \
		gain:traditional_reads:why_sparse read:256K:64K gain:full_reads \
		write:64K:128K:67 read:0:256K gain:full_reads:traditional_reads \
		disable <<-END
	$enabled
	read 1048576
	punch 0
	read 1048576
	gain traditional_reads=1 why_sparse=1
	read 65536
	gain full_reads=0
	write 131072
	read 262144
	gain full_reads=1 traditional_reads=2
	disable status=SUCCESS info=24 op=2 flags=0
	END
	check "$fs: the hole reads as zeros" \
		cmp -n 131072 -i 0:65536 /dev/zero "$tmp/r1"
	rm -f pre
	fallocate -l 1M pre
	answers "$fs: a preallocated file: enabled, zeros, then its data" \
		pre mark:v enable read:0:1M:"$tmp/r1" \
		gain:full_reads:why_not_mapped write:0:64K:68 \
		read:0:64K:"$tmp/r2" gain:full_reads trunc:2M \
		read:1M:1M:"$tmp/r3" gain:full_reads <<-END
	$enabled
	read 1048576
	gain full_reads=0 why_not_mapped=1
	write 65536
	read 65536
	gain full_reads=1
	trunc 0
	read 1048576
	gain full_reads=1
	END
	check "$fs: unwritten: zeros, not what lay there" \
		cmp -n 1048576 /dev/zero "$tmp/r1"
	check "$fs: written: the data" \
		cmp -n 65536 "$tmp/r2" <(head -c 64K /dev/zero | tr '\0' D)
	check "$fs: lengthened: zeros" cmp -n 1048576 /dev/zero "$tmp/r3"
}

# The reader sees right data whatever the bypassed read does.
faults() {
	local engine

	for engine in sync aio uring fixed; do
		message v fault bypass_read every 2
		begin v
		check "$fs: every second bypassed read fails: $engine" \
			bpio-verify check -e -E "$engine" -q 8 -b 16K a 1
		check_gained "$fs: read again on the traditional path: $engine" \
			v "why_io_error>30" "traditional_reads>30" "full_reads>30"
		message v fault clear
	done
	message v fault bypass_read times 3 status STATUS_IO_TIMEOUT
	begin v
	check "$fs: the first three fail" bpio-verify check -e -b 16K a 1
	check_gained "$fs: no more than three" v why_io_error=3
}

auto() {
	umount_volume v
	mount_volume v bypassio=auto
	cd "$tmp/v"
	bpio-ctl a read:0:4096 >/dev/null
	answers "$fs: bypassio=auto: every O_DIRECT open for reading" \
		a mark:v read:0:4096 gain:full_reads show:active_count \
		open:a:w show:active_count open:a:rb show:active_count read:0:4096 \
		use:0 close show:active_count open:a:r disable read:0:4096 \
		gain:full_reads:why_not_enabled <<-END
	read 4096
	gain full_reads=1
	show active_count=1
	show active_count=1
	show active_count=1
	read 4096
	show active_count=0
	disable status=SUCCESS info=24 op=2 flags=0
	read 4096
	gain full_reads=1 why_not_enabled=2
	END
	begin v
	dd if=a of="$tmp/r1" bs=64K iflag=direct status=none
	check "$fs: auto: dd reads the right bytes" cmp a "$tmp/r1"
	check_gained "$fs: auto: by the full path" v "full_reads>60"
}

run() {
	make_volume v "$disk"
	poison "$(volume v)" 96M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill a 1 4M
	bpio-verify check -e a 1
	cached
	holes
	faults
	auto
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
