# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after fs.sh: the kernel's NFS server for this machine alone, and a
# mount of what it exports on $n. No program of Debian's is needed: what
# exportfs would tell the kernel is written here, nfs-rpc is the rest.

# shellcheck disable=SC2154 # of lib.sh
n=$tmp/nfs
mkdir "$n"
# strangers have to get there
chmod 711 "$tmp"
control=/proc/fs/nfsd
caches=/proc/net/rpc
# NFSEXP_INSECURE_PORT, _NOSUBTREECHECK, _FSID
insecure=0x2 whole=0x400 fsid=0x2000

# start_server VERSION: of +3 and +4.2
start_server() {
	echo "-3 -4" >$control/versions
	echo "$1" >$control/versions
	echo tcp 2049 >$control/portlist
	echo 4 >$control/threads
}

# There is nobody who had something open or locked.
end_grace() { echo Y >$control/v4_end_grace; }

forget_exports() {
	local cache

	for cache in nfsd.fh nfsd.export auth.unix.ip; do
		echo 1 >$caches/$cache/flush
	done
}

stop_server() {
	echo 0 >$control/threads
	forget_exports
}

# tell CACHE WORD...: one entry
tell() {
	local cache=$1

	shift
	echo "$*" >"$caches/$cache/channel"
}

# Entries end then, and would be asked for again.
until=$(($(date +%s) + 86400))

# The one client there is, "us"; said with each export.
known_client() { tell auth.unix.ip nfsd 127.0.0.1 $until us; }

# export_root DIRECTORY: of a mount, as fsid 0: what 4.2 begins at
export_root() {
	known_client
	tell nfsd.export us "$1" $until $((insecure | whole | fsid)) 65534 65534 0
	# type 1: the number
	tell nfsd.fh us 1 '\x00000000' $until "$1"
}

# export_part DIRECTORY: by the UUID of its file system
export_part() {
	local uuid inode

	uuid=$(blkid -p -s UUID -o value "$dev" | tr -d -)
	inode=$(printf %016x "$(stat -c %i "$1")" | sed 's/../& /g' |
		xargs -n 1 | tac | tr -d '\n')
	known_client
	tell nfsd.export us "$1" $until $((insecure)) 65534 65534 0 \
		uuid "\\x$uuid"
	# type 7: inode and UUID
	tell nfsd.fh us 7 "\\x$inode$uuid" $until "$1"
}

# mount_nfs 3|4: without mount.nfs
mount_nfs() {
	local o=proto=tcp,port=2049,addr=127.0.0.1,hard

	# shellcheck disable=SC2154 # of the test
	case $1 in
	4) mount -i -t nfs4 -o "$o,vers=4.2,clientaddr=127.0.0.1" \
		127.0.0.1:/ "$n" ;;
	3) mount -i -t nfs -o "$o,vers=3,mountaddr=127.0.0.1,mountvers=3,\
mountproto=tcp,mountport=111" "127.0.0.1:$l" "$n" ;;
	esac
}

# serve_root: the whole of bpiofs by 4.2, mounted on $n
serve_root() {
	start_server +4.2
	end_grace
	export_root "$mnt"
	mount_nfs 4
}

stop_serving() {
	umount_nfs
	stop_server
}

umount_nfs() { ! mountpoint -q "$n" || umount "$n"; }

# -- a process of the client's -----------------------------------------------

# It has files open across whatever the server goes through.
start_client() {
	coproc client { exec python3 -u -c '
import errno, fcntl, os, sys
fds = {}
def again(fd):
    fd = os.open("/proc/self/fd/%d" % fd, os.O_RDONLY)
    try:
        return os.read(fd, 1000).decode().strip()
    finally:
        os.close(fd)
def write(fd, text):
    os.ftruncate(fd, 0)
    os.pwrite(fd, text.encode() + b"\n", 0)
    os.fsync(fd)
    return "ok"
for line in sys.stdin:
    what, key, *text = line.rstrip("\n").split(" ", 2)
    try:
        if what in ("open", "name"):
            how = os.O_RDWR if what == "open" else os.O_PATH
            fds[key] = os.open(text[0], how)
            print("ok")
        elif what == "read":
            print(os.pread(fds[key], 1000, 0).decode().strip())
        elif what == "again":
            print(again(fds[key]))
        elif what == "list":
            print(*os.listdir("/proc/self/fd/%d" % fds[key]))
        elif what == "write":
            print(write(fds[key], *text))
        elif what == "lock":
            fcntl.lockf(fds[key], fcntl.LOCK_EX | fcntl.LOCK_NB)
            print("ok")
    except OSError as e:
        print(errno.errorcode[e.errno])
'; }
}

# ask_client WHAT KEY [TEXT]: its answer
ask_client() {
	local answer

	echo "$*" >&"${client[1]}"
	read -r -t 60 answer <&"${client[0]}" || answer=nothing
	echo "$answer"
}

ask_ok() { expect_equal "$*" ok "$(ask_client "$@")"; }

# shellcheck disable=SC2154 # of coproc
stop_client() {
	local pid=${client_PID-}

	[ -n "$pid" ] || return 0
	kill "$pid"
	wait "$pid" || true
}

# -- setup -------------------------------------------------------------------

# shellcheck disable=SC2317 # deferred
nfs_cleanup() {
	cd /
	stop_client
	umount_nfs || umount -f -l "$n"
	stop_server
	[ -z "$rpc" ] || kill "$rpc"
	umount $control
}

# What became of clients is kept there across restarts.
mkdir -p /var/lib/nfs/v4recovery
mount -t nfsd nfsd $control
rpc=
defer nfs_cleanup
"$(dirname "$0")/nfs-rpc" us >"$tmp/rpc" &
rpc=$!
wait_for 120 test -s "$tmp/rpc" || fail "nfs-rpc does not run"
# seconds, the least there may be
echo 10 >$control/nfsv4leasetime
echo 10 >$control/nfsv4gracetime
echo 1 >/proc/sys/fs/nfs/nlm_grace_period
