// The runner of query test scripts: wrong expectations are found, and faults that only
// the derived forms of an instant query show.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import { checkMiddleStep } from '../../support/promqltest/compare.js';
import { memoryStore, runScript, type TestStore } from '../../support/promqltest/run.js';
import type { EvalCommand } from '../../support/promqltest/script.js';

const LOAD = `
load 1m
  up{job="b"} 7 8 9
  up{job="a"} 1 2 3
  hops        {{schema:0 count:3 sum:5 buckets:[1 2]}} {{schema:0 count:6 sum:9 buckets:[2 4]}}
  bounds{i="1"} {{schema:-53 count:2 sum:1 custom_values:[1 2] buckets:[1 1]}}x2
  bounds{i="2"} {{schema:-53 count:2 sum:1 custom_values:[1 3] buckets:[1 1]}}x2
  fill        1 2 stale
`;

async function problemsOf(evals: string): Promise<string[]> {
  const outcomes = await runScript(`${LOAD}\n${evals}`);
  return outcomes.flatMap(({ problem }) => problem ?? []);
}

const RIGHT: [name: string, evals: string][] = [
  ['values', 'eval instant at 1m up\n up{job="a"} 2\n up{job="b"} 8'],
  ['a value within a millionth', 'eval instant at 1m up{job="a"}\n up{job="a"} 2.000001'],
  ['nothing', 'eval instant at 2m fill'],
  ['order', 'eval instant at 1m sort_desc(up)\n expect ordered\n up{job="b"} 8\n up{job="a"} 2'],
  ['a scalar', 'eval instant at 1m scalar(up{job="a"})\n 2'],
  ['a string', 'eval instant at 1m "x\\ny"\n expect string "x\\ny"'],
  ['a range', 'eval range from 0 to 2m step 1m fill\n fill 1 2 _'],
  ['a range vector', 'eval instant at 1m up{job="a"}[2m]\n expect range vector from 0 to 1m step 1m\n up{job="a"} 1 2'],
  [
    'the range vector of its own end',
    'eval instant at 9m fill[9m]\n expect range vector from 0 to 2m step 1m\n fill 1 2 _',
  ],
  ['a histogram', 'eval instant at 1m hops\n hops {{count:6 sum:9 buckets:[2 4 0]}}'],
  ['a hint', 'eval instant at 1m hops\n hops {{count:6 sum:9 buckets:[2 4] counter_reset_hint:not_reset}}'],
  ['an info', 'eval instant at 1m max(hops)\n expect info regex: ignored histogram in max'],
  ['an error', 'eval instant at 1m up + on (x) up\n expect fail regex: many-to-many'],
  ['an error in the old form', 'eval_fail instant at 1m up + on (x) up\n expected_fail_regexp many-to-many'],
];

for (const [name, evals] of RIGHT) {
  test(`runner: ${name} as expected`, async () => {
    assert.deepEqual(await problemsOf(evals), []);
  });
}

