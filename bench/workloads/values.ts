// What a series' value is at each step: a function of (seed, series, step), so that no generator keeps state, every
// server gets the same numbers, and a check can compute what a server should hold.
//
// About half of all series do not change from one step to the next, as in real scrapes.

/** How a series behaves. */
export enum Shape {
  /** Always `base`. */
  Constant = 0,
  /** An integer counter: `base + rate·step`, and up to `jitter` more. Never falls. */
  Counter = 1,
  /** A counter of seconds with two decimals. Never falls. */
  Seconds = 2,
  /** Noise over all 53 bits, between a half and one and a half of `base`. */
  Gauge = 3,
}

export interface Behaviour {
  readonly shape: Shape;
  readonly base: number;
  /** Growth per step of a counter: an integer, at least 1. */
  readonly rate: number;
  /** Bound of the noise on a counter: an integer of at most `rate`, or else the counter falls. */
  readonly jitter: number;
  /** Series of the same key have the same noise: the buckets of one histogram. */
  readonly key: number;
}

/** A well spread u32 of two: the finalizer of MurmurHash3 over both. */
export function mix(a: number, b: number): number {
  let hash = (Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The behaviours of many series, in columns. */
export class Values {
  readonly #shape: Uint8Array;
  readonly #base: Float64Array;
  readonly #rate: Float64Array;
  readonly #jitter: Float64Array;
  readonly #key: Uint32Array;

  constructor(readonly count: number) {
    this.#shape = new Uint8Array(count);
    this.#base = new Float64Array(count);
    this.#rate = new Float64Array(count);
    this.#jitter = new Float64Array(count);
    this.#key = new Uint32Array(count);
  }

  set(index: number, { shape, base, rate, jitter, key }: Behaviour): void {
    this.#shape[index] = shape;
    this.#base[index] = base;
    this.#rate[index] = rate;
    this.#jitter[index] = jitter;
    this.#key[index] = key;
  }

  changes(index: number): boolean {
    return this.#shape[index] !== Shape.Constant;
  }

  at(index: number, step: number): number {
    const base = this.#base[index]!;
    switch (this.#shape[index]) {
      case Shape.Counter:
        return base + this.#rate[index]! * step + (mix(this.#key[index]!, step) % this.#jitter[index]!);
      case Shape.Seconds:
        return (base + this.#rate[index]! * step + (mix(this.#key[index]!, step) % this.#jitter[index]!)) / 100;
      case Shape.Gauge:
        return base * (0.5 + mix(this.#key[index]!, step) / 2 ** 32);
      default:
        return base;
    }
  }
}
