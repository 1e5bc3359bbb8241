import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { keyOf } from '../../../src/model/labels.js';
import { Core } from '../../../src/wasm/core.js';
import { bitsOf, type ModelSample, ModelTarget, STALE } from '../../support/scrape-model.js';

const release = process.env.NARTHEX_CORE !== 'debug';

/** `name=value@time`, stale markers as `name=stale@time`: one word for a sample. */
function words(samples: readonly ModelSample[]): string[] {
  return samples.map(({ labels, timeMs, bits }) => `${labels[1]}=${bits === STALE ? 'stale' : number(bits)}@${timeMs}`);
}

function number(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

const sequences: [name: string, steps: [body: string, want: string][]][] = [
  [
    'the same lines again',
    [
      ['a 1\nb 2\n', 'a=1 b=2'],
      ['a 3\nb 4\n', 'a=3 b=4'],
      ['a 3\nb 4', 'a=3 b=4'],
    ],
  ],
  [
    'a series vanishes, and comes back',
    [
      ['a 1\nb 2\nc 3\n', 'a=1 b=2 c=3'],
      ['a 1\nc 3\n', 'a=1 c=3 b=stale'],
      ['a 1\nc 3\n', 'a=1 c=3'],
      ['a 1\nb 2\nc 3\n', 'a=1 b=2 c=3'],
    ],
  ],
  [
    'lines change places',
    [
      ['a 1\nb 2\nc 3\nd 4\n', 'a=1 b=2 c=3 d=4'],
      ['d 4\nc 3\nb 2\na 1\n', 'd=4 c=3 b=2 a=1'],
    ],
  ],
  [
    'a new line in the middle',
    [
      ['a 1\nb 2\nc 3\n', 'a=1 b=2 c=3'],
      ['a 1\nx 9\nb 2\nc 3\n', 'a=1 x=9 b=2 c=3'],
      ['a 1\nx 9\nb 2\nc 3\n', 'a=1 x=9 b=2 c=3'],
      ['a 1\nb 2\nc 3\n', 'a=1 b=2 c=3 x=stale'],
    ],
  ],
  [
    'a longer name where a shorter one was, and the other way round',
    [
      ['foo 1\n', 'foo=1'],
      ['fooInf 1\n', 'fooInf=1 foo=stale'],
      ['foo Inf\n', 'foo=Infinity fooInf=stale'],
      ['foo\t5\n', 'foo=5'],
      ['foo+5\n', 'foo=5'],
    ],
  ],
  [
    'a failed scrape makes all stale, once',
    [
      ['a 1\nb 2\n', 'a=1 b=2'],
      ['a 1\nb x\n', 'error a=stale b=stale'],
      ['a 1\nb x\n', 'error'],
      ['a 1\nb 2\n', 'a=1 b=2'],
    ],
  ],
  [
    'labels that are bad take the whole scrape back',
    [
      ['a 1\nb 2\n', 'a=1 b=2'],
      ['a 1\nnew{x="1",x="2"} 1\n', 'error a=stale b=stale'],
      ['a 1\nb 2\nc 3\n', 'a=1 b=2 c=3'],
    ],
  ],
  [
    'another spelling of the same labels is the same series',
    [
      ['a{x="1",y="2"} 1\n', 'a=1'],
      ['a{y="2",x="1"} 2\n', 'a=2'],
      ['a{y="2",x="1",} 3\nb 1\n', 'a=3 b=1'],
      ['b 1\n', 'b=1 a=stale'],
    ],
  ],
  [
    'the same series twice in one body: both go on',
    [
      ['a 1\na 2\n', 'a=1 a=2'],
      ['a 1\na 2\n', 'a=1 a=2'],
      ['a 3\n', 'a=3'],
    ],
  ],
  [
    'timestamps of their own are kept, and end the watch for staleness',
    [
      ['a 1 5\nb 2\n', 'a=1@5 b=2'],
      ['b 2 \n', 'b=2'],
      ['a 1 7\nb 2\t8\t\n', 'a=1@7 b=2@8 b=stale'],
      ['a 1 7\nb 2\t8\t\n', 'a=1@7 b=2@8'],
      ['', ''],
    ],
  ],
  [
    'blank lines and comments come and go',
    [
      ['# x\na 1\n', 'a=1'],
      ['\n\n  \t\na 1\n# y\n', 'a=1'],
      ['# x\n# y\na 1\n', 'a=1'],
    ],
  ],
];

for (const [name, steps] of sequences) {
  test(`cache: ${name}`, () => {
    const target = new ModelTarget();
    steps.forEach(([body, want], step) => {
      const time = 1000 * (step + 1);
      const got = target.scrape(body, time);
      const text = [...(got.error === undefined ? [] : ['error']), ...words(got.samples)].join(' ');
      assert.equal(text.replaceAll(`@${time}`, ''), want, `step ${step}`);
    });
  });
}

test('cache: with honorTimestamps off all samples get the time of the scrape, and stale markers', () => {
  const target = new ModelTarget({ honorTimestamps: false });
  assert.deepEqual(words(target.scrape('a 1 5\nb 2 6\n', 100).samples), ['a=1@100', 'b=2@100']);
  assert.deepEqual(words(target.scrape('a 1 5\n', 200).samples), ['a=1@200', 'b=stale@200']);
});

test('cache: with trackTimestampsStaleness on, series with timestamps get stale markers too', () => {
  const target = new ModelTarget({ trackTimestampsStaleness: true });
  assert.deepEqual(words(target.scrape('a 1 5\n', 100).samples), ['a=1@5']);
  assert.deepEqual(words(target.scrape('', 200).samples), ['a=stale@200']);
});

test('cache: the end of a target makes its series stale', () => {
  const target = new ModelTarget();
  target.scrape('a 1\nb 2\n', 100);
  assert.deepEqual(words(target.end(200)), ['a=stale@200', 'b=stale@200']);
  assert.deepEqual(words(target.end(300)), []);
});

test('cache: metadata is told when it is new, when it changes, and when it comes back', () => {
  const target = new ModelTarget();
  const lines = (body: string, time: number) =>
    target.scrape(body, time).metadata.map(({ kind, metric, text }) => `${kind} ${metric} ${text}`);
  assert.deepEqual(lines('# HELP a one\\ntwo \\\\n\n# TYPE a counter\na 1\n', 1), [
    'help a one\ntwo \\n',
    'type a counter',
  ]);
  assert.deepEqual(lines('# HELP a one\\ntwo \\\\n\n# TYPE a counter\na 1\n', 2), []);
  assert.deepEqual(lines('# HELP a other\n# TYPE a counter\na 1\n', 3), ['help a other']);
  assert.deepEqual(lines('# HELP a one\\ntwo \\\\n\n# TYPE a counter\na 1\n', 4), ['help a one\ntwo \\n']);
});

test('cache: a TYPE line rules the lines behind it, also where only those are new', () => {
  const target = new ModelTarget();
  target.scrape('# TYPE h histogram\nh_bucket{le="1"} 1\n', 1);
  const got = target.scrape('# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="20"} 1\n', 2);
  assert.deepEqual(
    got.samples.map(({ labels }) => labels.at(-1)),
    ['1.0', '20.0'],
  );
});

test('cache: a label, a line and a body longer than 64 KiB', () => {
  const target = new ModelTarget();
  const long = 'x'.repeat(70_000);
  for (let step = 1; step <= 3; step++) {
    const got = target.scrape(`a 1\nb{l="${long}"} ${step}\n# ${long}\nc 3\n`, step);
    assert.deepEqual(words(got.samples), [`a=1@${step}`, `b=${step}@${step}`, `c=3@${step}`]);
  }
  assert.equal(target.series.length, 3);
});

test('cache: a steady target takes the short way', () => {
  const target = new ModelTarget();
  const body = Array.from({ length: 500 }, (_, i) => `m_${i % 50}{i="${i}"} ${i}`).join('\n');
  for (let step = 1; step <= 5; step++) target.scrape(body, step);
  assert.deepEqual(target.exposition.counts(), { expected: 4 * 500, known: 0, new: 500 });
});

test('cache: a line that comes and goes costs its neighbours nothing', () => {
  const target = new ModelTarget();
  const lines = Array.from({ length: 100 }, (_, i) => `m_${i} 1`);
  target.scrape(lines.join('\n'), 1);
  lines.splice(50, 0, 'new 1');
  for (let step = 2; step <= 11; step++) target.scrape(lines.join('\n'), step);
  const counts = target.exposition.counts();
  assert.equal(counts.new, 101);
  assert.ok(counts.known <= 2 * 9, `${counts.known} lines found by hash`);
});

test('cache: lines that moved are expected in their new places two scrapes later', () => {
  const target = new ModelTarget();
  const prng = new Prng(1);
  let lines = Array.from({ length: 300 }, (_, i) => `m_${i} ${i}`);
  target.scrape(lines.join('\n'), 1);
  for (let round = 0; round < 5; round++) {
    lines = lines
      .map((line) => ({ line, key: prng.u32() }))
      .sort((a, b) => a.key - b.key)
      .map(({ line }) => line);
    if (round === 3) lines = lines.slice(100);
    if (round === 4) lines.splice(50, 0, ...Array.from({ length: 100 }, (_, i) => `n_${i} 0`));
    for (let step = 2; step < 40; step++) {
      const before = target.exposition.counts().expected;
      const { samples } = target.scrape(lines.join('\n'), round * 100 + step);
      const fresh = samples
        .filter(({ bits }) => bits !== STALE)
        .map(({ labels, bits }) => `${labels[1]} ${number(bits)}`);
      assert.deepEqual(fresh, lines);
      if (step >= 30)
        assert.equal(target.exposition.counts().expected - before, lines.length, `round ${round} step ${step}`);
    }
  }
});

test('cache: a target that shuffles its lines every time is let be', () => {
  const target = new ModelTarget();
  const prng = new Prng(2);
  const lines = Array.from({ length: 200 }, (_, i) => `m_${i} 1`);
  for (let step = 1; step < 200; step++) {
    const shuffled = lines.map((line) => ({ line, key: prng.u32() })).sort((a, b) => a.key - b.key);
    assert.equal(target.scrape(shuffled.map(({ line }) => line).join('\n'), step).samples.length, lines.length);
  }
});

test('cache: what is not seen for long is dropped, and memory comes back', () => {
  const core = new Core();
  const before = core.usedBytes;
  const target = new ModelTarget({ core });
  for (let step = 1; step <= 60; step++) {
    const lines = Array.from({ length: 1000 }, (_, i) => `m{step="${step}",i="${i}"} 1`);
    const got = target.scrape(lines.join('\n'), step);
    assert.equal(got.samples.length, step === 1 ? 1000 : 2000);
  }
  assert.ok(core.exports.cache_count(target.cache) <= 12_000, `${core.exports.cache_count(target.cache)} entries`);
  target.exposition.close(target.cache);
  assert.ok(core.usedBytes - before < 4 << 20, `${core.usedBytes - before} bytes kept`);
});

test('cache: numbers of parses start over', () => {
  const target = new ModelTarget();
  for (let step = 1; step <= 66_000; step++) {
    // Around the wrap one series goes and comes.
    const gone = step % 5000 === 0 || (step > 65_520 && step < 65_540 && step % 2 === 0);
    const got = words(target.scrape(gone ? 'a 1\n' : 'a 1\nb 2\n', step).samples);
    const want = [`a=1@${step}`, ...(gone ? [`b=stale@${step}`] : [`b=2@${step}`])];
    if (got.join() !== want.join()) assert.fail(`step ${step}: ${got.join()}`);
  }
});

test('cache: series of several shards go to the batches of their owners', () => {
  const core = new Core();
  const { exposition, cache } = new ModelTarget({ core });
  exposition.setShards(3, 1);
  const options = { honorTimestamps: true, trackTimestampsStaleness: false };
  const body = () => exposition.load(Buffer.from('a 1\nb 2\nc 3\nd 4\n'));
  const rows = () =>
    [0, 1, 2].map((owner) => {
      const { address, count } = exposition.rows(owner);
      return Array.from({ length: count }, (_, i) => core.view.getUint32(address + i * 24, true));
    });
  const parsed = exposition.parse(cache, body(), 1000, options);
  assert.ok(parsed.ok && parsed.misses === 4);
  exposition.resolve(cache, 0, 10, 1, 0);
  exposition.resolve(cache, 1, 11, 2, 1);
  exposition.drop(cache, 2);
  exposition.resolve(cache, 3, 12, 3, 2);
  assert.equal(exposition.samplesKept, 3);
  assert.deepEqual(rows(), [[10], [0xfffffffe, 11, 0xfffffffe, 0xfffffffe], [12]]);
  exposition.clearRows();
  exposition.parse(cache, body(), 2000, options);
  assert.equal(exposition.samplesKept, 3);
  assert.deepEqual(rows(), [[10], [11], [12]]);

  // Shard 2 has forgotten: only that line comes again.
  exposition.clearRows();
  exposition.forget(cache, 2, Uint32Array.of(12, 99));
  const again = exposition.retry(cache, body(), 2000, options);
  assert.ok(again.ok && again.misses === 1);
  exposition.readLabels(cache, 0);
  assert.deepEqual(exposition.scratch.read(), ['__name__', 'd']);
  exposition.resolve(cache, 0, 13, 9, 2);
  assert.deepEqual(rows(), [[], [0xfffffffe], [13]]);
  exposition.clearRows();
  exposition.vanished(cache, 2000);
  assert.deepEqual(rows(), [[], [], []]);

  // A refused series is asked for again; another body behind a first one adds rows.
  exposition.parse(cache, exposition.load(Buffer.from('a 1\nnew 5\n')), 3000, options);
  exposition.refuse(cache, 0);
  exposition.vanished(cache, 3000);
  assert.deepEqual(rows(), [[10], [0xfffffffe, 11], [13]]);
  const third = exposition.parse(cache, exposition.load(Buffer.from('a 1\nnew 5\n')), 4000, options);
  assert.ok(third.ok && third.misses === 1);
  exposition.takeBack(cache);
  assert.deepEqual(rows(), [[10], [0xfffffffe, 11], [13]]);
});

test('cache: at the memory limit a scrape fails and nothing breaks', () => {
  const core = new Core({ pagesMax: 20 });
  const target = new ModelTarget({ core });
  assert.equal(target.scrape('a 1\n', 1).samples.length, 1);
  const big = Array.from({ length: 30_000 }, (_, i) => `m${i} 1`).join('\n');
  const body = target.exposition.load(Buffer.from(big));
  const options = { honorTimestamps: true, trackTimestampsStaleness: false };
  const parsed = target.exposition.parse(target.cache, body, 2, options);
  assert.ok(!parsed.ok && parsed.noMemory);
  assert.deepEqual(words(target.scrape('a 2\n', 3).samples), ['a=2@3']);
});

test('cache: random bodies give what a Map gives', () => {
  const rounds = release ? 300 : 60;
  for (let seed = 1; seed <= rounds; seed++) runRandom(seed);
});

test('cache: damaged bodies give the same over a warm cache as over an empty one', () => {
  const core = new Core();
  const warm = new ModelTarget({ core });
  const body = Buffer.from(
    '# HELP a_b some help\n# TYPE a_b counter\na_b_bucket{le="1",x="y z"} 1\na_b_bucket{le="+Inf"} 2 17\n' +
      'a_b_sum 1.5e3\n# a comment\n\nfoo{} 5\nfoobar NaN\n{"q.r",s="t\\n\\"u"} -0.25 \nfoo { a = "b" , } +Inf\n',
  );
  const bytes = [...Buffer.from('\n\t {}",=#\\\0.:_+-aeIN019\x80\xc3\xff', 'latin1')];
  for (let seed = 1; seed <= (release ? 20_000 : 2000); seed++) {
    const prng = new Prng(seed);
    const damaged = Buffer.from(body);
    for (let i = prng.int(4); i > 0; i--) damaged[prng.int(damaged.length)] = prng.pick(bytes);
    const from = prng.int(3) === 0 ? prng.int(damaged.length) : 0;
    const text = damaged.subarray(from, prng.int(4) === 0 ? from + prng.int(damaged.length - from) : undefined);
    const cold = new ModelTarget({ core });
    const want = cold.scrape(text, seed);
    const got = warm.scrape(text, seed);
    cold.exposition.close(cold.cache);
    const what = `seed ${seed}: ${JSON.stringify(text.toString('latin1'))}`;
    assert.deepEqual([got.error, got.offset], [want.error, want.offset], what);
    const fresh = got.samples.filter(({ bits }) => bits !== STALE);
    assert.deepEqual(fresh.map(spelled), want.samples.map(spelled), what);
  }
});

function spelled({ labels, timeMs, bits }: ModelSample): string {
  return `${keyOf(labels)} ${timeMs} ${bits}`;
}

/** Scrapes a target whose lines come, go, move, change spelling and break, beside a plain model. */
function runRandom(seed: number): void {
  const prng = new Prng(seed);
  const target = new ModelTarget({ honorLabels: prng.int(2) === 0, target: ['instance', 'i:1', 'job', 'node'] });
  const pool = Array.from({ length: 1 + prng.int(60) }, (_, i) => spellings(prng, i));
  let present = pool.map((_, i) => i).filter(() => prng.int(3) > 0);
  let live = new Set<string>();
  for (let step = 1; step <= 12; step++) {
    const change = prng.int(6);
    if (change === 0) present = present.filter(() => prng.int(4) > 0);
    if (change === 1) present.splice(prng.int(present.length + 1), 0, prng.int(pool.length));
    if (change === 2) present.reverse();
    if (change === 3) present = [...new Set([...present, ...pool.keys()])];
    const broken = prng.int(12) === 0;
    const time = step * 1000;
    const lines: string[] = [];
    const want: string[] = [];
    const now = new Set<string>();
    for (const index of new Set(present)) {
      const value = prng.pick([prng.int(100), prng.float(), 1e300, -1.5]);
      const spelling = prng.int(10) === 0 ? prng.pick(pool[index]!) : pool[index]![0]!;
      const own = prng.int(30) === 0;
      if (prng.int(20) === 0) lines.push(prng.pick(['', '# HELP x y', '# TYPE x gauge', '#', '# comment']));
      lines.push(`${spelling}${prng.pick([' ', '  ', '\t'])}${value}${own ? ` ${time - 5}` : ''}`);
      want.push(`${index}=${bitsOf(value)}@${own ? time - 5 : time}`);
      if (!own) now.add(String(index));
    }
    if (broken) lines.splice(prng.int(lines.length + 1), 0, prng.pick(['{', 'a', 'a b', 'a{b="c} 1', '0']));
    const got = target.scrape(lines.join('\n'), time);
    assert.equal(got.error !== undefined, broken, `seed ${seed} step ${step}: ${got.error}`);
    if (broken) want.length = 0;
    for (const index of live) if (broken || !now.has(index)) want.push(`${index}=${STALE}@${time}`);
    live = broken ? new Set() : now;
    const index = (sample: ModelSample) => sample.labels[sample.labels.indexOf('i') + 1];
    const have = got.samples.map((sample) => `${index(sample)}=${sample.bits}@${sample.timeMs}`);
    assert.deepEqual(have.sort(), want.sort(), `seed ${seed} step ${step}`);
  }
  assert.equal(new Set(target.series.map(keyOf)).size, target.series.length);
}

/** Some ways to write the same labels; the label i tells series apart. */
function spellings(prng: Prng, index: number): string[] {
  const name = `m_${prng.int(5)}`;
  const extra = prng.int(3) === 0 ? `x="${'y'.repeat(prng.int(80))}z"` : 'job="j"';
  return [
    `${name}{i="${index}",${extra}}`,
    `${name}{${extra},i="${index}"}`,
    `${name} { i = "${index}" , ${extra} , }`,
    `{"${name}",${extra},i="${index}"}`,
  ];
}

test('cache: series are added when the good scrape before did not have them', () => {
  const target = new ModelTarget();
  const { exposition, cache } = target;
  const addedBy = (text: string, timeMs: number): number => {
    target.scrape(text, timeMs);
    return exposition.added(cache);
  };
  assert.equal(addedBy('# TYPE a gauge\na 1\nb 1\nb 2\n', 1000), 2);
  assert.equal(addedBy('a 1\nb 1\n', 2000), 0);
  assert.equal(addedBy('b 1\nc 1\n', 3000), 1);
  assert.equal(addedBy('a 1\nb 1\n', 4000), 1, 'a came back');
  assert.notEqual(target.scrape('a 1\nd 1\n}', 5000).error, undefined);
  assert.equal(addedBy('a 1\nd 1\n', 6000), 1, 'a failed scrape between does not count');
  assert.equal(addedBy('d 1\na 1\n', 7000), 0);
});
