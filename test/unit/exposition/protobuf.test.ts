// The protobuf format beside OpenMetrics: the same page in both leaves the same; and what is no page leaves nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { keyOf } from '../../../src/model/labels.js';
import { openMetricsPage, type PageFamily } from '../../support/exposition-page.js';
import { protobufPage } from '../../support/protobuf-page.js';
import { type ModelScrape, ModelTarget, STALE } from '../../support/scrape-model.js';

/** Lengths of one, two and three bytes are read by other ways. */
const VALUES = ['a', 'b"c', 'd\\e\nf', '🐎', '', 'x'.repeat(127), 'y'.repeat(128), 'z'.repeat(16_384)];

function page(random: Prng): PageFamily[] {
  const number = () => (random.int(8) === 0 ? random.int(2 ** 40) : random.int(1000) / 8);
  const labels = () =>
    Object.fromEntries(Array.from({ length: random.int(3) }, (_, i) => [`l${i}`, random.pick(VALUES)]));
  // OpenMetrics cuts others to milliseconds, sometimes to the one before.
  const someTime = () => 250 + 250 * random.int(2 ** 30);
  const exemplar = () =>
    random.int(2) === 0 ? undefined : { labels: { trace: `${random.int(5)}` }, value: number(), timeMs: someTime() };
  const bounds = [0.1, 1, 2.5, Infinity];
  const types = ['counter', 'gauge', 'untyped', 'summary', 'histogram'] as const;
  return Array.from({ length: 1 + random.int(8) }, (_, i): PageFamily => {
    const type = types[random.int(types.length)]!;
    const metrics = Array.from({ length: 1 + random.int(3) }, (_, n) => ({
      labels: { n: `${n}`, ...labels() },
      value: number(),
      ...(type === 'counter' && { exemplar: exemplar() }),
      ...(random.int(4) === 0 && { timeMs: someTime() }),
      count: random.int(100),
      sum: number(),
      quantiles: [[0.5, number()] as const, [1, number()] as const],
      buckets: bounds.map((bound) => [bound, random.int(100), exemplar()] as const),
    }));
    return {
      name: `f${i}_${random.int(3)}_seconds`,
      type,
      metrics,
      help: 'a\\b\n"c"',
      ...(random.int(2) === 0 && { unit: 'seconds' }),
    };
  });
}

/** Without names: a counter is named with its suffix in one format, without in the other. */
function said({ metadata }: ModelScrape) {
  const texts = (wanted: string) =>
    metadata.filter(({ kind, text }) => kind === wanted && text !== '').map(({ text }) => text);
  return { help: texts('help'), units: texts('unit'), types: texts('type') };
}

function left({ error, samples, exemplars }: ModelScrape) {
  return {
    error,
    samples: samples.map(({ labels, timeMs, bits }) => `${keyOf(labels)} ${timeMs} ${bits}`).sort(),
    exemplars: exemplars.map(({ labels, exemplars: all }) => `${keyOf(labels)} ${JSON.stringify(all)}`).sort(),
  };
}

for (let seed = 1; seed <= 20; seed++) {
  test(`pages of seed ${seed} leave the same in both formats, scrape by scrape`, () => {
    const random = new Prng(seed);
    const options = { exemplars: true, honorTimestamps: seed % 2 === 0, target: ['job', 'j'] };
    const protobuf = new ModelTarget({ ...options, format: 'protobuf' });
    const text = new ModelTarget({ ...options, format: 'openmetrics' });
    let last = page(random);
    for (let time = 1000; time < 8000; time += 1000) {
      if (random.int(3) > 0) last = page(random);
      // Escapes in exemplars are kept by OpenMetrics: these have none.
      const got = protobuf.scrape(protobufPage(last), time);
      const want = text.scrape(openMetricsPage(last), time);
      assert.deepEqual(left(got), left(want), `time ${time}`);
      assert.equal(got.error, undefined);
      // What changes is said family by family in one, line by line in the other.
      if (time === 1000) assert.deepEqual(said(got), said(want));
    }
    assert.ok(protobuf.end(9000).every(({ bits }) => bits === STALE));
  });
}

