// Prints what must be there beside the log: files of chunks_head, blocks.

import type { Disk } from '../../base/disk.js';
import { readBlockListFile } from '../../tsdb/compact/block-list.js';
import { readHeadChunksManifest } from '../../tsdb/head-chunks/manifest.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { at } from './line.js';

export function* inspectHeadChunksManifest(disk: Disk, core: Core, path: string): Generator<string, void, void> {
  const found = readHeadChunksManifest(disk, path, new Crc32c(core));
  if (found.outcome !== 'found') {
    yield `manifest of chunks_head, ${found.outcome}`;
    return;
  }
  yield `manifest of chunks_head, generation ${found.generation}`;
  yield at(found.state.highest, 'the highest file');
  for (const [file, { bytes, latestMs }] of found.state.files) yield at(file, `${bytes} bytes, up to ${latestMs}`, 4);
}

export function* inspectBlockList(disk: Disk, core: Core, path: string): Generator<string, void, void> {
  const found = readBlockListFile(disk, path, new Crc32c(core));
  if (found.outcome !== 'found') {
    yield `list of blocks, ${found.outcome}`;
    return;
  }
  yield `list of blocks, generation ${found.generation}`;
  for (const { ulid, minTimeMs, maxTimeMs } of found.state) yield `    ${ulid}  ${minTimeMs} … ${maxTimeMs}`;
}
