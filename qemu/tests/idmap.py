#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What an idmapped mount does, for fs-009-idmap.sh.

    idmap.py mount PLAIN MAPPED     mounts a clone of PLAIN with mapped ids
    idmap.py operations PLAIN MAPPED DEVICE
                                    one line each: what came of it; to be
                                    compared with another file system's

Users 1000 to 1009 of the file system are 11000 to 11009 in the mapped mount,
groups 2000 to 2009 are 12000 to 12009, and nobody else is there.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import stat
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER = 0x10000000
OPEN_TREE_CLONE, AT_EMPTY_PATH, MOVE_MOUNT_F_EMPTY_PATH = 1, 0x1000, 4
MOUNT_ATTR_IDMAP = 0x100000
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442
RENAME_EXCHANGE = 2
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80086601, 0x40086602
FS_NODUMP_FL, FS_APPEND_FL = 0x40, 0x20
FIDEDUPERANGE = 0xC0189436
Q_GETQUOTA = 0x800007

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
CAPS = "security.capability"

# name: user, group, other groups
PEOPLE = {
    "alice": (11000, 12000, []),
    "bob": (11001, 12001, []),
    "carol": (11002, 12002, [12000]),
    # the ids that alice has below: nobody above
    "raw": (1000, 2000, []),
    "root": (0, 0, []),
}


def check(ret):
    if ret < 0:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))
    return ret


class Child:
    """A process in a user namespace with these maps, until it is ended."""

    def __init__(self, users, groups, then=None):
        ready, go = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                check(LIBC.unshare(CLONE_NEWUSER))
                os.write(ready[1], b"x")
                os.read(go[0], 1)
                status = then() if then else 0
            finally:
                os._exit(status)
        os.read(ready[0], 1)
        for name, text in (("uid_map", users), ("gid_map", groups)):
            with open(f"/proc/{self.pid}/{name}", "w") as f:
                f.write(text)
        self.go = go[1]
        for fd in (ready[0], ready[1], go[0]):
            os.close(fd)

    def end(self):
        os.write(self.go, b"x")
        os.close(self.go)
        return os.waitpid(self.pid, 0)[1]


def mount(plain, mapped):
    child = Child("1000 11000 10", "2000 12000 10")
    ns = os.open(f"/proc/{child.pid}/ns/user", os.O_RDONLY)
    try:
        tree = check(LIBC.syscall(SYS_OPEN_TREE, -100, plain.encode(), OPEN_TREE_CLONE))
        attr = struct.pack("QQQQ", MOUNT_ATTR_IDMAP, 0, 0, ns)
        check(LIBC.syscall(SYS_MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, attr, len(attr)))
        check(LIBC.syscall(SYS_MOVE_MOUNT, tree, b"", -100, mapped.encode(),
                           MOVE_MOUNT_F_EMPTY_PATH))
    finally:
        child.end()


def report(what, function):
    """In one line: what it returned, or the error."""
    try:
        got = function()
        text = "ok" if got is None else got
    except OSError as e:
        text = errno.errorcode[e.errno]
    print(f"{what}: {text}", flush=True)
    return 0


def as_user(who, what, function):
    """In this process, which stays root by its saved ids: to fork for each would cost
    the debug kernel a minute. Capabilities go with the effective id, those that
    access() looks at with the real one. What the function leaves open is closed."""
    user, group, others = PEOPLE[who]
    keep = os.open("/", os.O_RDONLY)
    os.setgroups(others)
    os.setresgid(group, group, 0)
    os.setresuid(user, user, 0)
    try:
        report(f"{who}: {what}", function)
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups([])
        os.closerange(keep, os.sysconf("SC_OPEN_MAX"))


def in_container(what, function):
    """As root of a user namespace whose users are those of the mount."""
    def then():
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        return report(f"container: {what}", function)
    sys.stdout.flush()
    assert Child("0 11000 10", "0 12000 10", then).end() == 0, what


class Views:
    """Two mounts of one file system."""

    def __init__(self, plain, mapped):
        self.plain, self.mapped = plain, mapped

    def __call__(self, name):
        return os.path.join(self.mapped, name)

    def below(self, name):
        return os.path.join(self.plain, name)

    def show(self, name):
        for view, path in (("plain", self.below(name)), ("mapped", self(name))):
            try:
                st = os.lstat(path)
                kind = oct(st.st_mode)[2:]
                size = "" if stat.S_ISDIR(st.st_mode) else f" size {st.st_size}"
                links = "" if stat.S_ISDIR(st.st_mode) else f" links {st.st_nlink}"
                print(f"  {view} {name}: {st.st_uid}:{st.st_gid} {kind}{size}{links}")
            except OSError as e:
                print(f"  {view} {name}: {errno.errorcode[e.errno]}")

    def show_attr(self, name, attr):
        for view, path in (("plain", self.below(name)), ("mapped", self(name))):
            report(f"  {view} {name} {attr}", lambda path=path: shown(get_attr(path, attr)))


