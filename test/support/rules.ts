// Rules on fakes: a clock turned by hand, expressions whose vectors tests say, a store that remembers what it got.

import type { Alert } from '../../src/model/alert.js';
import { formatLabels, keyOf, type Labels, labelsOf } from '../../src/model/labels.js';
import { Group } from '../../src/rules/group.js';
import { RuleMetrics } from '../../src/rules/metrics.js';
import type { RuleQueryOptions, VectorSample } from '../../src/rules/query.js';
import type { RefusedSamples, RuleResults } from '../../src/rules/results.js';
import type { GroupSpec, RuleSpec } from '../../src/rules/spec.js';
import type { RuleWorld } from '../../src/rules/world.js';
import { renderMetrics } from '../../src/telemetry/exposition.js';
import { createLogger } from '../../src/telemetry/log.js';
import { Registry } from '../../src/telemetry/metrics.js';
import { FakeClock } from './clock.js';

export const START_MS = Date.UTC(2026, 10, 21, 8);

const NONE_REFUSED: RefusedSamples = { outOfOrder: 0, tooOld: 0, duplicates: 0, reason: undefined };

/** What an expression gives at a time; what it throws is the query's error. */
export type Answer = (
  timeMs: number,
  options: RuleQueryOptions,
) => readonly VectorSample[] | Promise<readonly VectorSample[]>;

export class RuleRig {
  readonly clock = new FakeClock(START_MS);
  readonly registry = new Registry(this.clock);
  readonly sent: Alert[] = [];
  readonly lines: string[] = [];
  /** By expression. */
  readonly answers = new Map<string, Answer>();
  /** `expr@seconds` since the start, in order. */
  readonly asked: string[] = [];
  readonly stored: RuleResults[] = [];
  refuse: () => RefusedSamples = () => NONE_REFUSED;
  offsetMs = 0;
  readonly world: RuleWorld;

  constructor(parts: Partial<RuleWorld> = {}) {
    this.world = {
      clock: this.clock,
      log: createLogger({ level: 'debug', clock: this.clock, write: (line) => this.lines.push(line) }),
      metrics: new RuleMetrics(this.registry),
      query: async (expr, timeMs, options = {}) => {
        this.asked.push(`${expr}@${(timeMs - START_MS) / 1000}`);
        const answer = this.answers.get(expr);
        return answer === undefined ? [] : answer(timeMs, options);
      },
      results: {
        append: async (results) => {
          this.stored.push(results);
          return results.results.map(() => this.refuse());
        },
      },
      alerts: { send: (alerts) => this.sent.push(...alerts) },
      expand: async (text) => text,
      externalUrl: 'http://narthex.example',
      queryOffsetMs: () => this.offsetMs,
      resendMs: 60_000,
      toleranceMs: 3_600_000,
      graceMs: 600_000,
      ...parts,
    };
  }

  group(spec: Partial<GroupSpec>, isRestored = true): Group {
    return new Group(groupOf(spec), this.world, isRestored);
  }

  /** What was stored, a line each: `series value` or `series ended`, and clears it. */
  takeStored(): string[] {
    return this.stored
      .splice(0)
      .flatMap(({ results, ended }) => [
        ...results.flat().map(({ series, value }) => `${formatLabels(series.labels)} ${value}`),
        ...ended.map(({ labels }) => `${formatLabels(labels)} ended`),
      ]);
  }

  metric(line: string): string | undefined {
    const page = new TextDecoder().decode(renderMetrics(this.registry));
    return page
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.slice(line.length + 1);
  }
}

/** Lets everything run that waits for nothing but promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

/** `series({ job: 'a' }, 1)` */
export function sample(labels: Readonly<Record<string, string>>, value: number): VectorSample {
  return { labels: labelsOf(Object.entries(labels)), value };
}

export function recording(name: string, expr: string, parts: Partial<RuleSpec> = {}): RuleSpec {
  return { kind: 'recording', name, expr, labels: [], annotations: [], holdMs: 0, keepFiringMs: 0, ...parts };
}

export function alerting(name: string, expr: string, parts: Partial<RuleSpec> = {}): RuleSpec {
  return { ...recording(name, expr), kind: 'alerting', ...parts };
}

export function groupOf(parts: Partial<GroupSpec>): GroupSpec {
  return { file: 'rules.yml', name: 'g', intervalMs: 60_000, limit: 0, queryOffsetMs: undefined, rules: [], ...parts };
}

export function keysOf(all: Iterable<{ readonly labels: Labels }>): string[] {
  return [...all].map(({ labels }) => keyOf(labels));
}