test('a body that is cut or changed is refused or read, and the next one is none the worse', () => {
  const random = new Prng(7);
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    const target = new ModelTarget({ exemplars: true, format: 'protobuf' });
    const good = protobufPage(page(random));
    const before = left(target.scrape(good, 1000)).samples;
    const bad = Buffer.from(good.subarray(0, random.int(3) === 0 ? random.int(good.length) : good.length));
    for (let i = random.int(3); i > 0 && bad.length > 0; i--) bad[random.int(bad.length)] = random.int(256);
    const { error, samples } = target.scrape(bad, 2000);
    if (error !== undefined) {
      refused++;
      assert.ok(
        samples.every(({ bits }) => bits === STALE),
        error,
      );
    }
    const after = left(target.scrape(good, 3000)).samples.filter((text) => !text.endsWith(` ${STALE}`));
    assert.deepEqual(
      after.map((text) => text.replace(' 3000 ', ' 1000 ')),
      before,
    );
  }
  assert.ok(refused > 100);
});

test('a family says what it is, and native histograms are listed where they are wanted', () => {
  const native = { schema: 0, positiveSpans: [[0, 1]], positive: [3] } as const;
  const body = protobufPage([
    { name: 'h', type: 'histogram', metrics: [{ labels: { a: 'b' }, count: 3, sum: 1, native, buckets: [[1, 2]] }] },
  ]);
  for (const [options, names, listed] of [
    [{}, ['h_bucket', 'h_bucket', 'h_count', 'h_sum'], 0],
    [{ nativeHistograms: true }, [], 1],
    [{ nativeHistograms: true, classicToo: true }, ['h_bucket', 'h_bucket', 'h_count', 'h_sum'], 1],
  ] as const) {
    const target = new ModelTarget({ format: 'protobuf', ...options });
    const { samples } = target.scrape(body, 1);
    assert.deepEqual(samples.map(({ labels }) => labels[labels.indexOf('__name__') + 1]).sort(), names);
    assert.equal([...target.exposition.histograms()].length, listed);
  }
});

/** `up{a="b"} 1` as the content of a family, in other spellings. */
const LABEL = [0x0a, 0x06, 0x0a, 0x01, 0x61, 0x12, 0x01, 0x62];
const VALUE = [0x12, 0x09, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
const family = (...metric: number[]) => {
  const content = [0x0a, 0x02, 0x75, 0x70, 0x18, 0x01, 0x22, metric.length, ...metric];
  return Buffer.from([content.length, ...content]);
};

const spellings: [name: string, body: Buffer][] = [
  ['as encoders write it', family(...LABEL, ...VALUE)],
  ['the value first', family(...VALUE, ...LABEL)],
  ['a length of two bytes', family(0x0a, 0x86, 0x00, ...LABEL.slice(2), ...VALUE)],
  ['a length of three bytes', family(0x0a, 0x86, 0x80, 0x00, ...LABEL.slice(2), ...VALUE)],
  ['a tag of two bytes', family(0x8a, 0x00, ...LABEL.slice(1), ...VALUE)],
  ['a field nobody knows, in the value', family(...LABEL, 0x12, 0x0b, 0x78, 0x01, ...VALUE.slice(2))],
  ['a field nobody knows, behind the value', family(...LABEL, ...VALUE, 0x78, 0x01)],
  ['the value twice: the last one counts', family(...LABEL, 0x12, 0x09, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, ...VALUE)],
];

for (const [name, body] of spellings) {
  test(`one sample, however it is spelled: ${name}`, () => {
    const { error, samples } = new ModelTarget({ format: 'protobuf' }).scrape(body, 1000);
    assert.equal(error, undefined);
    assert.deepEqual(
      samples.map(({ labels, timeMs, bits }) => [labels, timeMs, bits]),
      [[['__name__', 'up', 'a', 'b'], 1000, 0x3ff0000000000000n]],
    );
  });
}
