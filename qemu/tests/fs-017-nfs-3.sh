#!/bin/bash
# purpose: the kernel's NFS server on bpiofs, version 3, over loopback
# fs: ext4 xfs
# quick: stock:ext4
# timeout: 600
# needs: prog=xfs_io prog=setfattr
export NFS_VERSION=3
# shellcheck source=qemu/tests/fs-010-nfs.sh
. "$(dirname "$0")/fs-010-nfs.sh"
