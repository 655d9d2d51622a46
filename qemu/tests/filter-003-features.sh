#!/bin/bash
# purpose: filters that have not opted in: BypassIO blocked, ODX refused
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# needs: module=bpio-flt-test module=bpio-flt-legacy
# shellcheck disable=SC2086,SC2154 # numbers and names; $tmp of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/filter.sh
. "$(dirname "$0")/filter.sh"

none="result=SUCCESS driver= reason="
enabled="enable status=SUCCESS info=352 op=1 flags=8 $none"
mode=/sys/module/bpiofs/parameters/filter_supported_features_mode
free="info status=SUCCESS info=96 op=8 flags=8 count"
stuck="info status=SUCCESS info=96 op=8 flags=12 count"

# blocked_by NAME: as every ENABLE and QUERY says it
blocked_by() {
	echo "flags=4 result=BYPASSIO_FLT_NOT_SUPPORTED driver=$1.ko \
reason=The specified minifilter does not support bypass IO."
}

blocked() {
	local legacy

	legacy=$(blocked_by bpio-flt-legacy)
	add_attached watch 400000 0xf fsctl
	load_module bpio-flt-legacy
	attach bpio-flt-legacy
	is "$fs: the legacy sample: its altitude and features, and the mount's" \
		"325000 0x0 0x0" \
		"$(<"$vol/instances/bpio-flt-legacy/altitude") \
$(<"$vol/instances/bpio-flt-legacy/features") $(<"$vol/supported_features")"
	begin v
	rule 83 answers "$fs: ENABLE and QUERY are refused by the filter manager" \
		a enable query query:1 open:. query use:0 out=351 enable \
		in=23 enable <<-END
	enable status=SUCCESS info=352 op=1 $legacy
	query status=SUCCESS info=352 op=3 $legacy
	query status=SUCCESS info=352 op=3 $legacy
	query status=SUCCESS info=352 op=3 $legacy
	enable status=INVALID_BUFFER_SIZE info=0
	enable status=INVALID_BUFFER_SIZE info=0
	END
	rule 83 check_gained "$fs: storage sees nothing of it" v enables=0 queries=0 \
		active_count=0
	# the last: too short to be an ENABLE for the filter manager
	logged "$fs: no filter is asked" <<-END
	watch pre fsctl op=1
	watch post fsctl op=1 status=0xc0000206 info=0
	END
	rule 56 77 answers "$fs: the other six operations go on, and show the flag" \
		a disable pausev resumev pauses resumes info <<-END
	disable status=SUCCESS info=24 op=2 flags=4
	pausev status=SUCCESS info=24 op=4 flags=5
	resumev status=SUCCESS info=352 op=5 flags=4 $none
	pauses status=SUCCESS info=24 op=6 flags=4
	resumes status=SUCCESS info=352 op=7 flags=4 $none
	$stuck=0 driver=nvme.ko
	END
	is "$fs: the mount's flags" 0xc "$(<"$vol/flags")"
	add_attached higher 325001 0x7 write:pre
	rule 84 answers "$fs: of two such filters the higher is named" \
		a query <<-END
	query status=SUCCESS info=352 op=3 $(blocked_by higher)
	END
	detach bpio-flt-legacy
	unload_module bpio-flt-legacy
	rule 86 answers "$fs: one that sees writes alone blocks too" a query info <<-END
	query status=SUCCESS info=352 op=3 $(blocked_by higher)
	$stuck=0 driver=nvme.ko
	END
	forget higher
	add_attached blind 100000 0 fsctl create cleanup close setsize
	rule 85 is "$fs: a filter without callbacks for reads and writes has opted in" "0x8 0x8" \
		"$(<"$vol/instances/blind/features") \
$(<"$vol/supported_features")"
	rule 85 is "$fs: on every mount" 0x8 "$(<"$registered/blind/features")"
	rule 85 answers "$fs: and blocks nothing" a enable info <<-END
	$enabled
	$free=1 driver=nvme.ko
	END
	forget watch blind
	echo >"$flt/clear"
}

# Filters that come and go while an open is enabled.
late() {
	local attach_old="echo old >$vol/attach" detach_old="echo old >$vol/detach"

	add old 200000 0x7 read
	rule 87 88 answers "$fs: a late filter that has not opted in: traditional at once" \
		a enable open:a enable mark:v read:0:4096 sh:"$attach_old" \
		read:4096:4096 info use:0 read:0:4096 \
		gain:full_reads:traditional_reads:why_filter_blocked \
		show:active_count sh:"$detach_old" read:8192:4096 info \
		gain:full_reads:traditional_reads gain:enables:disables <<-END
	$enabled
	$enabled
	read 4096
	read 4096
	$stuck=2 driver=nvme.ko
	read 4096
	gain full_reads=1 traditional_reads=2 why_filter_blocked=2
	show active_count=2
	read 4096
	$free=2 driver=nvme.ko
	gain full_reads=2 traditional_reads=2
	gain enables=0 disables=0
	END
	rule 87 88 logged "$fs: it saw the two, and nothing after it was detached" <<-END
	old pre read
	old post read result=4096
	old pre read
	old post read result=4096
	END
	rule 56 77 88 answers "$fs: DISABLE while blocked; a paused volume" \
		a enable open:a enable sh:"$attach_old" disable pausev info \
		use:0 read:0:4096 sh:"$detach_old" mark:v read:0:4096 \
		gain:partial_reads resumev read:0:4096 gain:full_reads <<-END
	$enabled
	$enabled
	disable status=SUCCESS info=24 op=2 flags=4
	pausev status=SUCCESS info=24 op=4 flags=5
	info status=SUCCESS info=96 op=8 flags=13 count=1 driver=nvme.ko
	read 4096
	read 4096
	gain partial_reads=1
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	read 4096
	gain full_reads=1
	END
	forget old
	add new 200000 0xf read write
	teach new count=1
	echo >"$flt/clear"
	rule 89 answers "$fs: a late filter that has opted in: no change" \
		a enable open:a enable mark:v sh:"echo new >$vol/attach" \
		read:0:4096 write:0:4096:7 gain:full_reads:traditional_reads \
		info <<-END
	$enabled
	$enabled
	read 4096
	write 4096
	gain full_reads=1 traditional_reads=0
	$free=2 driver=nvme.ko
	END
	rule 89 logged "$fs: it reads the count of enabled opens" <<-END
	new pre write count=2
	new post write result=4096 count=2
	END
	forget new
	bpio-verify fill a 1 64K
}

