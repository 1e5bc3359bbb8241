// Start times of pages: which samples of 0 a series gets, where.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { relabelRule } from '../../../src/relabel/rule.js';
import type { ScrapeFormat, TargetOptions } from '../../../src/scrape/appender.js';
import { protobufPage } from '../../support/protobuf-page.js';
import { ScrapeRig } from '../../support/scraped.js';

/** A page and when it is scraped, in ms; undefined: the scrape fails. */
type Scrape = readonly [timeMs: number, page: string | undefined, format?: ScrapeFormat];

interface Case {
  readonly name: string;
  readonly scrapes: readonly Scrape[];
  readonly stored: Record<string, string>;
  readonly target?: Partial<TargetOptions>;
}

const COUNTER = '# TYPE a counter\n';
const counter = (value: number, createdSeconds: number | string, labels = '') =>
  `${COUNTER}a_total${labels} ${value}\na_created${labels} ${createdSeconds}\n`;

const cases: Case[] = [
  { name: 'a counter', scrapes: [[9000, counter(5, 7)]], stored: { a_total: '7000: 0 9000: 5' } },
  {
    name: 'the same page again',
    scrapes: [
      [9000, counter(5, 7)],
      [10_000, counter(6, 7)],
      [11_000, counter(7, 7)],
    ],
    stored: { a_total: '7000: 0 9000: 5 10000: 6 11000: 7' },
  },
  {
    name: 'it begins anew',
    scrapes: [
      [9000, counter(5, 7)],
      [10_000, counter(1, 9.5)],
      [11_000, counter(2, 9.5)],
    ],
    stored: { a_total: '7000: 0 9000: 5 9500: 0 10000: 1 11000: 2' },
  },
  {
    name: 'it begins anew, at the time of the last sample or before',
    scrapes: [
      [9000, counter(5, 7)],
      [10_000, counter(1, 9)],
      [11_000, counter(1, 8)],
    ],
    stored: { a_total: '7000: 0 9000: 5 10000: 1 11000: 1' },
  },
  {
    name: 'it began after the scrape did: the next one knows',
    scrapes: [
      [9000, counter(5, 9.001)],
      [10_000, counter(6, 9.001)],
    ],
    stored: { a_total: '9000: 5 9001: 0 10000: 6' },
  },
  {
    name: 'all parts of histograms and summaries',
    scrapes: [
      [
        9000,
        '# TYPE h histogram\nh_bucket{x="1",le="1"} 1\nh_bucket{x="1",le="+Inf"} 2\nh_count{x="1"} 2\nh_sum{x="1"} 3\n' +
          'h_created{x="1"} 7\n# TYPE s summary\ns{quantile="0.5"} 1\ns_count 1\ns_sum 1\ns_created 8\n',
      ],
    ],
    stored: {
      'h_bucket{le="+Inf",x="1"}': '7000: 0 9000: 2',
      'h_bucket{le="1.0",x="1"}': '7000: 0 9000: 1',
      'h_count{x="1"}': '7000: 0 9000: 2',
      'h_sum{x="1"}': '7000: 0 9000: 3',
      s_count: '8000: 0 9000: 1',
      s_sum: '8000: 0 9000: 1',
      's{quantile="0.5"}': '8000: 0 9000: 1',
    },
  },
  {
    name: 'of other types the lines are series',
    scrapes: [[9000, '# TYPE g gauge\ng 1\ng_created 7\n# TYPE u unknown\nu_total 1\nu_created 7\n']],
    stored: { g: '9000: 1', g_created: '9000: 7', u_created: '9000: 7', u_total: '9000: 1' },
  },
  {
    name: 'of other labels, another name, none',
    scrapes: [
      [
        9000,
        `${COUNTER}a_total{x="1"} 1\na_created{x="2"} 7\na_total{x="3"} 1\na_created 7\na_total{x="4"} 1\nb_created{x="4"} 7\n` +
          'a_total{x="5"} 1\n',
      ],
    ],
    stored: {
      'a_total{x="1"}': '9000: 1',
      'a_total{x="3"}': '9000: 1',
      'a_total{x="4"}': '9000: 1',
      'a_total{x="5"}': '9000: 1',
    },
  },
  {
    name: 'labels are compared as they stand, but for le',
    scrapes: [
      [
        9000,
        '# TYPE h histogram\nh_bucket{le="1",x="1",y="2"} 1\nh_bucket{x="1",le="2",y="2"} 1\nh_bucket{y="2",x="1"} 1\n' +
          'h_count{quantile="1",x="1",y="2"} 1\nh_created{x="1",y="2",} 7\n',
      ],
    ],
    stored: {
      'h_bucket{le="1.0",x="1",y="2"}': '7000: 0 9000: 1',
      'h_bucket{le="2.0",x="1",y="2"}': '7000: 0 9000: 1',
      'h_bucket{x="1",y="2"}': '9000: 1',
      'h_count{quantile="1",x="1",y="2"}': '9000: 1',
    },
  },
  {
    name: 'names of UTF-8, and escapes',
    scrapes: [
      [
        9000,
        '# TYPE "a.b" counter\n{"a.b_total","c.d"="x\\"},e=\\\\"} 1\n{"a.b_created","c.d"="x\\"},e=\\\\"} 7\n' +
          '{f="}","a.b_total"} 1\n{"a.b_created",f="}"} 7\n',
      ],
    ],
    stored: { 'a.b_total{c.d="x\\"},e=\\\\"}': '7000: 0 9000: 1', 'a.b_total{f="}"}': '7000: 0 9000: 1' },
  },
  {
    name: 'what follows the line has it, too',
    scrapes: [[9000, '# TYPE h histogram\nh_bucket{le="1"} 1\nh_created 7\nh_count 1\nh_sum 1\n']],
    stored: { 'h_bucket{le="1.0"}': '7000: 0 9000: 1', h_count: '7000: 0 9000: 1', h_sum: '7000: 0 9000: 1' },
  },
  {
    name: 'another family between',
    scrapes: [[9000, `${COUNTER}a_total 1\n# TYPE b counter\na_created 7\nb_total 1\nb_created 8\n`]],
    stored: { a_total: '9000: 1', b_total: '8000: 0 9000: 1' },
  },
  {
    name: 'no number, and times of nobody',
    scrapes: [
      [9000, counter(5, 'NaN')],
      [10_000, counter(5, '+Inf')],
      [11_000, counter(5, '1e300')],
      [12_000, counter(5, -1)],
    ],
    stored: { a_total: '9000: 5 10000: 5 11000: 5 12000: 5' },
  },
  {
    name: 'an exemplar and a time behind it do not matter',
    scrapes: [
      [9000, `${COUNTER}a_total 1 # {x="y"} 1\na_created 7 3 # {x="z"} 1\n`],
      [10_000, `${COUNTER}a_total 2 # {x="y"} 2\na_created 9.5 3 # {x="z"} 1\n`],
    ],
    stored: { a_total: '7000: 0 9000: 1 9500: 0 10000: 2' },
  },
  {
    name: 'times of their own',
    scrapes: [
      [9000, `${COUNTER}a_total 1 8\na_created 7\n`],
      [10_000, `${COUNTER}a_total 2 8.75\na_created 8.5\n`],
      [11_000, `${COUNTER}a_total 2 8.9\na_created 8.95\n`],
      [12_000, `${COUNTER}a_total 2 9\na_created 8.95\n`],
    ],
    stored: { a_total: '7000: 0 8000: 1 8500: 0 8750: 2 8900: 2 8950: 0 9000: 2' },
  },
  {
    name: 'times of their own that are not heeded',
    scrapes: [[9000, `${COUNTER}a_total 1 8\na_created 8.5\n`]],
    target: { honorTimestamps: false },
    stored: { a_total: '8500: 0 9000: 1' },
  },
  {
    name: 'behind a failed scrape, and one that is refused',
    scrapes: [
      [9000, counter(5, 7)],
      [10_000, undefined],
      [11_000, counter(5, 10.5)],
      [12_000, `${counter(5, 11.5)}a_total{`],
      [13_000, counter(5, 11.5)],
      [14_000, counter(5, 13.5)],
    ],
    stored: { a_total: '7000: 0 9000: 5 10500: 0 11000: 5 13000: 5 13500: 0 14000: 5' },
  },
  {
    name: 'what comes later has it from before',
    scrapes: [
      [9000, '# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 1\nh_created 7\n'],
      [10_000, '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="2"} 1\nh_count 1\nh_created 7\n'],
    ],
    stored: {
      'h_bucket{le="1.0"}': '7000: 0 9000: 1 10000: 1',
      'h_bucket{le="2.0"}': '7000: 0 10000: 1',
      h_count: '7000: 0 9000: 1 10000: 1',
    },
  },
  {
    name: 'another type: what was a series is none, and the other way round',
    scrapes: [
      [9000, '# TYPE a gauge\na_total 1\na_created 7\n'],
      [10_000, `${COUNTER}a_total 1\na_created 9.5\n`],
      [11_000, '# TYPE a gauge\na_total 1\na_created 10.5\n'],
    ],
    stored: { a_created: '9000: 7 11000: 10.5', a_total: '9000: 1 9500: 0 10000: 1 11000: 1' },
  },
  {
    name: 'metric relabelling drops and renames',
    scrapes: [
      [9000, `${counter(5, 7, '{x="1"}')}${counter(6, 8, '{x="2"}')}`],
      [10_000, `${counter(5, 7, '{x="1"}')}${counter(6, 9.5, '{x="2"}')}`],
    ],
    target: {
      metricRelabelConfigs: [
        relabelRule({ action: 'drop', regex: '1', sourceLabels: ['x'] }),
        relabelRule({ action: 'labeldrop', regex: 'x' }),
      ],
    },
    stored: { a_total: '8000: 0 9000: 6 9500: 0 10000: 6' },
  },
  {
    name: 'text has no start times',
    scrapes: [[9000, counter(5, 7), 'text']],
    stored: { a_created: '9000: 7', a_total: '9000: 5' },
  },
];

