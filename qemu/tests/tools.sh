# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after bpio.sh by the tests of bpioctl: what a command says and how it
# ends, to the byte.

need_program bpioctl

# says TEXT STATUS BPIOCTL-ARG... <<END: its exit status and standard output;
# behind that, after "! ", standard error.
says() {
	local text=$1 want=$2 got=0 expected='' said line

	shift 2
	IFS= read -rd '' expected || true
	# shellcheck disable=SC2154 # of lib.sh
	bpioctl "$@" >"$tmp/said" 2>"$tmp/complained" || got=$?
	while IFS= read -r line || [ "$line" ]; do
		echo "! $line"
	done <"$tmp/complained" >>"$tmp/said"
	IFS= read -rd '' said <"$tmp/said" || true
	if [ "$got" -eq "$want" ] && [ "$said" = "$expected" ]; then
		ok "$text"
	else
		diff -u <(printf %s "$expected") "$tmp/said" || true
		not_ok "$text: status $got, expected $want"
	fi
}

# stop PID: something in the background, unless it has ended
stop() {
	kill "$1" 2>/dev/null || return 0
	wait "$1" 2>/dev/null || true
}
