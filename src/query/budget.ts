// What queries may hold: samples, each query by itself, and memory, all together.

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
    if (this.#held > this.#most) throw tooManySamples();
  }
}

/** Memory for the columns of all running queries. */
export class ColumnMemory {
  readonly #most: number;
  #used = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  get used(): number {
    return this.#used;
  }

  /** One query's part of it. */
  open(): Reservation {
    let own = 0;
    return {
      reserve: (bytes) => {
        if (this.#used + bytes > this.#most) throw tooManySamples();
        this.#used += bytes;
        own += bytes;
      },
      release: () => {
        this.#used -= own;
        own = 0;
      },
    };
  }
}

export interface Reservation {
  /** Throws QueryError where there is no room. */
  reserve(bytes: number): void;
  /** Gives back all of it. */
  release(): void;
}

function tooManySamples(): QueryError {
  return new QueryError('execution', 'query processing would load too many samples into memory in query execution');
}
