# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 600
#
# The primary is cut off from the others, in both directions or in one. It completes
# nothing any more before the other completes its first: one clock, both moments. Once
# the network is whole again it follows, without anybody's help.

. "$top/tests/vm/lib/failover.sh"
failover_namespaces 500ms 5
dir=$(mktemp -d)
stampers=
for use in "0 $dir/alpha" "1 $dir/bravo"; do
	# writes wait for the peer as soon as it is away, reads go on under the lease
	for mode in w r; do
		# shellcheck disable=SC2086 # two words
		stamper /dev/rblk$use 0 $mode &
		stampers="$stampers $!"
	done
done
trap 'rc=$?; [ $rc = 0 ] || failover_tell alpha bravo judge; kill $stampers' EXIT

# change FROM TO CUT...: FROM leads, is cut off, TO takes over
change() {
	local from=$1 to=$2 last first
	shift 2
	leads "$from" 20
	eventually 30 in_sync "$from" alpha bravo
	sleep 1
	first=$(last_stamp "$dir/$from")
	"$@"
	leads "$to" 30
	sleep 2
	last=$(last_stamp "$dir/$from")
	[ "$last" -ge "$first" ] || fail "$from did not work before"
	first=$(first_stamp_after "$dir/$to" "$first")
	[ -n "$first" ] || fail "$to does not work"
	say "$from served until $last, $to from $first: $(((first - last) / 1000000)) ms between"
	asked "$to" history | tr '{' '\n' | tail -n 1
	[ "$last" -lt "$first" ] || fail "$from served after $to had begun"
	mend "$from" "$to"
	mend "$from" judge
	eventually 60 in_sync "$to" alpha bravo
}

both_ways() { cut "$1" "$2"; cut "$1" judge; }
outgoing() { cut "$1" "$2" one-way; cut "$1" judge one-way; }
incoming() { cut "$2" "$1" one-way; cut judge "$1" one-way; }

change alpha bravo both_ways alpha bravo
change bravo alpha outgoing bravo alpha
change alpha bravo incoming alpha bravo
expect primary on bravo rblk status r0
expect backup on alpha rblk status r0
