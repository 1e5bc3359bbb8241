import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { GzipError, gunzip } from '../../../src/base/gzip.js';

const good = gzipSync('up 1\ndown 0\n');
const flipped = (at: number) => {
  const bytes = Buffer.from(good);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  return bytes;
};

const cases: [name: string, bytes: Uint8Array, want: string][] = [
  ['good', good, 'up 1\ndown 0\n'],
  ['two members', Buffer.concat([good, good]), 'up 1\ndown 0\nup 1\ndown 0\n'],
  ['nothing', Buffer.alloc(0), 'corrupt: EOF'],
  ['no gzip', Buffer.from('up 1\n# HELP up'), 'corrupt: gzip: invalid header'],
  ['junk behind', Buffer.concat([good, Buffer.from('junk')]), 'corrupt: gzip: invalid header'],
  ['zeroes behind', Buffer.concat([good, Buffer.alloc(4)]), 'corrupt: gzip: invalid header'],
  ['a wrong checksum', flipped(-6), 'corrupt: gzip: invalid checksum'],
  ['a lie about the length', flipped(-2), 'corrupt: gzip: invalid checksum'],
  ['a second member that is cut', Buffer.concat([good, good.subarray(0, 12)]), 'corrupt: unexpected EOF'],
  ['exactly the limit', gzipSync('x'.repeat(100)), 'x'.repeat(100)],
  ['one over the limit', gzipSync('x'.repeat(101)), 'limit: body size limit exceeded'],
  ['a bomb of 300 MB', gzipSync(Buffer.alloc(300_000_000), { level: 1 }), 'limit: body size limit exceeded'],
];

function outcome(bytes: Uint8Array, decodedBytesMax: number, decodedBytesHint = 0): string {
  try {
    return Buffer.from(gunzip(bytes, { decodedBytesMax, decodedBytesHint })).toString();
  } catch (error) {
    assert.ok(error instanceof GzipError, String(error));
    return `${error.reason}: ${error.message}`;
  }
}

for (const [name, bytes, want] of cases) {
  for (const hint of [0, 1, 99, 1_000_000]) {
    test(`gunzip: ${name}, expecting ${hint} bytes`, () => assert.equal(outcome(bytes, 100, hint), want));
  }
}

test('a body cut anywhere is an unexpected end', () => {
  for (let end = 1; end < good.length; end++)
    assert.equal(outcome(good.subarray(0, end), 100), 'corrupt: unexpected EOF', `cut at ${end}`);
});

test('a bit flipped anywhere in data or checksum is found out', () => {
  for (let at = 10; at < good.length; at++) assert.match(outcome(flipped(at), 100), /^corrupt: /, `flipped at ${at}`);
});

test('without a limit, and from shared memory', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(good.length));
  shared.set(good);
  assert.equal(outcome(shared, Number.POSITIVE_INFINITY), 'up 1\ndown 0\n');
});
