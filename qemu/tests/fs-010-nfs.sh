#!/bin/bash
# purpose: the kernel's NFS server on bpiofs, version 4.2, over loopback
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
# timeout: 600
# needs: prog=xfs_io prog=setfattr
export FS_BYPASS=1
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
need_module nfsd nfs nfsv3 nfsv4
# shellcheck source=qemu/tests/fs.sh
. "$(dirname "$0")/fs.sh"
# shellcheck source=qemu/tests/nfs.sh
. "$(dirname "$0")/nfs.sh"
# bypassed reads are counted here: a remount begins anew
unset FS_BYPASS

no_file() { ! [ -e "$1" ]; }

# -- what both versions do ---------------------------------------------------

data() {
	# not a whole number of blocks
	bpio-verify fill "$l/filled" 1 $((3000000 / scale + 1))
	cp "$l/filled" "$tmp/data"
	cp "$tmp/data" "$n/new"
	check "$v: what the client writes is there" cmp "$tmp/data" "$l/new"
	cp "$tmp/data" "$l/local"
	check "$v: what is there the client reads" cmp "$tmp/data" "$n/local"
	dd if="$n/new" of="$tmp/got" bs=64k iflag=direct status=none
	check "$v: directly" cmp "$tmp/data" "$tmp/got"
	dd if=/dev/zero of="$tmp/data" bs=4096 seek=10 count=3 conv=notrunc \
		status=none
	dd if=/dev/zero of="$n/new" bs=4096 seek=10 count=3 conv=notrunc \
		oflag=direct status=none
	echo "the end" | tee -a "$tmp/data" >>"$n/new"
	check "$v: written in the middle, and at the end" \
		cmp "$tmp/data" "$l/new"
	truncate -s 100001 "$tmp/data" "$n/new"
	check "$v: truncated" cmp "$tmp/data" "$l/new"
	truncate -s 300001 "$tmp/data" "$n/new"
	check "$v: and made longer" cmp "$tmp/data" "$l/new"
	python3 - "$n/mapped" <<-'PY'
	import mmap, os, sys
	fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
	os.ftruncate(fd, 10000)
	m = mmap.mmap(fd, 10000)
	m[5000:5006] = b"mapped"
	m.flush()
	PY
	check_equal "$v: by a mapping" mapped \
		"$(dd if="$l/mapped" bs=1 skip=5000 count=6 status=none)"
}

names() {
	mkdir "$n/d" "$n/e"
	echo one >"$n/d/one"
	echo two >"$n/d/two"
	mv "$n/d/one" "$n/e/moved"
	check_equal "$v: moved to another directory" "one two" \
		"$(cat "$l/e/moved" "$l/d/"* | xargs)"
	mv "$n/e/moved" "$n/d/two"
	check_equal "$v: in place of another" "two one" \
		"$(cd "$l/d" && echo * "$(cat two)")"
	ln "$n/d/two" "$n/e/linked"
	check_equal "$v: linked" "2 $(stat -c %i "$l/d/two")" \
		"$(stat -c '%h %i' "$l/e/linked")"
	rm "$n/d/two"
	check_equal "$v: removed, its other name stays" "1 one" \
		"$(stat -c %h "$l/e/linked") $(cat "$l/e/linked")"
	ln -s ../d/somewhere "$n/e/symlink"
	check_equal "$v: a symbolic link" ../d/somewhere \
		"$(readlink "$l/e/symlink")"
	mkfifo "$n/d/fifo"
	check "$v: a FIFO" test -p "$l/d/fifo"
	fails "$v: a directory with something in it stays" \
		"Directory not empty" rmdir "$n/d"
	rm "$n/d/fifo"
	rmdir "$n/d"
	check "$v: an empty one goes" no_file "$l/d"
	mv "$n/e" "$n/f"
	check_equal "$v: a directory is renamed" "linked symlink" \
		"$(cd "$l/f" && echo *)"
}

many() {
	local nr=$((1500 / scale))

	mkdir "$l/many"
	(cd "$l/many" && seq -f 'a-name-that-is-not-short-%g' "$nr" | xargs touch)
	check "$v: $nr names are listed, each once" \
		cmp <(ls "$l/many") <(ls "$n/many")
	(cd "$n/many" && seq -f 'of-the-client-%g' 30 | xargs touch &&
		rm a-name-that-is-not-short-12?)
	echo 2 >/proc/sys/vm/drop_caches
	ls "$l/many" >"$tmp/names"
	check_equal "$v: 30 more, 10 fewer" $((nr + 20)) "$(wc -l <"$tmp/names")"
	check "$v: and the same" cmp "$tmp/names" <(ls "$n/many")
	rm -r "$l/many"
}

