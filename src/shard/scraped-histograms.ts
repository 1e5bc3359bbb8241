// Native histograms of a target's bodies: their messages read, and who of them was there last time.
//
//   Metric      1 LabelPair … │ 6 time, ms │ 7 Histogram
//   Histogram   1 count, 4 as double │ 2 sum │ 5 schema sint32 │ 6 zero threshold │ 7 zero count, 8 as double
//               9 negative spans (1 offset sint32, 2 length) │ 10 negative deltas sint64 … │ 11 negative counts double …
//               12, 13, 14 the same of positive buckets │ 3 Bucket (3 Exemplar) … │ 16 Exemplar …
//   Exemplar    1 LabelPair … │ 2 value │ 3 Timestamp (1 seconds, 2 nanoseconds)
//
// Series are known by their text (wasm/exposition.ts), so labels are made once.

import { type Exemplar, exemplarLabels } from '../model/exemplar.js';
import { histogramFault } from '../model/histogram-check.js';
import type { Labels } from '../model/labels.js';
import { type StoredHistogram, staleHistogram } from '../model/stored-histogram.js';
import type { HistogramSample } from '../tsdb/chunk/histogram.js';
import type { HistogramPlace } from '../wasm/exposition.js';
import { Fields, unzigzag, WireError } from './wire.js';
import { WireBuckets } from './wire-buckets.js';

/** A series of a body with more than floats. */
export interface ScrapedExtra {
  readonly labels: Labels;
  readonly stored: readonly HistogramSample[];
  readonly exemplars: readonly Exemplar[];
}

export interface TakenHistograms {
  readonly series: ScrapedExtra[];
  /** In the body, and of those the ones that metric relabelling drops. */
  readonly scraped: number;
  readonly dropped: number;
  /** That the last good body did not have. */
  readonly added: number;
}

interface TakeOptions {
  readonly timeMs: number;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
}

interface Present {
  readonly labels: Labels;
  readonly isWatched: boolean;
}

const SPARE_MIN = 256;

export class ScrapedHistograms {
  /** undefined: metric relabelling drops the series. */
  #known = new Map<string, Labels | undefined>();
  /** Those of the last good body, by text; the watched ones get a stale marker once they are gone. */
  #present = new Map<string, Present>();