def get_attr(path, attr):
    """As libacl does: 6.1 maps no ids when the room is not for whole entries."""
    value = ctypes.create_string_buffer(4 + 16 * 8)
    size = check(LIBC.getxattr(path.encode(), attr.encode(), value, len(value)))
    return value.raw[:size]


def shown(value):
    if struct.unpack_from("<I", value)[0] != 2 or len(value) % 8 != 4 or len(value) < 28:
        return value.hex()
    names = {1: "user", 2: "user", 4: "group", 8: "group", 16: "mask", 32: "other"}
    entries = [struct.unpack_from("<HHI", value, at) for at in range(4, len(value), 8)]
    return " ".join(f"{names[tag]}:{who if tag in (2, 8) else ''}:{perm}"
                    for tag, perm, who in entries)


def acl(users=(), groups=()):
    """rwx for the owner, r-x for the group, these, a mask of all, none."""
    entries = [(1, 7, 0xffffffff)]
    entries += [(2, perm, who) for who, perm in users]
    entries += [(4, 5, 0xffffffff)]
    entries += [(8, perm, who) for who, perm in groups]
    entries += [(16, 7, 0xffffffff), (32, 0, 0xffffffff)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)


def write(path, data=b"data", flags=os.O_CREAT):
    def function():
        fd = os.open(path, os.O_WRONLY | flags, 0o644)
        assert os.write(fd, data) == len(data)
        os.close(fd)
    return function


def read(path):
    def function():
        with open(path, "rb") as f:
            return f.read(100).decode()
    return function


def set_flags(path, flags):
    def function():
        fd = os.open(path, os.O_RDONLY)
        value = bytearray(8)
        fcntl.ioctl(fd, FS_IOC_GETFLAGS, value)
        old = struct.unpack_from("I", value)[0]
        ours = FS_NODUMP_FL | FS_APPEND_FL
        fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack("Q", old & ~ours | flags))
        return f"was {old & ours:#x}"
    return function


def nameless(directory, name=None):
    def function():
        fd = os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o2775)
        st = os.fstat(fd)
        os.write(fd, b"no name yet")
        if name:
            # AT_FDCWD, AT_SYMLINK_FOLLOW
            check(LIBC.linkat(-100, b"/proc/self/fd/%d" % fd, -100, name.encode(), 0x400))
        return f"{st.st_uid}:{st.st_gid} {oct(st.st_mode)[2:]} links {os.fstat(fd).st_nlink}"
    return function


def exchange(old, new):
    return lambda: None if check(LIBC.renameat2(-100, old.encode(), -100, new.encode(),
                                                RENAME_EXCHANGE)) == 0 else None


def dedupe(source, destination):
    """Of a destination that is open for reading: its owner may."""
    def function():
        fd, to = os.open(source, os.O_RDONLY), os.open(destination, os.O_RDONLY)
        value = bytearray(struct.pack("QQHHIqQQiI", 0, 4096, 1, 0, 0, to, 0, 0, 0, 0))
        fcntl.ioctl(fd, FIDEDUPERANGE, value)
        done, status = struct.unpack_from("Qi", value, 40)
        if status < 0:
            raise OSError(-status, "")
        return f"status {status}, {done} bytes"
    return function


def inodes_of(device, user):
    value = ctypes.create_string_buffer(72)
    if LIBC.quotactl(Q_GETQUOTA << 8, device.encode(), user, value):
        assert ctypes.get_errno() == errno.ENOENT, os.strerror(ctypes.get_errno())
        return 0
    return struct.unpack_from("Q", value, 40)[0]


def direct(path):
    def function():
        fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
        into = mmap.mmap(-1, 65536)
        got = sum(os.preadv(fd, [into], at << 16) for at in range(4))
        return f"{got} bytes of {bytes(into[:3])}"
    return function


def truncate(path, size):
    return lambda: os.truncate(path, size)


