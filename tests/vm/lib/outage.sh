# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for tests in which a peer is away and comes back (ns only).
#
#   peer_number NODE PEER KEY   of PEER in NODE's status
#   all_is_durable NODE PEER    of what NODE wrote, at PEER
#   replication_of NODE PEER    of PEER's data, as NODE says: uptodate, resync ...
#   data_of NODE                what it says of its data: consistent ...
#   promised NODE               the highest generation, as its disk says
#   level NODE                  all its peers are up to date
#   watch_data NODE             write down what it says of its data, from now on
#   never_inconsistent NODE     it never said that it was

peer_number() {
	on "$1" rblk status --json r0 | tr -d ' \n' | grep -o '"peers":.*' |
		tr '{' '\n' | sed -n "/\"node\":\"$2\"/s/.*\"$3\":\([0-9]*\).*/\1/p"
}

# Also a flush that nobody waits for and nothing follows.
all_is_durable() {
	[ "$(peer_number "$1" "$2" lag_ops)" = 0 ] &&
		[ "$(peer_number "$1" "$2" durable_seq)" = "$(peer_number "$1" "$2" sent_seq)" ]
}

replication_of() {
	on "$1" rblk status --json r0 | tr -d ' \n' | grep -o '"peers":.*' | tr '{' '\n' |
		sed -n "/\"node\":\"$2\"/s/.*\"replication\":\"\([a-z]*\)\".*/\1/p"
}

promised() { rblk md examine "$(disk "$1")" | awk '$1 == "promised" { print $2 }'; }
data_of() { on "$1" rblk status --json r0 | tr -d ' ,' | sed -n 's/^"data":"\(.*\)"$/\1/p'; }
level() { on "$1" rblk wait --for uptodate --timeout "$(patient 60)" r0; }

watch_data() {
	on "$1" "rblk events >/tmp/events-$1 2>&1 &"
	eventually 10 test -s "/tmp/events-$1"
}

never_inconsistent() {
	! grep inconsistent "/tmp/events-$1" || fail "$1 was inconsistent"
}
