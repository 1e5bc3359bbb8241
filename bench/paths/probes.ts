// Small queries at a steady pace, as dashboards and alerts ask them: what notices first when a server is busy with something else.

import { pause } from '../bench.js';
import { type Fetched, fetchAll } from '../client.js';
import { PROBES } from '../workloads/heavy-queries.js';

/** A small query begins so often. */
const EVERY_MS = 50;

export class Probes {
  /** Milliseconds of each that has an answer or failed. */
  readonly times: number[] = [];
  failures = 0;
  /** What the last that failed said. */
  failure = '';
  readonly #url: string;
  readonly #instance: string;
  #stopped = false;

  /** `instance`: one of the instances that are scraped. */
  constructor(url: string, instance: string) {
    this.#url = url;
    this.#instance = instance;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Until they are stopped, whether or not the one before has been answered. */
  async run(): Promise<void> {
    const open: Promise<void>[] = [];
    for (let at = 0; !this.#stopped; at++) {
      open.push(this.#once(PROBES[at % PROBES.length]!.replaceAll('INSTANCE', this.#instance)));
      await pause(EVERY_MS);
    }
    await Promise.all(open);
  }

  async #once(expression: string): Promise<void> {
    const path = `/api/v1/query?${new URLSearchParams({ query: expression })}`;
    const { status, totalMs, body } = await ask(this.#url + path, true);
    this.times.push(totalMs);
    if (status === 200) return;
    this.failures++;
    this.failure = `${status} ${body.toString().slice(0, 200)}`;
  }
}

/** Status 0 where the connection ended. Bodies are dropped as they come, but for `kept` ones. */
export async function ask(url: string, kept = false): Promise<Fetched> {
  const started = performance.now();
  try {
    return await fetchAll(url, kept ? undefined : () => {});
  } catch (error) {
    const totalMs = performance.now() - started;
    return { status: 0, body: Buffer.from(String(error)), firstByteMs: totalMs, totalMs };
  }
}
