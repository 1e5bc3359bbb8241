// A section of the index: a length, that many bytes, their checksum.
//
//   ┌─────────┬───────────────────────┬─────────┐
//   │ len u32 │ content, `len` bytes  │ crc u32 │
//   └─────────┴───────────────────────┴─────────┘

import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader, BytesError } from '../bytes.js';
import type { BlockFile } from './file.js';
import { CRC_BYTES } from './layout.js';

const LENGTH_BYTES = 4;
/** A piece of a section that is read from front to back. */
const PIECE_BYTES = 256 * 1024;

/** Where the content of a section is. */
export interface Section {
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

/** The section at `at`: its length is believed as far as the file goes, its checksum not looked at yet. */
export function findSection(file: BlockFile, what: string, at: number): Section {
  const length = new ByteReader(file.read(what, at, LENGTH_BYTES)).u32();
  const start = at + LENGTH_BYTES;
  if (start + length + CRC_BYTES > file.size) {
    throw file.fault(what, at, `its length ${length} reaches beyond the file's end`);
  }
  return { what, start, end: start + length };
}

/** All of a section's content, checked. The section is known to be of a sensible size. */
export function readSection(file: BlockFile, section: Section, crc: Crc32c): Uint8Array {
  const { what, start, end } = section;
  const bytes = file.read(what, start, end - start + CRC_BYTES);
  const content = bytes.subarray(0, end - start);
  checkCrc(file, what, start, crc.of(content), bytes, end - start);
  return content;
}

/** Reads the checksum that stands in `bytes` at `at`, and throws unless it is `found`. */
export function checkCrc(
  file: BlockFile,
  what: string,
  place: number,
  found: number,
  bytes: Uint8Array,
  at: number,
): void {
  const wanted = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  if (found !== wanted) throw file.fault(what, place, `checksum ${hex(found)} where ${hex(wanted)} is written`);
}

/**
 * Reads a section from front to back in pieces, and checks it. `entry` is called with a reader before each entry, and
 * with the entry's offset in the content; it reads all of it before it keeps any, because it is called again with
 * more bytes where an entry goes beyond its piece. Ends after `count` entries, which must be all.
 */
export function scanSection(
  file: BlockFile,
  section: Section,
  crc: Crc32c,
  entries: { skip: number; count: number },
  entry: (reader: ByteReader, at: number) => void,
): void {
  const { what, start, end } = section;
  const length = end - start;
  let piece = new Uint8Array(Math.min(PIECE_BYTES, length));
  file.readInto(what, piece, start);
  let sum = crc.of(piece);
  /** Offset of the piece in the content. */
  let base = 0;
  let reader = new ByteReader(piece, entries.skip);

  for (let i = 0; i < entries.count; i++) {
    const from = reader.at;
    try {
      entry(reader, base + from);
    } catch (error) {
      if (!(error instanceof BytesError)) throw error;
      const behind = base + piece.length;
      if (behind === length) throw file.fault(what, start + base + from, error.message);
      const left = piece.length - from;
      // Twice as much where one entry fills the piece.
      const more = Math.min(Math.max(PIECE_BYTES, left), length - behind);
      const next = new Uint8Array(left + more);
      next.set(piece.subarray(from));
      const fresh = next.subarray(left);
      file.readInto(what, fresh, start + behind);
      sum = crc.of(fresh, sum);
      piece = next;
      base += from;
      reader = new ByteReader(piece);
      i--;
    }
  }
  if (base + reader.at !== length) {
    throw file.fault(what, start, `${entries.count} entries end at ${base + reader.at} of ${length} bytes`);
  }
  checkCrc(file, what, start, sum, file.read(what, end, CRC_BYTES), 0);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
