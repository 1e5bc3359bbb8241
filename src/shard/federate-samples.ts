// What of /federate the core does not render: newest samples that are native histograms, family by family.
//
//   protobuf   a field of the family's message for each, as of the core's: 4 Metric (1 label …, 6 time, 7 histogram)
//   text       those with bounds of their own, as the classic histograms that they were made of:
//              name_bucket{…,le="0.5"} 3 <time> … name_sum{…} 1.5 <time>  name_count{…} 4 <time>
//
// Counts are floats, as Prometheus federates them, whatever they were before.

import { MessageWriter } from '../base/message-writer.js';
import { escapedName, escapedValue, exposedLabel } from '../model/exposed.js';
import { CUSTOM_SCHEMA } from '../model/histogram.js';
import { compareStrings, type Labels, METRIC_NAME, pairsOf, valueOf } from '../model/labels.js';
import { isMetricName } from '../model/names.js';
import { formatGeneral } from '../model/number.js';
import {
  bucketIndices,
  floatOf,
  isStaleHistogram,
  type Span,
  type StoredHistogram,
} from '../model/stored-histogram.js';
import { isStaleAt, wordsOf } from '../model/value.js';
import type { FederateStyle } from '../wasm/federate.js';
import type { StoredSeries } from './stored-series.js';

export type FederatedType = 'untyped' | 'histogram' | 'gaugehistogram';

/** Samples of one family within what was written. */
export interface FederatedBlock {
  readonly name: string;
  readonly type: FederatedType;
  readonly offset: number;
  readonly bytes: number;
}

/** A newest sample, no stale marker. */
interface Newest {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly sample: number | StoredHistogram;
}

const TYPES: readonly FederatedType[] = ['untyped', 'histogram', 'gaugehistogram'];

/** Whether the newest sample of a series is to be written. */
export type IsWanted = (number: number, isFloat: boolean) => boolean;

/** Writes morsels of series, each by family. */
export class SampleWriter {
  readonly #style: FederateStyle;
  /** The family whose TYPE line was written last. */
  #headed = '';

  constructor(style: FederateStyle) {
    this.#style = style;
  }

  write(all: Iterable<StoredSeries>, isWanted: IsWanted): { text: ArrayBuffer; blocks: FederatedBlock[] } {
    const families = new Map<string, Map<FederatedType, MessageWriter>>();
    for (const series of all) {
      const newest = newestOf(series);
      const name = valueOf(series.labels, METRIC_NAME);
      if (newest === undefined || name === '') continue;
      const type = this.#typeOf(newest.sample);
      if (type === undefined || !isWanted(series.number, type === 'untyped')) continue;
      let family = families.get(name);
      if (family === undefined) families.set(name, (family = new Map()));
      let to = family.get(type);
      if (to === undefined) family.set(type, (to = this.#begin(name, type)));
      if (this.#style.format === 'protobuf') this.#message(to, newest);
      else this.#lines(to, name, newest);
    }
    return joined(families);
  }

  /** How a sample is written; undefined where it is not. */
  #typeOf(sample: Newest['sample']): FederatedType | undefined {
    if (typeof sample === 'number') return 'untyped';
    if (this.#style.format === 'protobuf') return sample.hint === 'gauge' ? 'gaugehistogram' : 'histogram';
    return sample.schema === CUSTOM_SCHEMA ? 'histogram' : undefined;
  }

  #begin(name: string, type: FederatedType): MessageWriter {
    const to = new MessageWriter();
    const key = `${type} ${name}`;
    if (this.#style.format === 'text' && key !== this.#headed) {
      const { utf8 } = this.#style;
      const written = utf8 && !isMetricName(name, 'legacy') ? `"${escapedValue(name)}"` : escapedName(name, utf8);
      to.raw(Buffer.from(`# TYPE ${written} ${type}\n`));
    }
    this.#headed = key;
    return to;
  }

  #message(to: MessageWriter, { labels, timeMs, sample }: Newest): void {
    const metric = to.open(4);
    for (const [name, value] of this.#labelsOf(labels)) {
      const label = to.open(1);
      to.text(1, escapedName(name, this.#style.utf8));
      to.text(2, value);
      to.closeExact(label);
    }
    if (typeof sample === 'number') {
      const untyped = to.open(5);
      doubleField(to, 1, sample);
      to.closeExact(untyped);
    }
    to.head(6, 0);
    to.signed(timeMs);
    if (typeof sample !== 'number') {
      const histogram = to.open(7);
      if (sample.schema === CUSTOM_SCHEMA) writeClassic(to, sample);
      else writeNative(to, sample);
      to.closeExact(histogram);
    }
    to.closeExact(metric);
  }

  #lines(to: MessageWriter, name: string, { labels, timeMs, sample }: Newest): void {
    const line = (suffix: string, value: number, le?: number) => {
      const pairs = this.#labelsOf(labels).map(([label, of]) => this.#pairText(label, of));
      if (le !== undefined) pairs.push(`le="${valueText(le)}"`);
      to.raw(Buffer.from(`${this.#seriesText(name + suffix, pairs)} ${valueText(value)} ${timeMs}\n`));
    };
    if (typeof sample === 'number') {
      line('', sample);
      return;
    }
    for (const [bound, count] of cumulative(sample)) line('_bucket', count, bound);
    if (sample.bounds.at(-1) !== Number.POSITIVE_INFINITY) line('_bucket', sample.count, Number.POSITIVE_INFINITY);
    line('_sum', floatOf(sample.sumBits));
    line('_count', sample.count);
  }

  #seriesText(name: string, pairs: readonly string[]): string {
    const { utf8 } = this.#style;
    if (utf8 && !isMetricName(name, 'legacy')) return `{${[`"${escapedValue(name)}"`, ...pairs].join()}}`;
    return pairs.length === 0 ? escapedName(name, utf8) : `${escapedName(name, utf8)}{${pairs.join()}}`;
  }

  #pairText(name: string, value: string): string {
    return `${exposedLabel(name, this.#style.utf8)}="${escapedValue(value)}"`;
  }

