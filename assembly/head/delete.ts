// Deleting the samples of a series in a range of time: its chunks are made anew without them.
//
//   sealed   │ kept │ half in │ wholly in │ wholly in │ half in │ kept │      open chunk
//                     └─ rewritten ┘ └──── freed ────┘ └─ rewritten ┘         rewritten in place
//
// What is gone is gone for every reader at once, and no query has to know of deletions. The log gets the interval of
// what was deleted, so that a replay does the same at the same place among the appends: samples that come later, even
// at the same times, are new ones.
//
// Chunks that are in files were brought back before (recall.ts). What is made anew, and what comes at times of which
// something was deleted, stays in memory and in the log: a replay deletes what files have, wherever it stands.
//
// First everything that allocates, then everything that changes: a refusal leaves the series as it was.

import * as decoder from '../chunk/decode';
import { dataOf, Sealed, snapshot } from '../chunk/read';
import * as sealedChunks from '../chunk/sealed';
import { ChunkState, STATE_BYTES } from '../chunk/state';
import * as xor from '../chunk/xor';
import { CHUNK_BYTES_MAX, CHUNK_SAMPLES_MAX, DECODE_SLACK, Status } from '../layout';
import * as series from './series';
import * as spilled from './spilled';

const COLUMN_BYTES: i32 = CHUNK_SAMPLES_MAX * 8;

const times: usize = memory.data(COLUMN_BYTES, 16);
const values: usize = memory.data(COLUMN_BYTES, 16);
const swapped: usize = memory.data(CHUNK_BYTES_MAX + DECODE_SLACK, 16);
const openBytes: usize = memory.data(CHUNK_BYTES_MAX, 16);
/** Where a chunk's remaining samples are put together. */
const builder: usize = memory.data(<i32>STATE_BYTES, 16);

/** At most two chunks are half in the range: addresses of what stands for them, the newer first. */
const rewritten: usize = memory.data(8, 4);
let made: usize = 0;

let chunksFreed: f64 = 0;
let deleted: u32 = 0;
let first: i64 = 0;
let last: i64 = 0;

/** Chunks of which nothing was left. */
export function chunksFreedTotal(): f64 {
  return chunksFreed;
}

/** Samples deleted by the last deleteRange(). */
export function deletedCount(): u32 {
  return deleted;
}

/** Time of the first sample deleted by the last deleteRange(). */
export function deletedFrom(): i64 {
  return first;
}

/** Time of the last sample deleted by the last deleteRange(). */
export function deletedTo(): i64 {
  return last;
}

/** Deletes a series' samples from `mint` to `maxt`, both inclusive. NoMemory changes nothing. */
export function deleteRange(record: usize, mint: i64, maxt: i64): Status {
  deleted = 0;
  first = i64.MAX_VALUE;
  last = i64.MIN_VALUE;
  made = 0;
  const slot = series.spilled(record);
  if (!spilled.reserve(slot, 0, 0)) return Status.NoMemory;
  for (let block = series.sealed(record); block != 0; block = <usize>changetype<Sealed>(block).next) {
    const chunk = changetype<Sealed>(block);
    if (chunk.maxT < mint) break;
    if (!isHalfIn(chunk, mint, maxt)) continue;
    if (!build(dataOf(chunk), chunk.bytes, mint, maxt) || !sealBuilt()) return giveUp();
  }
  const state = changetype<ChunkState>(series.chunk(record));
  const before = deleted;
  const isOpenIn = state.count != 0 && state.time >= mint;
  if (isOpenIn && !build(openBytes, snapshot(state, openBytes), mint, maxt)) return giveUp();
  if (isOpenIn) replaceOpen(state, deleted != before);
  replaceSealed(record, mint, maxt);
  if (deleted != 0 && state.count == 0) showNewestSealed(record, state);
  if (deleted != 0) spilled.hold(slot, last);
  spilled.truncate(slot, spilled.count(slot));
  return Status.Ok;
}

