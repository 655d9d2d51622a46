#!/bin/bash
# purpose: dm suspend, resume and reload under bypassed reads; tokens then
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

enabled="enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= \
reason="

suspend() {
	answers "$fs: bypass comes back after a suspend, by itself" \
		a enable mark:v read:0:4096 suspend show:paused resume \
		"$(until_bypassed v)" read:0:4096 gain:full_reads:partial_reads \
		show:bypass:paused <<-END
	$enabled
	read 4096
	show paused=1
	read 4096
	gain full_reads=2 partial_reads=0
	show bypass=active paused=0
	END
	command bpio-verify check -e -E uring -q 8 -b 64K -r -n 20000 a 1 >"$tmp/out" &
	held[r]=$!
	command bpio-verify check -e -b 128K -r -n 20000 a 1 >>"$tmp/out" &
	held[s]=$!
	# await says so if no read is bypassed within 30 s
	check_equal "$fs: readers go on around each of six suspends" "" "$(
		for _ in {1..6}; do
			bpio-ctl - mark:v await:bypassed_reads suspend \
				sleep:50 resume
		done
		bpio-ctl - mark:v await:bypassed_reads)"
	let_go r
	let_go s
	check_equal "$fs: and read no wrong byte" "" "$(cat "$tmp/out")"
}

# The same data at another place: first copied there, then the old is poisoned.
reload() {
	local table i

	bpio-ctl a oread:0:64K save:"$tmp/token" >/dev/null
	begin v
	answers "$fs: a plain suspend keeps tokens" b load:"$tmp/token" mark:v \
		suspend resume owrite:0:64K <<-END
	owrite status=SUCCESS info=16 written=65536
	END
	command bpio-verify check -e -E aio -q 4 -b 64K -r -n 100000 a 1 >"$tmp/out" &
	held[r]=$!
	sync
	for i in 1 2; do
		dmsetup suspend bpio-v
		if [ "$i" = 1 ]; then
			dd if="$disk" of="$disk2" bs=1M count="$volume_mib" seek=16 \
				iflag=direct oflag=direct status=none
			poison "$disk" "${volume_mib}M"
			table="$disk2 $((16 << 11))"
		else
			dd if="$disk2" of="$disk" bs=1M count="$volume_mib" skip=16 \
				seek=64 iflag=direct oflag=direct status=none
			poison "$disk2" $((volume_mib + 16))M
			table="$disk $((64 << 11))"
		fi
		dmsetup reload bpio-v --table \
			"0 $((volume_mib << 11)) bpio $table"
		dmsetup resume bpio-v
		answers "$fs: $table: the bypass reads there" a enable \
			"$(until_bypassed v)" mark:v read:0:64K:"$tmp/read" \
			gain:full_reads+:partial_reads <<-END
		$enabled
		read 65536
		gain full_reads=some partial_reads=0
		END
		check "$fs: $table: the bytes are right" \
			bpio-verify check -e a 1
		check "$fs: $table: and those that were read" \
			cmp -n 65536 "$tmp/read" a
	done
	let_go r
	check_equal "$fs: a reader read no wrong byte meanwhile" "" \
		"$(cat "$tmp/out")"
	answers "$fs: a reload that moves the data kills tokens" \
		b load:"$tmp/token" owrite:0:64K <<-END
	owrite status=INVALID_TOKEN info=0
	END
	bpio-ctl a oread:0:64K save:"$tmp/token" >/dev/null
	dmsetup suspend bpio-v
	dmsetup reload bpio-v --table "$(dmsetup table bpio-v)"
	dmsetup resume bpio-v
	answers "$fs: the same table again does not" \
		b load:"$tmp/token" owrite:0:64K <<-END
	owrite status=SUCCESS info=16 written=65536
	END
	begin v
	dmsetup suspend bpio-v
	dmsetup reload bpio-v --table \
		"0 $((volume_mib << 11)) linear $disk $((64 << 11))"
	dmsetup resume bpio-v
	check "$fs: another target below the mount: the bytes are right" \
		bpio-verify check -e a 1
	answers "$fs: and nobody bypasses it: no layer that opted in" \
		a query:1 query <<-END
	query status=SUCCESS info=352 op=3 flags=0 result=SUCCESS driver= reason=
	query status=SUCCESS info=352 op=3 flags=8 \
result=NO_BYPASSIO_DRIVER_SUPPORT driver=nvme.ko reason=The storage stack does \
not answer BypassIO requests
	END
}

run() {
	volume_mib=320
	# all of it is moved
	[ "$fs" = xfs ] || volume_mib=64
	make_volume v "$disk"
	make_fs "$fs" "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill a 1 4M
	bpio-verify fill b 2 64K
	bpio-verify check -e a 1
	suspend
	[ "$fs" = xfs ] || reload
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
