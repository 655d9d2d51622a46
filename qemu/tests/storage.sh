# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after lib.sh by the tests of the storage layer.

# new_dm NAME TABLE: make a mapped device and remove it at the end.
new_dm() {
	dmsetup create "$1" --table "$2"
	defer remove_dm "$1"
}

remove_dm() { ! dmsetup info "$1" >/dev/null 2>&1 || dmsetup remove --retry "$1"; }

# refused TABLE: the constructor says no; its sentence is printed.
refused() {
	local mark

	mark=$(dmesg_mark)
	if dmsetup create refused --table "$1" 2>/dev/null; then
		dmsetup remove refused
		return 1
	fi
	dmsetup remove refused 2>/dev/null || true
	dmesg_since "$mark" | sed -n 's/.*: bpio: \(.*\) (-[0-9A-Z]*)$/\1/p'
}

# reload_dm NAME TABLE: a new table, live when this returns.
reload_dm() {
	dmsetup suspend "$1"
	dmsetup load "$1" --table "$2"
	dmsetup resume "$1"
}

# words NAME KEY...: of dmsetup status, the first target.
words() {
	local status key out=()

	status=$(dmsetup status "$1")
	shift
	for key; do
		[[ $status =~ \ $key=([^[:space:]]*) ]] || BASH_REMATCH=("" "")
		out+=("${BASH_REMATCH[1]}")
	done
	echo "${out[*]}"
}

# storage DEVICE OP...: what bpio-ctl prints for each
storage() {
	local device=$1

	shift
	bpio-ctl /dev/bpio "device:$device" "$@"
}
enable() { storage "/dev/mapper/$1" kernel senable; }
disable() { storage "/dev/mapper/$1" kernel sdisable; }
query() { storage "/dev/mapper/$1" squery; }

# verdict, on standard input a reply: who objects, or "clean"
verdict() {
	sed -n -e 's/.* result=SUCCESS driver= reason=$/clean/p;t' \
		-e 's/.* result=\([^ ]*\) driver=\(.*\) reason=.*/\1 \2/p'
}
reason() { sed -n 's/.* reason=//p'; }
