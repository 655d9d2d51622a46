#!/bin/bash
# purpose: qemu/kernel finds the kernels of Debian 12, of 13 and of its backports
#
# Runs on the host, without a guest: an archive of small packages, and an apt that
# knows nothing else.
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"

repo=$(cd "$(dirname "$0")/../.." && pwd)
archive=$tmp/archive
mkdir "$tmp/bin" "$archive"
export PATH=$tmp/bin:$PATH ARCHIVE=$archive XDG_CACHE_HOME=$tmp/cache
export ASKED=$tmp/asked
cache=$XDG_CACHE_HOME/dm-bpio

# What qemu/kernel asks of apt. "apt-get update" is noted.
cat >"$tmp/bin/apt-cache" <<'EOF'
#!/bin/bash
# show [--OPTION] PACKAGE[=VERSION]...
shift
echo asked >>"$ASKED"
status=100
for p; do
	case $p in
	-*) continue ;;
	*=*) files=$ARCHIVE/${p/=/_}.control ;;
	*) files=$ARCHIVE/${p}_*.control ;;
	esac
	for f in $files; do
		[ ! -e "$f" ] || { cat "$f"; echo; status=0; }
	done
done
exit $status
EOF
printf '#!/bin/sh\necho "lists=%s"\n' "$ARCHIVE" >"$tmp/bin/apt-config"
cat >"$tmp/bin/apt-get" <<'EOF'
#!/bin/bash
while [ $# -gt 0 ]; do
	case $1 in
	update) echo update >>"$ARCHIVE/log"; exit ;;
	download) shift; break ;;
	-o) shift ;;
	esac
	shift
done
for p; do
	cp "$ARCHIVE/${p%%=*}"_*.deb . || exit 100
	echo "$p" >>"$ARCHIVE/log"
done
EOF
printf '#!/bin/sh\nexec "$@"\n' >"$tmp/bin/sudo"
chmod +x "$tmp/bin/"*

# package NAME VERSION DEPENDS [FILE...]: with an empty file for each.
package() {
	local name=$1 version=$2 depends=$3 f
	local root=$tmp/root

	shift 3
	rm -rf "$root"
	mkdir -p "$root/DEBIAN"
	for f; do
		mkdir -p "$root/$(dirname "$f")"
		printf '%s\n' "include /usr/src/linux-headers-common/Makefile" \
			>"$root/$f"
	done
	cat >"$root/DEBIAN/control" <<-EOF
	Package: $name
	Version: $version
	Architecture: all
	Maintainer: nobody <nobody@example.org>
	Description: none
	EOF
	[ -z "$depends" ] || echo "Depends: $depends" >>"$root/DEBIAN/control"
	cp "$root/DEBIAN/control" "$archive/${name}_$version.control"
	dpkg-deb -Zgzip -b "$root" "$archive/${name}_$version.deb" >/dev/null
}

# kernel NAME VERSION LIB META: one with an image package, modules below LIB.
kernel() {
	local name=$1 version=$2 lib=$3

	package "$4" "$version" "linux-image-$name (= $version)"
	package "linux-image-$name" "$version" \
		"kmod, linux-base (>= 4.3~), initramfs-tools | linux-initramfs-tool" \
		"boot/vmlinuz-$name" "boot/System.map-$name" "boot/config-$name" \
		"$lib/modules/$name/kernel/fs/a.txt" "$lib/modules/$name/kernel/sound/b.txt"
	headers "$name" "$version" "$lib" "linux-image-$name (= $version) | linux-image-$name-unsigned (= $version)"
}

headers() {
	local name=$1 version=$2 lib=$3

	package "linux-headers-$name" "$version" \
		"linux-headers-${name%-amd64}-common (= $version), $4, linux-kbuild-${name%-amd64}, $compiler" \
		"usr/src/linux-headers-$name/Makefile" "$lib/modules/$name/build.txt"
	package "linux-headers-${name%-amd64}-common" "$version" "" \
		"usr/src/linux-headers-${name%-amd64}-common/Makefile"
	package "linux-kbuild-${name%-amd64}" "$version" "" \
		"usr/lib/linux-kbuild-${name%-amd64}/scripts/x"
}

# As Debian 13's backports have it since 7.3.
split_kernel() { # NAME VERSION
	local name=$1 version=$2 of lib=usr/lib/modules/$1

	of="linux-base-$name (= $version)"
	package linux-image-amd64 "$version" \
		"linux-base-amd64 (= $version), linux-image-$name (= $version), linux-modules-amd64 (= $version)"
	package "linux-image-$name" "$version" \
		"dracut | linux-initramfs-tool, $of, linux-binary-$name (= $version), linux-modules-$name (= $version)"
	package "linux-base-$name" "$version" "" "$lib/System.map" "$lib/config" \
		"$lib/modules.builtin"
	package "linux-binary-$name" "$version" "$of" "$lib/vmlinuz"
	package "linux-modules-$name" "$version" "kmod, $of" "$lib/kernel/fs/a.txt"
	headers "$name" "$version" usr/lib "$of"
}

# The compiler that headers want is installed: this machine's own.
compiler=gcc-$(gcc -dumpversion)
dpkg-query -W "$compiler" >/dev/null 2>&1 || compiler=gcc

