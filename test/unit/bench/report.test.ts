// What the bench makes of numbers: options, ratios, budgets, tables and charts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { less, more, type Outcome, said } from '../../../bench/bench.js';
import { geometricMean, processMeter, quantile } from '../../../bench/measure.js';
import { parseOptions } from '../../../bench/options.js';
import { containsRun } from '../../../bench/paths/scrape.js';
import { summary, within } from '../../../bench/profile.js';
import { chart, markdown, numberText, rowsOf, table } from '../../../bench/report.js';

function outcome(server: string, cpu: number, rate: number, failure?: string): Outcome {
  const measures = [
    less('cpu', 'CPU per million samples', 's', cpu),
    more('rate', 'samples', '/s', rate),
    said('n', 'n', '', 7),
  ];
  return { path: 'write', title: 'remote write', server, version: '1', measures, checks: ['7 series'], failure };
}

test('a ratio is ours by theirs, and what is only said has none', () => {
  const [cpu, rate, n] = rowsOf([outcome('narthex', 0.5, 1.3e6), outcome('prometheus', 4, 400_000)]);
  assert.equal(cpu!.ratios.get('prometheus'), 0.125);
  assert.equal(rate!.ratios.get('prometheus'), 3.25);
  assert.equal(n!.ratios.size, 0);
});

test('without us, or without a number of the other, there is no ratio', () => {
  assert.equal(rowsOf([outcome('prometheus', 4, 1), outcome('victoria', 2, 1)])[0]!.ratios.size, 0);
  assert.equal(rowsOf([outcome('narthex', 4, 1), outcome('victoria', Number.NaN, 1)])[0]!.ratios.size, 0);
});

test('the table says which budgets are met, and what failed', () => {
  const text = table([outcome('narthex', 0.5, 1e6), outcome('victoria', 1, 2e6, 'lost 3 series')]);
  assert.match(text, /CPU per million samples .* ≤ 0\.600 s met/);
  assert.match(text, /samples .* ≥ 1200 k\/s OPEN/);
  assert.match(text, /narthex holds what it acknowledged: 7 series/);
  assert.match(text, /victoria FAILED: lost 3 series/);
});

test('of repeated measures the table says median, p99 and processor time, and who is slower', () => {
  const of = (server: string, value: number): Outcome => {
    const query = { ...less('top', 'top', 'ms', value), p99: 2 * value, cpuMs: value / 2 };
    return { ...outcome(server, 1, 1), path: 'queries', measures: [query] };
  };
  const text = table([of('narthex', 2), of('prometheus', 8), of('victoria', 1)]);
  assert.match(text, /top +2\.00 \/ 4\.00 \/ 1\.00 .* 0\.25× +2\.00× +SLOWER/);
  assert.doesNotMatch(table([of('narthex', 2), of('prometheus', 8)]), /SLOWER/);
  const lines = markdown([of('narthex', 2), of('prometheus', 8)]).split('\n');
  assert.equal(lines[2], '| median / p99 / CPU, ms | narthex 1 | prometheus 1 | ÷ prometheus | budget |');
  assert.equal(lines[4], '| top | 2.00 / 4.00 / 1.00 | 8.00 / 16.0 / 4.00 | 0.25× |  |');
});

test('the chart has a bar for each ratio', () => {
  const svg = chart([outcome('narthex', 0.5, 1e6), outcome('victoria', 1, 2e6)], 'a < b');
  assert.equal(svg.match(/times (better|worse)/g)!.length, 2);
  assert.match(svg, /a &lt; b/);
  assert.match(svg, /2\.0 times better.*2\.0 times worse/);
});

const NUMBERS: [number | undefined, string, string][] = [
  [undefined, 's', '–'],
  [Number.NaN, 's', '–'],
  [0.4444, 's', '0.444 s'],
  [12.345, 'ms', '12.3 ms'],
  [1_234_567, '/s', '1235 k/s'],
  [512e6, 'B', '512 MB'],
  [0, '%', '0 %'],
  [471.4, 'B/series', '471 B/series'],
];
for (const [value, unit, want] of NUMBERS) {
  test(`${value} in ${unit} is written ${want}`, () => assert.equal(numberText(value, unit), want));
}

test('options: names, variants, servers, sizes', () => {
  const full = parseOptions(['scrape', 'memory', '--gzip', '--churn', '--servers', 'narthex,victoria']);
  assert.deepEqual(full.names, ['scrape-gzip', 'memory-churn']);
  assert.deepEqual(full.servers, ['narthex', 'victoria']);
  assert.equal(full.sizes.head.fleet.series, 1_000_000);
  assert.equal(full.sizes.suite.fleet.series * full.sizes.suite.steps, 28_800_000);
  const quick = parseOptions(['write', '--quick', '--url', 'mine=http://127.0.0.1:9090/prefix']);
  assert.equal(quick.sizes.head.fleet.series, 100_000);
  assert.deepEqual([...quick.urls], [['mine', 'http://127.0.0.1:9090/prefix']]);
  assert.deepEqual(quick.servers, []);
});

for (const args of [['--seed', '0'], ['--scale', 'x'], ['--url', 'http://127.0.0.1'], ['--nonsense']]) {
  test(`options: ${args.join(' ')} is refused`, () => assert.throws(() => parseOptions(args)));
}

test('quantiles and means', () => {
  assert.equal(quantile([5, 1, 3], 0.5), 3);
  assert.equal(quantile([1, 2], 0.99), 2);
  assert.ok(Math.abs(geometricMean([1, 100]) - 10) < 1e-12);
});

test('a run of values is found at any place, and only without a gap', () => {
  assert.ok(containsRun([1, 2, 3, 4], [2, 3]));
  assert.ok(containsRun([1, 2, 3, 4], [4 * (1 + 1e-15)]));
  assert.ok(!containsRun([1, 2, 3, 4], [2, 4]));
  assert.ok(!containsRun([1], [1, 2]));
});

test('the meter of this process counts its time and memory', async () => {
  const meter = processMeter(process.pid);
  const before = await meter.cpuSeconds();
  // Of processor time, not of the clock: others may have the processor.
  for (const from = process.cpuUsage(); process.cpuUsage(from).user < 60_000; );
  assert.ok((await meter.cpuSeconds()) > before);
  const { rssBytes, peakBytes } = await meter.memory();
  assert.ok(rssBytes > 10e6 && peakBytes >= rssBytes);
});

test('a profile: waiting is no work, a recursive call counts once, and a window leaves the rest out', () => {
  const frame = (functionName: string) => ({ functionName, url: '', lineNumber: 0 });
  const profile = {
    startTime: 5e6,
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 5] },
      { id: 2, callFrame: frame('work'), children: [3] },
      { id: 3, callFrame: frame('work'), children: [4] },
      { id: 4, callFrame: frame('leaf') },
      { id: 5, callFrame: frame('(idle)') },
    ],
    samples: [3, 4, 5],
    timeDeltas: [3e6, 1e6, 6e6],
  };
  const text = summary(profile);
  assert.match(text, /10\.0 s, of which 4\.00 s at work/);
  assert.match(text, / 75\.0% +100\.0% +work/);
  assert.match(text, / 25\.0% +25\.0% +leaf/);
  assert.match(summary(within(profile, [8.5e6, 9e6])), /1\.0 s, of which 1\.00 s at work/);
});
