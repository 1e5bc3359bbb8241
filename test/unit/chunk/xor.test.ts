import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHUNK_BYTES_MAX, CHUNK_SAMPLES_MAX } from '../../../assembly/layout.js';
import { Prng } from '../../../src/base/prng.js';
import { type ChunkBytes, Chunks, type Samples } from '../../../src/wasm/chunks.js';
import { Core } from '../../../src/wasm/core.js';
import { chunksOf, ENCODING_XOR } from '../../support/chunk-file.js';
import { decodeXor, encodeXor, floatBits, type Sample } from '../../support/xor-model.js';

const STALE = 0x7ff0000000000002n;
const chunks = new Chunks(new Core());

function columns(samples: readonly Sample[]): Samples {
  return {
    times: Float64Array.from(samples, (s) => s.time),
    valueBits: BigUint64Array.from(samples, (s) => s.bits),
  };
}

function rows(samples: Samples | undefined): Sample[] | undefined {
  if (samples === undefined) return undefined;
  return Array.from(samples.times, (time, i) => ({ time, bits: samples.valueBits[i]! }));
}

function sealOne(samples: readonly Sample[]): ChunkBytes {
  const sealed = chunks.encode(columns(samples));
  assert.equal(sealed.length, 1);
  return sealed[0]!;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const float = (time: number, value: number): Sample => ({ time, bits: floatBits(value) });

// Bytes worked out by hand from docs/formats/chunk.md.
const golden: [name: string, samples: Sample[], want: string][] = [
  ['one sample', [float(1000, 1)], '0001 d00f 3ff0000000000000'],
  ['a negative time', [float(-1, 0)], '0001 01 0000000000000000'],
  ['unchanged second', [float(1000, 1), float(2000, 1)], '0002 d00f 3ff0000000000000 e807 00'],
  // 0 for the second value; then 0 (no delta of delta), 11, leading 1, size 11, eleven ones.
  ['new window', [float(1000, 1), float(2000, 1), float(3000, 2)], '0003 d00f 3ff0000000000000 e807 3097ffc0'],
  // 10, 14 bits of -1, 0.
  ['delta of delta -1', [float(0, 0), float(10, 0), float(19, 0)], '0003 00 0000000000000000 0a 5fff80'],
  // 10, 14 bits of 8192 (the top of the range: as a negative number it would be -8192), 0.
  ['delta of delta 8192', [float(0, 0), float(1, 0), float(8194, 0)], '0003 00 0000000000000000 01 500000'],
  // 110, 17 bits of 8193, 0.
  ['delta of delta 8193', [float(0, 0), float(1, 0), float(8195, 0)], '0003 00 0000000000000000 01 6100 08'],
  // A change of the highest and the lowest bit: size 64, written as 0.
  [
    'size 64',
    [
      { time: 0, bits: 0n },
      { time: 1, bits: 0x8000000000000001n },
    ],
    // 11 00000 000000 then 64 bits.
    '0002 00 0000000000000000 01 c004 0000000000000008',
  ],
];

for (const [name, samples, want] of golden) {
  test(`golden bytes: ${name}`, () => {
    const bytes = want.replaceAll(' ', '');
    assert.equal(hex(encodeXor(samples)), bytes, 'the model itself');
    assert.equal(hex(sealOne(samples).bytes), bytes);
    assert.deepEqual(rows(chunks.decode(Buffer.from(bytes, 'hex'))), samples);
  });
}

for (const file of ['blocks-000001', 'killed-000001']) {
  test(`chunks written by Prometheus decode and encode to the same bytes: ${file}`, () => {
    const written = readFileSync(new URL(`../../../../test/testdata/chunks/${file}`, import.meta.url));
    let checked = 0;
    for (const { encoding, data } of chunksOf(written)) {
      if (encoding !== ENCODING_XOR) continue;
      const samples = rows(chunks.decode(data))!;
      assert.deepEqual(samples, decodeXor(data));
      // Merging of overlapping chunks may leave more samples in one than we put there.
      if (samples.length <= CHUNK_SAMPLES_MAX) assert.equal(hex(sealOne(samples).bytes), hex(data));
      else assert.equal(hex(encodeXor(samples)), hex(data));
      checked++;
    }
    assert.ok(checked > 100);
  });
}

/** Samples whose steps fall into every bucket and whose values come in the shapes of real series. */
function randomSamples(random: Prng, count: number): Sample[] {
  const stepMax = random.pick([0, 1, 100, 8192, 65536, 524288, 2 ** 31]);
  const shape = random.int(8);
  const interval = random.pick([1, 1000, 15000, 86_400_000]);
  let time = random.int(2 ** 31) * random.pick([0, 1, 1000]) - random.pick([0, 1, 2 ** 40]);
  let value = random.int(1000);
  return Array.from({ length: count }, () => {
    time += Math.min(interval + (random.int(4) === 0 ? random.int(stepMax + 1) : 0), 2 ** 32 - 1);
    switch (shape) {
      case 0:
        break;
      case 1:
        value += random.int(100);
        break;
      case 2:
        value = random.float() * 1e9;
        break;
      case 3:
        value = random.int(2) === 0 ? value : value + 1;
        break;
      case 4:
        value = random.pick([0, -0, Infinity, -Infinity, NaN, 5e-324, 1.7e308]);
        break;
      case 5:
        return { time, bits: (BigInt(random.u32()) << 32n) | BigInt(random.u32()) };
      case 6:
        return { time, bits: random.pick([STALE, 0x7ff8000000000001n, 0xfff8000000000000n, floatBits(1)]) };
      case 7:
        // One bit at a time, so that windows open everywhere.
        return { time, bits: 1n << BigInt(random.int(64)) };
    }
    return { time, bits: floatBits(value) };
  });
}

test('random samples: bytes equal the model, and come back bit for bit', () => {
  for (let seed = 0; seed < 400; seed++) {
    const random = new Prng(seed);
    const samples = randomSamples(random, 1 + random.int(CHUNK_SAMPLES_MAX));
    const sealed = sealOne(samples);
    assert.equal(hex(sealed.bytes), hex(encodeXor(samples)), `seed ${seed}`);
    assert.deepEqual(rows(chunks.decode(sealed.bytes)), samples, `seed ${seed}`);
    assert.equal(sealed.mint, samples[0]!.time, `seed ${seed}`);
    assert.equal(sealed.maxt, samples.at(-1)!.time, `seed ${seed}`);
    assert.ok(sealed.bytes.length <= CHUNK_BYTES_MAX);
  }
});

test('an open chunk shows every sample after every append', () => {
  const random = new Prng(7);
  for (let round = 0; round < 12; round++) {
    const samples = randomSamples(random, CHUNK_SAMPLES_MAX);
    const chunk = chunks.open()!;
    assert.equal(chunks.snapshot(chunk).length, 0);
    for (let i = 0; i < samples.length; i++) {
      assert.deepEqual(chunks.append(chunk, columns([samples[i]!])), { count: 1, outcome: 'ok' });
      assert.equal(hex(chunks.snapshot(chunk)), hex(encodeXor(samples.slice(0, i + 1))), `round ${round}, sample ${i}`);
    }
    assert.equal(chunks.append(chunk, columns([float(1e15, 1)])).outcome, 'full');
    // The same state serves the next chunk.
    chunks.seal(chunk);
    assert.equal(chunks.append(chunk, columns(samples)).count, CHUNK_SAMPLES_MAX);
    assert.equal(hex(chunks.seal(chunk)!.bytes), hex(encodeXor(samples)));
    chunks.close(chunk);
  }
});

const steps: [name: string, step: number, want: string][] = [
  ['the longest step', 2 ** 32 - 1, 'ok'],
  ['one ms longer', 2 ** 32, 'full'],
  ['a step back', -1, 'full'],
  ['no step', 0, 'ok'],
];
for (const [name, step, want] of steps) {
  for (const before of [1, 2]) {
    test(`append: ${name} after ${before} samples → ${want}`, () => {
      const chunk = chunks.open()!;
      const samples = Array.from({ length: before }, (_, i) => float(i * 1000, i));
      chunks.append(chunk, columns(samples));
      const next = float((before - 1) * 1000 + step, 7);
      assert.equal(chunks.append(chunk, columns([next])).outcome, want);
      const all = want === 'ok' ? [...samples, next] : samples;
      assert.equal(hex(chunks.snapshot(chunk)), hex(encodeXor(all)));
      chunks.close(chunk);
    });
  }
}

test('where memory is refused, nothing changes', () => {
  const core = new Core({ pagesMax: 40 });
  const small = new Chunks(core);
  const samples = randomSamples(new Prng(5), CHUNK_SAMPLES_MAX);
  const chunk = small.open()!;
  // A block beside the façade's scratch keeps a page of that size; then everything else is taken.
  core.exports.heap_alloc(16);
  const taken: number[] = [];
  for (let block = core.exports.heap_alloc(32); block !== 0; block = core.exports.heap_alloc(32)) taken.push(block);
  const one = { times: new Float64Array(1), valueBits: new BigUint64Array(1) };
  let refused = 0;
  for (let i = 0; i < samples.length; ) {
    one.times[0] = samples[i]!.time;
    one.valueBits[0] = samples[i]!.bits;
    const { outcome } = small.append(chunk, one);
    if (outcome === 'no-memory') {
      refused++;
      core.exports.heap_free(taken.pop()!, 32);
    } else {
      assert.equal(outcome, 'ok');
      i++;
    }
  }
  assert.ok(refused > 3);
  core.exports.memory_limit(65536);
  assert.equal(hex(small.snapshot(chunk)), hex(encodeXor(samples)));
});

test('decode: the time range is inclusive, and stale markers can be left out', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new Prng(seed);
    const samples = randomSamples(random, 1 + random.int(CHUNK_SAMPLES_MAX)).map((sample) =>
      random.int(10) === 0 ? { ...sample, bits: STALE } : sample,
    );
    const bytes = encodeXor(samples);
    const mint = random.pick(samples).time + random.int(3) - 1;
    const maxt = random.pick(samples).time + random.int(3) - 1;
    for (const dropStale of [false, true]) {
      const want = samples.filter((s) => s.time >= mint && s.time <= maxt && !(dropStale && s.bits === STALE));
      assert.deepEqual(rows(chunks.decode(bytes, { mint, maxt, dropStale })), want, `seed ${seed}`);
    }
  }
});

test('damaged bytes never trap, and decode as the model says', () => {
  const random = new Prng(11);
  for (let round = 0; round < 12; round++) {
    const bytes = encodeXor(randomSamples(random, 1 + random.int(40)));
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << random.int(8);
      assert.deepEqual(rows(chunks.decode(damaged)), decodeXor(damaged), `round ${round}, byte ${at}`);
      assert.deepEqual(rows(chunks.decode(bytes.subarray(0, at))), decodeXor(bytes.subarray(0, at)), `cut at ${at}`);
    }
    const noise = Uint8Array.from({ length: random.int(300) }, () => random.int(256));
    noise[0] = 0;
    assert.deepEqual(rows(chunks.decode(noise)), decodeXor(noise));
  }
});
