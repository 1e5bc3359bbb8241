// Native histograms that blocks have of a query's next series: decoded here, evaluated by the TypeScript windows.

import type { FloatHistogram } from '../../model/histogram.js';
import { floatHistogramOf, isStaleHistogram } from '../../model/stored-histogram.js';
import type { DeletedInterval } from '../../tsdb/block/contract.js';
import { decodeHistogramChunk, type HistogramSample } from '../../tsdb/chunk/histogram.js';
import type { QueryAllSamples } from '../../wasm/query.js';
import { type MorselSeries, withStale } from '../mixed-series.js';
import { asAnswered } from '../side-samples.js';

export class BlockHistograms {
  readonly #series = new Map<number, HistogramSample[]>();

  clear(): void {
    this.#series.clear();
  }

  /** Decodes a chunk of a series. Throws ChunkFault. */
  add(number: number, chunk: Uint8Array, isFloat: boolean, deleted: readonly DeletedInterval[]): void {
    const isLeft = ({ timeMs }: HistogramSample) =>
      !deleted.some(({ minTimeMs, maxTimeMs }) => timeMs >= minTimeMs && timeMs <= maxTimeMs);
    const samples = decodeHistogramChunk(chunk, isFloat).filter(isLeft);
    this.#series.set(number, [...(this.#series.get(number) ?? []), ...samples]);
  }

  /** Ascending, each time once. */
  of(number: number): HistogramSample[] {
    const all = this.#series.get(number) ?? [];
    return eachOnce(all);
  }
}

/** The series of a morsel with what blocks have of them before what they have in the head, which begins at a floor. */
export function* withBlocks(
  { series }: QueryAllSamples,
  all: Iterable<MorselSeries>,
  blocks: BlockHistograms,
  floorMs: number,
): Generator<MorselSeries> {
  const numbers = new Uint32Array(series);
  const isOfHead = ({ timeMs }: TimedHistogram) => timeMs >= floorMs;
  let i = 0;
  for (const one of all) {
    const samples = blocks.of(numbers[i++]!);
    if (samples.length === 0) {
      yield one;
      continue;
    }
    const stale = samples.filter(({ histogram }) => isStaleHistogram(histogram)).map(({ timeMs }) => timeMs);
    const { histogramTimes = new Float64Array(0), histograms = [], starts: _starts, ...own } = one;
    const known = new Set(own.times);
    const kept = eachOnce([
      ...samples.filter(({ histogram }) => !isStaleHistogram(histogram)).map(answered),
      ...histograms.map((histogram, at) => ({ timeMs: histogramTimes[at]!, histogram })).filter(isOfHead),
    ]);
    yield {
      ...withStale(
        own,
        Float64Array.from(stale).filter((timeMs) => !known.has(timeMs)),
      ),
      histogramTimes: Float64Array.from(kept, ({ timeMs }) => timeMs),
      histograms: kept.map(({ histogram }) => histogram),
    };
  }
}

function answered({ timeMs, histogram }: HistogramSample): TimedHistogram {
  return { timeMs, histogram: floatHistogramOf(asAnswered(histogram)) };
}

/** In order, of each time the first: late samples come among those of the head. */
function eachOnce<T extends { readonly timeMs: number }>(samples: T[]): T[] {
  if (samples.every(({ timeMs }, i) => i === 0 || timeMs > samples[i - 1]!.timeMs)) return samples;
  samples.sort((a, b) => a.timeMs - b.timeMs);
  return samples.filter(({ timeMs }, i) => i === 0 || timeMs !== samples[i - 1]!.timeMs);
}

interface TimedHistogram {
  readonly timeMs: number;
  readonly histogram: FloatHistogram;
}
