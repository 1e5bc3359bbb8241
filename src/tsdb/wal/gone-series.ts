// Series that the head has no more, but whose records the log still needs: segments that a checkpoint leaves may have samples
// of theirs, and a Prometheus that reads a sample of nobody says so.
//
//   checkpoint of segments 0 to 5, segment 7 is the newest:  series 3 is gone   ──► its record stays
//   checkpoint of segments 6 to 7:                                                  now it goes: later segments never had it
//
// Nothing of this is on the disk: after a restart such series are in the head again, until the next truncation.

import type { Keep } from './filter.js';
import type { LiveRefs } from './live-refs.js';

/** Series that were found to be gone by one checkpoint. */
interface Generation {
  /** The last segment that may have samples of theirs. */
  readonly segment: number;
  readonly refs: Set<number>;
}

/** Where a checkpoint stands. */
export interface CheckpointPlace {
  /** The last segment that it replaces. */
  readonly last: number;
  /** The last written by now: it may have samples of series that are gone by now. */
  readonly newest: number;
}

export class GoneSeries {
  #generations: Generation[] = [];

  /** What a checkpoint keeps beside the living and their samples from `mint` on. */
  keeping(live: LiveRefs, mint: number, { last, newest }: CheckpointPlace): Keep {
    const covered = this.#generations.filter(({ segment }) => segment <= last);
    const kept = this.#generations.filter(({ segment }) => segment > last);
    const fresh = { segment: newest, refs: new Set<number>() };
    // Should the checkpoint fail, those that are covered are found anew, and stay once more.
    this.#generations = newest > last ? [...kept, fresh] : kept;
    const isIn = (generations: readonly Generation[], ref: number) => generations.some(({ refs }) => refs.has(ref));
    const series = (ref: number): boolean => {
      if (live.has(ref) || isIn(kept, ref)) return true;
      if (newest <= last || isIn(covered, ref)) return false;
      fresh.refs.add(ref);
      return true;
    };
    return { series, elsewhereTo: (ref) => live.elsewhereTo(ref), times: live.times, mint };
  }
}
