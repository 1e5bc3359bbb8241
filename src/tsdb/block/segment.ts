// A segment of chunks as a file: its head, and its chunks one behind the other.

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader } from '../bytes.js';
import { BlockFile } from './file.js';
import { CHUNKS_HEADER_BYTES, CHUNKS_MAGIC, CHUNKS_VERSION, CRC_BYTES } from './layout.js';
import { checkCrc } from './section.js';

/** The uvarint of a length that fits a segment. */
export const CHUNK_LENGTH_BYTES_MAX = 5;
export const ENCODING_BYTES = 1;

export interface SegmentChunk {
  readonly offset: number;
  readonly encoding: number;
  /** Lent. */
  readonly data: Uint8Array;
}

/** Opens a segment and looks at its head. Throws BlockFault and DiskError. */
export function openSegment(disk: Disk, path: string): BlockFile {
  const file = BlockFile.open(disk, path);
  try {
    const header = new ByteReader(file.read('header', 0, CHUNKS_HEADER_BYTES));
    const magic = header.u32();
    const version = header.u8();
    if (magic !== CHUNKS_MAGIC) throw file.fault('header', 0, `no chunks: it begins with ${magic.toString(16)}`);
    if (version !== CHUNKS_VERSION) throw file.fault('header', 4, `version ${version}, only ${CHUNKS_VERSION} is read`);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** All chunks of a segment, checked. */
export function* chunksOf(file: BlockFile, crc: Crc32c): Generator<SegmentChunk, void, void> {
  for (let offset = CHUNKS_HEADER_BYTES; offset < file.size; ) {
    const head = new ByteReader(file.peek('chunk', offset, CHUNK_LENGTH_BYTES_MAX));
    const length = file.parse('chunk', offset, () => head.uvarint());
    const start = offset + head.at;
    if (start + ENCODING_BYTES + length + CRC_BYTES > file.size) {
      throw file.fault('chunk', offset, `its length ${length} reaches beyond the file's end`);
    }
    const bytes = file.read('chunk', start, ENCODING_BYTES + length + CRC_BYTES);
    const checked = bytes.subarray(0, ENCODING_BYTES + length);
    checkCrc(file, 'chunk', offset, crc.of(checked), bytes, checked.length);
    yield { offset, encoding: bytes[0]!, data: checked.subarray(ENCODING_BYTES) };
    offset = start + bytes.length;
  }
}
