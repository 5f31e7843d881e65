# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# kernels: newest
# long: yes
# timeout: 420
#
# A machine with a watchdog: rblkd may end in order while nothing is primary, and may
# start again in time while something is. When it stands still the machine resets.

# shellcheck source=tests/vm/lib/failover.sh
. "$vm/lib/failover.sh"
guest --disk 64M alpha
config=$(cat <<-END | install_config_commands
	cluster "test" { key-file = "/etc/rblk/cluster.key" }
	heartbeat { interval = 1s  misses = 8 }
	etcd { endpoints = { "http://127.0.0.1:2379" } }
	node "alpha" { id = 0  address = "127.0.0.1:7790"  watchdog = "/dev/watchdog" }
	node "bravo" { id = 1  address = "127.0.0.1:7791" }
	resource "r0" {
	    failover = auto
	    arbiter = etcd
	    volume 0 { }
	    on "alpha" { volume 0 { minor = 0  disk = "/dev/vda"  metadata = start } }
	    on "bravo" { volume 0 { minor = 1  disk = "/dev/vdb"  metadata = start } }
	}
END
)
on alpha "$config"
on alpha '. $RBLK_TOP/tests/vm/lib/common.sh
	. $RBLK_TOP/tests/vm/lib/rblk.sh
	rblk_load
	ip link set lo up'
refused 3 "watchdog /dev/watchdog: No such file" on alpha rblk config check
on alpha 'modprobe softdog; udevadm settle 2>/dev/null; ls -l /dev/watchdog'
on alpha rblk config check
on alpha 'etcd --data-dir /tmp/etcd --log-level error >/tmp/etcd.log 2>&1 &'
eventually 60 on alpha "bash -c '</dev/tcp/127.0.0.1/2379'"
start_daemon alpha
on alpha rblk create --force r0
on alpha rblk up r0
eventually 30 votes alpha

end_daemon() { on alpha 'kill $(pidof rblkd); while pidof rblkd; do sleep 0.1; done'; }

say "nothing is primary: it ends, and that is all"
end_daemon
sleep 12
on alpha true
start_daemon alpha
eventually 30 votes alpha
on alpha rblk promote --assume-clean r0
leads alpha 60

say "it starts again in time"
end_daemon
start_daemon alpha
sleep 12
on alpha true
leads alpha 60

say "it stands still"
on alpha 'kill -STOP $(pidof rblkd)'
# a machine that resets is one that ends, here
wait "${vm_pid[alpha]}" || true
grep "softdog: Initiating system reboot" "$vm_dir/alpha/console"
