// Names, values and label sets that shards list, beside a model that looks at every sample.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { type Labels, labelsOf } from '../../../src/model/labels.js';
import { compileMatcher, type Matcher } from '../../../src/model/matcher.js';
import { staleHistogram } from '../../../src/model/stored-histogram.js';
import { ShardStorage } from '../../../src/query/storage.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';
import { generateStored } from '../../support/stored-histograms.js';

const STALE = 0x7ff0000000000002n;
const STEP_MS = 15_000;
const STEPS = 400;

interface Stored {
  readonly labels: Labels;
  readonly samples: readonly (readonly [timeMs: number, bits: bigint])[];
  /** From this time on the samples are histograms. */
  readonly histogramsFromMs: number;
}

/** Series of one or several chunks, some that ended, some with markers at the end or alone. */
function seriesOf(seed: number): Stored[] {
  const random = new Prng(seed);
  return Array.from({ length: 120 }, (_, i) => {
    const labels = labelsOf([
      ['__name__', random.pick(['cpu', 'mem', 'up', '\u{1f600}', '\uffee'])],
      ['instance', `host-${i}`],
      ['job', random.pick(['a', 'b', 'c"\\\n'])],
      ...(random.int(3) === 0 ? ([['zone', random.pick(['eu', 'us'])]] as [string, string][]) : []),
    ]);
    const first = random.int(STEPS);
    const last = Math.min(STEPS, first + 1 + random.int(random.pick([2, 50, STEPS])));
    const samples = Array.from({ length: last - first }, (_, n) => {
      const isMarker = (n === last - first - 1 && random.int(3) === 0) || random.int(10) === 0;
      return [(first + n) * STEP_MS, isMarker ? STALE : BigInt(n)] as const;
    });
    const from = [0, Infinity, samples[samples.length >> 1]![0], Infinity][i % 4]!;
    return { labels, samples, histogramsFromMs: from };
  });
}

const SELECTORS: Matcher[][][] = [
  [[{ name: '__name__', op: '=', value: 'cpu' }]],
  [[{ name: 'zone', op: '=~', value: 'e.' }], [{ name: 'instance', op: '=~', value: 'host-1.*' }]],
  [
    [
      { name: '__name__', op: '=~', value: '.+' },
      { name: 'zone', op: '=', value: '' },
    ],
  ],
  [[{ name: 'nothing', op: '=', value: 'x' }]],
];

const RANGES: [startMs: number, endMs: number][] = [
  [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  [0, STEPS * STEP_MS],
  [200 * STEP_MS, 200 * STEP_MS],
  [200 * STEP_MS + 1, 201 * STEP_MS - 1],
  [300 * STEP_MS, 2 * STEPS * STEP_MS],
  [-10, -1],
];

function matches({ labels }: Stored, selectors: readonly (readonly Matcher[])[]): boolean {
  const value = (name: string) => {
    for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1]!;
    return '';
  };
  return selectors.some((all) => all.every((matcher) => compileMatcher(matcher)(value(matcher.name))));
}

const [one, marker] = [generateStored(new Prng(7), false, 1)[0]!, staleHistogram(false)];

/** Some of the samples, as an append takes them. */
function appended({ labels, samples, histogramsFromMs }: Stored, from: number, to: number) {
  const some = samples.slice(from, to);
  return {
    labels,
    samples: packSamples(some.filter(([timeMs]) => timeMs < histogramsFromMs)),
    stored: some
      .filter(([timeMs]) => timeMs >= histogramsFromMs)
      .map(([timeMs, bits]) => ({ timeMs, histogram: bits === STALE ? marker : one })),
  };
}

