#!/bin/bash
# purpose: programs confined by Landlock or AppArmor, and what the caller may
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
#
# They do on bpiofs what they do on the file system below, with the same results.
# The mounter's credentials open the lower file; what the caller's rights decide
# stays as it is: set-user-ID, blocks that are reserved for root.
# shellcheck disable=SC2086,SC2154 # numbers and words; $tmp, $fs of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/fs.sh
. "$(dirname "$0")/fs.sh"

user=1000
parameters=/sys/module/apparmor/parameters

# Why there is no AppArmor; nothing when there is.
no_apparmor() {
	command -v apparmor_parser >/dev/null ||
		echo "apparmor_parser is not there (package apparmor)"
	[ "$(cat $parameters/enabled 2>/dev/null)" = Y ] ||
		echo "the kernel has no AppArmor, or it is off"
}

# A program of this name may do what it likes in $mnt, and nowhere else.
load_profile() {
	if ! mountpoint -q /sys/kernel/security; then
		mount -t securityfs none /sys/kernel/security
		defer umount /sys/kernel/security
	fi
	cp "$(command -v bpio-confined)" "$tmp/confined"
	chmod 755 "$tmp/confined"
	cat >"$tmp/profile" <<-END
		profile bpio-confined $tmp/confined {
		  $mnt/ rw,
		  $mnt/** rwlkm,
		  capability,
		}
	END
	apparmor_parser -K -r "$tmp/profile"
	defer apparmor_parser -R "$tmp/profile"
}

# everything HOW PROGRAM ARG...: its lines, by root and by an ordinary user
everything() {
	local id

	for id in 0 $user; do
		mkdir "$mnt/d"
		chown $id:$id "$mnt/d"
		"${@:2}" -u $id -o "$tmp/outside" "$mnt/d" >"$tmp/$1.$id" 2>&1 ||
			echo "status $?" >>"$tmp/$1.$id"
		rm -rf "$mnt/d"
	done
}

# all_programs DIRECTORY: what becomes of them on what is mounted
all_programs() {
	local id

	mkdir -p "$tmp/$1"
	everything "$1/free" bpio-confined
	everything "$1/landlock" bpio-confined -l
	[ "$without" ] || everything "$1/apparmor" "$tmp/confined"
	for id in 0 $user; do
		: >"$mnt/suid"
		bpio-confined -u $id suid "$mnt/suid" >"$tmp/$1/suid.$id" 2>&1
		rm "$mnt/suid"
	done
}

# compare TEXT FILE: the same here and there
compare() {
	check "$fs: $1: as below" diff -u "$tmp/below/$2" "$tmp/above/$2"
}

programs() {
	local id kind outside refused

	format "$fs"
	mount "$dev" "$mnt"
	all_programs below
	umount "$mnt"
	mount_bpiofs
	all_programs above
	umount "$mnt"
	check "$fs: the file system is in order" fsck_clean "$fs"
	for id in 0 $user; do
		compare "user $id, set-user-ID" suid.$id
		for kind in free landlock apparmor; do
			[ -e "$tmp/below/$kind.$id" ] || continue
			if grep -q "no Landlock" "$tmp/below/$kind.$id"; then
				echo "skip - $fs: user $id: this kernel has no Landlock"
				continue
			fi
			compare "user $id, $kind" $kind.$id
			refused=$(grep -v ': ok$' "$tmp/above/$kind.$id") || true
			case $kind in
			free) outside= ;;
			*) outside="outside: Permission denied" ;;
			esac
			check_equal "$fs: user $id, $kind: what is refused" \
				"$outside" "$refused"
		done
	done
	# of two results that are equally wrong
	check_equal "$fs: set-user-ID goes when another user writes" \
		"write: ok, 777" "$(head -n 1 "$tmp/above/suid.$user")"
}

# An ordinary user leaves the blocks that are reserved for root.
reserved() {
	local how left available reserve

	wipefs -qa "$dev"
	mkfs.ext4 -q -F -m 10 "$dev" 32M
	reserve=$(tune2fs -l "$dev" | sed -n 's/^Reserved block count: *//p')
	mount_bpiofs
	chmod 777 "$mnt"
	for how in "" -f; do
		# shellcheck disable=SC2086 # or nothing
		bpio-confined -u $user $how fill "$mnt/full"
		read -r left available <<<"$(stat -f -c '%f %a' "$mnt")"
		check_equal "ext4: reserved blocks: ${how:+fallocate, }none is available" \
			0 "$available"
		check "ext4: reserved blocks: ${how:+fallocate, }$left of $reserve are left" \
			test "$left" -ge "$reserve"
		rm "$mnt/full"
		sync
	done
	umount "$mnt"
	check "ext4: reserved blocks: the file system is in order" \
		fsck_clean ext4
}

: >"$tmp/outside"
# for the ordinary user
chmod 755 "$tmp"
without=$(no_apparmor | tail -n 1)
if [ "$without" ]; then
	echo "skip - AppArmor: $without"
else
	load_profile
fi
for fs in $BPIO_FS; do programs; done
reserved
finish
