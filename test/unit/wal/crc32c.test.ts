import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { Core } from '../../../src/wasm/core.js';
import { Crc32c } from '../../../src/wasm/crc32c.js';

/** The definition: one bit at a time. */
function model(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
const VECTORS: [name: string, bytes: Uint8Array, want: number][] = [
  ['nothing', new Uint8Array(0), 0],
  ['check vector', new TextEncoder().encode('123456789'), 0xe3069283],
  ['32 zeroes', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['rising', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['falling', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
];

for (const [name, bytes, want] of VECTORS) {
  test(`crc32c: ${name} → ${want.toString(16)}`, () => {
    assert.equal(new Crc32c(new Core()).of(bytes), want);
    assert.equal(model(bytes), want);
  });
}

test('crc32c: every length and alignment agrees with the model, in one piece and in two', () => {
  const core = new Core();
  const crc = new Crc32c(core);
  const prng = new Prng(7);
  const at = core.exports.heap_alloc(4096) >>> 0;
  for (let length = 0; length < 100; length++) {
    for (let shift = 0; shift < 4; shift++) {
      const bytes = Uint8Array.from({ length }, () => prng.int(256));
      core.bytes.set(bytes, at + shift);
      const want = model(bytes);
      assert.equal(crc.at(at + shift, length), want, `length ${length} at ${shift}`);
      const cut = prng.int(length + 1);
      assert.equal(crc.at(at + shift + cut, length - cut, crc.at(at + shift, cut)), want, `cut at ${cut}`);
    }
  }
  const large = Uint8Array.from({ length: 200_001 }, () => prng.int(256));
  assert.equal(crc.of(large), model(large));
});

test('zeroPrefix: counts up to the first other byte', () => {
  const core = new Core();
  const crc = new Crc32c(core);
  const at = core.exports.heap_alloc(256) >>> 0;
  for (let length = 0; length < 70; length++) {
    for (let first = 0; first <= length; first++) {
      core.bytes.fill(0, at, at + 128);
      core.bytes[at + first] = 1;
      assert.equal(crc.zeroPrefix(at, length), first, `${first} of ${length}`);
    }
  }
});
