#!/bin/bash
# purpose: mount options, what is refused, sharing, remount, unmount
# quick: stock
# needs: nvme>=1
# timeout: 240
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

mnt2=$tmp/mnt2
mkdir "$mnt2"

# refused TEXT PATTERN ARG...: mount fails, and the kernel log says why.
refused() {
	local text=$1 pattern=$2 mark

	shift 2
	mark=$(dmesg_mark)
	if mount -t bpiofs "$@" 2>/dev/null; then
		umount "${!#}"
		not_ok "$text: it was mounted"
	elif dmesg_since "$mark" | grep -q "bpiofs: .*$pattern"; then
		ok "$text"
	else
		dmesg_since "$mark"
		not_ok "$text: no message '$pattern'"
	fi
}

shown() { findmnt -no FS-OPTIONS "$mnt"; }

type_by_signature() {
	local fs

	for fs in ext2 ext4 xfs; do
		make_fs "$fs"
		mount_bpiofs
		check "$fs: mounts without lower=" test -d "$mnt"
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
	refused "no signature" "Unknown signature" "$dev" "$mnt"
}

options() {
	local mark

	make_fs ext4
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

	refused "an unknown option" "Unknown option 'frob'" -o frob "$dev" "$mnt"
	mark=$(dmesg_mark)
	# mount(8) would leave it out
	check_equal "an open quote is EINVAL" 22 "$(python3 -c '
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mount(sys.argv[1].encode(), sys.argv[2].encode(), b"bpiofs", 0,
           b"lowerdata=\"commit=5,ro")
print(ctypes.get_errno())' "$dev" "$mnt")"
	check "and says so" grep -q "Unbalanced quote" <(dmesg_since "$mark")
	refused "a word that bypassio= does not know" "bypassio" \
		-o bypassio=maybe "$dev" "$mnt"
	refused "options that the lower file system refuses" "lowerdata" \
		-o lowerdata=frob=1 "$dev" "$mnt"
}

refusals() {
	make_fs ext4
	refused "a type that does not exist" "No file system type" \
		-o lower=nosuchfs "$dev" "$mnt"
	refused "a type that is on no block device" "no file system on a block" \
		-o lower=tmpfs "$dev" "$mnt"
	refused "itself" "no file system on a block" \
		-o lower=bpiofs "$dev" "$mnt"
	refused "the wrong type" "does not mount" -o lower=xfs "$dev" "$mnt"
	refused "a directory" "Not a block device" /tmp "$mnt"

	mount -t ext4 "$dev" "$mnt2"
	refused "a device that is mounted" "mounted elsewhere" "$dev" "$mnt"
	check "the other mount is as it was" touch "$mnt2/file"
	umount "$mnt2"
	mount_bpiofs
	check "once that is gone it mounts" test -e "$mnt/file"
	umount "$mnt"
}

sharing() {
	make_fs ext4
	mount_bpiofs -o bypassio=auto
	mount -t bpiofs -o bypassio=auto "$dev" "$mnt2"
	touch "$mnt/one"
	check "a second mount shows the same files" test -e "$mnt2/one"
	check_equal "on the same device" "$(stat -c %d "$mnt")" \
		"$(stat -c %d "$mnt2")"
	umount "$mnt"
	check "and lives on alone" touch "$mnt2/two"
	refused "other options" "mounted already, with other" \
		-o bypassio=manual "$dev" "$mnt"
	refused "read-only beside read-write" "mounted already, for writing" \
		-o ro,bypassio=auto "$dev" "$mnt"
	check "rmmod is refused while mounted" \
		bash -c '! rmmod bpiofs 2>/dev/null'
	umount "$mnt2"
}

read_only() {
	make_fs ext4
	mount_bpiofs
	touch "$mnt/file"
	mount -o remount,ro "$mnt"
	check "remount,ro: no more writes" bash -c "! touch $mnt/new 2>/dev/null"
	check "remount,ro: reads" cat "$mnt/file"
	mount -o remount,rw "$mnt"
	check "remount,rw: writes again" touch "$mnt/new"
	exec 5>"$mnt/file"
	check "remount,ro with a file open for writing is refused" \
		bash -c "! mount -o remount,ro $mnt 2>/dev/null"
	exec 5>&-
	check "a remount cannot change another option" \
		bash -c "! mount -o remount,bypassio=auto $mnt 2>/dev/null"
	umount "$mnt"

	mount_bpiofs -o ro
	check "ro: no writes" bash -c "! touch $mnt/new2 2>/dev/null"
	check "ro: neither below" grep -q '^ro' /proc/fs/ext4/"${dev##*/}"/options
	check "ro: the lower file system stays so" \
		bash -c "! mount -o remount,rw $mnt 2>/dev/null"
	umount "$mnt"
	blockdev --setro "$dev"
	mount_bpiofs -o ro
	check "a read-only device mounts read-only" test -e "$mnt/new"
	umount "$mnt"
	blockdev --setrw "$dev"
}

busy() {
	make_fs ext4
	mount_bpiofs
	cp /bin/sleep "$mnt/"
	"$mnt/sleep" 100 &
	wait_for 10 grep -q "$mnt/sleep" "/proc/$!/maps"
	check "umount is refused while a mapping lives" \
		bash -c "! umount $mnt 2>/dev/null"
	check "a running program cannot be written" \
		bash -c "! echo >>$mnt/sleep" 2>/dev/null
	kill $!
	wait $! || true
	umount "$mnt"

	mount_bpiofs
	exec 6<"$mnt"/sleep
	umount -l "$mnt"
	refused "a device that is busy after umount -l, with other options" \
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
