#!/bin/bash
# purpose: filters are attached, detached and unregistered while the mount goes
# quick: stock debug stock-6.12
# smp: 2
# needs: module=bpio-flt-test
#
# A file in sysfs that was opened before is written to: it says ENODEV once the
# mount is going away, and nothing is looked at that has gone.
# shellcheck disable=SC2154 # $tmp and others of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/filter.sh
. "$(dirname "$0")/filter.sh"

rounds=8

# shellcheck disable=SC2317 # called by wait_for
going() { grep -qs generic_shutdown_super "/proc/$1/stack"; }

# shellcheck disable=SC2317 # called by refused
write_to() { echo "$2" >&"$1"; }

# The device is suspended, so umount waits in the middle of its work.
held_up() {
	local attach_fd detach_fd pid

	mount_volume v
	head -c 1M /dev/zero >"$tmp/v/dirty"
	exec {attach_fd}>"$vol/attach" {detach_fd}>"$vol/detach"
	dmsetup suspend --nolockfs bpio-v
	umount "$tmp/v" &
	pid=$!
	wait_for 30 going $pid || fail "umount does not get to its work"
	fails "umount under way: attach" "No such device" \
		write_to "$attach_fd" all
	fails "umount under way: detach" "No such device" \
		write_to "$detach_fd" all
	check "umount under way: the mount is not in sysfs" \
		test ! -e "$vol/attach"
	dmsetup resume bpio-v
	wait $pid
	unset "mounted[v]"
	exec {attach_fd}>&- {detach_fd}>&-
	check_equal "umount: no instance is left" 0 "$(<"$registered/all/instances")"
}

# shellcheck disable=SC2317 # in the background
come_and_go() {
	local n=0

	set +e
	trap - ERR EXIT
	while [ ! -e "$tmp/stop" ]; do
		[ -e "$vol/attach" ] || continue
		echo all >"$vol/attach" && n=$((n + 1)) && : >"$tmp/once"
		echo all >"$vol/detach"
	done 2>/dev/null
	echo $n
}

attached_meanwhile() {
	local i pid

	rm -f "$tmp/stop" "$tmp/once"
	come_and_go >"$tmp/came" &
	pid=$!
	# on a busy machine it may take some more
	for ((i = 0; i < 100; i++)); do
		[ $i -lt $rounds ] || [ ! -e "$tmp/once" ] || break
		mount_volume v
		head -c 256K /dev/zero >"$tmp/v/dirty"
		umount_volume v
	done
	touch "$tmp/stop"
	wait $pid
	check "attached $(<"$tmp/came") times in $i mounts" \
		test "$(<"$tmp/came")" -gt 0
	check_equal "and no instance is left" 0 \
		"$(<"$registered/all/instances")"
}

unregistered_meanwhile() {
	local i pid

	for ((i = 0; i < rounds; i++)); do
		mount_volume v
		add_attached some 150000 0xf read write
		umount_volume v &
		pid=$!
		forget some
		wait $pid
		unset "mounted[v]"
		[ ! -e "$registered/some" ] || break
	done
	check_equal "unregistered while the mount goes" "$rounds" "$i"
}

make_volume v "$disk"
make_fs ext4 "$(volume v)"
vol=$(volume_dir v)
add all 300000 0xf read write
held_up
attached_meanwhile
unregistered_meanwhile
check "in order afterwards" fsck_volume v ext4
forget all
remove_volume v
finish
