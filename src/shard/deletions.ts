// Deleting samples in a shard, a page of series a job.

import type { Head } from '../wasm/head.js';
import type { Select } from '../wasm/select.js';
import type { Reply, Request } from './protocol.js';

/** Series of one job. Making a chunk anew takes some 3 µs, and appends wait for the job's end. */
const PAGE_SERIES = 2_000;
const INDEX_BYTES = 4;

export class Deletions {
  readonly #head: Head;
  readonly #select: Select;

  constructor(head: Head, select: Select) {
    this.#head = head;
    this.#select = select;
  }

  /** The next page. Series that came since the first are taken too: they are behind all others. */
  step({ selectors, minTimeMs, maxTimeMs, after }: Request<'deleteSamples'>): Reply<'deleteSamples'> {
    const list = this.#select.anyOf(selectors);
    try {
      const indexes = this.#select.indexes(list);
      const from = firstAbove(indexes, after);
      const count = Math.min(PAGE_SERIES, indexes.length - from);
      const last = count === 0 ? after : indexes[from + count - 1]!;
      const done = from + count === indexes.length;
      const page = list.address + from * INDEX_BYTES;
      const { intervals, handled } = this.#head.deleteSamples(page, count, minTimeMs, maxTimeMs);
      return { intervals: intervals.buffer, after: last, done, refused: handled < count };
    } finally {
      this.#select.release(list);
    }
  }
}

/** Of ascending numbers, the place of the first above another. */
function firstAbove(ascending: Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
