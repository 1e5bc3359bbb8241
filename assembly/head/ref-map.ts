// A map from refs of the log to a u32 each, in two levels:
//
//   ref >> 14  ──table──►  entry {key, page}  ──►  16,384 × u32, 0 where nothing was put
//
// Refs come from one counter, so pages are dense and neighbours share them.
//
//   map, 48 bytes   ┌──────────┬───────────┬─────────────┬────────────────┬─────────────────┬───┐
//                   │ table 16 │ vector 16 │ last key u32 │ last page u32 │ is there a last │ – │
//                   └──────────┴───────────┴─────────────┴────────────────┴─────────────────┴───┘

import * as heap from '../memory/heap';
import * as table from '../memory/table';
import * as vector from '../memory/vector';

export const MAP_BYTES: i32 = 48;
/** Prometheus refuses larger refs too; here the map and the series' records have no room for them. */
export const REF_MAX: u64 = ((<u64>1) << 40) - 1;

const PAGE_LOG2: u32 = 14;
const PAGE_REFS: u32 = 1 << PAGE_LOG2;
const PAGE_BYTES: usize = (<usize>PAGE_REFS) << 2;

const ENTRIES: usize = 16;
const LAST_KEY: usize = 32;
const LAST_PAGE: usize = 36;

const ENTRY_LOG2: u32 = 3;
const KEY: usize = 0;
const PAGE: usize = 4;

/** Where the number of a ref is, 0 before something is put there; 0 where the memory limit says no. */
export function slot(map: usize, ref: u64): usize {
  const key = <u32>(ref >> PAGE_LOG2);
  let page = pageOf(map, key);
  if (page == 0) page = createPage(map, key);
  return page == 0 ? 0 : page + placeOf(ref);
}

/** The same of a ref of which something may have been put; 0 where nothing of its neighbours was. */
export function find(map: usize, ref: u64): usize {
  const page: usize = ref > REF_MAX ? 0 : pageOf(map, <u32>(ref >> PAGE_LOG2));
  return page == 0 ? 0 : page + placeOf(ref);
}

/** Frees the map; what its numbers mean is the caller's business. */
export function clear(map: usize): void {
  const count = vector.count(map + ENTRIES);
  for (let i: u32 = 0; i < count; i++) heap.free(pageAt(map, i), PAGE_BYTES);
  vector.clear(map + ENTRIES, ENTRY_LOG2);
  table.clear(map);
  store<u64>(map, 0, LAST_KEY);
}

/** Pages of numbers, each at pageAt() and of PAGE_REFS × u32. */
export function pages(map: usize): u32 {
  return vector.count(map + ENTRIES);
}

export function pageAt(map: usize, index: u32): usize {
  return <usize>load<u32>(vector.at(map + ENTRIES, index, ENTRY_LOG2), PAGE);
}

export function pageBytes(): usize {
  return PAGE_BYTES;
}

function placeOf(ref: u64): usize {
  return (<usize>(<u32>ref & (PAGE_REFS - 1))) << 2;
}

function pageOf(map: usize, key: u32): usize {
  const last = <usize>load<u32>(map, LAST_PAGE);
  return last != 0 && load<u32>(map, LAST_KEY) == key ? last : findPage(map, key);
}

function findPage(map: usize, key: u32): usize {
  let number = table.first(map, hashOf(key));
  while (number != table.NONE) {
    const entry = vector.at(map + ENTRIES, number, ENTRY_LOG2);
    if (load<u32>(entry, KEY) == key) return remember(map, key, <usize>load<u32>(entry, PAGE));
    number = table.next(map, hashOf(key));
  }
  return 0;
}

function createPage(map: usize, key: u32): usize {
  const page = heap.alloc(PAGE_BYTES);
  if (page == 0) return 0;
  const entry: usize = table.reserve(map, 1) ? vector.push(map + ENTRIES, ENTRY_LOG2) : 0;
  if (entry == 0) {
    heap.free(page, PAGE_BYTES);
    return 0;
  }
  table.insert(map, hashOf(key), vector.count(map + ENTRIES) - 1);
  memory.fill(page, 0, PAGE_BYTES);
  store<u32>(entry, key, KEY);
  store<u32>(entry, <u32>page, PAGE);
  return remember(map, key, page);
}

function remember(map: usize, key: u32, page: usize): usize {
  store<u32>(map, key, LAST_KEY);
  store<u32>(map, <u32>page, LAST_PAGE);
  return page;
}

function hashOf(key: u32): u32 {
  return key * 0x9e3779b1;
}
