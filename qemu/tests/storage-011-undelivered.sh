#!/bin/bash
# purpose: a request whose output cannot be delivered has done nothing
# quick: stock debug
# shellcheck disable=SC2086 # numbers and names of devices
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"

none="result=SUCCESS driver= reason="

files() {
	answers "BypassIO: enabled, paused, resumed, disabled by none" \
		a mark:v outptr=readonly enable outptr=null enable \
		show:active_count gain:enables enable outptr=readonly pausev \
		outptr=bad pauses outptr=readonly disable info pausev \
		outptr=readonly resumev info <<-END
	enable errno=EFAULT
	enable errno=EFAULT
	show active_count=0
	gain enables=0
	enable status=SUCCESS info=352 op=1 flags=8 $none
	pausev errno=EFAULT
	pauses errno=EFAULT
	disable errno=EFAULT
	info status=SUCCESS info=96 op=8 flags=8 count=1 driver=nvme.ko
	pausev status=SUCCESS info=24 op=4 flags=1
	resumev errno=EFAULT
	info status=SUCCESS info=96 op=8 flags=9 count=1 driver=nvme.ko
	END
	bpio-ctl a resumev >/dev/null
	answers "ODX: no token is made, nothing is written" \
		a mark:v outptr=readonly oread:0:64K gain:tokens_issued \
		oread:0:64K open:b outptr=readonly owrite:0:64K \
		gain:tokens_issued:offload_writes \
		outptr=readonly oread:0:0 <<-END
	oread errno=EFAULT
	gain tokens_issued=0
	oread status=SUCCESS info=528 transfer=65536 flags=0 token=bpio
	owrite errno=EFAULT
	gain tokens_issued=1 offload_writes=0
	oread errno=EFAULT
	END
	check "the destination is as it was" bpio-verify check b 2
	# An output that is writable up to the end of a page only.
	answers "the last byte counts" \
		a out=4096 outptr=edge query out=4097 outptr=edge enable \
		info <<-END
	query status=SUCCESS info=352
	enable errno=EFAULT
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	END
	answers "the two fields of a request in read-only memory" \
		a field=readonly enable info <<-END
	enable errno=EFAULT
	info status=SUCCESS info=96 op=8 flags=8 count=0 driver=nvme.ko
	END
}

device() {
	answers "IOCTLs: neither enabled nor disabled, and no token" \
		/dev/bpio device:"$(volume w)" mark:w kernel outptr=readonly \
		senable show:bypass kernel senable kernel outptr=readonly \
		sdisable show:bypass range:0:65536 kernel outptr=readonly dread \
		gain:tokens_issued kernel dread:1000 gain:tokens_issued <<-END
	senable errno=EFAULT
	show bypass=idle
	senable status=SUCCESS info=352 version=352 size=352 op=1 flags=0 $none
	sdisable errno=EFAULT
	show bypass=active
	dread errno=EFAULT
	gain tokens_issued=0
	dread status=SUCCESS info=536 protected=65536 flags=0 length=512 token=bpio
	gain tokens_issued=1
	END
}

setup_volume v ext4 "$disk"
make_volume w "$disk2"
cd "$tmp/v"
bpio-verify fill a 1 1M
bpio-verify fill b 2 64K
files
device
finish
