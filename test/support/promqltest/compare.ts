// Whether a query's result is what a script expects.

import { RE2JS } from 're2js';
import { FloatHistogram } from '../../../src/model/histogram.js';
import { compareLabels, formatLabelSet, keyOf, type Labels } from '../../../src/model/labels.js';
import { isStaleAt, wordsOf } from '../../../src/model/value.js';
import { almostEqual } from '../../../src/promql/exec/functions/classic-buckets.js';
import type { Columns } from '../../../src/promql/exec/source.js';
import type { HistogramLiteral } from '../../../src/promql/syntax/histogram-literal.js';
import type { QueryAnswer, QueryData } from '../../../src/query/result.js';
import type { EvalCommand, Expectations, TextExpectation } from './script.js';
import { type ExpectedPoint, floatOf, STALE } from './series.js';

export class Mismatch extends Error {
  override readonly name = 'Mismatch';
}

const EPSILON = 1e-6;

type Got = number | FloatHistogram | undefined;

/** A result series: labels and the value at each expected time. */
interface GotSeries {
  readonly labels: Labels;
  readonly points: Got[];
}

export function checkResult(command: EvalCommand, { data: value }: QueryAnswer): void {
  const { expect } = command;
  if (expect.string !== undefined) {
    if (value.kind !== 'string' || value.text !== expect.string) {
      throw new Mismatch(`expected the string ${JSON.stringify(expect.string)}, got ${describe(value)}`);
    }
    return;
  }
  if (expect.scalar !== undefined) {
    checkScalar(expect.scalar, value);
    return;
  }
  switch (value.kind) {
    case 'vector':
      checkSeries(expect, seriesOf(value.columns));
      if (expect.ordered) checkOrder(expect, value.columns.labels);
      return;
    case 'range':
      checkSorted(value.columns.labels);
      checkSeries(expect, seriesOf(value.columns));
      return;
    case 'raw':
      checkSorted(value.series.map(({ labels }) => labels));
      checkSeries(expect, rangeSeries(command, value));
      return;
    default:
      throw new Mismatch(`expected series, got ${describe(value)}`);
  }
}

function checkScalar(want: number, value: QueryData): void {
  const got = value.kind === 'scalar' ? value.value : undefined;
  if (got === undefined || !almostEqual(want, got, EPSILON)) {
    throw new Mismatch(`expected the scalar ${want}, got ${describe(value)}`);
  }
}

/** The middle one of the three steps of a range query, compared like an instant result. */
export function checkMiddleStep(command: EvalCommand, { data: value }: QueryAnswer): void {
  const { expect } = command;
  if (value.kind !== 'range') throw new Mismatch(`expected a range, got ${describe(value)}`);
  checkSorted(value.columns.labels);
  const middle = seriesOf(value.columns).map(({ labels, points }) => ({ labels, points: [points[1]] }));
  const present = middle.filter(({ points }) => points[0] !== undefined);
  if (expect.scalar === undefined) {
    checkSeries(expect, present);
    return;
  }
  const got = present.length === 1 && present[0]!.labels.length === 0 ? present[0]!.points[0] : undefined;
  if (typeof got !== 'number' || !almostEqual(expect.scalar, got, EPSILON)) {
    throw new Mismatch(`expected the scalar ${expect.scalar}, got ${String(got)}`);
  }
}

function seriesOf(columns: Columns): GotSeries[] {
  const { labels, steps } = columns;
  return labels.map((row, i) => ({
    labels: row,
    points: Array.from({ length: steps }, (_, step) => gotAt(columns, i * steps + step)),
  }));
}

function gotAt({ present, values, histograms }: Columns, cell: number): Got {
  if (present[cell] === 0) return undefined;
  if (present[cell] === 2) return histograms!.get(cell)!;
  // A stale marker never gets this far: it would not be a number any more.
  if (isStaleAt(wordsOf(values), cell)) throw new Mismatch('a stale marker in the result');
  return values[cell]!;
}

/** The points of a range vector at the expected times; any others are too many. */
function rangeSeries({ expect }: EvalCommand, value: QueryData & { kind: 'raw' }): GotSeries[] {
  const { startMs, endMs, stepMs } = expect.rangeVector ?? { startMs: 0, endMs: 0, stepMs: 1 };
  const count = Math.floor((endMs - startMs) / stepMs) + 1;
  return value.series.map(({ labels, times, values, histogramTimes, histograms }) => {
    const points: Got[] = new Array(count).fill(undefined);
    const put = (timeMs: number, got: Got) => {
      const index = (timeMs - startMs) / stepMs;
      if (!Number.isInteger(index) || index < 0 || index >= count) throw new Mismatch(`a point at ${timeMs} ms`);
      points[index] = got;
    };
    times.forEach((timeMs, i) => {
      put(timeMs, values[i]!);
    });
    histogramTimes?.forEach((timeMs, i) => {
      put(timeMs, histograms![i]!);
    });
    return { labels, points };
  });
}

