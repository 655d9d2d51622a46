#!/bin/bash
# purpose: bpioctl: state texts, operations, reads by path, counters
# quick: stock
# timeout: 300
# shellcheck disable=SC2154 # of the files sourced
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/tools.sh
. "$(dirname "$0")/tools.sh"

# Where a value is empty.
e=

# -- bypassio state (protocol 11.1) -------------------------------------------

supported() {
	local path

	for path in v v/ ./v//dir v/dir/../a; do
		says "state: supported: $path" 0 bypassio state "$path" <<-END
		BypassIo on "$path" is currently supported.
		    Storage Type:   NVMe
		    Storage Driver: BypassIo compatible
		    Driver Name:    nvme.ko
		END
	done
	says "state: supported: -v changes nothing" 0 bypassio state -v v <<-END
	BypassIo on "v" is currently supported.
	    Storage Type:   NVMe
	    Storage Driver: BypassIo compatible
	    Driver Name:    nvme.ko
	END
}

not_supported() {
	says "state: not supported; several paths in their order" 0 \
		bypassio state v/sparse v/a v/sparse -v <<-END
	BypassIo on "v/sparse" is not currently supported.
	Status: 490 (The specified operation is not supported on a sparse file)
	Driver: bpiofs.ko
	Reason: Sparse file not supported
	BypassIo on "v/a" is currently supported.
	    Storage Type:   NVMe
	    Storage Driver: BypassIo compatible
	    Driver Name:    nvme.ko
	BypassIo on "v/sparse" is not currently supported.
	Status: 490 (The specified operation is not supported on a sparse file)
	Driver: bpiofs.ko
	Reason: Sparse file not supported
	END
	says "state: a path that is not there is a failure, the next is told" \
		1 bypassio state v/none v/a <<-END
	BypassIo on "v/a" is currently supported.
	    Storage Type:   NVMe
	    Storage Driver: BypassIo compatible
	    Driver Name:    nvme.ko
	! bpioctl: v/none: open: No such file or directory
	END
}

partial() {
	message v veto STATUS_NOT_SUPPORTED_WITH_ENCRYPTION \
		BitLocker Drive Encryption is enabled.
	says "state: partial; a sparse file still is not supported" 0 \
		bypassio state v v/dir v/a v/sparse <<-END
	BypassIo on "v" is partially supported
	    Volume stack bypass is disabled (dm-bpio.ko)
	    Storage Type:   NVMe
	    Storage Driver: BypassIo compatible
	    Driver Name:    nvme.ko
	BypassIo on "v/dir" is partially supported
	    Volume stack bypass is disabled (dm-bpio.ko)
	    Storage Type:   NVMe
	    Storage Driver: BypassIo compatible
	    Driver Name:    nvme.ko
	BypassIo on "v/a" is partially supported
	    Volume stack bypass is disabled (dm-bpio.ko)
	    Storage Type:   NVMe
	    Storage Driver: BypassIo compatible
	    Driver Name:    nvme.ko
	BypassIo on "v/sparse" is not currently supported.
	Status: 490 (The specified operation is not supported on a sparse file)
	Driver: bpiofs.ko
	Reason: Sparse file not supported
	END
	says "state: partial, -v" 0 bypassio state -v v <<-END
	BypassIo on "v" is partially supported
	    Volume stack bypass is disabled (dm-bpio.ko)
	      Status:  495 (The specified operation is not supported while \
encryption is enabled on the target object)
	      Reason:  BitLocker Drive Encryption is enabled.
	    Storage Type:   NVMe
	    Storage Driver: BypassIo compatible
	    Driver Name:    nvme.ko
	END
	says "state: partial, JSON" 0 bypassio state --json v <<-END
	{"path":"v","state":"partial","effective":"partial","suspended_by":[],"op_status":{"value":"0xC00004C9",\
"name":"STATUS_NOT_SUPPORTED_WITH_ENCRYPTION","win32":495,"text":\
"The specified operation is not supported while encryption is enabled on the \
target object."},"failing_driver_name_len":10,"failing_driver_name":\
"dm-bpio.ko","failure_reason_len":38,"failure_reason":\
"BitLocker Drive Encryption is enabled.","storage_type":"NVMe",\
"storage_driver_compatible":true,"active_bypass_io_count":0,\
"storage_driver_name_len":7,"storage_driver_name":"nvme.ko"}
	END
	unveto
}

