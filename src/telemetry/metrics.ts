// Our own metrics: what /metrics shows about this process.
//
// A metric is a handle with plain number fields, so that counting costs an addition:
//
//   const scrapes = registry.counter('prometheus_target_scrapes_total', 'Scrapes done.');
//   scrapes.value++;
//
// Numbers that live elsewhere (a shard, the log thread, /proc) are collected when
// the page is rendered: see `collect`. Rendering to bytes is in exposition.ts.

import { type Clock, realClock } from '../base/clock.js';
import { compareLabels, compareStrings, type Labels } from '../model/labels.js';
import { formatFloat } from './format.js';
import { Summary, type SummaryOptions } from './summary.js';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

/** One line of a family: the name with its suffix, label names and values in turn, the number. */
export interface Point {
  readonly suffix: '' | '_bucket' | '_sum' | '_count';
  readonly labels: Labels;
  readonly value: number;
}

/** Something that can say its points: a metric without the labels of its family. */
export interface Metric {
  points(labels: Labels): Iterable<Point>;
}

/** Only ever goes up. */
export class Counter implements Metric {
  value = 0;

  points(labels: Labels): Point[] {
    return [{ suffix: '', labels, value: this.value }];
  }
}

export class Gauge implements Metric {
  value = 0;

  points(labels: Labels): Point[] {
    return [{ suffix: '', labels, value: this.value }];
  }
}

/** Client libraries' usual bounds, for durations in seconds. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** `count` upper bounds, each `factor` times the one before. */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start * factor ** index);
}

/** A classic histogram: counts below upper bounds. */
export class Histogram implements Metric {
  sum = 0;
  /** By bucket, not cumulative; the last is above all bounds. */
  readonly #counts: Float64Array;
  readonly #bounds: readonly number[];

  /** `bounds` increase; +Inf is understood. */
  constructor(bounds: readonly number[] = DEFAULT_BUCKETS) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.#bounds.length && value > this.#bounds[index]!) index++;
    this.#counts[index]!++;
    this.sum += value;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  *points(labels: Labels): Generator<Point> {
    let cumulative = 0;
    for (let index = 0; index <= this.#bounds.length; index++) {
      cumulative += this.#counts[index]!;
      const bound = index < this.#bounds.length ? formatFloat(this.#bounds[index]!) : '+Inf';
      yield { suffix: '_bucket', labels: [...labels, 'le', bound], value: cumulative };
    }
    yield { suffix: '_sum', labels, value: this.sum };
    yield { suffix: '_count', labels, value: cumulative };
  }
}

/** The metrics of one name, one by each set of label values. */
export class Family<M extends Metric> {
  readonly #names: readonly string[];
  readonly #create: () => M;
  readonly #metrics = new Map<string, { labels: Labels; metric: M }>();

  constructor(names: readonly string[], create: () => M) {
    this.#names = names;
    this.#create = create;
  }

  /** The metric with these values, in the order of the label names; made at first. Keep the handle where it is hot. */
  with(...values: string[]): M {
    const key = this.#key(values);
    let entry = this.#metrics.get(key);
    if (entry === undefined) {
      entry = { labels: pair(this.#names, values), metric: this.#create() };
      this.#metrics.set(key, entry);
    }
    return entry.metric;
  }

  /** Forgets a metric whose subject is gone: a pool, a remote, a rule group. */
  remove(...values: string[]): void {
    this.#metrics.delete(this.#key(values));
  }

  clear(): void {
    this.#metrics.clear();
  }

  *points(): Generator<Point> {
    const sorted = [...this.#metrics.values()].sort((a, b) => compareLabels(a.labels, b.labels));
    for (const { labels, metric } of sorted) yield* metric.points(labels);
  }

  #key(values: readonly string[]): string {
    if (values.length !== this.#names.length) {
      throw new Error(`metric wants ${this.#names.length} label values (${this.#names}), got ${values.length}`);
    }
    // Lengths in front, so that no value can look like two.
    return values.map((value) => `${value.length}:${value}`).join('');
  }
}

/** What a collected family answers: one number, or numbers with label values in the order of the label names. */
export type Collected = number | Iterable<readonly [values: readonly string[], value: number]>;

export interface CollectOptions {
  readonly type: 'counter' | 'gauge' | 'untyped';
  readonly labels?: readonly string[];
}

/** A name with its help, type and points, as the page shows it. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  points(): Iterable<Point>;
}

/** All metrics of a process. Names are registered once; registering one again is a mistake of ours and throws. */
export class Registry {
  readonly #families = new Map<string, MetricFamily>();
  readonly #clock: Clock;

  constructor(clock: Clock = realClock) {
    this.#clock = clock;
  }

  counter(name: string, help: string): Counter {
    return this.counters(name, help).with();
  }

  counters(name: string, help: string, ...labels: string[]): Family<Counter> {
    return this.#family(name, help, 'counter', labels, () => new Counter());
  }

  gauge(name: string, help: string): Gauge {
    return this.gauges(name, help).with();
  }

  gauges(name: string, help: string, ...labels: string[]): Family<Gauge> {
    return this.#family(name, help, 'gauge', labels, () => new Gauge());
  }

  histogram(name: string, help: string, bounds: readonly number[] = DEFAULT_BUCKETS): Histogram {
    return this.histograms(name, help, bounds).with();
  }

  histograms(
    name: string,
    help: string,
    bounds: readonly number[] = DEFAULT_BUCKETS,
    ...labels: string[]
  ): Family<Histogram> {
    return this.#family(name, help, 'histogram', labels, () => new Histogram(bounds));
  }

  summary(name: string, help: string, options: SummaryOptions = {}): Summary {
    return this.summaries(name, help, options).with();
  }

  summaries(name: string, help: string, options: SummaryOptions = {}, ...labels: string[]): Family<Summary> {
    return this.#family(name, help, 'summary', labels, () => new Summary(this.#clock, options));
  }

  /** A family whose numbers live elsewhere: `read` is called each time the page is rendered. */
  collect(name: string, help: string, options: CollectOptions, read: () => Collected): void {
    const names = options.labels ?? [];
    const points = (): Iterable<Point> => {
      const collected = read();
      if (typeof collected === 'number') return [{ suffix: '', labels: [], value: collected }];
      return Array.from(
        collected,
        ([values, value]): Point => ({ suffix: '', labels: pair(names, values), value }),
      ).sort((a, b) => compareLabels(a.labels, b.labels));
    };
    this.#register({ name, help, type: options.type, points });
  }

  /** By name. */
  families(): MetricFamily[] {
    return [...this.#families.values()].sort((a, b) => compareStrings(a.name, b.name));
  }

  #family<M extends Metric>(
    name: string,
    help: string,
    type: MetricType,
    labels: readonly string[],
    create: () => M,
  ): Family<M> {
    const family = new Family(labels, create);
    this.#register({ name, help, type, points: () => family.points() });
    return family;
  }

  #register(family: MetricFamily): void {
    if (this.#families.has(family.name)) throw new Error(`metric ${family.name} is registered twice`);
    this.#families.set(family.name, family);
  }
}

/** Names and values in turn, by name. */
function pair(names: readonly string[], values: readonly string[]): Labels {
  const pairs = names.map((name, index) => [name, values[index] ?? ''] as const);
  return pairs.sort(([a], [b]) => compareStrings(a, b)).flat();
}
