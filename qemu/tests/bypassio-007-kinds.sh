#!/bin/bash
# purpose: compressed and encrypted files: refused, and read all the same
# quick: stock
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

# vetoed TEXT FILE STATUS REASON: by ENABLE and QUERY, with nothing counted and
# nobody below asked
vetoed() {
	local text=$1 file=$2 veto="result=$3 driver=bpiofs.ko reason=$4"

	rm -f "$tmp/r1"
	begin v
	answers "$text: ENABLE, QUERY" "$file" enable query query:1 info \
		disable read:0:64K:"$tmp/r1" <<-END
	enable status=SUCCESS info=352 op=1 flags=8 $veto
	query status=SUCCESS info=352 op=3 flags=8 $veto
	query status=SUCCESS info=352 op=3 flags=0 $veto
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	disable status=SUCCESS info=24 op=2 flags=0
	read 65536
	END
	rule 32 check_gained "$text: nobody below was asked" v enables=0 queries=0 \
		disables=0 full_reads=0 partial_reads=0 traditional_reads=1
}

# otherwise TEXT FILE: what was read is $tmp/data; no offload
otherwise() {
	check "$1: its data is read" cmp "$tmp/data" "$tmp/r1"
	rule 114 answers "$1: offload read and write" "$2" oread:0:64K zeroA \
		owrite:0:64K <<-END
	oread status=OFFLOAD_READ_FILE_NOT_SUPPORTED info=0
	owrite status=OFFLOAD_WRITE_FILE_NOT_SUPPORTED info=0
	END
}

enabled="enable status=SUCCESS info=352 op=1 flags=8 result=SUCCESS driver= \
reason="

# ext4 keeps the attribute and does not compress.
compressed() {
	make_volume v "$disk"
	make_fs ext4 "$(volume v)"
	mount_volume v
	cd "$tmp/v"
	dd if="$tmp/data" of=packed bs=64K oflag=direct status=none
	answers "before: enabled" packed enable <<<"$enabled"
	chattr +c packed
	check_equal "the attribute is set" c \
		"$(lsattr packed | cut -d ' ' -f 1 | tr -dc c)"
	rule 27 33 vetoed "compressed" packed COMPRESSED_FILE_NOT_SUPPORTED \
		"Compressed file not supported"
	otherwise "compressed" packed
	chattr -c packed
	answers "and not any more: enabled" packed enable mark:v read:0:64K \
		gain:full_reads <<-END
	$enabled
	read 65536
	gain full_reads=1
	END
	cd /
	remove_volume v
}

# with_key COMMAND ARG...: in a session whose keyring has the key.
# with_policy DIRECTORY: what is made in there will be encrypted with it.
with_key() { /usr/bin/python3 "$tmp/crypt.py" key "$@"; }
with_policy() { /usr/bin/python3 "$tmp/crypt.py" policy "$1"; }

# fscrypt, version 1: linux/fscrypt.h
key_program() {
	cat >"$tmp/crypt.py" <<-'END'
	import ctypes, fcntl, os, struct, sys

	SYS_add_key, SYS_keyctl = 248, 250
	KEYCTL_JOIN_SESSION_KEYRING, KEY_SPEC_SESSION_KEYRING = 1, -3
	FS_IOC_SET_ENCRYPTION_POLICY = 0x800c6613
	AES_256_XTS, AES_256_CTS = 1, 4
	descriptor = bytes(range(0x10, 0x18))
	libc = ctypes.CDLL(None, use_errno=True)

	def call(*args):
	    if libc.syscall(*args) < 0:
	        sys.exit(os.strerror(ctypes.get_errno()))

	if sys.argv[1] == "policy":
	    fd = os.open(sys.argv[2], os.O_RDONLY)
	    fcntl.ioctl(fd, FS_IOC_SET_ENCRYPTION_POLICY,
	                struct.pack("4B8s", 0, AES_256_XTS, AES_256_CTS, 0, descriptor))
	else:
	    call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, None)
	    key = struct.pack("I64sI", AES_256_XTS, bytes(range(64)), 64)
	    call(SYS_add_key, b"logon", b"fscrypt:" + descriptor.hex().encode(), key,
	         len(key), KEY_SPEC_SESSION_KEYRING)
	    os.execvp(sys.argv[2], sys.argv[2:])
	END
}

remount() {
	umount_volume v
	mount_volume v
	cd "$tmp/v"
}

encrypted() {
	local name

	key_program
	make_volume v "$disk"
	make_fs ext4 "$(volume v)" -O encrypt
	# a policy is an ioctl of the lower file system, which bpiofs passes not on
	mkdir "$tmp/lower"
	mount -t ext4 "$(volume v)" "$tmp/lower"
	mkdir "$tmp/lower/secret"
	with_policy "$tmp/lower/secret"
	if ! with_key cp "$tmp/data" "$tmp/lower/secret/made" 2>"$tmp/err"; then
		umount "$tmp/lower"
		remove_volume v
		echo "skip - encrypted files: $(cat "$tmp/err")"
		return
	fi
	cp "$tmp/data" "$tmp/lower/plain"
	umount "$tmp/lower"
	mount_volume v
	cd "$tmp/v"
	cp "$tmp/data" plain

	name=$(ls secret)
	check "without the key: a name, another one" \
		test -n "$name" -a "$name" != made
	check_equal "and it cannot be opened" "open secret/$name errno=ENOKEY" \
		"$(bpio-ctl "secret/$name" enable || true)"
	remount
	check_equal "with it: the name" made "$(with_key ls secret)"
	check "its data" with_key cmp secret/made "$tmp/data"
	check_equal "the attribute" E \
		"$(with_key lsattr secret/made | cut -d ' ' -f 1 | tr -dc E)"
	remount
	# once it is in memory with its key anybody may open it
	with_key cp secret/made "$tmp/copy"
	rule 28 33 vetoed "encrypted" secret/made ENCRYPTED_FILE_NOT_SUPPORTED \
		"Encrypted file not supported"
	otherwise "encrypted" secret/made
	answers "a plain file of the volume: enabled" plain enable mark:v \
		read:0:64K gain:full_reads <<-END
	$enabled
	read 65536
	gain full_reads=1
	END
	with_key cp "$tmp/data" secret/new
	remount
	check "made through bpiofs: its data" with_key cmp secret/new "$tmp/data"
	cd /
	umount_volume v
	check "in order afterwards" fsck_volume v ext4
	remove_volume v
}

head -c 65536 /dev/urandom >"$tmp/data"
compressed
encrypted
finish
