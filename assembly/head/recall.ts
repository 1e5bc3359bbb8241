// Chunks of files back in memory for good: what is deleted, and a series' newest sample, need them there.

import { bytesOf, dataOf, Sealed } from '../chunk/read';
import * as sealedChunks from '../chunk/sealed';
import { ChunkState } from '../chunk/state';
import { Status } from '../layout';
import * as buffer from '../memory/buffer';
import { showNewestSealed } from './delete';
import * as series from './series';
import * as spilled from './spilled';

const bare: usize = memory.data(16, 8);

/**
 * Takes the chunks of a series that end at or after `mint` off its list, if any touches [mint, maxt]: they are in memory from now
 * on, and stay there. `loaded` is the newest of those that were not, linked to the others. NoMemory changes nothing.
 */
export function recall(number: u32, loaded: usize, mint: f64, maxt: f64): Status {
  const record = series.find(number);
  if (record == 0) return Status.Ok;
  const slot = series.spilled(record);
  const known = spilled.newest(slot);
  let left = spilled.count(slot);
  while (left > 0 && spilled.maxOf(slot, left - 1) >= <i64>mint) left--;
  if (left == spilled.count(slot) || spilled.minOf(slot, left) > <i64>maxt) return Status.Ok;
  if (!linkCopies(record, loaded)) return Status.NoMemory;
  spilled.hold(slot, known);
  spilled.truncate(slot, left);
  return Status.Ok;
}

/** Copies a chain of chunks behind the oldest sealed chunk of a series; false where memory is refused, and nothing has changed. */
function linkCopies(record: usize, loaded: usize): bool {
  let first: usize = 0;
  let last: usize = 0;
  for (let block = loaded; block != 0; block = <usize>changetype<Sealed>(block).next) {
    const copy = copyOf(changetype<Sealed>(block));
    if (copy == 0) {
      freeChain(first);
      return false;
    }
    if (last == 0) first = copy;
    else changetype<Sealed>(last).next = <u32>copy;
    last = copy;
  }
  let oldest = series.sealed(record);
  while (oldest != 0 && changetype<Sealed>(oldest).next != 0) oldest = <usize>changetype<Sealed>(oldest).next;
  if (oldest == 0) series.setSealed(record, first);
  else changetype<Sealed>(oldest).next = <u32>first;
  return true;
}

function copyOf(chunk: Sealed): usize {
  const bytes = bytesOf(chunk);
  const block = sealedChunks.alloc(bytes);
  if (block == 0) return 0;
  const copy = changetype<Sealed>(block);
  copy.minT = chunk.minT;
  copy.maxT = chunk.maxT;
  copy.next = 0;
  copy.bytes = bytes;
  memory.copy(dataOf(copy), dataOf(chunk), bytes);
  return block;
}

function freeChain(first: usize): void {
  let block = first;
  while (block != 0) {
    const next = <usize>changetype<Sealed>(block).next;
    sealedChunks.free(changetype<Sealed>(block));
    block = next;
  }
}

/** Lists up to `most` series, from `from` on, of which no sample is in memory though files have some. Gives where to go on. */
export function listBare(from: u32, most: u32): u32 {
  buffer.truncate(bare, 0);
  const end = series.bound();
  let number = from;
  for (; number < end && buffer.length(bare) < most << 2; number++) {
    const record = series.find(number);
    if (record == 0 || !isBare(record)) continue;
    const at = buffer.reserve(bare, 4);
    if (at == 0) break;
    store<u32>(at, number);
    buffer.advance(bare, 4);
  }
  return number;
}

export function bareAddress(): usize {
  return buffer.address(bare);
}

export function bareCount(): u32 {
  return buffer.length(bare) >>> 2;
}

/** Whether no sample of a series is in memory though files have some. */
export function isBareSeries(number: u32): bool {
  const record = series.find(number);
  return record != 0 && isBare(record);
}

function isBare(record: usize): bool {
  const state = changetype<ChunkState>(series.chunk(record));
  return state.count == 0 && series.sealed(record) == 0 && spilled.count(series.spilled(record)) != 0;
}

/** Shows the newest sample of such a series, whose newest chunk was loaded; its file keeps it. False where memory is refused. */
export function revive(number: u32, loaded: usize): bool {
  const record = series.find(number);
  if (record == 0 || !isBare(record)) return true;
  const copy = copyOf(changetype<Sealed>(loaded));
  if (copy == 0) return false;
  series.setSealed(record, copy);
  showNewestSealed(record, changetype<ChunkState>(series.chunk(record)));
  return true;
}