for (const { name, scrapes, stored, target = {} } of cases) {
  for (const shards of [1, 3]) {
    test(`${name}, ${shards} shards`, async () => {
      const rig = await ScrapeRig.open(target, shards, { startTimes: true });
      try {
        for (const [timeMs, page, format = 'openmetrics'] of scrapes) {
          if (page === undefined) await rig.fail(timeMs);
          else {
            const outcome = await rig.scrape(format === 'text' ? page : `${page}# EOF\n`, timeMs, format);
            assert.equal(outcome.outOfOrder + outcome.outOfBounds + outcome.duplicates, 0);
          }
        }
        assert.deepEqual(await rig.all('{__name__!~"up|scrape_.+"}', 20_000), stored);
      } finally {
        await rig.close();
      }
    });
  }
}

test('without the feature, the lines are series', async () => {
  const rig = await ScrapeRig.open();
  await rig.scrape(`${counter(5, 7)}# EOF\n`, 9000, 'openmetrics');
  assert.deepEqual(await rig.all('{__name__=~"a_.+"}', 20_000), { a_created: '9000: 7', a_total: '9000: 5' });
  await rig.close();
});

const HISTOGRAM = { schema: 1, zeroThreshold: 0.5, positiveSpans: [[0, 1]], positive: [3] } as const;
const protobuf = (createdMs: number) =>
  protobufPage([
    {
      name: 'c',
      type: 'counter',
      metrics: [
        { value: 3, createdMs },
        { labels: { x: 'none' }, value: 1 },
      ],
    },
    { name: 's', type: 'summary', metrics: [{ count: 3, sum: 4, quantiles: [[0.5, 1]], createdMs }] },
    { name: 'h', type: 'histogram', metrics: [{ count: 3, sum: 4, buckets: [[1, 2]], createdMs }] },
    { name: 'n', type: 'histogram', metrics: [{ count: 3, sum: 4, native: HISTOGRAM, createdMs }] },
    {
      name: 'f',
      type: 'gaugehistogram',
      metrics: [{ count: 3, sum: 4, native: { ...HISTOGRAM, isFloat: true }, createdMs }],
    },
    { name: 'g', type: 'gauge', metrics: [{ value: 3, createdMs }] },
  ]);

