// Labels, times, values and histograms in JSON, as Prometheus's API writes them: straight into text.

import type { Bucket, FloatHistogram } from './histogram.js';
import type { Labels } from './labels.js';
import { formatJsonFloat } from './number.js';

/** `{"__name__":"up","job":"a"}` */
export function labelsJson(labels: Labels): string {
  let text = '{';
  for (let i = 0; i < labels.length; i += 2) {
    if (i > 0) text += ',';
    text += `${stringJson(labels[i]!)}:${stringJson(labels[i + 1]!)}`;
  }
  return `${text}}`;
}

/** What JSON escapes in a string, and surrogates, of which it escapes those without their other half. */
const SPECIAL = /["\\\u0000-\u001f\ud800-\udfff]/;

/** As JSON.stringify, which takes twice as long to find that there is nothing to escape. */
function stringJson(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** Seconds, with all three decimals where there are any: `1435781430.781`, `1.500`, `2`. */
export function timestampJson(timeMs: number): string {
  const sign = timeMs < 0 ? '-' : '';
  const size = Math.abs(timeMs);
  const seconds = Math.floor(size / 1000);
  const ms = size - seconds * 1000;
  return ms === 0 ? `${sign}${seconds}` : `${sign}${seconds}.${String(ms).padStart(3, '0')}`;
}

/** `"1.5"`, `"+Inf"` */
export function valueJson(value: number): string {
  // Between these sizes JavaScript writes plain decimals with the same digits as Go: nearly all values take this path.
  const size = value < 0 ? -value : value;
  if (size >= 1e-6 && size < 1e21) return `"${value}"`;
  return `"${formatJsonFloat(value)}"`;
}

/** `{"count":"3","sum":"4.5","buckets":[[3,"-0.001","0.001","1"],[0,"0.5","1","2"]]}`, empty buckets left out. */
export function histogramJson(histogram: FloatHistogram): string {
  const buckets: string[] = [];
  for (const bucket of histogram.buckets()) {
    if (bucket.count === 0) continue;
    const { lower, upper, count } = bucket;
    const rule = boundaryRule(bucket, histogram.isCustom);
    buckets.push(`[${rule},${valueJson(lower)},${valueJson(upper)},${valueJson(count)}]`);
  }
  const list = buckets.length === 0 ? '' : `,"buckets":[${buckets.join(',')}]`;
  return `{"count":${valueJson(histogram.count)},"sum":${valueJson(histogram.sum)}${list}}`;
}

/** Which bounds belong to a bucket, in the API's numbers: 0 the upper, 1 the lower, 3 both. */
function boundaryRule({ lower, upper }: Bucket, isCustom: boolean): 0 | 1 | 3 {
  if (isCustom) return lower === -Infinity ? 3 : 0;
  if (lower === -upper) return 3;
  return lower < 0 ? 1 : 0;
}
