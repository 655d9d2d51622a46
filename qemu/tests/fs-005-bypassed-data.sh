#!/bin/bash
# purpose: the data test, with every direct read bypassed where it can be
# fs: ext4 xfs
# quick: stock:xfs debug:ext4
# needs: prog=fio prog=xfs_io
# timeout: 300
export FS_BYPASS=1
# shellcheck source=qemu/tests/fs-003-data.sh
. "$(dirname "$0")/fs-003-data.sh"
