# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# long: yes
# timeout: 300
#
# A peer that was let in and then lies, floods, stalls or breaks off ends its
# own link, with a reason, and nothing else: the other backup follows all the
# time, and holds what the primary holds.

nodes alpha bravo charlie
ram_disks 3 32
rblk_load
rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 charlie /dev/ram2 2 |
	install_config_commands | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
is_up() { dmesg | grep -q "r0 bravo: link( hello -> up )"; }
eventually 30 is_up
promote_first alpha
unreclaimable() { awk '/^SUnreclaim/ { print $2 }' /proc/meminfo; }

crash-writer --dev "$(device alpha)" --out /dev/null --depth 48 --max-blocks 64 \
	--mix 90,5,3,2,0 --seed "$RANDOM" &
writer=$!
# the first ones fill caches
on alpha env CASE=bye MUTANTS=20 hostile-peer r0 2
before=$(unreclaimable)
find "$top/tests/fuzz/corpus" -type f | shuf -n 60 >/tmp/files
xargs nsenter --net=/run/netns/alpha hostile-peer r0 2 </tmp/files
after=$(unreclaimable)
kill -TERM $writer
wait $writer || true
[ $((after - before)) -lt 8192 ] || fail "$((after - before)) KiB more are in use"
! dmesg | grep "r0 bravo: link( up -> " || fail "the honest link ended"
on alpha rblk demote r0
identical "$(disk alpha)" "$(disk bravo)"

# and at a backup that follows somebody else
on alpha rblk promote r0
on bravo env QUICK=yes hostile-peer r0 2
dd if=/dev/urandom of="$(device alpha)" bs=64k count=20 oflag=direct status=none
! dmesg | grep "r0 alpha: link( up -> " || fail "the honest link ended"
on alpha rblk demote r0
identical "$(disk alpha)" "$(disk bravo)"
