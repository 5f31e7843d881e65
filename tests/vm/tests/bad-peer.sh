# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# kernels: newest
# timeout: 180
#
# A peer with another key, another cluster or another size is not let in, and
# both sides say why.

nodes alpha bravo
ram_disks 2 16
rblk_load

# apart [SED-SCRIPT]: each node has a configuration of its own, bravo's changed
apart() {
	local n
	for n in alpha bravo; do
		mkdir -p "/etc/rblk/$n"
		rblk_config alpha /dev/ram0 0 bravo "${bravo_disk:-/dev/ram1}" 1 |
			sed "s|/etc/rblk/cluster.key|/etc/rblk/$n/key|" >"/etc/rblk/$n/rblk.conf"
		(umask 077; echo "${key[$n]-the key that both of them share, for a test}" >"/etc/rblk/$n/key")
		on "$n" "RBLK_CONFIG=/etc/rblk/$n/rblk.conf rblkd >/tmp/rblkd-$n.log 2>&1 &"
	done
	sed -i "${1-}" /etc/rblk/bravo/rblk.conf
	for n in alpha bravo; do
		RBLK_CONFIG=/etc/rblk/$n/rblk.conf eventually 20 on "$n" rblk events --now
		RBLK_CONFIG=/etc/rblk/$n/rblk.conf on "$n" rblk up r0
	done
}

together() {
	for n in alpha bravo; do
		RBLK_CONFIG=/etc/rblk/$n/rblk.conf on "$n" rblk down --force r0
	done
	pkill -x rblkd
	while pgrep -x rblkd >/dev/null; do sleep 0.1; done
}

# says NODE WORDS: in its status or its log, before long
says() { { on "$1" rblk status r0; cat "/tmp/rblkd-$1.log"; } 2>&1 | grep -i "$2" >/dev/null; }

declare -A key=([bravo]="quite another key, but of sufficient length")
apart
eventually 20 says alpha "key"
eventually 20 says bravo "key"
refused 6 "" on alpha rblk wait --for connected --timeout 2 r0
together

key=()
apart 's/cluster "test"/cluster "other"/'
eventually 20 says alpha "cluster"
refused 6 "" on alpha rblk wait --for connected --timeout 2 r0
together

modprobe loop
truncate -s 8M /tmp/small
bravo_disk=$(losetup --find --show /tmp/small)
apart
eventually 20 says alpha "size"
refused 6 "" on alpha rblk wait --for connected --timeout 2 r0
together
