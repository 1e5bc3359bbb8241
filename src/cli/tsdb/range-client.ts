// Range queries of another server, by its HTTP API.

import { type Labels, labelsOf } from '../../model/labels.js';
import { parseFloatText } from '../../model/number.js';
import { bitsOf } from '../../model/stored-histogram.js';
import { ToolError } from '../tool/command.js';
import type { ToolServer } from '../tool/server.js';

const PATH = '/api/v1/query_range';
const TIMEOUT_MS = 120_000;
/** A server answers up to 11,000 steps. */
const STEPS_MAX = 10_000;
const NORMAL_NAN = 0x7ff8000000000001n;

export interface Range {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export interface RangeSeries {
  readonly labels: Labels;
  readonly samples: readonly { readonly timeMs: number; readonly bits: bigint }[];
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly data?: {
    readonly resultType: string;
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values?: readonly (readonly [number, string])[];
      readonly histograms?: readonly unknown[];
    }[];
  };
}

export class RangeClient {
  readonly #server: ToolServer;
  readonly #warn: (line: string) => void;

  constructor(server: ToolServer, warn: (line: string) => void) {
    this.#server = server;
    this.#warn = warn;
  }

  close(): void {
    this.#server.close();
  }

  /** Throws a ToolError or an HttpError. */
  async range(query: string, { startMs, endMs, stepMs }: Range): Promise<RangeSeries[]> {
    const all: RangeSeries[] = [];
    for (let from = startMs; from <= endMs; from += STEPS_MAX * stepMs) {
      const to = Math.min(endMs, from + (STEPS_MAX - 1) * stepMs);
      all.push(...this.#seriesOf(await this.#ask(query, { startMs: from, endMs: to, stepMs })));
    }
    return all;
  }

  async #ask(query: string, { startMs, endMs, stepMs }: Range): Promise<Answer> {
    const form = new URLSearchParams({
      query,
      start: String(startMs / 1000),
      end: String(endMs / 1000),
      step: String(stepMs / 1000),
    });
    const { status, body } = await this.#server.ask({
      path: PATH,
      method: 'POST',
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
      body: new TextEncoder().encode(form.toString()),
      timeoutMs: TIMEOUT_MS,
    });
    return this.#parse(status, new TextDecoder().decode(body));
  }

  #parse(status: number, text: string): Answer {
    try {
      return JSON.parse(text) as Answer;
    } catch {
      throw new ToolError(`query range: ${this.#server.url}${PATH} answered ${status}: ${text.slice(0, 200)}`);
    }
  }

  #seriesOf({ status, error, warnings, data }: Answer): RangeSeries[] {
    if (status !== 'success' || data === undefined) throw new ToolError(`query range: ${error ?? status}`);
    for (const warning of warnings ?? []) this.#warn(`warning query range returned warnings: ${warning}`);
    if (data.resultType !== 'matrix') throw new ToolError(`rule result is wrong type ${data.resultType}`);
    return data.result.map(({ metric, values = [], histograms = [] }) => {
      if (histograms.length > 0) this.#warn(`${histograms.length} native histograms are left out`);
      return { labels: labelsOf(Object.entries(metric)), samples: values.map(sampleOf) };
    });
  }
}

function sampleOf([seconds, text]: readonly [number, string]): { timeMs: number; bits: bigint } {
  const value = parseFloatText(text);
  if (typeof value !== 'number') throw new ToolError(`query range: ${JSON.stringify(text)} is no number`);
  return { timeMs: Math.round(seconds * 1000), bits: Number.isNaN(value) ? NORMAL_NAN : bitsOf(value) };
}
