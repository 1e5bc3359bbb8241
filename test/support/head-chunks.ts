// Records of chunks_head, written here as the format page draws them, and what files of them hold.

import type { Disk } from '../../src/base/disk.js';
import { ByteWriter } from '../../src/tsdb/bytes.js';
import { headChunksPath, listHeadChunks } from '../../src/tsdb/head-chunks/layout.js';
import { type HeadChunk, readHeadChunks } from '../../src/tsdb/head-chunks/reader.js';
import type { Core } from '../../src/wasm/core.js';
import { Crc32c } from '../../src/wasm/crc32c.js';

export function headChunkRecord(core: Core, chunk: Omit<HeadChunk, 'offset'>): Uint8Array {
  const out = new ByteWriter();
  out.u64(chunk.ref);
  out.i64(chunk.minTimeMs);
  out.i64(chunk.maxTimeMs);
  out.u8(chunk.encoding);
  out.uvarint(chunk.data.length);
  out.raw(chunk.data);
  const body = out.finish().slice();
  const record = new Uint8Array(body.length + 4);
  record.set(body);
  new DataView(record.buffer).setUint32(body.length, new Crc32c(core).of(body));
  return record;
}

/** All chunks of a folder in the order of files. Throws where one is damaged. */
export function allHeadChunks(disk: Disk, folder: string, core: Core): HeadChunk[] {
  return listHeadChunks(disk, folder).flatMap((file) => [
    ...readHeadChunks(disk, headChunksPath(folder, file), new Crc32c(core)),
  ]);
}
