# shellcheck shell=bash
# Completion of superd(8) for bash.  Install it as
# /usr/share/bash-completion/completions/superd, or source it.

_superd() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} found

	COMPREPLY=()
	case $before in
	-s) found=$(compgen -d -- "$word") ;;
	-c | -p) found=$(compgen -f -- "$word") ;;
	*) found=$(compgen -W '-c -s -t -T -D -p -v -V -h' -- "$word") ;;
	esac
	[ -z "$found" ] || mapfile -t COMPREPLY <<<"$found"
}

complete -o filenames -F _superd superd
