// `load_with_nhcb`: beside each classic histogram the native one with the same bounds.

import { CUSTOM_SCHEMA, denseBuckets, FloatHistogram } from '../../../src/model/histogram.js';
import { filterLabels, labelsOf, METRIC_NAME, pairsOf, valueOf } from '../../../src/model/labels.js';
import { parseFloatText } from '../../../src/model/number.js';
import type { LoadedSeries } from './script.js';
import { floatOf, ScriptError, STALE } from './series.js';

/** One classic histogram at one time. */
interface Classic {
  count?: number;
  sum?: number;
  /** Cumulative, by upper bound; the first of equal bounds. */
  readonly buckets: Map<number, number>;
}

const ENDING = /^(.+)_(bucket|count|sum)$/;

export function withClassicAsNative(series: readonly LoadedSeries[]): LoadedSeries[] {
  const families = new Map<string, { labels: readonly string[]; times: Map<number, Classic> }>();
  for (const { labels, samples } of series) {
    const [, base, part] = ENDING.exec(valueOf(labels, METRIC_NAME)) ?? [];
    if (base === undefined) continue;
    const bound = part === 'bucket' ? parseFloatText(valueOf(labels, 'le')) : 0;
    if (typeof bound !== 'number' || Number.isNaN(bound)) continue;
    const own = filterLabels(labels, (name) => name !== 'le' && name !== METRIC_NAME);
    const named = labelsOf([...pairsOf(own), [METRIC_NAME, base]]);
    const family = families.get(named.join('\xff')) ?? { labels: named, times: new Map<number, Classic>() };
    families.set(named.join('\xff'), family);
    for (const { timeMs, value } of samples) {
      if (typeof value !== 'bigint' || value === STALE) continue;
      const classic: Classic = family.times.get(timeMs) ?? { buckets: new Map() };
      family.times.set(timeMs, classic);
      const number = floatOf(value);
      if (part === 'count') classic.count = number;
      else if (part === 'sum') classic.sum = number;
      else if (!classic.buckets.has(bound)) classic.buckets.set(bound, number);
    }
  }
  const native = [...families.values()].map(({ labels, times }) => ({
    labels,
    samples: [...times]
      .sort(([a], [b]) => a - b)
      .map(([timeMs, classic]) => ({ timeMs, value: toNative(classic), startMs: 0 })),
  }));
  return [...series, ...native];
}

function toNative(classic: Classic): FloatHistogram {
  const finite = [...classic.buckets].filter(([bound]) => bound !== Infinity).sort(([a], [b]) => a - b);
  const highest = finite.at(-1)?.[1] ?? 0;
  const count = classic.count ?? classic.buckets.get(Infinity) ?? highest;
  const last = classic.buckets.get(Infinity) ?? count;
  if (last !== count) throw new ScriptError(`a histogram's count ${count} is not that of its last bucket, ${last}`);
  const counts: number[] = [];
  let below = 0;
  for (const [, cumulative] of [...finite, [Infinity, count] as const]) {
    if (cumulative < below) throw new ScriptError('a histogram whose buckets do not rise');
    counts.push(cumulative - below);
    below = cumulative;
  }
  return new FloatHistogram({
    schema: CUSTOM_SCHEMA,
    bounds: finite.map(([bound]) => bound),
    count,
    sum: classic.sum ?? 0,
    positive: denseBuckets({ indices: counts.map((_, i) => i), counts }),
  });
}
