// Series as tests write them: a metric and its points.
//
//   name{label="value"}  1 2 _ stale 0+10x5 {{schema:0 count:3 buckets:[1 2]}}x2

import { parseDuration } from '../../model/duration.js';
import { addHistograms, type FloatHistogram, subtractHistograms } from '../../model/histogram.js';
import { type Labels, labelsOf, METRIC_NAME } from '../../model/labels.js';
import { parseFloatText } from '../../model/number.js';
import { type HistogramLiteral, parseHistogram } from './histogram-literal.js';
import { stringValue } from './literals.js';
import { NotationError } from './notation-error.js';

/** Bits of a float, or a histogram. */
export type PointValue = bigint | FloatHistogram;

/** The same as it is written. */
export type ExpectedPoint = bigint | HistogramLiteral;

export const STALE = 0x7ff0000000000002n;
const NORMAL_NAN = 0x7ff8000000000001n;

export interface Metric {
  readonly labels: Labels;
  /** What follows the metric. */
  readonly rest: string;
  /** The line gives start timestamps for the next one. */
  readonly isStarts: boolean;
}

const NAME = /^[A-Za-z_:][A-Za-z0-9_:]*/;
const LABEL = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))\s*/y;
const VALUE = /\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*/y;

/** Throws NotationError. */
export function parseMetric(text: string): Metric {
  const pairs: [string, string][] = [];
  const name = NAME.exec(text)?.[0] ?? '';
  if (name !== '') pairs.push([METRIC_NAME, name]);
  let at = name.length;
  if (text[at] === '{' && text[at + 1] !== '{') at = parseBraces(text, at + 1, pairs);
  const isStarts = text.startsWith('@st', at);
  if (isStarts) at += 3;
  if (at === 0) throw new NotationError(`no metric: ${text}`);
  return { labels: labelsOf(pairs), rest: text.slice(at).trim(), isStarts };
}

/** Gives the position behind the closing brace. */
function parseBraces(text: string, at: number, pairs: [string, string][]): number {
  for (;;) {
    while (/[\s,]/.test(text[at] ?? '')) at++;
    if (text[at] === '}') return at + 1;
    LABEL.lastIndex = at;
    const label = LABEL.exec(text);
    if (label === null) throw new NotationError(`bad labels: ${text}`);
    at = LABEL.lastIndex;
    const name = label[1] ?? stringValue(label[2]!);
    if (text[at] !== '=') {
      pairs.push([METRIC_NAME, name]);
      continue;
    }
    VALUE.lastIndex = at + 1;
    const value = VALUE.exec(text);
    if (value === null) throw new NotationError(`bad label value: ${text}`);
    at = VALUE.lastIndex;
    pairs.push([name, stringValue(value[1]!)]);
  }
}

/** undefined for points left out. */
export function parsePoints(text: string): (PointValue | undefined)[] {
  return parseExpected(text).map((point) => (typeof point === 'object' ? point.histogram : point));
}

/** The same with what an expectation says of hints. */
export function parseExpected(text: string): (ExpectedPoint | undefined)[] {
  return itemsOf(text).flatMap(expandItem);
}

/** Items are separated by white space, which histogram literals contain too. */
export function itemsOf(text: string): string[] {
  return text.match(/(?:\{\{.*?\}\}|\S)+/g) ?? [];
}

/** Points left out. */
export const GAP = /^_(?:x(\d+))?$/;
const NUMBER = '[+-]?(?:inf|nan|(?:\\d+\\.?\\d*|\\.\\d+)(?:e[+-]?\\d+)?(?:(?:ms|[smhdwy])(?:\\d+(?:ms|[smhdwy]))*)?)';
const FLOATS = new RegExp(`^(${NUMBER})(?:([+-])(${NUMBER.replace('[+-]?', '')}))?x(\\d+)$`, 'i');
const HISTOGRAMS = /^(\{\{.*?\}\})(?:([+-])(\{\{.*?\}\}))?(?:x(\d+))?$/;

function expandItem(item: string): (ExpectedPoint | undefined)[] {
  const gap = GAP.exec(item);
  if (gap !== null) return new Array(gap[1] === undefined ? 1 : Number(gap[1])).fill(undefined);
  if (item === 'stale') return [STALE];
  if (item.startsWith('{{')) return expandHistograms(item);
  const [, start, sign, increment, times] = FLOATS.exec(item) ?? [];
  if (start === undefined) return [bitsOf(numberOf(item))];
  const step = increment === undefined ? 0 : numberOf(increment) * (sign === '-' ? -1 : 1);
  const points: bigint[] = [];
  for (let i = 0, value = numberOf(start); i <= Number(times); i++, value += step) points.push(bitsOf(value));
  return points;
}

function expandHistograms(item: string): HistogramLiteral[] {
  const [, first, sign, increment, times = '0'] = HISTOGRAMS.exec(item) ?? [];
  if (first === undefined) throw new NotationError(`bad histogram: ${item}`);
  let current = parseHistogram(first);
  const points = [current];
  const step = increment === undefined ? undefined : parseHistogram(increment);
  for (let i = 0; i < Number(times); i++) {
    if (step !== undefined) {
      const combine = sign === '-' ? subtractHistograms : addHistograms;
      const next = combine(current.histogram, step.histogram);
      if (next === undefined || step.histogram.schema < current.histogram.schema) {
        throw new NotationError(`bad histogram expansion: ${item}`);
      }
      const hint = step.hasHint ? step.histogram.hint : next.histogram.hint;
      current = { histogram: next.histogram.with({ hint }), hasHint: step.hasHint };
    }
    points.push(current);
  }
  return points;
}

/** A duration counts as seconds. */
function numberOf(text: string): number {
  const value = /^[+-]?0x[0-9a-f]+$/i.test(text) ? Number(text) : parseFloatText(text);
  if (typeof value === 'number') return value;
  const negative = text.startsWith('-');
  const ms = parseDuration(text.replace(/^[+-]/, ''));
  return (negative ? -ms : ms) / 1000;
}

const scratch = new DataView(new ArrayBuffer(8));

export function bitsOf(value: number): bigint {
  if (Number.isNaN(value)) return NORMAL_NAN;
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

export function floatOf(bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}
