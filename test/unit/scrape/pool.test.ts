// Which loops a change of targets or configuration leaves alone, starts and ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Labels, labelsOf, valueOf } from '../../../src/model/labels.js';
import { relabelRule } from '../../../src/relabel/rule.js';
import type { ScrapeJob, ScrapeJobEntry } from '../../../src/scrape/job.js';
import { ScrapeManager } from '../../../src/scrape/manager.js';
import { ScrapePool, type TargetGroup } from '../../../src/scrape/pool.js';
import { FakeClock } from '../../support/clock.js';
import { pass, settle, testJob, testScrape } from '../../support/scrape.js';

const INTERVAL = 10_000;

function entry(given: Partial<ScrapeJob> = {}, fingerprint = ''): ScrapeJobEntry {
  return { job: testJob(given), http: {}, fingerprint };
}

function group(addresses: readonly string[], labels: Labels = []): TargetGroup {
  return { targets: addresses.map((address) => labelsOf([['__address__', address]])), labels };
}

function setup(given: Partial<ScrapeJob> = {}) {
  const scrape = testScrape(new FakeClock());
  return { ...scrape, pool: new ScrapePool(entry(given), scrape) };
}

const instances = (pool: ScrapePool) => pool.status.active.map(({ labels }) => valueOf(labels, 'instance')).sort();

// ---- Targets come and go

const syncs: [name: string, before: string[], after: string[], opened: number, ended: number][] = [
  ['the same', ['a:1', 'b:1'], ['a:1', 'b:1'], 0, 0],
  ['in another order', ['a:1', 'b:1'], ['b:1', 'a:1'], 0, 0],
  ['one more', ['a:1'], ['a:1', 'b:1'], 1, 0],
  ['one less', ['a:1', 'b:1'], ['b:1'], 0, 1],
  ['another', ['a:1'], ['b:1'], 1, 1],
  ['none', ['a:1', 'b:1'], [], 0, 2],
  ['one twice', ['a:1'], ['a:1', 'a:1'], 0, 0],
];

for (const [name, before, after, opened, ended] of syncs) {
  test(`targets after a sync: ${name}`, async () => {
    const { pool, clock, appender, metrics } = setup();
    pool.sync([group(before)]);
    await pass(clock, INTERVAL, 50);
    appender.take();
    pool.sync([group(after)]);
    await pass(clock, 3 * INTERVAL, 50);
    const log = appender.take();
    assert.equal(log.filter((line) => line.startsWith('open')).length, opened, `${log}`);
    assert.equal(log.filter((line) => /close \d @/.test(line)).length, ended, `${log}`);
    assert.deepEqual(instances(pool), [...new Set(after)].sort());
    assert.equal(metrics.poolTargets.with('node').value, new Set(after).size);
  });
}

test('a target is what relabeling makes of it: other meta labels are no other target', async () => {
  const { pool, clock, appender } = setup();
  pool.sync([group(['a:1'], ['__meta_pod', 'x'])]);
  await pass(clock, INTERVAL, 50);
  appender.take();
  pool.sync([group(['a:1'], ['__meta_pod', 'y'])]);
  await pass(clock, INTERVAL, 50);
  assert.deepEqual(
    appender.take().map((line) => line.split(' @')[0]),
    ['commit 1'],
  );
  assert.equal(valueOf(pool.status.active[0]!.discoveredLabels, '__meta_pod'), 'y');
});

test('another interval in a label is another target', async () => {
  const { pool, appender } = setup();
  pool.sync([group(['a:1'])]);
  pool.sync([group(['a:1'], ['__scrape_interval__', '30s', '__scrape_timeout__', '7s'])]);
  await settle();
  assert.deepEqual(appender.take(), ['open 1', 'open 2', 'close 1']);
  const { scrapeInterval, scrapeTimeout } = pool.status.active[0]!;
  assert.deepEqual([scrapeInterval, scrapeTimeout], ['30s', '7s']);
});

test('dropped targets are counted, and remembered up to the limit', () => {
  const relabelConfigs = [relabelRule({ action: 'drop', sourceLabels: ['__address__'], regex: 'x.*' })];
  const { pool } = setup({ relabelConfigs, keepDroppedTargets: 2 });
  pool.sync([group(['a:1', 'x:1', 'x:2', 'x:3'])]);
  const { active, dropped, droppedCount } = pool.status;
  assert.deepEqual([active.length, dropped.length, droppedCount], [1, 2, 3]);
  assert.equal(valueOf(dropped[0]!, '__address__'), 'x:1');
});

test('a target that cannot be is counted; the others go on', () => {
  const { pool, metrics } = setup();
  pool.sync([group(['a:1', 'http://b:1/', ''])]);
  assert.deepEqual(instances(pool), ['a:1']);
  assert.equal(metrics.syncFailed.with('node').value, 2);
});

