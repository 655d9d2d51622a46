#!/bin/bash
# purpose: a file that needs a filter does not open without it, and is not damaged
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
# needs: module=bpio-flt-crypt module=bpio-flt-test prog=python3
# shellcheck disable=SC2154,SC2016 # $tmp of lib.sh; programs
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/crypt.sh
. "$(dirname "$0")/crypt.sh"

no_key="Required key not available"
python=/usr/bin/python3

# attribute PYTHON: a call of os, such as setxattr("a", "trusted.x", b"")
attribute() { "$python" -c "import os; os.$1"; }

# nothing TEXT: every way to the data of a is refused
nothing() {
	local mark

	mark=$(dmesg_mark)
	fails "$fs: $1: a read" "$no_key" cat a
	fails "$fs: $1: a direct read" "$no_key: 'a'" \
		"$python" -c 'import os; os.open("a", os.O_RDONLY | os.O_DIRECT)'
	fails "$fs: $1: appending" "$no_key" bash -c 'echo x >>a'
	fails "$fs: $1: O_TRUNC" "$no_key" bash -c ': >a'
	fails "$fs: $1: truncate(2)" "$no_key: 'a'" \
		"$python" -c 'import os; os.truncate("a", 100)'
	fails "$fs: $1: a copy onto it" "$no_key" cp b a
	check "$fs: $1: the log names the file and the mark" \
		grep -q "inode $(stat -c %i a) (a) has the mark trusted.bpio.crypt: attach the filter bpio-flt-crypt" \
		<(dmesg_since "$mark")
}

# Names and attributes do not need the data.
others() {
	check_equal "$fs: its size" 100003 "$(stat -c %s a)"
	check "$fs: it is renamed, linked, touched and removed" sh -c \
		'mv a c && ln c a && chmod 600 a && touch -d @1 a && rm c'
	check "$fs: another file is as usual" bash -c \
		'cmp b "$1" && echo x >>b && truncate -s 100003 b' - "$tmp/text"
}

without() {
	head -c 100003 <(yes 'This is clear text.') >"$tmp/text"
	cp "$tmp/text" a
	cp "$tmp/text" b
	quietly a "$encrypt"
	hold_open h a
	fails "$fs: while it is open the filter stays" "Device or resource busy" \
		detach_crypt
	check "$fs: so that it is read as before" cmp a "$tmp/text"
	let_go h
	detach_crypt
	nothing "detached"
	others
	umount_volume v
	mount_volume v
	cd "$tmp/v"
	nothing "mounted without"
	attach_crypt
	check "$fs: attached: every byte is there" cmp a "$tmp/text"
	echo y >>a
	echo y >>"$tmp/text"
	check "$fs: and it is appended to" cmp a "$tmp/text"
	quietly a "$decrypt"
	detach_crypt
	check "$fs: decrypted: it opens without" cmp a "$tmp/text"
}

# The mechanism is not that of one filter.
any_filter() {
	check_equal "$fs: another mark: opens before" x "$(cat any)"
	attribute 'setxattr("any", "trusted.bpio.any", b"value")'
	fails "$fs: another mark: not any more" "$no_key" cat any
	attribute 'setxattr("any", "trusted.more", bytes(9))'
	attribute 'setxattr("any", "user.'"$(printf '%0150d' 1)"'", b"")'
	fails "$fs: another mark: nor among many attributes" "$no_key" cat any
	echo "any 100000 0xf fsctl" >/sys/module/bpio_flt_test/parameters/add
	echo any >"$(volume_dir v)/attach"
	check "$fs: another mark: with its filter" grep -qx x any
	echo any >"$(volume_dir v)/detach"
	fails "$fs: another mark: without it" "$no_key" cat any
	attribute 'removexattr("any", "trusted.bpio.any")'
	check "$fs: another mark: removed" grep -qx x any
	echo any >/sys/module/bpio_flt_test/parameters/remove
}

run() {
	make_volume v "$disk"
	make_fs "$fs" "$(volume v)"
	mount_crypt
	without
	echo x >any
	any_filter
	cd /
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

load_module bpio-flt-test
defer unload_module bpio-flt-test
on_each_fs run
finish
