# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The words come from the command itself, so they cannot be out of date.

_rblk() {
	local cur=${COMP_WORDS[COMP_CWORD]} i=1 globals=()
	while [ $i -lt "$COMP_CWORD" ]; do
		case ${COMP_WORDS[i]} in
		-c | --config | --node)
			globals+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			i=$((i + 2))
			;;
		-*) i=$((i + 1)) ;;
		*) break ;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-c | --config | check)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$(rblk "${globals[@]}" _complete \
		"${COMP_WORDS[@]:i:COMP_CWORD-i+1}" 2>/dev/null)" -- "$cur")
}
complete -F _rblk rblk
