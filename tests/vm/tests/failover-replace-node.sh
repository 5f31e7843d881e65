# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 300
#
# A node with data joins while the resource serves, and another one leaves for good: what
# failover.rst says to type. Then the new one takes over from the only old one.

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"
nodes alpha bravo judge charlie
ram_disks 3 16
rblk_load
failover_config 500ms 6 /dev/ram0 0 /dev/ram1 1 | install_config_commands | bash
failover_up
trap 'rc=$?; [ $rc = 0 ] || failover_tell alpha bravo judge charlie; kill $(jobs -p) 2>/dev/null || true' EXIT

conf=/etc/rblk/rblk.conf
adjust() { for node in "$@"; do on "$node" rblk adjust r0; done; }
goes_on() { [ "$(wc -l <"$stamps")" -gt "$1" ]; }
still_served() { eventually 30 goes_on $(($(wc -l <"$stamps") + 50)); }

dd if=/dev/urandom of=/dev/rblk0 bs=64k count=100 oflag=direct status=none
stamps=$(mktemp)
stamper /dev/rblk0 "$stamps" 0 &
still_served

sed -i -e '/"judge"/a node "charlie" { id = 3  address = "10.0.0.4:7790" }' \
	-e '/on "bravo"/a on "charlie" { volume 0 { minor = 2  disk = "/dev/ram2"  metadata = start } }' $conf
start_daemon charlie
on charlie rblk create --force r0
adjust alpha bravo judge
on charlie rblk up r0
expect "charlie votes now" on alpha rblk readmit r0 charlie
eventually 90 in_sync alpha alpha bravo charlie
still_served
say "charlie is in sync"

refused 1 "run 'rblk down r0' on it first" on alpha rblk dismiss r0 bravo
on bravo rblk down r0
eventually 30 in_sync alpha alpha charlie
on alpha rblk dismiss r0 bravo
kill_daemon bravo
sed -i '/"bravo"/d' $conf
adjust alpha judge charlie
! on alpha rblk status r0 | grep bravo || fail "bravo is still there"
still_served
say "without bravo the primary goes on"

kill_daemon alpha
cut alpha judge
cut alpha charlie
leads charlie 40
mend alpha judge
mend alpha charlie
start_daemon alpha
eventually 60 in_sync charlie alpha charlie
kill %1
wait
on charlie rblk demote r0
for node in alpha charlie; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram2
