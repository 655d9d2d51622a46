#!/bin/bash
# purpose: hundreds of tokens for the same sectors: one write outdates those that it has to, and no others
# quick: stock debug
# needs: nvme>=1
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/storage.sh
. "$(dirname "$0")/storage.sh"
# shellcheck source=qemu/tests/odx.sh
. "$(dirname "$0")/odx.sh"

many=$((400 / scale))

# mint_many RANGE: that many tokens for it, the last of them in the file last
mint_many() {
	local words said i

	words=$(for ((i = 1; i < many; i++)); do echo kernel dread; done)
	bpio-ctl /dev/bpio "device:$d" "$1" $words kernel dread \
		"save:$tmp/last" >"$tmp/minted"
	check_equal "$many tokens are issued" $many \
		"$(grep -c "^dread status=SUCCESS" "$tmp/minted")"
}

noise old $k64
noise new $k64
head -c 4096 "$tmp/new" >"$tmp/page"

# More than die in map(): a work kills the others and submits the write.
make_volume v "$disk"
put old 0
put old m
mint_many range:0:64K
mint other range:1M:64K
begin v
put page 0
check_gained "a write kills all of them, and no other" v \
	tokens_invalidated=$many tokens=-$many
check "the write is done" same page 0
check_equal "a token of theirs is dead" INVALID_TOKEN \
	"$(redeem last range:2M:64K)"
redeemed "a token of other sectors is not" other old 3*m
remove_volume v

# Room for two pieces: tokens of one age share one, and those of the next find none.
preserving 128
put old 0
put old m
mint_many range:0:64K
cp "$tmp/last" "$tmp/served"
begin v
put page 0
check_gained "one piece serves tokens of one age" v preserved_bytes=$k64 \
	tokens_invalidated=0 reserve_used=$k64
mint_many range:0:64K
mint filler range:1M:64K
put page m
begin v
put page 4096
check_gained "without room those of the next age die" v reserve_full=$many \
	tokens_invalidated=$many preserved_bytes=0
check_equal "they are dead" INVALID_TOKEN "$(redeem last range:2M:64K)"
redeemed "those that have a piece keep their image" served old 3*m
begin v
ctl mark:v msg:revoke
check "the reserve empties with the last of them" wait_for 60 unused
remove_volume v
finish
