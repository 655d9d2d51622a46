#!/bin/bash
# purpose: directories are looked up by handle and by name at the same time
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# smp: 2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

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
	rounds = 25 if os.environ.get("BPIO_QUICK") else 100
	errors, done = [], [0, 0]
	# until each of the two kinds has gone through all directories so often
	def guard(f):
	    def run():
	        try:
	            while min(done) < rounds * len(dirs) and not errors:
	                f()
	        except BaseException as e:
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
	    with open("/proc/sys/vm/drop_caches", "w") as f:
	        f.write("2")
	    time.sleep(0.01)	# else it takes a processor
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
	by_handle()
	END
	ok "$fs: look-ups by handle and by name at once"
}

on_each_mount races
finish
