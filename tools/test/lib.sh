#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# libbpio as others find it: installed elsewhere, by pkg-config, in C and C++.
# Usage: lib.sh DIR, where the library was built.
set -u

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
tests=0
failures=0

verdict() { # STATUS NAME
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
	else
		failures=$((failures + 1))
		echo "not ok - $2"
		sed 's/^/# /' "$dir/log" | head -n 20
	fi
}

: > "$dir/log"
make -s O="$1" DESTDIR="$dir" PREFIX=/usr LIBDIR=/usr/lib install > "$dir/log" 2>&1
verdict $? "library: installed"

objdump -p "$dir/usr/lib/libbpio.so" > "$dir/log"
grep -q 'SONAME *libbpio\.so\.0$' "$dir/log"
verdict $? "library: SONAME"

# Every function of the header, and nothing else.
grep -v inline "$dir/usr/include/bpio.h" |
	sed -nE 's/^([a-z_0-9]+ )*(const )?(struct )?([a-z_0-9]+ )*\**(bpio_[a-z_0-9]+)\(.*/\5/p' |
	sort > "$dir/wanted"
nm -D --defined-only "$dir/usr/lib/libbpio.so" |
	sed -n 's/^[0-9a-f]* T \(.*\)@@LIBBPIO_0$/\1/p' | sort > "$dir/found"
diff "$dir/wanted" "$dir/found" > "$dir/log" && [ -s "$dir/found" ]
verdict $? "library: shows what is in its header"

cat > "$dir/client.c" <<'END'
#include <bpio.h>
#include <stdio.h>
int main(void)
{
	struct bpio_copy_result result;

	printf("%s %d\n", bpio_status_name(STATUS_INVALID_TOKEN),
	       bpio_copy_file(-1, -1, NULL, &result));
	return 0;
}
END
cp "$dir/client.c" "$dir/client.cc"
export PKG_CONFIG_PATH="$dir/usr/lib/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$dir"
if command -v pkg-config > "$dir/log"; then
	flags=$(pkg-config --cflags --libs libbpio)
else
	flags="-I$dir/usr/include -L$dir/usr/lib -lbpio"
fi
# pkg-config leaves out directories that compilers know, with their root.
flags="-I$dir/usr/include -L$dir/usr/lib $flags"
# shellcheck disable=SC2086 # several words
for lang in "gcc -std=c11 -pedantic" "g++ -std=c++11"; do
	command -v "${lang%% *}" > "$dir/log" || continue
	case $lang in
	gcc*) from=$dir/client.c ;;
	*) from=$dir/client.cc ;;
	esac
	$lang -Wall -Wextra -Werror -o "$dir/client" "$from" $flags > "$dir/log" 2>&1 &&
		[ "$(LD_LIBRARY_PATH=$dir/usr/lib "$dir/client")" = "STATUS_INVALID_TOKEN -9" ]
	verdict $? "library: a client by ${lang%% *}"
done

echo "1..$tests"
[ "$failures" -eq 0 ]
