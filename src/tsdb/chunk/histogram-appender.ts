// The open chunk of a series whose samples are histograms: when it is cut, and what the next one says of the counter.
//
//   append ──► fits? ──► in order, perhaps with the chunk written anew
//      │         └─ no: cut; the new chunk's header says what is known of a reset
//      └─ chunk large enough, or its two hours over: cut
//
// A chunk is cut where its samples stop being alike (histogram-fit.ts), at each multiple of two hours, and about every
// kibibyte: when a quarter of that is full, the rest of the two hours is divided into chunks of that size, as Prometheus does.

import { type StoredHistogram, spanBuckets } from '../../model/stored-histogram.js';
import { decodeHistogramChunk, HistogramWriter } from './histogram.js';
import { expandTo, fitInto, type OpenChunk } from './histogram-fit.js';
import { ResetHeader } from './histogram-layout.js';

/** A finished chunk of histograms. */
export interface SealedHistograms {
  readonly isFloat: boolean;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly count: number;
  readonly data: Uint8Array;
}

/** No chunk crosses a multiple of this. */
export const CHUNK_RANGE_MS = 7_200_000;

const TARGET_BYTES = 1024;
/** A chunk of so many samples may be cut for its size. */
const SAMPLES_MIN = 10;
/** What an appender takes besides its bytes, and for each bucket: objects of JavaScript, roughly. */
const STATE_BYTES = 1000;
const BUCKET_STATE_BYTES = { integer: 24, float: 56 } as const;

export class HistogramAppender {
  readonly isFloat: boolean;
  #writer: HistogramWriter;
  #last: StoredHistogram | undefined;
  #minTimeMs = 0;
  #maxTimeMs = 0;
  /** When the chunk is to end. */
  #endMs = Infinity;
  #isEndEstimated = false;

  constructor(isFloat: boolean) {
    this.isFloat = isFloat;
    this.#writer = new HistogramWriter(isFloat, ResetHeader.Unknown);
  }

  /** The newest sample, as it came but for empty buckets; undefined before the first. */
  get last(): StoredHistogram | undefined {
    return this.#last;
  }

  get maxTimeMs(): number {
    return this.#maxTimeMs;
  }

  /** Of the open chunk. */
  get minTimeMs(): number {
    return this.#minTimeMs;
  }

  /** Samples in the open chunk. */
  get count(): number {
    return this.#writer.count;
  }

  /** Memory, about. */
  get bytes(): number {
    const { positiveSpans, negativeSpans } = this.#writer.layout;
    const buckets = spanBuckets(positiveSpans) + spanBuckets(negativeSpans);
    return STATE_BYTES + this.#writer.capacity + buckets * BUCKET_STATE_BYTES[this.isFloat ? 'float' : 'integer'];
  }

  /** The open chunk as far as it is: copies; undefined while it is empty. */
  peek(): SealedHistograms | undefined {
    if (this.#writer.count === 0) return undefined;
    return {
      isFloat: this.isFloat,
      minTimeMs: this.#minTimeMs,
      maxTimeMs: this.#maxTimeMs,
      count: this.#writer.count,
      data: this.#writer.take(),
    };
  }

  /** Appends a sample of this kind, later than all before; gives the chunk that was cut for it, if one was. */
  append(timeMs: number, histogram: StoredHistogram): SealedHistograms | undefined {
    const open = this.#open();
    if (open === undefined) {
      this.#begin(timeMs, histogram, headerOf(histogram, ResetHeader.Unknown));
      return undefined;
    }
    const fit = fitInto(open, histogram);
    const isDue = this.#isDue(timeMs);
    if (!isDue && fit.fits) {
      if (fit.recode) this.#recode(fit.sample);
      this.#add(timeMs, fit.sample);
      return undefined;
    }
    const cut = this.peek();
    const known = fit.fits ? ResetHeader.NotReset : fit.isReset ? ResetHeader.Reset : ResetHeader.Unknown;
    this.#begin(timeMs, histogram, headerOf(histogram, known));
    return cut;
  }

  #open(): OpenChunk | undefined {
    if (this.#last === undefined) return undefined;
    return { header: this.#writer.header, layout: this.#writer.layout, last: this.#last };
  }

  #begin(timeMs: number, histogram: StoredHistogram, header: ResetHeader): void {
    this.#writer = new HistogramWriter(this.isFloat, header);
    this.#minTimeMs = timeMs;
    this.#endMs = rangeEnd(timeMs);
    this.#isEndEstimated = false;
    this.#add(timeMs, histogram);
  }

  #add(timeMs: number, histogram: StoredHistogram): void {
    this.#writer.append(timeMs, histogram);
    this.#maxTimeMs = timeMs;
    this.#last = histogram;
  }

  /** Writes the chunk anew with the buckets of a sample. */
  #recode(target: StoredHistogram): void {
    const writer = new HistogramWriter(this.isFloat, this.#writer.header);
    for (const { timeMs, histogram } of decodeHistogramChunk(this.#writer.take(), this.isFloat)) {
      writer.append(timeMs, expandTo(histogram, target));
    }
    this.#writer = writer;
  }

  #isDue(timeMs: number): boolean {
    const { length, count } = this.#writer;
    if (timeMs >= rangeEnd(this.#minTimeMs)) return true;
    if (!this.#isEndEstimated && length >= TARGET_BYTES / 4) {
      this.#isEndEstimated = true;
      this.#endMs = endOf(this.#minTimeMs, this.#maxTimeMs, this.#endMs, TARGET_BYTES / length);
    }
    return count >= SAMPLES_MIN && (timeMs >= this.#endMs || length >= 2 * TARGET_BYTES);
  }
}

function headerOf({ hint }: StoredHistogram, known: ResetHeader): ResetHeader {
  if (hint === 'gauge') return ResetHeader.Gauge;
  return hint === 'reset' ? ResetHeader.Reset : known;
}

/** The end of the two hours that a time is in. */
function rangeEnd(timeMs: number): number {
  return (Math.floor(timeMs / CHUNK_RANGE_MS) + 1) * CHUNK_RANGE_MS;
}

/** When a chunk ends that is full by 1/`ratio` from `start` to `now`, if chunks share the time up to `end` evenly. */
function endOf(start: number, now: number, end: number, ratio: number): number {
  const chunks = (end - start) / ((now - start + 1) * ratio);
  return chunks <= 1 ? end : Math.floor(start + (end - start) / Math.floor(chunks));
}
