#!/bin/bash
# purpose: the filter in Documentation/writing-a-filter.md builds and works
#
# Runs on the host: what stands on the page is built out of tree as the page
# says, against the stock kernel, and attached in a guest.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"

repo=$(cd "$(dirname "$0")/../.." && pwd)
page=$repo/Documentation/writing-a-filter.md
lines_allowed=59

# fence WORD: the block of the page that opens with ```WORD, of which there is
# one.
fence() {
	expect_equal "blocks of $1 on the page" 1 "$(grep -c "^\`\`\`$1\$" "$page")"
	sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$page" | sed '1d;$d'
}

build() {
	local kernel

	kernel=$("$repo/qemu/kernel" stock)
	mkdir "$tmp/filter"
	cd "$tmp/filter"
	fence c >flt-audit.c
	fence make >Kbuild
	fence sh >build.sh
	note "$(wc -l <flt-audit.c) lines"
	check "it is less than 60 lines" \
		test "$(wc -l <flt-audit.c)" -le $lines_allowed
	check "it includes nothing of the repository but <bpio/filter.h>" \
		test "$(grep '#include' flt-audit.c)" = "#include <bpio/filter.h>"
	BPIO=$repo KDIR=$kernel/build sh -e build.sh >build.log 2>&1 ||
		cat build.log
	check "it builds as the page says" test -e flt-audit.ko
	check_equal "without a warning" 0 "$(grep -ci warning build.log || true)"
}

# In the guest: two files, one of them private; each step says what became of
# it.
guest() {
	cat <<-'END'
	set -e
	cd "$1"
	modprobe dm-mod
	insmod "$BPIO_MODULES/dm-bpio.ko"
	insmod "$BPIO_MODULES/bpiofs.ko"
	insmod ./flt-audit.ko
	dmsetup create v --table "0 $((256 << 11)) bpio /dev/nvme0n1 0"
	mkfs.ext4 -q /dev/mapper/v
	mkdir /tmp/mnt
	mount -t bpiofs /dev/mapper/v /tmp/mnt
	for f in letters notes; do
		dd if=/dev/urandom of=/tmp/mnt/$f bs=64K count=1 conv=fsync status=none
	done
	chmod 600 /tmp/mnt/letters
	chmod 644 /tmp/mnt/notes
	echo "before: $(bpio-ctl /tmp/mnt/letters enable)"
	bpioctl filter attach flt-audit /tmp/mnt >&2
	echo "instances: $(ls /sys/fs/bpiofs/*/instances)"
	echo "letters: $(bpio-ctl /tmp/mnt/letters enable)"
	echo "letters: $(bpio-ctl /tmp/mnt/letters query)"
	echo "letters: short: $(bpio-ctl /tmp/mnt/letters out=351 enable)"
	echo "notes: $(bpio-ctl /tmp/mnt/notes enable)"
	bpioctl bypassio enable /tmp/mnt/letters >&2 && echo "bpioctl: taken" ||
		echo "bpioctl: exit status $?"
	bpio-ctl /tmp/mnt/letters read:0:4096 >/dev/null
	bpio-ctl /tmp/mnt/notes enable read:0:4096 read:0:4096 >/dev/null
	echo "logged: $(dmesg -t | grep -c '^flt-audit: read by bpio-ctl$')"
	echo "seen: $(cat /sys/fs/bpiofs/*/instances/flt-audit/reads_seen)"
	rmmod flt-audit 2>/dev/null && echo "unloaded while attached"
	bpioctl filter detach flt-audit /tmp/mnt >&2
	echo "after: $(bpio-ctl /tmp/mnt/letters enable)"
	rmmod flt-audit
	umount /tmp/mnt
	dmsetup remove --retry v
	rmmod bpiofs
	rmmod dm-bpio
	END
}

run() {
	local none="flags=8 result=SUCCESS driver= reason=" veto status=0

	veto="flags=0 result=NOT_SUPPORTED_WITH_AUDITING driver=flt-audit.ko \
reason=Reads of private files are audited"
	cat >"$tmp/expected" <<-END
	before: enable status=SUCCESS info=352 op=1 $none
	instances: flt-audit
	letters: enable status=SUCCESS info=352 op=1 $veto
	letters: query status=SUCCESS info=352 op=3 $veto
	letters: short: enable status=BUFFER_TOO_SMALL info=0
	notes: enable status=SUCCESS info=352 op=1 $none
	bpioctl: exit status 1
	logged: 1
	seen: 1
	after: enable status=SUCCESS info=352 op=1 $none
	END
	guest >"$tmp/filter/guest.sh"
	"$repo/qemu/vm" run --nvme 512M --share "$tmp/filter" -- \
		bash "$tmp/filter/guest.sh" "$tmp/filter" \
		</dev/null >"$tmp/got" 2>"$tmp/err" || status=$?
	sed 's/^/# /' "$tmp/err"
	check_equal "a guest runs it to the end" 0 $status
	check "vetoed with status, driver and reason; others not; detach lifts it" \
		diff -u "$tmp/expected" "$tmp/got"
	check "bpioctl says why" grep -q 'Reads of private files are audited' \
		"$tmp/err"
}

build
[ ! -e flt-audit.ko ] || run
finish