def owners(v):
    as_user("alice", "create", write(v("w/file")))
    as_user("alice", "mkdir", lambda: os.mkdir(v("w/dir")))
    as_user("alice", "symlink", lambda: os.symlink("file", v("w/symlink")))
    as_user("alice", "fifo", lambda: os.mkfifo(v("w/fifo")))
    for name in ("file", "dir", "symlink", "fifo", "hers", "nobodys"):
        v.show("w/" + name)
    as_user("alice", "through the symlink", read(v("w/symlink")))
    in_container("who owns it", lambda: str(os.stat(v("w/file")).st_uid))
    for who in ("bob", "raw", "root"):
        as_user(who, "create", write(v("w/new")))
        as_user(who, "mkdir", lambda: os.mkdir(v("w/newdir")))
        as_user(who, "create where all may", write(v("all/" + who)))
        as_user(who, "mkdir where all may", lambda who=who: os.mkdir(v(f"all/{who}-d")))
        as_user(who, "symlink where all may", lambda who=who: os.symlink("x", v(f"all/{who}-l")))
        as_user(who, "mknod where all may", lambda who=who: os.mkfifo(v(f"all/{who}-f")))
        as_user(who, "nameless where all may", nameless(v("all")))
        v.show("all/" + who)
    in_container("create", write(v("w/container")))
    v.show("w/container")


def rights(v):
    as_user("alice", "secret", lambda: os.chmod(v("w/file"), 0o600))
    for who in PEOPLE:
        as_user(who, "read", read(v("w/file")))
        as_user(who, "append", write(v("w/file"), b"+", os.O_APPEND))
        as_user(who, "chmod", lambda: os.chmod(v("w/file"), 0o640))
        as_user(who, "touch", lambda: os.utime(v("w/file"), (1, 2)))
        as_user(who, "now", lambda: os.utime(v("w/file")))
        as_user(who, "truncate", truncate(v("w/file"), 3))
        as_user(who, "chattr", set_flags(v("w/file"), FS_NODUMP_FL))
        as_user(who, "chattr -", set_flags(v("w/file"), 0))
        as_user(who, "noatime", lambda: os.close(os.open(v("w/file"),
                                                         os.O_RDONLY | os.O_NOATIME)))
        as_user(who, "setfattr", lambda: os.setxattr(v("w/file"), "user.x", b"y"))
        as_user(who, "getfattr", lambda: os.getxattr(v("w/file"), "user.x").decode())
        as_user(who, "setfattr -x", lambda: os.removexattr(v("w/file"), "user.x"))
        as_user(who, "access", lambda: str(os.access(v("w/file"), os.W_OK)))
        v.show("w/file")
    # a file of an unmapped user, that all may write
    for who in ("alice", "root"):
        as_user(who, "read nobody's", read(v("w/nobodys")))
        as_user(who, "write nobody's", write(v("w/nobodys"), b"x", 0))
        as_user(who, "chmod nobody's", lambda: os.chmod(v("w/nobodys"), 0o600))
        as_user(who, "utime nobody's", lambda: os.utime(v("w/nobodys")))
        as_user(who, "unlink nobody's", lambda: os.unlink(v("w/nobodys")))
    as_user("alice", "utime", lambda: os.utime(v("w/file"), (1, 2)))
    report("  times", lambda: os.stat(v.below("w/file")).st_mtime)
    in_container("chmod", lambda: os.chmod(v("bobs"), 0o604))
    in_container("touch", lambda: os.utime(v("bobs"), (1, 2)))
    v.show("bobs")


def change_owner(v, device):
    name = v("w/file")
    for who in ("raw", "alice", "root"):
        for uid, gid in ((11000, -1), (-1, 12000), (-1, 12001), (-1, 2000), (1000, -1),
                         (11001, 12001), (11000, 12000)):
            as_user(who, f"chown {uid}:{gid}",
                    lambda uid=uid, gid=gid: os.chown(name, uid, gid))
            v.show("w/file")
    as_user("carol", "create", write(v("all/carols")))
    as_user("carol", "chgrp to her other group", lambda: os.chown(v("all/carols"), -1, 12000))
    as_user("carol", "chgrp to a third", lambda: os.chown(v("all/carols"), -1, 12001))
    v.show("all/carols")
    in_container("chown", lambda: os.chown(name, 1, 1))
    v.show("w/file")
    in_container("chown back", lambda: os.chown(name, 0, 0))
    in_container("chown to nobody", lambda: os.chown(name, 77, 77))
    v.show("w/file")
    before = {u: inodes_of(device, u) for u in (1000, 1001, 11000)}
    as_user("root", "give away", lambda: os.chown(v("w/file"), 11001, -1))
    print("  quota", {u: inodes_of(device, u) - n for u, n in before.items()})
    as_user("root", "take back", lambda: os.chown(v("w/file"), 11000, -1))
    as_user("alice", "one more", write(v("w/more")))
    print("  quota", {u: inodes_of(device, u) - n for u, n in before.items()})


