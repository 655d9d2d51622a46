#!/bin/bash
# purpose: encryption when the device fails: all or nothing
# quick: debug
# needs: kernel=debug module=bpio-flt-crypt
# timeout: 240
# shellcheck disable=SC2154,SC2016 # $tmp of lib.sh; programs
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/crypt.sh
. "$(dirname "$0")/crypt.sh"

failing=/sys/kernel/debug/fail_make_request

# Of the file; each byte is read once and written once.
length=$((2 << 20))
length=$((length / scale))

# The device fails once: when so many bytes have gone to it, or come from it.
device() {
	local what=$1 bytes out good=0 bad=0

	shift
	for bytes; do
		sync
		echo 1 >/proc/sys/vm/drop_caches
		echo 100 >$failing/probability
		echo 1 >$failing/interval
		echo "$bytes" >$failing/space
		echo 1 >$failing/times
		out=$(bpio-ctl a "${!what}") || true
		echo 0 >$failing/times
		echo 0 >$failing/probability
		case $out in
		"$converted") good=$((good + 1)) ;;
		"raw status=UNSUCCESSFUL info=0") bad=$((bad + 1)) ;;
		*) not_ok "$what, $bytes bytes: $out" ;;
		esac
		if ! bpio-verify check -c a 1 >"$tmp/out"; then
			cat "$tmp/out"
			not_ok "$what, $bytes bytes: the data is wrong"
			return
		fi
		echo 1 >/proc/sys/vm/drop_caches
		bpio-verify check a 1 >"$tmp/out" ||
			not_ok "$what, $bytes bytes: the data is wrong later"
		[ "$out" = "$converted" ] || {
			[ "$what" = decrypt ] && is_encrypted a ||
				{ [ "$what" = encrypt ] && is_plain a; } ||
				not_ok "$what, $bytes bytes: half done"
		}
		# for the next
		if [ "$what" = encrypt ]; then
			quietly a "$decrypt"
		else
			quietly a "$encrypt"
		fi
	done
	check "$what: the device fails at $# places: $bad failed, $good went on" \
		test "$bad" -gt 0
}

# Without a journal, which would end the file system.
run_device() {
	local i places=()

	volume_mib=64
	make_volume v "$disk"
	make_fs ext4 "$(volume v)" -O ^has_journal
	mount_crypt
	bpio-verify fill a 1 $length
	echo 1 >"/sys/block/${disk##*/}/make-it-fail"
	defer bash -c 'echo 0 >"$1"' - "/sys/block/${disk##*/}/make-it-fail"
	# the last is more than there is, with what the file system adds
	for i in 7 24 48 60 72 84 95 101; do places+=($((2 * length * i / 100))); done
	device encrypt 0 4096 20000 65536 "${places[@]}"
	quietly a "$encrypt"
	device decrypt 0 4096 20000 65536 "${places[@]}"
	umount_volume v
	check "the file system is in order" fsck_volume v ext4
	remove_volume v
}

need_debug_kernel
run_device
finish
