#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: on_write preserve: every allocation fails in turn: it costs tokens, never a write
# quick: debug
# needs: kernel=debug
# timeout: 400
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/storage.sh
. "$(dirname "$0")/storage.sh"
# shellcheck source=qemu/tests/odx.sh
. "$(dirname "$0")/odx.sh"

debugfs=/sys/kernel/debug

# Allocations that may wait as well, of any size; what is leaked kmemleak tells.
set_knob() {
	local old

	read -r old <$debugfs/$1
	defer set_back $1 "$old"
	echo "$2" >$debugfs/$1
}
# shellcheck disable=SC2317 # deferred
set_back() { echo "$2" >$debugfs/$1; }

knobs() {
	local where

	for where in failslab fail_page_alloc; do
		set_knob $where/verbose 0
		set_knob $where/ignore-gfp-wait 0
	done
	set_knob fail_page_alloc/ignore-gfp-highmem 0
	set_knob fail_page_alloc/min-order 0
}

# arm N PATTERN: the Nth allocation of each kernel worker of such a name fails.
# Work has none of its own, but some do nothing else meanwhile.
armed=()
arm() {
	local task name

	armed=()
	for task in /proc/[0-9]*; do
		read -r name 2>/dev/null <$task/comm || continue
		# shellcheck disable=SC2053 # a pattern
		[[ $name == $2 ]] || continue
		echo "$1" 2>/dev/null >$task/fail-nth || continue
		armed+=("$task")
	done
}
# disarm: succeeds when an allocation failed
disarm() {
	local task left hit=1

	for task in "${armed[@]}"; do
		read -r left 2>/dev/null <$task/fail-nth || continue
		[ "$left" -gt 0 ] || hit=0
		echo 0 2>/dev/null >$task/fail-nth || true
	done
	return $hit
}

# One token for all of it and one for each chunk.
mint_all() {
	local i words=()

	for ((i = 0; i < chunks; i++)); do
		words+=(norange range:$((i * k64)):64K kernel dread
			save:"$tmp/t$i")
	done
	ctl "${words[@]}" norange range:0:$((chunks * k64)) kernel dread \
		save:"$tmp/t$chunks" >"$tmp/said"
	[ "$(grep -c SUCCESS "$tmp/said")" = $((chunks + 1)) ] ||
		fail "$(cat "$tmp/said")"
}

# Those that are dead, into $dead; all others have their image. $bad else.
redeem_all() {
	local i words=() status

	blkdiscard -z -o $((16 * m)) -l $m $d
	for ((i = 0; i <= chunks; i++)); do
		words+=(load:"$tmp/t$i" norange
			range:$((16 * m + i * k64)):$((i < chunks ? k64 :
				chunks * k64)) kernel dwrite)
	done
	ctl "${words[@]}" >"$tmp/said"
	dead=
	for ((i = 0; i <= chunks; i++)); do
		read -r _ status _
		case $status in
		status=SUCCESS)
			if [ $i -lt $chunks ]; then
				same a 16*m+i*k64 i*k64 k64
			else
				same a 16*m+chunks*k64 0 chunks*k64
			fi || bad="$bad image $i;"
			;;
		status=INVALID_TOKEN) dead+="$i " ;;
		*) bad="$bad token $i: $status;" ;;
		esac
	done <"$tmp/said"
}

# put_part FILE: one write of so many chunks
put_part() {
	dd if="$tmp/$1" of=$d bs=$((chunks * k64)) count=1 oflag=direct \
		status=none
}

# try N PATTERN: what died, into $dead; $bad says what must not be
try() {
	local nr

	bad=
	put_part a
	mint_all
	begin v
	arm $1 "$2"
	put_part b || bad="$bad the write failed;"
	hit=yes
	disarm || hit=
	same b 0 0 chunks*k64 || bad="$bad what was written;"
	redeem_all
	nr=$(wc -w <<<"$dead")
	read_counters v
	check_counts tokens_invalidated=$nr reserve_failed=$nr reserve_full=0 \
		preserved_bytes=$(((chunks - (nr ? nr - 1 : 0)) * k64))
	ctl mark:v msg:revoke
	wait_for 5 unused || bad="$bad the reserve keeps $(used);"
}
check_counts() {
	local c key

	for c; do
		key=v.${c%=*}
		[ $((count[$key] - was[$key])) = "${c#*=}" ] ||
			bad="$bad $c;"
	done
}

# each_allocation TEXT PATTERN STEP DEAD: fails one after another until there is
# none left to fail; DEAD are the tokens that this cost, from first to last
each_allocation() {
	local text=$1 pattern=$2 step=$3 want=$4 n=1 misses=0 failed=0
	local died="" before="" all_bad=""

	while [ $misses -lt 2 ]; do
		try $n "$pattern"
		[ -z "$bad" ] || all_bad="$all_bad $n:$bad"
		# a piece may take more than one that it cannot do without
		[ "$dead" = "$before" ] || died+=$dead
		before=$dead
		if [ "$hit" ]; then
			failed=$((failed + 1))
			misses=0
			n=$((n + step))
		else
			misses=$((misses + 1))
		fi
	done
	check_equal "$text: $failed allocations failed in turn, no write" \
		"" "$all_bad"
	check "$text: some failed" test $failed -gt 4
	check_equal "$text: the tokens that died of it" "$want" "$died"
}

# What bpio-ctl noted of the failures; some were seen.
tell_errors() {
	note "$(cat "$tmp/notes")"
	check "some were errors" grep -q ' [1-9][0-9]* errors' "$tmp/notes"
}

knobs
load_modules
preserving 1024
noise a 4*k64
noise b 4*k64
chunks=4
# The work that preserves; each piece costs one token and the one of all.
each_allocation "preserving" 'kworker/u*' 1 "0 4 1 4 2 4 3 4 "
# What dm-kcopyd and dm-io need, they have put by.
chunks=1
step=8
[ -z "${BPIO_SOAK-}" ] || step=1
each_allocation "copying aside" 'kworker/[0-9]*' $step ""
chunks=4

# Of who redeems what lies in the reserve.
put a 0
mint t0 range:0:$((chunks * k64))
begin v
put b 0
check_equal "redeeming from the reserve, every allocation failing in turn" \
	"dwrite status=SUCCESS info=16 copied=$((chunks * k64)) flags=0" \
	"$(ctl load:"$tmp/t0" range:16M:$((chunks * k64)) failall kernel \
		dwrite 2>"$tmp/notes")"
tell_errors
check "the bytes are right" same a 16*m
check "nothing else was touched" same b 0
check_gained "no token died" v tokens_invalidated=0
# Of who makes tokens where others have pieces.
check_equal "minting, every allocation failing in turn" 1 \
	"$(ctl range:0:64K failall kernel dread 2>"$tmp/notes" |
		grep -c SUCCESS)"
tell_errors
ctl mark:v msg:revoke
check "and nothing is left in the reserve" wait_for 5 unused

# Of who makes a target.
check_equal "every allocation of the constructor failing in turn" "" \
	"$(bpio-ctl - mark:v loadall:"$(dmsetup table bpio-v |
		cut -d ' ' -f 4-)" 2>"$tmp/notes")"
tell_errors
check_equal "the table is as it was" "$m" "$(counter v reserve_size)"
check "and has its reserve" reload_dm bpio-v "$(dmsetup table bpio-v)"
remove_volume v
finish
