// Random queries that make sense over one small set of series, and that set: for
// comparing results, where random syntax would only compare errors.

import type { Prng } from '../../src/base/prng.js';
import { type Labels, labelsOf } from '../../src/model/labels.js';

/** Where the samples begin; on a multiple of an hour. */
export const DATA_START_MS = 1_699_999_200_000;
const INTERVAL_MS = 15_000;
const SAMPLES = 240;
export const DATA_END_MS = DATA_START_MS + INTERVAL_MS * SAMPLES;

export interface GeneratedSeries {
  readonly labels: Labels;
  readonly samples: { readonly timeMs: number; readonly value: number }[];
}

/** Counters with resets, gauges, a classic histogram, series with gaps and with odd values. */
export function generateSeries(random: Prng): GeneratedSeries[] {
  const all: GeneratedSeries[] = [];
  const add = (name: string, labels: Record<string, string>, next: (i: number) => number | undefined) => {
    const samples: { timeMs: number; value: number }[] = [];
    for (let i = 0; i < SAMPLES; i++) {
      const value = next(i);
      const jitter = random.int(4000);
      if (value !== undefined) samples.push({ timeMs: DATA_START_MS + i * INTERVAL_MS + jitter, value });
    }
    all.push({ labels: labelsOf([['__name__', name], ...Object.entries(labels)]), samples });
  };
  const counter = () => {
    let total = random.float() * 100;
    return () => {
      total = random.int(60) === 0 ? random.float() : total + random.float() * 10;
      return total;
    };
  };
  for (const instance of ['a', 'b', 'c']) {
    for (const mode of ['idle', 'user']) {
      const next = counter();
      add('cpu_total', { job: 'node', instance, mode }, () => next());
    }
    add('mem', { job: 'node', instance }, () => random.float() * 1e9);
    add('up', { job: instance === 'c' ? 'other' : 'node', instance }, () => Number(random.int(8) > 0));
    const gaps = counter();
    add('gaps', { instance }, (i) => (Math.floor(i / 20) % 3 === 1 ? undefined : gaps()));
  }
  add('odd', { kind: 'nan' }, () => (random.int(3) === 0 ? Number.NaN : random.float()));
  add('odd', { kind: 'inf' }, () => [Infinity, -Infinity, 1, 0][random.int(4)]);
  add('odd', { kind: 'large' }, () => (random.float() - 0.5) * 1e300);
  add('odd', { kind: 'flat' }, () => 42);
  for (const job of ['x', 'y']) {
    const bounds = ['0.1', '0.5', '1', '5', '+Inf'];
    const steps = bounds.map(() => counter());
    const counts = bounds.map((_, bound) => {
      let total = 0;
      return () => {
        total = steps.slice(0, bound + 1).reduce((sum, step) => sum + step(), 0);
        return total;
      };
    });
    bounds.forEach((le, i) => {
      add('lat_bucket', { job, le }, () => counts[i]!());
    });
  }
  return all;
}

const RANGES = ['30s', '1m', '5m', '20m', '1h', '7m30s'];
const RANGE_FUNCTIONS = [
  'rate',
  'increase',
  'delta',
  'irate',
  'idelta',
  'deriv',
  'resets',
  'changes',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'count_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'last_over_time',
  'present_over_time',
  'absent_over_time',
];
const MATH = ['abs', 'ceil', 'floor', 'exp', 'ln', 'log2', 'log10', 'sqrt', 'sgn', 'tanh', 'atan', 'deg', 'rad'];
const CALENDAR = ['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year'];
const AGGREGATES = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const ARITHMETIC = ['+', '-', '*', '/', '%', '^', 'atan2'];
const COMPARISON = ['==', '!=', '<', '<=', '>', '>='];
const LABELS = ['job', 'instance', 'mode', 'kind', 'le', '__name__'];
const SELECTORS = [
  'cpu_total',
  'cpu_total{mode="idle"}',
  'cpu_total{instance=~"a|b"}',
  'mem',
  'mem{instance!="a"}',
  'up',
  'gaps',
  'odd',
  'odd{kind=~"nan|flat"}',
  'lat_bucket',
  '{__name__=~"mem|up"}',
  '{instance="a",__name__!~"cpu.*"}',
  'missing',
];

export class QueryGenerator {
  constructor(readonly random: Prng) {}

  query(): string {
    return this.random.int(12) === 0 ? this.scalar(2) : this.vector(3);
  }

  vector(depth: number): string {
    if (depth === 0) return this.selector();
    switch (this.random.int(20)) {
      case 0:
      case 1:
        return this.selector();
      case 2:
      case 3:
      case 4:
      case 5:
        return this.overRange(depth);
      case 6:
      case 7:
      case 8:
        return `${this.pick(AGGREGATES)}${this.grouping()}(${this.vector(depth - 1)})`;
      case 9:
        return this.parameterAggregate(depth);
      case 10:
      case 11:
        return this.withScalar(depth);
      case 12:
      case 13:
        return `(${this.vector(depth - 1)}) ${this.matched(ARITHMETIC)} (${this.vector(depth - 1)})`;
      case 14:
        return `(${this.vector(depth - 1)}) ${this.matched(COMPARISON)} (${this.vector(depth - 1)})`;
      case 15: {
        const on = this.random.int(2) === 0 ? ` on(${this.labels()})` : '';
        return `(${this.vector(depth - 1)}) ${this.pick(['and', 'or', 'unless'])}${on} (${this.vector(depth - 1)})`;
      }
      case 16:
        return `${this.pick(MATH)}(${this.vector(depth - 1)})`;
      default:
        return this.call(depth);
    }
  }

