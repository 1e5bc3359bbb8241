// A rule at work: what it is, and how its last evaluation went.

import { keyOf } from '../model/labels.js';
import type { RuleQuery, VectorSample } from './query.js';
import type { ResultSample, ResultSeries } from './results.js';
import type { RuleSpec } from './spec.js';

export type RuleHealth = 'unknown' | 'ok' | 'err';

/** One evaluation, as rules see it. */
export interface EvaluationContext {
  /** When it was due, wall-clock ms. */
  readonly timeMs: number;
  /** How far back expressions look, and results stand. */
  readonly offsetMs: number;
  /** Of the group: see GroupSpec. */
  readonly limit: number;
  readonly query: RuleQuery;
}

/** What a rule gives, by label set. */
export type LabelledSamples = ReadonlyMap<string, VectorSample>;

/** What storage is to get of a rule. */
export interface RuleOutput {
  readonly samples: readonly ResultSample[];
  /** Series that it had the time before. */
  readonly ended: readonly ResultSeries[];
  /** By label set: what the rule has from now on, once this is stored. */
  readonly series: ReadonlyMap<string, ResultSeries>;
}

export abstract class Rule {
  readonly spec: RuleSpec;
  health: RuleHealth = 'unknown';
  /** Empty where the last evaluation was good or there was none. */
  lastError = '';
  /** Of the last evaluation. */
  seconds = 0;
  /** When the last evaluation began; undefined before the first. */
  evaluatedMs: number | undefined;
  /** What storage got of the last good evaluation, by label set: what is gone next time ends. */
  series: ReadonlyMap<string, ResultSeries> = new Map();

  constructor(spec: RuleSpec) {
    this.spec = spec;
  }

  /** What is to be stored. Rejects with what went wrong; then nothing is. */
  abstract evaluate(context: EvaluationContext): Promise<LabelledSamples>;

  /** Samples of the series that it has and of new ones, and those of its series that are gone. */
  outputOf(given: LabelledSamples): RuleOutput {
    const series = new Map<string, ResultSeries>();
    const samples: ResultSample[] = [];
    let known = 0;
    for (const [key, { labels, value, histogram }] of given) {
      const before = this.series.get(key);
      if (before !== undefined) known++;
      const one = before ?? { labels, place: undefined };
      series.set(key, one);
      samples.push(histogram === undefined ? { series: one, value } : { series: one, value, histogram });
    }
    const isAll = known === this.series.size;
    const ended = isAll ? [] : [...this.series].flatMap(([key, one]) => (series.has(key) ? [] : [one]));
    return { samples, ended, series };
  }

  /** Goes on where the same rule of a configuration before was. */
  inherit(from: Rule): void {
    this.series = from.series;
  }

  /** The same for rules that are one rule to their users: of the same name and labels. */
  get identity(): string {
    return keyOf([this.spec.name, ...this.spec.labels]);
  }

  fail(error: unknown): void {
    this.health = 'err';
    this.lastError = error instanceof Error ? error.message : String(error);
  }

  succeed(): void {
    this.health = 'ok';
    this.lastError = '';
  }
}
