// Small blocks in size classes, carved out of pages. The caller remembers the
// size of its block and gives it back with it, so a block has no header.
//
//   class   0   1   2   3   4   5   6   7    8    9   10   11 ...
//   bytes  16  32  48  64  80  96 112 128  160  192  224  256  320 384 448 512 ... 32768
//
// Four classes to each doubling above 64: at most 25 % of a block is slack.
// Blocks over 32 KiB are whole pages.
//
// A page serves one class while any block of it is in use; then it goes back, and may serve another. Its note (pages.ts):
//
//   0        4       6        8       10         12      13
//   ┌────────┬───────┬────────┬───────┬──────────┬───────┬───┐
//   │ free   │ taken │ carved │ next  │ previous │ class │ – │   free    the first free block, which links to the next
//   │ u32    │ u16   │ u16    │ u16   │ u16      │ u8    │   │   taken   blocks in use
//   └────────┴───────┴────────┴───────┴──────────┴───────┴───┘   carved  units of 16 bytes from which on it was never used
//
// Pages of a class that have room form a list through `next` and `previous` (numbers of pages, 0 is none). One that
// was full and is no more comes first: those that are nearly empty wait at the end, and become wholly empty there.

import { PAGE_BYTES } from '../layout';
import * as pages from './pages';

const PAGE: usize = PAGE_BYTES;
const SMALL_MAX: usize = 32768;
const CLASSES: usize = 40;
const UNIT_BITS: usize = 4;

const FREE: usize = 0;
const TAKEN: usize = 4;
const CARVED: usize = 6;
const NEXT: usize = 8;
const PREVIOUS: usize = 10;
const CLASS: usize = 12;

/** Of each class the first page with room; its note, 0 for none. */
const roomy: usize = memory.data(<i32>(CLASSES * sizeof<u32>()), 8);

/** Bytes of pages of classes that no block has: used by the pages' count, and yet to be had. */
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
  let note = <usize>load<u32>(roomy + (cls << 2));
  if (note == 0) {
    note = begin(cls);
    if (note == 0) return 0;
  }
  const size = classBytes(cls);
  let block = <usize>load<u32>(note, FREE);
  if (block != 0) {
    store<u32>(note, load<u32>(block), FREE);
  } else {
    const carved: usize = load<u16>(note, CARVED);
    block = pages.pageOf(note) + (carved << UNIT_BITS);
    store<u16>(note, <u16>(carved + (size >> UNIT_BITS)), CARVED);
  }
  spare -= <u32>size;
  store<u16>(note, load<u16>(note, TAKEN) + 1, TAKEN);
  if (isFull(note, size)) unlink(note, cls);
  return block;
}

/** Gives back a block with the size it was asked for. */
export function free(block: usize, bytes: usize): void {
  assert(block != 0 && (block & 15) == 0, 'not a block');
  if (bytes > SMALL_MAX) {
    pages.free(block, <u32>((bytes + PAGE - 1) / PAGE));
    return;
  }
  const cls = classOf(bytes);
  const size = classBytes(cls);
  const note = pages.noteOf(block);
  assert(load<u8>(note, CLASS) == <u8>cls && load<u16>(note, TAKEN) != 0, 'a block of another size');
  if (isFull(note, size)) link(note, cls);
  store<u32>(block, load<u32>(note, FREE));
  store<u32>(note, <u32>block, FREE);
  spare += <u32>size;
  const taken = load<u16>(note, TAKEN) - 1;
  store<u16>(note, taken, TAKEN);
  if (taken == 0) end(note, cls, size);
}

/** Whether no block of a page is left. */
function isFull(note: usize, size: usize): bool {
  return load<u32>(note, FREE) == 0 && ((<usize>load<u16>(note, CARVED)) << UNIT_BITS) + size > PAGE;
}

/** A page for a class; its note, 0 where the memory limit says no. */
function begin(cls: usize): usize {
  const page = pages.alloc(1);
  if (page == 0) return 0;
  const note = pages.noteOf(page);
  store<u32>(note, 0, FREE);
  store<u16>(note, 0, TAKEN);
  store<u16>(note, 0, CARVED);
  store<u8>(note, <u8>cls, CLASS);
  spare += usable(classBytes(cls));
  link(note, cls);
  return note;
}

/** No block of a page is in use any more. */
function end(note: usize, cls: usize, size: usize): void {
  unlink(note, cls);
  spare -= usable(size);
  store<u8>(note, 0xff, CLASS);
  pages.free(pages.pageOf(note), 1);
}

/** The rest of a page is too small for a block. */
function usable(size: usize): u32 {
  return <u32>((PAGE / size) * size);
}

/** Puts a page in front of those with room. */
function link(note: usize, cls: usize): void {
  const first = <usize>load<u32>(roomy + (cls << 2));
  store<u16>(note, 0, PREVIOUS);
  store<u16>(note, first == 0 ? 0 : numberOf(first), NEXT);
  if (first != 0) store<u16>(first, numberOf(note), PREVIOUS);
  store<u32>(roomy + (cls << 2), <u32>note);
}

function unlink(note: usize, cls: usize): void {
  const next = load<u16>(note, NEXT);
  const previous = load<u16>(note, PREVIOUS);
  if (next != 0) store<u16>(noteAt(next), previous, PREVIOUS);
  if (previous != 0) store<u16>(noteAt(previous), next, NEXT);
  else store<u32>(roomy + (cls << 2), next == 0 ? 0 : <u32>noteAt(next));
}

function numberOf(note: usize): u16 {
  return <u16>(pages.pageOf(note) >>> 16);
}

function noteAt(page: u16): usize {
  return pages.noteOf((<usize>page) << 16);
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
