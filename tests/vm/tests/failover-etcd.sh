# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 600
#
# Two nodes and an etcd, with neither a witness nor fencing. The primary is cut off: it
# completes nothing any more before the other does. Then the etcd is killed: nobody
# completes anything until it is back, and it has forgotten nothing.

. "$top/tests/vm/lib/failover.sh"
etcd_namespaces 32 "failover = auto  arbiter = etcd"
# Told before it is needed.
refused 3 "install Debian's package libcurl3-gnutls" on alpha "unshare -m bash -c '
	for f in /usr/lib/*/libcurl*.so.4; do mount --bind /dev/null \"\$f\"; done; rblk config check'"
on alpha rblk config check
dir=$(mktemp -d)
start_etcd
start_daemon alpha bravo
expect "register created in etcd" on alpha rblk create --force r0
expect "its register in etcd stays as it is" on bravo rblk create --force r0
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
eventually 30 votes alpha
eventually 30 votes bravo
promote_first alpha

stamper /dev/rblk0 "$dir/alpha" &
stampers=$!
stamper /dev/rblk1 "$dir/bravo" &
stampers="$stampers $!"
# Writes of a primary that is cut off wait for its peer as well; reads only for the lease.
read_alpha() {
	local begun
	while :; do
		read -r begun _ </proc/uptime
		# this may wait for ever
		dd if=/dev/rblk0 of=/dev/null bs=4k count=1 skip=8 iflag=direct status=none 2>/dev/null &&
			echo "r 0 ${begun/./}0000000" >>"$dir/reads"
		sleep 0.05
	done
}
read_alpha &
stampers="$stampers $!"
trap 'rc=$?; [ $rc = 0 ] || { failover_tell alpha bravo; cat $etcd_dir/log; }; kill $stampers $(cat $etcd_dir/pid)' EXIT
leads alpha 30
eventually 30 in_sync alpha alpha bravo
eventually 20 test -s "$dir/alpha"
eventually 20 test -s "$dir/reads"

say "the primary is cut off from both"
first=$(last_stamp "$dir/alpha")
cut alpha bravo
cut alpha etcd
leads bravo 60
sleep 3
last=$(last_stamp "$dir/alpha")
first=$(first_stamp_after "$dir/bravo" "$first")
[ -n "$first" ] || fail "bravo does not work"
say "alpha served until $last, bravo from $first: $(((first - last) / 1000000)) ms between"
[ "$last" -lt "$first" ] || fail "alpha served after bravo had begun"
last=$(last_stamp "$dir/reads")
say "alpha's last read began at $last"
[ "$last" -lt "$first" ] || fail "alpha read after bravo had begun"
mend alpha bravo
mend alpha etcd
eventually 90 in_sync bravo alpha bravo
expect backup on alpha rblk status r0

say "the etcd is killed"
stop_etcd -9
silent() { ! serves alpha && ! serves bravo; }
eventually 30 silent
first=$(last_stamp "$dir/bravo")
sleep 8
[ "$(last_stamp "$dir/bravo")" = "$first" ] || fail "bravo served without an etcd"
silent
expect '"mute":"http://10.0.0.3' asked bravo failover
start_etcd
served_again() { serves alpha || serves bravo; }
eventually 60 served_again
eventually 60 in_sync bravo alpha bravo
