#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# bpioctl as a whole, against a preloaded stand-in for the kernel: exit codes,
# what goes to which stream, which requests are sent in which order.
# Usage: cli.sh DIR, where bpioctl and fake-kernel.so are.
set -u

# Under nohup nothing hangs up, and no trap can change that from in here.
[ "${BPIO_HANGS_UP-}" ] ||
	BPIO_HANGS_UP=1 exec env --default-signal=HUP sh "$0" "$@"

bin=$1/bpioctl
export BPIO_FAKE=supported
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export BPIO_FAKE_LOG="$dir/log"
tests=0
failures=0

verdict() { # STATUS NAME
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
	else
		failures=$((failures + 1))
		echo "not ok - $2"
		cat -v "$dir/out" | sed 's/^/# stdout: /' | head -n 20
		cat -v "$dir/err" | sed 's/^/# stderr: /' | head -n 20
	fi
}

# run PLOT ARGUMENT... ; leaves $code, $dir/out, $dir/err, $dir/log
run() {
	BPIO_FAKE=$1
	shift
	: > "$dir/log"
	LD_PRELOAD=$(dirname "$bin")/fake-kernel.so "$bin" "$@" \
		> "$dir/out" 2> "$dir/err"
	code=$?
}

# expect NAME CODE [TEXT-IN-STDOUT [TEXT-IN-STDERR]]
expect() {
	[ "$code" -eq "$2" ] &&
		{ [ -z "${3-}" ] || grep -qF -- "$3" "$dir/out"; } &&
		{ [ -z "${4-}" ] || grep -qF -- "$4" "$dir/err"; }
	verdict $? "$1"
}

same() { # FILE TEXT NAME
	[ "$(cat "$1")" = "$2" ]
	verdict $? "$3"
}

file=$dir/file
head -c 10000 /dev/urandom > "$file"
cd "$dir" || exit 1

# usage
run supported; expect "no command" 2 "" "Usage:"
run supported frobnicate; expect "unknown command" 2 "" "no such command"
run supported bypassio frobnicate x; expect "unknown second word" 2
run supported cp a; expect "cp: no destination" 2 "" "SRC... DST"
run supported cp --offset 1 a b; expect "cp: option of another command" 2
run supported filter frobnicate; expect "unknown command of filter" 2
run supported filter list x; expect "filter list: an operand" 2
run supported filter attach f; expect "filter attach: no mount" 2 "" "FILTER MOUNT"
run supported filter attach f m --altitude 1.x; expect "filter attach: bad altitude" 2 "" "not an altitude"
run supported filter attach f m --altitude ''; expect "filter attach: no altitude" 2
run supported filter detach f m --altitude 1; expect "option of filter attach" 2
run supported filter instances -v; expect "filter instances: -v of nothing" 2
run supported --help; expect "--help" 0 "bypassio state"
run supported bypassio state; expect "state without a path" 2 "" "PATH"
run supported bypassio query a b; expect "too many paths" 2
run supported bypassio read --offset 1Q file; expect "bad size" 2
run supported bypassio read --block-size 1000 file; expect "bad block size" 2
run supported bypassio state --hold 1 file; expect "option of another command" 2
run supported bypassio enable --hold -1 file; expect "bad hold" 2
run supported offload read file; expect "token missing" 2 "" "--token"
run supported offload read --token t --ttl 4294967296 file; expect "bad ttl" 2

# state
run supported bypassio state file
same out 'BypassIo on "file" is currently supported.
    Storage Type:   NVMe
    Storage Driver: BypassIo compatible
    Driver Name:    nvme.ko' "(157) state: supported"
same log "00090448 3 0 0
00090448 8 0 0" "state: supported asks QUERY, GET_INFO"
run partial bypassio state -v .
[ "$code" -eq 0 ]; verdict $? "state: partial is an answer"
same out 'BypassIo on "." is partially supported
    Volume stack bypass is disabled (dm-bpio.ko)
      Status:  504 (The specified operation is not supported while snapshot is enabled on the target object)
      Reason:  A snapshot exists.
    Storage Type:   NVMe
    Storage Driver: BypassIo compatible
    Driver Name:    nvme.ko' "(157) state: partial, verbose"
