# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
#
# Without CAP_NET_ADMIN in the initial user namespace every command but GET is
# refused, and nothing has changed; root in a user namespace of its own is nobody.

two_nodes 16
promote_first alpha
before=$(on alpha rblk status --json r0)
on alpha setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
	--bounding-set=-all netlink denied
on alpha setpriv --inh-caps=-all --bounding-set=-all netlink denied
on alpha unshare -Urn --map-root-user netlink denied
on alpha unshare -U --map-root-user netlink denied
[ "$(on alpha rblk status --json r0)" = "$before" ] || fail "the status changed"
refused 5 "not permitted" on alpha setpriv --reuid=65534 --clear-groups rblk down r0
