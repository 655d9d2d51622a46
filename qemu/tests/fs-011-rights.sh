#!/bin/bash
# purpose: control codes ask for the rights of a write
# needs: module=bpio-flt-crypt
# releases: all
#
# Append-only handles and files are not overwritten.
# shellcheck disable=SC2154 # $tmp and others of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/crypt.sh
. "$(dirname "$0")/crypt.sh"

ok64="oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio"
none="result=SUCCESS driver= reason="
denied="owrite status=ACCESS_DENIED info=0"

nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

append_only() {
	bpio-verify fill src 1 64K
	bpio-verify fill log 9 64K
	chmod 666 src log
	answers "$fs: an O_APPEND handle does not overwrite; a copy of it does" \
		src oread:0:64K open:log:wab owrite:0:64K owrite:0:0 \
		"$encrypt" open:log:wb owrite:0:64K <<-END
	$ok64
	$denied
	$denied
	raw status=ACCESS_DENIED info=0
	owrite status=SUCCESS info=16 written=65536
	END
	bpio-verify fill log 9 64K
	answers "$fs: nor does a handle that was opened before chattr +a" \
		src oread:0:64K open:log:wb sh:"chattr +a log" owrite:0:64K \
		"$encrypt" zeroA owrite:0:64K <<-END
	$ok64
	$denied
	raw status=ACCESS_DENIED info=0
	$denied
	END
	nobody bpio-ctl src:r oread:0:64K open:log:wab owrite:0:64K "$encrypt" \
		>"$tmp/said"
	check_equal "$fs: nor an ordinary user" \
		"$ok64;$denied;raw status=ACCESS_DENIED info=0" \
		"$(paste -sd';' "$tmp/said")"
	check "$fs: the log is what it was" bpio-verify check log 9
	chattr -a log
	answers "$fs: a file that has become immutable is not encrypted" \
		log:b sh:"chattr +i log" "$encrypt" sh:"chattr -i log" \
		query:1 <<-END
	raw status=ACCESS_DENIED info=0
	query status=SUCCESS info=352 op=3 flags=0 $none
	END
	check "$fs: and is what it was" bpio-verify check log 9
}

run() {
	setup_volume v "$fs" "$disk"
	chmod 755 "$tmp" "$tmp/v"
	attach_crypt
	cd "$tmp/v"
	append_only
	detach_crypt
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs xfs run
finish
