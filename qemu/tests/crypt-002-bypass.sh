#!/bin/bash
# purpose: encrypt and decrypt files that are bypassed; vetoes, tokens, mappings
# fs: ext4 xfs
# quick: stock:xfs
# needs: module=bpio-flt-crypt module=bpio-flt-test prog=python3
# timeout: 300
# shellcheck disable=SC2154,SC2016 # $tmp of lib.sh; programs
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/crypt.sh
. "$(dirname "$0")/crypt.sh"

flt_test=/sys/module/bpio_flt_test/parameters
none="result=SUCCESS driver= reason="
enabled="enable status=SUCCESS info=352 op=1 flags=8 $none"
info_a="info status=SUCCESS info=96 op=8"

requests() {
	cp a b
	answers "$fs: SET_ENCRYPTION: what is wrong with a request" b \
		raw:0x900D7:7:0:0100000000000000 \
		raw:0x900D7:8:0:0000000000000000 \
		raw:0x900D7:8:0:0300000000000000 \
		"$decrypt" open:b:r "$encrypt" open:. "$encrypt" use:0 \
		query:1 <<-END
	raw status=BUFFER_TOO_SMALL info=0
	raw status=INVALID_PARAMETER info=0
	raw status=INVALID_PARAMETER info=0
	$converted
	raw status=ACCESS_DENIED info=0
	raw status=INVALID_DEVICE_REQUEST info=0
	query status=SUCCESS info=352 op=3 flags=0 $none
	END
	answers "$fs: encrypting twice is once; mapped: not at all" b:b \
		mmap:4096 "$encrypt" munmap "$encrypt" "$encrypt" \
		query:1 query enable in=23 enable out=351 enable <<-END
	mmap 66
	raw status=FILE_LOCK_CONFLICT info=0
	munmap 0
	$converted
	$converted
	query status=SUCCESS info=352 op=3 $encrypted
	query status=SUCCESS info=352 op=3 $encrypted
	enable status=SUCCESS info=352 op=1 $encrypted
	enable status=INVALID_BUFFER_SIZE info=0
	enable status=BUFFER_TOO_SMALL info=0
	END
	answers "$fs: not to be mapped, punched, or stood for by a token" b \
		oread:0:64K zeroA owrite:0:64K punch:0:4096 info \
		mmap:4096 <<-END || true
	oread status=OFFLOAD_READ_FILE_NOT_SUPPORTED info=0
	owrite status=OFFLOAD_WRITE_FILE_NOT_SUPPORTED info=0
	punch errno=EOPNOTSUPP
	$info_a flags=8 count=0 driver=nvme.ko
	mmap errno=ENODEV
	exit status 1
	END
	check "$fs: nothing of that changed it" bpio-verify check b 1
	bpio-ctl a oread:0:64K save:"$tmp/token" >"$tmp/out"
	check_equal "$fs: a plain file has tokens" \
		"oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio" \
		"$(cat "$tmp/out")"
	answers "$fs: but no token's data goes into an encrypted one" \
		b load:"$tmp/token" owrite:0:64K "$decrypt" owrite:0:64K <<-END
	owrite status=OFFLOAD_WRITE_FILE_NOT_SUPPORTED info=0
	$converted
	owrite status=SUCCESS info=16 written=65536
	END
	check "$fs: the copy is right" bpio-verify check b 1
	bpio-ctl b oread:0:64K save:"$tmp/token" "$encrypt" >"$tmp/out"
	cp a c
	answers "$fs: a token of the clear text dies of the encryption" \
		c load:"$tmp/token" owrite:0:64K <<-END
	owrite status=INVALID_TOKEN info=0
	END
	rm b c
}

