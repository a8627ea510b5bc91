# Completion for bash: source this file, or put it into /usr/share/bash-completion/completions/ under each program's name.
# Flags come from the programs' own -help, so that nothing is typed twice.

_ampule_flags() {
  "$@" -help 2>/dev/null </dev/null | sed -n 's/^  \(--\{0,1\}[a-z][a-z-]*\)\(=.*\)\{0,1\}$/\1\2/p' | sed 's/=.*/=/'
}

_ampule() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=() i
  COMPREPLY=()
  # -config=PATH is three words here.
  if [[ $word == = || $before == = ]]; then
    [[ $word == = ]] && word=
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == [a-z]* ]] && words+=("${COMP_WORDS[i]}") || break
  done
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_ampule_flags "$program" "${words[@]}")" -- "$word")
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
  elif [[ ${#words[@]} -eq 0 && $before == "$program" ]]; then
    case ${program##*/} in
      ampule) words=$("$program" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p') ;;
      ampule-agent) words='agent copy exec generate-config probe quit reload status token version' ;;
      *) words= ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -F _ampule -o filenames ampule ampule-agent ampule-injector ampule-sandbox
