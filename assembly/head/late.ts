// Which series have late samples beside the head (src/shard/late): a bit each, by number. They stay when the head has
// nothing of them any more.

import * as buffer from '../memory/buffer';

const bits: usize = memory.data(16, 8);

export function has(number: u32): bool {
  const byte = number >>> 3;
  return byte < buffer.length(bits) && (load<u8>(buffer.address(bits) + byte) & bitOf(number)) != 0;
}

/** False where the memory limit says no. */
export function add(number: u32): bool {
  const byte = number >>> 3;
  const length = buffer.length(bits);
  if (byte >= length) {
    const more = byte + 1 - length;
    const at = buffer.reserve(bits, more);
    if (at == 0) return false;
    memory.fill(at, 0, more);
    buffer.advance(bits, more);
  }
  const at = buffer.address(bits) + byte;
  store<u8>(at, load<u8>(at) | bitOf(number));
  return true;
}

export function remove(number: u32): void {
  if (!has(number)) return;
  const at = buffer.address(bits) + (number >>> 3);
  store<u8>(at, load<u8>(at) & ~bitOf(number));
}

function bitOf(number: u32): u8 {
  return <u8>((<u32>1) << (number & 7));
}
