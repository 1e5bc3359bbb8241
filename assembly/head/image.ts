// An image of what the head has in memory alone: taken while the server runs, and given back when it starts, so that samples that
// the log has from before need not be applied once more.
//
//   collect   chunks that no file has, and open chunks as they are ──► pages of records
//   restore   records ──► the series of their refs, which the log has named by then
//
//   record    0       8       12     14         15      16     24     32      40      44      45       46         48
//             ┌───────┬───────┬──────┬──────────┬───────┬──────┬──────┬───────┬───────┬───────┬────────┬──────────┬──────── ─
//             │ ref   │ bytes │ count│ tailBits │ kind  │ min  │ max  │ value │ delta │leading│trailing│ –        │ chunk …
//             │ u64   │ u32   │ u16  │ u8       │ u8    │ i64  │ i64  │ u64   │ u32   │ u8    │ u8     │          │
//             └───────┴───────┴──────┴──────────┴───────┴──────┴──────┴───────┴───────┴───────┴────────┴──────────┴──────── ─
//   bytes     of the chunk, in the form that sealed ones have (chunk/read.ts); the next record begins at a multiple of 8
//   kind      1: sealed; 2: open, and what is between value and the chunk is its encoder's state. The value is the series' newest.
//             3: no chunk; max is up to when chunks have to stay in memory because something was deleted (spilled.ts)
//
// The chunks of a series come in the order of their times, the open one last. What files have of a series by the time it is given back
// was in memory when the image was taken, or comes before: chunks only grow at their end.

import * as read from '../chunk/read';
import { Sealed } from '../chunk/read';
import * as sealedChunks from '../chunk/sealed';
import { ChunkState } from '../chunk/state';
import * as stream from '../chunk/stream';
import { CHUNK_BYTES_MAX, CHUNK_SAMPLES_MAX, SEALED_HEADER_BYTES, Status } from '../layout';
import * as buffer from '../memory/buffer';
import * as append from './append';
import * as late from './late';
import * as series from './series';
import * as spilled from './spilled';

const BYTES: usize = 8;
const COUNT: usize = 12;
const TAIL_BITS: usize = 14;
const KIND: usize = 15;
const MIN: usize = 16;
const MAX: usize = 24;
const VALUE: usize = 32;
const DELTA: usize = 40;
const LEADING: usize = 44;
const TRAILING: usize = 45;
const HEAD: usize = 48;

const SEALED: u8 = 1;
const OPEN: u8 = 2;
const HOLD: u8 = 3;

const page: usize = memory.data(16, 8);
/** Series of the last collect() that an image cannot have: what the log has of them is to be read. */
let left: u32 = 0;
let refused: bool = false;

/** Chunks of one series that no file has: more are not carried. */
const CHUNKS_MAX: u32 = 64;
const chain: usize = memory.data(<i32>CHUNKS_MAX * 4, 16);

/** Of restore(): samples that were given back, and the newest of them. */
let restored: f64 = 0;
let newestTime: i64 = i64.MIN_VALUE;

export function pageAddress(): usize {
  return buffer.address(page);
}

export function pageBytes(): u32 {
  return buffer.length(page);
}

export function leftOut(): u32 {
  return left;
}

/** Whether the memory limit ended the last collect(). */
export function isRefused(): bool {
  return refused;
}

export function restoredSamples(): f64 {
  return restored;
}

export function restoredNewest(): f64 {
  return <f64>newestTime;
}

/** Gives the page back. */
export function end(): void {
  buffer.clear(page);
}

/** Writes what is in memory alone of at most `count` series from `from` on, until the page has `bytesMax`. Gives where to go on. */
export function collect(from: u32, count: u32, bytesMax: u32): u32 {
  buffer.truncate(page, 0);
  left = 0;
  refused = false;
  const end = min(from + count, series.bound());
  let number = from;
  for (; number < end && buffer.length(page) < bytesMax; number++) {
    const record = series.find(number);
    if (record == 0 || !hasAny(record)) continue;
    if (series.newestHistogram(record) != i64.MIN_VALUE || late.has(number)) {
      left++;
      continue;
    }
    const before = buffer.length(page);
    refused = !collectSeries(record);
    if (!refused) continue;
    buffer.truncate(page, before);
    break;
  }
  return number;
}

function hasAny(record: usize): bool {
  if (changetype<ChunkState>(series.chunk(record)).count != 0 || series.sealed(record) != 0) return true;
  return spilled.heldTo(series.spilled(record)) != i64.MIN_VALUE;
}

function collectSeries(record: usize): bool {
  const state = changetype<ChunkState>(series.chunk(record));
  const slot = series.spilled(record);
  const ref = series.ref(record);
  const known = spilled.newest(slot);
  const held = spilled.heldTo(slot);
  if (held != i64.MIN_VALUE && !writeHold(ref, held)) return false;
  let chunks: u32 = 0;
  for (let block = series.sealed(record); block != 0; block = <usize>changetype<Sealed>(block).next) {
    if (changetype<Sealed>(block).maxT <= known) break;
    if (chunks == CHUNKS_MAX) {
      left++;
      return true;
    }
    store<u32>(chain + ((<usize>chunks) << 2), <u32>block);
    chunks++;
  }
  while (chunks-- > 0) {
    const chunk = changetype<Sealed>(<usize>load<u32>(chain + ((<usize>chunks) << 2)));
    if (!writeSealed(ref, chunk, state.value)) return false;
  }
  return state.count == 0 || writeOpen(ref, state);
}

