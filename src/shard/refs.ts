// Refs of new series: from one counter for all shards, taken a range at a time.

/** Refs taken at once: an atomic operation for each would be as good, but leases keep the refs of one target together. */
const LEASE = 1024;

/** Prometheus cannot read refs from here on. */
const REF_MAX = 2 ** 40;

export class Refs {
  readonly #counter: BigInt64Array;
  #next = 0;
  #end = 0;

  /** The counter's value is the highest ref ever given out. */
  constructor(counter: SharedArrayBuffer) {
    this.#counter = new BigInt64Array(counter);
  }

  take(): number {
    if (this.#next === this.#end) {
      this.#next = Number(Atomics.add(this.#counter, 0, BigInt(LEASE))) + 1;
      this.#end = this.#next + LEASE;
      if (this.#end > REF_MAX) throw new Error('all series refs are used up');
    }
    return this.#next++;
  }

  /** The next take() gives the same ref again. */
  giveBack(): void {
    this.#next--;
  }
}
