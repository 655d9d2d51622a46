#!/bin/bash
# purpose: storms of renames, links and truncations keep names and data
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# smp: 2
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

# Each worker moves its own files about and looks at everybody's.
storm() {
	python3 - <<-'END'
	import os, shutil, sys
	rounds = 100 if os.environ.get("BPIO_QUICK") else 300
	rounds //= int(os.environ["scale"])
	for d in range(3):
	    os.mkdir("s%d" % d)
	def look():
	    for d in range(3):
	        for e in os.scandir("s%d" % d):
	            try:
	                e.stat()
	            except FileNotFoundError:
	                pass
	def worker(w):
	    last = None
	    for i in range(rounds):
	        a, b = "s%d" % (i % 3), "s%d" % ((i + 1) % 3)
	        with open("%s/w%d" % (a, w), "w") as f:
	            f.write("%d %d" % (w, i))
	        last = "%s/w%d.%d" % (b, w, i % 7)
	        os.rename("%s/w%d" % (a, w), last)
	        os.makedirs("%s/d%d/deep" % (a, w))
	        os.rename("%s/d%d" % (a, w), "%s/d%d.%d" % (b, w, i))
	        shutil.rmtree("%s/d%d.%d" % (b, w, i))
	        try:
	            os.unlink("s0/l%d" % w)
	        except FileNotFoundError:
	            pass
	        os.link(last, "s0/l%d" % w)
	        # somebody else may be about to do the same
	        for name in ("common", "common2"):
	            try:
	                os.rename("s1/" + name, "s2/" + name)
	            except FileNotFoundError:
	                open("s1/" + name, "w").close()
	        if i % 20 == 0:
	            look()
	    done = "%d %d" % (w, rounds - 1)
	    assert open(last).read() == done
	    assert open("s0/l%d" % w).read() == done
	    os._exit(0)
	for w in range(4):
	    if os.fork() == 0:
	        try:
	            worker(w)
	        except BaseException as e:
	            print("#", repr(e))
	        os._exit(1)
	sys.exit(any([os.wait()[1] for w in range(4)]))
	END
	ok "$fs: a storm of renames, links and removals"
	check_equal "$fs: nothing is left of the directories" 0 \
		"$(find s0 s1 s2 -mindepth 1 -type d | wc -l)"
}

# Writers, truncaters and readers of one file.
races() {
	python3 - <<-'END'
	import errno, mmap, os, random, threading
	rounds = 20 if os.environ.get("BPIO_QUICK") else 60
	rounds //= int(os.environ["scale"])
	errors = []
	# A page that a direct write cannot drop is reported so, by any file system.
	def sync(fd):
	    try:
	        os.fsync(fd)
	    except OSError as e:
	        if e.errno != errno.EIO:
	            raise
	def worker(seed):
	    r = random.Random(seed)
	    buf = mmap.mmap(-1, 65536)
	    buf[:] = bytes([seed]) * 65536
	    into = mmap.mmap(-1, 65536)
	    for _ in range(rounds):
	        flags = os.O_RDWR | os.O_CREAT | (os.O_DIRECT if seed & 1 else 0)
	        fd = os.open("race", flags)
	        try:
	            for _ in range(20):
	                at = r.randrange(64) * 4096
	                what = r.randrange(6)
	                if what == 0:
	                    os.ftruncate(fd, at)
	                elif what == 1:
	                    sync(fd)
	                elif what == 2:
	                    os.posix_fallocate(fd, at, 65536)
	                elif what == 3:
	                    os.pwritev(fd, [buf], at)
	                else:
	                    n = os.preadv(fd, [into], at)
	                    odd = set(into[:n]) - set(range(9))
	                    if odd:
	                        errors.append(odd)
	        finally:
	            os.close(fd)
	def guarded(seed):
	    try:
	        worker(seed)
	    except BaseException as e:
	        errors.append(repr(e))
	threads = [threading.Thread(target=guarded, args=(s,)) for s in range(1, 9)]
	for t in threads: t.start()
	for t in threads: t.join()
	assert not errors, errors
	END
	ok "$fs: racing writes and truncations show nobody else's data"
}

everything() {
	storm
	races
	find . | sort >"$tmp/names"
	check "$fs: after the storm there are names" \
		test "$(wc -l <"$tmp/names")" -gt 12
	echo 2 >/proc/sys/vm/drop_caches
	check "$fs: and the same after dropping the caches" \
		cmp "$tmp/names" <(find . | sort)
}

# Stale blocks would show this pattern.
# shellcheck disable=SC2154 # of fs.sh
bpio-verify poison "$dev" 256M
on_each_mount everything
finish