unveto() {
	message v unveto
}

# Every status that a veto may be about, one that has a Win32 code of its own,
# and one that nobody knows; codes and messages of protocol section 5.
each_status() {
	local status

	cat >"$tmp/expected"
	for status in 0xC000047B 0xC000047C 0xC000049A 0xC00004C3 0xC00004C4 \
		0xC00004C5 0xC00004C6 0xC00004C7 0xC00004C8 0xC00004C9 \
		0xC00004CA 0xC00004CB 0xC00004CC 0xC00004CD 0xC00004CE \
		0xC00004CF 0xC00004D0 0xC00004D2 0xC0000022 0xC00004D1; do
		message v veto "$status" "Because of $status."
		bpioctl bypassio state -v v/a | grep -A 1 Status:
	done >"$tmp/said"
	unveto
	check "state: code and message of every status" \
		diff -u "$tmp/expected" "$tmp/said"
}

no_opt_in() {
	make_fs ext4 "$disk2"
	mkdir plain
	mount -t bpiofs "$disk2" plain
	says "state: no dm-bpio below" 0 bypassio state -v plain <<-END
	BypassIo on "plain" is partially supported
	    Volume stack bypass is disabled (nvme.ko)
	      Status:  494 (The specified driver does not support BypassIO \
operations)
	      Reason:  The volume has no BypassIO layer (dm-bpio).
	    Storage Type:   NVMe
	    Storage Driver: BypassIo compatible
	    Driver Name:    nvme.ko
	END
	umount plain
	rmdir plain
}

# -- a file system that knows nothing of it (R-FS-4, OR-5) ----------------------

unknown="The request is not supported. (not on a bpiofs mount)"
incorrect="Incorrect function. (not on a bpiofs mount)"

# foreign NAME: it is on one
foreign() {
	local fs=$1 f=$1/file op n

	truncate -s 1M "$f"
	# the kernel's own answer; bpioctl makes a status of it
	rule 16 answers "$fs: the kernel knows no such request" \
		"$f" query enable info <<-END
	query errno=ENOTTY
	enable errno=ENOTTY
	info errno=ENOTTY
	END
	rule 16 says "$fs: state" 1 bypassio state "$fs" "$f" <<-END
	! bpioctl: $fs: STATUS_NOT_SUPPORTED (0xC00000BB, Win32 50): $unknown
	! bpioctl: $f: STATUS_NOT_SUPPORTED (0xC00000BB, Win32 50): $unknown
	END
	n=0
	for op in ENABLE:enable DISABLE:disable QUERY:query \
		VOLUME_STACK_PAUSE:pause-volume \
		VOLUME_STACK_RESUME:resume-volume STREAM_PAUSE:pause-stream \
		STREAM_RESUME:resume-stream GET_INFO:info; do
		n=$((n + 1))
		says "$fs: ${op#*:}" 1 bypassio "${op#*:}" "$f" <<-END
		path:                       $f
		operation:                  $n (${op%:*})
		in_flags:                   0
		status:                     STATUS_NOT_SUPPORTED (0xC00000BB)
		information:                0
		! bpioctl: $f: STATUS_NOT_SUPPORTED (0xC00000BB, Win32 50): $unknown
		END
	done
	says "$fs: offload read" 1 offload read "$f" --token t <<-END
	path:                       $f
	token:                      t
	file_offset:                0
	copy_length:                1048576
	status:                     STATUS_INVALID_DEVICE_REQUEST (0xC0000010)
	information:                0
	! bpioctl: $f: STATUS_INVALID_DEVICE_REQUEST (0xC0000010, Win32 1): \
$incorrect
	END
	check "$fs: no token file" test ! -e t
	head -c 512 /dev/zero >zeros
	says "$fs: offload write" 1 offload write "$f" --token zeros <<-END
	path:                       $f
	token:                      zeros
	file_offset:                0
	copy_length:                1048576
	transfer_offset:            0
	status:                     STATUS_INVALID_DEVICE_REQUEST (0xC0000010)
	information:                0
	! bpioctl: $f: STATUS_INVALID_DEVICE_REQUEST (0xC0000010, Win32 1): \
$incorrect
	END
	says "$fs: crypt" 1 crypt encrypt "$f" <<-END
	path:                       $f
	operation:                  encrypt
	status:                     STATUS_INVALID_DEVICE_REQUEST (0xC0000010)
	information:                0
	! bpioctl: $f: STATUS_INVALID_DEVICE_REQUEST (0xC0000010, Win32 1): \
$incorrect
	END
	says "$fs: cat: the data all the same" 1 bypassio read --length 0 \
		"$f" <<-END
	! bpioctl: $f: STATUS_NOT_SUPPORTED (0xC00000BB, Win32 50): $unknown
	! $f: 0 bytes in 0 reads, BypassIO failed
	! no statistics by path: not on a bpiofs mount
	END
	says "$fs: filter attach" 1 filter attach one "$f" <<-END
	! bpioctl: $f: STATUS_FLT_VOLUME_NOT_FOUND (0xC01C0014, Win32 \
0x801F0014): The system could not find the volume specified. \
(not on a bpiofs mount)
	END
	rm zeros
}

