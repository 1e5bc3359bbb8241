// A rule group: its rules, one evaluation of all of them, and what they hand on to their successors.
//
//   each wave of rules, in order:  queries ─► states ─► due alerts leave ─► results and the ends of series that are gone: one append,
//                                                                           seen by the wave after it
//
// Waves (waves.ts) are what rules in order would see, in fewer steps. A rule that fails leaves everything as it was before it, and the
// others go on.

import { QueryError } from '../promql/errors.js';
import type { Logger } from '../telemetry/log.js';
import { AlertingRule } from './alerting-rule.js';
import type { GroupMetrics } from './metrics.js';
import { RecordingRule } from './recording-rule.js';
import { restore } from './restoring.js';
import type { RefusedSamples, ResultSeries } from './results.js';
import type { Rule, RuleOutput } from './rule.js';
import { type GroupSpec, groupKey } from './spec.js';
import { wavesOf } from './waves.js';
import type { RuleWorld } from './world.js';

/** A rule whose evaluation went well. */
interface Evaluated extends RuleOutput {
  readonly rule: Rule;
  readonly index: number;
}

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
  /** Rules by index. */
  readonly #waves: readonly (readonly number[])[];
  /** Series of rules that are no more. */
  #orphans: readonly ResultSeries[] = [];
  #isStopped = false;

  /** With `isRestored` alerts begin as they are found: there is no server before this one whose alerts go on. */
  constructor(spec: GroupSpec, world: RuleWorld, isRestored: boolean) {
    this.spec = spec;
    this.#world = world;
    this.#log = world.log.with({ file: spec.file, group: spec.name });
    this.#metrics = world.metrics.of(groupKey(spec));
    this.#metrics.rules.value = spec.rules.length;
    this.#metrics.interval.value = spec.intervalMs / 1000;
    this.#waves = wavesOf(spec.rules);
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
    for (const wave of this.#waves) {
      if (!this.#isStopped) samples += await this.#evaluateWave(wave, timeMs);
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

  /** Gives the number of samples. */
  async #evaluateWave(wave: readonly number[], timeMs: number): Promise<number> {
    const crowded: number[] = [];
    const evaluated = await Promise.all(wave.map((index) => this.#evaluateRule(index, timeMs, crowded)));
    // What found no memory beside the others may find some alone.
    for (const index of crowded) evaluated.push(await this.#evaluateRule(index, timeMs));
    const good = evaluated.filter((one) => one !== undefined);
    const isChange = ({ samples, ended }: Evaluated) => samples.length + ended.length > 0;
    await this.#store(good.filter(isChange), timeMs);
    return good.reduce((sum, { samples }) => sum + samples.length, 0);
  }

  /** Never rejects; undefined where it failed. Where it found no memory and `crowded` is given, it is noted there instead. */
  async #evaluateRule(index: number, timeMs: number, crowded?: number[]): Promise<Evaluated | undefined> {
    const { clock, metrics, query } = this.#world;
    const rule = this.rules[index]!;
    const startMs = clock.nowMs();
    const beganMs = clock.monotonicMs();
    let output: RuleOutput | undefined;
    try {
      const { limit } = this.spec;
      output = rule.outputOf(await rule.evaluate({ timeMs, offsetMs: this.queryOffsetMs, limit, query }));
      rule.succeed();
      this.#sendDue(rule, timeMs);
    } catch (error) {
      if (crowded !== undefined && (error as Partial<QueryError>).type === 'unavailable') {
        crowded.push(index);
        return undefined;
      }
      this.#noteFailure(rule, index, error);
    }
    this.#metrics.evaluations.value++;
    rule.seconds = (clock.monotonicMs() - beganMs) / 1000;
    rule.evaluatedMs = startMs;
    metrics.evaluationSeconds.observe(rule.seconds);
    return output && { rule, index, ...output };
  }

  /** Results of rules and the ends of their series: one append. */
  async #store(evaluated: readonly Evaluated[], timeMs: number): Promise<void> {
    if (evaluated.length === 0) return;
    const results = evaluated.map(({ samples }) => samples);
    const ended = evaluated.flatMap((one) => one.ended);
    try {
      const refused = await this.#world.results.append({ timeMs: timeMs - this.queryOffsetMs, results, ended });
      evaluated.forEach(({ rule, index, series }, i) => {
        this.#noteRefused(rule, index, refused[i]!);
        rule.series = series;
      });
    } catch (error) {
      for (const { rule, index } of evaluated) this.#noteFailure(rule, index, error);
    }
  }

  #noteFailure(rule: Rule, index: number, error: unknown): void {
    rule.fail(error);
    this.#metrics.evaluationFailures.value++;
    // Queries are cancelled at the end of the server.
    if (error instanceof QueryError && error.type === 'canceled') return;
    this.#log.warn('Evaluating rule failed', { name: rule.spec.name, index, err: error as Error });
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
      await this.#world.results.append({ timeMs: timeMs - this.queryOffsetMs, results: [], ended });
      this.#orphans = [];
    } catch (error) {
      this.#log.warn('Stale sample appending for previous configuration failed', { err: error as Error });
    }
  }
}
