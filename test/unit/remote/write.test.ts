import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelFault, ROW_BYTES, SID_HOLE } from '../../../assembly/layout.js';
import { Prng } from '../../../src/base/prng.js';
import { formatLabels, keyOf, type Labels } from '../../../src/model/labels.js';
import { Core } from '../../../src/wasm/core.js';
import { type Body, Exposition } from '../../../src/wasm/exposition.js';
import { DEFAULT_WRITE_LIMITS, RemoteWrite, type WriteLimits } from '../../../src/wasm/remote-write.js';
import {
  bytesField,
  decodeWriteRequest,
  encodeWriteRequest,
  fixed64Field,
  labelField,
  sampleField,
  seriesContent,
  varint,
  varintField,
  type WriteSeries,
} from '../../support/write-request.js';

const release = process.env.NARTHEX_CORE !== 'debug';
const STALE = 0x7ff0000000000002n;

interface Taken {
  readonly message?: string;
  /** `labels time bits` of every row, in order. */
  readonly rows: string[];
  readonly invalid: number;
  readonly firstInvalid?: string;
  readonly misses: number;
}

/** One stream into a head that is a Map. */
class Receiver {
  readonly core: Core;
  readonly exposition: Exposition;
  readonly remote: RemoteWrite;
  readonly cache;
  readonly series: Labels[] = [];
  readonly #sids = new Map<string, number>();

  constructor(pagesMax?: number) {
    this.core = new Core({ pagesMax });
    this.core.exports.hash_seed(1, 2);
    this.exposition = new Exposition(this.core);
    this.remote = new RemoteWrite(this.core, this.exposition);
    this.cache = this.remote.open();
  }

  take(bytes: Uint8Array, limits: WriteLimits = DEFAULT_WRITE_LIMITS): Taken {
    const { remote, cache } = this;
    const body: Body = this.exposition.load(bytes);
    const scanned = remote.scan(cache, body, limits);
    if (!scanned.ok) {
      assert.equal(this.exposition.rows(0).count, 0);
      return { message: scanned.message, rows: [], invalid: 0, misses: 0 };
    }
    let invalid = 0;
    let firstInvalid: string | undefined;
    for (let miss = 0; miss < scanned.misses; miss++) {
      if (remote.settle(cache, miss)) continue;
      const fault = remote.readLabels(miss, limits);
      if (fault !== LabelFault.None) {
        invalid++;
        firstInvalid ??= remote.describe(fault);
        remote.refuse(cache, miss);
        continue;
      }
      const sid = this.#sid(this.exposition.scratch.read());
      remote.resolve(cache, miss, sid, sid, 0);
    }
    return { rows: this.#rows(), invalid, firstInvalid, misses: scanned.misses };
  }

  #sid(labels: Labels): number {
    const key = keyOf(labels);
    let sid = this.#sids.get(key);
    if (sid === undefined) {
      sid = this.series.push(labels) - 1;
      this.#sids.set(key, sid);
    }
    return sid;
  }

  #rows(): string[] {
    const { address, count } = this.exposition.rows(0);
    const { view } = this.core;
    const rows: string[] = [];
    for (let at = address; at < address + count * ROW_BYTES; at += ROW_BYTES) {
      const sid = view.getUint32(at, true);
      if (sid === SID_HOLE) continue;
      const labels = formatLabels(this.series[sid]!);
      rows.push(`${labels} ${view.getBigInt64(at + 8, true)} ${view.getBigUint64(at + 16, true).toString(16)}`);
    }
    this.exposition.clearRows();
    return rows;
  }
}

function one(name: string, timeMs: number, bits = 1n): WriteSeries {
  return { labels: ['__name__', name], samples: [{ timeMs: BigInt(timeMs), bits }] };
}

test('write: samples of new and of known series', () => {
  const receiver = new Receiver();
  const request = (time: number) => encodeWriteRequest([one('a', time), one('b', time, 0x3ff0000000000000n)]);
  assert.deepEqual(receiver.take(request(5)).rows, ['a 5 1', 'b 5 3ff0000000000000']);
  const again = receiver.take(request(6));
  assert.deepEqual(again.rows, ['a 6 1', 'b 6 3ff0000000000000']);
  assert.equal(again.misses, 0);
});