foreigners() {
	says "tmpfs: state" 1 bypassio state copy-of-a <<-END
	! bpioctl: copy-of-a: STATUS_NOT_SUPPORTED (0xC00000BB, Win32 50): \
$unknown
	END
	make_fs ext4 "$disk2"
	mkdir ext4
	mount "$disk2" ext4
	foreign ext4
	umount ext4
	rmdir ext4
}

# -- one operation ---------------------------------------------------------------

operations() {
	local holder

	says "enable" 0 bypassio enable v/a <<-END
	path:                       v/a
	operation:                  1 (ENABLE)
	in_flags:                   0
	status:                     STATUS_SUCCESS (0x00000000)
	information:                352
	out_flags:                  0x00000008 (COMPATIBLE_STORAGE_DRIVER)
	reserved1:                  0
	reserved2:                  0
	op_status:                  STATUS_SUCCESS (0x00000000)
	failing_driver_name_len:    0
	failing_driver_name:        $e
	failure_reason_len:         0
	failure_reason:             $e
	outcome:                    enabled
	END
	says "enable: refused" 1 bypassio enable v/dir <<-END
	path:                       v/dir
	operation:                  1 (ENABLE)
	in_flags:                   0
	status:                     STATUS_SUCCESS (0x00000000)
	information:                352
	out_flags:                  0x00000008 (COMPATIBLE_STORAGE_DRIVER)
	reserved1:                  0
	reserved2:                  0
	op_status:                  STATUS_DIRECTORY_NOT_SUPPORTED (0xC000047C)
	failing_driver_name_len:    9
	failing_driver_name:        bpiofs.ko
	failure_reason_len:         23
	failure_reason:             Directory not supported
	outcome:                    refused
	! bpioctl: v/dir: refused: STATUS_DIRECTORY_NOT_SUPPORTED \
(0xC000047C): bpiofs.ko: Directory not supported
	END

	bpioctl bypassio enable --hold 600 v/a >held &
	holder=$!
	defer stop "$holder"
	wait_for 30 grep -q outcome held
	says "enable --hold, info" 0 bypassio info v <<-END
	path:                       v
	operation:                  8 (GET_INFO)
	in_flags:                   0
	status:                     STATUS_SUCCESS (0x00000000)
	information:                96
	out_flags:                  0x00000008 (COMPATIBLE_STORAGE_DRIVER)
	reserved1:                  0
	reserved2:                  0
	active_bypass_io_count:     1
	storage_driver_name_len:    7
	storage_driver_name:        nvme.ko
	END
	says "pause-stream" 0 bypassio pause-stream v/a <<-END
	path:                       v/a
	operation:                  6 (STREAM_PAUSE)
	in_flags:                   0
	status:                     STATUS_SUCCESS (0x00000000)
	information:                24
	out_flags:                  0x00000002 (STREAM_BYPASS_PAUSED)
	reserved1:                  0
	reserved2:                  0
	END
	says "pause-volume, JSON" 0 bypassio pause-volume v --json <<-END
	{"path":"v","operation":4,"operation_name":"VOLUME_STACK_PAUSE",\
"in_flags":0,"status":{"value":"0x00000000","name":"STATUS_SUCCESS",\
"win32":0,"text":"The operation completed successfully."},"information":24,\
"out_flags":1,"out_flags_names":["VOLUME_STACK_BYPASS_PAUSED"],\
"reserved1":0,"reserved2":0}
	END
	bpioctl bypassio enable v/a 2>complaint >/dev/null
	check_equal "enable: suspended, and why" \
		"bpioctl: v/a: enabled, suspended: the stream is paused" \
		"$(<complaint)"
	bpioctl bypassio resume-stream v/a >resumed
	check_equal "resume-stream" \
		"op_status:                  STATUS_SUCCESS (0x00000000)" \
		"$(grep op_status resumed)"
	bpioctl bypassio enable v/a 2>complaint >/dev/null
	check_equal "enable: partial, and why" \
		"bpioctl: v/a: enabled, partial: the volume stack is paused" \
		"$(<complaint)"
	message v veto 0xC00004CF A snapshot exists.
	bpioctl bypassio resume-volume v >resumed 2>complaint &&
		not_ok "resume-volume: vetoed, and done all the same"
	check_equal "resume-volume: vetoed, and by whom" "bpioctl: v: not \
resumed: STATUS_NOT_SUPPORTED_WITH_SNAPSHOT (0xC00004CF): dm-bpio.ko: \
A snapshot exists." "$(<complaint)"
	unveto
	check_equal "query --skip-storage" \
		"in_flags:                   1
out_flags:                  0x00000000" \
		"$(bpioctl bypassio query --skip-storage v/a | grep flags)"
	stop "$holder"
	rm held complaint resumed
}

