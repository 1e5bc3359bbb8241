// How a query is executed, told before it is: its plan after each pass, and what it would
// read. With the answers of a run beside it, also what it did read.
//
//   plan  ─► passes ─► readings, each with series and samples as estimated │ as they were

import type { Matcher } from '../model/matcher.js';
import { placedInputs, type Reading, type ReadingOptions, readingKey, readingOf } from '../promql/exec/readings.js';
import type { Columns, QueryContext, RawSeries, Source, Steps } from '../promql/exec/source.js';
import type { Plan } from '../promql/plan/plan.js';
import { planTree } from '../promql/plan/text.js';

export interface Extent {
  readonly series: number;
  readonly samples: number;
}

/** Something that a query reads. */
export interface ExplainedReading {
  /** The plan's node that reads it. */
  readonly text: string;
  readonly steps: number;
  /** By the postings; undefined where the source does not say. */
  readonly estimate: Extent | undefined;
  /** What came of it: rows and the values in them, raw samples where they were asked for. */
  readonly actual?: { readonly rows: number; readonly values: number; readonly seconds: number };
}

export interface Explanation {
  /** The plan, then what each pass that changed it made of it. */
  readonly plan: string;
  readonly readings: readonly ExplainedReading[];
  /** Of the whole, where it was run. */
  readonly run?: {
    readonly seconds: number;
    readonly series: number;
    readonly samples: number;
    readonly memoryBytes: number;
  };
}

/** What matchers would find in (startMs, endMs]. */
export type Estimate = (matchers: readonly Matcher[], startMs: number, endMs: number) => Promise<Extent>;

interface PlacedReading {
  readonly text: string;
  readonly steps: number;
  readonly reading: Reading;
}

/** What a plan reads, each once, in the order in which it asks. */
export function explainedReadings(plan: Plan, steps: Steps, options: ReadingOptions): Map<string, PlacedReading> {
  const found = new Map<string, PlacedReading>();
  const walk = (node: Plan, at: Steps): void => {
    for (const input of placedInputs(node, at)) walk(input.plan, input.steps);
    const reading = readingOf(node, at, options);
    if (reading === undefined || found.has(readingKey(reading))) return;
    const [text] = planTree(node).split('\n');
    found.set(readingKey(reading), { text: text!, steps: at.count, reading });
  };
  walk(plan, steps);
  return found;
}

/** The matchers of a reading and the stretch of time over all its windows. */
export function stretchOf(reading: Reading): { matchers: readonly Matcher[]; startMs: number; endMs: number } {
  if (reading.kind === 'samples') {
    const { matchers, windowMs, endMs } = reading.samples;
    return { matchers, startMs: endMs - windowMs, endMs };
  }
  const { matchers, windowMs, steps } = reading.fragment;
  return { matchers, startMs: steps.startMs - windowMs, endMs: steps.startMs + steps.stepMs * (steps.count - 1) };
}

/** A source that notes what each question brought, by its key. */
export class ObservedSource implements Source {
  readonly answers = new Map<string, NonNullable<ExplainedReading['actual']>>();
  readonly #source: Source;
  readonly #now: () => number;

  /** `now` gives monotonic milliseconds. */
  constructor(source: Source, now: () => number) {
    this.#source = source;
    this.#now = now;
  }

  select(fragment: Parameters<Source['select']>[0], context: QueryContext): Promise<Columns> {
    const ask = () => this.#source.select(fragment, context);
    return this.#observed({ kind: 'fragment', fragment }, ask, ({ labels, present }) => {
      return { rows: labels.length, values: present.reduce((count, cell) => count + (cell === 0 ? 0 : 1), 0) };
    });
  }

  samples(matchers: readonly Matcher[], windowMs: number, endMs: number, context: QueryContext): Promise<RawSeries[]> {
    const ask = () => this.#source.samples(matchers, windowMs, endMs, context);
    return this.#observed({ kind: 'samples', samples: { matchers, windowMs, endMs } }, ask, (series) => {
      const samples = ({ times, histogramTimes }: RawSeries) => times.length + (histogramTimes?.length ?? 0);
      return { rows: series.length, values: series.reduce((count, one) => count + samples(one), 0) };
    });
  }

  close(): void {
    this.#source.close?.();
  }

  async #observed<T>(
    reading: Reading,
    ask: () => Promise<T>,
    measure: (answer: T) => { rows: number; values: number },
  ): Promise<T> {
    const startMs = this.#now();
    const answer = await ask();
    this.answers.set(readingKey(reading), { ...measure(answer), seconds: (this.#now() - startMs) / 1000 });
    return answer;
  }
}

/** For people. */
export function explanationText({ plan, readings, run }: Explanation): string {
  const lines = readings.map(({ text, steps, estimate, actual }) => {
    const expected =
      estimate === undefined ? '' : `, about ${estimate.series} series, ${Math.round(estimate.samples)} samples`;
    const came =
      actual === undefined
        ? ''
        : `; came ${actual.rows} rows, ${actual.values} values in ${milliseconds(actual.seconds)}`;
    return `  ${text}\n    ${steps} steps${expected}${came}`;
  });
  const parts = [plan];
  if (lines.length > 0) parts.push(`reads\n${lines.join('\n')}`);
  if (run !== undefined) {
    const { seconds, series, samples, memoryBytes } = run;
    const held = `${samples} samples, ${Math.ceil(memoryBytes / 1024)} KiB`;
    parts.push(`ran\n  ${milliseconds(seconds)}, ${series} series, ${held}`);
  }
  return parts.join('\n\n');
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`;
}