same log "00090448 3 0 0
00090448 3 1 0
00090448 8 0 0" "state: partial asks QUERY, QUERY with SKIP, GET_INFO"
run vetoed bypassio state file
[ "$code" -eq 0 ]; verdict $? "state: not supported is an answer"
same out 'BypassIo on "file" is not currently supported.
Status: 490 (The specified operation is not supported on a sparse file)
Driver: bpiofs.ko
Reason: Sparse file not supported' "(157) state: not supported"
same log "00090448 3 0 0
00090448 3 1 0" "state: not supported asks QUERY, QUERY with SKIP"
run unsupported bypassio state file
expect "state: request refused" 1 "" STATUS_NOT_SUPPORTED
run enotty bypassio state file
expect "state: not bpiofs" 1 "" "STATUS_NOT_SUPPORTED (0xC00000BB, Win32 50): The request is not supported. (not on a bpiofs mount)"
run short bypassio state file; expect "state: cut reply" 1 "" "not whole"
run supported bypassio state missing file
expect "state: one path of two" 1 "currently supported" missing
run partial bypassio state --json file
expect "state: JSON" 0 '"state":"partial","effective":"partial","suspended_by":[],"op_status":{"value":"0xC00004CF"'

# one operation
run supported bypassio enable file; expect "enable" 0 "outcome:                    enabled"
run partial bypassio enable file
expect "enable: partial" 0 "enabled, partial" "STATUS_NOT_SUPPORTED_WITH_SNAPSHOT (0xC00004CF): dm-bpio.ko: A snapshot exists."
run vetoed bypassio enable file
expect "enable: refused" 1 refused "STATUS_SPARSE_FILE_NOT_SUPPORTED (0xC00004C4): bpiofs.ko: Sparse file not supported"
run enotty bypassio enable file
expect "enable: not bpiofs" 1 "status:                     STATUS_NOT_SUPPORTED" "not on a bpiofs mount"
run partial bypassio enable .
expect "enable: a directory, which QUERY spares" 1 "outcome:                    refused" "refused: "
same log "00090448 1 0 0" "enable: a directory is not asked about"
run unsupported bypassio enable file
expect "enable: request refused" 1 STATUS_NOT_SUPPORTED STATUS_NOT_SUPPORTED
run supported bypassio enable --hold 0.3 file; expect "enable: held" 0
run vetoed bypassio query file; expect "query: a veto is an answer" 0 STATUS_SPARSE_FILE_NOT_SUPPORTED
run partial bypassio query --skip-storage file
expect "query: without the storage stack" 0 "op_status:                  STATUS_SUCCESS"
run supported bypassio info .; expect "info" 0 "active_bypass_io_count:     3"
run vetoed bypassio disable file; expect "disable" 0 "DISABLE"
run vetoed bypassio pause-volume .; expect "pause-volume" 0 VOLUME_STACK_PAUSE
run vetoed bypassio pause-stream file; expect "pause-stream" 0 STREAM_PAUSE
run vetoed bypassio resume-stream file; expect "resume-stream: still vetoed" 1 "" "not resumed"
run supported bypassio resume-volume .; expect "resume-volume" 0

# data
run supported bypassio cat file
cmp -s out file && [ "$code" -eq 0 ]; verdict $? "cat: data, unaligned tail"
expect "cat: statistics or why not, on standard error" 0 "" "10000 bytes in 1 reads"
run vetoed bypassio cat file
cmp -s out file && [ "$code" -eq 1 ]; verdict $? "cat: refused, data all the same"
for range in "0 10000" "1 1" "511 2" "4095 4098" "9999 10" "10000 1" "20000 1" "4096 4096"; do
	# shellcheck disable=SC2086
	set -- $range
	run supported bypassio read --offset "$1" --length "$2" --block-size 4K file
	tail -c +$(($1 + 1)) file | head -c "$2" > wanted
	cmp -s out wanted && [ "$code" -eq 0 ]
	verdict $? "read: $2 bytes from $1"
done
run enotty bypassio cat file
cmp -s out file && [ "$code" -eq 1 ]; verdict $? "cat: not bpiofs, data all the same"
expect "cat: not bpiofs, said so" 1 "" "no statistics by path: not on a bpiofs mount"
run supported bypassio cat --json file; expect "cat: JSON statistics" 0 "" '"bytes":10000'

# tokens
run supported offload read file --token token
expect "offload read: whole file" 0 "transfer_length:            10000"
[ "$(stat -c '%s %a' token)" = "512 600" ]; verdict $? "offload read: token file"
run supported offload token token; expect "offload token" 0 "dm-bpio token"
run supported offload token --json token
printf '{"path":"token","kind":"%s","zero":false,"token_type":%s,"token_id_length":504,"issuer":"%032d","id":"%032d","represented_length":0,"hmac_sha256":"%064d"}\n' \
	"dm-bpio token" 1112559361 0 0 0 > wanted
