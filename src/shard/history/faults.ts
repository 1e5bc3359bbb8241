// What of the blocks could not be read for a query: its answer says so.

import { DiskError } from '../../base/disk.js';
import { formatTime } from '../../model/time.js';
import { BlockFault } from '../../tsdb/block/contract.js';

/** Different texts of one query; of more there is only the number. */
const TEXTS_MAX = 10;

interface Times {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export class Faults {
  readonly #suspects: Set<string>;
  readonly #texts = new Set<string>();
  #more = 0;

  /** Files that are damaged are added to `suspects`. */
  constructor(suspects = new Set<string>()) {
    this.#suspects = suspects;
  }

  /** Runs what reads a block; gives undefined, and keeps the reason, where that fails. */
  guard<T>(ulid: string, times: Times, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof BlockFault || error instanceof DiskError)) throw error;
      if (error instanceof BlockFault && !error.isMissing) this.#suspects.add(error.path);
      this.add(ulid, times, error.message);
      return undefined;
    }
  }

  /** The same for what is tried again in another way. */
  tryQuietly<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof BlockFault || error instanceof DiskError)) throw error;
      return undefined;
    }
  }

  add(ulid: string, times: Times, reason: string): void {
    this.addAt(`block ${ulid}`, times, reason);
  }

  /** The same where it is no block that could not be read. */
  addAt(place: string, { minTimeMs, maxTimeMs }: Times, reason: string): void {
    const range = `from ${formatTime(minTimeMs)} to ${formatTime(maxTimeMs)}`;
    if (this.#texts.size < TEXTS_MAX) this.#texts.add(`samples ${range} are missing: ${place}: ${reason}`);
    else this.#more++;
  }

  /** What came since it was last asked. */
  take(): string[] {
    const texts = [...this.#texts];
    if (this.#more > 0) texts.push(`samples of ${this.#more} more places are missing`);
    this.#texts.clear();
    this.#more = 0;
    return texts;
  }
}
