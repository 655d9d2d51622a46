#!/bin/bash
# purpose: filters are registered, attached at altitudes, called in order
# quick: stock debug stock-6.12
# needs: module=bpio-flt-test module=bpio-flt-passthru
# shellcheck disable=SC2046,SC2154 # words; $tmp of lib.sh
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/filter.sh
. "$(dirname "$0")/filter.sh"

long=123456789012345678901234567890
bad_altitudes=(x 1. .5 -1 +1 1e3 1.2.3 0x10 '1,5'
	"$long$long$long")

registration() {
	local a

	add one 325000 0xf read
	is "a registered filter shows in sysfs" "325000 0xf 0" \
		"$(<"$registered/one/altitude") $(<"$registered/one/features")\
 $(<"$registered/one/instances")"
	load_module bpio-flt-passthru
	fails "a name that is taken" "File exists" \
		add bpio-flt-passthru 1 0xf read
	unload_module bpio-flt-passthru
	fails "a name of 29 characters" "Invalid argument" \
		add "${long:0:29}" 1 0xf read
	check "a name of 28" add "${long:0:28}" 1 0xf read
	forget "${long:0:28}"
	for a in a/b . .. a@b; do
		fails "the name $a" "Invalid argument" add "$a" 1 0xf read
	done
	for a in "${bad_altitudes[@]:0:9}"; do
		fails "registered at $a" "Invalid argument" \
			add two "$a" 0xf read
	done
	fails "an unknown feature" "Invalid argument" add two 1 0x10 read
	fails "an operation twice" "Invalid argument" add two 1 0xf read read
	check "nothing of them is left" test "$(ls "$registered")" = one
	forget one
	check "a filter that is gone is not in sysfs" test ! -e \
		"$registered/one"
}

attachment() {
	local a

	add one 325000 0xf read
	attach one
	is "an instance shows in sysfs" "one 325000 0xf 0 0 0 1" \
		"$(<"$vol/instances/one/filter") \
$(<"$vol/instances/one/altitude") $(<"$vol/instances/one/features") \
$(seen one) $(<"$registered/one/instances")"
	is "its files" "altitude features filter fsctls_seen reads_seen \
writes_seen " "$(printf '%s ' $(ls "$vol/instances/one"))"
	is "only root attaches" "200 200" \
		"$(stat -c %a "$vol/attach") $(stat -c %a "$vol/detach")"
	fails "attach: no such filter" "No such file or directory" attach no
	rule 92 fails "attach: the altitude is taken" "File exists" attach one
	for a in 325000.0 325000.000 0325000; do
		rule 92 fails "attach: so is $a" "File exists" attach one "$a"
	done
	for a in "${bad_altitudes[@]}"; do
		fails "attach at $a" "Invalid argument" attach one "$a"
	done
	fails "attach: no words" "Invalid argument" attach ""
	fails "attach: three words" "Invalid argument" attach one 1 2
	fails "attach: no such filter, malformed altitude" \
		"Invalid argument" attach no 1.
	fails "detach: no such instance" "No such file or directory" \
		detach two
	fails "detach: no words" "Invalid argument" detach ""
	teach one setup=-13
	fails "attach: the filter does not want to" "Permission denied" \
		attach one 7
	teach one
	is "nothing of them is left" "one" "$(ls "$vol/instances")"
	check "the same filter again, at another altitude" attach one 200000.50
	is "has a name with the altitude" "one 200000.50 2" \
		"$(<"$vol/instances/one@200000.50/filter") \
$(<"$vol/instances/one@200000.50/altitude") $(<"$registered/one/instances")"
	bpio-ctl a read:0:4096 >/dev/null
	is "and is called for both" "1 0 0 1 0 0" \
		"$(seen one) $(seen one@200000.50)"
	echo >"$flt/clear"
	detach one
	check "the name is free again" attach one 1
	is "and the altitude" $'one\none@200000.50' "$(ls "$vol/instances")"
	detach one@200000.50
	forget one
	is "a filter that goes takes its instances along" "" \
		"$(ls "$vol/instances")"
	is "and is not called any more" "read 4096" "$(bpio-ctl a read:0:4096)"
	logged "at all" <<<-
}

order() {
	add low 46000 0xf read
	add p3 325000.3 0xf read
	add p7 325000.7 0xf read
	add pre 400000 0xf read:pre
	add post 9.99 0xf read:post
	attach p3
	attach low
	attach post
	attach p7
	attach pre
	bpio-ctl a read:0:4096 >/dev/null
	rule 91 logged "down from the highest altitude, up from the lowest" <<-END
	pre pre read
	p7 pre read
	p3 pre read
	low pre read
	post post read result=4096
	low post read result=4096
	p3 post read result=4096
	p7 post read result=4096
	END
	teach p3 pre=read:1
	teach p7 pre=read:5
	bpio-ctl a read:0:4096 >/dev/null
	rule 93 logged "SUCCESS_NO_CALLBACK: not called back; SYNCHRONIZE: called" <<-END
	pre pre read
	p7 pre read
	p3 pre read
	low pre read
	post post read result=4096
	low post read result=4096
	p7 post read result=4096
	END
	teach p3
	teach p7 complete=read:-74
	is "COMPLETE: the caller gets what the filter set" \
		"read errno=EBADMSG" "$(bpio-ctl a read:0:4096)"
	logged "nobody below it is called, and not it itself" <<-END
	pre pre read
	p7 pre read
	END
	teach p7
	teach low complete=read:-74
	bpio-ctl a read:0:4096 >/dev/null
	logged "those above it are" <<-END
	pre pre read
	p7 pre read
	p3 pre read
	low pre read
	p3 post read result=-74
	p7 post read result=-74
	END
	forget low p3 p7 pre post
}

