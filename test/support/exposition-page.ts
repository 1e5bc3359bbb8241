// Pages of metrics as data, written in the formats that targets speak.

export type FamilyType =
  | 'counter'
  | 'gauge'
  | 'summary'
  | 'untyped'
  | 'histogram'
  | 'gaugehistogram'
  | 'info'
  | 'stateset';

export interface PageExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timeMs?: number;
}

export interface PageMetric {
  readonly labels?: Readonly<Record<string, string>>;
  /** Of counters, gauges and untyped ones. */
  readonly value?: number;
  readonly timeMs?: number;
  readonly createdMs?: number;
  readonly exemplar?: PageExemplar;
  /** Of summaries and histograms. */
  readonly count?: number;
  readonly sum?: number;
  readonly quantiles?: readonly (readonly [quantile: number, value: number])[];
  readonly buckets?: readonly (readonly [bound: number, count: number, exemplar?: PageExemplar])[];
  readonly native?: PageNative;
}

/** Of a native histogram; of protobuf alone. */
export interface PageNative {
  readonly schema: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly positiveSpans: readonly (readonly [offset: number, length: number])[];
  readonly positive: readonly number[];
  readonly negativeSpans?: readonly (readonly [offset: number, length: number])[];
  readonly negative?: readonly number[];
  readonly isFloat?: boolean;
  readonly exemplars?: readonly PageExemplar[];
}

export interface PageFamily {
  /** Without `_total`. */
  readonly name: string;
  readonly help?: string;
  readonly unit?: string;
  readonly type: FamilyType;
  readonly metrics: readonly PageMetric[];
}

/** As OpenMetrics 1.0.0. */
export function openMetricsPage(families: readonly PageFamily[]): string {
  return `${families.map(openMetricsFamily).join('')}# EOF\n`;
}

function openMetricsFamily({ name, help, unit, type, metrics }: PageFamily): string {
  const plain = /^[a-zA-Z_:][\w:]*$/.test(name) ? name : `"${name}"`;
  return [
    `# TYPE ${plain} ${type === 'untyped' ? 'unknown' : type}\n`,
    unit === undefined ? '' : `# UNIT ${plain} ${unit}\n`,
    help === undefined ? '' : `# HELP ${plain} ${escaped(help)}\n`,
    ...metrics.flatMap((metric) => linesOf(name, type, metric)),
  ].join('');
}

function linesOf(name: string, type: FamilyType, metric: PageMetric): string[] {
  const { labels = {}, value, timeMs, createdMs, exemplar, count, sum, quantiles = [], buckets = [] } = metric;
  const time = timeMs === undefined ? '' : ` ${timeMs / 1000}`;
  const line = (suffix: string, of: number, more: Readonly<Record<string, string>> = {}, note?: PageExemplar) =>
    `${seriesText(name + suffix, { ...labels, ...more })} ${numberText(of)}${time}${exemplarText(note)}\n`;
  const created = createdMs === undefined ? [] : [line('_created', createdMs / 1000)];
  switch (type) {
    case 'counter':
      return [line('_total', value!, {}, exemplar), ...created];
    case 'info':
      return [line('_info', 1)];
    case 'summary':
      return [
        ...quantiles.map(([quantile, of]) => line('', of, { quantile: numberText(quantile) })),
        line('_sum', sum!),
        line('_count', count!),
        ...created,
      ];
    case 'histogram':
    case 'gaugehistogram': {
      const g = type === 'histogram' ? '' : 'g';
      return [
        ...buckets.map(([bound, of, note]) => line('_bucket', of, { le: numberText(bound) }, note)),
        line(`_${g}sum`, sum!),
        line(`_${g}count`, count!),
        ...created,
      ];
    }
    default:
      return [line('', value!, {}, exemplar)];
  }
}

function exemplarText(exemplar: PageExemplar | undefined): string {
  if (exemplar === undefined) return '';
  const { labels, value, timeMs } = exemplar;
  return ` # {${pairsText(labels)}} ${numberText(value)}${timeMs === undefined ? '' : ` ${timeMs / 1000}`}`;
}

function seriesText(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = pairsText(labels);
  if (/^[a-zA-Z_:][\w:]*$/.test(name)) return pairs === '' ? name : `${name}{${pairs}}`;
  return pairs === '' ? `{"${escaped(name)}"}` : `{"${escaped(name)}",${pairs}}`;
}

function pairsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${/^[a-zA-Z_]\w*$/.test(name) ? name : `"${name}"`}="${escaped(value)}"`)
    .join(',');
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
