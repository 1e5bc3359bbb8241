// The late samples of one series: those that came when it had newer ones, or after the head's window.
//
//   open     t1 < t2 < …   each time once, with the append that brought it; a new one goes where it belongs
//   sealed   ├──────┤        chunks of what was open when it grew too long; they may overlap each other
//              ├────────┤

import type { StoredHistogram } from '../../model/stored-histogram.js';
import type { StreamedChunk } from '../../tsdb/block/contract.js';
import type { Sample, SampleCodec } from '../../tsdb/compact/samples.js';
import { isAfter } from '../appends.js';

/** The bits of a float, or a histogram. */
export type LateValue = bigint | StoredHistogram;

/** As in Prometheus: what is open is sorted with each sample, and takes several times the memory of a chunk. */
const OPEN_MAX = 32;
/** Open samples wait so long for everybody to see them: chunks of single appends may be small. */
const PATIENT_MAX = 1024;
/** What an open sample takes in memory, and a chunk besides its bytes: objects of JavaScript, roughly. */
const OPEN_BYTES = 50;
const SEALED_BYTES = 250;

interface OpenSample {
  readonly sample: Sample;
  readonly append: number;
}

interface SealedLate {
  readonly chunk: StreamedChunk;
  /** What brought all of it; undefined where everybody sees it. */
  readonly append: number | undefined;
}

export class LateSamples {
  #open: OpenSample[] = [];
  #latest: number | undefined;
  readonly #sealed: SealedLate[] = [];
  #sealedBytes = 0;

  /** Memory, about. */
  get bytes(): number {
    return this.#sealedBytes + this.#open.length * OPEN_BYTES;
  }

  /** False where one of that time is open already: the first counts, as in Prometheus. */
  add(timeMs: number, value: LateValue, append: number): boolean {
    const at = this.#placeOf(timeMs);
    if (this.#open[at]?.sample.timeMs === timeMs) return false;
    const sample = typeof value === 'bigint' ? { timeMs, bits: value } : { timeMs, histogram: value };
    this.#open.splice(at, 0, { sample, append });
    if (this.#latest === undefined || isAfter(append, this.#latest)) this.#latest = append;
    return true;
  }

  /** Makes chunks of the open samples where these are many. `seenByAll` is a watermark before that of every reader. */
  sealIfDue(codec: SampleCodec, seenByAll: number): void {
    const count = this.#open.length;
    if (count < OPEN_MAX || (count < PATIENT_MAX && isAfter(this.#latest!, seenByAll))) return;
    const groups = new Map<number | undefined, Sample[]>();
    for (const { sample, append } of this.#open) {
      const by = isAfter(append, seenByAll) ? append : undefined;
      const group = groups.get(by);
      if (group === undefined) groups.set(by, [sample]);
      else group.push(sample);
    }
    const sealed = [...groups].flatMap(([append, samples]) =>
      codec.encode(samples).map((chunk) => ({ chunk, append })),
    );
    for (const { chunk } of sealed) this.#sealedBytes += chunk.data.length + SEALED_BYTES;
    this.#sealed.push(...sealed);
    this.#open = [];
    this.#latest = undefined;
  }

  /** All that a watermark lets see, as chunks in no order, which may overlap. Throws OutOfMemory. */
  chunks(codec: SampleCodec, watermark: number): StreamedChunk[] {
    const isSeen = ({ append }: { readonly append: number | undefined }) =>
      append === undefined || !isAfter(append, watermark);
    const sealed = this.#sealed.filter(isSeen).map(({ chunk }) => chunk);
    const open = this.#open.filter(isSeen).map(({ sample }) => sample);
    return open.length === 0 ? sealed : [...sealed, ...codec.encode(open)];
  }

  /** Takes what came to the same series later. */
  takeAll(later: LateSamples): void {
    this.#sealed.push(...later.#sealed);
    this.#sealedBytes += later.#sealedBytes;
    for (const { sample, append } of later.#open) this.add(sample.timeMs, sample.histogram ?? sample.bits, append);
  }

  /** Of the first open sample at or after a time. */
  #placeOf(timeMs: number): number {
    let low = 0;
    let high = this.#open.length;
    // Most come in order among themselves.
    if (high > 0 && this.#open[high - 1]!.sample.timeMs < timeMs) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#open[middle]!.sample.timeMs < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
