# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after bpio.sh by the tests of bpio-flt-crypt: the volume v with the
# filter attached, and FSCTL_SET_ENCRYPTION.

export key1=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff202122232425262728292a2b2c2d2e2f
export key2=${key1/0001/0101}

# Operations of bpio-ctl.
export encrypt=raw:0x900D7:8:0:0100000000000000
export decrypt=raw:0x900D7:8:0:0200000000000000
export converted="raw status=SUCCESS info=0 output="
# What a veto looks like.
export encrypted="flags=0 result=NOT_SUPPORTED_WITH_ENCRYPTION \
driver=bpio-flt-crypt.ko reason=Encrypted file not supported"

# attach_crypt: the filter, to v
attach_crypt() { echo bpio-flt-crypt >"$(volume_dir v)/attach"; }
# detach_crypt: from v
detach_crypt() { echo bpio-flt-crypt >"$(volume_dir v)/detach"; }

# set_key KEY: with the filter attached nowhere
set_key() {
	unload_module bpio-flt-crypt
	load_module bpio-flt-crypt key="$1"
}

# mount_crypt [OPTIONS]: v, with the filter, and cd to it
mount_crypt() {
	mount_volume v "$@"
	attach_crypt
	# shellcheck disable=SC2154 # of lib.sh
	cd "$tmp/v" || fail "no $tmp/v"
}

# remount_crypt: nothing is left in memory
remount_crypt() {
	umount_volume v
	mount_crypt
}

# quietly FILE OPERATION: encrypt or decrypt, and it succeeds
quietly() { expect_equal "$2" "$converted" "$(bpio-ctl "$1" "$2")"; }

# is_plain FILE: BypassIO is allowed
is_plain() { bpio-ctl "$1" query:1 | grep -q ' result=SUCCESS '; }
# is_encrypted FILE: BypassIO is vetoed for it
is_encrypted() { bpio-ctl "$1" query:1 | grep -q " $encrypted\$"; }

# mark save|restore FILE: so that it opens without the filter meanwhile
mark() {
	/usr/bin/python3 - "$1" "$2" "$tmp/mark" trusted.bpio.crypt <<-END
		import os, sys
		what, path, kept, name = sys.argv[1:]
		if what == "save":
		    open(kept, "wb").write(os.getxattr(path, name))
		    os.removexattr(path, name)
		else:
		    os.setxattr(path, name, open(kept, "rb").read())
	END
}

# lower COMMAND ARG...: in the file system below, with bpiofs not mounted
lower() {
	mkdir -p "$tmp/lower"
	umount_volume v
	mount "$(volume v)" "$tmp/lower"
	(cd "$tmp/lower" && "$@") || not_ok "below: $*"
	umount "$tmp/lower"
	mount_crypt
}

load_module bpio-flt-crypt key="$key1"
defer unload_module bpio-flt-crypt
