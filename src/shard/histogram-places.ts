// Where a series' chunks of histograms are in files of chunks_head, oldest first: five numbers each, and no objects.

import type { SealedHistograms } from '../tsdb/chunk/histogram-appender.js';

export interface HistogramPlace {
  readonly isFloat: boolean;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly file: number;
  readonly offset: number;
  /** Of the whole record. */
  readonly bytes: number;
}

/** Gives a chunk of a file; undefined where it is damaged. Throws DiskError. */
export type ReadHistograms = (place: HistogramPlace) => Omit<SealedHistograms, 'count'> | undefined;

const FIELDS = 5;
const [MIN, MAX, FILE, OFFSET, SIZE] = [0, 1, 2, 3, 4];

/** Memory of a chunk's place. */
export const PLACE_BYTES = 8 * FIELDS;

export class HistogramPlaces {
  readonly #fields: number[] = [];

  get count(): number {
    return this.#fields.length / FIELDS;
  }

  /** No sample in files is later; -Infinity where there is none. */
  get newestMs(): number {
    return this.#fields.at(MAX - FIELDS) ?? Number.NEGATIVE_INFINITY;
  }

  push({ minTimeMs, maxTimeMs, file, offset, bytes, isFloat }: HistogramPlace): void {
    this.#fields.push(minTimeMs, maxTimeMs, file, offset, 2 * bytes + Number(isFloat));
  }

  at(index: number): HistogramPlace {
    const field = (which: number) => this.#fields[index * FIELDS + which]!;
    return {
      ...{ minTimeMs: field(MIN!), maxTimeMs: field(MAX!), file: field(FILE!), offset: field(OFFSET!) },
      ...{ bytes: Math.floor(field(SIZE!) / 2), isFloat: field(SIZE!) % 2 === 1 },
    };
  }

  /** The first chunk that ends at or after a time; count where there is none. */
  firstEndingFrom(timeMs: number): number {
    let first = 0;
    while (first < this.count && this.#fields[first * FIELDS + MAX!]! < timeMs) first++;
    return first;
  }

  /** Those that touch [startMs, endMs]. */
  touching(startMs: number, endMs: number): HistogramPlace[] {
    const places: HistogramPlace[] = [];
    for (let i = this.firstEndingFrom(startMs); i < this.count; i++) {
      const place = this.at(i);
      if (place.minTimeMs > endMs) break;
      places.push(place);
    }
    return places;
  }

  /** Takes out those from one on. */
  takeFrom(index: number): HistogramPlace[] {
    const taken = Array.from({ length: this.count - index }, (_, i) => this.at(index + i));
    this.#fields.length = index * FIELDS;
    return taken;
  }

  /** Forgets those that end before a time; gives how many these are. */
  dropBefore(timeMs: number): number {
    const first = this.firstEndingFrom(timeMs);
    this.#fields.splice(0, first * FIELDS);
    return first;
  }
}
