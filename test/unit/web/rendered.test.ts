// Answers whose rows shards wrote as text are the bytes that main would write from columns.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { Prng } from '../../../src/base/prng.js';
import { type Labels, labelsOf } from '../../../src/model/labels.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { ShardSource } from '../../../src/shard/source.js';
import { boundaryDoubles, randomDoubles } from '../../support/float-cases.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';
import { type TestApp, withApp } from '../../support/web.js';

const STALE = 0x7ff0000000000002n;
const FIRST_MS = 1_700_000_000_000;
const STEP_MS = 15_000;
const SAMPLES = 60;

/** What label values are made of: everything that JSON or the order of labels could get wrong. */
const TEXTS = ['a', 'b', 'z', '"', '\\', '\n', '\r\t\b\f', '\0', '\x01', '\x02', '\x1f', '\x7f', '/', "'", '<&>'];
const WIDE_TEXTS = [
  'é',
  '\u2028\u2029',
  '\ufeff',
  '\uffff',
  '\ud7ff\ue000',
  '😀',
  'x'.repeat(15),
  'y'.repeat(16),
  'w"'.repeat(20),
];

function randomText(random: Prng): string {
  let text = '';
  for (let n = 1 + random.int(4); n > 0; n--) text += random.pick(random.float() < 0.6 ? TEXTS : WIDE_TEXTS);
  return text;
}

function randomLabels(random: Prng, i: number): Labels {
  const pairs: [string, string][] = [
    ['__name__', random.pick(['m', 'm', 'n_total'])],
    ['i', String(i)],
  ];
  if (random.float() < 0.7) pairs.push(['A', randomText(random)]);
  if (random.float() < 0.7) pairs.push(['job', randomText(random)]);
  if (random.float() < 0.2) pairs.push(['__type__', 'gauge']);
  if (random.float() < 0.3) pairs.push([`ö${randomText(random)}`, 'x']);
  return labelsOf(pairs);
}

function randomSamples(random: Prng, doubles: readonly number[]): [number, number | bigint][] {
  const samples: [number, number | bigint][] = [];
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, STALE];
  let value: number | bigint = random.pick(doubles);
  for (let i = 0; i < SAMPLES; i++) {
    if (random.float() < 0.6) value = random.pick(doubles);
    else if (random.float() < 0.2) value = random.pick(special);
    if (random.float() < 0.9) samples.push([FIRST_MS + i * STEP_MS, value]);
  }
  return samples;
}

const QUERIES = [
  'm',
  '{i=~".*"}',
  'm{i="7"}',
  'm offset 1m',
  'nothing',
  'max_over_time(m[2m])',
  'last_over_time({i=~"1.*"}[2m])',
  'rate(n_total[2m])',
  // These notice names that are no counters'.
  'rate(m[2m])',
  // These come as text of one shard, as columns of several.
  'sum by (job) (m)',
  'avg without (i) (m * 3)',
  'avg({i=~".*"})',
  'min by (A) (m)',
  'max by (job, A) (max_over_time(m[2m]))',
  'count by (i) (m > 0)',
  'group by (job) (m)',
  'stddev by (job) (m)',
  'stdvar without (i, job) (rate(m[2m]))',
  'count(nothing)',
  'quantile by (job) (0.9, m)',
  'quantile without (i) (0, m * 3)',
  'quantile(0.5, max_over_time({i=~".*"}[2m]))',
  'quantile by (i) (1, m)',
  'quantile by (A) (0.25, rate(m[2m]))',
  // These come as columns, whatever is asked.
  'm + 1',
  'rate({i=~".*"}[2m])',
  'timestamp(m)',
  'm @ 1700000100',
];

const PATHS = QUERIES.flatMap((query) => {
  const at = FIRST_MS / 1000 + 400;
  const text = encodeURIComponent(query);
  return [
    `/api/v1/query?query=${text}&time=${at}`,
    `/api/v1/query?query=${text}&time=${at + 0.5}&limit=3`,
    `/api/v1/query_range?query=${text}&start=${at - 300}&end=${at}&step=21.007`,
    `/api/v1/query_range?query=${text}&start=${at - 300}&end=${at}&step=60&limit=5`,
    `/api/v1/query_range?query=${text}&start=-1.5&end=0&step=1`,
  ];
});
// More groups than one morsel writes.
PATHS.push(
  `/api/v1/query_range?query=max by (i) ({i=~".*"})&start=${FIRST_MS / 1000}&end=${FIRST_MS / 1000 + 300}&step=0.5`,
);

async function withShards(
  count: number,
  seed: number,
  use: (ask: (rendered: boolean) => Promise<string[]>) => Promise<void>,
) {
  const random = new Prng(seed);
  const doubles = [...boundaryDoubles(), ...randomDoubles(seed, 2000)];
  const series = Array.from({ length: 150 }, (_, i) => {
    return { labels: randomLabels(random, i), samples: packSamples(randomSamples(random, doubles)) };
  });
  const { shards, ingest } = await testShards(count, undefined, { morsel: { samples: 1000, series: 17 } });
  const open = () => new ShardSource(shards, 'adhoc');
  const engine = new QueryEngine(open, realClock, { ...SCRIPT_OPTIONS, delayedNames: false, wholeGroups: count === 1 });
  await ingest.append(series, FIRST_MS, anyOwner(count));
  let rendered = false;
  let texts = 0;
  const query = {
    instant: async (...[text, timeMs, options]: Parameters<typeof engine.instant>) => {
      return counted(await engine.instant(text, timeMs, { ...options, rendered }));
    },
    range: async (...[text, steps, options]: Parameters<typeof engine.range>) => {
      return counted(await engine.range(text, steps, { ...options, rendered }));
    },
  };
  const counted = <T extends { data: { kind: string } }>(answer: T): T => {
    if (answer.data.kind === 'rendered') texts++;
    return answer;
  };
  await withApp({ query }, async (app: TestApp) => {
    await use(async (wanted) => {
      rendered = wanted;
      texts = 0;
      const bodies: string[] = [];
      for (const path of PATHS) bodies.push(await (await app.fetch(path)).text());
      assert.ok(wanted ? texts >= PATHS.length / (count === 1 ? 2 : 3) : texts === 0, `${texts} answers were text`);
      return bodies;
    });
  });
  await shards.close();
}

for (const count of [1, 2, 5]) {
  test(`rendered rows are what main writes from columns, ${count} shards`, async () => {
    const seed = 7000 + count;
    await withShards(count, seed, async (ask) => {
      const want = await ask(false);
      const got = await ask(true);
      PATHS.forEach((path, i) => {
        assert.equal(got[i], want[i], `${path}, seed ${seed}`);
      });
      assert.ok(want.some((body) => body.length > 50_000));
    });
  });
}
