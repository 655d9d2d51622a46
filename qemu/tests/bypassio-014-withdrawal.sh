#!/bin/bash
# purpose: vetoes come and go: what ENABLE and QUERY say, when the bypass is back, and what state says
# quick: stock debug
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/tools.sh
. "$(dirname "$0")/tools.sh"

none="result=SUCCESS driver= reason="
snap="result=NOT_SUPPORTED_WITH_SNAPSHOT driver=dm-bpio.ko reason=A snapshot"
crypt="result=NOT_SUPPORTED_WITH_ENCRYPTION driver=low.ko reason=Encrypting"
enable="enable status=SUCCESS info=352 op=1"
query="query status=SUCCESS info=352 op=3"
info="info status=SUCCESS info=96 op=8"
veto="msg:veto STATUS_NOT_SUPPORTED_WITH_SNAPSHOT A snapshot"
low_veto="sh:dmsetup message bpio-low 0 veto STATUS_NOT_SUPPORTED_WITH_ENCRYPTION Encrypting"

# What one open has enabled, a second one is told without asking (R-FS-13).
remembered() {
	rule 42 answers "a veto comes upon an enabled open: the next ENABLE says what QUERY says" \
		a mark:v enable "$veto" open:b:r enable query info use:0 \
		read:0:4096 gain:partial_reads:full_reads:enables <<-END
	$enable flags=8 $none
	$enable flags=9 $snap
	$query flags=9 $snap
	$info flags=9 count=2 driver=nvme.ko
	read 4096
	gain partial_reads=1 full_reads=0 enables=1
	END
	rule 62 answers "RESUME under the veto changes neither" \
		a enable open:b resumev enable query read:0:4096 <<-END
	$enable flags=8 $snap
	resumev status=SUCCESS info=352 op=5 flags=0 $snap
	$enable flags=8 $snap
	$query flags=8 $snap
	read 4096
	END
	answers "unveto: refused at ENABLE, bypassed from now on, without a RESUME" \
		a mark:v enable read:0:4096 msg:unveto read:0:4096 open:b \
		enable query gain:partial_reads:full_reads \
		show:bypass:paused <<-END
	$enable flags=8 $snap
	read 4096
	read 4096
	$enable flags=8 $none
	$query flags=8 $none
	gain partial_reads=1 full_reads=1
	show bypass=active paused=0
	END
	answers "unveto: paused by the veto, with or without a RESUME in between" \
		a mark:v enable read:0:4096 "$veto" read:0:4096 msg:unveto \
		read:0:4096 "$veto" resumev read:0:4096 msg:unveto read:0:4096 \
		info gain:partial_reads:full_reads <<-END
	$enable flags=8 $none
	read 4096
	read 4096
	read 4096
	resumev status=SUCCESS info=352 op=5 flags=0 $snap
	read 4096
	read 4096
	$info flags=8 count=1 driver=nvme.ko
	gain partial_reads=2 full_reads=3
	END
	answers "a veto replaces a veto: the last one is remembered" \
		a mark:v enable "$veto" "msg:veto 0xC00004C9 Encrypting" open:b \
		enable msg:unveto enable <<-END
	$enable flags=8 $none
	$enable flags=9 result=NOT_SUPPORTED_WITH_ENCRYPTION \
driver=dm-bpio.ko reason=Encrypting
	$enable flags=8 $none
	END
	answers "the pause of a veto ends with the last enabled open" \
		a mark:v enable "$veto" info disable info show:paused \
		msg:unveto enable read:0:4096 gain:full_reads <<-END
	$enable flags=8 $none
	$info flags=9 count=1 driver=nvme.ko
	disable status=SUCCESS info=24 op=2 flags=0
	$info flags=8 count=0 driver=nvme.ko
	show paused=0
	$enable flags=8 $none
	read 4096
	gain full_reads=1
	END
}

# What else keeps the volume paused goes on doing so.
other_reasons() {
	answers "paused by a user before the veto, or during it" \
		a mark:v enable pausev "$veto" msg:unveto read:0:4096 info query \
		resumev read:0:4096 "$veto" pausev msg:unveto read:0:4096 info \
		resumev read:0:4096 gain:partial_reads:full_reads <<-END
	$enable flags=8 $none
	pausev status=SUCCESS info=24 op=4 flags=1
	read 4096
	$info flags=9 count=1 driver=nvme.ko
	$query flags=9 $none
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	read 4096
	pausev status=SUCCESS info=24 op=4 flags=1
	read 4096
	$info flags=9 count=1 driver=nvme.ko
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	read 4096
	gain partial_reads=2 full_reads=2
	END
	answers "two layers: the other one's veto is named and stays" \
		a mark:v enable "$veto" "$low_veto" open:b enable msg:unveto \
		enable query read:0:4096 \
		sh:"dmsetup message bpio-low 0 unveto" enable query \
		read:0:4096 gain:partial_reads:full_reads <<-END
	$enable flags=8 $none
	$enable flags=9 $snap
	$enable flags=9 $crypt
	$query flags=9 $crypt
	read 4096
	$enable flags=8 $none
	$query flags=8 $none
	read 4096
	gain partial_reads=1 full_reads=1
	END
	answers "withdrawn during a suspend: the resume brings the bypass back" \
		a mark:v enable "$veto" suspend msg:unveto open:b enable \
		resume "$(until_bypassed v)" use:0 read:0:4096 \
		gain:partial_reads:full_reads <<-END
	$enable flags=8 $none
	$enable flags=8 $none
	read 4096
	gain partial_reads=0 full_reads=1
	END
}