def lists(v):
    as_user("alice", "setfacl", lambda: os.setxattr(
        v("w/file"), ACCESS, acl([(11001, 6)], [(12002, 4)])))
    v.show_attr("w/file", ACCESS)
    for who in PEOPLE:
        as_user(who, "read", read(v("w/file")))
        as_user(who, "write", write(v("w/file"), b"x", 0))
        as_user(who, "setfacl", lambda: os.setxattr(v("w/file"), ACCESS, acl([(11001, 6)])))
        as_user(who, "getfacl", lambda: shown(get_attr(v("w/file"), ACCESS)))
    as_user("alice", "setfacl of nobody", lambda: os.setxattr(
        v("w/file"), ACCESS, acl([(1001, 6)])))
    v.show_attr("w/file", ACCESS)
    report("below", lambda: os.setxattr(v.below("w/file"), ACCESS,
                                        acl([(1003, 4), (4711, 4)], [(2003, 6)])))
    v.show_attr("w/file", ACCESS)
    in_container("getfacl", lambda: shown(get_attr(v("w/file"), ACCESS)))
    in_container("setfacl", lambda: os.setxattr(v("w/file"), ACCESS, acl([(4, 6)], [(5, 6)])))
    v.show_attr("w/file", ACCESS)
    as_user("alice", "setfacl -b", lambda: os.removexattr(v("w/file"), ACCESS))
    v.show_attr("w/file", ACCESS)
    as_user("alice", "default", lambda: os.setxattr(
        v("w/dir"), DEFAULT, acl([(11001, 7)], [(12001, 5)])))
    v.show_attr("w/dir", DEFAULT)
    as_user("alice", "create", write(v("w/dir/heir")))
    as_user("alice", "mkdir", lambda: os.mkdir(v("w/dir/heirs")))
    v.show("w/dir/heir")
    v.show_attr("w/dir/heir", ACCESS)
    v.show_attr("w/dir/heirs", DEFAULT)
    as_user("bob", "write", write(v("w/dir/heir"), b"x", 0))
    as_user("bob", "setfacl -k", lambda: os.removexattr(v("w/dir"), DEFAULT))
    as_user("alice", "setfacl -k", lambda: os.removexattr(v("w/dir"), DEFAULT))
    # set-group-ID goes when its group is not one of the caller's
    as_user("alice", "create", write(v("w/sgid")))
    as_user("root", "chgrp", lambda: os.chown(v("w/sgid"), -1, 12001))
    as_user("root", "chmod", lambda: os.chmod(v("w/sgid"), 0o2770))
    as_user("alice", "setfacl", lambda: os.setxattr(v("w/sgid"), ACCESS, acl([(11001, 7)])))
    v.show("w/sgid")
    as_user("root", "chgrp", lambda: os.chown(v("w/sgid"), -1, 12000))
    as_user("root", "chmod", lambda: os.chmod(v("w/sgid"), 0o2770))
    as_user("alice", "setfacl", lambda: os.setxattr(v("w/sgid"), ACCESS, acl([(11002, 7)])))
    v.show("w/sgid")


def capabilities(v):
    as_user("alice", "create", write(v("w/caps")))
    v2 = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
    v3 = struct.pack("<IIIIII", 0x03000001, 1 << 13, 0, 0, 0, 11000)
    for who in ("alice", "raw"):
        as_user(who, "setcap", lambda: os.setxattr(v("w/caps"), CAPS, v2))
    as_user("root", "setcap", lambda: os.setxattr(v("w/caps"), CAPS, v2))
    v.show_attr("w/caps", CAPS)
    in_container("getcap", lambda: get_attr(v("w/caps"), CAPS).hex())
    as_user("root", "setcap for a container", lambda: os.setxattr(v("w/caps"), CAPS, v3))
    v.show_attr("w/caps", CAPS)
    in_container("getcap", lambda: get_attr(v("w/caps"), CAPS).hex())
    as_user("alice", "setcap -r", lambda: os.removexattr(v("w/caps"), CAPS))
    in_container("setcap -r", lambda: os.removexattr(v("w/caps"), CAPS))
    v.show_attr("w/caps", CAPS)
    in_container("setcap", lambda: os.setxattr(v("w/caps"), CAPS, v2))
    in_container("getcap", lambda: get_attr(v("w/caps"), CAPS).hex())
    v.show_attr("w/caps", CAPS)
    as_user("alice", "write", write(v("w/caps"), b"x", 0))
    v.show_attr("w/caps", CAPS)
    in_container("setcap", lambda: os.setxattr(v("w/caps"), CAPS, v2))
    as_user("alice", "truncate", truncate(v("w/caps"), 0))
    v.show_attr("w/caps", CAPS)
    in_container("setcap of another's", lambda: os.setxattr(v("bobs"), CAPS, v2))
    v.show_attr("bobs", CAPS)