/** Whether a part of a chunk's span is in the range, and a part is not: its first or its last sample stays. */
function isHalfIn(chunk: Sealed, mint: i64, maxt: i64): bool {
  return chunk.minT <= maxt && chunk.maxT >= mint && (chunk.minT < mint || chunk.maxT > maxt);
}

/** Puts a chunk's samples outside the range into the builder, and notes the others. False, and nothing built, where memory is refused. */
function build(data: usize, bytes: usize, mint: i64, maxt: i64): bool {
  const state = changetype<ChunkState>(builder);
  memory.fill(builder, 0, STATE_BYTES);
  const count = decoder.decode(data, bytes, i64.MIN_VALUE, i64.MAX_VALUE, false, times, values, swapped);
  assert(count > 0, 'a chunk of ours cannot be read');
  for (let i = 0; i < count; i++) {
    const at: usize = (<usize>i) << 3;
    const time = <i64>load<f64>(times + at);
    if (time >= mint && time <= maxt) note(time, time, 1);
    else if (xor.append(state, time, load<u64>(values + at)) != Status.Ok) {
      sealedChunks.release(state);
      return false;
    }
  }
  return true;
}

function sealBuilt(): bool {
  const state = changetype<ChunkState>(builder);
  const block = sealedChunks.seal(state);
  if (block == 0) sealedChunks.release(state);
  else {
    store<u32>(rewritten + (made << 2), <u32>block);
    made++;
  }
  return block != 0;
}

function giveUp(): Status {
  for (let i: usize = 0; i < made; i++) sealedChunks.free(rewrittenAt(i));
  deleted = 0;
  return Status.NoMemory;
}

function rewrittenAt(index: usize): Sealed {
  return changetype<Sealed>(<usize>load<u32>(rewritten + (index << 2)));
}

function note(from: i64, to: i64, count: u32): void {
  if (from < first) first = from;
  if (to > last) last = to;
  deleted += count;
}

/** The builder's samples are the open chunk from now on. */
function replaceOpen(state: ChunkState, isChanged: bool): void {
  const built = changetype<ChunkState>(builder);
  if (!isChanged) {
    sealedChunks.release(built);
    return;
  }
  sealedChunks.release(state);
  if (built.count != 0) memory.copy(changetype<usize>(state), builder, STATE_BYTES);
}

/** Links the rewritten chunks where the old ones were, and frees these and all that are wholly in the range. */
function replaceSealed(record: usize, mint: i64, maxt: i64): void {
  let newer: usize = 0;
  let next: usize = 0;
  let taken: usize = 0;
  for (let block = series.sealed(record); block != 0; block = next) {
    const chunk = changetype<Sealed>(block);
    if (chunk.maxT < mint) return;
    next = <usize>chunk.next;
    if (chunk.minT > maxt) {
      newer = block;
      continue;
    }
    let successor = next;
    if (isHalfIn(chunk, mint, maxt)) {
      const fresh = rewrittenAt(taken++);
      fresh.next = <u32>next;
      successor = changetype<usize>(fresh);
    } else {
      note(chunk.minT, chunk.maxT, decoder.count(dataOf(chunk), chunk.bytes));
      chunksFreed += 1;
    }
    if (newer == 0) series.setSealed(record, successor);
    else changetype<Sealed>(newer).next = <u32>successor;
    if (successor != next) newer = successor;
    sealedChunks.free(chunk);
  }
}

/** The record shows the series' newest sample, also where that is not in the open chunk any more. */
export function showNewestSealed(record: usize, state: ChunkState): void {
  const block = series.sealed(record);
  if (block == 0) return;
  const chunk = changetype<Sealed>(block);
  const data = dataOf(chunk);
  const count = decoder.decode(data, chunk.bytes, i64.MIN_VALUE, i64.MAX_VALUE, false, times, values, swapped);
  assert(count > 0, 'a chunk of ours cannot be read');
  state.time = chunk.maxT;
  state.value = load<u64>(values + ((<usize>count - 1) << 3));
}
