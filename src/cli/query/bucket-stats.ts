// How many buckets of a histogram have anything in them, over its samples.

import { ToolError } from '../tool/command.js';
import { type ApiHistogram, type ApiSeries, floatOf } from './values.js';

export class BucketStats {
  constructor(
    readonly min: number,
    readonly average: number,
    readonly max: number,
    /** Of all buckets, used or not. */
    readonly total: number,
  ) {}

  toString(): string {
    const used = `${this.min}/${this.average.toFixed(3)}/${this.max}`;
    return this.max === this.total ? used : `${used}/${this.total}`;
  }
}

/** Undefined where there are too few samples to tell. */
export function nativeStats(histograms: readonly ApiHistogram[]): BucketStats | undefined {
  if (histograms.length < 2) return undefined;
  const all = histograms.map(({ buckets = [] }) => buckets);
  const bounds = all.flat().map(([rule, lower, upper]) => `${rule} ${lower} ${upper}`);
  return statsOf(
    all.map(({ length }) => length),
    new Set(bounds).size,
  );
}

/** The same, of the series of a classic histogram. Throws ToolError where their samples are not of the same times. */
export function classicStats(series: readonly ApiSeries[]): BucketStats | undefined {
  const bound = ({ metric }: ApiSeries) => floatOf(metric.le!);
  const buckets = [...series].sort((a, b) => bound(a) - bound(b)).map(({ values = [] }) => values);
  const times = series[0]?.values?.length ?? 0;
  if (times < 2) return undefined;
  return statsOf(
    Array.from({ length: times }, (_, at) => usedAt(buckets, at)),
    buckets.length,
  );
}

type Column = NonNullable<ApiSeries['values']>;

/** Buckets that hold more than those below; a bucket without such a sample, and all above it, count as empty. */
function usedAt(buckets: readonly Column[], at: number): number {
  let used = 0;
  let below: Column[number] | undefined;
  for (const bucket of buckets) {
    const sample = bucket[at];
    if (sample === undefined) break;
    if (below !== undefined && below[0] !== sample[0]) throw new ToolError('matrix result is not time aligned');
    const count = floatOf(sample[1]) - (below === undefined ? 0 : floatOf(below[1]));
    if (Math.trunc(count) !== 0) used++;
    below = sample;
  }
  return used;
}

function statsOf(used: readonly number[], total: number): BucketStats {
  return new BucketStats(Math.min(...used), averageOf(used), Math.max(...used), total);
}

function averageOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0) / counts.length;
}

/** Of several histograms, from the least to the most of each number. */
export function summaryText(all: readonly BucketStats[]): string {
  const lineOf = (name: string, of: (stats: BucketStats) => number) => {
    const counts = all.map(of);
    return `- ${name}: ${Math.min(...counts)}/${averageOf(counts).toFixed(3)}/${Math.max(...counts)}`;
  };
  const max = lineOf('total', ({ max: most }) => most);
  const total = lineOf('total', (stats) => stats.total);
  return [
    `histogram series (${all.length} in total):`,
    lineOf('min populated', ({ min }) => min),
    lineOf('avg populated', ({ average }) => Math.trunc(average)),
    lineOf('max populated', (stats) => stats.max),
    ...(max === total ? [] : [total]),
  ].join('\n');
}
