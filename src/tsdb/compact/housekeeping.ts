// What the compactor does for blocks that are there: merging the next ones, saying which are kept no longer, removing them.
//
//   compactNext ──► planned? ──► steps ──► a block more, its parents superseded ──► main tells the shards ──► remove
//
// The directory is the truth: each time its descriptions are read anew, and nothing is remembered but a merge under way.

import type { Disk } from '../../base/disk.js';
import { DiskError } from '../../base/disk.js';
import type { Matcher } from '../../model/matcher.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { BlockFault, type BlockMeta, type Compaction, type DeletedInterval } from '../block/contract.js';
import { deleteFromBlock } from '../block/delete.js';
import { META_NAME } from '../block/layout.js';
import { writeMeta } from '../block/meta.js';
import { type ListedBlock, listAllBlocks, listBlocks } from '../block/open-blocks.js';
import { readMark } from '../downsample/mark.js';
import { newestEndMs, planPolicies } from '../downsample/policies.js';
import { NO_REWRITE, type RewriteSettings } from '../downsample/series-rewriter.js';
import { compacting } from './compact.js';
import { planCompaction } from './plan.js';
import { expiredBlocks, type Retention } from './retention.js';
import { UnreadableChunk } from './samples.js';
import { removeBlock, supersededBlocks } from './superseded.js';

/** The logs, and chunks of the head. */
const HEAD_FOLDERS = ['wal', 'wbl', 'chunks_head'];

export type CompactionStep =
  | { readonly state: 'nothing' }
  /** Ask again. */
  | { readonly state: 'more' }
  | {
      readonly state: 'done';
      /** The blocks that were merged. */
      readonly from: readonly string[];
      /** What they are now; undefined where nothing was left of them. */
      readonly made: BlockMeta | undefined;
      /** They shared time. */
      readonly isVertical: boolean;
    }
  | { readonly state: 'failed'; readonly from: readonly string[]; readonly reason: string };

/** Names of blocks that are kept no longer, and why. */
export interface ExpiredNames {
  /** Others were made of them, or nothing was left of them. */
  readonly superseded: readonly string[];
  readonly byTime: readonly string[];
  readonly bySize: readonly string[];
  /** Of all blocks but the superseded ones. */
  readonly totalBytes: number;
}

export interface HousekeepingOptions {
  readonly disk: Disk;
  readonly core: Core;
  readonly dataFolder: string;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #underWay: { readonly blocks: readonly BlockMeta[]; readonly steps: ReturnType<typeof compacting> } | undefined;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** Merges the next blocks, as long as `isTime` says; whoever asks goes on asking while there is more. */
  compactNext(
    ranges: readonly number[],
    nowMs: number,
    isTime: () => boolean,
    settings: RewriteSettings = NO_REWRITE,
  ): CompactionStep {
    this.#underWay ??= this.#planNext(this.#live(), ranges, nowMs, settings);
    return this.#advance(isTime);
  }

