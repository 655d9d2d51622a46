#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# purpose: on_write preserve: a token keeps its image whatever is written, as far as the reserve goes
# fs: ext4 xfs
# quick: stock:ext4,xfs debug:ext4
# needs: nvme>=3 prog=perl prog=blkdiscard
# timeout: 400
# shellcheck disable=SC2086,SC2154 # numbers and names of devices; $tmp
# shellcheck source=qemu/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=qemu/tests/bpio.sh
. "$(dirname "$0")/bpio.sh"
# shellcheck source=qemu/tests/storage.sh
. "$(dirname "$0")/storage.sh"
# shellcheck source=qemu/tests/odx.sh
. "$(dirname "$0")/odx.sh"

modprobe -q dm-mod

constructor() {
	local n s=131072 text line

	line="0 $s bpio $disk 0"
	says() {
		text=$(refused "$line $1") || true
		case $text in
		*"$2"*) ok "refused: $1: $text" ;;
		*) not_ok "refused: $1: '$text' does not say '$2'" ;;
		esac
	}
	n="needs a device, an offset and a length"
	says "2 on_write preserve" "on_write preserve needs a reserve"
	says "4 reserve $disk2 0 1024" "reserve needs on_write preserve"
	says "6 on_write invalidate reserve $disk2 0 1024" "reserve needs on_write preserve"
	says "5 on_write preserve reserve $disk2 0" "$n"
	says "3 on_write preserve reserve" "$n"
	says "6 on_write preserve reserve $disk2 x 1024" "offset and a length"
	says "6 on_write preserve reserve $disk2 0 -1" "offset and a length"
	says "6 on_write preserve reserve /dev/none 0 1024" "device cannot be opened"
	n=$(blockdev --getsz "$disk2")
	says "6 on_write preserve reserve $disk2 0 $((n + 1))" "within its device"
	says "6 on_write preserve reserve $disk2 $n 128" "within its device"
	says "6 on_write preserve reserve $disk2 18446744073709551608 128" "within its device"
	says "6 on_write preserve reserve $disk2 0 127" "128 sectors"
	says "6 on_write preserve reserve /dev/nvme2n1 4 1024" "aligned"
	says "6 on_write preserve reserve /dev/nvme2n1 0 1028" "aligned"
	says "6 on_write preserve reserve $disk $((s - 1)) 1024" "overlap"
	says "6 on_write preserve reserve $disk 0 1024" "overlap"
	line="0 1001 bpio $disk 0"
	says "6 on_write preserve reserve /dev/nvme2n1 0 1024" "begin and end"
	line="0 $s bpio $disk 0"

	line="0 $s bpio $(lsblk -dno MAJ:MIN "$disk" | tr -d ' ') 0 6 on_write preserve \
reserve $(lsblk -dno MAJ:MIN "$disk" | tr -d ' ') $s 1024"
	new_dm t "$line"
	check_equal "dmsetup table gives it back" "$line" "$(dmsetup table t)"
	check_equal "an unused reserve" "0 $((8 * k64))" \
		"$(words t reserve_used reserve_size)"
	line="0 8 bpio $disk2 0"
	says "6 on_write preserve reserve $disk $((s + 1000)) 1024" "another target's"
	reload_dm t "$(dmsetup table t)"
	check "its own successor may have it" test "$(words t reserve_size)" -gt 0
	remove_dm t
	line="0 8 bpio $disk2 0 6 on_write preserve reserve $disk 0 1024
8 8 bpio $disk2 8"
	says "6 on_write preserve reserve $disk 512 1024" "another target's"
}

