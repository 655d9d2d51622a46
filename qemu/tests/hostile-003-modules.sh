#!/bin/bash
# purpose: modules come and go in any legal order, and not while in use
# quick: stock debug stock-6.12
# timeout: 240
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

stays() {
	check "$1: rmmod $2 is refused" test -z \
		"$(rmmod "$2" 2>/dev/null && echo removed)"
}

stays "bpiofs is loaded" dm_bpio
make_volume v "$disk"
make_fs ext4 "$(volume v)"
rmmod bpiofs
stays "a device exists" dm_bpio
load_module bpiofs
mount_volume v
cd "$tmp/v"
bpio-verify fill a 1 1M
hold_open h a enable oread:0:64K save:"$tmp/t"
stays "mounted, enabled, a token live" bpiofs
stays "mounted, enabled, a token live" dm_bpio
check "removing the device of a mount is refused" test -z \
	"$(dmsetup remove bpio-v 2>/dev/null && echo removed)"
let_go h -KILL
rule 40 check_equal "its program was killed: no open is left enabled" 0 \
	"$(counter v active_count)"
bpio-ctl a oread:0:64K >/dev/null
check_equal "tokens are live" 2 "$(counter v tokens)"
umount_volume v
check_equal "and outlive the mount" 2 "$(counter v tokens)"
# a handle of the control device holds the module
exec 7<>/dev/bpio
dmsetup remove bpio-v
unset "live[v]"
rmmod bpiofs
stays "/dev/bpio is open" dm_bpio
exec 7<&-
check "with a token that was live: it goes" rmmod dm_bpio

# Either without the other's devices, any number of times.
rounds=10
[ "${BPIO_QUICK-}" ] || rounds=100
for ((i = 0; i < rounds; i++)); do
	insmod "$BPIO_MODULES/dm-bpio.ko"
	[ $((i % 2)) = 0 ] || insmod "$BPIO_MODULES/bpiofs.ko"
	if [ $((i % 5)) = 0 ]; then
		dmsetup create bpio-v --table "0 2048 bpio $disk 0"
		dmsetup remove --retry bpio-v
	fi
	[ $((i % 2)) = 0 ] || rmmod bpiofs
	rmmod dm_bpio
done
ok "$rounds loads and unloads"
check "bpiofs does not load alone" test -z \
	"$(insmod "$BPIO_MODULES/bpiofs.ko" 2>/dev/null && echo loaded)"
load_modules
mount_volume_works() {
	make_volume v "$disk"
	mount_volume v
	bpio-verify check -e "$tmp/v/a" 1
}
check "and after all that the data is there" mount_volume_works
umount_volume v
check "in order afterwards" fsck_volume v ext4
remove_volume v
finish
