import assert from 'node:assert/strict';
import { test } from 'node:test';
import snappyjs from 'snappyjs';
import { Prng } from '../../../src/base/prng.js';
import { Core } from '../../../src/wasm/core.js';
import { Exposition } from '../../../src/wasm/exposition.js';
import { DEFAULT_WRITE_LIMITS, RemoteWrite } from '../../../src/wasm/remote-write.js';
import { varint } from '../../support/write-request.js';

const release = process.env.NARTHEX_CORE !== 'debug';
const core = new Core();
const remote = new RemoteWrite(core, new Exposition(core));

/** The decoded bytes, or the reason. */
function decode(block: Uint8Array, limits = DEFAULT_WRITE_LIMITS): Buffer | string {
  const decoded = remote.decode(block, limits);
  if (!decoded.ok) return decoded.message;
  return Buffer.from(core.u8(decoded.body.address, decoded.body.length));
}

function block(length: number | bigint, ...elements: (number | Uint8Array)[]): Uint8Array {
  const parts = elements.map((element) => (typeof element === 'number' ? Buffer.of(element) : element));
  return Buffer.concat([varint(length), ...parts]);
}

const good: [name: string, block: Uint8Array, want: string][] = [
  ['nothing', block(0), ''],
  ['a literal', block(3, 2 << 2, Buffer.from('abc')), 'abc'],
  ['a literal with its length in one byte', block(3, 60 << 2, 2, Buffer.from('abc')), 'abc'],
  ['a literal with its length in four bytes', block(3, 63 << 2, 2, 0, 0, 0, Buffer.from('abc')), 'abc'],
  ['a copy with one byte of offset', block(8, 0 << 2, Buffer.from('a'), ((7 - 4) << 2) | 1, 1), 'aaaaaaaa'],
  ['a copy with two bytes of offset', block(6, 1 << 2, Buffer.from('ab'), (3 << 2) | 2, 2, 0), 'ababab'],
  ['a copy with four bytes of offset', block(6, 2 << 2, Buffer.from('abc'), (2 << 2) | 3, 3, 0, 0, 0), 'abcabc'],
];
for (const [name, bytes, want] of good) {
  test(`snappy: ${name}`, () => assert.deepEqual(decode(bytes), Buffer.from(want)));
}

const bad: [name: string, block: Uint8Array, reason: RegExp][] = [
  ['no length', Buffer.of(), /no length/],
  ['a length cut short', Buffer.of(0x80), /no length/],
  ['a length of six bytes', Buffer.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x01), /no length/],
  ['a length of 33 MB', block(33 << 20), /exceeds the limit/],
  ['a length of 2^32 - 1', block(2n ** 32n - 1n), /exceeds the limit/],
  ['a length of 2^34', block(2n ** 34n), /no length/],
  ['a length of 2^63', block(2n ** 63n), /no length/],
  ['less than was declared', block(4, 2 << 2, Buffer.from('abc')), /corrupt/],
  ['more than was declared', block(2, 2 << 2, Buffer.from('abc')), /corrupt/],
  ['a literal cut short', block(3, 2 << 2, Buffer.from('ab')), /corrupt/],
  ['a literal of 2^32 bytes', block(3, 63 << 2, 0xff, 0xff, 0xff, 0xff, Buffer.from('abc')), /corrupt/],
  ['an offset of 0', block(8, 0, Buffer.from('a'), (3 << 2) | 2, 0, 0), /corrupt/],
  ['an offset before the start', block(8, 0, Buffer.from('a'), (3 << 2) | 2, 2, 0), /corrupt/],
  ['a huge offset', block(8, 0, Buffer.from('a'), (3 << 2) | 3, 0xff, 0xff, 0xff, 0xff), /corrupt/],
  ['an offset cut short', block(8, 0, Buffer.from('a'), (3 << 2) | 2, 1), /corrupt/],
  ['a copy beyond the end', block(2, 0, Buffer.from('a'), (63 << 2) | 2, 1, 0), /corrupt/],
];
for (const [name, bytes, reason] of bad) {
  test(`snappy: refuses ${name}`, () => assert.match(String(decode(bytes)), reason));
}

