// Series for tests of what storage keeps: one of everything that a format could get wrong.

import { Prng } from '../../src/base/prng.js';
import type { StoredHistogram } from '../../src/model/stored-histogram.js';
import type { Series } from './remote-write.js';
import { generateStored } from './stored-histograms.js';

const QUIET_NAN = 0x7ff8000000000001n;
const STALE = 0x7ff0000000000002n;
/** By turns: what a float can be. */
const SPECIAL: readonly (number | bigint)[] = [
  ...[0, -0, 1.5, QUIET_NAN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, STALE],
  ...[5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 0.1, 2 ** 53, 2 ** 53 + 2, 1e-300],
];

/** A new label set after so many steps. */
const CHURN_STEPS = 90;
const COUNTERS = 20;
const HISTOGRAMS = 4;

/** Writes requests for a row of steps, the same for the same seed. Metrics are called `<prefix>…`. */
export class Fleet {
  readonly #prefix: string;
  readonly #startMs: number;
  readonly #stepMs: number;
  readonly #histograms: readonly (readonly StoredHistogram[])[];

  constructor(prefix: string, startMs: number, stepMs: number, steps: number, seed = 1) {
    this.#prefix = prefix;
    this.#startMs = startMs;
    this.#stepMs = stepMs;
    const random = new Prng(seed);
    this.#histograms = Array.from({ length: HISTOGRAMS }, (_, i) => generateStored(random, i % 2 === 1, steps));
  }

  /** Steps from, up to but not including to. */
  series(from: number, to: number): Series[] {
    const steps = Array.from({ length: to - from }, (_, i) => from + i);
    const at = (step: number) => this.#startMs + step * this.#stepMs;
    const floats = (labels: string[], value: (step: number) => number | bigint): Series => ({
      labels,
      samples: steps.map((step) => [at(step), value(step)]),
    });
    const all: Series[] = [];
    for (let n = 0; n < COUNTERS; n++) {
      const labels = ['__name__', `${this.#prefix}counter`, 'job', n % 2 === 0 ? 'even' : 'odd', 'n', `${n}`];
      all.push(floats(labels, (step) => step * (n + 1)));
    }
    for (const turn of [0, 5]) {
      const labels = ['__name__', `${this.#prefix}special`, 'turn', `${turn}`];
      all.push(floats(labels, (step) => SPECIAL[(step + turn) % SPECIAL.length]!));
    }
    all.push(floats(['__name__', `${this.#prefix}utf8`, 'ž.dotted', 'ů', 'ｚ', '😀'], (step) => step / 7));
    const hourly = steps.filter((step) => step % 61 === 0);
    if (hourly.length > 0) {
      all.push({ labels: ['__name__', `${this.#prefix}sparse`], samples: hourly.map((step) => [at(step), step]) });
    }
    for (const life of new Set(steps.map((step) => Math.floor(step / CHURN_STEPS)))) {
      const inLife = steps.filter((step) => Math.floor(step / CHURN_STEPS) === life);
      const labels = ['__name__', `${this.#prefix}churn`, 'life', `${life}`];
      all.push({ labels, samples: inLife.map((step) => [at(step), step]) });
    }
    for (const [n, histograms] of this.#histograms.entries()) {
      all.push({
        labels: ['__name__', `${this.#prefix}histogram`, 'n', `${n}`],
        samples: [],
        histograms: steps.map((step) => [at(step), histograms[step]!]),
      });
    }
    return all;
  }
}
