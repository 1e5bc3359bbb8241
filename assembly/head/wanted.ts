// Chunks of files that somebody wants to read: where they are, and bringing what was read into the form of sealed chunks.
//
//   wanted()  series and times ──► list of wants        ──► sorted and read by src/shard/history/spilled.ts
//   link()    a record that was read into memory ──► a Sealed chunk in its place
//
//   want (24 bytes)  ┌───────┬──────┬────────┬─────────────┬──────────┐
//                    │ place │ file │ offset │ span, u32   │ max time │     times are f64
//                    └───────┴──────┴────────┴─────────────┴──────────┘
//
//   link     record  │ ref │ times │ encoding │ length │ data … │ crc │
//            becomes  │ minT │ maxT │ next │ bytes │ data … │             the data moves by up to 3 bytes, so that the
//                                                                         block is aligned to 4: flags need two bits
//
// A chunk that is also in memory is not wanted.

import { Sealed } from '../chunk/read';
import {
  LINK_DAMAGED,
  LINK_SHORT,
  SEALED_HEADER_BYTES,
  WANT_BYTES,
  WANT_FILE,
  WANT_MAX,
  WANT_OFFSET,
  WANT_PLACE,
  WANT_SPAN,
} from '../layout';
import * as buffer from '../memory/buffer';
import * as chunkRecord from './chunk-record';
import * as guests from './guests';
import * as series from './series';
import * as spilled from './spilled';

const wants: usize = memory.data(16, 8);
const BYTES: u32 = WANT_BYTES;

export function address(): usize {
  return buffer.address(wants);
}

export function count(): u32 {
  return buffer.length(wants) / BYTES;
}

/** Starts a list of wants. */
export function begin(): void {
  buffer.truncate(wants, 0);
}

/** Adds the chunks of a series that touch [mint, maxt] and are in files alone, newest first; false where the memory limit says no. */
export function add(number: u32, place: u32, mint: i64, maxt: i64): bool {
  const record: usize = guests.isGuest(number) ? 0 : series.find(number);
  if (record == 0) return true;
  const slot = series.spilled(record);
  let left = spilled.count(slot);
  if (left == 0 || spilled.newest(slot) < mint) return true;
  const oldest = oldestSealed(record);
  for (; left > 0; left--) {
    const last = spilled.maxOf(slot, left - 1);
    if (last < mint) break;
    const first = spilled.minOf(slot, left - 1);
    if (last >= oldest || first > maxt) continue;
    const want = buffer.reserve(wants, BYTES);
    if (want == 0) return false;
    store<u32>(want, place, WANT_PLACE);
    store<u32>(want, spilled.fileOf(slot, left - 1), WANT_FILE);
    store<u32>(want, spilled.offsetOf(slot, left - 1), WANT_OFFSET);
    store<u32>(want, <u32>(last - first), WANT_SPAN);
    store<f64>(want, <f64>last, WANT_MAX);
    buffer.advance(wants, BYTES);
  }
  return true;
}

/**
 * Makes a list of the chunks wanted of the series of a list from place `from` on, until there are `most` of them or `places`
 * were looked at. Gives how many places were; fewer than one where the memory limit says no.
 */
export function list(numbers: usize, from: u32, places: u32, mint: f64, maxt: f64, most: u32): u32 {
  begin();
  let done: u32 = 0;
  for (; done < places && count() < most; done++) {
    const number = load<u32>(numbers + ((<usize>(from + done)) << 2));
    if (!add(number, from + done, <i64>mint, <i64>maxt)) return 0;
  }
  return done;
}

/** Time of the oldest sample in sealed chunks in memory; i64.MAX_VALUE where there are none. */
export function oldestSealed(record: usize): i64 {
  let oldest = i64.MAX_VALUE;
  for (let block = series.sealed(record); block != 0; block = <usize>changetype<Sealed>(block).next) {
    oldest = changetype<Sealed>(block).minT;
  }
  return oldest;
}

/**
 * Turns the record at `at`, of which `available` bytes are there, into a sealed chunk, linked to `next`: its address.
 * LINK_DAMAGED where it is not a chunk with that last time, LINK_SHORT where more bytes are needed. One byte in front of it may be
 * overwritten. Its ref may be another one of the same labels.
 */
export function link(last: f64, at: usize, available: usize, next: usize): usize {
  const found = chunkRecord.read(at, available);
  if (found == chunkRecord.Found.Short) return LINK_SHORT;
  if (found != chunkRecord.Found.Chunk || chunkRecord.encoding != chunkRecord.XOR) return LINK_DAMAGED;
  if (chunkRecord.maxT != <i64>last) return LINK_DAMAGED;
  const block = (chunkRecord.data - <usize>SEALED_HEADER_BYTES) & ~(<usize>3);
  memory.copy(block + <usize>SEALED_HEADER_BYTES, chunkRecord.data, chunkRecord.dataBytes);
  const chunk = changetype<Sealed>(block);
  chunk.minT = chunkRecord.minT;
  chunk.maxT = chunkRecord.maxT;
  chunk.next = <u32>next;
  chunk.bytes = <u32>chunkRecord.dataBytes;
  return block;
}
