/** The shells that completion is offered for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What stands for the names of files, which the shell knows best. */
export const FILES = ':files';

/**
 * What each shell reads: a function that asks `sohu complete` with the words of the line, as they
 * were typed and without evaluating any, and gets a line `value<TAB>description` for each candidate.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of sohu for bash: source <(sohu completion bash)
_sohu() {
  local value current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == ${FILES} ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("$value")
    fi
  done < <(sohu complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _sohu sohu
`,
  zsh: `#compdef sohu
# Completion of sohu for zsh: source <(sohu completion zsh), or a file _sohu in a folder of $fpath
_sohu() {
  local line
  local -a candidates
  while IFS= read -r line; do
    if [[ $line == ${FILES} ]]; then
      _files
    else
      candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done < <(sohu complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then _describe 'sohu' candidates; fi
}
if [[ $funcstack[1] == _sohu ]]; then _sohu "$@"; else compdef _sohu sohu; fi
`,
  fish: `# Completion of sohu for fish: sohu completion fish | source
function __sohu_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  sohu complete -- $words[2..-1] "$current" 2>/dev/null | while read -l line
    if test "$line" = ${FILES}
      __fish_complete_path "$current"
    else
      echo $line
    end
  end
end
complete -c sohu -f -a '(__sohu_complete)'
`,
};
