// Bulk imports: old samples come into blocks of their own, past the head, and are served at once.
//
//   body ──► compactor: blocks, staged ──► nothing of them is the head's? ──► committed ──► told to whoever reads blocks
//
// One at a time. What is newer than the blocks' end belongs to the head, and is refused with its place.

import type { BlockMeta } from '../../tsdb/block/contract.js';
import type { ImportRequest, ImportStep } from '../../tsdb/import/import-job.js';
import { BusyError } from './busy.js';
import type { HeadSchedule } from './head-schedule.js';
import type { StorageParts } from './options.js';

export interface ImportResult {
  readonly samples: number;
  readonly blocks: readonly BlockMeta[];
  /** Samples that were left out, as another had their time, and the first of them. */
  readonly conflicts: number;
  readonly example: string;
}

/** The body is at fault, or asks for what belongs to the head. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused';
  /** Of the API's error types. */
  readonly type = 'bad_data';
}

/** Blocks are aligned to two hours. */
const ALIGN_MS = 2 * 3_600_000;
/** With an empty head newer samples may still come by other ways. */
const EMPTY_HEAD_MS = ALIGN_MS;

export class Importing {
  readonly #parts: StorageParts;
  readonly #schedule: HeadSchedule;
  readonly #changed: () => Promise<void>;
  #isUnderWay = false;

  /** `changed` tells whoever reads blocks that there are more. */
  constructor(parts: StorageParts, schedule: HeadSchedule, changed: () => Promise<void>) {
    this.#parts = parts;
    this.#schedule = schedule;
    this.#changed = changed;
  }

  /** Takes the body. Resolves when queries see its samples, all of them; rejects with none there. */
  async run(kind: ImportRequest['kind'], body: ArrayBuffer): Promise<ImportResult> {
    if (this.#isUnderWay) throw new BusyError('another import is under way');
    this.#isUnderWay = true;
    try {
      const staged = await this.#stage(kind, body);
      await this.#schedule.apart(() => this.#commit(staged.blocks));
      return staged;
    } finally {
      this.#isUnderWay = false;
    }
  }

  async #stage(kind: ImportRequest['kind'], body: ArrayBuffer): Promise<Extract<ImportStep, { state: 'staged' }>> {
    const { compactor, clock, options } = this.#parts;
    const endMs = await this.#schedule.apart(() => this.#endMs());
    const request = { kind, body, blockMs: options.blockMs, endMs, nowMs: clock.nowMs() };
    for (let step = await compactor.call('beginImport', request); ; step = await compactor.call('importNext', {})) {
      if (step.state === 'staged') return step;
      if (step.state === 'refused') throw new ImportRefused(step.reason);
      if (step.state === 'failed') throw new Error(step.reason);
    }
  }

  /** Where the head begins, late samples to come among it. */
  async #endMs(): Promise<number> {
    const { clock, ingest, options } = this.#parts;
    const uncut = await this.#schedule.uncut();
    const headMs =
      uncut === undefined
        ? clock.nowMs() - EMPTY_HEAD_MS
        : Math.min(uncut.minTimeMs, ingest.newestMs - options.blockMs / 2);
    return Math.max(this.#schedule.floorMs, Math.floor(headMs / ALIGN_MS) * ALIGN_MS);
  }

  async #commit(blocks: readonly BlockMeta[]): Promise<void> {
    const { compactor } = this.#parts;
    const ulids = blocks.map(({ ulid }) => ulid);
    const endMs = blocks.reduce((end, { maxTimeMs }) => Math.max(end, maxTimeMs), Number.NEGATIVE_INFINITY);
    if (!(await this.#schedule.raiseFloor(endMs))) {
      await compactor.call('abortImport', {});
      throw new ImportRefused('older samples came by other ways meanwhile: try again');
    }
    await compactor.call('commitImport', { ulids });
    await this.#changed();
  }
}
