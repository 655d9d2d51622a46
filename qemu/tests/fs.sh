# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the fs-* tests after lib.sh: a bpiofs mount to work in. With
# FS_BYPASS set it is on a bpio device, and each direct read is to be bypassed.

dev=/dev/nvme0n1
# shellcheck disable=SC2154 # of lib.sh
mnt=$tmp/mnt
mkdir "$mnt"
mount_options=()
# of mkfs, for ext4 and the like
ext4_features=()

# format TYPE: on $dev
format() {
	wipefs -qa "$dev"
	case $1 in
	xfs) mkfs.xfs -q -f -m reflink=1 "$dev" ;;
	*) "mkfs.$1" -q -F "${ext4_features[@]}" "$dev" ;;
	esac
}

# fsck_clean TYPE: complains, and fails, unless that of $dev is in order
fsck_clean() {
	case $1 in
	xfs) xfs_repair -n "$dev" >"$tmp/fsck" 2>&1 ;;
	*) e2fsck -f -n "$dev" >"$tmp/fsck" 2>&1 ;;
	esac || {
		cat "$tmp/fsck"
		return 1
	}
}

# mount_bpiofs [OPTION...]: $dev at $mnt
mount_bpiofs() { mount -t bpiofs "${mount_options[@]}" "$@" "$dev" "$mnt"; }

# count_of FILE: of the mount, in sysfs
count_of() { cat "/sys/fs/bpiofs/$(lsblk -dno KNAME "$dev")/$1"; }

# umount_if_mounted: $mnt
# shellcheck disable=SC2317 # deferred
umount_if_mounted() {
	cd /
	while mountpoint -q "$mnt"; do
		umount "$mnt" || return
	done
}

# on_each_mount FUNCTION: with a fresh bpiofs mount in $mnt, $fs telling which.
on_each_mount() {
	for fs in $BPIO_FS; do
		format "$fs"
		mount_bpiofs
		cd "$mnt" || fail "no $mnt"
		"$@"
		cd /
		[ -z "${FS_BYPASS-}" ] ||
			check "$fs: $(count_of full_reads) reads were bypassed" \
				test "$(count_of full_reads)" -gt 0
		umount "$mnt"
		check "$fs: the file system is in order" fsck_clean "$fs"
	done
}

load_modules
defer unload_modules
if [ "${FS_BYPASS-}" ]; then
	dmsetup create fs-bypass \
		--table "0 $(blockdev --getsz "$dev") bpio $dev 0"
	defer dmsetup remove --retry fs-bypass
	dev=/dev/mapper/fs-bypass
	mount_options=(-o bypassio=auto)
fi
defer umount_if_mounted
