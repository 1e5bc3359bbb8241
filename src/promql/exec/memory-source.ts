// A source that keeps its samples in arrays: the model that storage is compared
// with, and what the tests of the language run on.

import type { FloatHistogram } from '../../model/histogram.js';
import { keyOf, type Labels, METRIC_NAME, valueOf, withoutMetadata } from '../../model/labels.js';
import { compileMatcher, type Matcher } from '../../model/matcher.js';
import { isStaleAt, wordsOf } from '../../model/value.js';
import { aggregateColumns } from './aggregate.js';
import { ColumnsBuilder, presentCount } from './columns.js';
import {
  type Columns,
  FLOAT,
  type Fragment,
  HISTOGRAM,
  type QueryContext,
  type RawSeries,
  type Source,
} from './source.js';
import { evaluateWindows, lacksCounterName, needsCounterName } from './window/evaluate.js';

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

  select(fragment: Fragment, context: QueryContext): Promise<Columns> {
    return settle(() => {
      const columns = this.#select(fragment, context);
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
      const { labels } = series;
      const offset = builder.row(fragment.dropName ? withoutMetadata(labels) : labels);
      const found = INSTANT.has(fragment.fn)
        ? newestSamples(series, fragment, builder, offset)
        : windows(series, fragment, builder, offset);
      if (found === 0) builder.dropRow();
    }
    return builder.finish();
  }

  samples(matchers: readonly Matcher[], windowMs: number, endMs: number, context: QueryContext): Promise<RawSeries[]> {
    return settle(() => {
      const found: RawSeries[] = [];
      for (const series of this.#matching(matchers)) {
        const raw = series.range(endMs - windowMs, endMs);
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

const INSTANT: ReadonlySet<string> = new Set(['last', 'timestamp', 'start_timestamp']);

/** The newest sample of each window, unless it is a stale marker: its value or one of its times. */
function newestSamples(series: MemorySeries, fragment: Fragment, builder: ColumnsBuilder, offset: number): number {
  const { startMs, stepMs, count } = fragment.steps;
  const { fn } = fragment;
  let found = 0;
  for (let step = 0; step < count; step++) {
    const endMs = startMs + step * stepMs;
    const sample = series.newest(endMs);
    if (sample === undefined || sample.timeMs <= endMs - fragment.windowMs || isStale(sample.value)) continue;
    found++;
    const cell = offset + step;
    if (fn !== 'last') {
      builder.present[cell] = FLOAT;
      builder.values[cell] = (fn === 'timestamp' ? sample.timeMs : sample.startMs) / 1000;
    } else if (typeof sample.value === 'bigint') {
      builder.present[cell] = FLOAT;
      builder.values[cell] = floatOf(sample.value);
    } else {
      builder.present[cell] = HISTOGRAM;
      builder.histograms.set(cell, sample.value);
    }
  }
  return found;
}

function windows(series: MemorySeries, fragment: Fragment, builder: ColumnsBuilder, offset: number): number {
  const metric = valueOf(series.labels, METRIC_NAME);
  const raw = series.range(-Infinity, Infinity);
  const found = evaluateWindows(
    fragment,
    { ...raw, count: raw.times.length, ...(fragment.histogramStats && { histograms: withResetHints(raw.histograms) }) },
    { values: builder.values, present: builder.present, histograms: builder.histograms, offset },
    (kind) => builder.note({ kind, metric }),
  );
  if (found > 0 && needsCounterName(fragment.fn) && lacksCounterName(metric)) {
    const end = offset + fragment.steps.count;
    if (builder.present.subarray(offset, end).includes(FLOAT)) builder.note({ kind: 'no-counter-name', metric });
  }
  return found;
}

/** Hints that say of each counter histogram whether it was reset since the one before. */
function withResetHints(histograms: readonly FloatHistogram[] | undefined): readonly FloatHistogram[] | undefined {
  return histograms?.map((histogram, i) => {
    if (i === 0 || histogram.hint === 'gauge') return histogram;
    return histogram.with({ hint: histogram.isResetAfter(histograms[i - 1]!) ? 'reset' : 'not_reset' });
  });
}

/** The samples of one series, oldest first. */
class MemorySeries {
  readonly labels: Labels;
  readonly #samples: Sample[] = [];
  /** All of range(-∞, ∞), which nearly every query reads; dropped at an append. */
  #whole: RawSeries | undefined;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  append(sample: Sample): void {
    const samples = this.#samples;
    this.#whole = undefined;
    const at = this.#behind(sample.timeMs);
    const replaces = at > 0 && samples[at - 1]!.timeMs === sample.timeMs;
    const before = samples[replaces ? at - 2 : at - 1];
    const stored = { ...sample, value: withStoredHint(sample.value, before?.value) };
    if (replaces) samples[at - 1] = stored;
    else samples.splice(at, 0, stored);
  }

  /** The newest sample at or before `timeMs`. */
  newest(timeMs: number): Sample | undefined {
    return this.#samples[this.#behind(timeMs) - 1];
  }

  /** Samples in (startMs, endMs], stale markers left out. */
  range(startMs: number, endMs: number): RawSeries {
    const whole = startMs === -Infinity && endMs === Infinity;
    if (whole && this.#whole !== undefined) return this.#whole;
    const kept = this.#samples.slice(this.#behind(startMs), this.#behind(endMs)).filter(({ value }) => !isStale(value));
    const raw = { labels: this.labels, ...split(kept) };
    if (whole) this.#whole = raw;
    return raw;
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

/**
 * Storage keeps no hint but `gauge`. It says `not_reset` where a histogram goes on from the one before, in
 * the same chunk; what a reset begins is in a new chunk, of whose first sample it says nothing.
 */
function withStoredHint(value: SampleValue, before: SampleValue | undefined): SampleValue {
  if (typeof value === 'bigint' || value.hint === 'gauge') return value;
  const plain = value.hint === 'not_reset' ? value.with({ hint: 'unknown' }) : value;
  const goesOn =
    before !== undefined &&
    typeof before !== 'bigint' &&
    before.hint !== 'gauge' &&
    before.schema === plain.schema &&
    before.zeroThreshold === plain.zeroThreshold &&
    !plain.isResetAfter(before);
  return value.with({ hint: goesOn ? 'not_reset' : 'unknown' });
}

/** Floats and histograms apart, as windows read them. */
function split(samples: readonly Sample[]): Omit<RawSeries, 'labels'> {
  const floats = samples.filter(({ value }) => typeof value === 'bigint');
  const histograms = samples.filter(({ value }) => typeof value !== 'bigint');
  const bits = BigUint64Array.from(floats, ({ value }) => value as bigint);
  const hasStarts = samples.some(({ startMs }) => startMs !== 0);
  return {
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

const cell = new Float64Array(1);
const cellBits = new BigUint64Array(cell.buffer);
const cellWords = wordsOf(cell);

function floatOf(bits: bigint): number {
  cellBits[0] = bits;
  return cell[0]!;
}

function isStale(value: SampleValue): boolean {
  if (typeof value !== 'bigint') return false;
  cellBits[0] = value;
  return isStaleAt(cellWords, 0);
}