/** In the order of UTF-8. */
function sorted(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

for (const count of [1, 3]) {
  test(`${count} shards list what the model has`, async () => {
    const seed = 17 + count;
    const stored = seriesOf(seed);
    const { shards, ingest } = await testShards(count);
    for (let at = 0; at < STEPS; at += 100) {
      const batch = stored
        .map((one) => appended(one, at, at + 100))
        .filter(({ samples, stored: histograms }) => samples.byteLength + histograms.length > 0);
      if (batch.length > 0) await ingest.append(batch, STEPS * STEP_MS, anyOwner(count));
    }
    const storage = new ShardStorage(shards, () => [], 300_000);
    const { signal } = new AbortController();
    for (const selectors of SELECTORS) {
      const found = stored.filter((series) => matches(series, selectors));
      const always = { selectors, startMs: 0, endMs: 0, limit: 0, signal };
      const names = found.flatMap(({ labels }) => labels.filter((_, i) => i % 2 === 0));
      assert.deepEqual((await storage.labelNames(always)).values, sorted(names), `seed ${seed}`);
      for (const name of ['job', 'zone', '__name__', 'nothing']) {
        const values = found.flatMap(({ labels }) => labels.filter((_, i) => i % 2 === 1 && labels[i - 1] === name));
        assert.deepEqual((await storage.labelValues(name, always)).values, sorted(values), `seed ${seed}, ${name}`);
      }
      for (const [startMs, endMs] of RANGES) {
        const present = found.filter(({ samples }) =>
          samples.some(([timeMs, bits]) => timeMs >= startMs && timeMs <= endMs && bits !== STALE),
        );
        const want = present.map(({ labels }) => JSON.stringify(labels));
        // From the second time on main may list by itself.
        for (const limit of [0, 0, 0, 5]) {
          const { rows } = await storage.series({ selectors, startMs, endMs, limit, signal });
          const { rowCount, pieces } = rows;
          const bytes: Uint8Array[] = [];
          for await (const piece of pieces(limit)) bytes.push(piece);
          const text = Buffer.concat(bytes).toString();
          const got = (JSON.parse(`[${text}]`) as Record<string, string>[]).map((row) =>
            JSON.stringify(Object.entries(row).flat()),
          );
          const what = `seed ${seed}, ${JSON.stringify(selectors)} from ${startMs} to ${endMs}, limit ${limit}`;
          if (limit === 0) assert.deepEqual(got, sortedSets(want), what);
          else assert.equal(got.length, Math.min(limit, want.length), what);
          if (limit > 0) assert.equal(rowCount > limit, want.length > limit, what);
          for (const set of got) assert.ok(want.includes(set), what);
        }
      }
    }
    assert.ok(shards.known.reads > 0, 'main lists');
    const every = { selectors: [], startMs: 0, endMs: 0, limit: 0, signal };
    const jobs = stored.map(({ labels }) => labels[labels.indexOf('job') + 1]!);
    assert.deepEqual((await storage.labelValues('job', every)).values, sorted(jobs));
    assert.deepEqual((await storage.labelNames(every)).values, ['__name__', 'instance', 'job', 'zone']);
    const added = labelsOf([
      ['__name__', 'cpu'],
      ['job', 'z'],
      ['rack', '7'],
    ]);
    const samples = packSamples([[STEPS * STEP_MS, 1]]);
    await ingest.append([{ labels: added, samples }], STEPS * STEP_MS, anyOwner(count));
    assert.deepEqual((await storage.labelValues('job', every)).values, sorted([...jobs, 'z']));
    assert.deepEqual((await storage.labelNames(every)).values, ['__name__', 'instance', 'job', 'rack', 'zone']);
  });
}

/** Label sets in the order of their texts, name by name. */
function sortedSets(sets: readonly string[]): string[] {
  return [...sets].sort((a, b) => {
    const [one, other] = [JSON.parse(a) as Labels, JSON.parse(b) as Labels];
    for (let i = 0; i < Math.min(one.length, other.length); i++) {
      const order = Buffer.compare(Buffer.from(one[i]!), Buffer.from(other[i]!));
      if (order !== 0) return order;
    }
    return one.length - other.length;
  });
}
