# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# Before a branch is given up, all that the loser holds is archived: nothing of
# what is then overwritten is lost, whatever the winner writes meanwhile. Where
# that cannot be done nothing is given up. Anybody may read the archive, and a
# damaged one is refused. A copy over diverged data asks first.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
two_nodes 40
put() { dd if=/dev/urandom of="$(device "$1")" bs=64k count="$3" seek="$2" oflag=direct status=none; }
save() { on alpha rblk connect --discard-mine --save "$1" r0; }
# what the volume on alpha holds
image() { dd if=/dev/ram0 bs=1M skip=1 iflag=direct status=none | head -c "$size"; }
anybody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
still_diverged() {
	[ "$(data_of alpha)" = consistent ]
	expect diverged on alpha rblk status r0
}

files=$(mktemp -d)
size=$((39 << 20))
promote_first alpha
generation=$(on alpha rblk status --json r0 | sed -n 's/.*"generation": *\([0-9]*\).*/\1/p' | head -n 1)
put alpha 0 64
level alpha
on alpha rblk disconnect r0
on bravo rblk disconnect r0
on bravo rblk promote --force r0
# both wrote it, only alpha did, only bravo did, a block that bravo zeroes
put alpha 16 32
put bravo 32 32
put alpha 200 8
put bravo 300 8
blkdiscard -z -o 0 -l 65536 /dev/rblk1
on alpha rblk connect r0
on bravo rblk connect r0
eventually 20 on alpha "rblk status r0 | grep 'two primaries'"
for _ in 1 2 3; do
	sleep 0.3
	on alpha rblk connect r0
done
for node in alpha bravo; do
	[ "$(grep -c "two primaries" /tmp/rblkd-$node.log)" -le 1 ] ||
		fail "$node logs the same refusal again: $(cat /tmp/rblkd-$node.log)"
done
grep -q "two primaries" /tmp/rblkd-*.log || fail "nobody logged the refusal"
on alpha rblk demote r0
on alpha rblk connect r0
connected alpha bravo
still_diverged
image >$files/before

say "a copy over it asks"
refused 1 "nobody is there to be asked" on bravo rblk resync --full r0 alpha
still_diverged

say "where it cannot be saved, nothing is given up"
refused 2 "--save goes with --discard-mine" on alpha rblk connect --save $files/x r0
echo mine >$files/exists
refused 1 "exists already" save $files/exists
[ "$(cat $files/exists)" = mine ]
refused 1 "No such file or directory" save /nowhere/x
mkdir $files/small
mount -t tmpfs -o size=1m none $files/small
refused 1 "No space left on device" save $files/small/x
[ -z "$(ls -A $files/small)" ] || fail "left behind: $(ls -A $files/small)"
umount $files/small
still_diverged

say "saved, and given up, while the winner writes on"
(while :; do put bravo $((RANDOM % 300)) 4; done) &
writer=$!
save $files/archive
level bravo
kill $writer
wait $writer || true
[ "$(data_of alpha)" = consistent ]
on bravo rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
identical /dev/ram0 /dev/ram1
! image | cmp -s - $files/before || fail "nothing was overwritten"

say "anybody finds all of it in the archive"
[ "$(stat -c %a $files/archive)" = 600 ]
chmod 644 $files/archive
chmod 1777 $files
expect "data of      alpha (node 0), up to seq 104" anybody rblk divergence list $files/archive
expect "replaced by  bravo (node 1)" anybody rblk divergence list $files/archive
expect "parted       after seq 64 of generation $generation: 40 operations of its own" anybody rblk divergence list $files/archive
expect "0 13107200 524288" anybody rblk divergence show $files/archive
anybody rblk divergence export $files/archive $files/after
cmp $files/before $files/after
refused 1 "exists already" anybody rblk divergence export $files/archive $files/after
refused 2 "no volume 1" rblk divergence export --volume 1 $files/archive $files/after1

say "a damaged one is refused"
refused 4 "no divergence archive" rblk divergence list $files/before
head -c -1 $files/archive >$files/torn
refused 1 "ends too early" rblk divergence list $files/torn
printf x | dd of=$files/archive bs=1 seek=1000000 conv=notrunc status=none
refused 1 "checksum differs" rblk divergence export $files/archive $files/after2
[ ! -e $files/after2 ]
rm -r $files
