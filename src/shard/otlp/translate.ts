// An OTLP export as series: names, labels, samples, histograms, exemplars, and what is known of metrics.
//
//   sum, gauge    name                      summary     name{quantile}, name_sum, name_count
//   histogram     name_bucket{le}, name_sum, name_count, or one native histogram with bounds of its own
//   exponential   one native histogram      resource    target_info
//
// What cannot be translated is left out, and said.

import { compareStrings, type Labels } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import type { StoredHistogram } from '../../model/stored-histogram.js';
import { attributeText } from './attribute-text.js';
import { customHistogram, exponentialHistogram } from './histograms.js';
import { type LabelOptions, PointLabels, targetInfo } from './labels.js';
import type { HistogramPoint, OtlpExemplar, OtlpMetric, OtlpResource, Point } from './model.js';
import { metricName, type NameStyle } from './names.js';

export interface OtlpOptions extends NameStyle, LabelOptions {
  /** Histograms with explicit bounds become native ones. */
  readonly customBuckets: boolean;
  /** What each interval measured alone is taken as it is; otherwise it is refused. */
  readonly deltas: boolean;
}

export interface TranslatedSeries {
  readonly labels: Labels;
  readonly samples: TranslatedSample[];
  readonly histograms: { readonly timeMs: number; readonly histogram: StoredHistogram }[];
  readonly exemplars: TranslatedExemplar[];
}

/** undefined is a stale marker. */
export type TranslatedSample = readonly [timeMs: number, value: number | undefined];

export interface TranslatedExemplar {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly timeMs: number;
  readonly value: number;
}

export interface TranslatedFamily {
  readonly name: string;
  readonly type: 'unknown' | 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
  readonly unit: string;
}

export interface Translated {
  readonly series: readonly TranslatedSeries[];
  readonly families: readonly TranslatedFamily[];
  readonly faults: readonly string[];
}

export function translate(resources: readonly OtlpResource[], options: OtlpOptions): Translated {
  const translation = new Translation(options);
  for (const resource of resources) translation.resource(resource);
  return translation.finish();
}

const EXEMPLAR_CHARACTERS_MAX = 128;

class Translation {
  readonly #options: OtlpOptions;
  readonly #series = new Map<string, TranslatedSeries>();
  readonly #families: TranslatedFamily[] = [];
  readonly #faults: string[] = [];

  constructor(options: OtlpOptions) {
    this.#options = options;
  }

