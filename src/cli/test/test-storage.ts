// Samples of one test: its input, which comes as time goes on, and what rules make of it.

import type { FloatHistogram } from '../../model/histogram.js';
import { keyOf, type Labels } from '../../model/labels.js';
import { MemorySource } from '../../promql/exec/memory-source.js';
import { ParseError } from '../../promql/syntax/errors.js';
import { NotationError } from '../../promql/syntax/notation-error.js';
import { parseSelector } from '../../promql/syntax/parse.js';
import { bitsOf, type PointValue, parseMetric, parsePoints, STALE } from '../../promql/syntax/series-notation.js';
import type { RefusedSamples, ResultSample, ResultStore, RuleResults } from '../../rules/results.js';

export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

interface Input {
  readonly labels: Labels;
  /** One each interval; undefined where one is left out. */
  readonly points: readonly (PointValue | undefined)[];
}

export interface InputTimes {
  readonly startMs: number;
  readonly intervalMs: number;
}

/** Of a test's script, in which Prometheus looks for faults, the first line is the one that says the interval. */
const HEAD_LINES = 1;

export class TestStorage implements ResultStore {
  readonly source = new MemorySource();
  readonly #inputs: readonly Input[];
  readonly #times: InputTimes;
  /** What is loaded of all inputs. */
  #loaded = 0;
  /** By series. */
  readonly #newest = new Map<string, { timeMs: number; value: PointValue }>();

  /** Throws NotationError. */
  constructor(series: readonly InputSeries[], times: InputTimes) {
    this.#inputs = series.map((one, i) => readInput(one, i + 1 + HEAD_LINES));
    this.#times = times;
  }

  /** Loads the input up to a time, which it includes. */
  loadUntil(timeMs: number): void {
    const { startMs, intervalMs } = this.#times;
    for (; startMs + this.#loaded * intervalMs <= timeMs; this.#loaded++) {
      const atMs = startMs + this.#loaded * intervalMs;
      for (const { labels, points } of this.#inputs) {
        const value = points[this.#loaded];
        if (value !== undefined) this.#take(labels, atMs, value);
      }
    }
  }

  async append({ timeMs, results, ended }: RuleResults): Promise<readonly RefusedSamples[]> {
    const refused = results.map((samples) => this.#takeAll(samples, timeMs));
    for (const { labels } of ended) this.#take(labels, timeMs, STALE);
    return refused;
  }

  #takeAll(samples: readonly ResultSample[], timeMs: number): RefusedSamples {
    const counts = { taken: 0, outOfOrder: 0, tooOld: 0, duplicates: 0 };
    for (const { series, value, histogram } of samples) {
      counts[this.#take(series.labels, timeMs, histogram ?? bitsOf(value))]++;
    }
    const { outOfOrder, duplicates } = counts;
    const reason = outOfOrder > 0 ? 'out of order sample' : 'duplicate sample for timestamp';
    return { ...counts, reason: outOfOrder + duplicates > 0 ? reason : undefined };
  }

  #take(labels: Labels, timeMs: number, value: PointValue): 'taken' | 'outOfOrder' | 'duplicates' {
    const key = keyOf(labels);
    const newest = this.#newest.get(key);
    if (newest !== undefined && timeMs < newest.timeMs) return 'outOfOrder';
    if (newest !== undefined && timeMs === newest.timeMs) return isSame(newest.value, value) ? 'taken' : 'duplicates';
    this.#newest.set(key, { timeMs, value });
    this.source.append(labels, timeMs, value);
    return 'taken';
  }
}

function isSame(a: PointValue, b: PointValue): boolean {
  return a === b || (isHistogram(a) && isHistogram(b));
}

function isHistogram(value: PointValue): value is FloatHistogram {
  return typeof value === 'object';
}

function readInput({ series, values }: InputSeries, line: number): Input {
  try {
    const { labels, rest } = parseMetric(series);
    return { labels, points: parsePoints(`${rest} ${values}`) };
  } catch (error) {
    if (error instanceof NotationError) throw faultOf(`${series} ${values}`, line, error);
    throw error;
  }
}

/** In the words of the language's parser, where it has some for the labels. */
function faultOf(text: string, line: number, error: NotationError): NotationError {
  try {
    parseSelector(text);
  } catch (reason) {
    if (reason instanceof ParseError) return new NotationError(reason.message.replace(/^\d+:/, `${line}:`));
  }
  return error;
}
