# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# long: yes
# kernels: newest
#
# Machines reach each other until the link between them is cut.

guest --mem 512 alpha bravo charlie

reaches() { on "$1" ping -q -c 2 -W 1 "$2"; }

reaches alpha bravo
reaches alpha charlie
cut_link alpha bravo
! reaches alpha bravo || fail "a cut link still carries packets"
reaches alpha charlie
mend_link alpha bravo
eventually 60 reaches alpha bravo

expect "exit status of 7" on alpha 'echo "exit status of 7"; exit 7' || true
refused 7 "" on alpha 'exit 7'