test('write: bits of values and signs of times stay as they are', () => {
  const receiver = new Receiver();
  const samples = [
    { timeMs: -5n, bits: STALE },
    { timeMs: 0n, bits: 0n },
    { timeMs: 1n, bits: 0x8000000000000000n },
    { timeMs: 2n ** 62n, bits: 0x7ff8000000000001n },
    { timeMs: -(2n ** 63n), bits: 0xfff8000000001234n },
  ];
  const body = encodeWriteRequest([{ labels: ['__name__', 'a'], samples }]);
  const want = samples.map(({ timeMs, bits }) => `a ${timeMs} ${bits.toString(16)}`);
  assert.deepEqual(receiver.take(body).rows, want);
  assert.deepEqual(receiver.take(body).rows, want);
});

test('write: labels out of order are sorted; empty values are dropped', () => {
  const receiver = new Receiver();
  const series = { labels: ['z', '1', '__name__', 'a', 'y', '', 'b', '2'], samples: [{ timeMs: 1n, bits: 1n }] };
  assert.deepEqual(receiver.take(encodeWriteRequest([series])).rows, ['a{b="2", z="1"} 1 1']);
});

test('write: a sender that goes through its series in turns takes the short way', () => {
  const receiver = new Receiver();
  const turn = (from: number, time: number) =>
    encodeWriteRequest(Array.from({ length: 100 }, (_, i) => one(`m${from + i}`, time)));
  for (let time = 1; time <= 5; time++) {
    for (let from = 0; from < 1000; from += 100) {
      const { rows, misses } = receiver.take(turn(from, time));
      assert.equal(rows.length, 100);
      assert.equal(rows[7], `m${from + 7} ${time} 1`);
      assert.equal(misses, time === 1 ? 100 : 0);
    }
  }
  const counts = receiver.exposition.counts();
  assert.equal(counts.new, 1000);
  assert.ok(counts.known <= 40, `${counts.known} series found by hash`);
});

test('write: what is not seen in two epochs is dropped', () => {
  const receiver = new Receiver();
  receiver.take(encodeWriteRequest([one('a', 1), one('b', 1)]));
  for (let epoch = 0; epoch < 70_000; epoch++) {
    receiver.remote.age(receiver.cache);
    if (epoch % 1000 < 3)
      assert.equal(
        receiver.take(encodeWriteRequest([one('b', epoch)])).misses,
        epoch % 1000 === 0 && epoch > 0 ? 1 : 0,
      );
  }
  assert.equal(receiver.core.exports.cache_count(receiver.cache), 0);
});