def names(v):
    for who in ("alice", "bob", "carol"):
        as_user(who, "create", write(v("sticky/" + who)))
        as_user(who, "mkdir", lambda who=who: os.mkdir(v(f"sticky/{who}s")))
    for who in ("bob", "raw"):
        as_user(who, "unlink", lambda: os.unlink(v("sticky/alice")))
        as_user(who, "rename", lambda: os.rename(v("sticky/alice"), v("sticky/x")))
        as_user(who, "over it", lambda who=who: os.rename(v("sticky/bob"), v("sticky/alice")))
        as_user(who, "exchange", exchange(v("sticky/alice"), v("sticky/bob")))
        as_user(who, "rmdir", lambda: os.rmdir(v("sticky/alices")))
    as_user("alice", "rename", lambda: os.rename(v("sticky/alice"), v("sticky/other")))
    as_user("alice", "link", lambda: os.link(v("sticky/other"), v("sticky/alice")))
    v.show("sticky/alice")
    as_user("alice", "exchange", exchange(v("sticky/alice"), v("sticky/alices")))
    as_user("alice", "exchange back", exchange(v("sticky/alice"), v("sticky/alices")))
    as_user("alice", "unlink", lambda: os.unlink(v("sticky/other")))
    as_user("alice", "rmdir", lambda: os.rmdir(v("sticky/alices")))
    as_user("alice", "move", lambda: os.rename(v("sticky/alice"), v("w/alice")))
    in_container("unlink another's", lambda: os.unlink(v("sticky/bob")))
    in_container("rename another's", lambda: os.rename(v("sticky/carol"), v("sticky/c")))
    in_container("rmdir another's", lambda: os.rmdir(v("sticky/bobs")))
    as_user("root", "unlink another's", lambda: os.unlink(v("sticky/c")))
    as_user("root", "unlink an unmapped", lambda: os.unlink(v("sticky/nobodys")))
    report("left", lambda: " ".join(sorted(os.listdir(v("sticky")))))
    # in a directory that only its owner may change
    as_user("alice", "link", lambda: os.link(v("w/alice"), v("w/alice2")))
    for who in ("bob", "raw", "root"):
        as_user(who, "link", lambda: os.link(v("w/alice"), v("all/stolen")))
        as_user(who, "unlink", lambda: os.unlink(v("w/alice2")))
        as_user(who, "rmdir", lambda: os.rmdir(v("w/empty")))
        as_user("alice", "make them again", lambda: os.link(v("w/alice"), v("w/alice2")))
        as_user("alice", "make them again", lambda: os.mkdir(v("w/empty")))
    as_user("alice", "link nobody's", lambda: os.link(v("w/nobodys"), v("w/n2")))
    v.show("w/alice")
    as_user("alice", "unlink", lambda: os.unlink(v("w/alice2")))
    as_user("alice", "rmdir", lambda: os.rmdir(v("w/empty")))
    v.show("w/alice")
    # flags count for whoever passes all other checks
    as_user("root", "chattr +a", set_flags(v("w/alice"), FS_APPEND_FL))
    as_user("alice", "unlink", lambda: os.unlink(v("w/alice")))
    as_user("alice", "link", lambda: os.link(v("w/alice"), v("w/alice2")))
    as_user("root", "chattr -a", set_flags(v("w/alice"), 0))
    as_user("alice", "unlink", lambda: os.unlink(v("w/alice")))
    v.show("w/alice")
    # and the plain mount goes on as before
    report("link below", lambda: os.link(v.below("w/file"), v.below("w/file2")))
    v.show("w/file")
    report("unlink below", lambda: os.unlink(v.below("w/file2")))