# What is overwritten, by whatever writes.
images() {
	preserving 8192
	noise a 4*m
	noise b m
	noise c m
	put a 0
	mint t0 range:0:1M
	begin v
	put b 0
	check_gained "1 MiB is copied aside before it is overwritten" v \
		preserved_bytes=$m tokens_invalidated=0 reserve_used=$m
	check "the source has the new bytes" same b 0
	head -c $m "$tmp/a" >"$tmp/image0"
	begin v
	rule 140 redeemed "the token has the old ones" t0 image0 16*m
	check_gained "by dm-kcopyd" v bytes_kcopyd=$m bytes_nvme=0
	mint t1 range:0:1M
	put c 0
	check "the source has the newest bytes" same c 0
	rule 140 redeemed "the second token has its own image" t1 b 17*m
	rule 140 redeemed "and the first its" t0 image0 18*m
	check "nobody else wrote" same a m m 3*m
	begin v
	put b 0
	check_gained "what no token has is not copied aside" v preserved_bytes=0

	# parts of chunks, and a token that begins and ends anywhere
	ctl mark:v msg:revoke
	put a 0
	mint t0 range:33280:200192 range:1M:512
	begin v
	for at in 33280 66048 131072 200704 232960 $m; do
		dd if="$tmp/b" of=$d bs=512 count=1 seek=$at \
			oflag=direct,seek_bytes status=none
	done
	dd if="$tmp/b" of=$d bs=512 count=1 seek=$((233472)) \
		oflag=direct,seek_bytes status=none
	check_gained "sectors here and there: their chunks, once" v \
		preserved_bytes=$((5 * k64))
	(
		part a 33280 200192
		part a m 512
	) >"$tmp/image"
	redeemed "the image of sectors here and there" t0 image 20*m
	redeemed "again, to an odd place" t0 image 21*m+1536

	# discards and zeros
	ctl mark:v msg:revoke
	put a 0
	mint t0 range:0:2M
	blkdiscard -o 0 -l $((512 * 1024)) $d
	blkdiscard -z -o $m -l $((512 * 1024)) $d
	dd if="$tmp/b" of=$d bs=64K count=3 seek=10 conv=notrunc,fsync status=none
	head -c $((2 * m)) "$tmp/a" >"$tmp/image"
	redeemed "discarded, zeroed, written through the page cache" t0 image 24*m
	check "zeroed it is" cmp -s <(head -c 512K /dev/zero) \
		<(dd if=$d bs=512K skip=2 count=1 iflag=direct status=none)

	# copies are writes as well
	ctl mark:v msg:revoke
	put a 0
	mint t0 range:0:2M
	begin v
	check_equal "a token written over its own source, backwards" SUCCESS \
		"$(redeem t0 range:512K:1M range:0:512K range:1536K:512K)"
	check "the bytes are right" same a 512*1024 0 m
	check "to the end" same a 0 m 512*1024
	check_gained "of which all was preserved" v preserved_bytes=$((2 * m))
	redeemed "and the token has its image yet" t0 image 28*m
	check "a zero token is a write" test "$(ctl zeroA range:0:64K kernel dwrite |
		grep -c SUCCESS)" = 1
	redeemed "and the token has its image still" t0 image 30*m
}

# The old image, or none.
limits() {
	preserving 128
	noise a m
	noise b m
	put a 0
	mint t0 range:0:256K
	mint t1 range:512K:64K
	mint t2 range:768K:64K
	begin v
	put b 0
	check "a full reserve holds up no write" same b 0
	check_gained "and costs the tokens that find no room" v \
		reserve_full=1 tokens_invalidated=1 reserve_failed=0
	check_equal "dead" INVALID_TOKEN "$(redeem t0 range:16M:256K)"
	part a 512*1024 $k64 >"$tmp/image"
	redeemed "those that found some live" t1 image 17*m
	part a 768*1024 $k64 >"$tmp/image"
	redeemed "both of them" t2 image 18*m
	check_equal "the reserve is full" $((2 * k64)) "$(used)"
	ctl mark:v msg:revoke
	check "revoke empties it" wait_for 5 unused
	put a 0
	mint t0 range:0:128K:1
	ctl range:0:64K kernel dread:500 >/dev/null
	put b 0
	check_equal "a place is shared" $((2 * k64)) "$(used)"
	head -c $((2 * k64)) "$tmp/a" >"$tmp/image"
	sleep 2
	redeemed "a token whose neighbour has expired" t0 image 19*m
	check_equal "keeps what both had" $((2 * k64)) "$(used)"
	remove_volume v
	preserving 128 token_ttl_ms 1000
	put a 0
	mint t0 range:0:128K
	put b 0
	check "an expired token gives it back" wait_for 10 unused
	check_equal "dead" INVALID_TOKEN "$(redeem t0 range:16M:128K)"

	# what cannot be written to costs the token, not the write
	remove_volume v
	dmsetup create bpio-bad --table "0 4096 error"
	live[bad]=yes
	defer remove_volume bad
	make_volume v "$disk" 0 on_write preserve reserve \
		/dev/mapper/bpio-bad 0 4096
	put a 0
	mint t0 range:0:256K
	begin v
	put b 0
	check "a reserve that fails holds up no write" same b 0
	check_gained "and costs the token" v reserve_failed=1 \
		tokens_invalidated=1 reserve_full=0 reserve_used=0
	check_equal "dead" INVALID_TOKEN "$(redeem t0 range:16M:256K)"
	remove_volume v
	remove_volume bad
}

