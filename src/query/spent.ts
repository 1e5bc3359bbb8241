// Large buffers that a query read or made: given back when nobody looks at them any more, which is long before
// the garbage collector would find out, and spares it most of its large collections.

import { freeBuffer } from '../base/thread.js';
import type { QueryData } from './result.js';

/** Freeing a buffer takes 3 µs; smaller ones are not worth it. */
const FREED_BYTES_MIN = 16 * 1024;

/** Frees buffers: takes them. Those that were moved meanwhile are passed over. */
export function freeBuffers(buffers: Iterable<ArrayBufferLike>): void {
  for (const buffer of new Set(buffers)) {
    if (buffer.byteLength >= FREED_BYTES_MIN && buffer instanceof ArrayBuffer) freeBuffer(buffer);
  }
}

/** Those of a range query's result: operators made them for it alone. Newest samples may be known to others. */
export function resultBuffers(data: QueryData): ArrayBufferLike[] {
  return data.kind === 'range' ? [data.columns.values.buffer, data.columns.present.buffer] : [];
}