cmp -s out wanted && [ "$code" -eq 0 ]; verdict $? "offload token: JSON, every part"
run partial offload read file --length 4K --token token
expect "offload read: short" 1 "" "short: 512 of 4096 bytes"
run unsupported offload read file --token other
expect "offload read: refused" 1 "" STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED
[ ! -e other ]; verdict $? "offload read: no token file then"
run enotty offload read file --token other
expect "offload read: not bpiofs" 1 STATUS_INVALID_DEVICE_REQUEST "(not on a bpiofs mount)"
run supported offload read file --token token; expect "offload read: its last token is replaced" 0
: > empty; chmod 644 empty; exec 3< empty
run supported offload read file --token empty
expect "offload read: an empty file is replaced" 0
[ "$(stat -c '%s %a' empty) $(wc -c <&3)" = "512 600 0" ]; verdict $? "offload read: by a new one, not for those that have it open"
exec 3<&-
cp file wanted; ln file hardlink; ln -s file softlink; ln -s nowhere dangling
for f in file hardlink softlink dangling . /dev/null; do
	run supported offload read file --token "$f"
	[ "$code" -eq 1 ] && [ ! -s log ] && grep -q "not replaced: " err; verdict $? "offload read: not into $f, and no token made"
done
head -c 512 file > token2; cp token2 half
run supported offload read token2 --token token2
expect "offload read: not into a source of the length of a token" 1 "" "not replaced: the same file as token2"
head -c 511 file > short
run supported offload read file --token short; expect "offload read: not into 511 bytes" 1 "" "not replaced: 511 bytes"
cmp file wanted > out && cmp token2 half > out && [ "$(stat -c %s short)" -eq 511 ] && [ ! -e nowhere ] &&
	[ -L softlink ] && [ -z "$(find . -name '*.??????')" ]
verdict $? "offload read: what is not replaced is as it was"
rm -f hardlink softlink dangling short token2 half
if [ "$(id -u)" -eq 0 ]; then
	cp token foreign && chown 1234 foreign
	run supported offload read file --token foreign; expect "offload read: not into the file of another user" 1 "" "not replaced: owned by user 1234"
else
	echo "# not root: no file of another user"
fi
run supported offload write file --offset 4K --length 4K --transfer-offset 512 --token token
expect "offload write" 0 "length_written:             4096"
run partial offload write file --length 4K --token token
expect "offload write: short" 1 "" "short: 512 of 4096 bytes"
run supported offload write file --token file
expect "offload write: not a token" 1 "" "512 bytes"
run supported offload token file; expect "offload token: not a token" 1 "" "512 bytes"