# Random writes, discards, tokens and redemptions, and a model of it all.
model() {
	preserving 32768
	cat >"$tmp/model.pl" <<'END'
use strict; use warnings; use Fcntl; use IO::Handle;
my ($dev, $tmp, $seed, $n) = @ARGV;
srand($seed); print "# seed $seed\n";
my ($size, $to) = (2 << 20, 32 << 20);
my $o = 0; my (%token, $id); $id = 0;
sub pwrite_ { my ($at, $data) = @_;
	open(my $p, "|-", "dd of=$dev oflag=direct,seek_bytes iflag=fullblock seek=$at bs=" . length($data) . " count=1 status=none") or die;
	binmode $p; print $p $data; close $p or die "write at $at"; }
sub pread_ { my ($at, $length) = @_;
	open(my $p, "-|", "dd if=$dev iflag=direct,skip_bytes,count_bytes skip=$at count=$length bs=1M status=none") or die;
	binmode $p; local $/; my $d = <$p>; close $p; $d; }
sub some { my $d = ''; $d .= pack("Q", int(rand(2**52))) for 1 .. 64; substr($d x ($_[0] / 512 + 1), 0, $_[0]); }
my $now = join '', map { some(512) } 1 .. $size / 512;
pwrite_($_ << 20, substr($now, $_ << 20, 1 << 20)) for 0 .. 1;
my ($written, $redeemed) = (0, 0);
sub redeem { my ($t) = @_; my ($at, $image) = @{$token{$t}};
	my $length = length $image;
	my $said = `bpio-ctl /dev/bpio device:$dev load:$tmp/m$t range:$to:$length kernel dwrite`;
	$said =~ /SUCCESS.*copied=$length / or die "token $t: $said";
	my $got = pread_($to, $length);
	if ($got ne $image) {
		my $i = 0; $i += 512 while substr($got, $i, 512) eq substr($image, $i, 512);
		die "token $t of $at, $length: differs at $i";
	}
	$redeemed++; }
for my $step (1 .. $n) {
	my $r = rand;
	if ($r < 0.2 || !%token) {
		my $at = 512 * int(rand($size / 512));
		my $length = 512 * (1 + int(rand(rand() < 0.5 ? 64 : 1500)));
		$length = $size - $at if $at + $length > $size;
		my $said = `bpio-ctl /dev/bpio device:$dev range:$at:$length kernel dread:600000 save:$tmp/m$id`;
		$said =~ /SUCCESS/ or die $said;
		$token{$id++} = [$at, substr($now, $at, $length)];
	} elsif ($r < 0.3) {
		redeem((keys %token)[int(rand(keys %token))]);
	} else {
		my $at = 512 * int(rand($size / 512));
		my $length = 512 * (1 + int(rand(rand() < 0.6 ? 16 : 600)));
		$length = $size - $at if $at + $length > $size;
		my $data;
		if ($r < 0.4) {
			$data = "\0" x $length;
			system("blkdiscard", "-z", "-o", $at, "-l", $length, $dev) and die;
		} else {
			$data = some($length);
			pwrite_($at, $data);
		}
		substr($now, $at, $length) = $data;
		$written++;
	}
}
redeem($_) for sort keys %token;
pread_(0, $size) eq $now or die "the device itself differs";
print "# $written writes, ", scalar(keys %token), " tokens, $redeemed redemptions\n";
END
	begin v
	check "random writes, tokens and redemptions: every image as it was" \
		perl "$tmp/model.pl" $d "$tmp" ${BPIO_SEED-$RANDOM} \
		${BPIO_SOAK:+2000}${BPIO_SOAK-70}
	check_gained "no token died" v tokens_invalidated=0 reserve_full=0 \
		"preserved_bytes>0"
	ctl mark:v msg:revoke
	check "and nothing is left in the reserve" wait_for 5 unused
}

