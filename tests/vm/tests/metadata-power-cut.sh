# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# kernels: newest
# timeout: 400
#
# Both machines lose power while one writes, and their disks lose what was not
# flushed. Each knows afterwards that its end was not clean; the primary is
# promoted without a word about clean disks, in a higher generation, and
# holds every record that was acknowledged; the other one is not called equal.

vm_volatile=yes
rblk_metadata=start
guest --disk 64M alpha bravo
rblk_machines alpha bravo
on alpha rblk promote --assume-clean r0
on alpha 'mkfs.ext4 -q /dev/rblk0 && mkdir /mnt/data && mount /dev/rblk0 /mnt/data'
on alpha 'ackwriter write /mnt/data/records /dev/record' >/dev/null 2>&1 &
writer=$!
until [ "$(records alpha | wc -l)" -ge 100 ]; do sleep 0.1; done
power_cut alpha
power_cut bravo
wait $writer || true

examine() { "$top/userspace/build/rblk" md examine "$vm_dir/$1/disk0"; }
promised() { examine "$1" | awk '$1 == "promised" { print $2 }'; }
expect "not clean: was primary" examine alpha
expect "not clean: may hold more" examine bravo
before=$(promised bravo)

restart alpha
restart bravo
rblk_metadata=none	# written already
config=$(rblk_metadata=start rblk_config alpha /dev/vda 0 bravo /dev/vda 0 | install_config_commands)
for node in alpha bravo; do
	on "$node" "$config"
	on "$node" '. $RBLK_TOP/tests/vm/lib/common.sh
		. $RBLK_TOP/tests/vm/lib/rblk.sh
		rblk_load'
done
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
expect unclean on alpha rblk status r0
on alpha rblk promote r0
[ "$(on alpha rblk status --json r0 | grep -o '"generation": *[0-9]*' | grep -o '[0-9]*$' | head -n 1)" -gt "$before" ] ||
	fail "generation $before was used again"
! on alpha rblk wait --for uptodate --timeout 3 r0 ||
	fail "called up to date after both lost power"
on alpha 'mkdir -p /mnt/data && mount /dev/rblk0 /mnt/data'
on alpha ackwriter check /mnt/data/records "$(records alpha | wc -l)"
on alpha rblk resync --full r0 bravo
on alpha rblk wait --for uptodate --timeout 120 r0
