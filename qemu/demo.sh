#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make demo`: the main job, end to end, in a guest. Reads real files through
# BypassIO, has a device veto, copies a file by token; compares every byte and
# asks the counters which way it went. Ends with a table.
#
# `demo.sh list`, outside, prints the SHA-256 of what is to be read; the guest
# gets that on its standard input.
set -euo pipefail

if [ "${1-}" = list ]; then
	bytes=0
	find /usr/bin /usr/lib/x86_64-linux-gnu -maxdepth 1 -type f \
		-size +2M -printf '%s %p\n' | sort -k 2 |
		while read -r size path; do
			[ $((bytes + size)) -le $((${DEMO_MIB:-256} << 20)) ] ||
				continue
			bytes=$((bytes + size))
			sha256sum -- "$path"
		done
	exit
fi
cat > /tmp/list

readonly device=/dev/nvme0n1 other=/dev/nvme1n1
readonly volume=/dev/mapper/bpio-demo mount=/mnt
rows=()

step() { printf '\n== %s\n' "$*"; }
row() { rows+=("$(printf '%-34s %s' "$1" "$2")"); }
die() { echo "demo: $*" >&2; exit 1; }
mib() { echo $(($1 >> 20)); }

# One word of `dmsetup status`.
counter() { dmsetup status "${2:-bpio-demo}" | tr ' ' '\n' | sed -n "s/^$1=//p"; }
# One file of /sys/fs/bpiofs.
stat_of() { cat "/sys/fs/bpiofs/$dm/$1"; }

step "modules, device, file systems"
uname -sr
insmod "$BPIO_MODULES/dm-bpio.ko"
insmod "$BPIO_MODULES/bpiofs.ko"
make_volume() { # make_volume DEVICE NAME
	dmsetup create "$2" --table "0 $(blockdev --getsz "$1") bpio $1 0"
}
make_volume "$device" bpio-demo
make_volume "$other" bpio-other
dmsetup table
mkfs.ext4 -q -F "$volume"
mkfs.xfs -q -f /dev/mapper/bpio-other
mount -t bpiofs "$volume" "$mount"
mkdir -p /tmp/other
mount -t bpiofs -o lower=xfs /dev/mapper/bpio-other /tmp/other
dm=$(dmsetup info -c --noheadings -o blkdevname bpio-demo)

step "real content: programs and libraries of this system"
bytes=0
files=()
while read -r _ path; do
	bytes=$((bytes + $(stat -c %s "$path")))
	files+=("$path")
	cp "$path" "$mount/"
done < <(sed 's/  / /' /tmp/list)
sync -f "$mount"
sed 's|  .*/|  |' /tmp/list > /tmp/sums
echo "${#files[@]} files, $(mib "$bytes") MiB"
row "files read through BypassIO" "${#files[@]}, $(mib "$bytes") MiB"

step "read it all back through the bypass"
reads=$(counter mapped_reads)
full=$(stat_of full_bytes)
traditional=$(stat_of traditional_reads)
for path in "${files[@]}"; do
	name=$(basename "$path")
	echo "$(bpioctl bypassio cat "$mount/$name" 2>> /tmp/cat.log |
		sha256sum | cut -d' ' -f1)  $name"
done > /tmp/sums.bypass
cmp /tmp/sums /tmp/sums.bypass || die "the bypass returned other bytes"
through=$(($(counter mapped_reads) - reads))
row "sha256, file by file" "all equal"
row "bytes straight to the NVMe" "$(mib $(($(stat_of full_bytes) - full))) MiB"
row "data reads through dm map()" "$through"
row "reads seen by the layers above" "$(($(stat_of traditional_reads) - traditional))"
[ "$through" -eq 0 ] || die "reads went through map()"
[ $(($(stat_of full_bytes) - full)) -ge "$bytes" ] || die "not all was bypassed"
bpioctl bypassio state -v "$mount/$name"

step "run a program from the mount"
cp /bin/busybox "$mount/"
"$mount/busybox" echo "its pages are mapped" || die "a file cannot be mapped"
rm "$mount/busybox"
row "a program run from the mount" "its pages mapped"

step "the device objects"
dmsetup message bpio-demo 0 veto 0xC00004CF A snapshot is being taken
bpioctl bypassio state -v "$mount/$name"
reads=$(counter mapped_reads)
sum=$(bpioctl bypassio cat "$mount/$name" 2> /tmp/cat.log | sha256sum | cut -d' ' -f1)
grep -q "^$sum  $name" /tmp/sums || die "the partial path returned other bytes"
cat /tmp/cat.log
[ "$(counter mapped_reads)" -gt "$reads" ] || die "a vetoed read did not go through map()"
row "under a veto" "partial: dm-bpio.ko, A snapshot is being taken"
dmsetup message bpio-demo 0 unveto

step "copy a file by token"
source=$(find "$mount" -type f -printf '%s %f\n' | sort -rn | sed -n '1s/.* //p')
size=$(stat -c %s "$mount/$source")
copy() { # copy FROM TO: ODX by hand, as a client does it
	local at=0 done_at=0 length transfer
	truncate -s "$size" "$2"
	while [ "$at" -lt "$size" ]; do
		length=$((size - at))
		bpioctl offload read "$1" --offset "$at" --length "$length" \
			--token /tmp/token --json > /tmp/read.json || true
		transfer=$(sed -n 's/.*"transfer_length": *\([0-9]*\).*/\1/p' /tmp/read.json)
		[ "${transfer:-0}" -gt 0 ] || { cat /tmp/read.json; die "offload read"; }
		[ "$transfer" -le "$length" ] || transfer=$length
		bpioctl offload write "$2" --offset "$at" --length "$transfer" \
			--transfer-offset 0 --token /tmp/token
		at=$((at + transfer))
	done
	done_at=$at
	[ "$done_at" -eq "$size" ] || die "short copy"
}
nvme=$(counter bytes_nvme)
reads=$(counter mapped_reads)
copy "$mount/$source" "$mount/copy"
[ "$(counter bytes_nvme)" -gt "$nvme" ] || die "NVMe Copy moved nothing"
row "copied by token, same namespace" "$source, $((size >> 10)) KiB"
row "  bytes moved by NVMe Copy" "$(($(counter bytes_nvme) - nvme))"
row "  data reads through dm map()" "$(($(counter mapped_reads) - reads))"
cmp "$mount/$source" "$mount/copy" || die "the copy differs"
copy "$mount/$source" /tmp/other/copy
cmp "$mount/$source" /tmp/other/copy || die "the copy on the other namespace differs"
row "copied to the other namespace" "by kcopyd, $(counter bytes_kcopyd bpio-other) bytes"

step "copy it by cp"
nvme=$(counter bytes_nvme)
cp "$mount/$source" "$mount/copy2"
cmp "$mount/$source" "$mount/copy2" || die "the copy made by cp differs"
[ "$(stat_of copy_offload_bytes)" -gt 0 ] || die "cp was not offloaded"
row "copied by cp: by NVMe Copy" "$(($(counter bytes_nvme) - nvme))"
row "  by way of the host's memory" "$(stat_of copy_splice_bytes)"
row "all copies" "equal, byte for byte"

step "take it all down"
umount "$mount" /tmp/other
dmsetup remove bpio-demo bpio-other
rmmod bpiofs dm-bpio
fsck.ext4 -fn "$device" > /tmp/fsck.log 2>&1 || { cat /tmp/fsck.log; die "fsck"; }
row "fsck afterwards" "clean"

echo
printf '%s\n' "----------------------------------------------------------------"
printf '%s\n' "${rows[@]}"
printf '%s\n' "----------------------------------------------------------------"