# A write between the look-up and the read: the copy is made again. A slow guest
# may need more than one attempt at that.
races() {
	local i status ms pid

	preserving 16384
	noise a 8*m
	noise b 8*m
	head -c 256K "$tmp/a" >"$tmp/image"
	# It has looked where the data lies, and sleeps before it reads.
	for ms in 2000 8000 30000; do
		ctl mark:v msg:revoke
		put a 0
		mint t0 range:0:256K
		ctl mark:v msg:"fault copy times 1 delay_ms $ms"
		begin v
		exec bpio-ctl /dev/bpio "device:$d" "load:$tmp/t0" \
			range:16M:256K kernel dwrite >"$tmp/said" &
		pid=$!
		wait_for 60 sleeps_or_ended $pid msleep_interruptible || true
		put b 0
		! sleeps_in $pid msleep_interruptible || break
		wait $pid
	done
	check "written to before it is read" sleeps_in $pid msleep_interruptible
	wait $pid
	check_equal "the copy ends well" \
		"dwrite status=SUCCESS info=16 copied=$((256 * 1024)) flags=0" \
		"$(tail -n 1 "$tmp/said")"
	check "and not a new byte" same image 16*m
	check_gained "it was read from the reserve" v tokens_invalidated=0 \
		bytes_nvme=0 bytes_kcopyd=$((256 * 1024))
	# many at once
	begin v
	for i in 1 2 3 4; do
		ctl mark:v msg:revoke
		put a 0
		mint t0 range:0:8M
		(
			sleep 0.0$((i * 2))
			dd if="$tmp/b" of=$d bs=192K oflag=direct \
				conv=notrunc status=none
			blkdiscard -z -o 0 -l $((4 * m)) $d
		) &
		status=$(redeem t0 range:16M:8M)
		wait $!
		if [ "$status" != SUCCESS ]; then
			not_ok "round $i: $status"
		else
			check "round $i: old data only" same a 16*m
		fi
		redeemed "round $i: and later" t0 a 32*m
	done
	check_gained "no token died but by revoke" v reserve_full=0 \
		reserve_failed=0
}

# suspend, resume, another table, slow devices
tables() {
	local before

	preserving 8192
	noise a m
	noise b m
	put a 0
	mint t0 range:0:1M
	put b 0
	dmsetup suspend bpio-v
	dmsetup resume bpio-v
	redeemed "suspend and resume: the token has its image" t0 a 16*m
	reload_dm bpio-v "$(dmsetup table bpio-v)"
	check_equal "another table, the same words: the token is dead" \
		INVALID_TOKEN "$(redeem t0 range:16M:1M)"
	check_equal "and the reserve is empty" 0 "$(used)"
	put a 0
	mint t0 range:0:1M
	put b 0
	redeemed "the new table preserves" t0 a 17*m
	reload_dm bpio-v "0 $((volume_mib << 11)) linear $disk 0"
	check_equal "a table without bpio" 1 \
		"$(redeem t0 range:16M:1M | grep -vc SUCCESS)"
	reload_dm bpio-v "0 $((volume_mib << 11)) bpio $disk 0"
	check_equal "and again one that does not preserve: dead" INVALID_TOKEN \
		"$(redeem t0 range:16M:1M)"
	remove_volume v

	# two targets, cut within a chunk, a reserve each, one of 4096-byte blocks
	dmsetup create bpio-v <<-END
	0 1000 bpio $disk 8 6 on_write preserve reserve /dev/nvme2n1 0 4096
	1000 98304 bpio $disk2 0 6 on_write preserve reserve /dev/nvme2n1 4096 4096
	END
	live[v]=yes
	put a 0
	mint t0 range:488960:70656 range:1536:512 range:0:512
	(
		part a 488960 70656
		part a 1536 512
		part a 0 512
	) >"$tmp/image"
	begin v
	put b 0
	check_gained "two targets: the chunk that they share is two pieces" v \
		preserved_bytes=$((k64 + k64 + k64 + 0)) tokens_invalidated=0
	redeemed "the image across both" t0 image 8*m
	check_gained "blocks of another size" v "bytes_literal>0"
	remove_volume v

	if ! modprobe -q dm-delay; then
		echo "skip - a slow reserve: the kernel has no dm-delay"
		return
	fi
	dmsetup create bpio-slow --table \
		"0 8192 delay $disk2 0 0 $disk2 0 1500"
	live[slow]=yes
	defer remove_volume slow
	make_volume v "$disk" 0 on_write preserve reserve \
		/dev/mapper/bpio-slow 0 8192
	put a 0
	mint t0 range:0:1M
	before=$(counter v mapped_writes)
	put b 0 &
	wait_for 10 more mapped_writes "$before"
	sleep 0.2
	dmsetup suspend bpio-v
	check "a suspend waits for writes that wait for the reserve" wait $!
	dmsetup resume bpio-v
	redeemed "and the image is whole" t0 a 16*m
	# the token dies while its data is on the way aside
	put a 0
	mint t0 range:0:1M
	put b 0 &
	sleep 0.5
	ctl mark:v msg:revoke
	wait $!
	check "a token that dies under way" same b 0
	check "leaves nothing in the reserve" wait_for 5 unused
	# and the device goes with tokens and pieces alive
	put a 0
	mint t0 range:0:1M
	put b 0
	check_equal "alive" "$m" "$(used)"
	remove_volume v
	remove_volume slow
}

