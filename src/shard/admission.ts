// Who may still make series when a shard's memory runs short.
//
//   0 ............................ 80 % .................. 90 % ........ 100 %
//   │ everybody                     │ each job its share    │ nobody      │
//                                                             └ samples of the series that are there, queries
//
// A job is that of a scrape configuration; remote writes together are one. Of the room between the two marks each
// gets an equal share, in the order of need: so the job that grows most is refused first, and one that grows
// little meets no limit before the very end. Below the first mark all shares are new again.
//
// Series that are there are never refused anything here.

import type { Core } from '../wasm/core.js';
import type { Head } from '../wasm/head.js';

const EVERYBODY_SHARE = 0.8;
const NOBODY_SHARE = 0.9;

/** A prime, so that with pages of round length it is not the same series each time. */
const ASKED_ONE_IN = 31;

/** A series takes at least this much, however few samples it has: labels, postings, an open chunk. */
const SERIES_BYTES_MIN = 256;

export class Admission {
  readonly #core: Core;
  readonly #head: Head;
  readonly #besideBytes: () => number;
  readonly #memoryBytes: number;
  /** Jobs that might make series. */
  readonly #jobs: () => number;
  #turn = 0;
  /** Series made by job since memory is short. */
  readonly #made = new Map<string, number>();

  /** `besideBytes` is what chunks take that are kept beside the core's memory. */
  constructor(core: Core, head: Head, memoryBytes: number, jobs: () => number, besideBytes: () => number) {
    this.#core = core;
    this.#besideBytes = besideBytes;
    this.#head = head;
    this.#memoryBytes = memoryBytes;
    this.#jobs = jobs;
  }

  /** Whether a job may make one more series; it is counted as made then. */
  admits(job: string): boolean {
    const held = this.#core.heldBytes;
    if (held < EVERYBODY_SHARE * this.#memoryBytes) {
      if (this.#made.size > 0) this.#made.clear();
      return true;
    }
    if (held >= NOBODY_SHARE * this.#memoryBytes) return false;
    const made = this.#made.get(job) ?? 0;
    if (made >= this.#share(held)) return false;
    this.#made.set(job, made + 1);
    return true;
  }

  /** Whether chunks of histograms and late samples may grow: they are beside the core's memory, and within the same limit. */
  hasRoomBeside(): boolean {
    return this.#core.heldBytes + this.#besideBytes() < this.#memoryBytes;
  }

  /**
   * Whether the owner of one more unknown series is to be asked for it. Where memory is at its end nearly all of them
   * are refused, each time they are sent, and asking costs far more than refusing: so one in some is asked, others
   * each time, and a series that the owner has after all is found before long.
   */
  asks(): boolean {
    if (this.#core.heldBytes < NOBODY_SHARE * this.#memoryBytes) return true;
    this.#turn = (this.#turn + 1) % ASKED_ONE_IN;
    return this.#turn === 0;
  }

  /** Series that one job may make between the two marks. */
  #share(held: number): number {
    const seriesBytes = Math.max(SERIES_BYTES_MIN, held / Math.max(1, this.#head.seriesCount));
    const room = (NOBODY_SHARE - EVERYBODY_SHARE) * this.#memoryBytes;
    return room / seriesBytes / Math.max(1, this.#jobs());
  }
}
