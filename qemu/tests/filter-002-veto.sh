#!/bin/bash
# purpose: filters veto BypassIO: who is named, who is called, misuse, the event
# quick: stock debug
# needs: module=bpio-flt-test
# shellcheck disable=SC2154 # $tmp of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/filter.sh
. "$(dirname "$0")/filter.sh"

monitoring=0xC00004CE
by_b="result=NOT_SUPPORTED_WITH_MONITORING driver=b.ko reason=B is busy"
none="result=SUCCESS driver= reason="
tracefs=/sys/kernel/tracing

# First: the rate limit has not been used up yet.
event() {
	local mark i ops=()

	mountpoint -q $tracefs || {
		mount -t tracefs none $tracefs
		defer umount $tracefs
	}
	echo 1 >$tracefs/events/bpiofs/bpio_veto/enable
	echo >$tracefs/trace
	add_attached b 200000 0xf fsctl
	teach b veto=$monitoring reason=B_is_busy
	mark=$(dmesg_mark)
	bpio-ctl a enable >/dev/null
	rule 98 is "a veto is one event" \
		'filter=b.ko status=0xc00004ce reason="B is busy"' \
		"$(sed -n 's/.* bpio_veto: //p' $tracefs/trace)"
	rule 98 is "and one line of the log, with all three" 1 \
		"$(dmesg_since "$mark" | grep -c 'b\.ko.*0xc00004ce.*B is busy')"
	for i in {1..30}; do ops+=(query); done
	bpio-ctl a "${ops[@]}" >/dev/null
	is "31 vetoes are 31 events" 31 "$(grep -c bpio_veto: $tracefs/trace)"
	i=$(dmesg_since "$mark" | grep -c 'B is busy')
	check "and $i lines: the rate is limited" test "$i" -lt 31
	teach b veto=0 reason=x
	echo >$tracefs/trace
	bpio-ctl a query >/dev/null
	is "a failed veto is none" 0 "$(grep -c bpio_veto: $tracefs/trace || true)"
	echo 0 >$tracefs/events/bpiofs/bpio_veto/enable
	echo >"$flt/clear"
	forget b
}

who() {
	add_attached a 300000 0xf fsctl
	add_attached b 200000 0xf fsctl
	add_attached c 100000 0xf fsctl
	teach b veto=$monitoring reason=B_is_busy
	begin v
	rule 82 answers "a filter vetoes: ENABLE and QUERY say who and why" \
		a enable info query query:1 open:. query <<-END
	enable status=SUCCESS info=352 op=1 flags=0 $by_b
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	query status=SUCCESS info=352 op=3 flags=0 $by_b
	query status=SUCCESS info=352 op=3 flags=0 $by_b
	query status=SUCCESS info=352 op=3 flags=0 $by_b
	END
	rule 82 check_gained "the file system and storage see nothing of it" v \
		enables=0 queries=0 active_count=0
	echo >"$flt/clear"
	bpio-ctl a enable >/dev/null
	rule 80 81 logged "above it: called back, sees the veto; below: not called" <<-END
	a pre fsctl op=1
	b pre fsctl op=1
	b veto op=1 status=0x0
	a post fsctl op=1 status=0x0 info=352 op_status=0xc00004ce
	END
	teach a veto=0xC00004C9 reason=A_encrypts
	rule 79 answers "two veto: the higher one is named" a enable query <<-END
	enable status=SUCCESS info=352 op=1 flags=0 \
result=NOT_SUPPORTED_WITH_ENCRYPTION driver=a.ko reason=A encrypts
	query status=SUCCESS info=352 op=3 flags=0 \
result=NOT_SUPPORTED_WITH_ENCRYPTION driver=a.ko reason=A encrypts
	END
	rule 79 logged "and the lower one never called" <<-END
	a pre fsctl op=1
	a veto op=1 status=0x0
	a pre fsctl op=3
	a veto op=3 status=0x0
	END
	teach a
	teach b veto=$monitoring reason=B_is_busy fs_ops=3
	answers "a veto of QUERY alone" a enable query disable <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $none
	query status=SUCCESS info=352 op=3 flags=0 $by_b
	disable status=SUCCESS info=24 op=2 flags=0
	END
	teach b
	answers "no more vetoes" a query enable <<-END
	query status=SUCCESS info=352 op=3 flags=8 $none
	enable status=SUCCESS info=352 op=1 flags=8 $none
	END
	forget b c
	echo >"$flt/clear"
}

