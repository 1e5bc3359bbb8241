import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { keyOf, type Labels, labelsOf } from '../../../src/model/labels.js';
import type { Matcher } from '../../../src/model/matcher.js';
import { groupRows } from '../../../src/promql/exec/grouping.js';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import type { Pace } from '../../../src/promql/exec/operator.js';
import { quantileRows } from '../../../src/promql/exec/quantile-rows.js';
import type { Columns, Fragment, FragmentQuantile, QueryContext } from '../../../src/promql/exec/source.js';
import { ShardSource } from '../../../src/shard/source.js';
import { anyOwner, freeContext, packSamples, testShards } from '../../support/shards.js';

const STALE = 0x7ff0000000000002n;

/** Rows by label set, cells as text: what two sources must agree on. */
function rowsOf(columns: Columns): Map<string, string> {
  const rows = new Map<string, string>();
  columns.labels.forEach((labels, row) => {
    const cells = Array.from({ length: columns.steps }, (_, step) => {
      const cell = row * columns.steps + step;
      return columns.present[cell] === 0 ? '_' : String(columns.values[cell]);
    });
    rows.set(keyOf(labels), cells.join(' '));
  });
  return rows;
}

function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

async function load(count: number, seed: number) {
  const random = new Prng(seed);
  const { shards, ingest } = await testShards(count);
  const memory = new MemorySource();
  const series: { labels: Labels; samples: [number, bigint][] }[] = [];
  for (let i = 0; i < 300; i++) {
    const labels = labelsOf([
      ['__name__', random.pick(['cpu', 'mem', 'up'])],
      ['job', random.pick(['a', 'b', 'c'])],
      ['instance', `host-${i}`],
      ...(random.float() < 0.3 ? ([['zone', random.pick(['eu', 'us'])]] as [string, string][]) : []),
    ]);
    let time = 1_000_000 + random.int(15000);
    let value = random.int(1000);
    const samples: [number, bigint][] = [];
    for (let n = random.int(400); n > 0; n--) {
      time += random.float() < 0.9 ? 15000 : 1 + random.int(400000);
      value = random.float() < 0.03 ? 0 : value + random.int(20);
      samples.push([time, random.float() < 0.02 ? STALE : bitsOf(random.float() < 0.5 ? value : value + 0.25)]);
    }
    series.push({ labels, samples });
  }
  for (let at = 0; series.some(({ samples }) => samples.length > at); at += 50) {
    const batch = series
      .map(({ labels, samples }) => ({ labels, samples: packSamples(samples.slice(at, at + 50)) }))
      .filter(({ samples }) => samples.byteLength > 0);
    await ingest.append(batch, 1_000_000, anyOwner(count));
  }
  for (const { labels, samples } of series) for (const [time, bits] of samples) memory.append(labels, time, bits);
  return { shards, memory };
}

const SELECTORS: Matcher[][] = [
  [{ name: '__name__', op: '=', value: 'cpu' }],
  [{ name: 'job', op: '!=', value: 'a' }],
  [{ name: 'instance', op: '=~', value: 'host-1.*' }],
  [{ name: 'instance', op: '=~', value: 'host-(1|2|33)' }],
  [
    { name: 'instance', op: '=~', value: '.*7|host-[3-5]0?' },
    { name: '__name__', op: '!~', value: 'm.+' },
  ],
  [
    { name: 'zone', op: '=', value: '' },
    { name: 'job', op: '=', value: 'b' },
  ],
  [
    { name: 'zone', op: '!=', value: '' },
    { name: 'job', op: '=~', value: 'a|b' },
    { name: 'instance', op: '!~', value: '.*1' },
  ],
  [
    { name: 'zone', op: '=~', value: '.*' },
    { name: 'nothing', op: '!=', value: 'x' },
  ],
  [{ name: 'nothing', op: '=', value: 'x' }],
];

for (const count of [1, 2, 5]) {
  test(`shards: ${count} of them answer fragments as the model does`, async () => {
    const { shards, memory } = await load(count, 7 + count);
    const random = new Prng(99);
    const fns = [
      'last',
      'rate',
      'increase',
      'delta',
      'sum_over_time',
      'avg_over_time',
      'max_over_time',
      'changes',
      'quantile_over_time',
      'timestamp',
    ];
    for (const matchers of SELECTORS) {
      for (const fn of fns) {
        const steps = random.pick([
          { startMs: 3_000_000, stepMs: 1, count: 1 },
          { startMs: 1_200_000, stepMs: 60_000, count: 90 },
          { startMs: 9_000_000, stepMs: 15_000, count: 40 },
        ]);
        const fragment: Fragment = {
          matchers,
          steps,
          windowMs: 300_000,
          fn,
          args: fn === 'quantile_over_time' ? [0.5] : [],
          dropName: fn !== 'last',
        };
        const want = rowsOf(await memory.select(fragment, freeContext()));
        const got = rowsOf(await new ShardSource(shards, 'adhoc').select(fragment, freeContext()));
        assert.deepEqual(got, want, `${fn} over ${JSON.stringify(matchers)} at ${JSON.stringify(steps)}`);
      }
    }
  });

  test(`shards: ${count} of them aggregate as the model does`, async () => {
    const { shards, memory } = await load(count, 70 + count);
    for (const op of ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev'] as const) {
      for (const [grouping, labels] of [
        ['by', ['job']],
        ['by', []],
        ['without', ['instance']],
        ['by', ['zone', 'job']],
      ] as const) {
        for (const fn of ['last', 'rate', 'mad_over_time']) {
          const fragment: Fragment = {
            matchers: [{ name: 'job', op: '=~', value: '.+' }],
            steps: { startMs: 1_500_000, stepMs: 60_000, count: 30 },
            windowMs: 300_000,
            fn,
            args: [],
            dropName: true,
            aggregate: { op, grouping, labels },
          };
          const want = rowsOf(await memory.select(fragment, freeContext()));
          const got = rowsOf(await new ShardSource(shards, 'adhoc').select(fragment, freeContext()));
          assert.deepEqual([...got.keys()].sort(), [...want.keys()].sort(), `${op} ${grouping} ${labels}`);
          for (const [key, cells] of want) assertClose(got.get(key)!, cells, `${op} ${grouping} (${labels}) of ${fn}`);
        }
      }
    }
  });
}