  finish(): Translated {
    return { series: [...this.#series.values()], families: this.#families, faults: this.#faults };
  }

  resource({ attributes, scopes }: OtlpResource): void {
    let newestMs = 0;
    for (const scope of scopes) {
      const labels = new PointLabels(attributes, scope, this.#options);
      for (const metric of scope.metrics) {
        for (const { timeMs } of pointsOf(metric)) newestMs = Math.max(newestMs, timeMs);
        this.#metric(metric, labels);
      }
    }
    if (newestMs === 0) return;
    const info = targetInfo(attributes, this.#options);
    if (info !== undefined) this.#at(info).samples.push([newestMs, 1]);
  }

  #metric(metric: OtlpMetric, labels: PointLabels): void {
    const fault = this.#faultOf(metric);
    if (fault !== undefined) {
      this.#faults.push(fault);
      return;
    }
    const name = metricName(metric, this.#options);
    this.#families.push({ name, type: typeOf(metric), help: metric.description, unit: metric.unit });
    if (pointsOf(metric).length === 0) {
      this.#faults.push(`empty data points. ${metric.name} is dropped`);
      return;
    }
    switch (metric.kind) {
      case 'gauge':
        for (const point of metric.points) this.#number(labels.of(point.attributes, name), point, point.value);
        return;
      case 'sum':
        for (const point of metric.points) {
          const series = this.#number(labels.of(point.attributes, name), point, point.value);
          series.exemplars.push(...this.#exemplars(point.exemplars));
        }
        return;
      case 'histogram':
        for (const point of metric.points) {
          if (!this.#options.customBuckets) this.#classic(labels, name, point);
          else this.#native(labels.of(point.attributes, name), point, customHistogram(point, metric.temporality));
        }
        return;
      case 'exponential':
        for (const point of metric.points) {
          this.#native(labels.of(point.attributes, name), point, exponentialHistogram(point, metric.temporality));
        }
        return;
      case 'summary':
        for (const point of metric.points) {
          const { attributes } = point;
          this.#number(labels.of(attributes, `${name}_sum`), point, point.sum);
          this.#number(labels.of(attributes, `${name}_count`), point, point.count);
          for (const [quantile, value] of point.quantiles) {
            this.#number(labels.of(attributes, name, [['quantile', formatFloat(quantile)]]), point, value);
          }
        }
    }
  }

  /** Why nothing of a metric is taken. */
  #faultOf(metric: OtlpMetric): string | undefined {
    if (metric.kind === 'none') return `unsupported metric type of ${metric.name}`;
    if (metric.kind === 'gauge' || metric.kind === 'summary' || metric.temporality === 'cumulative') return undefined;
    if (metric.temporality === 'delta' && this.#options.deltas) return undefined;
    return `invalid temporality and type combination for metric "${metric.name}"`;
  }

  #number(labels: Labels, { timeMs, isStale }: Point, value: number): TranslatedSeries {
    const series = this.#at(labels);
    series.samples.push([timeMs, isStale ? undefined : value]);
    return series;
  }

  #classic(labels: PointLabels, name: string, point: HistogramPoint): void {
    const { attributes, bounds, counts, count, sum } = point;
    if (sum !== undefined) this.#number(labels.of(attributes, `${name}_sum`), point, sum);
    this.#number(labels.of(attributes, `${name}_count`), point, count);
    const buckets: { readonly bound: number; readonly series: TranslatedSeries }[] = [];
    const bucket = (bound: number, le: string, below: number) => {
      const series = this.#number(labels.of(attributes, `${name}_bucket`, [['le', le]]), point, below);
      buckets.push({ bound, series });
    };
    let below = 0;
    for (let i = 0; i < bounds.length && i < counts.length; i++) {
      below += counts[i]!;
      bucket(bounds[i]!, formatFloat(bounds[i]!), below);
    }
    bucket(Number.POSITIVE_INFINITY, '+Inf', count);
    buckets.sort((a, b) => a.bound - b.bound);
    for (const exemplar of this.#exemplars(point.exemplars)) {
      buckets.find(({ bound }) => exemplar.value <= bound)?.series.exemplars.push(exemplar);
    }
  }

  #native(
    labels: Labels,
    point: Point & { readonly exemplars: readonly OtlpExemplar[] },
    histogram: StoredHistogram | string,
  ): void {
    if (typeof histogram === 'string') {
      this.#faults.push(histogram);
      return;
    }
    const series = this.#at(labels);
    series.histograms.push({ timeMs: point.timeMs, histogram });
    series.exemplars.push(...this.#exemplars(point.exemplars));
  }

  #exemplars(all: readonly OtlpExemplar[]): TranslatedExemplar[] {
    return all.flatMap(({ timeMs, value, traceId, spanId, attributes }) => {
      if (value === undefined) {
        this.#faults.push('an exemplar without a value');
        return [];
      }
      const ids = [['trace_id', traceId] as const, ['span_id', spanId] as const].filter(([, id]) => id !== '');
      const filtered = attributes.map(([key, one]) => [key, attributeText(one)] as const);
      const whole = [...ids, ...filtered];
      const characters = whole.flat().reduce((sum, text) => sum + [...text].length, 0);
      const pairs = characters <= EXEMPLAR_CHARACTERS_MAX ? whole : ids;
      return [{ labels: [...pairs].sort(([a], [b]) => compareStrings(a, b)), timeMs, value }];
    });
  }

  /** The series of a label set: points of one come from several metrics, perhaps. */
  #at(labels: Labels): TranslatedSeries {
    const key = labels.join('\0');
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels, samples: [], histograms: [], exemplars: [] };
      this.#series.set(key, series);
    }
    return series;
  }
}

function pointsOf(metric: OtlpMetric): readonly Point[] {
  return metric.kind === 'none' ? [] : metric.points;
}

/** What each interval measured alone has no type of its own. */
function typeOf(metric: OtlpMetric): TranslatedFamily['type'] {
  switch (metric.kind) {
    case 'none':
      return 'unknown';
    case 'gauge':
    case 'summary':
      return metric.kind;
    case 'sum':
      if (metric.temporality === 'delta') return 'unknown';
      return metric.isMonotonic ? 'counter' : 'gauge';
    default:
      return metric.temporality === 'delta' ? 'unknown' : 'histogram';
  }
}
