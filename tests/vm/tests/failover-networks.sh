# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 240
#
# Heartbeats on two networks: one that is lost is told and nobody takes over, be it the
# one that also carries the data; with both lost the other node does.

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"
nodes alpha bravo judge
ram_disks 2 16
rblk_load

# second A B: another link between the two, with 10.1.0.N
second() {
	local a=$1 b=$2 m=${node_number[$1]} n=${node_number[$2]}
	ip link add "$b-2" netns "$a" type veth peer name "$a-2" netns "$b"
	ip -n "$a" link set "$b-2" up
	ip -n "$b" link set "$a-2" up
	ip -n "$a" addr add "10.1.0.$m/32" dev "$b-2"
	ip -n "$b" addr add "10.1.0.$n/32" dev "$a-2"
	ip -n "$a" route add "10.1.0.$n/32" dev "$b-2" src "10.1.0.$m"
	ip -n "$b" route add "10.1.0.$m/32" dev "$a-2" src "10.1.0.$n"
}
second alpha bravo
second alpha judge
second bravo judge
cut_second() { shape "$1" "$2-2" loss 100%; shape "$2" "$1-2" loss 100%; }
mend_second() { shape "$1" "$2-2"; shape "$2" "$1-2"; }

failover_config 500ms 6 /dev/ram0 0 /dev/ram1 1 |
	sed 's/address = "10.0.0.\([0-9]\):7790"/& address-2 = "10.1.0.\1:7790"/' |
	install_config_commands | bash
failover_up
trap 'rc=$?; [ $rc = 0 ] || failover_tell alpha bravo judge; kill $(jobs -p) 2>/dev/null || true' EXIT

paths() { on "$1" rblk status | sed -n "/^heartbeats/,\$s/^  $2  *//p"; }
both_work() { [[ $(paths alpha bravo) == "alive  network 1: "*" ms"*"network 2: "*" ms"* ]]; }
silent() { [[ $(paths alpha bravo) == "alive "*"network $1: silent"* ]]; }
generation() { on alpha rblk status --json r0 | grep -o '"generation": *[0-9]*' | head -n 1; }
promotions() { on "$1" rblk history --json r0 | grep -c '"kind"' || true; }
goes_on() { [ "$(wc -l <"$stamps")" -gt "$1" ]; }

stamps=$(mktemp)
stamper /dev/rblk0 "$stamps" 0 &
eventually 20 both_work
before=$(generation)

# goes_on_without NETWORK: the application is served, and nobody was promoted
goes_on_without() {
	local n
	eventually 20 silent "$1"
	sleep 5
	n=$(wc -l <"$stamps")
	eventually 20 goes_on $((n + 50))
	if [ "$(generation)" != "$before" ] || [ "$(promotions bravo)" != 0 ]; then
		fail "somebody was promoted"
	fi
	say "without network $1 the primary goes on"
}

for other in bravo judge; do cut_second alpha $other; done
goes_on_without 2
in_sync alpha alpha bravo
for other in bravo judge; do mend_second alpha $other; done
eventually 20 both_work

# the data goes over this one: what is written meanwhile bravo lacks
for other in bravo judge; do cut alpha $other; done
goes_on_without 1
eventually 20 in_sync alpha alpha
for other in bravo judge; do mend alpha $other; done
eventually 60 in_sync alpha alpha bravo
eventually 20 both_work

for other in bravo judge; do cut alpha $other; cut_second alpha $other; done
leads bravo 40
[ "$(promotions bravo)" = 1 ] || fail "promoted more than once"
for other in bravo judge; do mend alpha $other; mend_second alpha $other; done
eventually 60 in_sync bravo alpha bravo
kill %1
wait
on bravo rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram1
