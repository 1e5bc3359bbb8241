// Room of a set size for what can be read again from files, in pages that are filled from one end to the other.
//
//   page (64 KiB)
//   0       4      8      12     16       20        24
//   ┌───────┬──────┬──────┬──────┬────────┬─────────┬────────┬────────┬─ ─ ─ ┐
//   │ stamp │ pins │ last │ used │ filled │ records │ record │ record │ room │
//   └───────┴──────┴──────┴──────┴────────┴─────────┴────────┴────────┴─ ─ ─ ┘
//
//   stamp     another number whenever the page was emptied: who remembers it with an address knows whether what was there
//             still is. Good only where the page itself is known to be there
//   pins      windows of queries that read there now: until they end nothing is emptied. `last` is the newest of them
//   used      when the page was read last, on a clock that goes on by one for each page's worth that found no room
//   records   where those begin that somebody may find
//
// Once all pages are full what comes is refused, until a page is found that nobody read while as much as the cache has, twice,
// was asked for in vain. So a question that reads more than there is room for leaves the rest of the cache alone, and finds
// most of itself there when it is asked again; and what nobody asks for any more goes.
//
// Pages are made ahead (grow()), because what queries take while they run is counted as theirs.

import { PAGE_BYTES } from '../layout';
import * as buffer from '../memory/buffer';
import * as pages from '../memory/pages';

const PAGE: usize = PAGE_BYTES;
const HEADER: usize = 24;
const STAMP: usize = 0;
const PINS: usize = 4;
const LAST: usize = 8;
const USED: usize = 12;
const FILLED: usize = 16;
const RECORDS: usize = 20;

/** Times the cache's size that is refused before a page that nobody read meanwhile is emptied. */
const PATIENCE: u32 = 2;

/** Addresses of the pages: first those that have records, then those that have none yet. */
const directory: usize = memory.data(16, 8);
let limitPages: u32 = 0;
/** Pages that have records. */
let begun: u32 = 0;
/** The page that is filled now; 0 for none. */
let filling: usize = 0;
let hand: u32 = 0;
let stamps: u32 = 0;
let clock: u32 = 0;
/** Bytes that were refused since the clock went on. */
let refused: u32 = 0;

/** No more pages than this from now on. */
export function limit(count: u32): void {
  limitPages = count;
}

export function count(): u32 {
  return buffer.length(directory) >>> 2;
}

/** Sees to it that some empty pages are there, as far as the limits allow. */
export function grow(spare: u32): void {
  while (count() < limitPages && count() - begun < spare) {
    const entry = buffer.reserve(directory, 4);
    const page: usize = entry == 0 ? 0 : pages.alloc(1);
    if (page == 0) return;
    store<u32>(entry, <u32>page);
    buffer.advance(directory, 4);
  }
}

/** Gives all pages back that nobody reads. Nobody may find a record any more: those of the other pages are forgotten. */
export function shrink(): void {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count(); i++) {
    const page = at(i);
    if (i < begun && load<u32>(page, PINS) != 0) {
      store<u32>(page, load<u32>(page, FILLED), RECORDS);
      store<u32>(buffer.address(directory) + ((<usize>kept) << 2), <u32>page);
      kept++;
    } else {
      pages.free(page, 1);
    }
  }
  begun = kept;
  filling = 0;
  hand = 0;
  if (kept == 0) buffer.clear(directory);
  else buffer.truncate(directory, kept << 2);
}

/** Room for a record, of a multiple of 8 bytes; 0 where there is none, and stale() may say where some could be. */
export function alloc(bytes: u32): usize {
  if (filling == 0 || load<u32>(filling, FILLED) + bytes > <u32>PAGE) {
    if (begun == count() || bytes > <u32>(PAGE - HEADER)) return 0;
    restart(at(begun++));
  }
  const filled = load<u32>(filling, FILLED);
  store<u32>(filling, filled + bytes, FILLED);
  return filling + <usize>filled;
}

/** After so many bytes were refused: a page whose records may be forgotten; 0 for none. */
export function stale(bytes: u32): usize {
  refused += bytes;
  if (refused < <u32>PAGE || begun == 0) return 0;
  refused = 0;
  clock++;
  hand = hand + 1 < begun ? hand + 1 : 0;
  const page = at(hand);
  const isInUse = page == filling || load<u32>(page, PINS) != 0;
  return isInUse || clock - load<u32>(page, USED) < PATIENCE * begun ? 0 : page;
}

/** A page is empty, and filled from now on. */
export function restart(page: usize): void {
  store<u32>(page, ++stamps, STAMP);
  store<u32>(page, 0, PINS);
  store<u32>(page, 0, LAST);
  store<u32>(page, clock, USED);
  store<u32>(page, <u32>HEADER, FILLED);
  store<u32>(page, <u32>HEADER, RECORDS);
  filling = page;
}

/** The first record of a page. */
export function first(page: usize): usize {
  return page + <usize>load<u32>(page, RECORDS);
}

/** Behind the last one. */
export function end(page: usize): usize {
  return page + <usize>load<u32>(page, FILLED);
}

/** Of the page of an address. */
export function stampOf(address: usize): u32 {
  return load<u32>(address & ~(PAGE - 1), STAMP);
}

/** What is at an address stays until unpin(): `pins` is a buffer of the window that reads there. False where the memory limit says no. */
export function pin(address: usize, pins: usize): bool {
  const page = address & ~(PAGE - 1);
  store<u32>(page, clock, USED);
  if (load<u32>(page, LAST) == <u32>pins) return true;
  const entry = buffer.reserve(pins, 4);
  if (entry == 0) return false;
  store<u32>(entry, <u32>page);
  buffer.advance(pins, 4);
  store<u32>(page, <u32>pins, LAST);
  store<u32>(page, load<u32>(page, PINS) + 1, PINS);
  return true;
}

/** The window reads nothing any more. Empties its buffer. */
export function unpin(pins: usize): void {
  const bytes = buffer.length(pins);
  for (let i: u32 = 0; i < bytes; i += 4) {
    const page = <usize>load<u32>(buffer.address(pins) + <usize>i);
    store<u32>(page, load<u32>(page, PINS) - 1, PINS);
    if (load<u32>(page, LAST) == <u32>pins) store<u32>(page, 0, LAST);
  }
  buffer.clear(pins);
}

function at(index: u32): usize {
  return <usize>load<u32>(buffer.address(directory) + ((<usize>index) << 2));
}
