// Forgetting what lies before the head's window, in steps of bounded length.
//
//   1. scan      for each series: free sealed chunks that end before mint; retire the series without samples since
//   2. sweep     for each name: take retired series out of the postings lists
//   3. finish    free the labels of the retired, and pages of records that are all gone
//
// Appends and queries may come between steps: a retired series is not found by its labels
// any more, and whoever meets it in a postings list skips it.

import { Sealed } from '../chunk/read';
import * as sealedChunks from '../chunk/sealed';
import { ChunkState } from '../chunk/state';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as pairs from '../postings/pairs';
import * as late from './late';
import * as series from './series';
import * as spilled from './spilled';
import { oldestSealed } from './wanted';

/** Members of lists, series, and pages of records that one step looks at: a millisecond or two each. */
const SWEPT_MEMBERS: u32 = 100_000;
const DESTROYED_SERIES: u32 = 2000;
const DROPPED_PAGES: u32 = 64;

const retired: usize = memory.data(16, 8);
/** Members of a list while it is swept. */
const scratch: usize = memory.data(16, 8);
/** Of the retired, so many have lost their labels. */
let destroyed: u32 = 0;
let alive: usize = 0;
let aliveBound: u32 = 0;
let chunksFreed: f64 = 0;

/** Series retired since the last finish(). */
export function retiredCount(): u32 {
  return buffer.length(retired) >>> 2;
}

/** The retired series' indexes, u32 each: caches that name them must forget them. */
export function retiredAddress(): usize {
  return buffer.address(retired);
}

export function chunksFreedTotal(): f64 {
  return chunksFreed;
}

/**
 * Step 1 for `count` series from `from` on. A series whose newest sample is before `mint` is retired; one of which all was
 * deleted when its newest sample was.
 */
export function scan(mint: i64, from: u32, count: u32): void {
  const end = min(from + count, series.bound());
  for (let number = from; number < end; number++) {
    const record = series.find(number);
    if (record == 0) {
      if (series.isLost(number) && !retireLost(number)) return;
      continue;
    }
    chunksFreed += <f64>spilled.dropBefore(series.spilled(record), mint, oldestSealed(record));
    dropSealedBefore(record, mint);
    const state = changetype<ChunkState>(series.chunk(record));
    if (series.sealed(record) != 0 || (isOrWasThere(state) && state.time >= mint)) continue;
    if (spilled.count(series.spilled(record)) != 0) continue;
    if (series.newestHistogram(record) >= mint || late.has(number)) continue;
    // Room for its number comes first: without it the series simply stays until the next time.
    const entry = buffer.reserve(retired, 4);
    if (entry == 0) return;
    sealedChunks.release(state);
    spilled.release(series.spilled(record));
    series.retire(number);
    store<u32>(entry, number);
    buffer.advance(retired, 4);
  }
}

/** Whether the time means something: of a deleted newest sample it stays. */
function isOrWasThere(state: ChunkState): bool {
  return state.count != 0 || state.time != 0;
}

function retireLost(number: u32): bool {
  const entry = buffer.reserve(retired, 4);
  if (entry == 0) return false;
  series.retireLost(number);
  store<u32>(entry, number);
  buffer.advance(retired, 4);
  return true;
}

/** Prepares step 2; false where the memory limit says no. Nothing to sweep where nothing was retired. */
export function beginSweep(): bool {
  assert(alive == 0, 'a sweep is under way');
  aliveBound = series.bound();
  const bytes = (<usize>aliveBound + 7) >>> 3;
  if (bytes == 0) return false;
  alive = heap.alloc(bytes);
  if (alive == 0) return false;
  memory.fill(alive, 0xff, bytes);
  const count = retiredCount();
  for (let i: u32 = 0; i < count; i++) {
    const number = load<u32>(buffer.address(retired) + ((<usize>i) << 2));
    const byte = alive + (number >>> 3);
    store<u8>(byte, load<u8>(byte) & ~(<u8>((<u32>1) << (number & 7))));
  }
  return true;
}

/** Step 2 for some of one name (0 … pairs.nameBound() - 1); whether it has no more. The memory limit may say no: the next time, then. */
export function sweepName(name: u32): bool {
  return pairs.sweep(name, alive, aliveBound, scratch, SWEPT_MEMBERS);
}

/** Step 3 for some of the retired, after every name was swept; whether it was the last. */
export function finish(): bool {
  const count = retiredCount();
  const end = min(destroyed + DESTROYED_SERIES, count);
  for (; destroyed < end; destroyed++) {
    series.destroy(load<u32>(buffer.address(retired) + ((<usize>destroyed) << 2)));
  }
  if (destroyed < count || !series.dropDeadPages(DROPPED_PAGES)) return false;
  destroyed = 0;
  buffer.clear(retired);
  buffer.clear(scratch);
  heap.free(alive, (<usize>aliveBound + 7) >>> 3);
  alive = 0;
  return true;
}

/** Sealed chunks are linked newest first, so all behind the first old one are old too. */
function dropSealedBefore(record: usize, mint: i64): void {
  let previous: usize = 0;
  let block = series.sealed(record);
  while (block != 0 && changetype<Sealed>(block).maxT >= mint) {
    previous = block;
    block = <usize>changetype<Sealed>(block).next;
  }
  if (block == 0) return;
  if (previous == 0) series.setSealed(record, 0);
  else changetype<Sealed>(previous).next = 0;
  while (block != 0) {
    const next = <usize>changetype<Sealed>(block).next;
    sealedChunks.free(changetype<Sealed>(block));
    chunksFreed += 1;
    block = next;
  }
}
