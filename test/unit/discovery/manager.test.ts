// Which sections a reload leaves alone, starts and ends; how often jobs are told; what holds meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TargetGroup } from '../../../src/discovery/group.js';
import { type DiscoveryJob, DiscoveryManager, UPDATE_EVERY_MS } from '../../../src/discovery/manager.js';
import { DiscoveryMetrics } from '../../../src/discovery/metrics.js';
import { labelsOf } from '../../../src/model/labels.js';
import { noLog } from '../../../src/telemetry/log.js';
import { Registry } from '../../../src/telemetry/metrics.js';
import { FakeClock } from '../../support/clock.js';
import { sectionsOf, targetsOf, testTools } from '../../support/discovery.js';
import { settle } from '../../support/scrape.js';
import { SimDisk } from '../../support/sim-disk.js';

/** A manager over files of a disk in memory. */
function setup() {
  const clock = new FakeClock();
  const disk = new SimDisk();
  disk.makeFolder('t');
  const watchers = new Set<(name: string) => void>();
  const told: string[] = [];
  const metrics = new DiscoveryMetrics(new Registry(clock));
  const manager = new DiscoveryManager({
    name: 'scrape',
    log: noLog,
    tools: testTools({
      clock,
      disk,
      metrics,
      watchFolder: (_, onChange) => {
        watchers.add(onChange);
        return { close: () => void watchers.delete(onChange) };
      },
    }),
    onTargets: (job, groups) => told.push(`${job}: ${shown(groups)}`),
  });
  /** A file takes new content; the folder's watchers hear of it. */
  const put = (name: string, ...addresses: string[]) => {
    disk.writeFileAtomic(`t/${name}`, Buffer.from(JSON.stringify([{ targets: addresses }])));
    for (const onChange of watchers) onChange(name);
  };
  /** Time goes by in steps of 10 ms, and everybody gets on with what they do. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      await settle();
    }
  };
  const targets = (job: string) => shown(manager.groupsOf(job));
  return { clock, disk, manager, metrics, watchers, told, put, pass, targets };
}

function shown(groups: readonly TargetGroup[]): string {
  return targetsOf(groups)
    .map((target) => target.__address__)
    .join(' ');
}

function job(name: string, sections: string, ...addresses: string[]): DiscoveryJob {
  const targets = addresses.map((address) => labelsOf([['__address__', address]]));
  return { name, staticGroups: [{ targets, labels: [] }], sections: sectionsOf(sections) };
}

const A = 'file_sd_configs: [{files: [t/a.json]}]';
const B = 'file_sd_configs: [{files: [t/b.json]}]';

/** Mechanisms are loaded when first used: that takes some turns. */
async function until(check: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !check(); turn++) await settle();
  assert.ok(check());
}

test('a job has its own targets at once, and those that are found when they are found', async () => {
  const { manager, told, put, pass, watchers, targets, metrics } = setup();
  put('a.json', 'a:1', 'a:2');
  manager.apply([job('one', A, 's:1')]);
  assert.equal(targets('one'), 's:1');
  await until(() => watchers.size === 1);
  await pass(50);
  assert.deepEqual(told, ['one: a:1 a:2 s:1']);
  assert.equal(metrics.discoveredTargets.with('scrape', 'one').value, 3);
  assert.equal(targets('other'), '');
  manager.stop();
});

test('what changes all the time is told less and less often, every five seconds in the end, and the newest of it', async () => {
  const { manager, told, put, pass, watchers, metrics } = setup();
  put('a.json', 'a:0');
  manager.apply([job('one', A)]);
  await until(() => watchers.size === 1);
  await pass(100);
  const counts: number[] = [];
  for (let n = 1; n <= 100; n++) {
    put('a.json', `a:${n}`);
    await pass(200);
    if (n % 25 === 0) counts.push(told.length);
  }
  await pass(UPDATE_EVERY_MS);
  assert.deepEqual(told[0], 'one: a:0');
  assert.deepEqual(told.at(-1), 'one: a:100');
  const [first, second, third, fourth] = counts;
  assert.ok(first! >= 5 && first! <= 9, `in the first five seconds: ${first}`);
  assert.ok(second! - first! <= 3 && third! - second! <= 2 && fourth! - third! <= 1, `later: ${counts}`);
  assert.equal(metrics.updates.with('scrape').value, told.length);
  assert.ok(metrics.delayedUpdates.with('scrape').value > 0);
  manager.stop();
});

