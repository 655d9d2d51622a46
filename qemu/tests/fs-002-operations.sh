#!/bin/bash
# purpose: names, attributes, extended attributes and special files
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
# needs: prog=setfacl prog=getfattr
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

# three blocks of a directory at least
many=$((2000 / scale))

nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

names() {
	local full

	echo hello >a
	check_equal "$fs: create, write, read" hello "$(cat a)"
	ln a b
	check_equal "$fs: a link is the same inode" "$(stat -c %i a)" \
		"$(stat -c %i b)"
	check_equal "$fs: link count" 2 "$(stat -c %h a)"
	rm a
	check_equal "$fs: link count after unlink" 1 "$(stat -c %h b)"
	ln -s b c
	check_equal "$fs: symbolic link" hello "$(cat c)"
	check_equal "$fs: its target" b "$(readlink c)"
	mkdir -p d/e
	check_equal "$fs: links of a directory" 3 "$(stat -c %h d)"
	fails "$fs: rmdir of a full one" "Directory not empty" rmdir d
	rmdir d/e
	check_equal "$fs: links after rmdir" 2 "$(stat -c %h d)"
	mv b d/b2
	check_equal "$fs: rename into a directory" hello "$(cat d/b2)"
	echo other >f
	mv f d/b2
	check_equal "$fs: rename over a file" other "$(cat d/b2)"
	fails "$fs: a directory into itself" "Invalid argument: 'd' -> 'd/x'" \
		python3 -c 'import os; os.rename("d", "d/x")'
	mkdir g g/sub
	mkdir h
	case $fs in
	xfs) full="File exists" ;;
	*) full="Directory not empty" ;;
	esac
	fails "$fs: rename over a full directory" "$full" mv -T h g
	mv -T g h
	check "$fs: rename over an empty directory" test -d h/sub
	python3 - <<-'END'
	import ctypes, os
	libc = ctypes.CDLL(None, use_errno=True)
	def renameat2(old, new, flags):
	    if libc.renameat2(-100, old, -100, new, flags):
	        raise OSError(ctypes.get_errno(), "renameat2")
	open("x", "w").write("x"); os.mkdir("y"); open("y/in", "w")
	renameat2(b"x", b"y", 2)	# exchange
	assert open("y").read() == "x" and os.path.exists("x/in")
	try:
	    renameat2(b"x", b"y", 1)	# noreplace
	    raise SystemExit("replaced")
	except FileExistsError:
	    pass
	renameat2(b"x", b"z", 1)
	os.stat("z/in")
	renameat2(b"y", b"y2", 4)	# whiteout
	import stat
	st = os.stat("y")
	assert stat.S_ISCHR(st.st_mode) and st.st_rdev == 0
	assert open("y2").read() == "x"
	END
	ok "$fs: renameat2: exchange, noreplace, whiteout"
	fails "$fs: a name too long" "File name too long" \
		touch "$(printf 'n%.0s' {1..256})"
	check "$fs: a name of 255" touch "$(printf 'n%.0s' {1..255})"
	fails "$fs: no such file" "No such file or directory" cat none
	touch none
	check "$fs: a name once looked up in vain" test -f none

	mkfifo fifo
	(echo through >fifo &)
	check_equal "$fs: fifo" through "$(cat fifo)"
	mknod null c 1 3
	check "$fs: device node" bash -c 'echo x >null'
	python3 -c 'import socket as s; s.socket(s.AF_UNIX).bind("sock")'
	check "$fs: socket" test -S sock

	mkdir many
	(cd many && seq -f 'file%05g' "$many" | xargs touch)
	check_equal "$fs: a directory of $many" "$many" "$(find many -type f | wc -l)"
	check_equal "$fs: each inode number is that of stat" \
		"$(cd many && python3 -c 'import os
for e in os.scandir("."): print(e.inode(), e.name)' | sort)" \
		"$(cd many && stat -c '%i %n' -- * | sort)"
	rm -r many
	check "$fs: gone" test ! -e many
}

attributes() {
	echo data >attr
	chmod 4711 attr
	check_equal "$fs: chmod" 4711 "$(stat -c %a attr)"
	echo more | nobody tee -a attr >/dev/null 2>&1 || true
	check_equal "$fs: and is denied to who may not" data "$(cat attr)"
	chmod 4777 attr
	echo more | nobody tee -a attr >/dev/null
	check_equal "$fs: a write takes set-user-ID away" 777 "$(stat -c %a attr)"
	chown 12:34 attr
	check_equal "$fs: chown" 12:34 "$(stat -c %u:%g attr)"
	touch -d '2001-02-03 04:05:06.789' attr
	check_equal "$fs: times" '2001-02-03 04:05:06.789' \
		"$(stat -c %y attr | cut -c 1-23)"
	fails "$fs: chmod of another's file" "Operation not permitted" \
		nobody chmod 0 attr
	chmod 700 attr
	fails "$fs: open without permission" "Permission denied" \
		nobody cat attr
	mkdir sticky
	chmod 1777 sticky
	touch sticky/mine
	fails "$fs: sticky directory" "Operation not permitted" \
		nobody rm -f sticky/mine

	setfattr -n user.colour -v green attr
	check_equal "$fs: user attribute" green \
		"$(getfattr --only-values -n user.colour attr)"
	setfattr -n trusted.t -v 1 attr
	check_equal "$fs: list of attributes" "trusted.t user.colour" \
		"$(getfattr -m - attr | grep -E 'trusted|user' | sort | xargs)"
	setfattr -x user.colour attr
	check "$fs: removed" test -z "$(getfattr -d attr)"
	setfacl -m u:nobody:r attr
	check "$fs: an access list" grep -q "^user:nobody:r--" <(getfacl -cp attr)
	check_equal "$fs: opens the file" "data more" \
		"$(nobody cat attr | xargs)"
	mkdir acl
	setfacl -d -m u::rwx,g::rwx,o::rwx acl
	(umask 077 && touch acl/file)
	check_equal "$fs: a default list overrides the umask" 666 \
		"$(stat -c %a acl/file)"
	(umask 027 && touch masked)
	check_equal "$fs: else the umask counts" 640 "$(stat -c %a masked)"

	touch flags
	chattr +i flags
	fails "$fs: immutable" "Operation not permitted" rm -f flags
	chattr -i flags
	chattr +a flags
	check "$fs: append-only: appends" bash -c 'echo x >>flags'
	fails "$fs: append-only: no more" "Operation not permitted" truncate -s 0 flags
	chattr -a flags
	rm flags

	bpio-verify fill mapped 1 192K
	check "$fs: fiemap" grep -q ': [1-9][0-9]* extents\? found' \
		<(filefrag -s mapped)
	dd if=/dev/zero of=swap bs=1M count=2 status=none
	mkswap swap >/dev/null 2>&1
	fails "$fs: swapon is refused" "Invalid argument" swapon swap
	python3 - <<-'END'
	import fcntl, os
	a = os.open("attr", os.O_RDWR)
	fcntl.lockf(a, fcntl.LOCK_EX)
	if os.fork() == 0:
	    b = os.open("attr", os.O_RDWR)
	    try:
	        fcntl.lockf(b, fcntl.LOCK_EX | fcntl.LOCK_NB)
	    except OSError:
	        os._exit(0)
	    os._exit(1)
	assert os.wait()[1] == 0
	END
	ok "$fs: record locks"
}

everything() {
	names
	attributes
}

on_each_mount everything
finish
