#!/bin/bash
# purpose: filters come and go under I/O: bytes, drains, no read unseen
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# smp: 2
# needs: module=bpio-flt-test
# timeout: 240
# shellcheck disable=SC2086,SC2154 # numbers and names; $tmp of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/filter.sh
. "$(dirname "$0")/filter.sh"

seconds=${BPIO_SOAK-8}

# shellcheck disable=SC2317 # called by wait_for
reading() { [ "$(gained v full_reads)" -gt 50 ]; }

# A filter that has not opted in, while enabled opens are read: when its attach
# returns nothing is bypassed any more, and it has missed none of the rest.
late() {
	local round i state

	add old 200000 0x7 read
	teach old silent=1
	for round in 1 2; do
		begin v
		for i in 1 2 3; do
			command bpio-verify check -e -b 8K -r -n 1000000 a 1 \
				>"$tmp/out$i" &
			held[$i]=$!
		done
		wait_for 60 reading || fail "the readers do not read"
		# ten times, so that each of them has read meanwhile
		bpio-ctl - mark:v sh:"echo old >$vol/attach" \
			show:full_reads:bypassed_bytes mark:v \
			await:traditional_reads mark:v await:traditional_reads \
			mark:v await:traditional_reads mark:v \
			await:traditional_reads mark:v await:traditional_reads \
			mark:v await:traditional_reads mark:v \
			await:traditional_reads mark:v await:traditional_reads \
			mark:v await:traditional_reads \
			show:full_reads:bypassed_bytes >"$tmp/counts"
		for i in 1 2 3; do let_go $i; done
		mapfile -t state <"$tmp/counts"
		rule 87 is "$fs: late attach $round: no bypassed read after it" \
			"${state[0]}" "${state[*]:1}"
		i=$(gained v traditional_reads)
		rule 87 check "$fs: late attach $round: $i reads since" \
			test $i -gt 0
		rule 87 is "$fs: late attach $round: the filter saw each" "$i 0 0" \
			"$(seen old)"
		detach old
		is "$fs: late attach $round: and no wrong byte" "" \
			"$(cat "$tmp"/out?)"
	done
	forget old
}

# The attach of such a filter waits for a bypassed read that is under way.
held_read() {
	local status=0

	make_pieces v 512 "$fs: a late attach waits for reads" || return 0
	add old 200000 0x7 read
	bpio-verify held -x "echo old >$vol/attach" pieces 1 >"$tmp/said" 2>&1 ||
		status=$?
	cat "$tmp/said"
	if [ $status -eq 77 ]; then
		echo "skip - $fs: a late attach waits for reads:" \
			"$(tail -n 1 "$tmp/said")"
	else
		rule 87 check_equal "$fs: a late attach waits for a read under way" \
			0 $status
	fi
	forget old
	rm pieces others
}

# shellcheck disable=SC2317 # in the background
come_and_go() {
	local n=0 i

	# some of it fails, for a filter that is there or not
	set +e
	trap - ERR EXIT
	while [ ! -e "$tmp/stop" ]; do
		sleep 0.2	# a time without old, for bypassed reads
		for i in all pre once; do attach $i && n=$((n + 1)); done
		[ $((RANDOM % 2)) -gt 0 ] || sleep 0.$((RANDOM % 4))
		if [ $((RANDOM % 2)) -eq 0 ]; then
			attach old && n=$((n + 1))
			sleep 0.$((RANDOM % 2))
			detach old
		fi
		for i in pre all; do
			[ $((RANDOM % 3)) -eq 0 ] || detach $i
		done
		if [ $((RANDOM % 4)) -eq 0 ]; then
			forget pre
			add pre 250000 0xf read:pre write:pre
			teach pre silent=1
		fi
	done 2>/dev/null
	echo $n
}

storm() {
	local seed=${BPIO_SEED-$((RANDOM + 1))} status=0 n pid

	rm -f "$tmp/stop"
	add all 300000 0xf create close read write setsize fsctl cleanup
	add pre 250000 0xf read:pre write:pre
	add once 220000 0xf read write fsctl
	add old 200000 0x7 read write
	for n in all pre old; do teach $n silent=1; done
	teach once silent=1 detach=1
	begin v
	come_and_go >"$tmp/came" &
	pid=$!
	until_gained v "full_reads traditional_reads why_filter_blocked" \
		bpio-verify race -p -s $seconds -f 2 -t 3 -S "$seed" . ||
		status=$?
	touch "$tmp/stop"
	wait $pid
	n=$(<"$tmp/came")
	is "$fs: every reader reads the file's own data, seed $seed" 0 "$status"
	check "$fs: filters came $n times" test "$n" -gt 3
	check_gained "$fs: by every path" v "full_reads>0" \
		"traditional_reads>0" "why_filter_blocked>0"
	is "$fs: no open is left enabled" 0 "$(counter v active_count)"
	note "$fs: $(tr '\n' ';' <"$flt/calls")"
}

run() {
	setup_volume v "$fs" "$disk"
	vol=$(volume_dir v)
	cd "$tmp/v"
	bpio-verify fill a 1 1M
	bpio-verify check -e a 1
	late
	held_read
	storm
	# with whatever is attached
	umount_volume v
	is "$fs: the mount has taken all instances along" 0 \
		"$(grep -vc 'instances=0 ' "$flt/calls" || true)"
	forget all pre once old
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
