# shellcheck shell=bash disable=SC2119
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 7200
#
# Power cuts in all that a pair can be doing, a disk losing its cache each time:
# what was acknowledged and flushed is there, what was acknowledged is where it
# survived, little is copied, and the replicas are equal afterwards.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"
. "$top/tests/crash/cuts.sh"

cut_nodes
cuts "${RBLK_CUTS:-200}"
