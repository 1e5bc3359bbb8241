// Sorting rows by their keys, runs of bytes that lie one after the other.

/** Writes the numbers 0 … count - 1 to `order` so that the keys they name ascend. As much room again behind it is used. */
export function sortByKeys(order: usize, count: u32, keys: usize, ends: usize): void {
  for (let i: u32 = 0; i < count; i++) store<u32>(order + ((<usize>i) << 2), i);
  const bytes: usize = (<usize>count) << 2;
  let from = order;
  let to = order + bytes;
  // Merges runs of one, of two, of four …
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let start: u32 = 0; start < count; start += width << 1) {
      mergeRuns(from, to, start, min(start + width, count), min(start + (width << 1), count), keys, ends);
    }
    const swap = from;
    from = to;
    to = swap;
  }
  if (from != order) memory.copy(order, from, bytes);
}

/** Merges the runs [start, middle) and [middle, end) of `from` into the same place of `to`. */
function mergeRuns(from: usize, to: usize, start: u32, middle: u32, end: u32, keys: usize, ends: usize): void {
  // Series of blocks come in their order, mostly, and so do those that a target brought.
  if (middle == end || compare(at(from, middle - 1), at(from, middle), keys, ends) <= 0) {
    const offset: usize = (<usize>start) << 2;
    memory.copy(to + offset, from + offset, (<usize>(end - start)) << 2);
    return;
  }
  let left = start;
  let right = middle;
  for (let i = start; i < end; i++) {
    const takeLeft = right == end || (left < middle && compare(at(from, left), at(from, right), keys, ends) <= 0);
    store<u32>(to + ((<usize>i) << 2), takeLeft ? at(from, left++) : at(from, right++));
  }
}

function at(words: usize, index: u32): u32 {
  return load<u32>(words + ((<usize>index) << 2));
}

/** Below, at or above 0 as key `a` is before, like or after key `b`. */
function compare(a: u32, b: u32, keys: usize, ends: usize): i32 {
  const aAt: usize = keys + (a == 0 ? 0 : at(ends, a - 1));
  const bAt: usize = keys + (b == 0 ? 0 : at(ends, b - 1));
  const aBytes: usize = keys + at(ends, a) - aAt;
  const bBytes: usize = keys + at(ends, b) - bAt;
  const common: usize = min(aBytes, bBytes);
  let i: usize = 0;
  for (; i + 8 <= common; i += 8) {
    const x = load<u64>(aAt + i);
    const y = load<u64>(bAt + i);
    // The first byte that differs decides: the lowest one.
    if (x != y) {
      const shift: u64 = ctz<u64>(x ^ y) & 56;
      return (<i32>(x >> shift) & 0xff) - (<i32>(y >> shift) & 0xff);
    }
  }
  for (; i < common; i++) {
    const order = <i32>load<u8>(aAt + i) - <i32>load<u8>(bAt + i);
    if (order != 0) return order;
  }
  return <i32>aBytes - <i32>bBytes;
}