const WRONG: [name: string, evals: string, problem: RegExp][] = [
  ['a value', 'eval instant at 1m up{job="a"}\n up{job="a"} 2.00001', /expected 2.00001, got 2$/],
  ['a missing series', 'eval instant at 1m up\n up{job="a"} 2\n up{job="b"} 8\n up{job="c"} 1', /not in the result/],
  ['a surplus series', 'eval instant at 1m up\n up{job="a"} 2', /unexpected .*job="b"/],
  ['a name that is not there', 'eval instant at 1m up{job="a"} * 1\n up{job="a"} 2', /not in the result/],
  ['a stale value', 'eval instant at 2m fill\n fill 2', /not in the result/],
  ['order', 'eval instant at 1m sort_desc(up)\n expect ordered\n up{job="a"} 2\n up{job="b"} 8', /at place 0/],
  ['a scalar', 'eval instant at 1m scalar(up{job="a"})\n 3', /expected the scalar 3/],
  ['a vector for a scalar', 'eval instant at 1m up{job="a"}\n 2', /expected the scalar 2, got a vector/],
  ['a string', 'eval instant at 1m "x"\n expect string "y"', /expected the string/],
  ['one step of a range', 'eval range from 0 to 2m step 1m fill\n fill 1 2 2', /at step 2/],
  ['a gap of a range', 'eval range from 0 to 2m step 1m fill\n fill 1 _ _', /at step 1/],
  [
    'a range vector',
    'eval instant at 1m up{job="a"}[2m]\n expect range vector from 0 to 1m step 1m\n up{job="a"} 1 1',
    /step 1/,
  ],
  ['a histogram bucket', 'eval instant at 1m hops\n hops {{count:6 sum:9 buckets:[3 3]}}', /expected {count:6/],
  [
    'where buckets begin',
    'eval instant at 1m hops\n hops {{count:6 sum:9 buckets:[2 4] offset:1}}',
    /expected {count:6/,
  ],
  [
    'a zero threshold',
    'eval instant at 1m hops\n hops {{count:6 sum:9 z_bucket_w:1 buckets:[2 4]}}',
    /expected {count:6/,
  ],
  ['a float for a histogram', 'eval instant at 1m hops\n hops 6', /expected 6, got {count/],
  ['a hint', 'eval instant at 1m hops\n hops {{count:6 sum:9 buckets:[2 4] counter_reset_hint:gauge}}', /gauge, got/],
  [
    'the hint unknown',
    'eval instant at 1m hops\n hops {{count:6 sum:9 buckets:[2 4] counter_reset_hint:unknown}}',
    /not_reset$/,
  ],
  [
    'a missing warning',
    'eval instant at 1m up{job="a"}\n expect warn\n up{job="a"} 2',
    /expected the warning \(any\), got none/,
  ],
  ['a missing info', 'eval_info instant at 1m up{job="a"}\n up{job="a"} 2', /expected the info/],
  [
    'an info that is not to be',
    'eval instant at 1m max(hops)\n expect no_info',
    /unexpected info: PromQL info: ignored/,
  ],
  [
    'the position of an info',
    'eval instant at 1m max(hops)\n expect info msg: PromQL info: ignored histogram in max aggregation (1:4)',
    /expected the info/,
  ],
  [
    'one info for two',
    'eval instant at 1m max(hops) or sum(bounds)\n expect info regex: ignored\n {} {{schema:-53 count:4 sum:2 custom_values:[1] buckets:[2 2]}}',
    /unexpected info: .*reconciled/,
  ],
  ['a success for an error', 'eval instant at 1m up\n expect fail', /expected an error/],
  ['the text of an error', 'eval instant at 1m up + on (x) up\n expect fail msg: no', /expected the error no, got/],
  ['an error for a success', 'eval instant at 1m up + on (x) up', /many-to-many/],
];

for (const [name, evals, problem] of WRONG) {
  test(`runner: finds ${name}`, async () => {
    const problems = await problemsOf(evals);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, problem);
  });
}

/** A store whose n-th query finds nothing. */
async function blindAt(n: number): Promise<TestStore> {
  const store = await memoryStore();
  let opened = 0;
  return { ...store, open: () => (++opened === n ? new MemorySource() : store.open()) };
}

const FORMS: [at: string, forms: RegExp[]][] = [
  [
    'eval instant at 1m up{job="a"}\n up{job="a"} 2',
    [
      /^expected/,
      /^as up{job="a"} at 60000 ms: /,
      /^as up{job="a"} over a range around 60000 ms: /,
      ...[-600_000, 0, 12_000, 60_000, 600_000].flatMap((timeMs) => [
        new RegExp(`^as up{job="a"} @ 60\\.000 at ${timeMs} ms: `),
        new RegExp(`^as up{job="a"} @ 60\\.000 over a range around ${timeMs} ms: `),
      ]),
    ],
  ],
  [
    'eval instant at 0 rate(up[2m] offset -2m)\n {job="a"} 0.016666666\n {job="b"} 0.016666666',
    [
      /^expected/,
      /^as rate/,
      / over a range around 0 ms: /,
      ...[-1000, 0, 1000].flatMap((timeMs) => [
        new RegExp(`@ 0\\.000.* at ${timeMs} ms: `),
        new RegExp(`@ 0\\.000.* over a range around ${timeMs} ms: `),
      ]),
    ],
  ],
  // An order, and what depends on when it is asked for, are looked at in fewer forms.
  [
    'eval instant at 1m sort(up{job="a"})\n expect ordered\n up{job="a"} 2',
    [/^expected/, ...new Array(6).fill(/ at -?\d+ ms: /)],
  ],
  ['eval instant at 1m timestamp(up{job="a"})\n {job="a"} 60', [/^expected/, / at 60000 ms: /, / over a range around/]],
];

for (const [evals, forms] of FORMS) {
  const query = evals.split('\n')[0]!.slice('eval instant at '.length);
  test(`runner: each form of ${query} is compared`, async () => {
    for (let n = 1; n <= forms.length; n++) {
      const [outcome] = await runScript(`${LOAD}\n${evals}`, () => blindAt(n));
      assert.match(outcome!.problem ?? '(none)', forms[n - 1]!, `query ${n}`);
    }
    const [outcome] = await runScript(`${LOAD}\n${evals}`, () => blindAt(forms.length + 1));
    assert.equal(outcome!.problem, undefined);
  });
}

test('runner: remarks of the @ form count too', async () => {
  const evals = 'eval instant at 1m max(hops)\n expect info regex: ignored';
  for (const n of [2, 4, 12]) {
    const [outcome] = await runScript(`${LOAD}\n${evals}`, () => blindAt(n));
    assert.match(outcome!.problem!, /^as max\(hops.* ms: expected the info ignored, got none$/);
  }
});

test('runner: a range whose rows are not sorted is found', () => {
  const series = ['b', 'a'].map((job) => ({ labels: ['job', job], points: [2n] }));
  const command = { expect: { series, warn: [], info: [] } } as unknown as EvalCommand;
  const columns = {
    labels: series.map(({ labels }) => labels),
    steps: 3,
    values: new Float64Array(6),
    present: new Uint8Array(6).fill(1),
  };
  const answer = { data: { kind: 'range', columns } } as unknown as Parameters<typeof checkMiddleStep>[1];
  assert.throws(() => checkMiddleStep(command, answer), /not sorted/);
});
