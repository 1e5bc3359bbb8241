// The blocks that queries read: found in the data directory, told to whoever reads them, put aside when damaged.
//
//   start, a cut, a compaction, each minute ──► look ──► something else than before? ──► tell
//   damage met by a reader or the scrubber  ──► rename to <ulid>.bad ──► look
//
// A block of which a file is not there is not renamed, as somebody may be copying it here: it is not served, and looked
// at again the next time.

import type { Disk, DiskError } from '../../base/disk.js';
import type { Logger } from '../../telemetry/log.js';
import { BlockFault } from '../../tsdb/block/contract.js';
import { type BadBlock, type ListedBlock, listBlocks } from '../../tsdb/block/open-blocks.js';
import { supersededBlocks } from '../../tsdb/compact/superseded.js';
import { quarantine } from './quarantine.js';

export interface BlockSetParts {
  readonly disk: Disk;
  /** The data directory. */
  readonly folder: string;
  readonly logger: Logger;
  /** Hears of every other set of blocks, oldest first; resolves when nobody reads one of the old set only. */
  readonly tell: (blocks: readonly ListedBlock[]) => Promise<void>;
  /** Hears of each block that is not served any more. */
  readonly noteLoss?: (path: string, reason: string, outcome: 'put aside' | 'not served' | 'revived') => void;
}

export interface BlockSetStats {
  readonly looks: number;
  /** Looks that could not list the directory. */
  readonly failures: number;
  readonly quarantined: number;
}

export class BlockSet {
  readonly #parts: BlockSetParts;
  readonly #stats = { looks: 0, failures: 0, quarantined: 0 };
  #blocks: readonly ListedBlock[] = [];
  /** Of blocks that were not served: what was said of them last. */
  #said = new Map<string, string>();
  /** Damaged ones that still have their name: served no more, and renamed when the disk lets us. */
  readonly #damaged = new Map<string, BlockFault>();

  constructor(parts: BlockSetParts) {
    this.#parts = parts;
  }

  /** What is served, oldest first. */
  get blocks(): readonly ListedBlock[] {
    return this.#blocks;
  }

  get stats(): BlockSetStats {
    return this.#stats;
  }

  /** Of all blocks served. */
  get sizeBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
  }

  /** Looks which blocks there are. A directory that cannot be listed leaves the set as it is. */
  async look(): Promise<void> {
    this.#stats.looks++;
    const before = this.#blocks;
    try {
      this.#blocks = this.#find();
    } catch (error) {
      this.#stats.failures++;
      this.#parts.logger.error('Listing the blocks failed', { dir: this.#parts.folder, err: error as Error });
      return;
    }
    if (!isSame(before, this.#blocks)) await this.#parts.tell(this.#blocks);
  }

  /**
   * Somebody could not read a block: the others are served. Where it is damaged it is put aside; where a file is missing,
   * or the disk refused, it is tried again at the next look.
   */
  async report(fault: BlockFault | DiskError): Promise<void> {
    const block = this.#blocks.find(({ path }) => fault.path === path || fault.path.startsWith(`${path}/`));
    // Of two readers that meet the same damage, the second finds the block gone.
    if (block === undefined) return;
    const { path } = block;
    if (isDamage(fault)) this.#damaged.set(path, fault);
    else this.#say({ path, fault });
    this.#blocks = this.#blocks.filter((other) => other !== block);
    await this.#parts.tell(this.#blocks);
    if (isDamage(fault)) this.#putAside(path, fault);
  }

  #find(): readonly ListedBlock[] {
    const { disk, folder } = this.#parts;
    const { blocks, bad } = listBlocks(disk, folder);
    for (const { path, fault } of bad) {
      if (isDamage(fault)) this.#damaged.set(path, fault);
      else this.#say({ path, fault });
    }
    this.#forget(new Set([...blocks, ...bad].map(({ path }) => path)));
    const good = blocks.filter(({ path }) => !this.#damaged.has(path));
    for (const [path, fault] of this.#damaged) this.#putAside(path, fault);
    for (const block of good) if (hasLostDeletions(block)) this.#sayRevived(block);
    const superseded = supersededBlocks(good.map(({ meta }) => meta));
    return good.filter(({ meta }) => !superseded.has(meta.ulid));
  }

  #putAside(path: string, fault: BlockFault): void {
    const { disk, logger } = this.#parts;
    try {
      const aside = disk.stat(path) === undefined ? undefined : quarantine(disk, path);
      this.#damaged.delete(path);
      if (aside === undefined) return;
      this.#stats.quarantined++;
      this.#parts.noteLoss?.(aside, fault.message, 'put aside');
      logger.error('A damaged block was put aside', { block: path, aside, err: fault });
    } catch (error) {
      logger.error('A damaged block could not be put aside', {
        block: path,
        err: error as Error,
        fault: fault.message,
      });
    }
  }

  /** Once for each reason. */
  #say({ path, fault }: BadBlock): void {
    if (this.#said.get(path) === fault.message) return;
    this.#said.set(path, fault.message);
    this.#parts.noteLoss?.(path, fault.message, 'not served');
    this.#parts.logger.warn('A block is not served', { block: path, err: fault });
  }

  /** The block is served all the same: what was deleted can be deleted again, what is not served is missed. */
  #sayRevived({ path, meta }: ListedBlock): void {
    if (this.#said.has(path)) return;
    const deletions = meta.stats.tombstones;
    const message = 'The tombstones of a block are gone: what was deleted of it is there again';
    this.#said.set(path, message);
    this.#parts.logger.error(message, { block: path, deletions });
    this.#parts.noteLoss?.(path, message, 'revived');
  }

  /** What was said of blocks that are gone. */
  #forget(there: ReadonlySet<string>): void {
    for (const path of this.#said.keys()) if (!there.has(path)) this.#said.delete(path);
  }
}

/** Whether a block's description counts deletions, and it has no file of them. */
function hasLostDeletions({ meta, deletions }: ListedBlock): boolean {
  return deletions === 0 && (meta.stats.tombstones ?? 0) > 0;
}

function isDamage(fault: BlockFault | DiskError): fault is BlockFault {
  return fault instanceof BlockFault && !fault.isMissing;
}

function isSame(a: readonly ListedBlock[], b: readonly ListedBlock[]): boolean {
  const isEqual = (one: ListedBlock, other: ListedBlock) =>
    one.path === other.path && one.meta.ulid === other.meta.ulid && one.deletions === other.deletions;
  return a.length === b.length && a.every((one, i) => isEqual(one, b[i]!));
}
