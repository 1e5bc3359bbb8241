// Samples that a test expects beside those that an expression gives.

import { formatDuration } from '../../model/duration.js';
import type { FloatHistogram } from '../../model/histogram.js';
import { compareLabels, formatLabelSet, keyOf, type Labels, NO_LABELS } from '../../model/labels.js';
import { formatScientific } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import { formatHistogram } from '../../promql/syntax/histogram-literal.js';
import { NotationError } from '../../promql/syntax/notation-error.js';
import { parseSelector } from '../../promql/syntax/parse.js';
import { floatOf, parseMetric, parsePoints } from '../../promql/syntax/series-notation.js';
import type { RuleQuery } from '../../rules/query.js';
import type { ExprTest } from './test-file.js';

interface ToldSample {
  readonly labels: Labels;
  readonly value: number;
  /** In the notation of tests; empty for a float. */
  readonly histogram: string;
}

/** Whether floats count as the same that are neighbours. */
export type Sameness = 'exact' | 'fuzzy';

/** What is wrong; undefined where nothing is. */
export async function checkSamples(
  test: ExprTest,
  startMs: number,
  query: RuleQuery,
  sameness: Sameness,
): Promise<string | undefined> {
  const place = `    expr: ${quote(test.expr)}, time: ${formatDuration(test.evalTimeMs)},`;
  let got: ToldSample[];
  try {
    const vector = await query(test.expr, startMs + test.evalTimeMs);
    got = vector.map(({ labels, value, histogram }) => ({ labels, value, histogram: textOf(histogram) }));
  } catch (error) {
    return `${place} err: ${(error as Error).message}`;
  }
  const want: ToldSample[] = [];
  for (const sample of test.samples) {
    try {
      want.push({
        ...readLabels(sample.labels),
        value: sample.value,
        histogram: textOf(readHistogram(sample.histogram)),
      });
    } catch (error) {
      return `${place} err: labels ${quote(sample.labels)}: ${(error as Error).message}`;
    }
  }
  const [expected, have] = [sorted(want), sorted(got)];
  if (expected.length === have.length && expected.every((sample, i) => isSame(sample, have[i]!, sameness)))
    return undefined;
  return `${place}\n        exp: ${listed(expected)}\n        got: ${listed(have)}`;
}

function textOf(histogram: FloatHistogram | undefined): string {
  return histogram === undefined ? '' : formatHistogram(histogram);
}

/** Throws ParseError and NotationError. */
function readLabels(text: string): { readonly labels: Labels } {
  if (text.trim() === '') return { labels: NO_LABELS };
  try {
    const { labels, rest } = parseMetric(text.trim());
    if (rest === '') return { labels };
  } catch (error) {
    if (!(error instanceof NotationError)) throw error;
  }
  // The language's parser has better words.
  parseSelector(text);
  throw new NotationError(`not a metric: ${text}`);
}

function readHistogram(text: string): FloatHistogram | undefined {
  if (text === '') return undefined;
  const points = parsePoints(text);
  if (points.length !== 1) throw new NotationError(`expected 1 value, got ${points.length}`);
  const [point] = points;
  if (typeof point === 'object') return point;
  const told = point === undefined ? '_' : floatOf(point).toFixed(6);
  throw new NotationError(`expected histogram, got ${told}`);
}

function sorted(samples: readonly ToldSample[]): readonly ToldSample[] {
  return [...samples].sort((a, b) => compareLabels(a.labels, b.labels));
}

function isSame(a: ToldSample, b: ToldSample, sameness: Sameness): boolean {
  const areFloatsSame = a.value === b.value || (sameness === 'fuzzy' && areNeighbours(a.value, b.value));
  return keyOf(a.labels) === keyOf(b.labels) && areFloatsSame && a.histogram === b.histogram;
}

const bits = new BigInt64Array(1);
const float = new Float64Array(bits.buffer);

/** Whether no float is between two. */
function areNeighbours(a: number, b: number): boolean {
  const distance = orderOf(a) - orderOf(b);
  return distance >= -1n && distance <= 1n && !Number.isNaN(a) && !Number.isNaN(b);
}

/** Floats by size: the next float has the next number. */
function orderOf(value: number): bigint {
  float[0] = value;
  return bits[0]! < 0n ? -(bits[0]! & 0x7fffffffffffffffn) : bits[0]!;
}

function listed(samples: readonly ToldSample[]): string {
  if (samples.length === 0) return 'nil';
  return samples
    .map(({ labels, value, histogram }) => {
      return `${formatLabelSet(labels)} ${histogram === '' ? formatScientific(value).replace('e', 'E') : histogram}`;
    })
    .join(', ');
}
