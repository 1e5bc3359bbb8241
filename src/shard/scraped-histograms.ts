// Native histograms of a target's bodies: their messages read, made what the job wants, and who of them was there last time.
//
//   Metric      1 LabelPair … │ 6 time, ms │ 7 Histogram
//   Histogram   1 count, 4 as double │ 2 sum │ 5 schema sint32 │ 6 zero threshold │ 7 zero count, 8 as double
//               9 negative spans (1 offset sint32, 2 length) │ 10 negative deltas sint64 … │ 11 negative counts double …
//               12, 13, 14 the same of positive buckets │ 3 Bucket (3 Exemplar) … │ 15 Timestamp, created │ 16 Exemplar …
//   Bucket      1 cumulative count, 4 as double │ 2 bound │ 3 Exemplar
//   Exemplar    1 LabelPair … │ 2 value │ 3 Timestamp (1 seconds, 2 nanoseconds)
//
// Series are known by their text (wasm/exposition.ts), so labels are made once.

import { CustomBuckets } from '../model/custom-buckets.js';
import { type Exemplar, exemplarLabels } from '../model/exemplar.js';
import { contentFault, schemaFault } from '../model/histogram-check.js';
import { coarsenTo, compactHistogram, limitBuckets } from '../model/histogram-shape.js';
import type { Labels } from '../model/labels.js';
import { SCHEMA_MAX, type StoredHistogram, staleHistogram } from '../model/stored-histogram.js';
import type { HistogramPlace } from '../wasm/exposition.js';
import type { ReceivedHistogram } from './protocol.js';
import { Fields, unzigzag, WireError } from './wire.js';
import { WireBuckets } from './wire-buckets.js';

/** A series of a body with more than floats. */
export interface ScrapedExtra {
  readonly labels: Labels;
  readonly stored: readonly ReceivedHistogram[];
  readonly exemplars: readonly Exemplar[];
}

export interface TakenHistograms {
  readonly series: ScrapedExtra[];
  /** In the body, and of those the ones that metric relabelling drops. */
  readonly scraped: number;
  readonly dropped: number;
  /** That the last good body did not have. */
  readonly added: number;
  /** One has more buckets than allowed, however coarse it is made. */
  readonly isOverLimit: boolean;
  /** They are those of the last good body from now on. */
  keep(): void;
}

/** A histogram of a body, in whichever format. */
export interface FoundHistogram {
  /** Name and labels of its series, as the body has them. */
  readonly series: string;
  /** undefined: that of the scrape. */
  readonly ownMs: number | undefined;
  /** When the metric began, where it says so. */
  readonly startMs?: number;
  readonly histogram: StoredHistogram;
  readonly exemplars: readonly Exemplar[];
  /** Where the series is spelled, of protobuf. */
  readonly place?: HistogramPlace;
}

export interface HistogramLimits {
  /** 0 is none. */
  readonly bucketLimit: number;
  /** Finer ones are made coarser. */
  readonly schemaMax: number;
}

interface TakeOptions extends HistogramLimits {
  readonly timeMs: number;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly startTimes: boolean;
}

interface Present {
  readonly labels: Labels;
  readonly isWatched: boolean;
  /** A stale marker is a histogram of the same kind, so that it goes into the same chunk. */
  readonly isFloat: boolean;
}

const SPARE_MIN = 256;

export class ScrapedHistograms {
  /** undefined: metric relabelling drops the series. */
  #known = new Map<string, Labels | undefined>();
  /** Those of the last good body, by text; the watched ones get a stale marker once they are gone. */
  #present = new Map<string, Present>();
  /** The same, a failed scrape behind it or not: what comes back then is not new. */
  #lastGood: ReadonlyMap<string, Present> = this.#present;

