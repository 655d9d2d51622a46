#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
#   bench/copy.sh DIRECTORY-OF-BPIO-COPY
#
# In the guest: the table `copy`. One file system, one namespace, one file by
# each way; CSV lines on standard output: table, what, layout, extents of the
# source, MiB, instructions for a MiB, bytes that crossed the machine, Copy
# commands, other commands. See bench/run.
#
# Two sources. `contiguous` is one extent: what ext4 keeps for itself lies before
# all files. `fragmented` got its blocks in turn with another file, 64 KiB at a
# time, so that each extent is that long and what is between two of them belongs
# to the other file.
#
# Copy commands as large as the namespace takes, and of 64 KiB, which is what QEMU's
# namespaces take unless told otherwise. Between the two it is up to the host how
# many of them share an interrupt, and so what a copy costs; with dd, too, when it
# reads many extents at a time.
#
# The first copy of each way counts the commands, by a histogram of the NVMe
# driver's tracepoint, which costs instructions, and what crosses; those after it
# count instructions: the median of nine where little is counted, of three else; by
# nvme-cli it is one.
# Before: everything is written back and the caches are dropped; programs are brought
# back into memory. After: the copy, read from the device, is compared with the
# source.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"

PATH=$1:$PATH
export LC_ALL=C			# no files of a language to read
mib=${BPIO_BENCH_MIB:-1024}
piece=$((64 << 10))		# of the fragmented file
device=/dev/nvme0n1
to=/mnt/copy
trace=/sys/kernel/tracing/events/nvme/nvme_setup_cmd

die() { echo "bench/copy.sh: $*" >&2; exit 1; }

# -- files ------------------------------------------------------------------

declare -A extents

make_files() {
	local i layout="packed_meta_blocks=1,num_backup_sb=0,nodiscard"

	# What the host's file system has not allocated yet is slower to write,
	# and who waits longer executes something else.
	dd if=/dev/zero of=$device bs=1M oflag=direct status=none \
		count=$(($(blockdev --getsize64 $device) >> 20))
	mkfs.ext4 -q -F -O sparse_super2 \
		-E "$layout,lazy_itable_init=0,lazy_journal_init=0" $device
	mount $device /mnt
	fallocate -l "${mib}M" /mnt/contiguous
	bpio-copy fill "$mib" /mnt/contiguous
	bpio-copy alternate $piece "$mib" /mnt/fragmented /mnt/other
	bpio-copy fill "$mib" /mnt/fragmented
	sync -f /mnt
	for i in contiguous fragmented; do
		extents[$i]=$(filefrag /mnt/$i |
			sed 's/.*: \([0-9]*\) extents\{0,1\} found/\1/')
	done
	((extents[contiguous] == 1)) ||
		die "the contiguous file has ${extents[contiguous]} extents"
	i=$(((mib << 20) / piece))
	((extents[fragmented] >= i && extents[fragmented] <= i + i / 50)) ||
		die "the fragmented file has ${extents[fragmented]} extents"
	umount /mnt
}

on_ext4() { mount $device /mnt; }

on_bpiofs() { # ARGUMENT-OF-THE-TARGET...
	dmsetup create bpio --table \
		"0 $(blockdev --getsz $device) bpio $device 0 $# $*"
	mount -t bpiofs -o lower=ext4 /dev/mapper/bpio /mnt
}

away() {
	umount /mnt
	[ ! -e /dev/mapper/bpio ] || dmsetup remove --retry bpio
}

# -- measuring --------------------------------------------------------------

# Reads and writes since boot, in sectors of 512 bytes.
sectors() { awk '{ print $3 + $7 }' "/sys/block/${device##*/}/stat"; }

