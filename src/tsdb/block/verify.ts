// Reading all of a block: what a block just written is tried with, and an old one from time to time.

import { compareBytes } from '../bytes.js';
import type { Block } from './block.js';
import { BlockFault } from './contract.js';
import type { IndexReader } from './index-reader.js';
import { SeriesEntry } from './series-entry.js';

/** Series whose chunks are read together: some tens of KB where each has one. */
const SERIES_AT_ONCE = 256;
/** Lists of postings between two steps. */
const LISTS_AT_ONCE = 256;

/** What a block was found to hold. */
export interface BlockCounts {
  readonly series: number;
  readonly chunks: number;
  readonly samples: number;
}

/**
 * Reads every series, list and chunk of a block, in steps of a few milliseconds. Throws a BlockFault where a checksum is
 * wrong, series are out of order, or postings and labels do not agree; a DiskError where the disk refuses.
 */
export function* verifying(block: Block): Generator<void, BlockCounts, void> {
  const { index, chunks } = block;
  const all = index.allSeries();
  // Reads them in order, which is looked at.
  index.symbols.table();
  let before = new SeriesEntry();
  let entry = new SeriesEntry();
  const counts = { series: 0, chunks: 0, samples: 0 };
  let pairs = 0;
  for (let at = 0; at < all.length; at += SERIES_AT_ONCE) {
    const refs: number[] = [];
    for (const ref of all.subarray(at, at + SERIES_AT_ONCE)) {
      index.series(ref, entry);
      if (counts.series > 0 && compareSymbols(before.labels, entry.labels) >= 0) {
        throw new BlockFault(index.path, `series at ${ref * 16}`, 'its labels do not come after those before');
      }
      pairs += entry.labelCount;
      counts.series++;
      for (let i = 0; i < entry.chunkCount; i++) refs.push(entry.chunkRefs[i]!);
      [before, entry] = [entry, before];
    }
    const read = chunks.read(refs);
    for (const start of read.starts) counts.samples += (read.bytes[start]! << 8) | read.bytes[start + 1]!;
    counts.chunks += refs.length;
    yield;
  }
  const listed = yield* countPairs(index);
  if (listed !== pairs) throw new BlockFault(index.path, 'postings', `${listed} refs of series with ${pairs} labels`);
  return counts;
}

/** All of it at once. */
export function verifyBlock(block: Block): BlockCounts {
  const steps = verifying(block);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Reads all lists of postings, values in order; gives the number of refs in them, those of the list of all series left out. */
function* countPairs(index: IndexReader): Generator<void, number, void> {
  let pairs = 0;
  let lists = 0;
  for (const name of index.names()) {
    let before: Uint8Array | undefined;
    for (const { value, offset } of index.values(name)) {
      if (before !== undefined && compareBytes(before, value) >= 0) {
        throw new BlockFault(index.path, 'postings table', `values of ${name} out of order`);
      }
      before = value;
      pairs += index.postingsAt(offset).length;
      if (++lists % LISTS_AT_ONCE === 0) yield;
    }
  }
  return pairs;
}

/** The order of label sets, whose symbols are in the order of their text. */
function compareSymbols(a: Uint32Array, b: Uint32Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = a[i]! - b[i]!;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
