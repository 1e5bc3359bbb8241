// A data directory's story: what goes into it, step after step, whoever serves it, and what must be there then.

import assert from 'node:assert/strict';
import { Ledger } from './ledger.js';
import { Fleet } from './ledger-fleet.js';
import { RemoteWriter } from './remote-write.js';
import type { Metric, Server } from './servers.js';

/** Of the metrics of stories. */
export const PREFIX = 'wb_';
export const STEP_MS = 60_000;
/** Steps in one write request, where it is not said. */
const REQUEST_STEPS = 15;

/** What goes into a directory, step after step, whoever serves it. */
export class Story {
  readonly ledger = new Ledger();
  readonly startMs: number;
  readonly steps: number;
  readonly #fleet: Fleet;
  #done = 0;

  constructor(startMs: number) {
    this.startMs = startMs;
    this.steps = Math.floor((Date.now() - startMs) / STEP_MS);
    this.#fleet = new Fleet(PREFIX, startMs, STEP_MS, this.steps);
  }

  async write(server: Server, steps: number, requestSteps = REQUEST_STEPS): Promise<void> {
    const writer = new RemoteWriter(server.url);
    const end = Math.min(this.steps, this.#done + steps);
    while (this.#done < end) {
      const to = Math.min(end, this.#done + requestSteps);
      const series = this.#fleet.series(this.#done, to);
      const { status, text } = await writer.write(series);
      assert.ok(status === 204 || status === 200, `${status} ${text}`);
      this.ledger.note(series);
      this.#done = to;
    }
    writer.close();
  }

  /** Deletes what has the label, from one step to another, both included. */
  async delete(server: Server, metric: string, name: string, value: string, from: number, to: number): Promise<void> {
    const [fromMs, toMs] = [this.startMs + from * STEP_MS, this.startMs + to * STEP_MS];
    const match = `{__name__="${PREFIX}${metric}",${name}="${value}"}`;
    await deleteSeries(server, match, fromMs, toMs);
    const isMeant = (one: Metric) => one.__name__ === PREFIX + metric && one[name] === value;
    this.ledger.delete(isMeant, fromMs, toMs);
  }

  check(server: Server, who: string): Promise<void> {
    return this.ledger.check(server.url, PREFIX, who);
  }
}

export async function deleteSeries({ url }: Server, match: string, fromMs: number, toMs: number): Promise<void> {
  const params = new URLSearchParams({ 'match[]': match, start: String(fromMs / 1000), end: String(toMs / 1000) });
  const answer = await fetch(`${url}/api/v1/admin/tsdb/delete_series?${params}`, { method: 'POST' });
  assert.equal(answer.status, 204, await answer.text());
}
