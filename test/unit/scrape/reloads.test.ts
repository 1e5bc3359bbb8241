// Reloads at any time: what is due is scraped once, whoever's turn it is, and nothing is left over.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { labelsOf } from '../../../src/model/labels.js';
import type { ScrapeJobEntry } from '../../../src/scrape/job.js';
import { ScrapeManager } from '../../../src/scrape/manager.js';
import type { TargetGroup } from '../../../src/scrape/pool.js';
import { OddClock, pass, settle, testJob, testScrape } from '../../support/scrape.js';

const INTERVAL = 10_000;
const JOBS = ['same', 'changing', 'coming'];
const TARGETS = 5;
const RELOADS = 1000;

function groups(job: string, count: number): [string, TargetGroup[]] {
  const targets = Array.from({ length: count }, (_, i) => labelsOf([['__address__', `${job}-${i}:1`]]));
  return [job, [{ targets, labels: [] }]];
}

function entries(generation: number): ScrapeJobEntry[] {
  return JOBS.map((jobName) => {
    const sampleLimit = jobName === 'changing' ? generation : 0;
    return { job: testJob({ jobName, sampleLimit }), http: {}, fingerprint: `${sampleLimit}` };
  });
}

/** When each target was scraped, by its address: `commit 3 @1234 up 1` of a handle. */
function scrapesOf(log: readonly string[], addressOf: (handle: number) => string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const line of log) {
    const [, handle, time] = /^commit (\d+) @(\d+)/.exec(line) ?? [];
    if (handle === undefined) continue;
    const address = addressOf(Number(handle));
    found.set(address, [...(found.get(address) ?? []), Number(time)]);
  }
  return found;
}

for (const lateMs of [0, 3]) {
  test(`${RELOADS} reloads, timers ${lateMs} ms late: no scrape is missed or done twice, no loop or timer stays`, async () => {
    const clock = new OddClock();
    clock.lateMs = lateMs;
    const scrape = testScrape(clock);
    const manager = new ScrapeManager(scrape);
    const prng = new Prng(5);
    const apply = (generation: number) => {
      const coming = generation % 2 === 0 ? TARGETS : 0;
      manager.applyConfig(
        entries(generation),
        new Map([groups('same', TARGETS), groups('changing', TARGETS), groups('coming', coming)]),
      );
    };
    apply(0);
    const firstMs = clock.nowMs();
    for (let generation = 1; generation <= RELOADS; generation++) {
      await pass(clock, 1 + prng.int(600), 100);
      apply(generation);
    }
    const lastMs = clock.nowMs();
    // Loops that end wait for two intervals and a bit.
    await pass(clock, 4 * INTERVAL, 100);
    const log = scrape.appender.take();
    const { opened } = scrape.appender;
    const found = scrapesOf(log, (handle) => opened[handle - 1]!.labels.join());
    const steady = [...found].filter(([address]) => !address.includes('coming'));
    assert.equal(steady.length, 2 * TARGETS);
    for (const [address, times] of steady) {
      const due = (lastMs - firstMs) / INTERVAL;
      assert.ok(times.length >= Math.floor(due), `${address}: ${times.length} scrapes`);
      times.slice(1).forEach((time, i) => {
        assert.ok(Math.abs(time - times[i]! - INTERVAL) <= lateMs, `${address}: ${time} follows ${times[i]}`);
      });
    }
    const alive =
      log.filter((line) => line.startsWith('open')).length - log.filter((line) => /^close/.test(line)).length;
    assert.equal(alive, 3 * TARGETS, 'what was opened and is in no use was closed');
    assert.equal(clock.pending, 3 * TARGETS, 'a timer for each target');
    await manager.stop();
    await settle();
    assert.equal(clock.pending, 0);
  });
}