const oddities: [name: string, body: () => Uint8Array, rows: string[]][] = [
  ['an empty request', () => new Uint8Array(0), []],
  ['metadata', () => Buffer.concat([bytesField(3, 'anything'), encodeWriteRequest([one('a', 1)])]), ['a 1 1']],
  [
    'unknown fields everywhere',
    () =>
      bytesField(
        1,
        Buffer.concat([
          varintField(99, 5),
          bytesField(1, Buffer.concat([bytesField(1, '__name__'), varintField(9, 1), bytesField(2, 'a')])),
          fixed64Field(77, 5n),
          bytesField(2, Buffer.concat([varintField(3, 7), fixed64Field(1, 1n), varintField(2, 1), bytesField(8, 'x')])),
          Buffer.concat([varint((12 << 3) | 5), Buffer.alloc(4)]),
        ]),
      ),
    ['a 1 1'],
  ],
  [
    'samples before labels',
    () => bytesField(1, Buffer.concat([sampleField({ timeMs: 1n, bits: 1n }), labelField('__name__', 'a')])),
    ['a 1 1'],
  ],
  [
    'labels before and behind samples',
    () =>
      bytesField(
        1,
        Buffer.concat([
          labelField('__name__', 'a'),
          sampleField({ timeMs: 1n, bits: 1n }),
          labelField('b', 'c'),
          sampleField({ timeMs: 2n, bits: 1n }),
        ]),
      ),
    ['a{b="c"} 1 1', 'a{b="c"} 2 1'],
  ],
  [
    'name and value of a label in the other order, and twice: the last counts',
    () =>
      bytesField(
        1,
        Buffer.concat([
          bytesField(1, Buffer.concat([bytesField(2, 'x'), bytesField(1, '__name__'), bytesField(2, 'a')])),
          sampleField({ timeMs: 1n, bits: 1n }),
        ]),
      ),
    ['a 1 1'],
  ],
  [
    'time before value in a sample, and a sample of nothing',
    () =>
      bytesField(
        1,
        Buffer.concat([
          labelField('__name__', 'a'),
          bytesField(2, Buffer.concat([varintField(2, 3), fixed64Field(1, 4n)])),
          bytesField(2, ''),
        ]),
      ),
    ['a 3 4', 'a 0 0'],
  ],
  [
    'exemplars and histograms are passed over',
    () =>
      Buffer.concat([
        bytesField(1, Buffer.concat([seriesContent(one('a', 1)), bytesField(3, 'x'), bytesField(4, 'y')])),
        bytesField(1, Buffer.concat([labelField('__name__', 'h'), bytesField(4, 'y')])),
      ]),
    ['a 1 1'],
  ],
  ['series without samples', () => encodeWriteRequest([{ labels: ['__name__', 'a'], samples: [] }]), []],
  ['empty series', () => Buffer.concat(Array.from({ length: 1000 }, () => bytesField(1, ''))), []],
  [
    'the same series twice',
    () => encodeWriteRequest([one('a', 1), one('a', 2), one('b', 1)]),
    ['a 1 1', 'a 2 1', 'b 1 1'],
  ],
];
for (const [name, body, rows] of oddities) {
  test(`write: ${name}`, () => {
    const receiver = new Receiver();
    for (let round = 0; round < 3; round++) {
      const got = receiver.take(body());
      assert.deepEqual([got.message, got.rows], [undefined, rows], `round ${round}`);
    }
  });
}

const malformed: [name: string, body: () => Uint8Array, message: RegExp][] = [
  ['a series longer than the request', () => Buffer.concat([varint(0x0a), varint(100)]), /unexpected end at byte 0/],
  ['a length of 2^63', () => Buffer.concat([varint(0x0a), varint(2n ** 63n)]), /unexpected end/],
  ['a length of 2^32 + 1', () => Buffer.concat([varint(0x0a), varint(2n ** 32n + 1n), varint(0)]), /unexpected end/],
  ['a varint of eleven bytes', () => Buffer.concat([varint(0x0a), Buffer.alloc(10, 0xff), varint(1)]), /bad varint/],
  ['a tag cut short', () => Buffer.from([0x80]), /bad varint at byte 0/],
  ['a group', () => Buffer.from([0x0b, 0x0c]), /illegal wire type/],
  ['a group within a label', () => bytesField(1, bytesField(1, Buffer.from([0x0b, 0x0c]))), /illegal wire type/],
  ['deep groups', () => Buffer.alloc(100_000, 0x0b), /illegal wire type/],
  ['wire type 6', () => Buffer.from([0x0e]), /illegal wire type/],
  ['field number 0', () => Buffer.from([0x02, 0x00]), /illegal field number/],
  ['series as a varint', () => varintField(1, 5), /wrong wire type/],
  ['labels as a varint', () => bytesField(1, varintField(1, 5)), /wrong wire type/],
  ['a label name as a varint', () => bytesField(1, bytesField(1, varintField(1, 5))), /wrong wire type/],
  [
    'samples as a varint',
    () => bytesField(1, Buffer.concat([labelField('__name__', 'a'), varintField(2, 5)])),
    /wrong wire/,
  ],
  [
    'a value as a varint',
    () => bytesField(1, Buffer.concat([labelField('__name__', 'a'), bytesField(2, varintField(1, 5))])),
    /wrong wire type/,
  ],
  [
    'a label longer than its series',
    () => bytesField(1, Buffer.concat([varint(0x0a), varint(50), Buffer.from('xx')])),
    /unexpected end/,
  ],
];
for (const [name, body, message] of malformed) {
  test(`write: malformed: ${name}`, () => {
    const receiver = new Receiver();
    const good = encodeWriteRequest([one('a', 1), one('b', 1)]);
    receiver.take(good);
    assert.match(receiver.take(body()).message ?? 'taken', message);
    assert.match(
      receiver.take(Buffer.concat([encodeWriteRequest([one('new', 1)]), body()])).message ?? '',
      message.source.includes('byte 0') ? /at byte/ : message,
    );
    const after = receiver.take(good);
    assert.deepEqual([after.rows, after.misses], [['a 1 1', 'b 1 1'], 0]);
  });
}