storage() {
	says "storage query" 0 storage query /dev/mapper/bpio-v <<-END
	device:                     /dev/mapper/bpio-v
	operation:                  3 (QUERY)
	status:                     STATUS_SUCCESS (0x00000000)
	information:                352
	version:                    352
	size:                       352
	out_flags:                  0x00000000
	reserved2:                  0
	op_status:                  STATUS_SUCCESS (0x00000000)
	failing_driver_name_len:    0
	failing_driver_name:        $e
	failure_reason_len:         0
	failure_reason:             $e
	END
	message v veto 0xC00004CF A snapshot exists.
	check "storage query: a veto is an answer" bpioctl storage query \
		/dev/mapper/bpio-v >/dev/null
	bpioctl storage enable /dev/mapper/bpio-v >/dev/null 2>complaint &&
		not_ok "storage enable: vetoed, and done all the same"
	check_equal "storage enable: vetoed, and by whom" \
		"bpioctl: /dev/mapper/bpio-v: refused: \
STATUS_NOT_SUPPORTED_WITH_SNAPSHOT (0xC00004CF): dm-bpio.ko: A snapshot \
exists." "$(<complaint)"
	unveto
	says "storage disable" 0 storage disable /dev/mapper/bpio-v <<-END
	device:                     /dev/mapper/bpio-v
	operation:                  2 (DISABLE)
	status:                     STATUS_SUCCESS (0x00000000)
	information:                24
	version:                    352
	size:                       24
	out_flags:                  0x00000000
	reserved2:                  0
	END
	says "storage query: no bpio volume" 1 storage query "$disk2" <<-END
	device:                     $disk2
	operation:                  3 (QUERY)
	status:                     STATUS_NOT_SUPPORTED (0xC00000BB)
	information:                0
	! bpioctl: $disk2: STATUS_NOT_SUPPORTED (0xC00000BB, Win32 50): \
The request is not supported.
	END
	rm complaint
}

