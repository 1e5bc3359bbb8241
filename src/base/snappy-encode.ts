// Snappy's block format, encoding: for answers to remote reads, and what the tool pushes. The format is drawn in snappy.ts.
//
// Each stretch of 64 KiB is compressed by itself: a table says where four bytes like the next ones were seen last.

const STRETCH_BYTES = 1 << 16;
const TABLE_BITS = 14;
/** Shorter ones are not looked for. */
const MATCH_BYTES_MIN = 4;
/** The most that one element copies. */
const COPY_BYTES_MAX = 64;
/** After so many misses in a row every second place is looked at, then every third: what does not compress goes by fast. */
const PATIENCE_BITS = 5;

/** A block of these bytes. */
export function snappyEncode(bytes: Uint8Array): Uint8Array {
  const to = new Uint8Array(16 + bytes.length + Math.ceil(bytes.length / 6));
  let at = 0;
  let left = bytes.length;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) to[at++] = (left % 0x80) | 0x80;
  to[at++] = left;
  const table = new Uint16Array(1 << TABLE_BITS);
  for (let start = 0; start < bytes.length; start += STRETCH_BYTES) {
    at = encodeStretch(bytes.subarray(start, start + STRETCH_BYTES), to, at, table.fill(0));
  }
  return to.subarray(0, at);
}

function encodeStretch(from: Uint8Array, to: Uint8Array, at: number, table: Uint16Array): number {
  const end = from.length - MATCH_BYTES_MIN;
  let written = 0;
  let misses = 0;
  for (let next = 1; next <= end; ) {
    const word = wordAt(from, next);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - TABLE_BITS);
    const seen = table[slot]!;
    table[slot] = next;
    if (seen >= next || wordAt(from, seen) !== word) {
      next += 1 + (misses++ >> PATIENCE_BITS);
      continue;
    }
    misses = 0;
    let length = MATCH_BYTES_MIN;
    while (next + length < from.length && from[seen + length] === from[next + length]) length++;
    at = literal(from.subarray(written, next), to, at);
    at = copies(next - seen, length, to, at);
    next += length;
    written = next;
  }
  return literal(from.subarray(written), to, at);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function literal(bytes: Uint8Array, to: Uint8Array, at: number): number {
  const count = bytes.length - 1;
  if (count < 0) return at;
  if (count < 60) to[at++] = count << 2;
  else if (count < 0x100) {
    to[at++] = 60 << 2;
    to[at++] = count;
  } else {
    to[at++] = 61 << 2;
    to[at++] = count;
    to[at++] = count >>> 8;
  }
  to.set(bytes, at);
  return at + bytes.length;
}

/** Elements with an offset of 16 bits. */
function copies(offset: number, length: number, to: Uint8Array, at: number): number {
  for (let left = length; left > 0; ) {
    const count = Math.min(left, COPY_BYTES_MAX);
    to[at++] = ((count - 1) << 2) | 2;
    to[at++] = offset;
    to[at++] = offset >>> 8;
    left -= count;
  }
  return at;
}
