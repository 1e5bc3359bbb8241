// What a command of the tool is, and how a command line finds it.
//
//   narthex  --experimental  query  -o json  instant  --time=5  http://…  up
//            └ of all ─────┘        └ of query ─┘     └ of the command, and its words
//
// Flags that all commands below a word have may stand in front of the next word, as with promtool.

import type { Clock } from '../../base/clock.js';
import type { Disk } from '../../base/disk.js';
import type { SessionTools } from '../../discovery/session.js';
import {
  checkRequired,
  type Flag,
  FlagError,
  type FlagTable,
  helpOf,
  listFlag,
  partsOf,
  readArguments,
  switchFlag,
  type ValuesOf,
} from '../flag.js';
import type { Output } from './output.js';

/** What commands work with. */
export interface ToolWorld {
  readonly version: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly out: Output;
  /** All of standard input. */
  readonly readInput: () => Uint8Array;
  /** Whether a person reads what warn() says. */
  readonly isWatched: boolean;
  /** Runs an action on a folder where all of a data directory is in blocks, what is only in its logs too; made below `root`. */
  withWholeDirectory<T>(request: { folder: string; root: string }, action: (folder: string) => T): Promise<T>;
  /** What discovery needs of the network and the machine. */
  readonly discoveryTools: () => SessionTools;
  /** How far a command is, from 0 to 1: the last it says. */
  readonly progress: (share: number) => void;
  /** A line to whoever watches, beside what is printed. */
  readonly warn: (line: string) => void;
}

/** Flags of every command. */
const EVERYWHERE = {
  isExperimental: switchFlag('experimental', false, 'Allow what is experimental.'),
  features: listFlag('enable-feature', [], 'Features of the language, by commas.', (text) => text.split(',')),
};

type WithCommon<F extends FlagTable> = F & typeof EVERYWHERE;

export interface Invoked<F extends FlagTable> {
  readonly values: ValuesOf<F>;
  readonly given: ReadonlySet<string>;
  /** As many as `words` of the command allows. */
  readonly words: readonly string[];
}

/** Thrown by a command that has already said what is wrong. */
export class SaidFailure extends Error {
  override readonly name = 'SaidFailure';

  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

/** What a tool cannot go on with, in words for whoever called it. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

export interface Command {
  /** `['check', 'rules']`, `['tsdb', 'create-blocks-from', 'rules']` */
  readonly path: readonly string[];
  readonly help: string;
  readonly flags: FlagTable;
  /** Behind the flags, as the help shows them: `<needed>`, `[<optional>]`, `<several>...`. */
  readonly words: readonly string[];
  run(world: ToolWorld, line: readonly string[]): Promise<void> | void;
}

interface CommandParts<F extends FlagTable> extends Omit<Command, 'run' | 'flags'> {
  readonly flags: F;
  /** Which of the words are files that have to be there; none where absent. */
  files?(words: readonly string[]): readonly string[];
  run(world: ToolWorld, invoked: Invoked<WithCommon<F>>): Promise<void> | void;
}

/** A command whose flags have types. */
export function command<F extends FlagTable>(parts: CommandParts<F>): Command {
  const flags = { ...parts.flags, ...EVERYWHERE };
  return {
    ...parts,
    flags,
    run: (world, line) => {
      const invoked = readArguments(flags, line);
      checkCount(parts.words, invoked.words);
      needFiles(world, parts.files?.(invoked.words) ?? []);
      checkRequired(flags, invoked.given);
      needWords(parts.words, invoked.words);
      return parts.run(world, invoked);
    },
  };
}

function checkCount(known: readonly string[], given: readonly string[]): void {
  const takesMore = known.at(-1)?.includes('...') === true;
  if (!takesMore && given.length > known.length) throw new FlagError(`unexpected ${given[known.length]}`);
}

function needFiles({ disk }: ToolWorld, paths: readonly string[]): void {
  const missing = paths.find((path) => disk.stat(path) === undefined);
  if (missing !== undefined) throw new FlagError(`path '${missing}' does not exist`);
}

function needWords(known: readonly string[], given: readonly string[]): void {
  const missing = known.filter((word) => !word.startsWith('['))[given.length];
  if (missing !== undefined) throw new FlagError(`required argument '${missing.replace(/[<>.]/g, '')}' not provided`);
}

/** What a line names so far. */
export interface Found {
  /** Its words. */
  readonly path: readonly string[];
  /** The commands that begin so; one that is the path itself is alone here. */
  readonly commands: readonly Command[];
  readonly isWhole: boolean;
  /** What of the line is no part of the path. */
  readonly rest: readonly string[];
  /** The word that leads to no command. */
  readonly stray: string | undefined;
}

/** Throws FlagError at a flag that not all commands below the path have. */
export function findCommand(all: readonly Command[], line: readonly string[]): Found {
  let [path, commands, rest]: [string[], readonly Command[], string[]] = [[], all, []];
  for (let at = 0; at < line.length; ) {
    const isWhole = commands.length === 1 && commands[0]!.path.length === path.length;
    if (isWhole) return { path, commands, isWhole, rest: [...rest, ...line.slice(at)], stray: undefined };
    const word = line[at]!;
    if (word.startsWith('-') && word !== '-') {
      const count = isAnswered(word) ? 1 : wordCount(commands, line.slice(at));
      rest.push(...line.slice(at, at + count));
      at += count;
      continue;
    }
    const next = commands.filter((command) => command.path[path.length] === word);
    if (next.length === 0) return { path, commands, isWhole: false, rest: [...rest, ...line.slice(at)], stray: word };
    [path, commands] = [[...path, word], next];
    at++;
  }
  const isWhole = commands.length === 1 && commands[0]!.path.length === path.length;
  return { path, commands, isWhole, rest, stray: undefined };
}

/** `--help` and the like are read before flags are. */
function isAnswered(word: string): boolean {
  return word === '--help' || word === '-h' || word === '--version';
}

/** Words of the flag at the start of a line. Throws FlagError where it is not known. */
function wordCount(commands: readonly Command[], line: readonly string[]): number {
  for (const part of partsOf(sharedFlags(commands), line)) return part.kind === 'flag' ? part.wordCount : 1;
  return 1;
}

/** Those that all of some commands have. */
export function sharedFlags(commands: readonly Command[]): readonly Flag<unknown>[] {
  const [first, ...others] = commands.map(({ flags }) => Object.values<Flag<unknown>>(flags));
  return (first ?? []).filter((flag) => others.every((flags) => flags.includes(flag)));
}

export function helpOfCommand({ path, help, flags, words }: Command): string {
  const usage = ['narthex', ...path, '[<flags>]', ...words].join(' ');
  return `usage: ${usage}\n\n${help}\n\nFlags:\n  -h, --help                     Show this text.\n${helpOf(flags)}`;
}

export function helpOfCommands(path: readonly string[], commands: readonly Command[]): string {
  const lines = commands.map(({ path, words, help }) => `${[...path, '[<flags>]', ...words].join(' ')}\n    ${help}\n`);
  return `usage: ${['narthex', ...path].join(' ')} <command> [<flags>] [<args> ...]\n\nCommands:\n${lines.join('\n')}`;
}
