// Samples on their way into blocks, in the order in which they came: as many as fit, then a part (parts.ts) is made of them.
//
//   series  u32 │ 0 │ 1 │ 0 │ 2 │ …      numbers of label sets, as they were added
//   times   f64 │   │   │   │   │
//   bits    u64 │   │   │   │   │
//
// Samples may come in any order.

import type { Labels } from '../../model/labels.js';

/** A million samples are 20 MB. */
export const BUFFER_SAMPLES = 2 * 1024 * 1024;
/** Label sets with their strings are larger than samples. */
const BUFFER_LABEL_SETS = 256 * 1024;

export class SampleBuffer {
  readonly #series: Uint32Array;
  readonly #times: Float64Array;
  readonly #bits: BigUint64Array;
  #labelSets: Labels[] = [];
  #count = 0;

  constructor(samplesMax = BUFFER_SAMPLES) {
    this.#series = new Uint32Array(samplesMax);
    this.#times = new Float64Array(samplesMax);
    this.#bits = new BigUint64Array(samplesMax);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#series.length || this.#labelSets.length >= BUFFER_LABEL_SETS;
  }

  get labelSets(): readonly Labels[] {
    return this.#labelSets;
  }

  /** Gives the label set a number: good until clear(). The same set may have several. */
  addLabels(labels: Labels): number {
    return this.#labelSets.push(labels) - 1;
  }

  add(series: number, timeMs: number, bits: bigint): void {
    const at = this.#count++;
    this.#series[at] = series;
    this.#times[at] = timeMs;
    this.#bits[at] = bits;
  }

  /** The samples of a series by time, those of one time as they came. `number` gives the one to count label sets by. */
  sorted(number: Uint32Array, seriesCount: number): SortedSamples {
    const ends = new Uint32Array(seriesCount + 1);
    for (let i = 0; i < this.#count; i++) ends[number[this.#series[i]!]! + 1]!++;
    for (let series = 0; series < seriesCount; series++) ends[series + 1]! += ends[series]!;
    const places = ends.slice(0, seriesCount);
    const order = new Uint32Array(this.#count);
    for (let i = 0; i < this.#count; i++) order[places[number[this.#series[i]!]!]!++] = i;
    for (let series = 0; series < seriesCount; series++) {
      this.#sortByTime(order.subarray(ends[series]!, ends[series + 1]!));
    }
    return {
      of: (series) => {
        const own = order.subarray(ends[series]!, ends[series + 1]!);
        return { times: Float64Array.from(own, (i) => this.#times[i]!), bits: gathered(own, this.#bits) };
      },
    };
  }

  clear(): void {
    this.#count = 0;
    this.#labelSets = [];
  }

  /** Mostly they are in order already. */
  #sortByTime(order: Uint32Array): void {
    const times = this.#times;
    for (let i = 1; i < order.length; i++) {
      if (times[order[i]!]! >= times[order[i - 1]!]!) continue;
      order.sort((a, b) => times[a]! - times[b]! || a - b);
      return;
    }
  }
}

function gathered(order: Uint32Array, all: BigUint64Array): BigUint64Array {
  const bits = new BigUint64Array(order.length);
  for (let i = 0; i < order.length; i++) bits[i] = all[order[i]!]!;
  return bits;
}

/** Samples of one series, in time order. */
export interface SeriesSamples {
  readonly times: Float64Array;
  readonly bits: BigUint64Array;
}

export interface SortedSamples {
  of(series: number): SeriesSamples;
}
