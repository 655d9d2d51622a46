#!/bin/bash
# purpose: the README's recipe for one's own machine works as it is written
#
# Runs on the host: the commands are taken from README.md and run, one after the
# other, in a guest that has nothing of the project installed. What `make` there
# would build has been built before.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"

repo=$(cd "$(dirname "$0")/../.." && pwd)

# The indented lines of the README's paragraphs from "On a machine of your own" to
# the next heading.
recipe() {
	sed -n '/^On a machine of your own/,/^## /s/^    //p' "$repo/README.md"
}

# In the guest, with the environment of somebody who has just logged in; but no udev
# runs there, so that dmsetup is to make the nodes.
guest() {
	cat <<-'END'
	exec 2>&1
	# the harness has installed the modules and put the tools first on PATH
	umount "$1/build/tools" "$1/build/tests"
	rm -r "/lib/modules/$(uname -r)/updates"
	depmod
	! modprobe -q dm-bpio && ! command -v bpioctl && echo "nothing is installed"
	! test -e /sys/module/dm_mod || rmmod dm-mod
	cd "$1"
	while read -r line <&3; do
		echo "$ $line"
		eval "$line" || {
			echo "failed: $line: status $?"
			exit 1
		}
	done 3<"$2/recipe"
	echo "done: $(ls /sys/module | grep -c bpio) modules left"
	END
}

run() {
	guest >"$tmp/guest"
	recipe >"$tmp/recipe"
	# /tmp is the guest's own
	"$repo/qemu/vm" run --nvme 1G --share "$tmp" -- env -i HOME=/root DM_DISABLE_UDEV=1 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		bash "$tmp/guest" "$repo" "$tmp" </dev/null >"$tmp/log" 2>&1 || true
	sed 's/^/# /' "$tmp/log"
}

has() { grep -qF -- "$1" "$tmp/log"; }

before() { # LINE LINE: both are there, in this order
	local a b

	a=$(grep -nFm 1 -- "$1" "$tmp/log") && b=$(grep -nF -- "$2" "$tmp/log" |
		tail -n 1) && [ "${a%%:*}" -lt "${b%%:*}" ]
}

run
for word in make "make install" modprobe "dmsetup create" mkfs mount \
	"bpioctl bypassio cat" umount "dmsetup remove" "modprobe -r"; do
	grep -q "^$word" "$tmp/recipe" || fail "no $word in the recipe"
done
check "nothing is installed before" has "nothing is installed"
check "make install says what comes next, and that is the next command" \
	before "next: $(sed -n '/^make install/{n;p}' "$tmp/recipe")" "$ modprobe"
check "each command succeeds" has "done: "
check "the volume supports BypassIO" has "is currently supported."
check "the file is read straight from the device" \
	grep -qE '^full +[1-9]' "$tmp/log"
check "nothing is left" has "done: 0 modules left"
finish