test('what is found again as it was is an update, and nobody is told', async () => {
  const { manager, told, put, pass, watchers, metrics, clock } = setup();
  put('a.json', 'a:1');
  manager.apply([job('one', A)]);
  await until(() => watchers.size === 1);
  await pass(2 * UPDATE_EVERY_MS);
  const before = metrics.lastUpdateSeconds.with('scrape', 'one').value;
  put('a.json', 'a:1');
  await pass(2 * UPDATE_EVERY_MS);
  assert.deepEqual(told, ['one: a:1']);
  assert.equal(metrics.receivedUpdates.with('scrape').value, 2);
  assert.equal(metrics.updates.with('scrape').value, 2);
  assert.ok(metrics.lastUpdateSeconds.with('scrape', 'one').value > before, `${clock.nowMs()}`);
  put('a.json', 'a:1', 'a:2');
  await pass(2 * UPDATE_EVERY_MS);
  assert.deepEqual(told, ['one: a:1', 'one: a:1 a:2']);
  manager.stop();
});

test('a reload leaves alone what is said as before, also by another job', async () => {
  const { manager, told, put, pass, watchers, targets } = setup();
  put('a.json', 'a:1');
  manager.apply([job('one', A)]);
  await until(() => watchers.size === 1);
  await pass(50);
  const [watcher] = watchers;
  manager.apply([job('two', A, 's:1'), job('one', A)]);
  assert.deepEqual([...watchers], [watcher], 'one session for both');
  assert.equal(targets('one'), 'a:1');
  assert.equal(targets('two'), 'a:1 s:1');
  put('a.json', 'a:2');
  await pass(2 * UPDATE_EVERY_MS);
  assert.deepEqual(told.slice(-2).sort(), ['one: a:2', 'two: a:2 s:1']);
  manager.apply([job('two', A)]);
  assert.equal(watchers.size, 1);
  manager.apply([]);
  assert.equal(watchers.size, 0, 'ended with its last job');
});

test('what a changed section had found holds until the new one has answered', async () => {
  const { manager, put, pass, watchers, targets } = setup();
  put('a.json', 'a:1');
  put('b.json', 'b:1');
  manager.apply([job('one', A)]);
  await until(() => watchers.size === 1);
  await pass(50);
  manager.apply([job('one', B)]);
  assert.equal(targets('one'), 'a:1');
  await until(() => targets('one') === 'b:1');
  manager.apply([job('one', B), job('three', A)]);
  assert.equal(targets('three'), '', 'nothing is taken over from another job');
  manager.stop();
});

test('a session that fails at once gives up what it took over, and only once', async () => {
  const { manager, put, pass, watchers, targets, metrics } = setup();
  put('a.json', 'a:1');
  manager.apply([job('one', A)]);
  await until(() => watchers.size === 1);
  await pass(50);
  const http = "http_sd_configs: [{url: 'http://127.0.0.1:1/'}]";
  manager.apply([job('one', http)]);
  // Another kind has nothing to take over from files.
  assert.equal(targets('one'), '');
  const again = "http_sd_configs: [{url: 'http://127.0.0.1:1/', refresh_interval: 1h}]";
  manager.apply([job('one', again)]);
  await until(() => metrics.refreshFailures.with('http', 'one').value > 0);
  assert.equal(targets('one'), '');
  manager.stop();
});

test('a thousand reloads leave one session for each section, and nothing behind', async () => {
  const { manager, put, pass, watchers, targets, metrics } = setup();
  put('a.json', 'a:1');
  put('b.json', 'b:1');
  manager.apply([job('one', A), job('two', A)]);
  await until(() => watchers.size === 1);
  const [watcher] = watchers;
  for (let reload = 0; reload < 1000; reload++) {
    manager.apply(reload % 2 === 0 ? [job('one', A), job('three', B)] : [job('two', A, `s:${reload}`), job('one', A)]);
    if (reload % 50 === 0) await pass(20);
    assert.ok(watchers.has(watcher!), 'the section that all have goes on');
  }
  manager.apply([job('one', A)]);
  await pass(2 * UPDATE_EVERY_MS);
  assert.equal(watchers.size, 1);
  assert.equal(targets('one'), 'a:1');
  assert.equal([...metrics.discoveredTargets.points()].length, 1);
  assert.equal([...metrics.refreshFailures.points()].length, 1);
  manager.stop();
  assert.equal(watchers.size, 0);
});

test('a job that is gone has no targets and no metric; a mechanism that gives up is a failed configuration', async () => {
  const { manager, metrics } = setup();
  const sections = sectionsOf(A).map((section) => ({ ...section, section: undefined as never }));
  manager.apply([{ ...job('one', A, 's:1'), sections }]);
  await until(() => metrics.failedConfigs.with('scrape').value === 1);
  assert.equal([...metrics.discoveredTargets.points()].length, 1);
  manager.apply([]);
  assert.equal([...metrics.discoveredTargets.points()].length, 0);
  assert.equal([...metrics.lastUpdateSeconds.points()].length, 0);
  assert.equal(metrics.failedConfigs.with('scrape').value, 0);
});