crypt() {
	says "crypt: no filter encrypts" 1 crypt encrypt v/a <<-END
	path:                       v/a
	operation:                  encrypt
	status:                     STATUS_INVALID_DEVICE_REQUEST (0xC0000010)
	information:                0
	! bpioctl: v/a: STATUS_INVALID_DEVICE_REQUEST (0xC0000010, Win32 1): \
Incorrect function. (no filter of this mount encrypts it)
	END
}

# -- reads by path ---------------------------------------------------------------

# Somebody else reads the same volume and the same file all the time.
others() {
	trap - ERR EXIT
	while :; do
		bpioctl bypassio cat v/a
		bpioctl bypassio cat v/b
	done >/dev/null 2>&1
}

# reads TEXT STATUS FILE <<END: its 1 MiB in pieces of 64 KiB; then on standard
# error to the byte
reads() {
	local text=$1 want=$2 got=0

	cat >expected
	bpioctl bypassio read "$3" --length 1M --block-size 64K >data \
		2>said || got=$?
	check "$text: the data" cmp "copy-of-${3#v/}" data
	check "$text: what went which way" diff -u expected said
	check_equal "$text: the exit status" "$want" "$got"
}

# shellcheck disable=SC2317 # by wait_for
nobody_enabled() { [ "$(counter v active_count)" = 0 ]; }

paths() {
	local other fd

	others &
	other=$!
	defer stop "$other"
	reads "full, and others read too" 0 v/a <<-END
	v/a: 1048576 bytes in 16 reads, BypassIO enabled
	path                 reads             bytes   (this open)
	full                    16           1048576
	partial                  0                 0
	traditional              0                 0
	END
	# who is enabled when the veto comes is paused instead
	stop "$other"
	wait_for 10 nobody_enabled
	message v veto 0xC00004CF A snapshot exists.
	others &
	other=$!
	defer stop "$other"
	reads "under a veto" 0 v/a <<-END
	bpioctl: v/a: enabled, partial: STATUS_NOT_SUPPORTED_WITH_SNAPSHOT \
(0xC00004CF): dm-bpio.ko: A snapshot exists.
	v/a: 1048576 bytes in 16 reads, BypassIO enabled, partial
	path                 reads             bytes   (this open)
	full                     0                 0
	partial                 16           1048576
	traditional              0                 0
	fallback                16  storage_veto
	END
	unveto
	bpioctl bypassio pause-volume v >/dev/null
	reads "on a paused volume" 0 v/a <<-END
	bpioctl: v/a: enabled, partial: the volume stack is paused
	v/a: 1048576 bytes in 16 reads, BypassIO enabled, partial
	path                 reads             bytes   (this open)
	full                     0                 0
	partial                 16           1048576
	traditional              0                 0
	fallback                16  volume_paused
	END
	bpioctl bypassio resume-volume v >/dev/null
	stop "$other"

	exec {fd}<v/a
	read -r -N 1 -u "$fd"
	reads "with a cached open" 0 v/a <<-END
	v/a: 1048576 bytes in 16 reads, BypassIO enabled
	path                 reads             bytes   (this open)
	full                     0                 0
	partial                  0                 0
	traditional             16           1048576
	fallback                16  cached_users
	END
	exec {fd}<&-
	reads "refused" 1 v/sparse <<-END
	bpioctl: v/sparse: refused: STATUS_SPARSE_FILE_NOT_SUPPORTED \
(0xC00004C4): bpiofs.ko: Sparse file not supported
	v/sparse: 1048576 bytes in 16 reads, BypassIO refused
	path                 reads             bytes   (this open)
	full                     0                 0
	partial                  0                 0
	traditional             16           1048576
	fallback                16  not_enabled
	END
	# Of a file that nobody else has read: another enabled open, then this one.
	hold_open b v/c enable read:0:65536
	bpioctl bypassio cat v/c --json 2>said >/dev/null
	let_go b
	sed -E 's/"dm-[0-9]+"/"dm-"/' said >data
	cat >expected <<-END
	{"path":"v/c","outcome":"enabled","bytes":65536,"reads":1,\
"volume":"dm-","counts_of":"open","full_bytes":65536,"full_reads":1,\
"partial_bytes":0,"partial_reads":0,"traditional_bytes":0,\
"traditional_reads":0,"fallback_reasons":{},"stream":{"opens":2,\
"full_bytes":131072,"full_reads":2,"partial_bytes":0,"partial_reads":0,\
"traditional_bytes":0,"traditional_reads":0,"fallback_reasons":{}}}
	END
	check "JSON, with the counts of the file" diff -u expected data
	rm expected said data
}

