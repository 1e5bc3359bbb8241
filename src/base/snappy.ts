// Snappy's block format, decoding, for cold paths: records that another server compressed. Encoding is in snappy-encode.ts.
//
//   ┌──────────────────────────┬──────────┬─────────┬──────────┬─
//   │ decoded length <uvarint> │ literal  │ copy    │ literal  │ ...
//   └──────────────────────────┴──────────┴─────────┴──────────┴─
//
// An element's low two bits say what it is: 00 literal, 01, 10 and 11 copies with offsets of 11, 16 and 32 bits.
// Format: format_description.txt of google/snappy.

/** Bytes of the offset of a copy, by the low two bits of its tag. */
const COPY_WIDTHS = [0, 1, 2, 4];

/** The input is not a Snappy block; `offset` is where in it that shows. */
export class SnappyError extends Error {
  override readonly name = 'SnappyError';
  constructor(
    readonly offset: number,
    readonly reason: string,
  ) {
    super(`snappy: ${reason} at byte ${offset}`);
  }
}

/** What the block says its decoded length is, and where its elements begin. Allocates nothing, so check it first. */
export function snappyHeader(block: Uint8Array): { length: number; start: number } {
  let length = 0;
  for (let at = 0; at < Math.min(block.length, 5); at++) {
    length += (block[at]! & 0x7f) * 2 ** (7 * at);
    if (block[at]! < 0x80) {
      if (length >= 2 ** 32) break;
      return { length, start: at + 1 };
    }
  }
  throw new SnappyError(0, 'the decoded length is malformed');
}

/** Decodes `block` into the front of `into`, which must have room for the length its header says; gives that length. */
export function snappyDecode(block: Uint8Array, into: Uint8Array): number {
  const { length, start } = snappyHeader(block);
  if (length > into.length) throw new SnappyError(0, `${length} decoded bytes do not fit into ${into.length}`);
  let from = start;
  let to = 0;
  while (from < block.length) {
    const element = from;
    const tag = block[from++]!;
    if ((tag & 3) === 0) {
      let count = (tag >> 2) + 1;
      if (count > 60) {
        const width = count - 60;
        if (from + width > block.length) throw new SnappyError(element, 'a literal is cut off');
        count = littleEndian(block, from, width) + 1;
        from += width;
      }
      if (from + count > block.length) throw new SnappyError(element, 'a literal is cut off');
      if (to + count > length) throw new SnappyError(element, 'more bytes than the header says');
      into.set(block.subarray(from, from + count), to);
      from += count;
      to += count;
      continue;
    }
    const width = COPY_WIDTHS[tag & 3]!;
    if (from + width > block.length) throw new SnappyError(element, 'a copy is cut off');
    const near = (tag & 3) === 1;
    const count = near ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = littleEndian(block, from, width) + (near ? (tag >> 5) * 256 : 0);
    from += width;
    if (offset === 0 || offset > to) throw new SnappyError(element, `a copy reaches back ${offset} of ${to} bytes`);
    if (to + count > length) throw new SnappyError(element, 'more bytes than the header says');
    if (offset >= count) into.copyWithin(to, to - offset, to - offset + count);
    else for (let i = 0; i < count; i++) into[to + i] = into[to + i - offset]!; // It repeats what it writes.
    to += count;
  }
  if (to !== length) throw new SnappyError(block.length, `${to} bytes where the header says ${length}`);
  return length;
}

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
