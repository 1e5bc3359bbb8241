// Snapshots of the data directory: its blocks as hard links, and what is in no block yet as a block more.

import { secretBytes } from '../../base/prng.js';
import { newUlid } from '../../tsdb/block/ulid.js';
import { snapshotName, unfinishedFolder } from '../../tsdb/snapshot.js';
import type { HeadCutting } from './cutting.js';
import type { HeadSchedule } from './head-schedule.js';
import type { LateCutting } from './late-cutting.js';
import type { StorageParts } from './options.js';

export class Snapshots {
  readonly #parts: StorageParts;
  readonly #schedule: HeadSchedule;
  readonly #cutting: HeadCutting;
  readonly #late: LateCutting;

  constructor(parts: StorageParts, schedule: HeadSchedule, cutting: HeadCutting, late: LateCutting) {
    this.#late = late;
    this.#parts = parts;
    this.#schedule = schedule;
    this.#cutting = cutting;
  }

  /** Makes one; gives its name below snapshots/. Resolves when it is on the disk. */
  make(skipHead: boolean): Promise<string> {
    const { compactor, clock, options } = this.#parts;
    const bytes = secretBytes(8);
    const name = snapshotName(clock.nowMs(), new DataView(bytes.buffer).getBigUint64(0));
    return this.#schedule.apart(async () => {
      if (!skipHead) await this.#late.run();
      await compactor.call('beginSnapshot', { name });
      const range = skipHead ? undefined : await this.#schedule.uncut();
      if (range !== undefined) {
        const folder = unfinishedFolder(options.path, name);
        await this.#cutting.cut(range, newUlid(clock.nowMs()), { folder, isOpen: true });
      }
      await compactor.call('finishSnapshot', { name });
      return name;
    });
  }

  /** Names, oldest first. */
  async list(): Promise<readonly string[]> {
    return (await this.#parts.compactor.call('listSnapshots', {})).names;
  }

  /** False where there is no such snapshot. */
  async remove(name: string): Promise<boolean> {
    return (await this.#parts.compactor.call('removeSnapshot', { name })).removed;
  }
}
