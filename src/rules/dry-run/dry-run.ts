// A dry run: what rules would have done over a time that is past. Nothing of it is stored, and nobody is told.
//
//   times of all groups, merged ──► group, as it runs ──► queries ─┬─ of what no rule here writes: storage, many steps at once
//                                       │                          └─ of what one does: storage and what the dry run has, beside
//                                       ├──► results, in memory, for as long as any rule looks back
//                                       └──► alerts, from their first evaluation to their last
//
// It begins as a server does that has no alerts yet: what was pending or firing at the start is found anew.

import type { Clock } from '../../base/clock.js';
import type { Ending } from '../../base/ending.js';
import type { Labels } from '../../model/labels.js';
import { QueryError } from '../../promql/errors.js';
import { MemorySource } from '../../promql/exec/memory-source.js';
import type { Source } from '../../promql/exec/source.js';
import { bitsOf, STALE } from '../../promql/syntax/series-notation.js';
import type { QueryOptions } from '../../query/running.js';
import { noLog } from '../../telemetry/log.js';
import { Registry } from '../../telemetry/metrics.js';
import type { ActiveAlert } from '../alert-state.js';
import { AlertingRule } from '../alerting-rule.js';
import { Group } from '../group.js';
import { firstEvaluation } from '../group-times.js';
import { RuleMetrics } from '../metrics.js';
import { type RuleQuery, vectorOf } from '../query.js';
import type { RefusedSamples, RuleResults } from '../results.js';
import type { Rule } from '../rule.js';
import type { GroupSpec, RuleSpec } from '../spec.js';
import { alertTemplates } from '../templates.js';
import { Written } from '../written.js';
import { Ahead, type RangeQueries } from './ahead.js';
import { BesideSource } from './beside-source.js';
import { reachOf } from './reach.js';

export interface DryRunRequest {
  readonly groups: readonly GroupSpec[];
  /** Both ends included. */
  readonly startMs: number;
  readonly endMs: number;
  /** Aborts when nobody waits any more. */
  readonly signal: Ending;
}

export interface DryRunParts {
  readonly engine: RangeQueries;
  readonly clock: Clock;
  readonly lookbackMs: number;
  readonly externalUrl: string;
  externalLabels(): Labels;
  /** Of groups that do not say. */
  queryOffsetMs(): number;
  /** Hears of each result, if anybody is to; waited for. */
  readonly onResults?: (results: RuleResults) => void | Promise<void>;
}

/** One stretch of an alert, from its being found to its end. */
export interface DryRunAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly value: number;
  readonly activeAtMs: number;
  /** undefined where it never fired. */
  readonly firedAtMs: number | undefined;
  /** undefined where it goes on at the end. */
  readonly endedAtMs: number | undefined;
}

export interface DryRunRule {
  readonly spec: RuleSpec;
  readonly samples: number;
  readonly failures: number;
  /** The last error; empty where all went well. */
  readonly error: string;
  /** In the order of their beginning; empty for recording rules. */
  readonly alerts: readonly DryRunAlert[];
}

export interface DryRunGroup {
  readonly spec: GroupSpec;
  readonly evaluations: number;
  readonly rules: readonly DryRunRule[];
}

/** What a request asks for is too much; its message says what. */
export class DryRunRefused extends Error {
  override readonly name = 'DryRunRefused';
  /** Of the API's error types. */
  readonly type = 'bad_data';
}

const EVALUATIONS_MAX = 2_000_000;
const ALERTS_MAX = 100_000;
/** Evaluations after which what no rule looks at any more is let go of. */
const TRIM_EVERY = 64;

export async function dryRun(request: DryRunRequest, parts: DryRunParts): Promise<DryRunGroup[]> {
  const { groups, startMs, endMs, signal } = request;
  const evaluations = groups.reduce((sum, { intervalMs, rules }) => {
    return sum + rules.length * Math.max(0, (endMs - startMs) / intervalMs);
  }, 0);
  if (evaluations > EVALUATIONS_MAX) {
    const counted = Math.ceil(evaluations).toLocaleString('en');
    throw new DryRunRefused(`${counted} evaluations of rules, more than ${EVALUATIONS_MAX}: ask for less time`);
  }
  const stage = new Stage(groups, parts, request);
  const players = groups.map((spec) => new Player(spec, stage, firstEvaluation(spec, startMs)));
  for (let done = 0; ; done++) {
    const next = players.reduce<Player | undefined>(
      (a, b) => (a === undefined || b.dueMs < a.dueMs ? b : a),
      undefined,
    );
    if (next === undefined || next.dueMs > endMs) break;
    if (signal.aborted) throw new QueryError('canceled', 'the dry run was canceled');
    if (done % TRIM_EVERY === 0) stage.trim(next.dueMs);
    await next.evaluate();
  }
  return players.map((player) => player.finish());
}

/** What all groups of a dry run share: a time, results so far. */
class Stage {
  readonly memory = new MemorySource();
  readonly world: ConstructorParameters<typeof Group>[1];
  nowMs = 0;
  readonly #reachMs: number;

