// Series with samples beside the head: their floats from the core and the rest from
// side-samples.ts, put together for window functions and for main.

import { decodeHistograms, encodeHistograms, type HistogramTable, tableBytes } from '../model/histogram-table.js';
import type { Labels } from '../model/labels.js';
import { STALE_HIGH, STALE_LOW, wordsOf } from '../model/value.js';
import { withoutStale } from '../promql/exec/fragment-row.js';
import type { RawSeries } from '../promql/exec/source.js';
import type { SeriesSamples } from '../promql/exec/window/window.js';
import type { SeriesIndex } from '../wasm/head.js';
import type { QueryAllSamples, QuerySamples } from '../wasm/query.js';
import { decodeLabels, encodeLabels } from './columns.js';
import type { SamplesMessage } from './protocol.js';
import type { SideRange, SideSamples } from './side-samples.js';

/** What a message of samples has besides floats. All move. */
export interface MixedMessage {
  /** f64 ms, start timestamp of each float, 0 where unknown; empty where none is known. */
  readonly starts: ArrayBuffer;
  /** u32, histograms of each series. */
  readonly counts: ArrayBuffer;
  /** f64 ms. */
  readonly times: ArrayBuffer;
  /** f64 ms, 0 where unknown; empty where none is known. */
  readonly histogramStarts: ArrayBuffer;
  readonly histograms: HistogramTable;
}

/** One series of a morsel. */
export interface MorselSeries extends SeriesSamples {
  readonly labels: Labels;
}

/** The series of a morsel with their floats. */
export function* eachSeries(raw: QuerySamples): Generator<MorselSeries> {
  const counts = new Uint32Array(raw.counts);
  const labels = decodeLabels(raw.labels.strings, raw.labels.rows, counts.length);
  const times = new Float64Array(raw.times);
  const values = new Float64Array(raw.values);
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    yield { labels: labels[i]!, times: times.subarray(at, at + count), values: values.subarray(at, at + count), count };
    at += count;
  }
}

/** The same with all their samples, stale markers among them. Histograms from before the morsel's time range may precede. */
export function* eachMixed(
  raw: QueryAllSamples,
  side: SideSamples,
  rangeOf: (series: number) => SideRange,
): Generator<MorselSeries> {
  const indexes = new Uint32Array(raw.series);
  let i = 0;
  for (const series of eachSeries(raw)) {
    const index = indexes[i++] as SeriesIndex;
    const view = side.has(index) ? side.view(index, rangeOf(index)) : undefined;
    if (view === undefined) {
      yield series;
      continue;
    }
    const { histogramTimes, histograms } = view;
    const floats = withStale(series, view.staleTimes);
    const starts = view.startsOf(floats.times);
    const histogramStarts = view.startsOf(histogramTimes);
    yield {
      ...floats,
      ...(starts && { starts }),
      histogramTimes,
      histograms,
      ...(histogramStarts && { histogramStarts }),
    };
  }
}

/** Stale markers end a series whatever its samples were: those of histograms come among the floats. */
export function withStale(series: MorselSeries, staleTimes: Float64Array): MorselSeries {
  if (staleTimes.length === 0) return series;
  const count = series.count + staleTimes.length;
  const times = new Float64Array(count);
  const values = new Float64Array(count);
  // As bits: a NaN's payload is lost in a number.
  const [from, to] = [wordsOf(series.values), wordsOf(values)];
  for (let i = 0, j = 0; i + j < count; ) {
    const at = i + j;
    if (j === staleTimes.length || series.times[i]! < staleTimes[j]!) {
      times[at] = series.times[i]!;
      to.set(from.subarray(2 * i, 2 * i + 2), 2 * at);
      i++;
    } else {
      times[at] = staleTimes[j++]!;
      to.set([STALE_LOW, STALE_HIGH], 2 * at);
    }
  }
  return { ...series, times, values, count };
}

