// Command lines: flags with names, types and defaults; how they are read and explained.
//
// The rules are kingpin's, which Prometheus uses: `--name=value` or `--name value`,
// `--switch` and `--no-switch`, a flag once unless it collects values, `--` ends flags.

import { DurationError, formatDuration, parseDuration } from '../model/duration.js';

/** Thrown by a flag's parser: what is wrong with the text. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

export interface Flag<T> {
  /** Without the dashes. */
  readonly name: string;
  readonly help: string;
  readonly fallback: T;
  /** `switch` takes no value; `list` may be repeated and collects. */
  readonly form: 'value' | 'switch' | 'list';
  /** A letter that stands for it behind a single dash. */
  readonly short?: string;
  /** A command line without it is refused. */
  readonly required?: boolean;
  /** Shown in the help where the default is no example: `<duration>`. */
  readonly placeholder?: string;
  /** Accepted for the sake of existing command lines, and without effect. */
  readonly ignored: boolean;
  /** Accepted, and waits for what it is about to be built. */
  readonly pending: boolean;
  /** Left out of the help. */
  readonly hidden: boolean;
  /** The value of one text; `before` is what a list has so far. Throws FlagError. */
  parse(text: string, before: T): T;
  format(value: T): string;
}

// biome-ignore lint/suspicious/noExplicitAny: a Flag is invariant in its type, so unknown would refuse them all.
export type FlagTable = Readonly<Record<string, Flag<any>>>;
export type ValuesOf<F extends FlagTable> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

interface Extras {
  readonly short?: string;
  readonly required?: boolean;
  readonly placeholder?: string;
  readonly ignored?: boolean;
  readonly pending?: boolean;
  readonly hidden?: boolean;
}

const NO_EXTRAS = { ignored: false, pending: false, hidden: false } as const;

/** A flag with one value of some type. */
export function valueFlag<T>(
  name: string,
  fallback: T,
  help: string,
  parse: (text: string) => T,
  format: (value: T) => string = String,
  extras: Extras = {},
): Flag<T> {
  return { name, help, fallback, form: 'value', ...NO_EXTRAS, parse, format, ...extras };
}

export function textFlag(name: string, fallback: string, help: string, extras: Extras = {}): Flag<string> {
  return valueFlag(name, fallback, help, (text) => text, String, extras);
}

export function switchFlag(name: string, fallback: boolean, help: string, extras: Extras = {}): Flag<boolean> {
  return { ...valueFlag(name, fallback, help, (text) => text === 'true', String, extras), form: 'switch' };
}

/** Milliseconds. */
export function durationFlag(name: string, fallback: string, help: string, extras: Extras = {}): Flag<number> {
  return valueFlag(name, parseDuration(fallback), help, durationOf, formatDuration, extras);
}

export function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof DurationError) throw new FlagError(error.message);
    throw error;
  }
}

/** A whole number from `least` on. */
export function countFlag(
  name: string,
  fallback: number,
  help: string,
  least = Number.MIN_SAFE_INTEGER,
  extras: Extras = {},
): Flag<number> {
  const parse = (text: string): number => {
    // `5e7` is as good as its zeros.
    const value = /^[-+]?\d+(?:\.\d+)?(?:[eE]\+?\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw new FlagError(`not a whole number: ${JSON.stringify(text)}`);
    if (value < least) throw new FlagError(`must be at least ${least}: ${text}`);
    return value;
  };
  return valueFlag(name, fallback, help, parse, String, extras);
}

/** One of some words. */
export function wordFlag<const W extends string>(
  name: string,
  words: readonly W[],
  fallback: NoInfer<W>,
  help: string,
  refusal: (text: string) => string = (text) => `must be one of ${words.join(', ')}, got ${JSON.stringify(text)}`,
  extras: Extras = {},
): Flag<W> {
  const parse = (text: string): W => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new FlagError(refusal(text));
    return word;
  };
  return valueFlag<W>(name, fallback, help, parse, String, extras);
}

/** May be given several times; `check` sees each value. The first one given replaces the defaults. */
export function listFlag(
  name: string,
  fallback: readonly string[],
  help: string,
  check: (text: string) => readonly string[] = (text) => [text],
  extras: Extras = {},
): Flag<readonly string[]> {
  const parse = (text: string, before: readonly string[]): readonly string[] => [
    ...(before === fallback ? [] : before),
    ...check(text),
  ];
  const format = (values: readonly string[]): string => values.join(',');
  return { name, help, fallback, form: 'list', ...NO_EXTRAS, parse, format, ...extras };
}

export interface ParsedFlags<F extends FlagTable> {
  readonly values: ValuesOf<F>;
  /** Names that the command line has. */
  readonly given: ReadonlySet<string>;
}

/** Reads a command line of flags alone, without the program's name in front. Throws FlagError, in kingpin's words. */
export function readFlags<F extends FlagTable>(table: F, line: readonly string[]): ParsedFlags<F> {
  return read(table, line, (stray) => {
    throw new FlagError(`unexpected ${stray}`);
  });
}

export interface ParsedArguments<F extends FlagTable> extends ParsedFlags<F> {
  /** What is no flag, in its order. */
  readonly words: readonly string[];
}

/** The same where other words stand among the flags. */
export function readArguments<F extends FlagTable>(table: F, line: readonly string[]): ParsedArguments<F> {
  const words: string[] = [];
  return { ...read(table, line, (word) => words.push(word)), words };
}

