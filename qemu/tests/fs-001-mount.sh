#!/bin/bash
# purpose: mount options, what is refused, sharing, remount, unmount
# quick: stock debug stock-6.12
# needs: nvme>=1
# timeout: 240
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

mnt2=$tmp/mnt2
mkdir "$mnt2"

# mount_fails TEXT PATTERN ARG...: and a message of bpiofs says why: in the kernel
# log, or a newer mount(8) prints it, which mounts by fsconfig(2).
mount_fails() {
	local text=$1 pattern=$2 mark

	shift 2
	mark=$(dmesg_mark)
	if mount -t bpiofs "$@" >"$tmp/said" 2>&1; then
		umount "${!#}"
		not_ok "$text: it was mounted"
		return
	fi
	dmesg_since "$mark" >>"$tmp/said"
	if grep -q "bpiofs: .*$pattern" "$tmp/said"; then
		ok "$text"
	else
		sed 's/^/# /' "$tmp/said"
		not_ok "$text: no message '$pattern'"
	fi
}

# in_order NAME: the unmounted file system, ext4, is.
in_order() { check "$1: the file system is in order" fsck_clean ext4; }

not() { ! "$@" 2>/dev/null; }

shown() { findmnt -no FS-OPTIONS "$mnt"; }

type_by_signature() {
	local fs

	for fs in ext2 ext4 xfs; do
		format "$fs"
		mount_bpiofs
		check_equal "$fs: mounts without lower=" bpiofs \
			"$(findmnt -no FSTYPE "$mnt")"
		check_equal "$fs: statfs tells bpiofs" 6270696f \
			"$(stat -f -c %t "$mnt")"
		case $fs in
		xfs) check_equal "$fs: the type is shown" lower=xfs \
			"$(shown | grep -o 'lower=[^,]*')" ;;
		*) check_equal "$fs: ext4 does it" lower=ext4 \
			"$(shown | grep -o 'lower=[^,]*')" ;;
		esac
		umount "$mnt"
		check "$fs: the device is free after umount" fsck_clean "$fs"
	done
	dd if=/dev/zero of="$dev" bs=1M count=2 oflag=direct status=none
	mount_fails "no signature" "Unknown signature" "$dev" "$mnt"
}

options() {
	local mark

	format ext4
	mount_bpiofs -o 'lower=ext4,lowerdata="data=journal,commit=77",bypassio=auto,control=any'
	check_equal "options are shown as they are given" \
		'rw,lower=ext4,lowerdata="data=journal,commit=77",bypassio=auto,control=any' \
		"$(shown)"
	check "the lower file system got its options" \
		grep -q commit=77 /proc/fs/ext4/"${dev##*/}"/options
	check "both of them" \
		grep -q data=journal /proc/fs/ext4/"${dev##*/}"/options
	umount "$mnt"

	mount_bpiofs -o 'lowerdata=commit=78\,nodelalloc'
	check "a backslash quotes a comma" \
		grep -q nodelalloc /proc/fs/ext4/"${dev##*/}"/options
	umount "$mnt"

	python3 - "$dev" "$mnt" <<-'END'
	import ctypes, os, sys
	libc = ctypes.CDLL(None, use_errno=True)
	def call(*args):
	    ret = libc.syscall(*args)
	    if ret < 0:
	        raise OSError(ctypes.get_errno(), str(args))
	    return ret
	FSOPEN, FSCONFIG, FSMOUNT, MOVE = 430, 431, 432, 429
	fs = call(FSOPEN, b"bpiofs", 0)
	for key, value in (("source", sys.argv[1]), ("lower", "ext4"),
	                   ("lowerdata", "commit=79,nodelalloc")):
	    call(FSCONFIG, fs, 1, key.encode(), value.encode(), 0)
	call(FSCONFIG, fs, 6, 0, 0, 0)
	mnt = call(FSMOUNT, fs, 0, 0)
	call(MOVE, mnt, b"", -100, sys.argv[2].encode(), 4)
	END
	check_equal "fsconfig(2) takes values as they are" \
		'rw,lower=ext4,lowerdata="commit=79,nodelalloc"' "$(shown)"
	umount "$mnt"

	mount_fails "an unknown option" "Unknown option 'frob'" -o frob "$dev" "$mnt"
	mark=$(dmesg_mark)
	# mount(8) would leave it out
	check_equal "an open quote is EINVAL" 22 "$(python3 -c '
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mount(sys.argv[1].encode(), sys.argv[2].encode(), b"bpiofs", 0,
           b"lowerdata=\"commit=5,ro")
print(ctypes.get_errno())' "$dev" "$mnt")"
	check "and says so" grep -q "Unbalanced quote" <(dmesg_since "$mark")
	mount_fails "a word that bypassio= does not know" "bypassio" \
		-o bypassio=maybe "$dev" "$mnt"
	mount_fails "options that the lower file system refuses" "lowerdata" \
		-o lowerdata=frob=1 "$dev" "$mnt"
}