attributes() {
	touch "$n/owned"
	chmod 4751 "$n/owned"
	check_equal "$v: mode" 4751 "$(stat -c %a "$l/owned")"
	chown 4711:4712 "$n/owned"
	check_equal "$v: owner, and what becomes of the mode" "751 4711 4712" \
		"$(stat -c '%a %u %g' "$l/owned")"
	touch -d @1234567890 "$n/owned"
	check_equal "$v: time" 1234567890 "$(stat -c %Y "$l/owned")"
	install -m 600 /dev/null "$n/private"
	fails "$v: a stranger may not open what is root's" "Permission denied" \
		setpriv --reuid 4711 --clear-groups cat "$n/private"
	mkdir -m 1777 "$n/public"
	setpriv --reuid 4711 --regid 4712 --clear-groups touch "$n/public/his"
	check_equal "$v: a stranger's file is his" "4711 4712" \
		"$(stat -c '%u %g' "$l/public/his")"
}

# Whoever of a process here and the client is first.
locks_exclude() {
	python3 - "$l/locked" "$n/locked" <<-'PY'
	import fcntl, os, sys, time
	def child(path, what, start, length, hold=0):
	    ready, told = os.pipe()
	    pid = os.fork()
	    if pid:
	        os.close(told)
	        return os.read(ready, 1) == b"y", pid
	    fd = os.open(path, os.O_RDWR)
	    try:
	        fcntl.lockf(fd, what | fcntl.LOCK_NB, length, start)
	        os.write(told, b"y")
	    except BlockingIOError:
	        os.write(told, b"n")
	    time.sleep(hold)
	    os._exit(0)
	def may(*args):
	    got, pid = child(*args)
	    os.waitpid(pid, 0)
	    return got
	EX, SH, UN = fcntl.LOCK_EX, fcntl.LOCK_SH, fcntl.LOCK_UN
	open(sys.argv[1], "w").write("x" * 1000)
	for mine, other in sys.argv[1:], sys.argv[:0:-1]:
	    fd = os.open(mine, os.O_RDWR)
	    fcntl.lockf(fd, EX, 100, 100)
	    assert not may(other, EX, 150, 10)
	    assert not may(other, SH, 0, 0)
	    assert may(other, EX, 200, 100)
	    fcntl.lockf(fd, SH, 100, 100)
	    assert may(other, SH, 0, 0)
	    assert not may(other, EX, 0, 0)
	    fcntl.lockf(fd, UN)
	    assert may(other, EX, 0, 0)
	    got, pid = child(other, EX, 0, 0, 0.5)
	    assert got
	    try:
	        fcntl.lockf(fd, EX | fcntl.LOCK_NB)
	        raise SystemExit("both have it")
	    except BlockingIOError:
	        pass
	    os.waitpid(pid, 0)
	    os.close(fd)
	PY
}

both() {
	data
	names
	many
	attributes
	check "$v: locks exclude between the client and a process here" \
		locks_exclude
}

# -- what only 4.2 does ----------------------------------------------------

# What is where: "DATA 0 HOLE 4096 ..."
seek_all() { xfs_io -r -c "seek -a -r 0" "$1" | tail -n +2 | xargs; }