for (const shards of [1, 3]) {
  test(`protobuf, ${shards} shards`, async () => {
    const rig = await ScrapeRig.open({ scrapeNativeHistograms: true }, shards, { startTimes: true });
    for (const [timeMs, createdMs] of [
      [9000, 7000],
      [10_000, 7000],
      [11_000, 10_500],
    ] as const) {
      const outcome = await rig.scrape(protobuf(createdMs), timeMs, 'protobuf');
      assert.equal(outcome.outOfOrder + outcome.outOfBounds + outcome.duplicates, 0);
    }
    const float = (value: number) => `7000: 0 9000: ${value} 10000: ${value} 10500: 0 11000: ${value}`;
    const one = '{count:3, sum:4, (0.7071067811865475,1]:3}';
    const histogram = `7000: {count:0, sum:0} 9000: ${one} 10000: ${one} 10500: {count:0, sum:0} 11000: ${one}`;
    assert.deepEqual(await rig.all('{__name__!~"up|scrape_.+"}', 20_000), {
      c_total: float(3),
      'c_total{x="none"}': '9000: 1 10000: 1 11000: 1',
      f: histogram,
      g: '9000: 3 10000: 3 11000: 3',
      'h_bucket{le="+Inf"}': float(3),
      'h_bucket{le="1.0"}': float(2),
      h_count: float(3),
      h_sum: float(4),
      n: histogram,
      s_count: float(3),
      s_sum: float(4),
      's{quantile="0.5"}': float(1),
    });
    await rig.close();
  });
}

// --- A model: every line looks for the next start time, as Prometheus does it ---

type Line =
  | { readonly type: string; readonly family: string }
  | { readonly name: string; readonly labels: string; readonly le?: string; readonly value: number };

