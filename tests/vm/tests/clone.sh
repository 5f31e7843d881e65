# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
#
# A machine of which there are two: the copy of alpha has its name, its key, its disk, all
# that its daemon kept, and another address. Whoever both call says so; what the copy wrote
# by itself is never taken for what alpha wrote.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
nodes alpha bravo charlie
ram_disks 3 16
rblk_load
rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 | install_config_commands | bash
start_daemon alpha bravo
create_metadata alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha
level alpha
put() { dd if=/dev/urandom of="$1" bs=64k count=8 seek="$2" oflag=direct conv=fsync status=none; }
put /dev/rblk0 0
on alpha rblk demote r0
on alpha rblk down r0

say "the copy"
mkdir -p /etc/rblk/copy
sed 's/10.0.0.1/10.0.0.3/; s/minor = 0/minor = 2/; s|/dev/ram0|/dev/ram2|' /etc/rblk/rblk.conf >/etc/rblk/copy/rblk.conf
blockdev --flushbufs /dev/ram0
dd if=/dev/ram0 of=/dev/ram2 bs=1M conv=fsync status=none
cp -a /var/lib/rblk-alpha/. /var/lib/rblk-charlie
copy() { on charlie env RBLK_NODE=alpha RBLK_CONFIG=/etc/rblk/copy/rblk.conf "$@"; }
on alpha rblk up r0
connected alpha
cut bravo charlie
on charlie "RBLK_NODE=alpha RBLK_CONFIG=/etc/rblk/copy/rblk.conf rblkd >/tmp/rblkd-charlie.log 2>&1 &"
eventually 20 copy rblk events --now
copy rblk up r0

say "both are promoted once, at the same place, and write as much"
copy rblk promote r0
put /dev/rblk2 16
on alpha rblk promote r0
put /dev/rblk0 16
level alpha
on alpha rblk demote r0
copy rblk demote r0
on alpha rblk disconnect r0
mend bravo charlie
copy rblk connect r0
copy rblk wait --for connected --timeout "$(patient 30)" r0
expect diverged on bravo rblk status r0
! cmp -s -i 1048576 /dev/ram1 /dev/ram2 || fail "the copy wrote nothing of its own"

say "both call bravo"
on alpha rblk connect r0
told() { grep "two machines say that they are this node, 10.0.0.[13] and 10.0.0.[13]" /tmp/rblkd-bravo.log; }
eventually 60 told
copy rblk down r0
connected alpha
on alpha rblk promote r0
level alpha
identical /dev/ram0 /dev/ram1
for node in alpha bravo; do on $node rblk down --force r0; done
