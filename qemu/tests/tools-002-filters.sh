#!/bin/bash
# purpose: bpioctl filter: lists as fltmc prints them, attach and detach
# quick: stock
# needs: module=bpio-flt-passthru module=bpio-flt-legacy module=bpio-flt-test
# shellcheck disable=SC2154 # of the files sourced
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/filter.sh
. "$(dirname "$0")/filter.sh"
# shellcheck source=qemu/tests/tools.sh
. "$(dirname "$0")/tools.sh"

# Where a line ends in blanks.
e=

none() {
	forget one a-filter-of-28-characters-xx huge between above tiny
	unload_module bpio-flt-passthru
	unload_module bpio-flt-legacy
	says "list: no filter" 0 filter list <<-END
	Filter Name                     Num Instances    Altitude    Frame
	------------------------------  -------------  ------------  -----
	END
	says "instances: none" 0 filter instances <<-END
	Filter                Volume Name                              Altitude        Instance Name       Frame   SprtFtrs  VlStatus
	--------------------  -------------------------------------  ------------  ----------------------  -----   --------  --------
	END
	says "list, JSON: no line" 0 filter list --json </dev/null
	unload_module bpio-flt-test
	unload_module bpiofs
	says "list: no bpiofs" 1 filter list <<-END
	! bpioctl: /sys/module/bpiofs/filters: No such file or directory \
(is bpiofs loaded?)
	END
}

attaching() {
	says "attach, at the filter's own altitude" 0 \
		filter attach bpio-flt-passthru v <<-END
	filter:                     bpio-flt-passthru
	instance:                   bpio-flt-passthru
	volume:                     /dev/mapper/bpio-v
	altitude:                   385100
	supported_features:         0x0000000f
	END
	says "attach, by a file of the mount, again at another altitude" 0 \
		filter attach bpio-flt-passthru v/a --altitude 46000.50 <<-END
	filter:                     bpio-flt-passthru
	instance:                   bpio-flt-passthru@46000.50
	volume:                     /dev/mapper/bpio-v
	altitude:                   46000.50
	supported_features:         0x0000000f
	END
	says "attach, by the device, JSON" 0 filter attach one \
		/dev/mapper/bpio-w --altitude 7 --json <<-END
	{"filter":"one","volume":"$(dm w)","device":"/dev/mapper/bpio-w",\
"altitude":"7","instance":"one","frame":0,"supported_features":15,\
"reads_seen":0,"writes_seen":0,"fsctls_seen":0}
	END
	says "attach, by the kernel's name of the device" 0 \
		filter attach bpio-flt-legacy "$(dm w)" <<-END
	filter:                     bpio-flt-legacy
	instance:                   bpio-flt-legacy
	volume:                     /dev/mapper/bpio-w
	altitude:                   325000
	supported_features:         0x00000000
	END
	bpioctl filter attach bpio-flt-passthru bpio-w >/dev/null
	bpioctl filter attach a-filter-of-28-characters-xx v >/dev/null
}

listing() {
	says "list: altitude descending" 0 filter list <<-END
	Filter Name                     Num Instances    Altitude    Frame
	------------------------------  -------------  ------------  -----
	huge                                    0       9999999.123456789012345670
	bpio-flt-passthru                       3       385100         0
	above                                   0       325000.71      0
	between                                 0       325000.7       0
	bpio-flt-legacy                         1       325000         0
	a-filter-of-28-characters-xx            1        46000         0
	one                                     1        10000.5       0
	tiny                                    0            0.000000010
	END
	says "instances: by filter" 0 filter instances <<-END
	Filter                Volume Name                              Altitude        Instance Name       Frame   SprtFtrs  VlStatus
	--------------------  -------------------------------------  ------------  ----------------------  -----   --------  --------
	a-filter-of-28-characters-xx  /dev/mapper/bpio-v                         46000     a-filter-of-28-characters-xx    0     00000008  $e
	bpio-flt-legacy       /dev/mapper/bpio-w                        325000     bpio-flt-legacy           0     00000000  $e
	bpio-flt-passthru     /dev/mapper/bpio-v                        385100     bpio-flt-passthru         0     0000000f  $e
	bpio-flt-passthru     /dev/mapper/bpio-v                         46000.50  bpio-flt-passthru@46000.50    0     0000000f  $e
	bpio-flt-passthru     /dev/mapper/bpio-w                        385100     bpio-flt-passthru         0     0000000f  $e
	one                   /dev/mapper/bpio-w                             7     one                       0     0000000f  $e
	END
	says "instances -v MOUNT: those of one volume" 0 \
		filter instances -v w <<-END
	Filter                Volume Name                              Altitude        Instance Name       Frame   SprtFtrs  VlStatus
	--------------------  -------------------------------------  ------------  ----------------------  -----   --------  --------
	bpio-flt-legacy       /dev/mapper/bpio-w                        325000     bpio-flt-legacy           0     00000000  $e
	bpio-flt-passthru     /dev/mapper/bpio-w                        385100     bpio-flt-passthru         0     0000000f  $e
	one                   /dev/mapper/bpio-w                             7     one                       0     0000000f  $e
	END
	check_equal "instances -v DEVICE: the same" \
		"$(bpioctl filter instances -v w)" \
		"$(bpioctl filter instances -v /dev/mapper/bpio-w)"
	check_equal "list, JSON" '{"filter":"huge","instances":0,"altitude":
"9999999.12345678901234567","frame":0,"supported_features":15}' \
		"$(bpioctl filter list --json | head -n 1 |
			sed 's/"altitude":/&\n/')"
}

