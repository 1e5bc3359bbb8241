// Spans of whole WebAssembly pages: the floor every other allocator stands on.
//
//   0 ........ __heap_base .. READER_BASE ........ NOTES ................. first ............... top ........ memory.size()
//   │ data of the compiler │   │ that of readers │   │ a note for each page │ in use and free ones │ not yet handed out
//
// A page is free where its bit in `map` is 1. The lowest that are free are handed out first, so that what is left
// gathers at the low end.
//
// A note is 16 bytes about a page for whoever has it (heap.ts). There is one for each page that can be: bytes of
// memory that nobody touches cost nothing.
//
// Invariants
//   - the page below `top` is in use: those that are given back there are not handed out any more;
//   - used + free pages = top - first, in pages;
//   - used never exceeds the limit set by limit();
//   - no word of the map before `lowest` has a free page.

import { PAGE_BYTES, READER_BASE } from '../layout';

const PAGE: usize = PAGE_BYTES;
const PAGE_BITS: usize = 16;
const PAGES_MAX: u32 = 65536;

/** Memory grows by at least this many pages at a time (1 MiB), so that growing stays rare. */
const GROW_PAGES: u32 = 16;

const NOTE_BITS: usize = 4;
const NOTES: usize = <usize>READER_BASE + PAGE;
const FIRST: u32 = <u32>((NOTES + ((<usize>PAGES_MAX) << NOTE_BITS)) >> PAGE_BITS);

const WORD_BITS: u32 = 64;
const WORDS: u32 = PAGES_MAX / WORD_BITS;
const map: usize = memory.data(<i32>(PAGES_MAX / 8), 8);

let top: u32 = FIRST;
let lowest: u32 = 0;
let used: u32 = 0;
let limitPages: u32 = PAGES_MAX;

/** Sets the most pages that alloc() hands out. Lowering it below what is used only stops new spans. */
export function limit(pages: u32): void {
  limitPages = pages;
}

export function usedPages(): u32 {
  return used;
}

export function freePages(): u32 {
  return used < limitPages ? limitPages - used : 0;
}

/** The note of the page that an address lies in. Its bytes are undefined when the page is handed out. */
export function noteOf(address: usize): usize {
  return NOTES + ((address >>> PAGE_BITS) << NOTE_BITS);
}

/** The page that a note is of. */
export function pageOf(note: usize): usize {
  return ((note - NOTES) >>> NOTE_BITS) << PAGE_BITS;
}

/** A span of `count` pages, its bytes undefined; 0 where the limit or the machine says no. */
export function alloc(count: u32): usize {
  assert(count > 0, 'a span has at least one page');
  if (used + count > limitPages) return 0;
  const page = takeFree(count) || takeTop(count);
  used += page == 0 ? 0 : count;
  return (<usize>page) << PAGE_BITS;
}

/** Gives back a span that alloc() handed out with this very count. */
export function free(span: usize, count: u32): void {
  const page = <u32>(span >>> PAGE_BITS);
  assert((span & (PAGE - 1)) == 0 && page >= FIRST && page + count <= top, 'not a span');
  used -= count;
  if (page + count == top) {
    top = page;
    while (top > FIRST && isFree(top - 1)) mark(--top, false);
    return;
  }
  for (let i: u32 = 0; i < count; i++) mark(page + i, true);
  lowest = min(lowest, page / WORD_BITS);
}

function isFree(page: u32): bool {
  return ((word(page / WORD_BITS) >>> <u64>(page % WORD_BITS)) & 1) != 0;
}

function mark(page: u32, free: bool): void {
  const at = map + ((<usize>(page / WORD_BITS)) << 3);
  const bit = (<u64>1) << (<u64>(page % WORD_BITS));
  assert(((load<u64>(at) & bit) != 0) != free, 'a page is given back twice');
  store<u64>(at, load<u64>(at) ^ bit);
}

function word(index: u32): u64 {
  return load<u64>(map + ((<usize>index) << 3));
}

/** The first run of free pages that is long enough; 0 where there is none. */
function takeFree(count: u32): u32 {
  const words = (top + WORD_BITS - 1) / WORD_BITS;
  while (lowest < words && word(lowest) == 0) lowest++;
  let run: u32 = 0;
  for (let index = lowest; index < words; index++) {
    let free = word(index);
    if (free == 0) {
      run = 0;
      continue;
    }
    for (let page = index * WORD_BITS; page < (index + 1) * WORD_BITS; page++, free >>= 1) {
      if (run == 0 && free == 0) break;
      run = (free & 1) != 0 ? run + 1 : 0;
      if (run < count) continue;
      const start = page + 1 - count;
      for (let i: u32 = 0; i < count; i++) mark(start + i, false);
      return start;
    }
  }
  return 0;
}

function takeTop(count: u32): u32 {
  assert(__heap_base <= <usize>READER_BASE, 'the data of the core reaches into that of the readers');
  // The very last page of a 4 GiB memory is never used, so that the end of a span never wraps to 0.
  if (top + count > PAGES_MAX - 1) return 0;
  const have = <u32>memory.size();
  if (top + count > have) {
    const need = top + count - have;
    if (memory.grow(<i32>max(need, GROW_PAGES)) < 0 && memory.grow(<i32>need) < 0) return 0;
  }
  const span = top;
  top += count;
  return span;
}
