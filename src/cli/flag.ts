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
  /** Of a switch: a letter that stands for it behind a single dash. */
  readonly short?: string;
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
  const byName = new Map(Object.entries(table).map(([key, flag]) => [flag.name, { key, flag }]));
  const values = new Map<string, unknown>(Object.entries(table).map(([key, flag]) => [key, flag.fallback]));
  const given = new Set<string>();
  for (let i = 0; i < line.length; i++) {
    const word = line[i]!;
    if (word === '--') {
      line.slice(i + 1).forEach(onWord);
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      onWord(word);
      continue;
    }
    if (!word.startsWith('--')) {
      for (const key of shortSwitches(table, word)) values.set(key, true);
      continue;
    }
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const inline = equals < 0 ? undefined : word.slice(equals + 1);
    const negated = byName.get(name) === undefined && name.startsWith('no-') ? byName.get(name.slice(3)) : undefined;
    const entry = negated?.flag.form === 'switch' ? negated : byName.get(name);
    if (entry === undefined) throw new FlagError(`unknown long flag '--${name}'`);
    const { key, flag } = entry;
    if (flag.form === 'switch') {
      if (inline !== undefined) throw new FlagError(`unexpected ${inline}`);
      values.set(key, entry !== negated);
    } else {
      if (given.has(flag.name) && flag.form !== 'list') throw new FlagError(`flag '${flag.name}' cannot be repeated`);
      const text = inline ?? line[++i];
      if (text === undefined || (inline === undefined && text.startsWith('--'))) {
        throw new FlagError(`expected argument for flag '--${name}'`);
      }
      values.set(key, parseNamed(flag, text, values.get(key)));
    }
    given.add(flag.name);
  }
  return { values: Object.fromEntries(values) as ValuesOf<F>, given };
}

/** Keys of the switches in a word such as `-rq`. */
function shortSwitches(table: FlagTable, word: string): string[] {
  return [...word.slice(1)].map((letter) => {
    const key = Object.keys(table).find((candidate) => table[candidate]!.short === letter);
    if (key === undefined) throw new FlagError(`unknown short flag '-${letter}'`);
    return key;
  });
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
