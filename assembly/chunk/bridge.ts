// Chunks as the façade sees them: states by address, times as f64, columns of samples.

import { Status } from '../layout';
import * as heap from '../memory/heap';
import * as decoder from './decode';
import * as read from './read';
import { Sealed } from './read';
import * as sealed from './sealed';
import { ChunkState, STATE_BYTES } from './state';
import * as xor from './xor';

/** An empty open chunk of its own, outside any series record; 0 where memory is refused. */
export function open(): usize {
  const state = heap.alloc(STATE_BYTES);
  if (state != 0) memory.fill(state, 0, STATE_BYTES);
  return state;
}

/** Gives an open chunk back that open() made. */
export function close(state: usize): void {
  sealed.release(changetype<ChunkState>(state));
  heap.free(state, STATE_BYTES);
}

/** Why appendColumns() stopped: Ok at the end of the columns. */
let stopped: i32 = Status.Ok;

export function appendStatus(): i32 {
  return stopped;
}

/** Appends samples from columns (f64 ms, value bits) until one is refused; gives the number appended. */
export function appendColumns(state: usize, times: usize, values: usize, count: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const at: usize = (<usize>i) << 3;
    stopped = xor.append(changetype<ChunkState>(state), <i64>load<f64>(times + at), load<u64>(values + at));
    if (stopped != Status.Ok) return i;
  }
  stopped = Status.Ok;
  return count;
}

export function samples(state: usize): u32 {
  return changetype<ChunkState>(state).count;
}

export function size(state: usize): u32 {
  return <u32>read.size(changetype<ChunkState>(state));
}

export function snapshot(state: usize, into: usize): u32 {
  return <u32>read.snapshot(changetype<ChunkState>(state), into);
}

export function seal(state: usize): usize {
  return sealed.seal(changetype<ChunkState>(state));
}

export function free(chunk: usize): void {
  sealed.free(changetype<Sealed>(chunk));
}

/** See decode.ts; here with f64 bounds. */
export function decode(
  data: usize,
  bytes: u32,
  mint: f64,
  maxt: f64,
  dropStale: bool,
  times: usize,
  values: usize,
  scratch: usize,
): i32 {
  // These casts saturate: queries say "everything" by infinite bounds.
  return decoder.decode(data, bytes, <i64>mint, <i64>maxt, dropStale, times, values, scratch);
}

export function count(data: usize, bytes: u32): u32 {
  return decoder.count(data, bytes);
}
