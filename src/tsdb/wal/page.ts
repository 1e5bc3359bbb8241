// How records lie in the pages of a segment: the numbers of docs/formats/wal.md.
//
//   segment  │ page 32 KiB │ page │ page │ ...
//   page     │ fragment │ fragment │ ... │ zeroes │
//   fragment
//     0       1         3          7
//     ┌───────┬─────────┬──────────┬──────────────
//     │ flags │ length  │ crc      │ payload ...
//     │ u8    │ u16 BE  │ u32 BE   │
//     └───────┴─────────┴──────────┴──────────────
//       bits 0–2 kind, bit 3 snappy, bit 4 zstd
//
// A record is one Full fragment, or a First, any number of Middle and a Last.
// A fragment never crosses a page, a record never crosses a segment.

export const PAGE_BYTES = 32768;
export const FRAGMENT_HEADER_BYTES = 7;

/** Prometheus starts a new segment at this size. */
export const SEGMENT_BYTES_DEFAULT = 128 * 1024 * 1024;

/** What a fragment is of its record. */
export enum Fragment {
  /** Nothing: the rest of the page is zeroes. */
  None = 0,
  Full = 1,
  First = 2,
  Middle = 3,
  Last = 4,
}

export const KIND_MASK = 0x07;
export const SNAPPY_FLAG = 0x08;
export const ZSTD_FLAG = 0x10;

/** The bytes that a record of `length` bytes takes in a segment, headers and page ends included, from `offset` on. */
export function framedBytes(offset: number, length: number): number {
  let at = offset;
  let left = length;
  do {
    at = skipFullPage(at);
    const room = PAGE_BYTES - (at % PAGE_BYTES) - FRAGMENT_HEADER_BYTES;
    const part = Math.min(room, left);
    at += FRAGMENT_HEADER_BYTES + part;
    left -= part;
  } while (left > 0);
  return at - offset;
}

/** Where the next fragment may begin: a page with no room for a header is left. */
export function skipFullPage(offset: number): number {
  const room = PAGE_BYTES - (offset % PAGE_BYTES);
  return room < FRAGMENT_HEADER_BYTES ? offset + room : offset;
}

/** `offset` rounded up to the end of its page. */
export function pageEnd(offset: number): number {
  return Math.ceil(offset / PAGE_BYTES) * PAGE_BYTES;
}
