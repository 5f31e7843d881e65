# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
#
# Nodes that are namespaces reach each other until their link is cut.

nodes alpha bravo charlie

reaches() { on "$1" ping -q -c 1 -W 1 "$2"; }

reaches alpha 10.0.0.2
reaches alpha 10.0.0.3
on bravo ping -6 -q -c 1 -W 1 fd00::3

cut alpha bravo
! reaches alpha 10.0.0.2 || fail "a cut link still carries packets"
reaches alpha 10.0.0.3
mend alpha bravo
reaches alpha 10.0.0.2

cut bravo charlie one-way
! reaches bravo 10.0.0.3 || fail "a link that is cut one way still carries packets"
mend bravo charlie

netem alpha bravo delay 50ms
reaches alpha 10.0.0.2 | tail -n 1 >/tmp/rtt
cat /tmp/rtt
awk -F/ '{ exit !($5 >= 100) }' /tmp/rtt || fail "50 ms each way are not 100 ms"
