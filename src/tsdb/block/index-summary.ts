// What a reader keeps of an index in memory, to hand to others that read the same: they need not read it all for that.
//
// Plain data over shared memory: it goes to other threads as it is, and is there once.

import type { NameSamples } from './postings-table.js';
import type { SymbolSamples } from './symbols.js';

export interface IndexSummary {
  /** Which index it is of: that of another is of no use. */
  readonly sizeBytes: number;
  readonly checksum: number;
  readonly symbols: SymbolSamples;
  readonly names: readonly NameSamples[];
}

/** The same summary in one piece of shared memory. */
export function shareSummary(summary: IndexSummary): IndexSummary {
  const arrays = [
    summary.symbols.offsets,
    ...summary.names.flatMap(({ samples, ends, values }) => [samples, ends, values]),
  ];
  const bytes = arrays.reduce((sum, array) => sum + aligned(array.byteLength), 0);
  const shared = new SharedArrayBuffer(bytes);
  let at = 0;
  const place = (length: number) => {
    const from = at;
    at += aligned(length);
    return from;
  };
  const moveWords = (array: Uint32Array) => {
    const moved = new Uint32Array(shared, place(array.byteLength), array.length);
    moved.set(array);
    return moved;
  };
  const moveBytes = (array: Uint8Array) => {
    const moved = new Uint8Array(shared, place(array.byteLength), array.length);
    moved.set(array);
    return moved;
  };
  return {
    ...summary,
    symbols: { ...summary.symbols, offsets: moveWords(summary.symbols.offsets) },
    names: summary.names.map((one) => ({
      ...one,
      samples: moveWords(one.samples),
      ends: moveWords(one.ends),
      values: moveBytes(one.values),
    })),
  };
}

/** Words stand at multiples of four. */
function aligned(bytes: number): number {
  return (bytes + 3) & ~3;
}
