// Records with start timestamps: bytes by hand, round trips with an encoder of the test's, and bytes cut short.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { BytesError, ByteWriter } from '../../../src/tsdb/bytes.js';
import { encodeHistogramEntry } from '../../../src/tsdb/wal/histogram-record.js';
import { RecordType, type SampleEntry } from '../../../src/tsdb/wal/record.js';
import { decodeStartedHistograms, decodeStartedSamples } from '../../../src/tsdb/wal/started-record.js';
import { generateStored } from '../../support/stored-histograms.js';

interface Started<T> {
  readonly ref: number;
  readonly timeMs: number;
  readonly startMs: number;
  readonly value: T;
}

function encode<T>(type: RecordType, entries: readonly Started<T>[], value: (one: T) => Uint8Array): Uint8Array {
  const to = new ByteWriter();
  to.u8(type);
  entries.forEach((one, i) => {
    const [first, before] = [entries[0]!, entries[i - 1]];
    to.varint(one.ref - (before?.ref ?? 0));
    to.varint(one.timeMs - (before === undefined ? 0 : first.timeMs));
    if (before === undefined) to.varint(one.startMs);
    else if (one.startMs === 0) to.u8(0);
    else if (one.startMs === before.startMs) to.u8(1);
    else {
      to.u8(2);
      to.varint(one.startMs - first.startMs);
    }
    to.raw(value(one.value));
  });
  return to.finish();
}

function bitsOf(value: bigint): Uint8Array {
  const to = new ByteWriter();
  to.bits(value);
  return to.finish();
}

test('samples with start timestamps: by hand', () => {
  const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
  const record = bytes(`0b 06 d00f 00 3ff0000000000000
    01 1e 00 4000000000000000
    02 1e 02 c801 7ff0000000000002
    00 3c 01 0000000000000000`);
  assert.deepEqual(decodeStartedSamples(record), [
    { ref: 3, timeMs: 1000, bits: 0x3ff0000000000000n },
    { ref: 2, timeMs: 1015, bits: 0x4000000000000000n },
    { ref: 3, timeMs: 1015, bits: 0x7ff0000000000002n },
    { ref: 3, timeMs: 1030, bits: 0n },
  ]);
  assert.deepEqual(decodeStartedSamples(Uint8Array.of(RecordType.SamplesV2)), []);
});

test('samples and histograms with start timestamps: round trips, and every cut is a fault or a shorter record', () => {
  const random = new Prng(1113);
  const started = <T>(value: T): Started<T> => ({
    ref: random.int(1000),
    timeMs: 1_700_000_000_000 + random.int(1000) - 500,
    startMs: random.pick([0, 1_700_000_000_000, 1_600_000_000_000 + random.int(5)]),
    value,
  });
  for (let round = 0; round < 50; round++) {
    const floats = Array.from({ length: 1 + random.int(10) }, () => started(BigInt(random.int(2 ** 31)) << 20n));
    const record = encode(RecordType.SamplesV2, floats, bitsOf);
    const want = floats.map(({ ref, timeMs, value }): SampleEntry => ({ ref, timeMs, bits: value }));
    assert.deepEqual(decodeStartedSamples(record), want);
    for (let length = 1; length < record.length; length++) {
      try {
        assert.ok(decodeStartedSamples(record.subarray(0, length)).length < floats.length);
      } catch (error) {
        assert.ok(error instanceof BytesError, String(error));
      }
    }
    const isFloat = round % 2 === 0;
    const type = isFloat ? RecordType.FloatHistogramSamplesV2 : RecordType.HistogramSamplesV2;
    const histograms = generateStored(random, isFloat, 1 + random.int(4)).map(started);
    // An entry of the older records is the same behind its two deltas, of a byte each.
    const body = encode(type, histograms, (one) => encodeHistogramEntry(0, 0, one).slice(2));
    assert.deepEqual(
      decodeStartedHistograms(body),
      histograms.map(({ ref, timeMs, value }) => ({ ref, timeMs, histogram: value })),
    );
  }
});