# A copy to a volume past the map() of the one below it, whose token it outdates.
stacked() {
	remove_volume v
	make_volume low "$disk" 0 on_write preserve reserve "$disk2" 0 16384
	volume_mib=32 make_volume v /dev/mapper/bpio-low 8
	noise a m
	noise b m
	put a 8*m /dev/mapper/bpio-low
	bpio-ctl /dev/bpio device:/dev/mapper/bpio-low range:8M:1M kernel \
		dread save:"$tmp/t0" >/dev/null
	put b 4*m
	mint t1 range:4M:1M
	begin low
	begin v
	check_equal "NVMe Copy past the map() of a layer that preserves" SUCCESS \
		"$(redeem t1 range:0:1M)"
	check "the bytes are right" same b 0
	check_gained "by NVMe Copy" v bytes_nvme=$m
	check_gained "preserved below" low preserved_bytes=$m \
		tokens_invalidated=0
	check_equal "the token below" "dwrite status=SUCCESS info=16 copied=$m flags=0" \
		"$(bpio-ctl /dev/bpio device:/dev/mapper/bpio-low load:"$tmp/t0" \
			range:1M:1M kernel dwrite)"
	check "has its image" same a m 0 m /dev/mapper/bpio-low
	remove_volume v
	remove_volume low
}

# A write between the look-up and the read of data that goes by way of memory, for
# which the writer waits in bpiofs_redeem(). A slow guest may need more than one
# attempt.
rereads() {
	local i ms pid

	bpio-verify fill s 1 256K
	i=0
	for ms in 2000 8000 30000; do
		i=$((i + 1))
		# the image of this round, and other bytes in its place
		bpio-ctl s oread:0:256K save:"$tmp/t" >/dev/null
		cp s "$tmp/image"
		bpio-verify fill "$tmp/w/d" 9 256K
		ctl mark:v msg:"fault token_read times 1 delay_ms $ms"
		begin v
		exec bpio-ctl "$tmp/w/d" load:"$tmp/t" owrite:0:256K \
			>"$tmp/said" &
		pid=$!
		wait_for 60 sleeps_or_ended $pid bpiofs_redeem || true
		bpio-ctl s write:0:256K:$i >/dev/null
		! sleeps_in $pid bpiofs_redeem || break
		wait $pid
	done
	check "$fs: written to before it is read" \
		sleeps_in $pid bpiofs_redeem
	wait $pid
	check "$fs: the old data is read" cmp "$tmp/image" "$tmp/w/d"
	check_equal "$fs: the answer" \
		"owrite status=SUCCESS info=16 written=$((256 << 10))" \
		"$(cat "$tmp/said")"
	check_gained "$fs: no token died" v tokens_invalidated=0

	# longer than the token has
	bpio-verify fill s 1 256K
	bpio-verify fill "$tmp/w/d" 9 256K
	ctl mark:v msg:"fault token_read times 1 delay_ms 6000"
	bpio-ctl s oread:0:256K:2000 open:"$tmp/w/d" owrite:0:256K \
		>"$tmp/said"
	check_equal "$fs: a read that takes longer than the token's time" \
		"owrite status=SUCCESS info=16 written=$((256 << 10))" \
		"$(tail -n 1 "$tmp/said")"
	check "$fs: gives its data" bpio-verify check "$tmp/w/d" 1
	bpio-verify fill "$tmp/w/d" 9 256K
	ctl mark:v msg:"fault token_read times 1"
	bpio-ctl s oread:0:256K open:"$tmp/w/d" owrite:0:256K >"$tmp/said" ||
		true
	check "$fs: a read that fails" expect_status 1 \
		grep -q "owrite status=SUCCESS" "$tmp/said"
	check "$fs: nothing was written" bpio-verify check "$tmp/w/d" 9
}

