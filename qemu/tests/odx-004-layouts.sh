#!/bin/bash
# purpose: copies between files of every layout, place and length
# fs: ext4 xfs
# quick: stock:ext4
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

# Offsets and lengths that are no multiples of the file system's block.
unaligned() {
	local from to length

	while read -r from to length; do
		bpio-verify fill d 9 1M
		if ! bpio-ctl src oread:$from:$length open:d owrite:$to:$length |
			grep -q "owrite status=SUCCESS info=16 written=$length\$" ||
			! cmp -n $length -i $from:$to src d ||
			! bpio-verify check -l $to d 9 ||
			! bpio-verify check -o $((to + length)) d 9; then
			not_ok "$what: $length bytes from $from to $to"
		fi
	done <<-END
	512 1536 512
	512 512 4096
	0 512 4096
	4096 0 512
	4096 4096 7680
	3584 4608 1024
	1024 66048 130560
	512 0 524288
	0 512 1000448
	END
	ok "$what: any sectors"
}

# The source's tail at its end, and the destination's.
tails() {
	bpio-verify fill t1 1 100100
	bpio-verify fill t2 9 100100
	bpio-ctl t1 oread:0:100100 open:t2 owrite:0:100100 >"$tmp/said"
	check_equal "$what: the tail at the end of the file" \
		"owrite status=SUCCESS info=16 written=100100" \
		"$(tail -n 1 "$tmp/said")"
	rule 137 check "$what: the bytes are right" bpio-verify check t2 1
	rule 134 check_equal "$what: the size is the same" 100100 "$(stat -c %s t2)"
	truncate -s 200000 t2
	check "$what: past the old end there are zeros" \
		cmp -n 99900 -i 100100:0 t2 /dev/zero
	umount_volume v
	mount_volume v
	cd "$tmp/v"
	check "$what: on the device as well" \
		cmp -n 99900 -i 100100:0 t2 /dev/zero
	# a source that is longer: its bytes do not come in behind the end
	bpio-verify fill t2 9 100100
	bpio-ctl src oread:0:512K open:t2 owrite:0:512K >"$tmp/said"
	rule 134 check_equal "$what: from a longer source: up to the last block" \
		"owrite status=SUCCESS info=16 written=100352 100100" \
		"$(tail -n 1 "$tmp/said") $(stat -c %s t2)"
	truncate -s 200000 t2
	check "$what: there are no bytes of it behind the end" \
		cmp -n 99900 -i 100100:0 t2 /dev/zero
	check "$what: and its bytes up to there" \
		bpio-verify check -l 100096 t2 1
}

# At most 64 extents in a token; a destination has as many as it likes.
fragments() {
	local end64 end65

	make_pieces v 120 "$what" || return 0
	end64=$(bpio-verify extents pieces 64)
	end65=$(bpio-verify extents pieces 65)
	rm -f d
	fallocate -l 1M d
	rule 126 answers "$what: 64 extents in one token, not 65" \
		pieces oread:0:$end64 save:"$tmp/t" oread:0:$end65 \
		oread:4096:$((end65 - 4096)) open:d load:"$tmp/t" \
		owrite:0:$end64 <<-END
	oread status=SUCCESS info=528 transfer=$end64 flags=0 token=bpio
	oread status=OFFLOAD_READ_FILE_NOT_SUPPORTED info=0
	oread status=SUCCESS info=528 transfer=$((end65 - 4096)) flags=0 \
token=bpio
	owrite status=SUCCESS info=16 written=$end64
	END
	check "$what: the bytes are right" bpio-verify check -l $end64 d 1
	xfs_io -c "pwrite -q -b 4k 0 480k" pieces >/dev/null
	bpio-ctl src oread:0:480K open:pieces owrite:0:480K >"$tmp/said"
	check "$what: into fragments" bpio-verify check pieces 1
	check "$what: and nowhere else" bpio-verify check others 2
	bpio-verify check -e -b 64K pieces 1
	begin v
	check "$what: bypassed reads of fragments" \
		bpio-verify check -e -E uring -b 480K pieces 1
	check_gained "$what: by the full path" v full_reads=1 mapped_reads=0
	rm -f pieces others
}

