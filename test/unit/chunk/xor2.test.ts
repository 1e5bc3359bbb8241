import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { bitsOf } from '../../../src/model/stored-histogram.js';
import { ChunkFault } from '../../../src/tsdb/chunk/bit-stream.js';
import { decodeXor, encodeXor, type FloatSamples } from '../../../src/tsdb/chunk/xor.js';
import { decodeXor2, encodeXor2, type StartedSamples } from '../../../src/tsdb/chunk/xor2.js';
import { decodeXor as decodeModel, encodeXor as encodeModel } from '../../support/xor-model.js';

const STALE = 0x7ff0000000000002n;

function generate(random: Prng, count: number): FloatSamples {
  const times = new Float64Array(count);
  const bits = new BigUint64Array(count);
  let time = random.int(2) === 0 ? -1000 : 1_700_000_000_000;
  let value = 0;
  for (let i = 0; i < count; i++) {
    time += random.pick([15_000, 15_000, 15_000, 15_001, 19_096, 600_000, 2 ** 33, 1]);
    value = random.pick([value, value + 1, random.float(), -value]);
    times[i] = time;
    bits[i] = random.int(20) === 0 ? STALE : bitsOf(value);
  }
  return { times, bits };
}

test('XOR: the same bytes as the model, and back (seeds 1 … 200)', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Prng(seed);
    const samples = generate(random, 1 + random.int(200));
    const rows = Array.from(samples.times, (time, i) => ({ time, bits: samples.bits[i]! }));
    const bytes = encodeXor(samples);
    assert.deepEqual(Buffer.from(bytes), Buffer.from(encodeModel(rows)), `seed ${seed}`);
    assert.deepEqual(decodeXor(bytes), samples, `seed ${seed}`);
  }
});

test('XOR: damaged chunks are faults where the model says so', () => {
  const random = new Prng(5);
  const bytes = encodeXor(generate(random, 60));
  for (let i = 0; i < 3000; i++) {
    const bad = bytes.slice(0, random.int(4) === 0 ? random.int(bytes.length) : bytes.length);
    for (let flips = random.int(3); flips > 0 && bad.length > 0; flips--)
      bad[random.int(bad.length)]! ^= 1 << random.int(8);
    if (bad.length < 2) continue;
    let got: FloatSamples | undefined;
    try {
      got = decodeXor(bad);
    } catch (error) {
      if (!(error instanceof ChunkFault)) throw error;
    }
    const want = decodeModel(bad);
    assert.equal(got === undefined, want === undefined);
    if (got !== undefined)
      assert.deepEqual(
        [...got.bits],
        want!.map(({ bits }) => bits),
      );
  }
});

test('XOR2: back to what it was, with start times and without (seeds 1 … 300)', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Prng(seed);
    const samples = generate(random, 1 + random.int(200));
    const from = random.int(samples.times.length + 1);
    let start = random.int(2) === 0 ? 0 : samples.times[0]! - 500;
    const starts = samples.times.map((timeMs, i) => {
      if (i >= from && random.int(4) === 0) start = timeMs - random.int(1000);
      return start;
    });
    const started: StartedSamples = random.int(2) === 0 ? samples : { ...samples, starts };
    const decoded = decodeXor2(encodeXor2(started));
    assert.deepEqual([...decoded.times], [...samples.times], `seed ${seed}`);
    assert.deepEqual([...decoded.bits], [...samples.bits], `seed ${seed}`);
    const none = samples.times.map(() => 0);
    assert.deepEqual([...(decoded.starts ?? none)], [...(started.starts ?? none)], `seed ${seed}`);
  }
});

// Worked out by hand from the head of xor2.ts.
test('XOR2: golden bytes', () => {
  const float = (value: number) => bitsOf(value);
  const bits = BigUint64Array.from([float(1), float(1), float(1), float(2), STALE, float(2)]);
  const times = Float64Array.from([1000, 2000, 3000, 4000, 5000, 6001]);
  // 0: value_1 │ 0: same │ 10 1 00001 001011 11111111111: a new window │ 11111: stale │ 110 0000000000001 0: one more, the same
  const stream = '0 0 10 1 00001 001011 11111111111 11111 1100000000000001 0'.replaceAll(' ', '');
  const tail = (stream.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
  const want = Buffer.concat([Buffer.from('000600d00f3ff0000000000000e807', 'hex'), Buffer.from(tail)]);
  assert.equal(Buffer.from(encodeXor2({ times, bits })).toString('hex'), want.toString('hex'));
});

test('XOR2: damaged chunks are faults or other samples', () => {
  const random = new Prng(6);
  const samples = generate(random, 60);
  const bytes = encodeXor2({ ...samples, starts: samples.times.map((timeMs) => timeMs - random.int(100)) });
  for (let i = 0; i < 3000; i++) {
    const bad = bytes.slice(0, random.int(4) === 0 ? random.int(bytes.length) : bytes.length);
    for (let flips = random.int(3); flips > 0 && bad.length > 0; flips--)
      bad[random.int(bad.length)]! ^= 1 << random.int(8);
    try {
      decodeXor2(bad);
    } catch (error) {
      if (!(error instanceof ChunkFault)) throw error;
    }
  }
});
