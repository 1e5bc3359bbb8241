// Reading a block that is there through and through, some milliseconds at a time, for bytes that have gone bad since.

import { type Disk, DiskError } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { Block } from '../block/block.js';
import { BlockFault } from '../block/contract.js';
import { type BlockCounts, verifying } from '../block/verify.js';
import { checkAggregates } from '../downsample/aggregates-file.js';

export type ScrubStep =
  /** Ask again. */
  | { readonly state: 'more' }
  | { readonly state: 'sound'; readonly counts: BlockCounts }
  | { readonly state: 'damaged'; readonly path: string; readonly place: string; readonly reason: string }
  /** The block is not there any more, or the disk does not let it be read. */
  | { readonly state: 'unread'; readonly reason: string };

export class Scrub {
  readonly #disk: Disk;
  readonly #crc: Crc32c;
  #underWay: { readonly path: string; readonly block: Block; readonly steps: ReturnType<typeof verifying> } | undefined;

  constructor(disk: Disk, core: Core) {
    this.#disk = disk;
    this.#crc = new Crc32c(core);
  }

  /** Goes on with a block as long as `isTime` says, from its beginning where another was under way. */
  step(path: string, isTime: () => boolean): ScrubStep {
    try {
      if (this.#underWay?.path !== path) this.#begin(path);
      const { steps } = this.#underWay!;
      do {
        const { done, value } = steps.next();
        if (done !== true) continue;
        checkAggregates(this.#disk, this.#crc, path);
        this.close();
        return { state: 'sound', counts: value };
      } while (isTime());
      return { state: 'more' };
    } catch (error) {
      this.close();
      return failed(error);
    }
  }

  /** Lets go of the block under way. */
  close(): void {
    this.#underWay?.block.close();
    this.#underWay = undefined;
  }

  #begin(path: string): void {
    this.close();
    const block = Block.open(this.#disk, path, this.#crc);
    this.#underWay = { path, block, steps: verifying(block) };
  }
}

function failed(error: unknown): ScrubStep {
  if (error instanceof BlockFault && !error.isMissing) {
    return { state: 'damaged', path: error.path, place: error.place, reason: error.reason };
  }
  if (error instanceof BlockFault || error instanceof DiskError) return { state: 'unread', reason: error.message };
  throw error;
}
