// Varints, as protobuf and snappy write them: seven bits a byte, lowest first; signed ones as Go does, the sign in the lowest bit.

/** Where the last varint ended; 0 where it was cut short or longer than ten bytes. */
export let varintEnd: usize = 0;

/** Reads a varint of at most 64 bits that must end before `end`. */
export function readVarint(at: usize, end: usize): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70 && at < end; shift += 7) {
    const byte: u64 = load<u8>(at);
    at++;
    // The tenth byte has room for one bit.
    if (shift == 63 && byte > 1) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      varintEnd = at;
      return value;
    }
  }
  varintEnd = 0;
  return 0;
}

/** The same, signed; nearly all that a log has take one byte. */
export function readSigned(at: usize, end: usize): i64 {
  let value: u64;
  if (at < end && load<u8>(at) < 0x80) {
    value = load<u8>(at);
    varintEnd = at + 1;
  } else value = readVarint(at, end);
  return <i64>((value >> 1) ^ (0 - (value & 1)));
}
