// A source that keeps its samples in arrays: the model that storage is compared
// with, and what the tests of the language run on.

import { type FloatHistogram, withStoredHint } from '../../model/histogram.js';
import { keyOf, type Labels, valueOf } from '../../model/labels.js';
import { compileMatcher, type Matcher } from '../../model/matcher.js';
import { aggregateColumns } from './aggregate.js';
import { ColumnsBuilder, declinedColumns, presentCount } from './columns.js';
import { addFragmentRow, declines, withoutStale } from './fragment-row.js';
import type { Columns, Fragment, QueryContext, RawSeries, Source } from './source.js';

/** A float as its bits, so that a stale marker arrives, or a histogram. */
export type SampleValue = bigint | FloatHistogram;

interface Sample {
  readonly timeMs: number;
  readonly value: SampleValue;
  readonly startMs: number;
}

export class MemorySource implements Source {
  readonly #series = new Map<string, MemorySeries>();

  /** A sample at the time of an earlier one replaces it. */
  append(labels: Labels, timeMs: number, value: SampleValue, startMs = 0): void {
    const key = keyOf(labels);
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = new MemorySeries(labels)));
    series.append({ timeMs, value, startMs });
  }

  /** Lets go of older samples, and of series that have no others. */
  dropBefore(timeMs: number): void {
    for (const [key, series] of this.#series) if (!series.dropBefore(timeMs)) this.#series.delete(key);
  }

  select(fragment: Fragment, context: QueryContext): Promise<Columns> {
    return settle(() => {
      if (fragment.quantile !== undefined) return declinedColumns(fragment.steps.count);
      const columns = this.#select(fragment, context);
      if (columns.declined) return columns;
      context.reserve(columns.values.byteLength + columns.present.byteLength);
      if (fragment.aggregate === undefined) {
        context.charge(presentCount(columns));
        return columns;
      }
      const aggregated = aggregateColumns(columns, fragment.aggregate);
      context.charge(presentCount(aggregated));
      return { ...aggregated, notes: [...(columns.notes ?? []), ...(aggregated.notes ?? [])] };
    });
  }

  #select(fragment: Fragment, context: QueryContext): Columns {
    const builder = new ColumnsBuilder(fragment.steps.count);
    for (const series of this.#matching(fragment.matchers)) {
      context.signal.throwIfAborted();
      addFragmentRow(fragment, series.labels, series.all(), builder);
    }
    return declines(fragment, builder) ? declinedColumns(fragment.steps.count) : builder.finish();
  }

  samples(matchers: readonly Matcher[], windowMs: number, endMs: number, context: QueryContext): Promise<RawSeries[]> {
    return settle(() => {
      const found: RawSeries[] = [];
      for (const series of this.#matching(matchers)) {
        const raw = withoutStale(series.range(endMs - windowMs, endMs));
        const count = raw.times.length + (raw.histogramTimes?.length ?? 0);
        if (count === 0) continue;
        context.charge(count);
        found.push(raw);
      }
      return found;
    });
  }

  *#matching(matchers: readonly Matcher[]): Generator<MemorySeries> {
    const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
    for (const series of this.#series.values()) {
      if (tests.every(({ name, matches }) => matches(valueOf(series.labels, name)))) yield series;
    }
  }
}

/** Errors of synchronous work as a promise has them. */
function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

interface MemorySamples extends RawSeries {
  readonly count: number;
}

/** The samples of one series, oldest first. */
class MemorySeries {
  readonly labels: Labels;
  readonly #samples: Sample[] = [];
  /** What all() gives, which nearly every query reads; dropped at an append. */
  #all: MemorySamples | undefined;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  append(sample: Sample): void {
    const samples = this.#samples;
    this.#all = undefined;
    const at = this.#behind(sample.timeMs);
    const replaces = at > 0 && samples[at - 1]!.timeMs === sample.timeMs;
    const before = samples[replaces ? at - 2 : at - 1];
    const stored = { ...sample, value: asStored(sample.value, before?.value) };
    if (replaces) samples[at - 1] = stored;
    else samples.splice(at, 0, stored);
  }

  /** False where nothing is left. */
  dropBefore(timeMs: number): boolean {
    const older = this.#samples.findIndex((sample) => sample.timeMs >= timeMs);
    if (older === 0) return true;
    this.#all = undefined;
    this.#samples.splice(0, older < 0 ? this.#samples.length : older);
    return older > 0;
  }

  all(): MemorySamples {
    return (this.#all ??= this.range(-Infinity, Infinity));
  }

  /** Samples in (startMs, endMs], stale markers among them. */
  range(startMs: number, endMs: number): MemorySamples {
    return { labels: this.labels, ...split(this.#samples.slice(this.#behind(startMs), this.#behind(endMs))) };
  }

  /** The count of samples at or before `timeMs`, which is the index of the first one behind. */
  #behind(timeMs: number): number {
    let low = 0;
    let high = this.#samples.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#samples[middle]!.timeMs <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Floats and histograms apart, as windows read them. */
function split(samples: readonly Sample[]): Omit<MemorySamples, 'labels'> {
  const floats = samples.filter(({ value }) => typeof value === 'bigint');
  const histograms = samples.filter(({ value }) => typeof value !== 'bigint');
  const bits = BigUint64Array.from(floats, ({ value }) => value as bigint);
  const hasStarts = samples.some(({ startMs }) => startMs !== 0);
  return {
    count: floats.length,
    times: Float64Array.from(floats, ({ timeMs }) => timeMs),
    values: new Float64Array(bits.buffer),
    ...(hasStarts && { starts: Float64Array.from(floats, ({ startMs }) => startMs) }),
    ...(histograms.length > 0 && {
      histogramTimes: Float64Array.from(histograms, ({ timeMs }) => timeMs),
      histograms: histograms.map(({ value }) => value as FloatHistogram),
      ...(hasStarts && { histogramStarts: Float64Array.from(histograms, ({ startMs }) => startMs) }),
    }),
  };
}

function asStored(value: SampleValue, before: SampleValue | undefined): SampleValue {
  if (typeof value === 'bigint') return value;
  return withStoredHint(value, typeof before === 'bigint' ? undefined : before);
}
