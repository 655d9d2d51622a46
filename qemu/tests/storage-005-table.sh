#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: table line, messages and status of the bpio target
# quick: stock
# needs: nvme>=1 module=dm-bpio
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/storage.sh"

load_modules
n=$(lsblk -dno MAJ:MIN /dev/nvme0n1 | tr -d ' ')

# dmsetup table gives back what was asked for
for args in "" " 0" " 1 no_bypassio" " 1 any_storage" \
	" 2 driver_name fvevol.sys" " 2 offload none" " 2 offload auto" \
	" 2 offload nvme" " 2 offload kcopyd" \
	" 4 token_ttl_ms 500 token_ttl_max_ms 1000" " 2 max_tokens 1" \
	" 4 max_transfer 1048576 optimal_transfer 65536" \
	" 2 on_write invalidate" " 4 copy_limits 8 16 3" \
	" 6 reserve $n 131072 2048 on_write preserve" \
	" 7 any_storage copy_limits 65535 4294967295 255 driver_name x"; do
	line="0 65536 bpio $n 2048$args"
	dmsetup create t --table "$line"
	check_equal "table:$args" "$line" "$(dmsetup table t)"
	dmsetup remove t
done

# every bad argument has a sentence that names it
says() {
	local text

	text=$(refused "0 65536 bpio $1") || true
	case $text in
	*"$2"*) ok "refused: $1: $text" ;;
	*) not_ok "refused: $1: '$text' does not say '$2'" ;;
	esac
}
d=/dev/nvme0n1
says "$d" "offset"
says "$d x" "offset"
says "$d -1" "offset"
says "$d 18446744073709551615" "offset"
says "/dev/none 0" "lower device"
says "$d 0 x" "number of feature arguments"
says "$d 0 2 no_bypassio" "number of feature arguments"
says "$d 0 33" "number of feature arguments"
says "$d 0 0 no_bypassio" "number of feature arguments"
says "$d 0 1 nonsense" "A feature argument is none"
says "$d 0 2 any_storage any_storage" "twice"
says "$d 0 1 driver_name" "driver_name"
says "$d 0 2 driver_name $(printf %033d 1)" "driver_name"
says "$d 0 1 offload" "offload"
says "$d 0 2 offload fast" "offload"
says "$d 0 2 token_ttl_ms 0" "token_ttl_ms"
says "$d 0 2 token_ttl_ms 4294967296" "token_ttl_ms"
says "$d 0 2 token_ttl_ms 600001" "token_ttl_max_ms"
says "$d 0 2 token_ttl_max_ms 59999" "token_ttl_ms"
says "$d 0 2 max_tokens 0" "max_tokens"
says "$d 0 2 max_tokens 1048577" "max_tokens"
says "$d 0 2 max_transfer 0" "max_transfer"
says "$d 0 2 max_transfer 513" "max_transfer"
says "$d 0 4 max_transfer 4096 optimal_transfer 8192" "optimal_transfer"
says "$d 0 2 on_write preserve" "on_write preserve needs a reserve"
says "$d 0 2 on_write never" "on_write"
says "$d 0 3 copy_limits 1 1" "copy_limits"
says "$d 0 4 copy_limits 0 1 1" "copy_limits"
says "$d 0 4 copy_limits 1 0 1" "copy_limits"
says "$d 0 4 copy_limits 1 1 256" "copy_limits"

# status words and messages
new_dm t "0 65536 bpio $d 0"
for key in bypass paused enables disables queries vetoes bypassed_reads \
	bypassed_bytes mapped_reads mapped_writes tokens tokens_issued \
	tokens_expired tokens_invalidated tokens_refused offload_reads \
	offload_writes bytes_nvme bytes_kcopyd bytes_zero preserved_bytes \
	reserve_full reserve_failed reserve_used reserve_size engine; do
	check "status has $key" test -n "$(words t $key)"
done
for message in revoke unveto "fault clear" "fault offload_read" \
	"fault offload_write times 3 every 2 status 0xC000009A bytes 512 delay_ms 5" \
	"fault offload_write status STATUS_IO_TIMEOUT" "fault bypass_read times 1" \
	"fault identify" "fault copy delay_ms 1" "fault copy status 0xC000009A" \
	"fault token_read" "fault token_read delay_ms 1" "fault clear"; do
	# shellcheck disable=SC2086 # words
	check "message $message" dmsetup message t 0 $message
done
for message in revoke\ now fault "fault nowhere" "fault offload_read times" \
	"fault offload_read times 0" "fault offload_read every 0" \
	"fault offload_read status 0" "fault offload_read delay_ms 60001" \
	"fault bypass_read bytes 1" "fault copy bytes 512" "fault identify status 0xC0000001" \
	"fault token_read status 0xC000009A" "fault offload_read colour 1" "veto" nonsense; do
	# shellcheck disable=SC2086 # words
	check "message $message is refused" expect_status 1 \
		dmsetup message t 0 $message 2>/dev/null
done
finish
