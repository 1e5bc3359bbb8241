// Answers of an expression at many times, asked for some hundred steps at once: it reads nothing that comes of itself.

import type { Ending } from '../../base/ending.js';
import { FLOAT, HISTOGRAM, type Steps } from '../../promql/exec/source.js';
import type { QueryAnswer } from '../../query/result.js';
import type { QueryOptions } from '../../query/running.js';
import { type InstantQueries, type VectorSample, vectorOf } from '../query.js';

/** As much of the query engine as dry runs need. */
export interface RangeQueries extends InstantQueries {
  range(text: string, steps: Steps, options: QueryOptions): Promise<QueryAnswer>;
}

const STEPS = 256;
/** Their answers depend on where a query begins and ends. */
const ENDS = /\b(?:start|end|range|step)\s*\(\s*\)/;

type Vectors = { readonly steps: Steps; readonly at: readonly (readonly VectorSample[])[] };

export class Ahead {
  readonly #engine: RangeQueries;
  readonly #endMs: number;
  readonly #signal: Ending;
  /** By expression: the steps that were asked for last. */
  readonly #vectors = new Map<string, Promise<Vectors>>();

  constructor(engine: RangeQueries, { endMs, signal }: { readonly endMs: number; readonly signal: Ending }) {
    this.#engine = engine;
    this.#endMs = endMs;
    this.#signal = signal;
  }

  /** What an instant query gives. Rejects as it does. */
  async at(expr: string, timeMs: number, stepMs: number): Promise<readonly VectorSample[]> {
    if (ENDS.test(expr)) return this.#instant(expr, timeMs);
    const key = `${stepMs} ${expr}`;
    const known = await this.#vectors.get(key);
    const index = known === undefined ? -1 : (timeMs - known.steps.startMs) / stepMs;
    const vector = Number.isInteger(index) ? known?.at[index] : undefined;
    if (vector !== undefined) return vector;
    const count = Math.max(1, Math.min(STEPS, Math.floor((this.#endMs - timeMs) / stepMs) + 1));
    const asked = this.#ask(expr, { startMs: timeMs, stepMs, count });
    this.#vectors.set(key, asked);
    // What fails as a whole may be good at this time, or say better what is wrong.
    const vectors = await asked.catch(() => undefined);
    if (vectors !== undefined) return vectors.at[0]!;
    this.#vectors.delete(key);
    return this.#instant(expr, timeMs);
  }

  async #instant(expr: string, timeMs: number): Promise<readonly VectorSample[]> {
    const { data, free } = await this.#engine.instant(expr, timeMs, { signal: this.#signal });
    const vector = vectorOf(data);
    free?.();
    return vector;
  }

  async #ask(expr: string, steps: Steps): Promise<Vectors> {
    const { data, free } = await this.#engine.range(expr, steps, { signal: this.#signal });
    if (data.kind !== 'range') throw new Error('rule result is not a vector or scalar');
    const { labels, present, values, histograms } = data.columns;
    const at = Array.from({ length: steps.count }, (): VectorSample[] => []);
    labels.forEach((ofRow, row) => {
      at.forEach((vector, step) => {
        const cell = row * steps.count + step;
        if (present[cell] === FLOAT) vector.push({ labels: ofRow, value: values[cell]! });
        if (present[cell] === HISTOGRAM) vector.push({ labels: ofRow, value: 0, histogram: histograms!.get(cell)! });
      });
    });
    free?.();
    return { steps, at };
  }
}