# cp; the final line in both forms
head -c 300000 /dev/urandom > big
run supported cp big copy
cmp -s big copy && [ "$code" -eq 0 ]; verdict $? "cp: data"
same out "1 file, 300000 bytes: 300000 offloaded (engine not known: not on a bpiofs mount), 0 by read/write" "cp: all offloaded"
same log "00094264 32 0 0
00098268 544 0 0" "cp: asks OFFLOAD_READ, OFFLOAD_WRITE"
run dies cp big copy
cmp -s big copy && [ "$code" -eq 0 ]; verdict $? "cp: a token dies: data"
same out "1 file, 300000 bytes: 0 offloaded, 300000 by copy_file_range, 0 by read/write: 1 file (300000): OFFLOAD_WRITE STATUS_INVALID_TOKEN (0xC0000465)" "cp: a token dies: why"
truncate -s 3M sparse
dd if=big of=sparse bs=4096 seek=256 conv=notrunc status=none
run unsupported cp sparse copy
expect "cp: a sparse file" 0 "3145728 bytes: 0 offloaded, 30"
cmp sparse copy > out && [ "$(stat -c %b copy)" -le $(($(stat -c %b sparse) + 16)) ]; verdict $? "cp: a sparse file: bytes and holes"
rm sparse
mkdir -p tree/sub/empty into
cp big tree/one
cp big tree/sub/two
echo short > tree/sub/three
chmod 4751 tree/sub/three
chmod 1770 tree/sub
ln -s nowhere tree/link
mkfifo -m 662 tree/fifo
setfattr -n user.test -v value tree/sub/two 2> err || echo "# no user xattrs here"
touch -h -d '2001-02-03 04:05:06.789' tree/link tree/sub/two tree/sub
run dies cp -r tree into
expect "cp: a tree" 0 "3 files, 600006 bytes: 0 offloaded, 600006 by copy_file_range, 0 by read/write: 1 file (300000): OFFLOAD_WRITE STATUS_INVALID_TOKEN (0xC0000465); 1 file (6): shorter than 262144; 1 file (300000): OFFLOAD_WRITE STATUS_INVALID_TOKEN (0xC0000465), remembered"
listing() {
	(cd "$1" && find . -printf '%p %y %m %U:%G %s %l %T@\n' | sed 's/^\(\. d .* \)[^ ]*$/\1/' | sort &&
		getfattr -R -h -d . 2> "$dir/err" && find . -type f | sort | xargs cat | cksum)
}
listing tree > wanted
listing into/tree > found
cmp wanted found > out; verdict $? "cp: a tree: names, kinds, modes, times, links, data"
run supported cp -r tree into; expect "cp: a tree again" 0
listing into/tree > found
cmp wanted found > out; verdict $? "cp: a tree again: the same"
run supported cp -r tree/. into; expect "cp: what is in a tree" 0
[ -e into/sub/two ]; verdict $? "cp: what is in a tree: is there"
mkdir other
run supported cp -r tree// other/; [ -e other/tree/sub/two ]; verdict $? "cp: slashes at the end"
mkdir another
run supported cp -r other/tree/.. another; [ -e another/tree/sub/two ]
verdict $? "cp: dots at the end"
run interrupts cp big copy; expect "cp: interrupted" 1 "1 failed" "copy: interrupted after 131072 bytes"
cmp -n 131072 copy big && [ "$(stat -c %s copy)" -eq 131072 ]; verdict $? "cp: interrupted: what is there is right"
for plot in insists "hangs up"; do
	rm -f copy
	run "$plot" cp big copy; expect "cp: $plot: ends in order" 1 "1 failed" "copy: interrupted after 131072 bytes"
	cmp -n 131072 copy big && [ "$(stat -c %s copy)" -eq 131072 ]; verdict $? "cp: $plot: what is there is right"
done
(trap '' HUP; run "hangs up" cp big copy; [ "$code" -eq 0 ] && cmp -s big copy); verdict $? "cp: hangs up, under nohup: goes on"
rm -f copy
run killed cp big copy 2> err; [ "$code" -eq 137 ] && [ "$(stat -c %s copy)" -lt 300000 ] && cmp -s -n 131072 copy big
verdict $? "cp: killed by SIGKILL: the copy is short"
rm -rf other another copy
run supported cp tree/link copy; expect "cp: a link to nothing" 1 "1 failed" "tree/link: stat: No such file"
rm -f link copy
ln -s big link
run supported cp link copy; [ -f copy ] && [ ! -L copy ]; verdict $? "cp: a link that was named is followed"
run supported cp -r link copied-link; [ -L copied-link ]; verdict $? "cp: with -r it is not"
run supported cp big big; expect "cp: onto itself" 1 "0 files" "the same file"
run supported cp link big; expect "cp: onto itself by a link" 1 "" "the same file"
run supported cp -r copied-link copied-link; expect "cp: a link onto itself" 1 "" "the same file"
[ -L copied-link ] && [ -s big ]; verdict $? "cp: onto itself: still there"
run supported cp tree into; expect "cp: a tree without -r" 1 "" "tree: a directory, and no --recursive"
run supported cp -r tree tree/sub/empty; expect "cp: into itself" 1 "" "not copied into itself"
run supported cp -r tree tree/..; expect "cp: a directory onto itself" 1 "" "the same directory"
run supported cp tree/fifo copy; expect "cp: a fifo without -r" 1 "" "not a regular file"
run supported cp big tree/fifo; expect "cp: into a fifo" 1 "" "tree/fifo: open: No such device or address"
echo victim > victim; chmod 600 victim
export BPIO_FAKE_VICTIM="$dir/victim"
run plants cp -r tree/fifo planted; expect "cp: a link is planted for a fifo" 1 "" "planted: replaced by something else"
[ "$(stat -c %a victim)" = 600 ]; verdict $? "cp: a link is planted for a fifo: its target keeps its mode"
rm planted victim
exec 3<> tree/fifo
run supported cp big tree/fifo; expect "cp: into a fifo that is read" 1 "" "not a regular file"
exec 3<&-
run supported cp -r link tree/one; expect "cp: a link over a file" 1 "" "tree/one: in the way"
[ -f tree/one ] && [ ! -L tree/one ]; verdict $? "cp: a link over a file: it is still there"
run supported cp big link nowhere; expect "cp: two into what is no directory" 1 "2 failed" "nowhere: not a directory"
run supported cp missing big into; expect "cp: one of two is missing" 1 "1 file, 300000 bytes" "missing: stat: No such file"
run supported cp big missing/big; expect "cp: nowhere to" 1 "" "missing/big: open: No such file"
mkdir -p one/d two/d both
for d in one two; do
	echo $d > $d/f; echo $d > $d/d/$d; echo $d > $d/other; ln -s ../../victim $d/link
	mkfifo $d/fifo
