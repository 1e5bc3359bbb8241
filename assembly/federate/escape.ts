// Names and values as the text exposition format writes them.

const BACKSLASH: u8 = 0x5c;
const QUOTE: u8 = 0x22;
const NEWLINE: u8 = 0x0a;

/** Most bytes that writing `length` bytes of a value takes. */
export function escapedMax(length: u32): u32 {
  // The copy below moves whole 16-byte pieces.
  return length * 2 + 16;
}

/** Writes a label value with \ " and newline escaped; gives the address behind it. */
export function writeValue(out: usize, from: usize, length: u32): usize {
  const end = from + length;
  const backslash = i8x16.splat(BACKSLASH);
  const quote = i8x16.splat(QUOTE);
  const newline = i8x16.splat(NEWLINE);
  while (from + 16 <= end) {
    const piece = v128.load(from);
    const special = v128.or(v128.or(i8x16.eq(piece, backslash), i8x16.eq(piece, quote)), i8x16.eq(piece, newline));
    if (v128.any_true(special)) break;
    v128.store(out, piece);
    out += 16;
    from += 16;
  }
  while (from < end) {
    const byte = load<u8>(from);
    if (byte == BACKSLASH || byte == QUOTE || byte == NEWLINE) {
      store<u8>(out, BACKSLASH);
      store<u8>(out, byte == NEWLINE ? 0x6e : byte, 1);
      out += 2;
    } else {
      store<u8>(out, byte);
      out++;
    }
    from++;
  }
  return out;
}

/** Whether a name is one of the old character set, which needs no quotes: letters, digits, _ and, in metric names, a colon. */
export function isLegacyName(from: usize, length: u32, colon: bool): bool {
  for (let i: u32 = 0; i < length; i++) {
    const byte = load<u8>(from + i);
    const letter = (byte | 0x20) - 0x61 < 26 || byte == 0x5f || (colon && byte == 0x3a);
    if (!letter && (i == 0 || byte - 0x30 > 9)) return false;
  }
  return length > 0;
}

/** Writes a name with every character outside the old set as an underscore, one for each code point. */
export function writeUnderscored(out: usize, from: usize, length: u32, colon: bool): usize {
  for (let i: u32 = 0; i < length; i++) {
    const byte = load<u8>(from + i);
    // Continuation bytes belong to a character already written.
    if ((byte & 0xc0) == 0x80) continue;
    const letter = (byte | 0x20) - 0x61 < 26 || byte == 0x5f || (colon && byte == 0x3a);
    store<u8>(out, letter || (i > 0 && byte - 0x30 <= 9) ? byte : 0x5f);
    out++;
  }
  return out;
}

/** Bytes that writeUnderscored() writes. */
export function underscoredBytes(from: usize, length: u32): u32 {
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < length; i++) if ((load<u8>(from + i) & 0xc0) != 0x80) bytes++;
  return bytes;
}
