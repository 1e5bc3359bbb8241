// What a command of the tools is, and how a command line finds it.

import type { Clock } from '../../base/clock.js';
import type { Disk } from '../../base/disk.js';
import { FlagError, type FlagTable, helpOf, readArguments, type ValuesOf } from '../flag.js';
import type { Output } from './output.js';

/** What commands work with. */
export interface ToolWorld {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly out: Output;
  /** Runs an action on a folder where all of a data directory is in blocks, what is only in its logs too; made below `root`. */
  withWholeDirectory<T>(request: { folder: string; root: string }, action: (folder: string) => T): Promise<T>;
  /** A line to whoever watches, beside what is printed. */
  readonly warn: (line: string) => void;
}

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

export interface Command {
  /** `['list']`, `['create-blocks-from', 'rules']` */
  readonly path: readonly string[];
  readonly help: string;
  readonly flags: FlagTable;
  /** Behind the flags, as the help shows them: `<needed>`, `[<optional>]`, `<several>...`. */
  readonly words: readonly string[];
  run(world: ToolWorld, line: readonly string[]): Promise<void> | void;
}

interface CommandParts<F extends FlagTable> extends Omit<Command, 'run' | 'flags'> {
  readonly flags: F;
  run(world: ToolWorld, invoked: Invoked<F>): Promise<void> | void;
}

/** A command whose flags have types. */
export function command<F extends FlagTable>(parts: CommandParts<F>): Command {
  return {
    ...parts,
    run: (world, line) => parts.run(world, withWords(parts.words, readArguments(parts.flags, line))),
  };
}

function withWords<F extends FlagTable>(wanted: readonly string[], invoked: Invoked<F>): Invoked<F> {
  const needed = wanted.filter((word) => !word.startsWith('['));
  const missing = needed[invoked.words.length];
  if (missing !== undefined) throw new FlagError(`required argument '${missing.replace(/[<>.]/g, '')}' not provided`);
  const takesMore = wanted.at(-1)?.endsWith('...') === true;
  if (!takesMore && invoked.words.length > wanted.length) {
    throw new FlagError(`unexpected ${invoked.words[wanted.length]}`);
  }
  return invoked;
}

/** The command that a line names, and the rest of the line; undefined where it names none. */
export function findCommand(
  commands: readonly Command[],
  line: readonly string[],
): { readonly found: Command; readonly rest: readonly string[] } | undefined {
  for (const found of commands) {
    if (found.path.every((word, i) => line[i] === word)) return { found, rest: line.slice(found.path.length) };
  }
  return undefined;
}

export function helpOfCommand(name: string, { path, help, flags, words }: Command): string {
  const usage = [name, ...path, '[<flags>]', ...words].join(' ');
  return `usage: ${usage}\n\n${help}\n\nFlags:\n  -h, --help                     Show this text.\n${helpOf(flags)}`;
}

export function helpOfCommands(name: string, commands: readonly Command[]): string {
  const lines = commands.map(({ path, words, help }) => `${[...path, '[<flags>]', ...words].join(' ')}\n    ${help}\n`);
  return `usage: ${name} <command> [<flags>] [<args> ...]\n\nCommands:\n${lines.join('\n')}`;
}
