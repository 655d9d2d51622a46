#!/bin/bash
# purpose: loads of others' making on a mount, with bypassed readers beside them
# fs: ext4 xfs
# quick: stock:xfs
# smp: 2
# needs: prog=stress-ng prog=dbench prog=fio
# timeout: 300
#
# fsx, stress-ng's file system class, fio and dbench one after the other, for
# BPIO_SOAK seconds in all on each file system; 10 by default. Each time readers
# of other files compare every byte, and so do the programs that can. BPIO_SEED to
# repeat.
# shellcheck disable=SC2086 # numbers
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

seconds=${BPIO_SOAK-10}
seed=${BPIO_SEED-$((RANDOM + 1))}
volume_mib=$((1024 / scale))
[ $volume_mib -ge 320 ] || volume_mib=320
slice=$((seconds / 5))
[ $slice -ge 2 ] || slice=2

# What of stress-ng's class is left out, and why.
declare -A left_out=(
	[bind-mount]="mounts over / until memory is short; not of this mount"
	[binderfs]="mounts another file system"
	[dup]="duplicates descriptors of /dev/zero"
	[eventfd]="has no file"
	[getdent]="reads /proc, /dev, /sys, /run and /tmp"
	[procfs]="reads /proc"
)
# So that an operation, or a round of them, ends in a guest without acceleration.
declare -A options=(
	[chdir]="--chdir-dirs 64"
	[copy-file]="--copy-file-bytes 128M"
	[dentry]="--dentries 64"
	[dirdeep]="--dirdeep-inodes 500"
	[fallocate]="--fallocate-bytes 16M"
	[fiemap]="--fiemap-bytes 16M"
	[hdd]="--hdd-bytes 16M --hdd-write-size 64K --hdd-opts direct,rd-rnd"
	[iomix]="--iomix-bytes 16M"
	[sync-file]="--sync-file-bytes 16M"
)

# -- readers beside the load -------------------------------------------------

# reader FILE ID...: until $tmp/stop is there; $tmp/wrong says what was wrong.
# shellcheck disable=SC2317 # in the background
reader() {
	local engines=(sync vector aio uring fixed poll) n=0

	set +e
	trap - ERR EXIT
	while [ $n -eq 0 ] || [ ! -e "$tmp/stop" ]; do
		bpio-verify check -e -E ${engines[n % 6]} -q 4 -r -n 200 \
			-b 64K "$@" || echo "status $?: $*"
		bpio-verify check -e -E ${engines[n % 6]} -b 256K "$@" ||
			echo "status $?: $*"
		n=$((n + 1))
	done >>"$tmp/wrong" 2>&1
}

# phase TEXT FUNCTION: a load with readers beside it.
phase() {
	local text=$1 pids=()

	rm -f "$tmp/stop" "$tmp/wrong"
	begin v
	reader known 77 &
	pids+=($!)
	reader left 1 &
	pids+=($!)
	"$2"
	touch "$tmp/stop"
	wait "${pids[@]}"
	check_equal "$fs: $text: the readers read their own data" "" \
		"$(head -n 5 "$tmp/wrong")"
	check_gained "$fs: $text: by the full path" v "full_reads>0"
	note "$fs: $text: full $(gained v full_reads), partial" \
		"$(gained v partial_reads), traditional" \
		"$(gained v traditional_reads)"
}

# bypassed FD: reads by the full path of that file, by whomever.
bypassed() {
	sed -n 's/^bpio-stream-full:[[:space:]]*\([0-9]*\).*/\1/p' \
		"/proc/self/fdinfo/$1"
}

# -- fsx ----------------------------------------------------------------------

load_fsx() {
	local i pids=() sizes=(256K 1M 4M) status

	for i in 0 1 2; do
		command bpio-verify fsx -S $((seed + i)) -s $slice -m ${sizes[i]} \
			-g "$tmp/good$i" "fsx$i" >"$tmp/fsx$i" 2>&1 &
		pids+=($!)
	done
	for i in 0 1 2; do
		status=0
		wait ${pids[i]} || status=$?
		sed 's/^/# /' "$tmp/fsx$i"
		check_equal "$fs: fsx: ${sizes[i]}, seed $((seed + i))" 0 $status
		[ $status -eq 0 ] || continue
		check "$fs: fsx: some of its reads were bypassed" \
			grep -q ' [1-9][0-9]* full reads' "$tmp/fsx$i"
		fsx_files+=("$i")
		same_by_bypass $i "when it is done"
	done
}

# What fsx has left: nobody keeps pages of it, and it has no hole.
same_by_bypass() {
	local all='"full_reads":[1-9][0-9]*,"partial_bytes":0,"partial_reads":0,'

	all+='"traditional_bytes":0,"traditional_reads":0,"fallback'
	bpioctl bypassio cat "fsx$1" --json 2>"$tmp/said" >"$tmp/got"
	check "$fs: fsx: file $1: the same bytes $2" cmp "$tmp/good$1" "$tmp/got"
	grep -q "$all" "$tmp/said" || sed 's/^/# /' "$tmp/said"
	check "$fs: fsx: file $1: all bypassed $2" grep -q "$all" "$tmp/said"
}

