// Scripts of the query tests: `load`, `clear` and `eval` commands, parsed.
//
//   load 5m
//     http_requests{job="a"} 0+10x5 _ stale
//
//   eval instant at 10m sum(http_requests)
//     {} 20
//
// The format is that of Prometheus's promqltest files.

import { parseDuration } from '../../../src/model/duration.js';
import type { FloatHistogram } from '../../../src/model/histogram.js';
import type { Labels } from '../../../src/model/labels.js';
import { parseFloatText } from '../../../src/model/number.js';
import { stringValue } from '../../../src/promql/syntax/literals.js';
import { withClassicAsNative } from './classic-to-native.js';
import {
  type ExpectedPoint,
  type PointValue,
  parseExpected,
  parseMetric,
  parsePoints,
  parseStarts,
  ScriptError,
} from './series.js';

export interface LoadedSample {
  readonly timeMs: number;
  /** Bits of a float, or a histogram. */
  readonly value: bigint | FloatHistogram;
  /** 0 where unknown. */
  readonly startMs: number;
}

export interface LoadedSeries {
  readonly labels: Labels;
  readonly samples: LoadedSample[];
}

export interface LoadCommand {
  readonly kind: 'load';
  readonly line: number;
  readonly series: LoadedSeries[];
}

/** A text that must be equal, or contain a match; neither: any text. */
export interface TextExpectation {
  readonly message?: string;
  readonly pattern?: string;
}

export interface ExpectedSeries {
  readonly labels: Labels;
  readonly points: (ExpectedPoint | undefined)[];
}

export interface Expectations {
  fail?: TextExpectation;
  readonly warn: TextExpectation[];
  readonly info: TextExpectation[];
  noWarn: boolean;
  noInfo: boolean;
  ordered: boolean;
  scalar?: number;
  string?: string;
  /** An instant query whose result is a range vector with points at these times. */
  rangeVector?: { startMs: number; endMs: number; stepMs: number };
  readonly series: ExpectedSeries[];
}

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  readonly expect: Expectations;
}

export type Command = { readonly kind: 'clear'; readonly line: number } | LoadCommand | EvalCommand;

export function parseScript(text: string): Command[] {
  return new ScriptParser(text).commands();
}

