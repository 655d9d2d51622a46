#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: the first objector wins, lower layers see nothing, a refused ENABLE is rolled back
# quick: stock
# needs: nvme>=2 module=dm-bpio
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/storage.sh"

load_modules
encryption=NOT_SUPPORTED_WITH_ENCRYPTION
snapshot=NOT_SUPPORTED_WITH_SNAPSHOT

new_dm low "0 131072 bpio /dev/nvme0n1 0 2 driver_name low.ko"
new_dm high "0 65536 bpio /dev/mapper/low 2048 2 driver_name high.ko"
low=/dev/mapper/low

check_equal "QUERY through two layers" clean "$(query high | verdict)"
check_equal "each layer has seen one" "1 1" \
	"$(words high queries) $(words low queries)"
rule 46 check_equal "QUERY leaves both idle" "idle idle" \
	"$(words high bypass) $(words low bypass)"
check_equal "ENABLE through two layers" clean "$(enable high | verdict)"
check_equal "both are active" "active active" \
	"$(words high bypass) $(words low bypass)"
check_equal "ENABLE again: idempotent" "clean active active" \
	"$(enable high | verdict) $(words high bypass) $(words low bypass)"
disable high >/dev/null
check_equal "DISABLE reaches both" "idle idle 1 1" \
	"$(words high bypass) $(words low bypass) $(words high disables) $(words low disables)"
rule 50 check_equal "DISABLE when not enabled: forwarded" \
	"status=SUCCESS 2 2 idle idle" \
	"$(disable high | cut -d' ' -f2) $(words high disables) $(words low disables) $(words high bypass) $(words low bypass)"

# the lower one objects
dmsetup message low 0 veto STATUS_$encryption Encryption is on.
reply=$(enable high)
check_equal "a veto below: who and why" \
	"$encryption low.ko Encryption is on." \
	"$(verdict <<<"$reply") $(reason <<<"$reply")"
rule 49 check_equal "the upper layer does not enter the enabled state" \
	"vetoed vetoed 0 1" \
	"$(words high bypass) $(words low bypass) $(words high vetoes) $(words low vetoes)"
# both object
dmsetup message high 0 veto STATUS_NOT_SUPPORTED_WITH_SNAPSHOT A snapshot exists
before=$(words low enables queries)
rule 48 check_equal "both object: the upper one is named" "$snapshot high.ko" \
	"$(query high | verdict)"
rule 48 check_equal "both object: ENABLE too" "$snapshot high.ko" \
	"$(enable high | verdict)"
rule 48 check_equal "the lower one has seen neither" "$before" \
	"$(words low enables queries)"
dmsetup message high 0 unveto
dmsetup message low 0 unveto
check_equal "unveto: QUERY is clean" clean "$(query high | verdict)"
check_equal "a layer without a file system stays disabled" vetoed \
	"$(words high bypass)"
check_equal "ENABLE after unveto" "clean active active" \
	"$(enable high | verdict) $(words high bypass) $(words low bypass)"

# a veto comes while enabled
dmsetup message low 0 veto STATUS_$encryption late
check_equal "a veto below an enabled volume" "vetoed vetoed" \
	"$(words high bypass) $(words low bypass)"
before=$(dmsetup status high)
check_equal "QUERY under the veto" "$encryption low.ko" "$(query high | verdict)"
dmsetup message low 0 unveto
check_equal "unveto, and a clean QUERY: still closed" "clean vetoed" \
	"$(query high | verdict) $(words high bypass)"
check_equal "QUERY changed its counters and nothing else" \
	"$(sed 's/ queries=[0-9]*/ Q/; s/ vetoes=[0-9]*/ V/' <<<"$before")" \
	"$(dmsetup status high | sed 's/ queries=[0-9]*/ Q/; s/ vetoes=[0-9]*/ V/')"
check_equal "the next ENABLE opens it" "clean active" \
	"$(enable high | verdict) $(words high bypass)"
disable high >/dev/null

# what a veto may be
for bad in 0x00000000 STATUS_SUCCESS 0x40000000 0x80000005 0x1c00004c9 x; do
	check "veto $bad is refused" expect_status 1 \
		dmsetup message low 0 veto $bad no 2>/dev/null
done
check "a veto without a reason is refused" expect_status 1 \
	dmsetup message low 0 veto STATUS_$encryption 2>/dev/null
check_equal "nothing of that has stayed" clean "$(query low | verdict)"
long=$(printf '%0200d' 3)
dmsetup message low 0 veto STATUS_$encryption "$long"
rule 6 7 check_equal "200 characters: 128 are kept" "${long:0:128}" \
	"$(query low | reason)"
pair=$(printf 'x%.0s' $(seq 127))$'\xf0\x9f\x92\xbe'
dmsetup message low 0 veto STATUS_$encryption "$pair"
rule 6 check_equal "a surrogate pair is not cut" "${pair:0:127}" \
	"$(query low | reason)"
dmsetup message low 0 veto STATUS_$encryption "${pair:1}"
rule 6 check_equal "a surrogate pair that fits" "${pair:1}" "$(query low | reason)"
dmsetup message low 0 unveto
dmsetup remove high

# spanned: all are asked, a veto of the last rolls the first back
new_dm second "0 131072 bpio /dev/nvme1n1 0 2 driver_name second.ko"
new_dm span "0 65536 bpio $low 0
65536 65536 bpio /dev/mapper/second 0
131072 4096 bpio $low 65536"
check_equal "spanned: ENABLE" "clean active active active" \
	"$(enable span | verdict) $(words span bypass) $(words low bypass) $(words second bypass)"
disable span >/dev/null
dmsetup message second 0 veto STATUS_$snapshot no
before=$(words low enables) undone=$(words low disables)
check_equal "spanned: the second volume objects" "$snapshot second.ko" \
	"$(enable span | verdict)"
check_equal "spanned: the first is rolled back" "idle vetoed" \
	"$(words low bypass) $(words second bypass)"
check_equal "spanned: it was asked once and undone once" "1 1" \
	"$(($(words low enables) - before)) $(($(words low disables) - undone))"
dmsetup message second 0 unveto
check_equal "spanned: counters on every line" 3 \
	"$(dmsetup status span | grep -c "enables=$(words span enables) ")"
finish
