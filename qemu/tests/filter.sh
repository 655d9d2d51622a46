# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after bpio.sh by the tests of the filter manager: scripted filters,
# whose words are in filters/bpio-flt-test.c, and what is attached where. One
# volume at a time is mounted, unless $vol says which is meant.

flt=/sys/module/bpio_flt_test/parameters
export registered=/sys/module/bpiofs/filters

load_module bpio-flt-test
defer unload_module bpio-flt-test

# add NAME ALTITUDE FEATURES OP...
add() { echo "$*" >"$flt/add"; }

# teach NAME KEY=VALUE...: what its callbacks do from now on
teach() { echo "$*" >"$flt/script"; }

# forget NAME...: those filters, wherever they are attached
forget() {
	local name

	for name; do echo "$name" >"$flt/remove"; done
}

# attach FILTER [ALTITUDE]
attach() { echo "$*" >"${vol-$(volume_dir v)}/attach"; }

# detach INSTANCE
detach() { echo "$*" >"${vol-$(volume_dir v)}/detach"; }

# add_attached NAME ALTITUDE FEATURES OP...
add_attached() {
	add "$@"
	attach "$1"
}

# seen INSTANCE: reads, writes and control codes
seen() {
	local d=${vol-$(volume_dir v)}/instances/$1

	echo "$(<"$d/reads_seen") $(<"$d/writes_seen") $(<"$d/fsctls_seen")"
}

# is TEXT WANTED GOT: as check_equal, several lines as a diff
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		diff -u <(echo "$2") <(echo "$3") || true
		not_ok "$1"
	fi
}

# logged TEXT <<END: exactly these callbacks since the last time; "-" for none
logged() {
	local want got

	IFS= read -r -d '' want || true
	got=$(<"$flt/log")
	echo >"$flt/clear"
	want=${want%$'\n'}
	[ "$want" != - ] || want=
	is "$1" "$want" "$got"
}

# refused TEXT ERROR COMMAND ARG...: writes what the kernel refuses
refused() {
	local text=$1 error=$2 said

	shift 2
	said=$("$@" 2>&1) && said=accepted
	case $said in
	*"$error") ok "$text" ;;
	*) not_ok "$text: expected '$error', got '$said'" ;;
	esac
}
