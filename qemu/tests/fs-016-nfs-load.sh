#!/bin/bash
# purpose: the NFS server on bpiofs beside bypassed reads and changes made here
# fs: ext4 xfs
# quick: stock:xfs
# smp: 2
# timeout: 600
export FS_BYPASS=1
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
need_module nfsd nfs nfsv4
# shellcheck source=qemu/tests/fs.sh
. "$(dirname "$0")/fs.sh"
# shellcheck source=qemu/tests/nfs.sh
. "$(dirname "$0")/nfs.sh"

# A change that follows so soon that no clock has ticked.
at_once() {
	python3 - "$l/changing" "$n/changing" <<-'PY'
	import os, sys
	here, there = sys.argv[1:]
	fd = os.open(here, os.O_RDWR | os.O_CREAT)
	stale = 0
	for i in range(150):
	    want = b"%08d" % i
	    os.pwrite(fd, want, 0)
	    c = os.open(there, os.O_RDONLY)
	    stale += os.pread(c, 8, 0) != want
	    os.close(c)
	assert not stale, "%d of 150 are stale" % stale
	PY
}

# Direct reads here go to the device while the client writes.
bypassed_beside() {
	local i before readers=() writer

	for i in 1 2; do bpio-verify fill "$l/r$i" "$i" 8M; done
	before=$(count_of full_reads)
	for i in 1 2; do
		command bpio-verify check -e -r -n 1000 "$l/r$i" "$i" &
		readers+=($!)
	done
	(
		for i in 3 4; do
			bpio-verify fill "$n/w$i" "$i" 8M
			cp "$n/w$i" "$n/c$i"
		done
	) &
	writer=$!
	check "$v: bypassed reads here, while the client writes" \
		wait "${readers[0]}"
	check "$v: and of another file" wait "${readers[1]}"
	wait "$writer"
	check "$v: $(($(count_of full_reads) - before)) were bypassed" \
		test $(($(count_of full_reads) - before)) -gt 1500
	for i in 3 4; do
		check "$v: what it wrote is right, directly" \
			bpio-verify check -e "$l/w$i" "$i"
		check "$v: and its copy" bpio-verify check "$l/c$i" "$i"
	done
	check "$v: the files that were read too" \
		bpio-verify check "$n/r1" 1
}

everything() {
	cd /
	v="$fs, 4.2"
	l=$mnt
	serve_root
	check "$v: changes here are seen when the client opens" at_once
	bypassed_beside
	stop_serving
}

on_each_mount everything
finish
