import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import type { Labels } from '../../../src/model/labels.js';
import { Pace } from '../../../src/promql/exec/operator.js';
import type { Columns, RawSeries, Source } from '../../../src/promql/exec/source.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';

test('pace: looks once for many small rows, and at once after a large one', () => {
  let looks = 0;
  const pace = new Pace(() => looks++);
  for (let row = 0; row < 100; row++) pace.spend(1);
  assert.equal(looks, 0);
  for (let row = 0; row < 100_000; row++) pace.spend(1);
  const small = looks;
  assert.ok(small > 2 && small < 1000, `${small} looks`);
  pace.spend(1_000_000);
  assert.equal(looks, small + 1);
});

const STEPS = { startMs: 0, stepMs: 60_000, count: 100 };

/** 200 rows of 100 steps, and a clock that says how often it was asked since they were handed out. */
function largeSource(): {
  source: Source;
  clock: typeof realClock;
  looks: () => number;
  stopAt: (look: number) => void;
} {
  let handedOut = false;
  let looks = 0;
  let last = Infinity;
  const source: Source = {
    async select(): Promise<Columns> {
      handedOut = true;
      const labels: Labels[] = Array.from({ length: 200 }, (_, i) => ['__name__', 'm', 'le', `${i}`]);
      const cells = labels.length * STEPS.count;
      return { labels, steps: STEPS.count, values: new Float64Array(cells), present: new Uint8Array(cells).fill(1) };
    },
    async samples(): Promise<RawSeries[]> {
      return [];
    },
  };
  const clock = Object.assign(Object.create(realClock), {
    monotonicMs: () => (handedOut && ++looks > last ? Number.MAX_SAFE_INTEGER : 0),
  });
  return { source, clock, looks: () => looks, stopAt: (look) => (last = look) };
}

// Each runs in one stretch once its input is there: no timer can fire, so only looking at the clock ends it.
const QUERIES = [
  'm ^ 2',
  'm + on (le) m',
  'm and m',
  'm or m',
  'exp(m)',
  'clamp(m, 0, time())',
  'topk(3, m)',
  'limitk(3, m)',
  'quantile(0.5, m)',
  'count_values("v", m)',
  'histogram_quantile(0.5, m)',
];

for (const text of QUERIES) {
  test(`operators: ${text} ends in the middle when its time is over`, async () => {
    const options = { ...SCRIPT_OPTIONS, samplesMax: 1_000_000, delayedNames: false };
    const whole = largeSource();
    await new QueryEngine(() => whole.source, whole.clock, options).range(text, STEPS);
    assert.ok(whole.looks() > 4, `only ${whole.looks()} looks`);
    const cut = largeSource();
    cut.stopAt(1);
    const answer = new QueryEngine(() => cut.source, cut.clock, options).range(text, STEPS);
    await assert.rejects(answer, /query timed out in expression evaluation/);
    assert.equal(cut.looks(), 2);
  });
}
