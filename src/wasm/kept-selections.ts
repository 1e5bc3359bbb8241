// Selections that are asked for again: rules and dashboards ask for the same ones all day, while series of others come and go.
//
// Series numbers are never given out twice, and ascend. So a selection has no more series than it had as long as a pair that all of them
// have has the same newest one; those that were removed drop out when it is used.

import type { Core } from './core.js';

/** Of all selections together, and the longest one that is kept: longer ones are decoded in a small part of their query's time. */
const BYTES_MAX = 8 * 2 ** 20;
const SERIES_MAX = 16 * 1024;
/** What one takes beside its series, about. */
const ENTRY_BYTES = 300;

interface Kept {
  readonly series: Uint32Array;
  /** A pair that each of them has, and the newest of all series that have it. */
  readonly pair: number;
  readonly newest: number;
}

export class KeptSelections {
  readonly #core: Core;
  /** By matchers, the longest unused first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Series that were found before; none beside them would be found now. Undefined where nobody knows. */
  find(key: string): Uint32Array | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#drop(key, kept);
    if (this.#newest(kept.pair) !== kept.newest) return undefined;
    this.#put(key, kept);
    return kept.series;
  }

  /** Takes the series, which were just found and all have a pair. */
  keep(key: string, series: Uint32Array, pair: number): void {
    const known = this.#kept.get(key);
    if (known !== undefined) this.#drop(key, known);
    this.#put(key, { series, pair, newest: this.#newest(pair) });
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= BYTES_MAX) return;
      this.#drop(oldest, kept);
    }
  }

  /** Whether so many series are worth it. */
  isWanted(count: number): boolean {
    return count <= SERIES_MAX;
  }

  #newest(pair: number): number {
    return this.#core.exports.pairs_newest(pair) >>> 0;
  }

  #put(key: string, kept: Kept): void {
    this.#kept.set(key, kept);
    this.#bytes += bytesOf(key, kept);
  }

  #drop(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#bytes -= bytesOf(key, kept);
  }
}

function bytesOf(key: string, { series }: Kept): number {
  return ENTRY_BYTES + key.length + series.byteLength;
}