const long = 'x'.repeat(20_000);
const invalid: [name: string, labels: (string | Uint8Array)[], reason: RegExp][] = [
  ['no name', ['job', 'j'], /^missing metric name .*: \{job="j"\}$/],
  ['no labels', [], /^missing metric name/],
  ['an empty metric name', ['__name__', ''], /^missing metric name/],
  [
    'a label twice',
    ['__name__', 'a', 'x', '1', 'x', '2'],
    /^label name "x" is not unique.*\{__name__="a", x="1", x="2"\}$/,
  ],
  ['a label twice, once empty', ['__name__', 'a', 'x', '', 'x', '2'], /^label name "x" is not unique/],
  ['the metric name twice', ['__name__', 'a', '__name__', 'b'], /^label name "__name__" is not unique/],
  ['an empty label name', ['__name__', 'a', '', 'x'], /^invalid metric name or label names: \{""="x", __name__="a"\}$/],
  ['a value that is not UTF-8', ['__name__', 'a', 'x', Buffer.of(0xff)], /x="\\xff"/],
  ['a name that is not UTF-8', ['__name__', 'a', Buffer.of(0xc0, 0x80), 'x'], /^invalid metric name/],
  ['a surrogate', ['__name__', Buffer.of(0xed, 0xa0, 0x80)], /^invalid metric name/],
  ['too many labels', ['__name__', 'a', ...Array.from({ length: 200 }, (_, i) => `l${i}`)], /^too many labels$/],
  ['a label name too long', ['__name__', 'a', long, 'x'], /^label name of 20000 bytes is too long$/],
  ['a label value too long', ['__name__', 'a', 'x', long], /^value of label "x" is too long: 20000 bytes$/],
];
for (const [name, labels, reason] of invalid) {
  test(`write: an invalid series spoils only itself: ${name}`, () => {
    const receiver = new Receiver();
    const bad = {
      labels,
      samples: [
        { timeMs: 1n, bits: 1n },
        { timeMs: 2n, bits: 1n },
      ],
    };
    for (let round = 1; round <= 2; round++) {
      const got = receiver.take(encodeWriteRequest([one('good', round), bad, bad, one('fine', round)]));
      assert.deepEqual(got.rows, [`good ${round} 1`, `fine ${round} 1`]);
      assert.equal(got.invalid, 2);
      assert.match(got.firstInvalid ?? '', reason);
    }
  });
}

test('write: names that are special to JavaScript are plain labels', () => {
  const receiver = new Receiver();
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const series = names.map((name) => ({ labels: ['__name__', name, name, name], samples: [{ timeMs: 1n, bits: 1n }] }));
  assert.deepEqual(receiver.take(encodeWriteRequest(series)).rows.length, names.length);
});

test('write: limits on series and samples refuse the whole request', () => {
  const receiver = new Receiver();
  const limits = { ...DEFAULT_WRITE_LIMITS, seriesMax: 3, samplesMax: 4 };
  const request = (series: number, samples: number) =>
    encodeWriteRequest(
      Array.from({ length: series }, (_, i) => ({
        labels: ['__name__', `m${i}`],
        samples: Array.from({ length: samples }, (_, t) => ({ timeMs: BigInt(t), bits: 1n })),
      })),
    );
  assert.equal(receiver.take(request(3, 1), limits).rows.length, 3);
  assert.equal(receiver.take(request(4, 1), limits).message, 'more than 3 series in one request');
  assert.equal(receiver.take(request(1, 5), limits).message, 'more than 4 samples in one request');
  assert.equal(receiver.take(request(2, 2), limits).rows.length, 4);
});

