// Families of a page as a remote write 1.0 request.
//
//   WriteRequest   1 timeseries   { 1 label { 1 name, 2 value } …, 2 sample { 1 value, 2 time } }
//                  3 metadata     { 1 type, 2 family, 4 help }

import type { TextFamily, TextMetric, TextType } from '../../exposition/families.js';
import { compareStrings } from '../../model/labels.js';
import { formatGeneral } from '../../model/number.js';
import { Message } from './message.js';

export interface PageOptions {
  /** In all series; those of the page win. */
  readonly labels: ReadonlyMap<string, string>;
  /** Of samples without a time. */
  readonly nowMs: number;
}

const TYPES: ReadonlyMap<TextType | undefined, number> = new Map([
  ['counter', 1],
  ['gauge', 2],
  ['histogram', 3],
  ['summary', 6],
]);

/** By name of the family, whose parts stay together. */
export function encodePage(families: readonly TextFamily[], options: PageOptions): Uint8Array {
  const request = new Message();
  const sorted = [...families].sort((a, b) => compareStrings(a.name, b.name));
  for (const { name, type, help, metrics } of sorted) {
    request.message(3, (metadata) => {
      metadata.number(1, TYPES.get(type) ?? 0);
      metadata.text(2, name);
      metadata.text(4, help ?? '');
    });
    for (const metric of metrics) {
      for (const { suffix, label, value } of seriesOf(type, metric)) {
        const labels = labelsOf(name + suffix, metric, label, options.labels);
        request.message(1, (series) => {
          for (const [labelName, text] of labels) {
            series.message(1, (pair) => {
              pair.text(1, labelName);
              pair.text(2, text);
            });
          }
          series.message(2, (sample) => {
            sample.float(1, value);
            sample.number(2, metric.timeMs || options.nowMs);
          });
        });
      }
    }
  }
  return request.bytes();
}

interface Part {
  readonly suffix: string;
  readonly label?: readonly [name: string, value: string];
  readonly value: number;
}

function seriesOf(type: TextType | undefined, { value, parts, sum, count }: TextMetric): readonly Part[] {
  const totals = [
    { suffix: '_sum', value: sum },
    { suffix: '_count', value: count },
  ];
  switch (type) {
    case 'summary':
      return [...parts.map((part) => partOf('', 'quantile', part.bound, part.value)), ...totals];
    case 'histogram':
    case 'gauge_histogram': {
      const buckets = parts.map((part) => partOf('_bucket', 'le', part.bound, part.value));
      const isWhole = parts.some(({ bound }) => bound === Number.POSITIVE_INFINITY);
      return [...buckets, ...(isWhole ? [] : [partOf('_bucket', 'le', Number.POSITIVE_INFINITY, count)]), ...totals];
    }
    default:
      return [{ suffix: '', value }];
  }
}

function partOf(suffix: string, label: string, bound: number, value: number): Part {
  return { suffix, label: [label, formatGeneral(bound)], value };
}

/** By name. The job is that of the push. */
function labelsOf(
  name: string,
  metric: TextMetric,
  label: Part['label'],
  common: ReadonlyMap<string, string>,
): readonly (readonly [string, string])[] {
  const own = metric.labels.map(([key, value]) => [key === 'job' ? 'exported_job' : key, value] as const);
  const all = new Map([['__name__', name], ...common, ...own, ...(label === undefined ? [] : [label])]);
  return [...all].sort(([a], [b]) => compareStrings(a, b));
}
