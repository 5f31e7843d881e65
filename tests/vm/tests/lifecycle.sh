# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# kernels: newest
# timeout: 400
#
# Up, promote, write, demote, down, unload, ten times, with several processes
# that write and read: nothing leaks, hangs or is left behind.

nodes alpha bravo
ram_disks 2 16
rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 | install_config_commands | bash
rblk_load
start_daemon alpha bravo

# dd ARGS... in the background; its device may go away, and must not become a file
user() {
	dd "$@" conv=nocreat status=none 2>/dev/null &
	users+=($!)
}

for round in $(seq "${rounds:-10}"); do
	say "round $round, second $SECONDS"
	on bravo rblk up r0
	on alpha "rblk up r0 && rblk wait --for connected --timeout $(patient 30) r0 &&
		rblk promote --assume-clean r0"
	users=()
	user if=/dev/urandom of=/dev/rblk0 bs=16k count=100 oflag=direct
	user if=/dev/urandom of=/dev/rblk0 bs=4k seek=1024 count=100 oflag=direct,dsync
	user if=/dev/urandom of=/dev/rblk0 bs=64k seek=128 count=50
	user if=/dev/rblk0 of=/dev/null bs=64k iflag=direct
	case $((round % 4)) in
	0) on alpha rblk down --force r0 ;;
	1) on bravo rblk down --force r0 ;;
	2) on alpha rblk disconnect r0 ;;
	3) on alpha rblk demote --force r0 ;;
	esac
	wait "${users[@]}" || true
	on alpha rblk down --force --all
	on bravo rblk down --force --all
	if [ $((round % 5)) = 0 ]; then
		pkill -x rblkd
		rmmod rblk
		rblk_load
		start_daemon alpha bravo
	fi
done