  /**
   * Takes those of a body, with stale markers for those that it lacks. Throws a WireError where one is malformed or
   * cannot be stored, and errors of `labelsOf`.
   */
  take(
    histograms: Iterable<FoundHistogram>,
    { timeMs, honorTimestamps, trackTimestampsStaleness, startTimes, ...limits }: TakeOptions,
    labelsOf: (found: FoundHistogram) => Labels | undefined,
  ): TakenHistograms {
    const series: ScrapedExtra[] = [];
    const present = new Map<string, Present>();
    let [scraped, dropped, added] = [0, 0, 0];
    let isOverLimit = false;
    for (const found of histograms) {
      scraped++;
      const labels = this.#labels(found, labelsOf);
      if (labels === undefined) {
        dropped++;
        continue;
      }
      const ownMs = honorTimestamps ? found.ownMs : undefined;
      if (!this.#lastGood.has(found.series)) added++;
      const { isFloat } = found.histogram;
      present.set(found.series, { labels, isWatched: ownMs === undefined || trackTimestampsStaleness, isFloat });
      const fault = contentFault(found.histogram);
      if (fault !== undefined) throw new WireError(fault);
      const histogram = limited(found.histogram, limits);
      if (histogram === undefined) isOverLimit = true;
      else {
        // Schemas 9 to 52 are good where they are made coarser.
        const unusable = schemaFault(histogram);
        if (unusable !== undefined) throw new WireError(unusable);
        const startMs = startTimes ? found.startMs : undefined;
        const sample = { timeMs: ownMs ?? timeMs, histogram, ...(startMs !== undefined && { startMs }) };
        series.push({ labels, stored: [sample], exemplars: found.exemplars });
      }
    }
    for (const [text, gone] of this.#present) {
      if (gone.isWatched && present.get(text)?.isWatched !== true) series.push(staleOf(gone, timeMs));
    }
    const keep = () => {
      this.#present = present;
      this.#lastGood = present;
      if (this.#known.size > 2 * present.size + SPARE_MIN) this.#known = new Map();
    };
    return { series, scraped, dropped, added, isOverLimit, keep };
  }

  /** Stale markers for all of the last good body, after which none are there. */
  end(timeMs: number): ScrapedExtra[] {
    const watched = [...this.#present.values()].filter(({ isWatched }) => isWatched);
    this.#present = new Map();
    return watched.map((gone) => staleOf(gone, timeMs));
  }

  #labels(found: FoundHistogram, labelsOf: (found: FoundHistogram) => Labels | undefined): Labels | undefined {
    const known = this.#known.get(found.series);
    if (known !== undefined || this.#known.has(found.series)) return known;
    const labels = labelsOf(found);
    this.#known.set(found.series, labels);
    return labels;
  }
}

function staleOf({ labels, isFloat }: Present, timeMs: number): ScrapedExtra {
  return { labels, stored: [{ timeMs, histogram: isFloat ? STALE_FLOAT : STALE }], exemplars: [] };
}

const STALE = staleHistogram(false);
const STALE_FLOAT = staleHistogram(true);

/** The field of the negative spans. */
const FIRST_BUCKETS = 9;

// ---- messages

/** Those of a protobuf body. Throws a WireError where one is malformed. */
export function* messageHistograms(places: Iterable<HistogramPlace>): Generator<FoundHistogram> {
  for (const place of places) yield metricOf(place);
}

function metricOf(place: HistogramPlace): FoundHistogram {
  const { metric, isGauge, isClassic, series } = place;
  let ownMs = 0;
  let message: Uint8Array = new Uint8Array(0);
  // A copy: shared memory cannot be decoded in place.
  for (const field of new Fields(metric.slice())) {
    if (field.number === 6) ownMs = field.signed;
    else if (field.number === 7) message = field.bytes;
  }
  const read = isClassic ? customOf(message, isGauge) : histogramOf(message, isGauge);
  // Proto3 does not tell 0 from nothing.
  return { series, place, ownMs: ownMs === 0 ? undefined : ownMs, ...read };
}

type Read = Pick<FoundHistogram, 'histogram' | 'exemplars' | 'startMs'>;

/** One of bounds of its own, from classic buckets. */
function customOf(message: Uint8Array, isGauge: boolean): Read {
  const buckets = new CustomBuckets();
  const exemplars: Exemplar[] = [];
  let [count, countFloat, startMs] = [0, 0, 0];
  for (const field of new Fields(message)) {
    if (field.number === 1) count = field.varint;
    else if (field.number === 2) buckets.setSum(field.double);
    else if (field.number === 3) addBucket(field.bytes, buckets, exemplars);
    else if (field.number === 4) countFloat = field.double;
    else if (field.number === 15) startMs = timeOf(field.bytes);
  }
  buckets.setCount(countFloat === 0 ? count : countFloat);
  const histogram = buckets.finish(isGauge);
  if (typeof histogram === 'string') throw new WireError(histogram);
  return { histogram, exemplars: exemplars.sort((a, b) => a.timeMs - b.timeMs), ...started(startMs) };
}

/** The first moment of all is none. */
function started(startMs: number): Pick<FoundHistogram, 'startMs'> {
  return startMs === 0 ? {} : { startMs };
}

function addBucket(bytes: Uint8Array, buckets: CustomBuckets, exemplars: Exemplar[]): void {
  let [count, countFloat, bound] = [0, 0, 0];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) count = field.varint;
    else if (field.number === 2) bound = field.double;
    else if (field.number === 3) noteExemplar(exemplars, field.bytes);
    else if (field.number === 4) countFloat = field.double;
  }
  buckets.addBucket(bound, countFloat === 0 ? count : countFloat);
}

function histogramOf(message: Uint8Array, isGauge: boolean): Read {
  let [count, countFloat, zeroCount, zeroCountFloat, schema, zeroThreshold, sumBits] = [0, 0, 0, 0, 0, 0, 0n];
  let startMs = 0;
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
      case 15:
        startMs = timeOf(field.bytes);
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
  return { histogram: compactHistogram(histogram), exemplars: inOrder, ...started(startMs) };
}

/** As coarse as the job wants it; undefined where it has too many buckets all the same. */
function limited(histogram: StoredHistogram, { bucketLimit, schemaMax }: HistogramLimits): StoredHistogram | undefined {
  const coarse = schemaMax < SCHEMA_MAX ? coarsenTo(histogram, schemaMax) : histogram;
  return bucketLimit === 0 ? coarse : limitBuckets(coarse, bucketLimit);
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
