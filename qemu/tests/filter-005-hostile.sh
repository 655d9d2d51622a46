#!/bin/bash
# purpose: filters that do what a filter must not, and detach at odd moments
# quick: stock debug
# needs: module=bpio-flt-test
# shellcheck disable=SC2086,SC2154 # numbers and names; $tmp of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/filter.sh
. "$(dirname "$0")/filter.sh"

none="result=SUCCESS driver= reason="
enabled="enable status=SUCCESS info=352 op=1 flags=8 $none"
info="info status=SUCCESS info=96 op=8 flags=8 count"

# complaints MARK NAME: lines about it in the kernel log
complaints() { dmesg_since "$1" | grep -c "filter $2\.ko" || true; }

nonsense() {
	local mark value

	add_attached top 300000 0xf read
	add_attached bad 200000 0xf read
	add_attached low 100000 0xf read
	mark=$(dmesg_mark)
	for value in 2 3 6 7 -1 99 0x7fffffff 0x80000000; do
		teach bad pre=read:$value
		is "a pre-operation callback returns $value: read" \
			"read 65536" "$(bpio-ctl a read:0:64K:"$tmp/read")"
		check "the bytes are right" cmp "$tmp/a" "$tmp/read"
		logged "counts as SUCCESS_NO_CALLBACK" <<-END
		top pre read
		bad pre read
		low pre read
		low post read result=65536
		top post read result=65536
		END
	done
	is "logged once" 1 "$(complaints "$mark" bad)"
	for value in 1 2 77; do
		teach low post=read:$value
		is "a post-operation callback returns $value: read" \
			"read 4096" "$(bpio-ctl a read:0:4096)"
	done
	logged "counts as FINISHED_PROCESSING" < <(for _ in 1 2 3; do
		echo "top pre read"
		echo "bad pre read"
		echo "low pre read"
		echo "low post read result=4096"
		echo "top post read result=4096"
	done)
	is "logged once, too" 1 "$(complaints "$mark" low)"
	forget top bad low
}

completions() {
	local mark op

	add_attached bad 200000 0xf fsctl cleanup:pre close:pre
	add_attached low 100000 0xf fsctl cleanup:pre close:pre
	bpio-ctl a enable read:0:4096 >/dev/null
	mark=$(dmesg_mark)
	teach bad complete=fsctl:0xC0000001 info=99999 fs_ops=2,4,5,6,7,8
	answers "what cannot fail is completed with an error: it goes on" \
		a enable pauses info resumes pausev resumev info disable \
		info <<-END
	$enabled
	pauses status=SUCCESS info=24 op=6 flags=2
	info status=SUCCESS info=96 op=8 flags=10 count=1 driver=nvme.ko
	resumes status=SUCCESS info=352 op=7 flags=0 $none
	pausev status=SUCCESS info=24 op=4 flags=1
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	$info=1 driver=nvme.ko
	disable status=SUCCESS info=24 op=2 flags=0
	$info=0 driver=nvme.ko
	END
	for op in 2 4 5 6 7 8; do
		check "operation $op reaches those below" \
			grep -q "^low post fsctl op=$op status=0x0" "$flt/log"
	done
	is "logged once" 1 "$(complaints "$mark" bad)"
	for op in cleanup close; do
		teach bad complete=$op:-5
		echo >"$flt/clear"
		bpio-ctl a enable >/dev/null
		is "$op completed: the file is closed all the same" "0 1" \
			"$(counter v active_count) \
$(grep -c "^low pre $op" "$flt/log")"
	done
	teach bad complete=fsctl:0xC0000001
	answers "ENABLE and QUERY completed with an error" \
		a enable query info <<-END
	enable status=UNSUCCESSFUL info=0
	query status=UNSUCCESSFUL info=0
	$info=0 driver=nvme.ko
	END
	teach bad complete=fsctl:0
	answers "with success, and no information" \
		a raw:0x90448:24:352:01 info <<-END
	raw status=SUCCESS info=0 output=
	$info=0 driver=nvme.ko
	END
	teach bad complete=fsctl:0 info=24
	answers "completed as if it were somebody else's" \
		a enable info <<-END
	enable status=SUCCESS info=24 op=0 flags=0
	$info=0 driver=nvme.ko
	END
	teach bad complete=fsctl:0 info=0xffffffff
	is "more information than there is room for: none is written" 0 \
		"$(bpio-ctl a enable out=400 enable out=0 enable |
			grep -c OVERRUN || true)"
	forget bad
	add_attached bad 200000 0xf fsctl
	mark=$(dmesg_mark)
	teach bad complete=fsctl:0x103
	answers "with STATUS_PENDING" a query raw:0x90440:0:0 info <<-END
	query status=UNSUCCESSFUL info=0
	raw status=UNSUCCESSFUL info=0
	$info=0 driver=nvme.ko
	END
	is "logged once" 1 "$(complaints "$mark" bad)"
	teach bad result=fsctl:0x103
	answers "STATUS_PENDING from a post-operation callback" \
		a raw:0x90440:0:0 <<-END
	raw status=UNSUCCESSFUL info=0
	END
	forget bad
	add_attached bad 200000 0xf read
	mark=$(dmesg_mark)
	teach bad complete=read:-529
	is "a read completed with -EIOCBQUEUED" "read errno=EIO" \
		"$(bpio-ctl a read:0:4096)"
	teach bad result=read:-529
	is "and from a post-operation callback" "read errno=EIO" \
		"$(bpio-ctl a read:0:4096)"
	is "logged once, for both" 1 "$(complaints "$mark" bad)"
	forget bad low
	echo >"$flt/clear"
}

