// Finding series by matchers. The façade (src/wasm/select.ts) decides the order of
// the steps by the sizes it sees; each step here is one pass.
//
//   match      a matcher's value test over the pairs of its name   → accepted pairs, and how many series they have
//   collect    the accepted pairs' postings lists                  → ascending series indexes
//   intersect / subtract                                            of two such arrays
//   filter     the label of each series against a set of accepted values, where one array is
//              so much smaller that looking at its series is cheaper than decoding the other list
//
// An array of series is a block in the heap: the caller knows its address and capacity and frees it.

import { equal } from '../bytes/equal';
import * as symbols from '../labels/symbols';
import { MATCH_ALL, MATCH_CONTAINS, MATCH_EQUALS, MATCH_PREFIX, MATCH_SUFFIX } from '../layout';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as lists from '../postings/lists';
import * as pairs from '../postings/pairs';
import * as sets from '../postings/sets';
import * as series from './series';

/** Pair numbers of the last match(), u32 each. */
const matched: usize = memory.data(16, 8);
let matchedSeries: u32 = 0;

export function matchedAddress(): usize {
  return buffer.address(matched);
}

export function matchedCount(): u32 {
  return buffer.length(matched) >>> 2;
}

/** Series in the lists of all matched pairs together. */
export function matchedTotal(): u32 {
  return matchedSeries;
}

/**
 * Tests the values of a label name: those that pass (or, inverted, that do not) are matched.
 * False where the memory limit says no.
 */
export function match(name: usize, nameBytes: u32, kind: i32, text: usize, textBytes: u32, inverted: bool): bool {
  buffer.truncate(matched, 0);
  matchedSeries = 0;
  const symbol = symbols.find(name, nameBytes);
  if (symbol == symbols.NONE) return true;
  if (kind == MATCH_EQUALS && !inverted) {
    const value = symbols.find(text, textBytes);
    const pair = value == symbols.NONE ? pairs.NONE : pairs.find(symbol, value);
    return pair == pairs.NONE || add(pair);
  }
  const entry = pairs.nameEntry(symbol);
  if (entry == 0) return true;
  let pair = pairs.firstPair(entry);
  while (pair != pairs.NONE) {
    if (passes(pairs.pairValue(pair), kind, text, textBytes) != inverted && !add(pair)) return false;
    pair = pairs.nextPair(pair);
  }
  return true;
}

function passes(value: u32, kind: i32, text: usize, textBytes: u32): bool {
  if (kind == MATCH_ALL) return true;
  const at = symbols.address(value);
  const length = symbols.length(value);
  if (length < textBytes) return false;
  if (kind == MATCH_EQUALS) return length == textBytes && equal(at, text, textBytes);
  if (kind == MATCH_PREFIX) return equal(at, text, textBytes);
  if (kind == MATCH_SUFFIX) return equal(at + (length - textBytes), text, textBytes);
  assert(kind == MATCH_CONTAINS, 'a kind of match');
  for (let i: u32 = 0; i <= length - textBytes; i++) if (equal(at + i, text, textBytes)) return true;
  return false;
}

function add(pair: u32): bool {
  const at = buffer.reserve(matched, 4);
  if (at == 0) return false;
  store<u32>(at, pair);
  buffer.advance(matched, 4);
  matchedSeries += lists.count(pairs.pairList(pair));
  return true;
}

/** Series in the lists of `count` pairs of one name. */
export function total(pairNumbers: usize, count: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) sum += lists.count(pairs.pairList(load<u32>(pairNumbers + ((<usize>i) << 2))));
  return sum;
}

/**
 * The series of `count` pairs of one name, ascending, to `into`, which has room for total().
 * A series has one value for a name, so the lists share no member. `scratch` is as large; used for more than one pair.
 */
export function collect(pairNumbers: usize, count: u32, into: usize, scratch: usize): u32 {
  let at = into;
  for (let i: u32 = 0; i < count; i++) {
    at += (<usize>lists.decode(pairs.pairList(load<u32>(pairNumbers + ((<usize>i) << 2))), at)) << 2;
  }
  const size = <u32>((at - into) >>> 2);
  if (count > 1) sets.sort(into, size, scratch);
  return size;
}

/** All series, ascending, to `into`, which has room for series_count(). */
export function all(into: usize): u32 {
  const bound = series.bound();
  let out: u32 = 0;
  for (let number: u32 = 0; number < bound; number++) {
    if (series.find(number) == 0) continue;
    store<u32>(into + ((<usize>out) << 2), number);
    out++;
  }
  return out;
}

/** Drops series that are gone; they may linger in postings until the next sweep. In place; gives the number left. */
export function dropDead(list: usize, count: u32): u32 {
  let out: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const number = load<u32>(list + ((<usize>i) << 2));
    store<u32>(list + ((<usize>out) << 2), number);
    out += u32(series.find(number) != 0);
  }
  return out;
}

/**
 * Keeps the series whose value of a name belongs to one of `pairCount` pairs (or does not, when `inverted`;
 * a series without the name then stays). In place; gives the number left, or -1 where the memory limit says no.
 */
export function filter(
  list: usize,
  count: u32,
  name: usize,
  nameBytes: u32,
  pairNumbers: usize,
  pairCount: u32,
  inverted: bool,
): i32 {
  const symbol = symbols.find(name, nameBytes);
  if (symbol == symbols.NONE || pairCount == 0) return inverted ? <i32>count : 0;
  const bytes = (<usize>symbols.bound() + 8) >>> 3;
  const accepted = heap.alloc(bytes);
  if (accepted == 0) return -1;
  memory.fill(accepted, 0, bytes);
  for (let i: u32 = 0; i < pairCount; i++) {
    const value = pairs.pairValue(load<u32>(pairNumbers + ((<usize>i) << 2)));
    const byte = accepted + (value >>> 3);
    store<u8>(byte, load<u8>(byte) | <u8>((<u32>1) << (value & 7)));
  }
  let out: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const number = load<u32>(list + ((<usize>i) << 2));
    const record = series.find(number);
    if (record == 0) continue;
    const value = series.valueOf(series.labels(record), symbol);
    const hit = value != symbols.NONE && ((load<u8>(accepted + (value >>> 3)) >>> (value & 7)) & 1) != 0;
    store<u32>(list + ((<usize>out) << 2), number);
    out += u32(hit != inverted);
  }
  heap.free(accepted, bytes);
  return <i32>out;
}