test('write: at the memory limit a request fails and nothing breaks', () => {
  const receiver = new Receiver(40);
  const good = encodeWriteRequest([one('a', 1)]);
  receiver.take(good);
  const many = encodeWriteRequest(Array.from({ length: 50_000 }, (_, i) => one(`m${i}`, 1)));
  assert.match(receiver.take(many).message ?? '', /no memory/);
  assert.deepEqual(receiver.take(good).rows, ['a 1 1']);
});

test('write: cut short at every byte, it gives what the plain decoder gives', () => {
  const body = encodeWriteRequest(randomSeries(new Prng(1), 6));
  for (let length = 0; length <= body.length; length++)
    agree(new Receiver(), body.subarray(0, length), `cut at ${length}`);
  const receiver = new Receiver();
  receiver.take(body);
  for (let length = 0; length <= body.length; length++)
    agree(receiver, body.subarray(0, length), `known, cut at ${length}`);
});

test('write: with bytes changed, it gives what the plain decoder gives', () => {
  const rounds = release ? 10_000 : 2000;
  let receiver = new Receiver();
  for (let seed = 1; seed <= rounds; seed++) {
    const prng = new Prng(seed);
    if (seed % 50 === 0) receiver = new Receiver();
    const body = Uint8Array.from(encodeWriteRequest(randomSeries(new Prng(seed % 20), 4)));
    const changes = prng.int(4);
    for (let i = 0; i < changes; i++)
      body[prng.int(body.length)] = prng.pick([0, 1, 0x0a, 0x12, 0x7f, 0x80, 0xff, prng.int(256)]);
    agree(receiver, body, `seed ${seed}`);
  }
});

function randomSeries(prng: Prng, count: number): WriteSeries[] {
  return Array.from({ length: 1 + prng.int(count) }, (_, i) => ({
    labels: [
      '__name__',
      `m${prng.int(3)}`,
      'i',
      String(i),
      ...(prng.int(2) === 0 ? ['x', 'y'.repeat(prng.int(150))] : []),
    ],
    samples: Array.from({ length: prng.int(4) }, (_, t) => ({
      timeMs: BigInt(prng.int(2) === 0 ? t : 1_700_000_000_000 + t),
      bits: BigInt(prng.u32()) << BigInt(prng.int(33)),
    })),
  }));
}

/** The core and the plain decoder must agree on what a body holds. */
function agree(receiver: Receiver, body: Uint8Array, what: string): void {
  const limits = { ...DEFAULT_WRITE_LIMITS, labelsMax: 0, nameBytesMax: 0, valueBytesMax: 0 };
  const want = decodeWriteRequest(body);
  const got = receiver.take(body, limits);
  if (want === undefined) {
    assert.match(got.message ?? 'taken', /malformed/, what);
    return;
  }
  assert.equal(got.message, undefined, what);
  const rows: string[] = [];
  let bad = 0;
  for (const { labels, samples } of want) {
    const set = validLabels(labels);
    if (set === undefined) bad++;
    else for (const { timeMs, bits } of samples) rows.push(`${formatLabels(set)} ${timeMs} ${bits.toString(16)}`);
  }
  assert.deepEqual(got.rows, rows, what);
  assert.equal(got.invalid, bad, what);
}

/** Of latin1 names and values: the label set, or undefined where it is not valid. */
function validLabels(labels: readonly string[]): Labels | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const seen = new Map<string, string>();
  try {
    for (let i = 0; i < labels.length; i += 2) {
      if (seen.has(labels[i]!)) return undefined;
      seen.set(labels[i]!, labels[i + 1]!);
    }
    const kept = [...seen].filter(([, value]) => value !== '').sort(([a], [b]) => (a < b ? -1 : 1));
    if (kept.some(([name]) => name === '') || !kept.some(([name]) => name === '__name__')) return undefined;
    return kept.flat().map((text) => decoder.decode(Buffer.from(text, 'latin1')));
  } catch {
    return undefined;
  }
}
