// Schemas: the names of a label set, in order, once for all series that share them.
//
//   block in the heap
//   ┌────────┬────────┬────────┬────────┬───
//   │ count  │ hash   │ name 0 │ name 1 │ …      symbols of the names
//   └────────┴────────┴────────┴────────┴───
//
// A label set is then its schema's number and one value symbol for each name.
// Schemas are few and live for ever; they hold references to their names.

import * as heap from '../memory/heap';
import * as table from '../memory/table';
import * as vector from '../memory/vector';
import * as symbols from './symbols';

const LOG2: u32 = 2;
const COUNT: usize = 0;
const HASH: usize = 4;
const NAMES: usize = 8;

export const NONE: u32 = 0xffffffff;
/** A schema's number shares a word with the high byte of a series ref. */
export const SCHEMAS_MAX: u32 = 1 << 24;

const blocks: usize = memory.data(16, 8);
const index: usize = memory.data(16, 8);

export function count(schema: u32): u32 {
  return load<u32>(<usize>load<u32>(vector.at(blocks, schema, LOG2)), COUNT);
}

/** The address of the schema's first name symbol. */
export function names(schema: u32): usize {
  return <usize>load<u32>(vector.at(blocks, schema, LOG2)) + NAMES;
}

/** The place of a name in the schema, or -1. */
export function indexOf(schema: u32, name: u32): i32 {
  const size = count(schema);
  const list = names(schema);
  for (let i: u32 = 0; i < size; i++) if (load<u32>(list + ((<usize>i) << 2)) == name) return <i32>i;
  return -1;
}

/** Schemas made so far. */
export function bound(): u32 {
  return vector.count(blocks);
}

/** The schema of these name symbols; NONE where the memory limit says no. Copies. */
export function intern(list: usize, size: u32): u32 {
  const hash = hashOf(list, size);
  let schema = table.first(index, hash);
  while (schema != table.NONE) {
    if (count(schema) == size && memory.compare(names(schema), list, (<usize>size) << 2) == 0) return schema;
    schema = table.next(index, hash);
  }
  return create(list, size, hash);
}

function create(list: usize, size: u32, hash: u32): u32 {
  if (vector.count(blocks) >= SCHEMAS_MAX) return NONE;
  const bytes = NAMES + ((<usize>size) << 2);
  const block = heap.alloc(bytes);
  if (block == 0) return NONE;
  const entry: usize = table.reserve(index, 1) ? vector.push(blocks, LOG2) : 0;
  if (entry == 0) {
    heap.free(block, bytes);
    return NONE;
  }
  table.insert(index, hash, vector.count(blocks) - 1);
  store<u32>(block, size, COUNT);
  store<u32>(block, hash, HASH);
  memory.copy(block + NAMES, list, (<usize>size) << 2);
  store<u32>(entry, <u32>block);
  for (let i: u32 = 0; i < size; i++) symbols.retain(load<u32>(list + ((<usize>i) << 2)));
  return vector.count(blocks) - 1;
}

function hashOf(list: usize, size: u32): u32 {
  let hash: u64 = size;
  for (let i: u32 = 0; i < size; i++) {
    hash = (hash ^ <u64>load<u32>(list + ((<usize>i) << 2))) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return <u32>(hash >> 16);
}
