// Families of a page as a remote write 1.0 request.
//
//   WriteRequest   1 timeseries   { 1 label { 1 name, 2 value } …, 2 sample { 1 value, 2 time } }
//                  3 metadata     { 1 type, 2 family, 4 help }

import { DOUBLE, MessageWriter, VARINT } from '../../base/message-writer.js';
import type { TextFamily, TextMetric, TextType } from '../../exposition/families.js';
import { compareStrings } from '../../model/labels.js';
import { formatGeneral } from '../../model/number.js';

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
  const request = new MessageWriter();
  const sorted = [...families].sort((a, b) => compareStrings(a.name, b.name));
  for (const { name, type, help, metrics } of sorted) {
    writeMessage(request, 3, () => {
      writeNumber(request, 1, TYPES.get(type) ?? 0);
      writeText(request, 2, name);
      writeText(request, 4, help ?? '');
    });
    for (const metric of metrics) {
      for (const { suffix, label, value } of seriesOf(type, metric)) {
        const labels = labelsOf(name + suffix, metric, label, options.labels);
        writeMessage(request, 1, () => {
          for (const [labelName, text] of labels) {
            writeMessage(request, 1, () => {
              writeText(request, 1, labelName);
              writeText(request, 2, text);
            });
          }
          writeMessage(request, 2, () => {
            writeDouble(request, 1, value);
            writeNumber(request, 2, metric.timeMs || options.nowMs);
          });
        });
      }
    }
  }
  return request.finish();
}

function writeMessage(to: MessageWriter, field: number, fill: () => void): void {
  const start = to.open(field);
  fill();
  to.closeExact(start);
}

// Fields that are empty are left out, as Go has it.

function writeText(to: MessageWriter, field: number, text: string): void {
  if (text !== '') to.text(field, text);
}

function writeNumber(to: MessageWriter, field: number, value: number): void {
  if (value === 0) return;
  to.head(field, VARINT);
  to.signed(value);
}

function writeDouble(to: MessageWriter, field: number, value: number): void {
  if (Object.is(value, 0)) return;
  to.head(field, DOUBLE);
  to.double(value);
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
