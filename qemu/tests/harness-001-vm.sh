#!/bin/bash
# purpose: qemu/vm keeps its promises
#
# Runs on the host, by qemu/test, unlike the other tests.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"

repo=$(cd "$(dirname "$0")/../.." && pwd)
vm=$repo/qemu/vm

run() { "$vm" run --nvme 64M "$@" 2>"$tmp/stderr"; }

status_of() {
	local status=0

	"$@" >"$tmp/stdout" || status=$?
	echo $status
}

exit_status_streams_arguments() {
	local status

	head -c 3000000 /dev/urandom >"$tmp/in"
	# shellcheck disable=SC2016 # for the guest's shell
	status=$(status_of run -- sh -c 'cat; echo "<$1>" >&2; exit 7' sh \
		"a b  'c\" \$d *" <"$tmp/in")
	check_equal "the command's exit status is the exit status" 7 "$status"
	check "3 MB in and out are the same bytes" cmp "$tmp/in" "$tmp/stdout"
	check_equal "arguments and standard error arrive unchanged" \
		"<a b  'c\" \$d *>" "$(cat "$tmp/stderr")"
}

devices() {
	"$vm" run --nvme 1G,lba=4096 --nvme 64M,mssrl=8,mcl=32,msrc=3 \
		--nvme 32M,mdts=5 -- sh -c '
		lsblk -bnd -o NAME,LOG-SEC,SIZE | sort
		nvme id-ns /dev/nvme1n1 | grep -E "^(mssrl|mcl|msrc) " | tr -d " "
		ls -d /sys/block/*/mq | wc -l
		' </dev/null >"$tmp/devices" 2>&1 || not_ok "a guest with disks"
	cat >"$tmp/expected" <<-END
	nvme0n1    4096 1073741824
	nvme1n1     512   67108864
	nvme2n1     512   33554432
	mssrl:8
	mcl:32
	msrc:3
	3
	END
	check "namespaces: order, sizes, block size, parameters, queues" \
		diff "$tmp/expected" "$tmp/devices"
}

guest_root() {
	local mine=$tmp/shared

	mkdir "$mine"
	echo outside >"$mine/file"
	mkdir -p "$repo/build"
	# shellcheck disable=SC2016 # for the guest's shell
	expect_status 0 run --share "$mine" -- bash -c '
		set -e
		cd '"$repo"'
		test "$(cat '"$mine"'/file)" = outside
		! touch '"$mine"'/new 2>/dev/null
		! touch Makefile 2>/dev/null
		echo from-the-guest >build/harness-note
		touch /usr/bin/scratch /tmp/x /var/tmp/y
		test -d "$BPIO_MODULES"
		case $PATH in '"$repo"'/build/tools:*) ;; *) exit 1 ;; esac
		modprobe dm-crypt
		modprobe dm-bpio
		test -e /sys/module/dm_bpio
		modprobe bpio-flt-passthru
		test -e /sys/module/bpiofs
		echo to-stdout >/dev/stdout
		cat <(echo a process substitution) >/dev/null
		mountpoint -q /sys/kernel/debug
		mountpoint -q /sys/kernel/config
		mountpoint -q /sys/kernel/tracing
		' </dev/null >"$tmp/stdout" || cat "$tmp/stderr"
	check_equal "build/ can be written from the guest" from-the-guest \
		"$(cat "$repo/build/harness-note")"
	rm -f "$repo/build/harness-note"
	check "the host's files cannot" test ! -e /usr/bin/scratch
	check_equal "/dev/stdout works" to-stdout "$(cat "$tmp/stdout")"
}

ends() {
	check_equal "a timeout is 124" 124 \
		"$(status_of run --timeout 6 -- sleep 100 </dev/null)"
	check_equal "a panic is 125" 125 "$(status_of run -- \
		sh -c 'echo c >/proc/sysrq-trigger; sleep 9' </dev/null)"
	check "and its report is shown" \
		grep -q 'sysrq triggered crash' "$tmp/stderr"
	check_equal "a report in the kernel log is 125" 125 \
		"$(status_of run -- sh -c \
		'echo "WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg' </dev/null)"
	check_equal "a program left behind delays nothing" 3 \
		"$(status_of run --timeout 60 -- \
		sh -c 'sleep 1000 & exit 3' </dev/null)"
	check_equal "a killed command is 128 and its signal" 137 \
		"$(status_of run -- sh -c 'kill -9 $$' </dev/null)"
	check_equal "a missing command is 127" 127 \
		"$(status_of run -- no-such-program </dev/null)"
}

# A machine that hangs as it boots, the first time only.
hangs_once() {
	local real

	real=$(command -v qemu-system-x86_64)
	mkdir "$tmp/bin"
	cat >"$tmp/bin/qemu-system-x86_64" <<-END
	#!/bin/sh
	[ -e "$tmp/hung" ] && exec "$real" "\$@"
	: >"$tmp/hung"
	exec sleep 1000
	END
	chmod +x "$tmp/bin/qemu-system-x86_64"
	check_equal "a boot that hangs is tried once more" 5 "$(echo 5 |
		PATH=$tmp/bin:$PATH BPIO_BOOT_SECONDS=30 status_of run -- \
		sh -c "exit \$(cat)")"
	check "and that is said" grep -q 'not come up within 30 s: once more' \
		"$tmp/stderr"
	check_equal "one that always hangs is 125" 125 "$(BPIO_BOOT_SECONDS=4 \
		status_of run --append 'rdinit=/bin/sleep -- 1000' -- true \
		</dev/null)"
}

nothing_left() {
	! grep -aqs -- "build/vm/$1-" /proc/[0-9]*/cmdline &&
		[ -z "$(find "$repo/build/vm" -maxdepth 1 -name "$1-*")" ]
}

