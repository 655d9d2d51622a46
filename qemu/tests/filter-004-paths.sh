#!/bin/bash
# purpose: which reads, writes and requests filters see, path by path
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs
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

paths() {
	add_attached top 400000 0xf read write
	rule 22 answers "$fs: a bypassed read, and what is none" \
		a enable open:a mark:v use:0 read:0:64K:"$tmp/full" \
		gain:full_reads:mapped_reads use:1 read:4096:4096 use:0 \
		write:0:4096:65 gain:full_reads:traditional_reads <<-END
	$enabled
	read 65536
	gain full_reads=1 mapped_reads=0
	read 4096
	write 4096
	gain full_reads=1 traditional_reads=1
	END
	rule 19 22 24 logged "$fs: filters see the other open's read, and the write" <<-END
	top pre read
	top post read result=4096
	top pre write
	top post write result=4096
	END
	rule 19 24 is "$fs: their counters too" "1 1 0" "$(seen top)"
	bpio-verify fill a 1 256K
	rule 22 check "$fs: the bytes are right" cmp -n 65536 "$tmp/a" "$tmp/full"
	echo >"$flt/clear"
	rule 23 answers "$fs: a cached open's enabled read is not bypassed" \
		a:rb enable mark:v read:0:4096 \
		gain:full_reads:partial_reads:traditional_reads <<-END
	$enabled
	read 4096
	gain full_reads=0 partial_reads=0 traditional_reads=1
	END
	rule 23 logged "$fs: filters see it" <<-END
	top pre read
	top post read result=4096
	END
	rule 58 answers "$fs: a paused volume: filters are skipped, the stack is not" \
		a enable mark:v pausev read:0:64K:"$tmp/partial" \
		gain:partial_reads:traditional_reads:mapped_reads+ resumev \
		read:0:4096 gain:full_reads <<-END
	$enabled
	pausev status=SUCCESS info=24 op=4 flags=1
	read 65536
	gain partial_reads=1 traditional_reads=0 mapped_reads=some
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	read 4096
	gain full_reads=1
	END
	rule 41 answers "$fs: storage vetoes: enabled, filters skipped, stack walked" \
		a mark:v "msg:veto STATUS_NOT_SUPPORTED_WITH_SNAPSHOT busy" \
		enable read:0:4096 gain:partial_reads:mapped_reads+ \
		show:active_count msg:unveto resumev read:0:4096 \
		gain:full_reads <<-END
	enable status=SUCCESS info=352 op=1 flags=8 \
result=NOT_SUPPORTED_WITH_SNAPSHOT driver=dm-bpio.ko reason=busy
	read 4096
	gain partial_reads=1 mapped_reads=some
	show active_count=1
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	read 4096
	gain full_reads=1
	END
	rule 41 58 logged "$fs: filters saw none of these" <<<-
	check "$fs: the bytes are right" cmp -n 65536 "$tmp/a" "$tmp/partial"
	rule 67 answers "$fs: a paused stream: filters see the reads" \
		a enable mark:v pauses read:0:4096 resumes read:0:4096 \
		gain:full_reads:traditional_reads <<-END
	$enabled
	pauses status=SUCCESS info=24 op=6 flags=2
	read 4096
	resumes status=SUCCESS info=352 op=7 flags=0 $none
	read 4096
	gain full_reads=1 traditional_reads=1
	END
	rule 67 logged "$fs: that one" <<-END
	top pre read
	top post read result=4096
	END
	is "$fs: their counters say the same" "3 2 0" "$(seen top)"
	forget top
}

# Every interface; the filter's counter may not move while they bypass it.
bulk() {
	local engine path had

	add_attached top 400000 0xf read
	teach top silent=1
	bpio-verify check -e a 1
	had=$(seen top)
	begin v
	for path in full partial; do
		[ $path = full ] || bpio-ctl . pausev >/dev/null
		for engine in sync vector aio uring fixed; do
			check "$fs: $path, $engine: the bytes are right" \
				bpio-verify check -e -E $engine -q 4 -b 8K a 1
		done
	done
	bpio-ctl . resumev >/dev/null
	check_gained "$fs: all of them bypassed" v traditional_reads=0 \
		"full_reads>30" "partial_reads>30"
	is "$fs: and no filter saw any" "$had" "$(seen top)"
	begin v
	for engine in sync vector aio uring fixed; do
		check "$fs: through the filter, $engine: the bytes are right" \
			bpio-verify check -E $engine -q 4 -b 8K a 1
	done
	check_gained "$fs: without ENABLE none is bypassed" v full_reads=0 \
		partial_reads=0 "traditional_reads>150"
	check "$fs: and the filter saw them: $(seen top)" \
		test "$(seen top)" != "$had"
	answers "$fs: RWF_NOWAIT: not where filters look" \
		a readnw:0:4096 enable readnw:0:4096 <<-END
	read errno=EAGAIN
	$enabled
	read 4096
	END
	forget top
	echo >"$flt/clear"
}

