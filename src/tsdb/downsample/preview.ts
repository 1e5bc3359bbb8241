// What policies would free of the blocks that are there, found by doing it, without writing: nothing is guessed.

import { type Disk, DiskError } from '../../base/disk.js';
import { Chunks } from '../../wasm/chunks.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { Block } from '../block/block.js';
import { BlockFault, type StreamedChunk } from '../block/contract.js';
import type { ListedBlock } from '../block/open-blocks.js';
import { countOf } from '../chunk/xor.js';
import { withoutDeleted } from '../compact/merge-chunks.js';
import { SampleCodec, UnreadableChunk } from '../compact/samples.js';
import { SeriesCursor } from '../compact/series-cursor.js';
import { AggregatesReader, aggregatesBytes } from './aggregates-file.js';
import { readMark } from './mark.js';
import { dueMark, newestEndMs } from './policies.js';
import { type RewriteSettings, SeriesRewriter } from './series-rewriter.js';

/** Of one policy, over all blocks that it has something to do with. Bytes are those of chunks and aggregates. */
export interface PolicyPreview {
  readonly name: string;
  blocks: number;
  series: number;
  samples: number;
  samplesLeft: number;
  bytes: number;
  bytesLeft: number;
}

export type PreviewStep =
  /** Ask again. */
  | { readonly state: 'more' }
  | { readonly state: 'done'; readonly rows: readonly PolicyPreview[] }
  | { readonly state: 'failed'; readonly reason: string };

/** A preview some milliseconds at a time. */
export class PreviewJob {
  readonly #steps: ReturnType<typeof previewing>;

  constructor(...task: Parameters<typeof previewing>) {
    this.#steps = previewing(...task);
  }

  step(isTime: () => boolean): PreviewStep {
    try {
      do {
        const { done, value } = this.#steps.next();
        if (done === true) return { state: 'done', rows: value };
      } while (isTime());
      return { state: 'more' };
    } catch (error) {
      const isExpected = error instanceof BlockFault || error instanceof DiskError || error instanceof UnreadableChunk;
      if (isExpected) return { state: 'failed', reason: error.message };
      throw error;
    }
  }

  /** Lets go of what it reads. */
  close(): void {
    this.#steps.return([]);
  }
}

/** Series between two steps. */
const STEP_SERIES = 64;
/** Around the data of a chunk beside its length: encoding, checksum. */
const FRAME_BYTES = 1 + 4;

/** One row for each policy, in their order. In steps of some milliseconds. Throws BlockFault, DiskError, UnreadableChunk. */
export function* previewing(
  disk: Disk,
  core: Core,
  blocks: readonly ListedBlock[],
  settings: RewriteSettings,
): Generator<void, PolicyPreview[]> {
  const rows = settings.policies.list.map(({ name }): PolicyPreview => {
    return { name, blocks: 0, series: 0, samples: 0, samplesLeft: 0, bytes: 0, bytesLeft: 0 };
  });
  const endMs = newestEndMs(blocks.map(({ meta }) => meta));
  for (const { path, meta } of blocks) {
    const ageMs = endMs - meta.maxTimeMs;
    const due = dueMark(settings.policies, ageMs);
    if (due === '' || due === readMark(disk, path)) continue;
    const touched = new Set<number>();
    yield* previewBlock({ disk, core, path, settings, ageMs }, rows, touched);
    for (const policy of touched) rows[policy]!.blocks++;
  }
  return rows;
}

interface BlockTask {
  readonly disk: Disk;
  readonly core: Core;
  readonly path: string;
  readonly settings: RewriteSettings;
  readonly ageMs: number;
}

function* previewBlock(task: BlockTask, rows: readonly PolicyPreview[], touched: Set<number>): Generator<void> {
  const { disk, core, path, settings, ageMs } = task;
  const crc = new Crc32c(core);
  const block = Block.open(disk, path, crc);
  let aggregates: AggregatesReader | undefined;
  try {
    aggregates = AggregatesReader.open(disk, path, crc);
    const table = block.index.symbols.table();
    const codec = new SampleCodec(new Chunks(core));
    const rewriter = new SeriesRewriter(settings, ageMs, codec, table);
    const same = Uint32Array.from(table.ends, (_, symbol) => symbol);
    const cursor = new SeriesCursor(block, same);
    for (let count = 1; cursor.series !== undefined; cursor.next(), count++) {
      const { ref, labels, chunks, deleted } = cursor.series;
      const {
        chunks: left,
        windows,
        policy,
        treatment,
      } = rewriter.rewrite(labels, withoutDeleted(chunks, deleted, codec), [{ aggregates, ref, deleted }]);
      if (policy >= 0 && treatment.kind !== 'keep') {
        const row = rows[policy]!;
        touched.add(policy);
        row.series++;
        row.samples += samplesIn(chunks);
        row.samplesLeft += samplesIn(left);
        row.bytes += bytesOf(chunks) + aggregatesBytes(aggregates?.of(ref) ?? []);
        row.bytesLeft += bytesOf(left) + aggregatesBytes(windows);
      }
      if (count % STEP_SERIES === 0) yield;
    }
  } finally {
    aggregates?.close();
    block.close();
  }
}

function samplesIn(chunks: readonly StreamedChunk[]): number {
  return chunks.reduce((sum, { data }) => sum + countOf(data), 0);
}

function bytesOf(chunks: readonly StreamedChunk[]): number {
  return chunks.reduce((sum, { data }) => sum + uvarintBytes(data.length) + FRAME_BYTES + data.length, 0);
}

function uvarintBytes(value: number): number {
  return value < 2 ** 7 ? 1 : value < 2 ** 14 ? 2 : 3;
}
