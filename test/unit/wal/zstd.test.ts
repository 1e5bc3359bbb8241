import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecode } from '../../../src/base/zstd.js';
import { unhex } from '../../support/wal.js';

// By the reference encoder, from standard input.
const HELLO = '28b52ffd04686500003068656c6c6f200100b94b112be168e7';
const NOTHING = '28b52ffd240001000099e9d851';
const ZEROS = '28b52ffd04585400001000000100fbff39c00202001000039f04002d28de';

const decode = (hex: string, bytesMax = 1 << 20) => zstdDecode(unhex(hex), bytesMax, undefined);

test('zstd: frames of the reference encoder', () => {
  assert.equal(Buffer.from(decode(HELLO)!).toString(), 'hello '.repeat(6).trim());
  assert.equal(decode(NOTHING)!.length, 0);
  assert.deepEqual(Buffer.from(decode(ZEROS)!), Buffer.alloc(300_000));
});

test('zstd: no more than what was asked for', () => {
  assert.equal(decode(ZEROS, 300_000)!.length, 300_000);
  assert.equal(decode(ZEROS, 299_999), undefined);
});

test('zstd: what is cut off or no frame is not decoded', () => {
  for (let bytes = 1; bytes < HELLO.length / 2 - 4; bytes++) assert.equal(decode(HELLO.slice(0, 2 * bytes)), undefined);
  assert.equal(decode('00112233445566778899'), undefined);
});
