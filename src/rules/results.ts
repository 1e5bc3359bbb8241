// Where results of rules go: the contract that storage keeps.

import type { FloatHistogram } from '../model/histogram.js';
import type { PlacedSeries } from '../shard/recording.js';

/** A series that a rule writes, the same object from one evaluation to the next: storage notes there where it is. */
export type ResultSeries = PlacedSeries;

export interface ResultSample {
  readonly series: ResultSeries;
  /** 0 beside a histogram. */
  readonly value: number;
  readonly histogram?: FloatHistogram;
}

/** What evaluations of one time leave. */
export interface RuleResults {
  readonly timeMs: number;
  /** By rule. No series twice in one. */
  readonly results: readonly (readonly ResultSample[])[];
  /** Series that end here. A stale marker that is not later than its series' newest sample is dropped: another rule goes on with it. */
  readonly ended: readonly ResultSeries[];
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
   * One append: queries see all of it, or nothing. Resolves when they do, so that the next rules of a group can build on it, with what
   * was refused of each result. Rejects when storage takes nothing at the moment.
   */
  append(results: RuleResults): Promise<readonly RefusedSamples[]>;
}