# The recipe, from the side of one open.
recipe() {
	rule 104 answers "$fs: encrypt an active file: traditional; decrypt: back" \
		a enable mark:v read:0:64K:"$tmp/1" gain:full_reads \
		"$encrypt" read:0:64K:"$tmp/2" info \
		gain:full_reads:why_stream_paused query open:a enable \
		read:0:64K gain:full_reads use:0 resumes info enable \
		"$decrypt" read:0:64K:"$tmp/3" info \
		gain:full_reads use:1 enable read:0:64K gain:full_reads <<-END
	$enabled
	read 65536
	gain full_reads=1
	$converted
	read 65536
	$info_a flags=10 count=1 driver=nvme.ko
	gain full_reads=1 why_stream_paused=1
	query status=SUCCESS info=352 op=3 $encrypted
	enable status=SUCCESS info=352 op=1 $encrypted
	read 65536
	gain full_reads=1
	resumes status=SUCCESS info=352 op=7 ${encrypted/flags=0/flags=2}
	$info_a flags=10 count=1 driver=nvme.ko
	enable status=SUCCESS info=352 op=1 $encrypted
	$converted
	read 65536
	$info_a flags=8 count=1 driver=nvme.ko
	gain full_reads=2
	$enabled
	read 65536
	gain full_reads=3
	END
	check "$fs: the bytes: bypassed" cmp -n 65536 "$tmp/1" a
	check "$fs: decrypted on their way" cmp -n 65536 "$tmp/2" a
	check "$fs: bypassed again" cmp -n 65536 "$tmp/3" a
	answers "$fs: enabled, closed, encrypted: nothing to pause, or resume" \
		a enable "$encrypt" sh:"bpio-ctl a query:1 >/dev/null" close \
		open:a info enable "$decrypt" enable info <<-END
	$enabled
	$converted
	$info_a flags=8 count=0 driver=nvme.ko
	enable status=SUCCESS info=352 op=1 $encrypted
	$converted
	$enabled
	$info_a flags=8 count=1 driver=nvme.ko
	END
	# Attached when it is bypassed already: it was opened without a mark.
	quietly a "$encrypt"
	detach_crypt
	mark save a
	hold_open h a enable
	mark restore a
	begin v
	attach_crypt
	check "$fs: attached to a file that is bypassed: the next open ends it" \
		bpio-verify check a 1
	check_equal "$fs: by a pause of the stream" \
		"$info_a flags=10 count=1 driver=nvme.ko" "$(bpio-ctl a info)"
	let_go h
	quietly a "$decrypt"
}

# Encrypted while the QUERY of a STREAM_RESUME is below this filter: it has
# passed, and must not end the pause that came after.
overtaken() {
	local pid

	echo "t 100000 0xf fsctl" >"$flt_test"/add
	echo t >"$(volume_dir v)/attach"
	hold_open h a enable pauses
	echo "t fs_ops=3 hold=1" >"$flt_test"/script
	command bpio-ctl a resumes info >"$tmp/out" &
	pid=$!
	wait_for 60 grep -qx "t pre fsctl op=3" "$flt_test"/log ||
		fail "the QUERY does not come to the filter"
	quietly a "$encrypt"
	check "$fs: encrypted while somebody resumes" kill -0 "$pid"
	echo t >"$flt_test"/script
	wait "$pid"
	check_equal "$fs: the pause stays" "resumes status=SUCCESS info=352 \
op=7 flags=2 $none
$info_a flags=10 count=1 driver=nvme.ko" "$(cat "$tmp/out")"
	let_go h
	echo t >"$flt_test"/remove
	echo >"$flt_test"/clear
	quietly a "$decrypt"
}