  /**
   * Takes those of a body, with stale markers for those that it lacks. Throws a WireError where one is malformed or
   * cannot be stored, and errors of `labelsOf`; then nothing has changed.
   */
  take(
    places: Iterable<HistogramPlace>,
    { timeMs, honorTimestamps, trackTimestampsStaleness }: TakeOptions,
    labelsOf: (place: HistogramPlace) => Labels | undefined,
  ): TakenHistograms {
    const series: ScrapedExtra[] = [];
    const present = new Map<string, Present>();
    let [scraped, dropped, added] = [0, 0, 0];
    for (const place of places) {
      scraped++;
      const { ownMs, ...read } = metricOf(place);
      const labels = this.#labels(place, labelsOf);
      if (labels === undefined) {
        dropped++;
        continue;
      }
      const hasOwn = honorTimestamps && ownMs !== 0;
      if (!this.#present.has(place.series)) added++;
      present.set(place.series, { labels, isWatched: !hasOwn || trackTimestampsStaleness });
      const fault = histogramFault(read.histogram);
      if (fault !== undefined) throw new WireError(fault);
      const sample = { timeMs: hasOwn ? ownMs : timeMs, histogram: read.histogram };
      series.push({ labels, stored: [sample], exemplars: read.exemplars });
    }
    for (const [text, { labels, isWatched }] of this.#present) {
      if (isWatched && present.get(text)?.isWatched !== true) series.push(staleOf(labels, timeMs));
    }
    this.#present = present;
    if (this.#known.size > 2 * present.size + SPARE_MIN) this.#known = new Map();
    return { series, scraped, dropped, added };
  }

  /** Stale markers for all of the last good body, after which none are there. */
  end(timeMs: number): ScrapedExtra[] {
    const watched = [...this.#present.values()].filter(({ isWatched }) => isWatched);
    this.#present = new Map();
    return watched.map(({ labels }) => staleOf(labels, timeMs));
  }

  #labels(place: HistogramPlace, labelsOf: (place: HistogramPlace) => Labels | undefined): Labels | undefined {
    const known = this.#known.get(place.series);
    if (known !== undefined || this.#known.has(place.series)) return known;
    const labels = labelsOf(place);
    this.#known.set(place.series, labels);
    return labels;
  }
}

function staleOf(labels: Labels, timeMs: number): ScrapedExtra {
  return { labels, stored: [{ timeMs, histogram: STALE }], exemplars: [] };
}

const STALE = staleHistogram(false);

/** The field of the negative spans. */
const FIRST_BUCKETS = 9;

// ---- messages

interface ReadMetric {
  /** 0: none. */
  readonly ownMs: number;
  readonly histogram: StoredHistogram;
  readonly exemplars: readonly Exemplar[];
}

function metricOf({ metric, isGauge }: HistogramPlace): ReadMetric {
  let ownMs = 0;
  let message: Uint8Array = new Uint8Array(0);
  // A copy: shared memory cannot be decoded in place.
  for (const field of new Fields(metric.slice())) {
    if (field.number === 6) ownMs = field.signed;
    else if (field.number === 7) message = field.bytes;
  }
  return { ownMs, ...histogramOf(message, isGauge) };
}

function histogramOf(message: Uint8Array, isGauge: boolean): Omit<ReadMetric, 'ownMs'> {
  let [count, countFloat, zeroCount, zeroCountFloat, schema, zeroThreshold, sumBits] = [0, 0, 0, 0, 0, 0, 0n];
  const buckets = new WireBuckets(FIRST_BUCKETS);
  const ofBuckets: Exemplar[] = [];
  const exemplars: Exemplar[] = [];
  for (const field of new Fields(message)) {
    switch (field.number) {
      case 1:
        count = field.varint;
        break;
      case 2:
        sumBits = field.fixed64;
        break;
      case 3:
        for (const part of new Fields(field.bytes)) if (part.number === 3) noteExemplar(ofBuckets, part.bytes);
        break;
      case 4:
        countFloat = field.double;
        break;
      case 5:
        schema = unzigzag(field.varint);
        break;
      case 6:
        zeroThreshold = field.double;
        break;
      case 7:
        zeroCount = field.varint;
        break;
      case 8:
        zeroCountFloat = field.double;
        break;
      case 16:
        noteExemplar(exemplars, field.bytes);
        break;
      default:
        buckets.take(field);
    }
  }
  const isFloat = countFloat > 0 || zeroCountFloat > 0;
  const histogram: StoredHistogram = {
    isFloat,
    hint: isGauge ? 'gauge' : 'unknown',
    schema,
    zeroThreshold,
    zeroCount: isFloat ? zeroCountFloat : zeroCount,
    count: isFloat ? countFloat : count,
    sumBits,
    ...buckets.finish(isFloat),
    bounds: [],
  };
  const inOrder = (exemplars.length > 0 ? exemplars : ofBuckets).sort((a, b) => a.timeMs - b.timeMs);
  return { histogram, exemplars: inOrder };
}

/** Those of native histograms have a time, or are passed over. */
function noteExemplar(exemplars: Exemplar[], bytes: Uint8Array): void {
  const pairs: [name: string, value: string][] = [];
  let value = 0;
  let timeMs: number | undefined;
  for (const field of new Fields(bytes)) {
    if (field.number === 1) pairs.push(pairOf(field.bytes));
    else if (field.number === 2) value = field.double;
    else if (field.number === 3) timeMs = timeOf(field.bytes);
  }
  if (timeMs !== undefined) exemplars.push({ labels: exemplarLabels(pairs), value, timeMs });
}

function timeOf(bytes: Uint8Array): number {
  let timeMs = 0;
  for (const field of new Fields(bytes)) {
    if (field.number === 1) timeMs += field.signed * 1000;
    else if (field.number === 2) timeMs += Math.trunc(field.signed / 1_000_000);
  }
  return timeMs;
}

const utf8 = new TextDecoder();

function pairOf(bytes: Uint8Array): [name: string, value: string] {
  const pair: [string, string] = ['', ''];
  for (const field of new Fields(bytes)) {
    if (field.number === 1 || field.number === 2) pair[field.number - 1] = utf8.decode(field.bytes);
  }
  return pair;
}
