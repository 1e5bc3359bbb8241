// Groups of an aggregation: which group a series falls into, by some of its labels.
//
//   groups (64 bytes)
//   ┌──────────┬────────┬─────────┬────────────────┬─────────────────┬─────────────────┐
//   │ names    │ count  │ without │ table: hash →  │ keys: words of  │ offsets: where  │
//   │ u32      │ u32    │ u32     │ group number   │ all group keys  │ each key starts │
//   └──────────┴────────┴─────────┴────────────────┴─────────────────┴─────────────────┘
//   key          pair count, then name and value symbol of each pair, in label order
//
// A key holds references to its symbols, because series may go while a query runs.

import * as series from '../head/series';
import * as schemas from '../labels/schemas';
import * as symbols from '../labels/symbols';
import * as labelTable from '../labels/table';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as table from '../memory/table';

export const GROUPS_BYTES: usize = 64;
export const NONE: u32 = 0xffffffff;

const NAMES: usize = 0;
const NAME_COUNT: usize = 4;
const WITHOUT: usize = 8;
const TABLE: usize = 16;
const KEYS: usize = 32;
const OFFSETS: usize = 48;

/** Groups by (or without) `count` name symbols at `names`, which are taken: close() frees them. 0 where memory is refused. */
export function open(names: usize, count: u32, without: bool): usize {
  const groups = heap.alloc(GROUPS_BYTES);
  if (groups == 0) return 0;
  memory.fill(groups, 0, GROUPS_BYTES);
  store<u32>(groups, <u32>names, NAMES);
  store<u32>(groups, count, NAME_COUNT);
  store<u32>(groups, u32(without), WITHOUT);
  return groups;
}

export function close(groups: usize): void {
  const count = size(groups);
  for (let g: u32 = 0; g < count; g++) {
    const key = keyAt(groups, g);
    const pairs = load<u32>(key);
    for (let i: u32 = 0; i < pairs * 2; i++) symbols.release(load<u32>(key + 4 + ((<usize>i) << 2)));
  }
  const names = load<u32>(groups, NAMES);
  if (names != 0) heap.free(<usize>names, (<usize>load<u32>(groups, NAME_COUNT)) << 2);
  table.clear(groups + TABLE);
  buffer.clear(groups + KEYS);
  buffer.clear(groups + OFFSETS);
  heap.free(groups, GROUPS_BYTES);
}

/** How many groups there are so far. */
export function size(groups: usize): u32 {
  return buffer.length(groups + OFFSETS) >>> 2;
}

/** The group of a label set, made where there is none; NONE where the memory limit says no. */
export function groupOf(groups: usize, set: usize): u32 {
  const schema = series.schemaOf(set);
  const count = schemas.count(schema);
  const names = schemas.names(schema);
  const values = series.values(set);
  // The key is written where it will stay if it is new.
  const start = buffer.length(groups + KEYS);
  const key = buffer.reserve(groups + KEYS, 4 + count * 8);
  if (key == 0) return NONE;
  let at = key + 4;
  let hash: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(names + ((<usize>i) << 2));
    if (!included(groups, name)) continue;
    const value = load<u32>(values + ((<usize>i) << 2));
    store<u32>(at, name);
    store<u32>(at, value, 4);
    at += 8;
    hash = rotl<u32>((hash ^ (name * 0x9e3779b1)) * 0x85ebca6b, 13) ^ (value * 0xc2b2ae35);
  }
  const bytes = <u32>(at - key);
  store<u32>(key, (bytes - 4) >>> 3);
  hash ^= hash >>> 15;
  let group = table.first(groups + TABLE, hash);
  while (group != table.NONE) {
    const other = keyAt(groups, group);
    if (load<u32>(other) == load<u32>(key) && memory.compare(other, key, bytes) == 0) return group;
    group = table.next(groups + TABLE, hash);
  }
  return add(groups, hash, start, bytes);
}

function add(groups: usize, hash: u32, start: u32, bytes: u32): u32 {
  const group = size(groups);
  const entry = buffer.reserve(groups + OFFSETS, 4);
  if (entry == 0 || !table.insert(groups + TABLE, hash, group)) return NONE;
  store<u32>(entry, start);
  buffer.advance(groups + OFFSETS, 4);
  buffer.advance(groups + KEYS, bytes);
  const key = keyAt(groups, group);
  for (let i: u32 = 4; i < bytes; i += 4) symbols.retain(load<u32>(key + i));
  return group;
}

/** Adds the labels of every group to the label table begun. */
export function writeLabels(groups: usize): bool {
  const count = size(groups);
  for (let g: u32 = 0; g < count; g++) {
    const key = keyAt(groups, g);
    const pairs = load<u32>(key);
    if (!labelTable.beginRow()) return false;
    for (let i: u32 = 0; i < pairs; i++) {
      const pair = key + 4 + ((<usize>i) << 3);
      if (!labelTable.addPair(load<u32>(pair), load<u32>(pair, 4))) return false;
    }
  }
  return true;
}

/** The key of a group; it moves when groups are made. */
export function keyAt(groups: usize, group: u32): usize {
  return buffer.address(groups + KEYS) + load<u32>(buffer.address(groups + OFFSETS) + ((<usize>group) << 2));
}

function included(groups: usize, name: u32): bool {
  const names = <usize>load<u32>(groups, NAMES);
  const count = load<u32>(groups, NAME_COUNT);
  let listed = false;
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(names + ((<usize>i) << 2)) == name) {
      listed = true;
      break;
    }
  }
  return listed != (load<u32>(groups, WITHOUT) != 0);
}
