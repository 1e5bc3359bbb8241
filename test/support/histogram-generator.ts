// Series with native histograms and start timestamps, and random queries over them.

import type { Prng } from '../../src/base/prng.js';
import { type CounterHint, CUSTOM_SCHEMA, denseBuckets, FloatHistogram } from '../../src/model/histogram.js';
import { type Labels, labelsOf } from '../../src/model/labels.js';
import { bitsOf, STALE } from './promqltest/series.js';

const STEP_MS = 30_000;
const SAMPLES = 40;
export const HISTOGRAMS_END_MS = STEP_MS * SAMPLES;

export interface GeneratedSample {
  readonly timeMs: number;
  readonly value: bigint | FloatHistogram;
  readonly startMs: number;
}

export interface MixedSeries {
  readonly labels: Labels;
  readonly samples: GeneratedSample[];
}

type Next = (i: number) => bigint | FloatHistogram | undefined;

/** Counters with resets and gauges, exponential and custom; floats among histograms; samples that say since when they count. */
export function generateHistograms(random: Prng): MixedSeries[] {
  const all: MixedSeries[] = [];
  const add = (name: string, labels: Record<string, string>, next: Next, hasStarts = false) => {
    let startMs = hasStarts ? -STEP_MS : 0;
    const samples: GeneratedSample[] = [];
    for (let i = 0; i < SAMPLES; i++) {
      const timeMs = i * STEP_MS + random.int(5000);
      if (hasStarts && random.int(10) === 0) startMs = timeMs - 1 - random.int(20_000);
      const value = random.int(12) === 0 ? undefined : random.int(25) === 0 ? STALE : next(i);
      if (value !== undefined) samples.push({ timeMs, value, startMs });
    }
    all.push({ labels: labelsOf([['__name__', name], ...Object.entries(labels)]), samples });
  };
  for (const [i, instance] of ['a', 'b', 'c', 'd'].entries()) {
    const job = i % 2 === 0 ? 'x' : 'y';
    add('lat', { instance, job }, counter(random, { schema: i % 2, zeroThreshold: 0.001 }), i === 3);
    add('size', { instance, job }, gauge(random, { schema: 2 - (i % 3) }));
    add('nhcb', { instance, job }, counter(random, { schema: CUSTOM_SCHEMA, bounds: BOUNDS[i]! }));
    const [histograms, floats] = [counter(random, { schema: 0 }), floatCounter(random)];
    add('both', { instance, job }, (at) => (i > 0 && at % (7 * i) < 4 ? floats(at) : histograms(at)));
    add('kinds', { instance, job }, i === 0 ? counter(random, { schema: 1 }) : i === 1 ? floats : customs(random));
    add('hits_total', { instance, job }, floatCounter(random), i % 2 === 0);
  }
  return all;
}

const BOUNDS = [
  [1, 2, 4, 8],
  [1, 2, 4, 8],
  [1, 4, 8, 16],
  [2, 4],
];

function customs(random: Prng): Next {
  return counter(random, { schema: CUSTOM_SCHEMA, bounds: [1, 2, 4, 8] });
}

interface Layout {
  readonly schema: number;
  readonly bounds?: readonly number[];
  readonly zeroThreshold?: number;
}

function counter(random: Prng, layout: Layout): Next {
  let counts = new Array<number>(6).fill(0);
  return () => {
    counts = random.int(15) === 0 ? counts.map(() => random.int(3)) : counts.map((count) => count + random.int(4));
    return histogram(counts, layout, 'unknown');
  };
}

function gauge(random: Prng, layout: Layout): Next {
  return () =>
    histogram(
      Array.from({ length: 6 }, () => random.float() * 10),
      layout,
      'gauge',
    );
}

function floatCounter(random: Prng): Next {
  let total = 0;
  return () => {
    total = random.int(15) === 0 ? random.float() : total + random.float() * 10;
    return bitsOf(total);
  };
}