killing() {
	local pid

	"$vm" run -- sleep 1000 </dev/null >/dev/null 2>&1 &
	pid=$!
	sleep 4
	kill $pid
	wait $pid || true
	check "a terminated run leaves no machine and no files" \
		nothing_left $pid
}

side_by_side() {
	local n pids=() bad=0

	for n in 1 2 3; do
		"$vm" run --nvme 64M -- sh -c "echo $n" </dev/null \
			>"$tmp/side$n" 2>&1 &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n" || bad=1; done
	check_equal "three machines at once" "0 1 2 3" \
		"$bad $(cat "$tmp"/side? | tr '\n' ' ' | sed 's/ $//')"
}

# Machines that come and go at the same moments, without the machines.
work_directories() {
	rm -rf "$repo/build/vm/killed"
	mkdir -p "$repo/build/vm/killed"
	: >"$repo/build/vm/killed/lock"
	check "work directories come and go side by side" python3 - "$vm" <<-'END'
	import importlib.machinery, importlib.util, multiprocessing, sys, time

	sys.dont_write_bytecode = True
	loader = importlib.machinery.SourceFileLoader("vm", sys.argv[1])
	vm = importlib.util.module_from_spec(importlib.util.spec_from_loader("vm", loader))
	loader.exec_module(vm)

	def come_and_go(_):
	    end = time.monotonic() + 5
	    while time.monotonic() < end:
	        work = vm.Workdir()
	        open(work.file("initrd"), "w").close()
	        work.remove()

	with multiprocessing.Pool(4) as pool:
	    pool.map(come_and_go, range(4), 1)
	END
	check "what a killed run left behind goes" \
		test ! -e "$repo/build/vm/killed"
}

"$vm" run --nvme 64M -- true </dev/null # builds and probes before the clock runs
start=$(date +%s%N)
exit_status_streams_arguments
took=$((($(date +%s%N) - start) / 1000000))
note "boot, 3 MB through the command and end: $took ms"
devices
guest_root
ends
hangs_once
killing
work_directories
side_by_side
finish
