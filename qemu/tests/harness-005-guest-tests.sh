#!/bin/bash
# purpose: qemu/guest-tests: tests from elsewhere, results, and the runner's complaints
#
# Runs on the host. Small tests are made up and run by --tests, with results in a
# directory of their own.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"

repo=$(cd "$(dirname "$0")/../.." && pwd)
quick=${BPIO_QUICK-}
unset BPIO_QUICK V
export BPIO_RESULTS=$tmp/results

# run ARG...: guest-tests, its status in $status, what it says in $tmp/log
run() {
	status=0
	"$repo/qemu/guest-tests" "$@" </dev/null >"$tmp/log" 2>&1 || status=$?
	sed 's/^/# /' "$tmp/log"
}

says() { grep -qE -- "$1" "$tmp/log"; }

# test_of DIR/NAME PURPOSE <<END: a test with this body
test_of() {
	{
		echo "#!/bin/bash"
		echo "# purpose: $2"
		echo "# timeout: ${3-20}"
		echo ". \"\$BPIO_TESTS/lib.sh\""
		cat
		echo finish
	} >"$1.sh"
}

# fence PAGE WORD: the block of the page that opens with ```WORD
fence() {
	sed -n "/^\`\`\`$2\$/,/^\`\`\`\$/p" "$repo/Documentation/$1" | sed '1d;$d'
}

# Both pages as they stand: the filter, and the test beside it.
outsider() {
	local kernel dir=$tmp/filter

	kernel=$("$repo/qemu/kernel" stock)
	mkdir "$dir"
	cd "$dir"
	fence writing-a-filter.md c >flt-audit.c
	fence writing-a-filter.md make >Kbuild
	fence writing-a-filter.md sh >build.sh
	BPIO=$repo KDIR=$kernel/build sh -e build.sh >build.log 2>&1 ||
		cat build.log
	fence testing.md sh >audit-001-private.sh
	test_of "$dir/audit-002-where" "it is of a snapshot" <<-'END'
	case $BPIO_MODULES in
	"$BPIO_BUILD"/run-[0-9]*/ko) ok "modules of the run in $BPIO_MODULES" ;;
	*) not_ok "modules: $BPIO_MODULES" ;;
	esac
	case $BPIO_TESTS in
	"$BPIO_BUILD"/run-[0-9]*/qemu/tests) ok "helpers of the run in $BPIO_TESTS" ;;
	*) not_ok "helpers: $BPIO_TESTS" ;;
	esac
	END
	test_of "$dir/audit-003-lacking" "a module that is not there" <<-'END'
	ok "it runs"
	END
	sed -i '2i # needs: module=flt-lacking' "$dir/audit-003-lacking.sh"
	cd "$tmp"
	run --kernel stock --tests "$dir" --repeat 2 --fs xfs
	check_equal "tests beside a filter: status" 0 "$status"
	for n in 1 2; do
		check "the documented test passes, run $n of 2" says \
			"^ok \[stock\] audit-001-private: xfs: a private file is vetoed \(run $n of 2\)"
	done
	check "and on no other file system than --fs" not says "ext4: "
	check "the failures of repeated tests are counted" \
		says "audit-001-private: 2 runs, 0 failed"
	check "modules and helpers are those of the run" \
		test "$(grep -c '^ok .* of the run ' "$tmp/log")" = 4
	check "a module that is not there is a reason to skip" \
		says "^skip \[stock\] audit-003-lacking: flt-lacking.ko was not built"
	tap_is_valid "$BPIO_RESULTS/guest-stock.tap"
	check "of which nothing is left" test ! -e "$(sed -n 's/^ok.*in \(.*\) (run 1 .*/\1/p' \
		"$tmp/log" | head -n 1)"
}

not() { ! "$@"; }

tap_is_valid() { # FILE
	local cases

	cases=$(grep -cE '^(ok|not ok) ' "$1")
	check_equal "results have their plan" "1..$cases" "$(grep '^1\.\.' "$1")"
	check_equal "and are numbered" "$(seq -s ' ' "$cases")" \
		"$(sed -nE 's/^(ok|not ok) ([0-9]+) - .*/\2/p' "$1" | tr '\n' ' ' | sed 's/ $//')"
	check "and say how many cases a test had" \
		grep -qE '^# \[.*\] [a-z]+-[0-9]+.* [0-9]+ cases$' "$1"
}

