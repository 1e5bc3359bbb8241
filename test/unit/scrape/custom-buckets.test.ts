// convert_classic_histograms_to_nhcb of text pages, and limits of native histograms: what is stored of a page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { relabelRule } from '../../../src/relabel/rule.js';
import type { ScrapeFormat, TargetOptions } from '../../../src/scrape/appender.js';
import type { PageFamily } from '../../support/exposition-page.js';
import { protobufPage } from '../../support/protobuf-page.js';
import { ScrapeRig } from '../../support/scraped.js';

const CONVERT = { convertClassicHistogramsToNhcb: true };

interface Case {
  readonly name: string;
  readonly page: string;
  readonly format?: ScrapeFormat;
  readonly target?: Partial<TargetOptions>;
  readonly stored: Record<string, number | string>;
  /** Samples in the page, as they are counted. */
  readonly scraped?: number;
}

const ONE = `# TYPE h histogram
h_bucket{a="b",le="0.5"} 1
h_bucket{a="b",le="+Inf"} 3
h_sum{a="b"} 7
h_count{a="b"} 3
`;
const ONE_STORED = '{count:3, sum:7, [-Inf,0.5]:1, (0.5,+Inf]:2}';

const cases: Case[] = [
  { name: 'a histogram', page: ONE, stored: { 'h{a="b"}': ONE_STORED }, scraped: 1 },
  { name: 'OpenMetrics', page: `${ONE}# EOF\n`, format: 'openmetrics', stored: { 'h{a="b"}': ONE_STORED } },
  {
    name: 'the classic series stay where they are wanted',
    page: ONE,
    target: { alwaysScrapeClassicHistograms: true },
    stored: {
      'h_bucket{a="b",le="+Inf"}': 3,
      'h_bucket{a="b",le="0.5"}': 1,
      'h_count{a="b"}': 3,
      'h_sum{a="b"}': 7,
      'h{a="b"}': ONE_STORED,
    },
    scraped: 5,
  },
  {
    name: 'what stands around it',
    page: `# HELP a A.\n# TYPE a counter\na_bucket{le="1"} 5\n${ONE}# TYPE b gauge\nb 1\nh_count{a="c"} 9`,
    stored: { 'a_bucket{le="1"}': 5, b: 1, 'h_count{a="c"}': 9, 'h{a="b"}': ONE_STORED },
    scraped: 4,
  },
  {
    name: 'two series, and the next family',
    page: `# TYPE h histogram
h_bucket{le="1",x="1"} 1
h_bucket{x="1",le="+Inf"} 1
h_count{x="1"} 1
h_bucket{x="2",le="1"} 2
h_count{x="2"} 2
# TYPE i histogram
i_count 4
`,
    stored: {
      'h{x="1"}': '{count:1, sum:0, [-Inf,1]:1}',
      'h{x="2"}': '{count:2, sum:0, [-Inf,1]:2}',
      i: '{count:4, sum:0, [-Inf,+Inf]:4}',
    },
    scraped: 3,
  },
  {
    name: 'a name of UTF-8',
    page: '# TYPE "a.b" histogram\n{"a.b_bucket",le="+Inf","l.m"="x\\"y"} 2\n{"a.b_count","l.m"="x\\"y"} 2\n',
    stored: { 'a.b{l.m="x\\"y"}': '{count:2, sum:0, [-Inf,+Inf]:2}' },
  },
  {
    name: 'no TYPE, no histogram',
    page: 'h_bucket{le="+Inf"} 1\nh_count 1\n',
    stored: { 'h_bucket{le="+Inf"}': 1, h_count: 1 },
  },
  {
    name: 'one that cannot be is left out with its series',
    page: '# TYPE h histogram\nh_bucket{le="1"} 5\nh_bucket{le="2"} 3\nh_count 5\n# TYPE g gauge\ng 1\n',
    stored: { g: 1 },
    scraped: 1,
  },
  {
    name: 'a line without a value stays to be told of',
    page: '# TYPE h histogram\nh_bucket{le="1"} \nh_count 5\n',
    stored: {},
  },
  {
    name: 'a time of its own',
    page: '# TYPE h histogram\nh_count 5 900\nh_sum 5 900\n',
    stored: { h: '{count:5, sum:5, [-Inf,+Inf]:5}' },
  },
  {
    name: 'metric relabelling sees the name of the histogram',
    page: ONE,
    target: {
      metricRelabelConfigs: [
        relabelRule({ sourceLabels: ['__name__'], regex: 'h', targetLabel: '__name__', replacement: 'renamed' }),
      ],
    },
    stored: { 'renamed{a="b"}': ONE_STORED },
  },
  {
    name: 'dropped',
    page: `${ONE}g 1\n`,
    target: { metricRelabelConfigs: [relabelRule({ sourceLabels: ['a'], regex: 'b', action: 'drop' })] },
    stored: { g: 1 },
    scraped: 2,
  },
  { name: 'a sample as any other', page: `${ONE}g 1\n`, target: { sampleLimit: 1 }, stored: {}, scraped: 2 },
  { name: 'within the limit', page: ONE, target: { sampleLimit: 1 }, stored: { 'h{a="b"}': ONE_STORED } },
  { name: 'too many buckets', page: ONE, target: { nativeHistogramBucketLimit: 1 }, stored: {}, scraped: 1 },
  { name: 'a limit of labels', page: ONE, target: { labelLimit: 2 }, stored: {} },
];