function checkSeries({ series }: Expectations, got: readonly GotSeries[]): void {
  const left = new Map(got.map((one) => [keyOf(one.labels), one]));
  if (left.size !== got.length) throw new Mismatch('two result series with the same labels');
  for (const { labels, points } of series) {
    const found = left.get(keyOf(labels));
    if (found === undefined) {
      if (points.every((point) => point === undefined)) continue;
      const all = got.map((one) => formatLabelSet(one.labels)).join(' ');
      throw new Mismatch(`expected ${formatLabelSet(labels)}, which is not in the result: ${all}`);
    }
    left.delete(keyOf(labels));
    const steps = Math.max(points.length, found.points.length);
    for (let step = 0; step < steps; step++) {
      if (same(points[step], found.points[step])) continue;
      const where = `${formatLabelSet(labels)} at step ${step}`;
      throw new Mismatch(`${where}: expected ${show(points[step])}, got ${show(found.points[step])}`);
    }
  }
  for (const { labels, points } of left.values()) {
    throw new Mismatch(`unexpected ${formatLabelSet(labels)} ${points.map(show).join(' ')}`);
  }
}

function same(want: ExpectedPoint | undefined, got: Got): boolean {
  if (want === undefined || got === undefined) return want === got;
  if (typeof want === 'bigint')
    return typeof got === 'number' && want !== STALE && almostEqual(floatOf(want), got, EPSILON);
  return got instanceof FloatHistogram && sameHistogram(want, got);
}

function sameHistogram({ histogram: want, hasHint }: HistogramLiteral, got: FloatHistogram): boolean {
  const close = (a: number, b: number) => almostEqual(a, b, EPSILON);
  const sameBuckets = (a: FloatHistogram['positive'], b: FloatHistogram['positive']) =>
    a.indices.join() === b.indices.join() && a.counts.every((count, i) => close(count, b.counts[i]!));
  return (
    want.schema === got.schema &&
    want.zeroThreshold === got.zeroThreshold &&
    want.bounds.join() === got.bounds.join() &&
    close(want.count, got.count) &&
    close(want.sum, got.sum) &&
    close(want.zeroCount, got.zeroCount) &&
    sameBuckets(want.positive, got.positive) &&
    sameBuckets(want.negative, got.negative) &&
    (!hasHint || want.hint === got.hint)
  );
}

function show(point: ExpectedPoint | Got): string {
  if (point === undefined) return '_';
  if (typeof point === 'object' && 'hasHint' in point) return show(point.histogram);
  if (typeof point === 'bigint') return String(floatOf(point));
  if (typeof point === 'number') return String(point);
  return `${point.toString()} schema ${point.schema} ${point.hint}`;
}

function describe(value: QueryData): string {
  if (value.kind === 'scalar') return `the scalar ${value.value}`;
  if (value.kind === 'string') return `the string ${value.text}`;
  return `a ${value.kind}`;
}

function checkSorted(labels: readonly Labels[]): void {
  for (let i = 1; i < labels.length; i++) {
    if (compareLabels(labels[i - 1]!, labels[i]!) >= 0) throw new Mismatch('the result is not sorted by labels');
  }
}

function checkOrder({ series }: Expectations, labels: readonly Labels[]): void {
  series.forEach((expected, i) => {
    if (labels[i] !== undefined && keyOf(labels[i]!) === keyOf(expected.labels)) return;
    throw new Mismatch(`expected ${formatLabelSet(expected.labels)} at place ${i}`);
  });
}

export function checkAnnotations({ expect }: EvalCommand, { warnings, infos }: QueryAnswer): void {
  checkTexts('warning', expect.warn, warnings, expect.noWarn);
  checkTexts('info', expect.info, infos, expect.noInfo);
}

function checkTexts(kind: string, wanted: readonly TextExpectation[], got: readonly string[], none: boolean): void {
  if (none && got.length > 0) throw new Mismatch(`unexpected ${kind}: ${got[0]}`);
  if (wanted.length === 0) return;
  for (const one of wanted) {
    if (!got.some((text) => matches(one, text))) {
      throw new Mismatch(
        `expected the ${kind} ${one.message ?? one.pattern ?? '(any)'}, got ${got.join('; ') || 'none'}`,
      );
    }
  }
  const surplus = got.find((text) => !wanted.some((one) => matches(one, text)));
  if (surplus !== undefined) throw new Mismatch(`unexpected ${kind}: ${surplus}`);
}

export function checkFailure(expected: TextExpectation, error: Error): void {
  // The errors of scripts carry no position.
  const text = error.message.replace(/^(\d+:\d+: )?(parse error: )?/, '');
  if (matches(expected, error.message) || matches(expected, text)) return;
  throw new Mismatch(`expected the error ${expected.message ?? expected.pattern}, got ${error.message}`);
}

function matches({ message, pattern }: TextExpectation, text: string): boolean {
  if (message !== undefined) return text === message;
  return pattern === undefined || RE2JS.compile(pattern).matcher(text).find();
}
