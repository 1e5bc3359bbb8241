import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverSeed, targetHash } from '../../../src/scrape/hash.js';
import { Schedule } from '../../../src/scrape/schedule.js';

test('the hash of a target never changes: phases survive an upgrade', () => {
  assert.equal(targetHash(['instance', 'a:9100', 'job', 'node'], 'http://a:9100/metrics'), 2_810_107_222_236_466);
});

test('every part counts, and so does where one ends', () => {
  const hashes = [
    targetHash(['a', 'b'], 'u'),
    targetHash(['ab', ''], 'u'),
    targetHash(['a', 'bu'], ''),
    targetHash(['a', 'b'], 'v'),
    targetHash(['a', 'b'], 'u', 1),
    targetHash(['a', 'b'], 'u', 2 ** 40),
    targetHash([], 'u'),
    serverSeed('host', []),
    serverSeed('host', ['region', 'eu']),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
  for (const hash of hashes) assert.ok(Number.isSafeInteger(hash) && hash >= 0);
});

test('targets spread evenly over their interval', () => {
  const bins = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const schedule = new Schedule(
      15_000,
      targetHash(['instance', `host-${i}:9100`, 'job', 'node'], `http://host-${i}:9100/metrics`),
    );
    bins[Math.floor(schedule.phaseMs / 1500)]!++;
  }
  // Far beyond six standard deviations (30 each) would be a broken hash.
  for (const bin of bins) assert.ok(Math.abs(bin - 1000) < 200, `${bins}`);
});

const dues: [intervalMs: number, phaseMs: number, timeMs: number, wantMs: number][] = [
  [1000, 0, 0, 1000],
  [1000, 0, 999, 1000],
  [1000, 0, 1000, 2000],
  [1000, 250, 0, 250],
  [1000, 250, 250, 1250],
  [1000, 250, -1, 250],
  [1000, 250, -751, -750],
  [1000, 1250, 0, 250],
];

for (const [intervalMs, phaseMs, timeMs, wantMs] of dues) {
  test(`every ${intervalMs} + ${phaseMs}: the first after ${timeMs} is ${wantMs}`, () => {
    assert.equal(new Schedule(intervalMs, phaseMs).after(timeMs), wantMs);
  });
}