opens() {
	add_attached top 300000 0xf create
	add_attached bad 200000 0xf create cleanup:pre close:pre
	add_attached low 100000 0xf create
	teach bad complete=create:-13
	is "a filter refuses an open" "open a errno=EACCES" \
		"$(bpio-ctl a || true)"
	logged "nobody below sees it" <<-END
	top pre create
	bad pre create
	top post create result=-13
	END
	teach top result=create:0
	is "nobody above makes it a success" "open a errno=EIO" \
		"$(bpio-ctl a || true)"
	teach top
	teach bad complete=create:0
	is "nor does who completes it" "open a errno=EIO" \
		"$(bpio-ctl a || true)"
	teach bad complete=create:99
	is "by any number" "open a errno=EIO" "$(bpio-ctl a || true)"
	teach bad
	teach top result=create:-1
	echo >"$flt/clear"
	is "an open that is refused on its way up" "open a errno=EPERM" \
		"$(bpio-ctl a || true)"
	logged "is closed again" <<-END
	top pre create
	bad pre create
	low pre create
	low post create result=0
	bad post create result=0
	top post create result=0
	bad pre cleanup
	bad pre close
	END
	teach top
	is "the file is none the worse" "read 4096" "$(bpio-ctl a read:0:4096)"
	forget top bad low
	echo >"$flt/clear"
}

in_callback() { grep -q "^$1\$" "$flt/log"; }

# going PID FUNCTION: it is in this function of the filter manager, and sleeps
going() { grep -qs " $2+" "/proc/$1/stack"; }

# A read in "slow" below while "gone" is detached.
draining() {
	local how reader leaver waits

	for how in detach forget; do
		add_attached gone 300000 0xf read
		add_attached slow 200000 0xf read
		teach gone result=read:4096
		teach slow hold=1
		command bpio-ctl a read:0:64K:"$tmp/read" >"$tmp/out" &
		reader=$!
		wait_for 60 in_callback "slow pre read" ||
			fail "$how: the read does not come to the filter"
		waits=bpiofs_filters_detach
		[ $how = detach ] || waits=flt_unregister_filter
		$how gone &
		leaver=$!
		check "$how waits for the read" wait_for 60 going $leaver $waits
		teach slow
		wait $reader
		check "$how succeeds" wait $leaver
		logged "$how during a read: the post-operation callback is told" <<-END
		gone pre read
		slow pre read
		slow post read result=65536
		gone post read result=65536 draining
		END
		is "and still has the last word" "read 4096" "$(<"$tmp/out")"
		check "the bytes are right" cmp -n 4096 "$tmp/a" "$tmp/read"
		[ $how = forget ] || forget gone
		forget slow
	done
}

# gone OP BPIO-CTL-ARG...: an instance that detaches itself from either callback
self() {
	local op=$1 how

	shift
	for how in detach detach_in_post; do
		add_attached gone 200000 0xf "$op"
		teach gone $how=1
		bpio-ctl "$@" >"$tmp/out"
		check "$how from $op: once, and it is gone" \
			test "$(grep -c "^gone detach 0" "$flt/log") \
$(grep -c "^gone pre" "$flt/log") $(ls "$vol/instances")" = "1 1 "
		if [ $how = detach ]; then
			check "$how from $op: its post-operation callback" \
				grep -q "^gone post .*draining" "$flt/log"
		fi
		check "$how from $op: nobody is left" wait_for 5 \
			grep -q "^gone instances=0 " "$flt/calls"
		teach gone
		attach gone
		forget gone
		echo >"$flt/clear"
	done
}

twice() {
	add_attached gone 200000 0xf read
	teach gone detach=1 detach_in_post=1
	bpio-ctl a read:0:4096 >/dev/null
	logged "a second detach says so" <<-END
	gone pre read
	gone detach 0
	gone post read result=4096 draining
	gone detach -2
	END
	forget gone
	add_attached old 200000 0x7 read
	teach old detach=1
	answers "a blocker that detaches itself: bypass from the next read on" \
		a read:0:4096 enable mark:v read:0:4096 gain:full_reads <<-END
	read 4096
	$enabled
	read 4096
	gain full_reads=1
	END
	forget old
	echo >"$flt/clear"
}

setup_volume v ext4 "$disk"
vol=$(volume_dir v)
cd "$tmp/v"
bpio-verify fill a 1 64K
cp a "$tmp/a"
nonsense
completions
opens
draining
self read a read:0:4096
self write a write:0:4096:66
self fsctl a query
self setsize a trunc:65536
self create a
self cleanup a
self close a
twice
fails "bpiofs stays while filters are registered" "in use by: bpio_flt_test" \
	rmmod bpiofs
umount_volume v
check "the file system is in order" fsck_volume v ext4
finish
