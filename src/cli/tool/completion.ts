// Completion of command lines by shells, with kingpin's hidden flags, so that what loads promtool's can load ours:
//
//   eval "$(narthex --completion-script-bash)"      prints a function that asks
//   narthex --completion-bash check co              ► config
//
// What comes after the flag is the line so far; its last word may be unfinished.

import type { Flag } from '../flag.js';
import { type Command, findCommand, sharedFlags } from './command.js';

const ASK = '--completion-bash';

const SCRIPTS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    '--completion-script-bash',
    [
      '_narthex() {',
      '  local word="${COMP_WORDS[COMP_CWORD]}"',
      `  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" ${ASK} "\${COMP_WORDS[@]:1:$COMP_CWORD}")" -- "$word"))`,
      '}',
      'complete -o default -F _narthex narthex',
    ],
  ],
  [
    '--completion-script-zsh',
    [
      '#compdef narthex',
      '_narthex() {',
      `  local -a found=(\${(f)"$("\${words[1]}" ${ASK} "\${(@)words[2,$CURRENT]}")"})`,
      '  (( $#found )) && compadd -a found || _files',
      '}',
      'compdef _narthex narthex',
    ],
  ],
]);

export function isCompletion(word: string): boolean {
  return word === ASK || SCRIPTS.has(word);
}

/** Lines to print for a line that begins with one of these flags. */
export function completionsOf([asked, ...line]: readonly string[], commands: readonly Command[]): readonly string[] {
  const script = SCRIPTS.get(asked!);
  if (script !== undefined) return script;
  const last = line.at(-1) ?? '';
  const found = findCommand(commands, line.slice(0, -1));
  if (found.stray !== undefined) return [];
  const flags = found.isWhole ? Object.values<Flag<unknown>>(found.commands[0]!.flags) : sharedFlags(found.commands);
  const words = last.startsWith('-')
    ? ['--help', ...flags.filter(({ hidden }) => !hidden).map(({ name }) => `--${name}`)]
    : found.isWhole
      ? []
      : new Set(found.commands.map(({ path }) => path[found.path.length]!));
  return [...words].filter((word) => word.startsWith(last)).sort();
}