features_mode() {
	add_attached good 200000 0xf read fsctl
	add_attached blind 100000 0xf fsctl
	is "$fs: FilterSupportedFeaturesMode is off" 0 "$(<$mode)"
	rule 90 answers "$fs: FilterSupportedFeaturesMode 1: at once, for every filter" \
		a enable mark:v read:0:4096 sh:"echo 1 >$mode" read:0:4096 \
		query info gain:full_reads:traditional_reads oread:0:64K \
		sh:"echo 0 >$mode" read:0:4096 query gain:full_reads <<-END
	$enabled
	read 4096
	read 4096
	query status=SUCCESS info=352 op=3 $(blocked_by good)
	$stuck=1 driver=nvme.ko
	gain full_reads=1 traditional_reads=1
	oread status=OFFLOAD_READ_FLT_NOT_SUPPORTED info=0
	read 4096
	query status=SUCCESS info=352 op=3 flags=8 $none
	gain full_reads=2
	END
	echo 1 >$mode
	rule 90 is "$fs: and in sysfs" "0x0 0x0 0x0" "$(<"$vol/instances/good/features") \
$(<"$vol/instances/blind/features") $(<"$vol/supported_features")"
	detach good
	detach blind
	is "$fs: without filters it means nothing" "0xf" \
		"$(<"$vol/supported_features")"
	attach good
	rule 90 answers "$fs: a filter that is attached then" a query <<-END
	query status=SUCCESS info=352 op=3 $(blocked_by good)
	END
	fails "$fs: another value" "Invalid argument" eval "echo 2 >$mode"
	echo 0 >$mode
	forget good blind
	echo >"$flt/clear"
}

odx() {
	bpio-verify fill b 2 64K
	add_attached watch 400000 0xf fsctl
	add noread 200000 0xe fsctl
	add nowrite 200001 0xd fsctl
	rule 123 answers "$fs: ODX: without bit 1 no read, without bit 2 no write" \
		a oread:0:64K save:"$tmp/token" sh:"echo >$flt/clear" \
		sh:"echo noread >$vol/attach" oread:0:64K enable \
		open:b owrite:0:32K sh:"echo nowrite >$vol/attach" \
		owrite:0:64K oread:0:64K sh:"echo noread >$vol/detach" \
		oread:0:64K owrite:0:64K open:b:r owrite:0:4096 open:b:w \
		oread:0:4096 <<-END
	oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio
	oread status=OFFLOAD_READ_FLT_NOT_SUPPORTED info=0
	$enabled
	owrite status=SUCCESS info=16 written=32768
	owrite status=OFFLOAD_WRITE_FLT_NOT_SUPPORTED info=0
	oread status=OFFLOAD_READ_FLT_NOT_SUPPORTED info=0
	oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio
	owrite status=OFFLOAD_WRITE_FLT_NOT_SUPPORTED info=0
	owrite status=ACCESS_DENIED info=0
	oread status=ACCESS_DENIED info=0
	END
	rule 123 is "$fs: no filter sees what is refused" "watch pre fsctl op=1
watch pre fsctl code=0x98268
watch pre fsctl code=0x94264" "$(grep '^watch pre' "$flt/log")"
	is "$fs: the mount has what all of them have" 0xd \
		"$(<"$vol/supported_features")"
	forget noread nowrite watch
	add_attached never 200000 0xf fsctl
	teach never complete=fsctl:0xC00000BB fs_ops=8
	rule 124 answers "$fs: ODX: a filter refuses it" a oread:0:64K load:"$tmp/token" \
		owrite:0:4096 query sh:"echo never >$vol/detach" \
		oread:0:64K <<-END
	oread status=NOT_SUPPORTED info=0
	owrite status=NOT_SUPPORTED info=0
	query status=SUCCESS info=352 op=3 flags=8 $none
	oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio
	END
	check "$fs: the bytes are right" bpio-verify check b 1 2
	forget never
	echo >"$flt/clear"
}

defer unload_module bpio-flt-legacy

run() {
	setup_volume v "$fs" "$disk"
	vol=$(volume_dir v)
	cd "$tmp/v"
	bpio-verify fill a 1 64K
	late
	blocked
	features_mode
	odx
	umount_volume v
	check "$fs: the file system is in order" fsck_volume v "$fs"
	remove_volume v
}

defer eval "echo 0 >$mode"
on_each_fs run
finish
