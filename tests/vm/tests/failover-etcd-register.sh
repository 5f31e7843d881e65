# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 400
#
# Registers in an etcd for data that is there, as failover.rst says: a resource that was
# manual gets one; and when the etcd was restored from a backup nobody believes it, until
# the register is made anew.

. "$top/tests/vm/lib/failover.sh"
etcd_namespaces 16 "failover = manual"
trap 'rc=$?; [ $rc = 0 ] || { failover_tell alpha bravo; cat $etcd_dir/log; }; kill $(cat $etcd_dir/pid) 2>/dev/null || true' EXIT

ctl() { on etcd env ETCDCTL_API=3 etcdctl --endpoints http://10.0.0.3:2379 "$@"; }
shows() { on "$2" rblk status r0 | grep -F "$1"; }
write() { dd if=/dev/urandom of="$1" bs=64k count=20 seek="$2" oflag=direct status=none; }
checksum() { dd if="$1" bs=64k count=60 iflag=direct status=none | sha256sum; }
no_one_serves() { ! serves alpha && ! serves bravo; }

start_etcd
start_daemon alpha bravo
for node in alpha bravo; do on $node rblk create --force r0; done
for node in alpha bravo; do on $node rblk up r0; done
connected alpha bravo
promote_first alpha
write /dev/rblk0 0
sum=$(checksum /dev/rblk0)

# ---- manual until now

on alpha rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
sed -i 's/failover = manual/failover = auto\narbiter = etcd/' /etc/rblk/rblk.conf
expect "register created in etcd" on alpha rblk create --register r0
expect "its register in etcd stays as it is" on bravo rblk create --register r0
for node in alpha bravo; do on $node rblk up r0; done
on alpha rblk promote r0
leads alpha 30
[ "$(checksum /dev/rblk0)" = "$sum" ] || fail "not what it was"
eventually 30 in_sync alpha alpha bravo
write /dev/rblk0 20

# ---- the etcd goes back to where it was

stop_etcd -TERM
cp -a "$etcd_dir/data" "$etcd_dir/copy"
start_etcd
served() { serves alpha || serves bravo; }
eventually 60 served
eventually 60 in_sync bravo alpha bravo
serves bravo || eventually 60 on bravo rblk promote r0
leads bravo 30
eventually 60 in_sync bravo alpha bravo
write /dev/rblk1 40
sum=$(checksum /dev/rblk1)
stop_etcd -TERM
rm -r "$etcd_dir/data"
mv "$etcd_dir/copy" "$etcd_dir/data"
start_etcd
eventually 60 shows "was etcd restored from a backup?" bravo
eventually 30 no_one_serves
sleep 8
no_one_serves

for node in alpha bravo; do on $node rblk down --force r0; done
ctl del rblk/test/r0 | grep -x 1
expect "register created in etcd" on bravo rblk create --register r0
expect "its register in etcd stays as it is" on alpha rblk create --register r0
for node in alpha bravo; do on $node rblk up r0; done
on bravo rblk promote r0
leads bravo 30
[ "$(checksum /dev/rblk1)" = "$sum" ] || fail "not what was acknowledged"
eventually 60 in_sync bravo alpha bravo
on bravo rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram1
