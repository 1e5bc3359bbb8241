// What queries may hold: samples, each query by itself, and memory, each by itself and all
// together.
//
// Memory is counted before it is taken, by whichever thread takes it: the counts are words
// of shared memory, in KiB.
//
//   pool     [ held by all ]
//   query    [ held by this one | STOP_WORD: 1 when it is to stop ]

import { QueryError } from '../promql/errors.js';
import { STOP_WORD } from '../promql/exec/source.js';

export class SampleBudget {
  readonly #most: number;
  #held: number;
  #peak: number;
  #total = 0;

  /** `held`: samples that the query holds already, counted elsewhere. */
  constructor(most: number, held = 0) {
    this.#most = most;
    this.#held = held;
    this.#peak = held;
  }

  get held(): number {
    return this.#held;
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

  /** Takes over what a count of the same query that went on from this one has seen. */
  absorb({ total, peak }: { readonly total: number; readonly peak: number }): void {
    this.#total += total;
    this.#peak = Math.max(this.#peak, peak);
  }
}

/** A limit on memory, and how to call it. */
export interface MemoryLimit {
  readonly bytes: number;
  /** The flag that sets it, as users know it: `--query.max-memory=256MB`. */
  readonly name: string;
}

/** A query's memory as it crosses threads. */
export interface SharedMemoryShare {
  readonly pool: SharedArrayBuffer;
  readonly own: SharedArrayBuffer;
  readonly poolLimit: MemoryLimit;
  readonly ownLimit: MemoryLimit;
}

const UNIT_BYTES = 1024;
const POOL_HELD = 0;
const OWN_HELD = 0;

/** Memory of all running queries. */
export class QueryMemory {
  readonly #pool = new SharedArrayBuffer(4);
  readonly #poolLimit: MemoryLimit;
  readonly #ownLimit: MemoryLimit;

  constructor(poolLimit: MemoryLimit, ownLimit: MemoryLimit) {
    this.#poolLimit = poolLimit;
    this.#ownLimit = ownLimit;
  }

  get usedBytes(): number {
    return Atomics.load(new Int32Array(this.#pool), POOL_HELD) * UNIT_BYTES;
  }

  /** One query's part of it. To be released. */
  open(): MemoryShare {
    return new MemoryShare({ pool: this.#pool, poolLimit: this.#poolLimit, ownLimit: this.#ownLimit });
  }
}

const OWN_BYTES = 8;

/** One query's memory, in any thread that works for it. */
export class MemoryShare {
  readonly #limits: Omit<SharedMemoryShare, 'own'>;
  readonly #pool: Int32Array;
  /** Over memory of this thread until another one wants to see it: shared memory is dear, and small queries stay here. */
  #own: Int32Array;
  #shared: SharedMemoryShare | undefined;
  #isReleased = false;

  /** A new one without `own`. */
  constructor({ own, ...limits }: Omit<SharedMemoryShare, 'own'> & { readonly own?: SharedArrayBuffer }) {
    this.#limits = limits;
    this.#pool = new Int32Array(limits.pool);
    this.#own = own === undefined ? new Int32Array(OWN_BYTES / 4) : new Int32Array(own);
    if (own !== undefined) this.#shared = { ...limits, own };
  }

  /** For another thread. */
  get shared(): SharedMemoryShare {
    if (this.#shared === undefined) {
      const own = new SharedArrayBuffer(OWN_BYTES);
      const words = new Int32Array(own);
      words.set(this.#own);
      this.#own = words;
      this.#shared = { ...this.#limits, own };
    }
    return this.#shared;
  }

  /** Throws QueryError, with nothing taken, where a limit does not allow it. */
  readonly reserve = (bytes: number): void => {
    if (this.#isReleased) throw new QueryError('canceled', 'query has ended');
    const units = Math.ceil(bytes / UNIT_BYTES);
    const { ownLimit, poolLimit } = this.#limits;
    const own = Atomics.load(this.#own, OWN_HELD) + units;
    if (own * UNIT_BYTES > ownLimit.bytes) {
      throw new QueryError('execution', `query would take more memory than one query may: ${ownLimit.name}`);
    }
    const all = Atomics.add(this.#pool, POOL_HELD, units) + units;
    if (all * UNIT_BYTES > poolLimit.bytes) {
      Atomics.sub(this.#pool, POOL_HELD, units);
      throw new QueryError('unavailable', `queries take all the memory that they may together: ${poolLimit.name}`);
    }
    Atomics.add(this.#own, OWN_HELD, units);
  };

  /** Throws the same where there would be no room, and takes nothing. */
  check(bytes: number): void {
    this.reserve(bytes);
    const units = Math.ceil(bytes / UNIT_BYTES);
    Atomics.sub(this.#own, OWN_HELD, units);
    Atomics.sub(this.#pool, POOL_HELD, units);
  }

  /** Gives back all of it. Only once no thread works for the query any more. */
  release(): void {
    this.#isReleased = true;
    Atomics.sub(this.#pool, POOL_HELD, Atomics.exchange(this.#own, OWN_HELD, 0));
  }

  get heldBytes(): number {
    return Atomics.load(this.#own, OWN_HELD) * UNIT_BYTES;
  }

  /** Tells all threads that work for the query to stop. */
  stop(): void {
    Atomics.store(this.#own, STOP_WORD, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#own, STOP_WORD) === 1;
  }
}

function tooManySamples(): QueryError {
  return new QueryError('execution', 'query processing would load too many samples into memory in query execution');
}
