// The inverted index: for each label pair its postings list, for each name its pairs.
//
//   pair (32 bytes)                                      name (16 bytes)
//   ┌────────┬────────┬──────────────────┬────────┐       ┌────────┬────────────┬────────┬────────┐
//   │ name   │ value  │ postings list    │ next   │       │ symbol │ first pair │ pairs  │ series │
//   │ u32    │ u32    │ 20 bytes         │ pair   │       └────────┴────────────┴────────┴────────┘
//   └────────┴────────┴──────────────────┴────────┘
//
// The pairs of a name form a list through `next`, newest first. Series indexes are
// never given out twice, so lists only ever grow at their end, and sweep() rewrites
// those that lost members.

import * as buffer from '../memory/buffer';
import * as table from '../memory/table';
import * as vector from '../memory/vector';
import * as lists from './lists';

const PAIR_LOG2: u32 = 5;
const PAIR_NAME: usize = 0;
const PAIR_VALUE: usize = 4;
const PAIR_LIST: usize = 8;
const PAIR_NEXT: usize = 28;

const NAME_LOG2: u32 = 4;
const NAME_SYMBOL: usize = 0;
const NAME_FIRST: usize = 4;
const NAME_PAIRS: usize = 8;
const NAME_SERIES: usize = 12;

export const NONE: u32 = 0xffffffff;
/** What a pair costs a sweep beside its members. */
const PAIR_MEMBERS: u32 = 8;

const pairs: usize = memory.data(16, 8);
const pairIndex: usize = memory.data(16, 8);
const names: usize = memory.data(16, 8);
const nameIndex: usize = memory.data(16, 8);
let freePair: u32 = NONE;

function pairHash(name: u32, value: u32): u32 {
  const mixed = (<u64>name * 0x9e3779b97f4a7c15) ^ (<u64>value * 0xd6e8feb86659fd93);
  return <u32>(mixed >> 32) ^ <u32>mixed;
}

function nameHash(name: u32): u32 {
  return name * 0x9e3779b1;
}

/** The postings list of a pair, or 0. */
export function listOf(name: u32, value: u32): usize {
  const pair = find(name, value);
  return pair == NONE ? 0 : vector.at(pairs, pair, PAIR_LOG2) + PAIR_LIST;
}

/** The name's entry, or 0: for walking its pairs. */
export function nameEntry(name: u32): usize {
  let id = table.first(nameIndex, nameHash(name));
  while (id != table.NONE) {
    const entry = vector.at(names, id, NAME_LOG2);
    if (load<u32>(entry, NAME_SYMBOL) == name) return entry;
    id = table.next(nameIndex, nameHash(name));
  }
  return 0;
}

/** Names ever seen; those whose series are all gone have nameSeriesAt() == 0. */
export function nameBound(): u32 {
  return vector.count(names);
}

export function nameAt(index: u32): u32 {
  return load<u32>(vector.at(names, index, NAME_LOG2), NAME_SYMBOL);
}

export function namePairsAt(index: u32): u32 {
  return load<u32>(vector.at(names, index, NAME_LOG2), NAME_PAIRS);
}

export function nameSeriesAt(index: u32): u32 {
  return load<u32>(vector.at(names, index, NAME_LOG2), NAME_SERIES);
}

/** Pairs of a name. */
export function pairsOf(entry: usize): u32 {
  return load<u32>(entry, NAME_PAIRS);
}

/** Series that have the name. */
export function seriesOf(entry: usize): u32 {
  return load<u32>(entry, NAME_SERIES);
}

export function firstPair(entry: usize): u32 {
  return load<u32>(entry, NAME_FIRST);
}

export function nextPair(pair: u32): u32 {
  return load<u32>(vector.at(pairs, pair, PAIR_LOG2), PAIR_NEXT);
}

export function pairValue(pair: u32): u32 {
  return load<u32>(vector.at(pairs, pair, PAIR_LOG2), PAIR_VALUE);
}

export function pairList(pair: u32): usize {
  return vector.at(pairs, pair, PAIR_LOG2) + PAIR_LIST;
}

/** Series of a pair. */
export function pairSeries(pair: u32): u32 {
  return lists.count(pairList(pair));
}

/** The newest of its series. */
export function pairNewest(pair: u32): u32 {
  return lists.last(pairList(pair));
}

export function pairCount(): u32 {
  return table.live(pairIndex);
}

/** Makes room in the index for `more` new pairs; false where the memory limit says no. */
export function reserve(more: u32): bool {
  return table.reserve(pairIndex, more);
}

/** Adds a series to the list of a pair; false where the memory limit says no. */
export function add(name: u32, value: u32, series: u32): bool {
  const entry = ensureName(name);
  if (entry == 0) return false;
  let pair = find(name, value);
  if (pair == NONE) {
    pair = createPair(entry, name, value);
    if (pair == NONE) return false;
  }
  if (!lists.append(vector.at(pairs, pair, PAIR_LOG2) + PAIR_LIST, series)) return false;
  store<u32>(entry, load<u32>(entry, NAME_SERIES) + 1, NAME_SERIES);
  return true;
}

