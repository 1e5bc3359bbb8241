// Summaries: quantiles of what was observed lately.
//
// Observations fall into buckets whose bounds grow by a fixed factor (DDSketch:
// Masson, Rim, Lee, VLDB 2019), so a quantile is right within half a percent and
// a sketch of durations holds a few hundred buckets however many there were. A
// bucket keeps its sum, so where all observations are alike the answer is exact.
//
// Lately means the last ten minutes: a ring of sketches, of which the oldest is
// thrown away every two minutes. That is what Prometheus's own summaries do.

import type { Clock } from '../base/clock.js';
import type { Labels } from '../model/labels.js';
import { formatFloat } from './format.js';
import type { Metric, Point } from './metrics.js';

export interface SummaryOptions {
  readonly quantiles?: readonly number[];
  readonly maxAgeMs?: number;
}

export const DEFAULT_QUANTILES: readonly number[] = [0.5, 0.9, 0.99];

const MAX_AGE_MS = 600_000;
const AGES = 5;
const GROWTH = 1.01;

interface Bucket {
  count: number;
  sum: number;
}

export class Summary implements Metric {
  sum = 0;
  count = 0;
  readonly #clock: Clock;
  readonly #quantiles: readonly number[];
  readonly #ageMs: number;
  /** Newest last. */
  #sketches: Sketch[] = [new Sketch()];
  #turnAtMs: number;

  constructor(clock: Clock, options: SummaryOptions = {}) {
    this.#clock = clock;
    this.#quantiles = options.quantiles ?? DEFAULT_QUANTILES;
    this.#ageMs = (options.maxAgeMs ?? MAX_AGE_MS) / AGES;
    this.#turnAtMs = clock.monotonicMs() + this.#ageMs;
  }

  observe(value: number): void {
    this.#turn();
    this.sum += value;
    this.count++;
    this.#sketches.at(-1)!.add(value);
  }

  /** NaN where nothing was observed lately. */
  quantile(q: number): number {
    this.#turn();
    return quantileOf(merge(this.#sketches), q);
  }

  *points(labels: Labels): Generator<Point> {
    this.#turn();
    const merged = merge(this.#sketches);
    for (const q of this.#quantiles) {
      yield { suffix: '', labels: [...labels, 'quantile', formatFloat(q)], value: quantileOf(merged, q) };
    }
    yield { suffix: '_sum', labels, value: this.sum };
    yield { suffix: '_count', labels, value: this.count };
  }

  #turn(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#turnAtMs) return;
    const turns = 1 + Math.floor((nowMs - this.#turnAtMs) / this.#ageMs);
    for (let i = 0; i < Math.min(turns, AGES); i++) this.#sketches.push(new Sketch());
    this.#sketches = this.#sketches.slice(-AGES);
    this.#turnAtMs += turns * this.#ageMs;
  }
}

/** Counts by the power of GROWTH; the sign is part of the key, so that keys order as values do. */
class Sketch {
  readonly buckets = new Map<number, Bucket>();

  add(value: number): void {
    if (Number.isNaN(value)) return;
    const key = keyOf(value);
    const bucket = this.buckets.get(key);
    if (bucket === undefined) this.buckets.set(key, { count: 1, sum: value });
    else {
      bucket.count++;
      bucket.sum += value;
    }
  }
}

/** Far from any power a finite double needs (±71,500), so that the two halves do not meet. */
const HALF = 200_000;
/** Values nearer to zero than this are alike: a duration below a picosecond. */
const TINY = 1e-12;

function keyOf(value: number): number {
  const size = Math.abs(value);
  if (size < TINY) return 0;
  const power = Math.ceil(Math.log(Math.min(size, Number.MAX_VALUE)) / Math.log(GROWTH));
  return value > 0 ? HALF + power : -HALF - power;
}

interface Merged {
  /** By their value, rising. */
  readonly buckets: readonly Bucket[];
  readonly total: number;
}

function merge(sketches: readonly Sketch[]): Merged {
  const merged = new Map<number, Bucket>();
  let total = 0;
  for (const { buckets } of sketches) {
    for (const [key, { count, sum }] of buckets) {
      total += count;
      const bucket = merged.get(key);
      if (bucket === undefined) merged.set(key, { count, sum });
      else {
        bucket.count += count;
        bucket.sum += sum;
      }
    }
  }
  const keys = Int32Array.from(merged.keys()).sort();
  return { buckets: Array.from(keys, (key) => merged.get(key)!), total };
}

function quantileOf({ buckets, total }: Merged, q: number): number {
  let rank = Math.max(1, Math.ceil(q * total));
  for (const { count, sum } of buckets) {
    if (rank <= count) return sum / count;
    rank -= count;
  }
  return Number.NaN;
}
