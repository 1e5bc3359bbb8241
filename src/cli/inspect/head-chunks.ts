// Prints files of chunks_head as docs/formats/chunks-head.md draws them: a line for each chunk.

import type { Disk } from '../../base/disk.js';
import { ChunkEncoding } from '../../tsdb/block/contract.js';
import { OUT_OF_ORDER } from '../../tsdb/head-chunks/layout.js';
import { readHeadChunks } from '../../tsdb/head-chunks/reader.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { at } from './line.js';

/** Throws HeadChunkFault where the file is damaged, behind the lines before it. */
export function* inspectHeadChunks(disk: Disk, path: string, crc: Crc32c): Generator<string, void, void> {
  yield 'chunks of the head';
  for (const { offset, ref, minTimeMs, maxTimeMs, encoding, data } of readHeadChunks(disk, path, crc)) {
    const kind = encoding & ~OUT_OF_ORDER;
    const name = ChunkEncoding[kind] ?? `encoding ${kind}`;
    const order = kind === encoding ? '' : ', out of order';
    // A chunk's first two bytes count its samples.
    const samples = data.length < 2 ? 0 : 256 * data[0]! + data[1]!;
    yield at(
      offset,
      `series ${ref}  ${minTimeMs} … ${maxTimeMs}  ${name}${order}, ${samples} samples, ${data.length} bytes`,
    );
  }
}
