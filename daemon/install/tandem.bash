# bash completion for tandem(8): the words come from `tandem --help`, so that they are its own.
_tandem()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} help words
	help=$("${COMP_WORDS[0]}" --help 2>/dev/null)
	case $before in
	-f | -p | -o | --keepalived | --haproxy | --peer)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		compopt -o filenames
		return
		;;
	-C | -R)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		compopt -o filenames
		return
		;;
	-L | -i | -n)
		return
		;;
	esac
	if [[ $word == -* ]]; then
		words=$(grep -oE -- '(^|[ [,])--?[A-Za-z][A-Za-z-]*' <<<"$help" | tr -d ' [,')
	elif [ "$COMP_CWORD" -eq 1 ]; then
		words=$(sed -n '/^COMMANDS/,/^[A-Z]/s/^    \([a-z][a-z]*\) .*/\1/p' <<<"$help")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		compopt -o filenames
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word" | sort -u)
}
complete -F _tandem tandem
