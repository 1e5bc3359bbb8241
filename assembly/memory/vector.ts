// Growable arrays of fixed-size records that never move.
//
//   header (16 bytes)                 directory            page of 64 KiB
//   ┌───────────┬──────────┬───────┐   ┌──────┐            ┌────────┬────────┬───
//   │ directory │ capacity │ count │ ─►│ page │ ──────────►│ record │ record │ …
//   │ u32       │ u32      │ u32   │   │ page │            └────────┴────────┴───
//   └───────────┴──────────┴───────┘   └──────┘
//
// A record is 1 << log2 bytes, so 65536 >> log2 records fit a page. A page whose
// records are all dead may be dropped; its directory entry is then 0.

import { PAGE_BYTES } from '../layout';
import * as heap from './heap';

export const VECTOR_BYTES: usize = 16;

const DIRECTORY: usize = 0;
const CAPACITY: usize = 4;
const COUNT: usize = 8;
const PAGE: usize = PAGE_BYTES;
const DIRECTORY_MIN: u32 = 16;

/** The number of records ever pushed. */
export function count(vector: usize): u32 {
  return load<u32>(vector, COUNT);
}

/** The address of record `index`. Its page must be there. */
export function at(vector: usize, index: u32, log2: u32): usize {
  const page = <usize>load<u32>(<usize>load<u32>(vector, DIRECTORY) + ((<usize>(index >>> (16 - log2))) << 2));
  return page + ((<usize>(index & ((1 << (16 - log2)) - 1))) << log2);
}

/** Like at(), but 0 where the index is past the end or the page was dropped. */
export function find(vector: usize, index: u32, log2: u32): usize {
  if (index >= count(vector)) return 0;
  const page = <usize>load<u32>(<usize>load<u32>(vector, DIRECTORY) + ((<usize>(index >>> (16 - log2))) << 2));
  return page == 0 ? 0 : page + ((<usize>(index & ((1 << (16 - log2)) - 1))) << log2);
}

/** Adds a zeroed record and gives its address; 0 where the memory limit says no. Its index is count() - 1. */
export function push(vector: usize, log2: u32): usize {
  const index = count(vector);
  const slot = index >>> (16 - log2);
  if (slot >= load<u32>(vector, CAPACITY) && !growDirectory(vector)) return 0;
  const entry = <usize>load<u32>(vector, DIRECTORY) + ((<usize>slot) << 2);
  if (load<u32>(entry) == 0) {
    if ((index & ((1 << (16 - log2)) - 1)) != 0) {
      // The page was dropped while its tail was still unused: go on with the next page.
      store<u32>(vector, (slot + 1) << (16 - log2), COUNT);
      return push(vector, log2);
    }
    const page = heap.alloc(PAGE);
    if (page == 0) return 0;
    memory.fill(page, 0, PAGE);
    store<u32>(entry, <u32>page);
  }
  store<u32>(vector, index + 1, COUNT);
  return at(vector, index, log2);
}

/** Frees the page that holds record `index`; every record on it must be dead. */
export function dropPage(vector: usize, index: u32, log2: u32): void {
  const entry = <usize>load<u32>(vector, DIRECTORY) + ((<usize>(index >>> (16 - log2))) << 2);
  const page = <usize>load<u32>(entry);
  if (page == 0) return;
  heap.free(page, PAGE);
  store<u32>(entry, 0);
}

/** Gives all memory back; the vector is empty again. */
export function clear(vector: usize, log2: u32): void {
  const pages = (count(vector) + (1 << (16 - log2)) - 1) >>> (16 - log2);
  for (let page: u32 = 0; page < pages; page++) dropPage(vector, page << (16 - log2), log2);
  const capacity = load<u32>(vector, CAPACITY);
  if (capacity != 0) heap.free(<usize>load<u32>(vector, DIRECTORY), (<usize>capacity) << 2);
  memory.fill(vector, 0, VECTOR_BYTES);
}

function growDirectory(vector: usize): bool {
  const old = load<u32>(vector, CAPACITY);
  const capacity = max(old * 2, DIRECTORY_MIN);
  const directory = heap.alloc((<usize>capacity) << 2);
  if (directory == 0) return false;
  memory.fill(directory, 0, (<usize>capacity) << 2);
  if (old > 0) {
    const previous = <usize>load<u32>(vector, DIRECTORY);
    memory.copy(directory, previous, (<usize>old) << 2);
    heap.free(previous, (<usize>old) << 2);
  }
  store<u32>(vector, <u32>directory, DIRECTORY);
  store<u32>(vector, capacity, CAPACITY);
  return true;
}
