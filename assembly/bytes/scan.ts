// Looking at sixteen bytes at a time.
//
// Loads are aligned to 16. An aligned load never crosses the end of memory, so the bytes
// around a run may be loaded with it, and are masked out:
//
//   ┌────────────────┬────────────────┬────────────────┐
//   │     ▒▒▒▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒│▒▒▒▒            │     ▒ the run
//   └────────────────┴────────────────┴────────────────┘

const CHUNK_MASK: usize = 15;

/** The address of the first `byte` from `at` on, or `end`. */
export function find(at: usize, end: usize, byte: u8): usize {
  return findEither(at, end, byte, byte);
}

/** The address of the first `a` or `b` from `at` on, or `end`. */
export function findEither(at: usize, end: usize, a: u8, b: u8): usize {
  if (at >= end) return end;
  const wantedA = i8x16.splat(<i8>a);
  const wantedB = i8x16.splat(<i8>b);
  let chunk = at & ~CHUNK_MASK;
  let skipped: u32 = (<u32>0xffff) << (<u32>at & 15);
  do {
    const bytes = v128.load(chunk);
    const hits = v128.or(i8x16.eq(bytes, wantedA), i8x16.eq(bytes, wantedB));
    const mask = <u32>i8x16.bitmask(hits) & skipped;
    if (mask != 0) return min(chunk + <usize>ctz<u32>(mask), end);
    skipped = 0xffff;
    chunk += 16;
  } while (chunk < end);
  return end;
}

/** The address of the first byte of 0x80 or more from `at` on, or `end`. */
export function findHigh(at: usize, end: usize): usize {
  if (at >= end) return end;
  let chunk = at & ~CHUNK_MASK;
  let skipped: u32 = (<u32>0xffff) << (<u32>at & 15);
  do {
    const mask = <u32>i8x16.bitmask(v128.load(chunk)) & skipped;
    if (mask != 0) return min(chunk + <usize>ctz<u32>(mask), end);
    skipped = 0xffff;
    chunk += 16;
  } while (chunk < end);
  return end;
}
