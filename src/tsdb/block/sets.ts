// Sets of series: Uint32Arrays, rising, each member once. Arguments are never written to; a result may be one of them.

/** Beyond this ratio of sizes the large set is searched rather than merged. */
const GALLOP_RATIO = 8;

export const EMPTY_SET = new Uint32Array(0);

/** Members of both. */
export function intersect(a: Uint32Array, b: Uint32Array): Uint32Array {
  return a.length <= b.length ? filter(a, b, true) : filter(b, a, true);
}

/** Members of `a` that are not in `b`. */
export function subtract(a: Uint32Array, b: Uint32Array): Uint32Array {
  return b.length === 0 ? a : filter(a, b, false);
}

/** Whether they have a member in common. */
export function meets(a: Uint32Array, b: Uint32Array): boolean {
  const [small, large] = a.length <= b.length ? [a, b] : [b, a];
  let at = 0;
  for (const member of small) {
    at = seek(large, at, member);
    if (at === large.length) return false;
    if (large[at] === member) return true;
  }
  return false;
}

/** Members of any. */
export function union(sets: readonly Uint32Array[]): Uint32Array {
  if (sets.length <= 1) return sets[0] ?? EMPTY_SET;
  let total = 0;
  let last = 0;
  for (const set of sets) {
    total += set.length;
    last = Math.max(last, set.at(-1) ?? 0);
  }
  // A bit for each possible member is read faster than many members are sorted.
  return total > last / BITS_WORTH ? unionByBits(sets, total, last) : unionBySorting(sets, total);
}

/** Sorting a member costs about as much as looking at this many bits. */
const BITS_WORTH = 512;

function filter(a: Uint32Array, b: Uint32Array, wanted: boolean): Uint32Array {
  const kept = new Uint32Array(a.length);
  const gallops = b.length > a.length * GALLOP_RATIO;
  let count = 0;
  let at = 0;
  for (const member of a) {
    if (gallops) at = seek(b, at, member);
    else while (at < b.length && b[at]! < member) at++;
    if ((b[at] === member) === wanted) kept[count++] = member;
  }
  return kept.subarray(0, count);
}

/** The first place from `from` on whose member is not below `wanted`: doubles its step, then halves it. */
function seek(set: Uint32Array, from: number, wanted: number): number {
  let low = from;
  let step = 1;
  while (low + step <= set.length && set[low + step - 1]! < wanted) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, set.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (set[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function unionByBits(sets: readonly Uint32Array[], total: number, last: number): Uint32Array {
  const words = new Uint32Array(Math.floor(last / 32) + 1);
  for (const set of sets) for (const member of set) words[member >>> 5]! |= 1 << (member & 31);
  const members = new Uint32Array(total);
  let count = 0;
  for (let word = 0; word < words.length; word++) {
    for (let bits = words[word]!; bits !== 0; bits &= bits - 1) {
      members[count++] = word * 32 + 31 - Math.clz32(bits & -bits);
    }
  }
  return members.subarray(0, count);
}

function unionBySorting(sets: readonly Uint32Array[], total: number): Uint32Array {
  const members = new Uint32Array(total);
  let at = 0;
  for (const set of sets) {
    members.set(set, at);
    at += set.length;
  }
  members.sort();
  let count = 0;
  for (const member of members) if (count === 0 || members[count - 1] !== member) members[count++] = member;
  return members.subarray(0, count);
}