done
echo victim > victim
# run_both NAME ARGUMENT... ; the exit code and what is there are those of cp(1)
run_both() {
	name=$1
	shift
	rm -rf both wanted; mkdir both; cp "$@" both 2> differ; cp_code=$?
	mv both wanted; mkdir both
	run supported cp "$@" both
	[ "$code" -eq "$cp_code" ] && diff -r --no-dereference wanted both > differ && [ "$(cat victim)" = victim ]; verdict $? "cp: as cp(1): $name"
}
run_both "two sources of one name" one/f two/f
expect "cp: two sources of one name: said so" 1 "1 file, 4 bytes" "both/f: just copied from one/f, not replaced by two/f"
run_both "two sources of one name, and what follows" one/f two/f two/other
run_both "a source twice" one/f one/./f
expect "cp: a source twice: said so" 0 "1 file, 4 bytes" "one/./f: given more than once"
run_both "a directory twice" -r one/d one/d
run_both "directories of one name are merged" -r one/d two/d
run_both "two links of one name" -r one/link two/link
mv two/link two/unused; cp two/other two/link
run_both "a file is not written through a link just made" -r one/link two/link
rm -rf both; mkdir both
run supported cp -r one/fifo two/fifo both; expect "cp: two special files of one name" 1 "" "both/fifo: just copied from"
echo old > both/f
rm -rf both; mkdir both
run timeless cp one/f two/f both; expect "cp: a copy that has its data only is not replaced either" 1 "2 failed" "both/f: just copied from one/f"
rm -rf both; mkdir both; echo old > both/f
run supported cp missing/f one/f both; [ "$(cat both/f)" = one ]; verdict $? "cp: a source that is missing has made nothing"
ln -f both/f both/other
run supported cp one/f two/other both; expect "cp: two names of one file" 1 "" "both/other: just copied from one/f"
rm -rf one two both wanted differ
ln -sf ../outside into/tree/one
run supported cp -r tree into; expect "cp: a link in the way" 1 "1 failed" "into/tree/one: open: "
[ ! -e into/outside ]; verdict $? "cp: a link in the way: is not followed"
run unsupported cp --json big file copy-dir; expect "cp: JSON, in vain" 1 '{"files":0,"failed":2,'
mkdir copy-dir
run unsupported cp --json big file copy-dir
expect "cp: JSON" 0 '{"files":2,"failed":0,"bytes":310000,"offloaded_bytes":0,"copy_file_range_bytes":310000,"read_write_bytes":0,"hole_bytes":0,"engines_unavailable":"not on a bpiofs mount","reasons":[{"why":"refused","files":1,"bytes":300000,"request":"OFFLOAD_READ","status":{"value":"0xC000A2'
[ ! -s err ]; verdict $? "cp: nothing on standard error, which is no terminal"

run supported crypt encrypt file; same log "000900d7 1 0 0" "crypt encrypt"
run supported crypt decrypt file; same log "000900d7 2 0 0" "crypt decrypt"
run enotty crypt encrypt file
expect "crypt: not bpiofs" 1 STATUS_INVALID_DEVICE_REQUEST "(not on a bpiofs mount)"
run supported filter attach f file
expect "filter attach: not on a mount" 1 "" "STATUS_FLT_VOLUME_NOT_FOUND (0xC01C0014, Win32 0x801F0014)"
run supported filter detach f missing; expect "filter detach: no such path" 1 "" "No such file"
if [ ! -e /sys/module/bpiofs ]; then
	run supported filter list; expect "filter list: no bpiofs" 1 "" "(is bpiofs loaded?)"
	run supported filter instances; expect "filter instances: no bpiofs" 1 "" "(is bpiofs loaded?)"
fi
run supported stats /dev/null; expect "stats: not a volume" 1 "" "neither"

echo "1..$tests"
[ "$failures" -eq 0 ]
