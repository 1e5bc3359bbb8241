// The receiving side of a shard besides scrapes: remote writes, and series that main hands in.

import type { Exposition } from '../wasm/exposition.js';
import { type Head, NO_SERIES } from '../wasm/head.js';
import { LabelError } from '../wasm/label-scratch.js';
import { ROW_BYTES } from '../wasm/rows.js';
import { AppendScope, type PartStore } from './append.js';
import type { Reply, Request, WriteReply } from './protocol.js';
import type { Refs } from './refs.js';
import { StrangerList } from './targets.js';

export class ShardWrites {
  readonly #exposition: Exposition;
  readonly #head: Head;
  readonly #refs: Refs;
  readonly #parts: PartStore;

  constructor(exposition: Exposition, head: Head, refs: Refs, parts: PartStore) {
    this.#exposition = exposition;
    this.#head = head;
    this.#refs = refs;
    this.#parts = parts;
  }

  write(_request: Request<'write'>): WriteReply {
    throw new Error('not there yet');
  }

  complete(_request: Request<'completeWrite'>): Reply<'completeWrite'> {
    throw new Error('not there yet');
  }

  /** Series that belong here, with their samples. */
  append(request: Request<'append'>): WriteReply {
    const scope = new AppendScope(this.#head, this.#refs, request);
    let invalid = 0;
    let error: string | undefined;
    for (const { labels, samples } of request.series) {
      try {
        this.#exposition.scratch.write(labels);
      } catch (reason) {
        if (!(reason instanceof LabelError)) throw reason;
        invalid++;
        error ??= reason.message;
        continue;
      }
      const series = scope.seriesOfScratch();
      if (series === NO_SERIES) continue;
      const rows = packRows(series, this.#head.refLow(series), samples);
      const { address, count } = this.#exposition.loadRows(rows);
      scope.rows(address, count);
    }
    return {
      ...scope.finish(this.#parts),
      error,
      malformed: false,
      invalidSeries: invalid,
      refusedSeries: scope.refused,
      outgoing: [],
      strangers: new StrangerList().list(),
      nearRef: 0,
    };
  }

  forget(_owner: number, _series: Uint32Array): void {}
}

/** Samples (f64 ms, value bits) as rows of one series. */
function packRows(series: number, ref: number, samples: ArrayBuffer): Uint8Array {
  const count = samples.byteLength / 16;
  const from = new DataView(samples);
  const rows = new DataView(new ArrayBuffer(count * ROW_BYTES));
  for (let i = 0; i < count; i++) {
    const at = i * ROW_BYTES;
    rows.setUint32(at, series, true);
    rows.setUint32(at + 4, ref, true);
    rows.setBigInt64(at + 8, BigInt(from.getFloat64(i * 16, true)), true);
    rows.setBigUint64(at + 16, from.getBigUint64(i * 16 + 8, true), true);
  }
  return new Uint8Array(rows.buffer);
}
