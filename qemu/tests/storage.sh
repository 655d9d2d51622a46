# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after lib.sh by the tests of the storage layer.

# new_dm NAME TABLE: make a mapped device and remove it at the end.
new_dm() {
	dmsetup create "$1" --table "$2"
	defer remove_dm "$1"
}

# remove_dm NAME: if it is there
remove_dm() { [ ! -e "/dev/mapper/$1" ] || dmsetup remove --retry "$1"; }

# refused TABLE: the constructor says no; its sentence is printed.
refused() {
	local mark line

	mark=$(dmesg_mark)
	if dmsetup create refused --table "$1" 2>/dev/null; then
		dmsetup remove refused
		return 1
	fi
	# shellcheck disable=SC2154 # of lib.sh
	dmesg_since "$mark" >"$tmp/refused"
	while IFS= read -r line; do
		[[ ! $line =~ :\ bpio:\ (.*)\ \(-[0-9A-Z]*\)$ ]] ||
			echo "${BASH_REMATCH[1]}"
	done <"$tmp/refused"
}

# reload_dm NAME TABLE: a new table, live when this returns.
reload_dm() {
	dmsetup suspend "$1"
	dmsetup load "$1" --table "$2"
	dmsetup resume "$1"
}

# words NAME KEY...: of dmsetup status, the first target.
words() {
	# shellcheck disable=SC2034 # noted is set
	local said noted key out=()

	ask dmsetup status "$1"
	shift
	for key; do
		[[ $said =~ \ $key=([^[:space:]]*) ]] || BASH_REMATCH=("" "")
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
# enable NAME: ENABLE, sent to the mapped device; prints the reply
enable() { storage "/dev/mapper/$1" kernel senable; }
# disable NAME: DISABLE
disable() { storage "/dev/mapper/$1" kernel sdisable; }
# query NAME: QUERY
query() { storage "/dev/mapper/$1" squery; }

# verdict, on standard input a reply: who objects, or "clean"
verdict() {
	local line

	while IFS= read -r line; do
		[[ $line =~ \ result=([^ ]*)\ driver=(.*)\ reason=(.*)$ ]] ||
			continue
		if [ "${BASH_REMATCH[*]:1}" = "SUCCESS  " ]; then
			echo clean
		else
			echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
		fi
	done
}

# reason, on standard input a reply: the reason it gives
reason() {
	local line

	while IFS= read -r line; do
		[[ $line != *" reason="* ]] || echo "${line##* reason=}"
	done
}