# -- stats -----------------------------------------------------------------------

# value NAME < JSON: of a counter that is there once
value() { grep -o "\"$1\":[0-9]*" | sed 's/.*://'; }

stats() {
	local dev sys name watch

	setup_volume w ext4 "$disk" 1000
	dev=$(dmsetup info -c --noheadings -o blkdevname bpio-v)
	sys=/sys/fs/bpiofs/$dev
	bpioctl stats v >shown
	for name in v/dir v/a /dev/mapper/bpio-v "/dev/$dev" "$dev" bpio-v; do
		check "stats $name" cmp shown <(bpioctl stats "$name")
	done
	check_equal "stats: the volume" "/dev/mapper/bpio-v ($dev)" \
		"$(head -n 1 shown)"
	check_equal "stats: all volumes" "/dev/mapper/bpio-v
/dev/mapper/bpio-w" "$(bpioctl stats | grep -o '^/dev/mapper/[^ ]*' | sort)"

	bpioctl stats --json w >before
	begin v
	bpioctl bypassio read v/a --length 1M --block-size 64K >/dev/null
	message v veto 0xC00004CF A snapshot exists.
	bpioctl bypassio read v/a --length 1M --block-size 64K \
		>/dev/null 2>&1
	unveto
	check "stats: what one volume does is not the other's" \
		cmp before <(bpioctl stats --json w)
	check_gained "stats: read by two paths" v full_reads=16 \
		partial_reads=16 why_storage_veto=16
	sync	# so that nothing is written in between
	bpioctl stats v --json >shown
	for name in full_reads full_bytes partial_reads partial_bytes \
		traditional_reads traditional_bytes active_count; do
		check_equal "stats: $name" "$(<"$sys/$name")" \
			"$(value "$name" <shown)"
	done
	for name in storage_veto volume_paused cached_users not_enabled; do
		check_equal "stats: because of $name" \
			"$(sed -n "s/^$name //p" "$sys/fallback_reasons")" \
			"$(value "fallback_reasons.$name" <shown)"
	done
	for name in enables disables queries vetoes bypassed_reads \
		bypassed_bytes mapped_writes; do
		check_equal "stats: $name" "$(dmsetup status bpio-v |
			grep -o " $name=[0-9]*" | sed 's/.*=//')" \
			"$(value "$name" <shown)"
	done

	bpioctl stats --watch=1 >watched &
	watch=$!
	defer stop "$watch"
	wait_for 10 grep -q bpio-w watched
	bpioctl bypassio read v/a --length 1M --block-size 64K >/dev/null
	check "stats --watch: what was gained" \
		wait_for 10 grep -q 'full_reads .* (+16)$' watched
	make_volume x "$disk" 1400
	check "stats --watch: a volume that comes" \
		wait_for 10 grep -q '^/dev/mapper/bpio-x ' watched
	stop "$watch"
	remove_volume x
	remove_volume w
	cd "$tmp"
	says "stats: no volume of ours" 1 stats "$disk2" <<-END
	! bpioctl: $disk2: no bpio target and no bpiofs mount
	END
	says "stats: not on a mount" 1 stats shown <<-END
	! bpioctl: shown: neither a block device nor on a bpiofs mount: \
