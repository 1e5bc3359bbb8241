// Snappy blocks of ours, read by the decoder.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../../../src/base/crc32c.js';
import { Prng } from '../../../src/base/prng.js';
import { snappyDecode, snappyHeader } from '../../../src/base/snappy.js';
import { snappyEncode } from '../../../src/base/snappy-encode.js';

function roundTrip(bytes: Uint8Array): number {
  const block = snappyEncode(bytes);
  const back = new Uint8Array(snappyHeader(block).length);
  assert.equal(snappyDecode(block, back), bytes.length);
  assert.ok(Buffer.from(back).equals(bytes));
  return block.length;
}

test('snappy: what was encoded is decoded, whatever it is', () => {
  const random = new Prng(3);
  for (const length of [0, 1, 3, 4, 5, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 200_000]) {
    for (const values of [1, 2, 4, 256]) roundTrip(Uint8Array.from({ length }, () => random.int(values)));
  }
});

test('snappy: what repeats takes little room', () => {
  const line = Buffer.from('http_requests_total{job="api",instance="10.0.0.1:9090"} ');
  assert.ok(roundTrip(Buffer.concat(Array.from({ length: 2000 }, () => line))) < 8000);
});

test('crc32c: the check value, and lengths that are no multiple of four', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(0)), 0);
});
