// 64 x 64 -> 128 bit multiplication, which WebAssembly lacks.

const LOW: u64 = 0xffffffff;

/** The upper 64 bits of a * b; the lower are plain a * b. */
export function mulHigh(a: u64, b: u64): u64 {
  const a0: u64 = a & LOW;
  const a1: u64 = a >> 32;
  const b0: u64 = b & LOW;
  const b1: u64 = b >> 32;
  const low: u64 = a0 * b0;
  const mid: u64 = a1 * b0 + (low >> 32);
  const mid2: u64 = a0 * b1 + (mid & LOW);
  return a1 * b1 + (mid >> 32) + (mid2 >> 32);
}