function histogram(counts: readonly number[], layout: Layout, hint: CounterHint): FloatHistogram {
  const isCustom = layout.schema === CUSTOM_SCHEMA;
  const zeroCount = isCustom ? 0 : counts[0]!;
  const kept = isCustom ? counts.slice(0, layout.bounds!.length + 1) : counts.slice(1, 4);
  const negative = isCustom ? [] : counts.slice(4);
  const buckets = (list: readonly number[], first: number) =>
    denseBuckets({ indices: list.map((_, i) => first + i), counts: list });
  return new FloatHistogram({
    ...layout,
    zeroCount,
    positive: buckets(kept, isCustom ? 0 : -1),
    negative: buckets(negative, 1),
    count: [zeroCount, ...kept, ...negative].reduce((sum, count) => sum + count, 0),
    sum: kept.reduce((sum, count, i) => sum + count * (i + 0.5), 0),
    hint,
  });
}

const METRICS = ['lat', 'size', 'nhcb', 'both', 'kinds', 'hits_total'];
const RANGE_FUNCTIONS = [
  'rate',
  'increase',
  'delta',
  'irate',
  'idelta',
  'resets',
  'changes',
  'sum_over_time',
  'avg_over_time',
  'count_over_time',
  'last_over_time',
  'first_over_time',
  'present_over_time',
  'max_over_time',
  'ts_of_last_over_time',
];
const STATISTICS = ['histogram_count', 'histogram_sum', 'histogram_avg', 'histogram_stddev', 'histogram_stdvar'];
const AGGREGATES = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  quantile: ['0', '0.5', '1.2'],
  // As many as there are: which ones stay of equal ones depends on the order of series.
  topk: ['20'],
  bottomk: ['20'],
  limitk: ['20'],
  limit_ratio: ['0.5', '-0.3', '1'],
  count_values: ['"v"'],
};
const GROUPINGS = ['', ' by (job)', ' without (instance)', ' by (instance, job)'];
const RANGES = ['1m', '2m', '5m', '10m'];

export class HistogramQueries {
  readonly #random: Prng;

  constructor(random: Prng) {
    this.#random = random;
  }

  query(): string {
    const random = this.#random;
    switch (random.int(8)) {
      case 0:
        return this.#statistic(this.#statistic(this.#vector()));
      case 1:
        return `${this.#aggregate()} ${random.pick(['+', '-', '==', '!=', 'and', 'unless'])} ${this.#aggregate()}`;
      case 2:
        return `${this.#aggregate()} * ${random.int(4) - 1}`;
      case 3:
        return `${this.#vector()} ${random.pick(['</', '>/'])} ${random.int(5)}`;
      default:
        return random.int(2) === 0 ? this.#aggregate() : this.#statistic(this.#aggregate());
    }
  }

  #aggregate(): string {
    const random = this.#random;
    const op = random.pick([...AGGREGATES, ...AGGREGATES, ...Object.keys(PARAMETERS)]);
    const param = PARAMETERS[op] === undefined ? '' : `${random.pick(PARAMETERS[op])}, `;
    return `${op}${random.pick(GROUPINGS)} (${param}${this.#vector()})`;
  }

  #vector(): string {
    const random = this.#random;
    const selector = `${random.pick(METRICS)}${random.pick(['', '', '{job="x"}', '{instance=~"a|d"}'])}`;
    const shift = random.pick(['', '', '', ' offset 1m', ' @ 600', ' offset -1m']);
    switch (random.int(9)) {
      case 0:
        return `${selector}${shift}`;
      case 1:
        return `${random.pick(['timestamp', 'start_timestamp'])}(${selector}${shift})`;
      case 2:
        return `${random.pick(RANGE_FUNCTIONS.slice(0, 3))}(${selector}[5m] ${random.pick(['anchored', 'smoothed'])}${shift})`;
      case 3:
        return `${random.pick(RANGE_FUNCTIONS)}(${selector}[5m:1m]${shift})`;
      default:
        return `${random.pick(RANGE_FUNCTIONS)}(${selector}[${random.pick(RANGES)}]${shift})`;
    }
  }

  #statistic(input: string): string {
    const random = this.#random;
    switch (random.int(4)) {
      case 0:
        return `histogram_quantile(${random.float().toFixed(2)}, ${input})`;
      case 1:
        return `histogram_fraction(${random.int(3) - 2}, ${random.int(5)}, ${input})`;
      default:
        return `${random.pick(STATISTICS)}(${input})`;
    }
  }
}
