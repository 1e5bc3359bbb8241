// Copying short runs: most names and values have fewer than 32 bytes, and calling
// out for memory.copy costs more than that.

/** Above this memory.copy wins. */
const SHORT_MAX: usize = 128;

/** Copies `length` bytes between places that do not overlap. Reads and writes nothing outside them. */
export function copyShort(to: usize, from: usize, length: usize): void {
  if (length >= 16) {
    if (length > SHORT_MAX) {
      memory.copy(to, from, length);
      return;
    }
    // The last chunk overlaps the one before it.
    const last = length - 16;
    for (let i: usize = 0; i < last; i += 16) v128.store(to + i, v128.load(from + i));
    v128.store(to + last, v128.load(from + last));
  } else if (length >= 8) {
    store<u64>(to, load<u64>(from));
    store<u64>(to + length - 8, load<u64>(from + length - 8));
  } else if (length >= 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(to + length - 4, load<u32>(from + length - 4));
  } else {
    for (let i: usize = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
  }
}
