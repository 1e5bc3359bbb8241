// Templates that the real promtool rendered, and where it did.

import type { TemplateSample } from '../../src/template/expand.js';
import { readTestdata, testdata } from './testdata.js';

export const RECORDED_FILE = testdata('templates/recorded.json');

export interface Recorded {
  /** What templates.txt gave, one text each. */
  readonly texts: readonly string[];
  /** What was wrong with those of bad-templates.txt; null where nothing was, against expectation. */
  readonly faults: readonly (string | null)[];
}

export function recorded(): Recorded {
  return JSON.parse(readTestdata('templates/recorded.json')) as Recorded;
}

export function rendered(): readonly string[] {
  return templatesOf('templates.txt');
}

export function broken(): readonly string[] {
  return templatesOf('bad-templates.txt');
}

/** Templates are parted by lines of `====`. */
function templatesOf(name: string): readonly string[] {
  return readTestdata(`templates/${name}`)
    .replace(/\n$/, '')
    .split(/\n====\n/);
}

export function alertName(index: number): string {
  return `T${String(index + 1).padStart(3, '0')}`;
}

/** What templates see: that of a rule evaluated at one minute. */
export const CONTEXT = {
  expr: 'm',
  /** Values at 0 and at one minute. */
  series: [
    ['m{instance="web-1.example.com:9100",job="node",zone="a"}', '3.5 1234567.5'],
    ['up{instance="b"}', '1 1'],
    ['up{instance="a"}', '1 0'],
    ['hist', '{{schema:0 count:6 sum:12.5 z_bucket:1 z_bucket_w:0.001 buckets:[2 3]}}x1'],
  ],
  labels: ['__name__', 'm', 'instance', 'web-1.example.com:9100', 'job', 'node', 'zone', 'a'],
  externalLabels: { region: 'eu', replica: '1' },
  externalUrl: 'http://prom.example.com:9090/path',
  value: 1234567.5,
  timeMs: 60_000,
} as const;

/** What the queries of the templates find there. */
export function answerOf(expr: string, histogram: TemplateSample['value']): readonly TemplateSample[] {
  const up = (instance: string, value: number): TemplateSample => {
    return { labels: ['__name__', 'up', 'instance', instance], value };
  };
  const plain = (value: number): TemplateSample => ({ labels: [], value });
  switch (expr) {
    case 'up':
    case 'sort(up)':
      return [up('a', 0), up('b', 1)];
    case 'sort_desc(up)':
      return [up('b', 1), up('a', 0)];
    case "up{instance='a'}":
      return [up('a', 0)];
    case "up{instance='b'}":
    case 'up{instance="b"}':
      return [up('b', 1)];
    case 'vector(time())':
      return [plain(60)];
    case "scalar(up{instance='a'})":
      return [plain(0)];
    case '1 + 1':
      return [plain(2)];
    case "label_replace(vector(1), '__value__', 'v', '', '')":
      return [{ labels: ['__value__', 'v'], value: 1 }];
    case 'hist':
      return [{ labels: ['__name__', 'hist'], value: histogram }];
    case 'up{':
      throw new Error('1:4: parse error: unexpected end of input inside braces');
    case 'up[5m]':
      throw new Error('rule result is not a vector or scalar');
    case "'text'":
      throw new Error('rule result is not a vector or scalar');
    default:
      return [];
  }
}
