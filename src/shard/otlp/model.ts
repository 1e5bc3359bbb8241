// An OTLP export of metrics, as both of its codings are read.
//
//   resource ─ attributes
//     └ scope
//         └ metric ─ name, unit, kind
//             └ points ─ attributes, time, what was measured

/** undefined: no value was given. Integers are bigint, floats numbers. */
export type AnyValue =
  | undefined
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | readonly AnyValue[]
  | ReadonlyMap<string, AnyValue>;

/** In the order sent; a key may come twice. */
export type Attributes = readonly (readonly [key: string, value: AnyValue])[];

export interface OtlpResource {
  readonly attributes: Attributes;
  readonly scopes: readonly OtlpScope[];
}

export interface OtlpScope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: Attributes;
  readonly metrics: readonly OtlpMetric[];
}

export type OtlpMetric = MetricHead & MetricData;

export interface MetricHead {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
}

/** `none`: of a kind that is not known. */
export type MetricData =
  | { readonly kind: 'none' }
  | { readonly kind: 'gauge'; readonly points: readonly NumberPoint[] }
  | ({ readonly kind: 'sum'; readonly isMonotonic: boolean; readonly points: readonly NumberPoint[] } & Temporal)
  | ({ readonly kind: 'histogram'; readonly points: readonly HistogramPoint[] } & Temporal)
  | ({ readonly kind: 'exponential'; readonly points: readonly ExponentialPoint[] } & Temporal)
  | { readonly kind: 'summary'; readonly points: readonly SummaryPoint[] };

interface Temporal {
  readonly temporality: Temporality;
}

export type Temporality = 'unspecified' | 'delta' | 'cumulative';

export interface Point {
  readonly attributes: Attributes;
  readonly timeMs: number;
  /** Nothing was measured: the series ends here. */
  readonly isStale: boolean;
}

export interface NumberPoint extends Point {
  readonly value: number;
  readonly exemplars: readonly OtlpExemplar[];
}

export interface HistogramPoint extends Point {
  readonly count: number;
  readonly sum: number | undefined;
  readonly bounds: readonly number[];
  /** One more than the bounds. */
  readonly counts: readonly number[];
  readonly exemplars: readonly OtlpExemplar[];
}

export interface ExponentialPoint extends Point {
  readonly count: number;
  readonly sum: number | undefined;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: ExponentialBuckets;
  readonly negative: ExponentialBuckets;
  readonly exemplars: readonly OtlpExemplar[];
}

export interface ExponentialBuckets {
  readonly offset: number;
  readonly counts: readonly number[];
}

export interface SummaryPoint extends Point {
  readonly count: number;
  readonly sum: number;
  readonly quantiles: readonly (readonly [quantile: number, value: number])[];
}

export interface OtlpExemplar {
  readonly timeMs: number;
  /** undefined: none was given. */
  readonly value: number | undefined;
  /** Hexadecimal, empty where there is none. */
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** The flag of a point at which nothing was measured. */
export const NO_RECORDED_VALUE = 1;

export const TEMPORALITIES: readonly Temporality[] = ['unspecified', 'delta', 'cumulative'];