class ScriptParser {
  readonly #lines: string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split('\n').map((line) => {
      const trimmed = line.trim();
      return trimmed.startsWith('#') ? '' : trimmed;
    });
  }

  commands(): Command[] {
    const commands: Command[] = [];
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at]!;
      const number = this.#at + 1;
      this.#at++;
      if (line === '') continue;
      try {
        commands.push(this.#command(line, number));
      } catch (error) {
        throw new ScriptError(`line ${number}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return commands;
  }

  #command(line: string, number: number): Command {
    const word = line.split(/\s/, 1)[0]!.toLowerCase();
    if (word === 'clear') return { kind: 'clear', line: number };
    if (word.startsWith('load')) return this.#load(line, number);
    if (word.startsWith('eval')) return this.#eval(line, number);
    throw new ScriptError(`unknown command ${word}`);
  }

  /** The lines up to the next empty one, of which `isLast` may be the last. */
  #block(isLast: (line: string) => boolean = () => false): string[] {
    const block: string[] = [];
    while (this.#at < this.#lines.length && this.#lines[this.#at] !== '') {
      const line = this.#lines[this.#at++]!;
      block.push(line);
      if (isLast(line)) break;
    }
    return block;
  }

  #load(head: string, line: number): LoadCommand {
    const [, nhcb, step] = /^load(_with_nhcb)?\s+(\S+)$/i.exec(head) ?? [];
    if (step === undefined) throw new ScriptError(`bad load: ${head}`);
    const stepMs = parseDuration(step);
    const byKey = new Map<string, LoadedSeries>();
    let starts: (number | undefined)[] | undefined;
    for (const text of this.#block()) {
      const { labels, rest, isStarts } = parseMetric(text);
      if (isStarts) {
        starts = parseStarts(rest);
        continue;
      }
      byKey.set(labels.join('\xff'), { labels, samples: samplesOf(parsePoints(rest), stepMs, starts) });
      starts = undefined;
    }
    const series = [...byKey.values()];
    return { kind: 'load', line, series: nhcb === undefined ? series : withClassicAsNative(series) };
  }

  #eval(head: string, line: number): EvalCommand {
    const match =
      /^eval(?:_(fail|warn|info|ordered))?\s+(?:instant\s+at\s+(\S+)|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+))\s+(.+)$/i.exec(
        head,
      );
    if (match === null) throw new ScriptError(`bad eval: ${head}`);
    const [, variant, at, from, to, step, query] = match;
    const expect: Expectations = {
      warn: variant === 'warn' ? [{}] : [],
      info: variant === 'info' ? [{}] : [],
      noWarn: false,
      noInfo: false,
      ordered: variant === 'ordered',
      series: [],
      ...(variant === 'fail' && { fail: {} }),
    };
    const ends = (text: string) =>
      bareNumber(text) !== undefined || (variant === 'fail' && /^expected_fail_/.test(text));
    for (const text of this.#block(ends)) expectLine(expect, text);
    if (at !== undefined) {
      const timeMs = expect.rangeVector?.endMs ?? durationMs(at);
      return { kind: 'eval', line, query: query!, startMs: timeMs, endMs: timeMs, stepMs: 0, expect };
    }
    const times = { startMs: durationMs(from!), endMs: durationMs(to!), stepMs: durationMs(step!) };
    return { kind: 'eval', line, query: query!, ...times, expect };
  }
}

/** Points to samples: point i is at i · stepMs. */
function samplesOf(
  points: readonly (PointValue | undefined)[],
  stepMs: number,
  starts: readonly (number | undefined)[] | undefined,
): LoadedSample[] {
  const samples: LoadedSample[] = [];
  points.forEach((value, i) => {
    if (value === undefined) return;
    const timeMs = i * stepMs;
    const offsetMs = starts?.[i];
    samples.push({ timeMs, value, startMs: offsetMs === undefined ? 0 : timeMs + offsetMs });
  });
  return samples;
}

/** `5m`, `-30s`, or a number of seconds. */
function durationMs(text: string): number {
  const negative = text.startsWith('-');
  const size = negative ? text.slice(1) : text;
  const ms = /^[\d.]+$/.test(size) ? Number(size) * 1000 : parseDuration(size);
  return negative ? -ms : ms;
}

function bareNumber(text: string): number | undefined {
  if (/^[+-]?0x[0-9a-f]+$/i.test(text)) return Number(text);
  const value = parseFloatText(text);
  return typeof value === 'number' ? value : undefined;
}

function expectLine(expect: Expectations, text: string): void {
  const [, type, kind, rest = ''] = /^expect(?:ed)?[ _](\w+)(?:[ _](?:(msg|regex)\s*:)?)?(.*)$/.exec(text) ?? [];
  if (type === undefined || text.startsWith('expect{')) {
    expectValue(expect, text);
    return;
  }
  const wanted = textExpectation(kind, rest.trim());
  switch (type) {
    case 'fail':
      expect.fail = wanted;
      return;
    case 'fail_message':
      expect.fail = { message: rest.trim() };
      return;
    case 'fail_regexp':
      expect.fail = { pattern: rest.trim() };
      return;
    case 'warn':
      expect.warn.push(wanted);
      return;
    case 'info':
      expect.info.push(wanted);
      return;
    case 'no_warn':
      expect.noWarn = true;
      return;
    case 'no_info':
      expect.noInfo = true;
      return;
    case 'ordered':
      expect.ordered = true;
      return;
    case 'string':
      expect.string = stringValue(rest.trim());
      return;
    case 'range': {
      const match = /^vector from (\S+) to (\S+) step (\S+)$/.exec(rest.trim());
      if (match === null) throw new ScriptError(`bad expectation: ${text}`);
      const [startMs, endMs, stepMs] = match.slice(1).map(durationMs) as [number, number, number];
      expect.rangeVector = { startMs, endMs, stepMs };
      return;
    }
    default:
      throw new ScriptError(`bad expectation: ${text}`);
  }
}

function textExpectation(kind: string | undefined, text: string): TextExpectation {
  if (kind === 'msg') return { message: text };
  return kind === 'regex' ? { pattern: text } : {};
}

function expectValue(expect: Expectations, text: string): void {
  const number = bareNumber(text);
  if (number !== undefined) {
    expect.scalar = number;
    return;
  }
  const { labels, rest } = parseMetric(text);
  expect.series.push({ labels, points: parseExpected(rest) });
}
