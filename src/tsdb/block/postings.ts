// A list of postings: the series that have a label pair, as refs, rising.
//
//   ┌─────────┬───────────┬─────────┬─────┬─────────┐
//   │ len u32 │ count u32 │ ref u32 │ ... │ crc u32 │
//   └─────────┴───────────┴─────────┴─────┴─────────┘

import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader } from '../bytes.js';
import type { BlockFile } from './file.js';
import { findSection, readSection } from './section.js';

const COUNT_BYTES = 4;
const REF_BYTES = 4;

/** The list whose section is at `at`. */
export function readPostings(file: BlockFile, at: number, crc: Crc32c): Uint32Array {
  const section = findSection(file, 'postings', at);
  const bytes = section.end - section.start;
  const count = countAt(file, section.start);
  // Before so much memory is taken for a length that a flipped bit made.
  if (bytes !== COUNT_BYTES + count * REF_BYTES) throw file.fault('postings', at, `${count} refs in ${bytes} bytes`);
  const content = readSection(file, section, crc);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const refs = new Uint32Array(count);
  let before = -1;
  for (let i = 0; i < count; i++) {
    const ref = view.getUint32(COUNT_BYTES + i * REF_BYTES);
    if (ref <= before) throw file.fault('postings', at, `ref ${ref} behind ${before}`);
    refs[i] = ref;
    before = ref;
  }
  return refs;
}

/** How many series a list has, without reading it or its checksum. */
export function countPostings(file: BlockFile, at: number): number {
  return countAt(file, findSection(file, 'postings', at).start);
}

function countAt(file: BlockFile, start: number): number {
  return new ByteReader(file.read('postings', start, COUNT_BYTES)).u32();
}
