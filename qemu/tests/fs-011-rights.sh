#!/bin/bash
# purpose: control codes and offloaded copies ask for the rights of a write
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs stock-6.12:ext4
# needs: module=bpio-flt-crypt prog=setfattr
#
# Append-only handles and files are not overwritten, and set-user-ID goes as it
# does by a write.
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

# What a file system does at each write by somebody without CAP_FSETID.
privileged() { # FILE
	truncate -s 0 "$1"
	bpio-verify fill "$1" 9 2M
	chown 0:65534 "$1"
	chmod 6775 "$1"
	setfattr -n security.capability \
		-v 0x0100000220000000000000000000000000000000 "$1"
}

mode_of() {
	local caps=none

	getfattr -n security.capability "$1" >/dev/null 2>&1 && caps=some
	echo "$(stat -c %a "$1") $caps"
}

# copies TEXT SOURCE FROM TO LENGTH WAY
copies() {
	privileged tool
	begin v
	nobody xfs_io -c "copy_range -s $3 -d $4 -l $5 $2" tool
	check_gained "$fs: $1" v "$6>0"
	check_equal "$fs: $1: set-user-ID, set-group-ID, capabilities are gone" \
		"775 none" "$(mode_of tool)"
}

set_user_id() {
	local at

	bpio-verify fill data 1 1M
	truncate -s 1M hole
	chmod 644 data hole
	copies "a hole copied over data" hole 0 64K 512K copy_hole_bytes
	copies "a hole copied behind the end" hole 0 4M 512K copy_hole_bytes
	copies "data copied" data 0 64K 512K copy_offload_bytes
	copies "data copied behind the end" data 0 4M 512K copy_offload_bytes
	privileged tool
	nobody bpio-ctl data:r oread:0:64K open:tool:wb owrite:0:64K \
		>"$tmp/said"
	check_equal "$fs: offload write: set-user-ID goes" "775 none" \
		"$(mode_of tool)"
	privileged tool
	nobody bpio-ctl tool:wb zeroA owrite:0:64K >"$tmp/said"
	check_equal "$fs: offload write of zeros: set-user-ID goes" "775 none" \
		"$(mode_of tool)"
	for at in 64K 4M; do
		privileged tool
		begin v
		xfs_io -c "copy_range -s 0 -d $at -l 512K hole" tool
		check_gained "$fs: root: a hole copied at $at" v \
			copy_hole_bytes=524288
		check_equal "$fs: with CAP_FSETID it stays, as by a write" \
			"6775 none" "$(mode_of tool)"
	done
	privileged tool
	chown 65534 tool
	setfattr -n security.capability \
		-v 0x0100000220000000000000000000000000000000 tool
	check "$fs: an owner truncates a file with capabilities" \
		nobody truncate -s 1M tool
	check_equal "$fs: which go" none "$(mode_of tool | cut -d ' ' -f 2)"
}

run() {
	setup_volume v "$fs" "$disk"
	chmod 755 "$tmp" "$tmp/v"
	attach_crypt
	cd "$tmp/v"
	append_only
	detach_crypt
	set_user_id
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
