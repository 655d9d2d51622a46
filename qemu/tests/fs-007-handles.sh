#!/bin/bash
# purpose: file handles outlive caches and mounts, and name what they did
# fs: ext4 xfs
# quick: stock:xfs debug:ext4 stock-6.12:xfs
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fs.sh"

drop_all() {
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
	drop_all
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
	drop_all
	same_after "nothing cached"
	cd /
	umount "$mnt"
	mount_bpiofs
	cd "$mnt"
	same_after "after another mount"

	drop_all
	check_equal "$fs: what is changed by a handle shows by name" changed \
		"$(bpio-handle open "$mnt" "$file" sh -c 'echo changed >/dev/fd/9' &&
			cat a/b/c/file)"
	mv a/b/c/file a/moved
	drop_all
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

on_each_mount single
finish
