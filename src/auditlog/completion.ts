/** `auditlog completion`: prints a script that lets a shell complete the arguments. */
import { type Command, exitCodes, UsageError } from './command.ts';

/** The scripts ask `auditlog __complete` for candidates: see `complete.ts`. */
const scripts: Readonly<Record<string, string>> = {
  bash: `_auditlog() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :0) COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")) ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(auditlog __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _auditlog auditlog
`,
  zsh: `#compdef auditlog
_auditlog() {
  local line
  local -a candidates
  for line in "\${(@f)$(auditlog __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :0) _files ;;
      :*) ;;
      *) candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}") ;;
    esac
  done
  (( $#candidates )) && _describe auditlog candidates
}
compdef _auditlog auditlog
`,
  fish: `function __auditlog_complete
  set -l words (commandline -opc)[2..]
  for line in (auditlog __complete $words (commandline -ct) 2>/dev/null)
    switch $line
      case ':0'
        __fish_complete_path (commandline -ct)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c auditlog -f -a '(__auditlog_complete)'
`,
};

export const completionCommand: Command = {
  operands: Object.keys(scripts).join('|'),
  summary: 'Prints a script that lets the shell complete commands and options.',
  options: {},
  exits: {},
  async run({ operands: [shell = '', ...more] }, terminal) {
    const script = more.length === 0 && Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined) throw new UsageError(`name the shell: ${Object.keys(scripts).join(', ')}`);
    await terminal.print(script);
    return exitCodes.ok;
  },
};
