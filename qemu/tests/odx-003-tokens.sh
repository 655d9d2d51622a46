#!/bin/bash
# purpose: the life of a token: time, caps, changes of its source, revocation
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

ok64="oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio"
written="owrite status=SUCCESS info=16 written=65536"
dead="owrite status=INVALID_TOKEN info=0"

lifetime() {
	rule 141 answers "$fs: 500 ms of idleness kill, use keeps alive, 0 is the default" \
		a mark:v oread:0:64K:500 open:d sleep:2000 owrite:0:64K \
		gain:tokens_expired use:0 oread:0:64K:1500 use:1 sleep:800 \
		owrite:0:64K sleep:800 owrite:0:64K sleep:800 owrite:0:64K \
		use:0 oread:0:64K use:1 sleep:1000 owrite:0:64K \
		gain:tokens_expired <<-END
	$ok64
	$dead
	gain tokens_expired=1
	$ok64
	$written
	$written
	$written
	$ok64
	$written
	gain tokens_expired=1
	END
}

# Whatever changes the source: the token is dead, before the change is seen.
source_changes() {
	local how

	for how in write:0:4096:1 write:60K:4096:1 punch:0:4096 \
		"trunc:4096" sh:"dd if=/dev/zero of=s bs=4K count=1 conv=notrunc,fsync status=none" \
		sh:"fallocate -z -l 64K s"; do
		bpio-verify fill s 1 64K
		bpio-ctl d mark:v open:s oread:0:64K \
			"$how" fsync use:0 owrite:0:64K >"$tmp/said" 2>&1
		if ! grep -q "^$dead\$" "$tmp/said"; then
			# unwritten or freed, not overwritten: what was read stays
			if ! bpio-verify check -l 64K d 1; then
				not_ok "$fs: $how: $(cat "$tmp/said")"
				continue
			fi
			note "$fs: $how: the token lived, with the old data"
		fi
	done
	ok "$fs: a changed source kills the token, or its old data remain"
	# A file takes blocks of a deleted source: there is not room beside them.
	bpio-verify fill s 1 72M
	bpio-ctl s oread:0:64M save:"$tmp/t" unlink:s >/dev/null
	bpio-verify fill other 7 236M
	bpio-ctl d load:"$tmp/t" owrite:0:64K >"$tmp/said"
	check_equal "$fs: a deleted source whose blocks were reused is dead" \
		"$dead" "$(cat "$tmp/said")"
	check "$fs: and wrote nothing" bpio-verify check -l 64K d 1 9
	rm other
	bpio-verify fill s 1 64K
	rule 140 answers "$fs: a write beside the range, a second one inside it" \
		s mark:v oread:0:32K open:d use:0 write:32K:4096:3 use:1 \
		owrite:0:32K gain:tokens_invalidated use:0 \
		write:31K:512:3 use:1 owrite:0:32K \
		gain:tokens_invalidated <<-END
	oread status=SUCCESS info=528 transfer=32768 flags=0 token=bpio
	write 4096
	owrite status=SUCCESS info=16 written=32768
	gain tokens_invalidated=0
	write 512
	owrite status=INVALID_TOKEN info=0
	gain tokens_invalidated=1
	END
	bpio-verify fill s 1 64K
	bpio-ctl s oread:0:64K save:"$tmp/t" unlink:s fsync >/dev/null
	fstrim "$tmp/v" 2>/dev/null || xfs_io -c syncfs . || true
	bpio-ctl d load:"$tmp/t" owrite:0:64K >"$tmp/said"
	note "$fs: after a discard: $(cat "$tmp/said")"
	check "$fs: discarded: nothing foreign" bpio-verify check -z -l 64K d 1 9
	# onto itself: the destination of a copy is a write as well
	bpio-verify fill s 1 64K
	answers "$fs: a token written over its own source" \
		s oread:0:32K owrite:0:32K:0 oread:0:32K owrite:32K:32K \
		owrite:32K:32K <<-END
	oread status=SUCCESS info=528 transfer=32768 flags=0 token=bpio
	owrite status=INVALID_TOKEN info=0
	oread status=SUCCESS info=528 transfer=32768 flags=0 token=bpio
	owrite status=SUCCESS info=16 written=32768
	owrite status=SUCCESS info=16 written=32768
	END
}

caps() {
	answers "$fs: revoke; the next token is good" a mark:v oread:0:64K \
		open:d msg:revoke owrite:0:64K use:0 oread:0:64K use:1 \
		owrite:0:64K <<-END
	$ok64
	$dead
	$ok64
	$written
	END
	umount_volume v
	remove_volume v
	make_volume v "$disk" 0 max_tokens 3 token_ttl_ms 1500 \
		token_ttl_max_ms 2000
	mount_volume v
	cd "$tmp/v"
	answers "$fs: max_tokens 3: the fourth waits for one to expire" \
		a mark:v oread:0:64K oread:0:64K oread:0:64K oread:0:64K \
		show:tokens gain:tokens_refused+ sleep:4000 oread:0:64K \
		gain:tokens_expired <<-END
	$ok64
	$ok64
	$ok64
	oread status=INSUFFICIENT_RESOURCES info=0
	show tokens=3
	gain tokens_refused=some
	$ok64
	gain tokens_expired=3
	END
}

# More than die under one lock.
crowds() {
	local reads how

	reads=$(printf 'oread:0:64K %.0s' {1..150})
	for how in msg:revoke write:60K:4096:1; do
		bpio-verify fill a 1 64K
		check_equal "$fs: 150 tokens die by $how" \
			"show tokens=150 gain tokens_invalidated=150 show tokens=0" \
			"$(bpio-ctl a mark:v msg:revoke mark:v $reads show:tokens \
				$how gain:tokens_invalidated show:tokens |
				grep -E '^(show|gain) ' | tr '\n' ' ' | sed 's/ $//')"
	done
}

# Scripted faults of the read.
faults() {
	answers "$fs: offload_read fails, then is cut short" a mark:v \
		msg:"fault offload_read times 1 status STATUS_IO_TIMEOUT" \
		oread:0:64K oread:0:64K \
		msg:"fault offload_read times 1 bytes 8192" oread:0:64K \
		msg:"fault offload_read delay_ms 50 times 1" oread:0:64K <<-END
	oread status=IO_TIMEOUT info=0
	$ok64
	oread status=SUCCESS info=528 transfer=8192 flags=0 token=bpio
	$ok64
	END
}

run() {
	make_volume v "$disk"
	poison "$(volume v)" 96M
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill a 1 64K
	bpio-verify fill d 9 64K
	lifetime
	source_changes
	faults
	crowds
	caps
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