# -- stress-ng ----------------------------------------------------------------

load_stress() {
	local all name each out status ran=() end=$((SECONDS + 2 * slice))
	local refused=()

	all=$(stress-ng --class 'filesystem?' 2>&1 | sed 's/.*: //' |
		tr ' ' '\n' | grep .)
	check "$fs: stress-ng: knows its file system class" \
		test "$(wc -l <<<"$all")" -gt 30
	for name in "${!left_out[@]}"; do
		note "stress-ng: without $name: ${left_out[$name]}"
		all=$(grep -vx -e "$name" <<<"$all")
	done
	each=$((2 * slice / $(wc -l <<<"$all")))
	[ $each -gt 0 ] || each=1
	mkdir -p stress
	# In another order each time; a short run takes four of them.
	for name in $(shuf --random-source=<(yes $seed) <<<"$all"); do
		[ $((SECONDS < end || ${#ran[@]} < 4)) = 1 ] || break
		status=0
		timeout -k 5 $((60 + 10 * each)) stress-ng --$name 1 \
			${options[$name]-} --seed $seed --verify \
			--temp-path "$PWD/stress" --timeout $each \
			>"$tmp/stress" 2>&1 </dev/null || status=$?
		case $status in
		0) ran+=("$name") ;;
		# not enough of something; not implemented here
		3 | 4) refused+=("$name") ;;
		*)
			sed 's/^/# /' "$tmp/stress"
			not_ok "$fs: stress-ng: $name: status $status"
			;;
		esac
	done
	check "$fs: stress-ng: ${ran[*]}" test ${#ran[@]} -gt 0
	[ ${#refused[@]} -eq 0 ] ||
		note "$fs: stress-ng: cannot run: ${refused[*]}"
	out=$(ls stress)
	check_equal "$fs: stress-ng: nothing is left of it" "" "$out"
}

# -- fio ------------------------------------------------------------------------

# verify ENGINE DEPTH: random writes, and reads of what was written among them
verify() {
	fio --name=$1 --filename="fio" --ioengine=$1 --iodepth=$2 --direct=1 \
		--rw=randwrite --size=8m --overwrite=1 --bsrange=4k-64k \
		--blockalign=4k --verify=crc32c --verify_backlog=32 \
		--verify_fatal=1 --randseed=$((seed + rounds)) \
		--output="$tmp/fio.$1"
}

load_fio() {
	local engine rounds=0 end=$((SECONDS + slice)) status=0 before

	bpio-verify fill fio 5 8M
	exec 7<fio
	for engine in io_uring libaio; do
		before=$(bypassed 7)
		while :; do
			verify $engine 8 || status=$?
			rounds=$((rounds + 1))
			[ $((status == 0 && SECONDS < end)) = 1 ] || break
		done
		[ $status -eq 0 ] || sed 's/^/# /' "$tmp/fio.$engine"
		check_equal "$fs: fio: crc32c, $engine" 0 $status
		check "$fs: fio: its reads were bypassed" \
			test "$(bypassed 7)" -gt "${before:-0}"
		end=$((end + slice))
	done
	exec 7<&-
	note "$fs: fio: $rounds rounds"
}

# -- dbench -----------------------------------------------------------------------

load_dbench() {
	local status=0

	mkdir -p dbench
	dbench -c /usr/share/dbench/client.txt -D dbench -x -t $slice 2 \
		>"$tmp/dbench" 2>&1 || status=$?
	[ $status -eq 0 ] || sed 's/^/# /' "$tmp/dbench"
	check_equal "$fs: dbench" 0 $status
	# a semaphore of its own that it cannot make does not keep it from work
	check_equal "$fs: dbench: meets no error" "" \
		"$(grep -iE 'error|failed' "$tmp/dbench" |
			grep -v 'barrier semaphore' | head -n 5 || true)"
	check "$fs: dbench: moved data" \
		grep -qE '^Throughput ([1-9]|0\.0*[1-9])' "$tmp/dbench"
	rm -rf dbench
}

run() {
	local i fsx_files=()

	note "seed $seed, $slice s for fsx, fio and dbench each, twice that" \
		"for stress-ng"
	# told of every time, they would fill the kernel's log
	echo 4 >/proc/sys/vm/drop_caches
	make_volume v "$disk"
	poison "$(volume v)" $((128 / scale))M
	make_fs "$fs" "$(volume v)"
	mount_volume v bypassio=auto
	cd "$tmp/v"
	bpio-verify fill known 77 4M
	bpio-verify interleave left right 64 32K
	phase fsx load_fsx
	phase stress-ng load_stress
	phase fio load_fio
	phase dbench load_dbench
	check_equal "$fs: no open is left enabled" 0 "$(counter v active_count)"
	check_equal "$fs: no flag is left" 0x8 "$(<"$(volume_dir v)/flags")"
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	mount_volume v bypassio=auto
	cd "$tmp/v"
	for i in "${fsx_files[@]}"; do
		same_by_bypass $i "mounted anew"
	done
	check "$fs: and those of the readers" bpio-verify check -e known 77
	cd /
	remove_volume v
}

on_each_fs run
finish