# misuse TEXT STATUS KEY=VALUE...: of a by an ENABLE that fails with it
misuse() {
	local text=$1 status=$2

	shift 2
	teach a "$@"
	is "$text" "enable status=$status info=0
info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko" \
		"$(bpio-ctl a enable info)"
	if grep -q TOUCHED "$flt/log"; then
		not_ok "$text: but the output was written to"
	fi
	echo >"$flt/clear"
}

reasons() {
	local long x127

	printf -v long '%0200d' 0
	teach a veto=$monitoring reason="$long"
	rule 7 is "a reason of 200 characters is cut at 128" \
		"enable status=SUCCESS info=352 op=1 flags=0 \
result=NOT_SUPPORTED_WITH_MONITORING driver=a.ko reason=${long:0:128}" \
		"$(bpio-ctl a enable)"
	printf -v x127 '%0127d' 0
	teach a veto=$monitoring reason="$x127"$'\xf0\x9f\x98\x80'
	is "no surrogate pair is cut in half" \
		"enable status=SUCCESS info=352 op=1 flags=0 \
result=NOT_SUPPORTED_WITH_MONITORING driver=a.ko reason=$x127" \
		"$(bpio-ctl a enable)"
	teach a veto=$monitoring reason=$'Ger\xc3\xa4t_\xf0\x9f\x98\x80'
	is "a reason that is not ASCII" \
		"enable status=SUCCESS info=352 op=1 flags=0 \
result=NOT_SUPPORTED_WITH_MONITORING driver=a.ko \
reason="$'Ger\xc3\xa4t \xf0\x9f\x98\x80' \
		"$(bpio-ctl a enable)"
	echo >"$flt/clear"
}

wrong() {
	local status

	for status in 0 0x103 0x40000000 0x80000005; do
		rule 94 misuse "a veto with status $status" INVALID_PARAMETER_3 \
			veto=$status reason=x
	done
	rule 95 misuse "a veto with reason NULL" INVALID_PARAMETER_4 \
		veto=$monitoring null=reason
	rule 95 misuse "a veto with an empty reason" INVALID_PARAMETER_4 \
		veto=$monitoring
	misuse "a wrong status and no reason" INVALID_PARAMETER_3 veto=0
	misuse "a veto without data" INVALID_PARAMETER_1 \
		veto=$monitoring reason=x null=data
	misuse "a veto without objects" INVALID_PARAMETER_2 \
		veto=$monitoring reason=x null=objects
	teach a veto=$monitoring reason=x
	rule 10 11 answers "a veto with buffers too short" a out=351 enable in=23 enable \
		in=23 out=351 enable out=351 query out=0 query in=0 enable \
		info <<-END
	enable status=BUFFER_TOO_SMALL info=0
	enable status=INVALID_BUFFER_SIZE info=0
	enable status=INVALID_BUFFER_SIZE info=0
	query status=BUFFER_TOO_SMALL info=0
	query status=BUFFER_TOO_SMALL info=0
	enable status=INVALID_BUFFER_SIZE info=0
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	END
	is "no buffer was written to" 0 "$(grep -c TOUCHED "$flt/log" || true)"
	echo >"$flt/clear"

	# NOT_SUPPORTED, and the operations go on.
	teach a veto=$monitoring reason=x fs_ops=2,4,5,6,7,8
	rule 96 answers "a veto of what cannot be vetoed" a disable pausev resumev \
		pauses resumes info <<-END
	disable status=SUCCESS info=24 op=2 flags=0
	pausev status=SUCCESS info=24 op=4 flags=1
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	pauses status=SUCCESS info=24 op=6 flags=0
	resumes status=SUCCESS info=352 op=7 flags=0 $none
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	END
	rule 96 is "is refused, one like the other" \
		"$(for op in 2 4 5 6 7 8; do
			echo "a veto op=$op status=0xc00000bb"
		done)" "$(grep veto "$flt/log")"
	echo >"$flt/clear"
}

in_post() {
	teach a veto_in_post=$monitoring reason=x
	rule 97 answers "a veto from a post-operation callback" \
		a enable info <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $none
	info status=SUCCESS info=96 op=8 flags=8 count=1 driver=nvme.ko
	END
	rule 97 logged "is refused" <<-END
	a pre fsctl op=1
	a post fsctl op=1 status=0x0 info=352 op_status=0x0
	a veto op=1 status=0xc00000bb
	a pre fsctl op=8
	a post fsctl op=8 status=0x0 info=96
	a veto op=8 status=0xc00000bb
	END
	teach a
}

setup_volume v ext4 "$disk"
vol=$(volume_dir v)
cd "$tmp/v"
bpio-verify fill a 1 64K
event
who
reasons
wrong
in_post
umount_volume v
check "the file system is in order" fsck_volume v ext4
finish
