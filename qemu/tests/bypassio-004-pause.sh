#!/bin/bash
# purpose: volume and stream pauses: drain, path, flags, who may
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs
# timeout: 240
# checks: 57 58 59 60 61 62 63 64 65 66 67 68 69 70 73 75 77
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

none="result=SUCCESS driver= reason="
enabled="enable status=SUCCESS info=352 op=1 flags=8 $none"
resumed_v="resumev status=SUCCESS info=352 op=5 flags=0 $none"
resumed_s="resumes status=SUCCESS info=352 op=7 flags=0 $none"
info_v="info status=SUCCESS info=96 op=8"

volume_pause() {
	answers "$fs: VOLUME_STACK_PAUSE: partial, for every open; counts stay" \
		a enable open:b enable open:. mark:v pausev use:0 read:0:4096 \
		use:1 read:0:4096 info open:. info \
		gain:partial_reads:full_reads:why_volume_paused:mapped_reads+ \
		show:bypass:paused use:0 resumev read:0:4096 gain:full_reads \
		info <<-END
	$enabled
	$enabled
	pausev status=SUCCESS info=24 op=4 flags=1
	read 4096
	read 4096
	$info_v flags=9 count=2 driver=nvme.ko
	$info_v flags=9 count=2 driver=nvme.ko
	gain partial_reads=2 full_reads=0 why_volume_paused=2 mapped_reads=some
	show bypass=active paused=1
	$resumed_v
	read 4096
	gain full_reads=1
	$info_v flags=8 count=2 driver=nvme.ko
	END
	answers "$fs: paused before ENABLE: enabled, flag 1, partial" \
		a pausev mark:v enable read:0:4096 gain:enables:partial_reads \
		pausev pausev resumev read:0:4096 gain:full_reads resumev \
		read:0:4096 gain:full_reads <<-END
	pausev status=SUCCESS info=24 op=4 flags=1
	enable status=SUCCESS info=352 op=1 flags=9 $none
	read 4096
	gain enables=1 partial_reads=1
	pausev status=SUCCESS info=24 op=4 flags=1
	pausev status=SUCCESS info=24 op=4 flags=1
	$resumed_v
	read 4096
	gain full_reads=1
	$resumed_v
	read 4096
	gain full_reads=2
	END
}

stream_pause() {
	answers "$fs: STREAM_PAUSE: traditional, that file only; counts stay" \
		a enable open:b enable use:0 mark:v pauses read:0:4096 enable \
		query:1 use:1 read:0:4096 use:0 info \
		gain:traditional_reads:full_reads:why_stream_paused pauses \
		resumes read:0:4096 gain:full_reads resumes \
		show:active_count <<-END
	$enabled
	$enabled
	pauses status=SUCCESS info=24 op=6 flags=2
	read 4096
	enable status=SUCCESS info=352 op=1 flags=10 $none
	query status=SUCCESS info=352 op=3 flags=2 $none
	read 4096
	$info_v flags=10 count=2 driver=nvme.ko
	gain traditional_reads=1 full_reads=1 why_stream_paused=1
	pauses status=SUCCESS info=24 op=6 flags=2
	$resumed_s
	read 4096
	gain full_reads=2
	$resumed_s
	show active_count=2
	END
	answers "$fs: STREAM_PAUSE with nothing enabled is forgotten" \
		a mark:v pauses enable read:0:4096 gain:full_reads pauses \
		disable enable read:0:4096 gain:full_reads <<-END
	pauses status=SUCCESS info=24 op=6 flags=0
	$enabled
	read 4096
	gain full_reads=1
	pauses status=SUCCESS info=24 op=6 flags=2
	disable status=SUCCESS info=24 op=2 flags=0
	$enabled
	read 4096
	gain full_reads=2
	END
	answers "$fs: RESUME of an open that is not enabled, of a paused file" \
		a enable open:a pauses resumes mark:v use:0 read:0:4096 \
		gain:full_reads <<-END
	$enabled
	pauses status=SUCCESS info=24 op=6 flags=2
	$resumed_s
	read 4096
	gain full_reads=1
	END
}

all_enabled() {
	[ "$(bpio-ctl a mark:v show:active_count)" = "show active_count=4" ]
}

# After a pause has returned no bypassed read is in flight: what was counted
# as bypassed then stays what it is.
drain() {
	local kind i before after

	for kind in pausev:resumev pauses:resumes; do
		for i in 1 2 3 4; do
			command bpio-verify check -e -E uring -q 16 -b 4K -r -n 100000000 \
				a 1 >/dev/null &
			held[$i]=$!
		done
		# A pause of a stream nobody has enabled yet is forgotten.
		wait_for 20 all_enabled ||
			fail "$fs: not every reader is there"
		for i in 1 2 3; do
			bpio-ctl a mark:v "${kind%:*}" show:bypassed_bytes \
				sleep:100 show:bypassed_bytes \
				"${kind#*:}" sleep:100 show:bypassed_bytes |
				grep ^show >"$tmp/drain"
			mapfile -t before <"$tmp/drain"
			after=${before[1]}
			[ "${before[0]}" = "$after" ] ||
				not_ok "$fs: ${kind%:*}: reads after it: ${before[*]}"
			[ "${before[2]}" != "$after" ] ||
				note "$fs: nothing read between two pauses"
		done
		ok "$fs: ${kind%:*} drains the reads in flight"
		for i in 1 2 3 4; do let_go "$i"; done
	done
}

user() { setpriv --reuid 65534 --clear-groups "$@"; }

who_may() {
	chmod 666 a
	chmod 644 b
	check_equal "$fs: control=admin: a user may not pause the volume" \
		"pausev status=ACCESS_DENIED info=0
resumev status=ACCESS_DENIED info=0
pauses status=SUCCESS info=24 op=6 flags=0
resumes status=SUCCESS info=352 op=7 flags=0 $none" \
		"$(user bpio-ctl a pausev resumev pauses resumes)"
	check_equal "$fs: control=admin: nor a stream without write access" \
		"pauses status=ACCESS_DENIED info=0
resumes status=ACCESS_DENIED info=0
$enabled
query status=SUCCESS info=352 op=3 flags=8 $none
$info_v flags=8 count=1 driver=nvme.ko
disable status=SUCCESS info=24 op=2 flags=0" \
		"$(user bpio-ctl b:r pauses resumes enable query info disable)"
	chown 65534 b
	check_equal "$fs: control=admin: but the owner may" \
		"pauses status=SUCCESS info=24 op=6 flags=0" \
		"$(user bpio-ctl b:r pauses)"
	umount_volume v
	mount_volume v control=any
	cd "$tmp/v"
	chown 0 b
	check_equal "$fs: control=any: everybody may" \
		"pausev status=SUCCESS info=24 op=4 flags=1
$resumed_v
pauses status=SUCCESS info=24 op=6 flags=0" \
		"$(user bpio-ctl b:r pausev resumev pauses)"
}

run() {
	setup_volume v "$fs" "$disk"
	chmod 755 "$tmp" "$tmp/v"
	cd "$tmp/v"
	bpio-verify fill a 1 4M
	bpio-verify fill b 2 64K
	bpio-verify check -e a 1
	bpio-verify check -e b 2
	volume_pause
	stream_pause
	drain
	check "$fs: the bytes are right" bpio-verify check -e a 1
	who_may
	remove_volume v
}

on_each_fs run
finish