test('too many targets: none is asked, all fail, until there are few enough', async () => {
  const { pool, clock, appender, senders, metrics } = setup({ targetLimit: 1 });
  pool.sync([group(['a:1', 'b:1'])]);
  await pass(clock, INTERVAL, 50);
  assert.deepEqual(
    appender
      .take()
      .map((line) => line.split(' @')[0])
      .sort(),
    ['fail 1', 'fail 2', 'open 1', 'open 2'],
  );
  assert.equal(senders.flatMap(({ requests }) => requests).length, 0);
  assert.equal(pool.status.active[0]!.lastError, 'target_limit exceeded (number of targets: 2, limit: 1)');
  assert.equal(metrics.poolExceededTargetLimit.value, 1);
  pool.sync([group(['a:1'])]);
  await pass(clock, INTERVAL, 50);
  assert.ok(appender.take().some((line) => line.startsWith('commit 1')));
});

// ---- A changed job

test('a reloaded pool scrapes on in phase, and the old loops end behind the new ones', async () => {
  const { pool, clock, appender } = setup();
  pool.sync([group(['a:1'])]);
  await pass(clock, INTERVAL, 50);
  const [, first] = appender.take();
  const phase = Number(first!.split('@')[1]!.split(' ')[0]);
  pool.reload(entry({ honorLabels: true }));
  await pass(clock, 3 * INTERVAL, 50);
  const log = appender.take();
  assert.deepEqual(log.slice(0, 3), [
    'open 2',
    `commit 2 @${phase + INTERVAL} up 1`,
    `commit 2 @${phase + 2 * INTERVAL} up 1`,
  ]);
  // The markers come behind a scrape of the successor that is later than they are.
  const staleMs = Number(log.at(-2)!.split('@')[1]);
  assert.match(log.at(-2)!, /^close 1 @/);
  assert.ok(staleMs >= phase + INTERVAL && staleMs < phase + 2 * INTERVAL, log.at(-2));
  assert.ok(appender.opened[1]!.honorLabels);
});

const reloads: [name: string, after: ScrapeJobEntry[], want: string[]][] = [
  ['the same', [entry({}, 'x')], []],
  ['the same beside another', [entry({ jobName: 'other' }, 'y'), entry({}, 'x')], []],
  ['changed', [entry({ sampleLimit: 5 }, 'z')], ['open 2', 'close 1']],
  ['gone', [], ['close 1']],
];

for (const [name, after, want] of reloads) {
  test(`a job after a reload: ${name}`, async () => {
    const scrape = testScrape(new FakeClock());
    const manager = new ScrapeManager(scrape);
    manager.applyConfig([entry({}, 'x')], new Map([['node', [group(['a:1'])]]]));
    assert.deepEqual(scrape.appender.take(), ['open 1']);
    manager.applyConfig(after);
    await settle();
    assert.deepEqual(scrape.appender.take(), want);
    assert.deepEqual(
      manager.status.map(({ scrapePool }) => scrapePool),
      after.map(({ job }) => job.jobName).sort(),
      'by name, whatever the order of the configuration',
    );
    await manager.stop();
  });
}

test('a job that is gone ends with stale markers, unless the server stops first', async () => {
  for (const stops of [false, true]) {
    const scrape = testScrape(new FakeClock());
    const manager = new ScrapeManager(scrape);
    manager.applyConfig([entry({})]);
    manager.setTargets('node', [group(['a:1'])]);
    await pass(scrape.clock, INTERVAL, 50);
    manager.applyConfig([]);
    await settle();
    scrape.appender.take();
    if (stops) await manager.stop();
    await pass(scrape.clock, 3 * INTERVAL, 50);
    const log = scrape.appender.take();
    assert.match(log.join(), stops ? /^close 1$/ : /^close 1 @\d+$/);
  }
});

test('targets of a job that is gone are nobody’s', () => {
  const scrape = testScrape(new FakeClock());
  const manager = new ScrapeManager(scrape);
  manager.setTargets('node', [group(['a:1'])]);
  assert.deepEqual(manager.status, []);
});

test('what is known of metrics is told by job, as long as their targets are there', async () => {
  const scrape = testScrape(new FakeClock());
  const { metrics, appender } = scrape;
  const manager = new ScrapeManager(scrape);
  const told = () => [metrics.metadataEntries.with('node').value, metrics.metadataBytes.with('node').value];
  manager.applyConfig([entry({})]);
  manager.setTargets('node', [group(['a:1', 'b:1'])]);
  assert.deepEqual(told(), [0, 0]);
  appender.outcome = { metadataSize: { entries: 3, bytes: 50 } };
  await pass(scrape.clock, INTERVAL, 50);
  assert.deepEqual(told(), [6, 100]);
  appender.outcome = { metadataSize: { entries: 4, bytes: 51 } };
  await pass(scrape.clock, INTERVAL, 50);
  assert.deepEqual(told(), [8, 102]);
  appender.outcome = {};
  manager.setTargets('node', [group(['a:1'])]);
  await pass(scrape.clock, INTERVAL, 50);
  assert.deepEqual(told(), [4, 51]);
  await manager.stop();
});