refusals() {
	says "attach: the altitude is taken" 1 \
		filter attach one v --altitude 385100.00 <<-END
	! bpioctl: v: STATUS_FLT_INSTANCE_ALTITUDE_COLLISION (0xC01C0011, \
Win32 0x801F0011): An instance already exists at this altitude on the volume \
specified. (bpio-flt-passthru is at 385100.00)
	END
	says "attach: the filter's own altitude is taken" 1 \
		filter attach bpio-flt-passthru v <<-END
	! bpioctl: v: STATUS_FLT_INSTANCE_ALTITUDE_COLLISION (0xC01C0011, \
Win32 0x801F0011): An instance already exists at this altitude on the volume \
specified. (bpio-flt-passthru is at 385100)
	END
	for f in nobody "one 8" one/ . "" bpio_flt_legacy; do
		says "attach: no such filter: '$f'" 1 filter attach "$f" v <<-END
		! bpioctl: v: no filter $f is registered (is its module loaded?)
		END
	done
	teach one setup=-13
	says "attach: the filter does not want to" 1 filter attach one v <<-END
	! bpioctl: v: attach one at 10000.5: Permission denied
	END
	teach one
	says "attach: an altitude that the kernel has no room for" 1 \
		filter attach one v --altitude "$(printf '%070d' 1)" <<-END
	! bpioctl: v: attach one at $(printf '%070d' 1): Invalid argument
	END
	says "attach: more than one write carries" 1 filter attach one v \
		--altitude "$(printf '%05000d' 1)" <<-END
	! bpioctl: v: attach: Argument list too long
	END
	says "attach: no mount" 1 filter attach one "$disk2" <<-END
	! bpioctl: $disk2: STATUS_FLT_VOLUME_NOT_FOUND (0xC01C0014, Win32 \
0x801F0014): The system could not find the volume specified. \
(no bpiofs mount of this device)
	END
	says "instances: no mount" 1 filter instances -v . <<-END
	! bpioctl: .: STATUS_FLT_VOLUME_NOT_FOUND (0xC01C0014, Win32 \
0x801F0014): The system could not find the volume specified. \
(not on a bpiofs mount)
	END
	says "detach: not here" 1 filter detach one v <<-END
	! bpioctl: v: filter one has no instance here
	END
	says "detach: another filter's instance" 1 \
		filter detach one w --instance bpio-flt-legacy <<-END
	! bpioctl: w: filter one has no instance bpio-flt-legacy here
	END
	chmod 755 "$tmp"
	check_equal "attach: for root only" \
		"bpioctl: /dev/mapper/bpio-v: attach: Permission denied" \
		"$(setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$(command -v bpioctl)" filter attach one \
			/dev/mapper/bpio-v 2>&1 || true)"
}

# What a filter that has not opted in makes of everything else.
blocked() {
	says "state: a filter that has not opted in" 0 \
		bypassio state -v w w/a <<-END
	BypassIo on "w" is not currently supported.
	Status: 506 (At least one minifilter does not support bypass IO)
	Driver: bpio-flt-legacy.ko
	Reason: The specified minifilter does not support bypass IO.
	BypassIo on "w/a" is not currently supported.
	Status: 506 (At least one minifilter does not support bypass IO)
	Driver: bpio-flt-legacy.ko
	Reason: The specified minifilter does not support bypass IO.
	END
	bpioctl bypassio enable w/a >/dev/null 2>complaint &&
		not_ok "enable: blocked, and done all the same"
	check_equal "enable: refused, and by whom" "bpioctl: w/a: refused: \
STATUS_BYPASSIO_FLT_NOT_SUPPORTED (0xC00004D2): bpio-flt-legacy.ko: The \
specified minifilter does not support bypass IO." "$(<complaint)"
	check_equal "state: the other mount is not blocked" \
		'BypassIo on "v/a" is currently supported.' \
		"$(bpioctl bypassio state v/a | head -n 1)"
}

counters() {
	local seen

	dd if=v/a of=/dev/null bs=4096 count=3 iflag=direct status=none
	dd if=/dev/zero of=v/a bs=4096 count=2 oflag=direct conv=notrunc \
		status=none
	for seen in reads_seen writes_seen fsctls_seen; do
		check_equal "stats: $seen" \
			"$(<"$(volume_dir v)/instances/bpio-flt-passthru/$seen")" \
			"$(bpioctl stats v --json | grep -o '"instance":"bpio-'\
'flt-passthru","[^}]*' | grep -o "\"$seen\":[0-9]*" | sed 's/.*://')"
	done
	check_equal "stats: reads and writes of both instances" \
		"bpio-flt-passthru 385100 3 2
