// Small blocks in size classes, carved out of pages. The caller remembers the
// size of its block and gives it back with it, so a block has no header.
//
//   class   0   1   2   3   4   5   6   7    8    9   10   11 ...
//   bytes  16  32  48  64  80  96 112 128  160  192  224  256  320 384 448 512 ... 32768
//
// Four classes to each doubling above 64: at most 25 % of a block is slack.
// Blocks over 32 KiB are whole pages.
//
// Invariants
//   - free blocks of a class form a list through their first four bytes;
//   - a page carved for one class serves that class for ever: what churns is wanted again in the same sizes.

import { PAGE_BYTES } from '../layout';
import * as pages from './pages';

const PAGE: usize = PAGE_BYTES;
const SMALL_MAX: usize = 32768;
const CLASSES: usize = 40;

const freeLists: usize = memory.data(<i32>(CLASSES * sizeof<u32>()), 8);
const cursors: usize = memory.data(<i32>(CLASSES * sizeof<u32>()), 8);
const ends: usize = memory.data(<i32>(CLASSES * sizeof<u32>()), 8);

/** Bytes of pages carved for a class that no block has: used by the pages' count, and yet to be had. */
let spare: u32 = 0;

export function spareBytes(): u32 {
  return spare;
}

/** The number of bytes a block of `bytes` really takes: use it when a buffer may as well grow into the slack. */
export function roundUp(bytes: usize): usize {
  if (bytes > SMALL_MAX) return (bytes + PAGE - 1) & ~(PAGE - 1);
  return classBytes(classOf(bytes));
}

/** A block of at least `bytes`, undefined content, aligned to 16; 0 where the memory limit says no. */
export function alloc(bytes: usize): usize {
  if (bytes > SMALL_MAX) return pages.alloc(<u32>((bytes + PAGE - 1) / PAGE));
  const cls = classOf(bytes);
  const list = freeLists + cls * sizeof<u32>();
  const block = <usize>load<u32>(list);
  if (block != 0) {
    store<u32>(list, load<u32>(block));
    spare -= <u32>classBytes(cls);
    return block;
  }
  return carve(cls);
}

/** Gives back a block with the size it was asked for. */
export function free(block: usize, bytes: usize): void {
  assert(block != 0 && (block & 15) == 0, 'not a block');
  if (bytes > SMALL_MAX) {
    pages.free(block, <u32>((bytes + PAGE - 1) / PAGE));
    return;
  }
  const cls = classOf(bytes);
  const list = freeLists + cls * sizeof<u32>();
  spare += <u32>classBytes(cls);
  store<u32>(block, load<u32>(list));
  store<u32>(list, <u32>block);
}

function carve(cls: usize): usize {
  const size = classBytes(cls);
  const cursor = cursors + cls * sizeof<u32>();
  const end = ends + cls * sizeof<u32>();
  let at = <usize>load<u32>(cursor);
  if (at + size > <usize>load<u32>(end) || at == 0) {
    at = pages.alloc(1);
    if (at == 0) return 0;
    // The rest of the page is too small for a block, for ever.
    const usable = (PAGE / size) * size;
    spare += <u32>usable;
    store<u32>(end, <u32>(at + usable));
  }
  spare -= <u32>size;
  store<u32>(cursor, <u32>(at + size));
  return at;
}

/** 16, 32, 48, 64, then four classes to each doubling. */
function classOf(bytes: usize): usize {
  if (bytes <= 64) return bytes == 0 ? 0 : (bytes - 1) >> 4;
  // 65..128 are steps of 16, 129..256 of 32, and so on.
  const shift = <usize>(31 - clz<u32>(<u32>(bytes - 1))) - 2;
  return (shift - 4) * 4 + ((bytes - 1) >> shift);
}

function classBytes(cls: usize): usize {
  if (cls < 4) return (cls + 1) << 4;
  const shift: usize = 4 + (cls - 4) / 4;
  return (5 + ((cls - 4) & 3)) << shift;
}