  constructor(groups: readonly GroupSpec[], parts: DryRunParts, { endMs, signal }: DryRunRequest) {
    const { engine, clock, externalUrl, externalLabels } = parts;
    const rules = groups.flatMap((group) => group.rules);
    const written = new Written(rules);
    this.#reachMs = Math.max(0, ...rules.map(({ expr }) => reachOf(expr, parts.lookbackMs)));
    const ahead = new Ahead(engine, { endMs, signal });
    const observe = (source: Source) => new BesideSource(source, this.memory, written);
    const stepOf = stepsOf(groups, written);
    const query: RuleQuery = async (expr, timeMs) => {
      const stepMs = stepOf.get(expr);
      if (stepMs !== undefined) return ahead.at(expr, timeMs, stepMs);
      const options: QueryOptions = { signal, observe };
      const { data, free } = await engine.instant(expr, timeMs, options);
      const vector = vectorOf(data);
      free?.();
      return vector;
    };
    this.world = {
      clock: { ...clock, nowMs: () => this.nowMs },
      log: noLog,
      metrics: new RuleMetrics(new Registry()),
      query,
      results: { append: (results) => this.#append(results, parts.onResults) },
      alerts: { send: () => {} },
      expand: alertTemplates({ query, externalUrl, externalLabels, metrics: undefined, log: noLog }),
      externalUrl,
      queryOffsetMs: () => parts.queryOffsetMs(),
      ...{ resendMs: Number.POSITIVE_INFINITY, toleranceMs: 0, graceMs: 0 },
    };
  }

  /** Lets go of what no rule looks at any more. */
  trim(nowMs: number): void {
    this.memory.dropBefore(nowMs - this.#reachMs);
  }

  async #append(results: RuleResults, onResults: DryRunParts['onResults']): Promise<readonly RefusedSamples[]> {
    const { timeMs, ended } = results;
    for (const samples of results.results) {
      for (const { series, value, histogram } of samples) {
        this.memory.append(series.labels, timeMs, histogram ?? bitsOf(value));
      }
    }
    for (const { labels } of ended) this.memory.append(labels, timeMs, STALE);
    await onResults?.(results);
    return results.results.map(() => ({ outOfOrder: 0, tooOld: 0, duplicates: 0, reason: undefined }));
  }
}

/** Of expressions that read nothing that these rules write: the interval of their group. */
function stepsOf(groups: readonly GroupSpec[], written: Written): ReadonlyMap<string, number> {
  const rules = groups.flatMap((group) => group.rules.map(({ expr }) => [expr, group.intervalMs] as const));
  return new Map(rules.filter(([expr]) => written.readByExpr(expr).size === 0));
}

/** One group of a dry run. */
class Player {
  dueMs: number;
  readonly #group: Group;
  readonly #stage: Stage;
  readonly #book: RuleBook[];
  #evaluations = 0;

  constructor(spec: GroupSpec, stage: Stage, firstMs: number) {
    this.dueMs = firstMs;
    this.#stage = stage;
    this.#group = new Group(spec, stage.world, true);
    this.#book = this.#group.rules.map((rule) => new RuleBook(rule));
  }

  async evaluate(): Promise<void> {
    this.#stage.nowMs = this.dueMs;
    await this.#group.evaluate(this.dueMs);
    this.#evaluations++;
    for (const book of this.#book) book.note(this.dueMs);
    this.dueMs += this.#group.spec.intervalMs;
  }

  finish(): DryRunGroup {
    return {
      spec: this.#group.spec,
      evaluations: this.#evaluations,
      rules: this.#book.map((book) => book.finish()),
    };
  }
}

/** What became of one rule. */
class RuleBook {
  readonly #rule: Rule;
  /** Each of them one stretch: an alert that comes back is another one. */
  readonly #alerts = new Map<ActiveAlert, { endedAtMs: number | undefined }>();
  readonly #open = new Set<ActiveAlert>();
  #samples = 0;
  #failures = 0;
  #error = '';

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  /** After an evaluation. */
  note(timeMs: number): void {
    const rule = this.#rule;
    if (rule.health === 'err') {
      this.#failures++;
      this.#error = rule.lastError;
      return;
    }
    this.#samples += rule.series.size;
    if (!(rule instanceof AlertingRule)) return;
    const alive = new Set<ActiveAlert>();
    for (const alert of rule.alerts) {
      if (alert.state === 'inactive') continue;
      alive.add(alert);
      this.#open.add(alert);
      if (!this.#alerts.has(alert)) this.#begin(alert);
    }
    for (const alert of this.#open) {
      if (alive.has(alert)) continue;
      this.#open.delete(alert);
      this.#alerts.get(alert)!.endedAtMs = timeMs;
    }
  }

  #begin(alert: ActiveAlert): void {
    if (this.#alerts.size === ALERTS_MAX) {
      throw new DryRunRefused(`${this.#rule.spec.name} gives more than ${ALERTS_MAX} alerts: ask for less time`);
    }
    this.#alerts.set(alert, { endedAtMs: undefined });
  }

  finish(): DryRunRule {
    const alerts = Array.from(this.#alerts, ([alert, { endedAtMs }]): DryRunAlert => {
      const { labels, annotations, value, activeAtMs, firedAtMs } = alert;
      return { labels, annotations, value, activeAtMs, firedAtMs, endedAtMs };
    });
    return { spec: this.#rule.spec, samples: this.#samples, failures: this.#failures, error: this.#error, alerts };
  }
}
