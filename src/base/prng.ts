// The door to randomness: seeds from the system, and a generator that a seed replays.

import { randomBytes } from 'node:crypto';

/** `count` bytes nobody can guess. */
export function secretBytes(count: number): Uint8Array {
  return new Uint8Array(randomBytes(count));
}

/** Numbers that a seed determines: for tests, simulations and workloads. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  /** sfc32 (Chris Doty-Humphrey, PractRand), seeded by one number. */
  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    for (let i = 0; i < 15; i++) this.u32();
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#d) >>> 0;
    this.#d = (this.#d + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }

  /** In [0, 1). */
  float(): number {
    return this.u32() / 2 ** 32;
  }

  /** An integer in [0, below). */
  int(below: number): number {
    return Math.floor(this.float() * below);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!;
  }
}
