// What is kept of the samples that a downsampled series no longer has: for each window of time four aggregates.
//
//   window   [k × resolution, (k + 1) × resolution)
//   lastMs   its last sample: the one that the series keeps, and what the window is known by
//   count, sum, min, max   of all samples that were in it
//
// The fifth aggregate of other systems, the counter, is the series itself: see downsample.ts.

/** Windows of one resolution, in time order. */
export interface Windows {
  readonly resolutionMs: number;
  readonly lastMs: Float64Array;
  readonly counts: Float64Array;
  readonly sums: Float64Array;
  readonly mins: Float64Array;
  readonly maxs: Float64Array;
}

/** Gathers windows of one resolution. */
export class WindowGatherer {
  readonly #resolutionMs: number;
  readonly #windows = new Map<number, { lastMs: number; count: number; sum: number; min: number; max: number }>();

  constructor(resolutionMs: number) {
    this.#resolutionMs = resolutionMs;
  }

  /** Adds a sample, or what a finer window had. NaN is no smallest and no largest value, unless there is nothing else. */
  add(lastMs: number, count: number, sum: number, min: number, max: number): void {
    const key = windowOf(lastMs, this.#resolutionMs);
    const window = this.#windows.get(key);
    if (window === undefined) {
      this.#windows.set(key, { lastMs, count, sum, min, max });
      return;
    }
    window.lastMs = Math.max(window.lastMs, lastMs);
    window.count += count;
    window.sum += sum;
    if (min < window.min || Number.isNaN(window.min)) window.min = min;
    if (max > window.max || Number.isNaN(window.max)) window.max = max;
  }

  finish(): Windows | undefined {
    if (this.#windows.size === 0) return undefined;
    const sorted = [...this.#windows.values()].sort((a, b) => a.lastMs - b.lastMs);
    return {
      resolutionMs: this.#resolutionMs,
      lastMs: Float64Array.from(sorted, ({ lastMs }) => lastMs),
      counts: Float64Array.from(sorted, ({ count }) => count),
      sums: Float64Array.from(sorted, ({ sum }) => sum),
      mins: Float64Array.from(sorted, ({ min }) => min),
      maxs: Float64Array.from(sorted, ({ max }) => max),
    };
  }
}

/** The number of the window that a time is in. */
export function windowOf(timeMs: number, resolutionMs: number): number {
  return Math.floor(timeMs / resolutionMs);
}

/** Whether the samples of a time went into some of the windows. */
export function coverage(groups: readonly Windows[]): (timeMs: number) => boolean {
  const covered = groups.map(({ resolutionMs, lastMs }) => ({
    resolutionMs,
    windows: new Set(Array.from(lastMs, (timeMs) => windowOf(timeMs, resolutionMs))),
  }));
  return (timeMs) => covered.some(({ resolutionMs, windows }) => windows.has(windowOf(timeMs, resolutionMs)));
}