  /** The series' own, and behind them the external ones that it lacks. */
  #labelsOf(labels: Labels): [name: string, value: string][] {
    const own = [...pairsOf(labels)].filter(([name]) => name !== METRIC_NAME);
    const names = new Set(own.map(([name]) => name));
    return [...own, ...[...pairsOf(this.#style.externalLabels)].filter(([name]) => !names.has(name))];
  }
}

function newestOf({ labels, times, values, histograms }: StoredSeries): Newest | undefined {
  const histogram = histograms.at(-1);
  const last = times.length - 1;
  if (histogram !== undefined && (last < 0 || histogram.timeMs > times[last]!)) {
    if (isStaleHistogram(histogram.histogram)) return undefined;
    return { labels, timeMs: histogram.timeMs, sample: histogram.histogram };
  }
  if (last < 0 || isStaleAt(wordsOf(values), last)) return undefined;
  return { labels, timeMs: times[last]!, sample: values[last]! };
}

/** Families in the order of their names, of each its types in theirs. */
function joined(families: Map<string, Map<FederatedType, MessageWriter>>): {
  text: ArrayBuffer;
  blocks: FederatedBlock[];
} {
  const parts: Uint8Array[] = [];
  const blocks: FederatedBlock[] = [];
  let offset = 0;
  for (const name of [...families.keys()].sort(compareStrings)) {
    const family = families.get(name)!;
    for (const type of TYPES) {
      const part = family.get(type)?.finish();
      if (part === undefined) continue;
      parts.push(part);
      blocks.push({ name, type, offset, bytes: part.length });
      offset += part.length;
    }
  }
  const text = new Uint8Array(offset);
  parts.forEach((part, i) => void text.set(part, blocks[i]!.offset));
  return { text: text.buffer, blocks };
}

/** io.prometheus.client.Histogram of one with exponential buckets. */
function writeNative(to: MessageWriter, histogram: StoredHistogram): void {
  doubleField(to, 2, floatOf(histogram.sumBits));
  doubleField(to, 4, histogram.count);
  to.head(5, 0);
  to.zigzag(histogram.schema);
  doubleField(to, 6, histogram.zeroThreshold);
  doubleField(to, 8, histogram.zeroCount);
  writeSpans(to, 9, histogram.negativeSpans);
  for (const count of histogram.negative) doubleField(to, 11, count);
  writeSpans(to, 12, isRecognized(histogram) ? histogram.positiveSpans : EMPTY_SPAN);
  for (const count of histogram.positive) doubleField(to, 14, count);
}

/** Readers take a histogram for a classic one unless it has a threshold or spans: an empty one says that it is none. */
const EMPTY_SPAN: readonly Span[] = [{ offset: 0, length: 0 }];

function isRecognized({ zeroThreshold, positiveSpans, negativeSpans }: StoredHistogram): boolean {
  return zeroThreshold > 0 || positiveSpans.length + negativeSpans.length > 0;
}

/** The same of one with bounds of its own; the bucket of +Inf is the count. */
function writeClassic(to: MessageWriter, histogram: StoredHistogram): void {
  doubleField(to, 2, floatOf(histogram.sumBits));
  for (const [bound, count] of cumulative(histogram)) {
    const bucket = to.open(3);
    doubleField(to, 2, bound);
    doubleField(to, 4, count);
    to.closeExact(bucket);
  }
  doubleField(to, 4, histogram.count);
}

/** How many observations are at or below each bound. */
function* cumulative({ bounds, positiveSpans, positive }: StoredHistogram): Generator<[bound: number, count: number]> {
  const indices = bucketIndices(positiveSpans);
  let at = 0;
  let count = 0;
  for (let i = 0; i < bounds.length; i++) {
    while (at < indices.length && indices[at]! < i) at++;
    if (indices[at] === i) count += positive[at]!;
    yield [bounds[i]!, count];
  }
}

function writeSpans(to: MessageWriter, field: number, spans: readonly Span[]): void {
  for (const { offset, length } of spans) {
    const span = to.open(field);
    to.head(1, 0);
    to.zigzag(offset);
    to.head(2, 0);
    to.varint(length);
    to.closeExact(span);
  }
}

function doubleField(to: MessageWriter, field: number, value: number): void {
  to.head(field, 1);
  to.double(value);
}

/** The text format knows no negative zero. */
function valueText(value: number): string {
  return formatGeneral(value === 0 ? 0 : value);
}
