// Samples for functions over a range that a downsampled series no longer has: as many as there were, with the same sum,
// the same smallest and the same largest value in each window.
//
//   window   count 6, sum 60, min 2, max 18     ──►   2  18  10  10  10  10
//
// So min_, max_, sum_, count_ and avg_over_time give of whole windows what they gave of the raw samples, and where a range
// cuts a window they take the share that lies in it. Samples that are in no window are as they were.

import { STALE_SUM as STALE } from '../../model/stored-histogram.js';
import type { FloatSamples } from '../chunk/xor.js';
import { coverage, type Windows, windowOf } from './windows.js';

/** Functions that are about all the values in a range: they are answered from aggregates. */
export const AGGREGATE_FUNCTIONS: ReadonlySet<string> = new Set([
  'avg_over_time',
  'count_over_time',
  'mad_over_time',
  'max_over_time',
  'min_over_time',
  'quantile_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'sum_over_time',
]);

/** In time order. `samples` are those that the series has. */
export function rebuild(samples: FloatSamples, groups: readonly Windows[]): FloatSamples {
  const isCovered = coverage(groups);
  const all: { timeMs: number; value: number }[] = [];
  const stale: number[] = [];
  const bitsOf = new Map<number, bigint>();
  for (const [i, timeMs] of samples.times.entries()) {
    const bits = samples.bits[i]!;
    if (bits === STALE) stale.push(timeMs);
    else if (!isCovered(timeMs)) {
      all.push({ timeMs, value: 0 });
      bitsOf.set(timeMs, bits);
    }
  }
  for (const group of groups) addWindows(all, group);
  all.push(...stale.map((timeMs) => ({ timeMs, value: 0 })));
  for (const timeMs of stale) bitsOf.set(timeMs, STALE);
  all.sort((a, b) => a.timeMs - b.timeMs);
  const each = all.filter(({ timeMs }, i) => i === 0 || timeMs !== all[i - 1]!.timeMs);
  const values = Float64Array.from(each, ({ value }) => value);
  const bits = new BigUint64Array(values.buffer);
  for (const [i, { timeMs }] of each.entries()) bits[i] = bitsOf.get(timeMs) ?? bits[i]!;
  return { times: Float64Array.from(each, ({ timeMs }) => timeMs), bits };
}

function addWindows(all: { timeMs: number; value: number }[], windows: Windows): void {
  const { resolutionMs, lastMs, counts, sums, mins, maxs } = windows;
  for (let w = 0; w < lastMs.length; w++) {
    const count = counts[w]!;
    const last = lastMs[w]!;
    const start = windowOf(last, resolutionMs) * resolutionMs;
    // Evenly, as they came: over the whole window if they came so.
    const first = Math.max(start, Math.ceil(last - (resolutionMs * (count - 1)) / count));
    const rest = restOf(count, sums[w]!, mins[w]!, maxs[w]!);
    for (let i = 0; i < count; i++) {
      const timeMs = count === 1 ? last : first + Math.floor((i * (last - first)) / (count - 1));
      all.push({ timeMs, value: i === 0 ? mins[w]! : i === count - 1 ? maxs[w]! : rest });
    }
  }
}

/** What those between the smallest and the largest are on the average. */
function restOf(count: number, sum: number, min: number, max: number): number {
  if (count < 3) return 0;
  if (Number.isFinite(sum)) return Math.min(max, Math.max(min, (sum - min - max) / (count - 2)));
  if (Number.isNaN(sum)) return Number.NaN;
  return Number.isFinite(min) ? min : max;
}
