# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by every guest test:
#
#   #!/bin/bash
#   # purpose: a veto shows in the partial state
#   # needs: nvme>=2 prog=xfs_io
#   . "$(dirname "$0")/lib.sh"
#
# A test prints `ok - TEXT`, `not ok - TEXT` or `skip - TEXT` lines (see check), its
# cases, and ends with `finish`. With status 77 it was skipped for the reason in its
# last line; with any other status than 0, without a case, or without having reached
# `finish` it failed. An unexpected failure of any command ends it. README.md beside this file has the headers.

set -eEuo pipefail
export LC_ALL=C

test_name=$(basename "$0" .sh)
tmp=$(mktemp -d "/tmp/$test_name.XXXXXX")
cleanups=()

# -- ends -------------------------------------------------------------------

# note TEXT: a line of the log
note() { echo "# $*"; }

# fail TEXT: the test ends here, and has failed
fail() {
	trap - ERR
	echo "FAIL: $*"
	exit 1
}

# skip TEXT: the test ends here, and was skipped for that reason
skip() {
	trap - ERR
	echo "$*"
	exit 77
}

# defer COMMAND ARG...: run at the end, last deferred first, whatever happens.
defer() {
	local quoted

	printf -v quoted '%q ' "$@"
	cleanups+=("$quoted")
}

# run_cleanups: what was deferred; run by the end of the shell
run_cleanups() {
	local status=$? i

	trap - ERR EXIT
	set +e
	for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do
		eval "${cleanups[i]}" || echo "# cleanup failed: ${cleanups[i]}"
	done
	cd /
	rm -rf --one-file-system "$tmp"
	exit "$status"
}

trap 'echo "FAIL: line $LINENO: $BASH_COMMAND: status $?"' ERR
trap run_cleanups EXIT
trap 'exit 143' TERM INT

. "${BASH_SOURCE[0]%/*}/served.sh"

# -- cases ------------------------------------------------------------------

cases_failed=0

# rule N... COMMAND ARG...: the cases of this command look at these lines of the
# specification's checklist, and no others do: qemu/checklist counts them.
rule() {
	local rules=()

	while [[ $1 =~ ^[0-9]+$ ]]; do
		rules+=("$1")
		shift
	done
	local case_rules="(${rules[*]}) "
	"$@"
}

# ok TEXT: a case that passed
ok() { echo "ok - ${case_rules-}$*"; }

# not_ok TEXT: a case that failed
not_ok() {
	cases_failed=$((cases_failed + 1))
	echo "not ok - ${case_rules-}$*"
}

# check TEXT COMMAND ARG...: one case, passed when the command succeeds. The
# test goes on; end it with `finish` so that a failed case fails it.
check() {
	local text=$1

	shift
	if "$@"; then
		ok "$text"
	else
		not_ok "$text"
	fi
}

# check_equal TEXT WANTED GOT: one case, passed when both are the same
check_equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1: expected '$2', got '$3'"
	fi
}

# fails TEXT ERROR COMMAND ARG...: the error's text is the last that it says
fails() {
	local text=$1 error=$2 said

	shift 2
	if said=$("$@" 2>&1); then
		not_ok "$text: succeeded: $said"
	elif [ "${said%"$error"}" != "$said" ]; then
		ok "$text"
	else
		not_ok "$text: expected '$error', got '$said'"
	fi
}

# finish: the end of a test. The runner looks for the line: a test that ended with
# status 0 before it got here has not passed.
finish() {
	trap - ERR
	echo "# finished"
	exit $((cases_failed > 0))
}

# expect_status N COMMAND ARG...: fails the test on any other exit status.
expect_status() {
	local want=$1 got=0

	shift
	"$@" || got=$?
	[ "$got" -eq "$want" ] ||
		fail "status $got instead of $want: $*"
}

# expect_equal TEXT WANTED GOT: fails the test unless both are the same
expect_equal() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# expect_same FILE FILE: fails the test unless they are, byte for byte
expect_same() { cmp -- "$1" "$2" || fail "$1 and $2 differ"; }

# pause SECONDS: sleep, without starting it
pause() {
	if [ "${never-}" ]; then
		read -rt "$1" -u "$never" || true
	else
		sleep "$1"
	fi
}

