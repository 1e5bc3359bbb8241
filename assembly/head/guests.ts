// Guests: series of blocks that the head does not have, for as long as queries read them.
//
// A guest has a record like those of the head's series (series.ts), with labels, an empty open chunk and no postings,
// in a vector of its own; what it has to show are chunks that a query loads for it. Its number is its place in that
// vector, with the highest bit set, so that a query's list may hold both kinds, ascending.
//
//   record   ┌──────────────────────────────────────────┬───────────┬───┐
//            │ as in series.ts, without a ref           │ successor │ – │
//            └──────────────────────────────────────────┴───────────┴───┘
//             0                                          52          56
//     successor   1 + the number of the head's series of these labels, once one was made; 0 before
//
// Guests are found by their label sets, so that all blocks that have a series name the same guest. They stay until
// all of them are dropped, which may happen only while no query is open: series.dropGuests().

import * as table from '../memory/table';
import * as vector from '../memory/vector';

/** Set in the numbers of guests. */
export const GUEST: u32 = 0x80000000;

const LOG2: u32 = 6;
const SUCCESSOR: usize = 52;

const records: usize = memory.data(16, 8);
/** From the low half of the label hash to the place, of guests without successor. */
const index: usize = memory.data(16, 8);

export function isGuest(number: u32): bool {
  return (number & GUEST) != 0;
}

/** The record of a guest; 0 where there is none of this number. */
export function find(number: u32): usize {
  return vector.find(records, number & ~GUEST, LOG2);
}

/** Guests since they were last dropped. */
export function count(): u32 {
  return vector.count(records);
}

/** Guests that the head has no series for. */
export function waiting(): u32 {
  return table.live(index);
}

/** The first guest whose labels have this hash, or table.NONE; the next ones come from next(). */
export function first(hash: u32): u32 {
  return numbered(table.first(index, hash));
}

export function next(hash: u32): u32 {
  return numbered(table.next(index, hash));
}

/** An empty record, whose number is count() - 1 with GUEST; 0 where the memory limit says no. */
export function push(hash: u32): usize {
  if (!table.reserve(index, 1)) return 0;
  const record = vector.push(records, LOG2);
  if (record != 0) table.insert(index, hash, count() - 1);
  return record;
}

/** The head has a series of the guest's labels now: who looks for them finds that one. */
export function succeed(number: u32, hash: u32, series: u32): void {
  store<u32>(find(number), series + 1, SUCCESSOR);
  table.remove(index, hash, number & ~GUEST);
}

/** The number of the series that took a guest's place, or table.NONE. */
export function successor(record: usize): u32 {
  return load<u32>(record, SUCCESSOR) - 1;
}

/** Forgets all; their labels are the caller's business. */
export function clear(): void {
  table.clear(index);
  vector.clear(records, LOG2);
}

function numbered(place: u32): u32 {
  return place == table.NONE ? place : place | GUEST;
}