bpio-flt-passthru@46000.50 46000.50 3 2" \
		"$(bpioctl stats v | awk '/bpio-flt-passthru/ {
			print $1, $2, $3, $4 }')"
}

detaching() {
	local altitude

	for altitude in 3 2 5; do
		bpioctl filter attach one v --altitude $altitude >/dev/null
	done
	says "detach: the one with the name of its filter" 0 \
		filter detach one v <<-END
	filter:                     one
	instance:                   one
	volume:                     /dev/mapper/bpio-v
	altitude:                   3
	supported_features:         0x0000000f
	END
	says "detach: which of two?" 1 filter detach one v <<-END
	! bpioctl: v: filter one has 2 instances here: --instance tells which
	END
	says "detach --instance" 0 filter detach one v --instance one@5 <<-END
	filter:                     one
	instance:                   one@5
	volume:                     /dev/mapper/bpio-v
	altitude:                   5
	supported_features:         0x0000000f
	END
	says "detach: the only one, JSON" 0 filter detach one v --json <<-END
	{"filter":"one","volume":"$(dm v)","device":"/dev/mapper/bpio-v",\
"altitude":"2","instance":"one@2","frame":0,"supported_features":15,\
"reads_seen":0,"writes_seen":0,"fsctls_seen":0}
	END
	says "detach: once only" 1 filter detach one v <<-END
	! bpioctl: v: filter one has no instance here
	END
	bpioctl filter detach bpio-flt-legacy w/a >/dev/null
	check_equal "state: supported again" \
		'BypassIo on "w/a" is currently supported.' \
		"$(bpioctl bypassio state w/a | head -n 1)"
}

# The name of a device that is longer than its column. The mount table goes on
# with the old one, so that the device has to be named.
long_name() {
	local name=bpio-a-name-that-does-not-fit-its-column

	dmsetup rename bpio-w "$name"
	says "instances: a long name gives way to the kernel's" 0 \
		filter instances -v "$name" <<-END
	Filter                Volume Name                              Altitude        Instance Name       Frame   SprtFtrs  VlStatus
	--------------------  -------------------------------------  ------------  ----------------------  -----   --------  --------
	bpio-flt-passthru     /dev/$(dm w "$name")                                 385100     bpio-flt-passthru         0     0000000f  $e
	one                   /dev/$(dm w "$name")                                      7     one                       0     0000000f  $e
	END
	check_equal "instances, JSON: the whole name" "/dev/mapper/$name" \
		"$(bpioctl filter instances -v "/dev/$(dm w "$name")" --json |
			head -n 1 |
			sed 's/.*"device":"\([^"]*\)".*/\1/')"
	dmsetup rename "$name" bpio-w
}

# crypt by the filter that encrypts
crypt() {
	load_module bpio-flt-crypt key="$(printf '%064d%064d' 1 2)"
	bpioctl filter attach bpio-flt-crypt v >/dev/null
	cp v/a v/c
	says "crypt encrypt" 0 crypt encrypt v/c <<-END
	path:                       v/c
	operation:                  encrypt
	status:                     STATUS_SUCCESS (0x00000000)
	information:                0
	END
	says "state: an encrypted file" 0 bypassio state v/c <<-END
	BypassIo on "v/c" is not currently supported.
	Status: 495 (The specified operation is not supported while encryption \
is enabled on the target object)
	Driver: bpio-flt-crypt.ko
	Reason: Encrypted file not supported
	END
	says "crypt decrypt" 0 crypt decrypt v/c <<-END
	path:                       v/c
	operation:                  decrypt
	status:                     STATUS_SUCCESS (0x00000000)
	information:                0
	END
	check "crypt decrypt: the data" cmp v/a v/c
	rm v/c
	bpioctl filter detach bpio-flt-crypt v >/dev/null
	unload_module bpio-flt-crypt
}

# dm VOLUME [NAME]: "dm-0"
dm() { dmsetup info -c --noheadings -o blkdevname "${2-bpio-$1}"; }

load_module bpio-flt-passthru
defer unload_module bpio-flt-passthru
load_module bpio-flt-legacy
defer unload_module bpio-flt-legacy
setup_volume v ext4 "$disk"
setup_volume w ext4 "$disk" 400
cd "$tmp"
head -c 64K /dev/zero | tee v/a >w/a
sync -f v w
# Cached pages would stand in the way of the counts.
dd if=v/a of=/dev/null bs=4096 count=1 iflag=direct status=none
add one 10000.5 0xf read
add a-filter-of-28-characters-xx 46000 0x0 create
add huge 9999999.12345678901234567 0xf read
add between 325000.7 0xf write
add above 325000.71 0xf write
add tiny 0.00000001 0xf read
attaching
rule 158 listing
refusals
rule 157 blocked
counters
detaching
rule 158 long_name
if [ -e "$BPIO_MODULES/bpio-flt-crypt.ko" ]; then
	crypt
else
	echo "skip - crypt: no bpio-flt-crypt.ko was built"
fi
for n in v w; do
	umount_volume "$n"
	check "$n: in order afterwards" fsck_volume "$n" ext4
	remove_volume "$n"
done
rule 158 none
finish
