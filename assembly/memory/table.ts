// An open-addressing hash table from 32-bit hashes to u32 ids. The keys live
// elsewhere: a caller walks the ids that share a hash and compares for itself.
//
//   header (16 bytes)                      slots, 8 bytes each
//   ┌────────┬────────┬────────┬────────┐   ┌────────┬────────┐
//   │ slots  │ mask   │ filled │ live   │ ─►│ hash   │ id + 2 │   id + 2: 0 is empty, 1 was deleted
//   └────────┴────────┴────────┴────────┘   └────────┴────────┘
//
// Linear probing from hash & mask. Hashes of texts from outside are
// seeded with a secret by the caller, so nobody can choose keys that collide. At most 3/4 of the slots are filled.

import * as heap from './heap';

export const TABLE_BYTES: usize = 16;

const SLOTS: usize = 0;
const MASK: usize = 4;
const FILLED: usize = 8;
const LIVE: usize = 12;
const HASH: usize = 0;
const ID: usize = 4;

const DELETED: u32 = 1;
const SLOTS_MIN: u32 = 64;

/** No slot matches. */
export const NONE: u32 = 0xffffffff;

/** The cursor of the last find(): hand it to next() to go on. */
let probe: u32 = 0;

/** The first id with this hash, or NONE. */
export function first(table: usize, hash: u32): u32 {
  probe = hash;
  return walk(table, hash);
}

/** The next id with this hash, or NONE. Only after first() for the same table and hash. */
export function next(table: usize, hash: u32): u32 {
  probe++;
  return walk(table, hash);
}

function walk(table: usize, hash: u32): u32 {
  const slots = <usize>load<u32>(table, SLOTS);
  if (slots == 0) return NONE;
  const mask = load<u32>(table, MASK);
  while (true) {
    const slot = slots + ((<usize>(probe & mask)) << 3);
    const id = load<u32>(slot, ID);
    if (id == 0) return NONE;
    if (id != DELETED && load<u32>(slot, HASH) == hash) return id - 2;
    probe++;
  }
}

/** Makes room for `more` ids, so that inserting them does not fail; false where the memory limit says no. */
export function reserve(table: usize, more: u32): bool {
  while (load<u32>(table, SLOTS) == 0 || (load<u32>(table, FILLED) + more) * 4 > (load<u32>(table, MASK) + 1) * 3) {
    if (!resize(table, more)) return false;
  }
  return true;
}

/** Adds an id; false where the memory limit says no (nothing changed). The id may be up to 2^32 - 3. */
export function insert(table: usize, hash: u32, id: u32): bool {
  if (!reserve(table, 1)) return false;
  place(table, hash, id + 2);
  store<u32>(table, load<u32>(table, FILLED) + 1, FILLED);
  store<u32>(table, load<u32>(table, LIVE) + 1, LIVE);
  return true;
}

/** Removes the entry of this very hash and id. */
export function remove(table: usize, hash: u32, id: u32): void {
  const slots = <usize>load<u32>(table, SLOTS);
  const mask = load<u32>(table, MASK);
  let at = hash;
  while (true) {
    const slot = slots + ((<usize>(at & mask)) << 3);
    const have = load<u32>(slot, ID);
    if (have == id + 2 && load<u32>(slot, HASH) == hash) {
      store<u32>(slot, DELETED, ID);
      store<u32>(table, load<u32>(table, LIVE) - 1, LIVE);
      return;
    }
    assert(have != 0, 'the entry is not there');
    at++;
  }
}

export function live(table: usize): u32 {
  return load<u32>(table, LIVE);
}

/** Gives the memory back; the table is empty again. */
export function clear(table: usize): void {
  const slots = <usize>load<u32>(table, SLOTS);
  if (slots != 0) heap.free(slots, (<usize>(load<u32>(table, MASK) + 1)) << 3);
  memory.fill(table, 0, TABLE_BYTES);
}

function place(table: usize, hash: u32, value: u32): void {
  const slots = <usize>load<u32>(table, SLOTS);
  const mask = load<u32>(table, MASK);
  let at = hash;
  while (load<u32>(slots + ((<usize>(at & mask)) << 3), ID) != 0) at++;
  const slot = slots + ((<usize>(at & mask)) << 3);
  store<u32>(slot, hash, HASH);
  store<u32>(slot, value, ID);
}

/** Doubles, or only sweeps the deleted entries where they are the many, even with `more` ids to come. */
function resize(table: usize, more: u32): bool {
  const old = <usize>load<u32>(table, SLOTS);
  const oldCount: u32 = old == 0 ? 0 : load<u32>(table, MASK) + 1;
  const alive = load<u32>(table, LIVE);
  const slotCount = max(SLOTS_MIN, (alive + more) * 2 >= oldCount ? oldCount * 2 : oldCount);
  const slots = heap.alloc((<usize>slotCount) << 3);
  if (slots == 0) return false;
  memory.fill(slots, 0, (<usize>slotCount) << 3);
  store<u32>(table, <u32>slots, SLOTS);
  store<u32>(table, slotCount - 1, MASK);
  store<u32>(table, alive, FILLED);
  for (let i: u32 = 0; i < oldCount; i++) {
    const slot = old + ((<usize>i) << 3);
    const value = load<u32>(slot, ID);
    if (value > DELETED) place(table, load<u32>(slot, HASH), value);
  }
  if (oldCount > 0) heap.free(old, (<usize>oldCount) << 3);
  return true;
}
