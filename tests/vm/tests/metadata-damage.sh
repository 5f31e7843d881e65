# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 900
#
# A block of the metadata is torn, has a bit flipped, is an older one, or cannot be
# read: each block that counts, on a primary and on a backup that crashed. Either the
# older copy is used, and after that the replicas are equal, or the disk is refused
# by name.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
RANDOM=${CRASH_SEED:=$(($(date +%s%N) / 1000 % 32768))}
say "CRASH_SEED=$CRASH_SEED"
two_nodes 32
promote_first alpha
level alpha
mib=$((1 << 20))
field() { rblk md examine "$(disk "$1")" | awk -v f="$2" '$1 == f { print $2 }'; }
head_at=$(field alpha head-at)
ring_at=$(field alpha ring-at)
data_at=$(field alpha data-at)

# random writes to MIB at OFFSET; of the second kind nothing is flushed
put() { dd if=/dev/urandom of="$(device "$1")" bs=64k count=$((16 * $3)) seek=$((16 * $2)) oflag=direct conv=fsync status=none; }
scatter() { dd if=/dev/urandom of="$(device "$1")" bs=4k count=8 seek=$((256 * $2)) oflag=direct status=none; }
meta_of() { dd if="$(disk "$1")" of="/tmp/meta-$2" bs=4k count=$((data_at / 4096)) iflag=direct status=none; }
put_meta() { dd if="/tmp/meta-$2" of="$(disk "$1")" bs=4k oflag=direct conv=notrunc status=none; }

# damage HOW AT: in /tmp/meta-crashed; what is older is in /tmp/meta-older
damage() {
	local how=$1 at=$2 byte
	case $how in
	torn) dd if=/tmp/meta-older of=/tmp/meta-crashed bs=512 count=$((1 + RANDOM % 7)) skip=$((at / 512)) seek=$((at / 512)) conv=notrunc status=none ;;
	older) dd if=/tmp/meta-older of=/tmp/meta-crashed bs=4k count=1 skip=$((at / 4096)) seek=$((at / 4096)) conv=notrunc status=none ;;
	flipped)
		byte=$((at + RANDOM % 4096))
		printf %b "\\x$(printf %x $(($(od -An -tu1 -j $byte -N 1 /tmp/meta-crashed) ^ 1 << RANDOM % 8)))" |
			dd of=/tmp/meta-crashed bs=1 seek=$byte conv=notrunc status=none
		;;
	blank) dd if=/dev/zero of=/tmp/meta-crashed bs=4k count=1 seek=$((at / 4096)) conv=notrunc status=none ;;
	esac
}

# the blocks that count, by name
blocks() {
	local last
	echo "copy-0 $head_at"
	echo "position-even $((head_at + 4096))"
	echo "copy-1 $((head_at + 65536))"
	echo "position-odd $((head_at + 65536 + 4096))"
	[ "$1" = alpha ] || return 0
	last=$(rblk md examine /tmp/meta-crashed | sed -n 's/^active.* transaction \([0-9]*\),.*/\1/p')
	echo "transaction $((ring_at + last % 64 * 4096))"
	echo "transaction-before $((ring_at + (last - 1) % 64 * 4096))"
	echo "transaction-to-come $((ring_at + (last + 1) % 64 * 4096))"
}

# What a disk that crashed says, and has lost, once its metadata is damaged.
crash_and_damage() {
	local node=$1 how=$2 at=$3
	on "$node" rblk down --force r0
	damage "$how" "$at"
	put_meta "$node" crashed
}

is_level() {
	on alpha rblk wait --for uptodate --timeout "$(patient 3)" r0 && return
	on alpha rblk resync --full --force r0 bravo || say "level since"
	level alpha
}

compare() {
	on alpha sync "$(device alpha)"
	identical /dev/ram0 /dev/ram1
}

named="damaged\|no rblk metadata\|contradict\|foreign\|misplaced\|another version\|impossible"
outcome() {
	local node=$1
	if on "$node" rblk up r0 >/tmp/up 2>&1; then
		says=$(data_of "$node")
		return
	fi
	grep "$named" /tmp/up || { cat /tmp/up; fail "refused without a name"; }
	says=refused
	cp /tmp/meta-good /tmp/meta-crashed
	put_meta "$node" crashed
	on "$node" rblk up r0
}

for node in bravo alpha; do
	meta_of $node older
	for how in torn flipped older blank; do
		put alpha 1 1
		on alpha rblk demote r0
		on alpha rblk promote r0
		level alpha
		put alpha 2 1
		scatter alpha $((4 + RANDOM % 20))
		meta_of $node crashed
		cp /tmp/meta-crashed /tmp/meta-good
		blocks $node >/tmp/blocks
		while read -r name at; do
			scatter alpha $((4 + RANDOM % 20))
			meta_of $node crashed
			cp /tmp/meta-crashed /tmp/meta-good
			crash_and_damage $node $how "$at"
			if [ $node = alpha ]; then
				# what a volatile cache may have lost: written since it was flushed
				dd if=/dev/urandom of=/dev/ram0 bs=4k count=8 oflag=direct conv=notrunc status=none \
					seek=$(((data_at + 2 * mib) / 4096))
				on bravo rblk disconnect r0
			fi
			outcome $node
			say "$node, $name, $how: $says"
			if [ $node = alpha ]; then
				on alpha rblk promote --force r0
				on bravo rblk connect r0
			fi
			connected alpha
			is_level
			compare
		done </tmp/blocks
	done
done
for node in alpha bravo; do on $node rblk down --force r0; done
