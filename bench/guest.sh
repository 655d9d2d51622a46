#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
#   bench/guest.sh reads|writes|nvme|opens|tokens DIRECTORY-OF-PROGRAMS
#
# In the guest: one table, CSV lines on standard output: table, what, engine,
# bytes, order, nanoseconds for one I/O; or, of what may depend on how many there
# are: table, what, how many, instructions. See bench/run.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"

table=$1
PATH=$2:$PATH
mib=64		# the range that is read or written
count=${BPIO_BENCH_OPS:-3000}
clock=()

say() { echo "$table,$*"; }
cost() { bpio-cost -n "$count" "${clock[@]}" -r $((mib << 20)) "$@"; }

fill() { dd if=/dev/urandom of="$1" bs=1M count=$mib oflag=direct status=none; }

# The device at the bottom: its work is done when submitting returns.
null_device() {
	modprobe -q null_blk nr_devices=0 || modprobe null_blk
	local dir=/sys/kernel/config/nullb/nullb0

	mountpoint -q /sys/kernel/config ||
		mount -t configfs configfs /sys/kernel/config
	mkdir $dir
	echo "${1:-768}" >$dir/size # MiB; takes memory when written to
	echo 1 >$dir/memory_backed
	echo 0 >$dir/irqmode
	echo 2 >$dir/queue_mode
	echo 512 >$dir/blocksize
	echo 1 >$dir/poll_queues
	echo 1 >$dir/power
	device=/dev/nullb0
	calm_queue $device
}

sectors() { blockdev --getsz "$device"; }
linear() { dmsetup create linear --table "0 $(sectors) linear $device 0"; }
bpio() {
	dmsetup create bpio --table \
		"0 $(sectors) bpio $device 0 $# $*"
}

# io_uring lets go of a file some time after its program has ended.
leave() { # MOUNT-POINT
	local n

	for ((n = 0; n < 100; n++)); do
		! umount "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	umount "$1"
}

