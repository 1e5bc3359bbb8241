// Cuts of the head in this thread: the compactor beside shards of test/support/shards.ts, and what blocks hold.

import type { Disk } from '../../src/base/disk.js';
import { buffersOf } from '../../src/base/thread.js';
import type { Logger } from '../../src/telemetry/log.js';
import { isUlid } from '../../src/tsdb/block/ulid.js';
import { Compactor } from '../../src/tsdb/compact/compactor.js';
import type { CompactorOp, CompactorPort, CompactorReply, CompactorRequest } from '../../src/tsdb/compact/protocol.js';
import { readAll, withBlock } from './block.js';

export class HereCompactor implements CompactorPort {
  readonly #compactor: Compactor;
  /** What was asked, for tests of order. */
  readonly ops: CompactorOp[] = [];
  /** Runs before each task: may throw. */
  before: ((op: CompactorOp) => void | Promise<void>) | undefined;

  constructor(disk: Disk, dataFolder: string) {
    this.#compactor = new Compactor(disk, { dataFolder });
  }

  async call<K extends CompactorOp>(op: K, request: CompactorRequest<K>): Promise<CompactorReply<K>> {
    const task = structuredClone({ op, request }, { transfer: buffersOf(request) });
    this.ops.push(op);
    await this.before?.(op);
    return structuredClone(this.#compactor.run(task as never)) as CompactorReply<K>;
  }

  async close(): Promise<void> {}
}

export interface HeldBlock {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** By label set, as text. */
  readonly samples: Map<string, [timeMs: number, bits: bigint][]>;
}

/** All blocks of a folder, by time. */
export function blocksOf(disk: Disk, dataFolder: string): HeldBlock[] {
  return disk
    .list(dataFolder)
    .filter(isUlid)
    .map((ulid) =>
      withBlock(
        `${dataFolder}/${ulid}`,
        (block) => ({
          minTimeMs: block.meta.minTimeMs,
          maxTimeMs: block.meta.maxTimeMs,
          samples: new Map(
            readAll(block).map(({ labels, samples }) => [
              labels.join('\0'),
              samples.map(({ time, bits }): [number, bigint] => [time, bits]),
            ]),
          ),
        }),
        disk,
      ),
    )
    .sort((a, b) => a.minTimeMs - b.minTimeMs);
}

/** Lines go nowhere, but for those that are kept. */
export class QuietLog {
  readonly lines: [level: string, message: string][] = [];

  get logger(): Logger {
    const line = (level: string) => (message: string, fields?: object) =>
      void this.lines.push([level, fields === undefined ? message : `${message} ${textOf(fields)}`]);
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') } as unknown as Logger;
  }
}

function textOf(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
