# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# timeout: 3600
# long: yes
#
# As "lifecycle", two hundred times.

# shellcheck disable=SC2034 # read there
rounds=200
# shellcheck source=tests/vm/tests/lifecycle.sh
. "$top/tests/vm/tests/lifecycle.sh"
