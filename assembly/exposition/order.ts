// Keeping a cache's entries in the order of the target's lines.
//
// Series come and go. A new one has its line somewhere in the middle, but its entry at
// the end, so each scrape finds it, and what follows it, only by hash: five times as slow. After days of that no line
// would be where it is expected. So when many lines were found by hash, the next parse writes
// down which entries it saw, one after the other, and the parse behind that starts with the entries put
// into that order:
//
//   entries   A B D E ┊ C F          lines  A B C D E F
//   order     0 1 4 2 3 5            ──►    entries  A B C D E F
//
// A target that shuffles its lines every time would do this for nothing: the pause
// between two such turns doubles each time.

import * as heap from '../memory/heap';
import * as cache from './cache';
import { COUNT, ENTRIES, ENTRY_BYTES, ORDER, ORDER_COUNT, ORDER_ROOM, PAUSE, PAUSE_LEFT, SEEN } from './cache';

/** Lines found by hash that one parse may have before anything is done, besides the share below. */
const FOUND_MIN: u32 = 16;
/** One line in so many. */
const FOUND_SHARE: u32 = 16;
const PAUSE_MAX: u32 = 1024;

/** Where the entries seen are written down, 0 while nobody wants to know. */
let recorded: usize = 0;
let recordedCount: u32 = 0;
let room: u32 = 0;

/** Before a parse: puts entries into the order that the parse before wrote down. */
export function apply(into: usize): void {
  const order = <usize>load<u32>(into, ORDER);
  const known = load<u32>(into, ORDER_COUNT);
  if (order == 0 || known == 0) return;
  const count = cache.count(into);
  const bytes = <usize>cache.capacity(into) * ENTRY_BYTES;
  const block = heap.alloc(bytes);
  if (block != 0) {
    const from = cache.entries(into);
    let to = block;
    for (let i: u32 = 0; i < known; i++) {
      const entry = from + <usize>load<u32>(order + ((<usize>i) << 2)) * ENTRY_BYTES;
      memory.copy(to, entry, ENTRY_BYTES);
      // Taken: the rest is what still has a number.
      store<u32>(entry, TAKEN, SEEN);
      to += ENTRY_BYTES;
    }
    for (let entry = from; entry < from + <usize>count * ENTRY_BYTES; entry += ENTRY_BYTES) {
      if (load<u32>(entry, SEEN) == TAKEN) continue;
      memory.copy(to, entry, ENTRY_BYTES);
      to += ENTRY_BYTES;
    }
    assert(to == block + <usize>count * ENTRY_BYTES, 'every entry has its place, once');
    heap.free(from, bytes);
    store<u32>(into, <u32>block, ENTRIES);
    cache.dropIndex(into);
  }
  discard(into);
}

/** No number of two parses: they would be equal. */
const TAKEN: u32 = 0xffffffff;

/** At the start of a parse: begins to write down what it sees, if the parse before asked for that. */
export function start(into: usize): void {
  recorded = 0;
  if (load<u32>(into, ORDER_ROOM) == 0 || load<u32>(into, ORDER) != 0) return;
  room = load<u32>(into, ORDER_ROOM);
  recorded = heap.alloc((<usize>room) << 2);
  recordedCount = 0;
  store<u32>(into, <u32>recorded, ORDER);
}

/** An entry was seen, for the first time in this parse. */
export function note(from: usize, entry: usize): void {
  if (recorded == 0) return;
  if (recordedCount == room) {
    recorded = 0;
    return;
  }
  store<u32>(recorded + ((<usize>recordedCount) << 2), <u32>((entry - cache.entries(from)) / ENTRY_BYTES));
  recordedCount++;
}

/** After a parse that went well, with `found` lines found by hash. */
export function finish(into: usize, found: u32, marked: u32): void {
  if (recorded != 0) {
    store<u32>(into, recordedCount, ORDER_COUNT);
    recorded = 0;
    return;
  }
  discard(into);
  const left = load<u32>(into, PAUSE_LEFT);
  if (left > 0) {
    store<u32>(into, left - 1, PAUSE_LEFT);
    return;
  }
  if (found < FOUND_MIN || found * FOUND_SHARE < marked) {
    // Things are calm: the next time may come soon.
    store<u32>(into, load<u32>(into, PAUSE) >> 1, PAUSE);
    return;
  }
  const pause = min(load<u32>(into, PAUSE) * 2 + 2, PAUSE_MAX);
  store<u32>(into, pause, PAUSE);
  store<u32>(into, pause, PAUSE_LEFT);
  const entries = load<u32>(into, COUNT);
  store<u32>(into, entries + (entries >> 2) + FOUND_MIN, ORDER_ROOM);
}

/** Forgets what was written down: it is done, or the parse was taken back. */
export function discard(into: usize): void {
  recorded = 0;
  const order = load<u32>(into, ORDER);
  if (order != 0) heap.free(<usize>order, (<usize>load<u32>(into, ORDER_ROOM)) << 2);
  store<u32>(into, 0, ORDER);
  store<u32>(into, 0, ORDER_COUNT);
  store<u32>(into, 0, ORDER_ROOM);
}
