// How many samples a query may hold in memory at a time.

import { QueryError } from '../promql/errors.js';

export class SampleBudget {
  readonly #most: number;
  #held = 0;
  #peak = 0;
  #total = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The most samples held at a time. */
  get peak(): number {
    return this.#peak;
  }

  /** All samples ever taken. */
  get total(): number {
    return this.#total;
  }

  /** Takes samples, or gives some back where negative. Throws QueryError beyond the limit. */
  charge(samples: number): void {
    this.#held += samples;
    if (samples > 0) this.#total += samples;
    if (this.#held > this.#peak) this.#peak = this.#held;
    if (this.#held > this.#most) {
      throw new QueryError('execution', 'query processing would load too many samples into memory in query execution');
    }
  }
}
