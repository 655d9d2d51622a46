#!/bin/bash
# purpose: storage vetoes: partial bypass, who and why, by layer
# fs: ext4 xfs
# quick: stock:xfs
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

none="result=SUCCESS driver= reason="
snap="result=NOT_SUPPORTED_WITH_SNAPSHOT driver=dm-bpio.ko reason=A snapshot \
is being taken"

veto() {
	message v veto 0xC00004CF A snapshot is being taken
	begin v
	rule 6 41 42 43 44 51 answers "$fs: enabled under a veto: who and why" \
		a enable enable open:b enable query query:1 info read:0:4096 \
		disable <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $snap
	enable status=SUCCESS info=352 op=1 flags=8 $snap
	enable status=SUCCESS info=352 op=1 flags=8 $snap
	query status=SUCCESS info=352 op=3 flags=8 $snap
	query status=SUCCESS info=352 op=3 flags=0 $none
	info status=SUCCESS info=96 op=8 flags=8 count=2 driver=nvme.ko
	read 4096
	disable status=SUCCESS info=24 op=2 flags=0
	END
	rule 41 42 44 check_gained "$fs: partial: filters skipped, dm sees the read" v \
		enables=1 queries=1 vetoes=2 disables=1 partial_reads=1 \
		partial_bytes=4096 why_storage_veto=1 full_reads=0 \
		traditional_reads=0 "mapped_reads>0" bypassed_reads=0
	check "$fs: the bytes are right" bpio-verify check -e -E uring a 1

	begin v
	rule 62 63 answers "$fs: a veto on an enabled volume, RESUME while it stands and \
after" a enable sh:"dmsetup message bpio-v 0 unveto" read:0:4096 resumev \
		read:0:4096 \
		sh:"dmsetup message bpio-v 0 veto 0xC00004C9 Encrypting" \
		info read:0:4096 resumev read:0:4096 \
		sh:"dmsetup message bpio-v 0 unveto" read:0:4096 resumev \
		read:0:4096 query <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $snap
	read 4096
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	read 4096
	info status=SUCCESS info=96 op=8 flags=9 count=1 driver=nvme.ko
	read 4096
	resumev status=SUCCESS info=352 op=5 flags=0 \
result=NOT_SUPPORTED_WITH_ENCRYPTION driver=dm-bpio.ko reason=Encrypting
	read 4096
	read 4096
	resumev status=SUCCESS info=352 op=5 flags=0 $none
	read 4096
	query status=SUCCESS info=352 op=3 flags=8 $none
	END
	rule 62 63 check_gained "$fs: full after unveto and after RESUME" v full_reads=4 \
		partial_reads=2 traditional_reads=0
	# shellcheck disable=SC2046 # many words
	message v veto STATUS_NOT_SUPPORTED_WITH_MONITORING \
		$(printf '%.0s123456789 ' {1..20})
	rule 7 check_equal "$fs: a reason of 200 characters is cut to 128" \
		"$(printf '%.0s123456789 ' {1..12})12345678" \
		"$(bpio-ctl a query | sed 's/.*reason=//')"
	message v unveto
	check "a success status is no veto" test -z "$(dmsetup message bpio-v \
		0 veto 0 nothing 2>/dev/null && echo taken)"
	check "a veto needs a reason" test -z "$(dmsetup message bpio-v \
		0 veto 0xC00004C9 2>/dev/null && echo taken)"
}

# not_opted_in TEXT DRIVER REASON FLAGS STORAGE-DRIVER: somebody below $PWD's
# volume has not
not_opted_in() {
	local what=$1 driver=$2 reason=$3 flags=$4 storage=$5

	bpio-verify fill a 1 256K
	[ "${6-}" = nostats ] || begin v
	answers "$what below: partial, and named" a enable query query:1 info \
		read:0:4096 disable query <<-END
	enable status=SUCCESS info=352 op=1 flags=$flags \
result=NO_BYPASSIO_DRIVER_SUPPORT driver=$driver reason=$reason
	query status=SUCCESS info=352 op=3 flags=$flags \
result=NO_BYPASSIO_DRIVER_SUPPORT driver=$driver reason=$reason
	query status=SUCCESS info=352 op=3 flags=0 $none
	info status=SUCCESS info=96 op=8 flags=$flags count=1 driver=$storage
	read 4096
	disable status=SUCCESS info=24 op=2 flags=0
	query status=SUCCESS info=352 op=3 flags=$flags \
result=NO_BYPASSIO_DRIVER_SUPPORT driver=$driver reason=$reason
	END
	[ "${6-}" = nostats ] || check_gained "$what below: partial" v \
		partial_reads=1 full_reads=0 traditional_reads=0 bypassed_reads=0
	check "$what below: the bytes are right" bpio-verify check -e a 1
}

