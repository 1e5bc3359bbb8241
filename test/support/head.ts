// A core with a head in it, for tests and benchmarks of the kernels below the shard: no log, no threads.

import type { Labels } from '../../src/model/labels.js';
import { decodeLabels } from '../../src/shard/columns.js';
import { Truncation } from '../../src/shard/truncation.js';
import { Core, type CoreOptions } from '../../src/wasm/core.js';
import { Exposition } from '../../src/wasm/exposition.js';
import { type AppendBounds, Head, NO_SERIES, type PartRef, type SeriesIndex } from '../../src/wasm/head.js';
import { MORSEL, Queries, type Query } from '../../src/wasm/query.js';
import { ROW_BYTES } from '../../src/wasm/rows.js';
import { Select, type SeriesList } from '../../src/wasm/select.js';

export interface HeadRow {
  readonly series: number;
  readonly ref: number;
  readonly timeMs: bigint;
  readonly bits: bigint;
}

export interface RawSample {
  readonly timeMs: number;
  readonly bits: bigint;
}

/** Times that nothing is refused for. */
export const ANY_TIME = { minTimeMs: Number.NEGATIVE_INFINITY, maxTimeMs: Number.POSITIVE_INFINITY };

export class HeadRig {
  readonly core: Core;
  readonly head: Head;
  readonly exposition: Exposition;
  readonly select: Select;
  readonly queries: Queries;
  #lastRef = 0;

  constructor(options: CoreOptions = {}) {
    this.core = new Core(options);
    this.head = new Head(this.core);
    this.exposition = new Exposition(this.core);
    this.exposition.seed(0x1234_5678_9abc_def0n);
    this.select = new Select(this.core);
    this.queries = new Queries(this.core);
  }

  nextRef(): number {
    return ++this.#lastRef;
  }

  find(labels: Labels): SeriesIndex {
    this.exposition.scratch.write(labels);
    return this.head.resolve();
  }

  /** The series of the labels, made where there is none, its record thrown away. */
  create(labels: Labels, ref = this.nextRef()): SeriesIndex {
    const known = this.find(labels);
    if (known !== NO_SERIES) return known;
    return this.withPart((part) => this.head.create(part, ref));
  }

  withPart<T>(action: (part: PartRef) => T): T {
    const part = this.head.openPart();
    try {
      return action(part);
    } finally {
      this.head.closePart(part);
    }
  }

  /** Appends one batch of rows; gives the bytes for the log, undefined where memory was refused for the books. */
  append(rows: readonly HeadRow[], bounds: AppendBounds): Uint8Array | undefined {
    const { address, count } = this.exposition.loadRows(packRows(rows));
    this.head.beginAppend();
    return this.withPart((part) => {
      if (!this.head.rows(address, count, bounds, part)) return undefined;
      const { address: at, bytes } = this.head.partSpan(part);
      return this.core.u8(at, bytes).slice();
    });
  }

  /** One sample to one series, visible at once. */
  sample(series: number, timeMs: number, bits = 0n, append = 0): void {
    const ref = this.head.refLow(series as SeriesIndex);
    const bounds = { append, baseRef: 0, baseTimeMs: 0, ...ANY_TIME };
    if (this.append([{ series, ref, timeMs: BigInt(timeMs), bits }], bounds) === undefined)
      throw new Error('no memory for a sample');
    this.head.commit(append);
  }

  /** Runs a record through the head's replay. Throws where memory is refused. */
  replay(
    record: Uint8Array,
    kind: 'series' | 'samples' | 'tombstones',
    minTimeMs = Number.NEGATIVE_INFINITY,
  ): string | undefined {
    const { address } = this.exposition.load(record);
    if (kind === 'tombstones') return this.head.replayTombstones(address, record.length);
    return kind === 'series'
      ? this.head.replaySeries(address, record.length)
      : this.head.replaySamples(address, record.length, minTimeMs);
  }

  truncate(minTimeMs: number): void {
    const truncation = new Truncation(this.head, [], 0);
    while (!truncation.step(minTimeMs).done);
  }

  /** Raw samples by label set, as text, of all series of a list that are visible to a query's view. */
  samples(query: Query, morsel = MORSEL): Map<string, RawSample[]> {
    const found = new Map<string, RawSample[]>();
    for (let done = false; !done; ) {
      done = query.next(morsel);
      const raw = query.rawSamples();
      const counts = new Uint32Array(raw.counts);
      const times = new Float64Array(raw.times);
      const bits = new BigUint64Array(raw.values);
      let at = 0;
      decodeLabels(raw.labels.strings, raw.labels.rows, counts.length).forEach((labels, row) => {
        const samples = Array.from({ length: counts[row]! }, (_, i) => ({
          timeMs: times[at + i]!,
          bits: bits[at + i]!,
        }));
        at += counts[row]!;
        found.set(labels.join('\0'), samples);
      });
    }
    return found;
  }

  /** All samples visible at a watermark. */
  allSamples(watermark: number): Map<string, RawSample[]> {
    const list = this.select.anyOf([]);
    try {
      const query = this.queries.openSamples(list, this.queries.view(watermark), 2 ** 53, 2 ** 52);
      try {
        return this.samples(query);
      } finally {
        query.close();
      }
    } finally {
      this.select.release(list);
    }
  }

  indexes(list: SeriesList): number[] {
    const indexes = [...this.select.indexes(list)];
    this.select.release(list);
    return indexes;
  }
}

export function packRows(rows: readonly HeadRow[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(rows.length * ROW_BYTES));
  rows.forEach(({ series, ref, timeMs, bits }, i) => {
    bytes.setUint32(i * ROW_BYTES, series, true);
    bytes.setUint32(i * ROW_BYTES + 4, ref, true);
    bytes.setBigInt64(i * ROW_BYTES + 8, timeMs, true);
    bytes.setBigUint64(i * ROW_BYTES + 16, bits, true);
  });
  return new Uint8Array(bytes.buffer);
}
