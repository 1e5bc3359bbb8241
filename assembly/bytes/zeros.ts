// How far a run of zero bytes reaches: the unused rest of log pages.

/** The number of bytes at `at`, at most `length`, before the first that is not zero. */
export function zeroPrefix(at: usize, length: usize): usize {
  const start = at;
  const end = at + length;
  while (at + 16 <= end && !v128.any_true(v128.load(at))) at += 16;
  while (at < end && load<u8>(at) == 0) at++;
  return at - start;
}