function read<F extends FlagTable>(
  table: F,
  line: readonly string[],
  onWord: (word: string) => unknown,
): ParsedFlags<F> {
  const values = new Map<string, unknown>(Object.entries(table).map(([key, flag]) => [key, flag.fallback]));
  const keys = new Map(Object.entries(table).map(([key, flag]) => [flag, key]));
  const given = new Set<string>();
  for (const part of partsOf(Object.values(table), line)) {
    if (part.kind === 'word') {
      onWord(part.text);
      continue;
    }
    const { flag, text } = part;
    const key = keys.get(flag)!;
    if (given.has(flag.name) && flag.form === 'value') throw new FlagError(`flag '${flag.name}' cannot be repeated`);
    values.set(key, parseNamed(flag, text, values.get(key)));
    given.add(flag.name);
  }
  return { values: Object.fromEntries(values) as ValuesOf<F>, given };
}

/** Throws FlagError where a flag is missing that has to be there. */
export function checkRequired(table: FlagTable, given: ReadonlySet<string>): void {
  const missing = Object.values(table).filter(({ name, required }) => required === true && !given.has(name));
  if (missing.length === 0) return;
  throw new FlagError(`required flag(s) ${missing.map(({ name }) => `'--${name}'`).join(', ')} not provided`);
}

/** What a word of a command line is. A switch has the text `true` or `false`. */
export type LinePart =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'flag'; readonly flag: Flag<unknown>; readonly text: string; readonly wordCount: 1 | 2 };

/** A command line as flags with their texts, and words. Throws FlagError at the first flag that is not known. */
export function* partsOf(flags: readonly Flag<unknown>[], line: readonly string[]): Generator<LinePart> {
  for (let i = 0; i < line.length; i++) {
    const word = line[i]!;
    if (word === '--') {
      for (const text of line.slice(i + 1)) yield { kind: 'word', text };
      return;
    }
    if (!word.startsWith('-') || word === '-') {
      yield { kind: 'word', text: word };
      continue;
    }
    for (const { flag, text, shown } of word.startsWith('--') ? [longFlag(flags, word)] : shortFlags(flags, word)) {
      if (text !== undefined) {
        yield { kind: 'flag', flag, text, wordCount: 1 };
        continue;
      }
      const next = line[++i];
      if (next === undefined || next.startsWith('--')) throw new FlagError(`expected argument for flag '${shown}'`);
      yield { kind: 'flag', flag, text: next, wordCount: 2 };
    }
  }
}

interface NamedFlag {
  readonly flag: Flag<unknown>;
  /** undefined where it is the next word. */
  readonly text: string | undefined;
  /** As the line names it. */
  readonly shown: string;
}

/** `--name`, `--name=text`, `--no-switch` */
function longFlag(flags: readonly Flag<unknown>[], word: string): NamedFlag {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const inline = equals < 0 ? undefined : word.slice(equals + 1);
  const flag = flags.find((candidate) => candidate.name === name);
  const negated = flags.find((candidate) => candidate.form === 'switch' && `no-${candidate.name}` === name);
  const found = flag ?? negated;
  if (found === undefined) throw new FlagError(`unknown long flag '--${name}'`);
  if (found.form !== 'switch') return { flag: found, text: inline, shown: `--${name}` };
  if (inline !== undefined) throw new FlagError(`unexpected ${inline}`);
  return { flag: found, text: String(found === flag), shown: `--${name}` };
}

/** `-r`, `-rq`, `-o`, `-ojson` */
function shortFlags(flags: readonly Flag<unknown>[], word: string): NamedFlag[] {
  const named: NamedFlag[] = [];
  for (let at = 1; at < word.length; at++) {
    const shown = `-${word[at]}`;
    const flag = flags.find(({ short }) => short === word[at]);
    if (flag === undefined) throw new FlagError(`unknown short flag '${shown}'`);
    if (flag.form !== 'switch') return [...named, { flag, text: word.slice(at + 1) || undefined, shown }];
    named.push({ flag, text: 'true', shown });
  }
  return named;
}

function parseNamed<T>(flag: Flag<T>, text: string, before: unknown): T {
  try {
    return flag.parse(text, before as T);
  } catch (error) {
    if (error instanceof FlagError) throw new FlagError(`${error.message} (in --${flag.name})`);
    throw error;
  }
}

/** Every flag with its value as text, by name: what the status API lists. */
export function listFlags<F extends FlagTable>(table: F, values: ValuesOf<F>): Map<string, string> {
  const rows = Object.entries(table).map(([key, flag]) => [flag.name, flag.format(values[key])] as const);
  return new Map(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const WIDTH = 80;
const HELP_COLUMN = 33;

/** The flags of the help text, two columns, in the order of the table. */
export function helpOf(table: FlagTable): string {
  return Object.values(table)
    .filter((flag) => !flag.hidden)
    .map(describe)
    .join('');
}

function describe(flag: Flag<unknown>): string {
  const head = `  ${flag.short === undefined ? '    ' : `-${flag.short}, `}${headOf(flag)}`;
  const effect = flag.ignored
    ? ' Accepted for compatibility; has no effect here.'
    : flag.pending
      ? ' Has no effect yet.'
      : '';
  const lines = wrap(flag.help + effect, WIDTH - HELP_COLUMN);
  const indent = ' '.repeat(HELP_COLUMN);
  const first = head.length < HELP_COLUMN - 1 ? head.padEnd(HELP_COLUMN) + lines.shift() : `${head}  `;
  return [first, ...lines.map((line) => indent + line)].map((line) => `${line}\n`).join('');
}

function headOf(flag: Flag<unknown>): string {
  if (flag.form === 'switch') return `--[no-]${flag.name}`;
  const shown = flag.format(flag.fallback);
  const value = flag.placeholder ?? (/^[\w.:/%+-]+$/.test(shown) ? shown : JSON.stringify(shown));
  return `--${flag.name}=${value}${flag.form === 'list' ? ' ...' : ''}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