function writeSealed(ref: u64, chunk: Sealed, value: u64): bool {
  const at = writeHead(ref, read.bytesOf(chunk), SEALED);
  if (at == 0) return false;
  store<i64>(at, chunk.minT, MIN);
  store<i64>(at, chunk.maxT, MAX);
  store<u64>(at, value, VALUE);
  memory.copy(at + HEAD, read.dataOf(chunk), read.bytesOf(chunk));
  return true;
}

function writeHold(ref: u64, held: i64): bool {
  const at = writeHead(ref, 0, HOLD);
  if (at != 0) store<i64>(at, held, MAX);
  return at != 0;
}

function writeOpen(ref: u64, state: ChunkState): bool {
  const bytes = read.size(state);
  const at = writeHead(ref, <u32>bytes, OPEN);
  if (at == 0) return false;
  read.copy(state, at + HEAD, bytes);
  store<u16>(at, state.count, COUNT);
  store<u8>(at, state.tailBits, TAIL_BITS);
  store<i64>(at, sealedChunks.firstTime(at + HEAD), MIN);
  store<i64>(at, state.time, MAX);
  store<u64>(at, state.value, VALUE);
  store<u32>(at, state.delta, DELTA);
  store<u8>(at, state.leading, LEADING);
  store<u8>(at, state.trailing, TRAILING);
  return true;
}

/** Room for a record of a chunk of so many bytes, all zero but what every record has; 0 where the memory limit says no. */
function writeHead(ref: u64, bytes: u32, kind: u8): usize {
  const size = <u32>sizeFor(bytes);
  const at = buffer.reserve(page, size);
  if (at == 0) return 0;
  memory.fill(at, 0, HEAD);
  memory.fill(at + size - 8, 0, 8);
  store<u64>(at, ref);
  store<u32>(at, bytes, BYTES);
  store<u8>(at, kind, KIND);
  buffer.advance(page, size);
  return at;
}

function sizeFor(bytes: usize): usize {
  return (HEAD + bytes + 7) & ~7;
}

/**
 * The first record of the `bytes` bytes at `at` that is whole: how many bytes it takes; 0 where it says what no record says.
 */
export function sizeAt(at: usize, bytes: usize): usize {
  if (bytes < HEAD) return 0;
  const length = load<u32>(at, BYTES);
  if (length > <u32>CHUNK_BYTES_MAX) return 0;
  const size = sizeFor(length);
  return size > bytes ? 0 : size;
}

export function refAt(at: usize): u64 {
  return load<u64>(at);
}

/**
 * Gives a series what a record has of it, but for what ends before `mint` and what it has already. Invalid where the record is not one of
 * ours, or has samples on both sides of `mint`.
 */
export function restore(record: usize, at: usize, mint: i64): Status {
  const kind = load<u8>(at, KIND);
  const maxT = load<i64>(at, MAX);
  if (kind == HOLD) return restoreHold(series.spilled(record), maxT);
  const minT = load<i64>(at, MIN);
  if (maxT < mint) return Status.Ok;
  if (minT < mint) return Status.Invalid;
  const state = changetype<ChunkState>(series.chunk(record));
  if (append.hasSamples(record, state) && maxT <= state.time) return Status.Ok;
  // Another server has made other chunks of it.
  if (state.count != 0 || (append.hasSamples(record, state) && minT <= state.time)) return Status.Invalid;
  const status = kind == SEALED ? restoreSealed(record, at) : kind == OPEN ? restoreOpen(state, at) : Status.Invalid;
  if (status != Status.Ok) return status;
  state.time = maxT;
  state.value = load<u64>(at, VALUE);
  if (maxT > newestTime) newestTime = maxT;
  return Status.Ok;
}

function restoreHold(slot: usize, held: i64): Status {
  if (!spilled.reserve(slot, 0, 0)) return Status.NoMemory;
  spilled.hold(slot, held);
  return Status.Ok;
}

function restoreSealed(record: usize, at: usize): Status {
  const bytes = load<u32>(at, BYTES);
  const block = sealedChunks.alloc(bytes);
  if (block == 0) return Status.NoMemory;
  const chunk = changetype<Sealed>(block);
  chunk.minT = load<i64>(at, MIN);
  chunk.maxT = load<i64>(at, MAX);
  chunk.bytes = bytes;
  chunk.next = <u32>series.sealed(record);
  const data = block + <usize>SEALED_HEADER_BYTES;
  memory.copy(data, at + HEAD, bytes);
  series.setSealed(record, block);
  append.noteSealed(1);
  restored += <f64>bswap<u16>(load<u16>(data));
  return Status.Ok;
}

function restoreOpen(state: ChunkState, at: usize): Status {
  const count = load<u16>(at, COUNT);
  const tailBits = load<u8>(at, TAIL_BITS);
  if (count == 0 || <i32>count > CHUNK_SAMPLES_MAX || tailBits > 63) return Status.Invalid;
  const tailBytes: usize = (<usize>tailBits + 7) >> 3;
  const bytes = <usize>load<u32>(at, BYTES);
  if (bytes < tailBytes || ((bytes - tailBytes) & 7) != 0) return Status.Invalid;
  if (!stream.refill(state, at + HEAD, bytes - tailBytes, tailBits)) return Status.NoMemory;
  state.delta = load<u32>(at, DELTA);
  state.leading = load<u8>(at, LEADING);
  state.trailing = load<u8>(at, TRAILING);
  state.count = <u8>count;
  restored += <f64>count;
  return Status.Ok;
}