make_ext4() { mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$1"; }
make_xfs() { mkfs.xfs -q -f -K "$1"; }

# What a row of reads is: how, BYTES, order.
row() { # NAME COST-ARG... FILE
	local name=$1 engine bytes

	shift
	for engine in $engines; do
		# overlayfs has no iopoll
		[[ "$engine $name" != "poll overlay"* ]] || continue
		say "$name,$engine,4096,random,$(cost -e "$engine" "$@")"
	done
	[ "${sizes-}" ] || return 0
	for bytes in 512 65536 1048576; do
		say "$name,sync,$bytes,in order,$(cost -s -n 400 -b $bytes "$@")"
	done
}

# overlayfs over the file system in /mnt.
overlay() { # ROW
	mkdir -p /mnt/lower /mnt/upper /mnt/work /run/o
	mv /mnt/f /mnt/lower
	modprobe overlay
	mount -t overlay overlay /run/o \
		-o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work
	row "$1" /run/o/f
	leave /run/o
}

plain_file_systems() {
	local fs

	for fs in ext4 xfs; do
		make_$fs "$device"
		mount "$device" /mnt
		fill /mnt/f
		row "$fs" /mnt/f
		[ $fs != ext4 ] || overlay "overlayfs on ext4"
		leave /mnt
	done
	linear
	make_ext4 /dev/mapper/linear
	mount /dev/mapper/linear /mnt
	fill /mnt/f
	row "ext4 on dm-linear" /mnt/f
	leave /mnt
	dmsetup remove --retry linear
}

# What bpiofs was mounted on, and the same file.
same_ext4() {
	mount /dev/mapper/bpio /mnt
	row "ext4 on bpio target" /mnt/f
	overlay "overlayfs on ext4 on bpio target"
	leave /mnt
}

attach() { echo "$*" >"/sys/fs/bpiofs/$dm/attach"; }

bypassed() {
	local fs

	for fs in ext4 xfs; do
		bpio any_storage
		make_$fs /dev/mapper/bpio
		mount -t bpiofs -o bypassio=manual /dev/mapper/bpio /mnt
		dm=dm-$((16#$(stat -L -c %T /dev/mapper/bpio)))
		fill /mnt/f
		row "bpiofs on $fs traditional" /mnt/f
		row "bpiofs on $fs bypassed" -B /mnt/f
		if [ $fs = ext4 ]; then
			insmod "$BPIO_MODULES/bpio-flt-passthru.ko"
			attach bpio-flt-passthru 300000
			row "bpiofs traditional 1 filter" /mnt/f
			attach bpio-flt-passthru 300001
			attach bpio-flt-passthru 300002
			row "bpiofs traditional 3 filters" /mnt/f
			row "bpiofs bypassed 3 filters" -B /mnt/f
			bpioctl bypassio pause-volume /mnt >/dev/null
			row "bpiofs partial 3 filters" -B /mnt/f
			bpioctl bypassio resume-volume /mnt >/dev/null
		fi
		leave /mnt
		[ $fs != ext4 ] || same_ext4
		dmsetup remove --retry bpio
	done
}

reads() {
	fill "$device"
	row "raw device" "$device"
	linear
	row "dm-linear" /dev/mapper/linear
	dmsetup remove --retry linear
	bpio any_storage
	row "bpio target" /dev/mapper/bpio
	dmsetup remove --retry bpio
	plain_file_systems
	bypassed
}

writes() {
	local tokens=${BPIO_BENCH_TOKENS:-100000}

	fill "$device"
	row "raw device" -w "$device"
	linear
	row "dm-linear" -w /dev/mapper/linear
	dmsetup remove --retry linear
	bpio any_storage max_tokens $((tokens + 1)) token_ttl_ms 600000 \
		token_ttl_max_ms 600000
	row "bpio target" -w /dev/mapper/bpio
	say "mint a token,ioctl,4096,descending,$(bpio-tokens mint "$tokens" \
		$((mib << 20)) $((512 << 20)) /dev/mapper/bpio)"
	row "bpio target and $tokens tokens elsewhere" -w /dev/mapper/bpio
	dmsetup remove --retry bpio
}

# What a program says line by line: WHAT NUMBER.
scale() { # SUFFIX COLUMN COMMAND...
	local lines line

	lines=$("${@:3}")
	while read -r line; do
		say "${line% *}$1,$2,${line##* }"
	done <<<"$lines"
}

opens() {
	local most=${BPIO_BENCH_OPENS:-100000} filters=0 more held under=

	bpio any_storage
	make_ext4 /dev/mapper/bpio
	mount -t bpiofs -o bypassio=manual /dev/mapper/bpio /mnt
	dm=dm-$((16#$(stat -L -c %T /dev/mapper/bpio)))
	insmod "$BPIO_MODULES/bpio-flt-passthru.ko"
	for more in 0 1 63; do
		for ((; more > 0; more--)); do
			attach bpio-flt-passthru $((300000 + filters++))
			under=" under $filters filter"
		done
		[ $filters -lt 2 ] || under+=s
		for held in 1 1000 10000 100000; do
			[ $held -gt "$most" ] || scale "$under" $held \
				bpio-opens $held 16 "$count" /mnt
		done
		scale "$under" "10000 of 10000 files" \
			bpio-opens 10000 10000 "$count" /mnt
	done
	leave /mnt
	dmsetup remove --retry bpio
}

tokens() {
	local most=${BPIO_BENCH_TOKENS:-1000000} held

	rmmod bpiofs
	fill "$device"
	for held in 1 1000 100000 1000000; do
		[ $held -le "$most" ] || continue
		# Those before leave room that new ones would not ask for.
		rmmod dm-bpio
		insmod "$BPIO_MODULES/dm-bpio.ko"
		bpio any_storage max_tokens 1048576 token_ttl_max_ms 600000
		scale "" $held bpio-tokens scale $held "$count" /dev/mapper/bpio
		dmsetup remove --retry bpio
	done
}

echo "# Linux $(uname -r)"
calm_machine
# Where waiting costs nothing the clock leaps: nothing hangs.
echo 0 >/proc/sys/kernel/hung_task_timeout_secs
insmod "$BPIO_MODULES/dm-bpio.ko"
insmod "$BPIO_MODULES/bpiofs.ko"
case $table in
reads)
	engines="sync aio uring fixed poll"
	null_device
	reads
	;;
writes)
	engines="sync uring"
	null_device
	writes
	;;
opens)
	null_device
	opens
	;;
tokens)
	null_device 10240
	tokens
	;;
nvme)
	engines="sync uring"
	device=/dev/nvme0n1
	count=$(((count + 9) / 10))
	clock=(-t)
	calm_queue $device
	reads
	;;
esac
