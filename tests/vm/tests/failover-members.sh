# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 200
#
# The witness is replaced by another while the resource serves: the new one votes, the
# dead one does not count any more. Without that, nobody could take over afterwards.

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"
nodes alpha bravo judge umpire
ram_disks 2 16
rblk_load
failover_config 500ms 6 /dev/ram0 0 /dev/ram1 1 | install_config_commands | bash
failover_up
trap 'rc=$?; [ $rc = 0 ] || failover_tell alpha bravo umpire' EXIT

conf=/etc/rblk/rblk.conf
voters() { asked "$1" failover | tr -d ' ' | grep -F "\"voters\":[$2]"; }
shows() { on "$2" rblk status r0 | grep -F "$1"; }

# one more
sed -i '/"judge"/a node "umpire" { id = 3  address = "10.0.0.4:7790"  witness = yes }' $conf
start_daemon umpire
on umpire rblk create --force r0
for node in alpha bravo judge; do on $node rblk adjust r0; done
eventually 20 shows "umpire is in the configuration, but does not vote: run 'rblk readmit r0 umpire'" alpha
eventually 20 shows "must not vote until" umpire
refused 1 "here it is alpha" on bravo rblk readmit r0 umpire
expect "umpire votes now" on alpha rblk readmit r0 umpire
eventually 20 votes umpire
eventually 20 voters umpire '"alpha","bravo","judge","umpire"'

# one less, after it was taken out of the configuration already
kill_daemon judge
cp $conf /tmp/with-judge
sed -i '/"judge"/d' $conf
for node in alpha bravo umpire; do on $node rblk adjust r0; done
eventually 20 shows "2 votes, but is not in the configuration: run 'rblk dismiss r0 2'" alpha
refused 1 "run 'rblk down r0' on it first" on alpha rblk dismiss r0 bravo
refused 4 "no such node" on alpha rblk dismiss r0 judge
serves alpha
on alpha rblk dismiss r0 2
voters alpha '"alpha","bravo","umpire"'
eventually 20 voters umpire '"alpha","bravo","umpire"'
! shows "not in the configuration" alpha || fail "it still counts"
refused 1 "2 is not another voter" on alpha rblk dismiss r0 2

# two of three: that is enough only where the dead one does not count
dd if=/dev/urandom of=/dev/rblk0 bs=64k count=20 oflag=direct status=none
kill_daemon alpha
cut alpha bravo
cut alpha umpire
leads bravo 40
mend alpha bravo
mend alpha umpire
start_daemon alpha
eventually 60 in_sync bravo alpha bravo

# what comes back is a node of which nobody wants to know
on judge "RBLK_CONFIG=/tmp/with-judge rblkd >/tmp/rblkd-judge.log 2>&1 &"
sleep 3
pgrep -x rblkd | wc -l | grep -x 4
serves bravo
voters bravo '"alpha","bravo","umpire"'
on bravo rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram1