# Files: what changes the source, and what takes its blocks.
files() {
	local how

	remove_volume v
	[ $fs = ext4 ] || volume_mib=320
	make_volume v "$disk" 0 on_write preserve reserve "$disk2" 0 65536
	poison "$d" 32M
	make_fs "$fs" "$d"
	mount_volume v
	cd "$tmp/v"
	bpio-verify fill d 9 256K
	for how in write:0:4096:1 write:60K:4096:1 write:0:256K:7 \
		punch:0:64K "trunc:4096" \
		sh:"dd if=/dev/zero of=s bs=4K count=20 seek=3 conv=notrunc,fsync status=none" \
		sh:"fallocate -z -l 64K s"; do
		bpio-verify fill s 1 256K
		bpio-ctl d mark:v open:s oread:0:256K "$how" fsync use:0 \
			owrite:0:256K >"$tmp/said" 2>&1
		if grep -q "^owrite status=SUCCESS .*written=262144" "$tmp/said"; then
			check "$fs: $how: the old data" \
				bpio-verify check -l 256K d 1
		else
			not_ok "$fs: $how: $(cat "$tmp/said")"
		fi
	done
	bpio-verify fill s 1 256K
	bpio-ctl d mark:v open:s oread:0:256K write:0:256K:7 use:0 \
		owrite:0:256K >/dev/null
	check "$fs: and the source the new" cmp -s s \
		<(head -c 256K /dev/zero | tr '\0' '\7')
	if [ $fs = ext4 ]; then
		# there is no room beside them
		bpio-verify fill s 1 4M
		bpio-ctl s oread:0:4M save:"$tmp/t" unlink:s fsync >/dev/null
		bpio-verify fill other 7 64M 2>/dev/null || true
		rm other
		bpio-verify fill d2 9 4M
		bpio-ctl d2 load:"$tmp/t" owrite:0:4M >"$tmp/said"
		check_equal "$fs: a deleted source whose blocks were taken" \
			"owrite status=SUCCESS info=16 written=$((4 * m))" \
			"$(cat "$tmp/said")"
		check "$fs: has its data yet" bpio-verify check -l 4M d2 1
		check "$fs: from the reserve" test "$(used)" -ge $((4 * m))
	fi
	if [ $fs = ext4 ]; then
		# journalled data takes no markers: the token's data is read
		make_volume w "$disk2" 64
		make_fs ext4 "$(volume w)"
		mount_volume w 'lower=ext4,lowerdata="data=journal"'
		bpio-verify fill s 1 256K
		bpio-verify fill "$tmp/w/d" 9 256K
		begin w
		bpio-ctl s oread:0:256K write:0:100K:7 open:"$tmp/w/d" \
			owrite:0:256K >"$tmp/said" || true
		note "data=journal: $(tail -n 1 "$tmp/said")"
		if grep -q "^owrite status=SUCCESS" "$tmp/said"; then
			check "read from the reserve" \
				bpio-verify check -l 256K "$tmp/w/d" 1
			check_gained "by no engine" w bytes_kcopyd=0
		else
			check "refused: nothing is written" \
				bpio-verify check "$tmp/w/d" 9
		fi
		rereads
		remove_volume w
	fi
	umount_volume v
	check "$fs: in order afterwards" fsck_volume v "$fs"
	remove_volume v
	volume_mib=64
}

# BPIO_PARTS chooses some; without it, files as well. On the debug kernel make test
# runs what writes and redeems.
parts="constructor images limits model races tables stacked"
if [ "${BPIO_QUICK-}" ] && kernel_is_debug; then
	parts=images BPIO_FS=
fi
for part in ${BPIO_PARTS-$parts}; do
	$part
done
[ "${BPIO_PARTS+set}" ] || on_each_fs files
finish
