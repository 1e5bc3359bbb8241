// Warnings and infos of a query, in Prometheus's words and with positions:
//
//   PromQL info: metric might not be a counter, name does not end in … "up" (1:6)

import { formatGeneral } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import { formatTime } from '../../model/time.js';
import type { BinaryOp, Span } from '../syntax/ast.js';
import { lineColumn } from '../syntax/errors.js';
import type { Note, NoteKind } from './source.js';

type Severity = 'warning' | 'info';

interface Annotation {
  readonly severity: Severity;
  readonly text: string;
  readonly pos: Span;
  readonly forced?: ForcedMonotonicity;
}

/** Where histogram_quantile had to repair buckets, over all the times it did. */
export interface ForcedMonotonicity {
  readonly minBucket: number;
  readonly maxBucket: number;
  readonly maxDifference: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
}

const MIXED_TYPES = 'encountered a mix of histograms and floats for';
const MIXED_SCHEMAS = 'vector contains a mix of histograms with exponential and custom buckets schemas for metric name';

const NOTES: Record<NoteKind, readonly [Severity, (metric: string, aggregation: string, type: string) => string]> = {
  'mixed-types': ['warning', (metric) => `${MIXED_TYPES} metric name ${metric}`],
  'mixed-schemas': ['warning', (metric) => `${MIXED_SCHEMAS} ${metric}`],
  'histograms-ignored': [
    'info',
    (metric) => `ignored histograms in a range containing both floats and histograms for metric name ${metric}`,
  ],
  'not-counter': ['warning', (metric) => `this native histogram metric is not a counter: ${metric}`],
  'not-gauge': ['warning', (metric) => `this native histogram metric is not a gauge: ${metric}`],
  'reconciled-addition': ['info', () => reconciled('addition')],
  'reconciled-subtraction': ['info', () => reconciled('subtraction')],
  'reconciled-aggregation': ['info', () => reconciled('aggregation')],
  'reset-collision': ['warning', () => collision('aggregation')],
  'start-overlap': [
    'warning',
    (metric) => `sample has start time that overlaps with previous sample timestamp for metric ${metric}`,
  ],
  'aggregation-mixed': ['warning', () => `${MIXED_TYPES} aggregation`],
  'aggregation-ignored': ['info', (_, aggregation) => `ignored histogram in ${aggregation} aggregation`],
  'aggregation-schemas': ['warning', (metric) => `${MIXED_SCHEMAS} ${metric}`],
  'aggregation-reconciled': ['info', () => reconciled('aggregation')],
  'aggregation-collision': ['warning', () => collision('aggregation')],
  'no-counter-name': [
    'info',
    (metric) => `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${metric}`,
  ],
  'no-counter-type': [
    'info',
    (metric, _, type) =>
      `metric might not be a counter, __type__ label is not set to "counter" or "histogram", got ${type}: ${metric}`,
  ],
};

export function reconciled(operation: 'addition' | 'subtraction' | 'aggregation'): string {
  return `mismatched custom buckets were reconciled during ${operation}`;
}

export function collision(operation: 'addition' | 'subtraction' | 'aggregation'): string {
  return `conflicting counter resets during histogram ${operation}`;
}

/**
 * What was remarked while a query ran. One text is there once, with the position of the place that
 * Prometheus would evaluate last: `at` gives a view for remarks of one place.
 */
export class Annotations {
  readonly #all: Map<string, Annotation & { readonly order: number }>;
  readonly #order: number;

  constructor(all: Map<string, Annotation & { readonly order: number }> = new Map(), order = 0) {
    this.#all = all;
    this.#order = order;
  }

