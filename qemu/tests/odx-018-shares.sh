#!/bin/bash
# purpose: one user's share of the tokens, the longest time to live, passthrough commands while a token lives
# needs: prog=python3
# quick: stock
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

ok64="oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio"
full="oread status=INSUFFICIENT_RESOURCES info=0"
long="oread status=INVALID_PARAMETER info=0"

# NVME_IOCTL_ID, by way of the mapped device
passthrough() {
	python3 -c '
import errno, fcntl, os, sys
try:
    print("nsid", fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x4e40))
except OSError as e:
    print(errno.errorcode[e.errno])' "$(volume v)"
}

setup_volume v ext4 "$disk" 0 max_tokens 8 token_ttl_ms 60000 \
	token_ttl_max_ms 60000
cd "$tmp/v"
bpio-verify fill a 1 64K
cp "$(type -P bpio-ctl)" "$tmp/ctl"
chmod 755 "$tmp" .
chmod 644 a

check_equal "no token: a passthrough command is let through" "nsid 1" \
	"$(passthrough)"
answers "the longest time to live, and a millisecond more" \
	a mark:v oread:0:64K:60000 oread:0:64K:60001 msg:revoke <<-END
	$ok64
	$long
END
check_equal "a user has a quarter of the tokens" "$ok64
$ok64
$full" "$(runuser -u nobody -- "$tmp/ctl" a:r oread:0:64K oread:0:64K oread:0:64K)"
check_equal "which all are his" "$full" \
	"$(runuser -u nobody -- "$tmp/ctl" a:r oread:0:64K)"
answers "root has what is left of all of them" \
	a oread:0:64K oread:0:64K oread:0:64K oread:0:64K oread:0:64K \
	oread:0:64K oread:0:64K <<-END
	$ok64
	$ok64
	$ok64
	$ok64
	$ok64
	$ok64
	$full
END
check_equal "a live token: a passthrough command could write to its data" \
	EBUSY "$(passthrough)"
message v revoke
check_equal "revoked: let through" "nsid 1" "$(passthrough)"
check_equal "and the user has his share again" "$ok64" \
	"$(runuser -u nobody -- "$tmp/ctl" a:r oread:0:64K)"
finish