/** Raw samples in (startMs, endMs] of those series that have any. */
export function mixedMessage(all: Iterable<MorselSeries>, startMs: number, endMs: number): SamplesMessage {
  const series = [...all].map((one) => between(withoutStale(one), startMs, endMs)).filter((one) => sizeOf(one) > 0);
  const hasStarts = series.some(({ starts }) => starts !== undefined);
  const hasHistogramStarts = series.some(({ histogramStarts }) => histogramStarts !== undefined);
  return {
    labels: encodeLabels(series.map(({ labels }) => labels)),
    counts: Uint32Array.from(series, ({ count }) => count).buffer,
    times: joinFloats(series.map(({ times }) => times)),
    values: joinFloats(series.map(({ values }) => values)),
    mixed: {
      starts: joinFloats(hasStarts ? series.map(({ starts, count }) => starts ?? new Float64Array(count)) : []),
      counts: Uint32Array.from(series, ({ histograms }) => histograms?.length ?? 0).buffer,
      times: joinFloats(series.map(({ histogramTimes }) => histogramTimes ?? NO_TIMES)),
      histogramStarts: joinFloats(
        hasHistogramStarts
          ? series.map((one) => one.histogramStarts ?? new Float64Array(one.histograms?.length ?? 0))
          : [],
      ),
      histograms: encodeHistograms(series.flatMap(({ histograms }) => histograms ?? [])),
    },
  };
}

const NO_TIMES = new Float64Array(0);

function between(series: MorselSeries, startMs: number, endMs: number): MorselSeries {
  const { histogramTimes, histograms, histogramStarts } = series;
  if (histogramTimes === undefined || histograms === undefined) return series;
  const from = histogramTimes.findIndex((timeMs) => timeMs > startMs);
  const behind = histogramTimes.findIndex((timeMs) => timeMs > endMs);
  const bounds = [from < 0 ? histogramTimes.length : from, behind < 0 ? histogramTimes.length : behind] as const;
  return {
    ...series,
    histogramTimes: histogramTimes.subarray(...bounds),
    histograms: histograms.slice(...bounds),
    ...(histogramStarts && { histogramStarts: histogramStarts.subarray(...bounds) }),
  };
}

function sizeOf({ count, histograms }: MorselSeries): number {
  return count + (histograms?.length ?? 0);
}

function joinFloats(parts: readonly Float64Array[]): ArrayBuffer {
  const joined = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined.buffer;
}

export function decodeSamples(message: SamplesMessage): RawSeries[] {
  const { mixed } = message;
  const series = [...eachSeries(message)];
  if (mixed === undefined) return series;
  const starts = new Float64Array(mixed.starts);
  const counts = new Uint32Array(mixed.counts);
  const times = new Float64Array(mixed.times);
  const histogramStarts = new Float64Array(mixed.histogramStarts);
  const histograms = decodeHistograms(mixed.histograms);
  let float = 0;
  let at = 0;
  return series.map((one, i): RawSeries => {
    const [from, to] = [at, at + counts[i]!];
    at = to;
    const floatFrom = float;
    float += one.count;
    return {
      ...one,
      ...(starts.length > 0 && { starts: starts.subarray(floatFrom, float) }),
      ...(to > from && {
        histogramTimes: times.subarray(from, to),
        histograms: histograms.slice(from, to),
        ...(histogramStarts.length > 0 && { histogramStarts: histogramStarts.subarray(from, to) }),
      }),
    };
  });
}

/** Samples of a message, floats and histograms. */
export function sampleCount({ times, mixed }: SamplesMessage): number {
  return (times.byteLength + (mixed?.times.byteLength ?? 0)) / 8;
}

/** What they take in memory. */
export function samplesBytes({ times, values, mixed }: SamplesMessage): number {
  const floats = times.byteLength + values.byteLength;
  return mixed === undefined ? floats : floats + mixed.times.byteLength + tableBytes(mixed.histograms);
}
