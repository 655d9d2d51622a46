#!/bin/bash
# purpose: vetoes by two layers against opens, pauses, suspends and mounts: all end, and all agree afterwards
# quick: stock debug
# smp: 2
# shellcheck disable=SC2317 # in the background
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

none="result=SUCCESS driver= reason="
rounds=40

# times N WORD...: the words as often as that, into $words
times() {
	local n=$1

	shift
	words=()
	while ((n--)); do words+=("$@"); done
}

# in_background COMMAND ARG...: until all_ended
in_background() {
	command "$@" &
	storm+=($!)
}
# all_ended: and each of them has succeeded
all_ended() {
	for pid in "${storm[@]}"; do wait "$pid"; done
	storm=()
}
storm=()

# A message, a suspend: the device is in the middle of one most of the time.
layers() {
	times $rounds "msg:veto 0xC00004CF upper" msg:unveto
	in_background bpio-ctl - mark:v "${words[@]}"
	times $rounds "msg:veto 0xC00004C9 lower" msg:unveto
	in_background bpio-ctl - mark:low "${words[@]}"
	times $((rounds / 4)) suspend resume
	in_background bpio-ctl - mark:v "${words[@]}"
	times $((rounds / 4)) suspend sleep:5 resume
	in_background bpio-ctl - mark:low "${words[@]}"
}

quiet() { [ -z "$(cat "$(volume_dir v)/suspended_by")" ]; }

# at_rest WHAT: nothing stands against it: every layer and the mount say so.
at_rest() {
	# A worker asks again after a resume.
	wait_for 30 quiet || true
	answers "$1: what is remembered, asked and done is the same" \
		a mark:v enable info open:b enable query use:0 read:0:4096 \
		gain:full_reads:partial_reads show:bypass:paused <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $none
	info status=SUCCESS info=96 op=8 flags=8 count=1 driver=nvme.ko
	enable status=SUCCESS info=352 op=1 flags=8 $none
	query status=SUCCESS info=352 op=3 flags=8 $none
	read 4096
	gain full_reads=1 partial_reads=0
	show bypass=active paused=0
	END
}

make_volume low "$disk"
make_volume v /dev/mapper/bpio-low
make_fs ext4 "$(volume v)"
mount_volume v
cd "$tmp/v"
bpio-verify fill a 1 256K
bpio-verify fill b 2 64K

layers
times $rounds enable query disable
in_background bpio-ctl a "${words[@]}" >"$tmp/opens"
times $rounds enable pausev read:0:4096 resumev disable
in_background bpio-ctl b "${words[@]}" >"$tmp/pauses"
all_ended
check_equal "every request was answered" \
	"$((3 * rounds)) $((5 * rounds))" \
	"$(wc -l <"$tmp/opens") $(wc -l <"$tmp/pauses")"
bpio-ctl a resumev >/dev/null
at_rest "opens and pauses"

# An open that stays is called by each: its mount must follow all of them.
hold_open h a enable
layers
all_ended
wait_for 30 quiet || true
check_equal "an open that was there all the time" "full active" \
	"$(bpio-ctl a query | sed -n 's/.*flags=8 result=SUCCESS.*/full/p') \
$(counter v bypass)"
let_go h
at_rest "an open that stays"

# A device that is suspended cannot be mounted.
mount_again() {
	mount -t bpiofs -o bypassio=manual "$(volume v)" "$tmp/v" 2>/dev/null
}

cd /
layers
for ((i = 0; i < rounds / 4; i++)); do
	umount_volume v
	wait_for 30 mount_again
	mounted[v]=yes
	bpio-ctl "$tmp/v/a" enable >/dev/null
done
all_ended
cd "$tmp/v"
at_rest "mounts"
check "the bytes are right" bpio-verify check -e a 1
umount_volume v
check "in order afterwards" fsck_volume v ext4
finish