function drawPage(prng: Prng, timeMs: number): Line[] {
  const lines: Line[] = [];
  for (const family of ['a', 'b_c', 'd']) {
    if (prng.int(8) === 0) continue;
    const type = ['counter', 'counter', 'histogram', 'summary', 'gauge'][family === 'd' ? prng.int(5) : family.length]!;
    lines.push({ type, family });
    const label = type === 'summary' ? 'quantile' : 'le';
    for (let x = 0; x < 3; x++) {
      const set: Line[] = [];
      const labels = `x="${x}"`;
      const add = (suffix: string, value: number, le?: string) => {
        if (prng.int(6) > 0)
          set.push({ name: family + suffix, labels, value, ...(le !== undefined && { le: `${label}="${le}"` }) });
      };
      if (type === 'counter') add('_total', prng.int(100));
      else
        for (const suffix of ['_bucket', '_bucket', '_count', '_sum'])
          add(suffix, prng.int(100), suffix === '_bucket' ? `${set.length}.5` : undefined);
      const createdMs = prng.int(2) === 0 ? 1000 * (x + 1) : timeMs - 700 + 100 * prng.int(10);
      const at = prng.int(4) > 0 ? set.length : prng.int(set.length + 1);
      if (prng.int(6) > 0) set.splice(at, 0, { name: `${family}_created`, labels, value: createdMs / 1000 });
      lines.push(...set);
    }
  }
  return lines;
}

const textOf = (lines: readonly Line[]) =>
  `${lines.map((line) => ('type' in line ? `# TYPE ${line.family} ${line.type}\n` : `${seriesOf(line)} ${line.value}\n`)).join('')}# EOF\n`;
const seriesOf = (line: Exclude<Line, { type: string }>) =>
  `${line.name}{${[line.le, line.labels]
    .filter((part) => part !== undefined)
    .sort()
    .join(',')}}`;

/** What a page adds to what is stored: values by time, by series. */
function storePage(stored: Map<string, Map<number, number>>, lines: readonly Line[], timeMs: number): void {
  let family = '';
  let type = '';
  const metricOf = ({ name, labels }: Exclude<Line, { type: string }>) => `${name.slice(0, family.length)} ${labels}`;
  let known: { metric: string; startMs: number } | undefined;
  const startOf = (i: number): number => {
    const line = lines[i] as Exclude<Line, { type: string }>;
    const metric = metricOf(line);
    if (known?.metric === metric && known.startMs > 0) return known.startMs;
    known = undefined;
    for (const next of lines.slice(i + 1)) {
      if ('type' in next) return 0;
      if (!next.name.endsWith('_created')) continue;
      if (metricOf(next) !== metric) return 0;
      known = { metric, startMs: Math.trunc(next.value * 1000) };
      return known.startMs;
    }
    return 0;
  };
  lines.forEach((line, i) => {
    if ('type' in line) {
      ({ family, type } = line);
      return;
    }
    const hasStarts = type !== 'gauge';
    if (hasStarts && line.name.endsWith('_created')) return;
    const startMs = hasStarts ? startOf(i) : 0;
    const samples = stored.get(seriesOf(line)) ?? new Map<number, number>();
    stored.set(seriesOf(line), samples);
    const newestMs = Math.max(...samples.keys());
    if (startMs !== 0 && startMs < timeMs && startMs > newestMs) samples.set(startMs, 0);
    samples.set(timeMs, line.value);
  });
}

test('pages by chance store what every line finds by itself', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = new Prng(seed);
    const rig = await ScrapeRig.open({}, 1 + (seed % 2), { startTimes: true });
    const stored = new Map<string, Map<number, number>>();
    let page: Line[] = [];
    for (let n = 1; n <= 12; n++) {
      const timeMs = 5000 + 1000 * n;
      // Mostly the same lines, so that they are where they are expected.
      if (page.length === 0 || prng.int(3) === 0) page = drawPage(prng, timeMs);
      else
        page = page.map((line) =>
          'type' in line || prng.int(4) > 0 ? line : { ...line, value: renewed(line, timeMs) },
        );
      const outcome = await rig.scrape(textOf(page), timeMs, 'openmetrics');
      assert.equal(outcome.error, undefined);
      storePage(stored, page, timeMs);
    }
    const want = [...stored].map(([series, samples]) => [
      series,
      [...samples]
        .sort(([a], [b]) => a - b)
        .map(([timeMs, value]) => `${timeMs}: ${value}`)
        .join(' '),
    ]);
    assert.deepEqual(await rig.all('{__name__!~"up|scrape_.+"}', 60_000), Object.fromEntries(want), `seed: ${seed}`);
    await rig.close();
  }
});

function renewed(line: Exclude<Line, { type: string }>, timeMs: number): number {
  return line.name.endsWith('_created') ? (timeMs - 400) / 1000 : line.value + 1;
}
