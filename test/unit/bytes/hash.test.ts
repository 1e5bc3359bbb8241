import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { Core } from '../../../src/wasm/core.js';

const ROOM = 4096;

function hasher(seed: number) {
  const core = new Core();
  core.exports.hash_seed(seed, 0x5eed);
  const text = core.exports.heap_alloc(ROOM) >>> 0;
  const out = core.exports.heap_alloc(16) >>> 0;
  return (bytes: Uint8Array, offset = 0): bigint => {
    core.bytes.fill(0xee, text, text + ROOM);
    core.bytes.set(bytes, text + offset);
    core.exports.hash_bytes(text + offset, bytes.length, out);
    return core.view.getBigUint64(out, true);
  };
}

test('hash: depends on the bytes alone, not on where they lie or what is around them', () => {
  const hash = hasher(1);
  const prng = new Prng(1);
  for (let length = 0; length < 700; length++) {
    const bytes = Uint8Array.from({ length }, () => prng.int(256));
    assert.equal(hash(bytes), hash(bytes, 1 + prng.int(64)), `length ${length}`);
  }
});

test('hash: equal seeds agree over cores, other seeds do not', () => {
  const bytes = Buffer.from('http_requests_total{code="200"}');
  assert.equal(hasher(1)(bytes), hasher(1)(bytes));
  assert.notEqual(hasher(1)(bytes), hasher(2)(bytes));
});

test('hash: every byte, its place and the length count', () => {
  const hash = hasher(3);
  const seen = new Map<bigint, string>();
  const add = (bytes: Uint8Array, name: string) => {
    const value = hash(bytes);
    assert.equal(seen.get(value), undefined, `${name} collides with ${seen.get(value)}`);
    seen.set(value, name);
  };
  for (const length of [1, 3, 4, 7, 8, 15, 16, 31, 32, 33, 64, 65, 600, 1100]) {
    add(new Uint8Array(length), `${length} zeros`);
    for (let at = 0; at < length; at++) {
      const bytes = new Uint8Array(length);
      bytes[at] = 1;
      add(bytes, `${length} bytes, 1 at ${at}`);
      bytes[at] = 0x80;
      add(bytes, `${length} bytes, 128 at ${at}`);
    }
  }
  // Blocks in another order, beyond where the key starts over.
  const blocks = Array.from({ length: 40 }, (_, i) => Buffer.alloc(32, i + 1));
  add(Buffer.concat(blocks), 'in order');
  for (let i = 1; i < blocks.length; i++) {
    const swapped = [...blocks];
    [swapped[0], swapped[i]] = [swapped[i]!, swapped[0]!];
    add(Buffer.concat(swapped), `block 0 and ${i} swapped`);
  }
});

test('hash: a flipped bit flips half of the bits', () => {
  const hash = hasher(4);
  const prng = new Prng(4);
  let flipped = 0;
  const rounds = 2000;
  for (let i = 0; i < rounds; i++) {
    const bytes = Uint8Array.from({ length: 1 + prng.int(120) }, () => prng.int(256));
    const before = hash(bytes);
    bytes[prng.int(bytes.length)]! ^= 1 << prng.int(8);
    flipped += (before ^ hash(bytes)).toString(2).replaceAll('0', '').length;
  }
  assert.ok(Math.abs(flipped / rounds - 32) < 1, `${flipped / rounds} bits`);
});
