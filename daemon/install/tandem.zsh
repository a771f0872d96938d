#compdef tandem
# zsh completion for tandem(8): the words come from `tandem --help`, so that they are its own.
local help
help=$($words[1] --help 2>/dev/null)
case $words[CURRENT-1] in
(-f|-p|-o|--keepalived|--haproxy|--peer) _files; return ;;
(-C|-R) _files -/; return ;;
(-L|-i|-n) return ;;
esac
if [[ $PREFIX == -* ]]; then
	compadd -- ${(u)${(f)"$(grep -oE -- '(^|[ [,])--?[A-Za-z][A-Za-z-]*' <<<$help | tr -d ' [,')"}}
elif (( CURRENT == 2 )); then
	compadd -- ${(f)"$(sed -n '/^COMMANDS/,/^[A-Z]/s/^    \([a-z][a-z]*\) .*/\1/p' <<<$help)"}
else
	_files
fi