volume_of() { # WHAT TYPE MKFS-ARG...
	what=$1
	fs=$2
	shift 2
	make_volume v "$disk"
	poison "$(volume v)" 96M
	make_fs "$fs" "$(volume v)" "$@"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill src 1 1M
}

over() {
	umount_volume v
	check "$what: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

for kind in $BPIO_FS; do
	volume_of $kind $kind
	unaligned
	tails
	fragments
	over
done
volume_of "ext4 of 1 KiB blocks" ext4 -b 1024
unaligned
tails
over
volume_of "ext4 without extents" ext4 -O ^extents,^64bit
unaligned
over

# What goes by way of the cache is no source; a destination it may be.
volume_of "data=journal" ext4
bpio-verify fill d 9 1M
bpio-ctl src oread:0:1M:600000 save:"$tmp/t" >/dev/null
umount_volume v
mount_volume v 'lower=ext4,lowerdata="data=journal"'
cd "$tmp/v"
answers "data=journal: no source, but a destination" \
	src oread:0:1M open:d load:"$tmp/t" owrite:0:1M <<-END
oread status=OFFLOAD_READ_FILE_NOT_SUPPORTED info=0
owrite status=SUCCESS info=16 written=1048576
END
check "data=journal: the bytes are right" bpio-verify check d 1
answers "data=journal: zeros" d zeroA owrite:0:64K <<-END
owrite status=SUCCESS info=16 written=65536
END
check "data=journal: they are" cmp -n 65536 d /dev/zero
check "data=journal: and nowhere else" bpio-verify check -o 64K d 1
umount_volume v
mount_volume v
cd "$tmp/v"
check "data=journal: on the device as well" bpio-verify check -o 64K d 1
over

# A file in its inode is refused. With more than fits there it has blocks.
volume_of "inline data" ext4 -O inline_data -I 256
inline() { # SIZE ANSWER
	head -c 60 /dev/zero | tr '\0' x >inline
	truncate -s "$1" inline
	bpio-ctl src oread:0:64K open:inline owrite:0:64K >"$tmp/said"
	check_equal "inline data, $1" "$2" "$(tail -n 1 "$tmp/said")"
}
inline 60 "owrite status=OFFLOAD_WRITE_FILE_NOT_SUPPORTED info=0"
check "inline data, 60: untouched" \
	test "$(head -c 60 inline | tr -d x | wc -c) $(wc -c <inline)" = "0 60"
inline 64K "owrite status=SUCCESS info=16 written=65536"
check "inline data, 64K: the bytes are right" bpio-verify check inline 1
over

# Shared blocks: made below, where bpiofs has no part in it yet.
what="reflinked"
fs=xfs
make_volume v "$disk"
make_fs xfs "$(volume v)"
mkdir -p "$tmp/v"
mount "$(volume v)" "$tmp/v"
mounted[v]=yes
cd "$tmp/v"
bpio-verify fill src 1 1M
cp --reflink=always src shared
bpio-verify fill old 9 1M
cp --reflink=always old d
cp --reflink=always old d2
umount_volume v
mount_volume v
cd "$tmp/v"
answers "reflinked source and destination" shared mark:v oread:0:1M open:d \
	owrite:0:1M gain:bytes_nvme open:d2 owrite:512:1000K:512 <<-END
oread status=SUCCESS info=528 transfer=1048576 flags=0 token=bpio
owrite status=SUCCESS info=16 written=1048576
gain bytes_nvme=1048576
owrite status=SUCCESS info=16 written=1024000
END
check "reflinked: the destination has the source's bytes" bpio-verify check d 1
check "reflinked: who shared its blocks does not" bpio-verify check old 9
check "reflinked: in part: there" bpio-verify check -o 512 -l 1000K d2 1
check "reflinked: in part: not before" bpio-verify check -l 512 d2 9
check "reflinked: in part: not behind" bpio-verify check -o 1001K d2 9
check "reflinked: the bypass reads shared blocks" \
	bpio-verify check -e -E uring shared 1
over
finish
