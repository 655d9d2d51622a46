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

# add NAME ALTITUDE FEATURES OP...: registers a filter
add() { echo "$*" >"$flt/add"; }

# teach NAME KEY=VALUE...: what its callbacks do from now on
teach() { echo "$*" >"$flt/script"; }

# forget NAME...: those filters, wherever they are attached
forget() {
	local name

	for name; do echo "$name" >"$flt/remove"; done
}

# attach FILTER [ALTITUDE]: to the mount
attach() { echo "$*" >"${vol-$(volume_dir v)}/attach"; }

# detach INSTANCE: from the mount
detach() { echo "$*" >"${vol-$(volume_dir v)}/detach"; }

# add_attached NAME ALTITUDE FEATURES OP...: add and attach
add_attached() {
	add "$@"
	attach "$1"
}

# seen INSTANCE: reads, writes and control codes
seen() {
	local d=${vol-$(volume_dir v)}/instances/$1 reads writes fsctls

	read -r reads <"$d/reads_seen"
	read -r writes <"$d/writes_seen"
	read -r fsctls <"$d/fsctls_seen"
	echo "$reads $writes $fsctls"
}

# logged TEXT <<END: exactly these callbacks since the last time; "-" for none
logged() {
	local want got

	IFS= read -r -d '' want || true
	IFS= read -r -d '' got <"$flt/log" || true
	got=${got%$'\n'}
	echo >"$flt/clear"
	want=${want%$'\n'}
	[ "$want" != - ] || want=
	is "$1" "$want" "$got"
}
