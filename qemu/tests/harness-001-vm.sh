#!/bin/bash
# purpose: qemu/vm keeps its promises
#
# Runs on the host, by qemu/test, unlike the other tests. A boot is what costs, so
# that one machine serves many cases, and where a machine is to hang, QEMU is a
# program that only waits.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"

repo=$(cd "$(dirname "$0")/../.." && pwd)
vm=$repo/qemu/vm
scratch=$repo/build/harness-$$
mkdir -p "$scratch" "$tmp/bin" "$tmp/shared"
defer rm -rf "$scratch"

status_of() {
	local status=0

	"$@" >"$tmp/stdout" 2>"$tmp/stderr" || status=$?
	echo $status
}

# until_so COMMAND...: it will be; the limit is for what is broken.
until_so() {
	local end=$((SECONDS + 600))

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# -- one machine, and most of what is promised -------------------------------

# In the guest, whose cases go to a file in build/.
guest() {
	cat <<-'END'
	exec 3>&1 >"$2/cases"
	. "$BPIO_REPO/qemu/tests/lib.sh"
	shared=$1 scratch=$2
	cannot() { ! "$@" 2>/dev/null; }
	cat <(echo of a process) >"$scratch/substituted"
	check "a shared directory is there" grep -qx outside "$shared/file"
	check "and read-only" cannot touch "$shared/new"
	check "the repository is read-only" cannot touch Makefile
	check "system directories may be written to" \
		touch /usr/bin/scratch /var/tmp/y
	check "the modules are there" test -e "$BPIO_MODULES/dm-bpio.ko"
	check "the tools come first on PATH" \
		test "${PATH%%:*}" = "$BPIO_BUILD/tools"
	check "modprobe knows the kernel's modules" modprobe dm-crypt
	check "and ours" modprobe dm-bpio
	check "which is loaded" test -e /sys/module/dm_bpio
	check "with what they need" modprobe bpio-flt-passthru
	check "which is loaded" test -e /sys/module/bpiofs
	check "a process substitution works" \
		grep -qx "of a process" "$scratch/substituted"
	for d in debug config tracing; do
		check "/sys/kernel/$d is mounted" mountpoint -q "/sys/kernel/$d"
	done
	lsblk -bnd -o NAME,LOG-SEC,SIZE | sort >"$scratch/devices"
	nvme id-ns /dev/nvme1n1 | grep -E "^(mssrl|mcl|msrc) " | tr -d " " \
		>>"$scratch/devices"
	ls -d /sys/block/*/mq | wc -l >>"$scratch/devices"

	# What would give rights on the host is refused; all else is possible.
	cd "$scratch"
	cp /bin/true plain
	chmod 750 plain
	ln -s plain link
	for mode in 4755 2755; do
		cp /bin/true "chmod-$mode"
		check "no chmod $mode in build/" cannot chmod $mode "chmod-$mode"
	done
	check "no new file of such a mode" cannot python3 -c \
		'import os; os.open("open", os.O_CREAT | os.O_WRONLY, 0o4755)'
	check "no extended attribute" cannot setfattr -n user.x -v y plain

	# A port of the machine can be opened once; these are pipes.
	exec >&3
	echo to-fd >/dev/fd/3
	echo to-stdout >/dev/stdout
	cat
	printf '<%s>' "$3" >&2
	sleep infinity &
	exit 7
	END
}

one_machine() {
	local status

	echo outside >"$tmp/shared/file"
	guest >"$tmp/shared/guest"
	head -c 3000000 /dev/urandom >"$tmp/in"
	status=$(cd "$repo" && status_of "$vm" run --nvme 1G,lba=4096 \
		--nvme 64M,mssrl=8,mcl=32,msrc=3 --nvme 32M,mdts=5 \
		--share "$tmp/shared" -- bash "$tmp/shared/guest" \
		"$tmp/shared" "$scratch" "a b  'c\" \$d *" <"$tmp/in")
	check_equal "the command's exit status, though a program stays behind" \
		7 "$status"
	{
		echo to-fd
		echo to-stdout
		cat "$tmp/in"
	} >"$tmp/expected"
	check "/dev/fd, /dev/stdout; 3 MB in and out are the same bytes" \
		cmp "$tmp/expected" "$tmp/stdout"
	check_equal "arguments and standard error arrive unchanged" \
		"<a b  'c\" \$d *>" "$(cat "$tmp/stderr")"
	check "build/ can be written to, and read, in the guest" \
		test -s "$scratch/cases"
	cat "$scratch/cases"
	cases_failed=$((cases_failed + $(grep -c '^not ok' "$scratch/cases" || true)))
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
		diff "$tmp/expected" "$scratch/devices"
	check "the host's files cannot be written to" test ! -e /usr/bin/scratch
	check_equal "modes and links in build/ are the guest's" "750 plain" \
		"$(stat -c %a "$scratch/plain") $(readlink "$scratch/link")"
	check_equal "none gives rights on the host" "" \
		"$(find "$scratch" -perm /6000 -o -type b -o -type c)"
}

# -- ends --------------------------------------------------------------------

# start COMMAND: in a machine, in the background
start() {
	"$vm" run -- sh -c "$1" </dev/null >>"$tmp/side" 2>"$tmp/said${#pids[@]}" &
	pids+=($!)
}

side_by_side() {
	local pid pids=() ends=()

	start 'echo runs; kill -9 $$'
	start 'echo runs; echo "WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg'
	start 'echo runs; echo c >/proc/sysrq-trigger; sleep infinity'
	for pid in "${pids[@]}"; do
		ends+=(0)
		wait "$pid" || ends[-1]=$?
	done
	check_equal "machines at once: a killed command is 128 and its signal" \
		137 "${ends[0]}"
	check_equal "a report in the kernel log is 125" 125 "${ends[1]}"
	check_equal "a panic is 125" 125 "${ends[2]}"
	check_equal "each ran" "runs runs runs" "$(xargs <"$tmp/side")"
	check "the report is shown" grep -q 'PID: 1 at nowhere' "$tmp/said1"
	check "and the panic's" grep -q 'sysrq triggered crash' "$tmp/said2"
}

# -- machines that hang ------------------------------------------------------

# A QEMU that hangs as it boots: the first time only, or always.
hanging() {
	cat >"$tmp/bin/qemu-system-x86_64" <<-END
	#!/bin/sh
	case "\$*" in *-version) exit ;; esac
	[ $1 = once ] && [ -e "$tmp/hung" ] && exec "$qemu" "\$@"
	: >"$tmp/hung"
	exec sleep 1000
	END
	chmod +x "$tmp/bin/qemu-system-x86_64"
}

nothing_left() {
	! grep -aqs -- "build/vm/$1-" /proc/[0-9]*/cmdline &&
		[ -z "$(find "$repo/build/vm" -maxdepth 1 -name "$1-*")" ]
}

hangs() {
	local pid qemu path=$PATH

	qemu=$(command -v qemu-system-x86_64)
	PATH=$tmp/bin:$PATH
	hanging always
	check_equal "a machine that always hangs as it boots is 125" 125 \
		"$(BPIO_BOOT_SECONDS=1 status_of "$vm" run -- true </dev/null)"
	check_equal "a timeout before it is up is 124" 124 \
		"$(status_of "$vm" run --timeout 1 -- true </dev/null)"
	rm "$tmp/hung"
	hanging once
	# the second try has all the time that it wants
	echo 5 | BPIO_BOOT_SECONDS=1,600 "$vm" run -- \
		sh -c 'cat; exec sleep infinity' >"$tmp/up" 2>"$tmp/stderr" &
	pid=$!
	check "a boot that hangs is tried once more, and then gets its input" \
		until_so grep -qx 5 "$tmp/up"
	check "that is said" grep -q 'not come up within 1 s: once more' \
		"$tmp/stderr"
	check "its directory is in build/vm" \
		test -n "$(find "$repo/build/vm" -maxdepth 1 -name "$pid-*")"
	kill $pid
	wait $pid || true
	check "a terminated run leaves no machine and no files" nothing_left $pid
	PATH=$path
}

# -- a prompt ----------------------------------------------------------------

# As Documentation/testing.md has it, on a terminal.
shell() {
	check "qemu/vm shell: a guest test runs by hand, and passes" \
		python3 - "$vm" shell <<-'END'
	import os, pty, sys

	COMMAND = b"bash qemu/tests/bypassio-016-tail.sh && echo it-has-''passed; exit\n"
	os.chdir(os.path.dirname(os.path.dirname(sys.argv[1])))
	pid, terminal = pty.fork()
	if not pid:
	    os.execv(sys.argv[1], sys.argv[1:])
	seen, asked = b"", False
	try:
	    while data := os.read(terminal, 65536):
	        seen += data
	        if not asked and seen.rstrip().endswith(b"#"):
	            asked = True
	            os.write(terminal, COMMAND)
	except OSError:
	    pass  # as a terminal ends
	for line in seen.decode(errors="replace").splitlines():
	    print("#", line)
	_, status = os.waitpid(pid, 0)
	sys.exit(status != 0 or b"it-has-passed" not in seen)
	END
}

# -- parts of qemu/vm, without a machine -------------------------------------

# part TEXT ARG...: the lines of Python from standard input, with qemu/vm as vm
part() {
	local text=$1

	shift
	cat >"$tmp/part.py"
	check "$text" env PYTHONPATH="$tmp" python3 -B "$tmp/part.py" "$@"
}

parts() {
	cat >"$tmp/vm_file.py" <<-END
	import importlib.machinery, importlib.util
	loader = importlib.machinery.SourceFileLoader("vm", "$vm")
	vm = importlib.util.module_from_spec(importlib.util.spec_from_loader("vm", loader))
	loader.exec_module(vm)
	END
	rm -rf "$repo/build/vm/killed"
	mkdir -p "$repo/build/vm/killed"
	: >"$repo/build/vm/killed/lock"
	part "work directories come and go side by side" <<-'END'
	import multiprocessing
	from vm_file import vm

	def come_and_go(_):
	    for _ in range(200):
	        work = vm.Workdir()
	        open(work.file("initrd"), "w").close()
	        work.remove()

	with multiprocessing.Pool(4) as pool:
	    pool.map(come_and_go, range(4), 1)
	END
	check "what a killed run left behind goes" \
		test ! -e "$repo/build/vm/killed"

	part "a report that is expected is none, until nothing is any more" <<-'END'
	from vm_file import vm
	apart = ["."] * 100  # what stands next to a report is shown with it
	LOG = ["WARNING: first", *apart, "bpio-expects: (second|third)", "WARNING: second",
	       *apart, "WARNING: other", *apart, "bpio-expects:", "WARNING: third"]
	seen = [line for line in vm.splats("\n".join(LOG)) if line.startswith("WARNING")]
	assert seen == ["WARNING: first", "WARNING: other", "WARNING: third"], seen
	END

	# before that, and what becomes of "timeout", is looked at by hangs
	part "a machine that is up: its word, its death or the timeout ends it" <<-'END'
	from types import SimpleNamespace as Some
	from vm_file import vm

	late, never = 0, 1e18
	for status, poll, deadline, end in [
	        (None, None, late, "timeout"), (None, 1, never, "dead"), (7, None, late, "done")]:
	    verdict = Some(status=status, join=lambda _: None)
	    got = vm.wait_for_end(Some(poll=lambda poll=poll: poll), verdict, [], deadline)
	    assert got == end, (status, poll, got)
	END

	part "KVM: no holds for an hour, yes until the next boot" "$tmp" <<-'END'
	import os, sys
	from vm_file import vm

	vm.CACHE = sys.argv[1]
	vm.os.access = lambda *_: True
	vm.say = lambda _: None
	now, probes, machine = 10**9, 0, False

	def probe():
	    global probes
	    probes += 1
	    return machine

	vm.probe_kvm, vm.time.time = probe, lambda: now
	# after SECONDS, on a machine that can, or asked AGAIN: the answer, probes by then
	for seconds, machine, again, answer, by_then in [
	        (0, False, False, False, 1), (3599, True, False, False, 1),
	        (1, True, False, True, 2), (10**7, False, False, True, 2),
	        (0, False, True, False, 3)]:
	    now += seconds
	    got = vm.kvm_works(again)
	    assert (got, probes) == (answer, by_then), (seconds, got, probes)
	with open(os.path.join(vm.CACHE, "kvm-probe"), "w") as memo:
	    memo.write("another-boot yes %d" % now)
	assert not vm.kvm_works(False) and probes == 4
	END

	part "KVM: a busy machine is given longer" <<-'END'
	from vm_file import vm
	vm.os.cpu_count = lambda: 2
	for load, seconds in (0, 10), (1, 10), (8, 40), (1000, 120):
	    vm.os.getloadavg = lambda: (load, 0, 0)
	    assert vm.kvm_probe_seconds() == seconds, load
	END

	part "QEMU makes no file that gives rights, and others" "$tmp" <<-'END'
	import errno, os, stat, sys
	from vm_file import vm

	os.chdir(sys.argv[1])
	os.umask(0)
	open("file", "w").close()
	fd = os.open("file", os.O_RDONLY)
	vm.harmless_files(lambda: None)()
	for what, error in [
	        (lambda: os.chmod("file", 0o4755), errno.EPERM),
	        (lambda: os.chmod("file", 0o2755), errno.EPERM),
	        (lambda: os.fchmod(fd, 0o6755), errno.EPERM),
	        (lambda: os.chmod("file", 0o4755, dir_fd=os.open(".", os.O_RDONLY)), errno.EPERM),
	        (lambda: os.open("new", os.O_CREAT | os.O_RDWR, 0o4755), errno.EPERM),
	        (lambda: os.mknod("new", stat.S_IFREG | 0o4755), errno.EPERM),
	        (lambda: os.mknod("new", stat.S_IFCHR | 0o600, os.makedev(1, 3)), errno.EPERM),
	        (lambda: os.mknod("new", stat.S_IFBLK | 0o600, os.makedev(7, 0)), errno.EPERM),
	        (lambda: os.setxattr("file", "user.x", b""), errno.EOPNOTSUPP),
	        (lambda: os.setxattr(fd, "user.x", b""), errno.EOPNOTSUPP),
	        (lambda: os.setxattr("file", "user.x", b"", follow_symlinks=False), errno.EOPNOTSUPP),
	        (lambda: os.chmod("file", 0o1777), None),
	        (lambda: os.close(vm.LIBC.syscall(257, -100, b"file", os.O_RDONLY, 0o4755)), None),
	        (lambda: os.close(os.open("other", os.O_CREAT | os.O_RDWR, 0o777)), None),
	        (lambda: os.mkdir("directory", 0o777), None),
	        (lambda: os.mknod("fifo", stat.S_IFIFO | 0o600), None),
	]:
	    got = None
	    try:
	        what()
	    except OSError as e:
	        got = e.errno
	    assert got == error, (what.__code__.co_firstlineno, got)
	END
}

parts
one_machine
side_by_side
hangs
shell
finish
