// A query that has ended, as its engine tells of it, and the log line of one that took long.

import { formatDuration } from '../model/duration.js';
import { formatTime } from '../model/time.js';
import type { Logger } from '../telemetry/log.js';
import type { Priority } from './gate.js';
import type { QueryData } from './result.js';
import type { QueryRequest, RunningQuery } from './running.js';

export interface EndedQuery {
  readonly text: string;
  readonly priority: Priority;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  /** Who asked, as an address; empty where nobody outside did, or has left a query that was short. Read at once or never. */
  readonly client: string;
  readonly seconds: number;
  /** Of these, waiting for others to end. */
  readonly queueSeconds: number;
  readonly samples: number;
  /** The most memory that it held. */
  readonly memoryBytes: number;
  /** Series of the result; undefined where there is none. */
  readonly series: number | undefined;
  /** Why there is no result. */
  readonly error: string | undefined;
}

/** A query that has its answer, or its error, just now. */
export class EndedRun implements EndedQuery {
  readonly text: string;
  readonly priority: Priority;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly seconds: number;
  readonly queueSeconds: number;
  readonly samples: number;
  readonly memoryBytes: number;
  readonly series: number | undefined;
  readonly error: string | undefined;
  readonly #running: RunningQuery;

  constructor(request: QueryRequest, running: RunningQuery, answer: QueryData | undefined, error: unknown) {
    const { startMs, stepMs, count } = request.steps;
    this.text = request.text;
    this.priority = running.priority;
    this.startMs = startMs;
    this.endMs = request.options.endMs ?? startMs + stepMs * (count - 1);
    this.stepMs = request.ranged ? stepMs : 0;
    this.seconds = running.seconds;
    this.queueSeconds = running.queueSeconds;
    this.samples = running.samples?.total ?? 0;
    this.memoryBytes = Math.max(running.endBytes, running.memoryBytes);
    this.series = answer && resultSeries(answer);
    this.error = error instanceof Error ? error.message : undefined;
    this.#running = running;
  }

  get client(): string {
    return this.#running.client;
  }
}

/** Says of queries that took as long as the threshold, or longer, what they were and what they took. */
export function slowQueryLog(log: Logger, thresholdMs: number): (query: EndedQuery) => void {
  return (query) => {
    if (thresholdMs === 0 || query.seconds * 1000 < thresholdMs) return;
    const {
      text,
      priority,
      startMs,
      endMs,
      stepMs,
      client,
      seconds,
      queueSeconds,
      samples,
      memoryBytes,
      series,
      error,
    } = query;
    log.warn('Slow query', {
      query: text,
      duration: `${seconds.toFixed(3)}s`,
      queued: `${queueSeconds.toFixed(3)}s`,
      ...(stepMs === 0
        ? { time: formatTime(startMs) }
        : { start: formatTime(startMs), end: formatTime(endMs), step: formatDuration(stepMs) }),
      series,
      samples,
      memory_bytes: memoryBytes,
      priority,
      client: client === '' ? undefined : client,
      err: error,
    });
  };
}

export function resultSeries(data: QueryData): number {
  switch (data.kind) {
    case 'scalar':
    case 'string':
      return 1;
    case 'vector':
    case 'range':
      return data.columns.labels.length;
    case 'rendered':
      return data.rows.rowCount;
    case 'raw':
      return data.series.length;
  }
}
