// When a target is scraped.
//
//   wall time   ──┬───────────┬───────────┬───────────┬──
//                 │← phase →● │         ● │         ● │      ● due times: phase + k × interval, k a whole number
//
// Due times are anchored to absolute time, so they are the same after a restart or a reload. A sample's timestamp is
// its due time where the scrape begins close enough to it: evenly spaced timestamps compress to nearly nothing.

/** How late a scrape may begin and still carry its due time; at most 1 % of the interval, as in Prometheus. */
export const TIMESTAMP_TOLERANCE_MS = 2;

export class Schedule {
  readonly intervalMs: number;
  readonly phaseMs: number;
  readonly toleranceMs: number;

  constructor(intervalMs: number, phaseMs: number, toleranceMs = TIMESTAMP_TOLERANCE_MS) {
    this.intervalMs = intervalMs;
    this.phaseMs = phaseMs % intervalMs;
    this.toleranceMs = Math.min(toleranceMs, intervalMs / 100);
  }

  /** Whether the due times of both are the same. */
  isLike({ intervalMs, phaseMs }: Schedule): boolean {
    return intervalMs === this.intervalMs && phaseMs === this.phaseMs;
  }

  /** The first due time after `timeMs`. */
  after(timeMs: number): number {
    const periods = Math.floor((timeMs - this.phaseMs) / this.intervalMs) + 1;
    return this.phaseMs + periods * this.intervalMs;
  }

  /** The timestamp of a scrape that was due at `dueMs` and begins at `nowMs`. */
  timestamp(dueMs: number, nowMs: number): number {
    return Math.abs(nowMs - dueMs) <= this.toleranceMs ? dueMs : nowMs;
  }
}
