// A rule group: its rules, one evaluation of all of them, and what they hand on to their successors.
//
//   each rule, in order:  query ─► state ─► due alerts leave ─► results and the ends of series that are gone: one append, seen by the
//                                                               rule after it
//
// A rule that fails leaves everything as it was before it, and the others go on.

import { keyOf, type Labels } from '../model/labels.js';
import { QueryError } from '../promql/errors.js';
import type { Logger } from '../telemetry/log.js';
import { AlertingRule } from './alerting-rule.js';
import { batchesOf } from './dependencies.js';
import type { GroupMetrics } from './metrics.js';
import { RecordingRule } from './recording-rule.js';
import { restore } from './restoring.js';
import type { RefusedSamples } from './results.js';
import type { Rule } from './rule.js';
import { type GroupSpec, groupKey } from './spec.js';
import type { RuleWorld } from './world.js';

export class Group {
  readonly spec: GroupSpec;
  readonly rules: readonly Rule[];
  /** Of the last evaluation. */
  seconds = 0;
  /** When the last evaluation began; undefined before the first. */
  evaluatedMs: number | undefined;
  readonly #world: RuleWorld;
  readonly #log: Logger;
  readonly #metrics: GroupMetrics;
  /** Rules by index: see batchesOf. */
  readonly #batches: readonly (readonly number[])[];
  /** Series of rules that are no more. */
  #orphans: readonly Labels[] = [];
  #isStopped = false;

  /** With `isRestored` alerts begin as they are found: there is no server before this one whose alerts go on. */
  constructor(spec: GroupSpec, world: RuleWorld, isRestored: boolean) {
    this.spec = spec;
    this.#world = world;
    this.#log = world.log.with({ file: spec.file, group: spec.name });
    this.#metrics = world.metrics.of(groupKey(spec));
    this.#metrics.rules.value = spec.rules.length;
    this.#metrics.interval.value = spec.intervalMs / 1000;
    this.#batches = world.slots === undefined ? spec.rules.map((_, i) => [i]) : batchesOf(spec.rules);
    this.rules = spec.rules.map((rule) =>
      rule.kind === 'recording' ? new RecordingRule(rule) : new AlertingRule(rule, world, isRestored),
    );
  }

  get alertingRules(): readonly AlertingRule[] {
    return this.rules.filter((rule) => rule instanceof AlertingRule);
  }

  get queryOffsetMs(): number {
    return this.spec.queryOffsetMs ?? this.#world.queryOffsetMs();
  }

