// Load for tests that end servers: senders that write batch after batch by remote write, and know what was acknowledged.
//
// Each sender has series of its own: a batch is one sample for each of them, all with the same time and with the batch's number as
// value. So a ledger of numbers says what must be there. Now and then it goes on with new series, so kills meet their
// making, too.

import assert from 'node:assert/strict';
import { BatchBody, RemoteWriter } from './remote-write.js';
import { instant, raw, sleep } from './servers.js';

const HOUR_MS = 3_600_000;
/** How soon a sender that was turned away comes again. */
const AGAIN_MS = 20;

export interface SenderOptions {
  readonly id: number;
  /** In each batch. */
  readonly series: number;
  /** Series live for this many batches. */
  readonly lifeBatches: number;
  /** The time of the next batch, later than that of the one before. */
  readonly nextMs: (beforeMs: number) => number;
}

interface Batch {
  readonly timeMs: number;
  readonly value: number;
}

/** One connection's batches: those that were acknowledged, and those nobody knows about, until a look tells. */
export class Sender {
  readonly id: number;
  readonly #options: SenderOptions;
  #body: BatchBody | undefined;
  /** Must be there. */
  readonly acknowledged: Batch[] = [];
  /** Sent, no answer. */
  unknown: Batch[] = [];
  /** Batches that were answered with 503. */
  refused = 0;
  /** Ends run() with the batch under way. */
  stopped = false;
  #timeMs = 0;
  #value = 0;

  constructor(options: SenderOptions) {
    this.id = options.id;
    this.#options = options;
  }

  #encode({ timeMs, value }: Batch): Buffer {
    const { series, lifeBatches } = this.#options;
    if (this.#body === undefined || value % lifeBatches === 0) {
      const life = `${Math.floor(value / lifeBatches)}`;
      this.#body = new BatchBody(
        Array.from({ length: series }, (_, n) => [
          ...['__name__', 'batch', 'life', life, 'n', `${n}`, 'sender', `${this.id}`],
        ]),
      );
    }
    return this.#body.with(timeMs, value);
  }

  /** Sends one batch after the other until the server is gone, or it is stopped. */
  async run(url: string): Promise<void> {
    const writer = new RemoteWriter(url);
    try {
      while (!this.stopped) {
        this.#timeMs = this.#options.nextMs(this.#timeMs);
        const batch = { timeMs: this.#timeMs, value: ++this.#value };
        this.unknown.push(batch);
        const { status, text } = await writer.send(this.#encode(batch));
        if (status === 503) {
          this.refused++;
          await sleep(AGAIN_MS);
          continue;
        }
        assert.equal(status, 204, text);
        this.unknown.pop();
        this.acknowledged.push(batch);
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    } finally {
      writer.close();
    }
  }

  /** What a server shows must be every acknowledged batch, whole, and of the unknown ones each wholly or not. */
  async check(url: string, rangeMs = HOUR_MS): Promise<number> {
    const at = this.#timeMs / 1000 + 1;
    const found = await this.#samples(url, rangeMs);
    const isInRange = ({ timeMs }: Batch) => timeMs > at * 1000 - rangeMs;
    const acknowledged = this.acknowledged.filter(isInRange);
    for (const { timeMs, value } of acknowledged) {
      assert.equal(found.get(timeMs), value, `sender ${this.id}: acknowledged batch ${value} is not there`);
    }
    const survived = this.unknown.filter(({ timeMs, value }) => found.get(timeMs) === value);
    assert.equal(found.size, acknowledged.length + survived.length, `sender ${this.id}: samples never sent`);
    // All other series have the same: their samples are as many, and their values add up to the same.
    const values = [...found.values()];
    const sum = values.reduce((total, value) => total + value, 0);
    for (const [query, want] of [
      ['sum by (n) (count_over_time(SELECTOR))', values.length],
      ['sum by (n) (sum_over_time(SELECTOR))', sum],
      ['max by (n) (max_over_time(SELECTOR))', values.reduce((most, value) => Math.max(most, value), 0)],
    ] as const) {
      const series = await instant(url, query.replace('SELECTOR', `batch{sender="${this.id}"}[${rangeMs}ms]`), at);
      const wrong = series.filter(({ value }) => Number(value[1]) !== want);
      assert.deepEqual(wrong.slice(0, 3), [], `sender ${this.id}: ${query} of ${wrong.length} numbers is not ${want}`);
      assert.equal(series.length, found.size === 0 ? 0 : this.#options.series, `sender ${this.id}: series`);
    }
    return survived.length;
  }

  /** Whether unknown batches survived is settled by a restart: what is there stays. */
  async settle(url: string, rangeMs = HOUR_MS): Promise<void> {
    const times = await this.#samples(url, rangeMs);
    this.acknowledged.push(...this.unknown.filter(({ timeMs }) => times.has(timeMs)));
    this.unknown = [];
  }

  /** The samples of one series of each life: values by time. */
  async #samples(url: string, rangeMs: number): Promise<Map<number, number>> {
    const lives = await raw(url, `batch{sender="${this.id}",n="0"}[${rangeMs}ms]`, this.#timeMs / 1000 + 1);
    const samples = lives.flatMap(({ values }) => values);
    const found = new Map(samples.map(([seconds, value]) => [Math.round(seconds * 1000), Number(value)]));
    assert.equal(found.size, samples.length, `sender ${this.id}: two samples at one time`);
    return found;
  }
}
