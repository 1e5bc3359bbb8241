// How many requests may come: a bucket that holds `burst` of them and fills by one each interval.

import type { RateLimit } from '../../config/web-config.js';

export class RateLimiter {
  readonly #limit: RateLimit;
  #left: number;
  #atMs: number;

  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit;
    this.#left = limit.burst;
    this.#atMs = nowMs;
  }

  /** Takes one from the bucket; false where it is empty. Without a burst it is always. */
  admits(nowMs: number): boolean {
    const filled = (nowMs - this.#atMs) / this.#limit.intervalMs;
    this.#left = Math.min(this.#limit.burst, this.#left + filled);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

/** undefined where all may come. */
export function limiterOf(limit: RateLimit, nowMs: number): RateLimiter | undefined {
  return limit.intervalMs > 0 ? new RateLimiter(limit, nowMs) : undefined;
}
