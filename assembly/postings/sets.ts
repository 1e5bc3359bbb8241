// Set operations over ascending u32 arrays, results written to an array of the caller's.

/** Beyond this ratio of sizes the large set is searched rather than merged: a search costs about as much as eight steps of a merge. */
const GALLOP_RATIO: u32 = 8;

function item(set: usize, index: u32): u32 {
  return load<u32>(set + ((<usize>index) << 2));
}

/** Members of both. `into` may be `a`. Gives their number. */
export function intersect(a: usize, aCount: u32, b: usize, bCount: u32, into: usize): u32 {
  if (bCount * GALLOP_RATIO < aCount && into != a) return gallop(b, bCount, a, aCount, into, true);
  return filter(a, aCount, b, bCount, into, true);
}

/** Members of `a` that are not in `b`. `into` may be `a`. Gives their number. */
export function subtract(a: usize, aCount: u32, b: usize, bCount: u32, into: usize): u32 {
  return filter(a, aCount, b, bCount, into, false);
}

/** Members of either, once. `into` overlaps neither and has room for both. Gives their number. */
export function union(a: usize, aCount: u32, b: usize, bCount: u32, into: usize): u32 {
  let i: u32 = 0;
  let j: u32 = 0;
  let out: u32 = 0;
  while (i < aCount && j < bCount) {
    const x = item(a, i);
    const y = item(b, j);
    store<u32>(into + ((<usize>out) << 2), min(x, y));
    out++;
    i += u32(x <= y);
    j += u32(y <= x);
  }
  memory.copy(into + ((<usize>out) << 2), a + ((<usize>i) << 2), (<usize>(aCount - i)) << 2);
  out += aCount - i;
  memory.copy(into + ((<usize>out) << 2), b + ((<usize>j) << 2), (<usize>(bCount - j)) << 2);
  return out + bCount - j;
}

/** Sorts an array of u32 in place (LSD radix, four passes). `scratch` has room for as many. */
export function sort(set: usize, count: u32, scratch: usize): void {
  const counts = memory.data(1024, 16);
  let from = set;
  let to = scratch;
  for (let shift: u32 = 0; shift < 32; shift += 8) {
    memory.fill(counts, 0, 1024);
    for (let i: u32 = 0; i < count; i++) {
      const bucket = counts + ((<usize>((item(from, i) >>> shift) & 0xff)) << 2);
      store<u32>(bucket, load<u32>(bucket) + 1);
    }
    let sum: u32 = 0;
    for (let b: usize = 0; b < 1024; b += 4) {
      const size = load<u32>(counts + b);
      store<u32>(counts + b, sum);
      sum += size;
    }
    for (let i: u32 = 0; i < count; i++) {
      const value = item(from, i);
      const bucket = counts + ((<usize>((value >>> shift) & 0xff)) << 2);
      const place = load<u32>(bucket);
      store<u32>(bucket, place + 1);
      store<u32>(to + ((<usize>place) << 2), value);
    }
    const swap = from;
    from = to;
    to = swap;
  }
}

/** Members of `a` that are (`wanted`) or are not in `b`. */
function filter(a: usize, aCount: u32, b: usize, bCount: u32, into: usize, wanted: bool): u32 {
  if (aCount * GALLOP_RATIO < bCount) return gallop(a, aCount, b, bCount, into, wanted);
  let i: u32 = 0;
  let j: u32 = 0;
  let out: u32 = 0;
  // Without branches on the data: they would be mispredicted every other time.
  while (i < aCount && j < bCount) {
    const x = item(a, i);
    const y = item(b, j);
    store<u32>(into + ((<usize>out) << 2), x);
    out += u32(x <= y) & u32((x == y) == wanted);
    i += u32(x <= y);
    j += u32(y <= x);
  }
  if (wanted) return out;
  memory.copy(into + ((<usize>out) << 2), a + ((<usize>i) << 2), (<usize>(aCount - i)) << 2);
  return out + aCount - i;
}

/** Members of the small set that are (`wanted`) or are not in the large one. */
function gallop(small: usize, smallCount: u32, large: usize, largeCount: u32, into: usize, wanted: bool): u32 {
  let out: u32 = 0;
  let low: u32 = 0;
  for (let i: u32 = 0; i < smallCount; i++) {
    const value = item(small, i);
    let step: u32 = 1;
    let high = low;
    while (high < largeCount && item(large, high) < value) {
      low = high + 1;
      high = min(largeCount, high + step);
      step <<= 1;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (item(large, middle) < value) low = middle + 1;
      else high = middle;
    }
    const found = low < largeCount && item(large, low) == value;
    store<u32>(into + ((<usize>out) << 2), value);
    out += u32(found == wanted);
  }
  return out;
}
