#!/bin/bash
# purpose: idmapped mounts: the same as on the lower file system alone
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
# needs: prog=python3
# timeout: 300
export FS_BYPASS=1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

idmap=$(dirname "$0")/idmap.py
mapped=$tmp/mapped
mkdir "$mapped"
chmod 711 "$tmp"
sysctls=/proc/sys/fs

ext4_features=(-O quota -E quotatype=usrquota)

# shellcheck disable=SC2317 # deferred
umount_mapped() { ! mountpoint -q "$mapped" || umount "$mapped"; }

# operations: those of idmap.py, on $mnt and a mapped mount of it
operations() {
	python3 "$idmap" mount "$mnt" "$mapped"
	python3 "$idmap" operations "$mnt" "$mapped" "$dev"
	umount "$mapped"
}

# So that a comparison of nothing with nothing does not pass.
did() {
	check "$fs: $1" grep -Fxq -- "$2" "$tmp/got"
}

compare() {
	format "$fs"
	mount -t "$fs" -o usrquota "$dev" "$mnt"
	operations >"$tmp/want"
	umount "$mnt"

	format "$fs"
	mount_bpiofs -o lowerdata=usrquota
	operations >"$tmp/got"
	check "$fs: $(wc -l <"$tmp/want") lines as on $fs alone" \
		diff -U2 "$tmp/want" "$tmp/got"
	did "owners are mapped" "  mapped w/hers: 11000:12000 100600 size 5 links 1"
	did "and stored unmapped" "  plain w/file: 1000:2000 100644 size 4 links 1"
	did "nobody else has a name here" "raw: create where all may: EOVERFLOW"
	did "the owner may" "alice: chmod: ok"
	did "others may not" "bob: read: EACCES"
	did "access control lists are mapped" \
		"  mapped w/file $ACCESS: user::7 user:11001:6 group::5 group:12002:4 mask::7 other::0"
	did "and stored unmapped" \
		"  plain w/file $ACCESS: user::7 user:1001:6 group::5 group:2002:4 mask::7 other::0"
	if grep -q '^container: setcap: ENOTSUP' "$tmp/want"; then
		echo "skip - $fs: the kernel's $fs keeps no file capabilities"
	else
		did "file capabilities of a container, below" \
			"  plain w/caps security.capability: 0100000300200000000000000000000000000000e8030000"
	fi
	check "$fs: $(count_of full_reads) reads were bypassed" \
		test "$(count_of full_reads)" -ge 8
	umount "$mnt"
	check "$fs: the file system is in order" fsck_clean "$fs"
}

# The same module, but its type ext3 does not say that it maps ids.
unmapped_below() {
	local unsupported="Operation not supported"

	ext4_features=()
	format ext3
	mount_bpiofs -o lower=ext3
	if python3 "$idmap" mount "$mnt" "$mapped" 2>"$tmp/why"; then
		fails "ext3: stat is refused" "$unsupported" stat "$mapped"
		fails "ext3: listing is refused" "$unsupported" ls "$mapped"
		fails "ext3: creating is refused" "$unsupported" \
			touch "$mapped/new"
		fails "ext3: chown is refused" "$unsupported" \
			chown 11000 "$mapped"
		umount "$mapped"
	else
		check "ext3: no idmapped mount" grep -q 'Invalid argument' \
			"$tmp/why"
	fi
	check_equal "ext3: nothing was changed" 0:0 "$(stat -c %u:%g "$mnt")"
	umount "$mnt"
	check "ext3: the file system is in order" fsck_clean ext3
}

ACCESS=system.posix_acl_access
for knob in protected_hardlinks protected_regular; do
	defer eval "echo $(cat "$sysctls/$knob") >$sysctls/$knob"
	echo 1 >"$sysctls/$knob"
done
defer umount_mapped
for fs in $BPIO_FS; do compare; done
unmapped_below
finish
