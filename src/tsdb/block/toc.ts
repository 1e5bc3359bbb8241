// The table of contents: the last 52 bytes of an index, offsets of its sections. 0 says that there is none.

import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader } from '../bytes.js';
import type { BlockFile } from './file.js';
import { CRC_BYTES, INDEX_HEADER_BYTES, INDEX_MAGIC, INDEX_VERSION, TOC_BYTES } from './layout.js';
import { checkCrc } from './section.js';

export interface Toc {
  readonly symbols: number;
  readonly series: number;
  readonly labelIndices: number;
  readonly labelOffsetTable: number;
  readonly postings: number;
  readonly postingsTable: number;
  /** Of the table: tells one index from another. */
  readonly checksum: number;
}

/** Looks at the head of an index and reads its table of contents. */
export function readToc(file: BlockFile, crc: Crc32c): Toc {
  checkHeader(file);
  const at = file.size - TOC_BYTES;
  if (at < INDEX_HEADER_BYTES) throw file.fault('table of contents', 0, `a file of ${file.size} bytes has no room`);
  const bytes = file.read('table of contents', at, TOC_BYTES);
  const content = bytes.subarray(0, TOC_BYTES - CRC_BYTES);
  checkCrc(file, 'table of contents', at, crc.of(content), bytes, content.length);
  return file.parse('table of contents', at, () => {
    const reader = new ByteReader(content);
    const offset = () => {
      const value = reader.u64();
      if (value > at) throw file.fault('table of contents', at, `a section at ${value}, beyond the end`);
      return value;
    };
    return {
      symbols: offset(),
      series: offset(),
      labelIndices: offset(),
      labelOffsetTable: offset(),
      postings: offset(),
      postingsTable: offset(),
      checksum: new ByteReader(bytes, content.length).u32(),
    };
  });
}

function checkHeader(file: BlockFile): void {
  const reader = new ByteReader(file.read('header', 0, INDEX_HEADER_BYTES));
  const magic = reader.u32();
  const version = reader.u8();
  if (magic !== INDEX_MAGIC) throw file.fault('header', 0, `no index: it begins with ${magic.toString(16)}`);
  if (version !== INDEX_VERSION) throw file.fault('header', 4, `version ${version}, only ${INDEX_VERSION} is read`);
}