# wait_for SECONDS COMMAND ARG...: polls until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		pause 0.1
	done
}

# kept_out PID: it waits for a file system to be thawed.
kept_out() { grep -qs percpu_rwsem_wait "/proc/$1/stack"; }

# sleeps_in PID SYMBOL: a program, in that function of the kernel
sleeps_in() { grep -qs " $2+" "/proc/$1/stack"; }
# ended PID: a program of the background
ended() { ! kill -0 "$1" 2>/dev/null; }
# sleeps_or_ended PID SYMBOL: either
sleeps_or_ended() { sleeps_in "$@" || ended "$1"; }

# Whichever of them a test can do with either; the runner says, or who runs it by
# hand.
: "${BPIO_FS=ext4 xfs}"

# So many times less data is moved where each byte is checked: $((8192 / scale)).
scale=1
[ ! -e /sys/kernel/debug/kmemleak ] || scale=4
export scale

# -- needs ------------------------------------------------------------------

# need_program NAME...: skips the test unless all are there
need_program() {
	local p

	for p; do
		[ "$(type -P "$p")" ] || skip "$p is not there"
	done
}

# need_module NAME...: loads those of the kernel's own, or skips the test
need_module() {
	local m

	for m; do
		modprobe -q "$m" || skip "the kernel has no $m"
	done
}

# kernel_is_debug: is it the one with KASAN, lockdep and kmemleak?
kernel_is_debug() { [ -e /sys/kernel/debug/kmemleak ]; }

# need_debug_kernel: else the test is skipped
need_debug_kernel() { kernel_is_debug || skip "needs the debug kernel"; }

# config_is CONFIG_X: is the option y or m in the running kernel?
config_is() {
	if [ -e /proc/config.gz ]; then
		zcat /proc/config.gz
	else
		cat "/boot/config-$(uname -r)" 2>/dev/null
	fi | grep -qE "^$1=[ym]"
}

# -- kernel log -------------------------------------------------------------

# The runner keeps the log in the file BPIO_LOG; by hand there is dmesg.

# dmesg_mark: prints where the kernel log ends now, for dmesg_since
dmesg_mark() {
	local mark="bpio-test: mark $test_name $RANDOM$RANDOM"

	if [ "${BPIO_LOG-}" ]; then
		served bpio-log mark "$BPIO_LOG"
	else
		echo "$mark" >/dev/kmsg
		echo "$mark"
	fi
}

# dmesg_since MARK: the lines of the kernel log since then
dmesg_since() {
	if [ "${BPIO_LOG-}" ]; then
		served bpio-log since "$BPIO_LOG" "$1"
	else
		dmesg | sed "1,/$1/d"
	fi
}

# -- modules ----------------------------------------------------------------

# module_loaded NAME: is it?
module_loaded() { [ -e "/sys/module/${1//-/_}" ]; }

# load_module NAME [PARAMETER...]: one of ours, unless it is there already.
load_module() {
	local name=$1 file=$BPIO_MODULES/$1.ko

	shift
	module_loaded "$name" && return
	# or of the author of this test, see testing.md
	[ -e "$file" ] || file=${0%/*}/$name.ko
	[ -e "$file" ] || fail "no $name.ko was built"
	insmod "$file" "$@"
	# For reports that name addresses after the module has gone.
	[ -z "${BPIO_BASES-}" ] || echo "$name.ko was at" \
		"$(cat "/sys/module/${name//-/_}/sections/.text")" >>"$BPIO_BASES"
}

# unload_module NAME: if it is there
unload_module() { ! module_loaded "$1" || rmmod "${1//-/_}"; }

# load_modules: the stack, and whatever of the kernel it uses
load_modules() {
	modprobe dm-mod
	load_module dm-bpio
	[ ! -e "$BPIO_MODULES/bpiofs.ko" ] || load_module bpiofs
}

# unload_modules: all of ours
unload_modules() {
	local m

	for m in bpio-kunit bpio-flt-passthru bpio-flt-crypt bpio-flt-legacy \
		bpiofs dm-bpio; do
		unload_module "$m"
	done
}
