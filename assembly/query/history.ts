// What blocks have of a query's next series: chunks that somebody loaded before the morsel (src/shard/history).
//
//   history (16 bytes)                    entries, one for each series of the list from place `from` on
//   0         4      8       12           ┌─────────────────────────────┬───┐
//   ┌─────────┬──────┬───────┬─────┐      │ address of the newest chunk │ … │    0: blocks have nothing of it
//   │ entries │ from │ count │  –  │ ───► └─────────────────────────────┴───┘
//   └─────────┴──────┴───────┴─────┘        flags in the lowest bits:
//                                             HISTORY_WHOLE  the head's samples are among them: its own chunks are not looked at
//                                             HISTORY_SKIP   the series is evaluated elsewhere
//
// The chunks are Sealed, linked newest first as those of the head, apart in time, and end before the head's begin.
// All of it belongs to who loaded it. A query without history, or whose window is past the entries, has all zeroes.

import { ChunkState, STATE_BYTES } from '../chunk/state';
import * as series from '../head/series';
import { HISTORY_SKIP, HISTORY_WHOLE } from '../layout';

export const HISTORY_BYTES: usize = 16;
const ENTRIES: usize = 0;
const FROM: usize = 4;
const COUNT: usize = 8;

const FLAGS: u32 = HISTORY_WHOLE | HISTORY_SKIP;

/** The open chunk of a series that shows nothing of the head. */
const empty: usize = memory.data(<i32>STATE_BYTES + 4, 8);

/** From now on the entries are these. */
export function set(history: usize, entries: usize, from: u32, count: u32): void {
  store<u32>(history, <u32>entries, ENTRIES);
  store<u32>(history, from, FROM);
  store<u32>(history, count, COUNT);
}

/** One past the last place of the list that may be evaluated with these entries. */
export function end(history: usize): u32 {
  return load<u32>(history, ENTRIES) == 0 ? u32.MAX_VALUE : load<u32>(history, FROM) + load<u32>(history, COUNT);
}

export function entryOf(history: usize, place: u32): u32 {
  const entries = <usize>load<u32>(history, ENTRIES);
  const at = place - load<u32>(history, FROM);
  return entries == 0 || at >= load<u32>(history, COUNT) ? 0 : load<u32>(entries + ((<usize>at) << 2));
}

export function isSkipped(entry: u32): bool {
  return (entry & HISTORY_SKIP) != 0;
}

/** The newest chunk; 0 for none. */
export function newest(entry: u32): usize {
  return <usize>(entry & ~FLAGS);
}

/** What of the head is read beside: the newest sealed chunk, and the open one. */
export function sealed(entry: u32, record: usize): usize {
  return (entry & HISTORY_WHOLE) != 0 ? 0 : series.sealed(record);
}

export function state(entry: u32, record: usize): ChunkState {
  return changetype<ChunkState>((entry & HISTORY_WHOLE) != 0 ? empty : series.chunk(record));
}