# Sets copies and others to what the command had the device do.
count_commands() {
	echo 'hist:keys=opcode if qid != 0' >$trace/trigger
	"$@"
	# { opcode:         25 } hitcount:        512
	read -r copies others < <(awk '
		$2 == "opcode:" { n[$3 == 25] += $6 }	# 0x19 is Copy
		END { print n[1] + 0, n[0] + 0 }' $trace/hist)
	echo '!hist:keys=opcode if qid != 0' >$trace/trigger
}

quiet() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for p in sh cp dd nvme bpioctl; do
		"$p" --version || true
	done >/dev/null 2>&1 </dev/null
}

run() { bpio-copy run $to "$@"; }

# row WHAT LAYOUT BEFORE AFTER COMMAND...: BEFORE makes what the copy goes to;
# the command prints what it cost.
row() {
	local what=$1 layout=$2 before=$3 cost crossed i

	shift 3
	echo "$what, $layout" >&2
	$before
	quiet
	crossed=$(sectors)
	passes=1
	count_commands "$@" >/dev/null
	crossed=$((($(sectors) - crossed) * 512))
	passes=9
	for ((i = 0; i < repeats; i++)); do
		$before
		quiet
		"$@"
	done >/tmp/costs
	cost=$(sort -n /tmp/costs | sed -n $(((repeats + 1) / 2))p)
	bpio-copy compare "/mnt/$layout" $to ||
		die "$what, $layout: the copy differs"
	rm $to
	sync
	echo "copy,$what,$layout,${extents[$layout]},$mib,$((cost / mib)),$crossed,$copies,$others"
}

repeats=9 # copies that count instructions

nothing() { rm -f $to; }

# What NVMe Copy by hand goes to: blocks of a file that were written before.
zeros() {
	fallocate -l "${mib}M" $to
	dd if=/dev/zero of=$to bs=1M count="$mib" oflag=direct conv=notrunc \
		status=none
}

# -- ways -------------------------------------------------------------------

ordinary() {
	repeats=3 row "cp on ext4" "$1" nothing run cp "/mnt/$1" $to
	[ "$1" = fragmented ] || row "dd direct on ext4" "$1" nothing run \
		dd if="/mnt/$1" of=$to bs=1M iflag=direct oflag=direct status=none
}

# Sets bytes to what a Copy command of the engine moved.
offloaded() { # LAYOUT SUFFIX ARGUMENT-OF-THE-TARGET...
	local layout=$1 suffix=$2 repeats=$repeats

	shift 2
	[ "$layout$suffix" = contiguous ] || repeats=3
	on_bpiofs "$@"
	row "cp on bpiofs$suffix" "$layout" nothing run cp "/mnt/$layout" $to
	[ "$copies" -gt 0 ] || die "cp was not offloaded"
	bytes=$((((mib << 20) / copies + piece - 1) / piece * piece))
	row "bpioctl cp$suffix" "$layout" nothing run \
		bpioctl cp "/mnt/$layout" $to
	away
}

raw() { bpio-copy raw "$passes" "$@"; }

nvme_cli() {
	bpio-copy script "$@" >/tmp/script
	run sh -e /tmp/script
}

by_hand() { # LAYOUT SUFFIX BYTES BLOCKS
	local repeats=1

	row "NVMe Copy$2" "$1" zeros raw "$3" "$4" \
		$device "/mnt/$1" $to
	[ "$2" ] || row "nvme copy of nvme-cli" "$1" zeros nvme_cli "$3" "$4" \
		$device "/mnt/$1" $to
}

calm_machine
calm_queue $device
insmod "$BPIO_MODULES/dm-bpio.ko"
insmod "$BPIO_MODULES/bpiofs.ko"
make_files
blocks=$(nvme id-ns $device | awk '$1 == "mssrl" { print $3 }')
echo "# Linux $(uname -r)"
for layout in contiguous fragmented; do
	on_ext4
	ordinary $layout
	away
	offloaded $layout ""
	most=$bytes
	offloaded $layout " (64 KiB a command)" copy_limits 128 128 127
	on_ext4
	by_hand $layout "" "$most" "$blocks"
	by_hand $layout " (64 KiB a command)" "$bytes" 128
	away
done
