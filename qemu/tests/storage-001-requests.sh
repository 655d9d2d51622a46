#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: IOCTL_STORAGE_MANAGE_BYPASS_IO checks its request in the order of protocol 8
# quick: stock stock-6.12
# needs: nvme>=1 module=dm-bpio
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/storage.sh"

load_modules
new_dm t "0 131072 bpio /dev/nvme0n1 0"
d=/dev/mapper/t

texts=() wants=() ops=() numbers=()
# case_ WANT TEXT OP...: one request more
case_() {
	wants+=("$1")
	texts+=("$2")
	numbers+=("${case_rules-}")
	shift 2
	ops+=("$@")
}
# All of them by one process; WANT is how its line goes on after the name.
run_cases() {
	local i=0 line case_rules

	while IFS= read -r line; do
		case_rules=${numbers[i]-}
		if [[ "${line#* } " == "${wants[i]-nothing more} "* ]]; then
			ok "${texts[i]}: $line"
		else
			not_ok "${texts[i]-not asked}: $line"
		fi
		i=$((i + 1))
	done < <(storage "$d" "${ops[@]}")
	case_rules=
	check_equal "all were answered" "${#wants[@]}" "$i"
	texts=() wants=() ops=() numbers=()
}

denied=status=ACCESS_DENIED mismatch=status=INFO_LENGTH_MISMATCH
small=status=BUFFER_TOO_SMALL invalid=status=INVALID_PARAMETER
unknown=status=INVALID_DEVICE_REQUEST unsupported=status=NOT_SUPPORTED
success="status=SUCCESS info=352 version=352 size=352 op=3 flags=0 result=SUCCESS driver= reason="

# step 1
case_ $denied "ENABLE from user mode" senable
case_ $denied "DISABLE from user mode" sdisable
case_ "$success" "QUERY from user mode" squery
case_ $denied "step 1 comes before the lengths" in=12 out=0 senable
# steps 2 and 3
rule 106 case_ $mismatch "input of 23 bytes" in=23 squery
case_ $mismatch "input of 11 bytes has no operation" in=11 senable
case_ $mismatch "no input at all" in=0 out=0 inptr=null squery
rule 107 case_ $small "output of 351 bytes" out=351 squery
case_ $mismatch "input length comes before output length" in=23 out=351 squery
# steps 4 to 7
rule 108 case_ $invalid "Version 23" version=23 squery
case_ $small "output length comes before Version" version=23 out=351 squery
case_ $invalid "Version comes before Size" version=25 size=1 squery
case_ $mismatch "Size 23" size=23 squery
case_ $mismatch "Size above the input length" size=25 squery
case_ "$success" "Size up to a longer input" size=25 in=25 squery
case_ $mismatch "Size comes before Operation" size=23 sop:4
for operation in 0 4 0xffffffff; do
	rule 108 case_ $invalid "Operation $operation" kernel sop:$operation
done
rule 108 case_ $invalid "InFlags 1" squery:1
rule 108 case_ $invalid "Reserved2 1" res2=1 squery
case_ $invalid "the upper half of Reserved2" res2=0x100000000 squery
# step 8
rule 109 case_ $unsupported "a disk that is no volume" device:/dev/nvme0n1 squery
case_ $invalid "a malformed request to that disk" squery:1
case_ "$success" "QUERY" device:$d squery
run_cases
check_equal "a refused request reaches no layer" "0 3 0" \
	"$(words t enables queries disables)"

# replies; bpio-ctl complains about what is written past them
rule 12 110 case_ "$success" "QUERY into 4096 bytes" out=4096 squery
rule 110 case_ "status=SUCCESS info=352 version=352 size=352 op=1 flags=0 result=SUCCESS driver= reason=" \
	"ENABLE" kernel senable
run_cases
check_equal "active" active "$(words t bypass)"
case_ "status=SUCCESS info=24 version=352 size=24 op=2 flags=0" "DISABLE" \
	kernel sdisable
case_ "status=SUCCESS info=352" "input and output overlap" overlap squery
run_cases
check_equal "idle" idle "$(words t bypass)"

# other codes; the access bits of a code come first
exec 8<"$d"
exec 9>"$d"
case_ "$unknown info=0" "an unknown code" raw:0x12340670:24:352
case_ "$unknown info=0" "a code of the file system side" raw:0x00090448:24:352
case_ $denied "a code for writers, read-only descriptor" devfd=8 \
	raw:0x002d9404:28:352
case_ $denied "a code for readers, write-only descriptor" devfd=9 \
	raw:0x00094264:32:528
case_ "$success" "a code for anybody, write-only descriptor" devfd=9 squery
# the carrier
case_ errno=EINVAL "unknown flags" flags=2 squery
case_ errno=EINVAL "reserved" reserved=1 squery
case_ errno=EINVAL "input over 64 KiB" in=65537 squery
case_ errno=EINVAL "output over 64 KiB" out=65537 squery
case_ "$success" "64 KiB each" in=65536 out=65536 squery
case_ errno=EFAULT "input: no memory" inptr=null squery
case_ errno=EFAULT "input: kernel memory" inptr=bad squery
case_ errno=EFAULT "output: no memory" outptr=null squery
case_ errno=EFAULT "output: kernel memory" outptr=bad squery
case_ errno=EFAULT "output: read-only memory" outptr=readonly squery
case_ errno=EBADF "no descriptor" devfd=-1 squery
case_ errno=EBADF "a closed descriptor" devfd=1000 squery
exec 7</dev/null 6</proc/version
case_ errno=EINVAL "a character device" devfd=7 squery
case_ errno=EINVAL "a regular file" devfd=6 squery
run_cases
exec 9>&- 8<&- 7<&- 6<&-
check_equal "/dev/bpio is root's" "600 character special file" \
	"$(stat -c '%a %F' /dev/bpio)"
finish
