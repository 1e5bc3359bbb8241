// A series at a lower resolution: which of its samples stay, and the aggregates of all.
//
//   raw      . . . . . | . . . . . | . . \ . . |          \  a counter began anew
//   kept     .       . |         . |     \.  . |          the first of the block, the last of each window,
//                                                         and of a counter both sides of each reset
//
// Between two kept samples without a reset a counter's increase is their difference, whatever was between them. So rate()
// and increase() of what is kept are those of all samples, resets included, for whoever reads the block: the kept
// samples are a subset of the raw ones, in standard chunks. Everything about the values in between is in the windows.

import { STALE_SUM as STALE } from '../../model/stored-histogram.js';
import type { FloatSamples } from '../chunk/xor.js';
import { coverage, WindowGatherer, type Windows } from './windows.js';

export interface Downsampled {
  readonly samples: FloatSamples;
  readonly windows: readonly Windows[];
}

/** Names of counters: they may begin anew as often as they like. */
const COUNTER_NAME = /_(?:total|count|sum|bucket)$/;
/** Other series in which no larger share of samples is lower than the one before may be counters, too. */
const RESETS_MAX = 0.02;

/**
 * Lowers the resolution of a series. `windows` are those that it has already; what is as coarse already stays. Samples
 * in them are not counted twice.
 */
export function downsample(
  samples: FloatSamples,
  windows: readonly Windows[],
  resolutionMs: number,
  metricName: string,
): Downsampled {
  const coarse = windows.filter((group) => group.resolutionMs >= resolutionMs);
  const isDone = coverage(coarse);
  const isCounted = coverage(windows);
  const gatherer = new WindowGatherer(resolutionMs);
  for (const group of windows) if (group.resolutionMs < resolutionMs) addWindows(gatherer, group);
  const values = valuesOf(samples);
  const { times, bits } = samples;
  for (let i = 0; i < times.length; i++) {
    if (bits[i] === STALE || isCounted(times[i]!)) continue;
    gatherer.add(times[i]!, 1, values[i]!, values[i]!, values[i]!);
  }
  const made = gatherer.finish();
  const kept = keptOf(samples, values, resolutionMs, isDone, isCounter(metricName, values, bits));
  const groups = made === undefined ? coarse : [...coarse, made];
  return {
    samples: { times: Float64Array.from(kept, (i) => times[i]!), bits: BigUint64Array.from(kept, (i) => bits[i]!) },
    windows: groups.sort((a, b) => a.lastMs[0]! - b.lastMs[0]!),
  };
}

function addWindows(gatherer: WindowGatherer, { lastMs, counts, sums, mins, maxs }: Windows): void {
  for (let i = 0; i < lastMs.length; i++) gatherer.add(lastMs[i]!, counts[i]!, sums[i]!, mins[i]!, maxs[i]!);
}

/** The places of samples that stay. */
function keptOf(
  { times, bits }: FloatSamples,
  values: Float64Array,
  resolutionMs: number,
  isDone: (timeMs: number) => boolean,
  isCounter: boolean,
): number[] {
  const kept: number[] = [];
  for (let i = 0; i < times.length; i++) {
    const window = Math.floor(times[i]! / resolutionMs);
    let next = i + 1;
    while (next < times.length && bits[next] === STALE) next++;
    const isLast = next === times.length || Math.floor(times[next]! / resolutionMs) !== window;
    const isBeforeReset = isCounter && i + 1 < times.length && values[i + 1]! < values[i]!;
    const isBehindReset = isCounter && i > 0 && values[i]! < values[i - 1]!;
    if (bits[i] === STALE || i === 0 || isLast || isBeforeReset || isBehindReset || isDone(times[i]!)) kept.push(i);
  }
  return kept;
}

function isCounter(metricName: string, values: Float64Array, bits: BigUint64Array): boolean {
  if (COUNTER_NAME.test(metricName)) return true;
  let falls = 0;
  for (let i = 1; i < values.length; i++) if (bits[i] !== STALE && values[i]! < values[i - 1]!) falls++;
  return falls <= values.length * RESETS_MAX;
}

/** The same bytes as floats. */
export function valuesOf({ bits }: FloatSamples): Float64Array {
  return new Float64Array(bits.buffer, bits.byteOffset, bits.length);
}
