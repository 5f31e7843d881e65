# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 300
#
# A node forgot what it promised: what failover.rst says to type then, for a node that
# another can replace, and for the only one that has the data.

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"
failover_namespaces 500ms 6 16
trap 'rc=$?; [ $rc = 0 ] || failover_tell alpha bravo judge' EXIT

shows() { on "$2" rblk status r0 | grep -F "$1"; }
write() { dd if=/dev/urandom of="$1" bs=64k count=20 seek="$2" oflag=direct status=none; }
forget() { rm -rf "/var/lib/rblk-$1" "/run/rblk-instance-$1"; mkdir -p "/var/lib/rblk-$1"; }
checksum() { dd if="$1" bs=64k count=40 iflag=direct status=none | sha256sum; }

# ---- bravo is installed anew, alpha serves

on bravo rblk down r0
kill_daemon bravo
forget bravo
write /dev/rblk0 0
eventually 30 in_sync alpha alpha
start_daemon bravo
on bravo rblk create --force r0
on bravo rblk up r0
eventually 30 shows "must not vote until" bravo
serves alpha
expect "bravo votes now" on alpha rblk readmit r0 bravo
eventually 60 in_sync alpha alpha bravo
eventually 20 votes bravo
kill_daemon alpha
cut alpha bravo
cut alpha judge
leads bravo 40
say "the one that was installed anew took over"

# ---- bravo is the only one in sync, and loses its register

eventually 20 in_sync bravo bravo
write /dev/rblk1 20
sum=$(checksum /dev/rblk1)
kill_daemon bravo
on bravo rblk down --force r0
mend alpha bravo
mend alpha judge
forget bravo
start_daemon alpha bravo
on bravo rblk up r0 || true
sleep 10
! serves alpha || fail "alpha lacks writes, and leads"
! serves bravo || fail "bravo leads without a register"
shows "does not vote" bravo

for node in alpha bravo judge; do on $node rblk down r0 || true; done
sed -i 's/failover = auto/failover = manual/' /etc/rblk/rblk.conf
for node in alpha bravo; do on $node rblk up r0; done
connected alpha bravo
on bravo rblk promote r0
[ "$(checksum /dev/rblk1)" = "$sum" ] || fail "something else on bravo"
on bravo rblk wait --for uptodate --timeout "$(patient 60)" r0
write /dev/rblk1 40
on bravo rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram1
