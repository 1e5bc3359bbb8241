// Blocks are read through in the background, one after the other, each within a week: what has gone bad on the disk is
// found before somebody needs it, and put aside.
//
//   never read, longest not read ──► compactor, 50 ms at a time ──► sound: noted
//            ▲                                                  └─► damaged: the set of blocks puts it aside
//            └── one that a query could not read comes first

import { BlockFault } from '../../tsdb/block/contract.js';
import type { ListedBlock } from '../../tsdb/block/open-blocks.js';
import type { ScrubStep } from '../../tsdb/compact/scrub.js';
import type { BlockSet } from './block-set.js';
import type { StorageParts } from './options.js';
import { Rounds } from './rounds.js';

/** A step takes some 50 ms of the compactor (STEP_MS there): 2 % of a core. */
const STEP_EVERY_MS = 2500;
/** A block is read again after so long. */
const EVERY_MS = 7 * 86_400_000;

export interface ScrubbingStats {
  /** Blocks read through. */
  readonly blocks: number;
  readonly damaged: number;
}

export class Scrubbing {
  readonly #parts: Pick<StorageParts, 'compactor' | 'clock' | 'logger'>;
  readonly #blocks: Pick<BlockSet, 'blocks' | 'report'>;
  readonly #stats = { blocks: 0, damaged: 0 };
  /** When each block was read last, in monotonic time. */
  readonly #readMs = new Map<string, number>();
  readonly #steps: Rounds;
  #underWay: string | undefined;

  constructor(
    parts: Pick<StorageParts, 'compactor' | 'clock' | 'logger'>,
    blocks: Pick<BlockSet, 'blocks' | 'report'>,
  ) {
    this.#parts = parts;
    this.#blocks = blocks;
    this.#steps = new Rounds({
      clock: parts.clock,
      everyMs: STEP_EVERY_MS,
      round: () => this.#go(),
      onFailure: (err) => parts.logger.warn('Reading through a block failed', { err }),
    });
  }

  get stats(): ScrubbingStats {
    return this.#stats;
  }

  start(): void {
    this.#steps.start();
  }

  /** Somebody could not read this block: it is the next. */
  suspect(path: string): void {
    this.#readMs.delete(path);
    this.#underWay = path;
  }

  /** Resolves when nothing is under way any more. */
  close(): Promise<void> {
    return this.#steps.close();
  }

  async #go(): Promise<void> {
    const path = this.#next();
    this.#underWay = path;
    if (path === undefined) return;
    const step = await this.#parts.compactor.call('scrubBlock', { path });
    if (step.state !== 'more') await this.#end(path, step);
  }

  /** The block under way, while it is served; else the one that is due the longest. */
  #next(): string | undefined {
    const paths = this.#blocks.blocks.map((block: ListedBlock) => block.path);
    for (const path of this.#readMs.keys()) if (!paths.includes(path)) this.#readMs.delete(path);
    if (this.#underWay !== undefined && paths.includes(this.#underWay)) return this.#underWay;
    const dueMs = this.#parts.clock.monotonicMs() - EVERY_MS;
    const readMs = (path: string) => this.#readMs.get(path) ?? Number.NEGATIVE_INFINITY;
    return paths.filter((path) => readMs(path) <= dueMs).sort((a, b) => readMs(a) - readMs(b) || (a < b ? -1 : 1))[0];
  }

  async #end(path: string, step: Exclude<ScrubStep, { state: 'more' }>): Promise<void> {
    if (this.#underWay === path) this.#underWay = undefined;
    this.#readMs.set(path, this.#parts.clock.monotonicMs());
    if (step.state === 'sound') this.#stats.blocks++;
    // Whoever lists blocks meets the same, and says so.
    if (step.state !== 'damaged') return;
    this.#stats.damaged++;
    await this.#blocks.report(new BlockFault(step.path, step.place, step.reason));
  }
}