  scalar(depth: number): string {
    switch (depth === 0 ? 0 : this.random.int(6)) {
      case 1:
        return 'time()';
      case 2:
        return `scalar(${this.vector(depth - 1)})`;
      case 3:
        return `(${this.scalar(depth - 1)} ${this.pick(ARITHMETIC)} ${this.scalar(depth - 1)})`;
      case 4:
        return `(${this.scalar(depth - 1)} ${this.pick(COMPARISON)} bool ${this.scalar(depth - 1)})`;
      default:
        return this.pick(['0', '1', '2', '-1', '0.5', '1e9', 'NaN', 'Inf', '100']);
    }
  }

  selector(): string {
    return this.pick(SELECTORS) + this.modifiers();
  }

  private modifiers(): string {
    const seconds = Math.floor(DATA_START_MS / 1000) + this.random.int(4000);
    switch (this.random.int(14)) {
      case 0:
        return ` offset ${this.pick(RANGES)}`;
      case 1:
        return ` offset -${this.pick(RANGES)}`;
      case 2:
        return ` @ ${seconds}`;
      case 3:
        return ` @ ${seconds} offset ${this.pick(RANGES)}`;
      case 4:
        return ` @ ${this.pick(['start', 'end'])}()`;
      default:
        return '';
    }
  }

  private overRange(depth: number): string {
    const range = this.range(depth);
    switch (this.random.int(10)) {
      case 0:
        return `quantile_over_time(${this.scalar(1)}, ${range})`;
      case 1:
        return `predict_linear(${range}, ${this.scalar(0)})`;
      default:
        return `${this.pick(RANGE_FUNCTIONS)}(${range})`;
    }
  }

  private range(depth: number): string {
    if (depth > 1 && this.random.int(4) === 0) {
      const step = this.pick(['', '30s', '1m', '47s', '5m']);
      return `(${this.vector(depth - 2)})[${this.pick(RANGES)}:${step}]${this.modifiers()}`;
    }
    return `${this.pick(SELECTORS)}[${this.pick(RANGES)}]${this.modifiers()}`;
  }

  private parameterAggregate(depth: number): string {
    const input = this.vector(depth - 1);
    switch (this.random.int(5)) {
      case 4:
        return `limit_ratio${this.grouping()}(${this.pick(['0.3', '-0.6', '1', '0', '-2'])}, ${input})`;
      case 0:
        return `quantile${this.grouping()}(${this.scalar(1)}, ${input})`;
      case 1:
        // Computed values may differ in the last digit, which would be another label.
        return `count_values${this.grouping()}("value", ${this.pick(['up', 'odd', 'round(mem / 1e8)'])})`;
      default:
        // Of values without ties: which of equal ones comes first is free.
        return `${this.pick(['topk', 'bottomk'])}${this.grouping()}(${this.pick(['1', '2', '3'])}, ${this.pick(['mem', 'cpu_total', 'rate(cpu_total[5m])'])})`;
    }
  }

  private withScalar(depth: number): string {
    const operators = this.random.int(2) === 0 ? ARITHMETIC : COMPARISON;
    const operator = this.pick(operators) + (operators === COMPARISON && this.random.int(2) === 0 ? ' bool' : '');
    const [vector, scalar] = [`(${this.vector(depth - 1)})`, this.scalar(1)];
    return this.random.int(2) === 0 ? `${vector} ${operator} ${scalar}` : `${scalar} ${operator} ${vector}`;
  }

  private matched(operators: readonly string[]): string {
    const bool = operators === COMPARISON && this.random.int(2) === 0 ? ' bool' : '';
    const matching = this.pick(['', ' on(instance)', ' ignoring(mode)', ' on(job, instance)', ' on()']);
    const group = matching === '' ? '' : this.pick(['', ' group_left()', ' group_right()', ' group_left(job)']);
    return `${this.pick(operators)}${bool}${matching}${group}`;
  }

  private call(depth: number): string {
    const input = this.vector(depth - 1);
    switch (this.random.int(10)) {
      case 0:
        return `clamp(${input}, ${this.scalar(0)}, ${this.scalar(0)})`;
      case 1:
        return `round(${input}, ${this.pick(['0.1', '10', '1'])})`;
      case 2:
        return `label_replace(${input}, "${this.pick(LABELS)}", "$1-x", "instance", "(a|b)")`;
      case 3:
        return `label_join(${input}, "both", "-", "job", "instance")`;
      case 4:
        return `absent(${input})`;
      case 5:
        return `timestamp(${input})`;
      case 6:
        return `histogram_quantile(${this.scalar(1)}, ${this.random.int(2) === 0 ? input : 'rate(lat_bucket[5m])'})`;
      case 7:
        return `${this.pick(CALENDAR)}(${this.random.int(3) === 0 ? '' : input})`;
      case 8:
        return `vector(${this.scalar(1)})`;
      default:
        return `-(${input})`;
    }
  }

  private grouping(): string {
    return this.random.int(4) === 0 ? '' : ` ${this.pick(['by', 'without'])} (${this.labels()}) `;
  }

  private labels(): string {
    return LABELS.filter(() => this.random.int(4) === 0).join(', ');
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.random.int(from.length)]!;
  }
}