storage="    Storage Type:   NVMe
    Storage Driver: BypassIo compatible
    Driver Name:    nvme.ko"

# suspended_by: state, path and causes, of JSON
suspended_by() {
	[[ $(bpioctl bypassio state --json "$1") =~ $json ]] || BASH_REMATCH=()
	echo "${BASH_REMATCH[*]:1}"
}
json='"state":"([a-z_]+)","effective":"([a-z]+)","suspended_by":\[([^]]*)\]'

# suspended WHAT CAUSE DRIVER REASON PATH EFFECTIVE: no Status line, though -v
suspended() {
	says "state -v: $1" 0 bypassio state -v "$5" <<-END
	BypassIo on "$5" is partially supported
	    Volume stack bypass is disabled ($3)
	      Reason:  $4
	$storage
	END
	check_equal "state --json: $1" "supported ${6-partial} $2" \
		"$(suspended_by "$5")"
}

supported() {
	says "state: $1" 0 bypassio state -v . <<-END
	BypassIo on "." is currently supported.
	$storage
	END
	check_equal "state --json: $1" "supported full " "$(suspended_by .)"
}

# In text and JSON: a script must find it out as well as a person.
told() {
	supported "nothing enabled"
	bpio-ctl . pausev >/dev/null
	suspended "paused, nothing enabled" '"pause"' bpiofs.ko \
		"The volume is paused (VOLUME_STACK_PAUSE)." a
	bpio-ctl . resumev >/dev/null
	hold_open h a enable
	supported "enabled"
	bpio-ctl . pausev >/dev/null
	suspended "paused" '"pause"' bpiofs.ko \
		"The volume is paused (VOLUME_STACK_PAUSE)." .
	dmsetup suspend bpio-v
	suspended "paused and suspended" '"pause","suspend"' bpiofs.ko \
		"The volume is paused (VOLUME_STACK_PAUSE). The device is suspended." .
	dmsetup resume bpio-v
	bpio-ctl . resumev >/dev/null
	wait_for 10 grep -qx "" "$sys/suspended_by"
	supported "resumed"
	bpio-ctl a pauses >/dev/null
	suspended "the file is paused" '"stream_pause"' bpiofs.ko \
		"The file is paused (STREAM_PAUSE)." a traditional
	supported "the file is paused, the volume is not"
	bpio-ctl a resumes >/dev/null

	message v veto STATUS_NOT_SUPPORTED_WITH_SNAPSHOT A snapshot
	says "state -v: a standing veto: to the letter" 0 \
		bypassio state -v . <<-END
	BypassIo on "." is partially supported
	    Volume stack bypass is disabled (dm-bpio.ko)
	      Status:  504 (The specified operation is not supported while \
snapshot is enabled on the target object)
	      Reason:  A snapshot
	$storage
	END
	check_equal "state --json: a standing veto" 'partial partial "veto"' \
		"$(suspended_by .)"
	bpio-ctl . pausev >/dev/null
	says "state: a standing veto and a pause: both are told" 0 \
		bypassio state . <<-END
	BypassIo on "." is partially supported
	    Volume stack bypass is disabled (dm-bpio.ko)
	      Reason:  The volume is paused (VOLUME_STACK_PAUSE).
	$storage
	END
	bpio-ctl . resumev >/dev/null
	message v unveto
	supported "withdrawn"

	bpioctl storage disable "$(volume v)" >/dev/null
	suspended "disabled at the device" '"disable"' dm-bpio.ko \
		"BypassIO was disabled at the device (/dev/bpio)." .
	bpio-ctl . resumev >/dev/null
	supported "RESUME enables again"

	mkdir "$tmp/other"
	mount -t ext4 "$(volume v)" "$tmp/other"
	suspended "mounted elsewhere" '"mount"' bpiofs.ko \
		"The file system below is mounted elsewhere as well." . traditional
	umount "$tmp/other"
	supported "no longer"
	let_go h
	supported "closed"
}

make_volume low "$disk" 0 driver_name low.ko
make_volume v /dev/mapper/bpio-low
make_fs ext4 "$(volume v)"
mount_volume v
sys=$(volume_dir v)
cd "$tmp/v"
bpio-verify fill a 1 1M
bpio-verify fill b 2 64K
bpio-verify check -e a 1
bpio-verify check -e b 2
remembered
other_reasons
told
check "the bytes are right" bpio-verify check -e a 1
finish