  /** Evaluates all rules as of a time. */
  async evaluate(timeMs: number): Promise<void> {
    const { clock, metrics } = this.#world;
    this.#metrics.iterations.value++;
    const startMs = clock.nowMs();
    const beganMs = clock.monotonicMs();
    let samples = 0;
    for (const batch of this.#batches) {
      const counts = await this.#evaluateBatch(batch, timeMs);
      samples += counts.reduce((sum, count) => sum + count, 0);
    }
    if (!this.#isStopped) await this.#endOrphans(timeMs);
    this.seconds = (clock.monotonicMs() - beganMs) / 1000;
    this.evaluatedMs = startMs;
    metrics.groupSeconds.observe(this.seconds);
    this.#metrics.lastSamples.value = samples;
    this.#metrics.lastDuration.value = this.seconds;
    this.#metrics.lastEvaluation.value = startMs / 1000;
    this.#metrics.lastRuleDurationSum.value = this.rules.reduce((sum, rule) => sum + rule.seconds, 0);
  }

  /** Restores `for` of all alerting rules. */
  async restore(): Promise<void> {
    const { clock, query, toleranceMs, graceMs } = this.#world;
    const beganMs = clock.monotonicMs();
    for (const rule of this.alertingRules) {
      if (rule.isRestored) continue;
      try {
        await restore(rule, query, { nowMs: clock.nowMs(), toleranceMs, graceMs });
      } catch (error) {
        this.#log.error("Failed to restore 'for' state", { alertname: rule.spec.name, err: error as Error });
      }
    }
    this.#metrics.lastRestoreDuration.value = (clock.monotonicMs() - beganMs) / 1000;
  }

  get isRestored(): boolean {
    return this.alertingRules.every((rule) => rule.isRestored);
  }

  /** `count` evaluations were due while one took too long. */
  noteMissed(count: number): void {
    this.#metrics.iterationsMissed.value += count;
    this.#metrics.iterations.value += count;
  }

  /** Rules that are still to be evaluated are not. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Goes on where a group of a configuration before was, once that has stopped. Rules are the same by name and labels: the first with
   * the first, the second with the second. What others wrote ends with the next evaluation.
   */
  inherit(from: Group): void {
    this.seconds = from.seconds;
    this.evaluatedMs = from.evaluatedMs;
    const left = new Map<string, Rule[]>();
    for (const rule of from.rules) left.set(rule.identity, [...(left.get(rule.identity) ?? []), rule]);
    for (const rule of this.rules) {
      const before = left.get(rule.identity)?.shift();
      if (before !== undefined) rule.inherit(before);
    }
    this.#orphans = [...from.#orphans, ...[...left.values()].flat().flatMap(({ series }) => [...series.values()])];
  }

  /** The group is no more: all of its series end, at a time at which it was still there. */
  async end(timeMs: number): Promise<void> {
    this.#orphans = [...this.#orphans, ...this.rules.flatMap(({ series }) => [...series.values()])];
    await this.#endOrphans(timeMs);
  }

  /** Gives samples by rule. */
  async #evaluateBatch(batch: readonly number[], timeMs: number): Promise<number[]> {
    const { slots } = this.#world;
    const running: Promise<number>[] = [];
    for (const index of batch) {
      if (this.#isStopped) break;
      const isBeside = batch.length > 1 && slots?.take() === true;
      const evaluating = this.#evaluateRule(index, timeMs);
      running.push(isBeside ? evaluating.finally(() => slots.give()) : evaluating);
      if (!isBeside) await evaluating;
    }
    return Promise.all(running);
  }

  /** Gives the number of samples. Never rejects. */
  async #evaluateRule(index: number, timeMs: number): Promise<number> {
    const { clock, metrics, query } = this.#world;
    const rule = this.rules[index]!;
    const startMs = clock.nowMs();
    const beganMs = clock.monotonicMs();
    this.#metrics.evaluations.value++;
    let count = 0;
    try {
      const offsetMs = this.queryOffsetMs;
      const samples = await rule.evaluate({ timeMs, offsetMs, limit: this.spec.limit, query });
      rule.succeed();
      count = samples.length;
      this.#sendDue(rule, timeMs);
      const series = new Map(samples.map(({ labels }) => [keyOf(labels), labels]));
      const ended = [...rule.series].flatMap(([key, labels]) => (series.has(key) ? [] : [labels]));
      if (samples.length > 0 || ended.length > 0) {
        const refused = await this.#world.results.append({ timeMs: timeMs - offsetMs, samples, ended });
        this.#noteRefused(rule, index, refused);
      }
      rule.series = series;
    } catch (error) {
      rule.fail(error);
      this.#metrics.evaluationFailures.value++;
      // Queries are cancelled at the end of the server.
      if (!(error instanceof QueryError && error.type === 'canceled')) {
        this.#log.warn('Evaluating rule failed', { name: rule.spec.name, index, err: error as Error });
      }
    }
    rule.seconds = (clock.monotonicMs() - beganMs) / 1000;
    rule.evaluatedMs = startMs;
    metrics.evaluationSeconds.observe(rule.seconds);
    return count;
  }

  #sendDue(rule: Rule, timeMs: number): void {
    if (!(rule instanceof AlertingRule)) return;
    const { alerts, resendMs } = this.#world;
    const due = rule.takeDue({ timeMs, intervalMs: this.spec.intervalMs, resendMs });
    if (due.length > 0) alerts.send(due);
  }

  #noteRefused(rule: Rule, index: number, { reason, outOfOrder, tooOld, duplicates }: RefusedSamples): void {
    if (reason === undefined) return;
    rule.fail(reason);
    const warn = (message: string, dropped: number) => {
      if (dropped > 0) this.#log.warn(message, { name: rule.spec.name, index, num_dropped: dropped });
    };
    warn('Error on ingesting out-of-order result from rule evaluation', outOfOrder);
    warn('Error on ingesting too old result from rule evaluation', tooOld);
    warn('Error on ingesting results from rule evaluation with different value but same timestamp', duplicates);
    if (outOfOrder + tooOld + duplicates === 0) {
      this.#log.warn('Rule evaluation result discarded', { name: rule.spec.name, index, err: reason });
    }
  }

  async #endOrphans(timeMs: number): Promise<void> {
    if (this.#orphans.length === 0) return;
    try {
      const ended = this.#orphans;
      await this.#world.results.append({ timeMs: timeMs - this.queryOffsetMs, samples: [], ended });
      this.#orphans = [];
    } catch (error) {
      this.#log.warn('Stale sample appending for previous configuration failed', { err: error as Error });
    }
  }
}
