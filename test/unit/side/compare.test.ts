// The comparison behind the side-by-side finds what is planted, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTarget, type TargetHistory } from '../../support/side/compare.js';
import type { DumpedSeries } from '../../support/side/dump.js';

const STALE = Number.NaN;
const PAGES = 24;

/** Values by page; `delayMs`: when this server asked. A page that is missing failed. */
function server(delayMs: number, series: Record<string, (n: number) => number | undefined>): DumpedSeries[] {
  const names = { page: (n: number) => n, up: () => 1, ...series };
  return Object.entries(names).map(([name, valueOf]) => {
    const labels = `{__name__="${name}", tid="1"}`;
    const events = Array.from({ length: PAGES }, (_, i) => [i * 1000 + delayMs, valueOf(i + 1)] as const);
    const there = events.filter(([, value]) => value !== undefined);
    return { name, labels, times: there.map(([time]) => time), values: there.map(([, value]) => value!) };
  });
}

const gauge = (n: number) => 2 * n;
/** There on four pages of six, then a marker, then nothing. */
const vanishing = (n: number) => (n % 6 < 4 ? n : n % 6 === 4 ? STALE : undefined);
const good = { gauge, vanishing };

function compare(ours: Record<string, (n: number) => number | undefined>, given: Partial<TargetHistory> = {}) {
  return compareTarget({
    ...{ tid: 1, windows: [], apart: new Set<string>(), lingers: false, isRefused: () => false },
    narthex: server(17, ours),
    prometheus: server(541, good),
    ...given,
  });
}

test('the same at other times is the same', () => {
  const { differences, pages, samples, markers } = compare(good);
  assert.deepEqual(differences, []);
  assert.equal(pages, PAGES - 1);
  assert.ok(samples > 3 * (PAGES - 2) && markers === 4);
});

const at = (page: number, value: number | undefined, other: (n: number) => number | undefined) => (n: number) =>
  n === page ? value : other(n);

const planted: [name: string, ours: Record<string, (n: number) => number | undefined>, want: number][] = [
  ['a value', { ...good, gauge: at(5, 11, gauge) }, 1],
  ['the last bit of a value', { ...good, gauge: at(5, 10 + 2 ** -49, gauge) }, 1],
  ['a sample that is missing', { ...good, gauge: at(5, undefined, gauge) }, 1],
  ['a marker that is missing', { ...good, vanishing: at(4, undefined, vanishing) }, 1],
  ['a marker that comes later', { ...good, vanishing: at(4, undefined, at(5, STALE, vanishing)) }, 2],
  ['a marker that should not be', { ...good, gauge: at(5, STALE, gauge) }, 1],
  ['a series more', { ...good, more: (n) => (n === 3 ? 1 : undefined) }, 1],
  ['a series that is missing', { gauge }, 19],
];

for (const [name, ours, want] of planted) {
  test(`${name}: ${want} differences`, () => {
    const { differences } = compare(ours);
    assert.equal(differences.length, want, differences.join('\n'));
  });
}

test('in a window nothing is compared, but what lives behind it is', () => {
  const windows = [{ from: 4, to: 7, why: 'a test' }];
  assert.deepEqual(compare({ ...good, gauge: at(5, 11, gauge) }, { windows }).differences, []);
  assert.equal(compare({ ...good, gauge: at(7, STALE, gauge) }, { windows }).differences.length, 1);
});

test('a page that one did not get in time is counted, not compared', () => {
  const late = (n: number) => (n === 6 ? undefined : n);
  const ours = server(17, { ...good, page: late, up: (n) => (n === 6 ? 0 : 1), gauge: at(6, STALE, gauge) });
  const { differences, missed } = compare(good, { narthex: ours });
  assert.deepEqual(differences, []);
  assert.equal(missed, 1);
  const seldom = (n: number) => (n % 2 === 0 ? undefined : n);
  const rare = server(17, { ...good, page: seldom, up: (n) => n % 2 });
  assert.match(compare(good, { narthex: rare }).differences[0]!, /scrapes were late/);
});
