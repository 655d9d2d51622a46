#!/bin/bash
# purpose: the eight operations: outputs, lengths, counts, storage requests
# fs: ext4 xfs
# quick: stock:ext4 stock-6.12:ext4
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

ok352="info=352 op"
none="result=SUCCESS driver= reason="

outputs() {
	rule 6 17 18 20 54 55 76 answers "$fs: ENABLE, QUERY, GET_INFO, DISABLE: outputs and counts" \
		a enable info enable info query info disable info disable <<-END
	enable status=SUCCESS $ok352=1 flags=8 $none
	info status=SUCCESS info=96 op=8 flags=8 count=1 driver=nvme.ko
	enable status=SUCCESS $ok352=1 flags=8 $none
	info status=SUCCESS info=96 op=8 flags=8 count=1 driver=nvme.ko
	query status=SUCCESS $ok352=3 flags=8 $none
	info status=SUCCESS info=96 op=8 flags=8 count=1 driver=nvme.ko
	disable status=SUCCESS info=24 op=2 flags=0
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	disable status=SUCCESS info=24 op=2 flags=0
	END
	rule 17 answers "$fs: pause and resume with nothing to do" \
		a resumev resumes pauses resumes query <<-END
	resumev status=SUCCESS $ok352=5 flags=0 $none
	resumes status=SUCCESS $ok352=7 flags=0 $none
	pauses status=SUCCESS info=24 op=6 flags=0
	resumes status=SUCCESS $ok352=7 flags=0 $none
	query status=SUCCESS $ok352=3 flags=8 $none
	END
}

bad_input() {
	rule 8 9 12 answers "$fs: lengths: 23 and 351 refused, more than needed left alone" \
		a in=23 enable out=351 enable in=0 query out=0 query \
		in=23 out=351 op:99 in=4096 out=4096 enable out=4096 info \
		in=65536 out=65536 disable <<-END
	enable status=INVALID_BUFFER_SIZE info=0
	enable status=INVALID_BUFFER_SIZE info=0
	query status=INVALID_BUFFER_SIZE info=0
	query status=INVALID_BUFFER_SIZE info=0
	op status=INVALID_BUFFER_SIZE info=0
	enable status=SUCCESS $ok352=1 flags=8 $none
	info status=SUCCESS info=96 op=8 flags=8 count=1 driver=nvme.ko
	disable status=SUCCESS info=24 op=2 flags=0
	END
	rule 13 14 15 answers "$fs: operations, flags and reserved fields out of range" \
		a op:0 op:9 op:0xffffffff query:2 enable:0x80000000 \
		res1=1 query res2=1 query res1=0x8000000000000000 disable \
		info <<-END
	op status=INVALID_PARAMETER info=0
	op status=INVALID_PARAMETER info=0
	op status=INVALID_PARAMETER info=0
	query status=INVALID_PARAMETER info=0
	enable status=INVALID_PARAMETER info=0
	query status=INVALID_PARAMETER info=0
	query status=INVALID_PARAMETER info=0
	disable status=INVALID_PARAMETER info=0
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	END
	answers "$fs: the carrier: errno for its own faults only" \
		a flags=2 query reserved=1 query devfd=0 query in=65537 query \
		inptr=bad query inptr=null query outptr=bad query \
		outptr=null query outptr=readonly query outptr=readonly op:9 \
		overlap query kernel query raw:0x90440:0:0 \
		raw:0x000900D7:8:0 info <<-END
	query errno=EINVAL
	query errno=EINVAL
	query errno=EINVAL
	query errno=EINVAL
	query errno=EFAULT
	query errno=EFAULT
	query errno=EFAULT
	query errno=EFAULT
	query errno=EFAULT
	op errno=EFAULT
	query status=SUCCESS $ok352=3 flags=8 $none
	query status=SUCCESS $ok352=3 flags=8 $none
	raw status=INVALID_DEVICE_REQUEST info=0
	raw status=INVALID_DEVICE_REQUEST info=0
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	END
	check "$fs: KERNEL_MODE is for administrators" \
		test "$(setpriv --reuid 65534 --clear-groups bpio-ctl a:r \
		kernel query)" = "query errno=EPERM"
}

handles() {
	rule 6 17 25 26 32 33 55 64 76 answers "$fs: directory and volume handle" \
		dir enable query disable info resumev pauses resumes open:. \
		enable query disable info pausev resumev use:0 info <<-END
	enable status=SUCCESS $ok352=1 flags=8 result=DIRECTORY_NOT_SUPPORTED \
driver=bpiofs.ko reason=Directory not supported
	query status=SUCCESS $ok352=3 flags=8 $none
	disable status=SUCCESS info=24 op=2 flags=0
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	resumev status=SUCCESS $ok352=5 flags=0 $none
	pauses status=SUCCESS info=24 op=6 flags=0
	resumes status=SUCCESS $ok352=7 flags=0 $none
	enable status=SUCCESS $ok352=1 flags=8 result=VOLUME_NOT_SUPPORTED \
driver=bpiofs.ko reason=Volume handle not supported
	query status=SUCCESS $ok352=3 flags=8 $none
	disable status=SUCCESS info=24 op=2 flags=0
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	pausev status=SUCCESS info=24 op=4 flags=1
	resumev status=SUCCESS $ok352=5 flags=0 $none
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	END
	rule 78 answers "$fs: three enabled opens of two files, a dup is the same open" \
		a enable open:a enable open:b enable info use:1 dup enable \
		info disable use:1 info <<-END
	enable status=SUCCESS $ok352=1 flags=8 $none
	enable status=SUCCESS $ok352=1 flags=8 $none
	enable status=SUCCESS $ok352=1 flags=8 $none
	info status=SUCCESS info=96 op=8 flags=8 count=3 driver=nvme.ko
	enable status=SUCCESS $ok352=1 flags=8 $none
	info status=SUCCESS info=96 op=8 flags=8 count=3 driver=nvme.ko
	disable status=SUCCESS info=24 op=2 flags=0
	info status=SUCCESS info=96 op=8 flags=8 count=2 driver=nvme.ko
	END
}

# What reaches storage: 0->1 and 1->0 only.
storage_requests() {
	begin v
	bpio-ctl a enable enable open:b enable use:0 disable use:1 disable \
		disable >/dev/null
	rule 20 35 36 check_gained "$fs: one ENABLE and one DISABLE reach storage" v \
		enables=1 disables=1 queries=0 vetoes=0 active_count=0
	begin v
	bpio-ctl a enable open:b enable >/dev/null
	rule 39 check_gained "$fs: close of the last enabled open disables" v \
		enables=1 disables=1 queries=0 active_count=0
	begin v
	bpio-ctl a query query:1 open:dir query open:. query:1 >/dev/null
	rule 44 46 check_gained "$fs: QUERY asks storage each time, SKIP never" v \
		enables=0 disables=0 queries=2
	begin v
	bpio-ctl dir enable open:. enable disable >/dev/null
	rule 32 check_gained "$fs: an automatic veto sends nothing" v \
		enables=0 disables=0 queries=0 active_count=0
	rule 46 check_equal "$fs: QUERY leaves storage as it was" idle \
		"$(counter v bypass)"
}

run() {
	setup_volume v "$fs" "$disk"
	cd "$tmp/v"
	mkdir dir
	bpio-verify fill a 1 1M
	bpio-verify fill b 2 64K
	chmod 644 a
	outputs
	bad_input
	handles
	storage_requests
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
}

on_each_fs run
finish
