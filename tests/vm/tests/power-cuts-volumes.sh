# shellcheck shell=bash disable=SC2119
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 3600
#
# power-cuts with two volumes on two disks, which lose their caches independently: they
# stay one resource, with one order.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"
. "$top/tests/crash/cuts.sh"

cut_nodes -v 2
cuts "${RBLK_CUTS:-48}"
