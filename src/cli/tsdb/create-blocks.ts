// `tsdb create-blocks-from openmetrics`: the samples of a file as blocks. The file is read once, in pieces.

import type { Disk } from '../../base/disk.js';
import type { Labels } from '../../model/labels.js';
import type { BlockMeta } from '../../tsdb/block/contract.js';
import { listBlocks } from '../../tsdb/block/open-blocks.js';
import { newUlid } from '../../tsdb/block/ulid.js';
import { TEMPORARY_SUFFIX } from '../../tsdb/block/writer.js';
import { BlockImport } from '../../tsdb/import/import.js';
import { OpenMetricsImport } from '../../tsdb/import/openmetrics-import.js';
import { publishBlocks } from '../../tsdb/import/publish.js';
import { Core } from '../../wasm/core.js';
import { ToolError, type ToolWorld } from '../tool/command.js';
import { blockTable } from './list.js';

export interface BlocksRequest {
  /** Where the blocks are to be. */
  readonly folder: string;
  /** What they may span at most; see blockSpan(). */
  readonly blockMsMax: number;
  readonly isForHumans: boolean;
  readonly isQuiet: boolean;
}

export interface OpenMetricsRequest extends BlocksRequest {
  readonly file: string;
  readonly labels: Labels;
}

const BLOCK_MS_MIN = 2 * 3_600_000;
const LEVELS = 10;
const LEVEL_FACTOR = 3;
const READ_BYTES = 4 * 1024 * 1024;

/** The longest of 2 h, 6 h, 18 h, … that fits, so that blocks can be merged; 2 h at least. */
export function blockSpan(atMostMs: number): number {
  let spanMs = BLOCK_MS_MIN;
  for (let level = 1; level < LEVELS && spanMs * LEVEL_FACTOR <= atMostMs; level++) spanMs *= LEVEL_FACTOR;
  return spanMs;
}

export async function createFromOpenMetrics(world: ToolWorld, request: OpenMetricsRequest): Promise<void> {
  if (world.disk.stat(request.file) === undefined) {
    throw new ToolError(`open ${request.file}: no such file or directory`);
  }
  await fillBlocks(world, request, (target) => {
    const text = new OpenMetricsImport(target, { labels: request.labels });
    const size = world.disk.stat(request.file)!.size;
    let read = 0;
    try {
      for (const piece of piecesOf(world.disk, request.file)) {
        text.push(piece);
        read += piece.length;
        world.progress(read / size);
      }
    } finally {
      world.progress(1);
    }
    text.end();
  });
}

/** Blocks of what `fill` adds: all of them are there at the end, or none. Prints them. */
export async function fillBlocks(
  world: ToolWorld,
  request: BlocksRequest,
  fill: (target: BlockImport) => Promise<void> | void,
): Promise<void> {
  const { disk, clock, out } = world;
  const { folder, isForHumans, isQuiet } = request;
  const nowMs = clock.nowMs();
  // Whoever serves the directory removes it where we do not come to its end.
  const staging = `${folder}/${newUlid(nowMs)}${TEMPORARY_SUFFIX}`;
  const target = new BlockImport({
    disk,
    core: new Core(),
    folder: staging,
    blockMs: blockSpan(request.blockMsMax),
    nowMs,
  });
  let metas: readonly BlockMeta[];
  try {
    await fill(target);
    metas = toEnd(target.finish());
    publishBlocks(disk, staging, folder, metas);
  } catch (error) {
    target.abort();
    throw error;
  }
  const { count, example } = target.conflicts;
  if (count > 0)
    world.warn(`${count} samples had the time of another one and another value, and are left out: ${example}`);
  if (isQuiet || metas.length === 0) return;
  const ulids = new Set(metas.map(({ ulid }) => ulid));
  const made = listBlocks(disk, folder).blocks.filter(({ meta }) => ulids.has(meta.ulid));
  for (const [i, block] of made.entries()) for (const line of blockTable([block], isForHumans, i === 0)) out.line(line);
}

function toEnd<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The bytes of a file; each piece is lent until the next. */
function* piecesOf(disk: Disk, path: string): Generator<Uint8Array> {
  const file = disk.open(path, 'read');
  try {
    const buffer = new Uint8Array(READ_BYTES);
    for (let at = 0; ; ) {
      const count = disk.pread(file, buffer, at);
      if (count === 0) return;
      yield buffer.subarray(0, count);
      at += count;
    }
  } finally {
    disk.close(file);
  }
}
