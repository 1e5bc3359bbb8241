// Spans of whole WebAssembly pages: the floor every other allocator stands on.
//
//   0 ........ __heap_base .. READER_BASE ....... first ............................ top ........ memory.size()
//   │ data of the compiler │   │ the same of readers │ spans in use and free spans  │ not yet handed out
//
// Free spans form one list in address order, so neighbours merge:
//
//   0        4        8
//   ┌────────┬────────┐
//   │ next   │ pages  │   kept in the first bytes of the free span itself
//   └────────┴────────┘
//
// Invariants
//   - the list is sorted by address and no two entries touch;
//   - used + free pages = top - first, in pages;
//   - used never exceeds the limit set by limit().

import { PAGE_BYTES, READER_BASE } from '../layout';

const PAGE: usize = PAGE_BYTES;

/** Memory grows by at least this many pages at a time (1 MiB), so that growing stays rare. */
const GROW_PAGES: u32 = 16;

const NEXT: usize = 0;
const PAGES: usize = sizeof<u32>();

let first: usize = 0;
let top: usize = 0;
let freeHead: usize = 0;
let used: u32 = 0;
let limitPages: u32 = 65536;

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

/** A span of `count` pages, its bytes undefined; 0 where the limit or the machine says no. */
export function alloc(count: u32): usize {
  assert(count > 0, 'a span has at least one page');
  if (used + count > limitPages) return 0;
  const span = takeFree(count) || takeTop(count);
  if (span != 0) used += count;
  return span;
}

/** Gives back a span that alloc() handed out with this very count. */
export function free(span: usize, count: u32): void {
  assert((span & (PAGE - 1)) == 0 && span >= first && span + <usize>count * PAGE <= top, 'not a span');
  used -= count;
  let previous: usize = 0;
  let next = freeHead;
  while (next != 0 && next < span) {
    previous = next;
    next = load<u32>(next, NEXT);
  }
  store<u32>(span, <u32>next, NEXT);
  store<u32>(span, count, PAGES);
  if (next != 0) mergeWithNext(span);
  if (previous == 0) {
    freeHead = span;
  } else {
    store<u32>(previous, <u32>span, NEXT);
    mergeWithNext(previous);
  }
}

function mergeWithNext(span: usize): void {
  const next = <usize>load<u32>(span, NEXT);
  const count = load<u32>(span, PAGES);
  if (next == 0 || span + <usize>count * PAGE != next) return;
  store<u32>(span, load<u32>(next, NEXT), NEXT);
  store<u32>(span, count + load<u32>(next, PAGES), PAGES);
}

/** First fit; the rest of a larger span stays free. */
function takeFree(count: u32): usize {
  let previous: usize = 0;
  let span = freeHead;
  while (span != 0) {
    const have = load<u32>(span, PAGES);
    let next = <usize>load<u32>(span, NEXT);
    if (have >= count) {
      if (have > count) {
        const rest = span + <usize>count * PAGE;
        store<u32>(rest, <u32>next, NEXT);
        store<u32>(rest, have - count, PAGES);
        next = rest;
      }
      if (previous == 0) freeHead = next;
      else store<u32>(previous, <u32>next, NEXT);
      return span;
    }
    previous = span;
    span = next;
  }
  return 0;
}

function takeTop(count: u32): usize {
  if (first == 0) {
    assert(__heap_base <= <usize>READER_BASE, 'the data of the core reaches into that of the readers');
    first = <usize>READER_BASE + PAGE;
    top = first;
  }
  // In pages, because byte addresses of a full 4 GiB memory do not fit u32.
  const topPage = <u32>(top >>> 16);
  const have = <u32>memory.size();
  if (topPage + count > have) {
    const need = topPage + count - have;
    if (memory.grow(<i32>max(need, GROW_PAGES)) < 0 && memory.grow(<i32>need) < 0) return 0;
  }
  // The very last page of a 4 GiB memory is never used, so that `top` never wraps to 0.
  if (topPage + count > 65535) return 0;
  const span = top;
  top += <usize>count * PAGE;
  return span;
}
