// Validation of UTF-8 (RFC 3629): no surrogates, no over-long forms, nothing above U+10FFFF.

import { findHigh } from './scan';

/** Whether `length` bytes are valid UTF-8. */
export function isValidUtf8(text: usize, length: usize): bool {
  const end = text + length;
  let at = findHigh(text, end);
  while (at < end) {
    const step = sequenceBytes(at, end);
    if (step == 0) return false;
    at += step;
    // Text with one high byte mostly has more of them close by.
    if (at < end && load<u8>(at) < 0x80) at = findHigh(at, end);
  }
  return true;
}

/** Bytes of the sequence at `at`, 0 where it is not valid. The second byte's range carries all the exceptions. */
function sequenceBytes(at: usize, end: usize): usize {
  const first = load<u8>(at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const count: usize = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + count > end) return 0;
  const second = load<u8>(at, 1);
  const low: u8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const high: u8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i: usize = 2; i < count; i++) {
    if ((load<u8>(at + i) & 0xc0) != 0x80) return 0;
  }
  return count;
}