# What a test does that the runner has to notice; the last one looks at what is left.
faulty_tests() {
	local dir=$tmp/faulty

	mkdir "$dir"
	test_of "$dir/faulty-001-slow" "exceeds its time" 2 <<-'END'
	defer touch /tmp/cleaned-up
	ok "so far"
	sleep 1000
	END
	test_of "$dir/faulty-002-program" "leaves a program" <<-'END'
	setsid sleep 1000 >/dev/null 2>&1 &
	ok "so far"
	END
	test_of "$dir/faulty-003-early" "ends before its end" <<-'END'
	ok "so far"
	exit 0
	END
	test_of "$dir/faulty-004-nothing" "has no case" <<-'END'
	END
	test_of "$dir/faulty-005-log" "the kernel reports a fault" <<-'END'
	echo "WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg
	ok "so far"
	END
	test_of "$dir/faulty-006-knob" "leaves a fault knob set" <<-'END'
	for f in interval probability; do
		[ ! -e /sys/kernel/debug/fail_make_request/$f ] ||
			echo 7 >/sys/kernel/debug/fail_make_request/$f
	done
	ok "so far"
	END
	test_of "$dir/faulty-007-after" "what the others left" <<-'END'
	check "cleanups of a test that was ended have run" test -e /tmp/cleaned-up
	check_equal "no program is left" "" "$(pgrep -a -r R,S,D -x sleep || true)"
	for f in fail_make_request/interval=1 fail_make_request/probability=0; do
		[ ! -e "/sys/kernel/debug/${f%=*}" ] || check_equal "${f%=*} is what it was" \
			"${f#*=}" "$(cat "/sys/kernel/debug/${f%=*}")"
	done
	[ ! -e /sys/kernel/debug/kmemleak ] || echo off >/sys/kernel/debug/kmemleak
	END
}

faults_noticed() { # KERNEL
	local what

	# the longest is the first one
	echo "$1 faulty-007-after - 0.1" >"$BPIO_RESULTS.times"
	run --kernel "$1" --tests "$tmp/faulty"
	check_equal "$1: faulty tests: status" 1 "$status"
	check_equal "$1: the shortest by its last run is the last" "faulty-007-after" \
		"$(sed -nE 's/^(ok|not ok) \[[^]]*\] (faulty[^:]*):.*/\2/p' "$tmp/log" |
			tail -n 1)"
	check "$1: which took some other time now" \
		not grep -qx "$1 faulty-007-after - 0.1" "$BPIO_RESULTS.times"
	for what in "001-slow: not done after $2 s" "002-program: leaves something behind" \
		"003-early: ended with status 0 before its end" "004-nothing: ran no case" \
		"005-log: the kernel reported a fault"; do
		check "$1: noticed: $what" says "^not ok \[$1\] faulty-$what"
	done
	check "$1: the program is named" says 'left: program [0-9]+ sleep'
	check "$1: nothing of it is left for the next one" \
		not says '^not ok .* faulty-007-after'
	check "$1: which has run" says '^ok .* faulty-007-after: no program is left'
	[ "$1" != debug ] || check "$1: noticed: no search for leaked memory" \
		says '^not ok \[debug\] kmemleak: it has turned itself off'
}

