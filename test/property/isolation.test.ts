// A query sees each scrape wholly or not at all, whichever shards its series are in, however long the
// query takes, and however many parts it has.
//
// Scrapes of a target give all its buckets the same value, the number of the scrape. So wherever a query
// sees two values in one histogram, it saw two scrapes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../src/base/clock.js';
import { Prng } from '../../src/base/prng.js';
import { DEFAULT_PARSE_OPTIONS } from '../../src/promql/syntax/parse.js';
import { QueryEngine } from '../../src/query/engine.js';
import type { QueryData } from '../../src/query/result.js';
import { ShardAppender } from '../../src/scrape/shard-appender.js';
import { ShardSource } from '../../src/shard/source.js';
import { anyOwner, openTarget, packSamples, scrapeText, testShards, writeThrough } from '../support/shards.js';

const LES = Array.from({ length: 12 }, (_, i) => `${i}.0`);
const TARGETS = 6;
const SCRAPES = 100;
const STEP_MS = 1000;
const LAST_MS = (SCRAPES + 1) * STEP_MS;

/** Queries whose every value is 0 where no histogram has buckets of two scrapes. */
const QUERIES = [
  'max by (target) (b) - min by (target) (b)',
  'stddev by (target) (b)',
  `count by (target) (b) - ${LES.length}`,
  'sum by (target) (b) / count by (target) (b) - on (target) max by (target) (b)',
  'b - on (target) group_left () b{le="0.0"}',
  'max by (target) (count_over_time(b[1h])) - min by (target) (count_over_time(b[1h]))',
  'max by (target) (sum_over_time(b[1h])) - on (target) avg by (target) (sum_over_time(b[1h]))',
  'quantile by (target) (1, b) - quantile by (target) (0, b)',
  'max by (target) (quantile_over_time(1, b[1h])) - min by (target) (quantile_over_time(1, b[1h]))',
  'min by (target) (b) - on (target) group_right () max by (target, le) (last_over_time(b[5m]))',
];

for (const count of [1, 2, 5]) {
  test(`isolation: ${count} shards never show two scrapes in one histogram`, async () => {
    const random = new Prng(1234 + count);
    const { shards, ingest } = await testShards(count, undefined, { morsel: { samples: 1, series: 1 } });
    const engine = new QueryEngine(() => new ShardSource(shards, 'adhoc'), realClock, {
      timeoutMs: 60_000,
      samplesMax: 1e9,
      concurrency: 20,
      lookbackMs: 300_000,
      subqueryStepMs: STEP_MS,
      delayedNames: false,
      parse: DEFAULT_PARSE_OPTIONS,
    });
    let scraping = TARGETS;

    const appender = new ShardAppender(shards, ingest, () => {});
    /** Three ways in. */
    const store = [
      (target: number) => {
        const handle = openTarget(appender, target, ['target', `${target}`]);
        const lines = (scrape: number) => LES.map((le) => `b{le="${le}"} ${scrape}\n`).join('');
        return (scrape: number) => scrapeText(appender, handle, lines(scrape), scrape * STEP_MS);
      },
      (target: number) => (scrape: number) => {
        const samples = [[scrape * STEP_MS, scrape]] as const;
        const series = LES.map((le) => ({ labels: ['__name__', 'b', 'le', le, 'target', `${target}`], samples }));
        return writeThrough({ shards, ingest }, target % count, series, scrape * STEP_MS);
      },
      (target: number) => (scrape: number) => {
        const samples = packSamples([[scrape * STEP_MS, scrape]]);
        const series = LES.map((le) => ({ labels: ['__name__', 'b', 'le', le, 'target', `${target}`], samples }));
        return ingest.append(series, scrape * STEP_MS, anyOwner(count));
      },
    ] as const;

    const scrapeAll = async (target: number): Promise<void> => {
      const way = target % store.length;
      const append = store[way]!(target);
      for (let scrape = 1; scrape <= SCRAPES; scrape++) {
        await append(scrape);
        // What was acknowledged is seen by every query from now on; scrapes have nobody to acknowledge them to.
        if (way > 0 && random.float() < 0.2) {
          const { data } = await engine.instant(`min(b{target="${target}"})`, LAST_MS);
          assert.deepEqual(valuesOf(data), [scrape], `target ${target} reads its own write`);
        }
        for (let turns = random.int(100); turns > 0; turns--) await undefined;
      }
      scraping--;
    };

    const look = async (): Promise<number> => {
      let looks = 0;
      for (; scraping > 0; looks++) {
        const query = random.pick(QUERIES);
        const { data } =
          random.float() < 0.5
            ? await engine.instant(query, LAST_MS, { priority: random.pick(['rules', 'ad-hoc']) })
            : await engine.range(query, { startMs: 0, stepMs: STEP_MS * 7, count: 9 });
        for (const value of valuesOf(data)) assert.equal(value, 0, `two scrapes in one histogram: ${query}`);
        for (let turns = random.int(20); turns > 0; turns--) await undefined;
      }
      return looks;
    };

    const scrapes = Promise.all(Array.from({ length: TARGETS }, (_, target) => scrapeAll(target)));
    const looks = await Promise.all(Array.from({ length: 4 }, look));
    await scrapes;
    assert.ok(looks.reduce((sum, n) => sum + n, 0) > 20, `${looks} queries beside the scrapes`);
    await shards.close();
  });
}

function valuesOf(data: QueryData): number[] {
  if (data.kind !== 'vector' && data.kind !== 'range') throw new Error(`no columns: ${data.kind}`);
  const { values, present } = data.columns;
  return [...values].filter((_, cell) => present[cell] !== 0);
}
