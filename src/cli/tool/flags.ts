// Kinds of flags that only tools have, as kingpin reads them.

import { DurationError, formatDuration, parseDuration } from '../../model/duration.js';
import { quote } from '../../model/quote.js';
import { type Flag, FlagError, listFlag, valueFlag, wordFlag } from '../flag.js';

type Extras = Parameters<typeof wordFlag>[5];

/** One of some words. */
export function enumFlag<const W extends string>(
  name: string,
  words: readonly W[],
  fallback: NoInfer<W>,
  help: string,
  extras: Extras = {},
): Flag<W> {
  const refusal = (text: string) => `enum value must be one of ${words.join(',')}, got '${text}'`;
  return wordFlag(name, words, fallback, help, refusal, extras);
}

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Milliseconds, of a duration as Go writes it (`1h30m`, `1.5s`), or as Prometheus does (`1d`). */
export function goDurationFlag(name: string, fallbackMs: number, help: string, extras: Extras = {}): Flag<number> {
  return valueFlag(name, fallbackMs, help, goDurationOf, formatDuration, { placeholder: '<duration>', ...extras });
}

/** Throws FlagError in Go's words. */
export function goDurationOf(text: string): number {
  const match = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (match !== null) {
    const parts = [...match[2]!.matchAll(/([\d.]+)([a-zµμ]+)/g)];
    const sizeMs = parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS_MS.get(unit!)!, 0);
    return match[1] === '-' ? -sizeMs : sizeMs;
  }
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof DurationError) throw new FlagError(`time: invalid duration ${quote(text)}`);
    throw error;
  }
}

/** `name=value` or `name:value`, several of them; the last of a name counts. */
export function pairsFlag(
  name: string,
  fallback: readonly string[],
  help: string,
  extras: Extras = {},
): Flag<readonly string[]> {
  const check = (text: string): readonly string[] => {
    if (!/[:=]/.test(text)) throw new FlagError(`expected KEY=VALUE got '${text}'`);
    return [text];
  };
  return listFlag(name, fallback, help, check, { placeholder: 'KEY=VALUE', ...extras });
}

export function pairsOf(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const at = text.search(/[:=]/);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
