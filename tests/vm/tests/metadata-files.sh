# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: host
# kernels: newest
#
# rblk create and rblk md on files, as anybody: what is there is shown and
# kept, or there is a reason; each of the three layouts; dump and restore.

set -eu
top=$(cd "$(dirname "$0")/../../.." && pwd)
. "$top/tests/vm/lib/common.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
export RBLK_NODE=alpha RBLK_CONFIG=$dir/rblk.conf
PATH=$top/userspace/build:$PATH
(umask 077; echo 'a key that only a test would use, of course' >"$dir/cluster.key")

config() {
	cat >"$dir/rblk.conf" <<-END
		cluster "test" { key-file = "$dir/cluster.key" }
		node "alpha" { id = 0  address = "10.0.0.1:7790" }
		node "bravo" { id = 1  address = "10.0.0.2:7790" }
		resource "r0" {
		    volume 0 { minor = 0  disk = "$dir/disk"  metadata = $1 }
		    ${2-}
		}
	END
}
disk() {
	rm -f "$dir/disk" "$dir/meta"
	truncate -s "$1" "$dir/disk"
	truncate -s 8M "$dir/meta"
}
# field NAME FILE: what examine says of it
field() { rblk md examine "$2" | sed -n "s/^$1  *//p"; }

# start: the file system is lost, and no trace of it is left
config start
disk 64M
mkfs.ext4 -q -L precious "$dir/disk"
before=$(sha256sum "$dir/disk")
refused 1 "nobody is there to be asked" rblk create r0 </dev/null
refused 1 "metadata = end" rblk create --adopt --force r0
[ "$before" = "$(sha256sum "$dir/disk")" ] || fail "a refusal has changed the disk"
expect 'ext4 "precious": IT WILL BE LOST' rblk create --force r0
[ "$(field layout "$dir/disk")" = start ]
[ "$(field size "$dir/disk")" = "66060288 (63 MiB)" ]
[ "$(field data "$dir/disk")" = new ]
! blkid -p "$dir/disk" || fail "a signature is left"
expect "ID_RBLK_MEMBER=1" rblk md examine --udev "$dir/disk"
expect "resource r0, volume 0, node 0" rblk create --force r0

# end: nothing of the file system is touched, if it leaves room
config end
disk 64M
mkfs.ext4 -q -F -b 4096 "$dir/disk"
refused 1 "shrink it by 516096 bytes" rblk create --adopt --force r0
disk 64M
mkfs.ext4 -q -F -b 4096 "$dir/disk" 16000
tune2fs -U 11111111-2222-3333-4444-555555555555 "$dir/disk" >/dev/null
before=$(head -c 65536000 "$dir/disk" | sha256sum)
rblk create --adopt --force r0
[ "$before" = "$(head -c 65536000 "$dir/disk" | sha256sum)" ] || fail "the file system was changed"
e2fsck -fn "$dir/disk" >/dev/null 2>&1 || fail "the file system is damaged"
[ "$(field layout "$dir/disk")" = end ]

# nothing that is known: only who knows better may adopt it
disk 64M
refused 1 "nobody can tell" rblk create --adopt r0 </dev/null
disk 400M
mkfs.xfs -q "$dir/disk"
refused 1 "leaves no room" rblk create --adopt --force r0

# apart, and a volume smaller than its disk
config "\"$dir/meta\""
disk 64M
rblk create --force --size 32MiB r0
[ "$(field size "$dir/meta")" = "33554432 (32 MiB)" ]
refused 4 "no rblk metadata" rblk md examine "$dir/disk"
refused 1 "too small" rblk create --force --size 65MiB r0
refused 2 "size" rblk create --force --size 1000B r0
disk 64K
truncate -s 1K "$dir/disk"
refused 1 "too small" rblk create --force r0

# dump, damage, restore: as inconsistent, unless it is said to be exact
config start
disk 64M
rblk create --force r0
rblk md dump "$dir/disk" >"$dir/dump"
refused 1 "good metadata" rblk md restore "$dir/disk" <"$dir/dump"
rblk md wipe --force "$dir/disk"
refused 4 "no rblk metadata" rblk md examine "$dir/disk"
refused 4 "no rblk metadata" rblk md wipe --force "$dir/disk"
rblk md restore --exact "$dir/disk" <"$dir/dump"
rblk md dump "$dir/disk" | cmp - "$dir/dump"
sed -i 's/"data": 0/"data": 1/; s/"promised": 0/"promised": 7/; s/"terms": \[\]/"terms": [{"generation": 7, "first_seq": 1}]/' "$dir/dump"
rblk md restore --force "$dir/disk" <"$dir/dump"
[ "$(field data "$dir/disk")" = inconsistent ]
[ "$(field promised "$dir/disk")" = 7 ]
sed 's/"promised": 7/"promised": 6/' "$dir/dump" >"$dir/bad"
refused 1 "contradict" rblk md restore --force "$dir/disk" <"$dir/bad"
sed 's/rblk.md.1/other/' "$dir/dump" >"$dir/bad"
refused 1 "schema" rblk md restore --force "$dir/disk" <"$dir/bad"
truncate -s 65M "$dir/disk"
refused 1 "the dump is of a device of 67108864" rblk md restore --force "$dir/disk" <"$dir/dump"

# every byte of both superblocks, flipped: the other copy, or a reason
truncate -s 64M "$dir/disk"
flip() { printf %b "\\x$(printf %x $(($(od -An -tu1 -j "$1" -N 1 "$dir/disk") ^ 1)))" | dd of="$dir/disk" bs=1 seek="$1" conv=notrunc status=none; }
for at in 0 9 11 60 100 4000; do
	flip $at
	case $at in
	9) refused 1 "version" rblk md examine "$dir/disk" ;;
	*) expect "copy 1       good, holds" rblk md examine "$dir/disk" ;;
	esac
	flip $((65536 + at))
	refused "$([ $at = 0 ] && echo 4 || echo 1)" "" rblk md examine "$dir/disk"
	flip $at
	flip $((65536 + at))
done

# nonsense in the configuration
wrong() {
	config "$1" "${2-}"
	refused 3 "$3" rblk config check
}
wrong sideways "" "start, end, none, or the absolute path"
wrong "\"$dir/disk\"" "" "is the disk of"
wrong "\"/dev/x\"" "volume 1 { minor = 1  disk = \"/dev/y\"  metadata = \"/dev/x\" }" "is used by volume"
wrong none "volume 1 { minor = 1  disk = \"/dev/y\" }" "all need it, or none"
