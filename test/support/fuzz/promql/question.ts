// What is asked: a text with its times, as parameters of the HTTP API; and the reply,
// as the API gives it, from whichever server.

import type { Prng } from '../../../../src/base/prng.js';
import { DATA_MS, DATA_START_MS } from './data.js';

export interface Question {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  /** 0 for the server's own. */
  readonly lookbackMs: number;
}

export interface Reply {
  readonly status: number;
  readonly body: ReplyBody;
}

export type Point<T = string> = readonly [seconds: number, value: T];

export interface HistogramJson {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [rule: number, lower: string, upper: string, count: string])[];
}

export interface SeriesJson {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
  readonly histogram?: Point<HistogramJson>;
  readonly histograms?: readonly Point<HistogramJson>[];
}

export type DataJson =
  | { readonly resultType: 'scalar' | 'string'; readonly result: Point }
  | { readonly resultType: 'vector' | 'matrix'; readonly result: readonly SeriesJson[] };

export interface ReplyBody {
  readonly status: 'success' | 'error';
  readonly data?: DataJson;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** Someone who answers: a server over HTTP, or our engine in this process. */
export interface Answerer {
  ask(path: string, params: URLSearchParams): Promise<Reply>;
}

/** Mostly within the data, instants as often as ranges. */
export function questionAbout(random: Prng, text: string): Question {
  const unit = random.pick([1000, 1000, 15_000, 60_000, 1]);
  const at = () => DATA_START_MS + Math.floor((random.int(DATA_MS) + 120_000) / unit) * unit;
  const startMs = at();
  const lookbackMs = random.int(8) === 0 ? random.pick([10_000, 60_000, 600_000, 1]) : 0;
  if (random.int(2) === 0) return { text, startMs, endMs: startMs, stepMs: 0, lookbackMs };
  const stepMs = random.pick([15_000, 60_000, 1000 * (1 + random.int(300)), 1 + random.int(90_000)]);
  // The end need not be a step.
  const endMs = startMs + stepMs * random.int(12) + random.int(2) * random.int(stepMs);
  return { text, startMs, endMs, stepMs, lookbackMs };
}

export function askQuestion(server: Answerer, question: Question): Promise<Reply> {
  const { text, startMs, endMs, stepMs, lookbackMs } = question;
  const params = new URLSearchParams({ query: text });
  if (lookbackMs > 0) params.set('lookback_delta', String(lookbackMs / 1000));
  if (stepMs === 0) {
    params.set('time', String(startMs / 1000));
    return server.ask('query', params);
  }
  params.set('start', String(startMs / 1000));
  params.set('end', String(endMs / 1000));
  params.set('step', String(stepMs / 1000));
  return server.ask('query_range', params);
}
