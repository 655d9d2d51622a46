#!/bin/bash
# purpose: trees, git, and storms of renames and truncations keep their data
# fs: ext4 xfs
# quick: stock:xfs
# smp: 2
# needs: prog=git
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

tree() {
	tar -C /usr/lib/*/perl-base -cf "$tmp/tree.tar" .
	mkdir tree
	tar -C tree -xf "$tmp/tree.tar"
	check "$fs: tar: the same bytes" tar -C tree -df "$tmp/tree.tar"
	cp -a tree tree2
	check "$fs: cp -a" diff -r tree tree2
	rm -r tree2
	(
		cd tree
		git init -q .
		git add -A
		git -c user.name=t -c user.email=t commit -qm one
		git gc -q
	)
	check "$fs: git fsck" git -C tree fsck --full --no-progress
	check_equal "$fs: git is clean" "" "$(git -C tree status --short)"
}

# Each worker moves its own files about and looks at everybody's.
storm() {
	python3 - <<-'END'
	import os, shutil, sys
	rounds = 100 if os.environ.get("BPIO_QUICK") else 300
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

# Writers, truncaters and readers of one file; then the data of a fresh one.
races() {
	python3 - <<-'END'
	import mmap, os, random, threading, time
	end = time.monotonic() + 6
	errors = []
	def worker(seed):
	    r = random.Random(seed)
	    buf = mmap.mmap(-1, 65536)
	    buf[:] = bytes([seed]) * 65536
	    into = mmap.mmap(-1, 65536)
	    while time.monotonic() < end:
	        flags = os.O_RDWR | os.O_CREAT | (os.O_DIRECT if seed & 1 else 0)
	        fd = os.open("race", flags)
	        try:
	            for _ in range(20):
	                at = r.randrange(64) * 4096
	                what = r.randrange(6)
	                if what == 0:
	                    os.ftruncate(fd, at)
	                elif what == 1:
	                    os.fsync(fd)
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
	threads = [threading.Thread(target=worker, args=(s,)) for s in range(1, 9)]
	for t in threads: t.start()
	for t in threads: t.join()
	assert not errors, errors
	END
	ok "$fs: racing writes and truncations show nobody else's data"
}

everything() {
	tree
	storm
	races
	echo 2 >/proc/sys/vm/drop_caches
	check_equal "$fs: after dropping the caches" "$(find . | wc -l)" \
		"$(find . | wc -l)"
	cd "$mnt/tree"
	echo 3 >/proc/sys/vm/drop_caches
	check "$fs: the tree is still there" tar -df "$tmp/tree.tar"
	cd "$mnt"
}

# Stale blocks would show this pattern.
poison() {
	head -c 256M /dev/zero | tr '\0' '\377' |
		dd of="$dev" bs=1M oflag=direct iflag=fullblock status=none
}

poison
on_each_fs everything
finish
