// Rounds as the shard prepares them: which series come next, where their rows go, who may help.

import { ChunkState } from '../chunk/state';
import * as journal from '../head/journal';
import * as series from '../head/series';
import { READERS_MAX, ROUND_BYTES, ROUND_HELPED, ROUND_HURRY } from '../layout';
import * as buffer from '../memory/buffer';
import * as history from './history';
import * as lane from './lane';
import * as lanes from './lanes';
import * as round from './round';
import { ITEM_BYTES, Item, Round } from './round';

/** Cells of the rows of one round, at most: 1 MiB of values, so that they are still in the cache when they are handed on. */
const CELLS: u32 = 1 << 17;
/** Items of one round, at most. */
const ITEMS: u32 = 4096;

/** The shard's round. It stays where it is, as its readers know its address. */
const block: usize = memory.data(ROUND_BYTES, 64);
const items: usize = memory.data(16, 8);

/** Readers that this shard has. */
let readers: u32 = 0;
/** Times that readers were called. */
let calls: f64 = 0;

export function setReaders(count: u32): void {
  assert(count <= <u32>READERS_MAX, 'too many readers');
  readers = count;
}

export function readerCount(): u32 {
  return readers;
}

export function callsTotal(): f64 {
  return calls;
}

/** Series that readers evaluated. */
export function helpedTotal(): f64 {
  return <f64>atomic.load<u32>(block, ROUND_HELPED);
}

export function address(): usize {
  return block;
}

export function current(): Round {
  return changetype<Round>(block);
}

/** Whether others wait for this shard. */
export function isHurried(): bool {
  return atomic.load<u32>(block, ROUND_HURRY) != 0;
}

/** Items that a round of rows with so many cells has room for. */
export function roomFor(steps: u32): u32 {
  return min(max(CELLS / steps, 1), ITEMS);
}

/** Where prepare() stopped in the list. */
export let cursor: u32 = 0;

/**
 * Makes items of the next series of a query's list, from `from` to before `to`, of which those that are gone are passed
 * over: at most `room`. Their number is in the round; false where the memory limit says no.
 */
export function prepare(view: usize, list: usize, past: usize, from: u32, to: u32, room: u32): bool {
  buffer.truncate(items, 0);
  const first = buffer.reserve(items, room * <u32>ITEM_BYTES);
  if (first == 0) return false;
  let at = first;
  const end = first + <usize>room * ITEM_BYTES;
  for (cursor = from; cursor < to && at < end; cursor++) {
    const number = load<u32>(list + ((<usize>cursor) << 2));
    const record = series.findAny(number);
    const loaded = history.entryOf(past, cursor);
    if (record == 0 || history.isSkipped(loaded)) continue;
    const cut = journal.cutOf(view, number, series.lastAppend(record));
    const item = changetype<Item>(at);
    item.record = <u32>record;
    item.sealed = <u32>history.sealed(loaded, record);
    item.state = <u32>changetype<usize>(history.state(loaded, record));
    item.history = <u32>history.newest(loaded);
    item.place = cursor;
    item.maxt = cut == journal.NO_CUT ? Infinity : <f64>(cut - 1);
    item.done = 0;
    at += ITEM_BYTES;
  }
  const one = current();
  one.items = <u32>first;
  one.end = <u32>((at - first) / ITEM_BYTES);
  one.next = 0;
  one.lanes = 0;
  return true;
}

/**
 * Calls the readers into the round. `list` is the buffer of the query's lanes; the first is the query's own, and those
 * for readers are made with the first call. Where memory is short there are fewer, or none.
 */
export function callReaders(list: usize, own: usize): void {
  const one = current();
  if (buffer.length(list) == 0 && !makeLanes(list, own)) return;
  one.laneList = <u32>buffer.address(list);
  one.lanes = buffer.length(list) >>> 2;
  if (one.lanes == 1) return;
  calls += 1;
  round.open(one);
  round.call(one, one.lanes - 1);
}

function makeLanes(list: usize, own: usize): bool {
  const first = buffer.reserve(list, (1 + readers) << 2);
  if (first == 0) return false;
  store<u32>(first, <u32>own);
  buffer.advance(list, 4);
  for (let reader: u32 = 0; reader < readers; reader++) {
    const another = lanes.open(lane.jobOf(own));
    if (another == 0) break;
    store<u32>(first + ((<usize>(reader + 1)) << 2), <u32>another);
    buffer.advance(list, 4);
  }
  return true;
}

/** Gives the lanes of the readers back, and how many chunks they could not decode. */
export function closeLanes(list: usize): f64 {
  let corrupt: f64 = 0;
  for (let at: u32 = 4; at < buffer.length(list); at += 4) {
    const one = <usize>load<u32>(buffer.address(list) + at);
    corrupt += <f64>lane.corrupt(one);
    lanes.close(one);
  }
  buffer.clear(list);
  return corrupt;
}

/** Reads an item that no lane had room for, with all the room it takes. */
export function readLeft(item: Item, own: usize): i32 {
  return lanes.read(own, item.sealed, item.history, changetype<ChunkState>(<usize>item.state));
}
