#!/bin/bash
# purpose: a 32-bit caller gets what a 64-bit one does
# quick: stock debug
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

program=$BPIO_BUILD/tests/bpio-compat
[ -x "$program" ] || skip "the compiler makes no 32-bit programs"
status=0
"$program" 2>/dev/null || status=$?
[ $status -eq 2 ] || skip "the kernel runs no 32-bit programs"
setup_volume v ext4 "$disk"
cd "$tmp/v"
bpio-verify fill a 1 64K
status=0
"$program" a || status=$?
rule 17 check_equal "the steps of a 32-bit caller" 0 "$status"
umount_volume v
check "in order afterwards" fsck_volume v ext4
remove_volume v
finish