# No guest runs below: what qemu/kernel asks of apt hangs, or it knows no kernel.
apt_that() { # hangs|knows-nothing
	mkdir -p "$tmp/$1"
	# shellcheck disable=SC2016 # for that shell
	case $1 in
	hangs) echo 'echo $$ >"$HANGS"; exec sleep 1000' ;;
	knows-nothing) echo 'exit 100' ;;
	esac >"$tmp/$1/apt-cache"
	sed -i '1i #!/bin/sh' "$tmp/$1/apt-cache"
	printf '#!/bin/sh\nexit 0\n' >"$tmp/$1/apt-get"
	printf '#!/bin/sh\nexec "$@"\n' >"$tmp/$1/sudo"
	chmod +x "$tmp/$1"/*
}

# In the background, until it waits for its kernel; $runner is its pid.
start_hanging() {
	rm -f "$tmp/pid"
	HANGS=$tmp/pid PATH=$tmp/hangs:$PATH XDG_CACHE_HOME=$tmp/cache \
		"$repo/qemu/guest-tests" --kernel stock </dev/null >"$tmp/hanging" 2>&1 &
	runner=$!
	wait_for 60 test -s "$tmp/pid"
}

gone() { [ ! -e "/proc/$1" ]; }

kernels() {
	local status=0

	apt_that hangs
	apt_that knows-nothing
	start_hanging
	run --kernel stock storage-001
	check_equal "a second run ends at once" 2 "$status"
	check "and names the first" says "qemu/guest-tests \(pid $runner\) writes"
	kill $runner
	status=0
	wait $runner || status=$?
	check_equal "a signal ends a run that waits for its kernel" 130 "$status"
	check "and what makes the kernel" wait_for 10 gone "$(cat "$tmp/pid")"
	PATH=$tmp/knows-nothing:$PATH XDG_CACHE_HOME=$tmp/cache run --kernel stock storage-001
	check_equal "a kernel that is not to be had is no failure" 0 "$status"
	check_equal "but is said before the sum" \
		"not tested: stock: no package source of this machine has this kernel" \
		"$(tail -n 2 "$tmp/log" | head -n 1)"
}

# of_program ARG...: what the lines of Python from standard input print, which have
# qemu/guest-tests as `tests`
of_program() {
	cat >"$tmp/loaded.py" <<-END
	import importlib.machinery, importlib.util
	loader = importlib.machinery.SourceFileLoader("tests", "$repo/qemu/guest-tests")
	tests = importlib.util.module_from_spec(importlib.util.spec_from_loader("tests", loader))
	loader.exec_module(tests)
	END
	cat >"$tmp/part.py"
	PYTHONPATH=$tmp python3 -B "$tmp/part.py" "$@"
}

memory() {
	check_equal "machines by the memory there is" "1 1 True 2 True True" \
		"$(of_program <<-'END'
	from loaded import tests

	tests.MACHINES = 3
	few = tests.machines_for(2 * tests.MEMORY_MIB + 100)
	print(tests.machines_for(0)[0], *[f(tests.machines_for(3000)) for f in (
	    lambda m: m[0], lambda m: "3000 MiB" in m[1])],
	    few[0], "2 at a time instead of 3" in few[1],
	    tests.machines_for(1 << 20) == (3, ""))
	END
	)"
}

# Each of the debug kernel ends with a search for leaked memory.
debug_machines() {
	check_equal "machines of a kernel, of 1 to 4 at a time" \
		"stock: 1 2 3 4, debug: 1 1 2 3" "$(of_program <<-'END'
	from types import SimpleNamespace as Some
	from loaded import tests

	def machines(kernel, at_once):
	    plan = Some(options=None, snapshot=None, machines_at_once=at_once,
	                times=Some(expected=lambda *_: 1000))
	    group = tests.Group(Some(kernel=kernel), [], plan)
	    group.todo = [1] * 9
	    while group.urgency() and group.running < 9:
	        group.running += 1
	    return str(group.running)

	print(", ".join("%s: %s" % (kernel, " ".join(machines(kernel, n) for n in range(1, 5)))
	                for kernel in ("stock", "debug")))
	END
	)"
}

# What was kept is shown again, without a guest.
keeping() {
	mkdir "$tmp/keep"
	test_of "$tmp/keep/keep-001-good" "passes" <<-'END'
	ok "good"
	END
	test_of "$tmp/keep/keep-002-bad" "fails" <<-'END'
	not_ok "bad"
	END
	run --kernel stock --tests "$tmp/keep" --keep "$tmp/kept" keep-001
	run --kernel stock --tests "$tmp/keep" --keep "$tmp/kept"
	grep -E '^(ok|not ok)' "$tmp/log" >"$tmp/first"
	BPIO_ACCEL=none run --kernel stock --tests "$tmp/keep" --keep "$tmp/kept"
	check_equal "kept results are shown again: status" 1 "$status"
	check "the same ones" diff "$tmp/first" <(grep -E '^(ok|not ok)' "$tmp/log")
}

memory
debug_machines
kernels
outsider
faulty_tests
faults_noticed stock 2
[ "$quick" ] || faults_noticed debug 6
[ "$quick" ] || keeping
finish