test('snappy: a compressed size over the limit is refused unread', () => {
  assert.match(String(decode(new Uint8Array(11), { ...DEFAULT_WRITE_LIMITS, compressedBytesMax: 10 })), /limit is 10/);
});

test('snappy: a bomb costs what it declares and no more', () => {
  const bomb = snappyjs.compress(new Uint8Array(31 << 20));
  const decoded = decode(Buffer.from(bomb));
  assert.ok(typeof decoded !== 'string' && decoded.length === 31 << 20);
});

/** Bytes with repetitions at every distance. */
function compressible(prng: Prng, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const run = 1 + prng.int(100);
    const back = prng.int(3) === 0 || at === 0 ? 0 : 1 + prng.int(Math.min(at, prng.pick([3, 10, 20, 3000, 100_000])));
    for (let i = 0; i < run && at < length; i++, at++) bytes[at] = back === 0 ? prng.int(256) : bytes[at - back]!;
  }
  return bytes;
}

test('snappy: decodes what another encoder made', () => {
  for (let seed = 1; seed <= (release ? 500 : 100); seed++) {
    const prng = new Prng(seed);
    const bytes = compressible(prng, prng.int(prng.pick([40, 3000, 200_000])));
    const got = decode(Buffer.from(snappyjs.compress(bytes)));
    if (typeof got === 'string' || !got.equals(bytes)) assert.fail(`seed ${seed}: ${String(got).slice(0, 100)}`);
  }
});

test('snappy: cut short and damaged blocks never read or write outside', () => {
  const prng = new Prng(9);
  const bytes = compressible(prng, 400);
  const whole = Buffer.from(snappyjs.compress(bytes));
  for (let length = 0; length < whole.length; length++)
    assert.equal(typeof decode(whole.subarray(0, length)), 'string');
  const { memory } = core;
  for (let round = 0; round < (release ? 50_000 : 5000); round++) {
    const damaged = Buffer.from(whole);
    for (let i = 0; i <= prng.int(3); i++) damaged[prng.int(damaged.length)] = prng.int(256);
    const want = plainDecode(damaged);
    const got = decode(damaged, { ...DEFAULT_WRITE_LIMITS, decodedBytesMax: 100_000 });
    if (want === undefined ? typeof got !== 'string' : typeof got === 'string' || !got.equals(want)) {
      assert.fail(`round ${round}: ${damaged.toString('hex')}`);
    }
  }
  assert.ok(memory.buffer.byteLength < 128 << 20);
});

/** Byte by byte; undefined where the block is malformed or larger than 100,000 bytes. */
function plainDecode(block: Uint8Array): Buffer | undefined {
  let declared = 0;
  let at = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = block[at++];
    if (byte === undefined || shift > 28) return undefined;
    declared += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (declared > 100_000) return undefined;
  const out: number[] = [];
  while (at < block.length) {
    const tag = block[at++]!;
    const kind = tag & 3;
    const little = (width: number) => {
      let value = 0;
      for (let i = 0; i < width; i++) value += block[at++]! * 2 ** (8 * i);
      return value;
    };
    if (kind === 0) {
      const short = tag >> 2;
      const length = (short < 60 ? short : little(short - 59)) + 1;
      if (!(at + length <= block.length)) return undefined;
      for (let i = 0; i < length; i++) out.push(block[at++]!);
    } else {
      const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
      const offset = little([0, 1, 2, 4][kind]!) + (kind === 1 ? (tag >> 5) * 256 : 0);
      if (!(offset > 0 && offset <= out.length)) return undefined;
      for (let i = 0; i < length; i++) out.push(out[out.length - offset]!);
    }
    if (out.length > declared) return undefined;
  }
  return out.length === declared ? Buffer.from(out) : undefined;
}
