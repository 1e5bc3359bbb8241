// How many exemplars each shard may keep: all shards together keep `max`, the newest. Main only counts.
//
//   oldest                                          newest
//   │ shard 0: 12 │ shard 1: 3 │ shard 0: 1 │ … │            runs, as the shards said that they took some
//     └─► those that are too many go from here: each shard is told, with its next task, how many of its
//         exemplars are gone, counted from its beginning

/** What a shard is told of its exemplars. */
export interface ExemplarLimits {
  /** Of all shards; 0: none are kept. */
  readonly max: number;
  /** So many of those that the shard took since its beginning are gone. */
  readonly gone: number;
}

/** What a shard has of the log. */
export interface ReplayedExemplars {
  /** f64: the place in the log of each of its exemplars, ascending. */
  readonly places: ArrayBuffer;
  /** So many it took before them are gone. */
  readonly gone: number;
}

interface Run {
  readonly shard: number;
  count: number;
}

/** Runs that are used up are cut off once they are so many. */
const USED_MAX = 1000;

export class ExemplarBook {
  #runs: Run[] = [];
  /** Runs before this one are used up. */
  #front = 0;
  #size = 0;
  #max: number;
  readonly #gone: number[];

  constructor(shards: number, max: number) {
    this.#gone = new Array<number>(shards).fill(0);
    this.#max = max;
  }

  /** Exemplars in all shards. */
  get size(): number {
    return this.#size;
  }

  get max(): number {
    return this.#max;
  }

  setMax(max: number): void {
    this.#max = max;
    this.#trim();
  }

  limitsOf(shard: number): ExemplarLimits {
    return { max: this.#max, gone: this.#gone[shard]! };
  }

  /** A shard has taken so many more. */
  note(shard: number, count: number): void {
    if (count === 0) return;
    const last = this.#runs.length > this.#front ? this.#runs.at(-1) : undefined;
    if (last?.shard === shard) last.count += count;
    else this.#runs.push({ shard, count });
    this.#size += count;
    this.#trim();
  }

  /** All shards have read the log. */
  restore(shards: readonly ReplayedExemplars[]): void {
    const order = shards.flatMap(({ places, gone }, shard) => {
      this.#gone[shard] = gone;
      return Array.from(new Float64Array(places), (place) => ({ place, shard }));
    });
    for (const { shard } of order.sort((a, b) => a.place - b.place)) this.note(shard, 1);
  }

  /** A shard was made again: what it has are the newest of those it had, and maybe older ones. It counts from its beginning again. */
  rejoin(shard: number, { places, gone }: ReplayedExemplars): void {
    const count = places.byteLength / Float64Array.BYTES_PER_ELEMENT;
    const known = this.#runs.slice(this.#front).reduce((sum, run) => sum + (run.shard === shard ? run.count : 0), 0);
    this.#gone[shard] = gone + Math.max(0, count - known);
    let lost = Math.max(0, known - count);
    this.#size -= lost;
    for (let i = this.#front; lost > 0; i++) {
      const run = this.#runs[i]!;
      if (run.shard !== shard) continue;
      const less = Math.min(run.count, lost);
      run.count -= less;
      lost -= less;
    }
  }

  #trim(): void {
    while (this.#size > this.#max) {
      const run = this.#runs[this.#front]!;
      const less = Math.min(run.count, this.#size - this.#max);
      run.count -= less;
      this.#size -= less;
      this.#gone[run.shard]! += less;
      if (run.count === 0) this.#front++;
    }
    if (this.#front < USED_MAX) return;
    this.#runs.splice(0, this.#front);
    this.#front = 0;
  }
}
