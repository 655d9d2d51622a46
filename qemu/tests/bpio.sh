# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after lib.sh by the tests of the storage stack: volumes, their file
# systems and counters, and what bpio-ctl answers. A volume NAME is the mapped
# device bpio-NAME, mounted on $tmp/NAME.

export disk=/dev/nvme0n1
export disk2=/dev/nvme1n1

# Small, so that they are quickly filled; XFS wants 300 MiB.
volume_mib=320

# -- volumes ----------------------------------------------------------------

declare -A live mounted

# make_volume NAME LOWER [OFFSET-MIB [FEATURE-ARG...]]: removed at the end
make_volume() {
	local name=$1 lower=$2 offset=${3-0}

	shift $(($# < 3 ? $# : 3))
	dmsetup create "bpio-$name" --table "0 $((volume_mib << 11)) bpio \
		$lower $((offset << 11)) $# $*"
	live[$name]=yes
	defer remove_volume "$name"
}

# remove_volume NAME: if it is there, and its mount
# shellcheck disable=SC2317 # deferred
remove_volume() {
	cd /
	umount_volume "$1"
	[ -z "${live[$1]-}" ] || dmsetup remove --retry "bpio-$1"
	unset "live[$1]"
}

# volume NAME: its block device.
volume() { echo "/dev/mapper/bpio-$1"; }

# poison DEVICE [BYTES]: what no file may ever show, on every sector
poison() { bpio-verify poison "$@"; }

# block_name NAME: dm-N
block_name() {
	local name file

	for file in /sys/block/dm-*/dm/name; do
		read -r name <"$file"
		[ "$name" != "bpio-$1" ] || break
	done
	[ "$name" = "bpio-$1" ] || fail "there is no volume $1"
	file=${file%/dm/name}
	echo "${file##*/}"
}

# volume_dir NAME: in sysfs
volume_dir() { echo "/sys/fs/bpiofs/$(block_name "$1")"; }

# make_fs TYPE DEVICE [MKFS-ARG...]: leaves the poison where it is.
make_fs() {
	local type=$1 dev=$2

	shift 2
	case $type in
	# Block bitmaps are not to be read at a time of their own choice.
	ext4)
		mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 "$@" "$dev"
		tune2fs -E mount_opts=no_prefetch_block_bitmaps "$dev" \
			>/dev/null
		;;
	xfs) mkfs.xfs -q -f -K "$@" "$dev" ;;
	esac
}

# mount_volume NAME [OPTIONS]: at $tmp/NAME; the options are bypassio=manual
mount_volume() {
	# shellcheck disable=SC2154 # of lib.sh
	[ -d "$tmp/$1" ] || mkdir "$tmp/$1"
	mount -t bpiofs -o "${2:-bypassio=manual}" "$(volume "$1")" "$tmp/$1"
	mounted[$1]=yes
}

# umount_volume NAME: if it is mounted
umount_volume() {
	cd /
	[ -z "${mounted[$1]-}" ] || umount "$tmp/$1"
	unset "mounted[$1]"
}

# make_pieces NAME BLOCKS TEXT: pieces, so many blocks of id 1 in more extents
# than a token has; others lies in between. Skips a case when that fails.
make_pieces() {
	local knob

	# ext4 would give either file a place of its own
	knob=/sys/fs/ext4/$(block_name "$1")/mb_stream_req
	[ ! -e "$knob" ] || echo 100000 >"$knob"
	bpio-verify interleave pieces others "$2"
	bpio-verify extents pieces 65 >/dev/null || {
		echo "skip - $3: this file system joins all fragments"
		return 1
	}
}

# fsck_volume NAME TYPE: complains unless all is in order.
fsck_volume() {
	case $2 in
	xfs) xfs_repair -n "$(volume "$1")" ;;
	*) e2fsck -fn "$(volume "$1")" ;;
	esac >"$tmp/fsck" 2>&1 || {
		cat "$tmp/fsck"
		return 1
	}
}

# until_bypassed NAME: a word of bpio-ctl: waits until nothing suspends the bypass.
# A worker asks the stack again after a resume.
until_bypassed() {
	echo "sh:while grep -q . $(volume_dir "$1")/suspended_by; do sleep 0.1; done"
}

# setup_volume NAME TYPE LOWER [OFFSET-MIB [FEATURE-ARG...]]: made and mounted
setup_volume() {
	local name=$1 fs=$2

	shift 2
	make_volume "$name" "$@"
	make_fs "$fs" "$(volume "$name")"
	mount_volume "$name"
}

# on_each_fs FUNCTION ARG...: with $fs telling which of $BPIO_FS.
on_each_fs() {
	for fs in $BPIO_FS; do "$@"; done
}