No such device
	END
	rm shown before watched
}

cd "$tmp"
setup_volume v ext4 "$disk"
cd "$tmp"
head -c 1M /dev/urandom >copy-of-a
head -c 64K /dev/urandom >copy-of-b
cp copy-of-b copy-of-c
truncate -s 1M copy-of-sparse
head -c 64K copy-of-a | dd of=copy-of-sparse bs=64K seek=15 conv=notrunc \
	status=none
mkdir v/dir
for f in a b c sparse; do
	dd if=copy-of-$f of=v/$f bs=64K oflag=direct conv=sparse status=none
done
rule 157 supported
rule 157 not_supported
rule 157 partial
rule 157 each_status <<END
      Status:  335 (The specified operation is not supported on a compressed \
file)
      Reason:  Because of 0xC000047B.
      Status:  336 (The specified operation is not supported on a directory)
      Reason:  Because of 0xC000047C.
      Status:  360 (The specified operation is not supported on a DAX volume)
      Reason:  Because of 0xC000049A.
      Status:  489 (The specified operation is not supported on an encrypted \
file)
      Reason:  Because of 0xC00004C3.
      Status:  490 (The specified operation is not supported on a sparse file)
      Reason:  Because of 0xC00004C4.
      Status:  491 (The specified operation is not supported on a pagefile)
      Reason:  Because of 0xC00004C5.
      Status:  492 (The specified operation is not supported on a volume)
      Reason:  Because of 0xC00004C6.
      Status:  493 (The specified operation is not supported on a BypassIO \
enabled file)
      Reason:  Because of 0xC00004C7.
      Status:  494 (The specified driver does not support BypassIO operations)
      Reason:  Because of 0xC00004C8.
      Status:  495 (The specified operation is not supported while encryption \
is enabled on the target object)
      Reason:  Because of 0xC00004C9.
      Status:  496 (The specified operation is not supported while compression \
is enabled on the target object)
      Reason:  Because of 0xC00004CA.
      Status:  497 (The specified operation is not supported while replication \
is enabled on the target object)
      Reason:  Because of 0xC00004CB.
      Status:  498 (The specified operation is not supported while \
deduplication is enabled on the target object)
      Reason:  Because of 0xC00004CC.
      Status:  499 (The specified operation is not supported while auditing is \
enabled on the target object)
      Reason:  Because of 0xC00004CD.
      Status:  503 (The specified operation is not supported while monitoring \
is enabled on the target object)
      Reason:  Because of 0xC00004CE.
      Status:  504 (The specified operation is not supported while snapshot is \
enabled on the target object)
      Reason:  Because of 0xC00004CF.
      Status:  505 (The specified operation is not supported while \
virtualization is enabled on the target object)
      Reason:  Because of 0xC00004D0.
      Status:  506 (At least one minifilter does not support bypass IO)
      Reason:  Because of 0xC00004D2.
      Status:  5 (Access is denied)
      Reason:  Because of 0xC0000022.
      Status:  317 (NTSTATUS 0xC00004D1)
      Reason:  Because of 0xC00004D1.
END
no_opt_in
foreigners
operations
storage
crypt
exec {fd}<v/b
check "reads are counted by open" grep -q ^bpio- "/proc/self/fdinfo/$fd"
exec {fd}<&-
paths
stats
umount_volume v
check "in order afterwards" fsck_volume v ext4
remove_volume v
finish
