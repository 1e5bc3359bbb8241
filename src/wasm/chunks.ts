// The façade of the chunk kernel: open chunks that take samples, and chunk bytes to columns.
//
// The series of a shard keep their open chunks inside the head's records and never come
// through here. This is for whoever has columns: tests, backfill, compaction, inspection.

import { DECODE_INVALID, DECODE_SLACK, SEALED_HEADER_BYTES, Status } from '../../assembly/layout.js';
import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

/** An open chunk in this core's memory. Meaningless in any other shard. */
export type OpenChunk = number & { readonly __ref: 'OpenChunk' };

/** Samples of one series. Values are bits, because JS may rewrite a NaN's payload. */
export interface Samples {
  /** Milliseconds since 1970. */
  readonly times: Float64Array;
  readonly valueBits: BigUint64Array;
}

export interface ChunkBytes {
  readonly mint: number;
  readonly maxt: number;
  /** Prometheus's XOR chunk, with the count in front. */
  readonly bytes: Uint8Array;
}

/** Why an append stopped before the end of its samples. */
export type Appended = 'ok' | 'full' | 'no-memory';

export interface DecodeOptions {
  /** Both inclusive; all times where absent. */
  readonly mint?: number;
  readonly maxt?: number;
  readonly dropStale?: boolean;
}

export class Chunks {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** An empty chunk, which the caller owns and hands to close(); undefined where memory is refused. */
  open(): OpenChunk | undefined {
    const state = this.#core.exports.chunk_open() >>> 0;
    return state === 0 ? undefined : (state as OpenChunk);
  }

  close(chunk: OpenChunk): void {
    this.#core.exports.chunk_close(chunk);
  }

  /** Appends samples from index `from` on, until the chunk refuses one. Gives how many went in. */
  append(chunk: OpenChunk, samples: Samples, from = 0): { count: number; outcome: Appended } {
    const length = samples.times.length - from;
    const scratch = this.#alloc(length * 16);
    this.#core.f64(scratch, length).set(samples.times.subarray(from));
    this.#u64(scratch + length * 8, length).set(samples.valueBits.subarray(from));
    const count = this.#core.exports.chunk_append_columns(chunk, scratch, scratch + length * 8, length);
    this.#core.exports.heap_free(scratch, length * 16);
    return { count, outcome: outcomeOf(this.#core.exports.chunk_append_status()) };
  }

  /** The chunk's bytes so far, a copy; the chunk stays open. */
  snapshot(chunk: OpenChunk): Uint8Array {
    const size = this.#core.exports.chunk_size(chunk);
    if (size === 0) return new Uint8Array(0);
    const scratch = this.#alloc(size);
    const length = this.#core.exports.chunk_snapshot(chunk, scratch);
    const bytes = this.#core.u8(scratch, length).slice();
    this.#core.exports.heap_free(scratch, size);
    return bytes;
  }

  /** The chunk's bytes, a copy; the chunk is empty afterwards. Undefined where memory is refused. */
  seal(chunk: OpenChunk): ChunkBytes | undefined {
    const sealed = this.#core.exports.chunk_seal(chunk) >>> 0;
    if (sealed === 0) return undefined;
    const view = this.#core.view;
    const result = {
      mint: Number(view.getBigInt64(sealed, true)),
      maxt: Number(view.getBigInt64(sealed + 8, true)),
      bytes: this.#core.u8(sealed + SEALED_HEADER_BYTES, view.getUint32(sealed + 20, true)).slice(),
    };
    this.#core.exports.chunk_free(sealed);
    return result;
  }

  /** As many chunks as the samples need. Throws where memory is refused. */
  encode(samples: Samples): ChunkBytes[] {
    const chunk = this.open();
    if (chunk === undefined) throw new OutOfMemory();
    const sealed: ChunkBytes[] = [];
    let at = 0;
    while (at < samples.times.length) {
      const { count, outcome } = this.append(chunk, samples, at);
      at += count;
      if (outcome === 'no-memory') throw new OutOfMemory();
      const bytes = this.seal(chunk);
      if (bytes === undefined) throw new OutOfMemory();
      sealed.push(bytes);
    }
    this.close(chunk);
    return sealed;
  }

  /** The samples of a chunk; undefined where the bytes are no XOR chunk. */
  decode(bytes: Uint8Array, options: DecodeOptions = {}): Samples | undefined {
    const { mint = -Infinity, maxt = Infinity, dropStale = false } = options;
    const samplesMax = bytes.length < 2 ? 0 : (bytes[0]! << 8) | bytes[1]!;
    const columnBytes = samplesMax * 8;
    const swappedBytes = (bytes.length & ~7) + DECODE_SLACK;
    const scratchBytes = 2 * columnBytes + swappedBytes + bytes.length;
    const times = this.#alloc(scratchBytes);
    const swapped = times + 2 * columnBytes;
    const data = swapped + swappedBytes;
    this.#core.bytes.set(bytes, data);
    const { chunk_decode } = this.#core.exports;
    const values = times + columnBytes;
    const count = chunk_decode(data, bytes.length, mint, maxt, dropStale, times, values, swapped);
    const samples =
      count === DECODE_INVALID
        ? undefined
        : {
            times: this.#core.f64(times, count).slice(),
            valueBits: this.#u64(times + columnBytes, count).slice(),
          };
    this.#core.exports.heap_free(times, scratchBytes);
    return samples;
  }

  #u64(address: number, length: number): BigUint64Array {
    return new BigUint64Array(this.#core.memory.buffer, address, length);
  }

  #alloc(bytes: number): number {
    const address = this.#core.exports.heap_alloc(bytes) >>> 0;
    if (address === 0) throw new OutOfMemory();
    return address;
  }
}

function outcomeOf(status: Status): Appended {
  switch (status) {
    case Status.Ok:
      return 'ok';
    case Status.Full:
      return 'full';
    case Status.NoMemory:
      return 'no-memory';
    default:
      throw new Error(`append answered ${status}`);
  }
}
