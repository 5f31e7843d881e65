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
nodes alpha bravo etcd
ram_disks 2 16
rblk_load
cat <<-END | install_config_commands | bash
	cluster "test" { key-file = "/etc/rblk/cluster.key" }
	heartbeat { interval = 1s  misses = 5 }
	etcd { endpoints = { "http://10.0.0.3:2379" } }
	node "alpha" { id = 0  address = "10.0.0.1:7790" }
	node "bravo" { id = 1  address = "10.0.0.2:7790" }
	resource "r0" {
	    failover = manual
	    volume 0 { }
	    on "alpha" { volume 0 { minor = 0  disk = "/dev/ram0"  metadata = start } }
	    on "bravo" { volume 0 { minor = 1  disk = "/dev/ram1"  metadata = start } }
	}
END
dir=$(mktemp -d)
mkdir "$dir/data"
trap 'rc=$?; [ $rc = 0 ] || { failover_tell alpha bravo; cat $dir/etcd.log; }; kill $(cat $dir/etcd.pid) 2>/dev/null || true' EXIT

start_etcd() {
	(on etcd "echo \$\$ >$dir/etcd.pid; exec etcd --data-dir $dir/data --listen-client-urls http://10.0.0.3:2379 \
		--advertise-client-urls http://10.0.0.3:2379 --log-level error >>$dir/etcd.log 2>&1" || true) &
	eventually 60 on alpha "bash -c '</dev/tcp/10.0.0.3/2379'"
}
stop_etcd() { kill "$(cat "$dir/etcd.pid")"; wait; }
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

stop_etcd
cp -a "$dir/data" "$dir/copy"
start_etcd
served() { serves alpha || serves bravo; }
eventually 60 served
eventually 60 in_sync bravo alpha bravo
serves bravo || eventually 60 on bravo rblk promote r0
leads bravo 30
eventually 60 in_sync bravo alpha bravo
write /dev/rblk1 40
sum=$(checksum /dev/rblk1)
stop_etcd
rm -r "$dir/data"
mv "$dir/copy" "$dir/data"
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