  /** The same annotations, for a place that is evaluated as number `order`. */
  at(order: number): Annotations {
    return new Annotations(this.#all, order);
  }

  warn(text: string, pos: Span): void {
    this.#add({ severity: 'warning', text, pos });
  }

  info(text: string, pos: Span): void {
    this.#add({ severity: 'info', text, pos });
  }

  /** Remarks of a source or a window. Those about an aggregation's input belong elsewhere than the others. */
  notes(notes: readonly Note[] | undefined, pos: Span, aggregation?: { op: string; pos: Span }): void {
    for (const { kind, metric, type = '' } of notes ?? []) {
      const [severity, words] = NOTES[kind];
      const place = kind.startsWith('aggregation-') && aggregation !== undefined ? aggregation.pos : pos;
      this.#add({ severity, text: words(quote(metric), aggregation?.op ?? '', quote(type)), pos: place });
    }
  }

  quantileOutOfRange(phi: number, pos: Span): void {
    this.warn(`quantile value should be between 0 and 1, got ${formatGeneral(phi)}`, pos);
  }

  ratioOutOfRange(ratio: number, cappedTo: number, pos: Span): void {
    const got = formatGeneral(ratio);
    this.warn(`ratio value should be between -1 and 1, got ${got}, capping to ${cappedTo}`, pos);
  }

  badBucketLabel(metric: string, label: string, pos: Span): void {
    const text = `bucket label "le" is missing or has a malformed value of ${quote(label)}`;
    this.warn(text + forMetric(metric), pos);
  }

  classicAndNative(metric: string, pos: Span): void {
    this.warn(`vector contains a mix of classic and native histograms${forMetric(metric)}`, pos);
  }

  incompatibleTypes(left: string, op: BinaryOp, right: string, pos: Span): void {
    const text = `incompatible sample types encountered for binary operator ${quote(op)}: ${left} ${op} ${right}`;
    this.info(text, pos);
  }

  incompatibleBuckets(op: BinaryOp, pos: Span): void {
    this.warn(`incompatible bucket layout encountered for binary operator ${op}`, pos);
  }

  sortInRangeQuery(pos: Span): void {
    this.warn('sort is ineffective for range queries since results are always ordered by labels', pos);
  }

  nanObservations(consequence: string, metric: string, pos: Span): void {
    this.info(`input to ${consequence}${forMetric(metric)}`, pos);
  }

  forcedMonotonicity(metric: string, pos: Span, forced: ForcedMonotonicity): void {
    const url = 'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';
    const text = `input to histogram_quantile needed to be fixed for monotonicity (see ${url})${forMetric(metric)}`;
    this.#add({ severity: 'info', text, pos, forced });
  }

  #add(annotation: Annotation): void {
    const key = `${annotation.severity} ${annotation.text}`;
    const known = this.#all.get(key);
    const latest = known === undefined || known.order <= this.#order ? { ...annotation, order: this.#order } : known;
    const [a, b] = [known?.forced, annotation.forced];
    this.#all.set(key, a && b ? { ...latest, forced: joinForced(a, b) } : latest);
  }

  /** The full texts, in the order in which they arose. `query` is the text that positions refer to. */
  list(query: string): { warnings: string[]; infos: string[] } {
    const texts = (severity: Severity) =>
      [...this.#all.values()].filter((annotation) => annotation.severity === severity).map((one) => render(one, query));
    return { warnings: texts('warning'), infos: texts('info') };
  }
}

function render({ severity, text, pos, forced }: Annotation, query: string): string {
  const { line, column } = lineColumn(query, pos.start);
  return `PromQL ${severity}: ${text}${forced === undefined ? '' : forcedText(forced)} (${line}:${column})`;
}

function forcedText({ minBucket, maxBucket, maxDifference, firstMs, lastMs, count }: ForcedMonotonicity): string {
  const [from, to] = [minBucket, maxBucket].map(formatGeneral);
  const difference = formatGeneral(Number(maxDifference.toPrecision(2)));
  const [first, last] = [firstMs, lastMs].map((timeMs) => formatTime(timeMs).replace(/\.\d+Z$/, 'Z'));
  return `, from buckets ${from} to ${to}, with a max diff of ${difference}, over ${count} samples from ${first} to ${last}`;
}

export function joinForced(a: ForcedMonotonicity, b: ForcedMonotonicity): ForcedMonotonicity {
  return {
    minBucket: Math.min(a.minBucket, b.minBucket),
    maxBucket: Math.max(a.maxBucket, b.maxBucket),
    maxDifference: Math.max(a.maxDifference, b.maxDifference),
    firstMs: Math.min(a.firstMs, b.firstMs),
    lastMs: Math.max(a.lastMs, b.lastMs),
    count: a.count + b.count,
  };
}

function forMetric(metric: string): string {
  return metric === '' ? '' : ` for metric name ${quote(metric)}`;
}
