// The list of blocks (tsdb/compact/block-list.ts) as main keeps it: judged at the start, then written with each other set.

import type { Disk } from '../../base/disk.js';
import type { ListedBlock } from '../../tsdb/block/open-blocks.js';
import { missingBlocks } from '../../tsdb/compact/block-list.js';
import type { StorageParts } from './options.js';
import type { RecoveryBook } from './recovery-book.js';

export class NotedBlocks {
  readonly #disk: Disk;
  readonly #parts: Pick<StorageParts, 'compactor' | 'logger' | 'options'>;
  readonly #book: Pick<RecoveryBook, 'noteLoss'>;
  #hasBegun = false;
  /** What the list has, by ULID; undefined where that is not known. */
  #noted: string | undefined;

  constructor(
    disk: Disk,
    parts: Pick<StorageParts, 'compactor' | 'logger' | 'options'>,
    book: Pick<RecoveryBook, 'noteLoss'>,
  ) {
    this.#disk = disk;
    this.#parts = parts;
    this.#book = book;
  }

  /** Tells of blocks that are gone, unless another server was here since, which may have removed them; then the list is kept. */
  async begin(served: readonly ListedBlock[], isForeign: boolean): Promise<void> {
    const { compactor, options, logger } = this.#parts;
    const { blocks: noted } = await compactor.call('notedBlocks', {});
    const metas = served.map(({ meta }) => meta);
    const missing = isForeign ? [] : missingBlocks(noted, metas, this.#disk.list(options.path));
    for (const { ulid, minTimeMs, maxTimeMs } of missing) {
      const path = `${options.path}/${ulid}`;
      const reason = 'the block is not there any more';
      logger.error('A block is gone: what it held is lost', { block: path, min_time: minTimeMs, max_time: maxTimeMs });
      this.#book.noteLoss({ what: 'block', path, reason, outcome: 'gone', minTimeMs, maxTimeMs });
    }
    this.#hasBegun = true;
    await this.tryNote(served);
  }

  /** These are served from now on. Rejects where that cannot be written: then none of the others is to be removed. */
  async note(served: readonly ListedBlock[]): Promise<void> {
    if (!this.#hasBegun) return;
    const blocks = served.map(({ meta: { ulid, minTimeMs, maxTimeMs } }) => ({ ulid, minTimeMs, maxTimeMs }));
    const ulids = blocks.map(({ ulid }) => ulid).join(' ');
    if (ulids === this.#noted) return;
    this.#noted = undefined;
    await this.#parts.compactor.call('noteBlocks', { blocks });
    this.#noted = ulids;
  }

  /** The same, where nothing hangs on it: without a list losses may go unnoticed, that is no reason to stop. */
  async tryNote(served: readonly ListedBlock[]): Promise<void> {
    try {
      await this.note(served);
    } catch (err) {
      this.#parts.logger.warn('The list of blocks could not be written', { err: err as Error });
    }
  }
}
