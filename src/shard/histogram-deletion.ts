// Deleting histograms of a range from the chunks of a series: those that it touches are made anew without them.

import { decodeHistogramChunk, type HistogramSample } from '../tsdb/chunk/histogram.js';
import { HistogramAppender, type SealedHistograms } from '../tsdb/chunk/histogram-appender.js';

/** Both in it, in milliseconds. */
export interface DeletedTimes {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** One range, and what of it was there: chunks are given to it oldest first. */
export class HistogramDeletion {
  readonly #minTimeMs: number;
  readonly #maxTimeMs: number;
  #deleted: DeletedTimes | undefined;

  /** Both ends are in the range. */
  constructor(minTimeMs: number, maxTimeMs: number) {
    this.#minTimeMs = minTimeMs;
    this.#maxTimeMs = maxTimeMs;
  }

  /** undefined while nothing of the range was there. */
  get deleted(): DeletedTimes | undefined {
    return this.#deleted;
  }

  /** What is left of a chunk: itself, others, or nothing. */
  sealed(chunk: SealedHistograms): SealedHistograms[] {
    const rest = this.#rest(chunk);
    if (rest === undefined) return [chunk];
    const { sealed, open } = appendAll(chunk.isFloat, rest);
    const last = open?.peek();
    return last === undefined ? sealed : [...sealed, last];
  }

  /** The same of the open chunk. */
  open(open: HistogramAppender): { sealed: SealedHistograms[]; open: HistogramAppender | undefined } {
    const chunk = open.peek();
    const rest = chunk && this.#rest(chunk);
    return rest === undefined ? { sealed: [], open } : appendAll(open.isFloat, rest);
  }

  /** The samples that are left; undefined where that is all. */
  #rest({ data, isFloat, minTimeMs, maxTimeMs }: SealedHistograms): HistogramSample[] | undefined {
    if (maxTimeMs < this.#minTimeMs || minTimeMs > this.#maxTimeMs) return undefined;
    const isMeant = ({ timeMs }: HistogramSample) => timeMs >= this.#minTimeMs && timeMs <= this.#maxTimeMs;
    const all = decodeHistogramChunk(data, isFloat);
    const gone = all.filter(isMeant);
    if (gone.length === 0) return undefined;
    this.#deleted = { firstMs: this.#deleted?.firstMs ?? gone[0]!.timeMs, lastMs: gone.at(-1)!.timeMs };
    return all.filter((sample) => !isMeant(sample));
  }
}

function appendAll(
  isFloat: boolean,
  samples: readonly HistogramSample[],
): { sealed: SealedHistograms[]; open: HistogramAppender | undefined } {
  const open = new HistogramAppender(isFloat);
  const cuts = samples.map(({ timeMs, histogram }) => open.append(timeMs, histogram));
  const sealed = cuts.filter((cut) => cut !== undefined);
  return { sealed, open: samples.length === 0 ? undefined : open };
}