stacked() {
	make_volume low "$disk" 100
	make_volume v /dev/mapper/bpio-low 0 driver_name upper.ko
	make_fs ext4 "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill a 1 1M
	bpio-verify check -e a 1
	begin v
	begin low
	check "two layers: the bytes are right" bpio-verify check -e -E aio a 1
	check_gained "two layers: bypassed both" v "full_reads>3" \
		mapped_reads=0 enables=1 disables=1
	check_gained "two layers: ENABLE and DISABLE forwarded" low \
		mapped_reads=0 enables=1 disables=1 bypassed_reads=0

	message low veto 0xC00004CB replicating below
	begin v
	begin low
	answers "the lower vetoes: it is named" a enable query read:0:4096 <<-END
	enable status=SUCCESS info=352 op=1 flags=8 \
result=NOT_SUPPORTED_WITH_REPLICATION driver=dm-bpio.ko reason=replicating below
	query status=SUCCESS info=352 op=3 flags=8 \
result=NOT_SUPPORTED_WITH_REPLICATION driver=dm-bpio.ko reason=replicating below
	read 4096
	END
	check_gained "the lower vetoes: the read passes both" v \
		mapped_reads=1 partial_reads=1 bypassed_reads=0
	hold_open h a enable
	rule 49 check_equal "the upper layer has not entered the enabled state" \
		vetoed "$(counter v bypass)"
	let_go h
	message v veto 0xC00004CF snapshot above
	begin low
	rule 48 answers "both veto: the one nearer the file system is named" \
		a query enable <<-END
	query status=SUCCESS info=352 op=3 flags=8 \
result=NOT_SUPPORTED_WITH_SNAPSHOT driver=upper.ko reason=snapshot above
	enable status=SUCCESS info=352 op=1 flags=8 \
result=NOT_SUPPORTED_WITH_SNAPSHOT driver=upper.ko reason=snapshot above
	END
	rule 48 check_gained "the lower sees nothing" low queries=0 enables=0
	message v unveto
	message low unveto
	cd /
	umount_volume v

	begin low
	rule 50 answers "IOCTLs: DISABLE of what is not enabled, QUERY, ENABLE" \
		/dev/bpio device:"$(volume v)" mark:v kernel sdisable \
		show:bypass squery senable kernel senable kernel sdisable <<-END
	sdisable status=SUCCESS info=24 version=352 size=24 op=2 flags=0
	show bypass=idle
	squery status=SUCCESS info=352 version=352 size=352 op=3 flags=0 $none
	senable status=ACCESS_DENIED info=0
	senable status=SUCCESS info=352 version=352 size=352 op=1 flags=0 $none
	sdisable status=SUCCESS info=24 version=352 size=24 op=2 flags=0
	END
	rule 50 check_gained "the lower hears of each" low disables=2 queries=1 \
		enables=1
	remove_volume v
	remove_volume low
}

run() {
	setup_volume v "$fs" "$disk"
	cd "$tmp/v"
	bpio-verify fill a 1 1M
	bpio-verify fill b 2 64K
	veto
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v

	make_volume v "$disk" 0 no_bypassio driver_name stubborn.ko
	mount_volume v
	cd "$tmp/v"
	rule 47 not_opted_in "$fs: a layer that has not opted in" stubborn.ko \
		"The layer has not opted in to BypassIO." 8 nvme.ko
	remove_volume v
}

on_each_fs run
stacked

dmsetup create linear --table "0 $((volume_mib << 11)) linear $disk 0"
defer dmsetup remove --retry linear
setup_volume v ext4 /dev/mapper/linear
cd "$tmp/v"
rule 47 not_opted_in "dm-linear" dm-mod.ko \
	"The layer below has not opted in to BypassIO." 8 nvme.ko
remove_volume v

# A table that is bpio in part: as the volume, and below it.
half=$((volume_mib << 10))
dmsetup create bpio-mixed --table "0 $half bpio $disk 0
$half $half linear $disk $half"
live[mixed]=yes
defer remove_volume mixed
make_fs ext4 "$(volume mixed)"
mount_volume mixed
cd "$tmp/mixed"
rule 47 not_opted_in "a mixed table" dm-mod.ko \
	"The table has targets other than bpio." 8 nvme.ko nostats
umount_volume mixed
setup_volume v ext4 "$(volume mixed)"
cd "$tmp/v"
rule 47 not_opted_in "a layer with a mixed table" dm-mod.ko \
	"The table below has targets other than bpio." 8 nvme.ko
remove_volume v
remove_volume mixed

if modprobe -q dm-crypt; then
	dmsetup create crypt --table "0 $((volume_mib << 11)) crypt \
		aes-xts-plain64 $(head -c 32 /dev/zero | od -An -v -tx1 |
			tr -d ' \n') 0 $disk 0"
	defer dmsetup remove --retry crypt
	setup_volume v ext4 /dev/mapper/crypt
	cd "$tmp/v"
	rule 47 not_opted_in "dm-crypt" dm-crypt.ko \
		"The layer below has not opted in to BypassIO." 8 nvme.ko
	remove_volume v
else
	echo "skip - dm-crypt below: the kernel has none"
fi

# No bpio device at all.
make_fs ext4 "$disk2"
mkdir "$tmp/plain"
mount -t bpiofs "$disk2" "$tmp/plain"
defer umount -q "$tmp/plain"
defer cd /
cd "$tmp/plain"
rule 109 not_opted_in "plain NVMe" nvme.ko \
	"The volume has no BypassIO layer (dm-bpio)." 8 nvme.ko nostats
answers "plain NVMe: no ODX" a oread:0:65536 zeroA owrite:0:65536 <<-END
oread status=NOT_SUPPORTED info=0
owrite status=NOT_SUPPORTED info=0
END
sys=/sys/fs/bpiofs/$(basename $disk2)
check "plain NVMe: partial reads are counted" \
	test "$(cat "$sys/partial_reads")" -gt 0 -a "$(cat "$sys/full_reads")" = 0
finish