def bits(v):
    as_user("alice", "nameless", nameless(v("w"), v("w/named")))
    v.show("w/named")
    as_user("bob", "nameless", nameless(v("w")))
    as_user("bob", "nameless", nameless(v("all"), v("all/named")))
    v.show("all/named")
    for who in ("alice", "bob", "carol"):
        as_user(who, "create", write(v("sgid/" + who)))
        as_user(who, "mkdir", lambda who=who: os.mkdir(v(f"sgid/{who}s")))
        as_user(who, "nameless", nameless(v("sgid")))
        as_user(who, "with the bit", lambda who=who: os.close(os.open(
            v(f"sgid/{who}-x"), os.O_CREAT | os.O_WRONLY, 0o2775)))
        as_user(who, "mknod with the bit", lambda who=who: os.mknod(
            v(f"sgid/{who}-y"), 0o102775))
        for end in ("", "s", "-x", "-y"):
            v.show(f"sgid/{who}{end}")
    as_user("alice", "create", write(v("w/bits")))
    changes = {
        "write": write(v("w/bits"), b"x", 0),
        "O_TRUNC": lambda: os.close(os.open(v("w/bits"), os.O_WRONLY | os.O_TRUNC)),
        "truncate": truncate(v("w/bits"), 100),
        "fallocate": lambda: os.posix_fallocate(
            os.open(v("w/bits"), os.O_WRONLY), 0, 8192),
        "sendfile": lambda: str(os.sendfile(os.open(v("w/bits"), os.O_WRONLY),
                                            os.open(v("w/file"), os.O_RDONLY), 0, 1)),
        "chown": lambda: os.chown(v("w/bits"), -1, 12000),
    }
    for who in ("alice", "bob", "root"):
        for mode in (0o4777, 0o2777, 0o6777):
            for what, change in changes.items():
                os.chmod(v.below("w/bits"), mode)
                as_user(who, f"{what} of {mode:o}", change)
                print("  mode", oct(os.stat(v("w/bits")).st_mode)[2:])
    # to whom does set-group-ID mean something
    for group in (12000, 12001):
        as_user("root", f"chgrp {group}", lambda group=group: os.chown(v("w/bits"), -1, group))
        as_user("alice", "chmod g+s", lambda: os.chmod(v("w/bits"), 0o2755))
        v.show("w/bits")


def data(v):
    block = b"abc" + bytes(65533)
    as_user("alice", "write", lambda: write(v("w/data"), block * 4)() or os.sync())
    as_user("alice", "write a copy", lambda: write(v("w/copy"), block * 4)() or os.sync())
    try:
        dedupe(v.below("w/data"), v.below("w/copy"))()
        sharing = PEOPLE
    except OSError:
        sharing = ()
    # only its owner may, but not write
    os.chmod(v.below("w/copy"), 0o444)
    for who in sharing:
        as_user(who, "dedupe", dedupe(v("w/data"), v("w/copy")))
    as_user("alice", "direct read", direct(v("w/data")))
    as_user("alice", "nobody else", lambda: os.chmod(v("w/data"), 0o400))
    as_user("alice", "direct read", direct(v("w/data")))
    as_user("bob", "direct read", direct(v("w/data")))
    as_user("raw", "direct read", direct(v("w/data")))
    v.show("w/data")


def operations(plain, mapped, device):
    v = Views(plain, mapped)
    os.umask(0o022)
    for name, uid, gid, mode in (("", 0, 0, 0o755), ("w", 1000, 2000, 0o755),
                                 ("w/empty", 1000, 2000, 0o755), ("all", 1000, 2000, 0o777),
                                 ("sticky", 1009, 2009, 0o1777), ("sgid", 1000, 2001, 0o2777)):
        path = v.below(name)
        if name:
            os.mkdir(path)
        os.chown(path, uid, gid)
        os.chmod(path, mode)
    for name, uid, gid, mode in (("w/hers", 1000, 2000, 0o600), ("w/nobodys", 0, 0, 0o666),
                                 ("sticky/nobodys", 4711, 4711, 0o666),
                                 ("bobs", 1001, 2001, 0o600)):
        path = v.below(name)
        with open(path, "w") as f:
            f.write("below")
        os.chown(path, uid, gid)
        os.chmod(path, mode)
    owners(v)
    rights(v)
    change_owner(v, device)
    lists(v)
    capabilities(v)
    names(v)
    bits(v)
    data(v)


if __name__ == "__main__":
    {"mount": mount, "operations": operations}[sys.argv[1]](*sys.argv[2:])
