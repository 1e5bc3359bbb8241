// /api/v1/status/self_metrics: our own metrics as JSON, in the form that protobuf's messages of metrics have as JSON:
// counts as text, numbers that JSON lacks as text, labels as a list.

import type { Labels } from '../../model/labels.js';
import { compilePattern, PatternError } from '../../model/matcher.js';
import type { MetricFamily, MetricType, Point } from '../../telemetry/metrics.js';
import { badData } from '../errors.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData } from './call.js';

export const selfMetricRoutes: readonly ApiRoute[] = [
  { pattern: '/status/self_metrics', methods: GET, handler: selfMetrics },
];

async function selfMetrics(call: ApiCall): Promise<void> {
  const isWanted = patternParameter(call.params.get('metric_name_pattern'));
  const families = (await call.deps.selfMetrics()).filter(({ name }) => isWanted(name));
  await sendData(call, listJson(families.map(familyJson).filter((json) => json !== undefined)));
}

function patternParameter(text: string): (name: string) => boolean {
  if (text === '') return () => true;
  try {
    return compilePattern(text);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw badData(`invalid metric_name_pattern: ${error.message}`);
  }
}

/** undefined where it has no metric. */
function familyJson(family: MetricFamily): string | undefined {
  const metrics = [...metricsOf(family.points())].map((points) => metricJson(family.type, points));
  if (metrics.length === 0) return undefined;
  return objectJson([
    ['name', JSON.stringify(family.name)],
    ['help', JSON.stringify(family.help)],
    ['type', `"${family.type.toUpperCase()}"`],
    ['metric', listJson(metrics)],
  ]);
}

/** Points of one metric stand together: those of a histogram and a summary differ in `le` and `quantile` only. */
function* metricsOf(points: Iterable<Point>): Generator<Point[]> {
  let metric: Point[] = [];
  let key = '';
  for (const point of points) {
    const own = JSON.stringify(ownLabels(point.labels));
    if (metric.length > 0 && own !== key) {
      yield metric;
      metric = [];
    }
    key = own;
    metric.push(point);
  }
  if (metric.length > 0) yield metric;
}

function ownLabels(labels: Labels): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < labels.length; i += 2) {
    if (labels[i] !== 'le' && labels[i] !== 'quantile') pairs.push([labels[i]!, labels[i + 1]!]);
  }
  return pairs;
}

function metricJson(type: MetricType, points: readonly Point[]): string {
  const labels = ownLabels(points[0]!.labels).map(([name, value]) => JSON.stringify({ name, value }));
  return objectJson([
    ...(labels.length > 0 ? [['label', listJson(labels)] as const] : []),
    [type, valueJson(type, points)],
  ]);
}

function valueJson(type: MetricType, points: readonly Point[]): string {
  if (type !== 'histogram' && type !== 'summary') return objectJson([['value', numberJson(points[0]!.value)]]);
  const of = (suffix: Point['suffix']) => points.filter((point) => point.suffix === suffix);
  const parts = type === 'histogram' ? of('_bucket').map(bucketJson) : of('').map(quantileJson);
  return objectJson([
    ['sampleCount', `"${of('_count')[0]?.value ?? 0}"`],
    ['sampleSum', numberJson(of('_sum')[0]?.value ?? 0)],
    [type === 'histogram' ? 'bucket' : 'quantile', listJson(parts)],
  ]);
}

function bucketJson({ labels, value }: Point): string {
  return objectJson([
    ['cumulativeCount', `"${value}"`],
    ['upperBound', numberJson(numberOf(valueBehind(labels, 'le')))],
  ]);
}

function quantileJson({ labels, value }: Point): string {
  return objectJson([
    ['quantile', numberJson(numberOf(valueBehind(labels, 'quantile')))],
    ['value', numberJson(value)],
  ]);
}

function valueBehind(labels: Labels, name: string): string {
  return labels[labels.indexOf(name) + 1]!;
}

function numberOf(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
}

function numberJson(value: number): string {
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}
