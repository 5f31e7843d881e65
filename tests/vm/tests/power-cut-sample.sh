# shellcheck shell=bash disable=SC2119
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 400
#
# A few of the cuts of power-cuts, from a fixed seed.

CRASH_SEED=${CRASH_SEED:-4711}
. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"
. "$top/tests/crash/cuts.sh"

cut_kinds=(primary backup both resync-backup)
cut_nodes
cuts ${#cut_kinds[@]}
