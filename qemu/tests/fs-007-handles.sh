#!/bin/bash
# purpose: file handles outlive caches and mounts, and name what they did
# fs: ext4 xfs
# quick: stock:xfs stock-6.12:xfs
# smp: 2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

forget() {
	sync -f "$mnt"
	echo 2 >/proc/sys/vm/drop_caches
}

same_after() {
	local when=$1

	check_equal "$fs: $when: a file's data by its handle" "what it holds" \
		"$(bpio-handle open "$mnt" "$file" cat /dev/fd/9)"
	check_equal "$fs: $when: the inode is that of the name" \
		"$(stat -c %d:%i a/b/c/file)" \
		"$(bpio-handle open "$mnt" "$file" stat -L -c %d:%i /dev/fd/9)"
	forget
	check_equal "$fs: $when: a directory knows where it is" "$mnt/a/b/c" \
		"$(bpio-handle open "$mnt" "$dir" readlink /proc/self/fd/9)"
	check_equal "$fs: $when: and what is in it" file \
		"$(bpio-handle open "$mnt" "$dir" ls /dev/fd/9)"
	check_equal "$fs: $when: the same as by name" \
		"$(stat -c %d:%i a/b/c)" \
		"$(bpio-handle open "$mnt" "$dir" stat -L -c %d:%i /dev/fd/9)"
	check "$fs: $when: and files can be made there" \
		bpio-handle open "$mnt" "$dir" bash -c \
		'cd /dev/fd/9/ && echo x >new && mv new newer && rm newer'
}

single() {
	local file dir

	mkdir -p a/b/c
	echo "what it holds" >a/b/c/file
	file=$(bpio-handle make a/b/c/file)
	dir=$(bpio-handle make a/b/c)
	same_after "at once"
	forget
	same_after "nothing cached"
	cd /
	umount "$mnt"
	mount_bpiofs
	cd "$mnt"
	same_after "after another mount"

	forget
	check_equal "$fs: what is changed by a handle shows by name" changed \
		"$(bpio-handle open "$mnt" "$file" sh -c 'echo changed >/dev/fd/9' &&
			cat a/b/c/file)"
	mv a/b/c/file a/moved
	forget
	check_equal "$fs: a handle survives a rename" changed \
		"$(bpio-handle open "$mnt" "$file" cat /dev/fd/9)"
	rm a/moved
	check_equal "$fs: a removed file is stale" ESTALE \
		"$(bpio-handle open "$mnt" "$file" cat)"
	rmdir a/b/c
	check_equal "$fs: so is a removed directory" ESTALE \
		"$(bpio-handle open "$mnt" "$dir" ls)"
	check_equal "$fs: and nonsense" ESTALE \
		"$(bpio-handle open "$mnt" "${dir%%:*}:$(printf 'f%.0s' {1..16})" ls)"
	rm -r a
}

# Directories looked up by handle and by name at once, with nothing cached.
races() {
	python3 - "$mnt" <<-'END'
	import ctypes, os, sys, threading, time
	libc = ctypes.CDLL(None, use_errno=True)
	mnt = sys.argv[1]
	mount = os.open(mnt, os.O_RDONLY)
	class Handle(ctypes.Structure):
	    _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int),
	                ("data", ctypes.c_ubyte * 128)]
	def make(path):
	    h, unused = Handle(128), ctypes.c_int()
	    if libc.name_to_handle_at(-100, path.encode(), ctypes.byref(h),
	                              ctypes.byref(unused), 0):
	        raise OSError(ctypes.get_errno(), path)
	    return h
	def open_handle(h):
	    fd = libc.open_by_handle_at(mount, ctypes.byref(h), os.O_RDONLY)
	    if fd < 0:
	        raise OSError(ctypes.get_errno(), "open_by_handle_at")
	    return fd
	dirs = ["r%d/x/y/z" % d for d in range(8)]
	for d in dirs:
	    os.makedirs(d)
	handles = [make(d) for d in dirs]
	seconds = 2 if os.environ.get("BPIO_QUICK") else 8
	end = time.monotonic() + seconds
	errors, done = [], [0, 0]
	def guard(f):
	    def run():
	        try:
	            while time.monotonic() < end:
	                f()
	        except Exception as e:
	            errors.append(repr(e))
	    return run
	def by_handle():
	    for d, h in zip(dirs, handles):
	        fd = open_handle(h)
	        try:
	            assert os.readlink("/proc/self/fd/%d" % fd) == mnt + "/" + d
	            os.listdir(fd)
	        finally:
	            os.close(fd)
	        done[0] += 1
	def by_name():
	    for d in dirs:
	        os.listdir(d)
	        os.rename(d, d + "2")
	        os.rename(d + "2", d)
	        done[1] += 1
	def by_name_only():
	    for d in dirs:
	        os.listdir(d[:4])
	def forget():
	    open("/proc/sys/vm/drop_caches", "w").write("2")
	    time.sleep(0.01)
	def by_moving_handle():
	    try:
	        by_handle()
	    except AssertionError:
	        pass	# between two renames
	threads = [threading.Thread(target=guard(f)) for f in
	    (by_moving_handle, by_moving_handle, by_name, by_name_only, forget)]
	for t in threads: t.start()
	for t in threads: t.join()
	assert not errors, errors
	print("#", done[0], "by handle,", done[1], "by name")
	assert min(done) > 10, done
	by_handle()
	END
	ok "$fs: look-ups by handle and by name at once"
}

everything() {
	single
	races
}

on_each_fs everything
finish