# of NAME: the kernel's directory in $got, complaints in $tmp/said.
of() {
	status=0
	got=$("$repo/qemu/kernel" "$1" 2>"$tmp/said") || status=$?
	got=${got##*/}
}

# complete DIRECTORY NAME: it has what a guest and a build of modules need.
complete() {
	local dir=$XDG_CACHE_HOME/dm-bpio/$1 f

	for f in vmlinuz System.map config release build/Makefile \
		"lib/modules/$2/kernel/fs/a.txt" "lib/modules/$2/modules.dep"; do
		[ -e "$dir/$f" ] || {
			note "no $f in $1"
			return 1
		}
	done
	grep -qF "include $dir/usr/src/" "$dir/build/Makefile" &&
		[ "$(cat "$dir/release")" = "$2" ] &&
		[ ! -e "$dir/lib/modules/$2/kernel/sound" ]
}

found() { # TEXT NAME DIRECTORY RELEASE
	of "$2"
	check_equal "$1: $2" "0 $3" "$status $got"
	check "$1: $2 is complete" complete "$3" "$4"
}

of stock
check_equal "no kernel known: exit status 3" 3 "$status"
check "after a look for newer package lists" grep -q update "$archive/log"
check "said in words" \
	grep -q "no package source of this machine has any of Linux 6.1, " "$tmp/said"

kernel 6.12.9+deb13-amd64 6.12.9-1 usr/lib linux-image-amd64
kernel 6.12.10+deb13-amd64 6.12.10-1 usr/lib linux-image-amd64
found "Debian 13, the newest" stock debian-6.12.10+deb13-amd64-6.12.10-1 \
	6.12.10+deb13-amd64
of stock-6.12
check_equal "stock-6.12 is the same there" \
	"0 debian-6.12.10+deb13-amd64-6.12.10-1" "$status $got"
of stock-7.3
check_equal "no backports: exit status 3" 3 "$status"
check "said in words" grep -q "no package source of this machine has Linux 7.3$" \
	"$tmp/said"

split_kernel 7.3.4+deb13-amd64 7.3.4-1~bpo13+1
found "backports" stock-7.3 "debian-7.3.4+deb13-amd64-7.3.4-1~bpo13+1" \
	7.3.4+deb13-amd64
of stock
check_equal "and stock stays the oldest" \
	"0 debian-6.12.10+deb13-amd64-6.12.10-1" "$status $got"

# -- what the cache has ------------------------------------------------------

: >"$ASKED"
of stock
check_equal "a kernel that is there: apt is not asked" "0 0" \
	"$status $(wc -l <"$ASKED")"

# aged DIRECTORY: not used for long
aged() { touch -d "8 days ago" "$cache/$1"; }

twelve=debian-6.12.10+deb13-amd64-6.12.10-1
seven=debian-7.3.4+deb13-amd64-7.3.4-1~bpo13+1
mkdir -p "$cache/debian-6.12.8+deb13-amd64-6.12.8-1" "$cache/tmp.killed" \
	"$cache/debian-6.12.7+deb13-amd64-6.12.7-1"
aged debian-6.12.8+deb13-amd64-6.12.8-1
aged tmp.killed
aged "$twelve"
aged "$seven"
kernel 6.12.11+deb13-amd64 6.12.11-1 usr/lib linux-image-amd64
exec {held}<"$cache/$twelve"
flock -s "$held"
found "a newer one" stock debian-6.12.11+deb13-amd64-6.12.11-1 \
	6.12.11+deb13-amd64
check "one that it replaces, unused for a week, goes" \
	test ! -e "$cache/debian-6.12.8+deb13-amd64-6.12.8-1"
check "that is said" grep -q "removing debian-6.12.8+deb13-amd64-6.12.8-1, " \
	"$tmp/said"
check "and what a killed run left" test ! -e "$cache/tmp.killed"
check "one that was used lately stays" \
	test -e "$cache/debian-6.12.7+deb13-amd64-6.12.7-1"
check "one that a machine runs stays" test -e "$cache/$twelve"
check "one of another release stays" test -e "$cache/$seven"
exec {held}<&-
of stock-7.3
check_equal "to ask for one is to use it" "$seven" \
	"$got$(find "$cache/$seven" -maxdepth 0 -mtime +1)"

# -- Debian 12 ---------------------------------------------------------------

rm "$archive"/*
kernel 6.1.0-9-amd64 6.1.20-1 lib linux-image-amd64
kernel 6.12.9+deb12-amd64 6.12.9-1~deb12u1 lib linux-image-6.12-amd64
found "Debian 12" stock debian-6.1.0-9-amd64-6.1.20-1 6.1.0-9-amd64
found "Debian 12, security" stock-6.12 \
	"debian-6.12.9+deb12-amd64-6.12.9-1~deb12u1" 6.12.9+deb12-amd64
of stock-6.0
check_equal "a release that is not tested" "1 qemu/kernel: no kernel called stock-6.0" \
	"$status $(sed 's/;.*//' "$tmp/said")"

# -- other machines ----------------------------------------------------------

mkdir "$tmp/no-apt" "$tmp/arm"
for p in bash dirname nproc mktemp rm id uname; do
	ln -s "$(type -P $p)" "$tmp/no-apt/$p"
done
printf '#!/bin/sh\necho aarch64\n' >"$tmp/arm/uname"
chmod +x "$tmp/arm/uname"
PATH=$tmp/no-apt of stock
check_equal "a machine without apt" 1 "$status"
check "said in words" grep -q "this machine has no apt" "$tmp/said"
got=$(PATH=$tmp/no-apt "$repo/qemu/deps" 2>&1) && got="success: $got"
check "qemu/deps names what is needed there" test -z \
	"${got##this machine has no apt; *qemu-system-x86 *}"
PATH=$tmp/arm:$PATH of stock
check_equal "another architecture" \
	"1 qemu/kernel: guests are x86_64 machines, and this one is aarch64" \
	"$status $(cat "$tmp/said")"
finish
