// Random histograms as storage has them, series after series: counters that grow, are reset, change their layout, end; gauges.

import type { Prng } from '../../src/base/prng.js';
import { type CounterHint, CUSTOM_SCHEMA } from '../../src/model/histogram.js';
import { bitsOf, type StoredHistogram, spansOf, staleHistogram } from '../../src/model/stored-histogram.js';

const THRESHOLDS = [0, 2 ** -128, 0.001, 1];

/** A run of samples of one series, integer or float all of them. */
export function generateStored(random: Prng, isFloat: boolean, count: number): StoredHistogram[] {
  const isGauge = random.int(4) === 0;
  const isCustom = random.int(3) === 0;
  let layout = newLayout(random, isCustom);
  let counts = new Map<number, number>();
  const samples: StoredHistogram[] = [];
  for (let i = 0; i < count; i++) {
    const dice = random.int(60);
    if (dice === 0) layout = newLayout(random, isCustom);
    if (dice <= 1) counts = new Map();
    if (dice === 2) {
      samples.push(staleHistogram(isFloat));
      continue;
    }
    for (let n = random.int(4); n > 0; n--) {
      const index = isCustom ? random.int(layout.bounds.length + 1) : random.int(30) - 10;
      const by = isFloat ? random.float() * 10 : random.int(100) ** 2;
      const grown = (counts.get(index) ?? 0) + by;
      counts.set(index, isGauge && random.int(3) === 0 ? 0 : grown);
    }
    const hint: CounterHint = isGauge ? 'gauge' : random.int(50) === 0 ? 'reset' : 'unknown';
    samples.push(make(random, isFloat, layout, counts, hint, i));
  }
  return samples;
}

type Layout = Pick<StoredHistogram, 'schema' | 'zeroThreshold' | 'bounds'>;

function newLayout(random: Prng, isCustom: boolean): Layout {
  if (!isCustom) return { schema: random.int(13) - 4, zeroThreshold: random.pick(THRESHOLDS), bounds: [] };
  const bounds = Array.from({ length: 2 + random.int(8) }, (_, i) => (i + 1) * random.pick([0.005, 1, Math.PI, 1e9]));
  return { schema: CUSTOM_SCHEMA, zeroThreshold: 0, bounds: bounds.sort((a, b) => a - b) };
}

function make(
  random: Prng,
  isFloat: boolean,
  layout: Layout,
  counts: ReadonlyMap<number, number>,
  hint: CounterHint,
  i: number,
): StoredHistogram {
  // A bucket that is empty may be there or not.
  const used = [...counts].filter(([, count]) => count !== 0 || random.int(2) === 0).sort(([a], [b]) => a - b);
  const [low, high] = [used.filter(([index]) => index < 5), used.filter(([index]) => index >= 5)];
  const [positive, negative] = layout.schema === CUSTOM_SCHEMA ? [used, []] : [low, high];
  const zeroCount = layout.schema === CUSTOM_SCHEMA ? 0 : i;
  return {
    isFloat,
    hint,
    ...layout,
    zeroCount,
    count: used.reduce((sum, [, count]) => sum + count, zeroCount),
    sumBits: bitsOf(random.pick([1.5 * i, random.float(), Number.NaN])),
    positiveSpans: spansOf(positive.map(([index]) => index)),
    negativeSpans: spansOf(negative.map(([index]) => index)),
    positive: Float64Array.from(positive, ([, count]) => count),
    negative: Float64Array.from(negative, ([, count]) => count),
  };
}