# No reader sees a byte of ciphertext, whatever it reads by.
under_readers() {
	local i

	begin v
	command bpio-verify check -e -E sync -b 64K -r -n 1000000 a 1 >"$tmp/out" 2>&1 &
	held[1]=$!
	command bpio-verify check -e -E aio -q 4 -b 16K -r -n 1000000 a 1 \
		>>"$tmp/out" 2>&1 &
	held[2]=$!
	command bpio-verify check -e -E uring -q 8 -b 128K -r -n 1000000 a 1 \
		>>"$tmp/out" 2>&1 &
	held[3]=$!
	command bpio-verify check -e -E vector -b 32K -r -n 1000000 a 1 \
		>>"$tmp/out" 2>&1 &
	held[4]=$!
	check "$fs: four readers are bypassed" wait_for 20 \
		bash -c '[ "$(bpio-ctl a info | grep -c count=4)" = 1 ]'
	check_gained "$fs: and read" v "full_reads>0"
	for i in 1 2 3 4; do
		bpio-ctl a "$encrypt" mark:v \
			await:why_stream_paused info \
			gain:full_reads:why_stream_paused+ enable "$decrypt" \
			mark:v await:full_reads gain:full_reads+ info >"$tmp/round"
		check_equal "$fs: encrypted and decrypted under them, $i" \
			"$converted
$info_a flags=10 count=4 driver=nvme.ko
gain full_reads=0 why_stream_paused=some
enable status=SUCCESS info=352 op=1 $encrypted
$converted
gain full_reads=some
$info_a flags=8 count=4 driver=nvme.ko" "$(cat "$tmp/round")"
	done
	for i in 1 2 3 4; do let_go "$i"; done
	check_equal "$fs: no reader read a wrong byte" "" "$(cat "$tmp/out")"
}

# converted_once PID: it has, or it has ended
converted_once() { [ -s "$tmp/said" ] || [ ! -e "/proc/$1" ]; }

# Who asks for it dies; it is done, or it is not. There are more conversions to
# come than it lives to see.
killed() {
	local i pid ops=() right=0 died=0

	for i in {1..200}; do ops+=("$encrypt" "$decrypt"); done
	for i in {1..8}; do
		command bpio-ctl a "${ops[@]}" >"$tmp/said" 2>&1 &
		pid=$!
		wait_for 60 converted_once "$pid"
		sleep "0.0$((RANDOM % 9 + 1))"
		kill -KILL "$pid" && died=$((died + 1))
		wait "$pid" || true
		! bpio-verify check a 1 || right=$((right + 1))
	done 2>"$tmp/err"
	check_equal "$fs: killed while it converts: no byte is lost" "8 8" \
		"$died $right"
	quietly a "$decrypt"
}

# Many at once want different things, and enable in between.
contended() {
	local i ops=() pids=()

	for i in {1..6}; do ops+=("$encrypt" enable "$decrypt" disable); done
	for i in 1 2 3 4; do
		command bpio-ctl a "${ops[@]}" >"$tmp/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	check_equal "$fs: four at once: every one succeeds" 48 \
		"$(cat "$tmp"/out.? | grep -cxF "$converted")"
	check_equal "$fs: and every ENABLE is answered by yes or by a veto" 24 \
		"$(cat "$tmp"/out.? | grep -cE "^($enabled|enable .* \
op=1 flags=(8|10) $none|enable .* $encrypted)\$")"
	check "$fs: four at once: the data is right" bpio-verify check a 1
	quietly a "$encrypt"
	check "$fs: also encrypted" bpio-verify check a 1
	quietly a "$decrypt"
	answers "$fs: then it is bypassed as ever" a enable mark:v read:0:4096 \
		gain:full_reads info <<-END
	$enabled
	read 4096
	gain full_reads=1
	$info_a flags=8 count=1 driver=nvme.ko
	END
}

run() {
	volume_mib=304
	make_volume v "$disk"
	make_fs "$fs" "$(volume v)"
	mount_crypt
	bpio-verify fill a 1 4M
	requests
	recipe
	overtaken
	under_readers
	killed
	contended
	umount_volume v
	check "$fs: the file system is in order" fsck_volume v "$fs"
	remove_volume v
}

load_module bpio-flt-test
defer unload_module bpio-flt-test
on_each_fs run
finish