test('shards: one of them gives quantiles of groups as the model does, or declines', async () => {
  const { shards, memory } = await load(1, 700);
  const source = new ShardSource(shards, 'adhoc');
  const quantileOf = async (fn: string, count: number, quantile: FragmentQuantile) => {
    const fragment: Fragment = {
      matchers: [{ name: 'job', op: '=~', value: '.+' }],
      steps: { startMs: 1_500_000, stepMs: 60_000, count },
      windowMs: 300_000,
      fn,
      args: [],
      dropName: true,
    };
    const rows = await memory.select(fragment, freeContext());
    const phis = new Float64Array(count).fill(quantile.phi);
    const pace = { spend() {} } as unknown as Pace;
    const want = quantileRows(rows, groupRows(rows.labels, quantile), phis, pace);
    return { want, got: await source.select({ ...fragment, quantile }, freeContext()) };
  };
  for (const phi of [0, 0.1, 0.5, 0.99, 1]) {
    for (const [grouping, labels] of [
      ['by', ['job']],
      ['by', []],
      ['without', ['instance']],
    ] as const) {
      for (const fn of ['last', 'rate', 'changes']) {
        const { want, got } = await quantileOf(fn, 30, { phi, grouping, labels });
        assert.ok(want.labels.length > 0);
        assert.deepEqual(rowsOf(got), rowsOf(want), `${phi} ${grouping} (${labels}) of ${fn}`);
      }
    }
  }
  const byJob = { phi: 0.5, grouping: 'by', labels: ['job'] } as const;
  assert.equal((await quantileOf('mad_over_time', 30, byJob)).got.declined, true, 'no function of the core');
  assert.equal((await quantileOf('last', 10_000, byJob)).got.declined, true, 'more cells than one morsel has');
});

/** Sums of shards are joined in another order, so the last digits may differ. */
function assertClose(got: string, want: string, what: string): void {
  const a = got.split(' ');
  const b = want.split(' ');
  assert.equal(a.length, b.length, what);
  a.forEach((cell, i) => {
    if (cell === b[i]) return;
    const x = Number(cell);
    const y = Number(b[i]);
    assert.ok(
      Math.abs(x - y) <= 1e-9 * Math.max(Math.abs(x), Math.abs(y), 1e-3),
      `${what}: step ${i}: got ${cell}, want ${b[i]}`,
    );
  });
}

test('shards: a reading that fails on one ends on the others, as text too', async () => {
  const { shards, ingest } = await testShards(3, undefined, { morsel: { samples: 10, series: 4 } });
  const batch = Array.from({ length: 300 }, (_, i) => ({
    labels: ['__name__', 'm', 'i', `${i}`],
    samples: packSamples([[1_000, i]]),
  }));
  await ingest.append(batch, 0, anyOwner(3));
  const fragment: Fragment = {
    matchers: [{ name: '__name__', op: '=', value: 'm' }],
    steps: { startMs: 1_000, stepMs: 1, count: 1 },
    windowMs: 300_000,
    // Which main does not read by itself.
    fn: 'count_over_time',
    args: [],
    dropName: false,
  };
  for (const form of ['columns', 'text']) {
    let reserved = 0;
    let failures = 0;
    const context: QueryContext = {
      ...freeContext(),
      turn: () => {
        if (reserved > 3 && failures++ === 0) throw new Error('enough');
        return undefined;
      },
      reserve: () => void reserved++,
    };
    const source = new ShardSource(shards, 'adhoc');
    const reading =
      form === 'columns'
        ? source.read({ kind: 'fragment', fragment }, context)
        : source.render(fragment, { form: 'vector', steps: fragment.steps }, context);
    await assert.rejects(reading, /enough/, form);
    const taken = reserved;
    // Whatever is still asked of the shards is done before this is.
    await new ShardSource(shards, 'adhoc').select(fragment, freeContext());
    assert.equal(reserved, taken, form);
    source.close();
  }
  await shards.close();
});