requests() {
	add_attached top 400000 0xf fsctl
	add_attached mid 300000 0xf fsctl read
	add_attached low 200000 0xf fsctl
	bpio-ctl a enable pauses sh:"echo >$flt/clear" resumes >/dev/null
	rule 71 logged "$fs: STREAM_RESUME: one QUERY, from the top" <<-END
	top pre fsctl op=7
	mid pre fsctl op=7
	low pre fsctl op=7
	top pre fsctl op=3
	mid pre fsctl op=3
	low pre fsctl op=3
	low post fsctl op=3 status=0x0 info=352 op_status=0x0
	mid post fsctl op=3 status=0x0 info=352 op_status=0x0
	top post fsctl op=3 status=0x0 info=352 op_status=0x0
	low post fsctl op=7 status=0x0 info=352 op_status=0x0
	mid post fsctl op=7 status=0x0 info=352 op_status=0x0
	top post fsctl op=7 status=0x0 info=352 op_status=0x0
	END
	rule 72 answers "$fs: STREAM_RESUME: a filter vetoes: still paused" \
		a enable pauses sh:"echo low veto=0xC00004CD reason=Audit \
>$flt/script" mark:v resumes read:0:4096 \
		gain:full_reads:traditional_reads info sh:"echo low \
>$flt/script" resumes read:0:4096 gain:full_reads <<-END
	$enabled
	pauses status=SUCCESS info=24 op=6 flags=2
	resumes status=SUCCESS info=352 op=7 flags=2 \
result=NOT_SUPPORTED_WITH_AUDITING driver=low.ko reason=Audit
	read 4096
	gain full_reads=0 traditional_reads=1
	info status=SUCCESS info=96 op=8 flags=10 count=1 driver=nvme.ko
	resumes status=SUCCESS info=352 op=7 flags=0 $none
	read 4096
	gain full_reads=1
	END
	echo >"$flt/clear"
	rule 73 answers "$fs: STREAM_RESUME when not enabled, or not paused" \
		a resumes enable resumes <<-END
	resumes status=SUCCESS info=352 op=7 flags=0 $none
	$enabled
	resumes status=SUCCESS info=352 op=7 flags=0 $none
	END
	rule 73 is "$fs: STREAM_RESUME with nothing to resume: no QUERY" 0 \
		"$(grep -c op=3 "$flt/log" || true)"
	echo >"$flt/clear"

	teach mid send=pause
	rule 74 answers "$fs: a filter pauses the stream" \
		a enable sh:"echo >$flt/clear" raw:0x0022EFFC:0:0 mark:v \
		read:0:4096 info gain:traditional_reads \
		sh:"echo mid send=resume >$flt/script" raw:0x0022EFFC:0:0 \
		read:0:4096 gain:full_reads <<-END
	$enabled
	raw status=SUCCESS info=0 output=
	read 4096
	info status=SUCCESS info=96 op=8 flags=10 count=1 driver=nvme.ko
	gain traditional_reads=1
	raw status=SUCCESS info=0 output=
	read 4096
	gain full_reads=1
	END
	grep -v op=8 "$flt/log" >"$tmp/log"
	echo >"$flt/clear"
	rule 74 is "$fs: only those below see it; the QUERY all" "top pre fsctl \
code=0x22effc
mid pre fsctl code=0x22effc
low pre fsctl op=6
low post fsctl op=6 status=0x0 info=24
mid sent op=6 status=0x0 info=24
top post fsctl code=0x22effc status=0x0
mid pre read
mid post read result=4096
top pre fsctl code=0x22effc
mid pre fsctl code=0x22effc
low pre fsctl op=7
top pre fsctl op=3
mid pre fsctl op=3
low pre fsctl op=3
low post fsctl op=3 status=0x0 info=352 op_status=0x0
mid post fsctl op=3 status=0x0 info=352 op_status=0x0
top post fsctl op=3 status=0x0 info=352 op_status=0x0
low post fsctl op=7 status=0x0 info=352 op_status=0x0
mid sent op=7 status=0x0 info=352
top post fsctl code=0x22effc status=0x0" "$(<"$tmp/log")"

	teach mid send=disable:top
	answers "$fs: a filter sends DISABLE to the top" \
		a enable sh:"echo >$flt/clear" raw:0x0022EFFC:0:0 mark:v \
		read:0:4096 gain:traditional_reads <<-END
	$enabled
	raw status=SUCCESS info=0 output=
	read 4096
	gain traditional_reads=1
	END
	logged "$fs: all see it, itself too" <<-END
	top pre fsctl code=0x22effc
	mid pre fsctl code=0x22effc
	top pre fsctl op=2
	mid pre fsctl op=2
	low pre fsctl op=2
	low post fsctl op=2 status=0x0 info=24
	mid post fsctl op=2 status=0x0 info=24
	top post fsctl op=2 status=0x0 info=24
	mid sent op=2 status=0x0 info=24
	top post fsctl code=0x22effc status=0x0
	mid pre read
	mid post read result=4096
	END
	forget top mid low
}

run() {
	setup_volume v "$fs" "$disk"
	vol=$(volume_dir v)
	cd "$tmp/v"
	bpio-verify fill a 1 256K
	cp a "$tmp/a"
	bpio-verify check -e a 1
	paths
	bulk
	requests
	umount_volume v
	check "$fs: the file system is in order" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
