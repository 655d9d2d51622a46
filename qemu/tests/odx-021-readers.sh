#!/bin/bash
# purpose: a write to what a copy is reading waits, so that a copy never has a newer byte (TK-3)
# quick: stock debug
# needs: nvme>=2
#
# The device below the source delays reads and lets writes through: without the wait
# the write would be there when the copy reads. The device below the destination
# delays writes, so that whatever is written to it is seen before it is overwritten.
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/storage.sh
. "$(dirname "$0")/storage.sh"
# shellcheck source=qemu/tests/odx.sh
. "$(dirname "$0")/odx.sh"

need_module dm-delay
source=/dev/mapper/bpio-s
minutes=600000

# below NAME DISK: the device below a volume
below() {
	dmsetup create "bpio-$1" --table "0 $((volume_mib << 11)) linear $2 0"
	live[$1]=yes
	defer remove_volume "$1"
}
# delays NAME DISK READ-MS WRITE-MS: from now on
delays() {
	dmsetup load "bpio-$1" --table \
		"0 $((volume_mib << 11)) delay $2 0 $3 $2 0 $4"
	release "$1"
}
# release NAME: whatever it delays is done, and what comes now is delayed
release() {
	dmsetup suspend --nolockfs "bpio-$1"
	dmsetup resume "bpio-$1"
}
# held NAME FIELD: are there reads (0), or writes (1), that it delays?
held() {
	local words

	read -ra words < <(dmsetup status "bpio-$1")
	((words[3 + $2]))
}
ended_or_writing() { ended "$1" || held slow_v 1; }

# copying TOKEN RANGE: begins, and is held up as it reads
copying() {
	exec bpio-ctl /dev/bpio "device:$d" "load:$tmp/$1" "$2" kernel dwrite \
		>"$tmp/said" &
	copy=$!
	wait_for 60 held slow_s 0 || fail "nothing is read"
}
# copied FILE AT: it ends well, and what is written is that file and nothing else
copied() {
	release slow_s
	wait_for 60 ended_or_writing $copy || fail "nothing is written"
	release slow_v
	wait_for 60 ended_or_writing $copy || true
	rule 140 check "$title: all that is written is old" \
		bpio-verify same "$disk2" $(($2)) "$tmp/$1"
	release slow_v
	wait_for 60 ended $copy || fail "the copy does not end"
	check_equal "$title: the copy ends well" \
		"dwrite status=SUCCESS info=16 copied=$k64 flags=0" \
		"$(tail -n 1 "$tmp/said")"
}
# waits PID: the write goes on only when the copy has read
waits() {
	check "$title: the write waits" kill -0 "$1"
	copied old "$2"
	check "$title: and is done" wait_for 60 ended "$1"
}

below slow_s "$disk"
below slow_v "$disk2"
make_volume s "$(volume slow_s)" 0 any_storage
make_volume v "$(volume slow_v)" 0 any_storage
# in case that the test fails
let_go() {
	delays slow_s "$disk" 0 0
	delays slow_v "$disk2" 0 0
}
defer let_go
noise old $k64
noise new $k64
noise else $k64
delays slow_v "$disk2" 0 $minutes

# begin_copy TEXT AT: a token of the source's first bytes is being copied to AT
begin_copy() {
	title=$1
	put old 0 $source
	d=$source mint t range:0:64K
	delays slow_s "$disk" $minutes 0
	killed=$(counter s tokens_invalidated)
	copying t "range:$(($2)):64K"
}
token_died() { [ "$(counter s tokens_invalidated)" -gt $killed ]; }
end_copy() {
	delays slow_s "$disk" 0 0
	check "$title: the source is as it was written" \
		bpio-verify same $source 0 "$tmp/$1"
}

begin_copy "a write" 0
exec bpio-verify put $source 0 "$tmp/new" &
writer=$!
wait_for 60 token_died || fail "the token does not die"
# a write that does not wait is on the disk now
pause 0.5
check "$title: elsewhere it does not wait" \
	put else 8*m $source
waits $writer 0
end_copy new

begin_copy "a discard" 1*m
exec blkdiscard -f -z -o 0 -l $k64 $source &
writer=$!
wait_for 60 token_died || fail "the token does not die"
pause 0.5
waits $writer 1*m
head -c $k64 /dev/zero >"$tmp/zeros"
end_copy zeros

# It does not pass through map().
put else 16*m $source
d=$source mint other range:16M:64K
begin_copy "another copy" 2*m
exec bpio-ctl /dev/bpio "device:$source" "load:$tmp/other" range:0:64K kernel \
	dwrite >"$tmp/other.said" &
writer=$!
wait_for 60 sleeps_or_ended $writer bpio_range_wait || true
check "$title: it waits for the reader" sleeps_in $writer bpio_range_wait
copied old 2*m
delays slow_s "$disk" 0 0
check "$title: it ends" wait_for 60 ended $writer
end_copy else

remove_volume v
remove_volume s
remove_volume slow_v
remove_volume slow_s
finish