  /** Makes the next block anew of which something is deleted, in the same way; a merge that is under way comes first. */
  cleanNext(nowMs: number, isTime: () => boolean): CompactionStep {
    const dirty = this.#live(listAllBlocks(this.#options.disk, this.#options.dataFolder)).find(
      ({ stats }) => (stats.tombstones ?? 0) > 0,
    );
    this.#underWay ??= this.#plan(dirty === undefined ? [] : [dirty], nowMs);
    return this.#advance(isTime);
  }

  /** Notes deletions in all blocks; gives the names of those that changed. Throws a DiskError or a BlockFault. */
  deleteSamples(selectors: readonly (readonly Matcher[])[], interval: DeletedInterval): string[] {
    const { disk, dataFolder } = this.#options;
    // A merge has read what was deleted before.
    this.abort();
    const crc = new Crc32c(this.#options.core);
    return this.#live(listAllBlocks(this.#options.disk, dataFolder))
      .map(({ ulid }) => ulid)
      .filter((ulid) => deleteFromBlock(disk, `${dataFolder}/${ulid}`, selectors, interval, crc));
  }

  #advance(isTime: () => boolean): CompactionStep {
    if (this.#underWay === undefined) return { state: 'nothing' };
    const { blocks, steps } = this.#underWay;
    const from = blocks.map(({ ulid }) => ulid);
    try {
      do {
        const { done, value: made } = steps.next();
        if (done !== true) continue;
        this.#underWay = undefined;
        // Their child would say so; there is none.
        if (made === undefined) this.#mark(blocks, { deletable: true });
        return { state: 'done', from, made: made ?? undefined, isVertical: overlap(blocks) };
      } while (isTime());
      return { state: 'more' };
    } catch (error) {
      this.#underWay = undefined;
      return { state: 'failed', from, reason: this.#failed(blocks, error) };
    }
  }

  /** Gives up the merge under way: nothing of it is left. */
  abort(): void {
    this.#underWay?.steps.return(undefined);
    this.#underWay = undefined;
  }

  /**
   * Says what is kept no longer, and marks it: whoever lists blocks passes it over from then on, though it is there until
   * it is removed. Throws a DiskError.
   */
  expire(retention: Retention): ExpiredNames {
    const expired = this.expired(retention);
    const names = new Set([...expired.byTime, ...expired.bySize]);
    try {
      this.#mark(
        this.#live().filter(({ ulid }) => names.has(ulid)),
        { deletable: true },
      );
    } catch (error) {
      // A full disk has no room for marks, and is what removing helps against: then blocks go from under their readers.
      if (!(error instanceof DiskError)) throw error;
    }
    return expired;
  }

  /** What is kept no longer. Throws a DiskError. */
  expired(retention: Retention): ExpiredNames {
    const { disk, dataFolder } = this.#options;
    const { blocks } = listBlocks(disk, dataFolder);
    const superseded = supersededBlocks(blocks.map(({ meta }) => meta));
    const live = blocks.filter(({ meta }) => !superseded.has(meta.ulid));
    const stored = live.map(({ meta, sizeBytes }) => ({ meta, bytes: sizeBytes }));
    const use = { headBytes: this.#headBytes(), diskBytes: disk.totalBytes(dataFolder) };
    const { byTime, bySize } = expiredBlocks(stored, retention, use);
    return {
      superseded: [...superseded],
      byTime: byTime.map(({ meta }) => meta.ulid),
      bySize: bySize.map(({ meta }) => meta.ulid),
      totalBytes: live.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    };
  }

  /** Removes blocks that nobody reads. Throws a DiskError. */
  remove(ulids: readonly string[]): void {
    for (const ulid of ulids) removeBlock(this.#options.disk, this.#options.dataFolder, ulid);
  }

  /** Merging comes first; then what policies have to do with blocks that stay as long as they are. */
  #planNext(live: readonly BlockMeta[], ranges: readonly number[], nowMs: number, settings: RewriteSettings) {
    let blocks = planCompaction(live, ranges);
    if (blocks.length === 0) {
      const { disk, dataFolder } = this.#options;
      const due = planPolicies(live, settings.policies, (ulid) => readMark(disk, `${dataFolder}/${ulid}`));
      blocks = due === undefined ? [] : [due];
    }
    return this.#plan(blocks, nowMs, settings, newestEndMs(live) - newestEndMs(blocks));
  }

  #plan(blocks: readonly BlockMeta[], nowMs: number, settings: RewriteSettings = NO_REWRITE, ageMs = 0) {
    if (blocks.length === 0) return undefined;
    return { blocks, steps: compacting({ ...this.#options, blocks, nowMs, settings, ageMs }) };
  }

  /** The blocks that are served. */
  listed(): readonly ListedBlock[] {
    const { blocks } = listBlocks(this.#options.disk, this.#options.dataFolder);
    const superseded = supersededBlocks(blocks.map(({ meta }) => meta));
    return blocks.filter(({ meta }) => !superseded.has(meta.ulid));
  }

  #live(listed = listBlocks(this.#options.disk, this.#options.dataFolder).blocks): BlockMeta[] {
    const metas = listed.map(({ meta }: ListedBlock) => meta);
    const superseded = supersededBlocks(metas);
    return metas.filter(({ ulid }) => !superseded.has(ulid));
  }

  /** What the log and the head take on the disk: that counts against the size, though it does not go. */
  #headBytes(): number {
    const { disk, dataFolder } = this.#options;
    return HEAD_FOLDERS.reduce((sum, name) => sum + bytesBelow(disk, `${dataFolder}/${name}`), 0);
  }

  /** Blocks that cannot be merged are not tried again and again. What the disk refused may go better the next time. */
  #failed(blocks: readonly BlockMeta[], error: unknown): string {
    if (error instanceof BlockFault || error instanceof UnreadableChunk) this.#mark(blocks, { failed: true });
    else if (!(error instanceof DiskError)) throw error;
    return error.message;
  }

  #mark(blocks: readonly BlockMeta[], mark: Partial<Compaction>): void {
    const { disk, dataFolder } = this.#options;
    for (const meta of blocks) {
      const marked = { ...meta, compaction: { ...meta.compaction, ...mark } };
      writeMeta(disk, `${dataFolder}/${meta.ulid}/${META_NAME}`, marked);
    }
  }
}

function overlap(sorted: readonly BlockMeta[]): boolean {
  return sorted.some((block, i) => i > 0 && block.minTimeMs < sorted[i - 1]!.maxTimeMs);
}

/** Of a file, or of all files below a folder; 0 where there is neither, as with what is removed just now. */
function bytesBelow(disk: Disk, path: string): number {
  const stat = disk.stat(path);
  if (stat?.isDirectory !== true) return stat?.size ?? 0;
  return disk.list(path).reduce((sum, name) => sum + bytesBelow(disk, `${path}/${name}`), 0);
}
