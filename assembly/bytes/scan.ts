// Finding a byte, sixteen at a time.

/** The address of the first `byte` from `at` on, or `end`. Reads nothing behind `end`. */
export function find(at: usize, end: usize, byte: u8): usize {
  const wanted = i8x16.splat(<i8>byte);
  for (; at + 16 <= end; at += 16) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (mask != 0) return at + <usize>ctz<i32>(mask);
  }
  for (; at < end; at++) {
    if (load<u8>(at) == byte) return at;
  }
  return end;
}