/** Where the sweep of a name stands: behind this pair; NONE where it begins. */
let sweptTo: u32 = NONE;

/**
 * Rewrites the lists of one name without their dead members, and drops the pairs that have none left: of the next pairs, until
 * they had about `members`. Says whether the name has no more; it is false too where `scratch`, a buffer, is refused the
 * memory. `alive` has one bit for each series index below `bound`; those above are alive.
 */
export function sweep(nameNumber: u32, alive: usize, bound: u32, scratch: usize, members: u32): bool {
  const entry = vector.at(names, nameNumber, NAME_LOG2);
  // Pairs that come meanwhile are in front of those that were swept, and have the living alone.
  let link = sweptTo == NONE ? entry + NAME_FIRST : vector.at(pairs, sweptTo, PAIR_LOG2) + PAIR_NEXT;
  for (let done: u32 = 0; done < members; ) {
    const pair = load<u32>(link);
    if (pair == NONE) {
      sweptTo = NONE;
      return true;
    }
    const record = vector.at(pairs, pair, PAIR_LOG2);
    const count = lists.count(record + PAIR_LIST);
    const room = buffer.reserve(scratch, max(count, 1) << 2);
    if (room == 0) return false;
    const dead = sweepList(record + PAIR_LIST, alive, bound, room);
    done += count + PAIR_MEMBERS;
    store<u32>(entry, load<u32>(entry, NAME_SERIES) - dead, NAME_SERIES);
    if (dead == count) {
      dropPair(entry, pair, link);
    } else {
      sweptTo = pair;
      link = record + PAIR_NEXT;
    }
  }
  return false;
}

/** Gives the number of members taken out. */
function sweepList(list: usize, alive: usize, bound: u32, scratch: usize): u32 {
  const before = lists.decode(list, scratch);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < before; i++) {
    const series = load<u32>(scratch + ((<usize>i) << 2));
    store<u32>(scratch + ((<usize>kept) << 2), series);
    kept += u32(series >= bound || ((load<u8>(alive + (series >>> 3)) >>> (series & 7)) & 1) != 0);
  }
  if (kept == before) return 0;
  lists.clear(list);
  // The blocks just freed are there to be taken again, so this does not run out of memory.
  for (let i: u32 = 0; i < kept; i++) lists.append(list, load<u32>(scratch + ((<usize>i) << 2)));
  return before - kept;
}

function dropPair(entry: usize, pair: u32, link: usize): void {
  const record = vector.at(pairs, pair, PAIR_LOG2);
  table.remove(pairIndex, pairHash(load<u32>(record, PAIR_NAME), load<u32>(record, PAIR_VALUE)), pair);
  store<u32>(link, load<u32>(record, PAIR_NEXT));
  store<u32>(record, freePair, PAIR_NEXT);
  freePair = pair;
  store<u32>(entry, load<u32>(entry, NAME_PAIRS) - 1, NAME_PAIRS);
}

/** The pair of a name and a value symbol, or NONE. */
export function find(name: u32, value: u32): u32 {
  const hash = pairHash(name, value);
  let pair = table.first(pairIndex, hash);
  while (pair != table.NONE) {
    const record = vector.at(pairs, pair, PAIR_LOG2);
    if (load<u32>(record, PAIR_NAME) == name && load<u32>(record, PAIR_VALUE) == value) return pair;
    pair = table.next(pairIndex, hash);
  }
  return NONE;
}

function createPair(entry: usize, name: u32, value: u32): u32 {
  let pair = freePair;
  let record: usize;
  if (pair != NONE) {
    record = vector.at(pairs, pair, PAIR_LOG2);
    freePair = load<u32>(record, PAIR_NEXT);
  } else {
    record = vector.push(pairs, PAIR_LOG2);
    if (record == 0) return NONE;
    pair = vector.count(pairs) - 1;
  }
  memory.fill(record, 0, 32);
  if (!table.insert(pairIndex, pairHash(name, value), pair)) {
    store<u32>(record, freePair, PAIR_NEXT);
    freePair = pair;
    return NONE;
  }
  store<u32>(record, name, PAIR_NAME);
  store<u32>(record, value, PAIR_VALUE);
  store<u32>(record, load<u32>(entry, NAME_FIRST), PAIR_NEXT);
  store<u32>(entry, pair, NAME_FIRST);
  store<u32>(entry, load<u32>(entry, NAME_PAIRS) + 1, NAME_PAIRS);
  return pair;
}

function ensureName(name: u32): usize {
  const known = nameEntry(name);
  if (known != 0) return known;
  if (!table.reserve(nameIndex, 1)) return 0;
  const entry = vector.push(names, NAME_LOG2);
  if (entry == 0) return 0;
  store<u32>(entry, name, NAME_SYMBOL);
  store<u32>(entry, NONE, NAME_FIRST);
  table.insert(nameIndex, nameHash(name), vector.count(names) - 1);
  return entry;
}