# What a whole life of an open file looks like.
operations() {
	add_attached all 100 0xf create close read write setsize fsctl cleanup
	bpio-ctl a:rw query write:0:4096:7 read:0:4096 trunc:65536 >/dev/null
	logged "every operation" <<-END
	all pre create
	all post create result=0
	all pre fsctl op=3
	all post fsctl op=3 status=0x0 info=352 op_status=0x0
	all pre write
	all post write result=4096
	all pre read
	all post read result=4096
	all pre setsize
	all post setsize result=0
	all pre cleanup
	all post cleanup result=0
	all pre close
	all post close result=0
	END
	is "the counters saw them" "1 1 1" "$(seen all)"
	: >new
	truncate -s 1M new
	truncate -s 0 new
	perl -e 'truncate "new", 4096 or die'
	bpio-ctl . info open:new:rwt >/dev/null
	is "a new file, sizes by file and path, the volume handle, O_TRUNC" \
		"all instances=1 create=5/5 close=5/5 read=0/0 write=0/0 \
setsize=4/4 fsctl=1/1 cleanup=5/5" "$(<"$flt/calls")"
	echo >"$flt/clear"
	forget all
	bpio-verify fill a 1 64K
}

many() {
	local i n=64 calls=

	for ((i = 0; i < n; i++)); do
		add "f$i" "$((100000 + i)).$i" 0xf read fsctl
		attach "f$i"
		calls+="f$i instances=1 read=1/1 fsctl=1/1"$'\n'
	done
	is "64 filters: a request and a read go through all" \
		"query status=SUCCESS info=352 op=3 flags=8 result=SUCCESS \
driver= reason=
read 65536" "$(bpio-ctl a query read:0:64K:"$tmp/read")"
	check "64 filters: the bytes are right" cmp "$tmp/a" "$tmp/read"
	is "64 filters: each is called once" "${calls%$'\n'}" "$(<"$flt/calls")"
	is "64 filters: the top one is the last to know" \
		"f63 post read result=65536" "$(tail -n 1 "$flt/log")"
	for ((i = 0; i < n; i += 2)); do detach "f$i"; done
	bpio-ctl a read:0:4096 >/dev/null
	is "32 of them: the others are called" "2 0 1" "$(seen f33)"
	for ((i = 0; i < n; i++)); do forget "f$i"; done
	is "64 filters: all gone" "" "$(ls "$vol/instances")$(ls "$registered")"
	echo >"$flt/clear"
}

# Not load_module: with parameters, and it may be refused.
insert() { insmod "$BPIO_MODULES/$1.ko" "${@:2}"; }

modules() {
	local mark

	fails "a sample filter at a malformed altitude" \
		"Invalid parameters" insert bpio-flt-passthru altitude=12x
	insert bpio-flt-passthru altitude=370001 features=8
	defer unload_module bpio-flt-passthru
	is "parameters of the sample filters" "370001 0x8" \
		"$(<"$registered/bpio-flt-passthru/altitude") \
$(<"$registered/bpio-flt-passthru/features")"
	rmmod bpio_flt_passthru
	insert bpio-flt-passthru
	is "their defaults" "385100 0xf" \
		"$(<"$registered/bpio-flt-passthru/altitude") \
$(<"$registered/bpio-flt-passthru/features")"
	attach bpio-flt-passthru
	fails "an attached filter is not unloaded" \
		"bpio_flt_passthru is in use" rmmod bpio_flt_passthru
	mark=$(dmesg_mark)
	bpio-ctl a:rw query raw:0x90440:0:0 write:0:4096:7 read:0:4096 \
		read:64K:4096 >/dev/null
	detach bpio-flt-passthru
	check "the sample filter has counted" grep -q "creates=1 reads=2 \
writes=1 fsctls=2 cleanups=1 closes=1 failures=1" <(dmesg_since "$mark")
	check "a detached filter is unloaded" rmmod bpio_flt_passthru
	bpio-verify fill a 1 64K
}

mounts() {
	local vol_v=$vol

	make_volume w "$disk2"
	make_fs ext4 "$(volume w)"
	mount_volume w
	bpio-verify fill "$tmp/w/a" 1 64K
	add one 325000 0xf read
	attach one
	vol=$(volume_dir w) attach one
	is "a filter on two mounts" 2 "$(<"$registered/one/instances")"
	bpio-ctl "$tmp/w/a" read:0:4096 >/dev/null
	is "each has its own" "0 0 0, 1 0 0" "$(seen one), $(vol=$(volume_dir w) seen one)"
	umount_volume w
	check "the second file system is in order" fsck_volume w ext4
	is "a mount that goes takes its instances along" 1 \
		"$(<"$registered/one/instances")"
	cd /
	umount_volume v
	is "so does the other" 0 "$(<"$registered/one/instances")"
	mount_volume v
	cd "$tmp/v"
	vol=$vol_v
	is "a new mount has none" "0xf" \
		"$(ls "$vol/instances")$(<"$vol/supported_features")"
	fails "a filter's module stays while it is on a mount" \
		"bpio_flt_test is in use" \
		eval 'attach one; rmmod bpio_flt_test'
	detach one
	check "and no longer" rmmod bpio_flt_test
	is "it unregisters what is left" "" "$(ls "$registered")"
	load_module bpio-flt-test
}

setup_volume v ext4 "$disk"
vol=$(volume_dir v)
cd "$tmp/v"
bpio-verify fill a 1 64K
cp a "$tmp/a"
registration
attachment
order
operations
many
modules
mounts
umount_volume v
check "the file system is in order" fsck_volume v ext4
finish