const REAL = '{__name__!~"scrape_.+|up"}';

for (const { name, page, format = 'text', target = {}, stored, scraped } of cases) {
  for (const shards of [1, 3]) {
    test(`converted: ${name} (shards: ${shards})`, async () => {
      const rig = await ScrapeRig.open({ ...CONVERT, ...target }, shards);
      const first = await rig.scrape(page, 1000, format);
      assert.deepEqual(await rig.at(REAL, 1000), stored);
      if (scraped !== undefined) assert.equal(first.scraped, scraped);
      // The same again, from what is remembered, and compressed.
      const again = await rig.scrape(gzipSync(page), 2000, format, { encoding: 'gzip' });
      assert.deepEqual(await rig.at(REAL, 2000), stored);
      assert.equal(again.scraped, first.scraped);
      if (first.error === undefined) assert.equal(again.seriesAdded, 0);
      // Gone, they end.
      await rig.scrape(format === 'openmetrics' ? '# EOF\n' : '', 3000, format);
      const left = await rig.at(REAL, 3000);
      assert.deepEqual(left, name === 'a time of its own' ? stored : {});
      await rig.close();
    });
  }
}

test('what was refused leaves no stale markers of series that never were', async () => {
  const rig = await ScrapeRig.open({ ...CONVERT, sampleLimit: 1 });
  const good = await rig.scrape('# TYPE h histogram\nh_count 1\n', 1000);
  assert.equal(good.error, undefined);
  const refused = await rig.scrape('# TYPE h histogram\nh_count 1\n# TYPE i histogram\ni_count 1\n', 2000);
  assert.equal(refused.error?.reason, 'sample-limit');
  assert.deepEqual(await rig.at(REAL, 2000), {});
  const again = await rig.scrape('# TYPE i histogram\ni_count 1\n', 3000);
  assert.equal(again.seriesAdded, 1);
  assert.deepEqual(await rig.at(REAL, 3000), { i: '{count:1, sum:0, [-Inf,+Inf]:1}' });
  await rig.close();
});

test('a bucket limit that cannot be kept refuses the page', async () => {
  const rig = await ScrapeRig.open({ scrapeNativeHistograms: true, nativeHistogramBucketLimit: 1 });
  const family: PageFamily = {
    name: 'h',
    type: 'histogram',
    metrics: [
      {
        count: 4,
        sum: 1,
        native: { schema: 0, positiveSpans: [[0, 2]], positive: [1, 1], negativeSpans: [[0, 2]], negative: [1, 1] },
      },
    ],
  };
  const outcome = await rig.scrape(protobufPage([family]), 1000, 'protobuf');
  assert.deepEqual(outcome.error, { reason: 'bucket-limit', message: 'histogram bucket limit exceeded' });
  assert.deepEqual([outcome.scraped, outcome.postRelabel], [1, 1]);
  await rig.close();
});

test('values of every kind', async () => {
  const rig = await ScrapeRig.open(CONVERT);
  const values = ['3', ' 3', '3.0', '3e0', '0x3p0', '+3', '00000000000000003', '3 900'];
  const families = values.map((value, i) => `# TYPE h${i} histogram\nh${i}_count ${value}\n`);
  await rig.scrape(families.join(''), 1000);
  const want = values.map((_, i) => [`h${i}`, '{count:3, sum:0, [-Inf,+Inf]:3}']);
  assert.deepEqual(await rig.at(REAL, 1000), Object.fromEntries(want));
  await rig.close();
});