refusals() {
	format ext4
	mount_fails "a type that does not exist" "No file system type" \
		-o lower=nosuchfs "$dev" "$mnt"
	mount_fails "a type that is on no block device" "no file system on a block" \
		-o lower=tmpfs "$dev" "$mnt"
	mount_fails "itself" "no file system on a block" \
		-o lower=bpiofs "$dev" "$mnt"
	mount_fails "the wrong type" "does not mount" -o lower=xfs "$dev" "$mnt"
	mount_fails "a directory" "Not a block device" /tmp "$mnt"

	mount -t ext4 "$dev" "$mnt2"
	mount_fails "a device that is mounted" "mounted elsewhere" "$dev" "$mnt"
	check "the other mount is as it was" touch "$mnt2/file"
	umount "$mnt2"
	mount_bpiofs
	check "once that is gone it mounts" test -e "$mnt/file"
	umount "$mnt"
	in_order "refusals"
}

sharing() {
	format ext4
	mount_bpiofs -o bypassio=auto
	mount -t bpiofs -o bypassio=auto "$dev" "$mnt2"
	touch "$mnt/one"
	check "a second mount shows the same files" test -e "$mnt2/one"
	check_equal "on the same device" "$(stat -c %d "$mnt")" \
		"$(stat -c %d "$mnt2")"
	umount "$mnt"
	check "and lives on alone" touch "$mnt2/two"
	mount_fails "other options" "mounted already, with other" \
		-o bypassio=manual "$dev" "$mnt"
	mount_fails "read-only beside read-write" "mounted already, for writing" \
		-o ro,bypassio=auto "$dev" "$mnt"
	fails "rmmod is refused while mounted" "Module bpiofs is in use" \
		rmmod bpiofs
	umount "$mnt2"
	in_order "sharing"
}

read_only() {
	format ext4
	mount_bpiofs
	touch "$mnt/file"
	mount -o remount,ro "$mnt"
	fails "remount,ro: no more writes" "Read-only file system" \
		touch "$mnt/new"
	check "remount,ro: reads" cat "$mnt/file"
	mount -o remount,rw "$mnt"
	check "remount,rw: writes again" touch "$mnt/new"
	exec 5>"$mnt/file"
	check "remount,ro with a file open for writing is refused" \
		not mount -o remount,ro "$mnt"
	check "and it can still be written" touch "$mnt/new"
	exec 5>&-
	check "a remount cannot change another option" \
		not mount -o remount,bypassio=auto "$mnt"
	check_equal "and does not" "rw,lower=ext4" "$(shown)"
	umount "$mnt"

	mount_bpiofs -o ro
	fails "ro: no writes" "Read-only file system" touch "$mnt/new2"
	check "ro: neither below" grep -q '^ro' /proc/fs/ext4/"${dev##*/}"/options
	check "ro: the lower file system stays so" \
		not mount -o remount,rw "$mnt"
	umount "$mnt"
	blockdev --setro "$dev"
	mount_bpiofs -o ro
	check "a read-only device mounts read-only" test -e "$mnt/new"
	umount "$mnt"
	blockdev --setrw "$dev"
	in_order "read-only"
}

busy() {
	format ext4
	mount_bpiofs
	cp /bin/sleep "$mnt/"
	"$mnt/sleep" 100 &
	wait_for 10 grep -q "$mnt/sleep" "/proc/$!/maps"
	fails "umount is refused while a mapping lives" "target is busy." \
		umount "$mnt"
	# shellcheck disable=SC2016 # for eval
	fails "a running program cannot be written" "Text file busy" \
		eval 'echo >>"$mnt/sleep"'
	kill $!
	wait $! || true
	umount "$mnt"

	mount_bpiofs
	exec 6<"$mnt"/sleep
	umount -l "$mnt"
	mount_fails "a device that is busy after umount -l, with other options" \
		"mounted already" -o bypassio=auto "$dev" "$mnt"
	check "files open across umount -l can be read" cmp /proc/self/fd/6 /bin/sleep
	exec 6<&-
	check "the device is free afterwards" wait_for 5 fsck_clean ext4

	mount_bpiofs
	check "freezing" fsfreeze -f "$mnt"
	touch "$mnt/frozen" &
	check "keeps writers waiting" wait_for 60 kept_out $!
	check "keeps writers out" test ! -e "$mnt/frozen"
	check "thawing" fsfreeze -u "$mnt"
	wait $!
	check "lets them in" test -e "$mnt/frozen"
	check "sync" sync -f "$mnt"
	umount "$mnt"
	check "the file system is in order" fsck_clean ext4
}

type_by_signature
options
refusals
sharing
read_only
busy
finish