# message NAME WORD...: of device-mapper, to the volume
message() {
	local name=$1

	shift
	dmsetup message "bpio-$name" 0 "$*"
}

# -- counters ---------------------------------------------------------------

declare -A count was
# read_counters NAME: all of them, into ${count[NAME.KEY]}
read_counters() {
	local key value said noted

	ask bpio-ctl - "count:$1" || fail "no counters of $1"
	while IFS='=' read -r key value; do
		count[$1.$key]=$value
	done <<<"$said"
}

# has_counter NAME KEY: else the test fails. A name that is gone, or was never
# there, is not 0.
has_counter() { [ "${count[$1.$2]-}" ] || fail "$1 has no counter $2"; }

# counter NAME KEY: prints one
counter() {
	read_counters "$1"
	has_counter "$1" "$2"
	echo "${count[$1.$2]}"
}

# begin NAME: what gained() counts from.
begin() {
	local key

	read_counters "$1"
	for key in "${!count[@]}"; do
		[[ $key != "$1".* ]] || was[$key]=${count[$key]}
	done
}

# gained NAME KEY: prints by how much it has grown since begin
gained() {
	read_counters "$1"
	has_counter "$1" "$2"
	echo $((count[$1.$2] - was[$1.$2]))
}

# until_gained NAME KEYS COMMAND...: up to five times, until each of these
# counters has moved since begin; a slow guest may need more than one.
until_gained() {
	local name=$1 keys=$2 key

	shift 2
	for _ in 1 2 3 4 5; do
		"$@" || return
		read_counters "$name"
		for key in $keys; do
			has_counter "$name" "$key"
			[ $((count[$name.$key] - was[$name.$key])) -gt 0 ] ||
				continue 2
		done
		break
	done
}

# check_gained TEXT NAME CONDITION...: KEY=N, KEY>N or KEY<N since begin.
check_gained() {
	local text=$1 name=$2 c key op want got bad=

	shift 2
	read_counters "$name"
	for c; do
		key=${c%%[=<>]*}
		op=${c:${#key}:1}
		want=${c#*[=<>]}
		has_counter "$name" "$key"
		got=$((count[$name.$key] - was[$name.$key]))
		case $op in
		=) [ "$got" -eq "$want" ] ;;
		'>') [ "$got" -gt "$want" ] ;;
		'<') [ "$got" -lt "$want" ] ;;
		esac || bad="$bad $key: $got, not $op $want;"
	done
	if [ "$bad" ]; then
		# and why reads were not bypassed
		for key in "${!count[@]}"; do
			[[ $key = "$name".why_* ]] || continue
			got=$((count[$key] - was[$key]))
			[ "$got" -eq 0 ] || bad+=" ${key#*.}: $got;"
		done
		not_ok "$text:$bad"
	else
		ok "$text"
	fi
}

# -- requests ---------------------------------------------------------------

# answers TEXT BPIO-CTL-ARG... <<END: exactly these lines, and nothing written
# where it must not be.
answers() {
	local text=$1 status=0 want='' said noted line

	shift
	IFS= read -rd '' want || true
	ask_raw bpio-ctl "$@" || status=$?
	[ $status -eq 0 ] || said+="exit status $status"$'\n'
	printf %s "$noted" >"$tmp/notes"
	while IFS= read -r line; do echo "# $line"; done <"$tmp/notes"
	is "$text" "${want%$'\n'}" "${said%$'\n'}"
}

# is TEXT WANTED GOT: as check_equal, but several lines are shown as a diff
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		diff -u <(echo "$2") <(echo "$3") || true
		not_ok "$1"
	fi
}

declare -A held

# hold_open NAME BPIO-CTL-ARG...: in the background until let_go; $tmp/NAME.out
# has what it said. The request before it has been answered on return.
hold_open() {
	local name=$1

	shift
	command bpio-ctl "$@" "held:$tmp/$name.held" >"$tmp/$name.out" 2>&1 &
	held[$name]=$!
	wait_for 30 test -e "$tmp/$name.held" || fail "$name: $(cat "$tmp/$name.out")"
}

# let_go NAME [SIGNAL]: ends what hold_open began
let_go() {
	kill "${2:--TERM}" "${held[$1]}"
	wait "${held[$1]}" 2>/dev/null || true
	rm -f "$tmp/$1.held"
}

# -- setup ------------------------------------------------------------------

need_program bpio-ctl bpio-verify dmsetup mkfs.ext4 mkfs.xfs
load_modules
defer unload_modules

# sectors_moved DISK: read and written by ordinary I/O since boot, 512 bytes.
sectors_moved() {
	local stat

	read -ra stat <"/sys/block/${1##*/}/stat"
	echo $((stat[2] + stat[6]))
}
