// Where results of rules go: the contract that storage keeps.

import type { Labels } from '../model/labels.js';
import type { VectorSample } from './query.js';

/** What one evaluation of a rule leaves. */
export interface RuleResult {
  readonly timeMs: number;
  /** No label set twice. */
  readonly samples: readonly VectorSample[];
  /** Series that end here. A stale marker that is not later than its series' newest sample is dropped: another rule goes on with it. */
  readonly ended: Iterable<Labels>;
}

/** Samples that were left out, and why the first of them was. */
export interface RefusedSamples {
  readonly outOfOrder: number;
  readonly tooOld: number;
  readonly duplicates: number;
  /** undefined where all samples were taken. */
  readonly reason: string | undefined;
}

export interface ResultStore {
  /**
   * One append: queries see all of it, or nothing. Resolves when they do, so that the next rule of a group can build on it. Rejects
   * when storage takes nothing at the moment.
   */
  append(result: RuleResult): Promise<RefusedSamples>;
}
