// Our own metrics about requests, with Prometheus's names and bounds.

import type { Counter, Family, Histogram, Registry } from '../telemetry/metrics.js';
import { exponentialBuckets } from '../telemetry/metrics.js';

const DURATION_BOUNDS = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120];
const SIZE_BOUNDS = exponentialBuckets(100, 10, 8);

export class RequestMetrics {
  readonly federationErrors: Counter;
  readonly federationWarnings: Counter;
  readonly #requests: Family<Counter>;
  readonly #durations: Family<Histogram>;
  readonly #sizes: Family<Histogram>;
  /** The counters by handler and code, so that counting makes no keys. */
  readonly #handlers = new Map<string, HandlerMetrics>();

  constructor(registry: Registry) {
    this.#requests = registry.counters(
      'prometheus_http_requests_total',
      'Counter of HTTP requests.',
      'handler',
      'code',
    );
    this.#durations = registry.histograms(
      'prometheus_http_request_duration_seconds',
      'Histogram of latencies for HTTP requests.',
      DURATION_BOUNDS,
      'handler',
    );
    this.#sizes = registry.histograms(
      'prometheus_http_response_size_bytes',
      'Histogram of response size for HTTP requests.',
      SIZE_BOUNDS,
      'handler',
    );
    const sending = 'that occurred while sending federation responses.';
    this.federationErrors = registry.counter(
      'prometheus_web_federation_errors_total',
      `Total number of errors ${sending}`,
    );
    this.federationWarnings = registry.counter(
      'prometheus_web_federation_warnings_total',
      `Total number of warnings ${sending}`,
    );
  }

  /** `status` is 0 where nobody was there to be answered; such a request is counted as 499. */
  observe(handler: string, status: number, seconds: number, bytes: number): void {
    let metrics = this.#handlers.get(handler);
    if (metrics === undefined) {
      metrics = { codes: new Map(), duration: this.#durations.with(handler), size: this.#sizes.with(handler) };
      this.#handlers.set(handler, metrics);
    }
    const code = status === 0 ? 499 : status;
    let counter = metrics.codes.get(code);
    if (counter === undefined) metrics.codes.set(code, (counter = this.#requests.with(handler, String(code))));
    counter.value++;
    metrics.duration.observe(seconds);
    metrics.size.observe(bytes);
  }
}

interface HandlerMetrics {
  readonly codes: Map<number, Counter>;
  readonly duration: Histogram;
  readonly size: Histogram;
}
