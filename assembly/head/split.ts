// Splitting the chunks that cross a time, so that what lies before it can leave the head.
//
// Chunks never cross multiples of CHUNK_WINDOW_MS. Only a range with other ends needs this: blocks of another span,
// and what leaves early because memory is short.

import { decode, count as samplesOf } from '../chunk/decode';
import * as read from '../chunk/read';
import { Sealed } from '../chunk/read';
import * as sealedChunks from '../chunk/sealed';
import { ChunkState, STATE_BYTES } from '../chunk/state';
import * as xor from '../chunk/xor';
import { CHUNK_BYTES_MAX, CHUNK_SAMPLES_MAX, DECODE_SLACK, Status } from '../layout';
import { cut, noteSealed } from './append';
import * as series from './series';

const times: usize = memory.data(CHUNK_SAMPLES_MAX * 8, 8);
const values: usize = memory.data(CHUNK_SAMPLES_MAX * 8, 8);
const bytes: usize = memory.data(CHUNK_BYTES_MAX + DECODE_SLACK, 16);
const state: usize = memory.data(<i32>STATE_BYTES + 4, 8);

/** Splits the chunks of `count` series from `from` on; false where the memory limit says no: what is not split is as it was. */
export function splitAt(time: f64, from: u32, count: u32): bool {
  const end = min(from + count, series.bound());
  for (let number = from; number < end; number++) {
    const record = series.find(number);
    if (record != 0 && !splitSeries(record, <i64>time)) return false;
  }
  return true;
}

function splitSeries(record: usize, time: i64): bool {
  const open = changetype<ChunkState>(series.chunk(record));
  // One that ends before the time is sealed as well: else the next sample would make it cross.
  if (open.count != 0 && (open.time < time || firstOfOpen(open) < time) && !cut(record, open)) return false;
  let newer: usize = 0;
  let block = series.sealed(record);
  while (block != 0 && changetype<Sealed>(block).minT >= time) {
    newer = block;
    block = <usize>changetype<Sealed>(block).next;
  }
  if (block == 0 || changetype<Sealed>(block).maxT < time) return true;
  const late = splitChunk(changetype<Sealed>(block), time);
  if (late == 0) return false;
  if (newer == 0) series.setSealed(record, late);
  else changetype<Sealed>(newer).next = <u32>late;
  sealedChunks.free(changetype<Sealed>(block));
  noteSealed(1);
  return true;
}

/** The time of the first sample of an open chunk, which has some. */
export function firstOfOpen(open: ChunkState): i64 {
  read.snapshot(open, bytes);
  return sealedChunks.firstTime(bytes);
}

/** Two chunks in place of one, the later linked to the earlier, that to the one before; 0 where memory is refused. */
function splitChunk(chunk: Sealed, time: i64): usize {
  const data = read.dataOf(chunk);
  assert(<i32>samplesOf(data, chunk.bytes) <= CHUNK_SAMPLES_MAX, 'the head has no larger chunks');
  const count = decode(data, chunk.bytes, i64.MIN_VALUE, i64.MAX_VALUE, false, times, values, bytes);
  assert(count > 1, 'a chunk that crosses a time has samples on both sides');
  let before: i32 = 0;
  while (load<f64>(times + ((<usize>before) << 3)) < <f64>time) before++;
  const early = encode(0, before);
  if (early == 0) return 0;
  const late = encode(before, count);
  if (late == 0) {
    sealedChunks.free(changetype<Sealed>(early));
    return 0;
  }
  changetype<Sealed>(early).next = chunk.next;
  changetype<Sealed>(late).next = <u32>early;
  return late;
}

/** A sealed chunk of the decoded samples [from, to); 0 where memory is refused. */
function encode(from: i32, to: i32): usize {
  memory.fill(state, 0, STATE_BYTES);
  const open = changetype<ChunkState>(state);
  for (let i = from; i < to; i++) {
    const offset = (<usize>i) << 3;
    if (xor.append(open, <i64>load<f64>(times + offset), load<u64>(values + offset)) != Status.Ok) {
      sealedChunks.release(open);
      return 0;
    }
  }
  const block = sealedChunks.seal(open);
  if (block == 0) sealedChunks.release(open);
  return block;
}
