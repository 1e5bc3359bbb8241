// New series that the memory limit refused: counted by job, and said in the log now and then.

import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';

/** How often the log says it of one job. */
const SAID_EVERY_MS = 60_000;

export class Refusals {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #byJob = new Map<string, { total: number; unsaid: number; saidMs: number }>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `series` of a job were refused at once. A scrape that repeats them is told again. */
  note(job: string, series: number): void {
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#byJob.get(job) ?? { total: 0, unsaid: 0, saidMs: Number.NEGATIVE_INFINITY };
    this.#byJob.set(job, entry);
    entry.total += series;
    entry.unsaid += series;
    if (nowMs - entry.saidMs < SAID_EVERY_MS) return;
    this.#log.warn('New series refused: the memory limit is reached', { job, series: entry.unsaid });
    entry.saidMs = nowMs;
    entry.unsaid = 0;
  }

  /** All refused since the start, by job. */
  *totals(): Iterable<readonly [job: string, series: number]> {
    for (const [job, { total }] of this.#byJob) yield [job, total];
  }
}
