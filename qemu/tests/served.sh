# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by lib.sh: bpio-ctl, bpio-verify and dmsetup as functions of the
# shell. One server, started by the first of them, does what the programs
# would do, since to start a program is what costs a guest most; see
# src/serve.c. They behave as the programs, but for this: a signal to a
# function in the background does not reach what it runs, and descriptors of
# the shell beyond 2 are not handed on. `command bpio-ctl ...` is the program.

# serve: starts the server of this shell and those below it.
serve() {
	# shellcheck disable=SC2154 # of lib.sh
	command bpio-ctl --serve "$tmp/.served" $$ || return
	serving=$tmp/.served
	# shellcheck disable=SC2034 # of pause
	exec {free_slots}<>"$serving/slots" {never}<>"$serving/never"
}

# by_program PROGRAM ARG...: is this for the program itself? A descriptor of
# the shell is named, or it is to be there until it is killed.
by_program() {
	[ -z "${serving-}" ] && return
	case " $*" in
	*" devfd="* | *" held:"*) ;;
	*) false ;;
	esac
}

# ask_raw PROGRAM ARG...: see ask; $said with the newline at its end
ask_raw() {
	local slot sizes

	if by_program "$@"; then
		sizes=0
		command "$@" >"$tmp/.said" 2>"$tmp/.noted" || sizes=$?
		IFS= read -rd '' said <"$tmp/.said" || true
		IFS= read -rd '' noted <"$tmp/.noted" || true
		return "$sizes"
	fi
	read -rN 2 slot <&"$free_slots"
	printf '%s\0' "$BASHPID" $# "$@" >"$serving/ask.${slot#0}"
	{
		read -rN 24 sizes
		read -rN "$((${sizes:7:8}))" said || true
		read -rN "$((${sizes:15:8}))" noted || true
	} <"$serving/said.${slot#0}"
	printf %s "$slot" >&"$free_slots"
	return "$((${sizes:0:7}))"
}

# ask PROGRAM ARG...: in place of said=$(PROGRAM ARG...), but without a fork;
# what it writes to standard error goes into $noted, too.
ask() {
	local status=0

	ask_raw "$@" || status=$?
	said=${said%$'\n'}
	printf %s "$noted" >&2
	return "$status"
}

# served PROGRAM ARG...: the server in the place of the program
served() {
	local said noted status=0

	if by_program "$@"; then
		command "$@"
		return
	fi
	ask_raw "$@" || status=$?
	if [ "$status" = 120 ]; then # the server does not know that word
		command "$@"
		return
	fi
	printf %s "$said"
	printf %s "$noted" >&2
	return "$status"
}

# bpio-ctl PATH WORD...: requests, files, volumes; see bpio-ctl --help
bpio-ctl() { served bpio-ctl "$@"; }
# bpio-verify WORD ARG...: files whose contents tell where they belong
bpio-verify() { served bpio-verify "$@"; }
# dmsetup WORD ARG...: as the program; the usual words by the server
dmsetup() { served dmsetup "$@"; }

# Not in a test of the harness, which runs on the host.
[ -z "$(type -P bpio-ctl)" ] || serve
