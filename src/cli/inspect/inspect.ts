// Prints any of our files as its page in docs/formats draws it: a block, one of its files, the log, a segment of it, chunks of
// the head.

import type { Disk } from '../../base/disk.js';
import {
  CHUNKS_MAGIC,
  CHUNKS_NAME,
  INDEX_MAGIC,
  INDEX_NAME,
  META_NAME,
  TOMBSTONES_MAGIC,
  TOMBSTONES_NAME,
} from '../../tsdb/block/layout.js';
import { formatMeta, readMeta } from '../../tsdb/block/meta.js';
import { ByteReader } from '../../tsdb/bytes.js';
import { HEAD_CHUNKS_MAGIC, headChunksPath, listHeadChunks } from '../../tsdb/head-chunks/layout.js';
import { listSegments } from '../../tsdb/wal/segments.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { inspectIndex, inspectSegment, inspectTombstones } from './block.js';
import { inspectHeadChunks } from './head-chunks.js';
import { inspectLog, inspectManifest } from './log.js';
import { inspectBlockList, inspectHeadChunksManifest } from './manifests.js';

/** The lines of a folder or a file. Throws BlockFault where a block is wrong, behind the lines before it. */
export function* inspect(disk: Disk, path: string, core: Core): Generator<string, void, void> {
  const stat = disk.stat(path);
  if (stat === undefined) throw new Error(`${path} is not there`);
  const [, folder, name] = /^(.*?)\/?([^/]*)$/.exec(path.replace(/\/+$/, ''))!;
  if (stat.isDirectory) yield* inspectFolder(disk, path, core);
  else if (name!.endsWith('.json')) yield formatMeta(readMeta(disk, path));
  else if (name === 'chunks_head.manifest') yield* inspectHeadChunksManifest(disk, core, path);
  else if (name === 'blocks.manifest') yield* inspectBlockList(disk, core, path);
  else if (name!.endsWith('.manifest')) yield* inspectManifest(disk, core, path);
  else if (/^\d{8,}$/.test(name!)) {
    yield* inspectLog(disk, core, folder || '.', { from: Number(name), to: Number(name) });
  } else yield* inspectByMagic(disk, path, new Crc32c(core));
}

function* inspectFolder(disk: Disk, path: string, core: Core): Generator<string, void, void> {
  if (listSegments(disk, path).length > 0) yield* inspectLog(disk, core, path);
  else if (listHeadChunks(disk, path).length > 0) yield* inspectAllHeadChunks(disk, path, core);
  else if (disk.stat(`${path}/${META_NAME}`) !== undefined) yield* inspectBlock(disk, path, core);
  else throw new Error(`${path}: neither a block nor a log, nor chunks of the head`);
}

function* inspectAllHeadChunks(disk: Disk, path: string, core: Core): Generator<string, void, void> {
  for (const file of listHeadChunks(disk, path)) {
    yield '';
    yield `── ${file}`;
    yield* inspectHeadChunks(disk, headChunksPath(path, file), new Crc32c(core));
  }
}

function* inspectBlock(disk: Disk, path: string, core: Core): Generator<string, void, void> {
  const segments = disk.list(`${path}/${CHUNKS_NAME}`).map((name) => `${CHUNKS_NAME}/${name}`);
  for (const name of [META_NAME, INDEX_NAME, ...segments, TOMBSTONES_NAME]) {
    if (disk.stat(`${path}/${name}`) === undefined) continue;
    yield '';
    yield `── ${name}`;
    yield* inspect(disk, `${path}/${name}`, core);
  }
}

function* inspectByMagic(disk: Disk, path: string, crc: Crc32c): Generator<string, void, void> {
  const file = disk.open(path, 'read');
  const head = new Uint8Array(4);
  disk.pread(file, head, 0);
  disk.close(file);
  const magic = new ByteReader(head).u32();
  if (magic === INDEX_MAGIC) yield* inspectIndex(disk, path, crc);
  else if (magic === CHUNKS_MAGIC) yield* inspectSegment(disk, path, crc);
  else if (magic === TOMBSTONES_MAGIC) yield* inspectTombstones(disk, path, crc);
  else if (magic === HEAD_CHUNKS_MAGIC) yield* inspectHeadChunks(disk, path, crc);
  else throw new Error(`${path}: nothing of ours begins with ${magic.toString(16).padStart(8, '0')}`);
}