offers_more() {
	local m=$((1048576 / scale)) before

	bpio-verify fill "$l/src" 1 $((8 * m))
	before=$(count_of copy_offload_bytes)
	check_equal "$v: copy_file_range" $((8 * m)) "$(python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
to = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
done = 0
while n := os.copy_file_range(fd, to, int(sys.argv[3]) - done):
    done += n
os.fsync(to)
print(done)' "$n/src" "$n/dst" $((8 * m)))"
	check "$v: the bytes are right" cmp "$l/src" "$l/dst"
	check_equal "$v: the server has copied them by token" $((8 * m)) \
		$(($(count_of copy_offload_bytes) - before))
	bpio-verify fill "$l/again" 2 $((8 * m))
	cp "$l/again" "$n/src"
	before=$(count_of copy_offload_bytes)
	xfs_io -ft -c "copy_range $n/src" "$n/dst"
	check "$v: copied right after it was written" cmp "$n/src" "$l/dst"
	check_equal "$v: by token" $((8 * m)) \
		$(($(count_of copy_offload_bytes) - before))
	if [ "$fs" = xfs ]; then
		before=$(count_of copy_offload_bytes)
		cp --reflink=always "$n/src" "$n/clone"
		check "$v: a clone" cmp "$l/src" "$l/clone"
		check_equal "$v: nothing was copied for it" 0 \
			$(($(count_of copy_offload_bytes) - before))
	fi

	xfs_io -c "fpunch $m $((2 * m))" "$n/dst"
	truncate -s $((9 * m)) "$n/dst"
	sync "$n/dst"
	check_equal "$v: holes are found, as here" \
		"DATA 0 HOLE $m DATA $((3 * m)) HOLE $((8 * m))" \
		"$(seek_all "$n/dst")"
	check_equal "$v: (here)" "$(seek_all "$n/dst")" "$(seek_all "$l/dst")"
	dd if=/dev/zero of="$l/src" bs="$m" count=2 seek=1 conv=notrunc status=none
	truncate -s $((9 * m)) "$l/src"
	check "$v: punched: zeros, and nothing else" cmp "$l/src" "$l/dst"
	before=$(stat -c %b "$l/dst")
	fallocate -o "$m" -l $((2 * m)) "$n/dst"
	check_equal "$v: fallocate takes room" $((2 * m / 512)) \
		$(($(stat -c %b "$l/dst") - before))
	check "$v: and changes nothing" cmp "$l/src" "$n/dst"
	check "$v: an extended attribute is set" \
		setfattr -n user.of -v "the client" "$n/dst"
	check_equal "$v: (here)" "the client" \
		"$(getfattr --only-values -n user.of "$l/dst" 2>/dev/null ||
			true)"
}

# -- handles ---------------------------------------------------------------

# Not of the client's own caches either.
drop_all() {
	sync -f "$n"
	sync -f "$l"
	echo 3 >/proc/sys/vm/drop_caches
}

known() {
	local when=$1

	check_equal "$v: $when: an open file" "what it holds" "$(ask_client read open)"
	check_equal "$v: $when: one whose handle is known" \
		"what it holds" "$(ask_client again named)"
	check_equal "$v: $when: one that was moved since" \
		"what it holds" "$(ask_client again moved)"
	check_equal "$v: $when: a directory" file "$(ask_client list dir)"
	check_equal "$v: $when: what is written is there" ok \
		"$(ask_client write written "$when")"
	check_equal "$v: $when: (here)" "$when" "$(cat "$l/a/written")"
}

handles() {
	local f

	mkdir -p "$n/a/b/c" "$n/gone"
	for f in a/open a/named a/moved a/b/c/file gone/file; do
		echo "what it holds" >"$n/$f"
	done
	touch "$n/a/written"
	start_client
	ask_ok open open "$n/a/open"
	ask_ok open written "$n/a/written"
	ask_ok name named "$n/a/named"
	ask_ok name moved "$n/a/moved"
	ask_ok name dir "$n/a/b/c"
	ask_ok name gone "$n/gone/file"
	ask_ok name gonedir "$n/gone"
	mv "$l/a/moved" "$l/a/$moved"
	known "at once"
	drop_all
	known "nothing cached"
	[ "$v" != "$fs, 4.2" ] || ask_ok lock open
	stop_server
	check "$v: the server lets go of the mount" umount "$mnt"
	mount_bpiofs
	start_server "$versions"
	export_again
	# The client takes back what was its own before anybody gets more.
	stat -f "$n" >/dev/null
	end_grace
	rm -r "$l/gone"
	known "after a restart"
	if [ "$v" = "$fs, 4.2" ]; then
		fails "$v: the client has its lock again" \
			"Resource temporarily unavailable" \
			lock_here "$l/a/open"
	fi
	drop_all
	known "after a restart, nothing cached"
	check_equal "$v: a removed file is stale" ESTALE "$(ask_client again gone)"
	check_equal "$v: so is a removed directory" ESTALE "$(ask_client list gonedir)"
	stop_client
}

lock_here() {
	python3 -c '
import fcntl, sys
fcntl.lockf(open(sys.argv[1], "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)' \
		"$1"
}

# -- all of it ---------------------------------------------------------------

four() {
	v="$fs, 4.2"
	l=$mnt
	versions=+4.2
	moved=b/now
	export_again() { export_root "$mnt"; }
	serve_root
	both
	offers_more
	handles
	stop_serving
}

# A part of the file system: handles name their directories too.
three() {
	v="$fs, 3"
	l=$mnt/three
	versions=+3
	# not to another directory: the handle has this one's number
	moved=now
	mkdir "$l"
	export_again() { export_part "$l"; }
	start_server "$versions"
	end_grace
	export_again
	mount_nfs 3
	both
	handles
	stop_serving
}

everything() {
	cd /
	case ${NFS_VERSION-4.2} in
	3) three ;;
	*) four ;;
	esac
}

on_each_mount everything
finish
