// What a server gives for a time: a token, keys. It is asked for anew some time before that ends.

import type { Clock } from './clock.js';

export interface Lease<T> {
  readonly value: T;
  /** Wall-clock ms; Infinity where it does not end. */
  readonly untilMs: number;
}

export class Leased<T> {
  readonly #clock: Clock;
  readonly #earlyMs: number;
  readonly #ask: () => Promise<Lease<T>>;
  #lease: Lease<T> | undefined;
  /** While it is asked for: who comes meanwhile waits for the same answer. */
  #asking: Promise<Lease<T>> | undefined;

  constructor(clock: Clock, earlyMs: number, ask: () => Promise<Lease<T>>) {
    this.#clock = clock;
    this.#earlyMs = earlyMs;
    this.#ask = ask;
  }

  /** Rejects as asking does; then the next call asks again. */
  async get(): Promise<T> {
    if (this.#lease !== undefined && this.#clock.nowMs() <= this.#lease.untilMs - this.#earlyMs) {
      return this.#lease.value;
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    this.#lease = await this.#asking;
    return this.#lease.value;
  }

  /** It was revoked before its time. */
  drop(): void {
    this.#lease = undefined;
  }
}
