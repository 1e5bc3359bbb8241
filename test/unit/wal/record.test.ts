import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { labelsOf } from '../../../src/model/labels.js';
import { BytesError } from '../../../src/tsdb/bytes.js';
import {
  decodeMetadata,
  decodeSamples,
  decodeSeries,
  decodeTombstones,
  encodeMetadata,
  encodeSamples,
  encodeSeries,
  encodeTombstones,
  METRIC_TYPES,
  recordTypeName,
} from '../../../src/tsdb/wal/record.js';
import { hex, unhex } from '../../support/wal.js';

const text = (value: string) => Buffer.from(value).toString('hex');
const ONE = '3ff0000000000000';
const STALE = '7ff0000000000002';

// Worked out by hand from docs/formats/wal.md.
const SERIES = `01 0000000000000007 02 08${text('__name__')} 02${text('up')} 03${text('job')} 01${text('a')}
                   0000000100000000 01 08${text('__name__')} 02${text('ž')}`;
const SAMPLES = `02 0000000000000007 000000000000000a  00 00 ${ONE}  05 80fa01 ${STALE}  02 01 ${ONE}`;
const TOMBSTONES = '03 0000000000000007 14 28  0000000000000001 ffffffffffffffffff01 feffffffffffffffff01';
const METADATA = `06 8702 01 02 04${text('UNIT')} 00 04${text('HELP')} 05${text('hello')}`;

test('series: golden bytes', () => {
  const entries = [
    { ref: 7, labels: ['__name__', 'up', 'job', 'a'] },
    { ref: 2 ** 32, labels: ['__name__', 'ž'] },
  ];
  assert.equal(hex(encodeSeries(entries)), SERIES.replace(/\s+/g, ''));
  assert.deepEqual(decodeSeries(unhex(SERIES)), entries);
});

test('samples: golden bytes, with a stale marker and deltas both ways', () => {
  const samples = [
    { ref: 7, timeMs: 10, bits: BigInt(`0x${ONE}`) },
    { ref: 4, timeMs: 16010, bits: BigInt(`0x${STALE}`) },
    { ref: 8, timeMs: 9, bits: BigInt(`0x${ONE}`) },
  ];
  assert.equal(hex(encodeSamples(samples)), SAMPLES.replace(/\s+/g, ''));
  assert.deepEqual(decodeSamples(unhex(SAMPLES)), samples);
  assert.deepEqual(decodeSamples(unhex('02')), []);
  assert.equal(hex(encodeSamples([])), '02');
});

test('tombstones: golden bytes, from the beginning to the end of time', () => {
  const entries = [
    { ref: 7, mint: 10, maxt: 20 },
    { ref: 1, mint: -(2 ** 63), maxt: 2 ** 63 },
  ];
  assert.equal(hex(encodeTombstones(entries)), TOMBSTONES.replace(/\s+/g, ''));
  assert.deepEqual(decodeTombstones(unhex(TOMBSTONES)), entries);
});

test('metadata: golden bytes; unknown fields are passed over', () => {
  const entries = [{ ref: 263, type: 'counter', unit: '', help: 'hello' }] as const;
  assert.equal(hex(encodeMetadata(entries)), METADATA.replace(/\s+/g, ''));
  assert.deepEqual(decodeMetadata(unhex(METADATA)), entries);
  const later = `06 01 2a 03 03${text('NEW')} 01${text('x')} 04${text('HELP')} 01${text('h')} 04${text('UNIT')} 01${text('u')}`;
  assert.deepEqual(decodeMetadata(unhex(later)), [{ ref: 1, type: 'unknown', unit: 'u', help: 'h' }]);
});

test('round trip: what a seed makes comes back', () => {
  const prng = new Prng(3);
  const word = () => String.fromCodePoint(...Array.from({ length: 1 + prng.int(12) }, () => 32 + prng.int(0x3000)));
  const time = () => Math.floor((prng.float() - 0.5) * 2 ** prng.int(53));
  for (let round = 0; round < 300; round++) {
    const count = prng.int(20);
    const ref = () => prng.int(2 ** 20) * 2 ** prng.int(20);
    const series = Array.from({ length: count }, () => ({
      ref: ref(),
      labels: labelsOf(Array.from({ length: prng.int(6) }, () => [word(), word()] as const)),
    }));
    assert.deepEqual(decodeSeries(encodeSeries(series)), series, `round ${round}`);
    const base = time();
    const samples = Array.from({ length: count }, () => ({
      ref: ref(),
      timeMs: base + prng.int(2 ** 31) - 2 ** 30,
      bits: (BigInt(prng.u32()) << 32n) | BigInt(prng.u32()),
    }));
    assert.deepEqual(decodeSamples(encodeSamples(samples)), samples, `round ${round}`);
    const tombstones = Array.from({ length: count }, () => ({ ref: ref(), mint: time(), maxt: time() }));
    assert.deepEqual(
      decodeTombstones(encodeTombstones(tombstones)),
      tombstones.map((entry) => ({ ref: entry.ref, mint: entry.mint + 0, maxt: entry.maxt + 0 })),
      `round ${round}`,
    );
    const metadata = Array.from({ length: count }, () => ({
      ref: ref(),
      type: prng.pick(METRIC_TYPES),
      unit: prng.pick(['', word()]),
      help: prng.pick(['', word()]),
    }));
    assert.deepEqual(decodeMetadata(encodeMetadata(metadata)), metadata, `round ${round}`);
  }
});

const CODECS: [name: string, golden: string, decode: (bytes: Uint8Array) => unknown][] = [
  ['series', SERIES, decodeSeries],
  ['samples', SAMPLES, decodeSamples],
  ['tombstones', TOMBSTONES, decodeTombstones],
  ['metadata', METADATA, decodeMetadata],
];

for (const [name, golden, decode] of CODECS) {
  test(`${name}: cut at or damaged in every byte gives a BytesError or a value, never anything else`, () => {
    const bytes = unhex(golden);
    for (let length = 0; length < bytes.length; length++) orBytesError(() => decode(bytes.subarray(0, length)));
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const broken = bytes.slice();
        broken[at]! ^= 1 << bit;
        orBytesError(() => decode(broken));
      }
    }
  });
}

test('errors say where and what', () => {
  const cases: [decode: (bytes: Uint8Array) => unknown, bytes: string, message: string][] = [
    [decodeSeries, '02', 'type samples (2) where series is expected at byte 0'],
    [decodeSeries, '', '1 bytes expected, 0 left at byte 0'],
    [decodeSeries, '01 00000000000000ff 01 05 6161', '5 bytes expected, 2 left at byte 11'],
    [decodeSeries, '01 ff00000000000000', 'a number beyond 2^53 at byte 1'],
    [decodeMetadata, '06 ffffffffffffffffff02', 'a varint beyond 64 bits at byte 1'],
    [decodeSamples, '02 0000000000000001 0000000000000000 03', 'a ref below 0 at byte 18'],
    [decodeTombstones, 'c8', 'type unknown (200) where tombstones is expected at byte 0'],
  ];
  for (const [decode, bytes, message] of cases) assert.throws(() => decode(unhex(bytes)), { message });
});

test('types: each has the name that Prometheus gives it', () => {
  assert.equal(recordTypeName(7), 'histogram_samples');
  assert.equal(recordTypeName(10), 'custom_buckets_float_histogram_samples');
  assert.equal(recordTypeName(0), 'unknown');
});

function orBytesError(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof BytesError, String(error));
  }
}
