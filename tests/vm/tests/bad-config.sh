# SPDX-License-Identifier: GPL-2.0-or-later
# mode: host
# kernels: newest
#
# A mistake in the configuration is named with its place, exit code 3, and
# nothing is done.

set -eu
top=$(cd "$(dirname "$0")/../../.." && pwd)
. "$top/tests/vm/lib/common.sh"
. "$top/tests/vm/lib/rblk.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export RBLK_NODE=alpha RBLK_CONFIG=$dir/rblk.conf RBLK_RUN_DIR=$dir RBLK_STATE_DIR=$dir
PATH=$top/userspace/build:$PATH

good=$(rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 | sed "s|/etc/rblk|$dir|")
key() { (umask 077; echo 'a key that only a test would use, of course' >"$dir/cluster.key"); }
key



# wrong WORDS SED-SCRIPT: the good configuration, spoilt, is refused with WORDS
wrong() {
	sed "$2" <<<"$good" >"$dir/rblk.conf"
	refused 3 "$1" rblk config check "$dir/rblk.conf"
	refused 3 "rblk.conf:" rblk config check "$dir/rblk.conf"
	refused 3 "" rblkd --check
}

echo "$good" >"$dir/rblk.conf"
rblk config check
long=$(printf 'r%.0s' {1..64})
wrong "$long" "s/\"r0\"/\"$long\"/"
wrong "r/0" 's|"r0"|"r/0"|'
wrong minor 's/minor = 1/minor = 1048576/'
wrong id 's/id = 1/id = 0/'
wrong address 's/10.0.0.2:7790/10.0.0.1:7790/'
wrong protocol 's/protocol = C/protocol = D/'
wrong charlie 's/on "bravo"/on "charlie"/'
wrong colour 's/protocol = C/colour = red/'

# two volumes of one node with one minor
sed 's/volume 0 { minor = 0 .*}/volume 0 { minor = 0  disk = "\/dev\/ram0"  metadata = none } volume 1 { minor = 0  disk = "\/dev\/ram2"  metadata = none } }/' \
	<<<"$good" >"$dir/rblk.conf"
refused 3 "minor" rblk config check

# the key: absent, too short, readable by others
echo "$good" >"$dir/rblk.conf"
rm "$dir/cluster.key"
refused 3 "cluster.key" rblkd --check
(umask 077; echo short >"$dir/cluster.key")
refused 3 "32" rblkd --check
key
chmod 644 "$dir/cluster.key"
refused 3 "cluster.key" rblkd --check

refused 3 "nowhere.conf" rblk -c /tmp/nowhere.conf config check
refused 2 "" rblk frobnicate
