# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# kernels: newest
# long: yes
# timeout: 900
#
# Two machines, no witness: the primary stands still. The other is promoted only once it
# has switched it off, and seen that it is: not while the switch is out of order, and not
# by an agent that fails or lies. Debian's fence_ipmilan is one that works.

# shellcheck source=tests/vm/lib/failover.sh
. "$vm/lib/failover.sh"
# shellcheck source=tests/vm/lib/fence.sh
. "$vm/lib/fence.sh"

[ -x /usr/sbin/fence_ipmilan ] || skip "fence_ipmilan is not installed: run scripts/deps"
failover_install="$failover_mounts"$'\n'"$fence_install"$'\n'"$(install_config_commands <<-END
	cluster "test" { key-file = "/etc/rblk/cluster.key" }
	heartbeat { interval = 500ms  misses = 5 }
	node "alpha" {
	    id = 0  address = "10.0.0.1:7790"
	    fence "fails" { agent = "/usr/bin/false" }
	    fence "lies" { agent = "/usr/local/sbin/fence_switch"  options = { "plug=alpha", "lies=1" } }
	    fence "works" { agent = "/usr/local/sbin/fence_switch"  options = { "plug=alpha" } }
	}
	node "bravo" {
	    id = 1  address = "10.0.0.2:7790"
	    fence-delay = 20s
	    fence "ipmi" {
	        agent = fence_ipmilan
	        options = { "ip=bravo", "username=rblk", "ipmitool_path=/usr/local/sbin/ipmitool_switch" }
	        options-file = "/etc/rblk/fence-bravo"
	        timeout = 120s
	    }
	}
	resource "r0" {
	    failover = auto
	    volume 0 { minor = 0  disk = "/dev/vda"  metadata = start }
	}
END
)"'
(umask 077; echo password=secret >/etc/rblk/fence-bravo)
. $RBLK_TOP/tests/vm/lib/common.sh
. $RBLK_TOP/tests/vm/lib/rblk.sh
rblk_load'
guest --disk 64M --disk 32M alpha bravo
for node in alpha bravo; do
	on $node mkfs.ext4 -q /dev/vdb
	on $node "$failover_install"
done
power_switch alpha bravo
trap 'rc=$?; [ $rc = 0 ] || { switched; failover_tell bravo; }; vm_cleanup' EXIT
start_daemon alpha bravo
for node in alpha bravo; do on $node rblk config check; done
for node in alpha bravo; do on $node rblk create --force r0; done
for node in alpha bravo; do on $node rblk up r0; done
connected alpha bravo
for node in alpha bravo; do eventually 20 votes $node; done
promote_first alpha
expect "Status: ON" on alpha 'printf "action=status\nip=bravo\nusername=x\npassword=x\nipmitool_path=%s\n" \
	/usr/local/sbin/ipmitool_switch | fence_ipmilan'
on alpha 'mkfs.ext4 -q /dev/rblk0 && mkdir /mnt/data && mount /dev/rblk0 /mnt/data'
on alpha 'ackwriter write /mnt/data/records /dev/record' >/dev/null 2>&1 &
writer=$!
more_than() { [ "$(records alpha | wc -l)" -gt "$1" ]; }
eventually 60 more_than 50

# the switch is out of order: nobody is promoted, and it is said why
switch_fails
kill -STOP "${vm_pid[alpha]}"
tried() { [ "$(switched | grep -c '^bravo off alpha failed')" -ge "$1" ]; }
eventually 120 tried 2
expect "waits: " on bravo rblk status r0
on bravo rblk status r0
expect "is being switched off" on bravo cat /tmp/rblkd-bravo.log
! asked bravo history | grep '"to":"bravo"' || fail "promoted, and nobody was switched off"

# it was only slow: it goes on, as if nothing had been
kill -CONT "${vm_pid[alpha]}"
leads alpha 60
eventually 60 in_sync alpha alpha bravo
number=$(records alpha | wc -l)
eventually 60 more_than $((number + 50))
switch_works
is_on alpha
is_on bravo

kill -STOP "${vm_pid[alpha]}"
leads bravo 120
! is_on alpha || fail "promoted while the other machine exists"
wait $writer || true
switched
# the agent that lies was not believed: alpha was on, then the next one switched it off
expect "bravo status alpha on
bravo off alpha off
bravo status alpha off" switched
asked bravo history | grep '"kind":"failover".*"fenced_ms":[0-9]'
on bravo 'mkdir /mnt/data && mount /dev/rblk0 /mnt/data'
on bravo ackwriter check /mnt/data/records "$(records alpha | wc -l)"

failover_restart alpha
power_switch alpha
eventually 120 in_sync bravo alpha bravo
expect backup on alpha rblk status r0

# by hand, and the other way round
on alpha rblk fence --force bravo || {
	on alpha tail -n 20 /tmp/rblkd-alpha.log
	fail "bravo could not be switched off by hand"
}
! is_on bravo || fail "bravo is on"
expect "alpha off bravo off" switched
leads alpha 60
