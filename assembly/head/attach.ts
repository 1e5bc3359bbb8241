// Chunks that files have when a shard starts: read before the log, given to the series when the log makes these.
//
//   scan     records of a file ──► by ref, its chunks (filed.ts)
//   attach   the series of a ref ──► has a list of them from then on (spilled.ts); samples of the log up to its end are in it
//   forget   the chunks of a ref of another shard
//   finish   what no series took
//
// Chunks of histograms are for TypeScript (src/shard/histogram-attach.ts), which keeps those of a series that has nothing else. Files of
// Prometheus have chunks of samples out of order, too, and series with both kinds: their samples are in its logs, and are read from there.

import { ChunkState } from '../chunk/state';
import { HEAD_HISTOGRAM_BYTES, ScanStatus } from '../layout';
import * as buffer from '../memory/buffer';
import * as append from './append';
import * as chunkRecord from './chunk-record';
import * as filed from './filed';
import { REF_MAX } from './ref-map';
import * as series from './series';
import * as spill from './spill';
import * as spilled from './spilled';

let status: ScanStatus = ScanStatus.More;
/** The latest time of a chunk of the file, whatever its kind; i64.MIN_VALUE where there is none. */
let latest: i64 = i64.MIN_VALUE;
let hasOutOfOrder: bool = false;
let chunks: f64 = 0;
let overlapping: f64 = 0;
let highest: u64 = 0;

/** What was found of series with histograms since it was last asked: see takeHistogram(). */
const histograms: usize = memory.data(16, 8);

let newestTime: i64 = i64.MIN_VALUE;

/** Begins with a file. */
export function beginFile(): void {
  latest = i64.MIN_VALUE;
  hasOutOfOrder = false;
  chunks = 0;
  overlapping = 0;
}

/**
 * Reads the records in `bytes` bytes at `at`, which are those from `offset` on of a file; chunks that end before `floor` are
 * passed over. Gives how many bytes are done with; scanStatus() says why it stopped.
 */
export function scan(at: usize, bytes: usize, file: u32, offset: u32, floor: f64): usize {
  let done: usize = 0;
  status = ScanStatus.More;
  while (true) {
    const found = chunkRecord.read(at + done, bytes - done);
    if (found == chunkRecord.Found.Short) return done;
    if (found != chunkRecord.Found.Chunk) {
      status = found == chunkRecord.Found.Zeroes ? ScanStatus.End : ScanStatus.Damaged;
      return done;
    }
    if (!take(file, offset + <u32>done, <i64>floor)) {
      status = ScanStatus.NoMemory;
      return done;
    }
    done += chunkRecord.recordBytes;
  }
}

/** Notes of HEAD_HISTOGRAM_BYTES each. */
export function histogramsAddress(): usize {
  return buffer.address(histograms);
}

export function histogramsBytes(): u32 {
  return buffer.length(histograms);
}

export function clearHistograms(): void {
  buffer.clear(histograms);
}

/** The first place behind `at` at which a whole chunk stands, up to `bytes`; `bytes` where there is none. */
export function resync(at: usize, bytes: usize): usize {
  for (let skipped: usize = 1; skipped < bytes; skipped++) {
    // Refs are below 2^40.
    if ((load<u32>(at + skipped) & 0xffffff) != 0) continue;
    if (chunkRecord.read(at + skipped, bytes - skipped) == chunkRecord.Found.Chunk) return skipped;
  }
  return bytes;
}

export function scanStatus(): ScanStatus {
  return status;
}

export function latestInFile(): f64 {
  return <f64>latest;
}

export function fileHasOutOfOrder(): bool {
  return hasOutOfOrder;
}

export function chunksInFile(): f64 {
  return chunks;
}

/** Chunks of the file that begin before their series' last one ends: not used. */
export function overlappingInFile(): f64 {
  return overlapping;
}

export function highestRef(): f64 {
  return <f64>highest;
}

