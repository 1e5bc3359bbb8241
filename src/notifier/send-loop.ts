// One Alertmanager: alerts wait here and leave in batches, one request at a time.
//
//   add ──► queue ──up to a batch──► POST /api/v2/alerts
//             │ full: the oldest go
//
// What fails is not sent again from here: rules tell of every alert that fires, or has just
// been resolved, once a minute. So an Alertmanager that comes back hears of all of them.

import type { Clock } from '../base/clock.js';
import { HttpError, type HttpSender } from '../base/http.js';
import type { Logger } from '../telemetry/log.js';
import type { NotifierMetrics } from './metrics.js';
import type { OutgoingAlert } from './outgoing.js';

export interface SendLoopOptions {
  readonly url: string;
  readonly client: HttpSender;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: NotifierMetrics;
  /** Of one request. */
  readonly timeoutMs: number;
  /** Alerts. */
  readonly capacity: number;
  readonly batchSize: number;
  readonly userAgent: string;
}

/** At the end nobody waits longer for all that is left. */
export const DRAIN_MS = 30_000;

export class SendLoop {
  readonly #options: SendLoopOptions;
  #queue: OutgoingAlert[] = [];
  #isSending = false;
  /** Settles when nothing is under way any more. */
  #sending = Promise.resolve();
  /** When sending ends for good, by the monotonic clock; undefined while it goes on. */
  #endMs: number | undefined;

  constructor(options: SendLoopOptions) {
    this.#options = options;
    options.metrics.add(options.url);
  }

  add(alerts: readonly OutgoingAlert[]): void {
    if (this.#endMs !== undefined) return;
    const { capacity, log } = this.#options;
    for (const alert of alerts) this.#queue.push(alert);
    const excess = this.#queue.length - capacity;
    if (excess > 0) {
      log.warn('Alert notification queue full, dropping alerts', { count: excess });
      this.#take(excess);
      this.#drop(excess);
    }
    this.#tellLength();
    if (!this.#isSending) this.#sending = this.#send();
  }

  /** Ends when what waits is sent, or cannot be, or at once. Nothing is sent after it resolves. */
  async stop(drains: boolean): Promise<void> {
    const { clock, client, log, metrics, url } = this.#options;
    this.#endMs = clock.monotonicMs() + (drains ? DRAIN_MS : 0);
    const deadline = clock.after(drains ? DRAIN_MS : 0, () => client.close());
    await this.#sending;
    deadline.cancel();
    const left = this.#queue.length;
    if (left > 0) {
      log.warn('Alert notification queue not drained on shutdown, dropping alerts', { count: left });
      this.#take(left);
      this.#drop(left);
    }
    client.close();
    metrics.remove(url);
  }

  async #send(): Promise<void> {
    const { clock, batchSize } = this.#options;
    this.#isSending = true;
    while (this.#queue.length > 0) {
      if (this.#endMs !== undefined && clock.monotonicMs() >= this.#endMs) break;
      const batch = this.#take(batchSize);
      this.#tellLength();
      const isSent = await this.#post(batch);
      if (isSent) continue;
      this.#drop(batch.length);
      // Who does not answer at the end will not answer for the rest.
      if (this.#endMs !== undefined) break;
    }
    this.#isSending = false;
  }

  async #post(batch: readonly OutgoingAlert[]): Promise<boolean> {
    const { url, client, clock, timeoutMs, metrics, log, userAgent } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      const body = Buffer.from(`[${batch.map(({ json }) => json).join(',')}]`);
      const headers = [
        ['User-Agent', userAgent],
        ['Content-Type', 'application/json'],
      ] as const;
      const answer = await client.send({ url, method: 'POST', headers, body }, { timeoutMs, sink: NOWHERE, wantsBody });
      if (answer.status < 200 || answer.status >= 300) {
        throw new HttpError('protocol', `bad response status ${answer.statusText}`);
      }
    } catch (error) {
      metrics.errors.with(url).value += batch.length;
      log.error('Error sending alerts', { alertmanager: url, count: batch.length, err: error as Error });
      return false;
    }
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    metrics.latency.with(url).observe(seconds);
    metrics.latencies.with(url).observe(seconds);
    metrics.sent.with(url).value += batch.length;
    return true;
  }

  /** The oldest. */
  #take(count: number): OutgoingAlert[] {
    return this.#queue.splice(0, count);
  }

  #drop(count: number): void {
    this.#options.metrics.dropped.with(this.#options.url).value += count;
  }

  #tellLength(): void {
    this.#options.metrics.queueLength.with(this.#options.url).value = this.#queue.length;
  }
}

/** What Alertmanager says beside its status is of no interest. */
const NOWHERE = { reserve: () => undefined };
const wantsBody = (): boolean => false;
