#!/bin/bash
# purpose: a tree of files by tar, cp and git keeps its names and data
# fs: ext4 xfs
# quick: stock:xfs
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

everything() {
	tree
	echo 3 >/proc/sys/vm/drop_caches
	check "$fs: after dropping the caches the tree is still there" \
		tar -C tree -df "$tmp/tree.tar"
}

on_each_mount everything
finish
