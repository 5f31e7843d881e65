# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 300
#
# Disks that hold file systems already, one with its metadata at the end, one
# with it on another device: adopted, copied to a new node, taken down and up,
# after a crash compared only where the activity log says. All of it was there
# before is there at the end. A dump of metadata that is put back brings no
# old activity log with it.

. "$top/tests/vm/lib/outage.sh"

nodes alpha bravo
ram_disks 6 48
rblk_load
{
	echo 'cluster "test" { key-file = "/etc/rblk/cluster.key" }'
	echo 'node "alpha" { id = 0  address = "10.0.0.1:7790" }'
	echo 'node "bravo" { id = 1  address = "10.0.0.2:7790" }'
	echo 'resource "r0" { volume 0 { } volume 1 { }'
	for i in 0 1; do
		echo "on \"$([ $i = 0 ] && echo alpha || echo bravo)\" {"
		echo "volume 0 { minor = ${i}0  disk = \"/dev/ram$((3 * i))\"  metadata = end }"
		echo "volume 1 { minor = ${i}1  disk = \"/dev/ram$((3 * i + 1))\"  metadata = \"/dev/ram$((3 * i + 2))\" } }"
	done
	echo '}'
} | install_config_commands | bash
mib=$((1 << 20))
size0=0
same() {
	local i
	for i in 0 1 3 4; do blockdev --flushbufs /dev/ram$i; done
	cmp -n "$size0" /dev/ram0 /dev/ram3 || fail "volume 0 differs"
	cmp /dev/ram1 /dev/ram4 || fail "volume 1 differs"
}
# with MINOR0 MINOR1 COMMAND: what they hold, mounted
with() {
	mkdir -p /tmp/0 /tmp/1
	mount "$1" /tmp/0
	mount "$2" /tmp/1
	shift 2
	"$@"
	umount /tmp/0 /tmp/1
}
put_before() {
	for i in 0 1; do
		head -c $((5 << 20)) /dev/urandom >/tmp/$i/before
		sha256sum /tmp/$i/before
	done >/tmp/sums
}
put_after() { for i in 0 1; do cp /tmp/$i/before /tmp/$i/after; done; }
check_before() { sha256sum --quiet -c /tmp/sums; }
check_all() {
	check_before
	cmp /tmp/0/before /tmp/0/after
	cmp /tmp/1/before /tmp/1/after
}
lacks() { peer_number alpha bravo lacks_bytes; }

say "two file systems, adopted"
mkfs.ext4 -q -F -b 4096 /dev/ram0 10000
mkfs.ext4 -q -F -b 4096 /dev/ram1
with /dev/ram0 /dev/ram1 put_before
start_daemon alpha bravo
on alpha rblk create --adopt --force r0
on bravo rblk create --force r0
size0=$(rblk md examine /dev/ram0 | awk '$1 == "size" { print $2 }')
[ "$(rblk md examine /dev/ram0 | awk '$1 == "layout" { print $2 }')" = end ]
[ "$(rblk md examine /dev/ram2 | awk '$1 == "layout" { print $2 }')" = apart ]
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
refused 1 "--assume-clean or --force" on alpha rblk promote r0
on alpha rblk promote --force r0
! on alpha rblk wait --for uptodate --timeout 2 r0 || fail "a blank disk is called up to date"
with /dev/rblk0 /dev/rblk1 check_before
on alpha rblk resync --full r0 bravo
with /dev/rblk0 /dev/rblk1 put_after
level alpha

say "down and up: nothing is copied, and the other one has it all"
on alpha rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
same
for node in alpha bravo; do on $node rblk up r0; done
connected alpha bravo
on bravo rblk promote r0
level bravo
with /dev/rblk10 /dev/rblk11 check_all
on bravo rblk demote r0
on alpha rblk promote r0
level alpha

say "a crash: compared only where the log says"
write1() { dd if=/dev/urandom of=/dev/rblk1 bs=64k count=16 seek=$(($1 * 16)) oflag=direct status=none; }
# keep DIR: what alpha's disks say of it; crash DIR: it ends, and they say that
keep() {
	mkdir -p "$1"
	dd if=/dev/ram0 of="$1/0" bs=4k skip=$((size0 / 4096)) iflag=direct status=none
	dd if=/dev/ram2 of="$1/2" bs=1M iflag=direct status=none
}
put_back() {
	dd if="$1/0" of=/dev/ram0 bs=4k seek=$((size0 / 4096)) oflag=direct conv=notrunc status=none
	dd if="$1/2" of=/dev/ram2 bs=1M oflag=direct conv=notrunc status=none
}
on bravo rblk disconnect r0
# beyond both file systems' middle: what they hold stays out of it
write1 44
keep /tmp/first
write1 28
keep /tmp/second
on alpha rblk down --force r0
put_back /tmp/second
on alpha rblk up r0
[ "$(data_of alpha)" = unclean ] || fail "alpha's data is $(data_of alpha)"
on alpha rblk promote r0
[ "$(lacks)" -le $((32 * mib)) ] || fail "after a crash $(lacks) bytes may differ: the log was not used"
on bravo rblk connect r0
level alpha
on alpha rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
same

say "metadata from a dump: no log of another time is believed"
for node in alpha bravo; do on $node rblk up r0; done
connected alpha bravo
on alpha rblk promote r0
level alpha
on bravo rblk disconnect r0
write1 40
keep /tmp/first
write1 24
keep /tmp/second
on alpha rblk down --force r0
put_back /tmp/second
rblk md dump /dev/ram2 >/tmp/dump
expect "for node 1" rblk md examine /dev/ram2
# an older image of the metadata's device, then the dump that is newer
put_back /tmp/first
put_back_0() { dd if=/tmp/second/0 of=/dev/ram0 bs=4k seek=$((size0 / 4096)) oflag=direct conv=notrunc status=none; }
put_back_0
rblk md restore --force --exact /dev/ram2 </tmp/dump
expect "nothing was written yet" rblk md examine /dev/ram2
on alpha rblk up r0
[ "$(data_of alpha)" = unclean ] || fail "alpha's data is $(data_of alpha)"
on alpha rblk promote r0
on bravo rblk connect r0
level alpha
on alpha rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
same