function take(file: u32, offset: u32, floor: i64): bool {
  const ref = chunkRecord.ref;
  const minT = chunkRecord.minT;
  const maxT = chunkRecord.maxT;
  const encoding = chunkRecord.encoding;
  chunks += 1;
  if (ref > highest && ref <= REF_MAX) highest = ref;
  if (maxT > latest) latest = maxT;
  if ((encoding & chunkRecord.OUT_OF_ORDER) != 0) {
    hasOutOfOrder = true;
    return true;
  }
  if (maxT < floor || ref > REF_MAX) return true;
  const slot = filed.slot(ref);
  if (slot == 0) return false;
  const newest = filed.newest(slot);
  const isHistogram = encoding != chunkRecord.XOR;
  const isMixed = isHistogram ? newest != 0 : !filed.isUsable(slot);
  if ((isHistogram || isMixed) && !takeHistogram(file, offset, isMixed)) return false;
  if (isHistogram || !spilled.canBeListed(file, offset, minT, maxT)) {
    filed.spoil(slot);
    return true;
  }
  if (newest == 0 || minT > filed.maxOf(newest)) return filed.push(slot, file, offset, minT, maxT);
  overlapping += 1;
  return true;
}

/**
 * Notes a chunk of a series with histograms, with the bytes of its record.
 *
 *   0       8      16     24      28        32       36
 *   ┌───────┬──────┬──────┬───────┬─────────┬────────┬──────────────────────────────────────┐
 *   │ ref   │ min  │ max  │ file  │ offset  │ bytes  │ encoding; 0 where floats were found  │
 *   │ u64   │ i64  │ i64  │ u32   │ u32     │ u32    │ u32                                  │
 *   └───────┴──────┴──────┴───────┴─────────┴────────┴──────────────────────────────────────┘
 */
function takeHistogram(file: u32, offset: u32, isMixed: bool): bool {
  const note = buffer.reserve(histograms, HEAD_HISTOGRAM_BYTES);
  if (note == 0) return false;
  store<u64>(note, chunkRecord.ref);
  store<i64>(note, chunkRecord.minT, 8);
  store<i64>(note, chunkRecord.maxT, 16);
  store<u32>(note, file, 24);
  store<u32>(note, offset, 28);
  store<u32>(note, <u32>chunkRecord.recordBytes, 32);
  store<u32>(note, isMixed ? 0 : chunkRecord.encoding, 36);
  buffer.advance(histograms, HEAD_HISTOGRAM_BYTES);
  return true;
}

/** Whether files have chunks of a ref that no series was given yet. */
export function has(ref: u64): bool {
  const from = filed.find(ref);
  return from != 0 && load<u32>(from) != 0;
}

/** Gives the series of a ref, which the log has just named, the chunks that files have of it; false where the memory limit says no. */
export function attach(number: u32, ref: u64): bool {
  const from = filed.find(ref);
  if (from == 0 || load<u32>(from) == 0) return true;
  const record = series.at(number);
  const slot = series.spilled(record);
  const state = changetype<ChunkState>(series.chunk(record));
  // A second ref of the same labels, or samples of the log that came before: they stand on their own.
  const isWanted = filed.isUsable(from) && filed.newest(from) != 0 && !append.hasSamples(record, state);
  if (isWanted && !list(slot, from)) return false;
  filed.drop(from);
  if (!isWanted) return true;
  state.time = spilled.newest(slot);
  append.noteSealed(spilled.count(slot));
  spill.noteEvicted(state.time);
  if (state.time > newestTime) newestTime = state.time;
  return true;
}

/** Makes a list of chunks by ref. What is too long before the newest for a list to say is left out. */
function list(slot: usize, from: usize): bool {
  const last = filed.maxOf(filed.newest(from));
  let count: u32 = 0;
  let first = last;
  for (let node = filed.newest(from); node != 0 && spilled.canSpan(filed.minOf(node), last); node = filed.next(node)) {
    first = filed.minOf(node);
    count++;
  }
  // Of an older ref of the same labels, whose chunks were all deleted, an empty list may be there.
  spilled.release(slot);
  if (!spilled.reserve(slot, count, first)) return false;
  filed.reverse(from);
  for (let node = filed.newest(from); node != 0; node = filed.next(node)) {
    const minT = filed.minOf(node);
    if (minT < first) continue;
    spilled.push(slot, filed.fileOf(node), filed.offsetOf(node), minT, filed.maxOf(node));
  }
  return true;
}

/** The series of a ref, which the log has just named, is another shard's. */
export function forget(ref: u64): void {
  const from = filed.find(ref);
  if (from != 0) filed.drop(from);
}

/** Forgets the chunks that no series took. */
export function finish(): void {
  filed.clear();
}

/** The newest sample in chunks that series were given; below -2^62 where there is none. */
export function newest(): f64 {
  return <f64>newestTime;
}
