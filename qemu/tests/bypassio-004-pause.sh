#!/bin/bash
# purpose: volume and stream pauses: path, flags, who may
# fs: ext4 xfs
# quick: stock:ext4 debug:xfs
# timeout: 240
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
	rule 58 64 65 77 answers "$fs: VOLUME_STACK_PAUSE: partial, for every open; counts stay" \
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
	rule 59 60 61 64 answers "$fs: paused before ENABLE: enabled, flag 1, partial" \
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
	rule 67 68 70 73 answers "$fs: STREAM_PAUSE: traditional, that file only; counts stay" \
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
	rule 69 answers "$fs: STREAM_PAUSE with nothing enabled is forgotten" \
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
	check "$fs: the bytes are right" bpio-verify check -e a 1
	who_may
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
