#!/bin/bash
# purpose: which requests tell storage, flag 8, and that a pause ends with its opens
# fs: ext4 xfs
# quick: stock:ext4
# shellcheck disable=SC2154 # $tmp of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

none="result=SUCCESS driver= reason="
enabled="enable status=SUCCESS info=352 op=1 flags=8 $none"
disabled="disable status=SUCCESS info=24 op=2 flags=0"

# After each request: what storage has been told since the start.
told() {
	rule 35 36 37 38 answers "$fs: storage hears of the first and of the last" \
		a mark:v enable gain:enables open:b enable gain:enables \
		disable gain:disables use:0 disable gain:disables <<-END
	$enabled
	gain enables=1
	$enabled
	gain enables=1
	$disabled
	gain disables=0
	$disabled
	gain disables=1
	END
	rule 45 answers "$fs: SKIP does not keep ENABLE from storage" \
		a mark:v enable:1 gain:enables show:bypass \
		disable <<-END
	$enabled
	gain enables=1
	show bypass=active
	$disabled
	END
	message v veto 0xC00004CF busy
	rule 45 answers "$fs: nor its veto from the answer" \
		a mark:v enable:1 gain:enables:vetoes <<-END
	enable status=SUCCESS info=352 op=1 flags=8 \
result=NOT_SUPPORTED_WITH_SNAPSHOT driver=dm-bpio.ko reason=busy
	gain enables=1 vetoes=1
	END
	message v unveto
}

# stream_opens NAME: open_count of each of its files
stream_opens() {
	local key value

	cat "/proc/${held[$1]}/fdinfo/"* >"$tmp/fdinfo"
	while read -r key value; do
		[ "$key" != bpio-stream-opens: ] || echo "$value"
	done <"$tmp/fdinfo"
}

# A death closes what is open, like close(2).
killed() {
	hold_open one a enable
	rule 18 check_equal "$fs: ENABLE: open_count and active_count are 1" \
		"1 1 active" "$(stream_opens one) $(counter v active_count) \
$(counter v bypass)"
	hold_open two b enable open:a enable
	rule 21 check_equal "$fs: two opens of one file, one of another" \
		"2 3" "$(stream_opens one) $(counter v active_count)"
	begin v
	let_go two -KILL
	rule 37 40 check_equal "$fs: two of three killed: storage stays enabled" \
		"1 1 active" "$(stream_opens one) $(counter v active_count) \
$(counter v bypass)"
	rule 37 check_gained "$fs: and hears nothing" v disables=0
	let_go one -KILL
	rule 38 40 check_equal "$fs: the last killed: it is told" "0 idle" \
		"$(counter v active_count) $(counter v bypass)"
	rule 38 check_gained "$fs: once" v disables=1
}

pause_ends() {
	hold_open one a enable pauses
	hold_open two a enable
	let_go one
	rule 75 answers "$fs: one of two opens closed: the file stays paused" \
		a enable mark:v read:0:4096 gain:full_reads:why_stream_paused <<-END
	enable status=SUCCESS info=352 op=1 flags=10 $none
	read 4096
	gain full_reads=0 why_stream_paused=1
	END
	let_go two
	rule 75 answers "$fs: the last closed: the next is not paused" \
		a enable mark:v read:0:4096 gain:full_reads:why_stream_paused <<-END
	$enabled
	read 4096
	gain full_reads=1 why_stream_paused=0
	END
}

# flags FILE OPERATION...: what each returns
flags() { bpio-ctl "$@" | sed -n 's/.* flags=\([0-9]*\).*/\1/p' | xargs; }

flag_8() {
	rule 53 check_equal "$fs: flag 8 is for ENABLE, QUERY, GET_INFO only" \
		"8 8 8 0 0 0 1 0" "$(flags a enable query info disable pauses \
			resumes pausev resumev)"
}

# not_nvme WHAT DEVICE: a file system there, on a volume
not_nvme() {
	local volume_mib=48

	# ext4 needs less memory
	setup_volume w ext4 "$2"
	cd "$tmp/w"
	bpio-verify fill a 1 64K
	rule 52 check_equal "$1: no flag 8" "0 0 0 0" \
		"$(flags a enable query query:1 info)"
	umount_volume w
	check "$1: in order afterwards" fsck_volume w ext4
	remove_volume w
}

no_flag_8() {
	local loop

	if modprobe -q brd rd_nr=1 rd_size=65536; then
		defer rmmod brd
		not_nvme "a RAM disk" /dev/ram0
		dmsetup create linear --table "0 131072 linear /dev/ram0 0"
		defer dmsetup remove --retry linear
		not_nvme "dm-linear on a RAM disk" /dev/mapper/linear
	else
		echo "skip - flag 8 on a RAM disk: the kernel has no brd"
	fi
	if modprobe -q loop; then
		truncate -s 64M "$tmp/file"
		loop=$(losetup -f --show "$tmp/file")
		defer losetup -d "$loop"
		not_nvme "a loop device" "$loop"
	else
		echo "skip - flag 8 on a loop device: the kernel has none"
	fi
}

run() {
	setup_volume v "$fs" "$disk"
	cd "$tmp/v"
	bpio-verify fill a 1 64K
	bpio-verify fill b 2 64K
	told
	killed
	pause_ends
	flag_8
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
no_flag_8
finish
