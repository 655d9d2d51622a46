# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after bpio.sh by the tests of bpioctl: what a command says and how it
# ends, to the byte.

need_program bpioctl

# says TEXT STATUS BPIOCTL-ARG... <<END: its exit status and standard output;
# behind that, after "! ", standard error.
says() {
	local text=$1 want=$2 got=0

	shift 2
	# shellcheck disable=SC2154 # of lib.sh
	cat >"$tmp/expected"
	bpioctl "$@" >"$tmp/said" 2>"$tmp/complained" || got=$?
	sed 's/^/! /' "$tmp/complained" >>"$tmp/said"
	if [ "$got" -eq "$want" ] && cmp -s "$tmp/expected" "$tmp/said"; then
		ok "$text"
	else
		diff -u "$tmp/expected" "$tmp/said" || true
		not_ok "$text: status $got, expected $want"
	fi
}

# stop PID: something in the background, unless it has ended
stop() {
	kill "$1" 2>/dev/null || return 0
	wait "$1" 2>/dev/null || true
}
