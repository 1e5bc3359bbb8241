// One bulk import in the compactor's thread: a body becomes blocks in the staging folder, some milliseconds at a time.

import { type Disk, DiskError } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { BlockFault, type BlockMeta } from '../block/contract.js';
import { BlockImport } from './import.js';
import { ImportFault, OpenMetricsImport } from './openmetrics-import.js';
import { stagingFolder } from './staging.js';
import { importWriteRequest } from './write-request-import.js';

export interface ImportRequest {
  readonly kind: 'openmetrics' | 'remote-write';
  readonly body: ArrayBuffer;
  readonly blockMs: number;
  /** Only older samples are taken. */
  readonly endMs: number;
  readonly nowMs: number;
}

export type ImportStep =
  /** Ask again. */
  | { readonly state: 'more' }
  /** The blocks wait to be committed. */
  | {
      readonly state: 'staged';
      readonly samples: number;
      readonly blocks: readonly BlockMeta[];
      readonly conflicts: number;
      /** The first conflict. */
      readonly example: string;
    }
  /** The body is at fault. */
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'failed'; readonly reason: string };

/** Bytes of text between two steps. */
const PIECE_BYTES = 256 * 1024;

export class ImportJob {
  readonly #target: BlockImport;
  readonly #steps: Generator<void, readonly BlockMeta[]>;

  constructor(disk: Disk, core: Core, dataFolder: string, request: ImportRequest) {
    const { blockMs, nowMs } = request;
    this.#target = new BlockImport({ disk, core, folder: stagingFolder(dataFolder), blockMs, nowMs });
    this.#steps = steps(this.#target, request);
  }

  /** Goes on as long as `isTime` says. Nothing is left of what is refused or fails. */
  step(isTime: () => boolean): ImportStep {
    try {
      do {
        const { done, value } = this.#steps.next();
        if (done !== true) continue;
        const { samples, conflicts } = this.#target;
        return { state: 'staged', samples, blocks: value, conflicts: conflicts.count, example: conflicts.example };
      } while (isTime());
      return { state: 'more' };
    } catch (error) {
      this.#target.abort();
      if (error instanceof ImportFault) return { state: 'refused', reason: error.message };
      if (error instanceof DiskError || error instanceof BlockFault) return { state: 'failed', reason: error.message };
      throw error;
    }
  }

  /** Nothing is left of it. */
  abort(): void {
    this.#target.abort();
  }
}

function* steps(target: BlockImport, { kind, body, endMs }: ImportRequest): Generator<void, readonly BlockMeta[]> {
  const bytes = new Uint8Array(body);
  if (kind === 'remote-write') yield* importWriteRequest(target, bytes, { endMs });
  else {
    const text = new OpenMetricsImport(target, { endMs });
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      text.push(bytes.subarray(at, at + PIECE_BYTES));
      yield;
    }
    text.end();
  }
  return yield* target.finish();
}
